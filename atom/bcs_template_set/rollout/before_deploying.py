"""What BCS is asked about a namespace before anything is deployed or written: rights, values, numbers.

All of it is read. The right to deploy is asked for by a deployment of nothing, which changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Callable, Optional, Union

from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.deploy_calls import (
    LiveList,
    NamespaceRef,
    Variables,
    list_autoscalers,
    list_live,
    list_namespaces,
    list_variables,
    may_deploy,
)
from bcs_template_set.bcs.space.cluster_reads import ask_cluster
from bcs_template_set.manifests.fields import Fields, list_at, mapping_at, text_at
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kinds import SCALING
from bcs_template_set.manifests.live_fields import number_in
from bcs_template_set.manifests.live_replicas import Workload, workload_of
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import ClusterNotVisible, NamespaceMissing, VariablesMissing
from bcs_template_set.messages.spelling import near_name
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.rollout.deployment_plan import PodNumbers
from bcs_template_set.rollout.live_state import FileVersion, LiveState
from bcs_template_set.rollout.pod_numbers import ALONE, autoscalers_in, changed_number, targets_of
from bcs_template_set.system.parallel import Raised, overlap, values_of

NO_AUTOSCALER: Mapping[Workload, int] = {}


# --- the place ------------------------------------------------------------------------------------------


def refusal_to_deploy(reader: Reader, place: NamespaceRef) -> Optional[StepError]:
    """Return why BCS would not let this user deploy there, None where it would; nothing is changed.

    Raises:
        ClusterNotVisible: there is no such cluster, or it is another project's.
        NamespaceMissing: the cluster has no such namespace.
    """
    tasks: Sequence[Callable[[], Union[tuple[str, ...], None]]] = (
        lambda: ask_cluster(reader, place, may_deploy(place)),
        lambda: _namespaces(reader, place),
    )
    right, namespaces = overlap(tasks, concurrency=reader.most_at_once)
    refused = right.error if isinstance(right, Raised) else None
    if refused is not None and not isinstance(refused, StepError):
        raise refused
    if isinstance(refused, ClusterNotVisible):
        raise refused
    known = values_of([namespaces])[0]
    if known and place.namespace not in known:
        raise missing_namespace(place, known)
    return refused


def _namespaces(reader: Reader, place: NamespaceRef) -> Optional[tuple[str, ...]]:
    """Return the cluster's namespaces; None where they can't be read, which says nothing of any of them.

    So it is without the project's id, which nobody has who may not look the project up.

    A deployment or a dry run does not say beforehand that its namespace is not there (facts/bcs.md, trap 18).
    """
    try:
        return reader.read(list_namespaces(place))
    except StepError:
        return None


def missing_namespace(place: NamespaceRef, known: Sequence[str]) -> NamespaceMissing:
    """Return the error of a namespace that is not among those that the cluster has, with the nearest."""
    details = near_name("deploy.namespace_near", place.namespace, known)
    return NamespaceMissing(namespace=place.namespace, cluster=place.cluster_id, details=details)


# --- values ---------------------------------------------------------------------------------------------


def resolve_variables(
    reader: Reader,
    place: NamespaceRef,
    files: Sequence[FileVersion],
    *,
    given: Mapping[str, str],
    least: Mapping[Workload, int] = NO_AUTOSCALER,
) -> dict[str, str]:
    """Return a value for every variable of the versions: the author's, else the namespace's own.

    BCS replaces what is left out by nothing, silently (trap 2), and fills in the namespace's values only in
    its console; so every value is sent. A number of pods that is to stay is read from the cluster; `least`
    are the fewest pods of workloads that have an autoscaler.

    Raises:
        VariablesMissing: a detail for each variable without a value.
    """
    if not files:
        return dict(given)
    found = ask_variables(reader, place, [file.version_id for file in files])
    values = {variable.key: given.get(variable.key, variable.value) for variable in found.vars}
    open_names = [name for name, value in values.items() if not value and name not in given]
    values.update(live_numbers(reader, place, open_names, least=least))
    missing = sorted(name for name, value in values.items() if not value and name not in given)
    if missing:
        raise VariablesMissing(details=[say("deploy.variable_missing", name=name) for name in missing])
    return {**given, **values}


def ask_variables(reader: Reader, place: NamespaceRef, version_ids: Sequence[str]) -> Variables:
    """Return BCS's variables of the versions.

    Raises:
        ClusterNotVisible: there is no such cluster, or it is another project's.
    """
    return ask_cluster(reader, place, list_variables(place, version_ids=version_ids))


# --- numbers of pods -----------------------------------------------------------------------------------


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
    if any(changed_number(state) and state.title not in keeps for state in states):
        try:
            targets = {**targets, **targets_of(_items(reader.read(list_autoscalers(place))))}
        except StepError as exc:
            unseen = exc.title()
    scaled = frozenset(state.title for state in states if (state.kind, state.name) in targets)
    return PodNumbers(keeps, scaled, unseen)


def _items(listed: LiveList) -> Sequence[Fields]:
    return [mapping_at(item) for item in list_at(listed.manifest, "items")]
