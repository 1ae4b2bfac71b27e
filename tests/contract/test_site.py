"""`make contract`: pointed at an emulator that plays the real site."""

from __future__ import annotations

import copy
import json
import os
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Callable, Optional

import pytest

from tests.contract import site as tool
from tests.emulator import Dialect, Emulator, Exchange, Fault, Match, State, gateway_fault
from tests.support.certificates import of_own_authority
from tests.support.draws import swept
from tests.support.recordings import FILES

TOKEN = "lisi's/canary+token"
SPACE = "contract-probe-0a1b2c"
WHO = "lisi"
MOST_UNRECORDED = 0.2
PROJECT_ROOT = Path(__file__).resolve().parents[2]
dialects = pytest.mark.parametrize("dialect", list(FILES), ids=lambda dialect: dialect.value)


class Run:
    """One run of the tool: its exit status and lines."""

    def __init__(self, emulator: Emulator, **settings: str) -> None:
        self.lines: list[str] = []
        self.waited: list[float] = []
        self.status = tool.main(
            environment(emulator, **settings), say=self.lines.append, wait=self.waited.append
        )

    @property
    def differences(self) -> list[str]:
        return [line for line in self.lines if line.startswith("#")]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def environment(emulator: Emulator, **settings: str) -> dict[str, str]:
    tenant = "default" if emulator.state.dialect is Dialect.MULTI_TENANT else ""
    given = {"BCS": emulator.url, "PROJECT": "web", "SPACE": SPACE, "TENANT": tenant, "BCS_TOKEN": TOKEN}
    return {**given, **settings}


def site_of(dialect: Dialect, *, tls: Optional[ssl.SSLContext] = None) -> Emulator:
    """Return somebody's site: with spaces, files and versions that are none of ours, and a cluster."""
    emulator = Emulator(dialect=dialect, tls=tls)
    state = emulator.state
    state.add_project("web", viewers={WHO})
    state.add_project("demo", viewers={WHO})
    state.add_user_token(TOKEN, user=WHO)
    state.add_bcs_token(TOKEN, user=WHO)
    for project, space in (
        ("web", "web"),
        ("web", "other"),
        ("web", "contract-probe-ffffff"),
        ("demo", "web"),
    ):
        state.add_file(space, "a.yaml", content="kind: A", project=project)
        state.add_version(space, "a.yaml", version="1.0.1", content="kind: B", project=project)
    state.add_cluster("BCS-K8S-12345", project="web", namespaces=("probe",), kubernetes="1.20")
    return emulator


def held(state: State) -> object:
    return copy.deepcopy((state.spaces, state.files, state.versions, state.charts))


