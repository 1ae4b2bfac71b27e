"""The dialects of BCS can be told apart by reads, as facts/bcs.md ("Telling them apart") says."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.emulator import Dialect, Emulator
from tests.support.plain_client import V1, PlainClient

TEMPLATES = f"{V1}/web/template"
FILE = {"version": "1.0.0", "content": "kind: A", "editFormat": "yaml", "isDraft": False}


@pytest.mark.parametrize(
    ("dialect", "status"),
    [
        (Dialect.NONE, 404),
        (Dialect.V1_29, 200),
        (Dialect.A, 404),
        (Dialect.B, 405),
        (Dialect.B2, 405),
        (Dialect.C, 405),
        (Dialect.MULTI_TENANT, 405),
    ],
)
def test_the_path_of_old_tells_where_files_are_created(
    dialect: Dialect, status: int, emulator: Emulator, lisi: PlainClient
) -> None:
    emulator.state.dialect = dialect
    reply = lisi.get(f"{TEMPLATES}/metadatas")
    assert reply.status == status
    if status == 200:
        assert "invalid ListTemplateMetadataReq.TemplateSpace: " in reply.message
    else:
        assert reply.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize("dialect", [Dialect.NONE, Dialect.V1_29])
def test_before_v1_30_no_files_are_listed_by_id(
    dialect: Dialect, emulator: Emulator, lisi: PlainClient
) -> None:
    space = emulator.state.add_space("shop")
    emulator.state.dialect = dialect
    assert lisi.get(f"{TEMPLATES}/{space.id}/metadatas").status == 404
    if dialect is Dialect.V1_29:
        (row,) = lisi.get(f"{TEMPLATES}/spaces").items
        assert row.keys() == {"id", "name", "projectCode", "description"}


@pytest.mark.parametrize("dialect", [Dialect.A, Dialect.B, Dialect.B2, Dialect.C, Dialect.MULTI_TENANT])
def test_a_row_shows_the_name_as_the_dialect_does(
    dialect: Dialect, emulator: Emulator, lisi: PlainClient
) -> None:
    emulator.state.dialect = dialect
    space = emulator.state.add_space("shop")
    path, name = f"{TEMPLATES}/metadatas", "shop/web.yaml"
    if dialect.creates_below_space:
        path, name = f"{TEMPLATES}/{space.id}/metadatas", "web.yaml"
    made = lisi.post(path, {**FILE, "name": name, "templateSpaceID": space.id})
    assert made.code == 0
    (row,) = lisi.get(f"{TEMPLATES}/{space.id}/metadatas").items
    assert (row["name"], row["templateSpace"]) == (name, "shop")
    assert row.get("realName") == ("web.yaml" if dialect.shows_real_name else None)
    _put_it_back(lisi, row)
    assert emulator.state.find_file("shop", "web.yaml").id == row["id"]


def _put_it_back(lisi: PlainClient, row: Mapping[str, object]) -> None:
    body = {key: row[key] for key in ("name", "description", "tags", "version", "isDraft")}
    assert lisi.put(f"{TEMPLATES}/metadatas/{row['id']}", body).code == 0


@pytest.mark.parametrize("dialect", list(Dialect))
def test_the_versions_of_a_space_are_listed_from_alpha_121_on(
    dialect: Dialect, emulator: Emulator, lisi: PlainClient
) -> None:
    space = emulator.state.add_space("shop")
    emulator.state.dialect = dialect
    reply = lisi.get(f"{TEMPLATES}/{space.id}/metadata/versions")
    assert reply.status == (200 if dialect in (Dialect.B2, Dialect.C, Dialect.MULTI_TENANT) else 404)


def test_a_caller_of_another_tenant_is_refused_on_the_multi_tenant_branch(
    emulator: Emulator, lisi: PlainClient
) -> None:
    (project,) = emulator.state.projects
    project.tenant = "acme"
    assert lisi.get(f"{TEMPLATES}/spaces").code == 0
    emulator.state.dialect = Dialect.MULTI_TENANT
    refused = lisi.get(f"{TEMPLATES}/spaces")
    said = "user[lisi] tenant[default] not match resource tenant[acme]"
    assert (refused.status, refused.code, refused.message) == (200, 1, said)
    assert lisi.get(f"{TEMPLATES}/spaces", headers={"X-Bk-Tenant-Id": "acme"}).code == 0


def test_the_multi_tenant_branch_applies_cluster_wide_kinds_where_they_are(
    emulator: Emulator, lisi: PlainClient
) -> None:
    cluster = emulator.state.add_cluster(namespaces=("shop",))
    file = emulator.state.add_file(
        "shop", "ns.yaml", content="apiVersion: v1\nkind: Namespace\nmetadata: {name: x}"
    )
    (version,) = emulator.state.find_versions(file.space, file.name)
    body = {"templateVersions": [version.id], "variables": {}, "clusterID": cluster.id, "namespace": "shop"}
    assert lisi.post(f"{TEMPLATES}/deploy", body).message.startswith("检测到集群资源变动")
    assert not cluster.has_namespace("x")
    emulator.state.dialect = Dialect.MULTI_TENANT
    assert lisi.post(f"{TEMPLATES}/deploy", body).code == 0
    assert cluster.has_namespace("x")
    again = lisi.post(f"{TEMPLATES}/deploy", body)
    assert "(shop) does not match the namespace on the request (x)" in again.message


def test_the_other_dialects_path_does_nothing(emulator: Emulator, lisi: PlainClient) -> None:
    space = emulator.state.add_space("shop")
    body = {**FILE, "name": "shop/web.yaml", "templateSpaceID": space.id}
    assert lisi.post(f"{TEMPLATES}/{space.id}/metadatas", body).status == 405
    emulator.state.dialect = Dialect.A
    assert lisi.post(f"{TEMPLATES}/metadatas", body).status == 404
    assert emulator.state.files == []


def test_the_version_that_a_build_was_stamped_with_is_shown_to_everybody(
    emulator: Emulator, lisi: PlainClient
) -> None:
    emulator.state.stamped_version = "v1.30.4"
    shown = lisi.get("/clusterresources/v1/version").json()
    assert shown["version"] == "v1.30.4"
    with PlainClient(emulator.root) as nobody:
        assert nobody.get("/bcsapi/v4/clusterresources/v1/version").json()["version"] == "v1.30.4"
