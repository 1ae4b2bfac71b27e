"""Chance: delays between the steps of a creation, faults by rate, servers whose ids are in no order."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time

import pytest

from tests.emulator import Chaos, Emulator, Fault, Match
from tests.emulator.chaos import FAULTS, STAGES
from tests.support.plain_client import V1, PlainClient, through_gateway

SPACES = f"{V1}/web/template/spaces"
TEMPLATE = f"{V1}/web/template"


def create(client: PlainClient, name: str) -> None:
    with contextlib.suppress(OSError, http.client.HTTPException):
        client.post(SPACES, {"name": name})
    client.close()


def test_nothing_is_left_to_chance_unless_ordered(emulator: Emulator, lisi: PlainClient) -> None:
    emulator.unleash(Chaos(1))
    for number in range(20):
        assert lisi.post(SPACES, {"name": f"shop-{number}"}).code == 0
    assert all(exchange.faults == () for exchange in emulator.exchanges)


def test_the_same_seed_draws_the_same() -> None:
    delays, rates = dict.fromkeys(STAGES, 1.0), dict.fromkeys(FAULTS, 0.05)

    def drawn(seed: int) -> list[object]:
        chaos = Chaos(seed, delays=delays, rates=rates, servers=3)
        kinds = [fault.kind if fault is not None else "" for fault in (chaos.fault() for _ in range(50))]
        return [*kinds, chaos.delay("check"), chaos.server_part()]

    assert drawn(7) == drawn(7)
    assert drawn(7) != drawn(8)


def test_what_is_not_there_cannot_be_ordered() -> None:
    with pytest.raises(ValueError, match="no such stage or fault: lunch, meteor"):
        Chaos(1, delays={"lunch": 1.0}, rates={"meteor": 1.0})


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_every_fault_strikes_at_its_rate_and_ends_with_calm(
    emulator: Emulator, lisi: PlainClient, name: str
) -> None:
    chaos = Chaos(1, rates={name: 0.5})
    emulator.unleash(chaos)
    for number in range(20):
        create(lisi, f"shop-{number}")
    emulator.calm()
    struck = [exchange for exchange in emulator.exchanges if exchange.faults]
    assert 3 < len(struck) < 17
    assert chaos.struck == {name: len(struck)}
    create(lisi, "after")
    assert emulator.exchanges[-1].faults == ()


def test_a_late_one_is_answered_before_it_is_handled(emulator: Emulator, lisi: PlainClient) -> None:
    late = Fault("answer-then-handle", Match("POST", "/spaces$"), status=504, body="{}", delay=0.2)
    emulator.faults.add(late)
    assert lisi.post(SPACES, {"name": "shop"}).status == 504
    assert emulator.state.spaces == []
    emulator.wait_for_late()
    assert [space.name for space in emulator.state.spaces] == ["shop"]
    assert (emulator.exchanges[0].status, emulator.exchanges[0].handled) == (504, True)


def test_stopping_drops_what_is_late() -> None:
    with Emulator() as site:
        site.state.add_project("web", viewers={"lisi"})
        site.state.add_app("lisi_app", "lisi-canary", vouches_for={"lisi"})
        site.faults.add(Fault("answer-then-handle", Match(), status=504, body="{}", delay=60))
        with through_gateway(site) as client:
            client.post(SPACES, {"name": "shop"})
        begun = time.monotonic()
    assert time.monotonic() - begun < 5
    assert site.state.spaces == []


@pytest.mark.parametrize(
    ("stage", "inserted", "current"),
    [("check", ["1.0.0"], "1.0.0"), ("stamp", ["1.0.0"], "1.0.0"), ("insert", ["1.0.0", "2.0.0"], "1.0.0")],
)
def test_a_creation_can_be_seen_at_every_step(
    emulator: Emulator, lisi: PlainClient, stage: str, inserted: list[str], current: str
) -> None:
    file = emulator.state.add_file("shop", "a.yaml", content="kind: A")
    arrived, go_on = threading.Event(), threading.Event()

    def hold(_: str) -> None:
        arrived.set()
        go_on.wait(5)

    hook = {"check": "between_check_and_insert", "stamp": "between_stamp_and_insert"}
    setattr(emulator.state, hook.get(stage, "between_insert_and_move"), hold)
    body = {"version": "2.0.0", "content": "kind: B"}
    thread = threading.Thread(target=lambda: lisi.post(f"{TEMPLATE}/{file.id}/versions", body))
    thread.start()
    assert arrived.wait(5)
    with through_gateway(emulator) as other:
        seen = other.get(f"{TEMPLATE}/metadatas/{file.id}").item
    names = [version.version for version in emulator.state.find_versions("shop", "a.yaml")]
    go_on.set()
    thread.join()
    assert (names, seen["version"]) == (inserted, current)
    assert emulator.state.find_file("shop", "a.yaml").version == "2.0.0"


def test_a_file_made_current_by_a_person_meanwhile_is_moved_by_what_was_read_first(
    emulator: Emulator, lisi: PlainClient
) -> None:
    """BCS decides by the file as it was before the insert (pkg/action/templateversion, Create, 2026-07)."""
    file = emulator.state.add_file("shop", "a.yaml", content="kind: A")
    emulator.state.between_insert_and_move = lambda _: emulator.state.pin("shop", "a.yaml", version="1.0.0")
    lisi.post(f"{TEMPLATE}/{file.id}/versions", {"version": "2.0.0", "content": "kind: B"})
    assert emulator.state.find_file("shop", "a.yaml").version == "2.0.0"


def test_the_ids_of_one_second_are_in_no_order_where_several_servers_make_them() -> None:
    with Emulator(now=lambda: 1_767_225_600.0) as site:
        in_order = [site.state.new_id() for _ in range(20)]
        site.unleash(Chaos(1, servers=3))
        scattered = [site.state.new_id() for _ in range(20)]
    assert in_order == sorted(in_order)
    assert scattered != sorted(scattered)
    assert {len(one) for one in in_order + scattered} == {24}
    assert len({one[8:18] for one in scattered}) == 3
