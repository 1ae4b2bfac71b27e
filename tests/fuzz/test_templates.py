"""Templates and values come to a manifest, or to a mistake that is named; what they mean is kept."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from hypothesis import assume, example, given
from hypothesis import strategies as st
from jinja2 import Environment

from bcs_template_set.manifests.checks.check_manifests import check_manifests
from bcs_template_set.manifests.checks.finding import Finding
from bcs_template_set.manifests.checks.telling import told_lines
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.templating.build_context import make_context
from bcs_template_set.manifests.templating.limits import Limits
from bcs_template_set.manifests.templating.prepare import RenderRequest, prepare
from bcs_template_set.manifests.templating.render import builtin_source, render_manifests, render_version
from bcs_template_set.manifests.templating.worker_process import TemplateProcess, TemplateRun
from bcs_template_set.manifests.yaml_reading import YamlValue, read_yaml
from bcs_template_set.messages.step_error import StepError
from tests.fuzz.bounded import HurriedClock, within
from tests.fuzz.living import check_named
from tests.fuzz.mutations import mutated_json, mutated_text, seeded
from tests.fuzz.profile import fuzzed
from tests.fuzz.seeds import MANIFEST, VALUES, YAML_TEXTS
from tests.support.building import VALUES_OF_ANY_KIND
from tests.support.worker import measured

SECONDS = 20.0
LIMITS = Limits(seconds=6, cpu_seconds=6)
CONTEXT = make_context({"branch.name": "feature/x", "build.number": "7", "pipeline.id": "p-1"})


def rendered(*templates: str, values: str = "", **files: str) -> Sequence[ManifestFile]:
    """Render, and assert that it is a manifest or a mistake that has a name; then nothing comes back."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name, within(SECONDS):
        for file, text in files.items():
            (Path(name) / f"{file}.yaml.j2").write_bytes(text.encode("utf-8", "surrogatepass"))
        request = RenderRequest(
            workspace=Path(name),
            templates=templates,
            values_text=values,
            values_files=(),
            context=CONTEXT,
            clock=HurriedClock(),
            by="wangwu",
            limits=LIMITS,
            environ=measured(),
        )
        try:
            made = render_manifests(prepare(request)).files
        except StepError as exc:
            check_named(exc)
            return ()
        found = check_manifests(made, template_space="s", template_set=False, namespace="", kube_version="")
        for finding in found:
            assert told_lines([finding])[0].render("zh_CN")
        return made


# --- the source of templates ----------------------------------------------------------------------------

_FILTERS = st.sampled_from(sorted(Environment().filters))  # noqa: S701 - asked for names only
_TESTS = st.sampled_from(sorted(Environment().tests))  # noqa: S701 - as above
_NAMES = st.sampled_from(
    [
        "a",
        "b",
        "x",
        "loop",
        "self",
        "caller",
        "varargs",
        "build",
        "branch",
        "range",
        "bcs",
        "dict",
        "cycler",
        "joiner",
    ]
)
_LITERALS = st.sampled_from(
    [
        "0",
        "1",
        "-1",
        "2.5",
        "9999999999",
        "1e308",
        "''",
        "'%s'",
        "'{0.x}'",
        "'a'",
        "none",
        "true",
        "[]",
        "{}",
        "()",
    ]
)
_ATTRIBUTES = st.sampled_from(
    [
        "a",
        "items",
        "number",
        "slug",
        "format",
        "join",
        "first",
        "index",
        "__class__",
        "mro",
        "_x",
        "copy",
        "get",
        "upper",
    ]
)


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(inner, inner)
    return st.one_of(
        st.tuples(inner, _ATTRIBUTES).map(".".join),
        pairs.map(lambda two: f"{two[0]}[{two[1]}]"),
        pairs.map(lambda two: f"({two[0]})({two[1]})"),
        st.tuples(inner, _FILTERS).map("|".join),
        st.tuples(inner, _FILTERS, inner).map(lambda f: f"{f[0]}|{f[1]}({f[2]})"),
        st.tuples(inner, _TESTS).map(" is ".join),
        st.tuples(
            inner, st.sampled_from(["+", "-", "*", "**", "//", "/", "%", "~", "<", "==", "in", "and"]), inner
        ).map(lambda three: f"({three[0]} {three[1]} {three[2]})"),
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        pairs.map(lambda two: f"{{{two[0]}: {two[1]}}}"),
        st.tuples(inner, inner, inner).map(lambda three: f"({three[0]} if {three[1]} else {three[2]})"),
        pairs.map(lambda two: f"dict({two[0]}, **{two[1]})"),
        pairs.map(lambda two: f"{two[0]}[{two[1]}:{two[1]}:{two[0]}]"),
    )


