"""What log and page can show, some run fills in: no field of it is set by nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from functools import partial
from html import unescape
from pathlib import Path

import certifi
from tests.emulator import Behaviour, gateway_fault
from tests.emulator.cluster.tree import grow
from tests.emulator.faults import Match
from tests.emulator.pace import Pace
from tests.emulator.state import State
from tests.support import scene
from tests.support.deploying import (
    CLUSTER,
    DEPLOY,
    MARK,
    NAMESPACE,
    PREVIEW,
    autoscaler,
    cluster_of,
    cluster_site,
    deploy,
    deployed_site,
    documents,
    image_of,
    let_a_rival_write,
    page,
    service,
    take_release,
    workload,
)
from tests.support.publishing import CREATE_VERSION, GET_VERSION, SPACE, USER, Site, config, open_site, routes

from bcs_template_set.bcs.gateway import Exchange
from bcs_template_set.branches.branch_rows import BranchRow
from bcs_template_set.publish.file_outcome import FileOutcome
from bcs_template_set.report.file_states import Ending
from bcs_template_set.report.html import render_html
from bcs_template_set.report.outcome import Console, Heading, Identity, Outcome, Phase
from bcs_template_set.report.rows import Row, rows_of_outcome
from bcs_template_set.report.verdict_lines import verdict_lines
from bcs_template_set.report.workload_rows import WorkloadRow, rows_of_restoration, rows_of_rollout
from bcs_template_set.rollout.live_state import FileVersion
from bcs_template_set.rollout.page_checks import Arrival
from bcs_template_set.rollout.result import Restoration, Rollout

CONSOLE = "https://console.example.com/k8s"
BUILD = {"BK_CI_BUILD_URL": "https://ci.example.com/b-7", "BK_CI_PIPELINE_NAME": "release"}
SHOWN = (
    *(Outcome, Heading, Console, Identity, Phase, Exchange, FileOutcome, Row, Ending, BranchRow),
    *(Rollout, FileVersion, WorkloadRow, Arrival, Restoration),
)
"""What log and page render. What they show of a plan's change is in its `Row`, of a workload in its own."""

WIRE = {"Arrival.first_line"}
"""Shown of no page of this machine, and all pages of these runs are: tests/wire/test_page_checks.py."""

DECIDES = {"FileVersion.before", "FileVersion.rewritten", "FileVersion.sets_pods"}
"""Fields that no reader sees: they decide what is done. The page shows `Rollout.before`."""

Told = Callable[[], Iterator[Outcome]]


def broken(site: Site, name: str, tag: str = "2") -> None:
    cluster_of(site).images[image_of(name, tag)] = Behaviour("not-found")


def published_with_a_template_set() -> Iterator[Outcome]:
    with cluster_site(web_yaml=workload()) as site:
        site.region = {"console_url": CONSOLE, "ca_bundle": certifi.where()}
        yield deploy(site, template_set="web", version="1.0.{{ build.number }}", **BUILD).outcome


def behind_a_proxy_that_is_not_there() -> Iterator[Outcome]:
    with open_site(a_yaml=config("a", "1")) as site:
        site.region = {"proxy": "http://127.0.0.1:9"}
        yield site.run().outcome


def by_a_credential(root: Path) -> Iterator[Outcome]:
    with scene.site(root, region={}) as worker:
        worker.emulator.state.add_app("its_app", "its-app-secret", vouches_for={"lisi"})
        worker.emulator.state.add_credential("cred", {"appId": "its_app", "secretKey": "its-app-secret"})
        yield scene.run_here(worker, credential="cred").outcome


def take_the_name(state: State) -> None:
    state.add_version(SPACE, "a.yaml", version="1.0.8-main", content=config("a", "3"), creator="mallory")


def a_name_that_somebody_takes() -> Iterator[Outcome]:
    with open_site(a_yaml=config("a", "1")) as site:
        site.run()
        site.next_build(a_yaml=config("a", "2"))
        site.rival(take_the_name, before=CREATE_VERSION)
        yield site.run().outcome


def not_read_back_and_so_without_a_creator() -> Iterator[Outcome]:
    with open_site(a_yaml=config("a", "1")) as site:
        fault = site.fault("answer", GET_VERSION, status=200)
        fault.body = '{"code": 1, "message": "etcd is full", "data": null}'
        yield site.run().outcome


