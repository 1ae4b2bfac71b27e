"""What nearly is something of the run, what is too big, and what is none of these."""

from __future__ import annotations

import pytest
from tests.support.building import findings_of, manifest

from bcs_template_set.messages.spelling import NearNames


@pytest.mark.parametrize(
    ("name", "known", "is_meant"),
    [
        ("web-cofnig", "web-config", True),
        ("web-confg", "web-config", True),
        ("web-configg", "web-config", True),
        ("web-contig", "web-config", True),
        ("webconfig", "web-config", True),
        ("web.config", "web-config", True),
        ("wbe", "web", True),
        ("webb", "web", True),
        ("wb", "web", False),
        ("wep", "web", False),
        ("data", "date", True),
        ("rules-v1", "rules-v2", False),
        ("rules", "rules-2", False),
        ("db-config", "app-config", False),
        ("api-config", "app-config", False),
        ("web-a", "web-b", False),
        ("internal", "external", False),
        ("ingress", "egress", False),
        ("authentiction", "authentication", True),
        ("authntiction", "authentication", False),
        ("authenticatoin", "authentication", True),
        ("authentication", "nuthenticatioa", False),
        ("web", "db", False),
        ("shop-web", "web", False),
        ("-", "web", False),
    ],
)
def test_a_name_is_meant_where_one_word_of_it_differs_by_a_letter(
    name: str, known: str, *, is_meant: bool
) -> None:
    assert (NearNames(["other-thing", known]).meant_by(name) == known) is is_meant


@pytest.mark.parametrize(
    ("name", "known", "is_meant"),
    [
        ("shop-web", "web", True),
        ("web", "shop-web", True),
        ("php-apache", "php-not-apache", True),
        ("web", "web-2", False),
        ("web", "my-shop-web", False),
        ("web", "shop", False),
        ("1", "web", False),
    ],
)
def test_of_what_hardly_ever_is_anothers_a_word_may_be_missing(
    name: str, known: str, *, is_meant: bool
) -> None:
    assert (NearNames([known]).meant_by(name, is_own=True) == known) is is_meant


def test_a_letter_is_likelier_than_a_word() -> None:
    assert NearNames(["webb-shop", "web"]).meant_by("webb", is_own=True) == "web"
    assert NearNames(["web-shop", "wep-shop", "web-shopp"]).meant_by("web-shoop") == "web-shop"


@pytest.mark.parametrize("name", ["server", "backend", "gateway", "portal", "worker", "search", "orders"])
def test_of_two_names_that_are_as_near_every_run_tells_the_same(name: str) -> None:
    assert NearNames([f"{name[:-1]}x", f"x{name[1:]}"]).meant_by(name) == f"x{name[1:]}"


def config(**parts: str) -> str:
    head = "apiVersion: v1\nkind: {kind}\nmetadata: {{name: a, annotations: {{note: {note}}}}}\n"
    text = head.format(kind=parts.pop("kind", "ConfigMap"), note=parts.pop("note", "b"))
    return text + "".join(f"{part}: {{a: {value}, z: null}}\n" for part, value in parts.items())


KIB = 1024


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        ({"note": "x" * (256 * KIB - 4)}, ""),
        ({"note": "x" * (256 * KIB - 3)}, "metadata.annotations 257 256"),
        ({"note": "\u4e2d" * (90 * KIB)}, "metadata.annotations 271 256"),
        ({"data": "x" * (1024 * KIB)}, ""),
        ({"data": "x" * (1024 * KIB + 1)}, "data 1025 1024"),
        ({"data": "x" * 600 * KIB, "binaryData": "eHh4" * 143 * KIB}, "data 1029 1024"),
        ({"kind": "Secret", "data": "eHh4" * 341 * KIB}, ""),
        ({"kind": "Secret", "data": "eHh4" * 342 * KIB}, "data 1026 1024"),
        ({"kind": "Secret", "stringData": "x" * (1024 * KIB + 1)}, "data 1025 1024"),
        ({"kind": "Thing", "data": f"[{'x' * 1536 * KIB}, 7]"}, " 1537 1536"),
        ({"kind": "Thing", "data": "x" * 1535 * KIB}, ""),
    ],
)
def test_sizes_have_limits(parts: dict[str, str], found: str) -> None:
    text = config(**parts).replace("v1\nkind: Thing", "example.com/v1\nkind: Thing")
    findings = [finding for finding in findings_of(manifest(text)) if finding.id == "size"]
    assert [f"{f.field} {f.message.fields['size']} {f.message.fields['limit']}" for f in findings] == (
        [found] if found else []
    )


def test_a_selectors_words_are_shown_as_a_manifest_has_them() -> None:
    text = (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"
        "spec: {selector: {matchLabels: {a: yes}}, template: {metadata: {labels: {a: 'no'}}, spec: "
        "{containers: [{name: a, image: 'r/a:1'}]}}}\n"
    )
    found = [finding for finding in findings_of(manifest(text)) if finding.id == "pod-selector"]
    assert [str(finding.message) for finding in found] == ["the selector wants a=true, the pods have no."]


def test_of_many_pods_with_all_labels_but_one_that_is_named_whose_label_is_near() -> None:
    pods = "".join(
        f"---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, labels: {{app: web, tier: {tier}}}}}\n"
        f'spec: {{containers: [{{name: main, image: "r/web:1"}}]}}\n'
        for name, tier in (("a", "cache"), ("b", "frontend"), ("c", "frontend"))
    )
    budget = (
        "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: web}\n"
        "spec: {minAvailable: 1, selector: {matchLabels: {app: web, tier: frontnd}}}\n"
    )
    (finding,) = findings_of(manifest(budget + pods))
    assert (finding.id, finding.message.fields["title"]) == ("near-selector", "Pod/b")


def test_files_of_other_tools_that_a_glob_catches_are_named() -> None:
    known = (("base/kustomization.yaml", "kustomize"), ("kustomizeconfig.yaml", "kustomize"))
    for name, tool in (*known, ("Chart.yaml", "Helm"), ("a.yaml", "")):
        (finding,) = findings_of(manifest("resources: [a.yaml]\n", name=name))
        assert finding.id == "missing-kind"
        assert finding.message.fields.get("tool", "") == tool
