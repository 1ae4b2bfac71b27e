"""What a request, an answer and a failure to get one are, as values. Performs no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal, Optional, Union

from bcs_template_set.messages import Text
from bcs_template_set.records.late_dataclass import dataclass

LARGEST_BODY = 10 * 1024 * 1024
"""Bytes of an answer, as sent and as decompressed."""

LARGEST_LIST = 64 * 1024 * 1024
"""Bytes of a list that grows with the past, and that a server has no pages of (facts/bcs.md, trap 20)."""

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
        super().__init__()
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
