"""What is known of a workload while it is waited for, and what a first look tells of what was before."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

import pytest
from tests.support.objects import MARKS, NAME, VERSION, Object, condition, deployment, workload
from tests.support.pieces import FakeClock

from bcs_template_set.manifests.custom_kinds import ROLLOUT
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kind_rules import WorkloadState
from bcs_template_set.manifests.kinds import DAEMON_SET, DEPLOYMENT, JOB
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import AppNotGranted, NoPermission
from bcs_template_set.messages.server_errors import BcsFailed, GatewayFailed, NoSuchPath
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.rollout.pods import PodProblem
from bcs_template_set.rollout.wait_state import GONE_AFTER, WaitState, by_kind
from bcs_template_set.rollout.watched import Blind, RolloutStatus, Watched, Workload

DOWN = GatewayFailed(url="u", status=504, message="m")


def waiting(kind: Kind = DEPLOYMENT, *, name: str = "web", wanted: Optional[Object] = None) -> WaitState:
    waited = Workload(kind, name, NAME, VERSION, wanted=wanted or {}, live=wanted or {})
    return WaitState(waited, Watched(waited), looked_at=0, seen_at=0)


def ended(state: WaitState, end: WorkloadState, key: str = "going") -> WaitState:
    """Return a state as it is when a look has found this."""
    state.now = replace(state.now, end=end, status=RolloutStatus("progressing", say(f"rollout.{key}")))
    return state


@pytest.mark.parametrize(
    ("kind", "end", "ceases"),
    [
        (DEPLOYMENT, "ready", True),
        (JOB, "ready", False),
        (DEPLOYMENT, "pending", False),
        (DEPLOYMENT, "failed", False),
    ],
)
def test_what_is_ready_can_cease_to_be_unless_it_has_come_to_its_end(
    kind: Kind, end: WorkloadState, *, ceases: bool
) -> None:
    state = ended(waiting(kind), end)
    assert (state.can_cease_to_be_ready, state.is_waiting) == (ceases, end == "pending")


@pytest.mark.parametrize(
    ("end", "key", "asks"),
    [
        ("pending", "not_available", True),
        ("failed", "deadline_exceeded", True),
        ("ready", "ready", False),
        ("gone", "not_available", False),
        ("unseen", "not_available", False),
        ("pending", "old", False),
        ("pending", "old_file", False),
        ("failed", "changed", False),
        ("pending", "deleting", False),
    ],
)
def test_the_pods_of_what_is_at_our_version_and_not_ready_have_more_to_say(
    end: WorkloadState, key: str, *, asks: bool
) -> None:
    assert ended(waiting(), end, key).asks_for_its_pods is asks
    blind = ended(waiting(), end, key)
    blind.blind = Blind(0.0, DOWN)
    assert not blind.asks_for_its_pods
    assert not waiting().asks_for_its_pods, "it was never seen"


# --- what was read --------------------------------------------------------------------------------------


def image(tag: str, **pods: str) -> Object:
    """Return the template of pods with an image."""
    return {"spec": {"containers": [{"name": "main", "image": tag}], **pods}}


def templated(template: Optional[Object], *, version: str = VERSION, **more: str) -> Object:
    """Return a Deployment that is rolled out, with this template of pods, at a version."""
    marks: Object = {**MARKS, "io.tencent.paas.template_version": version}
    spec: Object = {"replicas": 3, **({"template": template} if template else {})}
    live = {**deployment(), "spec": spec}
    return {**live, "metadata": {"name": "web", "generation": 2, "annotations": marks, **more}}


GOING = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
OURS = image("web:2")


@pytest.mark.parametrize(
    ("looks", "state", "key"),
    [
        ([templated(OURS)], "ready", "ready"),
        ([templated(OURS), templated(image("web:3"))], "progressing", "changed"),
        ([templated(image("web:3"))], "progressing", "changed"),
        ([templated(OURS), templated(image("web:3"), version="1")], "progressing", "old"),
        ([templated(OURS), templated(image("web:3"), **GOING)], "gone", "deleting"),
        ([templated(OURS), templated(None)], "ready", "ready"),
        ([templated(OURS), templated(image("web:2", schedulerName="other"))], "ready", "ready"),
    ],
)
def test_what_has_another_template_than_was_deployed_is_somebody_elses(
    looks: list[Object], state: str, key: str
) -> None:
    waited = waiting(wanted={"spec": {"template": OURS}})
    for live in looks:
        found = waited.status(live)
    assert (found.state, found.sentence.key) == (state, f"rollout.{key}")
    assert waited.live == looks[-1]
    assert waited.first == looks[0]
    if key == "changed":
        assert found.sentence.fields == {"fields": ["spec.containers[main].image"]}
        assert (found.done, found.wanted) == (3, 3)
    others = waited.cause_of_others(found)
    assert (others and others.name) == {"changed": "changed", "old": "replaced"}.get(key)


def test_what_a_preview_cuts_is_taken_as_it_is_seen_first() -> None:
    wanted: Object = {"spec": {"template": image("web:2", schedulerName="own")}}
    for first, later, key in (("own", "own", "ready"), ("own", "x", "changed"), ("x", "x", "ready")):
        waited = waiting(wanted=wanted)
        waited.workload = replace(waited.workload, live={"spec": {"template": OURS}})
        waited.status(templated(image("web:2", schedulerName=first)))
        found = waited.status(templated(image("web:2", schedulerName=later)))
        assert found.sentence.key == f"rollout.{key}", (first, later)


def test_of_what_was_not_read_back_the_first_look_tells_how_it_was_deployed() -> None:
    waited = waiting(wanted={"spec": {"template": OURS}})
    waited.workload = replace(waited.workload, live={})
    found = [waited.status(templated(image(tag))).state for tag in ("web:3", "web:3", "web:4")]
    assert found == ["ready", "ready", "progressing"]


def test_the_template_of_kinds_whose_pods_stand_elsewhere_is_not_compared() -> None:
    waited = waiting(JOB, wanted={"spec": {"template": OURS}})
    kind = DEPLOYMENT._replace(pod_template="spec.jobTemplate.spec.template")
    waited.workload = replace(waited.workload, kind=kind)
    waited.status(templated(OURS))
    assert waited.status(templated(image("web:3"))).state == "ready"


def given_up(moment: str) -> Object:
    said = {**condition("Progressing", "False", reason="ProgressDeadlineExceeded"), "lastUpdateTime": moment}
    return deployment(available=1, annotations=MARKS, conditions=[said])


def test_what_kubernetes_gave_up_before_the_wait_is_neither_a_failure_nor_a_cause() -> None:
    waited = waiting()
    before = waited.status(given_up("10:00"))
    assert (before.state, before.sentence.key) == ("progressing", "rollout.deadline_before")
    assert waited.condition(0.0) is None
    again = waited.status(given_up("11:00"))
    assert (again.state, again.sentence.key) == ("failed", "rollout.deadline_exceeded")
    cause = waited.condition(0.0)
    assert cause is not None
    assert cause.name == "progress_deadline"
    undated = waiting()
    assert undated.status(given_up("")).state == "failed"


def test_a_pause_is_a_failure_whatever_kubernetes_noted_before() -> None:
    said: Object = {**condition("Progressing", reason="ReplicaSetUpdated"), "lastUpdateTime": "10:00"}
    paused = deployment(available=1, updated=1, annotations=MARKS, conditions=[said], paused=True)
    for before in ([], [paused]):
        waited = waiting()
        for live in (*before, paused):
            found = waited.status(live)
        assert (found.state, found.sentence.key) == ("failed", "rollout.paused")
    plain = deployment(available=1, updated=1, annotations=MARKS, paused=True)
    assert waiting().status(plain).state == "failed"


def test_another_failure_is_one_although_kubernetes_gave_it_up_before() -> None:
    waited = waiting()
    said = given_up("10:00")
    quota = condition("ReplicaFailure", reason="FailedCreate", message="exceeded quota: team")
    status: Object = {**said["status"]}  # type: ignore[dict-item]  # its status
    conditions = status["conditions"]
    assert isinstance(conditions, list)
    waited.status({**said, "status": {**status, "conditions": [*conditions, quota]}})
    cause = waited.condition(0.0)
    assert cause is not None
    assert cause.name == "quota"


def test_a_silence_counts_from_when_it_was_seen_first_and_anew_after_it_was_broken() -> None:
    waited = waiting(JOB)
    silent, loud = (
        workload("Job", annotations=MARKS),
        workload("Job", annotations=MARKS, status={"active": 1}),
    )
    causes = []
    for moment, live in (
        (0.0, silent),
        (4.0, silent),
        (6.0, silent),
        (7.0, loud),
        (8.0, silent),
        (14.0, silent),
    ):
        waited.status(live)
        cause = waited.condition(moment)
        causes.append(cause and cause.name)
    assert causes == [None, None, "no_pods", None, None, "no_pods"]


# --- what was not seen ----------------------------------------------------------------------------------


def test_what_was_seen_is_neither_blind_nor_missing_nor_unserved() -> None:
    clock, state = FakeClock(), waiting(ROLLOUT)
    state.could_not_look(DOWN, clock)
    state.lasts("missing", 0.0)
    state.lasts("unserved", 0.0)
    clock.time = 2000.0
    state.saw(clock)
    assert (state.blind, state.began, state.seen_at, state.was_served) == (None, {}, 2000.0, True)


def test_since_when_nobody_can_look_is_kept_with_the_first_reason() -> None:
    clock, state = FakeClock(), waiting()
    state.lasts("missing", 0.0)
    state.could_not_look(DOWN, clock)
    clock.time += 5
    state.could_not_look(NoPermission(user="lisi", message="m"), clock)
    assert (state.blind, state.began) == (Blind(1000.0, DOWN), {})
    assert state.ended() == replace(state.now, end="unseen", blind=Blind(1000.0, DOWN))


@pytest.mark.parametrize(("seconds", "gone"), [(0.0, False), (GONE_AFTER - 1, False), (GONE_AFTER, True)])
def test_what_nobody_finds_for_ten_seconds_is_gone(seconds: float, *, gone: bool) -> None:
    clock, state = FakeClock(), waiting()
    state.could_not_look(DOWN, clock)
    assert not state.did_not_find(clock)
    clock.time += seconds
    assert (state.did_not_find(clock), state.blind) == (gone, None)
    assert state.ended().end == "gone", "also where the time is over before"


NO_DEFINITION = BcsFailed(
    bcs_code=1, message='customresourcedefinitions.apiextensions.k8s.io "rollouts.argoproj.io" not found'
)
NO_PATH = NoSuchPath(url="u", message="m")
NOT_GRANTED = AppNotGranted(app_code="a", message="m")


@pytest.mark.parametrize(
    ("kind", "error", "unserved"),
    [
        (ROLLOUT, NO_DEFINITION, True),
        (ROLLOUT, NO_PATH, True),
        (ROLLOUT, NOT_GRANTED, True),
        (ROLLOUT, DOWN, False),
        (ROLLOUT, BcsFailed(bcs_code=1, message="not found"), False),
        (DEPLOYMENT, NO_PATH, False),
    ],
)
def test_a_custom_kind_that_nobody_serves_for_ten_seconds_is_unserved(
    kind: Kind, error: StepError, *, unserved: bool
) -> None:
    clock, state = FakeClock(), waiting(kind)
    assert not state.is_unserved(error, clock)
    clock.time += GONE_AFTER - 1
    assert not state.is_unserved(error, clock)
    clock.time += 1
    assert state.is_unserved(error, clock) is unserved
    assert state.was_served is not unserved
    assert not state.is_unserved(DOWN, clock)
    assert state.was_served
    assert not state.is_unserved(error, clock), "it counts anew"


def test_what_is_gone_is_told_with_how_it_was_seen_last_and_without_its_earlier_trouble() -> None:
    state = ended(waiting(), "pending", "not_available")
    trouble = waiting(JOB)
    trouble.status(workload("Job", annotations=MARKS))
    silence = replace(trouble.gone(), end="pending").cause
    state.now = replace(state.now, problem=PodProblem("web-1", "Error"), condition=silence, seconds=7.0)
    state.live, state.seen_at = deployment(), 1_767_225_790.0
    gone = state.gone()
    assert (gone.end, gone.problem, gone.condition, gone.seconds) == ("gone", None, None, 7.0)
    assert gone.status == state.now.status
    assert gone.cause is not None
    assert (gone.cause.name, gone.cause.patience) == ("gone", GONE_AFTER)
    assert gone.cause.sentence.render("en_US").startswith("Deployment/web was there at 00:03:10 UTC")


def test_what_has_ended_stays_as_it_was_told_whatever_was_not_seen_since() -> None:
    state = ended(waiting(), "ready", "ready")
    state.lasts("missing", 0.0)
    state.blind = state.pods_blind = Blind(0.0, DOWN)
    assert state.ended() is state.now


def test_that_its_pods_could_not_be_looked_at_is_said_of_what_is_pending() -> None:
    state = ended(waiting(), "pending")
    state.pods_blind = Blind(5.0, DOWN)
    assert state.ended() == replace(state.now, blind=Blind(5.0, DOWN))


def test_what_is_new_is_neither_told_nor_read() -> None:
    state = waiting()
    assert (state.told, state.pods_read_at, state.was_served) == (state.now, float("-inf"), False)


def test_states_are_taken_kind_by_kind_in_the_order_of_the_kinds_names() -> None:
    states = [waiting(JOB), waiting(), waiting(DAEMON_SET), waiting(name="api")]
    assert [(kind.name, same) for kind, same in by_kind(states)] == [
        ("DaemonSet", [states[2]]),
        ("Deployment", [states[1], states[3]]),
        ("Job", [states[0]]),
    ]


@pytest.mark.parametrize(
    ("kind", "before", "now", "pods", "met"),
    [
        (DEPLOYMENT, 4, 5, 3, False),
        (DEPLOYMENT, 4, 6, 3, True),
        (DEPLOYMENT, 4, 6, 7, False),
        (DEPLOYMENT, 4, 4, 3, False),
        (DEPLOYMENT, 0, 6, 3, False),
        (DEPLOYMENT, 1, 3, 3, True),
        (ROLLOUT, 4, 6, 3, False),
    ],
)
def test_more_writes_than_ours_are_somebody_elses_but_for_an_autoscalers(
    kind: Kind, before: int, now: int, pods: int, *, met: bool
) -> None:
    read_back = deployment(annotations=MARKS)
    waited = Workload(kind, "web", NAME, VERSION, live=read_back, generation=before)
    state = WaitState(waited, Watched(waited), looked_at=0, seen_at=0)
    state.status(deployment(annotations=MARKS, generation=now, replicas=pods))
    assert state.met_others == met


def test_an_argo_rollout_that_was_given_up_before_is_on_its_way_until_it_is_once_more() -> None:
    waited = Workload(ROLLOUT, "web", NAME, VERSION)
    state = WaitState(waited, Watched(waited), looked_at=0, seen_at=0)

    def given_up(moment: str) -> Object:
        said: Object = condition("Progressing", "False", reason="ProgressDeadlineExceeded")
        status: Object = {
            "phase": "Degraded",
            "message": "ProgressDeadlineExceeded: m",
            "conditions": [{**said, "lastUpdateTime": moment}],
        }
        return workload("Rollout", annotations=MARKS, spec={"replicas": 3}, status=status)

    first, again, fresh = (state.status(given_up(moment)) for moment in ("10:00", "10:00", "11:00"))
    assert [first.state, again.state, fresh.state] == ["progressing", "progressing", "failed"]
    assert (
        str(first.sentence) == str(fresh.sentence) == "The rollout is degraded: ProgressDeadlineExceeded: m"
    )
