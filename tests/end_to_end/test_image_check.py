"""New images are looked for before versions are written: missing stops a run, unseen is noted or does so."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import yaml
from tests.emulator.cluster.tree import Manifest, branch, items
from tests.emulator.registry import OCI_INDEX, SCHEMA_1, Habits, Registry
from tests.support.deploying import CLUSTER, NAMESPACE, cluster_site, deploy, workload
from tests.support.publishing import Ran, Site

from bcs_template_set.messages import LANGUAGES, Language
from bcs_template_set.report.verdict_lines import verdict_lines

PASSWORD = "p4ss-word-canary"
TARGET = {"cluster_id": CLUSTER, "namespace": NAMESPACE}


@pytest.fixture
def registry() -> Iterator[Registry]:
    made = Registry(users={"robot": PASSWORD})
    made.push("team/web", "1")
    made.push("team/web", "1.0.1")
    yield made
    made.stop()


@pytest.fixture
def site(registry: Registry) -> Iterator[Site]:
    with cluster_site(web_yaml=running(registry)) as made:
        yield made


def running(registry: Registry, tag: str = "1", *, name: str = "web", policy: str = "", **pod: object) -> str:
    """Return a Deployment of an image of the registry, its pod's spec with these fields."""
    manifest: Manifest = yaml.safe_load(workload(name=name))
    spec = branch(manifest, "spec", "template", "spec")
    container = items(spec, "containers")[0]
    container["image"] = f"{registry.name}/team/web:{tag}"
    container.update({"imagePullPolicy": policy} if policy else {})
    spec.update(pod)
    return yaml.safe_dump(manifest, sort_keys=False)


def look(site: Site, **inputs: str) -> Ran:
    return site.run(**{"action": "publish", "image_check": "auto", **inputs})


# --- found, missing, unseen -----------------------------------------------------------------------------


def test_images_that_are_there_are_asked_for_once_and_published(site: Site, registry: Registry) -> None:
    ran = look(site)
    assert (ran.outcome.result, ran.code) == ("published", 0), ran.log
    assert "Images: 1 new, all of them in their registries." in ran.log
    assert len(registry.requests) == 1
    site.next_build(web_yaml=running(registry, terminationGracePeriodSeconds=7))
    assert look(site).outcome.result == "published"
    assert len(registry.requests) == 1, "it is not new"


@pytest.mark.parametrize("action", ["plan", "publish", "deploy"])
def test_a_missing_image_stops_the_run_before_anything_is_written(
    site: Site, registry: Registry, action: str
) -> None:
    site.files["web.yaml"] = running(registry, "1.0.2")
    ran = look(site, action=action, **(TARGET if action == "deploy" else {}))
    assert (ran.outcome.result, ran.code, ran.writes) == ("failed", 800310, [])
    assert (
        f"{registry.name}/team/web:1.0.2, in web.yaml: {registry.name} has the repository team/web" in ran.log
    )
    assert "and answers HEAD and GET for 1.0.2 with HTTP 404, twice; the nearest tags are 1.0.1" in ran.log
    assert ran.log.count("image_check: off") == 1
    assert 5.0 in site.clock.waits


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_missing_image_reads_as_reviewed(
    site: Site, registry: Registry, language: Language, golden: Callable[[str, str], None]
) -> None:
    site.files["web.yaml"] = running(registry, "1.0.2")
    told = verdict_lines(replace(look(site).outcome, language=language))
    text = "".join(f"{line.text}\n" for line in told).replace(registry.name, "registry.example.com")
    golden(f"end_to_end/missing_image.{language}.txt", text)


@pytest.mark.parametrize("habits", [Habits(manifests=503), Habits(page=True), Habits(login=True, hides=True)])
def test_what_can_not_be_looked_at_is_a_note_or_a_refusal(
    site: Site, registry: Registry, habits: Habits
) -> None:
    registry.habits = habits
    refused = look(site, image_check="require")
    assert (refused.code, refused.writes) == (800311, [])
    assert "Images not looked at (1), since" in refused.log
    noted = look(site)
    assert (noted.outcome.result, noted.outcome.warnings) == ("published", ())
    assert "Images not looked at (1), since" in noted.log


