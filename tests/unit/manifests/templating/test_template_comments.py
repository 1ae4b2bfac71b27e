"""Comments of templates: what is text arrives whole or is refused, and what is left out is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.building import refusal, render_source, rendered_here

from bcs_template_set.manifests.manifest_file import ManifestFile, left_out_of
from bcs_template_set.manifests.scope import Scope
from bcs_template_set.manifests.templating.bcs_places import Settled
from bcs_template_set.manifests.templating.comment_marks import with_seams
from bcs_template_set.messages import LANGUAGES
from bcs_template_set.messages.errors import TemplateFailed, TemplateUnreadable
from bcs_template_set.report.log_lines import rendered_lines

HEAD = "kind: ConfigMap\ns: |\n  first\n"


def script(*lines: str) -> str:
    return HEAD + "".join(f"  {line}\n" for line in lines)


@pytest.mark.parametrize(
    "lines",
    [
        ("echo ${#FILES[@]}", "echo between", "echo ${name%#}"),
        ("echo ${#}", "echo ${##}", "x=${#a#}"),
        ("echo ${# }",),
        ("@media print{#nav{display:none}}",),
        ("{#each items as item}", "{/each}"),
        ("a{#b",),
    ],
)
def test_what_is_no_comment_arrives_whole(lines: tuple[str, ...]) -> None:
    assert rendered_here(script(*lines), {}) == (Settled(script(*lines), {}), [])


@pytest.mark.parametrize(
    ("source", "text", "left_out"),
    [
        ("a: 1 {# mine #}# x\n", "a: 1 # x\n", [(1, 1)]),
        ("{#- mine -#}\na: 1\n", "a: 1\n", [(1, 1)]),
        ("{#-mine-#}\na: 1\n", "a: 1\n", [(1, 1)]),
        ("{#+ mine +#}\na: 1\n", "\na: 1\n", [(1, 1)]),
        ("a: 1\n{# of\nthree\nlines #}\n{# one #}\n", "a: 1\n", [(2, 4), (5, 5)]),
        ("{####\n# a box #\n####}\na: 1\n", "a: 1\n", [(1, 3)]),
        ("{##}\na: {{ 1 }}\n", "a: 1\n", [(1, 1)]),
        ("{# of a line#}\na: 1\n", "a: 1\n", [(1, 1)]),
        ("{# one #} {# two #}\na: 1\n", " a: 1\n", [(1, 1), (1, 1)]),
        ("a: 1 {# one #}\nb: 2{# two #}{# three #}\n", "a: 1 \nb: 2\n", [(1, 1), (2, 2), (2, 2)]),
        ("a: |\n  x{# of\n  two #}\n  y\n", "a: |\n  x\n  y\n", [(2, 3)]),
        ("{# of\ntwo-#}\n{##}\na: 1\n", "a: 1\n", [(1, 2), (3, 3)]),
        ("#{# one #}\na: 1\n", "#\na: 1\n", [(1, 1)]),
        ("{# one #}a: \U0010fffd\n", "a: \U0010fffd\n", [(1, 1)]),
        ("a: {{ '{# x #}' | tojson }} {# ${#x} #}\n", 'a: "{# x #}" \n', [(1, 1)]),
    ],
)
def test_a_templates_own_comment_is_left_out_and_told(
    source: str, text: str, left_out: list[tuple[int, int]]
) -> None:
    settled = Settled(text, {}, left_out=tuple(("t", *lines) for lines in left_out))
    assert rendered_here(source, {}) == (settled, [])


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (("{#note#}",), ':4: "{#" with no blank behind it'),
        (("a{#nav{", "b", "c#}"), ':4: "{#" with no blank behind it'),
        (
            ("{# awk", "x", "${name%#}"),
            ":4: the comment that begins here would take away all up to line 6",
        ),
        (
            ("{# one", "x", "{# two #}"),
            ":4: the comment that begins here would take away all up to line 6",
        ),
        (("x", "{# one"), ":5: a comment begins here and has no end"),
    ],
)
def test_what_may_be_either_is_refused_with_line_and_what_to_write(lines: tuple[str, ...], says: str) -> None:
    settled, (((kind, template, line, _), note),) = rendered_here(script(*lines), {})
    said = f":{line}: {note}"
    assert (settled, kind, template, said[: len(says)]) == (None, "syntax", "t", says)
    assert "{# … #}" in said or 'a blank and "#}"' in said
    assert "{% raw %}" in said


def test_raw_text_and_texts_of_code_hold_what_they_like(tmp_path: Path) -> None:
    source = "a: |\n  {%+ raw %}{#x#} {# y #} ${#z}{% endraw %} {{ '{#x#}${#y}' }}{{ '${#y}' | length }}\n"
    file = render_source(tmp_path, source)
    assert file.text == "a: |\n  {#x#} {# y #} ${#z} {#x#}${#y}5\n"
    assert file.left_out == ()


def test_included_templates_follow_the_same_rule_and_are_told_once(tmp_path: Path) -> None:
    (tmp_path / "part").write_text("{# of the part #}${#x} ")
    file = render_source(tmp_path, "a: {% for i in [1, 2] %}{% include 'part' %}{% endfor %}\n")
    assert file.text == "a: ${#x} ${#x} "
    assert file.left_out == (("part", 1, 1),)


@given(st.lists(st.sampled_from(["{", "#", "}", "$", " ", "\n", "x", "-", "%"]), max_size=14).map("".join))
def test_a_seam_is_put_in_and_changes_nothing_else(source: str) -> None:
    seamed, seam = with_seams(source)
    assert seamed.replace(seam, "") == source


def test_where_comments_were_is_said_in_one_line() -> None:
    def file(name: str, *places: tuple[str, int, int]) -> ManifestFile:
        return ManifestFile(name, "", name, (), left_out=places)

    files = [file("b", ("b.j2", 7, 9), ("p.j2", 1, 1)), file("a", ("a.j2", 3, 3), ("b.j2", 2, 2))]
    (said,) = left_out_of(files)
    assert str(said) == "Comments of templates that are left out: a.j2 (3), b.j2 (2, 7-9), p.j2 (1)."
    (short,) = left_out_of([file(f"{n}", (f"{n:02}.j2", 1, 1)) for n in range(40)])
    assert all("11.j2 (1)" in short.render(each) and "12.j2" not in short.render(each) for each in LANGUAGES)
    assert left_out_of([file("a")]) == []
    assert "b.j2 (2, 7-9)" in rendered_lines(files, scope=Scope().text(), language="zh_CN")[-2].text


# --- pages that are no templates


def test_a_page_goes_in_as_it_is(tmp_path: Path) -> None:
    page = "<p>{{ pod }} {# x #} {% if %} ${#y} \u00e9 '\"\\</p>\r\n"
    (tmp_path / "page.html").write_bytes(page.encode())
    file = render_source(tmp_path, "a: {{ include_raw('page.html') | tojson }}\n")
    assert file.documents[0].body == {"a": page}
    assert "{{" not in file.text


def test_a_page_is_found_from_the_template_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "page").write_text("{#x#}")
    (tmp_path / "parts" / "p.j2").write_text("{{ include_raw('./page') | tojson }}")
    assert render_source(tmp_path, "a: {% include 'parts/p.j2' %}\n").text == 'a: "{#x#}"'


@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [
        ("'nope'", TemplateFailed, "no file nope to include"),
        ("'../out'", TemplateUnreadable, "out leads outside the workspace"),
        ("'.git/config'", TemplateUnreadable, "begins with a dot"),
        ("5", TemplateFailed, "include_raw() takes the name of a file"),
    ],
)
def test_a_page_that_can_not_be_read_is_refused_with_its_line(
    tmp_path: Path, name: str, kind: type[TemplateFailed], says: str
) -> None:
    said = refusal(tmp_path, f"a: 1\nb: {{{{ include_raw({name}) }}}}\n", kind)
    assert says in said
    assert "t.yaml.j2:2" in said
