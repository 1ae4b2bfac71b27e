"""`keep_versions`: old versions go after a deployment, and none that anybody may need."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import yaml
from tests.emulator import Match
from tests.emulator.cluster.tree import grow
from tests.emulator.faults import Fault, gateway_fault
from tests.emulator.state import State
from tests.support.deploying import CLUSTER, FILE_MARK, MARK, NAMESPACE, age, cluster_site, deploy, workload
from tests.support.pieces import FakeClock
from tests.support.publishing import SPACE, USER, Ran, Site, config

from bcs_template_set.messages import LANGUAGES, Language
from bcs_template_set.messages.errors import Interrupted
from bcs_template_set.system.signals import Stopped

DELETE = Match("DELETE", r"/template/versions/")
ENVIRONMENTS = Match("GET", r"/envs$")
OTHER = "BCS-K8S-50000"
DAY = 24 * 3600


@contextmanager
def grown(**files: str) -> Iterator[Site]:
    """Yield a site that has deployed build 7, after builds 1 to 5 that are days older; 8 is a day later."""
    with cluster_site(**(files or {"app.yaml": config("app", "7")})) as site:
        assert deploy(site, timeout="0").outcome.result == "deployed"
        age(site)
        later(site)
        yield site


def later(site: Site) -> None:
    """Go on to the next build, a day later, whose files are others."""
    site.next_build()
    site.clock.time += DAY
    site.files.update({name: f"{text}# {site.build}\n" for name, text in site.files.items()})


def deleted(ran: Ran) -> int:
    return sum(exchange.method == "DELETE" for exchange in ran.writes)


def builds(site: Site, name: str = "app.yaml") -> list[int]:
    """Return which builds' versions a file has."""
    return sorted(int(version.split(".")[2].partition("-")[0]) for version in site.version_names(name))


def put_marked(site: Site, build: int, *, cluster: str = CLUSTER, namespace: str = "staging") -> None:
    """Let another namespace run a version."""
    made = yaml.safe_load(config("app", "1"))
    grow(made, "metadata")["namespace"] = namespace
    grow(made, "metadata", "annotations").update({FILE_MARK: f"{SPACE}/app.yaml", MARK: f"1.0.{build}-main"})
    site.emulator.cluster(cluster).put(made)


def test_the_newest_stay_and_what_another_namespace_or_environment_runs() -> None:
    with grown() as site:
        state = site.emulator.state
        state.add_cluster(OTHER, namespaces=("staging", "live"))
        group = {"clusterID": OTHER, "nsgroup": "", "namespaces": ["live"]}
        state.envs.append({"id": "e", "env": "live", "clusterNamespaces": [group]})
        put_marked(site, 2, cluster=OTHER, namespace="live")
        assert deleted(site.run(keep_versions="2")) == 0, "a publish without a target sees nothing"
        assert deleted(deploy(site, keep_versions="2", only="app.yaml")) == 0, "a part is not the whole"
        later(site)
        ran = deploy(site, keep_versions="2")
        assert ran.outcome.result == "deployed", ran.log
        assert "keep_versions: old versions deleted: 4." in ran.log
        assert builds(site) == [2, 7, 8, 9], "and what was live before this run"
        assert "old versions" not in deploy(site, keep_versions="9").log, "nothing to do"


@pytest.mark.parametrize("language", LANGUAGES)
def test_its_log_reads_as_reviewed(language: Language, golden: Callable[[str, str], None]) -> None:
    """What follows the rollout, of a run that deletes versions, and of one that can't see what is live."""
    with grown() as site:
        site.language = language
        ran = deploy(site, keep_versions="2")
        later(site)
        site.fault("answer", ENVIRONMENTS, times=4, status=500)
        blind = deploy(site, keep_versions="1")
        told = "\n".join(one.log.rpartition("##[group]")[2] for one in (ran, blind))
        golden(
            f"end_to_end/keep_versions.{language}.txt", re.sub("127.0.0.1:[0-9]+", "127.0.0.1:<port>", told)
        )


def test_where_one_namespace_can_t_be_read_none_goes() -> None:
    with grown() as site:
        site.fault("answer", ENVIRONMENTS, times=4, status=500)
        ran = deploy(site, keep_versions="1")
        assert (ran.outcome.result, deleted(ran)) == ("deployed", 0), ran.log
        assert "keep_versions deletes nothing, since it can't be seen which versions are live." in ran.log


def test_a_deletion_that_fails_fails_nothing_and_is_tried_again() -> None:
    with grown() as site:
        site.fault("answer", DELETE, status=500, times=99)
        ran = deploy(site, keep_versions="1")
        assert ran.outcome.result == "deployed", ran.log
        assert "keep_versions: old versions deleted: 0, not deleted: 5 (" in ran.log
        site.emulator.faults.clear()
        later(site)
        assert "keep_versions: old versions deleted: 6." in deploy(site, keep_versions="1").log


