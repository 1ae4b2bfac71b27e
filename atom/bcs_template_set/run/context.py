"""What a run has: its services, and what its phases share. Values; performs no I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Optional

from bcs_template_set.agent.build_info import BuildInfo
from bcs_template_set.agent.log import Log
from bcs_template_set.agent.open_agent import Agent
from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.bcs.gateway import KeptSender
from bcs_template_set.bcs.space.existing import Existing
from bcs_template_set.config.bcs_variables import read_variables
from bcs_template_set.config.inputs import Settings
from bcs_template_set.config.principal import Principal
from bcs_template_set.config.regions import Region
from bcs_template_set.manifests.templating.prepare import Prepared
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import ProjectNotVisible
from bcs_template_set.publish.plan import Desired, Plan, Policy
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.run.record import RunRecord
from bcs_template_set.system.clock import Clock, Deadline
from bcs_template_set.system.proxies import Machine

if TYPE_CHECKING:
    from bcs_template_set.run.journal import Journal


@dataclass(frozen=True)
class Services:
    """Everything a run has beside its inputs.

    `on_region` hears which region it is for, once that is known. `journal_of` makes, of who acts in which
    build, what this task's tries leave for each other; None where nobody keeps it.
    `environ` is the process's environment, which may hold a proxy's password; what of it is obeyed,
    `settings_phase.machine_of` says. `sender` sends the gateway's requests and `render` renders, where that
    is not the step's own doing.
    """

    agent: Agent
    log: Log
    clock: Clock
    deadline: Deadline
    record: RunRecord
    workspace: Path
    on_region: Callable[[Region], None] = lambda *_: None
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    journal_of: Callable[[Principal, BuildInfo], Optional[Journal]] = lambda *_: None
    sender: Optional[KeptSender] = None
    render: Optional[Callable[[RunContext, Principal], tuple[Prepared, Desired]]] = None

    def warn(self, sentence: Text) -> None:
        """Print a warning, and keep it for the report."""
        self.record.warnings.append(sentence)
        self.log.warning(sentence)


@dataclass(frozen=True)
class RunContext:
    """What all phases share: what is asked for, by the typed inputs and the region they name, and by whom.

    `machine` is what of the environment counts.
    """

    services: Services
    settings: Settings
    region: Region
    build: BuildInfo
    machine: Machine

    def namespace(self, project_id: str) -> NamespaceRef:
        """Return the namespace to deploy into.

        Raises:
            ProjectNotVisible: the project manager would not say the id that live objects are asked for by.
        """
        settings, identity = self.settings, self.services.record.identity
        if not project_id:
            user = identity.acting_user if identity is not None else ""
            message = say("deploy.project_id_unknown")
            raise ProjectNotVisible(project=settings.project_code, user=user, message=message)
        return NamespaceRef(settings.project_code, project_id, settings.cluster_id, settings.namespace)

    @cached_property
    def variables(self) -> Mapping[str, str]:
        """Return the author's values for BCS's variables; InputsInvalid where they can't be read."""
        return read_variables(self.settings.variables)


@dataclass(frozen=True)
class RenderedRun:
    """What the phases from the plan on share; the gateway is handed to each as what it may do with it.

    `desired` is what was rendered; what the other branches have is added by every plan (merge_paths.py).
    """

    context: RunContext
    prepared: Prepared
    desired: Desired

    @property
    def services(self) -> Services:
        """Return what the run has beside its inputs."""
        return self.context.services

    @property
    def settings(self) -> Settings:
        """Return the typed inputs."""
        return self.context.settings

    @property
    def policy(self) -> Policy:
        """Return what the author allows."""
        return Policy(
            overwrite_version=self.settings.overwrite_version,
            allow_route_removal=self.settings.allow_route_removal,
            remove_branches=frozenset(self.settings.remove_branches),
            on_newer_build=self.settings.on_newer_build,
        )


@dataclass(frozen=True)
class Planned:
    """A plan, what it was made against, and what it makes of that.

    `read_at` is when reading began, on the monotonic scale. `variables` are those that the namespace has to
    give, with its values, as far as BCS tells before versions exist; None where nobody has asked, or BCS
    would not say.
    """

    plan: Plan
    existing: Existing
    desired: Desired
    read_at: float = float("-inf")
    variables: Optional[Mapping[str, str]] = None
