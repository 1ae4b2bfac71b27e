"""What is refused before anything is deployed: variables, dry run, selectors, Services, places."""

from __future__ import annotations

import json

from tests.emulator import Dialect, Fault, Match
from tests.emulator.cluster.tree import Manifest, branch, items, text
from tests.support.deploying import (
    ASK_RIGHT,
    CLUSTER,
    NAMESPACE,
    calls_of,
    cluster_of,
    cluster_site,
    deploy,
    deployed_site,
    documents,
    live,
    mark_of,
    node_port,
    rollout_files,
    service,
    take_release,
    workload,
)
from tests.support.living import live as live_run
from tests.support.planned import ingress
from tests.support.publishing import USER, Ran, config
from tests.support.scenarios import BY_NAME, DEPLOY

NAMESPACES = Match("GET", r"/clusters/[^/]+/namespaces$")


def with_variables(*names: str) -> str:
    """Return a template whose rendered ConfigMap leaves these names to BCS."""
    return config("settings", " ".join(f"{{{{ bcs('{name}') }}}}" for name in names))


def value_of(site_live: Manifest) -> str:
    return text(branch(site_live, "data"), "key")


def check_nothing_sent(ran: Ran) -> None:
    assert calls_of(ran) == [], "nothing is deployed"
    assert rollout_files(ran) == []
    assert ran.outcome.result != "deployed"


# --- variables ------------------------------------------------------------------------------------------


def test_every_variable_without_a_value_is_named_at_once() -> None:
    with cluster_site() as site:
        site.files = {"a.yaml.j2": with_variables("ONE", "TWO", "THREE")}
        site.emulator.state.set_namespace_variable("TWO", "2", cluster=CLUSTER, namespace=NAMESPACE)
        ran = deploy(site)
        assert ran.code == 800309
        check_nothing_sent(ran)
        assert "ONE has no value" in ran.log
        assert "THREE has no value" in ran.log
        assert "TWO has no value" not in ran.log


def test_the_namespaces_values_are_sent_along_and_the_authors_win() -> None:
    with cluster_site() as site:
        site.files = {"a.yaml.j2": with_variables("ONE", "TWO")}
        for name in ("ONE", "TWO"):
            site.emulator.state.set_namespace_variable(name, "theirs", cluster=CLUSTER, namespace=NAMESPACE)
        ran = deploy(site, variables="ONE: mine")
        assert ran.code == 0, ran.log
        sent = json.loads(calls_of(ran)[0].request.body)["variables"]
        assert sent == {"ONE": "mine", "TWO": "theirs"}
        assert value_of(live(site, "ConfigMap", "settings")) == "mine theirs"


def test_a_branchs_name_gets_no_value_out_of_bcs() -> None:
    with cluster_site() as site:
        site.files = {"a.yaml.j2": config("settings", "X").replace('"X"', "'{{ branch.name }}'")}
        site.branch = "x{{DB_PASSWORD}}"
        ran = deploy(site, version="1.0.7", variables="DB_PASSWORD: hunter22")
        assert ran.code == 800307
        check_nothing_sent(ran)
        assert "line 6 of what it renders to" in ran.log


def test_another_value_of_a_variable_deploys_the_file_again() -> None:
    with cluster_site() as site:
        site.files = {"a.yaml.j2": with_variables("ONE")}
        deploy(site, variables="ONE: first")
        ran = deploy(site, variables="ONE: second")
        assert (ran.code, rollout_files(ran)) == (0, ["a.yaml"])
        assert value_of(live(site, "ConfigMap", "settings")) == "second"
        assert calls_of(deploy(site, variables="ONE: second")) == []


def test_a_plan_for_a_namespace_refuses_variables_that_it_can_know_to_lack() -> None:
    with cluster_site() as site:
        site.files = {"a.yaml.j2": with_variables("ONE", "TWO")}
        site.run(variables="ONE: '1'\nTWO: '2'")
        site.next_build()
        ran = site.run(action="plan", cluster_id=CLUSTER, namespace=NAMESPACE, variables="ONE: '1'")
        assert (ran.code, ran.written) == (800309, [])
        assert "TWO has no value" in ran.log


