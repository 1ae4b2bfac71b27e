from __future__ import annotations

import copy
import itertools
import json
import pickle
from collections.abc import Iterator, Mapping
from dataclasses import FrozenInstanceError, dataclass, replace
from pathlib import Path
from typing import Optional, Union

import pytest
from tests.unit.agent.test_build_info import IDENTITY

from bcs_template_set.agent.build_api import Credential
from bcs_template_set.agent.build_info import BuildInfo, BuildRow, Source, build_info
from bcs_template_set.config.principal import Principal, resolve_principal
from bcs_template_set.config.regions import App, Endpoint, Region, RunAs
from bcs_template_set.messages import LANGUAGES, Text, say
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
from bcs_template_set.messages.step_error import StepError

SOURCES = Path(__file__).parents[3] / "atom" / "bcs_template_set"
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


def token(value: str = "t") -> Credential:
    return Credential("id", "access token", {}, {"access_token": Secret(value)})


def app(code: str = "a", key: str = "b") -> Credential:
    return Credential("id", "app", {"appId": code}, {"secretKey": Secret(key)})


def credentials() -> list[Optional[Credential]]:
    return [None, token("the-token"), app("credential_app", "credential-secret")]


def people(
    starter: str = "", modifier: str = "", authorizer: str = "", *, source: Source = "record"
) -> BuildInfo:
    return BuildInfo(source, starter, modifier, authorizer)


def authorization(principal: Principal) -> dict[str, str]:
    parsed: dict[str, str] = json.loads(principal.headers()["X-Bkapi-Authorization"])
    return parsed


ROW = BuildRow("wangwu", "lisi")


@dataclass(frozen=True)
class Said:
    """What the platform says of a build, and what an author or an earlier step adds to it.

    `stored` is the platform's record with what a step could still write into it: whatever is not read-only
    (facts/agent.md, "What BK-CI does"). `row` is the build's own.
    """

    stored: Mapping[str, str]
    inputs: Mapping[str, str]
    environ: Mapping[str, str]
    row: BuildRow = ROW


PLATFORM = {
    "BK_CI_START_USER_NAME": "wangwu",
    "BK_CI_PIPELINE_UPDATE_USER": "lisi",
    "BK_CI_PROJECT_NAME": "web",
    "BK_CI_PIPELINE_ID": "p-1",
    "BK_CI_BUILD_ID": "b-1",
}
READ_ONLY = ("BK_CI_PIPELINE_UPDATE_USER", "BK_CI_PROJECT_NAME", "BK_CI_PIPELINE_ID", "BK_CI_BUILD_ID")
NAMES = (
    "BK_CI_AUTHORIZER", "BK_CI_START_USER_NAME", "pipeline.start.user.name", "BK_CI_PIPELINE_UPDATE_USER",
    "BK_CI_PIPELINE_CREATE_USER", "BK_CI_PROJECT_NAME", "project.name", "BK_CI_BUILD_ID", "pipeline.build.id",
    "BK_CI_PIPELINE_ID", "pipeline.id", "ci.actor", "ci.authorizer", "bk_ci_authorizer", "run_as_user",
)  # fmt: skip
"""What an attacker tries: new names, old names, names of no meaning."""


def attacks(name: str, authorizer: str) -> Iterator[tuple[str, Said]]:
    """Yield every way to bring a variable of this name into the step, and who else could be meant by it."""
    platform = {**PLATFORM, **({"BK_CI_AUTHORIZER": authorizer} if authorizer else {})}
    kept = READ_ONLY + (("BK_CI_AUTHORIZER",) if authorizer else ())
    forged = {name: "boss"}
    seen = {**platform, **forged}
    yield "an input", Said(platform, seen, platform)
    yield "the step's env", Said(platform, seen, seen)
    if name not in kept:  # a read-only variable is not changed by a step; every other is
        yield "an earlier step", Said({**platform, **forged}, seen, seen)
        yield "a step beside this one", Said({**platform, **forged}, platform, platform)


def overwritten() -> Said:
    """Return what an atom's output "BK_CI_PIPELINE_UPDATE_USER " does (see `principal._modifier`)."""
    stored = {**PLATFORM, "BK_CI_PIPELINE_UPDATE_USER": "boss"}
    return Said(stored, stored, stored)


