"""Which versions a deployment is to make live, and which of them stay undeployed. Only reads.

Publishing and deploying are two steps, and other builds publish and deploy in between: it is looked right
before and right after. Of a file that branches share, the current version is what has to be live: this
build's own may lack what another branch has added since. Of any other file, a newer build of the same branch
is not replaced by an older one.

What somebody went back from is held: unasked, only new content is deployed over it. A version that was live
and was left stands among the revisions of its Deployment, and holds its whole domain. Of what makes no pods
nothing tells: it is deployed, after a warning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import repeat
from typing import Callable

from bcs_template_set.bcs.answers import TemplateVersion
from bcs_template_set.bcs.calls import Reader, together
from bcs_template_set.bcs.deploy_calls import NamespaceRef, get_live
from bcs_template_set.bcs.marks import Mark
from bcs_template_set.bcs.space.existing import Existing
from bcs_template_set.bcs.space.live_objects import read_live_objects
from bcs_template_set.bcs.space.provenance import Provenance, read_provenance
from bcs_template_set.bcs.space.template_spaces import files_by_name
from bcs_template_set.bcs.space.versions import read_versions
from bcs_template_set.manifests.branch_paths import Claim, claims_of
from bcs_template_set.manifests.fields import Fields, mapping_at, text_at
from bcs_template_set.manifests.kinds import DEPLOYMENT, REPLICA_SET
from bcs_template_set.manifests.live_fields import condition_of
from bcs_template_set.manifests.naming import normal_path
from bcs_template_set.manifests.parse import bcs_variables_in, parse_foreign
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import NewerBuild, Overtaken
from bcs_template_set.messages.step_error import StepError, first_names
from bcs_template_set.publish.make_plan import is_believed, newer_build_lines
from bcs_template_set.publish.plan import Change, Desired
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.rollout.as_wanted import is_as_wanted
from bcs_template_set.rollout.deploy_notes import changes_pods
from bcs_template_set.rollout.deployment_plan import DeploymentPlan, Hold, Holding, hold_nothing, is_fixed
from bcs_template_set.rollout.domain_status import is_rest_of
from bcs_template_set.rollout.drift import drift_of
from bcs_template_set.rollout.live_diff import with_hidden
from bcs_template_set.rollout.live_state import FileVersion, LiveState, objects_in
from bcs_template_set.rollout.restore import find_version
from bcs_template_set.rollout.revisions import Revision, Revisions, revisions_of, was_left
from bcs_template_set.run.context import RenderedRun


@dataclass(frozen=True)
class Looking:
    """What it takes to look: the run, what it published, a reader, and the id of its space."""

    run: RenderedRun
    desired: Desired
    reader: Reader
    space_id: str


def newest_versions(looking: Looking, files: Sequence[FileVersion]) -> tuple[FileVersion, ...]:
    """Return the versions to make live: shared files at their current version, the others as they are.

    Raises:
        NewerBuild: a newer build of this branch has published a file since, and is not to be replaced.
        Overtaken: the current version of a shared file lacks this branch's path.
        StepError: whatever the gateway or BCS answered.
    """
    project = looking.desired.target.project
    rows = files_by_name(looking.reader, project, looking.space_id)
    current = {file.name: rows[file.name].version_id for file in files if file.name in rows}
    moved = {f.name: current[f.name] for f in files if current.get(f.name, "") not in ("", f.version_id)}
    found = read_versions(looking.reader, project, moved.values())
    versions = {name: found[version_id] for name, version_id in moved.items()}
    newer = {name: pair for name, v in versions.items() for pair in _newer(looking, name, v)}
    if newer and looking.run.settings.on_newer_build != "replace":
        raise NewerBuild(details=newer_build_lines(newer, ours=looking.desired.provenance.build))
    return tuple(_newest(looking, file, versions) for file in files)


def _newer(looking: Looking, name: str, version: TemplateVersion) -> list[tuple[TemplateVersion, Provenance]]:
    origin = read_provenance(version.description)
    if name in looking.desired.shared or origin is None:
        return []
    ours = looking.desired.provenance
    if not origin.is_newer_than(ours) or not is_believed(version, origin, ours=ours):
        return []
    return [(version, origin)]


def _newest(looking: Looking, file: FileVersion, versions: dict[str, TemplateVersion]) -> FileVersion:
    version = versions.get(file.name)
    if version is None or file.name not in looking.desired.shared:
        return file
    claim = looking.run.prepared.claim
    if not _serves(version, claim):
        detail = say("deploy.shared_lacks", name=file.name, current=version.version, path=claim.path)
        raise Overtaken(details=[detail])
    objects = objects_in(parse_foreign(version.content))
    return replace(file, version_id=version.id, version=version.version, objects=objects)


def _serves(version: TemplateVersion, claim: Claim) -> bool:
    claims = [found for _, found in claims_of(parse_foreign(version.content) or ())]
    return any(
        found.branch == claim.branch and normal_path(found.path) == normal_path(claim.path)
        for found in claims
    )


MOST_READ = 20
"""Of so many held domains the version that is live is read, to tell whether all of it is."""


def hold_of(run: RenderedRun, reader: Reader, place: NamespaceRef, existing: Existing) -> Hold:
    """Return what says which versions of a deployment are held.

    None is that this build has published, or that somebody asks for with `redeploy` or `only`. Of a rollback
    it is what the cluster would not replace, and so does not go back.
    """
    plan, settings = run.services.record.plan, run.settings
    if settings.goes_back:
        return hold_what_is_fixed
    if plan is None or settings.redeploy or settings.only:
        return hold_nothing
    rows = {change.name: change.row for change in plan.changes}
    older = {change.name for change in plan.changes if _is_older(change, existing, run)}

    def hold(deployment: DeploymentPlan) -> Holding:
        asked = _Asked(settings.template_space, deployment, rows, older)
        if not asked.files:
            return Holding()
        listed = read_live_objects(reader, place, kinds=(REPLICA_SET,)).rows

        def told(states: Sequence[LiveState]) -> Sequence[tuple[str, bool]]:
            reads = [partial(_told_of, reader, place, asked, state) for state in states]
            return together(reader, reads)

        return asked.answer(revisions_of(listed, by="name"), told=told)

    return hold


def _told_of(reader: Reader, place: NamespaceRef, asked: _Asked, state: LiveState) -> tuple[str, bool]:
    """Return when the rollout ended that a Deployment is at, "" if nobody knows, and if an undo began it."""
    try:
        whole = reader.read(get_live(place, kind=DEPLOYMENT, name=state.name)).manifest
    except StepError:
        whole = {}
    progress = condition_of(whole, "Progressing")
    # It is not written again before the next rollout (Kubernetes, pkg/controller/deployment/progress.go).
    ended = text_at(progress, "reason") == "NewReplicaSetAvailable"
    return text_at(progress, "lastUpdateTime") if ended else "", _is_undone(reader, place, asked, state)


def _is_undone(reader: Reader, place: NamespaceRef, asked: _Asked, state: LiveState) -> bool:
    """Tell whether an undo outside the pipeline brought back a Deployment's pods, and not the rest of it.

    The version that it is marked with is read for that; where that fails, or BCS fills it in, nobody knows.
    """
    try:
        found = find_version(reader, place.project, asked.space, state.file, state.mark.version)
    except StepError:
        return False
    if found is None or any(True for _ in bcs_variables_in(found.content)):
        return False
    own = (d for d in parse_foreign(found.content) or () if (d.kind, d.name) == (state.kind, state.name))
    return any(is_rest_of(_unlike(document.body, state), _unlike(state.desired, state)) for document in own)


def _unlike(wanted: Fields, state: LiveState) -> tuple[str, ...]:
    return drift_of(wanted, with_hidden(state.live or {}, wanted), is_scaled=False).changed


def hold_what_is_fixed(deployment: DeploymentPlan) -> Holding:
    """Hold the files of which nothing differs but objects that can not be replaced."""
    held: dict[str, list[str]] = {}
    for file in deployment.deploy:
        own = [state for state in deployment.states if state.file == file.name]
        other = [s for s in own if s.live is None or not is_as_wanted(s.desired, s.live)]
        if other and all(map(is_fixed, other)):
            held[file.name] = [state.title for state in other]
    objects = [title for titles in held.values() for title in titles]
    said = (say("rollback.fixed", objects=first_names(objects)),) if objects else ()
    return Holding(frozenset(held), said)


def _is_older(change: Change, existing: Existing, run: RenderedRun) -> bool:
    """Tell whether an earlier build has published what the file has; a branch's path is none of ours."""
    found = existing.files.get(change.name)
    if change.action != "unchanged" or found is None or change.name in run.desired.shared:
        return False
    return found.origin is None or not found.origin.is_same_build_as(run.desired.provenance)


