"""What happened, as values: rendered as log, output.json and HTML from the same ones. Performs no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

from bcs_template_set.branches.branch_rows import BranchRow
from bcs_template_set.messages import Language, Text
from bcs_template_set.messages.state_words import Result
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.publish.file_outcome import ChartState, FileOutcome
from bcs_template_set.publish.plan import Plan
from bcs_template_set.publish.take_away import Taken
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.report.console_links import NO_CONSOLE, Console
from bcs_template_set.report.examination import Finding
from bcs_template_set.rollout.result import Rollout

if TYPE_CHECKING:
    from bcs_template_set.bcs.gateway import Exchange


@dataclass(frozen=True)
class Identity:
    """Who the run is, as header, log, output and description say it. `reason` says why.

    `acting_user` is the principal's label: a credential's name where only its access token knows the user.
    """

    acting_user: str
    app_code: str
    credential: str
    reason: Text
    starter: str


@dataclass(frozen=True)
class Phase:
    """One phase of the run: seconds since the epoch when it began, and how many it took."""

    name: str
    started_at: float
    seconds: float


@dataclass(frozen=True)
class Heading:
    """What the run is about, for header and report; "" where not known.

    `proxy` and `certificates` are what the gateway is reached by, where that is not the usual. `bcs` are the
    releases of BCS that its answers can have come from. `goes_back`: it deploys what was.
    """

    step_version: str = ""
    action: str = ""
    pipeline: str = ""
    build_number: int = 0
    build_url: str = ""
    branch: str = ""
    commit: str = ""
    region: str = ""
    project: str = ""
    space: str = ""
    console: Console = NO_CONSOLE
    template_set: str = ""
    version: str = ""
    proxy: str = ""
    certificates: str = ""
    bcs: Optional[Text] = None
    goes_back: bool = False
    pipeline_id: str = ""


@dataclass(frozen=True)
class Outcome:
    """The whole truth about a run. `changed` tells whether anything was written, also when it failed."""

    result: Result
    changed: bool
    language: Language
    heading: Heading
    identity: Optional[Identity] = None
    plan: Optional[Plan] = None
    files: tuple[FileOutcome, ...] = ()
    chart: ChartState = "none"
    error: Optional[StepError] = None
    rollout: Optional[Rollout] = None
    taken: Optional[Taken] = None
    branches: tuple[BranchRow, ...] = ()
    findings: tuple[Finding, ...] = ()
    warnings: tuple[Text, ...] = ()
    phases: tuple[Phase, ...] = ()
    requests: tuple[Exchange, ...] = ()
    finished_at: float = 0.0

    @property
    def to_publish(self) -> Optional[Plan]:
        """Return the plan of a run that only planned, None where carrying it out would change nothing."""
        plan = self.plan
        would_write = self.result == "planned" and plan is not None and (plan.writes or plan.pruning.deletes)
        return self.plan if would_write else None
