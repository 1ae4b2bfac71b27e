"""Arrival: pages fetched from a real server on loopback, with a clock that does not wait."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Iterator, Sequence
from typing import Optional

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st
from tests.support.certificates import server_side
from tests.support.raw_server import RawServer, Script, http, refusing_port, saying, serving
from tests.support.stand_ins import FakeClock

from bcs_template_set.config.inputs import VerifyUrl
from bcs_template_set.messages import LANGUAGES, say
from bcs_template_set.rollout.page_checks import (
    FIRST_BYTES,
    MOST_AT_ONCE,
    MOST_REDIRECTS,
    PATIENCE,
    SHOWN,
    TRY_SECONDS,
    Arrival,
    Follow,
    Missed,
    first_line,
    holds,
    judge,
    judge_redirect,
    pause_after,
    verify_arrivals,
)
from bcs_template_set.system.address_kinds import is_link_local
from bcs_template_set.system.clock import Deadline
from bcs_template_set.system.http_client import Transport
from bcs_template_set.system.http_values import (
    HttpAnswer,
    HttpRequest,
    NoAnswer,
    NotSent,
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


@pytest.mark.parametrize("status", [100, 101, 199, 300, 302, 304, 399, 400, 404, 500])
def test_a_status_that_is_no_2xx_is_no_page_whatever_it_holds(status: int) -> None:
    judged = judge(HttpAnswer(status, {}, b"new"), url="http://a/", contains="new")
    assert judged == Missed(say("arrival.status", status=status))


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


def test_an_error_status_is_a_failure_also_where_the_text_is_there(transport: Transport) -> None:
    with serving(saying(http(b"build 42", status="404 Not Found"))) as server:
        arrival = Watching(transport).verify_one(server.url, "build 42")
    assert (arrival.ok, arrival.status) == (False, 404)
    assert arrival.problem == say("arrival.status", status=404)


def test_an_empty_page_is_said_to_be_empty(transport: Transport) -> None:
    with serving(saying(http(b" \n"))) as server:
        arrival = Watching(transport, seconds=2).verify_one(server.url, "x")
    assert arrival.problem == say("arrival.page_empty", text="x")


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
        arrival = Watching(transport, seconds=1).verify_one(server.url, "xxx")
    assert not arrival.ok
    assert "larger than" in str(arrival.problem)


def test_a_page_is_read_to_its_end_also_behind_the_first_mebibyte(transport: Transport) -> None:
    page = b"x" * (2 * FIRST_BYTES)
    with serving(saying(http(page))) as server:
        assert Watching(transport, seconds=1).verify_one(server.url, "xxx").ok
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
        assert Watching(transport, seconds=1).verify_one(server.url, "needle").ok is found


def test_a_page_that_is_cut_short_is_no_page(transport: Transport) -> None:
    with serving(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nnew", keep=False)) as server:
        arrival = Watching(transport, seconds=1).verify_one(server.url, "new")
    assert not arrival.ok
    # urllib3 2 and 1.26 notice it in different places.
    assert "the connection broke" in str(arrival.problem) or "ends after 3 of 9" in str(arrival.problem)


def test_the_deadline_of_the_run_ends_it_before_a_minute_is_over(transport: Transport) -> None:
    with serving(saying(http(b"old"))) as server:
        watching = Watching(transport, seconds=5)
        arrival = watching.verify_one(server.url, "new")
    assert (arrival.tries, sum(watching.clock.waited)) == (3, 3)


def test_when_the_deadline_has_passed_nothing_is_sent_and_that_is_said(transport: Transport) -> None:
    with serving(saying(http())) as server:
        arrival = Watching(transport, seconds=0).verify_one(server.url)
    assert (arrival.ok, arrival.tries, arrival.problem) == (False, 0, say("arrival.no_time"))
    assert server.requests == []


class HangingPages:
    """Every page takes all the time it is given."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.given: list[float] = []

    def send(
        self, request: HttpRequest, *, seconds: float = float("inf"), first: Optional[int] = None
    ) -> HttpAnswer:
        assert (request.method, first) == ("GET", FIRST_BYTES)
        self.given.append(seconds)
        self.clock.wait(seconds)
        raise NoAnswer("hangs")


