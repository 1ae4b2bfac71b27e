"""Reading a body from any response, also one of a library that does not check what it reads."""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Callable

import pytest

from bcs_template_set.system.http_values import Unusable, read_first, read_whole


@dataclass(frozen=True)
class Lax:
    """A response that ends where its bytes end, as a library would have it that does not count."""

    body: io.BytesIO
    headers: Mapping[str, str]

    def read(self, amt: int, *, decode_content: bool) -> bytes:
        assert not decode_content
        return self.body.read(amt)


Way = Callable[[Lax], bytes]
WAYS: tuple[Way, ...] = (
    lambda lax: read_whole(lax, most=100),
    lambda lax: read_first(lax, most=100, whole=100),
)


@pytest.mark.parametrize("read", WAYS)
@pytest.mark.parametrize("announced", ["5", "05", "9" * 30])
def test_a_body_that_is_shorter_than_announced_is_no_answer(read: Way, announced: str) -> None:
    with pytest.raises(Unusable):
        read(Lax(io.BytesIO(b"abcd"), {"content-length": announced}))


@pytest.mark.parametrize("read", WAYS)
def test_a_body_of_the_announced_length_is_taken(read: Way) -> None:
    assert read(Lax(io.BytesIO(b"abcd"), {"content-length": "4"})) == b"abcd"


@pytest.mark.parametrize("read", WAYS)
def test_a_compressed_body_that_breaks_off_is_no_answer(read: Way) -> None:
    with pytest.raises(Unusable):
        read(Lax(io.BytesIO(zlib.compress(b"abcd")[:-1]), {"content-encoding": "deflate"}))
