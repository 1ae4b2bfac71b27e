"""What a deployment leaves for the end of its job: the versions from before, also over a retried step."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Optional

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.pieces import SECRET, app_principal

from bcs_template_set.agent.build_info import BuildInfo, TaskInfo
from bcs_template_set.messages import say
from bcs_template_set.messages.secret import Secret
from bcs_template_set.messages.state_words import Result
from bcs_template_set.report.outcome import Heading, Identity, Outcome
from bcs_template_set.rollout.live_state import FileVersion
from bcs_template_set.rollout.result import Before, Rollout
from bcs_template_set.run.journal import (
    DeployedFile,
    JobState,
    Seal,
    SealedState,
    encode_state,
    is_genuine,
    read_sealed,
    seal_of,
    state_of,
)

A, B = FileVersion("a.yaml", "id-a", "1.0.8"), FileVersion("b.yaml", "id-b", "1.0.8", rewritten=True)

WAS = Before("a.yaml", "1.0.7", ready=True)


SEAL = Seal(("web", "b-1", "p-1", "e-1"), "lisi", Secret("an-app-secret"))


def outcome(
    *,
    result: Result = "deployed",
    deployed: tuple[FileVersion, ...] = (A, B),
    live: tuple[FileVersion, ...] = (),
    before: tuple[Before, ...] = (WAS,),
) -> Outcome:
    return Outcome(
        result=result,
        changed=True,
        language="en_US",
        heading=Heading(region="gz", project="web", space="front-ends"),
        identity=Identity(
            "lisi", "lisi_app", "", say("identity.reason_starter", by=say("identity.by_record")), "wangwu"
        ),
        rollout=Rollout("BCS-K8S-40000", "prod", deployed=deployed, live_already=live, before=before),
    )


def left(told: Outcome, earlier: Optional[JobState] = None) -> JobState:
    return state_of(told, user="lisi", attempt=1, earlier=earlier)


def test_it_says_where_as_whom_and_what_was_before() -> None:
    state = left(outcome())
    place = (state.region, state.project, state.space, state.cluster_id, state.namespace)
    assert place == ("gz", "web", "front-ends", "BCS-K8S-40000", "prod")
    assert state.acting_user == "lisi"
    assert state.deployed() == (A, B)
    assert state.before() == (WAS,)


@pytest.mark.parametrize("result", ["published", "failed", "timed-out", "restored", "skipped"])
def test_a_run_that_did_not_end_as_deployed_says_that_nothing_is_to_be_restored(result: Result) -> None:
    state = left(outcome(result=result))
    assert not state.restores
    assert bool(state.files) == (result != "restored"), "its next try has to know what was before"
    without = left(replace(outcome(result=result), rollout=None))
    assert (without.cluster_id, without.namespace) == ("", "")


@pytest.mark.parametrize("result", ["deployed", "rolled-back", "paused"])
def test_a_run_that_ended_as_deployed_leaves_what_is_to_be_restored(result: Result) -> None:
    assert left(outcome(result=result)).restores


def test_a_state_is_readable_and_a_mark_that_is_no_text_is_not_ours() -> None:
    state = left(outcome())
    text = encode_state(state, SEAL)
    assert text.startswith('{\n  "state"')
    assert text.endswith("}\n")
    assert is_genuine(SealedState(state, SEAL.mark(state)), SEAL)
    assert not is_genuine(SealedState(state, "\ud800"), SEAL)


def test_a_next_try_knows_what_one_that_failed_had_deployed() -> None:
    failed = left(outcome(result="timed-out"))
    refused = left(replace(outcome(result="failed"), rollout=None), failed)
    assert refused.files == failed.files
    again = left(outcome(deployed=(), live=(A, B), before=()), refused)
    assert (again.restores, again.files) == (True, failed.files)


def test_what_a_failed_try_made_live_in_part_is_remembered_too() -> None:
    rollout = Rollout("c", "n", partly=(A,), before=(WAS,))
    state = left(replace(outcome(result="failed"), rollout=rollout))
    assert state.before() == (WAS,)


def test_a_retried_step_keeps_what_was_before_its_first_try() -> None:
    first = left(outcome())
    again = left(outcome(deployed=(), live=(A, B), before=()), first)
    assert again == first
    redeployed = left(outcome(before=(Before("a.yaml", "1.0.8"), Before("b.yaml", "1.0.8"))), first)
    assert redeployed == first


def test_what_was_live_before_this_build_is_not_its_own() -> None:
    assert left(outcome(deployed=(A,), live=(B,))).deployed() == (A,)
    other = left(outcome(deployed=(FileVersion("b.yaml", "id-0", "1.0.6"),)))
    assert left(outcome(deployed=(A,), live=(B,)), other).deployed() == (A,)


FILES = st.lists(
    st.builds(DeployedFile, *[st.text(max_size=8)] * 4, st.booleans(), st.none() | st.booleans()), max_size=4
)


def sealed_text(state: JobState, seal: Seal = SEAL) -> str:
    return encode_state(state, seal)


def believed(text: str, seal: Seal = SEAL) -> bool:
    sealed = read_sealed(text)
    return sealed is not None and is_genuine(sealed, seal)


@given(FILES)
@settings(max_examples=10, deadline=None)
def test_a_state_survives_being_written_and_read(files: list[DeployedFile]) -> None:
    state = JobState(3, "gz", "web", "front-ends", "c", "n", "lisi", True, True, 1, tuple(files))
    sealed = read_sealed(sealed_text(state))
    assert sealed is not None
    assert (sealed.state, is_genuine(sealed, SEAL)) == (state, True)


def changed(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a state with each of its facts changed, one at a time."""
    for key, value in body.items():
        if isinstance(value, bool):
            yield {**body, key: not value}
        elif isinstance(value, str):
            yield {**body, key: value + "x"}
    for index, file in enumerate(body["files"]):
        for key, value in file.items():
            other = value + "x" if isinstance(value, str) else not value
            files = [*body["files"][:index], {**file, key: other}, *body["files"][index + 1 :]]
            yield {**body, "files": files}
    yield {**body, "files": body["files"][:1]}
    yield {**body, "files": body["files"][::-1]}
    yield {**body, "files": []}


