"""Restore what was live before a deployment: after one that failed, or after a job that failed.

Files go back to their version before by being deployed again, never by deleting; what somebody else has
deployed since is left (rollout/restore.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Optional

from bcs_template_set.messages.step_error import StepError
from bcs_template_set.rollout.deploy import Deploying, deploy_files, look, resolve_variables
from bcs_template_set.rollout.deployment_plan import FileVersion, LiveState
from bcs_template_set.rollout.restore import Way, absent, added, overtaken, touched, way_back
from bcs_template_set.rollout.result import Restoration
from bcs_template_set.run.deploy_target import DeployTarget, check_watched, wait_for


def go_back(target: DeployTarget, files: Sequence[FileVersion], *, before: Mapping[str, str]) -> Restoration:
    """Restore files that an earlier process deployed, and tell why where that does not work out.

    How the objects were before nobody knows here: each that is not at its file's version is somebody else's.

    Raises:
        StepError: the variables of these versions have no values any more, or nothing could be asked.
    """
    values = resolve_variables(target.writer, target.place, files, given=target.context.variables)
    deploying = target.deploying(values)
    return restore(target, deploying, files, before=before, known=None)


def restore(
    target: DeployTarget,
    deploying: Deploying,
    files: Sequence[FileVersion],
    *,
    before: Mapping[str, str],
    known: Optional[Sequence[LiveState]],
) -> Restoration:
    """Deploy what was there before and wait for it; a problem of this is told beside the first one.

    `known` are the objects as they were before, None where nobody here has seen them.
    """
    restoration = Restoration()
    try:
        states, _ = look(target.writer, deploying, files)
        way = way_back(
            target.writer,
            project=target.place.project,
            space=target.space,
            files=touched(files, states, space=target.space),
            before=before,
            left=overtaken(files, states, space=target.space, known=known or ()),
            missing=absent(files, states, before=before, known=known),
        )
        restoration = Restoration(
            left=way.first_time,
            same=way.same,
            gone=way.gone,
            absent=way.absent,
            overtaken=way.overtaken,
            not_back=tuple(file.name for file in way.back),
        )
        restoration, deployed = _deploy_again(target, deploying, way.back, restoration)
        # Looked at before the wait, which may end in a failure: what is left is left either way.
        restoration = replace(restoration, added=_added(target, deploying, files, way, known=known))
        seconds = min(float(target.settings.timeout), target.time_left)
        if way.back:
            restoration = replace(restoration, watched=wait_for(target, way.back, deployed, seconds=seconds))
        check_watched(restoration.watched, seconds=seconds)
    except StepError as exc:
        return replace(restoration, problem=exc.title())
    return restoration


def _deploy_again(
    target: DeployTarget, deploying: Deploying, files: Sequence[FileVersion], restoration: Restoration
) -> tuple[Restoration, tuple[LiveState, ...]]:
    """Deploy the versions from before; return what is back only where every object shows it."""
    if not files:
        return restoration, ()
    # An older version may name variables that the new ones do not.
    values = resolve_variables(target.writer, target.place, files, given=target.context.variables)
    back_again = replace(deploying, variables=values)
    known = look(target.writer, back_again, files)[0]
    deployed = deploy_files(target.writer, back_again, files, known=known)
    return replace(restoration, files=tuple(files), not_back=()), deployed


def _added(
    target: DeployTarget,
    deploying: Deploying,
    files: Sequence[FileVersion],
    way: Way,
    *,
    known: Optional[Sequence[LiveState]],
) -> tuple[str, ...]:
    """Name what the versions that are to be taken back leave in the cluster.

    Where nobody has seen what was there before, nothing is said of a file that should have gone back whole.
    """
    others = way.same if known is not None else (*way.same, *way.gone)
    taken_back = [file for file in files if file.name not in others]
    states, _ = look(target.writer, deploying, taken_back) if taken_back else ((), "")
    return added(taken_back, states, space=target.space, known=known)
