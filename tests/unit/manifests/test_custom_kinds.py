"""Each custom kind as a table: what its controller writes, and what that means for who waits."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.support.objects import Object

from bcs_template_set.bcs.marks import Mark
from bcs_template_set.manifests.custom_kinds import CUSTOM, GAME_DEPLOYMENT, GAME_STATEFUL_SET, ROLLOUT
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kinds import CRON_JOB
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.rollout.watched import RolloutStatus, status_of

MARKED: Object = {
    "io.tencent.paas.template_name": "web/web.yaml",
    "io.tencent.paas.template_version": "1.0.8",
}
OURS, OLDER = Mark("web/web.yaml", "1.0.8"), Mark("web/web.yaml", "1.0.9")


def told(status: RolloutStatus) -> tuple[str, str]:
    return status.state, status.sentence.key.partition(".")[2]


def live(spec: Object, status: Object, *, generation: int = 3) -> Object:
    metadata: Object = {"name": "web", "namespace": "prod", "generation": generation, "annotations": MARKED}
    return {"metadata": metadata, "spec": {"replicas": 3, **spec}, "status": status}


# --- GameDeployment, GameStatefulSet --------------------------------------------------------------------

STEPS: list[YamlValue] = [
    {"partition": 2},
    {"pause": {}},
    {"hook": {"templateName": "smoke"}},
    {"pause": {"duration": 30}},
]
GROWING: list[YamlValue] = [{"partition": 2}, {"partition": 1}, {"partition": 0}]
BY_STEP: YamlValue = [{"reason": "PausedByCanaryPauseStep", "startTime": "2026-11-29T12:00:00Z"}]
BY_HOOK: YamlValue = [{"reason": "PausedByStepBasedHook", "startTime": "2026-11-29T12:00:00Z"}]


def game(
    *,
    updated: int = 3,
    ready: int = 3,
    total: int = 3,
    strategy: Object | None = None,
    generation: int = 3,
    **status: YamlValue,
) -> Object:
    counts: Object = {
        "observedGeneration": 3,
        "replicas": total,
        "readyReplicas": total - updated + ready,
        "availableReplicas": total - updated + ready,
        "updatedReplicas": updated,
        "updatedReadyReplicas": ready,
        "updateRevision": "web-7d9",
    }
    return live({"updateStrategy": strategy or {}}, {**counts, **status}, generation=generation)


def at_step(index: int, *, paused: bool = False, **fields: object) -> Object:
    """One of three pods is new: what the first step asks for."""
    strategy: Object = {"canary": {"steps": STEPS}, "paused": paused}
    counts = {"updated": 1, "ready": 1, **fields}
    return game(strategy=strategy, currentStepIndex=index, **counts)  # type: ignore[arg-type] # counts are no strategy


GAMES: list[tuple[str, Object, str, str]] = [
    ("done", game(), "ready", "ready"),
    ("scaled to nothing", live({"replicas": 0}, {"observedGeneration": 3}), "ready", "ready_none"),
    ("spec not observed", game(generation=4), "progressing", "observing"),
    ("status empty", live({}, {}), "progressing", "observing"),
    ("some not updated", game(updated=1, ready=1), "progressing", "updating"),
    ("updated, not ready", game(ready=2), "progressing", "not_available"),
    ("updated, not ready beside an old one", game(total=4, ready=2), "progressing", "not_available"),
    ("ready, not yet for minReadySeconds", game(availableReplicas=2), "progressing", "not_ready"),
    ("old pods left", game(total=4), "progressing", "old_pods"),
    ("by hand", game(strategy={"type": "OnDelete"}, updated=0, ready=0), "paused", "by_hand"),
    ("partition", game(strategy={"partition": 2}, updated=1, ready=1), "paused", "partitioned"),
    ("partition, a first one", game(strategy={"partition": 2}), "ready", "ready"),
    (
        "too few past the partition",
        game(strategy={"partition": 1}, updated=1, ready=1),
        "progressing",
        "updating",
    ),
    (
        "an old pod is not ready",
        game(strategy={"partition": 2}, updated=1, ready=1, readyReplicas=2),
        "progressing",
        "not_ready",
    ),
    (
        "partition of a GameStatefulSet in per cent, rounded down",
        game(strategy={"rollingUpdate": {"partition": "34%"}}, updated=2, ready=2),
        "paused",
        "partitioned",
    ),
    (
        "partition of all pods",
        game(strategy={"rollingUpdate": {"partition": "100%"}}, updated=0, ready=0),
        "paused",
        "partitioned",
    ),
    (
        "the second step is reached, and not the third",
        game(strategy={"canary": {"steps": GROWING}}, currentStepIndex=1, updated=2, ready=2),
        "progressing",
        "canary_step",
    ),
    ("the first step is reached", at_step(0), "progressing", "canary_step"),
    ("the first step is not reached", at_step(0, updated=0, ready=0), "progressing", "updating"),
    (
        "no step has said how many",
        game(strategy={"canary": {"steps": [{"pause": {}}]}}, updated=0, ready=0),
        "progressing",
        "canary_step",
    ),
    ("a pause for a person", at_step(1, paused=True, pauseConditions=BY_STEP), "paused", "canary_paused"),
    ("a person has continued it", at_step(1, pauseConditions=BY_STEP), "progressing", "canary_step"),
    (
        "a pause by the clock",
        at_step(3, paused=True, pauseConditions=BY_STEP),
        "progressing",
        "canary_pausing",
    ),
    ("a hook under way", at_step(2), "progressing", "canary_step"),
    ("a step's hook failed", at_step(2, paused=True, pauseConditions=BY_HOOK), "failed", "step_hook_failed"),
    ("past the last step", at_step(4, updated=3, ready=3), "ready", "ready"),
    ("past the last step, old pods left", at_step(4), "progressing", "updating"),
    ("stopped by hand", game(strategy={"paused": True}, updated=1, ready=1), "paused", "held"),
    (
        "a hook before deleting failed",
        game(updated=1, ready=1, preDeleteHookCondition=[{"podName": "web-1", "phase": "Failed"}]),
        "failed",
        "hook_failed",
    ),
    (
        "a hook after updating could not run",
        game(postInplaceHookCondition=[{"podName": "web-1", "phase": "Error"}]),
        "failed",
        "hook_failed",
    ),
    (
        "a hook under way before updating in place",
        game(updated=1, ready=1, preInplaceHookCondition=[{"podName": "web-1", "phase": "Running"}]),
        "progressing",
        "updating",
    ),
]


@pytest.mark.parametrize("kind", [GAME_DEPLOYMENT, GAME_STATEFUL_SET], ids=lambda kind: kind.name)
@pytest.mark.parametrize(
    ("found", "state", "sentence"), [row[1:] for row in GAMES], ids=[row[0] for row in GAMES]
)
def test_a_game_workload_is_judged_by_what_its_controller_writes(
    kind: Kind, found: Object, state: str, sentence: str
) -> None:
    assert told(status_of(kind, found, mark=OURS)) == (state, sentence)


def test_a_pause_says_at_which_step_of_how_many_and_how_it_goes_on() -> None:
    paused = status_of(GAME_DEPLOYMENT, at_step(1, paused=True, pauseConditions=BY_STEP))
    assert paused.sentence.render("en_US") == (
        "It waits at step 2 of 4 for a person: 1 of 3 pods are new. "
        "To continue: set spec.updateStrategy.paused to false."
    )


def test_a_failed_hook_names_its_pod() -> None:
    found = game(preInplaceHookCondition=[{"podName": "web-1", "phase": "Inconclusive"}])
    sentence = status_of(GAME_DEPLOYMENT, found).sentence.render("en_US")
    assert sentence.startswith("The preInplace hook of pod web-1 ended with Inconclusive")


# --- Rollout --------------------------------------------------------------------------------------------

ARGO_STEPS: list[YamlValue] = [
    {"setWeight": 20},
    {"pause": {}},
    {"setWeight": 60},
    {"pause": {"duration": "1h"}},
]
BY_CANARY: YamlValue = [{"reason": "CanaryPauseStep", "startTime": "2026-11-29T12:00:00Z"}]
BY_PROMOTION: YamlValue = [{"reason": "BlueGreenPause", "startTime": "2026-11-29T12:00:00Z"}]
UNDECIDED: YamlValue = [{"reason": "InconclusiveAnalysisRun", "startTime": "2026-11-29T12:00:00Z"}]


def argo(
    phase: str = "Healthy", *, index: int | None = None, generation: int = 3, **status: YamlValue
) -> Object:
    steps: Object = {"strategy": {"canary": {"steps": ARGO_STEPS}}} if index is not None else {}
    counts: Object = {"replicas": 3, "updatedReplicas": 3, "availableReplicas": 3, "currentPodHash": "abc"}
    seen: Object = {"observedGeneration": "3", "phase": phase, **counts, **status}
    if index is not None:
        seen["currentStepIndex"] = index
    return live(steps, seen, generation=generation)


def blue_green(**strategy: YamlValue) -> Object:
    found = argo("Paused", pauseConditions=BY_PROMOTION, controllerPause=True, message="BlueGreenPause")
    found["spec"] = {"replicas": 3, "strategy": {"blueGreen": strategy}}
    return found


def of_workload(observed: str) -> Object:
    found = argo(workloadObservedGeneration=observed)
    found["metadata"] = {
        "name": "web",
        "generation": 3,
        "annotations": {**MARKED, "rollout.argoproj.io/workload-generation": "7"},
    }
    return found


ROLLOUTS: list[tuple[str, Object, str, str]] = [
    ("healthy", argo(), "ready", "ready"),
    ("scaled to nothing", argo() | {"spec": {"replicas": 0}}, "ready", "ready_none"),
    ("spec not observed", argo(generation=4), "progressing", "observing"),
    ("observed by a hash, as before 0.10", argo(observedGeneration="6c7f"), "ready", "ready"),
    ("no phase yet", argo(""), "progressing", "observing"),
    ("progressing without steps", argo("Progressing", updatedReplicas=1), "progressing", "updating"),
    ("updated, not available", argo("Progressing", availableReplicas=1), "progressing", "not_available"),
    ("on its way for a reason of its own", argo("Progressing", message="a"), "progressing", "in_progress"),
    ("progressing at a step", argo("Progressing", index=2), "progressing", "canary_step"),
    ("aborted", argo("Degraded", message="RolloutAborted: metric failed"), "failed", "degraded"),
    ("a pause for a person", argo("Paused", index=1, pauseConditions=BY_CANARY), "paused", "canary_paused"),
    (
        "a person has continued it",
        argo("Paused", index=1, controllerPause=True, pauseConditions=[]),
        "progressing",
        "observing",
    ),
    (
        "past the last step",
        argo("Paused", index=4, pauseConditions=BY_CANARY),
        "paused",
        "canary_paused",
    ),
    (
        "a pause by the clock",
        argo("Paused", index=3, pauseConditions=BY_CANARY),
        "progressing",
        "canary_pausing",
    ),
    ("stopped by hand", argo("Paused", message="manually paused"), "paused", "held"),
    (
        "an analysis that says neither",
        argo("Paused", index=2, pauseConditions=UNDECIDED, message="b"),
        "paused",
        "held",
    ),
    ("promoted by a person", blue_green(autoPromotionEnabled=False), "paused", "held"),
    ("promoted by the clock", blue_green(autoPromotionSeconds=60), "progressing", "promotion_pending"),
    ("the workload it refers to is observed", of_workload("7"), "ready", "ready"),
    ("of the workload it refers to nothing is said", of_workload(""), "ready", "ready"),
    ("the workload it refers to is not observed", of_workload("6"), "progressing", "observing"),
]


@pytest.mark.parametrize(
    ("found", "state", "sentence"), [row[1:] for row in ROLLOUTS], ids=[row[0] for row in ROLLOUTS]
)
def test_a_rollout_is_judged_by_the_phase_that_its_controller_gives_it(
    found: Object, state: str, sentence: str
) -> None:
    assert told(status_of(ROLLOUT, found, mark=OURS)) == (state, sentence)


def test_a_rollout_says_what_its_controller_says_and_never_reads_it_as_a_sentence() -> None:
    aborted = argo("Degraded", message='RolloutAborted: metric "{wanted}" assessed Failed')
    sentence = status_of(ROLLOUT, aborted).sentence.render("en_US")
    assert sentence == 'The rollout is degraded: RolloutAborted: metric "{wanted}" assessed Failed'


def test_a_paused_rollout_says_how_it_goes_on() -> None:
    paused = status_of(ROLLOUT, argo("Paused", index=1, updatedReplicas=1, pauseConditions=BY_CANARY))
    assert paused.sentence.render("en_US") == (
        "It waits at step 2 of 4 for a person: 1 of 3 pods are new. "
        "To continue: kubectl argo rollouts promote web -n prod"
    )


# --- CronJob --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [({"schedule": "@daily"}, "cron_job"), ({"schedule": "@daily", "suspend": True}, "cron_job_suspended")],
)
def test_a_cron_job_is_nothing_to_wait_for(spec: Object, sentence: str) -> None:
    found: Object = {"metadata": {"annotations": MARKED}, "spec": spec, "status": {}}
    assert told(status_of(CRON_JOB, found, mark=OURS)) == ("nothing", sentence)


def test_each_look_says_what_it_has_counted(golden: Callable[[str, str], None]) -> None:
    said = ""
    for kind, rows in ((GAME_DEPLOYMENT, GAMES), (ROLLOUT, ROLLOUTS)):
        for name, found, *_ in rows:
            status = status_of(kind, found, mark=OURS)
            counts = f"{status.done} of {status.wanted} done"
            said += f"{kind.name}, {name}\n  {status.state}, {counts}: {status.sentence.render('en_US')}\n"
    golden("custom_looks.txt", said)


# --- what holds for each --------------------------------------------------------------------------------

DONE = {GAME_DEPLOYMENT: game(), GAME_STATEFUL_SET: game(), ROLLOUT: argo()}


@pytest.mark.parametrize("kind", CUSTOM, ids=lambda kind: kind.name)
def test_of_an_older_version_no_state_counts(kind: Kind) -> None:
    assert told(status_of(kind, DONE[kind], mark=OLDER)) == ("progressing", "old")


@pytest.mark.parametrize("kind", CUSTOM, ids=lambda kind: kind.name)
def test_an_answer_that_is_cut_down_tells_nothing(kind: Kind) -> None:
    metadata: Object = {"name": "web", "annotations": MARKED}
    pruned = DONE[kind] | {"metadata": metadata}
    assert told(status_of(kind, pruned, mark=OURS)) == ("progressing", "no_status")
    cut_off: Object = {"metadata": {**metadata, "generation": 3}, "spec": {}}
    assert told(status_of(kind, cut_off, mark=OURS)) == ("progressing", "no_status")


@pytest.mark.parametrize("kind", CUSTOM, ids=lambda kind: kind.name)
def test_a_list_tells_which_object_is_worth_a_look(kind: Kind) -> None:
    assert kind.may_be_done(DONE[kind])
    assert not kind.may_be_done({"metadata": {"name": "web", "generation": 3}, "status": {}})
    assert not kind.may_be_done({})


@pytest.mark.parametrize(
    ("kind", "newest"),
    [(GAME_DEPLOYMENT, "web-7d9"), (GAME_STATEFUL_SET, "web-7d9"), (ROLLOUT, "abc")],
    ids=lambda value: getattr(value, "name", ""),
)
def test_the_status_says_which_pods_are_the_newest(kind: Kind, newest: str) -> None:
    assert kind.revision is not None
    assert kind.revision.newest(DONE[kind]) == newest


def test_a_rollout_that_is_ready_may_have_its_template_from_another_workload() -> None:
    found = argo() | {"spec": {"replicas": 3, "workloadRef": {"kind": "Deployment", "name": "web"}}}
    assert status_of(ROLLOUT, found, mark=OURS).state == "ready"
    assert not ROLLOUT.has_own_template(found)
    assert ROLLOUT.has_own_template(argo())


def test_a_game_stateful_set_that_is_ready_has_a_service() -> None:
    assert status_of(GAME_STATEFUL_SET, game(), mark=OURS).state == "ready"
    assert "spec.serviceName" in GAME_STATEFUL_SET.required
