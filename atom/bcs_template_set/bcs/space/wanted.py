"""What a run must know of its template space, as values. Performs no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from functools import cached_property
from typing import Optional

from bcs_template_set.bcs.answers import TemplateVersion
from bcs_template_set.bcs.space.existing import Existing, OtherFile
from bcs_template_set.bcs.space.provenance import Provenance, read_provenance
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.records.late_dataclass import dataclass

CLOCK_SKEW_SECONDS = 600
"""How far the clocks of BK-CI and BCS may be apart."""


@dataclass(frozen=True)
class Again:
    """Why a run plans again: the `files` that others have written since; of some it `merges` what was hidden.

    Those in `waiting` are left as they are for now. What was read `before` is not read again, nor are the
    versions that were `seen` since, given by id.
    """

    files: frozenset[str]
    before: Existing
    seen: Mapping[str, TemplateVersion] = field(default_factory=dict)
    merges: frozenset[str] = frozenset()
    waiting: frozenset[str] = frozenset()

    @cached_property
    def versions(self) -> Mapping[str, TemplateVersion]:
        """Return all versions that were read, by id."""
        return {**self.before.versions, **self.seen}

    @cached_property
    def others(self) -> Mapping[tuple[str, str], OtherFile]:
        """Return the files that the run does not render, by name and current version."""
        return {(other.name, other.current.id): other for other in self.before.others if other.current}


@dataclass(frozen=True)
class Wanted:
    """What a run must know of its space. `started_at` is in seconds since the epoch.

    `ours` is the build, None where it is nobody's. `shared` are the files that other branches write too,
    `outside` those that the run would have without `only`; `again` is there where the run has planned
    before, and with `may_exist` versions of this run's name may be there in any. `cluster_id` and
    `namespace` are where the run will be deployed, "" where it will not.
    """

    project: str
    space: str
    files: tuple[ManifestFile, ...]
    version: str
    template_set: str
    started_at: float
    ours: Optional[Provenance] = None
    shared: frozenset[str] = frozenset()
    outside: frozenset[str] = frozenset()
    again: Optional[Again] = None
    may_exist: bool = False
    cluster_id: str = ""
    namespace: str = ""

    @property
    def build(self) -> int:
        """Return the build's number, 0 where it has none."""
        return self.ours.build if self.ours is not None else 0

    def wrote(self, version: TemplateVersion) -> bool:
        """Tell whether this very build has written a version."""
        origin = read_provenance(version.description)
        return origin is not None and self.ours is not None and origin.is_same_build_as(self.ours)
