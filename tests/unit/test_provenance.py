from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bcs_template_set.provenance import Provenance, content_digest, read_provenance

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


def test_a_description_by_a_person_has_no_provenance() -> None:
    for text in ("", "fix the login page", "bk-cis pipeline=p"):
        assert read_provenance(text) is None


def test_a_garbled_build_number_is_nobodys() -> None:
    origin = read_provenance("bk-ci pipeline=p-1 build=12x branch=main")
    assert origin is not None
    assert origin.build == 0


def test_order_is_by_build_number_within_a_pipeline_and_branch_only() -> None:
    assert replace(OURS, build=13).is_newer_than(OURS)
    assert not replace(OURS, build=11).is_newer_than(OURS)
    assert not OURS.is_newer_than(OURS)
    assert OURS.is_same_build_as(replace(OURS, commit="other"))
    for other in (replace(OURS, build=13, branch="main"), replace(OURS, build=13, pipeline="p-2")):
        assert not other.is_newer_than(OURS)
    nowhere = replace(OURS, pipeline="")
    assert not replace(nowhere, build=13).is_newer_than(nowhere), "outside BK-CI nothing is known of order"
