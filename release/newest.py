"""`make newest`: the newest of everything on the newest Python there is, and what differs from the lock.

Nobody's verdict: it ends with 0 whatever fails, and with 1 where it could not be tried.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Optional

import msgspec

from release.dependencies import PYTHONS, read_dependencies
from release.locked import canonical, pins_of

PROJECT = Path(__file__).parents[1]
CHECKS = ("ruff format --check .", "ruff check .", "vulture", "mypy", "pytest --quiet")
_OLDEST_MINOR = int(PYTHONS[0].partition(".")[2])
_VERSION = "import sys; print('{}.{}'.format(*sys.version_info))"


class _Installed(msgspec.Struct, frozen=True):
    """One row of `pip list --format=json`."""

    name: str
    version: str


def main() -> int:
    """Try, and tell."""
    found = newest_python()
    if found is None:
        say(f"No Python {PYTHONS[0]} or newer in PATH or in pyenv.")
        return 1
    version, program = found
    say(f"The newest of everything on Python {version} ({program})")
    with tempfile.TemporaryDirectory(prefix="newest-") as folder:
        python = str(Path(folder) / "bin" / "python")
        try:
            at_work = install(folder, program=program, python=python)
        except subprocess.CalledProcessError as exc:
            say(f"It could not be tried: {exc}")
            return 1
        newer = differences(pins_of((PROJECT / "release" / "tests.txt").read_text("utf-8"), version), at_work)
        say("\n".join(["Not as locked:", *newer]) if newer else "Everything is as locked.")
        failed = [check for check in CHECKS if not _passes([python, "-m", *check.split()])]
    say(f"Not as locked: {len(newer)}. Failed: {', '.join(failed) or 'nothing'}. Nobody's verdict.")
    return 0


def say(text: str) -> None:
    """Print at once: what programs print between must stand between."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def newest_python() -> Optional[tuple[str, str]]:
    """Return the version, as `3.13`, and the program of the newest Python there is."""
    for minor in range(_OLDEST_MINOR + 30, _OLDEST_MINOR - 1, -1):
        for program in _candidates(f"3.{minor}"):
            if _output([program, "-c", _VERSION]) == f"3.{minor}":
                return f"3.{minor}", program
    return None


def _candidates(version: str) -> Iterator[str]:
    """Yield what may be a Python of that version; a shim in PATH may be there and still not run."""
    in_path = shutil.which(f"python{version}")
    if in_path is not None:
        yield in_path
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from map(str, pyenv.glob(f"versions/{version}.*/bin/python"))


def install(folder: str, *, program: str, python: str) -> dict[str, str]:
    """Make an environment of the newest versions and return them by canonical name.

    Raises:
        subprocess.CalledProcessError: pip could not; it has said why.
    """
    pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    wanted = [str(dependency) for dependency in read_dependencies()]
    own = ["--no-deps", "--no-build-isolation", "--editable", str(PROJECT)]
    subprocess.run([program, "-m", "venv", folder], check=True)
    subprocess.run([*pip, "install", "--upgrade", "pip"], check=True)
    subprocess.run(
        [*pip, "install", "--requirement", "tests/requirements.txt", *wanted], cwd=PROJECT, check=True
    )
    subprocess.run([*pip, "install", *own], env={**os.environ, "PYTHONWARNINGS": "ignore"}, check=True)
    # Not --quiet: the newest pip then lists nothing.
    listed = _output([python, "-m", "pip", "list", "--format=json"])
    rows = msgspec.json.decode(listed, type=list[_Installed])
    return {canonical(row.name): row.version for row in rows}


def differences(locked: Mapping[str, str], at_work: Mapping[str, str]) -> list[str]:
    """Return a line for each distribution that is not at its locked version, or not in the lock at all."""
    ours = {"pip", "bcs-template-set"}
    return [
        f"  {name} {locked.get(name, '(not there)')} -> {version}"
        for name, version in sorted(at_work.items())
        if name not in ours and locked.get(name) != version
    ]


def _passes(command: list[str]) -> bool:
    say(f"\n== {' '.join(command[2:])}")
    # No environment is expected: what is at work is not what was locked.
    return (
        subprocess.run(command, cwd=PROJECT, env={**os.environ, "EXPECTED_LOCK": ""}, check=False).returncode
        == 0
    )


def _output(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
