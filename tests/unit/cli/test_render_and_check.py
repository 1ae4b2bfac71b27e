"""The verbs `render` and `check` in a directory, with `builtin:web`: what they print, and how they end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bcs_template_set.cli.main import main

VALUES = """\
app: web
domains:
  - {host: www.example.com, image: 'example.com/web:1', load_balancers: [lb-1]}
"""
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}"
PODS = "template: {metadata: {labels: {app: a}}, spec: {containers: [{name: a, image: 'r:1'}]}}"
SERVICE = f"""\
apiVersion: v1
kind: Service
metadata: {{name: a}}
spec: {{selector: {{app: nobody}}, ports: [{{port: 80}}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: a}}
spec: {{selector: {{matchLabels: {{app: a}}}}, {PODS}}}
"""


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BK_CI_LOCALE_LANGUAGE", "en_US")
    (tmp_path / "values.yaml").write_text(VALUES, encoding="utf-8")
    (tmp_path / "latest.yaml").write_text(VALUES.replace("web:1", "web:latest"), encoding="utf-8")
    (tmp_path / "wrong.yaml").write_text(VALUES.replace("web:1", "Web:1"), encoding="utf-8")
    (tmp_path / "none.yaml").write_text("app: web", encoding="utf-8")
    (tmp_path / "service.yaml").write_text(SERVICE, encoding="utf-8")
    (tmp_path / "variable.yaml.j2").write_text(
        f"{MAP}\ndata: {{a: '{{{{ bcs(\"X\") }}}}'}}\n", encoding="utf-8"
    )
    return tmp_path


class Told:
    """How a verb ended, and what it printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *argv: str) -> None:
        self.status = main(argv)
        self.out, self.err = capsys.readouterr()


def test_every_manifest_is_printed_under_its_name_as_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    told = Told(capsys, "render", "values.yaml", "--set", "branch.name=dev")
    parts = told.out.split("---\n# ")
    assert (told.status, told.err, parts[0]) == (0, "", "")
    assert [part.partition("\n")[0] for part in parts[1:]] == [
        *("www.example.com.deployment.yaml", "www.example.com.routes.yaml", "www.example.com.service.yaml"),
    ]
    assert all(part.endswith("\n") and not part.endswith("\n\n") for part in parts[1:])
    assert 'image: "example.com/web:1"' in told.out


def test_of_a_branchs_paths_it_is_said_that_the_others_are_not_shown(
    capsys: pytest.CaptureFixture[str], desk: Path
) -> None:
    (desk / "values.yaml").write_text(VALUES.replace("host:", "branch_paths: true, host:"), encoding="utf-8")
    told = Told(capsys, "render", "values.yaml", "--set", "branch.name=dev")
    assert told.status == 0
    assert told.err.startswith('Only the path /dev/ of branch "dev" is shown for www.example.com;')
    assert told.err.endswith(".\n")


def test_what_a_file_of_ones_own_has_already_is_not_printed_twice(
    capsys: pytest.CaptureFixture[str], desk: Path
) -> None:
    (desk / "own.yaml").write_text(f"---\n{MAP}", encoding="utf-8")
    assert Told(capsys, "render", "--templates", "own.yaml").out == f"---\n# own.yaml\n{MAP}\n"


@pytest.mark.parametrize(
    ("argv", "status", "found", "said"),
    [
        (["values.yaml"], 0, "", "3 files checked, no problems."),
        (["latest.yaml"], 0, "image-tag", "3 files checked, 1 finding: 1 image-tag."),
        (["latest.yaml", "--strict"], 1, "image-tag", "3 files checked, 1 finding: 1 image-tag."),
        (["wrong.yaml"], 1, "image", "finding"),
        (["values.yaml", "--version", "1.0"], 0, "", "no problems"),
        (["values.yaml", "--version", "v" * 65], 1, "can't be used", "1 version-name"),
        (["values.yaml", "gone.yaml"], 1, "gone.yaml", "finding"),
        (["--templates", "service.yaml"], 0, "nobody", "1 file checked, 1 finding: 1 service-selector."),
        (["--templates", "service.yaml", "--templates", "gone.j2"], 1, "gone.j2", "1 finding: 1 file."),
        (["--templates", "variable.yaml.j2"], 0, "", "1 file checked, no problems."),
        (["values.yaml", "--kube-version", "1.28"], 0, "", "no problems"),
        (["values.yaml", "--kube-version", "x"], 1, "", "--kube-version"),
        (["values.yaml", "--set", "branch.nam=x"], 1, "", 'Did you mean "branch.name"?'),
    ],
)
def test_findings_are_printed_and_counted_and_errors_end_with_1(
    capsys: pytest.CaptureFixture[str], argv: list[str], status: int, found: str, said: str
) -> None:
    told = Told(capsys, "check", *argv)
    assert told.status == status, told.err
    assert (told.out != "", told.out[-1:]) == ((True, "\n") if found else (False, ""))
    assert found in told.out
    assert said in told.err
    assert (told.out + told.err).count("\n") == len((told.out + told.err).splitlines())


@pytest.mark.parametrize(
    "argv", [["latest.yaml", "gone.yaml"], ["values.yaml", "--set", "x=y"], ["many.yaml"]]
)
def test_other_tools_get_one_document_whatever_is_wrong(
    capsys: pytest.CaptureFixture[str], desk: Path, argv: list[str]
) -> None:
    domains = ", ".join(f"{{host: h{n}.x, image: 'r:1'}}" for n in range(1667))
    (desk / "many.yaml").write_text(f"{{app: web, domains: [{domains}]}}", encoding="utf-8")
    told = Told(capsys, "check", *argv, "--format", "json")
    document = json.loads(told.out)
    assert (told.status, document["failed"]) == (1, True)
    assert document["tool"]["version"] not in ("", None)
    places = [(finding["file"] or "", finding["line"] or 0) for finding in document["findings"]]
    assert places == sorted(places)
    assert places != []


@pytest.mark.parametrize(
    ("argv", "hint"),
    [
        (["none.yaml"], "Correct none.yaml."),
        (["gone.yaml"], "Correct the file, or its path: that is relative to the working directory"),
        (["values.yaml", "--version", "v" * 65], "Correct --version."),
        (["values.yaml", "--set", "x=y"], "Correct the arguments."),
        (["latest.yaml"], "Give it the tag of one build, or a digest."),
    ],
)
def test_a_hint_names_what_is_at_a_desk(
    capsys: pytest.CaptureFixture[str], argv: list[str], hint: str
) -> None:
    document = json.loads(Told(capsys, "check", *argv, "--format", "json").out)
    assert document["findings"][0]["hint"].startswith(hint)


def test_a_file_of_builtin_web_has_its_own_name_and_another_its_path_also_where_nothing_is_found(
    capsys: pytest.CaptureFixture[str],
) -> None:
    templates = ("--templates", "builtin:web", "--templates", "variable.yaml.j2")
    told = Told(capsys, "check", "values.yaml", *templates, "--format", "junit")
    assert '<testsuite name="www.example.com.deployment.yaml"' in told.out
    assert '<testsuite name="variable.yaml.j2"' in told.out
    assert (told.status, told.err) == (0, "4 files checked, no problems.\n")
