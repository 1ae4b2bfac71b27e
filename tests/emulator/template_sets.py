"""Template sets: the chart BCS builds from versions, renders once, and uploads. Performs no I/O.

pkg/action/template/{template,helper}.go: versions that are not found are left out silently; the chart keeps
a file's name without its space, so two files of one name collide; the request's readme is not used. The
upload (pkg/component/helm/client.go) reports a chart version that exists as `http code 500 != 200`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import yaml

from tests.emulator.cluster_resources import Call, Operation, Refusal
from tests.emulator.entities import Chart, TemplateVersion
from tests.emulator.go_yaml import Unreadable, read_mapping
from tests.emulator.helm_template import refuse_template

_PART = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_CHART_VERSION = re.compile(rf"v?[0-9]+(?:\.[0-9]+){{0,2}}(?:-{_PART})?(?:\+{_PART})?")
"""What Helm takes for a chart's version (Masterminds/semver NewVersion): `1.0` and `v1.2.0` too."""


def create_template_set(call: Call) -> object:
    """Build, check and upload the chart; `data` is null on success."""
    message = call.message
    name, version = message.text("name"), message.text("version")
    found = _found_versions(call)
    _check_renders(found, chart=name, values=_parse_values(message.text("values")))
    if _CHART_VERSION.fullmatch(version) is None:
        invalid = f'validation: chart.metadata.version "{version}" is invalid'
        raise Refusal(f"failed to save chart, chart validation: {invalid}")
    # In the upload's query it stands unescaped, and `+` is a blank there (facts/bcs.md trap 15).
    stored = version.replace("+", " ")
    exists = call.state.find_chart(name, stored, project=call.project.code) is not None
    if exists and not message.flag("force"):
        raise Refusal("http code 500 != 200")
    call.state.insert_chart(
        Chart(project=call.project.code, name=name, version=stored, contents=_contents(call, found))
    )
    return None


def _found_versions(call: Call) -> list[TemplateVersion]:
    found: list[TemplateVersion] = []
    for wanted in call.message.templates():
        versions = call.state.find_versions(
            wanted["templateSpace"], wanted["templateName"], project=call.project.code
        )
        found += [version for version in versions if version.version == wanted["version"]][:1]
    return found


def _parse_values(text: str) -> Mapping[str, object]:
    try:
        return read_mapping(text)
    except Unreadable as exc:
        raise Refusal(str(exc)) from exc


def _check_renders(found: list[TemplateVersion], *, chart: str, values: Mapping[str, object]) -> None:
    for version in found:
        reason = refuse_template(f"{chart}/templates/{version.file}", version.content, values=values)
        if reason is not None:
            raise Refusal(reason)


def _contents(call: Call, found: list[TemplateVersion]) -> dict[str, str]:
    name = call.message.text("name")
    contents = {
        f"{name}/Chart.yaml": _chart_yaml(call),
        f"{name}/values.yaml": call.message.text("values"),
    }
    contents.update({f"{name}/templates/{version.file}": version.content for version in found})
    return contents


def _chart_yaml(call: Call) -> str:
    message = call.message
    asked = [
        {key: wanted.get(key, "") for key in ("templateSpace", "templateName", "version")}
        for wanted in message.templates()
    ]
    metadata = {
        "annotations": {
            "bcs_template_sets": json.dumps(asked, ensure_ascii=False),
            "category": message.text("category"),
            "creator": call.user,
        },
        "apiVersion": "v2",
        "appVersion": message.text("version"),
        "description": message.text("description"),
        "keywords": message.texts("keywords"),
        "name": message.text("name"),
        "version": message.text("version"),
    }
    return yaml.safe_dump(metadata, allow_unicode=True, sort_keys=True)


OPERATIONS = (
    Operation(
        name="TemplateSet.CreateTemplateSet",
        method="POST",
        path="templatesets",
        message="CreateTemplateSetReq",
        handler=create_template_set,
    ),
    Operation(
        name="TemplateSet.ListEnvManages",
        method="GET",
        path="envs",
        message="ListEnvManagesReq",
        handler=lambda call: call.state.envs,
        is_list=True,
    ),
)
