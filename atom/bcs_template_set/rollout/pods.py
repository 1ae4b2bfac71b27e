"""What is wrong with a pod, as its own status tells it. Pure: performs no I/O.

Only facts are read here, none judged: causes.py says whose fault they are and whether they can heal.
Reasons are the kubelet's (kubernetes/kubernetes, pkg/kubelet: images/types.go, container/sync_result.go).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal, Optional

from bcs_template_set.manifests.fields import Fields, list_at, mapping_at, text_at
from bcs_template_set.manifests.live_fields import condition_of, count_at, is_going, number_in
from bcs_template_set.records.late_dataclass import dataclass

UNSCHEDULABLE = "Unschedulable"
PULL_REASONS = frozenset({"ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "ImageInspectError"})

GATES_NOT_READY = "ReadinessGatesNotReady"

# Reasons of our own, for what Kubernetes has no word.
CREATING = "ContainerCreating"
NOT_READY = "NotReady"
RESTARTED = "Restarted"
INIT_RUNNING = "InitRunning"
COMPLETED = "Completed"
ENDING = "Terminating"

Role = Literal["new", "earlier", "below", "ending"]
"""What a pod is in a rollout: `new`; of an earlier revision, and waited for; the same, and kept by the
partition; or told to stop, and waited for."""

_PREPARING = frozenset({"", CREATING, "PodInitializing"})


@dataclass(frozen=True)
class Termination:
    """How a container ended. `exit_code` is None where the node could not tell."""

    exit_code: Optional[int]
    reason: str = ""
    message: str = ""
    finished_at: str = ""


@dataclass(frozen=True)
class PodProblem:
    """One trouble of a pod, or of one of its containers (`container` is "" for the pod's own).

    `message` and `last.message` are the cluster's or the application's words: data, never formats.
    `probe` is the readiness probe of a container that is not ready, such as `GET :80/healthz`.
    `volumes` name what the pod mounts, such as `Secret/web-tls`, for a pod that is still being prepared.
    `revision` is the label that tells it, "" where there is none. `restarts_before` are those of before the
    wait: a pod may have run for months.
    """

    pod: str
    reason: str
    message: str = ""
    container: str = ""
    image: str = ""
    is_init: bool = False
    last: Optional[Termination] = None
    restarts: int = 0
    restarts_before: int = 0
    is_running: bool = False
    phase: str = ""
    uid: str = ""
    probe: str = ""
    volumes: tuple[str, ...] = ()
    role: Role = "new"
    revision: str = ""
    namespace: str = ""

    @property
    def exit_code(self) -> Optional[int]:
        """Return the exit code of the last termination, None where there was none."""
        return self.last.exit_code if self.last else None

    @property
    def is_over(self) -> bool:
        """Tell whether the pod has ended for good: whatever made it makes another, and that one decides."""
        return self.phase == "Failed"

    @property
    def key(self) -> tuple[str, str, str]:
        """Return what stays the same from poll to poll, to know since when a trouble lasts."""
        family = "ImagePullBackOff" if self.reason in PULL_REASONS else self.reason
        return self.uid or self.pod, self.container, family


def problems_of(pod: Fields) -> tuple[PodProblem, ...]:
    """Return every trouble of a whole pod, as GET by name gives it, what blocks it most first.

    A pod that is being deleted, or has done its work, has none.
    """
    if is_going(pod) or text_at(pod, "status", "phase") == "Succeeded":
        return ()
    found = [*_own_problems(pod), *_container_problems(pod)]
    return tuple(sorted(found, key=rank_of)) or tuple(_preparing(pod))


def ending_of(pod: Fields) -> PodProblem:
    """Return that a pod was told to stop, and what may hold it."""
    held = ", ".join(str(name) for name in list_at(pod, "metadata", "finalizers"))
    words = f"nodeName: {text_at(pod, 'spec', 'nodeName') or '-'}"
    return _problem(pod, reason=ENDING, message=f"{words}, finalizers: {held}" if held else words)


def remember(problem: PodProblem, *, earlier: Optional[PodProblem]) -> PodProblem:
    """Return the problem with the message that says why, where it is only told of as being retried.

    Before Kubernetes 1.32 a pull's cause shows while the reason is ErrImagePull, and is gone as soon as
    that becomes ImagePullBackOff.
    """
    bare = problem.reason == "ImagePullBackOff" and ": " not in problem.message.replace(problem.image, "")
    if not bare or earlier is None or earlier.key != problem.key or earlier.image != problem.image:
        return problem
    return replace(problem, message=earlier.message or problem.message)


def rank_of(problem: PodProblem) -> int:
    """Return how little a problem blocks its pod: 0 for what keeps it from running."""
    order = {RESTARTED: 1, NOT_READY: 2, GATES_NOT_READY: 2, INIT_RUNNING: 3, CREATING: 3}
    return order.get(problem.reason, 0)


# --- of the pod itself ----------------------------------------------------------------------------------


def _own_problems(pod: Fields) -> Iterator[PodProblem]:
    """Yield what is said of the pod as a whole: evicted, node lost, not scheduled, gates not ready."""
    reason = text_at(pod, "status", "reason")
    if reason:
        yield _problem(pod, reason=reason, message=text_at(pod, "status", "message"))
    scheduled = condition_of(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        yield _of_condition(pod, scheduled, reason=UNSCHEDULABLE)
    ready = condition_of(pod, "Ready")
    if ready.get("status") == "False" and ready.get("reason") == GATES_NOT_READY:
        yield _of_condition(pod, ready, reason=GATES_NOT_READY)


def _of_condition(pod: Fields, condition: Fields, *, reason: str) -> PodProblem:
    return _problem(pod, reason=text_at(condition, "reason") or reason, message=text_at(condition, "message"))


def _problem(pod: Fields, *, reason: str, message: str = "") -> PodProblem:
    return PodProblem(
        pod=text_at(pod, "metadata", "name"),
        uid=text_at(pod, "metadata", "uid"),
        phase=text_at(pod, "status", "phase"),
        reason=reason,
        message=message,
        namespace=text_at(pod, "metadata", "namespace"),
    )


def _preparing(pod: Fields) -> Iterator[PodProblem]:
    """Yield that a pod without any trouble is not running yet."""
    if text_at(pod, "status", "phase") == "Pending":
        yield replace(_problem(pod, reason=CREATING), volumes=_volumes(pod))


def _volumes(pod: Fields) -> tuple[str, ...]:
    """Return what the pod's volumes need to be there: a mount that fails shows in no status."""
    found = []
    for item in list_at(pod, "spec", "volumes"):
        volume = mapping_at(item)
        named = (
            ("Secret", text_at(volume, "secret", "secretName")),
            ("ConfigMap", text_at(volume, "configMap", "name")),
            ("PersistentVolumeClaim", text_at(volume, "persistentVolumeClaim", "claimName")),
            ("hostPath", text_at(volume, "hostPath", "path")),
        )
        found += [
            f"{kind}/{name}" if kind != "hostPath" else f"hostPath {name}" for kind, name in named if name
        ]
    return tuple(found)


# --- of its containers ----------------------------------------------------------------------------------


def _container_problems(pod: Fields) -> Iterator[PodProblem]:
    for item in list_at(pod, "status", "initContainerStatuses"):
        status = mapping_at(item)
        base = replace(_of_container(pod, status), is_init=True)
        problem = _init_problem(base, status, is_sidecar=text_at(status, "name") in _sidecars(pod))
        if problem is not None:
            yield problem
    for item in list_at(pod, "status", "containerStatuses"):
        status = mapping_at(item)
        problem = _app_problem(pod, _of_container(pod, status), status)
        if problem is not None:
            yield problem


def _of_container(pod: Fields, status: Fields) -> PodProblem:
    name = text_at(status, "name")
    return replace(
        _problem(pod, reason=""),
        container=name,
        image=text_at(_spec_of(pod, name), "image") or text_at(status, "image"),
        last=_termination(mapping_at(status, "lastState", "terminated")),
        restarts=count_at(status, "restartCount"),
    )


def _spec_of(pod: Fields, container: str) -> Fields:
    """Return the container as the manifest wrote it; the status may name its image otherwise."""
    all_of_them = [*list_at(pod, "spec", "containers"), *list_at(pod, "spec", "initContainers")]
    own = [mapping_at(item) for item in all_of_them if text_at(mapping_at(item), "name") == container]
    return own[0] if own else {}


def _sidecars(pod: Fields) -> frozenset[str]:
    """Return the init containers that are meant to keep running."""
    containers = [mapping_at(item) for item in list_at(pod, "spec", "initContainers")]
    return frozenset(text_at(item, "name") for item in containers if item.get("restartPolicy") == "Always")


def _termination(state: Fields) -> Optional[Termination]:
    if not state:
        return None
    return Termination(
        exit_code=number_in(state.get("exitCode")),
        reason=text_at(state, "reason"),
        message=text_at(state, "message"),
        finished_at=text_at(state, "finishedAt"),
    )


def _init_problem(base: PodProblem, status: Fields, *, is_sidecar: bool) -> Optional[PodProblem]:
    blocked = _waiting(base, status) or _ended(base, status)
    if blocked is not None or is_sidecar or not isinstance(mapping_at(status, "state").get("running"), dict):
        return blocked
    return replace(base, reason=INIT_RUNNING, is_running=True)


def _app_problem(pod: Fields, base: PodProblem, status: Fields) -> Optional[PodProblem]:
    return (
        _waiting(base, status)
        or _ended(base, status)
        or _stopped(pod, base, status)
        or _unready(pod, base, status)
    )


def _waiting(base: PodProblem, status: Fields) -> Optional[PodProblem]:
    waiting = mapping_at(status, "state", "waiting")
    reason, message = text_at(waiting, "reason"), text_at(waiting, "message")
    if reason in _PREPARING and not message:
        return None
    return replace(base, reason=reason or CREATING, message=message)


def _ended(base: PodProblem, status: Fields) -> Optional[PodProblem]:
    """Return that a container ended with an error and was not started again yet."""
    ended = _termination(mapping_at(status, "state", "terminated"))
    if ended is None or ended.exit_code == 0:
        return None
    return replace(base, reason=ended.reason or "Error", message=ended.message, last=ended)


def _stopped(pod: Fields, base: PodProblem, status: Fields) -> Optional[PodProblem]:
    """Return that a container ended well although it is meant to run for ever."""
    ended = _termination(mapping_at(status, "state", "terminated"))
    if ended is None or text_at(pod, "spec", "restartPolicy") not in ("", "Always"):
        return None
    return replace(base, reason=ended.reason or COMPLETED, message=ended.message, last=ended)


def _unready(pod: Fields, base: PodProblem, status: Fields) -> Optional[PodProblem]:
    """Return that a container runs and is not ready; after a crash that is what it is known for."""
    if not isinstance(mapping_at(status, "state").get("running"), dict) or status.get("ready") is not False:
        return None
    crashed = base.restarts > 0 and base.last is not None
    message = "" if crashed else text_at(condition_of(pod, "Ready"), "message")
    return replace(
        base,
        reason=RESTARTED if crashed else NOT_READY,
        message=message,
        is_running=True,
        probe=_probe(mapping_at(_spec_of(pod, base.container), "readinessProbe")),
    )


def _probe(probe: Fields) -> str:
    """Return what a probe asks, "" where there is none."""
    for kind, verb in (("httpGet", "GET "), ("tcpSocket", "TCP "), ("grpc", "gRPC ")):
        asked = mapping_at(probe, kind)
        if asked:
            return f"{verb}:{asked.get('port')}{text_at(asked, 'path')}"
    command = list_at(probe, "exec", "command")
    return "exec " + " ".join(str(word) for word in command) if command else ""
