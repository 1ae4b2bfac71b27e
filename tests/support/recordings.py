"""The recordings of real servers: packed copies (contract/recorded), held to the originals where at hand.

What a line holds is told in facts/bcs.md, "The recordings". Their answers are facts; this module only reads
them.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional, Union

from tests.emulator import Dialect

HERE = Path(__file__).resolve().parents[1] / "contract" / "recorded"
ORIGINALS = Path(__file__).resolve().parents[3] / "shared" / "contract" / "recorded"
FILES: Mapping[Dialect, str] = {
    Dialect.A: "v1.30.4.jsonl",
    Dialect.B: "v1.31.0-alpha.119.jsonl",
    Dialect.B2: "v1.31.0-alpha.123.jsonl",
    Dialect.C: "v1.31.0-master-2026-07.jsonl",
    Dialect.MULTI_TENANT: "bk-bcs-multitenant-2026-07.jsonl",
}
Json = Union[None, bool, int, float, str, list["Json"], dict[str, "Json"]]


@dataclass(frozen=True)
class Asked:
    """One exchange: what was asked, as whom, what was answered, and what of the answer is named."""

    number: int
    method: str
    path: str
    query: str
    body: Json
    user: Json
    status: int
    answer: Json
    keep: Mapping[str, str] = field(default_factory=dict)
    why: str = ""

    def __str__(self) -> str:
        """Return how a difference names the exchange."""
        return f"#{self.number} {self.method} {self.path}" + (f" ({self.why})" if self.why else "")


@dataclass(frozen=True)
class Done:
    """What was done to the world before the next exchange, in the words of facts/bcs.md, "A line"."""

    number: int
    what: Mapping[str, Json]


def packed(dialect: Dialect) -> bytes:
    """Return the bytes of the copy."""
    return lzma.decompress((HERE / f"{FILES[dialect]}.xz").read_bytes())


def original(dialect: Dialect) -> Optional[bytes]:
    """Return the bytes of the original, None where it is not at hand."""
    path = ORIGINALS / FILES[dialect]
    return path.read_bytes() if path.is_file() else None


def read(dialect: Dialect) -> list[Union[Asked, Done]]:
    """Return a recording's lines in their order; the first only says what was recorded."""
    lines = [json.loads(line) for line in packed(dialect).decode().splitlines()]
    return [_parse(number, line) for number, line in enumerate(lines) if "recorded" not in line]


def _parse(number: int, line: dict[str, Json]) -> Union[Asked, Done]:
    if "set" in line:
        what = line["set"]
        assert isinstance(what, dict), line
        return Done(number=number, what=what)
    ask, answer, keep = line["ask"], line["answer"], line.get("keep", {})
    assert isinstance(ask, dict)
    assert isinstance(answer, dict)
    assert isinstance(keep, dict)
    status = answer["http"]
    assert isinstance(status, int)
    return Asked(
        number=number,
        method=str(ask["method"]),
        path=str(ask["path"]),
        query=str(ask.get("query") or ""),
        body=ask.get("body"),
        user=ask["as"],
        status=status,
        answer=answer["body"],
        keep={name: str(path) for name, path in keep.items()},
        why=str(line.get("why") or ""),
    )
