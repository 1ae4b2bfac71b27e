"""The three that speak HTTP, each asking one thing of a server: BCS's gateway, build API, `verify_urls`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Union

from bcs_template_set.agent.agent_files import AgentIdentity
from bcs_template_set.agent.build_api import BuildApi
from bcs_template_set.bcs import answers, protocol
from bcs_template_set.bcs.calls import Read, Write
from bcs_template_set.bcs.gateway import Gateway
from bcs_template_set.config.inputs import VerifyUrl
from bcs_template_set.config.regions import Endpoint
from bcs_template_set.messages.secret import Secret
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.rollout.page_checks import verify_arrivals
from bcs_template_set.system.clock import Deadline
from bcs_template_set.system.http_client import Transport
from tests.support.pieces import SECRET, FakeClock, app_principal

AGENT_SECRET = "canary-agent-secret"
SECRETS = (SECRET, AGENT_SECRET)


@dataclass(frozen=True)
class Told:
    """What a client made of a server: "" where it is content; `code` is the error's, 0 for `verify_urls`."""

    said: str = ""
    code: int = 0


Client = Callable[[str, Transport], Told]


def told(error: StepError) -> Told:
    context = "".join(f"\n{name}: {value}" for name, value in error.context.items())
    return Told(f"{error}{context}", error.code)


def gateway_at(url: str, transport: Transport) -> Gateway:
    clock = FakeClock()
    return Gateway(
        Endpoint(gateway=url),
        app_principal(),
        transport=transport,
        clock=clock,
        deadline=Deadline(clock, seconds=None),
    )


def ask_gateway(url: str, transport: Transport) -> Told:
    return _call_gateway(url, transport, protocol.get_project("web"))


def write_to_gateway(url: str, transport: Transport) -> Told:
    return _call_gateway(url, transport, protocol.create_space("web", name="front-ends"))


def _call_gateway(
    url: str, transport: Transport, call: Union[Read[answers.Project], Write[answers.Created]]
) -> Told:
    gateway = gateway_at(url, transport)
    try:
        gateway.read(call) if isinstance(call, Read) else gateway.write(call)
    except StepError as error:
        return told(error)
    return Told()


def ask_build_api(url: str, transport: Transport) -> Told:
    identity = AgentIdentity(
        build_type="AGENT",
        project_id="web",
        agent_id="agent",
        secret_key=Secret(AGENT_SECRET),
        gateway=url,
        build_id="b-1",
        vm_seq_id="1",
    )
    try:
        BuildApi(identity, sender=transport, clock=FakeClock()).credential("bcs")
    except StepError as error:
        return told(error)
    return Told()


def look_at_page(url: str, transport: Transport) -> Told:
    clock = FakeClock()
    (arrival,) = verify_arrivals(
        [VerifyUrl(url + "/", "")], pages=transport, clock=clock, deadline=Deadline(clock, seconds=2)
    )
    return Told("" if arrival.ok else arrival.describe().render("en_US"))


APIS: tuple[Client, ...] = (ask_gateway, write_to_gateway, ask_build_api)
CLIENTS: tuple[Client, ...] = (*APIS, look_at_page)
