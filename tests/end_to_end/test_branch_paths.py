"""Branches of one domain: each has its path, and none loses it, whatever the others do at the same time."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Callable

import pytest
import yaml
from tests.emulator import Behaviour
from tests.emulator.cluster.tree import Manifest
from tests.emulator.faults import Fault, Match
from tests.emulator.state import State
from tests.support.deploying import (
    CLUSTER,
    DEPLOY,
    NAMESPACE,
    calls_of,
    cluster_of,
    deploy,
    live,
    node_port,
    sent_files,
    workload,
)
from tests.support.publishing import (
    APART,
    BEGAN,
    CREATE_VERSION,
    GET_FILE,
    LIST_FILES,
    LOOK_BEFORE,
    SPACE,
    Ran,
    Site,
    open_site,
    routes,
    site_after,
)

from bcs_template_set.bcs.space.wanted import CLOCK_SKEW_SECONDS
from bcs_template_set.publish.look_first import SETTLING_SECONDS
from bcs_template_set.run.deploy_phase import MOST_LOOKS

HOST = "www.example.com"
ROUTES = f"{HOST}.routes.yaml"
DEPLOYMENT = f"{HOST}.deployment.yaml"
SERVICE, SERVICE_NAME = f"{HOST}.service.yaml", "service-nginx-www-example-com"


def values(*hosts: str, tag: str = "1", **more: object) -> str:
    """Return values with branch paths for these domains; `more` are other values of the run."""
    domains = [
        {"host": h, "image": f"example.com/web:{tag}", "load_balancers": ["lb-1"], "branch_paths": True}
        for h in hosts or (HOST,)
    ]
    return json.dumps({"app": "nginx", "domains": domains, **more})


def build(site: Site, branch: str, **inputs: str) -> Ran:
    """Run one build of a branch, the next one, some time after the last one."""
    return build_number(site, site.build + 1, branch, **inputs)


def build_number(site: Site, number: int, branch: str, **inputs: str) -> Ran:
    """Run the build of that number, some time after the last one."""
    site.clock.time += APART
    site.branch, site.build = branch, number
    given = {"templates": "builtin:web", "values": values(tag=str(number)), **inputs}
    return site.run(**given)


def paths(text: str) -> dict[str, str]:
    """Return what an Ingress serves: path -> branch, "" where no branch claims it."""
    ingress = next(d for d in yaml.safe_load_all(text) if d["kind"] == "Ingress")
    noted = json.loads(ingress["metadata"].get("annotations", {}).get("bcs-template-set/branches", "[]"))
    owners = {entry["path"]: entry["branch"] for entry in noted}
    served = [path["path"] for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]]
    assert len(served) == len(set(served)), served
    return {path: owners.get(path, "") for path in served}


def served(site: Site, name: str = ROUTES) -> dict[str, str]:
    return paths(site.contents()[name])


def two_builds(site: Site) -> None:
    """Let a domain serve main at / and feature/x at its path."""
    for branch in ("main", "x"):
        assert build(site, branch).outcome.result == "published"


@pytest.fixture
def site() -> Iterator[Site]:
    """Yield a site after these builds."""
    with site_after(two_builds) as made:
        yield made


# --- a path for each branch -----------------------------------------------------------------------------


def test_each_branch_adds_its_path_beside_those_that_are_served(site: Site) -> None:
    assert served(site) == {"/": "main", "/x/": "x"}
    build(site, "feature/Y")
    assert set(served(site).values()) == {"main", "x", "feature/Y"}


def test_a_branch_that_is_there_already_leaves_the_routes_as_they_are(site: Site) -> None:
    before = site.version_names(ROUTES)
    ran = build(site, "x")
    assert ran.states() == {DEPLOYMENT: "applied", ROUTES: "unchanged", SERVICE: "unchanged"}
    assert site.version_names(ROUTES) == before


def test_the_file_says_who_added_a_path(site: Site) -> None:
    build(site, "x")
    noted = json.loads(
        next(d for d in yaml.safe_load_all(site.contents()[ROUTES]) if d["kind"] == "Ingress")["metadata"][
            "annotations"
        ]["bcs-template-set/branches"]
    )
    assert noted[1] == {"path": "/x/", "branch": "x", "pipeline": "p-1", "build": 9, "by": "wangwu"}


def test_main_branches_are_a_value(site: Site) -> None:
    ran = build(site, "develop", values=values(main_branches=["develop", "main"], tag="3"))
    assert ran.outcome.result == "published"
    assert served(site) == {"/": "develop", "/x/": "x"}
    assert "was branch main's and is now branch develop's" in ran.log


def test_a_path_that_nobody_claims_is_taken_over() -> None:
    with open_site() as site:
        plain = json.loads(values())
        del plain["domains"][0]["branch_paths"]
        build(site, "main", values=json.dumps(plain))
        assert served(site) == {"/": ""}
        build(site, "main")
        assert served(site) == {"/": "main"}


def test_a_path_of_another_branch_is_refused_naming_both(site: Site) -> None:
    text = site.contents()[ROUTES].replace('"branch":"x"', '"branch":"other/x"')
    site.emulator.state.add_version(SPACE, ROUTES, version="by-hand", content=text, creator="zhangsan")
    assert served(site)["/x/"] == "other/x"
    ran = build(site, "x")
    assert (ran.code, ran.writes) == (800406, [])
    for words in (f"{HOST}/x/ belongs to branch other/x", "build 9 of pipeline p-1", "branch x would be"):
        assert words in ran.log


def test_a_file_that_can_not_be_read_is_not_written_over(site: Site) -> None:
    site.emulator.state.add_version(SPACE, ROUTES, version="by-hand", content="a: [", creator="zhangsan")
    ran = build(site, "x")
    assert (ran.code, ran.writes) == (800406, [])
    assert "can't carry over the paths" in ran.log


def test_what_a_person_routes_beside_is_kept(site: Site) -> None:
    document = site.contents()[ROUTES]
    by_hand = document.replace(
        '            path: "/"\n            pathType: Prefix\n',
        '            path: "/"\n            pathType: Prefix\n'
        "          - backend: {service: {name: legacy, port: {name: http}}}\n"
        "            path: /legacy\n            pathType: Exact\n",
    )
    assert by_hand != document
    site.emulator.state.add_version(SPACE, ROUTES, version="by-hand", content=by_hand)
    build(site, "y")
    ingress = next(d for d in yaml.safe_load_all(site.contents()[ROUTES]) if d["kind"] == "Ingress")
    kept = [p for p in ingress["spec"]["rules"][0]["http"]["paths"] if p["path"] == "/legacy"]
    assert kept == [
        {
            "backend": {"service": {"name": "legacy", "port": {"name": "http"}}},
            "path": "/legacy",
            "pathType": "Exact",
        }
    ]
    assert set(served(site)) == {"/", "/x/", "/y/", "/legacy"}


# --- taking branches out --------------------------------------------------------------------------------


def test_a_branch_is_taken_out_when_asked_for_and_a_retry_finds_it_done(site: Site) -> None:
    ran = build(site, "main", remove_branches="x")
    assert ran.outcome.result == "published"
    assert served(site) == {"/": "main"}
    again = site.run(templates="builtin:web", values=values(tag=str(site.build)), remove_branches="x")
    assert again.outcome.result == "unchanged"
    assert "Branch x is not served by any domain of this run" in again.log


@pytest.mark.parametrize(
    ("branch", "words"), [("main", "which is a main branch"), ("y", "the branch this build is of")]
)
def test_main_branches_and_ones_own_never_go(site: Site, branch: str, words: str) -> None:
    ran = build(site, "y", remove_branches=branch)
    assert (ran.code, ran.exchanges) == (800102, ())
    assert words in ran.log


def test_branches_are_not_removed_from_domains_without_branch_paths() -> None:
    with open_site(a_yaml=routes("a.example.com", "/")) as site:
        ran = site.run(remove_branches="x")
        assert (ran.code, ran.exchanges) == (800102, ())
        assert "branch_paths: true" in ran.log


# --- at the same time -----------------------------------------------------------------------------------


def another(site: Site, branch: str, number: int) -> Site:
    root = site.root / branch
    root.mkdir()
    return replace(site, root=root, branch=branch, build=number)


def at_once(*sites: Site, tag: str = "") -> list[Ran]:
    def run(one: Site) -> Ran:
        return one.run(templates="builtin:web", values=values(tag=tag or str(one.build)))

    with ThreadPoolExecutor(len(sites)) as pool:
        return list(pool.map(run, sites))


def test_a_branch_that_published_in_between_is_merged_before_writing(site: Site) -> None:
    other = another(site, "y", 50)
    site.rival(lambda _: at_once(other).clear(), before=LOOK_BEFORE)
    ran = build(site, "z")
    assert ran.outcome.result == "published"
    assert served(site) == {"/": "main", "/x/": "x", "/y/": "y", "/z/": "z"}


def test_two_branches_that_pass_every_check_at_once_both_keep_their_path(site: Site) -> None:
    site.emulator.state.cross_creates(2, kind="version")
    rans = at_once(another(site, "y", 50), another(site, "z", 51), tag=str(site.build))
    assert [ran.outcome.result for ran in rans] == ["published", "published"]
    assert served(site) == {"/": "main", "/x/": "x", "/y/": "y", "/z/": "z"}
    assert any("planning again" in ran.log for ran in rans)


def test_who_never_gets_its_path_in_says_when_its_time_is_over_that_others_keep_publishing(
    site: Site,
) -> None:
    build(site, "main")
    before = site.contents()[ROUTES]
    site.rival(
        lambda state: publish_by_hand(state, lambda _: before), before=CREATE_VERSION, times=999, after=True
    )
    ran = build(site, "z")
    site.emulator.faults.clear()
    assert ran.code == 800405, ran.log
    assert "others kept publishing it at the same time" in ran.log
    assert "/z/" not in served(site)


def test_a_later_build_brings_back_what_a_killed_one_has_hidden(site: Site) -> None:
    """The rival's version is written in the window, and ours, a slow one, dies before it looks back."""
    before = site.contents()[ROUTES]
    site.clock.time += APART - CLOCK_SKEW_SECONDS  # so that it is young for the next build

    def hide(state: State) -> None:
        base = state.find_versions(SPACE, ROUTES)[-2].id
        line = site.history(ROUTES)[-1].description
        text = before.replace("/x/", "/hidden/").replace('"branch":"x"', '"branch":"hidden"')
        state.add_version(
            SPACE,
            ROUTES,
            version="1.0.99-hidden",
            content=text,
            description=line.partition(" base=")[0] + f" base={base}",
        )
        ours = state.find_versions(SPACE, ROUTES)[-2]
        state.add_version(
            SPACE,
            ROUTES,
            version="1.0.98-dead",
            content=before,
            description=line.partition(" base=")[0] + f" base={ours.id}",
        )

    hide(site.emulator.state)
    assert served(site) == {"/": "main", "/x/": "x"}
    ran = build(site, "main")
    assert served(site) == {"/": "main", "/hidden/": "hidden", "/x/": "x"}
    assert "brings back www.example.com/hidden/ (hidden)" in ran.log
    again = build(site, "main")
    assert again.file(ROUTES).state == "unchanged"


