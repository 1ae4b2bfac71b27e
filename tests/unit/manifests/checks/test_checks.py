from __future__ import annotations

import importlib
import pkgutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.building import VALUES_OF_ANY_KIND, findings_of, manifest
from tests.support.draws import examples

from bcs_template_set.manifests import checks
from bcs_template_set.manifests.checks.check_manifests import CHECKS
from bcs_template_set.manifests.checks.finding import Check, Finding
from bcs_template_set.manifests.checks.telling import told_lines
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.parse import Document
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.messages import LANGUAGES

GOOD = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web}
  annotations: {note: "1"}
spec:
  selector:
    matchLabels: {k8s-app: web}
  template:
    metadata:
      labels: {k8s-app: web, tier: front}
    spec:
      initContainers:
        - {name: init, image: "r/init:1"}
      containers:
        - name: web
          image: registry:5000/web@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
          env: [{name: PORT, value: "80"}]
          ports: [{name: http, containerPort: 80}]
          volumeMounts:
            - {name: data, mountPath: /data}
            - {name: logs, mountPath: /logs}
      volumes: [{name: data, emptyDir: {}}, {name: logs, emptyDir: {}}]
---
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  type: NodePort
  selector: {k8s-app: web}
  ports:
    - {name: one, port: 80, targetPort: http, nodePort: 30080}
    - {name: two, port: 81, targetPort: 8081, nodePort: 0}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
spec:
  tls: [{hosts: [a.example.com], secretName: cert}]
  rules:
    - host: a.example.com
      http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
          - {path: /two, pathType: Prefix, backend: {service: {name: web, port: {name: two}}}}
"""

OTHER_SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {selector: {tier: db}, ports: [{port: 1}]}
"""

CONTAINER, INIT = "spec.template.spec.containers[0]", "spec.template.spec.initContainers[0]"
PATHS = "spec.rules[0].http.paths"

