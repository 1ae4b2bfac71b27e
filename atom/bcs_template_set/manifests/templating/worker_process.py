"""Renders templates that are not our own in a child process, and ends it: the parent's side of `worker`.

The child is started at the first of them. It gets the modules' path of this process and of its environment
what it was given, but no open file and no variable of a pipeline. Over its stdin and stdout goes a JSON
object a line: names and limits first, then a template and what it comes to, again and again.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import field
from importlib import import_module
from pathlib import Path
from threading import Timer
from typing import IO, Callable, Optional, Union, cast

from bcs_template_set.manifests.templating.bcs_places import Marks, Settled, stem_of
from bcs_template_set.manifests.templating.build_context import BuildContext, known_names
from bcs_template_set.manifests.templating.limits import Limits, hurry
from bcs_template_set.manifests.templating.template_notes import LeftOut, MistakeKind, Notes, exceeded
from bcs_template_set.manifests.templating.values import Values
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import LimitExceeded
from bcs_template_set.messages.server_errors import OutOfTime
from bcs_template_set.records.declared import Record, fresh
from bcs_template_set.records.decoding import convert
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.system.clock import Clock, Deadline

_PROGRAM = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
    "from bcs_template_set import take; take(); "
    "from bcs_template_set.manifests.templating.worker import main; main()"
)
_ENVIRONMENT = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "LANG", "TMPDIR", "TEMP")
GRACE = 2.0
"""Seconds that a child has to say what it was at, or to go by itself, before it is killed."""

LONGEST_ANSWER = 64 * 2**20
"""Bytes; a text has 2 MiB, and each word of it may be a mistake."""


def child_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what of an environment a child gets: what starts Python, and no variable of a pipeline."""
    return {
        name: value
        for name, value in environ.items()
        if name.upper() in _ENVIRONMENT or name.startswith("LC_")
    }


@dataclass(frozen=True)
class TemplateRun:
    """What the templates of a run may know and take. `environ` is the child's, whole."""

    workspace: Path
    values: Values
    context: BuildContext
    clock: Clock
    deadline: Optional[Deadline] = None
    limits: Limits = field(default_factory=Limits)
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def names(self) -> dict[str, object]:
        """Return all names."""
        return {**self.values, **known_names(self.context)}


class _Said(Record):
    """A sentence of the catalogue, as the child says it."""

    key: str
    fields: dict[str, _Field]


_Field = Union[str, int, float, _Said, list[str]]
_Note = tuple[MistakeKind, str, int, str, _Said]


class _Answer(Record, is_closed=True):
    """What a child answers: a text with marks and the variables they stand for, or mistakes, or an error."""

    text: Optional[str] = None
    variables: list[str] = fresh(factory=list)
    notes: list[_Note] = fresh(factory=list)
    limit: Optional[tuple[_Said, _Field]] = None
    left_out: list[LeftOut] = fresh(factory=list)


