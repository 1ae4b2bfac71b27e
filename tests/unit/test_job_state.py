"""What a deployment leaves for the end of its job: the versions from before, also over a retried step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcs_template_set.errors import WorkspaceUnwritable
from bcs_template_set.job_state import DeployedFile, JobState, decode_state, encode_state, state_of
from bcs_template_set.messages import say
from bcs_template_set.outcome import Heading, Identity, Outcome, Result
from bcs_template_set.own_files import OwnFile
from bcs_template_set.post_action import forget_state, leave_state, read_state
from bcs_template_set.rollout.deployment_plan import FileVersion
from bcs_template_set.rollout.result import Rollout

A, B = FileVersion("a.yaml", "id-a", "1.0.8"), FileVersion("b.yaml", "id-b", "1.0.8", has_variables=True)


def outcome(
    *,
    result: Result = "deployed",
    deployed: tuple[FileVersion, ...] = (A, B),
    live: tuple[FileVersion, ...] = (),
    before: tuple[tuple[str, str], ...] = (("a.yaml", "1.0.7"),),
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
    state = state_of(told, earlier=earlier)
    assert state is not None
    return state


def test_it_says_where_as_whom_and_what_was_before() -> None:
    state = left(outcome())
    assert state.place() == {
        "region": "gz",
        "project_code": "web",
        "template_space": "front-ends",
        "cluster_id": "BCS-K8S-40000",
        "namespace": "prod",
    }
    assert state.acting_user == "lisi"
    assert state.deployed() == (A, B)
    assert state.before() == {"a.yaml": "1.0.7"}


@pytest.mark.parametrize("result", ["published", "failed", "timed-out", "restored", "skipped"])
def test_a_run_that_did_not_end_as_deployed_leaves_nothing(result: Result) -> None:
    assert state_of(outcome(result=result)) is None


def test_a_retried_step_keeps_what_was_before_its_first_try() -> None:
    first = left(outcome())
    again = left(outcome(deployed=(), live=(A, B), before=()), first)
    assert again == first
    redeployed = left(outcome(before=(("a.yaml", "1.0.8"), ("b.yaml", "1.0.8"))), first)
    assert redeployed == first


def test_what_was_live_before_this_build_is_not_its_own() -> None:
    assert left(outcome(deployed=(A,), live=(B,))).deployed() == (A,)
    other = left(outcome(deployed=(FileVersion("b.yaml", "id-0", "1.0.6"),)))
    assert left(outcome(deployed=(A,), live=(B,)), other).deployed() == (A,)


@given(
    st.lists(
        st.builds(DeployedFile, *[st.text(max_size=8)] * 4, st.booleans()),
        max_size=4,
    )
)
def test_a_state_survives_being_written_and_read(files: list[DeployedFile]) -> None:
    state = JobState(1, "gz", "web", "front-ends", "c", "n", "lisi", tuple(files))
    assert decode_state(encode_state(state)) == state


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"form": 2}', "\ud800"])
def test_what_is_no_state_is_none(text: str) -> None:
    assert decode_state(text) is None


def test_a_state_of_another_form_is_none() -> None:
    whole = json.loads(encode_state(left(outcome())))
    assert decode_state(json.dumps(whole)) is not None
    assert decode_state(json.dumps({**whole, "form": 2})) is None


def test_the_file_is_written_and_goes_when_it_is_no_longer_true(tmp_path: Path) -> None:
    file = OwnFile(tmp_path, "run/restore.json")
    assert leave_state(outcome(), file=file) == outcome()
    assert read_state(file) == left(outcome())
    leave_state(outcome(result="failed"), file=file)
    assert not file.path.exists()


def test_a_file_that_can_not_be_written_is_a_warning_and_not_the_verdict(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("in the way", encoding="utf-8")
    told = leave_state(outcome(), file=OwnFile(tmp_path, "run/restore.json"))
    assert [warning.key for warning in told.warnings] == ["post.not_kept"]
    assert told.result == "deployed"


def test_a_state_that_can_not_be_taken_away_is_said(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with pytest.raises(WorkspaceUnwritable):
        forget_state(OwnFile(tmp_path, "run"))
