"""One round tells all: what can't be read or rendered hides nothing of the other files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.building import prepared

from bcs_template_set.manifests.checks.check_manifests import check_manifests
from bcs_template_set.manifests.checks.finding import Finding, Origin
from bcs_template_set.manifests.checks.telling import refusal_of
from bcs_template_set.manifests.manifest_file import ManifestFile, empty_text
from bcs_template_set.manifests.naming import DEFAULT_MAIN_BRANCHES
from bcs_template_set.manifests.templating.build_context import make_context
from bcs_template_set.manifests.templating.origins import own_lines
from bcs_template_set.manifests.templating.prepare import Prepared, RenderRequest, prepare
from bcs_template_set.manifests.templating.render import (
    render_files,
    render_routes,
    render_version,
    template_process,
)
from bcs_template_set.manifests.templating.web_ingresses import own_paths
from bcs_template_set.messages import say
from bcs_template_set.messages.server_errors import OutOfTime
from bcs_template_set.system.clock import Deadline

SERVICE = (
    "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {selector: {app: a}, ports: [{port: 80}]}\n"
)
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: w}
spec:
  selector: {matchLabels: {app: w}}
  template:
    metadata: {labels: {app: w}}
    spec:
      containers:
        - name: w
          image: r
"""
VALUES = """\
app: nginx
image_pull_secrets: [Bad_Name]
domains:
  - host: a.example.com
    image: example.com/a
    env: {FIRST: "1", SECOND: "2"}
    load_balancers: [lb-1]
"""


def looked_at(run: Prepared) -> tuple[Finding, ...]:
    """Return all that is wrong with a run, as the step and the desk do."""
    rendered = render_files(run)
    is_whole = not rendered.mistakes
    found = check_manifests(
        rendered.files,
        template_space="s",
        template_set=False,
        namespace="",
        kube_version="",
        is_whole=is_whole,
    )
    return (*rendered.mistakes, *run.with_origins(found, rendered.files))


def places(run: Prepared) -> list[tuple[str, str, int]]:
    return sorted((f.id, f.found_in.file, f.found_in.line) for f in looked_at(run))


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.yaml.j2").write_text(text)


def test_a_pipelines_variable_in_a_values_file_is_named_once_where_it_stands(tmp_path: Path) -> None:
    text = "app: nginx\ndomains:\n  - host: a.example.com\n    image: ${{ IMAGE }} # ${{ x }}\n# ${{ y }}\n"
    (tmp_path / "v.yaml").write_text(text)
    (found,) = prepared(tmp_path, "builtin:web", values_files=("v.yaml",)).mistakes
    assert (found.found_in.file, found.found_in.line) == ("v.yaml", 4)
    assert "BK-CI fills in ${{ }} in the form's inputs only, not in files." in str(found.message)
    (of_input,) = prepared(tmp_path, "builtin:web", values=text).mistakes
    assert "form's inputs" not in str(of_input.message)


def test_one_mistake_of_values_has_its_host_and_the_cure_names_its_file_or_the_input(tmp_path: Path) -> None:
    text = 'app: nginx\ndomains: [{host: a.example.com, image: "r:1", replicas: "3"}]\n'
    (tmp_path / "v.yaml").write_text(text)
    for given, place, cure in (
        ({"values_files": ("v.yaml",)}, "v.yaml:2", "Correct v.yaml."),
        ({"values": text}, "values:2", "Correct the input values."),
    ):
        error = refusal_of(prepared(tmp_path, "builtin:web", **given).mistakes)
        assert error is not None
        told = f'{place} (a.example.com): domains[0].replicas is the text "3"; write 3, without quotes.'
        assert list(map(str, error.details)) == [told]
        assert str(error.cure()) == cure


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ("app: A", f"values:1: app is text of another form; it takes {say('render.accepts_app')}."),
        (
            "app: a\ndomains: [{host: A!, image: r}]",
            f"values:2: domains[0].host is text of another form; it takes {say('render.accepts_host')}.",
        ),
    ],
)
def test_a_mistake_that_is_no_domains_or_has_no_host_is_told_without_one(
    tmp_path: Path, values: str, told: str
) -> None:
    domains = "" if "domains" in values else "\ndomains: [{host: a.b, image: r}]"
    error = refusal_of(prepared(tmp_path, "builtin:web", values=values + domains).mistakes)
    assert error is not None
    assert list(map(str, error.details)) == [told]


