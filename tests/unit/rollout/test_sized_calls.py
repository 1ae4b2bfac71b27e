"""Units sent in calls: sizes from what was measured, what was cut short put back, and when no call begins."""

from __future__ import annotations

import threading

import pytest
from tests.support.pieces import FakeClock

from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.messages.errors import DeployRefused
from bcs_template_set.rollout.live_state import FileVersion
from bcs_template_set.rollout.sized_calls import AT_ONCE, CallEnd, Calls, Deploying, Heartbeat, Unit, units_of
from bcs_template_set.system.clock import Deadline


def domains(count: int) -> tuple[Unit, ...]:
    """Return units of one object, which may be sent at once."""
    return units_of([FileVersion(f"d{n:03}.service.yaml", str(n), "1") for n in range(count)])


class Site:
    """Takes so many seconds an object, and cuts a call short after `patience`."""

    def __init__(self, *, pace: float = 0.0, patience: float = 60.0, fails_at: int = 0) -> None:
        self.clock = FakeClock()
        self.calls: list[int] = []
        self._pace, self._patience, self._fails_at = pace, patience, fails_at
        self._lock = threading.Lock()

    def send(self, units: tuple[Unit, ...]) -> CallEnd[tuple[str, ...]]:
        with self._lock:
            self.calls.append(len(units))
            number = len(self.calls)
        if number == self._fails_at:
            raise DeployRefused(message=f"call {number}")
        done = min(len(units), int(self._patience / self._pace)) if self._pace else len(units)
        seconds = min(self._patience, len(units) * self._pace)
        return CallEnd(tuple(unit.files[0].name for unit in units[:done]), seconds, units[done:])

    def deadline(self, seconds: float | None = None) -> Deadline:
        return Deadline(self.clock, seconds=seconds)


def send(
    site: Site, count: int, *, seconds: float | None = None, at_once: int = AT_ONCE
) -> Calls[tuple[str, ...]]:
    """Send so many domains."""
    place = NamespaceRef("web", "0" * 32, "BCS-K8S-40000", "prod")
    deploying = Deploying(place, "web", {}, site.clock, site.deadline(seconds), at_once=at_once)
    return deploying.in_calls(domains(count), site.send)


def test_calls_grow_to_what_fits_twenty_seconds_and_to_four_at_once() -> None:
    site = Site(pace=0.5)
    calls = send(site, 300)
    assert site.calls == [20, 40, 40, 40, 40, 40, 20, 20, 20, 20]
    assert sorted(name for value in calls.values for name in value) == [
        f"d{n:03}.service.yaml" for n in range(300)
    ]
    assert (calls.errors, calls.left) == ((), ())


def test_no_more_calls_are_under_way_than_are_allowed() -> None:
    site = Site(pace=0.5)
    send(site, 100, at_once=1)
    assert site.calls == [20, 40, 40]


def test_a_round_takes_a_third_of_the_time_that_is_left_at_most() -> None:
    site = Site(pace=0.5)
    send(site, 100, seconds=30)
    assert site.calls == [20, 20, 20, 14, 14, 12], "no call is to take more than ten seconds"


def test_a_workload_keeps_its_number_of_pods_where_that_is_known_and_the_author_gave_none() -> None:
    web, own, seen = (f"live_replicas.Deployment.{name}" for name in ("web", "own", "seen"))
    variables = {web: "3", own: "2", seen: "auto", "TAG": "7"}
    site = Site()
    place = NamespaceRef("web", "0" * 32, "BCS-K8S-40000", "prod")
    deploying = Deploying(place, "web", variables, site.clock, site.deadline(), given=frozenset({own}))
    assert deploying.kept == {("Deployment", "web")}


def test_what_a_call_that_was_cut_short_left_is_sent_first_and_in_smaller_ones() -> None:
    site = Site(pace=6.0)
    calls = send(site, 20)
    assert site.calls[0] == 20
    assert max(site.calls[1:]) <= 3
    assert [name for value in calls.values for name in value][:10] == [
        f"d{n:03}.service.yaml" for n in range(10)
    ]
    assert sum(map(len, calls.values)) == 20


@pytest.mark.parametrize(
    ("seconds", "done", "sizes"),
    [(20.0, 0, [4, 1, 1, 2]), (20.0, 1, [4, 1, 1, 1]), (20.0, 2, [4, 2]), (0.1, 0, [4, 2, 2]), (0.1, 4, [4])],
)
def test_after_a_cut_a_call_is_half_as_large_at_most_and_no_slower_than_what_was_done(
    seconds: float, done: int, sizes: list[int]
) -> None:
    ends, site, calls = [(seconds, done)], Site(), list[int]()

    def take(units: tuple[Unit, ...]) -> CallEnd[int]:
        calls.append(len(units))
        took, count = ends.pop() if ends else (1.0, len(units))
        return CallEnd(count, took, units[count:])

    place = NamespaceRef("web", "0" * 32, "BCS-K8S-40000", "prod")
    deploying = Deploying(place, "web", {}, site.clock, site.deadline(), at_once=1)
    assert sum(deploying.in_calls(domains(4), take).values) == 4
    assert calls == sizes


def test_a_failure_of_the_only_call_is_told() -> None:
    calls = send(Site(fails_at=1), 3)
    assert (len(calls.errors), calls.values, calls.left) == (1, (), ())


def test_after_a_failure_no_call_begins_and_what_was_not_sent_is_left() -> None:
    site = Site(pace=0.5, fails_at=2)
    calls = send(site, 300)
    assert len(site.calls) == 3, "the two of one round have begun"
    (error,) = calls.errors
    assert isinstance(error, DeployRefused)
    assert len(calls.left) == 300 - sum(site.calls)


@pytest.mark.parametrize(("seconds", "sent"), [(0.0, 0), (0.4, 20)])
def test_without_time_no_call_begins(seconds: float, sent: int) -> None:
    site = Site(pace=0.5)
    calls = send(site, 60, seconds=seconds)
    assert (sum(site.calls), len(calls.left)) == (sent, 60 - sent)


def test_a_sign_of_life_is_given_while_a_round_lasts_and_not_too_often() -> None:
    clock, heard = FakeClock(), list[float]()
    beat = Heartbeat(clock, lambda: heard.append(clock.time))
    for seconds in (29, 1, 5, 24, 1):
        clock.time += seconds
        beat()
    assert heard == [1030.0, 1060.0]
