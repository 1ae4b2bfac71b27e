"""A sample of what `python -m tests.fuzz` does to the parsers for minutes; a failure names its seed."""

from __future__ import annotations

import os

import pytest

from tests.fuzz.attack import attack, tried
from tests.fuzz.mutations import mutated_json, mutated_text, seeded
from tests.fuzz.profile import EFFORT
from tests.fuzz.seeds import VALUES, VALUES_TEXT
from tests.fuzz.targets import TARGETS, Target

SEED = int(os.environ.get("FUZZ_SEED", "20260101"))
CASES = 500


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_any_bytes_are_read_or_refused_in_words_of_ours(target: Target) -> None:
    found = [broken for broken in attack(target, seed=SEED, cases=int(CASES * EFFORT)) if broken]
    for broken in found[:1]:
        raise AssertionError(f"seed {SEED}, {target.name} eats {broken.content!r}") from broken.error


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_what_once_broke_a_parser_breaks_it_no_more(target: Target) -> None:
    assert [tried(target, content) for content in (*target.seeds, *target.kept())] == [None] * (
        len(target.seeds) + len(target.kept())
    )


def test_an_attack_finds_what_is_to_be_found() -> None:
    """A target with a fault in it is broken, and by the same input for the same seed."""

    def eat(content: bytes) -> None:
        if b"\0" in content:
            raise ValueError("NUL")

    target = Target("faulty", (VALUES_TEXT.encode(),), eat)
    first, second = (
        [found.content for found in attack(target, seed=1, cases=300) if found] for _ in range(2)
    )
    assert first == second
    assert first


def test_a_mutation_leaves_what_it_is_made_from() -> None:
    assert mutated_json(dict(VALUES), seeded(1)) != VALUES
    assert mutated_text(VALUES_TEXT, seeded(1)) != VALUES_TEXT
