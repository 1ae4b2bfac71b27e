"""What a start imports: nothing that its path does not need."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.support.scene import VALUES, site

HTTP = {"requests", "urllib3", "ssl", "http.client", "bcs_template_set.system.http_connections"}
TEMPLATES = {"jinja2", "markupsafe"}
HEAVY = {*HTTP, *TEMPLATES, "yaml", "certifi"}

PROGRAM = """
import sys
from bcs_template_set.cli.main import main
try:
    status = main(sys.argv[1:])
except SystemExit as exc:
    status = exc.code
print("imported:", *sys.modules, file=sys.stderr)
sys.exit(status)
"""


def imported(*arguments: str, directory: Path, environ: dict[str, str], status: int) -> set[str]:
    """Return the modules that a start with these arguments has imported when it ends."""
    command: Sequence[str] = [sys.executable, "-c", PROGRAM, *arguments]
    done = subprocess.run(
        command, check=False, capture_output=True, cwd=directory, env=environ, encoding="utf-8"
    )
    assert done.returncode == status, done.stdout + done.stderr
    return set(done.stderr.rpartition("imported:")[2].split())


@pytest.mark.parametrize(("arguments", "status"), [(["--help"], 0), (["plan", "--help"], 0), (["rendr"], 1)])
def test_help_and_a_mistyped_verb_import_nothing_heavy(
    tmp_path: Path, arguments: list[str], status: int
) -> None:
    found = imported(*arguments, directory=tmp_path, environ={}, status=status)
    assert found.isdisjoint(HEAVY)
    ours = {name for name in found if name.startswith("bcs_template_set")}
    told = {"messages.spelling"} if status else set()
    modules = {
        "cli",
        "cli.desk_language",
        "cli.main",
        "messages",
        "records",
        "records.late_dataclass",
        "system",
        "system.stdout",
        *told,
    }
    assert ours == {"bcs_template_set", *(f"bcs_template_set.{name}" for name in modules)}


def test_a_garbled_input_json_is_said_without_http_or_templates(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        directory, environ = worker.prepare()
        (directory / "input.json").write_text("{")
        assert imported(directory=directory, environ=environ, status=1).isdisjoint(HEAVY)


def test_mistaken_inputs_are_said_without_http(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        directory, environ = worker.prepare(action="publsh")
        assert imported(directory=directory, environ=environ, status=1).isdisjoint(HTTP)


def test_render_needs_no_http(tmp_path: Path) -> None:
    (tmp_path / "values.yaml").write_text(VALUES)
    modules = imported("render", "--values", "values.yaml", directory=tmp_path, environ={}, status=0)
    assert modules.isdisjoint(HTTP)
    assert modules >= TEMPLATES, "the names are those that Python knows them by"


def test_the_first_request_waits_for_no_report(tmp_path: Path) -> None:
    program = """
import sys
import bcs_template_set.run.entry, bcs_template_set.run.finish, bcs_template_set.run.step
print("imported:", *sys.modules, file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=tmp_path
    )
    modules = set(done.stderr.rpartition("imported:")[2].split())
    assert "bcs_template_set.report.html" not in modules
    late = {"deploy_phase", "doctor", "image_phase", "look_ahead", "rollback_phase"}
    assert modules.isdisjoint({"yaml", *(f"bcs_template_set.run.{name}" for name in late)})
