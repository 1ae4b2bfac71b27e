"""What an author, or an earlier step of the build, tries: to be somebody else, to lead credentials elsewhere.

Design section 9. Whatever comes, the run is the platform's user, or it stops before the first request to a
gateway.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.draws import swept
from tests.support.raw_server import http, saying, serving
from tests.support.scene import FILES, VALUES, change_region, run_here, site, unowned, unrecorded
from tests.support.worker import Worker

from bcs_template_set.system.proxies import DECIDING

FACTS = (
    "BK_CI_AUTHORIZER", "BK_CI_PIPELINE_UPDATE_USER", "BK_CI_START_USER_NAME", "pipeline.start.user.name",
    "BK_CI_PROJECT_NAME", "project.name", "BK_CI_PIPELINE_ID", "pipeline.id", "BK_CI_PIPELINE_NAME",
    "BK_CI_BUILD_ID", "pipeline.build.id", "BK_CI_BUILD_NUM", "BK_CI_BUILD_START_TIME", "BK_CI_BUILD_URL",
    "BK_CI_GIT_REF", "BK_CI_REPO_GIT_WEBHOOK_BRANCH", "hookBranch", "BK_CI_GIT_SHA", "hookRevision",
)  # fmt: skip
BY_WORKER = ("bkWorkspace", "BK_CI_ATOM_CODE", "BK_CI_ATOM_TIMEOUT", "BK_CI_LOCALE_LANGUAGE")


def asked(worker: Worker) -> list[str]:
    """Return the paths that the gateway was asked for."""
    return [e.path for e in worker.emulator.exchanges if e.path.startswith(("/api/", "/bcsapi/"))]


@pytest.mark.parametrize("name", [*FACTS, *BY_WORKER])
def test_an_input_of_a_facts_name_stops_the_step_and_is_named(tmp_path: Path, name: str) -> None:
    with site(tmp_path) as worker:
        finished = worker.run(**{name: "99"})
        assert finished.status == 1
        assert finished.told["errorCode"] == 800214, finished.log
        assert name in finished.told["message"]
        assert asked(worker) == []


@pytest.mark.parametrize("name", FACTS)
def test_so_does_the_steps_env(tmp_path: Path, name: str) -> None:
    with site(tmp_path) as worker:
        worker.env[name] = "99"
        lived = run_here(worker)
        assert lived.code == 800214, lived.log
        assert name in lived.log
        assert asked(worker) == []


@pytest.mark.parametrize("name", BY_WORKER)
def test_the_workers_own_word_goes_over_the_steps_env(tmp_path: Path, name: str) -> None:
    with site(tmp_path) as worker:
        worker.env[name] = "99"
        assert run_here(worker).code == 0


@pytest.mark.parametrize("region", [{}, {"owner": "boss"}, {"users": {"boss": "boss_app"}}])
def test_an_authorizer_that_an_earlier_step_has_made_acts_for_nobody(
    tmp_path: Path, region: dict[str, object]
) -> None:
    with site(tmp_path) as worker:
        worker.emulator.state.projects[0].viewers.add("boss")
        given = dict(region)
        if "users" in region:
            given["users"] = {"boss": {"app_code": "boss_app", "app_secret": "boss-secret"}}
        unowned(worker, **given)
        worker.variables["BK_CI_AUTHORIZER"] = "boss"
        lived = run_here(worker)
        assert lived.code == 800215, lived.log
        assert "boss" in lived.log
        assert asked(worker) == []


@pytest.mark.parametrize(
    ("run_as", "variable", "code"),
    [
        ("modifier", "BK_CI_PIPELINE_UPDATE_USER", 800213),
        ("authorizer", "BK_CI_PIPELINE_UPDATE_USER", 800213),
        ("starter", "BK_CI_START_USER_NAME", 800216),
    ],
)
def test_who_an_atoms_output_or_an_earlier_step_has_made_acts_for_nobody(
    tmp_path: Path, run_as: str, variable: str, code: int
) -> None:
    """BK-CI's own guard compares names exactly, MySQL's key does not: `principal._modifier`."""
    with site(tmp_path) as worker:
        unowned(worker)
        worker.variables[variable] = "boss"
        worker.row_modifier, worker.build_user = "lisi", "wangwu"
        lived = run_here(worker, run_as=run_as)
        assert lived.code == code, lived.log
        assert asked(worker) == []


def test_who_started_a_build_by_hand_may_act(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        worker.emulator.state.projects[0].viewers.add("wangwu")
        unowned(worker)
        lived = run_here(worker, run_as="starter")
        assert lived.code == 0, lived.log
        assert {version.creator for version in worker.emulator.state.find_versions("front-ends")} == {
            "wangwu"
        }


def test_private_settings_are_the_platforms_and_no_inputs(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        own = {"gz": {"gateway": worker.emulator.url, "app_code": "mine", "app_secret": "mine-canary"}}
        task = worker.task(bkSensitiveConfInfo=json.dumps({"regions": json.dumps(own)}))
        directory = tmp_path / "task"
        directory.mkdir()
        content = {**task.input_json(), "bkSensitiveConfInfo": task.inputs["bkSensitiveConfInfo"]}
        environ = worker.environment(directory, task)
        (directory / "input.json").write_text(json.dumps(content), encoding="utf-8")
        worker.prepare = lambda **_: (directory, environ)  # type: ignore[method-assign]  # one prepared run
        finished = worker.run()
        assert finished.told["errorCode"] == 800101, finished.log
        assert "bkSensitiveConfInfo" in finished.log
        assert "mine" not in finished.log


# --- the record -----------------------------------------------------------------------------------------


def test_without_a_record_nothing_is_done(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        worker.task()
        worker.emulator.state.agents.clear()
        lived = run_here(worker)
        assert lived.code == 800611, lived.log
        assert "getBuildVariable" in lived.log
        assert asked(worker) == []


def test_a_record_that_may_not_be_read_is_said_with_its_cure(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        start_build = worker.emulator.state.start_build

        def refused(*ids: str, **fields: object) -> object:
            build = start_build(*ids, **fields)  # type: ignore[arg-type]  # passed through
            build.readable = False
            return build

        worker.emulator.state.start_build = refused  # type: ignore[method-assign,assignment]  # this site's way
        lived = run_here(worker)
        assert lived.code == 800218, lived.log
        assert "allowed to execute the pipeline" in lived.log
        assert asked(worker) == []


def test_where_no_record_can_be_had_the_log_says_that_the_name_is_not_proven(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        unrecorded(worker)
        lived = run_here(worker)
        assert lived.code == 0, lived.log
        assert "the name lisi is not proven" in lived.log
        assert not [e for e in worker.emulator.exchanges if e.path.startswith("/process/")]
        assert len(worker.emulator.state.find_versions("front-ends")) == len(FILES)


@pytest.mark.parametrize(
    "region", [{"owner": "lisi"}, {"users": {"lisi": {"app_code": "a", "app_secret": "12345678"}}}]
)
def test_a_name_that_is_not_proven_opens_no_app_of_a_persons_own(
    tmp_path: Path, region: dict[str, object]
) -> None:
    with site(tmp_path) as worker:
        unrecorded(worker, **region)
        assert run_here(worker).code == 800217
        assert asked(worker) == []


def test_there_too_input_json_must_agree(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        unrecorded(worker)
        assert run_here(worker, BK_CI_PIPELINE_UPDATE_USER="boss").code == 800214
        assert asked(worker) == []


# --- where credentials go -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("way", ["a variable", "the step's env", "an input and the machine"])
def test_a_proxy_that_the_pipeline_names_is_not_asked_and_that_is_said(
    tmp_path: Path, name: str, way: str
) -> None:
    with serving(saying(http(b"{}"))) as proxy, site(tmp_path) as worker:
        inputs: dict[str, str] = {}
        if way == "a variable":
            worker.variables[name] = proxy.url
        elif way == "the step's env":
            worker.env[name] = proxy.url
        else:
            worker.environ[name], inputs = proxy.url, {name: ""}
        # A loopback address goes through no proxy of the environment; a name that only the proxy knows would.
        change_region(worker, gateway="http://bkapi.invalid/api/x/prod")
        lived = run_here(worker, **inputs)
        assert lived.code == 800601, lived.log
        assert f"{name} is not obeyed" in lived.log
    assert proxy.requests == []


LOOKING_SDK = """
import json, os
from pathlib import Path

