"""Look at what is live of versions, and at what deploying them would change, by BCS's dry run.

BCS's preview is that reading: it lists the live text of every object, of every kind. It takes half as long
as deploying, so many files take several calls (sized_calls.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Optional

from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.deploy_calls import NamespaceRef, Preview, get_live, list_live, preview
from bcs_template_set.bcs.marks import Mark, mark_of
from bcs_template_set.manifests.fields import list_at, mapping_at, text_at
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import DryRunFailed, NoPermission
from bcs_template_set.messages.server_errors import AnswerUnreadable, GatewayFailed, OutOfTime, Unreachable
from bcs_template_set.messages.step_error import StepError, first_names
from bcs_template_set.rollout.as_wanted import is_as_wanted
from bcs_template_set.rollout.before_deploying import read_numbers
from bcs_template_set.rollout.deployment_plan import (
    DeploymentPlan,
    Hold,
    differences_of,
    hold_nothing,
    plan_deployment,
    refused_services,
)
from bcs_template_set.rollout.live_diff import changes_beyond_pods, names_hidden, with_hidden
from bcs_template_set.rollout.live_state import FileVersion, LiveState, read_states
from bcs_template_set.rollout.pod_numbers import with_pods
from bcs_template_set.rollout.sized_calls import CallEnd, CallSize, Deploying, Unit
from bcs_template_set.system.parallel import overlap, values_of

SHOWN = 500
"""Characters shown of what BCS says."""

TOO_LONG = 30.0
"""Seconds after which a call that failed was too large, and goes into smaller ones."""


def plan_live(
    reader: Reader,
    deploying: Deploying,
    files: Sequence[FileVersion],
    *,
    redeploy: bool,
    hold: Hold = hold_nothing,
) -> DeploymentPlan:
    """Return what has to be deployed, after BCS's dry run of exactly that; what is held is not.

    Raises:
        DryRunFailed: Kubernetes would refuse an object, or BCS can't render it.
        AnswerUnreadable: the dry run shows fewer objects of a file than it holds.
    """
    states, error = look(reader, deploying, files)
    check_listed(files, states, error=error)
    numbers = read_numbers(reader, deploying.place, states, kept=deploying.kept)
    plan_of = partial(
        plan_deployment, states=states, space=deploying.space, redeploy=redeploy, numbers=numbers
    )
    plan = plan_of(files)
    holding = hold(plan)
    if holding.files:
        plan = plan_of([file for file in files if file.name not in holding.files])
    plan = replace(plan, held=tuple(sorted(holding.files)), said=holding.said)
    if len(plan.deploy) < len(files):
        error = look(reader, deploying, plan.deploy)[1]
    if error and plan.refused is None:
        hints = refused_services(plan.states_of(file.name for file in plan.deploy), error)
        raise DryRunFailed(message=error, details=[*hints, *_namespace_hint(deploying.place, error)])
    return with_pods(plan, numbers)


def check_listed(files: Sequence[FileVersion], states: Sequence[LiveState], *, error: str = "") -> None:
    """Refuse a dry run without an `error` that shows fewer objects of a file than it holds.

    Raises:
        AnswerUnreadable: what is live of such a file is not known.
    """
    lacking = [
        say("deploy.lacks", name=name, objects=first_names(titles))
        for name, titles in sorted(unlisted(files, states).items())
    ]
    if lacking and not error:
        raise AnswerUnreadable(url="template/preview", problem=say("deploy.unlisted", names=lacking))


def unlisted(files: Sequence[FileVersion], states: Sequence[LiveState]) -> dict[str, list[str]]:
    """Return the objects that a dry run does not show, by their files; those of files shown whole are none.

    A name that BCS fills in is shown as another one.
    """
    shown: dict[str, list[str]] = {file.name: [] for file in files}
    for state in states:
        shown.setdefault(state.file, []).append(state.title)
    found: dict[str, list[str]] = {}
    for file in files:
        titles = (Counter(file.objects) - Counter(shown[file.name])).elements()
        lacking = sorted(titles, key=lambda title: "{{" in title)[: len(file.objects) - len(shown[file.name])]
        if len(shown[file.name]) < len(file.objects):
            found[file.name] = lacking
    return found


def seen_whole(reader: Reader, deploying: Deploying, plan: DeploymentPlan) -> DeploymentPlan:
    """Return the plan with what the preview cuts from the workloads that it replaces, each read whole.

    One that can't be read costs a sentence, and so does a namespace whose objects nobody may see: then all
    of them look new (facts/bcs.md, trap 8).
    """
    replaced = plan.states_of(file.name for file in plan.deploy)
    hidden = _why_hidden(reader, deploying, replaced)
    if hidden is not None:
        return replace(plan, is_blind=True, notes=(*plan.notes, say("deploy.nothing_seen", problem=hidden)))
    tasks = [partial(with_whole, reader, deploying, state) for state in replaced]
    seen = values_of(overlap(tasks, concurrency=deploying.at_once))
    unread = {state.title: problem for state, problem in seen if problem is not None}
    if unread:
        problem = next(iter(unread.values()))
        plan = replace(plan, notes=(*plan.notes, say("deploy.cut", objects=[*unread], problem=problem)))
    found = {(state.file, state.title): state for state, _ in seen}
    return replace(
        plan,
        states=tuple(found.get((state.file, state.title), state) for state in plan.states),
        differences=differences_of([state for state, _ in seen]),
    )


def _why_hidden(reader: Reader, deploying: Deploying, states: Sequence[LiveState]) -> Optional[Text]:
    """Return why no live object may be seen, None where one is, or is asked for and answered."""
    try:
        is_there_after_all(reader, deploying.place, states)
    except NoPermission as exc:
        return exc.title()
    except StepError:
        pass  # not there, which is what the preview has said
    return None


def is_there_after_all(reader: Reader, place: NamespaceRef, states: Sequence[LiveState]) -> bool:
    """Tell whether a list has an object where a preview showed all as not there: they are hidden from it.

    Raises:
        StepError: why live objects can't be listed.
    """
    watched = [(state.watched_kind, state.name) for state in states if state.watched_kind is not None]
    if not watched or any(state.live is not None for state in states):
        return False
    kind, name = watched[0]
    listed = reader.read(list_live(place, kind=kind)).manifest
    return any(text_at(mapping_at(item), "metadata", "name") == name for item in list_at(listed, "items"))


def with_whole(reader: Reader, deploying: Deploying, state: LiveState) -> tuple[LiveState, Optional[Text]]:
    """Return a state with what its preview cuts, and why that can't be read, None where it can."""
    try:
        return _read_whole(reader, deploying, state), None
    except StepError as exc:
        return state, exc.title()


