"""Read all that decides what may be deleted, to the end of every list. Only reads leave this module.

What can't be read is an error: no answer is not an empty one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Callable, Optional, TypeVar

from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.answers import TemplateFile, TemplateSpace, TemplateVersion
from bcs_template_set.bcs.calls import JsonValue, Reader, Unreadable, together
from bcs_template_set.bcs.deploy_calls import LiveObject, NamespaceRef, get_live, live_object
from bcs_template_set.bcs.space.existing import VersionRef
from bcs_template_set.bcs.space.live_objects import LiveObjects, LiveRow, read_live_objects
from bcs_template_set.bcs.space.provenance import Provenance
from bcs_template_set.bcs.space.template_spaces import list_files, list_histories, oldest_of_each_name
from bcs_template_set.bcs.space.versions import read_versions
from bcs_template_set.bcs.told_by_bcs import NOT_FOUND
from bcs_template_set.manifests.checks.references import names_in
from bcs_template_set.manifests.custom_kinds import CUSTOM
from bcs_template_set.manifests.declared_kinds import NO_DEFINITION
from bcs_template_set.manifests.fields import Fields, is_left_for_bcs, mapping_at, text_at
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kinds import AUTOSCALER, INGRESS, LISTED, POD, kind_of
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.parse import document_of, parse_foreign
from bcs_template_set.manifests.pod_templates import objects_of
from bcs_template_set.manifests.scope import Scope
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import NoPermission
from bcs_template_set.messages.server_errors import AnswerUnreadable, BcsFailed
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.publish.orphans import Folder, FolderFile, Seen
from bcs_template_set.publish.prune_rules import Claim, Proof, named, of_row, why_it_stays
from bcs_template_set.records.late_dataclass import dataclass

T = TypeVar("T")
ALL = Scope()

Names = Mapping[str, Optional[tuple[VersionRef, ...]]]


@dataclass(frozen=True)
class Looking:
    """What it takes to look: a folder of a project, and a namespace."""

    reader: Reader
    place: NamespaceRef
    space: TemplateSpace

    @property
    def project(self) -> str:
        """Return the project's code."""
        return self.place.project

    def at_once(self, tasks: Iterable[Callable[[], T]]) -> list[T]:
        """Return what these reads return, or raise what the first of them raised that did not."""
        return together(self.reader, tasks)

    def versions(
        self, ids: Iterable[str], *, known: Mapping[str, TemplateVersion] = MappingProxyType({})
    ) -> dict[str, TemplateVersion]:
        """Return versions by id; of those that are `known` nothing is read."""
        return read_versions(self.reader, self.project, ids, known=known)

    def live(self, kinds: Collection[Kind]) -> tuple[LiveRow, ...]:
        """Return the namespace's objects of these kinds; StepError where one can't be listed."""
        found = read_live_objects(self.reader, self.place, kinds=tuple(kinds))
        return all_of(found)


def read_folder(
    looking: Looking,
    rows: Mapping[str, TemplateFile],
    *,
    rendered: tuple[ManifestFile, ...],
    ours: Provenance,
    scope: Scope = ALL,
    known: Mapping[str, TemplateVersion] = MappingProxyType({}),
) -> Folder:
    """Return whose each file of the folder is, and the live objects of the namespace.

    `rows` are the files as they are listed, `known` versions that are at hand, by id.

    Raises:
        StepError: a version or a list could not be read.
    """
    pinned = [row for row in rows.values() if row.version_id and row.version_mode == protocol.PINNED]
    names = read_names_of(looking, pinned)
    ids = {name: _telling(row, names) for name, row in rows.items()}
    every = [version_id for found in ids.values() for version_id in found]
    versions = looking.versions(every, known=known)
    files = {
        name: FolderFile(row, tuple(versions[version_id] for version_id in ids[name]))
        for name, row in rows.items()
    }
    kinds = {kind for row in rows.values() for kind in row.resource_type}
    kinds |= {document.kind for file in rendered for document in file.documents}
    live = read_all(looking, kinds)
    return Folder(looking.space.name, ours, rendered, files, live, scope)


def read_names_of(looking: Looking, pinned: Sequence[TemplateFile]) -> Names:
    """Return the versions of pinned files by name, None where nobody lists them.

    Only of those the newest version is not the current one as a matter of course (facts/bcs.md, trap 4).
    """
    found, _ = list_histories(looking.reader, looking.project, looking.space, pinned)
    return found


