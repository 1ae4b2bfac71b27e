"""The agent through its own files and the build API."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.atom_sdk.stand_ins import (
    CANARY,
    SDK_JSON,
    FakeClock,
    FakeSender,
    Reply,
    agent_directory,
    answer,
)

from bcs_template_set.atom_sdk.agent import OwnAgent, open_agent
from bcs_template_set.atom_sdk.masking import Masker
from bcs_template_set.atom_sdk.output import pessimistic, success
from bcs_template_set.errors import InputUnreadable, PlatformSdkUnusable, SdkFileUnreadable


def own_agent(environ: dict[str, str], *replies: Reply) -> tuple[OwnAgent, FakeSender, Masker]:
    sender, masker = FakeSender(replies), Masker()
    agent = OwnAgent(environ, clock=FakeClock(), sender=lambda: sender, masker=masker)
    return agent, sender, masker


def test_the_steps_own_agent_is_used_unless_a_module_is_named(tmp_path: Path) -> None:
    environ = agent_directory(tmp_path)
    for given in ({}, {"BCS_TEMPLATE_SET_SDK": ""}, {"BCS_TEMPLATE_SET_SDK": " "}):
        assert isinstance(open_agent({**environ, **given}, clock=FakeClock()), OwnAgent)
    platform = open_agent({**environ, "BCS_TEMPLATE_SET_SDK": "python_atom_sdk"}, clock=FakeClock())
    assert type(platform).__name__ == "PlatformAgent"


@pytest.mark.parametrize("name", ["../sdk", "a.b-c", "a..b", ".a", "a b", "class", "a.import", "1a", "os;x"])
def test_a_name_that_no_module_can_have_is_refused(tmp_path: Path, name: str) -> None:
    environ = {**agent_directory(tmp_path), "BCS_TEMPLATE_SET_SDK": name}
    agent = open_agent(environ, clock=FakeClock())
    with pytest.raises(PlatformSdkUnusable) as caught:
        agent.inputs()
    assert f"{name}, asked for by BCS_TEMPLATE_SET_SDK" in str(caught.value)
    assert "no name of a Python module" in str(caught.value)
    agent.write_output(success("the result is written all the same", {}))
    assert "all the same" in (tmp_path / "output.json").read_text()


def test_opening_the_agent_reads_nothing(tmp_path: Path) -> None:
    agent = open_agent({"bk_data_dir": str(tmp_path)}, clock=FakeClock())
    with pytest.raises(InputUnreadable):
        agent.inputs()
    with pytest.raises(SdkFileUnreadable):
        _ = agent.identity


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
    environ = agent_directory(tmp_path, inputs={"BK_CI_ATOM_CODE": "bcsTemplateSet"})
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
    environ = agent_directory(tmp_path, inputs={"BK_CI_ATOM_CODE": "atom"}, sdk=sdk)
    agent = open_agent(environ, clock=FakeClock())
    with pytest.raises(Exception, match=r"build API .* no connection"):
        agent.private_setting("regions")


def test_all_that_comes_from_the_build_api_comes_through_one_sender(tmp_path: Path) -> None:
    listed = answer({"status": 0, "data": [{"fieldName": "regions", "fieldValue": CANARY}]})
    sender = FakeSender([listed, answer({"status": 0, "data": {"access_token": CANARY}})])
    opened: list[FakeSender] = []

    def open_sender() -> FakeSender:
        opened.append(sender)
        return sender

    environ = agent_directory(tmp_path, inputs={"BK_CI_ATOM_CODE": "bcsTemplateSet"})
    agent = OwnAgent(environ, clock=FakeClock(), sender=open_sender, masker=Masker())
    agent.private_setting("regions")
    agent.credential("bcs")
    assert (len(opened), sender.replies) == (1, [])
