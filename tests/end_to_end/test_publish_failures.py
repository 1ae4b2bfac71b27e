"""Where something fails: what was written is said, the rest is left, and running again does just that."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.emulator.exchanges import most_at_once
from tests.emulator.faults import Fault, Match, gateway_fault
from tests.emulator.state import State
from tests.support.draws import examples, swept
from tests.support.publishing import (
    CREATE_FILE,
    CREATE_VERSION,
    GET_VERSION,
    LOOK_AFTER,
    LOOK_BEFORE,
    SPACE,
    Ran,
    Site,
    config,
    open_site,
    site_after,
)

from bcs_template_set.report.output import message_of

A1, A2, B1, B2 = (config(name, value) for name, value in ("a1", "a2", "b1", "b2"))
NAMES = ("a.yaml", "b.yaml", "c.yaml")
BROKEN = '{"code": 1, "message": "mongo is away", "data": null}'


def test_a_version_that_bcs_says_is_written_and_does_not_show_is_said_in_verdict_and_message() -> None:
    with open_site(new_yaml=A1) as site:
        site.fault("answer", GET_VERSION, status=200).body = BROKEN
        ran = site.run()
        assert (ran.code, ran.outcome.result) == (0, "published"), ran.log
        words = "they could not be read back to check it: new.yaml"
        assert words in ran.log.rpartition("Published")[2]
        assert words in message_of(ran.outcome)


@pytest.fixture
def site() -> Iterator[Site]:
    """Yield a space that build 7 has published, and build 8, which changes both of its files."""
    with site_after(Site.run, a_yaml=A1, b_yaml=B1) as made:
        made.next_build(a_yaml=A2, b_yaml=B2)
        yield made


def of_file(site: Site, name: str) -> Match:
    """Return the requests that create a version of this file."""
    template_id = site.emulator.state.find_file(SPACE, name).id
    return Match("POST", rf"/template/{template_id}/versions$")


# --- one file -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "code"), [(200, 800608), (500, 800610)])
def test_one_file_that_fails_does_not_stop_the_others(site: Site, status: int, code: int) -> None:
    times = 1 if status == 200 else 3
    site.emulator.faults.add(
        Fault("answer", of_file(site, "a.yaml"), times=times, status=status, body=BROKEN)
    )
    ran = site.run()
    assert (ran.outcome.result, ran.code) == ("failed", code)
    assert ran.states() == {"a.yaml": "failed", "b.yaml": "applied"}
    assert ran.output()["changed"] == "true"
    assert site.contents() == {"a.yaml": A1, "b.yaml": B2}
    assert re.search(r"^##\[error\]failed +a\.yaml", ran.log, re.MULTILINE)
    assert re.search(r"^update +b\.yaml", ran.log, re.MULTILINE)
    again = site.run()
    assert (again.outcome.result, again.written) == ("published", ["POST template/*/versions"])
    assert site.contents() == {"a.yaml": A2, "b.yaml": B2}


def test_a_run_of_which_every_file_fails_has_changed_nothing(site: Site) -> None:
    site.emulator.faults.add(Fault("answer", CREATE_VERSION, times=2, status=200, body=BROKEN))
    ran = site.run()
    assert ran.states() == {"a.yaml": "failed", "b.yaml": "failed"}
    assert ran.output()["changed"] == "false"
    assert all(entry["version"] == "" for entry in ran.versions().values())


def test_a_version_that_can_not_be_read_back_is_written_all_the_same(site: Site) -> None:
    site.files.pop("b.yaml")
    site.emulator.faults.add(Fault("answer", Match(GET_VERSION.method, GET_VERSION.path, nth=3), times=4))
    ran = site.run()
    assert (ran.outcome.result, ran.code) == ("published", 0)
    assert "could not be read back to check it" in ran.log
    assert site.contents()["a.yaml"] == A2


def test_a_space_that_can_not_be_read_afterwards_is_a_warning(site: Site) -> None:
    site.emulator.faults.add(Fault("answer", LOOK_AFTER, times=4))
    ran = site.run()
    assert (ran.outcome.result, ran.code) == ("published", 0)
    assert "it does not know whether others wrote at the same moment" in ran.log


# --- time -----------------------------------------------------------------------------------------------


def test_files_that_there_is_no_time_for_are_not_attempted_and_said(site: Site) -> None:
    def late(_: State) -> None:
        site.clock.time += 1000

    site.concurrency, site.seconds = 1, 300
    site.rival(late, before=CREATE_VERSION, after=True)
    ran = site.run()
    assert (ran.outcome.result, ran.code) == ("failed", 800612)
    assert ran.states() == {"a.yaml": "applied", "b.yaml": "not-attempted"}
    assert ran.output()["changed"] == "true"
    again = site.run()
    assert (again.outcome.result, again.written) == ("published", ["POST template/*/versions"])


def test_a_file_whose_time_ran_out_before_its_write_is_not_attempted(site: Site) -> None:
    def late(_: State) -> None:
        site.clock.time += 1000

    site.concurrency, site.seconds = 1, 300
    site.rival(late, before=LOOK_BEFORE, after=True)
    ran = site.run()
    assert ran.states() == {"a.yaml": "not-attempted", "b.yaml": "not-attempted"}
    assert (ran.code, ran.writes, ran.output()["changed"]) == (800612, [], "false")


def test_a_write_that_outlives_the_time_is_unknown(site: Site) -> None:
    site.files.pop("b.yaml")
    site.seconds = 0.9  # the first pause before reading back is longer
    site.fault("handle-then-drop", CREATE_VERSION)
    ran = site.run()
    assert (ran.code, ran.output()["changed"]) == (800610, "true")


# --- many at once ---------------------------------------------------------------------------------------


def test_as_many_files_at_once_as_the_region_allows() -> None:
    with open_site(**{f"f{number}_yaml": config(f"f{number}", "1") for number in range(12)}) as site:
        site.emulator.latency = 0.01
        ran = site.run()
        assert ran.outcome.result == "published"
        assert 1 < most_at_once(ran.writes) <= most_at_once(ran.exchanges) <= site.concurrency


def test_a_rate_limit_on_one_request_slows_all_of_them() -> None:
    with open_site(**{f"f{number}_yaml": config(f"f{number}", "1") for number in range(8)}) as site:
        site.emulator.faults.add(gateway_fault("RATE_LIMIT_RESTRICTION", match=CREATE_FILE, reset=20))
        began = site.clock.time
        ran = site.run()
        assert ran.outcome.result == "published"
        assert site.clock.time - began >= 20
        assert len(site.emulator.state.versions) == 8


# --- properties -----------------------------------------------------------------------------------------

KINDS = ("drop-before-handling", "handle-then-drop", "half", "code 1", "500", "504")


def held_to_be_true(site: Site, ran: Ran) -> None:
    """Check that what the outcome says was written is there, and that what is not there is not claimed."""
    state = site.emulator.state
    ours = {
        version.file: version for version in state.find_versions(SPACE) if version.version == "1.0.8-main"
    }
    for outcome in ran.outcome.files:
        name = outcome.change.name
        if outcome.state == "applied":
            assert ours[name].id == outcome.version_id
            assert ours[name].content == site.files[name]
        elif outcome.state in ("unchanged", "skipped", "not-attempted"):
            assert name not in ours or outcome.version_id == ours[name].id
        elif name in ours:  # failed, and yet it is there: said to be written, or to be unknown
            assert outcome.version_id == ours[name].id or ran_into_unknown(ran, name)
    if ran.output()["changed"] == "false":
        assert not ours


def ran_into_unknown(ran: Ran, name: str) -> bool:
    error = ran.file(name).error
    return error is not None and error.code == 800610


def has_converged(site: Site) -> None:
    site.emulator.faults.clear()
    ran = site.run()
    assert ran.code == 0, ran.log
    assert {name: site.contents()[name] for name in site.files} == site.files
    names = [(version.file, version.version) for version in site.emulator.state.versions]
    assert len(names) == len(set(names))
    plan = site.run(action="plan")
    assert plan.outcome.plan is not None
    assert not plan.outcome.plan.writes


@contextmanager
def half_changed() -> Iterator[Site]:
    """Yield a space with a file to update, a pinned one, and one to create."""
    with open_site(**{f"{name}_yaml": config(name, "old") for name in "ab"}) as site:
        site.run()
        site.emulator.state.pin(SPACE, "b.yaml", version="1.0.7-main")
        site.next_build(**{f"{name}_yaml": config(name, "new") for name in "abc"})
        site.concurrency = 1
        yield site


@pytest.fixture(scope="module")
def requests_needed() -> int:
    with half_changed() as site:
        return len(site.run().exchanges)


@pytest.mark.parametrize(
    ("kind", "times"),
    [*((kind, 1) for kind in KINDS), *((kind, 1000) for kind in ("code 1", "drop-before-handling", "half"))],
)
def test_a_failure_at_any_request_leaves_a_true_outcome_and_the_next_run_converges(
    kind: str, times: int, requests_needed: int
) -> None:
    assert requests_needed > 10
    for nth in swept(range(1, requests_needed + 1), sample=1):
        with half_changed() as site:
            site.emulator.faults.add(failing(kind, Match(nth=nth), times=times))
            held_to_be_true(site, site.run())
            has_converged(site)


def failing(kind: str, match: Match, *, times: int) -> Fault:
    if kind == "code 1":
        return Fault("answer", match, times=times, status=200, body=BROKEN)
    if kind.isdigit():
        return Fault("answer", match, times=times, status=int(kind), body=b"no")
    return Fault(kind, match, times=times)


CONTENTS = st.sampled_from(["1", "2", "3"])
STATES = st.dictionaries(
    st.sampled_from([*NAMES, "theirs.yaml"]),
    st.fixed_dictionaries(
        {
            "history": st.lists(CONTENTS, min_size=1, max_size=3),
            "pinned": st.booleans(),
            "draft": st.booleans(),
            "deleted": st.booleans(),
        }
    ),
)


@settings(max_examples=examples(40, sample=5), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(there=STATES, wanted=st.dictionaries(st.sampled_from(NAMES), CONTENTS, min_size=1))
def test_from_any_state_of_the_space_publish_then_plan_is_empty(
    there: dict[str, dict[str, object]], wanted: dict[str, str]
) -> None:
    with open_site() as site:
        for name, file in there.items():
            put(site.emulator.state, name, file)
        site.clock.time += 600
        site.files = {name: config(name[0], text) for name, text in wanted.items()}
        untouched = {name: site.history(name) for name in there if name not in wanted}
        ran = site.run()
        assert ran.code == 0, ran.log
        assert {name: site.contents()[name] for name in wanted} == site.files
        assert {name: site.history(name) for name in untouched} == untouched
        plan = site.run(action="plan").outcome.plan
        assert plan is not None
        assert not plan.writes
        assert site.run().outcome.result == "unchanged"
        for name, file in there.items():
            found = site.emulator.state.find_file(SPACE, name)
            assert found.version_mode == int(bool(file["pinned"]))
            assert found.is_draft == file["draft"]


def put(state: State, name: str, file: dict[str, object]) -> None:
    history = file["history"]
    assert isinstance(history, list)
    texts = [config(name[0], text) for text in history]
    draft = "half: done\n" if file["draft"] else ""
    state.add_file(SPACE, name, content=texts[0], version="v0", draft=draft)
    for number, text in enumerate(texts[1:], start=1):
        state.add_version(SPACE, name, version=f"v{number}", content=text)
    current = state.find_file(SPACE, name).version
    if file["pinned"]:
        current = "v0"
        state.pin(SPACE, name, version=current)
    if file["deleted"]:
        state.delete_version(SPACE, name, version=current)
