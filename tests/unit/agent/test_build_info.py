"""Whose word counts for which fact, and that every other source must agree."""

from __future__ import annotations

import subprocess
import sys
from collections import UserDict
from pathlib import Path
from typing import Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcs_template_set.agent import build_info as facts
from bcs_template_set.agent.agent_files import AgentIdentity
from bcs_template_set.agent.build_info import BuildInfo, BuildRow, TaskInfo
from bcs_template_set.agent.open_agent import as_written
from bcs_template_set.messages import LANGUAGES
from bcs_template_set.messages.errors import FactDisputed, InputUnreadable
from bcs_template_set.messages.secret import Secret

IDENTITY = AgentIdentity(
    build_type="AGENT", project_id="web", agent_id="a-1", secret_key=Secret("agent-secret"),
    gateway="http://ci.example.com", build_id="b-1", vm_seq_id="1", task_id="t-1",
)  # fmt: skip
RECORD = {
    "BK_CI_START_USER_NAME": "wangwu",
    "BK_CI_PIPELINE_UPDATE_USER": "lisi",
    "BK_CI_AUTHORIZER": "zhangsan",
    "BK_CI_PROJECT_NAME": "web",
    "BK_CI_PIPELINE_ID": "p-1",
    "BK_CI_PIPELINE_NAME": "release",
    "BK_CI_BUILD_ID": "b-1",
    "BK_CI_BUILD_NUM": "42",
    "BK_CI_BUILD_START_TIME": "1767225600000",
    "BK_CI_BUILD_URL": "https://ci.example.com/b",
    "BK_CI_RETRY_COUNT": "0",
    "BK_CI_GIT_REF": "refs/heads/feature/x",
    "BK_CI_GIT_SHA": "0123abc",
}
OLD = {
    "pipeline.start.user.name": "wangwu",
    "project.name": "web",
    "pipeline.id": "p-1",
    "pipeline.name": "release",
    "pipeline.build.id": "b-1",
    "pipeline.build.num": "42",
    "pipeline.time.start": "1767225600000",
    "pipeline.retry.count": "0",
    "hookBranch": "feature/x",
    "hookRevision": "0123abc",
}
ALL_NAMES = tuple(name for names in (*facts.RECORDED, facts.PROJECT, facts.BUILD_ID) for name in names)


def build(
    record: Optional[dict[str, str]] = None,
    *,
    environ: Optional[dict[str, str]] = None,
    inputs: Optional[dict[str, str]] = None,
) -> BuildInfo:
    return facts.build_info(
        source="record",
        record=RECORD if record is None else record,
        environ=environ or {},
        inputs=inputs or {},
        identity=IDENTITY,
    )


def task(environ: dict[str, str], inputs: Optional[dict[str, str]] = None) -> TaskInfo:
    return facts.task_info(environ, inputs or {}, identity=IDENTITY)


# --- the build ------------------------------------------------------------------------------------------


def test_a_build_is_what_its_record_says() -> None:
    assert build() == BuildInfo(
        source="record",
        starter="wangwu",
        modifier="lisi",
        authorizer="zhangsan",
        pipeline_id="p-1",
        pipeline_name="release",
        build_id="b-1",
        build_number=42,
        started_at=1767225600000,
        url="https://ci.example.com/b",
        branch="feature/x",
        commit="0123abc",
    )


@pytest.mark.parametrize(("count", "retried"), [("", False), ("0", False), ("1", True)])
def test_a_build_that_is_retried_is_known_to_be(count: str, retried: bool) -> None:  # noqa: FBT001 - as pytest has it
    assert build({"BK_CI_RETRY_COUNT": count}).is_retried == retried


def test_the_record_of_an_old_platform_says_it_under_old_names() -> None:
    told = build(OLD)
    assert (told.starter, told.pipeline_id, told.pipeline_name) == ("wangwu", "p-1", "release")
    assert (told.build_number, told.started_at, told.branch, told.commit) == (
        42, 1767225600000, "feature/x", "0123abc",
    )  # fmt: skip


def test_old_and_new_names_beside_each_other_say_the_same() -> None:
    assert build({**RECORD, **OLD}, environ={**RECORD, **OLD}, inputs={**RECORD, **OLD}) == build()


def test_what_nobody_says_is_not_known() -> None:
    assert BuildRow("", "") == facts.NO_ROW
    assert build({}) == BuildInfo(source="record", build_id="b-1")


