"""The log: lines on stdout that BK-CI folds and colours, of which none is a command by accident.

Everything goes through `log_text` and the masker; nothing here raises for the text it is given or for a
stdout that is closed, full or too poor in characters: the run goes on and writes its `output.json`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Optional, TextIO, Union

from bcs_template_set.agent.agent_files import JsonValue
from bcs_template_set.agent.log_text import lines_of, safe_lines
from bcs_template_set.agent.masker import Masker
from bcs_template_set.agent.progress_payload import encoded
from bcs_template_set.messages import Language, Text, say
from bcs_template_set.messages.secret import Secret
from bcs_template_set.messages.step_error import traceback_of
from bcs_template_set.messages.text import width
from bcs_template_set.system.stdout import encodable, put

Words = Union[Text, str]


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
        self._live = ""
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

    def warning(self, words: Words) -> None:
        """Print lines marked as a warning."""
        self._print(words, marker="##[warning]")

    def error(self, words: Words) -> None:
        """Print lines marked as an error, outside any group: inside, nobody would see them."""
        with self._lock:
            self.group_end()
            self._print(words, marker="##[error]")

    def foreign(self, words: Words) -> None:
        """Print what somebody else wrote, each line with `| ` before it."""
        self._print(words, foreign=True)

    def defect(self, error: BaseException) -> None:
        """Print the traceback of what nobody foresaw, for whoever mends the step."""
        self.foreign(traceback_of(error))

    def progress(self, payload: JsonValue) -> None:
        """Tell the worker how far the run is: the one line of ours that is a command to it."""
        self._write("::set-progress-rate " + encoded(masked_strings(payload, self.masker.mask)))

    def live(self, line: str) -> None:
        """Show a line on a terminal in place of the one before; "" takes it away.

        It stays below whatever is printed. `line` must be narrower than the terminal.
        """
        shown = " ".join(lines_of(self._masked(line)))
        with self._lock:
            if self._stream is not None:
                shown = encodable(shown, self._stream)
            self._put(self._erasure() + shown)
            self._live = shown

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

    def _print(self, words: Words, *, marker: str = "", foreign: bool = False) -> None:
        note = say("agent.line_cut").render(self.language)
        text = self._masked(words)
        with self._lock:
            if self._stream is not None:  # before lines are cut: as an escape, a character is longer
                text = encodable(text, self._stream)
            for line in safe_lines(text, cut_note=note, prefix=marker, foreign=foreign):
                self._write(line)

    def _masked(self, words: Words) -> str:
        return self.masker.mask(words.render(self.language) if isinstance(words, Text) else words)

    def _write(self, line: str) -> None:
        with self._lock:
            self._put(f"{self._erasure()}{line}\n{self._live}")

    def _erasure(self) -> str:
        """Return what takes the live line away; spaces, which every terminal understands."""
        return "\r" + " " * width(self._live) + "\r" if self._live else ""

    def _put(self, text: str) -> None:
        if not put(self._stream, text):
            self._stream = None


def masked_strings(value: JsonValue, mask: Callable[[str], str]) -> JsonValue:
    """Return a payload without secrets; masked as JSON it might be JSON no more."""
    if isinstance(value, dict):
        return {name: masked_strings(item, mask) for name, item in value.items()}
    if isinstance(value, list):
        return [masked_strings(item, mask) for item in value]
    return mask(value) if isinstance(value, str) else value
