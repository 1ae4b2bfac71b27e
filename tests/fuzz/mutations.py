"""Small changes to texts and values, all drawn from one `random.Random`: a seed says every case again."""

from __future__ import annotations

import json
from random import Random
from typing import Union, cast

Json = Union[None, bool, int, float, str, "list[Json]", "dict[str, Json]"]

PIECES = (
    *("", " ", "\n", "\t", "\r", "\0", "\x85", "\u2028", "\ufeff", "\u202e", "\ud800", "\U0001f600"),
    *(
        "---",
        "...",
        "- ",
        ": ",
        "? ",
        "&a ",
        "*a",
        "!!str ",
        "!x ",
        "<<: *a",
        "|",
        ">",
        "'",
        '"',
        "#",
        "%TAG ! x",
    ),
    *("{{", "}}", "{{ x }}", "{%", "%}", "{#", "[", "]", "{", "}", ",", "\\", "\\u0000", "\\ud800"),
    *(
        "0",
        "-1",
        "1e999",
        ".inf",
        ".nan",
        "0x",
        "0b",
        "1_0",
        "9" * 30,
        "null",
        "true",
        "y",
        "~",
        "2024-01-01",
    ),
    *("base=", "build=", "%00", "%", "=", "bk-ci ", "/", "//", "..", "../..", "a" * 300),
)
"""What means something to one parser or the other."""

SCALARS: tuple[Json, ...] = (
    *(None, True, False, 0, -1, 1, 80, 2**31, 2**63, 2**64, -(2**63) - 1, 10**30, 0.5, 1e308, -0.0),
    *("", " ", "a", "x" * 5000, "0", "-1", "true", "null", "\0", "\n", "\u202e\u2028", "\U0001f600", "é"),
    *("{{ x }}", "{{", "a/b", "/", "//", "..", ".", "../../etc", "%2e%2e", "*", "a b", "<b>&amp;", "'", '"'),
    *("Ingress", "Service", "Deployment", "List", "v1", "Exact", "Prefix", "5" * 24, "1.0.7-main"),
)
"""Values that a field may hold and should not."""


def seeded(seed: Union[int, str]) -> Random:
    """Return what changes are drawn from."""
    return Random(seed)  # noqa: S311 - to draw cases that can be drawn again, not to keep a secret


def mutated_text(text: str, rng: Random, *, most: int = 4) -> str:
    """Return the text with one to `most` small changes."""
    for _ in range(rng.randint(1, most)):
        text = _changed(text, rng)
    return text


def mutated_bytes(content: bytes, rng: Random, *, most: int = 4) -> bytes:
    """Return the content with one to `most` small changes, also such that leave no UTF-8."""
    for _ in range(rng.randint(1, most)):
        at, until = _cut(len(content), rng)
        how = rng.randrange(5)
        if how == 0:
            content = content[:at] + bytes([rng.randrange(256)]) + content[until:]
        elif how == 1:
            content = content[:at] + content[until:]
        elif how == 2:
            content = content[:at]
        elif how == 3:
            content = content[:until] + content[at:]
        else:
            content = content[:at] + rng.choice(PIECES).encode("utf-8", "surrogatepass") + content[until:]
    return content


def mutated_json(value: Json, rng: Random, *, most: int = 3) -> Json:
    """Return a copy of the value with one to `most` places changed."""
    copy = cast("Json", json.loads(json.dumps(value)))
    for _ in range(rng.randint(1, most)):
        holders = _holders(copy)
        if not holders or rng.random() < 0.03:
            return _instead(copy, rng)
        _change(rng.choice(holders), rng)
    return copy


def _changed(text: str, rng: Random) -> str:
    at, until = _cut(len(text), rng)
    how = rng.randrange(6)
    if how == 0:
        return text[:at] + text[until:]
    if how == 1:
        return text[:until] + text[at:]
    if how == 2:
        return text[:at] + chr(rng.choice((rng.randrange(128), rng.randrange(0xD800)))) + text[until:]
    if how == 3:
        return _with_a_line_moved(text, rng)
    return text[:at] + rng.choice(PIECES) + text[until if how == 4 else at :]


def _with_a_line_moved(text: str, rng: Random) -> str:
    lines = text.splitlines(keepends=True) or [""]
    line = lines.pop(rng.randrange(len(lines)))
    shift = rng.choice(("", " ", "  ", "\t", "- "))
    lines.insert(rng.randint(0, len(lines)), shift + line)
    return "".join(lines)


def _cut(length: int, rng: Random) -> tuple[int, int]:
    at = rng.randint(0, length)
    return at, min(length, at + rng.choice((0, 1, 1, 2, 5, 20, 200)))


_Holder = Union["list[Json]", "dict[str, Json]"]


def _holders(value: Json) -> list[_Holder]:
    if isinstance(value, dict):
        inner = [holder for item in value.values() for holder in _holders(item)]
        return [value, *inner] if value else inner
    if isinstance(value, list):
        inner = [holder for item in value for holder in _holders(item)]
        return [value, *inner] if value else inner
    return []


def _change(holder: _Holder, rng: Random) -> None:
    how = rng.randrange(6)
    if isinstance(holder, dict):
        key = rng.choice(list(holder))
        if how == 0:
            del holder[key]
        elif how == 1:
            holder[rng.choice(("", "name", "id", "a\0", "{{ x }}", "é", key + "x"))] = holder.pop(key)
        else:
            holder[key] = _instead(holder[key], rng)
        return
    at = rng.randrange(len(holder))
    if how == 0:
        del holder[at]
    elif how == 1:
        holder.insert(at, holder[at])
    else:
        holder[at] = _instead(holder[at], rng)


def _instead(value: Json, rng: Random) -> Json:
    how = rng.randrange(8)
    if how == 0:
        return [value]
    if how == 1:
        return {"error": value, "manifest": value}
    if how == 2:
        return nested(rng.choice((3, 90, 300)))
    if how in (3, 4) and isinstance(value, str):
        return mutated_text(value, rng).encode("utf-8", "ignore").decode()
    if how == 5:
        return rng.choice(([], {}))
    return rng.choice(SCALARS)


def nested(depth: int) -> Json:
    """Return lists in lists."""
    value: Json = "x"
    for _ in range(depth):
        value = [value]
    return value
