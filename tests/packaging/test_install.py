"""The wheel, installed into an empty environment as the worker does, works without the sources beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from tests.packaging.building import run
from tests.packaging.store_files import read_task_json

VALUES = """\
app: nginx
domains:
  - host: test.example.com
    image: registry.example.com/web/site:1704448623620-428
    load_balancers: [lb-00000001]
"""

TEMPLATE = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings-{{ branch.slug }}
data:
  app: {{ app }}
"""


NAMES = "import importlib.metadata as found; print(*(of.metadata['Name'] for of in found.distributions()))"


@pytest.fixture
def step(programs: Path) -> str:
    """Return the console script, by the name that task.json tells the worker."""
    return str(programs / read_task_json().execution.target)


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """Return a workspace with a values file and a template."""
    (tmp_path / "values.yaml").write_text(VALUES, encoding="utf-8")
    (tmp_path / "settings.yaml.j2").write_text(TEMPLATE, encoding="utf-8")
    return tmp_path


def rendered(step: str, desk: Path, *arguments: str) -> list[tuple[str, str]]:
    out = run([step, "render", "--values", "values.yaml", *arguments], cwd=desk)
    documents = [document for document in yaml.safe_load_all(out) if document is not None]
    return [(document["kind"], document["metadata"]["name"]) for document in documents]


def test_nothing_comes_with_it(programs: Path, tmp_path: Path) -> None:
    out = run([str(programs / "python"), "-c", NAMES], cwd=tmp_path)
    assert {name.lower().replace("_", "-") for name in out.split()} == {"bcs-template-set"}


def test_help_names_the_verbs(step: str, tmp_path: Path) -> None:
    out = run([step, "--help"], cwd=tmp_path)
    assert all(verb in out for verb in ("render", "check", "plan"))


def test_the_built_in_templates_render_from_the_installed_package(step: str, desk: Path) -> None:
    assert sorted(rendered(step, desk, "--templates", "builtin:web")) == [
        ("Deployment", "deployment.nginx.test.example.com"),
        ("Ingress", "ingress-test.example.com-0"),
        ("Service", "service-nginx-test-example-com"),
    ]


def test_a_template_of_the_workspace_renders_for_a_branch(step: str, desk: Path) -> None:
    arguments = ("--templates", "settings.yaml.j2", "--set", "branch.name=login")
    assert rendered(step, desk, *arguments) == [("ConfigMap", "settings-login")]


def test_the_sample_passes_the_checks(step: str, desk: Path) -> None:
    run([step, "check", "--values", "values.yaml", "--set", "branch.name=login"], cwd=desk)
