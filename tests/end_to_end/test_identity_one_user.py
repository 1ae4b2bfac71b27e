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
from tests.end_to_end.scene import FILES, VALUES, run_here
from tests.worker import Worker

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
)


def region_of(case: Case, emulator: Emulator) -> dict[str, object]:
    region: dict[str, object] = {"gateway": emulator.url, "owner": case.owner}
    if case.has_app:
        region.update(app_code="region_app", app_secret=REGION_SECRET)
    if case.users:
        region["users"] = {u: {"app_code": f"{u}_app", "app_secret": USER_SECRET} for u in case.users}
    return region


def populate(emulator: Emulator, case: Case) -> None:
    """Let every app and token be believed, so that nothing but the step itself keeps two users apart."""
    state = emulator.state
    state.add_project("web", viewers=set(PEOPLE))
    state.add_agent(project_id="web")
    for code, secret in (("region_app", REGION_SECRET), ("credential_app", CREDENTIAL_SECRET)):
        state.add_app(code, secret, vouches_for=EVERYONE)
    for user in PEOPLE:
        state.add_app(f"{user}_app", USER_SECRET, vouches_for=EVERYONE)
    state.add_user_token(TOKEN, user=case.token_user)
    state.add_credential("token", {"access_token": TOKEN})
    state.add_credential("app", {"appId": "credential_app", "secretKey": CREDENTIAL_SECRET})
    state.add_credential("password", {"password": "password-canary"})


def who(case: Case) -> str:
    """Return the user that design section 3 names for `run_as`; the rule said once more, another way."""
    chosen = {
        "authorizer": case.authorizer or case.modifier,
        "modifier": case.modifier,
        "starter": case.starter,
        "owner": case.owner,
    }
    return chosen[case.run_as or "authorizer"]


def expected(case: Case) -> Optional[tuple[str, str]]:
    """Return the user and the app that every request must be made as; None where none may be made."""
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
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_request_is_one_user_and_the_recorded_creator_is_that_user_or_nothing_is_sent(
    case: Case, tmp_path: Path
) -> None:
    with Emulator() as emulator:
        populate(emulator, case)
        worker = Worker(
            tmp_path,
            emulator,
            regions={"gz": region_of(case, emulator)},
            inputs={"region": "gz", "template_space": "front-ends", "values": VALUES},
            variables={
                "BK_CI_START_USER_NAME": case.starter,
                "BK_CI_PIPELINE_UPDATE_USER": case.modifier,
                "BK_CI_AUTHORIZER": case.authorizer,
            },
        )
        lived = run_here(worker, run_as=case.run_as, credential=case.credential)
        assert emulator.problems() == []
        wanted = expected(case)
        if wanted is None:
            assert of_bcs(emulator.exchanges) == []
            assert 800201 <= lived.code <= 800204, lived.log
            return
        assert lived.code == 0, lived.log
        assert {(e.user, e.app) for e in of_bcs(emulator.exchanges)} == {wanted}
        assert len({e.header("X-Bkapi-Authorization") for e in of_bcs(emulator.exchanges)}) == 1
        versions = emulator.state.find_versions("front-ends")
        assert {(v.file, v.creator) for v in versions} == {(name, wanted[0]) for name in FILES}
        identity = lived.outcome.identity
        assert identity is not None
        assert identity.acting_user == wanted[0]


@pytest.mark.parametrize("run_as", ["authorizer", "modifier", "starter", "owner"])
def test_the_documented_failure_can_not_happen(tmp_path: Path, run_as: str) -> None:
    """The app of the last modifier never goes out with the name of the starter."""
    with Emulator() as emulator:
        emulator.state.add_project("web", viewers={"lisi"})
        emulator.state.add_app("lisi_app", "lisi-canary", vouches_for=EVERYONE)
        emulator.state.add_agent(project_id="web")
        app = {"app_code": "lisi_app", "app_secret": "lisi-canary", "owner": "lisi"}
        worker = Worker(tmp_path, emulator, regions={"gz": {"gateway": emulator.url, **app}})
        run_here(worker, run_as=run_as, region="gz", template_space="front-ends", values=VALUES)
        assert {names_in(e)["bk_username"] for e in emulator.exchanges} <= {"lisi"}
        assert bool(emulator.exchanges) == (run_as != "starter")