def _telling(row: TemplateFile, names: Names) -> tuple[str, ...]:
    """Return the ids of the versions that tell whose a file is; none where the newest can't be told."""
    if not row.version_id:
        return ()
    if row.version_mode != protocol.PINNED:
        return (row.version_id,)
    newest = (names[row.real_name] or ())[:1]
    return tuple(dict.fromkeys((row.version_id, *(ref.id for ref in newest)))) if newest else ()


# --- what is live ---------------------------------------------------------------------------------------


def read_all(looking: Looking, kinds: Collection[str]) -> tuple[LiveRow, ...]:
    """Return all objects of the namespace; of custom kinds those that are among `kinds`.

    Raises:
        StepError: a list could not be read.
    """
    custom = tuple(kind for kind in CUSTOM if kind.name in kinds)
    return looking.live((*LISTED, *custom))


def all_of(found: LiveObjects) -> tuple[LiveRow, ...]:
    """Return the objects that were listed, all of them; what can't be there need not be read."""
    for kind, error in found.unread.items():
        if not (_has_none(error) or _is_of_no_shared_cluster(kind, error, found)):
            raise error
    return found.rows


def _has_none(error: StepError) -> bool:
    """Tell whether the cluster lacks the definition of a custom kind, and so has no object of it."""
    return isinstance(error, BcsFailed) and NO_DEFINITION in str(error.message)


def _is_of_no_shared_cluster(kind: Kind, error: StepError, found: LiveObjects) -> bool:
    """Tell whether a kind alone was refused, as a shared cluster does (facts/bcs.md, trap 9).

    The right that its list asks for is that of every other list.
    """
    refused = {one for one, why in found.unread.items() if isinstance(why, NoPermission)}
    is_refused = isinstance(error, NoPermission) and not kind.on_shared_cluster
    return is_refused and not any(one.on_shared_cluster for one in refused)


def read_whole(looking: Looking, kind: Kind, name: str) -> Optional[Fields]:
    """Return a live object whole, None where there is none.

    Raises:
        StepError: it could not be read.
    """
    call = get_live(looking.place, kind=kind, name=name)
    try:
        return looking.reader.read(call.parsed_by(partial(_whole, name))).manifest
    except BcsFailed as exc:
        if is_not_found(exc, name):
            return None
        raise


def _whole(name: str, data: JsonValue) -> LiveObject:
    """Return the object that an answer is: one without its name or uid is none."""
    found = live_object(data)
    if text_at(found.manifest, "metadata", "name") != name or not text_at(found.manifest, "metadata", "uid"):
        raise Unreadable("Object missing required field `uid` - at `data.manifest.metadata`")
    return found


def is_not_found(error: BcsFailed, name: str) -> bool:
    """Tell whether an answer says that an object of this name is not there: the code alone says much else."""
    said = str(error.message)
    return error.bcs_code == NOT_FOUND and f'"{name}"' in said and said.rstrip(". ").endswith("not found")


# --- proofs ---------------------------------------------------------------------------------------------


def read_proofs(
    looking: Looking,
    folder: Folder,
    rows: Sequence[LiveRow],
    *,
    ours: Optional[Provenance],
    also: Collection[str],
    files: Sequence[FolderFile] = (),
) -> Seen:
    """Return what decides of each object: itself, the version that made it, claims, and who refers to it.

    Without `ours`, whichever pipeline published it, and whatever another file claims. `also` are kinds that
    may go where they are else kept. What `files` hold is looked for, too: they may go, if it is gone.

    Raises:
        StepError: one of them could not be read.
    """
    marks = {(row.mark.file_in(folder.space), row.mark.version) for row in rows}
    versions = _marked_versions(looking, folder, sorted(marks))
    claims = _claims(looking, {name for name, _ in marks}) if rows and ours is not None else {}
    here = folder.claims(rows) if rows and ours is not None else ()
    wholes = looking.at_once(partial(read_whole, looking, row.kind, row.name) for row in rows)
    proofs = {
        row.uid: Proof(whole, versions[name, row.mark.version], (*here, *claims.get(name, ())))
        for row, whole in zip(rows, wholes)
        for name in [row.mark.file_in(folder.space)]
    }
    held = {of_row(row) for row in folder.rows}
    absent = [
        (kind, document.name)
        for version in (*versions.values(), *(v for file in files for v in file.versions))
        for document in objects_of((parse_foreign(version.content) if version is not None else None) or ())
        for kind in [kind_of(document.api_version, document.kind)]
        if kind is not None and kind in LISTED
        if named(document) not in held and not is_left_for_bcs(document.name)
    ]
    there = looking.at_once(partial(read_whole, looking, kind, name) for kind, name in absent)
    lacking = [f"{kind.name}/{name}" for (kind, name), whole in zip(absent, there) if whole]
    may_go = [r for r in rows if why_it_stays(r, proofs[r.uid], ours=ours, also=also) is None]
    return Seen(proofs, read_referring(looking, folder.rows, may_go), tuple(lacking))


