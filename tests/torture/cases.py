"""One case: a scenario, struck by one kind of fault at its n-th request, once or for good, in one dialect.

After it the run's word is held against the site, and a clean run must come to what it would have come to if
nothing had happened.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tests.emulator import Dialect
from tests.emulator.faults import Match
from tests.support import scenarios
from tests.support.dialects import NEWEST, STABLE, speaking
from tests.support.living import Lived, come_to_rest, live
from tests.support.publishing import Site
from tests.support.scenarios import SCENARIOS, Scenario
from tests.torture import fault_table
from tests.torture.canaries import hide, left_by, nest_of
from tests.torture.fault_table import FOR_GOOD, KINDS, Kind, patience
from tests.torture.holdings import Holdings, holdings_of
from tests.torture.truth import DRAFT_NOTES, Struck, lies_of

NEST = nest_of(8)
"""The secrets of every run, and where they were found if they were."""


@dataclass(frozen=True)
class Case:
    """What strikes what, where; its text names it for a replay."""

    scenario: Scenario
    kind: Kind
    nth: int
    for_good: bool = False
    dialect: Dialect = NEWEST

    def __str__(self) -> str:
        struck = f"{self.scenario.name}/{self.kind.name}/{self.nth}"
        on = "" if self.dialect is NEWEST else f"/{self.dialect.name}"
        return f"{struck}/{'for-good' if self.for_good else 'once'}{on}"


def parse_case(text: str) -> Case:
    """Return the case of that name; without a dialect it is the newest. Raises KeyError, ValueError."""
    scenario, kind, nth, times, *on = text.split("/")
    return Case(
        scenarios.BY_NAME[scenario],
        fault_table.BY_NAME[kind],
        int(nth),
        for_good=times == "for-good",
        dialect=Dialect[on[0]] if on else NEWEST,
    )


@dataclass(frozen=True)
class Clean:
    """What a scenario's run comes to when nothing happens; `writes` says which of its requests are some."""

    writes: tuple[bool, ...]
    result: str
    holdings: Holdings


@functools.cache
def clean(scenario: Scenario, dialect: Dialect) -> Clean:
    """Return what a scenario comes to when nothing happens."""
    with speaking(dialect), scenario.open() as site:
        scenario.prepare(site)
        before = holdings_of(site)
        lived = run(site, scenario)
        assert lived.result == scenario.result, lived.log
        after = holdings_of(site)
        lies = lies_of(Struck(site, lived, before, after))
        assert lies == [], lies
        return Clean(tuple(exchange.is_write for exchange in lived.exchanges), lived.result, after)


def all_cases(names: Sequence[str] = (), *, seed: int) -> Iterator[Case]:
    """Yield every case, or those of these scenarios; of each the seed draws on which BCS it is."""
    for scenario in SCENARIOS:
        if not names or scenario.name in names:
            for dialect in (NEWEST, STABLE):
                cases = _cases_of(scenario, dialect)
                yield from (case for case in cases if _drawn(case, seed=seed) is dialect)


def _cases_of(scenario: Scenario, dialect: Dialect) -> Iterator[Case]:
    for nth, is_write in enumerate(clean(scenario, dialect).writes, start=1):
        for kind in KINDS:
            if is_write or not kind.of_writes:
                yield Case(scenario, kind, nth, dialect=dialect)
            yield Case(scenario, kind, nth, for_good=True, dialect=dialect)


def _drawn(case: Case, *, seed: int) -> Dialect:
    named = f"{seed} {replace(case, dialect=NEWEST)}"
    return (NEWEST, STABLE)[zlib.crc32(named.encode()) % 2]


def run(site: Site, scenario: Scenario, *, slow: bool = False) -> Lived:
    """Live the scenario's run, with secrets that can be searched for; `slow` gives it little patience."""
    others = hide(site, NEST)
    region = {"concurrency": scenario.concurrency, "app_secret": NEST.canaries["app secret"]}
    return live(site, inputs=scenario.inputs, region={**region, **patience(slow=slow)}, others=others)


def attack(case: Case) -> list[str]:
    """Return what went wrong in a case: lies, secrets, and where a clean run does not come to the same."""
    expected = clean(case.scenario, case.dialect)
    problems: list[str] = []
    try:
        with speaking(case.dialect), case.scenario.open() as site:
            case.scenario.prepare(site)
            struck = strike(site, case)
            problems += lies_of(struck)
            problems += NEST.find(left_by(struck.lived))
            again = run(site, case.scenario)
            problems += unlike(expected, struck, again, holdings_of(site))
    except AssertionError as exc:
        problems.append(f"the emulator: {exc}")
    return problems


def strike(site: Site, case: Case) -> Struck:
    """Live the run that is struck."""
    before = holdings_of(site)
    times = FOR_GOOD if case.for_good else 1
    for fault in case.kind.order(Match(nth=case.nth), times):
        site.emulator.faults.add(fault)
    lived = run(site, case.scenario, slow=case.kind.slow)
    come_to_rest(site)
    site.emulator.faults.clear()
    return Struck(site, lived, before, holdings_of(site), may_be_lied_to=case.kind.lies)


def unlike(expected: Clean, struck: Struck, again: Lived, held: Holdings) -> list[str]:
    """Return where a clean run after the struck one did not come to what it should."""
    problems: list[str] = []
    good = {"published": ("published", "unchanged"), "restored": ("restored", "failed")}
    if again.result not in good.get(expected.result, (expected.result,)):
        problems.append(f"the next run: {again.result} ({again.code})\n{again.log}")
    ports = dict(held.ports)
    problems += [
        f"{name} had the nodePorts {had}, not {ports.get(name)}"
        for name, had in struck.before.ports
        if ports.get(name) != had and name in dict(expected.holdings.ports)
    ]
    return problems + [
        f"the next run: {difference}"
        for difference in expected.holdings.differences(held)
        if not _was_to_be(difference, expected, struck)
    ]


def _was_to_be(difference: str, expected: Clean, struck: Struck) -> bool:
    """Tell whether a difference is one that no run after the struck one could mend, and the struck one said.

    A draft goes with every version that BCS makes, and is put back afterwards: who is kept from that says so.
    What is live after a run that goes back depends on how far the struck one came.
    """
    said = struck.may_be_lied_to or any(note in struck.lived.log for note in DRAFT_NOTES)
    is_draft = difference.startswith("drafts") and said
    return is_draft or (expected.result == "restored" and difference.startswith("live"))
