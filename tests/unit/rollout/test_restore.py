"""Which files a restore takes back, and why the others are left."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional, TypeVar

from bcs_template_set.bcs.calls import Read
from bcs_template_set.bcs.dialect import Site
from bcs_template_set.bcs.marks import TEMPLATE_NAME, TEMPLATE_VERSION
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.messages.errors import NoPermission
from bcs_template_set.rollout.live_state import FileVersion, LiveState
from bcs_template_set.rollout.restore import (
    absent,
    added,
    gone_marks,
    overtaken,
    touched,
    versions_before,
    way_back,
)

T = TypeVar("T")
SPACE = "front-ends"


def state(file: str, version: str = "", *, name: str = "", space: str = SPACE) -> LiveState:
    live: Optional[dict[str, YamlValue]] = None
    if version:
        marks: dict[str, YamlValue] = {TEMPLATE_NAME: f"{space}/{file}", TEMPLATE_VERSION: version}
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


def test_only_files_with_an_object_of_ours_are_touched() -> None:
    states = [state("a", "2"), state("b", "1"), state("c"), state("d", "2", name="x"), state("d", "1")]
    found = touched([file(name) for name in "abcd"], states, space=SPACE)
    assert [f.name for f in found] == ["a", "d"]


def test_a_mark_that_is_neither_ours_nor_the_one_before_is_somebody_elses() -> None:
    known = [state("a", "1"), state("b", "1"), state("c", "8", space="other")]
    now = [state("a", "9"), state("b", "2"), state("c", "8", space="other")]
    assert overtaken([file(name) for name in "abc"], now, space=SPACE, before={}, known=known).keys() == {"a"}


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
    _, way = way_back(Versions("2"), project="web", space=SPACE, files=[rewritten], before={"a": "2"})
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
    )
    assert [(f.name, f.version, f.version_id) for f in back] == [("back", "1", "id-1")]
    assert (way.left, way.same, way.gone, way.overtaken) == (
        ("first",),
        ("same",),
        ("gone",),
        ("theirs (1.0.9)",),
    )


def test_only_marks_of_versions_that_are_surely_gone_are_told() -> None:
    files = [file(name) for name in "abcdef"]
    states = [
        state("a", "1"),
        state("a", "1", name="a2"),
        state("b", "2"),
        state("c", "0"),
        state("d", "3"),
        state("e", "unread"),
        state("f", "1", space="other"),
    ]
    notes = gone_marks(
        Versions("3"), files, states, project="web", space=SPACE, known={"c": ["0"], "d": ["0"]}
    )
    assert [(note.fields["version"], note.fields["objects"]) for note in notes] == [
        ("1", ["Deployment/a", "Deployment/a2"])
    ]
