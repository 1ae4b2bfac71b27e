"""How a container of an image behaves from its start on, as a value in time. Performs no I/O.

Reasons and messages are the kubelet's and containerd's; the times of its back-offs are Kubernetes'
defaults (10 s doubling up to 300 s).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Optional

from tests.emulator.cluster.tree import Manifest, timestamp

FOREVER = float("inf")
READY_LAG = 1.0
"""A container without a failing probe is seen ready one second after it runs."""

UNSCHEDULABLE = {
    "unschedulable": "0/2 nodes are available: 2 Insufficient cpu.",
    "insufficient-memory": "0/2 nodes are available: 2 Insufficient memory.",
    "tainted": "0/2 nodes are available: 2 node(s) had untolerated taint {dedicated: gpu}.",
    "unbound-volume": "0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims.",
}
PULL = {
    "not-found": 'rpc error: code = NotFound desc = failed to pull and unpack image "{image}": failed to '
    'resolve reference "{image}": {image}: not found',
    "unauthorized": 'rpc error: code = Unknown desc = failed to pull and unpack image "{image}": failed to '
    'resolve reference "{image}": failed to authorize: failed to fetch anonymous token: unexpected status: '
    "401 Unauthorized",
    "unauthorized-head": 'failed to pull and unpack image "{image}": failed to resolve reference "{image}": '
    "unexpected status from HEAD request to https://{host}/v2/{path}/manifests/{tag}: 401 Unauthorized",
    "rate-limited": 'failed to pull and unpack image "{image}": failed to copy: httpReadSeeker: failed open: '
    "unexpected status code https://{host}/v2/{path}/manifests/{tag}: 429 Too Many Requests - Server "
    "message: toomanyrequests: You have reached your unauthenticated pull rate limit.",
    "docker-not-found": "Error response from daemon: manifest for {image} not found: manifest unknown",
    "docker-denied": "Error response from daemon: pull access denied for {host}/{path}, repository does not "
    "exist or may require 'docker login': denied: requested access to the resource is denied",
    "unreachable": 'rpc error: code = Unknown desc = failed to pull and unpack image "{image}": failed to '
    'resolve reference "{image}": failed to do request: Head "https://{image}": dial tcp: i/o timeout',
}
_INVALID_NAME = (
    'Failed to apply default image tag "{image}": couldn\'t parse image name "{image}": '
    "invalid reference format"
)
STUCK = {
    "invalid-name": ("InvalidImageName", _INVALID_NAME),
    "config-error": ("CreateContainerConfigError", 'secret "web-env" not found'),
    "create-error": ("CreateContainerError", "failed to create containerd container: mount path not found"),
    "cannot-start": (
        "RunContainerError",
        'failed to create containerd task: exec: "nginx": executable file not found in $PATH',
    ),
}
ENDING = {"crash": ("Error", 1), "oom": ("OOMKilled", 137)}
KINDS = ("ready", "never-ready", *UNSCHEDULABLE, *PULL, *STUCK, *ENDING)

_REFERENCE = re.compile(
    r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*"
    r"(:[A-Za-z0-9_][-.\w]{0,127})?(@sha256:[0-9a-f]{64})?"
)


@dataclass(frozen=True)
class Behaviour:
    """What becomes of a container.

    kind           `ready`, or one of KINDS
    after          seconds from the container's start to being ready, to the failure showing, or to a crash;
                   a Job's container of kind `ready` ends well after that time
    message        the message in place of the usual one (`{image}` is the image)
    exit_code      of a crash; 0 is the usual one of the kind
    heals_after    seconds from the pod's start after which it behaves as `ready`
    stops_after    seconds that a pod of this image takes to end when it is deleted
    """

    kind: str = "ready"
    after: float = 1.0
    message: str = ""
    exit_code: int = 0
    heals_after: float = FOREVER
    stops_after: float = 0.5

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no such behaviour: {self.kind}; there are {', '.join(KINDS)}")


@dataclass(frozen=True)
class Rules:
    """What the pod decides for its containers.

    `ends`: a container that does well ends well (a Job). `restarts`: one that crashed is started again.
    `terse`: ImagePullBackOff does not repeat the cause, as before 1.32.
    """

    ends: bool = False
    restarts: bool = True
    terse: bool = False


@dataclass(frozen=True)
class Moment:
    """A container's state for a while: until the age `until`, in seconds since its start."""

    state: Manifest
    until: float = FOREVER
    ready: bool = False
    started: bool = False
    restarts: int = 0
    last_state: Manifest = field(default_factory=dict)
    ended_well: bool = False
    failed: bool = False


def default_behaviour(image: str) -> Behaviour:
    """Return what an image does of which a test said nothing: it is ready, if its name is one."""
    return Behaviour() if _REFERENCE.fullmatch(image) else Behaviour(kind="invalid-name")


def waiting_message(behaviour: Behaviour) -> Optional[str]:
    """Return why the scheduler finds no node, None where it does."""
    usual = UNSCHEDULABLE.get(behaviour.kind)
    return None if usual is None else behaviour.message or usual


