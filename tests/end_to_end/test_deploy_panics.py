"""What BCS says in words of its own while it deploys: told as what it means, and never sent again blindly."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from tests.emulator import Dialect
from tests.support.deploying import (
    CLUSTER,
    DEPLOY,
    NAMESPACE,
    calls_of,
    cluster_of,
    cluster_site,
    deploy,
    deployed_site,
    live,
)
from tests.support.publishing import Site, config

READ_OF_B = "GET .*/configmaps/b"
MEANING = "BCS could not read the live object"


@pytest.fixture
def site() -> Iterator[Site]:
    """Yield a site where two ConfigMaps are live, and another build brings both of them anew."""
    with deployed_site(a_yaml=config("a", "1"), b_yaml=config("b", "1")) as made:
        made.next_build(a_yaml=config("a", "2"), b_yaml=config("b", "2"))
        yield made


def refuse_reads(site: Site, *, status: int = 500) -> None:
    cluster_of(site).refuses[READ_OF_B] = status


def read_again(site: Site) -> None:
    cluster_of(site).refuses.clear()


@pytest.mark.parametrize("status", [401, 403, 429, 500])
def test_a_panic_of_the_dry_run_is_told_and_nothing_is_deployed(site: Site, status: int) -> None:
    refuse_reads(site, status=status)
    ran = deploy(site)
    assert (ran.code, calls_of(ran)) == (800608, [])
    assert MEANING in ran.log
    assert "panic recovered" in ran.log


def test_a_panic_of_the_deployment_is_half_done_and_not_sent_again(site: Site) -> None:
    site.rival(lambda _: refuse_reads(site), before=DEPLOY)
    ran = deploy(site)
    assert (ran.code, ran.outcome.result, len(calls_of(ran))) == (800505, "failed", 1)
    assert MEANING in ran.log
    assert "whether the objects before it were applied is not known" in ran.log
    assert live(site, "ConfigMap", "a")["data"] == {"key": "2"}
    read_again(site)
    again = deploy(site)
    assert again.outcome.result == "deployed"
    assert live(site, "ConfigMap", "b")["data"] == {"key": "2"}


def test_a_panic_that_is_over_when_the_run_looks_names_every_object(site: Site) -> None:
    site.rival(lambda _: refuse_reads(site), before=DEPLOY)
    site.rival(lambda _: read_again(site), before=DEPLOY, after=True)
    ran = deploy(site)
    assert (ran.code, len(calls_of(ran))) == (800504, 1)
    assert MEANING in ran.log
    assert "ConfigMap/a: applied" in ran.log
    assert "ConfigMap/b: not applied" in ran.log


def test_on_the_multi_tenant_branch_bcs_says_itself_what_it_could_not_read(site: Site) -> None:
    site.emulator.state.dialect = Dialect.MULTI_TENANT
    site.rival(lambda _: refuse_reads(site), before=DEPLOY)
    site.rival(lambda _: read_again(site), before=DEPLOY, after=True)
    ran = deploy(site)
    assert ran.code == 800504
    assert "refused for a test" in ran.log
    assert MEANING not in ran.log


# --- variables ------------------------------------------------------------------------------------------


def test_a_variable_of_two_files_is_listed_twice_and_sent_once() -> None:
    text = config("NAME", "{{ bcs('GREETING') }}")
    with cluster_site() as site:
        site.files = {f"{name}.yaml.j2": text.replace("NAME", name) for name in "ab"}
        site.emulator.state.set_namespace_variable("GREETING", "hi", cluster=CLUSTER, namespace=NAMESPACE)
        ran = deploy(site)
        assert ran.outcome.result == "deployed", ran.log
        (asked,) = calls_of(ran, "/template/variables")
        listed = json.loads(asked.answer_body)["data"]["vars"]
        assert [row["key"] for row in listed].count("GREETING") == 2
        assert json.loads(calls_of(ran)[0].request.body)["variables"] == {"GREETING": "hi"}
        assert live(site, "ConfigMap", "b")["data"] == {"key": "hi"}


# --- template sets --------------------------------------------------------------------------------------


def test_a_template_set_with_a_plus_in_its_version_is_refused_before_anything_is_sent(site: Site) -> None:
    ran = site.run(template_set="web", version="1.0.0+2")
    assert (ran.code, ran.exchanges) == (800308, ())
    assert "may not have a +" in ran.log


def test_versions_of_files_may_have_a_plus(site: Site) -> None:
    assert site.run(version="1.0.0+2").outcome.result == "published"
