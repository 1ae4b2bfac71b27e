"""Every way a run can fail, cut by whose fault it is. Performs no I/O.

    StepError
    ├── UserMistake (errorType 1)
    │   ├── 8001xx inputs and settings    InputUnreadable, InputsInvalid, PrivateSettingsInvalid,
    │   │                                 SdkFileUnreadable, WorkspaceUnwritable, Interrupted,
    │   │                                 PlatformSdkUnusable
    │   ├── 8002xx identity, permission   UserUnknown, OwnerMismatch, CredentialUnusable, NoCredentials,
    │   │                                 AuthenticationRefused, TokenRefused, AppNotGranted, AccessRefused,
    │   │                                 NobodyArrived, NoPermission, ProjectNotVisible,
    │   │                                 ClusterNotVisible, ModifierNotProven, FactDisputed,
    │   │                                 AuthorizerNotProven, StarterNotProven, NameNotProven, RecordRefused,
    │   │                                 ActedAsAnother
    │   ├── 8003xx templates, manifests   TemplateUnreadable, ValuesInvalid, TemplateSyntax, NamesMissing,
    │   │                                 TemplateFailed, LimitExceeded, ManifestsInvalid, VersionNameInvalid,
    │   │                                 VariablesMissing
    │   ├── 8004xx conflicts              VersionConflict, NewerBuild, PlanChanged, RouteRemoval, Overtaken,
    │   │                                 RouteTaken
    │   └── 8005xx rollout                DryRunFailed, SelectorChanged, NodePortLost, DeployRefused,
    │                                     RolloutFailed, NotArrived, StateUntrusted
    ├── ThirdPartyFault (errorType 2)
    │   ├── 8005xx rollout                DeployIncomplete, RolloutBlocked, RolloutTimedOut,
    │   │                                 NotRestored
    │   └── 8006xx gateway or BCS         Unreachable, CertificateRefused, NotTheGateway, NoSuchPath,
    │                                     RateLimited, GatewayFailed, TooLarge, BcsFailed, AnswerUnreadable,
    │                                     OutcomeUnknown, BuildApiFailed, OutOfTime, CertificateExpired,
    │                                     CertificateForAnother, AuthoritiesUnusable, BcsTooOld
    └── StepDefect (errorType 3)
        └── 8009xx                        Defect

The sentences are in the catalogue, `messages/errors.json`: `<code>.title`
says what happened and where, `<code>.cure` what to do. Every code has its row in error.json and README.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Union

from bcs_template_set.messages import Language, Text, known, say

Detail = Union[Text, str]


class StepError(Exception):
    """A failure that has a code, an author, a sentence and a cure.

    `fields` fill the title's and the cure's placeholders. `details` are lines under the title, one for
    each mistake. `context` are facts shown beneath, in order: acting user, app, region, project,
    permission, apply link, request ids; its keys are names of the catalogue's `context` area.
    """

    code: ClassVar[int] = 0
    error_type: ClassVar[int] = 3

    def __init__(
        self, *, details: Sequence[Detail] = (), context: Mapping[str, object] | None = None, **fields: object
    ) -> None:
        super().__init__()
        self.details = tuple(details)
        self.context: dict[str, object] = dict(context or {})
        self.fields = fields

    def title(self) -> Text:
        """Return the sentence that says what happened and where."""
        return say(f"errors.{self.code}.title", **self.fields)

    def cure(self) -> Text:
        """Return the sentence that says what to do."""
        return say(f"errors.{self.code}.cure", **self.fields)

    def with_context(self, **facts: object) -> StepError:
        """Add facts that the place of the failure did not know; return the same error.

        What it knew stays; an empty fact is one it did not know.
        """
        for name, fact in facts.items():
            if self.context.get(name) in (None, ""):
                self.context[name] = fact
        return self

    def explain(self, language: Language) -> list[str]:
        """Return the lines a person reads: code, title, details, context, cure. Foreign text is in them."""
        lines = [say("report.verdict_failed", code=self.code, title=self.title()).render(language)]
        lines += [
            "  - " + (detail.render(language) if isinstance(detail, Text) else detail)
            for detail in self.details
        ]
        lines += [
            say(f"context.{name}", value=fact).render(language)
            for name, fact in self.context.items()
            if fact not in (None, "") and known(f"context.{name}")
        ]
        lines.append(say("context.cure", value=self.cure()).render(language))
        return lines

    def __str__(self) -> str:
        return "\n".join(self.explain("en_US"))


class UserMistake(StepError):
    """Something a pipeline author can put right."""

    error_type = 1


class ThirdPartyFault(StepError):
    """The gateway, BCS or BK-CI did not do its part."""

    error_type = 2


class StepDefect(StepError):
    """A fault of this step itself."""

    error_type = 3


# --- 8001xx inputs and settings -------------------------------------------------------------------------


class InputUnreadable(UserMistake):
    """`input.json` is missing or is no JSON object. Fields: file, problem."""

    code = 800101


class InputsInvalid(UserMistake):
    """One or more inputs are wrong; a detail for each."""

    code = 800102


class PrivateSettingsInvalid(UserMistake):
    """The region table in the atom's private settings is wrong; a detail for each mistake."""

    code = 800103


