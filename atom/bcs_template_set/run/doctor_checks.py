"""The checks of `doctor`: what is asked for, who asks, the way to the gateway, and what BCS says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NoReturn
from urllib.parse import urlsplit

from bcs_template_set.bcs.answers import Cluster
from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.bcs.dialect import EVERY, releases, space_name_problem
from bcs_template_set.config.regions import STRAIGHT_AT_BCS
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import (
    AccessRefused,
    AuthenticationRefused,
    ClusterNotVisible,
    InputsInvalid,
    NobodyArrived,
    NoPermission,
    ProjectNotVisible,
    TokenRefused,
    WorkspaceUnwritable,
)
from bcs_template_set.messages.server_errors import (
    ApiMissing,
    BcsFailed,
    BcsTooOld,
    CertificateExpired,
    CertificateForAnother,
    CertificateRefused,
    ClockWrong,
    NoSuchPath,
    RateLimited,
)
from bcs_template_set.messages.step_error import StepError, count_of, first_names
from bcs_template_set.messages.text import shown_time
from bcs_template_set.rollout.before_deploying import missing_namespace
from bcs_template_set.run.doctor_exam import (
    HOMES,
    Answers,
    Exam,
    NotOk,
    Probe,
    Question,
    Waits,
    errors_of,
    home_of,
    value_of,
)
from bcs_template_set.run.render_phase import make_desired, prepare_rendering
from bcs_template_set.run.settings_phase import machine_of
from bcs_template_set.system.allowed_addresses import addresses_of
from bcs_template_set.system.own_files import can_be_written
from bcs_template_set.system.parallel import Done
from bcs_template_set.system.proxies import proxy_of, without_credentials

MOST_SKEW = 60.0
"""Seconds that the clocks of build machine and gateway may differ."""

PREFIXES = ("/v4", "", STRAIGHT_AT_BCS)
"""Where cluster-resources is published (facts/gateway.md, "URLs")."""


# --- what is asked for, and who asks --------------------------------------------------------------------


def check_settings(exam: Exam) -> Text:
    """Return what is asked for."""
    settings = exam.settings
    target = {"region": settings.region, "project": settings.project_code, "space": settings.template_space}
    return say("log.target", **target)


def check_values(exam: Exam) -> Text:
    """Return how much the values render, checked as in a run."""
    settings = exam.settings
    if settings.templates == ("builtin:web",) and not (settings.values.strip() or settings.values_files):
        raise NotOk("skipped", say("doctor.no_values"))
    if not isinstance(exam.context, Done):
        raise Waits("user")
    context = exam.context.value
    desired, warnings = make_desired(context, acting_as="", prepared=prepare_rendering(context))
    domains = {file.domain for file in desired.files if file.domain}
    counts = {"files": len(desired.files), "domains": len(domains), "given": len(context.variables)}
    return say("doctor.values", warnings=sum(map(count_of, warnings)), **counts)


def check_user(exam: Exam) -> Text:
    """Return who acts, and why."""
    if isinstance(exam.principal, Done):
        principal = exam.principal.value
        return say("log.acting_user", name=principal.label, reason=principal.reason)
    error = exam.principal.error
    if not isinstance(error, StepError) or HOMES.get(type(error)) != "app":
        raise error
    named = error.fields.get("user")
    if not isinstance(named, str) or not named:
        raise Waits("app")
    return say("doctor.named", name=named)


def check_app(exam: Exam) -> Text:
    """Return what proves it."""
    exam.wait_if_failed("user")
    principal = value_of(exam.principal)
    if principal.is_token:
        return say("doctor.token", credential=principal.credential)
    owner = exam.region.owner
    return say("doctor.app_of" if owner else "doctor.app", app=principal.app_code, owner=owner)


def check_machine(exam: Exam) -> Text:
    """Return whether the workspace can be written to, and the clock is the gateway's."""
    workspace = exam.services.workspace
    if not can_be_written(workspace):
        raise WorkspaceUnwritable(file=str(workspace), problem=say("doctor.not_writable"))
    probe = exam.probe if exam.states["settings"] == "ok" else None
    if probe is None or probe.date is None:
        raise NotOk("unknown", say("doctor.no_date"))
    ahead = probe.at - probe.date
    if abs(ahead) > MOST_SKEW:
        seconds = int(abs(ahead))
        raise ClockWrong(problem=say("doctor.ahead" if ahead > 0 else "doctor.behind", seconds=seconds))
    return say("doctor.machine")


# --- the way to the gateway -----------------------------------------------------------------------------


def check_name(exam: Exam) -> Text:
    """Return where the gateway is."""
    endpoint, probe = exam.region.endpoint, exam.probe
    proxy = endpoint.proxy or proxy_of(endpoint.gateway, machine_of(exam.services).environ)
    if proxy:
        return say("doctor.by_proxy", proxy=without_credentials(proxy))
    host = urlsplit(endpoint.gateway).hostname or ""
    addresses = addresses_of(host)
    if not addresses and probe.error is not None:
        raise probe.error
    return say("doctor.resolved", host=host, addresses=list(addresses))


