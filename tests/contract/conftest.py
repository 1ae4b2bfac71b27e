"""One small site for the contract suite: project `web`, its viewer lisi, and lisi's app."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.emulator import Cluster, Emulator
from tests.support.openapi import check_exchange
from tests.support.plain_client import PlainClient, through_gateway


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """A running site; at the end nothing may be left: no unknown API, leak, unused fault or breach."""
    with Emulator() as site:
        site.state.add_project("web", viewers={"lisi"})
        site.state.add_app("lisi_app", "lisi-canary", vouches_for={"lisi"})
        yield site
        assert site.problems() == []
        assert [breach for exchange in site.exchanges for breach in check_exchange(exchange)] == []


@pytest.fixture
def cluster(emulator: Emulator) -> Cluster:
    """A cluster of the project `web` with the namespace `shop`."""
    return emulator.state.add_cluster("BCS-K8S-40000", namespaces=("shop",))


@pytest.fixture
def lisi(emulator: Emulator) -> Iterator[PlainClient]:
    """A client that BCS sees as lisi."""
    with through_gateway(emulator) as client:
        yield client
