"""One user: who every request is made as. Performs no I/O.

The old plugin took app code and secret from the pipeline's last modifier and the user name from its
starter, so one request was two people and BCS refused it (facts/manifests.md, "The permission mismatch").
Here a request's authentication comes from one `Principal`, and nothing else can supply it:

- `resolve_principal` is the only way to a `Principal`: the class refuses to be made without this module's
  own key, it is frozen, and it can be neither copied with changes nor pickled.
- App, secret and user name enter it together, from one row of design section 3, never separately.
- `headers()` is the only place where an authentication header's name is written, and the only reader of
  the secret. A call to BCS (`bcs/protocol.py`) has no place for headers, and the gateway
  (`bcs/gateway.py`) takes one principal when it is made and no other later.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NoReturn, Optional, Union

from bcs_template_set.errors import CredentialUnusable, NoCredentials, OwnerMismatch, UserUnknown
from bcs_template_set.messages import Text, say
from bcs_template_set.regions import App, Region
from bcs_template_set.secret import Secret

RunAs = Literal["authorizer", "modifier", "starter", "owner"]
_Form = Literal["app", "token", "bearer"]

_KEY = object()


@dataclass(frozen=True)
class People:
    """Who has to do with this build, as BK-CI says it; "" where it does not say."""

    starter: str = ""
    modifier: str = ""
    authorizer: str = ""


@dataclass(frozen=True)
class AccessToken:
    """A BK-CI credential that is an access token: one app and one user already."""

    credential: str
    token: Secret


@dataclass(frozen=True)
class AppCredential:
    """A BK-CI credential that is an app: it is used with the name of the `run_as` user."""

    credential: str
    app: App


Credential = Union[AccessToken, AppCredential]


class Principal:
    """The one user of a run, and what proves it. Made by `resolve_principal` only.

    `user` is the acting user's name, "" where only an access token knows it; `app_code` the app's code, ""
    with an access token; `credential` the BK-CI credential's id, "" without one; `reason` the sentence
    that says why it is this user.
    """

    __slots__ = ("_form", "_secret", "app_code", "credential", "reason", "user")

    user: str
    app_code: str
    credential: str
    reason: Text
    _form: _Form
    _secret: Secret

    def __init__(
        self,
        key: object,
        *,
        user: str,
        app_code: str,
        credential: str,
        reason: Text,
        form: _Form,
        secret: Secret,
    ) -> None:
        if key is not _KEY:
            raise TypeError("a Principal is made by resolve_principal only")
        values = {
            "user": user,
            "app_code": app_code,
            "credential": credential,
            "reason": reason,
            "_form": form,
            "_secret": secret,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a Principal does not change: {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a Principal does not change: {name}")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Principal is neither copied nor pickled")

    def __repr__(self) -> str:
        return f"Principal({self.label!r}, app_code={self.app_code!r}, form={self._form!r})"

    @property
    def label(self) -> str:
        """Return the one name that header, log, output and description use."""
        return self.user or f"credential:{self.credential}"

    @property
    def is_token(self) -> bool:
        """Tell whether a token, not an app, proves who this is."""
        return self._form != "app"

    def headers(self) -> Mapping[str, str]:
        """Return the headers that authenticate a request as this user: all of them, and nothing else.

        The forms are those of facts/gateway.md, "Three ways to be one user". An access token goes alone:
        sent beside an app, an expired one would silently degrade to "app, no user".
        """
        if self._form == "bearer":
            return {"Authorization": f"Bearer {self._secret.reveal()}"}
        if self._form == "token":
            authorization = {"access_token": self._secret.reveal()}
        else:
            authorization = {
                "bk_app_code": self.app_code,
                "bk_app_secret": self._secret.reveal(),
                "bk_username": self.user,
            }
        return {"X-Bkapi-Authorization": json.dumps(authorization)}

    def secrets(self) -> tuple[Secret, ...]:
        """Return what the log must never show."""
        return (self._secret,)


def resolve_principal(
    region: Region, people: People, *, run_as: RunAs, credential: Optional[Credential] = None
) -> Principal:
    """Return the one user that every request of the run is made as (design section 3).

    Raises:
        UserUnknown: the build does not say who `run_as` is.
        OwnerMismatch: the region's app belongs to somebody else than the `run_as` user.
        NoCredentials: there is no app for the user, or the region takes no apps.
        CredentialUnusable: the credential is an app, and the region takes tokens only.
    """
    if isinstance(credential, AccessToken):
        return _principal_of_token(region, credential)
    if region.endpoint.straight_at_bcs:
        _refuse_apps(region, credential)
    user, reason = _user_of(run_as, people=people, region=region)
    if credential is not None:
        return _principal_of_app(credential.app, user=user, reason=reason, credential=credential.credential)
    return _principal_of_app(_app_of(region, user=user, run_as=run_as), user=user, reason=reason)


def _principal_of_token(region: Region, credential: AccessToken) -> Principal:
    return Principal(
        _KEY,
        user="",
        app_code="",
        credential=credential.credential,
        reason=say("identity.reason_token", credential=credential.credential),
        form="bearer" if region.endpoint.straight_at_bcs else "token",
        secret=credential.token,
    )


def _principal_of_app(app: App, *, user: str, reason: Text, credential: str = "") -> Principal:
    return Principal(
        _KEY,
        user=user,
        app_code=app.app_code,
        credential=credential,
        reason=reason,
        form="app",
        secret=app.app_secret,
    )


def _refuse_apps(region: Region, credential: Optional[AppCredential]) -> NoReturn:
    problem = say("identity.bcs_takes_tokens_only")
    if credential is not None:
        raise CredentialUnusable(credential=credential.credential, problem=problem)
    raise NoCredentials(region=region.name, user=say("identity.anybody"), problem=problem)


def _user_of(run_as: RunAs, *, people: People, region: Region) -> tuple[str, Text]:
    if run_as == "authorizer" and not people.authorizer and people.modifier:
        return people.modifier, say("identity.reason_authorizer_is_modifier")
    known: dict[RunAs, tuple[str, str]] = {
        "authorizer": (people.authorizer, "BK_CI_AUTHORIZER, BK_CI_PIPELINE_UPDATE_USER"),
        "modifier": (people.modifier, "BK_CI_PIPELINE_UPDATE_USER"),
        "starter": (people.starter, "BK_CI_START_USER_NAME"),
        "owner": (region.owner, f"regions.{region.name}.owner"),
    }
    user, variable = known[run_as]
    if not user:
        raise UserUnknown(run_as=run_as, variable=variable)
    return user, say(f"identity.reason_{run_as}", region=region.name)


def _app_of(region: Region, *, user: str, run_as: RunAs) -> App:
    if user in region.users:
        return region.users[user]
    if region.app is None:
        raise NoCredentials(region=region.name, user=user, problem=say("identity.no_app"))
    if region.owner and region.owner != user:
        raise OwnerMismatch(
            owner=region.owner, user=user, run_as=run_as, app_code=region.app.app_code, region=region.name
        )
    return region.app
