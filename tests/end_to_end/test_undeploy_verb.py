"""`bcs-template-set undeploy`: one domain's objects go, by what is live; its files stay."""

from __future__ import annotations

import io
from argparse import Namespace
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml
from tests.emulator import Match
from tests.emulator.cluster.tree import grow
from tests.emulator.faults import Fault
from tests.end_to_end.test_prune import GONE, names_of, put, shop
from tests.support.deploying import (
    CLUSTER,
    FILE_MARK,
    MARK,
    NAMESPACE,
    cluster_of,
    deploy,
    documents,
    service,
    workload,
)
from tests.support.desks import FILE, desk_agent, run_verb, settings_of, write_settings
from tests.support.pieces import FakeClock
from tests.support.publishing import SPACE, Site, config

from bcs_template_set.agent.log import Log
from bcs_template_set.cli.desk_boundary import at_desk
from bcs_template_set.cli.verb_plan import services_at_desk
from bcs_template_set.cli.verb_undeploy import run_undeploy
from bcs_template_set.messages.errors import Interrupted
from bcs_template_set.system.signals import Stopped


@dataclass(frozen=True)
class Said:
    """What the verb printed, its exit status, and what it deleted."""

    status: int
    out: str
    log: str
    deleted: list[str]


def undeploy(
    site: Site, host: str = "old.yaml", *, yes: bool = True, files: bool = False, **inputs: str
) -> Said:
    seen = len(site.emulator.exchanges)
    log, out = io.StringIO(), io.StringIO()
    target = {"cluster_id": CLUSTER, "namespace": NAMESPACE, **inputs}
    services = services_at_desk(desk_agent(site, **target), log=Log(log, "en_US"), clock=site.clock)
    options = Namespace(host=host, yes=yes, files=files)
    status = at_desk(
        lambda: run_undeploy(services, options, out=out), errors=lambda: services.log, settings_file=FILE
    )
    asked = [e.path for e in site.emulator.exchanges[seen:] if e.method == "DELETE" and e.is_write]
    deleted = [path.rpartition(f"/namespaces/{NAMESPACE}/")[2].rpartition("/template/")[2] for path in asked]
    return Said(status, out.getvalue(), log.getvalue(), deleted)


def test_a_domain_is_listed_with_its_place_and_goes_only_where_that_is_meant() -> None:
    with shop() as site:
        listed = undeploy(site, yes=False)
        assert (listed.status, listed.deleted) == (0, [])
        head, *rows = listed.out.splitlines()
        assert head == f"2 things go, of folder front-ends, in namespace prod of cluster {CLUSTER}:"
        assert [row.split()[1] for row in rows] == ["Service/old", "Deployment/old"]
        assert "Add --yes" in listed.log
        done = undeploy(site)
        assert (done.status, done.deleted) == (0, GONE), done.log
        assert "Deleted: Service/old, Deployment/old" in done.out
        assert "The next deployment of pipeline p-1 brings old.yaml back" in done.log
        assert site.version_names("old.yaml") == ["1.0.7-main"]
        again = undeploy(site)
        assert (again.status, again.deleted) == (1, [])
        assert (
            f"Nothing of old.yaml that could be deleted was found in namespace prod of cluster {CLUSTER}"
            in again.log
        )
        assert undeploy(site, files=True).status == 0
        assert site.version_names("old.yaml") == []
        assert deploy(site).code == 0, "the values name it still"
        assert names_of(site, "Deployment") == ["old"]


def test_where_nothing_is_found_it_says_where_it_looked_and_deletes_nothing() -> None:
    with shop() as site:
        put(site, workload(name="hand"))
        said = [
            (undeploy(site, "old.yam"), "The folder has old.yaml."),
            (undeploy(site, template_space="elsewhere"), "folder elsewhere"),
            (undeploy(site, namespace="staging"), "namespace staging"),
            (undeploy(site, "hand"), "Nothing of hand"),
            (undeploy(site, ""), "Nothing of "),
        ]
        for one, told in said:
            assert (one.status, one.deleted) == (1, []), one.out
            assert told in one.log
        assert "cluster_id" in undeploy(site, cluster_id="", namespace="").log
        assert names_of(site, "Deployment") == ["hand", "old"]


