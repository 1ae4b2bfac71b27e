"""`bcs-template-set init`: the first values of `builtin:web`, out of what is live or published. Only reads.

What is written was proved in the same run: rendered, checked, and compared with what is there, object by
object. A domain in which anything would change is not in it, and told with the fields. Values go to stdout or
to a new file, all else to stderr; what looks secret goes to the file alone.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import TextIO

from bcs_template_set.agent.log import Log
from bcs_template_set.agent.log_text import guarded
from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.calls import Reader, together
from bcs_template_set.bcs.deploy_calls import get_live
from bcs_template_set.bcs.space.live_objects import read_live_objects
from bcs_template_set.bcs.space.versions import list_past_files, read_versions
from bcs_template_set.cli.verb_plan import at_a_desk
from bcs_template_set.manifests.checks.check_manifests import check_manifests
from bcs_template_set.manifests.checks.finding import Finding
from bcs_template_set.manifests.fields import Fields
from bcs_template_set.manifests.kinds import AUTOSCALER, DEPLOYMENT, INGRESS, SERVICE
from bcs_template_set.manifests.parse import parse_foreign
from bcs_template_set.manifests.scope import web_host
from bcs_template_set.manifests.templating.first_values import (
    FirstValues,
    FoundDomain,
    Objects,
    as_live,
    first_values,
    secrets_in,
)
from bcs_template_set.manifests.templating.render import Rendered, render_files
from bcs_template_set.manifests.yaml_reading import dump_yaml
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import InputsInvalid
from bcs_template_set.messages.step_error import first_names
from bcs_template_set.rollout.as_wanted import unlike_wanted
from bcs_template_set.rollout.live_diff import fields_unlike
from bcs_template_set.run.context import RunContext, Services
from bcs_template_set.run.render_phase import prepare_rendering
from bcs_template_set.run.settings_phase import find_principal, holding, open_gateway, read_everything
from bcs_template_set.system.stdout import put

KINDS = (DEPLOYMENT, SERVICE, INGRESS, AUTOSCALER)
ONLY_OWNER = 0o600

Unlike = Callable[[Fields, Fields], tuple[str, ...]]


def show_init(options: argparse.Namespace, *, errors: Log) -> int:
    """Write the first values; return 0, or 1 where no domain fits."""
    with at_a_desk(options.settings, log=errors) as services:
        return run_init(services, options.output, published=options.published, out=sys.stdout)


def run_init(services: Services, output: str, *, published: bool, out: TextIO) -> int:
    """Find the domains, prove their values, and write those that hold; return the exit status.

    Raises:
        InputsInvalid: the file is there already, or the settings name no namespace.
        StepError: what could not be read.
    """
    if output and os.path.lexists(output):
        raise InputsInvalid(details=[say("init.exists", file=output)]).with_cure(say("local.cure_arguments"))
    context = read_everything(services)
    gateway = open_gateway(context, find_principal(context))
    with holding(gateway):
        objects = read_published(gateway, context) if published else read_live(gateway, context)
    return write_values(context, objects, output, published=published, out=out)


def write_values(context: RunContext, objects: Objects, output: str, *, published: bool, out: TextIO) -> int:
    """Prove the values that make these objects, and write those that hold; return the exit status.

    Raises:
        InputsInvalid: the file can't be made.
    """
    services, found = context.services, first_values(objects)
    unlike = partial(fields_unlike, whole=True) if published else unlike_wanted
    reasons = {one.host: [*misfits(one, found, context, unlike=unlike)] for one in found.domains}
    fitting = [one for one in found.domains if not reasons[one.host]]
    for line in _told(found, reasons, fitting, context, published=published):
        services.log.info(line)
    if not fitting:
        services.log.warning(say("init.nothing_fits"))
        return 1
    if output:
        _put_new(output, dump_yaml(found.of(fitting)))
        services.log.info(say("init.written", file=output))
    else:
        _print(services, found, fitting, out=out)
    return 0


# --- what is there --------------------------------------------------------------------------------------


def read_live(reader: Reader, context: RunContext) -> Objects:
    """Return the namespace's objects of the kinds that `builtin:web` makes, each read whole."""
    settings = context.settings
    if not settings.namespace:
        raise InputsInvalid(details=[say("init.needs_namespace")])
    place = context.namespace(reader.read(protocol.get_project(settings.project_code)).project_id)
    listed = read_live_objects(reader, place, kinds=KINDS)
    for error in listed.unread.values():
        raise error
    reads = [partial(reader.read, get_live(place, kind=row.kind, name=row.name)) for row in listed.rows]
    wholes = together(reader, reads)
    return {row.title: whole.manifest for row, whole in zip(listed.rows, wholes)}


