"""Read what is live of a folder's files in a namespace: lists and dry runs, whatever their number.

Only reads. A version is asked for alone where what is live of a file is not its current one, and a workload
where lists do not tell whether it is ready; a few of these at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Optional, Union

from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.answers import TemplateFile
from bcs_template_set.bcs.calls import Reader, together
from bcs_template_set.bcs.deploy_calls import Variable, Variables, get_live
from bcs_template_set.bcs.marks import mark_of
from bcs_template_set.bcs.space.existing import SpaceHistories, VersionRef, ref_of
from bcs_template_set.bcs.space.live_objects import LiveObjects, LiveRow, read_live_objects
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kind_rules import DONE, RolloutRule
from bcs_template_set.manifests.kinds import AUTOSCALER, LISTED, POD, REPLICA_SET
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.rollout.apart import OF_ONE, Asked, ask_apart, look_apart
from bcs_template_set.rollout.before_deploying import ask_variables
from bcs_template_set.rollout.domain_status import (
    DomainHere,
    Readiness,
    Seen,
    WorkloadHere,
    domains_here,
    versions_left,
)
from bcs_template_set.rollout.drift import Signs
from bcs_template_set.rollout.live_diff import names_hidden
from bcs_template_set.rollout.live_look import with_whole
from bcs_template_set.rollout.live_state import FileVersion, LiveState
from bcs_template_set.rollout.newest_pods import PodSummary, proven_ready, read_summaries
from bcs_template_set.rollout.pod_numbers import targets_of
from bcs_template_set.rollout.revisions import revisions_of
from bcs_template_set.rollout.sized_calls import Deploying
from bcs_template_set.rollout.watched import RolloutStatus, Workload, status_of

MOST_WHOLE = 20
"""So many workloads are read alone, where lists do not tell."""

FIXED = ("SYS_NAMESPACE", "SYS_CLUSTER_ID", "SYS_PROJECT_ID", "SYS_CC_APP_ID")
"""BCS's variables that the namespace decides alone (facts/bcs.md, "Calls")."""

NameAndVersion = tuple[str, str]
"""A file's name, and that of a version of it."""


@dataclass(frozen=True)
class Status:
    """What is live, domain by domain; `refs` are the versions of files that were looked at."""

    domains: tuple[DomainHere, ...]
    refs: Mapping[NameAndVersion, VersionRef]


@dataclass(frozen=True)
class Lists:
    """What lists show of a namespace; `pods` is None where they can't be listed."""

    objects: LiveObjects
    replica_sets: tuple[LiveRow, ...]
    pods: Optional[tuple[PodSummary, ...]]


def read_lists(reader: Reader, deploying: Deploying) -> Lists:
    """Return the objects of a namespace, its ReplicaSets and its pods, all of them listed at once."""
    kinds = (*LISTED, REPLICA_SET, POD)
    found = read_live_objects(reader, deploying.place, kinds=kinds)
    by_kind = {kind: [row for row in found.rows if row.kind is kind] for kind in (REPLICA_SET, POD)}
    pods = read_summaries(
        {"items": [dict(row.item) for row in by_kind[POD]]},
        {row.uid: dict(row.note) for row in by_kind[POD]},
    )
    own = tuple(row for row in found.rows if row.kind not in by_kind)
    return Lists(
        LiveObjects(own, {kind: error for kind, error in found.unread.items() if kind not in by_kind}),
        tuple(by_kind[REPLICA_SET]),
        pods if POD not in found.unread else None,
    )


def read_status(
    reader: Reader,
    deploying: Deploying,
    files: Sequence[TemplateFile],
) -> Status:
    """Return what is live of these files; `deploying.variables` are the author's values for variables."""
    lists = read_lists(reader, deploying)
    names = {file.real_name for file in files}
    marked = lists.objects.by_file(deploying.space)
    rows = {name: found for name, found in marked.items() if name in names}
    looking = _Looking(reader, deploying, {file.real_name: file for file in files}, {})
    seen = looking.at(
        _seen_in(lists, deploying.space),
        [(file.real_name, version) for file in files for version in _of(file, rows)],
    )
    left = {name: versions_left(looking.files[name], rows[name], seen) for name in rows}
    seen = looking.at(seen, [(name, version) for name in rows for version in left[name]])
    seen = _with_hidden_fields(looking, seen)
    return Status(domains_here(files, seen, ready=_ready(looking, seen, lists, rows)), seen.refs)


