"""The edges of the checks: what is just right, just wrong, or none of a check's business, and how it is said.

Found missing by mutation (tests/mutation): each of these could change without a test noticing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

import pytest
from tests.support.building import findings_of, manifest

from bcs_template_set.manifests.checks.finding import Finding, allows
from bcs_template_set.manifests.checks.telling import told_lines
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.messages import say


def found(*texts: str, check: str = "", domain: str = "", template_set: bool = False) -> list[Finding]:
    """Return the findings in files of these texts, all or those of one check."""
    files = [manifest(text, name=f"{name}.yaml", domain=domain) for name, text in zip("abc", texts)]
    every = findings_of(*files, template_set=template_set)
    return [finding for finding in every if check in ("", finding.id)]


def fields(texts: str, *, check: str) -> list[str]:
    return [finding.field for finding in found(texts, check=check)]


def said(finding: Finding) -> tuple[str, Mapping[str, object]]:
    """Return which sentence a finding is, and what it speaks of."""
    return finding.message.key.partition(".")[2], finding.message.fields


def deployment(
    *, selector: str = "{app: web}", labels: str = "{app: web}", namespace: str = "", ports: str = "[]"
) -> str:
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web{namespace and f", namespace: {namespace}"}}}
spec:
  selector: {{matchLabels: {selector}}}
  template:
    metadata: {{labels: {labels}}}
    spec: {{containers: [{{name: web, image: "r/w:1", ports: {ports}}}]}}
"""


def service(*, selector: str = "{app: web}", ports: str = "[{port: 80}]", namespace: str = "") -> str:
    return f"""\
apiVersion: v1
kind: Service
metadata: {{name: web{namespace and f", namespace: {namespace}"}}}
spec: {{selector: {selector}, ports: {ports}}}
"""


def ingress(backend: str, *, version: str = "networking.k8s.io/v1") -> str:
    return f"""\
apiVersion: {version}
kind: Ingress
metadata: {{name: web}}
spec:
  rules: [{{host: a.example.com, http: {{paths: [{{path: /, pathType: Prefix, backend: {backend}}}]}}}}]
"""


# --- findings -------------------------------------------------------------------------------------------


def make_finding(*, file: str = "a.yaml", document: str = "Service/web", field: str = "spec") -> Finding:
    return Finding("id", file, document, field, say("checks.name_twice"), say("checks.name_twice"))


@pytest.mark.parametrize(
    ("document", "field", "place"),
    [
        ("Service/web", "spec", ["a.yaml", "Service/web spec"]),
        ("Service/web", "", ["a.yaml", "Service/web"]),
        ("", "", ["a.yaml"]),
        ("?/?", "", ["a.yaml"]),
    ],
)
def test_a_place_is_named_as_far_as_it_is_known(document: str, field: str, place: list[str]) -> None:
    assert told_lines([make_finding(document=document, field=field)])[0].fields["place"] == place


def test_findings_go_by_file_document_and_field() -> None:
    wanted = [
        make_finding(file="a", document="a", field="b"),
        make_finding(file="a", document="b", field="a"),
        make_finding(file="b", document="a", field="a"),
    ]
    given = [wanted[1], wanted[2], wanted[0]]
    assert sorted(given, key=Finding.order) == wanted


@pytest.mark.parametrize(
    ("comment", "allowed"),
    [
        ("# bcs-template-set: allow node-port", True),
        ("# bcs-template-set: allow label,node-port", True),
        ("#bcs-template-set:allow label\n# bcs-template-set: allow node-port", True),
        ("# bcs-template-set: allow node-ports", False),
        ("# bcs-template-set: allow label", False),
        ("# allow node-port", False),
        ("", False),
    ],
)
def test_a_file_is_left_out_of_a_check_by_a_comment_of_ours_that_names_it(
    comment: str, *, allowed: bool
) -> None:
    text = service(ports="[{port: 80, nodePort: 1}]") + comment + "\n"
    file = manifest(text)
    assert allows(file, "node-port") is allowed
    assert allows(ManifestFile("other.yaml", "", "other", ()), "node-port") is False
    assert (found(text, check="node-port") == []) is allowed


