"""What fuzzing begins from: inputs, manifests and answers as they are when nothing is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Mapping

from tests.fuzz.mutations import Json

VALUES: Mapping[str, Json] = {
    "app": "nginx",
    "domains": [
        {
            "host": "www.example.com",
            "image": "example.com/web/www:1704448623620-427",
            "replicas": 2,
            "load_balancers": ["lb-g9buwd3i", "lb-2"],
            "volumes": [
                {"name": "logs", "host_path": "/data/logs", "mount_path": "/var/log", "read_only": True}
            ],
            "env": {"MODE": "release"},
            "resources": {"limits": {"cpu": "500m", "memory": "128Mi"}},
            "readiness": {"path": "/", "period": 5},
        },
        {
            "host": "news.example.com",
            "image": "example.com/web/news@sha256:" + "0" * 64,
            "load_balancers": ["lb-2"],
            "node_port": 30080,
            "branch_paths": True,
        },
    ],
    "image_pull_secrets": ["registry"],
    "main_branches": ["main", "trunk"],
}

SMALL: Mapping[str, Json] = {
    "app": "nginx",
    "domains": [
        {
            "host": "news.example.com",
            "image": "example.com/web/news:1",
            "load_balancers": ["lb-2"],
            "branch_paths": True,
        }
    ],
}
"""One domain whose paths belong to branches: the least that has all of a plan's parts."""

VALUES_TEXT = json.dumps(VALUES)

YAML_TEXTS = (
    VALUES_TEXT,
    """\
app: nginx
domains: &all
  - {host: www.example.com, image: 'example.com/www:1', load_balancers: [lb-g9buwd3i]}
  - host: news.example.com   # a comment
    image: "example.com/news:{{ TAG }}"
more: *all
base: &base {a: 1, b: 0x1F, c: 1.50, d: y, e: ~}
over:
  <<: *base
  b: !!str 7
text: |+
  two
  lines

folded: >-
  one
  line
? complex
: "quoted \\u00e9 \\x41"
""",
    "%YAML 1.1\n---\na: 1\n...\n---\n- b\n- [c, {d: e}]\n--- |\n text\n",
    "\ufeffkey: 'it''s'\n\"k\\ney\": 1e3\n",
)

MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}, annotations: {note: "1"}}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: main
          image: example.com/web:1
          ports: [{name: http, containerPort: 80}]
          env: [{name: A, value: b}]
          volumeMounts: [{name: v, mountPath: /v}]
      volumes: [{name: v, configMap: {name: c}}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: NodePort
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: http, nodePort: 30001}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  tls: [{hosts: [api.example.com], secretName: api.example.com.cert}]
  rules:
    - host: api.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: web, port: {name: http}}}
---
apiVersion: v1
kind: Secret
metadata: {name: s}
stringData: {password: hunter2}
data: {token: aHVudGVyMg==}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data: {a: "{{ TAG }}"}
"""

LIST = "apiVersion: v1\nkind: List\nitems:\n  - {kind: Ingress, spec: {rules: [{http: {paths: [{}]}}]}}\n"

ROUTES = """\
# news.example.com: what leads to its pods.
apiVersion: v1
kind: Service
metadata: {name: service-nginx-news-example-com, labels: {}, annotations: {}}
spec:
  type: NodePort
  selector: {k8s-app: deployment.nginx.news.example.com}
  ports: [{name: http, port: 80, protocol: TCP, targetPort: container, nodePort: 30080}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: ingress-news.example.com-0
  annotations:
    kubernetes.io/ingress.class: "qcloud"
    bcs-template-set/branches: '[{"path":"/","branch":"main","pipeline":"p-1","build":6,"by":"lisi"},\
{"path":"/dev/","branch":"dev","pipeline":"p-1","build":5,"by":"wangwu"}]'
spec:
  rules:
    - host: news.example.com
      http:
        paths:
          - backend: {service: {name: service-nginx-news-example-com, port: {number: 80}}}
            path: /
            pathType: Prefix
          - backend: {service: {name: service-nginx-news-example-com, port: {number: 80}}}
            path: /dev/
            pathType: Prefix
          - backend: {service: {name: other, port: {name: http}}}
            path: /by-hand
            pathType: Exact
"""

DESCRIPTIONS = (
    (
        "bk-ci pipeline=p-1 build=12 branch=feature/login commit=0123 started-by=wangwu acting-as=lisi"
        f" sha256={'0' * 64} link=https://ci.example.com/b-12 base={'5' * 24},{'6' * 24}"
    ),
    "bk-ci pipeline=%E4%BD%A0 build=0 branch=a%20b base=none",
    "fix the login page",
    "bk-ci",
)

REGIONS = """\
gz:
  gateway: https://bkapi.example.com/api/bcs-api-gateway/prod
  path_prefix: /v4
  console_url: https://bcs.example.com
  app_code: my_app
  app_secret: "SECRET-0"
  owner: zhangsan
  users:
    lisi: {app_code: lisi_app, app_secret: "SECRET-1"}
  ca_bundle: ""
  tenant_id: default
  connect_timeout: 5
  read_timeout: 65.5
  concurrency: 8
  progress_detail: false
sh: {gateway: "http://10.0.0.1", app_code: a, app_secret: 'SECRET-2'}
"""
