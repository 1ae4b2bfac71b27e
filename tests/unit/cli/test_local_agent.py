"""A desk's settings file in the place of BK-CI's agent."""

from __future__ import annotations

import pytest

from bcs_template_set.agent.build_info import TaskInfo
from bcs_template_set.cli.verb_plan import LocalAgent
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.messages.errors import InputUnreadable


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        (None, ""),
        (7, "7"),
        ({"a": [1]}, '{"a": [1]}'),
        (["中"], '["中"]'),
        ("x", "x"),
    ],
)
def test_whatever_yaml_makes_of_an_input_is_handed_over_as_text(value: YamlValue, text: str) -> None:
    assert LocalAgent({"inputs": {"redeploy": value}}).inputs()["redeploy"] == text


def test_a_desk_has_no_worker_and_no_pipeline() -> None:
    agent = LocalAgent({})
    assert agent.task() == TaskInfo()
    assert agent.names_of_pipeline() == frozenset()


def test_the_user_of_a_desk_is_everybody_and_nobody_else_says_so() -> None:
    agent = LocalAgent({"user": "lisi", "build": {"branch.name": "refs/heads/x", "build.number": 8}})
    build = agent.build(recorded=True)
    assert build == agent.build(recorded=False)
    assert {build.starter, build.modifier, build.authorizer, agent.build_row(build).started_by} == {"lisi"}
    assert agent.build_row(build).modifier == "lisi"
    assert (build.source, build.branch, build.build_number) == ("file", "x", 8)


def test_a_build_number_that_is_none_is_said() -> None:
    with pytest.raises(InputUnreadable, match=r"build\.number"):
        LocalAgent({"build": {"build.number": "x"}}).build(recorded=True)


def test_what_the_build_says_of_its_target_goes_over_the_inputs() -> None:
    settings: dict[str, YamlValue] = {"inputs": {"region": "gz"}, "build": {"project": "p", "region": "sz"}}
    inputs = LocalAgent(settings).inputs()
    assert (inputs["project_code"], inputs["region"]) == ("p", "sz")
