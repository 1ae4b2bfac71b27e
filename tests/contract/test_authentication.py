"""Who the gateway and BCS believe a request comes from (facts/gateway.md)."""

from __future__ import annotations

import json

import pytest

from tests.emulator import EVERYONE, Emulator
from tests.support.plain_client import APP_AS_LISI, V1, PlainClient, Reply, authorization, through_gateway

SPACES = f"{V1}/web/template/spaces"
PROJECT = "/bcsproject/v1/projects/web"


def spaces_as(emulator: Emulator, **fields: str) -> Reply:
    with through_gateway(emulator, **fields) as client:
        return client.get(SPACES)


def assert_gateway_error(reply: Reply, *, status: int, code: int) -> None:
    assert reply.status == status
    assert reply.headers["X-Bkapi-Error-Code"] == str(code)
    body = reply.json()
    assert (body["code"], body["result"], body["data"]) == (code, False, None)
    assert body["code_name"]


def test_an_app_that_speaks_for_its_owner_is_that_user(emulator: Emulator) -> None:
    assert spaces_as(emulator, **APP_AS_LISI).code == 0
    assert (emulator.exchanges[-1].user, emulator.exchanges[-1].app) == ("lisi", "lisi_app")


def test_an_access_token_is_its_user(emulator: Emulator) -> None:
    emulator.state.add_user_token("token-canary", user="lisi")
    assert spaces_as(emulator, access_token="token-canary").code == 0
    assert emulator.exchanges[-1].user == "lisi"


@pytest.mark.parametrize(
    "fields",
    [
        {"bk_app_code": "lisi_app", "bk_app_secret": "wrong", "bk_username": "lisi"},
        {"bk_app_code": "nobody_app", "bk_app_secret": "x", "bk_username": "lisi"},
        {"bk_username": "lisi"},
        {"access_token": "unknown"},
        {"access_token": "expired-canary"},
        {"access_token": "app-only-canary"},
    ],
)
def test_every_failure_to_authenticate_is_the_same_400(emulator: Emulator, fields: dict[str, str]) -> None:
    emulator.state.add_user_token("expired-canary", user="lisi", expired=True)
    emulator.state.add_user_token("app-only-canary", user="")
    assert_gateway_error(spaces_as(emulator, **fields), status=400, code=1640001)


@pytest.mark.parametrize("header", [None, "not json", "[]"])
def test_a_missing_or_broken_authorization_is_that_400_too(emulator: Emulator, header: str | None) -> None:
    headers = {} if header is None else {"X-Bkapi-Authorization": header}
    with PlainClient(emulator.url, headers=headers) as client:
        assert_gateway_error(client.get(f"/v4{SPACES}"), status=400, code=1640001)


def test_an_expired_token_beside_app_and_secret_degrades_to_nobody(emulator: Emulator) -> None:
    emulator.state.add_user_token("expired-canary", user="lisi", expired=True)
    reply = spaces_as(emulator, **APP_AS_LISI, access_token="expired-canary")
    assert (reply.status, reply.code) == (200, 2)
    assert "Username/ProjectID required" in reply.message


def test_a_name_the_app_may_not_speak_for_is_nobody(emulator: Emulator) -> None:
    reply = spaces_as(emulator, **{**APP_AS_LISI, "bk_username": "wangwu"})
    assert (reply.status, reply.code) == (200, 2)
    assert reply.message == "ctx validate failed: Username/ProjectID required"
    assert emulator.exchanges[-1].user == ""


def test_a_site_may_refuse_unverified_users_at_the_gateway(emulator: Emulator) -> None:
    emulator.rules.verified_users_only = True
    reply = spaces_as(emulator, **{**APP_AS_LISI, "bk_username": "wangwu"})
    assert_gateway_error(reply, status=400, code=1640001)


def test_the_project_manager_takes_the_app_for_nobody_and_refuses_it(emulator: Emulator) -> None:
    with through_gateway(emulator, **{**APP_AS_LISI, "bk_username": "wangwu"}) as client:
        assert client.get(PROJECT).code == 40403


def test_an_exempt_app_passes_the_project_manager_without_a_user(emulator: Emulator) -> None:
    emulator.state.add_app("exempt_app", "exempt-canary", exempt=True)
    with through_gateway(emulator, bk_app_code="exempt_app", bk_app_secret="exempt-canary") as client:
        assert client.get(PROJECT).code == 0


def test_the_documented_failure_app_of_the_modifier_with_the_name_of_the_starter(emulator: Emulator) -> None:
    emulator.state.add_app("old_app", "old-canary", vouches_for=EVERYONE)
    fields = {"bk_app_code": "old_app", "bk_app_secret": "old-canary", "bk_username": "wangwu"}
    with through_gateway(emulator, **fields) as client:
        listed = client.get(SPACES)
        single = client.get(f"{V1}/web/template/metadatas/{'0' * 24}")
        project = client.get(PROJECT)
    assert (listed.code, listed.json()["data"]) == (40300, None)
    perms = single.item["perms"]
    assert single.code == 40300
    assert isinstance(perms, dict)
    assert perms["apply_url"].startswith("https://")
    assert perms["action_list"] == [{"resource_type": "project", "action_id": "project_view"}]
    assert project.code == 40403
    assert project.json()["web_annotations"] == {"perms": perms}


def test_an_app_without_a_grant_is_refused_per_resource(emulator: Emulator) -> None:
    emulator.state.add_app("new_app", "new-canary", vouches_for={"lisi"}, grants=["^/bcsproject/"])
    fields = {"bk_app_code": "new_app", "bk_app_secret": "new-canary", "bk_username": "lisi"}
    with through_gateway(emulator, **fields) as client:
        assert client.get(PROJECT).code == 0
        assert_gateway_error(client.get(SPACES), status=403, code=1640301)


