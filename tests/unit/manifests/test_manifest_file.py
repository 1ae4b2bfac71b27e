"""A file of the run: when it is none, and what is said of several."""

from __future__ import annotations

import pytest

from bcs_template_set.manifests.manifest_file import ManifestFile, empty_text
from bcs_template_set.manifests.parse import parse_documents


def file_of(text: str, *, name: str = "a.yaml", domain: str = "") -> ManifestFile:
    return ManifestFile(name, text, name, parse_documents(text, source=name), domain=domain)


@pytest.mark.parametrize(
    ("text", "domain", "is_empty"),
    [("kind: Pod\n", "", False), ("", "", True), ("", "a.org", False), ("kind: Pod\n", "a.org", False)],
)
def test_a_template_without_a_document_is_no_file_unless_it_is_a_domains(
    text: str, domain: str, *, is_empty: bool
) -> None:
    assert file_of(text, domain=domain).is_empty is is_empty


def test_it_is_nobodys_unless_a_domain_is_named_and_shows_nothing_of_its_text() -> None:
    file = ManifestFile("a.yaml", "kind: Secret\nstringData: {a: hunter2}\n", "a.yaml", ())
    assert file.domain == ""
    assert "hunter2" not in repr(file)


def test_so_many_empty_templates_are_named_and_the_others_counted() -> None:
    (twelve,), (more,) = (empty_text([file_of("", name=f"{n}.yaml") for n in range(m)]) for m in (12, 13))
    assert "11.yaml" in twelve.render("en_US")
    assert "11.yaml, and 1 more" in more.render("en_US")
    assert empty_text([]) == []
