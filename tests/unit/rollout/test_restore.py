"""Which files a restore takes back, and why the others are left."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional, TypeVar

import pytest
from tests.support.small_namespace import SPACE, SmallNamespace, body, id_of, marked

from bcs_template_set.bcs.calls import Read
from bcs_template_set.bcs.dialect import Site
from bcs_template_set.bcs.marks import TEMPLATE_NAME, TEMPLATE_VERSION, UPDATOR, told_mark
from bcs_template_set.bcs.space.provenance import Provenance
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.messages.errors import NoPermission
from bcs_template_set.messages.server_errors import BcsFailed
from bcs_template_set.rollout.live_state import FileVersion, LiveState
from bcs_template_set.rollout.restore import (
    absent,
    added,
    deployed_by_build,
    gone_marks,
    met,
    overtaken,
    touched,
    versions_before,
    versions_live,
    way_back,
)
from bcs_template_set.rollout.result import Restoration

T = TypeVar("T")


def state(file: str, version: str = "", *, name: str = "", space: str = SPACE) -> LiveState:
    live: Optional[dict[str, YamlValue]] = None
    if version:
        marks: dict[str, YamlValue] = {TEMPLATE_NAME: f"{space}/{file}", TEMPLATE_VERSION: version}
        marks[UPDATOR] = "wangwu"
        live = {"metadata": {"annotations": marks}}
    return LiveState(file, "Deployment", name or file, {}, live)


def file(name: str, *, before: str = "") -> FileVersion:
    return FileVersion(name, f"id-{name}", "2", before=before)


class Versions:
    """A reader that knows versions by name, and can't ask for one that is called `unread`."""

    most_at_once = 1

    def __init__(self, *known: str) -> None:
        self._known = known
        self.site = Site()

    def read(self, call: Read[T]) -> T:
        version = str((call.body or {})["version"])
        if version == "unread":
            raise NoPermission(user="lisi", message="m")
        data = {"id": f"id-{version}", "version": version, "content": ""} if version in self._known else {}
        return call.parse(dict(data))


def test_the_marks_of_this_namespace_come_before_latest_deploy_version() -> None:
    files = [file("a", before="0"), file("b", before="0"), file("c")]
    found = versions_before(files, [state("a", "1"), state("b", "1", space="other")], space=SPACE)
    assert dict(found) == {"a": "1", "b": "0"}


def test_a_file_whose_mark_names_no_version_has_the_one_that_bcs_remembers() -> None:
    nameless = replace(state("a", "1"), live=marked(body("Deployment", "a"), "a", ""))
    assert versions_before([file("a", before="0")], [nameless], space=SPACE) == {"a": "0"}
    assert versions_before([], [nameless], space=SPACE) == {"a": ""}


def test_only_files_with_an_object_of_ours_are_touched() -> None:
    states = [state("a", "2"), state("b", "1"), state("c"), state("d", "2", name="x"), state("d", "1")]
    found = touched([file(name) for name in "abcd"], states, space=SPACE)
    assert [f.name for f in found] == ["a", "d"]


def test_a_mark_that_is_neither_ours_nor_the_one_before_is_somebody_elses() -> None:
    known = [state("a", "1"), state("b", "1"), state("c", "8", space="other")]
    now = [state("a", "9"), state("b", "2"), state("c", "8", space="other")]
    assert overtaken([file(name) for name in "abc"], now, space=SPACE, before={}, known=known).keys() == {"a"}


def test_it_is_told_whose_an_object_is_that_has_another_mark() -> None:
    told = overtaken([file("a")], [state("a", "9")], space=SPACE, before={}, known=[state("a", "1")])["a"]
    assert told.key == "deploy.overtaken"
    assert (told.fields["name"], str(told.fields["mark"])) == (
        "a",
        str(told_mark(state("a", "9").live or {})),
    )
    again = met([state("a", "1")], [state("a", "9")])
    assert again == {"a": told}


@pytest.mark.parametrize(
    ("seen", "now", "files"),
    [
        ([state("a", "1"), state("b", "1")], [state("a", "1"), state("b", "2")], ["b"]),
        ([state("a", "1")], [state("a")], []),
        ([], [state("a", "1")], []),
        ([state("a")], [state("a", "1")], ["a"]),
        ([state("a", "1")], [state("a", "1", space="other")], ["a"]),
    ],
)
def test_what_has_got_another_mark_since_it_was_seen_is_met(
    seen: list[LiveState], now: list[LiveState], files: list[str]
) -> None:
    assert [*met(seen, now)] == files


