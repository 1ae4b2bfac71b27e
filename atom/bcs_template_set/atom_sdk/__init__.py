"""BK-CI's agent: what it hands to a step, and what the step hands back.

The functions here bear the documented names of `python_atom_sdk` (facts/agent.md, "The SDK"), so that an
atom written to that contract runs on this package, and the step on either. Unlike that module nothing
happens at import, nothing ends the process, and nothing prints a secret; what goes wrong is raised as
one of our errors. The step itself goes through `agent.open_agent`.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Optional

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bcs_template_set.atom_sdk import log
    from bcs_template_set.atom_sdk.agent import Agent

__all__ = [
    "get_credential",
    "get_input",
    "get_pipeline_build_id",
    "get_pipeline_build_num",
    "get_pipeline_id",
    "get_pipeline_modifier",
    "get_pipeline_start_user_name",
    "get_project_name",
    "get_sensitive_conf",
    "get_workspace",
    "log",
    "output_error_type",
    "output_field_type",
    "set_output",
    "status",
]


class status:  # noqa: N801 - the documented name
    """How a step ends."""

    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"


class output_field_type:  # noqa: N801 - the documented name
    """What an output field is."""

    STRING = "string"
    ARTIFACT = "artifact"
    REPORT = "report"


class output_error_type:  # noqa: N801 - the documented name
    """Whose fault a failure is."""

    USER = 1
    THIRD_PARTY = 2
    PLUGIN = 3


def get_input() -> dict[str, str]:
    """Return the pipeline's variables and the step's inputs. Private settings are not among them."""
    return dict(_agent().inputs())


def get_project_name() -> Optional[str]:
    """Return the project's code; None where the agent does not say it, as with the functions below."""
    from bcs_template_set.atom_sdk import variables  # noqa: PLC0415 - no work at import

    return variables.project(_agent().inputs()) or None


def get_pipeline_id() -> Optional[str]:
    """Return the pipeline's id."""
    from bcs_template_set.atom_sdk import variables  # noqa: PLC0415 - no work at import

    return variables.pipeline_id(_agent().inputs()) or None


def get_pipeline_build_id() -> Optional[str]:
    """Return the build's id."""
    from bcs_template_set.atom_sdk import variables  # noqa: PLC0415 - no work at import

    return variables.build_id(_agent().inputs()) or None


def get_pipeline_build_num() -> Optional[str]:
    """Return the build's number, as text."""
    from bcs_template_set.atom_sdk import variables  # noqa: PLC0415 - no work at import

    return variables.look_up(_agent().inputs(), "build number") or None


def get_pipeline_start_user_name() -> Optional[str]:
    """Return the user who started the build."""
    from bcs_template_set.atom_sdk import variables  # noqa: PLC0415 - no work at import

    return variables.starter(_agent().inputs()) or None


def get_pipeline_modifier() -> Optional[str]:
    """Return the user who last changed the pipeline."""
    from bcs_template_set.atom_sdk import variables  # noqa: PLC0415 - no work at import

    return variables.modifier(_agent().inputs()) or None


def get_workspace() -> Optional[str]:
    """Return the absolute path of the workspace."""
    from bcs_template_set.atom_sdk import variables  # noqa: PLC0415 - no work at import

    return variables.workspace(_agent().inputs()) or None


def get_sensitive_conf(key: str) -> Optional[str]:
    """Return a private setting of the atom; None where there is none of that name."""
    return _agent().private_setting(key).reveal() or None


def get_credential(credential_id: str) -> tuple[bool, dict[str, str]]:
    """Return whether BK-CI gives the credential out, and its values by their keys."""
    from bcs_template_set.atom_sdk.log import standard_log  # noqa: PLC0415 - no work at import
    from bcs_template_set.errors import CredentialUnusable  # noqa: PLC0415 - no work at import

    try:
        credential = _agent().credential(credential_id)
    except CredentialUnusable as exc:
        standard_log().error("\n".join(exc.explain(standard_log().language)))
        return False, {}
    secrets = {key: secret.reveal() for key, secret in credential.secrets.items()}
    return True, {**credential.plain, **secrets}


def set_output(output: Mapping[str, object]) -> None:
    """Write the step's result. Raises ValueError, and ends nothing, where it is none."""
    _agent().write_output(output)


if not TYPE_CHECKING:  # a type checker would take every misspelt import for one of these

    def __getattr__(name: str) -> object:
        if name == "log":  # the submodule: its functions are the documented ones
            from importlib import import_module  # noqa: PLC0415 - no work at import

            return import_module("bcs_template_set.atom_sdk.log")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@functools.cache
def _agent() -> Agent:
    import os  # noqa: PLC0415 - no work at import

    from bcs_template_set.atom_sdk.agent import OwnAgent, open_transport  # noqa: PLC0415 - no work at import
    from bcs_template_set.atom_sdk.log import standard_log  # noqa: PLC0415 - no work at import
    from bcs_template_set.clock import SystemClock  # noqa: PLC0415 - no work at import

    masker = standard_log().masker
    return OwnAgent(os.environ, clock=SystemClock(), sender=open_transport, masker=masker)
