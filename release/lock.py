"""`make lock`: asks what would be installed on every Python, and writes it down with hashes.

What the step runs on, and what builds its wheel: pip is asked, for wheels for Linux on x86_64 only, where
BK-CI's build machines and ours are. What tests and tools need beside it: uv is asked, which knows what other
machines need, and the hashes of all files of a version. Both are the newest, in a folder that goes again: an
older pip does not read every licence. The index is the one that pip is told, and is not kept.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Optional

import msgspec

from release.dependencies import PYTHONS, read_dependencies
from release.locked import Locked, LockedSet, canonical, locked_json, requirements_text
from release.parts import Part, digest_in, download, wheels_to_lock

HERE = Path(__file__).parent
TESTS = HERE.parent / "tests" / "requirements.txt"
TOOLS = ("setuptools>=68", "wheel>=0.40")
_REVIEW = "# Written by `make lock`: review the difference.\n"
PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux_2_28_x86_64")


class _Archive(msgspec.Struct, frozen=True):
    hashes: dict[str, str]


class _Download(msgspec.Struct, frozen=True):
    url: str
    archive_info: _Archive


class _Metadata(msgspec.Struct, frozen=True):
    name: str
    version: str
    license_expression: str = ""
    license: str = ""
    classifier: tuple[str, ...] = ()
    requires_dist: tuple[str, ...] = ()


class _Item(msgspec.Struct, frozen=True):
    download_info: _Download
    metadata: _Metadata


class _Report(msgspec.Struct, frozen=True):
    """The answer of `pip install --report` (pip's documentation, "Installation Report", version 1)."""

    install: tuple[_Item, ...]


def main() -> int:
    """Write the lock files."""
    with tempfile.TemporaryDirectory() as folder:
        _run([sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, "pip", "uv"])
        texts = _locked_texts(Path(folder))
    for name, text in texts.items():
        (HERE / name).write_text(text, encoding="utf-8")
    return 0


def _locked_texts(programs: Path) -> dict[str, str]:
    dependencies = read_dependencies()
    wanted = [str(entry) for entry in dependencies]
    at_work = lock(wanted, programs=programs)
    carried = tuple(lock_part(entry) for entry in at_work if PYTHONS[0] in entry.pythons)
    locked = LockedSet(runtime=at_work, parts=carried, tools=lock(TOOLS, programs=programs))
    runtime = requirements_text(locked.runtime, title="What the step runs on.")
    lowest = [f"{entry.name}=={entry.lowest}" for entry in dependencies]
    tests = lock_tests([runtime], "--universal", programs=programs)
    oldest = lock_tests(lowest, programs=programs)
    return {
        "locked.json": locked_json(locked),
        "runtime.txt": runtime,
        "tools.txt": requirements_text(locked.tools, title="What builds the wheel of a release."),
        "tests.txt": "# What the step, its tests and tools run on.\n" + _REVIEW + tests,
        "lowest.txt": "# The same on Python 3.9, with the lowest versions of setup.py.\n" + _REVIEW + oldest,
    }


def lock_part(entry: Locked) -> Locked:
    """Return a part as the store's package carries it: the same version, and the wheels that are in it."""
    part = Part(entry.name, entry.version, {})
    with tempfile.TemporaryDirectory() as folder:
        for tags in wheels_to_lock(part):
            download(Path(folder), [part], tags)
        wheels = {file.name: digest_in(file) for file in sorted(Path(folder).iterdir())}
    return msgspec.structs.replace(entry, pythons=(), wheels=wheels)


def lock_tests(wanted: Sequence[str], *options: str, programs: Path) -> str:
    """Return requirements for these lines and what tests need, with the hashes of all files of each.

    They are for the oldest Python on a machine such as this one; with `--universal`, for all.
    """
    command = [str(programs / "bin" / "uv"), "pip", "compile", "--quiet", "--generate-hashes", "--no-header"]
    command += ["--no-annotate", "--python-version", PYTHONS[0], *options, str(TESTS), "-"]
    told = {**os.environ, **_told_to_pip(programs)}
    return _run(command, env=told, text="\n".join(wanted))


def _told_to_pip(programs: Path) -> dict[str, str]:
    """Return the variables that tell uv, which reads no configuration of pip's, what pip is told."""
    found = {}
    for variable, key in (("UV_DEFAULT_INDEX", "index-url"), ("SSL_CERT_FILE", "cert")):
        for line in _run([*_pip(programs), "config", "list"]).splitlines():
            name, _, value = line.partition("=")
            if name.partition(".")[::2] in (("global", key), (":env:", key)):
                found[variable] = value.strip("'")
    return found


def _pip(programs: Path) -> list[str]:
    return [sys.executable, str(programs / "pip"), "--disable-pip-version-check"]


def _run(command: Sequence[str], *, env: Optional[Mapping[str, str]] = None, text: str = "") -> str:
    return subprocess.run(command, env=env, input=text, stdout=subprocess.PIPE, text=True, check=True).stdout


def lock(wanted: Sequence[str], *, programs: Path) -> tuple[Locked, ...]:
    """Return what pip would install for these requirements, on all Pythons, sorted by name and version."""
    found: dict[tuple[str, str], Locked] = {}
    for python in PYTHONS:
        for item in _resolve(wanted, python=python, programs=programs).install:
            key = (item.metadata.name, item.metadata.version)
            found[key] = _merged(found.get(key), item, python=python)
    return tuple(sorted(found.values(), key=lambda entry: (entry.canonical, _python_index(entry))))


def _python_index(entry: Locked) -> int:
    return PYTHONS.index(entry.pythons[0])


def _merged(known: Optional[Locked], item: _Item, *, python: str) -> Locked:
    wheel = {item.download_info.url.rpartition("/")[2]: item.download_info.archive_info.hashes["sha256"]}
    return Locked(
        name=item.metadata.name,
        version=item.metadata.version,
        licence=_licence_of(item.metadata),
        needs=_needs_of(item.metadata),
        pythons=(*(known.pythons if known else ()), python),
        wheels={**(known.wheels if known else {}), **wheel},
    )


def _licence_of(metadata: _Metadata) -> str:
    """Return the licence in a distribution's own words; a whole licence text is none."""
    short = metadata.license.strip() if len(metadata.license) <= 60 else ""  # noqa: PLR2004 - a line's worth
    classified = [line.rpartition(":: ")[2] for line in metadata.classifier if line.startswith("License ::")]
    return metadata.license_expression or short or ", ".join(classified)


def _needs_of(metadata: _Metadata) -> tuple[str, ...]:
    plain = [entry for entry in metadata.requires_dist if "extra ==" not in entry]
    return tuple(sorted({canonical(re.split(r"[^A-Za-z0-9._-]", entry)[0]) for entry in plain}))


def _resolve(wanted: Sequence[str], *, python: str, programs: Path) -> _Report:
    """Return pip's report. Pip judges `python_version` markers by its own Python: our wants have none."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [*_pip(programs), "install", "--quiet", "--dry-run", "--ignore-installed"]
        command += ["--only-binary=:all:", "--report", str(report), "--target", str(Path(folder) / "none")]
        command += ["--implementation=cp", f"--python-version={python}"]
        command += [f"--platform={name}" for name in PLATFORMS]
        _run([*command, *wanted])
        return msgspec.json.decode(report.read_bytes(), type=_Report)


if __name__ == "__main__":
    sys.exit(main())
