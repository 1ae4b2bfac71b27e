"""Where a template is: frames and tracebacks of the code Jinja makes of it -> its name and line.

Asking costs the same wherever the template is: Python and Jinja both read a table from its beginning to the
line, and of thousands of missing names each would ask.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from types import CodeType, FrameType, TracebackType
from typing import Optional, Protocol

TemplateLine = tuple[str, int]


def template_line(frame: Optional[FrameType]) -> Optional[TemplateLine]:
    """Return the template and line that a frame, or the nearest one below it, is at."""
    while frame is not None:
        found = _lines_of(frame)
        if found is not None:
            return found.name, found.line_of(found.python_line(frame))
        frame = frame.f_back
    return None


def place_in(traceback: Optional[TracebackType]) -> Optional[TemplateLine]:
    """Return the innermost template and line of a traceback."""
    place = None
    while traceback is not None:
        found = _lines_of(traceback.tb_frame)
        if found is not None:
            place = found.name, found.line_of(traceback.tb_lineno)
        traceback = traceback.tb_next
    return place


class _Template(Protocol):
    """What is asked of one of Jinja's templates."""

    @property
    def name(self) -> Optional[str]: ...
    @property
    def debug_info(self) -> list[tuple[int, int]]: ...


class _Lines:
    """Where the lines of one template begin, in the lines of its code, and these in its instructions."""

    def __init__(self, template: _Template) -> None:
        self.name = str(template.name)
        pairs = template.debug_info
        self._ours, self._theirs = [ours for _, ours in pairs], [theirs for theirs, _ in pairs]
        self._starts: dict[int, tuple[CodeType, list[int], list[int]]] = {}

    def line_of(self, line: int) -> int:
        """Return the template's line for one of its code."""
        at = bisect_right(self._ours, line) - 1
        return self._theirs[at] if at >= 0 else 1

    def python_line(self, frame: FrameType) -> int:
        """Return the line that a frame is at, as its `f_lineno`."""
        known = self._starts.get(id(frame.f_code))
        if known is None:
            from dis import findlinestarts  # noqa: PLC0415 - only mistakes need it, and start-up is counted

            pairs = [(offset, line) for offset, line in findlinestarts(frame.f_code) if line]
            known = (frame.f_code, [offset for offset, _ in pairs], [line for _, line in pairs])
            self._starts[id(frame.f_code)] = known  # beside its code, whose identity no other gets so long
        _, offsets, lines = known
        return lines[bisect_right(offsets, frame.f_lasti) - 1]


def _lines_of(frame: FrameType) -> Optional[_Lines]:
    # Jinja puts the template among the globals of the code it generates.
    template = frame.f_globals.get("__jinja_template__")
    return None if template is None else _lines_of_template(template)


@lru_cache(maxsize=8)
def _lines_of_template(template: _Template) -> _Lines:
    return _Lines(template)
