"""The catalogue and the code that says its sentences hold each other: in every area, in both languages."""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from pathlib import Path
from typing import Callable

import pytest
from tests.support.every_error import every_error

import bcs_template_set
from bcs_template_set.manifests.checks.check_manifests import CHECKS
from bcs_template_set.messages import LANGUAGES, Language, known, say

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
    others = (".html.j2", ".json", ".k8s.io")
    assert [key for key in sorted(keys) if not known(key) and not key.endswith(others)] == []


def test_every_check_has_its_sentences() -> None:
    for check in CHECKS:
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


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_title_announces_lines_that_may_not_follow(language: Language) -> None:
    titles = [text for name, text in catalogue("errors").items() if name.endswith(".title")]
    assert [text[language] for text in titles if text[language].endswith((":", "："))] == []


OTHER_WORDS = {
    "en_US": r"template space|[Ii]s no (?:[a-z]+ )?(?:text|YAML|host|port|number|file|object|path)\b|"
    r"[Ii]t is no (?!longer|more)",
    "zh_CN": "改正|应答|任务|打码|读不到|写不进|更新的构建|填的是|散列|构建详情|蓝盾"
    "|设置文件|自动伸缩|自动扩缩容|预演|上述|上面|警告|处处|[，。：；] ",
}
"""What is said by another word everywhere, and blanks behind punctuation that needs none."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_is_one_word_for_a_thing(language: Language) -> None:
    said = [(f"{area}.{name}", text[language]) for area in AREAS for name, text in catalogue(area).items()]
    assert [(key, text) for key, text in said if re.search(OTHER_WORDS[language], text)] == []


TYPICAL = {
    "accepted": "true, false",
    "acting_user": "lisi",
    "app": "my_app",
    "app_code": "my_app",
    "at": "2026-01-31 23:59 UTC",
    "branch": "feature/login",
    "build": "7",
    "by": "",
    "cluster": "BCS-K8S-40000",
    "column": "5",
    "container": "nginx",
    "counts": "2 domains updated",
    "creator": "lisi",
    "credential": "bcs_token",
    "cure": "Correct it.",
    "current": "1.0.9-main",
    "digest": "9f86d081884c7d659a2feaa0c55ad015",
    "field": "spec.replicas",
    "file": "deploy/values.yaml",
    "form": "3",
    "given": "gzz",
    "host": "www.example.com",
    "id": "image-tag",
    "image": "registry.example.com/web:1.2",
    "ingress": "ingress-web",
    "keys": "host, image, replicas",
    "kind": "Deployment",
    "known": "host, image",
    "language": "en_US",
    "length": "70",
    "limit": "63",
    "line": "91",
    "message": "the server's own words",
    "mistake": "imgae is not known.",
    "name": "web.yaml",
    "names": "a.yaml, b.yaml",
    "namespace": "prod",
    "near": "image",
    "object": "Deployment/web",
    "objects": "Deployment/a, Deployment/b",
    "ours": "1.0.8-main",
    "owner": "zhangsan",
    "path": "/login/",
    "paths": "/login/, /search/",
    "pipeline": "release web",
    "place": "web.yaml.j2, line 5",
    "pod": "web-6d5f-x7k2p",
    "port": "8080",
    "problem": "the connection was refused",
    "project": "web",
    "reason": "ErrImagePull",
    "region": "gz",
    "run_as": "authorizer",
    "seconds": "600",
    "sentence": "2 of 3 pods are ready.",
    "service": "web",
    "space": "front-ends",
    "status": "502",
    "subject": "1 of 3 domains",
    "text": "Before, version 1.0.7-main was live.",
    "title": "Deployment/web",
    "url": "https://bkapi.example.com",
    "user": "lisi",
    "value": "3",
    "variable": "BK_CI_AUTHORIZER",
    "version": "1.0.8-main",
    "versions": "1.0.8-main",
    "what": "2 domains",
    "why": "it is not ready.",
}
"""What a field holds as a rule. A field that is not here stands for itself, in capitals; a number is 3."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_reads_as_reviewed(language: Language, golden: Callable[[str, str], None]) -> None:
    lines = []
    for area in AREAS:
        for name, sentence in catalogue(area).items():
            fields = re.findall(r"\{(\w+)[:.}]", sentence["en_US"])
            counted = WORDS_BY_NUMBER.findall(sentence["en_US"])
            usual = {field: TYPICAL.get(field, field.upper()) for field in fields}
            told = [
                say(f"{area}.{name}", **{**usual, **dict.fromkeys(counted, number)}).render(language)
                for number in ((1, 3) if counted else (3,))
            ]
            lines += [f"{area}.{name}", *(f"  {text}" for text in dict.fromkeys(told))]
    golden(f"messages.{language}.txt", "\n".join(lines) + "\n")


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