def another_node_port() -> Iterator[Outcome]:
    with deployed_site(web_yaml=service(), night_yaml=workload("ReplicaSet", "night")) as site:
        site.next_build(web_yaml=service(port_name="web"))
        yield deploy(site).outcome


def a_path_less() -> Iterator[Outcome]:
    with open_site(a_yaml=routes("a.example.com", "/", "/old")) as site:
        site.run()
        site.next_build(a_yaml=routes("a.example.com", "/").replace("Prefix", "Exact"))
        yield site.run(allow_route_removal="true").outcome


def a_look_at_the_site() -> Iterator[Outcome]:
    with open_site() as site:
        yield site.run(action="doctor").outcome


def a_path_of_another_type() -> Iterator[Outcome]:
    with open_site(a_yaml=routes("a.example.com", "/")) as site:
        site.run()
        site.next_build(a_yaml=routes("a.example.com", "/").replace("Prefix", "Exact"))
        yield site.run().outcome


def an_object_in_another_file() -> Iterator[Outcome]:
    with cluster_site(web_yaml=documents(workload(), service())) as site:
        take_release(site, "1.23")  # which replaces a Service
        deploy(site)
        site.next_build(web_yaml=workload(), s_yaml=service(note="2"))
        yield deploy(site).outcome


def branches_with_paths() -> Iterator[Outcome]:
    values = (
        "app: nginx\ndomains:\n  - {host: www.example.com, image: 'example.com/web:1', "
        "load_balancers: [lb-1], branch_paths: true}\n"
    )
    with open_site() as site:
        for branch in ("main", "x"):
            site.branch, site.build = branch, site.build + 1
            site.clock.time += 600
            yield site.run(templates="builtin:web", values=values.replace("web:1", f"web:{branch}")).outcome


def restored_after_a_missing_image() -> Iterator[Outcome]:
    with cluster_site(web_yaml=workload()) as site:
        site.region = {"console_url": CONSOLE}
        deploy(site)
        broken(site, "web")
        site.next_build(web_yaml=workload(tag="2"), new_yaml=documents(workload(name="new"), service("new")))
        yield deploy(site, on_failure="restore").outcome


def an_autoscalers_number_under_a_broken_image() -> Iterator[Outcome]:
    with deployed_site(web_yaml=documents(workload(), autoscaler())) as site:
        cluster_of(site).load["Deployment", "web"] = 10
        site.clock.time += 120
        broken(site, "web")
        site.next_build(web_yaml=documents(workload(tag="2"), autoscaler()))
        yield deploy(site).outcome


def a_page_of_another_build() -> Iterator[Outcome]:
    with cluster_site(web_yaml=workload()) as site, page("<title>build 6</title>") as url:
        yield deploy(site, verify_urls=f"{url} contains build 7").outcome


def live_already_and_rewritten() -> Iterator[Outcome]:
    with cluster_site(web_yaml=workload(), api_yaml=workload(name="api")) as site:
        deploy(site, version="1.0.0")
        broken(site, "web")
        site.next_build(web_yaml=workload(tag="2"))
        rewriting = {"version": "1.0.0", "overwrite_version": "true"}
        yield deploy(site, on_failure="restore", **rewriting).outcome


def the_same_version_again() -> Iterator[Outcome]:
    with deployed_site(web_yaml=workload()) as site:
        broken(site, "web", tag="1")
        cluster_of(site).delete("Deployment", NAMESPACE, "web")
        site.next_build()
        yield deploy(site, on_failure="restore", redeploy="true").outcome


def deleted_meanwhile() -> Iterator[Outcome]:
    with deployed_site(web_yaml=workload(), api_yaml=workload(name="api")) as site:
        broken(site, "web")
        site.next_build(web_yaml=workload(tag="2"), api_yaml=workload(name="api", tag="2"))
        site.rival(
            lambda _: cluster_of(site).delete("Deployment", NAMESPACE, "api"),
            before=Match("POST", PREVIEW.path, nth=3),
        )
        yield deploy(site, on_failure="restore").outcome


def replaced_meanwhile() -> Iterator[Outcome]:
    with deployed_site(web_yaml=workload(), api_yaml=workload(name="api")) as site:
        site.next_build(web_yaml=workload(tag="2"), api_yaml=workload(name="api", tag="2"))

        def replace(_: object) -> None:
            found = cluster_of(site).get("Deployment", NAMESPACE, "api")
            grow(found, "metadata", "annotations")[MARK] = "9.9.9"
            cluster_of(site).put(found)

        site.rival(replace, before=DEPLOY, after=True)
        yield deploy(site, on_failure="restore").outcome


