"""The store behind every service, and the hands of everybody else: scenarios are built with its methods.

As in BCS there is no unique index (facts/bcs.md trap 5): services check, stamp id and time, insert, and move
the file's pointer in steps of their own (pkg/action/templateversion and pkg/store/templateversion, 2026-07).
The hooks `between_…` run between them and are told of what is created: a space, file or version. Nothing
here checks a name for being taken. `shuffle` is the order in which a sort that is not stable leaves equals.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterable
from typing import Callable, Optional, TypeVar

from tests.emulator.clusters import Clusters
from tests.emulator.dialect import Dialect
from tests.emulator.entities import (
    Chart,
    Space,
    TemplateFile,
    TemplateVersion,
    kinds_of,
)
from tests.emulator.pace import Pace
from tests.emulator.running_numbers import RunningNumbers
from tests.emulator.versions import Versions

Entity = TypeVar("Entity", Space, TemplateFile, TemplateVersion)


class State(Clusters):
    """All that the emulated site knows. `lock` guards the lists; hold it only for a moment.

    `dialect` may be changed at any time: so a site is upgraded while a run is under way. `pace` is how long
    deployments take.
    """

    def __init__(self, *, now: Callable[[], float] = time.time, dialect: Dialect = Dialect.C) -> None:
        super().__init__(now=now)
        self.dialect = dialect
        self.stamped_version = dialect.value
        self.spaces: list[Space] = []
        self.files: list[TemplateFile] = []
        self.versions = Versions()
        self.charts: list[Chart] = []
        self.envs: list[dict[str, object]] = []
        self.between_check_and_insert: Callable[[str], None] = lambda _kind: None
        self.between_stamp_and_insert: Callable[[str], None] = lambda _kind: None
        self.between_insert_and_move: Callable[[str], None] = lambda _kind: None
        self.shuffle: Callable[[list[TemplateVersion]], list[TemplateVersion]] = lambda versions: versions
        self.server_part: Callable[[], int] = lambda: 0
        self.pace = Pace()
        self._ids = RunningNumbers(1)

    # --- templates: what the console or a rival does ----------------------------------------------------

    def add_space(self, name: str, *, project: str = "", tags: Iterable[str] = ()) -> Space:
        """Add a template space, in the only project where none is named."""
        space = Space(id=self.new_id(), project=self.project_code(project), name=name, tags=list(tags))
        return self.insert_space(space)

    def add_file(
        self,
        space: str,
        name: str,
        *,
        content: str,
        version: str = "1.0.0",
        creator: str = "console",
        project: str = "",
        pinned: bool = False,
        draft: str = "",
        description: str = "",
        version_description: str = "",
        tags: Iterable[str] = (),
        render_mode: str = "Simple",
        deployed_version: str = "",
        deployer: str = "",
    ) -> TemplateFile:
        """Add a file with one version, and its space where missing; `draft` is its unpublished text."""
        code = self.project_code(project)
        if not self.find_spaces(space, project=code):
            self.add_space(space, project=code)
        now = int(self.now())
        file = TemplateFile(
            id=self.new_id(),
            project=code,
            space=space,
            name=name,
            description=description,
            tags=list(tags),
            creator=creator,
            updator=creator,
            create_at=now,
            version_mode=1 if pinned else 0,
            is_draft=bool(draft),
            draft_version=version if draft else "",
            draft_content=draft,
            draft_edit_format="yaml" if draft else "",
            render_mode=render_mode,
            latest_deploy_version=deployed_version,
            latest_deployer=deployer,
        )
        self.insert_file(file)
        self.add_version(
            space,
            name,
            version=version,
            content=content,
            creator=creator,
            project=code,
            description=version_description,
        )
        file.version, file.resource_types = version, kinds_of(content)
        return file

    def add_version(
        self,
        space: str,
        name: str,
        *,
        version: str,
        content: str,
        creator: str = "console",
        project: str = "",
        description: str = "",
        created: Optional[int] = None,
    ) -> TemplateVersion:
        """Add a version as a rival's publish does: it becomes current unless the file is pinned."""
        file = self.find_file(space, name, project=project)
        written = TemplateVersion(
            id=self.new_id(),
            project=file.project,
            space=space,
            file=name,
            version=version,
            content=content,
            description=description,
            creator=creator,
            create_at=int(self.now()) if created is None else created,
            render_mode=file.render_mode,
        )
        with self.lock:
            self.versions.append(written)
            if file.version_mode == 0:
                file.version, file.updator, file.resource_types = version, creator, kinds_of(content)
                file.update_at = int(self.now())
        return written

    def delete_version(self, space: str, name: str, *, version: str, project: str = "") -> None:
        """Delete a version; the file keeps pointing at it (facts/bcs.md trap 5)."""
        for found in self.find_versions(space, name, project=project):
            if found.version == version:
                with self.lock:
                    self.versions.remove(found)

    def delete_file(self, space: str, name: str, *, project: str = "") -> None:
        """Delete a file with its versions."""
        file = self.find_file(space, name, project=project)
        gone = self.find_versions(space, name, project=project)
        with self.lock:
            self.files.remove(file)
            for version in gone:
                self.versions.remove(version)

    def pin(self, space: str, name: str, *, version: str, project: str = "") -> None:
        """Pin a file to one of its versions (facts/bcs.md trap 4)."""
        file = self.find_file(space, name, project=project)
        file.version_mode, file.version = 1, version

    # --- reading ----------------------------------------------------------------------------------------

    def find_spaces(self, name: str, *, project: str = "") -> list[Space]:
        """Return the spaces of exactly that name: more than one where two creates crossed."""
        code = self.project_code(project)
        with self.lock:
            return [space for space in self.spaces if space.project == code and space.name == name]

    def find_files(self, space: str, name: str = "", *, project: str = "") -> list[TemplateFile]:
        """Return a space's files, or those of that name: more than one where two creates crossed."""
        code = self.project_code(project)
        with self.lock:
            return [
                file
                for file in self.files
                if file.project == code and file.space == space and name in ("", file.name)
            ]

    def find_file(self, space: str, name: str, *, project: str = "") -> TemplateFile:
        """Return the first file of that name. Raises KeyError where there is none."""
        files = self.find_files(space, name, project=project)
        if not files:
            raise KeyError(f"{space}/{name}")
        return files[0]

    def find_versions(self, space: str, name: str = "", *, project: str = "") -> list[TemplateVersion]:
        """Return the versions of a file, or of all files of a space, in the order they were written."""
        code = self.project_code(project)
        with self.lock:
            if name:
                return self.versions.of(code, space, name)
            return [v for v in self.versions if (v.project, v.space) == (code, space)]

    def current_content(self, space: str, name: str, *, project: str = "") -> str:
        """Return the content of a file's current version. Raises KeyError where that is gone."""
        current = self.find_file(space, name, project=project).version
        for version in self.find_versions(space, name, project=project):
            if version.version == current:
                return version.content
        raise KeyError(f"{space}/{name} {current}")

    def find_chart(self, name: str, version: str, *, project: str = "") -> Optional[Chart]:
        """Return a chart's version out of the project's repository."""
        wanted = (self.project_code(project), name, version)
        with self.lock:
            return next((c for c in self.charts if (c.project, c.name, c.version) == wanted), None)

    # --- for the services -------------------------------------------------------------------------------

    def new_id(self) -> str:
        """Return a fresh id of 24 hex digits, as MongoDB's clients make them: time, server, counter.

        So the ids of one second are in the order of their making only where one server made them:
        `server_part`, 40 bits, says which it is.
        """
        return f"{int(self.now()):08x}{self.server_part():010x}{next(self._ids):06x}"

    def insert_space(self, space: Space) -> Space:
        """Insert a space, unchecked."""
        with self.lock:
            self.spaces.append(space)
        return space

    def insert_file(self, file: TemplateFile) -> TemplateFile:
        """Insert a file, unchecked."""
        file.create_at = file.create_at or int(self.now())
        file.update_at = file.update_at or int(self.now())
        with self.lock:
            self.files.append(file)
        return file

    def insert_version(self, version: TemplateVersion) -> TemplateVersion:
        """Insert a version, unchecked; moves no file's pointer."""
        version.create_at = version.create_at or int(self.now())
        with self.lock:
            self.versions.append(version)
        return version

    def insert_chart(self, chart: Chart) -> None:
        """Put a chart's version into the repository, in place of one of the same name and version."""
        with self.lock:
            key = (chart.project, chart.name, chart.version)
            self.charts = [c for c in self.charts if (c.project, c.name, c.version) != key]
            self.charts.append(chart)

    def cross_creates(self, count: int, *, kind: str = "", patience: float = 5.0) -> None:
        """Let the next `count` creates (of `kind`: space, file or version) all check before any inserts.

        After `patience` seconds without enough of them, those waiting go on alone.
        """
        barrier = threading.Barrier(count)
        tickets = itertools.count()

        def hold(what: str) -> None:
            if kind in ("", what) and next(tickets) < count:
                try:
                    barrier.wait(patience)
                except threading.BrokenBarrierError:
                    return

        self.between_check_and_insert = hold


def find_by_id(entities: Iterable[Entity], wanted: str) -> Optional[Entity]:
    """Return the entity of that id."""
    if isinstance(entities, Versions):
        return entities.with_id(wanted)
    return next((entity for entity in entities if entity.id == wanted), None)
