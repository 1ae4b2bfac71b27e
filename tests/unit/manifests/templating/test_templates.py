from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.building import (
    VALUES_OF_ANY_KIND,
    prepared,
    refusal,
    render,
    render_source,
    rendered_here,
    version_of,
)
from tests.support.draws import examples

from bcs_template_set.manifests.templating.limits import Limits
from bcs_template_set.manifests.templating.render import render_manifests, render_routes
from bcs_template_set.manifests.yaml_reading import YamlValue, read_yaml
from bcs_template_set.manifests.yaml_words import MANIFESTS
from bcs_template_set.messages import LANGUAGES
from bcs_template_set.messages.errors import (
    LimitExceeded,
    ManifestsInvalid,
    NamesMissing,
    TemplateFailed,
    TemplateSyntax,
    TemplateUnreadable,
)
from bcs_template_set.messages.server_errors import OutOfTime
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.system.clock import Deadline


def text_of(tmp_path: Path, source: str, *, values: str = "") -> str:
    return render_source(tmp_path, source, values=values).text


# --- what templates can use


def test_the_context_and_the_values_are_names_of_every_template(tmp_path: Path) -> None:
    source = (
        "a: {{ build.number }}-{{ build.id }}-{{ pipeline.name }}-{{ branch.slug }}-{{ commit.short }}\n"
        "b: {{ project }}/{{ cluster_id }}/{{ namespace }}/{{ region }}/{{ team.name }}\n"
    )
    rendered = text_of(tmp_path, source, values="team: {name: web}")
    assert rendered == (
        "a: 428-b-1-release-feature-login-0123456789-01234567\nb: web/BCS-K8S-40000/prod/gz/web\n"
    )


def test_the_rendered_text_is_kept_to_the_letter(tmp_path: Path) -> None:
    source = "# a comment\na:   1   # another\n\n\nb: 'x'\n"
    assert text_of(tmp_path, source) == source


def test_bcs_leaves_a_variable_and_says_so(tmp_path: Path) -> None:
    file = render_source(tmp_path, 'a: {{ bcs("IMAGE") }}\nb: "{{ bcs("TAG") }}-x"\n')
    assert file.text == 'a: {{ IMAGE }}\nb: "{{ TAG }}-x"\n'
    assert file.variables == {"IMAGE", "TAG"}
    assert file.documents[0].body == {"a": "{{ IMAGE }}", "b": "{{ TAG }}-x"}


@pytest.mark.parametrize("name", ["''", "'a b'", "'}}'", "5", "'1a'", "'a' * 200"])
def test_bcs_takes_names_of_variables_only(tmp_path: Path, name: str) -> None:
    assert "bcs() takes the name of a variable" in refusal(
        tmp_path, f"a: {{{{ bcs({name}) }}}}", TemplateFailed
    )


def test_live_replicas_leaves_a_variable_that_names_the_workload(tmp_path: Path) -> None:
    source = 'a: {{ live_replicas("web.x") }}\nb: {{ live_replicas(name, "StatefulSet") }}\n'
    file = render_source(tmp_path, source, values="name: db")
    assert file.text == "a: {{ live_replicas.Deployment.web.x }}\nb: {{ live_replicas.StatefulSet.db }}\n"
    assert file.variables == {"live_replicas.Deployment.web.x", "live_replicas.StatefulSet.db"}


@pytest.mark.parametrize("given", ["5", "'web', 5", "'web', 'a.b'"])
def test_live_replicas_takes_a_name_and_a_kind_only(tmp_path: Path, given: str) -> None:
    said = refusal(tmp_path, f"a: {{{{ live_replicas({given}) }}}}", TemplateFailed)
    assert "live_replicas() takes a workload's name" in said


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("a: {{ 'hunter2-canary'.encode('x') }}", ""),
        ("a: {{ '%q' | format('hunter2-canary') }}", "ValueError"),
        ("a: {{ 'hunter2-canary'.index('z') }}", "ValueError"),
    ],
)
def test_a_value_that_python_quotes_is_not_shown(tmp_path: Path, source: str, kind: str) -> None:
    text = refusal(tmp_path, source, TemplateFailed)
    assert "hunter2" not in text
    assert kind in text
    assert ":1:" in text


