"""One user: who every request is made as. Performs no I/O.

The old plugin took app code and secret from the pipeline's last modifier and the user name from its
starter, so one request was two people and BCS refused it (facts/manifests.md, "The permission mismatch").
Here a request's authentication comes from one `Principal`, and nothing else can supply it:

- `resolve_principal` is the only way to a `Principal`: the class refuses to be made without this module's
  own key, it is frozen, and it can be neither copied with changes nor pickled.
- App, secret and user name enter it together, from one row of design section 3, never separately.
- `headers()` is the only place where an authentication header's name is written, and the only reader of
  the secret. A call to BCS (`protocol.py`) has no place for headers, and the gateway
  (`gateway.py`) takes one principal when it is made and no other later.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Literal, NoReturn, Optional

from bcs_template_set.agent.build_api import Credential
from bcs_template_set.agent.build_info import (
    AUTHORIZER,
    MODIFIER,
    NO_ROW,
    STARTER,
    BuildInfo,
    BuildRow,
    Source,
)
from bcs_template_set.config.regions import App, Region, RunAs
from bcs_template_set.manifests.wrong_values import one_of
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import (
    AuthorizerNotProven,
    CredentialUnusable,
    InputsInvalid,
    ModifierNotProven,
    NameNotProven,
    NoCredentials,
    OwnerMismatch,
    StarterNotProven,
    UserUnknown,
)
from bcs_template_set.messages.secret import Secret

_Form = Literal["app", "token", "bearer"]

CREDENTIAL = "credential:"
"""What stands before a BK-CI credential where only its token knows the user."""

_KEY = object()


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
        return self.user or f"{CREDENTIAL}{self.credential}"

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
    region: Region,
    build: BuildInfo,
    *,
    run_as: RunAs,
    row: BuildRow = NO_ROW,
    credential: Optional[Credential] = None,
) -> Principal:
    """Return the one user that every request of the run is made as (design section 3).

    `row` is what the build's own row says, where BK-CI was asked for it; `credential` an access token, which
    is one app and one user already, or an app, which is used with the name of the `run_as` user.

    Raises:
        InputsInvalid: the region does not serve this `run_as`.
        UserUnknown: the build does not say who `run_as` is.
        AuthorizerNotProven, ModifierNotProven, StarterNotProven, NameNotProven: it says so, and anybody
            could have said it.
        OwnerMismatch: the region's app belongs to somebody else than the `run_as` user.
        NoCredentials: there is no app for the user, or the region takes no apps.
        CredentialUnusable: the credential is an app, and the region takes tokens only.
    """
    if credential is not None and credential.type == "access token":
        return _principal_of_token(region, credential)
    if region.endpoint.straight_at_bcs:
        _refuse_apps(region, credential)
    user, reason = _user_of(run_as, build, row, region=region)
    if build.source == "file" and run_as != "owner":  # a desk has no pipeline, and one name
        reason = say("identity.reason_file")
    if credential is not None:
        app = App(credential.plain["appId"], credential.secrets["secretKey"])
        return _principal_of_app(app, user=user, reason=reason, credential=credential.id)
    _refuse_unproven(region, user=user, run_as=run_as, source=build.source)
    return _principal_of_app(_app_of(region, user=user, run_as=run_as), user=user, reason=reason)


def _principal_of_token(region: Region, credential: Credential) -> Principal:
    return Principal(
        _KEY,
        user="",
        app_code="",
        credential=credential.id,
        reason=say("identity.reason_token", credential=credential.id),
        form="bearer" if region.endpoint.straight_at_bcs else "token",
        secret=credential.secrets["access_token"],
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


def _refuse_apps(region: Region, credential: Optional[Credential]) -> NoReturn:
    problem = say("identity.takes_tokens", region=region.name)
    if credential is not None:
        raise CredentialUnusable(credential=credential.id, problem=problem)
    error = NoCredentials(region=region.name, user="", problem=problem)
    error.other_title, error.other_cure = problem, say("identity.give_token")
    raise error


def _user_of(run_as: RunAs, build: BuildInfo, row: BuildRow, *, region: Region) -> tuple[str, Text]:
    """Return a name and the sentence that says why; a person acts only if proven."""
    if run_as not in region.run_as:
        accepted = one_of(region.run_as)
        detail = say("identity.run_as_not_served", run_as=run_as, region=region.name, accepted=accepted)
        raise InputsInvalid(details=[detail])
    if run_as == "owner":
        return _known(region.owner, run_as, f"regions.{region.name}.owner"), _reason("owner", region=region)
    by = say(f"identity.by_{build.source}")
    if run_as == "authorizer":
        return _authorizer(build, row, region, by=by)
    if run_as == "modifier":
        return _modifier(build, row, run_as, MODIFIER[0]), _reason("modifier", by=by)
    return _starter(build, row, region), _reason("starter", by=by)


def _authorizer(build: BuildInfo, row: BuildRow, region: Region, *, by: Text) -> tuple[str, Text]:
    """Return the authorizer where the region vouches that there always is one, else the last modifier.

    On a platform without one the variable does not exist, and any step of the build can make it; nothing
    tells the two apart (bk-ci `PipelineBuildService.kt`).
    """
    if region.names_authorizer:
        return _known(build.authorizer, "authorizer", AUTHORIZER[0]), _reason("authorizer", by=by)
    if build.authorizer not in ("", build.modifier):
        raise AuthorizerNotProven(
            authorizer=build.authorizer, modifier=build.modifier or '""', region=region.name
        )
    variables = f"{AUTHORIZER[0]}, {MODIFIER[0]}"
    return _modifier(build, row, "authorizer", variables), _reason("authorizer_is_modifier", by=by)


def _modifier(build: BuildInfo, row: BuildRow, run_as: RunAs, variable: str) -> str:
    """Return the last modifier, where the build's own row does not name another.

    BK-CI keeps the variable read-only, but an atom's output whose name ends in a blank overwrites it: MySQL
    takes the two names for one key (bk-ci `PipelineBuildVarDao.kt` batchSave, 2026-08).
    """
    modifier = _known(build.modifier, run_as, variable)
    if row.modifier not in ("", modifier):
        raise ModifierNotProven(modifier=modifier, row_modifier=row.modifier)
    return modifier


def _starter(build: BuildInfo, row: BuildRow, region: Region) -> str:
    """Return the starter, whose variable any step may set, where the build's own row names the same user."""
    starter = _known(build.starter, "starter", STARTER[0])
    if build.source == "environment":  # nobody was asked for that row
        problem = say("identity.starter_takes_proven_names")
        raise NameNotProven(user=starter, run_as="starter", region=region.name, problem=problem)
    if row.started_by != starter:
        build_user = row.started_by or say("identity.nobody")
        raise StarterNotProven(starter=starter, build_user=build_user)
    return starter


def _known(user: str, run_as: RunAs, variable: str) -> str:
    if not user:
        raise UserUnknown(run_as=run_as, variable=variable)
    return user


def _reason(key: str, *, by: Optional[Text] = None, region: Optional[Region] = None) -> Text:
    fields = {"by": by} if region is None else {"region": region.name}
    return say(f"identity.reason_{key}", **fields)


def _refuse_unproven(region: Region, *, user: str, run_as: RunAs, source: Source) -> None:
    """Refuse a name that only the environment says where a name is all that chooses an app."""
    if source != "environment" or run_as == "owner":
        return
    problem = None
    if region.owner:
        problem = say("identity.owner_takes_proven_names", owner=region.owner)
    elif user in region.users:
        problem = say("identity.users_take_proven_names", user=user)
    if problem is not None:
        raise NameNotProven(user=user, run_as=run_as, region=region.name, problem=problem)


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
