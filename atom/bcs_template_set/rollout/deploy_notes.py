"""What has to be said of a deployment beside its plan: odd objects, the wait, pods. Pure: performs no I/O."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Callable

from bcs_template_set.manifests.fields import list_at, mapping_at, text_at
from bcs_template_set.manifests.kinds import DEPLOYMENT, JOB, SERVICE, kind_of
from bcs_template_set.manifests.live_fields import number_in
from bcs_template_set.manifests.parse import Document
from bcs_template_set.manifests.pod_templates import objects_of, pod_of
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.step_error import first_names
from bcs_template_set.rollout.deployment_plan import DeploymentPlan
from bcs_template_set.rollout.live_diff import (
    changes_anything,
    fields_unlike,
    holds_nothing_else,
    with_hidden,
)
from bcs_template_set.rollout.live_state import FileVersion, LiveState

Held = Callable[[str, str], Collection[str]]
"""Names what a version of a file holds, `Kind/name`, as far as that can be known; by file and version."""


def odd_notes(
    files: Sequence[FileVersion], states: Sequence[LiveState], *, space: str, held: Held
) -> Iterator[Text]:
    """Yield what to say of the objects of the files that are deployed, before they are."""
    for file in files:
        own = [state for state in states if state.file == file.name]
        yield from _missing(file, own, space=space, held=held)
        for state in own:
            owner = _owner(state)
            if owner:
                yield say("deploy.owned", object=state.title, owner=owner)


def marked_elsewhere(
    files: Sequence[FileVersion], states: Sequence[LiveState], *, space: str
) -> Iterator[Text]:
    """Yield what is live as wanted and marked as another folder's: its former owner may delete it."""
    names = {file.name for file in files}
    found = [s for s in states if s.file in names and s.mark.file and not s.mark.file_in(space)]
    if found:
        marks = sorted({state.mark.file for state in found})
        objects = first_names([state.title for state in found])
        yield say("deploy.marked_elsewhere", files=first_names(marks), objects=objects)


def moved_objects(states: Sequence[LiveState], *, space: str) -> tuple[tuple[str, str], ...]:
    """Return (file, object) pairs of what a file's live version holds, and another file of the run now.

    Only what a cluster may refuse to replace (facts/bcs.md, trap 11): that version can't be deployed again.
    """
    files = {f"{space}/{state.file}": state.file for state in states}
    kept = [s for s in states if s.kind == SERVICE.name or (s.known_kind is not None and s.known_kind.kept)]
    return tuple(
        (files[state.mark.file], state.title)
        for state in kept
        if files.get(state.mark.file, state.file) != state.file
    )


def _missing(file: FileVersion, own: Sequence[LiveState], *, space: str, held: Held) -> Iterator[Text]:
    """Yield what is said of objects that are not there, and that the version before held.

    A missing object is made again: of most kinds nothing else can be meant, and of a Job nobody can know
    whether it has done its work, so the file that is asked for decides. BCS remembers that it has deployed a
    file, and not where; the marks of the file's other objects are of this namespace.
    """
    missing = [state for state in own if state.live is None]
    here = [state.mark.version for state in own if state.mark.file == f"{space}/{file.name}"]
    version = here[0] if here else file.before
    if not (missing and version):
        return
    before = held(file.name, version)
    missing = [state for state in missing if state.title in before]
    gone = [state.title for state in missing if state.known_kind != JOB]
    if gone:
        yield say("deploy.missing" if here else "deploy.missing_here", objects=gone, version=version)
    for state in missing:
        if state.known_kind == JOB:
            seconds = mapping_at(state.desired, "spec").get("ttlSecondsAfterFinished")
            key = "deploy.missing_job" if seconds is None else "deploy.missing_ttl"
            yield say(key, object=state.title, seconds=seconds)


def _owner(state: LiveState) -> str:
    """Return what controls a live object, such as `App/web`; "" for nothing."""
    owners = [mapping_at(item) for item in list_at(state.live or {}, "metadata", "ownerReferences")]
    controlling = [owner for owner in owners if owner.get("controller") is True]
    return "/".join(text_at(controlling[0], name) for name in ("kind", "name")) if controlling else ""


# --- the wait -----------------------------------------------------------------------------------------

DEFAULT_DEADLINE = 600
"""Seconds that the API server fills in for a Deployment's progressDeadlineSeconds."""

MOST_NAMED = 5


