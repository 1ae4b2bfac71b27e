from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcs_template_set.bcs.space.provenance import (
    NOBODY,
    Provenance,
    content_digest,
    is_earlier_name,
    published_as_it_is,
    read_provenance,
)

OURS = Provenance(
    pipeline="p-1", build=12, branch="feature/login", commit="abc", started_by="wangwu", acting_as="lisi"
)


def test_the_line_is_that_of_the_contract() -> None:
    assert OURS.line("x") == (
        "bk-ci pipeline=p-1 build=12 branch=feature/login commit=abc started-by=wangwu acting-as=lisi "
        "sha256=2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    )


@given(st.text(max_size=40), st.text(max_size=40), st.integers(min_value=0, max_value=10**9))
def test_what_is_written_is_read_back_whatever_the_names(branch: str, user: str, build: int) -> None:
    branch, user = (text.encode("utf-8", "ignore").decode() for text in (branch, user))
    origin = replace(OURS, branch=branch, started_by=user, build=build)
    line = origin.line("content")
    assert "\n" not in line
    assert "<" not in line, "BCS filters HTML out of descriptions"
    assert read_provenance(line) == replace(origin, sha256=content_digest("content"))
    assert published_as_it_is(line, "content") == read_provenance(line)
    assert (published_as_it_is(line, "edited"), published_as_it_is("by hand", "content")) == (None, None)


def test_a_description_by_a_person_has_no_provenance() -> None:
    for text in ("", "fix the login page", "bk-cis pipeline=p"):
        assert read_provenance(text) is None


def test_what_a_description_does_not_say_is_empty_and_what_it_says_besides_is_passed_over() -> None:
    assert read_provenance("bk-ci") == NOBODY == Provenance("", 0, "", "", "", "")
    found = read_provenance("bk-ci by hand pipeline=p-1 link=a=b")
    assert found == replace(NOBODY, pipeline="p-1", link="a=b")


def test_blanks_of_any_alphabet_are_encoded_and_what_is_no_text_is_cut_all_the_same() -> None:
    assert " branch=a%E3%80%80b " in replace(OURS, branch="a\u3000b").line("x")
    odd = [replace(OURS, branch="x" * 120 + end).line("x") for end in ("\ud800", "\ud801")]
    assert len({line.split()[3] for line in odd}) == 2


def test_a_garbled_build_number_is_nobodys() -> None:
    origin = read_provenance("bk-ci pipeline=p-1 build=12x branch=main")
    assert origin is not None
    assert origin.build == 0


def test_a_description_that_names_other_content_is_not_of_the_build_that_it_names() -> None:
    line = replace(OURS, sha256="").line("x")
    digest = read_provenance(line)
    assert digest is not None
    assert published_as_it_is(line, "x") == digest
    assert published_as_it_is(line, "y") is None
    assert published_as_it_is("a person's", "x") is None
    older = "bk-ci pipeline=p-1 build=12"
    assert published_as_it_is(older, "x") == read_provenance(older), "older steps wrote no digest"


def test_order_is_by_build_number_within_a_pipeline_and_branch_only() -> None:
    assert replace(OURS, build=13).is_newer_than(OURS)
    assert not replace(OURS, build=11).is_newer_than(OURS)
    assert not OURS.is_newer_than(OURS)
    assert OURS.is_same_build_as(replace(OURS, commit="other"))
    assert not OURS.is_same_build_as(replace(OURS, pipeline="p-2"))
    for other in (replace(OURS, build=13, branch="main"), replace(OURS, build=13, pipeline="p-2")):
        assert not other.is_newer_than(OURS)
    nowhere = replace(OURS, pipeline="")
    assert not replace(nowhere, build=13).is_newer_than(nowhere), "outside BK-CI nothing is known of order"


@pytest.mark.parametrize(
    ("name", "is_earlier"),
    [("1.0.11-main", True), ("1.0.12-main", False), ("1.0.13-main", False), ("1.0.11", False)],
)
def test_a_name_is_an_earlier_builds_by_its_number_alone(name: str, *, is_earlier: bool) -> None:
    assert is_earlier_name(name, version="1.0.12-main", build=12) is is_earlier


def test_a_newer_build_is_so_much_ahead_at_most_and_more_as_time_goes_by() -> None:
    began = replace(OURS, began_at=1_000_000.0)
    assert began.furthest(999_000.0) == began.furthest(1_000_000.0) == 112
    assert began.furthest(1_000_000.0 + 3600) == 172
    assert OURS.furthest(0) == 12 + 100 + 90 * 24 * 60, "of a retried build nobody tells when it began"
    assert "began" not in began.line("x")


def test_link_and_bases_come_behind_the_words_of_the_contract() -> None:
    linked = replace(OURS, link="https://devops.example.com/p-1?build=12")
    line = linked.line("x", bases=("a", "b"))
    assert line.startswith(OURS.line("x"))
    assert line.endswith(" link=https://devops.example.com/p-1?build%3D12 base=a,b")
    origin = read_provenance(line)
    assert origin is not None
    assert (origin.link, origin.bases) == (linked.link, ("a", "b"))


def test_a_link_that_is_too_long_is_left_out_whole() -> None:
    for length, is_told in ((1, True), (500, True), (501, False)):
        assert (f" link={'x' * length}" in replace(OURS, link="x" * length).line("x")) is is_told
    bases = tuple(f"{number:024x}" for number in range(9))
    assert OURS.line("x", bases=bases).endswith(f" base={','.join(bases)}")
    assert (OURS.sha256, OURS.link, "link=" in OURS.line("x")) == ("", "", False)


def test_builds_of_a_branch_with_a_very_long_name_are_still_compared() -> None:
    long = replace(OURS, branch="feature/" + "x" * 300)
    older = read_provenance(replace(long, build=11).line("x"))
    assert older is not None
    assert long.is_newer_than(older)
    assert not replace(long, branch=long.branch + "y").is_newer_than(older)
    assert replace(older, branch="x" * 120).line("x").split()[3] == f"branch={'x' * 120}"
    assert re.fullmatch(r"branch=x{109}-[0-9a-f]{10}", replace(older, branch="x" * 121).line("x").split()[3])


def test_of_ever_so_many_bases_a_few_are_read() -> None:
    """Each of them may cost a request, and anybody may write a description."""
    description = "bk-ci base=" + ",".join(f"v{n}" for n in range(10_000))
    found = read_provenance(description)
    assert found is not None
    assert found.bases == tuple(f"v{n}" for n in range(64))