def test_no_fact_of_a_state_can_be_changed_without_its_seal_breaking() -> None:
    whole = json.loads(sealed_text(left(outcome())))
    assert believed(json.dumps(whole))
    for other in changed(whole["state"]):
        assert not believed(json.dumps({**whole, "state": other})), other
    for mark in ("", "0" * 64, whole["mark"].upper(), "\u00e9", whole["mark"][:-1]):
        assert not believed(json.dumps({**whole, "mark": mark}))


@pytest.mark.parametrize("index", range(4))
def test_a_seal_is_of_one_task_of_one_build(index: int) -> None:
    words = [*SEAL.task]
    words[index] += "x"
    assert not believed(sealed_text(left(outcome())), replace(SEAL, task=tuple(words)))


@pytest.mark.parametrize("other", [replace(SEAL, user="wangwu"), replace(SEAL, secret=Secret("another"))])
def test_a_seal_is_of_one_user_and_made_with_that_users_secret(other: Seal) -> None:
    assert not believed(sealed_text(left(outcome()), other))


def test_the_secret_of_a_seal_is_the_one_that_the_requests_are_made_with() -> None:
    task = TaskInfo(project="web", build_id="b-1", task_id="e-2", attempt=1)
    build = BuildInfo("record", pipeline_id="p-1")
    made = seal_of(app_principal(user="lisi"), build, task=task, task_id="e-1")
    assert believed(sealed_text(left(outcome()), replace(SEAL, secret=Secret(SECRET))), made)


def test_words_that_run_into_each_other_make_other_seals() -> None:
    shifted = replace(SEAL, task=("we", "bb-1", "p-1", "e-1"))
    assert not believed(sealed_text(left(outcome()), shifted))


def test_the_seal_shows_nothing_of_the_secret() -> None:
    text = sealed_text(left(outcome()))
    assert "an-app-secret" not in text
    assert hashlib.sha256(b"an-app-secret").hexdigest() not in text


@pytest.mark.parametrize(
    "text", ["", "null", "{", "[]", "{}", '{"form": 3}', "\x00", "\ud800", '{"state": {}, "mark": ""}']
)
def test_what_is_no_state_is_none(text: str) -> None:
    assert read_sealed(text) is None


def test_a_state_of_another_form_is_none() -> None:
    whole = json.loads(sealed_text(left(outcome())))
    assert read_sealed(json.dumps({**whole, "state": {**whole["state"], "form": 2}})) is None
