"""What a workload says itself of why it is not ready: within two looks in the log, and in the verdict."""

from __future__ import annotations

import re

import pytest
from tests.support.deploying import (
    NAMESPACE,
    cluster_of,
    cluster_site,
    deploy,
    documents,
    workload,
)
from tests.support.publishing import Ran, Site

ACCOUNT = workload().replace("    spec:\n", "    spec:\n      serviceAccountName: deployer\n")


def no_quota(site: Site) -> None:
    cluster_of(site).set_quota(NAMESPACE, pods=0)


def a_rule(site: Site) -> None:
    cluster_of(site).refuse_pods("privileged containers are not allowed")


def nothing(_: Site) -> None:
    """Leave the cluster as it is."""


def told_at(ran: Ran, words: str) -> float:
    """Return how many seconds into the wait a line of the log says this first."""
    line = next(line for line in ran.log.splitlines() if words in line)
    found = re.search(r"(\d+) s  ", line)
    assert found is not None
    return float(found[1])


@pytest.mark.parametrize(
    ("web", "prepare", "words", "cure"),
    [
        (workload(), no_quota, "exceeded quota: team", "Ask for a larger quota"),
        (workload(), a_rule, "privileged containers are not allowed", "Change what the rule names"),
        (ACCOUNT, nothing, 'serviceaccount "deployer" not found', "Create it in the namespace"),
    ],
)
def test_what_a_deployment_says_is_told_at_once_and_in_the_verdict_of_a_time_out(
    web: str, prepare: object, words: str, cure: str
) -> None:
    with cluster_site(web_yaml=web) as site:
        assert callable(prepare)
        prepare(site)
        ran = deploy(site, timeout="40")
        assert (ran.code, ran.outcome.result) == (800508, "timed-out"), ran.log
        assert told_at(ran, words) < 4
        verdict = ran.log.partition("Timed out (800508)")[2]
        assert words in verdict
        assert cure in verdict
        assert "raise timeout" not in ran.log
        assert "More time is not what is missing" in verdict


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet", "Job"])
def test_of_a_kind_that_says_nothing_the_silence_is_told(kind: str) -> None:
    with cluster_site(web_yaml=workload(kind)) as site:
        no_quota(site)
        ran = deploy(site, timeout="40")
        assert ran.code == 800508, ran.log
        assert told_at(ran, "No pod of it is being made") < 9
        assert f"Look at the events of the {kind} in the BCS console" in ran.log
        assert "raise timeout" not in ran.log


def test_a_quota_that_is_raised_while_the_step_waits_lets_it_end_well() -> None:
    with cluster_site(web_yaml=documents(workload(replicas=2))) as site:
        cluster_of(site).set_quota(NAMESPACE, pods=1)
        deploy(site, timeout="30")
        cluster_of(site).set_quota(NAMESPACE, pods=2)
        ran = deploy(site)
        assert (ran.code, "exceeded quota" in ran.log) == (0, False), ran.log