@pytest.mark.parametrize(
    "expression",
    [
        *("d[v]", "d[v].x", "l[v]", "d | attr(v)", "d | attr('__' ~ v)", "l | map(attribute=v) | list"),
        *("l | map(v) | list", "l | select(v) | list", "l | selectattr(v) | list", "l | groupby(v)"),
        *(
            "m(**{v: 1})",
            "build[v]",
            "dict([v])",
            "'%d' % v",
            "v()",
            "v | round(method=v)",
        ),
    ],
)
def test_what_code_makes_of_a_value_is_not_shown(tmp_path: Path, expression: str) -> None:
    source = "{% macro m() %}{% endmacro %}a: 1\nb: {{ " + expression + " }}\n"
    with pytest.raises(StepError) as caught:
        render_source(tmp_path, source, values="v: hunter2\nl: [hunter2, 1]\nd: {k: hunter2}")
    for language in LANGUAGES:
        said = "\n".join(caught.value.explain(language))
        assert "hunter2" not in said
        assert "t.yaml.j2" in said


def test_what_a_template_says_itself_is_shown(tmp_path: Path) -> None:
    assert 'd has no "imge". It has k.' in refusal(
        tmp_path, "{{ d['imge'] }}", NamesMissing, values="d: {k: 1}"
    )
    assert "No filter named 'up'" in refusal(tmp_path, "{{ ['a'] | map('up') | list }}", TemplateFailed)
    assert '(not "int")' in refusal(tmp_path, "{{ 'a' + 1 }}", TemplateFailed)


def test_values_print_as_yaml_reads_them_back(tmp_path: Path) -> None:
    source = "a: {{ v.t }}\nb: {{ v.n | tojson }}\nc: {{ v.l }}\nd: {{ v.m }}\ne: x{{ v.t ~ 1 }}\n"
    rendered = text_of(tmp_path, source, values="v: {t: true, n: null, l: [1, true, 'no'], m: {k: }}")
    assert rendered == 'a: true\nb: null\nc: [1, true, "no"]\nd: {"k": null}\ne: xtrue1\n'


@given(value=VALUES_OF_ANY_KIND)
def test_tojson_keeps_any_value(value: YamlValue) -> None:
    rendered, _ = rendered_here("a: {{ v | tojson }}\n", {"v": value})
    assert rendered is not None
    found = read_yaml(rendered.text, source="", reading=MANIFESTS)
    assert found == {"a": value}


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_tojson_keeps_any_text_wherever_it_stands(text: str) -> None:
    rendered, _ = rendered_here("a:\n  - b: {{ v | tojson }}\n    {{ v | tojson }}: c\n", {"v": text})
    assert rendered is not None
    if len(text) < 1000 and text not in ("b", "<<"):
        assert read_yaml(rendered.text, source="") == {"a": [{"b": text, text: "c"}]}


def test_templates_can_include_and_import_from_the_workspace(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "labels.j2").write_text("app: {{ name }}\n{% include './more.j2' %}")
    (tmp_path / "parts" / "more.j2").write_text("tier: web\n")
    (tmp_path / "macros.j2").write_text("{% macro quote(x) %}'{{ x }}'{% endmacro %}")
    source = "{% include 'parts/labels.j2' %}{% from 'macros.j2' import quote %}x: {{ quote(name) }}\n"
    assert text_of(tmp_path, source, values="name: shop") == "app: shop\ntier: web\nx: 'shop'\n"


def test_blocks_and_inheritance_work(tmp_path: Path) -> None:
    (tmp_path / "base.j2").write_text("a: {% block a %}1{% endblock %}\n")
    assert text_of(tmp_path, "{% extends 'base.j2' %}{% block a %}{{ super() }}2{% endblock %}") == "a: 12"


def test_usual_filters_and_methods_work(tmp_path: Path) -> None:
    source = (
        "a: {{ 'x' | upper }}{{ 'a b'.split(' ') | join('-') }}{{ [3, 1] | sort | first }}\n"
        "b: {{ '%05d' | format(42) }}{{ '{:>3}'.format(7) }}{{ 'a' | center(3) }}|\n"
        "b2: {{ 'ab' | replace('b', 'c') }}\n"
        "c: |\n{{ 'l1\nl2' | indent(2, true) }}\n"
        "d: {{ {'k': 1}.items() | list }}\nd2: {{ [1, 2] | map('string') | join }}{{ range(3) | sum }}\n"
        "e: {{ xs | selectattr('on') | map(attribute='n') | list }}\n"
        "e2: {{ 7 // 2 }}{{ 2 ** 10 }}{{ 'ab' * 2 }}\n"
        "f: {{ missing | default('none') }}{{ missing is defined }}{{ '5' | int + 1 }}\n"
        "g: {{ 1.234 | round(1) }}{{ 'a b' | urlencode }}{{ 'x<' | e }}\n"
    )
    rendered = text_of(tmp_path, source, values="xs: [{on: true, n: 1}, {on: false, n: 2}]")
    assert rendered == (
        "a: Xa-b1\nb: 00042  7 a |\nb2: ac\nc: |\n  l1\n  l2\n"
        'd: [["k", 1]]\nd2: 123\ne: [1]\ne2: 31024abab\nf: nonefalse6\ng: 1.2a%20bx&lt;\n'
    )


