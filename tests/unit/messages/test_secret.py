"""A secret is shown nowhere, whatever is done with the value that holds it."""

from __future__ import annotations

import pickle
from typing import Callable

import pytest

from bcs_template_set.messages.secret import MASK, Secret

CANARY = "canary-5up3r"
MARK = "658cc13d93eb55646fb1f83c0a7a341ab83a06473e1f7494d4815e523deed2a6"
"""Of `words` with it; an older build of the step may have made it."""


@pytest.mark.parametrize("show", [str, repr, "{}".format, "{0!s}".format, "{0!r}".format, lambda s: f"{[s]}"])
def test_no_way_of_making_text_shows_it(show: Callable[[Secret], str]) -> None:
    assert show(Secret(CANARY)).strip("[]") == MASK


def test_a_width_is_that_of_the_mask() -> None:
    assert f"{Secret(CANARY):>20}" == MASK.rjust(20)


def test_two_are_equal_where_what_they_hold_is_and_text_is_no_secret() -> None:
    assert Secret(CANARY) == Secret(CANARY)
    assert Secret(CANARY) != Secret(CANARY + "!")
    assert (Secret(CANARY) == CANARY) is False
    assert len({Secret(CANARY), Secret(CANARY), Secret("")}) == 2


def test_half_a_character_is_compared_like_any_other() -> None:
    assert Secret("\ud800" + CANARY) == Secret("\ud800" + CANARY)
    assert Secret("\ud800" + CANARY) != Secret(CANARY)


def test_a_mark_is_the_same_in_every_run_and_with_every_use() -> None:
    secret = Secret(CANARY)
    marks = [secret.mark(b"words"), secret.mark(b"others"), secret.mark(b"words")]
    assert marks == [MARK, marks[1], MARK]
    assert marks[1] != MARK
    assert Secret(CANARY + "!").mark(b"words") != MARK


def test_an_empty_one_is_false() -> None:
    assert Secret(CANARY)
    assert not Secret("")


def test_it_is_not_pickled() -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(Secret(CANARY))
