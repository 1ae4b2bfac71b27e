"""Servers that lie, drip, flood and redirect: every client of ours ends in time, with a sentence, and
gives nothing away. What a single answer becomes in the transport is in `unit/test_transport.py`."""

from __future__ import annotations

import functools
import gc
import gzip
import json
import socket
import threading
import time
import tracemalloc
import zlib
from collections.abc import Iterator, Mapping
from itertools import chain, repeat
from typing import Callable, Union

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcs_template_set.bcs import protocol
from bcs_template_set.system.http_client import Transport
from bcs_template_set.system.http_values import HttpRequest, NotSent
from tests.hostile.clients import (
    CLIENTS,
    SECRETS,
    Client,
    ask_build_api,
    ask_gateway,
    gateway_at,
    look_at_page,
    write_to_gateway,
)
from tests.support.draws import crossed, swept
from tests.support.pieces import PROJECT_DATA
from tests.support.raw_server import Script, http, saying, serving

MEBIBYTE = 2**20


@pytest.fixture
def transport() -> Iterator[Transport]:
    made = Transport(connect_timeout=0.4, read_timeout=0.4, environ={})
    yield made
    made.close()


def assert_keeps_secrets(said: str) -> None:
    for secret in SECRETS:
        assert secret not in said


# --- redirects ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "client"), crossed((302, 300, 301, 303, 305, 307, 308), CLIENTS))
def test_no_request_follows_a_redirect_to_another_host(
    client: Client, status: int, transport: Transport
) -> None:
    with serving(saying(http(b"{}"))) as other:
        for place in (
            other.url + "/x",
            other.url.replace("http:", "") + "/x",
            other.url.replace("//127", "//user:p@127"),
        ):
            answer = http(b"", status=f"{status} Elsewhere", headers=(f"Location: {place}",))
            with serving(saying(answer)) as server:
                said = client(server.url, transport).said
            if client is not look_at_page or status not in (300, 305):  # to a visitor, these are pages
                assert said
            assert "user:p" not in said
            assert_keeps_secrets(said)
        assert other.requests == []


def test_a_redirect_within_a_host_takes_no_credential_and_no_cookie_with_it(transport: Transport) -> None:
    def script(connection: socket.socket, request: bytes) -> bool:
        headers = ("Location: /there", "Set-Cookie: session=1")
        moved = http(b"", status="302 Found", headers=headers)
        connection.sendall(moved if request.startswith(b"GET / ") else http(b"here"))
        return True

    with serving(script) as server:
        assert look_at_page(server.url, transport).said == ""
    assert len(server.requests) == 2
    sent = b"".join(server.requests).lower()
    assert b"cookie" not in sent
    assert b"authorization" not in sent
    assert b"x-devops" not in sent


NOWHERE = (
    "javascript:alert(1)",
    "file:///etc/passwd",
    "data:text/html,x",
    "http://",
    "http://[",
    "\x1b[31m",
    "//",
    "x" * 60_000,
)


@pytest.mark.parametrize(("location", "client"), crossed(NOWHERE, CLIENTS))
def test_a_redirect_to_nowhere_is_said_shortly(client: Client, location: str, transport: Transport) -> None:
    with serving(saying(http(b"", status="302 Found", headers=(f"Location: {location}",)))) as server:
        said = client(server.url, transport).said
    assert 0 < len(said) < 3000


# --- cookies and credentials ----------------------------------------------------------------------------


@pytest.mark.parametrize("client", CLIENTS)
def test_no_cookie_comes_back_and_no_challenge_is_answered(client: Client, transport: Transport) -> None:
    headers = (
        *("Set-Cookie: a=b; Path=/", "Set-Cookie: __Host-c=d; Secure"),
        *(
            'WWW-Authenticate: Basic realm="x"',
            "Proxy-Authenticate: Basic",
            "Clear-Site-Data: *",
            "Refresh: 0; url=/",
        ),
    )
    for status in ("401 Unauthorized", "407 Proxy Authentication Required", "500 Oh"):
        with serving(saying(http(status=status, headers=headers))) as server:
            assert client(server.url, transport).said
            client(server.url, transport)
        assert all(b"cookie" not in request.lower() for request in server.requests)
        assert all(b"basic" not in request.lower() for request in server.requests)


def test_pages_are_asked_for_without_any_of_our_headers(transport: Transport) -> None:
    with serving(saying(http(b"page"))) as server:
        assert look_at_page(server.url, transport).said == ""
    names = {line.partition(b":")[0].lower() for line in server.requests[0].split(b"\r\n")[1:] if line}
    assert names <= {b"host", b"user-agent", b"accept", b"accept-encoding", b"cache-control", b"connection"}


