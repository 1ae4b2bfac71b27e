"""Read how many pods workloads have, and which of them an autoscaler scales. Only reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.deploy_calls import LiveList, NamespaceRef, list_autoscalers, list_live
from bcs_template_set.manifests.fields import Fields, list_at, mapping_at, text_at
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kinds import SCALING
from bcs_template_set.manifests.live_fields import number_in
from bcs_template_set.manifests.live_replicas import Workload, workload_of
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.rollout.deployment_plan import PodNumbers
from bcs_template_set.rollout.live_state import LiveState
from bcs_template_set.rollout.pod_numbers import (
    ALONE,
    autoscalers_in,
    changes_number,
    targets_of,
)


def live_numbers(
    reader: Reader, place: NamespaceRef, variables: Iterable[str], *, least: Mapping[Workload, int]
) -> dict[str, str]:
    """Return a value for each variable that stands for a live number of pods of a kind that scales.

    Of a workload that is not there it is the fewest pods that its autoscaler lets it have (`least`), else 1.

    Raises:
        StepError: the workloads can't be read, so that nobody knows which number to keep.
    """
    wanted = {name: found for name in variables for found in [workload_of(name)] if found is not None}
    pods: dict[Workload, int] = {}
    for kind in dict.fromkeys(SCALING[name] for name, _ in wanted.values() if name in SCALING):
        pods.update({found: least.get(found, ALONE) for found in wanted.values() if found[0] == kind.name})
        pods.update(pods_in(reader, place, kind))
    return {name: str(pods[found]) for name, found in wanted.items() if found in pods}


def pods_in(reader: Reader, place: NamespaceRef, kind: Kind) -> dict[Workload, int]:
    """Return how many pods each workload of a kind asks for."""
    found = {}
    for item in _items(reader.read(list_live(place, kind=kind))):
        count = number_in(mapping_at(item, "spec").get("replicas"))
        if count is not None:
            found[kind.name, text_at(item, "metadata", "name")] = count
    return found


def read_numbers(
    reader: Reader, place: NamespaceRef, states: Sequence[LiveState], *, kept: frozenset[Workload]
) -> PodNumbers:
    """Return who but the text decides about the pods of these workloads; `kept` take the live number.

    The namespace's autoscalers are asked for only where a number would change. That they can't be seen costs
    a sentence, not the run.
    """
    targets = targets_of(autoscalers_in(state.desired for state in states))
    keeps = frozenset(state.title for state in states if (state.kind, state.name) in kept)
    unseen = None
    if any(changes_number(state) and state.title not in keeps for state in states):
        try:
            targets = {**targets, **targets_of(_items(reader.read(list_autoscalers(place))))}
        except StepError as exc:
            unseen = exc.title()
    scaled = frozenset(state.title for state in states if (state.kind, state.name) in targets)
    return PodNumbers(keeps, scaled, unseen)


def _items(listed: LiveList) -> Sequence[Fields]:
    return [mapping_at(item) for item in list_at(listed.manifest, "items")]
