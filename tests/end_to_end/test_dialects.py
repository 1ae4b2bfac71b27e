"""Every release of BCS in use is published to, one too old is told so, and one amid an upgrade is borne."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.emulator import Dialect
from tests.emulator.dialect import V1_30
from tests.emulator.faults import Fault, Match
from tests.emulator.state import State
from tests.support.deploying import CLUSTER, NAMESPACE, deploy, mark_of, workload
from tests.support.dialects import speaking
from tests.support.draws import WHOLE, swept
from tests.support.publishing import LOOK_BEFORE, SPACE, UPDATE_FILE, USER, Ran, Site, config, open_site

A1, A2 = (config("a", number) for number in "12")
B1 = config("b", "1")
P1, P2 = (config("p", number) for number in "12")
OLD_PATH = "/template/metadatas"
IN_USE = sorted(V1_30, key=lambda dialect: dialect.value)
TOO_OLD = [Dialect.NONE, Dialect.V1_29]


@pytest.fixture(autouse=True, scope="module", params=["every dialect"])
def dialect() -> Iterator[None]:
    """Stand in for the fixture that runs every test twice: these name their dialects themselves."""
    with speaking(Dialect.C):
        yield


@pytest.fixture(params=IN_USE, ids=lambda dialect: dialect.name)
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with speaking(request.param), open_site(a_yaml=A1, b_yaml=B1) as made:
        yield made


def asked_for_dialect(ran: Ran) -> int:
    return sum(exchange.method == "GET" and exchange.path.endswith(OLD_PATH) for exchange in ran.exchanges)


# --- in use ---------------------------------------------------------------------------------------------


def test_files_are_made_changed_pinned_deployed_and_kept(site: Site) -> None:
    site.emulator.state.add_cluster(CLUSTER, namespaces=(NAMESPACE,))
    site.files["b.yaml"] = workload(name="b")
    first = deploy(site, template_set="web", version="1.0.7")
    assert (first.outcome.result, first.code) == ("deployed", 0), first.log
    assert mark_of(site, "Deployment", "b") == "1.0.7"
    assert site.contents() == {"a.yaml": A1, "b.yaml": workload(name="b")}
    site.emulator.state.pin(SPACE, "a.yaml", version="1.0.7")
    site.next_build(a_yaml=A2)
    assert site.run(action="plan", version="1.0.8").outcome.result == "planned"
    again = site.run(version="1.0.8")
    assert again.written == ["POST template/*/versions", "PUT template/metadatas/*"]
    assert site.emulator.state.find_file(SPACE, "a.yaml").version == "1.0.8"
    unchanged = site.run(version="1.0.8")
    assert (unchanged.outcome.result, unchanged.written) == ("unchanged", [])


def test_a_newer_build_is_noticed(site: Site) -> None:
    site.build = 9
    site.run()
    site.build = 8
    site.files["a.yaml"] = A2
    assert site.run().code == 800402
    assert site.contents()["a.yaml"] == A1


RELEASES = {
    Dialect.A: "v1.30.0 to v1.31.0-alpha.117",
    Dialect.B: "v1.31.0-alpha.118 to v1.31.0-alpha.120",
    Dialect.B2: "v1.31.0-alpha.121 to v1.31.0-alpha.125",
    Dialect.C: "v1.31.0-alpha.126 or newer",
    Dialect.MULTI_TENANT: "v1.31.0-alpha.126 or newer",
}


B_OR_B2 = "v1.31.0-alpha.118 to v1.31.0-alpha.125"
MOST_ASKED = {Dialect.A: 0, Dialect.B: 1, Dialect.B2: 1, Dialect.C: 0, Dialect.MULTI_TENANT: 0}


def test_the_release_is_found_by_one_request_more_at_the_most_and_named_where_a_person_looks(
    site: Site,
) -> None:
    dialect = site.emulator.state.dialect
    expected = B_OR_B2 if dialect in (Dialect.B, Dialect.B2) else RELEASES[dialect]
    new = site.run()
    assert asked_for_dialect(new) == 1  # a folder that is not there yet tells nothing
    assert str(new.outcome.heading.bcs) == expected
    site.next_build(a_yaml=A2)
    ran = site.run()
    assert asked_for_dialect(ran) == MOST_ASKED[dialect]
    assert f"BCS: {expected}" in ran.log
    assert ran.log.count("BCS: v1.") == 1
    assert str(ran.outcome.heading.bcs) == expected
    assert [request.name for request in ran.outcome.requests if request.refused] == []


def test_an_empty_folder_tells_as_much_as_it_can(site: Site) -> None:
    site.emulator.state.add_space(SPACE)
    ran = site.run()
    assert ran.outcome.result == "published"
    assert asked_for_dialect(ran) == 1


def test_a_gateway_that_does_not_publish_the_question_is_published_through(site: Site) -> None:
    site.emulator.state.add_app(
        "web_app",
        "web_app-secret",
        vouches_for={USER},
        grants=[r"^(?!.*(metadata/versions$|GET.*template/metadatas$))"],
    )
    assert site.run().outcome.result == "published"
    site.next_build(a_yaml=A2)
    ran = site.run()
    assert (ran.outcome.result, site.contents()) == ("published", {"a.yaml": A2, "b.yaml": B1})


def test_a_file_that_is_called_like_its_folder_is_told_by_asking() -> None:
    with speaking(Dialect.A), open_site(a_yaml=A1) as site:
        site.emulator.state.add_file(SPACE, f"{SPACE}/a.yaml", content=B1)
        ran = site.run()
        assert asked_for_dialect(ran) == 1
        assert site.contents() == {"a.yaml": A1, f"{SPACE}/a.yaml": B1}


# --- names of folders -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a:b", "web."])
def test_a_folder_is_made_by_a_name_that_its_bcs_takes_and_else_refused_before_anything(
    site: Site, name: str
) -> None:
    ran = site.run(template_space=name)
    if site.emulator.state.dialect is Dialect.A:
        assert (ran.outcome.result, [space.name for space in site.emulator.state.spaces]) == (
            "published",
            [name],
        )
    else:
        assert (ran.code, ran.writes) == (800102, [])
        assert f"template_space: {name}" in ran.log


def test_a_folders_name_that_only_some_releases_take_is_refused_by_bcs_as_a_mistake_in_the_inputs(
    site: Site,
) -> None:
    ran = site.run(template_space="前端")
    if site.emulator.state.dialect is Dialect.B:
        assert (ran.code, ran.output()["changed"]) == (800102, "false")
        assert "BCS refuses to make a folder of that name" in ran.log
        assert site.emulator.state.spaces == []
    else:
        assert ran.outcome.result == "published"


# --- too old --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["plan", "publish", "deploy"])
@pytest.mark.parametrize("has_folder", [False, True])
@pytest.mark.parametrize("too_old", TOO_OLD, ids=lambda dialect: dialect.name)
def test_a_bcs_that_is_too_old_is_named_as_one_and_nothing_is_written(
    too_old: Dialect, *, has_folder: bool, action: str
) -> None:
    with open_site(a_yaml=A1) as site:
        if has_folder:
            site.emulator.state.add_space(SPACE)
        site.emulator.state.dialect = too_old
        ran = site.run(action=action, cluster_id=CLUSTER, namespace=NAMESPACE)
        assert (ran.code, ran.writes) == (800616, [])
        assert "v1.30.0 and newer" in ran.log
        assert "Nothing was written" in ran.log
        site.emulator.unmatched.clear()  # the legacy site knows none of this


# --- two at once ----------------------------------------------------------------------------------------

UPGRADES = [(Dialect.A, Dialect.C), (Dialect.C, Dialect.A), (Dialect.B2, Dialect.C), (Dialect.A, Dialect.B)]
EVERY_REQUEST = 40


def become(site: Site, other: Dialect, nth: int) -> None:
    """Let the site speak another dialect from a request on."""

    def upgrade(state: State) -> None:
        state.dialect = other

    site.emulator.faults.add(Fault("rival", Match(nth=nth), rival=upgrade))


def alternate(site: Site, other: Dialect, nth: int) -> None:
    """Let two replicas answer in turns, the other one from a request on."""
    both = (other, site.emulator.state.dialect)

    def switch(state: State) -> None:
        state.dialect = both[both.index(state.dialect) - 1]

    site.emulator.faults.add(Fault("rival", Match(nth=nth), times=10_000, rival=switch))


def check_names(site: Site, ran: Ran) -> None:
    """No file has two names or a wrong one, and what was not written is not claimed."""
    files = [file.name for file in site.emulator.state.find_files(SPACE)]
    assert sorted(files) == sorted(set(files))
    assert set(files) <= {"a.yaml", "b.yaml", "pinned.yaml"}, ran.log
    assert {version.file for version in site.emulator.state.versions} <= set(files)
    applied = {file.change.name for file in ran.outcome.files if file.state == "applied"}
    assert applied <= set(files)


@pytest.mark.parametrize("turns", [False, True], ids=["once", "in turns"])
@pytest.mark.parametrize("of_two", UPGRADES, ids=lambda pair: f"{pair[0].name}-{pair[1].name}")
def test_a_site_that_answers_in_two_dialects_never_gets_a_file_under_two_names(
    of_two: tuple[Dialect, Dialect], *, turns: bool
) -> None:
    before, after = of_two
    for nth in swept(range(1, EVERY_REQUEST), sample=2):
        with speaking(before), open_site(a_yaml=A1) as site:
            site.concurrency = 1
            site.emulator.state.add_file(SPACE, "pinned.yaml", content=P1, pinned=True, draft="half: done\n")
            site.files = {"a.yaml": A1, "b.yaml": B1, "pinned.yaml": P2}
            (alternate if turns else become)(site, after, nth)
            ran = site.run()
            check_names(site, ran)
            reached = len(ran.exchanges) >= nth
            site.emulator.faults.clear()
            site.emulator.state.dialect = after
            assert site.run().outcome.result in ("published", "unchanged")
            check_names(site, ran)
            assert site.contents() == {"a.yaml": A1, "b.yaml": B1, "pinned.yaml": P2}
            assert site.emulator.state.find_file(SPACE, "pinned.yaml").version_mode == 1
            site.emulator.exchanges.clear()  # to ask in the other's way is against each one's contract
        if not reached:
            break
    else:
        assert not WHOLE, "the run asks more than was tried"


def test_two_dialects_are_named_where_the_run_has_seen_both() -> None:
    with speaking(Dialect.C), open_site(a_yaml=A1) as site:
        site.run()
        site.next_build(a_yaml=A2)
        site.rival(
            lambda state: setattr(state, "dialect", Dialect.A), before=Match("POST", "/versions$"), after=True
        )
        ran = site.run()
        assert ran.outcome.result == "published"
        assert "answers now like v1.31.0-alpha.126 or newer, now like v1.30.0 to" in ran.log


def test_they_are_named_once_however_often_the_run_plans() -> None:
    def publish(state: State) -> None:
        state.add_version(SPACE, "a.yaml", version="hotfix", content=B1, creator="zhangsan")

    with speaking(Dialect.C), open_site(a_yaml=A1) as site:
        site.run()
        site.next_build(a_yaml=A2)
        alternate(site, Dialect.A, 1)
        site.rival(publish, before=LOOK_BEFORE)
        ran = site.run()
        assert ran.outcome.result == "published"
        assert "a.yaml changed in between" in ran.log
        assert ran.log.count("##[warning]This BCS answers now") == 1
        site.emulator.faults.clear()
        site.emulator.exchanges.clear()  # to ask in the other's way is against each one's contract


def test_a_file_that_does_not_keep_its_name_is_said_with_the_name_it_has() -> None:
    def rename(state: State) -> None:
        (version,) = [v for v in state.find_versions(SPACE) if v.content == A2]
        state.versions.move(version, file=f"{SPACE}/a.yaml")

    with speaking(Dialect.C), open_site(a_yaml=A1) as site:
        site.run()
        site.emulator.state.pin(SPACE, "a.yaml", version="1.0.7-main")
        site.next_build(a_yaml=A2)
        site.rival(rename, before=UPDATE_FILE, after=True, times=9)
        ran = site.run()
        site.emulator.faults.clear()
        assert (ran.code, ran.states()) == (800609, {"a.yaml": "failed"})
        assert f"the file is called {SPACE}/a.yaml now" in ran.log
        assert "Rename it to a.yaml" in ran.log
        assert ran.output()["changed"] == "true"
