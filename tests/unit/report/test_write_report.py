from __future__ import annotations

from pathlib import Path

import pytest

from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.parse import parse_documents
from bcs_template_set.messages.errors import WorkspaceUnwritable
from bcs_template_set.report.write_report import write_rendered, write_report
from bcs_template_set.system.own_files import OwnFile

PLAIN = (
    "# kept\n---\napiVersion: v1\nkind: ConfigMap  # kept too\nmetadata: {name: a}\ndata: {password: plain}\n"
)
SECRET = "kind: Secret\napiVersion: v1\nmetadata: {name: s}\nstringData: {password: hunter2}\n"


def manifest(name: str, text: str) -> ManifestFile:
    return ManifestFile(name=name, text=text, source=name, documents=parse_documents(text, source=name))


def shown(directory: Path, text: str) -> str:
    (path,) = write_rendered(OwnFile(directory, "r"), [manifest("a.yaml", text)])
    return Path(path).read_text(encoding="utf-8")


def test_a_report_is_the_page_of_a_directory_of_its_own(tmp_path: Path) -> None:
    page = write_report(OwnFile(tmp_path, "b 1/report"), "<p>é")
    assert page == tmp_path / "b 1" / "report" / "index.html"
    assert page.read_bytes() == "<p>é".encode()
    assert write_report(OwnFile(tmp_path, "half"), "a\ud800").read_bytes() == b"a?"


def test_a_file_without_a_secret_is_written_as_it_was_uploaded(tmp_path: Path) -> None:
    assert shown(tmp_path, PLAIN) == PLAIN


@pytest.mark.parametrize("mark", ["---\n", "--- # next\n", "...\n---\n"])
def test_the_values_of_a_secret_are_masked_and_its_neighbours_stay(tmp_path: Path, mark: str) -> None:
    text = shown(tmp_path, PLAIN + mark + SECRET + mark + PLAIN)
    assert "hunter2" not in text
    assert text.count("***") == 1
    assert text.count("kind: ConfigMap  # kept too") == 2
    assert [d.kind for d in parse_documents(text, source="x")] == ["ConfigMap", "Secret", "ConfigMap"]


def test_a_secret_in_a_list_is_masked_too(tmp_path: Path) -> None:
    item = "{kind: Secret, apiVersion: v1, metadata: {name: s}, data: {k: aHVudGVyMg==}}"
    text = shown(tmp_path, f"apiVersion: v1\nkind: List\nitems: [{item}]\n")
    assert "aHVudGVyMg==" not in text
    assert "***" in text


def test_paths_are_absolute_sorted_and_below_the_directory_whatever_the_name(tmp_path: Path) -> None:
    names = ["sub/b.yaml", "../../up.yaml", "/etc/x.yaml", "a.yaml"]
    paths = write_rendered(OwnFile(tmp_path, "rendered"), [manifest(name, PLAIN) for name in names])
    assert list(paths) == sorted(paths)
    assert len(set(paths)) == len(names)
    for path in paths:
        assert Path(path).is_file()
        assert (tmp_path / "rendered") in Path(path).resolve().parents


def test_a_workspace_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "report").write_text("a file where the directory should be", encoding="utf-8")
    with pytest.raises(WorkspaceUnwritable) as raised:
        write_report(OwnFile(tmp_path, "report"), "<p>")
    assert str(tmp_path / "report") in raised.value.title().render("en_US")


def test_a_page_that_does_not_stand_there_is_not_called_a_report(tmp_path: Path) -> None:
    """The worker puts an error of its own in place of a result that names a report which is not there."""
    with pytest.raises(WorkspaceUnwritable, match=r"index\.html"):
        write_report(OwnFile(tmp_path, "run/report"), "")
