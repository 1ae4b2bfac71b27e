"""The run's gateway: opened for the one user, heard by the record, its words without the run's secrets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Optional, TypeVar

from bcs_template_set.agent.masker import MOST_WORDS
from bcs_template_set.bcs.calls import Read, Write, Writer
from bcs_template_set.bcs.dialect import Site
from bcs_template_set.bcs.gateway import Gateway, Sender, root_of
from bcs_template_set.bcs.retrying import RetryPolicy
from bcs_template_set.config.principal import Principal
from bcs_template_set.config.regions import Endpoint
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.run.context import RunContext
from bcs_template_set.run.record import RunRecord
from bcs_template_set.run.secret_words import SecretWords
from bcs_template_set.system.clock import Deadline
from bcs_template_set.system.http_client import Transport
from bcs_template_set.system.proxies import Machine
from bcs_template_set.system.signals import Stopped

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
def connecting(context: RunContext) -> Iterator[Sender]:
    """Give what will send the run's requests; its first connections are opened while something else is done.

    If that fails, none of them stays.
    """
    sender = sender_of(context)
    connect_ahead(sender, context.region.endpoint, count=FIRST)
    try:
        yield sender
    except BaseException:
        if isinstance(sender, Transport):
            sender.close()
        raise


def connect_ahead(sender: Sender, endpoint: Endpoint, *, count: int) -> None:
    """Have so many connections to the gateway opened in the background, if they may be used at once."""
    if isinstance(sender, Transport):
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


def sender_of(context: RunContext) -> Sender:
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