def test_a_page_that_hangs_takes_ten_seconds_a_try_and_a_minute_in_all() -> None:
    clock = FakeClock()
    pages = HangingPages(clock)
    deadline = Deadline(clock, seconds=None)
    (arrival,) = verify_arrivals([VerifyUrl("http://a/", "")], pages=pages, clock=clock, deadline=deadline)
    assert max(pages.given) == TRY_SECONDS
    assert clock.monotonic() <= PATIENCE
    assert arrival.problem == say("arrival.no_answer", problem="hangs")


def test_what_kept_a_page_away_is_still_said_when_the_time_is_over() -> None:
    clock = FakeClock()
    deadline = Deadline(clock, seconds=4)
    (arrival,) = verify_arrivals(
        [VerifyUrl("http://a/", "")], pages=HangingPages(clock), clock=clock, deadline=deadline
    )
    assert (arrival.tries, arrival.problem) == (1, say("arrival.no_answer", problem="hangs"))


class CountingPages:
    """Answers when as many requests are under way as may be, and counts them."""

    def __init__(self, together: int) -> None:
        self._barrier = threading.Barrier(together)
        self._lock = threading.Lock()
        self._under_way = 0
        self.most = 0

    def send(
        self, request: HttpRequest, *, seconds: float = float("inf"), first: Optional[int] = None
    ) -> HttpAnswer:
        assert (request.method, first, seconds > 0) == ("GET", FIRST_BYTES, True)
        with self._lock:
            self._under_way += 1
            self.most = max(self.most, self._under_way)
        self._barrier.wait(5)
        with self._lock:
            self._under_way -= 1
        return HttpAnswer(200, {}, request.url.encode())


def test_pages_are_fetched_at_once_but_never_more_than_eight() -> None:
    clock, pages = FakeClock(), CountingPages(MOST_AT_ONCE)
    wanted = [VerifyUrl(f"http://a/{i}", f"/{i}") for i in range(2 * MOST_AT_ONCE)]
    arrivals = verify_arrivals(wanted, pages=pages, clock=clock, deadline=Deadline(clock, seconds=None))
    assert [arrival.url for arrival in arrivals] == [page.url for page in wanted]
    assert all(arrival.ok for arrival in arrivals)
    assert pages.most == MOST_AT_ONCE


def test_only_pages_that_have_not_arrived_are_tried_again(transport: Transport) -> None:
    def script(connection: socket.socket, request: bytes) -> bool:
        connection.sendall(http(b"new" if request.startswith(b"GET /good ") else b"old"))
        return False

    with serving(script) as server:
        watching = Watching(transport, seconds=10)
        good, bad = watching.verify((server.url + "/good", "new"), (server.url + "/bad", "new"))
    assert (good.ok, good.tries, good.seconds) == (True, 1, 0)
    assert (bad.ok, bad.tries) == (False, 4)
    assert targets(server).count("/good") == 1


def test_a_defect_in_the_fetching_is_not_taken_for_a_page_that_is_missing() -> None:
    class Broken:
        def send(
            self, request: HttpRequest, *, seconds: float = float("inf"), first: Optional[int] = None
        ) -> HttpAnswer:
            raise KeyError(request.method, seconds, first)

    clock = FakeClock()
    with pytest.raises(KeyError):
        verify_arrivals(
            [VerifyUrl("http://a/", "")], pages=Broken(), clock=clock, deadline=Deadline(clock, seconds=None)
        )


# --- redirects ------------------------------------------------------------------------------------------


def test_redirects_on_the_same_host_are_followed(transport: Transport) -> None:
    with serving(saying_in_turn(moved("/b?x=1#y"), moved("c", status="308 X"), http(b"new"))) as server:
        arrival = Watching(transport).verify_one(server.url + "/a/", "new")
    assert (arrival.ok, arrival.tries, arrival.status) == (True, 1, 200)
    assert targets(server) == ["/a/", "/b?x=1", "/c"]


def test_more_than_five_redirects_are_a_failure(transport: Transport) -> None:
    with serving(saying(moved("/again"))) as server:
        arrival = Watching(transport, seconds=1).verify_one(server.url)
    assert (arrival.ok, arrival.status) == (False, 302)
    assert arrival.problem == say("arrival.redirect_loop", most=MOST_REDIRECTS)
    assert len(server.requests) == MOST_REDIRECTS + 1


