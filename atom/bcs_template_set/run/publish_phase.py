"""The publish phase of a run: write, look back, and plan again where somebody else wrote in between.

What is written, and what others did meanwhile, enters the record as it happens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bcs_template_set.bcs.calls import Writer
from bcs_template_set.bcs.space.wanted import Again
from bcs_template_set.config.principal import Principal
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import Overtaken
from bcs_template_set.messages.server_errors import OutOfTime
from bcs_template_set.messages.state_words import Result
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.publish.concurrent_writes import Settled, creator_warnings, settle
from bcs_template_set.publish.file_outcome import FileOutcome
from bcs_template_set.publish.template_set import publish_chart
from bcs_template_set.publish.turns import Turns
from bcs_template_set.publish.write_files import Publishing, ensure_space, publish_files
from bcs_template_set.report.log_lines import file_lines
from bcs_template_set.run.context import Planned, RenderedRun
from bcs_template_set.run.finish import show_lines
from bcs_template_set.run.plan_phase import check_refusal, look_at_branches, name_site, plan_run
from bcs_template_set.run.record import RunRecord
from bcs_template_set.run.settings_phase import WatchedWriter
from bcs_template_set.system.clock import Deadline

TRYING_SECONDS = 300.0
"""So long a run goes on planning again because others publish, and at most half of what time it has."""


def publish_run(run: RenderedRun, writer: Writer, principal: Principal, *, planned: Planned) -> Result:
    """Write the plan, planning again where somebody published in between, and return the result.

    Raises:
        StepError: a file or the template set failed; what was written is in the record.
    """
    record = run.services.record
    publishing = Publishing(
        writer=WatchedWriter(writer, record),
        desired=planned.desired,
        clock=run.services.clock,
        deadline=run.services.deadline,
        on_file=lambda outcome: _file_ended(run, outcome),
    )
    planned = _publish_rounds(run, publishing, planned)
    name_site(run.services, publishing.writer.site)
    plan, files = planned.plan, record.files()
    look_at_branches(run, planned)
    _check_all_done(files, deadline=run.services.deadline)
    if plan.chart == "create":
        record.chart = "failed"
        record.warnings += publish_chart(replace(publishing, desired=planned.desired), plan, files)
        record.chart = "created"
    elif plan.chart == "unchanged":
        record.chart = "unchanged"
    record.warnings += creator_warnings(record.applied(), user=principal.user)
    _learn_the_tokens_user(record, principal)
    if record.applied() or record.chart == "created":
        return "published"
    return "skipped" if any(outcome.state == "skipped" for outcome in files) else "unchanged"


def _publish_rounds(run: RenderedRun, publishing: Publishing, planned: Planned) -> Planned:
    """Write, look back, and plan again where others write too, each file when its turn comes (turns.py).

    Return the plan that holds at the end. When the time is over one more is made that is not carried out: it
    tells whether anything is left to write.
    """
    space_id = planned.existing.space.id if planned.existing.space is not None else ""
    seconds = min(TRYING_SECONDS, run.services.deadline.remaining() / 2)
    turns = Turns(publishing, Deadline(run.services.clock, seconds=seconds))
    left = frozenset[str]()
    while True:
        publishing = turns.publishing = replace(
            publishing, desired=planned.desired, planned_at=planned.read_at
        )
        space_id, settled = _publish_round(
            run, publishing, planned, left=left, space_id=space_id, is_again=turns.rounds > 0
        )
        if settled.rivalled:
            run.services.log.warning(say("publish.planning_again", names=sorted(settled.rivalled)))
        turns.enter(settled, run.services.record.applied(), space_id=space_id)
        due = turns.next(space_id=space_id)
        for name in (left | settled.unsettled) - due.keys() - turns.waiting:  # others have merged it
            run.services.record.note_file(turns.written[name])
        if not due:
            return planned
        merges = frozenset(name for name, contest in due.items() if contest.merges)
        again = Again(frozenset(due), planned.existing, publishing.seen, merges, turns.waiting)
        planned = plan_run(run, publishing.writer, again=again)
        if turns.deadline.passed():
            _give_up(run, planned, rounds=turns.rounds)
            return planned
        check_refusal(run, planned)
        left = turns.waiting


def _publish_round(
    run: RenderedRun,
    publishing: Publishing,
    planned: Planned,
    *,
    left: frozenset[str],
    space_id: str,
    is_again: bool,
) -> tuple[str, Settled]:
    """Write what the plan says but for what is `left` for now.

    Return the space's id, and which files others wrote meanwhile. What lies hidden is for whoever writes upon
    it, and for a run that begins.
    """
    plan = replace(planned.plan, changes=tuple(c for c in planned.plan.changes if c.name not in left))
    if any(change.writes for change in plan.changes):
        if not space_id:
            space_id, is_new = ensure_space(publishing)
            run.services.record.record_space(created=is_new)
            run.services.record.found_space(space_id)
        run.services.log.group_start(say("log.group_publish", version=run.desired.version))
    files = publish_files(publishing, plan, space_id=space_id)
    run.services.log.group_end()
    for outcome in files:
        run.services.record.note_file(outcome)
    overtaken = {outcome.change.name for outcome in files if isinstance(outcome.error, Overtaken)}
    crowds = {name: file.crowd for name, file in planned.existing.files.items() if file.crowd}
    ours = ("applied",) if is_again else ("applied", "unchanged")
    ended = {outcome.change.name for outcome in files if outcome.state in ours}
    settled = _settle(run, publishing, files, space_id=space_id)
    return space_id, replace(
        settled,
        rivalled=settled.rivalled | overtaken,
        hiding={**{name: crowds[name] for name in crowds.keys() & ended}, **settled.hiding},
        rows=planned.existing.rows if settled.rows is None else settled.rows,
    )


def _settle(
    run: RenderedRun, publishing: Publishing, files: tuple[FileOutcome, ...], *, space_id: str
) -> Settled:
    """Note what rivals did while the files were written, and return it. What can't be seen is a warning."""
    record = run.services.record
    try:
        settled = settle(publishing, files, space_id=space_id)
    except StepError as exc:
        record.warnings.append(say("publish.unsettled", problem=exc.title()))
        return Settled(files)
    for before, outcome in zip(files, settled.files):
        record.note_file(outcome)
        for note in outcome.notes[len(before.notes) :]:
            run.services.log.warning(note)
    return settled


