"""What is deployed, and what is left alone: trap 11 of facts/bcs.md is why that matters."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import yaml
from tests.emulator import Behaviour, Match
from tests.emulator.cluster.tree import Manifest, branch, grow, items
from tests.support.deploying import (
    DEPLOY,
    NAMESPACE,
    PREVIEW,
    calls_of,
    cluster_of,
    cluster_site,
    deploy,
    deployed_site,
    documents,
    image_live,
    image_of,
    live,
    mark_of,
    node_port,
    rollout_files,
    sent_files,
    service,
    workload,
)
from tests.support.publishing import SPACE, Ran, Site, config

from bcs_template_set.messages.errors import ManifestsInvalid
from bcs_template_set.report.output import message_of
from bcs_template_set.report.rollout_story import live_texts


def test_a_first_deployment_sends_every_file_in_one_call_and_waits_until_all_is_ready() -> None:
    with cluster_site(web_yaml=documents(workload(), service()), api_yaml=workload(name="api")) as site:
        ran = deploy(site)
        assert ran.outcome.error is None, ran.log
        assert (ran.outcome.result, rollout_files(ran)) == ("deployed", ["api.yaml", "web.yaml"])
        (call,) = calls_of(ran)
        assert sent_files(site, call) == ["api.yaml", "web.yaml"]
        assert (
            mark_of(site, "Deployment", "web") == mark_of(site, "Service", "web") == ran.output()["version"]
        )
        assert ran.outcome.rollout is not None
        assert [item.end for item in ran.outcome.rollout.watched] == ["ready", "ready"]


def test_an_unchanged_next_build_deploys_nothing() -> None:
    with deployed_site(web_yaml=workload()) as site:
        site.next_build()
        ran = deploy(site)
        assert (ran.outcome.error, calls_of(ran)) == (None, [])
        assert "Nothing to deploy" in ran.log
        assert rollout_files(ran) == []


def told_live(ran: Ran) -> list[str]:
    assert ran.outcome.rollout is not None
    return [text.render("en_US") for text in live_texts(ran.outcome.rollout, ran.outcome)]


def test_what_is_live_as_wanted_is_left_alone_whoever_made_it() -> None:
    """Made by kubectl: no mark. On this release the Service could not be replaced (trap 11)."""
    with cluster_site(routes_yaml=service(), web_yaml=workload()) as site:
        for text in site.files.values():
            made = yaml.safe_load(text)
            cluster_of(site).put({**made, "metadata": {**made["metadata"], "namespace": NAMESPACE}})
        ran = deploy(site)
        assert (ran.code, calls_of(ran)) == (0, []), ran.log
        assert "marked as another file's or as nobody's: Service/web, Deployment/web" in ran.log
        assert told_live(ran) == [
            "Live as wanted, and marked as another file's or as nobody's: routes.yaml, web.yaml"
        ]
        assert ran.versions()["web.yaml"]["state"] == ran.versions()["routes.yaml"]["state"] == "live"
        assert ran.outcome.rollout is not None
        assert [item.end for item in ran.outcome.rollout.watched] == ["ready"]
        site.next_build(web_yaml=workload(tag="2"))
        ran = deploy(site)
        assert [sent_files(site, call) for call in calls_of(ran)] == [["web.yaml"]]


def test_a_new_comment_is_published_and_sends_nothing() -> None:
    with deployed_site(routes_yaml=service(), web_yaml=workload()) as site:
        site.next_build(**{name: f"# new\n{text}" for name, text in site.files.items()})
        ran = deploy(site)
        assert (ran.code, calls_of(ran)) == (0, []), ran.log
        assert set(ran.states().values()) == {"applied"}
        assert "not marked as ours" not in ran.log
        assert told_live(ran) == ["Live now at version 1.0.7-main: routes.yaml, web.yaml"]


def test_what_the_dry_run_hides_is_looked_at_before_an_object_is_called_live() -> None:
    """BCS's preview leaves out the pods' securityContext: that the new version drops it shows elsewhere."""
    bound = yaml.safe_load(workload())
    bound["spec"]["template"]["spec"]["securityContext"] = {"runAsUser": 1000}
    with deployed_site(web_yaml=yaml.safe_dump(bound)) as site:
        site.next_build(web_yaml=workload())
        ran = deploy(site)
        assert rollout_files(ran) == ["web.yaml"]
        pods = branch(live(site, "Deployment", "web"), "spec", "template", "spec")
        assert pods["securityContext"] == {}


def by_hand(site: Site, kind: str = "Deployment", name: str = "web") -> None:
    """Set what a preview shows, and what it cuts, on a live workload."""
    found = live(site, kind, name)
    branch(found, "spec", "template", "spec").update(
        schedulerName="gpu", securityContext={"runAsUser": 7}, nodeSelector={"pool": "big"}
    )
    grow(found, "metadata", "annotations")["on-call"] = "ann"
    cluster_of(site).put(found)


LOST = ("schedulerName: gpu", "runAsUser: 7", "pool: big", "on-call: ann")


def test_what_a_hand_has_set_is_shown_before_a_replacement_takes_it_away_also_what_a_preview_cuts() -> None:
    with deployed_site(web_yaml=workload(), api_yaml=workload(name="api")) as site:
        by_hand(site)
        by_hand(site, name="api")
        site.next_build(web_yaml=workload(tag="2"), api_yaml=workload(name="api", tag="2"))
        fault = site.fault("answer", Match("GET", r"/deployments/api$"), status=200)
        fault.body = '{"code":40300,"message":"no permission","requestID":"x","data":null}'
        ran = deploy(site)
        assert (ran.code, rollout_files(ran)) == (0, ["api.yaml", "web.yaml"]), ran.log
        changes = ran.log.partition("what this changes")[2].partition("could not be read")
        assert [changes[0].count(line) for line in LOST] == [1, 1, 2, 2]
        assert changes[1]


def test_one_new_image_deploys_its_file_and_leaves_the_service_alone() -> None:
    with deployed_site(web_yaml=workload(), routes_yaml=service(), api_yaml=workload(name="api")) as site:
        port, writes = node_port(site), len(cluster_of(site).writes)
        site.next_build(web_yaml=workload(tag="2"))
        ran = deploy(site)
        assert ran.outcome.error is None, ran.log
        (call,) = calls_of(ran)
        assert sent_files(site, call) == ["web.yaml"]
        assert cluster_of(site).writes[writes:] == [("Deployment", NAMESPACE, "web")]
        assert (image_live(site, "Deployment", "web"), node_port(site)) == (image_of("web", "2"), port)
        assert f"-      - image: {image_of('web')}" in ran.log
        assert f"+      - image: {image_of('web', '2')}" in ran.log


def test_redeploy_sends_all_files_changed_or_not() -> None:
    with deployed_site(web_yaml=workload(), api_yaml=workload(name="api")) as site:
        site.next_build()
        (call,) = calls_of(deploy(site, redeploy="true"))
        assert sent_files(site, call) == ["api.yaml", "web.yaml"]


def test_a_step_retried_after_a_time_out_waits_on_without_deploying_again() -> None:
    with cluster_site(web_yaml=workload()) as site:
        cluster_of(site).images[image_of("web")] = Behaviour("ready", after=200)
        first = deploy(site, timeout="60")
        assert (first.code, first.outcome.result) == (800508, "timed-out")
        assert "Running again is safe" in first.log
        assert "within 60 s" in first.log
        second = deploy(site)
        assert (second.code, second.outcome.result, calls_of(second)) == (0, "deployed", [])
        assert second.outcome.rollout is not None
        assert [item.end for item in second.outcome.rollout.watched] == ["ready"]


def test_a_published_build_can_be_deployed_later() -> None:
    with cluster_site(web_yaml=workload()) as site:
        site.run()
        site.next_build()
        ran = deploy(site)
        assert (ran.code, rollout_files(ran)) == (0, ["web.yaml"])
        assert mark_of(site, "Deployment", "web") == site.version_names("web.yaml")[0]


@pytest.mark.parametrize(
    ("new", "says", "told"),
    [("api", "", True), ("worker", "", False), ("api", '{"code": 1, "message": "etcd is away"}', False)],
)
def test_an_object_is_called_deleted_only_where_the_version_that_was_deployed_is_seen_to_hold_it(
    new: str,
    says: str,
    told: bool,  # noqa: FBT001 - a column of the table
) -> None:
    with deployed_site(web_yaml=documents(workload(), workload(name="api"))) as site:
        cluster_of(site).delete("Deployment", NAMESPACE, "api")
        site.next_build(web_yaml=documents(workload(tag="2"), workload(name=new)))
        site.run()
        site.next_build(web_yaml=documents(workload(tag="3"), workload(name=new)))
        if says:
            site.fault("answer", Match("POST", r"/template/detail$"), times=9, status=200).body = says
        ran = deploy(site)
        site.emulator.faults.clear()
        assert (ran.code, rollout_files(ran)) == (0, ["web.yaml"]), ran.log
        assert (f"(version 1.0.7-main): Deployment/{new}. Somebody has deleted" in ran.log) is told, ran.log


def change_live(site: Site, kind: str, name: str, change: Callable[[Manifest], object]) -> None:
    """Change a live object by other hands than BCS's."""
    found = cluster_of(site).get(kind, NAMESPACE, name)
    change(found)
    cluster_of(site).put(found)


