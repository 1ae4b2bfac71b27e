"""What a deployment leaves behind for the end of its job, as values: what to go back from, and to. Pure.

Written into the run's folder of the workspace where the author set `restore_if_job_fails`, and read by the
post action of the same step. It holds no secret and decides nothing about who acts: the post action resolves
its own principal, and compares the place with its own inputs.
"""

from __future__ import annotations

from typing import Optional

import msgspec

from bcs_template_set.outcome import Outcome
from bcs_template_set.rollout.deployment_plan import FileVersion
from bcs_template_set.settings import Settings

FORM = 1


class DeployedFile(msgspec.Struct, frozen=True):
    """A file as this step deployed it; `before` is the version name that was live before, "" for none."""

    name: str
    version_id: str
    version: str
    before: str = ""
    has_variables: bool = False


class JobState(msgspec.Struct, frozen=True):
    """A deployment of this job. `form` is the version of this shape."""

    form: int
    region: str
    project: str
    space: str
    cluster_id: str
    namespace: str
    acting_user: str
    files: tuple[DeployedFile, ...] = ()

    def place(self) -> dict[str, str]:
        """Return where it deployed, by the inputs' names."""
        return {
            "region": self.region,
            "project_code": self.project,
            "template_space": self.space,
            "cluster_id": self.cluster_id,
            "namespace": self.namespace,
        }

    def differs_from(self, settings: Settings) -> list[tuple[str, str, str]]:
        """Return each input that names another place now: its name, what it was, what it is."""
        now = {
            "region": settings.region,
            "project_code": settings.project_code,
            "template_space": settings.template_space,
            "cluster_id": settings.cluster_id,
            "namespace": settings.namespace,
        }
        return [(name, was, now[name]) for name, was in self.place().items() if was != now[name]]

    def deployed(self) -> tuple[FileVersion, ...]:
        """Return the files at the versions that were deployed."""
        return tuple(
            FileVersion(f.name, f.version_id, f.version, has_variables=f.has_variables) for f in self.files
        )

    def before(self) -> dict[str, str]:
        """Return the version names from before, by file."""
        return {file.name: file.before for file in self.files if file.before}


def state_of(outcome: Outcome, *, earlier: Optional[JobState] = None) -> Optional[JobState]:
    """Return what a run leaves for the end of its job, None where it did not end as deployed.

    A step that failed by itself leaves nothing: `on_failure` has decided about that. `earlier` is what an
    earlier try of this step in the same build left: what that one deployed and is live still goes back to
    where it was before that one.
    """
    rollout = outcome.rollout
    if outcome.result != "deployed" or rollout is None:
        return None
    before = dict(rollout.before)
    known = {(file.name, file.version): file for file in (earlier.files if earlier is not None else ())}
    new = {file.name: _deployed_file(file, before.get(file.name, "")) for file in rollout.deployed}
    for file in (*rollout.deployed, *rollout.live_already):
        found = known.get((file.name, file.version))
        if found is not None:
            new[file.name] = found
    identity, heading = outcome.identity, outcome.heading
    return JobState(
        form=FORM,
        region=heading.region,
        project=heading.project,
        space=heading.space,
        cluster_id=rollout.cluster_id,
        namespace=rollout.namespace,
        acting_user=identity.acting_user if identity is not None else "",
        files=tuple(new[name] for name in sorted(new)),
    )


def _deployed_file(file: FileVersion, before: str) -> DeployedFile:
    return DeployedFile(file.name, file.version_id, file.version, before, file.has_variables)


def encode_state(state: JobState) -> str:
    """Return a state as the text of its file."""
    return msgspec.json.format(msgspec.json.encode(state)).decode("utf-8") + "\n"


def decode_state(text: str) -> Optional[JobState]:
    """Return the state of a file's text, None where it is none, or of another version of this step."""
    try:
        state = msgspec.json.decode(text, type=JobState)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return state if state.form == FORM else None