@pytest.mark.parametrize("run_as", ["modifier", "authorizer"])
@pytest.mark.parametrize("place", [region(), region(owner="boss"), region(users=("boss",))])
def test_a_read_only_variable_that_was_overwritten_all_the_same_acts_for_nobody(
    run_as: RunAs, place: Region
) -> None:
    error = who_acts(overwritten(), place, run_as=run_as)
    assert isinstance(error, ModifierNotProven)
    for language in LANGUAGES:
        text = "\n".join(error.explain(language))
        assert "boss" in text
        assert "lisi" in text


def who_acts(said: Said, place: Region, *, run_as: RunAs) -> Union[Principal, StepError]:
    """Return who the step is, as `settings_phase` asks for it, or why it is nobody."""
    try:
        build = build_info(
            source="record", record=said.stored, environ=said.environ, inputs=said.inputs, identity=IDENTITY
        )
        return resolve_principal(place, build, run_as=run_as, row=said.row)
    except StepError as error:
        return error


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("authorizer", ["", "zhangsan"])
def test_whatever_an_attacker_adds_the_run_is_the_platforms_user_or_it_stops(
    name: str, authorizer: str
) -> None:
    acted = stopped = 0
    for way, said in attacks(name, authorizer):
        for run_as, owner, users, vouched in itertools.product(
            RUN_AS, ("", "boss", "lisi"), ((), ("boss",), ("boss", "lisi")), (False, True)
        ):
            if vouched and not authorizer:
                continue  # `authorizer: platform` is written only where every pipeline has one
            place = replace(region(owner=owner, users=users), names_authorizer=vouched)
            outcome = who_acts(said, place, run_as=run_as)
            honest = {
                "authorizer": authorizer if vouched else "lisi",
                "modifier": "lisi",
                "starter": "wangwu",
                "owner": owner,
            }[run_as]
            if isinstance(outcome, Principal):
                acted += 1
                assert outcome.user == honest, (way, run_as)
                check_one_user_of(outcome, place, user=honest)
            else:
                stopped += 1
                assert 800201 <= outcome.code <= 800218, (way, outcome)
                if outcome.code == 800214:
                    text = "\n".join(outcome.explain("en_US"))
                    assert name in text
                    assert "boss" in text
    assert stopped > 0
    found_out = (*ALWAYS_FOUND_OUT, *(("BK_CI_AUTHORIZER",) if authorizer else ()))
    assert (acted > 0) == (name not in found_out)


OLD_NAMES = ("project.name", "pipeline.build.id", "pipeline.id", "pipeline.start.user.name")
ALWAYS_FOUND_OUT = (*READ_ONLY, *OLD_NAMES)
"""No step can write these into the record, or it says another thing there already."""


def check_one_user_of(principal: Principal, place: Region, *, user: str) -> None:
    sent = authorization(principal)
    app = f"{user}_app" if user in place.users else "region_app"
    assert (sent["bk_username"], sent["bk_app_code"]) == (user, app)


def test_every_combination_is_one_user_everywhere_or_a_stop_before_the_first_request() -> None:
    stops = made = combinations = 0
    places = [
        replace(region(owner=owner, app=has_app, users=users, path_prefix=prefix), names_authorizer=vouched)
        for owner, users, has_app, prefix, vouched in itertools.product(
            PEOPLE, ((), ("lisi",)), (True, False), ("/v4", "/bcsapi/v4"), (True, False)
        )
    ]
    ways = list(itertools.product(RUN_AS, credentials(), places))
    for starter, modifier, authorizer, row in itertools.product(PEOPLE, repeat=4):
        build, of_row = people(starter, modifier, authorizer), BuildRow(row, modifier)
        for run_as, credential, place in ways:
            combinations += 1
            try:
                principal = resolve_principal(place, build, run_as=run_as, row=of_row, credential=credential)
            except StepError as error:
                stops += 800201 <= error.code <= 800218
                continue
            made += 1
            check_one_user(principal, place, build, row, run_as=run_as, credential=credential)
    assert stops > 1000
    assert made > 1000
    assert stops + made == combinations, "a stop of another kind"