def test_variables_that_bcs_does_not_tell_a_plan_are_asked_for_once_more() -> None:
    with cluster_site() as site:
        site.files = {"a.yaml.j2": with_variables("ONE")}
        site.run(variables="ONE: '1'")
        site.next_build()
        refused = '{"code": 1, "message": "record not found", "data": null}'
        asking = Match("POST", "/template/variables")
        site.emulator.faults.add(Fault("answer", asking, times=1, status=200, body=refused))
        ran = site.run(action="plan", cluster_id=CLUSTER, namespace=NAMESPACE)
        assert (ran.code, ran.written) == (800309, [])
        assert "ONE has no value" in ran.log


def test_a_plan_for_a_namespace_takes_the_values_that_the_namespace_has() -> None:
    with cluster_site() as site:
        site.files = {"a.yaml.j2": with_variables("ONE", "TWO")}
        site.run(variables="ONE: '1'\nTWO: '2'")
        site.next_build()
        site.emulator.state.set_namespace_variable("TWO", "2", cluster=CLUSTER, namespace=NAMESPACE)
        ran = site.run(action="plan", cluster_id=CLUSTER, namespace=NAMESPACE, variables="ONE: '1'")
        assert (ran.code, ran.outcome.result) == (0, "planned"), ran.log


def test_a_plan_of_versions_that_exist_shows_the_live_difference_and_the_dry_runs_word() -> None:
    with deployed_site(web_yaml=workload()) as site:
        site.next_build(web_yaml=workload(tag="2"))
        site.run()
        ran = site.run(action="plan", cluster_id=CLUSTER, namespace=NAMESPACE)
        assert (ran.code, ran.outcome.result) == (0, "planned"), ran.log
        assert "+      - image: example.com/web:2" in ran.log
        assert "dry run accepts" in ran.log
        assert calls_of(ran) == []


# --- dry run --------------------------------------------------------------------------------------------


def test_a_refused_dry_run_names_the_object_and_nothing_is_deployed() -> None:
    with cluster_site(web_yaml=workload(), bad_yaml=service("web", node_port=31500)) as site:
        cluster_of(site).put(taken_port(31500))
        ran = deploy(site)
        assert ran.code == 800501
        assert 'Service "web" is invalid' in ran.log
        assert "31500" in ran.log
        check_nothing_sent(ran)
        assert cluster_of(site).find_all("Deployment", NAMESPACE) == []


def taken_port(number: int) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "other", "namespace": NAMESPACE},
        "spec": {"type": "NodePort", "ports": [{"port": 80, "nodePort": number}]},
    }


def test_a_selector_that_would_change_is_refused_with_the_live_one() -> None:
    with deployed_site(web_yaml=workload()) as site:
        other = workload().replace("app: web", "app: shop")
        site.next_build(web_yaml=other)
        ran = deploy(site)
        assert ran.code == 800502
        assert "Deployment/web: its selector is app=web in the cluster and would become app=shop" in ran.log
        check_nothing_sent(ran)


def test_a_plan_of_versions_that_exist_refuses_a_selector_that_would_change() -> None:
    with deployed_site(web_yaml=workload()) as site:
        site.next_build(web_yaml=workload().replace("app: web", "app: shop"))
        site.run()
        ran = site.run(action="plan", cluster_id=CLUSTER, namespace=NAMESPACE)
        assert (ran.code, ran.written) == (800502, []), ran.log


# --- Services (trap 11) ---------------------------------------------------------------------------------


def test_a_newer_api_server_keeps_the_node_port_of_a_replaced_service() -> None:
    with cluster_site(web_yaml=service()) as site:
        take_release(site, "1.23")
        deploy(site)
        port = node_port(site)
        site.next_build(web_yaml=service(note="2"))
        ran = deploy(site)
        assert (ran.code, node_port(site)) == (0, port)
        assert ran.outcome.warnings == ()


def test_an_old_api_server_that_would_refuse_is_told_before_with_the_live_address_and_ports() -> None:
    with deployed_site(web_yaml=service()) as site:
        port = node_port(site)
        address = text(live(site, "Service", "web"), "spec", "clusterIP")
        site.next_build(web_yaml=service(note="2"))
        ran = deploy(site)
        assert ran.code == 800501
        assert f"clusterIP {address}" in ran.log
        assert f"80: {port}" in ran.log
        check_nothing_sent(ran)
        assert node_port(site) == port


