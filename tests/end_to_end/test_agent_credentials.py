"""Credentials and private settings through BK-CI's build API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.emulator import Fault, Match
from tests.support.scene import FILES, check_refused, run_changed, run_here, site
from tests.support.worker import ATOM_CODE, Worker

PAGE = "<html><head><title>Sign in</title></head></html>"
CREDENTIALS = Match(path="/ticket/api/build/credentials/")


def give(worker: Worker, **fields: str) -> None:
    worker.emulator.state.add_credential("my_cred", fields)


def bcs_requests(worker: Worker) -> int:
    return len(worker.emulator.find(path="/api/bcs-api-gateway/"))


def test_an_access_token_publishes_as_its_user_whose_name_is_learned_from_bcs(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        worker.emulator.state.add_user_token("token-canary", user="lisi")
        give(worker, access_token="token-canary")
        finished = worker.run(credential="my_cred")
        assert finished.status == 0, finished.log
        assert finished.value("acting_user") == "lisi"
        assert "acting-as=credential:my_cred" in worker.emulator.state.versions[0].description
        again = worker.run(credential="my_cred")
        assert again.value("result") == "unchanged"
        assert again.value("acting_user") == "credential:my_cred"
        assert "token-canary" not in finished.log + json.dumps(finished.told)


def test_an_app_credential_is_used_with_the_run_as_users_name(tmp_path: Path) -> None:
    with site(tmp_path, region={}) as worker:
        worker.emulator.state.add_app("cred_app", "cred-secret-canary", vouches_for={"lisi"})
        give(worker, appId="cred_app", secretKey="cred-secret-canary")
        finished = worker.run(credential="my_cred")
        assert finished.status == 0, finished.log
        assert {version.creator for version in worker.emulator.state.versions} == {"lisi"}
        assert finished.value("acting_user") == "lisi"
        assert "cred-secret-canary" not in finished.log


@pytest.mark.parametrize(
    "fields",
    [
        {"password": "password-canary"},
        {"username": "lisi", "password": "password-canary"},
        {"secretKey": "password-canary"},
        {"something": "password-canary"},
        {"access_token": ""},
        {},
    ],
)
def test_a_credential_of_another_type_is_refused_before_bcs_hears_of_it(
    tmp_path: Path, fields: Mapping[str, str]
) -> None:
    with site(tmp_path) as worker:
        give(worker, **fields)
        lived = run_here(worker, credential="my_cred")
        assert lived.code == 800203, lived.log
        assert "my_cred" in lived.log
        assert "access token" in lived.log
        assert "password-canary" not in lived.log
        assert bcs_requests(worker) == 0


def test_an_unknown_credential_says_bk_cis_reason(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        check_refused(worker.run(credential="nothing"), 800203, "nothing", "2118001", "authorizer")
        assert bcs_requests(worker) == 0


def fault(status: int, body: str) -> Fault:
    return Fault("answer", CREDENTIALS, times=99, status=status, body=body)


@pytest.mark.parametrize(
    ("ordered", "attempts", "word"),
    [
        (fault(500, '{"status":500,"message":"internal"}'), 3, "500"),
        (fault(502, PAGE), 3, "502"),
        (fault(200, PAGE), 1, "JSON"),
        (fault(200, '{"status":0,"da'), 1, "JSON"),
        (fault(200, ""), 1, "empty"),
        (fault(200, "[]"), 1, "object"),
        (Fault("half", CREDENTIALS, times=99), 3, "answer"),
        (Fault("refuse", CREDENTIALS, times=99), 3, "answer"),
    ],
)
def test_a_build_api_that_fails_is_named_and_bcs_hears_nothing(
    tmp_path: Path, ordered: Fault, attempts: int, word: str
) -> None:
    with site(tmp_path) as worker:
        give(worker, access_token="token-canary")
        worker.emulator.faults.add(ordered)
        lived = run_here(worker, credential="my_cred")
        assert lived.code == 800611, lived.log
        assert f"{worker.emulator.root}/ticket/api/build/credentials/my_cred/detail" in lived.log
        assert word in lived.log
        assert len(worker.emulator.find(path="/ticket/")) == attempts
        assert bcs_requests(worker) == 0
        worker.emulator.faults.clear()


def test_a_build_machine_that_bk_ci_does_not_know_is_told_so(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        give(worker, access_token="token-canary")
        worker.secret_key = "wrong-agent-secret"
        finished = worker.run(credential="my_cred")
        check_refused(finished, 800611, "401", "/process/api/build/variable/getBuildVariable")
        assert "wrong-agent-secret" not in finished.log


def test_a_build_api_that_recovers_is_asked_again(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        worker.emulator.state.add_user_token("token-canary", user="lisi")
        give(worker, access_token="token-canary")
        worker.emulator.faults.add(Fault("answer", CREDENTIALS, times=2, status=503, body="{}"))
        assert run_here(worker, credential="my_cred").code == 0


# --- private settings -----------------------------------------------------------------------------------


def without_private_settings(directory: Path) -> None:
    path = directory / "input.json"
    content = json.loads(path.read_text())
    del content["bkSensitiveConfInfo"]
    path.write_text(json.dumps(content))


def test_private_settings_that_are_not_in_the_file_come_from_the_build_api(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        worker.emulator.state.set_private_setting(ATOM_CODE, "regions", json.dumps(worker.regions))
        finished = run_changed(worker, without_private_settings)
        assert finished.status == 0, finished.log
        assert {version.file for version in worker.emulator.state.versions} == set(FILES)


def test_private_settings_that_nobody_set_are_named(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        check_refused(run_changed(worker, without_private_settings), 800103, "regions")


def test_private_settings_that_the_build_api_does_not_give_out_are_its_fault(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        worker.emulator.faults.add(Fault("answer", Match(path="/store/"), status=200, body=PAGE))
        check_refused(run_changed(worker, without_private_settings), 800611, "/store/api/build/store/")


def test_another_masked_setting_of_the_atom_disturbs_nothing(tmp_path: Path) -> None:
    with site(tmp_path) as worker:

        def add(directory: Path) -> None:
            path = directory / "input.json"
            content = json.loads(path.read_text())
            content["bkSensitiveConfInfo"]["other"] = "1"
            path.write_text(json.dumps(content))

        assert run_changed(worker, add).status == 0
