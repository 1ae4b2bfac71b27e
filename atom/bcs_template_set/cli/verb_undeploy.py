"""`bcs-template-set undeploy HOST`: delete the live objects of one domain; its files stay unless `--files`.

It renders nothing: the lists find, and of each object the same is asked as by `prune`. Without `--yes` it
only says what it would delete, and where. What is found goes to stdout, the rest to stderr.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from dataclasses import replace
from typing import TextIO

from bcs_template_set.agent.log import Log
from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.space.provenance import NOBODY
from bcs_template_set.bcs.space.template_spaces import files_by_name, find_space
from bcs_template_set.cli.verb_plan import Desk, acting, at_a_desk
from bcs_template_set.cli.verb_render import put_text
from bcs_template_set.manifests.scope import Scope, host_of
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import InputsInvalid
from bcs_template_set.messages.past_errors import NothingToUndeploy
from bcs_template_set.messages.spelling import near_name
from bcs_template_set.publish.orphans import Folder, file_of, undeploying
from bcs_template_set.publish.pruning import Pruning
from bcs_template_set.publish.read_elsewhere import lacks, read_runners
from bcs_template_set.publish.read_orphans import Looking, read_folder, read_proofs
from bcs_template_set.publish.take_away import Taking, take_away
from bcs_template_set.report.verdict import back_texts, taken_texts
from bcs_template_set.run.context import Services
from bcs_template_set.run.prune_phase import refusal_to_delete
from bcs_template_set.run.settings_phase import WatchedWriter, read_everything
from bcs_template_set.system.signals import Stopped

VERB = "undeploy"


def show_undeploy(options: argparse.Namespace, *, errors: Log) -> int:
    """Delete, or list what would be; return 0, or 1 where something that should go did not."""
    with at_a_desk(options.settings, log=errors) as services:
        return run_undeploy(services, options, out=sys.stdout)


def run_undeploy(services: Services, options: argparse.Namespace, *, out: TextIO) -> int:
    """Do what was asked; return the exit status.

    Raises:
        NothingToUndeploy: there is nothing of this host, with where it was looked for.
        StepError: what could not be seen, or may not be done; nothing was deleted.
    """
    context = read_everything(services)
    if not context.settings.cluster_id:
        missing = [say("settings.target_incomplete", name=name) for name in ("cluster_id", "namespace")]
        raise InputsInvalid(details=missing)
    try:
        with acting(context, VERB, out=out) as desk:
            return undeploy(desk, options)
    except Stopped:
        for text in _taken(services):
            put_text(out, text, services.log.language)
        raise


def undeploy(desk: Desk, options: argparse.Namespace) -> int:
    """Say what goes, delete it if that is meant, and return the exit status."""
    looking, folder = _look(desk, options.host)
    pruning = _sorted_out(desk, options, looking, folder)
    _tell(desk, folder, pruning)
    services = desk.context.services
    if not options.yes:
        services.log.warning(say("undeploy.needs_yes"))
        return 0
    refused = refusal_to_delete(desk.gateway, looking.place)
    if refused is not None:
        raise refused
    writer = WatchedWriter(desk.gateway, services.record)
    taken = take_away(Taking(looking, writer, services.clock, services.record.note_taken), pruning)
    for text in _taken(services):
        desk.say(text)
    origins = [origin for file in folder.files.values() for origin in file.origins if origin is not None]
    pipelines = sorted({origin.pipeline for origin in origins if origin.pipeline})
    if pipelines and not options.files:
        services.log.info(say("undeploy.comes_back", host=options.host, pipelines=pipelines))
    return 0 if taken.is_whole else 1


def _look(desk: Desk, host: str) -> tuple[Looking, Folder]:
    """Return the folder's files of this host, and what is live in the namespace."""
    settings, reader = desk.context.settings, desk.gateway
    place = desk.context.namespace(reader.read(protocol.get_project(settings.project_code)).project_id)
    space = find_space(reader, project=settings.project_code, space=settings.template_space)
    if space is None:
        raise _nothing(desk, host)
    rows = files_by_name(reader, settings.project_code, space.id)
    scope = Scope((host,))
    mine = {name: row for name, row in rows.items() if scope.has(name)}
    if not mine:
        raise _nothing(desk, host, *near_name("undeploy.near", host, sorted({host_of(n) or n for n in rows})))
    looking = Looking(reader, place, space)
    return looking, read_folder(looking, mine, rendered=(), ours=NOBODY)


def _sorted_out(desk: Desk, options: argparse.Namespace, looking: Looking, folder: Folder) -> Pruning:
    rows = [row for row in folder.rows if file_of(row, folder) in folder.files]
    also = frozenset(desk.context.settings.prune_also)
    files = tuple(folder.files.values())
    seen = read_proofs(looking, folder, rows, ours=None, also=also, files=files)
    if seen.lacking:
        raise lacks(*seen.lacking, place=looking.place)
    seen = replace(seen, runners=read_runners(looking, files if options.files else ()))
    pruning = undeploying(folder, rows, seen, also=also, files=options.files)
    if not (pruning.objects or pruning.files):
        raise _nothing(desk, options.host, *pruning.stays)
    return pruning


def _nothing(desk: Desk, host: str, *details: Text) -> NothingToUndeploy:
    settings = desk.context.settings
    return NothingToUndeploy(
        host=host,
        space=settings.template_space,
        namespace=settings.namespace,
        cluster=settings.cluster_id,
        details=details,
    )


def _tell(desk: Desk, folder: Folder, pruning: Pruning) -> None:
    """Say what goes and from where, before anything does."""
    settings, count = desk.context.settings, len(pruning.objects) + len(pruning.files)
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


def _taken(services: Services) -> Iterable[Text]:
    taken = services.record.taken
    return () if taken is None else (*taken_texts(taken), *back_texts(taken))
