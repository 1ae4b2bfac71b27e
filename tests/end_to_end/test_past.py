"""What a run asks, and how much it is answered, does not grow with the versions that BCS keeps (trap 20)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tests.emulator.exchanges import Exchange
from tests.end_to_end.test_branch_paths import TARGET, build
from tests.support.deploying import CLUSTER, NAMESPACE
from tests.support.older_versions import give_past
from tests.support.publishing import open_site


def test_a_run_costs_as_much_where_every_file_has_fifty_older_versions() -> None:
    without, with_past = runs(older=0), runs(older=50)
    for action, exchanges in without.items():
        assert Counter(map(name_of, exchanges)) == Counter(map(name_of, with_past[action])), action
        assert size_of(with_past[action]) <= 1.05 * size_of(exchanges), action


def runs(*, older: int) -> dict[str, Sequence[Exchange]]:
    """Return what a plan, a publish and a deployment of a branch ask, where main has been deployed before."""
    with open_site() as site:
        site.emulator.state.add_cluster(CLUSTER, namespaces=(NAMESPACE,))
        assert build(site, "main", action="deploy", **TARGET).outcome.result == "deployed"
        give_past(site.emulator.state, older, branches=("main", "x"))
        asked: dict[str, Sequence[Exchange]] = {}
        for action, ended in (("plan", "planned"), ("publish", "published"), ("deploy", "deployed")):
            ran = build(site, "x", action=action, **TARGET)
            assert ran.outcome.result == ended, ran.log
            asked[action] = ran.exchanges
        return asked


def name_of(exchange: Exchange) -> str:
    return exchange.operation.rpartition(".")[2]


def size_of(exchanges: Sequence[Exchange]) -> int:
    return sum(len(exchange.answer_body) for exchange in exchanges)
