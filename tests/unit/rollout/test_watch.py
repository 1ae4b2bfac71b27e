"""The wait itself, over a scripted cluster: who is asked, how often, and when it ends."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Callable, Optional, TypeVar

import pytest
from tests.support.objects import MARKS, NAME, VERSION, condition, deployment, pod, stopped, workload
from tests.support.pieces import FakeClock

from bcs_template_set.bcs.calls import JsonValue, Read
from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.bcs.dialect import Site
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kinds import DAEMON_SET, DEPLOYMENT, JOB
from bcs_template_set.messages.errors import AuthenticationRefused, NoPermission
from bcs_template_set.messages.server_errors import BcsFailed, GatewayFailed, OutOfTime
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.rollout.watch import watch as watch_all
from bcs_template_set.rollout.watched import Blind, Watched, Workload
from bcs_template_set.system.clock import Deadline
from bcs_template_set.system.parallel import INSTEAD, Done, TaskEnd

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


def watch(
    cluster: ScriptedCluster,
    wanted: Sequence[Workload],
    *,
    seconds: float,
    on_change: Callable[[Watched], None] = lambda _: None,
    on_quiet: Callable[[Sequence[Watched], float], None] = lambda _items, _seconds: None,
    on_sight: Callable[[Optional[Blind]], None] = lambda _: None,
) -> tuple[Watched, ...]:
    clock = cluster.clock
    deadline = Deadline(clock, seconds=seconds)
    return watch_all(
        cluster,
        PLACE,
        wanted,
        clock=clock,
        deadline=deadline,
        on_change=on_change,
        on_quiet=on_quiet,
        on_sight=on_sight,
        fail_fast=True,
    )


def workloads(count: int = 1) -> list[Workload]:
    return [Workload(DEPLOYMENT, f"web-{number}", NAME, VERSION) for number in range(count)]


def watched(cluster: ScriptedCluster, *, count: int = 1, seconds: float = 600) -> tuple[Watched, ...]:
    return watch(cluster, workloads(count), seconds=seconds)


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
    assert 1 <= cluster.most_at_once <= 8
    allowed: set[int] = set()

    def one_by_one(tasks: Sequence[Callable[[], T]], *, concurrency: int) -> list[TaskEnd[T]]:
        allowed.add(concurrency)
        return [Done(task()) for task in tasks]

    token = INSTEAD.set(one_by_one)
    try:
        watched(ScriptedCluster(FakeClock(), up_after(0)), count=30)
    finally:
        INSTEAD.reset(token)
    assert allowed == {8}


REFUSED = NoPermission(user="lisi", message="m")
DOWN = GatewayFailed(url="u", status=504, message="m")
NOT_THERE = BcsFailed(bcs_code=1, message='deployments.apps "web-0" not found')


class Blinded(ScriptedCluster):
    """Fails the calls of some names with an error, between two moments."""

    def __init__(self, error: StepError, *names: str, after: float, until: float, ready: float) -> None:
        super().__init__(FakeClock(), up_after(ready))
        self.error, self.names, self.after, self.until = error, names, after, until
        self.items: list[JsonValue] = []

    def read(self, call: Read[T]) -> T:
        passed = self.clock.monotonic() - self.began
        if call.name in self.names and self.after <= passed < self.until:
            raise self.error
        if call.name == "list Deployment" and self.items:
            return call.parse({"manifest": {"items": self.items}, "manifestExt": {}})
        return super().read(call)


@pytest.mark.parametrize("error", [REFUSED, DOWN, OutOfTime(seconds=5), AuthenticationRefused(message="m")])
@pytest.mark.parametrize("count", [1, 30])
def test_what_can_not_be_looked_at_for_a_while_has_not_failed_however_many_there_are(
    error: StepError, count: int
) -> None:
    names = ("get Deployment", "list Deployment", "list pods", "list Pod")
    cluster = Blinded(error, *names, after=2, until=120, ready=60)
    heard: list[tuple[float, Optional[Blind]]] = []
    ended = watch(
        cluster,
        workloads(count),
        seconds=600,
        on_sight=lambda blind: heard.append((cluster.clock.monotonic() - cluster.began, blind)),
    )
    assert {item.end for item in ended} == {"ready"}
    assert max(item.seconds for item in ended) < 140
    (lost, why), (found, nothing) = heard
    assert why is not None
    assert (why.error, nothing) == (error, None)
    assert 2 <= lost < 12
    assert 120 <= found < 140


@pytest.mark.parametrize("count", [1, 30])
def test_what_can_not_be_looked_at_in_the_end_is_unseen_with_when_and_why_and_what_was_seen(
    count: int,
) -> None:
    cluster = Blinded(DOWN, "get Deployment", after=30, until=1e9, ready=60)
    ended = watched(cluster, count=count, seconds=100)
    assert {item.end for item in ended} == {"unseen"}
    for item in ended:
        assert item.blind is not None
        assert item.status is not None
        assert item.blind.error is DOWN
        assert 1030 <= item.blind.since < 1050
        assert item.status.sentence.key == "rollout.not_available"


QUOTA = condition("ReplicaFailure", reason="FailedCreate", message="exceeded quota: team")
REFUSED_PODS = deployment(updated=0, available=0, total=0, annotations=MARKS, conditions=[QUOTA])


def test_what_a_workload_says_itself_is_told_at_the_first_look_and_kept_until_it_is_over() -> None:
    told: list[tuple[float, str]] = []
    cluster = ScriptedCluster(FakeClock(), lambda passed: REFUSED_PODS if passed < 30 else READY)
    ended = watch(
        cluster,
        workloads(),
        seconds=60,
        on_change=lambda item: told.append((item.seconds, item.condition.name if item.condition else "")),
    )
    assert [name for _, name in told] == ["quota", ""]
    assert told[0][0] < 1
    assert (ended[0].end, ended[0].condition) == ("ready", None)


def test_what_a_workload_says_itself_is_in_the_verdict_of_a_time_out() -> None:
    (ended,) = watched(ScriptedCluster(FakeClock(), lambda _: REFUSED_PODS), seconds=20)
    assert (ended.end, [cause.name for cause in ended.causes]) == ("pending", ["quota"])


def given_up(moment: str) -> Mapping[str, JsonValue]:
    said = condition("Progressing", "False", reason="ProgressDeadlineExceeded", message="m")
    conditions: list[JsonValue] = [{**said, "lastUpdateTime": moment}]
    return deployment(available=1, annotations=MARKS, conditions=conditions)


@pytest.mark.parametrize(
    ("first", "later", "end"),
    [
        ("10:00", "10:00", "pending"),
        ("10:00", "11:00", "failed"),
        ("", "11:00", "failed"),
        ("10:00", "", "pending"),
    ],
)
def test_kubernetes_giving_up_ends_the_wait_unless_it_did_so_before(first: str, later: str, end: str) -> None:
    def live(passed: float) -> Mapping[str, JsonValue]:
        moment = first if passed < 30 else later
        return given_up(moment) if moment else GOING_UP

    (ended,) = watched(ScriptedCluster(FakeClock(), live), seconds=60)
    assert (ended.end, ended.condition and ended.condition.name) == (
        end,
        "progress_deadline" if end == "failed" else None,
    )
    assert 28 <= ended.seconds <= (34 if end == "failed" else 60)


def test_a_silence_is_told_after_some_seconds() -> None:
    told: list[tuple[float, str]] = []
    cluster = Listed("Job", [], workload("Job", annotations=MARKS))
    watch(
        cluster,
        [Workload(JOB, "web", NAME, VERSION)],
        seconds=20,
        on_change=lambda item: told.append((item.seconds, item.condition.name if item.condition else "")),
    )
    assert [name for _, name in told] == ["", "no_pods"]
    assert 5 <= told[1][0] < 7


def test_pods_that_can_not_be_looked_at_are_said_of_a_workload_that_is_pending() -> None:
    (ended,) = watched(Blinded(REFUSED, "list pods", after=0, until=1e9, ready=1e9), seconds=20)
    assert (ended.end, ended.blind and ended.blind.error) == ("pending", REFUSED)


def test_a_list_that_shows_a_workload_on_its_way_is_a_look_too() -> None:
    cluster = Blinded(DOWN, "get Deployment", after=14, until=1e9, ready=1e9)
    cluster.items = [{"metadata": {"name": f"web-{n}"}, "spec": {"replicas": 3}} for n in range(30)]
    assert {item.end for item in watched(cluster, count=30, seconds=14.5)} == {"pending"}


def test_what_is_there_no_more_is_gone_after_some_seconds() -> None:
    cluster = Blinded(NOT_THERE, "get Deployment", after=20, until=1e9, ready=1e9)
    (ended,) = watched(cluster)
    assert (ended.end, ended.cause and ended.cause.name) == ("gone", "gone")
    assert ended.status is not None
    assert ended.status.sentence.key == "rollout.not_available"
    assert 30 <= ended.seconds < 36


def test_what_is_there_again_soon_is_not_gone() -> None:
    (ended,) = watched(Blinded(NOT_THERE, "get Deployment", after=20, until=28, ready=40))
    assert ended.end == "ready"


def test_what_is_missing_when_the_time_is_over_is_gone() -> None:
    (ended,) = watched(Blinded(NOT_THERE, "get Deployment", after=20, until=1e9, ready=1e9), seconds=24)
    assert ended.end == "gone"


@pytest.mark.parametrize(
    "cluster",
    [
        Blinded(NOT_THERE, "get Deployment", "list Deployment", after=20, until=1e9, ready=1e9),
        Blinded(BcsFailed(bcs_code=6, message="m"), "get Deployment", after=20, until=1e9, ready=1e9),
        Blinded(NOT_THERE, "get Deployment", after=20, until=1e9, ready=1e9),
    ],
)
def test_only_what_a_list_lacks_is_gone(cluster: Blinded) -> None:
    if len(cluster.names) == 1 and cluster.error is NOT_THERE:
        cluster.items = [{"metadata": {"name": "web-0"}}]
    assert watched(cluster, seconds=60)[0].end == "unseen"


def test_what_is_being_deleted_is_gone_at_once() -> None:
    going = deployment(annotations=MARKS)
    going["metadata"] = {"generation": 1, "deletionTimestamp": "2026-01-01T00:00:00Z"}
    (ended,) = watched(ScriptedCluster(FakeClock(), lambda _: going))
    assert (ended.end, ended.status and ended.status.sentence.key) == ("gone", "rollout.deleting")


def test_a_round_that_takes_longer_than_is_left_looks_at_no_more() -> None:
    class Slow(ScriptedCluster):
        def read(self, call: Read[T]) -> T:
            if call.name == "get Deployment" and self.clock.monotonic() - self.began > 5:
                self.clock.wait(30)
            return super().read(call)

    cluster = Slow(FakeClock(), up_after(1e9))
    kind = DEPLOYMENT._replace(done_in_list=())
    wanted = [Workload(kind, f"web-{number}", NAME, VERSION) for number in range(100)]
    ended = watch(cluster, wanted, seconds=10)
    assert {item.end for item in ended} == {"pending"}
    assert cluster.calls.count("get Deployment") < 300


def test_a_sign_of_life_is_given_once_in_thirty_quiet_seconds() -> None:
    clock, heard = FakeClock(), list[float]()

    def on_quiet(pending: Sequence[Watched], seconds: float) -> None:
        assert [item.workload.name for item in pending] == ["web-0"]
        heard.append(seconds)

    watch(
        ScriptedCluster(clock, up_after(1e9)),
        workloads(),
        seconds=200,
        on_quiet=on_quiet,
    )
    assert 4 <= len(heard) <= 6
    assert all(later - earlier >= 30 for earlier, later in zip(heard, heard[1:]))


def test_only_changes_are_told() -> None:
    clock, told = FakeClock(), list[str]()
    watch(
        ScriptedCluster(clock, up_after(20)),
        workloads(),
        seconds=60,
        on_change=lambda item: told.append(item.end),
    )
    assert told == ["pending", "ready"]


class InTurns(ScriptedCluster):
    """Has the first of two workloads ready between two moments, and the second after a third."""

    def __init__(self, first: tuple[float, float], second: float) -> None:
        super().__init__(FakeClock(), up_after(0))
        self.first, self.second = first, second

    def read(self, call: Read[T]) -> T:
        if call.name == "get Deployment":
            passed = self.clock.monotonic() - self.began
            is_first = call.segments[-1] == "web-0"
            is_up = self.first[0] <= passed < self.first[1] if is_first else passed >= self.second
            return call.parse({"manifest": {**(READY if is_up else GOING_UP)}})
        return super().read(call)


@pytest.mark.parametrize(
    ("first", "second", "ends", "told"),
    [
        ((3, 10), 30, ["pending", "ready"], ["pending", "pending", "ready", "ready", "pending"]),
        ((3, 1e9), 30, ["ready", "ready"], ["pending", "pending", "ready", "ready"]),
    ],
)
def test_what_was_ready_has_to_be_when_the_last_one_is(
    first: tuple[float, float], second: float, ends: list[str], told: list[str]
) -> None:
    cluster, heard = InTurns(first, second), list[str]()
    ended = watch(
        cluster,
        workloads(2),
        seconds=90,
        on_change=lambda item: heard.append(item.end),
    )
    assert ([item.end for item in ended], heard) == (ends, told)
    if ends == ["ready", "ready"]:
        assert ended[0].seconds < 10 < ended[1].seconds


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
    wanted = [Workload(kind, name, NAME, VERSION) for name in names]
    ended = watch(cluster, wanted, seconds=600)
    assert {item.end for item in ended} == {"ready"}
    assert (cluster.calls.count(f"list {kind.name}"), cluster.calls.count(f"get {kind.name}")) == (1, 30)


def test_many_of_a_kind_whose_lists_tell_nothing_are_all_read_whole_in_each_round() -> None:
    kind = DEPLOYMENT._replace(done_in_list=())
    cluster = ScriptedCluster(FakeClock(), up_after(3))
    wanted = [Workload(kind, f"web-{number}", NAME, VERSION) for number in range(30)]
    ended = watch(cluster, wanted, seconds=600)
    assert {item.end for item in ended} == {"ready"}
    assert max(item.seconds for item in ended) < 20
    assert "list Deployment" not in cluster.calls
    assert cluster.calls.count("get Deployment") > 30


class CrashesOnce(ScriptedCluster):
    """Has one pod, which has crashed nine times in its life, does so now, and is well after 20 seconds."""

    def read(self, call: Read[T]) -> T:
        labels: dict[str, JsonValue] = {"app": "web"}
        if call.name == "list pods":
            listed: JsonValue = {"metadata": {"name": "web-abc-1", "uid": "u1", "labels": labels}}
            note: JsonValue = {"status": "Error", "readyCnt": 0.0, "totalCnt": 1.0}
            return call.parse({"manifest": {"items": [listed]}, "manifestExt": {"u1": note}})
        if call.name == "get Pod":
            self.calls.append(call.name)
            if call.name in self.failing:
                raise self.failing[call.name]
            return call.parse({"manifest": pod(containers=[stopped(1, restarts=9)])})
        return super().read(call)


def test_a_pod_that_went_before_it_was_read_says_nothing() -> None:
    cluster = CrashesOnce(FakeClock(), up_after(20))
    cluster.failing["get Pod"] = BcsFailed(bcs_code=404, message="not found")
    (ended,) = watched(cluster)
    assert (ended.end, ended.problem, "get Pod" in cluster.calls) == ("ready", None, True)


def test_a_pod_that_crashed_often_before_the_wait_is_given_its_chance() -> None:
    cluster = CrashesOnce(FakeClock(), up_after(20))
    (ended,) = watched(cluster)
    assert (ended.end, "get Pod" in cluster.calls) == ("ready", True)
