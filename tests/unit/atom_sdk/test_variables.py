"""Which variable holds which fact: new names first, then the old ones."""

from __future__ import annotations

import pytest

from bcs_template_set.atom_sdk import variables
from bcs_template_set.atom_sdk.variables import VARIABLES, Concept
from bcs_template_set.errors import InputUnreadable


@pytest.mark.parametrize("concept", VARIABLES)
def test_each_name_of_a_fact_is_read_and_the_earlier_ones_come_first(concept: Concept) -> None:
    names = VARIABLES[concept]
    inputs = {name: f"from {name}" for name in names}
    for name in names:
        assert variables.look_up(inputs, concept) == f"from {name}"
        inputs[name] = ""
    assert variables.look_up(inputs, concept) == ""


def test_no_variable_stands_for_two_facts() -> None:
    every = [name for names in VARIABLES.values() for name in names]
    assert len(every) == len(set(every))


def test_new_names_come_before_old_ones() -> None:
    for names in VARIABLES.values():
        new = [name.startswith("BK_CI_") for name in names]
        assert new == sorted(new, reverse=True)


def test_each_person_is_read_from_a_variable_of_their_own() -> None:
    inputs = {
        "BK_CI_START_USER_NAME": "starter",
        "BK_CI_PIPELINE_UPDATE_USER": "modifier",
        "BK_CI_PIPELINE_CREATE_USER": "creator",
        "BK_CI_AUTHORIZER": "authorizer",
    }
    assert variables.starter(inputs) == "starter"
    assert variables.modifier(inputs) == "modifier"
    assert variables.creator(inputs) == "creator"
    assert variables.authorizer(inputs) == "authorizer"
    assert variables.authorizer({"BK_CI_START_USER_NAME": "starter"}) == ""


def test_the_facts_of_an_old_platform_are_all_found() -> None:
    inputs = {
        "pipeline.start.user.name": "wangwu",
        "project.name": "demo",
        "pipeline.id": "p-1",
        "pipeline.name": "release",
        "pipeline.build.id": "b-1",
        "pipeline.build.num": "42",
        "pipeline.time.start": "1767225600000",
        "bkWorkspace": "/data/ws",
        "hookBranch": "feature/x",
        "hookRevision": "0123abc",
    }
    assert variables.starter(inputs) == "wangwu"
    assert variables.project(inputs) == "demo"
    assert variables.pipeline_id(inputs) == "p-1"
    assert variables.pipeline_name(inputs) == "release"
    assert variables.build_id(inputs) == "b-1"
    assert variables.build_number(inputs) == 42
    assert variables.build_started_at(inputs) == 1767225600000
    assert variables.workspace(inputs) == "/data/ws"
    assert variables.branch_name(inputs) == "feature/x"
    assert variables.commit_sha(inputs) == "0123abc"


def test_facts_with_a_single_name_are_found() -> None:
    inputs = {
        "BK_CI_BUILD_URL": "https://ci.example.com/b",
        "BK_CI_ATOM_CODE": "bcsTemplateSet",
        "BK_CI_LOCALE_LANGUAGE": "en_US",
    }
    assert variables.build_url(inputs) == "https://ci.example.com/b"
    assert variables.atom_code(inputs) == "bcsTemplateSet"
    assert variables.locale(inputs) == "en_US"


@pytest.mark.parametrize(
    ("given", "branch"),
    [
        ("refs/heads/release/1.2", "release/1.2"),
        ("main", "main"),
        ("refs/tags/v1", "refs/tags/v1"),
        ("refs/heads/refs/heads/x", "refs/heads/x"),
        (" main ", "main"),
    ],
)
def test_a_branch_loses_refs_heads_and_a_tag_can_not_pass_for_a_branch(given: str, branch: str) -> None:
    assert variables.branch_name({"BK_CI_GIT_REF": given}) == branch


@pytest.mark.parametrize(("minutes", "seconds"), [("15", 900), ("0", None), ("", None)])
def test_the_timeout_counts_minutes_and_zero_is_none(minutes: str, seconds: int) -> None:
    assert variables.timeout_seconds({"BK_CI_ATOM_TIMEOUT": minutes}) == seconds


def test_numbers_that_are_not_given_are_zero() -> None:
    assert variables.build_number({}) == 0
    assert variables.build_started_at({}) == 0


@pytest.mark.parametrize("garbled", ["x", "-1", "1.5", "²", "٣", "9" * 5000])
def test_a_number_that_is_none_is_an_error_naming_its_variable(garbled: str) -> None:
    with pytest.raises(InputUnreadable) as caught:
        variables.build_number({"BK_CI_BUILD_NUM": garbled})
    assert "BK_CI_BUILD_NUM" in str(caught.value)
