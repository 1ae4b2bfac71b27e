from __future__ import annotations

import pytest

from bcs_template_set.manifests.yaml_lines import Position, YamlLines

TEXT = """\
# a comment
app: web
domains:
  - host: a
    env: {A.B: 1, A: {B: 2}}
  - {host: b, image: x}
base: &base
  image: y
  deep: {z: 1}
over:
  <<: [*base, {other: 1}]
  own: 2
"""


@pytest.mark.parametrize(
    ("path", "found", "line"),
    [
        ("app", "app", 2),
        ("domains[0].host", "domains[0].host", 4),
        ("domains[1].image", "domains[1].image", 6),
        ("domains[1].port", "domains[1]", 6),
        ("domains[7].port", "domains", 3),
        ("domains[2].port", "domains", 3),
        ("domains[0].hosts", "domains[0]", 4),
        ("domains.x", "domains", 3),
        ("app.x", "app", 2),
        ("domains[0].env.A.B", "domains[0].env.A.B", 5),
        ("domains[0].env[A.B]", "domains[0].env[A.B]", 5),
        ("over.image", "over.image", 8),
        ("over.deep.z", "over.deep.z", 9),
        ("over.other", "over.other", 11),
        ("over.nothing", "over", 10),
        ("", "", 2),
        ("nothing", "", 2),
    ],
)
def test_as_much_of_a_path_is_found_as_there_is(path: str, found: str, line: int) -> None:
    at = YamlLines(TEXT).find(path)
    assert (at.path, at.line, at.is_all) == (found, line, path == found)


def test_a_list_or_a_text_hides_what_is_merged_below_it_and_a_mapping_does_not() -> None:
    lines = YamlLines("a: {b: 1}\nc: [1]\nd: 1\n")
    assert [lines.find(path).is_final for path in ("a.x", "c[3]", "c[0].x", "d.x", "a.b")] == [
        False, True, True, True, True,
    ]  # fmt: skip


def test_a_document_is_found_by_the_line_where_it_begins() -> None:
    lines = YamlLines("a: 1\n---\n\nb: 1\nc:\n  - d: 2\n")
    assert lines.find("c[0].d", document_at=4) == Position("c[0].d", 6, 5, is_all=True, is_final=True)
    assert lines.find("c", document_at=2) == Position("", 0, 0, is_all=False, is_final=False) == Position()


def test_what_a_mapping_has_itself_hides_what_it_merges() -> None:
    assert YamlLines("base: &b\n  a.b: 1\nover:\n  <<: *b\n  a: {b: 2}\n").find("over.a.b").line == 5
    assert YamlLines("\ufeffa: 1\n").find("a") == Position("a", 1, 1, is_all=True, is_final=True)


def test_mappings_that_merge_each_other_many_times_are_each_looked_at_once() -> None:
    text = "a0: &a0 {x: 1}\n" + "".join(
        f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 40)
    )
    assert YamlLines(text).find("a39.nothing").path == "a39"


@pytest.mark.parametrize(
    ("text", "found"), [("a: {'<<': x}\n", "a"), ("a: {<<: [x, y]}\n", "a"), ("a: {'<<': x, b: 1}\n", "a.b")]
)
def test_what_merges_no_mapping_merges_nothing(text: str, found: str) -> None:
    assert YamlLines(text).find("a.b").path == found


@pytest.mark.parametrize("text", ["", "# nothing\n", "a: [", "? [a]\n: 1\n"])
def test_what_holds_no_key_or_is_no_yaml_has_no_lines(text: str) -> None:
    assert not YamlLines(text).find("a").is_all
