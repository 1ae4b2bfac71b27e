"""`doctor` names each fault of a site by its check, makes every check that it can, and writes nothing."""

from __future__ import annotations

import io
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Optional

import pytest
from tests.emulator import Dialect, Emulator, Fault, Match, gateway_fault
from tests.emulator.permission_centre import SCOPED_CREATE, SCOPED_VIEW
from tests.support.certificates import of_own_authority
from tests.support.desks import FILE, run_verb
from tests.support.dialects import at_work
from tests.support.scene import (
    APP_SECRET,
    Lived,
    SkippingClock,
    change_region,
    run_here,
    site,
    unowned,
    unrecorded,
)
from tests.support.worker import Worker

from bcs_template_set.agent.log import Log
from bcs_template_set.agent.masker import Masker
from bcs_template_set.agent.open_agent import open_agent
from bcs_template_set.report.examination import Finding, what_of
from bcs_template_set.report.outcome import Heading
from bcs_template_set.run.context import Services
from bcs_template_set.run.doctor import examine
from bcs_template_set.run.doctor_exam import NO_VERSION, SECONDS, Exam
from bcs_template_set.run.record import RunRecord
from bcs_template_set.system.clock import Deadline
from bcs_template_set.system.version import step_version

CLUSTER, NAMESPACE = "BCS-K8S-40000", "prod"
TARGET = {"cluster_id": CLUSTER, "namespace": NAMESPACE}
CHECKS = (
    *("settings", "values", "user", "app", "machine", "name", "connection", "gateway", "prefix"),
    *("secret", "grants", "passed", "project", "folder", "bcs", "cluster", "namespace", "view", "deploy"),
)
LIVE = ("namespace", "view", "deploy")
BEHIND_SECRET = CHECKS[CHECKS.index("grants") :]
BEHIND_PREFIX = CHECKS[CHECKS.index("secret") :]
UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
PROJECTS, SPACES = Match("GET", "/bcsproject/"), Match("GET", "/template/spaces")
BCS = Match(path="^/api/")


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    with site(tmp_path) as made:
        set_up(made)
        yield made
        made.emulator.faults.clear()


def set_up(worker: Worker) -> None:
    """Give the site what a deployment needs."""
    worker.emulator.state.add_cluster(CLUSTER, namespaces=(NAMESPACE,))
    worker.inputs.update(TARGET, action="doctor")


def states_of(lived: Lived) -> dict[str, str]:
    return {finding.id: finding.state for finding in lived.outcome.findings}


def expected(
    *, failed: tuple[str, ...] = (), skipped: tuple[str, ...] = (), unknown: tuple[str, ...] = ()
) -> dict[str, str]:
    words = {
        **dict.fromkeys(failed, "failed"),
        **dict.fromkeys(skipped, "skipped"),
        **dict.fromkeys(unknown, "unknown"),
    }
    return {check: words.get(check, "ok") for check in CHECKS}


# --- all is well ----------------------------------------------------------------------------------------


def test_everything_in_order_is_green_and_nothing_is_written(worker: Worker) -> None:
    lived = run_here(worker)
    assert states_of(lived) == expected(), lived.log
    assert (lived.outcome.result, lived.outcome.changed) == ("checked", False)
    assert "19 of 19 in order; nothing to mend." in lived.log
    assert worker.emulator.writes() == []
    paths = [(exchange.method, exchange.path) for exchange in worker.emulator.to_gateway()]
    asked_of_nobody = 1
    assert len(paths) == len(set(paths)) + asked_of_nobody, "each question is asked once"


def test_a_folder_with_files_tells_how_many(worker: Worker) -> None:
    worker.run(action="publish")
    lived = run_here(worker)
    assert states_of(lived) == expected(), lived.log
    assert "front-ends, 3 files" in lived.log


def test_target_and_values_may_be_missing(worker: Worker) -> None:
    lived = run_here(worker, values="", cluster_id="", namespace="")
    assert states_of(lived) == expected(skipped=("values", "cluster", *LIVE))
    assert lived.code == 0
    assert worker.emulator.find(path="/clusters/") == []


def test_a_folder_without_files_does_not_tell_which_bcs_it_is(worker: Worker) -> None:
    worker.emulator.state.add_space("front-ends")
    assert states_of(run_here(worker)) == expected(unknown=("bcs",))


