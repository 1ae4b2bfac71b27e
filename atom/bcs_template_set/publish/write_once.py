"""Send a write whose answer may be lost, and never again before reading back; and keep names. No own I/O.

A dialect's other form of a name is never sent on purpose (facts/bcs.md, "Safe fallback for create", "PUT").
A site that is being upgraded can still answer the read in one dialect and the write in another: a path that
is not there did nothing, so the other is tried; a PUT that has renamed the file is seen by the name that its
version has, which is the same in every dialect, and is taken back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Optional, TypeVar

from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.answers import CreatedFile, TemplateFile
from bcs_template_set.bcs.calls import Write, Writer
from bcs_template_set.bcs.dialect import BELOW_SPACE, OLDEST_RELEASE, WITH_SPACE, releases
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import InputsInvalid, Overtaken, VersionConflict
from bcs_template_set.messages.server_errors import AnswerUnreadable, BcsFailed, BcsTooOld, OutcomeUnknown
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.system.clock import Clock

T = TypeVar("T")

NAME_EXISTS = 7
"""BCS's code for "the version or name exists" (facts/bcs.md, "Answers")."""

MOST_TRIES = 3
PAUSES_BEFORE_READING_BACK = (1.0, 4.0)
"""Seconds; a write that timed out may still be under way when we first look."""


def write_once(
    clock: Clock, send: Callable[[], T], *, read_back: Callable[[], Optional[T]]
) -> tuple[T, bool]:
    """Return what a write gave, such as an id, and whether BCS said that the name was there already.

    It is sent again only where reading back shows that it did not happen.

    Raises:
        OutcomeUnknown: it may have happened, and reading back did not tell.
        OutOfTime: it was not sent.
        StepError: it did not happen, or what was read back stands against it.
    """
    unknown: Optional[OutcomeUnknown] = None
    for _ in range(MOST_TRIES):
        try:
            return send(), False
        except OutcomeUnknown as exc:
            unknown = exc
        except StepError as exc:
            return _after_refusal(exc, unknown, read_back=read_back)
        found = _read_back_later(clock, unknown, read_back=read_back)
        if found is not None:
            return found, False
    raise unknown or AssertionError  # MOST_TRIES is more than 0


def _after_refusal(
    error: StepError, unknown: Optional[OutcomeUnknown], *, read_back: Callable[[], Optional[T]]
) -> tuple[T, bool]:
    """Return what is there under a name that BCS says exists; raise any other refusal.

    A refusal says nothing of an earlier try whose outcome is unknown.
    """
    if isinstance(error, BcsFailed) and error.bcs_code == NAME_EXISTS:
        found = _look(read_back, otherwise=unknown or error)
        if found is not None:
            return found, unknown is None
    if unknown is not None:
        raise unknown from error
    raise error


def _read_back_later(
    clock: Clock, unknown: OutcomeUnknown, *, read_back: Callable[[], Optional[T]]
) -> Optional[T]:
    for pause in PAUSES_BEFORE_READING_BACK:
        clock.wait(pause)
        found = _look(read_back, otherwise=unknown)
        if found is not None:
            return found
    return None


def _look(read_back: Callable[[], Optional[T]], *, otherwise: StepError) -> Optional[T]:
    """Return what was read back; where that can't be read, `otherwise` still stands, and is raised."""
    try:
        return read_back()
    except (VersionConflict, Overtaken):
        raise
    except StepError as exc:
        raise otherwise from exc


# --- names --------------------------------------------------------------------------------------------


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
