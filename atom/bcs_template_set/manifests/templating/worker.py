"""The child's side of rendering: reads templates and writes what they come to, a JSON object a line.

Started by `worker_process`, which says what goes over the line. It ends when its parent does: a thread sees
the end of stdin while the main one renders.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from types import FrameType
from typing import BinaryIO, Callable, Optional, Union, cast

from bcs_template_set.manifests.templating.bcs_places import Marks
from bcs_template_set.manifests.templating.limits import (
    Limits,
    confine,
    end_this,
    leave_room_to_speak,
    when_over,
)
from bcs_template_set.manifests.templating.template_lines import TemplateLine, place_in, template_line
from bcs_template_set.manifests.templating.template_notes import Notes, exceeded
from bcs_template_set.manifests.templating.templates import Templates
from bcs_template_set.manifests.templating.workspace_files import Workspace, no_files
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import LimitExceeded

Json = Union[None, str, int, float, list["Json"], dict[str, "Json"]]


class TimeOver(BaseException):
    """The time is over; `place` is where the templates are. No `except Exception` catches it."""

    def __init__(self, place: Optional[TemplateLine]) -> None:
        self.place = place


class Worker:
    """Renders what it is sent. The version's templates know the context only, and include nothing."""

    def __init__(self, start: Mapping[str, Json]) -> None:
        """Take the first line: names, context, workspace, stem of the marks, and limits."""
        self._limits = Limits(**cast("dict[str, int]", start["limits"]))
        confine(self._limits)
        stem = str(start["stem"])
        context = cast("dict[str, object]", start["context"])
        names: dict[str, object] = {**cast("dict[str, object]", start["values"]), **context}
        self._read_text = Workspace(Path(str(start["workspace"]))).read_text
        self._sets = {
            False: _Set(names, stem, read_text=self._read_text),
            True: _Set(context, stem, read_text=no_files),
        }

    def answer(self, request: Mapping[str, Json]) -> dict[str, Json]:
        """Return the answer to a request."""
        name, of = str(request["name"]), self._sets[bool(request["is_version"])]
        noted = of.notes.count()
        try:
            text = of.templates.render(str(request["source"]), name=name)
        except LimitExceeded as exc:
            return {"limit": [_plain(exc.fields["what"]), _plain(exc.fields["limit"])]}
        except MemoryError as exc:
            leave_room_to_speak()
            limit = say("render.mebibytes", number=self._limits.mebibytes)
            return self._over("limit_memory", limit, place_in(exc.__traceback__), name=name)
        except TimeOver as exc:
            limit = say("render.seconds", number=self._limits.seconds)
            return self._over("limit_time", limit, exc.place, name=name)
        notes: list[Json] = [[*key, _plain(note)] for key, note in of.notes.since(noted)]
        left_out: list[Json] = [list(place) for place in of.notes.left_out]
        of.notes.left_out.clear()
        return {"text": text, "variables": [*of.marks.names], "notes": notes, "left_out": left_out}

    def _over(self, what: str, limit: Text, place: Optional[TemplateLine], *, name: str) -> dict[str, Json]:
        fields = exceeded(what, limit=limit, place=place, template=name).fields
        return {"limit": [_plain(fields["what"]), _plain(fields["limit"])]}


class _Set:
    """Templates that share names, notes and marks."""

    def __init__(self, names: Mapping[str, object], stem: str, *, read_text: Callable[[str], str]) -> None:
        self.notes, self.marks = Notes(names), Marks(stem)
        self.templates = Templates(names, notes=self.notes, marks=self.marks, read_text=read_text)


def _plain(value: object) -> Json:
    """Return a sentence, or a field of one, as JSON."""
    if isinstance(value, Text):
        return {"key": value.key, "fields": {name: _plain(field) for name, field in value.fields.items()}}
    return cast("Json", value)


def _requests(stdin: BinaryIO) -> Iterator[dict[str, Json]]:
    """Yield the lines of stdin, as they come; after the last one, whatever is under way is left.

    So is what has not begun: who waits for an answer keeps stdin open.
    """
    lines: SimpleQueue[bytes] = SimpleQueue()

    def read() -> None:
        for line in stdin:
            lines.put(line)
        end_this()
        lines.put(b"")  # the main thread, which may wait for a line, hears of the end when it goes on

    Thread(target=read, daemon=True).start()
    for line in iter(lines.get, b""):
        yield cast("dict[str, Json]", json.loads(line))


def _stop(frame: Optional[FrameType]) -> None:
    raise TimeOver(template_line(frame))


def serve(stdin: BinaryIO, stdout: BinaryIO) -> None:
    """Answer every request until there are no more, or nobody is there to hear the answer."""
    when_over(_stop)
    with suppress(TimeOver, OSError):
        requests = _requests(stdin)
        for worker in map(Worker, requests):  # of the first line; the others are for it
            for request in requests:
                stdout.write(json.dumps(worker.answer(request)).encode() + b"\n")
                stdout.flush()


def main() -> None:
    """Serve the parent; a child has nothing else to do."""
    serve(sys.stdin.buffer, sys.stdout.buffer)
