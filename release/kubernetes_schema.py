"""`make schema`: writes what Kubernetes' published schemas say of built-in kinds, as compact data.

The schemas come out of two releases of kubernetes-validate, which carry those of Kubernetes 1.10 to 1.24 and
1.25 to 1.37. Of the versions from 1.20 on the union of the fields is kept, each with the first and last
version that has it; of older ones only which kinds there were.

The format is what `manifests/schema/field_types.py` reads. A field is a text: `!` where it must be there,
`[` and `{` for each list and map around its values, then their type (`s` text, `i` integer, `n` number, `b`
boolean, `q` quantity, `x` integer or text, `j` anything, a number = that one of `types`; `s=3` = one of the
words of that list of `words`, `i~port` = of that form), then `+22` where Kubernetes 1.22 was the first with
it and `-25` where 1.25 was the last. Left out is what nobody deploys (lists, reviews, bindings), and what
`status` holds.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Optional

import msgspec

HERE = Path(__file__).parent
WRITTEN = HERE.parent / "atom" / "bcs_template_set" / "manifests" / "schema" / "kubernetes.json"
CUSTOM = HERE / "custom_kinds.json"
"""What kinds of extensions hold that BCS deploys, in the same format but for names of types."""

SOURCES: Mapping[str, str] = {
    "kubernetes-validate==1.24.1": "705416be22f53a46799137d6a217a4cdb72f2205f9133241fa9bb0a7e84ac8f6",
    "kubernetes-validate==1.37.0": "09a26209d3e32d97ac13e6f81597c09316fe6f7473cdd4bd8db44075930de357",
}
OLDEST = 20
"""The first Kubernetes 1.x whose fields are kept."""

OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_SCALARS = {"string": "s", "integer": "i", "number": "n", "boolean": "b"}
_BY_NAME = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "q",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "x",
}
_NEEDS_NOT = frozenset(
    {
        # The server takes the object without them, whatever the schema says.
        *(("StatefulSetSpec", "serviceName"), ("NetworkPolicySpec", "podSelector"), ("ClusterRole", "rules")),
        *(("Role", "rules"), ("ContainerImage", "names"), ("Ingress", "spec"), ("LimitRangeSpec", "limits")),
        *(("EndpointSlice", "endpoints"), ("PodFailurePolicy", "rules"), ("CSIDriver", "spec")),
        *(("ResourceClaim", "spec"), ("ResourceClaimTemplateSpec", "spec"), ("DeviceClass", "spec")),
        *(("ScaleIOVolumeSource", "secretRef"), ("ScaleIOPersistentVolumeSource", "secretRef")),
        # It fills in what is missing.
        *(("RoleRef", "apiGroup"), ("PodFailurePolicyOnPodConditionsPattern", "status")),
        # What is missing is 0, false, "" or any, and that is taken.
        *(("ISCSIVolumeSource", "lun"), ("ISCSIPersistentVolumeSource", "lun"), ("SleepAction", "seconds")),
        *(("PriorityClass", "value"), ("IDRange", "min"), ("HostPortRange", "min")),
        *(("CustomResourceDefinitionVersion", "served"), ("CustomResourceDefinitionVersion", "storage")),
        *(("HTTPHeader", "value"), ("Sysctl", "value"), ("TokenRequest", "audience")),
        ("PreferredSchedulingTerm", "preference"),
    }
)
_SERVED_UNTIL_1_15 = (
    *(
        f"extensions/v1beta1 {kind}"
        for kind in ("DaemonSet", "Deployment", "NetworkPolicy", "PodSecurityPolicy")
    ),
    *("extensions/v1beta1 ReplicaSet", "apps/v1beta1 Deployment", "apps/v1beta1 StatefulSet"),
    *(f"apps/v1beta2 {kind}" for kind in ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet")),
)
"""Their definitions stayed on for some releases; the server stopped in 1.16 (its deprecation guide)."""

WORDS: Mapping[tuple[str, ...], str] = {
    ("Always", "IfNotPresent", "Never"): "Container.imagePullPolicy EphemeralContainer.imagePullPolicy",
    ("File", "FallbackToLogsOnError"): "Container.terminationMessagePolicy",
    ("Always", "OnFailure", "Never"): "PodSpec.restartPolicy Container.restartPolicy",
    ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"): "PodSpec.dnsPolicy",
    ("TCP", "UDP", "SCTP"): "ContainerPort.protocol ServicePort.protocol NetworkPolicyPort.protocol",
    ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName"): "ServiceSpec.type",
    ("Cluster", "Local"): "ServiceSpec.externalTrafficPolicy ServiceSpec.internalTrafficPolicy",
    ("ClientIP", "None"): "ServiceSpec.sessionAffinity",
    ("IPv4", "IPv6"): "ServiceSpec.ipFamilies",
    ("SingleStack", "PreferDualStack", "RequireDualStack"): "ServiceSpec.ipFamilyPolicy",
    ("Exact", "Prefix", "ImplementationSpecific"): "HTTPIngressPath.pathType",
    ("Recreate", "RollingUpdate"): "DeploymentStrategy.type",
    ("RollingUpdate", "OnDelete"): "StatefulSetUpdateStrategy.type DaemonSetUpdateStrategy.type",
    ("OrderedReady", "Parallel"): "StatefulSetSpec.podManagementPolicy",
    ("Retain", "Delete"): (
        "StatefulSetPersistentVolumeClaimRetentionPolicy.whenDeleted StorageClass.reclaimPolicy "
        "StatefulSetPersistentVolumeClaimRetentionPolicy.whenScaled"
    ),
    ("Retain", "Recycle", "Delete"): "PersistentVolumeSpec.persistentVolumeReclaimPolicy",
    ("Immediate", "WaitForFirstConsumer"): "StorageClass.volumeBindingMode",
    ("Allow", "Forbid", "Replace"): "CronJobSpec.concurrencyPolicy",
    ("NonIndexed", "Indexed"): "JobSpec.completionMode",
    ("TerminatingOrFailed", "Failed"): "JobSpec.podReplacementPolicy",
    ("FailJob", "FailIndex", "Ignore", "Count"): "PodFailurePolicyRule.action",
    ("HTTP", "HTTPS"): "HTTPGetAction.scheme",
    ("NotRequired", "RestartContainer"): "ContainerResizePolicy.restartPolicy",
    ("In", "NotIn", "Exists", "DoesNotExist"): "LabelSelectorRequirement.operator",
    ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"): "NodeSelectorRequirement.operator",
    ("In", "NotIn"): "PodFailurePolicyOnExitCodesRequirement.operator",
    ("Exists", "Equal", "Lt", "Gt"): "Toleration.operator",
    ("NoSchedule", "PreferNoSchedule", "NoExecute"): "Toleration.effect",
    ("Block", "Filesystem"): "PersistentVolumeClaimSpec.volumeMode PersistentVolumeSpec.volumeMode",
    ("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"): (
        "PersistentVolumeClaimSpec.accessModes PersistentVolumeSpec.accessModes"
    ),
    ("DoNotSchedule", "ScheduleAnyway"): "TopologySpreadConstraint.whenUnsatisfiable",
    ("Honor", "Ignore"): (
        "TopologySpreadConstraint.nodeAffinityPolicy TopologySpreadConstraint.nodeTaintsPolicy"
    ),
    ("Ingress", "Egress"): "NetworkPolicySpec.policyTypes",
    ("User", "Group", "ServiceAccount"): "Subject.kind",
    ("Role", "ClusterRole"): "RoleRef.kind",
    ("rbac.authorization.k8s.io",): "RoleRef.apiGroup",
    ("DirectoryOrCreate", "Directory", "FileOrCreate", "File", "Socket", "CharDevice", "BlockDevice"): (
        "HostPathVolumeSource.type"
    ),
    ("None", "HostToContainer", "Bidirectional"): "VolumeMount.mountPropagation",
    ("Default", "Unmasked"): "SecurityContext.procMount",
    ("Unconfined", "RuntimeDefault", "Localhost"): "SeccompProfile.type AppArmorProfile.type",
    ("Always", "OnRootMismatch"): "PodSecurityContext.fsGroupChangePolicy",
    ("linux", "windows"): "PodOS.name",
    ("Never", "PreemptLowerPriority"): "PodSpec.preemptionPolicy PriorityClass.preemptionPolicy",
    ("Object", "Pods", "Resource", "ContainerResource", "External"): "MetricSpec.type",
    ("Utilization", "Value", "AverageValue"): "MetricTarget.type",
    ("Max", "Min", "Disabled"): "HPAScalingRules.selectPolicy",
    ("Pods", "Percent"): "HPAScalingPolicy.type",
    ("IfHealthyBudget", "AlwaysAllow"): "PodDisruptionBudgetSpec.unhealthyPodEvictionPolicy",
    ("IPv4", "IPv6", "FQDN"): "EndpointSlice.addressType",
    ("Ignore", "Fail"): "ValidatingWebhook.failurePolicy MutatingWebhook.failurePolicy",
    ("Exact", "Equivalent"): "ValidatingWebhook.matchPolicy MutatingWebhook.matchPolicy",
}
"""The words that the API server takes where it takes no other, and the fields that hold them.

