"""Whatever ends a verb at a desk is told as an error with a cure that is there, and never as a traceback."""

from __future__ import annotations

from typing import Any, Callable

import pytest
from tests.support.every_error import every_error

from bcs_template_set.cli import verb_branches, verb_doctor, verb_plan, verb_render, verb_schema
from bcs_template_set.cli.desk_cures import cure_at_desk, in_settings
from bcs_template_set.cli.main import main
from bcs_template_set.messages import LANGUAGES, Language, Text, say
from bcs_template_set.messages.errors import (
    InputsInvalid,
    Interrupted,
    NoPermission,
    TemplateFailed,
    UserUnknown,
    ValuesInvalid,
    VersionNameInvalid,
)
from bcs_template_set.messages.server_errors import CertificateExpired, Unreachable
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.system.signals import Stopped

VERBS = {
    ("render",): (verb_render, "render"),
    ("check",): (verb_render, "check"),
    ("schema",): (verb_schema, "show_schema"),
    ("plan", "--settings", "desk.yaml"): (verb_plan, "show_plan"),
    ("doctor", "--settings", "desk.yaml"): (verb_doctor, "show_doctor"),
    ("branches", "--settings", "desk.yaml"): (verb_branches, "show_branches"),
}


@pytest.mark.parametrize("argv", VERBS, ids=lambda argv: argv[0])
@pytest.mark.parametrize(
    ("end", "words"),
    [
        (ZeroDivisionError("x"), "ZeroDivisionError"),
        (KeyboardInterrupt(), "SIGINT"),
        (Stopped(Interrupted(signal="SIGTERM")), "SIGTERM"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_no_verb_shows_a_traceback(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    argv: tuple[str, ...],
    end: BaseException,
    words: str,
) -> None:
    def fail(*_: object, **__: object) -> int:
        raise end

    monkeypatch.setattr(*VERBS[argv], fail)
    assert main(argv) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert words in told.err
    assert "Traceback" not in told.err


@pytest.mark.parametrize("argv", [argv for argv in VERBS if len(argv) > 1], ids=lambda argv: argv[0])
def test_an_error_of_every_verb_names_the_settings_file_and_its_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], argv: tuple[str, ...]
) -> None:
    def fail(*_: object, **__: object) -> int:
        raise refused()

    monkeypatch.setattr(*VERBS[argv], fail)
    assert main(argv) == 1
    told = capsys.readouterr().err
    assert "Failed (800201): desk.yaml: user is missing.\n" in told
    assert "Correct user in desk.yaml." in told
    assert "BK_CI_" not in told


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_cure_of_a_desk_has_the_fields_of_its_error_and_names_no_form(language: Language) -> None:
    error = NoPermission(user="lisi", message="no")
    told = in_settings(error, "desk.yaml").cure().render(language)
    assert "lisi" in told
    assert "run_as" not in told
    assert "--version" in cure_at_desk(VersionNameInvalid.code).render(language)
    assert cure_at_desk(TemplateFailed.code).key == "errors.800305.cure"


@pytest.mark.parametrize(
    ("cure", "at_desk"),
    [
        (say("render.correct_input", name="version"), "Correct inputs.version in desk.yaml."),
        (say("identity.give_token"), "Correct access_token in desk.yaml."),
        (say("local.cure_file", file="values.yaml"), "Correct values.yaml."),
    ],
)
def test_what_is_an_input_in_a_pipeline_is_a_key_of_the_settings_file(cure: Text, at_desk: str) -> None:
    error = ValuesInvalid().with_cure(cure)
    assert str(in_settings(error, "desk.yaml").cure()) == at_desk
    alone = ValuesInvalid().with_cure(say("render.correct_input", name="values"))
    assert str(in_settings(alone, "").cure()) == "Give a values file."


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_desk_says_otherwise_than_a_pipeline_is_its_golden_file(
    language: Language, golden: Callable[[str, str], None]
) -> None:
    said = []
    for kind in every_error():
        fields: dict[str, Any] = {name: name.upper() for name in kind.field_names}
        elsewhere, error = kind(**fields), in_settings(kind(**fields), "desk.yaml")
        if (error.title(), error.cure()) != (elsewhere.title(), elsewhere.cure()):
            said.append(f"{kind.code} {error.title().render(language)}\n  {error.cure().render(language)}\n")
    golden(f"desk_errors.{language}.txt", "".join(said))


def test_mistaken_arguments_are_told_as_such_beside_a_settings_file() -> None:
    error = in_settings(InputsInvalid().with_cure(say("local.cure_arguments")), "desk.yaml")
    assert str(error.title()) == "The arguments have mistakes."
    assert str(error.cure()) == "Correct the arguments."
    assert str(in_settings(InputsInvalid(), "desk.yaml").title()) == "desk.yaml has mistakes."


ONLY_IN_PIPELINES = {800101, 800104, 800215, 800216, 800217}
"""What the agent's files, or BK-CI's record of the build, are at fault for."""


@pytest.mark.parametrize(
    "kind", [kind for kind in every_error() if kind.code not in ONLY_IN_PIPELINES], ids=lambda kind: kind.code
)
def test_no_cure_of_a_desk_sends_for_those_who_published_an_atom(kind: type[StepError]) -> None:
    fields: dict[str, Any] = dict.fromkeys(kind.field_names, "x")
    cure = in_settings(kind(**fields), "desk.yaml").cure().render("en_US")
    assert "owner" not in cure
    assert "private settings" not in cure


@pytest.mark.parametrize(
    ("kind", "cure"),
    [
        (Unreachable, "Correct regions (gateway, proxy) in desk.yaml."),
        (CertificateExpired, "this machine's clock is wrong"),
    ],
)
def test_what_is_wrong_with_a_connection_is_corrected_where_it_is_wrong(
    kind: type[StepError], cure: str
) -> None:
    assert cure in str(in_settings(kind(url="u", problem="p"), "desk.yaml").cure())


def refused() -> StepError:
    return UserUnknown(run_as="owner", variable="owner")
