"""Every way a run can fail that a pipeline author can put right. Performs no I/O.

What is another's fault stands in `server_errors.py`, the step's own in `step_error.py`, and of what exists
in `past_errors.py`. Every code has its row in error.json, and sentences in the catalogue, `errors.json`.
"""

from __future__ import annotations

from bcs_template_set.messages import Text, say
from bcs_template_set.messages.step_error import Detail, UserMistake

# --- 8001xx inputs and settings -------------------------------------------------------------------------


class InputUnreadable(UserMistake, code=800101):
    """`input.json` is missing or is no JSON object."""

    file: str
    problem: Detail


class InputsInvalid(UserMistake, code=800102):
    """One or more inputs are wrong; a detail for each."""


class PrivateSettingsInvalid(UserMistake, code=800103):
    """The region table in the atom's private settings is wrong; a detail for each mistake."""


class SdkFileUnreadable(UserMistake, code=800104):
    """`.sdk.json` is missing, is no JSON object or lacks a field."""

    file: str
    problem: Detail


class WorkspaceUnwritable(UserMistake, code=800106):
    """A file could not be written: full disk, no permission."""

    file: str
    problem: Detail


class Interrupted(UserMistake, code=800107):
    """The run was stopped from outside."""

    signal: str


class PlatformSdkUnusable(UserMistake, code=800108):
    """The SDK named by BCS_TEMPLATE_SET_SDK could not be used."""

    module: str
    problem: Detail


class InterpreterTooOld(UserMistake, code=800109):
    """The build machine's Python is older than 3.9; said before anything newer is read (`give_up`)."""

    found: str
    python: str


class InstallationDamaged(UserMistake, code=800110):
    """A file of the installed package is missing, cut short or changed, and so is its copy."""

    file: str


# --- 8002xx identity and permission ---------------------------------------------------------------------


class UserUnknown(UserMistake, code=800201):
    """The user that `run_as` names is not known here."""

    run_as: str
    variable: str


class OwnerMismatch(UserMistake, code=800202):
    """The region's app belongs to another user."""

    owner: str
    user: str
    run_as: str
    app_code: str
    region: str


class CredentialUnusable(UserMistake, code=800203):
    """BK-CI gave no usable credential of that id."""

    credential: str
    problem: Detail


class NoCredentials(UserMistake, code=800204):
    """The region has no app for the acting user."""

    region: str
    user: Detail
    problem: Detail


class AuthenticationRefused(UserMistake, code=800205):
    """The gateway could not authenticate app or user (400/1640001)."""

    message: Detail


class TokenRefused(UserMistake, code=800206):
    """The access token is wrong or expired (400/1640001, 401)."""

    credential: str
    message: Detail


class AppNotGranted(UserMistake, code=800207):
    """The app has no grant for the gateway's resource (403/1640301)."""

    app_code: str
    message: Detail


class AccessRefused(UserMistake, code=800208):
    """The gateway refuses this address, tenant or user (403/1640302-4)."""

    reason: object
    message: Detail


class NobodyArrived(UserMistake, code=800209):
    """The gateway let the request through without a user."""

    app_code: str
    user: str


class NoPermission(UserMistake, code=800210):
    """BCS's permission centre says no (40300, 40403, 4)."""

    user: str
    message: Detail


class ProjectNotVisible(UserMistake, code=800211):
    """The project is unknown, or this user may not see it; `is_unknown` where that is certain."""

    project: str
    user: str
    message: Detail
    is_unknown: bool = False

    def title(self) -> Text:
        """Return the sentence that says which of the two it is, where that is known."""
        return say("bcs.no_such_project", project=self.project) if self.is_unknown else super().title()

    def cure(self) -> Text:
        """Return the sentence that says what to do, not a word about permissions where there are none."""
        return self.other_cure or (say("bcs.correct_project") if self.is_unknown else super().cure())


class ClusterNotVisible(UserMistake, code=800212):
    """The cluster is unknown, or another project's."""

    cluster: str
    project: str
    message: Detail


class ModifierNotProven(UserMistake, code=800213):
    """The stored last modifier is not the pipeline's, by its own row."""

    modifier: str
    row_modifier: str


class FactDisputed(UserMistake, code=800214):
    """A variable that BK-CI alone states has two values; each source is a detail."""

    variable: str


class AuthorizerNotProven(UserMistake, code=800215):
    """An authorizer on a platform that may have none."""

    authorizer: str
    modifier: str
    region: str


class StarterNotProven(UserMistake, code=800216):
    """The starter is not who started the build."""

    starter: str
    build_user: Detail


class NameNotProven(UserMistake, code=800217):
    """A name without proof, where only a proven one counts."""

    user: str
    run_as: str
    region: str
    problem: Detail


