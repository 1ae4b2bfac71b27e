"""Which known word is taken for the one that was meant, and where none is looked for."""

from __future__ import annotations

import pytest

from bcs_template_set.messages import say
from bcs_template_set.messages.spelling import NearNames, near_name, nearest, not_known, with_nearest

MISTAKE = say("agent.file_missing")


@pytest.mark.parametrize(
    ("word", "known", "found"),
    [
        ("Regoin", ["region", "reason"], "region"),
        ("tsl", ["tls"], "tls"),
        ("version", ["region"], None),
        ("w" * 79 + "x", ["w" * 80], "w" * 80),
        ("w" * 80 + "x", ["w" * 80], None),
        ("w" * 80, ["w" * 81], None),
        ("tsl", ["tls", *map(str, range(499))], "tls"),
        ("tsl", ["tls", *map(str, range(500))], None),
    ],
)
def test_the_nearest_word_is_found_unless_words_are_too_long_or_too_many(
    word: str, known: list[str], found: str | None
) -> None:
    assert nearest(word, known) == found
    near = say("settings.unknown_near", path="a", near=found)
    assert not_known(MISTAKE, word, known, path="a") == (MISTAKE if found is None else near)
    meant = say("settings.did_you_mean", mistake=MISTAKE, near=found)
    assert with_nearest(MISTAKE, word, known) == (MISTAKE if found is None else meant)
    told = near_name("settings.unknown_near", word, known)
    assert told == ([] if found is None else [say("settings.unknown_near", near=found)])


@pytest.mark.parametrize(
    ("names", "name", "meant"),
    [(["db", "123"], "app-web", None), (["123"], "app", None), (["app", "db"], "app-web", "app")],
)
def test_of_an_own_name_a_word_may_be_too_many_and_not_all(
    names: list[str], name: str, meant: str | None
) -> None:
    assert NearNames(names).meant_by(name, is_own=True) == meant


@pytest.mark.parametrize(("length", "is_found"), [(80, True), (81, False)])
def test_a_letter_is_looked_for_in_words_that_are_not_too_long(length: int, *, is_found: bool) -> None:
    name = "w" * (length - 1) + "x"
    assert NearNames([name]).meant_by("w" * length) == (name if is_found else None)
