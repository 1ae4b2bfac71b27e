"""task.json is held to the code: its inputs, defaults and choices, the design's outputs, our wheel."""

from __future__ import annotations

import ast

import pytest
from tests.packaging.store_files import PROJECT, TASK_JSON, Field, read_task_json

from bcs_template_set.cli.main import POST_ACTIONS
from bcs_template_set.config.inputs import INPUTS, Input

TASK = read_task_json()
BY_NAME = {known.name: known for known in INPUTS}

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

WIDGETS = {
    "text": {"vuex-input", "selector"},
    "choice": {"enum-input", "selector"},
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
    assert set(TASK.input) == set(BY_NAME)


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
    assert {field.group_name for field in TASK.input.values()} == set(groups)


def fields_that_depend() -> dict[str, Field]:
    return {name: field for name, field in TASK.input.items() if field.rely is not None}


def test_only_the_inputs_of_a_rollout_depend_on_the_action() -> None:
    assert set(fields_that_depend()) == {
        *("redeploy", "timeout", "fail_fast", "on_failure", "restore_if_job_fails", "verify_urls")
    }
    for field in fields_that_depend().values():
        assert field.rely is not None
        assert [(c.key, c.value) for c in field.rely.expression] == [("action", "deploy")]
        assert field.rely.operation == "AND"


def test_the_credential_picker_offers_only_types_the_step_can_use() -> None:
    conf = TASK.input["credential"].options_conf
    assert conf is not None
    assert conf.url.endswith("credentialTypes=ACCESSTOKEN,APPID_SECRETKEY")


def test_the_form_has_the_outputs_of_the_design() -> None:
    assert {name: output.type for name, output in TASK.output.items()} == OUTPUTS


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
    assert TASK.config.default_fail_policy == "MANUALLY_CONTINUE"
    assert set(TASK.config.default_retry_policy) <= {"AUTO_RETRY", "MANUALLY_RETRY"}
    assert 1 <= TASK.config.retry_times <= 5