def test_what_somebody_changed_by_hand_is_not_what_the_run_says_is_live_so_it_is_deployed() -> None:
    with deployed_site(web_yaml=workload()) as site:
        site.clock.time += 60
        change_live(
            site,
            "Deployment",
            "web",
            lambda found: items(found, "spec", "template", "spec", "containers")[0].update(
                image=image_of("web", "by-hand")
            ),
        )
        site.next_build()
        ran = deploy(site)
        assert (ran.code, rollout_files(ran)) == (0, ["web.yaml"]), ran.log
        assert "somebody changed the cluster by hand" in ran.log
        assert f"-      - image: {image_of('web', 'by-hand')}" in ran.log
        assert image_live(site, "Deployment", "web") == image_of("web")
        assert calls_of(deploy(site)) == [], "and then it is live"


def test_a_number_of_pods_that_an_autoscaler_set_is_said_and_left() -> None:
    with deployed_site(web_yaml=workload(replicas=2)) as site:
        change_live(site, "Deployment", "web", lambda found: branch(found, "spec").update(replicas=5))
        site.clock.time += 60
        site.next_build()
        ran = deploy(site)
        assert (ran.code, calls_of(ran)) == (0, [])
        assert "Deployment/web: 5 pods now, 2 in the file" in ran.log
        assert branch(live(site, "Deployment", "web"), "spec")["replicas"] == 5


