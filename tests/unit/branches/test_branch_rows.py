"""Which branches have paths, when each was built last, and which may go: rules that need no server."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcs_template_set.bcs.space.provenance import Provenance, read_provenance
from bcs_template_set.branches.branch_rows import (
    BranchRow,
    HeldPath,
    PublishedVersion,
    age_text,
    branch_rows,
    duration_of,
    keep_patterns,
    stale_rows,
)
from bcs_template_set.cli.verb_branches import Answer, document_of, read_request, table_lines
from bcs_template_set.manifests.branch_paths import Claim
from bcs_template_set.messages.errors import InputsInvalid

NOW = 1_000_000_000
DAY = 86_400
HOST = "a.example.com"
ROUTES, DEPLOYMENT = f"{HOST}.routes.yaml", f"{HOST}.deployment.yaml"

Versions = Mapping[str, Optional[Sequence[PublishedVersion]]]


def held(branch: str, path: str = "", *, host: str = HOST, by: str = "wangwu") -> HeldPath:
    claim = Claim(path or f"/{branch}/", branch, "p-1", 3, by)
    return HeldPath(f"{host}.routes.yaml", host, claim)


def version(branch: str, *, age: int, build: int = 7, who: str = "lisi") -> PublishedVersion:
    return PublishedVersion(
        id=f"v{build}", name=f"1.0.{build}", at=NOW - age, branch=branch, build=build, who=who
    )


def row_of(versions: Versions, *paths: HeldPath, keep: Sequence[str] = ()) -> BranchRow:
    (row,) = branch_rows(paths or (held("dev"),), versions, now=NOW, keep=keep)
    return row


# --- the last build -------------------------------------------------------------------------------------


def test_the_newest_version_of_either_file_that_names_the_branch_is_its_last_build() -> None:
    versions = {
        ROUTES: [version("dev", age=9 * DAY, build=3), version("main", age=1, build=9)],
        DEPLOYMENT: [version("dev", age=2 * DAY, build=5), version("dev", age=7 * DAY, build=4)],
    }
    row = row_of(versions)
    assert (row.last_build, row.last_at, row.age_seconds, row.who) == (5, NOW - 2 * DAY, 2 * DAY, "lisi")
    assert (row.added_build, row.file, row.protected) == (3, ROUTES, False)


def test_a_branch_of_which_no_version_tells_has_no_known_age() -> None:
    cases: list[Versions] = [{}, {ROUTES: []}, {ROUTES: [version("main", age=9)]}]
    for versions in cases:
        row = row_of(versions)
        assert (row.last_build, row.last_at, row.age_seconds, row.who) == (0, 0, None, "wangwu")


def test_a_version_without_a_time_tells_no_age() -> None:
    assert row_of({ROUTES: [version("dev", age=NOW)]}).age_seconds is None
    assert row_of({ROUTES: [version("dev", age=NOW - 1)]}).age_seconds == NOW - 1


def test_where_one_of_the_lists_could_not_be_read_the_age_is_not_known() -> None:
    # The list that is missing may hold a newer build.
    versions: Versions = {ROUTES: [version("dev", age=99 * DAY)], DEPLOYMENT: None}
    assert row_of(versions).age_seconds is None


def test_another_domains_files_say_nothing_of_this_one() -> None:
    versions = {"b.example.com.deployment.yaml": [version("dev", age=1)], ROUTES: [version("dev", age=5)]}
    assert row_of(versions).age_seconds == 5


def test_a_clock_that_is_behind_makes_no_negative_age() -> None:
    assert row_of({ROUTES: [version("dev", age=-30)]}).age_seconds == 0


def test_a_branch_whose_name_a_description_cuts_is_found_by_it() -> None:
    long = "feature/" + "x" * 300
    line = Provenance("p-1", 8, long, "", "lisi", "lisi").line("text")
    origin = read_provenance(line)
    assert origin is not None
    told = replace(version(origin.branch, age=3), build=origin.build)
    assert row_of({ROUTES: [told]}, held(long, "/x/")).last_build == 8


def test_rows_come_by_domain_and_path_whatever_the_order_of_what_was_read() -> None:
    paths = [held("b", host="b.example.com"), held("c"), held("main", "/"), held("a", host="b.example.com")]
    for order in (paths, paths[::-1]):
        rows = branch_rows(order, {}, now=NOW)
        assert [(row.domain[0], row.path) for row in rows] == [
            ("a", "/"),
            ("a", "/c/"),
            ("b", "/a/"),
            ("b", "/b/"),
        ]


# --- what may go ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("branch", "path", "keep", "protected"),
    [
        ("main", "/main/", (), True),
        ("master", "/x/", (), True),
        ("release", "/x/", (), True),
        ("dev", "/", (), True),
        ("dev", "/dev/", (), False),
        ("dev", "/dev/", ("de?",), True),
        ("Dev", "/dev/", ("dev",), False),
        ("release/1", "/x/", (), False),
        ("release/1", "/x/", ("release/*",), True),
        ("main", "/x/", ("release/*",), True),
    ],
)
def test_main_branches_the_root_and_patterns_are_protected(
    branch: str, path: str, keep: tuple[str, ...], *, protected: bool
) -> None:
    assert row_of({}, held(branch, path), keep=keep).protected is protected


ROWS = st.builds(
    BranchRow,
    domain=st.just(HOST),
    path=st.just("/x/"),
    branch=st.sampled_from(["main", "dev"]),
    file=st.just(ROUTES),
    added_build=st.just(1),
    last_build=st.just(1),
    last_at=st.just(1),
    age_seconds=st.none() | st.integers(0, 100),
    who=st.just("lisi"),
    protected=st.booleans(),
)


@given(st.lists(ROWS), st.integers(1, 100))
def test_what_goes_is_old_known_and_unprotected_and_all_of_that_goes(
    rows: list[BranchRow], older_than: int
) -> None:
    goes = stale_rows(rows, older_than=older_than)
    for row in rows:
        should = not row.protected and row.age_seconds is not None and row.age_seconds > older_than
        assert (row in goes) is should


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("12h", 12 * 3600),
        ("30d", 30 * DAY),
        (" 8w ", 56 * DAY),
        ("0d", None),
        ("d", None),
        ("30", None),
        ("-1d", None),
        ("1.5d", None),
        ("30D", None),
        ("30d ago", None),
        ("٣d", None),
        ("999999999999d", None),
        ("", None),
    ],
)
def test_a_duration_is_a_whole_number_with_its_unit(text: str, seconds: Optional[int]) -> None:
    assert duration_of(text) == seconds


def test_patterns_come_by_commas_and_by_repeating() -> None:
    assert keep_patterns(["main, release/*", "", ",", "hotfix-?"]) == ("main", "release/*", "hotfix-?")


def test_every_mistake_of_the_arguments_is_told_at_once() -> None:
    with pytest.raises(InputsInvalid) as caught:
        read_request(Namespace(older_than=None, keep=("x",), dry_run=True, json=False))
    assert [str(detail).partition(" ")[0] for detail in caught.value.details] == ["--keep", "--dry-run"]
    with pytest.raises(InputsInvalid):
        read_request(Namespace(older_than="", keep=("x",), dry_run=False, json=False))
    asked = Namespace(older_than="1d", keep=("x",), dry_run=True, json=False)
    assert read_request(asked).older_than == DAY


# --- in words -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "not known"),
        (0, "just now"),
        (59, "just now"),
        (60, "1 minute"),
        (3599, "59 minutes"),
        (3600, "1 hour"),
        (DAY - 1, "23 hours"),
        (DAY, "1 day"),
        (400 * DAY, "400 days"),
    ],
)
def test_an_age_is_told_in_its_largest_unit(seconds: Optional[int], words: str) -> None:
    assert str(age_text(seconds)) == words


def test_hostile_names_stay_in_their_row_of_the_table() -> None:
    rows = branch_rows([held("a\nb\x1b[31m", "/x/"), held("特性/中文", "/y/")], {}, now=NOW)
    lines = table_lines(Answer("s", rows), language="zh_CN")
    assert len(lines) == 3
    assert "\x1b" not in "".join(lines)
    assert lines[0].split() == ["域名", "路径", "分支", "最近构建", "距今", "启动人", "受保护"]


def test_what_is_not_known_is_null_in_json() -> None:
    (row,) = branch_rows([replace(held("dev"), claim=Claim("/dev/", "dev"))], {}, now=NOW)
    document = json.dumps(document_of(Answer("s", (row,)), language="en_US"))
    (told,) = json.loads(document)["branches"]
    assert (told["added_build"], told["last_build"], told["last_at"], told["who"]) == (None,) * 4
