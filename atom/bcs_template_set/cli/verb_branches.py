"""`bcs-template-set branches`: which branches have paths in a space, and taking stale ones out.

It acts as the step does: the same settings file as `plan`, the same one user, the same way of writing.
Without `--older-than` the code holds only a reader. What is for programs goes to stdout, the rest to stderr.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Optional, TextIO

from bcs_template_set.agent.log import Log
from bcs_template_set.agent.log_text import guarded
from bcs_template_set.bcs.space.provenance import Provenance
from bcs_template_set.branches.branch_rows import (
    BranchRow,
    Removal,
    SpaceBranches,
    age_text,
    branch_rows,
    duration_of,
    keep_patterns,
    may_be_stale,
    plan_of,
    plan_removals,
    stale_rows,
    without_hidden,
)
from bcs_template_set.branches.last_builds import read_branches, read_hidden, with_whole
from bcs_template_set.cli.verb_plan import Desk, acting, at_a_desk, find_folder
from bcs_template_set.messages import Language, Text, say
from bcs_template_set.messages.errors import InputsInvalid
from bcs_template_set.messages.step_error import Detail, StepError
from bcs_template_set.messages.text import exact_time, json_text, one_line, table
from bcs_template_set.publish.concurrent_writes import settle
from bcs_template_set.publish.file_outcome import FileOutcome
from bcs_template_set.publish.plan import Desired, SpaceRef
from bcs_template_set.publish.write_files import Publishing, publish_files
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.run.context import Services
from bcs_template_set.run.settings_phase import WatchedWriter, read_everything
from bcs_template_set.system.stdout import put

VERB = "branches"
_COLUMNS = ("domain", "path", "branch", "build", "age", "who", "protected")


@dataclass(frozen=True)
class Request:
    """What to do: list, or take out what was last built more than `older_than` seconds ago."""

    older_than: Optional[int]
    keep: tuple[str, ...]
    dry_run: bool
    as_json: bool


@dataclass(frozen=True)
class Answer:
    """What was found and what became of it; `removals` is None where it was only listed.

    `rivalled` are the files that somebody else wrote at the same time.
    """

    space: str
    rows: tuple[BranchRow, ...]
    removals: Optional[tuple[Removal, ...]] = None
    outcomes: tuple[FileOutcome, ...] = ()
    rivalled: frozenset[str] = frozenset()

    @property
    def is_done(self) -> bool:
        """Tell whether everything that should go went, or would go, and nobody else wrote meanwhile."""
        refused = any(removal.refused is not None for removal in self.removals or ())
        failed = any(outcome.state != "applied" for outcome in self.outcomes)
        return not (refused or failed or self.rivalled)


def show_branches(options: argparse.Namespace, *, errors: Log) -> int:
    """List the branches, or take stale ones out; return 0, or 1 where something that should go did not."""
    with at_a_desk(options.settings, log=errors) as services:
        return run_branches(services, options, out=sys.stdout)


def run_branches(services: Services, options: argparse.Namespace, *, out: TextIO) -> int:
    """Do what was asked; return the exit status."""
    request = read_request(options)
    with acting(read_everything(services), VERB, out=out) as desk:
        answer = list_or_remove(desk, request)
    tell_end(desk, request, answer)
    return 0 if answer.is_done else 1


def read_request(options: argparse.Namespace) -> Request:
    """Return what was asked, typed.

    Raises:
        InputsInvalid: the duration can't be read, or an option has no meaning without one.
    """
    given: Optional[str] = options.older_than
    keep = keep_patterns(options.keep)
    older_than = duration_of(given) if given is not None else None
    mistakes: list[Text] = []
    if given is not None and older_than is None:
        mistakes.append(say("branches.bad_duration", given=given))
    if given is None:
        asked = (("--keep", bool(options.keep)), ("--dry-run", bool(options.dry_run)))
        mistakes += [say("branches.needs_older_than", option=name) for name, is_given in asked if is_given]
    if mistakes:
        raise InputsInvalid(details=mistakes).with_cure(say("local.cure_arguments"))
    return Request(older_than, keep, dry_run=options.dry_run, as_json=options.json)


# --- look, and take out ---------------------------------------------------------------------------------


def list_or_remove(desk: Desk, request: Request) -> Answer:
    """Print the branches, take out what is asked for, and return what became of it."""
    context, gateway, log = desk.context, desk.gateway, desk.context.services.log
    project = context.settings.project_code
    space = find_folder(gateway, context.settings)
    found = read_branches(gateway, project=project, space=space)
    rows = _rows(desk, request, found)
    if request.older_than is not None:
        perhaps = [row for row in rows if may_be_stale(row, older_than=request.older_than)]
        found = with_whole(gateway, found, perhaps, project=project)
        rows = _rows(desk, request, found)
    for note in found.notes:
        log.warning(note)
    answer = Answer(space.name, rows)
    if not request.as_json:
        lines = table_lines(answer, language=log.language)
        put(desk.out, "".join(guarded(line) + "\n" for line in lines))
    if request.older_than is None:
        return answer
    removals = plan_removals(found, stale_rows(rows, older_than=request.older_than))
    hidden = read_hidden(gateway, found, [removal.file for removal in removals], project=project)
    removals = without_hidden(removals, hidden)
    answer = replace(answer, removals=removals)
    if request.dry_run:
        return answer
    outcomes, rivalled = _publish(desk, removals, space_id=space.id)
    return replace(answer, outcomes=outcomes, rivalled=rivalled)


def _rows(desk: Desk, request: Request, found: SpaceBranches) -> tuple[BranchRow, ...]:
    now = desk.context.services.clock.now()
    return branch_rows(found.held, found.histories, now=now, keep=request.keep)


def _publish(
    desk: Desk, removals: Sequence[Removal], *, space_id: str
) -> tuple[tuple[FileOutcome, ...], frozenset[str]]:
    """Write the removals, and look back at what others wrote meanwhile, which is told."""
    services, settings, who = desk.context.services, desk.context.settings, desk.principal
    space = SpaceRef(settings.region, settings.project_code, settings.template_space)
    publishing = Publishing(
        writer=WatchedWriter(desk.gateway, services.record),
        desired=Desired(
            space,
            version="",
            files=(),
            provenance=Provenance("", 0, "", "", started_by=who.user, acting_as=who.label),
            shared=frozenset(removal.file for removal in removals),
        ),
        clock=services.clock,
        deadline=services.deadline,
        on_file=partial(_file_ended, services, {removal.file: removal for removal in removals}),
    )
    outcomes = publish_files(publishing, plan_of(removals, target=space), space_id=space_id)
    try:
        settled = settle(publishing, outcomes, space_id=space_id)
    except StepError as exc:
        services.log.warning(say("branches.unsettled", problem=exc.title()))
        return outcomes, frozenset()
    for outcome in settled.files:
        for note in outcome.notes:
            services.log.warning(note)
    return settled.files, settled.rivalled


def _file_ended(services: Services, removals: dict[str, Removal], outcome: FileOutcome) -> None:
    """Say at once what became of a file: also a run that is stopped has said what it wrote."""
    if not services.record.stopped:  # pragma: no branch - but in a thread that a signal overtakes
        removal, log = removals[outcome.change.name], services.log
        told = {"name": removal.file, "paths": removal.paths}
        if outcome.error is None:  # without a deadline no file is left untried
            log.info(say("branches.gone", version=outcome.version, **told))
        else:
            log.error(say("branches.failed", reason=_reason(outcome.error), **told))


def _reason(error: StepError) -> list[Detail]:
    return [error.title(), *error.details]


# --- tell -----------------------------------------------------------------------------------------------


def tell_end(desk: Desk, request: Request, answer: Answer) -> None:
    """Say what stays, would go, and is to be done; print the document for programs."""
    log = desk.context.services.log
    for removal in answer.removals or ():
        if removal.refused is not None:
            reason = removal.refused
            log.error(say("branches.refused", name=removal.file, paths=removal.paths, reason=reason))
        elif request.dry_run:
            log.info(say("branches.would_go", name=removal.file, paths=removal.paths))
    for text in closing(request, answer):
        log.info(text)
    if request.as_json:
        document = document_of(answer, language=log.language)
        put(desk.out, json_text(document) + "\n")


def closing(request: Request, answer: Answer) -> Iterable[Text]:
    """Yield what is to be said of all removals at the end."""
    if answer.removals is None:
        return
    if not answer.removals:
        yield say("branches.none_stale", age=age_text(request.older_than))
    if answer.rivalled:
        yield say("branches.rivalled", names=sorted(answer.rivalled))
    if any(outcome.state == "applied" for outcome in answer.outcomes):
        yield say("branches.not_deployed")
    elif not any(outcome.version_id for outcome in answer.outcomes):
        yield say("branches.nothing_written")


def table_lines(answer: Answer, *, language: Language) -> list[str]:
    """Return the rows as an aligned table under its heads; a sentence where there are none."""
    if not answer.rows:
        return [one_line(say("branches.none", space=answer.space).render(language))]
    heads = [say(f"branches.column_{name}").render(language) for name in _COLUMNS]
    return table([heads, *([one_line(cell) for cell in _cells(row, language)] for row in answer.rows)])


def _cells(row: BranchRow, language: Language) -> tuple[str, ...]:
    return (
        row.domain,
        row.path,
        row.branch,
        f"#{row.last_build}" if row.last_build else "?",
        age_text(row.age_seconds).render(language),
        row.who or "?",
        say("branches.yes").render(language) if row.protected else "",
    )


def document_of(answer: Answer, *, language: Language) -> dict[str, object]:
    """Return what `--json` prints; `removals` is there only where something was to be taken out."""
    document: dict[str, object] = {"space": answer.space, "branches": [_row_of(row) for row in answer.rows]}
    if answer.removals is not None:
        outcomes = {outcome.change.name: outcome for outcome in answer.outcomes}
        document["removals"] = [
            _removal_of(removal, outcomes.get(removal.file), language=language) for removal in answer.removals
        ]
    return document


def _row_of(row: BranchRow) -> dict[str, object]:
    return {
        **vars(row),
        "added_build": row.added_build or None,
        "last_build": row.last_build or None,
        "last_at": exact_time(row.last_at) if row.last_at else None,
        "who": row.who or None,
    }


def _removal_of(removal: Removal, outcome: Optional[FileOutcome], *, language: Language) -> dict[str, object]:
    state = "refused" if removal.refused is not None else outcome.state if outcome is not None else "planned"
    reason: Optional[Text] = removal.refused
    if outcome is not None and outcome.error is not None:
        reason = say("branches.reason", reason=_reason(outcome.error))
    change = removal.change
    return {
        "file": removal.file,
        "state": state,
        "version": change.version if change is not None else None,
        "previous_version": change.previous.name if change is not None and change.previous else None,
        "paths": [row.domain + row.path for row in removal.rows],
        "branches": sorted({row.branch for row in removal.rows}),
        "reason": reason.render(language) if reason is not None else None,
    }