def test_a_version_that_was_rewritten_in_place_is_deployed_and_nobody_is_accused() -> None:
    with cluster_site(web_yaml=workload(), routes_yaml=service()) as site:
        assert deploy(site, version="1.0.0").code == 0
        site.next_build(web_yaml=workload(tag="2"))
        ran = deploy(site, version="1.0.0", overwrite_version="true")
        assert (ran.code, ran.outcome.result, rollout_files(ran)) == (0, "deployed", ["web.yaml"]), ran.log
        assert image_live(site, "Deployment", "web") == image_of("web", "2")
        assert "by hand" not in ran.log
        assert re.search(
            r"^update +web.yaml +1.0.0 \(content rewritten\) +web:1 -> 2$", ran.log, re.MULTILINE
        ), ran.log
        site.next_build()
        assert calls_of(deploy(site, version="1.0.0", overwrite_version="true")) == []


def test_a_version_that_an_earlier_build_rewrote_without_deploying_is_deployed() -> None:
    lines = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: c}\ndata: {a: x, b: y}\n"
    with cluster_site(web_yaml=lines) as site:
        deploy(site, version="1.0.0")
        site.next_build(web_yaml=lines.replace(", b: y", ""))
        site.run(version="1.0.0", overwrite_version="true")
        site.next_build()
        ran = deploy(site, version="1.0.0")
        assert rollout_files(ran) == ["web.yaml"], ran.log
        assert live(site, "ConfigMap", "c")["data"] == {"a": "x"}


