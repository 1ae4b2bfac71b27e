"""What a step leaves for the end of its job, as values: what to go back from, and to. Pure.

Written into the run's folder of the workspace (journal.py), and read by the step's next try and, where the
author set `restore_if_job_fails`, by its post action. Whoever runs code in that job can write there too. So
the state is sealed: with an HMAC that only the holder of the acting user's secret can make, over the state
and over the one task of the one build that it is for. It holds no secret, and whoever acts later has to be
whom it names.
"""

from __future__ import annotations

import hmac
from typing import Optional

from bcs_template_set.config.inputs import Settings
from bcs_template_set.messages.secret import Secret
from bcs_template_set.records.declared import Record
from bcs_template_set.records.decoding import decode, encode
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.report.outcome import Outcome
from bcs_template_set.rollout.live_state import FileVersion
from bcs_template_set.rollout.result import Before, Rollout

FORM = 3


class DeployedFile(Record):
    """A file as this step deployed it; `before` is the version name that was live before, "" for none.

    `was_ready`: whether that one was ready, None where nobody knows. `rewritten`: what that version held is
    gone, since this step has put other content under its name.
    """

    name: str
    version_id: str
    version: str
    before: str = ""
    rewritten: bool = False
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
        """Return each input that names another place now: its name, what it was, what it is."""
        places = (
            ("region", self.region, settings.region),
            ("project_code", self.project, settings.project_code),
            ("template_space", self.space, settings.template_space),
            ("cluster_id", self.cluster_id, settings.cluster_id),
            ("namespace", self.namespace, settings.namespace),
        )
        return [(name, was, now) for name, was, now in places if was != now]

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
    new = {file.name: _deployed_file(file, before.get(file.name)) for file in touched}
    for file in (*touched, *rollout.live_already):
        found = by_version.get((file.name, file.version))
        if found is not None:
            new[file.name] = found
    return tuple(new[name] for name in sorted(new))


def _deployed_file(file: FileVersion, before: Optional[Before]) -> DeployedFile:
    known = before or Before(file.name, "")
    return DeployedFile(
        file.name, file.version_id, file.version, known.version, file.rewritten, was_ready=known.ready
    )


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
