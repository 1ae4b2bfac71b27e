"""Pods: what their containers' behaviours make of them at a moment, and how the API shows that. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Optional

from tests.emulator.cluster.behaviour import FOREVER, Behaviour, Moment, Rules, moment_of, waiting_message
from tests.emulator.cluster.tree import Manifest, branch, copied, grow, items, text, timestamp

PENDING, RUNNING, SUCCEEDED, FAILED = "Pending", "Running", "Succeeded", "Failed"


@dataclass(frozen=True)
class Owner:
    """The owner reference of a pod."""

    kind: str
    name: str
    uid: str


@dataclass
class Pod:
    """One pod. `behaviours` are its containers' in their order.

    `root` is the uid of the object whose controller made it (a Deployment's, not its ReplicaSet's).
    `ready_since` and `phase` are what `look` saw last. `evicted` is why its node has ended it for good.
    """

    name: str
    namespace: str
    uid: str
    root: str
    template: Manifest
    created: float
    behaviours: list[Behaviour]
    revision: str = ""
    ordinal: int = 0
    node: str = ""
    address: str = ""
    owner: Optional[Owner] = None
    extra_labels: Manifest = field(default_factory=dict)
    rules: Rules = field(default_factory=Rules)
    deleted: Optional[float] = None
    evicted: str = ""
    ready_since: Optional[float] = None
    phase: str = PENDING
    resource_version: str = ""

    @property
    def active(self) -> bool:
        """Tell whether the pod is neither being deleted nor over."""
        return self.deleted is None and self.phase in (PENDING, RUNNING)

    @property
    def is_ready(self) -> bool:
        """Tell whether all containers were ready at the last look."""
        return self.ready_since is not None

    def available(self, now: float, *, min_ready: int) -> bool:
        """Tell whether the pod has been ready for long enough."""
        return self.ready_since is not None and now >= self.ready_since + min_ready

    @property
    def gone_at(self) -> float:
        """Return when a deleted pod is gone."""
        stops = max((behaviour.stops_after for behaviour in self.behaviours), default=0.5)
        return FOREVER if self.deleted is None else self.deleted + stops

    def heal(self, image: str, *, now: float) -> None:
        """Let the containers of that image behave as `ready` from now on."""
        containers = items(self.template, "spec", "containers")
        self.behaviours = [
            replace(behaviour, heals_after=now - self.created)
            if text(container, "image") == image
            else behaviour
            for behaviour, container in zip(self.behaviours, containers)
        ]

    def look(self, now: float) -> None:
        """Note phase and readiness at this moment."""
        moments = self.moments(now)
        self.phase = FAILED if self.evicted else _phase_of(moments, scheduled=self.unschedulable(now) is None)
        if not all(moment.ready for moment in moments):
            self.ready_since = None
        elif self.ready_since is None:
            self.ready_since = now

    def next_change(self, now: float) -> float:
        """Return when a container's state changes next."""
        changes = [self.created + moment.until for moment in self.moments(now)]
        heals = [self.created + behaviour.heals_after for behaviour in self.behaviours]
        return min((moment for moment in [*changes, *heals, self.gone_at] if moment > now), default=FOREVER)

    def moments(self, now: float) -> list[Moment]:
        """Return the containers' states."""
        if self.evicted:
            ended = {"exitCode": 137, "reason": "Error", "finishedAt": timestamp(now)}
            return [Moment(state={"terminated": ended}, failed=True) for _ in self.behaviours]
        if self.unschedulable(now) is not None:
            return [Moment(state={}) for _ in self.behaviours]
        pairs = zip(self.behaviours, items(self.template, "spec", "containers"))
        return [
            moment_of(
                behaviour,
                now - self.created,
                image=text(container, "image"),
                start=self.created,
                rules=self.rules,
            )
            for behaviour, container in pairs
        ]

    def unschedulable(self, now: float) -> Optional[str]:
        """Return why no node takes the pod, None where one does."""
        for behaviour in self.behaviours:
            message = waiting_message(behaviour)
            if message is not None and now - self.created < behaviour.heals_after:
                return message
        return None


def _phase_of(moments: list[Moment], *, scheduled: bool) -> str:
    if not scheduled:
        return PENDING
    if any(moment.failed for moment in moments):
        return FAILED
    if moments and all(moment.ended_well for moment in moments):
        return SUCCEEDED
    begun = all(moment.started or moment.restarts or "terminated" in moment.state for moment in moments)
    return RUNNING if begun else PENDING


