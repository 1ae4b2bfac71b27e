"""What the verbs that only look ask of a folder and a namespace, and what they tell of the answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Optional

import pytest
from tests.support.phases import CLUSTER, NAMESPACE, PLACE, Answer, Answers, Cluster, run_of, settings_of
from tests.support.planned import OURS, SPACE
from tests.support.small_namespace import SmallNamespace, body, id_of, marked

from bcs_template_set.bcs.answers import TemplateFile
from bcs_template_set.bcs.calls import JsonValue, Reader
from bcs_template_set.cli.looks import (
    Folder,
    look_at_difference,
    look_at_history,
    look_at_status,
    read_folder,
)
from bcs_template_set.manifests.fields import mapping_at
from bcs_template_set.messages.errors import (
    ClusterNotVisible,
    InputsInvalid,
    NamespaceMissing,
    NoPermission,
)
from bcs_template_set.messages.server_errors import BcsFailed, GatewayFailed
from bcs_template_set.messages.step_error import StepError

NO = NoPermission(user="lisi", message="m")
HIDDEN = ClusterNotVisible(cluster=CLUSTER, project="web", message="m")
DOWN = GatewayFailed(url="u", status=504, message="m")


def file(name: str, version: str = "1.0.7-main") -> TemplateFile:
    """Return a file of the folder that points at a version."""
    return TemplateFile(
        id=f"{name:0<24}".encode().hex()[:24],
        name=name,
        real_name=name,
        version=version,
        version_id=id_of(name, version),
        version_mode=0,
    )


def folder(reader: Reader, *names: str, others: Sequence[str] = (), namespace: bool = True) -> Folder:
    """Return a folder of files that are asked for, and others."""
    target = SmallNamespace().deploying() if namespace else None
    mine, rest = (tuple(map(file, some)) for some in (names, others))
    return Folder(reader, settings_of(), SPACE, mine, rest, target)


# --- status ---------------------------------------------------------------------------------------------


def live_at(*versions: str) -> SmallNamespace:
    """Return a namespace in which `a.yaml` is live at one version, `b.yaml` at the next, and so on."""
    bcs = SmallNamespace()
    for name, version in zip("abcdef", versions):
        item = body("ConfigMap", name, data={})
        bcs.holds(f"{name}.yaml", version, item)
        bcs.live[f"ConfigMap/{name}"] = marked(item, f"{name}.yaml", version)
    return bcs


def test_status_says_where_it_looked_and_tells_each_domain_with_its_build() -> None:
    bcs = live_at("1.0.7-main", "v1")
    bcs.by[id_of("b.yaml", "v1")] = OURS.line("")
    here = folder(bcs, "a.yaml", "b.yaml")
    told = json.loads("".join(look_at_status(here, as_json=True, language="en_US")))
    assert {name: told[name] for name in ("cluster_id", "namespace", "space")} == {
        "cluster_id": CLUSTER,
        "namespace": NAMESPACE,
        "space": "front-ends",
    }
    assert [domain["builds"] for domain in told["domains"]] == [["7 (main)"], ["7 (main)"]]
    head, _, *rows = look_at_status(here, as_json=False, language="en_US")
    assert head == f"{CLUSTER}, namespace {NAMESPACE}, folder front-ends"
    assert [row.split()[:2] for row in rows] == [["a.yaml", "1.0.7-main"], ["b.yaml", "v1"], ["2", "live"]]


def test_where_a_version_can_not_be_read_its_build_is_not_told_and_all_else_is() -> None:
    bcs = live_at("v1")

    def fail() -> None:
        raise NO

    bcs.before["get version"] = fail
    told = json.loads("".join(look_at_status(folder(bcs, "a.yaml"), as_json=True, language="en_US")))
    (domain,) = told["domains"]
    assert (domain["state"], domain["versions"], domain["builds"]) == ("live", ["v1"], [])


def test_what_carries_a_version_that_is_gone_is_told_without_reading_it() -> None:
    bcs = live_at("v1")
    bcs.versions.clear()
    told = json.loads("".join(look_at_status(folder(bcs, "a.yaml"), as_json=True, language="en_US")))
    assert (told["domains"][0]["builds"], bcs.count("get version")) == ([], 0)


# --- history --------------------------------------------------------------------------------------------


def version(name: str, number: int, *, content: str = "", described: str = "") -> JsonValue:
    return {
        "id": id_of("a.yaml", name),
        "version": name,
        "content": content,
        "description": described,
        "creator": "lisi",
        "createAt": 1_767_225_600 + number,
    }


PAST: Mapping[str, Answer] = {"list versions": [version("1.0.7-main", 7), version("1.0.6-main", 6)]}


def history(reader: Reader, *, namespace: bool = True) -> tuple[Any, list[str]]:
    """Return what `history` of a file tells programs, and people."""
    here = folder(reader, "a.yaml", namespace=namespace)
    told = json.loads("".join(look_at_history(here, as_json=True, language="en_US")))
    return told, [*look_at_history(here, as_json=False, language="en_US")]


def test_history_without_a_namespace_asks_no_cluster_and_says_nothing_of_what_is_live() -> None:
    reader = Answers(PAST)
    told, lines = history(reader, namespace=False)
    assert (told["space"], told["not_known"]) == ("front-ends", [])
    assert [(row["version"], row["live"]) for row in told["versions"]] == [
        ("1.0.7-main", None),
        ("1.0.6-main", None),
    ]
    assert [line.split()[:2] for line in lines[1:]] == [
        ["1.0.7-main", "current"],
        ["1.0.6-main", "2026-01-01"],
    ]


def test_history_with_a_namespace_tells_what_is_live_by_whom_and_what_nobody_could_see() -> None:
    item = marked(body("ConfigMap", "a"), "a.yaml", "1.0.6-main", by="wangwu")
    maps: JsonValue = {"items": [{**item, "metadata": {**mapping_at(item, "metadata"), "uid": "uid-a"}}]}
    pods: JsonValue = {
        "metadata": {
            "name": "web-1",
            "uid": "uid-1",
            "annotations": {
                "io.tencent.paas.template_name": "front-ends/a.yaml",
                "io.tencent.paas.template_version": "1.0.7-main",
                "io.tencent.paas.updator": "zhaoliu",
                "deployment.kubernetes.io/revision": "3",
            },
            "ownerReferences": [{"kind": "Deployment", "uid": "u", "name": "web"}],
        }
    }
    reader = Cluster(
        {
            **PAST,
            "list ConfigMap": {"manifest": maps},
            "list ReplicaSet": {"manifest": {"items": [pods]}},
            "list Secret": NO,
        }
    )
    told, lines = history(reader)
    newer, older = told["versions"]
    assert (newer["live"], newer["deployed_by"], newer["deployed_known_by"]) == ([], "zhaoliu", "revision")
    assert (older["live"], older["deployed_by"], older["deployed_known_by"]) == (
        ["ConfigMap/a"],
        "wangwu",
        "objects",
    )
    unknown = f"What is live of Secret is not known: {NO.title()}"
    assert (told["not_known"], lines[-1]) == ([unknown], unknown)


# --- diff -----------------------------------------------------------------------------------------------


def named(name: str, *versions: tuple[str, int]) -> JsonValue:
    rows: list[JsonValue] = [
        {"version": told, "versionID": f"{number:024x}", "createAt": number} for told, number in versions
    ]
    return {"templateName": f"front-ends/{name}", "versionList": rows}


def content(value: str) -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {{a: {value}}}\n"


NAMES: JsonValue = [
    named("a.yaml", ("1.0.3-main", 3), ("1.0.5-main", 5), ("1.0.6-dev", 6), ("1.0.8-main", 8), ("v9", 9)),
    named("b.yaml", ("1.0.4-main", 4), ("1.0.7-main", 7), ("1.0.10-main", 10)),
]
VERSIONS: Mapping[str, Answer] = {
    "list version names": NAMES,
    **{
        f"get version {number:024x}": version("x", number, content=content(str(number)))
        for number in range(3, 11)
    },
}


def diff(*versions: str, as_json: bool = True, reader: Optional[Answers] = None) -> Any:  # noqa: ANN401 - JSON
    """Return what `diff` tells of `a.yaml`, in a folder that also holds `b.yaml`."""
    before, after = versions
    here = folder(reader or Answers(VERSIONS), "a.yaml", others=("b.yaml",))
    lines = look_at_difference(here, versions=(before, after), as_json=as_json, language="en_US")
    return json.loads("".join(lines)) if as_json else [*lines]


def test_two_versions_are_compared_and_no_other_file_is_looked_at() -> None:
    reader = Answers(VERSIONS)
    told = diff("1.0.5-main", "1.0.8-main", reader=reader)
    assert (told["before"], told["after"], told["different"]) == ("1.0.5-main", "1.0.8-main", True)
    assert [(one["name"], one["before"], one["after"]) for one in told["files"]] == [
        ("a.yaml", "1.0.5-main", "1.0.8-main")
    ]
    assert [call.rpartition(" ")[0] for call in reader.calls].count("list version names") == 1
    lines = diff("1.0.5-main", "1.0.8-main", as_json=False)
    assert any("8" in line and "a.yaml" not in line for line in lines), lines


@pytest.mark.parametrize(
    ("name", "stands_for"),
    [("1.0.4-main", "1.0.3-main"), ("1.0.7-main", "1.0.5-main"), ("1.0.10-main", "v9")],
)
def test_the_version_of_another_file_stands_for_what_came_before_it_on_its_branch(
    name: str, stands_for: str
) -> None:
    (one,) = diff(name, "1.0.8-main")["files"]
    assert (one["before"], one["after"]) == (stands_for, "1.0.8-main")


@pytest.mark.parametrize(
    ("versions", "said", "cure"),
    [
        (("1.0.8-mian", "v9"), 'No file has a version 1.0.8-mian. Did you mean "1.0.8-main"?', "arguments"),
        (("v9", "1.0.8-mian"), "No file has a version 1.0.8-mian.", "arguments"),
        (("live", "live"), "diff takes a version, and another one or live.", "arguments"),
    ],
)
def test_versions_that_can_not_be_compared_are_a_mistake_of_the_arguments(
    versions: tuple[str, str], said: str, cure: str
) -> None:
    with pytest.raises(InputsInvalid) as caught:
        diff(*versions)
    assert str(caught.value.details[0]).startswith(said)
    assert cure in str(caught.value.cure())


class Listing(SmallNamespace):
    """A namespace beside a folder whose versions are listed by name."""

    def __init__(self, names: list[JsonValue]) -> None:
        super().__init__()
        self._names = names

    def _answer(self, name: str, path: tuple[str, ...], given: Mapping[str, JsonValue]) -> JsonValue:
        return self._names if name == "list version names" else super()._answer(name, path, given)


def test_what_is_live_is_compared_with_the_version_that_stands_beside_it() -> None:
    names: list[JsonValue] = [
        {"version": f"v{number}", "versionID": id_of("a.yaml", f"v{number}"), "createAt": number}
        for number in (7, 8)
    ]
    bcs = Listing([{"templateName": "front-ends/a.yaml", "versionList": names}])
    for number, value in ((7, "old"), (8, "new")):
        bcs.holds("a.yaml", f"v{number}", body("ConfigMap", "a", data={"a": value}))
    bcs.live["ConfigMap/a"] = marked(body("ConfigMap", "a", data={"a": "old"}), "a.yaml", "v7")
    for versions, different, sign in (
        (("v8", "live"), True, ("v8", None)),
        (("live", "v8"), True, (None, "v8")),
        (("live", "v7"), False, None),
    ):
        here = folder(bcs, "a.yaml", "c.yaml")
        told = json.loads(
            "".join(look_at_difference(here, versions=versions, as_json=True, language="en_US"))
        )
        assert told["different"] is different, versions
        if sign is not None:
            (one,) = told["files"]
            assert (one["before"], one["after"]) == tuple(part or "live" for part in sign)


def test_without_a_namespace_nothing_is_compared_with_what_is_live() -> None:
    here = folder(Answers(VERSIONS), "a.yaml", namespace=False)
    with pytest.raises(InputsInvalid) as caught:
        [*look_at_difference(here, versions=("v9", "live"), as_json=True, language="en_US")]
    assert str(caught.value.details[0]).startswith("cluster_id and namespace are missing")


# --- the folder -----------------------------------------------------------------------------------------

PROJECT: JsonValue = {"projectID": PLACE.project_id, "projectCode": "web"}
FOLDER: Mapping[str, Answer] = {
    "get project": PROJECT,
    "list namespaces": {"manifest": {"items": [{"metadata": {"name": NAMESPACE}}]}},
    "list spaces": [{"id": "5" * 24, "name": "front-ends", "fav": False, "tags": []}],
    "list files": [
        {"id": str(n) * 24, "name": name, "realName": name, "version": "", "versionID": "", "versionMode": 0}
        for n, name in enumerate(("a.example.com.routes.yaml", "a.example.com.service.yaml", "b.yaml"))
    ],
}


def read(
    *hosts: str, namespace: str = NAMESPACE, answers: Mapping[str, Answer] = FOLDER
) -> tuple[Folder, list[str]]:
    """Read the folder; return it, and what was asked."""
    target = {"cluster_id": CLUSTER if namespace else "", "namespace": namespace, "action": "plan"}
    reader = Answers(answers)
    context = run_of(inputs=target).run.context
    return read_folder(reader, context, hosts), [call.rpartition(" ")[0] for call in reader.calls]


@pytest.mark.parametrize(
    ("hosts", "mine"),
    [
        ((), ["a.example.com.routes.yaml", "a.example.com.service.yaml", "b.yaml"]),
        (("a.example.com",), ["a.example.com.routes.yaml", "a.example.com.service.yaml"]),
        (("b.yaml",), ["b.yaml"]),
    ],
)
def test_a_folder_is_read_with_the_files_that_are_asked_for_and_the_others(
    hosts: tuple[str, ...], mine: list[str]
) -> None:
    found, asked = read(*hosts)
    assert [one.real_name for one in found.files] == mine
    assert len(found.files) + len(found.others) == 3
    assert not {*found.files} & {*found.others}
    assert found.target.place == PLACE
    assert asked == ["get project", "list namespaces", "list spaces", "list files"]


def test_without_a_namespace_no_cluster_is_asked() -> None:
    found, asked = read(namespace="")
    assert (found.deploying, asked) == (None, ["list spaces", "list files"])


@pytest.mark.parametrize(
    ("name", "answer", "ends"),
    [
        ("list spaces", [], "Project web has no folder front-ends."),
        ("list namespaces", {"manifest": {"items": [{"metadata": {"name": "staging"}}]}}, NamespaceMissing),
        (
            "list namespaces",
            HIDDEN,
            ClusterNotVisible,
        ),
        ("list namespaces", NO, None),
        ("list namespaces", {"manifest": {"items": []}}, None),
        ("list namespaces", DOWN, None),
        ("list files", BcsFailed(bcs_code=1, message="m"), BcsFailed),
    ],
)
def test_what_is_not_there_or_not_visible_ends_and_a_list_that_nobody_shows_does_not(
    name: str, answer: Answer, ends: object
) -> None:
    if ends is None:
        assert read(answers={**FOLDER, name: answer})[0].target.place == PLACE
        return
    with pytest.raises(StepError) as caught:
        read(answers={**FOLDER, name: answer})
    if isinstance(ends, str):
        assert [str(detail) for detail in caught.value.details] == [ends]
    else:
        assert type(caught.value) is ends


def test_a_name_that_is_neither_host_nor_file_is_a_mistake_of_the_arguments() -> None:
    with pytest.raises(InputsInvalid) as caught:
        read("b.example.com")
    assert str(caught.value.details[0]).startswith('"b.example.com" is neither a host nor a file')
    assert str(caught.value.cure()) == "Correct the arguments."
