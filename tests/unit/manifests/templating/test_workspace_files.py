from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.building import render

from bcs_template_set.manifests.templating.workspace_files import (
    FULL_GLOBS,
    FileUnusable,
    TemplateSource,
    Workspace,
    pattern_regex,
    resolve_templates,
    split_pattern,
)
from bcs_template_set.messages import Text
from bcs_template_set.messages.errors import LimitExceeded, TemplateUnreadable
from bcs_template_set.messages.spelling import MOST_KNOWN

POD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"


def resolve(root: Path, *lines: str) -> tuple[list[TemplateSource], list[Text]]:
    problems: list[Text] = []
    _, sources = resolve_templates(Workspace(root), lines, builtins=("web",), problems=problems)
    return sources, problems


def complaint(root: Path, *lines: str) -> str:
    _, problems = resolve(root, *lines)
    (problem,) = problems
    return str(problem)


def read(root: Path, path: str) -> str:
    with pytest.raises(FileUnusable) as caught:
        Workspace(root).read_text(path)
    return str(caught.value.problem)


HIDDEN = (
    "nothing is read whose name, or a directory's on the way to it, begins with a dot, such as .git. "
    "Put the file elsewhere, or name it without the dot."
)


def tree(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(POD, encoding="utf-8")


def test_a_plain_path_gives_its_base_name_without_j2(tmp_path: Path) -> None:
    tree(tmp_path, "deploy/a.yaml.j2", "b.yaml")
    sources, _ = resolve(tmp_path, "deploy/a.yaml.j2", "./b.yaml")
    assert sources == [TemplateSource("a.yaml", "deploy/a.yaml.j2"), TemplateSource("b.yaml", "b.yaml")]


def test_a_glob_gives_the_path_below_its_base(tmp_path: Path) -> None:
    tree(tmp_path, "k8s/a.yaml.j2", "k8s/sub/b.yaml.j2", "k8s/sub/c.txt", "other/d.yaml.j2")
    sources, _ = resolve(tmp_path, "k8s/**/*.yaml.j2")
    assert [source.name for source in sources] == ["a.yaml", "sub/b.yaml"]
    sources, _ = resolve(tmp_path, "k8s/*/*.j2")
    assert [source.name for source in sources] == ["sub/b.yaml"]
    sources, _ = resolve(tmp_path, "**")
    assert len(sources) == 4


def test_globs_enter_no_hidden_or_linked_directories(tmp_path: Path) -> None:
    tree(tmp_path, "a.yaml", ".git/b.yaml", "real/c.yaml")
    (tmp_path / "again").symlink_to(tmp_path)
    sources, _ = resolve(tmp_path, "**/*.yaml")
    assert [source.path for source in sources] == ["a.yaml", "real/c.yaml"]


def test_the_same_file_named_twice_is_one_file(tmp_path: Path) -> None:
    tree(tmp_path, "a.yaml")
    sources, problems = resolve(tmp_path, "a.yaml", "*.yaml")
    assert len(sources) == 1
    assert problems == []


def test_two_files_of_one_name_are_a_mistake_that_names_both(tmp_path: Path) -> None:
    tree(tmp_path, "x/a.yaml", "y/a.yaml.j2")
    said = complaint(tmp_path, "x/a.yaml", "y/a.yaml.j2")
    assert "x/a.yaml" in said
    assert "y/a.yaml.j2" in said


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("missing.yaml", "missing.yaml does not exist"),
        ("folde", 'Did you mean "folder"?'),
        ("env", ".\n"),
        ("a" * 300, f"{'a' * 300}: {os.strerror(errno.ENAMETOOLONG)}."),
        ("*" * 5000, f"{'*' * 80}…: {os.strerror(errno.ENAMETOOLONG)}."),
        ("folder", "is a directory"),
        ("../outside.yaml", "leads outside the workspace"),
        ("/etc/passwd", "relative to the workspace"),
        ("a\\b.yaml", "relative to the workspace"),
        ("a\x00b", "relative to the workspace"),
        ("dangling", "a link to something that does not exist"),
        ("escape", "leads outside the workspace"),
        ("loop", "loop"),
        ("pipe", "is not a plain file"),
        ("nothing/*.yaml", "matches no file"),
        ("../*.yaml", "leads outside the workspace"),
        ("*/../../x", "relative to the workspace"),
        ("[z-a]*", "not a valid glob"),
        ("builtin:webb", "builtin:web"),
    ],
)
def test_what_can_not_be_used_is_named(tmp_path: Path, line: str, says: str) -> None:
    root = tmp_path / "workspace"
    root.mkdir()
    (tmp_path / "outside.yaml").write_text(POD)
    (root / "folder").mkdir()
    (root / "dangling").symlink_to("nowhere")
    (root / "escape").symlink_to(tmp_path / "outside.yaml")
    (root / "loop").symlink_to("loop")
    (root / ".env").touch()
    os.mkfifo(root / "pipe")
    assert says in complaint(root, line) + "\n"


