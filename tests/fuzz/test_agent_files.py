"""Whatever the agent's files hold, output.json says how the step ended, and whose fault it was."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from bcs_template_set.config.inputs import INPUTS
from bcs_template_set.system.http_values import HttpAnswer, NotSent
from tests.fuzz.bounded import NOWHERE, within
from tests.fuzz.living import Ended, run_agent
from tests.fuzz.mutations import PIECES, Json, mutated_bytes, mutated_json, nested, seeded
from tests.fuzz.profile import fuzzed
from tests.fuzz.seeds import REGIONS, VALUES_TEXT
from tests.support.stand_ins import SDK_JSON, FakeSender, answer

SECONDS = 20.0
CANARY = "canary-5up3r"
REGION = {"gateway": NOWHERE, "app_code": "web_app", "app_secret": CANARY, "people": "environment"}

GIVEN: Mapping[str, Json] = {
    "BK_CI_START_USER_NAME": "wangwu",
    "BK_CI_PIPELINE_UPDATE_USER": "lisi",
    "BK_CI_PROJECT_NAME": "web",
    "BK_CI_PIPELINE_ID": "p-1",
    "BK_CI_BUILD_ID": "b-7",
    "BK_CI_BUILD_NUM": "7",
    "BK_CI_BUILD_START_TIME": "1767229800000",
    "BK_CI_GIT_REF": "refs/heads/feature/x",
    "BK_CI_GIT_SHA": "0123456789abcdef",
    "BK_CI_ATOM_TIMEOUT": "15",
    "BK_CI_ATOM_CODE": "bcsTemplateSet",
    "BK_CI_LOCALE_LANGUAGE": "en_US",
    "parentTaskId": "t-1",
    "region": "gz",
    "template_space": "front-ends",
    "values": VALUES_TEXT,
    "bkSensitiveConfInfo": {"regions": json.dumps({"gz": REGION})},
}
CHOSEN = {
    "action": ("plan", "publish", "deploy", "PLAN", "destroy"),
    "cluster_id": ("BCS-K8S-40000", "x"),
    "namespace": ("prod", "Prod"),
    "timeout": ("0", "86401", "-1", "１２", "1" * 7),
    "verify_urls": (
        "https://example.com contains x",
        "https://[",
        "ftp://x",
        "https://a:b@c\nhttps://x:99999",
        r'["https://\ud800"]',
    ),
    "templates": (
        "builtin:web",
        "*.yaml",
        "../*",
        "builtin:none",
        '["a"]',
        "[",
        "/etc/*",
        "**/**",
        "[" * 10**5,
        r'["\ud800"]',
    ),
    "values_files": ("v.yaml", "..", "a\0b", ".", r'["\ud800"]'),
    "remove_branches": ("main", "feature/x", "dev\nold", "[1]", r'["\ud800"]'),
    "values": (r'{"a": "\ud800"}', "a: &a [*a]", "- 1", "1", "build: 1", "app: x"),
    "template_set": ("front", "Front"),
    "run_as": ("owner", "starter", "nobody"),
    "version": ("{{", "{{ build.number }}", "{{ 9**9**9 }}", "{% for x in y %}", "a" * 70),
    "restore_if_job_fails": ("true", "TRUE", "perhaps"),
    "credential": ("a-token",),
    "variables": ("a: b", "- a", "a: [1]", "{", r'{"a": "\ud800"}'),
    "bkWorkspace": ("missing", "input.json", ".", "a\0b", "x" * 300),
    "BK_CI_LOCALE_LANGUAGE": ("zh_CN", "", "xx"),
}
HOSTILE = st.one_of(
    st.text(max_size=30), st.sampled_from(PIECES), st.lists(st.sampled_from(PIECES), max_size=6).map("".join)
)


VARIABLES = {name: str(GIVEN[name]) for name in GIVEN if name.startswith("BK_CI_")}
IDENTITY = {**SDK_JSON, "projectId": "web", "buildId": "b-7"}


@contextmanager
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        yield Path(name)


def put(where: Path, name: str, content: object) -> None:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    (where / name).write_bytes(raw)


def lived(
    input_json: object,
    sdk_json: object = None,
    *,
    post_action: str = "",
    answers: tuple[HttpAnswer, ...] = (),
) -> Ended:
    with directory() as where, within(SECONDS):
        put(where, "input.json", input_json)
        put(where, ".sdk.json", IDENTITY if sdk_json is None else sdk_json)
        sender = FakeSender([*answers, *[NotSent("refused", "refused")] * 8])
        ended = run_agent(where, post_action=post_action, sender=sender, rate=5.0, variables=VARIABLES)
        assert CANARY not in ended.log + json.dumps(ended.output)
        ended.check()
        return ended


@given(st.integers(0, 2**32))
@fuzzed(120)
def test_any_bytes_of_input_json_end_in_a_verdict(seed: int) -> None:
    lived(mutated_bytes(json.dumps(GIVEN).encode(), seeded(seed)))


@given(st.one_of(st.binary(max_size=60), st.sampled_from([b"\xef\xbb\xbf{}", b"[" * 100_000, b"9" * 5000])))
@example(b'{"region": "\\ud800"}')
@example(json.dumps({"bkSensitiveConfInfo": nested(500)}).encode())
@fuzzed(60)
def test_any_bytes_at_all_end_in_a_verdict(content: bytes) -> None:
    lived(content)


@given(seed=st.integers(0, 2**32), is_post=st.booleans())
@fuzzed(120)
def test_any_shape_of_input_json_ends_in_a_verdict(seed: int, *, is_post: bool) -> None:
    lived(mutated_json(dict(GIVEN), seeded(seed)), post_action="restore" if is_post else "")


def inputs() -> st.SearchStrategy[dict[str, str]]:
    """Return strategies for what an author may write into the form."""
    names = [known.name for known in INPUTS if known.name != "region"]
    chosen = {name: st.sampled_from(values) for name, values in CHOSEN.items()}
    return st.fixed_dictionaries(
        {}, optional={**dict.fromkeys(names, HOSTILE), **chosen, "BK_CI_GIT_REF": HOSTILE}
    ).flatmap(lambda given: st.sampled_from(sorted(given) or [""]).map(lambda name: _few(given, name)))


def _few(given: Mapping[str, str], last: str) -> dict[str, str]:
    """Return up to three of the inputs: with more of them wrong, the first hides the others."""
    rest = sorted(given, key=lambda name: (name != last, hash(name) % 7))
    return {name: given[name] for name in rest[:3]}


@given(inputs(), st.sampled_from(["", "restore"]))
@example({"bkWorkspace": "a\0b"}, "")
@example({"version": "{{ 9**9**9 }}"}, "")
@example({"templates": "[" * 10**5}, "")
@example({"templates": r'["\ud800"]'}, "")
@example({"values_files": r'["\ud800"]'}, "")
@example({"remove_branches": r'["\ud800"]'}, "")
@example({"verify_urls": r'["https://x/ contains \ud800"]'}, "")
@fuzzed(150)
def test_whatever_an_author_writes_into_the_form_ends_in_a_verdict(given: dict[str, str], post: str) -> None:
    ended = lived({**GIVEN, **_encodable(given)}, post_action=post)
    if not post:
        assert ended.status == 1, "no server answers"


def _encodable(given: Mapping[str, str]) -> dict[str, str]:
    return {name: text.encode("utf-8", "ignore").decode() for name, text in given.items()}


@given(seed=st.integers(0, 2**32), as_bytes=st.booleans())
@fuzzed(80)
def test_whatever_sdk_json_holds_the_run_ends_in_a_verdict(seed: int, *, as_bytes: bool) -> None:
    rng = seeded(seed)
    sdk: object = mutated_json(dict(SDK_JSON), rng)
    if as_bytes:
        sdk = mutated_bytes(json.dumps(SDK_JSON).encode(), rng)
    lived({**GIVEN, "credential": "a-token"}, sdk)


ANSWERS = (
    {"status": 0, "data": {"access_token": CANARY}},
    {"status": 0, "data": {"appId": "a", "secretKey": CANARY}},
    {"status": 0, "data": [{"fieldName": "regions", "fieldValue": REGIONS}]},
    {"status": 2199001, "message": "no such credential"},
)


@given(st.sampled_from(ANSWERS), st.integers(0, 2**32), st.sampled_from([200, 200, 200, 400, 500, 302, 0]))
@fuzzed(100)
def test_whatever_the_build_api_answers_the_run_ends_in_a_verdict(
    given: Json, seed: int, status: int
) -> None:
    rng = seeded(seed)
    body: object = mutated_json(given, rng)
    if rng.random() < 0.3:
        body = mutated_bytes(json.dumps(given).encode(), rng)
    wanted = {**GIVEN, "credential": "a-token"}
    if rng.random() < 0.5:
        del wanted["bkSensitiveConfInfo"]
    lived(wanted, answers=(answer(body, status=status),) * 2)


STATE: Json = {
    "state": {
        "form": 2,
        "region": "gz",
        "project": "web",
        "space": "front-ends",
        "cluster_id": "BCS-K8S-40000",
        "namespace": "prod",
        "acting_user": "lisi",
        "restores": True,
        "whole": True,
        "files": [
            {"name": "a.yaml", "version_id": "5" * 24, "version": "1", "before": "0", "rewritten": False}
        ],
    },
    "mark": "0" * 64,
}
PLACE = {"cluster_id": "BCS-K8S-40000", "namespace": "prod", "action": "deploy"}


@given(st.one_of(st.binary(max_size=40), st.integers(0, 2**32)))
@example(b"[" * 100_000)
@example(b'{"more": ' + b"[" * 100_000)
@fuzzed(60)
def test_whatever_a_job_left_for_its_post_action_that_ends_in_a_verdict(given: object) -> None:
    with directory() as where, within(SECONDS):
        own = {**GIVEN, **PLACE, "restore_if_job_fails": "true", "bkWorkspace": str(where)}
        seen = {**VARIABLES, "bkWorkspace": str(where)}
        put(where, "input.json", own)
        put(where, ".sdk.json", IDENTITY)
        state = where / ".bcs-template-set" / "b-7-t-1"
        state.mkdir(parents=True)
        left = (
            given
            if isinstance(given, bytes)
            else json.dumps(mutated_json(STATE, seeded(str(given)))).encode()
        )
        put(state, "restore.json", left)
        run_agent(where, post_action="restore", rate=5.0, variables=seen).check()
        put(state, "restore.json", left)
        run_agent(where, rate=5.0, variables=seen).check()


def test_fuzzing_reaches_what_it_is_to_reach() -> None:
    """A run of these inputs that nothing changed goes as far as its first request."""
    ended = lived(dict(GIVEN))
    assert ended.output["errorCode"] == 800601, ended.log
    assert os.environ["http_proxy"] == NOWHERE
