"""The site that the end-to-end tests of identity, agent and bad input share: one project, two people, an app.

`site` starts it, and afterwards asserts that the step misused nothing. `Worker.run` starts the real step;
`run_here` lives the same run in this process, for the many cases where a process adds nothing.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from tests.emulator import Emulator
from tests.support.dialects import at_work
from tests.support.warm_start import SECRET_OF_MOST
from tests.support.worker import Finished, Worker, finish, launch

from bcs_template_set.agent.log import Log
from bcs_template_set.agent.masker import Masker
from bcs_template_set.agent.open_agent import open_agent
from bcs_template_set.report.outcome import Heading, Outcome
from bcs_template_set.report.verdict_lines import verdict_lines
from bcs_template_set.run.context import Services
from bcs_template_set.run.finish import show_lines
from bcs_template_set.run.record import RunRecord
from bcs_template_set.run.step import run_step
from bcs_template_set.system.clock import Deadline
from bcs_template_set.system.version import step_version

APP_SECRET = SECRET_OF_MOST
VALUES = """\
app: nginx
domains:
  - {host: www.example.com, image: 'example.com/www:1', load_balancers: [lb-g9buwd3i]}
"""
FILES = tuple(f"www.example.com.{part}.yaml" for part in ("deployment", "routes", "service"))


class SkippingClock:
    """The real time, but for waits: they are over at once and have taken their time all the same."""

    def __init__(self) -> None:
        self._skipped = 0.0

    def now(self) -> float:
        return time.time() + self._skipped

    def monotonic(self) -> float:
        return time.monotonic() + self._skipped

    def wait(self, seconds: float) -> None:
        self._skipped += max(0.0, seconds)


@dataclass(frozen=True)
class Lived:
    """How a run in this process ended, and its log."""

    outcome: Outcome
    log: str

    @property
    def code(self) -> int:
        """Return the error's code, 0 where there is none."""
        return self.outcome.error.code if self.outcome.error is not None else 0


@contextmanager
def site(
    root: Path,
    *,
    emulator: Optional[Emulator] = None,
    region: Optional[Mapping[str, object]] = None,
    cold: bool = False,
) -> Iterator[Worker]:
    """Start the site, yield a build machine in it, and see that no request broke a rule.

    `cold` has its steps started as an agent starts them (`Worker`).
    """
    with emulator if emulator is not None else Emulator(dialect=at_work()) as started:
        started.state.add_project("web", viewers={"lisi"})
        started.state.add_app("lisi_app", APP_SECRET, vouches_for={"lisi", "wangwu"})
        app = {"app_code": "lisi_app", "app_secret": APP_SECRET, "owner": "lisi"}
        inputs = {"region": "gz", "template_space": "front-ends", "values": VALUES}
        gz = {"gateway": started.url, **(app if region is None else region)}
        yield Worker(root, started, regions={"gz": gz}, inputs=inputs, cold=cold)
        assert started.problems() == []


def change_region(worker: Worker, **settings: object) -> None:
    """Give the region these settings beside those it has."""
    worker.regions = {"gz": {**worker.regions["gz"], **settings}}


def unowned(worker: Worker, **region: object) -> None:
    """Give the region its app without an owner: it vouches for whoever acts."""
    app = {"app_code": "lisi_app", "app_secret": APP_SECRET}
    worker.regions = {"gz": {"gateway": worker.emulator.url, **app, **region}}


def unrecorded(worker: Worker, **region: object) -> None:
    """Let the region say that the build API can't be asked, and let that be so."""
    unowned(worker, **{"people": "environment", **region})
    worker.emulator.state.agents.clear()


def run_here(worker: Worker, **inputs: str) -> Lived:
    """Live the run of a worker in this process, through all its files but `output.json`."""
    return run_within(worker, seconds=None, inputs=inputs)


def run_within(worker: Worker, *, seconds: Optional[float], inputs: Mapping[str, str]) -> Lived:
    """Live such a run within so many seconds."""
    _, environ = worker.prepare(**inputs)
    clock, masker, shown = SkippingClock(), Masker(), io.StringIO()
    agent = open_agent(environ, clock=clock, masker=masker)
    log = Log(shown, "en_US", masker=masker)
    outcome = run_step(
        Services(
            agent=agent,
            log=log,
            clock=clock,
            deadline=Deadline(clock, seconds=seconds),
            record=RunRecord(clock=clock, language="en_US", heading=Heading(step_version=step_version())),
            workspace=worker.workspace,
            environ=environ,
        )
    )
    show_lines(log, verdict_lines(outcome))
    return Lived(outcome, shown.getvalue())


def run_changed(worker: Worker, change: Callable[[Path], object], **inputs: str) -> Finished:
    """Run the step after `change` has had its way with the agent's directory."""
    directory, environ = worker.prepare(**inputs)
    change(directory)
    return finish(launch(directory, environ), directory)


def check_refused(finished: Finished, code: int, *words: str, status: str = "failure") -> None:
    """Assert that the process ended with that code and said all of these words."""
    assert finished.status == 1, finished.log
    assert finished.stderr == ""
    assert (finished.told["status"], finished.told["errorCode"]) == (status, code), finished.log
    assert finished.told["message"]
    for word in words:
        assert word in finished.log, f"{word!r} is not in:\n{finished.log}"
