"""The publish phase of a run: write, look back, and plan again where somebody else wrote in between.

What is written, and what others did meanwhile, enters the record as it happens.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from bcs_template_set.bcs.calls import Writer
from bcs_template_set.bcs.space.provenance import Provenance
from bcs_template_set.config.principal import Principal
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import Overtaken
from bcs_template_set.messages.server_errors import OutOfTime
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.publish.concurrent_writes import creator_warnings, settle
from bcs_template_set.publish.file_outcome import FileOutcome
from bcs_template_set.publish.template_set import publish_chart
from bcs_template_set.publish.write_files import Publishing, ensure_space, publish_files
from bcs_template_set.report.log_lines import file_lines
from bcs_template_set.report.outcome import Result
from bcs_template_set.run.context import RenderedRun
from bcs_template_set.run.finish import show_lines
from bcs_template_set.run.plan_phase import Planned, check_refusal, look_at_branches, name_site, plan_run
from bcs_template_set.run.record import RunRecord
from bcs_template_set.run.run_gateway import WatchedWriter
from bcs_template_set.system.clock import Deadline

LONGEST_PAUSES = (3.0, 24.0)
"""Seconds before the second round, and before the third.

Who loses once has met a rival or two. Who loses twice is one of many, and they don't see each other, since
those that wait have written nothing. A round takes about a second: so many seconds have room for twenty.
"""

MOST_ROUNDS = 1 + len(LONGEST_PAUSES)
"""How often a run plans again because somebody else published in between (design section 6)."""


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
        concurrency=run.concurrency,
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
    """Write, look back, and plan again while rivals write too; return the plan that holds at the end.

    The third look back that still finds a rival is followed by one more plan, which is not carried out: it
    tells whether anything is left to merge.
    """
    space_id = planned.existing.space.id if planned.existing.space is not None else ""
    for round_number in range(1, MOST_ROUNDS + 1):  # pragma: no branch - the last round breaks
        publishing = replace(publishing, desired=planned.desired)
        space_id, rivalled = _publish_round(run, publishing, planned, space_id=space_id)
        if not rivalled:
            break
        run.services.log.warning(say("publish.planning_again", names=sorted(rivalled)))
        if round_number == MOST_ROUNDS:
            planned = plan_run(run, publishing.writer, again=rivalled)
            _give_up(run, planned)
            break
        pause = pause_before_planning_again(run.desired.provenance, round_number)
        run.services.clock.wait(min(pause, run.services.deadline.remaining() / 2))
        planned = plan_run(run, publishing.writer, again=rivalled)
        check_refusal(run, planned)
    return planned


def pause_before_planning_again(provenance: Provenance, round_number: int) -> float:
    """Return the seconds after which this build looks again: another number for each of those that met.

    Who met once would meet again and again if all went on at once. No chance is needed to tell them apart.
    """
    words = f"{provenance.pipeline} {provenance.build} {provenance.branch} {round_number}"
    share = int.from_bytes(hashlib.sha256(words.encode("utf-8", "surrogatepass")).digest()[:4], "big") / 2**32
    return round(share * LONGEST_PAUSES[round_number - 1], 3)


def _publish_round(
    run: RenderedRun, publishing: Publishing, planned: Planned, *, space_id: str
) -> tuple[str, frozenset[str]]:
    """Write what the plan says and return the space's id and the files that others wrote meanwhile."""
    if any(change.writes for change in planned.plan.changes):
        if not space_id:
            space_id, is_new = ensure_space(publishing)
            run.services.record.record_space(created=is_new)
            run.services.record.found_space(space_id)
        run.services.log.group_start(say("log.group_publish", version=run.desired.version))
    files = publish_files(publishing, planned.plan, space_id=space_id)
    run.services.log.group_end()
    for outcome in files:
        run.services.record.note_file(outcome)
    overtaken = {outcome.change.name for outcome in files if isinstance(outcome.error, Overtaken)}
    return space_id, _settle(run, publishing, files, space_id=space_id) | overtaken


def _settle(
    run: RenderedRun, publishing: Publishing, files: tuple[FileOutcome, ...], *, space_id: str
) -> frozenset[str]:
    """Note what rivals did while the files were written, and return which files they wrote.

    What can't be seen is a warning.
    """
    record = run.services.record
    try:
        settled = settle(publishing, files, space_id=space_id)
    except StepError as exc:
        record.warnings.append(say("publish.unsettled", problem=exc.title()))
        return frozenset()
    for before, outcome in zip(files, settled.files):
        record.note_file(outcome)
        for note in outcome.notes[len(before.notes) :]:
            run.services.log.warning(note)
    return settled.rivalled


def _give_up(run: RenderedRun, planned: Planned) -> None:
    """Fail the files that are not what they should be after the last round.

    A file that branches don't share is not planned again where it has this run's content: the last one wins.
    """
    for change in planned.plan.changes:
        known = next(o for o in run.services.record.files() if o.change.name == change.name)
        if change.writes and known.state == "applied":
            error = Overtaken(details=[say("publish.gave_up", name=change.name, rounds=MOST_ROUNDS)])
            run.services.record.note_file(
                replace(known, state="failed", error=error.with_context(file=change.name))
            )


def _file_ended(run: RenderedRun, outcome: FileOutcome) -> None:
    if run.services.record.stopped:
        return
    run.services.record.note_file(outcome)
    show_lines(run.services.log, file_lines(outcome, language=run.services.record.language))


def _check_all_done(files: Sequence[FileOutcome], *, deadline: Deadline) -> None:
    """Raise the first failure, with a line for every other file that is not done."""
    failed = [outcome for outcome in files if outcome.error is not None]
    left = [outcome for outcome in files if outcome.state == "not-attempted"]
    if left and not failed:
        raise OutOfTime(seconds=int(deadline.seconds or 0))
    if failed and failed[0].error is not None:
        raise failed[0].error


def _learn_the_tokens_user(record: RunRecord, principal: Principal) -> None:
    """Take the acting user from what BCS recorded, where only the access token knew who it was."""
    creators = {outcome.creator for outcome in record.applied() if outcome.creator}
    if not principal.user and len(creators) == 1 and record.identity is not None:
        record.identity = replace(record.identity, acting_user=creators.pop())
