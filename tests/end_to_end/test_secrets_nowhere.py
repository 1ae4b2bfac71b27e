"""Canaries in every secret's place: none is in the log, stderr, output.json, the report or an artifact."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import cast
from urllib.parse import quote

import pytest
from tests.emulator import Fault, Match
from tests.support.scene import run_changed, site
from tests.support.spellings import spelt
from tests.support.worker import Finished, Worker

APP = "canary/app+secret&<1>"
OTHER_APP, USERS_APP = "canary-of-another-region", "canary-of-users"
TOKEN, AGENT, SETTING = "canary-token", "canary-agent-key", "canary-of-a-private-setting"
PLAIN, ENCODED, OLD = "canary-in-stringData", "canary-in-data", "canary-of-the-old-secret"
CANARIES = (APP, OTHER_APP, USERS_APP, TOKEN, AGENT, SETTING, PLAIN, ENCODED, OLD)

SECRET = f"""\
apiVersion: v1
kind: Secret
metadata: {{name: passwords}}
stringData: {{plain: {PLAIN}}}
data: {{encoded: {base64.b64encode(ENCODED.encode()).decode()}}}
"""
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {key: value}\n"


def forms(canary: str) -> set[str]:
    return set(spelt(canary))


def check_nowhere(finished: Finished, worker: Worker) -> None:
    """Assert that no canary is in anything that the run left or said."""
    texts = {"log": finished.log, "stderr": finished.stderr, "output.json": json.dumps(finished.output)}
    for path in (worker.workspace / ".bcs-template-set").rglob("*"):
        if path.is_file():
            texts[path.name] = path.read_text(encoding="utf-8")
    assert "index.html" in texts, "the search itself has to find something to search"
    for place, text in texts.items():
        for canary in CANARIES:
            for form in forms(canary):
                assert form not in text, f"{canary} is in {place}"


def populate(worker: Worker) -> None:
    state = worker.emulator.state
    state.add_app("lisi_app", APP, vouches_for={"lisi"})
    state.agents.clear()
    state.add_agent(project_id="web", secret_key=AGENT)
    worker.secret_key = AGENT
    gz = {**worker.regions["gz"], "app_secret": APP}
    gz["users"] = {"zhangsan": {"app_code": "z", "app_secret": USERS_APP}}
    sh: dict[str, object] = {
        "gateway": "https://sh.example.com",
        "app_code": "sh_app",
        "app_secret": OTHER_APP,
    }
    worker.regions = {"gz": gz, "sh": sh}
    (worker.workspace / "secret.yaml").write_text(SECRET)
    (worker.workspace / "map.yaml").write_text(MAP)
    worker.inputs = {"region": "gz", "template_space": "s", "templates": "secret.yaml\nmap.yaml"}


def with_setting(directory: Path) -> None:
    path = directory / "input.json"
    content = json.loads(path.read_text())
    content["bkSensitiveConfInfo"]["another"] = SETTING
    path.write_text(json.dumps(content))


def test_a_run_that_succeeds_shows_no_secret(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        populate(worker)
        old = SECRET.replace(PLAIN, OLD)
        worker.emulator.state.add_file("s", "secret.yaml", content=old, version="1.0.0")
        for action in ("plan", "publish"):
            finished = run_changed(worker, with_setting, action=action)
            assert finished.status == 0, finished.log
            check_nowhere(finished, worker)
        assert "update" in finished.log
        assert PLAIN in worker.emulator.state.current_content("s", "secret.yaml"), "BCS gets it whole"
        rendered = [Path(path) for path in finished.told["data"]["rendered"]["value"]]
        assert {path.name for path in rendered} == {"secret.yaml", "map.yaml"}
        assert "***" in next(path for path in rendered if path.name == "secret.yaml").read_text()


def test_a_run_with_a_token_shows_no_secret(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        populate(worker)
        worker.emulator.state.add_user_token(TOKEN, user="lisi")
        worker.emulator.state.add_credential("my_token", {"access_token": TOKEN})
        finished = run_changed(worker, with_setting, credential="my_token")
        assert finished.status == 0, finished.log
        check_nowhere(finished, worker)


def test_a_manifest_that_holds_the_runs_own_secret_is_uploaded_whole_and_shown_masked(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        populate(worker)
        (worker.workspace / "map.yaml").write_text(MAP.replace("value", f"'{APP}'"))
        finished = run_changed(worker, with_setting)
        assert finished.status == 0, finished.log
        check_nowhere(finished, worker)
        assert APP in worker.emulator.state.current_content("s", "map.yaml")
        # It was the author's wish, and the emulator's rule is for secrets that the step itself puts there.
        assert all("a secret is in" in violation for violation in worker.emulator.violations)
        worker.emulator.violations.clear()


LEAK = "you sent " + " or ".join(spelt(APP))
LEAKS = {
    "as a message": Fault(
        "answer", Match(path="spaces"), status=200, body=json.dumps({"code": 1, "message": LEAK})
    ),
    "as a permission": Fault(
        "answer",
        Match(path="spaces"),
        status=200,
        body=json.dumps(
            {"code": 40300, "message": LEAK, "data": {"perms": {"apply_url": f"http://x/{APP}"}}}
        ),
    ),
    "as a redirect": Fault(
        "answer", Match(path="spaces"), status=302, headers={"Location": f"http://x/{quote(APP, safe='')}"}
    ),
    "as a gateway's error": Fault(
        "answer",
        Match(path="spaces"),
        status=400,
        headers={"X-Bkapi-Error-Code": "1640001"},
        body=json.dumps({"code": 1640001, "message": LEAK}),
    ),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_server_that_says_our_secret_back_is_not_quoted(tmp_path: Path, leak: str) -> None:
    with site(tmp_path) as worker:
        populate(worker)
        worker.emulator.faults.add(copy.deepcopy(LEAKS[leak]))  # a fault counts its strikes
        finished = run_changed(worker, with_setting)
        assert finished.status == 1
        assert "***" in finished.log
        assert "***" in finished.report(worker.workspace)
        check_nowhere(finished, worker)


BROKEN: Mapping[str, str] = {
    "not YAML": SECRET + "\tx: [",
    "no name": SECRET.replace("name: passwords", "nome: passwords"),
    "no kind": SECRET.replace("kind: Secret\n", ""),
    "a missing name beside it": SECRET + "x: {{ nothing }}\n",
    "twice": SECRET + "---\n" + SECRET,
    "left over braces": SECRET.replace(PLAIN, PLAIN + "{{ '{{ x }}' }}"),
    "a filter that fails": SECRET.replace(PLAIN, "{{ '" + PLAIN + "' | round }}"),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_secret_manifest_with_a_mistake_in_it_is_not_shown(tmp_path: Path, broken: str) -> None:
    with site(tmp_path) as worker:
        populate(worker)
        (worker.workspace / "secret.yaml").write_text(BROKEN[broken])
        finished = run_changed(worker, with_setting)
        assert finished.status == 1, finished.log
        assert 800301 <= finished.told["errorCode"] <= 800308
        check_nowhere(finished, worker)


def test_mistaken_private_settings_show_no_secret(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        populate(worker)
        gz = {**worker.regions["gz"], "app_secrt": APP, "concurrency": [USERS_APP], "owner": {"x": USERS_APP}}
        gz["gateway"] = f"https://user:{TOKEN}@example.com"
        table = {"gz": gz, "sh": worker.regions["sh"], "bj": OTHER_APP}
        worker.regions = cast("Mapping[str, Mapping[str, object]]", table)
        finished = run_changed(worker, with_setting)
        assert finished.told["errorCode"] == 800103
        check_nowhere(finished, worker)
