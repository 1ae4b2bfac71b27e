"""Whose pods a deployment restarts, and whose it does not although what they read changed. Pure: no I/O.

Kubernetes starts new pods where their template changes. A ConfigMap or Secret that they read is none of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bcs_template_set.manifests.fields import mapping_at
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.messages import Text, say
from bcs_template_set.rollout.deployment_plan import DeploymentPlan
from bcs_template_set.rollout.live_diff import (
    changes_anything,
    fields_unlike,
    holds_nothing_else,
    with_hidden,
)
from bcs_template_set.rollout.live_state import LiveState

_READ_BY: Mapping[str, str] = {
    **dict.fromkeys(("configMap", "configMapRef", "configMapKeyRef"), "ConfigMap"),
    **dict.fromkeys(("secret", "secretRef", "secretKeyRef"), "Secret"),
}
"""The fields of a pod template that name what its pods read, as volumes or variables."""


def restart_notes(plan: DeploymentPlan, *, redeploy: bool) -> tuple[Text, ...]:
    """Return what has to be said of workloads whose pods a deployment did not restart."""
    sent = {file.name for file in plan.deploy}
    changed = {
        state.title
        for state in plan.states
        if state.file in sent and state.kind in _READ_BY.values() and _changes(state)
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


def _changes(state: LiveState) -> bool:
    return state.live is not None and changes_anything(state.desired, state.live)


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