def look_at_versions(
    reader: Reader,
    deploying: Deploying,
    files: Sequence[TemplateFile],
    histories: SpaceHistories,
    *,
    wanted: Sequence[NameAndVersion],
) -> Seen:
    """Return what is seen of these versions of files in the namespace."""
    lists = read_lists(reader, deploying)
    looking = _Looking(reader, deploying, {file.real_name: file for file in files}, histories)
    return _with_hidden_fields(looking, looking.at(_seen_in(lists, deploying.space), wanted))


def _seen_in(lists: Lists, space: str) -> Seen:
    scalers = (row.item for row in lists.objects.rows if row.kind is AUTOSCALER)
    return Seen(
        space,
        lists.objects,
        revisions=revisions_of(lists.replica_sets),
        scaled=frozenset(targets_of(scalers)),
    )


def _of(file: TemplateFile, rows: Mapping[str, Sequence[LiveRow]]) -> Iterable[str]:
    """Return the versions of a file to look at: those that its objects carry, else its current one."""
    carried = dict.fromkeys(row.mark.version for row in rows.get(file.real_name, ()))
    return carried or ([file.version] if file.version_id else [])


# --- versions -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Looking:
    """What it takes to look at versions of files."""

    reader: Reader
    deploying: Deploying
    files: Mapping[str, TemplateFile]
    histories: SpaceHistories

    def at(self, seen: Seen, wanted: Sequence[NameAndVersion]) -> Seen:
        """Return what is seen with the objects of these versions, or why they are not known."""
        refs, failed = self._refs(wanted)
        versions = {
            (name, version): FileVersion(name, ref.id, version) for (name, version), ref in refs.items()
        }
        told = self._variables(tuple(versions.values()))
        signs = self._signs(seen.signs, [variable for found in told.answers for variable in found.vars])
        looked = look_apart(
            self.reader,
            replace(self.deploying, variables={**signs.today, **signs.values()}),
            [version for version in versions.values() if version.version_id not in told.failed],
        )
        problems = {**told.failed, **looked.failed}
        failed.update(
            (pair, problems[version.version_id].title())
            for pair, version in versions.items()
            if version.version_id in problems
        )
        looks = {name: dict(found) for name, found in seen.looks.items()}
        for name, version in versions:
            if (name, version) not in failed:
                looks.setdefault(name, {})[version] = ()
        for state in (state for states in looked.answers for state in states):
            of_file, version = looks.setdefault(state.file, {}), mark_of(state.desired).version
            of_file[version] = (*of_file.get(version, ()), state)
        return replace(
            seen,
            looks=looks,
            failed={**seen.failed, **failed},
            refs={**seen.refs, **refs},
            signs=signs,
        )

    def _refs(
        self, wanted: Sequence[NameAndVersion]
    ) -> tuple[dict[NameAndVersion, VersionRef], dict[NameAndVersion, Text]]:
        """Return the versions by id, and why some are not known; what no list tells is asked for alone."""
        refs = {pair: self._known(*pair) for pair in wanted}
        unknown = [pair for pair, ref in refs.items() if ref is None]
        found = together(self.reader, [partial(self._find, *pair) for pair in unknown])
        problems = dict(zip(unknown, found))
        refs.update((pair, ref) for pair, ref in problems.items() if not isinstance(ref, StepError))
        errors = {pair: exc.title() for pair, exc in problems.items() if isinstance(exc, StepError)}
        gone = {pair: say("status.version_gone") for pair, ref in refs.items() if ref is None}
        return {pair: ref for pair, ref in refs.items() if ref is not None}, {**gone, **errors}

    def _known(self, name: str, version: str) -> Optional[VersionRef]:
        file, history = self.files[name], self.histories.get(name, ())
        ref = next((ref for ref in history if ref.name == version), None)
        if file.version != version or not file.version_id:
            return ref
        return VersionRef(file.version_id, version, ref.created_at if ref is not None else 0)

    def _find(self, name: str, version: str) -> Union[VersionRef, StepError, None]:
        place, space = self.deploying.place, self.deploying.space
        call = protocol.find_version(place.project, space=space, name=name, version=version)
        try:
            found = self.reader.read(call) if version else None
        except StepError as exc:
            return exc
        return ref_of(found) if found is not None else None

    def _variables(self, files: tuple[FileVersion, ...]) -> Asked[Variables]:
        def ask(asked: tuple[FileVersion, ...]) -> Variables:
            return ask_variables(self.reader, self.deploying.place, [file.version_id for file in asked])

        try:
            return Asked((ask(files),) if files else ())
        except OF_ONE as exc:
            return ask_apart(files, exc, ask=ask)
        except StepError as exc:
            return Asked(failed={file.version_id: exc for file in files})

    def _signs(self, known: Signs, variables: Sequence[Variable]) -> Signs:
        """Return the signs with those of more variables; what the namespace decides alone has its value."""
        given = self.deploying.variables
        today = {variable.key: given.get(variable.key, variable.value) for variable in variables}
        names = dict.fromkeys((*known.names, *(name for name in today if name not in FIXED)))
        return Signs(tuple(names), {**known.today, **today})


