from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Optional

import pytest
from tests.support.pieces import FakeClock
from tests.support.planned import OURS
from tests.unit.bcs.space.test_read_space import row, version

from bcs_template_set.bcs.answers import TemplateFile
from bcs_template_set.bcs.space.existing import VersionRef
from bcs_template_set.bcs.space.lineage import SKEW_SECONDS
from bcs_template_set.messages.server_errors import BcsFailed
from bcs_template_set.publish.look_first import (
    BESIDE_SECONDS,
    LOOK_SECONDS,
    SETTLING_SECONDS,
    Looks,
    is_beside,
)
from bcs_template_set.publish.plan import Change


class Rows:
    """Lists no rows, takes some seconds for it, and counts."""

    def __init__(self, clock: FakeClock, *, seconds: float = 0.0) -> None:
        self.clock, self.seconds, self.asked = clock, seconds, 0

    def __call__(self) -> Sequence[TemplateFile]:
        self.asked += 1
        self.clock.time += self.seconds
        return ()


def test_one_look_stands_for_many_files_until_it_is_old() -> None:
    rows = Rows(FakeClock())
    looks = Looks(rows.clock, rows)
    began = rows.clock.time
    assert looks.rows() == looks.rows() == (began, ())
    rows.clock.time += LOOK_SECONDS
    assert (looks.rows()[0], rows.asked) == (began, 1)
    rows.clock.time += 0.1
    assert (looks.rows()[0], rows.asked) == (began + LOOK_SECONDS + 0.1, 2)


def test_a_look_that_takes_long_is_not_old_as_soon_as_it_is_there() -> None:
    rows = Rows(FakeClock(), seconds=4.0)
    looks = Looks(rows.clock, rows)
    began = rows.clock.time
    assert looks.rows()[0] == began
    rows.clock.time += 4.0
    assert (looks.rows()[0], rows.asked) == (began, 1)


def test_a_look_that_fails_fails_each_file_under_its_own_name() -> None:
    def fail() -> Sequence[TemplateFile]:
        raise BcsFailed(bcs_code=1, message="mongo is away")

    looks = Looks(FakeClock(), fail)
    for name in ("a.yaml", "b.yaml"):
        with pytest.raises(BcsFailed) as caught:
            looks.rows()
        assert caught.value.with_context(file=name).context["file"] == name


class HeardClock(FakeClock):
    """Lets a thread know that somebody waits, and is at an end of waiting when the thread is at its own."""

    def __init__(self) -> None:
        super().__init__()
        self.is_waited_for = threading.Event()
        self.thread = threading.Thread()

    def wait(self, seconds: float) -> None:
        self.is_waited_for.set()
        self.thread.join(10)
        super().wait(seconds)


def test_who_comes_while_another_looks_waits_for_that_look() -> None:
    clock, began, asked = HeardClock(), threading.Event(), [0]

    def read() -> Sequence[TemplateFile]:
        asked[0] += 1
        began.set()
        assert clock.is_waited_for.wait(10)
        return (row(1),)

    looks = Looks(clock, read)
    clock.thread = threading.Thread(target=looks.rows)
    clock.thread.start()
    assert began.wait(10)
    assert looks.rows()[1] == (row(1),)
    assert asked == [1]
    assert clock.waits == [0.02]


def test_how_long_a_look_a_plan_and_a_write_may_take_is_the_same_for_every_build() -> None:
    assert (LOOK_SECONDS, BESIDE_SECONDS, SETTLING_SECONDS) == (1.0, 1.5, 2.0)


# --- beside another build -------------------------------------------------------------------------------

PLANNED = VersionRef("1", "v1", 1000)
BY_A_BUILD = OURS.line("x", bases=("0",))


@pytest.mark.parametrize(
    ("previous", "current", "description", "at", "beside"),
    [
        (PLANNED, "2", BY_A_BUILD, 1001, True),
        (PLANNED, "2", BY_A_BUILD, 1000 - SKEW_SECONDS, True),
        (PLANNED, "2", BY_A_BUILD, 999 - SKEW_SECONDS, False),
        (PLANNED, "2", OURS.line("x"), 1001, False),
        (PLANNED, "2", "by hand", 1001, False),
        (PLANNED, "", BY_A_BUILD, 1001, False),
        (None, "2", BY_A_BUILD, 1001, False),
    ],
)
def test_a_build_that_will_look_back_has_written_what_is_current_now(
    *, previous: Optional[VersionRef], current: str, description: str, at: int, beside: bool
) -> None:
    change = Change("a", "update", "x", "", "v9", previous=previous)
    found = version(2, at=at).replaced(description=description)
    now = row(1).replaced(version_id=current)
    assert is_beside(change, now, read=lambda ids: dict.fromkeys(ids, found)) == beside
