"""Make and change spaces and files so that each keeps its one name, whichever dialect answers. No own I/O.

A dialect's other form of a name is never sent on purpose (facts/bcs.md, "Safe fallback for create", "PUT").
A site that is being upgraded can still answer the read in one dialect and the write in another: a path that
is not there did nothing, so the other is tried; a PUT that has renamed the file is seen by the name that its
version has, which is the same in every dialect, and is taken back.
"""

from __future__ import annotations

from typing import Callable, Optional

from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.answers import CreatedFile, TemplateFile
from bcs_template_set.bcs.calls import Write, Writer
from bcs_template_set.bcs.dialect import BELOW_SPACE, OLDEST_RELEASE, WITH_SPACE, releases
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import InputsInvalid
from bcs_template_set.messages.server_errors import AnswerUnreadable, BcsFailed, BcsTooOld
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.records.late_dataclass import dataclass

MOST_TURNS = 4
REFUSED = 2
"""BCS's code for what its checks refuse (facts/bcs.md, "Answers")."""


def create_in_its_dialect(writer: Writer, call: Callable[[bool], Write[CreatedFile]]) -> CreatedFile:
    """Make a file where this BCS makes files; `call` is told whether that is below the space.

    Raises:
        BcsTooOld: it was not made, for each path was answered by a BCS that has only the other.
        StepError: what the gateway or BCS answered.
    """
    below = writer.site.creates_below_space or False
    for _ in range(MOST_TURNS):
        created = _created(writer, call, below=below)
        if created is not None:
            return created
        below = not below
    problem = say("bcs.both_refused", first=releases(BELOW_SPACE), second=releases(WITH_SPACE))
    raise BcsTooOld(problem=problem, oldest=OLDEST_RELEASE)


def _created(
    writer: Writer, call: Callable[[bool], Write[CreatedFile]], *, below: bool
) -> Optional[CreatedFile]:
    """Return the file that was made, None where the path is not there, so that nothing was done."""
    try:
        created = writer.write(call(below))
    except BcsTooOld:
        return None
    writer.site.learn(BELOW_SPACE if below else WITH_SPACE)
    return created


def put_back(writer: Writer, project: str, file: TemplateFile, *, version: str) -> None:
    """Put a file's metadata back whole, with another current version; it keeps its name.

    Raises:
        StepError: what the gateway or BCS answered.
    """
    for _ in range(MOST_TURNS):
        refused = _refused(writer, protocol.update_file(project, file, version=version))
        if refused is None:
            return
        listed = writer.read(protocol.get_file(project, file.id)).name
        if listed == file.name:
            raise refused
        file = file.replaced(name=listed)
    raise refused or AssertionError  # MOST_TURNS is more than 0


def _refused(writer: Writer, call: Write[None]) -> Optional[BcsFailed]:
    """Send a write and return BCS's refusal of a name, None where it was done; raise any other failure."""
    try:
        writer.write(call)
    except BcsFailed as exc:
        if exc.bcs_code != REFUSED:
            raise
        return exc
    return None


@dataclass(frozen=True)
class Renamed:
    """A file that is called `name` instead of `wanted`, as its version says."""

    file: TemplateFile
    version_id: str
    version: str
    space: str
    wanted: str


def name_again(writer: Writer, project: str, renamed: Renamed) -> Optional[StepError]:
    """Give a file its own name back, and return what stood in the way, None where it has it."""
    try:
        called = _called_after_naming(writer, project, renamed)
    except StepError as exc:
        return exc
    if called == renamed.wanted:
        return None
    problem = say("bcs.renamed", name=called, wanted=renamed.wanted)
    return AnswerUnreadable(url=f"template/metadatas/{renamed.file.id}", problem=problem)


def _called_after_naming(writer: Writer, project: str, renamed: Renamed) -> str:
    """Return what the file is called after each form of its name was sent, until it is called right.

    The name alone comes first: who wants `space/name` refuses it, and nothing has happened. Where it would
    be read as a space and a name, it is not sent.
    """
    wanted, called = renamed.wanted, ""
    forms = [f"{renamed.space}/{wanted}"] if "/" in wanted else [wanted, f"{renamed.space}/{wanted}"]
    for name in (*forms, *forms):
        file = renamed.file.replaced(name=name)
        _refused(writer, protocol.update_file(project, file, version=renamed.version))
        called = writer.read(protocol.get_version(project, renamed.version_id)).template_name
        if called == wanted:
            break
    return called


_NAME_REFUSED = "CreateTemplateSpaceReq.Name"
"""How BCS's validator names the field, with code 1."""


def space_refused(space: str, error: BcsFailed) -> StepError:
    """Return BCS's refusal of a space's name as the mistake in the inputs that it is."""
    message = str(error.message)
    if error.bcs_code != REFUSED and _NAME_REFUSED not in message:
        return error
    refused = InputsInvalid(details=[say("bcs.space_refused", name=space, message=message)])
    return refused.with_context(**error.context)
