"""The log at a desk: no marks for a worker, colours on a terminal, and nothing of what a worker folds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional, TextIO

from bcs_template_set.agent.log import Log
from bcs_template_set.agent.masker import Masker
from bcs_template_set.messages import Language
from bcs_template_set.run.run_progress import Audience, audience_of

RED, GREEN, YELLOW = "31", "32", "33"
_GROUP, _END = "##[group]", "##[endgroup]"
_COLOURS = {"##[error]": RED, "##[warning]": YELLOW, "##[info]": ""}


def audience_at_desk(stream: Optional[TextIO], environ: Mapping[str, str]) -> Audience:
    """Return who looks: whatever else the environment says, no worker reads this."""
    return audience_of({"TERM": environ.get("TERM", "")}, stream)


def has_colours(stream: Optional[TextIO], environ: Mapping[str, str]) -> bool:
    """Tell whether a stream is a terminal that may be coloured (no-color.org)."""
    return not environ.get("NO_COLOR") and audience_at_desk(stream, environ) == "terminal"


def painted(text: str, colour: str) -> str:
    """Return a text in a colour of the terminal, "" for its own."""
    return f"\033[{colour}m{text}\033[0m" if colour else text


def painted_mark(line: str, colours: Mapping[str, str]) -> str:
    """Return a line with its first character in the colour that these give it."""
    return painted(line[:1], colours.get(line[:1], "")) + line[1:]


class DeskLog(Log):
    """Prints for a person; with `full` also what a worker would fold."""

    def __init__(
        self,
        stream: Optional[TextIO],
        language: Language,
        *,
        masker: Masker,
        environ: Mapping[str, str],
        full: bool,
    ) -> None:
        super().__init__(stream, language, masker=masker)
        self._coloured = has_colours(stream, environ)
        self._full = full
        self._folded = False

    def defect(self, error: BaseException) -> None:
        """Print nothing: the error says its kind and place, and who sits here mends no step."""

    def _write(self, line: str) -> None:
        if line == _END:
            self._folded = False
        elif line.startswith(_GROUP):
            self._folded = not self._full
            self._show(line[len(_GROUP) :])
        else:
            self._show(line)

    def _show(self, line: str) -> None:
        mark = next((mark for mark in _COLOURS if line.startswith(mark)), "")
        text = line[len(mark) :]
        if not self._folded:
            super()._write(painted(text, _COLOURS.get(mark, "")) if self._coloured else text)