def check_connection(exam: Exam) -> Text:
    """Return how it is reached."""
    probe = exam.probe
    if probe.answer is None and probe.error is not None:
        raise _with_scheme(exam, probe.error)
    host = urlsplit(exam.region.endpoint.gateway).netloc
    answer = probe.answer
    if answer is None or not answer.tls:
        return say("doctor.plain", host=host)
    return say("doctor.tls", host=host, tls=answer.tls, until=shown_time(answer.valid_until))


def check_gateway(exam: Exam) -> Text:
    """Return whose gateway answers."""
    if exam.probe.error is not None and not _is_gateway(exam.probe):
        raise _with_scheme(exam, exam.probe.error)
    return say("doctor.straight" if exam.region.endpoint.straight_at_bcs else "doctor.gateway")


def _with_scheme(exam: Exam, error: StepError) -> StepError:
    """Return an error with the scheme to write, where TLS is spoken and was not asked for, or is not spoken.

    A certificate that is refused shows that TLS is spoken; it is no reason to do without.
    """
    given, separator, rest = exam.region.endpoint.gateway.partition("://")
    found = "https" if given == "http" else "http"
    if not isinstance(error, _CERTIFICATES):
        there = exam.probe_at(replace(exam.region.endpoint, gateway=found + separator + rest))
        if _is_gateway(there) or isinstance(there.error, _CERTIFICATES):
            told = say("doctor.other_scheme", given=given, found=found, region=exam.region.name)
            error.details = (*error.details, told)
    return error


_CERTIFICATES = (CertificateRefused, CertificateExpired, CertificateForAnother)


def _is_gateway(probe: Probe) -> bool:
    """Tell whether a gateway of BCS's is at that address, whatever it has behind the prefix."""
    return _is_bcs_behind(probe) or isinstance(probe.error, NoSuchPath)


def check_prefix(exam: Exam) -> Text:
    """Return that BCS is behind the prefix; a failure names the prefix that leads there."""
    endpoint, given = exam.region.endpoint, exam.region.endpoint.path_prefix
    error = exam.probe.error
    if error is None or _is_bcs_behind(exam.probe):
        return say("doctor.prefix", prefix=given)
    others = (prefix for prefix in PREFIXES if prefix != given)
    probes = (exam.probe_at(replace(endpoint, path_prefix=prefix)) for prefix in others)
    found = next((probe.endpoint.path_prefix for probe in probes if _is_bcs_behind(probe)), None)
    if found is not None:
        told = say("doctor.other_prefix", given=given, found=found, region=exam.region.name)
        error.details = (*error.details, told)
    raise error


def _is_bcs_behind(probe: Probe) -> bool:
    """Tell whether something of BCS's is at that address: what answers asks who is there."""
    return probe.error is None or isinstance(probe.error, _BEHIND)


_BEHIND = (
    *(AuthenticationRefused, TokenRefused, NobodyArrived, AccessRefused, NoPermission, ProjectNotVisible),
    *(BcsFailed, BcsTooOld, RateLimited),
)


def check_secret(exam: Exam) -> Text:
    """Return that app or token are accepted."""
    asked = exam.answers.all
    _raise_those_of("secret", asked)
    if any(map(_came_to_bcs, asked)) or any(home_of(error) == "grants" for error in errors_of(asked)):
        return say("doctor.secret")
    raise Waits("bcs")


def check_grants(exam: Exam) -> Text:
    """Tell which services the app may call; one that nobody asked for tells nothing."""
    by_service = exam.answers.by_service.items()
    refused = [(name, e) for name, those in by_service for e in errors_of(those) if home_of(e) == "grants"]
    if refused:
        names = dict.fromkeys(name for name, _ in refused)
        _, error = refused[0]
        error.details = (*error.details, say("doctor.not_granted", services=_services(names)))
        raise error
    granted = [name for name, those in by_service if any(map(_came_to_bcs, those))]
    return say("doctor.granted", services=_services(granted))


def _services(names: Iterable[str]) -> list[Text]:
    return [say(f"doctor.service_{name}") for name in names]


def check_passed(exam: Exam) -> Text:
    """Return that a user arrives at BCS."""
    _raise_those_of("passed", exam.answers.all)
    space = exam.answers.space
    if _came_to_bcs(space):
        principal = value_of(exam.principal)
        return say("doctor.passed" if principal.user else "doctor.passed_token", user=principal.user)
    return _not_answered((space,))


def check_project(exam: Exam) -> Text:
    """Return the project and its id."""
    exam.wait_if_failed("passed")
    project = exam.answers.project.answer
    return say("doctor.project", code=project.project_code, id=project.project_id)


