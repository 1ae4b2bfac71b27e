"""What a transport keeps, how long a request may take with it, and whose authorities it trusts."""

from __future__ import annotations

import os
import ssl
import threading
from pathlib import Path
from typing import Callable, Optional

import certifi
import pytest
import trustme
from tests.support.pieces import FakeClock

from bcs_template_set.system.authorities import trusting
from bcs_template_set.system.http_client import Transport
from bcs_template_set.system.http_connections import Connections
from bcs_template_set.system.http_pools import Attempt
from bcs_template_set.system.http_values import HttpAnswer, HttpRequest, Unusable
from bcs_template_set.system.proxies import Machine


class Told(Connections):
    """Connections that send nothing, and note how many seconds they have."""

    def __init__(self) -> None:
        super().__init__(Transport(environ={}), environ={})
        self.seconds = list[float]()
        self.is_closed = False

    def exchange(
        self, request: HttpRequest, *, remaining: Callable[[], float], first: Optional[int] = None
    ) -> HttpAnswer:
        del request, first
        self.seconds.append(remaining())
        return HttpAnswer(200, {}, b"")

    def close(self) -> None:
        self.is_closed = True


class Telling(Transport):
    """A transport with such connections."""

    def _open(self, *, unless_closed: bool = False) -> Optional[Connections]:
        del unless_closed
        self._kept = Told() if self._kept is None else self._kept
        return self._kept


def test_a_request_may_take_the_time_to_connect_and_twice_that_between_two_pieces_or_what_it_is_given() -> (
    None
):
    transport = Telling(connect_timeout=1.0, read_timeout=20.0, clock=FakeClock(), environ={})
    transport.send(HttpRequest("GET", "http://x/"))
    transport.send(HttpRequest("GET", "http://x/"), seconds=7.0)
    transport.send(HttpRequest("GET", "http://x/"), seconds=70.0)
    kept = transport._kept
    assert isinstance(kept, Told)
    assert kept.seconds == [41.0, 7.0, 41.0]
    transport.close()
    transport.close()
    assert kept.is_closed


@pytest.mark.parametrize(("left", "patience"), [(70.0, 9.0), (0.5, 0.5), (0.0001, 0.001)])
def test_a_wait_on_a_socket_takes_no_more_than_the_request_has_left_and_never_none(
    left: float, patience: float
) -> None:
    assert Attempt(lambda: left, 9.0).patience() == patience


def test_a_transport_shows_nobody_the_password_of_a_proxy() -> None:
    shown = repr(Transport(environ={"https_proxy": "http://me:canary@x"}, proxy="http://me:canary@x"))
    assert "canary" not in shown + repr(Machine({"https_proxy": "http://me:canary@x"}, ()))


def test_what_is_closed_is_opened_again_by_who_sends_and_by_nobody_else() -> None:
    transport = Transport(environ={})
    first = transport._open()
    assert first is not None
    assert transport._open(unless_closed=True) is first
    transport.close()
    assert transport._open(unless_closed=True) is None
    second = transport._open()
    assert second not in (None, first)
    assert transport._open(unless_closed=True) is second


def test_the_process_s_own_environment_counts_where_no_other_is_given() -> None:
    for given, obeyed in (({"a": "b"}, {"a": "b"}), ({}, {}), (None, os.environ)):
        made = Transport(environ=given)._open()
        assert made is not None
        assert made._environ is obeyed or made._environ == given == obeyed


def test_connections_are_opened_ahead_by_a_thread_that_holds_up_no_exit() -> None:
    release, found = threading.Event(), list[bool]()

    class Waiting(Transport):
        def _open(self, *, unless_closed: bool = False) -> None:
            del unless_closed
            release.wait(5)

    Waiting(environ={}).connect_ahead("http://x/", count=1)
    found = [thread.daemon for thread in threading.enumerate() if thread.name == "connect"]
    release.set()
    assert found == [True]


# --- authorities ----------------------------------------------------------------------------------------


def issuers(context: ssl.SSLContext) -> set[str]:
    """Return whose certificates a context trusts."""
    return {str(known["subject"]) for known in context.get_ca_certs()}


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    at = tmp_path / "theirs.pem"
    trustme.CA(organization_name="theirs").cert_pem.write_to_path(str(at))
    return at


def test_authorities_that_a_variable_of_the_pipeline_names_are_not_trusted(
    monkeypatch: pytest.MonkeyPatch, theirs: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(theirs))
    monkeypatch.setenv("SSL_CERT_DIR", str(theirs.parent))
    assert "theirs" not in str(issuers(trusting("", environ={})))
    assert os.environ["SSL_CERT_FILE"] == str(theirs), "it is only hidden meanwhile"
    (own,) = issuers(trusting("", environ=os.environ))
    assert "theirs" in own, "the machine's own is obeyed"


def test_where_the_system_has_no_authorities_certifis_are_used(
    monkeypatch: pytest.MonkeyPatch, theirs: Path
) -> None:
    whole = ssl.create_default_context(cafile=certifi.where())

    def bare(*, cafile: Optional[str]) -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if cafile:
            made.load_verify_locations(cafile)
        return made

    monkeypatch.setattr(ssl, "create_default_context", bare)
    assert issuers(trusting("", environ={})) == issuers(whole)
    assert len(issuers(trusting(str(theirs), environ={}))) == 1


@pytest.mark.parametrize(("content", "problem"), [(None, "No such file or directory"), ("x", "NO_")])
def test_a_bundle_that_is_none_is_told_in_openssls_word_or_the_systems(
    tmp_path: Path, content: Optional[str], problem: str
) -> None:
    at = tmp_path / "ca.pem"
    if content is not None:
        at.write_text(content)
    with pytest.raises(Unusable) as caught:
        trusting(str(at), environ={})
    assert caught.value.kind == "ca_bundle"
    said = caught.value.problem.render("en_US")
    assert str(at) in said
    assert f"({problem}" in said
    assert "_ssl.c" not in said
