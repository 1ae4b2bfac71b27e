"""Read live objects, where a read that fails says nothing about them: at a pace while they are waited for.

Whatever stands in the way of a look (a refusal, an outage of the gateway, a token that is over) says nothing
about the workload: BCS answers 40300 also when its permission centre is down. So it is told, and looked at
again. What a deployment did is done, too: what is read back is asked for as long as the author's time lasts.
But where the deployment was refused, that verdict waits for nobody; and a look at many files that takes the
gateway too long goes into smaller ones.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Optional, TypeVar, Union

from bcs_template_set.bcs.calls import Read, Reader, Write, Writer
from bcs_template_set.bcs.deploy_calls import LiveList, NamespaceRef, get_live, list_live, list_pods_of
from bcs_template_set.bcs.dialect import Site
from bcs_template_set.bcs.told_by_bcs import NOT_FOUND
from bcs_template_set.manifests.declared_kinds import NO_DEFINITION, definition_names
from bcs_template_set.manifests.fields import Fields, list_at, mapping_at, text_at
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kinds import POD
from bcs_template_set.messages import say
from bcs_template_set.messages.server_errors import BcsFailed, GatewayFailed, OutcomeUnknown, RolloutUnseen
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.messages.text import clock_time
from bcs_template_set.rollout.newest_pods import PodSummary, read_summaries
from bcs_template_set.rollout.watched import Blind, Workload
from bcs_template_set.system.clock import Clock, Deadline

PER_SECOND = 7.0
"""Fewer than eight requests a second leave, however many workloads there are."""

BURST = 22.0
"""What an idle stretch may save up, so that many workloads that become ready at once are seen at once."""

T = TypeVar("T")
Pods = tuple[PodSummary, ...]


def may_be_missing(error: StepError) -> bool:
    """Tell whether this may be the answer of an object that is not there."""
    return isinstance(error, BcsFailed) and error.bcs_code == NOT_FOUND


class Pace:
    """Gives out permissions to send, at a rate. Threads may share one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._saved = BURST
        self._at = clock.monotonic()
        self._lock = threading.Lock()

    def take(self) -> None:
        """Return when the next request may be sent."""
        with self._lock:
            now = self._clock.monotonic()
            self._saved = min(BURST, self._saved + (now - self._at) * PER_SECOND)
            self._at = now
            self._saved -= 1
            missing = -self._saved / PER_SECOND
        if missing > 0:
            self._clock.wait(missing)


class LiveReads:
    """Looks at the objects of one namespace. Threads may share it."""

    def __init__(self, reader: Reader, place: NamespaceRef, *, clock: Clock) -> None:
        self._reader = reader
        self._place = place
        self._pace = Pace(clock)

    def whole(self, kind: Kind, name: str) -> Union[Fields, StepError]:
        """Return one object whole, or why it could not be read."""
        found = self._read(get_live(self._place, kind=kind, name=name))
        return found if isinstance(found, StepError) else found.manifest

    def by_name(self, kind: Kind) -> Optional[Mapping[str, Fields]]:
        """Return all objects of a kind by name, pruned; None where they can't be listed."""
        found = self._read(list_live(self._place, kind=kind))
        if isinstance(found, StepError):
            return None
        items = [mapping_at(item) for item in list_at(found.manifest, "items")]
        return {text_at(item, "metadata", "name"): item for item in items}

    def lacks(self, kind: Kind, name: str) -> bool:
        """Tell whether a list lacks an object: BCS answers alike for what is not there and for much else."""
        items = self.by_name(kind)
        return items is not None and name not in items

    def all_pods(self) -> Optional[Pods]:
        """Return the pods of the namespace; None where they can't be listed."""
        found = self._pods(list_live(self._place, kind=POD))
        return None if isinstance(found, StepError) else found

    def pods_of(self, kind: Kind, name: str, *, labels: Mapping[str, str]) -> Union[Pods, StepError]:
        """Return the pods of one workload, which selects these labels, or why they could not be listed."""
        return self._pods(list_pods_of(self._place, kind=kind, name=name, labels=labels))

    def _pods(self, call: Read[LiveList]) -> Union[Pods, StepError]:
        found = self._read(call)
        return found if isinstance(found, StepError) else read_summaries(found.manifest, found.manifest_ext)

    def _read(self, call: Read[T]) -> Union[T, StepError]:
        self._pace.take()
        try:
            return self._reader.read(call)
        except StepError as exc:
            return exc


