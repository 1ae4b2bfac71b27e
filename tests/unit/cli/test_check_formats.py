"""What `check --format` prints for other tools; SARIF's required parts are those of its published schema."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Callable
from xml.etree import ElementTree as ET

import pytest
from jsonschema import Draft4Validator
from tests.support.versions import PROJECT

from bcs_template_set.cli.check_formats import FORMATS, Checked, input_mistake
from bcs_template_set.cli.main import CHECK_FORMATS
from bcs_template_set.manifests.checks.check_manifests import CHECKS
from bcs_template_set.manifests.checks.finding import Finding, Origin
from bcs_template_set.manifests.checks.telling import MISTAKES, mistake, version_mistake
from bcs_template_set.messages import Language, say

HINT = say("checks.image-tag.hint")
IMAGE = Finding(
    "image-tag",
    "a.example.com.deployment.yaml",
    "Deployment/web",
    "spec.template.spec.containers[0].image",
    say("checks.image_untagged", image='<r> & "{{ x }}"\x1b'),
    HINT,
    is_warning=True,
    origin=Origin("deploy/my values.yaml", 14, 3, value="domains[1].image", host="a.example.com"),
)
KIND = Finding("missing-kind", "b.yaml", "?/b", "", say("checks.missing-kind", line=1), HINT)
SYNTAX = mistake("template-syntax", "c.yaml.j2", say("render.syntax", problem="x"), line=2)
INPUT = input_mistake(say("local.unknown_name", name="x", known=["y"]))
VERSION = version_mistake("v", say("checks.version_empty"))


def checked(*findings: Finding, files: tuple[str, ...] = (), language: Language = "en_US") -> Checked:
    return Checked(findings, files, failed=True, language=language, tool_version="0.1.0")


def test_the_command_takes_each_format_and_text() -> None:
    assert ("text", *FORMATS) == CHECK_FORMATS


@pytest.mark.parametrize("form", FORMATS)
def test_what_other_tools_are_told_is_its_golden_file(form: str, golden: Callable[[str, str], None]) -> None:
    """With two findings of one place, what is wrong with no file, and a file in which nothing is found."""
    findings = (IMAGE, replace(IMAGE, is_warning=False), KIND, SYNTAX, INPUT, VERSION)
    text = FORMATS[form](checked(*findings, files=("b.yaml", "good.yaml")))
    golden(f"check.{form}", _with_few_rules(text) if form == "sarif" else text)


def _with_few_rules(sarif: str) -> str:
    """Return the document with the rules that are broken: those of all checks are in their own page."""
    document = json.loads(sarif)
    (run,) = document["runs"]
    driver, broken = run["tool"]["driver"], {result["ruleId"] for result in run["results"]}
    assert {rule["id"] for rule in driver["rules"]} == {*(check.id for check in CHECKS), *MISTAKES, "input"}
    driver["rules"] = [rule for rule in driver["rules"] if rule["id"] in broken]
    for result in run["results"]:
        result["ruleIndex"] = [rule["id"] for rule in driver["rules"]].index(result["ruleId"])
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


_MESSAGE = {
    "type": "object",
    "required": ["text"],
    "properties": {"text": {"type": "string", "minLength": 1}},
}
_PHYSICAL = {
    "type": "object",
    "required": ["artifactLocation"],
    "properties": {
        "artifactLocation": {
            "required": ["uri"],
            "properties": {"uri": {"type": "string", "pattern": r"^\S+$"}},
        },
        "region": {
            "required": ["startLine"],
            "additionalProperties": False,
            "properties": {name: {"type": "integer", "minimum": 1} for name in ("startLine", "startColumn")},
        },
    },
}
_RESULT = {
    "type": "object",
    "required": ["message", "ruleId", "ruleIndex", "level"],
    "additionalProperties": False,
    "properties": {
        "ruleId": {"type": "string"},
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": {"enum": ["none", "note", "warning", "error"]},
        "message": _MESSAGE,
        "locations": {
            "type": "array",
            "items": {
                "required": ["physicalLocation"],
                "additionalProperties": False,
                "properties": {"physicalLocation": _PHYSICAL, "logicalLocations": {"type": "array"}},
            },
        },
    },
}
_RULE = {
    "type": "object",
    "required": ["id", "shortDescription", "fullDescription", "helpUri", "help"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string"},
        "helpUri": {"type": "string", "pattern": r"^docs/\S+$"},
        **dict.fromkeys(("shortDescription", "fullDescription", "help"), _MESSAGE),
    },
}
_DRIVER = {
    "type": "object",
    "required": ["name", "version", "rules"],
    "properties": {"rules": {"type": "array", "uniqueItems": True, "items": _RULE}},
}
_RUN = {
    "type": "object",
    "required": ["tool", "results"],
    "properties": {
        "tool": {"required": ["driver"], "properties": {"driver": _DRIVER}},
        "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        "results": {"type": "array", "items": _RESULT},
    },
}
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {"version": {"enum": ["2.1.0"]}, "runs": {"type": "array", "items": _RUN}},
}


@pytest.mark.parametrize("language", ["en_US", "zh_CN"])
def test_sarif_has_what_its_schema_wants_and_the_line_of_each_result(language: Language) -> None:
    findings = (IMAGE, KIND, SYNTAX, INPUT, VERSION)
    document = json.loads(FORMATS["sarif"](checked(*findings, language=language)))
    Draft4Validator(SARIF).validate(document)
    (run,) = document["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert [rules[result["ruleIndex"]] for result in run["results"]] == [finding.id for finding in findings]
    assert {*MISTAKES, "image-tag", "input"} <= {*rules}
    for rule in run["tool"]["driver"]["rules"]:
        page, _, part = rule["helpUri"].partition("#")
        assert part == ("" if rule["id"] in {*MISTAKES, "input"} else rule["id"])
        assert f"\n## {part}" in (PROJECT / page).read_text(encoding="utf-8")
    texts = json.dumps(run["tool"]["driver"]["rules"], ensure_ascii=False)
    assert "{{ bcs" in texts or "{{ build.number }}" in texts
    assert "{{{" not in texts


def test_a_mistaken_argument_is_of_no_file() -> None:
    mistaken = input_mistake(say("local.no_file"))
    (told,) = json.loads(FORMATS["json"](checked(mistaken)))["findings"]
    places = ("file", "manifest", "document", "kind", "name", "field")
    assert ({told[place] for place in places}, told["message"]) == ({None}, "no such file")


def test_where_nothing_is_found_there_is_a_document_all_the_same() -> None:
    assert json.loads(FORMATS["json"](checked()))["findings"] == []
    assert json.loads(FORMATS["sarif"](checked()))["runs"][0]["results"] == []
    assert len(ET.fromstring(FORMATS["junit"](checked(files=("a",))))) == 1  # noqa: S314 - as above
