"""What Kubernetes does not replace, or does not have: said before it stands in the way (trap 11)."""

from __future__ import annotations

import yaml
from tests.emulator import Match
from tests.support.deploying import (
    CLUSTER,
    NAMESPACE,
    calls_of,
    cluster_of,
    cluster_site,
    deploy,
    deployed_site,
    documents,
    image_live,
    rollout_files,
    take_release,
    workload,
)
from tests.support.publishing import Ran, Site, config, routes

PLAN = {"action": "plan", "cluster_id": CLUSTER, "namespace": NAMESPACE}
LIST_JOBS = Match("GET", r"/workloads/jobs$")
CLAIM = yaml.safe_dump(
    {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
)


def both(*, job: str = "1", web: str = "1") -> str:
    return documents(workload("Job", name="migrate", tag=job), workload(tag=web))


def check_refused_early(ran: Ran, words: str) -> None:
    assert (ran.code, ran.writes) == (800520, []), ran.log
    for part in (words, "{{ build.number }}", "a file of its own", "delete it in the cluster first"):
        assert part in ran.log


def test_a_job_beside_what_changes_is_refused_before_anything_is_written() -> None:
    with cluster_site(web_yaml=both()) as site:
        first = deploy(site)
        assert first.code == 0, first.log
        site.next_build(web_yaml=both(web="2"))
        words = "Job/migrate is in the cluster already, as web.yaml wants it; but the file is to be sent"
        check_refused_early(site.run(**PLAN), words)
        check_refused_early(deploy(site), words)
        site.next_build(web_yaml=both(job="2"))
        check_refused_early(deploy(site), "and web.yaml wants it to be otherwise")
        cluster_of(site).delete("Job", NAMESPACE, "migrate")
        assert deploy(site).code == 0


def test_a_job_in_a_file_of_its_own_is_live_already_while_others_change() -> None:
    with deployed_site(job_yaml=workload("Job", name="migrate"), web_yaml=workload()) as site:
        site.next_build(web_yaml=workload(tag="2"), job_yaml=f"# new\n{workload('Job', name='migrate')}")
        ran = deploy(site)
        assert (ran.code, rollout_files(ran)) == (0, ["web.yaml"]), ran.log
        site.next_build(web_yaml=workload(tag="3"))
        again = deploy(site, redeploy="true")
        assert (again.code, again.writes) == (800520, []), "refused before anything is published"
        assert "Leave redeploy off" in again.log
        assert "a file of its own" not in again.log
        site.next_build(job_yaml=workload("Job", name="migrate", tag="2"))
        check_refused_early(deploy(site, redeploy="true"), "and job.yaml wants it to be otherwise")


def refused_at_deployment(site: Site, words: str) -> None:
    ran = deploy(site)
    assert (ran.code, calls_of(ran)) == (800520, []), ran.log
    assert words in ran.log


def test_where_nobody_may_list_jobs_the_deployment_refuses() -> None:
    with deployed_site(web_yaml=both()) as site:
        site.next_build(web_yaml=both(web="2"))
        site.fault("answer", LIST_JOBS, status=200).body = '{"code": 40300, "message": "no", "data": null}'
        refused_at_deployment(site, "Job/migrate is in the cluster already")


def test_of_a_job_with_variables_only_the_deployment_knows() -> None:
    with cluster_site() as site:
        site.files = {"web.yaml.j2": both().replace("example.com/migrate:1", "{{ bcs('IMAGE') }}")}
        assert deploy(site, variables="IMAGE: example.com/migrate:1").code == 0
        site.next_build()
        ran = deploy(site, variables="IMAGE: example.com/migrate:2")
        assert (ran.code, calls_of(ran)) == (800520, []), ran.log


def test_a_bound_claim_beside_what_changes_is_refused_before_anything_is_deployed() -> None:
    with deployed_site(web_yaml=documents(CLAIM, config("settings", "1"))) as site:
        site.next_build(web_yaml=documents(CLAIM, config("settings", "2")))
        assert deploy(site).code == 0, "it is not bound yet"
        cluster_of(site).bind(NAMESPACE, "data")
        site.next_build(web_yaml=documents(CLAIM, config("settings", "3")))
        refused_at_deployment(site, "PersistentVolumeClaim/data is in the cluster already, as web.yaml")


def test_a_file_that_will_block_itself_is_warned_of_in_log_and_report() -> None:
    with cluster_site(web_yaml=both()) as site:
        ran = deploy(site)
        assert ran.code == 0
        assert ", Job/migrate: Kubernetes does not replace a Job that exists" in ran.log
        assert ["[replace]" in str(warning) for warning in ran.outcome.warnings] == [True]
        site.next_build()
        ran = deploy(site, strict="true")
        assert (ran.code, ran.writes) == (800307, [])
        site.next_build(web_yaml=f"# bcs-template-set: allow replace\n{both()}")
        assert deploy(site).outcome.warnings == ()


def test_a_cluster_that_is_too_old_for_the_ingresses_is_told_before_anything_is_written() -> None:
    with cluster_site(web_yaml=routes("a.example.com", "/")) as site:
        take_release(site, "1.18")
        ran = deploy(site)
        assert (ran.code, ran.writes) == (800307, []), ran.log
        assert "serves Ingresses as networking.k8s.io/v1beta1" in ran.log
        assert "older than 1.19" in ran.log
        take_release(site, "1.19")
        assert (deploy(site).code, image_live(site, "Deployment", "a")) == (0, "example.com/a:1")


def test_an_old_cluster_is_no_matter_where_no_ingress_needs_a_newer_one() -> None:
    with cluster_site(web_yaml=routes("a.example.com", "/").rpartition("---")[0]) as site:
        take_release(site, "1.18")
        assert deploy(site).code == 0


ROLE = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: reader}\nrules: []\n"


