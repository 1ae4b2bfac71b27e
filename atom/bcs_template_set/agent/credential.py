"""What a BK-CI credential holds, and of which type it is, told by its keys. Performs no I/O.

The keys are those of facts/agent.md (".sdk.json and the build API"); bk-ci sends a value that was never
filled in as "" (`CredentialServiceImpl.kt`, `buildGetDetail`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from bcs_template_set.agent.agent_files import JsonValue
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import CredentialUnusable
from bcs_template_set.messages.secret import Secret
from bcs_template_set.records.late_dataclass import dataclass

CredentialType = Literal["access token", "app", "secret key", "user name and password", "password", "other"]

# The first row whose keys are all there decides.
_TYPES: tuple[tuple[CredentialType, tuple[str, ...]], ...] = (
    ("access token", ("access_token",)),
    ("app", ("appId", "secretKey")),
    ("secret key", ("secretKey",)),
    ("user name and password", ("username", "password")),
    ("password", ("password",)),
)
_NO_SECRET = ("username", "appId")


@dataclass(frozen=True)
class Credential:
    """A credential: `plain` are its values that may be shown, `secrets` those that may not."""

    id: str
    type: CredentialType
    plain: Mapping[str, str]
    secrets: Mapping[str, Secret]


def parse_credential(credential_id: str, data: JsonValue) -> Credential:
    """Return the credential that the build API's `data` describes.

    White space around a value is taken off: it comes from pasting, and no header can hold it.

    Raises:
        CredentialUnusable: it is no object of texts, or a value that its type is made of is empty.
    """
    if not isinstance(data, dict):
        raise CredentialUnusable(credential=credential_id, problem=say("agent.credential_empty"))
    values = {key: value.strip() for key, value in data.items() if isinstance(value, str)}
    kind, keys = _type_of(values)
    if not values or not all(values[key] for key in keys):
        raise CredentialUnusable(credential=credential_id, problem=say("agent.credential_empty"))
    return Credential(
        id=credential_id,
        type=kind,
        plain={key: value for key, value in values.items() if key in _NO_SECRET},
        secrets={key: Secret(value) for key, value in values.items() if key not in _NO_SECRET},
    )


def _type_of(values: Mapping[str, str]) -> tuple[CredentialType, tuple[str, ...]]:
    for kind, keys in _TYPES:
        if all(key in values for key in keys):
            return kind, keys
    return "other", ()
