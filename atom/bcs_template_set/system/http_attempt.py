"""One request under way, and its answer as it comes in: each wait bounded, each byte counted."""

from __future__ import annotations

import io
import socket
import threading
from http.client import HTTPResponse, IncompleteRead
from typing import Any, Callable, Optional, cast

from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.system.http_body import Unusable
from bcs_template_set.system.http_values import LARGEST_BODY

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
    proxied: bool = False
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
        self.ended = False

    def makefile(self, _: str) -> io.BufferedReader:
        """Return what http.client reads an answer from, which takes this for the socket."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> Optional[int]:  # noqa: ANN401 - RawIOBase's own signature
        self._sock.settimeout(self._attempt.patience())
        count = self._file.readinto(buffer)
        self.ended = count == 0
        self._room -= count or 0
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
