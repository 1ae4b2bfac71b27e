"""What BK-CI says about a build, and whose word counts for which fact. Performs no I/O.

Whoever writes the step's inputs can put any key into input.json, and the step's `env` any name into
input.json and the environment alike; an earlier step of the build can leave any variable that is not
read-only (bk-ci `MarketAtomTask.kt`, `ShellUtil.kt`, `PipelineBuildVarDao.kt`, 2026-08). So every fact has
one source that these can't reach, and every other source that has the fact must agree with it:

- project, build, task and attempt: `.sdk.json`;
- what the worker adds itself, after all variables: the process environment;
- people, pipeline, build and branch: the build's stored variables, which the build API gives out. Where a
  region says that this can't be asked, the environment stands in for them, and names are not proven.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, Optional

from bcs_template_set.agent.agent_files import AgentIdentity
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import FactDisputed, InputUnreadable
from bcs_template_set.records.late_dataclass import dataclass

Source = Literal["record", "environment", "file"]
"""Who named the people of a build: BK-CI's record of it, the process environment, a desk's settings file."""

Variables = Mapping[str, str]

# Each line is one variable under all its names, new before old (bk-ci `PipelineVarUtil.kt`).
STARTER = ("BK_CI_START_USER_NAME", "pipeline.start.user.name")
MODIFIER = ("BK_CI_PIPELINE_UPDATE_USER",)
AUTHORIZER = ("BK_CI_AUTHORIZER",)
PROJECT = ("BK_CI_PROJECT_NAME", "project.name")
PIPELINE_ID = ("BK_CI_PIPELINE_ID", "pipeline.id")
PIPELINE_NAME = ("BK_CI_PIPELINE_NAME", "pipeline.name")
BUILD_ID = ("BK_CI_BUILD_ID", "pipeline.build.id")
BUILD_NUMBER = ("BK_CI_BUILD_NUM", "pipeline.build.num")
BUILD_START = ("BK_CI_BUILD_START_TIME", "pipeline.time.start")
BUILD_URL = ("BK_CI_BUILD_URL",)
RETRY_COUNT = ("BK_CI_RETRY_COUNT", "pipeline.retry.count")
# A branch and a commit stand in the first of these that is given: they are different variables.
BRANCH = (("BK_CI_GIT_REF",), ("BK_CI_REPO_GIT_WEBHOOK_BRANCH",), ("BK_CI_HOOK_BRANCH", "hookBranch"))
COMMIT = (("BK_CI_GIT_SHA",), ("BK_CI_REPO_GIT_WEBHOOK_COMMIT_ID",), ("BK_CI_HOOK_REVISION", "hookRevision"))
RECORDED: tuple[tuple[str, ...], ...] = (
    STARTER, MODIFIER, AUTHORIZER, PIPELINE_ID, PIPELINE_NAME, BUILD_NUMBER, BUILD_START, BUILD_URL,
    RETRY_COUNT, *BRANCH, *COMMIT,
)  # fmt: skip
"""The variables that are read from the build's record."""

ATOM_CODE, TIMEOUT, WORKSPACE, LOCALE = (
    "BK_CI_ATOM_CODE", "BK_CI_ATOM_TIMEOUT", "bkWorkspace", "BK_CI_LOCALE_LANGUAGE",
)  # fmt: skip
BY_WORKER = (ATOM_CODE, TIMEOUT, WORKSPACE, LOCALE)
"""The variables that the worker sets itself, over whatever the pipeline says."""

FACTS = (*PROJECT, *BUILD_ID, *(name for names in RECORDED for name in names), *BY_WORKER)
"""The names of all variables that something is known from."""

PARENT_TASK = "parentTaskId"
"""Only of a post action; the worker puts it into input.json last (bk-ci `StoreConstants.kt`)."""

_HEADS = "refs/heads/"
_MOST_DIGITS = 18
_SHOWN = 80
_NOT_EXPORTED = re.compile("['\"\0\r\n^&<>|%\\\\]")
"""What a shell script, or on Windows a batch file, loses or rewrites of a value it exports."""


@dataclass(frozen=True)
class TaskInfo:
    """This task, as the worker describes it. `timeout` counts seconds; None is no limit.

    `attempt` is 1 for a first run, and more when the step is being retried.
    """

    project: str = ""
    build_id: str = ""
    task_id: str = ""
    parent_task: str = ""
    atom_code: str = ""
    workspace: str = ""
    timeout: Optional[int] = None
    attempt: int = 1


@dataclass(frozen=True)
class BuildInfo:
    """This build, as `source` describes it; "" and 0 where it does not say. `started_at` counts ms.

    Of a build that is being retried (`is_retried`) that is when the retry began.
    """

    source: Source
    starter: str = ""
    modifier: str = ""
    authorizer: str = ""
    pipeline_id: str = ""
    pipeline_name: str = ""
    build_id: str = ""
    build_number: int = 0
    started_at: int = 0
    is_retried: bool = False
    url: str = ""
    branch: str = ""
    commit: str = ""


@dataclass(frozen=True)
class BuildRow:
    """Whom a build's own row names, which no variable reaches; "" where it does not say.

    `started_by` was authenticated when the build was started; `modifier` has changed the pipeline last.
    """

    started_by: str = ""
    modifier: str = ""


