"""Checks of what selects pods or hinders them, and is accepted all the same. Pure: performs no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Optional

from bcs_template_set.manifests.checks.finding import CheckInput, DocumentInFile, Finding, PodOwner, check
from bcs_template_set.manifests.fields import (
    Fields,
    is_left_for_bcs,
    mapping_at,
    objects_at,
    text_at,
    texts_of,
)
from bcs_template_set.manifests.kinds import SERVICE
from bcs_template_set.messages.spelling import misspelt

_TERMS = ("requiredDuringSchedulingIgnoredDuringExecution[]",)
_WEIGHTED = ("preferredDuringSchedulingIgnoredDuringExecution[].podAffinityTerm",)
_OF_POD: Sequence[str] = (
    "topologySpreadConstraints[].labelSelector",
    *(
        f"affinity.{kind}.{terms}.labelSelector"
        for kind in ("podAffinity", "podAntiAffinity")
        for terms in (*_TERMS, *_WEIGHTED)
    ),
)
"""Where a pod says beside or away from which others it runs."""

_OF_KIND: Mapping[tuple[str, str], Sequence[tuple[str, bool]]] = {
    ("policy", "PodDisruptionBudget"): (("spec.selector", True),),
    ("networking.k8s.io", "NetworkPolicy"): (
        ("spec.podSelector", True),
        ("spec.ingress[].from[].podSelector", False),
        ("spec.egress[].to[].podSelector", False),
    ),
    ("monitoring.coreos.com", "PodMonitor"): (("spec.selector", False),),
    ("monitoring.coreos.com", "ServiceMonitor"): (("spec.selector", False),),
}
"""By group and kind, where it selects pods, and whether these hardly ever are another's; of one, Services."""

_Labelled = tuple[str, Fields]
"""What an object is called, and the labels by which it is selected."""

MOST_COMPARED = 500
"""Among more labels none is looked for that was meant."""


@check("near-selector", warns=True, needs_all=True)
def check_near_selectors(checked: CheckInput) -> Iterator[Finding]:
    """Yield selectors that select nothing of the run, and nearly do: one label is probably misspelt."""
    pods = _by_label((owner.document.title, owner.pod.labels) for owner in checked.workloads)
    for owner in checked.workloads:
        for path in _OF_POD:
            for where, selector in objects_at(owner.pod.spec, path, where=owner.pod.field("spec")):
                yield from _nearly(_Selector(owner, where, selector), pods, checked=checked)
    services = _by_label(
        (place.document.title, mapping_at(place.document.body, "metadata", "labels"))
        for place in checked.of_kind(SERVICE)
    )
    for place in checked.places:
        group, kind = place.document.api_version.rpartition("/")[0], place.document.kind
        for path, is_own in _OF_KIND.get((group, kind), ()):
            for where, labels in objects_at(place.document.body, path):
                known = services if kind == "ServiceMonitor" else pods
                yield from _nearly(_Selector(place, where, labels, is_own), known, checked=checked)


_ByLabel = Mapping[tuple[str, str], Sequence[_Labelled]]


def _by_label(found: Iterable[_Labelled]) -> _ByLabel:
    known: dict[tuple[str, str], list[_Labelled]] = {}
    for labelled in found:
        for key, value in labelled[1].items():
            known.setdefault((key, str(value)), []).append(labelled)
    return known


@dataclass(frozen=True)
class _Selector:
    """A selector: whose, where it is, what it says, and whether what it selects is hardly ever another's."""

    place: DocumentInFile | PodOwner
    where: str
    body: Fields
    is_own: bool = False


def _nearly(selector: _Selector, known: _ByLabel, *, checked: CheckInput) -> Iterator[Finding]:
    wanted = texts_of(mapping_at(selector.body, "matchLabels"))
    if not wanted or any(map(is_left_for_bcs, wanted.values())) or _having(wanted, known):
        return
    for key, value in wanted.items():
        rest = {other: wanted[other] for other in wanted if other != key}
        for title, labels in _having(rest, known) if rest else _sharing(key, value, known):
            found = _meant(key, value, labels, is_own=selector.is_own)
            if found is not None:
                field = f"{selector.where}.matchLabels[{key}]"
                shown = {"given": f"{key}={value}", "found": f"{found}={labels[found]}"}
                yield checked.finding(selector.place, field, title=title, **shown)
                return


def _having(wanted: Mapping[str, str], known: _ByLabel) -> list[_Labelled]:
    """Return what has all of these labels."""
    fewest = min((known.get(pair, ()) for pair in wanted.items()), key=len)
    found = (one for one in fewest if all(one[1].get(key) == value for key, value in wanted.items()))
    return list(islice(found, MOST_COMPARED))


def _sharing(key: str, value: str, known: _ByLabel) -> Iterator[_Labelled]:
    """Yield one of those that have each label of this key, or of this value."""
    found = (labelled[0] for pair, labelled in known.items() if key == pair[0] or value == pair[1])
    return islice(found, MOST_COMPARED)


def _meant(key: str, value: str, labels: Fields, *, is_own: bool) -> Optional[str]:
    """Return the label that a selector's label was probably meant to be, None where it is another."""
    if key in labels:
        return key if misspelt(value, [text_at(labels, key)], is_own=is_own) is not None else None
    return misspelt(key, [other for other in labels if labels[other] == value])


@check("blocked-drain", warns=True, needs_all=True)
def check_budgets(checked: CheckInput) -> Iterator[Finding]:
    """Yield budgets that let no pod go, so that no node can be drained of them."""
    scaled = {
        text_at(place.document.body, "spec", "scaleTargetRef", "name")
        for place in checked.places
        if place.document.kind == "HorizontalPodAutoscaler"
    }
    for place in checked.places:
        if (place.document.api_version.rpartition("/")[0], place.document.kind) != _BUDGET:
            continue
        spec = mapping_at(place.document.body, "spec")
        least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
        if most in (0, "0", "0%") and type(most) is not bool:
            yield checked.finding(place, "spec.maxUnavailable")
        elif least == "100%":
            yield checked.finding(place, "spec.minAvailable")
        elif type(least) is int:
            counts = [_pods_of(owner, scaled) for owner in _selected(checked, spec)]
            if counts and None not in counts and least >= sum(filter(None, counts)):
                fields = {"least": least, "pods": sum(filter(None, counts))}
                yield checked.finding(place, "spec.minAvailable", "blocked_by_number", **fields)


_BUDGET = ("policy", "PodDisruptionBudget")


def _selected(checked: CheckInput, spec: Fields) -> list[PodOwner]:
    wanted = mapping_at(spec, "selector", "matchLabels")
    if not wanted or mapping_at(spec, "selector").get("matchExpressions"):
        return []
    candidates = (checked.by_label.get((key, str(value)), ()) for key, value in wanted.items())
    return [
        owner
        for owner in min(candidates, key=len)
        if all(owner.pod.labels.get(key) == value for key, value in wanted.items())
    ]


def _pods_of(owner: PodOwner, scaled: set[str]) -> Optional[int]:
    """Return how many pods a workload has, None where it does not say or an autoscaler does."""
    number = mapping_at(owner.document.body, "spec").get("replicas")
    return number if type(number) is int and owner.document.name not in scaled else None
