"""A BK-CI credential -> what a principal can be made of. Performs no I/O."""

from __future__ import annotations

from bcs_template_set.agent.credential import Credential as AgentCredential
from bcs_template_set.config.principal import AccessToken, AppCredential, Credential
from bcs_template_set.config.regions import App
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import CredentialUnusable


def principal_credential(credential: AgentCredential) -> Credential:
    """Return the credential as an access token or an app (design section 3).

    Raises:
        CredentialUnusable: it is of another type.
    """
    if credential.type == "access token":
        return AccessToken(credential.id, credential.secrets["access_token"])
    if credential.type == "app":
        return AppCredential(credential.id, App(credential.plain["appId"], credential.secrets["secretKey"]))
    problem = say("identity.wrong_credential_type", type=credential.type)
    raise CredentialUnusable(credential=credential.id, problem=problem)
