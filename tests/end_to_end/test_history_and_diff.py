"""`history` and `diff`: who published and deployed what, and in what versions differ. No secret is shown."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import get_args

import pytest
from tests.emulator.cluster.tree import grow
from tests.emulator.faults import Fault, Match
from tests.support.deploying import (
    CLUSTER,
    NAMESPACE,
    PREVIEW,
    cluster_of,
    cluster_site,
    deploy,
    deploy_first,
    documents,
    live,
    workload,
)
from tests.support.draws import swept
from tests.support.looking import Looked, diff, history, status
from tests.support.publishing import USER, Site, config, of_gateway, site_after

from bcs_template_set.messages import Language

CANARIES = ("geheim-erste-5up3r", "geheim-zweite-5up3r", "geheim-hand-5up3r")


def secret(value: str) -> str:
    return f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\nstringData:\n  token: {value}\n"


def encoded(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


@pytest.fixture
def site() -> Iterator[Site]:
    """Yield a site after three builds, of which the last one was only published, and a change by hand."""
    text = documents(workload(replicas=2), secret(CANARIES[0]))
    with site_after(_three, web_yaml=text, conf_yaml=config("conf", "a")) as made:
        yield made


def _three(made: Site) -> None:
    deploy_first(made)
    made.next_build(web_yaml=documents(workload(tag="2", replicas=3), secret(CANARIES[1])))
    assert deploy(made).code == 0
    made.next_build(conf_yaml=config("conf", "b"), new_yaml=config("new", "x"))
    assert made.run(action="publish").code == 0
    by_hand(made, "Deployment", "web", "spec", "replicas", value=5)
    by_hand(made, "Secret", "s", "data", "token", value=encoded(CANARIES[2]))
    made.clock.time += 60


def by_hand(site: Site, kind: str, name: str, *path: str, value: object) -> None:
    manifest = live(site, kind, name)
    grow(manifest, *path[:-1])[path[-1]] = value
    cluster_of(site).put(manifest)


VERBS: dict[str, Callable[[Site, bool, Language], Looked]] = {
    "status": lambda site, as_json, language: status(site, as_json=as_json, language=language),
    "history": lambda site, as_json, language: history(site, as_json=as_json, language=language),
    "diff": lambda site, as_json, language: diff(
        site, "1.0.7-main", "1.0.9-main", as_json=as_json, language=language
    ),
    "diff_live": lambda site, as_json, language: diff(
        site, "1.0.8-main", "live", as_json=as_json, language=language
    ),
    "live_diff": lambda site, as_json, language: diff(
        site, "live", "1.0.9-main", as_json=as_json, language=language
    ),
}


def of_run(site: Site, **inputs: str) -> Looked:
    """Run the step, and return its log as a verb's output."""
    ran = site.run(cluster_id=CLUSTER, namespace=NAMESPACE, **inputs)
    return Looked(0, ran.log, "", ran.exchanges)


VERBS["rollback"] = lambda site, as_json, _: of_run(
    site, action="plan", rollback_to="previous", strict=str(as_json).lower()
)


def test_what_they_print_is_their_golden_file(site: Site, golden: Callable[[str, str], None]) -> None:
    for language in get_args(Language):
        for verb in ("history", "diff", "diff_live"):
            looked = VERBS[verb](site, False, language)
            assert (looked.status, looked.err) == (0, "")
            assert [exchange for exchange in looked.exchanges if exchange.is_write] == []
            golden(f"end_to_end/{verb}.{language}.txt", looked.out)


def test_json_says_different_and_the_exit_status_does_not(site: Site) -> None:
    changed = diff(site, "1.0.7-main", "1.0.8-main")
    assert (changed.status, changed.told["different"]) == (0, True)
    assert [file["name"] for file in changed.told["files"]] == ["web.yaml"]
    same = diff(site, "1.0.7-main", "1.0.8-main", "conf.yaml", as_json=False)
    assert (same.status, same.out) == (0, "Nothing differs.\n")
    back = diff(site, "1.0.9-main", "1.0.7-main", "new.yaml").told["files"]
    assert [(file["before"], file["after"]) for file in back] == [("1.0.9-main", None)]
    assert diff(site, "live", "live").status == 1
    wrong = diff(site, "1.0.7-mian", "live").err
    assert ("The arguments have mistakes." in wrong, 'Did you mean "1.0.7-main"?' in wrong) == (True, True)
    assert diff(site, "1.0.7-main", "live", namespace="").status == 1


