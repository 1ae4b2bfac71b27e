"""Projects: the project manager's look-up, and what cluster-resources says of a project it can't find."""

from __future__ import annotations

from tests.contract.plain_client import V1, PlainClient
from tests.emulator import Emulator


def test_a_project_is_found_by_its_code_and_by_its_id(emulator: Emulator, lisi: PlainClient) -> None:
    by_code = lisi.get("/bcsproject/v1/projects/web").item
    project_id = str(by_code["projectID"])
    assert len(project_id) == 32
    assert by_code["projectCode"] == "web"
    assert by_code["businessID"]
    assert lisi.get(f"/bcsproject/v1/projects/{project_id}").item == by_code
    assert emulator.find(operation="GetProject")[0].user == "lisi"


def test_an_unknown_project_is_404_of_the_project_manager(lisi: PlainClient) -> None:
    reply = lisi.get("/bcsproject/v1/projects/nope")
    assert (reply.status, reply.code, reply.json()["data"]) == (200, 40404, None)


def test_a_project_one_may_not_view_comes_with_the_link_to_apply(
    emulator: Emulator, lisi: PlainClient
) -> None:
    emulator.state.add_project("other", viewers={"zhangsan"})
    reply = lisi.get("/bcsproject/v1/projects/other")
    assert reply.code == 40403
    annotations = reply.json()["web_annotations"]
    assert isinstance(annotations, dict)
    assert annotations["perms"]["apply_url"].startswith("https://")


def test_cluster_resources_answers_an_unknown_project_with_http_500(lisi: PlainClient) -> None:
    reply = lisi.get(f"{V1}/nope/template/spaces")
    assert reply.status == 500
    body = reply.json()
    assert set(body) == {"error", "code", "message", "details"}
    assert (body["code"], body["details"]) == (2, [])
    assert "nope" in str(body["message"])


def test_an_unknown_project_is_noticed_before_the_permission(emulator: Emulator, lisi: PlainClient) -> None:
    emulator.state.add_project("other", viewers={"zhangsan"})
    assert lisi.get(f"{V1}/other/template/spaces").code == 40300
    assert lisi.get(f"{V1}/nope/template/spaces").status == 500


def test_an_api_that_bcs_does_not_have_is_plain_text_404_and_noticed(
    emulator: Emulator, lisi: PlainClient
) -> None:
    reply = lisi.get(f"{V1}/web/template/nothing/here/at/all")
    assert reply.status == 404
    assert reply.headers["Content-Type"].startswith("text/plain")
    assert "X-Bkapi-Error-Code" not in reply.headers
    assert len(emulator.unmatched) == 1
    emulator.forget()
