"""What a run is about: build, pipeline, branch, commit and target, as templates see it. Performs no I/O."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, replace

from bcs_template_set.manifests.naming import DEFAULT_MAIN_BRANCHES, path_of_branch, slug_of
from bcs_template_set.records.late_dataclass import dataclass


@dataclass(frozen=True)
class Build:
    """The pipeline build. `started_at` is in milliseconds since the epoch, 0 where unknown."""

    number: int
    id: str
    url: str
    started_at: int


@dataclass(frozen=True)
class Pipeline:
    """The pipeline; both fields are empty outside BK-CI."""

    id: str
    name: str


@dataclass(frozen=True)
class Branch:
    """The branch being built; `slug` is its name as a DNS-1123 label, `path` where it is served."""

    name: str
    slug: str
    path: str


@dataclass(frozen=True)
class Commit:
    """The commit being built; `short` is its first 8 characters."""

    sha: str
    short: str


@dataclass(frozen=True)
class BuildContext:
    """The names of design section 4 that every template may use, beside the values."""

    build: Build
    pipeline: Pipeline
    branch: Branch
    commit: Commit
    project: str
    cluster_id: str
    namespace: str
    region: str


CONTEXT_NAMES = tuple(BuildContext.__annotations__)

GIVEN_NAMES = (
    "build.number",
    "build.id",
    "build.url",
    "build.started_at",
    "pipeline.id",
    "pipeline.name",
    "branch.name",
    "commit.sha",
    "project",
    "cluster_id",
    "namespace",
    "region",
)
"""Names somebody gives, the agent or a `--set`; the others, such as `branch.slug`, follow from them."""

GIVEN_NUMBERS = ("build.number", "build.started_at")

SHORT_SHA = 8


def known_names(context: BuildContext) -> dict[str, object]:
    """Return what of a context this run knows, as templates see it: what nobody has given is not there.

    So an empty commit is a missing name, with file and line, and not an empty text in a manifest.
    """
    return {
        name: {part: known for part, known in value.items() if known} if isinstance(value, dict) else value
        for name, value in asdict(context).items()
        if value
    }


def make_context(given: Mapping[str, str]) -> BuildContext:
    """Return the context of the names given (see `GIVEN_NAMES`); a missing one is empty or 0.

    `branch.path` is that of the default main branches; `with_main_branches` knows the run's own.
    """

    def text(name: str) -> str:
        return given.get(name, "")

    return BuildContext(
        build=Build(
            number=_number(text("build.number")),
            id=text("build.id"),
            url=text("build.url"),
            started_at=_number(text("build.started_at")),
        ),
        pipeline=Pipeline(id=text("pipeline.id"), name=text("pipeline.name")),
        branch=branch_named(text("branch.name")),
        commit=commit_of(text("commit.sha")),
        project=text("project"),
        cluster_id=text("cluster_id"),
        namespace=text("namespace"),
        region=text("region"),
    )


def with_main_branches(context: BuildContext, main_branches: Collection[str]) -> BuildContext:
    """Return the context with the path its branch has where these are the main branches."""
    path = path_of_branch(context.branch.name, main_branches=main_branches)
    return replace(context, branch=replace(context.branch, path=path))


def branch_named(name: str) -> Branch:
    """Return a branch, with its path where the main branches are the default ones."""
    path = path_of_branch(name, main_branches=DEFAULT_MAIN_BRANCHES)
    return Branch(name=name, slug=slug_of(name), path=path)


def commit_of(sha: str) -> Commit:
    """Return a commit."""
    return Commit(sha=sha, short=sha[:SHORT_SHA])


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text.strip()) else 0
