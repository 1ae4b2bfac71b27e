"""What the store's package carries: itself, and files of the wheels that locked.json names.

`python -m release.parts FOLDER` fetches the wheels. One version of each for every Python, the one that the
oldest gets, in pure form; beside it what is compiled, where PLATFORMS and 15 MB have room for it. Python
itself finds the compiled file that fits: interpreter and machine are in its name. Standard library only.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

HERE = Path(__file__).parent
PYTHONS = ("39", "310", "311", "312", "313", "314")
PLATFORMS = ("manylinux2014_x86_64", "manylinux2014_aarch64", "win_amd64", "macosx_11_0_arm64")
"""Of musl and of Macs with Intel's processors there is no room, or no name: what is pure serves there."""

FAST = {"yaml": PLATFORMS}
"""What pays to be compiled, and for which machines: YAML is read 25 times as fast (docs/dev/carried.md)."""

Tags = tuple[str, str, str]
"""Of a wheel: Python, ABI and the first of its platforms."""

LIST, FOLDER, PACKED = "parts.txt", "parts", "parts.zip"
ENTRY = "__init__.py"
"""The one file that is not listed: it holds the list's digest."""

_COMPILED = (".so", ".pyd")
_LEFT_OUT = (".c", ".pyi", ".typed")
_SHOWN = ("LICEN", "COPYING", "NOTICE", "AUTHORS")
"""What stays of a distribution's own words: the beginnings of its files' names."""


class Part(NamedTuple):
    """A distribution that is carried: the digests of its wheels, by their files' names."""

    name: str
    version: str
    wheels: Mapping[str, str]

    @property
    def module(self) -> str:
        """Return what is imported of it."""
        return self.name.lower().replace("-", "_").replace("pyyaml", "yaml")


def main(arguments: Sequence[str]) -> int:
    """Fetch the wheels into the folder that is named."""
    parser = argparse.ArgumentParser(prog="python -m release.parts", description=__doc__)
    parser.add_argument("folder", type=Path)
    fetch(parser.parse_args(arguments).folder, read_parts())
    return 0


def read_parts() -> list[Part]:
    """Return what locked.json says of the parts."""
    rows = json.loads((HERE / "locked.json").read_bytes())["parts"]
    return [Part(row["name"], row["version"], row["wheels"]) for row in rows]


def fetch(folder: Path, parts: Iterable[Part]) -> None:
    """Fetch each wheel that is not in the folder yet.

    Raises:
        ValueError: a wheel is not the one that was locked.
    """
    folder.mkdir(parents=True, exist_ok=True)
    parts = [*parts]
    wanted = {file: digest for part in parts for file, digest in part.wheels.items()}
    missing = {file for file, digest in wanted.items() if digest_in(folder / file) != digest}
    together: dict[Tags, list[Part]] = {}
    for part in parts:
        for file in missing.intersection(part.wheels):
            together.setdefault(tags_of(file), []).append(part)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda each: download(folder, each[1], each[0]), together.items()))
    wrong = [file for file in sorted(missing) if digest_in(folder / file) != wanted[file]]
    if wrong:
        raise ValueError(f"not what release/locked.json says: {', '.join(wrong)}")


def tags_of(file: str) -> Tags:
    """Return the tags of a wheel."""
    *_, python, abi, platform = file[: -len(".whl")].split("-")
    return python.rpartition(".")[2], abi, platform.partition(".")[0]


def download(folder: Path, parts: Iterable[Part], tags: Tags) -> None:
    """Have pip fetch the wheels of parts for such a Python and machine."""
    python, abi, platform = tags
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", f"--dest={folder}", f"--implementation={python[:2]}", f"--abi={abi}"]
    version = python[2:] if python.startswith("cp") else PYTHONS[0]
    command += [f"--platform={platform}", f"--python-version={version}"]
    subprocess.run([*command, *(f"{part.name}=={part.version}" for part in parts)], check=True)


def wheels_to_lock(part: Part) -> Iterator[Tags]:
    """Yield the tags of the wheels that are carried of a part: one that is pure, or all that are compiled."""
    if part.module in FAST:
        for platform in FAST[part.module]:
            yield from ((f"cp{python}", f"cp{python}", platform) for python in PYTHONS)
    elif part.module == "markupsafe":  # has no pure wheel, but pure code in each
        yield (f"cp{PYTHONS[0]}", f"cp{PYTHONS[0]}", PLATFORMS[0])
    else:
        yield ("py3", "none", "any")


def lay_out(parts: Iterable[Part], wheels: Path, package: Path, **beside: Path) -> str:
    """Put the parts into the package, the packed copy of all and the list; return the list's digest.

    `beside` are folders of the package that lie elsewhere.
    """
    for part in parts:
        for file in part.wheels:
            with ZipFile(wheels / file) as wheel:
                for name in filter(partial(is_carried, part), wheel.namelist()):
                    place = package / FOLDER / name
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_bytes(wheel.read(name))
    roots = {"": package, **{f"{name}/": folder for name, folder in beside.items()}}
    files = {
        prefix + path.relative_to(root).as_posix(): path
        for prefix, root in roots.items()
        for path in root.rglob("*")
        if path.is_file() and path != package / ENTRY
    }
    with ZipFile(package / PACKED, "w") as packed:
        lines = []
        for name, path in sorted(files.items()):
            content = path.read_bytes()
            lines.append(f"{digest_in(path)} {len(content)} {name}\n")
            if not name.endswith(_COMPILED):
                pack(packed, name, content)
        listed = "".join(lines).encode("ascii")
        pack(packed, LIST, listed)
    (package / LIST).write_bytes(listed)
    return digest_in(package / LIST)


def pack(archive: ZipFile, name: str, content: bytes) -> None:
    """Put a file into an archive, with the same bytes whoever does it and wherever."""
    entry = ZipInfo(name)
    entry.create_system, entry.external_attr = 3, 0o100644 << 16
    archive.writestr(entry, content, ZIP_DEFLATED)


def is_carried(part: Part, name: str) -> bool:
    """Tell whether a file of a part's wheel is carried."""
    top, _, rest = name.partition("/")
    if name.endswith(("/", *_LEFT_OUT)) or "/tests/" in name:
        return False
    if top.endswith(".dist-info"):
        return rest.rpartition("/")[2].upper().startswith(_SHOWN)
    if name.endswith(_COMPILED):
        return part.module in FAST
    return top == part.module


def digest_in(file: Path) -> str:
    """Return the SHA-256 of what a file holds; "" where there is none."""
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
