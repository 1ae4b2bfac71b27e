"""Versions of template files, each trap of facts/bcs.md that touches them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.emulator import Emulator
from tests.emulator.semver import sort_as_bcs
from tests.support.plain_client import V1, PlainClient

TEMPLATE = f"{V1}/web/template"


def new_version(version: str = "1.1.0", **changes: object) -> dict[str, object]:
    return {
        "version": version,
        "content": "kind: New",
        "description": "bk-ci <pipeline>",
        "editFormat": "yaml",
        "renderMode": "Simple",
        "force": False,
        **changes,
    }


def test_a_new_version_becomes_current_and_its_writer_the_updator(
    emulator: Emulator, lisi: PlainClient
) -> None:
    file = emulator.state.add_file("shop", "a.yaml", content="kind: A")
    created = lisi.post(f"{TEMPLATE}/{file.id}/versions", new_version()).item
    shown = lisi.get(f"{TEMPLATE}/versions/{created['id']}").item
    assert (shown["templateSpace"], shown["templateName"], shown["version"]) == ("shop", "a.yaml", "1.1.0")
    assert (shown["creator"], shown["content"], shown["latest"]) == ("lisi", "kind: New", False)
    assert (file.version, file.updator, file.creator) == ("1.1.0", "lisi", "console")
    assert file.resource_types == ["New"]


def test_a_versions_description_is_stripped_of_html(emulator: Emulator, lisi: PlainClient) -> None:
    file = emulator.state.add_file("shop", "a.yaml", content="kind: A")
    created = lisi.post(f"{TEMPLATE}/{file.id}/versions", new_version()).item
    shown = lisi.get(f"{TEMPLATE}/versions/{created['id']}").item
    assert shown["description"] == "bk-ci &lt;pipeline&gt;"


def test_a_pinned_file_does_not_move(emulator: Emulator, lisi: PlainClient) -> None:
    file = emulator.state.add_file("shop", "a.yaml", content="kind: A", pinned=True)
    assert lisi.post(f"{TEMPLATE}/{file.id}/versions", new_version()).code == 0
    assert (file.version, file.updator) == ("1.0.0", "console")
    latest = [v["version"] for v in lisi.get(f"{TEMPLATE}/{file.id}/versions").items if v["latest"]]
    assert latest == ["1.0.0"]


@pytest.mark.parametrize("pinned", [False, True])
def test_a_new_version_ends_a_draft(emulator: Emulator, lisi: PlainClient, *, pinned: bool) -> None:
    file = emulator.state.add_file("shop", "a.yaml", content="kind: A", draft="kind: D", pinned=pinned)
    assert lisi.post(f"{TEMPLATE}/{file.id}/versions", new_version()).code == 0
    assert (file.is_draft, file.draft_version, file.draft_content) == (False, "", "")


def test_an_existing_name_is_code_7_unless_forced_and_then_history_lies(
    emulator: Emulator, lisi: PlainClient
) -> None:
    file = emulator.state.add_file("shop", "a.yaml", content="kind: A", creator="zhangsan")
    path = f"{TEMPLATE}/{file.id}/versions"
    assert lisi.post(path, new_version("1.0.0")).code == 7
    before = emulator.state.find_versions("shop", "a.yaml")[0].id
    assert lisi.post(path, new_version("1.0.0", force=True)).item == {"id": before}
    (only,) = emulator.state.find_versions("shop", "a.yaml")
    assert (only.content, only.creator) == ("kind: New", "lisi")
    assert file.updator == "zhangsan"


@pytest.mark.parametrize("version", ["", "v" * 65])
def test_a_version_name_has_1_to_64_characters(emulator: Emulator, lisi: PlainClient, version: str) -> None:
    file = emulator.state.add_file("shop", "a.yaml", content="kind: A")
    assert lisi.post(f"{TEMPLATE}/{file.id}/versions", new_version(version)).code == 1


def test_the_list_is_sorted_semver_first_and_a_draft_stands_before_all(
    emulator: Emulator, lisi: PlainClient
) -> None:
    file = emulator.state.add_file("shop", "a.yaml", content="kind: A", draft="kind: D", version="1.0.9")
    for index, name in enumerate(("b1", "1.0.10-feat", "1.0.10", "z0")):
        emulator.state.add_version("shop", "a.yaml", version=name, content="", created=1000 + index)
    listed = lisi.get(f"{TEMPLATE}/{file.id}/versions").items
    assert [version["version"] for version in listed] == [
        "1.0.9",
        "1.0.10",
        "1.0.10-feat",
        "1.0.9",
        "z0",
        "b1",
    ]
    assert [version["draft"] for version in listed] == [True] + [False] * 5
    assert listed[0]["id"] == "0" * 24
    assert listed[0]["content"] == "kind: D"
    assert [version["version"] for version in listed if version["latest"]] == ["z0"]


def test_what_was_deployed_is_shown_on_every_listed_version(emulator: Emulator, lisi: PlainClient) -> None:
    file = emulator.state.add_file(
        "shop", "a.yaml", content="kind: A", deployed_version="1.0.0", deployer="zhangsan"
    )
    (listed,) = lisi.get(f"{TEMPLATE}/{file.id}/versions").items
    assert (listed["latestDeployVersion"], listed["latestDeployer"]) == ("1.0.0", "zhangsan")


def test_deleting_a_version_does_not_move_the_pointer(emulator: Emulator, lisi: PlainClient) -> None:
    file = emulator.state.add_file("shop", "a.yaml", content="kind: A")
    emulator.state.add_version("shop", "a.yaml", version="2.0.0", content="kind: B")
    emulator.state.delete_version("shop", "a.yaml", version="2.0.0")
    shown = lisi.get(f"{TEMPLATE}/metadatas/{file.id}").item
    assert (shown["version"], shown["versionID"]) == ("2.0.0", "")


def test_detail_finds_by_three_names_and_is_empty_where_there_is_none(
    emulator: Emulator, lisi: PlainClient
) -> None:
    emulator.state.add_file("shop", "a.yaml", content="kind: A")
    asked = {"templateSpace": "shop", "templateName": "a.yaml", "version": "1.0.0"}
    assert lisi.post(f"{TEMPLATE}/detail", asked).item["content"] == "kind: A"
    missing = lisi.post(f"{TEMPLATE}/detail", {**asked, "version": "2.0.0"})
    assert (missing.code, missing.item) == (0, {})
    assert emulator.writes() == []


def test_a_spaces_files_come_with_their_versions_in_one_call(emulator: Emulator, lisi: PlainClient) -> None:
    emulator.state.add_file("shop", "a.yaml", content="kind: A", version="1.9.0")
    emulator.state.add_version("shop", "a.yaml", version="1.10.0", content="kind: B")
    (space,) = emulator.state.find_spaces("shop")
    (listed,) = lisi.get(f"{TEMPLATE}/{space.id}/metadata/versions").items
    assert (listed["templateName"], listed["latestVersion"]) == ("shop/a.yaml", "1.10.0")
    versions = listed["versionList"]
    assert isinstance(versions, list)
    assert [version["version"] for version in versions] == ["1.10.0", "1.9.0"]
    assert set(versions[0]) == {"version", "versionID", "createAt"}


names = st.from_regex(r"\A(0|[1-9][0-9]?)\.(0|[1-9][0-9]?)\.(0|[1-9][0-9]?)(-[a-z0-9]{1,3})?\Z") | st.text(
    max_size=5
)


_STRICT = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?")


@given(st.lists(names))
def test_sorting_keeps_every_name_and_puts_semver_before_all_others(given_names: list[str]) -> None:
    ordered = sort_as_bcs(given_names, name=lambda name: name, created=lambda _: 0)
    assert sorted(ordered) == sorted(given_names)
    strict = [_STRICT.fullmatch(name) is not None for name in ordered]
    others_begin = next((i for i, name in enumerate(ordered) if name.count(".") < 2), len(ordered))
    assert not any(strict[others_begin:])


def test_versions_of_equal_precedence_stand_in_no_order(emulator: Emulator, lisi: PlainClient) -> None:
    file = emulator.state.add_file("shop", "a.yaml", content="kind: A", version="1.0.0")
    emulator.state.add_version("shop", "a.yaml", version="1.0.0+2", content="kind: B")
    emulator.state.add_version("shop", "a.yaml", version="1.1.0", content="kind: C")

    def shown() -> list[object]:
        return [row["version"] for row in lisi.get(f"{V1}/web/template/{file.id}/versions").items]

    assert shown() == ["1.1.0", "1.0.0", "1.0.0+2"]
    emulator.state.shuffle = lambda versions: versions[::-1]
    assert shown() == ["1.1.0", "1.0.0+2", "1.0.0"]
