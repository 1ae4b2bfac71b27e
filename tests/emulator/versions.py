"""The versions of all template files in the order of their insertion, found at once by id and by file.

BCS's database has indexes for both; without one a space of many versions would be slow for a reason of ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from typing import Optional

from tests.emulator.entities import TemplateVersion

_File = tuple[str, str, str]


class Versions(list[TemplateVersion]):
    """A list that is only added to and removed from; what is moved to another file is moved by `move`."""

    def __init__(self, versions: Iterable[TemplateVersion] = ()) -> None:
        super().__init__()
        self._by_id: dict[str, TemplateVersion] = {}
        self._by_file: dict[_File, list[TemplateVersion]] = {}
        self.extend(versions)

    def __deepcopy__(self, memo: dict[int, object]) -> Versions:
        return Versions(deepcopy(list(self), memo))

    def extend(self, versions: Iterable[TemplateVersion]) -> None:
        for version in versions:
            self.append(version)

    def append(self, version: TemplateVersion) -> None:
        super().append(version)
        self._by_id.setdefault(version.id, version)
        self._by_file.setdefault(_file_of(version), []).append(version)

    def keep(self, versions: Iterable[TemplateVersion]) -> None:
        """Keep these alone."""
        kept = {id(version) for version in versions}
        for version in [version for version in self if id(version) not in kept]:
            self.remove(version)

    def remove(self, version: TemplateVersion) -> None:
        super().remove(version)
        self._by_file[_file_of(version)].remove(version)
        self._by_id.pop(version.id, None)

    def move(self, version: TemplateVersion, *, file: str, space: str = "") -> None:
        """Make a version another file's, as the renaming of a file does."""
        self._by_file[_file_of(version)].remove(version)
        version.file, version.space = file, space or version.space
        self._by_file.setdefault(_file_of(version), []).append(version)

    def of(self, project: str, space: str, file: str) -> list[TemplateVersion]:
        """Return the versions of a file."""
        return list(self._by_file.get((project, space, file), ()))

    def with_id(self, wanted: str) -> Optional[TemplateVersion]:
        """Return the version of that id."""
        return self._by_id.get(wanted)


def _file_of(version: TemplateVersion) -> _File:
    return version.project, version.space, version.file