# --- slowness -------------------------------------------------------------------------------------------


def dripping(answer: bytes, *, pause: float = 0.1) -> Script:
    """Send the bytes one by one, for longer than anybody waits."""

    def script(connection: socket.socket, _: bytes) -> bool:
        connection.settimeout(10)
        for byte in answer:
            connection.sendall(bytes([byte]))
            time.sleep(pause)  # noqa: TID251 - slowness is what is tested
        return False

    return script


DRIPS = {
    "a status line": b"HTTP/1.1 200 " + b"O" * 500,
    "a header": b"HTTP/1.1 200 OK\r\nX-Long: " + b"y" * 500,
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 90,
    "interim answers": b"HTTP/1.1 100 Continue\r\n\r\n" * 30,
    "a body": http(b"x" * 500),
    "a chunk's size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"0" * 500,
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 90,
    "trailers": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * 90,
    "a body without an end": b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 500,
}


@pytest.mark.parametrize(
    ("client", "attempts", "code", "drip"),
    [
        *((write_to_gateway, 1, 800610, drip) for drip in DRIPS),
        *((ask_gateway, 3, 800601, drip) for drip in swept(DRIPS, sample=1)),
    ],
)
def test_a_byte_now_and_then_keeps_nobody_waiting(
    client: Client, attempts: int, code: int, drip: str, transport: Transport
) -> None:
    """Each byte comes in time for a timeout that counts from byte to byte."""
    with serving(dripping(DRIPS[drip])) as server:
        began = time.monotonic()
        told = client(server.url, transport)
        assert time.monotonic() - began < attempts * 1.2 + 2
    assert "in time" in told.said
    assert told.code == code


def test_a_handshake_of_a_byte_now_and_then_ends_too(transport: Transport) -> None:
    def script(connection: socket.socket) -> None:
        with connection:
            for byte in b"\x16\x03\x03\x40\x00" + bytes(200):
                try:
                    connection.sendall(bytes([byte]))
                except OSError:
                    return
                time.sleep(0.1)  # noqa: TID251 - slowness is what is tested

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=script, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        began = time.monotonic()
        told = ask_gateway(f"https://127.0.0.1:{listener.getsockname()[1]}", transport)
        assert time.monotonic() - began < 5
    assert told.code == 800601


def test_a_server_that_reads_nothing_does_not_hold_a_large_request(transport: Transport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        began = time.monotonic()
        with pytest.raises(Exception, match="no answer"):
            transport.send(HttpRequest("POST", url, {}, b"x" * 30 * MEBIBYTE))
        assert time.monotonic() - began < 3


# --- floods ---------------------------------------------------------------------------------------------


def flooding(head: bytes, piece: bytes) -> Script:
    """Send a beginning, then a piece again and again until the client leaves."""

    def script(connection: socket.socket, _: bytes) -> bool:
        connection.settimeout(20)
        for part in chain([head], repeat(piece)):
            connection.sendall(part)
        return False

    return script


@functools.lru_cache(maxsize=2)
def bomb(encoding: str) -> bytes:
    packer = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16 if encoding == "gzip" else zlib.MAX_WBITS)
    return packer.compress(b"\0" * 64 * MEBIBYTE) + packer.flush()


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
FLOODS: Mapping[str, tuple[Union[bytes, Callable[[], bytes]], bytes]] = {
    "a body": (OK + b"\r\n", b"x" * 65536),
    "a body that says how long it is": (OK + b"Content-Length: 99999999999999\r\n\r\n", b"x" * 65536),
    "a body of a length with 5000 digits": (
        OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"x" * 65536,
    ),
    "chunks": (CHUNKED, b"10000\r\n" + b"x" * 65536 + b"\r\n"),
    "chunks of a byte": (CHUNKED, b"1\r\nx\r\n" * 10_000),
    "a chunk without an end": (CHUNKED + b"7fffffffffffffff\r\n", b"x" * 65536),
    "a chunk of the size -1": (CHUNKED + b"-1\r\n", b"x" * 65536),
    "trailers": (CHUNKED + b"0\r\n", b"X: y\r\n" * 10_000),
    "headers": (OK, b"X: y\r\n" * 10_000),
    "one header": (OK + b"X: ", b"y" * 65536),
    "a status line": (b"HTTP/1.1 200 ", b"O" * 65536),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 3000),
    "gzip": (lambda: OK + b"Content-Encoding: gzip\r\n\r\n" + bomb("gzip"), b"x" * 65536),
    "deflate": (lambda: OK + b"Content-Encoding: deflate\r\n\r\n" + bomb("deflate"), b"x" * 65536),
    "gzip in chunks": (
        lambda: (
            CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n")
            + b"%x\r\n" % len(bomb("gzip"))
            + bomb("gzip")
        ),
        b"\r\n10000\r\n" + b"x" * 65536,
    ),
}


