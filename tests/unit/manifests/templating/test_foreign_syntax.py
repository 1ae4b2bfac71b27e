"""Files of other tools: recognised, said in their author's terms, and with the way to ship them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.emulator import go_yaml
from tests.support.building import findings_of, refusal, render_source, rendered_here

from bcs_template_set.manifests.templating.foreign_syntax import filter_to_use, word_of_helm
from bcs_template_set.messages.errors import ManifestsInvalid, NamesMissing, TemplateSyntax

HELM = 'this is Helm\'s language, not Jinja2. Publish what "helm template" prints'
RAW = (
    'Write the text as {{ "…" | tojson }}, a paragraph as {% filter tojson %}{% raw %} … '
    '{% endraw %}{% endfilter %}, or put it into a file of its own: {{ include_raw("FILE") | tojson }}.'
)


def said_of(source: str) -> str:
    _, (((_, _, line, _), note),) = rendered_here(source, {})
    return f"{line}: {note}"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("a: {{ .Values.image.tag }}", HELM),
        ('a: {{ include "web.name" . | nindent 4 }}', HELM),
        ("a: {{- toYaml .Values.x | nindent 8 }}", HELM),
        ('a: {{ default "x" .Release.Name }}', HELM),
        ("a: {{ x | indent 4 }}", HELM),
        ("a: \u2028{{ .Values.x }}", HELM),
        ("a: '{{ $labels.pod }} is down'", f"these braces are Prometheus's, not Jinja2's. {RAW}"),
        ("a: '{{ $value | humanize }}'", "these braces are Prometheus's"),
        ("a: '{{#if x}}'", "these braces are Handlebars's"),
        ("a: '{{> part }}'", "these braces are Handlebars's"),
        ("a: '{{{ html }}}'", "these braces are Handlebars's"),
        ("a: '{{ $t(\"x\") }}'", "these braces are Vue's"),
        ("a: '{{ ok ? 1 : 2 }}'", "these braces are Vue's"),
        ("a: '{{ a === b }}'", "these braces are Vue's"),
        ("a: '{{ a && b }}'", "these braces are Vue's"),
        ("a: '{{ !a }}'", "these braces are Vue's"),
        ("a: '{{ x | date:\"s\" }}'", "these braces are Vue's"),
        ("a: '${{ a || b }}'", "${{ … }} is a variable of a pipeline, which nobody fills in here."),
        ("a: b && {{ x y }}", '"y" does not belong here.'),
        ("a: '{{ .pod }}'", "these braces are Go's"),
        ("a: '{{ range $x := .y }}'", "these braces are Go's"),
        ("a: {{ x y }}", '"y" does not belong here.'),
        ("a: {% unknown %}", 'Jinja2 has no tag "unknown" here.'),
        ("a: {% if x %}", 'the block "if" is not closed: {% endif %} is missing.'),
        ("a: {% for x in y %}{% endif %}", 'the block "for" is not closed: {% endfor %} is missing.'),
        ("a: {% raw %}", 'the block "raw" is not closed'),
        ("a: {{ x is nope }}", 'Jinja2 has no test "nope".'),
        ("a: {{ x @ y }}", "the character '@' does not belong here"),
        ("a: {{ }}", "a name or a value is missing here."),
        ("a: {{ (x }}", '"}" does not belong here.'),
        ("a: {{ x(b=1, 2) }}", "this is not valid Jinja2."),
    ],
)
def test_a_line_of_another_tool_is_said_to_be_one(line: str, says: str) -> None:
    assert said_of(f"# first\n{line}\n")[: len(says) + 3] == f"2: {says}"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("a: '<p>{{ user.name }}</p>'", '"user" has no value. Are these braces Vue\'s? Write the text as'),
        ("a: '<li v-for=\"x in y\">'\nb: '<b>{{ x }}'", '"x" has no value. Are these braces Vue\'s?'),
        ("a: '{{pod}}'  # legendFormat", '"pod" has no value. Are these braces Grafana\'s?'),
        ("a: ${{ github.sha }}", "${{ … }} is a variable of a pipeline"),
        ("a: '{{ pod }}'", '"pod" has no value.\n'),
        ("{% if pod %}a: '<b>x</b>'{% endif %}", '"pod" has no value.\n'),
        ("a: '" + "<p>" * 400 + "{{ pod }}'", '"pod" has no value.\n'),
    ],
)
def test_a_name_that_another_tool_may_fill_in_is_told_with_the_tool(line: str, says: str) -> None:
    assert says in said_of(f"# first\n{line}\n") + "\n"


def test_what_does_not_end_or_is_too_deep_is_said_in_words() -> None:
    assert said_of("a: {{ x") == '1: a "}}" or "%}" is missing before the end of the template.'
    deep = "{% for a in [1] %}" * 60 + "{% endfor %}" * 60
    assert said_of(deep) == "1: it is nested too deeply, or too large."


def test_a_statement_of_helms_is_no_missing_name(tmp_path: Path) -> None:
    assert f"t.yaml.j2:2: {HELM}" in refusal(tmp_path, "# first\n{{- if .Values.on }}\n", NamesMissing)
    for name in ("if", "else", "end", "with", "define", "block"):
        assert HELM in str(word_of_helm(name))


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("toYaml", "write tojson."),
        ("b64encode", "write the text below stringData of the Secret"),
        ("uper", 'Did you mean "upper"?'),
        ("nofilter", 'Jinja2 has no filter "nofilter".\n'),
    ],
)
def test_a_filter_that_jinja2_lacks_is_named_with_its_line(tmp_path: Path, name: str, says: str) -> None:
    said = refusal(tmp_path, f"a: {{{{ region | {name} }}}}\n", TemplateSyntax)
    assert f't.yaml.j2:1: Jinja2 has no filter "{name}"' in said
    assert says in said


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ("toYaml to_yaml to_nice_yaml toJson to_json to_nice_json", "write tojson."),
        ("toPrettyJson toRawJson quote squote", "write tojson."),
        ("nindent", "write indent(N)."),
        ("toString to_text", "write string."),
        ("int64 atoi", "write int."),
        ("float64", "write float."),
        ("bool", 'write == "true".'),
        ("trunc", "write [:N]."),
        ("trimSuffix trimPrefix", 'write .removesuffix("…"), .removeprefix("…").'),
        ("regex_replace regexReplaceAll", 'write replace("…", "…").'),
        ("contains hasKey", 'write "…" in NAME.'),
        ("ternary", "write A if CONDITION else B."),
        ("coalesce", "write A or B."),
        ("combine merge", "write dict(A, **B)."),
        ("dict2items", "write items."),
        ("basename", 'write .split("/") | last.'),
        ("required mandatory", "leave it out, since a name without a value is refused anyway."),
        ("b64enc b64encode", "write the text below stringData of the Secret, where Kubernetes encodes it."),
    ],
)
def test_a_filter_of_another_tool_gets_what_jinja2_has_in_its_place(names: str, says: str) -> None:
    for name in names.split():
        assert str(filter_to_use(name, known=())) == f'Jinja2 has no filter "{name}"; {says}'


def test_a_name_that_another_tool_fills_in_has_its_way_out_in_the_cure(tmp_path: Path) -> None:
    said = refusal(tmp_path, "a: '{{pod}}'\n", NamesMissing)
    assert '{{ "…" | tojson }}' in said
    assert "Did you mean" not in refusal(tmp_path, "a: '{{ version }}'\n", NamesMissing)


@pytest.mark.parametrize(
    "source",
    [
        'a: {{ "{{ $labels.pod }} is down" | tojson }}\n',
        "a: {% filter tojson %}{% raw %}{{ $labels.pod }} is down{% endraw %}{% endfilter %}\n\n",
        "{% set x %}{% raw %}{{ $labels.pod }} is down{% endraw %}{% endset %}a: {{ x | tojson }}\n",
        "a: {{ include_raw('page') | tojson }}\n",
        'a: "{% raw %}{\\u007b{% endraw %} $labels.pod }} is down"\n',
    ],
)
def test_each_way_to_ship_braces_arrives(tmp_path: Path, source: str) -> None:
    (tmp_path / "page").write_text("{{ $labels.pod }} is down")
    file = render_source(tmp_path, source)
    assert go_yaml.read_mapping(file.text) == {"a": "{{ $labels.pod }} is down"}
    assert [finding.id for finding in findings_of(file) if finding.id == "leftover-variable"] == []


def test_braces_that_bcs_would_replace_are_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "page").write_text("{{ pod }}")
    assert "{{ NAME | tojson }}" in refusal(tmp_path, "a: {{ include_raw('page') }}\n", ManifestsInvalid)
    file = render_source(tmp_path, "a: {% raw %}{{ pod }}{% endraw %}\n\n")
    (hint,) = [str(finding.hint) for finding in findings_of(file) if finding.id == "leftover-variable"]
    assert '{{ "…" | tojson }}' in hint
