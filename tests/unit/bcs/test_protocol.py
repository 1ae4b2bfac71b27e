from __future__ import annotations

import json
import re
from dataclasses import fields
from typing import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcs_template_set.bcs import answers, protocol
from bcs_template_set.bcs.answers import ChartVersion, TemplateFile
from bcs_template_set.bcs.calls import Call, JsonValue, Read, Unreadable, Write
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import InputsInvalid
from bcs_template_set.messages.server_errors import AnswerUnreadable
from bcs_template_set.records.declared import Record

ID = "5" * 24
FILE_DATA: dict[str, JsonValue] = {
    "id": ID,
    "name": "web/a.yaml",
    "realName": "a.yaml",
    "projectCode": "demo",
    "description": "what it is",
    "templateSpace": "web",
    "templateSpaceID": "",
    "resourceType": ["Deployment"],
    "creator": "lisi",
    "updator": "wangwu",
    "createAt": 1700000000,
    "updateAt": 1700000001,
    "tags": ["t1", "t2"],
    "versionMode": 1,
    "version": "1.0.0",
    "versionID": ID,
    "isDraft": True,
    "draftVersion": "0.9",
    "draftContent": "kind: Draft",
    "draftEditFormat": "form",
    "latestDeployVersion": "0.8",
    "latestDeployer": "zhaoliu",
    "renderMode": "Helm",
}


def file() -> TemplateFile:
    return protocol.get_file("demo", ID).parse(FILE_DATA)


def body(call: Call[object]) -> dict[str, JsonValue]:
    parsed: dict[str, JsonValue] = json.loads(call.body_bytes() or b"null")
    return parsed


def create_version() -> Write[answers.Created]:
    return protocol.create_version(
        "demo", template_id=ID, version="1", content="c", description="d", force=False
    )


def create_file(*, below_space: bool = False) -> Write[answers.CreatedFile]:
    return protocol.create_file(
        "demo",
        space_id=ID,
        space="web",
        name="a.yaml",
        version="1",
        content="c",
        version_description="d",
        below_space=below_space,
    )


def create_template_set() -> Write[None]:
    return protocol.create_template_set(
        "demo", name="set", version="1.0.0", description="d", templates=[("web", "a.yaml", "1")]
    )


PATHS: list[tuple[Callable[[], Call[object]], str]] = [
    (lambda: protocol.get_project("demo"), "GET /bcsproject/v1/projects/demo"),
    (lambda: protocol.list_clusters("demo", ID), f"GET /clustermanager/v1/projects/{ID}/clusters"),
    (lambda: protocol.get_release("demo"), "GET /clusterresources/v1/version"),
    (lambda: protocol.list_spaces("demo", name="web"), "GET ~/template/spaces?name=web"),
    (lambda: protocol.list_all_spaces("demo"), "GET ~/template/spaces"),
    (lambda: protocol.create_space("demo", name="web"), "POST ~/template/spaces"),
    (lambda: protocol.list_files("demo", ID), f"GET ~/template/{ID}/metadatas"),
    (lambda: protocol.get_file("demo", ID), f"GET ~/template/metadatas/{ID}"),
    (create_file, "POST ~/template/metadatas"),
    (lambda: protocol.update_file("demo", file(), version="1"), f"PUT ~/template/metadatas/{ID}"),
    (lambda: protocol.ask_old_path("demo"), "GET ~/template/metadatas"),
    (lambda: create_file(below_space=True), f"POST ~/template/{ID}/metadatas"),
    (lambda: protocol.delete_file("demo", ID), f"DELETE ~/template/metadatas/{ID}"),
    (lambda: protocol.list_space_versions("demo", ID), f"GET ~/template/{ID}/metadata/versions"),
    (lambda: protocol.list_versions("demo", ID), f"GET ~/template/{ID}/versions"),
    (lambda: protocol.get_version("demo", ID), f"GET ~/template/versions/{ID}"),
    (
        lambda: protocol.find_version("demo", space="web", name="a.yaml", version="1"),
        "POST ~/template/detail",
    ),
    (create_version, f"POST ~/template/{ID}/versions"),
    (lambda: protocol.delete_version("demo", ID), f"DELETE ~/template/versions/{ID}"),
    (lambda: protocol.list_environments("demo"), "GET ~/envs"),
    (create_template_set, "POST ~/templatesets"),
    (
        lambda: protocol.get_chart_version("demo", name="set", version="1.0.0+a"),
        "GET /helmmanager/v1/projects/demo/repos/demo/charts/set/versions/1.0.0%2Ba",
    ),
]