def get_input():
    return json.loads(Path(os.environ["bk_data_dir"], "input.json").read_text())

def get_sensitive_conf(key):
    Path(os.environ["bk_data_dir"], "seen").write_text(json.dumps(dict(os.environ)))
    return get_input()["bkSensitiveConfInfo"].get(key)

def set_output(output):
    Path(os.environ["bk_data_dir"], "output.json").write_text(json.dumps(output))
"""


@pytest.mark.parametrize("name", swept([*DECIDING, "HTTP_PROXY", "HTTPS_PROXY"], sample=2))
def test_neither_resolver_nor_openssl_nor_the_platforms_sdk_obeys_the_pipeline(
    tmp_path: Path, name: str
) -> None:
    installed = tmp_path / "installed"
    installed.mkdir()
    (installed / "python_atom_sdk.py").write_text(LOOKING_SDK)
    with site(tmp_path) as worker:
        worker.environ = {"PYTHONPATH": str(installed), "BCS_TEMPLATE_SET_SDK": "python_atom_sdk"}
        worker.variables[name] = "evil"
        finished = worker.run()
        assert finished.status == 0, finished.log
        assert finished.log.count(f"{name} is not obeyed") == 1
        assert name not in json.loads((finished.directory / "seen").read_text())


def test_the_regions_own_proxy_is_asked_named_and_its_password_is_not(tmp_path: Path) -> None:
    with serving(saying(http(b"{}"))) as proxy, site(tmp_path) as worker:
        address = proxy.url.replace("//", "//me:proxy-canary@")
        change_region(worker, gateway="http://bkapi.invalid/a", proxy=address)
        lived = run_here(worker)
        assert proxy.url in lived.log
        assert "proxy-canary" not in lived.log
    assert proxy.requests[0].startswith(b"GET http://bkapi.invalid/a/")


def test_authorities_in_the_workspace_are_a_mistake_of_the_settings(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        bundle = worker.workspace / "ca.pem"
        bundle.write_text("")
        outside = tmp_path / "ca.pem"
        outside.symlink_to(bundle)
        for path in (bundle, outside):
            change_region(worker, ca_bundle=str(path))
            lived = run_here(worker)
            assert lived.code == 800103, lived.log
            assert "regions.gz.ca_bundle" in lived.log


def test_the_machines_own_certificates_are_named_unless_they_lie_in_the_workspace(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        inside = worker.workspace / "ca.pem"
        worker.environ = {"SSL_CERT_FILE": str(inside), "SSL_CERT_DIR": "/etc/site-certificates"}
        lived = run_here(worker)
        assert lived.code == 0
        assert "certificates  /etc/site-certificates" in lived.log
        assert "SSL_CERT_FILE is not obeyed" in lived.log


# --- one build, one user --------------------------------------------------------------------------------


def test_two_steps_of_one_build_are_one_user(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        worker.emulator.state.projects[0].viewers.add("wangwu")
        unowned(worker)
        assert run_here(worker).code == 0
        written = len(worker.emulator.state.versions)
        lived = run_here(worker, run_as="starter", values=VALUES.replace("www:1", "www:2"))
        assert lived.code == 800219, lived.log
        for words in ("acted as lisi", "act as wangwu", FILES[0]):
            assert words in lived.log
        assert len(worker.emulator.state.versions) == written
        worker.build_number += 1
        assert run_here(worker, run_as="starter", values=VALUES.replace("www:1", "www:2")).code == 0
