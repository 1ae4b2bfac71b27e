"""Who may take away what: every order in which a run and another deployer, BCS and the cluster can act.

The runs are the step's own phases, called again with the answers that they got (`replay.py`), so that what
is explored is what runs: which requests, in which order, and what is decided by them. Modelled are BCS's and
the cluster's steps alone (`namespace.py`): documents are applied one by one, a deletion is accepted and comes
later, and none of it knows a precondition.

What is proved, of the model: no run takes away, or goes back over, what it has read to be another's, and
none deletes a version that it has read to be needed; what is live is always still in BCS; nobody says that
all is well of what is not so, but where one of the two says that it failed; and what a run leaves that is
killed at any moment, the next build heals. What is left are the moments between the last look and the write,
which nothing can close: BCS's calls take no precondition, neither the resourceVersion that Kubernetes
compares, nor the uid (`but`, each with what the window is).

Reductions: a build publishes in one move (`test_publish_protocol.py` is about that). What a run reads of one
thing in a row, it reads at one moment. The first run of a scene begins first; the others when they like.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from bcs_template_set.publish import take_away
from bcs_template_set.publish.left_behind import Held
from bcs_template_set.publish.take_away import _Way
from bcs_template_set.rollout import sized_calls
from bcs_template_set.run import deploy_phase, look_ahead, prune_phase, restore_phase
from bcs_template_set.system.parallel import TaskEnd, overlap
from tests.model.beside import Beside, State, Trouble, Who
from tests.model.explorer import Explored, explore
from tests.model.namespace import BAD, Namespace, config, deployment, file_of
from tests.model.promises import is_healed, problems
from tests.model.runs import Build, deploys, undeploys
from tests.support.draws import WHOLE, swept

KINDS = frozenset({"ConfigMap", "Deployment", "ReplicaSet"})
WEB, APP, OLD = "web.yaml", "app.yaml", "old.yaml"

A_CALL = "a deployment under way can't be called back, nor does it compare"
A_DELETION = "BCS's DELETE takes no precondition, and what is found live already is not looked at again"
AS_IT_WAS = "what is deployed again at its own version looks as it did"
ASKED_FOR = "undeploy takes away what is there when it looks, whoever put it there"
NO_TRACE = "a deployment leaves no trace before its first object"


def web(image: object) -> tuple[tuple[str, str], ...]:
    """Return a file that holds a Deployment."""
    return ((WEB, deployment("web", f"v{image}" if image != BAD else BAD)),)


def app(value: object) -> tuple[tuple[str, str], ...]:
    """Return a file that nobody waits for."""
    return ((APP, config("app", f"v{value}")),)


def old(value: object) -> tuple[tuple[str, str], ...]:
    """Return the file that the first run renders no more."""
    return ((OLD, config("extra", f"v{value}")),)


RESTORES = (("on_failure", "restore"),)
PRUNES = (("prune", "delete"),)
KEEPS = (("keep_versions", "1"),)

SITE = Build(4, web(4)).live(Namespace())
SHOP = Build(4, (*app(4), *old(4))).live(Namespace())
"""What build 4 has left."""

LONG = Build(6, app(6)).live(
    Build(5, app(5)).live(Build(4, app(4)).live(Build(3, app(3)).live(Build(2, app(2)).live(Namespace()))))
)
"""A file with a history."""


def by_hand(site: Namespace, file: str, version: str) -> Who:
    """Return that somebody deploys a version of a file in the console."""
    found = site.file(file)
    assert found is not None
    made = found.named(version)
    assert made is not None
    return deploys(made.id, file=file, version=version)


@dataclass(frozen=True)
class Scene:
    """Some runs at a site; `but` are the problems that nothing can close, each with the reason."""

    runs: tuple[Who, ...]
    site: Namespace = SITE
    but: Mapping[str, str] = field(default_factory=dict)
    trouble: Trouble = Trouble()  # noqa: RUF009 - a tuple

    def explore(self) -> tuple[Beside, Explored[State]]:
        """Explore all that can happen, and tell how much that is."""
        beside = Beside(self.runs, kinds=KINDS, trouble=self.trouble)
        explored = explore(beside.start(self.site), beside.moves)
        shape = f"{len(explored.came)} states, {explored.moves} moves, {len(explored.ends)} ends"
        print(f"{shape}, {beside.machine.asked} calls of the step")
        return beside, explored

    def found(self, explored: Explored[State]) -> dict[str, State]:
        """Return the first end that has each problem; empty where all is as it should be."""
        first: dict[str, State] = {}
        for end in explored.ends:
            for problem in problems(end, self.runs):
                first.setdefault(problem, end)
        return first


FIVE, SIX = Build(5, web(5)), Build(6, web(6))
FAILS = Build(5, web(BAD), inputs=RESTORES)
JOB_FAILS = Build(5, web(5), job_fails=True)
TWO_LIVE = Build(4, ((WEB, file_of(config("web", "v4"), deployment("web", "v4"))),)).live(Namespace())
TWO_FAIL = Build(5, ((WEB, file_of(config("web", "v5"), deployment("web", BAD))),), inputs=RESTORES)
TWO = Build(6, ((WEB, file_of(config("web", "v6"), deployment("web", "v6"))),))
DEV = Build(3, web("dev"), branch="dev")
SEVEN = Build(7, app(7), inputs=PRUNES)
RENDERS_OLD = Build(8, (*app(8), *old(8)))
DEV_OLD = Build(3, old("dev"), branch="dev")
KEEPER = Build(7, app(7), inputs=KEEPS)

OVER = "restored over another's"
TAKEN, NEEDED = "took away another's", "took away what another needs"
SEEN = " that it had seen"

RESTORING: Mapping[str, Scene] = {
    "a restore beside a newer build": Scene((FAILS, SIX), but={OVER: A_CALL}),
    "a restore of two objects beside a newer build": Scene((TWO_FAIL, TWO), TWO_LIVE, but={OVER: A_CALL}),
    "a restore beside another branch": Scene((FAILS, DEV), but={OVER: A_CALL}),
    "a restore beside a person": Scene((FAILS, by_hand(SITE, WEB, "1.0.4-main")), but={OVER: A_CALL}),
    "a post action beside a newer build": Scene((JOB_FAILS, SIX), but={OVER: A_CALL}),
    "an older build beside a newer one": Scene((FIVE, SIX)),
    "an older build that skips": Scene((Build(5, web(5), inputs=(("on_newer_build", "skip"),)), SIX)),
}
PRUNING: Mapping[str, Scene] = {
    "prune beside another branch": Scene((SEVEN, DEV_OLD), SHOP, but={TAKEN: A_DELETION, NEEDED: A_DELETION}),
    "prune beside a newer build": Scene(
        (SEVEN, RENDERS_OLD), SHOP, but={TAKEN: A_DELETION, NEEDED: A_DELETION}
    ),
    "prune beside a newer build of the same text": Scene(
        (SEVEN, Build(8, (*app(8), *old(4)))), SHOP, but={NEEDED: A_DELETION}
    ),
    "prune beside a person who deploys it again": Scene(
        (SEVEN, by_hand(SHOP, OLD, "1.0.4-main")),
        SHOP,
        but={TAKEN: A_DELETION, TAKEN + SEEN: AS_IT_WAS, NEEDED: AS_IT_WAS},
    ),
    "prune beside a person who goes back": Scene((SEVEN, by_hand(SHOP, APP, "1.0.4-main")), SHOP),
    "prune beside a rollback": Scene(
        (SEVEN, Build(8, (), goes_back="1.0.4-main", inputs=(("only", f"{APP}\n{OLD}"),))),
        SHOP,
        but={NEEDED: AS_IT_WAS},
    ),
    "prune beside an undeployment": Scene((SEVEN, undeploys(OLD)), SHOP),
    "prune of a file beside another branch": Scene(
        (Build(7, app(7), inputs=(*PRUNES, ("prune_also", "files"))), DEV_OLD),
        SHOP,
        but={TAKEN: A_DELETION, NEEDED: A_DELETION, "lost for good": A_DELETION},
    ),
    "undeploy beside another branch": Scene(
        (undeploys(OLD), DEV_OLD), SHOP, but={TAKEN: A_DELETION, NEEDED: A_DELETION, TAKEN + SEEN: ASKED_FOR}
    ),
    "undeploy beside a newer build": Scene(
        (undeploys(OLD), Build(8, (*app(8), *old(4)))), SHOP, but={NEEDED: A_DELETION}
    ),
}
KEEPING: Mapping[str, Scene] = {
    "keep_versions beside a person who goes back": Scene(
        (KEEPER, by_hand(LONG, APP, "1.0.3-main")), LONG, but={"lost for good": NO_TRACE}
    ),
    "keep_versions beside a rollback": Scene(
        (KEEPER, Build(8, (), goes_back="1.0.3-main", inputs=(("only", APP),))),
        LONG,
        but={"lost for good": NO_TRACE},
    ),
    "keep_versions twice": Scene((KEEPER, Build(8, app(8), inputs=KEEPS)), LONG),
}
SCENES = {**RESTORING, **PRUNING, **KEEPING}


LEFT = Build(9, (*web(9), *app(9)), inputs=PRUNES)
"""The build that heals."""

BOTH = (*web(5), *app(5))
TROUBLED: Mapping[str, tuple[Scene, Build]] = {
    "a build that is killed": (Scene((Build(5, BOTH),), trouble=Trouble(may_die=frozenset({0}))), LEFT),
    "a restore that is killed": (Scene((FAILS,), trouble=Trouble(may_die=frozenset({0}))), SIX),
    "a post action that is killed": (Scene((JOB_FAILS,), trouble=Trouble(may_die=frozenset({0}))), SIX),
    "prune that is killed": (
        Scene((SEVEN,), SHOP, trouble=Trouble(may_die=frozenset({0}))),
        Build(8, app(8), inputs=PRUNES),
    ),
    "keep_versions that is killed": (
        Scene((KEEPER,), LONG, trouble=Trouble(may_die=frozenset({0}))),
        Build(8, app(8), inputs=KEEPS),
    ),
    "a build whose answer is lost": (
        Scene((Build(5, BOTH),), trouble=Trouble(may_miss=frozenset({0}))),
        LEFT,
    ),
    "a restore whose answer is lost": (Scene((FAILS,), trouble=Trouble(may_miss=frozenset({0}))), SIX),
    "prune whose answer is lost": (
        Scene((SEVEN,), SHOP, trouble=Trouble(may_miss=frozenset({0}))),
        Build(8, app(8), inputs=PRUNES),
    ),
    "a build that is killed beside a newer one": (
        Scene((FIVE, SIX), trouble=Trouble(may_die=frozenset({0, 1}))),
        Build(7, web(7)),
    ),
}


@dataclass(frozen=True)
class Mutant:
    """A rule left out of the step: what stands in its place, in which scene and by which problem it shows."""

    owner: object
    name: str
    instead: object
    scene: str
    problem: str


def in_vain(asked: Callable[..., object], told: object) -> Callable[..., object]:
    """Return what asks as ever, and does not heed the answer."""

    def ask(*args: object, **given: object) -> object:
        asked(*args, **given)
        return told

    return ask


MUTANTS: Mapping[str, Mutant] = {
    "a restore does not ask whose it is": Mutant(
        restore_phase,
        "overtaken",
        lambda *_, **__: {},
        "a restore of two objects beside a newer build",
        OVER + SEEN,
    ),
    "a restore heeds its first look alone": Mutant(
        restore_phase, "met", lambda *_: {}, "a restore beside a newer build", OVER + SEEN
    ),
    "nobody looks for newer builds after deploying": Mutant(
        deploy_phase, "MOST_LOOKS", 0, "an older build beside a newer one", "an older build won"
    ),
    "what came back is deleted": Mutant(
        _Way, "_came_back", in_vain(_Way._came_back, None), "prune beside another branch", TAKEN + SEEN
    ),
    "whose file it is is not asked again": Mutant(
        _Way, "_is_at", in_vain(_Way._is_at, True), "prune beside another branch", TAKEN + SEEN
    ),
    "what was deployed over the run is not looked for": Mutant(
        prune_phase,
        "_is_at_another",
        lambda *_: False,
        "prune beside a person who goes back",
        "pruned though it had seen another deploy",
    ),
    "what is live holds no version": Mutant(
        prune_phase,
        "_held",
        in_vain(prune_phase._held, Held()),
        "keep_versions beside a person who goes back",
        "deleted a version or file that it had seen in use",
    ),
}


IS_WHOLE = WHOLE or os.environ.get("BCS_MODEL") == "whole"
LONG_ONES = (
    *("prune beside a rollback", "keep_versions beside a rollback", "keep_versions twice"),
    *("a restore of two objects beside a newer build", "a restore beside another branch"),
    "a restore does not ask whose it is",
)
"""What takes more than a second."""


def drawn(names: Iterable[str], *, sample: int) -> list[str]:
    """Return some of the names, all of them where the model is explored whole."""
    known = [name for name in names if IS_WHOLE or name not in LONG_ONES]
    return known if IS_WHOLE else swept(known, sample=sample)


@pytest.fixture(autouse=True)
def calm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what decides nothing: threads, the lines of a log, and all but two looks of a long wait."""

    def one_by_one(
        tasks: Sequence[Callable[[], object]], *, concurrency: int, meanwhile: object = None
    ) -> list[TaskEnd[object]]:
        del meanwhile
        return overlap(tasks, concurrency=min(concurrency, 1))

    monkeypatch.setattr(sized_calls, "overlap", one_by_one)
    monkeypatch.setattr(look_ahead, "deployment_lines", lambda *_, **__: [])
    monkeypatch.setattr(take_away, "LOOK_EVERY", take_away.UNTIL_GONE / 2)


