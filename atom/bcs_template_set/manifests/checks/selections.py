"""Checks of what selects pods or hinders them, and is accepted all the same. Pure: performs no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import NamedTuple, Optional

from bcs_template_set.manifests.checks.finding import CheckInput, DocumentInFile, Finding, PodOwner, check
from bcs_template_set.manifests.fields import (
    Fields,
    Paths,
    is_left_for_bcs,
    mapping_at,
    text_at,
    texts_of,
)
from bcs_template_set.manifests.kinds import AUTOSCALER, SERVICE
from bcs_template_set.messages.spelling import NearNames

_TERMS = ("requiredDuringSchedulingIgnoredDuringExecution[]",)
_WEIGHTED = ("preferredDuringSchedulingIgnoredDuringExecution[].podAffinityTerm",)
_OF_POD = Paths(
    (path, False)
    for path in (
        "topologySpreadConstraints[].labelSelector",
        *(
            f"affinity.{kind}.{terms}.labelSelector"
            for kind in ("podAffinity", "podAntiAffinity")
            for terms in (*_TERMS, *_WEIGHTED)
        ),
    )
)
"""Where a pod says beside or away from which others it runs."""

_OF_KIND: Mapping[tuple[str, str], Paths[bool]] = {
    ("policy", "PodDisruptionBudget"): Paths([("spec.selector", True)]),
    ("networking.k8s.io", "NetworkPolicy"): Paths(
        [
            ("spec.podSelector", True),
            ("spec.ingress[].from[].podSelector", False),
            ("spec.egress[].to[].podSelector", False),
        ]
    ),
    ("monitoring.coreos.com", "PodMonitor"): Paths([("spec.selector", False)]),
    ("monitoring.coreos.com", "ServiceMonitor"): Paths([("spec.selector", False)]),
}
"""By group and kind, where it selects pods, and whether these hardly ever are another's; of one, Services."""

_Labelled = tuple[str, Fields]
"""What an object is called, and the labels by which it is selected."""

_MOST_COMPARED = 100
"""Among more that have all labels but one, the one that was meant is not looked for."""


@check("near-selector", warns=True, needs_all=True)
def check_near_selectors(checked: CheckInput) -> Iterator[Finding]:
    """Yield selectors that select nothing of the run, and nearly do: one label is probably misspelt."""
    selectors = [*_selectors_in(checked)]
    if not selectors:
        return
    pods = _Selectable((owner.document.title, owner.pod.labels) for owner in checked.workloads)
    services = _Selectable(
        (place.document.title, mapping_at(place.document.body, "metadata", "labels"))
        for place in checked.of_kind(SERVICE)
    )
    for selector in selectors:
        known = services if selector.place.document.kind == "ServiceMonitor" else pods
        yield from _nearly(selector, known, checked=checked)


def _selectors_in(checked: CheckInput) -> Iterator[_Selector]:
    for owner in checked.workloads:
        for where, selector, (is_own,) in _OF_POD.found_in(owner.pod.spec, owner.pod.field("spec")):
            yield _Selector(owner, where, selector, is_own)
    for place in checked.places:
        of_kind = _OF_KIND.get((place.document.group, place.document.kind))
        for where, labels, (is_own,) in () if of_kind is None else of_kind.found_in(place.document.body):
            yield _Selector(place, where, labels, is_own)


class _Selectable:
    """What the run has to select, by label."""

    def __init__(self, found: Iterable[_Labelled]) -> None:
        self._by_key: dict[str, dict[str, list[_Labelled]]] = {}
        self._by_value: dict[str, dict[str, list[_Labelled]]] = {}
        self._near: dict[str, NearNames] = {}
        for labelled in found:
            for key, value in texts_of(labelled[1]).items():
                self._by_key.setdefault(key, {}).setdefault(value, []).append(labelled)
                self._by_value.setdefault(value, {}).setdefault(key, []).append(labelled)

    def having(self, wanted: Mapping[str, str]) -> list[_Labelled]:
        """Return what has all of these labels."""
        fewest = min((self._by_key.get(key, {}).get(wanted[key], []) for key in wanted), key=len)
        found = (one for one in fewest if all(one[1].get(key) == value for key, value in wanted.items()))
        return list(islice(found, _MOST_COMPARED))

    def with_value_like(self, key: str, value: str, *, is_own: bool) -> list[_Labelled]:
        """Return what has the value of this label that was probably meant."""
        known = self._by_key.get(key, {})
        if key not in self._near:
            self._near[key] = NearNames(known)
        meant = self._near[key].meant_by(value, is_own=is_own)
        return [] if meant is None else known[meant]

    def with_key_like(self, key: str, value: str) -> list[_Labelled]:
        """Return what has this value under the key that was probably meant."""
        known = self._by_value.get(value, {})
        meant = NearNames(known).meant_by(key)
        return [] if meant is None else known[meant][:_MOST_COMPARED]


class _Selector(NamedTuple):
    """A selector: whose, where it is, what it says, and whether what it selects is hardly ever another's."""

    place: DocumentInFile | PodOwner
    where: str
    body: Fields
    is_own: bool


def _nearly(selector: _Selector, known: _Selectable, *, checked: CheckInput) -> Iterator[Finding]:
    wanted = texts_of(mapping_at(selector.body, "matchLabels"))
    if not wanted or any(map(is_left_for_bcs, wanted.values())) or known.having(wanted):
        return
    for key, value in wanted.items():
        rest = {other: wanted[other] for other in wanted if other != key}
        others = known.having(rest) if rest else _alone(key, value, known, is_own=selector.is_own)
        for title, labels in others:
            found = _meant(key, value, labels, is_own=selector.is_own)
            if found is not None:
                field = f"{selector.where}.matchLabels[{key}]"
                shown = {"given": f"{key}={value}", "found": f"{found}={labels[found]}"}
                yield checked.finding(selector.place, field, title=title, **shown)
                return


def _alone(key: str, value: str, known: _Selectable, *, is_own: bool) -> list[_Labelled]:
    return known.with_value_like(key, value, is_own=is_own) or known.with_key_like(key, value)


def _meant(key: str, value: str, labels: Fields, *, is_own: bool) -> Optional[str]:
    """Return the label that a selector's label was probably meant to be, None where it is another."""
    if key in labels:
        is_meant = NearNames([text_at(labels, key)]).meant_by(value, is_own=is_own) is not None
        return key if is_meant else None
    return NearNames(other for other in labels if labels[other] == value).meant_by(key)


@check("blocked-drain", warns=True, needs_all=True)
def check_budgets(checked: CheckInput) -> Iterator[Finding]:
    """Yield budgets that let no pod go, so that no node can be drained of them."""
    targets = (mapping_at(p.document.body, "spec", "scaleTargetRef") for p in checked.of_kind(AUTOSCALER))
    scaled = {(text_at(target, "kind"), text_at(target, "name")) for target in targets}
    for place in checked.places:
        if (place.document.group, place.document.kind) != _BUDGET:
            continue
        spec = mapping_at(place.document.body, "spec")
        least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
        if most in (0, "0%") and type(most) is not bool:
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
    return [] if mapping_at(spec, "selector").get("matchExpressions") else checked.selected_by(wanted)


def _pods_of(owner: PodOwner, scaled: set[tuple[str, str]]) -> Optional[int]:
    """Return how many pods a workload has, None where it does not say or an autoscaler does."""
    number = mapping_at(owner.document.body, "spec").get("replicas")
    is_scaled = (owner.document.kind, owner.document.name) in scaled
    return number if type(number) is int and not is_scaled else None
