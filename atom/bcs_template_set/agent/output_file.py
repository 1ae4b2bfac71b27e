"""Writes `output.json`, the file that decides how the step ended. What it writes is always valid.

Performs I/O: writes the one file, whole or not at all. It may be written any number of times, also from
the main thread after a signal handler has raised in the middle of an earlier write.
"""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, Optional, TypedDict, Union

from bcs_template_set.agent.agent_files import FileProblem, data_directory, read_object, reason_of
from bcs_template_set.messages import Language, say
from bcs_template_set.messages.errors import WorkspaceUnwritable
from bcs_template_set.messages.state_words import OUR_WORDS
from bcs_template_set.messages.step_error import Defect, StepError

Status = Literal["success", "failure", "error"]

_NO_PATH = ",*?[]{}\\"
_HALF_A_MASK = re.compile(r"(?<!\*)\*{1,2}$")
_SENTENCE = re.compile(r"[.!?](?= )|[。！？\n]")
STATUSES: tuple[Status, ...] = ("success", "failure", "error")

MOST_STRING_UNITS = 4000
"""UTF-16 units of a string output; the worker drops a longer one (facts/agent.md, "output.json")."""

MOST_MESSAGE_UNITS = 3800
"""UTF-16 units of the message. The worker puts status, type and code before it, and cuts at 4,000 units
(`PIPELINE_TASK_MESSAGE_STRING_LENGTH_MAX` of bk-ci), wherever that is."""


class StringField(TypedDict):
    """An output variable."""

    type: Literal["string"]
    value: str


class ArtifactField(TypedDict):
    """Files to keep with the build, by absolute path."""

    type: Literal["artifact"]
    value: list[str]


class ReportField(TypedDict):
    """A page to show with the build: `path` is a directory of the workspace, `target` a file in it."""

    type: Literal["report"]
    reportType: Literal["INTERNAL"]
    label: str
    path: str
    target: str


OutputField = Union[StringField, ArtifactField, ReportField]


class _Always(TypedDict):
    status: Status
    message: str
    type: Literal["default"]
    data: dict[str, OutputField]


class OutputDocument(_Always, total=False):
    """What `output.json` holds; the two error fields only where the step did not succeed."""

    errorType: int
    errorCode: int


def string_field(value: str) -> StringField:
    """Return an output variable."""
    return {"type": "string", "value": value}


def artifact_field(paths: Sequence[str]) -> ArtifactField:
    """Return files to keep."""
    return {"type": "artifact", "value": list(paths)}


def report_field(*, label: str, path: str, target: str = "index.html") -> ReportField:
    """Return a page to show; `path` is relative to the workspace."""
    return {"type": "report", "reportType": "INTERNAL", "label": label, "path": path, "target": target}


def success(message: str, data: Mapping[str, OutputField]) -> OutputDocument:
    """Return the output of a step that did what it should."""
    return {"status": "success", "message": message, "type": "default", "data": dict(data)}


def failure(
    error: StepError, data: Mapping[str, OutputField], *, language: Language, message: str = ""
) -> OutputDocument:
    """Return the output of a step that did not; `message` is the error's title and cure unless given."""
    told = message or f"{error.title().render(language)} {error.cure().render(language)}"
    return _failed(told, data, error_type=error.error_type, error_code=error.code)


def pessimistic(language: Language) -> OutputDocument:
    """Return what stands in the file until the step knows better: it ended without a word.

    Its code is the `Defect`'s, errorType 3. Without a file the worker blames the user; but nobody knows
    who is to blame where a process was killed, and saying how it ended is this step's own duty on every
    way out. `Interrupted` is kept for the stops that the step did notice.
    """
    died = say("agent.died").render(language)
    return _failed(died, {}, error_type=Defect.error_type, error_code=Defect.code)


def _failed(
    message: str, data: Mapping[str, OutputField], *, error_type: int, error_code: int
) -> OutputDocument:
    """Return an output that failed.

    A mistake of the user and a fault of a third party are a "failure", a defect of the step an "error": the
    worker (MarketAtomTask.kt, 2026-08) fails the step on both alike, and takes the blame from `errorType`,
    but shows the word to the person who reads.
    """
    return {
        "status": "error" if error_type == Defect.error_type else "failure",
        "message": message,
        "errorType": error_type,
        "errorCode": error_code,
        "type": "default",
        "data": dict(data),
    }


