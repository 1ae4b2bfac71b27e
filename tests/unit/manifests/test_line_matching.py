"""The work of comparing grows as the texts do, and what comes out is a difference all the same."""

from __future__ import annotations

import random
from difflib import unified_diff

import pytest

from bcs_template_set.manifests.document_diff import MOST_LINES, count_lines, unified
from bcs_template_set.manifests.line_matching import WORK_AT_LEAST, BoundedMatcher, changed_hunks
from bcs_template_set.messages.spelling import LONGEST, MOST_KNOWN, nearest


def lines(count: int, *, kinds: int) -> list[str]:
    return [f"# comment {number % kinds}\n" for number in range(count)]


@pytest.mark.parametrize("kinds", [1, 15, 120, 400, 10**6])
def test_twice_the_lines_may_take_twice_the_work(kinds: int) -> None:
    for count in (3000, 6000):
        old = lines(count, kinds=kinds)
        new = random.Random(count).sample(old, count)  # noqa: S311 - no secret
        matcher = BoundedMatcher(old, new)
        rebuilt = [line for _, i, k, j, m in matcher.get_opcodes() for line in new[j:m]]
        assert rebuilt == new
        assert matcher.spent <= matcher.work == WORK_AT_LEAST + sum(map(len, old)) + sum(map(len, new))


def test_what_there_is_no_work_left_for_is_matched_at_its_ends() -> None:
    matcher = BoundedMatcher(["a\n", "b\n", "c\n", "d\n"], ["a\n", "x\n", "c\n", "d\n"])
    matcher.work = 0
    assert [tuple(block) for block in matcher.get_matching_blocks()] == [(0, 0, 1), (2, 2, 2), (4, 4, 0)]
    assert BoundedMatcher(["a"], ["a"]).find_longest_match() == (0, 0, 1)


@pytest.mark.parametrize(
    ("part", "match"),
    [
        ((1, 3, 1, 4), (1, 1, 2)),
        ((1, 4, 1, 3), (1, 1, 2)),
        ((1, 5, 1, 5), (1, 1, 3)),
        ((4, 5, 0, 1), (5, 1, 0)),
    ],
)
def test_a_part_is_matched_at_its_own_ends(part: tuple[int, int, int, int], match: tuple[int, ...]) -> None:
    matcher = BoundedMatcher(list("xabcy"), list("xabcz"))
    matcher.work = 0
    assert matcher.find_longest_match(*part) == match
    assert matcher.find_longest_match() == (0, 0, 4)
    assert matcher.spent == 0


def test_a_search_costs_a_comparison_for_each_line_and_each_of_its_places() -> None:
    matcher = BoundedMatcher(["b", "a", "c"], ["a", "c", "x", "a"])
    matcher.work = 12
    found = [matcher.find_longest_match(*part) for part in [(0, 3, 0, 4), (1, 3, 0, 4), (0, 1, 0, 4)]]
    assert found == [(1, 0, 2), (1, 0, 2), (0, 0, 0)]
    assert matcher.spent == (1 + 3 + 2) + (3 + 2) + 1
    assert matcher.find_longest_match(0, 2, 1, 2) == (2, 2, 0), "there is nothing left"


def test_a_line_that_stands_everywhere_is_looked_for_in_a_short_text_and_left_out_of_a_long_one() -> None:
    assert BoundedMatcher(["a\n"] * 30, ["b\n", *["a\n"] * 30]).find_longest_match() == (0, 1, 30)
    old = [
        line for n in range(2000) for line in (f"{n}\n", f"x {n % 40}\n", f"y {n % 40}\n", f"z {n % 40}\n")
    ]
    new = [line for n, line in enumerate(old) if n % 400 != 200]
    hunks = [line for _, found in changed_hunks(old, new) for line in found]
    assert [line[0] for line in hunks if line[0] != " "] == ["-"] * 20


def test_a_difference_reads_as_difflibs() -> None:
    chosen = random.Random(7)  # noqa: S311 - no secret
    for _ in range(200):
        old, new = ([f"{chosen.choice('abc')}\n" for _ in range(chosen.randrange(1, 30))] for _ in "ab")
        wanted = "".join(unified_diff(old, new, fromfile="x", tofile="x"))
        assert unified("".join(old), "".join(new), title="x") == wanted


def test_of_a_long_difference_the_beginning_is_kept_and_the_rest_is_counted() -> None:
    old, new = "".join(lines(4000, kinds=10**6)), "".join(f"{n}\n" for n in range(4001))
    found = unified(old, new, title="x")
    assert found.endswith(f"# not shown: 0 lines removed, {4000 + 4001 - MOST_LINES + 1} added\n")
    assert count_lines(found) == 3 + 4000 + 4001 + 1


def test_no_near_miss_is_looked_for_among_more_than_can_be_compared() -> None:
    assert nearest("imge", ["image"]) == "image"
    assert nearest("imge", ["image", *map(str, range(MOST_KNOWN))]) is None
    assert nearest("x" * LONGEST + "y", ["x" * LONGEST]) is None
    assert nearest("x" * LONGEST, ["x" * LONGEST + "y"]) is None
