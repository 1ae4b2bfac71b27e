"""A desk's settings file in the place of BK-CI's agent."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path
from typing import Optional

import pytest

from bcs_template_set.agent.build_info import BuildInfo, TaskInfo
from bcs_template_set.cli.verb_plan import LocalAgent, over, read_settings_file
from bcs_template_set.cli.verb_render import context_of
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import InputsInvalid


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
    assert agent.task() == TaskInfo("", "", "", "", "", "", None, 1)
    assert agent.names_of_pipeline() == frozenset()


def test_the_user_of_a_desk_is_everybody_and_nobody_else_says_so() -> None:
    agent = LocalAgent({"user": "lisi", "build": {"branch.name": "refs/heads/x", "build.number": 8}})
    build = agent.build(recorded=True)
    assert build == agent.build(recorded=False)
    assert {build.starter, build.modifier, build.authorizer, agent.build_row(build).started_by} == {"lisi"}
    assert agent.build_row(build).modifier == "lisi"
    assert (build.source, build.branch, build.build_number) == ("file", "x", 8)


def test_what_the_build_says_of_its_target_goes_over_the_inputs() -> None:
    given: dict[str, YamlValue] = {"region": "gz", "project_code": "q", "cluster_id": "d", "namespace": "m"}
    target: dict[str, YamlValue] = {"region": "sz", "project": "p", "cluster_id": "c", "namespace": "n"}
    rest = {"action": "plan", "credential": ""}
    assert LocalAgent({"inputs": given}).inputs() == {**given, **rest}
    inputs = LocalAgent({"inputs": given, "build": target}).inputs()
    assert inputs == {"region": "sz", "project_code": "p", "cluster_id": "c", "namespace": "n", **rest}


@pytest.mark.parametrize(
    ("action", "inputs", "build", "found"),
    [
        ("rollback", {}, {}, "replace"),
        ("plan", {"rollback_to": "previous"}, {}, "replace"),
        ("plan", {}, {}, None),
        ("rollback", {}, {"build.number": 7}, None),
        ("rollback", {"on_newer_build": "skip"}, {}, "skip"),
    ],
)
def test_going_back_at_a_desk_is_no_older_build_unless_one_is_named(
    action: str, inputs: dict[str, YamlValue], build: dict[str, YamlValue], found: Optional[str]
) -> None:
    told = LocalAgent({"inputs": inputs, "build": build}, action=action).inputs()
    assert (told["action"], told.get("on_newer_build")) == (action, found)


def test_an_access_token_is_the_credential_of_a_desk() -> None:
    agent = LocalAgent({"access_token": "t0ken", "regions": {"gz": {"gateway": "https://x"}}})
    assert agent.inputs()["credential"] == "access_token"
    found = agent.credential("access_token")
    assert (found.id, found.type, found.plain) == ("access_token", "access token", {})
    assert {name: secret.reveal() for name, secret in found.secrets.items()} == {"access_token": "t0ken"}
    assert json.loads(agent.private_setting("regions").reveal()) == {"gz": {"gateway": "https://x"}}
    assert LocalAgent({}).private_setting("regions").reveal() == "{}"
    assert LocalAgent({}).inputs() == {"action": "plan", "credential": ""}


def test_a_build_is_what_the_file_says_and_else_the_first_of_main() -> None:
    assert LocalAgent({}).build(recorded=True) == BuildInfo(source="file", build_number=1, branch="main")
    given: dict[str, YamlValue] = {
        "build.number": 7,
        "build.id": "b-1",
        "build.url": "https://x",
        "build.started_at": 1000,
        "pipeline.id": "p-1",
        "pipeline.name": "release",
        "branch.name": "dev",
        "commit.sha": "abc",
    }
    assert LocalAgent({"build": given}).build(recorded=True) == BuildInfo(
        source="file",
        pipeline_id="p-1",
        pipeline_name="release",
        build_id="b-1",
        build_number=7,
        started_at=1000,
        url="https://x",
        branch="dev",
        commit="abc",
    )


# --- the settings file and the arguments over it --------------------------------------------------------


def of_plan(**options: list[str]) -> Namespace:
    return Namespace(verb="plan", **{"files": [], "values": [], "only": [], "set": [], **options})


SETTINGS: dict[str, YamlValue] = {
    "user": "lisi",
    "inputs": {"values_files": "old.yaml", "region": "gz"},
    "build": {"build.number": 7},
}


@pytest.mark.parametrize(
    ("options", "changed"),
    [
        (of_plan(), {}),
        (
            of_plan(files=["a.yaml"], values=["b.yaml"]),
            {"inputs": {"values_files": "a.yaml\nb.yaml", "region": "gz"}},
        ),
        (
            of_plan(only=["a.example.com", "b.yaml"], set=["branch.name=a=b", "build.number=8"]),
            {
                "inputs": {"values_files": "old.yaml", "region": "gz", "only": "a.example.com\nb.yaml"},
                "build": {"build.number": "8", "branch.name": "a=b"},
            },
        ),
        (
            Namespace(verb="rollback", hosts=["a.example.com"], to="build 5", set=[]),
            {
                "inputs": {
                    "values_files": "old.yaml",
                    "region": "gz",
                    "only": "a.example.com",
                    "rollback_to": "build 5",
                }
            },
        ),
        (
            Namespace(verb="rollback", hosts=["a.example.com", "b.yaml"], to="", set=["build.number=8"]),
            {
                "inputs": {
                    "values_files": "old.yaml",
                    "region": "gz",
                    "only": "a.example.com\nb.yaml",
                    "rollback_to": "previous",
                },
                "build": {"build.number": "8"},
            },
        ),
    ],
)
def test_arguments_go_over_the_settings_file(options: Namespace, changed: dict[str, YamlValue]) -> None:
    assert over(SETTINGS, options) == {**SETTINGS, **changed}


def test_an_argument_that_nobody_knows_is_a_mistake_of_the_arguments() -> None:
    with pytest.raises(InputsInvalid) as caught:
        over({}, of_plan(set=["build.numer=8", "build.number=x", "branch.name"]))
    assert str(caught.value.cure()) == "Correct the arguments."
    unknown, number, empty = map(str, caught.value.details)
    assert 'Did you mean "build.number"?' in unknown
    assert number.startswith("--set build.number takes a whole number")
    assert "--set branch.name=VALUE" in empty


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "no such file"),
        (b"\xff", "must be UTF-8 text"),
        (b"a: {", "desk.yaml"),
        (b"- a", "must be a table with the keys regions, inputs, user, access_token, build"),
        (b"usr: x", 'Did you mean "user"?'),
        (b"inputs: {actoin: plan}", 'Did you mean "action"?'),
        (b"inputs: {action: pubish}", "inputs.action"),
        (b"inputs: {action: pubish}", 'Did you mean "publish"?'),
        (b"inputs: [a]", "inputs must be a table"),
        (b"build: x", "build must be a table"),
        (b"build: {branch: x}", "branch.name"),
        (b"build: {build.number: x}", "build.number takes a whole number above 0"),
        (b"build: {build.number: 1, build.started_at: 1.5}", "build.started_at takes a whole number"),
    ],
)
def test_a_settings_file_that_is_none_is_told_with_what_is_wrong(
    tmp_path: Path, text: Optional[bytes], said: str
) -> None:
    at = tmp_path / "desk.yaml"
    if text is not None:
        at.write_bytes(text)
    with pytest.raises(InputsInvalid) as caught:
        read_settings_file(at)
    (detail,) = caught.value.details
    assert said in str(detail)
    assert str(caught.value.cure()) == f"Correct {at}."


def test_what_is_no_file_is_told_in_the_systems_words(tmp_path: Path) -> None:
    with pytest.raises(InputsInvalid) as caught:
        read_settings_file(tmp_path)
    assert str(caught.value.details[0]) == f"{tmp_path}: can't be read (Is a directory)"


def test_a_settings_file_is_read_as_it_is(tmp_path: Path) -> None:
    at = tmp_path / "desk.yaml"
    at.write_text("user: lisi\ninputs: {action: deploy, redeploy: true}\nbuild:\n", encoding="utf-8")
    read = {"user": "lisi", "inputs": {"action": "deploy", "redeploy": True}, "build": None}
    assert read_settings_file(at) == read


# --- the build that --set describes ---------------------------------------------------------------------


def test_names_of_a_build_are_given_by_set_and_every_build_has_a_number_and_a_branch() -> None:
    context = context_of(["branch.name=a=b", "commit.sha=abc"])
    assert (context.branch.name, context.commit.sha, context.build.number) == ("a=b", "abc", 1)
    assert context_of([]).branch.name == "main"
    assert context_of(["build.number=7"]).build.number == 7


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("branch.nam=x", 'Did you mean "branch.name"?'),
        ("branch.name", "--set branch.name has no value: write --set branch.name=VALUE."),
        ("build.number", "--set build.number has no value"),
        ("t0ken", '"***" is not a known name'),
        ("xyz=1", '"xyz" is not a known name'),
        ("t0ken: s3cret", "***"),
        ("build.number=07", "--set build.number takes a whole number above 0"),
        ("build.started_at=x", "--set build.started_at takes a whole number above 0"),
    ],
)
def test_what_set_can_not_mean_is_said_without_a_value(assignment: str, said: str) -> None:
    with pytest.raises(InputsInvalid) as caught:
        context_of([assignment], also=[say("local.no_file")])
    first, second = map(str, caught.value.details)
    assert first == "no such file"
    assert said in second
    assert "s3cret" not in second
    assert str(caught.value.cure()) == "Correct the arguments."
