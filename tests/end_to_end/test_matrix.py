"""Many domains in one run: a row each wherever a person looks, and one that fails leaves the others true."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from tests.emulator import Behaviour, Dialect
from tests.emulator.exchanges import most_at_once
from tests.emulator.faults import Fault, Match
from tests.support.deploying import (
    CLUSTER,
    DEPLOY,
    NAMESPACE,
    calls_of,
    cluster_of,
    deploy,
    sent_files,
)
from tests.support.publishing import SPACE, Ran, Site, site_after
from tests.support.scene import site as scene_site
from tests.support.worker import Finished, Worker

from bcs_template_set.agent.progress_payload import LARGEST_PAYLOAD, MOST_SUBTASKS
from bcs_template_set.messages.text import ROW_COLUMNS, width
from bcs_template_set.report.rows import rows_of_outcome

HOSTS = ("a.example.com", "b.example.com", "c.example.com")
REFUSED = '{"code": 1, "message": "mongo is away", "data": null}'


def image(host: str, tag: str) -> str:
    return f"example.com/{host.partition('.')[0]}:{tag}"


def values(tags: Mapping[str, str]) -> str:
    """The values of `builtin:web`: each host with the tag of its image."""
    domains = [{"host": host, "image": image(host, tag)} for host, tag in tags.items()]
    return json.dumps({"app": "nginx", "domains": domains})


def web(tags: Mapping[str, str], **inputs: str) -> dict[str, str]:
    return {"templates": "builtin:web", "values": values(tags), **inputs}


def all_at(tag: str, *, hosts: tuple[str, ...] = HOSTS) -> dict[str, str]:
    return dict.fromkeys(hosts, tag)


def rows(ran: Ran) -> dict[str, str]:
    """How each row ended, with its reason."""
    return {row.name: row.ending.words for row in rows_of_outcome(ran.outcome)}


def shown(log: str) -> list[str]:
    """The lines of the last table of a log: from its head to the line before the verdict."""
    return log[log.rindex("\nstate ") + 1 :].splitlines()


def new_version_of(site: Site, name: str) -> Match:
    template_id = site.emulator.state.find_file(SPACE, name).id
    return Match("POST", rf"/template/{template_id}/versions$")


@pytest.fixture
def site() -> Iterator[Site]:
    """Yield a site on whose cluster build 7 has three domains live; build 8 is to come."""
    with site_after(_three_live) as made:
        yield made


def _three_live(made: Site) -> None:
    made.emulator.state.add_cluster(CLUSTER, namespaces=(NAMESPACE,))
    assert deploy(made, **web(all_at("1"))).code == 0
    made.next_build()


# --- publishing -----------------------------------------------------------------------------------------


def test_a_domain_that_can_not_be_published_leaves_the_others_published_and_is_all_that_is_left(
    site: Site,
) -> None:
    match = new_version_of(site, "b.example.com.deployment.yaml")
    site.emulator.faults.add(Fault("answer", match, status=200, body=REFUSED))
    ran = site.run(**web(all_at("2")))
    assert (ran.outcome.result, ran.code) == ("failed", 800608)
    assert rows(ran) == {
        "b.example.com": "failed (800608)",
        "a.example.com": "published",
        "c.example.com": "published",
    }
    versions = ran.versions()
    assert [versions[f"{host}.deployment.yaml"]["version"] for host in HOSTS] == [
        "1.0.8-main",
        "",
        "1.0.8-main",
    ]
    assert [line.split()[:2] for line in shown(ran.log)[1:4]] == [
        ["failed", "(800608)"],
        ["published", "a.example.com"],
        ["published", "c.example.com"],
    ]
    again = site.run(**web(all_at("2")))
    assert again.outcome.result == "published"
    assert again.written == ["POST template/*/versions"]
    assert rows(again) == {
        "b.example.com": "published",
        "a.example.com": "unchanged",
        "c.example.com": "unchanged",
    }


def test_versions_tell_of_a_domain_what_a_person_sees_of_it(site: Site) -> None:
    ran = site.run(**web({**all_at("1"), "b.example.com": "2"}))
    versions: Mapping[str, Mapping[str, object]] = ran.versions()
    entry = versions["b.example.com.deployment.yaml"]
    assert (entry["domain"], entry["state"]) == ("b.example.com", "published")
    assert entry["images"] == [["example.com/b:1", "example.com/b:2"]]
    assert (entry["previous_version"], entry["version"]) == ("1.0.7-main", "1.0.8-main")
    assert set(versions["a.example.com.routes.yaml"]) == {
        "id",
        "version",
        "previous_id",
        "previous_version",
        "domain",
        "state",
    }


# --- deploying ------------------------------------------------------------------------------------------


def test_a_domain_whose_image_is_missing_leaves_the_others_ready_and_its_repair_deploys_it_alone(
    site: Site,
) -> None:
    cluster_of(site).images[image("b.example.com", "2")] = Behaviour("not-found")
    ran = deploy(site, **web(all_at("2")))
    assert (ran.outcome.result, ran.code) == ("failed", 800506)
    assert {name: words.partition(" ")[0] for name, words in rows(ran).items()} == {
        "b.example.com": "failed",
        "a.example.com": "ready",
        "c.example.com": "ready",
    }
    assert re.match(r"failed \((ErrImagePull|ImagePullBackOff)\) +b\.example\.com ", shown(ran.log)[1])
    states = {name: entry["state"] for name, entry in ran.versions().items()}
    assert states["a.example.com.deployment.yaml"] == "ready"
    assert states["b.example.com.deployment.yaml"] == "failed"
    assert states["b.example.com.routes.yaml"] == "live"
    site.next_build()
    again = deploy(site, **web({**all_at("2"), "b.example.com": "3"}))
    assert again.outcome.result == "deployed"
    assert again.written == ["POST template/*/versions", "POST template/deploy"]
    (call,) = calls_of(again)
    assert sent_files(site, call) == ["b.example.com.deployment.yaml"]
    assert rows(again) == {"b.example.com": "ready", "a.example.com": "live", "c.example.com": "live"}


def test_a_domain_that_is_still_rolling_out_is_not_said_to_have_failed(site: Site) -> None:
    cluster_of(site).images[image("b.example.com", "2")] = Behaviour("never-ready")
    ran = deploy(site, timeout="30", **web(all_at("2")))
    assert ran.outcome.result == "timed-out"
    assert rows(ran) == {
        "b.example.com": "rolling-out (0/1)",
        "a.example.com": "ready",
        "c.example.com": "ready",
    }
    endings = {row.name: row.ending for row in rows_of_outcome(ran.outcome)}
    assert endings["b.example.com"].seconds >= 30 > endings["a.example.com"].seconds


def test_of_a_deployment_that_nobody_could_see_nothing_is_claimed(site: Site) -> None:
    away = Match("POST", r"/template/preview$", nth=3)
    site.emulator.faults.add(Fault("answer", DEPLOY, times=1, status=504, body=b"timed out"))
    looks = site.emulator.faults.add(Fault("answer", away, times=1000, status=500, body=b"away"))
    ran = deploy(site, **web(all_at("2")))
    site.emulator.faults.clear()
    assert looks.struck
    assert ran.outcome.result == "failed"
    assert set(rows(ran).values()) == {"unknown"}


def test_a_restored_domain_is_told_as_restored_with_the_reason(site: Site) -> None:
    cluster_of(site).images[image("b.example.com", "2")] = Behaviour("not-found")
    ran = deploy(site, on_failure="restore", **web(all_at("2")))
    assert ran.outcome.result == "restored"
    states = {name: words.partition(" ") for name, words in rows(ran).items()}
    assert {state for state, _, _ in states.values()} == {"restored"}
    assert [name for name, (_, _, reason) in states.items() if reason] == ["b.example.com"]


def test_the_rows_of_a_failed_deployment_stand_outside_any_fold(tmp_path: Path) -> None:
    with scene_site(tmp_path) as worker:
        cluster = worker.emulator.state.add_cluster(CLUSTER, namespaces=(NAMESPACE,), speed=400.0)
        cluster.images[image("b.example.com", "1")] = Behaviour("not-found")
        target = {"action": "deploy", "cluster_id": CLUSTER, "namespace": NAMESPACE}
        finished = worker.run(**target, **web(all_at("1")))
    assert finished.told["errorCode"] == 800506
    before, _, rows_and_verdict = finished.log.partition("\nstate ")
    assert rows_and_verdict.splitlines()[1].startswith("failed (")
    assert before.count("##[group]") == before.count("##[endgroup]")


# --- many -----------------------------------------------------------------------------------------------

MANY = tuple(f"host-{number:03}.example.com" for number in range(110))
CHANGED = MANY[40:45]
SET = {"template_set": "web", "version": "1.0.{{ build.number }}"}


@pytest.fixture(scope="module")
def published(
    tmp_path_factory: pytest.TempPathFactory, dialect: Dialect
) -> Iterator[tuple[Worker, Finished]]:
    """Yield a build machine and its build 7, which published 110 domains, 220 files; one for each dialect."""
    del dialect
    with scene_site(tmp_path_factory.mktemp("many")) as made:
        regions = {name: {**region, "progress_detail": True} for name, region in made.regions.items()}
        worker = replace(made, regions=regions)
        yield worker, publish(worker, all_at("1", hosts=MANY))


def publish(worker: Worker, tags: Mapping[str, str]) -> Finished:
    finished = worker.run(**SET, **web(tags))
    assert finished.status == 0, finished.log
    return finished


def details(finished: Finished) -> list[str]:
    """What the worker was told of the progress."""
    return [line.partition(" ")[2] for line in finished.progress]


def test_a_hundred_new_domains_stay_within_the_limits_of_log_and_progress(
    published: tuple[Worker, Finished],
) -> None:
    worker, finished = published
    table = shown(finished.log)
    assert [line.split()[0] for line in table[1:61]] == ["published"] * 60
    assert table[61] == "… and 50 more: 50 published. The HTML report shows every row."
    assert all(width(line) <= ROW_COLUMNS for line in table[:62])
    page = finished.report(worker.workspace)
    assert page.count('<li data-state="published"') == len(MANY)
    assert all(len(line) <= LARGEST_PAYLOAD for line in details(finished))
    last = json.loads(details(finished)[-1])["subtasks"]
    assert last["summary"] == "110/110"
    assert len(last["items"]) <= MOST_SUBTASKS


def test_five_of_a_hundred_domains_cost_their_own_writes_and_one_template_set(
    published: tuple[Worker, Finished],
) -> None:
    worker, _ = published
    worker.build_number = 8
    worker.emulator.latency = 0.002  # else an answer is there before the next request is
    seen = len(worker.emulator.exchanges)
    finished = publish(worker, {**all_at("1", hosts=MANY), **all_at("2", hosts=CHANGED)})
    exchanges = worker.emulator.exchanges[seen:]
    writes = [exchange for exchange in exchanges if exchange.is_write]
    assert len([w for w in writes if w.path.endswith("/templatesets")]) == 1
    assert len(writes) == len(CHANGED) + 1
    assert most_at_once(w for w in writes if w.path.endswith("/versions")) > 1
    assert most_at_once(e for e in exchanges if not e.is_write) > 1
    table = shown(finished.log)
    assert [line.split()[:2] for line in table[1:6]] == [["published", host] for host in CHANGED]
    assert table[6] == "unchanged  105 more domains"
    assert [item["name"] for item in json.loads(details(finished)[-1])["subtasks"]["items"]] == list(CHANGED)
    assert json.loads(finished.value("versions"))["count"] == 3 * len(MANY)
