"""The kinds that CustomResourceDefinitions bring: entry and rule of each together. Pure: performs no I/O.

A new kind is a rule and an entry in `CUSTOM`. BCS lists custom objects whole, so a list proves what an
object by itself does. What the controllers write, and where that was read: facts/workloads.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Optional

from bcs_template_set.manifests.fields import Fields, list_at, mapping_at, text_at
from bcs_template_set.manifests.kind_entry import SELECTOR, Kind
from bcs_template_set.manifests.kind_rules import (
    STATEFUL_SET_REVISION,
    Counts,
    Look,
    Revision,
    RolloutRule,
    by_hand,
    deployment_counts,
    down_to,
    ready,
    wanted_replicas,
)
from bcs_template_set.manifests.live_fields import (
    annotation_of,
    count_at,
    is_observed,
    number_in,
    scalar_text,
)
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.messages import Text, say
from bcs_template_set.records.late_dataclass import dataclass

# --- steps of a canary ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Canary:
    """The steps of a canary, and the one it is at, counted from 0; past the last one it is over."""

    steps: Sequence[YamlValue]
    index: int

    @property
    def is_over(self) -> bool:
        return self.index >= len(self.steps)

    @property
    def pause(self) -> YamlValue:
        """Return how long the step pauses by itself; None for one that waits for a person, or none at all."""
        step = mapping_at(self.steps[self.index]) if not self.is_over else {}
        return mapping_at(step, "pause").get("duration")

    def fields(self, live: Fields) -> dict[str, object]:
        """Return what the sentences about a step are told with."""
        return {
            "step": min(self.index + 1, len(self.steps)),
            "steps": len(self.steps),
            "updated": count_at(live, "status", "updatedReplicas"),
            "replicas": wanted_replicas(live),
        }


def _canary(live: Fields, *path: str) -> _Canary:
    return _Canary(list_at(live, "spec", *path, "steps"), count_at(live, "status", "currentStepIndex"))


def _pauses(live: Fields) -> frozenset[str]:
    return frozenset(
        text_at(mapping_at(item), "reason") for item in list_at(live, "status", "pauseConditions")
    )


def _held(live: Fields, canary: _Canary, *, reason: str, how: Text) -> Look:
    """Return the look at a rollout that waits for a person without being at a step for that."""
    return "paused", say("rollout.held", reason=reason, how=how, **canary.fields(live))


# --- GameDeployment, GameStatefulSet --------------------------------------------------------------------

_PERCENT = re.compile("([0-9]+)%")
_FAILED_HOOKS = frozenset({"Failed", "Error", "Inconclusive"})
_HOOKS = {
    "preDeleteHookCondition": "preDelete",
    "preInplaceHookCondition": "preInplace",
    "postInplaceHookCondition": "postInplace",
}
HOOK_RUN = Kind("tkex.tencent.com", "HookRun", route="crds/hookruns.tkex.tencent.com")


def _game_canary(live: Fields) -> _Canary:
    return _canary(live, "updateStrategy", "canary")


def _kept_old(live: Fields) -> int:
    """Return how many pods are to stay old: the partition of the step, or of a strategy without steps."""
    canary, strategy = _game_canary(live), mapping_at(live, "spec", "updateStrategy")
    replicas = wanted_replicas(live)
    if not canary.steps:
        rolling = mapping_at(strategy, "rollingUpdate")
        return _share(strategy.get("partition", rolling.get("partition")), of=replicas)
    if canary.is_over:
        return 0
    reached = [mapping_at(step) for step in canary.steps[: canary.index + 1]]
    partitions = [step["partition"] for step in reached if step.get("partition") is not None]
    return _share(partitions[-1], of=replicas) if partitions else replicas


def _share(value: YamlValue, *, of: int) -> int:
    """Return a partition as a number; a GameStatefulSet takes percentages too, rounded down."""
    share = _PERCENT.fullmatch(scalar_text(value))
    return int(share[1]) * of // 100 if share else number_in(value) or 0


def _game_counts(live: Fields) -> Counts:
    """Count new pods that are ready by themselves; old ones are as well as they are."""
    total, updated = count_at(live, "status", "replicas"), count_at(live, "status", "updatedReplicas")
    kept = min(wanted_replicas(live), _kept_old(live))
    return Counts(
        wanted=wanted_replicas(live) - kept,
        kept=kept,
        total=total,
        updated=updated,
        well=count_at(live, "status", "updatedReadyReplicas") + max(0, total - updated),
    )


def _game(live: Fields, counts: Counts) -> Look:
    if not is_observed(live):
        return "progressing", say("rollout.observing")
    found = next(_failed_hooks(live), None) or _game_pause(live)
    return found if found is not None else _game_pods(live, counts)


def _failed_hooks(live: Fields) -> Iterator[Look]:
    """Yield the hooks that ended badly: the controller waits then until somebody has them run again."""
    for field, hook in _HOOKS.items():
        for condition in map(mapping_at, list_at(live, "status", field)):
            pod, phase = text_at(condition, "podName"), text_at(condition, "phase")
            if phase in _FAILED_HOOKS:
                yield "failed", say("rollout.hook_failed", hook=hook, pod=pod, phase=phase)
    if "PausedByStepBasedHook" in _pauses(live) and _is_paused(live):
        yield "failed", say("rollout.step_hook_failed", **_game_canary(live).fields(live))


def _is_paused(live: Fields) -> bool:
    """Tell whether the update is stopped: the controller itself writes that where a step says so."""
    return mapping_at(live, "spec", "updateStrategy").get("paused") is True


def _game_pause(live: Fields) -> Optional[Look]:
    if not _is_paused(live):
        return None
    canary, how = _game_canary(live), say("rollout.continue_game")
    if "PausedByCanaryPauseStep" not in _pauses(live):
        return _held(live, canary, reason="spec.updateStrategy.paused", how=how)
    if canary.pause is not None:
        return "progressing", say("rollout.canary_pausing", seconds=canary.pause, **canary.fields(live))
    return "paused", say("rollout.canary_paused", how=how, **canary.fields(live))


def _game_pods(live: Fields, counts: Counts) -> Look:
    canary, missing = _game_canary(live), _missing_pods(live, counts)
    if missing is not None:
        return "progressing", missing
    strategy = text_at(live, "spec", "updateStrategy", "type")
    if strategy == "OnDelete":
        return by_hand(strategy, counts)
    if not canary.is_over:
        return "progressing", say("rollout.canary_step", **canary.fields(live))
    return down_to(_kept_old(live), counts)


def _missing_pods(live: Fields, counts: Counts) -> Optional[Text]:
    """Return what the pods still lack: to be new, to be ready, to be as many as wanted and no more."""
    numbers, replicas = counts.numbers, wanted_replicas(live)
    is_by_hand = text_at(live, "spec", "updateStrategy", "type") == "OnDelete"
    new, well = count_at(live, "status", "updatedReadyReplicas"), count_at(live, "status", "readyReplicas")
    if counts.updated < counts.wanted and not is_by_hand:
        return say("rollout.updating", **numbers)
    if new < counts.wanted and not is_by_hand:
        return say("rollout.not_available", **{**numbers, "well": new})
    if min(well, count_at(live, "status", "availableReplicas", default=well)) < replicas:
        return say("rollout.not_ready", replicas=replicas, well=well)
    return say("rollout.old_pods", **numbers) if counts.total > replicas else None


_GAME_RULE = RolloutRule(_game_counts, _game)

GAME_DEPLOYMENT = Kind(
    "tkex.tencent.com",
    "GameDeployment",
    route="crds/gamedeployments.tkex.tencent.com",
    pod_template="spec.template",
    required=(SELECTOR,),
    rule=_GAME_RULE,
    revision=STATEFUL_SET_REVISION,
    runs=HOOK_RUN,
    scales=True,
)
GAME_STATEFUL_SET = Kind(
    "tkex.tencent.com",
    "GameStatefulSet",
    route="crds/gamestatefulsets.tkex.tencent.com",
    pod_template="spec.template",
    required=(SELECTOR, "spec.serviceName"),
    rule=_GAME_RULE,
    revision=STATEFUL_SET_REVISION,
    in_turn=True,
    runs=HOOK_RUN,
    scales=True,
)


# --- Rollout of Argo ------------------------------------------------------------------------------------

_WORKLOAD_GENERATION = "rollout.argoproj.io/workload-generation"


def _argo(live: Fields, counts: Counts) -> Look:
    """Return what the controller says itself (its 1.0 and later), once it speaks of this spec."""
    status = mapping_at(live, "status")
    phase, message = text_at(status, "phase"), text_at(status, "message")
    is_continued = status.get("controllerPause") is True and not list_at(status, "pauseConditions")
    if not _argo_has_seen(live) or is_continued or not phase:
        return "progressing", say("rollout.observing")
    if phase == "Healthy":
        return ready(counts)
    if phase == "Degraded":
        return "failed", say("rollout.degraded", message=message)
    if phase == "Paused":
        return _argo_pause(live, message)
    return "progressing", _argo_progress(live, counts, message)


def _argo_has_seen(live: Fields) -> bool:
    """Tell whether the status speaks of the spec as it is, and of the workload whose template it takes."""
    of_workload = text_at(live, "status", "workloadObservedGeneration")
    asked = annotation_of(live, _WORKLOAD_GENERATION)
    return is_observed(live) and (not (asked and of_workload) or of_workload == asked)


def _argo_progress(live: Fields, counts: Counts, message: str) -> Text:
    canary = _canary(live, "strategy", "canary")
    if not canary.is_over:
        return say("rollout.canary_step", **canary.fields(live))
    if counts.updated < counts.wanted:
        return say("rollout.updating", **counts.numbers)
    if counts.well < counts.updated:
        return say("rollout.not_available", **counts.numbers)
    return say("rollout.in_progress", message=message)


def _argo_pause(live: Fields, message: str) -> Look:
    canary = _canary(live, "strategy", "canary")
    names = {name: text_at(live, "metadata", name) for name in ("name", "namespace")}
    how, reasons = say("rollout.continue_argo", **names), _pauses(live)
    if reasons == {"CanaryPauseStep"} and canary.pause is not None:
        return "progressing", say("rollout.canary_pausing", seconds=canary.pause, **canary.fields(live))
    if reasons == {"CanaryPauseStep"}:
        return "paused", say("rollout.canary_paused", how=how, **canary.fields(live))
    seconds = count_at(live, "spec", "strategy", "blueGreen", "autoPromotionSeconds")
    if reasons == {"BlueGreenPause"} and seconds:
        return "progressing", say("rollout.promotion_pending", seconds=seconds, **canary.fields(live))
    return _held(live, canary, reason=message, how=how)


def _pod_hash(live: Fields) -> str:
    return text_at(live, "status", "currentPodHash")


ROLLOUT = Kind(
    "argoproj.io",
    "Rollout",
    route="crds/rollouts.argoproj.io",
    pod_template="spec.template",
    template_of="spec.workloadRef",
    required=(SELECTOR,),
    rule=RolloutRule(deployment_counts, _argo),
    revision=Revision(("rollouts-pod-template-hash",), _pod_hash),
    scales=True,
)

CUSTOM: Sequence[Kind] = (GAME_DEPLOYMENT, GAME_STATEFUL_SET, ROLLOUT)
