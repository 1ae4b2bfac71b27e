"""Read live objects while they are waited for: at a pace, and a read that fails is a value, not an end.

Whatever stands in the way of a look (a refusal, an outage of the gateway, a token that is over) says nothing
about the workload: BCS answers 40300 also when its permission centre is down. So it is told, and looked at
again.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Optional, TypeVar, Union

from bcs_template_set.bcs.calls import Read, Reader
from bcs_template_set.bcs.deploy_calls import LiveList, NamespaceRef, get_live, list_live, list_pods_of
from bcs_template_set.bcs.told_by_bcs import NOT_FOUND
from bcs_template_set.manifests.declared_kinds import NO_DEFINITION, definition_names
from bcs_template_set.manifests.fields import Fields, list_at, mapping_at, text_at
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kinds import POD
from bcs_template_set.messages.server_errors import BcsFailed
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.rollout.newest_pods import PodSummary, read_summaries
from bcs_template_set.rollout.watched import Workload
from bcs_template_set.system.clock import Clock

PER_SECOND = 7.0
"""Fewer than eight requests a second leave, however many workloads there are."""

BURST = 22.0
"""What an idle stretch may save up, so that many workloads that become ready at once are seen at once."""

T = TypeVar("T")
Pods = tuple[PodSummary, ...]


@dataclass(frozen=True)
class Unread:
    """A look that failed, and why."""

    error: StepError

    @property
    def may_be_missing(self) -> bool:
        """Tell whether this may be the answer of an object that is not there."""
        return isinstance(self.error, BcsFailed) and self.error.bcs_code == NOT_FOUND


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

    def whole(self, kind: Kind, name: str) -> Union[Fields, Unread]:
        """Return one object whole."""
        found = self._read(get_live(self._place, kind=kind, name=name))
        return found if isinstance(found, Unread) else found.manifest

    def by_name(self, kind: Kind) -> Optional[Mapping[str, Fields]]:
        """Return all objects of a kind by name, pruned; None where they can't be listed."""
        found = self._read(list_live(self._place, kind=kind))
        if isinstance(found, Unread):
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
        return None if isinstance(found, Unread) else found

    def pods_of(self, kind: Kind, name: str, *, labels: Mapping[str, str]) -> Union[Pods, Unread]:
        """Return the pods of one workload, which selects these labels."""
        return self._pods(list_pods_of(self._place, kind=kind, name=name, labels=labels))

    def _pods(self, call: Read[LiveList]) -> Union[Pods, Unread]:
        found = self._read(call)
        return found if isinstance(found, Unread) else read_summaries(found.manifest, found.manifest_ext)

    def _read(self, call: Read[T]) -> Union[T, Unread]:
        self._pace.take()
        try:
            return self._reader.read(call)
        except StepError as exc:
            return Unread(exc)


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
