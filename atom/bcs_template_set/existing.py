"""What BCS holds of a run's files, as values. Performs no I/O; `bcs/template_files.py` reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Optional

from bcs_template_set.bcs.protocol import ChartVersion, TemplateFile, TemplateSpace, TemplateVersion
from bcs_template_set.manifests.routes import Route


@dataclass(frozen=True)
class VersionRef:
    """A version by id and name, without its content. `created_at` is in seconds since the epoch."""

    id: str
    name: str
    created_at: int = 0


@dataclass(frozen=True)
class ExistingFile:
    """A template file of the space that this run renders too.

    `current` is the version the file points at, None for a mere draft or a dangling pointer. `same_name`
    is the version that already has this run's version name, if that is not the current one. `later` are
    other versions written since the build started, newest first. `history` holds every version known,
    newest first; None where this BCS can't list them.
    """

    metadata: TemplateFile
    current: Optional[TemplateVersion] = None
    same_name: Optional[TemplateVersion] = None
    later: tuple[TemplateVersion, ...] = ()
    history: Optional[tuple[VersionRef, ...]] = None

    @property
    def is_pinned(self) -> bool:
        """Tell whether a new version would not become current by itself (facts/bcs.md, trap 4)."""
        return self.metadata.version_mode == 1

    def before(self, version_id: str) -> Optional[VersionRef]:
        """Return the version that was written before another one, if that can be said."""
        history = self.history or ()
        for index, ref in enumerate(history):
            if ref.id == version_id:
                return history[index + 1] if index + 1 < len(history) else None
        return None


@dataclass(frozen=True)
class OtherFile:
    """A file of the space that this run does not render, as far as it matters: its routes and nodePorts.

    `readable` is False where its content is no YAML we can read, so that nothing is known of its routes.
    """

    name: str
    routes: tuple[Route, ...] = ()
    node_ports: tuple[int, ...] = ()
    readable: bool = True


@dataclass(frozen=True)
class Existing:
    """What the space holds. `space` is None where it does not exist yet.

    `project_id` is the 32-hex id, "" where the project manager would not say. `chart` is the template
    set of this run's name and version, None where there is none or it can't be read
    (`chart_readable` tells the two apart).
    """

    project_id: str = ""
    space: Optional[TemplateSpace] = None
    files: Mapping[str, ExistingFile] = field(default_factory=dict)
    others: tuple[OtherFile, ...] = ()
    chart: Optional[ChartVersion] = None
    chart_readable: bool = True