# --- files and variables --------------------------------------------------------------------------------


def test_a_file_by_a_name_that_bcs_refuses_is_meant_as_a_whole() -> None:
    (finding,) = findings_of(manifest(service(), name="a:b"))
    assert (finding.id, finding.file, finding.field, said(finding)[0]) == (
        "file-name",
        "a:b",
        "",
        "named_wrong",
    )


@pytest.mark.parametrize(
    ("length", "shown"), [(59, "n" * 59), (60, "n" * 60), (61, "n" * 60 + "…"), (70, "n" * 60 + "…")]
)
def test_a_leftover_is_shown_by_no_more_than_sixty_of_its_characters(length: int, shown: str) -> None:
    (finding,) = found(f"# {{{{ {'n' * length} }}}}\n" + service(), check="leftover-variable")
    assert finding.field == ""
    assert finding.message.fields == {"braced": f"{{{{ {shown} }}}}", "line": 1}


@pytest.mark.parametrize(("before", "line"), [("", 1), ("# x\n", 2), ("\n\n", 3)])
def test_a_brace_that_helm_would_read_is_found_on_its_line_from_the_first_on(before: str, line: int) -> None:
    text = before + "{{ x }}: 1\n"
    (finding,) = [
        finding
        for finding in findings_of(ManifestFile("a.yaml", text, "a", ()), template_set=True)
        if finding.id == "template-set-variable"
    ]
    assert (finding.field, finding.message.fields) == ("", {"line": line})


def test_a_file_without_braces_is_right_for_a_template_set() -> None:
    assert found(service(), template_set=True) == []


@pytest.mark.parametrize(
    ("kind", "name", "shown"),
    [
        ("Secret", "hunter 2", "***"),
        ("Secret", "PASSWORD", "PASSWORD"),
        ("ConfigMap", "hunter 2", "hunter 2"),
    ],
)
def test_a_leftover_in_a_secret_is_shown_only_where_it_is_a_name(kind: str, name: str, shown: str) -> None:
    text = f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: x}}\ndata: {{a: '{{{{ {name} }}}}'}}\n"
    (finding,) = found(text, check="leftover-variable")
    assert finding.message.fields["braced"] == f"{{{{ {shown} }}}}"


@pytest.mark.parametrize("image", ["r/web:latest"])
def test_an_image_that_changes_without_a_new_version_is_said(image: str) -> None:
    (finding,) = found(deployment().replace("r/w:1", image), check="image-tag")
    assert said(finding) == ("image_latest", {"image": image})


# --- what objects say of each other ---------------------------------------------------------------------


def test_a_kind_without_a_selector_of_its_own_is_not_judged_by_one() -> None:
    job = deployment(selector="{app: other}").replace("Deployment", "Job").replace("apps/v1", "batch/v1")
    assert found(job, check="pod-selector") == []
    assert len(found(deployment(selector="{app: other}"), check="pod-selector")) == 1


@pytest.mark.parametrize(
    ("labels", "shown"),
    [("{}", "-"), ("{app: other}", "other"), ("{app: " + "x" * 81 + "}", "x" * 80)],
)
def test_a_selector_that_misses_says_what_the_pods_have(labels: str, shown: str) -> None:
    (finding,) = found(deployment(labels=labels), check="pod-selector")
    assert finding.message.fields == {"key": "app", "given": "web", "found": shown}


@pytest.mark.parametrize(
    "selector",
    ["{}", '{app: "{{ N }}", tier: x}', '{app: web, tier: "{{ N }}"}', "{role: web}"],
)
def test_a_selector_that_is_empty_unknown_or_of_other_labels_is_no_finding(selector: str) -> None:
    labels = "{app: web, tier: front}"
    assert found(deployment(labels=labels), service(selector=selector), check="service-selector") == []


