"""The agent through its own files and the build API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.support.stand_ins import CANARY, SDK_JSON, FakeClock, FakeSender, Reply, agent_directory, answer

from bcs_template_set.agent.build_info import BuildRow
from bcs_template_set.agent.masker import Masker
from bcs_template_set.agent.open_agent import OwnAgent, open_agent
from bcs_template_set.agent.output_file import pessimistic, success
from bcs_template_set.messages import Text
from bcs_template_set.messages.errors import (
    InputUnreadable,
    PlatformSdkUnusable,
    RecordRefused,
    SdkFileUnreadable,
)
from bcs_template_set.messages.server_errors import BuildApiFailed


def own_agent(environ: dict[str, str], *replies: Reply) -> tuple[OwnAgent, FakeSender, Masker]:
    sender, masker = FakeSender(replies), Masker()
    agent = OwnAgent(environ, clock=FakeClock(), sender=lambda _: sender, masker=masker)
    return agent, sender, masker


def test_the_steps_own_agent_is_used_unless_a_module_is_named(tmp_path: Path) -> None:
    environ = agent_directory(tmp_path)
    for given in ({}, {"BCS_TEMPLATE_SET_SDK": ""}, {"BCS_TEMPLATE_SET_SDK": " "}):
        assert isinstance(open_agent({**environ, **given}, clock=FakeClock()), OwnAgent)
    platform = open_agent({**environ, "BCS_TEMPLATE_SET_SDK": "python_atom_sdk"}, clock=FakeClock())
    assert type(platform).__name__ == "PlatformAgent"


@pytest.mark.parametrize("name", ["os", "../sdk", "python_atom_sdk.x", "Python_Atom_SDK", "a b", "os;x"])
def test_no_module_but_the_platforms_sdk_is_imported(tmp_path: Path, name: str) -> None:
    environ = {**agent_directory(tmp_path), "BCS_TEMPLATE_SET_SDK": name}
    agent = open_agent(environ, clock=FakeClock())
    with pytest.raises(PlatformSdkUnusable) as caught:
        agent.inputs()
    assert f"{name}, asked for by BCS_TEMPLATE_SET_SDK" in str(caught.value)
    assert "python_atom_sdk" in str(caught.value)
    agent.write_output(success("the result is written all the same", {}))
    assert "all the same" in (tmp_path / "output.json").read_text()


def test_opening_the_agent_reads_nothing(tmp_path: Path) -> None:
    agent = open_agent({"bk_data_dir": str(tmp_path)}, clock=FakeClock())
    with pytest.raises(InputUnreadable):
        agent.inputs()
    environ = agent_directory(tmp_path)
    (tmp_path / ".sdk.json").unlink()
    with pytest.raises(SdkFileUnreadable):
        open_agent(environ, clock=FakeClock()).task()


def test_an_sdk_that_the_pipeline_asks_for_is_not_used_and_that_is_said(tmp_path: Path) -> None:
    said: list[Text] = []
    environ = agent_directory(tmp_path, inputs={"BCS_TEMPLATE_SET_SDK": "python_atom_sdk"})
    environ["BCS_TEMPLATE_SET_SDK"] = "python_atom_sdk"
    assert type(open_agent(environ, clock=FakeClock(), warn=said.append)) is OwnAgent
    assert "BCS_TEMPLATE_SET_SDK is not obeyed" in said[0].render("en_US")


def test_inputs_are_read_once(tmp_path: Path) -> None:
    agent, _, _ = own_agent(agent_directory(tmp_path, inputs={"action": "plan"}))
    assert agent.inputs() == {"action": "plan"}
    (tmp_path / "input.json").unlink()
    assert agent.inputs() == {"action": "plan"}


def test_private_settings_come_from_the_input_file_where_they_are_in_it(tmp_path: Path) -> None:
    environ = agent_directory(tmp_path, inputs={"bkSensitiveConfInfo": {"regions": CANARY}})
    agent, sender, _ = own_agent(environ)
    assert agent.private_setting("regions").reveal() == CANARY
    assert agent.private_setting("other").reveal() == ""
    assert sender.requests == []


def test_private_settings_come_from_the_build_api_where_the_file_has_none(tmp_path: Path) -> None:
    listed = answer({"status": 0, "data": [{"fieldName": "regions", "fieldValue": CANARY}]})
    environ = {**agent_directory(tmp_path), "BK_CI_ATOM_CODE": "bcsTemplateSet"}
    agent, sender, _ = own_agent(environ, listed)
    assert agent.private_setting("regions").reveal() == CANARY
    assert agent.private_setting("regions").reveal() == CANARY
    assert [request.url.rpartition("/")[2] for request in sender.requests] == ["bcsTemplateSet"]


def test_every_secret_that_the_agent_reads_is_masked_from_then_on(tmp_path: Path) -> None:
    given = answer({"status": 0, "data": {"appId": "lisi_app", "secretKey": CANARY}})
    agent, _, masker = own_agent(agent_directory(tmp_path), given)
    agent.credential("bcs")
    agent_secret = str(SDK_JSON["secretKey"])
    assert masker.mask(f"{CANARY} {agent_secret} lisi_app") == "*** *** lisi_app"


def test_a_secret_that_came_into_the_result_is_masked_there(tmp_path: Path) -> None:
    given = answer({"status": 0, "data": {"access_token": CANARY}})
    agent, _, _ = own_agent(agent_directory(tmp_path), given)
    agent.credential("bcs")
    agent.write_output(success(f"the server said {CANARY}", {}))
    assert CANARY not in (tmp_path / "output.json").read_text()


def test_the_result_is_written_where_the_worker_looks_for_it(tmp_path: Path) -> None:
    agent, _, _ = own_agent(agent_directory(tmp_path))
    agent.write_output(pessimistic("en_US"))
    agent.write_output(success("done", {}))
    assert json.loads((tmp_path / "output.json").read_text())["message"] == "done"


def test_the_build_api_is_reached_over_http_unless_a_sender_is_given(tmp_path: Path) -> None:
    sdk = {**SDK_JSON, "gateway": "127.0.0.1:1"}
    environ = {**agent_directory(tmp_path, sdk=sdk), "BK_CI_ATOM_CODE": "atom"}
    agent = open_agent(environ, clock=FakeClock())
    with pytest.raises(Exception, match=r"build API .* no connection"):
        agent.private_setting("regions")


def test_all_that_comes_from_the_build_api_comes_through_one_sender(tmp_path: Path) -> None:
    listed = answer({"status": 0, "data": [{"fieldName": "regions", "fieldValue": CANARY}]})
    sender = FakeSender([listed, answer({"status": 0, "data": {"access_token": CANARY}})])
    opened: list[Mapping[str, str]] = []

    def open_sender(machine: Mapping[str, str]) -> FakeSender:
        opened.append(machine)
        return sender

    environ = {**agent_directory(tmp_path), "BK_CI_ATOM_CODE": "bcsTemplateSet"}
    agent = OwnAgent(environ, clock=FakeClock(), sender=open_sender, masker=Masker())
    agent.private_setting("regions")
    agent.credential("bcs")
    assert (len(opened), sender.replies) == (1, [])


def stored(**variables: object) -> Reply:
    return answer({"status": 0, "data": variables})


def test_the_build_is_what_its_stored_variables_say_and_they_are_asked_for_once(tmp_path: Path) -> None:
    agent, sender, _ = own_agent(agent_directory(tmp_path), stored(BK_CI_AUTHORIZER="lisi"))
    assert agent.build(recorded=True).authorizer == "lisi"
    assert agent.build(recorded=True).source == "record"
    assert [request.url for request in sender.requests] == [
        "http://ci.example.com/process/api/build/variable/getBuildVariable"
    ]


def test_where_no_record_can_be_had_the_environment_stands_in(tmp_path: Path) -> None:
    agent, sender, _ = own_agent({**agent_directory(tmp_path), "BK_CI_AUTHORIZER": "lisi"})
    assert agent.build(recorded=False).authorizer == "lisi"
    assert agent.build(recorded=False).source == "environment"
    assert sender.requests == []


def test_a_record_that_may_not_be_read_is_refused_in_bk_cis_words(tmp_path: Path) -> None:
    refusal = answer({"status": 2101008, "message": "no permission to execute"}, status=403)
    agent, _, _ = own_agent(agent_directory(tmp_path), refusal)
    with pytest.raises(RecordRefused, match=r"no permission to execute \(status 2101008"):
        agent.build(recorded=True)


def test_a_record_of_another_shape_is_no_record(tmp_path: Path) -> None:
    agent, _, _ = own_agent(agent_directory(tmp_path), answer({"status": 0, "data": ["BK_CI_AUTHORIZER"]}))
    with pytest.raises(BuildApiFailed, match="data"):
        agent.build(recorded=True)


def detail(**fields: object) -> Reply:
    row: dict[str, object] = {
        "id": "b-1",
        "pipelineId": "p-1",
        "userId": "lisi",
        "triggerUser": "boss",
        "lastModifyUser": "zhangsan",
    }
    row.update(fields)
    return answer({"status": 0, "data": row})


def test_who_started_the_build_is_whom_bk_ci_authenticated(tmp_path: Path) -> None:
    record = stored(BK_CI_PIPELINE_ID="p-1")
    agent, sender, _ = own_agent(agent_directory(tmp_path), record, detail())
    assert agent.build_row(agent.build(recorded=True)) == BuildRow("lisi", "zhangsan")
    assert sender.requests[1].url.endswith("/process/api/build/builds/demo/p-1/b-1/detail")


@pytest.mark.parametrize(("user", "known"), [(None, ""), (7, ""), (" ", "")])
def test_a_row_that_names_nobody_names_nobody(tmp_path: Path, user: object, known: str) -> None:
    record = stored(BK_CI_PIPELINE_ID="p-1")
    agent, _, _ = own_agent(agent_directory(tmp_path), record, detail(userId=user))
    assert agent.build_row(agent.build(recorded=True)).started_by == known


@pytest.mark.parametrize("fields", [{"id": "b-2"}, {"pipelineId": "p-2"}])
def test_the_row_of_another_build_is_none(tmp_path: Path, fields: dict[str, object]) -> None:
    record = stored(BK_CI_PIPELINE_ID="p-1")
    agent, _, _ = own_agent(agent_directory(tmp_path), record, detail(**fields))
    with pytest.raises(BuildApiFailed, match=r"lacks what was promised at data\.id"):
        agent.build_row(agent.build(recorded=True))


def test_the_pipelines_names_are_those_of_the_file_and_of_the_record(tmp_path: Path) -> None:
    agent, _, _ = own_agent(agent_directory(tmp_path, inputs={"action": "plan"}), stored(later="x", odd=7))
    assert agent.names_of_pipeline() == {"action"}
    agent.build(recorded=True)
    assert agent.names_of_pipeline() == {"action", "later"}


def test_the_build_api_is_asked_with_nothing_that_the_pipeline_has_set(tmp_path: Path) -> None:
    given: list[Mapping[str, str]] = []

    def open_sender(machine: Mapping[str, str]) -> FakeSender:
        given.append(machine)
        return FakeSender([stored()])

    environ = agent_directory(tmp_path, inputs={"HTTP_PROXY": "x", "SSL_CERT_FILE": "x"})
    environ = {**environ, "HTTP_PROXY": "x", "SSL_CERT_FILE": "x", "SSL_CERT_DIR": "/machine"}
    agent = OwnAgent(environ, clock=FakeClock(), sender=open_sender, masker=Masker())
    agent.build(recorded=True)
    assert {name for name in given[0] if not name.startswith("bk_")} == {"SSL_CERT_DIR"}
