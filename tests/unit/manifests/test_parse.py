from __future__ import annotations

import re
from typing import Optional

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.building import VALUES_OF_ANY_KIND

from bcs_template_set.manifests.parse import (
    Document,
    bcs_variables_in,
    parse_documents,
    parse_foreign,
    with_variables,
    yaml_of,
)
from bcs_template_set.manifests.parser_words import YamlUnreadable
from bcs_template_set.manifests.pod_templates import objects_of
from bcs_template_set.manifests.routes import Route, images_of, node_ports_of, routes_of
from bcs_template_set.manifests.yaml_reading import YamlValue, dump_yaml

INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: i}
spec:
  rules:
    - host: b.example.com
      http:
        paths:
          - {path: /api, pathType: Prefix, backend: {service: {name: s, port: {number: 80}}}}
          - {pathType: Prefix, backend: {service: {name: t, port: {number: 80}}}}
    - http: {paths: [{path: /x, backend: {serviceName: old, servicePort: 80}}]}
    - host: no-paths.example.com
"""


def parse(text: str) -> tuple[Document, ...]:
    return parse_documents(text, source="a.yaml")


def test_documents_come_with_what_messages_speak_of() -> None:
    text = "# top\napiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: ns}\n---\n---\nkind: Pod\n"
    first, second = parse(text)
    assert (first.kind, first.api_version, first.name, first.namespace, first.line) == (
        "Service",
        "v1",
        "s",
        "ns",
        2,
    )
    assert first.title == "Service/s"
    assert (second.title, second.line) == ("Pod/?", 7)
    assert "'ns'" in repr(first)
    assert "body" not in repr(first)
    (document,) = parse("apiVersion: apps/v1\nmetadata: {name: d}\n")
    assert [one.group for one in (first, second, document)] == ["", "", "apps"]
    assert document.title == "?/d"


def test_a_field_that_is_no_text_is_empty_and_breaks_nothing() -> None:
    (document,) = parse("kind: [a]\nmetadata: 5\n")
    assert (document.kind, document.name) == ("", "")


@pytest.mark.parametrize("text", ["- a\n", "just text\n", "5\n"])
def test_a_document_that_is_no_mapping_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(YamlUnreadable) as caught:
        parse(f"a: 1\n---\n{text}")
    assert (caught.value.line, caught.value.column) == (3, 1)
    assert "not a Kubernetes object" in str(caught.value)


def test_what_is_no_mapping_for_a_sign_that_looks_alike_is_told_by_that_sign() -> None:
    with pytest.raises(YamlUnreadable) as caught:
        parse("a: 1\n---\nkind\uff1aPod\n  b\uff1ac\n")
    assert (caught.value.line, caught.value.column) == (3, 5)
    assert "U+FF1A" in str(caught.value)
    with pytest.raises(YamlUnreadable, match="not a Kubernetes object"):
        parse("a: b\n c\uff1ad\n--- text\n")


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("a: {{ X }}", {"a": "{{ X }}"}),
        ("a: {{X}}:{{ Y }}", {"a": "{{X}}:{{ Y }}"}),
        ('a: "{{ X }}"', {"a": "{{ X }}"}),
        ("{{ X }}: 1", {"{{ X }}": 1}),
        ("a: [{{ X }}, {b: {{ Y }}}]", {"a": ["{{ X }}", {"b": "{{ Y }}"}]}),
        ("a: |\n  x {{ X }}\n  {{ Y }}\n", {"a": "x {{ X }}\n{{ Y }}\n"}),
        ("a: v0z {{ X }}", {"a": "v0z {{ X }}"}),
        ("a: None0z {{ X }}", {"a": "None0z {{ X }}"}),
    ],
)
def test_what_is_left_for_bcs_is_seen_as_such(text: str, body: dict[str, YamlValue]) -> None:
    assert parse(text)[0].body == body


BCS_PATTERN = re.compile(r"\{\{([^}]*)\}\}")


@given(st.text("{} a\n", max_size=40))
@example("{{ a }}")
@example("}{{a}}")
@example("{{{a}}{{a}")
def test_variables_are_found_where_the_pattern_of_bcs_finds_them(text: str) -> None:
    found = [(variable.inner, variable.start, variable.end) for variable in bcs_variables_in(text)]
    assert found == [(match[1], match.start(), match.end()) for match in BCS_PATTERN.finditer(text)]


@pytest.mark.parametrize(
    "text", ["{{" * 100_000, "{{" * 100_000 + "}", "{{}" * 60_000, "}{{" * 60_000], ids=len
)
def test_a_text_of_braces_takes_no_time(text: str) -> None:
    # With a pattern this takes minutes, so there is no need to look at a clock.
    assert list(bcs_variables_in(text)) == []
    assert parse_foreign(text) is None


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("a: {{ X }}", "a: x"),
        ("{{X}}-{{  Y }}: {{ X }} ", "x-: x "),
        ("{{ Z }}", ""),
        ("{ { X } }", "{ { X } }"),
        ("", ""),
    ],
)
def test_a_text_is_filled_as_bcs_does_with_nothing_for_what_has_no_value(text: str, filled: str) -> None:
    assert with_variables(text, {"X": "x", "Y": ""}) == filled


def test_a_text_is_parsed_with_a_word_for_each_variable_and_as_many_lines() -> None:
    text = "a: {{ X }}\nb: {{\n\n}}{{ X }}\r\nc: {{\r\n}}"
    words = re.fullmatch(r"a: (\w+)\nb: (\w+)\n\n(\w+)\r\nc: (\w+)\n", yaml_of(text))
    assert words is not None
    assert len(set(words.groups())) == 4
    assert yaml_of("a: { b }") == "a: { b }"


def test_half_of_a_sign_is_no_yaml_beside_a_variable_either() -> None:
    assert parse_foreign("a: {{ X }}\ud800") is None
    with pytest.raises(YamlUnreadable, match="U\\+D800"):
        parse("a: {{ X }}\ud800")


def test_lines_stay_true_around_variables() -> None:
    with pytest.raises(YamlUnreadable) as caught:
        parse("a: {{ X\n}}\nb: c: {{ Y }}\n")
    assert caught.value.line == 3


def test_a_file_of_others_is_read_around_what_is_no_yaml() -> None:
    text = (
        "{{- if .Values.on }}\napiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Values.name }}\n"
        "spec:\n  {{ toYaml .Values.x }}\n  ports: [{port: {{ P }}}]\n{{- end }}\n---\n- a list\n"
    )
    found = parse_foreign(text)
    assert found is not None
    (document,) = found
    assert document.name == "{{ .Values.name }}"
    assert document.line == 2


@pytest.mark.parametrize("text", ["a: [", "a: b: c", "\x00", "a: *x", "{{ if }\n a: - b"])
def test_a_file_of_others_that_can_not_be_read_is_none(text: str) -> None:
    assert parse_foreign(text) is None


@given(st.text("ab:-[]{}&*!|> \n'\"#", max_size=60))
def test_any_file_of_others_is_read_or_none(text: str) -> None:
    found = parse_foreign(text)
    assert found is None or all(document.line >= 1 for document in found)


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), VALUES_OF_ANY_KIND, min_size=1, max_size=4))
def test_parsing_keeps_every_value(body: dict[str, YamlValue]) -> None:
    (document,) = parse(dump_yaml(body))
    assert dump_yaml(dict(document.body)) == dump_yaml(body)


def test_routes_are_hosts_and_paths_of_ingresses_old_and_new() -> None:
    assert routes_of(parse(INGRESS)) == (
        Route("*", "/x", "old", "i"),
        Route("b.example.com", "/", "t", "i", "Prefix"),
        Route("b.example.com", "/api", "s", "i", "Prefix"),
    )


def test_node_ports_are_the_numbers_services_ask_for() -> None:
    text = (
        "kind: Service\nspec: {ports: [{nodePort: 30001}, {nodePort: 0}, {port: 1}, {nodePort: true},"
        " {nodePort: x}]}\n"
    )
    assert node_ports_of(parse(text)) == (30001,)


def test_images_are_those_of_every_kind_of_workload_each_once() -> None:
    text = """
