"""The kinds of objects that the step knows, and everything it knows of each: a table. Pure: performs no I/O.

A kind that is not in here is rendered, checked as an object, published and deployed all the same; nothing is
known of its pods, and nothing is waited for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Optional

from bcs_template_set.manifests.fields import Fields, is_left_for_bcs, mapping_at
from bcs_template_set.manifests.kind_rules import (
    DAEMON_SET_REVISION,
    DAEMON_SET_RULE,
    DEPLOYMENT_REVISION,
    DEPLOYMENT_RULE,
    JOB_REVISION,
    JOB_RULE,
    STATEFUL_SET_REVISION,
    STATEFUL_SET_RULE,
    Revision,
    RolloutRule,
)
from bcs_template_set.manifests.live_fields import number_in
from bcs_template_set.manifests.yaml_reading import YamlValue

SELECTOR = "spec.selector.matchLabels"


@dataclass(frozen=True)
class Kind:
    """A kind of objects, found by its API group ("" for core) and name.

    `former_groups` are those that older clusters serve it in as well. `route` is where cluster-resources
    serves its objects, such as `workloads/deployments`, or `crds/` and the name of their definition.
    `pod_template` is the path to the pods it makes: "" = the object is the pod, None = it makes none.
    `required` are the fields that the checks ask for, `fixed` those that Kubernetes refuses to change.

    With a `rule`, a deployment waits for its objects. `done_in_list` are the fields of `status` by which an
    entry of a pruned list (facts/bcs.md, trap 12) may be done: counts that reach the wanted number, or lists
    that are not empty. Without any, every object is read whole. `has_generation`: a whole object has one, and
    the controller says which one it has seen. `in_turn`: its pods have numbers, and it goes past none that is
    not ready. `on_shared_cluster`: a shared cluster takes it. `scales`: an autoscaler may set its
    `spec.replicas`, which a replacement without that field makes 1.
    """

    group: str
    name: str
    route: str = ""
    former_groups: tuple[str, ...] = ()
    pod_template: Optional[str] = None
    required: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    rule: Optional[RolloutRule] = None
    done_in_list: tuple[str, ...] = ()
    revision: Optional[Revision] = None
    has_generation: bool = True
    in_turn: bool = False
    on_shared_cluster: bool = False
    scales: bool = False

    @property
    def is_custom(self) -> bool:
        """Tell whether a CustomResourceDefinition brings it."""
        return self.route.startswith("crds/")

    @property
    def has_selector(self) -> bool:
        """Tell whether it must select its own pods."""
        return SELECTOR in self.required

    def may_be_done(self, item: Fields) -> bool:
        """Tell whether what a list says may be that of an object that is done: only a whole look is sure."""
        if self.rule is None or not self.done_in_list:
            return False
        status, wanted = mapping_at(item, "status"), self.rule.counts(item).wanted
        return all(_has_reached(status.get(name), wanted) for name in self.done_in_list)


def _has_reached(value: YamlValue, wanted: int) -> bool:
    return bool(value) if isinstance(value, list) else (number_in(value) or 0) >= wanted


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
    former_groups=("extensions",),
    pod_template="spec.template",
    required=(SELECTOR,),
)
JOB = Kind(
    "batch",
    "Job",
    route="workloads/jobs",
    pod_template="spec.template",
    rule=JOB_RULE,
    done_in_list=("conditions",),
    revision=JOB_REVISION,
    has_generation=False,  # not on older clusters; it ends by its conditions alone
    on_shared_cluster=True,
)
CRON_JOB = Kind(
    "batch",
    "CronJob",
    pod_template="spec.jobTemplate.spec.template",
    required=("spec.schedule",),
    on_shared_cluster=True,
)
POD = Kind("", "Pod", route="workloads/pods", pod_template="", on_shared_cluster=True)
SERVICE = Kind("", "Service", required=("spec",), on_shared_cluster=True)
INGRESS = Kind(
    "networking.k8s.io",
    "Ingress",
    route="networks/ingresses",
    former_groups=("extensions",),
    required=("spec",),
    on_shared_cluster=True,
)
AUTOSCALER = Kind("autoscaling", "HorizontalPodAutoscaler", route="hpa", on_shared_cluster=True)

BUILT_IN: Sequence[Kind] = (
    *(DEPLOYMENT, STATEFUL_SET, DAEMON_SET, REPLICA_SET, JOB, CRON_JOB),
    *(POD, SERVICE, INGRESS, AUTOSCALER),
)

KINDS: Mapping[tuple[str, str], Kind] = {
    (group, kind.name): kind for kind in BUILT_IN for group in (kind.group, *kind.former_groups)
}
_BY_NAME: Mapping[str, Kind] = {kind.name: kind for kind in BUILT_IN}

_TAKEN_BY_SHARED_CLUSTERS = frozenset(
    {
        *("Namespace", "Endpoints", "ConfigMap", "Secret"),
        *("PersistentVolumeClaim", "ServiceAccount"),
    }
)
SHARED_KINDS = _TAKEN_BY_SHARED_CLUSTERS | {kind.name for kind in BUILT_IN if kind.on_shared_cluster}
"""The names of the kinds that a shared cluster takes, whatever their group (facts/bcs.md, trap 9)."""


def kind_of(api_version: str, name: str) -> Optional[Kind]:
    """Return the kind of an object, None for one that is not known.

    Where an object names no group, or leaves it for BCS to fill in, Kubernetes' own kind is meant.
    """
    group = "" if is_left_for_bcs(api_version) else api_version.rpartition("/")[0]
    return KINDS.get((group, name)) if group else _BY_NAME.get(name)


def is_of(kind: Kind, api_version: str, name: str) -> bool:
    """Tell whether an object is of a kind: the same word in another group is another thing."""
    return kind_of(api_version, name) is kind