def test_a_rewritten_version_that_bcs_says_it_deployed_and_did_not_is_no_success() -> None:
    with cluster_site(web_yaml=workload()) as site:
        deploy(site, version="1.0.0")
        site.next_build(web_yaml=workload(tag="2"))
        fault = site.fault("answer", DEPLOY, status=200)
        fault.body = '{"code": 0, "message": "OK", "data": null}'
        ran = deploy(site, version="1.0.0", overwrite_version="true")
        assert (ran.code, ran.outcome.result) == (800505, "failed"), ran.log
        assert "Deployment/web: not applied" in ran.log


OWN_BRACES = "# bcs-template-set: allow leftover-variable\n" + config("settings", "{{ TAG }}")


@pytest.mark.parametrize(
    "text", [config("settings", "{{ bcs('TAG') }}"), "{% raw %}" + OWN_BRACES + "{% endraw %}"]
)
def test_another_value_of_a_variable_is_deployed_whoever_wrote_the_braces(text: str) -> None:
    with cluster_site() as site:
        site.files = {"web.yaml.j2": text}
        assert deploy(site, variables="TAG: one").code == 0
        site.next_build()
        assert calls_of(deploy(site, variables="TAG: one")) == []
        site.next_build()
        ran = deploy(site, variables="TAG: two")
        assert rollout_files(ran) == ["web.yaml"], ran.log
        assert live(site, "ConfigMap", "settings")["data"] == {"key": "two"}


def test_a_number_of_pods_that_a_variable_gives_is_deployed() -> None:
    with cluster_site() as site:
        site.files = {"web.yaml.j2": workload().replace("spec:\n", "spec:\n  replicas: {{ bcs('N') }}\n", 1)}
        assert deploy(site, variables="N: 2").code == 0
        site.next_build()
        assert rollout_files(deploy(site, variables="N: 3")) == ["web.yaml"]
        assert branch(live(site, "Deployment", "web"), "spec")["replicas"] == 3


def pod_context(user: int) -> str:
    found = yaml.safe_load(workload())
    found["spec"]["template"]["spec"]["securityContext"] = {"runAsUser": user}
    return yaml.safe_dump(found)


def test_what_a_preview_hides_is_read_from_the_object_itself() -> None:
    """BCS's preview cuts the pod template's securityContext from the live text."""
    with cluster_site(web_yaml=pod_context(1000)) as site:
        deploy(site, version="1.0.0")
        site.next_build()
        unchanged = deploy(site, version="1.0.0")
        assert (unchanged.code, calls_of(unchanged)) == (0, []), unchanged.log
        site.next_build(web_yaml=pod_context(2000))
        site.run(version="1.0.0", overwrite_version="true")
        assert rollout_files(deploy(site, version="1.0.0")) == ["web.yaml"]
        site.next_build(web_yaml=pod_context(3000))
        assert rollout_files(deploy(site)) == ["web.yaml"]


def honest() -> str:
    """Return documents that an API server stores in other words."""
    found = yaml.safe_load(workload())
    pod = found["spec"]["template"]["spec"]
    pod["containers"][0]["resources"] = {"limits": {"cpu": "1000m", "memory": "1024Mi"}}
    pod["containers"][0]["volumeMounts"] = [
        {"name": "v", "mountPath": "/a", "subPath": "a"},
        {"name": "v", "mountPath": "/b", "subPath": "b"},
    ]
    pod["volumes"] = [{"name": "v", "emptyDir": {}}]
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s"},
        "stringData": {"a": "canary-x"},
    }
    return documents(yaml.safe_dump(found), yaml.safe_dump(secret))


