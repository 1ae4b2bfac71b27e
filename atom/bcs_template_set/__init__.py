"""A BK-CI step that publishes Kubernetes manifests as BCS template versions, as one user.

This file is what nothing guards, for Python reads it first: all the others are whole when they are used, or
are named. `entry_point`, the console script, says what keeps the step from starting at all. `take` has the
package's files found as they were packed, and what the step runs on before any module of a neighbour:
`parts.zip` holds all of it once more. At a desk nothing is carried, and the modules are those that are
installed. Standard library alone, and Python 3.6 can read it.
"""

import json
import os
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

OLDEST = (3, 9)
TOO_OLD, DAMAGED = 800109, 800110
"""The codes of `InterpreterTooOld` and `InstallationDamaged`, whose errorType is 1."""

DIGEST = ""
"""The SHA-256 of the list of what is carried, which `make package` writes here; empty at a desk."""

HOME = str(Path(__file__).absolute().parent)
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


def entry_point(version: "tuple[int, ...]" = sys.version_info[:2]) -> None:
    """Start the step, or say why it can't be started."""
    if version < OLDEST:
        found = ".".join(str(part) for part in version)
        sys.exit(give_up(TOO_OLD, {"found": found, "python": sys.executable}))
    try:
        take()
        from bcs_template_set.cli.main import entry_point as begin  # noqa: PLC0415 - see the module's docstring

        begin()
    except Exception as exc:  # noqa: BLE001 - whatever damage does to a module: all else ends in a verdict
        named = getattr(exc, "file", "") or getattr(exc, "path", "") or f"{type(exc).__name__}: {exc}"
        sys.exit(give_up(DAMAGED, {"file": named}))


def give_up(code: int, fields: "dict[str, str]") -> int:
    """Say why the step can't be started, in the log and in output.json; return the exit status."""
    locale = os.environ.get("BK_CI_LOCALE_LANGUAGE", "")
    language = "en_US" if locale.lower().startswith("en") else "zh_CN"  # as language_of has it
    message = "\n".join(_told(f"{code}.{part}", language, fields) for part in ("title", "cure")).strip()
    message = message or f"The step can't start: {', '.join(fields.values())}. Install its package again."
    directory = os.environ.get("bk_data_dir")  # noqa: SIM112 - as the worker writes it
    if directory:
        said = {"status": "failure", "type": "default", "message": message, "data": {}}
        text = json.dumps(dict(said, errorType=1, errorCode=code))
        write(Path(directory, os.environ.get("bk_data_output") or "output.json"), text)  # noqa: SIM112 - as above
    for line in message.split("\n"):
        _say(line)
    return 1


def _told(key: str, language: str, fields: "dict[str, str]") -> str:
    """Return a sentence of the catalogue; "" where that is damaged too."""
    try:
        catalogue = json.loads(Path(HOME, "messages", "errors.json").read_text(encoding="utf-8"))
        return str(catalogue[key][language].format(**fields))
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def write(path: Path, text: str) -> None:
    """Write a file whole, or say that it can't be written."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="ascii")
        beside.replace(path)
    except OSError as exc:
        with suppress(OSError):
            beside.unlink()
        _say(f"{path}: {exc.strerror}")


def _say(text: str) -> None:
    """Print a line as an error of the log, whatever the locale is."""
    with suppress(OSError):  # nobody listens: output.json has it
        os.write(1, f"##[error]{text}\n".encode("utf-8", "backslashreplace"))


# --- what is carried ------------------------------------------------------------------------------------


def take(home: str = HOME, digest: str = DIGEST) -> "_Carried | None":
    """Let every import find what is carried, whoever has imported a part of that name before.

    Raises:
        InstallationDamaged: the list of what is carried is, and so is its copy.
    """
    if not digest:
        return None
    text = _right(f"{home}/{LIST}", digest) or _unpacked(home, LIST, digest)
    rows = (line.split(" ", 2) for line in text.decode("ascii").splitlines())
    carried = _Carried(home, {name: (digest, int(size)) for digest, size, name in rows})
    for name in [name for name in sys.modules if carried.is_part(name)]:
        del sys.modules[name]
    sys.meta_path.insert(0, carried)
    return carried


class _Carried:
    """Finds the modules of the package and of its parts, as Python's first finder.

    `listed` are digest and size of each file, by its path in the package.
    """

    def __init__(self, home: str, listed: "Mapping[str, tuple[str, int]]") -> None:
        self.home = home
        self.listed = listed
        self._parts = {name.split("/")[1] for name in listed if name.startswith(FOLDER)}

    def is_part(self, name: str) -> bool:
        """Tell whether a module is of a part, or a stranger's."""
        return name.partition(".")[0] in self._parts or name in _STRANGERS

    def find_spec(self, name: str, *_: object) -> "ModuleSpec | None":
        """Return where a module is that is carried; None for any other."""
        top, _dot, inner = name.partition(".")
        if top == __name__:
            below = inner.replace(".", "/")
        elif self.is_part(name):
            below = FOLDER + name.replace(".", "/")
        else:
            return None
        for ending in ("/__init__.py", ".py"):
            if below + ending in self.listed:
                loader = _Loader(name, below + ending, self)
                packages = [loader.path.rpartition("/")[0]] if ending == "/__init__.py" else None
                return spec_from_file_location(
                    name, loader.path, loader=loader, submodule_search_locations=packages
                )
        for ending in EXTENSION_SUFFIXES:
            digest, _size = self.listed.get(below + ending, ("", 0))
            place = f"{self.home}/{below}{ending}"
            if digest and _right(place, digest):
                return spec_from_file_location(name, place)
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    def whole(self, file: str) -> bytes:
        """Return what a file holds, from the copy where it is damaged."""
        digest = self.listed[file][0]
        return _right(f"{self.home}/{file}", digest) or _unpacked(self.home, file, digest)


class _Loader(SourceFileLoader):
    """Loads a module from its file; from the copy where that, or what Python compiled of it, is damaged."""

    def __init__(self, name: str, file: str, carried: _Carried) -> None:
        super().__init__(name, f"{carried.home}/{file}")
        self._file, self._carried = file, carried

    def get_code(self, fullname: str) -> "CodeType | None":
        """Return the module's code."""
        with suppress(Exception):  # whatever damage does to a file, or to what Python has compiled of it
            if self.path_stats(self.path)["size"] == self._carried.listed[self._file][1]:
                return super().get_code(fullname)
        return self.source_to_code(self._carried.whole(self._file), self.path)

    def get_data(self, path: str) -> bytes:
        """Return what a file holds: of data beside the module what was packed."""
        file = str(path)[len(self._carried.home) + 1 :].replace("\\", "/")
        is_data = file in self._carried.listed and not file.endswith(".py")
        return self._carried.whole(file) if is_data else super().get_data(path)


def _unpacked(home: str, file: str, digest: str) -> bytes:
    """Return a file from the copy.

    Raises:
        InstallationDamaged: it is not there as it was packed.
        ImportError: the same, where what says it is damaged, too.
    """
    import zipfile  # noqa: PLC0415 - only what is damaged needs it

    try:
        with zipfile.ZipFile(f"{home}/{PACKED}") as packed:
            found = packed.read(file)
    except Exception:  # noqa: BLE001 - whatever damage does to an archive
        found = b""
    if _digest_of(found) == digest:
        return found
    named = f"{home}/{file}"
    try:
        from bcs_template_set.messages.errors import InstallationDamaged  # noqa: PLC0415 - as above
    except ImportError:
        raise ImportError(named, path=named) from None
    raise InstallationDamaged(file=named)


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
