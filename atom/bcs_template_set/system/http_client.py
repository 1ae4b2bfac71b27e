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
from dataclasses import field
from typing import TYPE_CHECKING, Callable, Optional, cast

from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.system.clock import Clock, Deadline, SystemClock
from bcs_template_set.system.http_values import HttpAnswer, HttpRequest
from bcs_template_set.system.parallel import only_wait

if TYPE_CHECKING:
    from bcs_template_set.system.http_connections import Connections


@dataclass(eq=False)
class Transport:
    """Sends requests. Any number of threads may use one; `connections` of them get a kept connection.

    Timeouts are in seconds; `read_timeout` counts from one piece of an answer to the next, and a whole
    request may take `connect_timeout` and twice `read_timeout`. `ca_bundle` is a PEM file to trust in place
    of the system's authorities. `environ` is the environment to obey: of variables about proxies and
    certificates that are not in it, none counts. `proxy` comes before it, and "" is none. `refuses` tells of
    an address whether nothing may be sent to it; it is asked of what a name resolves to, and what it has
    allowed is what is connected to.
    """

    ca_bundle: str = ""
    connect_timeout: float = 5.0
    read_timeout: float = 65.0
    connections: int = 8
    clock: Clock = field(default_factory=SystemClock)
    environ: Optional[Mapping[str, str]] = field(default=None, repr=False)
    proxy: Optional[str] = field(default=None, repr=False)
    refuses: Optional[Callable[[str], bool]] = None

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: Optional[Connections] = None
        self._is_closed = False

    @property
    def _longest(self) -> float:
        return self.connect_timeout + 2 * self.read_timeout

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
        deadline = Deadline(self.clock, seconds=min(seconds, self._longest))
        only_wait()
        connections = cast("Connections", self._open())
        return connections.exchange(request, remaining=deadline.remaining, first=first)

    def connect_ahead(self, url: str, *, count: int) -> None:
        """Begin to see to it, in the background, that so many connections to a server are open.

        No request is sent by that, and a failure is told by the first request alone.
        """
        deadline = Deadline(self.clock, seconds=self._longest)

        def connect() -> None:
            connections = self._open(unless_closed=True)
            if connections is not None:
                connections.connect(url, count=count, remaining=deadline.remaining)

        with suppress(RuntimeError):  # the machine allows no more threads
            threading.Thread(target=connect, name="connect", daemon=True).start()

    def close(self) -> None:
        """Close the kept connections; those that are being opened ahead do not stay either."""
        with self._lock:
            connections, self._kept, self._is_closed = self._kept, None, True
        if connections is not None:
            connections.close()

    def _open(self, *, unless_closed: bool = False) -> Optional[Connections]:
        from bcs_template_set.system.http_connections import Connections  # noqa: PLC0415 - costs 100 ms: on first use

        with self._lock:
            if self._kept is None and not (unless_closed and self._is_closed):
                self._kept = Connections(self, environ=os.environ if self.environ is None else self.environ)
            return self._kept