def _give_up(run: RenderedRun, planned: Planned, *, rounds: int) -> None:
    """Fail the files that are not what they should be when the time is over.

    A file that branches don't share is not planned again where it has this run's content: the last one wins.
    """
    known = {outcome.change.name: outcome for outcome in run.services.record.files()}
    for change in planned.plan.changes:
        before = known[change.name]
        if change.writes and before.state == "applied":
            error = Overtaken(details=[say("publish.gave_up", name=change.name, rounds=rounds)])
            run.services.record.note_file(
                replace(before, state="failed", error=error.with_context(file=change.name))
            )


def _file_ended(run: RenderedRun, outcome: FileOutcome) -> None:
    if run.services.record.stopped:
        return
    run.services.record.note_file(outcome)
    show_lines(run.services.log, file_lines(outcome, language=run.services.record.language))


def _check_all_done(files: Sequence[FileOutcome], *, deadline: Deadline) -> None:
    """Raise the first failure, or that the time did not do for all files."""
    for error in (outcome.error for outcome in files if outcome.error is not None):
        raise error
    if any(outcome.state == "not-attempted" for outcome in files):
        raise OutOfTime(seconds=deadline.whole_seconds)


def _learn_the_tokens_user(record: RunRecord, principal: Principal) -> None:
    """Take the acting user from what BCS recorded, where only the access token knew who it was."""
    creators = {outcome.creator for outcome in record.applied() if outcome.creator}
    if not principal.user and len(creators) == 1 and record.identity is not None:
        record.identity = replace(record.identity, acting_user=creators.pop())
