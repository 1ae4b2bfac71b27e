"""The Job controller: pods until enough ended well, or too many failed. Performs no I/O.

Kubernetes pkg/controller/job (job_controller.go: backoffLimit, suspend).
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.emulator.cluster.behaviour import FOREVER
from tests.emulator.cluster.pods import FAILED, SUCCEEDED, Owner, Pod
from tests.emulator.cluster.tree import Manifest, number, timestamp, without_zeros
from tests.emulator.cluster.world import Track, World

KIND = "Job"


@dataclass
class Errand(Track):
    """A Job under way. `verdict` is its last condition: type, reason and message."""

    started: float = 0.0
    ended: float = 0.0
    verdict: tuple[str, str, str] = ("", "", "")
    failures: int = 0
    next_try: float = 0.0

    @property
    def suspended(self) -> bool:
        """Tell whether nothing may run for now."""
        return not self.verdict[0] and self.spec.get("suspend") is True


def begin(track: Errand, world: World) -> None:
    """Take a new generation in."""
    track.started = track.started or world.now


def reconcile(track: Errand, world: World) -> None:
    """Start pods, count how they ended, then write the status."""
    pods = world.pods_of(track.uid)
    failures = sum(pod.phase == FAILED for pod in pods)
    if failures > track.failures:
        track.failures = failures
        track.next_try = world.now + min(10.0 * 2 ** (failures - 1), 360.0)
    if not track.verdict[0]:
        _judge(track, world, pods)
    if track.suspended:
        for pod in pods:
            world.stop_pod(pod)
    elif not track.verdict[0]:
        _start(track, world, pods)
    world.api.write_status(track.key, _status(track, world))
    if world.now >= _clean_up(track):
        del world.api.objects[track.key]


def next_event(track: Errand, world: World) -> float:
    """Return when the controller acts next though no pod changes."""
    moments = [track.due, _clean_up(track)]
    if not track.verdict[0]:
        moments += [track.next_try, _deadline(track)]
    return min((moment for moment in moments if moment > world.now), default=FOREVER)


def _deadline(track: Errand) -> float:
    seconds = number(track.spec, "activeDeadlineSeconds")
    return track.started + seconds if seconds else FOREVER


def _clean_up(track: Errand) -> float:
    """Return when a Job that is done is removed (pkg/controller/ttlafterfinished)."""
    seconds = track.spec.get("ttlSecondsAfterFinished")
    return track.ended + seconds if track.verdict[0] and isinstance(seconds, int) else FOREVER


def _judge(track: Errand, world: World, pods: list[Pod]) -> None:
    restarts = max((moment.restarts for pod in pods for moment in pod.moments(world.now)), default=0)
    limit = number(track.spec, "backoffLimit", default=6)
    if sum(pod.phase == SUCCEEDED for pod in pods) >= number(track.spec, "completions", default=1):
        track.verdict = ("Complete", "", "")
    elif track.failures > limit or restarts > limit:
        track.verdict = ("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
    elif world.now >= _deadline(track):
        track.verdict = ("Failed", "DeadlineExceeded", "Job was active longer than specified deadline")
    if track.verdict[0]:
        track.ended = world.now
        for pod in pods:
            if pod.active:
                world.stop_pod(pod)


def _start(track: Errand, world: World, pods: list[Pod]) -> None:
    if world.now < track.next_try:
        return
    active = sum(pod.active for pod in pods)
    left = number(track.spec, "completions", default=1) - sum(pod.phase == SUCCEEDED for pod in pods)
    for _ in range(min(number(track.spec, "parallelism", default=1), left) - active):
        pod = world.new_pod(
            track.workload,
            name=f"{track.name}-{world.suffix()}",
            template=track.template,
            owner=Owner(kind=KIND, name=track.name, uid=track.uid),
            ends=True,
        )
        if world.refusal_of(pod):  # told in an event alone
            return
        world.start_pod(pod)


def _status(track: Errand, world: World) -> Manifest:
    pods = world.pods_of(track.uid)
    status = without_zeros(
        {
            "active": sum(pod.active for pod in pods),
            "succeeded": sum(pod.phase == SUCCEEDED for pod in pods),
            "failed": track.failures + sum(pod.deleted is not None for pod in pods),
            "startTime": timestamp(track.started),
        }
    )
    name, reason, message = track.verdict
    if track.suspended:
        name, reason, message = "Suspended", "JobSuspended", "Job suspended"
    if not name:
        return status
    moment = timestamp(track.ended)
    condition: Manifest = {
        "type": name,
        "status": "True",
        "lastProbeTime": moment,
        "lastTransitionTime": moment,
    }
    if reason:
        condition.update(reason=reason, message=message)
    if name == "Complete":
        status["completionTime"] = moment
    return {**status, "conditions": [condition]}
