"""A trace that has a part of the protocol left out is no behaviour of the model."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from tests.model.builds import NAMES, REQUEST_AT
from tests.model.histories import ENDED, FIRST, MADE, Request, breaches, recorded, steps
from tests.support.publishing import LIST_FILES, config, open_site

ID = "6955d9d10000000000000001"
ROWS = ("GET", f"/template/{ID}/metadatas", None)
CREATE = ("POST", f"/template/{ID}/versions", {"version": "2"})
CREATE_FILE = ("POST", f"/template/{ID}/metadatas", {"name": "s/a.yaml", "version": "2"})
FIND = ("POST", "/template/detail", {"version": "2"})
READ = ("GET", f"/template/versions/{ID}", None)
DELETE = ("DELETE", f"/template/versions/{ID}", None)
MADE_IT = {"code": 0, "data": {"id": ID}}


def asked(
    what: tuple[str, str, object],
    status: int = 200,
    *,
    answer: object = MADE_IT,
    faults: tuple[str, ...] = (),
    handled: bool = True,
) -> Request:
    method, path, body = what
    text = json.dumps(answer).encode()
    return Request(method, path, body, status, text, method == "DELETE", handled=handled, faults=faults)


LOOKS = [asked(ROWS), asked(ROWS)]
LOST = asked(CREATE, 0, faults=("drop-before-handling",), handled=False)
LIMITED = asked(CREATE, 429, faults=("answer",), handled=False)


def test_the_model_takes_every_step_that_it_has_a_request_for() -> None:
    assert set(steps()) == set(REQUEST_AT)
    assert steps()[FIRST].keys() == {REQUEST_AT[FIRST]}
    assert steps()["names"] == {NAMES: frozenset({"check", FIRST, ENDED})}
    assert MADE in steps()["send"]


@pytest.mark.parametrize(
    "requests",
    [
        [*LOOKS, asked(CREATE), asked(READ), asked(ROWS)],
        [*LOOKS, LOST, asked(FIND), asked(FIND), asked(CREATE), asked(READ), asked(ROWS)],
        [*LOOKS, LIMITED, asked(CREATE), asked(READ), asked(ROWS)],
        [*LOOKS, asked(CREATE_FILE, 404), asked(CREATE_FILE), asked(READ), asked(ROWS)],
        [
            *LOOKS,
            asked(CREATE_FILE, 0, faults=("half",)),
            asked(ROWS),
            asked(CREATE_FILE),
            asked(READ),
            asked(ROWS),
        ],
        [*LOOKS, asked(CREATE), asked(ROWS), *LOOKS, asked(CREATE), asked(READ), asked(ROWS), asked(DELETE)],
        [*LOOKS, asked(CREATE, answer={"code": 7}), asked(FIND), asked(READ), asked(ROWS)],
        [*LOOKS, asked(CREATE, answer={"code": 40300}), *LOOKS, asked(CREATE), asked(READ), asked(ROWS)],
        [asked(("POST", "/template/spaces", {})), asked(("GET", "/template/spaces", None)), asked(ROWS)],
        LOOKS[:1],
    ],
)
def test_a_behaviour_of_the_model_is_one(requests: Sequence[Request]) -> None:
    assert breaches(requests, version="2", reported={"a.yaml": ID}) == []


@pytest.mark.parametrize(
    ("requests", "problem"),
    [
        ([asked(CREATE)], "is created at ['read']"),
        ([asked(ROWS), asked(CREATE)], "is created at ['check', 'ended', 'look', 'names', 'read']"),
        ([*LOOKS, LOST, asked(CREATE)], "is created at ['find']"),
        ([*LOOKS, LOST, asked(FIND, 502), asked(CREATE)], "is created at ['find']"),
        ([*LOOKS, asked(CREATE, 500, answer="<html>"), asked(CREATE)], "is created at ['find']"),
        ([*LOOKS, asked(CREATE), asked(READ), asked(ROWS), asked(ROWS), asked(CREATE)], "is created at"),
        ([*LOOKS, asked(CREATE), asked(ROWS)], "was not read back"),
        ([*LOOKS, asked(CREATE), asked(READ)], "nobody looked after the last write"),
        ([*LOOKS, asked(DELETE), asked(CREATE), asked(READ), asked(ROWS)], "while it publishes"),
    ],
)
def test_what_has_a_part_left_out_is_none(requests: Sequence[Request], problem: str) -> None:
    assert any(problem in one for one in breaches(requests, version="2", reported={"a.yaml": ID}))


def test_the_steps_own_requests_are_a_behaviour_and_without_any_look_they_are_none() -> None:
    with open_site(**{"a.yaml": config("a", "1"), "b.yaml": config("b", "1")}) as site:
        assert site.run().code == 0
        site.next_build(a_yaml=config("a", "2"))
        ran = site.run()
        reported = {
            file.change.name: file.version_id for file in ran.outcome.files if file.state == "applied"
        }
        requests = recorded(ran.exchanges)
    assert breaches(requests, reported=reported) == []
    looks = [n for n, one in enumerate(requests) if LIST_FILES.fits(one.method, one.path)]
    for left_out in looks:
        assert breaches([one for n, one in enumerate(requests) if n != left_out], reported=reported)