From the comments of the types in k8s.io/api, read for 1.34; the published schemas have texts there.
"""

FORMS: Mapping[str, str] = {
    "port": (
        "ContainerPort.containerPort ServicePort.port HTTPGetAction.port TCPSocketAction.port "
        "GRPCAction.port NetworkPolicyPort.port NetworkPolicyPort.endPort ServiceBackendPort.number"
    ),
    "portornone": (
        "ContainerPort.hostPort ServicePort.nodePort ServicePort.targetPort ServiceSpec.healthCheckNodePort"
    ),
    "portname": "ContainerPort.name",
    "label": "ServicePort.name PodSpec.hostname PodSpec.subdomain IngressServiceBackend.name",
    "labelkey": (
        "PodReadinessGate.conditionType Toleration.key PodAffinityTerm.topologyKey ServicePort.appProtocol "
        "TopologySpreadConstraint.topologyKey LabelSelectorRequirement.key"
    ),
    "configkey": "SecretKeySelector.key ConfigMapKeySelector.key",
    "header": "HTTPHeader.name",
    "zone": "CronJobSpec.timeZone",
    "subdomain": (
        "PodSpec.serviceAccountName PodSpec.nodeName PodSpec.priorityClassName PodSpec.runtimeClassName "
        "PersistentVolumeClaimSpec.storageClassName IngressSpec.ingressClassName IngressTLS.secretName "
        "HostAlias.hostnames"
    ),
    "host": "IngressRule.host",
    "domain": "IngressTLS.hosts ServiceSpec.externalName",
    "path": "HTTPIngressPath.path NFSVolumeSource.path",
    "below": "VolumeMount.subPath VolumeMount.subPathExpr KeyToPath.path DownwardAPIVolumeFile.path",
    "nowhereup": "HostPathVolumeSource.path",
    "ip": (
        "HostAlias.ip ContainerPort.hostIP PodDNSConfig.nameservers ServiceSpec.externalIPs "
        "EndpointAddress.ip"
    ),
    "clusterip": "ServiceSpec.clusterIP ServiceSpec.clusterIPs",
    "cidr": "IPBlock.cidr IPBlock.except ServiceSpec.loadBalancerSourceRanges",
    "pods": "RollingUpdateDeployment.maxSurge",
    "partofpods": (
        "RollingUpdateDeployment.maxUnavailable RollingUpdateDaemonSet.maxSurge "
        "RollingUpdateDaemonSet.maxUnavailable "
        "PodDisruptionBudgetSpec.minAvailable PodDisruptionBudgetSpec.maxUnavailable"
    ),
    "amount": (
        "ResourceRequirements.limits ResourceRequirements.requests VolumeResourceRequirements.requests "
        "EmptyDirVolumeSource.sizeLimit MetricTarget.value MetricTarget.averageValue"
    ),
    "schedule": "CronJobSpec.schedule",
    "base64": "Secret.data ConfigMap.binaryData",
    "requirement": (
        "LabelSelector.matchExpressions NodeSelectorTerm.matchExpressions NodeSelectorTerm.matchFields"
    ),
    "1..100": "WeightedPodAffinityTerm.weight PreferredSchedulingTerm.weight",
    "1..": (
        "TopologySpreadConstraint.maxSkew TopologySpreadConstraint.minDomains PodSpec.activeDeadlineSeconds "
        "DeploymentSpec.progressDeadlineSeconds HorizontalPodAutoscalerSpec.maxReplicas "
        "HorizontalPodAutoscalerSpec.targetCPUUtilizationPercentage MetricTarget.averageUtilization "
        "HPAScalingPolicy.value Probe.terminationGracePeriodSeconds"
    ),
    "600..": "ServiceAccountTokenProjection.expirationSeconds",
    "1..1800": "HPAScalingPolicy.periodSeconds",
    "0..3600": "HPAScalingRules.stabilizationWindowSeconds",
    "1..86400": "ClientIPConfig.timeoutSeconds",
    "1..30": "ValidatingWebhook.timeoutSeconds MutatingWebhook.timeoutSeconds",
    "0..511": (
        "ConfigMapVolumeSource.defaultMode SecretVolumeSource.defaultMode ProjectedVolumeSource.defaultMode "
        "DownwardAPIVolumeSource.defaultMode KeyToPath.mode DownwardAPIVolumeFile.mode"
    ),
    "0..2147483647": (
        "SecurityContext.runAsUser SecurityContext.runAsGroup PodSecurityContext.runAsUser "
        "PodSecurityContext.runAsGroup PodSecurityContext.fsGroup PodSecurityContext.supplementalGroups"
    ),
    "0..": (
        "DeploymentSpec.replicas DeploymentSpec.minReadySeconds DeploymentSpec.revisionHistoryLimit "
        "StatefulSetSpec.replicas StatefulSetSpec.minReadySeconds StatefulSetSpec.revisionHistoryLimit "
        "StatefulSetOrdinals.start RollingUpdateStatefulSetStrategy.partition DaemonSetSpec.minReadySeconds "
        "DaemonSetSpec.revisionHistoryLimit ReplicaSetSpec.replicas ReplicaSetSpec.minReadySeconds "
        "ReplicationControllerSpec.replicas ReplicationControllerSpec.minReadySeconds JobSpec.parallelism "
        "JobSpec.completions JobSpec.backoffLimit JobSpec.activeDeadlineSeconds JobSpec.maxFailedIndexes "
        "JobSpec.ttlSecondsAfterFinished JobSpec.backoffLimitPerIndex CronJobSpec.startingDeadlineSeconds "
        "CronJobSpec.successfulJobsHistoryLimit CronJobSpec.failedJobsHistoryLimit "
        "HorizontalPodAutoscalerSpec.minReplicas Probe.initialDelaySeconds Probe.timeoutSeconds "
        "Probe.periodSeconds Probe.successThreshold Probe.failureThreshold SleepAction.seconds"
    ),
}
"""The forms of `manifests/schema/value_forms.py`, or the least and the most, and the fields of each."""

_LIMITS: Mapping[str, str] = {
    **{field: f"={nth}" for nth, fields in enumerate(WORDS.values()) for field in fields.split()},
    **{field: f"~{form}" for form, fields in FORMS.items() for field in fields.split()},
}
_UNDEPLOYED = ("List", "Review", "Options", "Event", "Scale", "Eviction", "Status", "Request", "Binding")
_DEPLOYED = frozenset({"RoleBinding", "ClusterRoleBinding", "CertificateSigningRequest"})


class Property(msgspec.Struct, frozen=True, rename={"ref": "$ref", "extra": "additionalProperties"}):
    """One field of a definition, as far as it is read."""

    ref: str = ""
    type: object = ""
    format: str = ""
    items: Optional[Property] = None
    extra: object = None


class GroupVersionKind(msgspec.Struct, frozen=True):
    """What `x-kubernetes-group-version-kind` holds."""

    group: str
    version: str
    kind: str


class Definition(
    msgspec.Struct,
    frozen=True,
    rename={"kinds": "x-kubernetes-group-version-kind"},
):
    """One type of Kubernetes' API."""

    properties: dict[str, Property] = {}
    required: tuple[str, ...] = ()
    kinds: tuple[GroupVersionKind, ...] = ()
    type: object = ""
    format: str = ""


