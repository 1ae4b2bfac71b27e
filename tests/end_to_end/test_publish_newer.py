"""Newer builds, other branches, and version names that are taken: nothing is overwritten unasked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.emulator.state import State
from tests.support.publishing import LOOK_BEFORE, SPACE, USER, Site, config, site_after

A1, A2, A3, A4 = (config("a", value) for value in "1234")


@pytest.fixture
def site() -> Iterator[Site]:
    """Yield a space with one file, published by build 7 of main."""
    with site_after(Site.run, a_yaml=A1) as made:
        yield made


def run_build(site: Site, build: int, text: str, *, branch: str = "main", **inputs: str) -> str:
    """Run one build some minutes after the last one; return its result."""
    site.clock.time += 600
    site.build, site.branch, site.files = build, branch, {"a.yaml": text}
    return site.run(**inputs).outcome.result


def test_an_older_build_that_comes_late_fails_naming_the_newer_one(site: Site) -> None:
    assert run_build(site, 9, A2) == "published"
    site.build, site.files = 8, {"a.yaml": A3}
    ran = site.run()
    assert (ran.code, ran.writes) == (800402, [])
    for word in ("1.0.9-main", "Build 9", "wangwu", "2026-01-01"):
        assert word in ran.log
    assert site.contents() == {"a.yaml": A2}


FORGED = "bk-ci pipeline=p-1 build={build} branch=main commit=x started-by=boss acting-as=boss sha256=0"


def forge(site: Site, build: int, text: str) -> None:
    """Write a version by hand whose description names a build of our pipeline."""
    version = site.emulator.state.add_version(
        SPACE, "a.yaml", version=f"by-hand-{build}", content=text, creator="mallory"
    )
    version.description = FORGED.format(build=build)


@pytest.mark.parametrize("build", [999_999_999_999, 8 + 100 + 60])
def test_a_build_number_that_can_not_be_yet_stops_nobody_and_its_writer_is_named(
    site: Site, build: int
) -> None:
    site.clock.time += 600
    forge(site, build, A2)
    site.build, site.files = 8, {"a.yaml": A3}
    ran = site.run()
    assert (ran.code, ran.outcome.result) == (0, "published"), ran.log
    assert "mallory" in ran.log
    assert f"build {build}" in ran.log


def test_a_build_number_that_can_be_is_believed_and_its_writer_is_named(site: Site) -> None:
    site.clock.time += 600
    forge(site, 108, A2)
    site.build, site.files = 8, {"a.yaml": A3}
    ran = site.run()
    assert ran.code == 800402
    assert "written by mallory" in ran.log


def test_a_build_that_is_retried_much_later_does_not_write_over_what_was_built_since(site: Site) -> None:
    site.clock.time += 600 * 500
    site.build, site.files = 507, {"a.yaml": A2}
    site.run()
    site.build, site.files = 8, {"a.yaml": A3}
    now = str(int(site.clock.time * 1000))
    ran = site.run(BK_CI_RETRY_COUNT="1", BK_CI_BUILD_START_TIME=now)
    assert ran.code == 800402, ran.log


@pytest.mark.parametrize(
    ("policy", "result", "content"), [("skip", "skipped", A2), ("replace", "published", A3)]
)
def test_the_author_may_have_it_skip_or_replace(site: Site, policy: str, result: str, content: str) -> None:
    run_build(site, 9, A2)
    assert run_build(site, 8, A3, on_newer_build=policy) == result
    assert site.contents() == {"a.yaml": content}


def test_a_skipped_run_writes_nothing_and_says_so(site: Site) -> None:
    run_build(site, 9, A2)
    site.build, site.files = 8, {"a.yaml": A3, "new.yaml": config("new", "1")}
    ran = site.run(on_newer_build="skip", template_set="web", version="1.0.8")
    assert (ran.outcome.result, ran.code, ran.writes) == ("skipped", 0, [])
    assert ran.output()["changed"] == "false"
    assert "1.0.9-main" in ran.log


@pytest.mark.parametrize("policy", ["fail", "skip"])
def test_a_newer_build_is_seen_below_the_version_of_another_branch(site: Site, policy: str) -> None:
    run_build(site, 9, A2)
    run_build(site, 3, A4, branch="dev")
    assert run_build(site, 8, A3, on_newer_build=policy) == {"fail": "failed", "skip": "skipped"}[policy]
    assert site.contents() == {"a.yaml": A4}


def test_builds_of_another_branch_are_not_newer(site: Site) -> None:
    run_build(site, 99, A2, branch="dev")
    assert run_build(site, 8, A3) == "published"


def test_a_plan_fails_as_the_publish_would(site: Site) -> None:
    run_build(site, 9, A2)
    assert run_build(site, 8, A3, action="plan") == "failed"


def test_a_newer_build_that_publishes_while_this_one_writes_is_not_overwritten(site: Site) -> None:
    line = site.history("a.yaml")[0].description.replace("build=7", "build=9")

    def newer(state: State) -> None:
        version = "1.0.9-main"
        state.add_version(SPACE, "a.yaml", version=version, content=A2, creator=USER, description=line)

    site.next_build(a_yaml=A3)
    site.rival(newer, before=LOOK_BEFORE)
    ran = site.run()
    assert (ran.code, ran.writes) == (800402, [])
    assert site.contents() == {"a.yaml": A2}


# --- version names --------------------------------------------------------------------------------------


@pytest.mark.parametrize("current", [True, False])
@pytest.mark.parametrize("is_young", [True, False])
def test_a_version_of_that_name_with_other_content_is_a_conflict(
    site: Site, *, current: bool, is_young: bool
) -> None:
    """One that is not current, and older than this build, BCS refuses: then the plan is made again."""
    state = site.emulator.state
    site.clock.time += 900 if is_young else 60
    state.add_version(SPACE, "a.yaml", version="1.0.8-main", content=A4, creator="zhangsan")
    if not current:
        state.add_version(SPACE, "a.yaml", version="hotfix", content=A3)
    assert run_build(site, 8, A2) == "failed"
    ran = site.run()
    assert (ran.code, bool(ran.writes)) == (800401, not current and not is_young)
    assert len(site.history("a.yaml")) == (2 if current else 3)
    for word in ("1.0.8-main", "zhangsan", "2026-01-01"):
        assert word in ran.log


def test_overwriting_a_version_has_to_be_asked_for_and_then_happens(site: Site) -> None:
    state = site.emulator.state
    state.add_version(SPACE, "a.yaml", version="1.0.8-main", content=A4, creator="zhangsan")
    assert run_build(site, 8, A2, overwrite_version="true") == "published"
    assert site.contents() == {"a.yaml": A2}
    assert site.version_names("a.yaml") == ["1.0.7-main", "1.0.8-main"]
    assert site.history("a.yaml")[1].creator == USER
    assert site.run(overwrite_version="true").outcome.result == "unchanged"


def test_overwriting_a_version_that_is_not_current_says_that_it_is_not(site: Site) -> None:
    state = site.emulator.state
    state.add_version(SPACE, "a.yaml", version="1.0.8-main", content=A4)
    state.add_version(SPACE, "a.yaml", version="hotfix", content=A3)
    site.build, site.files = 8, {"a.yaml": A2}
    ran = site.run(overwrite_version="true")
    assert ran.outcome.result == "published"
    assert site.contents() == {"a.yaml": A3}
    assert "the file's current version is hotfix" in ran.log
    assert "planning again" not in ran.log, "nobody came in between: it was so before"


def test_overwriting_a_version_of_a_pinned_file_pins_it_there(site: Site) -> None:
    state = site.emulator.state
    state.add_version(SPACE, "a.yaml", version="1.0.8-main", content=A4)
    state.pin(SPACE, "a.yaml", version="1.0.7-main")
    assert run_build(site, 8, A2, overwrite_version="true") == "published"
    assert site.contents() == {"a.yaml": A2}


def test_one_conflict_stops_the_whole_run_before_it_writes(site: Site) -> None:
    site.emulator.state.add_version(SPACE, "a.yaml", version="1.0.8-main", content=A4)
    site.build, site.files = 8, {"a.yaml": A2, "b.yaml": config("b", "1")}
    ran = site.run()
    assert (ran.code, ran.writes) == (800401, [])
    assert ran.states() == {"a.yaml": "not-attempted", "b.yaml": "not-attempted"}


def test_a_version_name_may_be_used_by_several_branches_only_with_the_same_content(site: Site) -> None:
    assert run_build(site, 1, A1, branch="dev", version="1.0.7-main") == "unchanged"
    assert run_build(site, 1, A2, branch="dev", version="1.0.7-main") == "failed"