@pytest.fixture(params=list(FILES), ids=lambda dialect: dialect.value)
def anybodys(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    with site_of(request.param) as emulator:
        yield emulator
        assert emulator.problems() == []


@pytest.fixture
def site() -> Iterator[Emulator]:
    with site_of(Dialect.C) as emulator:
        yield emulator
        assert emulator.problems() == []


def count(line: str) -> int:
    found = re.search(r"\d+", line)
    assert found is not None, line
    return int(found.group())


def test_a_site_of_any_release_is_as_recorded_and_as_it_was(anybodys: Emulator) -> None:
    before = held(anybodys.state)
    run = Run(anybodys)
    assert run.differences == []
    assert run.status == 0, run.text
    assert held(anybodys.state) == before
    assert run.lines[-1] == "nothing is left of it at the site"
    assert f"compared with {anybodys.state.dialect.value}" in run.text
    sent, unrecorded = (count(line) for line in run.lines if re.match(r"sent|.*alone", line))
    assert sent > 130
    assert unrecorded < MOST_UNRECORDED * sent


def test_straight_at_bcs_the_token_is_a_bearer(site: Emulator) -> None:
    run = Run(site, BCS=site.root, PREFIX="/bcsapi/v4")
    assert run.status == 0, run.text
    assert {exchange.header("authorization") for exchange in site.exchanges} == {f"Bearer {TOKEN}"}


# --- what differs is told --------------------------------------------------------------------------------


def alter(change: Callable[[State], None], *, method: str, path: str, nth: int = 1) -> Fault:
    return Fault(kind="rival", match=Match(method=method, path=path, nth=nth), rival=change)


def test_one_field_that_differs_is_told_with_its_request(site: Emulator) -> None:
    def describe(state: State) -> None:
        state.find_file(SPACE, "a.yaml", project="web").description = "other"

    site.faults.add(alter(describe, method="GET", path="/template/metadatas/[0-9a-f]{24}$", nth=3))
    run = Run(site)
    assert run.status == 1
    told = run.differences
    assert all("/description: 'other', expected ''" in line for line in told), run.text
    first = [line.partition("/description")[0] for line in told[:2]]
    assert first == [
        "#65 GET /clusterresources/v1/projects/demo/template/metadatas/$F: not as recorded: /data",
        "#65 GET /clusterresources/v1/projects/demo/template/metadatas/$F: not as the emulator: /data",
    ]
    assert f"{len([line for line in told if 'as recorded' in line]):4} not as recorded" in run.text


def test_an_answer_of_another_kind_is_told(site: Emulator) -> None:
    html = Fault(
        kind="answer", match=Match(method="POST", path="/template/detail$"), status=200, body="<a\n\x1b[31m>"
    )
    site.faults.add(html)
    run = Run(site)
    assert run.status == 1
    (line,) = [line for line in run.differences if "as recorded" in line]
    assert re.match(r"#88 POST .*/template/detail: not as recorded: .*<a", line)
    assert line.isprintable()


def test_what_the_recording_cannot_judge_is_held_to_the_emulator(site: Emulator) -> None:
    def describe(state: State) -> None:
        state.find_file(SPACE, "c5.yaml", project="web").description = "other"

    site.faults.add(alter(describe, method="GET", path="/metadata/versions$", nth=2))
    run = Run(site)
    assert run.status == 1
    assert {line.partition(": /")[0] for line in run.differences} == {
        "#105 GET /clusterresources/v1/projects/demo/template/$S/metadatas: not as the emulator"
    }


# --- nothing is left, and nothing else is touched --------------------------------------------------------

STOPS = {
    "the space is made, unheard": Fault("handle-then-drop", Match("POST", "/template/spaces$")),
    "the space is made, unheard, again": Fault("handle-then-drop", Match("POST", "/template/spaces$", 2)),
    "the space is not made": Fault("drop-before-handling", Match("POST", "/template/spaces$")),
    "a file is made, unheard": Fault("handle-then-drop", Match("POST", "/template/metadatas$", 20)),
    "a version is made, unheard": Fault("handle-then-drop", Match("POST", "/versions$", 4)),
    "a read is dropped": Fault("drop-before-handling", Match("GET", "/metadatas/[0-9a-f]{24}$", 7)),
    "a write is half answered": Fault("half", Match("PUT", "/metadatas/", 2)),
    "the gateway gives up": gateway_fault("REQUEST_BACKEND_TIMEOUT", match=Match("PUT", "/metadatas/")),
    "taking away is dropped": Fault("drop-before-handling", Match("DELETE", "/template/spaces/"), times=2),
}


@pytest.mark.parametrize("name", STOPS)
def test_a_site_that_fails_in_the_middle_is_left_as_it_was(site: Emulator, name: str) -> None:
    before = held(site.state)
    site.faults.add(copy.deepcopy(STOPS[name]))
    run = Run(site)
    assert run.status == 2, run.text
    assert held(site.state) == before
    assert run.lines[-1] == "nothing is left of it at the site"


@pytest.mark.parametrize("space", ["contract-probe-ffffff", "contract-probe-ffff"])
def test_a_space_that_exists_is_refused_before_any_write(site: Emulator, space: str) -> None:
    run = Run(site, SPACE=space)
    assert run.status == 2
    assert "exists already" in run.text
    assert site.writes() == []


def test_what_cannot_be_taken_away_is_named_and_little(site: Emulator) -> None:
    refused = gateway_fault("APP_NO_PERMISSION", match=Match("DELETE"), times=tool.TRIES + 1)
    site.faults.add(refused)
    run = Run(site)
    assert run.status == 2
    (space,) = site.state.find_spaces(SPACE, project="web")
    (file,) = site.state.find_files(SPACE, project="web")
    left = [line for line in run.lines if line.startswith("LEFT")]
    assert {line.rpartition("/")[2] for line in left} >= {space.id, file.id}
    assert all(SPACE in line for line in left)


AS_AT_A_TERMINAL = (
    "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "runpy.run_module('tests.contract.site', run_name='__main__')"
)
"""Where tests run in a shell's background SIGINT is ignored, and every child of theirs inherits that."""


def test_an_interrupted_run_takes_everything_away(site: Emulator) -> None:
    before = held(site.state)
    started: list[subprocess.Popen[str]] = []
    site.faults.add(
        alter(
            lambda _: started[0].send_signal(signal.SIGINT), method="POST", path="/template/metadatas$", nth=9
        )
    )
    started.append(
        subprocess.Popen(
            [sys.executable, "-c", AS_AT_A_TERMINAL],
            cwd=PROJECT_ROOT,
            env={**os.environ, **environment(site)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    )
    said, _ = started[0].communicate(timeout=60)
    assert started[0].returncode == 2, said
    assert "KeyboardInterrupt" in said
    assert held(site.state) == before
    assert TOKEN not in said


def body_of(exchange: Exchange) -> dict[str, object]:
    body = exchange.sent_json()
    assert isinstance(body, dict)
    return body


@pytest.mark.parametrize("anybodys", swept(FILES, sample=2), indirect=True, ids=lambda dialect: dialect.value)
def test_no_request_is_about_anything_but_the_space_and_previews(anybodys: Emulator) -> None:
    state = anybodys.state
    theirs = {item.id for kind in (state.spaces, state.files, state.versions) for item in kind}
    before, written = held(state), list(anybodys.cluster().writes)
    run = Run(anybodys, CLUSTER="BCS-K8S-12345", NAMESPACE="probe")
    assert (run.differences, run.status) == ([], 0), run.text
    assert held(state) == before
    assert anybodys.cluster().writes == written
    assert len([exchange for exchange in anybodys.exchanges if exchange.path.endswith("/preview")]) > 50
    deployed = [exchange for exchange in anybodys.exchanges if exchange.path.endswith("/deploy")]
    assert [body_of(exchange)["templateVersions"] for exchange in deployed] == [[]]
    for exchange in anybodys.exchanges:
        rest = exchange.path.partition("/clusterresources/v1/")[2]
        assert rest == "version" or rest.startswith("projects/web/template/"), exchange.path
        assert not theirs & set(re.findall(r"[0-9a-f]{24}", exchange.path + exchange.request.body.decode()))
        if rest == "projects/web/template/spaces":
            named = (
                dict(exchange.query).get("name", "")
                if exchange.method == "GET"
                else body_of(exchange)["name"]
            )
            assert named in (SPACE, f"^{SPACE}$")
        if exchange.method == "POST" and rest.endswith(("/metadatas", "/detail")):
            body = body_of(exchange)
            assert str(body.get("templateSpace", SPACE)) == SPACE
            folder = str(body.get("name", "")).strip("/").split("/")[0]
            assert "/" not in str(body.get("name", "")) or folder == SPACE
        if exchange.method == "DELETE":
            assert re.fullmatch(r"projects/web/template/(spaces|metadatas|versions)/[0-9a-f]{24}", rest)


# --- the token, the way there ----------------------------------------------------------------------------


def test_the_token_is_shown_nowhere_even_where_the_site_says_it(site: Emulator) -> None:
    for nth, said in enumerate([TOKEN, json.dumps([TOKEN])], start=1):
        body = json.dumps({"code": 1, "message": f"token {said}", "requestID": "r", "data": None})
        site.faults.add(Fault("answer", Match("POST", "/template/detail$", nth), status=200, body=body))
    run = Run(site)
    assert len([line for line in run.differences if "/message: " in line]) == 4
    assert not any(part in run.text for part in (TOKEN, repr(TOKEN)[1:-1], "canary"))
    assert "***" in run.text


@pytest.mark.parametrize("fault", [
    Fault("answer", status=302, headers={"Location": "http://127.0.0.1:9/"}),
    Fault("answer", status=200, body="<html>"),
    Fault("answer", status=401, body="{}"),
    gateway_fault("INVALID_ARGS", match=Match()),
])  # fmt: skip
def test_a_site_that_lets_nobody_in_is_told(site: Emulator, fault: Fault) -> None:
    site.faults.add(copy.deepcopy(fault))
    run = Run(site)
    assert run.status == 2
    assert f"HTTP {fault.status}" in run.text
    assert len(site.exchanges) == 1


def test_a_site_that_cannot_be_reached_is_told() -> None:
    emulator = site_of(Dialect.C).start()
    there = environment(emulator)
    emulator.stop()
    lines: list[str] = []
    assert tool.main(there, say=lines.append) == 2
    assert lines[0].startswith("This could not run to its end: ConnectionRefusedError")
    assert lines[1:] == ["nothing is left of it at the site"]


@pytest.mark.parametrize("dialect", [Dialect.NONE, Dialect.V1_29])
def test_a_site_that_no_recording_is_of_is_told_before_any_write(dialect: Dialect) -> None:
    with Emulator(dialect=dialect) as emulator:
        emulator.state.add_project("web", viewers={WHO})
        emulator.state.add_user_token(TOKEN, user=WHO)
        run = Run(emulator)
        assert run.status == 2
        assert emulator.writes() == []


@pytest.mark.parametrize(("settings", "named"), [
    ({"BCS": ""}, "BCS"),
    ({"BCS": "https://lisi:word@example.com"}, "BCS"),
    ({"PROJECT": "web/../demo"}, "PROJECT"),
    ({"PREFIX": "v4"}, "PREFIX"),
    ({"SPACE": "web"}, "SPACE"),
    ({"SPACE": "contract.probe.1"}, "SPACE"),
    ({"BCS_TOKEN": ""}, "BCS_TOKEN"),
    ({"BCS_TOKEN": "a-canary\nX-Evil: 1"}, "BCS_TOKEN"),
    ({"CLUSTER": "BCS-K8S-12345"}, "NAMESPACE"),
    ({"CA_BUNDLE": "/nowhere"}, "No such file"),
])  # fmt: skip
def test_a_setting_that_is_missing_or_malformed_is_named(
    site: Emulator, settings: dict[str, str], named: str
) -> None:
    run = Run(site, **settings)
    assert run.status == 2
    assert named in run.text
    assert "canary" not in run.text
    assert "word" not in run.text
    assert site.exchanges == []


def test_its_authority_must_be_known(tmp_path: Path) -> None:
    context, bundle = of_own_authority(tmp_path)
    with site_of(Dialect.C, tls=context) as emulator:
        distrusting = Run(emulator)
        assert distrusting.status == 2
        assert emulator.exchanges == []
        trusting = Run(emulator, CA_BUNDLE=bundle)
        assert trusting.status == 0, trusting.text


# --- the gateway in between ------------------------------------------------------------------------------


def test_a_limit_of_the_gateway_is_waited_for(site: Emulator) -> None:
    match = Match("POST", "/template/metadatas$", 5)
    site.faults.add(gateway_fault("RATE_LIMIT_RESTRICTION", match=match, times=2, reset=3))
    run = Run(site)
    assert run.status == 0, run.text
    assert run.waited == [3.0, 3.0]


def test_what_the_gateway_does_not_publish_is_counted(site: Emulator) -> None:
    site.faults.add(gateway_fault("API_NOT_FOUND", match=Match("POST", "/template/detail$"), times=4))
    run = Run(site)
    assert run.status == 0, run.text
    assert "     4 the gateway does not let through" in run.lines
