"""The verbs for pipeline authors at their own desk: no agent, no write, and nothing secret on the screen."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Optional
from xml.etree import ElementTree as ET

import pytest
import yaml
from tests.support.desks import environment
from tests.support.scene import APP_SECRET, FILES, VALUES, site
from tests.support.worker import STEP, Worker, run_step

from bcs_template_set.system.version import step_version

BRANCH = "{{ branch.slug }}/{{ build.number }}/{{ namespace }}"


def run(
    *arguments: str, at: Path, environ: Optional[Mapping[str, str]] = None
) -> subprocess.CompletedProcess[str]:
    known = {**environment(), **(environ or {})}
    done = run_step(arguments, at=at, environ=known)
    assert done.returncode in (0, 1)
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    (tmp_path / "values.yaml").write_text(VALUES)
    return tmp_path


def test_render_prints_every_manifest_under_its_name(desk: Path) -> None:
    done = run("render", "--values", "values.yaml", at=desk)
    assert (done.returncode, done.stderr) == (0, "")
    documents = list(yaml.safe_load_all(done.stdout))
    assert [document["kind"] for document in documents] == ["Deployment", "Ingress", "Service"]
    for name in FILES:
        assert f"# {name}" in done.stdout


def test_later_values_files_win_and_set_gives_the_builds_names(desk: Path) -> None:
    (desk / "more.yaml").write_text("app: httpd\n")
    (desk / "names.yaml.j2").write_text(f"kind: ConfigMap\ndata: {{a: '{BRANCH}', b: '{{{{ app }}}}'}}\n")
    done = run(
        *("render", "--values", "values.yaml", "--values", "more.yaml", "--templates", "names.yaml.j2"),
        *("--set", "branch.name=Feature/Login", "--set", "build.number=7", "--set", "namespace=web"),
        at=desk,
    )
    assert done.returncode == 0, done.stderr
    data = yaml.safe_load(done.stdout)["data"]
    assert data["b"] == "httpd"
    assert data["a"].startswith("feature-login-")
    assert data["a"].endswith("/7/web")


def test_render_says_that_the_paths_of_other_branches_are_not_shown(desk: Path) -> None:
    values = "app: a\ndomains: [{host: a.b, image: 'r:1', load_balancers: [lb-1], branch_paths: true}]\n"
    (desk / "values.yaml").write_text(values)
    done = run("render", "--values", "values.yaml", "--set", "branch.name=x", at=desk)
    assert done.returncode == 0
    assert done.stderr.startswith('Only the path /x/ of branch "x" is shown for a.b;')
    assert done.stderr.count("\n") == 1
    ingress = list(yaml.safe_load_all(done.stdout))[1]
    assert [path["path"] for path in ingress["spec"]["rules"][0]["http"]["paths"]] == ["/x/"]


def test_check_ends_with_0_where_it_finds_nothing(desk: Path) -> None:
    arguments = ("--version", "1.0.7", "--template-space", "front-ends")
    done = run("check", "--values", "values.yaml", *arguments, at=desk)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert done.stderr == "3 files checked, no problems.\n"


@pytest.mark.parametrize("verb", ["render", "check"])
def test_a_template_that_renders_to_nothing_is_named(desk: Path, verb: str) -> None:
    (desk / "hpa.yaml.j2").write_text("{% if hpa is defined %}kind: HorizontalPodAutoscaler{% endif %}\n")
    done = run(
        verb, "--values", "values.yaml", "--templates", "builtin:web", "--templates", "hpa.yaml.j2", at=desk
    )
    assert done.returncode == 0, done.stderr
    assert "make no file of this run: hpa.yaml (hpa.yaml.j2).\n" in done.stderr
    assert "hpa.yaml" not in done.stdout


def test_a_warning_is_printed_and_ends_with_0(desk: Path) -> None:
    pods = "{restartPolicy: Never, containers: [{name: a, image: 'r:1'}]}"
    job = f"apiVersion: batch/v1\nkind: Job\nmetadata: {{name: a}}\nspec: {{template: {{spec: {pods}}}}}\n"
    (desk / "both.yaml").write_text(f"{{# mine #}}\n{job}---\n{job.replace('name: a}', 'name: b}', 1)}")
    done = run("check", "--templates", "both.yaml", at=desk)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "both.yaml:"
    assert lines[1].endswith(" [replace] 2 times: Job/a, Job/b")
    assert lines[2].startswith("2 replace (warning): Give it a file of its own.")
    told = "Comments of templates that are left out: both.yaml (1).\n"
    assert done.stderr == f"{told}1 file checked, 2 findings: 2 replace.\n"
    assert run("render", "--templates", "both.yaml", at=desk).stderr == told


def test_check_ends_with_1_and_names_what_it_finds(desk: Path) -> None:
    (desk / "values.yaml").write_text(VALUES.replace("www:1", "www"))
    done = run("check", "--values", "values.yaml", "--version", "v" * 65, at=desk)
    assert done.returncode == 1
    assert "values.yaml:3, domains[0].image (www.example.com): " in done.stdout
    assert "v" * 20 in done.stdout
    assert "findings" in done.stderr


CLAIM = (
    "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: a}\n"
    "spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n"
)
ROUTE = "apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: a}\nspec: {rules: []}\n"


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ((), 0, "[replace]"),
        (("--strict",), 1, "[replace]"),
        (("--kube-version", "1.22"), 1, "Kubernetes 1.22 removed extensions/v1beta1 Ingress"),
        (("--set", "namespace=prod"), 1, "names the namespace staging; BCS deploys it to prod"),
    ],
)
def test_check_judges_by_the_kubernetes_and_namespace_that_are_named(
    desk: Path, arguments: tuple[str, ...], status: int, words: str
) -> None:
    named = CLAIM.replace("name: a", "name: a, namespace: staging")
    (desk / "a.yaml").write_text(f"{named}---\n{ROUTE}")
    done = run("check", "--templates", "a.yaml", *arguments, at=desk)
    assert (done.returncode, words in done.stdout) == (status, True), done.stdout


@pytest.mark.parametrize("verb", ["render", "check"])
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--set", "branch.nam=x"), ("branch.nam", 'Did you mean "branch.name"?')),
        (("--set", "branch.name"), ("branch.name",)),
        (("--set", "what=x", "--set", "=y"), ("what", "build.number")),
        (("--set", "build.number=007"), ("--set build.number takes a whole number",)),
        (("--values", "nothing.yaml"), ("nothing.yaml",)),
        (("--templates", "no/*.yaml"), ("no/*.yaml",)),
        (("--templates", "builtin:wbe"), ("builtin:wbe", "builtin:web")),
        (("--templates", "../outside.yaml"), ("../outside.yaml",)),
        ((), ("app", "domains", "Give a values file.")),
        (("--values", "empty.yaml"), ("app", "domains", "Correct empty.yaml.")),
    ],
)
def test_a_mistake_is_told_with_its_cure(
    desk: Path, verb: str, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    (desk / "empty.yaml").touch()
    done = run(verb, *arguments, at=desk)
    assert done.returncode == 1
    in_findings = verb == "check" and arguments[:1] != ("--set",)
    told, silent = (done.stdout, done.stderr) if in_findings else (done.stderr, done.stdout)
    assert in_findings or silent == ""
    for word in words if in_findings else (*words, "What to do"):
        assert word in told, told
    for absent in ("the pipeline", "input values", "inputs templates"):
        assert absent not in told, told


@pytest.mark.parametrize("form", ["json", "sarif", "junit"])
def test_check_prints_one_document_for_other_tools_and_says_all_else_on_stderr(desk: Path, form: str) -> None:
    (desk / "a.yaml.j2").write_text("a: {{ nope }}\n")
    arguments = ("--values", "values.yaml", "--templates", "builtin:web", "--templates", "a.yaml.j2")
    done = run("check", *arguments, "--format", form, at=desk)
    assert done.returncode == 1
    assert "missing-name" in done.stdout
    assert done.stderr == "3 files checked, 1 finding: 1 missing-name.\n"
    mistaken = run("check", "--set", "branch.nam=x", "--kube-version", "abc", "--format", form, at=desk)
    assert mistaken.returncode == 1
    assert "--kube-version is abc; it takes a version of Kubernetes from 1.20 to 1.37" in mistaken.stdout
    assert "What to do" in mistaken.stderr
    for text in (done.stdout, mistaken.stdout):
        assert (ET.fromstring if form == "junit" else json.loads)(text) is not None


def test_the_desk_is_spoken_to_in_its_language(desk: Path) -> None:
    for environ in ({"BK_CI_LOCALE_LANGUAGE": "zh_CN"}, {"LC_ALL": "zh_CN.UTF-8"}, {"LANG": "zh_CN.UTF-8"}):
        done = run("check", "--values", "values.yaml", at=desk, environ=environ)
        assert done.stderr == "已检查 3 个文件，没有问题。\n", environ


def test_a_pipe_that_is_closed_early_is_no_failure(desk: Path) -> None:
    domains = "".join(f"  - {{host: h{n}.example.com, image: 'example.com/h:1'}}\n" for n in range(400))
    (desk / "values.yaml").write_text("app: nginx\ndomains:\n" + domains)
    command = f'set -o pipefail; "{STEP}" render --values values.yaml | head -n 1'
    done = subprocess.run(["bash", "-c", command], cwd=desk, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "---\n", "")


def test_chinese_on_an_ascii_screen_is_escaped(desk: Path) -> None:
    (desk / "a.yaml").write_text("kind: ConfigMap\ndata: {a: 发布}\n", encoding="utf-8")
    environ = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0"}
    done = run("render", "--templates", "a.yaml", at=desk, environ=environ)
    assert done.returncode == 0, done.stderr
    assert "\\u53d1\\u5e03" in done.stdout


def test_values_files_need_no_option(desk: Path) -> None:
    (desk / "more.yaml").write_text("app: httpd\n")
    named = run("render", "--values", "values.yaml", "--values", "more.yaml", at=desk)
    plain = run("render", "values.yaml", "more.yaml", at=desk)
    assert (plain.returncode, plain.stdout) == (0, named.stdout)
    assert run("check", "values.yaml", at=desk).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "near"),
    [
        (("chekc",), 'chekc is not known. Did you mean "check"?'),
        (("check", "--valus=x"), '--valus is not known. Did you mean "--values"?'),
        (("plan", "--setting", "x"), '--setting is not known. Did you mean "--settings"?'),
        (("--verson",), '--verson is not known. Did you mean "--version"?'),
        (("check", "--vers", "1"), '--vers is not known. Did you mean "--version"?'),
        (("render", "--zzzzzz"), "--zzzzzz is not known."),
    ],
)
def test_a_mistyped_word_names_its_nearest_on_the_same_line(
    desk: Path, arguments: tuple[str, ...], near: str
) -> None:
    done = run(*arguments, at=desk)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].endswith(near)


def test_the_version_is_told(desk: Path) -> None:
    assert run("--version", at=desk).stdout == f"bcs-template-set {step_version()}\n"


# --- plan -----------------------------------------------------------------------------------------------


def settings_of(worker: Worker, **changed: object) -> str:
    inputs = {"region": "gz", "project_code": "web", "template_space": "s", "values_files": "values.yaml"}
    inputs["image_check"] = "off"  # made-up names: nobody is to be asked
    settings = {"regions": worker.regions, "inputs": inputs, "user": "lisi", **changed}
    return json.dumps(settings, ensure_ascii=False)


def plan(desk: Path, settings: str) -> subprocess.CompletedProcess[str]:
    (desk / "settings.yaml").write_text(settings, encoding="utf-8")
    return run("plan", "--settings", "settings.yaml", at=desk)


def test_plan_shows_the_difference_and_writes_nothing(desk: Path) -> None:
    with site(desk) as worker:
        done = plan(desk, settings_of(worker, build={"branch.name": "main", "build.number": 7}))
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        who = "acting user  lisi (user in the settings file)"
        for word in ("create", "www.example.com", "1.0.7-main", who, "Plan digest"):
            assert word in done.stdout
        assert "expect_plan" not in done.stdout
        assert worker.emulator.writes() == []
        assert worker.emulator.exchanges != []
        assert APP_SECRET not in done.stdout
        assert {path.name for path in desk.iterdir()} == {"settings.yaml", "values.yaml"}


def test_a_plan_fits_a_screen_and_full_has_all(desk: Path) -> None:
    (desk / "values.yaml").write_text(VALUES.replace("www:1", "www"))
    with site(desk) as worker:
        short = plan(desk, settings_of(worker))
        full = run("plan", "--settings", "settings.yaml", "--full", at=desk)
    assert len(short.stdout.splitlines()) <= 15, short.stdout
    assert "##[" not in short.stdout + full.stdout
    assert "kind: Deployment" not in short.stdout
    assert "kind: Deployment" in full.stdout
    assert short.stdout.count("has no tag") == 1


def test_values_and_names_of_the_arguments_go_over_those_of_the_settings_file(desk: Path) -> None:
    (desk / "other.yaml").write_text(VALUES.replace("www.", "other."))
    with site(desk) as worker:
        (desk / "settings.yaml").write_text(settings_of(worker, build={"build.number": 7}))
        plain = ("plan", "--settings", "settings.yaml")
        done = run(*plain, "other.yaml", "--set", "build.number=9", at=desk)
        wrong = run(*plain, "--set", "build.nmber=9", at=desk)
    assert done.returncode == 0, done.stderr
    assert "other.example.com" in done.stdout
    assert "1.0.9-main" in done.stdout
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert 'Did you mean "build.number"?' in wrong.stderr
    assert "Correct the arguments." in wrong.stderr


@pytest.mark.parametrize(
    ("change", "cure"),
    [
        ({"user": ""}, "Correct user in settings.yaml."),
        ({"regions": {"gz": {}}}, "Correct regions in settings.yaml."),
        ({"inputs": {"region": "gx"}}, "Correct inputs in settings.yaml."),
        ({"inputs": {"action": "pubish"}}, 'Did you mean "publish"?'),
    ],
)
def test_a_cure_names_the_settings_file_and_its_key(desk: Path, change: dict[str, object], cure: str) -> None:
    with site(desk) as worker:
        done = plan(desk, settings_of(worker, **change))
    assert (done.returncode, done.stdout.count("What to do")) == (1, 0)
    assert cure in done.stderr


def test_plan_never_publishes_whatever_the_inputs_ask_for(desk: Path) -> None:
    with site(desk) as worker:
        settings = json.loads(settings_of(worker))
        settings["inputs"]["action"] = "publish"
        done = plan(desk, json.dumps(settings))
        assert done.returncode == 0
        assert "inputs.action is publish; at a desk it is ignored" in done.stdout
        assert worker.emulator.writes() == []


def test_plan_with_an_access_token_asks_no_build_api(desk: Path) -> None:
    with site(desk) as worker:
        worker.emulator.state.add_user_token("token-canary", user="lisi")
        done = plan(desk, settings_of(worker, access_token="token-canary", user=""))
        assert done.returncode == 0, done.stdout
        told = [exchange for exchange in worker.emulator.exchanges if exchange.operation]
        assert {exchange.user for exchange in told} == {"lisi"}
        assert "token-canary" not in done.stdout
        assert "read from BK-CI" not in done.stdout
        wrong = plan(desk, settings_of(worker, access_token="other-canary", user=""))
        assert "The access token of credential access_token was refused" in wrong.stderr


def test_a_refused_plan_ends_with_1_and_says_why(desk: Path) -> None:
    with site(desk) as worker:
        done = plan(desk, settings_of(worker, user="wangwu"))
        assert done.returncode == 1
        assert "800202" in done.stderr
        assert worker.emulator.exchanges == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (None, ("settings.yaml",)),
        ("", ("settings.yaml", "regions")),
        ("- a", ("settings.yaml", "regions")),
        ("region: {}", ("region", 'Did you mean "regions"?')),
        ("regions: {gz: {app_secret: my-canary", ("settings.yaml", "line")),
        ("build: {branch.nam: x}", ("branch.nam", 'Did you mean "branch.name"?')),
        ("regions: my-canary", ("regions",)),
        ("regions: {gz: my-canary}", ("regions.gz",)),
        (
            "regions: {gz: {gateway: 'http://u:my-canary@x', app_secret: [my-canary]}}",
            ("regions.gz.gateway",),
        ),
        ("inputs: [my-canary]\nbuild: my-canary", ("inputs", "build")),
        ("build: {commit.sha: 0123456}", ("settings.yaml", 'quotes, "…"')),
        ("inputs: {tmplates: x}\nusr: y", ("tmplates", 'Did you mean "templates"?', "usr")),
    ],
)
def test_a_mistaken_settings_file_is_named_and_its_secrets_are_not_shown(
    desk: Path, settings: Optional[str], words: tuple[str, ...]
) -> None:
    if settings is not None:
        (desk / "settings.yaml").write_text(settings)
    done = run("plan", "--settings", "settings.yaml", at=desk)
    assert done.returncode == 1
    for word in (*words, "What to do"):
        assert word in done.stderr, done.stderr
    assert "my-canary" not in done.stdout + done.stderr
    assert (done.stdout, "settings.yaml: settings.yaml" in done.stderr) == ("", False)


def test_a_settings_file_in_another_encoding_is_refused(desk: Path) -> None:
    (desk / "settings.yaml").write_bytes("user: 张三".encode("gbk"))
    done = run("plan", "--settings", "settings.yaml", at=desk)
    assert done.returncode == 1
    assert "settings.yaml" in done.stderr


def test_a_mistaken_input_of_the_settings_file_is_told_as_in_a_pipeline(desk: Path) -> None:
    with site(desk) as worker:
        settings = json.loads(settings_of(worker))
        settings["inputs"].update(run_as="me", region="gx")
        done = plan(desk, json.dumps(settings))
        assert done.returncode == 1
        for word in ("run_as is me;", "region is gx;"):
            assert word in done.stderr, done.stderr
