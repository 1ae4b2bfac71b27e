"""What `check`, `render` and their refusals print of hostile files: terminals obey escapes, workers `::`.

Both verbs also run in script steps of pipelines, where every line of theirs is read by the worker.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.hostile.test_texts import ALL, COMMANDS, UNSEEN, is_obeyed
from tests.support.desks import environment
from tests.support.warm_start import run_program

HOSTILE = json.dumps(ALL)
NAMES = re.sub("[\\x00{]", "(", ALL)
"""What Jinja2 and YAML let pass."""


def said(*arguments: str, at: Path) -> list[str]:
    """Run a verb that fails, and return the lines of what it printed."""
    environ = environment()
    done = run_program(arguments, at=at, environ=environ)
    assert done.returncode == 1
    return (done.stdout + done.stderr).decode("utf-8").split("\n")


def assert_harmless(lines: list[str]) -> None:
    for line in lines:
        assert not UNSEEN.search(line), ascii(line[:200])
        assert not is_obeyed(line), ascii(line[:200])


def test_findings_about_hostile_names_are_a_harmless_line_each(tmp_path: Path) -> None:
    labels = json.dumps(dict.fromkeys(COMMANDS, NAMES))
    (tmp_path / "a.yaml").write_text(
        f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {json.dumps(NAMES)}\n  labels: {labels}\n"
    )
    lines = said("check", "--templates", "a.yaml", at=tmp_path)
    assert_harmless(lines)
    assert lines[0] == "a.yaml:"
    found = [line for line in lines if "metadata." in line]
    assert len(found) > len(COMMANDS)
    assert re.fullmatch(r"1 file checked, \d+ findings: \d+ label, 1 object-name\.", lines[-2])


@pytest.mark.parametrize("verb", ["check", "render"])
@pytest.mark.parametrize(
    "text",
    [
        f"a: {HOSTILE}\n{HOSTILE}: [",
        f"a: {{{{ {HOSTILE} | nothing }}}}",
        f"a: {{{{ build[{HOSTILE}] }}}}",
        f"a: {{% include {HOSTILE} %}}",
        f"{HOSTILE}: 1\n{HOSTILE}: 2\n",
        f"{HOSTILE}\n",
    ],
)
def test_a_refusal_of_hostile_files_is_harmless(tmp_path: Path, verb: str, text: str) -> None:
    (tmp_path / "a.yaml.j2").write_text(text)
    assert_harmless(said(verb, "--templates", "a.yaml.j2", at=tmp_path))


@pytest.mark.parametrize("verb", ["check", "render"])
@pytest.mark.parametrize("option", ["--templates", "--values", "--set"])
def test_a_refusal_of_hostile_arguments_is_harmless(tmp_path: Path, verb: str, option: str) -> None:
    assert_harmless(said(verb, option, ALL.replace("\0", ""), at=tmp_path))
