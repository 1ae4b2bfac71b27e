"""Whatever branches are called and whatever stands in the space: nobody loses a path, `plan` only reads."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import translate
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from bcs_template_set.manifests.branch_paths import claims_of
from bcs_template_set.manifests.naming import is_semver, slug_of, successor_of
from bcs_template_set.manifests.parse import parse_foreign
from bcs_template_set.manifests.templating.workspace_files import pattern_regex
from tests.fuzz.bounded import within
from tests.fuzz.living import SPACE, Lived, MemorySite
from tests.fuzz.mutations import PIECES, mutated_text, seeded
from tests.fuzz.profile import fuzzed
from tests.fuzz.seeds import DESCRIPTIONS, ROUTES, SMALL
from tests.support.deploying import CLUSTER, NAMESPACE

SECONDS = 30.0
FILE = "news.example.com.routes.yaml"
WEB = {"values": json.dumps(SMALL)}
NAMES = st.one_of(
    st.sampled_from(
        ["main", "feature/x", "dev", "DEV", "refs/tags/1", "主干", "-", "a" * 300, "0123", "}}", "{{ x }}"]
    ),
    st.lists(st.sampled_from([*PIECES, "a", "B", "/", "-"]), min_size=1, max_size=4).map("".join),
    st.text(max_size=20),
).map(lambda name: name.encode("utf-8", "ignore").decode())


@contextmanager
def site() -> Iterator[MemorySite]:
    """Yield a site to which branch `other` has published."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name, within(SECONDS):
        started = MemorySite(Path(name), branch="other")
        assert started.run(WEB).code == 0
        started.build = 8
        yield started


def holders(started: MemorySite) -> set[str]:
    """Return the branches that have a path in the space."""
    content = started.emulator.state.current_content(SPACE, FILE)
    return {claim.branch for _, claim in claims_of(parse_foreign(content) or ())}


def run_as(started: MemorySite, branch: str, **inputs: str) -> Lived:
    started.branch = branch
    return started.run({**WEB, **inputs})


@given(NAMES, st.sampled_from(["plan", "publish"]))
@example("other", "publish")
@fuzzed(40)
def test_a_branch_of_any_name_gets_its_path_and_takes_nobodys(branch: str, action: str) -> None:
    with site() as started:
        lived = run_as(started, branch, action=action)
        assert "other" in holders(started)
        own = f"refs/heads/{branch}".strip().removeprefix("refs/heads/")
        if action == "publish" and lived.code == 0 and own.strip():
            assert holders(started) == {"other", own}
            assert run_as(started, branch, action="publish").writes == 0, "what was published is there"


@given(names=st.lists(NAMES, max_size=4), with_other=st.booleans())
@fuzzed(30)
def test_branches_of_any_names_are_taken_out_and_no_others(names: list[str], *, with_other: bool) -> None:
    asked = [*names, "other"] if with_other else names
    with site() as started:
        lived = run_as(started, "dev", remove_branches="\n".join(asked))
        if lived.code == 0:
            assert ("other" in holders(started)) != (with_other or "other" in asked), lived.log


@given(name=NAMES, action=st.sampled_from(["plan", "publish"]), is_set=st.booleans())
@fuzzed(30)
def test_a_version_of_any_name_is_written_or_refused(name: str, action: str, *, is_set: bool) -> None:
    with site() as started:
        more = {"template_set": "web"} if is_set else {}
        run_as(started, "dev", action=action, version=name, **more)


@given(seed=st.integers(0, 2**32), action=st.sampled_from(["plan", "publish"]), ours=st.booleans())
@fuzzed(60)
def test_whatever_stands_in_the_space_already_plan_writes_nothing(
    seed: int, action: str, *, ours: bool
) -> None:
    rng = seeded(seed)
    with site() as started:
        for version in started.emulator.state.find_versions(SPACE, FILE):
            version.content = (
                mutated_text(version.content if ours else ROUTES, rng).encode("utf-8", "ignore").decode()
            )
            told = mutated_text(rng.choice(DESCRIPTIONS), rng)
            version.description = told.encode("utf-8", "ignore").decode()
        run_as(started, "dev", action=action, cluster_id=CLUSTER, namespace=NAMESPACE)


# --- names ----------------------------------------------------------------------------------------------


@given(st.lists(st.text(max_size=60), min_size=2, max_size=8, unique=True))
@fuzzed(150)
def test_no_two_branches_share_a_slug(names: list[str]) -> None:
    slugs = [slug_of(name) for name in names]
    assert len(set(slugs)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", slug) for slug in slugs)
    assert all(is_semver(f"1.0.7-{slug}") for slug in slugs)


@given(
    st.from_regex(r"[0-9]{1,3}\.[0-9]\.[0-9](-[a-z0-9.-]{1,60})?|.{1,64}", fullmatch=True),
    st.integers(2, 999),
)
@fuzzed(150)
def test_a_successor_is_a_name_of_its_own_and_semver_where_its_version_is(version: str, number: int) -> None:
    name = successor_of(version, number)
    assert len(name) <= 64
    assert name not in (version, successor_of(version, number + 1))
    assert is_semver(name) or not is_semver(version)


@given(st.text("ab*?.", min_size=1, max_size=12), st.text("ab.", min_size=1, max_size=12))
@example("*a" * 20 + "b", "a" * 200)
@example("[+--]", "-")
@fuzzed(200)
def test_a_glob_takes_the_names_that_pythons_own_takes_and_as_little_time(pattern: str, name: str) -> None:
    with within(5):
        ours = pattern_regex(pattern).fullmatch(name) is not None
    if pattern != "**":
        assert ours == (re.fullmatch(translate(pattern), name) is not None)


@given(st.lists(st.sampled_from(["**", "a", "*", "b*"]), min_size=1, max_size=6))
@example(["**", "a"] * 20)
@fuzzed(60)
def test_a_glob_of_many_directories_takes_little_time(parts: list[str]) -> None:
    with within(5):
        pattern_regex("/".join(parts)).fullmatch("a/" * 300 + "c")
