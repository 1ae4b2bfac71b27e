"""The log: lines on stdout that BK-CI folds and colours, of which none is a command by accident.

Everything goes through `log_text` and the masker; nothing here raises for the text it is given or for a
stdout that is closed, full or too poor in characters: the run goes on and writes its `output.json`.

As `atom_sdk.log` the module itself also answers to the documented names of `python_atom_sdk.log` (debug,
info, warning, error, command, group_start, group_end), on the process's stdout; the step makes its own `Log`.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Optional, TextIO, Union

from bcs_template_set.atom_sdk.log_text import lines_of, safe_lines
from bcs_template_set.atom_sdk.masking import Masker
from bcs_template_set.messages import Language, Text, language_of, say
from bcs_template_set.secret import Secret

Words = Union[Text, str]

_DOCUMENTED = ("debug", "info", "warning", "error", "command", "group_start", "group_end")


class Log:
    """Prints lines for BK-CI. Safe to use from several threads; one group is open at a time.

    `stream` may be None, as `sys.stdout` is where there is none. `language` may change when the agent has
    said which one its reader has.
    """

    def __init__(
        self, stream: Optional[TextIO], language: Language, *, masker: Optional[Masker] = None
    ) -> None:
        self.language: Language = language
        self._stream = stream
        self.masker = masker if masker is not None else Masker()
        self._group_open = False
        # A signal handler may log while its own thread is in here.
        self._lock = threading.RLock()

    def mask(self, secret: Secret) -> None:
        """Show this secret as `***` from now on, in whatever form it comes."""
        self.masker.add(secret)

    def plain(self, words: Words) -> None:
        """Print lines without a marker, such as a table."""
        self._print(words)

    def info(self, words: Words) -> None:
        """Print lines marked as information."""
        self._print(words, marker="##[info]")

    def debug(self, words: Words) -> None:
        """Print lines for whoever looks for a fault."""
        self._print(words, marker="##[debug]")

    def warning(self, words: Words) -> None:
        """Print lines marked as a warning."""
        self._print(words, marker="##[warning]")

    def error(self, words: Words) -> None:
        """Print lines marked as an error, outside any group: inside, nobody would see them."""
        with self._lock:
            self.group_end()
            self._print(words, marker="##[error]")

    def command(self, words: Words) -> None:
        """Print a command line that was, or could be, run."""
        self._print(words, marker="##[command]")

    def foreign(self, words: Words) -> None:
        """Print what somebody else wrote, each line with `| ` before it."""
        self._print(words, foreign=True)

    def group_start(self, title: Words) -> None:
        """Begin a group that BK-CI folds; ends the one before, since groups do not nest."""
        with self._lock:
            self.group_end()
            self._print(" ".join(lines_of(self._masked(title))), marker="##[group]")
            self._group_open = True

    def group_end(self) -> None:
        """End the group, if one is open."""
        with self._lock:
            if self._group_open:
                self._group_open = False
                self._write("##[endgroup]")

    @contextmanager
    def group(self, title: Words) -> Iterator[None]:
        """Fold what is printed inside."""
        self.group_start(title)
        try:
            yield
        finally:
            self.group_end()

    def _print(self, words: Words, *, marker: str = "", foreign: bool = False) -> None:
        note = say("agent.line_cut").render(self.language)
        text = self._masked(words)
        with self._lock:
            for line in safe_lines(text, cut_note=note, prefix=marker, foreign=foreign):
                self._write(line)

    def _masked(self, words: Words) -> str:
        return self.masker.mask(words.render(self.language) if isinstance(words, Text) else words)

    def _write(self, line: str) -> None:
        stream = self._stream
        if stream is None:
            return
        try:
            stream.write(_encodable(line, stream) + "\n")
            stream.flush()
        except (OSError, ValueError):  # ValueError: I/O operation on a closed file
            self._stream = None
            _discard_rest(stream)


@functools.cache
def standard_log() -> Log:
    """Return the log on this process's stdout, for atoms written to the SDK's contract."""
    return Log(sys.stdout, language_of(os.environ.get("BK_CI_LOCALE_LANGUAGE")))


if not TYPE_CHECKING:  # a type checker would take every misspelt import for one of these

    def __getattr__(name: str) -> Callable[[Words], None]:
        if name in _DOCUMENTED:
            return getattr(standard_log(), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _encodable(line: str, stream: TextIO) -> str:
    """Return the line in characters that the stream can write, the others as escapes."""
    encoding = stream.encoding or "utf-8"
    return line.encode(encoding, "backslashreplace").decode(encoding)


def _discard_rest(stream: TextIO) -> None:
    """Let what the stream still holds go nowhere.

    Otherwise the interpreter flushes it once more at exit, fails, and turns exit status 0 into 120.
    """
    try:
        descriptor = stream.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
    except (OSError, ValueError):
        return
    try:
        os.dup2(nowhere, descriptor)
    finally:
        os.close(nowhere)