@pytest.mark.parametrize(
    ("client", "flood"),
    [
        *((write_to_gateway, flood) for flood in swept(FLOODS, sample=3)),
        *((look_at_page, flood) for flood in swept(FLOODS, sample=1)),
    ],
)
def test_what_has_no_end_is_left_in_time_and_within_memory(client: Client, flood: str) -> None:
    head, piece = FLOODS[flood]
    begin = head if isinstance(head, bytes) else head()
    transport = Transport(connect_timeout=1, read_timeout=2, environ={})
    tracemalloc.start()
    try:
        with serving(flooding(begin, piece)) as server:
            began = time.monotonic()
            said = client(server.url, transport).said
            assert time.monotonic() - began < 20
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        transport.close()
    assert peak < 80 * MEBIBYTE
    assert len(said) < 3000
    if client is not look_at_page:  # that one reads the beginning of a page, and may be content with it
        assert said


def test_a_packed_answer_in_an_encoding_of_its_own_is_refused(transport: Transport) -> None:
    for encoding in ("br", "zstd", "compress", "gzip, gzip", "gzip, deflate", "x" * 5000, "\x1b[31m"):
        answer = http(gzip.compress(b"{}"), headers=(f"Content-Encoding: {encoding}",))
        with serving(saying(answer)) as server:
            said = ask_gateway(server.url, transport).said
        assert "can't be undone" in said
        assert len(said) < 3000


# --- proxies --------------------------------------------------------------------------------------------

PROXY_PASSWORD = "canary-proxy-password"


def through(proxy: str) -> tuple[float, NotSent]:
    """Send a request that the proxy must not get to see, and return how long it took to fail and how."""
    transport = Transport(connect_timeout=0.4, read_timeout=0.4, environ={"https_proxy": proxy})
    request = HttpRequest("GET", "https://bkapi.example.com/", {"Authorization": SECRETS[0]})
    began = time.monotonic()
    with pytest.raises(NotSent) as caught:
        transport.send(request)
    transport.close()
    return time.monotonic() - began, caught.value


@pytest.mark.parametrize(
    "script",
    [
        saying(http(status="407 Proxy Authentication Required"), keep=False),
        saying(http(status="302 Found", headers=("Location: http://127.0.0.1:1/",)), keep=False),
        saying(OK + b"\r\n" + b"no TLS" * 1000, keep=False),
        saying(b"\0" * 1000, keep=False),
        saying(b"", keep=False),
        flooding(OK, b"X: y\r\n" * 10_000),
        flooding(OK + b"X: ", b"y" * 65536),
        flooding(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 3000),
        dripping(OK + b"X: y\r\n" * 90),
        dripping(b"HTTP/1.1 407 " + b"x" * 500),
    ],
)
def test_a_proxy_that_opens_no_tunnel_is_left_in_time_and_gets_nothing_of_the_request(script: Script) -> None:
    with serving(script) as proxy:
        seconds, failure = through(proxy.url.replace("//", f"//me:{PROXY_PASSWORD}@"))
        assert SECRETS[0].encode() not in b"".join(proxy.requests)
    assert seconds < 5
    for secret in (*SECRETS, PROXY_PASSWORD):
        assert secret not in str(failure)


def test_a_proxy_that_refuses_says_with_which_status() -> None:
    with serving(saying(http(status="407 Proxy Authentication Required"), keep=False)) as proxy:
        assert "407" in str(through(proxy.url)[1])


@pytest.mark.parametrize(
    "address",
    [
        "http://[",
        "http://a:b:c",
        "127.0.0.1:99999",
        "ftp://x",
        "\x1b[31m",
        "http://\u4e2d:\u6587@x",
    ],
    ids=ascii,
)
def test_a_proxys_address_that_is_none_is_the_proxys_fault_and_not_the_gateways(address: str) -> None:
    failure = through(address)[1]
    assert failure.kind == "proxy"
    assert "the proxy that the region or the machine's environment names" in str(failure)
    assert address not in str(failure)


# --- answers that are no answers ------------------------------------------------------------------------

