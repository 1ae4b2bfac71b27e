"""Worlds drawn by a seed keep every promise; a world is the same again; the simulator is awake."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.simulation.drawing import draw
from tests.simulation.mutants import MUTANTS, Mutant
from tests.simulation.running import Lived, live, shrunk
from tests.simulation.worlds import World, read_world
from tests.support.draws import WHOLE, seed_of_this_run

WORLDS, EACH = (80, 50) if WHOLE else (20, 50)


@pytest.mark.parametrize("part", range(WORLDS))
def test_every_promise_holds_in_every_world(part: int) -> None:
    first = seed_of_this_run() + part * EACH
    broken = {seed: lived.broken for seed in range(first, first + EACH) for lived in [live(draw(seed))]}
    assert {seed: found for seed, found in broken.items() if found} == {}, (
        "python -m tests.simulation --seed …"
    )


def test_a_world_is_the_same_again_in_another_process() -> None:
    seed = next(seed for seed in range(seed_of_this_run(), 1 << 62) if len(draw(seed).builds) == 3)
    command = [sys.executable, "-m", "tests.simulation", "--seed", str(seed)]
    printed = subprocess.run(
        command, env={"PYTHONHASHSEED": "7"}, capture_output=True, encoding="utf-8", check=False
    ).stdout
    assert printed == f"{live(draw(seed))}\n"


def test_a_world_is_read_as_it_is_written() -> None:
    for seed in range(100):
        assert read_world(str(draw(seed))) == draw(seed)


def live_with(mutant: Mutant, world: World) -> Lived:
    with mutant.at_work():
        return live(world, as_done=mutant.wrong_plan)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: str(mutant.name))
def test_a_step_with_a_part_left_out_breaks_a_promise(mutant: Mutant) -> None:
    assert mutant.breaks in live_with(mutant, mutant.world).names
    assert live(mutant.world).broken == ()


def test_a_world_that_breaks_a_promise_is_made_smaller() -> None:
    mutant = next(mutant for mutant in MUTANTS if mutant.name == "plans by writing")
    seed = next(seed for seed in range(1000) if any(b.action == "plan" for b in draw(seed).builds))
    found = shrunk(live_with(mutant, draw(seed)), again=lambda world: live_with(mutant, world))
    assert [build.action for build in found.world.builds] == ["plan"]
    assert found.world.faults == ()