class Definitions(msgspec.Struct, frozen=True, rename={"new": "$defs"}):
    """A file of all types of one Kubernetes."""

    definitions: dict[str, Definition] = {}
    new: dict[str, Definition] = {}

    @property
    def all(self) -> Mapping[str, Definition]:
        """Return the types by their names, whichever way the file has them."""
        return self.definitions or self.new


class CustomKinds(msgspec.Struct, frozen=True):
    """`custom_kinds.json`: fields of types by name, and the kinds that are of one of them."""

    types: dict[str, dict[str, str]]
    kinds: dict[str, str]


Published = Mapping[int, Mapping[str, Definition]]
"""The types of each Kubernetes 1.x."""


def main() -> None:
    """Fetch the published schemas, and write the compact data."""
    with tempfile.TemporaryDirectory() as folder:
        fetch(Path(folder))
        published = read_published(sorted(Path(folder).glob("*.tar.gz")))
    custom = msgspec.json.decode(CUSTOM.read_bytes(), type=CustomKinds)
    text = json.dumps(compact(published, custom), separators=(",", ":"), sort_keys=True)
    WRITTEN.write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(f"{WRITTEN.name}: {len(text)} bytes, up to Kubernetes 1.{max(published)}\n")


def fetch(folder: Path) -> None:
    """Put the sources into a folder; pip checks their hashes."""
    for number, (source, digest) in enumerate(SOURCES.items()):
        wanted = folder / f"{number}.txt"
        wanted.write_text(f"{source} --hash=sha256:{digest}\n", encoding="utf-8")
        pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download")
        options = ("--no-deps", "--no-binary", ":all:", "--no-build-isolation", "--require-hashes")
        subprocess.run([*pip, *options, "--dest", str(folder), "--requirement", str(wanted)], check=True)


