"""What earlier builds of a pipeline and branch left, by all that was read: what goes, what stays. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import field
from functools import cached_property
from typing import Optional

from bcs_template_set.bcs.answers import TemplateFile, TemplateVersion
from bcs_template_set.bcs.space.live_objects import LiveRow
from bcs_template_set.bcs.space.provenance import Provenance, published_as_it_is, read_provenance
from bcs_template_set.manifests.fields import is_left_for_bcs
from bcs_template_set.manifests.kinds import INGRESS, kind_of
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.parse import parse_foreign
from bcs_template_set.manifests.pod_templates import objects_of
from bcs_template_set.manifests.route_changes import changes_of, key_of
from bcs_template_set.manifests.routes import RouteKey, routes_of
from bcs_template_set.manifests.scope import Scope
from bcs_template_set.messages import Text, say
from bcs_template_set.publish.prune_rules import Claim, Named, Proof, held_by, named, of_row, why_it_stays
from bcs_template_set.publish.pruning import FILES, Orphan, OrphanFile, Pruning, Share, limits
from bcs_template_set.records.late_dataclass import dataclass


@dataclass(frozen=True)
class FolderFile:
    """A file of the folder, and the versions that tell whose it is: the current one, and the one made last.

    None where nobody can say.
    """

    row: TemplateFile
    versions: tuple[TemplateVersion, ...]

    @property
    def name(self) -> str:
        """Return its name in the folder."""
        return self.row.real_name

    @cached_property
    def origins(self) -> tuple[Optional[Provenance], ...]:
        """Return the builds that published these versions, None for a person or another tool."""
        return tuple(published_as_it_is(version.description, version.content) for version in self.versions)

    @cached_property
    def held(self) -> frozenset[Named]:
        """Return what these versions hold."""
        texts = [parse_foreign(version.content) or () for version in self.versions]
        return frozenset(named(document) for text in texts for document in objects_of(text))

    def is_ours(self, ours: Provenance) -> bool:
        """Tell whether this pipeline and branch published it last, in whichever build."""
        return bool(self.origins) and all(
            o is not None and ours.is_same_line_of_builds(o) for o in self.origins
        )

    def is_older(self, ours: Provenance) -> bool:
        """Tell whether an earlier build of this pipeline and branch published it last."""
        return bool(self.origins) and all(o is not None and ours.is_newer_than(o) for o in self.origins)

    def is_newer(self, ours: Provenance) -> bool:
        """Tell whether a later build of this pipeline and branch has published it."""
        return any(origin is not None and origin.is_newer_than(ours) for origin in self.origins)


@dataclass(frozen=True)
class Folder:
    """What this run has to do with a folder: what it renders, out of which build, and the folder's files.

    `rows` are all live objects of the namespace. `scope` says of which files the run is.
    """

    space: str
    ours: Provenance
    rendered: tuple[ManifestFile, ...]
    files: Mapping[str, FolderFile]
    rows: tuple[LiveRow, ...] = ()
    scope: Scope = field(default_factory=Scope)

    @cached_property
    def held(self) -> frozenset[Named]:
        """Return every object that a file of the run renders, whichever file its mark names."""
        every = (file.documents for file in self.rendered)
        return frozenset(named(document) for documents in every for document in objects_of(documents))

    def claims(self, rows: Collection[LiveRow]) -> tuple[Claim, ...]:
        """Return the other files of the folder that may hold one of these; what is left claims none.

        Who finds all live as he wants it sends nothing, and the mark stays the former owner's.
        """
        left = self.names | {file.name for file in self.orphaned}
        texts = [
            (name, v.content) for name in sorted(self.files.keys() - left) for v in self.files[name].versions
        ]
        return tuple(
            Claim(f"{self.space}/{name}", parse_foreign(text), text)
            for name, text in texts
            if is_left_for_bcs(text) or any(row.name in text for row in rows)
        )

    @cached_property
    def names(self) -> frozenset[str]:
        """Return the names of the run's files."""
        return frozenset(file.name for file in self.rendered)

    @cached_property
    def own(self) -> frozenset[str]:
        """Return the files that this pipeline and branch had there before the run."""
        return frozenset(name for name, file in self.files.items() if file.is_ours(self.ours))

    @cached_property
    def orphaned(self) -> tuple[FolderFile, ...]:
        """Return the files that an earlier build published last, and this run does not render; sorted.

        In a narrowed run only what `only` names may be left behind.
        """
        left = [self.files[name] for name in sorted(self.files.keys() - self.names)]
        return tuple(file for file in left if file.is_older(self.ours) and self.scope.has(file.name))

    def would_go(self, also: Collection[str]) -> list[FolderFile]:
        """Return the orphaned files that may go: those that were never deployed, with `files` all."""
        live = {row.mark.file_in(self.space) for row in self.rows}
        return [
            file
            for file in self.orphaned
            if FILES in also or not (file.row.latest_deploy_version or file.name in live)
        ]

    @cached_property
    def newer(self) -> tuple[str, ...]:
        """Return the files that a later build of this pipeline and branch has published; sorted."""
        return tuple(sorted(name for name, file in self.files.items() if file.is_newer(self.ours)))

    @cached_property
    def own_rows(self) -> tuple[LiveRow, ...]:
        """Return the live objects that are marked with a file that this pipeline and branch has there."""
        return tuple(row for row in self.rows if row.mark.file_in(self.space) in self.own)

    @cached_property
    def candidates(self) -> tuple[LiveRow, ...]:
        """Return the live objects that may be left: of an orphaned file, or of one that is rendered still.

        What somebody else published last is never touched. What a narrowed run renders no more may have moved
        to a file that it does not render.
        """
        dropped = frozenset[str]() if self.scope.outside else self.names & self.own
        left = {file.name for file in self.orphaned} | dropped
        return tuple(
            row for row in self.rows if row.mark.file_in(self.space) in left and of_row(row) not in self.held
        )


