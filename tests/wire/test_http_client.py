from __future__ import annotations

import gzip
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Callable

import pytest
import trustme
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.certificates import server_side
from tests.support.raw_server import RawServer, Script, http, refusing_port, saying, serving

from bcs_template_set.system.allowed_addresses import connected
from bcs_template_set.system.http_client import Transport
from bcs_template_set.system.http_connections import Connections
from bcs_template_set.system.http_values import LARGEST_BODY, HttpAnswer, HttpRequest, NoAnswer, NotSent
from bcs_template_set.system.parallel import AT_ONCE, overlap, values_of

SECRET = "top-secret-canary"


@pytest.fixture
def transport() -> Iterator[Transport]:
    made = Transport(connect_timeout=2, read_timeout=2, environ={})
    yield made
    made.close()


def get(transport: Transport, url: str, **headers: str) -> HttpAnswer:
    return transport.send(HttpRequest("GET", url, headers))


def connections_of(transport: Transport) -> Connections:
    made = transport._open()
    assert made is not None
    return made


def test_of_several_addresses_the_first_that_answers_is_connected_to(refusing: int) -> None:
    with serving(saying(http())) as server:
        ports = (refusing, int(server.url.rpartition(":")[2]), refusing)
        found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port)) for port in ports]
        made, address = connected(found, seconds=3)
        with made:
            assert (address, made.getpeername()) == ("127.0.0.1", ("127.0.0.1", ports[1]))
            assert made.gettimeout() == 3
            assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY), "small requests wait for nothing"
        with pytest.raises(ConnectionRefusedError):
            connected(found[::2], seconds=3)


# --- what is sent and what comes back -------------------------------------------------------------------


def test_status_headers_and_body_come_back_whatever_the_status(transport: Transport) -> None:
    for status in ("200 OK", "404 Not Found", "500 Oh", "418 Tea"):
        with serving(saying(http(b"body", status=status, headers=("X-Name: Value",)))) as server:
            answer = get(transport, server.url + "/a?b=c")
        assert answer.status == int(status[:3])
        assert answer.body == b"body"
        assert answer.headers["x-name"] == "Value"
        assert (answer.peer, answer.tls, answer.valid_until) == ("", "", 0.0)
        assert server.requests[0].startswith(b"GET /a?b=c HTTP/1.1\r\n")


def test_method_headers_and_body_are_sent_as_given(transport: Transport) -> None:
    with serving(saying(http())) as server:
        transport.send(HttpRequest("PUT", server.url + "/%2F", {"X-Mine": "1"}, b'{"a": 1}'))
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"PUT /%2F HTTP/1.1")
    assert b"X-Mine: 1" in head
    assert body == b'{"a": 1}'


def test_the_user_agent_is_plain_and_fixed(transport: Transport) -> None:
    with serving(saying(http())) as server:
        get(transport, server.url)
    agents = [line for line in server.requests[0].split(b"\r\n") if line.lower().startswith(b"user-agent:")]
    assert len(agents) == 1
    assert agents[0].split(b": ")[1].startswith(b"bcs-template-set/")


def test_redirects_are_not_followed(transport: Transport) -> None:
    with serving(saying(http(status="302 Found", headers=("Location: /login",)))) as server:
        answer = get(transport, server.url, Authorization=SECRET)
    assert (answer.status, answer.headers["location"]) == (302, "/login")
    assert len(server.requests) == 1


def test_the_body_of_a_redirect_comes_back_too_and_is_not_unpacked_by_anybody_else(
    transport: Transport,
) -> None:
    headers = ("Location: /login", "Content-Encoding: gzip")
    with serving(saying(http(gzip.compress(b"moved"), status="302 Found", headers=headers))) as server:
        assert get(transport, server.url).body == b"moved"
    bomb = gzip.compress(b"\0" * (LARGEST_BODY + 1))
    with serving(saying(http(bomb, status="302 Found", headers=headers))) as server, pytest.raises(NoAnswer):
        get(transport, server.url)