def check_one_user(
    principal: Principal,
    place: Region,
    build: BuildInfo,
    started_by: str,
    *,
    run_as: RunAs,
    credential: Optional[Credential],
) -> None:
    if credential is not None and credential.type == "access token":
        expected = "Bearer the-token" if place.endpoint.straight_at_bcs else '{"access_token": "the-token"}'
        assert list(principal.headers().values()) == [expected]
        return
    wanted = {
        "authorizer": build.authorizer if place.names_authorizer else build.modifier,
        "modifier": build.modifier,
        "starter": build.starter,
        "owner": place.owner,
    }[run_as]
    if run_as == "starter":
        assert started_by == build.starter
    sent = authorization(principal)
    assert sent["bk_username"] == principal.user == wanted
    if credential is not None:
        assert (sent["bk_app_code"], sent["bk_app_secret"]) == ("credential_app", "credential-secret")
    elif wanted in place.users:
        assert (sent["bk_app_code"], sent["bk_app_secret"]) == (f"{wanted}_app", f"{wanted}-secret")
    else:
        assert (sent["bk_app_code"], sent["bk_app_secret"]) == ("region_app", "region-secret")
        assert place.owner in ("", wanted), "the region's app is used in its owner's name only"


def test_the_documented_mismatch_stops_and_names_both_users_the_app_and_three_ways_out() -> None:
    build = people("wangwu", "lisi")
    with pytest.raises(OwnerMismatch) as caught:
        resolve_principal(region(owner="lisi"), build, run_as="starter", row=BuildRow("wangwu"))
    for language in LANGUAGES:
        text = "\n".join(caught.value.explain(language))
        for word in ("lisi", "wangwu", "region_app", "gz", "run_as", "users.wangwu", "credential"):
            assert word in text, (language, word)


BY = say("identity.by_record")


def test_the_default_user_is_the_authorizer_where_the_region_vouches_for_it() -> None:
    place = replace(region(), names_authorizer=True)
    principal = resolve_principal(place, people("a", "b", "c"), run_as="authorizer")
    assert (principal.user, principal.reason) == ("c", say("identity.reason_authorizer", by=BY))


@pytest.mark.parametrize("authorizer", ["", "b"])
def test_elsewhere_the_default_user_is_the_last_modifier(authorizer: str) -> None:
    principal = resolve_principal(region(), people("a", "b", authorizer), run_as="authorizer")
    assert (principal.user, principal.reason) == ("b", say("identity.reason_authorizer_is_modifier", by=BY))


def test_an_authorizer_that_nobody_vouches_for_stops_the_run_and_names_both_cures() -> None:
    with pytest.raises(AuthorizerNotProven) as caught:
        resolve_principal(region(), people("a", "", "boss"), run_as="authorizer")
    assert caught.value.fields["modifier"] == '""'
    with pytest.raises(AuthorizerNotProven) as caught:
        resolve_principal(region(), people("a", "lisi", "boss"), run_as="authorizer")
    for language in LANGUAGES:
        text = "\n".join(caught.value.explain(language))
        for word in ("BK_CI_AUTHORIZER", "boss", "lisi", "gz", "authorizer: platform"):
            assert word in text, (language, word)


@pytest.mark.parametrize("row", ["", "lisi"])
def test_a_starter_acts_only_where_the_builds_own_row_names_the_same(row: str) -> None:
    with pytest.raises(StarterNotProven) as caught:
        resolve_principal(region(), people("boss", "lisi"), run_as="starter", row=BuildRow(row))
    text = "\n".join(caught.value.explain("en_US"))
    assert "boss" in text
    assert (row or "nobody") in text


def test_a_region_serves_whom_it_lists_and_a_token_is_its_own_proof() -> None:
    place = replace(region(owner="lisi"), run_as=("modifier", "starter"))
    build = people("a", "lisi")
    assert resolve_principal(place, build, run_as="modifier").user == "lisi"
    for refused in ("owner", "authorizer"):
        with pytest.raises(InputsInvalid) as caught:
            resolve_principal(place, build, run_as=refused)
        text = "\n".join(caught.value.explain("en_US"))
        assert refused in text
        assert "modifier, starter" in text
    assert resolve_principal(place, build, run_as="owner", credential=token()).is_token