def test_what_is_live_of_each_file_is_told_by_its_marks() -> None:
    bare = replace(state("a", name="bare"), live={"metadata": {}})
    states = [state("b", "2"), state("a", "2"), state("a", "1", name="x"), bare, state("c"), state("d", "1")]
    assert versions_live(["a", "b", "c"], states) == (("a", "-, 1, 2"), ("b", "2"), ("c", ""))


def test_what_is_at_the_version_before_is_nobody_elses_although_nobody_has_seen_it_before() -> None:
    now = [state("a", "1"), state("a", "2", name="b")]
    assert overtaken([file("a")], now, space=SPACE, before={"a": "1"}, known=()) == {}
    assert overtaken([file("a")], now, space=SPACE, before={"a": "0"}, known=()).keys() == {"a"}


def test_nothing_is_gone_of_a_file_that_was_never_here() -> None:
    files = [file(name) for name in "abc"]
    before = {"a": "1", "b": "1"}
    now = [state("a"), state("b", "2"), state("c")]
    assert absent(files, now, before=before, known=()) == ("a",)
    assert absent(files, now, before=before, known=[state("a", "1")]) == ("a",)
    assert absent(files, now, before=before, known=[state("a")]) == (), "a refused deployment made none"
    assert absent(files, now, before=before, known=[state("a"), state("a", "1", name="x")]) == ("a",)


def test_what_was_not_there_before_and_is_ours_is_named() -> None:
    now = [state("a", "2"), state("a", "2", name="new"), state("a", "1", name="theirs"), state("b", "2")]
    known = [state("a", "1"), state("a", name="new")]
    assert added([file("a")], now, space=SPACE, known=known) == ("Deployment/new",)
    assert added([file("a")], now, space=SPACE, known=()) == ("Deployment/a", "Deployment/new")


def test_without_a_live_object_what_bcs_remembers_is_another_namespaces() -> None:
    files = [file("a", before="1"), file("b", before="2")]
    assert versions_before(files, [state("a"), state("b")], space=SPACE) == {"b": "2"}, "this very version"


def test_what_was_rewritten_under_its_name_is_gone() -> None:
    rewritten = replace(file("a"), rewritten=True)
    _, way = way_back(
        Versions("2"), project="web", space=SPACE, files=[rewritten], before={"a": "2"}, left={}, missing=()
    )
    assert (way.gone, way.same) == (("a",), ())


def test_every_file_that_is_left_is_left_for_its_reason() -> None:
    files = [file(name) for name in ("back", "first", "same", "gone", "theirs")]
    before = {"back": "1", "same": "2", "gone": "0", "theirs": "1"}
    back, way = way_back(
        Versions("1", "2"),
        project="web",
        space=SPACE,
        files=files,
        before=before,
        left={"theirs": "theirs (1.0.9)"},
        missing=("missing",),
    )
    assert [(f.name, f.version, f.version_id) for f in back] == [("back", "1", "id-1")]
    assert way == Restoration(
        left=("first",),
        same=("same",),
        gone=("gone",),
        absent=("missing",),
        overtaken=("theirs (1.0.9)",),
        not_back=("back",),
    )


def test_what_goes_back_is_the_version_before_with_the_objects_that_it_held() -> None:
    bcs = SmallNamespace()
    bcs.holds("a", "1", body("ConfigMap", "old"), body("Service", "old"))
    file = replace(bcs.holds("a", "2", body("ConfigMap", "new")), rewritten=True, before="0", sets_pods=True)
    (back,), _ = way_back(
        bcs, project="web", space=SPACE, files=[file], before={"a": "1"}, left={}, missing=()
    )
    assert back == replace(
        file,
        version_id=id_of("a", "1"),
        version="1",
        rewritten=False,
        objects=("ConfigMap/old", "Service/old"),
    )


def test_only_marks_of_versions_that_are_surely_gone_are_told() -> None:
    files = [file(name) for name in "abcdef"]
    states = [
        state("a", "1"),
        state("a", "1", name="a2"),
        state("e", "unread"),
        replace(state("b", "1", name="b2"), live=marked(body("Deployment", "b2"), "b", "")),
        state("b", "2"),
        state("c", "0"),
        state("d", "3"),
        state("f", "1", space="other"),
    ]
    notes = gone_marks(
        Versions("3"), files, states, project="web", space=SPACE, known={"c": ["0"], "d": ["0"]}
    )
    assert [(note.key, note.fields["version"], note.fields["objects"]) for note in notes] == [
        ("deploy.mark_gone", "1", ["Deployment/a", "Deployment/a2"])
    ]