def test_an_address_s_credentials_are_not_sent(transport: Transport) -> None:
    with serving(saying(http())) as server:
        get(transport, server.url.replace("//", "//me:secret@"))
    assert b"authorization" not in server.requests[0].lower()


def test_cookies_are_not_kept(transport: Transport) -> None:
    with serving(saying(http(headers=("Set-Cookie: a=b",)))) as server:
        get(transport, server.url)
        get(transport, server.url)
    assert b"cookie" not in server.requests[1].lower()


def test_netrc_is_not_read(tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text(f"machine 127.0.0.1 login me password {SECRET}\n", encoding="utf-8")
    (tmp_path / ".netrc").chmod(0o600)
    code = (
        "import sys; from bcs_template_set.system.http_client import *\n"
        "Transport().send(HttpRequest('GET', sys.argv[1]))"
    )
    with serving(saying(http(), keep=False)) as server:
        subprocess.run([sys.executable, "-c", code, server.url], env={"HOME": str(tmp_path)}, check=True)
    assert b"authorization" not in server.requests[0].lower()


@pytest.mark.parametrize("coding", [(), ("Content-Encoding: gzip",)])
def test_an_answer_to_head_is_whole_without_the_body_that_it_tells_of(
    transport: Transport, coding: tuple[str, ...]
) -> None:
    said = http(b"body", headers=coding).removesuffix(b"body")
    with serving(saying(said)) as server:
        for _ in range(2):
            answer = transport.send(HttpRequest("HEAD", server.url))
            assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "4")
        assert server.connections == 1


def test_connections_are_kept_and_used_again(transport: Transport) -> None:
    with serving(saying(http())) as server:
        for _ in range(5):
            get(transport, server.url)
        assert server.connections == 1


def test_a_kept_connection_that_the_server_closed_is_opened_anew(transport: Transport) -> None:
    with serving(saying(http(headers=("Connection: close",)), keep=False)) as server:
        for _ in range(3):
            assert get(transport, server.url).status == 200
        assert server.connections == 3


def test_two_servers_in_turns_get_their_own_requests_each(transport: Transport) -> None:
    with serving(saying(http(b"one"))) as one, serving(saying(http(b"two"))) as two:
        for _ in range(2):
            assert [get(transport, server.url).body for server in (one, two)] == [b"one", b"two"]


