"""What the tests of publishing share: a space in the emulator, the real gateway to it, changes to write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Optional

from tests.emulator import Emulator
from tests.emulator.exchanges import Exchange
from tests.emulator.faults import Fault, Match
from tests.support.pieces import SECRET, FakeClock, app_principal
from tests.support.planned import OURS
from tests.support.publishing import SPACE, USER

from bcs_template_set.bcs.gateway import Gateway
from bcs_template_set.bcs.space.existing import VersionRef
from bcs_template_set.bcs.space.provenance import content_digest
from bcs_template_set.config.regions import Endpoint
from bcs_template_set.publish.concurrent_writes import Settled, settle
from bcs_template_set.publish.file_outcome import FileOutcome
from bcs_template_set.publish.plan import Change, Desired, Plan, SpaceRef
from bcs_template_set.publish.write_files import Publishing, publish_files
from bcs_template_set.system.clock import Deadline
from bcs_template_set.system.http_client import Transport

NAME, VERSION = "a.yaml", "1.0.7-main"
BEFORE, AFTER, THEIRS = "kind: Before\n", "kind: After\n", "kind: Theirs\n"
AWAY = '{"code": 1, "message": "mongo is away", "data": null}'


def creation(name: str = NAME, *, text: str = AFTER) -> Change:
    """Return the change that makes a file."""
    return Change(
        name=name,
        action="create",
        content=text,
        digest=content_digest(text),
        version=VERSION,
        bases=("-",),
        writes_version=True,
    )


@dataclass
class Bench:
    """A project `web` with a space `front-ends`, and whoever publishes there. Only time is made up."""

    emulator: Emulator
    clock: FakeClock
    seconds: Optional[float] = None
    heard: list[FileOutcome] = field(default_factory=list)

    @property
    def space_id(self) -> str:
        """Return the id of the space."""
        return self.emulator.state.find_spaces(SPACE)[0].id

    def publishing(self) -> Publishing:
        """Return what publishing needs."""
        deadline = Deadline(self.clock, seconds=self.seconds)
        gateway = Gateway(
            Endpoint(gateway=self.emulator.url, concurrency=1),
            app_principal(user=USER),
            transport=Transport(connect_timeout=5, read_timeout=5, environ={}),
            clock=self.clock,
            deadline=deadline,
        )
        desired = Desired(SpaceRef("gz", "web", SPACE), VERSION, (), OURS)
        return Publishing(gateway, desired, self.clock, deadline, self.heard.append)

    def publish(self, *changes: Change) -> tuple[FileOutcome, ...]:
        """Carry a plan of these changes out."""
        target = SpaceRef("gz", "web", SPACE)
        plan = Plan(target, VERSION, changes, creates_space=False, chart="none", digest="")
        return publish_files(self.publishing(), plan, space_id=self.space_id)

    def publish_one(self, change: Change) -> FileOutcome:
        """Carry a plan of one change out."""
        (outcome,) = self.publish(change)
        return outcome

    def settle(self, *files: FileOutcome) -> Settled:
        """Look back at the space."""
        return settle(self.publishing(), files, space_id=self.space_id)

    def add_file(self, name: str = NAME, *, pinned: bool = False, draft: str = "") -> None:
        """Put a file there that zhangsan has published."""
        self.emulator.state.add_file(
            SPACE, name, content=BEFORE, version="1.0.6", creator="zhangsan", pinned=pinned, draft=draft
        )

    def update(self, name: str = NAME, *, text: str = AFTER) -> Change:
        """Return the change that writes this file's next version on top of the current one."""
        file = self.emulator.state.find_file(SPACE, name)
        versions = self.emulator.state.find_versions(SPACE, name)
        current = next((version for version in versions if version.version == file.version), None)
        base = VersionRef(current.id, current.version, current.create_at) if current is not None else None
        return replace(
            creation(name, text=text),
            action="update",
            template_id=file.id,
            previous=base,
            bases=(base.id if base is not None else "-",),
            known=frozenset(version.id for version in versions),
            moves_pin=bool(file.version_mode),
        )

    def written(self) -> list[Exchange]:
        """Return the requests that were to change something."""
        return [exchange for exchange in self.emulator.exchanges if exchange.is_write]

    def bodies(self, match: Match) -> Sequence[dict[str, object]]:
        """Return what these requests said."""
        sent = [e for e in self.emulator.exchanges if match.fits(e.method, e.path)]
        return [body for body in (exchange.sent_json() for exchange in sent) if isinstance(body, dict)]

    def lose(self, match: Match, *, handled: bool, times: int = 1) -> None:
        """Let the answers to these requests be lost, after or without their handling."""
        kind = "handle-then-drop" if handled else "drop-before-handling"
        self.emulator.faults.add(Fault(kind, match, times=times))

    def refuse(self, match: Match, *, times: int = 1) -> None:
        """Let BCS refuse these requests."""
        self.emulator.faults.add(Fault("answer", match, times=times, status=200, body=AWAY))


@contextmanager
def open_bench() -> Iterator[Bench]:
    """Yield a bench, and see that no request broke a rule."""
    clock = FakeClock()
    clock.time = 1_767_225_600.0
    with Emulator(now=clock.now) as emulator:
        emulator.state.add_project("web", viewers={USER})
        emulator.state.add_app("my_app", SECRET, vouches_for={USER})
        emulator.state.add_space(SPACE)
        yield Bench(emulator, clock)
        assert emulator.problems() == []
