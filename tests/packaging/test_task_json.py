"""task.json is held to the code: its inputs, defaults and choices, the design's outputs, our wheel."""

from __future__ import annotations

import ast
import re
import struct
from typing import get_args

import pytest
from tests.packaging.store_files import PROJECT, TASK_JSON, read_task_json

from bcs_template_set.cli.main import POST_ACTIONS
from bcs_template_set.config.inputs import INPUTS, Input
from bcs_template_set.messages.state_words import Result

TASK = read_task_json()
BY_NAME = {known.name: known for known in INPUTS}
FIELDS = {name: field for name, field in TASK.input.items() if field.type != "tips"}

# The run itself fills these in where the form leaves them empty (settings.read_settings).
FILLED_IN_BY_THE_RUN = {"project_code", "region"}

OUTPUTS = {
    "result": "string",
    "changed": "string",
    "version": "string",
    "versions": "string",
    "plan_digest": "string",
    "acting_user": "string",
    "routes": "string",
    "summary": "string",
    "plan": "artifact",
    "report": "report",
    "rendered": "artifact",
}

# A `selector` and an `enum-input` take no pipeline variable (facts/agent.md, "The form").
WIDGETS = {
    "text": {"vuex-input", "select-input"},
    "choice": {"select-input"},
    "flag": {"atom-checkbox"},
    "seconds": {"vuex-input"},
    "lines": {"vuex-textarea"},
    "yaml": {"atom-ace-editor"},
    "urls": {"vuex-textarea"},
}


def keyword_of_setup(name: str) -> str:
    """Return a text given to `setup()` in setup.py, the one place of metadata."""
    tree = ast.parse((PROJECT / "setup.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == name and isinstance(node.value, ast.Constant):
            return str(node.value.value)
    raise AssertionError(f"setup.py gives no {name}")


def test_the_form_has_every_input_of_the_settings_and_no_other() -> None:
    assert set(FIELDS) == set(BY_NAME)


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_an_input_of_the_form_has_the_default_the_choices_and_the_need_of_the_settings(name: str) -> None:
    field, known = TASK.input[name], BY_NAME[name]
    assert field.default_text() == known.default
    assert field.choices() == known.choices
    assert field.required == (known.required and name not in FILLED_IN_BY_THE_RUN)


@pytest.mark.parametrize("known", INPUTS, ids=lambda known: known.name)
def test_an_input_is_entered_with_a_widget_that_fits_its_kind(known: Input) -> None:
    field = TASK.input[known.name]
    assert field.type in WIDGETS[known.kind]
    assert (field.lang == "yaml") == (known.kind == "yaml")
    assert isinstance(field.default, bool) == (field.type == "atom-checkbox")


def test_every_input_belongs_to_a_group_and_every_group_has_inputs() -> None:
    groups = [group.name for group in TASK.input_groups]
    assert len(groups) == len(set(groups))
    assert {field.group_name for field in FIELDS.values()} == set(groups)


@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if field.options])
def test_a_choice_is_found_by_the_word_that_the_input_holds(name: str) -> None:
    """The form offers those choices whose text holds what the input holds (facts/agent.md, "The form")."""
    assert [option.id for option in FIELDS[name].options if option.id not in option.name] == []


FORM = {known.name: known.pattern or ("[0-9]{1,6}" if known.kind == "seconds" else "") for known in INPUTS}


def test_the_form_refuses_what_the_settings_refuse_and_takes_a_variable_in_its_place() -> None:
    rules = {name: field.rule.regex for name, field in FIELDS.items() if field.rule is not None}
    wanted = {name: pattern for name, pattern in FORM.items() if pattern}
    assert rules == {n: rf"^\s*(?:(?:{pattern})|.*\$\{{.+\}}.*)?\s*$" for n, pattern in wanted.items()}


EXAMPLES = {
    "region": ("gz", "x" * 65),
    "project_code": ("web-1", "we b"),
    "template_space": ("front-ends", "x" * 65),
    "template_set": ("shop-web", "Shop_Web"),
    "cluster_id": ("BCS-K8S-40000", "40000"),
    "namespace": ("prod", "Prod"),
    "kube_version": ("v1.22", "1.99"),
    "credential": ("bcs_token", "bcs token"),
    "registry_credential": ("tcr_robot registry.example.com", "tcr_robot https://registry.example.com"),
    "timeout": ("600", "10m"),
    "prune_limit": ("12", "0"),
    "keep_versions": ("5", "0"),
    "expect_plan": ("0123456789abcdef0123456789abcdef", "0123456789abcdef"),
    "rollback_to": ("build 57", "x" * 65),
}


@pytest.mark.parametrize("name", [name for name, pattern in FORM.items() if pattern])
def test_a_rule_of_the_form_takes_what_is_valid_variables_and_nothing(name: str) -> None:
    rule, (valid, invalid) = FIELDS[name].rule, EXAMPLES[name]
    assert rule is not None
    for taken in (valid, f" {valid} ", "${{ NAME }}", "${NAME}", "a-${{ variables.NAME }}-b", "", " "):
        assert re.search(rule.regex, taken), taken
    assert not re.search(rule.regex, invalid)