def read_published(archives: Iterable[Path]) -> Published:
    """Return the types of every Kubernetes that the archives carry."""
    found: dict[int, Mapping[str, Definition]] = {}
    for archive in archives:
        with tarfile.open(archive) as opened:
            for member in opened:
                folder, _, name = member.name.rpartition("/")
                if name != "_definitions.json" or not folder.endswith("-local"):
                    continue
                minor = int(folder.rpartition("/")[2].split(".")[1])
                content = opened.extractfile(member)
                if content is not None:
                    found[minor] = msgspec.json.decode(content.read(), type=Definitions).all
    return found


def compact(published: Published, custom: CustomKinds) -> dict[str, object]:
    """Return the data as it is written: `versions`, `types`, `kinds`."""
    newest = max(published)
    kinds = _kinds_of(published)
    kept = {version: types for version, types in published.items() if version >= OLDEST}
    types = _Types(kept, newest)
    written: dict[str, object] = {}
    for title, (name, first, served) in sorted(kinds.items()):
        last = 15 if title in _SERVED_UNTIL_1_15 else served
        is_kept = last >= OLDEST and _is_deployed(published[last][name], title)
        number = types.number_of(name) if is_kept else -1
        written[title] = [number, 0 if first == min(published) else first, 0 if last == newest else last]
    types.add(custom.types)
    for title, name in custom.kinds.items():
        written[title] = [types.number_of(name), 0, 0]
    container = types.number_of("io.k8s.api.core.v1.Container")
    words = [list(words) for words in WORDS]
    return {
        "versions": [OLDEST, newest],
        "container": container,
        "words": words,
        "types": types.written(),
        "kinds": written,
    }