def test_a_service_that_would_lose_its_node_port_is_refused_with_the_value_to_set() -> None:
    with deployed_site(web_yaml=service()) as site:
        port = node_port(site)
        address = text(live(site, "Service", "web"), "spec", "clusterIP")
        with_address = service(note="2").replace("spec:\n", f"spec:\n  clusterIP: {address}\n")
        site.next_build(web_yaml=with_address)
        ran = deploy(site)
        assert ran.code == 800503
        assert f"Set node_port to {port}" in ran.log
        check_nothing_sent(ran)
        site.next_build(web_yaml=with_address.replace("nodePort: 0", f"nodePort: {port}"))
        assert (deploy(site).code, node_port(site)) == (0, port)


def test_a_node_port_that_the_author_changes_is_said() -> None:
    with cluster_site(web_yaml=service(node_port=31500)) as site:
        take_release(site, "1.23")
        deploy(site)
        site.next_build(web_yaml=service(node_port=31600))
        ran = deploy(site)
        assert (ran.code, node_port(site)) == (0, 31600)
        assert "Service/web: the nodePort of port 80 changes from 31500 to 31600, as asked for" in ran.log


def test_a_node_port_that_changed_though_nobody_asked_is_said() -> None:
    """A newer API server carries ports over by name: with another name it gives another port."""
    with cluster_site(web_yaml=service()) as site:
        take_release(site, "1.23")
        deploy(site)
        port = node_port(site)
        site.next_build(web_yaml=service(port_name="web"))
        ran = deploy(site)
        assert ran.code == 0
        assert node_port(site) != port
        assert f"port 80 had nodePort {port} and now has {node_port(site)}" in ran.log
        assert any(warning.key == "deploy.port_moved" for warning in ran.outcome.warnings)


# --- places and permissions -----------------------------------------------------------------------------


def test_a_namespace_that_does_not_exist_is_said_as_that() -> None:
    with cluster_site(web_yaml=workload()) as site:
        ran = deploy(site, namespace="prd")
        assert (ran.code, ran.written) == (800220, []), ran.log
        assert f"Cluster {CLUSTER} has no namespace prd" in ran.log
        assert "Did you mean prod?" in ran.log
        plan = site.run(action="plan", cluster_id=CLUSTER, namespace="nowhere")
        assert (plan.code, plan.written) == (800220, [])
        assert "Did you mean" not in plan.log


def test_where_namespaces_cannot_be_listed_one_that_is_not_there_is_told_by_the_dry_run() -> None:
    with cluster_site(web_yaml=workload()) as site:
        site.fault("answer", NAMESPACES, status=403).body = '{"code": 1640301, "message": "no"}'
        ran = deploy(site, namespace="nowhere")
        assert ran.code == 800501
        assert f"Cluster {CLUSTER} has no namespace nowhere of this project." in ran.log
        check_nothing_sent(ran)


def test_a_cluster_that_there_is_not_is_told_before_anything_is_written() -> None:
    with cluster_site(web_yaml=workload()) as site:
        ran = deploy(site, cluster_id="BCS-K8S-49999")
        assert (ran.code, ran.written) == (800212, []), ran.log


def test_a_cluster_of_another_project_is_said_as_that() -> None:
    with cluster_site(web_yaml=workload()) as site:
        site.emulator.state.add_project("other")
        site.emulator.state.add_cluster("BCS-K8S-41000", project="other", namespaces=(NAMESPACE,))
        ran = deploy(site, project_code="web", cluster_id="BCS-K8S-41000")
        assert ran.code == 800212
        assert "BCS-K8S-41000 is not one of project web's clusters" in ran.log
        check_nothing_sent(ran)


def test_a_plan_for_an_unknown_cluster_is_refused_too() -> None:
    with cluster_site() as site:
        site.files = {"a.yaml.j2": with_variables("ONE")}
        site.run(variables="ONE: '1'")
        for files in (site.files, {"a.yaml.j2": ingress("a.example.com", "/")}):
            site.files = files
            ran = site.run(
                action="plan", cluster_id="BCS-K8S-49999", namespace=NAMESPACE, variables="ONE: '1'"
            )
            assert (ran.code, ran.written) == (800212, []), ran.log
            assert "BCS-K8S-49999 is not one of project web's clusters" in ran.log


def test_without_the_permission_to_deploy_it_and_the_link_are_named() -> None:
    with cluster_site(web_yaml=workload()) as site:
        cluster_of(site).deny(USER, "namespace_scoped_create")
        ran = deploy(site, on_failure="restore")
        assert (ran.code, ran.outcome.result, ran.written) == (800210, "failed", [])
        for said in (
            "lisi",
            "web_app",
            "namespace_scoped_create",
            "https://iam.example.com/",
            "nothing was",
        ):
            assert said in ran.log, said
        assert ran.output()["changed"] == "false"


