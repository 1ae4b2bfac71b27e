"""Requests under way, connections that know the one they carry, and the pools of `requests` that keep them.

Connections note when the first byte of a request is handed to a socket, and give every wait on a socket the
time that the request has left; each byte of an answer is counted as it comes in.
"""

from __future__ import annotations

import io
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import field
from http.client import HTTPResponse, IncompleteRead
from typing import Any, Callable, Optional, cast
from urllib.parse import unquote, urlsplit

from requests import PreparedRequest, Response  # noqa: TID251 - one of the two importers
from requests.adapters import HTTPAdapter  # noqa: TID251 - as above
from urllib3 import ProxyManager, make_headers  # noqa: TID251 - as above
from urllib3.connection import HTTPConnection, HTTPSConnection  # noqa: TID251 - as above
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool  # noqa: TID251 - as above

from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.system.allowed_addresses import allowed_addresses, connected
from bcs_template_set.system.authorities import trusting
from bcs_template_set.system.http_values import LARGEST_BODY, Unusable
from bcs_template_set.system.proxies import without_credentials

AROUND = 2
"""How many times its body's bytes an answer may have: with headers, and what is around the body's pieces."""

SHORTEST_WAIT = 0.001
"""Seconds; a socket's timeout of 0 would mean "do not wait"."""


@dataclass
class Attempt:
    """One request under way in one thread: the time it has left, and whether its first byte went out.

    `most` is how many bytes the body of its answer may have.
    `last` tells that its connection is not to be used again. Where `refuses` is given, `peer` is the address
    that it allowed and that the request went to, or would have gone to if there were no proxy. `tls` and
    `valid_until` are those of the answer (http_values.py).
    """

    remaining: Callable[[], float]
    read_timeout: float
    most: int = LARGEST_BODY
    last: bool = False
    sent: bool = False
    refuses: Optional[Callable[[str], bool]] = None
    proxied: bool = field(init=False)
    peer: str = ""
    tls: str = ""
    valid_until: float = 0.0

    def patience(self) -> float:
        """Return the seconds that the next wait on the socket may take."""
        left = self.remaining()
        if left <= 0:
            raise socket.timeout
        return max(SHORTEST_WAIT, min(self.read_timeout, left))


class _Current(threading.local):
    """The attempt of this thread. There is one whenever a connection is at work."""

    attempt: Attempt


current = _Current()


class _TimedReader(io.RawIOBase):
    """A socket's incoming bytes, each wait bounded by what the request has left; `ended` at their end.

    All bytes of an answer are counted: chunks' sizes, trailers and interim answers can be as endless as a
    body, and a chunk of the size -1 would be read to the end of the connection.
    """

    def __init__(self, sock: socket.socket, attempt: Attempt) -> None:
        self._sock = sock
        self._attempt = attempt
        self._file = sock.makefile("rb", buffering=0)
        self._room = AROUND * attempt.most

    def makefile(self, _: str) -> io.BufferedReader:
        """Return what http.client reads an answer from, which takes this for the socket."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - RawIOBase's own signature
        self._sock.settimeout(self._attempt.patience())
        # None would be "not yet", of a socket that does not wait.
        count = cast("int", self._file.readinto(buffer))
        self.ended = count == 0
        self._room -= count
        if self._room < 0:
            raise Unusable("too_large", limit=AROUND * self._attempt.most)
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


class TimedResponse(HTTPResponse):
    """An answer that is read through a `_TimedReader`, and whose headers are whole."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - passed through
        self._attempt = current.attempt
        self._reader = _TimedReader(sock, self._attempt)
        as_socket = cast("socket.socket", self._reader)  # it is one as far as http.client uses it here
        super().__init__(as_socket, *args, **kwargs)

    def begin(self) -> None:
        """Read the headers."""
        super().begin()
        if self._reader.ended:  # http.client takes the end for an empty line
            raise IncompleteRead(b"")
        if self._attempt.last:
            self.will_close = True


# --- the connections ----------------------------------------------------------------------------------


class _Connection(HTTPConnection):
    """Notes on the current attempt when its first byte goes out; a CONNECT to a proxy does not count."""

    response_class = TimedResponse
    _opening = False

    def connect(self) -> None:
        self._opening = True
        try:
            super().connect()
        finally:
            self._opening = False

    def send(self, data: Any) -> None:  # noqa: ANN401 - http.client's own signature
        attempt = current.attempt
        if self.sock is None:
            self.connect()
        self.sock.settimeout(attempt.patience())  # for all of it, over TLS too
        attempt.sent = attempt.sent or not self._opening
        super().send(data)

    def _new_conn(self) -> socket.socket:
        """Return a socket that is connected: to an address that was looked at, where some are refused."""
        attempt = current.attempt
        if attempt.refuses is None or attempt.proxied:
            return super()._new_conn()
        made, attempt.peer = connected(
            allowed_addresses(self.host, self.port, refuses=attempt.refuses),
            seconds=cast("float", self.timeout),
        )
        return made


