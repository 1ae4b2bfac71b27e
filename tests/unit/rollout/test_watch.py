"""The wait itself, over a scripted cluster: who is asked, how often, and when it ends."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Callable, TypeVar

import pytest
from tests.support.objects import MARKS, NAME, VERSION, condition, deployment, workload
from tests.support.pieces import FakeClock

from bcs_template_set.bcs.calls import JsonValue, Read
from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.bcs.dialect import Site
from bcs_template_set.manifests.kinds import DAEMON_SET, DEPLOYMENT, JOB, Kind
from bcs_template_set.messages.errors import NoPermission
from bcs_template_set.messages.server_errors import GatewayFailed, OutOfTime
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.rollout.watch import MOST_AT_ONCE, MOST_FAILURES, watch
from bcs_template_set.rollout.watched import Watched, Workload
from bcs_template_set.system.clock import Deadline

T = TypeVar("T")
PLACE = NamespaceRef("web", "a" * 32, "BCS-K8S-40000", "prod")
READY = deployment(annotations=MARKS)
GOING_UP = deployment(available=1, annotations=MARKS)


class ScriptedCluster:
    """Answers `get Deployment` by a function of the seconds passed; lists hold nothing."""

    def __init__(self, clock: FakeClock, live: Callable[[float], Mapping[str, JsonValue]]) -> None:
        self.clock, self.live, self.began = clock, live, clock.monotonic()
        self.calls: list[str] = []
        self.site = Site()
        self.failing: dict[str, StepError] = {}
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()

    def read(self, call: Read[T]) -> T:
        with self._lock:
            self.calls.append(call.name)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if call.name in self.failing:
                raise self.failing[call.name]
            if call.name == "get Deployment":
                return call.parse({"manifest": dict(self.live(self.clock.monotonic() - self.began))})
            return call.parse({"manifest": {"items": []}, "manifestExt": {}})
        finally:
            with self._lock:
                self.at_once -= 1


def workloads(count: int = 1) -> list[Workload]:
    return [Workload(DEPLOYMENT, f"web-{number}", NAME, VERSION) for number in range(count)]


def watched(cluster: ScriptedCluster, *, count: int = 1, seconds: float = 600) -> tuple[Watched, ...]:
    deadline = Deadline(cluster.clock, seconds=seconds)
    return watch(
        cluster, PLACE, workloads(count), clock=cluster.clock, deadline=deadline, on_change=lambda _: None
    )


def up_after(seconds: float) -> Callable[[float], Mapping[str, JsonValue]]:
    return lambda passed: READY if passed >= seconds else GOING_UP


@pytest.mark.parametrize("seconds", [0.5, 3, 10, 40])
def test_what_becomes_ready_is_seen_within_two_and_a_half_seconds(seconds: float) -> None:
    cluster = ScriptedCluster(FakeClock(), up_after(seconds))
    (ended,) = watched(cluster)
    assert ended.end == "ready"
    assert seconds <= ended.seconds <= seconds + 2.5


def test_a_long_wait_asks_less_and_less_often() -> None:
    cluster = ScriptedCluster(FakeClock(), up_after(1e9))
    (ended,) = watched(cluster, seconds=600)
    assert ended.end == "pending"
    looks = cluster.calls.count("get Deployment")
    assert 60 < looks < 150


def test_the_deadline_ends_it_with_what_is_pending() -> None:
    clock = FakeClock()
    began = clock.monotonic()
    (ended,) = watched(ScriptedCluster(clock, up_after(1e9)), seconds=30)
    assert ended.end == "pending"
    assert 30 <= clock.monotonic() - began < 31


def test_no_more_than_eight_requests_are_under_way() -> None:
    cluster = ScriptedCluster(FakeClock(), up_after(5))
    cluster.failing["list Deployment"] = GatewayFailed(url="u", status=500, message="m")
    assert {item.end for item in watched(cluster, count=30)} == {"ready"}
    assert 1 <= cluster.most_at_once <= MOST_AT_ONCE


def test_a_permission_that_is_taken_away_ends_the_wait() -> None:
    cluster = ScriptedCluster(FakeClock(), up_after(5))
    cluster.failing["list pods"] = NoPermission(user="lisi", message="m")
    with pytest.raises(NoPermission):
        watched(cluster)


def test_what_cannot_be_read_for_some_rounds_is_a_failure_with_its_error() -> None:
    cluster = ScriptedCluster(FakeClock(), up_after(5))
    cluster.failing["get Deployment"] = GatewayFailed(url="u", status=500, message="m")
    (ended,) = watched(cluster)
    assert (ended.end, type(ended.error)) == ("failed", GatewayFailed)
    assert cluster.calls.count("get Deployment") == MOST_FAILURES


def test_a_sign_of_life_is_given_once_in_thirty_quiet_seconds() -> None:
    clock, heard = FakeClock(), list[float]()

    def on_quiet(pending: Sequence[Watched], seconds: float) -> None:
        assert [item.workload.name for item in pending] == ["web-0"]
        heard.append(seconds)

    watch(
        ScriptedCluster(clock, up_after(1e9)),
        PLACE,
        workloads(),
        clock=clock,
        deadline=Deadline(clock, seconds=200),
        on_change=lambda _: None,
        on_quiet=on_quiet,
    )
    assert 4 <= len(heard) <= 6
    assert all(later - earlier >= 30 for earlier, later in zip(heard, heard[1:]))


def test_only_changes_are_told() -> None:
    clock, told = FakeClock(), list[str]()
    watch(
        ScriptedCluster(clock, up_after(20)),
        PLACE,
        workloads(),
        clock=clock,
        deadline=Deadline(clock, seconds=60),
        on_change=lambda item: told.append(item.end),
    )
    assert told == ["pending", "ready"]


class Listed(ScriptedCluster):
    """Lists the workloads with what the list says of them; only what it lists as done is done."""

    def __init__(self, kind: str, items: list[JsonValue], live: Mapping[str, JsonValue]) -> None:
        super().__init__(FakeClock(), lambda _: live)
        self.kind, self.items = kind, items

    def read(self, call: Read[T]) -> T:
        if call.name == f"list {self.kind}":
            self.calls.append(call.name)
            return call.parse({"manifest": {"items": self.items}, "manifestExt": {}})
        if call.name == f"get {self.kind}":
            self.calls.append(call.name)
            return call.parse({"manifest": dict(self.live(0))})
        return super().read(call)


@pytest.mark.parametrize(
    ("kind", "status", "live"),
    [
        (
            DAEMON_SET,
            {
                "desiredNumberScheduled": 2,
                "updatedNumberScheduled": 2,
                "numberReady": 2,
                "numberAvailable": 2,
            },
            workload(
                "DaemonSet",
                annotations=MARKS,
                status={
                    "desiredNumberScheduled": 2,
                    "updatedNumberScheduled": 2,
                    "numberReady": 2,
                    "numberAvailable": 2,
                    "currentNumberScheduled": 2,
                },
            ),
        ),
        (
            JOB,
            {"conditions": [condition("Complete")]},
            workload(
                "Job", annotations=MARKS, status={"succeeded": 1, "conditions": [condition("Complete")]}
            ),
        ),
    ],
)
def test_many_of_a_kind_are_read_whole_once_their_list_shows_them_done(
    kind: Kind, status: Mapping[str, JsonValue], live: Mapping[str, JsonValue]
) -> None:
    names = [f"web-{number}" for number in range(30)]
    items: list[JsonValue] = [
        {"kind": kind.name, "metadata": {"name": name}, "spec": {}, "status": dict(status)} for name in names
    ]
    cluster = Listed(kind.name, items, live)
    deadline = Deadline(cluster.clock, seconds=600)
    wanted = [Workload(kind, name, NAME, VERSION) for name in names]
    ended = watch(cluster, PLACE, wanted, clock=cluster.clock, deadline=deadline, on_change=lambda _: None)
    assert {item.end for item in ended} == {"ready"}
    assert (cluster.calls.count(f"list {kind.name}"), cluster.calls.count(f"get {kind.name}")) == (1, 30)


def test_many_of_a_kind_whose_lists_tell_nothing_are_all_read_whole_in_each_round() -> None:
    kind = replace(DEPLOYMENT, done_in_list=())
    cluster = ScriptedCluster(FakeClock(), up_after(3))
    deadline = Deadline(cluster.clock, seconds=600)
    wanted = [Workload(kind, f"web-{number}", NAME, VERSION) for number in range(30)]
    ended = watch(cluster, PLACE, wanted, clock=cluster.clock, deadline=deadline, on_change=lambda _: None)
    assert {item.end for item in ended} == {"ready"}
    assert max(item.seconds for item in ended) < 20
    assert "list Deployment" not in cluster.calls
    assert cluster.calls.count("get Deployment") > 30


@pytest.mark.parametrize("error", [NoPermission(user="lisi", message="m"), OutOfTime(seconds=5)])
@pytest.mark.parametrize(
    ("call", "count"), [("list Deployment", 30), ("get Deployment", 1), ("list pods", 1)]
)
def test_what_asking_again_can_not_change_ends_the_wait(error: StepError, call: str, count: int) -> None:
    cluster = ScriptedCluster(FakeClock(), up_after(5))
    cluster.failing[call] = error
    with pytest.raises(type(error)):
        watched(cluster, count=count)
