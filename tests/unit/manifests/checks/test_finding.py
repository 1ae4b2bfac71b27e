"""What a finding says of itself: where it is, on which line, and how it is allowed."""

from __future__ import annotations

import pytest
from tests.support.building import findings_of, manifest

from bcs_template_set.manifests.checks.check_manifests import check_manifests
from bcs_template_set.manifests.checks.finding import few, type_name
from bcs_template_set.messages import say

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
ODD = "---\napiVersion: v1\nkind: %s\nmetadata: {name: b}\ndata: {'hunter 2': YQ==, c: YQ==}\n"


@pytest.mark.parametrize(("kind", "field"), [("Secret", "data"), ("ConfigMap", "data[hunter 2]")])
@pytest.mark.parametrize(("domain", "where"), [("", "file"), ("a.org", "values")])
def test_it_names_its_document_and_line_and_where_a_comment_allows_it_but_no_key_of_a_secret(
    kind: str, field: str, domain: str, where: str
) -> None:
    (finding,) = findings_of(manifest(CONFIG + ODD % kind, domain=domain))
    assert (finding.document, finding.line, finding.field) == (f"{kind}/b", 5, field)
    assert finding.hint == say(f"checks.allow_in_{where}", hint=say("checks.value.hint"), id="value")


def test_of_a_file_it_names_no_line() -> None:
    (finding,) = findings_of(manifest(CONFIG, name="a:b"))
    assert (finding.file, finding.document, finding.line) == ("a:b", "", 0)


@pytest.mark.parametrize(
    ("selector", "check"),
    [
        ("{app: web, tier: front}", "service-port"),
        ("{app: web, tier: back}", "service-selector"),
        ("{app: api}", "service-selector"),
    ],
)
def test_pods_are_selected_by_all_labels(selector: str, check: str) -> None:
    pod = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: %s, labels: {app: %s, tier: %s}}\n"
    spec = "spec: {containers: [{name: a, image: 'r/a:1', ports: [{name: web, containerPort: 1}]}]}\n"
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n"
    service += f"spec: {{selector: {selector}, ports: [{{port: 80, targetPort: api}}]}}\n"
    pods = "".join(pod % one + spec for one in (("a", "web", "front"), ("b", "shop", "back")))
    assert {finding.id for finding in findings_of(manifest(service + pods))} == {check}


def test_it_is_an_error_unless_its_check_says_otherwise_also_where_files_are_missing() -> None:
    file = manifest(CONFIG + ODD % "ConfigMap")
    (finding,) = check_manifests(
        [file], template_space="s", template_set=False, namespace="", kube_version="", is_whole=False
    )
    assert (finding.id, finding.is_warning) == ("value", False)


@pytest.mark.parametrize(
    ("letter", "name"),
    [
        *(("s", "text"), ("i", "integer"), ("n", "number"), ("b", "boolean"), ("q", "quantity")),
        *(("x", "integer_or_text"), ("[", "list"), ("{", "object")),
    ],
)
def test_a_type_of_the_schema_has_a_name_for_people(letter: str, name: str) -> None:
    assert type_name(letter) == say(f"checks.type_{name}")


def test_of_many_names_twelve_are_shown() -> None:
    names = [f"{number:02}" for number in range(14)]
    assert few(reversed(names[:12])) == names[:12]
    assert few(reversed(names[:13])) == [*names[:12], "…"]
    assert few(names) == [*names[:12], "…"]
