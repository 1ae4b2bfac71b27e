"""The build API: one user's credentials and the atom's private settings, or an error that says why not."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.emulator import Emulator
from tests.emulator.faults import Fault, Match
from tests.support.stand_ins import CANARY, SDK_JSON, FakeClock, FakeSender, Reply, answer

from bcs_template_set.agent.agent_files import AgentIdentity, parse_identity
from bcs_template_set.agent.build_api import BuildApi, CredentialType, parse_credential
from bcs_template_set.messages import LANGUAGES
from bcs_template_set.messages.errors import CredentialUnusable
from bcs_template_set.messages.secret import Secret
from bcs_template_set.messages.server_errors import BuildApiFailed
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.system.http_client import Transport
from bcs_template_set.system.http_values import HttpAnswer, NoAnswer, NotSent

IDENTITY = parse_identity(SDK_JSON)
HTML = b"<html><title>502</title></html>"


def api(*replies: Reply) -> tuple[BuildApi, FakeSender, FakeClock]:
    sender, clock = FakeSender(replies), FakeClock()
    return BuildApi(IDENTITY, sender=sender, clock=clock), sender, clock


def told(error: StepError) -> str:
    texts = ["\n".join(error.explain(language)) for language in LANGUAGES]
    assert all("agent-s3cret" not in text and CANARY not in text for text in texts)
    return texts[LANGUAGES.index("en_US")]


def test_a_credential_is_asked_for_in_the_builds_name() -> None:
    build_api, sender, _ = api(answer({"status": 0, "data": {"access_token": CANARY}}))
    credential = build_api.credential("bcs token/1")
    request = sender.requests[0]
    assert request.method == "GET"
    assert request.url == "http://ci.example.com/ticket/api/build/credentials/bcs%20token%2F1/detail"
    assert request.headers == {
        "X-DEVOPS-BUILD-TYPE": "AGENT",
        "X-DEVOPS-PROJECT-ID": "demo",
        "X-DEVOPS-AGENT-ID": "a-1",
        "X-DEVOPS-AGENT-SECRET-KEY": "agent-s3cret",
        "X-DEVOPS-BUILD-ID": "b-1",
        "X-DEVOPS-VM-SID": "1",
    }
    assert credential.secrets["access_token"].reveal() == CANARY
    assert CANARY not in repr(credential)


@pytest.mark.parametrize(
    ("data", "kind", "plain"),
    [
        ({"password": "x"}, "password", {}),
        ({"username": "u", "password": "x"}, "user name and password", {"username": "u"}),
        ({"access_token": "x"}, "access token", {}),
        ({"secretKey": "x"}, "secret key", {}),
        ({"appId": "app", "secretKey": "x"}, "app", {"appId": "app"}),
        ({"privateKey": "x", "passphrase": ""}, "other", {}),
    ],
)
def test_the_type_of_a_credential_is_told_by_its_keys(
    data: dict[str, str], kind: CredentialType, plain: dict[str, str]
) -> None:
    credential = parse_credential("c", dict(data))
    assert (credential.id, credential.type, credential.plain) == ("c", kind, plain)
    assert set(credential.secrets) == set(data) - set(plain)


def test_white_space_around_a_pasted_value_is_taken_off() -> None:
    credential = parse_credential("c", {"appId": " app ", "secretKey": "x\r\n"})
    assert credential.plain["appId"] == "app"
    assert credential.secrets["secretKey"] == Secret("x")


@pytest.mark.parametrize(
    "data", [None, [], "x", {}, {"access_token": ""}, {"access_token": None}, {"appId": "", "secretKey": "x"}]
)
def test_a_credential_without_what_its_type_is_made_of_is_unusable(data: object) -> None:
    build_api, _, _ = api(answer({"status": 0, "data": data}))
    with pytest.raises(CredentialUnusable) as caught:
        build_api.credential("bcs-token")
    assert "bcs-token" in told(caught.value)


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (
            answer({"status": 2118001, "message": "no such credential"}),
            "(status 2118001). no such credential",
        ),
        (answer({"status": 2118001, "message": "no"}, status=400), "(status 2118001). no"),
        (answer({"message": "no such credential"}, status=403), "(status 403). no such credential"),
        (answer({"status": 2118001, "message": 7}), "(status 2118001). It gives no reason."),
    ],
)
def test_what_bk_ci_refuses_is_the_users_to_put_right_and_is_asked_for_once(
    refusal: HttpAnswer, said: str
) -> None:
    build_api, sender, _ = api(refusal)
    with pytest.raises(CredentialUnusable) as caught:
        build_api.credential("bcs-token")
    assert said in told(caught.value)
    assert len(sender.requests) == 1


@pytest.mark.parametrize("credential_id", ["", ".", "..", " "])
def test_an_id_that_would_name_another_resource_is_refused_before_anything_is_sent(
    credential_id: str,
) -> None:
    build_api, sender, _ = api()
    with pytest.raises(CredentialUnusable) as caught:
        build_api.credential(credential_id)
    assert "its id is empty" in told(caught.value)
    assert sender.requests == []


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (answer(HTML), "not JSON"),
        (answer(b'{"status": 0, "data": {"acc'), "only a part of it"),
        (answer(b""), "empty"),
        (answer(b"[]"), "a list where a JSON object belongs"),
        (answer({"data": {}}), "lacks what was promised at status"),
        (answer({"status": "0"}), "status"),
        (answer({"status": True}), "status"),
        (answer(b"", status=302), "HTTP 302"),
        (answer({"status": 0, "data": {"access_token": "x"}}, status=300), "HTTP 300. It gives no reason."),
        (answer(HTML, status=401), "HTTP 401. It gives no reason."),
        (answer(HTML, status=404), "HTTP 404. It gives no reason."),
    ],
)
def test_an_answer_that_is_none_of_the_apis_is_the_platforms_fault(reply: HttpAnswer, said: str) -> None:
    build_api, _, clock = api(reply)
    with pytest.raises(BuildApiFailed) as caught:
        build_api.credential("bcs-token")
    assert said in told(caught.value)
    assert "http://ci.example.com/ticket/api/build/credentials/bcs-token/detail" in told(caught.value)
    assert clock.waited == []


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (answer(HTML, status=502), "HTTP 502"),
        (answer({"status": 500, "message": "down for repair"}, status=500), "down for repair"),
        (answer({"message": "slow down"}, status=429), "slow down"),
        (NotSent("connection refused", "refused"), "no connection: connection refused"),
        (NoAnswer("read timed out"), "no whole answer: read timed out"),
    ],
)
def test_a_failure_that_may_pass_is_met_with_three_attempts(reply: Reply, said: str) -> None:
    build_api, sender, clock = api(reply, reply, reply)
    with pytest.raises(BuildApiFailed) as caught:
        build_api.credential("bcs-token")
    assert said in told(caught.value)
    assert len(sender.requests) == 3
    assert clock.waited == [0.5, 1.0]


def test_an_attempt_that_succeeds_ends_the_waiting() -> None:
    good = answer({"status": 0, "data": {"access_token": "x"}})
    build_api, _, clock = api(NotSent("refused", "refused"), answer(HTML, status=503), good)
    assert build_api.credential("c").type == "access token"
    assert clock.waited == [0.5, 1.0]


def test_private_settings_are_listed_by_field() -> None:
    data = [
        {"fieldId": "1", "fieldName": "regions", "fieldValue": CANARY},
        {"fieldId": "2", "fieldName": "empty", "fieldValue": None},
    ]
    build_api, sender, _ = api(answer({"status": 0, "data": data}))
    settings = build_api.private_settings("bcs/set")
    assert {name: value.reveal() for name, value in settings.items()} == {"regions": CANARY, "empty": ""}
    assert sender.requests[0].url == (
        "http://ci.example.com/store/api/build/store/sensitiveConf/types/ATOM/codes/bcs%2Fset"
    )


def test_an_atom_without_private_settings_has_none() -> None:
    assert api(answer({"status": 0}))[0].private_settings("atom") == {}


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ({}, "data"),
        (["x"], "data[0]"),
        *(([{"fieldName": n, "fieldValue": CANARY}], "data[0].fieldName") for n in (None, 7, "")),
        (
            [{"fieldName": "a", "fieldValue": "b"}, {"fieldName": "c", "fieldValue": [CANARY]}],
            "data[1].fieldValue",
        ),
    ],
)
def test_private_settings_of_another_shape_are_reported_with_the_place(data: object, place: str) -> None:
    with pytest.raises(BuildApiFailed) as caught:
        api(answer({"status": 0, "data": data}))[0].private_settings("atom")
    assert f"at {place}." in told(caught.value)


def test_a_refusal_of_the_private_settings_is_not_called_a_credentials_fault() -> None:
    with pytest.raises(BuildApiFailed) as caught:
        api(answer({"status": 1, "message": "no such atom"}))[0].private_settings("atom")
    assert "no such atom" in told(caught.value)


def test_without_an_atom_code_nothing_is_sent() -> None:
    with pytest.raises(BuildApiFailed) as caught:
        api()[0].private_settings("")
    assert "BK_CI_ATOM_CODE" in told(caught.value)


@given(st.integers(200, 599), st.binary() | st.text().map(lambda text: json.dumps(text).encode()))
def test_any_answer_is_a_value_or_one_of_our_errors(status: int, body: bytes) -> None:
    reply = HttpAnswer(status=status, headers={}, body=body)
    with pytest.raises((CredentialUnusable, BuildApiFailed)):
        api(reply, reply, reply)[0].credential("c")
    with pytest.raises(BuildApiFailed):
        api(reply, reply, reply)[0].private_settings("atom")


def identity_at(emulator: Emulator) -> AgentIdentity:
    return replace(IDENTITY, gateway=emulator.root)


def test_credentials_and_private_settings_arrive_over_real_http() -> None:
    with Emulator() as emulator:
        emulator.state.add_agent(
            project_id="demo",
            agent_id="a-1",
            secret_key="agent-s3cret",
            build_id="b-1",
            vm_seq_id="1",
            build_type="AGENT",
        )
        emulator.state.add_credential("bcs", {"appId": "lisi_app", "secretKey": CANARY})
        emulator.state.set_private_setting("bcsTemplateSet", "regions", "gz: {}")
        emulator.faults.add(Fault(kind="drop-before-handling", match=Match(path="/credentials/")))
        transport = Transport()
        build_api = BuildApi(identity_at(emulator), sender=transport, clock=FakeClock())
        assert build_api.credential("bcs").plain == {"appId": "lisi_app"}
        assert build_api.private_settings("bcsTemplateSet")["regions"].reveal() == "gz: {}"
        with pytest.raises(CredentialUnusable):
            build_api.credential("nope")
        stranger = replace(identity_at(emulator), secret_key=Secret("wrong"))
        with pytest.raises(BuildApiFailed):
            BuildApi(stranger, sender=transport, clock=FakeClock()).credential("bcs")
        transport.close()
        assert emulator.problems() == []