def refused_when_it_was_to_go_back() -> Iterator[Outcome]:
    with deployed_site(web_yaml=workload()) as site:
        broken(site, "web")
        site.next_build(web_yaml=workload(tag="2"))
        fault = site.fault("answer", Match("POST", DEPLOY.path, nth=2), status=200)
        fault.body = '{"code": 1, "message": "etcd is full", "data": null}'
        yield deploy(site, on_failure="restore").outcome


def sent_to_go_back_and_not_read_since() -> Iterator[Outcome]:
    with deployed_site(web_yaml=workload()) as site:
        broken(site, "web")
        site.next_build(web_yaml=workload(tag="2"))
        going_back = Match("POST", DEPLOY.path, nth=2)
        site.rival(lambda _: cluster_of(site).deny(USER, "namespace_scoped_view"), before=going_back)
        yield deploy(site, on_failure="restore").outcome


def live_as_before() -> Iterator[Outcome]:
    """A Job that shares its file is warned of, and a comment alone sends nothing."""
    with deployed_site(web_yaml=documents(workload("Job", name="migrate"), workload())) as site:
        site.next_build(web_yaml=f"# new\n{site.files['web.yaml']}")
        yield deploy(site).outcome


def applied_in_part() -> Iterator[Outcome]:
    with cluster_site(web_yaml=documents(workload(), service())) as site:
        take_release(site, "1.23")  # which replaces a Service
        deploy(site)
        site.next_build(web_yaml=documents(service(note="2"), workload(tag="2")))
        let_a_rival_write(site, "web", kind="Deployment", before=DEPLOY)
        yield deploy(site).outcome


def broken_before_and_tried_twice() -> Iterator[Outcome]:
    with cluster_site(web_yaml=workload()) as site:
        for build in range(2):
            deploy(site)
            broken(site, "web", tag=str(build + 2))
            site.next_build(web_yaml=workload(tag=str(build + 2)))
        site.attempt = 1
        yield deploy(site, timeout="1").outcome
        site.attempt = 2
        yield deploy(site, timeout="30", on_failure="restore").outcome


def tried_again_without_a_note() -> Iterator[Outcome]:
    with cluster_site(web_yaml=workload()) as site:
        broken(site, "web", tag="1")
        deploy(site)
        site.attempt = 2
        yield deploy(site, on_failure="restore").outcome


def restored_without_a_look() -> Iterator[Outcome]:
    with page("<title>build 6</title>") as url, cluster_site(web_yaml=workload()) as site:
        deploy(site)
        site.next_build(web_yaml=workload(tag="2"))
        fault = site.fault("answer", Match("GET", r"/workloads/deployments/"), status=200)
        fault.body = '{"code": 40300, "message": "no permission", "requestID": "x", "data": null}'
        page_of = f"{url} contains build 7"
        yield deploy(site, verify_urls=page_of, on_failure="restore", timeout="0").outcome


def refused_in_its_first_call_and_not_looked_at() -> Iterator[Outcome]:
    with cluster_site(**{f"{n:03}_yaml": config(f"c{n:03}", "1") for n in range(30)}) as site:

        def refuse(_: object) -> None:
            for call, times in ((DEPLOY, 1), (PREVIEW, 99)):
                fault = site.fault("answer", call, times=times, status=200)
                fault.body = '{"code": 1, "message": "etcd is full", "data": null}'

        site.rival(refuse, before=DEPLOY)
        yield deploy(site).outcome
        site.emulator.faults.clear()


def cut_off_in_its_second_call() -> Iterator[Outcome]:
    files = {f"{n:03}_yaml": config(f"c{n:03}", "1") for n in range(60)}
    with cluster_site(night_yaml=workload("ReplicaSet", "night"), **files) as site:
        site.emulator.state.pace = Pace(
            wait=site.clock.wait, deploy=1.0
        )  # so that not all files go into the second call

        def cut_off(_: object) -> None:
            dead = gateway_fault("INVALID_ARGS", match=Match(), times=99, reason="access_token is invalid")
            site.emulator.faults.add(dead)

        second = Match("POST", DEPLOY.path, nth=2)
        site.rival(cut_off, before=second)
        site.emulator.faults.add(gateway_fault("INVALID_ARGS", match=second, reason="invalid"))
        yield deploy(site).outcome
        site.emulator.faults.clear()