def test_an_unchanged_build_of_what_the_api_server_words_otherwise_deploys_nothing() -> None:
    with deployed_site(web_yaml=honest(), routes_yaml=service()) as site:
        writes = len(cluster_of(site).writes)
        site.next_build()
        ran = deploy(site)
        assert (ran.code, calls_of(ran)) == (0, []), ran.log
        assert len(cluster_of(site).writes) == writes


def test_without_a_wait_the_deployment_itself_is_the_end() -> None:
    with cluster_site(web_yaml=workload()) as site:
        cluster_of(site).images[image_of("web")] = Behaviour("not-found")
        ran = deploy(site, timeout="0")
        assert (ran.code, ran.outcome.result) == (0, "deployed")
        assert "timeout is 0" in ran.log


def test_files_without_workloads_have_nothing_to_wait_for_and_that_is_said() -> None:
    with cluster_site(web_yaml=service()) as site:
        ran = deploy(site)
        assert ran.outcome.result == "deployed"
        assert "Nothing to wait for" in ran.log


def test_a_server_that_forgets_what_it_lists_makes_no_false_success() -> None:
    """A preview without the objects says nothing of what is live, or of what would be."""
    with deployed_site(web_yaml=workload()) as site:
        site.next_build()
        body = '{"code": 0, "message": "OK", "data": {"items": [], "error": ""}}'
        fault = site.fault("answer", PREVIEW, times=99, status=200)
        fault.body = body
        ran = deploy(site)
        assert (ran.code, len(calls_of(ran))) == (800609, 0)
        assert rollout_files(ran) == []
        site.emulator.faults.clear()


def test_what_a_file_of_the_same_name_in_another_space_has_made_is_not_ours() -> None:
    with cluster_site(web_yaml=workload()) as site:
        deploy(site, template_space="other")
        ran = deploy(site)
        assert (ran.code, calls_of(ran)) == (0, [])
        assert "marked as another file's or as nobody's: Deployment/web" in ran.log
        ran = deploy(site, redeploy="true")
        assert (ran.code, rollout_files(ran)) == (0, ["web.yaml"])
        annotations = cluster_of(site).get("Deployment", NAMESPACE, "web")["metadata"]
        assert f"{SPACE}/web.yaml" in str(annotations)


def test_an_unchanged_build_over_a_broken_rollout_is_no_success() -> None:
    with cluster_site(web_yaml=workload()) as site:
        cluster_of(site).images[image_of("web")] = Behaviour("not-found")
        assert deploy(site).code == 800506
        site.next_build()
        ran = deploy(site)
        assert (ran.code, calls_of(ran)) == (800506, [])


def test_an_optional_file_that_renders_to_nothing_is_left_as_it_is() -> None:
    optional = "{% if build.number == 7 %}" + config("extra", "1") + "{% endif %}# optional\n"
    with cluster_site(web_yaml=workload()) as site:
        site.files["extra.yaml.j2"] = optional
        assert deploy(site).code == 0
        site.next_build(web_yaml=workload(tag="2"))
        ran = deploy(site)
        assert ran.outcome.result == "deployed", ran.log
        assert list(ran.versions()) == ["web.yaml"]
        assert "make no file of this run: extra.yaml (manifests/extra.yaml.j2)." in ran.log
        assert "rendered no more: ConfigMap/extra (extra.yaml)." in ran.log
        assert site.version_names("extra.yaml") == ["1.0.7-main"]
        assert live(site, "ConfigMap", "extra")
        del site.files["web.yaml"]
        assert deploy(site).code == ManifestsInvalid.code


def test_what_is_dropped_from_a_file_or_rendered_no_more_stays_and_is_said() -> None:
    both = documents(workload(), workload(name="canary"))
    with deployed_site(web_yaml=both, old_yaml=documents(workload(name="old"), service("old"))) as site:
        site.next_build(web_yaml=documents(workload(tag="2"), service("web")))
        del site.files["old.yaml"]
        ran = deploy(site)
        assert ran.outcome.result == "deployed", ran.log
        assert live(site, "Deployment", "canary")
        message = message_of(ran.outcome)
        for told in (ran.log, message):
            assert "rendered no more: Service/old (old.yaml), Deployment/canary (web.yaml), " in told
