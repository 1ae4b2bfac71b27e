"""What the package carries is imported, and nothing of a neighbour's; what is damaged comes from the copy."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import ModuleType
from typing import Callable
from zipfile import ZipFile

import pytest
from release.parts import FAST, Part, lay_out

import bcs_template_set as carried
from bcs_template_set.messages.errors import InstallationDamaged

PART = {
    "probe/__init__.py": "from probe.inner import WORD",
    "probe/inner.py": "WORD = 'ours'",
    "probe/data.pem": "certificates",
    f"probe/fast{EXTENSION_SUFFIXES[0]}": "no code",
    "other_part.dist-info/LICENSE": "free",
}
OWN = {"__init__.py": "", "own/__init__.py": "from probe import WORD", "own/words.json": "certificates"}
MODULES = ("parts/probe/__init__.py", "parts/probe/inner.py", "own/__init__.py")


@dataclass
class Package:
    """An installed package that has a module `own` and carries a part named `probe`."""

    home: Path
    digest: str

    def word(self) -> object:
        """Return what the part says that an import of our own finds."""
        assert carried.take(str(self.home), self.digest) is not None
        return importlib.import_module("bcs_template_set.own").WORD


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Package]:
    monkeypatch.setitem(FAST, "probe", ())
    with ZipFile(tmp_path / "probe-1-py3-none-any.whl", "w") as wheel:
        for name, text in PART.items():
            wheel.writestr(name, text)
    home = tmp_path / "parts" / "home"
    for name, text in OWN.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    digest = lay_out([Part("probe", "1", {"probe-1-py3-none-any.whl": ""})], tmp_path, home)
    finders = [*sys.meta_path]
    yield Package(home, digest)
    sys.meta_path[:] = finders
    for name in [*sys.modules]:
        if name.partition(".")[0] in ("probe", "chardet") or name == "bcs_template_set.own":
            del sys.modules[name]


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def zero(file: Path) -> None:
    file.write_bytes(bytes(file.stat().st_size))


def compiled(file: Path) -> None:
    """Damage what Python has compiled of a file: its header still fits."""
    made = Path(importlib.util.cache_from_source(str(file)))
    made.write_bytes(made.read_bytes()[:20])


DAMAGES = [Path.unlink, cut, zero, compiled]


def test_at_a_desk_nothing_is_carried() -> None:
    assert carried.take() is None


def test_what_a_neighbour_has_imported_before_is_not_used(package: Package) -> None:
    for name in ("probe", "probe.inner", "chardet"):
        sys.modules[name] = ModuleType(name)
    assert package.word() == "ours"
    assert "chardet" not in sys.modules


def test_what_a_part_would_use_of_a_neighbour_is_not_found(package: Package) -> None:
    package.word()
    with pytest.raises(ModuleNotFoundError, match="'socks'") as caught:
        importlib.import_module("socks")
    assert caught.value.name == "socks"


def test_any_other_module_is_found_as_ever(package: Package) -> None:
    package.word()
    assert importlib.import_module("this").__name__ == "this"


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_module_comes_from_the_copy(
    package: Package, name: str, damage: Callable[[Path], None]
) -> None:
    for source in MODULES:
        importlib.import_module("py_compile").compile(str(package.home / source))
    damage(package.home / name)
    assert package.word() == "ours"


@pytest.mark.parametrize(
    ("module", "name"), [("probe", "parts/probe/data.pem"), ("bcs_template_set.own", "own/words.json")]
)
@pytest.mark.parametrize("damage", [Path.exists, Path.unlink, cut, zero])
def test_so_do_damaged_data(package: Package, module: str, name: str, damage: Callable[[Path], None]) -> None:
    package.word()
    damage(package.home / name)
    assert pkgutil.get_data(module, Path(name).name) == b"certificates"


@pytest.mark.parametrize("damage", [Path.unlink, cut, zero])
def test_a_damaged_list_comes_from_the_copy(package: Package, damage: Callable[[Path], None]) -> None:
    damage(package.home / "parts.txt")
    assert package.word() == "ours"


@pytest.mark.parametrize("damage", [Path.unlink, cut, zero])
def test_a_damaged_copy_is_not_missed(package: Package, damage: Callable[[Path], None]) -> None:
    damage(package.home / "parts.zip")
    assert package.word() == "ours"


@pytest.mark.parametrize("damage", [Path.unlink, cut, zero])
@pytest.mark.parametrize("name", ["parts.txt", "parts/probe/inner.py", "own/__init__.py"])
def test_where_both_are_damaged_the_file_is_named(
    package: Package, name: str, damage: Callable[[Path], None]
) -> None:
    damage(package.home / name)
    damage(package.home / "parts.zip")
    with pytest.raises(InstallationDamaged) as caught:
        package.word()
    assert caught.value.file == f"{package.home}/{name}"


def test_it_is_named_though_what_says_so_is_damaged_too(
    package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("own/__init__.py", "parts.zip"):
        zero(package.home / name)
    monkeypatch.delitem(sys.modules, "bcs_template_set.messages.errors")
    with pytest.raises(ImportError) as caught:
        package.word()
    assert caught.value.path == f"{package.home}/own/__init__.py"


@pytest.mark.parametrize("damage", [Path.unlink, cut, zero])
def test_what_is_compiled_and_damaged_is_not_found_so_that_pure_code_serves(
    package: Package, damage: Callable[[Path], None]
) -> None:
    damage(package.home / f"parts/probe/fast{EXTENSION_SUFFIXES[0]}")
    package.word()
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("probe.fast")


def test_what_is_compiled_and_does_not_load_is_an_import_error(package: Package) -> None:
    package.word()
    with pytest.raises(ImportError, match="fast"):
        importlib.import_module("probe.fast")


def test_python_3_6_can_read_what_runs_before_its_version_is_looked_at() -> None:
    text = Path(carried.HOME, "__init__.py").read_text(encoding="utf-8")
    ast.parse(text, feature_version=(3, 6))
    assert "__future__" not in text
