"""What a run has come to know and do so far: the one thing that changes while it runs.

Every way out, also an exception in the middle of publishing, tells its `Outcome` from here, so that what
was written is said. Performs no I/O; safe to add to from several threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import field, replace
from typing import TYPE_CHECKING, Optional

from bcs_template_set.bcs.gateway import Exchange
from bcs_template_set.branches.branch_rows import BranchRow
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.messages import Language, Text, say
from bcs_template_set.messages.server_errors import DeployIncomplete, OutcomeUnknown
from bcs_template_set.messages.state_words import Result
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.publish.file_outcome import ChartState, FileOutcome
from bcs_template_set.publish.plan import Plan
from bcs_template_set.publish.take_away import Taken
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.report.examination import Finding
from bcs_template_set.report.outcome import Heading, Identity, Outcome, Phase
from bcs_template_set.rollout.result import Rollout
from bcs_template_set.rollout.watched import Watched
from bcs_template_set.system.clock import Clock

if TYPE_CHECKING:
    from bcs_template_set.run.journal import Journal


@dataclass(eq=False)
class _Write:
    """A write under way; `is_sent` once it was answered, or given up."""

    thread: int
    is_sent: bool = False


@dataclass
class RunRecord:
    """Collects what happened. `heading` and the rest are filled in as soon as each is known.

    `gone_well` names the phases that did not end by an error. `may_have_written`: the run was stopped while
    it was not known what became of a write. `on_move` hears, from whichever thread, that
    the record can be told further than before. `journal` is what this task's tries leave for each other, None
    where nobody acts yet, or nobody keeps it.
    """

    clock: Clock
    language: Language
    heading: Heading
    identity: Optional[Identity] = None
    plan: Optional[Plan] = None
    chart: ChartState = "none"
    warnings: list[Text] = field(default_factory=list)
    phases: list[Phase] = field(default_factory=list)
    gone_well: list[str] = field(default_factory=list)
    requests: list[Exchange] = field(default_factory=list)
    rollout: Optional[Rollout] = None
    taken: Optional[Taken] = None
    branches: tuple[BranchRow, ...] = ()
    findings: tuple[Finding, ...] = ()
    error: Optional[StepError] = None
    rendered: tuple[ManifestFile, ...] = ()
    created_space: bool = False
    stopped: bool = False
    may_have_written: bool = False
    under_way: Optional[Phase] = None
    journal: Optional[Journal] = None
    on_move: Callable[[RunRecord], None] = lambda _: None
    _watched: dict[str, Watched] = field(default_factory=dict)
    _writes: set[_Write] = field(default_factory=set)
    _files: dict[str, FileOutcome] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time a phase of the run, however it ends."""
        began, at = self.clock.monotonic(), self.clock.now()
        self.under_way = Phase(name, at, 0.0)
        self.on_move(self)
        try:
            yield
            self.gone_well.append(name)
        finally:
            self.under_way = None
            self.phases.append(Phase(name, at, self.clock.monotonic() - began))
            self.on_move(self)

    def note_file(self, outcome: FileOutcome) -> None:
        """Remember how a file ended; what is known later replaces what was known before.

        A file that an earlier round wrote stays written, also where a later round finds it unchanged.
        """
        with self._lock:
            if self.stopped:
                return
            self._answered()
            known = self._files.get(outcome.change.name)
            self._files[outcome.change.name] = _later(known, outcome)
        self.on_move(self)

    def note_taken(self, taken: Taken) -> None:
        """Remember how far the deletion of what was left is."""
        with self._lock:
            if self.stopped:
                return
            self.taken = taken
            self._answered()
        self.on_move(self)

    def watch(self, item: Watched) -> None:
        """Remember where a workload is, for whoever asks how far the run is."""
        with self._lock:
            self._watched[item.workload.title] = item
        self.on_move(self)

    def watched(self) -> tuple[Watched, ...]:
        """Return the workloads that are waited for, or were, as far as they are now; sorted."""
        with self._lock:
            return tuple(item for _, item in sorted(self._watched.items()))

    def record_request(self, exchange: Exchange) -> None:
        """Remember a request."""
        with self._lock:
            self.requests.append(exchange)
        self.on_move(self)

    @contextmanager
    def writing(self) -> Iterator[_Write]:
        """Hold a write from when it is sent until its thread records what came of it.

        One that BCS refused is over at once. One that a stop leaves, which is no `Exception`, is held for
        good: nobody knows what became of it.
        """
        write = _Write(threading.get_ident())
        with self._lock:
            self._writes.add(write)
        try:
            yield write
        except Exception as exc:
            with self._lock:
                write.is_sent = True
                if not _may_have_written(exc):
                    self._writes.discard(write)
            raise
        with self._lock:
            write.is_sent = True

    def record_space(self, *, created: bool) -> None:
        """Remember whether this run has created the folder: what came of that write is known by it."""
        with self._lock:
            self.created_space = created
            self._answered()

    def _answered(self) -> None:
        """Let go of this thread's writes, since it has recorded what came of them."""
        self._writes = {write for write in self._writes if write.thread != threading.get_ident()}

    def stop(self, error: StepError) -> None:
        """End the record of a run that is stopped: what its threads still do is not part of it."""
        with self._lock:
            self.stopped, self.error = True, error
            count = len(self._threads_with_open_writes())
        self.may_have_written = count > 0
        if count:
            self.warnings.append(say("step.writes_under_way", count=count))

    def _threads_with_open_writes(self) -> set[int]:
        """Return the threads with a write of which nobody has told yet what came of it.

        What was deployed is told by the rollout, not by files: then only a write under way is open.
        """
        publishing = "publish" not in self.gone_well
        return {write.thread for write in self._writes if publishing or not write.is_sent}

    def found_space(self, space_id: str) -> None:
        """Remember the folder's id, by which the console shows it."""
        self.heading = replace(self.heading, console=replace(self.heading.console, space_id=space_id))

    def files(self) -> tuple[FileOutcome, ...]:
        """Return how every planned change has ended; those nobody got to are "not-attempted"."""
        with self._lock:
            known = dict(self._files)
        changes = {change.name: change for change in (self.plan.changes if self.plan is not None else ())}
        for name, change in changes.items():
            known.setdefault(name, FileOutcome(change, "not-attempted"))
        return tuple(known[name] for name in sorted(known))

    def applied(self) -> tuple[FileOutcome, ...]:
        """Return the files that were written."""
        with self._lock:
            return tuple(f for _, f in sorted(self._files.items()) if f.state == "applied")

    def tell(self, result: Result) -> Outcome:
        """Return the whole record so far as a value."""
        changed = self.created_space or self.chart == "created" or self.may_have_written
        changed = changed or _may_have_written(self.error)
        changed = changed or any(map(_may_have_changed, self.files()))
        changed = changed or _may_have_deployed(self.rollout, self.error)
        changed = changed or (self.taken is not None and self.taken.is_begun)
        return Outcome(
            result=result,
            changed=changed,
            language=self.language,
            heading=self.heading,
            identity=self.identity,
            plan=self.plan,
            files=self.files(),
            chart=self.chart,
            rollout=self._rollout_so_far(),
            taken=self.taken,
            branches=self.branches,
            findings=self.findings,
            error=self.error,
            warnings=tuple(self.warnings),
            phases=tuple(self.phases),
            requests=tuple(self.requests),
            finished_at=self.clock.now(),
        )

    def _rollout_so_far(self) -> Optional[Rollout]:
        """Return the rollout; where the run was stopped in its wait, with the workloads as last seen."""
        rollout = self.rollout
        if rollout is None or rollout.watched:
            return rollout
        files = {(file.name, file.version) for file in (*rollout.deployed, *rollout.live_already)}
        seen = [w for w in self.watched() if (w.workload.file_name, w.workload.version) in files]
        return replace(rollout, watched=tuple(seen))


def _later(known: Optional[FileOutcome], outcome: FileOutcome) -> FileOutcome:
    """Return what is true of a file in two rounds: a version once written stays written.

    So it does where a later round could not write another one, and found then that none is needed.
    """
    if known is None or not known.version_id or known.state not in ("applied", "failed"):
        return outcome
    if outcome.state in ("unchanged", "skipped"):
        return replace(known, state="applied", error=None)
    if outcome.state == "failed" and not outcome.version_id:
        return replace(outcome, version_id=known.version_id, version=known.version)
    return outcome


def _may_have_changed(file: FileOutcome) -> bool:
    """Tell whether a file was written, partly written, or perhaps written."""
    is_half_done = file.state == "failed" and bool(file.version_id)
    return file.state == "applied" or is_half_done or _may_have_written(file.error)


def _may_have_written(error: Optional[Exception]) -> bool:
    return isinstance(error, OutcomeUnknown)


def _may_have_deployed(rollout: Optional[Rollout], error: Optional[StepError]) -> bool:
    """Tell whether a deployment changed what is live, or may have: then it is not known how far it came."""
    if rollout is None:
        return False
    return bool(rollout.deployed or rollout.partly or rollout.unread) or isinstance(error, DeployIncomplete)