def test_ten_branches_of_one_domain_at_once_all_keep_their_path_after_a_second_try(site: Site) -> None:
    site.clock.time = BEGAN + APART * 110  # none of them begins in times to come
    sites = [another(site, f"b{number}", 100 + number) for number in range(10)]
    rans = at_once(*sites)
    # Ten runs share one made-up clock, so most run out of time; such a one may have hidden another's path.
    failed = [one for one, ran in zip(sites, rans) if ran.outcome.error is not None]
    for one in failed:
        assert at_once(one)[0].outcome.error is None
    assert set(served(site)) == {"/", "/x/", *(f"/b{number}/" for number in range(10))}


# --- what is live ---------------------------------------------------------------------------------------


def foreign_ingress(
    site: Site, name: str, host: str, path: str, *, file: str = "", ingress_class: str = ""
) -> None:
    annotations = {"io.tencent.paas.template_name": file} if file else {}
    if ingress_class:
        annotations["kubernetes.io/ingress.class"] = ingress_class
    backend = {"service": {"name": "other", "port": {"number": 80}}}
    rule = {"host": host, "http": {"paths": [{"path": path, "pathType": "Prefix", "backend": backend}]}}
    manifest: Manifest = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "namespace": NAMESPACE, "annotations": annotations},
        "spec": {"rules": [rule]},
    }
    cluster_of(site).apply(manifest)