def test_a_redirect_to_another_host_is_not_followed(transport: Transport) -> None:
    with serving(saying(http(b"new"))) as other:
        elsewhere = other.url.replace("127.0.0.1", "localhost") + "/login?token=t0ken"
        with serving(saying(moved(elsewhere))) as server:
            arrival = Watching(transport, seconds=1).verify_one(server.url, "new")
        assert other.requests == []
    assert not arrival.ok
    assert "localhost" in str(arrival.problem)
    assert "t0ken" not in str(arrival.problem)


@pytest.mark.parametrize(
    ("url", "location", "followed"),
    [
        ("http://a.example/x/y", "z", "http://a.example/x/z"),
        ("http://a.example/x", "//A.EXAMPLE/z", "http://A.EXAMPLE/z"),
        ("http://a.example/x", "https://a.example/x", "https://a.example/x"),
        ("http://a.example:8080/x", "https://a.example:8443/x", "https://a.example:8443/x"),
        ("https://a.example/x", "https://a.example:443/y", "https://a.example:443/y"),
        ("https://a.example/x", " /y#part ", "https://a.example/y"),
        ("https://[::1]/x", "https://[::1]/y", "https://[::1]/y"),
    ],
)
def test_a_redirect_on_the_same_host_or_up_to_https_is_followed(
    url: str, location: str, followed: str
) -> None:
    assert judge_redirect(location, url=url) == Follow(followed)


@pytest.mark.parametrize(
    ("url", "location", "sentence"),
    [
        ("http://a.example/", "http://b.example/", "redirect_elsewhere"),
        ("http://a.example/", "//b.example/", "redirect_elsewhere"),
        ("http://a.example/", "/\\b.example/../", None),
        ("http://a.example/", "https://b.example/", "redirect_elsewhere"),
        ("http://a.example/", "http://a.example.b.example/", "redirect_elsewhere"),
        ("http://a.example/", "http://a.example:6379/", "redirect_elsewhere"),
        ("http://a.example/", "http://a.example@b.example/", "redirect_invalid"),
        ("http://a.example/", "http://user:pass@a.example/", "redirect_invalid"),
        ("https://a.example/", "http://a.example/", "redirect_downgrade"),
        ("https://a.example/", "http://b.example/", "redirect_downgrade"),
        ("http://a.example/", "file:///etc/passwd", "redirect_invalid"),
        ("http://a.example/", "javascript:alert(1)", "redirect_invalid"),
        ("http://a.example/", "http://[::1/", "redirect_invalid"),
        ("http://a.example/", "http://a.example:99999/", "redirect_invalid"),
        ("http://a.example/", "http://", None),
    ],
)
def test_no_other_redirect_is_followed(url: str, location: str, sentence: Optional[str]) -> None:
    judged = judge_redirect(location, url=url)
    if sentence is None:  # not another host, once resolved
        assert isinstance(judged, Follow)
        assert judged.url.startswith(url)
    else:
        assert isinstance(judged, Missed)
        assert judged.problem.key == f"arrival.{sentence}"
        assert "pass@" not in str(judged.problem)


@given(st.text() | st.text(alphabet="ahtps:/@.#?\\[]b%0", max_size=30))
def test_whatever_a_location_says_the_host_stays_the_same(location: str) -> None:
    judged = judge_redirect(location, url="https://a.b/")
    if isinstance(judged, Follow):
        assert judged.url.lower().startswith(("https://a.b/", "https://a.b?", "https://a.b:443"))
    else:
        assert len(str(judged.problem)) < 3 * SHOWN


# --- deciding and telling -------------------------------------------------------------------------------


def test_of_what_this_machine_serves_nothing_is_shown() -> None:
    for peer in ("127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1", "0.0.0.0", "::"):  # noqa: S104 - not bound
        old = HttpAnswer(200, {}, b"token=canary", peer=peer)
        assert judge(old, url="http://a/", contains="new") == Missed(
            say("arrival.text_missing", text="new"), first_line=""
        )
        away = HttpAnswer(302, {"location": "http://canary/"}, b"", peer=peer)
        judged = judge(away, url="http://a/", contains="")
        assert isinstance(judged, Missed)
        assert "canary" not in str(judged.problem)
        near = HttpAnswer(302, {"location": "/new"}, b"", peer=peer)
        assert judge(near, url="http://a/", contains="") == Follow("http://a/new")
    private = HttpAnswer(200, {}, b"old build", peer="10.0.0.1")
    assert judge(private, url="http://a/", contains="new") == Missed(
        say("arrival.text_missing", text="new"), first_line="old build"
    )