def held_after_an_undo() -> Iterator[Outcome]:
    with deployed_site(web_yaml=workload()) as site:
        site.next_build(web_yaml=workload(tag="2"))
        deploy(site)
        cluster_of(site).undo_rollout(NAMESPACE, "web")
        site.clock.time += 5
        site.next_build()
        yield deploy(site).outcome


def without_what_an_earlier_build_left() -> Iterator[Outcome]:
    with deployed_site(old_yaml=config("old", "1"), web_yaml=config("web", "1")) as site:
        site.next_build()
        del site.files["old.yaml"]
        yield deploy(site, prune="delete").outcome


RUNS: tuple[Told, ...] = (
    held_after_an_undo,
    without_what_an_earlier_build_left,
    cut_off_in_its_second_call,
    refused_in_its_first_call_and_not_looked_at,
    broken_before_and_tried_twice,
    tried_again_without_a_note,
    restored_without_a_look,
    published_with_a_template_set,
    behind_a_proxy_that_is_not_there,
    a_name_that_somebody_takes,
    not_read_back_and_so_without_a_creator,
    another_node_port,
    a_path_less,
    a_look_at_the_site,
    a_path_of_another_type,
    an_object_in_another_file,
    branches_with_paths,
    restored_after_a_missing_image,
    an_autoscalers_number_under_a_broken_image,
    a_page_of_another_build,
    live_already_and_rewritten,
    the_same_version_again,
    deleted_meanwhile,
    replaced_meanwhile,
    refused_when_it_was_to_go_back,
    sent_to_go_back_and_not_read_since,
    applied_in_part,
    live_as_before,
)


def filled(value: object) -> set[str]:
    """The fields below a value that hold something, as `Type.field`."""
    if isinstance(value, (tuple, list)):
        return {name for item in value for name in filled(item)}
    if not is_dataclass(value) or isinstance(value, type):
        return set()
    held = {field.name: getattr(value, field.name) for field in fields(value)}
    here = {f"{type(value).__name__}.{name}" for name, item in held.items() if item or item is False}
    return here.union(*map(filled, held.values()))


def test_every_field_that_is_shown_is_filled_in_by_some_run(tmp_path: Path) -> None:
    found: set[str] = set()
    runs: tuple[Told, ...] = (*RUNS, partial(by_a_credential, tmp_path))
    for told in runs:
        for outcome in told():
            found |= filled(outcome) | filled(rows_of_outcome(outcome))
            found |= filled(rows_of_rollout(outcome)) | filled(rows_of_restoration(outcome))
    wanted = {f"{shown.__name__}.{field.name}" for shown in SHOWN for field in fields(shown)} - DECIDES - WIRE
    assert not wanted - found, sorted(wanted - found)


def test_the_consoles_pages_are_linked_where_it_is_set() -> None:
    (outcome,) = restored_after_a_missing_image()
    console, rollout = outcome.heading.console, outcome.rollout
    assert console.space_url.startswith(f"{CONSOLE}/projects/web/template/file/")
    assert rollout is not None
    (failed,) = (item for item in rollout.watched if item.problem is not None)
    assert failed.problem is not None
    pod = console.object_url(CLUSTER, NAMESPACE, "Pod", failed.problem.pod)
    ids = {
        file.change.name: (file.change.template_id or file.template_id, file.version_id)
        for file in outcome.files
    }
    links = [
        console.space_url,
        console.file_url(*ids["web.yaml"]),
        console.file_url(*ids["new.yaml"]),
        console.object_url(CLUSTER, NAMESPACE, "Deployment", "web"),
        pod,
    ]
    page_of_it = unescape(render_html(outcome))
    assert [link for link in links if f'href="{link}"' not in page_of_it] == []
    told = "\n".join(line.text for line in verdict_lines(outcome))
    assert [link in told for link in (console.space_url, pod)] == [True, True]


def test_without_a_console_nothing_is_linked() -> None:
    (outcome,) = a_path_less()
    assert 'href="http' not in render_html(outcome)
    assert "See it in BCS" not in "\n".join(line.text for line in verdict_lines(outcome))