def open_names(files: Iterable[ManifestFile]) -> list[str]:
    """Return the objects of the run whose kind or name only BCS will know: nobody can say what they are."""
    return [
        f"{file.name}: {document.title}"
        for file in files
        for document in objects_of(file.documents)
        if is_left_for_bcs(document.kind) or is_left_for_bcs(document.name)
    ]


# --- who refers to what ---------------------------------------------------------------------------------

Referring = Mapping[tuple[str, str], Sequence[LiveRow]]
"""The live objects that name another one, by its kind and name."""


def without_referred(
    going: Sequence[LiveRow], referring: Referring, *, also: Collection[str]
) -> tuple[list[LiveRow], dict[str, Text]]:
    """Return what may go of objects, and why the others stay, by uid: what is live still refers to them.

    What goes itself counts for nothing; what stays for this reason counts again.
    """
    left, reasons = list(going), dict[str, Text]()
    while True:
        uids = {row.uid for row in left}
        by = {row.uid: _referring(row, referring, uids) for row in left if row.kind.name not in also}
        held = {uid: names for uid, names in by.items() if names}
        if not held:
            return left, reasons
        reasons.update({uid: say("prune.referred", objects=names) for uid, names in held.items()})
        left = [row for row in left if row.uid not in held]


def _referring(row: LiveRow, referring: Referring, going: Collection[str]) -> list[str]:
    found = referring.get((row.kind.name, row.name), ())
    return sorted({one.title for one in found if one.uid not in going})


# --- all of it ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Seen:
    """What was read beside the lists: a proof for each candidate, by uid, and who refers to what.

    `lacking` are objects that are there and that no list shows: so the lists are not the truth. `runners`
    says of files that were deployed why they stay, since another namespace may run them.
    """

    proofs: Mapping[str, Proof]
    referring: Referring = field(default_factory=dict)
    lacking: tuple[str, ...] = ()
    runners: Mapping[str, Text] = field(default_factory=dict)


def decide(
    folder: Folder,
    seen: Seen,
    *,
    also: Collection[str] = (),
    limit: Optional[int] = None,
    asked: Collection[RouteKey] = (),
) -> Pruning:
    """Return what goes and what stays of a folder's orphans, by what the author allows.

    `also` and `limit` are inputs, `asked` places whose removal was asked for.
    """
    going, stays = _sorted_out(folder.candidates, seen, ours=folder.ours, also=also)
    objects = tuple(_orphan(row, seen.proofs[row.uid], folder) for row in going)
    files, kept = _files_going(folder, folder.would_go(also), objects, seen)
    everything, too_many, notes = limits(_shares(folder, objects, files), limit=limit)
    if not folder.rendered and (objects or files):
        everything = (say("prune.renders_nothing"), *everything)
    return Pruning(
        is_seen=True,
        objects=in_order(objects),
        files=files,
        stays=(
            *(_stays(row, why, folder) for row, why in stays),
            *_unlisted(folder, folder.candidates),
            *kept,
        ),
        absent=_absent(folder, files),
        everything=everything,
        too_many=too_many,
        lost=tuple(_lost(folder, going, seen, asked=asked)),
        notes=notes,
    )


def undeploying(
    folder: Folder, rows: Sequence[LiveRow], seen: Seen, *, also: Collection[str], files: bool
) -> Pruning:
    """Return what goes of a domain, whichever pipeline published it; with `files` those of which none stays.

    `folder` holds the domain's files alone.
    """
    going, stays = _sorted_out(rows, seen, ours=None, also=also)
    objects = tuple(_orphan(row, seen.proofs[row.uid], folder) for row in going)
    mine = tuple(file for _, file in sorted(folder.files.items())) if files else ()
    gone, kept = _files_going(folder, mine, objects, seen)
    return Pruning(
        mode="delete",
        is_seen=True,
        objects=in_order(objects),
        files=gone,
        stays=(*(_stays(row, why, folder) for row, why in stays), *_unlisted(folder, rows), *kept),
    )


def in_order(objects: Iterable[Orphan]) -> tuple[Orphan, ...]:
    """Return objects in the order in which they are deleted."""
    return tuple(sorted(objects, key=lambda one: (one.rank, one.title)))


