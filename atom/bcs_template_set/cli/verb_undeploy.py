"""`bcs-template-set undeploy HOST`: delete the live objects of one domain; its files stay unless `--files`.

It renders nothing: the lists find, and of each object the same is asked as by `prune`. Without `--yes` it
only says what it would delete, and where. What is found goes to stdout, the rest to stderr.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace
from typing import TextIO

from bcs_template_set.agent.log import Log
from bcs_template_set.agent.log_text import guarded
from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.bcs.gateway import Gateway
from bcs_template_set.bcs.space.template_spaces import find_space, list_files, oldest_of_each_name
from bcs_template_set.cli.verb_plan import at_a_desk
from bcs_template_set.config.inputs import Settings
from bcs_template_set.manifests.scope import host_of
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import InputsInvalid
from bcs_template_set.messages.past_errors import NothingToUndeploy
from bcs_template_set.messages.spelling import nearest
from bcs_template_set.messages.text import one_line
from bcs_template_set.publish.orphans import NOBODY, Folder, file_of, undeploying
from bcs_template_set.publish.pruning import Pruning
from bcs_template_set.publish.read_elsewhere import lacks, read_runners
from bcs_template_set.publish.read_orphans import Looking, read_folder, read_proofs
from bcs_template_set.publish.take_away import Taking, take_away
from bcs_template_set.report.pruned_texts import back_texts, taken_texts
from bcs_template_set.run.context import Services
from bcs_template_set.run.prune_look import refusal_to_delete
from bcs_template_set.run.run_gateway import WatchedWriter, holding, open_gateway
from bcs_template_set.run.settings_phase import identify, read_everything
from bcs_template_set.system.signals import Stopped
from bcs_template_set.system.stdout import put

VERB = "undeploy"


@dataclass(frozen=True)
class Request:
    """The host whose objects are to go, whether that is meant, and whether its files go, too."""

    host: str
    is_meant: bool = False
    files: bool = False


def show_undeploy(options: argparse.Namespace, *, errors: Log) -> int:
    """Delete, or list what would be; return 0, or 1 where something that should go did not."""
    request = Request(options.host, is_meant=options.yes, files=options.files)
    with at_a_desk(options.settings, log=errors) as services:
        return run_undeploy(services, request, out=sys.stdout)


def run_undeploy(services: Services, request: Request, *, out: TextIO) -> int:
    """Do what was asked; return the exit status.

    Raises:
        NothingToUndeploy: there is nothing of this host, with where it was looked for.
        StepError: what could not be seen, or may not be done; nothing was deleted.
    """
    context = read_everything(services)
    settings = context.settings
    if not settings.cluster_id:
        missing = [
            say("settings.target_incomplete", name=name, action=VERB) for name in ("cluster_id", "namespace")
        ]
        raise InputsInvalid(details=missing)
    services.record.heading = replace(services.record.heading, action=VERB)
    # "publish" is the input's default, and so is not shown among those that were given.
    principal = identify(replace(context, settings=replace(settings, action="publish")))
    gateway = open_gateway(context, principal)
    desk = _Desk(services, settings, request, out, context.concurrency)
    try:
        with holding(gateway):
            return _undeploy(desk, gateway)
    except Stopped:
        _tell_taken(desk)
        raise


@dataclass(frozen=True)
class _Desk:
    """What the verb works with beside the gateway."""

    services: Services
    settings: Settings
    request: Request
    out: TextIO
    concurrency: int

    def say(self, text: Text) -> None:
        put(self.out, guarded(one_line(text.render(self.services.log.language))) + "\n")


def _undeploy(desk: _Desk, gateway: Gateway) -> int:
    looking, folder = _look(desk, gateway)
    pruning = _sorted_out(desk, looking, folder)
    _tell(desk, folder, pruning)
    if not desk.request.is_meant:
        desk.services.log.warning(say("undeploy.needs_yes"))
        return 0
    refused = refusal_to_delete(gateway, looking.place)
    if refused is not None:
        raise refused
    services = desk.services
    writer = WatchedWriter(gateway, services.record)
    taken = take_away(Taking(looking, writer, services.clock, services.record.note_taken), pruning)
    _tell_taken(desk)
    origins = [origin for file in folder.files.values() for origin in file.origins if origin is not None]
    pipelines = sorted({origin.pipeline for origin in origins if origin.pipeline})
    if not desk.request.files:
        services.log.info(say("undeploy.comes_back", host=desk.request.host, pipelines=pipelines))
    return 0 if taken.is_whole else 1


def _look(desk: _Desk, reader: Reader) -> tuple[Looking, Folder]:
    """Return the folder's files of this host, and what is live in the namespace."""
    settings, host = desk.settings, desk.request.host
    project = reader.read(protocol.get_project(settings.project_code))
    space = find_space(reader, project=settings.project_code, space=settings.template_space)
    if space is None:
        raise _nothing(desk)
    place = NamespaceRef(settings.project_code, project.project_id, settings.cluster_id, settings.namespace)
    rows = oldest_of_each_name(list_files(reader, settings.project_code, space.id))
    mine = {name: row for name, row in rows.items() if host in (name, host_of(name))}
    if not mine:
        near = nearest(host, sorted({host_of(name) or name for name in rows}))
        raise _nothing(desk, *([say("undeploy.near", near=near)] if near else []))
    looking = Looking(reader, place, space, desk.concurrency)
    return looking, read_folder(looking, mine, rendered=(), ours=NOBODY)


def _sorted_out(desk: _Desk, looking: Looking, folder: Folder) -> Pruning:
    rows = [row for row in folder.rows if file_of(row, folder) in folder.files]
    also = frozenset(desk.settings.prune_also)
    files = tuple(folder.files.values()) if desk.request.files else ()
    seen = read_proofs(looking, folder, rows, ours=None, also=also, files=files)
    if seen.lacking:
        raise lacks(*seen.lacking, place=looking.place)
    seen = replace(seen, runners=read_runners(looking, files))
    pruning = undeploying(folder, rows, seen, also=also, files=desk.request.files)
    if not (pruning.objects or pruning.files):
        raise _nothing(desk, *pruning.stays)
    return pruning


def _nothing(desk: _Desk, *details: Text) -> NothingToUndeploy:
    settings = desk.settings
    return NothingToUndeploy(
        host=desk.request.host,
        space=settings.template_space,
        namespace=settings.namespace,
        cluster=settings.cluster_id,
        details=details,
    )


def _tell(desk: _Desk, folder: Folder, pruning: Pruning) -> None:
    """Say what goes and from where, before anything does."""
    settings, count = desk.settings, len(pruning.objects) + len(pruning.files)
    desk.say(
        say(
            "undeploy.head",
            count=count,
            cluster=settings.cluster_id,
            namespace=settings.namespace,
            space=folder.space,
        )
    )
    for one in pruning.objects:
        desk.say(say("undeploy.object", object=one.title, file=one.file, version=one.version))
    for file in pruning.files:
        desk.say(say("undeploy.file", name=file.name))
    for text in pruning.stays:
        desk.say(text)


def _tell_taken(desk: _Desk) -> None:
    taken = desk.services.record.taken
    for text in (*taken_texts(taken), *back_texts(taken)) if taken is not None else ():
        desk.say(text)