@pytest.fixture
def live_site() -> Iterator[Site]:
    with open_site() as made:
        made.emulator.state.add_cluster(CLUSTER, namespaces=(NAMESPACE,))
        yield made


def test_a_path_that_a_foreign_ingress_serves_is_refused_with_its_name(live_site: Site) -> None:
    foreign_ingress(live_site, "old", HOST, "/x")
    ran = build(live_site, "x", action="plan", cluster_id=CLUSTER, namespace=NAMESPACE)
    assert (ran.code, ran.writes) == (800406, [])
    assert f"{HOST}/x/ of {ROUTES} is served in the cluster by Ingress/old" in ran.log


def test_a_path_that_another_file_was_deployed_with_is_refused_unless_moves_are_allowed(
    live_site: Site,
) -> None:
    foreign_ingress(live_site, "old", HOST, "/x", file="legacy/all.yaml")
    target = {"action": "plan", "cluster_id": CLUSTER, "namespace": NAMESPACE}
    ran = build(live_site, "x", **target)
    assert ran.code == 800406
    assert "deployed from legacy/all.yaml" in ran.log
    allowed = build(live_site, "x", **target, allow_route_removal="true")
    assert allowed.code == 0
    assert "deployed from legacy/all.yaml" in allowed.log, "what is allowed is still said"


