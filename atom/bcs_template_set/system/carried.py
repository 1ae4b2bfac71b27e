"""Has the step run on what its package carries, and on no module that a neighbour has installed or imported.

Python 3.6 can read it. At a desk nothing is carried, and the modules are those that are installed. In the
store's package `parts` has them file by file, and `parts.zip` the same code once more, for what is damaged.
"""

import sys
from contextlib import suppress
from importlib.machinery import EXTENSION_SUFFIXES, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.machinery import ModuleSpec
    from types import CodeType

DIGEST = ""
"""The SHA-256 of the list of what is carried, which `make package` writes here; empty at a desk."""

HOME = str(Path(__file__).absolute().parents[1])
FOLDER, PACKED, LIST = "parts/", "parts.zip", "parts.txt"

_STRANGERS = (
    "chardet",
    "simplejson",
    "brotli",
    "brotlicffi",
    "zstandard",
    "backports.zstd",
    "socks",
    "_yaml",
)
"""What requests, urllib3 and PyYAML use where it is there: it comes from neighbours only."""


def take(home: str = HOME, digest: str = DIGEST) -> "_Parts | None":
    """Let every import of a part find the one that is carried, whoever has imported another before.

    Raises:
        InstallationDamaged: the list of the parts is, and so is its copy.
    """
    if not digest:
        return None
    text = _right(f"{home}/{LIST}", digest) or _unpacked(home, LIST, digest)
    rows = (line.split(" ", 2) for line in text.decode("ascii").splitlines())
    parts = _Parts(home, {name: (digest, int(size)) for digest, size, name in rows})
    for name in [name for name in sys.modules if parts.has(name)]:
        del sys.modules[name]
    sys.meta_path.insert(0, parts)
    return parts


class _Parts:
    """Finds the modules that are carried, as Python's first finder. Each file's digest and size are known."""

    def __init__(self, home: str, listed: "Mapping[str, tuple[str, int]]") -> None:
        self._home = home
        self._listed = listed
        self._names = {name.partition("/")[0] for name in listed}

    def has(self, name: str) -> bool:
        """Tell whether a module is carried, or a stranger's."""
        return name.partition(".")[0] in self._names or name in _STRANGERS

    def find_spec(self, name: str, *_: object) -> "ModuleSpec | None":
        """Return where a module is that is carried; None for any other."""
        if not self.has(name):
            return None
        below = name.replace(".", "/")
        for ending in ("/__init__.py", ".py"):
            if below + ending in self._listed:
                loader = _Loader(name, self._home, below + ending, self._listed)
                packages = [loader.path.rpartition("/")[0]] if ending == "/__init__.py" else None
                return spec_from_file_location(
                    name, loader.path, loader=loader, submodule_search_locations=packages
                )
        for ending in EXTENSION_SUFFIXES:
            digest, _size = self._listed.get(below + ending, ("", 0))
            place = f"{self._home}/{FOLDER}{below}{ending}"
            if digest and _right(place, digest):
                return spec_from_file_location(name, place)
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)


class _Loader(SourceFileLoader):
    """Loads a module from its file; from the copy where that, or what Python compiled of it, is damaged."""

    def __init__(self, name: str, home: str, file: str, listed: "Mapping[str, tuple[str, int]]") -> None:
        super().__init__(name, f"{home}/{FOLDER}{file}")
        self._home, self._file, self._listed = home, file, listed

    def get_code(self, fullname: str) -> "CodeType | None":
        """Return the module's code."""
        with suppress(Exception):  # whatever damage does to a file, or to what Python has compiled of it
            if Path(self.path).stat().st_size == self._listed[self._file][1]:
                return super().get_code(fullname)
        return self.source_to_code(self._whole(self._file), self.path)

    def get_data(self, path: str) -> bytes:
        """Return what a file holds: of data beside the module what was packed."""
        file = str(path)[len(f"{self._home}/{FOLDER}") :].replace("\\", "/")
        is_data = file in self._listed and not file.endswith(".py")
        return self._whole(file) if is_data else super().get_data(path)

    def _whole(self, file: str) -> bytes:
        digest = self._listed[file][0]
        return _right(f"{self._home}/{FOLDER}{file}", digest) or _unpacked(self._home, file, digest)


def _unpacked(home: str, file: str, digest: str) -> bytes:
    """Return a file from the copy.

    Raises:
        InstallationDamaged: it is not there as it was packed.
    """
    import zipfile  # noqa: PLC0415 - only what is damaged needs it

    try:
        with zipfile.ZipFile(f"{home}/{PACKED}") as packed:
            found = packed.read(file)
    except Exception:  # noqa: BLE001 - whatever damage does to an archive
        found = b""
    if _digest_of(found) == digest:
        return found
    from bcs_template_set.messages.errors import InstallationDamaged  # noqa: PLC0415 - as above

    raise InstallationDamaged(file=f"{home}/{file if file == LIST else FOLDER + file}")


def _right(path: str, digest: str) -> bytes:
    """Return what a file holds where that has the digest, else nothing."""
    try:
        found = Path(path).read_bytes()
    except OSError:
        return b""
    return found if _digest_of(found) == digest else b""


def _digest_of(content: bytes) -> str:
    import hashlib  # noqa: PLC0415 - a desk needs none

    return hashlib.sha256(content).hexdigest()
