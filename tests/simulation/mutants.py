"""Steps with a part left out, which the simulator must find out: each breaks a promise in its world.

A mutant is the step with other inputs than its build says, or with one function of it replaced, as a change
of the code would. Its world was drawn, and made smaller.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Callable, Optional, TypeVar, Union

from bcs_template_set.agent.output_file import OutputDocument, pessimistic, success
from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.decision import Again, Asked, Decision, Fail, RetryAfter, _verdict
from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.bcs.space.existing import Existing
from bcs_template_set.config.principal import _app_of
from bcs_template_set.config.regions import App, Region, RunAs
from bcs_template_set.messages import Language, Text
from bcs_template_set.messages.server_errors import OutcomeUnknown
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.publish.concurrent_writes import Settled, settle
from bcs_template_set.publish.file_outcome import FileOutcome
from bcs_template_set.publish.write_files import Publishing, _create_file
from bcs_template_set.publish.write_once import write_once
from bcs_template_set.rollout.deployment_plan import Hold, Holding
from bcs_template_set.rollout.live_state import FileVersion
from bcs_template_set.run.context import RenderedRun
from bcs_template_set.run.deploy_phase import versions_to_be_live
from bcs_template_set.run.versions_to_deploy import hold_of
from bcs_template_set.system.clock import Clock
from tests.simulation.worlds import OTHER_USER, BuildPlan, FaultPlan, World

T = TypeVar("T")
Step = Callable[..., Any]


@dataclass(frozen=True)
class Mutant:
    """What is wrong with the step, the promise that this breaks, and a world in which it does.

    `inputs` are what every build has instead of its own, by action ("" is any); `swaps` are functions of the
    step and what stands in for them; `minutes` what it takes some times for.
    """

    name: str
    breaks: str
    world: World
    inputs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    swaps: Mapping[Step, Step] = field(default_factory=dict)
    minutes: Mapping[int, int] = field(default_factory=dict)

    def wrong_plan(self, plan: BuildPlan) -> BuildPlan:
        """Return what a build does in place of what it is to do."""
        given = {**self.inputs.get("", {}), **self.inputs.get(plan.action, {})}
        action = given.pop("action", plan.action)
        inputs = tuple({**dict(plan.inputs), **given}.items())
        return replace(
            plan, action=action, inputs=inputs, minutes=self.minutes.get(plan.minutes, plan.minutes)
        )

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Have the step's functions replaced meanwhile, wherever they were imported to."""
        swapped = [
            (module, name, found)
            for module in list(sys.modules.values())
            if module.__name__.startswith("bcs_template_set")
            for name, found in list(vars(module).items())
            if any(found is function for function in self.swaps)
        ]
        for module, name, found in swapped:
            setattr(module, name, next(new for old, new in self.swaps.items() if old is found))
        try:
            yield
        finally:
            for module, name, found in swapped:
                setattr(module, name, found)


def _looks_not_back(_: Publishing, files: Sequence[FileOutcome], *, space_id: str) -> Settled:  # noqa: ARG001 - as `settle`
    return Settled(tuple(files))


def _sends_again(
    _: Clock,
    send: Callable[[], T],
    *,
    read_back: Callable[[], Optional[T]],  # noqa: ARG001 - as `write_once`
) -> tuple[T, bool]:
    try:
        return send(), False
    except OutcomeUnknown:
        return send(), False


def _repeats(
    asked: Asked, error: StepError, *, again: Again, problem: Union[Text, str, None] = None
) -> Decision:
    verdict = _verdict(asked, error, again=again, problem=problem)
    is_unknown = isinstance(verdict, Fail) and isinstance(verdict.error, OutcomeUnknown)
    return RetryAfter(error) if is_unknown else verdict


def _says_success(language: Language) -> OutputDocument:
    return success(pessimistic(language)["message"], {})


def _takes_one_app(region: Region, *, user: str, run_as: RunAs) -> App:
    return _app_of(replace(region, users={}), user=user, run_as=run_as)


def _creates_what_a_list_lacks(
    publishing: Publishing, files: Sequence[FileOutcome], *, space_id: str
) -> Settled:
    settled = settle(publishing, files, space_id=space_id)
    for file in settled.files:
        if any(note.key == "publish.file_gone" for note in file.notes):
            _create_file(publishing, file.change, space_id=space_id, looked_at=publishing.clock.monotonic())
    return settled


