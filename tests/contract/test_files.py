"""Template files: creating, reading, and the PUT that empties what it is not told."""

from __future__ import annotations

import pytest

from tests.emulator import Emulator
from tests.support.plain_client import V1, PlainClient

TEMPLATE = f"{V1}/web/template"
FILES = f"{TEMPLATE}/metadatas"
DEPLOYMENT = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: a\n---\nkind: Service\n"


def new_file(space_id: str, *, name: str = "shop/a.yaml", **changes: object) -> dict[str, object]:
    return {
        "name": name,
        "templateSpaceID": space_id,
        "description": "",
        "tags": [],
        "version": "1.0.0",
        "versionDescription": "first <try>",
        "content": DEPLOYMENT,
        "editFormat": "yaml",
        "isDraft": False,
        "renderMode": "Simple",
        **changes,
    }


def test_a_created_file_is_shown_with_the_ids_of_space_and_version(
    emulator: Emulator, lisi: PlainClient
) -> None:
    space = emulator.state.add_space("shop")
    created = lisi.post(FILES, new_file(space.id)).item
    shown = lisi.get(f"{FILES}/{created['id']}").item
    assert (shown["name"], shown["realName"], shown["templateSpace"]) == ("shop/a.yaml", "a.yaml", "shop")
    assert (shown["templateSpaceID"], shown["versionID"]) == (space.id, created["versionID"])
    assert (shown["creator"], shown["updator"], shown["version"]) == ("lisi", "lisi", "1.0.0")
    assert shown["resourceType"] == ["Deployment", "Service"]
    listed = lisi.get(f"{TEMPLATE}/{space.id}/metadatas").items
    assert listed == [{**shown, "templateSpaceID": ""}]


def test_the_first_versions_description_is_not_filtered(emulator: Emulator, lisi: PlainClient) -> None:
    space = emulator.state.add_space("shop")
    created = lisi.post(FILES, new_file(space.id)).item
    version = lisi.get(f"{TEMPLATE}/versions/{created['versionID']}").item
    assert (version["description"], version["creator"]) == ("first <try>", "lisi")


def test_without_a_space_id_the_space_is_found_or_made_by_name(emulator: Emulator, lisi: PlainClient) -> None:
    assert lisi.post(FILES, new_file("", name="shop/a.yaml")).code == 0
    assert lisi.post(FILES, new_file("", name="shop/deep/b.yaml")).code == 0
    assert len(emulator.state.find_spaces("shop")) == 1
    assert [file.name for file in emulator.state.find_files("shop")] == ["a.yaml", "deep/b.yaml"]


def test_a_taken_name_is_code_7_and_writes_nothing(emulator: Emulator, lisi: PlainClient) -> None:
    emulator.state.add_file("shop", "a.yaml", content="kind: A")
    assert lisi.post(FILES, new_file("")).code == 7
    assert len(emulator.state.versions) == 1


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", 1),
        ("s/" + "x" * 63, 1),
        ("no-space.yaml", 2),
        ("/a.yaml", 2),
        ("shop/", 2),
        ("shop//a.yaml", 2),
        ("shop/a:b.yaml", 2),
        ("shop/. .", 2),
    ],
)
def test_names_that_are_refused(lisi: PlainClient, name: str, code: int) -> None:
    assert lisi.post(FILES, new_file("", name=name)).code == code


def test_each_part_of_a_name_loses_trailing_blanks_and_dots(emulator: Emulator, lisi: PlainClient) -> None:
    assert lisi.post(FILES, new_file("", name="shop. /a.yaml.")).code == 0
    assert emulator.state.find_file("shop", "a.yaml").version == "1.0.0"


def test_a_file_needs_a_version_unless_it_is_a_draft(emulator: Emulator, lisi: PlainClient) -> None:
    assert lisi.post(FILES, new_file("", version="")).code == 2
    draft = new_file("", version="", isDraft=True, draftContent="kind: D", draftEditFormat="yaml")
    assert lisi.post(FILES, draft).item["versionID"] == ""
    assert emulator.state.find_file("shop", "a.yaml").draft_content == "kind: D"


