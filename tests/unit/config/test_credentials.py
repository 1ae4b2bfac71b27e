"""What of a BK-CI credential can act at a gateway."""

from __future__ import annotations

import pytest

from bcs_template_set.agent.credential import Credential, CredentialType
from bcs_template_set.config.principal import AccessToken, AppCredential, principal_credential
from bcs_template_set.config.regions import App
from bcs_template_set.messages.errors import CredentialUnusable
from bcs_template_set.messages.secret import Secret

VALUES = {name: Secret(f"canary-{name}") for name in ("access_token", "secretKey", "password")}


def credential(kind: CredentialType) -> Credential:
    return Credential("of-lisi", kind, {"appId": "my_app", "username": "lisi"}, VALUES)


def test_a_token_and_an_app_can_act_and_nothing_else() -> None:
    app = App("my_app", VALUES["secretKey"])
    assert principal_credential(credential("access token")) == AccessToken("of-lisi", VALUES["access_token"])
    assert principal_credential(credential("app")) == AppCredential("of-lisi", app)
    with pytest.raises(CredentialUnusable, match=r'of-lisi.*type is "user name and password"'):
        principal_credential(credential("user name and password"))
