"""The first phase of a run: what is asked for, who asks, and the gateway for that one user.

Inputs and private settings first; then what BK-CI says of this build, once every source agrees; then the one
user. Where the gateway is reached by a proxy or certificates of its own, that is said, too. Nothing is sent
to it before. The record hears every request, and a server's words come without the run's secrets.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Optional, TypeVar

from bcs_template_set.agent.build_api import Credential
from bcs_template_set.agent.build_info import NO_ROW, BuildRow
from bcs_template_set.agent.masker import MOST_WORDS
from bcs_template_set.bcs.calls import Read, Write, Writer
from bcs_template_set.bcs.dialect import Site
from bcs_template_set.bcs.gateway import Gateway, KeptSender, Sender, root_of
from bcs_template_set.bcs.retrying import RetryPolicy
from bcs_template_set.config.inputs import Settings, read_settings
from bcs_template_set.config.principal import Principal, resolve_principal
from bcs_template_set.config.regions import Endpoint, Region, read_regions, secrets_of
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import CredentialUnusable, PrivateSettingsInvalid
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.report.log_lines import header_lines, settings_lines
from bcs_template_set.report.outcome import Console, Identity
from bcs_template_set.run.context import RunContext, Services
from bcs_template_set.run.finish import show_lines
from bcs_template_set.run.record import RunRecord
from bcs_template_set.run.secret_words import SecretWords
from bcs_template_set.system.clock import Deadline
from bcs_template_set.system.http_client import Transport
from bcs_template_set.system.proxies import (
    CERTIFICATES,
    Machine,
    of_the_machine,
    proxy_of,
    without_credentials,
)
from bcs_template_set.system.signals import Stopped


def read_everything(services: Services) -> RunContext:
    """Return what is asked for.

    Raises:
        PrivateSettingsInvalid: the atom's owner has to put every mistake of it right.
        InputsInvalid: the pipeline's author has to put every mistake of it right.
        FactDisputed: two sources say different things of the build.
        RecordRefused, BuildApiFailed: BK-CI does not say who the build's people are.
    """
    return read_build(services, *read_asked(services))


def read_asked(services: Services) -> tuple[Settings, Region]:
    """Return what is asked for, by inputs and private settings alone.

    Raises:
        PrivateSettingsInvalid, InputsInvalid: as `read_everything`.
    """
    inputs = services.agent.inputs()
    regions = read_regions(services.agent.private_setting("regions").reveal())
    for secret in secrets_of(regions.values()):
        services.log.mask(secret)
    settings = read_settings(inputs, regions=tuple(regions), pipeline_project=services.agent.task().project)
    region = regions[settings.region]
    if _lies_in(region.endpoint.ca_bundle, services.agent.task().workspace):
        place = f"regions.{region.name}.ca_bundle"
        raise PrivateSettingsInvalid(details=[say("regions.ca_bundle_in_workspace", place=place)])
    services.record.heading = replace(
        services.record.heading,
        action=settings.action,
        goes_back=settings.goes_back,
        region=settings.region,
        project=settings.project_code,
        space=settings.template_space,
        console=Console(region.console_url, settings.project_code),
        template_set="" if settings.only else settings.template_set,
    )
    return settings, region


def read_build(services: Services, settings: Settings, region: Region) -> RunContext:
    """Return what is asked for with the build that asks for it.

    Raises:
        FactDisputed, RecordRefused, BuildApiFailed: as `read_everything`.
    """
    build = services.agent.build(recorded=region.recorded_people)
    services.record.heading = replace(
        services.record.heading,
        pipeline=build.pipeline_name or build.pipeline_id,
        pipeline_id=build.pipeline_id,
        build_number=build.build_number,
        build_url=build.url,
        branch=build.branch,
        commit=build.commit,
    )
    return RunContext(services, settings, region, build, machine_of(services))


def identify(context: RunContext) -> Principal:
    """Return the one user of the run, and say who it is before anything is sent.

    Raises:
        StepError: nobody is proven to be that user, or nothing proves it to the gateway (8002xx).
    """
    principal = find_principal(context)
    show_identity(context, principal)
    return principal


def find_principal(context: RunContext) -> Principal:
    """Return the one user of the run, whom the record names from now on.

    Raises:
        StepError: as `identify`.
    """
    services, settings, build = context.services, context.settings, context.build
    credential = _credential(context) if settings.credential else None
    row = _row_of(context, credential)
    principal = resolve_principal(
        context.region, build, run_as=settings.run_as, row=row, credential=credential
    )
    for secret in principal.secrets():
        services.log.mask(secret)
    services.record.identity = Identity(
        acting_user=principal.label,
        app_code=principal.app_code,
        credential=principal.credential,
        reason=principal.reason,
        starter="" if build.source == "file" else build.starter,  # nobody starts a desk
    )
    return principal


def show_identity(context: RunContext, principal: Principal) -> None:
    """Say who acts, for what, and by which way."""
    services, settings, region = context.services, context.settings, context.region
    record, endpoint, environ = services.record, region.endpoint, context.machine.environ
    given = (environ.get(name, "") for name in CERTIFICATES)
    record.heading = replace(  # proxy and certificates are named where they are not the usual ones
        record.heading,
        proxy=without_credentials(endpoint.proxy or proxy_of(endpoint.gateway, environ)),
        certificates=endpoint.ca_bundle or next((path for path in given if path), ""),
    )
    show_lines(services.log, header_lines(record.heading, record.identity, language=record.language))
    for name in context.machine.ignored:
        services.log.warning(say("agent.not_obeyed", name=name))
    if context.build.source == "environment" and not principal.is_token and settings.run_as != "owner":
        services.log.warning(say("identity.not_proven", region=region.name, user=principal.user))
    show_lines(services.log, settings_lines(settings, language=record.language))


def _credential(context: RunContext) -> Credential:
    services, credential_id = context.services, context.settings.credential
    credential = services.agent.credential(credential_id)
    if credential.type not in ("access token", "app"):
        problem = say("identity.wrong_credential_type", type=credential.type)
        raise CredentialUnusable(credential=credential_id, problem=problem)
    if context.build.source != "file":
        services.log.info(say("step.credential_read", credential=credential_id))
    return credential


def _row_of(context: RunContext, credential: Optional[Credential]) -> BuildRow:
    """Return the build's own row, which is asked for only where a name of the build's people may act."""
    build, region, run_as = context.build, context.region, context.settings.run_as
    is_vouched_for = run_as == "owner" or (run_as == "authorizer" and region.names_authorizer)
    is_token = credential is not None and credential.type == "access token"
    if is_vouched_for or is_token or build.source == "environment":
        return NO_ROW
    return context.services.agent.build_row(build)


# --- what the environment decides -----------------------------------------------------------------------


def machine_of(services: Services) -> Machine:
    """Return the machine of a run whose build is read: what that says is the pipeline's is known only then.

    Neither what the pipeline has set counts, nor certificates in its workspace: any step can put them there.
    """
    own, ignored = of_the_machine(services.environ, pipelines=services.agent.names_of_pipeline())
    workspace = services.agent.task().workspace
    within = [name for name in CERTIFICATES if name in own and _lies_in(own[name], workspace)]
    return Machine({name: own[name] for name in own if name not in within}, (*ignored, *within))


def _lies_in(path: str, workspace: str) -> bool:
    """Tell whether a path leads into the workspace; there is none at a desk."""
    if not path or not workspace:
        return False
    real, root = Path(os.path.realpath(path)), Path(os.path.realpath(workspace))
    return root == real or root in real.parents


T = TypeVar("T")

FIRST = 2
"""Connections that a run begins with: project and space are asked for at once."""


def open_gateway(
    context: RunContext,
    principal: Principal,
    *,
    words: Optional[SecretWords] = None,
    sender: Optional[Sender] = None,
    deadline: Optional[Deadline] = None,
    policy: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
) -> Gateway:
    """Return the gateway of the run's region for this one principal; every request of it enters the record.

    The run's secrets, and what `words` knows, are taken out of a server's words before these are shortened:
    of a short secret that is cut, nothing could tell what is left. `sender` and `deadline` are the run's own
    unless they are given.
    """
    services, known = context.services, context.services.log.masker
    values = words if words is not None else SecretWords()

    return Gateway(
        context.region.endpoint,
        principal,
        transport=sender or sender_of(context),
        clock=services.clock,
        deadline=deadline or services.deadline,
        on_exchange=services.record.record_request,
        mask=lambda said: values.mask(known.mask_beginning(said, most=2 * MOST_WORDS)),
        learn=values.learn,
        policy=policy,
    )


@contextmanager
def connecting(context: RunContext) -> Iterator[KeptSender]:
    """Give what will send the run's requests; its first connections are opened while something else is done.

    If that fails, none of them stays.
    """
    sender = sender_of(context)
    connect_ahead(sender, context.region.endpoint, count=FIRST)
    try:
        yield sender
    except BaseException:
        sender.close()
        raise


def connect_ahead(sender: KeptSender, endpoint: Endpoint, *, count: int) -> None:
    """Have so many connections to the gateway opened in the background, if they may be used at once."""
    sender.connect_ahead(root_of(endpoint), count=min(count, endpoint.concurrency))


@contextmanager
def holding(gateway: Gateway) -> Iterator[None]:
    """Stop the gateway where a signal ends what is done with it.

    Threads under way outlive that: none of them may write after the verdict.
    """
    try:
        yield
    except Stopped as exc:
        gateway.stop(exc.error)
        raise


def sender_of(context: RunContext) -> KeptSender:
    """Return what sends the run's requests to its gateway."""
    return context.services.sender or transport_of(context.region.endpoint, context.machine)


def transport_of(endpoint: Endpoint, machine: Machine) -> Transport:
    """Return what sends the requests to the region's gateway."""
    return Transport(
        ca_bundle=endpoint.ca_bundle,
        connect_timeout=endpoint.connect_timeout,
        read_timeout=endpoint.read_timeout,
        connections=endpoint.concurrency,
        environ=machine.environ,
        proxy=endpoint.proxy or None,
    )


@dataclass(frozen=True)
class WatchedWriter:
    """A writer whose writes the record counts while they are under way."""

    writer: Writer
    record: RunRecord

    @property
    def most_at_once(self) -> int:
        """Return how many requests may be under way at once."""
        return self.writer.most_at_once

    @property
    def site(self) -> Site:
        """Return what is known of BCS's dialect."""
        return self.writer.site

    def read(self, call: Read[T]) -> T:
        """Send a read and return its answer."""
        return self.writer.read(call)

    def write(self, call: Write[T]) -> T:
        """Send a write and return its answer."""
        with self.record.writing():
            return self.writer.write(call)