@pytest.mark.parametrize("name", ALL_NAMES)
@pytest.mark.parametrize("where", ["inputs", "environ"])
@pytest.mark.parametrize("record", [RECORD, {}], ids=["recorded", "not recorded"])
def test_whatever_is_said_elsewhere_of_a_fact_must_be_what_the_record_says(
    name: str, where: str, record: dict[str, str]
) -> None:
    with pytest.raises(FactDisputed) as caught:
        build(record, **{where: {name: "forged"}})
    for language in LANGUAGES:
        text = "\n".join(caught.value.explain(language))
        assert name in text
        assert "forged" in text


@pytest.mark.parametrize("name", sorted(set(ALL_NAMES) - set(RECORD)))
def test_a_step_that_leaves_a_variable_under_another_name_of_it_is_found_out(name: str) -> None:
    alone = ("BK_CI_REPO_GIT_WEBHOOK_BRANCH", "BK_CI_HOOK_BRANCH", "hookBranch")
    commits = ("BK_CI_REPO_GIT_WEBHOOK_COMMIT_ID", "BK_CI_HOOK_REVISION", "hookRevision")
    if name in (*alone, *commits):  # variables of their own, which the first one given comes before
        assert build({**RECORD, name: "other"}) == build()
        return
    with pytest.raises(FactDisputed):
        build({**RECORD, name: "other"})


@given(name=st.sampled_from(ALL_NAMES), value=st.text(min_size=1).filter(str.strip), env=st.booleans())
def test_no_value_of_an_input_or_an_env_ever_becomes_a_fact(name: str, value: str, *, env: bool) -> None:
    inputs = {**RECORD, name: value}
    try:
        told = build(environ=dict(inputs) if env else dict(RECORD), inputs=inputs)
    except FactDisputed:
        return
    assert told == build()


def test_the_environment_is_compared_as_a_shell_exports_it() -> None:
    record = {**RECORD, "BK_CI_PIPELINE_NAME": 'it\'s\na "pipe|line"'}
    told = build(record, environ={"BK_CI_PIPELINE_NAME": "itsa pipeline"}, inputs=record)
    assert told.pipeline_name == 'it\'s\na "pipe|line"'


def test_the_environment_is_read_as_utf8_whatever_the_locale(tmp_path: Path) -> None:
    """A machine whose locale is GBK or Latin-1 decodes the worker's UTF-8 otherwise."""
    script = (
        "import os\n"
        "from bcs_template_set.agent.open_agent import as_written\n"
        "assert ascii(os.environ['BK_CI_PIPELINE_NAME']) != ascii('发布')\n"
        "assert ascii(as_written(os.environ)['BK_CI_PIPELINE_NAME']) == ascii('发布')\n"
    )
    (tmp_path / "ask.py").write_text(script, encoding="utf-8")
    utf8_off = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    environ = {**utf8_off, "BK_CI_PIPELINE_NAME": "发布"}
    subprocess.run([sys.executable, "-X", "utf8=0", str(tmp_path / "ask.py")], env=environ, check=True)


class WindowsEnvironment(UserDict[str, str]):
    """`os.environ` on Windows: names are kept in upper case, and found in either."""

    def __setitem__(self, name: str, value: str) -> None:
        super().__setitem__(name.upper(), value)

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.upper())

    def __contains__(self, name: object) -> bool:
        return super().__contains__(str(name).upper())


def test_a_fact_is_found_where_the_system_keeps_names_in_upper_case() -> None:
    environ = as_written(WindowsEnvironment({"bkWorkspace": "/data/workspace"}))
    told = task(environ, {"bkWorkspace": "/data/workspace"})
    assert told.workspace == "/data/workspace"


def test_of_a_fact_that_is_no_utf8_what_can_be_read_is() -> None:
    assert as_written({"BK_CI_PIPELINE_NAME": "a\udcffb"}) == {"BK_CI_PIPELINE_NAME": "a\ufffdb"}


def test_what_input_json_says_is_compared_to_the_letter() -> None:
    with pytest.raises(FactDisputed):
        build(inputs={"BK_CI_AUTHORIZER": "zhang'san"})


def test_where_the_environment_is_the_record_input_json_must_agree_as_far_as_a_shell_lets_it() -> None:
    environ = {**RECORD, "BK_CI_PIPELINE_NAME": "its"}

    def told(**inputs: str) -> BuildInfo:
        return facts.build_info(
            source="environment", record=environ, environ=environ, inputs=inputs, identity=IDENTITY
        )

    assert told(BK_CI_PIPELINE_NAME="it's").pipeline_name == "its"
    assert told().source == "environment"
    with pytest.raises(FactDisputed):
        told(BK_CI_AUTHORIZER="boss")
    with pytest.raises(FactDisputed):
        told(**{"pipeline.start.user.name": "boss"})


