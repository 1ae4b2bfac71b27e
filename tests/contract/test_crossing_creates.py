"""Creates check, then insert, with no unique index: two at once both succeed (facts/bcs.md trap 5)."""

from __future__ import annotations

import threading

import pytest

from tests.emulator import Emulator
from tests.support.plain_client import V1, through_gateway

TEMPLATE = f"{V1}/web/template"
FILE = {"name": "shop/b.yaml", "version": "1.0.0", "content": "kind: B"}
VERSION = {"version": "2.0.0", "content": "kind: B"}


def post_twice_at_once(emulator: Emulator, path: str, body: dict[str, str]) -> list[object]:
    codes: list[object] = []

    def post() -> None:
        with through_gateway(emulator) as client:
            codes.append(client.post(path, body).code)

    threads = [threading.Thread(target=post) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return codes


@pytest.mark.parametrize("kind", ["space", "file", "version"])
def test_two_creates_at_once_leave_two_of_one_name(emulator: Emulator, kind: str) -> None:
    file = emulator.state.add_file("shop", "a.yaml", content="kind: A")
    path, body = {
        "space": (f"{TEMPLATE}/spaces", {"name": "new"}),
        "file": (f"{TEMPLATE}/metadatas", FILE),
        "version": (f"{TEMPLATE}/{file.id}/versions", VERSION),
    }[kind]
    emulator.state.cross_creates(2, kind=kind)
    assert post_twice_at_once(emulator, path, body) == [0, 0]
    found = {
        "space": len(emulator.state.find_spaces("new")),
        "file": len(emulator.state.find_files("shop", "b.yaml")),
        "version": len([v for v in emulator.state.find_versions("shop", "a.yaml") if v.version == "2.0.0"]),
    }
    assert found[kind] == 2


def test_one_create_alone_goes_on_when_no_other_comes(emulator: Emulator) -> None:
    emulator.state.cross_creates(2, kind="space", patience=0.05)
    with through_gateway(emulator) as client:
        assert client.post(f"{TEMPLATE}/spaces", {"name": "new"}).code == 0
        assert client.post(f"{TEMPLATE}/spaces", {"name": "new"}).code == 7
