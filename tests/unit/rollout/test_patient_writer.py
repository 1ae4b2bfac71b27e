"""Reading back: how long a read is tried, who hears of it, and whose verdict waits for nobody."""

from __future__ import annotations

from typing import Callable, Optional, TypeVar

import pytest
from tests.support.pieces import FakeClock

from bcs_template_set.bcs.calls import Read, Write
from bcs_template_set.bcs.deploy_calls import NamespaceRef, Preview, deploy, preview
from bcs_template_set.bcs.dialect import Site
from bcs_template_set.messages.errors import NoPermission
from bcs_template_set.messages.server_errors import BcsFailed, GatewayFailed, RolloutUnseen
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.rollout.live_reads import LOOK_EVERY, PatientWriter
from bcs_template_set.rollout.watched import Blind
from bcs_template_set.system.clock import Deadline

T = TypeVar("T")
PLACE = NamespaceRef("web", "a" * 32, "BCS-K8S-40000", "prod")
LOOK = preview(PLACE, version_ids=["v"], variables={})
SEND = deploy(PLACE, version_ids=["v"], variables={})
REFUSED = NoPermission(user="lisi", message="m").with_context(permission="namespace_scoped_view")
DOWN = GatewayFailed(url="u", status=504, message="m")


class Backend:
    """Fails as long as `error` tells of one."""

    most_at_once = 1

    def __init__(self, error: Callable[[float], Optional[StepError]], clock: FakeClock) -> None:
        self.error, self.clock, self.began, self.reads = error, clock, clock.monotonic(), 0
        self.site = Site()

    def read(self, call: Read[T]) -> T:
        self.reads += 1
        error = self.error(self.clock.monotonic() - self.began)
        if error is not None:
            raise error
        return call.parse({"items": []})

    def write(self, call: Write[T]) -> T:
        error = self.error(0)
        if error is not None:
            raise error
        return call.parse(None)


def patient(
    backend: Backend, heard: Optional[list[Optional[Blind]]] = None, *, seconds: float = 100
) -> PatientWriter:
    told: list[Optional[Blind]] = [] if heard is None else heard
    deadline = Deadline(backend.clock, seconds=seconds)
    return PatientWriter(backend, clock=backend.clock, deadline=deadline, on_sight=told.append)


@pytest.mark.parametrize("error", [REFUSED, DOWN])
def test_a_read_is_tried_until_it_is_answered_and_that_is_told_once(error: StepError) -> None:
    heard: list[Optional[Blind]] = []
    writer = patient(Backend(lambda passed: error if passed < 60 else None, FakeClock()), heard)
    assert writer.read(LOOK) == Preview()
    assert heard == [Blind(1000.0, error), None]


def test_a_read_that_is_answered_at_once_is_no_news() -> None:
    heard: list[Optional[Blind]] = []
    backend = Backend(lambda _: None, FakeClock())
    writer = patient(backend, heard)
    assert (writer.write(SEND).error, writer.read(LOOK), heard) == ("", Preview(), [])
    assert writer.site is backend.site
    assert writer.most_at_once == backend.most_at_once


def test_what_is_never_answered_is_unseen_with_since_when_and_why_and_what_the_answer_knew() -> None:
    clock = FakeClock()
    with pytest.raises(RolloutUnseen) as raised:
        patient(Backend(lambda _: REFUSED, clock)).read(LOOK)
    assert 90 < clock.monotonic() - 1000 <= 100
    assert raised.value.context == {"permission": "namespace_scoped_view"}
    assert "Could not look since 00:16:40 UTC" in str(raised.value)


@pytest.mark.parametrize("seconds", [0, LOOK_EVERY])
def test_without_time_for_another_try_a_read_is_tried_once(seconds: float) -> None:
    backend = Backend(lambda _: DOWN, FakeClock())
    with pytest.raises(RolloutUnseen) as raised:
        patient(backend, seconds=seconds).read(LOOK)
    assert (backend.reads, raised.value.count) == (1, 1)


def test_after_a_refusal_of_bcs_no_read_is_waited_for() -> None:
    backend = Backend(lambda _: BcsFailed(bcs_code=1, message="m"), FakeClock())
    writer = patient(backend)
    with pytest.raises(BcsFailed):
        writer.write(SEND)
    with pytest.raises(BcsFailed):
        writer.read(LOOK)
    assert backend.reads == 1


def test_a_run_that_is_stopped_tries_no_more() -> None:
    backend = Backend(lambda _: DOWN, FakeClock(interrupt_after=2))
    with pytest.raises(GatewayFailed):
        patient(backend).read(LOOK)
    assert backend.reads == 3


@pytest.mark.parametrize(("share", "reads"), [(0.5, 4), (0.4, 1)])
def test_a_wait_of_which_half_has_passed_was_no_stop(share: float, reads: int) -> None:
    class Hurried(FakeClock):
        def wait(self, seconds: float) -> None:
            super().wait(seconds * share)

    backend = Backend(lambda _: DOWN, Hurried())
    with pytest.raises((RolloutUnseen, GatewayFailed)):
        patient(backend, seconds=10).read(LOOK)
    assert backend.reads == reads


def test_a_look_at_many_that_takes_too_long_goes_into_smaller_ones() -> None:
    backend = Backend(lambda _: DOWN, FakeClock())
    with pytest.raises(GatewayFailed):
        patient(backend).read(preview(PLACE, version_ids=["v", "w"], variables={}))
    assert backend.reads == 1


def test_a_write_whose_answer_was_lost_is_read_back_with_patience() -> None:
    backend = Backend(lambda passed: DOWN if passed < 60 else None, FakeClock())
    writer = patient(backend)
    with pytest.raises(GatewayFailed):
        writer.write(SEND)
    assert writer.read(LOOK) == Preview()
