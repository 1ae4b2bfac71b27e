"""The catalogue and the code that says its sentences hold each other: in every area, in both languages."""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from pathlib import Path

import pytest

import bcs_template_set
from bcs_template_set.manifests.checks.check_manifests import all_checks
from bcs_template_set.messages import LANGUAGES, known, say
from bcs_template_set.messages.errors import every_error

PACKAGE = Path(bcs_template_set.__file__).parent
AREAS = sorted(file.stem for file in (PACKAGE / "messages").glob("*.json"))
DERIVED = {*(str(kind.code) for kind in every_error()), "bool", "list", "str"}
"""Words of keys that stand nowhere as a text: codes of errors, names of types."""


@cache
def catalogue(area: str) -> dict[str, dict[str, str]]:
    sentences: dict[str, dict[str, str]] = json.loads(
        (PACKAGE / "messages" / f"{area}.json").read_text("utf-8")
    )
    return sentences


@cache
def nodes() -> tuple[ast.AST, ...]:
    files = sorted(PACKAGE.rglob("*.py"))
    return tuple(node for file in files for node in ast.walk(ast.parse(file.read_text("utf-8"))))


@cache
def words() -> frozenset[str]:
    """Return every text of the code and of its templates, and every name of a keyword and a field."""
    texts = {str(node.value) for node in nodes() if isinstance(node, ast.Constant) and node.value != ""}
    names = {node.arg for node in nodes() if isinstance(node, ast.keyword) and node.arg}
    names |= {
        node.target.id
        for node in nodes()
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    return frozenset(texts | names | DERIVED | {word for _, word in quoted()})


@cache
def templates() -> str:
    """Return the text of all templates, of the step's own and of the report."""
    return "".join(path.read_text("utf-8") for path in sorted(PACKAGE.rglob("*.j2")))


def quoted() -> list[tuple[str, str]]:
    """Return every text that stands in a template, with the quotes it has."""
    return re.findall(r"""(["'])([\w.-]+)\1""", templates())


@cache
def made() -> tuple[re.Pattern[str], ...]:
    """Return what the keys and words are like that are put together, in code or in a template."""
    strings = [node.values for node in nodes() if isinstance(node, ast.JoinedStr)]
    pieces = [
        [str(part.value) if isinstance(part, ast.Constant) else "" for part in parts] for parts in strings
    ]
    of_keys = [parts for parts in pieces if parts[0].partition(".")[0] in AREAS]
    of_words = [parts for parts in pieces if re.fullmatch(r"\w+_", parts[0]) and len(parts) == 2]
    of_words += [[start, ""] for start in re.findall(r"""["'](\w+_)["'] ~""", templates())]
    return tuple(
        re.compile("".join(re.escape(part) or "(.+)" for part in parts)) for parts in (*of_keys, *of_words)
    )


@cache
def is_said(text: str) -> bool:
    """Tell whether a key, or a word of one, stands somewhere or is made of words that do."""
    if text in words():
        return True
    found = (pattern.fullmatch(text) for pattern in made())
    return any(match is not None and all(map(is_said, match.groups())) for match in found)


@pytest.mark.parametrize("area", AREAS)
def test_no_sentence_is_left_that_nobody_says(area: str) -> None:
    assert [name for name in catalogue(area) if not is_said(f"{area}.{name}")] == []


def test_every_sentence_that_the_code_says_is_in_the_catalogue() -> None:
    key = re.compile(rf"({'|'.join(AREAS)})\.[a-z0-9_.-]*[a-z0-9]")
    keys = {word for word in words() if key.fullmatch(word)}
    assert [key for key in sorted(keys) if not known(key) and not key.endswith((".html.j2", ".json"))] == []


def test_every_check_has_its_sentences() -> None:
    for check in all_checks():
        assert known(f"checks.{check.id}.summary")
        assert known(f"checks.{check.id}.hint")


WORDS_BY_NUMBER = re.compile(r"\{(\w+):")


@pytest.mark.parametrize(
    ("area", "name"),
    [
        (area, name)
        for area in AREAS
        for name, sentence in catalogue(area).items()
        if WORDS_BY_NUMBER.search(sentence["en_US"])
    ],
)
def test_a_number_before_a_noun_chooses_its_word(area: str, name: str) -> None:
    english = catalogue(area)[name]["en_US"]
    for number in (0, 1, 2):
        fields = dict.fromkeys(re.findall(r"\{(\w+)[:.}]", english), number)
        told = say(f"{area}.{name}", **fields).render("en_US")
        word = r"\1" if number == 1 else r"\2"
        worded = re.sub(r"\{\w+:([^|]+)\|([^}]+)\}", word, english)
        assert told == re.sub(r"\{\w+\}", str(number), worded)


@pytest.mark.parametrize(
    ("said", "english", "chinese"),
    [
        ("not found", "not found.", "not found。"),
        ("Full.", "Full.", "Full."),
        ("满。", "满。", "满。"),
        ("", "", ""),
    ],
)
def test_what_somebody_else_said_ends_before_the_next_sentence_begins(
    said: str, english: str, chinese: str
) -> None:
    told = say("deploy.because", line=said, cause="Next.")
    assert (told.render("en_US"), told.render("zh_CN")) == (f"{english} Next.", f"{chinese}Next.")


@pytest.mark.parametrize("area", AREAS)
def test_every_sentence_is_there_in_both_languages_with_the_same_fields(area: str) -> None:
    for name, sentence in catalogue(area).items():
        assert set(sentence) == set(LANGUAGES)
        fields = [set(re.findall(r"\{(\w+)\.?\}", sentence[language])) for language in LANGUAGES]
        assert fields[0] == fields[1], name
        assert set(WORDS_BY_NUMBER.findall(sentence["en_US"])) <= fields[0], name
        assert not WORDS_BY_NUMBER.search(sentence["zh_CN"]), name
        filled = say(f"{area}.{name}", **dict.fromkeys(fields[0], "x"))
        assert all(filled.render(language) for language in LANGUAGES)