def test_threads_share_one_transport(transport: Transport) -> None:
    statuses: list[int] = []
    with serving(saying(http())) as server:
        threads = [
            threading.Thread(target=lambda: statuses.append(get(transport, server.url).status))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert statuses == [200] * 8


def test_tasks_that_overlap_do_so_as_soon_as_those_before_have_sent_their_requests() -> None:
    every = threading.Barrier(AT_ONCE + 4)

    def together(connection: socket.socket, _: bytes) -> bool:
        every.wait(10)
        connection.sendall(http())
        return True

    transport = Transport(read_timeout=10, environ={})
    with serving(together) as server:
        tasks = [partial(get, transport, server.url)] * (AT_ONCE + 4)
        assert {answer.status for answer in values_of(overlap(tasks, concurrency=60))} == {200}
        transport.close()


def test_after_closing_no_connection_stays_open_that_was_used(transport: Transport) -> None:
    rest, has_ended = list[bytes](), threading.Event()

    def script(connection: socket.socket, _: bytes) -> bool:
        connection.sendall(http())
        rest.append(connection.recv(1))
        has_ended.set()
        return False

    with serving(script) as server:
        get(transport, server.url)
        held = connections_of(transport)  # else they would end because nobody holds them any more
        transport.close()
        assert has_ended.wait(5)
        assert rest == [b""]
        del held


def test_a_connection_whose_answer_does_not_come_is_closed_also_while_somebody_keeps_the_error() -> None:
    has_ended = threading.Event()

    def script(connection: socket.socket, _: bytes) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        if not connection.recv(1):
            has_ended.set()
        return False

    transport = Transport(read_timeout=0.1, environ={})
    with serving(script) as server:
        with pytest.raises(NoAnswer) as caught:
            get(transport, server.url)
        assert has_ended.wait(2), caught
    transport.close()


def test_an_answer_of_another_charset_is_not_touched(transport: Transport) -> None:
    body = "拒绝".encode("gbk")
    with serving(saying(http(body, headers=("Content-Type: text/plain; charset=gbk",)))) as server:
        assert get(transport, server.url).body == body


# --- sizes, encodings, times ----------------------------------------------------------------------------


@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_compressed_answer_is_decompressed(
    transport: Transport, encoding: str, compress: Callable[[bytes], bytes]
) -> None:
    body = compress(b"x" * 200_000)
    with serving(saying(http(body, headers=(f"Content-Encoding: {encoding}",)))) as server:
        assert get(transport, server.url).body == b"x" * 200_000
    assert b"Accept-Encoding: gzip" in server.requests[0]


def test_chunked_answers_are_put_together(transport: Transport) -> None:
    chunked = http(b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", headers=("Transfer-Encoding: chunked",), length=False)
    with serving(saying(chunked)) as server:
        assert get(transport, server.url).body == b"abcde"


def test_a_bomb_is_not_unpacked(transport: Transport) -> None:
    bomb = gzip.compress(b"\0" * (LARGEST_BODY + 1))
    assert len(bomb) < 20_000
    with serving(saying(http(bomb, headers=("Content-Encoding: gzip",)))) as server, pytest.raises(NoAnswer):
        get(transport, server.url)


def test_an_answer_as_large_as_allowed_is_taken_and_one_byte_more_is_not(transport: Transport) -> None:
    with serving(saying(http(b"x" * LARGEST_BODY))) as server:
        assert len(get(transport, server.url).body) == LARGEST_BODY
    with serving(saying(http(b"x" * (LARGEST_BODY + 1)))) as server, pytest.raises(NoAnswer) as caught:
        get(transport, server.url)
    assert str(LARGEST_BODY) in str(caught.value)


def test_what_is_around_a_body_is_bounded_by_twice_what_the_body_may_have(transport: Transport) -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\n"
    for count, is_taken in ((70, True), (90, False)):
        with serving(saying(interim * count + http())) as server:
            request = HttpRequest("GET", server.url, most=1000)
            if is_taken:
                assert transport.send(request).body == b"{}"
                continue
            with pytest.raises(NoAnswer, match="larger than 2000 bytes"):
                transport.send(request)


def test_a_request_may_allow_a_larger_answer(transport: Transport) -> None:
    larger = 3 * LARGEST_BODY
    with serving(saying(http(b"x" * larger))) as server:
        answer = transport.send(HttpRequest("GET", server.url, most=larger))
        assert len(answer.body) == larger


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(http(b"half")[:-2], id="shorter than announced"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-", id="ends in a header"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: y\r\n", id="ends between headers"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"SSH-2.0-OpenSSH_9\r\n", id="not HTTP"),
        pytest.param(
            http(b"5\r\nab", headers=("Transfer-Encoding: chunked",), length=False), id="half a chunk"
        ),
        pytest.param(http(b"plain", headers=("Content-Encoding: gzip",)), id="not gzip"),
        pytest.param(
            http(gzip.compress(b"x" * 999)[:-9], headers=("Content-Encoding: gzip",)), id="half gzip"
        ),
        pytest.param(http(b"?", headers=("Content-Encoding: br",)), id="an encoding not asked for"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", id="too many headers"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", id="too long a header"),
    ],
)
def test_what_is_no_whole_answer_is_no_answer(transport: Transport, answer: bytes) -> None:
    with serving(saying(answer, keep=False)) as server, pytest.raises(NoAnswer):
        transport.send(HttpRequest("POST", server.url, {}, b"{}"))
    assert len(server.requests) == 1


