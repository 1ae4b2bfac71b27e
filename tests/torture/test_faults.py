"""A fault at any request: what the run says is so, and the next run comes to what one run would have.

A sample of all cases, drawn by a seed; `python -m tests.torture faults` runs them all.
"""

from __future__ import annotations

import pytest

from tests.emulator.faults import Match
from tests.support.dialects import NEWEST, STABLE
from tests.support.draws import WHOLE, sampled, seed_of_this_run, swept
from tests.support.living import come_to_rest
from tests.support.scenarios import BY_NAME, SCENARIOS, Scenario
from tests.torture.cases import Case, all_cases, attack, clean, parse_case, run
from tests.torture.fault_table import KINDS, Kind
from tests.torture.holdings import holdings_of
from tests.torture.truth import Struck, lies_of

SEED = seed_of_this_run()
IN_EACH = 2 if WHOLE else 1
"""Cases of every scenario."""


@pytest.mark.parametrize("scenario", swept(SCENARIOS, sample=4), ids=lambda scenario: str(scenario.name))
def test_a_fault_at_any_request_makes_no_lie_and_is_made_good_by_the_next_run(scenario: Scenario) -> None:
    cases = sampled(list(all_cases([scenario.name], seed=SEED)), count=IN_EACH, seed=SEED)
    wrong = {str(case): problems for case in cases for problems in [attack(case)] if problems}
    assert wrong == {}, f"BCS_SEED={SEED}; replay: python -m tests.torture faults --case …"


@pytest.mark.parametrize("kind", swept(KINDS, sample=3), ids=lambda kind: str(kind.name))
def test_every_kind_of_fault_strikes_a_write(kind: Kind) -> None:
    """The first one of an update, after all that it reads."""
    for dialect in swept((NEWEST, STABLE), sample=1):
        first_write = clean(BY_NAME["update"], dialect).writes.index(True) + 1
        assert attack(Case(BY_NAME["update"], kind, first_write, dialect=dialect)) == []


def test_a_case_is_replayed_by_its_name() -> None:
    cases = sampled(list(all_cases(["plan"], seed=SEED)), count=20, seed=SEED)
    assert {case.dialect for case in cases} == {NEWEST, STABLE}
    for case in cases:
        assert parse_case(str(case)) == case


def test_the_search_for_lies_finds_one() -> None:
    """Somebody deletes a version that the run has just published: now what it said is not so."""
    scenario = BY_NAME["first-publish"]
    with scenario.open() as site:
        before = holdings_of(site)
        lived = run(site, scenario)
        site.emulator.state.delete_version("front-ends", "a.yaml", version="1.0.7-main")
        lies = lies_of(Struck(site, lived, before, holdings_of(site)))
    assert any(lie.startswith("versions: a.yaml: there is no version") for lie in lies)
    assert any(lie.startswith("result: published, and a.yaml points elsewhere") for lie in lies)


def test_a_case_strikes_what_it_says() -> None:
    case = parse_case("update/html-500/3/once")
    with case.scenario.open() as site:
        case.scenario.prepare(site)
        for fault in case.kind.order(Match(nth=case.nth), 1):
            site.emulator.faults.add(fault)
        lived = run(site, case.scenario)
        come_to_rest(site)
        assert [exchange.faults for exchange in lived.exchanges[:4]] == [(), (), ("answer",), ()]