class SdkFileUnreadable(UserMistake):
    """`.sdk.json` is missing, is no JSON object or lacks a field. Fields: file, problem."""

    code = 800104


class WorkspaceUnwritable(UserMistake):
    """A file could not be written: full disk, no permission. Fields: file, problem."""

    code = 800106


class Interrupted(UserMistake):
    """The run was stopped from outside. Fields: signal."""

    code = 800107


class PlatformSdkUnusable(UserMistake):
    """The SDK named by BCS_TEMPLATE_SET_SDK could not be used. Fields: module, problem."""

    code = 800108


# --- 8002xx identity and permission ---------------------------------------------------------------------


class UserUnknown(UserMistake):
    """The user that `run_as` names is not known here. Fields: run_as, variable."""

    code = 800201


class OwnerMismatch(UserMistake):
    """The region's app belongs to another user. Fields: owner, user, run_as, app_code, region."""

    code = 800202


class CredentialUnusable(UserMistake):
    """BK-CI gave no usable credential of that id. Fields: credential, problem."""

    code = 800203


class NoCredentials(UserMistake):
    """The region has no app for the acting user. Fields: region, user, problem."""

    code = 800204


class AuthenticationRefused(UserMistake):
    """The gateway could not authenticate app or user (400/1640001). Fields: message."""

    code = 800205


class TokenRefused(UserMistake):
    """The access token is wrong or expired (400/1640001, 401). Fields: credential, message."""

    code = 800206


class AppNotGranted(UserMistake):
    """The app has no grant for the gateway's resource (403/1640301). Fields: app_code, resource, message."""

    code = 800207


class AccessRefused(UserMistake):
    """The gateway refuses this address, tenant or user (403/1640302-4). Fields: reason, message."""

    code = 800208


class NobodyArrived(UserMistake):
    """The gateway let the request through without a user. Fields: app_code, user."""

    code = 800209


class NoPermission(UserMistake):
    """BCS's permission centre says no (40300, 40403, 4). Fields: user, message."""

    code = 800210


class ProjectNotVisible(UserMistake):
    """The project is unknown, or this user may not see it. Fields: project, user."""

    code = 800211


class ClusterNotVisible(UserMistake):
    """The cluster is unknown, or another project's. Fields: cluster, project, message."""

    code = 800212


class ModifierNotProven(UserMistake):
    """The stored last modifier is not the pipeline's, by its own row. Fields: modifier, row_modifier."""

    code = 800213


class FactDisputed(UserMistake):
    """A variable that BK-CI alone states has two values. Fields: variable; each source is a detail."""

    code = 800214


class AuthorizerNotProven(UserMistake):
    """An authorizer on a platform that may have none. Fields: authorizer, modifier, region."""

    code = 800215


class StarterNotProven(UserMistake):
    """The starter is not who started the build. Fields: starter, build_user."""

    code = 800216


class NameNotProven(UserMistake):
    """A name without proof, where only a proven one counts. Fields: user, run_as, region, problem."""

    code = 800217


class RecordRefused(UserMistake):
    """BK-CI does not let the build read its own record. Fields: status, message."""

    code = 800218


class ActedAsAnother(UserMistake):
    """The build has acted as another user: in another step, or before its post action. Fields: was, now."""

    code = 800219


# --- 8003xx templates and manifests ---------------------------------------------------------------------


class TemplateUnreadable(UserMistake):
    """Template or values files are missing, directories, binary, outside the workspace; a detail each."""

    code = 800301


class ValuesInvalid(UserMistake):
    """Values or variables are wrong; a detail for each mistake."""

    code = 800302


class TemplateSyntax(UserMistake):
    """Templates are not valid Jinja2; a detail for each."""

    code = 800303


class NamesMissing(UserMistake):
    """Templates use names that have no value; a detail for each, with file and line."""

    code = 800304


class TemplateFailed(UserMistake):
    """A template raised an error or asked for what the sandbox forbids; a detail for each."""

    code = 800305


class LimitExceeded(UserMistake):
    """A file, document count, value or the rendering time is over its limit. Fields: what, limit."""

    code = 800306


class ManifestsInvalid(UserMistake):
    """The rendered manifests have findings; a detail for each."""

    code = 800307


class VersionNameInvalid(UserMistake):
    """The version name is not one BCS takes. Fields: version, problem."""

    code = 800308


class VariablesMissing(UserMistake):
    """Variables that BCS fills in have no value; a detail for each."""

    code = 800309


# --- 8004xx conflicts -----------------------------------------------------------------------------------


class VersionConflict(UserMistake):
    """The version exists with other content; a detail for each file, naming who wrote it and when."""

    code = 800401


class NewerBuild(UserMistake):
    """A newer build of this pipeline and branch has published already; a detail for each file."""

    code = 800402