class _TlsConnection(_Connection, HTTPSConnection):
    """Knows what was agreed on when it was opened, and tells each attempt that gets an answer by it."""

    def connect(self) -> None:
        super().connect()
        made = cast("ssl.SSLSocket", self.sock)
        self._tls = str(made.version())
        self._valid_until = ssl.cert_time_to_seconds(cast("dict[str, str]", made.getpeercert())["notAfter"])

    @property
    def is_connected(self) -> bool:
        """Tell whether the server has kept it open; what came unasked may be TLS's own, as a ticket is."""
        if super().is_connected or self.sock is None:
            return self.sock is not None
        with suppress(OSError):
            self.sock.settimeout(0.0)
            try:
                self.sock.recv(1)
            except ssl.SSLWantReadError:
                return True
        return False

    def getresponse(self) -> Any:  # noqa: ANN401 - urllib3's answer
        current.attempt.tls, current.attempt.valid_until = self._tls, self._valid_until
        return super().getresponse()


class Pool(HTTPConnectionPool):
    """The kept connections to one server."""

    ConnectionCls = _Connection

    def take(self, count: int) -> list[HTTPConnection]:
        """Return connections that no request uses, open or not; each of them has to be `kept` again."""
        return [cast("HTTPConnection", self._get_conn()) for _ in range(count)]

    def keep(self, connection: HTTPConnection, *, seconds: float) -> None:
        """Open a connection that is not open, through its proxy where it has one, and keep it for a request.

        Each step may take so many seconds. It raises what stands in the way, and keeps it closed.
        """
        try:
            if connection.is_closed:
                connection.timeout = seconds
                if self.proxy is not None and self.scheme == "https":
                    self._prepare_proxy(connection)
                else:
                    connection.connect()
        except BaseException:
            connection.close()
            raise
        finally:
            self._put_conn(connection)


class _TlsPool(Pool, HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


def server_of(url: str) -> str:
    """Return what stands before the path of an address that `requests` has prepared."""
    return url[: url.find("/", len("https://"))]


_POOLS = {"http": Pool, "https": _TlsPool}


class Adapter(HTTPAdapter):
    """What sends: connections that note what was sent, and authorities of our own choice.

    A session of `requests` stands above its adapters: it would follow redirects, keep cookies, read `.netrc`
    and the environment, and take its share of a request's time. Nothing of it is wanted here.

    `size` is how many connections to a server are kept.
    """

    def __init__(self, *, size: int, ca_bundle: str, environ: Mapping[str, str]) -> None:
        super().__init__(pool_maxsize=size)
        self._size = size
        self.poolmanager.pool_classes_by_scheme = _POOLS
        self._ca_bundle = ca_bundle
        self._environ = environ
        self._context: Optional[ssl.SSLContext] = None
        self._last: tuple[Optional[str], Any] = (None, None)
        self._lock = threading.RLock()

    def close(self) -> None:
        """Close all connections, as a pool does that nobody holds."""
        self._last = (None, None)
        super().close()

    def get_connection_with_tls_context(self, request: PreparedRequest, *_: Any, **named: Any) -> Any:  # noqa: ANN401 - what `requests` and urllib3 agree on
        """Return the connections to a request's server; the last one's without reading its address again.

        Through which proxy these go is always the same.
        """
        last, found = self._last
        server = server_of(str(request.url))
        if last != server:
            found = super().get_connection_with_tls_context(request, verify=True, proxies=named["proxies"])
            self._last = (server, found)
        return found

    def build_connection_pool_key_attributes(self, request: PreparedRequest, *_: Any, **__: Any) -> Any:  # noqa: ANN401 - what `requests` and urllib3 agree on
        """Return where a request goes, and the context that verifies who is there."""
        server, _rest = super().build_connection_pool_key_attributes(request, verify=True)
        return server, {"ssl_context": self._trusted()} if server["scheme"] == "https" else {}

    def build_response(self, req: PreparedRequest, resp: Any) -> Response:  # noqa: ANN401 - urllib3's answer
        """Return status, headers and body alone, at a tenth of the time; nothing looks for cookies."""
        response = Response()
        response.request, response.raw = req, resp
        response.status_code, response.headers = resp.status, resp.headers
        return response

    def cert_verify(self, *_: object, **__: object) -> None:
        """Leave the context alone: `requests` would have certifi's authorities verify in its place."""

    def proxy_manager_for(self, proxy: str, **_: object) -> ProxyManager:
        """Return the connections through a proxy, the same for all threads.

        Raises:
            ValueError: that is no proxy's address; the text may quote its credentials.
        """
        with self._lock:
            made: Optional[ProxyManager] = self.proxy_manager.get(proxy)
            if made is None:
                context = self._trusted() if urlsplit(proxy).scheme == "https" else None
                made = self.proxy_manager[proxy] = ProxyManager(
                    without_credentials(proxy),
                    proxy_headers=self.proxy_headers(proxy),
                    maxsize=self._size,
                    proxy_ssl_context=context,  # for a tunnel
                    ssl_context=context,  # for plain HTTP with urllib3 2.6, the last for Python 3.9
                )
                made.pool_classes_by_scheme = _POOLS
            return made

    def proxy_headers(self, proxy: str) -> dict[str, str]:
        """Return a proxy's credentials as a header, also those without a password."""
        credentials = urlsplit(proxy).netloc.rpartition("@")[0]
        return dict(make_headers(proxy_basic_auth=unquote(credentials)))

    def _trusted(self) -> ssl.SSLContext:
        """Return the one context; plain HTTP needs none, and no bundle that can be read."""
        with self._lock:
            if self._context is None:
                self._context = trusting(self._ca_bundle, environ=self._environ)
            return self._context
