"""The API server: objects by kind, namespace and name, with the checks of a PUT and a POST. No I/O.

It knows nothing of controllers: they look at `objects` and write with `write_status` and `annotate`.
"""

from __future__ import annotations

import uuid
from typing import Callable, Optional

from tests.emulator.cluster.decoding import find_mistyped
from tests.emulator.cluster.defaults import complete, first_status
from tests.emulator.cluster.field_rules import refuse_fields
from tests.emulator.cluster.kinds import Kind, Kinds
from tests.emulator.cluster.refusals import (
    ApiRefusal,
    bad_request,
    cannot_decode,
    conflict,
    exists,
    invalid,
    no_such_resource,
    not_found,
)
from tests.emulator.cluster.services import ServiceAllocator
from tests.emulator.cluster.tree import Manifest, branch, copied, find, grow, items, number, text, timestamp
from tests.emulator.cluster.validation import refuse_change, refuse_new
from tests.emulator.running_numbers import RunningNumbers

Key = tuple[str, str, str]
"""Kind, namespace (empty for cluster-wide kinds) and name."""


class ApiServer:
    """Stored objects. `minor` is the release: 20 answers as 1.20 does (facts/bcs.md trap 11)."""

    def __init__(self, *, now: Callable[[], float], minor: int) -> None:
        self.minor = minor
        self.kinds = Kinds(minor=minor)
        self.objects: dict[Key, Manifest] = {}
        self.namespaces: set[str] = set()
        self.services = ServiceAllocator()
        self._now = now
        self._versions = RunningNumbers(1000)

    def find_kind(self, name: str, group_version: str) -> Optional[Kind]:
        """Return the kind if it is served in that version. Raises ApiRefusal for an unknown version."""
        if group_version and not self.kinds.has_version(group_version):
            raise no_such_resource()
        return self.kinds.find(name, group_version)

    # --- what a client asks -----------------------------------------------------------------------------

    def get(self, kind: Kind, namespace: str, name: str) -> Manifest:
        """Return a copy of the stored object. Raises ApiRefusal."""
        found = self.objects.get((kind.name, namespace, name))
        if found is None:
            raise not_found(kind.resource, name)
        return copied(found)

    def find_all(self, kind: Kind, namespace: str) -> list[Manifest]:
        """Return copies of a namespace's objects in the order of their names."""
        keys = sorted(key for key in self.objects if key[:2] == (kind.name, namespace))
        return [copied(self.objects[key]) for key in keys]

    def create(self, kind: Kind, manifest: Manifest, *, dry_run: bool = False) -> Manifest:
        """Store a new object; a cluster-wide kind loses its namespace. Raises ApiRefusal."""
        namespace, name = _place_of(kind, manifest), text(manifest, "metadata", "name")
        if kind.namespaced and namespace not in self.namespaces:
            raise not_found("namespaces", namespace)
        if (kind.name, namespace, name) in self.objects:
            raise exists(kind, name)
        made = self._accept(kind, manifest, old={})
        metadata = grow(made, "metadata")
        metadata.update(uid=str(uuid.uuid4()), creationTimestamp=timestamp(self._now()))
        if not kind.namespaced:
            metadata.pop("namespace", None)
        if "spec" in made and kind.name not in _WITHOUT_GENERATION:
            metadata["generation"] = 1
        if kind.name == "Job":
            _mark_job(made)
        status = first_status(made)
        if status is not None:
            made["status"] = status
        return self._store(kind, made, old={}, dry_run=dry_run)

    def replace(self, kind: Kind, manifest: Manifest, *, dry_run: bool = False) -> Manifest:
        """Replace an object whole, as PUT does. Raises ApiRefusal."""
        namespace, name = _place_of(kind, manifest), text(manifest, "metadata", "name")
        if kind.name == "Namespace" and text(manifest, "metadata", "namespace") not in ("", name):
            raise bad_request(
                f"the namespace of the object ({text(manifest, 'metadata', 'namespace')}) does not match the "
                f"namespace on the request ({name})"
            )
        old = self.get(kind, namespace, name)
        given = text(manifest, "metadata", "resourceVersion")
        if given and given != text(old, "metadata", "resourceVersion"):
            raise conflict(kind, name)
        made = self._accept(kind, manifest, old=old)
        metadata = grow(made, "metadata")
        for field in ("uid", "creationTimestamp", "generation"):
            if field in branch(old, "metadata"):
                metadata[field] = branch(old, "metadata")[field]
        if not kind.namespaced:
            metadata.pop("namespace", None)
        if "status" in old:
            made["status"] = old["status"]
        return self._store(kind, made, old=old, dry_run=dry_run)

    def delete(self, kind: Kind, namespace: str, name: str) -> Manifest:
        """Remove an object and return it; what it owns follows (`collect_garbage`). Raises ApiRefusal.

        One that a finalizer holds stays, with a `deletionTimestamp`, until that is let go (`release`).
        """
        gone = self.get(kind, namespace, name)
        finalizers = find(gone, "metadata", "finalizers")
        if isinstance(finalizers, list) and set(finalizers) - _LET_GO_AT_ONCE:
            metadata = grow(self.objects[kind.name, namespace, name], "metadata")
            metadata.setdefault("deletionTimestamp", timestamp(self._now()))
            return gone
        del self.objects[kind.name, namespace, name]
        if kind.name == "Service":
            self.services.release(gone)
        if kind.name == "Namespace":
            self.namespaces.discard(name)
        return gone

    def release(self, key: Key) -> None:
        """Take an object's finalizers away; one that is being deleted goes with them."""
        metadata = grow(self.objects[key], "metadata")
        metadata.pop("finalizers", None)
        if "deletionTimestamp" in metadata:
            del self.objects[key]

    # --- what the server does by itself -----------------------------------------------------------------

    def collect_garbage(self) -> None:
        """Remove what has an owner that is gone: deletion in the background."""
        living = {text(stored, "metadata", "uid") for stored in self.objects.values()}
        for key, stored in list(self.objects.items()):
            owners = items(stored, "metadata", "ownerReferences")
            if owners and not any(text(owner, "uid") in living for owner in owners):
                del self.objects[key]

    def write(self, key: Key, manifest: Manifest) -> None:
        """Store an object that a controller keeps, unchecked; nothing happens where it is the same."""
        old = self.objects.get(key, {})
        metadata = grow(manifest, "metadata")
        metadata["uid"] = text(old, "metadata", "uid") or str(uuid.uuid4())
        metadata["creationTimestamp"] = text(old, "metadata", "creationTimestamp") or timestamp(self._now())
        metadata["generation"] = number(old, "metadata", "generation", default=1)
        metadata["resourceVersion"] = text(old, "metadata", "resourceVersion")
        if "status" in old:
            manifest["status"] = old["status"]
        if manifest != old:
            if old and find(old, "spec") != find(manifest, "spec"):
                metadata["generation"] = number(metadata, "generation") + 1
            self.objects[key] = manifest
            self._touch(manifest)

    # --- what a controller writes -----------------------------------------------------------------------

    def write_status(self, key: Key, status: Manifest) -> None:
        """Write an object's status; nothing happens where it is the same."""
        stored = self.objects[key]
        if stored.get("status") != status:
            stored["status"] = status
            self._touch(stored)

    def annotate(self, key: Key, name: str, value: str) -> None:
        """Write one annotation of an object; its generation stays."""
        annotations = grow(self.objects[key], "metadata", "annotations")
        if annotations.get(name) != value:
            annotations[name] = value
            self._touch(self.objects[key])

    def scale(self, key: Key, replicas: int) -> None:
        """Set a workload's number of pods, as its subresource `scale` does: a new generation of it."""
        stored = self.objects[key]
        grow(stored, "spec")["replicas"] = replicas
        metadata = grow(stored, "metadata")
        metadata["generation"] = number(metadata, "generation") + 1
        self._touch(stored)

    def new_version(self) -> str:
        """Return the next resourceVersion."""
        return str(next(self._versions))

    # --- inside -----------------------------------------------------------------------------------------

    def _accept(self, kind: Kind, manifest: Manifest, *, old: Manifest) -> Manifest:
        mistyped = find_mistyped(manifest)
        if mistyped is not None:
            raise cannot_decode(kind, mistyped, minor=self.minor)
        made = complete(manifest, known=not self.kinds.is_custom(kind))
        made.pop("status", None)
        causes = refuse_new(made)
        if not self.kinds.is_custom(kind):
            causes += refuse_fields(manifest)
        if old:
            causes += refuse_change(old, made)
        if kind.name == "Service":
            causes += self.services.refuse(made, old=old, minor=self.minor)
        if causes:
            raise invalid(kind, text(made, "metadata", "name"), causes)
        return made

    def _store(self, kind: Kind, made: Manifest, *, old: Manifest, dry_run: bool) -> Manifest:
        metadata = grow(made, "metadata")
        if kind.name == "Service":
            self.services.assign(made, old=old, minor=self.minor, dry_run=dry_run)
        if old and _moves_generation(kind, old, made):
            metadata["generation"] = number(metadata, "generation") + 1
        metadata["resourceVersion"] = text(old, "metadata", "resourceVersion")
        if made != old:
            metadata["resourceVersion"] = self.new_version()
        if not dry_run:
            key = (kind.name, text(metadata, "namespace"), text(metadata, "name"))
            self.objects[key] = made
            if kind.name == "Namespace":
                self.namespaces.add(key[2])
            if kind.name == "CustomResourceDefinition":
                self.kinds.define(made)
        return copied(made)

    def _touch(self, stored: Manifest) -> None:
        grow(stored, "metadata")["resourceVersion"] = self.new_version()


