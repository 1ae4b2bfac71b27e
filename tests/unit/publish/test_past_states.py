"""What one goes back to: states after builds, of files that do not change with each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from typing import Optional

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.draws import examples
from tests.support.planned import OURS

from bcs_template_set.bcs.space.existing import VersionRef
from bcs_template_set.bcs.space.provenance import Provenance
from bcs_template_set.publish.past_states import (
    History,
    PastState,
    build_of,
    builds_of,
    history_of_line,
    state_at_build,
    state_at_version,
    state_before,
    with_gaps,
)

FILES = ("conf", "routes", "web")


def ref(build: int, file: str = "web", *, at: Optional[int] = None, by: Provenance = OURS) -> VersionRef:
    by = replace(by, build=build)
    return VersionRef(f"{file}-{build}-{at}", f"1.0.{build}", build if at is None else at, by)


def history(**builds: list[int]) -> History:
    """Return what these builds have published of each file."""
    return history_of_line({name: [ref(n, name) for n in numbers] for name, numbers in builds.items()}, OURS)


def builds(state: Optional[PastState]) -> dict[str, int]:
    """Return the build of each file's version in a state."""
    return {name: build_of(found) for name, found in state.versions.items()} if state is not None else {}


def before(
    known: History, live: Mapping[str, int], *, never: frozenset[int] = frozenset()
) -> PastState | None:
    ids = {name: {r.id for r in known[name] if build_of(r) == build} for name, build in live.items()}
    return state_before(known, live=ids, alike=lambda *_: False, never_live=never.__contains__)


@pytest.mark.parametrize(
    ("base", "state", "unsure"),
    [
        ("web-8-None", {}, ()),
        ("-", {}, ()),
        ("gone", {}, ("web",)),
        ("gone", {"web": ref(7)}, ("web",)),
        ("gone", {"web": ref(9)}, ()),
    ],
)
def test_a_state_is_not_sure_where_the_next_version_names_one_that_is_gone(
    base: str, state: Mapping[str, VersionRef], unsure: tuple[str, ...]
) -> None:
    known = history_of_line({"web": [ref(9, by=replace(OURS, bases=(base,)))]}, OURS)
    found = with_gaps(PastState(state), known, {"web": ["web-8-None"]})
    assert found.unsure == unsure


@pytest.mark.parametrize("bases", [("web-7-None",), ("web-7-None", "gone")])
def test_only_the_version_that_the_next_one_replaced_makes_a_state_unsure(bases: tuple[str, ...]) -> None:
    later = [ref(8, by=replace(OURS, bases=bases)), ref(9, by=replace(OURS, bases=("gone",)))]
    known = history_of_line({"web": later}, OURS)
    assert with_gaps(PastState({"web": ref(7)}), known, {"web": ["web-7-None"]}).unsure == ()


@settings(max_examples=examples(200, sample=40), deadline=None)
@given(st.lists(st.sets(st.sampled_from(FILES)), min_size=1, max_size=6))
def test_going_back_to_a_build_leaves_what_deploying_it_left(changed: list[set[str]]) -> None:
    """For each build, and each subset of files that it changed; nothing is deployed but what is new."""
    published: dict[str, list[int]] = {name: [] for name in FILES}
    left: list[dict[str, int]] = []
    for build, files in enumerate(changed, 1):
        for name in files:
            published[name].append(build)
        left.append({name: numbers[-1] for name, numbers in published.items() if numbers})
    known = history(**published)
    for build, live in enumerate(left, 1):
        state = state_at_build(known, build)
        assert builds(state) == live
        assert (state is None) == (not live)
        if state is not None:
            assert set(state.absent) == set(FILES) - set(live)
            named = state_at_version(known, f"1.0.{max(live.values())}")
            assert builds(named) == live


