"""`bcs-template-set diff A B`: in what two versions differ, or a version and what is live. Only reads.

It ends with 0 also where they differ: `--json` says `different`, and an error has its code.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from bcs_template_set.bcs.answers import TemplateFile
from bcs_template_set.bcs.space.existing import SpaceHistories
from bcs_template_set.bcs.space.template_spaces import list_histories
from bcs_template_set.bcs.space.versions import read_versions
from bcs_template_set.cli.desk_reading import Folder, build_pattern
from bcs_template_set.messages import Language, say
from bcs_template_set.messages.errors import InputsInvalid
from bcs_template_set.messages.spelling import with_nearest
from bcs_template_set.messages.text import json_text
from bcs_template_set.report.version_diff import (
    LIVE,
    FileDifference,
    State,
    difference_document,
    difference_lines,
    differences,
    live_differences,
    state_at,
    to_read,
)
from bcs_template_set.rollout.read_status import look_at_versions


def look_at_difference(
    folder: Folder, *, versions: tuple[str, str], as_json: bool, language: Language
) -> Iterable[str]:
    """Return the lines that say in what the versions differ."""
    before, after = versions
    histories = _histories(folder, versions)
    if LIVE in versions:
        found = [*_with_live(folder, histories, versions)]
    else:
        old, new = (_state(folder, histories, name) for name in versions)
        ids, project = to_read(old, new), folder.settings.project_code
        read = read_versions(folder.reader, project, ids, concurrency=folder.concurrency)
        contents = {version_id: version.content for version_id, version in read.items()}
        found = [*differences(old, new, contents)]
    if as_json:
        document = difference_document(found, before=before, after=after, language=language)
        return [json_text(document)]
    return difference_lines(found, language=language)


def _histories(folder: Folder, versions: Iterable[str]) -> SpaceHistories:
    """Return the versions of the folder's files.

    Those that are not asked for are read only if no other has a version of these names.
    """
    found = _histories_of(folder, folder.files)
    known = {LIVE, *(ref.name for refs in found.values() for ref in refs)}
    return found if known.issuperset(versions) else {**found, **_histories_of(folder, folder.others)}


def _histories_of(folder: Folder, files: Sequence[TemplateFile]) -> SpaceHistories:
    project = folder.settings.project_code
    found, _ = list_histories(folder.reader, project, folder.space, files, concurrency=folder.concurrency)
    return {name: refs or () for name, refs in found.items()}


def _state(folder: Folder, histories: SpaceHistories, name: str) -> State:
    """Return of each file the version that a version's name stands for.

    Raises:
        InputsInvalid: no file has a version of that name.
    """
    pattern = build_pattern(folder.settings.version)

    def branch_of(version: str) -> str:
        found = pattern.fullmatch(version) if pattern is not None else None
        return (found.groupdict().get("branch") or "") if found is not None else ""

    state = state_at(histories, name, branch_of=branch_of)
    if state is None:
        known = {ref.name for refs in histories.values() for ref in refs}
        mistake = with_nearest(say("diff.no_version", name=name), name, known)
        raise InputsInvalid(details=[mistake]).with_cure(say("local.cure_arguments"))
    return {file.real_name: state.get(file.real_name) for file in folder.files}


def _with_live(
    folder: Folder, histories: SpaceHistories, versions: tuple[str, str]
) -> Iterator[FileDifference]:
    """Yield in what a version of each file differs from what is live of it.

    Raises:
        InputsInvalid: no version is named, or no namespace.
    """
    names = [name for name in versions if name != LIVE]
    if not names:
        raise InputsInvalid(details=[say("diff.both_live")]).with_cure(say("local.cure_arguments"))
    state = _state(folder, histories, names[0])
    wanted = {name: ref.name for name, ref in state.items() if ref is not None}
    seen = look_at_versions(
        folder.reader,
        folder.target,
        folder.files,
        histories,
        wanted=[*wanted.items()],
        concurrency=folder.concurrency,
    )
    return live_differences(
        [file.real_name for file in folder.files], wanted, seen, to_live=versions[1] == LIVE
    )