def check_folder(exam: Exam) -> Text:
    """Return how many files the folder has, or that it will be made."""
    exam.wait_if_failed("passed")
    answers, name = exam.answers, exam.settings.template_space
    if answers.space.answer is not None:
        return say("doctor.folder", name=name, files=len(answers.files.answer))
    problem = space_name_problem(name, exam.reader.site.possible)
    if problem is not None:
        raise InputsInvalid(details=[problem])
    return say("log.creates_space", space=name)


def check_bcs(exam: Exam) -> Text:
    """Return which releases answer so."""
    answers, site = exam.answers, exam.reader.site
    exam.wait_if_failed("secret")
    if "secret" in exam.waiting:  # neither BCS nor the gateway has said anything about it
        _not_answered(answers.all)
    if answers.space.error is not None and home_of(answers.space.error) != "bcs":
        raise Waits("folder")
    _raise_those_of("bcs", (answers.space, answers.files, answers.dialect))
    if site.possible == EVERY:
        raise NotOk("unknown", say("doctor.no_release"))
    release = answers.release.answer.version if answers.release.is_answered else ""
    known = releases(site.possible)
    return say("doctor.release", known=known, release=release) if release else known


def check_cluster(exam: Exam) -> Text:
    """Return that the cluster is one of the project."""
    cluster, answers = exam.settings.cluster_id, exam.answers
    if not cluster:
        raise NotOk("skipped", say("doctor.no_target", known=_clusters(answers)))
    asked = (answers.namespaces, answers.workloads, answers.right)
    if "ok" not in (exam.states["project"], exam.states["folder"]):
        raise Waits("project")
    try:
        _raise_those_of("cluster", answers.all)
    except StepError as exc:
        exc.details = (*exc.details, *_clusters(answers))
        raise
    if any(question.is_answered or isinstance(question.error, NoPermission) for question in asked):
        shared = next((known.is_shared for known in _known(answers) if known.cluster_id == cluster), None)
        return say(_TOLD[shared], cluster=cluster, project=exam.settings.project_code)
    return _not_answered(asked)


_TOLD = {None: "doctor.cluster", False: "doctor.cluster_own", True: "doctor.cluster_shared"}


def _clusters(answers: Answers) -> list[Text]:
    """Return one sentence: which clusters the project has; none where that can't be read."""
    names = [
        say("doctor.shared", cluster=known.cluster_id) if known.is_shared else known.cluster_id
        for known in _known(answers)
    ]
    return [say("doctor.clusters", names=first_names(names))] if names else []


def _known(answers: Answers) -> Sequence[Cluster]:
    return answers.clusters.answer if answers.clusters.is_answered else ()


def check_namespace(exam: Exam) -> Text:
    """Return that the namespace is there."""
    settings, question = exam.settings, exam.answers.namespaces
    _wait_without_id(exam)
    error = question.error
    if isinstance(error, (NoPermission, ApiMissing)) and home_of(error) != "grants":
        raise NotOk("unknown", say("doctor.unread", why=error.title()))
    known = question.answer
    if known and settings.namespace not in known:
        place = NamespaceRef(settings.project_code, "", settings.cluster_id, settings.namespace)
        raise missing_namespace(place, known)
    if not known:
        raise NotOk("unknown", say("doctor.no_namespaces"))
    return say("doctor.namespace", namespace=settings.namespace)


def check_view(exam: Exam) -> Text:
    """Return that the user may look at workloads there."""
    exam.wait_if_failed("namespace")
    _wait_without_id(exam)
    _ = exam.answers.workloads.answer
    return say("doctor.view", user=value_of(exam.principal).label)


def check_deploy(exam: Exam) -> Text:
    """Return that the user may deploy there: asked by the deployment of nothing."""
    exam.wait_if_failed("namespace")
    exam.answers.right.answer  # noqa: B018 - its error is what is told
    settings = exam.settings
    return say("deploy.may_deploy", namespace=settings.namespace, cluster=settings.cluster_id)


def check_template_set(exam: Exam) -> Text:
    """Return that the chart repository answers."""
    chart = exam.answers.chart
    if isinstance(chart.error, BcsFailed):
        raise NotOk("unknown", say("doctor.no_chart", why=chart.error.title()))
    return say("doctor.chart", name=chart.answer.name)


def _came_to_bcs(question: Question[object]) -> bool:
    """Tell whether BCS itself has answered: app and user are accepted, and the call is granted."""
    return question.is_answered or isinstance(question.error, _OF_BCS)


_OF_BCS = (
    *(NobodyArrived, NoPermission, ProjectNotVisible, ClusterNotVisible),
    *(BcsFailed, BcsTooOld),
)


def _raise_those_of(home: str, questions: Iterable[Question[object]]) -> None:
    for error in errors_of(questions):
        if home_of(error) == home:
            raise error


def _not_answered(questions: Iterable[Question[object]]) -> NoReturn:
    raise next(errors_of(questions))


def _wait_without_id(exam: Exam) -> None:
    """Wait for the project where nobody knows its id, by which live objects are asked for."""
    if not exam.answers.project.is_answered:
        raise Waits("project")
