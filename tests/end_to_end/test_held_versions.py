"""What somebody went back from stays until it has new content, or is asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

from tests.emulator import Behaviour, Match
from tests.support.deploying import (
    NAMESPACE,
    calls_of,
    cluster_of,
    cluster_site,
    deploy,
    deploy_first,
    deployed_site,
    documents,
    image_live,
    image_of,
    mark_of,
    sent_files,
    workload,
)
from tests.support.publishing import Ran, Site, config, site_after

STAYS = ", which somebody went back to from 1.0.8-main. New content of web.yaml, redeploy"


@contextmanager
def two_builds() -> Iterator[Site]:
    """Yield a site: build 7 publishes two workloads, 8 the one of them anew; both are deployed."""
    with site_after(_two, web_yaml=workload(tag="57"), api_yaml=workload(name="api", tag="57")) as site:
        yield site


def _two(site: Site) -> None:
    deploy_first(site)
    site.next_build(web_yaml=workload(tag="58"))
    assert deploy(site).code == 0


def go_back(site: Site, **inputs: str) -> None:
    site.next_build()
    ran = deploy(site, **{"action": "rollback", "only": "web.yaml", **inputs})
    assert ran.code == 0, ran.log


def build_for_the_neighbour(site: Site, **inputs: str) -> Ran:
    """Run a build that changes the other workload alone."""
    site.next_build(api_yaml=workload(name="api", tag=str(site.build)))
    ran = deploy(site, **inputs)
    assert ran.code == 0, ran.log
    return ran


def test_the_next_build_of_a_neighbour_does_not_bring_back_what_somebody_left() -> None:
    with two_builds() as site:
        go_back(site)
        ran = build_for_the_neighbour(site)
        assert ran.outcome.result == "deployed"
        assert [sent_files(site, call) for call in calls_of(ran)] == [["api.yaml"]]
        (warning,) = [warning.render("en_US") for warning in ran.outcome.warnings]
        assert re.match(
            r"web.yaml stays at 1\.0\.7-main \(up since 2026-01-01T03:00:..Z\)" + re.escape(STAYS), warning
        )
        assert ran.versions()["web.yaml"]["state"] == "held"
        assert image_live(site, "Deployment", "web") == image_of("web", "57")
        site.next_build(web_yaml=workload(tag="60"))
        assert deploy(site).code == 0
        assert image_live(site, "Deployment", "web") == image_of("web", "60")


def test_redeploy_and_only_bring_it_back() -> None:
    with two_builds() as site:
        for inputs in ({"only": "web.yaml"}, {"redeploy": "true"}):
            go_back(site, rollback_to="build 7")
            assert image_live(site, "Deployment", "web") == image_of("web", "57")
            site.next_build()
            assert deploy(site, **inputs).code == 0
            assert image_live(site, "Deployment", "web") == image_of("web", "58")


def test_so_it_is_after_an_undo_outside_the_pipeline_and_a_plan_tells_it_too() -> None:
    with two_builds() as site:
        cluster_of(site).undo_rollout(NAMESPACE, "web")
        site.clock.time += 5
        site.next_build()
        planned = deploy(site, action="plan")
        assert (planned.code, STAYS in planned.log) == (0, True), planned.log
        ran = deploy(site)
        assert (ran.code, calls_of(ran), STAYS in ran.log) == (0, [], True), ran.log
        assert "Nothing was deployed to BCS-K8S-40000, namespace prod: 1 file held back" in ran.log
        assert "every object of the run is in the cluster" not in ran.log


def test_an_undo_that_brought_back_the_pods_alone_is_told_as_that() -> None:
    with deployed_site(web_yaml=workload(tag="57", replicas=1)) as site:
        site.next_build(web_yaml=workload(tag="58", replicas=2))
        assert deploy(site).code == 0
        cluster_of(site).undo_rollout(NAMESPACE, "web")
        site.clock.time += 5
        site.next_build()
        told = "and the rest of 1.0.8-main, by an undo outside the pipeline"
        assert told in deploy(site, action="plan").log
        site.fault("answer", Match("POST", r"/template/detail$"), status=404)
        site.fault("answer", Match("GET", r"/workloads/deployments/web$"), status=404)
        assert STAYS in deploy(site, action="plan").log, "where nobody can read what the version holds"
        versions = site.emulator.state.versions
        versions.keep([version for version in versions if version.version != "1.0.7-main"])
        assert STAYS in deploy(site).log, "and where it is gone"


def test_what_a_failed_build_restored_is_held_and_its_own_retry_is_not() -> None:
    with two_builds() as site:
        cluster_of(site).images[image_of("web", "59")] = Behaviour("not-found")
        site.next_build(web_yaml=workload(tag="59"))
        assert deploy(site, on_failure="restore").outcome.result == "restored"
        again = deploy(site, on_failure="restore")
        assert (again.outcome.result, len(calls_of(again))) == ("restored", 2)
        ran = build_for_the_neighbour(site)
        assert "web.yaml stays at 1.0.8-main" in ran.log


def test_where_nothing_tells_it_is_said_before_the_call_and_deployed() -> None:
    def beside(value: str) -> str:
        return documents(workload(), config("beside", value))

    with deployed_site(conf_yaml=config("conf", "57"), web_yaml=beside("57")) as site:
        site.next_build(conf_yaml=config("conf", "58"), web_yaml=beside("58"))
        assert deploy(site).code == 0
        go_back(site, only="conf.yaml\nweb.yaml")
        assert mark_of(site, "ConfigMap", "conf") == "1.0.7-main"
        site.next_build()
        ran = deploy(site)
        assert ran.code == 0, ran.log
        said = "conf.yaml, web.yaml: published by an earlier build, and deployed now over what is live"
        assert ran.log.index(said) < ran.log.index("Deployed 2 files: conf.yaml, web.yaml")
        assert mark_of(site, "ConfigMap", "conf") == "1.0.8-main"


def test_where_the_revisions_can_not_be_read_it_is_said_and_deployed() -> None:
    with two_builds() as site:
        go_back(site)
        site.fault("answer", Match("GET", r"/workloads/replicasets$"), status=404)
        ran = build_for_the_neighbour(site)
        assert "web.yaml: published by an earlier build" in ran.log
        assert image_live(site, "Deployment", "web") == image_of("web", "58")


def web(tag: int, *paths: str, api: int = 1) -> dict[str, str]:
    """Return the inputs of a build of two domains."""
    www = {"host": "www.example.com", "image": f"example.com/web:{tag}", "paths": ["/", *paths]}
    other = {"host": "api.example.com", "image": f"example.com/api:{api}"}
    balanced = [{**domain, "load_balancers": ["lb-1"]} for domain in (www, other)]
    return {"templates": "builtin:web", "values": json.dumps({"app": "nginx", "domains": balanced})}


def test_held_is_the_whole_domain() -> None:
    with cluster_site() as site:
        assert deploy(site, **web(1)).code == 0
        site.next_build()
        assert deploy(site, **web(2, "/new")).code == 0
        site.next_build()
        back = {"action": "rollback", "only": "www.example.com", "allow_route_removal": "true"}
        assert deploy(site, **back).code == 0
        site.next_build()
        ran = deploy(site, **web(2, "/new", api=2))
        assert ran.code == 0, ran.log
        assert [sent_files(site, call) for call in calls_of(ran)] == [["api.example.com.deployment.yaml"]]
        assert "www.example.com stays at 1.0.7-main" in ran.log
        held = {name for name, entry in ran.versions().items() if entry["state"] == "held"}
        assert held == {"www.example.com.deployment.yaml", "www.example.com.routes.yaml"}
