"""The verbs that only look at the settings file's folder and namespace, read as the one user.

Nothing of a run's log is printed: what a verb finds goes to stdout, its errors to stderr.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Optional

from bcs_template_set.agent.log import Log
from bcs_template_set.agent.log_text import guarded
from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.answers import TemplateFile, TemplateSpace
from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.deploy_calls import list_namespaces
from bcs_template_set.bcs.space.cluster_reads import ask_cluster
from bcs_template_set.bcs.space.existing import SpaceHistories, ref_of
from bcs_template_set.bcs.space.template_spaces import files_by_name, list_histories
from bcs_template_set.bcs.space.versions import read_past_files, read_versions
from bcs_template_set.cli.verb_plan import at_a_desk, find_folder
from bcs_template_set.cli.version_builds import (
    Pattern,
    Refs,
    build_pattern,
    builds_of,
    carried,
    is_open,
    told_by,
)
from bcs_template_set.config.inputs import Settings
from bcs_template_set.manifests.scope import Scope
from bcs_template_set.messages import Language, say
from bcs_template_set.messages.errors import ClusterNotVisible, InputsInvalid
from bcs_template_set.messages.spelling import with_nearest
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.messages.text import json_text
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.report.domain_rows import (
    DomainRow,
    history_document,
    history_lines,
    status_document,
    status_lines,
)
from bcs_template_set.report.version_diff import (
    LIVE,
    FileDifference,
    State,
    difference_document,
    difference_lines,
    differences,
    live_differences,
    state_at,
    to_read,
)
from bcs_template_set.rollout.before_deploying import missing_namespace
from bcs_template_set.rollout.domain_status import DomainHere
from bcs_template_set.rollout.read_status import look_at_versions, read_lists, read_status
from bcs_template_set.rollout.revisions import history_rows, revisions_of
from bcs_template_set.rollout.sized_calls import Deploying
from bcs_template_set.run.context import RunContext, Services
from bcs_template_set.run.look_ahead import deploying_of
from bcs_template_set.run.settings_phase import find_principal, holding, open_gateway, read_everything
from bcs_template_set.system.stdout import put


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


def lines_of_look(services: Services, hosts: Sequence[str], look: Look) -> list[str]:
    """Return what a look finds, without any secret and fit to be lines of a log.

    Raises:
        StepError: the folder or the namespace can't be looked at.
    """
    context = read_everything(services)
    gateway = open_gateway(context, find_principal(context))
    with holding(gateway):
        lines = [*look(read_folder(gateway, context, hosts))]
    return [services.log.masker.mask(guarded(line)) for line in lines]


def read_folder(reader: Reader, context: RunContext, hosts: Sequence[str]) -> Folder:
    """Return the folder with the files of these hosts, all where none is named.

    Raises:
        InputsInvalid: there is no such folder, or a name is neither a host nor a file of it.
        StepError: whatever the gateway or BCS answered.
    """
    settings = context.settings
    # First, since the refusal of a list of templates does not say where to apply (facts/bcs.md).
    deploying = _deploying(reader, context) if settings.namespace else None
    space = find_folder(reader, settings)
    files = files_by_name(reader, settings.project_code, space.id).values()
    scope = Scope(tuple(hosts), [file.real_name for file in files])
    mistakes = scope.mistakes(key="local.no_host")
    if mistakes:
        raise InputsInvalid(details=mistakes).with_cure(say("local.cure_arguments"))
    return Folder(
        reader,
        settings,
        space,
        tuple(file for file in files if scope.has(file.real_name)),
        tuple(file for file in files if not scope.has(file.real_name)),
        deploying,
    )


def _deploying(reader: Reader, context: RunContext) -> Deploying:
    """Return where the settings' namespace is.

    Raises:
        NamespaceMissing, ClusterNotVisible: it is not there, or nobody may see the cluster.
    """
    settings = context.settings
    place = context.namespace(reader.read(protocol.get_project(settings.project_code)).project_id)
    try:
        known = ask_cluster(reader, place, list_namespaces(place))
    except ClusterNotVisible:
        raise
    except StepError:
        known = ()  # whoever may not list them may still look at the one
    if known and place.namespace not in known:
        raise missing_namespace(place, known)
    return deploying_of(context, place, context.variables)


def look(options: argparse.Namespace, *, errors: Log) -> int:
    """Print what a verb finds; return 0, also where versions differ."""
    as_json, language = options.json, errors.language
    find: Look = partial(look_at_status, as_json=as_json, language=language)
    if options.verb == "history":
        find = partial(look_at_history, as_json=as_json, language=language)
    elif options.verb == "diff":
        versions = options.A, options.B
        find = partial(look_at_difference, versions=versions, as_json=as_json, language=language)
    silent = Log(io.StringIO(), errors.language, masker=errors.masker)
    with at_a_desk(options.settings, log=silent) as services:
        lines = lines_of_look(services, options.hosts, find)
    for line in lines:
        put(sys.stdout, line + "\n")
    return 0


def look_at_status(folder: Folder, *, as_json: bool, language: Language) -> Iterable[str]:
    """Return the lines that say what is live of a folder's files."""
    deploying, place = folder.target, folder.target.place
    status = read_status(folder.reader, deploying, folder.files)
    pattern = build_pattern(folder.settings.version)
    refs = _with_origins(folder, status.domains, status.refs, pattern=pattern)
    rows = [DomainRow(domain, refs, builds_of(domain, refs, pattern)) for domain in status.domains]
    head = {"cluster_id": place.cluster_id, "namespace": place.namespace, "space": folder.space.name}
    if as_json:
        document = {**head, "domains": status_document(rows, language=language)}
        return [json_text(document)]
    return [say("status.head", **head).render(language), *status_lines(rows, language=language)]


