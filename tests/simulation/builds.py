"""One build in a world: the step's real code from its inputs to its verdict, and what came of it.

It is the process, the clock and the agent's files of the run (`Process`, `Clock`, `open_agent`); the rest is
the step's. A build that is killed never goes on: whatever its code does next, it is stopped there.
"""

from __future__ import annotations

import io
import json
import signal
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Optional, TypeVar

from bcs_template_set.agent.log import Log
from bcs_template_set.agent.open_agent import open_agent
from bcs_template_set.messages.server_errors import OutOfTime
from bcs_template_set.report.outcome import Outcome
from bcs_template_set.run.context import Services
from bcs_template_set.run.entry import Process, run_whole
from bcs_template_set.system.http_values import NoAnswer
from bcs_template_set.system.parallel import INSTEAD, TaskEnd, values_of
from bcs_template_set.system.signals import Interruption, Stopped
from tests.emulator.build_worker import Task
from tests.simulation.baton import ended
from tests.simulation.contents import inputs_of, texts_of
from tests.simulation.holdings import Live, live_objects
from tests.simulation.line import Line, Sent
from tests.simulation.worlds import OTHER_USER, BuildPlan, FaultPlan
from tests.support.publishing import IDENTITY

if TYPE_CHECKING:
    from tests.simulation.site import SimulatedSite

T = TypeVar("T")
SECRET = "web_app-canary-5ecr3t"
APP, APPS = "web_app", {OTHER_USER: "zhaoliu_app"}
"""The region's app, and those of users who have one of their own; one secret will do."""

AGENT_KEY = "agent-canary-k3y-1"


ALARMS_OF_A_RUN = 2
"""How often a run limits what it does before it writes its report: before its inputs are read, and after."""


class Killed(BaseException):
    """The build's process is gone."""


@dataclass(frozen=True)
class Told:
    """What a build said of itself, and what is known of it. `status` is None where it was killed.

    `live` are the live objects when it ended. `is_post`: it is the post action of a job that failed.
    """

    plan: BuildPlan
    attempt: int
    began: float
    ended: float
    status: Optional[int]
    output: Mapping[str, Any]
    log: str
    outcome: Optional[Outcome]
    sent: Sequence[Sent]
    live: Mapping[str, Live] = field(default_factory=dict)
    is_post: bool = False

    @property
    def result(self) -> str:
        """Return the output `result`."""
        return self.text("result")

    @property
    def code(self) -> int:
        """Return the error's code, 0 where there is none."""
        return int(self.output.get("errorCode", 0))

    @property
    def succeeded(self) -> bool:
        """Tell whether the build is green."""
        return self.status == 0

    def text(self, name: str) -> str:
        """Return a string output, "" where it is not given."""
        entry = self.output["data"].get(name)
        return str(entry["value"]) if entry is not None else ""

    def versions(self) -> dict[str, dict[str, str]]:
        """Return the output `versions`."""
        told: dict[str, dict[str, str]] = json.loads(self.text("versions") or "{}")
        return told

    @property
    def faults(self) -> list[str]:
        """Return the kinds of what has struck the build."""
        return [sent.fault for sent in self.sent if sent.fault]