def show_pod(pod: Pod, now: float) -> Manifest:
    """Return the pod as the API server shows it."""
    spec = copied(branch(pod.template, "spec"))
    refusal = pod.unschedulable(now)
    if refusal is None:
        spec["nodeName"] = pod.node
    shown: Manifest = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": _metadata(pod),
        "spec": spec,
        "status": _status(pod, now, refusal=refusal),
    }
    return shown


def _metadata(pod: Pod) -> Manifest:
    metadata: Manifest = {
        "name": pod.name,
        "namespace": pod.namespace,
        "uid": pod.uid,
        "resourceVersion": pod.resource_version,
        "creationTimestamp": timestamp(pod.created),
        "labels": {**branch(pod.template, "metadata", "labels"), **pod.extra_labels},
    }
    annotations = branch(pod.template, "metadata", "annotations")
    if annotations:
        metadata["annotations"] = dict(annotations)
    if pod.owner is not None:
        reference = {"kind": pod.owner.kind, "name": pod.owner.name, "uid": pod.owner.uid}
        version = "batch/v1" if pod.owner.kind == "Job" else "apps/v1"
        metadata["ownerReferences"] = [{"apiVersion": version, **reference, "controller": True}]
    if pod.deleted is not None:
        metadata["deletionTimestamp"] = timestamp(pod.deleted)
    return metadata


def _status(pod: Pod, now: float, *, refusal: Optional[str]) -> Manifest:
    status: Manifest = {"phase": pod.phase, "qosClass": "BestEffort"}
    if pod.evicted:  # pkg/kubelet/eviction/eviction_manager.go
        status.update(reason="Evicted", message=pod.evicted)
    if refusal is not None:
        status["conditions"] = [
            _condition("PodScheduled", ok=False, reason="Unschedulable", message=refusal, since=pod.created)
        ]
        return status
    moments = pod.moments(now)
    names = [text(container, "name") for container in items(pod.template, "spec", "containers")]
    unready = [name for name, moment in zip(names, moments) if not moment.ready]
    status["hostIP"] = "192.0.2.10"
    status["startTime"] = timestamp(pod.created)
    status["conditions"] = _conditions(pod, unready)
    if pod.phase == RUNNING or any(_has_sandbox(moment) for moment in moments):
        status["podIP"] = pod.address
        status["podIPs"] = [{"ip": pod.address}]
    status["containerStatuses"] = [
        _container_status(container, moment)
        for container, moment in zip(items(pod.template, "spec", "containers"), moments)
    ]
    return status


def _has_sandbox(moment: Moment) -> bool:
    """Tell whether the pod has its address: it has one as soon as images are pulled for it."""
    return text(moment.state, "waiting", "reason") != "ContainerCreating"


def _conditions(pod: Pod, unready: list[str]) -> list[Manifest]:
    since = pod.created if pod.ready_since is None else pod.ready_since
    why = {
        "reason": "ContainersNotReady",
        "message": f"containers with unready status: [{' '.join(unready)}]",
    }
    reasons = why if unready else {"reason": "", "message": ""}
    return [
        _condition("Initialized", ok=True, since=pod.created),
        _condition("Ready", ok=not unready, since=since, **reasons),
        _condition("ContainersReady", ok=not unready, since=since, **reasons),
        _condition("PodScheduled", ok=True, since=pod.created),
    ]


def _condition(name: str, *, ok: bool, since: float, reason: str = "", message: str = "") -> Manifest:
    made: Manifest = {
        "type": name,
        "status": "True" if ok else "False",
        "lastProbeTime": None,
        "lastTransitionTime": timestamp(since),
    }
    if reason:
        made.update(reason=reason, message=message)
    return made


def _container_status(container: Manifest, moment: Moment) -> Manifest:
    made: Manifest = {
        "name": text(container, "name"),
        "image": text(container, "image"),
        "imageID": "",
        "ready": moment.ready,
        "started": moment.started,
        "restartCount": moment.restarts,
        "state": copied(moment.state),
        "lastState": copied(moment.last_state),
    }
    if moment.started:
        grow(made)["containerID"] = "containerd://" + "0" * 64
    return made
