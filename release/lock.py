"""`make lock`: asks what would be installed on every Python, and writes it down with hashes.

What the step runs on, and what builds its wheel: pip is asked, for wheels for Linux on x86_64 only, where
BK-CI's build machines and ours are. What tests and tools need beside it: uv is asked, which knows what other
machines need, and the hashes of all files of a version. The index is the one that pip is configured with, and
nothing of it is kept.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

import msgspec

from release.dependencies import PYTHONS, read_dependencies
from release.locked import Locked, LockedSet, canonical, locked_json, requirements_text

HERE = Path(__file__).parent
TESTS = HERE.parent / "tests" / "requirements.txt"
TOOLS = ("setuptools>=68", "wheel>=0.40")
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
    dependencies = read_dependencies()
    locked = LockedSet(runtime=lock([str(entry) for entry in dependencies]), tools=lock(TOOLS))
    runtime = requirements_text(locked.runtime, title="What the step runs on.")
    lowest = [f"{entry.name}=={entry.lowest}" for entry in dependencies]
    texts = {
        "locked.json": locked_json(locked),
        "runtime.txt": runtime,
        "tools.txt": requirements_text(locked.tools, title="What builds the wheel of a release."),
        "tests.txt": lock_tests(
            [runtime], title="What the step, its tests and tools run on.", everywhere=True
        ),
        "lowest.txt": lock_tests(
            lowest, title="The same for Python 3.9, with the lowest versions of setup.py."
        ),
    }
    for name, text in texts.items():
        (HERE / name).write_text(text, encoding="utf-8")
    return 0


def lock_tests(wanted: Sequence[str], *, title: str, everywhere: bool = False) -> str:
    """Return a requirements file of these lines and what tests need, with the hashes of all files.

    It is for the oldest Python on a machine such as this one; `everywhere`, for every Python and machine.
    """
    with tempfile.TemporaryDirectory() as folder:
        _run("install", "--quiet", "--target", folder, "uv")
        command = [
            f"{folder}/bin/uv",
            "pip",
            "compile",
            "--quiet",
            "--generate-hashes",
            "--python-version",
            PYTHONS[0],
        ]
        command += ["--no-header", "--no-annotate", *(["--universal"] if everywhere else []), str(TESTS), "-"]
        lines = "\n".join(wanted)
        done = subprocess.run(
            command, env=_as_pip(), input=lines, stdout=subprocess.PIPE, text=True, check=True
        )
    return f"# {title}\n# Written by `make lock`: review the difference.\n{done.stdout}"


def _as_pip() -> dict[str, str]:
    """Return the environment that tells uv, which reads no configuration of pip's, the index of pip."""
    told = dict(os.environ)
    for variable, key in (("UV_DEFAULT_INDEX", "index-url"), ("SSL_CERT_FILE", "cert")):
        for source in ("global", ":env:"):
            value = _run("config", "get", f"{source}.{key}", check=False).strip()
            told.update({variable: value} if value else {})
    return told


def _run(*arguments: str, check: bool = True) -> str:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    hidden = None if check else subprocess.DEVNULL
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=hidden, text=True, check=check).stdout


def lock(wanted: Sequence[str]) -> tuple[Locked, ...]:
    """Return what pip would install for these requirements, on all Pythons, sorted by name and version."""
    found: dict[tuple[str, str], Locked] = {}
    for python in PYTHONS:
        for item in _resolve(wanted, python=python).install:
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


def _resolve(wanted: Sequence[str], *, python: str) -> _Report:
    """Return pip's report. Pip judges `python_version` markers by its own Python: our wants have none."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = ["install", "--quiet", "--dry-run", "--ignore-installed"]
        command += ["--only-binary=:all:", "--report", str(report), "--target", str(Path(folder) / "none")]
        command += ["--implementation=cp", f"--python-version={python}"]
        command += [f"--platform={name}" for name in PLATFORMS]
        _run(*command, *wanted)
        return msgspec.json.decode(report.read_bytes(), type=_Report)


if __name__ == "__main__":
    sys.exit(main())