def read_published(reader: Reader, context: RunContext) -> Objects:
    """Return what the current versions of a folder's files hold, of those that `builtin:web` would write."""
    settings = context.settings
    rows = list_past_files(reader, settings.project_code, space=settings.template_space)
    ids = [row.version_id for name, row in rows.items() if web_host(name) and row.version_id]
    versions = read_versions(reader, settings.project_code, ids)
    documents = (one for found in versions.values() for one in parse_foreign(found.content) or ())
    return {one.title: one.body for one in documents}


# --- the proof ------------------------------------------------------------------------------------------


def _with_values(context: RunContext, text: str) -> RunContext:
    settings = replace(
        context.settings,
        templates=("builtin:web",),
        values=text,
        values_files=(),
        only=(),
        remove_branches=(),
    )
    return replace(context, settings=settings)


def misfits(
    one: FoundDomain, found: FirstValues, context: RunContext, *, unlike: Unlike = unlike_wanted
) -> Iterator[Text]:
    """Yield why the values of a domain are not what is there; nothing where they make exactly that.

    `unlike` names the fields in which what is there is not what would be: by default as a plan does.
    """
    if one.app != found.app:
        yield say("init.other_app", app=one.app, own=found.app)
        return
    rendered = render_files(prepare_rendering(_with_values(context, dump_yaml(found.of([one])))))
    wrong = [finding.message for finding in (*rendered.mistakes, *_errors(rendered, context))]
    yield from wrong or _unlike(rendered, one, unlike=unlike)


def _errors(rendered: Rendered, context: RunContext) -> Iterable[Finding]:
    settings = context.settings
    findings = check_manifests(
        rendered.files,
        template_space=settings.template_space,
        template_set=False,
        namespace=settings.namespace,
        kube_version=settings.kube_version,
    )
    return (finding for finding in findings if not finding.is_warning)


def _unlike(rendered: Rendered, one: FoundDomain, *, unlike: Unlike) -> Iterator[Text]:
    made = {document.title: document.body for file in rendered.files for document in file.documents}
    for title in sorted(made.keys() | one.objects.keys()):
        if title not in one.objects:
            yield say("init.would_come", object=title)
        elif title not in made:
            yield say("init.would_go", object=title)
        else:
            live = one.objects[title]
            fields = unlike(as_live(made[title], live), live)
            if fields:
                yield say("init.differs", object=title, fields=first_names(fields))


# --- telling --------------------------------------------------------------------------------------------


def _told(
    found: FirstValues,
    reasons: dict[str, list[Text]],
    fitting: list[FoundDomain],
    context: RunContext,
    *,
    published: bool,
) -> Iterator[Text]:
    settings = context.settings
    where = say(
        "init.published" if published else "init.live",
        space=settings.template_space,
        namespace=settings.namespace,
        cluster=settings.cluster_id,
    )
    for host, texts in reasons.items():
        yield from (say("init.misfit", host=host, why=why) for why in texts)
    if found.others:
        yield say("init.others", names=first_names(found.others))
    if fitting:
        objects = sum(len(one.objects) for one in fitting)
        yield say("init.proved", domains=len(fitting), objects=objects, where=where)


def _print(services: Services, found: FirstValues, fitting: list[FoundDomain], *, out: TextIO) -> None:
    """Print the values without what looks secret, and say what that is."""
    masker = services.log.masker
    secret = [
        f"domains[{nth}].env.{name}"
        for nth, one in enumerate(fitting)
        for name in secrets_in(one.values, masker.holds)
    ]
    shown = dump_yaml(found.of(fitting, hides=masker.holds))
    put(out, "".join(f"{masker.mask(guarded(line))}\n" for line in shown.rstrip("\n").split("\n")))
    if secret:
        services.log.warning(say("init.left_out", names=first_names(secret)))


def _put_new(output: str, text: str) -> None:
    """Make the file, for its owner alone: never through a link, nor over what has come there meanwhile.

    Raises:
        InputsInvalid: it can't be made.
    """
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, ONLY_OWNER)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as exc:
        problem = say("init.unwritable", file=output, problem=exc.strerror)
        raise InputsInvalid(details=[problem]).with_cure(say("local.cure_arguments")) from exc