# --- what a build has deployed --------------------------------------------------------------------------

OURS = Provenance(pipeline="p-1", build=7, branch="main", commit="abc", started_by="wangwu", acting_as="lisi")


def folder(*, by: Provenance = OURS) -> SmallNamespace:
    """Return a folder of three files that build 7 has published, and deployed two of."""
    bcs = SmallNamespace()
    for name in ("c.yaml", "a.yaml", "b.yaml"):
        file = bcs.holds(name, "7", body("ConfigMap", name[0]))
        bcs.by[file.version_id] = by.line("")
        bcs.lists(file)
        if name != "c.yaml":
            bcs.has(file)
    return bcs


def deployed(bcs: SmallNamespace, *, pipeline: str = "p-1", build: int = 7) -> tuple[str, ...]:
    return deployed_by_build(bcs, bcs.deploying({"TAG": "given"}), pipeline=pipeline, build=build)


def test_what_a_build_has_deployed_is_told_by_marks_and_descriptions() -> None:
    bcs = folder()
    bcs.variables = {"TAG": "own", "OTHER": "own"}
    assert deployed(bcs) == ("a.yaml", "b.yaml")
    assert (bcs.count("list variables"), bcs.count("preview"), bcs.count("find version")) == (1, 1, 0)
    assert bcs.values == {"TAG": "given", "OTHER": "own"}
    long = "p-" + "x" * 300
    assert deployed(folder(by=replace(OURS, pipeline=long)), pipeline=long) == ("a.yaml", "b.yaml")


@pytest.mark.parametrize(("pipeline", "build"), [("p-1", 8), ("p-2", 7)])
def test_what_another_build_has_published_is_not_asked_for(pipeline: str, build: int) -> None:
    bcs = folder()
    assert deployed(bcs, pipeline=pipeline, build=build) == ()
    assert {*bcs.calls} == {"list spaces", "list files", "get version"}
    bcs.by.clear()
    assert deployed(bcs) == (), "a person has published it"


@pytest.mark.parametrize(
    ("version", "space", "ours"), [("6", SPACE, ()), ("7", "other", ()), ("7", SPACE, ("a.yaml",))]
)
def test_only_what_carries_the_builds_version_of_its_own_file_was_deployed_by_it(
    version: str, space: str, ours: tuple[str, ...]
) -> None:
    bcs = folder()
    bcs.live = {"ConfigMap/a": marked(body("ConfigMap", "a"), "a.yaml", version, space=space)}
    assert deployed(bcs) == ours


def test_what_can_not_be_looked_at_counts_as_deployed_and_what_holds_nothing_does_not() -> None:
    bcs = folder()
    bcs.unlisted = ["ConfigMap/c"]
    assert deployed(bcs) == ("a.yaml", "b.yaml", "c.yaml")
    empty = bcs.holds("d.yaml", "7")
    bcs.by[empty.version_id] = OURS.line("")
    bcs.lists(empty)
    assert deployed(bcs) == ("a.yaml", "b.yaml", "c.yaml")


def test_the_version_that_bcs_deployed_last_is_asked_for_where_a_file_has_another_one_now() -> None:
    bcs = folder()
    current = bcs.holds("a.yaml", "8", body("ConfigMap", "a"))
    bcs.rows.clear()
    bcs.lists(current, deployed="7")
    assert deployed(bcs) == ("a.yaml",)
    assert bcs.count("find version") == 1
    for last, asked in (("8", 1), ("", 1), ("5", 2)):
        bcs.rows.clear()
        bcs.lists(current, deployed=last)
        assert (deployed(bcs), bcs.count("find version")) == ((), asked)
    bcs.rows.clear()
    bcs.lists(replace(current, version="", version_id=""), deployed="7")
    assert (deployed(bcs), bcs.count("get version")) == (("a.yaml",), 4)


def test_what_bcs_answers_instead_is_raised() -> None:
    bcs = folder()
    bcs.broken = {id_of("a.yaml", "7"): BcsFailed(bcs_code=1, message="m")}
    with pytest.raises(BcsFailed):
        deployed(bcs)
