"""What becomes of a text that a template has rendered to: a file of the run, or what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

import pytest
from tests.support.building import prepared

from bcs_template_set.manifests.checks.finding import Finding
from bcs_template_set.manifests.checks.telling import refusal_of
from bcs_template_set.manifests.templating.bcs_places import Settled
from bcs_template_set.manifests.templating.prepare import Prepared
from bcs_template_set.manifests.templating.render import render_files, render_version, template_process
from bcs_template_set.manifests.templating.template_notes import Notes
from bcs_template_set.manifests.templating.worker_process import TemplateProcess
from bcs_template_set.messages import Text, say


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.yaml.j2").write_text(text)


class Writes(TemplateProcess):
    """Answers every template with the same text, and needs no child for it."""

    def __init__(self, run: Prepared, settled: Settled) -> None:
        with template_process(run) as process:
            super().__init__(process.run)
        self.settled = settled

    def render(self, source: str, *, name: str, notes: Notes, is_version: bool = False) -> Optional[Settled]:  # noqa: ARG002 - as the base
        return self.settled


@pytest.mark.parametrize(
    ("text", "most", "told"),
    [
        (f'a: "{"x" * (2**21 - 5)}"', 32, "is over the limit of 64 MiB"),
        ("---\na: 1\n" * 2500, 4, "documents, 12500, is over the limit of 10000"),
    ],
    ids=["text", "documents"],
)
def test_the_first_file_of_a_run_that_is_too_much_beside_the_others_ends_it(
    tmp_path: Path, text: str, most: int, told: str
) -> None:
    write(tmp_path, **{f"{number:02}": "a: 1" for number in range(most + 2)})
    run = prepared(tmp_path, "*.j2")
    rendered = render_files(run, Writes(run, Settled(text, {})))
    assert len(rendered.files) + len(rendered.empty) == most
    (found,) = rendered.mistakes
    assert (found.id, found.file) == ("limit", f"{most:02}.yaml.j2")
    assert told in str(found.message)


@pytest.mark.parametrize(
    ("settled", "told"),
    [
        (Settled("a: 1\n", {}, is_cut=True), say("render.bcs_cut")),
        (Settled("\na: {{ x }}\nb: {{ y }}", {}, (2, 3)), say("render.braces_foreign", line=2, number=2)),
    ],
    ids=["cut", "foreign"],
)
def test_a_text_with_braces_of_nobody_is_no_file_of_the_run(
    tmp_path: Path, settled: Settled, told: Text
) -> None:
    write(tmp_path, a="a: 1")
    run = prepared(tmp_path, "a.yaml.j2")
    rendered = render_files(run, Writes(run, settled))
    assert rendered.files == ()
    assert [(found.id, found.file, found.message) for found in rendered.mistakes] == [
        ("yaml", "a.yaml.j2", told)
    ]


def test_a_version_that_only_names_what_a_build_has_needs_no_child(tmp_path: Path) -> None:
    found: list[Finding] = []
    process = Writes(prepared(tmp_path), Settled(" child ", {}))
    made = [
        render_version(version, process, found=found)
        for version in (" 1.0.{{ build.number }}-{{branch.slug}}\n", "{{ build.number + 1 }}")
    ]
    assert (made, found) == (["1.0.428-feature-login-0123456789", "child"], [])


@pytest.mark.parametrize(
    ("source", "made", "told"),
    [
        ("a: {{ 1 }}\nb: c: d\n", "a: 1\nb: c: d\n", "a.yaml.j2:2:5: a "),
        ("a: {{ 'b: c' }}\n", "a: b: c\n", "a.yaml.j2:1: a "),
        ("a: b: c", "a: b: c", "a.yaml.j2:1:5: a "),
        (
            "{% if true %}\na: b: c\n{% endif %}\n",
            "a: b: c\n",
            "a.yaml.j2: line 1, column 5 of what it renders to: a ",
        ),
    ],
)
def test_what_is_no_yaml_has_its_place_in_the_template_or_in_what_it_renders_to(
    tmp_path: Path, source: str, made: str, told: str
) -> None:
    write(tmp_path, a=source, b="a: 1")
    run = prepared(tmp_path, "a.yaml.j2")
    rendered = render_files(run, Writes(run, Settled(made, {})))
    error = refusal_of(rendered.mistakes)
    assert error is not None
    assert [str(detail)[: len(told)] for detail in error.details] == [told]
    assert [found.id for found in rendered.mistakes] == ["yaml"]
    assert (rendered.files, rendered.empty) == ((), ())


def test_a_file_has_what_was_rendered_and_where_it_comes_from(tmp_path: Path) -> None:
    write(tmp_path, a="a: 1", b="b: 1")
    run = prepared(tmp_path, "*.j2")
    text = "a: {{ X }}\n---\nb: 1\n"
    rendered = render_files(run, Writes(run, Settled(text, {3: "X"}, left_out=(("a.yaml.j2", 1, 1),))))
    assert (rendered.mistakes, rendered.empty) == ((), ())
    assert [(file.name, file.source, file.text) for file in rendered.files] == [
        ("a.yaml", "a.yaml.j2", text),
        ("b.yaml", "b.yaml.j2", text),
    ]
    (file, _) = rendered.files
    assert [document.body for document in file.documents] == [{"a": "{{ X }}"}, {"b": 1}]
    assert (sorted(file.variables), sorted(file.places), file.domain) == (["X"], [3], "")
    assert file.left_out == (("a.yaml.j2", 1, 1),)


def test_what_renders_to_nothing_is_no_file_and_alone_a_mistake(tmp_path: Path) -> None:
    write(tmp_path, a="a: 1")
    run = prepared(tmp_path, "a.yaml.j2")
    rendered = render_files(run, Writes(run, Settled("# nothing\n", {})))
    assert (rendered.files, [file.name for file in rendered.empty]) == ((), ["a.yaml"])
    assert [(found.file, found.message) for found in rendered.mistakes] == [
        ("a.yaml.j2", say("render.all_empty"))
    ]
