"""The agent through an installed platform SDK: its habits stay inside."""

from __future__ import annotations

import json
import logging
import resource
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.stand_ins import CANARY, FakeClock, agent_directory

from bcs_template_set.agent.masker import Masker
from bcs_template_set.agent.open_agent import PlatformAgent, open_agent
from bcs_template_set.agent.output_file import OutputFile, artifact_field, pessimistic, string_field, success
from bcs_template_set.messages import Text
from bcs_template_set.messages.errors import CredentialUnusable, InputUnreadable, PlatformSdkUnusable
from bcs_template_set.messages.step_error import StepError

# A module with the habits of facts/agent.md, "The SDK": reads at import, logs to the stdout of that moment,
# prints what it should not, ends the process.
STAND_IN = """
    import json, logging, os, sys

    def path(name, default):
        return os.path.join(os.environ["bk_data_dir"], os.environ.get(name, default))

    voice = logging.getLogger("stand-in SDK")
    voice.addHandler(logging.StreamHandler(sys.stdout))
    voice.error("::set-variable name=a::from the SDK's import")
    with open(path("bk_data_input", "input.json"), encoding="utf-8") as file:
        everything = json.load(file)

    def get_input():
        print("::set-output name=x::" + json.dumps(everything))
        return everything

    def get_sensitive_conf(key):
        return (everything.get("bkSensitiveConfInfo") or {}).get(key)

    def get_credential(name):
        voice.error("here is the secret: canary-5up3r")
        print("on stderr: canary-5up3r", file=sys.stderr)
        return (True, {"access_token": "canary-5up3r"}) if name == "bcs" else (False, {})

    def set_output(output):
        if output.get("status") not in ("success", "failure", "error"):
            print(output)
            exit(-1)
        with open(path("bk_data_output", "output.json"), "w", encoding="utf-8") as file:
            json.dump(output, file)
"""


@dataclass(frozen=True)
class Installed:
    """An installed SDK, the agent through it, and what it warned of."""

    agent: PlatformAgent
    directory: Path
    warnings: list[Text]
    masker: Masker

    @property
    def output(self) -> dict[str, object]:
        content = json.loads((self.directory / "output.json").read_text())
        assert isinstance(content, dict)
        return content


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    yield Install(tmp_path, monkeypatch)
    logging.getLogger("stand-in SDK").handlers.clear()


class Install:
    """Writes a module where Python finds it, and opens the agent on it."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.directory = directory
        self.monkeypatch = monkeypatch

    def forget(self) -> None:
        """Let no earlier test's SDK be imported already."""
        self.monkeypatch.delitem(sys.modules, "python_atom_sdk", raising=False)

    def __call__(self, *changes: str, source: str = STAND_IN, inputs: object = None) -> Installed:
        name = "python_atom_sdk"
        self.forget()
        code = "\n".join(textwrap.dedent(text) for text in (source, *changes))
        (self.directory / f"{name}.py").write_text(code, encoding="utf-8")
        self.monkeypatch.syspath_prepend(str(self.directory))
        content = {"pipeline.id": "p-1", "action": "plan", "bkSensitiveConfInfo": {"regions": CANARY}}
        environ = agent_directory(self.directory, inputs=content)
        if inputs is not None:
            (self.directory / "input.json").write_text(str(inputs))
        for key, value in environ.items():
            self.monkeypatch.setenv(key, value)
        warnings: list[Text] = []
        masker = Masker()
        agent = open_agent(
            {**environ, "BCS_TEMPLATE_SET_SDK": name}, clock=FakeClock(), masker=masker, warn=warnings.append
        )
        assert isinstance(agent, PlatformAgent)
        return Installed(agent, self.directory, warnings, masker)


def refusal(error: StepError) -> str:
    text = str(error)
    assert CANARY not in text
    assert CANARY not in repr(error.__cause__)
    return text