def _namespace_hint(place: NamespaceRef, error: str) -> list[Text]:
    if f'namespaces "{place.namespace}" not found' not in error:
        return []
    return [say("deploy.no_namespace", namespace=place.namespace, cluster=place.cluster_id)]


def look(
    reader: Reader,
    deploying: Deploying,
    files: Sequence[FileVersion],
    *,
    size: CallSize = CallSize(),  # noqa: B008 - frozen
) -> tuple[tuple[LiveState, ...], str]:
    """Return the objects of the files as they would be and as they are, and what the dry run said first.

    `size` is that of the first call.

    Raises:
        OutOfTime: the step's own time is too short for so many files.
        StepError: whatever the gateway or BCS answered.
    """
    calls = deploying.in_calls(
        [Unit((file,)) for file in files], partial(_look_at, reader, deploying), size=size
    )
    for problem in calls.errors:
        raise problem
    if calls.left:
        raise OutOfTime(seconds=deploying.deadline.whole_seconds)
    states = (state for found, _ in calls.values for state in found)
    return in_order(states, files), next((error for _, error in calls.values if error), "")


def _look_at(
    reader: Reader, deploying: Deploying, units: tuple[Unit, ...]
) -> CallEnd[tuple[tuple[LiveState, ...], str]]:
    """Preview the files of one call; where that takes too long, nothing of it is done."""
    end = preview_of(reader, deploying, units)
    states = read_states(end.value, space=deploying.space)
    seen = tuple(_whole(reader, deploying, state) for state in states)
    return CallEnd((seen, words_of(end.value)), end.seconds, end.left)


def preview_of(reader: Reader, deploying: Deploying, units: tuple[Unit, ...]) -> CallEnd[Preview]:
    """Return the dry run of the files of one call; an empty one where that takes too long."""
    version_ids = [file.version_id for unit in units for file in unit.files]
    call = preview(deploying.place, version_ids=version_ids, variables=deploying.variables)
    began = deploying.clock.monotonic()
    try:
        answer = reader.read(replace(call, longest_again=TOO_LONG) if len(units) > 1 else call)
    except (GatewayFailed, Unreachable):
        seconds = deploying.clock.monotonic() - began
        if seconds < TOO_LONG or len(units) == 1:
            raise
        return CallEnd(Preview(), seconds, left=units)
    return CallEnd(answer, deploying.clock.monotonic() - began)


def words_of(answer: Preview) -> str:
    """Return what a dry run says of its failure, as much as is shown."""
    return " ".join(answer.error.split())[:SHOWN]


def in_order(states: Iterable[LiveState], files: Sequence[FileVersion]) -> tuple[LiveState, ...]:
    """Return the objects in the order of their files."""
    place = {file.name: number for number, file in enumerate(files)}
    return tuple(sorted(states, key=lambda state: place.get(state.file, len(place))))


def _whole(reader: Reader, deploying: Deploying, state: LiveState) -> LiveState:
    """Return a state whose live text has also what the preview cuts from it, where that decides."""
    kind = state.watched_kind
    if kind is None or state.live is None:
        return state
    if state.mark == mark_of(state.desired):
        decides = names_hidden(state.desired)
    else:  # all else has to be as wanted: what an earlier version said may be gone from this one
        decides = is_as_wanted(state.desired, with_hidden(state.live, state.desired))
    if not decides:
        return state
    return _read_whole(reader, deploying, state)


def _read_whole(reader: Reader, deploying: Deploying, state: LiveState) -> LiveState:
    """Return a live state of a kind that is waited for with what the preview cuts from it."""
    if state.watched_kind is None or state.live is None or state.whole:
        return state
    whole = reader.read(get_live(deploying.place, kind=state.watched_kind, name=state.name)).manifest
    return replace(state, live=with_hidden(state.live, whole), whole=whole)


def not_marked(states: Sequence[LiveState], files: Sequence[FileVersion], *, space: str) -> list[LiveState]:
    """Return the objects that are not live, or are not marked with their file's version."""
    ours = {(file.name, Mark(f"{space}/{file.name}", file.version)) for file in files}
    return [state for state in states if (state.file, state.mark) not in ours]


def live_files(
    states: Sequence[LiveState], files: Sequence[FileVersion], *, space: str
) -> tuple[FileVersion, ...]:
    """Return the files all of whose objects are live and marked with their version."""
    there = {state.file for state in states} - unlisted(files, states).keys()
    missing = {state.file for state in not_marked(states, files, space=space)}
    return tuple(file for file in files if file.name in there - missing)


def unlike(states: Sequence[LiveState]) -> tuple[str, ...]:
    """Name the objects that are not what was sent, although they were applied: something changes them."""
    return tuple(
        state.title
        for state in states
        if state.live is not None and changes_beyond_pods(state.desired, state.live)
    )