# --- what previews and lists do not show ----------------------------------------------------------------


def _with_hidden_fields(looking: _Looking, seen: Seen) -> Seen:
    """Return what is seen with the fields that a preview cuts from workloads whose versions name them.

    Of a Deployment its ReplicaSet shows them (facts/bcs.md, trap 13).
    """
    cut = [
        state
        for state in seen.states()
        if state.live is not None and names_hidden(state.desired) and seen.revision_of(state.title) is None
    ]
    tasks = [partial(with_whole, looking.reader, looking.deploying, state) for state in cut]
    found = together(looking.reader, tasks)
    whole = {_key(state): state for state, _ in found}
    looks = {
        name: {
            version: tuple(whole.get(_key(state), state) for state in states)
            for version, states in versions.items()
        }
        for name, versions in seen.looks.items()
    }
    hidden = {state.title: problem for state, problem in found if problem is not None}
    return replace(seen, looks=looks, hidden=hidden)


def _key(state: LiveState) -> tuple[str, str, str]:
    return state.file, mark_of(state.desired).version, state.title


def _ready(
    looking: _Looking, seen: Seen, lists: Lists, rows: Mapping[str, Sequence[LiveRow]]
) -> Mapping[str, WorkloadHere]:
    """Return of the live workloads whether they are ready; where lists do not tell, some are read alone."""
    shown = {state.title: state for state in seen.states() if state.live is not None}
    found: dict[str, WorkloadHere] = {}
    asked: dict[str, tuple[Kind, str]] = {}
    for row in (row for members in rows.values() for row in members):
        rule = row.kind.rule
        if rule is None:
            continue
        told = _told_by_lists(row, rule, shown.get(row.title), lists.pods)
        if told is None:
            asked[row.title] = row.kind, row.name
        else:
            found[row.title] = told
    for state in shown.values():  # a kind that no list above shows
        if state.watched_kind is not None and state.watched_kind not in LISTED:
            asked[state.title] = state.watched_kind, state.name
    for title in [*asked][MOST_WHOLE:]:
        found[title] = WorkloadHere(title, "not-known", why=say("status.not_asked"))
    tasks = [partial(_read_workload, looking, *asked[title]) for title in [*asked][:MOST_WHOLE]]
    for workload in together(looking.reader, tasks):
        found[workload.title] = workload
    return found


def _told_by_lists(
    row: LiveRow, rule: RolloutRule, state: Optional[LiveState], pods: Optional[Sequence[PodSummary]]
) -> Optional[WorkloadHere]:
    """Return what lists prove of a workload: that it is ready, or that its counts are not reached."""
    kind, status = row.kind, status_of(row.kind, row.item)
    if status.state not in DONE and kind.done_in_list and not kind.may_be_done(row.item):
        # A list does not tell how many pods there are: of well ones, any may be old.
        done = status.done if rule.counts(row.item).updated >= status.wanted else 0
        return WorkloadHere(row.title, "not-ready", done, status.wanted)
    if state is not None and state.live is not None and pods is not None:
        workload = Workload(kind, row.name, row.mark.file, row.mark.version, live=state.live)
        status = proven_ready(workload, row.item, pods) or status
    return _here(row.title, status) if status.state in DONE else None


def _read_workload(looking: _Looking, kind: Kind, name: str) -> WorkloadHere:
    title = f"{kind.name}/{name}"
    try:
        whole = looking.reader.read(get_live(looking.deploying.place, kind=kind, name=name)).manifest
    except StepError as exc:
        return WorkloadHere(title, "not-known", why=exc.title())
    return _here(title, status_of(kind, whole))


def _here(title: str, status: RolloutStatus) -> WorkloadHere:
    state: Readiness = "ready" if status.state in DONE else "not-ready"
    return WorkloadHere(
        title, state, status.done, status.wanted, why=None if state == "ready" else status.sentence
    )