def _live_without_routes(run: RenderedRun, existing: Existing) -> list[FileVersion]:
    return [file for file in versions_to_be_live(run, existing) if not file.name.endswith(".routes.yaml")]


def _holds_what_is_there(_: RenderedRun, __: Reader, ___: NamespaceRef, existing: Existing) -> Hold:
    return lambda plan: Holding(frozenset(file.name for file in plan.deploy if file.name in existing.files))


def _late(nth: int) -> FaultPlan:
    return FaultPlan(_ONE.key, "late", nth=nth, seconds=3.206)


_OTHERS = BuildPlan(1, user=OTHER_USER)
_ONE, _TWO = BuildPlan(1), BuildPlan(2, files=(("a", "3"),))
_DEPLOYS = BuildPlan(1, action="deploy", files=(("app", "3"),))

MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "looks not back",
        "what_is_there_twice_is_said",
        World(7, (_ONE, _TWO)),
        swaps={settle: _looks_not_back},
    ),
    Mutant(
        "sends blindly",
        "no_write_is_repeated_blindly",
        World(2, (_ONE,), faults=(FaultPlan(_ONE.key, "dropped", nth=2, writes=True),)),
        swaps={write_once: _sends_again},
    ),
    Mutant(
        "repeats writes",
        "no_write_is_repeated_blindly",
        World(2, (_ONE,), faults=(FaultPlan(_ONE.key, "dropped", nth=2, writes=True),)),
        swaps={_verdict: _repeats},
    ),
    Mutant(
        "green at first",
        "green_means_done",
        World(18, (_ONE,), faults=(FaultPlan(_ONE.key, "kill-after", nth=10),)),
        swaps={pessimistic: _says_success},
    ),
    Mutant("waits not", "deployed_means_ready", World(5, (_DEPLOYS,)), inputs={"deploy": {"timeout": "0"}}),
    Mutant(
        "replaces newer",
        "an_older_build_does_not_win",
        World(
            89,
            (
                BuildPlan(15, at=16.457, files=(("a", "1"),)),
                BuildPlan(19, at=20.656, branch="dev", files=(("a", "3"),)),
                BuildPlan(20, branch="dev", files=(("a", "3"),)),
            ),
        ),
        inputs={"": {"on_newer_build": "replace"}},
    ),
    Mutant(
        "plans by writing",
        "a_plan_writes_nothing",
        World(3, (BuildPlan(1, action="plan"),)),
        inputs={"plan": {"action": "publish"}},
    ),
    Mutant(
        "prunes unasked",
        "only_what_may_go_goes",
        World(
            34,
            (
                BuildPlan(2, files=(("app", "1"), ("c", "3"))),
                BuildPlan(3, at=1.424, action="deploy", files=(("app", "1"),)),
            ),
        ),
        inputs={"deploy": {"prune": "delete"}},
    ),
    Mutant(
        "knows no end",
        "it_ends_in_time",
        World(24, (BuildPlan(1, minutes=1),), faults=(FaultPlan(_ONE.key, "late", seconds=3.206),)),
        minutes={1: 0},
    ),
    Mutant(
        "takes two minutes for fifteen",
        "it_ends_in_time",
        World(24, (BuildPlan(1, minutes=2),), faults=(_late(1), _late(2), _late(3))),
        minutes={2: 15, 4: 15},
    ),
    Mutant("takes one app for all", "one_user_acts", World(7, (_OTHERS,)), swaps={_app_of: _takes_one_app}),
    Mutant(
        "creates what a list lacks",
        "what_it_asks_is_a_behaviour_of_the_model",
        World(1, (_ONE,), faults=(FaultPlan(_ONE.key, "past", nth=8, seconds=1.0),)),
        swaps={settle: _creates_what_a_list_lacks},
    ),
    Mutant(
        "deploys no routes",
        "a_next_run_makes_it_good",
        World(4, (BuildPlan(1, action="deploy", web=True),)),
        swaps={versions_to_be_live: _live_without_routes},
    ),
    Mutant(
        "holds what is there",
        "a_next_run_makes_it_good",
        World(5, (_DEPLOYS, replace(_DEPLOYS, number=2, at=400.0, files=(("app", "1"),)))),
        swaps={hold_of: _holds_what_is_there},
    ),
)
