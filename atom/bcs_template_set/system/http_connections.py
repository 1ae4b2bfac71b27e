"""Kept connections, and every failure translated into `NotSent` or `NoAnswer`. Nobody else imports urllib3.

Whether a request was sent is not guessed from an exception's type (urllib3 1.26 calls a reset during the
answer "Cannot connect to proxy", and 2.x differs): the connections themselves note when the first byte of a
request is handed to a socket. They also give every wait on a socket the time that the request has left, so
that an answer that trickles in byte by byte ends in time too.
"""

from __future__ import annotations

import io
import os
import re
import socket
import ssl
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException, IncompleteRead
from http.client import HTTPResponse as PlainResponse
from typing import Any, Callable, Optional, Union
from urllib.parse import unquote, urlsplit

import urllib3  # noqa: TID251 - the one importer
from urllib3.connection import HTTPConnection, HTTPSConnection  # noqa: TID251 - the one importer
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool  # noqa: TID251 - the one importer
from urllib3.exceptions import HTTPError, ProxyError, ProxySchemeUnknown  # noqa: TID251 - the one importer
from urllib3.util.ssl_match_hostname import CertificateError  # noqa: TID251 - the one importer

from bcs_template_set.messages import Text, say
from bcs_template_set.system.allowed_addresses import address_of, allowed_addresses, connected
from bcs_template_set.system.http_body import Unusable, read_first, read_whole
from bcs_template_set.system.http_values import (
    LARGEST_BODY,
    HttpAnswer,
    HttpRequest,
    NoAnswer,
    NotSent,
    Obstacle,
)
from bcs_template_set.system.proxies import DECIDING, proxy_of, without_credentials

LARGEST_ANSWER = 2 * LARGEST_BODY
"""Bytes of an answer as they come: with its headers, and with what is around the pieces of its body."""

SHORTEST_WAIT = 0.001
"""Seconds; a socket's timeout of 0 would mean "do not wait"."""


@dataclass
class Attempt:
    """One request under way in one thread: the time it has left, and whether its first byte went out.

    `last` tells that its connection is not to be used again. `answer` is what came back, whole or not. Where
    `refuses` is given, `peer` is the address that it allowed and that the request went to, or would have gone
    to if there were no proxy.
    """

    remaining: Callable[[], float]
    read_timeout: float
    last: bool = False
    sent: bool = False
    answer: Optional[PlainResponse] = None
    refuses: Optional[Callable[[str], bool]] = None
    proxied: bool = False
    peer: str = ""

    def patience(self) -> float:
        """Return the seconds that the next wait on the socket may take."""
        left = self.remaining()
        if left <= 0:
            raise socket.timeout
        return max(SHORTEST_WAIT, min(self.read_timeout, left))


class _Current(threading.local):
    """The attempt of this thread. There is one whenever a connection is at work."""

    attempt: Attempt


_current = _Current()


# --- connections that know their request ----------------------------------------------------------------


class _TimedReader(io.RawIOBase):
    """A socket's incoming bytes, each wait bounded by what the request has left; `ended` at their end.

    All bytes of an answer are counted: chunks' sizes, trailers and interim answers can be as endless as a
    body, and a chunk of the size -1 would be read to the end of the connection.
    """

    def __init__(self, sock: socket.socket, attempt: Attempt) -> None:
        self._sock = sock
        self._attempt = attempt
        self._file = sock.makefile("rb", buffering=0)
        self._room = LARGEST_ANSWER
        self.ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> Optional[int]:  # noqa: ANN401 - RawIOBase's own signature
        self._sock.settimeout(self._attempt.patience())
        count = self._file.readinto(buffer)
        self.ended = count == 0
        self._room -= count or 0
        if self._room < 0:
            raise Unusable("too_large", limit=LARGEST_ANSWER)
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


