"""What an API server fills in where a manifest says nothing: a table. Pure: performs no I/O.

Whatever else a live object has beyond its manifest was put there by a hand, a controller or an earlier text,
and a whole replacement takes it away (facts/bcs.md, trap 11). By field name, since a name has one meaning in
the kinds that `live_diff` looks at (Kubernetes' defaults.go of apps, autoscaling, batch, core and networking,
1.20 to 1.31). A value that is missing here costs a line of a difference, or a deployment that is not needed;
one too many would leave what a text no longer says (as_wanted.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

from bcs_template_set.manifests.yaml_reading import YamlValue

_DEFAULTS: Mapping[str, tuple[YamlValue, ...]] = {
    # workloads
    "replicas": (1,),
    "revisionHistoryLimit": (10,),
    "progressDeadlineSeconds": (600,),
    "maxSurge": ("25%", 0),
    "maxUnavailable": ("25%", 1),
    "partition": (0,),
    "podManagementPolicy": ("OrderedReady",),
    "whenDeleted": ("Retain",),
    "whenScaled": ("Retain",),
    "concurrencyPolicy": ("Allow",),
    "suspend": (False,),
    "successfulJobsHistoryLimit": (3,),
    "failedJobsHistoryLimit": (1,),
    "backoffLimit": (6,),
    "completions": (1,),
    "parallelism": (1,),
    "completionMode": ("NonIndexed",),
    "podReplacementPolicy": ("TerminatingOrFailed",),
    # pods
    "restartPolicy": ("Always",),
    "dnsPolicy": ("ClusterFirst",),
    "terminationGracePeriodSeconds": (30,),
    "schedulerName": ("default-scheduler",),
    "enableServiceLinks": (True,),
    "terminationMessagePath": ("/dev/termination-log",),
    "terminationMessagePolicy": ("File",),
    "timeoutSeconds": (1, 10800),
    "periodSeconds": (10,),
    "successThreshold": (1,),
    "failureThreshold": (3,),
    "scheme": ("HTTP",),
    "defaultMode": (420,),
    "expirationSeconds": (3600,),
    "volumeMode": ("Filesystem",),
    # networks
    "protocol": ("TCP",),
    "sessionAffinity": ("None",),
    "externalTrafficPolicy": ("Cluster",),
    "internalTrafficPolicy": ("Cluster",),
    "allocateLoadBalancerNodePorts": (True,),
    "pathType": ("ImplementationSpecific",),
    # `strategy`, `updateStrategy`, a Service, a Secret
    "type": ("RollingUpdate", "ClusterIP", "Opaque"),
    "apiVersion": ("v1",),  # of a `fieldRef`
    # an autoscaler
    "minReplicas": (1,),
    "targetCPUUtilizationPercentage": (80,),
}

_OF_THE_SERVER = frozenset(
    {
        *("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "nodePort", "healthCheckNodePort"),
        *("ingressClassName", "creationTimestamp", "secrets", "status"),  # `secrets` of a ServiceAccount
    }
)
"""Fields whose values the server chooses."""

OF_OTHERS = (
    *("io.tencent.paas.", "deployment.kubernetes.io/", "deprecated.daemonset.template.generation"),
    *("kubectl.kubernetes.io/last-applied-configuration", "autoscaling.alpha.kubernetes.io/"),
    *("pv.kubernetes.io/", "volume.beta.kubernetes.io/", "volume.kubernetes.io/"),
)
"""How annotations begin that BCS, kubectl and Kubernetes' own controllers write."""

_SAID_AGAIN: Mapping[str, str] = {
    "serviceAccount": "serviceAccountName",
    "hostPort": "containerPort",
    "targetPort": "port",
}
"""Fields in which the server says again what stands in another field."""


def beyond_defaults(name: str, value: YamlValue, *, beside: Mapping[str, YamlValue]) -> Optional[YamlValue]:
    """Return what of a live field no server fills in, None where that is nothing.

    `beside` is the mapping that it stands in: an image's tag decides when it is pulled.
    """
    if name in _OF_THE_SERVER or name.startswith(OF_OTHERS):
        return None
    if value in (None, "", {}, []) or _is_default(name, value, beside=beside):
        return None
    if not isinstance(value, dict):
        return value
    found = {key: beyond_defaults(key, item, beside=value) for key, item in value.items()}
    return {key: item for key, item in found.items() if item is not None} or None


def _is_default(name: str, value: YamlValue, *, beside: Mapping[str, YamlValue]) -> bool:
    if name in _SAID_AGAIN:
        return value == beside.get(_SAID_AGAIN[name])
    if name == "imagePullPolicy":
        return value == ("Always" if _is_latest(beside.get("image")) else "IfNotPresent")
    # Of one type: 1 is no True, and 0 no False.
    return any(value == known and type(value) is type(known) for known in _DEFAULTS.get(name, ()))


def _is_latest(image: YamlValue) -> bool:
    """Tell whether an image has no digest, and no tag or the tag `latest`."""
    if not isinstance(image, str) or "@" in image:
        return False
    return image.rpartition("/")[2].partition(":")[2] in ("", "latest")