def test_history_tells_who_published_and_who_deployed_where_that_is_known(site: Site) -> None:
    newest, middle, first = history(site, "web.yaml", "conf.yaml").told["versions"]
    assert (newest["current"], newest["live"]) == (["conf.yaml"], [])
    assert (newest["deployed_by"], newest["deployed_known_by"]) == (None, None)
    assert (middle["live"], middle["build"], middle["branch"]) == (["Deployment/web", "Secret/s"], 8, "main")
    assert (middle["published_by"], middle["started_by"]) == (USER, "wangwu")
    assert (middle["deployed_by"], middle["deployed_known_by"]) == (USER, "revision")
    assert (first["files"], first["live"]) == (["conf.yaml", "web.yaml"], ["ConfigMap/conf"])
    elsewhere = history(site, "conf.yaml", namespace="").told["versions"]
    assert [row["live"] for row in elsewhere] == [None, None]
    assert [row["deployed_known_by"] for row in elsewhere] == [None, "record"]
    site.fault("answer", Match("GET", "/configs/secrets"), times=4)
    assert "What is live of Secret is not known" in history(site, "web.yaml", as_json=False).out


def test_what_is_live_and_not_in_the_version_and_what_is_open_are_told() -> None:
    text = config("conf", "x").replace('"x"', '"{{ bcs("LEVEL") }}"')
    with cluster_site(conf_yaml=documents(text, config("more", "1"))) as site:
        assert deploy(site, variables="LEVEL: high").code == 0
        site.next_build(conf_yaml=text, new_yaml=config("new", "1"))
        assert site.run(action="publish", variables="LEVEL: high").code == 0
        looked = diff(site, "1.0.8-main", "live", as_json=False)
        assert "live, and not in the version: ConfigMap/more" in looked.out
        assert "data.key, filled in from LEVEL," in looked.out
        site.fault("answer", Match("POST", "/template/preview"), times=4, status=503)
        looked = diff(site, "1.0.7-main", "live", "conf.yaml")
        assert looked.told["different"] is False
        assert "1.0.7-main" in looked.told["files"][0]["not_known"][0]


# --- c3 -------------------------------------------------------------------------------------------------


def test_no_value_of_a_secret_is_printed_whatever_request_fails(site: Site) -> None:
    for verb, run in VERBS.items():
        for one in looks_with_faults(site, run):
            for canary in (*CANARIES, *map(encoded, CANARIES)):
                assert canary not in one.out + one.err, verb


def looks_with_faults(site: Site, run: Callable[[Site, bool, Language], Looked]) -> Iterator[Looked]:
    """Yield what a verb prints, also where the API server quotes a Secret, and where requests fail."""
    first = run(site, False, "en_US")
    yield first
    yield run(site, True, "en_US")
    quoted = {"items": [{"kind": "Secret", "name": "s", "content": secret(CANARIES[1])}], "error": ""}
    for words in (CANARIES[1], encoded(CANARIES[1])):
        body = json.dumps({"code": 0, "data": {**quoted, "error": f"error found in …|{words}|…"}})
        site.emulator.faults.add(Fault("answer", PREVIEW, status=200, body=body))
        yield run(site, False, "en_US")
        site.emulator.faults.clear()
    count = len(of_gateway(first.exchanges))
    for number in swept(range(1, count + 1), sample=1):
        for kind in ("answer", "half"):
            site.emulator.faults.add(Fault(kind, Match(path="^/api/", nth=number), times=4))
            yield run(site, False, "en_US")
            site.emulator.faults.clear()