def test_address_user_and_tenant_are_refused_with_codes_of_their_own(emulator: Emulator) -> None:
    emulator.rules.refuses_address = True
    assert_gateway_error(spaces_as(emulator), status=403, code=1640302)
    emulator.rules.refuses_address = False
    emulator.rules.refused_users = {"lisi"}
    assert_gateway_error(spaces_as(emulator), status=403, code=1640303)


def test_a_multi_tenant_site_needs_a_tenant_it_knows(emulator: Emulator) -> None:
    emulator.rules.tenants = frozenset({"system"})
    with through_gateway(emulator) as client:
        assert client.get(SPACES, headers={"X-Bk-Tenant-Id": "system"}).code == 0
        assert_gateway_error(client.get(SPACES), status=400, code=1640001)
        reply = client.get(SPACES, headers={"X-Bk-Tenant-Id": "other"})
        assert_gateway_error(reply, status=403, code=1640304)


@pytest.mark.parametrize(
    "path",
    [
        "/api/bcs-api-gateway/prod" + SPACES,
        "/api/bcs-api-gateway/test/v4" + SPACES,
        "/api/other-gateway/prod/v4" + SPACES,
        "/api/bcs-api-gateway/prod/v4/other/v1",
        "/api/bcs-api-gateway/prod/v4",
    ],
)
def test_a_wrong_gateway_stage_or_prefix_is_an_unknown_path(emulator: Emulator, path: str) -> None:
    with PlainClient(emulator.root, headers=authorization(**APP_AS_LISI)) as client:
        assert_gateway_error(client.get(path), status=404, code=1640401)


def test_a_site_may_publish_without_a_prefix() -> None:
    with Emulator(path_prefix="") as site:
        site.state.add_project("web", viewers={"lisi"})
        site.state.add_app("lisi_app", "lisi-canary", vouches_for={"lisi"})
        assert spaces_as(site).code == 0


def test_a_browser_is_sent_to_a_login_page(lisi: PlainClient) -> None:
    reply = lisi.get(SPACES, headers={"User-Agent": "Mozilla/5.0"})
    assert reply.status == 302
    assert "login" in reply.headers["Location"]


def test_the_request_id_comes_back_and_the_gateway_adds_its_own(lisi: PlainClient) -> None:
    reply = lisi.get(SPACES, headers={"X-Request-Id": "attempt-1"})
    assert reply.json()["requestID"] == "attempt-1"
    assert len(reply.headers["X-Bkapi-Request-Id"]) == 36


def test_cookies_change_nothing(lisi: PlainClient) -> None:
    reply = lisi.get(SPACES, headers={"Cookie": "bk_token=zhangsan; blueking_language=en"})
    assert reply.code == 0


class TestStraightAtBcs:
    def ask(self, emulator: Emulator, token: str, **headers: str) -> Reply:
        sent = {"Authorization": f"Bearer {token}", **headers}
        with PlainClient(f"{emulator.root}/bcsapi/v4", headers=sent) as client:
            return client.get(SPACES)

    def test_a_bearer_token_is_its_user(self, emulator: Emulator) -> None:
        emulator.state.add_bcs_token("bcs-canary", user="lisi")
        reply = self.ask(emulator, "bcs-canary")
        assert reply.code == 0
        assert "X-Bkapi-Request-Id" not in reply.headers

    def test_only_a_client_token_lets_its_bearer_name_the_user(self, emulator: Emulator) -> None:
        emulator.state.add_bcs_token("user-canary", user="wangwu")
        emulator.state.add_bcs_token("client-canary", user="", client=True)
        named = {"X-Bcs-Username": "lisi"}
        assert self.ask(emulator, "user-canary", **named).code == 40300
        assert self.ask(emulator, "client-canary", **named).code == 0
        assert self.ask(emulator, "client-canary").message == "username is empty"

    @pytest.mark.parametrize("token", ["unknown", "expired-canary"])
    def test_a_bad_token_is_401_without_the_gateways_header(self, emulator: Emulator, token: str) -> None:
        emulator.state.add_bcs_token("expired-canary", user="lisi", expired=True)
        reply = self.ask(emulator, token)
        assert reply.status == 401
        assert "X-Bkapi-Error-Code" not in reply.headers


def test_credentials_outside_their_header_are_found() -> None:
    with Emulator() as site:
        site.state.add_project("web", viewers={"lisi"})
        site.state.add_app("lisi_app", "lisi-canary", vouches_for={"lisi"})
        with through_gateway(site) as client:
            client.get(f"{SPACES}?bk_username=lisi")
            client.post(SPACES, {"name": "a", "bk_app_secret": "lisi-canary"})
            client.get(SPACES, headers={"X-Bcs-Client": "x"})
            client.get(SPACES, headers={"Authorization": "Bearer x"})
            client.get(SPACES, headers={"X-Devops-Agent-Secret-Key": "x"})
        found = "\n".join(site.violations)
    for part in ("query names bk_username", "body names bk_app_secret", "a secret is in", "X-Bcs-Client"):
        assert part in found
    assert "two ways to be a user" in found
    assert "build machine's secret" in found


def test_the_answer_is_json_that_keeps_chinese_readable(emulator: Emulator) -> None:
    reply = spaces_as(emulator, **{**APP_AS_LISI, "bk_username": "wangwu"})
    assert json.loads(reply.body.decode("utf-8"))["code"] == 2
