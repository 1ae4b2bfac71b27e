"""The documented names of `python_atom_sdk`, on this package: an atom written to them runs on it."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Optional

import pytest
from tests.emulator import Emulator
from tests.unit.atom_sdk.stand_ins import CANARY, SDK_JSON, agent_directory

INPUTS: dict[str, object] = {
    "project.name": "demo",
    "pipeline.id": "p-1",
    "pipeline.build.id": "b-1",
    "pipeline.build.num": "42",
    "pipeline.start.user.name": "wangwu",
    "BK_CI_PIPELINE_UPDATE_USER": "lisi",
    "bkWorkspace": "/data/ws",
    "action": "plan",
    "bkSensitiveConfInfo": {"regions": CANARY},
}


def run_atom(
    directory: Path,
    script: str,
    *,
    inputs: dict[str, object],
    sdk: Optional[Mapping[str, object]] = None,
) -> subprocess.CompletedProcess[str]:
    files = agent_directory(directory, inputs=inputs, sdk=sdk)
    environ = {**os.environ, **files, "BK_CI_LOCALE_LANGUAGE": "en_US"}
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_atom_written_to_the_contract_runs(tmp_path: Path) -> None:
    script = """
        import bcs_template_set.atom_sdk as sdk
        import json
        facts = [sdk.get_project_name(), sdk.get_pipeline_id(), sdk.get_pipeline_build_id(),
                 sdk.get_pipeline_build_num(), sdk.get_pipeline_start_user_name(),
                 sdk.get_pipeline_modifier(), sdk.get_workspace(), sdk.get_input()["action"],
                 sdk.get_sensitive_conf("regions"), sdk.get_sensitive_conf("other")]
        assert facts == ["demo", "p-1", "b-1", "42", "wangwu", "lisi", "/data/ws", "plan",
                         "canary-5up3r", None], facts
        sdk.log.group_start("work")
        sdk.log.info("one")
        sdk.log.error("two")
        sdk.set_output({
            "status": sdk.status.FAILURE, "message": "m", "type": "default",
            "errorType": sdk.output_error_type.THIRD_PARTY, "errorCode": 800601,
            "data": {"x": {"type": sdk.output_field_type.STRING, "value": "y"}},
        })
    """
    done = run_atom(tmp_path, script, inputs=INPUTS)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "##[group]work\n##[info]one\n##[endgroup]\n##[error]two\n"
    output = json.loads((tmp_path / "output.json").read_text())
    assert (output["status"], output["errorType"], output["errorCode"]) == ("failure", 2, 800601)
    assert output["data"] == {"x": {"type": "string", "value": "y"}}


def test_what_the_agent_does_not_say_is_none(tmp_path: Path) -> None:
    script = """
        import bcs_template_set.atom_sdk as sdk
        assert sdk.get_project_name() is sdk.get_workspace() is sdk.get_pipeline_modifier() is None
    """
    done = run_atom(tmp_path, script, inputs={})
    assert (done.returncode, done.stderr) == (0, "")


def test_a_credential_that_can_not_be_had_is_a_no_and_a_line_in_the_log(tmp_path: Path) -> None:
    script = "import bcs_template_set.atom_sdk as sdk; assert sdk.get_credential('..') == (False, {})"
    done = run_atom(tmp_path, script, inputs={})
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("##[error]The credential .. can't be used")


def test_a_bad_result_is_raised_and_ends_nothing(tmp_path: Path) -> None:
    script = """
        import bcs_template_set.atom_sdk as sdk
        try:
            sdk.set_output({"status": "fine"})
        except ValueError:
            print("still here")
    """
    assert run_atom(tmp_path, script, inputs={}).stdout == "still here\n"


@pytest.mark.parametrize(
    "way",
    ["import bcs_template_set.atom_sdk as s; s.log", "from bcs_template_set.atom_sdk import log as s; s"],
)
def test_the_log_is_found_in_either_way_of_importing_it(tmp_path: Path, way: str) -> None:
    done = run_atom(tmp_path, f"{way}.warning('w')", inputs={})
    assert done.stdout == "##[warning]w\n"


def test_importing_the_package_reads_nothing_and_imports_next_to_nothing(tmp_path: Path) -> None:
    script = """
        import sys, typing, functools
        before = set(sys.modules)
        import bcs_template_set.atom_sdk
        print(sorted(name for name in set(sys.modules) - before))
    """
    done = run_atom(tmp_path, script, inputs={})
    (tmp_path / "input.json").write_text("{")
    assert done.stdout.strip() == "['bcs_template_set', 'bcs_template_set.atom_sdk']"


@pytest.mark.parametrize("module", ["bcs_template_set.atom_sdk", "bcs_template_set.atom_sdk.log"])
def test_a_name_that_is_not_documented_is_not_there(module: str) -> None:
    name = "nonsense"
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        getattr(importlib.import_module(module), name)


def test_the_step_can_run_on_this_package_as_on_any_installed_sdk(tmp_path: Path) -> None:
    script = """
        import os
        from bcs_template_set.atom_sdk.agent import open_agent
        from bcs_template_set.atom_sdk.output import success
        from bcs_template_set.clock import SystemClock
        environ = {**os.environ, "BCS_TEMPLATE_SET_SDK": "bcs_template_set.atom_sdk"}
        agent = open_agent(environ, clock=SystemClock(), warn=print)
        assert agent.inputs()["action"] == "plan"
        assert agent.private_setting("regions").reveal() == "canary-5up3r"
        agent.write_output(success("done", {}))
    """
    done = run_atom(tmp_path, script, inputs=INPUTS)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert json.loads((tmp_path / "output.json").read_text())["message"] == "done"


def test_run_on_this_package_the_step_says_what_is_wrong_as_it_would_by_itself(tmp_path: Path) -> None:
    script = """
        import os
        from pathlib import Path
        from bcs_template_set.atom_sdk.agent import open_agent
        from bcs_template_set.clock import SystemClock
        from bcs_template_set.errors import InputUnreadable
        Path(os.environ["bk_data_dir"], "input.json").write_text("{")
        environ = {**os.environ, "BCS_TEMPLATE_SET_SDK": "bcs_template_set.atom_sdk"}
        try:
            open_agent(environ, clock=SystemClock(), warn=print).inputs()
        except InputUnreadable:
            print("said")
    """
    done = run_atom(tmp_path, script, inputs=INPUTS)
    assert (done.returncode, done.stdout, done.stderr) == (0, "said\n", "")


def test_a_credential_is_given_out_with_its_values_by_their_keys(tmp_path: Path) -> None:
    with Emulator() as emulator:
        emulator.state.add_agent(project_id="demo", agent_id="a-1", secret_key="agent-s3cret")
        emulator.state.add_credential("my_cred", {"appId": "an_app", "secretKey": CANARY})
        script = f"""
            import bcs_template_set.atom_sdk as sdk
            assert sdk.get_credential("my_cred") == (True, {{"appId": "an_app", "secretKey": "{CANARY}"}})
        """
        done = run_atom(tmp_path, script, inputs=INPUTS, sdk={**SDK_JSON, "gateway": emulator.host})
    assert (done.returncode, done.stderr) == (0, "")