# --- mistakes


def test_all_missing_names_of_a_run_are_said_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "one.yaml.j2").write_text("a: {{ nmae }}\nb: {{ name }}\nc: {{ shop.imge }}\n")
    (tmp_path / "two.yaml.j2").write_text(
        "{% for d in domians %}\n- {{ d.host }} {{ d.x.y }} {{ regon }}\n{% endfor %}\n"
        "{% if flag %}x: {{ other }}{% endif %}\n"
        "{{ lost | upper }}{{ lost2 + 1 }}{{ lost3() }}{{ lost4[0] }}\n"
        "{{ lost5 == 1 }}{{ 1 in lost6 }}{{ lost7 | length }}{{ lost8 ~ 'x' }}{{ lost9 | tojson }}"
    )
    with pytest.raises(NamesMissing) as caught:
        render(tmp_path, "*.j2", values="name: a\nshop: {image: b}")
    lines = [str(detail) for detail in caught.value.details]
    assert lines[:5] == [
        "one.yaml.j2:",
        'line 1: "nmae" has no value. Did you mean "name"?',
        'line 3: shop has no "imge". It has image. Did you mean "image"?',
        "two.yaml.j2:",
        'line 1: "domians" has no value.',
    ]
    found = " ".join(lines)
    names = ["regon", "flag", "other", "lost", *(f"lost{number}" for number in range(2, 10))]
    assert [name for name in names if f'"{name}"' not in found] == []
    assert '"host"' not in found
    assert len(lines) == 5 + len(names)


def test_a_name_in_a_branch_not_taken_or_with_a_default_is_not_missing(tmp_path: Path) -> None:
    source = "a: {% if false %}{{ nope }}{% endif %}{{ nope | default(1) }}{{ 'x' if nope is defined }}\n"
    assert text_of(tmp_path, source) == "a: 1\n"


def test_a_missing_name_in_an_included_file_is_said_there(tmp_path: Path) -> None:
    (tmp_path / "part.txt").write_text("\n\n{{ gone }}")
    assert 'part.txt:3: "gone" has no value' in refusal(tmp_path, "a: {% include 'part.txt' %}", NamesMissing)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("a: {{ x", ':1: a "}}" or "%}" is missing'),
        ("\n{% for %}", ":2:"),
        ("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", "nested too deeply"),
        ("{% for a in [1] %}" * 60 + "{% endfor %}" * 60, "nested too deeply"),
        ("{{ " + "1+" * 5000 + "1 }}", "nested too deeply"),
    ],
)
def test_what_is_no_jinja_is_said_with_its_line(tmp_path: Path, source: str, says: str) -> None:
    assert says in refusal(tmp_path, source, TemplateSyntax)


def test_all_templates_that_are_no_jinja_are_said_together(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / f"{name}.j2").write_text("{{")
    with pytest.raises(TemplateSyntax) as caught:
        render(tmp_path, "*.j2")
    assert len(caught.value.details) == 3


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("{{ ''.__class__.__mro__ }}", "__class__"),
        ("{{ cycler.__init__.__globals__ }}", "__init__"),
        ("{{ [1].append(2) }}", "append"),
        ("{{ {}.update(a=1) }}", "update"),
        ("{{ '{0.__class__}'.format(1) }}", "__class__"),
        ("{{ self.__init__ }}", "__init__"),
        ("{{ bcs.__self__ }}", "__self__"),
    ],
)
def test_what_the_sandbox_forbids_is_named(tmp_path: Path, source: str, says: str) -> None:
    said = refusal(tmp_path, "\n" + source, TemplateFailed)
    assert "t.yaml.j2:2: the sandbox does not allow this" in said
    assert says in said


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("\n\n{{ 1 / 0 }}", ":3: the step could not render this (ZeroDivisionError"),
        ("{{ 1 + 'a' }}", ":1: the step could not render this (TypeError"),
        ("{{ 'x'() }}", ":1: the step could not render this (TypeError"),
        ("{% include 'nope.j2' %}", "no file nope.j2 to include"),
        ("{% include ['a', 'b'] %}", "no file a, b to include"),
        ("{{ bcs | tojson }}", "can't be written as YAML"),
        ("{{ namespace(x=1) }}", "Namespace can't be printed"),
        ("{{ 'a'.encode() }}", "bytes can't be printed"),
        ("{{ (1).to_bytes(10, 'big') }}", "bytes can't be printed"),
        (
            "{{ [1, 'x'] | map('float', {}) | map('round', 'x') | list }}",
            ":1: the step could not render this (TypeError",
        ),
        ("{{ [[1], 'x'] | sum(start=[]) }}", "TypeError"),
    ],
)
def test_what_a_template_raises_is_said_with_its_line(tmp_path: Path, source: str, says: str) -> None:
    assert says in refusal(tmp_path, source, TemplateFailed)


