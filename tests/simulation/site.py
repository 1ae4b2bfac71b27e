"""The site of one world: the emulator in made-up time, its builds, and what happened, line by line."""

from __future__ import annotations

import random
import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Optional

from bcs_template_set.agent.masker import Masker
from tests.emulator import Behaviour, Dialect, Emulator
from tests.emulator.entities import Space, TemplateFile, TemplateVersion
from tests.emulator.exchanges import Exchange
from tests.emulator.http_message import Request
from tests.emulator.pace import Pace
from tests.emulator.versions import Versions
from tests.simulation.baton import Baton
from tests.simulation.builds import AGENT_KEY, APP, APPS, SECRET, Build, Told
from tests.simulation.contents import BAD
from tests.simulation.holdings import Deletion, Moment, current_versions, deletion_of, live_objects
from tests.simulation.line import is_write
from tests.simulation.people import act
from tests.simulation.rendering import Rendering
from tests.simulation.wishes import missing, newest_wish
from tests.simulation.worlds import FIRST_USER, OTHER_USER, STRANGER, BuildPlan, World
from tests.support.deploying import CLUSTER, NAMESPACE, image_of
from tests.support.publishing import BEGAN

RENDERING = Rendering()
"""What the worlds of this process have rendered."""

IN_ALL = 16
"""One world in so many has the whole masker, and time for reports: both are half of a run's time."""

PEACE = 120.0
"""Seconds after which a build runs again: nothing of what was sent is under way any more."""

CALM = 900.0
"""Seconds after which the newest wish is built once more, where not all of it is there."""

_ROOT = Path("/dev/shm") if Path("/dev/shm").is_dir() else None  # noqa: S108 - a folder of ours is made in it


_Stored = tuple[list[Space], list[TemplateFile], Versions]


@dataclass(frozen=True)
class Known:
    """A version that there was: of which file, with which contents."""

    file: str
    contents: set[str]


def same(plan: BuildPlan) -> BuildPlan:
    """Return what a build does: what it is to do."""
    return plan