# Check, what is changed in GOOD, into what, and the document and field the finding names.
BREAKS: list[tuple[str, str, str, str, str]] = [
    ("missing-kind", "kind: Service", "kond: Service", "?/web", "kind"),
    ("missing-kind", "kind: Service", "kind: List", "List/web", "kind"),
    (
        "value",
        "containerPort: 80}",
        "containerPort: 65536}",
        "Deployment/web",
        f"{CONTAINER}.ports[0].containerPort",
    ),
    ("image-name", 'image: "r/init:1"', 'image: "r/Init:1"', "Deployment/web", f"{INIT}.image"),
    (
        "unknown-field",
        "tier: front}\n",
        "tier: front}\n      speck: {}\n",
        "Deployment/web",
        "spec.template.metadata.speck",
    ),
    (
        "field-type",
        "containerPort: 80}",
        'containerPort: "80"}',
        "Deployment/web",
        f"{CONTAINER}.ports[0].containerPort",
    ),
    (
        "field-value",
        "{path: /, pathType: Prefix",
        "{path: /, pathType: prefix",
        "Ingress/web",
        f"{PATHS}[0].pathType",
    ),
    ("api-version", "networking.k8s.io/v1\n", "extensions/v1\n", "Ingress/web", "apiVersion"),
    ("required-field", "apiVersion: v1\n", "", "Service/web", "apiVersion"),
    (
        "required-field",
        "kind: Service\nmetadata:\n  name: web",
        "kind: Service\nmetadata: {}",
        "Service/?",
        "metadata.name",
    ),
    (
        "required-field",
        "matchLabels: {k8s-app: web}",
        "matchLabels: {}",
        "Deployment/web",
        "spec.selector.matchLabels",
    ),
    (
        "required-field",
        "      containers:",
        "      cantainers:",
        "Deployment/web",
        "spec.template.spec.containers",
    ),
    (
        "required-field",
        "name: web\n          image:",
        "name: web\n          imige:",
        "Deployment/web",
        f"{CONTAINER}.image",
    ),
    ("required-field", "{name: init, image", "{nam: init, image", "Deployment/web", f"{INIT}.name"),
    ("required-field", "{name: two, port: 81,", "{name: two,", "Service/web", "spec.ports[1].port"),
    ("required-field", "{name: one, port", "{port", "Service/web", "spec.ports[0].name"),
    (
        "required-field",
        "  ports:\n    - {name: one",
        "  parts:\n    - {name: one",
        "Service/web",
        "spec.ports",
    ),
    (
        "required-field",
        "{path: /two, pathType: Prefix,",
        "{path: /two,",
        "Ingress/web",
        f"{PATHS}[1].pathType",
    ),
    (
        "required-field",
        "backend: {service: {name: web, port: {number: 80}}}",
        "bakend: {}",
        "Ingress/web",
        f"{PATHS}[0].backend",
    ),
    (
        "duplicate-object",
        "networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: web\n",
        "v1\nkind: Service\nmetadata:\n  name: web\n",
        "Service/web",
        "metadata.name",
    ),
    (
        "replace",
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: web\n",
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: web\n",
        "PersistentVolumeClaim/web",
        "",
    ),
    (
        "object-name",
        "kind: Deployment\nmetadata:\n  name: web\n",
        "kind: Deployment\nmetadata:\n  name: Web\n",
        "Deployment/Web",
        "metadata.name",
    ),
    (
        "object-name",
        "kind: Service\nmetadata:\n  name: web\n",
        "kind: Service\nmetadata:\n  name: web.a\n",
        "Service/web.a",
        "metadata.name",
    ),
    (
        "object-name",
        "kind: Ingress\nmetadata:\n  name: web\n",
        "kind: Ingress\nmetadata:\n  name: y\n",
        "Ingress/?",
        "metadata.name",
    ),
    ("container-name", "- name: web\n", "- name: web.a\n", "Deployment/web", f"{CONTAINER}.name"),
    ("container-name", "{name: init,", "{name: web,", "Deployment/web", f"{INIT}.name"),
    ("label", "labels: {app: web}", "labels: {app: a b}", "Deployment/web", "metadata.labels[app]"),
    ("label", "labels: {app: web}", "labels: {app: y}", "Deployment/web", "metadata.labels[app]"),
    ("label", "labels: {app: web}", "labels: {a/b/c: web}", "Deployment/web", "metadata.labels[a/b/c]"),
    ("label", "tier: front", f"tier: {'x' * 64}", "Deployment/web", "spec.template.metadata.labels[tier]"),
    ("label", "tier: front", "tier: 5", "Deployment/web", "spec.template.metadata.labels[tier]"),
    ("annotation", 'note: "1"', 'a note: "1"', "Deployment/web", "metadata.annotations[a note]"),
    ("annotation", 'note: "1"', "note: 1", "Deployment/web", "metadata.annotations[note]"),
    ("env-value", 'value: "80"', "value: 80", "Deployment/web", f"{CONTAINER}.env[0].value"),
    (
        "image-tag",
        "registry:5000/web@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "registry:5000/web",
        "Deployment/web",
        f"{CONTAINER}.image",
    ),
    ("image-tag", "r/init:1", "r/init:latest", "Deployment/web", f"{INIT}.image"),
    (
        "volume-mount",
        "{name: logs, mountPath",
        "{name: lost, mountPath",
        "Deployment/web",
        f"{CONTAINER}.volumeMounts[1].name",
    ),
    (
        "volume-mount",
        "mountPath: /logs",
        "mountPath: /data",
        "Deployment/web",
        f"{CONTAINER}.volumeMounts[1].mountPath",
    ),
    (
        "pod-selector",
        "labels: {k8s-app: web, tier",
        "labels: {k8s-app: wob, tier",
        "Deployment/web",
        "spec.selector.matchLabels[k8s-app]",
    ),
    (
        "service-selector",
        "  selector: {k8s-app: web}",
        "  selector: {k8s-app: wob}",
        "Service/web",
        "spec.selector",
    ),
    ("service-port", "targetPort: http", "targetPort: htpp", "Service/web", "spec.ports[0].targetPort"),
    (
        "ingress-service",
        "port: {number: 80}",
        "port: {number: 8080}",
        "Ingress/web",
        f"{PATHS}[0].backend.service.port",
    ),
    (
        "ingress-service",
        "port: {name: two}",
        "port: {name: three}",
        "Ingress/web",
        f"{PATHS}[1].backend.service.port",
    ),
    ("ingress-tls", "hosts: [a.example.com]", "hosts: [b.example.com]", "Ingress/web", "spec.tls[0].hosts"),
    ("node-port", "nodePort: 30080", "nodePort: 8080", "Service/web", "spec.ports[0].nodePort"),
    ("field-type", "nodePort: 30080", "nodePort: '30080'", "Service/web", "spec.ports[0].nodePort"),
    ("node-port", "nodePort: 0", "nodePort: 30080", "Service/web", "spec.ports[1].nodePort"),
    ("leftover-variable", "tier: front", 'tier: "{{ TIER }}"', "", ""),
]


