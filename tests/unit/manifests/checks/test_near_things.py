"""What nearly is something of the run, and what is not."""

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
