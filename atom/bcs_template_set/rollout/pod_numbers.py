"""How many pods a deployment leaves of what is live: kept, changed, and said. Pure: performs no I/O.

BCS replaces a workload whole: what its text says of `replicas` holds, and 1 where it says nothing, whatever
an autoscaler or a person had set (facts/bcs.md, trap 11). A text with `live_replicas()` keeps the number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Optional

from bcs_template_set.manifests.fields import Fields, mapping_at, text_at
from bcs_template_set.manifests.kinds import AUTOSCALER
from bcs_template_set.manifests.live_fields import count_at
from bcs_template_set.manifests.live_replicas import Workload, variable_of
from bcs_template_set.messages import Text, say
from bcs_template_set.rollout.deployment_plan import DeploymentPlan, PodNumbers
from bcs_template_set.rollout.live_diff import pods_of
from bcs_template_set.rollout.live_state import LiveState

ALONE = 1
"""The pods of a workload whose text says no number (Kubernetes' defaults.go of apps)."""


def targets_of(autoscalers: Iterable[Fields]) -> Mapping[Workload, int]:
    """Return the workloads that these HPAs scale, each with the fewest pods it may have (1 by default)."""
    found = {}
    for body in autoscalers:
        target = mapping_at(body, "spec", "scaleTargetRef")
        workload = text_at(target, "kind"), text_at(target, "name")
        found[workload] = count_at(body, "spec", "minReplicas", default=ALONE)
    return found


def autoscalers_in(bodies: Iterable[Fields]) -> Iterator[Fields]:
    """Yield those of some objects that are HPAs, of whatever version."""
    return (body for body in bodies if body.get("kind") == AUTOSCALER.name)


def pods_after(state: LiveState) -> Optional[int]:
    """Return how many pods a deployment makes of a workload, None where that is not known of its kind."""
    if mapping_at(state.desired, "spec").get("replicas") is not None:
        return pods_of(state.desired)
    return ALONE if state.known_kind is not None and state.known_kind.scales else None


def changed_number(state: LiveState) -> Optional[tuple[int, int]]:
    """Return how many pods a live workload has and would have, None where that is the same or not known."""
    live, after = _live(state), pods_after(state)
    return (live, after) if live is not None and after is not None and live != after else None


def with_pods(plan: DeploymentPlan, numbers: PodNumbers) -> DeploymentPlan:
    """Return the plan with what is to be said of the pods before it is carried out."""
    names = {file.name for file in plan.deploy}
    touched = [state for state in plan.states if state.file in names]
    left = [state for state in plan.states if state.file not in names]
    warnings = [*lost_pods(touched, numbers), *_left_pods(left, numbers)]
    if warnings and numbers.unseen is not None:
        warnings.append(say("deploy.autoscalers_unseen", problem=numbers.unseen))
    return replace(
        plan,
        kept=counted_pods(touched, numbers.kept),
        open=counted_pods(touched, numbers.kept | numbers.scaled, least=ALONE + 1),
        pods=tuple(warnings),
    )


def counted_pods(states: Sequence[LiveState], titles: frozenset[str], *, least: int = 0) -> tuple[str, ...]:
    """Name these workloads, with the number of pods that they have, unless that is smaller than `least`."""
    counts = ((state.title, _live(state)) for state in states if state.title in titles)
    return tuple(f"{title} {count}" for title, count in counts if count is not None and count >= least)


def lost_pods(states: Sequence[LiveState], numbers: PodNumbers) -> Iterator[Text]:
    """Say which workloads get fewer pods, or another number than their autoscaler's, or one nobody wrote."""
    for state in states:
        changed = changed_number(state)
        if state.title in numbers.kept or changed is None:
            continue
        live, after = changed
        silent = mapping_at(state.desired, "spec").get("replicas") is None
        scaled = state.title in numbers.scaled
        if silent or scaled or live > after:
            key = f"deploy.pods_{'silent' if silent else 'said'}"
            now = say("deploy.pods_autoscaled" if scaled else "deploy.pods_now", count=live)
            yield say(key, object=state.title, now=now, after=after, call=_call(state))


def _left_pods(states: Sequence[LiveState], numbers: PodNumbers) -> Iterator[Text]:
    """Say which workloads have another number of pods than their file says, and are left so."""
    for state in states:
        wanted = pods_of(state.desired)
        changed = changed_number(state) if state.title not in numbers.kept | numbers.scaled else None
        if wanted is not None and changed is not None:
            yield say("deploy.pods_left", object=state.title, live=changed[0], wanted=wanted)


def still_fewer(
    before: Sequence[LiveState], between: Sequence[LiveState], after: Sequence[LiveState]
) -> Iterator[Text]:
    """Say which workloads lost pods to a deployment, and did not get them back when it was taken back."""
    then, now = (_by_title(states) for states in (between, after))
    for state in before:
        live, lost, left = _live(state), then.get(state.title), now.get(state.title)
        if live is not None and lost is not None and left is not None and lost <= left < live:
            yield say("deploy.pods_fewer", object=state.title, live=live, left=left)


def as_many_as(
    before: Sequence[LiveState], variables: Mapping[str, str], *, kept: frozenset[Workload]
) -> dict[str, str]:
    """Return the variables with no live number that is smaller than before: what took pods is taken back."""
    had = {variable_of(s.kind, s.name): _live(s) or 0 for s in before if (s.kind, s.name) in kept}
    return {
        name: str(max(int(value), had[name])) if name in had else value for name, value in variables.items()
    }


def _by_title(states: Sequence[LiveState]) -> Mapping[str, Optional[int]]:
    return {state.title: _live(state) for state in states}


def _live(state: LiveState) -> Optional[int]:
    return pods_of(state.live or {})


def _call(state: LiveState) -> str:
    """Return how a template asks for the live number."""
    kind = "" if state.kind == "Deployment" else f', "{state.kind}"'
    return f'live_replicas("{state.name}"{kind})'
