from __future__ import annotations

import copy
import itertools
import json
import pickle
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Optional

import pytest

from bcs_template_set.errors import CredentialUnusable, NoCredentials, OwnerMismatch, StepError, UserUnknown
from bcs_template_set.messages import LANGUAGES, say
from bcs_template_set.principal import (
    AccessToken,
    AppCredential,
    Credential,
    People,
    Principal,
    RunAs,
    resolve_principal,
)
from bcs_template_set.regions import App, Endpoint, Region
from bcs_template_set.secret import Secret

SOURCES = Path(__file__).parents[2] / "atom" / "bcs_template_set"
RUN_AS: tuple[RunAs, ...] = ("authorizer", "modifier", "starter", "owner")
PEOPLE = ("", "lisi", "wangwu")


def region(
    *, owner: str = "", app: bool = True, users: tuple[str, ...] = (), path_prefix: str = "/v4"
) -> Region:
    return Region(
        name="gz",
        endpoint=Endpoint(gateway="https://bkapi.example.com", path_prefix=path_prefix),
        app=App("region_app", Secret("region-secret")) if app else None,
        owner=owner,
        users={user: App(f"{user}_app", Secret(f"{user}-secret")) for user in users},
    )


def credentials() -> list[Optional[Credential]]:
    return [
        None,
        AccessToken("token_id", Secret("the-token")),
        AppCredential("app_id", App("credential_app", Secret("credential-secret"))),
    ]


def authorization(principal: Principal) -> dict[str, str]:
    parsed: dict[str, str] = json.loads(principal.headers()["X-Bkapi-Authorization"])
    return parsed


def test_every_combination_is_one_user_everywhere_or_a_stop_before_the_first_request() -> None:
    stops = made = combinations = 0
    for starter, modifier, authorizer, owner in itertools.product(PEOPLE, repeat=4):
        people = People(starter=starter, modifier=modifier, authorizer=authorizer)
        for run_as, credential, users, has_app, prefix in itertools.product(
            RUN_AS, credentials(), ((), ("lisi",), ("wangwu",)), (True, False), ("/v4", "/bcsapi/v4")
        ):
            combinations += 1
            place = region(owner=owner, app=has_app, users=users, path_prefix=prefix)
            try:
                principal = resolve_principal(place, people, run_as=run_as, credential=credential)
            except StepError as error:
                stops += 800201 <= error.code <= 800204
                continue
            made += 1
            check_one_user(principal, place, people, run_as=run_as, credential=credential)
    assert stops > 1000
    assert made > 1000
    assert stops + made == combinations, "a stop of another kind"


def check_one_user(
    principal: Principal, place: Region, people: People, *, run_as: RunAs, credential: Optional[Credential]
) -> None:
    if isinstance(credential, AccessToken):
        expected = "Bearer the-token" if place.endpoint.straight_at_bcs else '{"access_token": "the-token"}'
        assert list(principal.headers().values()) == [expected]
        return
    wanted = {
        "authorizer": people.authorizer or people.modifier,
        "modifier": people.modifier,
        "starter": people.starter,
        "owner": place.owner,
    }[run_as]
    sent = authorization(principal)
    assert sent["bk_username"] == principal.user == wanted
    if isinstance(credential, AppCredential):
        assert (sent["bk_app_code"], sent["bk_app_secret"]) == ("credential_app", "credential-secret")
    elif wanted in place.users:
        assert (sent["bk_app_code"], sent["bk_app_secret"]) == (f"{wanted}_app", f"{wanted}-secret")
    else:
        assert (sent["bk_app_code"], sent["bk_app_secret"]) == ("region_app", "region-secret")
        assert place.owner in ("", wanted), "the region's app is used in its owner's name only"


def test_the_documented_mismatch_stops_and_names_both_users_the_app_and_three_ways_out() -> None:
    with pytest.raises(OwnerMismatch) as caught:
        resolve_principal(region(owner="lisi"), People(starter="wangwu", modifier="lisi"), run_as="starter")
    for language in LANGUAGES:
        text = "\n".join(caught.value.explain(language))
        for word in ("lisi", "wangwu", "region_app", "gz", "run_as", "users.wangwu", "credential"):
            assert word in text, (language, word)


def test_the_default_user_is_the_authorizer_and_on_platforms_without_one_the_last_modifier() -> None:
    both = People(starter="a", modifier="b", authorizer="c")
    assert resolve_principal(region(), both, run_as="authorizer").user == "c"
    without = resolve_principal(region(), People(starter="a", modifier="b"), run_as="authorizer")
    assert without.user == "b"
    assert without.reason == say("identity.reason_authorizer_is_modifier")


def test_an_app_of_the_acting_user_comes_before_the_regions_own() -> None:
    place = region(owner="zhangsan", users=("lisi",))
    assert resolve_principal(place, People(modifier="lisi"), run_as="modifier").app_code == "lisi_app"


