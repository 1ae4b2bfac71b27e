"""Deploy versions in one call, and find out object by object what came of it.

BCS applies documents one by one, stops at the first error and keeps what it did; a slow deployment ends in
the gateway's 504 with the outcome unknown (facts/bcs.md, trap 7). So success is code 0 *and* an empty
`data.error` *and* every object live with the mark of our file and version; whatever the answer was, the
live objects are read, and nothing is sent again blindly. BCS's preview is that reading: it lists the live
text of every object, of every kind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Optional

from bcs_template_set.bcs.calls import Reader, Writer
from bcs_template_set.bcs.deploy_calls import (
    NamespaceRef,
    deploy,
    get_live,
    preview,
)
from bcs_template_set.manifests.live_replicas import Workload, workload_of
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import (
    DeployRefused,
    DryRunFailed,
)
from bcs_template_set.messages.server_errors import BcsFailed, DeployIncomplete, GatewayFailed, OutcomeUnknown
from bcs_template_set.messages.step_error import Detail, StepError
from bcs_template_set.rollout.as_wanted import is_as_wanted
from bcs_template_set.rollout.deployment_plan import (
    DeploymentPlan,
    FileVersion,
    LiveState,
    plan_deployment,
    read_states,
    refused_services,
)
from bcs_template_set.rollout.live_diff import (
    changes_anything,
    changes_beyond_pods,
    names_hidden,
    with_hidden,
)
from bcs_template_set.rollout.live_numbers import read_numbers
from bcs_template_set.rollout.pod_numbers import with_pods
from bcs_template_set.system.clock import Clock, Deadline

READ_BACK_PAUSES = (0.0, 1.0, 2.0, 4.0)
"""Seconds before each look at the live objects after an answer of success: they are there at once."""

STILL_FOR = 20.0
"""Seconds without any change after which an unanswered deployment counts as over."""

LOOK_EVERY = 4.0
SHOWN = 500
"""Characters shown of what BCS says."""

LONGEST_DEPLOYMENT = 180.0


@dataclass(frozen=True)
class Deploying:
    """What deploying needs: where, in which template space, with which values for BCS's variables.

    `given` are those that the author gave: where he gives a number of pods, it is not the live one.
    """

    place: NamespaceRef
    space: str
    variables: Mapping[str, str]
    clock: Clock
    deadline: Deadline
    given: frozenset[str] = frozenset()

    @property
    def kept(self) -> frozenset[Workload]:
        """Return the workloads that keep the number of pods they have."""
        found = (workload_of(name) for name in self.variables if name not in self.given)
        return frozenset(workload for workload in found if workload is not None)


# --- before ---------------------------------------------------------------------------------------------


def plan_live(
    reader: Reader, deploying: Deploying, files: Sequence[FileVersion], *, redeploy: bool
) -> DeploymentPlan:
    """Return what has to be deployed, after BCS's dry run of exactly that.

    Raises:
        DryRunFailed: Kubernetes would refuse an object, or BCS can't render it.
    """
    states, error = look(reader, deploying, files)
    numbers = read_numbers(reader, deploying.place, states, kept=deploying.kept)
    plan = plan_deployment(files, states, space=deploying.space, redeploy=redeploy, numbers=numbers)
    if len(plan.deploy) < len(files):
        error = look(reader, deploying, plan.deploy)[1] if plan.deploy else ""
    if error and plan.refused is None:
        hints = refused_services(plan.states_of(file.name for file in plan.deploy), error)
        raise DryRunFailed(message=error, details=[*hints, *_namespace_hint(deploying.place, error)])
    return with_pods(plan, numbers)


def _namespace_hint(place: NamespaceRef, error: str) -> list[Text]:
    if f'namespaces "{place.namespace}" not found' not in error:
        return []
    return [say("deploy.no_namespace", namespace=place.namespace, cluster=place.cluster_id)]


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
    states = read_states(answer, space=deploying.space)
    versions = {file.name: file.version for file in files}
    seen = tuple(_whole(reader, deploying, state, version=versions.get(state.file, "")) for state in states)
    return seen, " ".join(answer.error.split())[:SHOWN]


def _whole(reader: Reader, deploying: Deploying, state: LiveState, *, version: str) -> LiveState:
    """Return a state whose live text has also what the preview cuts from it, where that decides."""
    kind = state.watched_kind
    if kind is None or state.live is None:
        return state
    if state.is_at(space=deploying.space, version=version):
        decides = names_hidden(state.desired)
    else:  # all else has to be as wanted: what an earlier version said may be gone from this one
        decides = is_as_wanted(state.desired, with_hidden(state.live, state.desired))
    if not decides:
        return state
    whole = reader.read(get_live(deploying.place, kind=kind, name=state.name)).manifest
    return replace(state, live=with_hidden(state.live, whole))


# --- the one call ---------------------------------------------------------------------------------------


def deploy_files(
    writer: Writer, deploying: Deploying, files: Sequence[FileVersion], *, known: Sequence[LiveState] = ()
) -> tuple[LiveState, ...]:
    """Deploy versions with one call and return the live objects, all of them marked with our versions.

    `known` are the objects as they were before: where an answer is lost, the mark of one that had it already
    tells nothing, and its content decides.

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
        marked = frozenset(_titles(known) - _titles(_missing(known, files, space=deploying.space)))
        return _settled(writer, deploying, files, because=exc, marked=marked)
    except BcsFailed as exc:
        message = exc.message
        raise _refused(writer, deploying, files, message=message, meaning=exc.details) from exc
    if error:
        raise _refused(writer, deploying, files, message=" ".join(error.split())[:SHOWN])
    return _confirmed(writer, deploying, files, known=known)


