"""What deploying and restoring share: whom they wait for, what that comes to, and how each file was left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Optional

import pytest
from tests.support.objects import condition, deployment
from tests.support.phases import CLUSTER, NAMESPACE, Answer, Answers, Phases, run_of

from bcs_template_set.bcs.calls import JsonValue
from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.bcs.marks import TEMPLATE_NAME, TEMPLATE_VERSION, Mark
from bcs_template_set.manifests.declared_kinds import Declared
from bcs_template_set.manifests.kind_rules import WorkloadState
from bcs_template_set.manifests.kinds import CONFIG_MAP, DEPLOYMENT
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import DeployRefused, NoPermission, RolloutFailed
from bcs_template_set.messages.server_errors import (
    GatewayFailed,
    NoSuchPath,
    RolloutBlocked,
    RolloutTimedOut,
    RolloutUnseen,
    WorkloadsGone,
)
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.rollout.causes import Cause
from bcs_template_set.rollout.deployment_plan import DeploymentPlan
from bcs_template_set.rollout.live_state import FileVersion, LiveState
from bcs_template_set.rollout.result import Rollout
from bcs_template_set.rollout.watched import Blind, RolloutStatus, Watched, Workload
from bcs_template_set.run.deploy_target import (
    DeployProgress,
    DeployTarget,
    check_watched,
    unwatched,
    wait_for,
    workloads_of,
)

SPACE = "front-ends"
PLACE = NamespaceRef("web", "a" * 32, CLUSTER, NAMESPACE)
OLD, NEW = "1.0.6-main", "1.0.7-main"


def file(name: str = "web.yaml", version: str = NEW) -> FileVersion:
    return FileVersion(name, f"id-{name}", version)


def marked(version: str, name: str = "web.yaml") -> dict[str, YamlValue]:
    return {TEMPLATE_NAME: f"{SPACE}/{name}", TEMPLATE_VERSION: version}


def state(
    name: str = "web", *, of: str = "web.yaml", at: str = "", kind: str = "Deployment", **spec: YamlValue
) -> LiveState:
    """Return an object of a file, live at a version where one is given."""
    metadata: YamlValue = {"name": name}
    desired: dict[str, YamlValue] = {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": metadata,
        "spec": spec,
    }
    live: dict[str, YamlValue] = {"metadata": {"annotations": marked(at, of)}}
    return LiveState(of, kind, name, desired, live if at else None)


def target_of(
    answers: Optional[Mapping[str, Answer]] = None,
    *,
    seconds: Optional[float] = None,
    declared: Optional[Declared] = None,
    timeout: str = "600",
) -> tuple[DeployTarget, Phases]:
    """Return what a run deploys into, within so many seconds, and what it says."""
    phases = run_of(("web.yaml", "kind: X"), seconds=seconds, inputs={"timeout": timeout})
    return DeployTarget(phases.run.context, Answers(answers or {}), PLACE, declared or {}), phases


# --- whom to wait for -----------------------------------------------------------------------------------


def test_what_was_sent_is_waited_for_at_its_version_and_has_to_become_another_generation() -> None:
    seen = replace(state(at=OLD), whole={"metadata": {"generation": 7}})
    (found,) = workloads_of([file()], [seen], space=SPACE, declared={})
    assert found == Workload(DEPLOYMENT, "web", f"{SPACE}/web.yaml", NEW)
    assert (found.live, found.wanted, found.generation) == (seen.live, seen.desired, 7)


def test_what_was_live_as_wanted_keeps_its_mark_and_is_this_builds_only_where_an_earlier_try_sent_it() -> (
    None
):
    seen = replace(state(at=OLD), whole={"metadata": {"generation": 7}})
    (found,) = workloads_of([file()], [seen], space=SPACE, declared={}, unsent=[file()])
    assert (found.marked, found.was_live, found.generation) == (Mark(f"{SPACE}/web.yaml", OLD), True, 0)
    (found,) = workloads_of([file()], [seen], space=SPACE, declared={}, unsent=[file()], own={"web.yaml"})
    assert (found.marked, found.was_live) == (Mark(f"{SPACE}/web.yaml", OLD), False)


def test_nobody_waits_for_other_files_or_for_what_has_no_rollout() -> None:
    others = [state(of="other.yaml"), state(kind="Service"), state("new")]
    found = workloads_of([file()], others, space=SPACE, declared={})
    assert [(one.title, one.live) for one in found] == [("Deployment/new", {})]


def test_a_comment_says_of_which_kind_an_object_is_that_nobody_knows() -> None:
    declared = {("web.yaml", "Database/db"): CONFIG_MAP}
    database = state("db", kind="Database")
    (found,) = workloads_of([file()], [database], space=SPACE, declared=declared)
    assert found.kind is CONFIG_MAP
    assert workloads_of([file()], [database], space=SPACE, declared={}) == []


def test_what_makes_pods_and_is_of_a_kind_that_nobody_knows_is_left_unless_a_comment_tells() -> None:
    pods: YamlValue = {"spec": {"containers": [{"name": "main"}]}}
    states = [
        state("db", kind="Database", template=pods),
        state("settings", kind="Settings"),
        state(template=pods),
        state("db", of="other.yaml", kind="Database", template=pods),
    ]
    assert unwatched([file()], states, declared={}) == ["Database/db"]
    assert unwatched([file()], states, declared={("web.yaml", "Database/db"): CONFIG_MAP}) == []
    assert unwatched([file()], states, declared={("x.yaml", "Database/db"): CONFIG_MAP}) == ["Database/db"]


# --- waiting --------------------------------------------------------------------------------------------


def seen(*, at: str = NEW, pods: int = 3, generation: int = 2) -> dict[str, Answer]:
    """Return how a Deployment is seen that is ready at a version."""
    live = deployment(replicas=pods, total=pods, annotations=marked(at), generation=generation)
    return {"get Deployment": {"manifest": live}}


def waited(
    *states: LiveState,
    answers: Optional[Mapping[str, Answer]] = None,
    unsent: Sequence[FileVersion] = (),
    declared: Optional[Declared] = None,
    timeout: str = "600",
) -> tuple[tuple[Watched, ...], Phases]:
    """Wait thirty seconds for the objects of two files."""
    refused = NoPermission(user="lisi", message="no")
    known: dict[str, Answer] = {**seen(), "list Pod": refused, **(answers or {})}
    target, phases = target_of(known, declared=declared, timeout=timeout)
    return wait_for(target, [file(), file("b.yaml")], states, seconds=30.4, unsent=unsent), phases


def told(phases: Phases) -> list[str]:
    """Return what was printed, without the marks of its lines."""
    return [line.partition("]")[2] for line in phases.log.splitlines()]


def test_what_is_sent_is_waited_for_so_long_and_what_was_live_is_looked_at() -> None:
    found, phases = waited(state(), state("db"))
    assert [item.end for item in found] == ["ready", "ready"]
    assert "Waiting for 2 workloads, at most 30 s." in told(phases)
    assert "Looking whether" not in phases.log
    found, phases = waited(state(at=OLD), answers=seen(at=OLD), unsent=[file()])
    assert [item.end for item in found] == ["ready"]
    assert "Waiting for" not in phases.log
    assert "Looking whether 1 workload that was live already is ready, for at most 30 s." in told(phases)
    both = waited(state(at=OLD), state("b", of="b.yaml"), unsent=[file()])[1]
    assert "Waiting for 1 workload, at most 30 s." in told(both)


def test_nobody_waits_without_time_or_without_workloads() -> None:
    found, phases = waited(state(), timeout="0")
    assert (found, told(phases)) == (
        (),
        ["Not waiting for 1 workload, since timeout is 0: Deployment/web."],
    )
    found, phases = waited(state(kind="Service"))
    assert (found, told(phases)) == ((), ["Nothing to wait for."])


def test_what_nobody_can_wait_for_is_named() -> None:
    database = state("db", kind="Database", template={"spec": {"containers": [{}]}})
    _, phases = waited(database)
    assert told(phases)[0].endswith("when their kinds are ready: Database/db.")


def test_a_comment_that_fits_no_object_is_a_warning() -> None:
    declared = {("web.yaml", "Database/db"): CONFIG_MAP, ("x.yaml", "Database/x"): CONFIG_MAP}
    _, phases = waited(state(kind="Service"), declared=declared)
    assert [warning.key for warning in phases.record.warnings] == ["deploy.ready_unmatched"]
    assert phases.record.warnings[0].fields == {"objects": ["Database/db"]}
    assert waited(state("db", kind="Database"), declared=declared, timeout="0")[1].warnings == []


def test_who_else_wrote_meanwhile_is_a_warning() -> None:
    before = replace(
        state(at=OLD), live={**deployment(annotations=marked(OLD))}, whole={"metadata": {"generation": 1}}
    )
    assert waited(before, answers=seen(generation=2))[1].warnings == []
    (warning,) = waited(before, answers=seen(generation=9))[1].record.warnings
    assert (warning.key, warning.fields) == ("deploy.overwrote", {"objects": ["Deployment/web"]})


def test_that_nobody_has_pods_although_the_file_wants_some_is_a_warning() -> None:
    (warning,) = waited(state(replicas=3), answers=seen(pods=0))[1].record.warnings
    assert warning.key == "deploy.pods_left"
    assert warning.fields == {"object": "Deployment/web", "live": 0, "wanted": 3}
    assert waited(state(replicas=0), answers=seen(pods=0))[1].warnings == []
    was_live = waited(state(at=OLD, replicas=3), answers=seen(at=OLD, pods=0), unsent=[file()])[1]
    assert was_live.warnings == [], "the plan has said that"


def test_of_what_nobody_could_see_nothing_is_said_but_that() -> None:
    (item,), phases = waited(state(), answers={"get Deployment": NoPermission(user="lisi", message="no")})
    assert (item.end, item.status, phases.warnings) == ("unseen", None, [])


def test_what_somebody_has_stopped_is_left_to_a_person() -> None:
    metadata: JsonValue = {"name": "web", "generation": 1, "annotations": dict(marked(NEW))}
    status: JsonValue = {"conditions": [dict(condition("Suspended"))]}
    job: JsonValue = {"kind": "Job", "metadata": metadata, "spec": {"suspend": True}, "status": status}
    wanted = state(kind="Job")
    of_batch = replace(wanted, desired={**wanted.desired, "apiVersion": "batch/v1"})
    _, phases = waited(of_batch, answers={"get Job": {"manifest": job}})
    assert phases.warnings == ["deploy.workload"]
    game = state(kind="GameDeployment")
    game = replace(game, desired={**game.desired, "apiVersion": "tkex.tencent.com/v1alpha1"})
    unserved = NoSuchPath(url="u", message="m")
    _, phases = waited(game, answers={"get GameDeployment": unserved, "list GameDeployment": unserved})
    assert phases.warnings == ["deploy.workload"]


# --- what is heard in between ---------------------------------------------------------------------------


def watched(
    end: WorkloadState = "ready",
    name: str = "web",
    *,
    key: str = "rollout.ready",
    was_live: bool = False,
    causes: Sequence[Cause] = (),
    deadline: Optional[int] = None,
    blind: Optional[StepError] = None,
) -> Watched:
    workload = Workload(DEPLOYMENT, name, f"{SPACE}/{name}.yaml", NEW, was_live=was_live)
    numbers = {"well": 0, "updated": 1, "wanted": 1}
    status = RolloutStatus("progressing", say(key, **numbers), 0, 1, deadline=deadline)
    unseen = Blind(0.0, blind) if blind is not None else None
    first = causes[0] if causes else None
    return Watched(workload, end, status, cause=first, blind=unseen)


def test_news_are_printed_and_remembered_and_what_is_as_it_was_is_no_news() -> None:
    target, phases = target_of()
    as_it_was = watched(was_live=True)
    target.show_change(as_it_was)
    assert (phases.log, phases.record.watched()) == ("", (as_it_was,))
    target.show_change(watched("pending", key="rollout.not_available", was_live=True))
    assert "Deployment/web" in phases.log
    before = phases.log
    target.show_change(as_it_was)
    assert phases.log != before, "it was news before, so that it is well again is, too"
    target.show_change(watched("ready", "other"))
    assert "Deployment/other" in phases.log


def test_a_quiet_wait_gives_a_sign_of_life() -> None:
    target, phases = target_of()
    target.show_still_waiting([watched("pending")], 61.0)
    assert "61" in phases.log
    assert "Deployment/web" in phases.log


def test_that_nobody_can_look_is_a_warning_in_the_log_alone() -> None:
    target, phases = target_of()
    target.show_sight(Blind(0.0, NoPermission(user="lisi", message="no")))
    assert phases.log.startswith("##[warning]The workloads can't be looked at since ")
    assert phases.warnings == []
    target.show_sight(None)
    assert told(phases)[-1] == "The workloads can be looked at again."


def test_what_a_thread_sees_after_a_signal_has_ended_the_run_is_not_told() -> None:
    target, phases = target_of()
    going = Going()
    kept = going.rollout
    for made in (phases, going.phases):
        made.record.stopped = True
    target.tell(say("deploy.sees_again"))
    target.show_change(watched())
    target.show_sight(None)
    target.show_sight(Blind(0.0, REFUSED))
    going.progress.begins(going.files)
    assert (phases.log, phases.record.watched(), going.rollout) == ("", (), kept)


@pytest.mark.parametrize(("seconds", "left"), [(100.0, 95.0), (5.5, 0.5), (3.0, 0.0)])
def test_a_wait_leaves_five_seconds_to_speak(seconds: float, left: float) -> None:
    target, _ = target_of(seconds=seconds)
    assert target.time_left == left


# --- what it comes to -----------------------------------------------------------------------------------

OF_IMAGE = Cause("x", 1, None, say("rollout.ready"), say("rollout.ready"))
OF_CLUSTER = replace(OF_IMAGE, fault=2)
PUT_OFF = replace(OF_CLUSTER, urgency=60.0)
REFUSED = NoPermission(user="lisi", message="no")


def verdict(*items: Watched, seconds: float = 600.0, timeout: int = 600) -> Optional[StepError]:
    """Return what waiting came to."""
    try:
        check_watched(items, seconds=seconds, timeout=timeout)
    except StepError as exc:
        return exc
    return None


def objects(error: StepError) -> list[object]:
    """Return the workloads that an error explains."""
    told = [detail for detail in error.details if isinstance(detail, Text)]
    return [detail.fields["object"] for detail in told if detail.key == "deploy.workload"]


@pytest.mark.parametrize("end", ["ready", "nothing", "paused"])
def test_what_ended_well_is_no_error(end: WorkloadState) -> None:
    assert verdict(watched(end)) is None
    assert verdict() is None


def test_what_failed_is_the_images_fault_or_the_clusters() -> None:
    assert isinstance(verdict(watched("failed", causes=[OF_IMAGE])), RolloutFailed)
    assert isinstance(verdict(watched("failed", causes=[OF_CLUSTER])), RolloutBlocked)
    assert isinstance(verdict(watched("failed")), RolloutBlocked)
    both = verdict(watched("failed"), watched("failed", "other", causes=[OF_IMAGE]), watched("gone"))
    assert isinstance(both, RolloutFailed)
    assert (both.fields["count"], objects(both)) == (2, ["Deployment/web", "Deployment/other"])


def test_what_the_cluster_says_comes_before_what_is_open_and_that_before_what_nobody_saw() -> None:
    unseen = watched("unseen", "u", blind=REFUSED)
    gone = verdict(watched("pending"), watched("gone"), unseen)
    assert isinstance(gone, WorkloadsGone)
    assert (gone.fields["count"], objects(gone)) == (1, ["Deployment/web", "Deployment/u"])
    pending = verdict(watched("pending"), unseen)
    assert isinstance(pending, RolloutTimedOut)
    assert (pending.fields["count"], objects(pending)) == (1, ["Deployment/web", "Deployment/u"])
    nothing = verdict(watched(), unseen)
    assert isinstance(nothing, RolloutUnseen)
    assert (nothing.fields["count"], objects(nothing)) == (1, ["Deployment/u"])


def test_of_what_nobody_saw_the_request_is_told() -> None:
    refused = NoPermission(user="lisi", message="no").with_context(request_id="r-1")
    found = verdict(watched("unseen"), watched("unseen", blind=refused), watched("unseen", blind=REFUSED))
    assert found is not None
    assert found.context["request_id"] == "r-1"


def late(*items: Watched, seconds: float = 600.0) -> dict[str, object]:
    found = verdict(*items, seconds=seconds)
    assert isinstance(found, RolloutTimedOut)
    return {name: found.fields[name] for name in ("seconds", "timeout", "deadline", "needs_time", "put_off")}


def test_what_took_too_long_says_which_time_was_too_short() -> None:
    needs = {"seconds": 600, "timeout": 0, "deadline": 0, "needs_time": True, "put_off": False}
    assert late(watched("pending")) == needs
    assert late(watched("pending"), seconds=599.6) == needs
    assert late(watched("pending"), seconds=300.4) == {**needs, "seconds": 300, "timeout": 600}
    limits = [watched("pending", deadline=deadline) for deadline in (None, 60, 600, 601)]
    assert late(*limits) == {**needs, "deadline": 600}
    condition_says = replace(watched("pending"), condition=OF_CLUSTER)
    assert late(condition_says) == {**needs, "needs_time": False}
    put_off = watched("pending", causes=[PUT_OFF])
    assert late(put_off) == {**needs, "needs_time": False, "put_off": True}
    assert late(put_off, watched("pending")) == {**needs, "put_off": True}
    assert late(replace(watched("pending"), status=None)) == needs


def test_a_deadline_that_ended_the_wait_early_is_told_with_what_to_do() -> None:
    def told(deadline: Optional[int], key: str = "rollout.deadline_exceeded") -> list[object]:
        found = verdict(watched("failed", key=key, deadline=deadline))
        assert found is not None
        return [*found.details[1:]]

    cure = say("context.cure", value=say("rollout.raise_deadline"))
    assert told(599) == [say("rollout.ended_before_timeout", deadline=599, timeout=600), cure]
    assert told(600) == [cure]
    assert told(None) == [cure]
    assert told(599, key="rollout.ready") == []
    assert verdict(replace(watched("failed"), status=None)) is not None


# --- how each file was left -----------------------------------------------------------------------------


class Going:
    """A deployment of three files, two of which a call carries."""

    def __init__(self, *, before: Sequence[LiveState] = ()) -> None:
        self.files = tuple(file(f"{name}.yaml") for name in "abc")
        target, self.phases = target_of()
        states = [*before, *(state(name, of=f"{name}.yaml") for name in "abc" if not before)]
        plan = DeploymentPlan(self.files, (), tuple(states), (), None, ())
        self.progress = DeployProgress(target, plan, Rollout(CLUSTER, NAMESPACE))

    @property
    def rollout(self) -> Rollout:
        """Return what the record says of it."""
        assert self.phases.record.rollout is not None
        return self.phases.record.rollout

    def ends(self, *live: str, error: Optional[StepError] = None) -> None:
        """End the call for `b` and `a` with these versions live."""
        states = tuple(state(n, of=f"{n}.yaml", at=version) for n, version in zip("ab", live))
        self.progress.ended(self.files[1::-1], states, error)


def names(files: Sequence[FileVersion]) -> list[str]:
    return [file.name for file in files]


def test_before_the_first_call_nothing_is_attempted_and_what_one_carries_is_unread_till_it_is_seen() -> None:
    going = Going()
    assert going.rollout.not_attempted == ("a.yaml", "b.yaml", "c.yaml")
    going.progress.begins(going.files[1::-1])
    assert [*going.rollout.not_attempted, "-", *going.rollout.unread] == ["c.yaml", "-", "a.yaml", "b.yaml"]
    going.progress.begins(going.files[2:])
    assert [*going.rollout.not_attempted, "-", *going.rollout.unread] == ["-", "a.yaml", "b.yaml", "c.yaml"]
    going.ends(NEW, NEW)
    assert (names(going.rollout.deployed), going.rollout.unread) == (["a.yaml", "b.yaml"], ("c.yaml",))
    assert told(going.phases) == ["2 of 3 files are live. Now: b.yaml, a.yaml"]


def test_a_call_that_fails_leaves_files_live_in_part_refused_or_as_they_were() -> None:
    refused = DeployRefused(message="no")
    going = Going()
    going.ends(NEW, OLD, error=refused)
    assert (names(going.rollout.deployed), going.rollout.refused) == (["a.yaml"], ("b.yaml",))
    assert told(going.phases)[-1] == "BCS stopped at b.yaml."
    both = Going()
    both.ends(OLD, OLD, error=refused)
    assert both.rollout.refused == ("b.yaml",), "it stops at the first"
    assert told(both.phases) == ["BCS stopped at b.yaml."]
    unknown = Going()
    unknown.ends(OLD, OLD, error=GatewayFailed(url="u", status=504, message="m"))
    assert (unknown.rollout.refused, unknown.rollout.deployed) == ((), ())


def test_of_a_file_of_which_some_objects_are_ours_now_it_is_said_that_it_is_live_in_part() -> None:
    going = Going()
    half = (state("a", of="a.yaml", at=NEW), state("a2", of="a.yaml", at=OLD))
    going.progress.ended(going.files[:1], half, DeployRefused(message="no"))
    assert (names(going.rollout.partly), going.rollout.deployed) == (["a.yaml"], ())
    going.ends(NEW, NEW)
    assert (going.rollout.partly, names(going.rollout.deployed)) == ((), ["a.yaml", "b.yaml"])


def test_what_had_the_version_before_a_call_that_failed_is_not_told_as_its_work() -> None:
    before = (
        state("a", of="a.yaml", at=NEW),
        state("b", of="b.yaml", at=NEW),
        state("b2", of="b.yaml", at=OLD),
    )
    going = Going(before=before)
    going.progress.ended(going.files[:2], before, DeployRefused(message="no"))
    assert (going.rollout.deployed, going.rollout.partly) == ((), ())
    going.ends(NEW, OLD)
    assert names(going.rollout.deployed) == ["a.yaml"], "that one went well"


def test_what_nobody_can_look_at_stays_unread_and_that_is_said() -> None:
    going = Going()
    going.progress.begins(going.files)
    going.progress.ended(going.files, REFUSED, None)
    assert going.rollout.unread == ("a.yaml", "b.yaml", "c.yaml")
    assert going.phases.warnings == ["deploy.state_unknown"]


def test_where_one_call_carries_all_nothing_is_said_in_between() -> None:
    going = Going()
    states = tuple(state(n, of=f"{n}.yaml", at=NEW) for n in "abc")
    going.progress.ended(going.files, states, None)
    assert names(going.rollout.deployed) == ["a.yaml", "b.yaml", "c.yaml"]
    assert going.phases.log == ""