LINK_LOCAL = (
    *("169.254.169.254", "169.254.0.23", "fe80::1", "fe80::1%eth0", "febf::1"),
    *("::ffff:169.254.169.254", "::169.254.169.254", "2002:a9fe:a9fe::1", "64:ff9b::a9fe:a9fe"),
    *("64:ff9b:1::a9fe:a9fe", "::ffff:0:a9fe:a9fe"),
)


@pytest.mark.parametrize("address", LINK_LOCAL)
def test_a_link_local_address_is_one_however_it_is_wrapped(address: str) -> None:
    assert is_link_local(address)


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "192.168.1.1", "127.0.0.1", "8.8.8.8", "fd00::1", "2001:db8::1", "fec0::1", "no"]
)
def test_private_and_other_addresses_are_none(address: str) -> None:
    assert not is_link_local(address)


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


@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "gb18030"])
def test_a_chinese_text_is_found_in_the_encodings_pages_have(encoding: str) -> None:
    body = "<title>构建四十二</title>".encode(encoding)
    assert holds(body, "四十二")
    assert not holds(body, "四十一")
    assert first_line(body) == "<title>构建四十二</title>"


def test_a_text_in_latin_1_is_found_and_half_a_character_is_no_match_for_anything() -> None:
    assert holds("café".encode("latin-1"), "café")
    assert not holds(b"anything", "\ud83d")


def test_a_page_cut_within_a_character_is_still_shown_in_utf_8() -> None:
    body = ("中" * FIRST_BYTES).encode()[:FIRST_BYTES]
    assert first_line(body) == "中" * (SHOWN - 1) + "…"


@given(st.binary(max_size=400))
def test_a_first_line_is_one_line_that_can_be_seen_and_is_not_long(body: bytes) -> None:
    line = first_line(body)
    assert len(line) <= SHOWN
    assert line == "".join(line.splitlines())
    assert not any(ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 for character in line)


ARRIVALS: Sequence[Arrival] = (
    Arrival("http://a/", ok=True, status=200, seconds=1.25, tries=2),
    Arrival("http://a/", ok=False, problem=say("arrival.no_time")),
    Arrival(
        "http://a/",
        ok=False,
        status=200,
        tries=9,
        problem=say("arrival.text_missing", text="new"),
        first_line="{old}",
    ),
)


def test_how_a_page_ended_is_told_in_both_languages() -> None:
    told = [[arrival.describe().render(language) for arrival in ARRIVALS] for language in LANGUAGES]
    assert told == [
        [
            "http://a/：正常，HTTP 200（尝试 2 次，1.2 秒）。",
            "http://a/：本步骤的时间已用完，没有获取页面（尝试 0 次，0.0 秒）。",
            "http://a/：页面的前 1 MiB 中没有“new”（尝试 9 次，0.0 秒）。页面开头是：{old}",
        ],
        [
            "http://a/: OK, HTTP 200 (tries: 2, 1.2 s).",
            "http://a/: it was not fetched, since the step's time is over (tries: 0, 0.0 s).",
            (
                'http://a/: the page\'s first 1 MiB do not contain "new" (tries: 9, 0.0 s). '
                "The page begins with: {old}"
            ),
        ],
    ]


def test_a_request_that_is_invalid_is_not_sent_twice_and_one_that_was_refused_is() -> None:
    class Refusing:
        def __init__(self, refusal: NotSent) -> None:
            self.refusal = refusal

        def send(
            self, request: HttpRequest, *, seconds: float = float("inf"), first: Optional[int] = None
        ) -> HttpAnswer:
            assert (request.method, first, seconds > 0) == ("GET", FIRST_BYTES, True)
            raise self.refusal

    def tries(refusal: NotSent) -> int:
        clock = FakeClock()
        deadline = Deadline(clock, seconds=None)
        wanted = [VerifyUrl("http://a/", "")]
        return verify_arrivals(wanted, pages=Refusing(refusal), clock=clock, deadline=deadline)[0].tries

    assert tries(NotSent("x", "invalid")) == 1
    assert tries(NotSent("x", "certificate")) > 1
    assert tries(NotSent("x", "refused")) > 1


def test_no_page_is_no_work(transport: Transport) -> None:
    assert Watching(transport).verify() == ()
