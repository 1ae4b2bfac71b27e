"""An answer's body, read whole within its bounds and decompressed. Performs no I/O but reading its source."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from typing import Protocol

from bcs_template_set.messages import say
from bcs_template_set.system.http_values import Obstacle

PIECE = 64 * 1024
SHOWN = 100
"""Characters of a header's text in a message."""


class Unusable(Exception):
    """Something we refuse ourselves; `name` is its sentence in the catalogue's `transport` area."""

    def __init__(self, name: str, *, kind: Obstacle = "other", **fields: object) -> None:
        super().__init__(name)
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
    body, wanted = bytearray(), most
    for piece in _pieces(response, most=whole):
        if wanted > 0 and len(body) < most:
            body += decoder.decode(piece[:wanted], most=most - len(body))
            wanted -= len(piece)
    if wanted > 0 and len(body) < most:
        decoder.finish()
    return bytes(body)


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
    """Return how long a body says it is, 0 where it does not; as large as a number may be if it is larger."""
    length = (headers.get("content-length") or "").strip()
    if "transfer-encoding" in headers or not re.fullmatch("[0-9]+", length):
        return 0
    return int(length[-18:]) if len(length.lstrip("0")) <= 18 else 10**18  # noqa: PLR2004 - digits of 10**18


class _Decoder:
    """Undoes gzip or deflate with a bound on what comes out, which urllib3 does not give."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding.strip().lower()
        if self._encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise Unusable("encoding", encoding=self._encoding[:SHOWN])
        plain = self._encoding in ("", "identity")
        self._zlib = None if plain else zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)

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
