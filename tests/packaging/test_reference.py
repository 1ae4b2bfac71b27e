"""The reference says what the code says: `make golden` writes its tables. Nothing in them is left over."""

from __future__ import annotations

import re
from collections.abc import Mapping
from inspect import isfunction, signature
from pathlib import Path
from typing import Callable, get_origin, get_type_hints

import pytest
from tests.packaging.documents import language_of, name_of, read
from tests.packaging.reference import MARKED, MEANINGS, REFERENCE, TABLES, schema_part, with_tables
from tests.packaging.store_files import PROJECT
from tests.support.every_error import every_error

from bcs_template_set.bcs import answers, deploy_calls, protocol
from bcs_template_set.bcs.calls import Call, Read, Write
from bcs_template_set.bcs.space import live_objects, live_routes
from bcs_template_set.config.inputs import INPUTS
from bcs_template_set.config.regions import KEYS
from bcs_template_set.manifests.checks.check_manifests import CHECKS
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kinds import CONFIG_MAP, JOB, POD
from bcs_template_set.manifests.templating.build_context import CONTEXT_NAMES
from bcs_template_set.report.output import OUTPUTS

PACKAGE = PROJECT / "atom" / "bcs_template_set"
PAGES = sorted(REFERENCE.glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_of_the_reference_says_what_the_code_says(
    page: Path, derived: Callable[[Path, str], None]
) -> None:
    derived(page, with_tables(read(page), language_of(page)))


@pytest.mark.parametrize("language", ["en_US", "zh_CN"])
def test_every_table_is_on_one_page_of_each_language(language: str) -> None:
    placed = [
        found[2] for page in PAGES if language_of(page) == language for found in MARKED.finditer(read(page))
    ]
    assert sorted(placed) == sorted(TABLES)


def test_every_meaning_belongs_to_something_that_there_is() -> None:
    assert list(MEANINGS.inputs) == [known.name for known in INPUTS]
    assert list(MEANINGS.outputs) == list(OUTPUTS)
    assert list(MEANINGS.private_settings) == list(KEYS)
    assert list(MEANINGS.names) == list(CONTEXT_NAMES)
    assert list(MEANINGS.checks) == [check.id for check in CHECKS]
    assert list(MEANINGS.error_groups) == sorted({kind.code // 100 for kind in every_error()})
    for part, meanings in MEANINGS.values.items():
        assert list(meanings) == list(schema_part(part)["properties"])


def test_every_choice_of_an_input_is_named_in_its_meaning() -> None:
    missing = [
        (known.name, choice)
        for known in INPUTS
        for choice in known.choices
        for meaning in (MEANINGS.inputs[known.name].en_US, MEANINGS.inputs[known.name].zh_CN)
        if f"`{choice}`" not in meaning
    ]
    assert missing == []


# --- permissions ----------------------------------------------------------------------------------------

FILE = answers.TemplateFile(id="{id}", name="a/b", version="1", version_id="v", version_mode=0)
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
ANY_CUSTOM = Kind("", "", route="crds/{crd}")
CUSTOM_CALLS = ("get_custom", "list_custom", "delete_custom")
"""The calls about live objects, where these are of a custom kind."""
CALLS: Mapping[str, Call[object]] = {
    "get_project": protocol.get_project("{project}"),
    "list_clusters": protocol.list_clusters("{project}", "{project}"),
    "get_release": protocol.get_release("{project}"),
    "list_spaces": protocol.list_spaces("{project}", name="a"),
    "list_all_spaces": protocol.list_all_spaces("{project}"),
    "delete_file": protocol.delete_file("{project}", "{id}"),
    "delete_version": protocol.delete_version("{project}", "{id}"),
    "list_environments": protocol.list_environments("{project}"),
    "ask_old_path": protocol.ask_old_path("{project}"),
    "list_files": protocol.list_files("{project}", "{id}"),
    "list_space_versions": protocol.list_space_versions("{project}", "{id}"),
    "list_versions": protocol.list_versions("{project}", "{id}"),
    "get_version": protocol.get_version("{project}", "{id}"),
    "find_version": protocol.find_version("{project}", space="a", name="b", version="1"),
    "create_space": protocol.create_space("{project}", name="a"),
    "get_file": protocol.get_file("{project}", "{id}"),
    "create_file": protocol.create_file(
        "{project}",
        space_id="s",
        space="a",
        name="b",
        version="1",
        content="",
        version_description="",
        below_space=False,
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
    "may_deploy": deploy_calls.may_deploy(PLACE),
    "deploy": deploy_calls.deploy(PLACE, version_ids=("v",), variables={}),
    "get_live": deploy_calls.get_live(PLACE, kind=POD, name="{name}"),
    "list_namespaces": deploy_calls.list_namespaces(PLACE),
    "list_live": deploy_calls.list_live(PLACE, kind=POD),
    "list_autoscalers": deploy_calls.list_autoscalers(PLACE),
    "list_pods_of": deploy_calls.list_pods_of(PLACE, kind=JOB, name="{name}", labels={}),
    "get_custom": deploy_calls.get_live(PLACE, kind=ANY_CUSTOM, name="{name}"),
    "may_delete": deploy_calls.may_delete(PLACE),
    "delete_live": deploy_calls.delete_live(PLACE, kind=POD, name="{name}"),
    "delete_custom": deploy_calls.delete_live(PLACE, kind=ANY_CUSTOM, name="{name}"),
    "list_custom": deploy_calls.list_live(PLACE, kind=ANY_CUSTOM),
    "list_live_ingresses": live_routes.list_live_ingresses(PLACE),
    "list_rows": live_objects.list_rows(PLACE, kind=CONFIG_MAP),
}


def test_this_test_knows_every_call() -> None:
    calls = {
        name
        for module in (protocol, deploy_calls)
        for name, found in vars(module).items()
        if isfunction(found) and get_origin(get_type_hints(found).get("return")) in (Read, Write)
    }
    others = {"list_live_ingresses", "list_rows", *CUSTOM_CALLS}
    assert set(CALLS) == {name for name in calls if not name.startswith("_")} | others


def test_a_read_goes_where_a_write_goes_only_to_ask_for_the_right_to_deploy_nothing() -> None:
    written = {_grant(call) for call in (BELOW_SPACE, *CALLS.values()) if isinstance(call, Write)}
    (question,) = [call for call in CALLS.values() if isinstance(call, Read) and _grant(call) in written]
    assert question.body is not None
    assert question.body["templateVersions"] == []
    assert list(signature(deploy_calls.may_deploy).parameters) == ["place"]


def test_every_call_that_the_step_makes_has_its_grant_and_no_other_is_asked_for() -> None:
    made = {
        _grant(call) for call in (BELOW_SPACE, *(CALLS[name] for name in (*_calls_made(), *CUSTOM_CALLS)))
    }
    assert set(MEANINGS.calls) == made


def _grant(call: Call[object]) -> str:
    """Return a call as the table names it; pods and ConfigMaps stand for every kind of live object."""
    path = "/".join(call.segments).replace("/configs/configmaps", "/{configs|networks|storages}/{kind}")
    path = path.replace(deploy_calls.NOBODY, "{name}")
    return f"{call.method} /{path}".replace("/workloads/pods", "/workloads/{kind}")


def _calls_made() -> set[str]:
    """Return the calls that a module other than their own names."""
    own = ("protocol.py", "deploy_calls.py", "live_routes.py")
    text = "\n".join(
        path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py") if path.name not in own
    )
    return set(re.findall(r"\b(?<!def )(?<!\.)(?:protocol\.)?([a-z_]+)\(", text)) & set(CALLS)