def wait_notes(documents: Sequence[Document], *, timeout: int) -> tuple[Text, ...]:
    """Return what ends the wait before `timeout`, and what it can't see: a sentence for each, if any."""
    objects = tuple(objects_of(documents))
    return (*_early_ends(objects, timeout=timeout), *_unprobed(objects))


def _early_ends(objects: Sequence[Document], *, timeout: int) -> Iterator[Text]:
    deadlines: dict[int, list[str]] = {}
    for document in objects:
        if kind_of(document.api_version, document.kind) is DEPLOYMENT:
            given = mapping_at(document.body, "spec").get("progressDeadlineSeconds")
            seconds = DEFAULT_DEADLINE if given is None else number_in(given)
            if seconds is not None and seconds < timeout:
                deadlines.setdefault(seconds, []).append(document.title)
    for seconds, titles in sorted(deadlines.items()):
        yield say(
            "deploy.early_end",
            timeout=timeout,
            deadline=seconds,
            default=DEFAULT_DEADLINE,
            count=len(titles),
            names=titles[:MOST_NAMED],
        )


def _unprobed(objects: Sequence[Document]) -> Iterator[Text]:
    titles = [document.title for document in objects if _is_ready_at_once(document)]
    if titles:
        yield say("deploy.unprobed", count=len(titles), names=titles[:MOST_NAMED])


def _is_ready_at_once(document: Document) -> bool:
    """Tell whether a pod counts as ready as soon as its containers run."""
    kind, pod = kind_of(document.api_version, document.kind), pod_of(document)
    if kind is None or kind.rule is None or not kind.has_selector or pod is None:
        return False
    if mapping_at(document.body, "spec").get("minReadySeconds"):
        return False
    return not any(container.body.get("readinessProbe") for container in pod.containers)


# --- pods ---------------------------------------------------------------------------------------------

_READ_BY: Mapping[str, str] = {
    **dict.fromkeys(("configMap", "configMapRef", "configMapKeyRef"), "ConfigMap"),
    **dict.fromkeys(("secret", "secretRef", "secretKeyRef"), "Secret"),
}
"""The fields of a pod template that name what its pods read, as volumes or variables."""


def restart_notes(plan: DeploymentPlan, *, redeploy: bool) -> tuple[Text, ...]:
    """Return what has to be said of workloads whose pods a deployment did not restart.

    Kubernetes starts new pods where their template changes. A ConfigMap or Secret that they read is none of
    it.
    """
    sent = {file.name for file in plan.deploy}
    changed = {
        state.title
        for state in plan.states
        if state.file in sent and state.kind in _READ_BY.values()
        if state.live is not None and changes_anything(state.desired, state.live)
    }
    same = [state for state in plan.states if _keeps_its_pods(state)]
    notes = []
    for state in same:
        read = sorted(changed & set(_reads(_template(state, state.desired))))
        if read:
            notes.append(say("deploy.no_restart", object=state.title, read=read))
    again = [state.title for state in same if state.file in sent]
    if redeploy and again:
        notes.append(say("deploy.redeploy_no_restart", objects=again))
    return tuple(notes)


def _keeps_its_pods(state: LiveState) -> bool:
    """Tell whether it is a workload that runs on, whose pods' template stays as it is live."""
    kind = state.watched_kind
    if kind is None or kind.rule is None or not kind.has_selector or state.live is None:
        return False
    wanted, live = _template(state, state.desired), _template(state, state.live)
    return holds_nothing_else({"template": wanted}, {"template": live})


def changes_pods(state: LiveState) -> bool:
    """Tell whether the pods' template says what the live one does not; what a preview cuts is none."""
    live = with_hidden(state.live or {}, state.desired)
    wanted, found = _template(state, state.desired), _template(state, live)
    return bool(fields_unlike({"template": wanted}, {"template": found}, whole=False))


def _template(state: LiveState, body: Mapping[str, YamlValue]) -> dict[str, YamlValue]:
    path = state.watched_kind.pod_template if state.watched_kind is not None else None
    return dict(mapping_at(body, *(path or "").split(".")))


def _reads(value: YamlValue) -> Iterator[str]:
    """Yield `Kind/name` of all that a pod template names as read."""
    if isinstance(value, list):
        for item in value:
            yield from _reads(item)
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        named = mapping_at(value, key)
        name = named.get("name") or named.get("secretName")
        if key in _READ_BY and name:
            yield f"{_READ_BY[key]}/{name}"
        yield from _reads(inner)
