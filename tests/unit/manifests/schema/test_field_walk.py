"""What the schema of Kubernetes says of objects: one defect each, and neighbours that are right."""

from __future__ import annotations

from typing import Optional

import pytest
from tests.support.building import findings_of, manifest

from bcs_template_set.manifests.checks.finding import Finding
from bcs_template_set.manifests.parse import parse_documents
from bcs_template_set.manifests.schema.field_types import KubeVersions, field_types
from bcs_template_set.manifests.schema.field_walk import FieldProblem, problems_of
from bcs_template_set.messages import say

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: "r/web:1"
          ports: [{containerPort: 80}]
          resources: {requests: {cpu: 500m}}
"""
CONTAINER = "spec.template.spec.containers[0]"


def found(text: str, *, kube_version: str = "") -> list[Finding]:
    return list(findings_of(manifest(text), kube_version=kube_version))


def said(finding: Finding) -> str:
    return finding.message.render("en_US")


# What is changed in DEPLOYMENT, into what; check, field and words of the finding.
DEFECTS = [
    ("replicas: 2", "replcias: 2", "unknown-field", "spec.replcias", "Did you mean replicas?"),
    (
        "replicas: 2",
        'replicas: "2"',
        "field-type",
        "spec.replicas",
        "it is text; Kubernetes takes an integer",
    ),
    ("replicas: 2", "replicas: [2]", "field-type", "spec.replicas", "it is a list"),
    ("replicas: 2", "replicas: true", "field-type", "spec.replicas", "it is true or false"),
    ("replicas: 2", "replicas: 1.5", "field-type", "spec.replicas", "it is a number"),
    ("replicas: 2", "paused: 1", "field-type", "spec.paused", "takes true or false"),
    ("replicas: 2", "strategy: Recreate", "field-type", "spec.strategy", "takes a mapping"),
    (
        "      containers:",
        "      startupProbe: {}\n      containers:",
        "unknown-field",
        "spec.template.spec.startupProbe",
        "it belongs to spec.template.spec.containers[].",
    ),
    (
        "          image:",
        "          hostNetwork: true\n          image:",
        "unknown-field",
        f"{CONTAINER}.hostNetwork",
        "it belongs to spec.template.spec.",
    ),
    (
        "          image:",
        "          imagePullPolcy: Always\n          image:",
        "unknown-field",
        f"{CONTAINER}.imagePullPolcy",
        "Did you mean imagePullPolicy?",
    ),
    (
        "{containerPort: 80}",
        "{containerPort: 80, zzz: 1}",
        "unknown-field",
        f"{CONTAINER}.ports[0].zzz",
        "Kubernetes has no such field here.",
    ),
    (
        "{containerPort: 80}",
        "{hostPort: 80}",
        "required-field",
        f"{CONTAINER}.ports[0].containerPort",
        "is missing or empty",
    ),
    (
        "          image:",
        "          imagePullPolicy: always\n          image:",
        "field-value",
        f"{CONTAINER}.imagePullPolicy",
        "takes only Always, IfNotPresent, Never here",
    ),
    (
        "replicas: 2",
        "strategy: {type: Rolling}",
        "field-value",
        "spec.strategy.type",
        "Recreate, RollingUpdate",
    ),
    ("ports: [", "env: {A: b}\n          ports: [", "field-type", f"{CONTAINER}.env", "it is a mapping"),
    ("cpu: 500m", "cpu: [1]", "field-type", f"{CONTAINER}.resources.requests[cpu]", "takes a quantity"),
    (
        "      containers:",
        "      imagePullSecrets: [name]\n      containers:",
        "field-type",
        "spec.template.spec.imagePullSecrets[0]",
        "it is text; Kubernetes takes a mapping",
    ),
]


@pytest.mark.parametrize(("old", "new", "check", "field", "words"), DEFECTS)
def test_a_field_that_kubernetes_does_not_take_is_named(
    old: str, new: str, check: str, field: str, words: str
) -> None:
    (finding,) = found(DEPLOYMENT.replace(old, new))
    assert (finding.id, finding.field) == (check, field)
    assert words in said(finding)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("metadata:\n  name: web", "metadata:\n  name: web\n  creationTimestamp: null"),
        ("replicas: 2", "replicas:"),
        ("replicas: 2", 'strategy: {type: ""}'),
        ("replicas: 2", "replicas: 2.0"),
        ("replicas: 2", "replicas: 2\n  strategy: {rollingUpdate: {maxSurge: 25%, maxUnavailable: 0}}"),
        ("cpu: 500m", "cpu: 0.5, memory: 1Gi, ephemeral-storage: 1"),
        ("resources: {requests: {cpu: 500m}}", "resources: {}"),
        ("resources: {requests: {cpu: 500m}}", "livenessProbe: {httpGet: {port: 8080}}"),
        ("resources: {requests: {cpu: 500m}}", "livenessProbe: {tcpSocket: {port: 80}}"),
    ],
)
def test_what_kubernetes_takes_is_no_finding(old: str, new: str) -> None:
    text = DEPLOYMENT.replace("- name: web\n", "- name: web\n          command:\n")
    assert found(text.replace(old, new) + "status: {}\n") == []


def test_what_bcs_fills_in_later_may_become_any_type() -> None:
    text = DEPLOYMENT.replace("replicas: 2", "replicas: {{ N }}").replace("cpu: 500m", "cpu: {{ N }}")
    assert list(findings_of(manifest(text, variables="N"))) == []


RIGHT = {
    "StatefulSet without serviceName": (
        "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\n"
        "spec: {selector: {matchLabels: {app: db}}, "
        "template: {metadata: {labels: {app: db}}, spec: {containers: [{name: db, image: 'r/db:1'}]}}}\n"
    ),
    "NetworkPolicy for all pods": (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: all}\n"
        "spec: {policyTypes: [Ingress]}\n"
    ),
    "open CRD body": (
        "# bcs-template-set: allow not-applied\n"
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: as.x.org}\n"
        "spec: {group: x.org, names: {plural: as, kind: A}, scope: Namespaced, versions: [{name: v1, "
        "served: true, storage: true, schema: {openAPIV3Schema: {type: object, default: {a: 1}, "
        "x-kubernetes-preserve-unknown-fields: true}}}]}\n"
    ),
    "a kind of a group nobody knows": (
        "apiVersion: batch.volcano.sh/v1alpha1\nkind: Job\nmetadata: {name: a}\n"
        "spec: {tasks: [{replcias: x}]}\n"
    ),
    "a group that only ends as Kubernetes' own do": (
        "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: a}\nspec: {x: 1}\n"
    ),
    "GameDeployment with a field that is newer than we": (
        "apiVersion: tkex.tencent.com/v1alpha1\nkind: GameDeployment\nmetadata: {name: g}\n"
        "spec: {selector: {matchLabels: {app: g}}, brandNewThing: 1, updateStrategy: {type: InplaceUpdate}, "
        "template: {metadata: {labels: {app: g}}, spec: {containers: [{name: g, image: 'r/g:1'}]}}}\n"
    ),
    "a pod template of a kind nobody knows, with fields of its own": (
        "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: k}\n"
        "spec: {template: {spec: {containerConcurrency: 5, containers: [{name: k, image: 'r/k:1'}]}}}\n"
    ),
    "null labels, annotations and lists, as kubectl writes them": (
        "apiVersion: v1\nkind: ConfigMap\n"
        "metadata: {name: a, creationTimestamp: null, labels: {a: null}, annotations: {b: null}}\ndata:\n"
    ),
    "a selector of expressions alone": DEPLOYMENT.replace(
        "{matchLabels: {app: web}}",
        "{matchExpressions: [{key: app, operator: In, values: [web]}, {key: x, operator: DoesNotExist}]}",
    ),
    "tls without hosts, without a secret, and below a wildcard": (
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: a}\nspec:\n"
        "  tls: [{secretName: all}, {hosts: [shop.x.org]}]\n  rules: [{host: '*.x.org'}]\n"
    ),
    "tls of a rule without a host": (
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: a}\n"
        "spec: {tls: [{hosts: [a.x.org]}], rules: [{http: {paths: [{path: /, pathType: Prefix, "
        "backend: {service: {name: a, port: {number: 80}}}}]}}]}\n"
    ),
    "tls of a default backend": (
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: a}\n"
        "spec: {tls: [{hosts: [a.x.org]}], defaultBackend: {service: {name: a, port: {number: 80}}}}\n"
    ),
    "an ExternalName without ports behind an Ingress": (
        "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n"
        "spec: {type: ExternalName, externalName: a.org}\n---\n"
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: a}\nspec: {rules: [{http: {paths: "
        "[{path: /, pathType: Prefix, backend: {service: {name: a, port: {number: 80}}}}]}}]}\n"
    ),
    "an Ingress of another group beside one of Kubernetes'": (
        "apiVersion: networkextension.bkbcs.tencent.com/v1\nkind: Ingress\nmetadata: {name: a}\n"
        "spec: {rules: []}\n---\n"
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: a}\n"
        "spec: {rules: [{http: {paths: [{path: /, pathType: Prefix, "
        "backend: {service: {name: a, port: {number: 80}}}}]}}]}\n"
    ),
    "an image that Istio fills in": DEPLOYMENT.replace("r/web:1", "auto").replace(
        "{labels: {app: web}}", "{labels: {app: web}, annotations: {inject.istio.io/templates: gateway}}"
    ),
    "names that only other kinds may not have": (
        "apiVersion: user.openshift.io/v1\nkind: Group\nmetadata: {name: 'team:Admins'}\n---\n"
        "apiVersion: networking.k8s.io/v1\nkind: IPAddress\nmetadata: {name: '2001:db8::1'}\n"
        "spec: {parentRef: {resource: services, name: a}}\n"
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_an_object_that_is_right_has_no_finding(name: str) -> None:
    assert found(RIGHT[name]) == []


def test_a_misspelt_field_of_an_extension_is_named_and_its_pods_are_looked_at() -> None:
    text = RIGHT["GameDeployment with a field that is newer than we"]
    (finding,) = found(text.replace("brandNewThing", "minReadySecond"))
    assert (finding.field, "Did you mean minReadySeconds?" in said(finding)) == ("spec.minReadySecond", True)
    (finding,) = found(text.replace("name: g, image", "name: g, imagePullPolice: Always, image"))
    assert finding.field == f"{CONTAINER}.imagePullPolice"


def test_containers_of_a_kind_nobody_knows_are_looked_at() -> None:
    text = RIGHT["a pod template of a kind nobody knows, with fields of its own"]
    (finding,) = found(text.replace("name: k, image", "name: k, command: sh, image"))
    assert (finding.id, finding.field) == ("field-type", f"{CONTAINER}.command")


INGRESS = (
    "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: a}\n"
    "spec: {defaultBackend: {service: {name: a, port: {number: 80}}}}\n"
)


@pytest.mark.parametrize(
    ("api_version", "kind", "kube_version", "words"),
    [
        (
            "extensions/v1beta1",
            "Deployment",
            "",
            "Kubernetes 1.16 removed extensions/v1beta1 Deployment; write apps/v1",
        ),
        (
            "extensions/v1beta1",
            "Ingress",
            "1.22",
            "Kubernetes 1.22 removed extensions/v1beta1 Ingress; write networking.k8s.io/v1",
        ),
        ("extensions/v1beta1", "Ingress", "v1.21.5-tke.3", None),
        ("extensions/v1beta1", "Ingress", "", None),
        ("batch/v1", "CronJob", "1.20", "Kubernetes has batch/v1 CronJob since 1.21; write batch/v1beta1"),
        ("batch/v1", "CronJob", "1.21", None),
        (
            "policy/v1beta1",
            "PodSecurityPolicy",
            "1.25",
            "removed policy/v1beta1 PodSecurityPolicy, and nothing took its place",
        ),
        ("resource.k8s.io/v1", "ResourceSlice", "1.20", "since 1.34."),
        ("apps/v1", "Ingress", "", "apps/v1 has no kind Ingress; write networking.k8s.io/v1"),
        ("apps/v1", "Deploymant", "", "apps/v1 has no kind Deploymant. Did you mean Deployment?"),
        ("apps/v1", "deployment", "", "apps/v1 has no kind deployment. Did you mean Deployment?"),
        ("v1", "deployments", "", "v1 has no kind deployments. Did you mean Deployment?"),
        ("app/v1", "Deployment", "", "app/v1 has no kind Deployment; write apps/v1"),
        ("Apps/v1", "Deployment", "", "Apps/v1 has no kind Deployment; write apps/v1"),
        ("apps", "Deployment", "", "apps has no kind Deployment; write apps/v1"),
        ("web/v1", "Deployment", "", "web/v1 has no kind Deployment; write apps/v1"),
        ("network.k8s.io/v1", "Ingress", "", "network.k8s.io/v1 has no kind Ingress; write networking"),
        ("rbac.authorisation.k8s.io/v1", "Role", "", "write rbac.authorization.k8s.io/v1"),
        ("argoproj/v1alpha1", "Rollout", "", "write argoproj.io/v1alpha1"),
        ("authorization.openshift.io/v1", "Role", "", None),
        ("apps.kruise.io/v1beta1", "StatefulSet", "", None),
        ("networkextension.bkbcs.tencent.com/v1", "Ingress", "", None),
        ("snapshot.storage.k8s.io/v1", "VolumeSnapshot", "", None),
        ("gateway.networking.k8s.io/v1", "Gateway", "", None),
        ("autoscaling.k8s.io/v1", "VerticalPodAutoscaler", "", None),
        ("web/v1", "Thing", "", None),
        ("v1", "Zzz", "", "no Kubernetes from 1.20 on has v1 Zzz"),
    ],
)
def test_an_api_version_that_is_gone_or_never_was_is_named_with_the_one_to_use(
    api_version: str, kind: str, kube_version: str, words: Optional[str]
) -> None:
    text = f"apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: a}}\n"
    of_api = [
        said(finding) for finding in found(text, kube_version=kube_version) if finding.id == "api-version"
    ]
    assert len(of_api) == (words is not None)
    assert words is None or words in of_api[0]


@pytest.mark.parametrize("kind", ["deployment", "Deploymant", "DEPLOYMENT"])
def test_a_kind_that_is_misspelt_is_told_where_it_stands(kind: str) -> None:
    assert [finding.field for finding in found(DEPLOYMENT.replace("kind: Deployment", f"kind: {kind}"))] == [
        "kind"
    ]


def test_a_field_is_judged_by_the_kubernetes_in_question() -> None:
    text = DEPLOYMENT.replace("          image:", "          restartPolicy: Always\n          image:")
    assert found(text) == found(text, kube_version="1.30") == []
    (finding,) = found(text, kube_version="1.22")
    assert said(finding) == "Kubernetes has this field since 1.28."
    old = INGRESS.replace("{name: a}", "{name: a, clusterName: b}")
    assert found(old) == []
    (finding,) = found(old, kube_version="1.30")
    assert "the last Kubernetes with this field was 1." in said(finding)


def test_who_wrote_another_thing_altogether_is_not_told_of_every_field() -> None:
    text = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  ports: [{port: 1}]\n"
    for count, told in ((49, 49), (50, 50), (51, 50), (100, 50)):
        lines = "".join(f"  zz{number}: 1\n" for number in range(count))
        assert len(found(text + lines)) == told


@pytest.mark.parametrize(
    ("where", "field", "belongs"),
    [
        ("spec:\n", "  containerPort: 80\n", ""),
        ("spec:\n", "  restartPolicy: Always\n", "spec.template.spec"),
        ("spec:\n", "  imagePullPolicy: Always\n", "spec.template.spec.containers[]"),
        ("metadata:\n", "  replicas: 2\n", "spec"),
        ("kind: Deployment\n", "tolerations: []\n", "spec.template.spec"),
        ("kind: Deployment\n", "imagePullPolicy: Always\n", ""),
        ("name: web\n          ", "fsGroup: 1\n          ", "spec.template.spec.securityContext"),
        ("name: web\n          ", "sizeLimit: 1Gi\n          ", ""),
        ("name: web\n          ", "namespaceSelector: {}\n          ", ""),
        (
            "name: web\n          ",
            "readOnly: true\n          ",
            "spec.template.spec.containers[].volumeMounts[]",
        ),
        ("name: web\n          ", "matchLabels: {}\n          ", "spec.selector"),
        ("{cpu: 500m}}\n", "imagePullPolicy: Always\n", ""),
    ],
)
def test_a_field_belongs_to_what_is_three_below_its_object_or_one_below_those_around(
    where: str, field: str, belongs: str
) -> None:
    unknown = [one for one in found(DEPLOYMENT.replace(where, where + field, 1)) if one.id == "unknown-field"]
    assert [finding.message.fields.get("belongs") for finding in unknown] == [belongs]


def test_a_field_of_another_kubernetes_that_holds_nothing_is_not_there() -> None:
    text = DEPLOYMENT.replace("          image:", "          restartPolicy: null\n          image:")
    assert found(text, kube_version="1.22") == []


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("{name: web}", "{name: web, labels: {a: b}}", ""),
        ("          image:", "          args: [a, null, b]\n          image:", ""),
        ("          image:", "          args: [a, 1]\n          image:", f"{CONTAINER}.args[1]"),
        ("          image:", "          args: {a: b}\n          image:", f"{CONTAINER}.args"),
        ("          image:", "          args: a\n          image:", f"{CONTAINER}.args"),
        (
            "          image:",
            "          securityContext: []\n          image:",
            f"{CONTAINER}.securityContext",
        ),
        ("{cpu: 500m}", "{cpu: {}}", f"{CONTAINER}.resources.requests[cpu]"),
        ("{cpu: 500m}", "[cpu]", f"{CONTAINER}.resources.requests"),
        ("replicas: 2", "replicas: 2.5", "spec.replicas"),
        ("replicas: 2", "replicas: 2.0", ""),
        ("replicas: 2", "paused: 0.0", "spec.paused"),
        ("replicas: 2", "paused: {{ N }}", ""),
        ("replicas: 2", "strategy: {type: '{{ N }}'}", ""),
    ],
)
def test_what_a_list_or_a_map_holds_is_of_its_type(old: str, new: str, field: str) -> None:
    text = DEPLOYMENT.replace("metadata:\n  name: web", "metadata: {name: web}").replace(old, new, 1)
    findings = findings_of(manifest(text, variables="N"))
    wrong = [one.field for one in findings if one.id in ("field-type", "field-value")]
    assert wrong == ([field] if field else [])


def test_a_comment_allows_what_the_schema_finds() -> None:
    text = DEPLOYMENT.replace("replicas: 2", "replcias: 2")
    assert found(f"# bcs-template-set: allow unknown-field\n{text}") == []


def test_everything_in_the_data_can_be_read_and_leads_somewhere() -> None:
    types = field_types()
    numbers = {entry.type for entry in types.kinds.values() if entry.type >= 0} | {types.container}
    waiting = set(numbers)
    while waiting:
        fields = types[waiting.pop()].fields.values()
        new = {field.of for field in fields if field.of >= 0} - numbers
        numbers |= new
        waiting |= new
    assert max(numbers) + 1 == len(numbers)
    assert types.versions.first == 20
    assert types.versions.last >= 37


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [("", 20, 37), ("1.22", 22, 22), ("v1.30.4", 30, 30), ("1.20+", 20, 20)],
)
def test_the_kubernetes_in_question_is_the_one_that_is_named(text: str, first: int, last: int) -> None:
    assert field_types().wanted(text) == KubeVersions(first, last)


@pytest.mark.parametrize(
    ("text", "check", "field"),
    [
        (DEPLOYMENT.replace("r/web:1", "auto"), "image-tag", f"{CONTAINER}.image"),
        (
            RIGHT["a selector of expressions alone"].replace("[web]", "[other]"),
            "pod-selector",
            "spec.selector.matchExpressions[0]",
        ),
        (
            RIGHT["tls without hosts, without a secret, and below a wildcard"].replace("shop.x", "a.shop.x"),
            "ingress-tls",
            "spec.tls[1].hosts",
        ),
        (
            RIGHT["names that only other kinds may not have"].replace("team:Admins", "team/Admins"),
            "object-name",
            "metadata.name",
        ),
    ],
)
def test_what_those_that_are_right_stop_short_of_is_found(text: str, check: str, field: str) -> None:
    (finding,) = found(text)
    assert (finding.id, finding.field) == (check, field)


UPDATED = """\
apiVersion: tkex.tencent.com/v1alpha1
kind: GameDeployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: "r/web:1"}]}}
  preDeleteUpdateStrategy: {hook: {templateName: a, args: [{name: b, value: c}]}}
  updateStrategy:
    type: InplaceUpdate
    inPlaceUpdateStrategy: {gracePeriodSeconds: 30}
    maxUnavailable: 20%
    ofALaterVersion: 1
    canary: {steps: [{partition: 3}, {pause: {duration: 60}}, {pause: {}}, {hook: {templateName: a}}]}
