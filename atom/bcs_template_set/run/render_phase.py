"""The render phase of a run: values and templates to checked files under their version name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bcs_template_set.bcs.space.provenance import Provenance
from bcs_template_set.branches.merge_paths import check_removals
from bcs_template_set.config.inputs import Settings, approved_inputs
from bcs_template_set.config.principal import Principal
from bcs_template_set.manifests.checks.bcs_rules import is_cluster_wide
from bcs_template_set.manifests.checks.check_manifests import check_manifests
from bcs_template_set.manifests.checks.finding import Finding
from bcs_template_set.manifests.checks.links import INGRESS_SERVICE
from bcs_template_set.manifests.checks.telling import mistake, refusal_of, told_lines, version_mistake
from bcs_template_set.manifests.naming import check_version_name, is_semver
from bcs_template_set.manifests.templating.build_context import (
    Build,
    BuildContext,
    Pipeline,
    branch_named,
    commit_of,
)
from bcs_template_set.manifests.templating.prepare import Prepared, RenderRequest, prepare
from bcs_template_set.manifests.templating.render import render_files, render_version, template_process
from bcs_template_set.manifests.templating.worker_process import child_environment
from bcs_template_set.manifests.yaml_reading import has_read_slowly
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import ValuesInvalid
from bcs_template_set.publish.plan import Desired, SpaceRef
from bcs_template_set.report.log_lines import rendered_lines, warning_lines
from bcs_template_set.run.context import RunContext
from bcs_template_set.run.finish import show_lines


def prepare_rendering(context: RunContext) -> Prepared:
    """Return what the inputs come to before anything is rendered.

    Raises:
        InputsInvalid: a branch must not be removed.
        LimitExceeded: there are more files than a run may have.
    """
    services, settings, build = context.services, context.settings, context.build
    prepared = prepare(
        RenderRequest(
            workspace=services.workspace,
            templates=settings.templates,
            values_text=settings.values,
            values_files=settings.values_files,
            context=BuildContext(
                build=Build(build.build_number, build.build_id, build.url, build.started_at),
                pipeline=Pipeline(build.pipeline_id, build.pipeline_name),
                branch=branch_named(build.branch),
                commit=commit_of(build.commit),
                project=settings.project_code,
                cluster_id=settings.cluster_id,
                namespace=settings.namespace,
                region=settings.region,
            ),
            clock=services.clock,
            deadline=services.deadline,
            by=build.starter,
            only=settings.only,
            environ=child_environment(services.environ),
        )
    )
    if not prepared.mistakes:  # else it is not known which domains there are
        check_removals(settings.remove_branches, prepared)
    return prepared


def render_desired(context: RunContext, principal: Principal, *, prepared: Prepared) -> Desired:
    """Return the rendered and checked files under their version name, with this branch's paths only.

    Raises:
        FilesMistaken: values, templates, the version name or manifests are wrong (8003xx); all mistakes.
    """
    services = context.services
    desired, warnings = make_desired(context, acting_as=principal.label, prepared=prepared)
    services.record.rendered = desired.files
    if has_read_slowly():
        services.log.info(say("render.reads_slowly"))
    services.record.warnings += warnings
    scope, language = desired.scope.text(), services.record.language
    if context.settings.only:
        services.log.info(say("render.scope", scope=scope))
    if context.settings.only and context.settings.template_set:
        services.log.info(say("render.only_no_set", name=context.settings.template_set))
    show_lines(services.log, rendered_lines(desired.files, desired.empty, scope=scope, language=language))
    show_lines(services.log, warning_lines(warnings, language=language))
    return desired


def make_desired(context: RunContext, *, acting_as: str, prepared: Prepared) -> tuple[Desired, list[Text]]:
    """Return the rendered and checked files, and what is only a warning about them; nothing is shown.

    Raises:
        StepError: as `render_desired`.
    """
    services, settings = context.services, context.settings
    found: list[Finding] = []
    with template_process(prepared) as process:
        version = render_version(settings.version, process, found=found)
        found += [] if found else version_mistakes(version, template_set=_template_set(settings))
        services.record.heading = replace(services.record.heading, version=version)
        rendered = render_files(prepared, process)
    found += _variable_mistakes(context)
    files = rendered.files
    target = SpaceRef(
        settings.region, settings.project_code, settings.template_space, _template_set(settings)
    )
    desired = Desired(
        target,
        version,
        files,
        provenance_of(context, acting_as=acting_as),
        empty=rendered.empty,
        inputs=approved_inputs(settings),
        scope=prepared.scope,
    )
    return desired, check_desired(desired, context, prepared=prepared, mistakes=(*rendered.mistakes, *found))


def provenance_of(context: RunContext, *, acting_as: str) -> Provenance:
    """Return what the descriptions of this build's versions say."""
    build = context.build
    return Provenance(
        pipeline=build.pipeline_id,
        build=build.build_number,
        branch=build.branch,
        commit=build.commit,
        started_by=build.starter,
        acting_as=acting_as,
        link=build.url,
        # Of a build that is being retried BK-CI says when that began.
        began_at=0.0 if build.is_retried else build.started_at / 1000,
    )


def _template_set(settings: Settings) -> str:
    """Return the template set to publish, "" for none: a part of the files is not published as the whole."""
    return "" if settings.only else settings.template_set


def _variable_mistakes(context: RunContext) -> list[Finding]:
    try:
        _ = context.variables
    except ValuesInvalid as exc:
        return [mistake("variables", "variables", text) for text in exc.details if isinstance(text, Text)]
    return []


def version_mistakes(version: str, *, template_set: str) -> list[Finding]:
    """Return what BCS would refuse a version name for: length, characters, and SemVer for a template set."""
    problem = check_version_name(version)
    if problem is None and template_set and not is_semver(version):
        problem = say("settings.version_not_semver")
    if problem is None and template_set and "+" in version:  # facts/bcs.md, trap 15
        problem = say("settings.version_with_plus")
    return [] if problem is None else [version_mistake(version, problem)]


def check_desired(
    desired: Desired, context: RunContext, *, prepared: Prepared, mistakes: Sequence[Finding] = ()
) -> list[Text]:
    """Refuse what could not be rendered, and what Kubernetes or BCS would refuse or misread, all together.

    Returns the lines that warn. A path that a person has added to a shared file is carried over as it is,
    whatever Service it leads to.

    Raises:
        FilesMistaken: a detail for each finding that is more than a warning; for each one if `strict`.
    """
    settings = context.settings
    findings = check_manifests(
        desired.files,
        template_space=settings.template_space,
        template_set=bool(_template_set(settings)),
        namespace=settings.namespace,
        kube_version=settings.kube_version,
        is_whole=not mistakes and not prepared.request.only,
    )
    ours = [f for f in findings if not (f.id == INGRESS_SERVICE and f.file in desired.shared)]
    placed = prepared.with_origins(ours, desired.files)
    stops = [finding for finding in placed if settings.strict or not finding.is_warning]
    wide = [d.title for file in desired.files for d in file.documents if is_cluster_wide(d)]
    named = [say("checks.cluster_wide", objects=wide)] if wide else []
    warnings = [*told_lines([finding for finding in placed if finding not in stops]), *named]
    refusal = refusal_of([*mistakes, *stops])
    if refusal is not None:
        context.services.record.warnings += warnings
        raise refusal
    return warnings