@settings(max_examples=examples(200, sample=40), deadline=None)
@given(st.lists(st.sets(st.sampled_from(FILES), min_size=1), min_size=1, max_size=6))
def test_previous_again_and_again_passes_every_state_once_and_comes_to_an_end(
    changed: list[set[str]],
) -> None:
    numbers = {name: [n for n, files in enumerate(changed, 1) if name in files] for name in FILES}
    known = history(**numbers)
    live = {name: build_of(refs[0]) for name, refs in known.items() if refs}
    seen = []
    while True:
        state = before(known, live)
        if state is None:
            break
        live = {**live, **builds(state)}
        assert live not in seen
        seen.append(live)
    assert all(live[name] == numbers[name][0] for name in live)


def test_files_of_the_newest_build_move_and_no_others() -> None:
    known = history(web=[57, 58], routes=[57, 59])
    assert builds(state_at_build(known, 58)) == {"web": 58, "routes": 57}
    first = before(known, {"web": 58, "routes": 59})
    assert builds(first) == {"web": 58, "routes": 57}
    assert builds(before(known, builds(first))) == {"web": 57, "routes": 57}
    assert before(known, {"web": 57, "routes": 57}) is None


def test_a_build_that_never_was_live_is_passed_over_and_said() -> None:
    known = history(web=[57, 58, 59])
    state = before(known, {"web": 59}, never=frozenset({58}))
    assert state is not None
    assert (builds(state), state.passed) == ({"web": 57}, (58,))
    assert before(known, {"web": 59}, never=frozenset({57, 58})) is None


def test_a_file_that_did_not_exist_then_stays_and_does_not_hold_the_others() -> None:
    known = history(web=[57, 58, 59], conf=[59])
    state = before(known, {"web": 59, "conf": 59})
    assert state is not None
    assert (builds(state), state.absent) == ({"web": 58}, ("conf",))
    assert builds(before(known, {"web": 58, "conf": 59})) == {"web": 57}


def test_nothing_comes_forward_that_somebody_went_back_from_alone() -> None:
    known = history(web=[57, 58], conf=[57, 59])
    assert builds(before(known, {"web": 57, "conf": 59})) == {"web": 57, "conf": 57}
    # Of a file that is live at two versions the newer one counts.
    twice = history(web=[57, 58, 59])
    live = {"web": {twice["web"][0].id, twice["web"][2].id}}
    state = state_before(twice, live=live, alike=lambda *_: False, never_live=lambda _: False)
    assert builds(state) == {"web": 58}


def test_a_version_that_holds_the_same_as_the_one_before_is_that_one() -> None:
    known = history(web=[57, 58, 59])
    ids = {"web": {known["web"][0].id}}
    same = {(known["web"][0].id, known["web"][1].id)}
    state = state_before(
        known, live=ids, alike=lambda _, new, old: (new.id, old.id) in same, never_live=lambda _: False
    )
    assert builds(state) == {"web": 57}
    nothing_else = state_before(known, live=ids, alike=lambda *_: True, never_live=lambda _: False)
    assert nothing_else is None


def test_versions_of_one_build_are_ordered_by_time_and_a_build_run_again_is_the_same_build() -> None:
    known = history_of_line({"web": [ref(57, at=1), ref(57, at=9), ref(58, at=5)]}, OURS)
    assert [found.created_at for found in known["web"]] == [5, 9, 1]
    state = state_at_version(known, "1.0.57")
    assert state is not None
    assert state.newest.created_at == 9


OTHERS = (replace(OURS, pipeline="p-2"), replace(OURS, branch="feature"))


@pytest.mark.parametrize("other", [*(ref(58, by=other) for other in OTHERS), VersionRef("x", "1.0.58", 58)])
def test_versions_of_others_are_none_of_ours(other: VersionRef) -> None:
    known = history_of_line({"web": [ref(57), other]}, OURS)
    assert builds_of(known) == [57]
    assert state_at_version(known, "1.0.58") is None
    assert build_of(VersionRef("x", "1.0.58", 58)) == 0


def test_where_nothing_existed_there_is_no_state() -> None:
    known = history(web=[57], conf=[])
    assert state_at_build(known, 56) is None
    assert [before(known, {}), before(history(), {})] == [None, None]


def test_states_of_builds_in_any_order_are_the_same() -> None:
    for first, second in product([[57, 58], [58, 57]], repeat=2):
        assert builds(state_at_build(history(web=first, conf=second), 57)) == {"web": 57, "conf": 57}
