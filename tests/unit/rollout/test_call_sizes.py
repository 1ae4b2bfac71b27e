"""Which files the next calls carry: all of them in the end, each once, in order, and never too many."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcs_template_set.rollout.live_state import FileVersion
from bcs_template_set.rollout.sized_calls import (
    AT_ONCE,
    FIRST_OBJECTS,
    SECONDS,
    CallSize,
    Unit,
    next_calls,
    units_of,
)


def file(name: str, objects: int = 1) -> FileVersion:
    return FileVersion(name, f"id-{name}", "1", objects=("ConfigMap/c",) * objects)


def domain(host: str) -> list[FileVersion]:
    return [file(f"{host}.{part}.yaml") for part in ("deployment", "routes", "service")]


def names(units: tuple[Unit, ...]) -> list[str]:
    return [found.name for unit in units for found in unit.files]


# --- what belongs together ------------------------------------------------------------------------------


def test_a_domains_files_are_one_unit_in_the_order_in_which_they_are_applied() -> None:
    (unit,) = units_of(domain("www.example.com"))
    assert [found.name.split(".")[-2] for found in unit.files] == ["deployment", "service", "routes"]
    assert not unit.in_line


def test_files_of_templates_of_ones_own_stay_in_line_each_by_itself() -> None:
    units = units_of([file("10-config.yaml"), *domain("a.example.com"), file("20-web.yaml")])
    assert [(names((unit,))[0], unit.in_line) for unit in units] == [
        ("10-config.yaml", True),
        ("a.example.com.deployment.yaml", False),
        ("20-web.yaml", True),
    ]


@pytest.mark.parametrize("name", ["deployment.yaml", ".deployment.yaml", "web.yaml", "a.service.yml"])
def test_a_name_that_is_no_domains_is_a_file_by_itself(name: str) -> None:
    (unit,) = units_of([file(name)])
    assert unit.in_line


def test_a_file_without_objects_counts_as_one() -> None:
    assert Unit((file("a.yaml", objects=0),)).objects == 1


# --- how much a call carries ----------------------------------------------------------------------------


def test_the_first_call_goes_alone_and_carries_at_most_twenty_objects() -> None:
    (call,) = next_calls(units_of([f for n in range(30) for f in domain(f"d{n}")]), CallSize())
    assert sum(unit.objects for unit in call) == 18
    assert FIRST_OBJECTS == 20


def test_before_the_first_call_nothing_is_known() -> None:
    size = CallSize()
    assert (size.objects, size.seconds, size.slowest, size.at_once, size.pace) == (0, 0, 0, 1, 0)
    assert not Unit((file("a.yaml"),)).in_line


def test_up_to_twenty_objects_are_one_call() -> None:
    files = [file(f"{n:02}.yaml") for n in range(14)]
    (call,) = next_calls(units_of([*files, *domain("a"), *domain("b")]), CallSize())
    assert len(names(call)) == 20


def test_later_calls_carry_what_fits_twenty_seconds_at_the_pace_seen() -> None:
    size = CallSize().after([(20, 10.0)])
    assert size.limit(seconds=inf) == SECONDS / 0.5
    calls = next_calls(units_of([f for n in range(90) for f in domain(f"d{n}")]), size)
    assert [sum(unit.objects for unit in call) for call in calls] == [39, 39]


def test_calls_at_once_are_one_more_after_each_round_and_four_at_most() -> None:
    size, counts = CallSize(), []
    for _ in range(6):
        counts.append(size.at_once)
        size = size.after([(10, 1.0)])
    assert counts == [1, 2, 3, 4, 4, 4]


def test_the_slowest_call_of_the_last_round_decides_and_a_quick_one_makes_good_for_it() -> None:
    slow = CallSize().after([(20, 2.0)]).after([(20, 2.0), (20, 40.0)])
    assert slow.pace == 2.0
    assert slow.after([(10, 1.0)]).pace == pytest.approx(45 / 70)


def test_a_site_that_takes_no_time_gets_the_rest_in_one_call() -> None:
    (call,) = next_calls(units_of([file(f"{n}") for n in range(500)]), CallSize().after([(20, 0.0)]))
    assert len(call) == 500


def test_little_time_left_makes_calls_small() -> None:
    size = CallSize().after([(20, 10.0)])
    assert size.limit(seconds=3.0) == 6
    assert size.limit(seconds=0.0) == 1


def test_what_is_left_of_a_call_that_was_cut_short_goes_alone_and_in_a_smaller_one() -> None:
    size = CallSize().after([(20, 1.0)]).after([(12, 60.0)]).cut(400)
    assert size.at_once == 1
    assert size.limit(seconds=inf) == SECONDS / (60 / 12)
    lost_at_once = CallSize().after([(1, 0.01)]).cut(20)
    assert lost_at_once.limit(seconds=inf) == 10
    assert lost_at_once.after([(10, 0.1)]).limit(seconds=inf) > 10


@pytest.mark.parametrize(("sent", "most"), [(1, 1), (2, 1), (3, 1), (4, 2)])
def test_the_next_call_carries_half_as_much_and_one_object_at_least(sent: int, most: int) -> None:
    assert CallSize().after([(1, 0.1)]).cut(sent).most == most


@pytest.mark.parametrize(("files", "calls"), [(39, 1), (40, 1), (41, 4)])
def test_what_one_call_can_carry_is_not_divided(files: int, calls: int) -> None:
    size = CallSize(objects=20, seconds=10.0, slowest=0.5, most=inf, at_once=4)
    assert size.limit(seconds=inf) == 40
    assert len(next_calls(units_of([file(f"d{n}.service.yaml") for n in range(files)]), size)) == calls


def test_what_one_call_cannot_carry_is_divided_evenly() -> None:
    size = CallSize(objects=20, seconds=10.0, slowest=0.5, most=inf, at_once=4)
    calls = next_calls(units_of([file(f"d{n}.service.yaml") for n in range(100)]), size)
    assert [len(call) for call in calls] == [25, 25, 25, 25]


def test_files_in_line_are_never_in_two_calls_at_once() -> None:
    size = CallSize(objects=20, seconds=20.0, slowest=1.0, most=inf, at_once=4)
    calls = next_calls(units_of([file(f"{n:03}.yaml") for n in range(200)]), size)
    assert [names(call) for call in calls] == [[f"{n:03}.yaml" for n in range(20)]]


FILES = st.lists(
    st.tuples(st.sampled_from(["own", "host"]), st.integers(0, 9)), unique=True, max_size=40
).map(
    lambda drawn: [
        found
        for kind, count in drawn
        for found in ([file(f"{count}.yaml", count)] if kind == "own" else domain(f"h{count}"))
    ]
)
SIZES = st.builds(
    CallSize,
    objects=st.integers(0, 100),
    seconds=st.floats(0, 100),
    slowest=st.floats(0, 10),
    most=st.sampled_from([1, 5, 20, inf]),
    at_once=st.integers(1, AT_ONCE),
)


@given(FILES, SIZES, st.floats(0, 60), st.integers(1, 8))
def test_whatever_the_pace_everything_is_sent_once_and_in_order(
    files: list[FileVersion], size: CallSize, seconds: float, at_once: int
) -> None:
    left, sent = units_of(files), list[Unit]()
    while left:
        calls = next_calls(left, size, seconds=seconds, at_once=at_once)
        assert 1 <= len(calls) <= min(AT_ONCE, at_once, size.at_once)
        for number, call in enumerate(calls):
            assert call
            objects = sum(unit.objects for unit in call)
            assert len(call) == 1 or objects <= size.limit(seconds=seconds)
            assert list(call) == sorted(call, key=left.index)
            assert number == 0 or not any(unit.in_line for unit in call)
        sent += [unit for call in calls for unit in call]
        left = tuple(unit for unit in left if unit not in sent)
    assert sorted(names(tuple(sent))) == sorted(found.name for found in files)
    in_line = [unit for unit in sent if unit.in_line]
    assert in_line == [unit for unit in units_of(files) if unit.in_line]
