"""`prune`: what earlier builds left is named, and deleted where all that speaks against it was looked at."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import jsonschema
import pytest
import yaml
from tests.emulator import Behaviour, Match
from tests.emulator.cluster.tree import Manifest, branch, grow, text
from tests.emulator.entities import TemplateVersion
from tests.emulator.faults import Fault, gateway_fault
from tests.emulator.state import State
from tests.support.deploying import (
    FILE_MARK,
    MARK,
    NAMESPACE,
    cluster_of,
    cron_job,
    deploy,
    deployed_site,
    documents,
    image_of,
    live,
    service,
    workload,
)
from tests.support.publishing import LIST_FILES, SPACE, USER, Ran, Site, config, routes

from bcs_template_set.messages import LANGUAGES, Language
from bcs_template_set.report.html import render_html
from bcs_template_set.report.log_lines import plan_lines
from bcs_template_set.report.output import message_of
from bcs_template_set.report.plan_document import plan_document
from bcs_template_set.report.verdict_lines import verdict_lines

SCHEMA = json.loads(
    Path(__file__).parents[2].joinpath("docs/reference/plan.schema.json").read_text(encoding="utf-8")
)
OLD = documents(workload(name="old"), service("old"))
GONE = ["networks/services/old", "workloads/deployments/old"]
LIST_SPACES = Match("GET", r"/template/spaces$")
DELETE = Match("DELETE", r"/namespaces/prod/(networks|workloads)/")


def deletions(ran: Ran) -> list[str]:
    """Return what was asked to be deleted, in order."""
    asked = [e.path for e in ran.exchanges if e.method == "DELETE" and e.is_write]
    return [path.rpartition(f"/namespaces/{NAMESPACE}/")[2] for path in asked]


@contextmanager
def shop(**more: str) -> Iterator[Site]:
    """Yield a site whose build deployed `old.yaml` beside what stays."""
    with deployed_site(**{"app.yaml": config("app", "1"), "old.yaml": OLD, **more}) as site:
        yield site


def without(site: Site, *names: str) -> None:
    """Go on to a build that renders these files no more."""
    site.next_build()
    for name in names:
        del site.files[name]


def names_of(site: Site, kind: str) -> list[str]:
    return [text(found, "metadata", "name") for found in cluster_of(site).find_all(kind, NAMESPACE)]


def put(site: Site, manifest: str, **annotations: str) -> None:
    """Let somebody make an object by hand."""
    made = yaml.safe_load(manifest)
    grow(made, "metadata")["namespace"] = NAMESPACE
    grow(made, "metadata", "annotations").update(annotations)
    cluster_of(site).put(made)


def test_what_is_rendered_no_more_is_planned_deleted_in_order_and_seen_gone() -> None:
    with shop() as site:
        without(site, "old.yaml")
        reported = deploy(site)
        assert deletions(reported) == []
        assert "rendered no more: Service/old (old.yaml), Deployment/old (old.yaml)." in reported.log
        planned = deploy(site, action="plan", prune="delete")
        assert "delete: Service/old (old.yaml), Deployment/old (old.yaml)" in planned.log
        assert (planned.output()["changed"], planned.writes) == ("true", [])
        ran = deploy(site, prune="delete", expect_plan=planned.output()["plan_digest"])
        assert ran.outcome.result == "deployed", ran.log
        assert (deletions(ran), ran.output()["changed"]) == (GONE, "true")
        assert (names_of(site, "Deployment"), names_of(site, "Service")) == ([], [])
        assert "Deleted: Service/old, Deployment/old" in ran.log
        assert "rollback_to: build 7, only: old.yaml" in ran.log
        assert ran.versions()["old.yaml"]["state"] == "pruned"
        assert site.version_names("old.yaml") == ["1.0.7-main"], "the only copy stays"
        again = deploy(site, prune="delete", prune_also="files")
        assert (again.written, site.version_names("old.yaml")) == (["DELETE template/metadatas/*"], [])
        assert "prune" not in deploy(site, prune="off").log.partition("##[endgroup]")[2]


def test_what_is_no_proof_or_is_held_stays_and_says_why() -> None:
    claim = (
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\n"
        "spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n"
    )
    more = documents(config("mounted", "1"), config("free", "1"), claim)
    with shop(**{"more.yaml": documents(more, config("kept", "1"))}) as site:
        mark = {FILE_MARK: f"{SPACE}/old.yaml", MARK: "1.0.7-main"}
        put(site, config("copy", "1"), **mark)
        night = yaml.safe_load(cron_job("night"))
        pod = branch(night, "spec", "jobTemplate", "spec", "template", "spec")
        pod["volumes"] = [{"name": "c", "configMap": {"name": "mounted"}}]
        put(site, yaml.safe_dump(night))
        without(site, "old.yaml")
        site.files["more.yaml"] = config("kept", "1")
        ran = deploy(site, prune="delete")
        assert deletions(ran) == [*GONE, "configs/configmaps/free"], ran.log
        for told in (
            "ConfigMap/copy of old.yaml stays: It carries our mark, and is not ours",
            "ConfigMap/mounted of more.yaml stays: A live object still refers to it: CronJob/night",
            "PersistentVolumeClaim/data of more.yaml stays: What a PersistentVolumeClaim holds",
        ):
            assert told in ran.log
        also = deploy(site, prune="delete", prune_also="ConfigMap\nPersistentVolumeClaim")
        assert len(deletions(also)) == 2, also.log
        assert "neither" not in also.log
        assert deploy(site, prune="delete", prune_also="Namespace").code == 800102


LOOKS: dict[str, Match] = {
    "Deployments": Match("GET", r"/workloads/deployments$"),
    "Secrets": Match("GET", r"/configs/secrets$"),
    "one object": Match("GET", r"/networks/services/old$"),
}


@pytest.mark.parametrize("kind", ["answer", "cut", "nothing"])
def test_a_look_that_failed_is_no_empty_one(kind: str) -> None:
    """At each list of a deleting run in turn: no DELETE is sent, and the run is what it is without."""
    bodies = {
        "answer": '{"code": 1, "message": "panic recovered", "data": null}',
        "cut": '{"code": 0, "data": {"manifest": {"items": [{"metadata": {"name": "o',
        "nothing": '{"code": 0, "data": {"manifest": {"items": []}, "manifestExt": {}}}',
    }
    with shop() as site:
        without(site, "old.yaml")
        for name, match in LOOKS.items():
            if kind == "nothing" and name == "Secrets":
                continue  # there is none
            fault = Fault("answer", match, times=100, status=200, body=bodies[kind])
            site.emulator.faults.add(fault)
            ran = deploy(site, prune="delete")
            site.emulator.faults.clear()
            assert (deletions(ran), ran.outcome.result) == ([], "deployed"), name
            assert "prune deletes nothing. " in ran.log, name
        assert deletions(deploy(site, prune="delete")) == GONE


NOTHING = '{"code": 0, "data": {"manifest": {"items": []}, "manifestExt": {}}}'


def test_a_file_goes_on_the_word_of_no_empty_list() -> None:
    """There is no candidate of it then, whose version would be looked at."""
    with shop(**{"more.yaml": config("more", "1")}) as site:
        without(site, "more.yaml")
        empty = Fault("answer", Match("GET", "/configs/configmaps$"), times=99, status=200, body=NOTHING)
        site.emulator.faults.add(empty)
        ran = deploy(site, prune="delete", prune_also="files")
        site.emulator.faults.clear()
        assert deletions(ran) == [], ran.log
        assert "The lists lack ConfigMap/more, which is there." in ran.log


def test_the_folders_of_a_project_hold_the_runs_own() -> None:
    with shop() as site:
        without(site, "old.yaml")

        def hide(_: State) -> None:
            none = Fault("answer", LIST_SPACES, times=9, status=200, body='{"code": 0, "data": []}')
            site.emulator.faults.add(none)

        site.rival(hide, before=Match("DELETE", "/configmaps/nobody"), after=True)
        ran = deploy(site, prune="delete")
        site.emulator.faults.clear()
        assert deletions(ran) == [], ran.log
        assert "The lists lack front-ends, which is there." in ran.log


# --- older truth, newer world ---------------------------------------------------------------------------


def test_what_came_back_meanwhile_stays() -> None:
    with shop(**{"more.yaml": config("more", "1")}) as site:
        without(site, "old.yaml", "more.yaml")

        def publish(state: State) -> None:
            state.find_file(SPACE, "old.yaml").version = "by hand"
            old = state.find_versions(SPACE, "old.yaml")[0]
            hand = TemplateVersion(
                **{**vars(old), "id": state.new_id(), "version": "by hand", "description": ""}
            )
            state.insert_version(hand)

        def make_again(_: State) -> None:
            cluster = cluster_of(site)
            found = cluster.get("ConfigMap", NAMESPACE, "more")
            cluster.delete("ConfigMap", NAMESPACE, "more")
            cluster.put(
                {
                    **found,
                    "metadata": {
                        k: v
                        for k, v in branch(found, "metadata").items()
                        if k not in ("uid", "resourceVersion")
                    },
                }
            )

        # Right before the last look at each: what the plan and the second look saw is true no more.
        site.rival(publish, before=Match("DELETE", "/networks/services/old$"), after=True)
        site.rival(make_again, before=Match("DELETE", "/networks/services/old$"), after=True)
        ran = deploy(site, prune="delete")
        assert deletions(ran) == GONE[:1], ran.log
        assert "Not deleted: Deployment/old. File old.yaml was published meanwhile." in ran.log
        assert "Not deleted: ConfigMap/more. It was made again" in ran.log
        assert ran.outcome.result == "deployed"


def test_a_build_that_is_not_the_newest_deletes_nothing() -> None:
    with shop() as site:
        without(site, "old.yaml")
        site.build += 1
        site.files["new.yaml"] = config("new", "1")
        assert deploy(site).code == 0
        site.build -= 1
        del site.files["new.yaml"]
        ran = deploy(site, prune="delete", on_newer_build="replace")
        assert (deletions(ran), ran.outcome.result) == ([], "deployed"), ran.log
        assert "A newer build of this pipeline and branch has published new.yaml." in ran.log


def test_what_was_handed_over_to_another_folder_is_never_deleted_by_the_former_owner() -> None:
    with shop() as site:
        without(site, "old.yaml")
        mine = dict(site.files)
        site.files = {"old.yaml": OLD}
        assert site.run(template_space="new-home").code == 0  # published there, and not deployed yet
        site.files = mine
        between = deploy(site, prune="delete")
        assert deletions(between) == [], between.log
        assert "Another file holds it, too: new-home/old.yaml" in between.log
        site.files = {"old.yaml": OLD}
        taken_over = deploy(site, template_space="new-home")
        assert taken_over.code == 0, taken_over.log
        assert "marked as of front-ends/old.yaml, whose pipeline may delete it" in taken_over.log
        site.files = mine
        assert deletions(deploy(site, prune="delete")) == []
        assert names_of(site, "Deployment") == ["old"]


def test_what_somebody_went_back_to_is_not_deleted_from_under_it() -> None:
    first = documents(workload(name="old"), config("old", "1"))
    with shop(**{"old.yaml": first, "next.yaml": config("next", "1")}) as site:
        without(site)
        site.files["old.yaml"] = workload(name="old", tag="2")
        assert deploy(site).code == 0
        site.next_build()
        back = deploy(site, action="rollback", rollback_to="build 7", only="old.yaml")
        assert back.code == 0, back.log
        site.next_build()
        site.files["next.yaml"] = config("next", "2")
        ran = deploy(site, prune="delete")
        assert (deletions(ran), ran.outcome.result) == ([], "deployed"), ran.log
        assert "prune deletes nothing. These files are held at an older version" in ran.log


def test_what_somebody_deployed_over_the_run_is_not_deprived_of_anything() -> None:
    with shop() as site:
        without(site, "old.yaml")
        site.rival(
            lambda _: put(site, config("app", "2"), **{FILE_MARK: f"{SPACE}/app.yaml", MARK: "9"}),
            before=replace(LOOKS["Deployments"], nth=2),
        )
        ran = deploy(site, prune="delete")
        assert (deletions(ran), ran.outcome.result) == ([], "deployed"), ran.log
        assert "Somebody has deployed another version of ConfigMap/app since" in ran.log


def test_what_is_made_again_before_the_last_look_is_not_what_was_planned() -> None:
    with shop(**{"more.yaml": config("more", "1")}) as site:
        without(site, "more.yaml")

        def make_again(_: State) -> None:
            found = dict(cluster_of(site).get("ConfigMap", NAMESPACE, "more"))
            cluster_of(site).delete("ConfigMap", NAMESPACE, "more")
            lives = ("uid", "resourceVersion")
            kept = {key: value for key, value in branch(found, "metadata").items() if key not in lives}
            cluster_of(site).put({**found, "metadata": kept})

        site.rival(make_again, before=Match("DELETE", "/configmaps/nobody"), after=True)
        ran = deploy(site, prune="delete", prune_also="files")
        assert deletions(ran) == [], ran.log
        assert "Not deleted: ConfigMap/more. It was made again" in ran.log


def test_a_rival_is_seen_that_publishes_what_is_pinned() -> None:
    """The file goes on pointing at the version that it is pinned to."""
    with shop() as site:
        site.emulator.state.pin(SPACE, "old.yaml", version="1.0.7-main")
        without(site, "old.yaml")

        def publish(state: State) -> None:
            old = vars(state.find_versions(SPACE, "old.yaml")[0])
            hand = {
                "id": state.new_id(),
                "version": "by hand",
                "description": "",
                "create_at": old["create_at"] + 9,
            }
            state.insert_version(TemplateVersion(**{**old, **hand}))

        site.rival(publish, before=Match("DELETE", "/networks/services/old$"), after=True)
        ran = deploy(site, prune="delete")
        assert deletions(ran) == GONE[:1], ran.log
        assert "File old.yaml was published meanwhile." in ran.log


def test_what_a_pod_of_nobody_mounts_stays_though_it_is_named_like_a_workloads() -> None:
    with shop(**{"more.yaml": config("more", "1"), "web.yaml": workload()}) as site:
        container = {"name": "x", "image": "example.com/x:1"}
        volumes = [{"name": "c", "configMap": {"name": "more"}}]
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-debug"}}
        put(site, yaml.safe_dump({**pod, "spec": {"containers": [container], "volumes": volumes}}))
        without(site, "more.yaml")
        ran = deploy(site, prune="delete")
        assert deletions(ran) == [], ran.log
        assert "A live object still refers to it: Pod/web-debug" in ran.log


# --- too early, and refused -----------------------------------------------------------------------------


def test_nothing_is_deleted_before_every_workload_was_seen_ready() -> None:
    with shop(**{"web.yaml": workload()}) as site:
        without(site, "old.yaml")
        assert "Without waiting (timeout: 0)" in deploy(site, prune="delete", timeout="0").log
        site.files["web.yaml"] = workload(tag="2")
        cluster_of(site).images[image_of("web", "2")] = Behaviour(kind="crash", after=0.5)
        failed = deploy(site, prune="delete", timeout="60")
        assert (deletions(failed), failed.outcome.error is not None) == ([], True), failed.log
        assert names_of(site, "Service") == ["old"]
        published = site.run(
            action="publish", prune="delete", cluster_id="BCS-K8S-40000", namespace=NAMESPACE
        )
        assert "Only a deployment deletes" in published.log
        assert "Without cluster_id and namespace" in site.run(action="plan", prune="delete").log


def test_a_rollout_that_waits_for_a_person_deletes_nothing() -> None:
    stateful = partial(workload, "StatefulSet", updateStrategy={"type": "OnDelete"})
    with shop(**{"web.yaml": stateful()}) as site:
        without(site, "old.yaml")
        site.files["web.yaml"] = stateful(tag="2")
        ran = deploy(site, prune="delete")
        assert (deletions(ran), ran.outcome.result) == ([], "paused"), ran.log
        assert "Nothing is known to serve in its place" in ran.log
        assert "Not deleted, since not everything in its place was seen ready: Service/old" in ran.log


@pytest.mark.parametrize(
    ("inputs", "code"),
    [({}, 800404), ({"allow_route_removal": "true"}, 800430)],
)
def test_a_route_that_would_go_and_all_that_there_is_refuse_the_run(
    inputs: dict[str, str], code: int
) -> None:
    with deployed_site(**{"shop.yaml": routes("www.example.com", "/")}) as site:
        without(site, "shop.yaml")
        site.files["other.yaml"] = config("other", "1")
        ran = deploy(site, prune="delete", **inputs)
        assert (ran.code, ran.writes) == (code, []), ran.log


def test_more_than_a_quarter_needs_the_limit_that_the_refusal_prints() -> None:
    many = documents(*(config(f"c{number}", "1") for number in range(5)))
    with shop(**{"many.yaml": many}) as site:
        without(site)
        site.files["many.yaml"] = config("c0", "1")
        refused = deploy(site, prune="delete")
        assert (refused.code, refused.writes) == (800431, []), refused.log
        assert "prune_limit: 4" in refused.log
        assert len(deletions(deploy(site, prune="delete", prune_limit="4"))) == 4
        assert "prune_limit is 4, and 0 would go" in deploy(site, prune="delete", prune_limit="4").log


def test_who_may_not_delete_is_told_before_anything_is_written() -> None:
    with shop() as site:
        without(site, "old.yaml")
        site.files["app.yaml"] = config("app", "2")
        cluster_of(site).deny(USER, "namespace_scoped_delete")
        assert (
            "Deletions in namespace prod of cluster BCS-K8S-40000 are refused:"
            in deploy(site, action="plan", prune="delete").log
        )
        ran = deploy(site, prune="delete")
        assert (ran.code, ran.writes) == (800221, []), ran.log
        cluster_of(site).allow(USER, "namespace_scoped_delete")
        site.emulator.faults.add(gateway_fault("API_NOT_FOUND", match=Match("DELETE"), times=9))
        unpublished = deploy(site, prune="delete")
        site.emulator.faults.clear()
        assert (unpublished.writes, unpublished.code // 100) == ([], 8006), unpublished.log


def test_what_can_not_be_known_deletes_nothing() -> None:
    with shop() as site:
        without(site, "old.yaml")
        site.files["app.yaml"] = config("app-{{ bcs('NAME') }}", "1")
        open_name = deploy(site, action="plan", prune="delete", variables="NAME: x")
        assert "BCS fills in the kind or name of these objects" in open_name.log
        site.files["app.yaml"] = config("app", "1")
        no_id = Fault("answer", Match("GET", "/bcsproject/"), times=99, status=404)
        site.emulator.faults.add(no_id)
        assert "does not say the project's id" in deploy(site, action="plan", prune="delete").log
        site.emulator.faults.clear()
        site.emulator.state.pin(SPACE, "old.yaml", version="no such version")
        assert deletions(deploy(site, prune="delete")) == []
        # A person has pinned the file, and then written a version that is not the current one.
        site.emulator.state.pin(SPACE, "old.yaml", version="1.0.7-main")
        old = site.emulator.state.find_versions(SPACE, "old.yaml")[0]
        hand = {**vars(old), "id": site.emulator.state.new_id(), "version": "by hand", "description": ""}
        site.emulator.state.insert_version(TemplateVersion(**{**hand, "create_at": old.create_at + 9}))
        assert deletions(deploy(site, prune="delete")) == []
        site.emulator.state.delete_version(SPACE, "old.yaml", version="by hand")
        unlisted = Fault(
            "answer", Match("GET", "/template/[0-9a-f]{24}/(metadata/)?versions$"), times=99, status=404
        )
        site.emulator.faults.add(unlisted)
        assert deletions(deploy(site, prune="delete")) == []
        site.emulator.faults.clear()
        one_by_one = Fault("answer", Match("GET", "/metadata/versions$"), times=99, status=404)
        site.emulator.faults.add(one_by_one)
        ran = deploy(site, prune="delete")
        site.emulator.faults.clear()
        assert deletions(ran)[:2] == GONE, ran.log


def test_the_last_look_may_fail_too() -> None:
    with shop() as site:
        without(site, "old.yaml")

        def break_lists(_: State) -> None:
            site.emulator.faults.add(Fault("answer", LOOKS["Deployments"], times=99, status=503))

        site.rival(break_lists, before=Match("DELETE", "/configmaps/nobody"), after=True)
        first = deploy(site, prune="delete")
        site.emulator.faults.clear()
        last = sum(LIST_FILES.fits(e.method, e.path) for e in first.exchanges)
        fault = Fault("answer", replace(LIST_FILES, nth=last), times=99, status=503)
        site.emulator.faults.add(fault)
        second = deploy(site, prune="delete")
        site.emulator.faults.clear()
        for ran in (first, second):
            assert (deletions(ran), "prune deletes nothing. " in ran.log) == ([], True), ran.log
        assert deletions(deploy(site, prune="delete")) == GONE


# --- accepted is not gone -------------------------------------------------------------------------------


def test_what_a_finalizer_holds_is_told_and_its_neighbours_wait_for_nothing() -> None:
    held = yaml.safe_load(service("old"))
    grow(held, "metadata")["finalizers"] = ["example.com/cleanup"]
    with shop(
        **{"old.yaml": documents(workload(name="old"), yaml.safe_dump(held), config("last", "1"))}
    ) as site:
        without(site, "old.yaml")
        ran = deploy(site, prune="delete")
        assert deletions(ran) == GONE, "what workloads mount waits until all before it are gone"
        assert "Not deleted: Service/old. It is being deleted and waits for example.com/cleanup." in ran.log
        assert "Not tried: ConfigMap/last" in ran.log
        assert "old.yaml" not in ran.versions()
        cluster_of(site).release("Service", NAMESPACE, "old")
        assert deletions(deploy(site, prune="delete")) == ["configs/configmaps/last"]


@pytest.mark.parametrize("fault", ["refused", "lost", "unavailable"])
def test_each_deletion_that_fails_in_turn_is_told_and_the_next_run_ends_the_same(fault: str) -> None:
    with shop() as site:
        without(site, "old.yaml")
        for number, path in enumerate(GONE):
            order(site, fault, Match("DELETE", f"{path}$"))
            ran = deploy(site, prune="delete")
            site.emulator.faults.clear()
            assert ran.outcome.result == "deployed", ran.log
            asked = [path for path in deletions(ran) if path not in GONE[:number]]
            assert set(asked) == {path}, "what is gone is not asked again, and nothing is tried behind it"
            if number == 0:
                assert "Not tried: Deployment/old" in ran.log
            if fault != "lost":
                assert f"Not deleted: {['Service', 'Deployment'][number]}/old." in ran.log
                assert deletions(deploy(site, prune="delete", timeout="0")) == []
                site_goes_on(site, path)
        assert deletions(deploy(site, prune="delete")) == []
        assert (names_of(site, "Deployment"), names_of(site, "Service")) == ([], [])


def order(site: Site, fault: str, match: Match) -> None:
    bodies = {"refused": '{"code": 40300, "message": "no namespace_scoped_delete", "data": null}'}
    kind, status = (
        ("handle-then-drop" if fault == "lost" else "answer"),
        (503 if fault == "unavailable" else 200),
    )
    site.emulator.faults.add(Fault(kind, match, times=100, status=status, body=bodies.get(fault, "")))


def site_goes_on(site: Site, path: str) -> None:
    """Let somebody delete by hand what a run could not."""
    kind = {"networks/services/old": "Service", "workloads/deployments/old": "Deployment"}[path]
    cluster_of(site).delete(kind, NAMESPACE, "old")


# --- the way back ---------------------------------------------------------------------------------------


def unlike_each_life(found: Manifest) -> Manifest:
    """Return an object without what is another's each time that it is made."""
    kept = dict(branch(found, "metadata"))
    for name in ("uid", "resourceVersion", "creationTimestamp", "generation"):
        kept.pop(name, None)
    spec = {key: value for key, value in branch(found, "spec").items() if not key.startswith("clusterIP")}
    return {**found, "metadata": kept, "spec": spec, "status": {}}


