"""Looking and deploying where time is over or something breaks; the rest is shown against the emulator."""

from __future__ import annotations

from typing import TypeVar

import pytest
from tests.support.pieces import FakeClock

from bcs_template_set.bcs.calls import Read, Write
from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.bcs.dialect import Site
from bcs_template_set.messages.server_errors import OutOfTime
from bcs_template_set.rollout.deploy_files import deploy_files
from bcs_template_set.rollout.live_look import look
from bcs_template_set.rollout.live_state import FileVersion
from bcs_template_set.rollout.sized_calls import Deploying
from bcs_template_set.system.clock import Deadline

T = TypeVar("T")
PLACE = NamespaceRef("web", "a" * 32, "BCS-K8S-40000", "prod")
FILES = (FileVersion("web.yaml", "id-1", "1"),)


class Broken:
    """A gateway that nobody foresaw."""

    most_at_once = 1

    site = Site()

    def read(self, call: Read[T]) -> T:
        raise ZeroDivisionError(call.name)

    def write(self, call: Write[T]) -> T:
        raise ZeroDivisionError(call.name)


def deploying(seconds: float) -> Deploying:
    clock = FakeClock()
    return Deploying(PLACE, "front-ends", {}, clock, Deadline(clock, seconds=seconds))


def test_a_defect_is_told_as_itself() -> None:
    with pytest.raises(ZeroDivisionError, match="preview"):
        look(Broken(), deploying(60.0), FILES)
    with pytest.raises(ZeroDivisionError, match="deploy"):
        deploy_files(Broken(), deploying(60.0), FILES)


def test_without_time_nothing_is_looked_at_or_sent() -> None:
    with pytest.raises(OutOfTime):
        look(Broken(), deploying(0.0), FILES)
    with pytest.raises(OutOfTime):
        deploy_files(Broken(), deploying(0.0), FILES)


def test_of_no_files_there_is_nothing_to_see() -> None:
    assert look(Broken(), deploying(60.0), ()) == ((), "")
