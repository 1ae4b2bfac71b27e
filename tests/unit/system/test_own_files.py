"""What the run writes are plain files of its own: nothing that somebody put there is followed or replaced."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bcs_template_set.messages.errors import WorkspaceUnwritable
from bcs_template_set.system.own_files import BY_DESCRIPTOR, OwnFile, can_be_written

WAYS = (False, True) if BY_DESCRIPTOR else (False,)


@pytest.fixture(params=WAYS, ids=["by path", "by descriptor"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> OwnFile:
    (tmp_path / "workspace").mkdir()
    (tmp_path / "elsewhere").mkdir()
    return OwnFile(tmp_path / "workspace", ".own/run/report/a.html", by_descriptor=request.param)


def link_directory(part: str) -> Callable[[OwnFile], Path]:
    def put(file: OwnFile) -> Path:
        at = file.workspace / part
        at.parent.mkdir(parents=True, exist_ok=True)
        at.symlink_to(file.workspace.parent / "elsewhere", target_is_directory=True)
        return at

    return put


def at_the_file(make: Callable[[Path, Path], object]) -> Callable[[OwnFile], Path]:
    def put(file: OwnFile) -> Path:
        file.path.parent.mkdir(parents=True)
        victim = file.workspace.parent / "elsewhere" / "victim"
        victim.write_bytes(b"theirs")
        make(file.path, victim)
        return file.path

    return put


IN_THE_WAY = {
    "the folder": link_directory(".own"),
    "the run's folder": link_directory(".own/run"),
    "the report's": link_directory(".own/run/report"),
    "a link": at_the_file(lambda path, victim: path.symlink_to(victim)),
    "a link to nothing": at_the_file(lambda path, victim: path.symlink_to(victim.with_name("none"))),
    "a hard link": at_the_file(lambda path, victim: os.link(victim, path)),
    "a pipe": at_the_file(lambda path, _victim: os.mkfifo(path)),
    "a directory": at_the_file(lambda path, _victim: path.mkdir()),
}


def all_below(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize(
    "act", [lambda file: file.write_bytes(b"ours"), lambda file: file.read_bytes(most=99)]
)
@pytest.mark.parametrize("put", IN_THE_WAY.values(), ids=IN_THE_WAY.keys())
def test_what_somebody_put_there_is_named_and_left_alone(
    file: OwnFile, put: Callable[[OwnFile], Path], act: Callable[[OwnFile], object]
) -> None:
    at = put(file)
    before = (os.lstat(at).st_ino, all_below(file.workspace.parent / "elsewhere"))
    with pytest.raises(WorkspaceUnwritable) as caught:
        act(file)
    now = (os.lstat(at).st_ino, all_below(file.workspace.parent / "elsewhere"))
    assert now == before
    assert f"{at} is a link, a pipe, or something else" in caught.value.title().render("en_US")


def test_a_file_that_becomes_a_link_while_it_is_written_is_not_written_through(
    file: OwnFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = file.workspace.parent / "elsewhere" / "victim"
    victim.write_bytes(b"theirs")
    replace = os.replace

    def swapped(*args: str, **named: Any) -> None:  # noqa: ANN401 - as os.replace
        file.path.symlink_to(victim)
        replace(*args, **named)

    monkeypatch.setattr(os, "replace", swapped)
    file.write_bytes(b"ours")
    assert (victim.read_bytes(), file.path.is_symlink()) == (b"theirs", False)
    assert file.read_bytes(most=99) == b"ours"


def link_beside(path: Path) -> None:
    os.link(path, path.with_name("second"))


def pipe_instead(path: Path) -> None:
    path.rename(path.with_name("second"))
    os.mkfifo(path)


def link_instead(path: Path) -> None:
    path.rename(path.with_name("second"))
    path.symlink_to(path.with_name("second"))


@pytest.mark.parametrize("change", [link_beside, pipe_instead, link_instead])
def test_a_file_that_becomes_a_pipe_or_a_link_while_it_is_read_is_not_believed(
    file: OwnFile, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None]
) -> None:
    file.write_bytes(b"ours")
    check = os.stat

    def swapped(*args: str, **named: Any) -> os.stat_result:  # noqa: ANN401 - as os.stat
        found = check(*args, **named)
        if args[0].endswith("a.html") and not file.path.with_name("second").exists():
            change(file.path)
        return found

    monkeypatch.setattr(os, "stat", swapped)
    with pytest.raises(WorkspaceUnwritable, match=r"is a link, a pipe|symbolic links"):
        file.read_bytes(most=99)


@pytest.mark.parametrize("name", ["report", "a.html"])
def test_what_leads_elsewhere_on_windows_is_not_entered_nor_written(
    file: OwnFile, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """There a junction is a directory, and what is no plain file is one, but for a tag."""
    file.write_bytes(b"ours")
    check = os.stat

    def tagged(*args: str, **named: Any) -> object:  # noqa: ANN401 - as os.stat
        found = check(*args, **named)
        tag = 0xA0000003 if str(args[0]).endswith(name) else 0
        return SimpleNamespace(st_mode=found.st_mode, st_nlink=found.st_nlink, st_reparse_tag=tag)

    monkeypatch.setattr(os, "stat", tagged)
    with pytest.raises(WorkspaceUnwritable, match=f"{name} is a link, a pipe"):
        file.write_bytes(b"ours")


def test_a_plain_file_is_written_again_and_read(file: OwnFile) -> None:
    file.write_bytes(b"first, and longer")
    file.write_bytes(b"second")
    assert file.read_bytes(most=99) == b"second"
    assert [path.name for path in file.path.parent.iterdir()] == ["a.html"]
    assert file.path.stat().st_mode & 0o777 == 0o644 & ~_umask()
    assert file.path.parent.stat().st_mode & 0o777 == 0o755 & ~_umask()
    assert file.read_bytes(most=3) == b"sec"


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_what_is_not_there_is_not_there(file: OwnFile) -> None:
    with pytest.raises(FileNotFoundError):
        file.read_bytes(most=99)
    assert list(file.workspace.iterdir()) == []


def test_a_directory_that_goes_while_it_is_written_to_is_an_error_of_the_workspace(
    file: OwnFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object, **__: object) -> None:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(os, "replace", gone)
    with pytest.raises(WorkspaceUnwritable, match="No such file"):
        file.write_bytes(b"ours")


def test_what_a_killed_run_left_beside_is_no_hindrance(file: OwnFile) -> None:
    file.write_bytes(b"first")
    victim = file.workspace.parent / "elsewhere" / "victim"
    victim.write_bytes(b"theirs")
    file.path.with_name(f".new-{os.getpid()}").symlink_to(victim)
    file.write_bytes(b"second")
    assert (file.read_bytes(most=99), victim.read_bytes()) == (b"second", b"theirs")


def test_a_workspace_that_is_a_link_itself_or_is_not_there_yet_is_written_to(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    OwnFile(tmp_path / "link", "a/b").write_bytes(b"1")
    OwnFile(tmp_path / "new" / "one", "a/b").write_bytes(b"2")
    assert (tmp_path / "real/a/b").read_bytes() == b"1"
    assert (tmp_path / "new/one/a/b").read_bytes() == b"2"


@contextmanager
def at_most(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_file_that_can_not_be_written_whole_leaves_the_one_from_before(file: OwnFile) -> None:
    file.write_bytes(b"first")
    with at_most(1000), pytest.raises(WorkspaceUnwritable) as caught:
        file.write_bytes(b"x" * 10_000)
    assert caught.value.fields == {"file": str(file), "problem": "File too large"}
    assert file.read_bytes(most=99) == b"first"
    assert [path.name for path in file.path.parent.iterdir()] == ["a.html"]


def test_a_directory_is_claimed_by_one_only(file: OwnFile) -> None:
    assert [file.claim(), file.claim()] == [True, False]
    link_directory(".second")(file)
    with pytest.raises(WorkspaceUnwritable):
        OwnFile(file.workspace, ".second/run", file.by_descriptor).claim()


def test_a_name_that_no_file_can_have_is_an_error_of_the_workspace(file: OwnFile) -> None:
    nameless = file.below("x" * 300)
    with pytest.raises(WorkspaceUnwritable, match="too long"):
        nameless.write_bytes(b"")
    with pytest.raises(WorkspaceUnwritable, match="too long"):
        nameless.read_bytes(most=1)


@pytest.mark.parametrize(
    ("name", "below"),
    [("b/c.yaml", "a/b/c.yaml"), ("../b/./c", "a/_/b/_/c"), ("/b//c/", "a/_/b/_/c/_"), (r"..\b", r"a/.._b")],
)
def test_no_name_leads_out_of_a_directory(tmp_path: Path, name: str, below: str) -> None:
    assert OwnFile(tmp_path, "a").below(name) == OwnFile(tmp_path, below)


@pytest.mark.parametrize(
    ("name", "second"),
    [("a/b.html", "a/b~2.html"), ("a.b/c", "a.b/c~2"), (".b", ".b~2"), ("b.c.html", "b.c~2.html")],
)
def test_another_file_of_a_name_has_a_number_before_its_ending(
    tmp_path: Path, name: str, second: str
) -> None:
    assert OwnFile(tmp_path, name).numbered(2) == OwnFile(tmp_path, second)


@pytest.mark.skipif(not BY_DESCRIPTOR, reason="there it is only looked at")
def test_a_directory_that_is_swapped_meanwhile_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere, own, replace = tmp_path / "elsewhere", tmp_path / "workspace" / ".own", os.replace
    (elsewhere / "run").mkdir(parents=True)

    def swapped(*args: str, **named: Any) -> None:  # noqa: ANN401 - as os.replace
        own.rename(own.with_name("moved"))
        own.symlink_to(elsewhere, target_is_directory=True)
        replace(*args, **named)

    monkeypatch.setattr(os, "replace", swapped)
    OwnFile(own.parent, ".own/run/a.html").write_bytes(b"ours")
    assert all_below(elsewhere) == {}
    assert all_below(own.with_name("moved")) == {"run/a.html": b"ours"}


@pytest.mark.skipif(not BY_DESCRIPTOR, reason="there it is only looked at")
@pytest.mark.parametrize("become", [lambda at, other: at.symlink_to(other), lambda at, _: os.mkfifo(at)])
def test_a_directory_that_becomes_a_link_or_a_pipe_while_it_is_entered_is_not_followed_nor_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, become: Callable[[Path, Path], None]
) -> None:
    elsewhere, own, check = tmp_path / "elsewhere", tmp_path / "workspace" / ".own", os.stat
    elsewhere.mkdir()

    def swapped(*args: str, **named: Any) -> os.stat_result:  # noqa: ANN401 - as os.stat
        found = check(*args, **named)
        if args[0] == ".own":
            own.rename(own.with_name("moved"))
            become(own, elsewhere)
        return found

    monkeypatch.setattr(os, "stat", swapped)
    with pytest.raises(WorkspaceUnwritable):
        OwnFile(own.parent, ".own/a.html").write_bytes(b"ours")
    assert all_below(elsewhere) == {}


def test_nothing_stays_open(file: OwnFile) -> None:
    before = sorted(Path("/dev/fd").iterdir())
    file.write_bytes(b"ours")
    file.read_bytes(most=9)
    assert not file.claim()
    assert sorted(Path("/dev/fd").iterdir()) == before


def test_a_directory_can_be_written_to_also_where_it_is_yet_to_be_made(tmp_path: Path) -> None:
    assert can_be_written(tmp_path)
    assert can_be_written(tmp_path / "not" / "there")
    (tmp_path / "file").write_text("")
    (tmp_path / "file").chmod(0o755)
    assert not can_be_written(tmp_path / "file")