def test_a_registry_that_is_away_is_told_once(site: Site, registry: Registry) -> None:
    registry.habits = Habits(manifests=429)
    site.files.update({f"w{n}.yaml": running(registry, str(n), name=f"w{n}") for n in range(9)})
    ran = look(site)
    assert ran.log.count("answers with HTTP 429") == 1
    assert "Images not looked at (9)" in ran.log


def test_off_asks_nobody(site: Site, registry: Registry) -> None:
    site.files["web.yaml"] = running(registry, "2")
    assert look(site, image_check="off").outcome.result == "published"
    assert registry.requests == []


def test_nobody_is_asked_for_an_image_that_nobody_pulls(site: Site, registry: Registry) -> None:
    site.files["web.yaml"] = running(registry, "2", policy="Never")
    ran = look(site)
    assert (ran.outcome.result, registry.requests) == ("published", [])
    assert f"never pull them (imagePullPolicy: Never): {registry.name}/team/web:2" in ran.log


def test_a_missing_image_that_pods_run_is_only_noted(site: Site, registry: Registry) -> None:
    assert deploy(site, image_check="auto").outcome.result == "deployed"
    del registry.repositories["team/web"].tags["1"]
    site.next_build(other_yaml=running(registry, name="other"))
    ran = deploy(site, image_check="auto")
    assert ran.outcome.result == "deployed", ran.log
    assert "is not in" in ran.log
    assert "any more; pods of the namespace run it." in ran.log


def test_without_the_right_to_look_at_pods_it_is_missing_all_the_same(site: Site, registry: Registry) -> None:
    assert deploy(site, image_check="auto").outcome.result == "deployed"
    del registry.repositories["team/web"].tags["1"]
    site.emulator.state.projects[0].denied |= {("lisi", "namespace_scoped_view")}
    site.next_build(other_yaml=running(registry, name="other"))
    assert look(site, **TARGET).code == 800310


def test_values_of_variables_are_filled_in_first(site: Site, registry: Registry) -> None:
    site.files["web.yaml.j2"] = running(registry, "{{ bcs('TAG') }}").replace("''", "'")
    del site.files["web.yaml"]
    assert look(site).code == 0, "what is open is not asked for"
    assert registry.requests == []
    assert look(site, variables="TAG: '1'", **TARGET).code == 0
    assert look(site, variables="TAG: '2'", **TARGET).code == 800310


# --- platforms ------------------------------------------------------------------------------------------


def selecting(architecture: str) -> dict[str, str]:
    return {"kubernetes.io/arch": architecture}


def test_an_index_without_an_entry_for_the_nodes_stops_the_run(site: Site, registry: Registry) -> None:
    registry.push("team/web", "2", kind=OCI_INDEX, platforms=("linux/amd64", "unknown/unknown"))
    site.files["web.yaml"] = running(registry, "2", nodeSelector=selecting("arm64"))
    ran = look(site)
    assert (ran.code, ran.writes) == (800310, [])
    assert "it is for linux/amd64, and the nodes that the pods ask for are */arm64" in ran.log
    site.files["web.yaml"] = running(registry, "2", nodeSelector=selecting("amd64"))
    assert look(site).code == 0


def test_an_index_without_an_entry_for_some_nodes_is_a_warning(site: Site, registry: Registry) -> None:
    registry.push("team/web", "2", kind=OCI_INDEX, platforms=("linux/amd64", "linux/arm/v7"))
    for architecture in ("amd64", "arm64", "arm"):
        name = f"on-{architecture}"
        site.files[f"{name}.yaml"] = running(registry, "2", name=name, nodeSelector=selecting(architecture))
    ran = look(site)
    assert ran.outcome.result == "published"
    assert "not for these nodes that pods ask for: */arm64" in ran.log
    assert len(ran.outcome.warnings) == 1


def test_schema_1_is_a_warning(site: Site, registry: Registry) -> None:
    registry.push("team/web", "2", kind=SCHEMA_1)
    site.files["web.yaml"] = running(registry, "2")
    ran = look(site)
    assert ran.outcome.result == "published"
    assert "its manifest is of schema 1" in ran.log


