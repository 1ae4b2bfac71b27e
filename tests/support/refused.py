"""Values that the API server refuses, a row each, and beside them what it takes.

A row is a base, what is laid over it, and the field that is refused, below the base; "" where all of it is
taken. The check that finds it and the emulated API server know of them each by itself.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

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
_TERM = "podAffinityTerm: {topologyKey: zone, labelSelector: {matchLabels: {app: web}}}"
_PEER = "spec: {{ingress: [{{from: [{}]}}]}}"
_PORT = "spec: {{egress: [{{ports: [{}]}}]}}"
_BACKEND = (
    "spec: {{rules: [{{host: a.org, http: {{paths: [{{path: {}, pathType: {}, "
    "backend: {{service: {{name: {}, port: {}}}}}}}]}}}}]}}"
)
_BEHIND = "spec.rules[0].http.paths[0]"
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


Row = tuple[str, str, str]
ROWS: Sequence[Row] = (
    # containers
    ("container", _mount("subPath: ../x"), "volumeMounts[0].subPath"),
    ("container", _mount("subPath: a/../x"), "volumeMounts[0].subPath"),
    ("container", _mount("subPath: /x"), "volumeMounts[0].subPath"),
    ("container", _mount("subPathExpr: $(A)/.."), "volumeMounts[0].subPathExpr"),
    ("container", _mount("subPath: a, subPathExpr: b"), "volumeMounts[0]"),
    ("container", _mount("subPath: a..b/...x/.y"), ""),
    ("container", _mount("mountPropagation: bidirectional"), "volumeMounts[0].mountPropagation"),
    ("container", _mount("mountPropagation: Bidirectional"), "volumeMounts[0].mountPropagation"),
    (
        "container",
        _mount("mountPropagation: Bidirectional") + ", securityContext: {privileged: true}",
        "",
    ),
    ("container", _env("fieldRef: {fieldPath: metadata.nam}"), "env[0].valueFrom.fieldRef.fieldPath"),
    ("container", _env("fieldRef: {fieldPath: metadata.labels}"), "env[0].valueFrom.fieldRef.fieldPath"),
    ("container", _env("fieldRef: {fieldPath: status.podIPs}"), ""),
    ("container", _env("fieldRef: {fieldPath: spec.host}"), ""),
    ("container", _env("""fieldRef: {fieldPath: "metadata.labels['app.kubernetes.io/name']"}"""), ""),
    (
        "container",
        _env("resourceFieldRef: {resource: limits.cpus}"),
        "env[0].valueFrom.resourceFieldRef.resource",
    ),
    ("container", _env("resourceFieldRef: {resource: requests.hugepages-2Mi}"), ""),
    ("container", _env(""), "env[0].valueFrom"),
    (
        "container",
        _env("fieldRef: {fieldPath: metadata.name}, secretKeyRef: {name: a, key: b}"),
        "env[0].valueFrom",
    ),
    ("container", "env: [{name: A, value: b, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]", "env[0]"),
    ("container", 'env: [{name: A, value: "", valueFrom: {fieldRef: {fieldPath: metadata.name}}}]', ""),
    ("container", "envFrom: [{prefix: A_}]", "envFrom[0]"),
    ("container", "envFrom: [{prefix: A_, configMapRef: {name: a}}]", ""),
    ("container", "ports: [{containerPort: 0}]", "ports[0].containerPort"),
    ("container", "ports: [{containerPort: 80, hostPort: 65536}]", "ports[0].hostPort"),
    ("container", "ports: [{containerPort: 80, name: a-port-of-sixteen}]", "ports[0].name"),
    ("container", "ports: [{containerPort: 80, hostPort: 0, protocol: SCTP}]", ""),
    ("container", "livenessProbe: {tcpSocket: {port: 0}}", "livenessProbe.tcpSocket.port"),
    ("container", "livenessProbe: {grpc: {port: 70000}}", "livenessProbe.grpc.port"),
    ("container", "livenessProbe: {httpGet: {port: 80, scheme: https}}", "livenessProbe.httpGet.scheme"),
    ("container", "livenessProbe: {}", "livenessProbe"),
    ("container", "readinessProbe: {httpGet: {port: 80}, grpc: {port: 1}}", "readinessProbe"),
    ("container", "startupProbe: {httpGet: {port: 80}, periodSeconds: -1}", "startupProbe.periodSeconds"),
    (
        "container",
        "livenessProbe: {httpGet: {port: 80}, successThreshold: 2}",
        "livenessProbe.successThreshold",
    ),
    (
        "container",
        "livenessProbe: {httpGet: {port: 80}, terminationGracePeriodSeconds: 0}",
        "livenessProbe.terminationGracePeriodSeconds",
    ),
    (
        "container",
        "readinessProbe: {httpGet: {port: 80}, terminationGracePeriodSeconds: 5}",
        "readinessProbe.terminationGracePeriodSeconds",
    ),
    ("container", "readinessProbe: {httpGet: {port: http}, successThreshold: 3, timeoutSeconds: 0}", ""),
    ("container", "lifecycle: {preStop: {}}", "lifecycle.preStop"),
    ("container", "lifecycle: {preStop: {exec: {command: [a]}, httpGet: {port: 80}}}", "lifecycle.preStop"),
    ("container", "lifecycle: {preStop: {sleep: {seconds: 5}}, postStart: {exec: {command: [a]}}}", ""),
    (
        "container",
        "securityContext: {privileged: true, allowPrivilegeEscalation: false}",
        "securityContext.privileged",
    ),
    ("container", "securityContext: {privileged: false, allowPrivilegeEscalation: false}", ""),
    ("container", "securityContext: {runAsUser: -1}", "securityContext.runAsUser"),
    ("container", "securityContext: {procMount: unmasked}", "securityContext.procMount"),
    (
        "container",
        "securityContext: {seccompProfile: {type: runtime/default}}",
        "securityContext.seccompProfile.type",
    ),
    ("container", "securityContext: {seccompProfile: {type: Localhost}}", "securityContext.seccompProfile"),
    (
        "container",
        "securityContext: {seccompProfile: {type: RuntimeDefault, localhostProfile: a.json}}",
        "securityContext.seccompProfile.localhostProfile",
    ),
    (
        "container",
        "securityContext: {runAsUser: 0, seccompProfile: {type: Localhost, localhostProfile: a.json}}",
        "",
    ),
    ("container", "imagePullPolicy: Allways", "imagePullPolicy"),
    ("container", "resources: {limits: {cpus: 1}}", "resources.limits[cpus]"),
    ("container", "resources: {limits: {cpu: -1}}", "resources.limits[cpu]"),
    ("container", "resources: {limits: {cpu: 512MB}}", "resources.limits[cpu]"),
    ("container", "resources: {limits: {example.com/gpu: 500m}}", "resources.limits[example.com/gpu]"),
    ("container", "resources: {limits: {cpu: 1}, requests: {cpu: 1500m}}", "resources.requests[cpu]"),
    (
        "container",
        "resources: {limits: {cpu: 1, example.com/gpu: 2, ephemeral-storage: 1Gi, hugepages-2Mi: 4Mi}}",
        "",
    ),
    ("container", "resources: {requests: {example.com/gpu: 1}}", "resources.limits"),
    ("container", "resources: {requests: {example.com/gpu: 1}, limits: {example.com/gpu: 1}}", ""),
    ("container", "resources: {requests: {scheduling.kubernetes.io/a: 1}}", ""),
    ("container", "envFrom: [{configMapRef: {optional: true}}]", "envFrom[0].configMapRef"),
    ("container", _env("secretKeyRef: {key: a}"), "env[0].valueFrom.secretKeyRef"),
    ("container", "livenessProbe: {exec: {command: []}}", "livenessProbe.exec"),
    ("container", "resources: {requests: {cpu: 0.5, memory: 1e3}, limits: {cpu: 500m, memory: 1k}}", ""),
    ("container", "resources: {requests: {memory: 1Gi}, limits: {memory: 1G}}", "resources.requests[memory]"),
    ("container", "resources: {requests: {cpu: 1}, limits: {memory: 1000m}}", ""),
    ("container", "ports: [{containerPort: 80, name: '8080'}]", "ports[0].name"),
    ("container", "ports: [{containerPort: 80, name: a}, {containerPort: 81, name: a}]", "ports[1].name"),
    # pods
    (
        "pod",
        f"affinity: {{podAntiAffinity: {{preferred{_AFFINITY}: [{{weight: 101, {_TERM}}}]}}}}",
        f"affinity.podAntiAffinity.preferred{_AFFINITY}[0].weight",
    ),
    (
        "pod",
        f"affinity: {{nodeAffinity: {{preferred{_AFFINITY}: [{{weight: 0, preference: {{}}}}]}}}}",
        f"affinity.nodeAffinity.preferred{_AFFINITY}[0].weight",
    ),
    (
        "pod",
        f"affinity: {{podAffinity: {{preferred{_AFFINITY}: [{{weight: 100, {_TERM}}}]}}}}",
        "",
    ),
    (
        "pod",
        f"affinity: {{nodeAffinity: {{required{_AFFINITY}: {{nodeSelectorTerms: []}}}}}}",
        _NODES,
    ),
    *(
        (
            "pod",
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
    ("pod", "tolerations: [{key: a, operator: Exists, value: b}]", "tolerations[0].value"),
    (
        "pod",
        "tolerations: [{key: a, effect: NoSchedule, tolerationSeconds: 5}]",
        "tolerations[0].tolerationSeconds",
    ),
    ("pod", "tolerations: [{value: b}]", "tolerations[0]"),
    ("pod", "tolerations: [{operator: Exists}, {key: a, effect: NoExecute, tolerationSeconds: 0}]", ""),
    ("pod", "dnsPolicy: None", "dnsPolicy"),
    ("pod", "dnsConfig: {nameservers: [dns.a.org]}", "dnsConfig.nameservers[0]"),
    ("pod", 'dnsPolicy: None, dnsConfig: {nameservers: [10.0.0.1, "fd00::1"]}', ""),
    ("pod", "hostAliases: [{ip: localhost, hostnames: [a]}]", "hostAliases[0].ip"),
    ("pod", "hostAliases: [{ip: 127.0.0.1, hostnames: [a]}]", ""),
    ("pod", "hostPID: true, shareProcessNamespace: true", "hostPID"),
    ("pod", "hostPID: false, shareProcessNamespace: true", ""),
    ("pod", "hostname: web_1", "hostname"),
    ("pod", "hostname: web-1, subdomain: web", ""),
    ("pod", "serviceAccountName: My_Account", "serviceAccountName"),
    ("pod", "priorityClassName: High", "priorityClassName"),
    ("pod", "preemptionPolicy: never", "preemptionPolicy"),
    ("pod", "activeDeadlineSeconds: 0", "activeDeadlineSeconds"),
    ("pod", "restartPolicy: Never", "restartPolicy"),
    ("pod", "securityContext: {fsGroup: -1}", "securityContext.fsGroup"),
    ("pod", "securityContext: {supplementalGroups: [5, -1]}", "securityContext.supplementalGroups[1]"),
    ("pod", "securityContext: {fsGroupChangePolicy: onRootMismatch}", "securityContext.fsGroupChangePolicy"),
    ("pod", "securityContext: {fsGroup: 65534, fsGroupChangePolicy: OnRootMismatch}", ""),
    ("pod", _volume("configMap: {name: a, defaultMode: 644}"), "volumes[0].configMap.defaultMode"),
    (
        "pod",
        _volume("secret: {secretName: a, defaultMode: 0400, items: [{key: a, path: b/c, mode: 511}]}"),
        "",
    ),
    (
        "pod",
        _volume("configMap: {name: a, items: [{key: a, path: ../b}]}"),
        "volumes[0].configMap.items[0].path",
    ),
    ("pod", _volume("configMap: {}"), "volumes[0].configMap"),
    ("pod", _volume("secret: {optional: true}"), "volumes[0].secret"),
    (
        "pod",
        _volume("projected: {sources: [{configMap: {optional: true}}]}"),
        "volumes[0].projected.sources[0].configMap",
    ),
    (
        "pod",
        _volume("projected: {sources: [{serviceAccountToken: {path: a, expirationSeconds: 60}}]}"),
        "volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds",
    ),
    ("pod", _volume("projected: {sources: [{serviceAccountToken: {path: a/b}}, {secret: {name: a}}]}"), ""),
    ("pod", _volume("nfs: {server: a, path: b}"), "volumes[0].nfs.path"),
    ("pod", "hostAliases: [{ip: 10.0.0.1, hostnames: [a_b]}]", "hostAliases[0].hostnames[0]"),
    ("pod", _volume("hostPath: {path: /var/../etc}"), "volumes[0].hostPath.path"),
    ("pod", _volume("hostPath: {path: /var/log..old, type: directory}"), "volumes[0].hostPath.type"),
    ("pod", _volume("emptyDir: {}, configMap: {name: a}"), "volumes[0]"),
    ("pod", _volume("emptyDir: {sizeLimit: -1Gi}"), "volumes[0].emptyDir.sizeLimit"),
    ("pod", _volume("emptyDir: {sizeLimit: 1Gi, medium: Memory}"), ""),
    ("pod", _downward("status.podIP"), "volumes[0].downwardAPI.items[0].fieldRef.fieldPath"),
    ("pod", _downward("metadata.labels"), ""),
    (
        "pod",
        "topologySpreadConstraints: [{maxSkew: 0, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}]",
        "topologySpreadConstraints[0].maxSkew",
    ),
    (
        "pod",
        (
            "topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, "
            "minDomains: 2}]"
        ),
        "topologySpreadConstraints[0].minDomains",
    ),
    (
        "pod",
        (
            "topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule, "
            "nodeTaintsPolicy: honor}]"
        ),
        "topologySpreadConstraints[0].nodeTaintsPolicy",
    ),
    ("pod", _volume("emptyDir: {}, configMap: null"), ""),
    ("pod", "volumes: [{name: v, emptyDir: {}}, {name: v, emptyDir: {}}]", "volumes[1].name"),
    ("pod", _beside("lifecycle: {preStop: {exec: {command: [a]}}}"), "initContainers[0].lifecycle"),
    ("pod", _beside("restartPolicy: Always, startupProbe: {exec: {command: [a]}}"), ""),
    ("pod", _on_node("hostPort: 81"), "containers[0].ports[0].hostPort"),
    ("pod", _on_node("hostPort: 80"), ""),
    # workloads
    (
        "Deployment",
        "spec: {strategy: {rollingUpdate: {maxSurge: '1'}}}",
        "spec.strategy.rollingUpdate.maxSurge",
    ),
    (
        "Deployment",
        "spec: {strategy: {rollingUpdate: {maxSurge: half}}}",
        "spec.strategy.rollingUpdate.maxSurge",
    ),
    (
        "Deployment",
        "spec: {strategy: {rollingUpdate: {maxUnavailable: 101%}}}",
        "spec.strategy.rollingUpdate.maxUnavailable",
    ),
    ("Deployment", "spec: {strategy: {rollingUpdate: {maxSurge: 200%, maxUnavailable: 100%}}}", ""),
    (
        "Deployment",
        "spec: {strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0%}}}",
        "spec.strategy.rollingUpdate",
    ),
    (
        "Deployment",
        "spec: {strategy: {type: Recreate, rollingUpdate: {maxSurge: 1}}}",
        "spec.strategy.rollingUpdate",
    ),
    ("Deployment", "spec: {replicas: -1}", "spec.replicas"),
    ("Deployment", "spec: {progressDeadlineSeconds: 0}", "spec.progressDeadlineSeconds"),
    ("Deployment", "spec: {minReadySeconds: 9, progressDeadlineSeconds: 9}", "spec.progressDeadlineSeconds"),
    ("Deployment", "spec: {replicas: 0, minReadySeconds: 9, progressDeadlineSeconds: 10}", ""),
    (
        "DaemonSet",
        "spec: {updateStrategy: {rollingUpdate: {maxUnavailable: 0}}}",
        "spec.updateStrategy.rollingUpdate",
    ),
    (
        "DaemonSet",
        "spec: {updateStrategy: {rollingUpdate: {maxSurge: 1}}}",
        "spec.updateStrategy.rollingUpdate.maxSurge",
    ),
    ("DaemonSet", "spec: {updateStrategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}}", ""),
    (
        "StatefulSet",
        "spec: {updateStrategy: {type: OnDelete, rollingUpdate: {partition: 1}}}",
        "spec.updateStrategy.rollingUpdate",
    ),
    (
        "StatefulSet",
        "spec: {updateStrategy: {rollingUpdate: {partition: -1}}}",
        "spec.updateStrategy.rollingUpdate.partition",
    ),
    ("StatefulSet", "spec: {podManagementPolicy: parallel}", "spec.podManagementPolicy"),
    (
        "StatefulSet",
        "spec: {persistentVolumeClaimRetentionPolicy: {whenDeleted: delete}}",
        "spec.persistentVolumeClaimRetentionPolicy.whenDeleted",
    ),
    ("StatefulSet", "spec: {updateStrategy: {type: OnDelete}, podManagementPolicy: Parallel}", ""),
    ("Job", "spec: {ttlSecondsAfterFinished: -1}", "spec.ttlSecondsAfterFinished"),
    ("Job", "spec: {completionMode: Indexed}", "spec"),
    ("Job", "spec: {completionMode: Indexed, completions: 3, backoffLimitPerIndex: 1}", ""),
    ("Job", "spec: {backoffLimitPerIndex: 1}", "spec.backoffLimitPerIndex"),
    ("Job", "spec: {selector: {matchLabels: {app: web}}}", "spec.selector"),
    ("CronJob", "spec: {jobTemplate: {spec: {backoffLimit: -1}}}", "spec.jobTemplate.spec.backoffLimit"),
    ("CronJob", "spec: {failedJobsHistoryLimit: -1}", "spec.failedJobsHistoryLimit"),
    ("CronJob", "spec: {schedule: 61 * * * *}", "spec.schedule"),
    ("CronJob", "spec: {concurrencyPolicy: forbid}", "spec.concurrencyPolicy"),
    ("CronJob", "spec: {successfulJobsHistoryLimit: 0, startingDeadlineSeconds: 5}", ""),
    ("Deployment", "spec: {strategy: {rollingUpdate: {maxSurge: 0}}}", ""),
    ("Job", "spec: {template: {spec: {restartPolicy: null}}}", "spec.template.spec.restartPolicy"),
    ("Job", "spec: {template: {spec: {restartPolicy: OnFailure}}}", ""),
    ("CronJob", "spec: {schedule: '0 3 * *'}", "spec.schedule"),
    ("CronJob", "spec: {schedule: '*/5 0-6,22 1 jan,dec MON-FRI'}", ""),
    ("CronJob", "spec: {schedule: '@hourly'}", ""),
    ("CronJob", "spec: {schedule: 'CRON_TZ=Asia/Shanghai 0 3 * * 1'}", ""),
    # what scales and guards
    ("HorizontalPodAutoscaler", "spec: {maxReplicas: 0}", "spec.maxReplicas"),
    ("HorizontalPodAutoscaler", "spec: {minReplicas: 0}", "spec.minReplicas"),
    ("HorizontalPodAutoscaler", "spec: {minReplicas: 6}", "spec.minReplicas"),
    ("HorizontalPodAutoscaler", "spec: {metrics: [{type: Resource}]}", "spec.metrics[0]"),
    (
        "HorizontalPodAutoscaler",
        "spec: {metrics: [{type: Pods, pods: {metric: {name: a}, target: {type: AverageValue, value: 1}}}]}",
        "spec.metrics[0].pods.target",
    ),
    ("HorizontalPodAutoscaler", "spec: {metrics: [{type: cpu}]}", "spec.metrics[0].type"),
    ("HorizontalPodAutoscaler", _CPU.format("type: Utilization"), "spec.metrics[0].resource.target"),
    (
        "HorizontalPodAutoscaler",
        _CPU.format("type: Utilization, averageUtilization: 0"),
        "spec.metrics[0].resource.target.averageUtilization",
    ),
    (
        "HorizontalPodAutoscaler",
        _CPU.format("type: average, averageValue: 1"),
        "spec.metrics[0].resource.target.type",
    ),
    ("HorizontalPodAutoscaler", _CPU.format("type: Utilization, averageUtilization: 250"), ""),
    (
        "HorizontalPodAutoscaler",
        "spec: {behavior: {scaleDown: {stabilizationWindowSeconds: 3601}}}",
        "spec.behavior.scaleDown.stabilizationWindowSeconds",
    ),
    (
        "HorizontalPodAutoscaler",
        "spec: {behavior: {scaleUp: {policies: [{type: Pods, value: 1, periodSeconds: 0}]}}}",
        "spec.behavior.scaleUp.policies[0].periodSeconds",
    ),
    (
        "HorizontalPodAutoscaler",
        "spec: {behavior: {scaleUp: {selectPolicy: max}}}",
        "spec.behavior.scaleUp.selectPolicy",
    ),
    (
        "HorizontalPodAutoscaler",
        (
            "spec: {behavior: {scaleUp: {stabilizationWindowSeconds: 0, policies: [{type: Percent, "
            "value: 200, periodSeconds: 1800}]}}}"
        ),
        "",
    ),
    ("PodDisruptionBudget", "spec: {minAvailable: '1'}", "spec.minAvailable"),
    ("PodDisruptionBudget", "spec: {maxUnavailable: 120%}", "spec.maxUnavailable"),
    ("PodDisruptionBudget", "spec: {minAvailable: 1, maxUnavailable: 1}", "spec.maxUnavailable"),
    ("PodDisruptionBudget", "spec: {minAvailable: 50%, unhealthyPodEvictionPolicy: AlwaysAllow}", ""),
    ("HorizontalPodAutoscaler", "spec: {minReplicas: 5}", ""),
    # services and routes
    ("Service", "spec: {clusterIP: none}", "spec.clusterIP"),
    ("Service", "spec: {clusterIP: web.a.org}", "spec.clusterIP"),
    ("Service", "spec: {clusterIP: None}", ""),
    ("Service", "spec: {clusterIP: None, type: NodePort}", "spec.clusterIP"),
    ("Service", "spec: {type: nodePort}", "spec.type"),
    ("Service", "spec: {sessionAffinity: clientIP}", "spec.sessionAffinity"),
    (
        "Service",
        "spec: {sessionAffinityConfig: {clientIP: {timeoutSeconds: 5}}}",
        "",
    ),
    (
        "Service",
        "spec: {sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 0}}}",
        "spec.sessionAffinityConfig.clientIP.timeoutSeconds",
    ),
    ("Service", "spec: {externalIPs: [a.org]}", "spec.externalIPs[0]"),
    ("Service", "spec: {externalIPs: [010.0.0.1]}", ""),
    (
        "Service",
        "spec: {type: LoadBalancer, loadBalancerSourceRanges: [10.0.0.1]}",
        "spec.loadBalancerSourceRanges[0]",
    ),
    ("Service", "spec: {loadBalancerSourceRanges: [10.0.0.0/8]}", "spec.loadBalancerSourceRanges"),
    ("Service", 'spec: {type: LoadBalancer, loadBalancerSourceRanges: [10.0.0.1/8, " 10.0.0.0/8"]}', ""),
    ("Service", "spec: {ipFamilies: [ipv4]}", "spec.ipFamilies[0]"),
    ("Service", "spec: {ipFamilyPolicy: DualStack}", "spec.ipFamilyPolicy"),
    ("Service", "spec: {ports: [{port: 80, name: HTTP}]}", "spec.ports[0].name"),
    ("Service", "spec: {ports: [{port: 80, nodePort: 30080}]}", "spec.ports[0].nodePort"),
    ("Service", "spec: {ports: [{port: 80, targetPort: '80'}]}", "spec.ports[0].targetPort"),
    ("Service", "spec: {ports: [{port: 80, targetPort: 0, name: a-name-of-more-than-fifteen}]}", ""),
    ("Service", "spec: {type: ExternalName}", "spec"),
    ("Service", "spec: {type: ExternalName, externalName: 'https://a.org'}", "spec.externalName"),
    ("Service", "spec: {type: ExternalName, externalName: a.org.}", ""),
    ("Service", "spec: {externalTrafficPolicy: Local}", "spec.externalTrafficPolicy"),
    ("Ingress", "spec: {rules: []}", "spec"),
    ("Ingress", "spec: {rules: [{host: a.org, http: {paths: []}}]}", "spec.rules[0].http"),
    (
        "Ingress",
        "spec: {rules: [{host: a.org}], defaultBackend: {service: {name: a, port: {number: 1}}}}",
        "",
    ),
    ("Ingress", _BACKEND.format("a", "Prefix", "web", "{number: 80}"), f"{_BEHIND}.path"),
    ("Ingress", _BACKEND.format("/a//b", "Prefix", "web", "{number: 80}"), f"{_BEHIND}.path"),
    ("Ingress", _BACKEND.format("/a/..", "Exact", "web", "{number: 80}"), f"{_BEHIND}.path"),
    ("Ingress", _BACKEND.format("/a//(.*)", "ImplementationSpecific", "web", "{number: 80}"), ""),
    ("Ingress", _BACKEND.format("/a..b/.c", "Prefix", "web", "{name: http}"), ""),
    ("Ingress", _BACKEND.format("/", "prefix", "web", "{number: 80}"), f"{_BEHIND}.pathType"),
    ("Ingress", _BACKEND.format("/", "Prefix", "web_1", "{number: 80}"), f"{_BEHIND}.backend.service.name"),
    (
        "Ingress",
        _BACKEND.format("/", "Prefix", "web", "{number: 0}"),
        f"{_BEHIND}.backend.service.port.number",
    ),
    ("Ingress", "spec: {tls: [{hosts: [a.org], secretName: A_B}]}", "spec.tls[0].secretName"),
    ("Ingress", "spec: {rules: [{host: a..org}]}", "spec.rules[0].host"),
    ("Ingress", "spec: {rules: [{host: 10.0.0.1}]}", "spec.rules[0].host"),
    ("Ingress", "spec: {rules: [{host: '*.10.0.0.1.nip.io'}]}", ""),
    ("Ingress", _BACKEND.format("/", "Prefix", "web", "{}"), f"{_BEHIND}.backend.service.port"),
    (
        "Ingress",
        _BACKEND.format("/", "Prefix", "web", "{name: a, number: 1}"),
        f"{_BEHIND}.backend.service.port",
    ),
    ("Ingress", "spec: {tls: [{hosts: ['https://a.org'], secretName: a}]}", "spec.tls[0].hosts[0]"),
    ("Ingress", "spec: {tls: [{hosts: ['*.org', a.org], secretName: a}]}", ""),
    ("Ingress", "spec: {ingressClassName: My_Class}", "spec.ingressClassName"),
    (
        "Ingress",
        "{metadata: {annotations: {kubernetes.io/ingress.class: alb}}, spec: {ingressClassName: nginx}}",
        "spec.ingressClassName",
    ),
    (
        "Ingress",
        "{metadata: {annotations: {kubernetes.io/ingress.class: nginx}}, spec: {ingressClassName: nginx}}",
        "",
    ),
    ("NetworkPolicy", _PEER.format("{ipBlock: {cidr: 10.0.0.1}}"), "spec.ingress[0].from[0].ipBlock.cidr"),
    ("NetworkPolicy", _PEER.format("{ipBlock: {cidr: 10.0.0.0/33}}"), "spec.ingress[0].from[0].ipBlock.cidr"),
    (
        "NetworkPolicy",
        _PEER.format("{ipBlock: {cidr: 10.0.0.0/8, except: ['10.1']}}"),
        "spec.ingress[0].from[0].ipBlock.except[0]",
    ),
    (
        "NetworkPolicy",
        _PEER.format("{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}"),
        "spec.ingress[0].from[0]",
    ),
    ("NetworkPolicy", _PEER.format("{}"), "spec.ingress[0].from[0]"),
    ("NetworkPolicy", _PEER.format("{ipBlock: {cidr: '::/0', except: ['fd00::/8']}}"), ""),
    ("NetworkPolicy", _PEER.format("{podSelector: {}, namespaceSelector: {}}"), ""),
    ("NetworkPolicy", _PORT.format("{port: 0}"), "spec.egress[0].ports[0].port"),
    ("NetworkPolicy", _PORT.format("{port: 80, endPort: 79}"), "spec.egress[0].ports[0].endPort"),
    ("NetworkPolicy", _PORT.format("{endPort: 79}"), "spec.egress[0].ports[0].endPort"),
    ("NetworkPolicy", _PORT.format("{port: dns, protocol: UDP}, {port: 80, endPort: 80}"), ""),
    ("NetworkPolicy", "spec: {policyTypes: [ingress]}", "spec.policyTypes[0]"),
    (
        "NetworkPolicy",
        "spec: {podSelector: {matchExpressions: [{key: a, operator: NotIn}]}}",
        "spec.podSelector.matchExpressions[0]",
    ),
    ("Service", "spec: {ports: [{port: 80, nodePort: 0}]}", ""),
    ("Service", "spec: {ports: [{name: a, port: 80}, {name: a, port: 81}]}", "spec.ports[1].name"),
    ("Service", "spec: {ports: [{name: a, port: 80}, {name: b, port: 80}]}", "spec.ports[1].port"),
    ("Service", "spec: {ports: [{name: a, port: 80}, {name: b, port: 80, protocol: UDP}]}", ""),
    ("Service", "spec: {externalTrafficPolicy: Local, externalIPs: [10.0.0.1]}", ""),
    ("Service", "spec: {externalTrafficPolicy: Local, type: NodePort}", ""),
    ("Ingress", "spec: {rules: [{host: 10.0.0.1.nip.io}]}", ""),
    ("Ingress", "spec: {defaultBackend: {resource: {kind: B, name: b}}}", ""),
    (
        "Ingress",
        "spec: {defaultBackend: {resource: {kind: B, name: b}, service: {name: a, port: {number: 1}}}}",
        "spec.defaultBackend",
    ),
    # rights
    ("RoleBinding", "roleRef: {apiGroup: rbac}", "roleRef.apiGroup"),
    ("RoleBinding", "roleRef: {apiGroup: rbac.authorization.k8s.io/v1}", "roleRef.apiGroup"),
    ("RoleBinding", "roleRef: {kind: role}", "roleRef.kind"),
    ("RoleBinding", 'roleRef: {apiGroup: ""}', ""),
    ("RoleBinding", "subjects: [{kind: User, name: a, apiGroup: rbac}]", "subjects[0].apiGroup"),
    (
        "RoleBinding",
        "subjects: [{kind: ServiceAccount, name: a, apiGroup: rbac.authorization.k8s.io}]",
        "subjects[0].apiGroup",
    ),
    ("RoleBinding", "subjects: [{kind: user, name: a}]", "subjects[0].kind"),
    ("RoleBinding", "subjects: [{kind: ServiceAccount, name: a}, {kind: Group, name: b}]", ""),
    ("ClusterRoleBinding", "subjects: [{kind: ServiceAccount, name: a}]", "subjects[0]"),
    ("ClusterRoleBinding", "roleRef: {kind: Role}", "roleRef.kind"),
    ("ClusterRoleBinding", "subjects: [{kind: ServiceAccount, name: a, namespace: b, apiGroup: ''}]", ""),
    ("Role", "rules: [{resources: [pods], verbs: [get]}]", "rules[0]"),
    ("Role", "rules: [{apiGroups: [apps], resources: [pods], verbs: []}]", "rules[0]"),
    ("Role", "rules: [{nonResourceURLs: [/healthz], verbs: [get]}]", "rules[0].nonResourceURLs"),
    (
        "ClusterRole",
        "rules: [{nonResourceURLs: [/a], apiGroups: [''], resources: [pods], verbs: [get]}]",
        "rules[0]",
    ),
    ("ClusterRole", "rules: [{nonResourceURLs: [/healthz], verbs: [get]}]", ""),
    # what is stored
    (
        "PersistentVolumeClaim",
        "spec: {resources: {requests: {storage: 0}}}",
        "spec.resources.requests[storage]",
    ),
    (
        "PersistentVolumeClaim",
        "spec: {resources: {requests: {storage: 10GB}}}",
        "spec.resources.requests[storage]",
    ),
    (
        "PersistentVolumeClaim",
        "spec: {resources: {requests: {storage: -1Gi}}}",
        "spec.resources.requests[storage]",
    ),
    ("PersistentVolumeClaim", "spec: {accessModes: [ReadWriteOncePod, ReadWriteOnce]}", "spec.accessModes"),
    ("PersistentVolumeClaim", "spec: {accessModes: [readWriteOnce]}", "spec.accessModes[0]"),
    ("PersistentVolumeClaim", "spec: {storageClassName: Fast_Disk}", "spec.storageClassName"),
    ("PersistentVolumeClaim", "spec: {storageClassName: '', volumeMode: Block}", ""),
    ("PersistentVolumeClaim", "spec: {accessModes: []}", "spec"),
    ("PersistentVolumeClaim", "spec: {resources: {requests: {storage: null}}}", "spec"),
    ("StorageClass", "reclaimPolicy: Recycle", "reclaimPolicy"),
    ("StorageClass", "volumeBindingMode: waitForFirstConsumer", "volumeBindingMode"),
    ("StorageClass", "reclaimPolicy: Retain", ""),
    ("ConfigMap", "binaryData: {c: '%%'}", "binaryData[c]"),
    ("ConfigMap", "binaryData: {a: aGk=}", "binaryData[a]"),
    ("ConfigMap", "data: {a/b: c}", "data[a/b]"),
    ("ConfigMap", "binaryData: {c: aGk=}", ""),
    ("Secret", "data: {a: '%%'}", "data[a]"),
    (
        "Secret",
        "{type: kubernetes.io/dockerconfigjson, stringData: {.dockerconfigjson: a}}",
        "stringData[.dockerconfigjson]",
    ),
    ("Secret", "{type: kubernetes.io/dockerconfigjson, stringData: {.dockerconfigjson: '{}'}}", ""),
    ("Secret", "type: kubernetes.io/basic-auth, stringData: {user: a}", "data"),
    ("Secret", "type: kubernetes.io/basic-auth, stringData: {password: a}", ""),
    ("Secret", "type: kubernetes.io/tls, stringData: {tls.crt: a}", "data"),
    ("Secret", "type: kubernetes.io/service-account-token", "metadata.annotations"),
    (
        "Secret",
        (
            "type: kubernetes.io/service-account-token, "
            "metadata: {annotations: {kubernetes.io/service-account.name: a}}"
        ),
        "",
    ),
)
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
