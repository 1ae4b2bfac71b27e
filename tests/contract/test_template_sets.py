"""Template sets and the chart repository they end up in (facts/bcs.md trap 14)."""

from __future__ import annotations

import pytest
import yaml

from tests.emulator import Emulator
from tests.support.plain_client import V1, PlainClient, through_gateway

SETS = f"{V1}/web/templatesets"
CHARTS = "/helmmanager/v1/projects/web/repos/web/charts"


def new_set(*, version: str = "1.0.0", values: str = "", **changes: object) -> dict[str, object]:
    return {
        "name": "shop",
        "version": version,
        "category": "web",
        "description": "",
        "keywords": ["k"],
        "readme": "# not kept",
        "templates": [{"templateSpace": "shop", "templateName": "a.yaml", "version": "1.0.0"}],
        "values": values,
        "force": False,
        **changes,
    }


def test_a_set_becomes_a_chart_whose_files_can_be_read_back(emulator: Emulator, lisi: PlainClient) -> None:
    emulator.state.add_file("shop", "a.yaml", content="kind: A\n")
    made = lisi.post(SETS, new_set(values="x: 1\n"))
    assert (made.code, made.json()["data"]) == (0, None)
    reply = lisi.get(f"{CHARTS}/shop/versions/1.0.0")
    assert (reply.code, reply.json()["result"]) == (0, True)
    assert (reply.item["name"], reply.item["version"], reply.item["readme"]) == ("shop", "1.0.0", "")
    assert reply.item["valuesFile"] == ["shop/values.yaml"]
    contents = reply.item["contents"]
    assert isinstance(contents, dict)
    path = "shop/templates/a.yaml"
    assert contents[path] == {"name": "a.yaml", "path": path, "content": "kind: A\n"}
    chart = yaml.safe_load(contents["shop/Chart.yaml"]["content"])
    assert (chart["version"], chart["annotations"]["creator"]) == ("1.0.0", "lisi")


def test_versions_that_are_not_found_are_dropped_silently(emulator: Emulator, lisi: PlainClient) -> None:
    emulator.state.add_file("shop", "a.yaml", content="kind: A")
    asked = [
        {"templateSpace": "shop", "templateName": name, "version": version}
        for name, version in (("a.yaml", "1.0.0"), ("a.yaml", "9.9.9"), ("b.yaml", "1.0.0"))
    ]
    assert lisi.post(SETS, new_set(templates=asked)).code == 0
    chart = emulator.state.find_chart("shop", "1.0.0")
    assert chart is not None
    assert [path for path in chart.contents if "/templates/" in path] == ["shop/templates/a.yaml"]


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("image: {{ IMAGE }}", 'function "IMAGE" not defined'),
        ("image: {{ image.tag }}", 'function "image" not defined'),
        ("a\nimage: {{", "a.yaml:2): unclosed action"),
        ("image: {{ }}", "missing value"),
        ("image: {{ .Values.image.tag }}", "nil pointer"),
    ],
)
def test_what_is_left_for_bcs_fails_in_helm(
    emulator: Emulator, lisi: PlainClient, content: str, part: str
) -> None:
    emulator.state.add_file("shop", "a.yaml", content=content)
    reply = lisi.post(SETS, new_set())
    assert reply.code == 1
    assert part in reply.message
    assert emulator.state.charts == []


@pytest.mark.parametrize(
    "content",
    [
        "image: {{ .Values.image }}",
        "image: {{ .Values.image.tag | default `x` | quote }}",
        'image: {{ "{{ NAME }}" }}',
        "{{- /* note */ -}}",
        "name: {{ .Release.Name }}",
    ],
)
def test_what_helm_renders_is_taken(emulator: Emulator, lisi: PlainClient, content: str) -> None:
    emulator.state.add_file("shop", "a.yaml", content=content)
    assert lisi.post(SETS, new_set(values="image: {tag: x}")).code == 0


@pytest.mark.parametrize(
    ("version", "code"),
    [("1.0", 0), ("v1.0.0", 0), ("1.0.0-rc.1", 0), ("1.0.0_a", 1), ("build-7", 1), ("1.", 1)],
)
def test_the_version_is_what_helm_takes(
    emulator: Emulator, lisi: PlainClient, version: str, code: int
) -> None:
    emulator.state.add_file("shop", "a.yaml", content="kind: A")
    assert lisi.post(SETS, new_set(version=version)).code == code


def test_a_version_with_a_plus_is_stored_under_another_name(emulator: Emulator, lisi: PlainClient) -> None:
    emulator.state.add_file("shop", "a.yaml", content="kind: A")
    assert lisi.post(SETS, new_set(version="1.0.0+2")).code == 0
    assert [chart.version for chart in emulator.state.charts] == ["1.0.0 2"]
    assert lisi.get(f"{CHARTS}/shop/versions/1.0.0%2B2").code == 6


def test_an_existing_chart_version_is_http_code_500_of_the_repository(
    emulator: Emulator, lisi: PlainClient
) -> None:
    emulator.state.add_file("shop", "a.yaml", content="kind: A")
    assert lisi.post(SETS, new_set()).code == 0
    again = lisi.post(SETS, new_set())
    assert (again.status, again.code, again.message) == (200, 1, "http code 500 != 200")
    assert lisi.post(SETS, new_set(force=True)).code == 0


def test_a_set_needs_a_category_and_whole_template_names(lisi: PlainClient) -> None:
    reply = lisi.post(SETS, new_set(category=""))
    assert reply.message.startswith("invalid CreateTemplateSetReq.Category: ")
    reply = lisi.post(
        SETS, new_set(templates=[{"templateSpace": "shop", "templateName": "", "version": "1"}])
    )
    assert reply.code == 1
    assert reply.message.startswith("invalid CreateTemplateSetReq.Templates[0]: embedded message failed")


def test_a_chart_that_is_not_there_is_code_6(emulator: Emulator, lisi: PlainClient) -> None:
    reply = lisi.get(f"{CHARTS}/shop/versions/1.0.0")
    assert (reply.status, reply.code, reply.json()["result"], reply.json()["data"]) == (200, 6, False, None)
    emulator.state.add_project("other", viewers=())
    refused = lisi.get("/helmmanager/v1/projects/other/repos/other/charts/a/versions/1.0.0")
    assert refused.code == 40403


def test_nobody_and_no_such_project_are_code_11_of_the_chart_repository(
    emulator: Emulator, lisi: PlainClient
) -> None:
    unknown = lisi.get("/helmmanager/v1/projects/none/repos/none/charts/a/versions/1.0.0")
    emulator.state.add_app("an_app", "a-canary-secret")
    with through_gateway(emulator, bk_app_code="an_app", bk_app_secret="a-canary-secret") as nobody:
        reply = nobody.get(f"{CHARTS}/shop/versions/1.0.0")
    assert (unknown.status, unknown.code, reply.status, reply.code) == (200, 11, 200, 11)


def test_environments_are_listed(lisi: PlainClient) -> None:
    assert lisi.get(f"{V1}/web/envs").items == []
