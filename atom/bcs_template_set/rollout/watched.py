"""What is waited for, and how it ended, as values. Performs no I/O."""

from __future__ import annotations

from dataclasses import field
from typing import Optional

from bcs_template_set.bcs.marks import Mark
from bcs_template_set.manifests.fields import Fields, mapping_at
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kind_rules import DONE, WorkloadState
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.rollout.causes import Cause
from bcs_template_set.rollout.pods import PodProblem
from bcs_template_set.rollout.status import RolloutStatus

CHANGED = "rollout.changed"
OLD = frozenset({"rollout.old", "rollout.old_file"})
OF_OTHERS = OLD | {CHANGED}
"""What a status says of a workload that is not, or not any more, what was deployed."""


@dataclass(frozen=True)
class Workload:
    """A workload to wait for: what it is, the file `space/name` and the version it must be marked with.

    `marked` is what it is marked with instead where it was live as wanted, and so was not sent. `was_live`:
    this build has not deployed it. `live` is how it was seen last before the wait, `wanted` what its file
    says. `generation` is the one that this build has replaced, 0 where nobody knows.
    """

    kind: Kind
    name: str
    file: str
    version: str
    marked: Optional[Mark] = None
    was_live: bool = False
    live: Fields = field(default_factory=dict, compare=False)
    wanted: Fields = field(default_factory=dict, compare=False)
    generation: int = field(default=0, compare=False)

    @property
    def title(self) -> str:
        """Return `Kind/name`."""
        return f"{self.kind.name}/{self.name}"

    @property
    def mark(self) -> Mark:
        """Return what it must be marked with."""
        return self.marked or Mark(self.file, self.version)

    @property
    def file_name(self) -> str:
        """Return the file's name without its space, whose own name has no `/` (facts/bcs.md)."""
        return self.file.partition("/")[2]


@dataclass(frozen=True)
class Blind:
    """That something can't be looked at: since when, in seconds since the epoch, and why."""

    since: float
    error: StepError


@dataclass(frozen=True)
class Watched:
    """How a workload ended, or where it is. `seconds` counts from the start of the wait.

    `problem` and `cause` say what keeps it from being ready, `condition` what it says of that itself. `blind`
    is why it could not be looked at in the end; where it is not unseen, why its pods could not. `met_others`:
    something else changed its spec between the last look before the deployment and the first one after it.
    """

    workload: Workload
    end: WorkloadState = "pending"
    status: Optional[RolloutStatus] = None
    problem: Optional[PodProblem] = None
    cause: Optional[Cause] = None
    condition: Optional[Cause] = None
    blind: Optional[Blind] = None
    seconds: float = 0.0
    met_others: bool = False

    @property
    def causes(self) -> tuple[Cause, ...]:
        """Return why it is not ready, what its pods say first.

        That it made no progress in time says nothing beside what its pods say.
        """
        told = [self.cause] if self.cause is not None else []
        if self.condition is not None and not (told and self.condition.name == "progress_deadline"):
            told.append(self.condition)
        return tuple(told)

    @property
    def is_of_others(self) -> bool:
        """Tell whether somebody else has deployed over it, changed it or paused it since it was deployed."""
        key = self.status.sentence.key if self.status is not None else ""
        is_paused = key == "rollout.paused" and not mapping_at(self.workload.wanted, "spec").get("paused")
        return key in OF_OTHERS or is_paused

    @property
    def is_as_meant(self) -> bool:
        """Tell whether it is as its text wants it, old pods that a partition keeps included."""
        is_partitioned = self.status is not None and self.status.sentence.key == "rollout.partitioned"
        return self.end in DONE or is_partitioned

    def says_more_than(self, earlier: Watched) -> bool:
        """Tell whether a person would want to hear of this after having heard of the other."""
        return self._told() != earlier._told()

    def _told(self) -> tuple[object, ...]:
        status, trouble = self.status, self.problem and self.problem.key[1:]  # whichever pod has it
        counts = status and (status.sentence.key, status.done, status.wanted)
        return self.end, counts, trouble, self.condition and self.condition.name