# --- build and whom -------------------------------------------------------------------------------------


def _with_origins(
    folder: Folder, domains: Iterable[DomainHere], refs: Refs, *, pattern: Optional[Pattern]
) -> Refs:
    """Return the versions with the builds that published them, read where neither name nor list tells.

    All of them are read at once; where that fails, they are shown without.
    """
    unknown = {
        pair: refs[pair].id
        for domain in domains
        for pair in carried(domain)
        if pair in refs and is_open(domain, refs[pair], pattern)
    }
    with suppress(StepError):
        read = read_versions(folder.reader, folder.settings.project_code, unknown.values())
        return {**refs, **{pair: ref_of(read[version_id]) for pair, version_id in unknown.items()}}
    return refs


def look_at_history(folder: Folder, *, as_json: bool, language: Language) -> Iterable[str]:
    """Return the lines that tell the versions of a folder's files."""
    project = folder.settings.project_code
    files = read_past_files(folder.reader, project, folder.files)
    lists = read_lists(folder.reader, folder.deploying) if folder.deploying is not None else None
    revisions = revisions_of(lists.replica_sets) if lists is not None else {}
    rows = history_rows(
        files.values(),
        space=folder.space.name,
        live=lists.objects.rows if lists is not None else None,
        revisions=[one for found in revisions.values() for one in found],
    )
    unknown = [
        say("history.not_known", kind=kind.name, problem=error.title())
        for kind, error in (lists.objects.unread if lists is not None else {}).items()
    ]
    if as_json:
        document = {
            "space": folder.space.name,
            "versions": history_document(rows),
            "not_known": [text.render(language) for text in unknown],
        }
        return [json_text(document)]
    return [*history_lines(rows, language=language), *(text.render(language) for text in unknown)]


def look_at_difference(
    folder: Folder, *, versions: tuple[str, str], as_json: bool, language: Language
) -> Iterable[str]:
    """Return the lines that say in what the versions differ."""
    before, after = versions
    histories = _histories(folder, versions)
    if LIVE in versions:
        found = [*_with_live(folder, histories, versions)]
    else:
        old, new = (_state(folder, histories, name) for name in versions)
        ids, project = to_read(old, new), folder.settings.project_code
        read = read_versions(folder.reader, project, ids)
        contents = {version_id: version.content for version_id, version in read.items()}
        found = [*differences(old, new, contents)]
    if as_json:
        document = difference_document(found, before=before, after=after, language=language)
        return [json_text(document)]
    return difference_lines(found, language=language)


def _histories(folder: Folder, versions: Iterable[str]) -> SpaceHistories:
    """Return the versions of the folder's files.

    Those that are not asked for are read only if no other has a version of these names.
    """
    found = _histories_of(folder, folder.files)
    known = {LIVE, *(ref.name for refs in found.values() for ref in refs)}
    return found if known.issuperset(versions) else {**found, **_histories_of(folder, folder.others)}


def _histories_of(folder: Folder, files: Sequence[TemplateFile]) -> SpaceHistories:
    project = folder.settings.project_code
    found, _ = list_histories(folder.reader, project, folder.space, files)
    return {name: refs or () for name, refs in found.items()}


def _state(folder: Folder, histories: SpaceHistories, name: str) -> State:
    """Return of each file the version that a version's name stands for.

    Raises:
        InputsInvalid: no file has a version of that name.
    """
    pattern = build_pattern(folder.settings.version)

    def branch_of(version: str) -> str:
        return told_by(pattern, version).get("branch", "")

    state = state_at(histories, name, branch_of=branch_of)
    if state is None:
        known = {ref.name for refs in histories.values() for ref in refs}
        mistake = with_nearest(say("diff.no_version", name=name), name, known)
        raise InputsInvalid(details=[mistake]).with_cure(say("local.cure_arguments"))
    return {file.real_name: state.get(file.real_name) for file in folder.files}


def _with_live(
    folder: Folder, histories: SpaceHistories, versions: tuple[str, str]
) -> Iterator[FileDifference]:
    """Yield in what a version of each file differs from what is live of it.

    Raises:
        InputsInvalid: no version is named, or no namespace.
    """
    names = [name for name in versions if name != LIVE]
    if not names:
        raise InputsInvalid(details=[say("diff.both_live")]).with_cure(say("local.cure_arguments"))
    state = _state(folder, histories, names[0])
    wanted = {name: ref.name for name, ref in state.items() if ref is not None}
    seen = look_at_versions(
        folder.reader,
        folder.target,
        folder.files,
        histories,
        wanted=[*wanted.items()],
    )
    return live_differences(
        [file.real_name for file in folder.files], wanted, seen, to_live=versions[1] == LIVE
    )