def test_an_include_that_leaves_the_workspace_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "w"
    root.mkdir()
    (tmp_path / "secret").write_text("s")
    (root / "link").symlink_to(tmp_path / "secret")
    for name in ("../secret", "link", "/etc/hostname", "./../secret"):
        said = refusal(root, f"{{% include '{name}' ignore missing %}}", TemplateUnreadable)
        assert "t.yaml.j2:1: " in said


def test_a_template_can_not_change_the_values_of_the_next(tmp_path: Path) -> None:
    (tmp_path / "a.yaml.j2").write_text("x: {% set v.k = 2 %}{{ v.k }}")
    with pytest.raises(StepError):
        render(tmp_path, "a.yaml.j2", values="v: {k: 1}")


def test_a_rendered_text_that_is_no_yaml_is_said_with_line_and_template(tmp_path: Path) -> None:
    said = refusal(tmp_path, "a: 1\nb: {{ 'x: y' }}\n", ManifestsInvalid)
    assert "t.yaml.j2:2: a " in said
    assert "x: y" not in said


# --- limits


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("{{ range(10**9) }}", "A range() in the template (t.yaml.j2, line 2) is over the limit of 100000"),
        ("{{ range(10**9) | list }}", "A range() in the template (t.yaml.j2, line 2)"),
        ("{{ range(-(10**30), 10**30) }}", "A range() in the template (t.yaml.j2, line 2)"),
        (
            "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
            "depth of calls in the template (t.yaml.j2, line 2",
        ),
        ("{% block a %}{{ self.a() }}{% endblock %}", "depth of calls in the template (t.yaml.j2, line 2"),
        ("{% include 't.yaml.j2' %}", "depth of calls in the template (t.yaml.j2, line 2"),
        (
            "{% for a in range(9) recursive %}{{ loop(range(9)) }}{% endfor %}",
            "depth of calls in the template (t.yaml.j2, line 2",
        ),
        (
            "{{ build.id }}" * 50_000,
            "amount of code in the template (t.yaml.j2, line 2) is over the limit of 40000",
        ),
        ("{% set x = [" + "1," * 500_000 + "] %}", "amount of code in the template (t.yaml.j2, line 2)"),
        (
            "{% for a in range(99999) %}{{ 'x' * 1000 }}{% endfor %}",
            "text a template renders to (t.yaml.j2) is over the limit of 2 MiB",
        ),
    ],
    ids=lambda text: text[:40],
)
def test_what_is_counted_has_a_limit_and_a_message_of_its_own(tmp_path: Path, source: str, says: str) -> None:
    assert says in refusal(tmp_path, "a: 1\n" + source, LimitExceeded)


def test_the_time_of_rendering_is_limited(tmp_path: Path) -> None:
    source = "a: 1\n{% for a in range(90000) %}{% for b in range(90000) %}{% endfor %}{% endfor %}"
    said = refusal(tmp_path, source, LimitExceeded, limits=Limits(seconds=2))
    assert "The time of rendering (t.yaml.j2, line 2) is over the limit of 2 s" in said


def test_the_time_is_that_of_all_templates_together(tmp_path: Path) -> None:
    for number in range(40):
        (tmp_path / f"{number}.j2").write_text("a: 1")
    with pytest.raises(
        LimitExceeded, match=r"The time of rendering \([0-9]+\.j2\) is over the limit of 30 s"
    ) as caught:
        render(tmp_path, "*.j2", step=1.0)
    assert len(caught.value.details) <= 1


def test_the_number_of_documents_is_limited(tmp_path: Path) -> None:
    (tmp_path / "many.j2").write_text("{% for a in range(10001) %}---\na: 1\n{% endfor %}")
    with pytest.raises(LimitExceeded) as caught:
        render(tmp_path, "many.j2")
    assert "documents, 10001, is over the limit of 10000" in str(caught.value)


def test_a_long_honest_loop_is_within_the_limits(tmp_path: Path) -> None:
    source = "{% for a in range(20000) %}k{{ a }}: {{ 'v' ~ a }}\n{% endfor %}"
    assert len(render_source(tmp_path, source).documents[0].body) == 20000


