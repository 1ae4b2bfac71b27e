"""Arrival: pages fetched from a real server on loopback, with a clock that does not wait."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Iterator
from typing import Optional

import pytest
import trustme
from tests.support.certificates import server_side
from tests.support.raw_server import RawServer, Script, http, refusing_port, saying, serving
from tests.support.stand_ins import FakeClock

from bcs_template_set.config.inputs import VerifyUrl
from bcs_template_set.messages import say
from bcs_template_set.rollout.page_checks import (
    FIRST_BYTES,
    PATIENCE,
    SHOWN,
    Arrival,
    pause_after,
    verify_arrivals,
)
from bcs_template_set.system.address_kinds import is_link_local
from bcs_template_set.system.clock import Deadline
from bcs_template_set.system.http_client import Transport
from bcs_template_set.system.http_values import (
    Unusable,
    read_first,
)


@pytest.fixture
def transport() -> Iterator[Transport]:
    made = Transport(connect_timeout=2, read_timeout=2, environ={})
    yield made
    made.close()


class Watching:
    """Runs `verify_arrivals` with a clock that does not wait."""

    def __init__(self, transport: Transport, *, seconds: Optional[float] = None) -> None:
        self.clock = FakeClock()
        self.transport = transport
        self.deadline = Deadline(self.clock, seconds=seconds)

    def verify(self, *pages: tuple[str, str]) -> tuple[Arrival, ...]:
        wanted = [VerifyUrl(url, contains) for url, contains in pages]
        return verify_arrivals(wanted, pages=self.transport, clock=self.clock, deadline=self.deadline)

    def verify_one(self, url: str, contains: str = "") -> Arrival:
        (arrival,) = self.verify((url, contains))
        return arrival


def saying_in_turn(*answers: bytes, keep: bool = False) -> Script:
    """Return a script that gives one answer after the other, the last one for ever."""
    left = list(answers)

    def script(connection: socket.socket, _: bytes) -> bool:
        connection.sendall(left.pop(0) if len(left) > 1 else left[0])
        return keep

    return script


def moved(location: str, *, status: str = "302 Found") -> bytes:
    return http(b"", status=status, headers=(f"Location: {location}",))


def targets(server: RawServer) -> list[str]:
    return [request.split(b" ")[1].decode() for request in server.requests]


# --- a page that arrives --------------------------------------------------------------------------------


def test_a_page_with_the_text_has_arrived_at_the_first_try(transport: Transport) -> None:
    with serving(saying(http(b"<p>build 42</p>"))) as server:
        url = server.url + "/a?b=c#d"
        arrival = Watching(transport).verify_one(url, "build 42")
    assert arrival == Arrival(url, ok=True, status=200, seconds=0.0, tries=1)
    assert targets(server) == ["/a?b=c"]


def test_without_a_text_every_2xx_will_do_and_nothing_else(transport: Transport) -> None:
    for status in ("200 OK", "204 No Content", "300 Multiple Choices", "302 Found", "304 Not Modified"):
        with serving(saying(http(b"", status=status, length=False), keep=False)) as server:
            arrival = Watching(transport, seconds=1).verify_one(server.url)
            assert (arrival.ok, arrival.status) == (status < "300", int(status[:3]))


def test_an_old_page_is_fetched_again_with_pauses_until_it_is_the_new_one(transport: Transport) -> None:
    old, new = http(b"build 41"), http(b"build 42")
    with serving(saying_in_turn(old, http(status="503 Busy"), old, new)) as server:
        watching = Watching(transport)
        arrival = watching.verify_one(server.url, "build 42")
    assert (arrival.ok, arrival.tries, arrival.seconds) == (True, 4, 7.0)
    assert (arrival.problem, arrival.first_line) == (None, "")
    assert watching.clock.waited == [1, 2, 4]


def test_each_try_opens_a_connection_and_no_cache_or_credential_is_in_it(transport: Transport) -> None:
    answer = http(b"old", headers=("Set-Cookie: session=1",))
    with serving(saying_in_turn(answer, answer, http(b"new"), keep=True)) as server:
        assert Watching(transport).verify_one(server.url, "new").tries == 3
        assert server.connections == 3
    for request in server.requests:
        names = {line.split(b":")[0].lower() for line in request.splitlines()[1:] if line}
        assert names == {
            b"host", b"user-agent", b"accept", b"accept-encoding", b"cache-control", b"connection"
        }  # fmt: skip


# --- a page that does not -------------------------------------------------------------------------------


def test_the_old_build_for_a_minute_is_a_failure_with_the_pages_first_line(transport: Transport) -> None:
    with serving(saying(http(b"\n  build\x1b[31m 41\t!\r\nmore"))) as server:
        watching = Watching(transport)
        arrival = watching.verify_one(server.url, "build 42")
    assert not arrival.ok
    assert arrival.problem == say("arrival.text_missing", text="build 42")
    assert arrival.first_line == "build\\x1b[31m 41 !"
    assert arrival.tries == len(server.requests)
    assert PATIENCE - pause_after(99) <= sum(watching.clock.waited) <= PATIENCE
    assert arrival.seconds == sum(watching.clock.waited)


def test_a_server_that_is_not_there_yet_is_tried_again(transport: Transport) -> None:
    watching = Watching(transport)
    with refusing_port() as port:
        arrival = watching.verify_one(f"http://127.0.0.1:{port}/")
    assert (arrival.ok, arrival.status) == (False, 0)
    assert arrival.tries > 10
    assert str(arrival.problem) == "it could not be fetched: the connection was refused"


def test_an_address_that_http_does_not_allow_is_tried_once(transport: Transport) -> None:
    watching = Watching(transport)
    arrival = watching.verify_one("ftp://127.0.0.1/")
    assert (arrival.ok, arrival.tries, watching.clock.waited) == (False, 1, [])


def test_a_certificate_that_is_not_trusted_is_a_failure_and_nothing_is_sent() -> None:
    authority, stranger = trustme.CA(), trustme.CA()
    context = server_side(stranger.issue_cert("127.0.0.1"))
    with authority.cert_pem.tempfile() as bundle, serving(saying(http()), tls=context) as server:
        transport = Transport(ca_bundle=bundle, connect_timeout=2, read_timeout=2, environ={})
        arrival = Watching(transport, seconds=2).verify_one(server.url)
        transport.close()
        assert server.requests == []
    assert (arrival.ok, arrival.status) == (False, 0)
    assert arrival.problem is not None
    assert arrival.problem.key == "arrival.no_answer"


# --- bounds ---------------------------------------------------------------------------------------------


def endless(connection: socket.socket, _: bytes) -> bool:
    connection.sendall(http(b"", length=False))
    connection.settimeout(5)
    while True:
        connection.sendall(b"x" * 65536)


def test_a_page_that_never_ends_is_no_page(transport: Transport) -> None:
    with serving(endless) as server:
        # The last try has five real seconds.
        arrival = Watching(transport, seconds=12).verify_one(server.url, "xxx")
    assert not arrival.ok
    assert "larger than" in str(arrival.problem)


def test_a_page_is_read_to_its_end_also_behind_the_first_mebibyte(transport: Transport) -> None:
    page = b"x" * (2 * FIRST_BYTES)
    with serving(saying(http(page))) as server:
        assert Watching(transport, seconds=5).verify_one(server.url, "xxx").ok
        missed = Watching(transport, seconds=1).verify_one(server.url, "y")
    assert missed.first_line == "x" * (SHOWN - 1) + "…"
    with serving(saying(http(page)[:-1], keep=False)) as server:
        assert not Watching(transport, seconds=1).verify_one(server.url, "xxx").ok


class EndlessResponse:
    """Gives bytes for ever and counts them."""

    def __init__(self, content: bytes, **headers: str) -> None:
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.content = content
        self.given = 0

    def read(self, amt: int, *, decode_content: bool) -> bytes:
        assert not decode_content
        piece = self.content[self.given : self.given + amt] or b"x" * amt
        self.given += len(piece)
        return piece


def test_reading_the_first_bytes_takes_no_more_into_memory_and_has_an_end() -> None:
    for response in (
        EndlessResponse(b""),
        EndlessResponse(gzip.compress(bytes(10_000_000)), content_encoding="gzip"),
    ):
        with pytest.raises(Unusable):
            read_first(response, most=100_000, whole=300_000)
        assert 300_000 < response.given < 400_000


@pytest.mark.parametrize(("where", "found"), [(0, True), (FIRST_BYTES - 6, True), (FIRST_BYTES - 5, False)])
@pytest.mark.parametrize("compressed", [False, True])
def test_the_text_counts_within_the_first_mebibyte_only(
    transport: Transport, where: int, *, found: bool, compressed: bool
) -> None:
    page = b"." * where + b"needle" + b"." * 100
    answer = http(gzip.compress(page), headers=("Content-Encoding: gzip",)) if compressed else http(page)
    with serving(saying(answer)) as server:
        assert Watching(transport, seconds=5).verify_one(server.url, "needle").ok is found


def test_a_page_that_is_cut_short_is_no_page(transport: Transport) -> None:
    with serving(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nnew", keep=False)) as server:
        arrival = Watching(transport, seconds=1).verify_one(server.url, "new")
    assert not arrival.ok
    # urllib3 2 and 1.26 notice it in different places.
    assert "the connection broke" in str(arrival.problem) or "ends after 3 of 9" in str(arrival.problem)


# --- redirects ------------------------------------------------------------------------------------------


def test_redirects_on_the_same_host_are_followed(transport: Transport) -> None:
    with serving(saying_in_turn(moved("/b?x=1#y"), moved("c", status="308 X"), http(b"new"))) as server:
        arrival = Watching(transport).verify_one(server.url + "/a/", "new")
    assert (arrival.ok, arrival.tries, arrival.status) == (True, 1, 200)
    assert targets(server) == ["/a/", "/b?x=1", "/c"]


def test_a_redirect_to_another_host_is_not_followed(transport: Transport) -> None:
    with serving(saying(http(b"new"))) as other:
        elsewhere = other.url.replace("127.0.0.1", "localhost") + "/login?token=t0ken"
        with serving(saying(moved(elsewhere))) as server:
            arrival = Watching(transport, seconds=1).verify_one(server.url, "new")
        assert other.requests == []
    assert not arrival.ok
    assert "localhost" in str(arrival.problem)
    assert "t0ken" not in str(arrival.problem)


# --- deciding and telling -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        *("169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518"),
        *("[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[fe80::1]", "169.254.169.254."),
    ],
)
def test_no_spelling_of_a_link_local_address_is_connected_to(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(_: socket.socket, address: object) -> None:
        raise AssertionError(address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    guarded = Transport(environ={}, refuses=is_link_local)
    arrival = Watching(guarded, seconds=1).verify_one(f"http://{host}/latest/meta-data/")
    assert (arrival.ok, arrival.tries) == (False, 1), "it is not tried again"
    assert "link-local" in str(arrival.problem) or "can't be resolved" in str(arrival.problem)


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Let every name resolve to one address after the other; return the list of names that were asked."""
    asked, left = list[str](), list(answers)

    def getaddrinfo(host: str, port: int, *_: object, **__: object) -> list[tuple[object, ...]]:
        asked.append(host)
        address = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def test_what_a_name_resolves_to_decides_and_only_that_is_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    guarded = Transport(environ={}, refuses=is_link_local)
    with serving(saying(http(b"secret first line"))) as server:
        port = server.url.rpartition(":")[2]
        asked = resolving(monkeypatch, "127.0.0.1", "169.254.169.254")
        arrival = Watching(guarded, seconds=1).verify_one(f"http://name.example:{port}/", "new")
        assert asked == ["name.example"], "the answer that was looked at is the one that was connected to"
        assert arrival.problem == say("arrival.text_missing", text="new")
        assert arrival.first_line == ""
        again = Watching(guarded, seconds=1).verify_one(f"http://name.example:{port}/", "new")
        assert "169.254.169.254" in str(again.problem)
        assert len(server.requests) == 1