def test_what_no_text_gives_at_all_is_missing_in_the_first(tmp_path: Path) -> None:
    (tmp_path / "v.yaml").write_text("# nothing\n")
    assert places(prepared(tmp_path, "builtin:web", values_files=("v.yaml",))) == [
        ("values", "v.yaml", 0),
        ("values", "v.yaml", 0),
    ]


def test_what_the_environment_and_the_texts_hold_is_in_no_repr(tmp_path: Path) -> None:
    run = prepared(tmp_path, values="# canary\n")
    secret = replace(run, request=replace(run.request, values_text="", environ={"A": "canary"}))
    assert "canary" not in repr(secret) + repr(secret.request) + repr(run)


BRANCHES = """\
app: nginx
main_branches: [main, feature/Login]
domains:
  - {host: b.org, image: 'r:1', load_balancers: [lb-1], branch_paths: true}
  - {host: c.org, image: 'r:1', load_balancers: [lb-1]}
  - {host: a.org, image: 'r:1', load_balancers: [lb-1], branch_paths: true}
"""


def test_a_run_knows_its_branchs_path_and_the_hosts_that_branches_share(tmp_path: Path) -> None:
    write(tmp_path, a="a: {{ branch.path }}\n")
    for templates, hosts in ((("builtin:web",), ("b.org", "a.org")), (("a.yaml.j2",), ())):
        run = prepared(tmp_path, *templates, values=BRANCHES)
        assert (run.main_branches, run.context.branch.path) == (("main", "feature/Login"), "/")
        assert run.claim == ("/", "feature/Login", "p-1", 428, "wangwu")
        assert run.branch_domains == hosts
        only = replace(run, request=replace(run.request, only=("a.org",)))
        assert only.branch_domains == hosts[1:]


@pytest.mark.parametrize("template", ["builtin:web", "a.yaml.j2"])
def test_main_branches_that_can_not_be_read_are_a_mistake_and_the_usual_ones_stay(
    tmp_path: Path, template: str
) -> None:
    write(tmp_path, a="a: 1\n")
    values = "app: a\nmain_branches: [main, 5]\ndomains: [{host: a.b, image: 'r:1'}]\n"
    run = prepared(tmp_path, template, values=values)
    assert [str(found.message) for found in run.mistakes] == [
        'main_branches[1] is the number 5; write "5", in quotes.'
    ]
    assert (run.main_branches, run.web) == (DEFAULT_MAIN_BRANCHES, None)


def test_a_run_that_no_build_has_started_is_nobodys(tmp_path: Path) -> None:
    run = prepared(tmp_path, "builtin:web", values=BRANCHES)
    request = run.request
    desk = RenderRequest(request.workspace, request.templates, BRANCHES, (), make_context({}), request.clock)
    assert (run.claim.by, prepare(desk).claim.by) == ("wangwu", "")


def test_the_files_of_a_run_are_sorted_and_only_those_that_it_is_about(tmp_path: Path) -> None:
    run = prepared(tmp_path, "builtin:web", values=BRANCHES)
    names = [file.name for file in render_files(run).files]
    assert (names, len(names)) == (sorted(names), 9)
    only = replace(run, request=replace(run.request, only=("a.org",)))
    assert [file.name for file in render_files(only).files] == [name for name in names if name[0] == "a"]
    assert only.scope.outside == {name for name in names if name[0] != "a"}


def test_routes_are_made_again_of_the_hosts_that_branches_share(tmp_path: Path) -> None:
    run = prepared(tmp_path, "builtin:web", values=BRANCHES)
    assert run.web is not None
    served = {one.host: own_paths(run.web, one, claim=run.claim) for one in run.web.domains[1:]}
    (file,) = render_routes(run, served)
    (whole,) = (file for file in render_files(run).files if file.name == "a.org.routes.yaml")
    assert file == whole


@pytest.mark.parametrize(
    "expression",
    ["{{ range(10 ** 9) }}", "{{ nope + 1 }}", "{{ nope }}", "{{ app }}", "{{ app | upper }}"],
)
def test_a_version_that_does_not_render_is_a_mistake_of_that_name_and_knows_no_value(
    tmp_path: Path, expression: str
) -> None:
    found: list[Finding] = []
    with template_process(prepared(tmp_path, values="app: a")) as process:
        assert render_version(expression, process, found=found) == ""
    assert [(one.id, one.file) for one in found] == [
        ("limit" if "range" in expression else "missing-name", "version")
    ]