EXPRESSIONS = st.recursive(st.one_of(_NAMES, _LITERALS), _larger, max_leaves=6)


def _blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    two = st.tuples(EXPRESSIONS, inner)
    return st.one_of(
        st.tuples(inner, inner).map("".join),
        two.map(lambda t: f"{{% for x in {t[0]} %}}{t[1]}{{% else %}}-{{% endfor %}}"),
        two.map(lambda t: f"{{% for x in {t[0]} recursive %}}{t[1]}{{{{ loop(x) }}}}{{% endfor %}}"),
        two.map(lambda t: f"{{% if {t[0]} %}}{t[1]}{{% endif %}}"),
        two.map(lambda t: f"{{% set a = {t[0]} %}}{t[1]}"),
        two.map(lambda t: f"{{% set b %}}{t[1]}{{% endset %}}{{{{ {t[0]} }}}}"),
        two.map(lambda t: f"{{% macro x(a, b={t[0]}) %}}{t[1]}{{% endmacro %}}{{{{ x(1) }}}}"),
        two.map(lambda t: f"{{% call x({t[0]}) %}}{t[1]}{{% endcall %}}"),
        two.map(
            lambda t: f"{{% filter upper %}}{t[1]}{{% endfilter %}}{{% with b={t[0]} %}}{t[1]}{{% endwith %}}"
        ),
        inner.map(lambda t: f"{{% block a %}}{t}{{% endblock %}}{{{{ self.a() }}}}"),
        two.map(lambda t: f"{{% include {t[0]} ignore missing %}}{{% import {t[0]} as x %}}{t[1]}"),
        two.map(lambda t: f"{{% extends {t[0]} %}}{t[1]}"),
        inner.map(lambda t: f"{{% raw %}}{t}{{% endraw %}}{{# {t} #}}"),
        inner.map(lambda t: f"{{% autoescape true %}}{t}{{% endautoescape %}}"),
    )


SOURCES = st.recursive(
    st.one_of(
        st.sampled_from(["k: v\n", "- ", "", "{% include 't.yaml.j2' %}", "{% extends 't.yaml.j2' %}"]),
        EXPRESSIONS.map("k: {{{{ {} }}}}\n".format),
    ),
    _blocks,
    max_leaves=5,
)
SMALL_VALUES = "a: {a: 1, b: [x, y]}\nb: text\n"


@given(SOURCES)
@example("{% for x in range(3) recursive %}{{ loop([1]) }}{% endfor %}")
@fuzzed(150)
def test_any_template_of_the_grammar_ends_in_a_manifest_or_a_mistake(source: str) -> None:
    rendered("t.yaml.j2", values=SMALL_VALUES, t=source)


@given(EXPRESSIONS)
@fuzzed(60)
def test_any_version_expression_ends_in_a_name_or_a_mistake(expression: str) -> None:
    with within(SECONDS):
        run = TemplateRun(Path(), {}, CONTEXT, HurriedClock(), limits=LIMITS, environ=measured())
        try:
            with closing(TemplateProcess(run)) as process:
                found: list[Finding] = []
                render_version(f"1.0-{{{{ {expression} }}}}", process, found=found)
            assert all(line.render("zh_CN") for line in told_lines(found))
        except StepError as exc:
            check_named(exc)


_DOMAIN: Mapping[str, object] = {
    "host": "www.example.com",
    "image": "r:1",
    "port": 80,
    "paths": ["/"],
    "env": {"A": "b"},
    "volumes": [{"name": "v", "host_path": "/v", "mount_path": "/v"}],
}
_WEB = json.dumps(
    {
        "app": "nginx",
        "domain": _DOMAIN,
        "names": {"service": "s", "deployment": "d", "tls_secret": "t"},
        "ingresses": [
            {"name": "i", "load_balancer": "lb", "claims": "[]", "paths": [{"path": "/", "port": 80}]}
        ],
        "image_pull_secrets": ["p"],
        "ingress_class": "qcloud",
    }
)


