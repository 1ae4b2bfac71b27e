"""A server that is not what the region says: each way has its code, names the URL, and nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.emulator import Emulator, Fault, Match
from tests.support.certificates import of_own_authority
from tests.support.dialects import at_work
from tests.support.raw_server import refusing_port
from tests.support.scene import Lived, change_region, check_refused, run_here, site, unrecorded
from tests.support.worker import Worker

PAGE = "<html><body><form action='/login'>Sign in</form></body></html>"
HTML = {"Content-Type": "text/html; charset=utf-8"}
ANY = Match(path="^/api/")


def check(worker: Worker, lived: Lived, code: int, *words: str) -> None:
    assert lived.code == code, lived.log
    for word in ("What to do: ", *words):
        assert word in lived.log, f"{word!r} is not in:\n{lived.log}"
    assert worker.emulator.writes() == []
    assert "Nothing was written" in lived.log


def answering(status: int, body: str = "", **headers: str) -> Fault:
    return Fault("answer", ANY, times=99, status=status, body=body, headers={**HTML, **headers})


REDIRECT = answering(302, PAGE, Location="https://login.example.com/?c_url=x")


@pytest.mark.parametrize(
    ("fault", "code", "word"),
    [
        (answering(200, PAGE), 800603, "text/html"),
        (answering(200), 800603, "empty"),
        (REDIRECT, 800603, "https://login.example.com/"),
        (answering(404, "404 page not found"), 800604, "path_prefix"),
        (answering(200, '{"message": "hello"}', **{"Content-Type": "application/json"}), 800603, "code"),
        (answering(200, '{"code": 0, "da', **{"Content-Type": "application/json"}), 800609, "JSON"),
        (Fault("half", ANY, times=99), 800601, "answer"),
        (Fault("refuse", ANY, times=99), 800601, "answer"),
        (answering(503, PAGE), 800606, "503"),
        (answering(413, PAGE), 800607, "clusterresources"),
        (answering(429, "{}"), 800605, "limit"),
        (
            answering(200, '{"code": 0, "data": {"items": 7}}', **{"Content-Type": "application/json"}),
            800609,
            "data",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else getattr(value, "kind", value),
)
def test_an_answer_that_is_not_bcs_is_told_for_what_it_is(
    tmp_path: Path, fault: Fault, code: int, word: str
) -> None:
    with site(tmp_path) as worker:
        worker.emulator.faults.add(fault)
        lived = run_here(worker)
        check(worker, lived, code, word)
        if code != 800605:
            assert worker.emulator.url in lived.log, lived.log
        worker.emulator.faults.clear()


def test_a_refused_connection_names_the_address(tmp_path: Path) -> None:
    with site(tmp_path) as worker, refusing_port() as port:
        gateway = f"http://127.0.0.1:{port}/api/bcs-api-gateway/prod"
        change_region(worker, gateway=gateway)
        check(worker, run_here(worker), 800601, gateway, "refused")


def test_a_name_that_does_not_resolve_is_said(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        change_region(worker, gateway="http://bkapi.invalid/api")
        check(worker, run_here(worker), 800601, "bkapi.invalid")


@pytest.mark.parametrize(("stage", "prefix"), [("prod", ""), ("prod", "/v5"), ("stag", "/v4")])
def test_a_wrong_stage_or_prefix_is_told_from_a_missing_project(
    tmp_path: Path, stage: str, prefix: str
) -> None:
    with site(tmp_path) as worker:
        gateway = worker.emulator.url.replace("/prod", f"/{stage}")
        change_region(worker, gateway=gateway, path_prefix=prefix)
        check(worker, run_here(worker), 800604, "path_prefix", gateway)


def test_a_certificate_nobody_vouches_for_is_refused_and_ca_bundle_is_the_cure(tmp_path: Path) -> None:
    context, bundle = of_own_authority(tmp_path)
    with site(tmp_path, emulator=Emulator(tls=context, dialect=at_work())) as worker:
        unrecorded(worker)
        check_refused(worker.run(), 800602, "ca_bundle", worker.emulator.url, "What to do: ")
        assert worker.emulator.to_gateway() == []
        change_region(worker, ca_bundle=bundle)
        assert worker.run().value("result") == "published"


@pytest.mark.parametrize("content", [None, "", "no certificate at all"])
def test_a_ca_bundle_that_is_none_is_named(tmp_path: Path, content: str | None) -> None:
    bundle = tmp_path / "ca.pem"
    if content is not None:
        bundle.write_text(content)
    with site(tmp_path) as worker:
        https = worker.emulator.url.replace("http:", "https:")
        change_region(worker, gateway=https, ca_bundle=str(bundle))
        check(worker, run_here(worker), 800615, str(bundle))


def test_plain_http_spoken_to_a_tls_port_is_no_answer_of_bcs(tmp_path: Path) -> None:
    context, _ = of_own_authority(tmp_path)
    with site(tmp_path, emulator=Emulator(tls=context, dialect=at_work())) as worker:
        plain = worker.emulator.url.replace("https:", "http:")
        unrecorded(worker)
        change_region(worker, gateway=plain)
        check(worker, run_here(worker), 800601, plain)


def test_tls_spoken_to_a_plain_port_is_no_answer_of_bcs(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        https = worker.emulator.url.replace("http:", "https:")
        change_region(worker, gateway=https)
        check(worker, run_here(worker), 800601, https)