def _kinds_of(published: Published) -> dict[str, tuple[str, int, int]]:
    """Return the kinds that there were: `group/version Kind` -> type, first version, last version."""
    found: dict[str, tuple[str, int, int]] = {}
    for version in sorted(published):
        for name, definition in published[version].items():
            for kind in definition.kinds:
                if kind.kind in ("DeleteOptions", "WatchEvent"):
                    continue
                title = f"{kind.group}/{kind.version} {kind.kind}".lstrip("/")
                first = found[title][1] if title in found else version
                found[title] = (name, first, version)
    return found


def _is_deployed(definition: Definition, title: str) -> bool:
    """Tell whether it is an object that somebody makes, and not a list or a question to the server."""
    metadata, kind = definition.properties.get("metadata"), title.rpartition(" ")[2]
    named = metadata is not None and metadata.ref.endswith(OBJECT_META)
    return named and (kind in _DEPLOYED or not kind.endswith(_UNDEPLOYED))


class _Types:
    """Numbers types as they are asked for, and those that their fields lead to."""

    def __init__(self, published: Published, newest: int) -> None:
        self._published = published
        self._newest = newest
        self._numbers: dict[str, int] = {}
        self._fields: list[dict[str, str]] = []

    def number_of(self, name: str) -> int:
        if name not in self._numbers:
            self._numbers[name] = len(self._fields)
            self._fields.append({})
            self._fields[self._numbers[name]] = self._union(name)
        return self._numbers[name]

    def add(self, types: Mapping[str, Mapping[str, str]]) -> None:
        """Add the types of extensions: `@Name` in their fields is another type's name, or the end of one."""
        for name in types:
            self._numbers[name] = len(self._fields)
            self._fields.append({})
        for name, fields in types.items():
            coded = {field: self._with_numbers(code) for field, code in fields.items()}
            self._fields[self._numbers[name]] = coded

    def written(self) -> list[dict[str, str]]:
        return self._fields

    def _with_numbers(self, code: str) -> str:
        before, at, name = code.partition("@")
        if not at:
            return code
        if name in self._numbers:
            return f"{before}{self._numbers[name]}"
        known = sorted(self._published[self._newest])
        return before + str(self.number_of(next(full for full in known if full.endswith(f".{name}"))))

    def _union(self, name: str) -> dict[str, str]:
        having = {v: types[name] for v, types in self._published.items() if name in types}
        fields = sorted({field for definition in having.values() for field in definition.properties})
        return {field: self._code(name, field, having) for field in fields if field != "status"} | (
            {"status": "j"} if "status" in fields else {}
        )

    def _code(self, name: str, field: str, having: Mapping[int, Definition]) -> str:
        versions = sorted(v for v, definition in having.items() if field in definition.properties)
        required = all(field in definition.required for definition in having.values())
        if (name.rpartition(".")[2], field) in _NEEDS_NOT:
            required = False
        newest = having[versions[-1]].properties[field]
        since = f"+{versions[0]}" if versions[0] > min(having) else ""
        until = f"-{versions[-1]}" if versions[-1] < max(having) else ""
        type_of = self._type_of(newest)
        field_name = f"{name.rpartition('.')[2]}.{field}"
        limit = _LIMITS.get(field_name, "")
        return ("!" if required else "") + type_of + limit + since + until

    def _type_of(self, value: Property) -> str:
        if value.ref:
            return self._referred(value.ref.rpartition("/")[2])
        names = _not_null(value.type)
        if names == ["array"]:
            return "[" + (self._type_of(value.items) if value.items is not None else "j")
        if names == ["object"] and isinstance(value.extra, dict):
            return "{" + self._type_of(msgspec.convert(value.extra, Property))
        if value.format == "int-or-string":
            return "x"
        return _SCALARS.get(str(names[0]), "j") if names else "j"

    def _referred(self, name: str) -> str:
        if name in _BY_NAME:
            return _BY_NAME[name]
        newest_first = sorted(self._published.items(), reverse=True)
        definition = next(types[name] for _, types in newest_first if name in types)
        if definition.properties:
            return str(self.number_of(name))
        return "s" if _not_null(definition.type) == ["string"] else "j"


def _not_null(names: object) -> list[object]:
    return [name for name in (names if isinstance(names, list) else [names]) if name != "null"]


if __name__ == "__main__":
    main()
