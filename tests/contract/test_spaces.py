"""Template spaces."""

from __future__ import annotations

import pytest

from tests.emulator import Emulator
from tests.support.plain_client import V1, PlainClient, quoted

SPACES = f"{V1}/web/template/spaces"


def names(client: PlainClient, pattern: str = "") -> list[object]:
    query = f"?name={quoted(pattern)}" if pattern else ""
    return [space["name"] for space in client.get(SPACES + query).items]


def test_a_created_space_is_listed_and_got_by_its_id(lisi: PlainClient) -> None:
    created = lisi.post(
        SPACES, {"name": "shop", "description": "<b> <p-1> <!-- c -->a < b", "tags": ["a"]}
    ).item
    assert len(str(created["id"])) == 24
    shown = {
        "id": created["id"],
        "name": "shop",
        "projectCode": "web",
        "description": "<b> &lt;p-1&gt; a < b",
        "fav": False,
        "tags": ["a"],
    }
    assert lisi.get(SPACES).items == [shown]
    assert lisi.get(f"{SPACES}/{created['id']}").item == shown


def test_the_name_filter_is_an_unanchored_regular_expression(emulator: Emulator, lisi: PlainClient) -> None:
    for name in ("web", "web-admin", "a.b", "axb"):
        emulator.state.add_space(name)
    assert names(lisi, "web") == ["web", "web-admin"]
    assert names(lisi, "a.b") == ["a.b", "axb"]
    assert names(lisi, r"^a\.b$") == ["a.b"]
    assert lisi.get(f"{SPACES}?name=(").code == 1


def test_a_taken_name_is_code_7(lisi: PlainClient) -> None:
    assert lisi.post(SPACES, {"name": "shop"}).code == 0
    assert lisi.post(SPACES, {"name": "shop"}).code == 7


def test_trailing_blanks_and_dots_are_cut_off(lisi: PlainClient) -> None:
    assert lisi.post(SPACES, {"name": "shop . ."}).code == 0
    assert names(lisi) == ["shop"]
    assert lisi.post(SPACES, {"name": ". ."}).code == 2


@pytest.mark.parametrize("name", ["", "x" * 65, "a/b", "a:b", "a*b", 'a"b', "a<b", "a|b", "a\\b", "a?b"])
def test_a_name_the_validator_refuses_is_code_1(lisi: PlainClient, name: str) -> None:
    reply = lisi.post(SPACES, {"name": name})
    assert (reply.status, reply.code) == (200, 1)
    assert reply.message.startswith("invalid CreateTemplateSpaceReq.Name: value ")


def test_a_field_of_the_wrong_type_is_http_400_with_code_3(emulator: Emulator, lisi: PlainClient) -> None:
    for raw in (b'{"name": 1}', b'{"name": ["a"]}', b"{", b"[]"):
        reply = lisi.send("POST", SPACES, raw=raw)
        assert (reply.status, reply.code) == (400, 3)
    assert names(lisi) == []
    emulator.exchanges.clear()  # the requests were against the contract on purpose