def test_a_path_that_another_class_serves_is_nobodys_loss(live_site: Site) -> None:
    foreign_ingress(live_site, "old", HOST, "/x", ingress_class="nginx")
    ran = build(live_site, "x", action="plan", cluster_id=CLUSTER, namespace=NAMESPACE)
    assert (ran.code, "Ingress/old" in ran.log) == (0, False)


def test_ones_own_live_ingress_is_no_clash(live_site: Site) -> None:
    target = {"action": "deploy", "cluster_id": CLUSTER, "namespace": NAMESPACE}
    assert build(live_site, "main", **target).outcome.result == "deployed"
    assert build(live_site, "x", **target).outcome.result == "deployed"
    ingress = live(live_site, "Ingress", f"ingress-{HOST}-0")
    assert "/x/" in json.dumps(ingress["spec"])


def test_a_second_branch_is_deployed_where_no_service_can_be_replaced(live_site: Site) -> None:
    """The default cluster refuses to replace one (facts/bcs.md, trap 11)."""
    for number, branch in ((56, "main"), (57, "login"), (58, "pay")):
        ran = build_number(live_site, number, branch, action="deploy", values=values(), **TARGET)
        assert ran.code == 0, ran.log
    assert sent_files(live_site, *calls_of(ran)) == [ROUTES]
    assert live_paths(live_site) == {"/", "/login/", "/pay/"}


