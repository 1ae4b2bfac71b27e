"""What BK-CI says about a build: which variable holds which fact. Performs no I/O.

BK-CI renamed its variables; depending on its age and on how the build was started, `input.json` holds the
new names, the old ones or both (facts/agent.md, "input.json"; the pairs are those of bk-ci's
`PipelineVarUtil.kt`). The new name is read first. An empty string is "not given".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Optional

from bcs_template_set.errors import InputUnreadable
from bcs_template_set.messages import say

Concept = Literal[
    "starter",
    "modifier",
    "creator",
    "authorizer",
    "project",
    "pipeline id",
    "pipeline name",
    "build id",
    "build number",
    "build start",
    "build url",
    "atom code",
    "task id",
    "parent task",
    "timeout",
    "workspace",
    "locale",
    "branch",
    "commit",
]

VARIABLES: Mapping[Concept, tuple[str, ...]] = {
    "starter": ("BK_CI_START_USER_NAME", "pipeline.start.user.name"),
    "modifier": ("BK_CI_PIPELINE_UPDATE_USER",),
    "creator": ("BK_CI_PIPELINE_CREATE_USER",),
    "authorizer": ("BK_CI_AUTHORIZER",),
    "project": ("BK_CI_PROJECT_NAME", "project.name"),
    "pipeline id": ("BK_CI_PIPELINE_ID", "pipeline.id"),
    "pipeline name": ("BK_CI_PIPELINE_NAME", "pipeline.name"),
    "build id": ("BK_CI_BUILD_ID", "pipeline.build.id"),
    "build number": ("BK_CI_BUILD_NUM", "pipeline.build.num"),
    "build start": ("BK_CI_BUILD_START_TIME", "pipeline.time.start"),
    "build url": ("BK_CI_BUILD_URL",),
    "atom code": ("BK_CI_ATOM_CODE",),
    "task id": ("BK_CI_BUILD_TASK_ID", "pipeline.task.id"),
    # Only of a post action (bk-ci, StoreConstants.kt and MarketAtomTask.kt, 2026-08).
    "parent task": ("parentTaskId",),
    "timeout": ("BK_CI_ATOM_TIMEOUT",),
    "workspace": ("bkWorkspace",),
    "locale": ("BK_CI_LOCALE_LANGUAGE",),
    "branch": ("BK_CI_GIT_REF", "BK_CI_REPO_GIT_WEBHOOK_BRANCH", "hookBranch"),
    "commit": ("BK_CI_GIT_SHA", "BK_CI_REPO_GIT_WEBHOOK_COMMIT_ID", "hookRevision"),
}

_HEADS = "refs/heads/"
_MOST_DIGITS = 18


def look_up(inputs: Mapping[str, str], concept: Concept) -> str:
    """Return the fact from the first of its variables that is not empty; "" where none is given."""
    return _given(inputs, concept)[1]


def starter(inputs: Mapping[str, str]) -> str:
    """Return the user who started the build."""
    return look_up(inputs, "starter")


def modifier(inputs: Mapping[str, str]) -> str:
    """Return the user who last changed the pipeline."""
    return look_up(inputs, "modifier")


def creator(inputs: Mapping[str, str]) -> str:
    """Return the user who created the pipeline."""
    return look_up(inputs, "creator")


def authorizer(inputs: Mapping[str, str]) -> str:
    """Return the user whose permissions the pipeline borrows; "" on platforms that do not say it."""
    return look_up(inputs, "authorizer")


def project(inputs: Mapping[str, str]) -> str:
    """Return the BK-CI project's code."""
    return look_up(inputs, "project")


def pipeline_id(inputs: Mapping[str, str]) -> str:
    """Return the pipeline's id."""
    return look_up(inputs, "pipeline id")


def pipeline_name(inputs: Mapping[str, str]) -> str:
    """Return the pipeline's name."""
    return look_up(inputs, "pipeline name")


def build_id(inputs: Mapping[str, str]) -> str:
    """Return the build's id."""
    return look_up(inputs, "build id")


def build_number(inputs: Mapping[str, str]) -> int:
    """Return the build's number; 0 where it is not given.

    Raises:
        InputUnreadable: the variable is no number; so do the other functions that return one.
    """
    return _number(inputs, "build number")


def build_started_at(inputs: Mapping[str, str]) -> int:
    """Return when the build started, in milliseconds since the epoch; 0 where it is not given."""
    return _number(inputs, "build start")


def build_url(inputs: Mapping[str, str]) -> str:
    """Return the address of the build's page."""
    return look_up(inputs, "build url")


def atom_code(inputs: Mapping[str, str]) -> str:
    """Return the code of this atom in the store, which its private settings are kept under."""
    return look_up(inputs, "atom code")


def task_id(inputs: Mapping[str, str]) -> str:
    """Return the id of this task in the pipeline."""
    return look_up(inputs, "task id")


def parent_task(inputs: Mapping[str, str]) -> str:
    """Return the id of the task that a post action belongs to; "" elsewhere."""
    return look_up(inputs, "parent task")


def timeout_seconds(inputs: Mapping[str, str]) -> Optional[int]:
    """Return after how many seconds the worker kills the step; None where it sets no limit.

    The variable counts minutes.
    """
    minutes = _number(inputs, "timeout")
    return minutes * 60 if minutes > 0 else None


def workspace(inputs: Mapping[str, str]) -> str:
    """Return the absolute path of the pipeline's workspace.

    Raises:
        InputUnreadable: it has a NUL in it, which no path can have.
    """
    name, value = _given(inputs, "workspace")
    if "\0" in value:
        raise InputUnreadable(file="input.json", problem=say("agent.not_a_path", name=name))
    return value


def locale(inputs: Mapping[str, str]) -> str:
    """Return the platform's locale, such as `zh_CN`."""
    return look_up(inputs, "locale")


def branch_name(inputs: Mapping[str, str]) -> str:
    """Return the branch being built without `refs/heads/`.

    A tag keeps its `refs/tags/`: cut off, it could pass for a branch of the same name.
    """
    return look_up(inputs, "branch").removeprefix(_HEADS)


def commit_sha(inputs: Mapping[str, str]) -> str:
    """Return the commit being built."""
    return look_up(inputs, "commit")


def _given(inputs: Mapping[str, str], concept: Concept) -> tuple[str, str]:
    for name in VARIABLES[concept]:
        value = inputs.get(name, "").strip()
        if value:
            return name, value
    return "", ""


def _number(inputs: Mapping[str, str], concept: Concept) -> int:
    name, value = _given(inputs, concept)
    if not value:
        return 0
    # isdigit alone also takes digits that int() refuses; and the length keeps a huge text from being read.
    if not (value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS):
        raise InputUnreadable(file="input.json", problem=say("agent.not_a_number", name=name))
    return int(value)
