"""BK-CI's build API (facts/agent.md)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.emulator import Emulator
from tests.support.plain_client import PlainClient

CREDENTIALS = "/ticket/api/build/credentials"
SETTINGS = "/store/api/build/store/sensitiveConf/types/ATOM/codes"
AGENT = {
    "X-DEVOPS-BUILD-TYPE": "AGENT",
    "X-DEVOPS-PROJECT-ID": "web",
    "X-DEVOPS-AGENT-ID": "agent-1",
    "X-DEVOPS-AGENT-SECRET-KEY": "agent-secret",
    "X-DEVOPS-BUILD-ID": "b-1",
    "X-DEVOPS-VM-SID": "1",
}


@pytest.fixture
def agent(emulator: Emulator) -> Iterator[PlainClient]:
    emulator.state.add_agent(project_id="web")
    with PlainClient(emulator.root, headers=AGENT) as client:
        yield client


def test_a_credential_comes_with_the_keys_of_its_type(emulator: Emulator, agent: PlainClient) -> None:
    emulator.state.add_credential("bcs", {"appId": "lisi_app", "secretKey": "x"})
    reply = agent.get(f"{CREDENTIALS}/bcs/detail").json()
    assert (reply["status"], reply["data"]) == (0, {"appId": "lisi_app", "secretKey": "x"})


def test_an_unknown_credential_has_another_status(agent: PlainClient) -> None:
    reply = agent.get(f"{CREDENTIALS}/nope/detail").json()
    assert reply["status"] != 0
    assert reply["data"] is None


def test_private_settings_are_a_list_of_fields(emulator: Emulator, agent: PlainClient) -> None:
    emulator.state.set_private_setting("bcsTemplateSet", "regions", "gz: {}")
    data = agent.get(f"{SETTINGS}/bcsTemplateSet").json()["data"]
    assert isinstance(data, list)
    assert [(field["fieldName"], field["fieldValue"]) for field in data] == [("regions", "gz: {}")]


@pytest.mark.parametrize("header", sorted(AGENT))
def test_a_build_machine_that_is_not_known_gets_no_json(
    emulator: Emulator, agent: PlainClient, header: str
) -> None:
    reply = agent.get(f"{CREDENTIALS}/bcs/detail", headers={header: "wrong"})
    assert reply.status == 401
    assert not reply.body.startswith(b"{")
    assert emulator.exchanges[-1].operation == ""


def test_bcs_credentials_at_the_build_api_are_found(emulator: Emulator, agent: PlainClient) -> None:
    agent.get(f"{SETTINGS}/bcsTemplateSet", headers={"X-Bkapi-Authorization": "{}"})
    assert "BCS credentials" in emulator.violations[0]
    emulator.forget()
