"""Plain files of the run's own, beneath the workspace: written, read and removed only as that.

Whoever writes the repository or ran before may have put links, pipes or other files where the run wants to
write. None is followed or opened, and none is replaced: on the way down every directory is entered by the
one before it, so that it can't be swapped meanwhile. Where the system has no such calls, it is looked at.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Optional

from bcs_template_set.messages import say
from bcs_template_set.messages.errors import WorkspaceUnwritable
from bcs_template_set.records.late_dataclass import dataclass

BY_DESCRIPTOR = {os.open, os.mkdir, os.stat, os.unlink, os.rename} <= os.supports_dir_fd and hasattr(
    os, "O_NOFOLLOW"
)


def _flags(*names: str) -> int:
    return sum(getattr(os, name, 0) for name in names)  # each is a bit, and none where the system has none


_PLAIN, _ENTER = _flags("O_NOFOLLOW", "O_BINARY", "O_NONBLOCK"), _flags("O_NOFOLLOW", "O_DIRECTORY")
_DIRECTORY_MODE, _FILE_MODE = 0o755, 0o644


def can_be_written(directory: Path) -> bool:
    """Tell whether files can be made in a directory, or one on the way to it where it is not there yet."""
    there = next((path for path in (directory, *directory.parents) if path.exists()), directory)
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


class _InTheWay(Exception):
    """Something stands at this path, where the run would make a file or directory of its own."""


@dataclass(frozen=True)
class OwnFile:
    """A file or directory of the run: its workspace, and the path below it, with slashes."""

    workspace: Path
    name: str
    by_descriptor: bool = BY_DESCRIPTOR

    @property
    def path(self) -> Path:
        """Return where it is, for people and for the platform."""
        return self.workspace / self.name

    def __str__(self) -> str:
        return str(self.path)

    def below(self, name: str) -> OwnFile:
        """Return a file of this directory; no part of the name leads out of it."""
        parts = [part if part.strip(".") else "_" for part in name.replace("\\", "_").split("/")]
        return OwnFile(self.workspace, "/".join((self.name, *parts)), self.by_descriptor)

    def numbered(self, nth: int) -> OwnFile:
        """Return the file beside this one whose name has this number."""
        above, slash, last = self.name.rpartition("/")
        stem, _, suffix = last.rpartition(".")
        named = f"{stem}~{nth}.{suffix}" if stem else f"{last}~{nth}"
        return OwnFile(self.workspace, f"{above}{slash}{named}", self.by_descriptor)

    def write_bytes(self, data: bytes) -> None:
        """Write the file whole, making the directories above it.

        Raises:
            WorkspaceUnwritable: the disk is full, the workspace not writable, or something else there.
        """
        with self._told(), self._directory(make=True) as (directory, last):
            directory.check_plain(last)
            directory.put(last, data)

    def read_bytes(self, *, most: int) -> bytes:
        """Return what the file holds, `most` bytes of it.

        Raises:
            FileNotFoundError: it is not there.
            WorkspaceUnwritable: it can't be read, or something else is there.
        """
        with self._told(may_miss=True), self._directory(make=False) as (directory, last):
            return directory.get(last, most)

    def claim(self) -> bool:
        """Make it as a directory; return whether it is new.

        Raises:
            WorkspaceUnwritable: it can't be made, or something else is on the way.
        """
        with self._told(), self._directory(make=True) as (directory, last):
            return directory.make(last)

    @contextmanager
    def _directory(self, *, make: bool) -> Iterator[tuple[_Directory, str]]:
        *above, last = self.name.split("/")
        real = Path(os.path.realpath(self.workspace))
        if make:
            real.mkdir(parents=True, exist_ok=True)
        directory = _Directory(real, os.open(real, os.O_RDONLY) if self.by_descriptor else None)
        try:
            for part in above:
                if make:
                    directory.make(part)
                directory.enter(part)
            yield directory, last
        finally:
            directory.leave()

    @contextmanager
    def _told(self, *, may_miss: bool = False) -> Iterator[None]:
        try:
            yield
        except _InTheWay as exc:
            raise WorkspaceUnwritable(file=str(self), problem=say("agent.in_the_way", path=str(exc))) from exc
        except OSError as exc:
            if may_miss and isinstance(exc, FileNotFoundError):
                raise
            raise WorkspaceUnwritable(file=str(self), problem=str(exc.strerror)) from exc


class _Directory:
    """A directory on the way down: by its descriptor where the system can, else by its path."""

    def __init__(self, path: Path, descriptor: Optional[int]) -> None:
        self.path = path
        self.descriptor = descriptor

    def at(self, name: str) -> str:
        """Return what a call takes for a file of this directory, beside `dir_fd`."""
        return name if self.descriptor is not None else str(self.path / name)

    def make(self, name: str) -> bool:
        """Make a directory; return whether it was not there."""
        try:
            os.mkdir(self.at(name), _DIRECTORY_MODE, dir_fd=self.descriptor)
        except FileExistsError:
            return False
        return True

    def enter(self, name: str) -> None:
        """Go down into a directory that is one itself."""
        below = self.path / name
        found = os.stat(self.at(name), dir_fd=self.descriptor, follow_symlinks=False)
        is_directory = stat.S_ISDIR(found.st_mode) and not getattr(found, "st_reparse_tag", 0)
        if not is_directory:
            raise _InTheWay(below)
        if self.descriptor is not None:
            entered = os.open(name, os.O_RDONLY | _ENTER, dir_fd=self.descriptor)
            os.close(self.descriptor)
            self.descriptor = entered
        self.path = below

    def leave(self) -> None:
        """Give the descriptor back."""
        if self.descriptor is not None:
            os.close(self.descriptor)

    def check_plain(self, name: str) -> None:
        """Refuse what is there and is no plain file of one name."""
        try:
            found = os.stat(self.at(name), dir_fd=self.descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return
        if not _is_plain(found):
            raise _InTheWay(self.path / name)

    def put(self, name: str, data: bytes) -> None:
        """Write a file beside and let it take its place: what is there is never opened."""
        beside = self.at(f".new-{os.getpid()}")
        self._forget(beside)  # a run that was killed may have left it
        opened = os.open(
            beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _PLAIN, _FILE_MODE, dir_fd=self.descriptor
        )
        try:
            with os.fdopen(opened, "wb") as file:
                file.write(data)
            os.replace(beside, self.at(name), src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)
        finally:
            self._forget(beside)

    def get(self, name: str, most: int) -> bytes:
        """Read a file that is a plain one."""
        self.check_plain(name)
        opened = os.open(self.at(name), os.O_RDONLY | _PLAIN, dir_fd=self.descriptor)
        with os.fdopen(opened, "rb") as file:
            if not _is_plain(os.fstat(opened)):
                raise _InTheWay(self.path / name)
            return file.read(most)

    def _forget(self, path: str) -> None:
        try:
            os.unlink(path, dir_fd=self.descriptor)
        except FileNotFoundError:
            return


def _is_plain(found: os.stat_result) -> bool:
    return stat.S_ISREG(found.st_mode) and found.st_nlink <= 1 and not getattr(found, "st_reparse_tag", 0)
