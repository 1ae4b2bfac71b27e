"""The controllers of GameDeployments and GameStatefulSets, simplified to what their status shows. No I/O.

bk-bcs, bcs-runtime/bcs-k8s/bcs-component/bcs-gamedeployment-operator (until 2022-10): pkg/util/canary,
pkg/controllers/gamedeployment/{game_deployment_status_updater,hook}.go; the other operator does alike. Where
a step pauses, the controller itself writes `spec.updateStrategy.paused`; whoever takes that away lets it go
on.
"""

from __future__ import annotations

from tests.emulator.cluster.behaviour import FOREVER
from tests.emulator.cluster.canaries import Canary, counts, move_to, split, step_of, steps_in, take_in
from tests.emulator.cluster.pods import Owner
from tests.emulator.cluster.tree import Manifest, branch, find, number, text, timestamp
from tests.emulator.cluster.world import World

KINDS = ("GameDeployment", "GameStatefulSet")
BY_STEP, BY_HOOK = "PausedByCanaryPauseStep", "PausedByStepBasedHook"


def begin(track: Canary, world: World) -> None:
    """Take a new generation in; one that is not paused any more goes on with its next step."""
    is_new = take_in(track, _steps(track))
    if not is_new and track.conditions and not _is_paused(track):
        _complete_step(track)
    elif is_new and _is_paused(track):
        _pause(track, world, paused=False)


def reconcile(track: Canary, world: World) -> None:
    """Move to the pods of the step, then to the next step; write the status."""
    if not _is_paused(track):
        _move(track, world)
        _follow_step(track, world)
    elif track.paused_at + _duration(track) <= world.now:
        _complete_step(track)
        _pause(track, world, paused=False)
    new, old = split(track, world)
    if len(new) == track.replicas and not old and track.index >= len(_steps(track)):
        track.stable = track.revision
    world.api.write_status(track.key, _status(track, world))


def next_event(track: Canary, world: World) -> float:
    """Return when the controller acts next though no pod changes."""
    moments = [track.due, track.paused_at + _duration(track)]
    return min((moment for moment in moments if moment > world.now), default=FOREVER)


def _steps(track: Canary) -> list[Manifest]:
    return steps_in(track.spec, "updateStrategy", "canary")


def _is_paused(track: Canary) -> bool:
    """Tell whether it is paused: by a person, or by itself until a pause by the clock is over."""
    return branch(track.spec, "updateStrategy").get("paused") is True


def _duration(track: Canary) -> float:
    seconds = find(step_of(track, _steps(track)), "pause", "duration")
    return seconds if isinstance(seconds, int) else FOREVER


def _kept_old(track: Canary) -> int:
    steps = _steps(track)
    if not steps:
        strategy = branch(track.spec, "updateStrategy")
        return number(strategy, "partition", default=number(strategy, "rollingUpdate", "partition"))
    if track.index >= len(steps):
        return 0
    reached = [step["partition"] for step in steps[: track.index + 1] if "partition" in step]
    return reached[-1] if reached and isinstance(reached[-1], int) else track.replicas


def _move(track: Canary, world: World) -> None:
    hook = text(track.spec, "preDeleteUpdateStrategy", "hook", "templateName")
    _, old = split(track, world)
    phase, _ = world.hooks.get(hook, ("Successful", ""))
    if old and hook and phase != "Successful":
        _run_hook(track, world, hook, label="pre-delete-step")
        return
    move_to(
        track,
        world,
        track.replicas - (_kept_old(track) if track.stable != track.revision else 0),
        labels={"controller-revision-hash": _revision(track)},
        owner=Owner(kind=track.key[0], name=track.name, uid=track.uid),
    )


def _follow_step(track: Canary, world: World) -> None:
    step = {} if track.conditions else step_of(track, _steps(track))
    _, _, _, new_ready = counts(track, world)
    reached = new_ready == track.replicas - _kept_old(track)
    if "partition" in step and reached:
        _complete_step(track)
    elif "pause" in step and reached:
        track.paused_at = world.now
        track.conditions = [{"reason": BY_STEP, "startTime": timestamp(world.now)}]
        _pause(track, world, paused=True)
    elif "hook" in step:
        hook = text(step, "hook", "templateName")
        _run_hook(track, world, hook, label="canary-step")
        if world.hooks.get(hook, ("Successful", ""))[0] == "Successful":
            _complete_step(track)
        else:
            track.conditions = [{"reason": BY_HOOK, "startTime": timestamp(world.now)}]
            _pause(track, world, paused=True)


def _complete_step(track: Canary) -> None:
    track.index, track.conditions, track.paused_at = track.index + 1, [], FOREVER


def _pause(track: Canary, world: World, *, paused: bool) -> None:
    stored = world.api.objects[track.key]
    strategy: Manifest = {**branch(stored, "spec", "updateStrategy"), "paused": paused}
    spec: Manifest = {**branch(stored, "spec"), "updateStrategy": strategy}
    world.api.write(track.key, {**stored, "metadata": dict(branch(stored, "metadata")), "spec": spec})
    track.notice(world.api.objects[track.key], now=world.now, lag=world.lag)


def _run_hook(track: Canary, world: World, template: str, *, label: str) -> None:
    """Leave the HookRun behind, where its kind is defined."""
    if world.api.kinds.find("HookRun", "tkex.tencent.com/v1alpha1") is None:
        return
    phase, message = world.hooks.get(template, ("Successful", ""))
    name = f"{label}-{track.revision}-{template}"
    owner = {"kind": track.key[0], "name": track.name, "uid": track.uid, "controller": True}
    key = ("HookRun", track.key[1], name)
    metadata: Manifest = {"name": name, "namespace": track.key[1], "labels": {"hookrun-type": label}}
    metadata["ownerReferences"] = [owner]
    world.api.write(key, {"metadata": metadata, "spec": {"metrics": []}})
    result = {"name": "check", "phase": phase, "message": message}
    world.api.write_status(key, {"phase": phase, "metricResults": [result]})


def _revision(track: Canary) -> str:
    return f"{track.name}-{track.revision}"


def _status(track: Canary, world: World) -> Manifest:
    total, ready, new, new_ready = counts(track, world)
    status: Manifest = {
        "observedGeneration": track.observed,
        "replicas": total,
        "readyReplicas": ready,
        "availableReplicas": ready,
        "updatedReplicas": new,
        "updatedReadyReplicas": new_ready,
        "updateRevision": _revision(track),
        "canary": {"revision": f"{track.name}-{track.stable}"},
    }
    if track.key[0] == "GameStatefulSet":
        del status["availableReplicas"]
        status["currentRevision"] = f"{track.name}-{track.stable}"
    if _steps(track):
        status["currentStepIndex"] = track.index
    if track.conditions:
        status["pauseConditions"] = track.conditions
    failed = _failed_hooks(track, world)
    if failed:
        status["preDeleteHookCondition"] = failed
    return status


def _failed_hooks(track: Canary, world: World) -> list[Manifest]:
    hook = text(track.spec, "preDeleteUpdateStrategy", "hook", "templateName")
    phase, _ = world.hooks.get(hook, ("Successful", ""))
    _, old = split(track, world)
    if not hook or phase == "Successful" or not old:
        return []
    return [{"podName": old[0].name, "phase": phase, "startTime": timestamp(world.now)}]