def moment_of(behaviour: Behaviour, age: float, *, image: str, start: float, rules: Rules) -> Moment:
    """Return the container's state at an age; `start` is the clock at age 0."""
    healed = age - behaviour.heals_after
    if healed >= 0:
        well = replace(behaviour, kind="ready", heals_after=FOREVER)
        moment = _going_up(well, healed, start=start + behaviour.heals_after, rules=rules)
        return replace(moment, until=moment.until + behaviour.heals_after)
    found = _before_healing(behaviour, age, image=image, start=start, rules=rules)
    return replace(found, until=min(found.until, behaviour.heals_after))


def _before_healing(behaviour: Behaviour, age: float, *, image: str, start: float, rules: Rules) -> Moment:
    if behaviour.kind in ENDING:
        return _crashing(behaviour, age, start=start, rules=rules)
    if behaviour.kind in ("ready", "never-ready"):
        return _going_up(behaviour, age, start=start, rules=rules)
    if behaviour.kind in UNSCHEDULABLE:
        return Moment(state={})
    if age < behaviour.after:
        return Moment(state={"waiting": {"reason": "ContainerCreating"}}, until=behaviour.after)
    if behaviour.kind in PULL:
        return _pulling(behaviour, age, image=image, terse=rules.terse)
    reason, usual = STUCK[behaviour.kind]
    message = (behaviour.message or usual).replace("{image}", image)
    return Moment(state={"waiting": {"reason": reason, "message": message}})


def _going_up(behaviour: Behaviour, age: float, *, start: float, rules: Rules) -> Moment:
    created = min(behaviour.after, READY_LAG) / 2
    if age < created:
        return Moment(state={"waiting": {"reason": "ContainerCreating"}}, until=created)
    up = age >= behaviour.after and behaviour.kind == "ready"
    if up and rules.ends:
        ended = {"exitCode": 0, "reason": "Completed", "finishedAt": timestamp(start + behaviour.after)}
        return Moment(state={"terminated": ended}, ended_well=True)
    until = behaviour.after if behaviour.kind == "ready" and not up else FOREVER
    return _running(start + created, ready=up, until=until)


def _running(since: float, *, ready: bool, until: float = FOREVER) -> Moment:
    return Moment(state={"running": {"startedAt": timestamp(since)}}, ready=ready, started=True, until=until)


def _pulling(behaviour: Behaviour, age: float, *, image: str, terse: bool) -> Moment:
    """Return ErrImagePull for three seconds of every attempt, ImagePullBackOff between attempts."""
    host, _, rest = image.partition("/")
    path, _, tag = rest.partition(":")
    why = behaviour.message or PULL[behaviour.kind]
    for name, value in (("image", image), ("host", host), ("path", path), ("tag", tag)):
        why = why.replace(f"{{{name}}}", value)
    attempt, pause = behaviour.after, 10.0
    while age >= attempt + pause:
        attempt, pause = attempt + pause, min(pause * 2, 300.0)
    if age < attempt + 3.0:
        return Moment(state={"waiting": {"reason": "ErrImagePull", "message": why}}, until=attempt + 3.0)
    message = f'Back-off pulling image "{image}"' + ("" if terse else f": ErrImagePull: {why}")
    return Moment(
        state={"waiting": {"reason": "ImagePullBackOff", "message": message}}, until=attempt + pause
    )


def _crashing(behaviour: Behaviour, age: float, *, start: float, rules: Rules) -> Moment:
    """Return one of: running, just ended, waiting to be restarted."""
    began, restarts, pause, last = 0.0, 0, 10.0, Moment(state={})
    while True:
        crash = began + behaviour.after
        if age < crash:
            return _before_crash(age, began=began, crash=crash, start=start, restarts=restarts, last=last)
        ended = _terminated(behaviour, began=start + began, ended=start + crash)
        if not rules.restarts:
            return Moment(state=ended, failed=True, restarts=restarts)
        if age < crash + 1.0:
            return Moment(state=ended, until=crash + 1.0, restarts=restarts, last_state=last.last_state)
        if restarts and age < crash + pause:
            return _back_off(ended, pause=pause, until=crash + pause, restarts=restarts)
        began = crash + (pause if restarts else 1.0)
        pause = min(pause * 2, 300.0) if restarts else pause
        restarts, last = restarts + 1, Moment(state={}, last_state=ended)


def _before_crash(
    age: float, *, began: float, crash: float, start: float, restarts: int, last: Moment
) -> Moment:
    ready = age >= began + READY_LAG
    return Moment(
        state={"running": {"startedAt": timestamp(start + began)}},
        until=crash if ready else min(crash, began + READY_LAG),
        ready=ready,
        started=True,
        restarts=restarts,
        last_state=last.last_state,
    )


def _back_off(ended: Manifest, *, pause: float, until: float, restarts: int) -> Moment:
    minutes, seconds = divmod(int(pause), 60)
    shown = f"{minutes}m{seconds}s" if minutes else f"{seconds}s"  # a duration of Go's
    message = f"back-off {shown} restarting failed container"
    return Moment(
        state={"waiting": {"reason": "CrashLoopBackOff", "message": message}},
        until=until,
        restarts=restarts,
        last_state=ended,
    )


def _terminated(behaviour: Behaviour, *, began: float, ended: float) -> Manifest:
    reason, code = ENDING[behaviour.kind]
    said: Manifest = {"message": behaviour.message} if behaviour.message else {}
    return {
        "terminated": {
            "exitCode": behaviour.exit_code or code,
            "reason": reason,
            **said,
            "startedAt": timestamp(began),
            "finishedAt": timestamp(ended),
        }
    }
