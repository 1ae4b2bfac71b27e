"""How often a request is sent at most, and how long it waits in between."""

from __future__ import annotations

from typing import Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcs_template_set.bcs.decision import RetryAfter
from bcs_template_set.bcs.retrying import RetryPolicy
from bcs_template_set.messages.server_errors import RateLimited, Unreachable

FAILED = RetryAfter(Unreachable(url="u", problem="p"))
FAILED_BY_BCS = RetryAfter(FAILED.error, most_attempts=2)
FAILED_OFTEN = RetryAfter(FAILED.error, most_attempts=9)
LIMITED = RetryAfter(RateLimited(message="m"), slows_all=True)
LIMITED_FOR = RetryAfter(LIMITED.error, seconds=60.0, slows_all=True)
TOO_MANY = RetryAfter(LIMITED.error, slows_all=True, soon=True)


@pytest.mark.parametrize(
    ("retry", "failures", "limits", "waited", "seconds"),
    [
        (FAILED, 1, 0, 0.0, 0.5),
        (FAILED, 2, 9, 0.0, 1.0),
        (FAILED, 3, 0, 900.0, 2.0),
        (FAILED, 4, 0, 0.0, None),
        (FAILED_BY_BCS, 1, 0, 0.0, 0.5),
        (FAILED_BY_BCS, 2, 0, 0.0, None),
        (FAILED_OFTEN, 3, 0, 0.0, 2.0),
        (FAILED_OFTEN, 4, 0, 0.0, None),
        (LIMITED, 9, 1, 0.0, 0.5),
        (LIMITED, 0, 4, 0.0, 4.0),
        (LIMITED, 0, 6, 0.0, 8.0),
        (LIMITED, 0, 19, 592.0, 8.0),
        (LIMITED, 0, 19, 593.0, None),
        (LIMITED, 0, 20, 0.0, None),
        (LIMITED_FOR, 0, 1, 540.0, 60.0),
        (LIMITED_FOR, 0, 1, 541.0, None),
        (TOO_MANY, 0, 1, 0.0, 0.05),
        (TOO_MANY, 0, 4, 0.0, 0.4),
    ],
)
def test_waits_double_and_end(
    retry: RetryAfter, failures: int, limits: int, waited: float, seconds: Optional[float]
) -> None:
    policy = RetryPolicy()
    assert policy.wait(retry, failures=failures, limits=limits, chance=0.0, waited=waited) == seconds


def test_chance_takes_up_to_a_half_of_what_the_step_chose() -> None:
    waits = [
        RetryPolicy().wait(FAILED, failures=1, limits=0, chance=chance, waited=0.0)
        for chance in (0.0, 0.5, 1.0)
    ]
    assert waits == [0.5, 0.375, 0.25]
    assert RetryPolicy().wait(LIMITED_FOR, failures=0, limits=1, chance=1.0, waited=0.0) == 60.0


@given(
    failures=st.integers(1, 200),
    limits=st.integers(0, 200),
    chance=st.floats(0, 1),
    policy=st.builds(RetryPolicy, attempts=st.integers(1, 300), longest_wait=st.floats(0, 100)),
)
def test_no_wait_is_longer_than_the_longest(
    failures: int, limits: int, chance: float, policy: RetryPolicy
) -> None:
    seconds = policy.wait(FAILED, failures=failures, limits=limits, chance=chance, waited=0.0)
    assert (seconds is None) is (failures >= policy.attempts)
    assert seconds is None or 0 <= seconds <= policy.longest_wait
