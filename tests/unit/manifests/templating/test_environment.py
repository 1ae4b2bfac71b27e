"""What templates may write and what is said of them, one by one, without a child."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

import pytest
from tests.support.building import CONTEXT, rendered_here

from bcs_template_set.manifests.templating.bcs_places import Marks, stem_of
from bcs_template_set.manifests.templating.environment import (
    MOST_TOKENS,
    BuiltinEnvironment,
    Environment,
)
from bcs_template_set.manifests.templating.template_lines import template_line
from bcs_template_set.manifests.templating.template_notes import Notes, missing_namespace
from bcs_template_set.manifests.templating.templates import Templates
from bcs_template_set.manifests.templating.workspace_files import Workspace, no_files
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import LimitExceeded
from bcs_template_set.messages.spelling import MOST_KNOWN


def text_of(source: str, **values: object) -> str:
    settled, found = rendered_here(source, values)
    assert (settled is not None, found) == (True, [])
    return settled.text if settled is not None else ""


def said_of(source: str, **values: object) -> list[str]:
    """Return what is said of a template, with its lines."""
    settled, found = rendered_here(source, values)
    assert settled is None
    return [f"{line}: {note}" for (_, _, line, _), note in found]


def noted(source: str, **values: object) -> list[tuple[str, int, str]]:
    """Return of which kind the mistakes of a template are, in which line, and what tells them apart."""
    _, found = rendered_here(source, values)
    return [(kind, line, what) for (kind, _, line, what), _ in found]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a\n  {% if true %}\nb\n  {% endif %}\nc\n", "a\nb\nc\n"),
        ("{{ '\u4f60' | tojson }}", '"\u4f60"'),
        ("{{ true | safe }} {{ true | escape }} {{ true | forceescape }}", "true true true"),
        ("{{ (5 | string) + 'a' }}", "5a"),
        ("{{ 7 % true }}", "0"),
        ("{{ ('a' | tojson) + '<' }}", '"a"<'),
        ("{% autoescape true %}{{ ('<' | safe) ~ '<' }}{% endautoescape %}", "<&lt;"),
        ("{{ [1, 2] | select('even') | count }}", "1"),
        ("{{ [1, 'x'] | map('round') | first }}", "1"),
        ("{{ range(3) | reverse }}", "[2, 1, 0]"),
        ("{{ range(100000) | length }}", "100000"),
        ("{% set x %}}}{% endset %}{{ x | length }}{{ '{' }}", "2{"),
        ("{{ live_replicas('a') }} {{ bcs('A') }}", "{{ live_replicas.Deployment.a }} {{ A }}"),
    ],
)
def test_what_templates_write_comes_out_as_yaml_has_it(source: str, text: str) -> None:
    assert text_of(source) == text


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("v", None),
        ("'a' ~ v", None),
        ("v | string", None),
        ("v | upper", None),
        ("v | replace('a', 'b')", None),
        ("[1, v] | join(',')", None),
        ("[{'a': v}] | join(',', attribute='a')", None),
        ("'%s' | format(v)", None),
        ("'%s-%s' % (1, v)", None),
        ("'%(a)s' % {'a': v}", None),
        ("'%s' % v", None),
        ("v | default('b', true)", "b"),
        ("v or 'b'", "b"),
        ("true | upper ~ 7 % 4", "TRUE3"),
        ("[true, 1.5, 'a', [1]] | join('-')", "true-1.5-a-[1]"),
        ("'%s %d' | format(true, 3)", "true 3"),
        ("'%s' % false", "false"),
    ],
)
def test_an_empty_value_is_printed_only_where_the_template_says_so(
    expression: str, text: Optional[str]
) -> None:
    source = "\na: {{ " + expression + " }}\n"
    if text is None:
        (said,) = said_of(source, v=None)
        assert said.startswith("2: an empty value (null) is printed")
    else:
        assert text_of(source, v=None) == f"\na: {text}\n"


@pytest.mark.parametrize(
    "name",
    [
        *("capitalize", "center(9)", "indent", "lower", "replace('a', 'b')", "striptags", "title", "trim"),
        *("truncate", "upper", "wordcount", "wordwrap"),
    ],
)
def test_a_filter_of_texts_makes_none_of_an_empty_value(name: str) -> None:
    assert noted(f"{{{{ v | {name} }}}}", v=None) == [("missing", 1, "render.prints_null")]


def test_the_line_is_told_where_there_is_too_much_code_and_text_and_comments_are_none() -> None:
    begin = "x{# #}{% set x = [["  # eight pieces of code, then two a line
    with pytest.raises(LimitExceeded) as caught:
        rendered_here(begin + "\n1, " * (MOST_TOKENS // 2), {})
    assert f"(t, line {1 + (MOST_TOKENS - 8) // 2 + 1}) is over the limit of 40000" in str(caught.value)


def test_a_comment_goes_and_is_told_by_its_lines() -> None:
    settled, _ = rendered_here("a\n{# b\n #}c", {})
    assert settled is not None
    assert (settled.text, settled.left_out) == ("a\nc", (("t", 2, 3),))


def test_the_templates_own_braces_are_nobody_elses() -> None:
    settled, _ = rendered_here("{% raw %}{{ A }}{% endraw %}{{ '{{ B }}' }}", {})
    assert settled is not None
    assert (settled.text, settled.foreign) == ("{{ A }}{{ B }}", ())


def test_a_range_of_more_than_so_many_numbers_is_refused() -> None:
    with pytest.raises(LimitExceeded) as caught:
        rendered_here("\n{{ range(100001) }}", {})
    assert "(t, line 2) is over the limit of 100000" in str(caught.value)


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", 3),  # for the parser
        ("{{ 1" + "+1" * 5000 + " }}", 3),  # for what looks for blocks
        ("{{ 1" + "+1" * 400 + " }}", 3),  # for the compiler
        ("{{ " + "1" * 5000 + " }}", 3),  # for the lexer
        ("{{ 0x" + "f" * 5000 + " }}", 3),  # for what looks for the words of the code
        ("{% for a in [1] %}" * 60 + "{% endfor %}" * 60, 1),  # for Python, which knows no line of it
    ],
    ids=["parser", "blocks", "compiler", "lexer", "words", "python"],
)
def test_what_is_too_much_for_python_is_said_with_its_line(source: str, line: int) -> None:
    assert said_of(f"\n\n{source}") == [f"{line}: it is nested too deeply, or too large."]


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("{{ bcs(5) }}", "bcs() takes the name of a variable"),
        ("{{ live_replicas(5) }}", "live_replicas() takes a workload's name"),
        ("{{ include_raw(5) }}", "include_raw() takes the name of a file"),
        ("{{ 'a'.encode() }}", "bytes can't be printed"),
        ("{{ namespace(x=1) }}", "Namespace can't be printed"),
        ("{{ bcs | tojson }}", "method can't be written as YAML"),
    ],
)
def test_what_can_not_be_used_so_is_said(source: str, says: str) -> None:
    (said,) = said_of(source)
    assert says in said


def test_a_missing_name_that_is_called_hides_no_other() -> None:
    assert noted("{{ nope() }}{{ other }}") == [("missing", 1, "nope"), ("missing", 1, "other")]


def test_without_a_clusters_namespace_the_name_is_missing() -> None:
    assert noted("{{ namespace }}", namespace=None) == noted("{{ namespace }}")
    assert noted("{{ namespace }}") == [("missing", 1, "namespace")]


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("{{ v.x }}", 'v has no "x".'),
        ("{{ 'hunter2'.x }}", 'text has no "x".'),
        ("{{ (7).x }}", 'a number has no "x".'),
        ("{{ {1: 2}.x }}", 'a mapping has no "x".'),
        ("{{ {1: 2}[4294967297] }}", 'a mapping has no "4294967297".'),
        ("{{ m.nmae }}", 'm has no "nmae". It has name. Did you mean "name"?'),
        ("{{ m['nmae'] }}", 'm has no "nmae". It has name. Did you mean "name"?'),
        ("{{ m[v] }}", 'm has no "***". It has name.'),
        ("a: ${{ x }}", str(say("render.of_pipeline", way=say("render.way_for_braces")))),
        ("{{ bcs.x }}", 'method has no "x".'),
        ("{{ commit.x }}", 'commit has no "x". It has sha, short.'),
        ("{{ many.x }}", f'many has no "x". It has {", ".join("abcdefghijkl")}.'),
        (f"{{{{ v.{'x' * 301} }}}}", f'v has no "{"x" * 300}".'),
    ],
)
def test_a_part_that_is_missing_is_said_of_what_lacks_it(source: str, says: str) -> None:
    names = {"m": {"name": 1}, "many": dict.fromkeys("abcdefghijklm"), "commit": CONTEXT.commit}
    assert said_of(source, v="a b", **names) == [f"1: {says}"]


@pytest.mark.parametrize(
    ("source", "kind", "says"),
    [
        ("{{ m[v] }}", "missing", 'm has no "***". It has name.'),
        ("{{ [1] | map(v) | list }}", "failed", "(TemplateRuntimeError: No filter named '***'.)."),
        ("{{ [1] | map('up') | list }}", "failed", "(TemplateRuntimeError: No filter named 'up'.)."),
        ("{{ v + 1 }}", "failed", '(TypeError: can only concatenate str (not "int") to str).'),
        ("{{ 'x'.index(v) }}", "failed", "(ValueError)."),
        ("{{ v.__class__ }}", "failed", "access to attribute '__class__' of 'str' object is unsafe."),
        ("{% include ['a', 'b'] %}", "failed", "the workspace has no file a, b to include."),
        ("{% include 'a' %}", "failed", "the workspace has no file a to include."),
    ],
)
def test_what_fails_is_said_in_the_templates_own_words_and_without_values(
    source: str, kind: str, says: str
) -> None:
    names = {"v": "hunter2", "m": {"name": 1}}
    (said,) = said_of(source, **names)
    assert said.endswith(says)
    assert [(found, line) for found, line, _ in noted(source, **names)] == [(kind, 1)]


@pytest.mark.parametrize(
    "source",
    [
        "{% if nope == 1 %}{{ other }}{% endif %}",
        "{% for _ in range(nope | int) %}{{ other }}{% endfor %}",
        "{% for _ in range(nope | length) %}{{ other }}{% endfor %}",
        "{% if nope | float %}{{ other }}{% endif %}",
        "{% for _ in range(60) %}{{ nope }}{% endfor %}",
        "{{ nope.x.upper().y }}",
        "{{ nope.__x }}",
        "{% for key, value in nope | dictsort %}{{ key }}{% endfor %}",
    ],
)
def test_what_follows_from_a_missing_name_is_not_missing_too(source: str) -> None:
    (said,) = said_of(source, nopes=1)
    assert said == '1: "nope" has no value. Did you mean "nopes"?'


def test_what_is_missing_below_a_missing_name_is_told_in_the_same_round() -> None:
    for source in (
        "{% for d in nope %}{{ d.host }}{{ other }}{% endfor %}",
        "{% if nope %}{{ other }}{% endif %}",
    ):
        assert noted(source) == [("missing", 1, "nope"), ("missing", 1, "other")]


def test_of_many_missing_names_the_first_are_told_what_may_be_meant() -> None:
    said = said_of("{% for _ in range(60) %}{{ nmae }}{% endfor %}\n" + "{{ nmae }}\n" * 51, name=1)
    near = [line for line in said if line.endswith('Did you mean "name"?')]
    assert near == said[:50]
    assert len(said) == 52


@pytest.mark.parametrize("source", ["{{ nmae }}", "{{ m.nmae }}"])
def test_of_many_names_the_first_are_looked_at_for_what_may_be_meant(source: str) -> None:
    for before, is_told in ((MOST_KNOWN - 1, True), (MOST_KNOWN, False)):
        names: dict[str, object] = {**dict.fromkeys(map(str, range(before)), 1), "name": 1}
        (said,) = said_of(source, **names, m=names)
        assert ("Did you mean" in said) is is_told


def test_a_text_may_have_two_mebibytes() -> None:
    assert len(text_of("{{ v }}", v="x" * 2 * 2**20)) == 2 * 2**20
    with pytest.raises(LimitExceeded) as caught:
        rendered_here("{{ v }}", {"v": "x" * (2 * 2**20 + 1)})
    assert "The text a template renders to (t) is over the limit of 2 MiB" in str(caught.value)


def templates_of(kind: type[Environment], **names: object) -> Templates:
    return Templates(names, notes=Notes(names), marks=Marks(stem_of({})), read_text=no_files, kind=kind)


def test_what_our_own_templates_come_to_follows_from_values_that_are_bounded() -> None:
    long = "x" * (2 * 2**20 + 1)
    assert templates_of(BuiltinEnvironment, v=long).render("{{ v }}", name="t") == long


def test_another_template_of_the_same_name_is_another() -> None:
    templates = templates_of(Environment)
    assert [templates.render(source, name="t") for source in ("a", "b")] == ["a", "b"]


def test_what_stands_before_the_first_line_of_a_template_is_at_its_first() -> None:
    class Bare:
        name = "t"
        debug_info = ((7, 4),)  # a line of the template, and the line of its code

    names: dict[str, Any] = {"__jinja_template__": Bare()}
    exec("def code():\n    yield\n\n    yield\n", names)  # noqa: S102 - as Jinja2 makes it
    code = names["code"]()
    lines = [template_line(code.gi_frame) for _ in code]
    assert lines == [("t", 1), ("t", 7)]


def test_a_mistake_at_no_line_is_noted_all_the_same() -> None:
    notes = Notes({})
    assert str(missing_namespace(notes)) == ""
    notes.add_failure(KeyError(), name="t", follows=False)
    assert [key for key, _ in notes.noted()] == [
        ("failed", "t", 0, "KeyError"),
        ("missing", "", 0, "namespace"),
    ]


def test_a_file_is_included_from_the_workspace_or_from_where_a_template_is() -> None:
    files = {
        "a/b/c": "{% include './d' %}{% include '../e' %}{% include 'f' %}{{ include_raw('./raw') }}",
        "a/b/d": "d",
        "a/b/raw": "{% raw",
        "a/e": "e",
        "f": "f",
        "a/broken": "\n{{ }}",
    }
    settled, _ = rendered_here("{% include 'a/b/c' %}", {}, read_text=files.__getitem__)
    assert settled is not None
    assert settled.text == "def{% raw"
    _, found = rendered_here("{% include 'a/broken' %}", {}, read_text=files.__getitem__)
    assert [key[:3] for key, _ in found] == [("syntax", "a/broken", 2)]


@pytest.mark.parametrize("tag", ["include {}", "import {} as x", "set x = include_raw({})"])
def test_a_file_to_include_that_is_not_there_is_named_where_it_is_included(tmp_path: Path, tag: str) -> None:
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    read_text = Workspace(tmp_path).read_text
    for name, reads in (
        ("'a'", read_text),
        ("'dangling'", read_text),
        ("'a' * 5000", read_text),
        ("'a'", no_files),
    ):
        source = "\n{% " + tag.format(name) + " %}"
        _, found = rendered_here(source, {}, read_text=reads)
        assert [key for key, _ in found] == [("failed", "t", 2, "TemplateNotFound")]


@pytest.mark.parametrize("tag", ["include {}", "import {} as x", "set x = include_raw({})"])
def test_a_file_that_may_not_be_included_is_named_where_it_is_included(tmp_path: Path, tag: str) -> None:
    read_text = Workspace(tmp_path).read_text
    (tmp_path / "folder").mkdir()
    _, found = rendered_here("\n{% " + tag.format("'folder'") + " %}", {}, read_text=read_text)
    assert [key[:3] for key, _ in found] == [("file", "t", 2)]
    _, found = rendered_here("{% include 'folder' ignore missing %}\n{{ x }}", {}, read_text=read_text)
    assert [key[:3] for key, _ in found] == [("file", "t", 1), ("missing", "t", 2)]


# --- standard Jinja2


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            "{% set ns = namespace(n=0) %}{% for i in [1, 2] %}{% set ns.n = i %}{% endfor %}{{ ns.n }}",
            "2",
        ),
        (
            "{{ namespace }}-{{ namespace | upper }}-{{ namespace == 'prod' }}-{{ [namespace] }}",
            'prod-PROD-true-["prod"]',
        ),
        ("{% import 'm' as m %}{{ m.count([1, 2]) }}", "2 in prod"),
        ("{{ 'a b c' | wordwrap(3) | replace('\n', '|') }}", "a b|c"),
        ("{{ {'a': (1, 'x')} | pprint }}", "{'a': [1, 'x']}"),
        ("{{ '<b>a</b>' | striptags }}", "a"),
        (
            "{{ 'www.example.com' | urlize }}",
            '<a href="https://www.example.com" rel="noopener">www.example.com</a>',
        ),
        ("{{ {'id': 'a'} | xmlattr }}", ' id="a"'),
        ("{{ 'a' in 'ab' in ['ab'] }} {{ 1 < 2 not in [3] }}", "true true"),
        ("{{ 2 ** 200 }}", str(2**200)),
        ("{{ 12345678901234567890123456789012345678901 }}", "12345678901234567890123456789012345678901"),
        ("{{ 'a'.translate({97: 'b'}) }}", "b"),
        ("{{ dict.fromkeys('ab') }}", '{"a": null, "b": null}'),
        ("{{ range(3) }} {{ {'a': 1}.keys() }}", '[0, 1, 2] ["a"]'),
        ("{{ '<' | e }} {{ true | e }} {{ ('<' | e) | forceescape }}", "&lt; true &amp;lt;"),
        (
            "{% autoescape true %}{{ '<' }}{{ '<' | safe }}{{ '<' | e }}{% endautoescape %}{{ '<' }}",
            "&lt;<&lt;<",
        ),
        (
            "{% autoescape true %}{{ [true] }}{{ ['<'] | tojson }}{{ '<' ~ 1 ~ true }}{% endautoescape %}",
            '[true]["<"]&lt;1true',
        ),
    ],
    ids=lambda text: text[:40],
)
def test_standard_jinja2_is_there(source: str, text: str) -> None:
    macro = (
        "{% macro count(items) %}{% set ns = namespace(n=0) %}{% for _ in items %}{% set ns.n = ns.n + 1 %}"
        "{% endfor %}{{ ns.n }} in {{ namespace }}{% endmacro %}"
    )
    settled, found = rendered_here(
        f"# {source}|\n", {"namespace": "prod"}, read_text={"m": macro}.__getitem__
    )
    assert (settled and settled.text, found) == (f"# {text}|\n", [])


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ x }}{{ x }}", '["1", "2"]["1", "2"]'),
        ("{{ x | tojson }} {{ {'a': y} }}", '["1", "2"] {"a": [2]}'),
        ("{{ x ~ '' }} {{ x | length }}", '["1", "2"] 2'),
        (
            "{{ x | length }} {{ x | last }} {{ x[0] }} {{ x[:1] }} {{ x is sequence }} {{ x }}",
            '2 2 1 ["1"] false ["1", "2"]',
        ),
        ("{% if x %}{% for i in x %}{{ i }}/{{ loop.length }} {% endfor %}{% endif %}", "1/2 2/2 "),
        ("{% if none_of_them %}yes{% else %}no{% endif %}", "no"),
        ("{{ x is iterable }} {{ x | join }} {{ y | first }}", "true 12 2"),
        ("{{ [1, 2, 3] | batch(2) | list }} {{ [1, 2] | slice(2) }}", "[[1, 2], [3]] [[1], [2]]"),
        ("{% for a in [1, 2] | reverse %}{{ a }}{% endfor %}", "21"),
    ],
    ids=lambda text: text[:40],
)
def test_what_is_lazy_is_read_once_and_printed_as_a_list(source: str, text: str) -> None:
    made = "{% set x, y = [1, 2] | map('string'), [1, 2] | select('even') %}"
    none = "{% set none_of_them = [1] | reject('odd') %}"
    assert text_of(f"{made}{none}# {source}|\n") == f"# {text}|\n"


@pytest.mark.parametrize(
    "again",
    ["{{ x }}", "{% for i in x %}{% endfor %}", "{{ x | length }}", "{% if x %}{% endif %}", "{{ x[0] }}"],
)
def test_what_is_lazy_and_read_twice_is_said_with_its_line(again: str) -> None:
    source = "a: {% set x = [1] | map('string') %}{% for i in x %}{{ i }}{% endfor %}\n\nb: " + again
    (said,) = said_of(source)
    assert said.startswith("3: what map, select")
    assert 'Add "| list"' in said


def test_what_comes_to_another_digest_each_time_is_left_out() -> None:
    for name in ("random", "randm"):
        assert said_of(f"{{{{ [1] | {name} }}}}") == [f'1: Jinja2 has no filter "{name}".']
    assert said_of("{{ lipsum() }}") == ['1: "lipsum" has no value.']