@pytest.mark.parametrize("expression", ["1.0-{{ commit.short }}", "1.0-{{ commit.short | upper }}"])
def test_a_version_of_what_nobody_has_given_is_a_mistake_with_or_without_a_child(
    tmp_path: Path, expression: str
) -> None:
    found: list[Finding] = []
    with template_process(prepared(tmp_path, context=make_context({"build.number": "7"}))) as process:
        assert render_version(expression, process, found=found) == ""
    assert [(one.id, one.file) for one in found] == [("missing-name", "version")]


def test_the_end_of_the_runs_time_ends_our_own_templates_too(tmp_path: Path) -> None:
    run = prepared(tmp_path, "builtin:web", values=BRANCHES)
    late = replace(run.request, deadline=Deadline(run.request.clock, seconds=0))
    with pytest.raises(OutOfTime):
        render_files(replace(run, request=late))


def test_a_file_that_is_not_there_names_one_beside_it(tmp_path: Path) -> None:
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy" / "values.yaml").write_text("a: 1\n")
    told = []
    for path in ("deploy/value.yaml", "deplo/values.yaml"):
        found = prepared(tmp_path, "builtin:web", values="app: a", values_files=(path,)).mistakes
        told += [str(one.message) for one in found]
    missing = f"does not exist in the workspace ({tmp_path})."
    near = f'deploy/value.yaml {missing} Did you mean "deploy/values.yaml"?'
    assert told == [near, f"deplo/values.yaml {missing}"]


def test_what_is_wrong_with_any_file_is_found_in_one_run(tmp_path: Path) -> None:
    write(
        tmp_path,
        a="{{ x",
        b="\na: {{ nope }}",
        c="{{ 1 / 0 }}",
        d="a: b: c",
        e=DEPLOYMENT,
        g="a: {{ 'b: c' }}",
    )
    write(tmp_path, h="a: {{ range(10 ** 9) }}", i="a: {{ commit.sha }}\n{% include '../x' %}")
    (tmp_path / "f.yaml.j2").write_bytes(b"\0")
    assert places(prepared(tmp_path, "*.j2", "no.yaml")) == [
        ("file", "f.yaml.j2", 0),
        ("file", "i.yaml.j2", 2),
        ("file", "no.yaml", 0),
        ("image-tag", "e.yaml.j2", 11),
        ("limit", "h.yaml.j2", 0),
        ("missing-name", "b.yaml.j2", 2),
        ("template-failed", "c.yaml.j2", 1),
        ("template-syntax", "a.yaml.j2", 1),
        ("yaml", "d.yaml.j2", 1),
        ("yaml", "g.yaml.j2", 1),
    ]


def test_nothing_is_missing_that_a_file_which_did_not_render_may_hold(tmp_path: Path) -> None:
    write(tmp_path, s=SERVICE, w=DEPLOYMENT.replace("image: r", "image: 'r:1'"))
    assert [finding.id for finding in looked_at(prepared(tmp_path, "*.j2"))] == ["service-selector"]
    write(tmp_path, x="a: {{ nope }}")
    assert [finding.id for finding in looked_at(prepared(tmp_path, "*.j2"))] == ["missing-name"]


def test_values_that_can_not_be_read_leave_no_template_to_render(tmp_path: Path) -> None:
    write(tmp_path, b="a: {{ nope }}")
    (tmp_path / "v.yaml").write_text("a: 1\na: 2\n")
    run = prepared(tmp_path, "b.yaml.j2", "no.yaml", values="build: 1", values_files=("v.yaml", "w.yaml"))
    assert places(run) == [
        ("file", "no.yaml", 0),
        ("file", "w.yaml", 0),
        ("values", "v.yaml", 2),
        ("values", "values", 1),
    ]


def test_a_domain_with_a_mistake_hides_nothing_of_the_others(tmp_path: Path) -> None:
    values = VALUES.replace("Bad_Name", "pull") + "  - {host: b.example.com, image: 'r:1', prot: 1}\n"
    assert places(prepared(tmp_path, "builtin:web", values=values)) == [
        ("image-tag", "values", 5),
        ("values", "values", 8),
    ]


def test_a_mistake_in_a_domain_hides_nothing_else_of_it(tmp_path: Path) -> None:
    host = "a" * 60 + ".example.com"
    values = f"""\
app: nginx
domains:
  - host: a.example.com
    image: reg/web
    replicas: "3"
    resources: {{requests: {{cpu: 2}}, limits: {{cpu: 1}}}}
  - {{host: {host}, image: 'https://reg/web:1', prot: 1}}
  - {{host: b.example.com, replicas: many}}
"""
    assert places(prepared(tmp_path, "builtin:web", values=values)) == [
        ("image-name", "values", 7),
        ("image-tag", "values", 4),
        ("value", "values", 6),
        ("values", "values", 5),
        ("values", "values", 7),
        ("values", "values", 8),
        ("values", "values", 8),
        ("web-host", "values", 7),
    ]