def test_a_service_that_selects_no_pod_of_the_run_is_said_with_its_selector() -> None:
    text = service(selector="{app: web, tier: back}")
    (finding,) = found(deployment(labels="{app: web, tier: front}"), text, check="service-selector")
    assert finding.message.fields == {"selector": ["app=web", "tier=back"]}


def test_a_service_selects_whatever_namespace_it_names_since_bcs_writes_over_it() -> None:
    assert found(deployment(), service(namespace="other"), check="service-selector") == []


def test_ports_are_looked_for_only_at_the_pods_that_all_labels_select() -> None:
    """What is selected by one label and not by the other has no say about ports."""
    pods = deployment(labels="{app: web, tier: front}", selector="{tier: front}", ports="[{name: http}]")
    text = service(selector="{app: web, tier: back}", ports="[{port: 80, targetPort: other}]")
    assert found(pods, text, check="service-port") == []


def test_a_service_without_a_selector_has_its_pods_elsewhere() -> None:
    text = service(selector="{}", ports="[{port: 80, targetPort: other}]")
    assert found(deployment(), text, check="service-port") == []


def test_a_target_port_that_no_container_has_is_said_with_those_there_are() -> None:
    ports = "[{name: b, containerPort: 1}, {name: a, containerPort: 2}]"
    text = service(ports="[{port: 80, targetPort: c}]")
    (finding,) = found(deployment(ports=ports), text, check="service-port")
    assert (finding.field, finding.message.fields) == (
        "spec.ports[0].targetPort",
        {"port": "c", "known": ["a", "b"]},
    )


@pytest.mark.parametrize(
    "backend", ["{}", '{service: {name: "{{ N }}", port: {number: 1}}}', "{service: {port: {number: 1}}}"]
)
def test_a_backend_whose_service_is_not_named_yet_is_not_looked_for(backend: str) -> None:
    assert found(ingress(backend), domain="a.example.com", check="ingress-service") == []


@pytest.mark.parametrize(
    ("backend", "missing"),
    [
        ("{service: {name: web, port: {number: 80}}}", None),
        ("{service: {name: web, port: {name: one}}}", None),
        ("{serviceName: web, servicePort: 80}", None),
        ("{serviceName: web, servicePort: one}", None),
        ("{service: {name: web, port: {number: 81}}}", 81),
        ("{service: {name: web, port: {name: two}}}", "two"),
        ("{serviceName: web, servicePort: 81}", 81),
        ("{service: {name: web}}", None),
        ("{service: {name: web, port: {number: [1]}}}", None),
        ('{service: {name: web, port: {name: "{{ N }}"}}}', None),
    ],
)
def test_a_backend_names_a_port_of_its_service_by_number_or_name(
    backend: str, missing: Optional[object]
) -> None:
    findings = found(service(ports="[{port: 80, name: one}]"), ingress(backend), check="ingress-service")
    assert [finding.message.fields["port"] for finding in findings] == ([] if missing is None else [missing])
    assert all(finding.message.fields["known"] == ["80", "one"] for finding in findings)


@pytest.mark.parametrize(
    ("ports", "count"), [('[{port: "{{ N }}"}]', 0), ("[{port: 1.5}, {name: [a]}]", 1), ("[]", 0)]
)
def test_a_port_of_a_service_that_bcs_fills_in_may_be_any(ports: str, count: int) -> None:
    text = ingress("{service: {name: web, port: {number: 80}}}")
    findings = found(service(ports=ports), text, check="ingress-service")
    assert len(findings) == count
    assert all(finding.message.fields["known"] == ["-"] for finding in findings)


# --- names and labels -----------------------------------------------------------------------------------


def named(kind: str, name: str, *, spec: str = "{}") -> str:
    return f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n"


