"""What `check --format` prints for other tools; SARIF's required parts are those of its published schema."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import cast
from xml.etree import ElementTree as ET

import pytest
from jsonschema import Draft4Validator
from tests.support.versions import PROJECT

from bcs_template_set.cli.check_formats import FORMATS, Checked, input_mistake
from bcs_template_set.cli.main import CHECK_FORMATS
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


def of_json(*findings: Finding) -> dict[str, object]:
    return cast("dict[str, object]", json.loads(FORMATS["json"](checked(*findings, files=("a", "b")))))


def test_the_command_takes_each_format_and_text() -> None:
    assert ("text", *FORMATS) == CHECK_FORMATS


def test_json_has_every_part_of_a_finding_and_null_for_what_is_not_known() -> None:
    document = of_json(IMAGE, KIND, SYNTAX)
    findings = cast("list[dict[str, object]]", document.pop("findings"))
    assert document == {
        "tool": {"name": "bcs-template-set", "version": "0.1.0"},
        "failed": True,
        "files": 2,
        "counts": {"image-tag": 1, "missing-kind": 1, "template-syntax": 1},
    }
    image, kind, syntax = findings
    assert image == {
        "file": "deploy/my values.yaml",
        "line": 14,
        "column": 3,
        "value": "domains[1].image",
        "host": "a.example.com",
        "manifest": "a.example.com.deployment.yaml",
        "document": "Deployment/web",
        "kind": "Deployment",
        "name": "web",
        "field": "spec.template.spec.containers[0].image",
        "check": "image-tag",
        "severity": "warning",
        "message": 'the image <r> & "{{ x }}"\\x1b has no tag.',
        "hint": "Give it the tag of one build, or a digest.",
        "allowed_by": "# bcs-template-set: allow image-tag",
    }
    assert (kind["file"], kind["line"], kind["severity"], kind["field"]) == ("b.yaml", None, "error", None)
    assert (syntax["file"], syntax["line"], syntax["manifest"], syntax["allowed_by"]) == (
        *("c.yaml.j2", 2),
        *(None, None),
    )


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
    image, kind, syntax, given, version = run["results"]
    assert image["level"] == "warning"
    assert "{{{{ x }}}}" in image["message"]["text"]
    (place,) = image["locations"]
    assert place["physicalLocation"] == {
        "artifactLocation": {"uri": "deploy/my%20values.yaml"},
        "region": {"startLine": 14, "startColumn": 3},
    }
    assert place["logicalLocations"] == [
        {"fullyQualifiedName": f"domains[1].image Deployment/web {IMAGE.field}"}
    ]
    assert "region" not in kind["locations"][0]["physicalLocation"]
    assert syntax["locations"] == [
        {"physicalLocation": {"artifactLocation": {"uri": "c.yaml.j2"}, "region": {"startLine": 2}}}
    ]
    assert "locations" not in given
    assert "locations" not in version


def test_junit_has_a_suite_a_file_and_a_case_a_finding() -> None:
    text = FORMATS["junit"](
        checked(IMAGE, SYNTAX, INPUT, replace(IMAGE, is_warning=False), files=("b.yaml",))
    )
    top = ET.fromstring(text)  # noqa: S314 - our own document
    assert {name: top.get(name) for name in ("tests", "failures", "errors")} == {
        "tests": "5",
        "failures": "3",
        "errors": "0",
    }
    suites = {suite.get("name"): suite for suite in top}
    assert list(suites) == ["b.yaml", "deploy/my values.yaml", "c.yaml.j2", "bcs-template-set"]
    assert [case.get("name") for case in suites["b.yaml"]] == ["check"]
    warned, failed = suites["deploy/my values.yaml"]
    assert warned.get("name") == "image-tag, line 14:3, domains[1].image (a.example.com)"
    assert (warned.get("file"), warned.get("line")) == ("deploy/my values.yaml", "14")
    assert [part.tag for part in (*warned, *failed)] == ["system-out", "failure"]
    assert failed[0].get("message") == 'the image <r> & "{{ x }}"\\x1b has no tag.'
    assert (failed[0].text or "").endswith("Give it the tag of one build, or a digest.")
    (syntax,) = suites["c.yaml.j2"]
    assert syntax[0].get("type") == "template-syntax"
    assert suites["deploy/my values.yaml"].get("failures") == "1"


def test_where_nothing_is_found_there_is_a_document_all_the_same() -> None:
    assert json.loads(FORMATS["json"](checked()))["findings"] == []
    assert json.loads(FORMATS["sarif"](checked()))["runs"][0]["results"] == []
    assert len(ET.fromstring(FORMATS["junit"](checked(files=("a",))))) == 1  # noqa: S314 - as above
