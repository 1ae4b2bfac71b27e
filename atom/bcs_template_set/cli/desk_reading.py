"""What the verbs that only look share: the settings file's folder and namespace, read as the one user.

Nothing of a run's log is printed: what a verb finds goes to stdout, its errors to stderr.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Optional

from bcs_template_set.agent.log import Log
from bcs_template_set.agent.log_text import guarded
from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.answers import TemplateFile, TemplateSpace
from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.deploy_calls import NamespaceRef, list_namespaces
from bcs_template_set.bcs.space.cluster_reads import ask_cluster
from bcs_template_set.bcs.space.template_spaces import find_space, list_files, oldest_of_each_name
from bcs_template_set.cli.verb_plan import at_a_desk
from bcs_template_set.config.inputs import Settings
from bcs_template_set.manifests.scope import Scope, web_host
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import ClusterNotVisible, InputsInvalid
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.rollout.before_deploying import missing_namespace
from bcs_template_set.rollout.live_look import Deploying
from bcs_template_set.run.context import RunContext, Services
from bcs_template_set.run.live_plan import deploying_of
from bcs_template_set.run.run_gateway import holding, open_gateway
from bcs_template_set.run.settings_phase import find_principal, read_everything
from bcs_template_set.system.stdout import put

_EXPRESSION = re.compile(r"\{\{\s*(.*?)\s*\}\}")
_TOLD: Mapping[str, str] = {"build.number": "(?P<build>[0-9]+)", "branch.slug": "(?P<branch>[a-z0-9-]+)"}
"""What a version's name may tell of its build, by the expressions of the input `version`."""


@dataclass(frozen=True)
class Folder:
    """The folder that a settings file names: its files that are asked for, and who may look at them.

    `others` are its other files. `deploying` says where its files are deployed, None where the settings name
    no namespace.
    """

    reader: Reader
    settings: Settings
    space: TemplateSpace
    files: tuple[TemplateFile, ...]
    others: tuple[TemplateFile, ...]
    concurrency: int
    deploying: Optional[Deploying]

    @property
    def target(self) -> Deploying:
        """Return where its files are deployed.

        Raises:
            InputsInvalid: the settings name no namespace.
        """
        if self.deploying is None:
            raise InputsInvalid(details=[say("status.needs_namespace")])
        return self.deploying


Look = Callable[[Folder], Iterable[str]]
"""Looks at a folder, and returns the lines to print."""


def look_at_desk(settings_file: str, hosts: Sequence[str], look: Look, *, errors: Log) -> int:
    """Print what a look at the folder of a settings file finds of these hosts or files; return 0."""
    silent = Log(io.StringIO(), errors.language, masker=errors.masker)
    with at_a_desk(settings_file, log=silent) as services:
        lines = lines_of_look(services, hosts, look)
    for line in lines:
        put(sys.stdout, line + "\n")
    return 0


def lines_of_look(services: Services, hosts: Sequence[str], look: Look) -> list[str]:
    """Return what a look finds, without any secret and fit to be lines of a log.

    Raises:
        StepError: the folder or the namespace can't be looked at.
    """
    context = read_everything(services)
    gateway = open_gateway(context, find_principal(context))
    with holding(gateway):
        lines = [*look(_read_folder(gateway, context, hosts))]
    return [services.log.masker.mask(guarded(line)) for line in lines]


def _read_folder(reader: Reader, context: RunContext, hosts: Sequence[str]) -> Folder:
    """Return the folder with the files of these hosts, all where none is named.

    Raises:
        InputsInvalid: there is no such folder, or a name is neither a host nor a file of it.
        StepError: whatever the gateway or BCS answered.
    """
    settings, concurrency = context.settings, context.region.endpoint.concurrency
    project = settings.project_code
    space = find_space(reader, project=project, space=settings.template_space)
    if space is None:
        raise InputsInvalid(
            details=[say("branches.no_space", project=project, space=settings.template_space)]
        )
    files = oldest_of_each_name(list_files(reader, project, space.id)).values()
    scope = Scope(tuple(hosts), {file.real_name: web_host(file.real_name) for file in files})
    mistakes = scope.mistakes(key="local.no_host")
    if mistakes:
        raise InputsInvalid(details=mistakes).with_cure(say("local.cure_arguments"))
    return Folder(
        reader,
        settings,
        space,
        tuple(file for file in files if scope.has(file.real_name)),
        tuple(file for file in files if not scope.has(file.real_name)),
        concurrency,
        _deploying(reader, context) if settings.namespace else None,
    )


def _deploying(reader: Reader, context: RunContext) -> Deploying:
    """Return where the settings' namespace is.

    Raises:
        NamespaceMissing, ClusterNotVisible: it is not there, or nobody may see the cluster.
    """
    settings = context.settings
    found = reader.read(protocol.get_project(settings.project_code))
    place = NamespaceRef(settings.project_code, found.project_id, settings.cluster_id, settings.namespace)
    try:
        known = ask_cluster(reader, place, list_namespaces(place))
    except ClusterNotVisible:
        raise
    except StepError:
        known = ()  # whoever may not list them may still look at the one
    if known and place.namespace not in known:
        raise missing_namespace(place, known)
    return deploying_of(context, place, context.variables)


def build_pattern(version: str) -> Optional[re.Pattern[str]]:
    """Return what reads a build off the name of a version, None where the input puts none there."""
    parts = _EXPRESSION.split(version)
    texts, expressions = parts[::2], parts[1::2]
    if "build.number" not in expressions or len(set(expressions)) < len(expressions):
        return None
    if not set(expressions) <= _TOLD.keys():
        return None
    found = zip(texts, (*(_TOLD[expression] for expression in expressions), ""))
    return re.compile("".join(re.escape(text) + expression for text, expression in found))
