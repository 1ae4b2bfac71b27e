"""Reading a body from any response, also one of a library that does not check what it reads."""

from __future__ import annotations

import gzip
import io
import random
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Optional

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


def read(body: bytes, headers: Mapping[str, str], *, most: int, first: Optional[int] = None) -> bytes | str:
    """Return a body, or its `first` bytes; or what is wrong with it."""
    response = Lax(io.BytesIO(body), headers)
    try:
        if first is not None:
            return read_first(response, most=first, whole=most)
        return read_whole(response, most=most)
    except Unusable as exc:
        return exc.problem.render("en_US")


MANY = b"a" * 200_000
PACKED = gzip.compress(MANY, mtime=0)
SMALL = gzip.compress(b"abcd", mtime=0)
LARGE = random.Random(7).randbytes(150_000)  # noqa: S311 - no secret
"""More pieces than one, and the same where it is compressed."""


@pytest.mark.parametrize(
    ("body", "headers", "found"),
    [
        (b"abcd", {"content-length": "4"}, b"abcd"),
        (b"abcd", {}, b"abcd"),
        (b"abcd", {"content-length": "x"}, b"abcd"),
        (b"abcd", {"content-length": "9", "transfer-encoding": "chunked"}, b"abcd"),
        (b"abcd", {"content-length": "5"}, "the answer ends after 4 of 5 bytes"),
        (b"abcd", {"content-length": " " + "0" * 20 + "5"}, "the answer ends after 4 of 5 bytes"),
        (b"", {"content-length": "0"}, b""),
        (b"", {}, b""),
        (b"abcd", {"content-encoding": "identity"}, b"abcd"),
        (SMALL, {"content-encoding": "gzip"}, b"abcd"),
        (SMALL, {"content-encoding": " X-GZIP "}, b"abcd"),
        (zlib.compress(b"abcd"), {"content-encoding": "deflate"}, b"abcd"),
        (SMALL, {"content-encoding": "br"}, "the answer's encoding \"br\" can't be undone"),
        (b"abcd", {"content-encoding": "gzip"}, "the answer's encoding \"gzip\" can't be undone"),
        (SMALL[:-1], {"content-encoding": "gzip"}, "the answer's encoding \"gzip\" can't be undone"),
        (LARGE, {}, LARGE),
        (gzip.compress(LARGE, mtime=0), {"content-encoding": "gzip"}, LARGE),
    ],
    ids=[
        *(
            "as long",
            "no length",
            "a length that is none",
            "chunked",
            "shorter",
            "shorter, by 0",
            "empty",
            "nothing",
        ),
        *("identity", "gzip", "x-gzip", "deflate", "unknown", "none", "breaks off", "large", "large, gzip"),
    ],
)
def test_a_body_is_read_whole_or_it_is_said_what_is_wrong_with_it(
    body: bytes, headers: dict[str, str], found: bytes | str
) -> None:
    assert read(body, headers, most=200_000) == found
    assert read(body, headers, most=200_000, first=200_000) == found


@pytest.mark.parametrize(
    ("body", "length", "headers"),
    [(b"abcd", 4, {}), (PACKED, len(MANY), {"content-encoding": "gzip"}), (LARGE, len(LARGE), {})],
)
def test_a_body_as_large_as_allowed_is_taken_and_one_byte_more_is_not(
    body: bytes, length: int, headers: dict[str, str]
) -> None:
    assert len(read(body, headers, most=length)) == length
    assert read(body, headers, most=length - 1) == f"the answer is larger than {length - 1} bytes"


def test_what_says_that_it_is_too_large_is_not_read() -> None:
    large = Lax(io.BytesIO(b"abcd"), {"content-length": "4"})
    with pytest.raises(Unusable, match="too_large"):
        read_whole(large, most=3)
    assert large.body.tell() == 0
    assert read_whole(large, most=4) == b"abcd"
    endless = read(b"abcd", {"content-length": "9" * 5000}, most=10**18)
    assert endless == f"the answer ends after 4 of {'9' * 18} bytes"


@pytest.mark.parametrize(
    ("body", "headers"), [(LARGE, {}), (gzip.compress(LARGE, mtime=0), {"content-encoding": "gzip"})]
)
@pytest.mark.parametrize("first", [0, 4, 70_000])
def test_the_first_bytes_are_given_once_all_have_come(
    body: bytes, headers: dict[str, str], first: int
) -> None:
    assert read(body, headers, most=len(body), first=first) == LARGE[:first]
    assert read(body, headers, most=len(body) - 1, first=first) == (
        f"the answer is larger than {len(body) - 1} bytes"
    )


def test_what_comes_after_the_first_bytes_is_not_unpacked() -> None:
    packed = gzip.compress(LARGE, mtime=0)[:-9] + b"\xff" * 9
    headers = {"content-encoding": "gzip"}
    assert read(packed, headers, most=len(packed), first=70_000) == LARGE[:70_000]
    assert read(packed, headers, most=len(packed), first=150_001) == (
        "the answer's encoding \"gzip\" can't be undone"
    )
