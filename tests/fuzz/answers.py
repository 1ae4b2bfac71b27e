"""What servers may answer instead of what they should: one answer bent, or every one from there on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from random import Random
from typing import Literal

from bcs_template_set.system.http_values import HttpAnswer, NoAnswer, NotSent
from tests.fuzz.living import Bend, Reply
from tests.fuzz.mutations import mutated_bytes, mutated_json, seeded

How = Literal["shape", "data", "bytes", "status", "headers", "none"]
HOWS: tuple[How, ...] = ("shape", "data", "data", "data", "bytes", "status", "headers", "none")
_STATUSES = (100, 204, 206, 301, 400, 401, 403, 404, 409, 413, 418, 429, 500, 501, 502, 503, 504, 599, 999)
_CODES = ("1640001", "1640301", "1642902", "1650200", "1650001", "x", "", "9" * 30, "-1", "1 2")


@dataclass(frozen=True)
class Bent:
    """Which answer, in which way, drawn from which seed. With `lasting` every later one too."""

    at: int
    how: How
    seed: int
    lasting: bool = False

    def bend(self) -> Bend:
        """Return what does it, once for one run."""
        rng = seeded(self.seed)

        def act(number: int, answer: HttpAnswer) -> Reply:
            due = number == self.at or (self.lasting and number > self.at)
            return bent(answer, self.how, rng) if due else answer

        return act


def bent(answer: HttpAnswer, how: How, rng: Random) -> Reply:
    """Return an answer that is not what its server meant."""
    if how == "none":
        return rng.choice((NoAnswer("cut"), NotSent("refused", "refused"), NotSent("odd", "invalid")))
    if how == "status":
        return HttpAnswer(rng.choice(_STATUSES), answer.headers, answer.body)
    if how == "headers":
        return HttpAnswer(answer.status, {**answer.headers, **_headers(rng)}, answer.body)
    if how == "bytes":
        return HttpAnswer(answer.status, answer.headers, mutated_bytes(answer.body, rng))
    return HttpAnswer(answer.status, answer.headers, _reshaped(answer.body, how, rng))


def _reshaped(body: bytes, how: How, rng: Random) -> bytes:
    try:
        payload = json.loads(body)
    except ValueError:
        return mutated_bytes(body, rng)
    if how == "data" and isinstance(payload, dict) and payload.get("data"):
        return json.dumps({**payload, "data": mutated_json(payload["data"], rng)}).encode()
    return json.dumps(mutated_json(payload, rng)).encode()


def _headers(rng: Random) -> dict[str, str]:
    return {
        name: rng.choice(values)
        for name, values in (
            (
                "content-type",
                ("", "text/html", "application/json; charset=utf-16", "x; charset=rot13", "\x00"),
            ),
            ("x-bkapi-error-code", _CODES),
            ("x-bkapi-ratelimit-reset", ("0", "1e9", "-1", "nan", "999999999", "٣")),
            ("location", ("", "https://x/?token=1", "\x1b[31m")),
        )
        if rng.random() < 0.5
    }
