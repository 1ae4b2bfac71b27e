from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.emulator import EVERYONE, Emulator, Exchange
from tests.support.dialects import at_work
from tests.support.draws import examples
from tests.support.scene import FILES, VALUES, run_here
from tests.support.worker import Worker

PEOPLE = ("lisi", "wangwu", "zhangsan")
REGION_SECRET, USER_SECRET, CREDENTIAL_SECRET = "region-canary", "user-canary", "credential-canary"
TOKEN = "token-canary"

people = st.sampled_from(("", *PEOPLE))


@dataclass(frozen=True)
class Case:
    """One combination of all that may have a say in who a run is."""

    starter: str
    modifier: str
    authorizer: str
    owner: str
    users: frozenset[str]
    has_app: bool
    credential: str
    token_user: str
    run_as: str
    vouched: bool
    build_user: str
    attack: tuple[str, str]


ATTACKER = "boss"
OLD_STARTER = "pipeline.start.user.name"
NAMES = ("BK_CI_AUTHORIZER", "BK_CI_START_USER_NAME", "BK_CI_PIPELINE_UPDATE_USER", OLD_STARTER)
WAYS = ("", "", "an input", "the step's env", "an earlier step")

cases = st.builds(
    Case,
    starter=people,
    modifier=people,
    authorizer=people,
    owner=people,
    users=st.frozensets(st.sampled_from(PEOPLE), max_size=2),
    has_app=st.booleans(),
    credential=st.sampled_from(("", "", "token", "app", "password", "unknown")),
    token_user=st.sampled_from(PEOPLE),
    run_as=st.sampled_from(("", "authorizer", "modifier", "starter", "owner")),
    vouched=st.booleans(),
    build_user=people,
    attack=st.tuples(st.sampled_from(WAYS), st.sampled_from(NAMES)),
)


def region_of(case: Case, emulator: Emulator) -> dict[str, object]:
    region: dict[str, object] = {"gateway": emulator.url, "owner": case.owner}
    if case.vouched:
        region["authorizer"] = "platform"
    if case.has_app:
        region.update(app_code="region_app", app_secret=REGION_SECRET)
    if case.users:
        region["users"] = {u: {"app_code": f"{u}_app", "app_secret": USER_SECRET} for u in case.users}
    return region


def populate(emulator: Emulator, case: Case) -> None:
    """Let every app and token be believed, so that nothing but the step itself keeps two users apart."""
    state = emulator.state
    state.add_project("web", viewers={*PEOPLE, ATTACKER})
    for code, secret in (("region_app", REGION_SECRET), ("credential_app", CREDENTIAL_SECRET)):
        state.add_app(code, secret, vouches_for=EVERYONE)
    for user in PEOPLE:
        state.add_app(f"{user}_app", USER_SECRET, vouches_for=EVERYONE)
    state.add_user_token(TOKEN, user=case.token_user)
    state.add_credential("token", {"access_token": TOKEN})
    state.add_credential("app", {"appId": "credential_app", "secretKey": CREDENTIAL_SECRET})
    state.add_credential("password", {"password": "password-canary"})


def variables_of(case: Case) -> dict[str, str]:
    """Return what BK-CI keeps of the build's people, an earlier step's doing included.

    A step changes no read-only variable: the modifier, and the authorizer where there is one.
    """
    stored = {
        "BK_CI_START_USER_NAME": case.starter,
        "BK_CI_PIPELINE_UPDATE_USER": case.modifier,
        "BK_CI_AUTHORIZER": case.authorizer,
    }
    way, name = case.attack
    read_only = {"BK_CI_PIPELINE_UPDATE_USER"} | ({"BK_CI_AUTHORIZER"} if case.authorizer else set())
    return {**stored, name: ATTACKER} if way == "an earlier step" and name not in read_only else stored


def is_disputed(case: Case) -> bool:
    """Tell whether two sources say different things of one person."""
    stored = variables_of(case)
    way, _ = case.attack
    starters = {stored[n] for n in ("BK_CI_START_USER_NAME", OLD_STARTER) if stored.get(n)}
    return way in ("an input", "the step's env") or len(starters) > 1


