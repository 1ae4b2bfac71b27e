"""One version that can't be shown hides no other, and few requests find it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcs_template_set.messages.server_errors import BcsFailed
from bcs_template_set.rollout.apart import ask_apart
from bcs_template_set.rollout.live_state import FileVersion

FAILED = BcsFailed(bcs_code=1, message="panic recovered")


def files(count: int) -> list[FileVersion]:
    return [FileVersion(f"{number}.yaml", str(number), "1.0.1") for number in range(count)]


class Server:
    """Fails on every request that holds a bad version; counts the requests."""

    def __init__(self, *bad: int) -> None:
        self.bad = {str(number) for number in bad}
        self.requests = 0

    def ask(self, asked: tuple[FileVersion, ...]) -> list[str]:
        self.requests += 1
        assert asked
        if self.bad & {file.version_id for file in asked}:
            raise FAILED
        return [file.version_id for file in asked]


@pytest.mark.parametrize(("count", "bad"), [(200, 16), (250, 0), (250, 249), (1, 0), (2, 1), (3, 1)])
def test_one_that_fails_costs_ten_requests_at_most(count: int, bad: int) -> None:
    server = Server(bad)
    asked = ask_apart(files(count), FAILED, ask=server.ask)
    seen = {version for answer in asked.answers for version in answer}
    assert seen == {str(number) for number in range(count)} - {str(bad)}
    assert set(asked.failed) == {str(bad)}
    assert server.requests <= 10


@given(st.integers(1, 40), st.sets(st.integers(0, 39), min_size=1))
def test_every_version_is_either_answered_or_failed_and_none_of_the_good_ones_failed(
    count: int, bad: set[int]
) -> None:
    bad = {number for number in bad if number < count} or {0}
    server = Server(*bad)
    asked = ask_apart(files(count), FAILED, ask=server.ask, most=1000)
    assert set(asked.failed) == {str(number) for number in bad}
    assert sorted(v for answer in asked.answers for v in answer) == sorted(
        str(number) for number in range(count) if number not in bad
    )


def test_the_looking_ends_and_what_is_left_is_not_known() -> None:
    server = Server(*range(40))
    asked = ask_apart(files(40), FAILED, ask=server.ask, most=7)
    assert server.requests == 7
    assert set(asked.failed) == {str(number) for number in range(40)}
    assert asked.answers == ()


def test_a_failure_that_passes_by_itself_is_nobodys() -> None:
    server = Server()
    asked = ask_apart(files(5), FAILED, ask=server.ask)
    assert asked.failed == {}
    assert sorted(v for answer in asked.answers for v in answer) == ["0", "1", "2", "3", "4"]
