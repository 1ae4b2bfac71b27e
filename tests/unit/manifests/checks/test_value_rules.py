"""Values and pairs that the API server refuses, one defect each, and neighbours that it takes."""

from __future__ import annotations

from decimal import Decimal
from typing import Optional

import pytest
from tests.support.building import findings_of, manifest

from bcs_template_set.manifests.checks.telling import told_lines
from bcs_template_set.manifests.quantities import size_of

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: "r/web:1"
          # more
"""
JOB = """\
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: "r/a:1"}]}}}
"""
CRON = """\
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: "0 3 * * 1"
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: "r/a:1"}]}}}}
"""
SERVICE = (
    "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {a: b}, ports: [{port: 80}]}\n"
)
INGRESS = (
    "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web}\nspec: {rules: [{host: a.org, "
    "http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}\n"
)
SCALER = (
    "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: web}\n"
    "spec: {scaleTargetRef: {kind: Deployment, name: web}, minReplicas: 2, maxReplicas: 5}\n"
)
BUDGET = (
    "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: web}\n"
    "spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}\n"
)
CLAIM = (
    "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: a}\n"
    "spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n"
)
CERTIFICATE = (
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ntype: kubernetes.io/tls\n"
    "stringData: {tls.crt: a, tls.key: b}\n"
)
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {key: aHVudGVyMg==}\n"
CONTAINER = "spec.template.spec.containers[0]"
POD = "    spec:\n      containers:"

# What is added to a container; where in it the finding is and what it says, None for none.
IN_CONTAINER: list[tuple[str, str, Optional[str]]] = [
    ("livenessProbe: {exec: {command: [a]}, tcpSocket: {port: 1}}", "livenessProbe", "exactly one of"),
    ("readinessProbe: {periodSeconds: 3}", "readinessProbe", "exactly one of"),
    ("startupProbe: {httpGet: {port: 80}, periodSeconds: 3}", "", None),
    (
        "env: [{name: A, value: b, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]",
        "env[0]",
        "value and valueFrom",
    ),
    ("env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}}, {name: B}]", "", None),
    ("ports: [{containerPort: 65536}]", "ports[0].containerPort", "65536 is not a port"),
    ("ports: [{containerPort: 80, hostPort: -1}]", "ports[0].hostPort", "-1 is not a port"),
    (
        "ports: [{containerPort: 80, name: http}, {containerPort: 81, name: http}]",
        "ports[1].name",
        "two of the name http",
    ),
    ("ports: [{containerPort: 80, name: a-name-too-long-by-far}]", "ports[0].name", "at most 15"),
    ('ports: [{containerPort: 80, name: "8080"}]', "ports[0].name", "a letter among them"),
    ("ports: [{containerPort: 80, name: http-1}, {containerPort: 81}]", "", None),
    (
        "resources: {requests: {cpu: 2}, limits: {cpu: 1500m}}",
        "resources.requests[cpu]",
        "more cpu is requested",
    ),
    (
        "resources: {requests: {memory: 1Gi}, limits: {memory: 1G}}",
        "resources.requests[memory]",
        "more memory",
    ),
    ("resources: {limits: {memory: 512MB}}", "resources.limits[memory]", "must be a quantity"),
    ("resources: {limits: {memory: half}}", "resources.limits[memory]", "must be a quantity"),
    ("resources: {requests: {cpu: 0.5, memory: 1e3}, limits: {cpu: 500m, memory: 1k}}", "", None),
    ("resources: {requests: {cpu: 1}, limits: {memory: 1Mi}}", "", None),
    (
        "livenessProbe: {exec: {command: [a]}, successThreshold: 2}",
        "livenessProbe.successThreshold",
        "livenessProbe needs successThreshold: 1",
    ),
    ("readinessProbe: {exec: {command: [a]}, successThreshold: 2}", "", None),
    ("resources: {limits: {memory: 100m}}", "resources.limits[memory]", "a thousandth of a byte"),
    ("resources: {limits: {memory: 1000m, cpu: 100m}}", "", None),
]

# A whole text, what is changed in it, into what; where the finding is and what it says, None for none.
ROWS: list[tuple[str, str, str, str, Optional[str]]] = [
    *((DEPLOYMENT, "# more", added, at and f"{CONTAINER}.{at}", said) for added, at, said in IN_CONTAINER),
    (
        DEPLOYMENT,
        POD,
        "    spec:\n      volumes: [{name: a, emptyDir: {}}, {name: a, emptyDir: {}}]\n      containers:",
        "spec.template.spec.volumes[1].name",
        "two of the name a",
    ),
    (
        DEPLOYMENT,
        POD,
        "    spec:\n      restartPolicy: Never\n      containers:",
        "spec.template.spec.restartPolicy",
        "have restartPolicy: Always",
    ),
    (
        DEPLOYMENT,
        "spec:\n  selector",
        "spec:\n  strategy: {type: Recreate, rollingUpdate: {maxSurge: 1}}\n  selector",
        "spec.strategy.rollingUpdate",
        "there is no rollingUpdate",
    ),
    (
        DEPLOYMENT,
        "spec:\n  selector",
        "spec:\n  strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0%}}\n  selector",
        "spec.strategy.rollingUpdate",
        "both 0",
    ),
    (
        DEPLOYMENT,
        "spec:\n  selector",
        "spec:\n  strategy: {rollingUpdate: {maxSurge: 0}}\n  selector",
        "",
        None,
    ),
    (JOB, "restartPolicy: Never, ", "", "spec.template.spec.restartPolicy", "a Job needs restartPolicy"),
    (JOB, "Never", "OnFailure", "", None),
    (
        CRON,
        "restartPolicy: Never",
        "restartPolicy: Always",
        "spec.jobTemplate.spec.template.spec.restartPolicy",
        "a CronJob needs",
    ),
    (CRON, "0 3 * * 1", "0 3 * *", "spec.schedule", "must be a cron schedule"),
    (CRON, "0 3 * * 1", "*/5 0-6,22 1 jan,dec MON-FRI", "", None),
    (CRON, "0 3 * * 1", "@hourly", "", None),
    (CRON, "0 3 * * 1", "CRON_TZ=Asia/Shanghai 0 3 * * 1", "", None),
    (SERVICE, "{port: 80}", "{port: 0}", "spec.ports[0].port", "0 is not a port"),
    (SERVICE, "{port: 80}", "{port: 80, nodePort: 30080}", "spec.ports[0].nodePort", "has no nodePort"),
    (SERVICE, "[{port: 80}]", "[{port: 80, nodePort: 0}]", "", None),
    (
        SERVICE,
        "ports: [{port: 80}]",
        "type: NodePort, ports: [{port: 80, nodePort: 65536}]",
        "spec.ports[0].nodePort",
        "65536 is not a port",
    ),
    (SERVICE, "spec: {", "spec: {type: LoadBalancer, ", "", None),
    (
        SERVICE,
        "[{port: 80}]",
        "[{name: a, port: 80}, {name: a, port: 81}]",
        "spec.ports[1].name",
        "two of the name a",
    ),
    (INGRESS, "a.org", "https://a.org", "spec.rules[0].host", "is not a host"),
    (INGRESS, "a.org", "'a.org:80'", "spec.rules[0].host", "is not a host"),
    (INGRESS, "a.org", "A.org", "spec.rules[0].host", "is not a host"),
    (INGRESS, "a.org", "'*.a.org'", "", None),
    (INGRESS, "path: /,", "path: shop,", "spec.rules[0].http.paths[0].path", "does not begin with /"),
    (INGRESS, "path: /, pathType: Prefix", "path: '/.*', pathType: ImplementationSpecific", "", None),
    (SCALER, "minReplicas: 2", "minReplicas: 6", "spec.minReplicas", "minReplicas 6 is above maxReplicas 5"),
    (SCALER, "minReplicas: 2", "minReplicas: 5", "", None),
    (
        BUDGET,
        "minAvailable: 1",
        "minAvailable: 1, maxUnavailable: 1",
        "spec.maxUnavailable",
        "exclude each other",
    ),
    (BUDGET, "minAvailable: 1", "maxUnavailable: 50%", "", None),
    (SECRET, "aHVudGVyMg==", "hunter2!", "data[key]", "not base64"),
    (SECRET, "{key: aHVudGVyMg==}", "{key: }", "", None),
    (CERTIFICATE, "tls.key: b", "key: b", "data", "type: kubernetes.io/tls needs tls.key"),
    (CERTIFICATE, "kubernetes.io/tls", "example.org/tls", "", None),
    (CLAIM, "storage: 1Gi", "cpu: 1", "spec", "PersistentVolumeClaim needs resources.requests.storage"),
    (CLAIM, "[ReadWriteOnce]", "[]", "spec", "PersistentVolumeClaim needs accessModes"),
    (
        SERVICE,
        "[{port: 80}]",
        "[{name: a, port: 80}, {name: b, port: 80, protocol: TCP}]",
        "spec.ports[1].port",
        "two of the name TCP 80",
    ),
    (SERVICE, "[{port: 80}]", "[{name: a, port: 80}, {name: b, port: 80, protocol: UDP}]", "", None),
    (SERVICE, "selector: {a: b}", "type: ExternalName", "spec", "type: ExternalName needs externalName"),
    (SERVICE, "selector: {a: b}", "type: ExternalName, externalName: a.org", "", None),
    (
        SERVICE,
        "spec: {",
        "spec: {externalTrafficPolicy: Local, ",
        "spec.externalTrafficPolicy",
        "goes with type: LoadBalancer / NodePort only",
    ),
    (SERVICE, "spec: {", "spec: {externalTrafficPolicy: Local, externalIPs: [10.0.0.1], ", "", None),
    (SERVICE, "spec: {", "spec: {externalTrafficPolicy: Local, type: NodePort, ", "", None),
    (INGRESS, "a.org", "10.0.0.1", "spec.rules[0].host", "is not an IP address"),
    (INGRESS, "a.org", "10.0.0.1.nip.io", "", None),
    (
        INGRESS,
        "name: web, port: {number: 80}",
        "name: web",
        "spec.rules[0].http.paths[0].backend.service.port",
        "exactly one of name, number",
    ),
    (
        INGRESS,
        "spec: {",
        "spec: {defaultBackend: {service: {name: a, port: {name: b, number: 1}}}, ",
        "spec.defaultBackend.service.port",
        "exactly one of name, number",
    ),
    (
        INGRESS,
        "spec: {",
        "spec: {defaultBackend: {service: {name: a, port: {name: b}}, resource: {kind: B, name: b}}, ",
        "spec.defaultBackend",
        "exactly one of service, resource",
    ),
    (INGRESS, "spec: {", "spec: {defaultBackend: {resource: {kind: B, name: b}}, ", "", None),
    (
        DEPLOYMENT,
        POD,
        "    spec:\n      volumes: [{name: a, emptyDir: {}, configMap: {name: b}}]\n      containers:",
        "spec.template.spec.volumes[0]",
        "exactly one of emptyDir, configMap",
    ),
    (
        DEPLOYMENT,
        POD,
        "    spec:\n      volumes: [{name: a, emptyDir: {}, configMap: }]\n      containers:",
        "",
        None,
    ),
    (
        DEPLOYMENT,
        POD,
        "    spec:\n      tolerations: [{key: a, operator: Exists, value: b}]\n      containers:",
        "spec.template.spec.tolerations[0].value",
        "value goes with operator: Equal only",
    ),
    (
        DEPLOYMENT,
        POD,
        "    spec:\n      tolerations: [{key: a, value: b}, {operator: Exists}]\n      containers:",
        "",
        None,
    ),
    (
        DEPLOYMENT,
        POD,
        (
            '    spec:\n      initContainers: [{name: a, image: "r/a:1", lifecycle: '
            "{preStop: {exec: {command: [a]}}}}]\n      containers:"
        ),
        "spec.template.spec.initContainers[0].lifecycle",
        "lifecycle goes with restartPolicy: Always only",
    ),
    (
        DEPLOYMENT,
        POD,
        (
            '    spec:\n      initContainers: [{name: a, image: "r/a:1", restartPolicy: Always, '
            "startupProbe: {exec: {command: [a]}}}]\n      containers:"
        ),
        "",
        None,
    ),
    (
        DEPLOYMENT.replace(POD, "    spec:\n      hostNetwork: true\n      containers:"),
        "# more",
        "ports: [{containerPort: 80, hostPort: 81}]",
        f"{CONTAINER}.ports[0].hostPort",
        "hostNetwork: true needs hostPort = containerPort",
    ),
    (
        DEPLOYMENT.replace(POD, "    spec:\n      hostNetwork: true\n      containers:"),
        "# more",
        "ports: [{containerPort: 80, hostPort: 80}, {containerPort: 81}]",
        "",
        None,
    ),
]


@pytest.mark.parametrize(("text", "old", "new", "field", "words"), ROWS)
def test_what_the_api_server_refuses_is_named_and_what_it_takes_is_not(
    text: str, old: str, new: str, field: str, words: Optional[str]
) -> None:
    assert findings_of(manifest(text)) == ()
    assert old in text
    found = findings_of(manifest(text.replace(old, new)))
    if words is None:
        assert found == ()
        return
    (finding,) = found
    assert (finding.id, finding.field) == ("value", field)
    assert words in finding.message.render("en_US")
    assert "hunter2" not in told_lines([finding])[0].render("en_US")


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        (
            DEPLOYMENT,
            "# more",
            'ports: [{containerPort: 80, name: "{{ N }}"}, {containerPort: 1, name: "{{ N }}"}]',
        ),
        (DEPLOYMENT, "# more", "resources: {requests: {cpu: '{{ N }}'}, limits: {cpu: 1}}"),
        (JOB, "Never", "'{{ N }}'"),
        (CRON, "0 3 * * 1", "{{ N }}"),
        (INGRESS, "a.org", "'{{ N }}'"),
        (INGRESS, "path: /,", "path: '{{ N }}',"),
        (SECRET, "aHVudGVyMg==", "'{{ N }}'"),
    ],
)
def test_what_bcs_fills_in_later_is_not_judged(text: str, old: str, new: str) -> None:
    found = findings_of(manifest(text.replace(old, new), variables="N"))
    assert [finding for finding in found if finding.id == "value"] == []


@pytest.mark.parametrize(
    ("value", "size"),
    [
        *[
            ("500m", "0.5"),
            (2, "2"),
            (0.5, "0.5"),
            ("1e3", "1000"),
            ("1E3", "1000"),
            ("1k", "1000"),
            ("2E", "2e18"),
        ],
        *[("1Ki", "1024"), ("1.5Gi", "1610612736"), (".5", "0.5"), ("+1", "1"), ("3n", "3e-9"), ("-1", "-1")],
        *[("", None), ("1KB", None), ("half", None), (True, None), ([], None), ("1 Gi", None), ("Gi", None)],
    ],
)
def test_a_quantity_has_a_size(value: object, size: Optional[str]) -> None:
    assert size_of(value) == (None if size is None else Decimal(size))  # type: ignore[arg-type] # any value of YAML