def test_a_folder_of_two_files_a_domain_moves_over_and_no_service_is_replaced(live_site: Site) -> None:
    """An earlier version of the step put Service and Ingresses into the routes file."""
    for branch in ("main", "login"):
        build(live_site, branch, values=values())
    made = live_site.contents()
    older = {DEPLOYMENT: made[DEPLOYMENT], ROUTES: f"{made[SERVICE]}---\n{made[ROUTES]}"}
    with open_site(**{name.replace(".", "_"): text for name, text in older.items()}) as site:
        site.emulator.state.add_cluster(CLUSTER, namespaces=(NAMESPACE,))
        first = deploy(site)
        assert first.code == 0, first.log
        port, before = node_port(site, SERVICE_NAME), live_paths(site)
        ran = build_number(site, 58, "pay", action="deploy", values=values(), **TARGET)
        assert ran.code == 0, ran.log
        assert ran.states() == {DEPLOYMENT: "unchanged", ROUTES: "applied", SERVICE: "applied"}
        assert sent_files(site, *calls_of(ran)) == [ROUTES]
        assert (node_port(site, SERVICE_NAME), live_paths(site)) == (port, before | {"/pay/"})
        assert f"marked as another file's or as nobody's: Service/{SERVICE_NAME}" in ran.log
        assert "Service" not in site.contents()[ROUTES]


@pytest.mark.parametrize("goes_back", [False, True])
def test_what_moves_over_and_fails_says_whether_its_version_before_can_go_back(
    goes_back: bool,  # noqa: FBT001 - a column of the table
    live_site: Site,
) -> None:
    """An API server that replaces no Service refuses the file that held it (facts/bcs.md, trap 11).

    What stands before it in the file is applied, and the Service was never another one.
    """
    build(live_site, "main", values=values())
    made = live_site.contents()
    both = (made[SERVICE], made[ROUTES])
    older = {DEPLOYMENT: made[DEPLOYMENT], ROUTES: "---\n".join(both[::-1] if goes_back else both)}
    with open_site(**{name.replace(".", "_"): text for name, text in older.items()}) as site:
        site.emulator.state.add_cluster(CLUSTER, namespaces=(NAMESPACE,))
        assert deploy(site).code == 0
        cluster_of(site).images["example.com/web:58"] = Behaviour("not-found")
        ran = build_number(site, 58, "pay", action="deploy", on_failure="restore", **TARGET)
        verdict = ran.log.partition("After that, since on_failure is restore:")[2]
        if goes_back:
            assert (ran.code, ran.outcome.result) == (800506, "restored"), ran.log
            assert live_paths(site) == {"/"}
            return
        assert (ran.code, ran.outcome.result) == (800506, "failed"), ran.log
        assert live_paths(site) == {"/", "/pay/"}
        for told in (
            f"Not back, since deploying them again did not work out: {ROUTES}.",
            f"In the cluster now, at version 1.0.58-pay: {ROUTES}.",
            f"holds Service/{SERVICE_NAME} as well",
        ):
            assert told in verdict
        assert "Run build 7" not in verdict


def test_ingresses_that_may_not_be_looked_at_are_said_and_stop_nothing(live_site: Site) -> None:
    body = '{"code": 40300, "message": "no", "data": null}'
    match = replace(GET_FILE, path=r"/networks/ingresses")
    live_site.emulator.faults.add(Fault("answer", match, status=200, body=body))
    ran = build(live_site, "x", action="plan", cluster_id=CLUSTER, namespace=NAMESPACE)
    assert ran.code == 0
    assert "The step could not look at the namespace's Ingresses" in ran.log


# --- newer and older ------------------------------------------------------------------------------------


def test_the_message_of_a_newer_build_has_its_link() -> None:
    with open_site() as site:
        link = "https://devops.example.com/console/pipeline/web/p-1/detail/b-9"
        build_number(site, 9, "main", BK_CI_BUILD_URL=link)
        ran = build_number(site, 8, "main")
        assert ran.code == 800402
        for words in ("Build 9", "branch main", "wangwu", "2026-01-01", link):
            assert words in ran.log


