"""Values that the API server refuses, a row each, and beside them what it takes.

A row is a base, what is laid over it, and the field that is refused, below the base; "" where all of it is
taken. The check that finds it and the emulated API server know of them each by itself.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import yaml
from tests.emulator.cluster.tree import Manifest, branch, items

_HEADS = {
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "Job": "batch/v1",
    "CronJob": "batch/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
    "PodDisruptionBudget": "policy/v1",
    "Ingress": "networking.k8s.io/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "Role": "rbac.authorization.k8s.io/v1",
    "ClusterRole": "rbac.authorization.k8s.io/v1",
    "RoleBinding": "rbac.authorization.k8s.io/v1",
    "ClusterRoleBinding": "rbac.authorization.k8s.io/v1",
    "StorageClass": "storage.k8s.io/v1",
}
_POD = """{
  metadata: {labels: {app: web}},
  spec: {
    containers: [{
      name: main, image: "r/web:1", ports: [{name: http, containerPort: 80}],
      volumeMounts: [{name: v, mountPath: /v}],
    }],
    volumes: [{name: v, emptyDir: {}}],
  }
}"""
_ONCE = '{spec: {restartPolicy: Never, containers: [{name: main, image: "r/web:1"}]}}'
_WORKLOAD = f"spec: {{selector: {{matchLabels: {{app: web}}}}, template: {_POD}}}"
_BODIES = {
    "Deployment": _WORKLOAD,
    "StatefulSet": _WORKLOAD,
    "DaemonSet": _WORKLOAD,
    "Job": f"spec: {{template: {_ONCE}}}",
    "CronJob": f'spec: {{schedule: "0 3 * * 1", jobTemplate: {{spec: {{template: {_ONCE}}}}}}}',
    "Service": "spec: {selector: {app: web}, ports: [{port: 80}]}",
    "HorizontalPodAutoscaler": (
        "spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: other}, maxReplicas: 5}"
    ),
    "PodDisruptionBudget": "spec: {selector: {matchLabels: {app: web}}}",
    "Ingress": (
        "spec: {rules: [{host: a.org, http: {paths: [{path: /, pathType: Prefix, "
        "backend: {service: {name: web, port: {number: 80}}}}]}}]}"
    ),
    "NetworkPolicy": "spec: {podSelector: {}}",
    "Role": 'rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]',
    "ClusterRole": 'rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]',
    "RoleBinding": "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: viewer}",
    "ClusterRoleBinding": "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: viewer}",
    "PersistentVolumeClaim": "spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}",
    "StorageClass": "provisioner: example.com/disk",
    "ConfigMap": "data: {a: b}",
    "Secret": "type: Opaque",
}

_AFFINITY = "DuringSchedulingIgnoredDuringExecution"
_NODES = f"affinity.nodeAffinity.required{_AFFINITY}"
_SPREADS = "topologySpreadConstraints"
_SPREAD = "{{topologyKey: {}, whenUnsatisfiable: DoNotSchedule, {}}}"
_TERM = "podAffinityTerm: {topologyKey: zone, labelSelector: {matchLabels: {app: web}}}"
_PEER = "spec: {{ingress: [{{from: [{}]}}]}}"
_PORT = "spec: {{egress: [{{ports: [{}]}}]}}"
_BACKEND = (
    "spec: {{rules: [{{host: a.org, http: {{paths: [{{path: {}, pathType: {}, "
    "backend: {{service: {{name: {}, port: {}}}}}}}]}}}}]}}"
)
_CLASSES = (
    "{{metadata: {{annotations: {{kubernetes.io/ingress.class: {}}}}}, spec: {{ingressClassName: nginx}}}}"
)
_BEHIND = "spec.rules[0].http.paths[0]"
_FROM = "env[0].valueFrom"
_PORT_TWICE, _PROPAGATION = "ports[1].hostPort", "volumeMounts[0].mountPropagation"
_GPU = "resources.requests[example.com/gpu]"
_CPU = "spec: {{metrics: [{{type: Resource, resource: {{name: cpu, target: {{{}}}}}}}]}}"


def _mount(rest: str) -> str:
    return f"volumeMounts: [{{name: v, mountPath: /v, {rest}}}]"


def _env(source: str) -> str:
    return f"env: [{{name: A, valueFrom: {{{source}}}}}]"


def _volume(source: str) -> str:
    return f"volumes: [{{name: v, {source}}}]"


def _downward(path: str) -> str:
    return _volume(f"downwardAPI: {{items: [{{path: a, fieldRef: {{fieldPath: {path}}}}}]}}")


def _beside(rest: str) -> str:
    return f"initContainers: [{{name: a, image: 'r/a:1', {rest}}}]"


def _on_node(port: str) -> str:
    container = f"{{name: a, image: 'r/a:1', ports: [{{containerPort: 80, {port}}}]}}"
    return f"hostNetwork: true, containers: [{container}]"


def _required_of_nodes(requirement: str) -> str:
    terms = f"nodeSelectorTerms: [{{matchExpressions: [{{key: a, {requirement}}}]}}]"
    return f"affinity: {{nodeAffinity: {{required{_AFFINITY}: {{{terms}}}}}}}"


_ROWS: Mapping[str, Sequence[tuple[str, str]]] = {
    "container": (
        (_mount("subPath: ../x"), "volumeMounts[0].subPath"),
        (_mount("subPath: a/../x"), "volumeMounts[0].subPath"),
        (_mount("subPath: /x"), "volumeMounts[0].subPath"),
        (_mount("subPathExpr: $(A)/.."), "volumeMounts[0].subPathExpr"),
        (_mount("subPath: a, subPathExpr: b"), "volumeMounts[0]"),
        (_mount("subPath: a..b/...x/.y"), ""),
        ('volumeMounts: [{name: v, mountPath: ""}]', "volumeMounts[0].mountPath"),
        ('env: [{name: "", value: a}]', "env[0].name"),
        (_env('secretKeyRef: {name: a, key: ""}'), "env[0].valueFrom.secretKeyRef.key"),
        (_env("secretKeyRef: {name: a, key: a/b}"), "env[0].valueFrom.secretKeyRef.key"),
        (_env("configMapKeyRef: {name: a, key: A_b.c}"), ""),
        ("ports: [{containerPort: 80, hostIP: localhost}]", "ports[0].hostIP"),
        (
            (
                "ports: [{containerPort: 80, name: a, hostPort: 8080}, "
                "{containerPort: 81, name: b, hostPort: 8080}]"
            ),
            "ports[1].hostPort",
        ),
        (
            (
                "ports: [{containerPort: 80, hostPort: 53}, "
                "{containerPort: 80, hostPort: 53, protocol: UDP}, "
                "{containerPort: 81, hostPort: 53, hostIP: 10.0.0.1}, "
                "{containerPort: 82}, {containerPort: 83}]"
            ),
            "",
        ),
        (
            "livenessProbe: {httpGet: {port: 80, httpHeaders: [{name: 'X Y', value: ''}]}}",
            "livenessProbe.httpGet.httpHeaders[0].name",
        ),
        ("livenessProbe: {httpGet: {port: 80, httpHeaders: [{name: X-Y, value: ''}]}}", ""),
        ("resizePolicy: [{resourceName: cpu, restartPolicy: Never}]", "resizePolicy[0].restartPolicy"),
        ("resizePolicy: [{resourceName: cpu, restartPolicy: NotRequired}]", ""),
        ("lifecycle: {preStop: {sleep: {seconds: -1}}}", "lifecycle.preStop.sleep.seconds"),
        (_mount("mountPropagation: bidirectional"), "volumeMounts[0].mountPropagation"),
        (_mount("mountPropagation: Bidirectional"), "volumeMounts[0].mountPropagation"),
        (_mount("mountPropagation: Bidirectional") + ", securityContext: {privileged: true}", ""),
        (_env("fieldRef: {fieldPath: metadata.nam}"), "env[0].valueFrom.fieldRef.fieldPath"),
        (_env("fieldRef: {fieldPath: metadata.labels}"), "env[0].valueFrom.fieldRef.fieldPath"),
        (_env("fieldRef: {fieldPath: status.podIPs}"), ""),
        (_env("fieldRef: {fieldPath: spec.host}"), ""),
        (_env("""fieldRef: {fieldPath: "metadata.labels['app.kubernetes.io/name']"}"""), ""),
        (_env("resourceFieldRef: {resource: limits.cpus}"), "env[0].valueFrom.resourceFieldRef.resource"),
        (_env("resourceFieldRef: {resource: requests.hugepages-2Mi}"), ""),
        (_env(""), "env[0].valueFrom"),
        (_env("fieldRef: {fieldPath: metadata.name}, secretKeyRef: {name: a, key: b}"), "env[0].valueFrom"),
        ("env: [{name: A, value: b, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]", "env[0]"),
        ('env: [{name: A, value: "", valueFrom: {fieldRef: {fieldPath: metadata.name}}}]', ""),
        ("envFrom: [{prefix: A_}]", "envFrom[0]"),
        ("envFrom: [{prefix: A_, configMapRef: {name: a}}]", ""),
        ("ports: [{containerPort: 0}]", "ports[0].containerPort"),
        ("ports: [{containerPort: 80, hostPort: 65536}]", "ports[0].hostPort"),
        ("ports: [{containerPort: 80, name: a-port-of-sixteen}]", "ports[0].name"),
        ("ports: [{containerPort: 80, hostPort: 0, protocol: SCTP}]", ""),
        ("livenessProbe: {tcpSocket: {port: 0}}", "livenessProbe.tcpSocket.port"),
        ("livenessProbe: {grpc: {port: 70000}}", "livenessProbe.grpc.port"),
        ("livenessProbe: {httpGet: {port: 80, scheme: https}}", "livenessProbe.httpGet.scheme"),
        ("livenessProbe: {}", "livenessProbe"),
        ("readinessProbe: {httpGet: {port: 80}, grpc: {port: 1}}", "readinessProbe"),
        ("startupProbe: {httpGet: {port: 80}, periodSeconds: -1}", "startupProbe.periodSeconds"),
        ("livenessProbe: {httpGet: {port: 80}, successThreshold: 2}", "livenessProbe.successThreshold"),
        (
            "livenessProbe: {httpGet: {port: 80}, terminationGracePeriodSeconds: 0}",
            "livenessProbe.terminationGracePeriodSeconds",
        ),
        (
            "readinessProbe: {httpGet: {port: 80}, terminationGracePeriodSeconds: 5}",
            "readinessProbe.terminationGracePeriodSeconds",
        ),
        ("readinessProbe: {httpGet: {port: http}, successThreshold: 3, timeoutSeconds: 0}", ""),
        ("lifecycle: {preStop: {}}", "lifecycle.preStop"),
        ("lifecycle: {preStop: {exec: {command: [a]}, httpGet: {port: 80}}}", "lifecycle.preStop"),
        ("lifecycle: {preStop: {sleep: {seconds: 5}}, postStart: {exec: {command: [a]}}}", ""),
        (
            "securityContext: {privileged: true, allowPrivilegeEscalation: false}",
            "securityContext.privileged",
        ),
        ("securityContext: {privileged: false, allowPrivilegeEscalation: false}", ""),
        ("securityContext: {runAsUser: -1}", "securityContext.runAsUser"),
        ("securityContext: {procMount: unmasked}", "securityContext.procMount"),
        ("securityContext: {seccompProfile: {type: runtime/default}}", "securityContext.seccompProfile.type"),
        ("securityContext: {seccompProfile: {type: Localhost}}", "securityContext.seccompProfile"),
        (
            "securityContext: {seccompProfile: {type: RuntimeDefault, localhostProfile: a.json}}",
            "securityContext.seccompProfile.localhostProfile",
        ),
        ("securityContext: {runAsUser: 0, seccompProfile: {type: Localhost, localhostProfile: a.json}}", ""),
        ("imagePullPolicy: Allways", "imagePullPolicy"),
        ("resources: {limits: {cpus: 1}}", "resources.limits[cpus]"),
        ("resources: {limits: {cpu: -1}}", "resources.limits[cpu]"),
        ("resources: {limits: {cpu: 512MB}}", "resources.limits[cpu]"),
        ("resources: {limits: {example.com/gpu: 500m}}", "resources.limits[example.com/gpu]"),
        ("resources: {limits: {cpu: 1}, requests: {cpu: 1500m}}", "resources.requests[cpu]"),
        ("resources: {limits: {cpu: 1, example.com/gpu: 2, ephemeral-storage: 1Gi, hugepages-2Mi: 4Mi}}", ""),
        ("resources: {requests: {example.com/gpu: 1}}", "resources.limits"),
        ("resources: {requests: {example.com/gpu: 1}, limits: {example.com/gpu: 1}}", ""),
        ("resources: {requests: {scheduling.kubernetes.io/a: 1}}", ""),
        ("envFrom: [{configMapRef: {optional: true}}]", "envFrom[0].configMapRef"),
        (_env("secretKeyRef: {key: a}"), "env[0].valueFrom.secretKeyRef"),
        ("livenessProbe: {exec: {command: []}}", "livenessProbe.exec"),
        ("resources: {requests: {cpu: 0.5, memory: 1e3}, limits: {cpu: 500m, memory: 1k}}", ""),
        ("resources: {requests: {memory: 1Gi}, limits: {memory: 1G}}", "resources.requests[memory]"),
        ("resources: {requests: {cpu: 1}, limits: {memory: 1000m}}", ""),
        ("ports: [{containerPort: 80, name: '8080'}]", "ports[0].name"),
        ("ports: [{containerPort: 80, name: a}, {containerPort: 81, name: a}]", "ports[1].name"),
        ("livenessProbe: {exec: {command: [a]}, tcpSocket: {port: 80}}", "livenessProbe"),
        ("readinessProbe: {}", "readinessProbe"),
        ("readinessProbe: {exec: {}}", "readinessProbe.exec"),
        ("startupProbe: {periodSeconds: 5}", "startupProbe"),
        ("startupProbe: {exec: {command: null}}", "startupProbe.exec"),
        ("startupProbe: {httpGet: {port: 80}, successThreshold: 2}", "startupProbe.successThreshold"),
        (_env("resourceFieldRef: {resource: limits.cpu}, configMapKeyRef: {name: a, key: b}"), _FROM),
        (_env("configMapKeyRef: {key: a}"), f"{_FROM}.configMapKeyRef"),
        ("envFrom: [{configMapRef: {name: a}, secretRef: {name: b}}]", "envFrom[0]"),
        ("envFrom: [{secretRef: {optional: true}}]", "envFrom[0].secretRef"),
        ("lifecycle: {postStart: {}}", "lifecycle.postStart"),
        ("lifecycle: {postStart: {tcpSocket: {port: 80}, sleep: {seconds: 5}}}", "lifecycle.postStart"),
        (
            "ports: [{containerPort: 1, hostPort: 53}, {containerPort: 2, hostPort: 53, protocol: TCP}]",
            _PORT_TWICE,
        ),
        ("ports: [{containerPort: 1, hostPort: 0}, {containerPort: 2, hostPort: 0}]", ""),
        (_env("fieldRef: {fieldPath: null}"), f"{_FROM}.fieldRef.fieldPath"),
        (_env("""fieldRef: {fieldPath: "metadata.annotations['a']"}"""), ""),
        (_mount("mountPropagation: Bidirectional") + ", securityContext: {privileged: false}", _PROPAGATION),
        (_env("resourceFieldRef: {resource: limits.gpu}"), f"{_FROM}.resourceFieldRef.resource"),
        ("resources: {requests: {hugepages-2Mi: 4Mi}}", "resources.limits"),
        ("resources: {limits: {gpu: null}}", "resources.limits[gpu]"),
        ("resources: {requests: {cpu: null}, limits: {cpu: 1500m, memory: null}}", ""),
        ("resources: {requests: {example.com/gpu: 2}, limits: {example.com/gpu: 1}}", _GPU),
        ("resources: {requests: {example.com/gpu: 500m}, limits: {example.com/gpu: 1}}", _GPU),
    ),
    "pod": (
        (
            f"affinity: {{podAntiAffinity: {{preferred{_AFFINITY}: [{{weight: 101, {_TERM}}}]}}}}",
            f"affinity.podAntiAffinity.preferred{_AFFINITY}[0].weight",
        ),
        (
            f"affinity: {{nodeAffinity: {{preferred{_AFFINITY}: [{{weight: 0, preference: {{}}}}]}}}}",
            f"affinity.nodeAffinity.preferred{_AFFINITY}[0].weight",
        ),
        (f"affinity: {{podAffinity: {{preferred{_AFFINITY}: [{{weight: 100, {_TERM}}}]}}}}", ""),
        *(
            (
                f"affinity: {{podAntiAffinity: {{required{_AFFINITY}: [{{topologyKey: {key}}}]}}}}",
                f"affinity.podAntiAffinity.required{_AFFINITY}[0].topologyKey",
            )
            for key in ('""', "host name")
        ),
        (
            "topologySpreadConstraints: [" + _SPREAD.format('""', "maxSkew: 1") + "]",
            f"{_SPREADS}[0].topologyKey",
        ),
        (
            f"{_SPREADS}: [{_SPREAD.format('zone', 'maxSkew: 1')}, {_SPREAD.format('zone', 'maxSkew: 2')}]",
            f"{_SPREADS}[1]",
        ),
        (
            f"{_SPREADS}: [{_SPREAD.format('a.b/zone', 'maxSkew: 1')}, {_SPREAD.format('a', 'maxSkew: 1')}]",
            "",
        ),
        (
            f"{_SPREADS}: [{_SPREAD.format('zone', 'maxSkew: 1, matchLabelKeys: [a]')}]",
            f"{_SPREADS}[0].matchLabelKeys",
        ),
        (
            f"{_SPREADS}: [{_SPREAD.format('zone', 'maxSkew: 1, matchLabelKeys: [a], labelSelector: {}')}]",
            "",
        ),
        ("hostAliases: [{hostnames: [a]}]", "hostAliases[0]"),
        ("tolerations: [{key: a b, operator: Exists}]", "tolerations[0].key"),
        ("readinessGates: [{conditionType: a b}]", "readinessGates[0].conditionType"),
        ("readinessGates: [{conditionType: a.org/ready}]", ""),
        (_volume('persistentVolumeClaim: {claimName: ""}'), "volumes[0].persistentVolumeClaim.claimName"),
        (_volume('hostPath: {path: ""}'), "volumes[0].hostPath.path"),
        (_volume('configMap: {name: a, items: [{key: "", path: b}]}'), "volumes[0].configMap.items[0].key"),
        (
            _volume("projected: {sources: [{secret: {name: a}, configMap: {name: b}}]}"),
            "volumes[0].projected.sources[0]",
        ),
        (_volume("downwardAPI: {items: [{path: a}]}"), "volumes[0].downwardAPI.items[0]"),
        (
            _volume("downwardAPI: {items: [{path: a, resourceFieldRef: {resource: limits.cpu}}]}"),
            "volumes[0].downwardAPI.items[0].resourceFieldRef",
        ),
        (
            _volume(
                "downwardAPI: {items: [{path: a, "
                "resourceFieldRef: {resource: limits.cpu, containerName: main}}]}"
            ),
            "",
        ),
        (_volume("ephemeral: {}"), "volumes[0].ephemeral"),
        (f"affinity: {{nodeAffinity: {{required{_AFFINITY}: {{nodeSelectorTerms: []}}}}}}", _NODES),
        *(
            (
                _required_of_nodes(rest),
                is_refused and f"{_NODES}.nodeSelectorTerms[0].matchExpressions[0]{below}",
            )
            for rest, is_refused, below in (
                ("operator: In", "refused", ""),
                ("operator: Exists, values: [b]", "refused", ""),
                ("operator: Gt, values: [b]", "refused", ""),
                ("operator: Equals, values: [b]", "refused", ".operator"),
                ("operator: In, values: [b]", "", ""),
                ('operator: Lt, values: ["5"]', "", ""),
                ("operator: DoesNotExist, values: []", "", ""),
            )
        ),
        ("tolerations: [{key: a, operator: Exists, value: b}]", "tolerations[0].value"),
        (
            "tolerations: [{key: a, effect: NoSchedule, tolerationSeconds: 5}]",
            "tolerations[0].tolerationSeconds",
        ),
        ("tolerations: [{value: b}]", "tolerations[0]"),
        ("tolerations: [{operator: Exists}, {key: a, effect: NoExecute, tolerationSeconds: 0}]", ""),
        ("dnsPolicy: None", "dnsPolicy"),
        ("dnsConfig: {nameservers: [dns.a.org]}", "dnsConfig.nameservers[0]"),
        ('dnsPolicy: None, dnsConfig: {nameservers: [10.0.0.1, "fd00::1"]}', ""),
        ("hostAliases: [{ip: localhost, hostnames: [a]}]", "hostAliases[0].ip"),
        ("hostAliases: [{ip: 127.0.0.1, hostnames: [a]}]", ""),
        ("hostPID: true, shareProcessNamespace: true", "hostPID"),
        ("hostPID: false, shareProcessNamespace: true", ""),
        ("hostname: web_1", "hostname"),
        ("hostname: web-1, subdomain: web", ""),
        ("serviceAccountName: My_Account", "serviceAccountName"),
        ("priorityClassName: High", "priorityClassName"),
        ("preemptionPolicy: never", "preemptionPolicy"),
        ("activeDeadlineSeconds: 600", "activeDeadlineSeconds"),
        ("restartPolicy: Never", "restartPolicy"),
        ("securityContext: {fsGroup: -1}", "securityContext.fsGroup"),
        ("securityContext: {supplementalGroups: [5, -1]}", "securityContext.supplementalGroups[1]"),
        ("securityContext: {fsGroupChangePolicy: onRootMismatch}", "securityContext.fsGroupChangePolicy"),
        ("securityContext: {fsGroup: 65534, fsGroupChangePolicy: OnRootMismatch}", ""),
        (_volume("configMap: {name: a, defaultMode: 644}"), "volumes[0].configMap.defaultMode"),
        (_volume("secret: {secretName: a, defaultMode: 0400, items: [{key: a, path: b/c, mode: 511}]}"), ""),
        (
            _volume("configMap: {name: a, items: [{key: a, path: ../b}]}"),
            "volumes[0].configMap.items[0].path",
        ),
        (_volume("configMap: {}"), "volumes[0].configMap"),
        (_volume("secret: {optional: true}"), "volumes[0].secret"),
        (
            _volume("projected: {sources: [{configMap: {optional: true}}]}"),
            "volumes[0].projected.sources[0].configMap",
        ),
        (
            _volume("projected: {sources: [{serviceAccountToken: {path: a, expirationSeconds: 60}}]}"),
            "volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds",
        ),
        (_volume("projected: {sources: [{serviceAccountToken: {path: a/b}}, {secret: {name: a}}]}"), ""),
        (_volume("nfs: {server: a, path: b}"), "volumes[0].nfs.path"),
        ("hostAliases: [{ip: 10.0.0.1, hostnames: [a_b]}]", "hostAliases[0].hostnames[0]"),
        (_volume("hostPath: {path: /var/../etc}"), "volumes[0].hostPath.path"),
        (_volume("hostPath: {path: /var/log..old, type: directory}"), "volumes[0].hostPath.type"),
        (_volume("emptyDir: {}, configMap: {name: a}"), "volumes[0]"),
        (_volume("emptyDir: {sizeLimit: -1Gi}"), "volumes[0].emptyDir.sizeLimit"),
        (_volume("emptyDir: {sizeLimit: 1Gi, medium: Memory}"), ""),
        (_downward("status.podIP"), "volumes[0].downwardAPI.items[0].fieldRef.fieldPath"),
        (_downward("metadata.labels"), ""),
        (
            "topologySpreadConstraints: [{maxSkew: 0, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}]",
            "topologySpreadConstraints[0].maxSkew",
        ),
        (
            (
                "topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, "
                "whenUnsatisfiable: ScheduleAnyway, minDomains: 2}]"
            ),
            "topologySpreadConstraints[0].minDomains",
        ),
        (
            (
                "topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, "
                "whenUnsatisfiable: DoNotSchedule, nodeTaintsPolicy: honor}]"
            ),
            "topologySpreadConstraints[0].nodeTaintsPolicy",
        ),
        (_volume("emptyDir: {}, configMap: null"), ""),
        ("volumes: [{name: v, emptyDir: {}}, {name: v, emptyDir: {}}]", "volumes[1].name"),
        (_beside("lifecycle: {preStop: {exec: {command: [a]}}}"), "initContainers[0].lifecycle"),
        (_beside("restartPolicy: Always, startupProbe: {exec: {command: [a]}}"), ""),
        (_on_node("hostPort: 81"), "containers[0].ports[0].hostPort"),
        (_on_node("hostPort: 80"), ""),
        (
            _volume("projected: {sources: [{downwardAPI: {items: []}, serviceAccountToken: {path: a}}]}"),
            "volumes[0].projected.sources[0]",
        ),
        (
            _volume("projected: {sources: [{secret: {optional: true}}]}"),
            "volumes[0].projected.sources[0].secret",
        ),
        (
            _volume(
                "downwardAPI: {items: [{path: a, fieldRef: {fieldPath: metadata.name}, "
                "resourceFieldRef: {resource: limits.cpu, containerName: main}}]}"
            ),
            "volumes[0].downwardAPI.items[0]",
        ),
        *(
            (_beside(f"{probe}: {{exec: {{command: [a]}}}}"), f"initContainers[0].{probe}")
            for probe in ("livenessProbe", "readinessProbe", "startupProbe")
        ),
        (
            (
                f"{_SPREADS}: [{_SPREAD.format('a', 'maxSkew: 1')}, "
                "{topologyKey: a, whenUnsatisfiable: ScheduleAnyway, maxSkew: 1}]"
            ),
            "",
        ),
        (_beside("ports: [{containerPort: 80, hostPort: 53}, {containerPort: 81, hostPort: 53}]"), ""),
        (
            _beside(_env("fieldRef: {fieldPath: metadata.nam}")),
            f"initContainers[0].{_FROM}.fieldRef.fieldPath",
        ),
        (_downward("spec.host"), "volumes[0].downwardAPI.items[0].fieldRef.fieldPath"),
        (
            _volume(
                "projected: {sources: [{downwardAPI: "
                "{items: [{path: a, fieldRef: {fieldPath: status.podIP}}]}}]}"
            ),
            "volumes[0].projected.sources[0].downwardAPI.items[0].fieldRef.fieldPath",
        ),
        (_on_node("hostPort: 0"), ""),
        (f"{_SPREADS}: [{_SPREAD.format('a', 'maxSkew: 1, minDomains: 2')}]", ""),
        (
            _volume(
                "ephemeral: {volumeClaimTemplate: {spec: "
                "{accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}}"
            ),
            "",
        ),
        (_on_node("name: a"), ""),
    ),
    "Deployment": (
        ("spec: {strategy: {rollingUpdate: {maxSurge: '1'}}}", "spec.strategy.rollingUpdate.maxSurge"),
        ("spec: {strategy: {rollingUpdate: {maxSurge: half}}}", "spec.strategy.rollingUpdate.maxSurge"),
        (
            "spec: {strategy: {rollingUpdate: {maxUnavailable: 101%}}}",
            "spec.strategy.rollingUpdate.maxUnavailable",
        ),
        ("spec: {strategy: {rollingUpdate: {maxSurge: 200%, maxUnavailable: 100%}}}", ""),
        (
            "spec: {strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0%}}}",
            "spec.strategy.rollingUpdate",
        ),
        ("spec: {strategy: {type: Recreate, rollingUpdate: {maxSurge: 1}}}", "spec.strategy.rollingUpdate"),
        ("spec: {replicas: -1}", "spec.replicas"),
        ("spec: {progressDeadlineSeconds: 0}", "spec.progressDeadlineSeconds"),
        ("spec: {minReadySeconds: 9, progressDeadlineSeconds: 9}", "spec.progressDeadlineSeconds"),
        ("spec: {minReadySeconds: 1, progressDeadlineSeconds: 1}", "spec.progressDeadlineSeconds"),
        ("spec: {minReadySeconds: 9, progressDeadlineSeconds: 0}", "spec.progressDeadlineSeconds"),
        ("spec: {template: {spec: {restartPolicy: OnFailure}}}", "spec.template.spec.restartPolicy"),
        ("spec: {replicas: 0, minReadySeconds: 9, progressDeadlineSeconds: 10}", ""),
        ("spec: {strategy: {rollingUpdate: {maxSurge: 0}}}", ""),
    ),
    "DaemonSet": (
        ("spec: {updateStrategy: {rollingUpdate: {maxUnavailable: 0}}}", "spec.updateStrategy.rollingUpdate"),
        (
            "spec: {updateStrategy: {rollingUpdate: {maxSurge: 1}}}",
            "spec.updateStrategy.rollingUpdate.maxSurge",
        ),
        ("spec: {updateStrategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}}", ""),
        ("spec: {template: {spec: {restartPolicy: Never}}}", "spec.template.spec.restartPolicy"),
    ),
    "StatefulSet": (
        (
            "spec: {updateStrategy: {type: OnDelete, rollingUpdate: {partition: 1}}}",
            "spec.updateStrategy.rollingUpdate",
        ),
        (
            "spec: {updateStrategy: {rollingUpdate: {partition: -1}}}",
            "spec.updateStrategy.rollingUpdate.partition",
        ),
        ("spec: {podManagementPolicy: parallel}", "spec.podManagementPolicy"),
        (
            "spec: {persistentVolumeClaimRetentionPolicy: {whenDeleted: delete}}",
            "spec.persistentVolumeClaimRetentionPolicy.whenDeleted",
        ),
        ("spec: {updateStrategy: {type: OnDelete}, podManagementPolicy: Parallel}", ""),
        ("spec: {template: {spec: {restartPolicy: Never}}}", "spec.template.spec.restartPolicy"),
    ),
    "Job": (
        ("spec: {ttlSecondsAfterFinished: -1}", "spec.ttlSecondsAfterFinished"),
        ("spec: {completionMode: Indexed}", "spec"),
        ("spec: {completionMode: Indexed, completions: 3, backoffLimitPerIndex: 1}", ""),
        ("spec: {backoffLimitPerIndex: 1}", "spec.backoffLimitPerIndex"),
        ("spec: {successPolicy: {rules: [{succeededCount: 1}]}}", "spec.successPolicy"),
        ("spec: {maxFailedIndexes: 1}", "spec.maxFailedIndexes"),
        (
            (
                "spec: {completionMode: Indexed, completions: 3, backoffLimitPerIndex: 1, "
                "maxFailedIndexes: 1, successPolicy: {rules: [{succeededCount: 1}]}}"
            ),
            "",
        ),
        ("spec: {template: {spec: {activeDeadlineSeconds: 0}}}", "spec.template.spec.activeDeadlineSeconds"),
        ("spec: {template: {spec: {activeDeadlineSeconds: 600}}}", ""),
        ("spec: {selector: {matchLabels: {app: web}}}", "spec.selector"),
        ("spec: {template: {spec: {restartPolicy: null}}}", "spec.template.spec.restartPolicy"),
        ("spec: {template: {spec: {restartPolicy: OnFailure}}}", ""),
        (
            "spec: {podFailurePolicy: {rules: []}, template: {spec: {restartPolicy: OnFailure}}}",
            "spec.podFailurePolicy",
        ),
        ("spec: {podFailurePolicy: {rules: []}}", ""),
        ("spec: {manualSelector: true, selector: {matchLabels: {a: b}}}", ""),
    ),
    "CronJob": (
        ("spec: {jobTemplate: {spec: {backoffLimit: -1}}}", "spec.jobTemplate.spec.backoffLimit"),
        ("spec: {failedJobsHistoryLimit: -1}", "spec.failedJobsHistoryLimit"),
        ("spec: {schedule: 61 * * * *}", "spec.schedule"),
        ("spec: {timeZone: Local}", "spec.timeZone"),
        ("spec: {timeZone: 'Asia/Shanghai '}", "spec.timeZone"),
        ("spec: {timeZone: Asia/Shanghai}", ""),
        ("spec: {timeZone: Etc/GMT+8}", ""),
        ("spec: {concurrencyPolicy: forbid}", "spec.concurrencyPolicy"),
        ("spec: {successfulJobsHistoryLimit: 0, startingDeadlineSeconds: 5}", ""),
        ("spec: {schedule: '0 3 * *'}", "spec.schedule"),
        ("spec: {schedule: '*/5 0-6,22 1 jan,dec MON-FRI'}", ""),
        ("spec: {schedule: '@hourly'}", ""),
        ("spec: {schedule: 'CRON_TZ=Asia/Shanghai 0 3 * * 1'}", ""),
        (
            "spec: {jobTemplate: {spec: {completionMode: Indexed}}}",
            "spec.jobTemplate.spec",
        ),
        (
            "spec: {jobTemplate: {spec: {template: {spec: {restartPolicy: Always}}}}}",
            "spec.jobTemplate.spec.template.spec.restartPolicy",
        ),
    ),
    "HorizontalPodAutoscaler": (
        ("spec: {maxReplicas: 0}", "spec.maxReplicas"),
        ("spec: {minReplicas: 0}", "spec.minReplicas"),
        ("spec: {minReplicas: 6}", "spec.minReplicas"),
        ('spec: {scaleTargetRef: {name: ""}}', "spec.scaleTargetRef.name"),
        ('spec: {scaleTargetRef: {kind: ""}}', "spec.scaleTargetRef.kind"),
        ("spec: {behavior: {scaleDown: {policies: []}}}", "spec.behavior.scaleDown.policies"),
        ("spec: {behavior: {scaleUp: {policies: null}}}", ""),
        ("spec: {behavior: {scaleUp: {policies: []}}}", "spec.behavior.scaleUp.policies"),
        (_CPU.format("type: AverageValue, averageValue: -1"), "spec.metrics[0].resource.target.averageValue"),
        (
            (
                'spec: {metrics: [{type: Resource, resource: {name: "", '
                "target: {type: Utilization, averageUtilization: 50}}}]}"
            ),
            "spec.metrics[0].resource.name",
        ),
        (
            (
                "spec: {metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, "
                "averageUtilization: 50}}, pods: {metric: {name: a}, "
                "target: {type: AverageValue, averageValue: 1}}}]}"
            ),
            "spec.metrics[0]",
        ),
        ("spec: {metrics: [{type: Resource}]}", "spec.metrics[0]"),
        (
            (
                "spec: {metrics: [{type: Pods, pods: {metric: {name: a}, "
                "target: {type: AverageValue, value: 1}}}]}"
            ),
            "spec.metrics[0].pods.target",
        ),
        ("spec: {metrics: [{type: cpu}]}", "spec.metrics[0].type"),
        (_CPU.format("type: Utilization"), "spec.metrics[0].resource.target"),
        (
            _CPU.format("type: Utilization, averageUtilization: 0"),
            "spec.metrics[0].resource.target.averageUtilization",
        ),
        (_CPU.format("type: average, averageValue: 1"), "spec.metrics[0].resource.target.type"),
        (_CPU.format("type: Utilization, averageUtilization: 250"), ""),
        (
            "spec: {behavior: {scaleDown: {stabilizationWindowSeconds: 3601}}}",
            "spec.behavior.scaleDown.stabilizationWindowSeconds",
        ),
        (
            "spec: {behavior: {scaleUp: {policies: [{type: Pods, value: 1, periodSeconds: 0}]}}}",
            "spec.behavior.scaleUp.policies[0].periodSeconds",
        ),
        ("spec: {behavior: {scaleUp: {selectPolicy: max}}}", "spec.behavior.scaleUp.selectPolicy"),
        (
            (
                "spec: {behavior: {scaleUp: {stabilizationWindowSeconds: 0, policies: [{type: Percent, "
                "value: 200, periodSeconds: 1800}]}}}"
            ),
            "",
        ),
        ("spec: {minReplicas: 5}", ""),
        *(
            (f"spec: {{metrics: [{{type: {kind}}}]}}", "spec.metrics[0]")
            for kind in ("ContainerResource", "Pods", "Object", "External")
        ),
        (
            ("spec: {metrics: [{type: External, external: {metric: {name: a}, target: {type: Value}}}]}"),
            "spec.metrics[0].external.target",
        ),
        (
            (
                "spec: {metrics: [{type: External, external: {metric: {name: a}, "
                "target: {type: Value, value: 1, averageValue: 1}}}]}"
            ),
            "spec.metrics[0].external.target",
        ),
        (
            (
                "spec: {metrics: [{type: ContainerResource, containerResource: {name: cpu, container: main, "
                "target: {type: Utilization}}}]}"
            ),
            "spec.metrics[0].containerResource.target",
        ),
        (
            (
                "spec: {metrics: [{type: Object, object: {metric: {name: a}, "
                "describedObject: {kind: A, name: a}, target: {type: Value, value: 1}}, "
                "external: {metric: {name: a}, target: {type: Value, value: 1}}}]}"
            ),
            "spec.metrics[0]",
        ),
        (
            (
                "spec: {metrics: [{type: ContainerResource, containerResource: {name: cpu, container: main, "
                "target: {type: Utilization, averageUtilization: 50}}, "
                "pods: {metric: {name: a}, target: {type: AverageValue, averageValue: 1}}}]}"
            ),
            "spec.metrics[0]",
        ),
    ),
    "PodDisruptionBudget": (
        ("spec: {minAvailable: '1'}", "spec.minAvailable"),
        ("spec: {maxUnavailable: 120%}", "spec.maxUnavailable"),
        ("spec: {minAvailable: 1, maxUnavailable: 1}", "spec.maxUnavailable"),
        ("spec: {minAvailable: 50%, unhealthyPodEvictionPolicy: AlwaysAllow}", ""),
    ),
    "Service": (
        ("spec: {clusterIP: none}", "spec.clusterIP"),
        ("spec: {clusterIP: web.a.org}", "spec.clusterIP"),
        ("spec: {clusterIP: None}", ""),
        ("spec: {clusterIP: None, type: NodePort}", "spec.clusterIP"),
        ("spec: {type: nodePort}", "spec.type"),
        ("spec: {sessionAffinity: clientIP}", "spec.sessionAffinity"),
        ("spec: {sessionAffinityConfig: {clientIP: {timeoutSeconds: 5}}}", ""),
        (
            "spec: {sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 0}}}",
            "spec.sessionAffinityConfig.clientIP.timeoutSeconds",
        ),
        ("spec: {externalIPs: [a.org]}", "spec.externalIPs[0]"),
        ("spec: {externalIPs: [010.0.0.1]}", ""),
        (
            "spec: {type: LoadBalancer, loadBalancerSourceRanges: [10.0.0.1]}",
            "spec.loadBalancerSourceRanges[0]",
        ),
        ("spec: {loadBalancerSourceRanges: [10.0.0.0/8]}", "spec.loadBalancerSourceRanges"),
        ('spec: {type: LoadBalancer, loadBalancerSourceRanges: [10.0.0.1/8, " 10.0.0.0/8"]}', ""),
        ("spec: {ipFamilies: [ipv4]}", "spec.ipFamilies[0]"),
        ("spec: {ports: [{port: 80, appProtocol: HTTP 2}]}", "spec.ports[0].appProtocol"),
        ("spec: {ports: [{port: 80, appProtocol: kubernetes.io/h2c}]}", ""),
        (
            "spec: {type: LoadBalancer, externalTrafficPolicy: Local, healthCheckNodePort: 70000}",
            "spec.healthCheckNodePort",
        ),
        ("spec: {type: NodePort, healthCheckNodePort: 30000}", "spec.healthCheckNodePort"),
        ("spec: {healthCheckNodePort: 0}", ""),
        ("spec: {type: LoadBalancer, externalTrafficPolicy: Local, healthCheckNodePort: 30000}", ""),
        ("spec: {ipFamilyPolicy: DualStack}", "spec.ipFamilyPolicy"),
        ("spec: {ports: [{port: 80, name: HTTP}]}", "spec.ports[0].name"),
        ("spec: {ports: [{port: 80, nodePort: 30080}]}", "spec.ports[0].nodePort"),
        ("spec: {ports: [{port: 80, targetPort: '80'}]}", "spec.ports[0].targetPort"),
        ("spec: {ports: [{port: 80, targetPort: 0, name: a-name-of-more-than-fifteen}]}", ""),
        ("spec: {type: ExternalName}", "spec"),
        ("spec: {type: ExternalName, externalName: 'https://a.org'}", "spec.externalName"),
        ("spec: {type: ExternalName, externalName: a.org.}", ""),
        ("spec: {externalTrafficPolicy: Local}", "spec.externalTrafficPolicy"),
        ("spec: {ports: [{port: 80, nodePort: 0}]}", ""),
        ("spec: {ports: [{name: a, port: 80}, {name: a, port: 81}]}", "spec.ports[1].name"),
        ("spec: {ports: [{name: a, port: 80}, {name: b, port: 80}]}", "spec.ports[1].port"),
        ("spec: {ports: [{name: a, port: 80}, {name: b, port: 80, protocol: UDP}]}", ""),
        ("spec: {externalTrafficPolicy: Local, externalIPs: [10.0.0.1]}", ""),
        ("spec: {externalTrafficPolicy: Local, type: NodePort}", ""),
        ("spec: {loadBalancerClass: a.org/b}", "spec.loadBalancerClass"),
        ("spec: {type: ClusterIP, ports: [{port: 80, nodePort: 30080}]}", "spec.ports[0].nodePort"),
        ("spec: {ports: [{name: a, port: 80}, {name: b, port: 80, protocol: TCP}]}", "spec.ports[1].port"),
        (
            "spec: {type: NodePort, allocateLoadBalancerNodePorts: false}",
            "spec.allocateLoadBalancerNodePorts",
        ),
        ("spec: {type: LoadBalancer, loadBalancerClass: a.org/b, allocateLoadBalancerNodePorts: false}", ""),
    ),
    "Ingress": (
        ("spec: {rules: []}", "spec"),
        ("spec: {rules: [{host: a.org, http: {paths: []}}]}", "spec.rules[0].http"),
        ("spec: {rules: [{host: a.org}], defaultBackend: {service: {name: a, port: {number: 1}}}}", ""),
        (_BACKEND.format("a", "Prefix", "web", "{number: 80}"), f"{_BEHIND}.path"),
        (_BACKEND.format("/a//b", "Prefix", "web", "{number: 80}"), f"{_BEHIND}.path"),
        (_BACKEND.format("/a/..", "Exact", "web", "{number: 80}"), f"{_BEHIND}.path"),
        (_BACKEND.format("null", "Exact", "web", "{number: 80}"), f"{_BEHIND}.path"),
        (_BACKEND.format('""', "Prefix", "web", "{number: 80}"), f"{_BEHIND}.path"),
        (_BACKEND.format("null", "ImplementationSpecific", "web", "{number: 80}"), ""),
        (_BACKEND.format("/a//(.*)", "ImplementationSpecific", "web", "{number: 80}"), ""),
        (_BACKEND.format("/a..b/.c", "Prefix", "web", "{name: http}"), ""),
        (_BACKEND.format("/", "prefix", "web", "{number: 80}"), f"{_BEHIND}.pathType"),
        (_BACKEND.format("/", "Prefix", "web_1", "{number: 80}"), f"{_BEHIND}.backend.service.name"),
        (_BACKEND.format("/", "Prefix", "web", "{number: 0}"), f"{_BEHIND}.backend.service.port.number"),
        ("spec: {tls: [{hosts: [a.org], secretName: A_B}]}", "spec.tls[0].secretName"),
        ("spec: {rules: [{host: a..org}]}", "spec.rules[0].host"),
        ("spec: {rules: [{host: 10.0.0.1}]}", "spec.rules[0].host"),
        ("spec: {rules: [{host: '*.10.0.0.1.nip.io'}]}", ""),
        (_BACKEND.format("/", "Prefix", "web", "{}"), f"{_BEHIND}.backend.service.port"),
        (_BACKEND.format("/", "Prefix", "web", "{name: a, number: 1}"), f"{_BEHIND}.backend.service.port"),
        ("spec: {tls: [{hosts: ['https://a.org'], secretName: a}]}", "spec.tls[0].hosts[0]"),
        ("spec: {tls: [{hosts: ['*.org', a.org], secretName: a}]}", ""),
        ("spec: {ingressClassName: My_Class}", "spec.ingressClassName"),
        (_CLASSES.format("alb"), "spec.ingressClassName"),
        (_CLASSES.format("nginx"), ""),
        ("spec: {rules: [{host: 10.0.0.1.nip.io}]}", ""),
        ("spec: {defaultBackend: {resource: {kind: B, name: b}}}", ""),
        (
            "spec: {defaultBackend: {resource: {kind: B, name: b}, service: {name: a, port: {number: 1}}}}",
            "spec.defaultBackend",
        ),
        (
            "spec: {defaultBackend: {service: {name: a, port: {name: b, number: 1}}}}",
            "spec.defaultBackend.service.port",
        ),
        ("spec: {defaultBackend: {service: {name: a}}}", "spec.defaultBackend.service.port"),
        ("spec: {defaultBackend: {service: {}}}", "spec.defaultBackend.service.name"),
        (
            (
                "spec: {rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {resource: {kind: B, "
                "name: b}, service: {name: a, port: {number: 1}}}}]}}]}"
            ),
            f"{_BEHIND}.backend",
        ),
    ),
    "NetworkPolicy": (
        (_PEER.format("{ipBlock: {cidr: 10.0.0.1}}"), "spec.ingress[0].from[0].ipBlock.cidr"),
        (_PEER.format("{ipBlock: {cidr: 10.0.0.0/33}}"), "spec.ingress[0].from[0].ipBlock.cidr"),
        (
            _PEER.format("{ipBlock: {cidr: 10.0.0.0/8, except: ['10.1']}}"),
            "spec.ingress[0].from[0].ipBlock.except[0]",
        ),
        (_PEER.format("{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}"), "spec.ingress[0].from[0]"),
        (_PEER.format("{}"), "spec.ingress[0].from[0]"),
        (_PEER.format("{ipBlock: {cidr: 10.0.0.0/8}, namespaceSelector: {}}"), "spec.ingress[0].from[0]"),
        ("spec: {egress: [{to: [{}]}]}", "spec.egress[0].to[0]"),
        ("spec: {egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}]}]}", "spec.egress[0].to[0]"),
        ("spec: {ingress: [{ports: [{endPort: 79}]}]}", "spec.ingress[0].ports[0].endPort"),
        ("spec: {ingress: [{ports: [{port: 80, endPort: 79}]}]}", "spec.ingress[0].ports[0].endPort"),
        ("spec: {ingress: [{ports: [{port: dns, endPort: 80}]}]}", "spec.ingress[0].ports[0].endPort"),
        (
            "spec: {egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/8]}}]}]}",
            "spec.egress[0].to[0].ipBlock.except[0]",
        ),
        (_PEER.format("{ipBlock: {cidr: '::/0', except: ['fd00::/8']}}"), ""),
        *(
            (
                _PEER.format(f"{{ipBlock: {{cidr: {around}, except: [{out}]}}}}"),
                is_refused and "spec.ingress[0].from[0].ipBlock.except[0]",
            )
            for around, out, is_refused in (
                ("10.0.0.0/8", "192.168.0.0/16", "refused"),
                ("10.0.0.0/8", "10.0.0.0/8", "refused"),
                ("10.0.0.0/8", "'fd00::/8'", "refused"),
                ("10.0.0.0/8", "10.1.2.3/16", ""),
            )
        ),
        (_PORT.format("{port: dns, endPort: 80}"), "spec.egress[0].ports[0].endPort"),
        (_PEER.format("{podSelector: {}, namespaceSelector: {}}"), ""),
        (_PORT.format("{port: 0}"), "spec.egress[0].ports[0].port"),
        (_PORT.format("{port: 80, endPort: 79}"), "spec.egress[0].ports[0].endPort"),
        (_PORT.format("{endPort: 79}"), "spec.egress[0].ports[0].endPort"),
        (_PORT.format("{port: dns, protocol: UDP}, {port: 80, endPort: 80}"), ""),
        ("spec: {policyTypes: [ingress]}", "spec.policyTypes[0]"),
        (
            "spec: {podSelector: {matchExpressions: [{key: a, operator: NotIn}]}}",
            "spec.podSelector.matchExpressions[0]",
        ),
    ),
    "RoleBinding": (
        ("roleRef: {apiGroup: rbac}", "roleRef.apiGroup"),
        ("roleRef: {apiGroup: rbac.authorization.k8s.io/v1}", "roleRef.apiGroup"),
        ("roleRef: {kind: role}", "roleRef.kind"),
        ('roleRef: {apiGroup: ""}', ""),
        ('roleRef: {name: ""}', "roleRef.name"),
        ('subjects: [{kind: User, name: ""}]', "subjects[0].name"),
        ("subjects: [{kind: User, name: a, apiGroup: rbac}]", "subjects[0].apiGroup"),
        (
            "subjects: [{kind: ServiceAccount, name: a, apiGroup: rbac.authorization.k8s.io}]",
            "subjects[0].apiGroup",
        ),
        ("subjects: [{kind: user, name: a}]", "subjects[0].kind"),
        ("subjects: [{kind: ServiceAccount, name: a}, {kind: Group, name: b}]", ""),
    ),
    "ClusterRoleBinding": (
        ("subjects: [{kind: ServiceAccount, name: a}]", "subjects[0]"),
        ("roleRef: {kind: Role}", "roleRef.kind"),
        ("subjects: [{kind: ServiceAccount, name: a, namespace: b, apiGroup: ''}]", ""),
    ),
    "Role": (
        ("rules: [{resources: [pods], verbs: [get]}]", "rules[0]"),
        ("rules: [{apiGroups: [apps], resources: [pods], verbs: []}]", "rules[0]"),
        ("rules: [{nonResourceURLs: [/healthz], verbs: [get]}]", "rules[0].nonResourceURLs"),
        ("rules: [{verbs: [get]}]", "rules[0]"),
    ),
    "ClusterRole": (
        ("rules: [{nonResourceURLs: [/a], apiGroups: [''], resources: [pods], verbs: [get]}]", "rules[0]"),
        ("rules: [{nonResourceURLs: [/healthz], verbs: [get]}]", ""),
        ("rules: [{verbs: [get]}]", "rules[0]"),
        ("aggregationRule: {clusterRoleSelectors: []}", "aggregationRule"),
        ("aggregationRule: {clusterRoleSelectors: [{matchLabels: {a: b}}]}", ""),
    ),
    "PersistentVolumeClaim": (
        ("spec: {resources: {requests: {storage: 0}}}", "spec.resources.requests[storage]"),
        ("spec: {resources: {requests: {storage: 10GB}}}", "spec.resources.requests[storage]"),
        ("spec: {resources: {requests: {storage: -1Gi}}}", "spec.resources.requests[storage]"),
        ("spec: {accessModes: [ReadWriteOncePod, ReadWriteOnce]}", "spec.accessModes"),
        ("spec: {accessModes: [ReadWriteOncePod]}", ""),
        ("spec: {accessModes: [readWriteOnce]}", "spec.accessModes[0]"),
        ("spec: {storageClassName: Fast_Disk}", "spec.storageClassName"),
        ("spec: {storageClassName: '', volumeMode: Block}", ""),
        ("spec: {accessModes: []}", "spec"),
        ("spec: {resources: {requests: {storage: null}}}", "spec"),
    ),
    "StorageClass": (
        ("reclaimPolicy: Recycle", "reclaimPolicy"),
        ('provisioner: ""', "provisioner"),
        ("volumeBindingMode: waitForFirstConsumer", "volumeBindingMode"),
        ("reclaimPolicy: Retain", ""),
    ),
    "ConfigMap": (
        ("binaryData: {c: '%%'}", "binaryData[c]"),
        ("binaryData: {a: aGk=}", "binaryData[a]"),
        ("data: {a/b: c}", "data[a/b]"),
        ("data: {..a: c}", "data[..a]"),
        ("data: {.: c}", "data[.]"),
        ("binaryData: {a/b: aGk=}", "binaryData[a/b]"),
        ("data: {.a: c, a..b: c}", ""),
        ("binaryData: {c: aGk=}", ""),
    ),
    "Secret": (
        ("data: {a: '%%'}", "data[a]"),
        ("data: {a: YQ==}, stringData: {a: b}", ""),
        ("stringData: {a/b: c}", "stringData"),
        (
            "type: kubernetes.io/dockerconfigjson, stringData: {.dockerconfigjson: '[]'}",
            "stringData[.dockerconfigjson]",
        ),
        ("type: kubernetes.io/dockerconfigjson", "data"),
        ("type: kubernetes.io/dockercfg", "data"),
        ("type: kubernetes.io/dockercfg, stringData: {.dockercfg: a}", "stringData[.dockercfg]"),
        ("type: kubernetes.io/dockercfg, data: {.dockercfg: e30=}", ""),
        ("type: kubernetes.io/ssh-auth, stringData: {a: b}", "data"),
        ("type: kubernetes.io/ssh-auth, stringData: {ssh-privatekey: b}", ""),
        ("type: kubernetes.io/tls, stringData: {tls.key: a}", "data"),
        ("type: kubernetes.io/basic-auth, stringData: {username: a}", ""),
        (
            "{type: kubernetes.io/dockerconfigjson, stringData: {.dockerconfigjson: a}}",
            "stringData[.dockerconfigjson]",
        ),
        ("{type: kubernetes.io/dockerconfigjson, stringData: {.dockerconfigjson: '{}'}}", ""),
        ("type: kubernetes.io/basic-auth, stringData: {user: a}", "data"),
        ("type: kubernetes.io/basic-auth, stringData: {password: a}", ""),
        ("type: kubernetes.io/tls, stringData: {tls.crt: a}", "data"),
        ("type: kubernetes.io/service-account-token", "metadata.annotations"),
        (
            (
                "type: kubernetes.io/service-account-token, "
                "metadata: {annotations: {kubernetes.io/service-account.name: a}}"
            ),
            "",
        ),
    ),
}
"""By base: what is laid over it, and the field."""
Row = tuple[str, str, str]
ROWS: Sequence[Row] = [(base, patch, field) for base, rows in _ROWS.items() for patch, field in rows]
_PREFIX = {"pod": "spec.template.spec.", "container": "spec.template.spec.containers[0]."}


def manifest_of(row: Row) -> Manifest:
    """Return the whole object of a row."""
    base, patch, _ = row
    kind = "Deployment" if base in _PREFIX else base
    made: Manifest = {"apiVersion": _HEADS.get(kind, "v1"), "kind": kind, "metadata": {"name": "web"}}
    made = _laid_over(made, yaml.safe_load(_BODIES[kind]))
    over = yaml.safe_load(patch if patch.startswith("{") else f"{{{patch}}}")
    place: object = made
    if base in _PREFIX:
        place = branch(made, "spec", "template", "spec")
        place = items(place, "containers")[0] if base == "container" else place
    assert isinstance(place, dict)
    place.update(_laid_over(place, over))
    return made


def field_of(row: Row) -> str:
    """Return the field of the object that is refused, "" where none is."""
    base, _, field = row
    return field and f"{_PREFIX.get(base, '')}{field}"


def _laid_over(below: Manifest, above: Manifest) -> Manifest:
    made = copy.deepcopy(below)
    for key, value in above.items():
        old = made.get(key)
        is_merged = isinstance(value, dict) and isinstance(old, dict)
        made[key] = _laid_over(old, value) if is_merged else value  # type: ignore[arg-type]  # both are dicts
    return made