def hanging(answer: bytes) -> Script:
    """Send the bytes one by one, slowly."""

    def script(connection: socket.socket, _: bytes) -> bool:
        connection.settimeout(5)
        for position in range(len(answer)):
            connection.sendall(answer[position : position + 1])
            time.sleep(0.05)  # noqa: TID251 - slowness is what is tested
        connection.recv(1)
        return False

    return script


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="silence"),
        pytest.param(http(headers=("X-Long: " + "y" * 500,)), id="headers that trickle"),
        pytest.param(http(b"x" * 500), id="a body that trickles"),
    ],
)
def test_a_slow_answer_ends_in_time(answer: bytes) -> None:
    transport = Transport(connect_timeout=0.2, read_timeout=0.3, environ={})
    with serving(hanging(answer)) as server:
        begun = time.monotonic()
        with pytest.raises(NoAnswer):
            get(transport, server.url)
        assert time.monotonic() - begun < 2
    transport.close()


def test_a_caller_may_give_a_request_less_time(transport: Transport) -> None:
    connections_of(transport)  # what is imported for the first request takes a busy machine as long
    with serving(hanging(b"")) as server:
        begun = time.monotonic()
        with pytest.raises(NoAnswer):
            transport.send(HttpRequest("GET", server.url), seconds=0.2)
        assert time.monotonic() - begun < 1.5
        with pytest.raises(NotSent) as caught:
            transport.send(HttpRequest("GET", server.url), seconds=0)
    assert caught.value.kind == "timeout"


def test_to_be_taken_a_request_has_the_time_that_an_answer_has_and_not_that_to_connect() -> None:
    def script(connection: socket.socket, _: bytes) -> bool:
        connection.sendall(http())
        connection.recv(1)  # of the second request
        time.sleep(0.5)  # noqa: TID251 - slowness is what is tested
        while not connection.recv(1 << 20).endswith(b"."):
            continue
        connection.sendall(http())
        return False

    transport = Transport(connect_timeout=0.2, read_timeout=5, environ={})
    with serving(script) as server:
        get(transport, server.url)
        answer = transport.send(HttpRequest("POST", server.url, {}, b"x" * 20_000_000 + b"."))
        assert (answer.status, server.connections) == (200, 1)
    transport.close()


# --- not sent -------------------------------------------------------------------------------------------


@pytest.fixture
def refusing() -> Iterator[int]:
    with refusing_port() as port:
        yield port


def test_a_refused_connection_is_not_sent(transport: Transport, refusing: int) -> None:
    with pytest.raises(NotSent) as caught:
        get(transport, f"http://127.0.0.1:{refusing}/")
    assert caught.value.kind == "refused"


def test_an_unknown_name_is_not_sent(transport: Transport) -> None:
    with pytest.raises(NotSent) as caught:
        get(transport, "http://no-such-host.invalid/")
    assert caught.value.kind == "name"
    assert "no-such-host.invalid" in str(caught.value)


def test_a_connection_that_takes_too_long_is_not_sent() -> None:
    transport = Transport(connect_timeout=0.2, read_timeout=1, environ={})
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        for client in waiting:  # fill the queue of connections nobody accepts
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
        with pytest.raises(NotSent) as caught:
            get(transport, f"http://127.0.0.1:{port}/")
        for client in waiting:
            client.close()
    assert caught.value.kind == "timeout"


@pytest.mark.parametrize(
    "url", ["", "nonsense", "ftp://127.0.0.1/", "http://", "http://[::1", "http://127.0.0.1:x"]
)
def test_what_is_no_address_is_not_sent(transport: Transport, url: str) -> None:
    with pytest.raises(NotSent):
        get(transport, url)


@pytest.mark.parametrize("value", [f"{SECRET}\nX: y", f"{SECRET}\u4e2d", f"{SECRET}\ud800"])
def test_a_header_that_http_does_not_allow_is_not_sent_and_not_quoted(
    transport: Transport, value: str
) -> None:
    with serving(saying(http())) as server, pytest.raises(NotSent) as caught:
        get(transport, server.url, Authorization=value)
    assert caught.value.kind == "invalid"
    assert server.requests == []
    error: BaseException | None = caught.value
    while error is not None:
        assert SECRET not in f"{error!s}{error!r}"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def test_a_reset_while_the_answer_is_awaited_is_no_answer(transport: Transport) -> None:
    def reset(connection: socket.socket, _: bytes) -> bool:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        return False

    with serving(reset) as server, pytest.raises(NoAnswer):
        transport.send(HttpRequest("POST", server.url, {}, b"{}"))
    assert len(server.requests) == 1