_WITHOUT_GENERATION = (
    "Service",
    "Pod",
    "Namespace",
    "Job",
    "HorizontalPodAutoscaler",
    "PersistentVolumeClaim",
)
"""Kinds with a spec whose registry counts no generation (Kubernetes 1.20 pkg/registry)."""


_LET_GO_AT_ONCE = frozenset({"kubernetes.io/pvc-protection", "kubernetes"})
"""Finalizers whose controller has nothing to wait for here: no pod mounts, nothing is drained."""


def _moves_generation(kind: Kind, old: Manifest, made: Manifest) -> bool:
    """Tell whether a write is a new generation; a Deployment's annotations count too (apps/deployment)."""
    if "generation" not in branch(old, "metadata"):
        return False
    if kind.name == "Deployment" and branch(old, "metadata", "annotations") != branch(
        made, "metadata", "annotations"
    ):
        return True
    return find(old, "spec") != find(made, "spec")


def _place_of(kind: Kind, manifest: Manifest) -> str:
    return text(manifest, "metadata", "namespace") if kind.namespaced else ""


def _mark_job(made: Manifest) -> None:
    """Generate the selector and labels that a replaced document lacks (see validation)."""
    uid, name = text(made, "metadata", "uid"), text(made, "metadata", "name")
    grow(made, "spec", "selector", "matchLabels")["controller-uid"] = uid
    grow(made, "spec", "template", "metadata", "labels").update({"controller-uid": uid, "job-name": name})
    if not branch(made, "metadata", "labels"):
        grow(made, "metadata")["labels"] = dict(branch(made, "spec", "template", "metadata", "labels"))


__all__ = ["ApiRefusal", "ApiServer", "Key"]
