"""What the post action believes, what it puts back at the end of a job that failed, and what it says."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Optional, cast

import pytest
import yaml
from tests.support.phases import (
    CLUSTER,
    NAMESPACE,
    Answer,
    Namespace,
    StandInAgent,
    rows,
    run_of,
    services_of,
)
from tests.support.pieces import SECRET, URL, FakeClock, FakeSender, ok
from tests.support.planned import OURS
from tests.support.planned import SPACE as SPACE_ROW

from bcs_template_set.agent.build_info import BuildInfo, BuildRow, TaskInfo
from bcs_template_set.agent.output_file import string_field
from bcs_template_set.bcs.calls import Call, JsonValue
from bcs_template_set.bcs.gateway import Gateway, KeptSender
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import ActedAsAnother, InputsInvalid, StateUntrusted
from bcs_template_set.messages.secret import Secret
from bcs_template_set.messages.server_errors import GatewayFailed, NotRestored
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.run.journal import DeployedFile, JobState, Seal, encode_state, read_sealed, read_state
from bcs_template_set.run.restore_phase import PostResult, _put_back, restore_after_job
from bcs_template_set.system.own_files import OwnFile

BUILD = BuildInfo(
    "record", starter="wangwu", modifier="lisi", pipeline_id="p-1", build_number=7, branch="main"
)
TASK = TaskInfo(project="web", build_id="b-7", task_id="e-9", attempt=2)
SEAL = Seal(("web", "b-7", "p-1", "e-1"), "lisi", Secret(SECRET))
DOWN = GatewayFailed(url="u", status=502, message="m")
NOTHING = say("post.nothing")


def deployed(name: str, *, before: str = "1") -> DeployedFile:
    """Return a file that the step has deployed at version 2."""
    return DeployedFile(name, f"{name}@2", "2", before, False, was_ready=True)


def state_of(*names: str, restores: bool = True, whole: bool = True, attempt: int = 2) -> JobState:
    """Return what the step has left of these files."""
    files = tuple(map(deployed, names or ("a.yaml",)))
    place = ("gz", "web", "front-ends", CLUSTER, NAMESPACE)
    return JobState(3, *place, "lisi", restores, whole, attempt, files)


# --- what is believed -----------------------------------------------------------------------------------


def asked(
    tmp_path: Path, text: Optional[str], *, sender: Optional[FakeSender] = None, **inputs: str
) -> tuple[PostResult, str]:
    """Let the post action find this text, and return what it came to, and its log."""
    if text is not None:
        (tmp_path / "restore.json").write_text(text)
    regions = yaml.safe_dump({"gz": {"gateway": URL, "app_code": "my_app", "app_secret": SECRET}})
    given = {
        "action": "deploy",
        "template_space": "front-ends",
        "cluster_id": CLUSTER,
        "namespace": NAMESPACE,
        "run_as": "modifier",
        **inputs,
    }
    agent = StandInAgent(given, regions, TASK, BUILD, BuildRow(started_by="wangwu", modifier="lisi"))
    printed = io.StringIO()
    services = services_of(agent, printed, clock=FakeClock())
    services = replace(services, sender=cast("KeptSender", sender or FakeSender()))
    result = restore_after_job(services, file=OwnFile(tmp_path, "restore.json"), task="e-1")
    return result, printed.getvalue()


def test_without_a_word_of_a_step_that_deploys_nothing_there_is_nothing_to_restore(tmp_path: Path) -> None:
    result, log = asked(tmp_path, None, action="publish")
    assert result == (NOTHING, {})
    assert log.splitlines()[-1] == f"##[info]{NOTHING}"


def test_a_step_that_failed_by_itself_has_decided(tmp_path: Path) -> None:
    for attempt in (2, 3):
        failed = encode_state(state_of(restores=False, attempt=attempt), SEAL)
        assert asked(tmp_path, failed)[0] == (NOTHING, {})


@pytest.mark.parametrize(
    ("text", "error", "key"),
    [
        ("{", StateUntrusted, "post.unreadable"),
        (
            encode_state(state_of(), replace(SEAL, secret=Secret("another"))),
            StateUntrusted,
            "post.not_genuine",
        ),
    ],
)
def test_what_the_step_has_not_written_is_not_believed(
    tmp_path: Path, text: str, error: type[StepError], key: str
) -> None:
    with pytest.raises(error) as raised:
        asked(tmp_path, text)
    file = str(OwnFile(tmp_path, "restore.json"))
    assert raised.value.fields == {"file": file, "problem": say(key, file=file)}


def test_what_another_user_deployed_is_not_taken_back(tmp_path: Path) -> None:
    theirs = state_of().replaced(acting_user="zhaoliu")
    with pytest.raises(ActedAsAnother) as raised:
        asked(tmp_path, encode_state(theirs, SEAL))
    assert raised.value.fields == {"was": "zhaoliu", "now": "lisi"}


def test_inputs_have_to_name_the_place_that_the_step_has_deployed_to(tmp_path: Path) -> None:
    left = encode_state(state_of(), SEAL)
    with pytest.raises(InputsInvalid) as raised:
        asked(tmp_path, left, action="publish", cluster_id="", namespace="")
    assert [*raised.value.details] == [
        say("post.elsewhere", name="cluster_id", was=CLUSTER, now='""'),
        say("post.elsewhere", name="namespace", was=NAMESPACE, now='""'),
    ]


def test_what_goes_wrong_at_the_gateway_says_who_and_where(tmp_path: Path) -> None:
    for text in (
        None,
        encode_state(state_of(), SEAL),
        encode_state(state_of(restores=False, attempt=1), SEAL),
    ):
        with pytest.raises(StepError) as raised:
            asked(tmp_path, text, sender=FakeSender(ok([])))
        told = raised.value.context
        assert (told["acting_user"], told["app"]) == ("lisi", "my_app")
        assert (told["region"], told["project"]) == ("gz", "web")


# --- what is put back -----------------------------------------------------------------------------------


class Put:
    """A post action that has found a state; version 2 of these files is live, of build 7."""

    def __init__(
        self,
        tmp_path: Path,
        state: Optional[JobState],
        *names: str,
        answers: Mapping[str, Answer] = MappingProxyType({}),
        **inputs: str,
    ) -> None:
        self.state, self.file = state, OwnFile(tmp_path, "restore.json")
        self.names = names or ("a.yaml",)
        versions = [f"{name}@{version}" for name in self.names for version in "12"]
        self.namespace = Namespace(versions, dict.fromkeys(self.names, "2"))
        spaces: JsonValue = [{"id": SPACE_ROW.id, "name": SPACE_ROW.name, "fav": False, "tags": []}]
        self.namespace.answers.update(
            {
                "get project": {"projectID": "a" * 32, "projectCode": "web"},
                "get version": self.version,
                "list spaces": spaces,
                "list files": [*rows(*((name, f"{name}@2") for name in self.names))],
                "ask dialect": None,
                **answers,
            }
        )
        self.phases = run_of(build=BUILD, inputs=inputs)

    def version(self, call: Call[object]) -> JsonValue:
        """Return a version of build 7."""
        found = self.namespace.version(call.segments[-1])
        return {**found, "description": replace(OURS, build=7).line(str(found["content"]))}

    def go(self) -> PostResult:
        """Put back what there is."""
        gateway = cast("Gateway", self.namespace)
        return _put_back(self.phases.run.context, self.state, gateway, file=self.file, seal=SEAL)

    def refused(self) -> StepError:
        """Return why nothing, or not all, is put back."""
        with pytest.raises(StepError) as raised:
            self.go()
        return raised.value


def test_what_the_step_deployed_goes_back_and_is_said_and_noted(tmp_path: Path) -> None:
    put = Put(tmp_path, state_of())
    sentence, outputs = put.go()
    assert put.namespace.deployed == [["a.yaml@1"]]
    assert sentence == say("report.back_at", version="1", names=["a.yaml"])
    assert outputs == {"result": string_field("restored"), "acting_user": string_field("lisi")}
    lines = put.phases.log.splitlines()
    assert lines[:2] == [
        f"##[info]{say('post.restoring', count=1, user='lisi')}",
        f"##[group]{say('deploy.group', cluster=CLUSTER, namespace=NAMESPACE)}",
    ]
    assert lines[-2:] == ["##[endgroup]", f"##[warning]{sentence}"]
    assert "list files metadatas" not in put.namespace.calls, "nobody looks for what else is of this build"
    text = read_state(put.file)
    assert text is not None
    done = read_sealed(text)
    assert done is not None
    assert (done.state.restores, done.state.files) == (False, ())


def test_where_nothing_could_go_back_the_result_says_so(tmp_path: Path) -> None:
    first = state_of().replaced(files=(deployed("a.yaml", before=""),))
    sentence, outputs = Put(tmp_path, first).go()
    assert outputs["result"] == string_field("skipped")
    assert (sentence.key, str(say("deploy.restore_left", names=["a.yaml"])) in str(sentence)) == (
        "post.done",
        True,
    )


def test_what_is_not_back_or_not_seen_ready_is_a_failure(tmp_path: Path) -> None:
    web = "web.deployment.yaml"
    unwaited = Put(tmp_path, state_of(web), web, timeout="0").refused()
    assert isinstance(unwaited, NotRestored)
    assert unwaited.fields["problem"] == say("report.not_waited")
    blind = Put(tmp_path, state_of(), answers={"preview": DOWN}).refused()
    assert (type(blind), blind.fields["problem"]) == (NotRestored, DOWN.sentence())
    unseen = [say(f"deploy.restore_{key}", names=["a.yaml"]) for key in ("not_back", "unseen")]
    assert [*blind.details] == unseen, "why it failed is the problem, and is not said twice"
    gone = Put(tmp_path, state_of())
    gone.namespace.versions.discard("a.yaml@1")
    error = gone.refused()
    assert error.fields["problem"] == say("post.not_all", names=["a.yaml"])
    assert gone.phases.log.splitlines()[-1] == "##[endgroup]"


def test_without_a_word_of_the_step_the_cluster_is_asked(tmp_path: Path) -> None:
    live = Put(tmp_path, None)
    error, file = live.refused(), str(live.file)
    assert isinstance(error, StateUntrusted)
    assert error.fields["problem"] == say("post.missing", file=file, names=["a.yaml"])
    elsewhere = Put(tmp_path, None)
    elsewhere.namespace.live.clear()
    elsewhere.namespace.live["a.yaml"] = "1"
    assert elsewhere.go() == (NOTHING, {})


def test_what_an_earlier_try_has_deployed_and_nobody_noted_is_a_failure(tmp_path: Path) -> None:
    for left in (state_of("a.yaml", whole=False), state_of("a.yaml", restores=False)):
        put = Put(tmp_path, left, "a.yaml", "b.yaml")
        error = put.refused()
        assert isinstance(error, StateUntrusted)
        assert error.fields["problem"] == say("post.not_whole", file=str(put.file), names=["b.yaml"])
        assert put.namespace.deployed == []
    alone = Put(tmp_path, state_of(whole=False))
    alone.go()
    assert alone.namespace.deployed == [["a.yaml@1"]]
    for known in (state_of(restores=False), state_of().replaced(files=())):
        assert Put(tmp_path, known).go() == (NOTHING, {}), "the last try has decided"
