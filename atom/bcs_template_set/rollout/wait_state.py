"""What is known of a workload while it is waited for: when it was seen, and since when it is not.

Performs no I/O. Moments are seconds: `*_at` of our own clock that never goes back, but for `seen_at` and what
`Blind` holds, which are for people and count from the epoch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field, replace
from typing import Literal, Optional

from bcs_template_set.bcs.marks import told_mark
from bcs_template_set.manifests.declared_kinds import NO_DEFINITION
from bcs_template_set.manifests.fields import Fields, mapping_at, text_at
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kind_rules import DEADLINE_EXCEEDED
from bcs_template_set.manifests.live_fields import condition_of, count_at
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import AppNotGranted
from bcs_template_set.messages.server_errors import ApiMissing, BcsFailed
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.rollout.causes import (
    Cause,
    cause_of_change,
    cause_of_replacement,
    cause_of_vanishing,
    is_silent,
    told_by,
)
from bcs_template_set.rollout.live_diff import fields_changed, pods_of, with_hidden
from bcs_template_set.rollout.pods import PodProblem
from bcs_template_set.rollout.watched import (
    CHANGED,
    OF_OTHERS,
    OLD,
    Blind,
    RolloutStatus,
    Watched,
    Workload,
    status_of,
)
from bcs_template_set.system.clock import Clock

_TEMPLATE = "spec.template"
_DELETING = "rollout.deleting"
_BEFORE = {"rollout.deadline_exceeded": "rollout.deadline_before"}

GONE_AFTER = 10.0
"""Seconds for which nobody must find an object, or a way to it: a server may answer out of an old cache."""


def _is_for_good(error: StepError) -> bool:
    """Tell whether an answer about a custom object, if it lasts, means that nobody serves it to this app.

    A definition that is not there is one of another name: the object itself has just been applied.
    """
    no_definition = isinstance(error, BcsFailed) and NO_DEFINITION in str(error.message)
    return no_definition or isinstance(error, (ApiMissing, AppNotGranted))


def _given_up_at(live: Fields) -> str:
    """Return when Kubernetes gave it up for want of progress, as it writes that; "" where it has not."""
    condition = condition_of(live, "Progressing")
    return text_at(condition, "lastUpdateTime") if condition.get("reason") == DEADLINE_EXCEEDED else ""


Lasting = Literal["missing", "replaced", "silent", "unserved"]
"""What may be true of a workload for a moment, and counts only where it lasts."""


@dataclass(eq=False)
class WaitState:
    """A workload that is waited for. It was there before the wait: the deployment has read it back."""

    workload: Workload
    now: Watched
    looked_at: float
    seen_at: float
    live: Fields = field(default_factory=dict)
    first: Fields = field(default_factory=dict)
    pods_read_at: float = float("-inf")
    blind: Optional[Blind] = None
    pods_blind: Optional[Blind] = None
    began: dict[Lasting, float] = field(default_factory=dict)
    was_served: bool = False
    told: Watched = field(init=False)
    since: dict[tuple[str, str, str], float] = field(default_factory=dict)
    known: dict[tuple[str, str, str], PodProblem] = field(default_factory=dict)
    restarts: dict[tuple[str, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.told = self.now

    @property
    def is_waiting(self) -> bool:
        """Tell whether it has not ended."""
        return self.now.end == "pending"

    @property
    def can_cease_to_be_ready(self) -> bool:
        """Tell whether it is ready, and of a kind that does not end by itself."""
        return self.now.end == "ready" and not self.workload.kind.ends

    @property
    def asks_for_its_pods(self) -> bool:
        """Tell whether the pods have more to say: of one at our version that is not ready, or has failed.

        The pods of one at another version are somebody else's, and those of one being deleted are going.
        """
        status = self.now.status
        if status is None or self.blind is not None or status.sentence.key in (*OF_OTHERS, _DELETING):
            return False
        return self.now.end in ("pending", "failed")

    def status(self, live: Fields) -> RolloutStatus:
        """Return where its rollout is, by what was just read.

        Whatever the mark: with another template than was deployed it is somebody else's.
        """
        self.first, self.live = self.first or live, live
        found = status_of(self.workload.kind, live, mark=self.workload.mark)
        if found.state == "failed" and self._was_given_up(live):
            key = _BEFORE.get(found.sentence.key, found.sentence.key)
            found = replace(found, state="progressing", sentence=replace(found.sentence, key=key))
        fields = self._fields_changed()
        if not fields or found.state == "gone" or found.sentence.key in OLD:
            return found
        return replace(found, state="progressing", sentence=say(CHANGED, fields=list(fields)))

    @property
    def met_others(self) -> bool:
        """Tell whether there were more writes that change the spec than ours: each counts one up.

        A number of pods that is another since our call may be an autoscaler's, and is nobody's loss; and
        the spec of a custom object may be its controller's to write.
        """
        before, now = self.workload.generation, count_at(self.first, "metadata", "generation")
        same_pods = pods_of(self.first) == pods_of(self.workload.live)
        return 0 < before < now - 1 and same_pods and not self.workload.kind.is_custom

    def _was_given_up(self, live: Fields) -> bool:
        """Tell whether it was given up for want of progress before the wait, and nothing has moved since.

        Kubernetes keeps the condition until there is progress, also for a ReplicaSet that is gone back to
        (kubernetes/kubernetes, pkg/controller/deployment/sync.go and progress.go, 2026-07).
        """
        moment = _given_up_at(self.first)
        return bool(moment) and moment == _given_up_at(live)

    def _fields_changed(self) -> tuple[str, ...]:
        """Name the fields of its pods' template that somebody has changed since it was deployed.

        What the preview cuts from that is taken as it is seen first (facts/bcs.md, trap 13).
        """
        bodies = (self.workload.wanted, self.first, self.live)
        wanted, first, now = (mapping_at(body, "spec", "template") for body in bodies)
        seen = mapping_at(with_hidden(self.workload.live, self.first), "spec", "template")
        is_compared = self.workload.kind.pod_template == _TEMPLATE and wanted and now
        return fields_changed({**wanted}, {**(seen or first)}, {**now}) if is_compared else ()

    def cause_of_others(self, status: RolloutStatus) -> Optional[Cause]:
        """Return what to say where others have deployed over it, or changed it; None where they have not."""
        if status.sentence.key == CHANGED:
            return cause_of_change(status.sentence)
        if status.sentence.key not in OLD:
            return None
        return cause_of_replacement(told_mark(self.live), version=self.workload.mark.version)

    def lasts(self, what: Lasting, now: float) -> float:
        """Note that something is true of it, and return for how many seconds it has been so."""
        return now - self.began.setdefault(what, now)

    def over(self, *what: Lasting) -> None:
        """Note that something is not true of it."""
        for name in what:
            self.began.pop(name, None)

    def saw(self, clock: Clock) -> None:
        """Note that it is there."""
        self.blind = None
        self.over("missing", "unserved")
        self.was_served = True
        self.seen_at = clock.now()

    def could_not_look(self, error: StepError, clock: Clock) -> None:
        """Note that nobody knows whether it is there."""
        self.over("missing")
        self.blind = self.blind or Blind(clock.now(), error)

    def is_unserved(self, error: StepError, clock: Clock) -> bool:
        """Tell whether there has been no way to read objects of this custom kind for a while."""
        if not (self.workload.kind.is_custom and _is_for_good(error)):
            self.over("unserved")
            self.was_served = True
            return False
        return self.lasts("unserved", clock.monotonic()) >= GONE_AFTER

    def did_not_find(self, clock: Clock) -> bool:
        """Note that it is not there, and tell whether that has lasted."""
        self.blind = None
        return self.lasts("missing", clock.monotonic()) >= GONE_AFTER

    def condition(self, now: float) -> Optional[Cause]:
        """Return what the workload said of itself when it was last read, at this moment."""
        if is_silent(self.workload.kind, self.live):
            self.lasts("silent", now)
        else:
            self.over("silent")
        silent_for = now - self.began.get("silent", now)
        told = told_by(self.workload.kind, self.live, silent_for=silent_for)
        is_old = told is not None and told.name == "progress_deadline" and self._was_given_up(self.live)
        return None if is_old else told

    def gone(self) -> Watched:
        """Return that it is gone, with what it was when it was last seen."""
        kind, title = self.workload.kind, self.workload.title
        cause = cause_of_vanishing(kind, title, live=self.live, seen_at=self.seen_at, patience=GONE_AFTER)
        return replace(self.now, end="gone", cause=cause, problem=None, condition=None)

    def ended(self) -> Watched:
        """Return how it ended when the time is over: what could not be looked at in the end is unseen."""
        if not self.is_waiting:
            return self.now
        if "missing" in self.began:
            return self.gone()
        if self.blind is not None:
            return replace(self.now, end="unseen", blind=self.blind)
        return replace(self.now, blind=self.pods_blind)


def by_kind(states: Sequence[WaitState]) -> list[tuple[Kind, list[WaitState]]]:
    """Return the states of each kind, by the kinds' names."""
    kinds = sorted({state.workload.kind for state in states}, key=lambda kind: kind.name)
    return [(kind, [state for state in states if state.workload.kind == kind]) for kind in kinds]
