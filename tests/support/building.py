"""What the tests of manifests are made with: a context, a clock that steps, and short ways to render."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Optional

import pytest
from hypothesis import strategies as st
from tests.support.worker import measured

from bcs_template_set.manifests.checks.check_manifests import check_manifests
from bcs_template_set.manifests.checks.finding import Finding
from bcs_template_set.manifests.checks.telling import ALL_EMPTY, refusal_of
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.parse import bcs_variables_in, parse_documents
from bcs_template_set.manifests.templating.bcs_places import Marks, Settled, stem_of
from bcs_template_set.manifests.templating.build_context import (
    Branch,
    Build,
    BuildContext,
    Commit,
    Pipeline,
    make_context,
)
from bcs_template_set.manifests.templating.environment import ReadText
from bcs_template_set.manifests.templating.limits import Limits
from bcs_template_set.manifests.templating.prepare import Prepared, RenderRequest, prepare
from bcs_template_set.manifests.templating.render import render_files, render_version, template_process
from bcs_template_set.manifests.templating.template_notes import Key, Notes
from bcs_template_set.manifests.templating.templates import Templates
from bcs_template_set.manifests.templating.web_values import read_web_values
from bcs_template_set.manifests.templating.workspace_files import no_files
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.messages import Text
from bcs_template_set.messages.step_error import StepError

CONTEXT = BuildContext(
    build=Build(number=428, id="b-1", url="https://ci.example.com/b-1", started_at=1704448623620),
    pipeline=Pipeline(id="p-1", name="release"),
    branch=Branch(name="feature/Login", slug="feature-login-0123456789", path="/feature-login-0123456789/"),
    commit=Commit(sha="0123456789abcdef", short="01234567"),
    project="web",
    cluster_id="BCS-K8S-40000",
    namespace="prod",
    region="gz",
)

LIMITS = Limits()


class StandingClock:
    """A clock that stands still, or goes on by `step` seconds with every look."""

    def __init__(self, step: float = 0.0) -> None:
        self._time = 1000.0
        self._step = step

    def now(self) -> float:
        return self._time

    def monotonic(self) -> float:
        self._time += self._step
        return self._time

    def wait(self, seconds: float) -> None:
        self._time += seconds


def render(
    workspace: Path,
    *templates: str,
    values: str = "",
    values_files: tuple[str, ...] = (),
    step: float = 0.0,
    limits: Limits = LIMITS,
) -> tuple[ManifestFile, ...]:
    """Render templates; those that render to nothing are there too, so that a test can look at any text."""
    rendered = render_files(
        prepared(workspace, *templates, values=values, values_files=values_files, step=step, limits=limits)
    )
    refusal = refusal_of([found for found in rendered.mistakes if found.id != ALL_EMPTY])
    if refusal is not None:
        raise refusal
    return tuple(sorted((*rendered.files, *rendered.empty), key=lambda file: file.name))


def prepared(
    workspace: Path,
    *templates: str,
    values: str = "",
    values_files: tuple[str, ...] = (),
    branch: str = "",
    step: float = 0.0,
    limits: Limits = LIMITS,
    context: BuildContext = CONTEXT,
) -> Prepared:
    if branch:
        context = replace(CONTEXT, branch=make_context({"branch.name": branch}).branch)
    return prepare(
        RenderRequest(
            workspace=workspace,
            templates=templates,
            values_text=values,
            values_files=values_files,
            context=context,
            clock=StandingClock(step),
            by="wangwu",
            limits=limits,
            environ=measured(),
        )
    )


def render_source(
    workspace: Path, source: str, *, values: str = "", step: float = 0.0, limits: Limits = LIMITS
) -> ManifestFile:
    """Render one template given as text."""
    (workspace / "t.yaml.j2").write_text(source, encoding="utf-8")
    (file,) = render(workspace, "t.yaml.j2", values=values, step=step, limits=limits)
    return file


def refusal(
    workspace: Path, source: str, kind: type[StepError], *, values: str = "", limits: Limits = LIMITS
) -> str:
    """Return what the step says of a template that it refuses with that error."""
    with pytest.raises(kind) as caught:
        render_source(workspace, source, values=values, limits=limits)
    return str(caught.value)


def rendered_here(
    source: str, context: Mapping[str, object], *, read_text: ReadText = no_files
) -> tuple[Optional[Settled], list[tuple[Key, Text]]]:
    """Render a template without a child: nothing bounds it."""
    notes, marks = Notes(context), Marks(stem_of(context))
    text = Templates(context, notes=notes, marks=marks, read_text=read_text).render(source, name="t")
    if text is None:
        return None, notes.noted()
    return marks.settled(text)._replace(left_out=tuple(notes.left_out)), notes.noted()


def version_of(expression: str, *, run: Prepared) -> str:
    """Return the version's name that an expression comes to."""
    with template_process(run) as process:
        found: list[Finding] = []
        version = render_version(expression, process, found=found)
    refused = refusal_of(found)
    if refused is not None:
        raise refused
    return version


def web(workspace: Path, values: str) -> tuple[ManifestFile, ...]:
    return render(workspace, "builtin:web", values=values)


def web_mistakes(values: Mapping[str, YamlValue]) -> list[Text]:
    """Return what is wrong with the values of `builtin:web`."""
    found: list[tuple[str, Text]] = []
    read_web_values(dict(values), found=found, shared=False)
    return [mistake for _, mistake in found]


def manifest(text: str, *, name: str = "a.yaml", domain: str = "", variables: str = "") -> ManifestFile:
    return ManifestFile(
        name=name,
        text=text,
        source=f"{name}.j2",
        documents=parse_documents(text, source=name),
        variables=frozenset(variables.split()),
        places=frozenset(v.start for v in bcs_variables_in(text) if v.inner.strip() in variables.split()),
        domain=domain,
    )


def findings_of(
    *files: ManifestFile,
    space: str = "front-ends",
    template_set: bool = False,
    namespace: str = "",
    kube_version: str = "",
) -> tuple[Finding, ...]:
    return check_manifests(
        files,
        template_space=space,
        template_set=template_set,
        namespace=namespace,
        kube_version=kube_version,
    )


_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff"), max_size=12),
    st.sampled_from(
        ["yes", "1.10", "a: b", "x\ny\n", "- a", "#c", "'", '"', "22:22", "2024-01-01", "{{ x }}"]
    ),
)
VALUES_OF_ANY_KIND: st.SearchStrategy[YamlValue] = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.text("abcxyz._-", min_size=1, max_size=6), inner, max_size=4),
    ),
    max_leaves=12,
)
