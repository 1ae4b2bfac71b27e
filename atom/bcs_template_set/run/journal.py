"""What a run leaves in its folder: for its next try, for the end of its job, and for who compares its plan.

What a step that deploys leaves is what to go back from, and to. It is written before the deployment, so that
also a try that is killed in its wait leaves word of what was live before, and once more at the end. The
step's next try reads it and, where the author set `restore_if_job_fails`, its post action. Whoever runs code
in that job can write there too. So the state is sealed: with an HMAC that only the holder of the acting
user's secret can make, over the state and over the one task of the one build that it is for. It holds no
secret, and whoever acts later has to be whom it names.

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
from bcs_template_set.messages.secret import Secret
from bcs_template_set.messages.step_error import first_names
from bcs_template_set.publish.plan import Plan
from bcs_template_set.records.declared import Record
from bcs_template_set.records.decoding import decode, encode
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.report.outcome import Outcome
from bcs_template_set.report.write_report import write_text
from bcs_template_set.rollout.deployment_plan import DeploymentPlan
from bcs_template_set.rollout.live_state import FileVersion
from bcs_template_set.rollout.result import Before, Rollout
from bcs_template_set.system.own_files import OwnFile

FORM = 3


class DeployedFile(Record):
    """A file as this step deployed it; `before` is the version name that was live before, "" for none.

    `was_ready`: whether that one was ready, None where nobody knows. `rewritten`: what that version held is
    gone, since this step has put other content under its name.
    """

    name: str
    version_id: str
    version: str
    before: str
    rewritten: bool
    was_ready: Optional[bool] = None

    @property
    def was(self) -> Before:
        """Return what was live before."""
        return Before(self.name, self.before, self.was_ready)


class JobState(Record):
    """What a step of this job came to. `form` is the version of this shape.

    `restores` is False where the step failed by itself, so that `on_failure` has decided; `files` then are
    for its next try. It is True while the step is at it: then one that is killed has decided nothing.
    `attempt` counts the step's tries. `whole` is False where an earlier one has left no word of what it
    deployed.
    """

    form: int
    region: str
    project: str
    space: str
    cluster_id: str
    namespace: str
    acting_user: str
    restores: bool
    whole: bool
    attempt: int
    files: tuple[DeployedFile, ...] = ()

    def differs_from(self, settings: Settings) -> list[tuple[str, str, str]]:
        """Return each input that names another place now: its name, what it was, what it is.

        What has deployed nowhere was at no cluster.
        """
        places = (
            ("region", self.region, settings.region),
            ("project_code", self.project, settings.project_code),
            ("template_space", self.space, settings.template_space),
            ("cluster_id", self.cluster_id, settings.cluster_id),
            ("namespace", self.namespace, settings.namespace),
        )
        return [(name, was, now) for name, was, now in places if was not in ("", now)]

    def deployed(self) -> tuple[FileVersion, ...]:
        """Return the files at the versions that were deployed."""
        return tuple(FileVersion(f.name, f.version_id, f.version, rewritten=f.rewritten) for f in self.files)

    def before(self) -> tuple[Before, ...]:
        """Return what the files were live at before."""
        return tuple(file.was for file in self.files if file.before)


def state_of(
    outcome: Outcome, *, user: str, attempt: int, earlier: Optional[JobState] = None, whole: bool = True
) -> JobState:
    """Return what a run leaves for the end of its job.

    `earlier` is what an earlier try of this step in the same build left: what that one deployed and is live
    still goes back to where it was before that one.
    """
    rollout = outcome.rollout
    known = earlier.files if earlier is not None else ()
    if outcome.result == "restored":
        files: tuple[DeployedFile, ...] = ()
    elif rollout is None:
        files = known
    else:
        files = _files(rollout, known)
    return JobState(
        form=FORM,
        region=outcome.heading.region,
        project=outcome.heading.project,
        space=outcome.heading.space,
        cluster_id=rollout.cluster_id if rollout is not None else "",
        namespace=rollout.namespace if rollout is not None else "",
        acting_user=user,
        restores=outcome.result in ("deployed", "rolled-back", "paused"),
        attempt=attempt,
        whole=whole and (earlier is None or earlier.whole),
        files=files,
    )


def _files(rollout: Rollout, known: tuple[DeployedFile, ...]) -> tuple[DeployedFile, ...]:
    before = {item.file: item for item in rollout.before}
    by_version = {(file.name, file.version): file for file in known}
    touched = (*rollout.deployed, *rollout.partly)
    new: dict[str, DeployedFile] = {}
    for file in touched:
        was = before.get(file.name) or Before(file.name, "")
        new[file.name] = DeployedFile(
            file.name, file.version_id, file.version, was.version, file.rewritten, was_ready=was.ready
        )
    for file in (*touched, *rollout.live_already):
        found = by_version.get((file.name, file.version))
        if found is not None:
            new[file.name] = found
    return tuple(new[name] for name in sorted(new))


# --- the seal -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Seal:
    """What binds a state to one task of one build, and to who acts in it.

    `task` are the ids of BK-CI's project, build, pipeline and task; `secret` is the one that the acting
    user's requests are made with: code in the job does not have it, and the step and its post action both do.
    """

    task: tuple[str, ...]
    user: str
    secret: Secret

    def mark(self, state: JobState) -> str:
        """Return the state's HMAC."""
        return self.secret.mark(encode([self.task, self.user, state]))


class SealedState(Record):
    """A state as it stands in its file."""

    state: JobState
    mark: str


def encode_state(state: JobState, seal: Seal) -> str:
    """Return a state as the text of its file."""
    sealed = SealedState(state, seal.mark(state))
    return encode(sealed, indent=2).decode("utf-8") + "\n"


def read_sealed(text: str) -> Optional[SealedState]:
    """Return what a file's text says, believed or not; None where it says nothing that could be one."""
    try:
        sealed = decode(text, SealedState)
    except (ValueError, RecursionError):
        return None
    return sealed if sealed.state.form == FORM else None


def is_genuine(sealed: SealedState, seal: Seal) -> bool:
    """Tell whether this build's own step wrote the state; in constant time."""
    return hmac.compare_digest(sealed.mark.encode("utf-8", "surrogatepass"), seal.mark(sealed.state).encode())


LARGEST = 10_000_000
"""Bytes of a state, or of the parts of a plan; of either a file takes some hundred."""


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
        data = file.read_bytes(most=LARGEST + 1)
    except FileNotFoundError:
        return None
    return data.decode("utf-8", errors="replace") if len(data) <= LARGEST else ""


def _with_warning(outcome: Outcome, problem: object) -> Outcome:
    warning = say("post.not_kept", problem=problem)
    return replace(outcome, warnings=(*outcome.warnings, warning))


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
        found = decode(_file(journal, digest).read_bytes(most=LARGEST), ApprovedPlan)
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