def test_a_value_that_loses_its_spelling_hides_nothing_of_the_rest(tmp_path: Path) -> None:
    write(tmp_path, b="kind: {{ nope }}")
    values = "app: nginx\ntag: 1.10\nbuild: 1\ndomains:\n  - {host: a.b, image: r, tls: yes}\n"
    assert places(prepared(tmp_path, "builtin:web", "b.yaml.j2", values=values)) == [
        ("image-tag", "values", 5),
        ("missing-name", "b.yaml.j2", 1),
        ("values", "values", 2),
        ("values", "values", 3),
        ("values", "values", 5),
    ]


def test_a_mistake_past_which_the_rest_is_readable_hides_nothing_of_its_file(tmp_path: Path) -> None:
    data = "data:\n  a: b\n  a: c\n  n: d\n  .inf: e\n  k: 99999999999999999999\n  \u0430b: f\n  k: 1\n"
    text = f"kind: ConfigMap\napiVersion: v1\nmetadata: {{name: A_b}}\n{data}---\nkind: [\n"
    write(tmp_path, a=text.partition("---")[0], b=text)
    run = prepared(tmp_path, "*.j2")
    mistakes = [("yaml", 6), ("yaml", 7), ("yaml", 8), ("yaml", 9), ("yaml", 10), ("yaml", 11)]
    checks = [("object-name", 3), ("value", 10)]
    found = [(name, line) for name, file, line in places(run) if file == "a.yaml.j2"]
    assert sorted(found) == [*checks, *mistakes]
    others = [line for name, file, line in places(run) if file == "b.yaml.j2"]
    assert others == [6, 7, 8, 9, 10, 11, 14]


@pytest.mark.parametrize("spoilt", ["app: null", "domains: 1", "domains: []"])
def test_mistakes_beside_the_domains_leave_none_of_them(tmp_path: Path, spoilt: str) -> None:
    write(tmp_path, b="a: {{ nope }}")
    values = {"app": "app: nginx", "domains": "domains: [{host: a.b, image: 'r:1'}]"}
    values[spoilt.partition(":")[0]] = spoilt
    run = prepared(tmp_path, "builtin:web", "b.yaml.j2", values="\n".join(values.values()))
    assert [found[0] for found in places(run)] == ["missing-name", "values"]


def test_a_file_of_the_workspace_that_hides_a_domains_is_left_out(tmp_path: Path) -> None:
    name = "a.example.com.service.yaml"
    (tmp_path / name).write_text("a: 1\n")
    run = prepared(
        tmp_path, "builtin:web", name, values=VALUES.replace("Bad_Name", "p").replace("/a", "/a:1")
    )
    assert places(run) == [("file", name, 0)]


def test_a_child_that_met_its_limit_does_not_render_the_next(tmp_path: Path) -> None:
    write(tmp_path, a="a: {{ range(10 ** 9) }}", b="a: {{ range(10 ** 9) }}", c="kind: {{ nope }}")
    found = places(prepared(tmp_path, "*.j2"))
    assert [(name, file) for name, file, _ in found] == [
        ("limit", "a.yaml.j2"),
        ("limit", "b.yaml.j2"),
        ("missing-name", "c.yaml.j2"),
    ]


# --- where to mend it


HINT = say("checks.value.hint")
VALUES_FILE = """\
app: nginx
image_pull_secrets: [one, two]
domains:
  - host: a.example.com
    image: example.com/a:1
    replicas: 1
    env: {FIRST: "1", SEC.OND: "2"}
    resources: {limits: {cpu: 1}}
    liveness: {path: /}
    volumes:
      - {name: v, host_path: /v, mount_path: /v}
    autoscale: {max: 3, min: 2, cpu: 50}
    min_ready_seconds: 5
    progress_deadline: 700
    port: 8080
    node_port: 30001
    load_balancers: [lb-1]
    paths: [/, /api]
    tls: true
    readiness: {path: /}
ingress_class: nginx
"""
POD = "spec.template.spec"
C = f"{POD}.containers[0]"


