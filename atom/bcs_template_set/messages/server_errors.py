"""Ways a run can fail by the gateway, BCS, BK-CI or the cluster: 8005xx and 8006xx. Performs no I/O."""

from __future__ import annotations

from typing import Optional

from bcs_template_set.messages import Text, say
from bcs_template_set.messages.step_error import Detail, StepError


class ThirdPartyFault(StepError):
    """The gateway, BCS or BK-CI did not do its part."""

    error_type = 2


class DeployIncomplete(ThirdPartyFault, code=800505):
    """Objects are not what was deployed, whatever the answer was; a detail for each object."""


class RolloutBlocked(ThirdPartyFault, code=800507):
    """Workloads can't become ready, by the cluster's fault; details say why."""

    count: int


class RolloutTimedOut(ThirdPartyFault, code=800508):
    """Workloads are still on their way when the time is over; details say where.

    `deadline` is the progressDeadlineSeconds of one of them, where the wait was as long; 0 where none was.
    `needs_time` is False where each says itself that something else is missing, `put_off` True where
    `fail_fast` alone has kept one from being called failed. `timeout` is the author's, where the step's own
    time ended the wait before it; 0 where it did not.
    """

    count: int
    seconds: int
    timeout: int = 0
    deadline: int = 0
    needs_time: bool = True
    put_off: bool = False

    def title(self) -> Text:
        """Return what happened: that none has failed is not said where that was left open."""
        return say("rollout.put_off", **self.fields) if self.put_off else super().title()

    def cure(self) -> Text:
        """Return what to do: where Kubernetes gives up next, running again does not help for long."""
        if self.deadline:
            return say("rollout.deadline_next", deadline=self.deadline)
        if not self.needs_time:
            return say("rollout.not_time")
        return say("rollout.cut_short", **self.fields) if self.timeout else super().cure()


class NotRestored(ThirdPartyFault, code=800510):
    """The post action could not put back what the step had deployed."""

    problem: Detail


class RolloutUnseen(ThirdPartyFault, code=800512):
    """Workloads could not be looked at any more; nothing is known against them. Details say since when."""

    count: int


class WorkloadsGone(ThirdPartyFault, code=800513):
    """Workloads that were there are there no more; details say what they were when they were last seen."""

    count: int


class NotConnected(ThirdPartyFault):
    """No connection to the gateway came about."""

    url: str
    problem: Detail


class Unreachable(NotConnected, code=800601):
    """No connection to the gateway."""


class CertificateRefused(NotConnected, code=800602):
    """No authority that is trusted here has signed the gateway's certificate."""


class NotTheGateway(ThirdPartyFault, code=800603):
    """The answer is a redirect, a login page or another server's."""

    url: str
    status: int
    problem: Detail


class ApiMissing(ThirdPartyFault):
    """The gateway or BCS has no such API."""


class NoSuchPath(ApiMissing, code=800604):
    """The gateway, or BCS behind it, has no such path: wrong gateway, stage or path_prefix."""

    url: str
    message: Detail


class RateLimited(ThirdPartyFault, code=800605):
    """The gateway's rate limit did not lift in time."""

    message: Detail


class GatewayFailed(ThirdPartyFault, code=800606):
    """Gateway or BCS answers with a server error."""

    url: str
    status: int
    message: Detail


class TooLarge(ThirdPartyFault, code=800607):
    """The request is larger than the gateway takes (413, 414)."""

    url: str
    message: Detail


class BcsFailed(ThirdPartyFault, code=800608):
    """BCS refuses for a reason of its own."""

    bcs_code: Optional[int]
    message: Detail


class AnswerUnreadable(ThirdPartyFault, code=800609):
    """An answer lacks what its API promises."""

    url: str
    problem: Detail


class OutcomeUnknown(ThirdPartyFault, code=800610):
    """A write got no answer, and reading back did not tell whether it happened."""

    url: str
    problem: Detail


class BuildApiFailed(ThirdPartyFault, code=800611):
    """BK-CI's build API did not answer as promised."""

    url: str
    problem: Detail


class OutOfTime(ThirdPartyFault, code=800612):
    """The step's own time is nearly over."""

    seconds: int


class CertificateExpired(NotConnected, code=800613):
    """The gateway's certificate is no longer valid, or not yet."""


class CertificateForAnother(NotConnected, code=800614):
    """The gateway's certificate is for another name than the one asked."""


class AuthoritiesUnusable(NotConnected, code=800615):
    """The region's ca_bundle is no file of certificates."""


class ClockWrong(ThirdPartyFault, code=800617):
    """The build machine's clock is not the gateway's; only `doctor` looks."""

    problem: Detail


class BcsTooOld(ApiMissing, code=800616):
    """BCS itself, and not the gateway, lacks what the step needs."""

    problem: Detail
    oldest: str
    status: int = 0
