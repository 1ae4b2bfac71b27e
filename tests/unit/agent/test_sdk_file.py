"""`.sdk.json`: who this build is, and what is said where it can't be known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bcs_template_set.agent.agent_files import AgentIdentity, read_identity
from bcs_template_set.messages.errors import SdkFileUnreadable
from bcs_template_set.messages.secret import Secret

CANARY = "canary-5up3r"
WHOLE: dict[str, object] = {
    "buildType": "AGENT",
    "projectId": "demo",
    "agentId": "a-1",
    "secretKey": CANARY,
    "gateway": "ci.example.com",
    "buildId": "b-1",
    "vmSeqId": "1",
    "fileGateway": "",
    "taskId": "t-1",
    "executeCount": 2,
}


def identity(directory: Path, content: object) -> AgentIdentity:
    text = content if isinstance(content, str) else json.dumps(content)
    (directory / ".sdk.json").write_text(text, encoding="utf-8")
    return read_identity({"bk_data_dir": str(directory)})


def refusal(directory: Path, content: object) -> str:
    with pytest.raises(SdkFileUnreadable) as caught:
        identity(directory, content)
    text = str(caught.value)
    assert str(directory / ".sdk.json") in text
    assert CANARY not in text
    return text


def test_the_identity_is_read_and_its_secret_is_one(tmp_path: Path) -> None:
    found = identity(tmp_path, WHOLE)
    assert (found.build_type, found.project_id, found.agent_id) == ("AGENT", "demo", "a-1")
    assert (found.build_id, found.vm_seq_id, found.task_id) == ("b-1", "1", "t-1")
    assert found.secret_key.reveal() == CANARY
    assert CANARY not in repr(found)


@pytest.mark.parametrize(
    ("given", "gateway"),
    [
        ("ci.example.com", "http://ci.example.com"),
        ("ci.example.com:8080/", "http://ci.example.com:8080"),
        ("https://ci.example.com/", "https://ci.example.com"),
        ("http://127.0.0.1:1/api", "http://127.0.0.1:1/api"),
        ("[::1]:80", "http://[::1]:80"),
    ],
)
def test_a_gateway_without_a_scheme_gets_http(tmp_path: Path, given: str, gateway: str) -> None:
    assert identity(tmp_path, {**WHOLE, "gateway": given}).gateway == gateway


@pytest.mark.parametrize(
    "given",
    ["ftp://x", "http://", "http://u:p@x", "http://x:port", "http://x?a=b", "http://x/#f", "a b", "http://a\\b",
     "http://x\ny", "http://[x"],
)  # fmt: skip
def test_a_gateway_that_is_no_http_address_is_refused_without_showing_it(tmp_path: Path, given: str) -> None:
    assert "gateway" in refusal(tmp_path, {**WHOLE, "gateway": given})


@pytest.mark.parametrize(
    ("given", "count"),
    [
        *[(1, 1), (3, 3), ("2", 2), (0, 1), (None, 1), ("", 1), ("x", 1), ("²", 1), (True, 1), (2.5, 1)],
        *[("9" * 9, 999_999_999), ("1" + "0" * 9, 1)],
    ],
)
def test_the_execute_count_is_one_unless_said_otherwise(tmp_path: Path, given: object, count: int) -> None:
    found = identity(tmp_path, {**WHOLE, "executeCount": given})
    assert found.execute_count == count


def test_a_number_as_vm_seq_id_and_a_missing_task_id_are_no_mistakes(tmp_path: Path) -> None:
    found = identity(tmp_path, {**{k: v for k, v in WHOLE.items() if k != "taskId"}, "vmSeqId": 7})
    assert (found.vm_seq_id, found.task_id) == ("7", "")


def test_a_build_of_which_no_more_is_known_is_at_its_first_run() -> None:
    known = AgentIdentity("WORKER", "web", "", Secret(""), "http://ci.example.com", "b-1", "1")
    assert (known.task_id, known.execute_count) == ("", 1)


def test_the_platforms_own_machines_have_neither_agent_nor_secret(tmp_path: Path) -> None:
    found = identity(tmp_path, {**WHOLE, "buildType": "WORKER", "agentId": "", "secretKey": ""})
    assert found.agent_id == ""
    assert found.secret_key.reveal() == ""


def test_all_missing_fields_are_named_together(tmp_path: Path) -> None:
    text = refusal(
        tmp_path, {**WHOLE, "buildId": "", "projectId": None, "secretKey": [CANARY], "agentId": True}
    )
    assert "projectId, agentId, secretKey, buildId" in text


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "配", "a\x00b"])
def test_a_value_that_no_header_can_hold_is_refused(tmp_path: Path, value: str) -> None:
    assert "agentId" in refusal(tmp_path, {**WHOLE, "agentId": value})


@pytest.mark.parametrize(
    "content", ["", "{", f'{{"secretKey": "{CANARY}"', f'["{CANARY}"]', f'"{CANARY}"', "null"]
)
def test_a_garbled_file_is_named_and_not_shown(tmp_path: Path, content: str) -> None:
    refusal(tmp_path, content)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(SdkFileUnreadable) as caught:
        read_identity({"bk_data_dir": str(tmp_path)})
    assert "does not exist" in str(caught.value)


json_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(sorted(WHOLE)), json_scalars))
def test_any_object_is_an_identity_or_an_error_that_says_so(
    tmp_path: Path, change: dict[str, object]
) -> None:
    try:
        found = identity(tmp_path, {**WHOLE, **change})
    except SdkFileUnreadable:
        refusal(tmp_path, {**WHOLE, **change})
    else:
        assert found.gateway.startswith(("http://", "https://"))
        assert found.execute_count >= 1
