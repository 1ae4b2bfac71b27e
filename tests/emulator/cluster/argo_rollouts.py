"""The controller of Argo's Rollouts, simplified to what their status shows. Performs no I/O.

argo-rollouts, utils/rollout/rolloututil.go and rollout/{canary,pause}.go (2026-08): its pods belong to
ReplicaSets, its observed generation is text, and a pause stands in the status alone.
"""

from __future__ import annotations

from tests.emulator.cluster.behaviour import FOREVER
from tests.emulator.cluster.canaries import Canary, counts, move_to, split, step_of, steps_in, take_in
from tests.emulator.cluster.pods import Owner
from tests.emulator.cluster.tree import Manifest, find, items, text, timestamp, without_zeros
from tests.emulator.cluster.world import World

KIND = "Rollout"
_BY_STEP = "CanaryPauseStep"


def begin(track: Canary, world: World) -> None:  # noqa: ARG001 - the controllers are called alike
    """Take a new generation in."""
    take_in(track, _steps(track))


def reconcile(track: Canary, world: World) -> None:
    """Move to the pods of the step, then to the next step; write the status."""
    _notice_promotion(track, world)
    if not track.conditions and not _aborted(track, world):
        _move(track, world)
        _follow_step(track, world)
    new, old = split(track, world)
    if len(new) == track.replicas and not old and track.index >= len(_steps(track)):
        track.stable = track.revision
    world.api.write_status(track.key, _status(track, world))


def next_event(track: Canary, world: World) -> float:
    """Return when the controller acts next though no pod changes."""
    return track.due if track.due > world.now else FOREVER


def _steps(track: Canary) -> list[Manifest]:
    return steps_in(track.spec, "strategy", "canary")


def _notice_promotion(track: Canary, world: World) -> None:
    """Go on where somebody has taken the pause out of the status, as the plugin's `promote` does."""
    status = world.api.objects[track.key].get("status")
    if track.conditions and find(status, "controllerPause") and not items(status, "pauseConditions"):
        track.index, track.conditions = track.index + 1, []


def _move(track: Canary, world: World) -> None:
    weights = [step["setWeight"] for step in _steps(track)[: track.index + 1] if "setWeight" in step]
    weight = weights[-1] if weights and track.index < len(_steps(track)) else 100
    assert isinstance(weight, int), weight
    move_to(
        track,
        world,
        -(-track.replicas * weight // 100),
        labels={"rollouts-pod-template-hash": track.revision},
        owner=Owner(
            kind="ReplicaSet", name=f"{track.name}-{track.revision}", uid=f"{track.uid}-{track.revision}"
        ),
    )


def _follow_step(track: Canary, world: World) -> None:
    step = step_of(track, _steps(track))
    _, _, new, new_ready = counts(track, world)
    if "pause" in step:
        track.conditions = [{"reason": _BY_STEP, "startTime": timestamp(world.now)}]
    elif step and new == new_ready and new:
        track.index += 1


def _aborted(track: Canary, world: World) -> str:
    """Return why the analysis of a step ended the rollout, "" where it did not."""
    for template in items(step_of(track, _steps(track)), "analysis", "templates"):
        phase, message = world.hooks.get(text(template, "templateName"), ("Successful", ""))
        if phase != "Successful":
            return f"RolloutAborted: Rollout aborted update to revision 2: {message}"
    return ""


def _phase(track: Canary, world: World) -> tuple[str, str]:
    aborted = _aborted(track, world)
    if aborted:
        return "Degraded", aborted
    if track.conditions:
        return "Paused", _BY_STEP
    total, _, new, new_ready = counts(track, world)
    if new < track.replicas:
        return "Progressing", "more replicas need to be updated"
    if new_ready < new:
        return "Progressing", "updated replicas are still becoming available"
    return ("Healthy", "") if total == new else ("Progressing", "old replicas are pending termination")


def _status(track: Canary, world: World) -> Manifest:
    total, ready, new, _ = counts(track, world)
    phase, message = _phase(track, world)
    pods = {"replicas": total, "readyReplicas": ready, "availableReplicas": ready, "updatedReplicas": new}
    status: Manifest = {
        "observedGeneration": str(track.observed),
        "phase": phase,
        "currentPodHash": track.revision,
        "stableRS": track.stable,
        **without_zeros(dict(pods)),
    }
    if message:
        status["message"] = message
    if _steps(track):
        status["currentStepIndex"] = track.index
    if track.conditions:
        status.update(pauseConditions=track.conditions, controllerPause=True)
    return status