def _marked_versions(
    looking: Looking, folder: Folder, marks: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], Optional[TemplateVersion]]:
    known = {(name, v.version): v for name, file in folder.files.items() for v in file.versions}
    unread = [mark for mark in marks if mark not in known]
    calls = [
        partial(
            looking.reader.read,
            protocol.find_version(looking.project, space=looking.space.name, name=name, version=version),
        )
        for name, version in unread
    ]
    read = looking.at_once(calls)
    return {**{mark: known.get(mark) for mark in marks}, **dict(zip(unread, read))}


def _claims(looking: Looking, names: Collection[str]) -> dict[str, tuple[Claim, ...]]:
    """Return the files of these names in other folders of the project, with what they hold."""
    every = looking.reader.read(protocol.list_all_spaces(looking.project))
    if looking.space.name not in [space.name for space in every]:
        problem = say("prune.list_lacks", names=[looking.space.name])
        raise AnswerUnreadable(url="spaces", problem=problem)
    spaces = [space for space in every if space.name != looking.space.name]
    listed = looking.at_once(partial(list_files, looking.reader, looking.project, s.id) for s in spaces)
    found = [
        (space.name, row)
        for space, rows in zip(spaces, listed)
        for name, row in oldest_of_each_name(rows).items()
        if name in names and row.version_id
    ]
    versions = looking.versions(row.version_id for _, row in found)
    claims: dict[str, tuple[Claim, ...]] = {}
    for space_name, row in found:
        claim = Claim(f"{space_name}/{row.real_name}", parse_foreign(versions[row.version_id].content))
        claims[row.real_name] = (*claims.get(row.real_name, ()), claim)
    return claims


OF_CONTROLLERS = (
    *("pod-template-hash", "controller-revision-hash", "statefulset.kubernetes.io/pod-name"),
    *("job-name", "batch.kubernetes.io/job-name"),
)
"""The labels by which Kubernetes' controllers know their pods."""


# --- who refers to it -----------------------------------------------------------------------------------

REFERRED = frozenset({"ConfigMap", "Secret", "PersistentVolumeClaim"})
"""What pods mount; anything else is named by Ingresses, autoscalers and workloads alone."""


def read_referring(
    looking: Looking, rows: Iterable[LiveRow], targets: Iterable[LiveRow]
) -> Mapping[tuple[str, str], Sequence[LiveRow]]:
    """Return which live objects name one of the targets in their fields, by its kind and name.

    Raises:
        StepError: an object that may could not be read.
    """
    wanted = {(row.kind.name, row.name) for row in targets}
    if not wanted:
        return {}
    mounted = any(kind in REFERRED for kind, _ in wanted)
    named = [row for row in rows if row.kind in (INGRESS, AUTOSCALER) or row.kind.pod_template is not None]
    if mounted:
        named += _others(looking, named)
    wholes = looking.at_once(partial(read_whole, looking, row.kind, row.name) for row in named)
    found: dict[tuple[str, str], list[LiveRow]] = {}
    for row, whole in zip(named, wholes):
        for target in {*names_in(document_of(whole or {}))} & wanted:
            found.setdefault(target, []).append(row)
    return found


def _others(looking: Looking, workloads: Sequence[LiveRow]) -> list[LiveRow]:
    """Return what else may mount something: pods of no workload, and workloads of custom kinds."""
    found = looking.live((POD, *CUSTOM))
    known = {(row.kind, row.name) for row in workloads}
    makers = tuple(f"{row.name}-" for row in (*workloads, *found) if row.kind is not POD)
    return [row for row in found if (row.kind, row.name) not in known and not _is_made(row, makers)]


def _is_made(row: LiveRow, makers: tuple[str, ...]) -> bool:
    """Tell whether a pod is one of a workload's: lists show no owner, but the labels of controllers."""
    labels = mapping_at(row.item, "metadata", "labels")
    return (
        row.kind is POD and row.name.startswith(makers) and any(label in labels for label in OF_CONTROLLERS)
    )