@pytest.mark.parametrize(("build", "expected"), PATHS, ids=[expected for _, expected in PATHS])
def test_every_call_has_the_method_and_path_of_the_facts(
    build: Callable[[], Call[object]], expected: str
) -> None:
    call = build()
    assert f"{call.method} {call.target}" == expected.replace("~", "/clusterresources/v1/projects/demo")
    assert call.project == "demo"


def test_what_writes_is_a_write_and_the_rest_are_reads() -> None:
    calls = [build() for build, _ in PATHS]
    assert {call.name for call in calls if isinstance(call, Write)} == {
        *("create space", "create file", "update file", "delete file"),
        *("create version", "delete version", "create template set"),
    }
    assert {call.name for call in calls if isinstance(call, Read)} == {
        *("get project", "list clusters", "get release", "list spaces", "list files", "get file"),
        *("ask dialect", "list version names", "list versions", "get version", "find version"),
        *("list environments", "get chart version"),
    }


@pytest.mark.parametrize(
    ("trait", "names"),
    [
        ("may_be_missing", {"ask dialect", "list version names"}),
        ("grows", {"list version names", "list versions"}),
        ("is_bare", {"get release"}),
        ("reads_error", set()),
    ],
)
def test_which_calls_are_not_like_the_others(trait: str, names: set[str]) -> None:
    assert {build().name for build, _ in PATHS if getattr(build(), trait)} == names


def test_a_call_has_no_place_for_headers_or_credentials() -> None:
    assert {field.name for field in fields(Call)} == {
        "name",
        "method",
        "segments",
        "project",
        "parse",
        "query",
        "body",
        "reads_error",
        "may_be_missing",
        "is_bare",
        "longest_again",
        "grows",
    }


def test_bodies_hold_the_fields_of_the_proto() -> None:
    assert body(protocol.create_space("demo", name="web")) == {"name": "web", "description": "", "tags": []}
    assert body(create_file()) == {
        "name": "web/a.yaml",
        "templateSpaceID": ID,
        "description": "",
        "tags": [],
        "version": "1",
        "versionDescription": "d",
        "content": "c",
        "editFormat": "yaml",
        "isDraft": False,
        "renderMode": "Simple",
    }
    assert body(create_version()) == {
        "version": "1",
        "content": "c",
        "description": "d",
        "editFormat": "yaml",
        "renderMode": "Simple",
        "force": False,
    }
    assert body(create_file(below_space=True))["name"] == "a.yaml"
    one_version = {"templateSpace": "web", "templateName": "a.yaml", "version": "1"}
    assert body(create_template_set()) == {
        "name": "set",
        "version": "1.0.0",
        "category": "bk-ci",
        "description": "d",
        "keywords": [],
        "readme": "",
        "templates": [one_version],
        "values": "",
        "force": False,
    }
    assert body(protocol.find_version("demo", space="web", name="a.yaml", version="1")) == one_version
    assert protocol.get_file("demo", ID).body_bytes() is None