def who(case: Case) -> str:
    """Return the user who may act; "" where nobody is proven to be it. The rule said once more."""
    stored = variables_of(case)
    starter = stored["BK_CI_START_USER_NAME"] or stored.get(OLD_STARTER, "")
    authorizer, modifier = stored["BK_CI_AUTHORIZER"], case.modifier
    if case.run_as == "starter":
        return starter if starter == case.build_user else ""
    if case.run_as in ("modifier", "owner"):
        return modifier if case.run_as == "modifier" else case.owner
    if case.vouched:
        return authorizer
    return modifier if authorizer in ("", modifier) else ""


def expected(case: Case) -> Optional[tuple[str, str]]:
    """Return the user and the app that every request must be made as; None where none may be made."""
    if is_disputed(case):
        return None
    if case.credential == "token":
        return case.token_user, "token_app"
    user = who(case)
    if case.credential in ("password", "unknown") or not user:
        return None
    if case.credential == "app":
        return user, "credential_app"
    if user in case.users:
        return user, f"{user}_app"
    return (user, "region_app") if case.has_app and case.owner in ("", user) else None


def of_bcs(exchanges: list[Exchange]) -> list[Exchange]:
    return [exchange for exchange in exchanges if exchange.path.startswith("/api/")]


def names_in(exchange: Exchange) -> Mapping[str, str]:
    parsed: dict[str, str] = json.loads(exchange.header("X-Bkapi-Authorization"))
    return parsed


@given(case=cases)
@settings(
    max_examples=examples(150, sample=40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_every_request_is_one_user_and_the_recorded_creator_is_that_user_or_nothing_is_sent(
    case: Case, tmp_path: Path
) -> None:
    with Emulator(dialect=at_work()) as emulator:
        populate(emulator, case)
        worker = Worker(
            tmp_path,
            emulator,
            regions={"gz": region_of(case, emulator)},
            inputs={"region": "gz", "template_space": "front-ends", "values": VALUES},
            variables=variables_of(case),
            build_user=case.build_user,
        )
        way, name = case.attack
        forged = {name: ATTACKER} if way == "an input" else {}
        if way == "the step's env":
            worker.env[name] = ATTACKER
        lived = run_here(worker, run_as=case.run_as, credential=case.credential, **forged)
        assert emulator.problems() == []
        wanted = expected(case)
        if wanted is None:
            assert of_bcs(emulator.exchanges) == []
            assert 800201 <= lived.code <= 800218, lived.log
            return
        assert lived.code == 0, lived.log
        told = [e for e in of_bcs(emulator.exchanges) if e.operation]  # else BCS has no such call
        assert {(e.user, e.app) for e in told} == {wanted}
        assert len({e.header("X-Bkapi-Authorization") for e in of_bcs(emulator.exchanges)}) == 1
        versions = emulator.state.find_versions("front-ends")
        assert {(v.file, v.creator) for v in versions} == {(name, wanted[0]) for name in FILES}
        identity = lived.outcome.identity
        assert identity is not None
        assert identity.acting_user == wanted[0]


@pytest.mark.parametrize("run_as", ["authorizer", "modifier", "starter", "owner"])
def test_the_documented_failure_can_not_happen(tmp_path: Path, run_as: str) -> None:
    """The app of the last modifier never goes out with the name of the starter."""
    with Emulator(dialect=at_work()) as emulator:
        emulator.state.add_project("web", viewers={"lisi"})
        emulator.state.add_app("lisi_app", "lisi-canary", vouches_for=EVERYONE)
        app = {"app_code": "lisi_app", "app_secret": "lisi-canary", "owner": "lisi"}
        worker = Worker(tmp_path, emulator, regions={"gz": {"gateway": emulator.url, **app}})
        run_here(worker, run_as=run_as, region="gz", template_space="front-ends", values=VALUES)
        assert {names_in(e)["bk_username"] for e in of_bcs(emulator.exchanges)} <= {"lisi"}
        assert bool(of_bcs(emulator.exchanges)) == (run_as != "starter")