kind: Deployment
spec: {template: {spec: {containers: [{image: a:1}, {image: b:1}], initContainers: [{image: c:1}, 5]}}}
---
kind: CronJob
spec: {jobTemplate: {spec: {template: {spec: {containers: [{image: d:1}, {image: a:1}]}}}}}
---
kind: Pod
spec: {containers: [{image: e:1}]}
---
kind: ConfigMap
spec: {containers: [{image: none}]}
"""
    assert images_of(parse(text)) == ("a:1", "b:1", "c:1", "d:1", "e:1")


@pytest.mark.parametrize(
    ("key", "arrives"),
    [
        *[("on", "true"), ("y", "true"), ("n", "false"), ("No", "false"), ("TRUE", "true")],
        *[("null", ""), ("~", ""), ("08", None), ("0x1F", None), ("+5", None), ("1.0", None), ("1e3", None)],
        (".inf", None),
    ],
)
def test_a_key_that_is_a_word_is_found_with_its_line_and_a_number_is_not_shown(
    key: str, arrives: Optional[str]
) -> None:
    text = f"kind: ConfigMap\ndata:\n  a: x\n  {key}: x\n"
    with pytest.raises(YamlUnreadable) as caught:
        parse(text)
    assert caught.value.line == 4
    assert caught.value.problem.fields == ({} if arrives is None else {"key": key, "arrives": arrives})
    for quote in "'\"":
        assert parse(text.replace(key, f"{quote}{key}{quote}"))[0].body["data"] == {"a": "x", key: "x"}
    assert parse_foreign(text) is not None, "what others wrote is read all the same"


@pytest.mark.parametrize("key", ["true", "8080", "-1", "1.5", "v1.0", "yes-no", "app.kubernetes.io/name"])
def test_a_key_that_arrives_as_it_is_written_needs_no_quotes(key: str) -> None:
    assert parse(f"kind: X\ndata:\n  {key}: x\n")[0].body["data"] == {key: "x"}


def test_objects_inside_a_list_are_found() -> None:
    documents = parse("kind: List\nitems: [{kind: Pod, metadata: {name: p}}, 5]\n---\nkind: Service\n")
    assert [document.title for document in objects_of(documents)] == ["Pod/p", "Service/?"]


@pytest.mark.parametrize("kind", ["Ingress", "Service", "Deployment", "CronJob", "Pod", "List"])
@given(spec=VALUES_OF_ANY_KIND)
def test_no_shape_of_a_document_breaks_the_looks_at_it(kind: str, spec: YamlValue) -> None:
    keys = ("rules", "http", "paths", "ports", "template", "spec", "containers", "items", "jobTemplate")
    for key in keys:
        for body in (
            {"kind": kind, "spec": {key: spec}},
            {"kind": kind, key: spec},
            {"kind": kind, "spec": [spec]},
        ):
            document = Document(kind, "v1", "a", "", 1, body)  # type: ignore[arg-type] # any value at all
            routes_of([document])
            node_ports_of([document])
            images_of([document])
