"""The one way out over HTTP, for whoever has a request to send. Knows nothing of BCS or BK-CI.

What every request gets: kept connections, TLS always verified, no redirect followed, no cookie kept, no
.netrc read, a proxy only where one is named, a plain User-Agent, and bounds on size and time.
What happened to it is told in three ways and no other: an `HttpAnswer`, `NotSent` or `NoAnswer`.
`connections.py`, imported with the first request, does the work.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Callable, Literal, Optional, Union

from bcs_template_set.clock import Clock, Deadline, SystemClock
from bcs_template_set.messages import Text
from bcs_template_set.version import step_version

if TYPE_CHECKING:
    from bcs_template_set.connections import Connections

LARGEST_BODY = 10 * 1024 * 1024
"""Bytes of an answer, as sent and as decompressed."""

# fmt: off
Kind = Literal[
    "refused", "name", "timeout", "tls", "proxy", "other",
    "certificate", "expired", "wrong_host", "ca_bundle", "old_tls", "invalid", "address",
]
# fmt: on
"""What was in the way. `certificate` is one that nobody trusted here has signed, `address` a refused one."""

LASTING: frozenset[Kind] = frozenset(
    ("certificate", "expired", "wrong_host", "ca_bundle", "old_tls", "invalid", "address")
)
"""The ones that trying again can't change."""


@dataclass(frozen=True)
class HttpRequest:
    """A request. Headers and body are not in its `repr`: they may hold secrets."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Optional[bytes] = field(default=None, repr=False)


@dataclass(frozen=True)
class HttpAnswer:
    """An answer, whole unless less was asked for, and decompressed. Header names are lower case.

    `peer` is the address that it came from, where the transport refuses some; "" where nobody knows.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    peer: str = ""


class NotSent(Exception):
    """Not one byte of the request reached a server; `kind` says what was in the way."""

    def __init__(self, problem: Union[Text, str], kind: Kind = "other") -> None:
        super().__init__()
        self.problem = problem
        self.kind: Kind = kind

    def __str__(self) -> str:
        return f"not sent ({self.kind}): {self.problem}"


class NoAnswer(Exception):
    """The request may have reached a server, and no whole answer came back."""

    def __init__(self, problem: Union[Text, str]) -> None:
        super().__init__()
        self.problem = problem

    def __str__(self) -> str:
        return f"no answer: {self.problem}"


class Transport:
    """Sends requests. Any number of threads may use one; `connections` of them get a kept connection.

    Timeouts are in seconds; `read_timeout` counts from one piece of an answer to the next, and a whole
    request may take `connect_timeout` and twice `read_timeout`. `ca_bundle` is a PEM file to trust in place
    of the system's authorities. `environ` is the environment to obey: of variables about proxies and
    certificates that are not in it, none counts. `proxy` comes before it, and "" is none. `refuses` tells of
    an address whether nothing may be sent to it; it is asked of what a name resolves to, and what it has
    allowed is what is connected to.
    """

    def __init__(
        self,
        *,
        ca_bundle: str = "",
        connect_timeout: float = 5.0,
        read_timeout: float = 65.0,
        connections: int = 8,
        clock: Optional[Clock] = None,
        environ: Optional[Mapping[str, str]] = None,
        proxy: Optional[str] = None,
        refuses: Optional[Callable[[str], bool]] = None,
    ) -> None:
        self._ca_bundle = ca_bundle
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._size = connections
        self._clock = clock or SystemClock()
        self._environ = os.environ if environ is None else environ
        self._proxy = proxy
        self._refuses = refuses
        self._lock = threading.Lock()
        self._connections: Optional[Connections] = None

    def send(
        self, request: HttpRequest, *, seconds: float = float("inf"), first: Optional[int] = None
    ) -> HttpAnswer:
        """Send a request within `seconds` and return the answer, whatever its status.

        `first` is how many bytes of its body are wanted: the others are read and thrown away, and the
        connection is closed afterwards.

        Raises:
            NotSent: no connection, or the request is none that HTTP allows.
            NoAnswer: it was sent, and no whole answer came back in time.
        """
        whole = self._connect_timeout + 2 * self._read_timeout
        deadline = Deadline(self._clock, seconds=min(seconds, whole))
        return self._open().exchange(request, remaining=deadline.remaining, first=first)

    def close(self) -> None:
        """Close the kept connections."""
        with self._lock:
            connections, self._connections = self._connections, None
        if connections is not None:
            connections.close()

    def _open(self) -> Connections:
        with self._lock:
            if self._connections is None:
                from bcs_template_set.connections import Connections  # noqa: PLC0415 - costs 50 ms: on first use

                self._connections = Connections(
                    ca_bundle=self._ca_bundle,
                    connect_timeout=self._connect_timeout,
                    read_timeout=self._read_timeout,
                    size=self._size,
                    environ=self._environ,
                    proxy=self._proxy,
                    user_agent=f"bcs-template-set/{step_version()}",
                    refuses=self._refuses,
                )
            return self._connections