ACTIONS = BY_NAME["action"].choices


NOT_OF_A_ROLLBACK = {
    "remove_branches",
    "overwrite_version",
    "prune",
    "prune_limit",
    "prune_also",
    "keep_versions",
}
"""What is about writing versions, or deleting objects: a rollback does neither."""


def shown(action: str) -> set[str]:
    """Return the fields that a person sees while the action is this one."""
    assert all(
        c.key == "action" for field in TASK.input.values() if field.rely for c in field.rely.expression
    )
    return {name for name, field in TASK.input.items() if field.rely is None or field.rely.shows(action)}


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_an_input_is_seen_for_each_action_that_it_has_a_part_in(name: str) -> None:
    """A plan holds fast what is deployed later, so its step is given the same inputs (guide/approval.md)."""
    field = FIELDS[name]
    seen = {action for action in ACTIONS if name in shown(action)}
    if field.group_name not in ("safety", "rollout") or name in ("strict", "image_check"):
        assert seen == set(ACTIONS)
        return
    part = {"deploy"} if field.group_name == "rollout" else {"publish", "deploy"}
    if name == "rollback_to":
        part = {"rollback"}
    elif name not in NOT_OF_A_ROLLBACK:
        part |= {"rollback"}
    assert seen == (part if BY_NAME[name].not_approved else part | {"plan"})


@pytest.mark.parametrize("action", ["${{ ACTION }}", "${ACTION}", "x-${{ variables.ACTION }}"])
def test_a_variable_in_the_action_hides_no_input(action: str) -> None:
    assert set(FIELDS) <= shown(action)


def test_an_empty_action_shows_what_its_default_does() -> None:
    assert shown("") == shown(BY_NAME["action"].default)


@pytest.mark.parametrize("action", ["", *ACTIONS])
def test_no_group_is_ever_empty(action: str) -> None:
    assert {group.name for group in TASK.input_groups} <= {TASK.input[n].group_name for n in shown(action)}


def test_what_the_operator_s_api_reads_is_whole() -> None:
    """What the fields may hold, the logo's place and its size are facts (facts/agent.md, "The form")."""
    info = TASK.release_info
    assert info.version_info.version == keyword_of_setup("version")
    assert (info.language, info.classify_code, info.category) == (TASK.execution.language, "deploy", "TASK")
    assert len(info.summary) <= 256
    logo = re.fullmatch(r'\$\{\{indexFile\("([\w.]+)"\)\}\}', info.logo_url)
    assert logo is not None
    image = (PROJECT / "file" / logo[1]).read_bytes()
    assert image.startswith(b"\x89PNG")
    assert struct.unpack(">II", image[16:24]) == (200, 200)


def test_the_credential_picker_offers_only_types_the_step_can_use() -> None:
    conf = TASK.input["credential"].options_conf
    assert conf is not None
    assert conf.url.endswith("credentialTypes=ACCESSTOKEN,APPID_SECRETKEY")
    assert conf.item_target_url == "/ticket/{projectId}/createCredential/ACCESSTOKEN/true"


def test_the_form_has_the_outputs_of_the_design() -> None:
    assert {name: output.type for name, output in TASK.output.items()} == OUTPUTS


def test_the_output_result_tells_every_word_that_it_may_hold() -> None:
    told = TASK.output["result"].description
    assert set(re.findall(r"[a-z]+(?:-[a-z]+)?", told)) == set(get_args(Result))


def test_the_worker_is_told_to_install_the_wheel_of_this_version_and_to_start_its_console_script() -> None:
    name, version = keyword_of_setup("name"), keyword_of_setup("version")
    assert TASK.execution.package_path == f"{name}-{version}-py3-none-any.whl"
    assert TASK.execution.target == "bcs-template-set"
    assert (TASK.execution.language, TASK.execution.runtime_version) == ("python", "python3")
    assert TASK.execution.demands == []


def test_a_post_action_that_the_step_knows_runs_after_a_failed_job_and_at_no_other_time() -> None:
    """The words are those of bk-ci (2026-08), PipelinePostElementService.getPostAtomRunCondition.

    `failed()`, `always()` and `canceledOrTimeOut()`; any other text runs it after success. The worker starts
    `<target> --post_action=<postEntryParam>` (PythonAtomRunConditionHandleServiceImpl.handleAtomTarget).
    """
    assert TASK.execution.post.post_condition == "failed()"
    assert TASK.execution.post.post_entry_param in POST_ACTIONS


def test_the_platform_takes_the_file() -> None:
    """Limits of bk-ci's MarketAtomCommonServiceImpl (2026-08): size, timeout, policies, retries."""
    assert TASK_JSON.stat().st_size < 64 * 1024
    assert TASK.atom_code == "bcsTemplateSet"
    assert TASK.default_locale_language == "zh_CN"
    assert 1 <= TASK.config.default_timeout <= 10080
    assert TASK.config.default_fail_policy == "MANUALLY_CONTINUE", "so a failure is not passed over by itself"
    assert 1 <= TASK.config.retry_times <= 5