def ids(*files: ManifestFile, **options: str) -> list[str]:
    return [finding.id for finding in findings_of(*files, **options)]  # type: ignore[arg-type] # space only


def test_a_right_file_has_no_findings() -> None:
    assert findings_of(manifest(GOOD)) == ()


@pytest.mark.parametrize(
    ("check", "old", "new", "document", "field"), BREAKS, ids=lambda value: str(value)[:30]
)
def test_one_broken_field_is_found_and_named(
    check: str, old: str, new: str, document: str, field: str
) -> None:
    assert GOOD.count(old) >= 1
    found = findings_of(manifest(GOOD.replace(old, new, 1)))
    named = [finding for finding in found if finding.id == check]
    assert [(finding.file, finding.document, finding.field) for finding in named] == [
        ("a.yaml", document, field)
    ]
    for language in LANGUAGES:
        said = told_lines([named[0]])[0].render(language)
        assert said.startswith("a.yaml")
        assert f"{document} {field}".strip() in said
        assert said.endswith(f"[{check}]")


@pytest.mark.parametrize(
    ("kind", "group", "check"),
    [
        ("ClusterRole", "rbac.authorization.k8s.io/v1", "cluster-scoped"),
        ("ClusterRoleBinding", "rbac.authorization.k8s.io/v1", "cluster-scoped"),
        ("PersistentVolume", "v1", "cluster-scoped"),
        ("StorageClass", "storage.k8s.io/v1", "cluster-scoped"),
        ("Namespace", "v1", "not-applied"),
        ("Node", "v1", "not-applied"),
        ("CustomResourceDefinition", "apiextensions.k8s.io/v1", "not-applied"),
        ("APIService", "apiregistration.k8s.io/v1", "not-applied"),
        ("MutatingWebhookConfiguration", "admissionregistration.k8s.io/v1", "not-applied"),
        ("ValidatingWebhookConfiguration", "admissionregistration.k8s.io/v1", "not-applied"),
        ("ValidatingAdmissionPolicy", "admissionregistration.k8s.io/v1", "not-applied"),
        ("ValidatingAdmissionPolicyBinding", "admissionregistration.k8s.io/v1", "not-applied"),
        ("CSIDriver", "storage.k8s.io/v1", "not-applied"),
        ("CSINode", "storage.k8s.io/v1", "not-applied"),
        ("VolumeAttachment", "storage.k8s.io/v1", "not-applied"),
        ("FlowSchema", "flowcontrol.apiserver.k8s.io/v1", "not-applied"),
        ("PriorityLevelConfiguration", "flowcontrol.apiserver.k8s.io/v1", "not-applied"),
        ("CertificateSigningRequest", "certificates.k8s.io/v1", "not-applied"),
        ("IngressClass", "networking.k8s.io/v1", "not-applied"),
        ("PodSecurityPolicy", "policy/v1beta1", "not-applied"),
        ("PriorityClass", "scheduling.k8s.io/v1", "not-applied"),
        ("RuntimeClass", "node.k8s.io/v1", "not-applied"),
        ("Namespace", "example.com/v1", ""),
        ("Role", "rbac.authorization.k8s.io/v1", ""),
    ],
)
def test_what_belongs_to_no_namespace_is_refused_unless_a_comment_allows_it(
    kind: str, group: str, check: str
) -> None:
    text = f"apiVersion: {group}\nkind: {kind}\nmetadata: {{name: a}}\n"
    known = ("cluster-scoped", "not-applied")
    assert [found for found in ids(manifest(text)) if found in known] == ([check] if check else [])
    allowed = ids(manifest(f"# bcs-template-set: allow {check}\n{text}"))
    assert [found for found in allowed if found in known] == []