class SimulatedSite:
    """A site whose project `web` two may view, and what the world's builds do there.

    `as_done` says what a build does in place of its plan, if it is wrong.
    """

    def __init__(self, world: World, *, as_done: Callable[[BuildPlan], BuildPlan] = same) -> None:
        self.world = world
        self.as_done = as_done
        self.has_reports = world.seed % IN_ALL == 0
        self.began = BEGAN
        self.baton = Baton(at=BEGAN)
        self.lines: list[str] = []
        self.render = RENDERING
        self.builds: list[Build] = []
        self.calm: Optional[Build] = None
        self.at_rest: Mapping[str, Optional[TemplateVersion]] = {}
        self.told: list[Told] = []
        self.known: dict[str, Known] = {}
        self.moments: list[Moment] = []
        self.deletions: list[Deletion] = []
        self.drafts: list[tuple[float, str, str]] = []
        self._stored: list[tuple[float, _Stored]] = []
        self._chance = random.Random(f"{world.seed}/site")  # noqa: S311 - replayed
        self._root = Path(tempfile.mkdtemp(prefix="world-", dir=_ROOT))
        self._asking = threading.local()
        self.emulator = self._new_emulator()

    def _new_emulator(self) -> Emulator:
        world = self.world
        emulator = Emulator(now=lambda: self.baton.now, dialect=Dialect[world.dialect])
        state = emulator.state
        state.add_project("web", viewers={FIRST_USER, OTHER_USER})
        state.add_agent(project_id="web", agent_id="a-1", secret_key=AGENT_KEY)
        state.add_app(APP, SECRET, vouches_for={FIRST_USER, OTHER_USER, STRANGER})
        for user, app in APPS.items():
            state.add_app(app, SECRET, vouches_for={user})
        if any(build.deploys for build in world.builds):
            cluster = state.add_cluster(CLUSTER, namespaces=(NAMESPACE,))
            if world.bad_image:
                cluster.images[image_of("app", BAD)] = Behaviour("not-found")
        servers = [self._chance.getrandbits(40) for _ in range(world.servers)]
        state.server_part = lambda: self._chance.choice(servers)
        state.shuffle = lambda versions: self._chance.sample(versions, len(versions))
        state.between_check_and_insert = lambda _: self._handling()
        state.between_stamp_and_insert = lambda _: self._handling()
        state.between_insert_and_move = lambda _: self._handling()
        state.pace = Pace(deploy=world.each, preview=world.each / 4, wait=self._apply)
        return emulator

    def _apply(self, seconds: float) -> None:
        """Take the time for an object of a deployment; the ones before it are live by now."""
        self.remember(self._asking.who)
        self.baton.pause(seconds)

    def _handling(self) -> None:
        self.baton.pause(self.world.rough * self._chance.random() ** 3)

    # --- for builds -------------------------------------------------------------------------------------

    def handle(self, request: Request, *, by: Build) -> Exchange:
        """Have a request handled, which may take its time."""
        if request.method == "DELETE":
            self.deletions += deletion_of(self, request, by=by)
        self._asking.who = by.plan.key
        exchange = self.emulator.answer(request)
        if is_write(request):
            self.remember(by.plan.key)
        return exchange

    def handle_in_the_past(self, request: Request, *, by: Build, seconds: float) -> Exchange:
        """Have a list answered by what was there so many seconds ago."""
        state, then = self.emulator.state, self.baton.now - seconds
        now = state.spaces, state.files, state.versions
        found = [stored for at, stored in self._stored if at <= then]
        state.spaces, state.files, state.versions = found[-1] if found else ([], [], Versions())
        try:
            return self.handle(request, by=by)
        finally:
            state.spaces, state.files, state.versions = now

    def _store(self) -> None:
        """Keep what there is now for who reads from a copy; nobody else changes it."""
        state = self.emulator.state
        stored = (list(map(copy, state.spaces)), list(map(copy, state.files)), Versions(state.versions))
        self._stored.append((self.baton.now, stored))

    def remember(self, who: str) -> None:
        """Remember what is there now, after somebody has written."""
        if self.emulator.state.clusters:
            self.moments.append(Moment(self.baton.now, who, live_objects(self)))
        if any(fault.kind == "past" for fault in self.world.faults):
            self._store()
        for version in self.emulator.state.versions:
            self.known.setdefault(version.id, Known(version.file, set())).contents.add(version.content)

    def handle_later(self, request: Request, *, by: Build, after: float, into: list[Exchange]) -> None:
        """Have a request handled in so many seconds, whatever becomes of who sent it; `into` gets it then."""

        def handle() -> None:
            exchange = self.handle(request, by=by)
            into.append(exchange)
            self.say(by, f"{request.method} {request.path} is handled late: {exchange.status}")

        self.baton.start(handle, after=after)

    def directory_of(self, plan: BuildPlan) -> Path:
        """Return the directory of a build's task, the same for each of its tries."""
        directory = self._root / plan.key
        directory.mkdir(exist_ok=True)
        return directory

    def region(self, plan: BuildPlan) -> dict[str, object]:
        """Return the private settings of the region."""
        rules = self.emulator.rules
        return {
            "gateway": f"http://bkapi.example.com/api/{rules.name}/{rules.stage}",
            "app_code": APP,
            "app_secret": SECRET,
            "users": {user: {"app_code": app, "app_secret": SECRET} for user, app in APPS.items()},
            "concurrency": plan.threads,
        }

    def new_masker(self) -> Masker:
        """Return what takes secrets out of a build's words."""
        return Masker() if self.world.seed % IN_ALL == 0 else _Quick()

    def say(self, build: Build, what: str) -> None:
        """Write a line of the trace."""
        what = _ID.sub(lambda found: found.group()[-6:], _FRONT.sub("", what))
        self.lines.append(f"{self.baton.now - self.began:10.3f}  {build.plan.key:8}{what}")

    # --- the world --------------------------------------------------------------------------------------

    def live(self) -> None:
        """Let everything happen."""
        for plan in self.world.builds:
            build = Build(self, plan, faults=[f for f in self.world.faults if f.build == plan.key])
            self.builds.append(build)
            self.baton.start(build.live, after=plan.at)
        for person in self.world.people:
            self.baton.start(partial(act, self, person), after=person.at)
        self.baton.run()
        for build in list(self.builds):
            if not self._is_done(build):
                self._again(build)
        self.at_rest = current_versions(self)
        wish = newest_wish(self.world)
        if wish is not None and any(missing(self, wish)):
            self.calm = Build(self, wish)
            self.builds.append(self.calm)
            self.baton.start(self.calm.live, after=CALM)
            self.baton.run()

    def _is_done(self, build: Build) -> bool:
        return build.told is not None and build.told.status == 0

    def _again(self, build: Build) -> None:
        """Run a build once more, in peace, as somebody does who presses "retry"."""
        again = Build(self, build.plan, attempt=build.attempt + 1)
        self.builds.append(again)
        self.baton.start(again.live, after=PEACE)
        self.baton.run()

    def close(self) -> None:
        """Take the builds' files away."""
        shutil.rmtree(self._root, ignore_errors=True)


class _Quick(Masker):
    """Masks where a secret stands as it is, and looks for no other spelling.

    The whole masker is hunted by tests/torture/test_canaries.py.
    """

    def mask(self, text: str) -> str:
        """Return the text with its secrets masked."""
        return super().mask(text) if SECRET in text or AGENT_KEY in text else text


_ID = re.compile(r"\b[0-9a-f]{24}\b|\b[0-9a-f]{32}\b")
_FRONT = re.compile(r"/api/bcs-api-gateway/prod(/v4)?(/clusterresources/v1/projects/web)?|/process/api/build")
"""What stands in front of every path, and tells nothing."""
