"""Where the rollout of a live workload is, what is waited for, and how it ended, as values. Performs no I/O.

Each kind has its own rule (`manifests/kind_rules.py`). Three hold for every kind, and are ours: what does not
carry the expected template version is not ready, however well it runs; what is being deleted is gone, unless
it has come to its end before; and an answer without `status`, or one cut down for a list (facts/bcs.md, trap
12), tells nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from typing import Optional

from bcs_template_set.bcs.marks import UNMARKED, Mark, mark_of
from bcs_template_set.manifests.fields import Fields, list_at, mapping_at, text_at
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kind_rules import (
    DONE,
    Counts,
    Look,
    RolloutRule,
    WorkloadState,
    progress_deadline,
)
from bcs_template_set.manifests.live_fields import count_at, is_going
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.messages.text import shorten
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.rollout.causes import Cause
from bcs_template_set.rollout.pods import PodProblem

MOST_MESSAGES, MOST_COLUMNS = 3, 300
_ENDED_BADLY = frozenset({"Failed", "Error", "Inconclusive"})


@dataclass(frozen=True)
class RolloutStatus:
    """Where a rollout is. `nothing` means there is nothing to wait for, and the sentence says why.

    `done` of `wanted` pods are new and well; a lower bound where the cluster counts old and new together.
    `deadline` is how many seconds without progress Kubernetes allows, None where it sets no limit.
    `serving` pods are well, old or new; None where the workload serves nobody, or nothing is known. `old` are
    there that are not new.
    """

    state: WorkloadState
    sentence: Text
    done: int = 0
    wanted: int = 0
    deadline: Optional[int] = None
    serving: Optional[int] = None
    old: int = 0


def status_of(kind: Kind, live: Fields, *, mark: Optional[Mark] = None) -> RolloutStatus:
    """Return where the rollout of a live object is.

    With a `mark`, an object that has another one is progressing, whatever its pods do.
    """
    rule = kind.rule
    if rule is None:
        return RolloutStatus("nothing", say("rollout.no_rollout", kind=kind.name))
    counts = rule.counts(live)
    look = rule.look(live, counts)
    state, sentence = _known(kind, rule, live, counts, mark=mark) or look
    wanted = max(0, counts.wanted) + counts.kept
    return RolloutStatus(
        state,
        sentence,
        done=wanted if state == "ready" else counts.done,
        wanted=wanted,
        deadline=progress_deadline(live),
        serving=counts.well if kind.has_selector and isinstance(live.get("status"), Mapping) else None,
        old=max(0, counts.total - counts.updated),
    )


def _known(
    kind: Kind, rule: RolloutRule, live: Fields, counts: Counts, *, mark: Optional[Mark]
) -> Optional[Look]:
    """Return what the rules that hold for every kind find, None where they find nothing."""
    # A Job that is done is deleted by its own clean-up.
    if is_going(live) and not (rule.ends and rule.look(live, counts)[0] in ("ready", "failed")):
        return "gone", say("rollout.deleting")
    needs_status = rule.needs_status
    has_status = isinstance(live.get("status"), Mapping)
    found = mark_of(live)
    # What has neither marks nor status is cut down, and no version of anybody's.
    if mark is not None and found != mark and (found != UNMARKED or has_status or not needs_status):
        version = found.version or say("rollout.unmarked")
        if found.file not in ("", mark.file):
            return "progressing", say("rollout.old_file", file=found.file, found=version, **counts.numbers)
        return "progressing", say("rollout.old", found=version, version=mark.version, **counts.numbers)
    # An entry of a list has no generation (trap 12).
    is_whole = not kind.has_generation or count_at(live, "metadata", "generation") > 0
    if needs_status and not (has_status and is_whole):
        return "progressing", say("rollout.no_status")
    return None


# --- hooks --------------------------------------------------------------------------------------------


def with_words_of_runs(status: RolloutStatus, runs: Mapping[str, Fields], *, live: Fields) -> RolloutStatus:
    """Return the status of a live workload with what its failed runs say, as it is where they say nothing.

    The run of a hook is an object beside the workload, and tells there how it ended.
    """
    words = [word for run in runs.values() for word in _words(run, live)]
    if not words:
        return status
    messages = [shorten(word, MOST_COLUMNS) for word in list(dict.fromkeys(words))[:MOST_MESSAGES]]
    return replace(status, sentence=say("rollout.hook_said", sentence=status.sentence, messages=messages))


def _words(run: Fields, live: Fields) -> Iterator[str]:
    """Yield the messages of a run of this workload that ended badly."""
    owners = map(mapping_at, list_at(run, "metadata", "ownerReferences"))
    uid = text_at(live, "metadata", "uid")
    if text_at(run, "status", "phase") not in _ENDED_BADLY or uid not in [text_at(o, "uid") for o in owners]:
        return
    results = [mapping_at(result) for result in list_at(run, "status", "metricResults")]
    tries = [mapping_at(one) for result in results for one in list_at(result, "measurements")]
    for told in (mapping_at(run, "status"), *results, *tries):
        if text_at(told, "message"):
            yield text_at(told, "message")


# --- what is waited for -------------------------------------------------------------------------------


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
        key = self.status and self.status.sentence.key
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
