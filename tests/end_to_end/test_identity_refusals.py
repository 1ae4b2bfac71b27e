"""Each way to be refused has its own code, and names whom it refused, where, and what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.emulator import Match, gateway_fault
from tests.support.scene import APP_SECRET, Lived, change_region, run_here, site
from tests.support.worker import Worker

ACTING, APP, REGION, PROJECT = "Acting user: lisi", "App: lisi_app", "Region: gz", "Project: web"
UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def check(lived: Lived, code: int, *words: str) -> None:
    assert lived.code == code, lived.log
    for word in (REGION, PROJECT, *words):
        assert word in lived.log, f"{word!r} is not in:\n{lived.log}"
    assert re.search(rf"Request id: {UUID}", lived.log), lived.log
    assert not lived.outcome.changed


def only_nobody(worker: Worker) -> None:
    app = worker.emulator.state.apps["lisi_app"]
    app.vouches_for, app.exempt = frozenset(), True


def test_nobody_arrived_where_the_gateway_does_not_trust_the_apps_word(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        only_nobody(worker)
        check(run_here(worker), 800209, ACTING, APP, "the word of app lisi_app", "access token")
        assert worker.emulator.writes() == []


def test_nobody_is_not_taken_for_a_missing_permission_of_the_app(tmp_path: Path) -> None:
    """An app that is not exempt: the project manager takes it for the user, and says 40403 (facts/bcs.md)."""
    with site(tmp_path) as worker:
        worker.emulator.state.apps["lisi_app"].vouches_for = frozenset()
        check(run_here(worker), 800209, ACTING, APP)


def test_no_permission_names_the_permission_and_where_to_apply(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        worker.emulator.state.projects[0].viewers = set()
        link = "https://iam.example.com/apply-custom-perm?system_id=bk_bcs_app&project=web"
        check(
            run_here(worker),
            800210,
            ACTING,
            APP,
            "Permission: View Project (project_view)",
            f"Apply at: {link}",
        )


def test_no_permission_of_cluster_resources_is_the_same_to_a_reader(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        worker.emulator.state.apps["lisi_app"].exempt = True  # passes the project manager
        worker.emulator.state.projects[0].viewers = set()
        check(run_here(worker), 800210, ACTING, APP)


def test_an_expired_token_is_told_from_a_wrong_app(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        state = worker.emulator.state
        state.add_user_token("expired-canary", user="lisi", expired=True)
        state.add_credential("my_token", {"access_token": "expired-canary"})
        lived = run_here(worker, credential="my_token")
        check(lived, 800206, "Acting user: credential:my_token", "my_token", "Renew the token")
        assert "expired-canary" not in lived.log


def test_a_bearer_token_that_bcs_refuses_names_its_credential(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        worker.emulator.state.add_credential("bcs_token", {"access_token": "bearer-canary"})
        worker.regions = {"gz": {"gateway": worker.emulator.root, "path_prefix": "/bcsapi/v4"}}
        lived = run_here(worker, credential="bcs_token")
        check(lived, 800206, "Acting user: credential:bcs_token", "bcs_token")
        assert "bearer-canary" not in lived.log


def test_a_bearer_token_that_bcs_takes_publishes_straight_at_bcs(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        worker.emulator.state.add_bcs_token("bearer-canary", user="lisi")
        worker.emulator.state.add_credential("bcs_token", {"access_token": "bearer-canary"})
        worker.regions = {"gz": {"gateway": worker.emulator.root, "path_prefix": "/bcsapi/v4"}}
        lived = run_here(worker, credential="bcs_token")
        assert lived.code == 0, lived.log
        assert {e.user for e in worker.emulator.find(path="/bcsapi/") if e.operation} == {"lisi"}


def test_an_app_without_a_grant_names_app_and_resource(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        worker.emulator.state.apps["lisi_app"].grants = ()
        check(run_here(worker), 800207, ACTING, APP, "Gateway request id: ", "90 seconds")


def refuse_address(worker: Worker) -> None:
    worker.emulator.rules.refuses_address = True


def refuse_tenant(worker: Worker) -> None:
    worker.emulator.rules.tenants = frozenset({"other"})
    change_region(worker, tenant_id="mine")


def refuse_user(worker: Worker) -> None:
    worker.emulator.rules.refused_users = {"lisi"}


@pytest.mark.parametrize(
    ("refuse", "reason"),
    [
        (refuse_address, "IP_NOT_ALLOWED"),
        (refuse_user, "BK_USER_NOT_ALLOWED"),
        (refuse_tenant, "BK_TENANT_NOT_ALLOWED"),
    ],
)
def test_a_refused_address_user_or_tenant_is_named(
    tmp_path: Path, refuse: Callable[[Worker], None], reason: str
) -> None:
    with site(tmp_path) as worker:
        refuse(worker)
        check(run_here(worker), 800208, ACTING, APP, reason)


def test_an_unknown_project_is_not_called_a_missing_permission(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        lived = run_here(worker, project_code="nowhere")
        assert lived.code == 800211, lived.log
        for word in (ACTING, APP, REGION, "BCS has no project nowhere.", "Correct project_code"):
            assert word in lived.log
        assert "project_view" not in lived.log


def test_a_wrong_secret_is_named_as_the_apps_and_not_shown(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        worker.emulator.state.add_app("lisi_app", "another-secret", vouches_for={"lisi"})
        lived = run_here(worker)
        check(lived, 800205, ACTING, APP, "app_secret")
        assert APP_SECRET not in lived.log


def test_a_gateway_that_wants_verified_users_is_refused_before_bcs(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        worker.emulator.state.apps["lisi_app"].vouches_for = frozenset()
        worker.emulator.rules.verified_users_only = True
        check(run_here(worker), 800205, ACTING, APP, "not verified")


def test_a_refusal_is_not_asked_for_again(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        fault = gateway_fault("APP_NO_PERMISSION", match=Match(path="template/spaces"), times=1)
        worker.emulator.faults.add(fault)
        assert run_here(worker).code == 800207
        paths = [exchange.path for exchange in worker.emulator.to_gateway()]
        assert len(paths) == len(set(paths)) == 2, "the project and its spaces, asked for once each"


def test_the_app_of_another_owner_stops_the_run_before_the_first_request(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        lived = run_here(worker, run_as="starter")
        assert lived.code == 800202
        for word in ("belongs to lisi", "act as wangwu", "run_as: starter", "users.wangwu", "credential"):
            assert word in lived.log
        assert worker.emulator.to_gateway() == []


def test_a_build_that_names_nobody_stops_before_the_first_request(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        worker.variables = {"BK_CI_PIPELINE_UPDATE_USER": ""}
        lived = run_here(worker)
        assert lived.code == 800201
        assert "BK_CI_AUTHORIZER" in lived.log
        assert worker.emulator.to_gateway() == []


def test_a_region_without_an_app_says_who_lacks_one(tmp_path: Path) -> None:
    with site(tmp_path, region={}) as worker:
        lived = run_here(worker)
        assert lived.code == 800204
        assert "lisi" in lived.log
        assert "gz" in lived.log
        assert worker.emulator.to_gateway() == []


@pytest.mark.parametrize("language", ["en_US", "zh_CN"])
def test_no_permission_reads_as_reviewed(
    tmp_path: Path, language: str, golden: Callable[[str, str], None]
) -> None:
    with site(tmp_path) as worker:
        worker.emulator.state.projects[0].viewers = set()
        worker.variables = {"BK_CI_LOCALE_LANGUAGE": language}
        finished = worker.run()
        assert finished.status == 1
        assert finished.told["errorCode"] == 800210
        log = re.sub(UUID, "<id>", finished.log).replace(worker.emulator.host, "<host>")
        golden(f"end_to_end/no_permission.{language}.txt", log.replace(str(tmp_path), "<root>"))