def _confirmed(
    writer: Writer, deploying: Deploying, files: Sequence[FileVersion], *, known: Sequence[LiveState]
) -> tuple[LiveState, ...]:
    states: tuple[LiveState, ...] = ()
    untouched = frozenset[str]()
    for pause in READ_BACK_PAUSES:
        deploying.clock.wait(pause)
        states, _ = look(writer, deploying, files)
        untouched = _untouched(states, files, known=known)
        if not untouched and _all_there(states, files, space=deploying.space):
            return states
    _check_may_look(writer, deploying.place, states)
    raise DeployIncomplete(details=_objects(states, files, space=deploying.space, missing=untouched))


def _untouched(
    states: Sequence[LiveState], files: Sequence[FileVersion], *, known: Sequence[LiveState]
) -> frozenset[str]:
    """Name the objects that still hold the text that this run has rewritten: their mark was there before."""
    rewritten = {file.name for file in files if file.rewritten}
    before = {state.title: state.live for state in known}
    return frozenset(
        state.title
        for state in states
        if state.file in rewritten and state.live == before.get(state.title) and _differs(state)
    )


def unlike(states: Sequence[LiveState]) -> tuple[str, ...]:
    """Name the objects that are not what was sent, although they were applied: something changes them."""
    return tuple(
        state.title
        for state in states
        if state.live is not None and changes_beyond_pods(state.desired, state.live)
    )


def _check_may_look(reader: Reader, place: NamespaceRef, states: Sequence[LiveState]) -> None:
    """Raise what is in the way of looking: a preview shows objects that nobody may see as not there.

    Raises:
        StepError: why a live object can't be read.
    """
    watched = [(state.watched_kind, state.name) for state in states if state.watched_kind is not None]
    if watched and all(state.live is None for state in states):
        kind, name = watched[0]
        reader.read(get_live(place, kind=kind, name=name))


def _refused(
    writer: Writer,
    deploying: Deploying,
    files: Sequence[FileVersion],
    *,
    message: Detail,
    meaning: Sequence[Detail] = (),
) -> StepError:
    """Return the refusal with what became of every object; where that can't be seen, it is not known."""
    try:
        states, _ = look(writer, deploying, files)
    except BcsFailed as exc:
        unseen = say("deploy.refused_unseen", message=message)
        return DeployIncomplete(details=[unseen, *meaning]).with_context(**exc.context)
    objects = _objects(states, files, space=deploying.space)
    return DeployRefused(message=message, details=[*meaning, *objects])


def _settled(
    writer: Writer,
    deploying: Deploying,
    files: Sequence[FileVersion],
    *,
    because: StepError,
    marked: frozenset[str],
) -> tuple[LiveState, ...]:
    """Watch the live objects until all are ours, or nothing has moved for a while: BCS may still be at it."""
    clock = deploying.clock
    began = moved_at = clock.monotonic()
    known: Optional[frozenset[str]] = None
    while True:
        states, _ = look(writer, deploying, files)
        missing = frozenset(_titles(_missing(states, files, space=deploying.space)))
        missing |= {state.title for state in states if state.title in marked and _differs(state)}
        if not missing and _all_there(states, files, space=deploying.space):
            return states
        if missing != known:
            known, moved_at = missing, clock.monotonic()
        over = clock.monotonic() - moved_at >= STILL_FOR or clock.monotonic() - began >= LONGEST_DEPLOYMENT
        if over or deploying.deadline.remaining() <= LOOK_EVERY:
            details = _objects(states, files, space=deploying.space, missing=missing)
            raise DeployIncomplete(details=details).with_context(**because.context) from because
        clock.wait(LOOK_EVERY)


def _missing(states: Sequence[LiveState], files: Sequence[FileVersion], *, space: str) -> list[LiveState]:
    versions = {file.name: file.version for file in files}
    return [state for state in states if not state.is_at(space=space, version=versions.get(state.file, ""))]


def live_files(
    states: Sequence[LiveState], files: Sequence[FileVersion], *, space: str
) -> tuple[FileVersion, ...]:
    """Return the files all of whose objects are live and marked with their version."""
    there = {state.file for state in states}
    missing = {state.file for state in _missing(states, files, space=space)}
    return tuple(file for file in files if file.name in there - missing)


def _all_there(states: Sequence[LiveState], files: Sequence[FileVersion], *, space: str) -> bool:
    return len(live_files(states, files, space=space)) == len(files)


def _differs(state: LiveState) -> bool:
    return state.live is None or changes_anything(state.desired, state.live)


def _titles(states: Sequence[LiveState]) -> set[str]:
    return {state.title for state in states}


def _objects(
    states: Sequence[LiveState],
    files: Sequence[FileVersion],
    *,
    space: str,
    missing: frozenset[str] = frozenset(),
) -> list[Text]:
    """Say of every object whether it is what was deployed."""
    missing |= _titles(_missing(states, files, space=space))
    return [
        say("deploy.not_applied" if state.title in missing else "deploy.applied", object=state.title)
        for state in states
    ]