@pytest.mark.parametrize(
    ("kind", "name", "right"),
    [
        ("Role", "'system:node'", True),
        ("RoleBinding", "'system:node'", True),
        ("ClusterRole", "'system:node'", True),
        ("ClusterRoleBinding", "'system:node'", True),
        ("ConfigMap", "'system:node'", False),
        ("ConfigMap", "a.b", True),
        ("ConfigMap", "1a", True),
        ("Namespace", "a.b", False),
        ("Namespace", "1a", True),
        ("Service", "1a", True),
        ("Service", "a.b", False),
        ("CronJob", "c_c", False),
        ("ConfigMap", "c" * 53, True),
    ],
)
def test_each_kind_has_a_rule_for_its_names(kind: str, name: str, *, right: bool) -> None:
    assert (found(named(kind, name), check="object-name") == []) is right


@pytest.mark.parametrize(
    ("api_version", "kind", "spec", "longest", "reason"),
    [
        ("batch/v1", "CronJob", "{}", 52, "job"),
        ("batch/v1", "Job", "{}", 63, "label"),
        ("batch/v1", "Job", "{completions: 11}", 63, "label"),
        ("batch/v1", "Job", "{completionMode: Indexed, completions: 10}", 61, "index"),
        ("batch/v1", "Job", "{completionMode: Indexed, completions: 11}", 60, "index"),
        ("batch/v1", "Job", "{completionMode: Indexed, completions: '{{ N }}'}", 63, "label"),
        ("apps/v1", "StatefulSet", "{}", 52, "revision"),
        ("tkex.tencent.com/v1alpha1", "GameStatefulSet", "{}", 52, "revision"),
        ("apps/v1", "Deployment", "{}", 242, "replica_set"),
        ("apps/v1", "DaemonSet", "{}", 253, ""),
        ("example.com/v1", "Job", "{}", 300, ""),
        ("example.com/v1", "Job", "{completionMode: Indexed, completions: 10}", 300, ""),
    ],
)
def test_a_name_leaves_room_for_those_that_kubernetes_makes_of_it(
    api_version: str, kind: str, spec: str, longest: int, reason: str
) -> None:
    def problems(length: int) -> list[Finding]:
        return found(named(kind, "c" * length, spec=spec).replace("v1", api_version, 1), check="object-name")

    assert problems(longest) == []
    if reason:
        (finding,) = problems(longest + 1)
        why = {"reason": say(f"checks.derived_{reason}"), "length": longest + 1, "limit": longest}
        assert said(finding) == ("name_derived", why)


@pytest.mark.parametrize("key", ["name", "namespace"])
@pytest.mark.parametrize(
    ("value", "given"),
    [("true", "boolean"), ("no", "boolean"), ("1e5", "number"), ("[hunter2]", "list")],
)
def test_of_a_name_that_is_no_text_the_type_is_told_and_not_the_value(
    key: str, value: str, given: str
) -> None:
    text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, {key}: {value}}}\n".replace(
        "name: a, name", "name"
    )
    (finding,) = found(text, check="object-name")
    assert (finding.field, *said(finding)) == (
        f"metadata.{key}",
        "text_needed",
        {"given": say(f"checks.type_{given}")},
    )


@pytest.mark.parametrize(("value", "given"), [("yes", "boolean"), ("1", "integer")])
def test_of_labels_and_annotations_that_are_no_text_the_type_is_told(value: str, given: str) -> None:
    metadata = f"{{name: a, labels: {{l: {value}}}, annotations: {{a: {value}}}}}"
    text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {metadata}\n"
    assert [(f.id, f.field, f.message.fields["given"]) for f in found(text)] == [
        ("annotation", "metadata.annotations[a]", say(f"checks.type_{given}")),
        ("label", "metadata.labels[l]", say(f"checks.type_{given}")),
    ]


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("Deployment", ["spec.selector.matchLabels[l]"]),
        ("DaemonSet", ["spec.selector.matchLabels[l]"]),
        ("Job", []),
        ("PersistentVolumeClaim", []),
    ],
)
def test_labels_of_a_selector_are_labels_where_it_is_the_kinds_own(kind: str, fields: list[str]) -> None:
    text = named(kind, "a", spec='{selector: {matchLabels: {l: "-"}}}')
    assert [finding.field for finding in found(text, check="label")] == fields