def test_a_request_has_no_header_and_no_body_in_its_repr() -> None:
    request = HttpRequest("POST", "http://x/", {"Authorization": SECRET}, SECRET.encode())
    assert SECRET not in repr(request)


# --- TLS ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def test_a_private_authority_is_trusted_through_ca_bundle(authority: trustme.CA, tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    transport = Transport(ca_bundle=str(bundle), environ={})
    with serving(saying(http(b"ok")), tls=server_side(authority.issue_cert("127.0.0.1"))) as server:
        answers = [get(transport, server.url) for _ in range(2)]
        assert [answer.body for answer in answers] == [b"ok", b"ok"]
        assert server.connections == 1
        assert {answer.tls for answer in answers} <= {"TLSv1.2", "TLSv1.3"}
        assert min(answer.valid_until for answer in answers) > time.time()
        transport.close()


@pytest.mark.parametrize(
    ("name", "kind"), [("127.0.0.1", "certificate"), ("other.example.com", "wrong_host")]
)
def test_a_certificate_that_does_not_verify_is_not_sent(
    authority: trustme.CA, name: str, kind: str, tmp_path: Path
) -> None:
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    trusting = str(bundle) if name != "127.0.0.1" else ""
    transport = Transport(ca_bundle=trusting, environ={"CURL_CA_BUNDLE": "", "REQUESTS_CA_BUNDLE": ""})
    with serving(saying(http()), tls=server_side(authority.issue_cert(name))) as server:
        with pytest.raises(NotSent) as caught:
            get(transport, server.url, Authorization=SECRET)
        assert server.requests == []
    assert caught.value.kind == kind


def test_a_request_adds_no_authority_to_those_of_ca_bundle(authority: trustme.CA, tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    transport = Transport(ca_bundle=str(bundle), environ={})
    with serving(saying(http(b"ok")), tls=server_side(authority.issue_cert("127.0.0.1"))) as server:
        assert get(transport, server.url).body == b"ok"
        assert connections_of(transport)._adapter._trusted().cert_store_stats()["x509_ca"] == 1
        transport.close()


def test_a_header_that_http_does_not_allow_is_not_sent_over_tls_either(
    authority: trustme.CA, tmp_path: Path
) -> None:
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    transport = Transport(ca_bundle=str(bundle), environ={})
    with serving(saying(http()), tls=server_side(authority.issue_cert("127.0.0.1"))) as server:
        with pytest.raises(NotSent) as caught:
            get(transport, server.url, Authorization="\u4e2d")
        assert server.requests == []
    transport.close()
    assert caught.value.kind == "invalid"


def test_a_server_that_takes_a_record_of_tls_now_and_then_keeps_nobody_waiting(
    authority: trustme.CA, tmp_path: Path
) -> None:
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    transport = Transport(ca_bundle=str(bundle), connect_timeout=0.4, read_timeout=0.4, environ={})

    def sip(listener: socket.socket) -> None:
        plain, _ = listener.accept()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        tls = server_side(authority.issue_cert("127.0.0.1")).wrap_socket(plain, server_side=True)
        with tls as connection, suppress(OSError):  # the client leaves in the middle of it
            while connection.recv(16384):
                time.sleep(0.1)  # noqa: TID251 - slowness is what is tested

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=sip, args=(listener,), daemon=True).start()
        began = time.monotonic()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/"
        with pytest.raises(NoAnswer, match="in time"):
            transport.send(HttpRequest("POST", url, {}, b"x" * 30_000_000))
        assert time.monotonic() - began < 4
    transport.close()


