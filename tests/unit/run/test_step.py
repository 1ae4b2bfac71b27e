"""The one boundary of a run: whatever happens, it comes out as an outcome that says who and where."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Optional

import pytest
from tests.support.phases import StandInAgent, services_of
from tests.support.pieces import FakeClock

from bcs_template_set.messages import say
from bcs_template_set.messages.errors import InputsInvalid, ManifestsInvalid, NoPermission, VersionConflict
from bcs_template_set.messages.server_errors import GatewayFailed, OutOfTime, RolloutTimedOut
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.report.outcome import Identity, Outcome
from bcs_template_set.rollout.result import Rollout
from bcs_template_set.run.step import run_step
from bcs_template_set.system.signals import Stopped

WHO = Identity("lisi", "my_app", "", say("rollout.ready"), "wangwu")


class Failing(StandInAgent):
    """An agent that raises something as soon as it is asked."""

    problem: BaseException

    def inputs(self) -> Mapping[str, str]:
        """Raise it."""
        raise self.problem


def lived(
    problem: BaseException, *, identity: Optional[Identity] = WHO, rollout: Optional[Rollout] = None
) -> tuple[Outcome, str]:
    """Return how a run ends that meets something, and its log."""
    agent, printed = Failing(), io.StringIO()
    agent.problem = problem
    services = services_of(agent, printed, clock=FakeClock())
    services.record.identity, services.record.rollout = identity, rollout
    services.record.heading = replace(services.record.heading, region="gz", project="web")
    return run_step(services), printed.getvalue()


def told_of(error: StepError, *, identity: Optional[Identity] = WHO) -> Mapping[str, object]:
    outcome, _ = lived(error, identity=identity)
    assert outcome.error is error
    return error.context


PLACE = {"region": "gz", "project": "web"}
TOLD = {"acting_user": "lisi", "app": "my_app", "starter": "wangwu", **PLACE}


@pytest.mark.parametrize(
    "error",
    [
        NoPermission(user="lisi", message="no"),
        VersionConflict(details=[]),
        GatewayFailed(url="u", status=502, message="m"),
    ],
)
def test_an_error_of_identity_conflict_or_server_says_who_and_where(error: StepError) -> None:
    assert told_of(error) == TOLD


def test_who_is_told_only_once_that_is_known_and_what_was_known_stays() -> None:
    assert told_of(NoPermission(user="lisi", message="no"), identity=None) == PLACE
    known = NoPermission(user="lisi", message="no").with_context(project="other")
    assert told_of(known) == {**TOLD, "project": "other"}


@pytest.mark.parametrize("error", [InputsInvalid(details=[]), ManifestsInvalid(details=[])])
def test_mistakes_of_inputs_and_templates_say_where_they_are_themselves(error: StepError) -> None:
    assert told_of(error) == {}


def test_a_rollout_that_was_too_slow_has_a_result_of_its_own() -> None:
    slow = RolloutTimedOut(
        count=1, seconds=1, timeout=0, deadline=0, needs_time=True, put_off=False, details=[]
    )
    assert lived(slow, rollout=Rollout("c", "n"))[0].result == "timed-out"
    assert lived(slow)[0].result == "failed"


def test_a_signal_ends_the_record_with_its_error() -> None:
    error = OutOfTime(seconds=60)
    outcome, log = lived(Stopped(error))
    assert (outcome.result, outcome.error, log) == ("failed", error, "")


def test_a_defect_is_an_outcome_too_with_its_traceback_in_the_log() -> None:
    outcome, log = lived(ZeroDivisionError("canary"))
    assert outcome.result == "failed"
    assert outcome.error is not None
    assert outcome.error.code // 100 == 8009
    assert "ZeroDivisionError" in log
