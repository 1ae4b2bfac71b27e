"""Templates of somebody who wants out of the sandbox, or the build machine's time and memory.

Each is rendered as the step does it, in a child that the system bounds; each that is stopped is stopped with
its template's name, and with its line wherever Python was there to tell it.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest

from bcs_template_set.manifests.templating.limits import Limits
from bcs_template_set.messages.errors import LimitExceeded, TemplateFailed, TemplateSyntax, TemplateUnreadable
from bcs_template_set.messages.step_error import StepError
from tests.support.building import refusal, render_source
from tests.support.draws import in_turn, swept

MEGA = "'x' * 1000000"
LIMITS = Limits(seconds=1, cpu_seconds=1)
"""Less than a run has, so that the tests of what never ends do not take as long."""

SLOWEST = 30
"""Seconds until a template is stopped, at the latest; mostly less, but a machine may run other tests too."""

# --- ways out of the sandbox that were published, and their relatives

ESCAPES = [
    # attribute chains
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ ().__class__.__base__.__subclasses__() }}",
    "{{ ''['__class__'] }}",
    "{{ [].__class__ }}",
    "{{ (1).__class__ }}",
    "{{ dict.mro() }}",
    "{{ dict.__subclasses__() }}",
    "{{ build.__dict__ }}",
    "{{ build.__class__.__init__.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ self.__init__.__globals__ }}",
    "{{ cycler.__init__.__globals__.os }}",
    "{{ joiner.__init__.__globals__ }}",
    "{{ cycler(1).next.__func__.__globals__ }}",
    "{{ range.__self__._marks }}",
    "{{ bcs.__func__.__globals__ }}",
    "{{ bcs.__self__._notes }}",
    "{{ bcs.__wrapped__ }}",
    "{% macro f() %}{% endmacro %}{{ f._func.__globals__ }}",
    "{% macro f() %}{{ caller.__self__ }}{% endmacro %}{% call f() %}{% endcall %}",
    "{% macro f() %}{{ varargs.__class__ }}{% endmacro %}{{ f(1) }}",
    "{% macro f() %}{{ kwargs.__class__ }}{% endmacro %}{{ f(a=1) }}",
    "{% for a in [1] %}{{ loop.__init__.__globals__ }}{% endfor %}",
    "{% for a in [1] %}{{ loop._recurse.x }}{% endfor %}",
    "{% set x %}{% endset %}{{ x.__class__ }}",
    # by filter
    "{{ '' | attr('__class__') }}",
    "{{ '' | attr('_' ~ '_class_' ~ '_') }}",
    "{{ [''] | map(attribute='__class__') | list }}",
    "{{ [''] | map(attribute='__class__.__mro__') | list }}",
    "{{ [''] | map('attr', '__class__') | list }}",
    "{{ [''] | groupby('__class__') }}",
    "{{ [''] | sum(attribute='__class__', start=0) }}",
    "{{ [bcs] | map(attribute='__self__') | list }}",
    # by format string, and by a format method that is reached indirectly (CVE-2024-56326, CVE-2025-27516)
    "{{ '{0.__class__}'.format('') }}",
    "{{ '{0.__class__.__mro__}'.format(1) }}",
    "{{ '{0[__class__]}'.format(1) }}",
    "{{ '{x.__init__.__globals__}'.format(x=bcs) }}",
    "{{ '{0.__self__}'.format(bcs) }}",
    "{{ '{.__class__}'.format(1) }}",
    "{{ '{x.__class__}'.format_map({'x': 1}) }}",
    "{{ ''.format_map.__self__ }}",
    "{{ ('{0.__class__}' | attr('format'))(1) }}",
    "{{ ('{0.__class__}' | attr('format_map'))({}) }}",
    "{% set f = '{0.__class__}'.format %}{{ f(1) }}",
    "{{ [['{0.__class__}', 1]] | map(attribute='0.format') | first }}",
    "{% set f = ['{0.__class__}'] | map(attribute='format') | first %}{{ f(1) }}",
    "{% autoescape true %}{% set m %}{0.__class__}{% endset %}{{ m.format(1) }}{% endautoescape %}",
    "{{ ('{0.__class__}' | e).format(1) }}",
    "{{ ('{0.__class__}' | safe).format(1) }}",
    # generators, coroutines and frames
    "{{ ([1] | map('string')).gi_frame }}",
    "{{ ([1] | map('string')).gi_code }}",
    "{{ ([1] | map('string')).send(1) }}",
    # what changes values, or makes other kinds of them
    "{{ [].append(1) }}",
    "{{ [1].pop() }}",
    "{{ {}.update(a=1) }}",
    "{{ {}.setdefault('a', 1) }}",
    "{{ {}.__setitem__('a', 1) }}",
    "{{ 'a'.encode() }}",
    "{{ (1).from_bytes('a', 'big') }}",
    "{{ (1).to_bytes(8, 'big') }}",
    # names that other hosts of Jinja2 leave lying about
    "{{ config.items() }}",
    "{{ request.application.__globals__ }}",
    "{{ get_flashed_messages.__globals__ }}",
    "{{ lipsum.__globals__ }}",
    "{{ url_for.__globals__ }}",
    "{{ environment.filters }}",
    "{{ context.parent }}",
    "{{ open('/etc/passwd') }}",
    "{{ __import__('os') }}",
    "{{ eval('1') }}",
    # print nothing that only this process knows
    "{{ bcs }}",
    "{{ range }}",
    "{{ dict }}",
    "{{ cycler }}",
    "{{ self }}",
    "{{ build }}",
    "{{ ''.upper }}",
    "{{ namespace() }}",
    "{{ namespace.__init__.__globals__ }}",
    "{{ [1] | map('string') | attr('_items') }}",
    "{{ ([1] | map('string'))._items }}",
    "{{ bcs | pprint }}",
    "{% autoescape true %}{{ bcs }}{% endautoescape %}",
]


@pytest.mark.parametrize("source", swept(ESCAPES, sample=30))
def test_a_way_out_of_the_sandbox_is_refused_with_template_and_line(tmp_path: Path, source: str) -> None:
    with pytest.raises(StepError) as caught:
        render_source(tmp_path, "a: 1\n\n" + source)
    said = str(caught.value)
    assert "t.yaml.j2:3" in said
    for leak in ("<class", "object at 0x", "root:", "site-packages"):
        assert leak not in said


@pytest.mark.parametrize(
    "source",
    [
        "#jinja2: variable_start_string:'[[', variable_end_string:']]'\na: '[[ 7*7 ]]'\n",
        "# {{ '{%' }} line_statement_prefix: '%'\n% for a in [1]\n",
        "a: '<% 7*7 %> ${ 7*7 } #{ 7*7 } ((7*7))'\n",
    ],
)
def test_no_text_changes_the_delimiters(tmp_path: Path, source: str) -> None:
    try:
        rendered = render_source(tmp_path, source).text
    except StepError as refused:  # no YAML; the text of the refusal has what it rendered to
        rendered = str(refused)
    assert "49" not in rendered


@pytest.mark.parametrize("source", ["{% async for a in [1] %}{% endfor %}", "{{ await x }}"])
def test_nothing_is_asynchronous(tmp_path: Path, source: str) -> None:
    with pytest.raises(StepError) as caught:
        render_source(tmp_path, "\n" + source)
    assert "t.yaml.j2:2" in str(caught.value)


# --- files outside


OUTSIDE = (
    "/etc/passwd",
    "/dev/zero",
    "/proc/self/environ",
    "../outside",
    "../../../../../../etc/passwd",
    "./../outside",
    "sub/../../outside",
    ".git/config",
    "./.git/config",
    "sub/../.git/config",
    "to_git",
    "link",
    "linked/outside",
    "chain",
    "zero",
    "environ",
    "pipe",
    "sub",
    ".",
    "",
    "outside\0",
    "C:\\outside",
    "\\\\host\\share",
    "file:///etc/passwd",
    "http://127.0.0.1/",
)
STATEMENTS = (
    "{{% include {0} %}}",
    "{{% include [{0}] ignore missing %}}",
    "{{% import {0} as m %}}",
    "{{% from {0} import m %}}",
    "{{% extends {0} %}}",
    "{{% set n = {0} %}}{{% include n %}}",
)


@pytest.mark.parametrize(("name", "statement"), in_turn(OUTSIDE, STATEMENTS))
def test_nothing_outside_the_workspace_is_read(tmp_path: Path, statement: str, name: str) -> None:
    root = tmp_path / "workspace"
    (root / "sub").mkdir(parents=True)
    (tmp_path / "outside").write_text("canary-of-a-file")
    (root / ".git").mkdir()
    (root / ".git" / "config").write_text("canary-of-a-file")
    (root / "to_git").symlink_to(".git/config")
    (root / "link").symlink_to(tmp_path / "outside")
    (root / "linked").symlink_to(tmp_path)
    (root / "chain").symlink_to(root / "link")
    (root / "zero").symlink_to("/dev/zero")
    (root / "environ").symlink_to("/proc/self/environ")
    os.mkfifo(root / "pipe")
    source = "\n" + statement.format(ascii(name))
    began = time.monotonic()
    try:
        said = render_source(root, source).text
    except (TemplateUnreadable, TemplateFailed) as refused:
        said = str(refused)
        assert "t.yaml.j2:2" in said
    assert time.monotonic() - began < SLOWEST
    assert "canary-of-a-file" not in said
    assert "root:" not in said


def test_a_file_that_grows_beyond_the_limit_is_not_read_whole(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(2**40)  # sparse: a TiB that takes no room
    assert "2 MiB" in refusal(tmp_path, "{% include 'large' %}", TemplateUnreadable)


# --- time and memory

BOMBS = [
    "{{ range(10**9) }}",
    "{{ range(10**9) | list }}",
    "{{ range(-(10**30), 10**30) }}",
    "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "{% for a in range(99999) %}{% for b in range(99999) if false %}{% endfor %}{% endfor %}",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "{% block a %}{{ self.a() }}{% endblock %}",
    "{% include 't.yaml.j2' %}",
    "{{ 'a' * 10**10 }}",
    "{{ 10**10 * 'a' }}",
    "{{ [0] * 10**10 }}",
    "{{ 'x' | center(10**10) }}",
    "{{ 'x'.center(10**10) }}",
    "{{ 'x'.ljust(10**10) }}",
    "{{ '1'.zfill(10**10) }}",
    "{{ 'x' | indent(10**10, true) }}",
    "{{ '%1000000000d' | format(1) }}",
    "{{ '%*d' | format(10**10, 1) }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '{:>1000000000}'.format(1) }}",
    "{{ '{:>{w}}'.format(1, w=10**10) }}",
    "{{ [1] | batch(10**10, 'x') | list }}",
    "{{ [1] | slice(10**10) | list }}",
    "{{ range(100000) | join('x' * 1000000) }}",
    "{{ ('x' * 1000000).join(range(100000) | map('string') | list) }}",
    "{{ ('x' * 1000000) | replace('x', 'y' * 1000000) }}",
    "{{ ('x' * 1000000).replace('', 'y' * 1000) }}",
    "{{ range(100000) | map('center', 1000000) | list }}",
    "{{ [['x' * 1000000] * 1000] * 1000 }}",
    "{% set x = 'a' %}" + "{% set x = x ~ x %}" * 60 + "{{ x }}",
    "{% set x = 'a' %}" + "{% set x = x + x %}" * 60 + "{{ x }}",
    "{% set x = 9 %}" + "{% set x = x * x %}" * 60 + "{{ x }}",
    "{% set x = [1] %}" + "{% set x = {'a': x, 'b': x} %}" * 60 + "{{ x | tojson }}",
    "{% set x = (1,) %}" + "{% set x = (x, x) %}" * 60 + "{{ [x] | unique | list }}",
    "{% set x = [1] %}" + "{% set x = dict(a=x, b=x) %}" * 60 + "{{ x | string }}",
    "{% for a in range(99999) %}{{ 'x' * 1000 }}{% endfor %}",
    "{% set q %}{% for a in range(99999) %}" + "x" * 5000 + "{% endfor %}{% endset %}",
    "{% macro m() %}"
    + "x" * 100000
    + "{% endmacro %}{% set q %}{% for a in range(99999) %}{{ m() }}{% endfor %}{% endset %}",
    "{% macro m() %}{% for a in range(99999) %}{{ caller() }}{% endfor %}{% endmacro %}"
    "{% call m() %}" + "x" * 1000 + "{% endcall %}",
    "{{ build.id }}" * 50_000,
    "{% set x = [" + "1," * 500_000 + "] %}",
    "{% for a in range(9) recursive %}{{ loop(range(9)) }}{% endfor %}",
    # shown again and again
    f"{{{{ ('%(a)s' * 10000) % {{'a': {MEGA}}} }}}}",
    f"{{{{ ('%(a)s' * 10000) | format(a={MEGA}) }}}}",
    "{{ ('{0}' * 600).format('x' * 2000000) }}",
    "{{ ('{a}' * 600).format(a='x' * 2000000) }}",
    "{{ ('{0[a]}' * 300).format({'a': 'x' * 3000000}) }}",
    "{{ ('{0!r}' * 300).format('\\x00' * 4000000) }}",
    "{{ ('%(a)s' * 1000) % {'a': ['x' * 1000] * 1000} }}",
    "{% set d = {'a': 'x' * 3000000} %}{{ ('%s' * 1000) % ((d.values(),) * 1000) }}",
    "{% set d = {'a': 'x' * 3000000} %}{{ ('{0}' * 600).format(d.items()) }}",
    # lazily: what has no size until it is used
    f"{{{{ range(100000) | map(attribute='z', default={MEGA}) | join }}}}",
    f"{{{{ range(100000) | map(attribute='z', default={MEGA}) | sort | length }}}}",
    f"{{{{ range(100000) | map(attribute='z', default={MEGA}) | unique | list | length }}}}",
    f"{{{{ range(100000) | map(attribute='z', default={MEGA}) | max }}}}",
    "{{ range(100000) | map(attribute='z', default=[1] * 1000) | sum(start=[]) | length }}",
    "{{ ([{'a': [1] * 1000}] * 2000) | sum(attribute='a', start=[]) | length }}",
    "{{ ('x' * 4000000) | batch(1) | sum(start=[]) }}",
    "{{ ('x' * 4000000)" + " | batch(1)" * 8 + " | list | length }}",
    "{% set x = x | default([1]) %}" + "{% set x = x | map('string') %}" * 2000 + "{% include 't.yaml.j2' %}",
    "{% set b = 'a' * 2000000 %}{{ range(100000) | map('string') | select('in', b) | list }}",
    # copies
    "{% set b = 'x' * 4000000 %}" + "".join(f"{{% set a{i} = b[1:] %}}" for i in range(3000)),
    "{% set b = [1] * 120000 %}" + "".join(f"{{% set a{i} = b[1:] %}}" for i in range(3000)),
    "".join(f"{{% set a{i} = range(100000) | list %}}" for i in range(3000)),
    "".join(f"{{% set a{i} = dict(range(100000) | map('string') | batch(2)) %}}" for i in range(1500)),
    # texts with methods that cost the product of two lengths
    "{{ ('a' * 2000000).rfind('a' * 500000 ~ 'b' ~ 'a' * 500000) }}",
    "{{ ('a' * 2000000).rindex('a' * 500000 ~ 'b' ~ 'a' * 500000) }}",
    "{{ ('a' * 2000000).rsplit('a' * 500000 ~ 'b' ~ 'a' * 500000) }}",
    "{{ ('a' * 2000000).rpartition('a' * 500000 ~ 'b' ~ 'a' * 500000) }}",
    "{{ ('a' * 2000000).strip('b' * 1000000 ~ 'a') }}",
    "{{ ('a' * 2000000) | trim('b' * 1000000 ~ 'a') }}",
    # imports and includes
    "{% include 'b' %}",
    "{% for i in range(99999) %}{% include 'c' %}{% endfor %}",
]
BOMBS_NO_MORE = {
    "{{ 10**10**8 }}": str(10**80),
    "{{ 9**9**9 }}": str(9**81),
    "{{ 1.5 | round(10**10) }}": "1.5",
    "{% set x = [1] %}" + "{% set x = [x, x] %}" * 60 + "{{ x == x }}": "true",
    "{% set q %}{% for a in range(99999) %}{{ 'x' * 1000 }}{% endfor %}{% endset %}1": "1",
    "{% autoescape true %}{% set m %}{:>9}{% endset %}{{ m.format(1) }}{% endautoescape %}": " " * 8 + "1",
    "{% autoescape true %}{% set m %}x{% endset %}{{ m.center(3) }}{% endautoescape %}": " x ",
    "{{ 'a' in 'b' in 'c' }}": "false",
    "{{ 'a'.translate({}) }}": "a",
    "{{ 'a'.maketrans('a', 'b') }}": '{"97": 98}',
    "{{ (1.0).fromhex('a') }}": "10.0",
}
"""What was refused for its price only, or because it could not be priced."""

MISTAKES = {
    "{{ '\t'.expandtabs(10**10) }}": "OverflowError",
    "{{ '%99999999999999999999d' % 1 }}": "ValueError",
    "{{ ('{' + ':' * 100000).format(1) }}": "ValueError",
}
BESIDE = {"b": "{{ a }}" * 190_000, "c": "x" * 100_000}


@pytest.mark.parametrize("source", swept(BOMBS, sample=5), ids=lambda source: source[:70])
def test_a_bomb_ends_within_the_limits_with_its_template(tmp_path: Path, source: str) -> None:
    for name, text in BESIDE.items():
        (tmp_path / name).write_text(text)
    began = time.monotonic()
    said = refusal(tmp_path, "a: 1\n" + source, LimitExceeded, limits=LIMITS)
    assert re.search(r"\((t\.yaml\.j2|b), line \d+\) is over|\(t\.yaml\.j2\) is over", said)
    assert time.monotonic() - began < SLOWEST


@pytest.mark.parametrize("source", BOMBS_NO_MORE, ids=lambda source: source[:70])
def test_what_was_only_too_dear_renders(tmp_path: Path, source: str) -> None:
    assert render_source(tmp_path, f"# {source}.\n").text == f"# {BOMBS_NO_MORE[source]}.\n"


@pytest.mark.parametrize("source", MISTAKES, ids=lambda source: source[:20])
def test_what_python_itself_refuses_is_said_with_its_line(tmp_path: Path, source: str) -> None:
    said = refusal(tmp_path, "a: 1\n" + source, TemplateFailed)
    assert f"t.yaml.j2:2: the step could not render this ({MISTAKES[source]}" in said


NO_JINJA = [
    "{% set a = 0x" + "f" * 90_000 + " %}" + "{{ a // 3 }}" * 2000,
    "{{ 0x" + "f" * 1_900_000 + " }}",
    "{{ " + "9" * 1_900_000 + " }}",
    "{{ " + "(" * 15_000 + "1" + ")" * 15_000 + " }}",
    "{{ " + "[" * 15_000 + "]" * 15_000 + " }}",
    "{{ " + "not " * 30_000 + "1 }}",
    "{{ a" + ".a" * 12_000 + " }}",
    "{{ 'a'" + "|upper" * 12_000 + " }}",
    "{{ 1" + "+1" * 18_000 + " }}",
    "{{ 1" + " and 1" * 18_000 + " }}",
    "{{ " + "1 if 0 else " * 9000 + "1 }}",
    "{% if a is defined %}" * 4000 + "{% endif %}" * 4000,
    "{% macro m() %}{{ caller() }}{% endmacro %}" + "{% call m() %}" * 2000 + "{% endcall %}" * 2000,
]


@pytest.mark.parametrize("source", swept(NO_JINJA, sample=4), ids=lambda source: source[:70])
def test_what_can_not_be_compiled_is_said_with_its_line(tmp_path: Path, source: str) -> None:
    began = time.monotonic()
    said = refusal(tmp_path, "a: 1\n\n" + source, TemplateSyntax)
    assert "t.yaml.j2:3: " in said
    assert len(said) < 1000
    assert time.monotonic() - began < SLOWEST


@pytest.mark.parametrize(
    "source",
    [
        "{% if 0 %}" + "{% elif 0 %}" * 9000 + "{% endif %}",
        "{% for a in [1] %}" * 30 + "{% endfor %}" * 30,
    ],
    ids=["elif", "for"],
)
def test_what_only_python_finds_nested_too_deeply_names_the_template(tmp_path: Path, source: str) -> None:
    said = refusal(tmp_path, "\n\n" + source, TemplateSyntax)
    assert "nested too deeply, or too large" in said
    assert "t.yaml.j2" in said


@pytest.mark.parametrize(
    "source",
    [
        "{{ " + "a" * 1_000_000 + " }}",
        "{{ build['" + "a" * 1_000_000 + "'] }}",
        "{{ ''.__" + "a" * 1_000_000 + "__ }}",
        "{% include '" + "a" * 1_000_000 + "' ~ '' %}",
        "{% include ['" + "a" * 1_000_000 + "', 'b'] %}",
        "{{ 'a' | " + "a" * 1_000_000 + " }}",
        "{% " + "a" * 1_000_000 + " %}",
        "{{ bcs('" + "a" * 1_000_000 + "') }}",
        "{{ 1 + '" + "a" * 1_000_000 + "' }}",
    ],
    ids=lambda source: source[:20],
)
def test_a_mistake_of_a_megabyte_is_said_in_a_few_words(tmp_path: Path, source: str) -> None:
    with pytest.raises(StepError) as caught:
        render_source(tmp_path, "\n" + source)
    assert "t.yaml.j2:2" in str(caught.value)
    assert len(str(caught.value)) < 2000


def test_what_honest_templates_do_is_still_done(tmp_path: Path) -> None:
    lines = {
        "{{ [{'v': [1]}, {'v': [2, 3]}] | sum(attribute='v', start=[]) }}": "[1, 2, 3]",
        "{{ [{'v': (1,)}] | sum(attribute='v', start=(0,)) }}": "[0, 1]",
        "{{ [1, 2] | sum }} {{ [{'n': 2}] | sum(attribute='n') }}": "3 2",
        "{{ {'x': 1}.items() | list }} {{ {'x': 1}.values() | first }}": '[["x", 1]] 1',
        "{{ ['b', 'a'] | map('upper') | sort | join(',') }}": "A,B",
        "{{ [1, 2, 3] | select('in', [2]) | list }}": "[2]",
        "{{ 'a' in 'abc' }} {{ 'a' not in ['b'] }} {{ 1 < 2 < 3 }}": "true true true",
        "{% set a, b = 1, 2 %}{{ a < b }} {{ a == b }} {{ a is eq b }}": "true false false",
        "{% set r = range(3) %}{{ r == r }} {{ 'a' in r }} {{ 2 in r }}": "true false true",
        "{{ 'x' in {'x': 1} }} {{ {'x': 1}.get('x') }} {{ [5, 6].index(6) }}": "true 1 1",
        "{% for x in [1, 1] %}{{ loop.changed(x) }} {% endfor %}": "true false ",
        "{{ 'abc'[1:] }} {{ [1, 2, 3][::-1] }}": "bc [3, 2, 1]",
        "{{ '%s' % 1 }} {{ '{}/{}'.format('a', 'b') }} {{ '%s' | format('a') }}": "1 a/b a",
        "{% for k, v in {'x': 1} | items %}{{ k }}{{ v }}{% endfor %}": "x1",
        "{% for a in [1, 2] | reverse %}{{ a }}{% endfor %}": "21",
        "{{ [3, 1] | batch(1) | map('first') | list }}": "[3, 1]",
        "{{ [{'n': 'a', 'v': 1}] | groupby('n') | map('first') | join }}": "a",
    }
    source = "".join(f"# {line}.\n" for line in lines)
    assert render_source(tmp_path, source).text == "".join(f"# {text}.\n" for text in lines.values())


def test_an_import_gives_its_macros(tmp_path: Path) -> None:
    (tmp_path / "m").write_text("some text {% macro f(a) %}<{{ a }}>{% endmacro %}")
    assert render_source(tmp_path, "a: '{% import 'm' as m %}{{ m.f(1) }}'").text == "a: '<1>'"
