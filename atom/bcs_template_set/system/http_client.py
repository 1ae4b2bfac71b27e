"""The one way out over HTTP, for whoever has a request to send. Knows nothing of BCS or BK-CI.

What every request gets: kept connections, TLS always verified, no redirect followed, no cookie kept, no
.netrc read, a proxy only where one is named, a plain User-Agent, and bounds on size and time.
What happened to it is told in three ways and no other: an `HttpAnswer`, `NotSent` or `NoAnswer`.
`http_connections.py`, imported with the first request, does the work.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Callable, Optional, cast

from bcs_template_set.system.clock import Clock, Deadline, SystemClock
from bcs_template_set.system.http_values import HttpAnswer, HttpRequest
from bcs_template_set.system.parallel import only_wait
from bcs_template_set.system.version import step_version

if TYPE_CHECKING:
    from bcs_template_set.system.http_connections import Connections


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
        def connect() -> Connections:
            from bcs_template_set.system.http_connections import Connections  # noqa: PLC0415 - costs 100 ms: on first use

            return Connections(
                ca_bundle=ca_bundle,
                connect_timeout=connect_timeout,
                read_timeout=read_timeout,
                size=connections,
                environ=os.environ if environ is None else environ,
                proxy=proxy,
                user_agent=f"bcs-template-set/{step_version()}",
                refuses=refuses,
            )

        self._connect = connect
        self._longest = connect_timeout + 2 * read_timeout
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._connections: Optional[Connections] = None
        self._is_closed = False

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
        deadline = Deadline(self._clock, seconds=min(seconds, self._longest))
        only_wait()
        connections = cast("Connections", self._open())
        return connections.exchange(request, remaining=deadline.remaining, first=first)

    def connect_ahead(self, url: str, *, count: int) -> None:
        """Begin to see to it, in the background, that so many connections to a server are open.

        No request is sent by that, and a failure is told by the first request alone.
        """
        deadline = Deadline(self._clock, seconds=self._longest)

        def connect() -> None:
            connections = self._open(unless_closed=True)
            if connections is not None:
                connections.connect(url, count=count, remaining=deadline.remaining)

        with suppress(RuntimeError):  # the machine allows no more threads
            threading.Thread(target=connect, name="connect", daemon=True).start()

    def close(self) -> None:
        """Close the kept connections; those that are being opened ahead do not stay either."""
        with self._lock:
            connections, self._connections, self._is_closed = self._connections, None, True
        if connections is not None:
            connections.close()

    def _open(self, *, unless_closed: bool = False) -> Optional[Connections]:
        with self._lock:
            if self._connections is None and not (unless_closed and self._is_closed):
                self._connections = self._connect()
            return self._connections