def test_what_has_a_file_of_its_own_may_be_of_a_kind_that_is_not_replaced() -> None:
    pods = "{restartPolicy: Never, containers: [{name: a, image: 'r:1'}]}"
    job = f"apiVersion: batch/v1\nkind: Job\nmetadata: {{name: a}}\nspec: {{template: {{spec: {pods}}}}}\n"
    assert ids(manifest(job)) == []
    (finding,) = findings_of(manifest(f"{job}---\n{GOOD}"))
    assert (finding.id, finding.is_warning) == ("replace", True)
    assert ids(manifest(f"# bcs-template-set: allow replace\n{job}---\n{GOOD}")) == []


def test_every_check_of_the_folder_is_in_the_table_under_an_id_of_its_own() -> None:
    names = [module.name for module in pkgutil.iter_modules(checks.__path__, checks.__name__ + ".")]
    found = [
        entry
        for name in names
        for entry in vars(importlib.import_module(name)).values()
        if isinstance(entry, Check)
    ]
    assert {check.id for check in found} == {check.id for check in CHECKS}
    assert len({check.id for check in CHECKS}) == len(CHECKS) == len(found)


# --- one by one: what the table above has no place for


def test_the_k8s_app_label_of_a_long_domain_is_said_with_its_length_and_value() -> None:
    value = "deployment.nginx.a-rather-long-subdomain.of-a-rather-long.example.com"
    (finding, *_) = findings_of(manifest(GOOD.replace("k8s-app: web", f"k8s-app: {value}")))
    assert finding.id == "label"
    assert value in str(finding.message)
    assert f"it has {len(value)} characters, at most 63" in str(finding.message)


@pytest.mark.parametrize(("name", "ok"), [("x" * 48, True), ("x" * 60, False), ("a:b", False), ("a.", False)])
def test_a_files_name_has_to_fit_bcs(name: str, *, ok: bool) -> None:
    assert (ids(manifest(GOOD, name=name)) == []) is ok


def test_a_variable_of_bcs_is_no_finding_where_bcs_put_it() -> None:
    text = GOOD.replace(
        "registry:5000/web@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "{{ IMAGE }}",
    ).replace("tier: front", 'tier: "{{ T }}"')
    assert ids(manifest(text)) == ["leftover-variable"] * 2
    assert ids(manifest(text, variables="IMAGE T")) == []
    assert ids(manifest(text, variables="IMAGE")) == ["leftover-variable"]


def test_a_leftover_is_said_with_its_line_once_a_name() -> None:
    text = GOOD + "# {{ x }} {{ x }}\n# {{ a\n}}\n"
    first, second = findings_of(manifest(text))
    lines = GOOD.count("\n")
    assert {f"line {lines + 1} still has {{{{ x }}}}", f"line {lines + 2} still has {{{{ a }}}}"} == {
        str(finding.message).split(",")[0] for finding in (first, second)
    }


@pytest.mark.parametrize(
    ("kind", "variable", "message"),
    [
        ("Deployment", "live_replicas.Deployment.web", ""),
        ("StatefulSet", "live_replicas.StatefulSet.web", ""),
        ("Deployment", "N", ""),
        ("Deployment", "live_replicas.web", ""),
        ("Deployment", "live_replicas.Deployment.api", "the number of pods that Deployment/api has"),
        ("StatefulSet", "live_replicas.Deployment.web", "the number of pods that Deployment/web has"),
        ("ReplicaSet", "live_replicas.ReplicaSet.web", "number of pods of ReplicaSet objects"),
        ("Rollout", "live_replicas.Rollout.web", ""),
        ("Cafe", "live_replicas.Cafe.web", "number of pods of Cafe objects"),
    ],
)
def test_a_workload_takes_the_live_number_of_its_own_pods(kind: str, variable: str, message: str) -> None:
    group = {"Rollout": "argoproj.io/v1alpha1", "Cafe": "example.com/v1"}.get(kind, "apps/v1")
    spec = f"{{replicas: '{{{{ {variable} }}}}'}}"
    text = f"apiVersion: {group}\nkind: {kind}\nmetadata: {{name: web}}\nspec: {spec}\n"
    found = [one for one in findings_of(manifest(text, variables=variable)) if one.id == "live-replicas"]
    assert [message in str(finding.message) for finding in found] == ([True] if message else [])
    assert [finding.field for finding in found] == (["spec.replicas"] if message else [])