def test_an_older_build_that_wrote_in_the_window_knows_it(site: Site) -> None:
    """The newer build's version is written between our look and our write, so ours is current: we fail.

    A shorter window nobody looks into (docs/reliability.md, "What no step can promise").
    """
    newer = another(site, "main", 60)

    def publish(_: State) -> None:
        at_once(newer)
        site.clock.time += 1 + SETTLING_SECONDS

    site.rival(publish, before=CREATE_VERSION)
    ran = build_number(site, 10, "main")
    assert ran.code == 800402
    assert "Build 60" in ran.log
    assert ran.output()["changed"] == "true"


def test_a_retried_step_is_the_same_build_and_writes_nothing(site: Site) -> None:
    ran = site.run(templates="builtin:web", values=values(tag=str(site.build)))
    assert (ran.outcome.result, ran.writes) == ("unchanged", [])


def test_a_build_that_is_planned_again_uses_a_successor_of_its_version_name(site: Site) -> None:
    build_number(site, 50, "y")
    build_number(site, 51, "main", remove_branches="y")
    assert "/y/" not in served(site)
    site.branch, site.build = "y", 50
    ran = site.run(templates="builtin:web", values=values(tag="50"))
    assert "/y/" in served(site)
    assert site.version_names(ROUTES)[-1] == "1.0.50-y.2"
    assert ran.versions()[ROUTES]["version"] == "1.0.50-y.2"


def test_a_node_port_that_changes_is_said() -> None:
    with open_site(a_yaml=routes("a.example.com", "/", node_port=30001)) as site:
        site.run()
        site.next_build(a_yaml=routes("a.example.com", "/", node_port=30002))
        ran = site.run(action="plan")
        assert "Service/a asks for nodePort 30002, it had 30001" in ran.log


def test_the_workspace_has_no_trace_of_other_branches(site: Site) -> None:
    build(site, "y")
    names = [path.name for path in Path(site.root / "workspace").rglob("*") if path.is_file()]
    assert names == []


# --- deploying beside others ----------------------------------------------------------------------------

TARGET = {"cluster_id": CLUSTER, "namespace": NAMESPACE}


def build_and_deploy(site: Site) -> Ran:
    return deploy(site, templates="builtin:web", values=values(tag=str(site.build)))


def live_paths(site: Site) -> set[str]:
    ingress = live(site, "Ingress", f"ingress-{HOST}-0")
    return set(re.findall(r'"path": "([^"]*)"', json.dumps(ingress["spec"])))


def test_a_branch_that_is_published_and_deployed_before_our_call_stays_live(live_site: Site) -> None:
    build(live_site, "main", action="deploy", **TARGET)
    other = another(live_site, "y", 50)
    live_site.rival(lambda _: [build_and_deploy(other)].clear(), before=DEPLOY)
    ran = build(live_site, "z", action="deploy", **TARGET)
    assert ran.outcome.result == "deployed", ran.log
    assert live_paths(live_site) == {"/", "/y/", "/z/"}
    assert set(served(live_site)) == {"/", "/y/", "/z/"}


def test_a_branch_that_deploys_right_after_our_call_leaves_ours_live_and_we_say_it(live_site: Site) -> None:
    build(live_site, "main", action="deploy", **TARGET)
    other = another(live_site, "y", 50)
    live_site.rival(lambda _: [build_and_deploy(other)].clear(), before=DEPLOY, after=True)
    ran = build(live_site, "z", action="deploy", **TARGET)
    assert live_paths(live_site) == {"/", "/y/", "/z/"}
    assert ran.code == 800505
    assert "not applied, or not any more" in ran.log


# Files are listed for the plan, before and after publishing, before deploying, and after it.
BEFORE_DEPLOYING, AFTER_DEPLOYING = 4, 5


def list_files(nth: int) -> Match:
    return Match(LIST_FILES.method, LIST_FILES.path, nth=nth)