@pytest.mark.parametrize(
    "line",
    [
        *(".git/config", "./.git/config", "sub/.git/config", ".git//config", ".GIT/config", ".none", ".env"),
        *("sub/../sub/a.yaml", ".git/../sub/a.yaml", "sub/../.git/config", "...", "sub/.."),
        *("to_file", "to_folder/config", "twice"),
        *(".git/*", ".git/**", "**/.git/*", "sub/.*", "to_folder/*", "sub/../sub/*"),
    ],
)
def test_what_is_hidden_is_read_in_no_way(tmp_path: Path, line: str) -> None:
    tree(tmp_path, ".git/config", "sub/.git/config", ".env", "sub/a.yaml")
    (tmp_path / "to_file").symlink_to(".git/config")
    (tmp_path / "to_folder").symlink_to(".git")
    (tmp_path / "twice").symlink_to("to_file")
    assert complaint(tmp_path, line) == f"{line}: {HIDDEN}"
    if "*" not in line:
        assert HIDDEN in read(tmp_path, line)


def test_a_glob_reads_no_hidden_file_that_a_link_leads_to(tmp_path: Path) -> None:
    tree(tmp_path, ".git/config")
    (tmp_path / "a.yaml").symlink_to(".git/config")
    with pytest.raises(TemplateUnreadable) as caught:
        render(tmp_path, "*.yaml")
    assert "a.yaml: nothing is read" in str(caught.value)


@pytest.mark.parametrize("line", ["./a.yaml", "././sub/./b.yaml", "sub//b.yaml", "./*.yaml", "./sub/./*"])
def test_a_dot_alone_is_the_directory_itself(tmp_path: Path, line: str) -> None:
    tree(tmp_path, "a.yaml", "sub/b.yaml")
    sources, problems = resolve(tmp_path, line)
    assert (len(sources), problems) == (1, [])


def test_a_workspace_below_a_hidden_directory_is_read(tmp_path: Path) -> None:
    tree(tmp_path, ".jenkins/ws/a.yaml")
    assert Workspace(tmp_path / ".jenkins" / "ws").read_text("a.yaml") == POD


def test_a_socket_is_no_plain_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("s")
        assert "not a plain file" in read(tmp_path, "s")


def test_a_link_within_the_workspace_is_followed(tmp_path: Path) -> None:
    tree(tmp_path, "real.yaml")
    (tmp_path / "link.yaml").symlink_to("real.yaml")
    assert Workspace(tmp_path).read_text("link.yaml") == POD


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"a: \xff\n", "not UTF-8: byte 0xFF in line 1"),
        (b"\nb: \xc3(", "byte 0xC3 in line 2"),
        ("a: 1".encode("utf-16"), "is UTF-16"),
        (b"\x7fELF\x00\x01", "is a binary file"),
        (b"a" * (2 * 1024 * 1024 + 1), "is larger than 2 MiB"),
    ],
)
def test_a_file_that_is_no_text_is_refused(tmp_path: Path, data: bytes, says: str) -> None:
    (tmp_path / "a.yaml").write_bytes(data)
    assert says in read(tmp_path, "a.yaml")


def test_a_file_may_have_two_mebibytes(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"a" * 2 * 2**20)
    assert len(Workspace(tmp_path).read_text("a.yaml")) == 2 * 2**20