def test_whose_name_bcs_fills_in_is_not_held_to_it() -> None:
    spec = "{replicas: '{{ live_replicas.Deployment.web }}'}"
    text = f"kind: Deployment\nmetadata: {{name: '{{{{ N }}}}'}}\nspec: {spec}\n"
    assert "live-replicas" not in ids(manifest(text, variables="N live_replicas.Deployment.web"))


def test_a_template_set_takes_no_braces_at_all() -> None:
    text = GOOD.replace("tier: front", 'tier: "{{ T }}"')
    found = findings_of(manifest(text, variables="T"), template_set=True)
    assert [finding.id for finding in found] == ["template-set-variable"]
    assert "line 12" in str(found[0].message)


def test_what_bcs_fills_in_later_is_not_judged_now() -> None:
    text = GOOD
    for old, new in (
        ("name: web\n", 'name: "{{ N }}"\n'),
        ("k8s-app: web", 'k8s-app: "{{ N }}"'),
        ("targetPort: http", "targetPort: {{ N }}"),
        ("nodePort: 30080", "nodePort: {{ N }}"),
        ("a.example.com", '"{{ N }}"'),
        ("name: logs, mountPath", 'name: "{{ N }}", mountPath'),
        ("service: {name: web", 'service: {name: "{{ N }}"'),
    ):
        text = text.replace(old, new)
    assert ids(manifest(text, variables="N")) == []


def test_the_same_object_in_two_files_is_a_finding_that_names_the_first() -> None:
    (finding, *_) = findings_of(manifest(GOOD, name="a.yaml"), manifest(GOOD, name="b.yaml"))
    assert (finding.id, finding.file) == ("duplicate-object", "b.yaml")
    assert "a.yaml" in str(finding.message)


CONFIG = "apiVersion: v1\nkind: {kind}\nmetadata: {{name: a, namespace: {namespace}}}\n"


def test_the_same_name_of_another_kind_is_another_object_but_not_in_another_namespace() -> None:
    one, other = (
        CONFIG.format(kind="ConfigMap", namespace="one"),
        CONFIG.format(kind="Secret", namespace="one"),
    )
    assert ids(manifest(f"{one}---\n{other}")) == []
    assert ids(manifest(f"{one}---\n{one.replace('one', 'two')}")) == ["duplicate-object"]


@pytest.mark.parametrize(
    ("written", "deployed_to", "expected"),
    [
        ("staging", "prod", ["namespace"]),
        ("prod", "prod", []),
        ("staging", "", []),
        ('""', "prod", []),
        ('"{{ N }}"', "prod", []),
    ],
)
def test_a_namespace_that_bcs_writes_over_is_a_finding_that_names_both(
    written: str, deployed_to: str, expected: list[str]
) -> None:
    text = CONFIG.format(kind="ConfigMap", namespace=written)
    found = findings_of(manifest(text, variables="N"), namespace=deployed_to)
    assert [finding.id for finding in found] == expected
    assert all("staging" in str(finding.message) and "prod" in str(finding.message) for finding in found)


def test_a_service_for_pods_that_the_run_does_not_have_is_no_finding() -> None:
    service = OTHER_SERVICE.replace("tier", "role")
    assert ids(manifest(service)) == []
    assert ids(manifest(GOOD), manifest(service, name="b.yaml")) == []


def test_a_comment_leaves_a_file_out_of_a_check() -> None:
    service = OTHER_SERVICE
    assert ids(manifest(GOOD), manifest(service, name="b.yaml")) == ["service-selector"]
    allowed = f"# bcs-template-set: allow service-selector, node-port\n{service}"
    assert ids(manifest(GOOD), manifest(allowed, name="b.yaml")) == []
    other = f"# bcs-template-set: allow node-port\n{service}"
    assert ids(manifest(GOOD), manifest(other, name="b.yaml")) == ["service-selector"]


def test_a_service_selects_pods_of_another_file_of_the_run() -> None:
    deployment, service, ingress = GOOD.split("---\n")
    files = (manifest(deployment), manifest(service, name="b.yaml"), manifest(ingress, name="c.yaml"))
    assert ids(*files) == []
    broken = manifest(service.replace("targetPort: http", "targetPort: x"), name="b.yaml")
    assert ids(files[0], broken) == ["service-port"]


