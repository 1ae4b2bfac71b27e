"""The plan and publish phases of a run: read, plan, write, and plan again where a rival came in between.

What is written, and what rivals did meanwhile, enters the story as it happens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from bcs_template_set.aftermath import creator_warnings, settle
from bcs_template_set.atom_sdk import variables
from bcs_template_set.bcs.calls import Read, Write
from bcs_template_set.bcs.template_files import Reader, Wanted, read_existing
from bcs_template_set.clock import Deadline
from bcs_template_set.ending import show_lines
from bcs_template_set.errors import (
    OutOfTime,
    Overtaken,
    StepError,
)
from bcs_template_set.existing import Existing
from bcs_template_set.messages import say
from bcs_template_set.outcome import FileOutcome, Result
from bcs_template_set.plan import Plan, refusal
from bcs_template_set.planning import make_plan
from bcs_template_set.principal import Principal
from bcs_template_set.publish import Publishing, Writer, ensure_space, publish_files
from bcs_template_set.publish_chart import publish_chart
from bcs_template_set.report.log_lines import file_lines, plan_lines
from bcs_template_set.story import Story
from bcs_template_set.world import Run

T = TypeVar("T")

MOST_ROUNDS = 3
"""How often a run plans again because somebody else published in between (design section 6)."""


def plan_run(run: Run, reader: Reader) -> tuple[Plan, Existing]:
    """Read what the space holds, plan against it and show the plan."""
    desired = run.desired
    wanted = Wanted(
        project=desired.target.project,
        space=desired.target.space,
        files=desired.files,
        version=desired.version,
        template_set=desired.target.template_set,
        started_at=variables.build_started_at(run.world.agent.inputs()) / 1000,
    )
    existing = read_existing(reader, wanted, concurrency=run.concurrency)
    plan = make_plan(desired, existing, policy=run.policy)
    run.world.story.plan = plan
    show_lines(run.world.log, plan_lines(plan, language=run.world.story.language))
    return plan, existing


def check_refusal(run: Run, plan: Plan) -> None:
    """Stop here if the plan must not be published; nothing has been written by this plan.

    Raises:
        StepError: why (8004xx).
    """
    refused = refusal(plan, policy=run.policy, expect_plan=run.settings.expect_plan)
    if refused is not None:
        raise refused


# --- publish --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WatchedWriter:
    """A writer whose writes the story counts while they are under way."""

    writer: Writer
    story: Story

    def read(self, call: Read[T]) -> T:
        """Send a read and return its answer."""
        return self.writer.read(call)

    def write(self, call: Write[T]) -> T:
        """Send a write and return its answer."""
        with self.story.writing():
            return self.writer.write(call)


def publish_run(run: Run, writer: Writer, principal: Principal, *, plan: Plan, existing: Existing) -> Result:
    """Write the plan, planning again where somebody published in between, and return the result.

    Raises:
        StepError: a file or the template set failed; what was written is in the story.
    """
    story = run.world.story
    publishing = Publishing(
        writer=WatchedWriter(writer, story),
        desired=run.desired,
        clock=run.world.clock,
        deadline=run.world.deadline,
        concurrency=run.concurrency,
        on_file=lambda outcome: _file_ended(run, outcome),
    )
    plan, files = _publish_rounds(run, publishing, plan=plan, existing=existing)
    _check_all_done(files, deadline=run.world.deadline)
    if plan.chart == "create":
        story.chart = "failed"
        story.warnings += publish_chart(publishing, plan, files)
        story.chart = "created"
    elif plan.chart == "unchanged":
        story.chart = "unchanged"
    story.warnings += creator_warnings(story.applied(), user=principal.user)
    _learn_the_tokens_user(story, principal)
    if story.applied() or story.chart == "created":
        return "published"
    return "skipped" if any(outcome.state == "skipped" for outcome in files) else "unchanged"


def _publish_rounds(
    run: Run, publishing: Publishing, *, plan: Plan, existing: Existing
) -> tuple[Plan, tuple[FileOutcome, ...]]:
    files: tuple[FileOutcome, ...] = ()
    space_id = existing.space.id if existing.space is not None else ""
    for round_number in range(1, MOST_ROUNDS + 1):
        if not space_id and any(change.writes for change in plan.changes):
            space_id, run.world.story.created_space = ensure_space(publishing)
        if any(change.writes for change in plan.changes):
            run.world.log.group_start(say("log.group_publish", version=run.desired.version))
        files = publish_files(publishing, plan, space_id=space_id)
        run.world.log.group_end()
        for outcome in files:
            run.world.story.record(outcome)
        overtaken = [outcome for outcome in files if isinstance(outcome.error, Overtaken)]
        if not overtaken or round_number == MOST_ROUNDS:
            break
        run.world.log.warning(say("publish.planning_again", names=[o.change.name for o in overtaken]))
        plan, existing = plan_run(run, publishing.writer)
        check_refusal(run, plan)
    return plan, _settle(run, publishing, space_id=space_id)


def _settle(run: Run, publishing: Publishing, *, space_id: str) -> tuple[FileOutcome, ...]:
    """Note what rivals did while the files were written, and say it; what can't be seen is a warning."""
    story = run.world.story
    files = story.files()
    try:
        settled = settle(publishing, files, space_id=space_id)
    except StepError as exc:
        story.warnings.append(say("publish.unsettled", problem=exc.title()))
        return files
    for before, outcome in zip(files, settled):
        story.record(outcome)
        for note in outcome.notes[len(before.notes) :]:
            run.world.log.warning(note)
    return settled


def _file_ended(run: Run, outcome: FileOutcome) -> None:
    if run.world.story.stopped:
        return
    run.world.story.record(outcome)
    show_lines(run.world.log, file_lines(outcome, language=run.world.story.language))


def _check_all_done(files: Sequence[FileOutcome], *, deadline: Deadline) -> None:
    """Raise the first failure, with a line for every other file that is not done."""
    failed = [outcome for outcome in files if outcome.error is not None]
    left = [outcome for outcome in files if outcome.state == "not-attempted"]
    if left and not failed:
        raise OutOfTime(seconds=int(deadline.seconds or 0))
    if failed and failed[0].error is not None:
        raise failed[0].error


def _learn_the_tokens_user(story: Story, principal: Principal) -> None:
    """Take the acting user from what BCS recorded, where only the access token knew who it was."""
    creators = {outcome.creator for outcome in story.applied() if outcome.creator}
    if not principal.user and len(creators) == 1 and story.identity is not None:
        story.identity = replace(story.identity, acting_user=creators.pop())
