"""How a wait ends, and what is told on the way: over a namespace in memory whose objects change with time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Optional

import pytest
from tests.support.objects import MARKS, NAME, VERSION, Object, condition, deployment, pod, waiting
from tests.support.small_namespace import PLACE, SmallNamespace

from bcs_template_set.bcs.calls import JsonValue
from bcs_template_set.manifests.custom_kinds import HOOK_RUN, ROLLOUT
from bcs_template_set.manifests.fields import mapping_at
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kinds import DEPLOYMENT, JOB
from bcs_template_set.messages.errors import NoPermission
from bcs_template_set.messages.server_errors import GatewayFailed, NoSuchPath
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.rollout.watch import watch
from bcs_template_set.rollout.watched import Blind, Watched, Workload
from bcs_template_set.system.clock import Deadline

DOWN = GatewayFailed(url="u", status=504, message="m")
REFUSED = NoPermission(user="lisi", message="m")
READY, GOING_UP = deployment(annotations=MARKS), deployment(available=1, annotations=MARKS)
SELECTOR: Object = {"matchLabels": {"app": "web"}}


@dataclass
class Wait:
    """A wait: the namespace, what changes in it when, and what was heard."""

    bcs: SmallNamespace = field(default_factory=SmallNamespace)
    changes: list[tuple[float, Callable[[], object]]] = field(default_factory=list)
    told: list[tuple[float, Watched]] = field(default_factory=list)
    quiet: list[tuple[float, list[str]]] = field(default_factory=list)
    sights: list[tuple[float, Optional[Blind]]] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    failing: dict[str, tuple[float, float, StepError]] = field(default_factory=dict)

    def live(self, item: Object, *names: str, at: float = 0.0) -> None:
        """Have objects of these names live like this from a moment on."""
        for name in names or ("web",):
            named: Object = {**item, "metadata": {**mapping_at(item, "metadata"), "name": name}}
            title = f"{item['kind']}/{name}"
            self.at(at, partial(self.bcs.live.update, {title: named}))

    def gone(self, title: str, *, at: float) -> None:
        self.at(at, lambda: self.bcs.live.pop(title, None))

    def at(self, moment: float, change: Callable[[], object]) -> None:
        self.changes.append((moment, change))

    def fails(self, name: str, error: StepError, *, after: float = 0.0, until: float = 1e9) -> None:
        """Have a call, named with its object or without, fail between two moments."""
        self.failing[name] = (after, until, error)

    def run(
        self, workloads: Sequence[Workload], *, seconds: float = 600, fail_fast: bool = True
    ) -> tuple[Watched, ...]:
        clock = self.bcs.clock

        def passed() -> float:
            return clock.time - 1000

        self.bcs.on_read = lambda name, last: self._before(passed(), name, last)
        return watch(
            self.bcs,
            PLACE,
            workloads,
            clock=clock,
            deadline=Deadline(clock, seconds=seconds),
            on_change=lambda item: self.told.append((passed(), item)),
            on_quiet=lambda items, at: self.quiet.append((at, [item.workload.name for item in items])),
            on_sight=lambda blind: self.sights.append((passed(), blind)),
            fail_fast=fail_fast,
        )

    def _before(self, now: float, name: str, last: str) -> None:
        self.read.append(f"{name} {last}")
        for _, change in [one for one in self.changes if one[0] <= now]:
            change()
        self.changes = [one for one in self.changes if one[0] > now]
        for key in (name, f"{name} {last}"):
            after, until, error = self.failing.get(key, (0.0, 0.0, DOWN))
            if after <= now < until:
                raise error

    @property
    def ends(self) -> list[str]:
        """Return the ends that were told, in their order."""
        return [item.end for _, item in self.told]


def waited(*names: str, kind: Kind = DEPLOYMENT) -> list[Workload]:
    return [Workload(kind, name, NAME, VERSION) for name in names or ("web",)]


def kept() -> Workload:
    """Return a Deployment that was live already."""
    return Workload(DEPLOYMENT, "web", NAME, VERSION, was_live=True, live=served())


def names(count: int) -> list[str]:
    return [f"web-{number}" for number in range(count)]


# --- what was live --------------------------------------------------------------------------------------


def served(*, available: int = 1) -> Object:
    """Return a Deployment of one pod that selects its pods."""
    live = deployment(replicas=1, total=1, updated=1, available=available, annotations=MARKS)
    return {**live, "spec": {**mapping_at(live, "spec"), "selector": SELECTOR}}


def with_pod(
    wait: Wait, name: str = "web-abc-1", state: str = "Running", whole: Optional[Object] = None
) -> None:
    """Have a pod with the state that a list tells, and what a look at it finds."""
    body = whole or pod()
    metadata: Object = {"name": name, "uid": f"uid-{name}", "labels": {"app": "web"}}
    wait.bcs.live[f"Pod/{name}"] = {**body, "metadata": metadata}
    notes = wait.bcs.notes.setdefault("manifestExt", {})
    assert isinstance(notes, dict)
    ready = 1.0 if state == "Running" else 0.0
    note: JsonValue = {"status": state, "readyCnt": ready, "totalCnt": 1.0, "createTime": name}
    notes[f"uid-{name}"] = note


def test_what_was_live_and_lists_prove_to_be_ready_is_not_read() -> None:
    wait = Wait()
    wait.live(served())
    with_pod(wait)
    (ended,) = wait.run([kept()])
    assert (ended.end, ended.seconds, wait.ends) == ("ready", 0.0, ["ready"])
    assert wait.bcs.calls == ["list Pod", "list Deployment"]


@pytest.mark.parametrize("refused", ["list Pod", "list Deployment"])
def test_what_was_live_is_read_where_lists_are_refused(refused: str) -> None:
    wait = Wait()
    wait.live(served())
    with_pod(wait)
    wait.fails(refused, REFUSED)
    (ended,) = wait.run([kept()])
    assert (ended.end, wait.bcs.count("get Deployment")) == ("ready", 1)


def test_pods_that_were_listed_for_what_was_live_are_not_listed_again_in_that_round() -> None:
    wait = Wait()
    wait.live(served(), "web")
    wait.live(READY, *names(6))
    with_pod(wait)
    wait.run([kept(), *waited(*names(6))])
    assert wait.bcs.count("list Pod") == 1


def test_the_last_sight_of_what_was_live_is_told_when_it_is_gone() -> None:
    wait = Wait()
    wait.live(served(), "web")
    with_pod(wait)
    for at, live in ((0, GOING_UP), (3, READY), (20, GOING_UP), (60, READY)):
        wait.live(live, "b", at=at)
    for at, live in ((0, GOING_UP), (30, READY)):
        wait.live(live, "c", at=at)
    wait.gone("Deployment/web", at=50)
    web = wait.run([kept(), *waited("b", "c")])[0]
    assert web.end == "gone"
    assert web.cause is not None
    seen = [item.seconds for _, item in wait.told if item.workload.name == "c" and item.end == "ready"]
    minute, second = divmod(1000 + int(seen[0]), 60)
    assert f"at 00:{minute}:{second:02} UTC" in web.cause.sentence.render("en_US")


def test_nobody_lists_pods_where_nothing_was_live_and_there_are_few() -> None:
    wait = Wait()
    wait.live(READY, *names(4))
    assert {item.end for item in wait.run(waited(*names(4)))} == {"ready"}
    assert wait.bcs.calls == ["get Deployment"] * 4


def test_of_five_of_a_kind_lists_tell_first() -> None:
    wait = Wait()
    wait.live(READY, *names(5))
    assert {item.end for item in wait.run(waited(*names(5)))} == {"ready"}
    assert wait.bcs.calls == ["list Pod", "list Deployment", *["get Deployment"] * 5]


# --- the last look --------------------------------------------------------------------------------------


def test_what_was_ready_for_ten_seconds_is_looked_at_again_and_what_has_ended_is_not() -> None:
    wait = Wait()
    done = {**deployment(annotations=MARKS, conditions=[condition("Complete")]), "kind": "Job"}
    wait.live(done, "job")
    wait.fails("list Job", REFUSED)
    for at, live in ((0, GOING_UP), (3, READY), (12, GOING_UP), (40, READY)):
        wait.live(live, "a", at=at)
    for at, live in ((0, GOING_UP), (13, READY)):
        wait.live(live, "b", at=at)
    found = wait.run([*waited("job", kind=JOB), *waited("a", "b")])
    assert [item.end for item in found] == ["ready"] * 3
    assert found[1].seconds >= 40
    assert wait.bcs.count("get Job") == 1
    ends = [item.end for _, item in wait.told if item.workload.name == "a"]
    assert ends == ["pending", "ready", "pending", "ready"]


def test_what_lists_prove_again_is_not_read_again() -> None:
    wait = Wait()
    wait.live(served(), "web")
    with_pod(wait)
    for at, live in ((0, GOING_UP), (30, READY)):
        wait.live(live, "b", at=at)
    found = wait.run([kept(), *waited("b")])
    assert [(item.end, item.seconds > 20) for item in found] == [("ready", False), ("ready", True)]
    assert not [name for name in wait.read if name == "get Deployment web"]


# --- what can't be looked at ----------------------------------------------------------------------------


def test_which_of_several_can_not_be_looked_at_is_told_and_counts_as_news() -> None:
    wait = Wait()
    wait.live(GOING_UP, "a", "b")
    wait.fails("get Deployment b", DOWN, after=20)
    wait.run(waited("a", "b"), seconds=60)
    ((lost, blind),) = wait.sights
    assert (20 <= lost < 23, blind and blind.error) == (True, DOWN)
    assert [quiet >= lost + 30 for quiet, _ in wait.quiet] == [True]


def test_a_list_shows_that_what_could_not_be_looked_at_is_on_its_way() -> None:
    wait = Wait()
    wait.live(GOING_UP, *names(6))
    wait.fails("get Deployment", DOWN)
    wait.fails("list Deployment", DOWN, until=5)
    found = wait.run(waited(*names(6)), seconds=12)
    assert {item.end for item in found} == {"pending"}


NO_PATH = NoSuchPath(url="u", message="m")


def rollout(*, phase: str = "Progressing") -> Object:
    live = deployment(available=1, annotations=MARKS)
    status: Object = {**mapping_at(live, "status"), "phase": phase, "observedGeneration": "2"}
    return {**live, "kind": "Rollout", "apiVersion": "argoproj.io/v1alpha1", "status": status}


def test_a_kind_that_nobody_serves_is_not_waited_for() -> None:
    wait = Wait()
    wait.fails("get Rollout", NO_PATH)
    (ended,) = wait.run(waited(kind=ROLLOUT), seconds=60)
    assert ended.status is not None
    assert (ended.end, ended.status.state) == ("nothing", "nothing")
    assert ended.status.sentence.key == "rollout.not_served"
    assert ended.status.sentence.fields == {"kind": "Rollout", "problem": NO_PATH.title()}
    assert (10 <= ended.seconds < 13, ended.blind) == (True, None)
    assert [blind is None for _, blind in wait.sights] == [False], "that all can be looked at is no news then"


def test_a_kind_that_was_served_and_is_not_any_more_is_unseen() -> None:
    wait = Wait()
    wait.live(rollout())
    wait.fails("get Rollout", NO_PATH, after=20)
    (ended,) = wait.run(waited(kind=ROLLOUT), seconds=90)
    assert ended.blind is not None
    assert (ended.end, ended.blind.error) == ("unseen", NO_PATH)
    assert (1020 <= ended.blind.since < 1023, 30 <= ended.seconds < 35) == (True, True)
    assert wait.ends[-1] == "unseen"


# --- what others do -------------------------------------------------------------------------------------

OTHERS = deployment(annotations={**MARKS, "io.tencent.paas.template_version": "9"})


@pytest.mark.parametrize(("until", "end"), [(28.0, "ready"), (1e9, "failed")])
def test_what_another_version_has_replaced_has_failed_if_it_stays(until: float, end: str) -> None:
    wait = Wait()
    for at, live in ((0.0, GOING_UP), (20.0, OTHERS), (until, GOING_UP), (until + 20, READY)):
        wait.live(live, at=at)
    (ended,) = wait.run(waited(), seconds=90)
    assert (ended.end, ended.cause and ended.cause.name) == (end, "replaced" if end == "failed" else None)
    assert ended.status is not None
    if end == "failed":
        assert ended.status.sentence.key == "rollout.old"
        assert 30 <= ended.seconds < 35
        told = [(item.end, item.cause is None) for _, item in wait.told]
        assert told == [("pending", True), ("pending", True), ("failed", False)]


def test_each_replacement_is_given_its_seconds() -> None:
    wait = Wait()
    for at, live in ((0, GOING_UP), (5, OTHERS), (11, GOING_UP), (14, OTHERS), (20, READY)):
        wait.live(live, at=at)
    assert wait.run(waited(), seconds=90)[0].end == "ready"


def test_what_is_being_deleted_is_told_as_gone_with_its_cause() -> None:
    wait = Wait()
    going = {**GOING_UP, "metadata": {**mapping_at(GOING_UP, "metadata"), "deletionTimestamp": "2026"}}
    wait.live(going)
    (ended,) = wait.run(waited())
    assert ended.cause is not None
    assert (ended.end, ended.cause.name, ended.seconds) == ("gone", "gone", 0.0)


# --- hooks ----------------------------------------------------------------------------------------------

PAUSED = {**deployment(updated=1, annotations=MARKS, paused=True)}
RUN: Object = {
    "kind": "HookRun",
    "metadata": {"name": "run", "ownerReferences": [{"uid": "u1"}]},
    "status": {"phase": "Failed", "message": "not drained"},
}


@pytest.mark.parametrize(("refused", "key"), [(False, "rollout.hook_said"), (True, "rollout.paused")])
def test_what_failed_says_what_its_hooks_say(key: str, *, refused: bool) -> None:
    wait = Wait()
    wait.live({**PAUSED, "metadata": {**mapping_at(PAUSED, "metadata"), "uid": "u1"}})
    wait.live(RUN, "run")
    if refused:
        wait.fails("list HookRun", REFUSED)
    (ended,) = wait.run(waited(kind=DEPLOYMENT._replace(runs=HOOK_RUN)))
    assert (ended.end, ended.status and ended.status.sentence.key) == ("failed", key)
    assert wait.bcs.count("list HookRun") == 1


def test_hooks_of_what_has_not_failed_are_not_asked_for() -> None:
    wait = Wait()
    wait.live(READY)
    wait.run(waited(kind=DEPLOYMENT._replace(runs=HOOK_RUN)))
    assert wait.bcs.calls == ["get Deployment"]


# --- pods -----------------------------------------------------------------------------------------------

NO_IMAGE = pod(phase="Pending", containers=[waiting("ImagePullBackOff", "not found")])
CRASHING = pod(containers=[waiting("CrashLoopBackOff", "back-off 10s", restarts=1)])
NO_SECRET = pod(phase="Pending", containers=[waiting("CreateContainerConfigError", "secret not found")])
CREATING = pod(phase="Pending", containers=[waiting("ContainerCreating")])
BAD_NAME = pod(phase="Pending", containers=[waiting("InvalidImageName", "couldn't parse image")])
NO_NODE = condition("PodScheduled", "False", reason="Unschedulable", message="0/3 nodes")
UNPLACED = pod(phase="Pending", conditions=[NO_NODE])


def going_up(**more: JsonValue) -> Object:
    return {**served(available=0), **more}


def test_a_pod_that_can_not_heal_ends_the_wait_and_is_told_once() -> None:
    wait = Wait()
    wait.live(going_up())
    with_pod(wait, state="InvalidImageName", whole=BAD_NAME)
    (ended,) = wait.run(waited(), seconds=120)
    assert (ended.end, ended.problem and ended.problem.reason) == ("failed", "InvalidImageName")
    assert ended.cause is not None
    assert [(item.end, item.cause) for _, item in wait.told] == [("pending", None), ("failed", ended.cause)]
    assert ended.seconds == 0.0


def test_without_fail_fast_an_image_that_is_not_there_is_waited_for() -> None:
    ends = []
    for fail_fast in (True, False):
        wait = Wait()
        wait.live(going_up())
        with_pod(wait, state="ImagePullBackOff", whole=NO_IMAGE)
        (ended,) = wait.run(waited(), seconds=120, fail_fast=fail_fast)
        assert (ended.problem and ended.problem.reason) == "ImagePullBackOff"
        ends.append(ended.end)
    assert ends == ["failed", "pending"]


def test_what_a_ready_workload_was_kept_by_is_forgotten() -> None:
    wait = Wait()
    wait.live(going_up())
    wait.live(served(), at=20)
    with_pod(wait, state="Pending", whole=UNPLACED)
    (ended,) = wait.run(waited(), seconds=120)
    assert (ended.end, ended.problem, ended.cause) == ("ready", None, None)
    assert [item.problem.reason for _, item in wait.told if item.problem is not None] == ["Unschedulable"]


def test_a_quiet_pod_is_read_after_fifteen_seconds_and_again_after_as_many() -> None:
    wait = Wait()
    wait.live(going_up())
    with_pod(wait, state="ContainerCreating", whole=CREATING)
    wait.run(waited(), seconds=40)
    first, second = (moment for name, moment in wait.bcs.times if name == "get Pod")
    assert (first, 30 <= second < 32) == (15.0, True)


def test_the_pods_of_what_has_failed_are_read_at_once_and_tell_why() -> None:
    wait = Wait()
    late = condition("Progressing", "False", reason="ProgressDeadlineExceeded")
    wait.live(going_up())
    status = mapping_at(going_up(), "status")
    wait.live({**going_up(), "status": {**status, "conditions": [{**late, "lastUpdateTime": "10:00"}]}}, at=3)
    with_pod(wait, state="ContainerCreating", whole=CREATING)
    (ended,) = wait.run(waited(), seconds=40)
    assert (ended.end, ended.seconds) == ("failed", 3.0)
    assert (ended.problem and ended.problem.reason) == "ContainerCreating"
    assert [cause.name for cause in ended.causes] == [ended.cause.name if ended.cause else ""]
    assert wait.ends == ["pending", "failed"]


def test_trouble_that_came_back_counts_anew() -> None:
    ends = []
    for came_back in (40, 6):
        wait = Wait()
        wait.live(going_up())
        wait.live(served(), at=80)
        with_pod(wait, state="CreateContainerConfigError", whole=NO_SECRET)
        wait.at(5, partial(with_pod, wait, state="ContainerCreating", whole=CREATING))
        wait.at(came_back, partial(with_pod, wait, state="CreateContainerConfigError", whole=NO_SECRET))
        ends.append(wait.run(waited(), seconds=120)[0].end)
    assert ends == ["ready", "failed"], "it is given a minute"


def test_of_several_problems_the_one_that_can_not_heal_is_told() -> None:
    wait = Wait()
    wait.live(going_up())
    with_pod(wait, "web-abc-1", state="Pending", whole=UNPLACED)
    with_pod(wait, "web-abc-2", state="InvalidImageName", whole=BAD_NAME)
    (ended,) = wait.run(waited(), seconds=120)
    assert (ended.end, ended.problem and ended.problem.reason) == ("failed", "InvalidImageName")


def test_the_problem_that_ends_the_wait_is_told_though_another_is_more_urgent() -> None:
    wait = Wait()
    wait.live(going_up())
    with_pod(wait, "web-abc-1", state="CreateContainerConfigError", whole=NO_SECRET)
    start = pod(phase="Pending", containers=[waiting("RunContainerError", "no such device")])
    wait.at(50, partial(with_pod, wait, "web-abc-2", state="RunContainerError", whole=start))
    (ended,) = wait.run(waited(), seconds=120)
    assert (ended.end, ended.problem and ended.problem.reason) == ("failed", "CreateContainerConfigError")
    assert 60 <= ended.seconds < 64


def test_two_pods_are_read_in_a_round_at_most() -> None:
    wait = Wait()
    wait.live(going_up())
    for number in range(4):
        with_pod(wait, f"web-abc-{number}", state="ErrImagePull", whole=NO_IMAGE)
    wait.run(waited(), seconds=0.5)
    assert wait.bcs.count("get Pod") == 2


@pytest.mark.parametrize(("seconds", "told"), [(40, False), (50, True)])
def test_a_pod_that_ends_is_in_the_way_only_after_a_while(seconds: float, *, told: bool) -> None:
    wait = Wait()
    live = going_up()
    wait.live({**live, "spec": {**mapping_at(live, "spec"), "strategy": {"type": "Recreate"}}})
    with_pod(wait, state="Terminating")
    found = wait.bcs.live["Pod/web-abc-1"]
    found["metadata"] = {**mapping_at(found, "metadata"), "deletionTimestamp": "2026-01-01T00:00:00Z"}
    (ended,) = wait.run(waited(), seconds=15 + seconds)
    assert (ended.problem is not None) is told


def test_of_many_those_with_pods_in_trouble_are_read_at_once_and_others_after_fifteen_seconds() -> None:
    wait = Wait()
    wait.live(going_up(), *names(6))
    with_pod(wait, "web-3-abc", state="CrashLoopBackOff", whole=CRASHING)
    with_pod(wait, "web-4-abc", state="ContainerCreating", whole=CREATING)
    wait.run(waited(*names(6)), seconds=15)
    reads = [(name, moment) for name, moment in wait.bcs.times if name == "get Deployment"]
    assert [moment for _, moment in reads if moment < 15] == [float(second) for second in range(15)]
    assert len([moment for _, moment in reads if moment >= 15]) == 5
    assert "list pods" not in wait.bcs.calls
    assert wait.bcs.count("list Pod") == wait.bcs.count("list Deployment")


# --- telling --------------------------------------------------------------------------------------------


def test_a_sign_of_life_is_put_off_by_what_is_new() -> None:
    wait = Wait()
    wait.live(GOING_UP)
    wait.live(deployment(available=2, annotations=MARKS), at=20)
    wait.run(waited(), seconds=60)
    assert [at >= 50 for at, _ in wait.quiet] == [True]