class _TimedResponse(PlainResponse):
    """An answer that is read through a `_TimedReader`, and whose headers are whole."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - passed through
        super().__init__(sock, *args, **kwargs)
        self._attempt = _current.attempt
        self._attempt.answer = self
        self._reader = _TimedReader(sock, self._attempt)
        self.fp.close()
        self.fp = io.BufferedReader(self._reader)

    def begin(self) -> None:
        super().begin()
        if self._reader.ended:  # http.client takes the end for an empty line
            raise IncompleteRead(b"")
        if self._attempt.last:
            self.will_close = True


class _Connection(HTTPConnection):
    """Notes on the current attempt when its first byte goes out; a CONNECT to a proxy does not count."""

    response_class = _TimedResponse
    _opening = False

    def connect(self) -> None:
        self._opening = True
        try:
            super().connect()
        finally:
            self._opening = False
        self._note_sending()

    def send(self, data: Any) -> None:  # noqa: ANN401 - http.client's own signature
        if self.sock is not None and not self._opening:
            self._note_sending()
        super().send(data)

    def _new_conn(self) -> socket.socket:
        """Return a socket that is connected: to an address that was looked at, where some are refused."""
        attempt = _current.attempt
        if attempt.refuses is None or attempt.proxied:
            return super()._new_conn()
        made, attempt.peer = connected(
            allowed_addresses(self.host, self.port, refuses=attempt.refuses),
            seconds=attempt.patience() if self.timeout is None else self.timeout,
        )
        return made

    def _note_sending(self) -> None:
        self.sock.settimeout(_current.attempt.patience())
        _current.attempt.sent = True


class _TlsConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


_POOLS = {"http": _Pool, "https": _TlsPool}


# --- sending --------------------------------------------------------------------------------------------


class Connections:
    """The kept connections of one `Transport`."""

    def __init__(
        self,
        *,
        ca_bundle: str,
        connect_timeout: float,
        read_timeout: float,
        size: int,
        environ: Mapping[str, str],
        proxy: Optional[str],
        user_agent: str,
        refuses: Optional[Callable[[str], bool]] = None,
    ) -> None:
        self._refuses = refuses
        self._ca_bundle = ca_bundle
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._size = size
        self._environ = environ
        self._proxy = proxy
        self._headers = {"User-Agent": user_agent, "Accept-Encoding": "gzip"}
        self._lock = threading.Lock()
        self._managers: dict[tuple[str, str], urllib3.PoolManager] = {}

    def exchange(
        self, request: HttpRequest, *, remaining: Callable[[], float], first: Optional[int] = None
    ) -> HttpAnswer:
        """Send a request and return its whole answer, or the `first` bytes of it.

        Raises:
            NotSent, NoAnswer: see `http_client.py`.
        """
        attempt = Attempt(remaining, self._read_timeout, last=first is not None, refuses=self._refuses)
        _current.attempt = attempt
        try:
            return self._exchange(request, attempt, first)
        except (HTTPError, HTTPException, OSError, Unusable) as exc:
            raise failure_of(exc, sent=attempt.sent, url=request.url) from exc
        except ValueError:
            # Its text, and any exception chained to it, may quote a header: that is where secrets are.
            raise failure_of(Unusable("request_invalid", kind="invalid"), sent=attempt.sent, url="") from None
        finally:
            del _current.attempt
            if attempt.answer is not None:  # after a failure, urllib3 1.26 leaves it to the garbage collector
                attempt.answer.close()

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            managers, self._managers = self._managers, {}
        for manager in managers.values():
            manager.clear()

    def _exchange(self, request: HttpRequest, attempt: Attempt, first: Optional[int]) -> HttpAnswer:
        self._look_past_a_proxy(request.url, attempt)
        patience = attempt.patience()
        timeout = urllib3.Timeout(connect=min(self._connect_timeout, patience), read=patience)
        response = self._manager(request.url).urlopen(
            request.method,
            request.url,
            body=request.body,
            headers={**self._headers, **request.headers},
            timeout=timeout,
            retries=False,
            redirect=False,
            preload_content=False,
            decode_content=False,
        )
        whole = False
        try:
            if first is None:
                body = read_whole(response, most=LARGEST_BODY)
                whole = True
            else:
                body = read_first(response, most=first, whole=LARGEST_BODY)
        finally:
            if not whole:
                response.close()
            response.release_conn()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return HttpAnswer(status=response.status, headers=headers, body=body, peer=attempt.peer)

    def _look_past_a_proxy(self, url: str, attempt: Attempt) -> None:
        """Refuse what a proxy would reach for us, as far as its name can be resolved here."""
        attempt.proxied = bool(proxy_of(url, self._environ))
        if attempt.refuses is None or not attempt.proxied:
            return
        parts = urlsplit(url)
        try:
            found = allowed_addresses(parts.hostname or "", parts.port or 0, refuses=attempt.refuses)
            attempt.peer = address_of(found[0])
        except OSError:
            attempt.peer = ""  # a name that only the proxy knows

    def _manager(self, url: str) -> urllib3.PoolManager:
        scheme = urlsplit(url).scheme
        if scheme not in _POOLS:
            raise Unusable("request_invalid", kind="invalid")
        key = (proxy_of(url, self._environ) if self._proxy is None else self._proxy, scheme)
        with self._lock:
            if key not in self._managers:
                self._managers[key] = self._manager_through(*key)
            return self._managers[key]

    def _manager_through(self, proxy: str, scheme: str) -> urllib3.PoolManager:
        if not proxy:
            return self._make_manager("", scheme)
        try:
            return self._make_manager(proxy, scheme)
        except ValueError as exc:
            # Chained, its text would show the proxy's address, with its credentials.
            raise Unusable("proxy", kind="proxy", problem=type(exc).__name__) from None

    def _make_manager(self, proxy: str, scheme: str) -> urllib3.PoolManager:
        secure = "https" in (scheme, urlsplit(proxy).scheme)
        context = trusting(self._ca_bundle, environ=self._environ) if secure else None
        manager: urllib3.PoolManager
        if proxy:
            manager = urllib3.ProxyManager(
                without_credentials(proxy),
                proxy_headers=_proxy_authorization(proxy),
                maxsize=self._size,
                cert_reqs="CERT_REQUIRED",  # urllib3 1.26 would turn it off in the context it is given
                ssl_context=context,
                proxy_ssl_context=context,
            )
        else:
            manager = urllib3.PoolManager(maxsize=self._size, cert_reqs="CERT_REQUIRED", ssl_context=context)
        manager.pool_classes_by_scheme = _POOLS
        return manager


def _proxy_authorization(proxy: str) -> dict[str, str]:
    credentials = urlsplit(proxy).netloc.rpartition("@")[0]
    return dict(urllib3.make_headers(proxy_basic_auth=unquote(credentials))) if credentials else {}


def trusting(ca_bundle: str, *, environ: Mapping[str, str]) -> ssl.SSLContext:
    """Return a context that verifies servers, by `ca_bundle` alone, or by the system's authorities.

    OpenSSL reads the process's own variables; those that `environ` has not are out of its sight.

    Where the system has none to offer (some relocatable Pythons), certifi's are used.

    Raises:
        Unusable: `ca_bundle` is no file of PEM certificates.
    """
    try:
        with _hidden(name for name in DECIDING if name.isupper() and name not in environ):
            context = ssl.create_default_context(cafile=ca_bundle or None)
    except OSError as exc:
        raise Unusable("ca_bundle", kind="ca_bundle", file=ca_bundle, problem=_words(exc)) from exc
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # Python's default from 3.10 on
    if not ca_bundle and not context.cert_store_stats()["x509_ca"]:  # pragma: no cover - this Python has some
        import certifi  # noqa: PLC0415 - only where it is needed

        context.load_verify_locations(certifi.where())
    if not hasattr(urllib3, "BaseHTTPResponse"):  # pragma: no cover - urllib3 1.26, on CI's oldest Python
        # That one can't have ssl check an IP address, but then compares the certificate's names itself.
        context.check_hostname = False
    return context


@contextmanager
def _hidden(names: Iterable[str]) -> Iterator[None]:
    """Take variables out of the process's environment, and put them back."""
    taken = {name: os.environ.pop(name) for name in list(names) if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(taken)


# --- what went wrong ------------------------------------------------------------------------------------

_KINDS: tuple[tuple[tuple[type[BaseException], ...], Obstacle, str], ...] = (
    ((ssl.SSLCertVerificationError, CertificateError), "certificate", "certificate"),
    ((socket.gaierror,), "name", "name_unknown"),
    ((ConnectionRefusedError,), "refused", "refused"),
    ((socket.timeout, TimeoutError, urllib3.exceptions.TimeoutError), "timeout", "connect_timeout"),
    ((ssl.SSLError,), "tls", "tls"),
)
"""What is looked for among an error and its causes, in this order."""

_CERTIFICATES: Mapping[int, tuple[Obstacle, str]] = {
    9: ("expired", "certificate_early"),
    10: ("expired", "certificate_expired"),
    18: ("certificate", "certificate_self_signed"),
    19: ("certificate", "certificate_authority"),
    20: ("certificate", "certificate_authority"),
    21: ("certificate", "certificate_authority"),
    62: ("wrong_host", "certificate_host"),
    64: ("wrong_host", "certificate_host"),
}
"""OpenSSL's `X509_V_ERR_…` (x509_vfy.h), as `SSLCertVerificationError.verify_code` has them."""

_HANDSHAKES: Mapping[str, tuple[Obstacle, str]] = {
    **dict.fromkeys(("UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION"), ("old_tls", "tls_old")),
    **dict.fromkeys(("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"), ("tls", "tls_none")),
}
"""OpenSSL's reasons (sslerr.h) that say more than that there was no handshake."""


def failure_of(error: Exception, *, sent: bool, url: str) -> Union[NotSent, NoAnswer]:
    """Return what a library's error means, given whether a byte of the request was handed to a socket."""
    if isinstance(error, Unusable):
        return NoAnswer(error.problem) if sent else NotSent(error.problem, error.kind)
    causes = list(_causes(error))
    if sent:
        return NoAnswer(_loss(causes))
    kind, problem = _obstacle(causes, host=urlsplit(url).hostname or "")
    if any(isinstance(cause, (ProxyError, ProxySchemeUnknown)) for cause in causes):
        return NotSent(say("transport.proxy", problem=problem), "proxy")
    return NotSent(problem, kind)


def _obstacle(causes: list[BaseException], *, host: str) -> tuple[Obstacle, Text]:
    for types, kind, name in _KINDS:
        for cause in causes:
            if isinstance(cause, types):
                known_kind, known_name = _finer(cause) or (kind, name)
                return known_kind, say(f"transport.{known_name}", host=host, problem=_words(cause))
    return "other", say("transport.other", problem=_words(causes[-1]))


def _finer(cause: BaseException) -> Optional[tuple[Obstacle, str]]:
    """Return what OpenSSL knows more precisely, None where it does not."""
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _CERTIFICATES.get(cause.verify_code)
    if isinstance(cause, CertificateError):  # pragma: no cover - urllib3 1.26
        return "wrong_host", "certificate_host"
    return _HANDSHAKES.get(cause.reason or "") if isinstance(cause, ssl.SSLError) else None


def _loss(causes: list[BaseException]) -> Text:
    timeouts = (socket.timeout, TimeoutError, urllib3.exceptions.TimeoutError)
    if any(isinstance(cause, timeouts) for cause in causes):
        return say("transport.read_timeout")
    return say("transport.lost", problem=_words(causes[-1]))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that it wraps, the innermost last.

    urllib3 wraps by cause, by context and by argument.
    """
    seen: set[int] = set()
    waiting: list[BaseException] = [error]
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        wrapped = [*current.args, current.__cause__, current.__context__]
        waiting += [item for item in wrapped if isinstance(item, BaseException)]


def _words(error: BaseException) -> str:
    """Return what an error says, without the objects and addresses that urllib3 puts around it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, CertificateError):  # pragma: no cover - urllib3 1.26
        return str(error)
    if isinstance(error, ssl.SSLError):
        return error.reason or type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    refused = re.match("Tunnel connection failed: ([0-9]+)", str(error))
    if refused:  # http.client's words for a proxy that answered
        return f"HTTP {refused[1]}"
    return type(error).__name__
