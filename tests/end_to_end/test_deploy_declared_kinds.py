"""Objects of kinds that only a comment tells of: waited for until a field has its value."""

from __future__ import annotations

import pytest
from tests.emulator.faults import Match
from tests.support.custom_kinds import DEFINITIONS, define
from tests.support.deploying import NAMESPACE, cluster_of, cluster_site, deploy
from tests.support.publishing import Ran

READY = "# bcs-template-set: ready status.phase=Ready\n"
CLAIM = """\
# bcs-template-set: ready status.phase=Bound
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: web}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""


def custom(kind: str = "Gateway", *, comment: str = READY) -> str:
    _, group, version = DEFINITIONS[kind]
    return (
        f"{comment}apiVersion: {group}/{version}\nkind: {kind}\nmetadata: {{name: web}}\nspec: {{size: 3}}\n"
    )


def ends(ran: Ran) -> dict[str, str]:
    assert ran.outcome.rollout is not None
    return {item.workload.title: item.end for item in ran.outcome.rollout.watched}


@pytest.mark.parametrize("kind", ["Gateway", "Valley"])
def test_an_object_is_waited_for_until_its_field_has_the_value_that_a_comment_names(kind: str) -> None:
    """The definition's name is guessed: of a Valley the second guess is right."""
    with cluster_site(web_yaml=custom(kind)) as site:
        cluster = cluster_of(site)
        define(cluster, kind)
        fifth = Match("GET", r"/custom_objects/web", nth=5)
        site.rival(lambda _: cluster.write_status(kind, NAMESPACE, "web", {"phase": "Ready"}), before=fifth)
        ran = deploy(site)
        assert (ran.code, ends(ran)) == (0, {f"{kind}/web": "ready"}), ran.log
        assert f"{kind}/web: status.phase is -, not Ready." in ran.log
        assert f"{kind}/web: It is ready: status.phase=Ready." in ran.log


def test_an_object_that_never_has_the_value_times_out_and_says_what_it_has() -> None:
    with cluster_site(web_yaml=custom()) as site:
        define(cluster_of(site))
        ran = deploy(site, timeout="60")
        assert (ran.code, ran.outcome.result) == (800508, "timed-out"), ran.log
        assert "Gateway/web: status.phase is -, not Ready." in ran.log


def test_a_kind_of_kubernetes_is_read_by_its_own_route() -> None:
    with cluster_site(web_yaml=CLAIM) as site:
        cluster = cluster_of(site)
        third = Match("GET", r"/storages/persistent_volume_claims/web", nth=3)
        site.rival(lambda _: cluster.bind(NAMESPACE, "web"), before=third)
        ran = deploy(site)
        assert (ran.code, ends(ran)) == (0, {"PersistentVolumeClaim/web": "ready"}), ran.log


def test_whoever_may_not_look_is_told_so_and_nothing_is_called_failed() -> None:
    with cluster_site(web_yaml=custom()) as site:
        define(cluster_of(site))
        cluster_of(site).deny("lisi", "cluster_scoped_view")
        ran = deploy(site, timeout="60", on_failure="restore")
        assert (ran.code, ran.outcome.result, ends(ran)) == (800512, "unseen", {"Gateway/web": "unseen"}), (
            ran.log
        )
        assert "cluster_scoped_view" in ran.log


def test_an_object_whose_definition_nobody_finds_is_named_and_not_waited_for() -> None:
    with cluster_site(web_yaml=custom("Ox")) as site:
        define(cluster_of(site), "Ox")
        ran = deploy(site)
        assert (ran.code, ends(ran)) == (0, {"Ox/web": "nothing"}), ran.log
        assert "Not waited for: Ox/web." in ran.log


def test_a_comment_of_an_object_that_is_not_there_by_that_name_is_told() -> None:
    with cluster_site() as site:
        define(cluster_of(site))
        site.files = {"web.yaml.j2": custom().replace("web", "{{ bcs('NAME') }}")}
        ran = deploy(site, variables="NAME: web")
        assert ran.code == 0, ran.log
        assert "The step does not wait for Gateway/{{ NAME }}" in ran.log


def test_comments_that_cannot_be_followed_stop_the_run_with_their_lines() -> None:
    comments = "# bcs-template-set: raedy status.phase=Ready\n# bcs-template-set: allow\n"
    with cluster_site(web_yaml=comments + custom(comment="# bcs-template-set: ready now\n")) as site:
        define(cluster_of(site))
        ran = deploy(site)
        assert ran.code == 800307, ran.log
        assert 'Line 1: the step knows no comment "raedy"' in ran.log
        assert "Line 2: the comment names no check that it allows" in ran.log
        assert 'Line 3: the comment is not of the form "ready FIELD=VALUE"' in ran.log
