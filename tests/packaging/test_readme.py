"""The tables of the two READMEs are held to the code; `make golden` writes those of errors and checks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from inspect import isfunction
from pathlib import Path
from typing import Any, Callable, get_origin, get_type_hints

import pytest
from tests.packaging.documents import (
    CHINESE_README,
    DOCUMENTS,
    ENGLISH_README,
    Document,
    broken_links,
)
from tests.packaging.store_files import PROJECT, general_title

from bcs_template_set.bcs import deploy_calls, protocol
from bcs_template_set.bcs.calls import Call, Read, Write
from bcs_template_set.bcs.space import live_routes
from bcs_template_set.cli.verb_plan import LocalAgent, read_settings_file
from bcs_template_set.config.inputs import INPUTS, read_settings
from bcs_template_set.config.region_settings import KEYS, read_regions
from bcs_template_set.config.regions import Endpoint
from bcs_template_set.manifests.checks.check_manifests import all_checks
from bcs_template_set.manifests.kinds import JOB, POD
from bcs_template_set.manifests.templating.build_context import CONTEXT_NAMES
from bcs_template_set.messages import Language, Text
from bcs_template_set.messages.errors import every_error
from bcs_template_set.report.output import OUTPUTS
from bcs_template_set.rollout.cause_rules import CRASHES, NEVER, REPLACED, RULES, STARTS, Rule
from bcs_template_set.rollout.causes import CRASH_RESTARTS
from bcs_template_set.system.version import step_version

PACKAGE = PROJECT / "atom" / "bcs_template_set"
SCHEMA = PROJECT / "templates" / "web" / "values.schema.json"

both = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.language)


# --- inputs, outputs, settings, values ------------------------------------------------------------------


@both
def test_every_input_is_there_in_order_with_its_default(document: Document) -> None:
    wanted = []
    for known in INPUTS:
        none = document.required if known.required else document.none
        shown = document.pipelines_project if known.name == "project_code" else known.default or none
        wanted.append((known.name, shown))
    assert document.defaults("inputs") == wanted


@both
def test_every_choice_of_an_input_is_named_in_its_row(document: Document) -> None:
    rows = {row[0]: " ".join(row[1:]) for row in document.rows("inputs")}
    missing = [
        (known.name, choice)
        for known in INPUTS
        for choice in known.choices
        if not re.search(rf"\b{choice}\b", rows[known.name], re.ASCII)
    ]
    assert missing == []


@both
def test_every_output_is_there_in_order(document: Document) -> None:
    assert document.names("outputs") == list(OUTPUTS)


@both
def test_every_name_of_the_build_is_there(document: Document) -> None:
    assert document.names("names") == list(CONTEXT_NAMES)


@both
def test_every_private_setting_is_there_with_its_default(document: Document) -> None:
    endpoint = Endpoint(gateway="")
    wanted = []
    for key in KEYS:
        value = getattr(endpoint, key, None)
        shown = f"{value:g}" if isinstance(value, (int, float)) else value
        wanted.append((key, shown or document.none))
    wanted[KEYS.index("gateway")] = ("gateway", document.required)
    wanted[KEYS.index("people")] = ("people", "record")
    wanted[KEYS.index("progress_detail")] = ("progress_detail", "false")
    assert document.defaults("private settings") == wanted


@both
def test_the_examples_of_settings_are_accepted(document: Document, tmp_path: Path) -> None:
    (private,) = document.fences("private settings", kind="yaml")
    assert list(read_regions(private)) == ["gz"]
    (desk,) = document.fences("desk", kind="yaml")
    (tmp_path / "desk.yaml").write_text(desk, encoding="utf-8")
    inputs = LocalAgent(read_settings_file(tmp_path / "desk.yaml")).inputs()
    assert read_settings(inputs, regions=["gz"]).action == "plan"


@both
@pytest.mark.parametrize("part", ["web", "domain", "volume", "probe"])
def test_every_value_of_the_built_in_template_is_there_with_its_default(
    document: Document, part: str
) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    table = schema if part == "web" else schema["$defs"][part]
    assert document.defaults(part) == [
        (name, _default(name, rule, table, document)) for name, rule in table["properties"].items()
    ]


def _default(name: str, rule: Mapping[str, Any], table: Mapping[str, Any], document: Document) -> str:
    if name in table.get("required", ()):
        return document.required
    if "default" not in rule:
        return document.none
    default = rule["default"]
    return default if isinstance(default, str) else json.dumps(default)


# --- permissions ----------------------------------------------------------------------------------------

FILE = protocol.TemplateFile(id="{id}", name="a/b", version="1", version_id="v", version_mode=0)
PLACE = deploy_calls.NamespaceRef("{project}", "{project}", "{cluster}", "{namespace}")
BELOW_SPACE = protocol.create_file(
    "{project}",
    space_id="{id}",
    space="a",
    name="b",
    version="1",
    content="",
    version_description="",
    below_space=True,
)
"""Where the same call goes in the dialect of the stable release."""
CALLS: Mapping[str, Call[object]] = {
    "get_project": protocol.get_project("{project}"),
    "list_spaces": protocol.list_spaces("{project}", name="a"),
    "ask_old_path": protocol.ask_old_path("{project}"),
    "list_files": protocol.list_files("{project}", "{id}"),
    "list_space_versions": protocol.list_space_versions("{project}", "{id}"),
    "list_versions": protocol.list_versions("{project}", "{id}"),
    "get_version": protocol.get_version("{project}", "{id}"),
    "find_version": protocol.find_version("{project}", space="a", name="b", version="1"),
    "create_space": protocol.create_space("{project}", name="a"),
    "get_file": protocol.get_file("{project}", "{id}"),
    "create_file": protocol.create_file(
        "{project}", space_id="s", space="a", name="b", version="1", content="", version_description=""
    ),
    "create_version": protocol.create_version(
        "{project}", template_id="{id}", version="1", content="", description="", force=False
    ),
    "update_file": protocol.update_file("{project}", FILE, version="1"),
    "create_template_set": protocol.create_template_set(
        "{project}", name="{name}", version="1", description="", templates=()
    ),
    "get_chart_version": protocol.get_chart_version("{project}", name="{name}", version="{version}"),
    "list_variables": deploy_calls.list_variables(PLACE, version_ids=()),
    "preview": deploy_calls.preview(PLACE, version_ids=(), variables={}),
    "deploy": deploy_calls.deploy(PLACE, version_ids=(), variables={}),
    "get_live": deploy_calls.get_live(PLACE, kind=POD, name="{name}"),
    "list_live": deploy_calls.list_live(PLACE, kind=POD),
    "list_pods_of": deploy_calls.list_pods_of(PLACE, kind=JOB, name="{name}"),
    "list_live_ingresses": live_routes.list_live_ingresses(PLACE),
}


def test_this_test_knows_every_call() -> None:
    deploying = {
        name
        for name, found in vars(deploy_calls).items()
        if isfunction(found) and get_origin(get_type_hints(found).get("return")) in (Read, Write)
    }
    live = {"list_live_ingresses"}
    assert set(CALLS) == {name for name in protocol.__all__ if name.islower()} | deploying | live


@both
def test_every_call_that_the_step_makes_has_its_grant_and_no_other_is_asked_for(document: Document) -> None:
    made = {_grant(call) for call in (BELOW_SPACE, *(CALLS[name] for name in _calls_made()))}
    rows = document.names("permissions")
    assert len(rows) == len(set(rows))
    assert set(rows) == made


def _grant(call: Call[object]) -> str:
    """Return a call as the table names it; pods stand for every kind of live object."""
    path = "/".join(call.segments)
    return f"{call.method} /{path}".replace("/workloads/pods", "/workloads/{kind}")


def _calls_made() -> set[str]:
    """Return the calls that a module other than their own names."""
    own = ("protocol.py", "deploy_calls.py", "live_routes.py")
    text = "\n".join(
        path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py") if path.name not in own
    )
    return set(re.findall(r"\b(?<!def )(?<!\.)(?:protocol\.)?([a-z_]+)\(", text)) & set(CALLS)


# --- errors and checks ----------------------------------------------------------------------------------


@both
def test_every_error_and_check_has_its_row_with_the_words_of_the_catalogue(
    document: Document, derived: Callable[[Path, str], None]
) -> None:
    derived(document.path, _with_generated_tables(document))


@both
def test_every_error_stands_under_the_heading_of_its_group_once(document: Document) -> None:
    found = re.findall(r"^\| `?(8\d{5})`? \|", document.text, re.MULTILINE)
    assert found == [str(kind.code) for kind in every_error()]


@both
def test_every_check_has_its_row(document: Document) -> None:
    assert document.names("checks") == [check.id for check in all_checks()]


def _with_generated_tables(document: Document) -> str:
    language, text = document.language, document.text
    checks = ([f"`{check.id}`", check.summary.render(language)] for check in all_checks())
    text = _with_rows(text, re.escape(document.headings["checks"]), checks)
    groups = sorted({kind.code // 100 for kind in every_error()})
    for group in groups:
        codes = [kind.code for kind in every_error() if kind.code // 100 == group]
        rows = ([f"`{code}`", general_title(code, language), _cure(code, language)] for code in codes)
        text = _with_rows(text, rf"{group}xx[:：].*", rows)
    rules = [*(rule for rule in RULES if rule.reasons), REPLACED]
    causes = ([*_cause(rule, language), document.waits(_patience(rule))] for rule in rules)
    return _with_rows(text, re.escape(document.headings["causes"]), causes)


def _with_rows(text: str, heading: str, rows: Iterable[Iterable[str]]) -> str:
    """Return the document with other rows in the first table under a heading; its head stays."""
    table = re.compile(rf"(^#+ {heading}\n(?:(?!#|\|).*\n)*\|.*\n\|.*\n)(?:\|.*\n)*", re.MULTILINE)
    assert table.search(text), f"no table under a heading {heading!r}"
    lines = "".join(f"| {' | '.join(map(_cell, row))} |\n" for row in rows)
    return table.sub(lambda match: match[1] + lines, text, count=1)


def _cell(text: str) -> str:
    """Return a text for a cell: no bar ends it, and what looks like a placeholder of HTML is none."""
    return text.replace("|", "\\|").replace("<", "&lt;")


class _Ellipses(dict[str, object]):
    """Fields that are all an ellipsis, whatever a cure asks for."""

    def __missing__(self, key: str) -> str:
        return "…"


def _cure(code: int, language: Language) -> str:
    return Text(f"errors.{code}.cure", _Ellipses()).render(language)


def _cause(rule: Rule, language: Language) -> list[str]:
    """Return what is wrong and what to do."""
    sentences = [Text(f"rollout.{rule.name}.{part}", _Ellipses()) for part in ("cause", "cure")]
    return [re.sub("…[.。]", "…", sentence.render(language)) for sentence in sentences]


def _patience(rule: Rule) -> str:
    """Return how long a cause may last: a name that documents have words for, or seconds."""
    if rule.patience is not None:
        return "never" if rule.patience == NEVER else f"{rule.patience:g}"
    return "crashes" if rule.reasons & (CRASHES | STARTS | {"OOMKilled"}) else "timeout"


@both
def test_the_crashes_that_are_waited_for_are_those_of_the_rule(document: Document) -> None:
    assert str(CRASH_RESTARTS) in document.waits("crashes")


# --- the documents themselves ---------------------------------------------------------------------------


def test_the_readme_begins_with_three_sentences_and_the_two_commands() -> None:
    title, what, commands = ENGLISH_README.text.split("\n\n")[:3]
    assert title.startswith("# ")
    assert len(re.findall(r"\.(?=\s|$)", what)) == 3
    assert re.findall(r"^make \w+", commands, re.MULTILINE) == ["make demo", "make test"]


def test_the_chinese_readme_begins_with_three_sentences() -> None:
    title, what = CHINESE_README.text.split("\n\n")[:2]
    assert title.startswith("# ")
    assert what.count("。") == 3


@both
def test_every_make_target_that_is_named_exists(document: Document) -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[0].split())
    assert set(re.findall(r"\bmake ([a-z]+)\b(?=`|\s{2}|;|$)", document.text, re.MULTILINE)) <= targets


@both
def test_every_link_leads_somewhere(document: Document) -> None:
    assert broken_links(document.path) == []


def test_every_folder_is_in_the_layout_once() -> None:
    named = [name for row in ENGLISH_README.names("modules") for name in row.split(", ")]
    assert sorted(named) == sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))


def test_the_changelog_tells_of_this_version_first() -> None:
    changelog = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.findall(r"^## (\S+)", changelog, re.MULTILINE)[0]
    assert newest == step_version()
