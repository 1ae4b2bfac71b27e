"""What the tries of a step leave for each other and for the end of their job, in its file."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.run.test_job_state import SEAL, WAS, A, B, left, outcome, sealed_text

from bcs_template_set.config.inputs import Settings, read_settings
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import WorkspaceUnwritable
from bcs_template_set.report.outcome import Outcome
from bcs_template_set.rollout.deployment_plan import DeploymentPlan
from bcs_template_set.rollout.live_state import FileVersion
from bcs_template_set.rollout.result import Before
from bcs_template_set.run.journal import (
    EarlierTry,
    JobState,
    Journal,
    is_genuine,
    read_sealed,
    read_state,
)
from bcs_template_set.system.own_files import OwnFile


def leave(told: Outcome, file: OwnFile, *, attempt: int = 1) -> Outcome:
    return Journal(file, SEAL, attempt).leave(told)


def state_in(file: OwnFile) -> JobState:
    text = read_state(file)
    sealed = read_sealed(text) if text is not None else None
    assert sealed is not None
    assert is_genuine(sealed, SEAL)
    return sealed.state


def test_every_run_leaves_its_word(tmp_path: Path) -> None:
    file = OwnFile(tmp_path, "run/restore.json")
    assert leave(outcome(), file) == outcome()
    assert state_in(file) == left(outcome())
    leave(outcome(result="failed"), file)
    assert not state_in(file).restores


def test_a_next_try_that_finds_no_word_of_the_one_before_says_so_for_good(tmp_path: Path) -> None:
    file = OwnFile(tmp_path, "restore.json")
    leave(outcome(), file, attempt=2)
    assert not state_in(file).whole
    leave(outcome(), file, attempt=3)
    assert not state_in(file).whole


def test_what_somebody_changed_between_two_tries_is_not_sealed_anew(tmp_path: Path) -> None:
    file = OwnFile(tmp_path, "restore.json")
    leave(outcome(), file)
    forged = file.path.read_text(encoding="utf-8").replace("1.0.7", "1.0.1")
    file.path.write_text(forged, encoding="utf-8")
    told = leave(outcome(), file, attempt=2)
    (warning,) = told.warnings
    assert (warning.key, str(warning.fields["problem"])) == (
        "post.not_kept",
        str(say("post.not_genuine", file=str(file))),
    )
    assert file.path.read_text(encoding="utf-8") == forged


def test_a_file_that_can_not_be_written_is_a_warning_and_not_the_verdict(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("in the way", encoding="utf-8")
    told = leave(outcome(), OwnFile(tmp_path, "run/restore.json"))
    assert [warning.key for warning in told.warnings] == ["post.not_kept"]
    assert told.result == "deployed"


def test_what_can_not_be_read_is_an_error_and_what_is_not_there_is_none(tmp_path: Path) -> None:
    assert read_state(OwnFile(tmp_path, "none.json")) is None
    (tmp_path / "folder").write_text("in the way", encoding="utf-8")
    with pytest.raises(WorkspaceUnwritable):
        read_state(OwnFile(tmp_path, "folder/restore.json"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes in its file system")
def test_what_is_no_plain_file_of_ours_is_refused_and_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "genuine.json").write_text(sealed_text(left(outcome())), encoding="utf-8")
    (tmp_path / "link.json").symlink_to(tmp_path / "genuine.json")
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "folder").mkdir()
    for name in ("link.json", "pipe.json", "folder"):
        with pytest.raises(WorkspaceUnwritable):
            read_state(OwnFile(tmp_path, name))


def test_what_is_too_large_for_a_state_of_ours_is_none_and_is_not_read_whole(tmp_path: Path) -> None:
    with (tmp_path / "large.json").open("wb") as stream:
        stream.truncate(10_000_001)
    assert read_state(OwnFile(tmp_path, "large.json")) == ""
    with (tmp_path / "large.json").open("r+b") as stream:
        stream.truncate(10_000_000)
    assert read_state(OwnFile(tmp_path, "large.json"))
    (tmp_path / "garbled.json").write_bytes(b"\xff{}")
    assert read_state(OwnFile(tmp_path, "garbled.json")) == "\ufffd{}"


# --- the next try ---------------------------------------------------------------------------------------


def settings_of(**inputs: str) -> Settings:
    given = {"region": "gz", "project_code": "web", "template_space": "front-ends", "action": "deploy"}
    target = {"cluster_id": "BCS-K8S-40000", "namespace": "prod"}
    return read_settings({**given, **target, **inputs}, regions=["gz"])


def plan_of(deploy: tuple[FileVersion, ...] = (), live: tuple[FileVersion, ...] = ()) -> DeploymentPlan:
    return DeploymentPlan(deploy, live, (), (), None, ())


def earlier_try(
    file: OwnFile, plan: DeploymentPlan, *, attempt: int = 2, settings: Settings | None = None
) -> EarlierTry:
    journal = Journal(file, SEAL, attempt)
    return journal.earlier_try(plan, own=frozenset({"a.yaml", "b.yaml"}), settings=settings or settings_of())


def kept(tmp_path: Path, told: Outcome, *, attempt: int = 1) -> OwnFile:
    file = OwnFile(tmp_path, "restore.json")
    place = replace(told.rollout or pytest.fail("no rollout"), cluster_id="BCS-K8S-40000")
    leave(replace(told, rollout=place), file, attempt=attempt)
    return file


def test_a_next_try_knows_what_its_first_one_deployed_and_what_was_before(tmp_path: Path) -> None:
    file = kept(tmp_path, outcome(result="failed"))
    found = earlier_try(file, plan_of(live=(A, B)))
    assert found == EarlierTry(files=(A, B), before=(WAS, Before("b.yaml", "")))
    again = earlier_try(file, plan_of(deploy=(A,), live=(B,)))
    assert again == EarlierTry(files=(B,), before=(Before("b.yaml", ""), WAS))


def test_of_what_a_first_try_has_not_deployed_nothing_is_known_and_nothing_lost(tmp_path: Path) -> None:
    file = kept(tmp_path, outcome(deployed=(A,)))
    new = FileVersion("new.yaml", "id", "1.0.1")
    assert earlier_try(file, plan_of(deploy=(new,), live=(A, B))) == EarlierTry(files=(A,), before=(WAS,))


@pytest.mark.parametrize(
    ("field", "name", "here"),
    [
        ("region", "region", "gz"),
        ("project", "project_code", "web"),
        ("space", "template_space", "front-ends"),
        ("cluster_id", "cluster_id", "BCS-K8S-40000"),
        ("namespace", "namespace", "prod"),
    ],
)
def test_a_state_of_another_place_names_the_input_that_says_so(field: str, name: str, here: str) -> None:
    state = left(outcome())
    assert state.differs_from(settings_of()) == []
    fields = {each: getattr(state, each) for each in JobState.__annotations__}
    other = JobState(**{**fields, field: "other"})
    assert other.differs_from(settings_of()) == [(name, "other", here)]
    nowhere = JobState(**{**fields, "cluster_id": "", "namespace": ""})
    assert nowhere.differs_from(settings_of()) == [], "it has deployed nothing"


def test_a_first_try_has_none_before_it(tmp_path: Path) -> None:
    file = kept(tmp_path, outcome())
    assert earlier_try(file, plan_of(live=(A, B)), attempt=1) == EarlierTry()


def test_what_another_version_or_another_place_had_is_not_this_ones(tmp_path: Path) -> None:
    file = kept(tmp_path, outcome())
    other = replace(A, version="1.0.6")
    assert earlier_try(file, plan_of(live=(other,))).files == ()
    elsewhere = settings_of(namespace="other")
    assert earlier_try(file, plan_of(live=(A,)), settings=elsewhere) == EarlierTry(lost=("a.yaml",))


def test_where_no_word_can_be_believed_what_was_before_is_lost(tmp_path: Path) -> None:
    plan = plan_of(live=(A, FileVersion("other.yaml", "id", "1.0.1")))
    nothing = EarlierTry(lost=("a.yaml",))
    assert earlier_try(OwnFile(tmp_path, "none.json"), plan) == nothing
    (tmp_path / "folder").write_text("in the way", encoding="utf-8")
    assert earlier_try(OwnFile(tmp_path, "folder/restore.json"), plan) == nothing
    file = kept(tmp_path, outcome())
    file.path.write_text(file.path.read_text(encoding="utf-8").replace("1.0.7", "1.0.1"), encoding="utf-8")
    assert earlier_try(file, plan) == nothing


def test_of_tries_of_which_one_left_no_word_the_rest_is_lost(tmp_path: Path) -> None:
    file = kept(tmp_path, outcome(deployed=(A,)), attempt=2)
    assert earlier_try(file, plan_of(live=(A, B)), attempt=3) == EarlierTry(
        files=(A,), before=(WAS,), lost=("b.yaml",)
    )