NO_ROW = BuildRow()


def task_info(environ: Variables, inputs: Variables, *, identity: AgentIdentity) -> TaskInfo:
    """Return what the worker says of this task.

    Raises:
        FactDisputed: input.json says otherwise.
        InputUnreadable: the timeout is no number, or the workspace no path.
    """
    said = {name: _by_worker(name, environ, inputs) for name in BY_WORKER}
    _check_ids(environ, inputs, identity=identity)
    if "\0" in said[WORKSPACE]:
        raise InputUnreadable(file="input.json", problem=say("agent.not_a_path", name=WORKSPACE))
    minutes = number_of(TIMEOUT, said[TIMEOUT])
    return TaskInfo(
        project=identity.project_id,
        build_id=identity.build_id,
        task_id=identity.task_id,
        parent_task=inputs.get(PARENT_TASK, "").strip(),
        atom_code=said[ATOM_CODE],
        workspace=said[WORKSPACE],
        timeout=minutes * 60 if minutes > 0 else None,
        attempt=identity.execute_count,
    )


def build_info(
    *, source: Source, record: Variables, environ: Variables, inputs: Variables, identity: AgentIdentity
) -> BuildInfo:
    """Return what the record says of this build, once every source agrees with it.

    Raises:
        FactDisputed: environment or input.json say otherwise.
        InputUnreadable: a number is none.
    """
    _check_ids(record, environ, inputs, identity=identity)
    whole = source != "environment"  # what was exported has lost what a shell loses
    said = {names: _recorded(names, record, environ, inputs, whole=whole) for names in RECORDED}
    return BuildInfo(
        source=source,
        starter=said[STARTER],
        modifier=said[MODIFIER],
        authorizer=said[AUTHORIZER],
        pipeline_id=said[PIPELINE_ID],
        pipeline_name=said[PIPELINE_NAME],
        build_id=identity.build_id,
        build_number=number_of(BUILD_NUMBER[0], said[BUILD_NUMBER]),
        started_at=number_of(BUILD_START[0], said[BUILD_START]),
        is_retried=said[RETRY_COUNT] not in ("", "0"),
        url=said[BUILD_URL],
        branch=branch_of(_first(said[names] for names in BRANCH)),
        commit=_first(said[names] for names in COMMIT),
    )


def _by_worker(name: str, environ: Variables, inputs: Variables) -> str:
    """Return what the environment says; an input may not say it otherwise, be it by one quote.

    No honest workspace has what a shell loses: the worker writes `export WORKSPACE=…` without quotes, too.
    """
    exported, given = environ.get(name, "").strip(), inputs.get(name, "").strip()
    if given and given != exported:
        raise _disputed(name, (("environment", exported), ("input_json", given)))
    return exported


def _check_ids(*sources: Variables, identity: AgentIdentity) -> None:
    """Refuse a project or a build that is not the one `.sdk.json` names."""
    for names, true in ((PROJECT, identity.project_id), (BUILD_ID, identity.build_id)):
        for name, given in _all_given(names, sources):
            if given != true:
                raise _disputed(name, (("sdk_file", true), ("variables", given)))


def _recorded(
    names: Sequence[str], record: Variables, environ: Variables, inputs: Variables, *, whole: bool
) -> str:
    """Return what the record says under these names, which everything else must say too.

    A record that is not `whole` is compared with input.json as a shell would have exported that.
    """
    true = _first(value for _, value in _all_given(names, (record,)))
    for source, said, exact in (
        ("variables", record, True), ("input_json", inputs, whole), ("environment", environ, False),
    ):  # fmt: skip
        for name, value in _all_given(names, (said,)):
            if (value != true) if exact else (_exported(value) != _exported(true)):
                raise _disputed(name, (("record", true), (source, value)))
    return true


def _all_given(names: Iterable[str], sources: Iterable[Variables]) -> Iterator[tuple[str, str]]:
    for source in sources:
        for name in names:
            value = source.get(name, "").strip()
            if value:
                yield name, value


def _exported(value: str) -> str:
    return _NOT_EXPORTED.sub("", value).strip()


def _disputed(name: str, said: Iterable[tuple[str, str]]) -> FactDisputed:
    return FactDisputed(
        variable=name,
        details=[say(f"identity.said_{source}", value=_masked_value(value)) for source, value in said],
    )


def _masked_value(value: str) -> Text:
    if not value:
        return say("identity.said_nothing")
    return say("identity.said_value", value=value if len(value) <= _SHOWN else value[:_SHOWN] + "…")


def _first(values: Iterable[str]) -> str:
    return next((value for value in values if value), "")


def branch_of(ref: str) -> str:
    """Return a branch's name without `refs/heads/`.

    A tag keeps its `refs/tags/`: cut off, it could pass for a branch of the same name.
    """
    return ref.removeprefix(_HEADS)


def number_of(name: str, value: str) -> int:
    """Return the number that a variable holds, 0 where it holds none.

    Raises:
        InputUnreadable: it holds something else.
    """
    if not value:
        return 0
    # isdigit alone also takes digits that int() refuses; and the length keeps a huge text from being read.
    if not (value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS):
        raise InputUnreadable(file="input.json", problem=say("agent.not_a_number", name=name))
    return int(value)
