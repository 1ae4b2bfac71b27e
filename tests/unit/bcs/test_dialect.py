from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.emulator import Dialect as Spoken

from bcs_template_set.bcs.answers import TemplateFile
from bcs_template_set.bcs.dialect import (
    BELOW_SPACE,
    EVERY,
    LISTS_VERSIONS,
    OLDEST_RELEASE,
    WITH_SPACE,
    Dialect,
    Possible,
    Site,
    own_name,
    releases,
    said_by_rows,
    space_name_problem,
)

A, B, B2, C = Dialect
SAYS_A_B_OR_B2 = frozenset({A, B, B2})


def row(name: str, *, space: str = "web", real_name: str = "") -> TemplateFile:
    return TemplateFile("1", name, "v", "2", 0, real_name=real_name, template_space=space)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], EVERY),
        ([row("web/a.yaml", real_name="a.yaml")], {C}),
        ([row("web/a.yaml"), row("web/b/c.yaml")], SAYS_A_B_OR_B2),
        ([row("web/a.yaml"), row("b.yaml")], {A}),
        ([row("a.yaml")], {A}),
        ([row("webs/a.yaml")], {A}),
        ([row("a.yaml", space="")], {A}),
    ],
)
def test_a_list_is_judged_as_a_whole(rows: list[TemplateFile], said: Possible) -> None:
    assert said_by_rows(rows) == said
    assert said_by_rows(rows[::-1]) == said


@pytest.mark.parametrize(
    ("found", "possible", "name"),
    [
        (row("web/a.yaml", real_name="a.yaml"), EVERY, "a.yaml"),
        (row("web/a.yaml"), WITH_SPACE, "a.yaml"),
        (row("web/a.yaml"), BELOW_SPACE, "web/a.yaml"),
        (row("web/a.yaml"), SAYS_A_B_OR_B2, "a.yaml"),
        (row("a.yaml"), BELOW_SPACE, "a.yaml"),
        (row("x/a.yaml"), WITH_SPACE, "x/a.yaml"),
    ],
)
def test_a_files_own_name_has_no_space_in_it(found: TemplateFile, possible: Possible, name: str) -> None:
    assert own_name(found, possible) == name


ANSWERS = st.sampled_from([EVERY, BELOW_SPACE, WITH_SPACE, LISTS_VERSIONS, SAYS_A_B_OR_B2, frozenset({C})])


@given(st.lists(ANSWERS, max_size=6))
def test_a_site_is_what_all_its_answers_allow_or_else_the_latest(answers: list[Possible]) -> None:
    site, known, contradicts = Site(), EVERY, False
    for said in answers:
        assert site.learn(said) == site.possible
        contradicts = contradicts or not known & said
        known = known & said or said
        assert site.possible == known
    assert (site.contradiction is not None) is contradicts


def test_the_two_answers_of_a_contradiction_are_kept() -> None:
    site = Site()
    site.learn(frozenset({C}))
    site.learn(BELOW_SPACE)
    assert site.contradiction == (frozenset({C}), BELOW_SPACE)


@pytest.mark.parametrize(
    ("possible", "below", "lists"),
    [
        (EVERY, None, None),
        (BELOW_SPACE, True, False),
        (WITH_SPACE, False, None),
        (frozenset({B}), False, False),
        (LISTS_VERSIONS, False, True),
        (EVERY - LISTS_VERSIONS, None, False),
    ],
)
def test_what_is_not_known_is_not_claimed(possible: Possible, below: object, lists: object) -> None:
    site = Site()
    site.learn(possible)
    assert (site.creates_below_space, site.lists_versions) == (below, lists)


def test_releases_are_named_from_the_first_to_the_last() -> None:
    assert str(releases(BELOW_SPACE)) == "v1.30.0 to v1.31.0-alpha.117"
    assert str(releases(frozenset({B}))) == "v1.31.0-alpha.118 to v1.31.0-alpha.120"
    assert OLDEST_RELEASE == "v1.30.0"
    assert str(releases(frozenset({B2}))) == "v1.31.0-alpha.121 to v1.31.0-alpha.125"
    assert str(releases(LISTS_VERSIONS)) == "v1.31.0-alpha.121 or newer"
    assert str(releases(frozenset({C}))) == "v1.31.0-alpha.126 or newer"


@pytest.mark.parametrize(
    ("name", "refusing"),
    [
        ("front-ends", ""),
        ("前端", "B"),
        ("a b", "B"),
        ("a/b", "B B2 C"),
        ("a:b", "B B2 C"),
        ("web.", "B B2 C"),
        ("web ", "B B2 C"),
        (".", "B B2 C"),
        ("a.b", "B"),
    ],
)
def test_a_space_is_refused_by_name_where_every_possible_bcs_would(name: str, refusing: str) -> None:
    for dialect in Dialect:
        is_refused = dialect.name in refusing.split()
        problem = space_name_problem(name, frozenset({dialect}))
        key = "bcs.space_plain" if dialect is B else "bcs.space_special"
        assert (problem.key if problem is not None else "") == (key if is_refused else "")
    assert space_name_problem(name, EVERY) is None


def test_the_emulator_speaks_every_dialect_and_those_that_have_no_template_files() -> None:
    named = {dialect.name for dialect in Dialect}
    assert {dialect.name for dialect in Spoken} - named == {"NONE", "V1_29", "MULTI_TENANT"}
    assert named <= {dialect.name for dialect in Spoken}
