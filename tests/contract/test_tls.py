"""The emulator behind TLS, for the rules about certificates."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator

import pytest
import trustme

from tests.emulator import Emulator
from tests.support.certificates import server_side
from tests.support.plain_client import APP_AS_LISI, V1, authorization

PATH = f"/api/bcs-api-gateway/prod/v4{V1}/web/template/spaces"


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def site(authority: trustme.CA) -> Iterator[Emulator]:
    with Emulator(tls=server_side(authority.issue_cert("127.0.0.1"))) as emulator:
        emulator.state.add_project("web", viewers={"lisi"})
        emulator.state.add_app("lisi_app", "lisi-canary", vouches_for={"lisi"})
        yield emulator


def get(site: Emulator, context: ssl.SSLContext) -> int:
    connection = http.client.HTTPSConnection(site.host, context=context, timeout=10)
    try:
        connection.request("GET", PATH, headers=authorization(**APP_AS_LISI))
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def test_a_client_that_trusts_the_authority_is_answered(site: Emulator, authority: trustme.CA) -> None:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    assert get(site, context) == 200
    assert site.url.startswith("https://127.0.0.1:")


def test_a_client_that_does_not_sends_no_request(site: Emulator) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        get(site, ssl.create_default_context())
    assert site.exchanges == []