def test_the_step_reads_through_the_sdk(install: Install) -> None:
    installed = install()
    assert installed.agent.inputs() == {"pipeline.id": "p-1", "action": "plan"}
    assert installed.agent.private_setting("regions").reveal() == CANARY
    assert installed.agent.private_setting("other").reveal() == ""
    assert installed.agent.credential("bcs").secrets["access_token"].reveal() == CANARY
    assert installed.agent.task().task_id == "t-1"
    assert installed.masker.mask(f"{CANARY} agent-s3cret") == "*** ***"


def test_nothing_that_the_sdk_prints_or_logs_reaches_the_log(
    install: Install, capfd: pytest.CaptureFixture[str]
) -> None:
    installed = install()
    installed.agent.inputs()
    installed.agent.credential("bcs")
    installed.agent.write_output(success("done", {}))
    assert capfd.readouterr() == ("", "")


def test_nothing_is_imported_before_it_is_needed(install: Install) -> None:
    install("raise RuntimeError")
    assert "python_atom_sdk" not in sys.modules


@pytest.mark.parametrize("change", ["", "def get_credential(name):\n    return False, {'access_token': 'x'}"])
def test_a_credential_that_the_sdk_does_not_get_is_unusable(install: Install, change: str) -> None:
    with pytest.raises(CredentialUnusable) as caught:
        install(change).agent.credential("nope")
    said = refusal(caught.value)
    assert "nope" in said
    assert "the platform's SDK says no" in said


def test_a_module_that_is_not_installed_is_named(tmp_path: Path, install: Install) -> None:
    install.forget()
    environ = {**agent_directory(tmp_path), "BCS_TEMPLATE_SET_SDK": "python_atom_sdk"}
    with pytest.raises(PlatformSdkUnusable) as caught:
        open_agent(environ, clock=FakeClock()).inputs()
    assert "python_atom_sdk is not installed" in str(caught.value)


def test_a_module_that_the_sdk_itself_misses_is_named(install: Install) -> None:
    with pytest.raises(PlatformSdkUnusable) as caught:
        install(source="import requests_toolbelt_of_old").agent.inputs()
    assert "requests_toolbelt_of_old is not installed" in refusal(caught.value)
    with pytest.raises(PlatformSdkUnusable) as caught:
        install(source="raise ModuleNotFoundError").agent.inputs()
    assert "the module ? is not installed" in refusal(caught.value)


@pytest.mark.parametrize("ending", ["exit(-1)", "import sys; sys.exit()", "raise SystemExit(0)"])
def test_an_sdk_that_ends_the_process_does_not(install: Install, ending: str) -> None:
    installed = install(f"def get_input():\n    print('{CANARY}')\n    {ending}")
    with pytest.raises(PlatformSdkUnusable) as caught:
        installed.agent.inputs()
    assert "get_input tried to end the process" in refusal(caught.value)


@pytest.mark.parametrize("garbled", ["", "{", f'{{"token": "{CANARY}", ', "["])
def test_an_sdk_that_fails_at_import_is_said_without_its_words(install: Install, garbled: str) -> None:
    installed = install(inputs=garbled)
    with pytest.raises(PlatformSdkUnusable) as caught:
        installed.agent.inputs()
    assert "get_input failed with JSONDecodeError" in refusal(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("get_input = None", "no function get_input"),
        ("def get_input():\n    return None", "get_input gave something else than an object of texts"),
        ("def get_input():\n    return {1: 'a'}", "get_input gave something else"),
        (f"def get_input():\n    raise ValueError('{CANARY}')", "get_input failed with ValueError"),
    ],
)
def test_an_sdk_that_gives_something_else_is_unusable(install: Install, change: str, said: str) -> None:
    with pytest.raises(PlatformSdkUnusable) as caught:
        install(change).agent.inputs()
    assert said in refusal(caught.value)


@pytest.mark.parametrize("given", ["None", "True", "(True,)", "(1, 2, 3)"])
def test_a_credential_of_another_shape_is_unusable(install: Install, given: str) -> None:
    with pytest.raises(PlatformSdkUnusable) as caught:
        install(f"def get_credential(name):\n    return {given}").agent.credential("bcs")
    assert "get_credential gave something else than a pair of yes or no" in refusal(caught.value)