def test_a_user_nobody_named_is_a_stop_that_names_the_variable() -> None:
    with pytest.raises(UserUnknown, match="BK_CI_START_USER_NAME"):
        resolve_principal(region(), People(modifier="lisi"), run_as="starter")
    with pytest.raises(UserUnknown, match="BK_CI_AUTHORIZER, BK_CI_PIPELINE_UPDATE_USER"):
        resolve_principal(region(), People(starter="lisi"), run_as="authorizer")
    with pytest.raises(UserUnknown, match=r"(?<!, )BK_CI_PIPELINE_UPDATE_USER"):
        resolve_principal(region(), People(starter="lisi", authorizer="lisi"), run_as="modifier")
    with pytest.raises(UserUnknown, match=r"regions\.gz\.owner"):
        resolve_principal(region(), People(modifier="lisi"), run_as="owner")


def test_a_region_without_an_app_for_the_user_is_a_stop_that_names_region_and_user() -> None:
    with pytest.raises(NoCredentials, match=r"gz has no app for lisi"):
        resolve_principal(region(app=False, users=("wangwu",)), People(modifier="lisi"), run_as="modifier")


def test_straight_at_bcs_only_a_token_is_taken() -> None:
    place = region(path_prefix="/bcsapi/v4")
    people = People(modifier="lisi")
    token = resolve_principal(place, people, run_as="modifier", credential=AccessToken("id", Secret("t")))
    assert token.headers() == {"Authorization": "Bearer t"}
    with pytest.raises(NoCredentials, match="token"):
        resolve_principal(place, people, run_as="modifier")
    app = AppCredential("id", App("a", Secret("b")))
    with pytest.raises(CredentialUnusable, match="token"):
        resolve_principal(place, people, run_as="modifier", credential=app)


def test_an_access_token_is_sent_alone() -> None:
    principal = resolve_principal(
        region(owner="lisi"), People(), run_as="starter", credential=AccessToken("id", Secret("t"))
    )
    assert principal.headers() == {"X-Bkapi-Authorization": '{"access_token": "t"}'}
    assert principal.label == "credential:id"


def test_a_principal_is_made_in_one_place_and_never_changed_or_copied() -> None:
    principal = resolve_principal(region(), People(modifier="lisi"), run_as="modifier")
    with pytest.raises(TypeError, match="made by resolve_principal only"):
        Principal(
            object(), user="a", app_code="b", credential="", reason=say("identity.anybody"), form="app",
            secret=Secret("x"),
        )  # fmt: skip
    with pytest.raises(AttributeError):
        principal.user = "wangwu"
    with pytest.raises(AttributeError):
        del principal.user
    for attempt in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="neither copied nor pickled"):
            attempt(principal)


def test_the_values_a_principal_is_made_of_do_not_change_either() -> None:
    app = App("a", Secret("b"))
    values = (People(), AccessToken("id", Secret("t")), AppCredential("id", app))
    for value, name in zip(values, ("starter", "token", "app")):
        with pytest.raises(FrozenInstanceError):
            setattr(value, name, "other")


def test_whom_the_platform_does_not_name_is_nobody() -> None:
    assert People() == People(starter="", modifier="", authorizer="")


@pytest.mark.parametrize("prefix", ["/v4", "/bcsapi/v4"])
def test_a_token_names_no_user_its_reason_the_credential_and_its_secret_is_masked(prefix: str) -> None:
    token = Secret("the-token")
    principal = resolve_principal(
        region(path_prefix=prefix), People(starter="a", modifier="b"), run_as="starter",
        credential=AccessToken("id", token),
    )  # fmt: skip
    assert (principal.user, principal.app_code, principal.credential) == ("", "", "id")
    assert principal.is_token
    assert principal.reason == say("identity.reason_token", credential="id")
    assert principal.secrets() == (token,)


def test_an_app_is_no_token_names_no_credential_and_its_secret_is_masked() -> None:
    principal = resolve_principal(region(), People(modifier="lisi"), run_as="modifier")
    assert not principal.is_token
    assert principal.credential == ""
    assert principal.reason == say("identity.reason_modifier", region="gz")
    assert [secret.reveal() for secret in principal.secrets()] == ["region-secret"]


def test_a_repr_names_who_it_is_and_in_which_form() -> None:
    principal = resolve_principal(region(), People(modifier="lisi"), run_as="modifier")
    assert repr(principal) == "Principal('lisi', app_code='region_app', form='app')"


def test_no_secret_is_in_a_repr() -> None:
    for credential in credentials():
        principal = resolve_principal(
            region(), People(modifier="lisi"), run_as="modifier", credential=credential
        )
        shown = repr(principal) + repr(credential) + repr(region(users=("lisi",)))
        assert "secret" not in shown.replace("app_secret", "").replace("_secret", "")
        assert "the-token" not in shown


@pytest.mark.parametrize(
    "written",
    ['"X-Bkapi-Authorization"', '"bk_app_secret"', '"bk_username"', '{"access_token": ', 'f"Bearer '],
)
def test_authentication_headers_are_written_in_one_module_only(written: str) -> None:
    holders = {path.name for path in SOURCES.rglob("*.py") if written in path.read_text(encoding="utf-8")}
    # local_plan.py makes a credential of that form, as the agent would; it has no request.
    assert holders - {"local_plan.py"} == {"principal.py"}