def test_rights_on_the_whole_cluster_are_given_only_where_the_manifest_says_so() -> None:
    with cluster_site(web_yaml=ROLE) as site:
        ran = deploy(site)
        assert (ran.code, ran.exchanges) == (800307, ())
        assert "a ClusterRole is the whole cluster's" in ran.log
        site.next_build(web_yaml=f"# bcs-template-set: allow cluster-scoped\n{ROLE}")
        for ran in (site.run(**PLAN), deploy(site)):
            assert ran.code == 0, ran.log
            assert "not for the namespace alone: ClusterRole/reader" in ran.log
            assert [warning.key for warning in ran.outcome.warnings] == ["checks.cluster_wide"]


def test_a_key_that_is_a_word_is_named_with_its_line_before_anything_is_sent() -> None:
    with cluster_site(web_yaml=f"{config('settings', 'x')}  on: x\n") as site:
        ran = deploy(site)
        assert (ran.code, ran.exchanges) == (800307, ())
        assert "web.yaml:7:3: " in ran.log
        assert 'the key on without quotes is not text to BCS: it would arrive as "true"' in ran.log


def reading(tag: str = "1") -> str:
    """Return a Deployment whose container reads ConfigMap/settings."""
    manifest = yaml.safe_load(workload(tag=tag))
    (container,) = manifest["spec"]["template"]["spec"]["containers"]
    container["envFrom"] = [{"configMapRef": {"name": "settings"}}]
    return yaml.safe_dump(manifest)


def test_settings_that_changed_under_pods_that_did_not_are_said() -> None:
    with cluster_site(settings_yaml=config("settings", "1"), web_yaml=reading()) as site:
        assert deploy(site).outcome.warnings == ()
        site.next_build(settings_yaml=config("settings", "2"))
        ran = deploy(site)
        assert (ran.code, rollout_files(ran)) == (0, ["settings.yaml"]), ran.log
        assert "no pod was restarted; what it reads did: ConfigMap/settings" in ran.log
        assert [warning.key for warning in ran.outcome.warnings] == ["deploy.no_restart"]
        ran = deploy(site, redeploy="true")
        assert [warning.key for warning in ran.outcome.warnings] == ["deploy.redeploy_no_restart"]
        site.next_build(settings_yaml=config("settings", "3"), web_yaml=reading("2"))
        assert deploy(site).outcome.warnings == ()
