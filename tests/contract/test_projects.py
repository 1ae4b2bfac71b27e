"""Projects: the project manager's look-up, and what cluster-resources says of a project it can't find."""

from __future__ import annotations

from tests.emulator import Emulator
from tests.support.plain_client import V1, PlainClient, through_gateway


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


def test_no_such_project_is_1405501_to_an_exempt_app(emulator: Emulator) -> None:
    emulator.state.add_app("exempt_app", "a-canary-secret", exempt=True)
    with through_gateway(emulator, bk_app_code="exempt_app", bk_app_secret="a-canary-secret") as exempt:
        reply = exempt.get("/bcsproject/v1/projects/nope")
    assert (reply.status, reply.code, reply.message) == (200, 1405501, "db error, record not found")


def test_neither_user_nor_app_is_1405500(emulator: Emulator) -> None:
    emulator.state.add_bcs_token("a-client-canary", user="", client=True)
    headers = {"Authorization": "Bearer a-client-canary", "X-Bcs-Username": ""}
    with PlainClient(f"{emulator.root}/bcsapi/v4", headers=headers) as nobody:
        assert nobody.get("/bcsproject/v1/projects/web").code == 1405500


def test_a_project_that_was_found_is_kept_for_20_minutes() -> None:
    clock = [1_700_000_000.0]
    with Emulator(now=lambda: clock[0]) as site:
        site.state.add_project("web", viewers={"lisi"}, project_id="0" * 32)
        site.state.add_app("lisi_app", "lisi-canary", vouches_for={"lisi"})
        with through_gateway(site) as lisi:
            assert lisi.get(f"{V1}/made/template/spaces").status == 500
            site.state.add_project("made", viewers={"lisi"})
            assert lisi.get(f"{V1}/made/template/spaces").code == 0, "what was not found is not kept"
            site.state.projects[-1:] = []
            site.state.add_project("made", viewers=())
            assert lisi.get(f"{V1}/made/template/spaces").code == 0
            clock[0] += 20 * 60
            assert lisi.get(f"{V1}/made/template/spaces").code == 40300


def test_the_clusters_of_a_project_are_its_own_and_those_that_others_share(
    emulator: Emulator, lisi: PlainClient
) -> None:
    state = emulator.state
    other = state.add_project("other", viewers=())
    state.add_cluster("BCS-K8S-40001", project=other.code, shared=True)
    state.add_cluster("BCS-K8S-40002", project=other.code)
    state.add_cluster("BCS-K8S-40003", project="web", shared=True)
    project_id = lisi.get("/bcsproject/v1/projects/web").item["projectID"]
    found = lisi.get(f"/clustermanager/v1/projects/{project_id}/clusters").items
    assert [(one["clusterID"], one["is_shared"]) for one in found] == [
        ("BCS-K8S-40003", False),
        ("BCS-K8S-40001", True),
    ]
    assert lisi.get("/clustermanager/v1/projects/web/clusters").code == 40403, "by its id alone"
