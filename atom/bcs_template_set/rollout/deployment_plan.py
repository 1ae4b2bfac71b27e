"""What has to be deployed, and what must not be. Pure: performs no I/O.

Deployed is what is new or not what is live. BCS marks every object it applies with the file and version it
came from, in the namespace that `latestDeployVersion` does not name. The mark tells where an object came
from, not what it holds: a version can be rewritten, its variables have other values, a hand change what is
live. So "live already" are the objects that hold what BCS's dry run would apply, whatever they are marked
with, and no others. They are left alone, since a Service replaced whole is not the Service it was
(facts/bcs.md, trap 11).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Callable, NamedTuple, Optional

from bcs_template_set.bcs.marks import Mark
from bcs_template_set.manifests.fields import list_at, mapping_at, text_at
from bcs_template_set.manifests.live_fields import count_at
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import NodePortLost, NotReplaceable, SelectorChanged
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.rollout.as_wanted import is_as_wanted
from bcs_template_set.rollout.live_diff import (
    Object,
    changes_anything,
    changes_beyond_pods,
    live_difference,
    takes_away,
)
from bcs_template_set.rollout.live_state import FileVersion, LiveState


@dataclass(frozen=True)
class PodNumbers:
    """Whose pods the text does not decide about: `kept` have the live number, `scaled` an autoscaler.

    `unseen` says why nobody knows of some autoscalers, None where they were asked for or not needed.
    """

    kept: frozenset[str] = frozenset()
    scaled: frozenset[str] = frozenset()
    unseen: Optional[Text] = None


FROM_THE_TEXT = PodNumbers()


@dataclass(frozen=True)
class DeploymentPlan:
    """The versions to deploy in one call, and what a person should see before. Sorted by file name.

    `kept` are the workloads whose number of pods stays, with that number, `open` those and the autoscaled
    ones that have several; `pods` says which number changes although nobody means it to, or which is left.
    `differences` are none until what is replaced was seen whole. `is_blind`: nobody may see what is live, so
    that all of it looks new. `held` are files that somebody went back from, and `said` is what is to be said
    of them, and of those of which nothing tells.
    """

    deploy: tuple[FileVersion, ...]
    live_already: tuple[FileVersion, ...]
    states: tuple[LiveState, ...]
    differences: tuple[tuple[str, str], ...]
    refused: Optional[StepError]
    notes: tuple[Text, ...]
    kept: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    pods: tuple[Text, ...] = ()
    is_blind: bool = False
    held: tuple[str, ...] = ()
    said: tuple[Text, ...] = ()

    def states_of(self, names: Iterable[str]) -> tuple[LiveState, ...]:
        """Return the objects of these files."""
        wanted = set(names)
        return tuple(state for state in self.states if state.file in wanted)


class Holding(NamedTuple):
    """The files that stay as they are although they are not live, and what is to be said before the call."""

    files: frozenset[str] = frozenset()
    said: tuple[Text, ...] = ()


Hold = Callable[[DeploymentPlan], Holding]


def hold_nothing(_: DeploymentPlan) -> Holding:
    """Return that all that is not live is deployed."""
    return Holding()


def plan_deployment(
    files: Sequence[FileVersion],
    states: Sequence[LiveState],
    *,
    space: str,
    redeploy: bool,
    numbers: PodNumbers = FROM_THE_TEXT,
) -> DeploymentPlan:
    """Return which files are deployed, what to say before, and why it must not be."""
    ordered = sorted(files, key=lambda file: file.name)
    is_live = _Liveness(space, numbers)
    chosen = [f for f in ordered if f.objects and (redeploy or _must_deploy(f, states, is_live))]
    names = {file.name for file in chosen}
    touched = [state for state in states if state.file in names]
    return DeploymentPlan(
        deploy=tuple(chosen),
        live_already=tuple(
            _as_marked(file, states, space=space) for file in ordered if file.name not in names
        ),
        states=tuple(states),
        differences=(),
        refused=_refusal(touched),
        notes=(
            *_unmarked_notes(states, deployed=names, space=space),
            *_content_notes(chosen, states, is_live),
            *_port_notes(touched),
        ),
    )


def differences_of(states: Sequence[LiveState]) -> tuple[tuple[str, str], ...]:
    """Return (Kind/name, unified diff) pairs of the live objects that would change, those that lose first."""
    found = ((s.title, live_difference(s.desired, s.live)) for s in states if s.live is not None)
    return tuple(sorted((pair for pair in found if pair[1]), key=lambda pair: not takes_away(pair[1])))


def _as_marked(file: FileVersion, states: Sequence[LiveState], *, space: str) -> FileVersion:
    """Return a file that is live with the version that its objects are marked with, where that is another."""
    marks = {state.mark for state in states if state.file == file.name}
    if not marks or marks == {Mark(f"{space}/{file.name}", file.version)}:
        return file
    versions = {mark.version if mark.file == f"{space}/{file.name}" else "" for mark in marks}
    return replace(file, live_as=versions.pop() if len(versions) == 1 else "")


@dataclass(frozen=True)
class _Liveness:
    """Tells whether an object is live as its file says: its content decides, less strictly at our mark."""

    space: str
    numbers: PodNumbers

    def __call__(self, file: FileVersion, state: LiveState) -> bool:
        if state.live is None:
            return False
        if not state.is_at(space=self.space, version=file.version):
            return is_as_wanted(state.desired, state.live)
        of_text = file.sets_pods or (file.reused and state.title not in self.numbers.scaled)
        exact = of_text and state.title not in self.numbers.kept
        return not (changes_anything if exact else changes_beyond_pods)(state.desired, state.live)


def _must_deploy(file: FileVersion, states: Sequence[LiveState], is_live: _Liveness) -> bool:
    """Tell whether an object of the file is missing, or holds something else than it is to hold.

    A file of which BCS lists no object can't be known to be live.
    """
    own = [state for state in states if state.file == file.name]
    return file.rewritten or not own or any(not is_live(file, state) for state in own)


def _unmarked_notes(states: Sequence[LiveState], *, deployed: set[str], space: str) -> Iterable[Text]:
    """Say which objects are live as they are to be, and marked with another file or with none."""
    titles = [
        state.title
        for state in states
        if state.file not in deployed
        and state.live is not None
        and state.mark.file != f"{space}/{state.file}"
    ]
    if titles:
        yield say("deploy.not_ours", objects=titles)


def _content_notes(
    files: Sequence[FileVersion], states: Sequence[LiveState], is_live: _Liveness
) -> Iterable[Text]:
    """Say which objects have the right mark and the wrong content, and what may be the reason."""
    for key, chosen in (
        ("deploy.rewritten", [file for file in files if file.rewritten]),
        ("deploy.other_content", [file for file in files if not file.rewritten]),
    ):
        versions = {file.name: file for file in chosen}
        titles = [
            state.title
            for state in states
            if state.file in versions
            and state.is_at(space=is_live.space, version=versions[state.file].version)
            and not is_live(versions[state.file], state)
        ]
        if titles:
            yield say(key, objects=titles)


def _port_notes(states: Sequence[LiveState]) -> Iterable[Text]:
    for state in states:
        for port, wanted, live in port_pairs(state):
            if wanted and live and wanted != live:
                yield say("deploy.port_changed", object=state.title, port=port, live=live, wanted=wanted)


def moved_ports(before: Sequence[LiveState], after: Sequence[LiveState]) -> tuple[Text, ...]:
    """Say which live nodePorts are others after a deployment although the manifest asked for none.

    API servers differ in what they carry over (facts/bcs.md, trap 11), so this is read back, not foreseen.
    """
    now = {state.title: {port: live for port, _, live in port_pairs(state)} for state in after}
    return tuple(
        say("deploy.port_moved", object=state.title, port=port, before=live, now=now[state.title][port])
        for state in before
        for port, wanted, live in port_pairs(state)
        if live and not wanted and now.get(state.title, {}).get(port, live) != live
    )


# --- what must not be done ------------------------------------------------------------------------------


def _refusal(states: Sequence[LiveState]) -> Optional[StepError]:
    selectors = [text for state in states for text in _selector_changes(state)]
    if selectors:
        return SelectorChanged(details=selectors)
    kept = [text for state in states for text in _not_replaceable(state)]
    if kept:
        return NotReplaceable(details=kept)
    ports = [text for state in states for text in _lost_ports(state)]
    return NodePortLost(details=ports) if ports else None


def _selector_changes(state: LiveState) -> Iterable[Text]:
    """Name a workload whose selector would change: Kubernetes refuses that after creation."""
    if state.known_kind is None or state.live is None:
        return
    for path in state.known_kind.fixed:
        wanted, live = (mapping_at(body, *path.split(".")) for body in (state.desired, state.live))
        if wanted != live:
            yield say("deploy.selector", object=state.title, live=_shown(live), wanted=_shown(wanted))


def is_fixed(state: LiveState) -> bool:
    """Tell whether the cluster would not replace a live object by what is wanted."""
    is_immutable = state.live is not None and state.live.get("immutable") is True
    return is_immutable or any(True for _ in _not_replaceable(state))


def _not_replaceable(state: LiveState) -> Iterable[Text]:
    """Name a live object that a replacement would leave without what the cluster gave it (trap 11).

    A Job keeps the selector that was generated for it, a bound claim its volume: a document without them is
    refused, whatever else it says.
    """
    if state.known_kind is None or state.live is None:
        return
    field = state.known_kind.kept
    if mapping_at(state.live, "spec").get(field) and not mapping_at(state.desired, "spec").get(field):
        as_it_is = is_as_wanted(state.desired, state.live)
        yield kept_text(state.title, file=state.file, as_it_is=as_it_is)


def kept_text(title: str, *, file: str, as_it_is: bool) -> Text:
    """Return the sentence that a live object can't be replaced, which a file is to do."""
    return say("deploy.kept_as_it_is" if as_it_is else "deploy.kept_otherwise", object=title, file=file)