def publish_by_hand(state: State, change: Callable[[str], str] = lambda text: text) -> None:
    """Publish the routes file once more, changed like this."""
    text = change(state.current_content(SPACE, ROUTES))
    number = len(state.find_versions(SPACE, ROUTES))
    state.add_version(
        SPACE, ROUTES, version=f"9.0.{number}", content=f"{text}# {number}\n", creator="zhangsan"
    )


def test_what_another_branch_deployed_right_after_ours_is_not_deployed_once_more(live_site: Site) -> None:
    build(live_site, "main", action="deploy", **TARGET)
    ours = {"templates": "builtin:web", "values": values(tag="9")}
    other = another(live_site, "y", 50)
    live_site.rival(lambda _: [deploy(other, **ours)].clear(), before=list_files(AFTER_DEPLOYING))
    ran = build(live_site, "z", action="deploy", **ours, **TARGET)
    assert ran.outcome.result == "deployed", ran.log
    assert "deploying 1.0.50-y, which others published" in ran.log
    assert live_paths(live_site) == {"/", "/y/", "/z/"}
    assert len(calls_of(ran)) == 2, "ours, and theirs within it"


def test_what_another_branch_deploys_over_ours_ends_the_wait_and_is_named(live_site: Site) -> None:
    """After our call was read back, and before the first look at the pods: ours never comes again."""
    build(live_site, "main", action="deploy", **TARGET)
    other = another(live_site, "y", 50)
    theirs = {"templates": "builtin:web", "values": values(tag="10")}
    live_site.rival(lambda _: [deploy(other, **theirs)].clear(), before=list_files(AFTER_DEPLOYING))
    ran = build(live_site, "z", action="deploy", **TARGET, templates="builtin:web", values=values(tag="9"))
    assert (ran.code, ran.outcome.result) == (800506, "failed"), ran.log
    assert "what is live is marked with version 1.0.50-y, which lisi deployed" in ran.log
    assert ran.outcome.rollout is not None
    assert [item.end for item in ran.outcome.rollout.watched] == ["failed"]
    assert 10 <= ran.outcome.rollout.watched[0].seconds < 20


def test_others_that_publish_without_end_do_not_keep_a_build_deploying(live_site: Site) -> None:
    build(live_site, "main", action="deploy", **TARGET)
    numbers = itertools.count(2)

    def publish_another(state: State) -> None:
        publish_by_hand(state, lambda text: re.sub('"lb-[0-9]+"', f'"lb-{next(numbers)}"', text))

    live_site.rival(publish_another, before=list_files(AFTER_DEPLOYING), times=MOST_LOOKS + 1)
    ran = build(live_site, "z", action="deploy", **TARGET)
    live_site.emulator.faults.clear()
    assert ran.outcome.result == "deployed", ran.log
    assert len(calls_of(ran)) == 1 + MOST_LOOKS


def test_what_came_meanwhile_is_not_deployed_where_that_would_be_refused(live_site: Site) -> None:
    build(live_site, "main", action="deploy", **TARGET)
    other_selector = workload(name=f"deployment.nginx.{HOST}")
    live_site.rival(
        lambda state: publish_by_hand(state, lambda text: f"{text}---\n{other_selector}"),
        before=list_files(AFTER_DEPLOYING),
    )
    ran = build(live_site, "z", action="deploy", **TARGET)
    assert (ran.code, len(calls_of(ran))) == (800502, 1), ran.log


def test_what_came_meanwhile_is_warned_of_where_it_takes_pods_away(live_site: Site) -> None:
    def publish(state: State) -> None:
        more = yaml.safe_load(workload(name="other", replicas=5))
        more["metadata"]["namespace"] = NAMESPACE
        cluster_of(live_site).apply(more)
        fewer = workload(name="other", replicas=1)
        publish_by_hand(state, lambda text: f"{text}---\n{fewer}")

    build(live_site, "main", action="deploy", **TARGET)
    live_site.rival(publish, before=list_files(AFTER_DEPLOYING))
    ran = build(live_site, "z", action="deploy", **TARGET)
    assert ran.outcome.result == "deployed", ran.log
    assert "Deployment/other: 5 pods now, 1 after this" in ran.log