def _sorted_out(
    rows: Sequence[LiveRow],
    seen: Seen,
    *,
    ours: Optional[Provenance],
    also: Collection[str],
) -> tuple[Sequence[LiveRow], Sequence[tuple[LiveRow, Text]]]:
    """Return what may go of live objects, and what stays, each with why."""
    reasons = {row.uid: why_it_stays(row, seen.proofs[row.uid], ours=ours, also=also) for row in rows}
    free = [row for row in rows if reasons[row.uid] is None]
    going, referred = without_referred(free, seen.referring, also=also)
    reasons.update(referred)
    return going, [(row, why) for row in rows for why in [reasons[row.uid]] if why is not None]


def file_of(row: LiveRow, folder: Folder) -> str:
    """Return the file that an object is marked with, without its folder."""
    return row.mark.file_in(folder.space)


def _stays(row: LiveRow, why: Text, folder: Folder) -> Text:
    return say("prune.stays", object=row.title, file=file_of(row, folder), why=why)


def _unlisted(folder: Folder, rows: Iterable[LiveRow]) -> Iterable[Text]:
    """Name what these objects' files hold beside, of kinds that BCS does not list: it stays."""
    files = sorted({file_of(row, folder) for row in rows} & folder.files.keys() - folder.names)
    for name in files:
        for title in _not_listed(folder.files[name]):
            yield say("prune.stays", object=title, file=name, why=say("prune.no_list"))


def _not_listed(file: FolderFile) -> Iterable[str]:
    for version in file.versions[:1]:
        for document in objects_of(parse_foreign(version.content) or ()):
            kind = kind_of(document.api_version, document.kind)
            if kind is None or not kind.route:
                yield document.title


def _orphan(row: LiveRow, proof: Proof, folder: Folder) -> Orphan:
    version, name = proof.version, file_of(row, folder)
    origin = read_provenance(version.description) if version is not None else None
    file = folder.files[name]
    return Orphan(
        kind=row.kind,
        name=row.name,
        file=name,
        version=row.mark.version,
        build=origin.build if origin is not None else 0,
        uid=row.uid,
        template_id=file.row.id,
        versions=frozenset((file.row.version_id, *(held.id for held in file.versions))),
        is_newest=version in file.versions,
    )


def _files_going(
    folder: Folder, files: Sequence[FolderFile], going: Iterable[Orphan], seen: Seen
) -> tuple[tuple[OrphanFile, ...], list[Text]]:
    """Return which of these files go, and why the others stay: those of which nothing stays go."""
    uids = {one.uid for one in going}
    left = [row for row in folder.rows if row.uid not in uids]
    alive = {file_of(row, folder) for row in left}
    # Of a file that somebody has renamed the objects bear the name that it had.
    objects = frozenset(map(of_row, left)) - folder.held
    reasons = {
        file.name: say("prune.object_stays")
        if file.name in alive or not objects.isdisjoint(file.held)
        else _file_stays(file, seen)
        for file in files
    }
    gone = tuple(
        OrphanFile(
            file.name,
            file.row.id,
            file.row.version_id,
            max((o.build for o in file.origins if o), default=0),
            file.versions[-1].id if file.versions else "",
        )
        for file in files
        if reasons[file.name] is None
    )
    return gone, [say("prune.file_stays", name=name, why=why) for name, why in reasons.items() if why]


def _file_stays(file: FolderFile, seen: Seen) -> Optional[Text]:
    if file.row.is_draft:
        return say("prune.draft")
    unlisted = [*_not_listed(file)] if file.row.latest_deploy_version else []
    return say("prune.unlisted", objects=unlisted) if unlisted else seen.runners.get(file.name)


def _absent(folder: Folder, going: Iterable[OrphanFile]) -> tuple[str, ...]:
    """Return the orphaned files of which nothing is live here, and that stay."""
    live = {file_of(row, folder) for row in folder.rows} | {file.name for file in going}
    return tuple(file.name for file in folder.orphaned if file.name not in live)


def _shares(folder: Folder, objects: Iterable[Orphan], files: Iterable[OrphanFile]) -> Sequence[Share]:
    """Return how much of what this pipeline and branch has there would go, files and objects each."""
    orphaned, gone = {file.name for file in folder.orphaned}, tuple(objects)
    touched = {one.file for one in gone if one.file in orphaned} | {file.name for file in files}
    return (
        Share("files", len(orphaned), len(touched), len(folder.own)),
        Share("objects", len(folder.candidates), len(gone), len(folder.own_rows)),
    )


def _lost(
    folder: Folder, going: Iterable[LiveRow], seen: Seen, *, asked: Collection[RouteKey]
) -> Iterable[Text]:
    """Name the hosts and paths that would go with an Ingress, and that no file of the run serves."""
    served = [route for file in folder.rendered for route in file.routes]
    for row in (one for one in going if one.kind is INGRESS):
        documents = held_by(row, seen.proofs[row.uid].version)
        for route in changes_of(routes_of(documents), served).lost:
            if key_of(route) not in asked:
                where = {"host": route.host, "path": route.path, "object": row.title}
                yield say("prune.route_lost", **where, name=file_of(row, folder))
