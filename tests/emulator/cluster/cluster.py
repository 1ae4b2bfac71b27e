"""One cluster: an API server whose controllers move on with its own time. Performs no I/O.

Every public method first brings the cluster to the present, from one event to the next, so that a state
depends on the time alone and not on how often somebody looked.
"""

from __future__ import annotations

import threading
import time
from typing import Callable, Optional

from tests.emulator.cluster import autoscalers
from tests.emulator.cluster.api_server import Key
from tests.emulator.cluster.behaviour import FOREVER, Behaviour
from tests.emulator.cluster.controllers import new_runners
from tests.emulator.cluster.kinds import Kind
from tests.emulator.cluster.pods import Pod, show_pod
from tests.emulator.cluster.refusals import (
    NOT_FOUND,
    ApiRefusal,
    Unread,
    no_such_resource,
    not_found,
    ordered_refusal,
)
from tests.emulator.cluster.replica_sets import REVISION
from tests.emulator.cluster.service_accounts import give_tokens
from tests.emulator.cluster.tree import Manifest, branch, grow, items, text
from tests.emulator.cluster.world import World

_PROJECT_OF_NAMESPACE = "io.tencent.bcs.projectcode"
"""The annotation that says whose a shared cluster's namespace is (pkg/resource/client/ns.go)."""
_DESCRIPTION = "kubernetes.io/description"
DESCRIBED_SINCE = 21
MOST_EVENTS = 200_000
_OWN_THROUGH_OTHERS = ("Deployment", "CronJob")
REFUSING = "1.20"
"""The release that was seen live, and that tests meet unless they say so: it refuses most (trap 11)."""