def told(explored: Explored[State], problem: str, end: State) -> str:
    """Return the way to an end with a problem, and how all ended, for people."""
    ended = [f"{index}: {run.ended}" for index, run in enumerate(end.runs)]
    return "\n".join([problem, *explored.way_to(end), *ended])


@pytest.mark.parametrize("name", drawn(SCENES, sample=3))
def test_what_is_anothers_is_neither_taken_away_nor_gone_back_over_nor_told_to_be_well(name: str) -> None:
    scene = SCENES[name]
    _, explored = scene.explore()
    found = scene.found(explored)
    more = {problem: end for problem, end in found.items() if problem not in scene.but}
    assert not more, "\n\n".join(told(explored, problem, end) for problem, end in more.items())
    assert found.keys() == scene.but.keys(), "what is said to be inevitable has to happen"


@pytest.mark.parametrize("name", drawn(TROUBLED, sample=1))
def test_what_a_run_leaves_that_is_killed_or_hears_nothing_the_next_build_heals(name: str) -> None:
    scene, next_build = TROUBLED[name]
    beside, explored = scene.explore()
    assert scene.found(explored) == {}
    for end in explored.ends:
        assert is_healed(beside, end.now, by=next_build), told(explored, "not healed", end)


@pytest.mark.parametrize("name", drawn(MUTANTS, sample=1))
def test_a_rule_that_is_left_out_is_missed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant = MUTANTS[name]
    monkeypatch.setattr(mutant.owner, mutant.name, mutant.instead)
    _, explored = SCENES[mutant.scene].explore()
    found = SCENES[mutant.scene].found(explored)
    assert mutant.problem in found
    assert told(explored, mutant.problem, found[mutant.problem]).splitlines()[1] == "0 publishes"
