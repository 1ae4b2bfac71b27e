"""Where one object names another: a row for each place, with the kind that is named there."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from tests.support.building import findings_of, manifest

from bcs_template_set.manifests.checks.finding import Finding
from bcs_template_set.manifests.checks.references import names_in
from bcs_template_set.manifests.parse import document_of

IN_CONTAINER = (
    ("env[0].valueFrom.configMapKeyRef.name", "ConfigMap", "key"),
    ("env[0].valueFrom.secretKeyRef.name", "Secret", "key"),
    ("envFrom[0].configMapRef.name", "ConfigMap", ""),
    ("envFrom[0].secretRef.name", "Secret", ""),
)
IN_POD = (
    *((f"containers[0].{path}", kind, key) for path, kind, key in IN_CONTAINER),
    *((f"initContainers[0].{path}", kind, key) for path, kind, key in IN_CONTAINER),
    ("volumes[0].configMap.name", "ConfigMap", "items[0].key"),
    ("volumes[0].secret.secretName", "Secret", "items[0].key"),
    ("volumes[0].projected.sources[0].configMap.name", "ConfigMap", "items[0].key"),
    ("volumes[0].projected.sources[0].secret.name", "Secret", "items[0].key"),
    ("volumes[0].persistentVolumeClaim.claimName", "PersistentVolumeClaim", ""),
    ("imagePullSecrets[0].name", "Secret", ""),
    ("serviceAccountName", "ServiceAccount", ""),
    ("serviceAccount", "ServiceAccount", ""),
)
IN_INGRESS = (
    ("spec.rules[0].http.paths[0].backend.service.name", "Service"),
    ("spec.rules[0].http.paths[0].backend.serviceName", "Service"),
    ("spec.defaultBackend.service.name", "Service"),
    ("spec.backend.serviceName", "Service"),
    ("spec.tls[0].secretName", "Secret"),
)
RBAC, ARGO = "rbac.authorization.k8s.io/v1", "argoproj.io/v1alpha1"
BY_ITS_KIND = (
    *(("networking.k8s.io/v1", "Ingress", path, kind) for path, kind in IN_INGRESS),
    *(("extensions/v1beta1", "Ingress", path, kind) for path, kind in IN_INGRESS),
    (RBAC, "RoleBinding", "subjects[0].name", "Role"),
    (RBAC, "RoleBinding", "roleRef.name", "Role"),
    (RBAC, "ClusterRoleBinding", "subjects[0].name", "ServiceAccount"),
    (RBAC, "ClusterRoleBinding", "roleRef.name", "ClusterRole"),
    (ARGO, "Rollout", "spec.workloadRef.name", "Deployment"),
    (ARGO, "Rollout", "spec.strategy.canary.stableService", "Service"),
    (ARGO, "Rollout", "spec.strategy.canary.canaryService", "Service"),
    (ARGO, "Rollout", "spec.strategy.blueGreen.activeService", "Service"),
    (ARGO, "Rollout", "spec.strategy.blueGreen.previewService", "Service"),
)
HARDLY_ANOTHERS = (
    ("apps/v1", "StatefulSet", "spec.serviceName", "Service"),
    ("tkex.tencent.com/v1alpha1", "GameStatefulSet", "spec.serviceName", "Service"),
    ("autoscaling/v2", "HorizontalPodAutoscaler", "spec.scaleTargetRef.name", "Deployment"),
    ("autoscaling.k8s.io/v1", "VerticalPodAutoscaler", "spec.targetRef.name", "Deployment"),
    ("keda.sh/v1alpha1", "ScaledObject", "spec.scaleTargetRef.name", "Deployment"),
)
PLACES = (
    *(("v1", "Pod", f"spec.{path}", kind) for path, kind, _ in IN_POD),
    *BY_ITS_KIND,
    *HARDLY_ANOTHERS,
)
GROUPS = {"Role": RBAC, "ClusterRole": RBAC, "Deployment": "apps/v1"}


def placed(body: dict[str, Any], path: str, value: object) -> None:
    """Put a value where a path such as `a.b[0].c` leads."""
    *around, last = [part.strip("[].") for part in re.findall(r"\[0\]|[^.\[]+", path)]
    inner: Any = body
    for key, below in zip(around, [*around[1:], last]):
        empty: Any = [{}] if below == "0" else {}
        inner = inner[0] if key == "0" else inner.setdefault(key, empty)
    inner[last] = value


def naming(
    api_version: str, kind: str, path: str, named: str, *, name: str = "web-cofnig", **beside: object
) -> dict[str, Any]:
    """Return an object that names one of another kind at a path; what is beside is below the same."""
    body = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}}
    around = path.rpartition(".")[0]
    placed(body, path, name)
    if kind not in ("Pod", "Ingress") and not path.endswith(("Service", "serviceName")):
        placed(body, f"{around}.kind", named)
        placed(body, f"{around}.apiVersion", GROUPS.get(named, "v1"))
    for key, value in beside.items():
        placed(body, f"{around}.{key}".replace("items_", "items[0]."), value)
    return body


def held(kind: str, *, name: str = "web-config", **fields: object) -> dict[str, Any]:
    return {"apiVersion": GROUPS.get(kind, "v1"), "kind": kind, "metadata": {"name": name}, **fields}


def found(*objects: dict[str, Any], namespace: str = "") -> list[Finding]:
    file = manifest("\n---\n".join(map(json.dumps, objects)))
    return [finding for finding in findings_of(file, namespace=namespace) if finding.id == "reference"]


@pytest.mark.parametrize(("api_version", "kind", "path", "named"), PLACES)
def test_a_name_that_is_nearly_one_of_the_run_is_told_wherever_it_stands(
    api_version: str, kind: str, path: str, named: str
) -> None:
    referring = naming(api_version, kind, path, named)
    (finding,) = found(referring, held(named))
    assert (finding.field, finding.is_warning) == (path, True)
    assert finding.message.fields == {"kind": named, "name": "web-cofnig", "near": "web-config"}
    assert found(referring, held("Thing")) == []
    assert (named, "web-cofnig") in names_in(document_of(referring))


@pytest.mark.parametrize(("api_version", "kind", "path", "named"), PLACES)
def test_a_word_less_is_a_slip_only_where_what_is_named_is_hardly_ever_anothers(
    api_version: str, kind: str, path: str, named: str
) -> None:
    is_own = (api_version, kind, path, named) in HARDLY_ANOTHERS
    findings = found(naming(api_version, kind, path, named, name="web"), held(named, name="shop-web"))
    assert [finding.message.fields["near"] for finding in findings] == ["shop-web"] * is_own


@pytest.mark.parametrize(
    ("path", "kind", "key"), [row for row in IN_POD if row[1] in ("ConfigMap", "Secret")]
)
@pytest.mark.parametrize("part", ["data", "binaryData", "stringData"])
def test_a_key_is_looked_for_where_one_is_named(path: str, kind: str, key: str, part: str) -> None:
    referring = naming("v1", "Pod", f"spec.{path}", kind, name="web-config", key="other", items_key="other")
    config = {**held(kind), part: {"b": "x", "a": "x"}}
    around = f"spec.{path}".rpartition(".")[0]
    findings = found(referring, config)
    assert [(finding.field, finding.is_warning) for finding in findings] == (
        [(f"{around}.{key}", False)] if key else []
    )
    for finding in findings:
        known = {"kind": kind, "name": "web-config", "key": "other", "known": ["a", "b"]}
        assert (finding.message.key, finding.message.fields) == ("checks.reference_key", known)
    assert found(referring, {**config, part: {"other": "x"}}) == []


@pytest.mark.parametrize(
    "config",
    [
        held("Secret"),
        held("Secret", data={"{{ N }}": "eA=="}),
        held("Secret", type="kubernetes.io/service-account-token", data={"a": "eA=="}),
        held("Secret", name="another", data={"a": "eA=="}),
    ],
)
def test_keys_that_somebody_else_fills_in_are_not_missed(config: dict[str, Any]) -> None:
    path = "spec.containers[0].env[0].valueFrom.secretKeyRef.name"
    referring = naming("v1", "Pod", path, "Secret", name="web-config", key="other")
    assert found(referring, config) == []


@pytest.mark.parametrize("key", ["", "{{ N }}"])
def test_a_key_that_nobody_knows_yet_is_not_missed(key: str) -> None:
    path = "spec.containers[0].env[0].valueFrom.secretKeyRef.name"
    referring = naming("v1", "Pod", path, "Secret", name="web-config", key=key)
    assert found(referring, held("Secret", data={"a": "eA=="})) == []


def test_what_may_be_missing_is_not_missed() -> None:
    path = "spec.containers[0].env[0].valueFrom.secretKeyRef.name"
    for name in ("web-cofnig", "web-config"):
        referring = naming("v1", "Pod", path, "Secret", name=name, key="other", optional=True)
        assert found(referring, held("Secret", data={"a": "eA=="})) == []
        assert (
            len(
                found(
                    {**naming("v1", "Pod", path, "Secret", name=name, key="other", optional=False)},
                    held("Secret", data={"a": "eA=="}),
                )
            )
            == 1
        )


def test_a_kind_of_another_group_is_not_what_is_meant() -> None:
    backend = naming("networking.k8s.io/v1", "Ingress", "spec.defaultBackend.service.name", "Service")
    assert found(backend, held("Service", apiVersion="serving.knative.dev/v1")) == []


@pytest.mark.parametrize("name", ["{{ N }}-web", "'{{ N }}'", ""])
def test_what_has_no_name_yet_is_not_what_is_meant(name: str) -> None:
    target = naming("apps/v1", "StatefulSet", "spec.serviceName", "Service", name="web")
    assert found(target, held("Service", name=name)) == []
    scaler = naming("autoscaling/v2", "HorizontalPodAutoscaler", "spec.scaleTargetRef.name", "Job", name=name)
    assert found(scaler, held("Deployment", name=name)) == []


@pytest.mark.parametrize(
    ("namespace", "deployed_to", "count"),
    [("", "", 1), ("", "prod", 1), ("prod", "prod", 1), ("other", "prod", 0), ("other", "", 0)],
)
def test_what_is_named_in_another_namespace_is_not_the_runs(
    namespace: str, deployed_to: str, count: int
) -> None:
    subject = naming(RBAC, "RoleBinding", "subjects[0].name", "ServiceAccount", namespace=namespace)
    assert len(found(subject, held("ServiceAccount"), namespace=deployed_to)) == count


@pytest.mark.parametrize(("name", "count"), [("default", 0), ("defaultt", 1)])
def test_the_service_account_of_every_namespace_is_nobodys_slip(name: str, count: int) -> None:
    referring = naming("v1", "Pod", "spec.serviceAccountName", "ServiceAccount", name=name)
    assert len(found(referring, held("ServiceAccount", name="defaults"))) == count


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (("apps/v1", "Deployment", "web"), ""),
        (("apps/v1", "StatefulSet", "db"), ""),
        (("apps/v1", "StatefulSet", "web"), "kind apps/v1 Deployment"),
        (("", "Deployment", "web"), "apiVersion apps/v1 Deployment"),
        (("", "StatefulSet", "db"), "apiVersion apps/v1 StatefulSet"),
        (("apps/v1", "DaemonSet", "db"), "kind apps/v1 Deployment"),
        (("apps/v1", "Deployment", "cache"), ""),
    ],
)
def test_what_is_scaled_is_the_workload_of_that_name_by_its_own_kind_and_group(
    target: tuple[str, str, str], said: str
) -> None:
    api_version, kind, name = target
    scaler = held("HorizontalPodAutoscaler", name="a", apiVersion="autoscaling/v2")
    scaler["spec"] = {"scaleTargetRef": {"apiVersion": api_version, "kind": kind, "name": name}}
    workloads = [("Deployment", "web"), ("Deployment", "db"), ("StatefulSet", "db"), ("ConfigMap", "cache")]
    own = [
        held(own, name=name, apiVersion="v1" if own == "ConfigMap" else "apps/v1") for own, name in workloads
    ]
    findings = [finding for finding in found(scaler, *own) if finding.document.startswith("Horizontal")]
    told = [
        " ".join(
            (f.field.rpartition(".")[2], str(f.message.fields["api_version"]), str(f.message.fields["kind"]))
        )
        for f in findings
    ]
    assert told == ([said] if said else [])
    assert all(f.message.fields["name"] == name and f.is_warning for f in findings)


def test_only_what_kubernetes_own_autoscaler_finds_is_held_to_kind_and_group() -> None:
    target = held(
        "ScaledObject", name="a", apiVersion="keda.sh/v1alpha1", spec={"scaleTargetRef": {"name": "web"}}
    )
    assert found(target, held("Deployment", name="web")) == []