@given(st.sampled_from(["deployment", "routes"]), st.integers(0, 2**32))
@fuzzed(60)
def test_any_change_to_a_built_in_template_ends_in_a_manifest_or_a_mistake(part: str, seed: int) -> None:
    rendered("t.yaml.j2", values=_WEB, t=mutated_text(builtin_source("web", part), seeded(seed)))


# --- values ---------------------------------------------------------------------------------------------


@given(st.integers(0, 2**32))
@fuzzed(120)
def test_any_shape_of_the_values_of_web_ends_in_manifests_or_a_mistake(seed: int) -> None:
    made = rendered("builtin:web", values=json.dumps(mutated_json(dict(VALUES), seeded(seed), most=2)))
    assert len(made) % 3 == 0


@given(st.sampled_from(YAML_TEXTS), st.integers(0, 2**32))
@fuzzed(120)
def test_any_values_text_ends_in_a_manifest_or_a_mistake(text: str, seed: int) -> None:
    rendered("t.yaml.j2", values=mutated_text(text, seeded(seed)), t="k: {{ app is defined and app }}\n")


@given(st.integers(0, 2**32))
@fuzzed(120)
def test_any_change_to_a_manifest_is_checked_or_refused(seed: int) -> None:
    rendered("t.yaml.j2", t=mutated_text(MANIFEST, seeded(seed)))


@given(st.dictionaries(st.sampled_from("abcxz"), VALUES_OF_ANY_KIND, min_size=1, max_size=3))
@example({"a": {"on": 1, "y": None, "1.0": "1.0", "<<": "~", "": " x "}})
@fuzzed(120)
def test_what_yaml_can_keep_is_kept_from_values_to_manifest(values: dict[str, YamlValue]) -> None:
    """Printed by `tojson`, or as it is where it can be no text, a value is the same again."""
    source = "".join(f"{name}: {{{{ {name} | tojson }}}}\n" for name in values)
    source += "".join(
        f"own_{n}: {{{{ {n} }}}}\n"
        for n, value in values.items()
        if value is not None and not isinstance(value, (str, float))
    )
    text = as_json(values)
    assume("{{" not in text)  # refused, since BCS would replace it
    given = read_yaml(text, source="values")  # 1e-05 is text there, as for PyYAML: it has no point
    assert isinstance(given, dict)
    ((document,),) = (file.documents for file in rendered("t.yaml.j2", values=text, t=source))
    for name, value in document.body.items():
        assert value == given[name.removeprefix("own_")]


def as_json(value: object) -> str:
    """Return JSON that is YAML too, which knows no pairs of `\\u` escapes and takes not every character."""
    bare = json.dumps(value, ensure_ascii=False)
    return re.sub("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]", lambda found: f"\\u{ord(found[0]):04x}", bare)


_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)


@given(
    env=st.dictionaries(st.from_regex(r"[A-Z_]{1,5}", fullmatch=True), _TEXT, max_size=3),
    path=_TEXT.map(lambda text: f"/{text}"),
    port=st.integers(1, 65535),
    replicas=st.integers(0, 10_000),
)
@fuzzed(80)
def test_what_web_is_given_is_what_its_manifests_say(
    env: dict[str, str], path: str, port: int, replicas: int
) -> None:
    own = {"env": env, "paths": [path], "port": port, "replicas": replicas, "load_balancers": ["lb-1"]}
    domain = {**_DOMAIN, **own}
    text = as_json({"app": "nginx", "domains": [domain]})
    assume("{{" not in text)  # refused, since BCS would replace it
    made = rendered("builtin:web", values=text)
    deployment, routes, _ = (
        [json.loads(json.dumps(document.body)) for document in file.documents] for file in made
    )
    (workload,) = deployment
    (container,) = workload["spec"]["template"]["spec"]["containers"]
    assert {entry["name"]: entry["value"] for entry in container.get("env", [])} == env
    assert container["ports"][0]["containerPort"] == port
    assert workload["spec"]["replicas"] == replicas
    (served,) = routes[0]["spec"]["rules"][0]["http"]["paths"]
    assert served["path"] == path