def test_updating_a_file_carries_every_field_over_but_the_version() -> None:
    assert body(protocol.update_file("demo", file(), version="1.0.1")) == {
        "name": "web/a.yaml",
        "description": "what it is",
        "tags": ["t1", "t2"],
        "version": "1.0.1",
        "versionMode": "SpecifyVersion",
        "isDraft": True,
        "draftVersion": "0.9",
        "draftContent": "kind: Draft",
        "draftEditFormat": "form",
        "renderMode": "Helm",
    }
    unpinned = file().replaced(version_mode=0)
    assert body(protocol.update_file("demo", unpinned, version="1"))["versionMode"] == "LatestUpdateTime"


# --- names as regular expressions -----------------------------------------------------------------------


def test_a_space_is_asked_for_by_an_escaped_name() -> None:
    assert protocol.list_spaces("demo", name="a.b (1)").query == (("name", r"a\.b \(1\)"),)


@given(st.text(max_size=20), st.text(max_size=20))
def test_an_escaped_name_matches_itself_and_only_names_that_hold_it(name: str, other: str) -> None:
    expression = protocol.escape_regexp(name)
    assert re.search(expression, name) is not None
    assert (re.search(expression, other) is not None) == (name in other)


# --- paths ----------------------------------------------------------------------------------------------


@given(st.text(min_size=1, max_size=20))
def test_a_segment_is_quoted_whole_or_refused(version: str) -> None:
    try:
        path = protocol.get_chart_version("demo", name="set", version=version).path
    except InputsInvalid:
        assert version.strip() in ("", ".", "..")
    else:
        assert re.fullmatch(r"[A-Za-z0-9_.~%-]+", path.rpartition("/")[2])
        assert path.count("/") == 10


def _refused(what: str, segment: str) -> Text:
    return say("gateway.segment", what=what, value=repr(segment))


@pytest.mark.parametrize("segment", ["", ".", "..", " ", "\ud800"])
def test_what_would_change_the_path_is_refused_before_it_is_sent(segment: str) -> None:
    for what, build in (
        ("project_code", lambda: protocol.get_project(segment)),
        ("project_code", lambda: protocol.list_spaces(segment, name="web")),
        ("project_code", lambda: protocol.get_chart_version(segment, name="set", version="1")),
        ("template_set", lambda: protocol.get_chart_version("demo", name=segment, version="1")),
        ("version", lambda: protocol.get_chart_version("demo", name="set", version=segment)),
    ):
        with pytest.raises(InputsInvalid) as refused:
            build()
        assert refused.value.details == (_refused(what, segment),)
    for what, build_with_id in (
        ("projectID", protocol.list_clusters),
        ("templateSpaceID", protocol.list_files),
        ("templateID", protocol.get_file),
        ("versionID", protocol.get_version),
    ):
        with pytest.raises(AnswerUnreadable) as unreadable:
            build_with_id("demo", segment)
        assert (unreadable.value.url, unreadable.value.problem) == (what, _refused(what, segment))


# --- answers --------------------------------------------------------------------------------------------


ANSWERS = [
    answer
    for answer in vars(answers).values()
    if isinstance(answer, type) and issubclass(answer, Record) and answer.__module__ == answers.__name__
]


@pytest.mark.parametrize("answer", ANSWERS)
def test_what_an_answer_does_not_say_is_empty(answer: type[Record]) -> None:
    needed = answer.shape.fields.keys() - answer.shape.defaults.keys()
    said = answer(**dict.fromkeys(needed, "x"))
    assert {name for name, value in vars(said).items() if value} == needed


def test_a_cluster_says_in_its_own_spelling_that_it_is_shared() -> None:
    rows: JsonValue = [{"clusterID": "a", "is_shared": True}, {"clusterID": "b"}]
    found = protocol.list_clusters("demo", ID).parse(rows)
    assert [(cluster.cluster_id, cluster.is_shared) for cluster in found] == [("a", True), ("b", False)]


def test_an_answer_has_pythons_names() -> None:
    read = file()
    assert (read.id, read.real_name, read.version_id, read.version_mode) == (ID, "a.yaml", ID, 1)
    assert (read.resource_type, read.tags) == (("Deployment",), ("t1", "t2"))
    assert (read.create_at, read.latest_deploy_version) == (1700000000, "0.8")