def test_a_refusal_without_a_link_names_the_actions_all_the_same() -> None:
    with cluster_site(web_yaml=workload()) as site:
        site.emulator.state.dialect = Dialect.MULTI_TENANT
        cluster_of(site).deny(USER, "namespace_scoped_create")
        ran = deploy(site)
        assert (ran.code, ran.written) == (800210, [])
        assert "Permission: Create Resource(namespace_scoped) (namespace_scoped_create)" in ran.log
        assert "Apply at" not in ran.log


def test_a_plan_says_whether_a_deployment_would_be_allowed_and_goes_on() -> None:
    with cluster_site(web_yaml=workload()) as site:
        ran = site.run(action="plan", cluster_id=CLUSTER, namespace=NAMESPACE)
        assert (ran.code, ran.written) == (0, [])
        assert f"BCS allows a deployment into namespace {NAMESPACE}" in ran.log
        cluster_of(site).deny(USER, "namespace_scoped_create")
        ran = site.run(action="plan", cluster_id=CLUSTER, namespace=NAMESPACE)
        assert (ran.code, ran.outcome.result, ran.written) == (0, "planned", []), ran.log
        (warning,) = ran.outcome.warnings
        for said in ("lisi", "web_app", "namespace_scoped_create", "https://iam.example.com/"):
            assert said in warning.render("en_US"), said


def test_a_plan_that_may_not_ask_says_so_and_goes_on() -> None:
    with cluster_site(web_yaml=workload()) as site:
        site.fault("answer", ASK_RIGHT, status=403).body = '{"code": 1640301, "message": "no"}'
        ran = site.run(action="plan", cluster_id=CLUSTER, namespace=NAMESPACE)
        assert (ran.code, ran.written) == (0, []), ran.log
        assert "could not be asked" in ran.log


def test_whoever_publishes_alone_asks_for_no_right_to_deploy() -> None:
    with cluster_site(web_yaml=workload()) as site:
        ran = site.run(cluster_id=CLUSTER, namespace=NAMESPACE)
        assert ran.code == 0
        assert not [call for call in ran.exchanges if call.path.endswith("/template/deploy")]


def test_without_the_permission_to_look_nobody_knows_and_it_and_the_link_are_named() -> None:
    with cluster_site(a_yaml=workload(name="a"), b_yaml=workload(name="b"), c_yaml=config("c", "1")) as site:
        cluster_of(site).deny(USER, "namespace_scoped_view")
        ran = deploy(site, timeout="120")
        assert (ran.code, ran.outcome.result) == (800512, "unseen"), ran.log
        told = (
            "3 files were sent and could not be read back, so whether they are live is not known: a.yaml, b."
        )
        assert f"Not seen (800512): {told}" in ran.log
        assert "Permission: View Resource(namespace_scoped) (namespace_scoped_view)" in ran.log
        assert "Apply at:" in ran.log


def test_a_kind_that_a_shared_cluster_refuses_is_said_by_the_plan_already() -> None:
    with cluster_site(web_yaml=workload("DaemonSet")) as site:
        ran = site.run(action="plan", cluster_id=CLUSTER, namespace=NAMESPACE)
        assert "unless the site has enabled them: DaemonSet." in ran.log


def test_two_documents_of_one_file_are_marked_alike() -> None:
    with deployed_site(web_yaml=documents(workload(), service())) as site:
        ports = items(live(site, "Service", "web"), "spec", "ports")
        assert len(ports) == 1
        assert mark_of(site, "Service", "web") == mark_of(site, "Deployment", "web") != ""


def test_a_token_whose_user_is_not_known_is_named_by_its_credential() -> None:
    with cluster_site(web_yaml=workload()) as site:
        BY_NAME["token"].prepare(site)
        site.run()  # nothing is left to publish: a new version would tell who the token's user is
        site.fault("answer", Match("GET", r"/projects/web$"), times=9, status=200).body = '{"code": 40403}'
        lived = live_run(site, inputs={**DEPLOY, "credential": "my_token"}, region={})
        site.emulator.faults.clear()
        assert lived.code == 800211, lived.log
        assert "or credential:my_token may not see it" in lived.log
