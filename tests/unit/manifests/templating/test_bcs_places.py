"""Who wrote the braces decides: BCS replaces what a template says, whatever values and branches hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.emulator import go_yaml
from tests.support.building import findings_of, refusal, render_source, rendered_here

from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.templating.bcs_places import Marks, Settled, stem_of
from bcs_template_set.manifests.yaml_reading import read_yaml
from bcs_template_set.messages.errors import ManifestsInvalid, TemplateFailed

ALLOW = "# bcs-template-set: allow leftover-variable\n"


def text_of(workspace: Path, source: str, *, values: str) -> str:
    return render_source(workspace, source, values=values).text


def settled_of(source: str, values: str = "") -> Settled:
    read = read_yaml(values, source="") or {}
    assert isinstance(read, dict)
    settled, found = rendered_here(source, read)
    assert settled is not None, found
    return settled


def leftovers(file: ManifestFile) -> list[str]:
    return [finding.id for finding in findings_of(file) if finding.id == "leftover-variable"]


# --- what comes from outside


@pytest.mark.parametrize(
    ("source", "values"),
    [
        ("b: '{{ v }}'\n", "v: '{{ DB_PASSWORD }}'"),
        ("b: '{{ v }}'\n", "v: '{{-DB_PASSWORD-}}'"),
        ("b: '{{ v }}'\n", "v: '{{}}'"),
        ("b: |\n  {{ v | indent(2) }}\n", 'v: "{{\\nDB_PASSWORD\\n}}"'),
        ("b: '{{ v | e }}'\n", "v: '{{ DB_PASSWORD }}'"),
        ("b: '{{ v | upper }}'\n", "v: '{{ db_password }}'"),
        ("b: {{ (v | tojson).replace('\\\\u007b', '{') }}\n", "v: '{{ DB_PASSWORD }}'"),
        ("# {{ v }}\nb: 1\n", "v: '{{ DB_PASSWORD }}'"),
        ("'{{ v }}': 1\n", "v: '{{ DB_PASSWORD }}'"),
        ("b: '{{ v }}{{ w }}'\n", "v: '{'\nw: '{ DB_PASSWORD }}'"),
        ("b: '{{ '{' ~ v }}'\n", "v: '{ DB_PASSWORD }}'"),
        ("b: '{% raw %}{{% endraw %}{{ v }}'\n", "v: '{ DB_PASSWORD }}'"),
        ("b: '{{ v }}{{ w }}'\n", "v: '{{ DB_PASSWORD }'\nw: '}'"),
        ("b: '{{ v | replace(w, x) }}'\n", "v: '<DB_PASSWORD}}'\nw: '<'\nx: '{{'"),
        ("{% set x %}{{ v }}{% endset %}b: '{{ x }}'\n", "v: '{{ DB_PASSWORD }}'"),
        ("{% macro m(a) %}{{ a }}{% endmacro %}b: '{{ m(v) }}'\n", "v: '{{ DB_PASSWORD }}'"),
        ("{% filter upper %}b: '{{ v }}'{% endfilter %}\n", "v: '{{ db_password }}'"),
        ("b: '{{ v }}{{ bcs('TAG') }}'\n", "v: '{'"),
        ("a: '{{ v }}'\nb: {{ bcs('TAG') }}\n", "v: '{{ '"),
        ("a: '{{ bcs('TAG') }}'\nb: '{{ v }}'\n", "v: '{{ TAG }}'"),
        ("b: '{% raw %}{{ a }} {% endraw %}{{ v }}{% raw %} }}{% endraw %}'\n", "v: '{{ DB_PASSWORD'"),
    ],
)
def test_braces_that_come_out_of_a_value_are_nobodys(source: str, values: str) -> None:
    settled = settled_of(source, values)
    assert settled.foreign
    assert not settled.is_cut


@pytest.mark.parametrize("allow", ["", ALLOW])
def test_braces_of_nobodys_are_refused_whatever_a_comment_allows(tmp_path: Path, allow: str) -> None:
    source = allow + "b: '{{ v }}'\n"
    message = refusal(tmp_path, source, ManifestsInvalid, values="v: '{{ DB_PASSWORD }}'")
    assert "neither bcs() nor the template's own text" in message
    assert "PASSWORD" not in message.upper()


def test_the_refusal_names_file_and_line_and_how_many_there_are(tmp_path: Path) -> None:
    message = refusal(tmp_path, "\nb: '{{ v }}'\nc: '{{ v }}'\n", ManifestsInvalid, values="v: '{{ X }}'")
    assert "line 2 of what it renders to" in message
    assert "(2 in all)" in message


def test_own_braces_whose_end_comes_out_of_a_value_are_not_the_templates(tmp_path: Path) -> None:
    source = ALLOW + "b: '{% raw %}{{ a_{% endraw %}{{ v }}{% raw %} }}{% endraw %}'\n"
    assert text_of(tmp_path, source, values="v: b") == ALLOW + "b: '{{ a_b }}'\n"
    refusal(tmp_path, source, ManifestsInvalid, values="v: 'b }} {{ c'")
    refusal(tmp_path, source, ManifestsInvalid, values="v: 'b }}'")


@pytest.mark.parametrize("value", ["{{ X }}", "x{{DB_PASSWORD}}", "{{{a}}}", "{{{{ a }}}}", "{{", '"{{\\n}}'])
@pytest.mark.parametrize("expression", ["v | tojson", "[v]", "{v: v}"])
def test_braces_in_double_quotes_are_written_so_that_they_arrive_as_text(
    tmp_path: Path, value: str, expression: str
) -> None:
    file = render_source(tmp_path, f"b: {{{{ {expression} }}}}\n", values=f"v: '{value}'")
    assert "{{" not in file.text
    made = {"v | tojson": value, "[v]": [value], "{v: v}": {value: value}}[expression]
    assert go_yaml.read_mapping(file.text) == {"b": made}
    assert leftovers(file) == []


@pytest.mark.parametrize("value", ["{", "}}", "a{{b", "}} {{", "{ { X } }", "{{ X } }", "$" + "{X}"])
def test_braces_that_bcs_would_not_replace_stay_as_they_are(tmp_path: Path, value: str) -> None:
    assert text_of(tmp_path, "# {{ v }}\n", values=f"v: '{value}'") == f"# {value}\n"


def test_no_value_can_hold_a_mark_for_marks_follow_from_the_values() -> None:
    known = Marks(stem_of({"v": "x"})).of_name("DB_PASSWORD")
    forged = Marks(stem_of({"v": known}))
    assert forged.of_name("DB_PASSWORD") != known
    assert forged.settled(known).places == {}
    assert all(0x100000 <= ord(sign) <= 0x10FFFD for sign in stem_of({"v": known}))


def test_a_name_has_one_mark_however_often_it_is_said() -> None:
    marks = Marks(stem_of({}))
    assert marks.of_name("A") == marks.of_name("A") != marks.of_name("B")
    assert marks.names == ["A", "B"]


# --- what the template says


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("b: {{ bcs('TAG') | tojson }}\n", 'b: "{{ TAG }}"\n'),
        ("b: {{ ['a', bcs('TAG')] }}\n", 'b: ["a", "{{ TAG }}"]\n'),
        ("b: {{ {bcs('K'): 'web:' ~ bcs('TAG')} }}\n", 'b: {"{{ K }}": "web:{{ TAG }}"}\n'),
        ("b: {{ bcs('tag') | upper | e | trim }}\n", "b: {{ tag }}\n"),
        ("b: {{ ('1.' ~ bcs('A1')) | replace('1', '2') }}\n", "b: 2.{{ A1 }}\n"),
        ("b: {% set x %}{{ bcs('TAG') }}{% endset %}{{ x }}\n", "b: {{ TAG }}\n"),
        ("{% macro m(a) %}{{ bcs(a) }}{% endmacro %}b: {{ m('TAG') }}\n", "b: {{ TAG }}\n"),
        (
            "b: {% for n in ['A', 'B'] %}{{ bcs(n) }}-{{ bcs('A') }} {% endfor %}\n",
            "b: {{ A }}-{{ A }} {{ B }}-{{ A }} ",
        ),
        ("# {{ bcs('TAG') }} {% raw %}}}{% endraw %} .\n", "# {{ TAG }} }} .\n"),
        ('b: {"a": {"b": "{{ bcs(\'TAG\') }}"}}\n', 'b: {"a": {"b": "{{ TAG }}"}}\n'),
        ("# {% filter center(6) %}}}{% endfilter %}|\n", "#   }}  |\n"),
    ],
)
def test_what_bcs_puts_passes_filters_and_is_no_leftover(source: str, text: str) -> None:
    settled = settled_of(source)
    assert settled == Settled(text, settled.places)
    assert text.count("{{") == len(settled.places)
    for place, name in settled.places.items():
        assert text[place:].startswith(f"{{{{ {name} }}}}")


def test_a_templates_own_braces_are_the_templates() -> None:
    assert settled_of("b: {% raw %}{{ TAG }}{% endraw %}\n\n") == Settled("b: {{ TAG }}\n", {})


def test_there_are_as_many_marks_as_signs_in_a_plane() -> None:
    marks = Marks(stem_of({}), ["A"] * (0xFFFE - len(("{{", "}}")) - 1))
    marks.of_name("B")
    with pytest.raises(TypeError, match="too many names"):
        marks.of_name("C")


def test_a_variable_of_bcs_is_no_leftover(tmp_path: Path) -> None:
    file = render_source(tmp_path, "b: {{ bcs('TAG') | tojson }}\n")
    assert (sorted(file.variables), leftovers(file)) == (["TAG"], [])


def test_a_name_that_was_said_but_not_printed_is_no_variable(tmp_path: Path) -> None:
    assert render_source(tmp_path, "{% set x = bcs('A') %}b: {{ bcs('B') }}\n").variables == {"B"}


@pytest.mark.parametrize(
    "source",
    [
        "b: {% raw %}{{ TAG }}{% endraw %}\n\n",
        "b: {{ '{{ TAG }}' }}\n",
        "b: {{ '{{' }} TAG {{ '}}' }}\n",
        "b: {% set x %}{% raw %}{{ TAG }}{% endraw %}{% endset %}{{ x | upper }}\n",
        "{% macro m() %}{% raw %}{{ TAG }}{% endraw %}{% endmacro %}b: {{ m() }}\n",
    ],
)
def test_a_templates_own_braces_are_a_leftover_unless_the_file_allows_them(
    tmp_path: Path, source: str
) -> None:
    file = render_source(tmp_path, source)
    assert (file.text, leftovers(file)) == ("b: {{ TAG }}\n", ["leftover-variable"])
    allowed = render_source(tmp_path, ALLOW + source)
    assert (allowed.text, leftovers(allowed)) == (ALLOW + "b: {{ TAG }}\n", [])


def test_an_included_files_own_braces_are_a_templates_too(tmp_path: Path) -> None:
    (tmp_path / "part.yaml").write_text("b: {% raw %}{{ TAG }}{% endraw %}\n\n")
    file = render_source(tmp_path, ALLOW + "{% include 'part.yaml' %}\n")
    assert file.text == ALLOW + "b: {{ TAG }}\n"


@pytest.mark.parametrize(
    "expression",
    [
        "bcs('TAG')[:4]",
        "bcs('TAG')[1:]",
        "bcs('TAG') | truncate(4, true, '', 0)",
        "bcs('TAG') | list",
        "bcs('TAG') | reverse",
        "bcs('TAG')[:1] | urlencode",
        "'%r' % bcs('TAG')",
    ],
)
def test_a_filter_that_takes_bcs_apart_is_noticed(expression: str) -> None:
    assert settled_of(f"# {{{{ {expression} }}}}\n").is_cut


def test_what_is_left_of_bcs_is_refused(tmp_path: Path) -> None:
    message = refusal(tmp_path, "# {{ bcs('TAG')[:4] }}\n", ManifestsInvalid)
    assert "changed what bcs() put" in message


def test_more_names_than_there_are_marks_are_refused(tmp_path: Path) -> None:
    source = "{% for n in range(65533) %}{% set x = bcs('A' ~ n) %}{% endfor %}\n"
    assert "too many names" in refusal(tmp_path, source, TemplateFailed)
