"""Faults a test orders, latency, and the record of what happened."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time

import pytest

from tests.emulator import Emulator, Fault, Match, State, gateway_fault
from tests.support.plain_client import APP_AS_LISI, V1, PlainClient, authorization, through_gateway

SPACES = f"{V1}/web/template/spaces"
CREATE = Match("POST", "/spaces$")


def create(client: PlainClient, name: str = "shop") -> object:
    return client.post(SPACES, {"name": name}).code


def test_drop_before_handling_changes_nothing(emulator: Emulator, lisi: PlainClient) -> None:
    emulator.faults.add(Fault("drop-before-handling", CREATE))
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        create(lisi)
    assert emulator.state.spaces == []
    lisi.close()
    assert create(lisi) == 0
    dropped, sent = emulator.exchanges
    assert (dropped.status, dropped.handled, dropped.faults) == (0, False, ("drop-before-handling",))
    assert (sent.status, sent.handled, sent.faults) == (200, True, ())


def test_refuse_resets_the_connection(emulator: Emulator, lisi: PlainClient) -> None:
    emulator.faults.add(Fault("refuse", CREATE))
    with pytest.raises(ConnectionError):
        create(lisi)
    assert emulator.state.spaces == []


def test_handle_then_drop_has_happened_all_the_same(emulator: Emulator, lisi: PlainClient) -> None:
    emulator.faults.add(Fault("handle-then-drop", CREATE))
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        create(lisi)
    assert [space.name for space in emulator.state.spaces] == ["shop"]
    assert (emulator.exchanges[0].status, emulator.exchanges[0].answered) == (0, 200)


def test_half_an_answer_ends_in_the_middle(emulator: Emulator, lisi: PlainClient) -> None:
    emulator.faults.add(Fault("half", Match("GET")))
    with pytest.raises(http.client.IncompleteRead):
        lisi.get(SPACES)


def test_any_answer_can_be_ordered_and_hides_the_service(emulator: Emulator, lisi: PlainClient) -> None:
    emulator.faults.add(
        Fault("answer", CREATE, status=502, headers={"Content-Type": "text/html"}, body="<html>")
    )
    reply = lisi.post(SPACES, {"name": "shop"})
    assert (reply.status, reply.headers["Content-Type"], reply.body) == (502, "text/html", b"<html>")
    assert emulator.state.spaces == []


def test_the_gateways_own_errors_can_be_ordered_by_name(emulator: Emulator, lisi: PlainClient) -> None:
    emulator.faults.add(gateway_fault("RATE_LIMIT_RESTRICTION", match=Match(), reset=3))
    reply = lisi.get(SPACES)
    assert (reply.status, reply.headers["X-Bkapi-Error-Code"]) == (429, "1642901")
    assert reply.headers["X-Bkapi-RateLimit-Reset"] == "3"


def test_a_rival_acts_right_before_or_right_after(emulator: Emulator, lisi: PlainClient) -> None:
    def rival(state: State) -> None:
        state.add_space("shop")

    emulator.faults.add(Fault("rival", CREATE, rival=rival))
    assert create(lisi) == 7
    emulator.faults.add(Fault("rival", Match("POST", "/spaces$"), rival=rival, when="after"))
    assert create(lisi, "other") == 0
    assert [space.name for space in emulator.state.spaces] == ["shop", "other", "shop"]


def test_a_fault_strikes_from_the_nth_match_and_as_often_as_ordered(
    emulator: Emulator, lisi: PlainClient
) -> None:
    fault = emulator.faults.add(Fault("answer", Match("GET", nth=2), times=2, status=503, body="{}"))
    statuses = [lisi.get(SPACES).status for _ in range(4)]
    assert statuses == [200, 503, 503, 200]
    assert (fault.seen, fault.struck) == (4, 2)


def test_an_unused_fault_is_named(emulator: Emulator) -> None:
    fault = emulator.faults.add(Fault("refuse", CREATE))
    assert emulator.faults.unused() == [fault]
    assert "unused fault: refuse" in emulator.problems()[0]
    emulator.faults.clear()


def test_a_fault_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="no such kind of fault: explode"):
        Fault("explode")
    with pytest.raises(ValueError, match="rival"):
        Fault("rival")


def test_slow_and_latency_take_their_time(emulator: Emulator, lisi: PlainClient) -> None:
    emulator.latency = 0.05
    emulator.faults.add(Fault("slow", Match(), delay=0.1))
    for least in (0.15, 0.05):
        begun = time.monotonic()
        lisi.get(SPACES)
        assert time.monotonic() - begun >= least


def test_requests_at_once_are_seen_as_such_and_connections_are_kept(emulator: Emulator) -> None:
    emulator.latency = 0.1

    def ask_twice() -> None:
        with through_gateway(emulator) as client:
            client.get(SPACES)
            client.get(SPACES)

    threads = [threading.Thread(target=ask_twice) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(emulator.exchanges) == 8
    assert emulator.most_at_once() == 4
    assert emulator.connections == 4


def test_an_exchange_records_both_sides(emulator: Emulator, lisi: PlainClient) -> None:
    create(lisi)
    (exchange,) = emulator.find(operation="CreateTemplateSpace")
    assert (exchange.method, exchange.path) == ("POST", f"/api/bcs-api-gateway/prod/v4{SPACES}")
    assert exchange.sent_json() == {"name": "shop"}
    assert exchange.header("User-Agent") == "contract-suite"
    assert (exchange.user, exchange.app, exchange.status) == ("lisi", "lisi_app", 200)
    answer = exchange.answer_json()
    assert isinstance(answer, dict)
    assert answer["data"] == {"id": emulator.state.spaces[0].id}
    assert 0 < exchange.started <= exchange.ended
    assert emulator.writes() == [exchange]


def test_stopping_ends_requests_under_way() -> None:
    site = Emulator(latency=60).start()
    failed = threading.Event()

    def ask() -> None:
        with PlainClient(site.url, headers=authorization(**APP_AS_LISI)) as client:
            with contextlib.suppress(OSError, http.client.HTTPException):
                client.get(SPACES)
            failed.set()

    thread = threading.Thread(target=ask)
    thread.start()
    while not site.exchanges:
        failed.wait(0.01)
    site.stop()
    thread.join(5)
    assert failed.is_set()


def test_a_defect_of_the_emulator_is_not_hidden() -> None:
    with Emulator() as site:
        site.state.apps = None  # type: ignore[assignment] # breaks the emulator on purpose
        site.state.secrets = set  # type: ignore[method-assign] # so that only the answer breaks
        with through_gateway(site) as client:
            assert client.get(SPACES).status == 500
        assert "Traceback" in site.problems()[0]


def test_the_door_counts_a_window_and_tells_what_it_has_left(emulator: Emulator, lisi: PlainClient) -> None:
    now = [10.0]
    emulator.door.rate, emulator.door.period, emulator.door.now = 2, 1.4, lambda: now[0]
    told = []
    for moment in (10.0, 10.0, 11.0, 11.5):
        now[0] = moment
        lisi.get(SPACES)
        answered = emulator.exchanges[-1]
        headers = (answered.answer_headers[f"X-Bkapi-RateLimit-{name}"] for name in ("Remaining", "Reset"))
        told.append((answered.status, *headers))
    assert told == [(200, "1", "1"), (200, "0", "1"), (429, "0", "0"), (200, "1", "1")]


@pytest.mark.parametrize(("at_once", "handles"), [(2, 0), (0, 2)])
def test_the_door_refuses_what_is_too_many_at_once_or_lets_it_queue(
    emulator: Emulator, at_once: int, handles: int
) -> None:
    emulator.door.at_once, emulator.door.handles = at_once, handles
    all_came, handled, most = threading.Event(), [0], [0]

    def wait_for_all(_: State) -> None:
        handled[0] += 1
        most[0] = max(most[0], handled[0])
        while not all_came.wait(0.005):
            if emulator.door._inside == 4:
                all_came.set()
        handled[0] -= 1

    emulator.faults.add(Fault("rival", Match("GET", "/spaces$"), times=4, rival=wait_for_all))
    threads = [threading.Thread(target=_get_spaces, args=(emulator,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statuses = sorted(exchange.status for exchange in emulator.exchanges)
    assert statuses == ([200, 200, 429, 429] if at_once else [200] * 4)
    assert most[0] == (handles or 4)


def _get_spaces(emulator: Emulator) -> None:
    with through_gateway(emulator) as client:
        client.get(SPACES)
