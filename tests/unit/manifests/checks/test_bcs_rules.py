"""Braces that BCS would fill in although nobody said so, each with its line."""

from __future__ import annotations

from tests.support.building import findings_of

from bcs_template_set.manifests.manifest_file import ManifestFile


def test_leftovers_on_the_first_and_on_later_lines_are_each_on_their_own() -> None:
    text = "{{ a }}: 1\n{{ b }}: 1\n\n{{ c }}: 1\n"
    assert leftover_lines(text) == [1, 2, 4]
    assert leftover_lines("\n" + text) == [2, 3, 5]


def test_braces_around_nothing_are_a_leftover_for_bcs_takes_them_out() -> None:
    assert leftover_lines("{{ }}: 1\n{{}}: 1\n") == [1]


def test_a_name_that_bcs_put_is_a_leftover_where_somebody_else_put_it() -> None:
    text = "{{ a }}: 1\n{{ a }}: 1\n"
    file = ManifestFile("a.yaml", text, "a", (), variables=frozenset({"a"}), places=frozenset({0}))
    assert [f.message.fields["line"] for f in findings_of(file) if f.id == "leftover-variable"] == [2]


def leftover_lines(text: str) -> list[object]:
    findings = findings_of(ManifestFile("a.yaml", text, "a", ()))
    return [finding.message.fields["line"] for finding in findings if finding.id == "leftover-variable"]
