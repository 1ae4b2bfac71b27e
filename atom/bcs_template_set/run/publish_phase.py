"""The plan and publish phases of a run: read, plan, write, and plan again where a rival came in between.

What is written, and what rivals did meanwhile, enters the story as it happens.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from bcs_template_set.agent.log import Log
from bcs_template_set.bcs.calls import Read, Reader, Write, Writer
from bcs_template_set.bcs.dialect import EVERY, Site, releases
from bcs_template_set.bcs.space.existing import Existing
from bcs_template_set.bcs.space.provenance import Provenance
from bcs_template_set.bcs.space.read_space import Wanted, read_existing
from bcs_template_set.branches.branch_ages import rows_of_space, with_this_build
from bcs_template_set.branches.merge_paths import routes_files, with_branches
from bcs_template_set.config.inputs import Settings
from bcs_template_set.config.principal import Principal
from bcs_template_set.manifests.checks.check_manifests import check_manifests
from bcs_template_set.manifests.checks.links import INGRESS_SERVICE
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import ManifestsInvalid, OutOfTime, Overtaken, StepError
from bcs_template_set.publish.concurrent_writes import creator_warnings, settle
from bcs_template_set.publish.file_outcome import FileOutcome
from bcs_template_set.publish.make_plan import make_plan
from bcs_template_set.publish.plan import Desired, Plan, refusal
from bcs_template_set.publish.template_set import publish_chart
from bcs_template_set.publish.write_files import Publishing, ensure_space, publish_files
from bcs_template_set.report.log_lines import file_lines, plan_lines
from bcs_template_set.report.outcome import Result
from bcs_template_set.run.context import Run
from bcs_template_set.run.finish import show_lines
from bcs_template_set.run.record import Story
from bcs_template_set.system.clock import Deadline

T = TypeVar("T")

LONGEST_PAUSES = (3.0, 24.0)
"""Seconds before the second round, and before the third.

Who loses once has met a rival or two. Who loses twice is one of many, and they don't see each other, since
those that wait have written nothing. A round takes about a second: so many seconds have room for twenty.
"""

MOST_ROUNDS = 1 + len(LONGEST_PAUSES)
"""How often a run plans again because somebody else published in between (design section 6)."""


@dataclass(frozen=True)
class Planned:
    """A plan, what it was made against, and what it makes of that."""

    plan: Plan
    existing: Existing
    desired: Desired


def plan_run(run: Run, reader: Reader) -> Planned:
    """Read what the space holds, plan against it and show the plan.

    Raises:
        ManifestsInvalid: what the other branches are served at does not go with what this run renders.
        StepError: whatever the gateway or BCS answered.
    """
    rendered = run.desired
    wanted = Wanted(
        project=rendered.target.project,
        space=rendered.target.space,
        files=rendered.files,
        version=rendered.version,
        template_set=rendered.target.template_set,
        started_at=run.build.started_at / 1000,
        shared=routes_files(run.prepared),
        cluster_id=run.settings.cluster_id,
        namespace=run.settings.namespace,
    )
    existing = read_existing(reader, wanted, concurrency=run.concurrency)
    name_site(run.world.story, run.world.log, reader.site)
    if existing.space is not None:
        run.world.story.found_space(existing.space.id)
    desired = with_branches(rendered, existing, prepared=run.prepared, remove=run.policy.remove_branches)
    if desired.files != rendered.files:
        check_desired(desired, run.settings)
    plan = make_plan(desired, existing, policy=run.policy)
    run.world.story.plan, run.world.story.rendered = plan, desired.files
    show_lines(run.world.log, plan_lines(plan, language=run.world.story.language))
    return Planned(plan, existing, desired)


def name_site(story: Story, log: Log, site: Site) -> None:
    """Say which releases of BCS the answers so far are of, once, and warn where they are of two."""
    told = releases(site.possible) if site.possible != EVERY else None
    if told is not None and story.heading.bcs is None:
        log.info(say("bcs.is", releases=told))
    story.heading = replace(story.heading, bcs=told)
    if site.contradiction is not None:
        first, second = site.contradiction
        warning = say("bcs.two", first=releases(first), second=releases(second))
        if warning.key not in {known.key for known in story.warnings}:
            story.warnings.append(warning)
            log.warning(warning)


def look_at_branches(run: Run, reader: Reader, planned: Planned) -> None:
    """Note for the report which branches have paths in the space; only where the run shares some itself.

    Not between a plan and its writing: what is read for the report alone must not give rivals time.
    """
    if not planned.desired.shared:
        return
    story, now = run.world.story, run.world.clock.now()
    rows = rows_of_space(reader, planned.desired, planned.existing, now=now, concurrency=run.concurrency)
    written = frozenset(outcome.change.name for outcome in story.applied())
    story.branches = with_this_build(rows, planned.desired.provenance, written=written, now=now)


def check_desired(desired: Desired, settings: Settings) -> None:
    """Refuse manifests that Kubernetes or BCS would refuse or misread.

    A path that a person has added to a shared file is carried over as it is, whatever Service it leads to.

    Raises:
        ManifestsInvalid: a detail for each finding.
    """
    findings = check_manifests(
        desired.files, template_space=settings.template_space, template_set=bool(settings.template_set)
    )
    ours = [f for f in findings if not (f.id == INGRESS_SERVICE and f.file in desired.shared)]
    if ours:
        raise ManifestsInvalid(details=[finding.as_text() for finding in ours])


def check_refusal(run: Run, reader: Reader, planned: Planned) -> None:
    """Stop here if the plan must not be published; nothing has been written by this plan.

    Raises:
        StepError: why (8004xx).
    """
    refused = refusal(planned.plan, policy=run.policy, expect_plan=run.settings.expect_plan)
    if refused is not None:
        look_at_branches(run, reader, planned)
        raise refused


# --- publish --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WatchedWriter:
    """A writer whose writes the story counts while they are under way."""

    writer: Writer
    story: Story

    @property
    def site(self) -> Site:
        """Return what is known of BCS's dialect."""
        return self.writer.site

    def read(self, call: Read[T]) -> T:
        """Send a read and return its answer."""
        return self.writer.read(call)

    def write(self, call: Write[T]) -> T:
        """Send a write and return its answer."""
        with self.story.writing():
            return self.writer.write(call)


