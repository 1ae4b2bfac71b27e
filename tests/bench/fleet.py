"""How long a fleet takes to deploy on a slow site, beside one call after another.

Three files a domain, half a second an object to deploy and a quarter to look; the gateway gives up after a
minute. Time is made up: it passes while all wait, so the figure does not depend on this machine.
"""

from __future__ import annotations

from bcs_template_set.rollout.deploy_files import deploy_files
from bcs_template_set.rollout.live_look import plan_live
from bcs_template_set.rollout.live_state import FileVersion
from bcs_template_set.rollout.sized_calls import Deploying
from bcs_template_set.system.clock import Deadline
from tests.bench.rollout import site_of, way_to
from tests.emulator import Emulator
from tests.emulator.exchanges import most_at_once
from tests.emulator.pace import Pace
from tests.support.idle_clock import IdleClock

HEADINGS = ("deploying", "files", "one by one", "aim", "seconds", "calls", "cut short", "most at once")
DOMAINS = 300
DEPLOY, PREVIEW = 0.5, 0.25
"""Seconds an object."""

SPACE = "front-ends"
PARTS = ("deployment", "service", "routes")
OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{a: b}}\n"
"""What each file holds: the calls are measured, and no cluster that would roll out."""


def measure(domains: int = DOMAINS) -> list[tuple[str, ...]]:
    """Return the row of a fleet: a look, the deployment, and a look back at every object."""
    with IdleClock() as clock, Emulator(now=clock.now) as emulator:
        site_of(emulator)
        files = [file_of(emulator, number, part) for number in range(domains) for part in PARTS]
        emulator.state.pace = Pace(DEPLOY, PREVIEW, wait=clock.wait)
        began = clock.monotonic()
        live = deploy(emulator, files, clock)
        seconds = clock.monotonic() - began
    assert len(live) == len(files)
    alone = (DEPLOY + 2 * PREVIEW) * len(files)
    return [
        (
            f"{domains} domains",
            str(len(files)),
            f"{alone:.0f} s",
            f"{alone / 2:.0f} s",
            f"{seconds:.0f} s",
            str(len(emulator.exchanges)),
            str(sum(exchange.status == 504 for exchange in emulator.exchanges)),
            str(most_at_once(emulator.exchanges)),
        )
    ]


def file_of(emulator: Emulator, number: int, part: str) -> FileVersion:
    """Add a file of a domain to the space, and return its version."""
    name = f"d{number:03}.example.com.{part}.yaml"
    emulator.state.add_file(SPACE, name, content=OBJECT.format(name=f"d{number:03}-{part}"))
    return FileVersion(name, emulator.state.find_versions(SPACE, name)[0].id, "1.0.0")


def deploy(emulator: Emulator, files: list[FileVersion], clock: IdleClock) -> tuple[object, ...]:
    """Look and deploy as a run does, through the gateway."""
    deadline = Deadline(clock, seconds=3600)
    gateway, place = way_to(emulator, clock, deadline)
    deploying = Deploying(place, SPACE, {}, clock, deadline)
    plan = plan_live(gateway, deploying, files, redeploy=False)
    return deploy_files(gateway, deploying, plan.deploy, known=plan.states)