@pytest.mark.parametrize(
    ("kind", "fields"), [("Service", ["spec.selector[l]"]), ("ReplicationController", [])]
)
def test_a_services_selector_is_labels(kind: str, fields: list[str]) -> None:
    text = named(kind, "a", spec='{selector: {l: "-"}}')
    assert [finding.field for finding in found(text, check="label")] == fields


def test_a_pods_own_labels_are_found_once() -> None:
    text = 'apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {l: "-"}}\nspec: {containers: []}\n'
    assert fields(text, check="label") == ["metadata.labels[l]"]


# --- what has to be there -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        (
            named("CronJob", "a", spec="{schedule: '* * * * *'}"),
            ["spec.jobTemplate.spec.template.spec.containers"],
        ),
        (named("CronJob", "a"), ["spec.jobTemplate.spec.template.spec.containers", "spec.schedule"]),
        (named("Pod", "a"), ["spec.containers"]),
        (named("Ingress", "a"), ["spec"]),
        (named("Ingress", "a", spec="''"), ["spec"]),
        (named("Ingress", "a", spec="[]"), ["spec"]),
        (named("Service", "a"), ["spec"]),
        (named("Service", "a", spec="{type: ExternalName}"), []),
        (named("Service", "a", spec="{clusterIP: None}"), []),
        (named("Service", "a", spec="{clusterIP: ''}"), ["spec.ports"]),
        (named("Service", "a", spec="{ports: [{port: ''}]}"), ["spec.ports[0].port"]),
        (
            named("Service", "a", spec="{ports: [{port: 1, name: ''}, {port: 2, name: b}]}"),
            ["spec.ports[0].name"],
        ),
        (named("ConfigMap", "a", spec="{rules: [{http: {paths: [{path: /}]}}]}"), []),
        (named("List", "''"), []),
        ("kond: a\nmetadata: {}\n", []),
    ],
)
def test_what_each_kind_must_have(text: str, missing: list[str]) -> None:
    assert fields(text, check="required-field") == missing


@pytest.mark.parametrize(
    ("text", "said_of_it"),
    [
        ("Kind: A", "has Kind and no kind; BCS would skip it without a word. Did you mean kind?"),
        ("knid: A", "has knid and no kind; BCS would skip it without a word. Did you mean kind?"),
        ("data: {kind: A}", "has no kind; BCS would skip it without a word."),
        ("kind: ''\nKind: A", "has no kind; BCS would skip it without a word."),
        (
            "kind: A\nmetadata: {name: a}\nApiVersion: v1",
            "A needs it, and has ApiVersion. Did you mean apiVersion?",
        ),
        ("kind: A\napiVersion: a.io/v1\nmetdata: {}", "A needs it, and has metdata. Did you mean metadata?"),
        ("kind: A\napiVersion: a.io/v1\ndata: {}", "is missing or empty; A needs it."),
    ],
)
def test_a_key_of_every_object_that_is_misspelt_is_told_with_the_one_that_was_meant(
    text: str, said_of_it: str
) -> None:
    (finding,) = found(text)
    assert finding.message.render("en_US").endswith(said_of_it)


@pytest.mark.parametrize(("kind", "sentence"), [("List", "list_kind"), ("''", "missing-kind")])
def test_a_list_is_told_from_what_has_no_kind(kind: str, sentence: str) -> None:
    (finding,) = found(named(kind, "a"), check="missing-kind")
    assert said(finding)[0] == sentence