def test_what_came_meanwhile_may_hold_fewer_objects_than_ours(live_site: Site) -> None:
    two = values().replace('["lb-1"]', '["lb-1", "lb-2"]')
    build(live_site, "main", action="deploy", values=two, **TARGET)
    live_site.rival(
        lambda state: publish_by_hand(state, lambda text: text.rpartition("---\n")[0]),
        before=list_files(BEFORE_DEPLOYING),
    )
    ran = build(live_site, "z", action="deploy", values=two, **TARGET)
    assert ran.outcome.result == "deployed", ran.log


def test_a_file_that_has_lost_our_path_before_it_is_deployed_is_not_deployed(live_site: Site) -> None:
    build(live_site, "main", action="deploy", **TARGET)
    before = live_site.contents()[ROUTES]
    live_site.rival(
        lambda state: publish_by_hand(state, lambda _: before), before=list_files(BEFORE_DEPLOYING)
    )
    ran = build(live_site, "z", action="deploy", **TARGET)
    assert (ran.code, calls_of(ran)) == (800405, []), ran.log
    assert "/z/" in ran.log


@pytest.mark.parametrize(("policy", "code", "result"), [("fail", 800402, "failed"), ("skip", 0, "skipped")])
def test_an_older_build_is_not_deployed_over_a_newer_one_that_was_published_meanwhile(
    live_site: Site, policy: str, code: int, result: str
) -> None:
    build(live_site, "main", action="deploy", **TARGET)
    newer = another(live_site, "main", 60)
    live_site.rival(lambda _: [build_and_deploy(newer)].clear(), before=list_files(BEFORE_DEPLOYING))
    ran = build(live_site, "main", action="deploy", on_newer_build=policy, **TARGET)
    assert (ran.code, ran.outcome.result) == (code, result), ran.log
    assert "Build 60 of branch main" in ran.log
    assert "web:60" in json.dumps(live(live_site, "Deployment", f"deployment.nginx.{HOST}"))


def test_an_older_build_that_was_deployed_over_a_newer_one_is_not_said_to_be_skipped(live_site: Site) -> None:
    build(live_site, "main", action="deploy", **TARGET)
    newer = another(live_site, "main", 60)
    live_site.rival(lambda _: [build_and_deploy(newer)].clear(), before=DEPLOY)
    ran = build(live_site, "main", action="deploy", on_newer_build="skip", **TARGET)
    assert (ran.code, ran.outcome.result) == (800402, "failed"), ran.log


# --- who is where, for the report -----------------------------------------------------------------------


def test_the_outcome_lists_every_branch_path_of_the_space_with_this_build(site: Site) -> None:
    build(site, "y", values=values("news.example.com", tag="5"))
    site.clock.time += 86_400
    ran = build(site, "x")
    rows = {(row.domain, row.branch): row for row in ran.outcome.branches}
    assert set(rows) == {(HOST, "main"), (HOST, "x"), ("news.example.com", "y")}
    assert [rows[HOST, "x"].last_build, rows[HOST, "x"].age_seconds] == [11, 0]
    assert (rows[HOST, "main"].last_build, rows[HOST, "main"].age_seconds) == (0, None)
    assert rows["news.example.com", "y"].who == "wangwu"


def test_for_the_last_build_of_other_branches_nothing_is_asked(site: Site) -> None:
    build(site, "a")
    build(site, "ab")
    ran = build(site, "main", action="plan")
    rows = {row.branch: row for row in ran.outcome.branches}
    assert (rows["ab"].last_build, rows["ab"].age_seconds) == (site.build - 1, APART + SETTLING_SECONDS)
    assert (rows["a"].last_build, rows["a"].age_seconds, rows["a"].who) == (0, None, "wangwu")