class PlanChanged(UserMistake):
    """The plan is not the one that was approved. Fields: expected, actual."""

    code = 800403


class RouteRemoval(UserMistake):
    """The plan drops hosts or paths that are served today; a detail for each."""

    code = 800404


class Overtaken(UserMistake):
    """Files kept changing while they were published; a detail for each file."""

    code = 800405


class RouteTaken(UserMistake):
    """A host and path, or a nodePort, belongs to another file of the space; a detail for each."""

    code = 800406


# --- 8005xx rollout -------------------------------------------------------------------------------------


class DryRunFailed(UserMistake):
    """BCS's dry run refuses an object, before anything is deployed. Fields: message."""

    code = 800501


class SelectorChanged(UserMistake):
    """A workload's selector would change, which Kubernetes refuses; a detail for each."""

    code = 800502


class NodePortLost(UserMistake):
    """Replacing a Service would take its nodePort away; a detail for each port."""

    code = 800503


class DeployRefused(UserMistake):
    """BCS stopped while it applied objects. Fields: message; a detail for each object, applied or not."""

    code = 800504


class DeployIncomplete(ThirdPartyFault):
    """Objects are not what was deployed, whatever the answer was; a detail for each object."""

    code = 800505


class RolloutFailed(UserMistake):
    """Workloads can't become ready, by their image's or manifest's fault. Fields: count; details say why."""

    code = 800506


class RolloutBlocked(ThirdPartyFault):
    """Workloads can't become ready, by the cluster's fault. Fields: count; details say why."""

    code = 800507


class RolloutTimedOut(ThirdPartyFault):
    """Workloads are still on their way when the time is over. Fields: count, seconds; details say where."""

    code = 800508


class NotArrived(UserMistake):
    """Pages do not serve what they should after the rollout. Fields: count; a detail for each."""

    code = 800509


class NotRestored(ThirdPartyFault):
    """The post action could not put back what the step had deployed. Fields: problem."""

    code = 800510


class StateUntrusted(UserMistake):
    """What the step left for its post action is missing or was changed. Fields: file, problem."""

    code = 800511


# --- 8006xx gateway or BCS ------------------------------------------------------------------------------


class Unreachable(ThirdPartyFault):
    """No connection to the gateway. Fields: url, problem."""

    code = 800601


class CertificateRefused(ThirdPartyFault):
    """No authority that is trusted here has signed the gateway's certificate. Fields: url, problem."""

    code = 800602


class NotTheGateway(ThirdPartyFault):
    """The answer is a redirect, a login page or another server's. Fields: url, status, problem."""

    code = 800603


class NoSuchPath(ThirdPartyFault):
    """Gateway or BCS has no such API: wrong gateway, stage or path_prefix. Fields: url, message."""

    code = 800604


class RateLimited(ThirdPartyFault):
    """The gateway's rate limit did not lift in time. Fields: message."""

    code = 800605


class GatewayFailed(ThirdPartyFault):
    """Gateway or BCS answers with a server error. Fields: url, status, message."""

    code = 800606


class TooLarge(ThirdPartyFault):
    """The request is larger than the gateway takes (413, 414). Fields: url, message."""

    code = 800607


class BcsFailed(ThirdPartyFault):
    """BCS refuses for a reason of its own. Fields: bcs_code, message."""

    code = 800608


class AnswerUnreadable(ThirdPartyFault):
    """An answer lacks what its API promises. Fields: url, problem."""

    code = 800609


class OutcomeUnknown(ThirdPartyFault):
    """A write got no answer, and reading back did not tell whether it happened. Fields: url, problem."""

    code = 800610


class BuildApiFailed(ThirdPartyFault):
    """BK-CI's build API did not answer as promised. Fields: url, problem."""

    code = 800611


class OutOfTime(ThirdPartyFault):
    """The step's own time is nearly over. Fields: seconds."""

    code = 800612


class CertificateExpired(ThirdPartyFault):
    """The gateway's certificate is no longer valid, or not yet. Fields: url, problem."""

    code = 800613


class CertificateForAnother(ThirdPartyFault):
    """The gateway's certificate is for another name than the one asked. Fields: url, problem."""

    code = 800614


class AuthoritiesUnusable(ThirdPartyFault):
    """The region's ca_bundle is no file of certificates. Fields: url, problem."""

    code = 800615


class BcsTooOld(NoSuchPath):
    """BCS itself, and not the gateway, lacks what the step needs. Fields: problem, status, oldest."""

    code = 800616


# --- 8009xx a defect of the step ------------------------------------------------------------------------


class Defect(StepDefect):
    """An exception nobody foresaw. Fields: kind, place."""

    code = 800901


def every_error() -> list[type[StepError]]:
    """Return every error that has a code, by code."""
    found: list[type[StepError]] = []
    queue: list[type[StepError]] = [StepError]
    while queue:
        kind = queue.pop()
        queue.extend(kind.__subclasses__())
        if kind.code:
            found.append(kind)
    return sorted(found, key=lambda kind: kind.code)
