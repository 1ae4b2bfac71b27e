"""What BCS is asked about a namespace before anything is deployed into it, or written: rights and values.

All of it is read. The right to deploy is asked for by a deployment of nothing, which changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Callable, Optional, Union

from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.deploy_calls import (
    NamespaceRef,
    Variables,
    list_namespaces,
    list_variables,
    may_deploy,
)
from bcs_template_set.bcs.space.cluster_reads import ask_cluster
from bcs_template_set.manifests.live_replicas import Workload
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import (
    ClusterNotVisible,
    NamespaceMissing,
    VariablesMissing,
)
from bcs_template_set.messages.spelling import nearest
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.rollout.live_numbers import live_numbers
from bcs_template_set.rollout.live_state import FileVersion
from bcs_template_set.system.parallel import Raised, overlap

NO_AUTOSCALER: Mapping[Workload, int] = {}


# --- the place ------------------------------------------------------------------------------------------


def refusal_to_deploy(reader: Reader, place: NamespaceRef, *, concurrency: int) -> Optional[StepError]:
    """Return why BCS would not let this user deploy there, None where it would; nothing is changed.

    Raises:
        ClusterNotVisible: there is no such cluster, or it is another project's.
        NamespaceMissing: the cluster has no such namespace.
    """
    tasks: Sequence[Callable[[], Union[tuple[str, ...], None]]] = (
        lambda: ask_cluster(reader, place, may_deploy(place)),
        lambda: _namespaces(reader, place),
    )
    right, namespaces = overlap(tasks, concurrency=concurrency)
    refused = right.error if isinstance(right, Raised) else None
    if refused is not None and not isinstance(refused, StepError):
        raise refused
    if isinstance(refused, ClusterNotVisible):
        raise refused
    known = () if isinstance(namespaces, Raised) else namespaces.value or ()
    if known and place.namespace not in known:
        raise missing_namespace(place, known)
    return refused


def _namespaces(reader: Reader, place: NamespaceRef) -> tuple[str, ...]:
    """Return the cluster's namespaces; none where they can't be read, which says nothing of any of them.

    So it is without the project's id, which nobody has who may not look the project up.

    A deployment or a dry run does not say beforehand that its namespace is not there (facts/bcs.md, trap 18).
    """
    try:
        return reader.read(list_namespaces(place))
    except StepError:
        return ()


def missing_namespace(place: NamespaceRef, known: Sequence[str]) -> NamespaceMissing:
    """Return the error of a namespace that is not among those that the cluster has, with the nearest."""
    near = nearest(place.namespace, known)
    details = [say("deploy.namespace_near", near=near)] if near else []
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
