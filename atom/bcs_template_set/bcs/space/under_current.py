"""Read what lies under the current versions of a run's files, where that matters. Only reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import field, replace
from functools import partial

from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.answers import TemplateSpace, TemplateVersion
from bcs_template_set.bcs.calls import Reader, together
from bcs_template_set.bcs.space.existing import (
    FROM_NOTHING,
    ExistingFile,
    VersionRef,
    ref_of,
)
from bcs_template_set.bcs.space.provenance import holds_number, number_in, read_provenance
from bcs_template_set.bcs.space.template_spaces import list_histories
from bcs_template_set.bcs.space.unmerged_versions import suspects_of, with_crowd, with_unmerged
from bcs_template_set.bcs.space.versions import read_versions
from bcs_template_set.bcs.space.wanted import CLOCK_SKEW_SECONDS, Wanted
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.messages.server_errors import BcsFailed
from bcs_template_set.records.late_dataclass import dataclass

MOST_LATER_VERSIONS = 20


@dataclass(frozen=True)
class UnderCurrent:
    """What it takes to read further versions, of those files alone of which something has to be known.

    `ours` are the run's files. Versions that are `known` are not read again.
    """

    reader: Reader
    wanted: Wanted
    space: TemplateSpace
    ours: Mapping[str, ManifestFile]
    known: dict[str, TemplateVersion] = field(default_factory=dict)

    @property
    def _again(self) -> frozenset[str]:
        return self.wanted.again.files if self.wanted.again is not None else frozenset()

    def with_the_past(self, files: Sequence[ExistingFile]) -> list[ExistingFile]:
        """Return the files with what was written under the current versions, where that matters.

        In the ordinary case nothing is read: what is older than this build can be no newer build's, nor hide
        what has just been written, and a version of this build's name was never written.
        """
        self.known.update({f.current.id: f.current for f in files if f.current is not None})
        young = {f.metadata.real_name for f in files if self._is_young(f)}
        files = self._with_names(files, young)
        found = together(self.reader, [partial(self._with_same_name, f) for f in files])
        parts = {f.metadata.real_name for f in found if self._has_own_part(f)}
        found = self._with_names(found, parts - young)
        return [self._with_unmerged(f) for f in self._with_later(found)]

    def _with_names(self, files: Sequence[ExistingFile], wanted: set[str]) -> list[ExistingFile]:
        rows = [f.metadata for f in files if f.metadata.real_name in wanted]
        histories, listed = list_histories(self.reader, self.wanted.project, self.space, rows)
        self.known.update({version.id: version for version in listed})
        return [replace(f, history=histories.get(f.metadata.real_name, f.history)) for f in files]

    def _is_young(self, file: ExistingFile) -> bool:
        """Tell whether a file was changed since this build began, and not by this run as it wants it.

        What an earlier try of this build has written may hide a newer build's. A row changes with each
        deployment too, so it tells only of a file whose version somebody chooses.
        """
        current, wanted = file.current, self.wanted
        if file.metadata.real_name in self._again:
            return True
        if wanted.again is not None and current is not None and wanted.wrote(current):
            return self._differs(file)
        changed_at = file.metadata.update_at if current is None or file.is_pinned else current.create_at
        return changed_at >= wanted.started_at - CLOCK_SKEW_SECONDS

    def _differs(self, file: ExistingFile) -> bool:
        return file.current is not None and file.current.content != self.ours[file.metadata.real_name].text

    def _with_same_name(self, file: ExistingFile) -> ExistingFile:
        """Return a file with the version that has the run's version name, where that is not the current one.

        Of a file that this build has published before, also with what that was made from.
        """
        current, name = file.current, self.wanted.version
        if current is not None and not self._differs(file):
            return self._with_base(file, current)
        if current is not None and current.version == name:
            return file
        if file.history is not None:
            ref = next((ref for ref in file.history if ref.name == name), None)
            return replace(file, same_name=self.versions([ref.id])[ref.id]) if ref is not None else file
        if not self._may_have_our_name(file):
            return file
        where = {"space": self.wanted.space, "name": file.metadata.real_name, "version": name}
        same = self.reader.read(protocol.find_version(self.wanted.project, **where))
        file = replace(file, same_name=same)
        return self._with_base(file, same) if same is not None else file

    def _may_have_our_name(self, file: ExistingFile) -> bool:
        """Tell whether a version that is not current, and not young, can have this run's version name.

        BCS refuses a name that is there, so what is not foreseen here ends in another plan, no harm.
        """
        wanted = self.wanted
        is_own = holds_number(wanted.version, wanted.build)
        is_first = not (wanted.may_exist or file.is_pinned or self._is_young(file))
        return not (is_own and is_first) or file.current is None

    def _with_base(self, file: ExistingFile, version: TemplateVersion) -> ExistingFile:
        """Return a file with what a version of this build was made from, where no names were listed."""
        origin = read_provenance(version.description)
        if file.history is not None or origin is None or not self.wanted.wrote(version):
            return file
        refs = [ref_of(version)]
        with suppress(BcsFailed):  # it was deleted
            refs += map(ref_of, self.versions(set(origin.bases[:1]) - {FROM_NOTHING}).values())
        return replace(file, history=tuple(refs))

    def _has_own_part(self, file: ExistingFile) -> bool:
        """Tell whether this build has a part in a shared file already, so that another needs a free name."""
        held = [version for version in (file.current, file.same_name) if version is not None]
        return file.metadata.real_name in self.wanted.shared and any(map(self.wanted.wrote, held))

    def versions(self, ids: Iterable[str]) -> dict[str, TemplateVersion]:
        """Return the versions of these ids."""
        return read_versions(self.reader, self.wanted.project, ids, known=self.known)

    def _with_unmerged(self, file: ExistingFile) -> ExistingFile:
        """Return a shared file with what a race has hidden, which is not read before it is its turn."""
        name = file.metadata.real_name
        if name not in self.wanted.shared:
            return file
        again = self.wanted.again
        if again is not None and name in again.merges:
            return with_unmerged(file, read=self.versions)
        is_planned = again is None or name not in again.waiting
        return with_crowd(file, read=self.versions) if is_planned else file

    def _with_later(self, files: Sequence[ExistingFile]) -> list[ExistingFile]:
        """Return the files with the versions that a newer build may have written under the current one.

        A newer build started after this one, so what it published is younger than this build's start, give
        or take the clocks' skew. Of a file that has our content already, only what a race has hidden matters.
        At most 20 a file are read, newest first; of one that branches share those alone whose name is this
        run's with another number, since the others are other branches'.
        """
        refs = {f.metadata.id: self._refs_since(f) if self._differs(f) else suspects_of(f) for f in files}
        versions = self.versions(ref.id for several in refs.values() for ref in several)
        return [replace(f, later=tuple(versions[ref.id] for ref in refs[f.metadata.id])) for f in files]

    def _refs_since(self, found: ExistingFile) -> list[VersionRef]:
        known = {version.id for version in (found.current, found.same_name) if version is not None}
        since = self.wanted.started_at - CLOCK_SKEW_SECONDS
        refs = [ref for ref in found.history or () if ref.id not in known and ref.created_at >= since]
        version, build = self.wanted.version, self.wanted.build
        if found.metadata.real_name in self.wanted.shared and holds_number(version, build):
            refs = [ref for ref in refs if number_in(ref.name, version=version, build=build) is not None]
        return refs[:MOST_LATER_VERSIONS]