# --- where no record can be had -------------------------------------------------------------------------

UNPROVEN = people("a", "lisi", source="environment")


def test_a_name_of_the_environment_acts_through_the_regions_app_and_that_is_said() -> None:
    principal = resolve_principal(region(), UNPROVEN, run_as="modifier")
    assert principal.user == "lisi"
    assert "proves nothing" in principal.reason.render("en_US")


@pytest.mark.parametrize("place", [region(owner="lisi"), region(owner="boss"), region(users=("lisi",))])
def test_neither_owner_nor_users_accept_a_name_of_the_environment(place: Region) -> None:
    with pytest.raises(NameNotProven) as caught:
        resolve_principal(place, UNPROVEN, run_as="modifier")
    for language in LANGUAGES:
        text = "\n".join(caught.value.explain(language))
        for word in ("people: environment", "lisi", "gz", "modifier"):
            assert word in text, (language, word)


def test_the_owner_is_the_regions_own_word_everywhere() -> None:
    assert resolve_principal(region(owner="zhangsan"), UNPROVEN, run_as="owner").user == "zhangsan"


def test_nobody_is_proven_to_have_started_a_build_without_a_record() -> None:
    with pytest.raises(NameNotProven) as caught:
        resolve_principal(region(), UNPROVEN, run_as="starter")
    assert caught.value.fields["run_as"] == "starter"
    for language in LANGUAGES:
        text = "\n".join(caught.value.explain(language))
        assert "people: environment" in text, language
        assert "starter" in text, language


def test_an_app_of_the_authors_own_goes_with_a_name_of_the_environment() -> None:
    place = region(owner="boss", users=("lisi",))
    assert resolve_principal(place, UNPROVEN, run_as="modifier", credential=app()).app_code == "a"


def test_an_app_of_the_acting_user_comes_before_the_regions_own() -> None:
    place = region(owner="zhangsan", users=("lisi",))
    assert resolve_principal(place, people(modifier="lisi"), run_as="modifier").app_code == "lisi_app"


@pytest.mark.parametrize(
    ("run_as", "build", "variable"),
    [
        ("starter", people(modifier="lisi"), "BK_CI_START_USER_NAME"),
        ("authorizer", people(starter="lisi"), "BK_CI_AUTHORIZER, BK_CI_PIPELINE_UPDATE_USER"),
        ("modifier", people(starter="lisi", authorizer="lisi"), "BK_CI_PIPELINE_UPDATE_USER"),
        ("owner", people(modifier="lisi"), "regions.gz.owner"),
    ],
)
def test_a_user_nobody_named_is_a_stop_that_names_the_variable(
    run_as: RunAs, build: BuildInfo, variable: str
) -> None:
    with pytest.raises(UserUnknown) as caught:
        resolve_principal(region(), build, run_as=run_as)
    assert caught.value.fields == {"run_as": run_as, "variable": variable}


def test_where_the_region_vouches_for_an_authorizer_nobody_else_is_one() -> None:
    with pytest.raises(UserUnknown) as caught:
        resolve_principal(replace(region(), names_authorizer=True), people("a", "b"), run_as="authorizer")
    assert caught.value.fields == {"run_as": "authorizer", "variable": "BK_CI_AUTHORIZER"}


@pytest.mark.parametrize(
    ("run_as", "source", "reason"),
    [
        ("owner", "record", say("identity.reason_owner", region="gz")),
        ("owner", "file", say("identity.reason_owner", region="gz")),
        ("modifier", "record", say("identity.reason_modifier", by=say("identity.by_record"))),
        ("modifier", "file", say("identity.reason_file")),
        ("starter", "record", say("identity.reason_starter", by=say("identity.by_record"))),
        ("starter", "file", say("identity.reason_file")),
    ],
)
def test_the_reason_says_what_named_the_user(run_as: RunAs, source: Source, reason: Text) -> None:
    build, place = people("lisi", "lisi", source=source), region(owner="lisi")
    assert resolve_principal(place, build, run_as=run_as, row=BuildRow("lisi")).reason == reason