def publish_run(run: Run, writer: Writer, principal: Principal, *, planned: Planned) -> Result:
    """Write the plan, planning again where somebody published in between, and return the result.

    Raises:
        StepError: a file or the template set failed; what was written is in the story.
    """
    story = run.world.story
    publishing = Publishing(
        writer=WatchedWriter(writer, story),
        desired=planned.desired,
        clock=run.world.clock,
        deadline=run.world.deadline,
        concurrency=run.concurrency,
        on_file=lambda outcome: _file_ended(run, outcome),
    )
    planned = _publish_rounds(run, publishing, planned)
    name_site(story, run.world.log, publishing.writer.site)
    plan, files = planned.plan, story.files()
    look_at_branches(run, publishing.writer, planned)
    _check_all_done(files, deadline=run.world.deadline)
    if plan.chart == "create":
        story.chart = "failed"
        story.warnings += publish_chart(replace(publishing, desired=planned.desired), plan, files)
        story.chart = "created"
    elif plan.chart == "unchanged":
        story.chart = "unchanged"
    story.warnings += creator_warnings(story.applied(), user=principal.user)
    _learn_the_tokens_user(story, principal)
    if story.applied() or story.chart == "created":
        return "published"
    return "skipped" if any(outcome.state == "skipped" for outcome in files) else "unchanged"


def _publish_rounds(run: Run, publishing: Publishing, planned: Planned) -> Planned:
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
        run.world.log.warning(say("publish.planning_again", names=sorted(rivalled)))
        if round_number == MOST_ROUNDS:
            planned = plan_run(run, publishing.writer)
            _give_up(run, planned)
            break
        pause = pause_before_planning_again(run.desired.provenance, round_number)
        run.world.clock.wait(min(pause, run.world.deadline.remaining() / 2))
        planned = plan_run(run, publishing.writer)
        check_refusal(run, publishing.writer, planned)
    return planned


def pause_before_planning_again(provenance: Provenance, round_number: int) -> float:
    """Return the seconds after which this build looks again: another number for each of those that met.

    Who met once would meet again and again if all went on at once. No chance is needed to tell them apart.
    """
    words = f"{provenance.pipeline} {provenance.build} {provenance.branch} {round_number}"
    share = int.from_bytes(hashlib.sha256(words.encode("utf-8", "surrogatepass")).digest()[:4], "big") / 2**32
    return round(share * LONGEST_PAUSES[round_number - 1], 3)


def _publish_round(
    run: Run, publishing: Publishing, planned: Planned, *, space_id: str
) -> tuple[str, frozenset[str]]:
    """Write what the plan says and return the space's id and the files that others wrote meanwhile."""
    if any(change.writes for change in planned.plan.changes):
        if not space_id:
            space_id, run.world.story.created_space = ensure_space(publishing)
            run.world.story.found_space(space_id)
        run.world.log.group_start(say("log.group_publish", version=run.desired.version))
    files = publish_files(publishing, planned.plan, space_id=space_id)
    run.world.log.group_end()
    for outcome in files:
        run.world.story.record(outcome)
    overtaken = {outcome.change.name for outcome in files if isinstance(outcome.error, Overtaken)}
    return space_id, _settle(run, publishing, files, space_id=space_id) | overtaken


def _settle(
    run: Run, publishing: Publishing, files: tuple[FileOutcome, ...], *, space_id: str
) -> frozenset[str]:
    """Note what rivals did while the files were written, and return which files they wrote.

    What can't be seen is a warning.
    """
    story = run.world.story
    try:
        settled = settle(publishing, files, space_id=space_id)
    except StepError as exc:
        story.warnings.append(say("publish.unsettled", problem=exc.title()))
        return frozenset()
    for before, outcome in zip(files, settled.files):
        story.record(outcome)
        for note in outcome.notes[len(before.notes) :]:
            run.world.log.warning(note)
    return settled.rivalled


def _give_up(run: Run, planned: Planned) -> None:
    """Fail the files that are not what they should be after the last round.

    A file that branches don't share is not planned again where it has this run's content: the last one wins.
    """
    for change in planned.plan.changes:
        known = next(o for o in run.world.story.files() if o.change.name == change.name)
        if change.writes and known.state == "applied":
            error = Overtaken(details=[say("publish.gave_up", name=change.name, rounds=MOST_ROUNDS)])
            run.world.story.record(replace(known, state="failed", error=error.with_context(file=change.name)))


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