def test_an_ingress_to_a_service_outside_the_run_is_a_finding_for_builtin_templates_only() -> None:
    ingress = GOOD.split("---\n")[2]
    assert ids(manifest(ingress)) == []
    assert set(ids(manifest(ingress, domain="a.example.com"))) == {"ingress-service"}


def test_a_host_and_path_lead_to_one_service() -> None:
    ingress = GOOD.split("---\n")[2]
    same = ingress.replace("metadata:\n  name: web", "metadata:\n  name: web-1")
    assert ids(manifest(GOOD), manifest(same, name="b.yaml")) == []
    other = same.replace("service: {name: web", "service: {name: other")
    clashes = [
        f for f in findings_of(manifest(GOOD), manifest(other, name="b.yaml")) if f.id == "route-clash"
    ]
    assert [(clash.file, clash.document) for clash in clashes] == [("b.yaml", "Ingress/web-1")] * 2
    assert "a.example.com/two leads to other here, and to web in Ingress/web." in str(clashes[-1].message)


def test_a_wildcard_certificate_serves_the_hosts_below_it() -> None:
    assert ids(manifest(GOOD.replace("hosts: [a.example.com]", "hosts: ['*.example.com']"))) == []


def test_rbac_objects_may_have_colons_in_their_names() -> None:
    assert (
        ids(manifest("apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: 'a:b'}\n")) == []
    )


def test_volume_claims_of_a_stateful_set_are_volumes() -> None:
    text = GOOD.split("---\n", maxsplit=1)[0].replace("Deployment", "StatefulSet")
    text = text.replace("{name: logs, emptyDir: {}}", "")
    assert ids(manifest(text)) == ["volume-mount"]
    text = text.replace(
        "spec:\n  selector", "spec:\n  volumeClaimTemplates: [{metadata: {name: logs}}]\n  selector"
    )
    assert ids(manifest(text)) == []


def test_the_same_node_port_in_two_files_names_the_first() -> None:
    service = GOOD.split("---\n")[1].replace("metadata:\n  name: web", "metadata:\n  name: other")
    found = findings_of(manifest(GOOD), manifest(service, name="b.yaml"))
    assert [(finding.id, finding.file) for finding in found] == [("node-port", "b.yaml")]
    assert "Service/web spec.ports[0].nodePort" in str(found[0].message)
    assert (
        ids(manifest(GOOD), manifest(service.replace("port: 80,", "port: 80, protocol: UDP,"), name="b.yaml"))
        == []
    )


def test_findings_do_not_depend_on_the_order_of_files() -> None:
    files = [manifest(GOOD.replace("web", name), name=f"{name}.yaml") for name in ("B", "a", "C")]
    assert findings_of(*files) == findings_of(*reversed(files))
    assert list(findings_of(*files)) == sorted(findings_of(*files), key=Finding.order)


_KINDS = ("Deployment", "Service", "Ingress", "StatefulSet", "CronJob", "Pod", "List", "ConfigMap", "")
_PATHS = (
    "metadata",
    "metadata.labels",
    "metadata.annotations",
    "spec",
    "spec.selector",
    "spec.selector.matchLabels",
    "spec.template",
    "spec.template.spec",
    "spec.template.spec.containers",
    "spec.template.spec.volumes",
    "spec.ports",
    "spec.rules",
    "spec.tls",
    "spec.volumeClaimTemplates",
    "spec.jobTemplate",
    "items",
)


@given(
    kind=st.sampled_from(_KINDS),
    path=st.sampled_from(_PATHS),
    value=VALUES_OF_ANY_KIND,
    wrapped=st.booleans(),
)
@settings(max_examples=examples(300, sample=100), deadline=None)
def test_no_shape_of_a_document_breaks_the_checks(
    kind: str, path: str, value: YamlValue, *, wrapped: bool
) -> None:
    inner: YamlValue = (
        [value, {"name": value, "host": value, "hosts": value, "http": {"paths": [value]}}]
        if wrapped
        else value
    )
    for key in reversed(path.split(".")):
        inner = {key: inner}
    assert isinstance(inner, dict)
    body: dict[str, YamlValue] = {"apiVersion": "v1", "kind": kind, **inner}
    document = Document(kind, "v1", "a", "", 1, body)
    for finding in findings_of(ManifestFile("a.yaml", "", "a", (document,))):
        assert all(told_lines([finding])[0].render(language) for language in LANGUAGES)
