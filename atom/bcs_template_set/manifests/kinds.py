"""The kinds of objects that the step knows: a table. Pure: performs no I/O.

Those that a CustomResourceDefinition brings are in `custom_kinds.py`. A kind that is not in here is
rendered, checked as an object, published and deployed all the same; nothing is known of its pods, and
nothing is waited for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Optional

from bcs_template_set.manifests.custom_kinds import CUSTOM
from bcs_template_set.manifests.fields import is_left_for_bcs
from bcs_template_set.manifests.kind_entry import SELECTOR, Kind
from bcs_template_set.manifests.kind_rules import (
    CRON_JOB_RULE,
    DAEMON_SET_REVISION,
    DAEMON_SET_RULE,
    DEPLOYMENT_REVISION,
    DEPLOYMENT_RULE,
    JOB_REVISION,
    JOB_RULE,
    STATEFUL_SET_REVISION,
    STATEFUL_SET_RULE,
)

DEPLOYMENT = Kind(
    "apps",
    "Deployment",
    route="workloads/deployments",
    former_groups=("extensions",),
    pod_template="spec.template",
    required=(SELECTOR,),
    fixed=(SELECTOR,),
    rule=DEPLOYMENT_RULE,
    done_in_list=("updatedReplicas", "availableReplicas"),
    revision=DEPLOYMENT_REVISION,
    on_shared_cluster=True,
    scales=True,
)
STATEFUL_SET = Kind(
    "apps",
    "StatefulSet",
    route="workloads/statefulsets",
    pod_template="spec.template",
    required=(SELECTOR,),
    fixed=(SELECTOR,),
    rule=STATEFUL_SET_RULE,
    done_in_list=("updatedReplicas", "readyReplicas"),
    revision=STATEFUL_SET_REVISION,
    in_turn=True,
    on_shared_cluster=True,
    scales=True,
)
DAEMON_SET = Kind(
    "apps",
    "DaemonSet",
    route="workloads/daemonsets",
    former_groups=("extensions",),
    pod_template="spec.template",
    required=(SELECTOR,),
    fixed=(SELECTOR,),
    rule=DAEMON_SET_RULE,
    done_in_list=("updatedNumberScheduled", "numberAvailable"),
    revision=DAEMON_SET_REVISION,
)
REPLICA_SET = Kind(
    "apps",
    "ReplicaSet",
    route="workloads/replicasets",
    former_groups=("extensions",),
    pod_template="spec.template",
    required=(SELECTOR,),
)
JOB = Kind(
    "batch",
    "Job",
    route="workloads/jobs",
    pod_template="spec.template",
    kept="selector",
    rule=JOB_RULE,
    done_in_list=("conditions",),
    revision=JOB_REVISION,
    has_generation=False,  # not on older clusters; it ends by its conditions alone
    on_shared_cluster=True,
)
CRON_JOB = Kind(
    "batch",
    "CronJob",
    route="workloads/cronjobs",
    pod_template="spec.jobTemplate.spec.template",
    required=("spec.schedule",),
    rule=CRON_JOB_RULE,
    has_generation=False,  # not on older clusters
    on_shared_cluster=True,
)
REPLICATION_CONTROLLER = Kind("", "ReplicationController", pod_template="spec.template")
POD_TEMPLATE = Kind("", "PodTemplate", pod_template="template")
POD = Kind("", "Pod", route="workloads/pods", pod_template="", on_shared_cluster=True)
SERVICE = Kind("", "Service", route="networks/services", required=("spec",), on_shared_cluster=True)
INGRESS = Kind(
    "networking.k8s.io",
    "Ingress",
    route="networks/ingresses",
    former_groups=("extensions",),
    required=("spec",),
    on_shared_cluster=True,
)
PERSISTENT_VOLUME_CLAIM = Kind(
    "",
    "PersistentVolumeClaim",
    route="storages/persistent_volume_claims",
    kept="volumeName",
    on_shared_cluster=True,
)
CONFIG_MAP = Kind("", "ConfigMap", route="configs/configmaps", on_shared_cluster=True)
SECRET = Kind("", "Secret", route="configs/secrets", on_shared_cluster=True)
AUTOSCALER = Kind("autoscaling", "HorizontalPodAutoscaler", route="hpa", on_shared_cluster=True)

BUILT_IN: Sequence[Kind] = (
    *(DEPLOYMENT, STATEFUL_SET, DAEMON_SET, REPLICA_SET, JOB, CRON_JOB),
    *(REPLICATION_CONTROLLER, POD_TEMPLATE),
    *(POD, SERVICE, INGRESS, AUTOSCALER, PERSISTENT_VOLUME_CLAIM, CONFIG_MAP, SECRET),
)
LISTED: Sequence[Kind] = tuple(kind for kind in BUILT_IN if kind.route and kind not in (POD, REPLICA_SET))
"""The kinds that BCS lists, but those whose objects a controller makes as a rule."""

KINDS: Mapping[tuple[str, str], Kind] = {
    (group, kind.name): kind for kind in (*BUILT_IN, *CUSTOM) for group in (kind.group, *kind.former_groups)
}
SCALING: Mapping[str, Kind] = {kind.name: kind for kind in KINDS.values() if kind.scales}
"""The kinds whose pods an autoscaler counts, by name."""
_BY_NAME: Mapping[str, Kind] = {kind.name: kind for kind in BUILT_IN}

_TAKEN_BY_SHARED_CLUSTERS = frozenset({"Namespace", "Endpoints", "ServiceAccount"})
SHARED_KINDS = _TAKEN_BY_SHARED_CLUSTERS | {kind.name for kind in BUILT_IN if kind.on_shared_cluster}
"""The names of the kinds that a shared cluster takes, whatever their group (facts/bcs.md, trap 9)."""


@lru_cache(maxsize=1024)
def kind_of(api_version: str, name: str) -> Optional[Kind]:
    """Return the kind of an object, None for one that is not known.

    Where an object names no group, or leaves it for BCS to fill in, Kubernetes' own kind is meant.
    """
    group = "" if is_left_for_bcs(api_version) else api_version.rpartition("/")[0]
    return KINDS.get((group, name)) if group else _BY_NAME.get(name)


def is_of(kind: Kind, api_version: str, name: str) -> bool:
    """Tell whether an object is of a kind: the same word in another group is another thing."""
    return kind_of(api_version, name) is kind
