"""An error has the fields that its class declares and that its sentences speak of, and no others."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.every_error import every_error

from bcs_template_set import messages
from bcs_template_set.messages import LANGUAGES, say
from bcs_template_set.messages.errors import (
    DeployRefused,
    InputsInvalid,
    NotReplaceable,
    PlanChanged,
    ProjectNotVisible,
)
from bcs_template_set.messages.server_errors import (
    BcsTooOld,
    CertificateExpired,
    NotConnected,
    RolloutTimedOut,
)
from bcs_template_set.messages.step_error import (
    Defect,
    StepError,
    Told,
    count_of,
    defect_of,
    first_names,
    indent_of,
    stays,
    traceback_of,
)

CATALOGUE: dict[str, dict[str, str]] = json.loads(
    (Path(messages.__file__).parent / "errors.json").read_text(encoding="utf-8")
)
FOR_CODE_ONLY: dict[type[StepError], set[str]] = {
    BcsTooOld: {"status"},
    DeployRefused: {"in_conflict"},  # of another cure
    NotReplaceable: {"only_again"},  # of another cure
    ProjectNotVisible: {"is_unknown"},  # of other sentences
    RolloutTimedOut: {"timeout", "deadline", "needs_time", "put_off"},  # of another cure
}
"""Fields that no sentence shows, because code reads them."""


@pytest.mark.parametrize(
    ("names", "wrong"),
    [("expect actual", "expect, expected"), ("expected", "actual"), ("expected actual more", "more")],
)
def test_a_misspelt_missing_or_unknown_field_fails_where_the_error_is_raised(names: str, wrong: str) -> None:
    given: dict[str, Any] = dict.fromkeys(names.split(), "f")
    kind: type[StepError] = PlanChanged
    with pytest.raises(TypeError, match=rf"PlanChanged.*: {wrong}$"):
        raise kind(**given)


def test_an_error_without_fields_takes_none() -> None:
    kind: type[StepError] = InputsInvalid
    with pytest.raises(TypeError, match="InputsInvalid"):
        raise kind(problem="p")


def test_fields_are_attributes_inherited_and_with_defaults() -> None:
    expired = CertificateExpired(url="u", problem="p")
    assert isinstance(expired, NotConnected)
    assert (expired.url, expired.fields) == ("u", {"url": "u", "problem": "p"})
    too_old = BcsTooOld(problem="p", oldest="o")
    assert (too_old.status, BcsTooOld(problem="p", oldest="o", status=404).status) == (0, 404)
    assert too_old.fields == {"problem": "p", "oldest": "o", "status": 0}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.__name__)
def test_its_sentences_speak_of_its_fields(kind: type[StepError], language: str) -> None:
    sentences = [CATALOGUE[f"{kind.code}.{part}"][language] for part in ("title", "cure")]
    spoken_of = {name for sentence in sentences for name in re.findall(r"\{(\w+)\}", sentence)}
    assert spoken_of == set(kind.field_names) - FOR_CODE_ONLY.get(kind, set())


def test_the_catalogue_has_sentences_of_these_errors_only() -> None:
    parts = {f"{kind.code}.{part}" for kind in every_error() for part in ("title", "cure")}
    assert set(CATALOGUE) == parts


@pytest.mark.parametrize(
    ("more", "title", "cure"),
    [
        ({}, "errors.800508.title", "errors.800508.cure"),
        ({"put_off": True}, "rollout.put_off", "errors.800508.cure"),
        ({"deadline": 600, "needs_time": False}, "errors.800508.title", "rollout.deadline_next"),
        ({"needs_time": False, "timeout": 900}, "errors.800508.title", "rollout.not_time"),
        ({"timeout": 900}, "errors.800508.title", "rollout.cut_short"),
    ],
)
def test_what_helps_after_a_time_out_is_what_it_waited_for(
    more: dict[str, Any], title: str, cure: str
) -> None:
    error = RolloutTimedOut(count=2, seconds=60, **more)
    assert (error.title().key, error.cure().key) == (title, cure)
    assert error.title().render("en_US")
    assert error.cure().render("en_US")


def test_an_error_is_explained_with_its_details_and_the_facts_that_are_known() -> None:
    below = Told("agent.file_missing", depth=1, stays=True)
    error = InputsInvalid(details=[say("agent.file_missing"), below, "as it came"])
    error.with_context(project="web", region="", cluster=None, odd="canary")
    title, *lines = error.explain("en_US")
    assert lines[:3] == ["  - it does not exist.", "    - it does not exist.", "  - as it came"]
    assert [line for line in lines if "web" in line]
    assert not [line for line in lines if "canary" in line or "egion" in line or "None" in line]
    assert str(error.sentence()) == f"{error.title()} it does not exist., it does not exist., as it came"
    assert InputsInvalid().sentence() == InputsInvalid().title()
    assert [stays(below), stays(replace(below, stays=False)), stays("x")] == [True, False, False]
    assert title.startswith("Failed (")


def test_a_line_of_a_list_is_one_thing_at_its_edge_that_goes_where_the_list_is_cut() -> None:
    line = Told("agent.file_missing")
    assert (count_of(line), indent_of(line), stays(line)) == (1, "", False)
    assert (count_of("x"), indent_of("x")) == (1, "")


def test_whose_fault_an_error_is_has_its_number_in_bk_ci() -> None:
    found = [kind.error_type for kind in (InputsInvalid, NotConnected, Defect)]
    assert found == [1, 2, 3]


def test_twenty_names_are_listed_and_of_more_their_number() -> None:
    names = [f"n{number}" for number in range(21)]
    assert first_names(names[:20]) == names[:20]
    assert first_names(names) == [*names[:20], say("report.more_names", count=1)]


def test_a_defect_is_told_by_its_kind_and_its_innermost_place_in_the_step() -> None:
    with pytest.raises(KeyError) as caught:
        say("errors.none_of_ours").render("en_US")
    defect = defect_of(caught.value)
    assert (defect.kind, defect.place.partition(":")[0]) == ("KeyError", "__init__.py")
    lines = traceback_of(caught.value).splitlines()
    assert (lines[0], lines[-1]) == ("Traceback (most recent call last):", "KeyError: 'errors.none_of_ours'")
    assert [line for line in lines if line.startswith('  File "')]
    with pytest.raises(ValueError, match="elsewhere") as other:
        raise ValueError("elsewhere")
    assert defect_of(other.value).place == "?"
