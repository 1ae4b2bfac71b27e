"""Deploy versions in one call, and find out object by object what came of it.

BCS applies documents one by one, stops at the first error and keeps what it did; a slow deployment ends in
the gateway's 504 with the outcome unknown (facts/bcs.md, trap 7). So success is code 0 *and* an empty
`data.error` *and* every object live with the mark of our file and version; whatever the answer was, the
live objects are read, and nothing is sent again blindly. BCS's preview is that reading: it lists the live
text of every object, of every kind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Optional

from bcs_template_set.bcs.deploy_calls import Place, deploy, list_variables, preview
from bcs_template_set.bcs.template_files import Reader
from bcs_template_set.clock import Clock, Deadline
from bcs_template_set.errors import (
    BcsFailed,
    DeployIncomplete,
    DeployRefused,
    DryRunFailed,
    GatewayFailed,
    OutcomeUnknown,
    StepError,
    VariablesMissing,
)
from bcs_template_set.messages import Text, say
from bcs_template_set.publish import Writer
from bcs_template_set.rollout.deployment_plan import (
    DeploymentPlan,
    FileVersion,
    LiveState,
    plan_deployment,
    read_states,
    refused_services,
)

READ_BACK_PAUSES = (0.0, 1.0, 2.0, 4.0)
"""Seconds before each look at the live objects after an answer of success: they are there at once."""

STILL_FOR = 20.0
"""Seconds without any change after which an unanswered deployment counts as over."""

LOOK_EVERY = 4.0
LONGEST_DEPLOYMENT = 180.0


@dataclass(frozen=True)
class Deploying:
    """What deploying needs: where, in which template space, with which values for BCS's variables."""

    place: Place
    space: str
    variables: Mapping[str, str]
    clock: Clock
    deadline: Deadline


# --- before ---------------------------------------------------------------------------------------------


def resolve_variables(
    reader: Reader, place: Place, files: Sequence[FileVersion], *, given: Mapping[str, str]
) -> dict[str, str]:
    """Return a value for every variable of the versions: the author's, else the namespace's own.

    BCS replaces what is left out by nothing, silently (trap 2), and fills in the namespace's values only in
    its console; so every value is sent.

    Raises:
        VariablesMissing: a detail for each variable without a value.
    """
    if not files:
        return dict(given)
    found = reader.read(list_variables(place, version_ids=[file.version_id for file in files]))
    values = {variable.key: given.get(variable.key, variable.value) for variable in found.vars}
    missing = sorted(name for name, value in values.items() if not value and name not in given)
    if missing:
        raise VariablesMissing(details=[say("deploy.variable_missing", name=name) for name in missing])
    return {**given, **values}


def plan_live(
    reader: Reader, deploying: Deploying, files: Sequence[FileVersion], *, redeploy: bool
) -> DeploymentPlan:
    """Return what has to be deployed, after BCS's dry run of exactly that.

    Raises:
        DryRunFailed: Kubernetes would refuse an object, or BCS can't render it.
    """
    states, error = look(reader, deploying, files)
    plan = plan_deployment(files, states, space=deploying.space, redeploy=redeploy)
    if len(plan.deploy) < len(files):
        error = look(reader, deploying, plan.deploy)[1] if plan.deploy else ""
    if error and plan.refused is None:
        hints = refused_services(plan.states_of(file.name for file in plan.deploy), error)
        raise DryRunFailed(message=error, details=hints)
    return plan


def look(
    reader: Reader, deploying: Deploying, files: Sequence[FileVersion]
) -> tuple[tuple[LiveState, ...], str]:
    """Return the objects of the files as they would be and as they are, and what the dry run said."""
    call = preview(
        deploying.place,
        version_ids=[file.version_id for file in files],
        variables=deploying.variables,
    )
    answer = reader.read(call)
    return read_states(answer, space=deploying.space), answer.error


# --- the one call ---------------------------------------------------------------------------------------


def deploy_files(writer: Writer, deploying: Deploying, files: Sequence[FileVersion]) -> tuple[LiveState, ...]:
    """Deploy versions with one call and return the live objects, all of them marked with our versions.

    Raises:
        DeployRefused: BCS or Kubernetes refused; a detail for each object, applied or not.
        DeployIncomplete: it was accepted, or its answer lost, and objects are not what was deployed.
        StepError: nothing was sent, or nothing could be learnt.
    """
    call = deploy(
        deploying.place,
        version_ids=[file.version_id for file in files],
        variables=deploying.variables,
    )
    try:
        error = writer.write(call).error
    except (OutcomeUnknown, GatewayFailed) as exc:
        return _settled(writer, deploying, files, because=exc)
    except BcsFailed as exc:
        raise _refused(writer, deploying, files, message=exc.fields.get("message", "")) from exc
    if error:
        raise _refused(writer, deploying, files, message=error)
    return _confirmed(writer, deploying, files)


def _confirmed(writer: Writer, deploying: Deploying, files: Sequence[FileVersion]) -> tuple[LiveState, ...]:
    states: tuple[LiveState, ...] = ()
    for pause in READ_BACK_PAUSES:
        deploying.clock.wait(pause)
        states, _ = look(writer, deploying, files)
        if not _missing(states, files, space=deploying.space):
            return states
    raise DeployIncomplete(details=_objects(states, files, space=deploying.space))


def _refused(
    writer: Writer, deploying: Deploying, files: Sequence[FileVersion], *, message: object
) -> DeployRefused:
    states, _ = look(writer, deploying, files)
    return DeployRefused(message=message, details=_objects(states, files, space=deploying.space))


def _settled(
    writer: Writer, deploying: Deploying, files: Sequence[FileVersion], *, because: StepError
) -> tuple[LiveState, ...]:
    """Watch the live objects until all are ours, or nothing has moved for a while: BCS may still be at it."""
    clock = deploying.clock
    began = moved_at = clock.monotonic()
    known: Optional[frozenset[str]] = None
    while True:
        states, _ = look(writer, deploying, files)
        missing = frozenset(state.title for state in _missing(states, files, space=deploying.space))
        if not missing:
            return states
        if missing != known:
            known, moved_at = missing, clock.monotonic()
        over = clock.monotonic() - moved_at >= STILL_FOR or clock.monotonic() - began >= LONGEST_DEPLOYMENT
        if over or deploying.deadline.remaining() <= LOOK_EVERY:
            details = [*_objects(states, files, space=deploying.space)]
            raise DeployIncomplete(details=details).with_context(**because.context) from because
        clock.wait(LOOK_EVERY)


def _missing(states: Sequence[LiveState], files: Sequence[FileVersion], *, space: str) -> list[LiveState]:
    versions = {file.name: file.version for file in files}
    return [state for state in states if not state.is_at(space=space, version=versions.get(state.file, ""))]


def _objects(states: Sequence[LiveState], files: Sequence[FileVersion], *, space: str) -> list[Text]:
    """Say of every object whether it is what was deployed."""
    missing = {state.title for state in _missing(states, files, space=space)}
    return [
        say("deploy.not_applied" if state.title in missing else "deploy.applied", object=state.title)
        for state in states
    ]