# --- what is wrong --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wrong:
    """A fault: how it comes about, what the checks say, the first one's code, and words of its line."""

    spoil: Callable[[Worker], object]
    states: dict[str, str]
    code: int
    words: tuple[str, ...] = ()
    inputs: dict[str, str] = field(default_factory=dict)


def nothing(_: Worker) -> None:
    """Spoil nothing: the inputs do."""


def grants(*patterns: str) -> Callable[[Worker], None]:
    def spoil(worker: Worker) -> None:
        worker.emulator.state.apps["lisi_app"].grants = patterns

    return spoil


def no_viewer(worker: Worker) -> None:
    worker.emulator.state.projects[0].viewers = set()


def nobody(worker: Worker) -> None:
    worker.emulator.state.apps["lisi_app"].vouches_for = frozenset()


def wrong_secret(worker: Worker) -> None:
    worker.emulator.state.add_app("lisi_app", "another-secret", vouches_for={"lisi"})


def refused_address(worker: Worker) -> None:
    worker.emulator.rules.refuses_address = True


def clock(seconds: float) -> Callable[[Worker], None]:
    def spoil(worker: Worker) -> None:
        worker.emulator.rules.clock_ahead = seconds

    return spoil


def region(**settings: object) -> Callable[[Worker], None]:
    return lambda worker: change_region(worker, **settings)


def stage(worker: Worker) -> None:
    change_region(worker, gateway=worker.emulator.url.replace("/prod", "/stag"))


def denied(*actions: str) -> Callable[[Worker], None]:
    def spoil(worker: Worker) -> None:
        worker.emulator.state.projects[0].denied |= {("lisi", action) for action in actions}

    return spoil


def fault(made: Callable[[], Fault]) -> Callable[[Worker], object]:
    return lambda worker: worker.emulator.faults.add(made())


def login_page() -> Fault:
    headers = {"Location": "https://login.example.com/", "Content-Type": "text/html"}
    return Fault("answer", BCS, times=99, status=302, headers=headers)


def down_behind_the_first() -> Fault:
    return gateway_fault("BAD_GATEWAY", match=Match(path="^/api/", nth=2), times=99)


def shared_cluster(worker: Worker) -> None:
    other = worker.emulator.state.add_project("other", viewers=())
    worker.emulator.state.add_cluster("BCS-K8S-40001", project=other.code, namespaces=(), shared=True)


def no_build_api(worker: Worker) -> None:
    worker.emulator.state.agents.clear()


