"""What happened, as values: rendered as log, output.json and HTML from the same ones. Performs no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Optional
from urllib.parse import quote, urlencode

from bcs_template_set.branches.branch_rows import BranchRow
from bcs_template_set.messages import Language, Text
from bcs_template_set.messages.state_words import Result
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.publish.file_outcome import ChartState, FileOutcome
from bcs_template_set.publish.plan import Change, Plan
from bcs_template_set.publish.take_away import Taken
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.report.examination import Finding
from bcs_template_set.rollout.result import Rollout

if TYPE_CHECKING:
    from bcs_template_set.bcs.gateway import Exchange

USUAL_PATH = "/bcs"
"""Where the console lies on its host unless `console_url` says so."""

_CATEGORIES: Mapping[str, str] = {
    "Deployment": "deployments",
    "StatefulSet": "statefulsets",
    "DaemonSet": "daemonsets",
    "Job": "jobs",
    "CronJob": "cronjobs",
    "Pod": "pods",
    "GameDeployment": "custom_objects",
    "GameStatefulSet": "custom_objects",
    "Rollout": "custom_objects",
}
_CRDS: Mapping[str, Mapping[str, str]] = {
    "GameDeployment": {"crd": "gamedeployments.tkex.tencent.com"},
    "GameStatefulSet": {"crd": "gamestatefulsets.tkex.tencent.com"},
    "Rollout": {"crd": "rollouts.argoproj.io", "version": "v1alpha1", "isCommonCrd": "true"},
}
"""What the console's page of a custom object needs beside its kind: of one without pages of its own, more."""


@dataclass(frozen=True)
class Console:
    """The console's pages of one project.

    `url` is the region's `console_url`, `project` the project's code, `space_id` the folder's id.
    """

    url: str = ""
    project: str = ""
    space_id: str = ""

    @property
    def space_url(self) -> str:
        """Return the address of the template folder."""
        return self._page("template", "file", self.space_id)

    def file_url(self, template_id: str, version_id: str = "") -> str:
        """Return the address of a template file, shown at a version where one is given."""
        query = {"versionID": version_id} if version_id else {}
        return self._page("template", "file", self.space_id, template_id, **query)

    def object_url(self, cluster_id: str, namespace: str, kind: str, name: str) -> str:
        """Return the address of a workload or pod; "" for a kind whose page needs more than its name."""
        query = {"kind": kind, **_CRDS.get(kind, {})}
        place = ("workloads", _CATEGORIES.get(kind, ""), "namespaces", namespace, name)
        return self._page("clusters", cluster_id, *place, **query)

    def _page(self, *segments: str, **query: str) -> str:
        if not self.url or not all((self.project, *segments)):
            return ""
        root = self.url if "/" in self.url.partition("://")[2] else self.url + USUAL_PATH
        path = "/".join(
            quote(segment, safe="", errors="replace") for segment in ("projects", self.project, *segments)
        )
        tail = urlencode(query, errors="replace")
        return f"{root}/{path}?{tail}" if tail else f"{root}/{path}"


NO_CONSOLE = Console()
"""That of a region without `console_url`: it has no address of anything."""


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
    def planned(self) -> dict[str, Change]:
        """Return what was planned, by file; nothing without a plan."""
        return {change.name: change for change in (self.plan.changes if self.plan is not None else ())}

    @property
    def to_publish(self) -> Optional[Plan]:
        """Return the plan of a run that only planned, None where carrying it out would change nothing."""
        plan = self.plan
        would_write = self.result == "planned" and plan is not None and (plan.writes or plan.pruning.deletes)
        return self.plan if would_write else None
