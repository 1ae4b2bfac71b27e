"""Every write whose answer is lost: applied exactly once, or said to be unknown; never sent twice unseen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.emulator.exchanges import Exchange
from tests.emulator.faults import Fault, Match
from tests.emulator.state import State
from tests.support.draws import in_turn
from tests.support.publishing import (
    CREATE_CHART,
    CREATE_FILE,
    CREATE_SPACE,
    CREATE_VERSION,
    SPACE,
    UPDATE_FILE,
    Site,
    config,
    open_site,
    path_name,
)

A1, A2 = config("a", "1"), config("a", "2")
HANDLED = ("handle-then-drop", "half")
LOST = ("refuse", "drop-before-handling", "500", "502", "504")
CREATE_VERSION_AGAIN = Match(CREATE_VERSION.method, CREATE_VERSION.path, nth=2)

WRITES = {
    "space": (CREATE_SPACE, "template/spaces", "GET template/spaces"),
    "file": (CREATE_FILE, "template/metadatas", "GET template/*/metadatas"),
    "version": (CREATE_VERSION, "template/*/versions", "POST template/detail"),
    "pin": (UPDATE_FILE, "template/metadatas/*", "GET template/metadatas/*"),
    "template set": (CREATE_CHART, "templatesets", "GET "),
}
"""Each kind of write: which requests it is, its path, and the request that reads it back."""


@contextmanager
def before(write: str) -> Iterator[Site]:
    """Yield a site whose next run sends this kind of write, once."""
    with open_site(a_yaml=A1) as site:
        if write in ("version", "pin"):
            site.run()
            site.next_build(a_yaml=A2)
        if write == "pin":
            site.emulator.state.pin(SPACE, "a.yaml", version="1.0.7-main")
        yield site


def inputs(write: str) -> dict[str, str]:
    return {"template_set": "web", "version": "1.0.7"} if write == "template set" else {}


def lose(site: Site, kind: str, match: Match, *, times: int = 1) -> None:
    if kind.isdigit():
        html = {"Content-Type": "text/html"}
        fault = Fault("answer", match, times=times, status=int(kind), headers=html, body=b"<html></html>")
    else:
        fault = Fault(kind, match, times=times)
    site.emulator.faults.add(fault)


def calls(exchanges: tuple[Exchange, ...]) -> list[str]:
    return [path_name(exchange) for exchange in exchanges]


def held_once(state: State) -> bool:
    """Tell whether every space, version name and template set is there once."""
    things: list[list[str]] = [
        [space.name for space in state.spaces],
        [file.name for file in state.files],
        [f"{version.file} {version.version}" for version in state.versions],
        [f"{chart.name} {chart.version}" for chart in state.charts],
    ]
    return all(len(thing) == len(set(thing)) for thing in things)


@pytest.mark.parametrize("kind", HANDLED)
@pytest.mark.parametrize("write", WRITES)
def test_a_write_that_was_handled_is_found_and_not_sent_again(write: str, kind: str) -> None:
    match, path, _ = WRITES[write]
    with before(write) as site:
        lose(site, kind, match)
        ran = site.run(**inputs(write))
        assert (ran.outcome.result, ran.output()["changed"]) == ("published", "true")
        assert [call.partition(" ")[2] for call in ran.written].count(path) == 1
        assert held_once(site.emulator.state)
        assert site.contents() == site.files


@pytest.mark.parametrize(("write", "kind"), in_turn(WRITES, LOST))
def test_a_write_that_was_lost_is_sent_again_only_after_reading_back(write: str, kind: str) -> None:
    match, path, read_back = WRITES[write]
    with before(write) as site:
        lose(site, kind, match)
        ran = site.run(**inputs(write))
        assert ran.outcome.result == "published"
        sent = calls(ran.exchanges)
        first, second = (number for number, call in enumerate(sent) if call == f"{match.method} {path}")
        assert [call.startswith(read_back) for call in sent[first + 1 : second]] == [True, True]
        assert held_once(site.emulator.state)
        assert site.contents() == site.files


@pytest.mark.parametrize("look", [Match("POST", "/template/detail", nth=2), CREATE_VERSION_AGAIN])
def test_a_write_that_goes_on_behind_a_gateways_timeout_is_found_later(look: Match) -> None:
    """The gateway gives up, BCS does not: the version lands before the second look, or the second try."""

    def land(state: State) -> None:
        state.add_version(SPACE, "a.yaml", version="1.0.8-main", content=A2, creator="lisi")

    with before("version") as site:
        lose(site, "504", CREATE_VERSION)
        site.rival(land, before=look)
        ran = site.run()
        assert ran.outcome.result == "published"
        assert site.version_names("a.yaml") == ["1.0.7-main", "1.0.8-main"]


@pytest.mark.parametrize(("write", "kind"), in_turn(WRITES, LOST))
def test_a_write_that_stays_lost_is_said_to_be_unknown(write: str, kind: str) -> None:
    match, path, _ = WRITES[write]
    with before(write) as site:
        lose(site, kind, match, times=3)
        ran = site.run(**inputs(write))
        assert (ran.outcome.result, ran.code) == ("failed", 800610)
        assert ran.output()["changed"] == "true"
        assert ("The step does not know whether anything was written" in ran.log) is (
            write not in ("pin", "template set")
        )
        assert [call.partition(" ")[2] for call in ran.written].count(path) == 3
        again = site.run(**inputs(write))
        assert again.outcome.result == "published"
        assert held_once(site.emulator.state)
        assert site.contents() == site.files


@pytest.mark.parametrize("write", WRITES)
def test_a_write_that_can_not_be_read_back_is_not_sent_again(write: str) -> None:
    match, path, _ = WRITES[write]
    with before(write) as site:
        lose(site, "handle-then-drop", match)
        site.emulator.faults.add(
            Fault("rival", match, rival=lambda _: lose(site, "500", Match(), times=4), when="after")
        )
        ran = site.run(**inputs(write))
        assert ran.code == 800610
        assert [call.partition(" ")[2] for call in ran.written].count(path) == 1
        assert ran.output()["changed"] == "true"
        site.emulator.faults.clear()
        again = site.run(**inputs(write))
        assert again.code == 0
        assert held_once(site.emulator.state)
        assert site.contents() == site.files


@pytest.mark.parametrize("kind", ["handle-then-drop", "drop-before-handling"])
def test_a_draft_that_is_put_back_without_an_answer_is_looked_for(kind: str) -> None:
    with before("version") as site:
        file = site.emulator.state.find_file(SPACE, "a.yaml")
        file.is_draft, file.draft_content, file.draft_version = True, "half: done\n", "1.0.7-main"
        lose(site, kind, UPDATE_FILE)
        ran = site.run()
        assert ran.outcome.result == "published"
        times = 1 if kind == "handle-then-drop" else 2
        assert ran.written.count("PUT template/metadatas/*") == times
        assert (file.is_draft, file.draft_content, file.version) == (True, "half: done\n", "1.0.8-main")


def test_a_refusal_of_the_second_try_does_not_settle_what_became_of_the_first() -> None:
    with before("version") as site:
        lose(site, "504", CREATE_VERSION)
        body = '{"code": 1, "message": "mongo is away", "data": null}'
        site.emulator.faults.add(Fault("answer", CREATE_VERSION_AGAIN, status=200, body=body))
        ran = site.run()
        assert (ran.code, ran.output()["changed"]) == (800610, "true")


@pytest.mark.parametrize("kind", [*HANDLED, *LOST])
def test_a_version_that_is_overwritten_without_an_answer_is_looked_for_by_its_content(kind: str) -> None:
    with before("version") as site:
        other = config("a", "other")
        site.emulator.state.add_version(SPACE, "a.yaml", version="1.0.8-main", content=other)
        lose(site, kind, CREATE_VERSION)
        ran = site.run(overwrite_version="true")
        assert ran.outcome.result == "published"
        assert ran.written.count("POST template/*/versions") == (1 if kind in HANDLED else 2)
        assert site.contents() == {"a.yaml": A2}
        assert site.version_names("a.yaml") == ["1.0.7-main", "1.0.8-main"]


def test_a_second_try_that_finds_the_name_taken_and_can_not_look_is_unknown() -> None:
    with before("version") as site:
        look = Match("POST", "/template/detail", nth=3)

        def land(state: State) -> None:
            state.add_version(SPACE, "a.yaml", version="1.0.8-main", content=A2, creator="lisi")

        lose(site, "504", CREATE_VERSION)
        site.rival(land, before=CREATE_VERSION_AGAIN)
        lose(site, "500", look, times=4)
        ran = site.run()
        assert (ran.code, ran.output()["changed"]) == (800610, "true")
        assert site.run().outcome.result == "unchanged"