# --- going back -----------------------------------------------------------------------------------------


def test_a_rollback_to_an_image_that_is_gone_is_refused_with_the_next_that_is_there(
    site: Site, registry: Registry
) -> None:
    for tag in ("1", "1.0.1", "1.0.2", "1.0.3", "2", "3"):
        registry.push("team/web", tag)
        site.next_build(web_yaml=running(registry, tag))
        assert deploy(site).outcome.result == "deployed"
    for tag in ("1.0.2", "1.0.3", "2"):
        del registry.repositories["team/web"].tags[tag]
    site.emulator.state.add_credential("token", {"access_token": "t0ken"})
    waited = len(site.clock.waits)
    back = {"action": "rollback", "image_check": "require", "registry_credential": "token"}
    refused = deploy(site, **back)
    assert (refused.code, refused.writes) == (800310, [])
    assert site.clock.waits[waited:].count(5.0) == 2, "once for this one, and once for all before it"
    assert f"{registry.name}/team/web:2, in web.yaml" in refused.log
    assert "1.0.9-main" in refused.log.partition("Failed")[2], "the version with 1.0.1"
    assert refused.log.count("##[warning]The step asks the registry without") == 1
    registry.habits = Habits(manifests=503)
    gone_back = deploy(site, **back)
    assert gone_back.outcome.result == "rolled-back", "not seen never stops a rollback"
    assert "answers with HTTP 503" in gone_back.log


# --- the login ------------------------------------------------------------------------------------------


def test_a_login_finds_what_nobody_else_sees_and_is_shown_nowhere(site: Site, registry: Registry) -> None:
    registry.habits = Habits(login=True, hides=True)
    site.emulator.state.add_credential("robot", {"username": "robot", "password": PASSWORD})
    ran = look(site, image_check="require", registry_credential=f"robot {registry.name}")
    assert ran.outcome.result == "published", ran.log
    tokens = {each.header("authorization") for each in registry.requests} - {""}
    assert len(tokens) == 2, "the password for a token, and the token"
    assert not any(word in ran.log for shown in tokens for word in (PASSWORD, shown.partition(" ")[2]))


def test_whatever_a_registry_says_nothing_of_its_login_is_shown(site: Site, registry: Registry) -> None:
    site.emulator.state.add_credential("robot", {"username": "robot", "password": PASSWORD})
    site.files["web.yaml"] = running(registry, "2")
    for asking in (Habits(basic=True), Habits(login=True)):
        for answer in (asking, replace(asking, tags=500), replace(asking, manifests=429), Habits(page=True)):
            registry.habits = answer
            ran = look(site, image_check="require", registry_credential="robot")
            shown = {each.header("authorization").partition(" ")[2] for each in registry.requests} - {""}
            told = ran.log + json.dumps(ran.output())
            assert ran.code in (800310, 800311)
            assert not any(secret in told for secret in (PASSWORD, "canary", *shown))


def test_a_login_without_a_registry_is_for_the_only_one_of_the_run(site: Site, registry: Registry) -> None:
    registry.habits = Habits(basic=True)
    site.emulator.state.add_credential("robot", {"username": "robot", "password": PASSWORD})
    assert look(site, image_check="require", registry_credential="robot").code == 0
    away = running(registry, name="away").replace(registry.name, "a.invalid")
    site.next_build(web_yaml=running(registry, "1.0.1"), away_yaml=away)
    ran = look(site, registry_credential="robot")
    assert "registry_credential names no registry" in ran.log
    assert f"{registry.name} answers with HTTP 401" in ran.log
    asked = len(registry.requests)
    look(site, registry_credential="robot b.invalid")
    assert not any(each.header("authorization") for each in registry.requests[asked:])


def test_a_credential_of_no_use_is_a_warning_or_a_refusal(site: Site) -> None:
    site.emulator.state.add_credential("token", {"access_token": "t0ken-canary"})
    refused = look(site, image_check="require", registry_credential="token")
    assert (refused.code, refused.writes) == (800203, [])
    warned = look(site, registry_credential="token")
    assert warned.outcome.result == "published"
    assert "The step asks the registry without registry_credential" in warned.log
    assert "canary" not in refused.log + warned.log