class RecordRefused(UserMistake, code=800218):
    """BK-CI does not let the build read its own record."""

    status: int
    message: Detail


class ActedAsAnother(UserMistake, code=800219):
    """The build has acted as another user: in another step, or before its post action."""

    was: str
    now: str


class NamespaceMissing(UserMistake, code=800220):
    """The cluster has no such namespace, or it is another project's."""

    namespace: str
    cluster: str


# --- 8003xx templates and manifests ---------------------------------------------------------------------


class FilesMistaken(UserMistake):
    """Values, templates or manifests have mistakes; a detail for each, by file."""

    is_mixed = False  # they are of several kinds, and the error is that of the first

    def title(self) -> Text:
        """Return the sentence that says what kind of mistakes these are."""
        return say("render.several_kinds") if self.is_mixed else super().title()

    def cure(self) -> Text:
        """Return what to do; what is particular to a kind stands beside its mistakes."""
        return say("render.several_kinds_cure") if self.is_mixed else super().cure()


class TemplateUnreadable(FilesMistaken, code=800301):
    """Template or values files are missing, directories, binary, outside the workspace; a detail each."""


class ValuesInvalid(FilesMistaken, code=800302):
    """Values or variables are wrong; a detail for each mistake."""


class TemplateSyntax(FilesMistaken, code=800303):
    """Templates are not valid Jinja2; a detail for each."""


class NamesMissing(FilesMistaken, code=800304):
    """Templates use names that have no value; a detail for each, with file and line."""


class TemplateFailed(FilesMistaken, code=800305):
    """A template raised an error or asked for what the sandbox forbids; a detail for each."""


class LimitExceeded(FilesMistaken, code=800306):
    """A file, document count, value or the rendering time is over its limit."""

    what: Text
    limit: object


class ManifestsInvalid(FilesMistaken, code=800307):
    """The rendered manifests have findings; a detail for each."""


class VersionNameInvalid(FilesMistaken, code=800308):
    """The version name is not one BCS takes."""

    version: str
    problem: Detail


class VariablesMissing(UserMistake, code=800309):
    """Variables that BCS fills in have no value; a detail for each."""


class ImagesMissing(UserMistake, code=800310):
    """Registries prove that they lack new images, or have them for none of the nodes; a detail each."""


class ImagesUnseen(UserMistake, code=800311):
    """New images could not be looked at, and `image_check` demands it; a detail for each reason."""


# --- 8004xx conflicts -----------------------------------------------------------------------------------


class VersionConflict(UserMistake, code=800401):
    """The version exists with other content; a detail for each file, naming who wrote it and when."""


class NewerBuild(UserMistake, code=800402):
    """A newer build of this pipeline and branch has published already; a detail for each file."""


class PlanChanged(UserMistake, code=800403):
    """The plan is not the one that was approved."""

    expected: str
    actual: str


class RouteRemoval(UserMistake, code=800404):
    """The plan drops hosts or paths that are served today; a detail for each."""


class Overtaken(UserMistake, code=800405):
    """Files kept changing while they were published; a detail for each file."""


class RouteTaken(UserMistake, code=800406):
    """A host and path, or a nodePort, belongs to another file of the space; a detail for each."""


# --- 8005xx rollout -------------------------------------------------------------------------------------


class DryRunFailed(UserMistake, code=800501):
    """BCS's dry run refuses an object, before anything is deployed."""

    message: Detail


class SelectorChanged(UserMistake, code=800502):
    """A workload's selector would change, which Kubernetes refuses; a detail for each."""


class NodePortLost(UserMistake, code=800503):
    """Replacing a Service would take its nodePort away; a detail for each port."""


class NotReplaceable(UserMistake, code=800520):
    """Objects exist that Kubernetes does not let be replaced; a detail for each."""

    only_again: bool = False  # they are in the way of `redeploy` alone

    def cure(self) -> Text:
        """Return what to do: what only `redeploy` sends need not be sent."""
        return say("deploy.kept_only_again") if self.only_again else super().cure()


class DeployRefused(UserMistake, code=800504):
    """BCS stopped while it applied objects, `in_conflict` with another write; a detail for each of them."""

    message: Detail
    in_conflict: bool = False

    def cure(self) -> Text:
        """Return what to do."""
        return say("deploy.conflict") if self.in_conflict else super().cure()


class RolloutFailed(UserMistake, code=800506):
    """Workloads can't become ready, by their image's or manifest's fault; details say why."""

    count: int


class NotArrived(UserMistake, code=800509):
    """Pages do not serve what they should after the rollout; a detail for each."""

    count: int


class StateUntrusted(UserMistake, code=800511):
    """What the step left for its post action is missing or was changed."""

    file: str
    problem: Detail
