"""The checks of `doctor` about what is asked for, who asks, and the way to the gateway."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from bcs_template_set.config.regions import STRAIGHT_AT_BCS
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import (
    AccessRefused,
    AuthenticationRefused,
    NobodyArrived,
    NoPermission,
    ProjectNotVisible,
    TokenRefused,
    WorkspaceUnwritable,
)
from bcs_template_set.messages.server_errors import (
    BcsFailed,
    BcsTooOld,
    CertificateExpired,
    CertificateForAnother,
    CertificateRefused,
    ClockWrong,
    NoSuchPath,
    RateLimited,
)
from bcs_template_set.messages.step_error import StepError, count_of
from bcs_template_set.messages.text import shown_time
from bcs_template_set.run.doctor_exam import HOMES, Exam, NotOk, Probe, Waits, value_of
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
