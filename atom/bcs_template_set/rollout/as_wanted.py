"""Whether a live object is what a document says, whatever made it. Pure: performs no I/O.

It is if it holds all that the document says and beyond that only what a server or controller fills in. Such
an object is not sent: BCS replaces it whole, and not everything can be replaced (facts/bcs.md, trap 11). A
difference that nobody knows of counts as one: then the object is sent, as ever. Of other kinds than these it
is not known what a server fills in.
"""

from __future__ import annotations

from collections.abc import Mapping

from bcs_template_set.manifests.fields import mapping_at, text_at
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.rollout.live_diff import Object, fields_unlike, holds_nothing_else
from bcs_template_set.rollout.server_defaults import OF_OTHERS

_KINDS = frozenset(
    {
        *("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job"),
        *("Service", "Ingress", "ConfigMap", "Secret", "PersistentVolumeClaim"),
        *("HorizontalPodAutoscaler", "PodDisruptionBudget"),
    }
)

_OF_JOBS = (
    *("controller-uid", "job-name"),
    *("batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"),
)
"""The labels that the API server gives a Job and its pods."""

_CHOSEN: Mapping[str, tuple[str, ...]] = {
    "Job": ("selector",),
    "PersistentVolumeClaim": ("volumeName", "storageClassName"),
}
"""By kind, the fields of `spec` that are the cluster's where a document leaves them out."""

_STRATEGIES: Mapping[str, tuple[str, Mapping[str, YamlValue]]] = {
    "Deployment": ("strategy", {"maxSurge": "25%", "maxUnavailable": "25%"}),
    "DaemonSet": ("updateStrategy", {"maxSurge": 0, "maxUnavailable": 1}),
}
"""By kind, what a rolling update is where a document leaves it out: the same names have other defaults."""

_ROLLING = "RollingUpdate"


def is_as_wanted(desired: Object, live: Object) -> bool:
    """Tell whether the live object is what the document says, but for its marks and `status`."""
    kind = text_at(desired, "kind")
    if kind not in _KINDS or _has_more(desired, live, kind=kind):
        return False
    return holds_nothing_else(_completed(desired, kind=kind), _as_given(live, desired, kind=kind))


def unlike_wanted(desired: Object, live: Object) -> tuple[str, ...]:
    """Name the fields in which the live object is not what the document says.

    Of other kinds than these only what the document says is compared.
    """
    kind = text_at(desired, "kind")
    if kind not in _KINDS:
        return fields_unlike(desired, live, whole=False)
    own: Object = {**live, "metadata": _own_metadata(mapping_at(live, "metadata"), desired, kind=kind)}
    return fields_unlike(_completed(desired, kind=kind), _as_given(own, desired, kind=kind), whole=True)


def _own_metadata(metadata: Object, desired: Object, *, kind: str) -> dict[str, YamlValue]:
    """Return of a live object's metadata what the document names, and the labels and annotations."""
    named = mapping_at(desired, "metadata")
    both = ("annotations",) if kind == "Job" else ("annotations", "labels")  # a Job's are its pods'
    return {name: value for name, value in metadata.items() if name in named or name in both}


def _has_more(desired: Object, live: Object, *, kind: str) -> bool:
    """Tell whether the live object has labels or annotations that the document does not."""
    labels, live_labels = (mapping_at(body, "metadata", "labels") for body in (desired, live))
    notes, live_notes = (mapping_at(body, "metadata", "annotations") for body in (desired, live))
    is_copied = kind == "Job" and not labels  # from its pods' labels
    return any(name not in labels for name in live_labels if not is_copied) or any(
        name not in notes for name in live_notes if not name.startswith(OF_OTHERS)
    )


def _completed(desired: Object, *, kind: str) -> Object:
    """Return the document with the server's defaults whose names mean something else elsewhere."""
    spec = mapping_at(desired, "spec")
    if kind == "Ingress":
        return {**desired, "spec": {"ingressClassName": None, **spec}}
    if kind not in _STRATEGIES:
        return desired
    name, rolling = _STRATEGIES[kind]
    strategy = mapping_at(spec, name)
    if strategy.get("type") not in (None, _ROLLING):
        return desired
    whole = {
        **strategy,
        "type": _ROLLING,
        "rollingUpdate": {**rolling, **mapping_at(strategy, "rollingUpdate")},
    }
    return {**desired, "spec": {**spec, name: whole}}


def _as_given(live: Object, desired: Object, *, kind: str) -> Object:
    """Return the live object without what the cluster chose, and a number of pods that nobody asked for."""
    wanted = mapping_at(desired, "spec")
    chosen = ("replicas", *_CHOSEN.get(kind, ()))
    given = mapping_at(live, "spec").items()
    spec = {name: value for name, value in given if name in wanted or name not in chosen}
    if kind == "Job":
        spec["template"] = _without_labels(mapping_at(spec, "template"))
    return {**live, "spec": spec}


def _without_labels(template: Object) -> dict[str, YamlValue]:
    metadata = mapping_at(template, "metadata")
    labels = {name: value for name, value in mapping_at(metadata, "labels").items() if name not in _OF_JOBS}
    return {**template, "metadata": {**metadata, "labels": labels}}