ODDITIES: dict[str, bytes] = {
    "HTTP/0.9": b"<html>old</html>",
    "HTTP/9.9": b"HTTP/9.9 200 OK\r\n\r\n{}",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "status 0": b"HTTP/1.1 0 X\r\n\r\n",
    "status -1": b"HTTP/1.1 -1 X\r\n\r\n",
    "status 1000": b"HTTP/1.1 1000 X\r\n\r\n",
    "status of letters": b"HTTP/1.1 abc X\r\n\r\n",
    "status 101": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    "status 103": b"HTTP/1.1 103 Early Hints\r\n\r\n",
    "status 204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "status 206": http(b'{"code": 0', status="206 Partial Content", headers=("Content-Range: bytes 0-9/99",)),
    "status 304": b"HTTP/1.1 304 Not Modified\r\n\r\n",
    "no line at all": b"\r\n\r\n\r\n",
    "nothing": b"",
    "NULs": b"\0" * 1000,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00",
    "SSH": b"SSH-2.0-OpenSSH_9\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\n{}",
    "a negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}",
    "a length of a superscript": b"HTTP/1.1 200 OK\r\nContent-Length: \xb2\r\n\r\n{}",
    "a length of letters": b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n{}",
    "a length and chunks": CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Length: 2\r\n\r\n") + b"0\r\n\r\n",
    "a chunk of letters": CHUNKED + b"zz\r\n",
    "a negative chunk": CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n",
    "bare line feeds": b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}",
    "a header without a colon": b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n{}",
    "a folded header": b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n{}",
    "an HTML page": http(b"<html><title>login</title></html>", headers=("Content-Type: text/html",)),
    "an HTML page called JSON": http(b"<html></html>", headers=("Content-Type: application/json",)),
    "an image": http(b"\x89PNG\r\n\x1a\n", headers=("Content-Type: image/png",)),
    "a charset nobody knows": http(b"\xff\xfe", headers=("Content-Type: text/x; charset=klingon",)),
    "a charset that unpacks": http(b"x", headers=("Content-Type: application/json; charset=zlib",)),
    "a charset of a codec": http(b"x", headers=("Content-Type: application/json; charset=rot13",)),
    "UTF-7": http(b"+AHsAfQ-", headers=("Content-Type: application/json; charset=utf-7",)),
    "deep lists": http(b"[" * 100_000 + b"]" * 100_000),
    "deep objects": http(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "deep data": http(b'{"code":0,"data":' + b"[" * 900 + b"]" * 900 + b"}"),
    "a number of 25 digits": http(b'{"code":' + b"9" * 25 + b"}"),
    "a number of 5000 digits": http(b'{"code":' + b"9" * 5000 + b"}"),
    "a status of 5000 digits": http(b'{"status":' + b"9" * 5000 + b"}"),
    "an exponent": http(b'{"code":1e999,"status":1e999}'),
    "not a number": http(b'{"code":NaN,"status":NaN}'),
    "a key twice": http(b'{"code":0,"status":0,"data":{},"code":1,"status":1,"message":"no"}'),
    "half a character": http(b'{"code":1,"status":1,"message":"\\ud800"}'),
    "UTF-8 that is none": http(b'{"code":1,"status":1,"message":"\xff"}'),
    "a NUL": http(b'{"code":1,"status":1,"message":"a\\u0000b"}'),
    "a message of a megabyte": http(b'{"code":1,"status":1,"message":"' + b"m" * MEBIBYTE + b'"}'),
    "a message of lists": http(b'{"code":1,"status":1,"message":[[["m"]]]}'),
    "code true": http(b'{"code":true,"status":true}'),
    "code as text": http(b'{"code":"0","status":"0"}'),
    "null": http(b"null"),
    "text": http(b'"text"'),
    "an empty list": http(b"[]"),
    "a data error of a megabyte": http(b'{"code":0,"data":{"error":"' + b"e" * MEBIBYTE + b'"}}'),
    "an error header of a page": http(
        b"x", headers=("X-Bkapi-Error-Code: " + "9" * 5000, "X-Bkapi-Error-Message: \x1b[31m")
    ),
    "a limit of years": http(b"{}", status="429 X", headers=("X-Bkapi-Ratelimit-Reset: 999999999",)),
    "a limit below nothing": http(b"{}", status="429 X", headers=("Retry-After: -5",)),
    "a limit that is a date": http(
        b"{}", status="429 X", headers=("Retry-After: Wed, 21 Oct 2099 07:28:00 GMT",)
    ),
}