def test_a_long_value_is_shown_in_part() -> None:
    for size, shown in ((80, "x" * 80 + '"'), (81, "x" * 80 + '…"')):
        with pytest.raises(FactDisputed) as caught:
            build(inputs={"BK_CI_AUTHORIZER": "x" * size})
        assert shown in "\n".join(caught.value.explain("en_US"))


def test_names_that_differ_within_the_record_are_disputed_by_one_quote() -> None:
    with pytest.raises(FactDisputed) as caught:
        build({"BK_CI_PIPELINE_NAME": "it's", "pipeline.name": "its"})
    assert '  - a variable of the build, an input of the step, or its `env`: "its"' in caught.value.explain(
        "en_US"
    )


@pytest.mark.parametrize(
    ("ref", "branch"),
    [
        ("refs/heads/release/1.2", "release/1.2"),
        ("main", "main"),
        ("refs/tags/v1", "refs/tags/v1"),
        ("refs/heads/refs/heads/x", "refs/heads/x"),
        (" main ", "main"),
    ],
)
def test_a_branch_loses_refs_heads_and_a_tag_can_not_pass_for_a_branch(ref: str, branch: str) -> None:
    assert build({"BK_CI_GIT_REF": ref}).branch == branch


@pytest.mark.parametrize("garbled", ["x", "-1", "1.5", "²", "٣", "9" * 19])
@pytest.mark.parametrize("name", ["BK_CI_BUILD_NUM", "BK_CI_BUILD_START_TIME"])
def test_a_number_that_is_none_is_an_error_naming_its_variable(name: str, garbled: str) -> None:
    with pytest.raises(InputUnreadable, match=rf"input\.json(?s:.*){name}"):
        build({name: garbled})
    assert build({"BK_CI_BUILD_NUM": "9" * 18}).build_number == int("9" * 18)


def test_no_variable_stands_for_two_facts() -> None:
    assert len(ALL_NAMES) == len(set(ALL_NAMES))


# --- the task -------------------------------------------------------------------------------------------

BY_WORKER = {
    "bkWorkspace": "/data/ws",
    "BK_CI_ATOM_CODE": "bcsTemplateSet",
    "BK_CI_ATOM_TIMEOUT": "15",
    "BK_CI_LOCALE_LANGUAGE": "en_US",
}


def test_a_task_is_what_the_worker_says_of_it() -> None:
    assert task(BY_WORKER, {**BY_WORKER, "parentTaskId": "t-0"}) == TaskInfo(
        project="web",
        build_id="b-1",
        task_id="t-1",
        parent_task="t-0",
        atom_code="bcsTemplateSet",
        workspace="/data/ws",
        timeout=900,
    )


@pytest.mark.parametrize("name", BY_WORKER)
@pytest.mark.parametrize("environ", [BY_WORKER, {}], ids=["said", "not said"])
def test_an_input_does_not_stand_in_for_what_the_worker_says(name: str, environ: dict[str, str]) -> None:
    with pytest.raises(FactDisputed, match=name) as caught:
        task(environ, {name: "forged"})
    said = next(line for line in caught.value.explain("en_US") if "the process environment" in line)
    assert said.endswith("not set") == (not environ)


@pytest.mark.parametrize("name", [*facts.PROJECT, *facts.BUILD_ID])
def test_an_id_is_the_one_of_the_sdk_file(name: str) -> None:
    with pytest.raises(FactDisputed, match=name):
        task({}, {name: "other"})
    with pytest.raises(FactDisputed, match=name):
        task({name: "other"})


@pytest.mark.parametrize("path", ["/data/o'neil", '"/data/oneil', "/data/oneil\\", "/data/oneil|"])
def test_an_input_names_no_workspace_beside_the_workers(path: str) -> None:
    """The worker writes its path unquoted into the script too: with such characters no step ever starts."""
    with pytest.raises(FactDisputed):
        task({"bkWorkspace": "/data/oneil"}, {"bkWorkspace": path})


@pytest.mark.parametrize(("minutes", "seconds"), [("15", 900), ("1", 60), ("0", None), ("", None)])
def test_the_timeout_counts_minutes_and_zero_is_none(minutes: str, seconds: Optional[int]) -> None:
    told = task({"BK_CI_ATOM_TIMEOUT": minutes})
    assert (told.timeout, told.parent_task) == (seconds, "")


def test_a_workspace_that_no_path_can_be_is_said() -> None:
    with pytest.raises(InputUnreadable, match=r"input\.json(?s:.*)bkWorkspace"):
        task({"bkWorkspace": "/data\0"})