def test_the_rollback_that_the_report_ends_with_brings_the_same_objects_back() -> None:
    old = documents(workload(name="old"), service("old", node_port=30080))
    with shop(**{"old.yaml": old, "more.yaml": documents(config("more", "1"), config("kept", "1"))}) as site:
        kinds = (("Deployment", "old"), ("Service", "old"), ("ConfigMap", "more"))
        before = [unlike_each_life(live(site, *one)) for one in kinds]
        without(site, "old.yaml")
        site.files["more.yaml"] = config("kept", "2")
        ran = deploy(site, prune="delete")
        assert len(deletions(ran)) == 3, ran.log
        commands = re.findall(r"action: rollback, rollback_to: (.*), only: (.*)", message_of(ran.outcome))
        site.next_build()
        for target, only in commands:
            inputs = {"rollback_to": target, "only": only.replace(", ", "\n")}
            back = deploy(site, action="rollback", prune="delete", **inputs)
            assert (back.code, deletions(back)) == (0, []), back.log
        assert [unlike_each_life(live(site, *one)) for one in kinds] == before


# --- what people see ------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_plan_and_verdict_read_as_reviewed(language: Language, golden: Callable[[str, str], None]) -> None:
    held = yaml.safe_load(service("old"))
    grow(held, "metadata")["finalizers"] = ["example.com/cleanup"]
    old = documents(workload(name="old"), yaml.safe_dump(held), config("last", "1"))
    more = documents(config("more", "1"), "apiVersion: v1\nkind: Secret\nmetadata: {name: kept}\n")
    with shop(**{"old.yaml": old, "more.yaml": more, "away.yaml": config("away", "1")}) as site:
        cluster_of(site).delete("ConfigMap", NAMESPACE, "away")
        without(site, "old.yaml", "more.yaml", "away.yaml")
        lines: list[str] = []
        for limit in ("", "4"):
            outcome = replace(deploy(site, prune="delete", prune_limit=limit).outcome, language=language)
            assert outcome.plan is not None
            told = (*plan_lines(outcome.plan, language=language), *verdict_lines(outcome))
            lines += [*(line.text for line in told), ""]
        golden(f"end_to_end/prune.{language}.txt", re.sub(r"\b[0-9a-f]{32}\b", "<digest>", "\n".join(lines)))
        page = render_html(outcome)
        assert all(name in page for name in ("Service/old", "Secret/kept", "away.yaml"))
        document = plan_document(outcome)
        assert document is not None
        jsonschema.validate(document, SCHEMA)