class Build:
    """A build that runs. It is its own clock."""

    def __init__(
        self, site: SimulatedSite, plan: BuildPlan, *, attempt: int = 1, faults: Sequence[FaultPlan] = ()
    ) -> None:
        self.site = site
        self.plan = plan
        self.attempt = attempt
        self.faults = faults
        self.sent: list[Sent] = []
        self.told: Optional[Told] = None
        self._thread = 0
        self._dead = self._interrupted = False
        self._alarm: Optional[float] = None
        self._alarms = 0
        self._interruption = Interruption(self, alarm=self._set_alarm)
        self._services: Optional[Services] = None

    # --- the clock --------------------------------------------------------------------------------------

    def now(self) -> float:
        """Return seconds since the epoch."""
        return self.site.baton.now

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return self.site.baton.now

    def wait(self, seconds: float) -> None:
        """Wait so many seconds, or until the run is interrupted."""
        if not self._interrupted:
            self.site.say(self, f"waits {seconds:.1f} s")
            self.pause(seconds)

    def pause(self, seconds: float) -> None:
        """Give the baton away for so many seconds; what ends the run ends it here."""
        until = self.now() + max(0.0, seconds)
        moment = self._next_moment()
        while moment is not None and moment <= until:
            self.site.baton.pause(moment - self.now())
            moment = self._next_moment()
        self.site.baton.pause(until - self.now())
        self._next_moment()

    def while_waiting(self, task: Callable[[], T], *, patience: float) -> T:
        """Return what a server's work comes to, which goes on where the build gives up or ends.

        Raises NoAnswer.
        """
        latest = self.now() + patience

        def until() -> Optional[float]:
            moment = self._next_moment()
            if latest <= self.now():
                raise NoAnswer("timed out")
            return latest if moment is None else min(latest, moment)

        return values_of(self.site.baton.together([task], threads=1, until=until))[0]

    def end(self, *, by_signal: bool) -> None:
        """End the run here: by SIGTERM, or for good. Raises."""
        if by_signal:
            self._take(signal.SIGTERM)
        else:
            self._dead = True
            raise Killed

    def _next_moment(self) -> Optional[float]:
        """Return when an alarm goes off, after having let those go off that are due: they raise."""
        if self._dead:
            raise Killed
        if threading.get_ident() != self._thread:
            return None
        if self._alarm is not None and self._alarm <= self.now():
            self._alarm = None
            self._take(signal.SIGALRM)
        return self._alarm

    def _take(self, number: int) -> None:
        error = self._interruption.take(number)
        if error is not None:
            self._interrupted = True
            raise Stopped(error)

    def _set_alarm(self, seconds: float) -> Callable[[], object]:
        """Have the run stopped in so many seconds; at once where it only has its report left to write."""
        self._alarms += 1
        if self._alarms > ALARMS_OF_A_RUN and not self.site.has_reports:
            raise Stopped(OutOfTime(seconds=0))
        self._alarm = self.now() + seconds

        def disarm() -> None:
            self._alarm = None

        return disarm

    # --- the run ----------------------------------------------------------------------------------------

    def live(self) -> None:
        """Live the build, in this thread, from the agent's files to its output, and its job's end."""
        self._live_step("")
        if self.plan.job_fails and self.told is not None and self.told.status is not None:
            self.faults, self.sent = (), []
            self._interruption = Interruption(self, alarm=self._set_alarm)
            self._interrupted = False
            self._live_step("restore")

    def _live_step(self, post_action: str) -> None:
        self._thread, self._alarms = threading.get_ident(), 0
        directory = self.site.directory_of(self.plan)
        task = self._task(directory, parent=str(IDENTITY["taskId"]) if post_action else "")
        environ = task.hand_over(directory)
        began, line, shown = self.now(), Line(self), io.StringIO()
        masker = self.site.new_masker()
        log = Log(shown, "en_US", masker=masker)
        agent = open_agent(environ, clock=self, masker=masker, sender=lambda _: line)
        process = Process(
            environ,
            self,
            self._interruption,
            began,
            post_action,
            equip=lambda services: self._equipped(services, line),
        )
        self.site.say(self, f"begins, {post_action or self.plan.action} of {self.plan.files}")
        token = INSTEAD.set(self._together)
        status: Optional[int] = None
        try:
            status = run_whole(agent, log, process=process)
        except Killed:
            self.site.say(self, "is killed")
        finally:
            INSTEAD.reset(token)
        output = json.loads((directory / "output.json").read_text(encoding="utf-8"))
        record = self._services.record if self._services is not None else None
        result = output["data"].get("result", {}).get("value", "failed")
        outcome = record.tell(result) if record is not None and not post_action else None
        self.told = Told(
            self.plan,
            self.attempt,
            began,
            self.now(),
            status,
            output,
            shown.getvalue(),
            outcome,
            self.sent,
            live_objects(self.site) if self.site.emulator.state.clusters else {},
            is_post=bool(post_action),
        )
        self.site.told.append(self.told)
        self.site.say(self, f"ends: {self.told.result or output['status']} {self.told.code or ''}".rstrip())

    def note(self, sent: Sent) -> None:
        """Remember a request."""
        self.sent.append(sent)
        struck = f" [{sent.fault}]" if sent.fault else ""
        self.site.say(
            self, f"{sent.request.method} {sent.request.path} -> {sent.answered or 'nothing'}{struck}"
        )

    def _together(self, tasks: Sequence[Callable[[], T]], *, concurrency: int) -> list[TaskEnd[T]]:
        threads = min(concurrency, self.plan.threads, len(tasks))
        if threads <= 1:
            return [ended(task) for task in tasks]
        return self.site.baton.together(tasks, threads=threads, until=self._next_moment)

    def _equipped(self, services: Services, line: Line) -> Services:
        self._services = replace(services, sender=line, render=self.site.render)
        return self._services

    def _task(self, directory: Path, *, parent: str) -> Task:
        plan, workspace = self.site.as_done(self.plan), directory / "workspace"
        workspace.mkdir(exist_ok=True)
        for name, text in texts_of(plan).items():
            (workspace / name).write_text(text, encoding="utf-8")
        variables = {
            "BK_CI_START_USER_NAME": "wangwu",
            "BK_CI_PIPELINE_UPDATE_USER": plan.user,
            "BK_CI_PROJECT_NAME": "web",
            "BK_CI_PIPELINE_ID": plan.pipeline,
            "BK_CI_BUILD_NUM": str(plan.number),
            "BK_CI_BUILD_START_TIME": str(int((self.site.began + plan.at) * 1000)),
            "BK_CI_GIT_REF": f"refs/heads/{plan.branch}",
            "BK_CI_GIT_SHA": "0123456789abcdef",
        }
        identity = {
            **IDENTITY,
            "gateway": "http://ci.example.com",
            "buildId": f"b-{plan.key}",
            "secretKey": AGENT_KEY,
            "executeCount": self.attempt,
            "taskId": f"{IDENTITY['taskId']}-post" if parent else IDENTITY["taskId"],
        }
        self.site.emulator.state.start_build(
            f"b-{plan.key}",
            project_id="web",
            pipeline_id=plan.pipeline,
            variables=variables,
            user_id="wangwu",
        )
        facts = {"bkWorkspace": str(workspace), "BK_CI_ATOM_TIMEOUT": str(plan.minutes)}
        settings = {"regions": json.dumps({"gz": self.site.region(plan)})}
        return Task(identity, variables, facts, inputs_of(plan), private_settings=settings, parent=parent)
