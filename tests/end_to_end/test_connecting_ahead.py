"""Connections to the gateway are opened while manifests are rendered, and none stays where that fails."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Callable, NoReturn

from tests.support.publishing import config, open_site
from tests.support.raw_server import RawServer, http, saying, serving

from bcs_template_set.agent.log import Log
from bcs_template_set.agent.open_agent import Agent
from bcs_template_set.messages.errors import ManifestsInvalid
from bcs_template_set.run.context import Services


def soon(happens: Callable[[], bool]) -> bool:
    """Tell whether something happens within five seconds."""
    latest = time.monotonic() + 5
    while not happens() and time.monotonic() < latest:
        time.sleep(0.005)  # noqa: TID251 - another thread has to be given its turn
    return happens()


def test_two_connections_are_open_while_a_run_renders_and_none_when_that_has_failed() -> None:
    with open_site(a_yaml=config("a", "1")) as site, serving(saying(http())) as server:
        services = site.services

        def rendering(agent: Agent, log: Log) -> Services:
            return replace(services(agent, log), render=lambda *_: fail(server))

        site.region = {"gateway": server.url}
        site.services = rendering  # type: ignore[method-assign]  # the same world, whose rendering fails
        ran = site.run()
        assert ran.code == 800307
        assert server.requests == []
        assert soon(lambda: all(connection.fileno() == -1 for connection in server._open))


def fail(server: RawServer) -> NoReturn:
    assert soon(lambda: server.connections == 2)
    raise ManifestsInvalid