@pytest.mark.parametrize(
    "text",
    ["kond: a\nmetadata: {name: a}\n", "kind: ConfigMap\n", 'kind: ConfigMap\nmetadata: {name: "{{ N }}"}\n'],
)
def test_what_has_no_kind_or_no_name_yet_is_nobodys_double(text: str) -> None:
    assert found(text, text, check="duplicate-object") == []


@pytest.mark.parametrize(
    ("value", "given"), [("yes", "boolean"), ("80", "integer"), ("{a: hunter2}", "object")]
)
def test_an_environment_variable_that_is_no_text_is_said_by_its_name(value: str, given: str) -> None:
    text = deployment().replace("ports: []", f"env: [{{name: PORT, value: {value}}}]")
    (finding,) = found(text, check="env-value")
    assert finding.message.fields == {"name": "PORT", "given": say(f"checks.type_{given}")}


# --- what is served -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "right"),
    [("29999", False), ("30000", True), ("32767", True), ("32768", False), ("65535", False), ("yes", True)],
)
def test_node_ports_have_bounds(number: str, *, right: bool) -> None:
    findings = found(service(ports=f"[{{port: 80, nodePort: {number}}}]"), check="node-port")
    assert (findings == []) is right


def test_a_node_port_out_of_the_usual_range_is_a_warning_and_one_asked_for_twice_an_error() -> None:
    ports = "[{name: a, port: 80, nodePort: 1}, {name: b, port: 81, nodePort: 1}]"
    findings = found(service(ports=ports), check="node-port")
    assert [(said(finding)[0], finding.is_warning) for finding in findings] == [
        ("node_port_range", True),
        ("node_port_range", True),
        ("node_port_twice", False),
    ]


@pytest.mark.parametrize(("protocol", "count"), [("TCP", 1), ("UDP", 0)])
def test_a_port_without_a_protocol_is_of_tcp(protocol: str, count: int) -> None:
    one, two = (
        "name: a, port: 80, nodePort: 30080",
        f"name: b, port: 81, nodePort: 30080, protocol: {protocol}",
    )
    ports = f"[{{{one}}}, {{{two}}}]"
    assert len(found(service(ports=ports), check="node-port")) == count


@pytest.mark.parametrize(
    ("host", "secured", "count"),
    [
        ("a.example.com", "b.example.com", 1),
        ("a.example.com", '"{{ N }}"', 0),
        ('"{{ N }}"', "b.example.com", 0),
        ("a.example.com", "'*.example.com'", 0),
        ("a.example.org", "'*.example.com'", 1),
    ],
)
def test_a_certificates_host_is_served_or_can_not_be_judged(host: str, secured: str, count: int) -> None:
    text = ingress("{service: {name: web, port: {number: 80}}}").replace("a.example.com", host)
    text = text.replace("  rules:", f"  tls: [{{secretName: s, hosts: [{secured}]}}]\n  rules:")
    assert len(found(text, check="ingress-tls")) == count


def test_a_clash_of_routes_is_meant_for_the_rules() -> None:
    one, two = (ingress(f"{{service: {{name: {name}, port: {{number: 80}}}}}}") for name in ("one", "two"))
    (finding,) = found(one, two.replace("name: web", "name: web-1"), check="route-clash")
    assert (finding.file, finding.field) == ("b.yaml", "spec.rules")


@pytest.mark.parametrize(("old", "new"), [("name: two", 'name: "{{ N }}"'), ("path: /", 'path: "{{ N }}"')])
def test_a_route_that_bcs_fills_in_clashes_with_none(old: str, new: str) -> None:
    one, two = (ingress(f"{{service: {{name: {name}, port: {{number: 80}}}}}}") for name in ("one", "two"))
    texts = [text.replace(old, new) for text in (one, two.replace("name: web", "name: web-1"))]
    assert found(*texts, check="route-clash") == []
