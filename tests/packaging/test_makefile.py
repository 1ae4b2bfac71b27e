"""`make` writes to and deletes only what it made, whatever VENV names, and says what failed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from tests.packaging.store_files import PROJECT

MINE = "mine.txt"
PACKAGES = Path(sysconfig.get_path("purelib"))
QUICK_PYTHON = f"""\
#!/bin/sh
[ "$1 $2" = "-m venv" ] || exec "{sys.executable}" "$@"
for folder; do :; done
"{sys.executable}" "$@" --without-pip || exit
echo "{PACKAGES}" > "$folder/{PACKAGES.relative_to(sys.prefix)}/tests.pth"
"""
"""A Python that makes an environment in no time: the pip in there is the one that the tests run beside."""

WITHOUT_PIP = "".join(line for line in QUICK_PYTHON.splitlines(keepends=True) if "tests.pth" not in line)
"""The same, but nothing can be installed: `make` ends when the environment is made."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project that has the Makefile, and a lock with nothing in it."""
    project = tmp_path / "project"
    project.mkdir()
    shutil.copyfile(PROJECT / "Makefile", project / "Makefile")
    (project / "setup.py").touch()
    (project / "lock.txt").touch()
    (project / "python").write_text(QUICK_PYTHON, encoding="utf-8")
    (project / "python").chmod(0o755)
    return project


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return somebody's folder, with something in it."""
    home = tmp_path / "home"
    home.mkdir()
    (home / MINE).touch()
    return home


def make(project: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run make; a make that may have started the tests tells it nothing."""
    own = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "VENV")}
    command = ["make", "--no-print-directory", f"PYTHON={project / 'python'}", *arguments]
    return subprocess.run(
        command, cwd=project, env={**own, **environment}, capture_output=True, encoding="utf-8", check=False
    )


def made(place: Path, *, marker: str) -> Path:
    """Return an environment such as the Makefile leaves, whole (`ready`) or begun."""
    place.mkdir()
    (place / "pyvenv.cfg").touch()
    (place / marker).touch()
    return place


@pytest.mark.parametrize(
    "how", ["exported", "argument", "through a link", "with a file of the marker's name"]
)
def test_clean_leaves_what_it_has_not_made(project: Path, home: Path, how: str) -> None:
    named = home
    if how == "through a link":
        named = project / ".venv-linked"
        named.symlink_to(home)
    if how == "with a file of the marker's name":
        (home / "ready").touch()
    done = (
        make(project, "clean", f"VENV={named}")
        if how == "argument"
        else make(project, "clean", VENV=str(named))
    )
    assert done.returncode == 0
    assert (home / MINE).exists()
    assert f"'{named}' stays" in done.stdout


@pytest.mark.parametrize("marker", ["ready", "made-by-make"])
def test_clean_deletes_every_environment_that_it_made(project: Path, tmp_path: Path, marker: str) -> None:
    named = made(tmp_path / "named", marker=marker)
    others = [made(project / name, marker=marker) for name in (".venv-3.9-lowest", ".venv-release")]
    (project / "build").mkdir()
    assert make(project, "clean", VENV=str(named)).returncode == 0
    assert [path.name for path in (named, *others, project / "build") if path.exists()] == []
    assert (project / "Makefile").exists()


@pytest.mark.parametrize("venv", ["", " ", ".", ".."])
def test_a_venv_that_names_no_folder_of_its_own_deletes_nothing(project: Path, venv: str) -> None:
    (project / "python").write_text(WITHOUT_PIP, encoding="utf-8")
    assert make(project, "clean", VENV=venv).returncode == 0
    make(project, "types", "LOCK=lock.txt", VENV=venv)
    assert (project / "Makefile").exists()
    assert (project / "setup.py").exists()


def test_an_environment_is_not_made_over_what_is_there(project: Path, home: Path) -> None:
    done = make(project, "types", "LOCK=lock.txt", VENV=str(home))
    assert done.returncode != 0
    assert f"'{home}' is there and was not made by this Makefile" in done.stderr
    assert [path.name for path in home.iterdir()] == [MINE]


def test_a_set_up_that_fails_says_what_failed_and_can_be_cleaned_away(project: Path) -> None:
    (project / "lock.txt").write_text("no-such-thing==1.0 --hash=sha256:" + "0" * 64, encoding="utf-8")
    done = make(project, "types", "LOCK=lock.txt", VENV="made", PIP_NO_INDEX="1", PIP_FIND_LINKS="")
    assert done.returncode != 0
    assert "no-such-thing==1.0" in done.stderr
    assert (project / "made").exists()
    assert make(project, "clean", VENV="made").returncode == 0
    assert not (project / "made").exists()


def test_the_set_up_of_this_project_asks_for_locked_hashes_only() -> None:
    text = (PROJECT / "Makefile").read_text(encoding="utf-8")
    installs = [line for line in text.splitlines() if "$(PIP) install" in line]
    assert len(installs) == 3
    assert all("--require-hashes" in line or "--no-index" in line for line in installs)
