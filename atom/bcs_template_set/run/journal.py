"""What a run leaves in its folder: for its next try, for the end of its job, and for who compares its plan.

What a step that deploys leaves is written before the deployment, so that also a try that is killed in its
wait leaves word of what was live before, and once more at the end. Whoever reads it believes it only with the
step's seal (job_state.py).

What a planned run leaves says which part of a later plan differs from the one that was approved. It lies
where other steps can write, so it is only for words: the digest alone decides. It holds no value, only what
the acting user's secret makes of each: who has it not can't tell one, nor make one.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Optional

from bcs_template_set.agent.build_info import BuildInfo, TaskInfo
from bcs_template_set.config.inputs import Settings
from bcs_template_set.config.principal import Principal
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import WorkspaceUnwritable
from bcs_template_set.messages.step_error import first_names
from bcs_template_set.publish.plan import Plan
from bcs_template_set.records.declared import Record
from bcs_template_set.records.decoding import decode, encode
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.report.outcome import Outcome
from bcs_template_set.report.write_report import write_text
from bcs_template_set.rollout.deployment_plan import DeploymentPlan
from bcs_template_set.rollout.live_state import FileVersion
from bcs_template_set.rollout.result import Before
from bcs_template_set.run.job_state import JobState, Seal, encode_state, is_genuine, read_sealed, state_of
from bcs_template_set.system.own_files import OwnFile

LARGEST_STATE = 10 * 1024 * 1024
"""Bytes; a file of a deployment takes some hundred."""


@dataclass(frozen=True)
class EarlierTry:
    """What earlier tries of this step have deployed of a plan: files, and what was live before each.

    Of `lost` files, live at this build's own version, nobody knows any more what was live before.
    """

    files: tuple[FileVersion, ...] = ()
    before: tuple[Before, ...] = ()
    lost: tuple[str, ...] = ()


@dataclass(frozen=True)
class Journal:
    """The file of one task of one build, what proves that a state in it is ours, and which try this is."""

    file: OwnFile
    seal: Seal
    attempt: int

    def leave(self, outcome: Outcome) -> Outcome:
        """Write what a next try or the post action needs; return the outcome.

        What an earlier try left, and somebody has changed since, stays as it is: then the post action says
        so. A file that can't be written costs the restore, not the verdict: it becomes a warning.
        """
        try:
            text = read_state(self.file)
            earlier = self._believed(text)
            if text is not None and earlier is None:
                return _with_warning(outcome, say("post.not_genuine", file=str(self.file)))
            state = state_of(
                outcome,
                user=self.seal.user,
                attempt=self.attempt,
                earlier=earlier,
                whole=self.attempt <= 1 or earlier is not None,
            )
            write_text(self.file, encode_state(state, self.seal))
        except WorkspaceUnwritable as exc:
            return _with_warning(outcome, exc.title())
        return outcome

    def earlier_try(self, plan: DeploymentPlan, *, own: frozenset[str], settings: Settings) -> EarlierTry:
        """Return what this step's earlier tries have deployed; `own` are files at this build's version."""
        if self.attempt <= 1:
            return EarlierTry()
        try:
            state = self._believed(read_state(self.file))
        except WorkspaceUnwritable:
            state = None
        if state is not None and state.differs_from(settings):
            state = None
        known = {(f.name, f.version): f for f in state.files} if state is not None else {}
        live = [file for file in plan.live_already if (file.name, file.version) in known]
        again = [file for file in plan.deploy if (file.name, file.version) in known]
        found = [known[file.name, file.version] for file in (*live, *again)]
        is_whole = state is not None and state.whole
        lost = [] if is_whole else [f.name for f in plan.live_already if f.name in own and f not in live]
        return EarlierTry(
            files=tuple(replace(file, rewritten=known[file.name, file.version].rewritten) for file in live),
            before=tuple(file.was for file in found),
            lost=tuple(lost),
        )

    def _believed(self, text: Optional[str]) -> Optional[JobState]:
        sealed = read_sealed(text) if text is not None else None
        return sealed.state if sealed is not None and is_genuine(sealed, self.seal) else None


def seal_of(principal: Principal, build: BuildInfo, *, task: TaskInfo, task_id: str) -> Seal:
    """Return what proves that a state was written by this task of this build, as this principal."""
    ids = (task.project, task.build_id, build.pipeline_id, task_id)
    return Seal(ids, principal.label, principal.secrets()[0])


def read_state(file: OwnFile) -> Optional[str]:
    """Return the text that the step left, None where there is no such file; of one too large for ours, "".

    Raises:
        WorkspaceUnwritable: there is one, and it can't be read.
    """
    try:
        data = file.read_bytes(most=LARGEST_STATE + 1)
    except FileNotFoundError:
        return None
    return data.decode("utf-8", errors="replace") if len(data) <= LARGEST_STATE else ""


def _with_warning(outcome: Outcome, problem: object) -> Outcome:
    warning = say("post.not_kept", problem=problem)
    return replace(outcome, warnings=(*outcome.warnings, warning))


LARGEST_PLAN = 10 * 1024 * 1024
"""Bytes; a file of a plan takes some hundred."""

Part = tuple[str, str]
"""What kind of part it is, and its name."""


class ApprovedPlan(Record):
    """The parts of a plan, kind, name and what the secret makes of the value; `mark` is that of them all."""

    parts: tuple[tuple[str, str, str], ...]
    mark: str


def leave_plan(journal: Optional[Journal], plan: Plan) -> None:
    """Leave the parts of a plan under its digest; where that can't be, a refusal will name no part."""
    if journal is not None:
        with suppress(WorkspaceUnwritable):
            text = encode(_sealed(plan, plan.digest, journal)).decode("utf-8")
            write_text(_file(journal, plan.digest), text)