def test_a_private_setting_of_another_shape_is_unusable(install: Install) -> None:
    with pytest.raises(PlatformSdkUnusable) as caught:
        install("def get_sensitive_conf(key):\n    return {}").agent.private_setting("regions")
    assert "get_sensitive_conf gave something else than text or nothing" in refusal(caught.value)


@pytest.mark.parametrize("content", ["{}", '{"action": 1}', '{"action": ["x"]}'])
def test_the_inputs_are_checked_as_if_we_had_read_them(install: Install, content: str) -> None:
    with pytest.raises(InputUnreadable) as caught:
        install(inputs=content).agent.inputs()
    assert "input.json" in refusal(caught.value)


def test_the_result_is_written_through_the_sdk(install: Install, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.touch()
    installed = install(
        "writes, write = [], set_output\ndef set_output(output):\n    write({**output, 'by': 'sdk'})"
    )
    fields = {"result": string_field("published")}
    installed.agent.write_output(pessimistic("en_US"))
    installed.agent.write_output(success("done", {**fields, "kept": artifact_field([str(kept), "/gone"])}))
    assert installed.output["by"] == "sdk"
    assert installed.output["data"] == {**fields, "kept": artifact_field([str(kept)])}
    assert installed.warnings == []


@pytest.mark.parametrize(
    ("habit", "said"),
    [
        ("exit(-1)", "set_output tried to end the process"),
        ("raise OSError('disk full')", "set_output failed with OSError"),
        ("open(path('bk_data_output', 'output.json'), 'w').close()", "set_output did not write a valid"),
        ("open(path('bk_data_output', 'output.json'), 'w').close()\n    exit(-1)", "set_output tried to end"),
    ],
)
def test_the_result_stands_also_where_the_sdk_fails_to_write_it(
    install: Install, habit: str, said: str
) -> None:
    installed = install(f"def set_output(output):\n    {habit}")
    installed.agent.write_output(success("done", {}))
    assert installed.output["status"] == "success"
    (warning,) = installed.warnings
    assert said in str(warning)


def test_a_result_that_stands_is_not_written_again_on_a_disk_that_is_full(install: Install) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    full = f"import resource\n    resource.setrlimit(resource.RLIMIT_FSIZE, (0, {limits[1]}))"
    installed = install(f"def set_output(output):\n    {full}\n    raise OSError")
    try:
        installed.agent.write_output(success("done", {}))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert installed.output["message"] == "done"


def test_the_result_stands_also_where_the_sdk_can_not_be_imported(install: Install) -> None:
    installed = install(source="import no_such_module")
    installed.agent.write_output(success("done", {}))
    assert OutputFile(installed.directory / "output.json").stands()
    assert len(installed.warnings) == 1


class Stopped(BaseException):
    """What a signal handler raises."""


def test_a_stop_from_outside_passes_through_the_sdk(install: Install) -> None:
    def stop() -> None:
        raise Stopped

    installed = install("import builtins\ndef get_input():\n    builtins.stop_for_test()")
    install.monkeypatch.setattr("builtins.stop_for_test", stop, raising=False)
    with pytest.raises(Stopped):
        installed.agent.inputs()


def test_an_sdk_may_ask_whether_its_stdout_takes_writes(install: Install) -> None:
    writes = (
        "assert sys.stdout.writable() and sys.stdout.write('abc') == 3 and sys.stdout.encoding == 'utf-8'"
    )
    asking = STAND_IN.replace("def get_input():", "def get_input():\n        " + writes)
    installed = install(source=asking)
    assert installed.agent.inputs()


def test_who_the_build_is_is_read_once(install: Install) -> None:
    installed = install()
    task = installed.agent.task()
    (installed.directory / ".sdk.json").unlink()
    assert installed.agent.task() == task