# --- the version


def version(expression: str) -> str:
    return version_of(expression, run=prepared(Path()))


def test_a_version_is_an_expression_over_the_context() -> None:
    assert version("1.0.{{ build.number }}-{{ branch.slug }}") == "1.0.428-feature-login-0123456789"
    assert version(" v{{ commit.short }}\n") == "v01234567"


def test_what_is_wrong_with_a_version_is_said_by_that_name() -> None:
    for expression, kind in (
        ("{{ buld.number }}", NamesMissing),
        ("{{", TemplateSyntax),
        ("{{ 1/0 }}", TemplateFailed),
        ("{{ 'a' * 10**10 }}", LimitExceeded),
        ("{% include 'x' %}", TemplateFailed),
        ("{% include 'pyproject.toml' %}", TemplateFailed),
        ("{{ domains }}", NamesMissing),
    ):
        with pytest.raises(kind) as caught:
            version(expression)
        assert "version" in str(caught.value)


# --- any text

_PIECES = st.lists(
    st.one_of(
        st.sampled_from(
            ["{{", "}}", "{%", "%}", "{#", "#}", "for a in b", "endfor", "if", "else", "endif", "a", "|",
             "upper", "range(9)", "'x'", "1", "**", "*", "~", "[", "]", "(", ")", ".", "__class__", "\n",
             "set a = ", "macro f()", "endmacro", "bcs('X')", "loop", "- a: ", "build", "values", "%", "in"]
        ),
        st.text(max_size=5),
    ),
    max_size=30,
).map(" ".join)  # fmt: skip


@given(source=st.one_of(_PIECES, st.text(max_size=80)))
@settings(max_examples=examples(200, sample=60), deadline=None)
def test_any_template_renders_or_ends_in_an_error_of_ours(source: str) -> None:
    try:
        _, found = rendered_here(source, {"b": [1, {"a": 2}]})
    except LimitExceeded as exc:
        assert exc.explain("zh_CN")  # noqa: PT017 - it may raise, and then must be readable
        return
    for _, mistake in found:
        assert all(mistake.render(language) for language in LANGUAGES)


@given(values=st.one_of(st.text(max_size=80), st.text("abdomins:-[]{} \n'\"&*!1.", max_size=60)))
@settings(
    max_examples=examples(150, sample=50),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_values_render_or_end_in_an_error_of_ours(values: str, tmp_path: Path) -> None:
    try:
        render(tmp_path, "builtin:web", values=values)
    except StepError as exc:
        assert exc.explain("zh_CN")  # noqa: PT017 - it may raise, and then must be readable


@pytest.mark.parametrize("source", ["a: {{ missing | float }}", "a: {{ '%f' % missing }}"])
def test_a_missing_name_that_is_to_be_a_number_is_said_to_be_missing(tmp_path: Path, source: str) -> None:
    assert "missing" in refusal(tmp_path, source, NamesMissing)


def test_an_include_of_a_name_no_file_can_have_is_not_looked_for(tmp_path: Path) -> None:
    said = refusal(tmp_path, "{% include 'x' * 5000 %}", TemplateFailed)
    assert len(said) < 1000


def test_a_template_that_is_gone_by_the_time_it_is_rendered_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.yaml.j2").write_text("kind: ConfigMap\n")
    run = prepared(tmp_path, "t.yaml.j2")
    (tmp_path / "t.yaml.j2").unlink()
    with pytest.raises(TemplateUnreadable, match=r"t\.yaml\.j2"):
        render_manifests(run)


def test_without_the_builtin_template_there_are_no_routes_to_render_again(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("kind: ConfigMap\n")
    assert render_routes(prepared(tmp_path, "a.yaml"), {"www.example.com": {}}) == ()


def test_the_end_of_the_runs_own_time_ends_rendering_too(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("kind: ConfigMap\n")
    run = prepared(tmp_path, "a.yaml")
    late = replace(run.request, deadline=Deadline(run.request.clock, seconds=0))
    with pytest.raises(OutOfTime):
        render_manifests(replace(run, request=late))


def test_a_mistake_is_noted_once_and_what_follows_from_it_not_at_all() -> None:
    _, found = rendered_here("{{ ''.__class__ }}", {})
    assert [key[0] for key, _ in found] == ["failed"]
    _, found = rendered_here("{% for _ in [1, 2] %}{{ nobody }}{% endfor %}", {})
    assert [key[0] for key, _ in found] == ["missing"]
    _, found = rendered_here("{{ nobody }}{{ 1 // 0 }}", {})
    assert [key[0] for key, _ in found] == ["missing"]