def what_differs(journal: Optional[Journal], plan: Plan, *, approved: str) -> list[Text]:
    """Say which parts of a plan are not those of the approved one; nothing where that one is not known."""
    known = _read(journal, approved) if journal is not None else None
    if journal is None or known is None:
        return []
    ours = _sealed(plan, approved, journal)
    theirs = {(kind, name): value for kind, name, value in known.parts}
    mine = {(kind, name): value for kind, name, value in ours.parts}
    different = sorted(part for part in {*theirs, *mine} if theirs.get(part) != mine.get(part))
    return list(_told(different))


def _told(parts: Iterable[Part]) -> Iterable[Text]:
    kinds: dict[str, list[str]] = {}
    for kind, name in parts:
        kinds.setdefault(kind, []).append(name)
    for kind, names in kinds.items():
        yield say(f"plan.differs_{kind}", names=first_names(names))


def _sealed(plan: Plan, digest: str, journal: Journal) -> ApprovedPlan:
    key = _key(journal, digest)
    parts = tuple((kind, name, _mark(key, [kind, name, value])) for kind, name, value in plan.parts)
    return ApprovedPlan(parts, _mark(key, parts))


def _mark(key: bytes, value: object) -> str:
    return hmac.new(key, encode(value), hashlib.sha256).hexdigest()


def _read(journal: Journal, digest: str) -> Optional[ApprovedPlan]:
    """Return what was left of a plan, None where there is nothing of ours."""
    try:
        found = decode(_file(journal, digest).read_bytes(most=LARGEST_PLAN), ApprovedPlan)
    except (FileNotFoundError, WorkspaceUnwritable, ValueError, RecursionError):
        return None
    mark = _mark(_key(journal, digest), found.parts).encode("ascii")
    return found if hmac.compare_digest(found.mark.encode("utf-8", "replace"), mark) else None


def _key(journal: Journal, digest: str) -> bytes:
    seal = journal.seal
    return seal.secret.mark(encode(["plan", seal.user, digest])).encode("ascii")


def _file(journal: Journal, digest: str) -> OwnFile:
    """Return where a plan is left: in the folder of all runs, since a later task looks for it."""
    folder = journal.file.name.partition("/")[0]
    return OwnFile(journal.file.workspace, f"{folder}/plan-{digest}.json")