def test_utf8_with_a_byte_order_mark_is_read_without_it(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbfa: \xe4\xbd\xa0")
    assert Workspace(tmp_path).read_text("a.yaml") == "a: 你"


def test_all_unusable_files_of_a_run_are_said_together(tmp_path: Path) -> None:
    (tmp_path / "binary.yaml").write_bytes(b"\x00")
    with pytest.raises(TemplateUnreadable) as caught:
        render(
            tmp_path,
            "none.yaml",
            "*.nothing",
            "binary.yaml",
            "builtin:nope",
            values_files=("gone.yaml", "../out.yaml"),
        )
    assert len(caught.value.details) == 6


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("*.yaml", ["a.yaml", ".yaml"], ["b/a.yaml", "a.yml"]),
        ("**/*.yaml", ["a.yaml", "b/c/a.yaml"], ["a.yml"]),
        ("a/**/b", ["a/b", "a/x/y/b"], ["ab", "a/xb"]),
        ("a?c", ["abc"], ["ac", "a/c"]),
        ("[a-c]1", ["b1"], ["d1", "/1"]),
        ("[!a]1", ["b1", "!1"], ["a1", "/1"]),
        ("[^a]1", ["b1"], ["a1", "/1"]),
        ("[[a]1", ["[1", "a1"], ["1", "b1"]),
        ("a*b*c*d", ["abcd", "axbxcxd"], ["acbd", "abd", "ab/cd"]),
        ("a[.]b", ["a.b"], ["axb"]),
        ("a+(b)", ["a+(b)"], ["aab"]),
        ("[^]x", ["[^]x"], ["x"]),
        ("x/**", ["x/a", "x/a/b"], ["x", "y/a"]),
    ],
)
def test_globs_mean_what_shells_mean(pattern: str, yes: list[str], no: list[str]) -> None:
    expression = pattern_regex(pattern)
    assert [path for path in yes if not expression.fullmatch(path)] == []
    assert [path for path in no if expression.fullmatch(path)] == []


def test_a_patterns_base_is_what_stands_before_the_first_wildcard() -> None:
    assert split_pattern("k8s/x/**/*.j2") == ("k8s/x", "**/*.j2")
    assert split_pattern("*.j2") == ("", "*.j2")
    assert split_pattern("./a//*") == ("a", "*")


@given(line=st.text("ab./*?[]!-\\\x00 é", min_size=1, max_size=30))
def test_any_line_ends_in_files_of_the_workspace_or_in_a_sentence(
    line: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.getbasetemp() / "lines"
    if not root.exists():
        tree(root, "a", "b/a")
    sources, problems = resolve(root, line)
    assert bool(sources) != bool(problems)
    assert all((root / source.path).is_file() for source in sources)
    assert all(str(problem) for problem in problems)


def test_a_hidden_file_is_matched_by_no_glob(tmp_path: Path) -> None:
    tree(tmp_path, "k8s/a.yaml", "k8s/.b.yaml")
    sources, _ = resolve(tmp_path, "k8s/*.yaml")
    assert [source.path for source in sources] == ["k8s/a.yaml"]


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs Linux's /proc")
def test_a_file_that_can_be_found_but_not_read_is_named_with_the_systems_reason() -> None:
    with pytest.raises(FileUnusable, match="mem") as caught:
        Workspace(Path("/proc/self")).read_text("mem")
    assert os.strerror(errno.EIO) in str(caught.value.problem)


def test_beside_more_files_than_are_looked_at_for_its_like_a_missing_one_leaves_nothing_open(
    tmp_path: Path,
) -> None:
    for number in range(MOST_KNOWN + 1):
        (tmp_path / f"{number}.yaml").touch()
    assert "missing.yaml does not exist" in read(tmp_path, "missing.yaml")  # a warning would fail this test


def test_a_glob_over_more_files_than_it_may_look_at_is_refused(tmp_path: Path) -> None:
    tree(tmp_path, "a/1.yaml", "b/2.yaml", "c/3.yaml")
    assert len(Workspace(tmp_path, most_visited=3).match("**/*.yaml")[1]) == 3
    with pytest.raises(LimitExceeded, match="The number of files to look at for a glob"):
        Workspace(tmp_path, most_visited=2).match("**/*.yaml")


def test_many_globs_together_may_not_look_at_ever_more_files(tmp_path: Path) -> None:
    tree(tmp_path, "1.yaml", "2.yaml")
    workspace = Workspace(tmp_path, most_visited=2)
    for _ in range(FULL_GLOBS):
        assert len(workspace.match("*.yaml")[1]) == 2
    with pytest.raises(LimitExceeded, match=str(FULL_GLOBS * 2)):
        workspace.match("*.yaml")


def test_a_run_may_have_five_thousand_files_and_no_more(tmp_path: Path) -> None:
    class Full(Workspace):
        def match(self, pattern: str) -> tuple[str, list[str]]:
            return "", [f"{number}.yaml" for number in range(int(pattern[1:]))]

    assert len(resolve_templates(Full(tmp_path), ["*5000"], builtins=(), problems=[])[1]) == 5000
    with pytest.raises(LimitExceeded, match=r"5001.*5000"):
        resolve_templates(Full(tmp_path), ["*5001"], builtins=(), problems=[])