def origins(run: Prepared, part: str, *fields: str) -> list[tuple[str, int, str]]:
    """Return where fields of a file of a run's domain come from."""
    files = {file.name: file for file in render_files(run).files}
    name = f"a.example.com.{part}.yaml"
    findings = [Finding("value", name, "A/b" if field else "", field, HINT, HINT) for field in fields]
    told = [found.found_in for found in run.with_origins(findings, files.values())]
    assert [origin.is_whole for origin in told] == [origin.value == "domains[0]" for origin in told]
    return [(origin.file, origin.line, origin.value) for origin in told]


@pytest.mark.parametrize(
    ("part", "field", "line", "value"),
    [
        ("deployment", f"{C}.image", 5, "domains[0].image"),
        ("deployment", f"{C}.env[1].value", 7, "domains[0].env.SEC.OND"),
        ("deployment", f"{C}.resources.limits.cpu", 8, "domains[0].resources.limits.cpu"),
        ("deployment", f"{C}.resources.requests", 4, "domains[0]"),
        ("deployment", f"{C}.livenessProbe.httpGet", 9, "domains[0].liveness"),
        ("deployment", f"{C}.volumeMounts[0].name", 11, "domains[0].volumes[0]"),
        ("deployment", f"{POD}.volumes[0].hostPath.path", 11, "domains[0].volumes[0]"),
        ("deployment", f"{C}.name", 1, "app"),
        ("deployment", f"{POD}.imagePullSecrets[1].name", 2, "image_pull_secrets[1]"),
        ("deployment", "spec.replicas", 6, "domains[0].replicas"),
        ("deployment", "spec.maxReplicas", 12, "domains[0].autoscale.max"),
        ("deployment", "metadata.name", 4, "domains[0].host"),
        ("deployment", "spec.strategy", 4, "domains[0]"),
        ("deployment", "", 4, "domains[0].host"),
        ("deployment", "spec.minReplicas", 12, "domains[0].autoscale.min"),
        ("deployment", "spec.targetCPUUtilizationPercentage", 12, "domains[0].autoscale.cpu"),
        ("deployment", "spec.minReadySeconds", 13, "domains[0].min_ready_seconds"),
        ("deployment", "spec.progressDeadlineSeconds", 14, "domains[0].progress_deadline"),
        ("deployment", f"{C}.ports[0].containerPort", 15, "domains[0].port"),
        ("deployment", f"{C}.readinessProbe.httpGet", 20, "domains[0].readiness"),
        ("service", "spec.ports[0].port", 15, "domains[0].port"),
        ("service", "spec.ports[0].nodePort", 16, "domains[0].node_port"),
        ("routes", "metadata.annotations[kubernetes.io/ingress.existLbId]", 17, "domains[0].load_balancers"),
        ("routes", "spec.rules[0].http.paths[1].path", 18, "domains[0].paths[1]"),
        ("routes", "spec.tls[0].secretName", 19, "domains[0].tls"),
        ("routes", "metadata.annotations[kubernetes.io/ingress.class]", 21, "ingress_class"),
        ("routes", "spec.rules[0].host", 4, "domains[0].host"),
    ],
)
def test_a_finding_of_a_built_in_template_names_its_value(
    tmp_path: Path, part: str, field: str, line: int, value: str
) -> None:
    run = prepared(tmp_path, "builtin:web", values=VALUES_FILE.replace("replicas: 1", "replicas: auto"))
    assert origins(run, part, field) == [("values", line, value)]


def test_the_last_text_that_gives_a_value_is_named(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("app: other\ndomains: [{host: b.org, image: r, replicas: 3}]\n")
    (tmp_path / "two.yaml").write_text("# two\ndomains: [{host: a.example.com, image: 'r:1'}]\n")
    files = ("one.yaml", "two.yaml")
    run = prepared(tmp_path, "builtin:web", values="\n\napp: nginx\n", values_files=files)
    assert origins(run, "deployment", f"{C}.name", f"{C}.image", "spec.replicas") == [
        ("values", 3, "app"),
        ("two.yaml", 2, "domains[0].image"),
        ("two.yaml", 2, "domains[0]"),
    ]


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("a: 1\nb:\n  c: 2\n", 3),
        ("a: 1\nb:\n  c: 2", 3),
        ("a: {{ project }}\r\nb:\r\n  c: 2\r\n", 3),
        ("{% if project %}\na: 1\n{% endif %}\nb:\n  c: 2\n", 0),
        ("a: {{ ['1', 'x: 2'] | join('\n') }}\nb:\n  c: 2\n", 0),
        ("{{ 'a: 1\nb:\n  c: 2' }}", 0),
        ("{# gone #}a: {{ bcs('X') }}\nb:\n  c: 2\n", 0),
        ("a: {{ bcs('X') }}\nb:\n  c: 2\n{% if project %}{% endif %}\n", 3),
    ],
)
def test_a_line_is_told_as_far_as_it_is_the_templates_own(tmp_path: Path, source: str, line: int) -> None:
    (tmp_path / "a.yaml.j2").write_bytes(source.encode())
    run = prepared(tmp_path, "a.yaml.j2")
    files = render_files(run).files
    (document,) = files[0].documents
    finding = Finding("value", "a.yaml", document.title, "b.c", HINT, HINT, line=document.line)
    assert [found.found_in for found in run.with_origins([finding], files)] == [Origin("a.yaml.j2", line)]