def test_a_region_without_an_app_for_the_user_is_a_stop_that_names_region_and_user() -> None:
    with pytest.raises(NoCredentials, match=r"gz has no app for lisi"):
        resolve_principal(region(app=False, users=("wangwu",)), people(modifier="lisi"), run_as="modifier")


def test_straight_at_bcs_only_a_token_is_taken() -> None:
    place, build = region(path_prefix="/bcsapi/v4"), people(modifier="lisi")
    principal = resolve_principal(place, build, run_as="modifier", credential=token())
    assert principal.headers() == {"Authorization": "Bearer t"}
    with pytest.raises(NoCredentials, match=r"and no app\.\nWhat to do: Set credential"):
        resolve_principal(place, build, run_as="modifier")
    with pytest.raises(CredentialUnusable, match="token"):
        resolve_principal(place, build, run_as="modifier", credential=app())


def test_an_access_token_is_sent_alone() -> None:
    principal = resolve_principal(region(owner="lisi"), people(), run_as="starter", credential=token())
    assert principal.headers() == {"X-Bkapi-Authorization": '{"access_token": "t"}'}
    assert principal.label == "credential:id"


def test_a_principal_is_made_in_one_place_and_never_changed_or_copied() -> None:
    principal = resolve_principal(region(), people(modifier="lisi"), run_as="modifier")
    with pytest.raises(TypeError, match="made by resolve_principal only"):
        Principal(
            object(), user="a", app_code="b", credential="", reason=say("identity.reason_file"), form="app",
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
    for value, name in ((people(), "starter"), (token(), "secrets"), (App("a", Secret("b")), "app_code")):
        with pytest.raises(FrozenInstanceError):
            setattr(value, name, "other")


def test_whom_the_platform_does_not_name_is_nobody() -> None:
    assert people() == people(starter="", modifier="", authorizer="")


@pytest.mark.parametrize("prefix", ["/v4", "/bcsapi/v4"])
def test_a_token_names_no_user_its_reason_the_credential_and_its_secret_is_masked(prefix: str) -> None:
    principal = resolve_principal(
        region(path_prefix=prefix), people("a", "b"), run_as="starter", credential=token("the-token")
    )
    assert (principal.user, principal.app_code, principal.credential) == ("", "", "id")
    assert principal.is_token
    assert principal.reason == say("identity.reason_token", credential="id")
    assert principal.secrets() == (Secret("the-token"),)


def test_an_app_is_no_token_names_no_credential_and_its_secret_is_masked() -> None:
    principal = resolve_principal(region(), people(modifier="lisi"), run_as="modifier")
    assert not principal.is_token
    assert principal.credential == ""
    assert principal.reason == say("identity.reason_modifier", by=BY)
    assert [secret.reveal() for secret in principal.secrets()] == ["region-secret"]


def test_a_repr_names_who_it_is_and_in_which_form() -> None:
    principal = resolve_principal(region(), people(modifier="lisi"), run_as="modifier")
    assert repr(principal) == "Principal('lisi', app_code='region_app', form='app')"


def test_no_secret_is_in_a_repr() -> None:
    for credential in credentials():
        principal = resolve_principal(
            region(), people(modifier="lisi"), run_as="modifier", credential=credential
        )
        shown = repr(principal) + repr(credential) + repr(region(users=("lisi",)))
        for secret in ("the-token", "credential-secret", "region-secret", "lisi-secret"):
            assert secret not in shown


@pytest.mark.parametrize(
    "written",
    ['"X-Bkapi-Authorization"', '"bk_app_secret"', '"bk_username"', '{"access_token": ', 'f"Bearer '],
)
def test_authentication_headers_are_written_in_one_module_only(written: str) -> None:
    holders = {path.name for path in SOURCES.rglob("*.py") if written in path.read_text(encoding="utf-8")}
    # verb_plan.py makes a credential of that form, as the agent would; it has no request. What a registry has
    # given look_for_images.py shows to that registry.
    assert holders - {"verb_plan.py", "look_for_images.py"} == {"principal.py"}