def with_definitions(
    reader: Reader, place: NamespaceRef, workloads: Sequence[Workload]
) -> tuple[Workload, ...]:
    """Return the workloads, those of kinds that only a comment declares by the definition that is there.

    Where none is, or nobody may look, they stay as they are: the wait tells why it can't look.
    """
    routes: dict[tuple[str, str], str] = {}
    for workload in workloads:
        kind = workload.kind
        if kind.is_guessed and (kind.group, kind.name) not in routes:
            routes[kind.group, kind.name] = _route_of(reader, place, kind, workload.name)
    return tuple(
        replace(workload, kind=workload.kind._replace(route=routes[workload.kind.group, workload.kind.name]))
        if workload.kind.is_guessed
        else workload
        for workload in workloads
    )


def _route_of(reader: Reader, place: NamespaceRef, kind: Kind, name: str) -> str:
    for definition in definition_names(kind.group, kind.name):
        guess = kind._replace(route=f"crds/{definition}")
        try:
            reader.read(get_live(place, kind=guess, name=name))
        except BcsFailed as exc:
            if NO_DEFINITION in str(exc.message):
                continue
        except StepError:
            return kind.route
        return guess.route
    return kind.route


# --- after a deployment -------------------------------------------------------------------------------


LOOK_EVERY = 4.0
"""Seconds between two tries; the gateway's own are before each of them."""


class PatientWriter:
    """A writer whose reads are tried until a deadline. `on_sight` hears that they fail, and then that not."""

    def __init__(
        self, writer: Writer, *, clock: Clock, deadline: Deadline, on_sight: Callable[[Optional[Blind]], None]
    ) -> None:
        self._writer = writer
        self._clock = clock
        self._deadline = deadline
        self._on_sight = on_sight
        self._is_patient = True

    @property
    def most_at_once(self) -> int:
        """Return how many requests may be under way at once."""
        return self._writer.most_at_once

    @property
    def site(self) -> Site:
        """Return what is known of BCS's dialect."""
        return self._writer.site

    def write(self, call: Write[T]) -> T:
        """Send a write and return its answer."""
        try:
            return self._writer.write(call)
        except (GatewayFailed, OutcomeUnknown):
            raise
        except StepError:
            self._is_patient = False
            raise

    def read(self, call: Read[T]) -> T:
        """Send a read until it is answered, and return its answer.

        Raises:
            RolloutUnseen: it was not, in all the time there was.
        """
        blind: Optional[Blind] = None
        while True:
            try:
                answer = self._writer.read(call)
            except StepError as exc:
                if not self._is_patient or (isinstance(exc, GatewayFailed) and _is_large(call)):
                    raise
                blind = self._missed(blind, exc)
                continue
            if blind is not None:
                self._on_sight(None)
            return answer

    def _missed(self, blind: Optional[Blind], error: StepError) -> Blind:
        """Wait for the next try, and say once that there is one; there is none when the time is over."""
        since = self._clock.now() if blind is None else blind.since
        now = Blind(since, error)
        if self._deadline.remaining() <= LOOK_EVERY:
            detail = say("rollout.unseen", since=clock_time(since), problem=error.title())
            raise RolloutUnseen(count=1, details=[detail], context=error.context) from error
        if blind is None:
            self._on_sight(now)
        before = self._clock.monotonic()
        self._clock.wait(LOOK_EVERY)
        if self._clock.monotonic() - before < LOOK_EVERY / 2:  # the run is being stopped
            raise error
        return now


def _is_large(call: Read[T]) -> bool:
    """Tell whether a call looks at several files at once."""
    asked = (call.body or {}).get("templateVersions")
    return isinstance(asked, list) and len(asked) > 1