"""
ROLLOUT = """\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  workloadRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  strategy: {canary: {stableService: a, steps: [{setWeight: 20}, {pause: {duration: 1h}}, {pause: {}}]}}
"""


@pytest.mark.parametrize(
    ("text", "old", "new", "check", "field"),
    [
        (UPDATED, "maxUnavailable", "maxUnavailble", "unknown-field", "spec.updateStrategy.maxUnavailble"),
        (UPDATED, "grace", "gracee", "unknown-field", "spec.updateStrategy.inPlaceUpdateStrategy."),
        (UPDATED, "duration: 60", "duration: 1m", "field-type", "spec.updateStrategy.canary.steps[1].pause."),
        (UPDATED, "{templateName: a, args", "{templatName: a, args", "unknown-field", "spec.preDeleteUpdate"),
        (ROLLOUT, "setWeight", "setWieght", "unknown-field", "spec.strategy.canary.steps[0].setWieght"),
        (ROLLOUT, "stableService", "stabelService", "unknown-field", "spec.strategy.canary.stabelService"),
    ],
)
def test_what_is_misspelt_in_how_a_custom_kind_is_updated_is_found(
    text: str, old: str, new: str, check: str, field: str
) -> None:
    assert found(text) == []
    (finding,) = found(text.replace(old, new))
    assert finding.id == check
    assert finding.field.startswith(field)


def pods_of(api_version: str, kind: str, container: str, **spec: object) -> str:
    own = "".join(f"  {name}: {value}\n" for name, value in spec.items())
    pods = f"spec:\n{own}  selector: {{}}\n  template: {{spec: {{containers: [{container}]}}}}\n"
    return f"apiVersion: {api_version}\nkind: {kind}\n{pods}"


REQUEST = "apiVersion: certificates.k8s.io/v1\nkind: CertificateSigningRequest\nspec:\n  request: aGk=\n"
GAME = ("tkex.tencent.com/v1alpha1", "GameDeployment")
CLAIM = "apiVersion: v1\nkind: PersistentVolumeClaim\n"
NEED = say("checks.value_needs", name="operator: In", wanted="values")
PORT = say("checks.value_port", given=0)


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        (
            "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingAdmissionPolicy\nspce: {}\n",
            [FieldProblem("unknown", "spce", near="spec")],
        ),
        (
            f"{REQUEST}  signerName: a\n  extra: {{a: [b, 1], c: d, e: null}}\n",
            [
                FieldProblem("type", "spec.extra[a][1]", wanted="s", given="i"),
                FieldProblem("type", "spec.extra[c]", wanted="[", given="s"),
            ],
        ),
        (
            pods_of("extensions/v1beta1", "Deployment", "{imge: b}", never=1),
            [FieldProblem("unknown", "spec.template.spec.containers[0].imge", near="image")],
        ),
        (
            pods_of("apps/v1", "Deployment", "{name: ''}"),
            [FieldProblem("missing", "spec.template.spec.containers[0].name")],
        ),
        (pods_of(*GAME, "{name: ''}"), []),
        (
            pods_of("apps/v1", "Deployment", "{name: a}", nodeSelector="{}"),
            [FieldProblem("unknown", "spec.nodeSelector", belongs="spec.template.spec")],
        ),
        (
            f"{CLAIM}spec: {{selector: {{matchExpressions: [{{key: a, operator: In}}]}}}}\n",
            [FieldProblem("form", "spec.selector.matchExpressions[0]", said=NEED)],
        ),
        (
            pods_of(*GAME, "{name: a}", templateName="a"),
            [FieldProblem("unknown", "spec.templateName", near="template")],
        ),
        (
            pods_of("apps/v1", "Deployment", "{name: a, ports: [{containerPort: 0}], '{{ N }}': 1}"),
            [FieldProblem("form", "spec.template.spec.containers[0].ports[0].containerPort", said=PORT)],
        ),
    ],
)
def test_each_problem_says_what_kubernetes_would_take(text: str, problems: list[FieldProblem]) -> None:
    types = field_types()
    (document,) = parse_documents(text, source="a.yaml")
    assert problems_of(document, types=types, versions=types.versions) == problems


def test_what_does_not_belong_to_a_problem_is_left_empty() -> None:
    types, text = field_types(), pods_of("apps/v1", "Deployment", "{name: ''}")
    problems = problems_of(*parse_documents(text, source="a.yaml"), types=types, versions=types.versions)
    assert problems == [("missing", "spec.template.spec.containers[0].name", "", "", "", "", 0, (), None)]
