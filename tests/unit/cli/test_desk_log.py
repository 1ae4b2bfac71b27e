"""The log at a desk: for a person, on a terminal or through a pipe."""

from __future__ import annotations

import io
from typing import Optional

import pytest

from bcs_template_set.agent.masker import Masker
from bcs_template_set.cli.desk_log import GREEN, DeskLog, painted_mark


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def told(stream: io.StringIO, *, full: bool = True, environ: Optional[dict[str, str]] = None) -> str:
    log = DeskLog(stream, "en_US", masker=Masker(), environ=environ or {}, full=full)
    log.info("header")
    log.group_start("differences (2)")
    log.foreign("- a")
    log.group_end()
    log.warning("careful")
    log.error("wrong")
    log.plain("row")
    return stream.getvalue()


def test_through_a_pipe_there_are_neither_marks_nor_colours() -> None:
    assert told(io.StringIO()) == "header\ndifferences (2)\n| - a\ncareful\nwrong\nrow\n"


def test_what_a_worker_folds_is_left_out_unless_it_is_asked_for() -> None:
    assert told(io.StringIO(), full=False) == "header\ncareful\nwrong\nrow\n"


def test_on_a_terminal_warnings_and_errors_have_a_colour() -> None:
    shown = told(Terminal())
    assert "\033[33mcareful\033[0m\n\033[31mwrong\033[0m\nrow\n" in shown
    assert shown.startswith("header\n")


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_who_wants_no_colours_gets_none(environ: dict[str, str]) -> None:
    assert "\033" not in told(Terminal(), environ=environ)


def test_a_mark_alone_is_painted() -> None:
    assert painted_mark("✓ user", {"✓": GREEN}) == "\033[32m✓\033[0m user"
    assert painted_mark("– user", {"✓": GREEN}) == "– user"
