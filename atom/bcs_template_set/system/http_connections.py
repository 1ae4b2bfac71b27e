"""Kept connections through `requests`, and every failure translated into `NotSent` or `NoAnswer`.

Whether a request was sent is not guessed from an exception's type: the connections (`http_pools.py`) note
when the first byte of a request is handed to a socket. They also give every wait on a socket the time that
the request has left, so that an answer that trickles in byte by byte ends in time too, and nothing has to end
it from another thread, which could meet the connection in its next request.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from http.client import HTTPException
from typing import TYPE_CHECKING, Callable, Optional, Union, cast
from urllib.parse import urlsplit

from requests import PreparedRequest  # noqa: TID251 - one of the two importers
from urllib3.connection import HTTPConnection  # noqa: TID251 - as above
from urllib3.exceptions import HTTPError, ProxyError  # noqa: TID251 - as above
from urllib3.exceptions import TimeoutError as PoolTimeout  # noqa: TID251 - as above

from bcs_template_set.messages import Text, say
from bcs_template_set.system.allowed_addresses import address_of, allowed_addresses
from bcs_template_set.system.http_pools import Adapter, Attempt, Pool, current, server_of
from bcs_template_set.system.http_values import (
    HttpAnswer,
    HttpRequest,
    NoAnswer,
    NotSent,
    Obstacle,
    Unusable,
    read_first,
    read_whole,
)
from bcs_template_set.system.parallel import only_wait, overlap
from bcs_template_set.system.proxies import proxy_of
from bcs_template_set.system.version import step_version

if TYPE_CHECKING:
    from bcs_template_set.system.http_client import Transport

# --- sending --------------------------------------------------------------------------------------------


class Connections:
    """The kept connections of one `Transport`."""

    def __init__(self, transport: Transport, *, environ: Mapping[str, str]) -> None:
        self._transport = transport
        self._refuses = transport.refuses
        self._read_timeout = transport.read_timeout
        self._environ = environ
        self._headers = {"User-Agent": f"bcs-template-set/{step_version()}", "Accept-Encoding": "gzip"}
        self._adapter = Adapter(size=transport.connections, ca_bundle=transport.ca_bundle, environ=environ)
        self._ways: dict[str, dict[str, str]] = {}

    def exchange(
        self, request: HttpRequest, *, remaining: Callable[[], float], first: Optional[int] = None
    ) -> HttpAnswer:
        """Send a request and return its whole answer, or the `first` bytes of it.

        Raises:
            NotSent, NoAnswer: see `http_client.py`.
        """
        is_last = first is not None
        attempt = Attempt(remaining, self._read_timeout, request.most, last=is_last, refuses=self._refuses)
        current.attempt = attempt
        try:
            return self._exchange(self._prepared(request), attempt, first)
        except ValueError:  # an error of `requests` or urllib3 about an address or a header is one too
            # Its text, and any exception chained to it, may quote a header: that is where secrets are.
            invalid = Unusable("request_invalid", kind="invalid")
            raise failure_of(invalid, sent=attempt.sent, url=request.url) from None
        except (HTTPError, HTTPException, OSError, Unusable) as exc:
            raise failure_of(exc, sent=attempt.sent, url=request.url) from exc
        finally:
            del current.attempt

    def connect(self, url: str, *, count: int, remaining: Callable[[], float]) -> None:
        """See to it that so many connections to a server are open; what fails, the next request tells."""
        current.attempt = Attempt(remaining, self._read_timeout, refuses=self._refuses)
        with suppress(ValueError, HTTPError, OSError, Unusable):
            request = self._prepared(HttpRequest("GET", url))  # to find the way by: it is never sent
            proxies = self._way(request, current.attempt)
            pool = cast("Pool", self._adapter.get_connection_with_tls_context(request, proxies=proxies))
            opening = partial(self._keep, pool, remaining=remaining)
            connections = pool.take(count)
            overlap([partial(opening, connection) for connection in connections], concurrency=count)

    def _keep(self, pool: Pool, connection: HTTPConnection, *, remaining: Callable[[], float]) -> None:
        current.attempt = Attempt(remaining, self._read_timeout, refuses=self._refuses)
        current.attempt.proxied = pool.proxy is not None
        only_wait()
        pool.keep(connection, seconds=min(self._transport.connect_timeout, current.attempt.patience()))

    def close(self) -> None:
        """Close all connections."""
        self._adapter.close()

    def _prepared(self, request: HttpRequest) -> PreparedRequest:
        """Return what is sent: our headers only, and no credentials that an address holds."""
        prepared = PreparedRequest()
        prepared.prepare_method(request.method)
        prepared.prepare_url(request.url, None)
        prepared.prepare_headers({**self._headers, **request.headers})
        prepared.prepare_body(request.body, None)
        return prepared

    def _exchange(self, request: PreparedRequest, attempt: Attempt, first: Optional[int]) -> HttpAnswer:
        proxies = self._way(request, attempt)
        patience = attempt.patience()
        with self._adapter.send(
            request,
            timeout=(min(self._transport.connect_timeout, patience), patience),
            proxies=proxies,
        ) as response:
            if request.method == "HEAD":  # its headers tell of a body that does not come
                body = response.raw.read()
            elif first is None:
                body = read_whole(response.raw, most=attempt.most)
            else:
                body = read_first(response.raw, most=first, whole=attempt.most)
        headers = {name.lower(): value for name, value in response.headers.items()}
        return HttpAnswer(
            status=response.status_code,
            headers=headers,
            body=body,
            peer=attempt.peer,
            tls=attempt.tls,
            valid_until=attempt.valid_until,
        )

    def _way(self, request: PreparedRequest, attempt: Attempt) -> dict[str, str]:
        """Return the proxy to use, as `requests` takes it, if the attempt may go where it goes.

        Raises:
            Unusable, OSError: it may not, or there is no way.
        """
        url = str(request.url)
        proxies = self._proxies(request, url)
        attempt.proxied = bool(proxies)
        self._look_past_a_proxy(url, attempt)
        return proxies

    def _proxies(self, request: PreparedRequest, url: str) -> dict[str, str]:
        """Return the proxy to use, as `requests` takes it: always the same on the way to a server.

        Raises:
            Unusable: what should be one is none.
        """
        server = server_of(url)
        if server not in self._ways:
            proxy = proxy_of(url, self._environ) if self._transport.proxy is None else self._transport.proxy
            self._ways[server] = self._checked(request, proxy) if proxy else {}
        return self._ways[server]

    def _checked(self, request: PreparedRequest, proxy: str) -> dict[str, str]:
        proxies = {"all": proxy}
        try:
            self._adapter.get_connection_with_tls_context(request, proxies=proxies)
        except ValueError as exc:
            # Chained, its text would show the proxy's address, with its credentials.
            raise Unusable("proxy", kind="proxy", problem=type(exc).__name__) from None
        return proxies

    def _look_past_a_proxy(self, url: str, attempt: Attempt) -> None:
        """Refuse what a proxy would reach for us, as far as its name can be resolved here."""
        if attempt.refuses is None or not attempt.proxied:
            return
        with suppress(OSError):  # a name that only the proxy knows
            found = allowed_addresses(str(urlsplit(url).hostname), None, refuses=attempt.refuses)
            attempt.peer = address_of(found[0])


# --- what went wrong ------------------------------------------------------------------------------------

_OBSTACLES: tuple[tuple[tuple[type[BaseException], ...], Obstacle, str], ...] = (
    ((ssl.SSLCertVerificationError,), "certificate", "certificate"),
    ((socket.gaierror,), "name", "name_unknown"),
    ((ConnectionRefusedError,), "refused", "refused"),
    ((socket.timeout, TimeoutError, PoolTimeout), "timeout", "connect_timeout"),
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
        return NoAnswer(error.problem, error.kind) if sent else NotSent(error.problem, error.kind)
    causes = list(_causes(error))
    if sent:
        return _loss(causes)
    kind, problem = _obstacle(causes, host=urlsplit(url).hostname)
    if any(isinstance(cause, ProxyError) for cause in causes):
        return NotSent(say("transport.proxy", problem=problem), "proxy")
    return NotSent(problem, kind)


def _obstacle(causes: list[BaseException], *, host: Optional[str]) -> tuple[Obstacle, Text]:
    for types, kind, name in _OBSTACLES:
        for cause in causes:
            if isinstance(cause, types):
                known_kind, known_name = _finer(cause) or (kind, name)
                return known_kind, say(f"transport.{known_name}", host=host, problem=_words(cause))
    return "other", say("transport.other", problem=_words(causes[-1]))


def _finer(cause: BaseException) -> Optional[tuple[Obstacle, str]]:
    """Return what OpenSSL knows more precisely, None where it does not."""
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _CERTIFICATES.get(cause.verify_code)
    return _HANDSHAKES.get(cause.reason) if isinstance(cause, ssl.SSLError) else None


def _loss(causes: list[BaseException]) -> NoAnswer:
    timeouts = (socket.timeout, TimeoutError, PoolTimeout)
    if any(isinstance(cause, timeouts) for cause in causes):
        return NoAnswer(say("transport.read_timeout"), "timeout")
    return NoAnswer(say("transport.lost", problem=_words(causes[-1])))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that it wraps, the innermost last.

    `requests` and urllib3 wrap by cause, by context and by argument.
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
    """Return what an error says, without the objects and addresses that libraries put around it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return error.reason or type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    refused = re.match("Tunnel connection failed: ([0-9]+)", str(error))
    if refused:  # http.client's words for a proxy that answered
        return f"HTTP {refused[1]}"
    return type(error).__name__
