"""The last phase of a deployment with `prune: delete`: take away what the plan says, if it still holds.

It begins only after every workload of the run was seen ready, and with another look at everything: what the
plan said is the most that goes. What stops it fails nothing: what was deployed is live, and is said to be.
"""

from __future__ import annotations

from typing import Optional

from bcs_template_set.bcs.answers import TemplateSpace
from bcs_template_set.bcs.calls import Writer
from bcs_template_set.bcs.space.template_spaces import list_files, oldest_of_each_name
from bcs_template_set.manifests.kind_rules import DONE
from bcs_template_set.manifests.kinds import LISTED
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.state_words import Result
from bcs_template_set.messages.step_error import StepError, first_names
from bcs_template_set.publish.pruning import Pruning
from bcs_template_set.publish.read_orphans import Looking
from bcs_template_set.publish.take_away import UNTIL_GONE, Taking, narrowed, take_away
from bcs_template_set.report.verdict import taken_texts
from bcs_template_set.rollout.result import Rollout
from bcs_template_set.run.context import RenderedRun
from bcs_template_set.run.plan_phase import Planned
from bcs_template_set.run.prune_look import Files, look


def prune_run(run: RenderedRun, writer: Writer, *, planned: Planned, result: Result) -> None:
    """Delete what the plan says; where it may not be, say why. Raises nothing but what stops the run."""
    record, plan, space = run.services.record, run.services.record.plan, planned.existing.space
    if plan is None or plan.pruning.mode != "delete":
        return
    if space is None or not plan.pruning.deletes:
        _warn(run, plan.pruning.blind)
        return
    reason = _not_seen_ready(record.rollout, result)
    if reason is None:
        with record.phase("prune"):
            reason = _prune(run, writer, space, planned=planned, pruning=plan.pruning)
    _warn(run, reason)


def _warn(run: RenderedRun, reason: Optional[Text]) -> None:
    if reason is not None:
        run.services.warn(say("prune.nothing_deleted", why=reason))


def _not_seen_ready(rollout: Optional[Rollout], result: Result) -> Optional[Text]:
    """Return why what was deployed is not known to serve, None where every workload was seen ready."""
    if rollout is None or result != "deployed" or not rollout.waited:
        return say("prune.not_deployed")
    if rollout.held:  # what is live of these is another version's, which may lack what they take over
        return say("prune.held", names=first_names(rollout.held))
    pending = [item.workload.title for item in rollout.watched if item.end not in DONE]
    unseen = [*pending, *rollout.unwatched]
    return say("prune.not_ready", objects=first_names(unseen)) if unseen else None


def _prune(
    run: RenderedRun, writer: Writer, space: TemplateSpace, *, planned: Planned, pruning: Pruning
) -> Optional[Text]:
    """Look again, and delete what may still go; return why nothing was deleted, None where it was tried."""
    services = run.services
    place = run.context.namespace(planned.existing.project_id)
    try:
        rows = oldest_of_each_name(list_files(writer, place.project, space.id))
    except StepError as exc:
        return say("prune.look_failed", why=exc.title())
    files = Files(space, rows, {})
    rollout = services.record.rollout
    seen = (
        [item.workload.title for item in rollout.watched if item.workload.kind in LISTED] if rollout else []
    )
    deployed = (*rollout.deployed, *rollout.live_already) if rollout else ()
    at = {file.name: file.version for file in deployed if file.live_as is None}
    fresh = look(run, writer, files, planned.desired, project_id=place.project_id, seen=seen, at=at)
    if fresh.blind is not None:
        return fresh.blind
    going, kept = narrowed(fresh, pruning)
    services.log.group_start(say("prune.group", count=len(going.objects) + len(going.files)))
    looking = Looking(writer, place, space, run.concurrency)
    seconds = min(UNTIL_GONE, services.deadline.remaining() / 2)
    taking = Taking(looking, writer, services.clock, services.record.note_taken, seconds)
    taken = take_away(taking, going, kept=kept)
    for text in taken_texts(taken):
        tell = services.log.info if taken.is_whole else services.log.warning
        tell(text)
    services.log.group_end()
    return None