@pytest.mark.parametrize(("wanted", "message"), [("x" * 24, "invalid id"), ("0" * 24, "record not found")])
def test_what_is_not_there_is_code_1(lisi: PlainClient, wanted: str, message: str) -> None:
    for path in (f"{FILES}/{wanted}", f"{TEMPLATE}/versions/{wanted}", f"{TEMPLATE}/{wanted}/versions"):
        reply = lisi.get(path)
        assert (reply.status, reply.code, reply.message) == (200, 1, message)


def test_an_id_of_another_length_is_refused_by_the_validator(lisi: PlainClient) -> None:
    reply = lisi.get(f"{FILES}/abc")
    assert (reply.code, reply.message) == (
        1,
        "invalid GetTemplateMetadataReq.Id: value length must be 24 runes",
    )


def test_another_projects_file_is_code_4(emulator: Emulator, lisi: PlainClient) -> None:
    emulator.state.add_project("other", viewers={"lisi"})
    foreign = emulator.state.add_file("shop", "a.yaml", content="kind: A", project="other")
    assert lisi.get(f"{FILES}/{foreign.id}").code == 4


class TestPut:
    def put(self, lisi: PlainClient, file_id: str, **fields: object) -> None:
        reply = lisi.put(f"{FILES}/{file_id}", {"name": "shop/a.yaml", **fields})
        assert (reply.code, reply.json()["data"]) == (0, None)

    def test_what_is_left_out_is_emptied(self, emulator: Emulator, lisi: PlainClient) -> None:
        file = emulator.state.add_file(
            "shop", "a.yaml", content="kind: A", description="d", tags=["t"], draft="x", render_mode="Helm"
        )
        self.put(lisi, file.id)
        assert (file.description, file.tags, file.render_mode) == ("", [], "Simple")
        assert (file.is_draft, file.draft_content, file.draft_version) == (False, "", "")
        assert (file.version, file.version_mode, file.updator) == ("1.0.0", 0, "lisi")

    @pytest.mark.parametrize("mode", ["SpecifyVersion", 1])
    def test_the_version_is_taken_only_where_it_is_pinned(
        self, emulator: Emulator, lisi: PlainClient, mode: object
    ) -> None:
        file = emulator.state.add_file("shop", "a.yaml", content="kind: A")
        self.put(lisi, file.id, version="9.9.9", versionMode="LatestUpdateTime")
        assert (file.version, file.version_mode) == ("1.0.0", 0)
        self.put(lisi, file.id, version="9.9.9", versionMode=mode)
        assert (file.version, file.version_mode) == ("9.9.9", 1)
        self.put(lisi, file.id, versionMode=mode)
        assert file.version == "9.9.9"
        if mode == 1:
            emulator.exchanges.clear()  # BCS takes the number; its OpenAPI file knows the name only

    def test_an_unknown_version_mode_is_http_400(self, emulator: Emulator, lisi: PlainClient) -> None:
        file = emulator.state.add_file("shop", "a.yaml", content="kind: A")
        reply = lisi.put(f"{FILES}/{file.id}", {"name": "shop/a.yaml", "versionMode": "Newest"})
        assert (reply.status, reply.code) == (400, 3)
        emulator.exchanges.clear()  # against the contract on purpose

    def test_a_new_name_takes_the_versions_along(self, emulator: Emulator, lisi: PlainClient) -> None:
        file = emulator.state.add_file("shop", "a.yaml", content="kind: A")
        emulator.state.add_file("shop", "b.yaml", content="kind: B")
        assert lisi.put(f"{FILES}/{file.id}", {"name": "shop/b.yaml"}).code == 7
        assert lisi.put(f"{FILES}/{file.id}", {"name": "shop/c.yaml"}).code == 0
        assert emulator.state.current_content("shop", "c.yaml") == "kind: A"