class OutputFile:
    """Writes the output file of one run: into a file beside it, which then takes its place.

    `mask` takes secrets out of message and values, where a server's words may have brought them.
    `replace` and `sync` are `os.replace` and `os.fsync` but for tests.
    """

    def __init__(
        self,
        path: Path,
        *,
        mask: Callable[[str], str] = str,
        replace: Callable[[Path, Path], None] = os.replace,
        sync: Callable[[int], None] = os.fsync,
    ) -> None:
        self.path = path
        self._mask = mask
        self._replace = replace
        self._sync = sync
        self._numbers = itertools.count()

    def write(self, document: OutputDocument) -> None:
        """Write a document, made valid by `valid_document`.

        Raises:
            WorkspaceUnwritable: the disk is full or the place not writable; what stood there still stands.
        """
        content = json.dumps(valid_document(document, mask=self._mask), ensure_ascii=True).encode("ascii")
        # A number of its own: an interrupted write may have left its file behind.
        beside = self.path.with_name(f".{self.path.name}.{os.getpid()}.{next(self._numbers)}")
        try:
            try:
                self._put(beside, content)
                self._replace(beside, self.path)
            finally:
                beside.unlink(missing_ok=True)
        except (OSError, ValueError) as exc:
            raise WorkspaceUnwritable(file=str(self.path), problem=reason_of(exc)) from exc

    def stands(self) -> bool:
        """Tell whether the file holds a result that the platform can read."""
        try:
            return read_object(self.path).get("status") in STATUSES
        except FileProblem:
            return False

    def _put(self, path: Path, content: bytes) -> None:
        path.unlink(missing_ok=True)
        with path.open("xb") as file:  # made here, so that nobody's link is written through
            file.write(content)
            file.flush()
            self._sync(file.fileno())


def output_path(environ: Mapping[str, str]) -> Path:
    """Return where the agent expects the output: `bk_data_output` in `bk_data_dir`."""
    return data_directory(environ) / (environ.get("bk_data_output") or "output.json")


def valid_document(
    document: OutputDocument,
    *,
    mask: Callable[[str], str] = str,
    exists: Callable[[str], bool] = os.path.exists,
) -> OutputDocument:
    """Return the document as the platform takes it.

    Text that is too long is cut at a character, or, as a message, at the end of a sentence. Left out are
    files that do not exist or that the worker could not find by their path, and a field without a file left.
    Words of our own are not masked where they are a whole value.
    """
    fields = {name: _valid_field(field, mask=mask, exists=exists) for name, field in document["data"].items()}
    return {
        **document,
        "message": _cut_message(mask(_whole(document["message"]))),
        "data": {name: field for name, field in fields.items() if field is not None},
    }


def _valid_field(
    field: OutputField, *, mask: Callable[[str], str], exists: Callable[[str], bool]
) -> Optional[OutputField]:
    if field["type"] == "string":
        value = _whole(field["value"])
        return string_field(value if value in OUR_WORDS else cut_value(mask(value)))
    if field["type"] == "artifact":
        files = [path for path in map(_whole, field["value"]) if can_be_archived(path) and exists(path)]
        return artifact_field(files) if files else None
    return report_field(
        label=_whole(field["label"]), path=_whole(field["path"]), target=_whole(field["target"])
    )


def _whole(value: str) -> str:
    """Return a text without half a character, which would fail in the platform's database."""
    return value.encode("utf-8", "replace").decode("utf-8")


def utf16_units(text: str) -> int:
    """Return a text's length as the platform counts it: a character beyond the first 65,536 is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def within_units(text: str, most: int) -> str:
    """Return the beginning of a whole text that has so many UTF-16 units, without half a character."""
    return text.encode("utf-16-le")[: 2 * most].decode("utf-16-le", "ignore")


def can_be_archived(path: str) -> bool:
    """Tell whether the worker finds a file by its path.

    It splits paths at commas and takes what is left for a pattern (`ArchiveUtils.kt` of bk-ci).
    """
    return not any(character in _NO_PATH for character in path)


def cut_value(text: str) -> str:
    """Return a value as it fits, with a mark where it is cut and without half a character or mask."""
    return _cut(text, MOST_STRING_UNITS)


def _cut_message(text: str) -> str:
    """Return a message that fits: as many whole sentences as there is room for."""
    if utf16_units(text) <= MOST_MESSAGE_UNITS:
        return text
    ends = [found.end() for found in _SENTENCE.finditer(within_units(text, MOST_MESSAGE_UNITS))]
    return text[: ends[-1]].rstrip() if ends else _cut(text, MOST_MESSAGE_UNITS)


def _cut(text: str, most: int) -> str:
    if utf16_units(text) <= most:
        return text
    mark = say("agent.value_cut").render("en_US")
    return _HALF_A_MASK.sub("", within_units(text, most - len(mark))) + mark
