"""The checker itself: it must find what is against the contract."""

from __future__ import annotations

import pytest

from tests.emulator import Emulator, Exchange
from tests.emulator.http_message import Request
from tests.support.openapi import MISSING, Contract, check_exchange, find_contract, load_contract
from tests.support.plain_client import V1, through_gateway


def test_a_file_that_is_named_but_missing_is_no_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BCS_OPENAPI_FILE", "/nowhere.yaml")
    assert find_contract() is None


@pytest.fixture
def contract() -> Contract:
    loaded = load_contract()
    if loaded is None:
        pytest.skip(MISSING)
    return loaded


def exchange(method: str, path: str, *, query: str = "", body: bytes = b"") -> Exchange:
    request = Request(method=method, path=f"/x{V1}/{path}", query_string=query, headers={}, body=body)
    return Exchange(number=1, request=request, started=0.0)


@pytest.mark.parametrize(
    ("found", "part"),
    [
        (exchange("GET", "web/template/nothing"), "no such operation"),
        (exchange("PATCH", "web/template/spaces"), "no such operation"),
        (exchange("GET", "web/template/spaces", query="limit=1"), "undeclared query parameter limit"),
        (exchange("GET", "web/template/spaces", body=b"{}"), "a body is sent"),
        (exchange("POST", "web/template/spaces", body=b'{"title": "a"}'), "'title' was unexpected"),
        (exchange("POST", "web/template/spaces", body=b'{"name": 1}'), "request name: 1 is not of type"),
        (exchange("POST", "web/template/spaces", body=b"{"), "request is not JSON"),
        (exchange("POST", "web/template/deploy", body=b'{"variables": {"a": 1}}'), "request variables/a"),
    ],
)
def test_a_request_against_the_contract_is_named(contract: Contract, found: Exchange, part: str) -> None:
    (problem,) = contract.check(found)
    assert problem.startswith(f"{found.method} {found.path}: ")
    assert part in problem


def test_an_answer_against_the_contract_is_named(contract: Contract) -> None:
    found = exchange("GET", "web/template/spaces")
    found.handled, found.operation, found.answered = True, "TemplateSet.ListTemplateSpace", 200
    found.answer_body = b'{"code": "0", "data": {}, "extra": 1}'
    assert len(contract.check(found)) == 3


def test_a_call_that_the_cut_left_out_is_one_where_a_real_server_was_seen_to_have_it(
    contract: Contract,
) -> None:
    at = f"{'0' * 32}/clusters/BCS-K8S-40000/namespaces/shop"
    assert contract.check(exchange("GET", f"{at}/workloads/deployments/web/history")) == []
    assert contract.check(exchange("DELETE", f"{at}/configs/configmaps/web")) == []
    (problem,) = contract.check(exchange("DELETE", f"{at}/workloads/replicasets/web"))
    assert "no such operation" in problem


def test_other_services_and_refusals_in_front_are_not_looked_at(emulator: Emulator) -> None:
    with through_gateway(emulator, bk_username="lisi") as client:
        client.get(f"{V1}/web/template/spaces?limit=1")
    with through_gateway(emulator) as client:
        client.get("/bcsproject/v1/projects/web?anything=1")
    assert [check_exchange(found) for found in emulator.exchanges] == [[], []]