def test_a_redirect_is_looked_at_like_the_first_address(monkeypatch: pytest.MonkeyPatch) -> None:
    guarded = Transport(environ={}, refuses=is_link_local)
    with serving(saying(moved("/next"))) as server:
        port = server.url.rpartition(":")[2]
        resolving(monkeypatch, "127.0.0.1", "169.254.169.254")
        arrival = Watching(guarded, seconds=1).verify_one(f"http://name.example:{port}/")
        assert "link-local" in str(arrival.problem)
        assert targets(server) == ["/"]


def test_behind_a_proxy_a_name_is_looked_at_as_far_as_it_resolves_here() -> None:
    with serving(saying(http(b"old"))) as proxy:
        guarded = Transport(environ={"http_proxy": proxy.url}, refuses=is_link_local)
        refused = Watching(guarded, seconds=1).verify_one("http://169.254.169.254/")
        assert "link-local" in str(refused.problem)
        assert proxy.requests == []
        unknown = Watching(guarded, seconds=1).verify_one("http://only-the-proxy.invalid/", "new")
        assert unknown.first_line == "old"


def test_behind_a_proxy_nothing_is_shown_of_what_resolves_to_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serving(saying(http(b"secret first line"))) as proxy:
        guarded = Transport(environ={"http_proxy": proxy.url}, refuses=is_link_local)
        resolving(monkeypatch, "127.0.0.1")
        arrival = Watching(guarded, seconds=1).verify_one("http://name.example/", "new")
    assert (arrival.problem, arrival.first_line) == (say("arrival.text_missing", text="new"), "")


def test_every_address_of_a_name_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    guarded = Transport(environ={}, refuses=is_link_local)
    with serving(saying(http(b"new"))) as server, socket.socket() as closed:
        closed.bind(("127.0.0.2", 0))
        port = int(server.url.rpartition(":")[2])
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in ("169.254.1.1", "127.0.0.2", "127.0.0.1")
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        assert Watching(guarded, seconds=1).verify_one(f"http://name.example:{port}/", "new").ok
        found.pop()
        arrival = Watching(guarded, seconds=1).verify_one(f"http://name.example:{port}/", "new")
        assert "refused" in str(arrival.problem)