def tells(state: LiveState, revisions: Sequence[Revision]) -> bool:
    """Tell whether a Deployment's revisions would show that the wanted version was live before.

    They show pod templates: not a version with the pods that are live, nor one where no old ones are kept.
    """
    keeps = mapping_at(state.live or {}, "spec").get("revisionHistoryLimit") != 0
    return keeps and bool(revisions) and changes_pods(state)


class _Asked:
    """The versions of a deployment that an earlier build has published, over which another one is live."""

    def __init__(
        self, space: str, deployment: DeploymentPlan, rows: Mapping[str, str], older: set[str]
    ) -> None:
        self.space, self._rows, self._deployment = space, rows, deployment
        files = {file.name: file for file in deployment.deploy if file.name in older and not file.rewritten}
        self._states = [s for s in deployment.states if s.file in files and self._is_at_another(s, files)]
        self.files = {state.file: files[state.file] for state in self._states}

    def _is_at_another(self, state: LiveState, files: Mapping[str, FileVersion]) -> bool:
        own = Mark(f"{self.space}/{state.file}", files[state.file].version)
        return bool(state.mark.file_in(self.space)) and state.mark != own

    def answer(
        self, revisions: Revisions, *, told: Callable[[Sequence[LiveState]], Sequence[tuple[str, bool]]]
    ) -> Holding:
        """Return what is held, going by these revisions, and of what they tell nothing.

        `told` says of Deployments when each went back, and whether its pods alone did; few are asked for.
        """
        pods = [state for state in self._states if state.known_kind is DEPLOYMENT]
        left = {self._rows[state.file]: state for state in pods if self._was_left(state, revisions)}
        clear = {self._rows[state.file] for state in pods if tells(state, revisions.get(state.name, ()))}
        held = [file.name for file in self._deployment.deploy if self._rows.get(file.name) in left]
        untold = sorted(name for name in self.files if self._rows[name] not in clear)
        rows = sorted(left.items())
        known = (*told([state for _, state in rows[:MOST_READ]]), *repeat(("", False), len(rows)))
        said = [self._stays(name, state, facts) for (name, state), facts in zip(rows, known)]
        if untold:
            said.append(say("deploy.not_told", names=first_names(untold)))
        return Holding(frozenset(held), tuple(said))

    def _was_left(self, state: LiveState, revisions: Revisions) -> bool:
        mark = Mark(f"{self.space}/{state.file}", self.files[state.file].version)
        return was_left(mark, revisions.get(state.name, ()))

    def _stays(self, name: str, state: LiveState, told: tuple[str, bool]) -> Text:
        (at, is_undone), version = told, state.mark.version
        left = self.files[state.file].version
        live = say("deploy.since", version=version, at=at) if at else version
        key = "deploy.held_undone" if is_undone else "deploy.held"
        facts = {"file": state.file, "object": state.title}
        return say(key, name=name, live=live, left=left, **facts)