def test_null_lists_are_empty_and_unknown_fields_ignored() -> None:
    read = protocol.get_file("demo", ID).parse(
        {**FILE_DATA, "tags": None, "resourceType": None, "new": {"a": 1}}
    )
    assert (read.tags, read.resource_type) == ((), ())
    assert protocol.list_files("demo", ID).parse(None) == []
    rows: JsonValue = [{"templateName": "web/a", "versionList": None}]
    assert protocol.list_space_versions("demo", ID).parse(rows)[0].version_list == ()


@pytest.mark.parametrize(
    ("row", "bare"),
    [({}, True), ({"tags": []}, False), ({"fav": False}, False), ({"fav": True, "tags": ["a"]}, False)],
)
def test_a_space_without_tags_and_favourites_is_one_of_the_old_dialect(
    row: dict[str, JsonValue], *, bare: bool
) -> None:
    whole = protocol.list_all_spaces("demo")
    assert [space.bare for space in whole.parse([{"id": ID, "name": "web", **row}])] == [bare]
    assert whole.parse(None) == []


def test_what_is_no_list_is_unreadable() -> None:
    with pytest.raises(Unreadable, match=r"^`data` is no list$"):
        protocol.list_files("demo", ID).parse({"id": ID})


def test_numbers_may_be_written_as_go_writes_them() -> None:
    read = protocol.get_file("demo", ID).parse({**FILE_DATA, "createAt": 1.7e9, "versionMode": 1.0})
    assert (read.create_at, read.version_mode) == (1700000000, 1)


@pytest.mark.parametrize("name", ["id", "name", "version", "versionID", "versionMode"])
def test_a_field_that_correctness_rests_on_is_missed_by_name(name: str) -> None:
    rest = {key: value for key, value in FILE_DATA.items() if key != name}
    with pytest.raises(Unreadable) as caught:
        protocol.list_files("demo", ID).parse([FILE_DATA, rest])
    assert f"`{name}`" in caught.value.problem
    assert "`data[1]`" in caught.value.problem


def test_a_field_of_another_type_is_named_by_its_path() -> None:
    with pytest.raises(Unreadable) as caught:
        protocol.list_files("demo", ID).parse([{**FILE_DATA, "tags": ["a", 3]}])
    assert "`data[0].tags[1]`" in caught.value.problem


def test_what_is_nested_too_deep_is_unreadable_and_no_crash() -> None:
    deep: JsonValue = []
    for _ in range(10_000):
        deep = [deep]
    with pytest.raises(Unreadable) as caught:
        protocol.get_file("demo", ID).parse({**FILE_DATA, "tags": deep})
    assert caught.value.problem.endswith(" - at `data`")


def test_a_version_that_is_not_there_is_none() -> None:
    call = protocol.find_version("demo", space="web", name="a", version="1")
    assert call.parse(None) is None
    assert call.parse({}) is None
    with pytest.raises(Unreadable, match=r" - at `data`$"):
        call.parse({"id": ID})


def test_a_chart_holds_the_contents_of_the_files_it_was_made_of() -> None:
    chart = ChartVersion(
        name="set",
        version="1",
        contents={
            "set/templates/b/c.yaml": answers.ChartFile(content="kind: C"),
            "set/templates/a.yaml": answers.ChartFile(content="kind: A"),
            "set/values.yaml": answers.ChartFile(),
        },
    )
    assert chart.template_contents() == {"a.yaml": "kind: A", "b/c.yaml": "kind: C"}


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(FILE_DATA)), inner, max_size=25)
    ),
)


@given(st.sampled_from(PATHS), _json)
def test_any_data_is_read_or_unreadable(
    path: tuple[Callable[[], Call[object]], str], data: JsonValue
) -> None:
    try:
        path[0]().parse(data)
    except Unreadable as error:
        assert error.problem  # noqa: PT017 - reading it is fine too