def _lost_ports(state: LiveState) -> Iterable[Text]:
    """Name a live nodePort that replacing the Service would take away.

    Observed on Kubernetes 1.20 (trap 11): a document with `clusterIP` and without a nodePort is accepted and
    gets another port. One without `clusterIP` is refused there, which the dry run tells, and newer API
    servers carry both values over.
    """
    if not mapping_at(state.desired, "spec").get("clusterIP"):
        return
    for port, wanted, live in port_pairs(state):
        if live and not wanted:
            yield say("deploy.port_lost", object=state.title, port=port, live=live, file=state.file)


def port_pairs(state: LiveState) -> Iterable[tuple[YamlValue, int, int]]:
    """Yield each port of a Service that is live, with the nodePort wanted and the one it has (0 for none)."""
    if state.kind != "Service" or state.live is None:
        return
    live_ports = {_port_key(port): count_at(port, "nodePort") for port in _ports(state.live)}
    for port in _ports(state.desired):
        yield port.get("port"), count_at(port, "nodePort"), live_ports.get(_port_key(port), 0)


def _ports(body: Object) -> Sequence[Object]:
    return [mapping_at(port) for port in list_at(body, "spec", "ports")]


def _port_key(port: Mapping[str, YamlValue]) -> tuple[YamlValue, YamlValue]:
    return port.get("port"), port.get("protocol") or "TCP"


def _shown(labels: Mapping[str, YamlValue]) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(labels.items())) or "-"


def refused_services(states: Sequence[LiveState], error: str) -> tuple[Text, ...]:
    """Say what would let a Service be replaced that an old API server refuses to replace (trap 11)."""
    if "clusterIP" not in error:
        return ()
    return tuple(
        say(
            "deploy.service_kept",
            object=state.title,
            cluster_ip=text_at(state.live or {}, "spec", "clusterIP") or "-",
            ports=[f"{port}: {live}" for port, _, live in port_pairs(state)],
        )
        for state in states
        if state.kind == "Service" and state.live is not None
    )
