"""`bcs-template-set status`: what is live is what the objects of the namespace carry and hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
import yaml
from tests.emulator import Behaviour
from tests.emulator.cluster.tree import branch, grow
from tests.emulator.exchanges import Exchange
from tests.emulator.faults import Fault, Match
from tests.emulator.permission_centre import SCOPED_VIEW
from tests.support.custom_kinds import custom_workload, define
from tests.support.deploying import (
    CLUSTER,
    FILE_MARK,
    MARK,
    NAMESPACE,
    autoscaler,
    cluster_of,
    cluster_site,
    cron_job,
    deploy,
    deployed_site,
    documents,
    live,
    service,
    workload,
)
from tests.support.desks import FILE, settings_of, write_settings
from tests.support.looking import Looked, status
from tests.support.looking import looked as looked_at
from tests.support.publishing import GET_VERSION, SPACE, USER, Site, config

from bcs_template_set.cli.looks import Folder
from bcs_template_set.cli.main import main
from bcs_template_set.messages import Language
from bcs_template_set.messages.errors import Interrupted
from bcs_template_set.system.signals import Stopped

HOST = "www.example.com"
LISTS = Match("GET", r"/namespaces/prod/(workloads|networks|configs|storages|hpa)")


def build(site: Site, *hosts: str, action: str = "deploy", **domain: object) -> None:
    """Let a build deploy these domains with a new image each."""
    site.build += 1
    site.clock.time += 600
    domains = [
        {"host": host, "image": f"example.com/web:{site.build}", "load_balancers": ["lb-1"], **domain}
        for host in hosts or (HOST,)
    ]
    target = {} if action == "publish" else {"cluster_id": CLUSTER, "namespace": NAMESPACE}
    values = json.dumps({"app": "web", "domains": domains})
    ran = site.run(action=action, templates="builtin:web", values=values, **target)
    assert ran.code == 0, ran.log
    site.clock.time += 60


@pytest.fixture
def site() -> Iterator[Site]:
    with cluster_site() as made:
        yield made


def change(site: Site, kind: str, name: str, *path: str, value: object) -> None:
    """Let somebody change a field of a live object by hand."""
    manifest = live(site, kind, name)
    grow(manifest, *path[:-1])[path[-1]] = value
    cluster_of(site).put(manifest)


def told(looked: Looked, name: str) -> dict[str, object]:
    """Return what is told of a domain in a few words."""
    domain = looked.domain(name)
    names = ("state", "versions", "published", "behind", "ready", "drift", "builds", "deployed_by")
    return {key: domain[key] for key in names}


# --- one path -------------------------------------------------------------------------------------------


def test_the_whole_story_of_a_folder_is_its_golden_file(
    site: Site, golden: Callable[[str, str], None]
) -> None:
    build(site, "a.example.com", HOST)
    build(site, HOST, replicas=3)
    build(site, "a.example.com", HOST, "new.example.com", action="publish", replicas=2)
    change(site, "Service", "service-web-www-example-com", "spec", "sessionAffinity", value="ClientIP")
    cluster_of(site).undo_rollout(NAMESPACE, f"deployment.web.{HOST}")
    site.clock.time += 60
    for language in get_args(Language):
        looked = status(site, as_json=False, language=language)
        assert (looked.status, looked.err) == (0, "")
        golden(f"end_to_end/status.{language}.txt", looked.out)
    narrowed = status(site, "a.example.com", "new.example.com.routes.yaml")
    assert [domain["name"] for domain in narrowed.told["domains"]] == ["a.example.com", "new.example.com"]
    assert told(narrowed, "a.example.com") == {
        "state": "live",
        "versions": ["1.0.8-main"],
        "published": ["1.0.10-main"],
        "behind": "older",
        "ready": "ready",
        "drift": "same",
        "builds": ["8 (main)"],
        "deployed_by": [USER],
    }
    assert told(narrowed, "new.example.com")["behind"] == "not-deployed"
    assert [e for e in narrowed.exchanges if e.is_write] == []
    wrong = status(site, "w.example.com")
    assert (wrong.status, "www.example.com" in wrong.err) == (1, True)


# --- c1: a record is not the present --------------------------------------------------------------------


def test_a_file_is_told_by_the_namespace_that_is_asked_for() -> None:
    with cluster_site(conf_yaml=config("conf", "1")) as site:
        site.emulator.state.add_cluster(CLUSTER, namespaces=(NAMESPACE, "staging", "empty"))
        deploy(site)
        site.next_build(conf_yaml=config("conf", "2"))
        deploy(site, namespace="staging")
        production, staging = status(site), status(site, namespace="staging")
        assert told(production, "conf.yaml")["versions"] == ["1.0.7-main"]
        assert told(staging, "conf.yaml")["versions"] == ["1.0.8-main"]
        record = {"version": "1.0.8-main", "by": USER}
        assert production.domain("conf.yaml")["files"][0]["last_deployed_anywhere"] == record
        empty = status(site, namespace="empty")
        assert told(empty, "conf.yaml")["state"] == "not-here"
        assert "last deployed anywhere as 1.0.8-main" in status(site, namespace="empty", as_json=False).out
        assert status(site, namespace="emty").status == 1
        assert "cluster_id and namespace" in status(site, namespace="").err


def test_an_object_replaced_by_hand_is_told_apart_from_the_others() -> None:
    text = documents(config("a", "1"), config("b", "1"), config("c", "1"))
    with deployed_site(all_yaml=text) as site:
        site.next_build(all_yaml=text.replace('key: "1"', 'key: "2"'))
        site.run(action="publish")
        mark(site, "ConfigMap", "b", {})
        mark(site, "ConfigMap", "c", {FILE_MARK: f"{SPACE}/all.yaml", MARK: "1.0.8-main"})
        (file,) = status(site).domain("all.yaml")["files"]
        assert file["versions"] == [
            {"version": "1.0.7-main", "objects": ["ConfigMap/a"]},
            {"version": "1.0.8-main", "objects": ["ConfigMap/c"]},
        ]
        assert file["without_our_mark"] == ["ConfigMap/b"]
        out = status(site, as_json=False).out
        assert "1.0.7-main: ConfigMap/a" in out
        assert "without a mark of this file: ConfigMap/b" in out


def mark(site: Site, kind: str, name: str, annotations: dict[str, str]) -> None:
    change(site, kind, name, "metadata", "annotations", value=dict(annotations))


# --- c1, c2: not seen is not known ----------------------------------------------------------------------


@pytest.fixture
def three_files() -> Iterator[Site]:
    with deployed_site(a_yaml=config("a", "1"), web_yaml=workload(replicas=2), svc_yaml=service()) as site:
        site.clock.time += 60
        yield site


def states(looked: Looked) -> dict[str, str]:
    return {domain["name"]: domain["state"] for domain in looked.told["domains"]}


def test_who_may_see_nothing_is_told_that_nothing_is_known(three_files: Site) -> None:
    cluster_of(three_files).deny(USER, SCOPED_VIEW)
    looked = status(three_files)
    assert (looked.status, set(states(looked).values())) == (0, {"not-known"})
    (file,) = looked.domain("a.yaml")["files"]
    assert "lisi" in file["not_known"][0]


PLAIN = {"Content-Type": "text/plain"}
CONFIG_MAPS = Match("GET", "/namespaces/prod/configs/configmaps")
NO_LISTS = (
    Fault("answer", CONFIG_MAPS, times=8, status=200, headers={"Content-Type": "text/html"}, body="<html>"),
    Fault("half", CONFIG_MAPS, times=8),
    Fault("answer", CONFIG_MAPS, times=8, status=503),
    Fault("answer", CONFIG_MAPS, times=8, status=200, body='{"code": 0, "message": "OK", "data": null}'),
    Fault(
        "answer",
        CONFIG_MAPS,
        times=8,
        status=200,
        body='{"code": 0, "data": {"manifest": {"items": [], "metadata": {"continue": "more"}}}}',
    ),
)


def test_a_list_that_is_none_costs_its_kind_and_no_other(three_files: Site) -> None:
    known = {"a.yaml": "live", "web.yaml": "live", "svc.yaml": "live"}
    for fault in NO_LISTS:
        three_files.emulator.faults.add(replace(fault))
        assert states(status(three_files)) == known, fault  # the dry run shows the ConfigMap all the same
        three_files.emulator.faults.clear()
    cluster_of(three_files).delete("ConfigMap", NAMESPACE, "a")
    assert states(status(three_files)) == {**known, "a.yaml": "not-here"}
    for fault in NO_LISTS:
        three_files.emulator.faults.add(replace(fault))
        looked = status(three_files)
        assert states(looked) == {**known, "a.yaml": "not-known"}, fault
        three_files.emulator.faults.clear()
    three_files.emulator.faults.add(replace(NO_LISTS[0]))
    assert "ConfigMap/a can't be seen" in status(three_files, as_json=False).out
    three_files.emulator.faults.clear()


def test_readiness_is_seen_or_not_known(three_files: Site) -> None:
    assert told(status(three_files), "web.yaml")["ready"] == "ready"
    assert told(status(three_files), "svc.yaml")["ready"] is None
    three_files.fault("answer", Match("GET", "/workloads/pods"), times=8)
    looked = status(three_files)  # without the pods a workload is read alone
    assert told(looked, "web.yaml")["ready"] == "ready"
    three_files.emulator.faults.clear()
    three_files.fault("answer", Match("GET", "/workloads/(pods|deployments/web)"), times=16)
    looked = status(three_files)
    assert told(looked, "web.yaml")["ready"] == "not-known"
    three_files.emulator.faults.clear()
    cluster_of(three_files).images["example.com/web:2"] = Behaviour("not-found")
    three_files.next_build(web_yaml=workload(tag="2", replicas=2))
    deploy(three_files, timeout="0")
    three_files.clock.time += 60
    (found,) = status(three_files).domain("web.yaml")["workloads"]
    assert (found["state"], found["done"], found["wanted"]) == ("not-ready", 0, 2)


# --- c2: one that can't be shown hides no other ---------------------------------------------------------


def test_one_of_200_that_cannot_be_rendered_costs_ten_requests_and_no_answer_of_another() -> None:
    with cluster_site() as site:
        state = site.emulator.state
        state.add_space(SPACE, project="web")
        for number in range(200):
            state.add_file(SPACE, f"f{number:03}.yaml", project="web", content=config(f"c{number}", "1"))
        whole = status(site)
        before = len(of_preview(whole))
        assert len(whole.exchanges) < 30  # lists and dry runs: not one request a domain
        state.add_version(SPACE, "f016.yaml", version="2", content="a: b: c", creator="x", project="web")
        looked = status(site)
        found = states(looked)
        assert {name for name, state in found.items() if state == "not-known"} == {"f016.yaml"}
        assert len(found) == 200
        assert len(of_preview(looked)) <= before + 10


def of_preview(looked: Looked) -> list[Exchange]:
    return [exchange for exchange in looked.exchanges if exchange.path.endswith("/template/preview")]


def test_values_of_variables_are_stored_nowhere_and_their_places_are_left_open() -> None:
    text = config("conf", "x").replace('"x"', '"{{ bcs("LEVEL") }}"') + '  next: "1"\n'
    files = {
        "conf_yaml": text,
        "web_yaml": workload(replicas=2).replace("replicas: 2", 'replicas: {{ live_replicas("web") }}'),
    }
    with cluster_site(**files, hpa_yaml=autoscaler(least=2)) as site:
        assert deploy(site, variables="LEVEL: high").code == 0
        assert told(status(site, variables="LEVEL: high"), "conf.yaml")["drift"] == "same"
        looked = status(site)
        assert told(looked, "conf.yaml")["drift"] == "not-known"
        (file,) = looked.domain("conf.yaml")["files"]
        assert file["open"] == [{"object": "ConfigMap/conf", "field": "data.key", "variable": "LEVEL"}]
        assert told(looked, "web.yaml")["drift"] == "same"
        change(site, "ConfigMap", "conf", "data", "next", value="2")
        looked = status(site)
        assert told(looked, "conf.yaml")["drift"] == "changed"
        (file,) = looked.domain("conf.yaml")["files"]
        assert file["changed"] == [{"object": "ConfigMap/conf", "field": "data.next"}]
        assert "data.key, filled in from LEVEL, and BCS keeps no values" in status(site, as_json=False).out


def test_a_version_that_is_gone_and_an_object_that_it_never_held_are_told() -> None:
    with deployed_site(conf_yaml=documents(config("a", "1"), config("b", "1"))) as site:
        site.next_build(conf_yaml=documents(config("a", "2"), config("b", "1")))
        site.run(action="publish")
        copied = live(site, "ConfigMap", "a")
        marks = dict(branch(copied, "metadata", "annotations"))
        copied["metadata"] = {"name": "copy", "namespace": NAMESPACE, "annotations": marks}
        cluster_of(site).put(copied)
        cluster_of(site).delete("ConfigMap", NAMESPACE, "b")
        (file,) = status(site).domain("conf.yaml")["files"]
        assert file["not_in_the_version"] == ["ConfigMap/copy"]
        assert file["changed"] == [{"object": "ConfigMap/b", "field": None}]
        site.emulator.state.delete_version(SPACE, "conf.yaml", version="1.0.7-main", project="web")
        looked = status(site)
        assert told(looked, "conf.yaml")["drift"] == "not-known"
        assert "no such version any more" in looked.domain("conf.yaml")["files"][0]["not_known"][0]
        no_names = Fault("answer", Match("GET", "/metadata/versions"), status=404, headers=PLAIN, times=8)
        site.emulator.faults.add(no_names)  # then a version that is not the current one is asked for alone
        site.fault("answer", Match("POST", "/template/detail"), times=8)
        assert "HTTP 500" in status(site).domain("conf.yaml")["files"][0]["not_known"][0]
        site.emulator.faults.clear()


# --- what lists do not show -----------------------------------------------------------------------------


def test_what_no_list_shows_is_read_alone() -> None:
    secured = yaml.safe_load(workload("StatefulSet", "set", replicas=1))
    secured["spec"]["template"]["spec"]["securityContext"] = {"runAsUser": 1000}
    files = {
        "set_yaml": yaml.safe_dump(secured),
        "game_yaml": custom_workload("GameDeployment", "game"),
        "named_yaml": config("conf-x", "1").replace("conf-x", 'conf-{{ bcs("ENV") }}'),
    }
    with cluster_site(**files) as site:
        define(cluster_of(site))
        assert deploy(site, variables="ENV: blue").code == 0
        site.clock.time += 60
        looked = status(site, variables="ENV: blue")
        assert told(looked, "set.yaml")["drift"] == "same"
        assert told(looked, "game.yaml")["ready"] == "ready"
        assert "name of ConfigMap/conf-blue" in looked.domain("named.yaml")["files"][0]["not_known"][0]
        change(site, "StatefulSet", "set", "spec", "template", "spec", "securityContext", value={})
        site.clock.time += 60
        looked = status(site)
        fields = [one["field"] for one in looked.domain("set.yaml")["files"][0]["changed"]]
        assert fields == ["spec.template.spec.securityContext.runAsUser"]
        site.fault("answer", Match("GET", "/statefulsets/set"), times=16)
        looked = status(site)
        assert told(looked, "set.yaml")["drift"] == "not-known"
        assert "StatefulSet/set can't be seen" in looked.domain("set.yaml")["files"][0]["not_known"][0]
        site.emulator.faults.clear()


def test_no_more_than_twenty_workloads_are_read_alone(three_files: Site) -> None:
    marks = dict(branch(live(three_files, "Deployment", "web"), "metadata", "annotations"))
    for number in range(20):
        body = yaml.safe_load(workload(name=f"w{number}"))
        body["metadata"] = {"name": f"w{number}", "namespace": NAMESPACE, "annotations": marks}
        cluster_of(three_files).put(body)
    three_files.clock.time += 60
    looked = status(three_files)
    workloads = looked.domain("web.yaml")["workloads"]
    unknown = [found for found in workloads if found["state"] == "not-known"]
    assert (len(workloads), len(unknown)) == (21, 0)
    three_files.fault("answer", Match("GET", "/workloads/pods"), times=8)
    workloads = status(three_files).domain("web.yaml")["workloads"]
    assert [found["why"] for found in workloads if found["state"] == "not-known"] == [
        "lists do not tell whether it is ready, and too many others were asked for alone"
    ]
    three_files.emulator.faults.clear()


def test_an_outage_of_dry_runs_is_asked_once_and_lists_are_told_all_the_same(three_files: Site) -> None:
    three_files.fault("answer", Match("POST", "/template/preview"), times=4, status=503)
    looked = status(three_files)
    assert told(looked, "web.yaml")["drift"] == "not-known"
    assert told(looked, "web.yaml")["versions"] == ["1.0.7-main"]
    assert len(of_preview(looked)) == 4
    three_files.emulator.faults.clear()
    three_files.fault("answer", Match("POST", "/template/variables"), times=4, status=503)
    assert told(status(three_files), "web.yaml")["drift"] == "not-known"
    three_files.emulator.faults.clear()
    refused = '{"code": 1, "message": "record not found", "data": null}'
    three_files.emulator.faults.add(
        Fault("answer", Match("POST", "/template/variables"), status=200, body=refused)
    )
    assert told(status(three_files), "web.yaml")["drift"] == "same"  # none of them fails alone


# --- build and whom -------------------------------------------------------------------------------------


def test_a_build_is_read_off_the_name_of_its_version_or_else_one_read_a_file(three_files: Site) -> None:
    assert versions_read(status(three_files)) <= 2  # where names are not listed, of those without a revision
    names = ("1.0.{{ build.number }}-{{ commit.short }}", "fixed", "{{ build.number }}{{ build.number }}")
    for name in names:
        looked = status(three_files, version=name)
        assert told(looked, "web.yaml")["builds"] == ["7 (main)"], name
        assert versions_read(looked) == 3
    assert told(status(three_files, version="1.0.{{ build.number }}-main"), "web.yaml")["builds"] == ["7"]
    three_files.fault("answer", GET_VERSION, times=12)
    assert told(status(three_files, version="fixed"), "web.yaml")["builds"] == []
    three_files.emulator.faults.clear()


def versions_read(looked: Looked) -> int:
    return sum(GET_VERSION.fits(exchange.method, exchange.path) for exchange in looked.exchanges)


# --- what can't be looked at ----------------------------------------------------------------------------


def test_a_folder_or_a_cluster_that_is_not_there_is_an_error_and_a_signal_ends_the_look(
    three_files: Site,
) -> None:
    looked = status(three_files, template_space="nope")
    assert (looked.status, "nope" in looked.err, looked.out) == (1, True, "")
    three_files.fault("answer", Match("GET", "/clusters/BCS-K8S-40000/namespaces$"), times=4, status=503)
    assert status(three_files).status == 0  # whoever may not list them may still look at the one
    three_files.emulator.faults.clear()
    looked = status(three_files, cluster_id="BCS-K8S-49999")
    assert (looked.status, "BCS-K8S-49999" in looked.err) == (1, True)

    def stop(_: Folder) -> list[str]:
        raise Stopped(Interrupted(signal="SIGTERM"))

    assert "SIGTERM" in looked_at(three_files, stop).err


def test_the_commands_print_what_they_find(
    three_files: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = {"cluster_id": CLUSTER, "namespace": NAMESPACE}
    write_settings(tmp_path, settings_of(three_files, **place))
    given = ("--settings", str(tmp_path / FILE), "--json")
    told = []
    for verb in (["status", "web.yaml"], ["history", "web.yaml"], ["diff", "live", "1.0.7-main"]):
        assert main([*verb, *given]) == 0
        printed = capsys.readouterr().out
        assert printed.endswith("}\n")
        told.append(json.loads(printed))
    write_settings(tmp_path, settings_of(three_files, user="nobody", owner="nobody", **place))
    assert main(["status", *given]) == 1
    assert "What to do: Have nobody apply" in (refused := capsys.readouterr().err)
    assert "Apply at: https://" in refused
    assert [domain["versions"] for domain in told[0]["domains"]] == [["1.0.7-main"]]
    assert [row["version"] for row in told[1]["versions"]] == ["1.0.7-main"]
    assert told[2]["different"] is False


# --- c4: somebody else's undo ---------------------------------------------------------------------------


def test_an_undo_is_told_by_marks_and_revisions_and_a_newer_version_of_an_earlier_template_is_none() -> None:
    with deployed_site(web_yaml=workload(), night_yaml=cron_job(), once_yaml=workload("Job", "once")) as site:
        site.next_build(web_yaml=workload(tag="2"))
        deploy(site)
        site.clock.time += 60
        looked = status(site)
        assert [told(looked, f"{name}.yaml")["ready"] for name in ("night", "once", "web")] == ["ready"] * 3
        cluster_of(site).undo_rollout(NAMESPACE, "web")
        site.clock.time += 60
        looked = status(site)
        undone = {"object": "Deployment/web", "pods": "1.0.7-main", "left": "1.0.8-main", "rest_of": None}
        assert looked.domain("web.yaml")["files"][0]["undone"] == [undone]
        assert told(looked, "web.yaml")["drift"] == "same"
        site.next_build(web_yaml=workload(minReadySeconds=1))
        deploy(site)
        site.clock.time += 60
        assert status(site).domain("web.yaml")["files"][0]["undone"] == []
        site.next_build(web_yaml=workload(tag="3"))
        site.run(action="publish")
        assert status(site).domain("web.yaml")["files"][0]["undone"] == []