class Cluster:
    """A cluster to deploy to; see `State.add_cluster`.

    images        image -> Behaviour; an image that is not in it becomes ready after a second
    load          (kind, name) -> the pods that a workload's load needs, which an HPA of it gives it
    hooks         name of a HookTemplate or AnalysisTemplate -> the phase and message that its runs end with
    enabled_definitions  custom kinds that a shared cluster lets see, by the names of their definitions
    operators     custom kinds whose controllers are installed
    namespaces    name -> code of the project it belongs to
    nodes         a DaemonSet runs on each
    terse         ImagePullBackOff does not repeat why the pull failed (kubelets before 1.32)
    kubernetes    its release, such as `1.20`
    refuses       pattern over method and path -> the HTTP status with which the API server refuses it to BCS
    before_write  runs between BCS's read and its write of an object: where a rival gets in
    """

    def __init__(
        self,
        cluster_id: str,
        *,
        project_id: str,
        shared: bool = False,
        kubernetes: str = REFUSING,
        speed: float = 1.0,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.id = cluster_id
        self.project_id = project_id
        self.shared = shared
        self.enabled_definitions: set[str] = set()
        self.namespaces: dict[str, str] = {}
        self.before_write: Callable[[str, str], None] = lambda _kind, _name: None
        self.refuses: dict[str, int] = {}
        self.writes: list[Key] = []
        self.lock = threading.RLock()
        self._denied: set[tuple[str, str, str]] = set()
        self._clock, self._speed = now, speed
        self._started, self._advanced = now(), 0.0
        self._world = World(now=self._started, minor=int(kubernetes.partition(".")[2]))
        self.hooks, self.operators = self._world.hooks, self._world.operators
        self._runners = new_runners()
        self._quiet_until = 0.0

    # --- how it is set up -------------------------------------------------------------------------------

    @property
    def images(self) -> dict[str, Behaviour]:
        """Return how images behave; a test sets what it needs."""
        return self._world.images

    @property
    def load(self) -> dict[tuple[str, str], int]:
        """Return how many pods the load of workloads needs, by kind and name."""
        return self._world.load

    @property
    def nodes(self) -> list[str]:
        """Return the nodes' names."""
        return self._world.nodes

    @property
    def lag(self) -> float:
        """Return the seconds until a controller sees a new generation."""
        return self._world.lag

    @lag.setter
    def lag(self, seconds: float) -> None:
        self._world.lag = seconds

    @property
    def terse(self) -> bool:
        """Tell whether ImagePullBackOff keeps the cause to itself."""
        return self._world.terse

    @terse.setter
    def terse(self, value: bool) -> None:
        self._world.terse = value

    def add_namespace(self, name: str, *, project: str = "") -> None:
        """Add a namespace; in a shared cluster it belongs to that project (its code)."""
        with self.lock:
            self.namespaces[name] = project
            manifest: Manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            self._create_namespace(manifest)

    def _create_namespace(self, manifest: Manifest) -> Manifest:
        """Create a namespace, and the ConfigMap that a controller publishes in each (1.20 and later)."""
        api = self._world.api
        made = api.create(api.kinds.named("Namespace"), manifest)
        name = text(made, "metadata", "name")
        annotations: Manifest = (
            {} if api.minor < DESCRIBED_SINCE else {"annotations": {_DESCRIPTION: "Contains a CA bundle"}}
        )
        api.create(
            api.kinds.named("ConfigMap"),
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "kube-root-ca.crt", "namespace": name, **annotations},
                "data": {"ca.crt": "-----BEGIN CERTIFICATE-----"},
            },
        )
        return made

    def heal(self, image: str) -> None:
        """Let an image behave as it usually does from now on, in the pods that run it too."""
        with self.lock:
            self._catch_up()
            self.images.pop(image, None)
            for pod in self._world.pods.values():
                pod.heal(image, now=self._world.now)
            self._quiet_until = 0.0

    def evict(self, namespace: str, workload: str) -> None:
        """Let the nodes end a workload's pods for good, as under memory pressure; its controller goes on."""
        with self.lock:
            self._catch_up()
            for pod in self._world.pods.values():
                if pod.namespace == namespace and pod.name.startswith(f"{workload}-") and pod.active:
                    pod.evicted = "The node was low on resource: memory. "
            self._step()

    def set_quota(self, namespace: str, *, pods: Optional[int]) -> None:
        """Let a namespace have so many pods at most; None lifts that."""
        with self.lock:
            self._catch_up()
            quotas = self._world.admission.quotas
            quotas.pop(namespace, None)
            if pods is not None:
                quotas[namespace] = pods
            self._quiet_until = 0.0

    def refuse_pods(self, rule: str) -> None:
        """Let a webhook refuse every new pod with these words; "" ends that."""
        with self.lock:
            self._catch_up()
            self._world.admission.rule = rule
            self._quiet_until = 0.0

    def deny(self, user: str, *actions: str, namespace: str = "") -> None:
        """Take permissions from a user (`namespace_scoped_create` …), in one namespace or in all."""
        self._denied.update((user, action, namespace) for action in actions)

    def allow(self, user: str, *actions: str, namespace: str = "") -> None:
        """Give permissions back."""
        self._denied.difference_update((user, action, namespace) for action in actions)

    def is_denied(self, user: str, action: str, *, namespace: str) -> bool:
        """Tell whether the user lacks the permission in the namespace."""
        return (user, action, namespace) in self._denied or (user, action, "") in self._denied

    # --- its time ---------------------------------------------------------------------------------------

    @property
    def now(self) -> float:
        """Return the cluster's present."""
        return self._started + (self._clock() - self._started) * self._speed + self._advanced

    def advance(self, seconds: float) -> None:
        """Let that much time pass at once."""
        with self.lock:
            self._advanced += seconds
            self._quiet_until = 0.0
            self._catch_up()

    def _catch_up(self) -> None:
        """Go from event to event up to the present."""
        world, present = self._world, self.now
        if present < self._quiet_until:
            world.now = max(present, world.now)
            return
        for _ in range(MOST_EVENTS):
            self._step()
            following = self._next_event()
            if following > present:
                break
            world.now = following
        else:
            raise RuntimeError("the cluster does not come to rest")
        world.now = max(present, world.now)
        self._step()
        self._quiet_until = following

    def _next_event(self) -> float:
        """Return when something happens by itself, if nobody does anything."""
        world = self._world
        moments = [pod.next_change(world.now) for pod in world.pods.values()]
        moments += [runner.next_event(world) for runner in self._runners]
        return min(moments, default=FOREVER)

    def _step(self) -> None:
        self._quiet_until = 0.0
        self._world.sweep()
        self._world.api.collect_garbage()
        give_tokens(self._world)
        for runner in self._runners:
            runner.step(self._world)

    # --- its API server ---------------------------------------------------------------------------------

    def find_kind(self, name: str, group_version: str = "") -> Kind:
        """Return the kind as BCS's discovery finds it. Raises ApiRefusal."""
        found = self._world.api.find_kind(name, group_version)
        if found is None:
            behind = f", groupVersion: {group_version}" if group_version else ""
            raise ApiRefusal(NOT_FOUND, f"kind {name} not found in cluster {self.id}{behind}")
        return found

    def get(self, kind: str, namespace: str, name: str, *, version: str = "") -> Manifest:
        """Return an object as the API server shows it, by default in its preferred version.

        Raises ApiRefusal.
        """
        with self.lock:
            self._catch_up()
            known = self._world.api.kinds.named(kind)
            self._check(known, "GET", namespace, name)
            if kind == "Pod":
                return show_pod(self._pod(namespace, name), self._world.now)
            return self._shown(self._world.api.get(known, namespace, name), known, version=version)

    def find_all(self, kind: str, namespace: str) -> list[Manifest]:
        """Return a namespace's objects; of a cluster-wide kind, all. Raises ApiRefusal."""
        with self.lock:
            self._catch_up()
            known = self._world.api.kinds.named(kind)
            self._check(known, "GET", namespace)
            if kind == "Pod":
                pods = [pod for pod in self._world.pods.values() if pod.namespace == namespace]
                return [show_pod(pod, self._world.now) for pod in sorted(pods, key=lambda pod: pod.name)]
            return [self._shown(found, known) for found in self._world.api.find_all(known, namespace)]

    def versions(self, kind: str) -> tuple[str, ...]:
        """Return the group versions that a kind is served in, the preferred one first."""
        return self._world.api.kinds.versions(self._world.api.kinds.named(kind))

    def custom_kind(self, definition: str) -> Optional[Kind]:
        """Return the kind of a CustomResourceDefinition of that name."""
        return self._world.api.kinds.defined_as(definition)

    def pods_of(self, kind: str, namespace: str, name: str) -> list[Manifest]:
        """Return a workload's pods, those of a Deployment's older revisions included. Raises ApiRefusal.

        BCS goes by owners, through ReplicaSets and Jobs only for two kinds: a Rollout owns no pod
        (pkg/resource/client/po.go).
        """
        with self.lock:
            self._catch_up()
            self._check(self._world.api.kinds.named("Pod"), "GET", namespace)
            owner = self._world.api.objects.get((kind, namespace, name))
            root = text(owner, "metadata", "uid") or "none"
            pods = self._world.pods_of(root)
            if kind not in _OWN_THROUGH_OTHERS:
                pods = [pod for pod in pods if pod.owner is not None and pod.owner.kind == kind]
            return [show_pod(pod, self._world.now) for pod in pods]

    def write_status(self, kind: str, namespace: str, name: str, status: Manifest) -> None:
        """Write an object's status, as its controller or a plugin of kubectl does."""
        with self.lock:
            self._catch_up()
            self._world.api.write_status((kind, namespace, name), status)
            self._step()

    def apply(self, manifest: Manifest, *, by_scope: bool = False, dry_run: bool = False) -> Manifest:
        """Create or replace as BCS does; writes the live resourceVersion into `manifest`. Raises ApiRefusal.

        pkg/resource/client/base.go, ApplyWithoutPerm: it asks inside the document's namespace, whatever the
        kind; `by_scope`, as the multi-tenant branch does, only where the kind has one. Raises Unread where
        the read before the write is refused.
        """
        kind = self.find_kind(text(manifest, "kind"), text(manifest, "apiVersion"))
        namespace, name = text(manifest, "metadata", "namespace"), text(manifest, "metadata", "name")
        if by_scope and not kind.namespaced:
            namespace = ""
        with self.lock:
            self._catch_up()
            refusal = ordered_refusal(self.refuses, "GET", kind, namespace, name)
            if refusal is not None:
                raise Unread(refusal.reason, refusal.message)
            stored = self._find(kind, namespace, name)
            if stored is not None:
                grow(manifest, "metadata")["resourceVersion"] = text(stored, "metadata", "resourceVersion")
            self.before_write(kind.name, name)
            self._check(kind, "POST" if stored is None else "PUT", namespace, name if stored else "")
            return self._write(kind, manifest, create=stored is None, dry_run=dry_run)

    def put(self, manifest: Manifest) -> Manifest:
        """Create or replace as a rival with kubectl does. Raises ApiRefusal."""
        kind = self.find_kind(text(manifest, "kind"), text(manifest, "apiVersion"))
        namespace = text(manifest, "metadata", "namespace") if kind.namespaced else ""
        with self.lock:
            self._catch_up()
            missing = self._find(kind, namespace, text(manifest, "metadata", "name")) is None
            if kind.name == "Namespace" and missing:
                made = self._create_namespace(manifest)
                annotations = branch(made, "metadata", "annotations")
                self.namespaces[text(made, "metadata", "name")] = text(annotations, _PROJECT_OF_NAMESPACE)
                return made
            return self._write(kind, manifest, create=missing, dry_run=False)

    def bind(self, namespace: str, claim: str, *, volume: str = "pv-1") -> None:
        """Bind a PersistentVolumeClaim to a volume, as its controller does where there is one."""
        with self.lock:
            api = self._world.api
            stored = api.objects["PersistentVolumeClaim", namespace, claim]
            grow(stored, "spec")["volumeName"] = volume
            api.write_status(("PersistentVolumeClaim", namespace, claim), {"phase": "Bound"})

    def undo_rollout(self, namespace: str, name: str) -> None:
        """Go back to a Deployment's revision before, as `kubectl rollout undo` does: template and marks."""
        found = [
            found
            for found in self.find_all("ReplicaSet", namespace)
            if any(text(owner, "name") == name for owner in items(found, "metadata", "ownerReferences"))
        ]
        found.sort(key=lambda one: int(text(one, "metadata", "annotations", REVISION)))
        manifest = self.get("Deployment", namespace, name)
        template = branch(found[-2], "spec", "template")
        branch(template, "metadata", "labels").pop("pod-template-hash", None)
        grow(manifest, "spec")["template"] = template
        marks = branch(found[-2], "metadata", "annotations")
        grow(manifest, "metadata")["annotations"] = {
            key: value for key, value in marks.items() if not key.startswith("deployment.kubernetes.io/")
        }
        self.put(manifest)

    def delete(self, kind: str, namespace: str, name: str) -> None:
        """Delete an object and what it owns; a workload's pod comes back. Raises ApiRefusal."""
        with self.lock:
            self._catch_up()
            known = self._world.api.kinds.named(kind)
            self._check(known, "DELETE", namespace, name)
            if kind == "Pod":
                self._world.stop_pod(self._pod(namespace, name))
            else:
                self._world.api.delete(known, namespace, name)
            self._step()

    def release(self, kind: str, namespace: str, name: str) -> None:
        """Let go of an object that finalizers hold, as their controller does when its work is done."""
        with self.lock:
            self._catch_up()
            self._world.api.release((kind, namespace, name))
            self._step()

    def has_namespace(self, name: str) -> bool:
        """Tell whether the namespace exists."""
        return name in self._world.api.namespaces

    # --- inside -----------------------------------------------------------------------------------------

    def _check(self, kind: Kind, method: str, namespace: str, name: str = "") -> None:
        """Refuse what a test ordered to be refused, and a path that is not there."""
        if namespace and not kind.namespaced:
            raise no_such_resource()
        refusal = ordered_refusal(self.refuses, method, kind, namespace, name)
        if refusal is not None:
            raise refusal

    def _find(self, kind: Kind, namespace: str, name: str) -> Optional[Manifest]:
        """Return the stored object; a path that is not there reads as "not found" too, as in client-go."""
        if namespace and not kind.namespaced:
            return None
        try:
            return self._world.api.get(kind, namespace, name)
        except ApiRefusal as refusal:
            if refusal.reason == NOT_FOUND:
                return None
            raise

    def _write(self, kind: Kind, manifest: Manifest, *, create: bool, dry_run: bool) -> Manifest:
        api = self._world.api
        write = api.create if create else api.replace
        made = write(kind, manifest, dry_run=dry_run)
        if not dry_run:
            self.writes.append(
                (kind.name, text(made, "metadata", "namespace"), text(made, "metadata", "name"))
            )
            if kind.name == "Pod" and create:
                self._start_pod(made)
            self._step()
            self._quiet_until = self._next_event()  # a second step right after the first changes nothing
        return made

    def _start_pod(self, made: Manifest) -> None:
        template: Manifest = {"metadata": branch(made, "metadata"), "spec": branch(made, "spec")}
        pod = self._world.new_pod(made, name=text(made, "metadata", "name"), template=template, owner=None)
        self._world.start_pod(pod)

    def _pod(self, namespace: str, name: str) -> Pod:
        for pod in self._world.pods.values():
            if (pod.namespace, pod.name) == (namespace, name):
                return pod
        raise not_found("pods", name)

    def _shown(self, stored: Manifest, kind: Kind, *, version: str = "") -> Manifest:
        version = version or self._world.api.kinds.versions(kind)[0]
        if kind.name != autoscalers.KIND:
            return {"apiVersion": version, "kind": kind.name, **stored}
        return {**autoscalers.in_version(stored, version), "apiVersion": version, "kind": kind.name}
