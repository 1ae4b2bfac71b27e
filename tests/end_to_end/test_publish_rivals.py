"""Others who write at the same time: noticed, said, and not overwritten where it can be helped."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from tests.emulator.faults import Fault, Match
from tests.emulator.state import State
from tests.support.publishing import (
    CREATE_FILE,
    CREATE_SPACE,
    CREATE_VERSION,
    GET_VERSION,
    LIST_FILES,
    LOOK_AFTER,
    LOOK_BEFORE,
    SPACE,
    Ran,
    Site,
    config,
    open_site,
    routes,
    site_after,
)

A1, A2, B1, B2, THEIRS = (config(name, value) for name, value in ("a1", "a2", "b1", "b2", "t1"))


@pytest.fixture
def site() -> Iterator[Site]:
    """Yield a space that build 7 has published, and build 8, which changes both of its files."""
    with site_after(Site.run, a_yaml=A1, b_yaml=B1) as made:
        made.next_build(a_yaml=A2, b_yaml=B2)
        yield made


def hotfix(state: State, *, text: str = THEIRS) -> None:
    number = len(state.find_versions(SPACE, "a.yaml"))
    state.add_version(SPACE, "a.yaml", version=f"hotfix-{number}", content=text, creator="zhangsan")


# --- between plan and write -----------------------------------------------------------------------------


def test_a_file_that_changed_since_the_plan_is_planned_again_and_written_on_top(site: Site) -> None:
    site.files = {"a.yaml": A2}
    site.rival(hotfix, before=LOOK_BEFORE)
    ran = site.run()
    assert ran.outcome.result == "published"
    assert site.version_names("a.yaml") == ["1.0.7-main", "hotfix-1", "1.0.8-main"]
    assert site.contents()["a.yaml"] == A2
    assert "a.yaml changed in between" in ran.log
    assert ran.versions()["a.yaml"]["previous_version"] == "hotfix-1"


def test_the_others_are_written_once(site: Site) -> None:
    site.concurrency = 1
    site.rival(hotfix, before=LOOK_BEFORE)
    ran = site.run()
    assert ran.outcome.result == "published"
    assert ran.states() == {"a.yaml": "applied", "b.yaml": "applied"}
    assert ran.written == ["POST template/*/versions"] * 2
    assert ran.versions()["b.yaml"]["previous_version"] == "1.0.7-main"


def test_routes_are_checked_again_when_it_is_planned_again() -> None:
    with open_site(a_yaml=routes("a.example.com", "/")) as site:
        site.run()
        site.next_build(a_yaml=routes("a.example.com", "/", "/new"))
        served = routes("a.example.com", "/", "/theirs")
        site.rival(lambda state: hotfix(state, text=served), before=LOOK_BEFORE)
        ran = site.run()
        assert (ran.code, ran.writes) == (800404, [])
        assert "a.example.com/theirs" in ran.log
        assert site.contents()["a.yaml"] == served


def test_a_rival_who_published_the_same_leaves_nothing_to_do(site: Site) -> None:
    site.files = {"a.yaml": A2}
    site.rival(lambda state: hotfix(state, text=A2), before=LOOK_BEFORE)
    ran = site.run()
    assert (ran.outcome.result, ran.writes) == ("unchanged", [])


def test_when_its_time_is_over_it_gives_up_saying_who_keeps_publishing(site: Site) -> None:
    site.files = {"a.yaml": A2}
    site.rival(hotfix, before=LIST_FILES, times=999)
    ran = site.run()
    site.emulator.faults.clear()
    assert (ran.code, ran.writes) == (800405, [])
    assert "zhangsan" in ran.log
    assert len(site.history("a.yaml")) > 9


def test_a_rival_version_of_our_name_is_a_conflict(site: Site) -> None:
    def take_the_name(state: State) -> None:
        state.add_version(SPACE, "a.yaml", version="1.0.8-main", content=THEIRS, creator="zhangsan")

    site.files = {"a.yaml": A2}
    site.rival(take_the_name, before=CREATE_VERSION)
    ran = site.run()
    assert (ran.code, ran.outcome.result) == (800401, "failed")
    assert "zhangsan has written version 1.0.8-main with other content" in ran.log
    assert site.contents()["a.yaml"] == THEIRS


def test_a_rival_version_of_our_name_with_our_content_is_ours(site: Site) -> None:
    def take_the_name(state: State) -> None:
        state.add_version(SPACE, "a.yaml", version="1.0.8-main", content=A2, creator="zhangsan")

    site.files = {"a.yaml": A2}
    site.rival(take_the_name, before=CREATE_VERSION)
    ran = site.run()
    assert ran.outcome.result == "published"
    assert len(site.history("a.yaml")) == 2
    assert "BCS recorded zhangsan as the creator" in ran.log


def test_a_file_that_a_rival_created_since_the_plan_is_planned_again() -> None:
    def create(state: State) -> None:
        state.add_file(SPACE, "a.yaml", content=THEIRS, version="0.1.0", creator="zhangsan")

    with open_site(a_yaml=A1) as site:
        site.rival(create, before=CREATE_FILE)
        ran = site.run()
        assert ran.outcome.result == "published"
        assert site.version_names("a.yaml") == ["0.1.0", "1.0.7-main"]
        assert len(site.emulator.state.find_files(SPACE)) == 1
        assert ran.versions()["a.yaml"]["previous_version"] == "0.1.0"


def test_a_space_that_a_rival_created_since_the_plan_is_used() -> None:
    with open_site(a_yaml=A1) as site:
        site.rival(lambda state: [state.add_space(SPACE)].clear(), before=CREATE_SPACE)
        assert site.run().outcome.result == "published"
        assert len(site.emulator.state.spaces) == 1


def test_a_space_that_a_rival_created_is_not_our_change() -> None:
    with open_site(a_yaml=A1) as site:
        site.rival(lambda state: [state.add_space(SPACE)].clear(), before=CREATE_SPACE)
        body = '{"code": 1, "message": "mongo is away", "data": null}'
        site.emulator.faults.add(Fault("answer", CREATE_FILE, status=200, body=body))
        ran = site.run()
        assert (ran.code, ran.output()["changed"]) == (800608, "false")


def test_a_space_that_was_made_for_files_that_failed_is_a_change() -> None:
    with open_site(a_yaml=A1) as site:
        body = '{"code": 1, "message": "mongo is away", "data": null}'
        site.emulator.faults.add(Fault("answer", CREATE_FILE, status=200, body=body))
        ran = site.run()
        assert (ran.code, ran.output()["changed"]) == (800608, "true")
        assert site.run().outcome.result == "published"


def test_a_file_that_was_deleted_since_the_plan_fails_and_a_retry_creates_it(site: Site) -> None:
    site.rival(lambda state: state.delete_file(SPACE, "a.yaml"), before=LOOK_BEFORE)
    site.concurrency = 1
    assert site.run().code == 800608
    assert site.run().outcome.result == "published"
    assert site.contents() == {"a.yaml": A2, "b.yaml": B2}


# --- between check and write ----------------------------------------------------------------------------


@pytest.mark.parametrize("is_lost", [True, False])
def test_of_a_plain_file_a_rival_between_look_and_write_is_noted_only_where_the_answer_was_lost(
    site: Site, *, is_lost: bool
) -> None:
    site.files = {"a.yaml": A2}
    site.rival(hotfix, before=CREATE_VERSION)
    if is_lost:
        site.emulator.faults.add(Fault("handle-then-drop", CREATE_VERSION))
    ran = site.run()
    assert (ran.outcome.result, ran.file("a.yaml").state) == ("published", "applied")
    assert ("others wrote hotfix-1" in ran.log) == is_lost
    assert site.contents()["a.yaml"] == A2


def test_a_rival_right_after_the_write_is_noted(site: Site) -> None:
    site.files = {"a.yaml": A2}
    site.rival(hotfix, before=CREATE_VERSION, after=True)
    ran = site.run()
    assert ran.outcome.result == "published"
    assert "hotfix-2 was made current right after" in ran.log


def test_a_file_deleted_right_after_the_write_is_noted(site: Site) -> None:
    site.files = {"a.yaml": A2}
    site.rival(
        lambda state: state.delete_file(SPACE, "a.yaml"),
        before=LOOK_AFTER,
    )
    ran = site.run()
    assert "a.yaml was deleted right after it was published" in ran.log


def test_a_version_that_is_rewritten_before_it_is_read_back_is_a_failure_that_says_so(site: Site) -> None:
    def rewrite(state: State) -> None:
        state.find_versions(SPACE, "a.yaml")[-1].content = THEIRS

    site.files = {"a.yaml": A2}
    site.rival(rewrite, before=Match(GET_VERSION.method, GET_VERSION.path, nth=3))
    ran = site.run()
    assert (ran.outcome.result, ran.code) == ("failed", 800609)
    assert ran.output()["changed"] == "true"
    assert "BCS holds other content than was sent" in ran.log


# --- at once --------------------------------------------------------------------------------------------


def at_once(site: Site, rival: Site) -> tuple[Ran, Ran]:
    with ThreadPoolExecutor(2) as pool:
        ours, theirs = pool.submit(site.run), pool.submit(rival.run)
        return ours.result(), theirs.result()


def another(site: Site, *, branch: str, **files: str) -> Site:
    root = site.root / branch
    root.mkdir()
    texts = {name.replace("_", "."): text for name, text in files.items()}
    return replace(site, root=root, branch=branch, files=texts)


def test_two_builds_that_create_a_space_at_once_end_up_in_one() -> None:
    with open_site(a_yaml=A1) as site:
        site.emulator.state.cross_creates(2, kind="space")
        for ran in at_once(site, another(site, branch="dev", b_yaml=B1)):
            assert ran.outcome.result == "published"
        assert len(site.emulator.state.spaces) == 2
        assert site.contents() == {"a.yaml": A1, "b.yaml": B1}
        site.emulator.state.between_check_and_insert = lambda _: None
        assert site.run().outcome.result == "unchanged"


def test_two_builds_that_create_a_file_at_once_both_say_so_and_the_next_takes_the_oldest() -> None:
    with open_site(a_yaml=A1) as site:
        site.emulator.state.add_space(SPACE)
        site.emulator.state.cross_creates(2, kind="file")
        rans = at_once(site, another(site, branch="dev", a_yaml=A2))
        assert [ran.outcome.result for ran in rans] == ["published", "published"]
        assert any("a.yaml exists twice in this folder" in ran.log for ran in rans)
        oldest = min(file.id for file in site.emulator.state.find_files(SPACE))
        site.next_build(a_yaml=THEIRS)
        ran = site.run()
        assert ran.outcome.result == "published"
        assert [exchange.path.split("/")[-2] for exchange in ran.writes] == [oldest]
        assert site.run().writes == []


def test_two_builds_that_create_a_version_name_at_once_are_told(site: Site) -> None:
    site.files = {"a.yaml": A2}
    rival = another(site, branch="main", a_yaml=THEIRS)
    site.emulator.state.cross_creates(2, kind="version")
    both = threading.Barrier(2)  # who looks back before the other has written sees nothing of it
    looks_after = Match("GET", LIST_FILES.path, nth=5)
    site.rival(lambda _: [both.wait(5)].clear(), before=looks_after, times=2)
    rans = at_once(site, rival)
    assert len(site.history("a.yaml")) == 3
    assert any("version 1.0.8-main exists twice" in ran.log for ran in rans)