class TemplateProcess:
    """The child, from the first template on; and the time that all rendering has, from now on."""

    def __init__(self, run: TemplateRun) -> None:
        self.run = run
        self._deadline = run.deadline or Deadline(run.clock, seconds=None)
        self._rendering = Deadline(run.clock, seconds=run.limits.seconds)
        self._child: Optional[_Child] = None
        self.stem = stem_of(run.names)

    def close(self) -> None:
        """End the child, if there is one."""
        if self._child is not None:
            self._child.end()
            self._child = None

    def check_time(self, template: str) -> None:
        """Stop where the time of all rendering, or of the run, is used up.

        Raises:
            LimitExceeded: it is the rendering's.
            OutOfTime: it is the run's.
        """
        if self._deadline.passed():
            raise OutOfTime(seconds=self._deadline.whole_seconds)
        if self._rendering.passed():
            raise self._out_of_time(template)

    def render(self, source: str, *, name: str, notes: Notes, is_version: bool = False) -> Optional[Settled]:
        """Return what a template comes to in the child, or None where it has mistakes, which are noted.

        A child that has ended, has said what is no answer or has met a limit is not asked again: the next
        template gets another one.

        Raises:
            LimitExceeded: as the child said.
            OutOfTime: the run's time is over.
        """
        child = self._child = self._child or self._start()
        line = child.ask({"name": name, "source": source, "is_version": is_version})
        if self._deadline.passed():
            raise OutOfTime(seconds=self._deadline.whole_seconds)
        try:
            answer = convert(json.loads(line), _Answer)
            self._take_mistakes(answer, notes)
        except (ValueError, KeyError):
            self._note_end(child, name, notes)
            return None
        except LimitExceeded:
            self.close()
            raise
        if answer.text is None:
            return None
        settled = Marks(self.stem, answer.variables).settled(answer.text)
        return settled._replace(left_out=tuple(answer.left_out))

    def _start(self) -> _Child:
        run = self.run
        child = _Child(run.environ, seconds=min(self._deadline.remaining(), self._rendering.remaining()))
        start = {
            "limits": run.limits._asdict(),
            "stem": self.stem,
            "workspace": str(run.workspace.absolute()),
            "values": run.values,
            "context": known_names(run.context),
        }
        child.send(start)
        return child

    def _take_mistakes(self, answer: _Answer, notes: Notes) -> None:
        if answer.limit is not None:
            subject, most = answer.limit
            raise LimitExceeded(what=_text(subject), limit=_said(most))
        for kind, template, line, what, note in answer.notes:
            notes.add((kind, template, line, what), _text(note))

    def _note_end(self, child: _Child, name: str, notes: Notes) -> None:
        """Note that the child has said nothing, or nonsense.

        Raises:
            InstallationDamaged: it could not even start, for what it imports is.
        """
        status, is_late = child.kill()
        self.close()
        if is_late:
            raise self._out_of_time(name)
        import_module("bcs_template_set.manifests.templating.worker")
        notes.add(("failed", name, 0, "ended"), say("render.process_ended", status=status))

    def _out_of_time(self, name: str) -> LimitExceeded:
        limit = say("render.seconds", number=self.run.limits.seconds)
        return exceeded("limit_time", limit=limit, template=name)


class _Child:
    """The process itself. After its seconds it is told that its time is over, and killed soon after."""

    def __init__(self, environ: Mapping[str, str], *, seconds: float) -> None:
        import subprocess  # noqa: PLC0415 - only templates of one's own need a child, and start-up is counted

        options = ["-X", "utf8"] if sys.flags.utf8_mode else []
        path = json.dumps([entry for entry in sys.path if entry])
        self._process = subprocess.Popen(  # noqa: S603 - our own module, in the interpreter that runs this
            [sys.executable, "-I", *options, "-c", _PROGRAM, path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(environ),
        )
        self._stdin: IO[bytes] = cast("IO[bytes]", self._process.stdin)
        self._stdout: IO[bytes] = cast("IO[bytes]", self._process.stdout)
        self._timers: list[Timer] = []
        self._is_late = self._is_asked = False
        self._after(seconds, self._hurry)

    def send(self, message: Mapping[str, object]) -> None:
        """Write a line; where the child has ended, its answer will say so."""
        with suppress(OSError):
            self._stdin.write(json.dumps(message).encode() + b"\n")
            self._stdin.flush()

    def ask(self, message: Mapping[str, object]) -> bytes:
        """Return the line that answers this one; less than a line where the child has ended."""
        self._is_asked = True
        self.send(message)
        answer = self._stdout.readline(LONGEST_ANSWER)
        self._is_asked = False
        return answer

    def kill(self) -> tuple[int, bool]:
        """End it at once; return its status, and whether its time was over."""
        self._process.kill()
        return self._process.wait(), self._is_late

    def end(self) -> None:
        """Let it end by itself, or at once where it still renders."""
        if self._is_asked:
            self._process.kill()
        else:
            self._after(GRACE, self._process.kill)
        for stream in (self._stdout, self._stdin):
            with suppress(OSError):  # what is still to be written goes nowhere
                stream.close()
        self._process.wait()
        for timer in self._timers:
            timer.cancel()

    def _hurry(self) -> None:
        self._is_late = True
        hurry(self._process.send_signal, kill=self._process.kill)
        self._after(GRACE, self._process.kill)

    def _after(self, seconds: float, call: Callable[[], None]) -> None:
        timer = Timer(seconds, call)
        timer.daemon = True
        timer.start()
        self._timers.append(timer)


def _text(said: _Said) -> Text:
    """Return a sentence that the child has said.

    Raises:
        KeyError: the catalogue has no such sentence, or it needs other fields.
    """
    text = Text(said.key, {name: _said(field) for name, field in said.fields.items()})
    text.render("en_US")
    return text


def _said(field: _Field) -> object:
    return _text(field) if isinstance(field, _Said) else field
