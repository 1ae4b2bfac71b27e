"""What a request, an answer, its body and a failure to get one are, as values. Performs no I/O."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Literal, Optional, Protocol, Union

from bcs_template_set.messages import Text, say
from bcs_template_set.records.late_dataclass import dataclass

LARGEST_BODY = 10_485_760
"""Bytes (10 MiB) of an answer, as sent and as decompressed."""

LARGEST_LIST = 67_108_864
"""Bytes (64 MiB) of a list that grows with the past, and that has no pages (facts/bcs.md, trap 20)."""

# fmt: off
Obstacle = Literal[
    "refused", "name", "timeout", "tls", "proxy", "other",
    "certificate", "expired", "wrong_host", "ca_bundle", "old_tls", "invalid", "address",
]
# fmt: on
"""What was in the way. `certificate` is one that nobody trusted here has signed, `address` a refused one."""

LASTING: frozenset[Obstacle] = frozenset(
    ("certificate", "expired", "wrong_host", "ca_bundle", "old_tls", "invalid", "address")
)
"""The ones that trying again can't change."""


@dataclass(frozen=True)
class HttpRequest:
    """A request. Headers and body are not in its `repr`: they may hold secrets.

    `most` is how many bytes the body of its answer may have.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Optional[bytes] = field(default=None, repr=False)
    most: int = LARGEST_BODY


@dataclass(frozen=True)
class HttpAnswer:
    """An answer, whole unless less was asked for, and decompressed. Header names are lower case.

    `peer` is the address that it came from, where the transport refuses some; "" where nobody knows. `tls` is
    the version of TLS that it came by, "" for none, and `valid_until` when the server's certificate ends.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    peer: str = ""
    tls: str = ""
    valid_until: float = 0.0


class _Failed(Exception):
    """That no whole answer came; `kind` says what was in the way."""

    def __init__(self, problem: Union[Text, str], kind: Obstacle = "other") -> None:
        self.problem = problem
        self.kind: Obstacle = kind


class NotSent(_Failed):
    """Not one byte of the request reached a server."""

    def __str__(self) -> str:
        return f"not sent ({self.kind}): {self.problem}"


class NoAnswer(_Failed):
    """The request may have reached a server, and no whole answer came back."""

    def __str__(self) -> str:
        return f"no answer: {self.problem}"


# --- an answer's body ---------------------------------------------------------------------------------


PIECE = 65_536
SHOWN = 100
"""Characters of a header's text in a message."""


class Unusable(Exception):
    """Something we refuse ourselves; `name` is its sentence in the catalogue's `transport` area."""

    def __init__(self, name: str, *, kind: Obstacle = "other", **fields: object) -> None:
        self.kind: Obstacle = kind
        self.problem = say(f"transport.{name}", **fields)


class Response(Protocol):
    """urllib3's response, as far as it is used here."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Return the headers, whose names are found in any case."""
        ...

    def read(self, amt: int, *, decode_content: bool) -> bytes:
        """Return up to `amt` bytes, none at the end."""
        ...


def read_whole(response: Response, *, most: int) -> bytes:
    """Return an answer's body, decompressed.

    Raises:
        Unusable: it is larger than `most`, cut short, or compressed in a way we did not ask for.
    """
    decoder = _Decoder(response.headers.get("content-encoding") or "")
    if _announced(response.headers) > most:
        raise Unusable("too_large", limit=most)
    body = bytearray()
    for piece in _pieces(response, most=most):
        body += decoder.decode(piece, most=most + 1 - len(body))
        if len(body) > most:
            raise Unusable("too_large", limit=most)
    decoder.finish()
    return bytes(body)


def read_first(response: Response, *, most: int, whole: int) -> bytes:
    """Return the first `most` bytes of an answer's body, decompressed, once all of it has come.

    What comes after them is counted and thrown away. Raises as `read_whole` does, where more than `whole`
    bytes come.
    """
    decoder = _Decoder(response.headers.get("content-encoding") or "")
    body = bytearray()
    for piece in _pieces(response, most=whole):
        if len(body) < most:
            body += decoder.decode(piece, most=most)
    if len(body) < most:
        decoder.finish()
    return bytes(body[:most])


def _pieces(response: Response, *, most: int) -> Iterator[bytes]:
    """Yield an answer's body as it comes, to its end.

    Raises:
        Unusable: it is larger than `most`, or shorter than announced.
    """
    received = 0
    while piece := response.read(PIECE, decode_content=False):
        received += len(piece)
        if received > most:
            raise Unusable("too_large", limit=most)
        yield piece
    announced = _announced(response.headers)
    if received < announced:
        raise Unusable("cut_short", received=received, announced=announced)


def _announced(headers: Mapping[str, str]) -> int:
    """Return how long a body says it is, 0 where it does not; of more digits than any body's, the first."""
    length = str(headers.get("content-length")).strip()
    if "transfer-encoding" in headers or not re.fullmatch("[0-9]+", length):
        return 0
    return int(length.lstrip("0")[:18] or 0)


class _Decoder:
    """Undoes gzip or deflate with a bound on what comes out, which urllib3 does not give."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding.strip().lower()
        if self._encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise Unusable("encoding", encoding=self._encoding[:SHOWN])
        plain = self._encoding in ("", "identity")
        self._zlib = None if plain else zlib.decompressobj(wbits=zlib.MAX_WBITS + 32)

    def decode(self, piece: bytes, *, most: int) -> bytes:
        if self._zlib is None:
            return piece
        try:
            return self._zlib.decompress(piece, most)
        except zlib.error as exc:
            raise Unusable("encoding", encoding=self._encoding[:SHOWN]) from exc

    def finish(self) -> None:
        if self._zlib is not None and not self._zlib.eof:
            raise Unusable("encoding", encoding=self._encoding[:SHOWN])