class Impatient(FakeClock):
    """A clock at which somebody cancels the build, when a version has been deleted."""

    is_over = False

    def monotonic(self) -> float:
        if self.is_over:
            raise Stopped(Interrupted(signal="SIGTERM"))
        return super().monotonic()


def test_one_that_is_stopped_tells_how_many_are_gone() -> None:
    with grown() as site:
        clock = Impatient()
        clock.time = site.clock.time
        site.emulator.state.now = clock.now
        site.concurrency = 1

        def cancel(_: State) -> None:
            clock.is_over = True

        site.rival(cancel, before=replace(DELETE, nth=2), after=True)
        ran = replace(site, clock=clock).run(
            action="deploy", cluster_id=CLUSTER, namespace=NAMESPACE, keep_versions="1"
        )
        clock.is_over = False
        assert ran.code == 800107, ran.log
        assert "keep_versions: old versions deleted: 1." in ran.log, "of the one under way nobody knows"


def test_what_is_refused_once_is_not_asked_for_every_version() -> None:
    with grown() as site:
        site.concurrency = 1
        site.emulator.faults.add(gateway_fault("APP_NO_PERMISSION", match=DELETE))
        ran = deploy(site, keep_versions="1")
        assert (ran.outcome.result, deleted(ran)) == ("deployed", 1), ran.log


def test_what_came_into_use_or_is_gone_meanwhile_is_left() -> None:
    def act(state: State) -> None:
        """Somebody deploys the oldest anywhere, rewrites the next, and deletes the one after it."""
        one, two, three = (
            v for v in state.versions if v.version in ("1.0.1-main", "1.0.2-main", "1.0.3-main")
        )
        state.find_files(SPACE)[0].latest_deploy_version = one.version
        two.description = "by hand"
        state.versions.remove(three)

    with grown() as site:
        site.rival(act, before=ENVIRONMENTS, after=True)
        ran = deploy(site, keep_versions="1")
        assert "keep_versions: old versions deleted: 2." in ran.log
        assert builds(site) == [1, 2, 7, 8]


def test_versions_whose_marks_can_t_be_listed_stay() -> None:
    role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: r}\nrules: []\n"
    with grown(**{"role.yaml": role, "web.yaml": workload()}) as site:
        ran = deploy(site, keep_versions="1", timeout="0")
        assert ran.outcome.result == "deployed", ran.log
        assert (len(builds(site, "role.yaml")), builds(site, "web.yaml")) == (7, [7, 8]), ran.log


NO_OBJECTS = '{"code": 0, "data": {"manifest": {"items": []}, "manifestExt": {}}}'
CUT = '{"code": 0, "data": {"manifest": {"metadata": {"continue": "x"}, "items": []}}}'


@pytest.mark.parametrize(
    ("match", "body", "told"),
    [
        (Match("GET", r"/clusters/[^/]+/namespaces$"), NO_OBJECTS, "The lists lack prod"),
        (Match("GET", r"/clusters/[^/]+/namespaces$"), CUT, "the list goes on"),
        (Match("GET", r"/configs/configmaps$"), NO_OBJECTS, "The lists lack ConfigMap/app"),
    ],
)
def test_a_list_that_lacks_what_the_run_has_seen_is_not_the_truth(match: Match, body: str, told: str) -> None:
    with grown() as site:
        site.emulator.faults.add(Fault("answer", match, times=99, status=200, body=body))
        ran = deploy(site, keep_versions="1")
        site.emulator.faults.clear()
        assert (ran.outcome.result, deleted(ran), told in ran.log) == ("deployed", 0, True), ran.log


def test_a_kind_of_no_shared_cluster_that_is_refused_is_not_taken_for_none() -> None:
    """Without the right to look its list is refused as a shared cluster refuses it."""
    with grown(**{"each.yaml": workload("DaemonSet", name="each")}) as site:
        state = site.emulator.state
        state.add_cluster(OTHER, namespaces=("live",))
        group = {"clusterID": OTHER, "nsgroup": "", "namespaces": ["live"]}
        state.envs.append({"id": "e", "env": "live", "clusterNamespaces": [group]})
        site.emulator.cluster(OTHER).deny(USER, "namespace_scoped_view")
        assert deleted(deploy(site, keep_versions="1", timeout="0")) == 0


def test_our_clock_does_not_make_a_version_old() -> None:
    with grown() as site:
        for version in site.emulator.state.versions:
            version.create_at = int(site.clock.time) - 3600
        behind = site.clock.time
        site.emulator.state.now = lambda: behind
        site.clock.time += 5 * DAY
        assert deleted(deploy(site, keep_versions="1")) == 0