def test_a_line_that_goes_on_after_the_templates_own_is_another() -> None:
    assert own_lines(["a: 12", "b: 3"], ["a: 1", "b: 3"]) == 0


def test_a_finding_of_a_file_has_the_line_that_its_sentence_names(tmp_path: Path) -> None:
    write(tmp_path, a="kind: A\n\nb: 1\n")
    run = prepared(tmp_path, "a.yaml.j2")
    files = render_files(run).files
    of_line, of_file = (
        Finding("value", "a.yaml", "", "", message, HINT) for message in (say("checks.x", line=3), HINT)
    )
    assert [found.found_in.line for found in run.with_origins([of_line, of_file], files)] == [3, 0]
    (tmp_path / "a.yaml.j2").unlink()
    assert [found.found_in.line for found in run.with_origins([of_line], files)] == [0]


@pytest.mark.parametrize(
    "text",
    ["", "\n \n", "# note\n", "---\n---\n", "--- # note\n", "{% if false %}a: b{% endif %}", "{# note #}"],
)
def test_a_template_that_renders_to_nothing_is_no_file_of_the_run(tmp_path: Path, text: str) -> None:
    write(tmp_path, a=text, b=SERVICE)
    run = prepared(tmp_path, "*.j2")
    rendered = render_files(run)
    assert [file.name for file in rendered.files] == ["b.yaml"]
    assert [file.name for file in rendered.empty] == ["a.yaml"]
    assert looked_at(run) == ()


def test_a_run_in_which_nothing_renders_to_anything_is_wrong(tmp_path: Path) -> None:
    write(tmp_path, a="# bcs-template-set: allow empty-run, empty-file\n", b="{# note #}")
    assert places(prepared(tmp_path, "*.j2")) == [
        ("empty-run", "a.yaml.j2", 0),
        ("empty-run", "b.yaml.j2", 0),
    ]
    write(tmp_path, c="{{ nope }}")
    assert places(prepared(tmp_path, "*.j2")) == [("missing-name", "c.yaml.j2", 1)]


def test_a_comment_that_names_the_check_of_empty_files_is_no_mistake(tmp_path: Path) -> None:
    write(tmp_path, a="# bcs-template-set: allow empty-file\n" + SERVICE)
    assert looked_at(prepared(tmp_path, "*.j2")) == ()


def test_a_domain_without_a_load_balancer_keeps_its_file(tmp_path: Path) -> None:
    values = VALUES.replace("[Bad_Name]", "[]").replace(" [lb-1]", " []")
    rendered = render_files(prepared(tmp_path, "builtin:web", values=values))
    assert (len(rendered.files), rendered.empty) == (3, ())


def test_of_many_templates_that_render_to_nothing_the_first_are_named() -> None:
    files = [ManifestFile(f"{n:02}.yaml", "", f"{n:02}.j2", ()) for n in range(14)]
    (told,) = empty_text(files)
    assert "00.yaml (00.j2)" in str(told)
    assert str(told).endswith("11.yaml (11.j2), and 2 more.")
    assert empty_text([]) == []


def test_what_no_text_gives_is_missing_in_the_last_one_that_gives_anything_beside_it(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("# one\ndomains: [{host: a.b, image: 'r:1'}]\n")
    (tmp_path / "two.yaml").write_text("\n\nimage_pull_secrets: []\n")
    run = prepared(tmp_path, "builtin:web", values_files=("one.yaml", "two.yaml"))
    assert places(run) == [("values", "two.yaml", 3)]


def test_a_template_that_is_called_as_its_file_is_named_once() -> None:
    assert str(empty_text([ManifestFile("hpa.yaml", "", "hpa.yaml", ())])[0]).endswith(": hpa.yaml.")