def test_a_file_stays_that_another_namespace_runs_or_of_which_nobody_could_look() -> None:
    with shop() as site:
        cluster_of(site).put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "staging"}})
        wrong = undeploy(site, files=True, namespace="staging")
        assert (wrong.status, wrong.deleted) == (1, []), wrong.out
        assert f"File old.yaml stays: Namespace prod of cluster {CLUSTER} runs it." in wrong.log
        site.emulator.faults.add(Fault("answer", Match("GET", "/envs$"), times=99, status=503))
        blind = undeploy(site, files=True)
        site.emulator.faults.clear()
        assert (blind.status, blind.deleted) == (0, GONE), blind.log
        assert "File old.yaml stays: Not everything could be seen:" in blind.out


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Fault("answer", Match("GET", "/configs/secrets$"), times=99, status=500), "8006"),
        (
            Fault(
                "answer",
                Match("GET", "/workloads/deployments$"),
                times=99,
                status=200,
                body='{"code": 0, "data": {"manifest": {"items": []}}}',
            ),
            "Deployment/old",
        ),
        (
            Fault(
                "answer",
                Match("DELETE", "/configmaps/"),
                times=99,
                status=200,
                body='{"code": 40300, "message": "no", "data": null}',
            ),
            "800221",
        ),
    ],
)
def test_what_can_not_be_seen_or_may_not_be_done_deletes_nothing(fault: Fault, told: str) -> None:
    with shop() as site:
        site.emulator.faults.add(fault)
        said = undeploy(site)
        site.emulator.faults.clear()
        assert (said.status, said.deleted) == (1, []), said.out
        assert told in said.log


def test_one_that_could_not_be_deleted_ends_with_1_and_three_lists() -> None:
    with shop() as site:
        fault = Fault("answer", Match("DELETE", "/services/old$"), times=99, status=503)
        site.emulator.faults.add(fault)
        said = undeploy(site, files=True)
        site.emulator.faults.clear()
        assert (said.status, said.deleted) == (1, GONE[:1])
        assert "Not deleted: Service/old." in said.out
        assert "Not tried: Deployment/old, old.yaml." in said.out


class Impatient(FakeClock):
    """A clock at whose first wait somebody presses Ctrl-C."""

    def wait(self, seconds: float) -> None:
        super().wait(seconds)
        raise Stopped(Interrupted(signal="SIGINT"))


def test_one_that_is_stopped_says_what_is_deleted_and_what_is_not() -> None:
    held = yaml.safe_load(service("old"))
    grow(held, "metadata")["finalizers"] = ["example.com/cleanup"]
    with shop(**{"old.yaml": documents(workload(name="old"), yaml.safe_dump(held))}) as site:
        put(site, config("copy", "1"), **{FILE_MARK: f"{SPACE}/old.yaml", MARK: "1.0.7-main"})
        clock = Impatient()
        clock.time = site.clock.time
        said = undeploy(replace(site, clock=clock))
        assert (said.status, "SIGINT" in said.log) == (1, True)
        assert "ConfigMap/copy of old.yaml stays: It carries our mark, and is not ours" in said.out
        assert "Not deleted: Service/old. It was deleted, and was not seen gone yet." in said.out


def test_the_command_deletes(tmp_path: Path) -> None:
    with shop() as site:
        write_settings(tmp_path, settings_of(site, cluster_id=CLUSTER, namespace=NAMESPACE))
        done = run_verb(tmp_path, "undeploy", "old.yaml", "--yes")
        assert (done.returncode, "Deployment/old" in done.stdout) == (0, True), done.stderr
        assert ("acting user" in done.stderr, "template_space" in done.stderr) == (True, False)
        assert names_of(site, "Deployment") == []
