"""Holds the sentences of this area to the code that says them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import bcs_template_set
from bcs_template_set.manifests.checks.check_manifests import all_checks
from bcs_template_set.messages import LANGUAGES, known, say

SOURCES = [
    path.read_text("utf-8")
    for path in sorted((Path(bcs_template_set.__file__).parent / "manifests").rglob("*.py"))
]
SAID = sorted({key for text in SOURCES for key in re.findall(r'"((?:render|checks)\.[a-z0-9_.-]+)"', text)})


@pytest.mark.parametrize("key", SAID)
def test_every_sentence_that_the_code_says_is_in_the_catalogue(key: str) -> None:
    assert known(key)


def test_every_check_has_its_sentences() -> None:
    for check in all_checks():
        assert known(f"checks.{check.id}.summary")
        assert known(f"checks.{check.id}.hint")


@pytest.mark.parametrize("area", ["render", "checks"])
def test_every_sentence_is_there_in_both_languages_with_the_same_fields(area: str) -> None:
    import json

    file = Path(bcs_template_set.__file__).parent / "messages" / f"{area}.json"
    for name, sentence in json.loads(file.read_text("utf-8")).items():
        assert set(sentence) == set(LANGUAGES)
        fields = [set(re.findall(r"\{(\w+)\}", sentence[language])) for language in LANGUAGES]
        assert fields[0] == fields[1], name
        filled = say(f"{area}.{name}", **dict.fromkeys(fields[0], "x"))
        assert all(filled.render(language) for language in LANGUAGES)


@pytest.mark.parametrize("area", ["render", "checks"])
def test_no_sentence_is_left_that_nobody_says(area: str) -> None:
    import json

    file = Path(bcs_template_set.__file__).parent / "messages" / f"{area}.json"
    text = "\n".join(SOURCES)
    # `accepts_<type>` is said for a type's own name.
    made = {"bool", "list", "str", *(check.id for check in all_checks())}
    for name in json.loads(file.read_text("utf-8")):
        word = name.removesuffix(".summary").removesuffix(".hint").removeprefix("accepts_")
        assert word in made or re.search(rf'"(?:{area}\.)?(?:accepts_)?{re.escape(word)}"', text), name