@pytest.mark.parametrize(
    ("oddity", "client"),
    [*crossed(ODDITIES, [ask_gateway, write_to_gateway]), *((oddity, ask_build_api) for oddity in ODDITIES)],
)
def test_what_is_no_answer_of_the_api_is_an_error_with_a_code(
    client: Client, oddity: str, transport: Transport
) -> None:
    with serving(saying(ODDITIES[oddity], keep=False)) as server:
        told = client(server.url, transport)
    assert 800200 < told.code < 800700, told
    assert len(told.said) < 3000
    assert_keeps_secrets(told.said)
    if client is write_to_gateway and "limit" not in oddity:  # what a limit refuses was not handled
        assert len(server.requests) == 1


@pytest.mark.parametrize("oddity", swept(ODDITIES, sample=12))
def test_a_page_of_any_kind_is_looked_at_without_harm(oddity: str, transport: Transport) -> None:
    with serving(saying(ODDITIES[oddity], keep=False)) as server:
        assert len(look_at_page(server.url, transport).said) < 3000
    gc.collect()  # an answer that is closed badly writes a traceback when it goes, and pytest fails then


_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["code", "status", "data", "message", "error", "perms", "action_list", "projectID"]
            ),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=12,
)


@settings(max_examples=80, deadline=None)
@given(
    payload=_json,
    status=st.sampled_from(["200 OK", "201 X", "302 X", "400 X", "403 X", "429 X", "500 X", "599 X"]),
)
def test_any_json_is_data_or_an_error_with_a_code(payload: object, status: str) -> None:
    body = json.dumps(payload).encode()
    transport = Transport(connect_timeout=2, read_timeout=2, environ={})
    with serving(saying(http(body, status=status, headers=("Content-Type: application/json",)))) as server:
        for client in (ask_gateway, ask_build_api):
            told = client(server.url, transport)
            assert told.said == "" or 800200 < told.code < 800700
    transport.close()


# --- kept connections -----------------------------------------------------------------------------------

PROJECT = json.dumps({"code": 0, "message": "OK", "data": PROJECT_DATA}).encode()
JSON = ("Content-Type: application/json",)


def test_a_connection_that_is_closed_without_a_word_is_opened_anew(transport: Transport) -> None:
    with serving(saying(http(PROJECT, headers=JSON), keep=False)) as server:
        for _ in range(4):
            assert ask_gateway(server.url, transport).said == ""
            time.sleep(0.02)  # noqa: TID251 - the server closes after its answer
        assert server.connections == 4


def test_a_connection_that_breaks_under_the_next_request_is_no_reason_to_write_twice(
    transport: Transport,
) -> None:
    def script(connection: socket.socket, request: bytes) -> bool:
        if request.startswith(b"POST"):
            return False  # taken, and no answer
        connection.sendall(http(PROJECT, headers=(*JSON, "Keep-Alive: timeout=999")))
        return True

    with serving(script) as server:
        assert ask_gateway(server.url, transport).said == ""
        assert write_to_gateway(server.url, transport).code == 800610
    assert len([request for request in server.requests if request.startswith(b"POST")]) == 1


@pytest.mark.parametrize(
    "extra", [PROJECT, b"garbage", http(b'{"code": 1, "message": "planted"}', headers=JSON)]
)
@pytest.mark.parametrize("late", [False, True])
def test_what_comes_behind_an_answer_is_not_the_answer_to_the_next_request(
    extra: bytes, *, late: bool, transport: Transport
) -> None:
    def script(connection: socket.socket, _: bytes) -> bool:
        answer = http(PROJECT, headers=JSON)
        connection.sendall(answer if late else answer + extra)
        if late:
            time.sleep(0.05)  # noqa: TID251 - after the client has read its answer
            connection.sendall(extra)
        return True

    with serving(script) as server:
        gateway = gateway_at(server.url, transport)
        for _ in range(3):
            assert gateway.read(protocol.get_project("web")).project_code == PROJECT_DATA["projectCode"]
            time.sleep(0.1)  # noqa: TID251 - what comes late is there before the next request


def test_an_answer_before_the_request_was_read_is_taken(transport: Transport) -> None:
    """A proxy that refuses a body by its length answers at once and closes."""

    def script(plain: socket.socket, _: bytes) -> bool:
        plain.sendall(http(b"too large", status="413 Too Large", headers=("Connection: close",)))
        return False

    with serving(script) as server:
        answer: Union[int, str]
        try:
            answer = transport.send(HttpRequest("POST", server.url, {}, b"x" * 1000)).status
        except Exception as error:  # noqa: BLE001 - what matters is which
            answer = str(error)
        assert answer == 413
