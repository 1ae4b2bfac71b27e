"""What to do about an error at a desk: the settings file and its key, or the arguments. Performs no I/O."""

from __future__ import annotations

from collections.abc import Mapping

from bcs_template_set.messages import Text, known, say
from bcs_template_set.messages.errors import (
    AuthenticationRefused,
    ClusterNotVisible,
    CredentialUnusable,
    InputsInvalid,
    NamespaceMissing,
    NoCredentials,
    OwnerMismatch,
    PrivateSettingsInvalid,
    ProjectNotVisible,
    TokenRefused,
    UserUnknown,
    VariablesMissing,
    VersionNameInvalid,
)
from bcs_template_set.messages.server_errors import (
    AuthoritiesUnusable,
    CertificateForAnother,
    CertificateRefused,
    NoSuchPath,
    NotTheGateway,
    Unreachable,
)
from bcs_template_set.messages.step_error import StepError

_KEYS_OF_CURES: Mapping[type[StepError], str] = {
    InputsInvalid: "inputs",
    PrivateSettingsInvalid: "regions",
    UserUnknown: "user",
    OwnerMismatch: "user",
    NoCredentials: "regions",
    CredentialUnusable: "access_token",
    AuthenticationRefused: "regions (app_code, app_secret)",
    TokenRefused: "access_token",
    ProjectNotVisible: "inputs.project_code",
    ClusterNotVisible: "inputs.cluster_id",
    NamespaceMissing: "inputs.namespace",
    VersionNameInvalid: "inputs.version",
    VariablesMissing: "inputs.variables",
    Unreachable: "regions (gateway, proxy)",
    CertificateRefused: "regions (ca_bundle)",
    CertificateForAnother: "regions (gateway)",
    AuthoritiesUnusable: "regions (ca_bundle)",
    NotTheGateway: "regions (gateway)",
    NoSuchPath: "regions (gateway, path_prefix)",
}
"""Which key of the settings file a person at a desk corrects; a form, a store and variables are not there."""


def in_settings(error: StepError, settings_file: str) -> StepError:
    """Return an error with a cure that is at a desk: a key of the settings file, if that is to correct.

    Its title speaks of that file, too, where it would speak of a form, a store or a build.
    """
    title = f"local.title_{error.code}"
    if settings_file and known(title):
        error.other_title = say(title, file=settings_file)
    if error.other_cure is not None and error.other_cure.key == "local.cure_arguments":
        error.other_title = say("local.title_arguments")
    if error.other_cure is not None:
        error.other_cure = without_form(error.other_cure, settings_file)
    key = next((key for kind, key in _KEYS_OF_CURES.items() if isinstance(error, kind)), "")
    if key and settings_file:
        return error.with_cure(say("local.cure", key=key, file=settings_file))
    return error.with_cure(cure_at_desk(error.code, **error.fields))


def without_form(cure: Text, settings_file: str = "") -> Text:
    """Return a cure about an input as one about its key of the settings file, or about its name alone."""
    if cure.key == "identity.give_token":
        return say("local.cure", key="access_token", file=settings_file)
    if cure.key != "render.correct_input":
        return cure
    if settings_file:
        return say("local.cure", key=f"inputs.{cure.fields['name']}", file=settings_file)
    return say("local.cure_no_values")  # no argument holds an input's text


def cure_at_desk(code: int, **fields: object) -> Text:
    """Return what to do about an error where there is no form, no store and no build machine."""
    own = f"local.cure_{code}"
    return say(own if known(own) else f"errors.{code}.cure", **fields)
