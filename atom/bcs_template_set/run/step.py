"""The life of a run: settings -> who -> desired -> plan -> publish.

One function a phase, over values. Until publishing begins the gateway is passed on as a `Reader`, so the
code before it can't write. `run_step` is the one boundary that turns any exception into an outcome. What a
run may not need, or only after its first requests, is imported where it is called.
"""

from __future__ import annotations

from collections.abc import Mapping

from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.gateway import Gateway
from bcs_template_set.config.inputs import wants_doctor
from bcs_template_set.config.principal import Principal
from bcs_template_set.manifests.templating.prepare import Prepared
from bcs_template_set.messages.state_words import Result
from bcs_template_set.messages.step_error import StepError, defect_of
from bcs_template_set.publish.plan import Desired
from bcs_template_set.report.outcome import Outcome
from bcs_template_set.rollout.result import rollout_result
from bcs_template_set.run.context import Planned, RenderedRun, RunContext, Services
from bcs_template_set.run.journal import leave_plan
from bcs_template_set.run.plan_phase import check_refusal, look_at_branches, plan_run
from bcs_template_set.run.prune_phase import keep_newest, prune_run
from bcs_template_set.run.publish_phase import publish_run
from bcs_template_set.run.record import RunRecord
from bcs_template_set.run.render_phase import prepare_rendering, render_desired
from bcs_template_set.run.secret_words import SecretWords
from bcs_template_set.run.settings_phase import (
    WatchedWriter,
    connect_ahead,
    connecting,
    holding,
    identify,
    open_gateway,
    read_everything,
)
from bcs_template_set.system.signals import Stopped


def run_step(services: Services) -> Outcome:
    """Live the run and return what happened, whatever happened."""
    record, result = services.record, _FAILED
    try:
        result = _live(services)
    except StepError as exc:
        record.error = _with_who(exc, record)
        result = rollout_result(exc, record.rollout) or _FAILED
    except Stopped as exc:
        record.stop(exc.error)
    except Exception as exc:  # noqa: BLE001 - the one boundary: a defect becomes an outcome too
        record.error = defect_of(exc)
        services.log.defect(exc)
    return record.tell(result)


_FAILED: Result = "failed"


def _with_who(error: StepError, record: RunRecord) -> StepError:
    """Add what the place of the failure did not know; errors of inputs and templates need none of it."""
    if error.code // 100 in (8001, 8003):
        return error
    identity, heading = record.identity, record.heading
    who: Mapping[str, object] = {}
    if identity is not None:
        who = {"acting_user": identity.acting_user, "app": identity.app_code, "starter": identity.starter}
    return error.with_context(**who, region=heading.region, project=heading.project)


def _live(services: Services) -> Result:
    if wants_doctor(services.agent.inputs()):
        from bcs_template_set.run.doctor import doctor_run  # noqa: PLC0415 - see the module's docstring

        return doctor_run(services)
    with services.record.phase("settings"):
        context = read_everything(services)
        principal = identify(context)
    services.record.journal = services.journal_of(principal, context.build)
    services.on_region(context.region)
    if context.settings.goes_back:
        from bcs_template_set.run.rollback_phase import roll_back  # noqa: PLC0415 - see the module's docstring

        gateway = open_gateway(context, principal, words=SecretWords(variables=context.variables))
        with holding(gateway):
            return roll_back(context, gateway, principal)
    with connecting(context) as sender, services.record.phase("render"):
        prepared, desired = (services.render or _rendered)(context, principal)
        words = SecretWords(desired.files, variables=context.variables)
    connect_ahead(sender, context.region.endpoint, count=len(desired.files))
    gateway = open_gateway(context, principal, words=words, sender=sender)
    with holding(gateway):
        return carry_out(RenderedRun(context, prepared, desired), gateway, principal)


def _rendered(context: RunContext, principal: Principal) -> tuple[Prepared, Desired]:
    prepared = prepare_rendering(context)
    return prepared, render_desired(context, principal, prepared=prepared)


def carry_out(run: RenderedRun, gateway: Gateway, principal: Principal) -> Result:
    """Plan, and publish and deploy as far as the action goes; return the result.

    Raises:
        StepError: what stood in the way; what was done is in the record.
    """
    record, action = run.services.record, run.settings.action
    planned = _plan(run, gateway)
    if action == "plan":
        leave_plan(record.journal, planned.plan)
        return "planned"
    with record.phase("publish"):
        result = publish_run(run, gateway, principal, planned=planned)
    if action == "publish" or result == "skipped":
        return result
    writer = WatchedWriter(gateway, record)
    from bcs_template_set.run.deploy_phase import deploy_run  # noqa: PLC0415 - see the module's docstring

    with record.phase("deploy"):
        result = deploy_run(run, writer, planned=planned)
    prune_run(run, writer, planned=planned, result=result)
    keep_newest(run, writer, planned=planned, result=result)
    return result


def _plan(run: RenderedRun, reader: Reader) -> Planned:
    with run.services.record.phase("plan"):
        planned = plan_run(run, reader)
    look_at_branches(run, planned)
    check_refusal(run, planned)
    if run.settings.cluster_id:
        from bcs_template_set.run.look_ahead import look_ahead  # noqa: PLC0415 - see the module's docstring

        look_ahead(run, reader, planned)
    from bcs_template_set.run.image_phase import check_images  # noqa: PLC0415 - see the module's docstring

    check_images(run, reader, planned)
    return planned
