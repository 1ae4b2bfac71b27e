"""The life of a run: settings -> who -> desired -> plan -> publish.

One function a phase, over values. Until publishing begins the gateway is passed on as a `Reader`, so the
code before it can't write. `run_step` is the one boundary that turns any exception into an outcome.
"""

from __future__ import annotations

from collections.abc import Mapping

from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.gateway import Gateway
from bcs_template_set.config.principal import Principal
from bcs_template_set.messages.defects import defect_of, traceback_of
from bcs_template_set.messages.errors import StepError
from bcs_template_set.report.outcome import Outcome, Result
from bcs_template_set.run.context import Run, World
from bcs_template_set.run.deploy_phase import deploy_run, rollout_result
from bcs_template_set.run.plan_phase import Planned, check_refusal, look_ahead, look_at_branches, plan_run
from bcs_template_set.run.publish_phase import publish_run
from bcs_template_set.run.record import Story
from bcs_template_set.run.render_phase import prepare_rendering, render_desired
from bcs_template_set.run.run_gateway import WatchedWriter, open_gateway
from bcs_template_set.run.secret_words import SecretWords
from bcs_template_set.run.settings_phase import identify, read_everything
from bcs_template_set.system.signals import Stopped


def run_step(world: World) -> Outcome:
    """Live the run and return what happened, whatever happened."""
    story, result = world.story, _FAILED
    try:
        result = _live(world)
    except StepError as exc:
        story.error = _with_who(exc, story)
        result = rollout_result(exc, story.rollout) or _FAILED
    except Stopped as exc:
        story.stop(exc.error)
    except Exception as exc:  # noqa: BLE001 - the one boundary: a defect becomes an outcome too
        story.error = defect_of(exc)
        world.log.foreign(traceback_of(exc))
    return story.tell(result)


_FAILED: Result = "failed"


def _with_who(error: StepError, story: Story) -> StepError:
    """Add to an error of identity, conflict or server what the place of the failure did not know."""
    if not 800200 < error.code < 800300 and not 800400 < error.code < 800900:  # noqa: PLR2004 - code ranges of errors.py
        return error
    identity, heading = story.identity, story.heading
    who: Mapping[str, object] = {}
    if identity is not None:
        who = {"acting_user": identity.acting_user, "app": identity.app_code, "starter": identity.starter}
    return error.with_context(**who, region=heading.region, project=heading.project)


def _live(world: World) -> Result:
    with world.story.phase("settings"):
        context = read_everything(world)
        principal = identify(context)
    world.on_principal(principal, context.build)
    world.on_region(context.region)
    with world.story.phase("render"):
        prepared = prepare_rendering(context)
        desired = render_desired(context, principal, prepared=prepared)
        # What is wrong with the variables is said before anything is sent.
        words = SecretWords(desired.files, variables=context.variables)
    gateway = open_gateway(context, principal, words=words)
    try:
        return carry_out(Run(context, prepared, desired), gateway, principal)
    except Stopped as exc:
        # Threads under way outlive this one: none of them may write after the verdict.
        gateway.stop(exc.error)
        raise


def carry_out(run: Run, gateway: Gateway, principal: Principal) -> Result:
    """Plan, and publish and deploy as far as the action goes; return the result.

    Raises:
        StepError: what stood in the way; what was done is in the story.
    """
    story, action = run.world.story, run.settings.action
    planned = _plan(run, gateway)
    if action == "plan":
        return "planned"
    with story.phase("publish"):
        result = publish_run(run, gateway, principal, planned=planned)
    if action == "publish" or result == "skipped":
        return result
    with story.phase("deploy"):
        return deploy_run(run, WatchedWriter(gateway, story), planned=planned)


def _plan(run: Run, reader: Reader) -> Planned:
    with run.world.story.phase("plan"):
        planned = plan_run(run, reader)
    check_refusal(run, reader, planned)
    if run.settings.action == "plan":
        look_at_branches(run, reader, planned)
    if run.settings.cluster_id:
        look_ahead(run, reader, planned.existing)
    return planned
