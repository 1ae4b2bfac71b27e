"""What a run is about: build, pipeline, branch, commit and target, as templates see it. Performs no I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bcs_template_set.manifests.naming import slug_of


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
    """The branch being built; `slug` is its DNS-1123 form (see manifests/naming.py)."""

    name: str
    slug: str


@dataclass(frozen=True)
class Commit:
    """The commit being built; `short` is its first 8 characters."""

    sha: str
    short: str


@dataclass(frozen=True)
class RunContext:
    """The names of design section 4 that every template may use, beside the values."""

    build: Build
    pipeline: Pipeline
    branch: Branch
    commit: Commit
    project: str
    cluster_id: str
    namespace: str
    region: str


CONTEXT_NAMES = ("build", "pipeline", "branch", "commit", "project", "cluster_id", "namespace", "region")

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
"""Names somebody gives, the agent or a `--set`; `branch.slug` and `commit.short` follow from them."""

SHORT_SHA = 8


def make_context(given: Mapping[str, str]) -> RunContext:
    """Return the context of the names given (see `GIVEN_NAMES`); a missing one is empty or 0."""

    def text(name: str) -> str:
        return given.get(name, "")

    return RunContext(
        build=Build(
            number=_number(text("build.number")),
            id=text("build.id"),
            url=text("build.url"),
            started_at=_number(text("build.started_at")),
        ),
        pipeline=Pipeline(id=text("pipeline.id"), name=text("pipeline.name")),
        branch=Branch(name=text("branch.name"), slug=slug_of(text("branch.name"))),
        commit=Commit(sha=text("commit.sha"), short=text("commit.sha")[:SHORT_SHA]),
        project=text("project"),
        cluster_id=text("cluster_id"),
        namespace=text("namespace"),
        region=text("region"),
    )


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text.strip()) else 0