FAULTS = {
    "input": Wrong(
        nothing,
        expected(
            failed=("settings",),
            skipped=tuple(name for name in CHECKS if name not in ("settings", "machine")),
            unknown=("machine",),
        ),
        800102,
        ("run_as is me;",),
        {"run_as": "me"},
    ),
    "values": Wrong(
        nothing, expected(failed=("values",)), 800302, ("domains",), {"values": "{app: nginx, domains: []}"}
    ),
    "nobody named": Wrong(
        lambda worker: worker.variables.update(BK_CI_PIPELINE_UPDATE_USER=""),
        expected(failed=("user",), skipped=("app", *BEHIND_PREFIX)),
        800201,
        ("BK_CI_AUTHORIZER",),
    ),
    "build API": Wrong(
        no_build_api,
        expected(failed=("user",), skipped=("values", "app", *BEHIND_PREFIX)),
        800611,
        ("build API",),
    ),
    "owner": Wrong(
        nothing,
        expected(failed=("app",), skipped=BEHIND_PREFIX),
        800202,
        ("– secret", "not looked at: app", "users.wangwu"),
        {"run_as": "starter"},
    ),
    "credential": Wrong(
        nothing,
        expected(failed=("app",), skipped=("user", *BEHIND_PREFIX)),
        800203,
        ("– user", "not looked at: app", "no_such"),
        {"credential": "no_such"},
    ),
    "behind": Wrong(clock(-3600), expected(failed=("machine",)), 800617, ("s ahead of the gateway's",)),
    "ahead": Wrong(clock(3600), expected(failed=("machine",)), 800617, ("s behind the gateway's",)),
    "name": Wrong(
        region(gateway="https://gateway.invalid/api/bcs-api-gateway/prod"),
        expected(
            failed=("name",),
            skipped=("connection", "gateway", "prefix", *BEHIND_PREFIX),
            unknown=("machine",),
        ),
        800601,
        ("gateway.invalid", "not known). Have the atom's owner check gateway"),
    ),
    "no TLS": Wrong(
        lambda worker: change_region(worker, gateway=worker.emulator.url.replace("http:", "https:")),
        expected(failed=("connection",), skipped=("gateway", "prefix", *BEHIND_PREFIX), unknown=("machine",)),
        800601,
        ("gateway begins with https://; http:// answers there: set it in region gz.",),
    ),
    "port": Wrong(
        region(gateway="http://127.0.0.1:1/api/bcs-api-gateway/prod"),
        expected(failed=("connection",), skipped=("gateway", "prefix", *BEHIND_PREFIX), unknown=("machine",)),
        800601,
        ("refused",),
    ),
    "login page": Wrong(
        fault(login_page),
        expected(failed=("gateway",), skipped=("prefix", *BEHIND_PREFIX), unknown=("machine",)),
        800603,
        ("login.example.com",),
    ),
    "prefix": Wrong(
        region(path_prefix="/v5"),
        expected(failed=("prefix",), skipped=BEHIND_PREFIX),
        800604,
        ('path_prefix is "/v5"; "/v4" answers',),
    ),
    "stage": Wrong(
        stage, expected(failed=("prefix",), skipped=BEHIND_PREFIX), 800604, ("(its name and stage)",)
    ),
    "secret": Wrong(
        wrong_secret, expected(failed=("secret",), skipped=BEHIND_SECRET), 800205, ("app_secret",)
    ),
    "no grant": Wrong(
        grants("^/helmmanager"),
        expected(failed=("grants",), skipped=("passed", "project", "folder", "bcs", "cluster", *LIVE)),
        800207,
        ("project manager (bcsproject), templates (clusterresources)",),
    ),
    "project manager not granted": Wrong(
        grants("^/clusterresources"),
        expected(failed=("grants",), skipped=("project", "namespace", "view")),
        800207,
        ("Refused: project manager (bcsproject).",),
    ),
    "templates not granted": Wrong(
        grants("^/bcsproject", "/namespaces"),
        expected(failed=("grants",), skipped=("passed", "folder", "bcs", "deploy")),
        800207,
        ("Refused: templates (clusterresources).",),
    ),
    "workloads not granted": Wrong(
        grants("^/bcsproject", "/template/"),
        expected(failed=("grants",), skipped=("namespace", "view")),
        800207,
        ("Refused: workloads (clusterresources).",),
    ),
    "address": Wrong(
        refused_address,
        expected(failed=("grants",), skipped=("passed", "project", "folder", "bcs", "cluster", *LIVE)),
        800208,
        ("IP_NOT_ALLOWED",),
    ),
    "nobody arrives": Wrong(
        nobody,
        expected(failed=("passed",), skipped=("project", "folder", "bcs", "cluster", *LIVE)),
        800209,
        ("the word of app lisi_app",),
    ),
    "project": Wrong(
        nothing,
        expected(failed=("project",), skipped=("folder", "bcs", "cluster", *LIVE)),
        800211,
        ("BCS has no project nowhere. Correct project_code",),
        {"project_code": "nowhere"},
    ),
    "no permission": Wrong(
        no_viewer,
        expected(failed=("project",), skipped=("folder", "bcs", "cluster", *LIVE)),
        800210,
        ("Apply for View Project (project_view): https://iam.example.com/",),
    ),
    "cluster": Wrong(
        shared_cluster,
        expected(failed=("cluster",), skipped=LIVE),
        800212,
        ("BCS-K8S-49999", f"The project may use: {CLUSTER}, BCS-K8S-40001 (shared). Correct cluster_id"),
        {"cluster_id": "BCS-K8S-49999"},
    ),
    "namespace": Wrong(
        nothing,
        expected(failed=("namespace",), skipped=("view", "deploy")),
        800220,
        ("Did you mean prod?",),
        {"namespace": "prdo"},
    ),
    "view": Wrong(denied(SCOPED_VIEW), expected(failed=("view",)), 800210, (SCOPED_VIEW,)),
    "deploy": Wrong(denied(SCOPED_CREATE), expected(failed=("deploy",)), 800210, (SCOPED_CREATE,)),
    "cluster_view": Wrong(
        denied("cluster_view"),
        expected(failed=("view", "deploy"), unknown=("namespace",)),
        800210,
        ("does not list",),
    ),
    "gateway down behind the first answer": Wrong(
        fault(down_behind_the_first),
        expected(failed=("bcs",), skipped=tuple(name for name in BEHIND_PREFIX if name != "bcs")),
        800606,
        ("– secret", "not looked at: BCS", "Bad Gateway"),
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_by_its_check_and_hides_no_other(worker: Worker, name: str) -> None:
    wrong = FAULTS[name]
    wrong.spoil(worker)
    lived = run_here(worker, **wrong.inputs)
    assert states_of(lived) == wrong.states, lived.log
    assert (lived.code, lived.outcome.result) == (wrong.code, "failed")
    for word in (*wrong.words, "to mend"):
        assert word in lived.log, lived.log
    assert APP_SECRET not in lived.log
    assert worker.emulator.writes() == []


def services_of(worker: Worker, **changed: Any) -> Services:  # noqa: ANN401 - the fields of Services, which checks them
    """Return the services of a run of this worker, some of them others."""
    _, environ = worker.prepare()
    clock = SkippingClock()
    usual = Services(
        agent=open_agent(environ, clock=clock, masker=Masker()),
        log=Log(io.StringIO(), "en_US"),
        clock=clock,
        deadline=Deadline(clock, seconds=None),
        record=RunRecord(clock=clock, language="en_US", heading=Heading(step_version=step_version())),
        workspace=worker.workspace,
        environ=environ,
    )
    return replace(usual, **changed)


def found(services: Services) -> dict[str, Finding]:
    return {finding.id: finding for finding in examine(Exam(services))}


def test_a_workspace_that_can_not_be_written_to_is_named(worker: Worker, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    machine = found(services_of(worker, workspace=tmp_path / "file"))["machine"]
    assert machine.error is not None
    assert machine.error.code == 800106
    assert "file" in what_of(machine, "en_US")


def test_there_is_one_deadline_and_what_it_cuts_off_is_not_known(worker: Worker) -> None:
    clock = SkippingClock()
    change_region(
        worker, concurrency=1
    )  # project, then folder, which the first request to nobody asks for too
    folder = Match("GET", "/template/spaces", nth=2)
    fault = Fault("rival", folder, rival=lambda _: clock.wait(SECONDS), when="after")
    worker.emulator.faults.add(fault)
    found_out = found(services_of(worker, clock=clock))
    states = {name: finding.state for name, finding in found_out.items()}
    assert states == expected(unknown=("bcs", "cluster", *LIVE))
    assert what_of(found_out["cluster"], "en_US") == "can't be told within 10 s"


def test_a_rate_limit_is_waited_out_and_nothing_else_is_sent_again(worker: Worker) -> None:
    limit = gateway_fault("RATE_LIMIT_RESTRICTION", match=SPACES, times=2, reset=2)
    worker.emulator.faults.add(limit)
    assert states_of(run_here(worker)) == expected(unknown=("machine",)), "the limit brings no time"


def test_a_token_is_told_as_one(worker: Worker) -> None:
    worker.emulator.state.add_user_token("token-canary", user="lisi")
    worker.emulator.state.add_credential("my_token", {"access_token": "token-canary"})
    lived = run_here(worker, credential="my_token")
    assert states_of(lived) == expected(), lived.log
    assert "access token of credential my_token" in lived.log
    assert "a user on, the token's" in lived.log


def test_an_app_without_an_owner_is_told_alone(worker: Worker) -> None:
    unowned(worker)
    lived = run_here(worker)
    assert states_of(lived) == expected()
    assert re.search(r"✓ app +lisi_app$", lived.log, re.MULTILINE)


def test_straight_at_bcs_its_own_gateway_answers(worker: Worker) -> None:
    worker.emulator.state.add_bcs_token("bearer-canary", user="lisi")
    worker.emulator.state.add_credential("bcs_token", {"access_token": "bearer-canary"})
    worker.regions = {"gz": {"gateway": worker.emulator.root, "path_prefix": "/bcsapi/v4"}}
    lived = run_here(worker, credential="bcs_token")
    assert states_of(lived) == expected(unknown=("machine",)), lived.log
    assert "BCS's own gateway answers" in lived.log


def test_behind_a_proxy_nobody_looks_the_name_up_here(worker: Worker) -> None:
    change_region(worker, proxy="http://user:canary-word@127.0.0.1:1")
    lived = run_here(worker)
    assert states_of(lived)["name"] == "ok"
    assert "the proxy http://127.0.0.1:1 looks it up" in lived.log
    assert states_of(lived)["connection"] == "failed"


def test_a_template_set_asks_for_the_chart_repository(worker: Worker) -> None:
    names = {"template_set": "shop", "version": "1.0.0"}
    lived = run_here(worker, **names)
    assert states_of(lived) == {**expected(), "template_set": "unknown"}, lived.log
    worker.emulator.state.apps["lisi_app"].grants = ("^/bcsproject", "^/clusterresources")
    lived = run_here(worker, **names)
    assert states_of(lived) == {**expected(failed=("grants",)), "template_set": "skipped"}
    assert "Refused: charts (helmmanager)." in lived.log


def test_a_chart_that_is_there_is_found(worker: Worker) -> None:
    worker.run(action="publish", template_set="shop", version=NO_VERSION)
    lived = run_here(worker, template_set="shop", version=NO_VERSION)
    assert states_of(lived)["template_set"] == "ok", lived.log


def test_a_shared_cluster_without_a_namespace_of_the_project_does_not_tell(worker: Worker) -> None:
    shared_cluster(worker)
    lived = run_here(worker, cluster_id="BCS-K8S-40001")
    assert states_of(lived)["namespace"] == "unknown", lived.log
    assert "BCS-K8S-40001 is another project's, which shares it with project web" in lived.log


def test_the_clusters_to_choose_from_are_told_where_none_is_given_and_whose_a_given_one_is(
    worker: Worker,
) -> None:
    assert f"{CLUSTER} is project web's own" in run_here(worker).log
    without = run_here(worker, cluster_id="", namespace="")
    assert f"no cluster_id is given. The project may use: {CLUSTER}." in without.log


def test_a_site_that_does_not_publish_clusters_and_release_is_in_order(worker: Worker) -> None:
    """The gateway of a multi-tenant site has neither (facts/gateway.md, "URLs")."""
    for path in ("/clustermanager/", "/clusterresources/v1/version"):
        worker.emulator.faults.add(gateway_fault("API_NOT_FOUND", match=Match("GET", path)))
    lived = run_here(worker)
    assert states_of(lived) == expected(), lived.log
    assert f"{CLUSTER} is one of project web" in lived.log
    assert "calls itself" not in lived.log


def test_the_release_is_told_as_bcs_calls_itself(worker: Worker) -> None:
    worker.emulator.state.stamped_version = "v1.30.4-site"
    assert "; it calls itself v1.30.4-site" in run_here(worker).log


@pytest.mark.parametrize("name", ["one/of*these", "blank "])
def test_a_folder_that_bcs_does_not_make_is_named(worker: Worker, name: str) -> None:
    lived = run_here(worker, template_space=name.strip() + "*")
    is_taken = worker.emulator.state.dialect in (Dialect.A, Dialect.B)
    assert (states_of(lived)["folder"] == "ok") == is_taken, lived.log


def test_a_bcs_that_is_too_old_is_named_as_one(worker: Worker) -> None:
    worker.emulator.state.dialect = Dialect.V1_29
    lived = run_here(worker)
    assert states_of(lived)["bcs"] == "failed", lived.log
    assert lived.code == 800616
    worker.emulator.unmatched.clear()


def test_a_certificate_nobody_vouches_for_is_told_and_one_that_is_trusted_is_shown(tmp_path: Path) -> None:
    context, bundle = of_own_authority(tmp_path)
    with site(tmp_path, emulator=Emulator(tls=context, dialect=at_work())) as worker:
        set_up(worker)
        unrecorded(worker)
        lived = run_here(worker)
        assert states_of(lived) == expected(
            failed=("connection",), skipped=("gateway", "prefix", *BEHIND_PREFIX), unknown=("machine",)
        )
        assert (lived.code, "ca_bundle" in lived.log) == (800602, True)
        assert "answers there" not in lived.log, "nothing is to be sent without TLS for it"
        change_region(worker, gateway=worker.emulator.url.replace("https:", "http:"))
        lived = run_here(worker)
        assert states_of(lived)["connection"] == "failed"
        assert "gateway begins with http://; https:// answers there: set it in region gz." in lived.log
        change_region(worker, gateway=worker.emulator.url, ca_bundle=bundle)
        lived = run_here(worker)
        assert states_of(lived) == expected(), lived.log
        assert re.search(r"TLSv1\.3, certificate valid until \d{4}-\d\d-\d\d", lived.log), lived.log


# --- as a step, and at the desk -------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en_US", "zh_CN"])
def test_the_steps_log_reads_as_reviewed(
    worker: Worker, tmp_path: Path, language: str, golden: Callable[[str, str], None]
) -> None:
    worker.variables = {"BK_CI_LOCALE_LANGUAGE": language}
    worker.emulator.state.projects[0].denied.add(("lisi", SCOPED_CREATE))
    finished = worker.run(namespace="prdo")
    assert (finished.status, finished.told["errorCode"]) == (1, 800220)
    assert "prdo" in finished.told["message"]
    assert "prdo" in finished.report(worker.workspace)
    assert worker.emulator.writes() == []
    log = re.sub(UUID, "<id>", finished.log).replace(worker.emulator.host, "<host>")
    log = re.sub(r"v1\.3[01]\.\S*( \S+)*|\b[0-9a-f]{32}\b", "<told>", log)
    golden(f"end_to_end/doctor.{language}.txt", log.replace(str(tmp_path), "<root>"))


def test_a_green_step_leaves_its_word_and_who_acts(worker: Worker) -> None:
    finished = worker.run()
    assert (finished.status, finished.told["status"]) == (0, "success")
    assert (finished.value("result"), finished.value("acting_user")) == ("checked", "lisi")
    assert finished.value("changed") == "false"
    assert "rendered" not in finished.told["data"]
    assert "19 of 19 in order" in finished.report(worker.workspace)


def desk(worker: Worker, *arguments: str, settings: Optional[str] = None) -> subprocess.CompletedProcess[str]:
    inputs = {"region": "gz", "project_code": "web", **worker.inputs, "action": "plan"}
    told = {"regions": worker.regions, "inputs": inputs, "user": "lisi"}
    (worker.workspace / FILE).write_text(json.dumps(told) if settings is None else settings, encoding="utf-8")
    return run_verb(worker.workspace, "doctor", *arguments)


def test_at_the_desk_a_line_a_check_and_the_exit_status(worker: Worker) -> None:
    done = desk(worker)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert len(done.stdout.splitlines()) == len(CHECKS) + 1
    assert "##[" not in done.stdout
    assert APP_SECRET not in done.stdout
    assert {path.name for path in worker.workspace.iterdir()} == {"desk.yaml"}


def test_at_the_desk_json_is_one_object_with_code_cure_and_request(worker: Worker) -> None:
    worker.inputs["cluster_id"] = "BCS-K8S-49999"
    done = desk(worker, "--json")
    assert (done.returncode, done.stderr) == (1, "")
    told = json.loads(done.stdout)
    assert told["ok"] is False
    checks = {check["id"]: check for check in told["checks"]}
    assert tuple(checks) == CHECKS
    assert checks["cluster"]["code"] == 800212
    assert re.fullmatch(UUID, checks["cluster"]["request_id"])
    assert "BCS-K8S-49999" in checks["cluster"]["what"]
    assert checks["cluster"]["cure"]
    assert checks["namespace"] == {"id": "namespace", "state": "skipped", "what": "not looked at: cluster"}


@pytest.mark.parametrize("settings", ["inputs: {regon: gz}", "regions: [", ""])
def test_settings_that_can_not_be_read_are_a_failed_check(worker: Worker, settings: str) -> None:
    done = desk(worker, settings=settings)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("✗ settings")
    assert done.stdout.count("not looked at: settings") == len(CHECKS) - 1
