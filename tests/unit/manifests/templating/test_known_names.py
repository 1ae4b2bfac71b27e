"""Names of the context that nobody has given: missing, like any other, and never an empty text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.building import prepared, version_of

from bcs_template_set.manifests.templating.build_context import (
    GIVEN_NAMES,
    GIVEN_NUMBERS,
    known_names,
    make_context,
)
from bcs_template_set.manifests.templating.render import render_manifests
from bcs_template_set.messages.errors import NamesMissing

GIVEN = {"build.number": "7", "project": "demo"}


def rendered(workspace: Path, source: str, **given: str) -> str:
    (workspace / "t.yaml.j2").write_text(source, encoding="utf-8")
    context = make_context({**GIVEN, **given})
    (file,) = render_manifests(prepared(workspace, "t.yaml.j2", context=context)).files
    return file.text


@pytest.mark.parametrize(
    "name",
    [
        *("namespace", "cluster_id", "region", "build.id", "build.url", "build.started_at"),
        *("pipeline.id", "pipeline.name", "branch.name", "commit.sha", "commit.short"),
    ],
)
def test_what_nobody_gave_is_a_missing_name_with_its_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(NamesMissing) as caught:
        rendered(tmp_path, f"kind: A\na: x{{{{ {name} }}}}\n")
    assert "t.yaml.j2:2:" in str(caught.value)
    assert f'"{name.rpartition(".")[2]}"' in str(caught.value)


def test_what_nobody_gave_is_not_defined_and_takes_a_default(tmp_path: Path) -> None:
    source = (
        "a: {{ namespace is defined }} {{ namespace | default('x') }} {{ commit.short | default('y') }}\n"
        "b: {{ build.number }}-{{ project }}\n"
    )
    assert rendered(tmp_path, source) == "a: false x y\nb: 7-demo\n"


def test_the_function_is_there_where_the_name_is_not(tmp_path: Path) -> None:
    source = "a: {% set n = namespace({'i': 1}, k=3) %}{{ n.i }}{{ n.k }}{% set n.i = 2 %}{{ n.i }}\n"
    assert rendered(tmp_path, source) == rendered(tmp_path, source, namespace="prod") == "a: 132\n"


def test_a_version_of_a_build_without_a_branch_has_a_slug_all_the_same(tmp_path: Path) -> None:
    run = prepared(
        tmp_path,
        "builtin:web",
        context=make_context(GIVEN),
        values="app: a\ndomains: [{host: a.org, image: 'a:1'}]\n",
    )
    assert version_of("1.0.{{ build.number }}-{{ branch.slug }}", run=run).startswith("1.0.7-branch-")


def test_every_name_that_can_be_given_is_one_of_templates() -> None:
    context = make_context({name: f"{number}" for number, name in enumerate(GIVEN_NAMES, 1)})
    names: Any = known_names(context)
    found = [names[outer][inner] if inner else names[outer] for outer, _, inner in map(_parts, GIVEN_NAMES)]
    assert [str(value) for value in found] == [f"{number}" for number in range(1, len(GIVEN_NAMES) + 1)]
    assert {name for name, value in zip(GIVEN_NAMES, found) if isinstance(value, int)} == {*GIVEN_NUMBERS}


def _parts(name: str) -> tuple[str, str, str]:
    return name.partition(".")


@pytest.mark.parametrize(
    ("text", "number"), [(" 12 ", 12), ("1" * 18, int("1" * 18)), ("1" * 19, 0), ("x", 0)]
)
def test_a_number_that_is_none_is_not_known(text: str, number: int) -> None:
    assert make_context({"build.number": text}).build.number == number


def test_a_commit_is_short_with_its_first_eight_characters() -> None:
    assert make_context({"commit.sha": "0123456789abcdef"}).commit.short == "01234567"