def test_a_server_that_speaks_no_tls_is_not_sent(transport: Transport) -> None:
    with serving(saying(http())) as server, pytest.raises(NotSent) as caught:
        get(transport, server.url.replace("http:", "https:"))
    assert caught.value.kind in ("tls", "timeout", "other")


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_a_ca_bundle_that_is_none_is_named(content: bytes | None, tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    if content is not None:
        bundle.write_bytes(content)
    with pytest.raises(NotSent) as caught:
        get(Transport(ca_bundle=str(bundle), environ={}), "https://127.0.0.1:1/")
    assert caught.value.kind == "ca_bundle"
    assert str(bundle) in str(caught.value)


# --- proxies --------------------------------------------------------------------------------------------


def test_a_proxy_of_the_environment_is_used_with_its_credentials() -> None:
    with serving(saying(http(b"through"))) as proxy:
        address = proxy.url.replace("http://", f"http://me:{SECRET}@")
        transport = Transport(environ={"http_proxy": address})
        assert get(transport, "http://gateway.example.com/a").body == b"through"
        transport.close()
    assert proxy.requests[0].startswith(b"GET http://gateway.example.com/a HTTP/1.1")
    assert b"proxy-authorization: basic" in proxy.requests[0].lower()


def test_connections_through_a_proxy_are_kept_for_all_servers_behind_it() -> None:
    with serving(saying(http(b"through"))) as proxy:
        transport = Transport(environ={}, proxy=proxy.url)
        for name in ("one", "two", "one"):
            assert get(transport, f"http://{name}.example.com/a").body == b"through"
        transport.close()
        assert proxy.connections == 1


def test_plain_http_needs_no_bundle_that_can_be_read(tmp_path: Path) -> None:
    with serving(saying(http(b"ok"))) as server:
        for proxy in ("", server.url):
            transport = Transport(ca_bundle=str(tmp_path / "none.pem"), environ={}, proxy=proxy)
            assert get(transport, server.url).body == b"ok"
            transport.close()


def test_a_proxy_that_speaks_tls_has_to_be_known_as_a_server_has(
    authority: trustme.CA, tmp_path: Path
) -> None:
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    with serving(saying(http(b"through")), tls=server_side(authority.issue_cert("127.0.0.1"))) as proxy:
        known, unknown = (Transport(ca_bundle=at, environ={}, proxy=proxy.url) for at in (str(bundle), ""))
        assert get(known, "http://gateway.example.com/").body == b"through"
        known.close()
        with pytest.raises(NotSent):
            get(unknown, "http://gateway.example.com/")
        assert len(proxy.requests) == 1


def test_what_is_no_proxys_address_is_told_without_it() -> None:
    transport = Transport(environ={"http_proxy": f"http://me:{SECRET}@[::1"})
    with pytest.raises(NotSent) as caught:
        get(transport, "http://gateway.example.com/")
    assert caught.value.kind == "proxy"
    error: BaseException | None = caught.value
    while error is not None:
        assert SECRET not in f"{error!s}{error!r}"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def test_a_proxy_s_user_may_have_no_password() -> None:
    with serving(saying(http(b"through"))) as proxy:
        transport = Transport(environ={"http_proxy": proxy.url.replace("//", "//me@")})
        assert get(transport, "http://gateway.example.com/a").body == b"through"
        transport.close()
    assert b"proxy-authorization: basic bwu=" in proxy.requests[0].lower()  # "me"


def test_loopback_never_goes_through_a_proxy(refusing: int) -> None:
    with serving(saying(http(b"direct"))) as server:
        transport = Transport(environ={"http_proxy": f"http://127.0.0.1:{refusing}"})
        assert get(transport, server.url).body == b"direct"
        transport.close()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_not_there_means_not_sent_and_its_password_is_not_shown(
    scheme: str, refusing: int
) -> None:
    address = f"http://me:{SECRET}@127.0.0.1:{refusing}"
    transport = Transport(environ={f"{scheme}_proxy": address})
    with pytest.raises(NotSent) as caught:
        get(transport, f"{scheme}://gateway.example.com/")
    assert caught.value.kind == "proxy"
    assert SECRET not in f"{caught.value}{caught.value!r}{caught.value.__cause__}"


def test_a_proxy_that_refuses_the_tunnel_means_not_sent() -> None:
    with serving(saying(http(status="407 Proxy Authentication Required"), keep=False)) as proxy:
        transport = Transport(environ={"https_proxy": proxy.url})
        with pytest.raises(NotSent):
            get(transport, "https://gateway.example.com/", Authorization=SECRET)
    assert SECRET.encode() not in b"".join(proxy.requests)


def test_a_lost_answer_through_a_proxy_is_no_answer() -> None:
    with serving(saying(b"", keep=False)) as proxy:
        transport = Transport(environ={"http_proxy": proxy.url})
        with pytest.raises(NoAnswer):
            transport.send(HttpRequest("POST", "http://gateway.example.com/", {}, b"{}"))


def test_a_proxy_that_is_named_comes_before_the_environment_and_loopback_goes_through_it_too(
    refusing: int,
) -> None:
    with serving(saying(http(b"through"))) as proxy:
        other = {"http_proxy": f"http://127.0.0.1:{refusing}"}
        transport = Transport(environ=other, proxy=proxy.url)
        assert get(transport, "http://127.0.0.1:1/a").body == b"through"
        transport.close()


def test_where_no_proxy_is_to_be_used_the_environment_names_none() -> None:
    with serving(saying(http(b"through"))) as proxy:
        transport = Transport(environ={"http_proxy": proxy.url}, proxy="")
        with pytest.raises(NotSent) as caught:
            get(transport, "http://no-such-host.invalid/")
        assert caught.value.kind == "name"
        transport.close()
    assert proxy.requests == []


# --- connecting ahead -----------------------------------------------------------------------------------


def opened(server: RawServer, *, at_least: int) -> int:
    """Return how many connections a server has taken, once it had the time to take so many."""
    latest = time.monotonic() + 5
    while server.connections < at_least and time.monotonic() < latest:
        time.sleep(0.005)  # noqa: TID251 - the server's thread has to be given its turn
    return server.connections


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_connections_that_are_opened_ahead_carry_no_request_and_then_the_first_ones(
    authority: trustme.CA, tmp_path: Path, scheme: str
) -> None:
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    tls = server_side(authority.issue_cert("127.0.0.1")) if scheme == "https" else None
    transport = Transport(ca_bundle=str(bundle), environ={})
    with serving(saying(http()), tls=tls) as server:
        for count in (2, 2, 3):  # what is open already is not opened once more
            connections_of(transport).connect(server.url, count=count, remaining=lambda: 5.0)
        assert (opened(server, at_least=3), server.requests) == (3, [])
        assert [get(transport, server.url).status for _ in range(2)] == [200, 200]
        assert server.connections == 3
        for connection in server._open:
            with suppress(OSError):  # what TLS has been put around is another one
                connection.shutdown(socket.SHUT_RDWR)
        assert get(transport, server.url).status == 200
        assert server.connections == 4
        transport.close()


def test_they_are_opened_in_the_background_and_none_stays_after_closing(transport: Transport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        transport.connect_ahead(url, count=2)
        accepted = [listener.accept()[0] for _ in range(2)]
        transport.close()
        transport.connect_ahead(url, count=2)
        for connection in accepted:
            connection.settimeout(5)
            assert connection.recv(1) == b""
            connection.close()
        listener.settimeout(0.05)
        with pytest.raises(socket.timeout):
            listener.accept()


def test_where_the_machine_has_no_more_threads_nothing_is_opened_ahead(
    transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    transport.connect_ahead("http://127.0.0.1:1/", count=2)
    assert transport._kept is None


def test_they_go_through_the_proxy_and_a_tunnel_is_made_for_them() -> None:
    established = b"HTTP/1.1 200 OK\r\n\r\n"
    with serving(saying(established)) as proxy:
        address = proxy.url.replace("//", f"//me:{SECRET}@")
        transport = Transport(environ={}, proxy=address, connect_timeout=0.2)
        connect = connections_of(transport).connect
        connect("http://gateway.example.com/a", count=1, remaining=lambda: 5.0)
        assert (opened(proxy, at_least=1), proxy.requests) == (1, [])
        connect("https://gateway.example.com/a", count=1, remaining=lambda: 5.0)
        (sent,) = proxy.requests[:1]
        assert sent.startswith(b"CONNECT gateway.example.com:443 HTTP/1.")
        assert b"proxy-authorization: basic" in sent.lower()
        transport.close()


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}/", "http://no-such-host.invalid/", "ftp://x", ""])
def test_what_fails_ahead_is_told_by_the_first_request_alone(
    transport: Transport, refusing: int, url: str
) -> None:
    address = url.format(port=refusing)
    connections_of(transport).connect(address, count=2, remaining=lambda: 5.0)
    with pytest.raises(NotSent):
        get(transport, address)


def test_what_does_not_verify_ahead_is_closed_and_carries_no_request(
    transport: Transport, authority: trustme.CA
) -> None:
    with serving(saying(http()), tls=server_side(authority.issue_cert("127.0.0.1"))) as server:
        connections_of(transport).connect(server.url, count=1, remaining=lambda: 5.0)
        with pytest.raises(NotSent) as caught:
            get(transport, server.url)
        assert (caught.value.kind, server.requests) == ("certificate", [])


def test_as_many_are_opened_at_once_as_are_asked_for_where_each_has_to_wait() -> None:
    count = AT_ONCE + 2
    every = threading.Barrier(count)

    def together(connection: socket.socket, _: bytes) -> bool:
        with suppress(threading.BrokenBarrierError):
            every.wait(3)
        connection.sendall(http(status="502 Bad Gateway"))
        return False

    with serving(together) as proxy:
        transport = Transport(environ={}, proxy=proxy.url)
        url = "https://gateway.example.com/"
        connections_of(transport).connect(url, count=count, remaining=lambda: 5.0)
        transport.close()
        assert (len(proxy.requests), every.broken) == (count, False)


def test_no_address_is_connected_to_ahead_that_is_refused() -> None:
    with serving(saying(http())) as server:
        refusing, other = Transport(environ={}, refuses=lambda _: True), Transport(environ={})
        connections_of(refusing).connect(server.url, count=2, remaining=lambda: 5.0)
        get(other, server.url)  # before which the server has taken whatever there was
        assert server.connections == 1
        refusing.close()
        other.close()


def test_what_has_no_time_left_is_not_opened(transport: Transport) -> None:
    with serving(saying(http())) as server:
        connections_of(transport).connect(server.url, count=2, remaining=lambda: 0.0)
        assert server.connections == 0


# --- any bytes ------------------------------------------------------------------------------------------

_heads = st.sampled_from(
    [
        b"",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 999 \xff\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
    ]
)


@settings(max_examples=60, deadline=None)
@given(answer=st.builds(bytes.__add__, _heads, st.binary(max_size=200)))
def test_any_bytes_end_in_an_answer_or_one_of_the_two_errors(answer: bytes) -> None:
    transport = Transport(read_timeout=1, environ={})
    with serving(saying(answer, keep=False)) as server:
        try:
            assert isinstance(get(transport, server.url), HttpAnswer)
        except (NotSent, NoAnswer) as error:
            assert isinstance(error, NoAnswer), "the request was sent"  # noqa: PT017 - either is fine
    transport.close()


# --- start-up -------------------------------------------------------------------------------------------


def test_importing_it_imports_no_http_library() -> None:
    code = (
        "import sys, bcs_template_set.system.http_client, bcs_template_set.bcs.gateway\n"
        "print(sorted({'urllib3', 'requests', 'ssl', 'http.client'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def test_only_two_modules_import_an_http_library() -> None:
    sources = Path(__file__).parents[2] / "atom" / "bcs_template_set"
    importers = {
        path.name
        for path in sources.rglob("*.py")
        if any(
            line.lstrip().startswith(("import requests", "from requests", "import urllib3", "from urllib3"))
            for line in path.read_text(encoding="utf-8").splitlines()
        )
    }
    assert importers == {"http_connections.py", "http_pools.py"}
