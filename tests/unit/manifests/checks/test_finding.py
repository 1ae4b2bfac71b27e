"""What a finding says of itself: where it is, on which line, and how it is allowed."""

from __future__ import annotations

import pytest
from tests.support.building import findings_of, manifest

from bcs_template_set.manifests.checks.finding import few
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


@pytest.mark.parametrize(("tier", "known"), [("front", True), ("back", False)])
def test_pods_are_selected_by_all_labels(tier: str, *, known: bool) -> None:
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {app: web, tier: front}}\n"
    spec = "spec: {containers: [{name: a, image: 'r/a:1', ports: [{name: web, containerPort: 1}]}]}\n"
    service = (
        "---\napiVersion: v1\nkind: Service\nmetadata: {name: a}\n"
        f"spec: {{selector: {{app: web, tier: {tier}}}, ports: [{{port: 80, targetPort: api}}]}}\n"
    )
    found = {finding.id for finding in findings_of(manifest(pod + spec + service))}
    assert found == ({"service-port"} if known else {"service-selector"})


def test_of_many_names_twelve_are_shown() -> None:
    names = [f"{number:02}" for number in range(14)]
    assert few(reversed(names[:12])) == names[:12]
    assert few(reversed(names[:13])) == [*names[:12], "…"]
    assert few(names) == [*names[:12], "…"]
