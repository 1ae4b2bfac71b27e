from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Callable, Optional, Union, cast

import pytest

from bcs_template_set.bcs.answers import (
    ChartVersion,
    FileVersions,
    Project,
    TemplateFile,
    TemplateSpace,
    TemplateVersion,
    VersionName,
)
from bcs_template_set.bcs.calls import Read, T
from bcs_template_set.bcs.dialect import OLDEST_RELEASE, Dialect, Site
from bcs_template_set.bcs.space.existing import Existing, ExistingFile, OtherFile, VersionRef
from bcs_template_set.bcs.space.live_routes import LiveIngresses
from bcs_template_set.bcs.space.provenance import Provenance
from bcs_template_set.bcs.space.read_space import read_chart, read_existing
from bcs_template_set.bcs.space.route_map import LiveIngress
from bcs_template_set.bcs.space.template_spaces import (
    find_space,
    list_files,
    oldest_of_each_name,
    read_file,
    space_histories,
)
from bcs_template_set.bcs.space.unmerged_versions import MOST_AT_ONCE
from bcs_template_set.bcs.space.wanted import Again, Wanted
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.parse import parse_documents
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import (
    AppNotGranted,
    InputsInvalid,
    NobodyArrived,
    NoPermission,
    ProjectNotVisible,
)
from bcs_template_set.messages.server_errors import BcsFailed, BcsTooOld, NoSuchPath, OutOfTime
from bcs_template_set.messages.step_error import StepError

STARTED = 1_767_225_600
YOUNG = STARTED - 600
OURS = Provenance("p-1", 9, "main", "c", "wangwu", "lisi")
PROJECT = Project(project_id="a" * 32, project_code="web")
SPACE = TemplateSpace(id="5" * 24, name="web")
UNPUBLISHED = NoSuchPath(url="u", message="m")
Reply = Union[object, StepError, Callable[[], object]]


class FakeReader:
    """Answers a read by the name of its call, `name id` first; keeps what it was asked."""

    most_at_once = 1

    def __init__(self, replies: Mapping[str, Reply]) -> None:
        self.replies: dict[str, Reply] = {"get project": PROJECT, "list spaces": [SPACE], **replies}
        self.asked: list[str] = []
        self.exactly: list[str] = []
        self.site = Site()
        self._lock = threading.Lock()

    def read(self, call: Read[T]) -> T:
        with self._lock:
            self.asked.append(call.name)
        exact = f"{call.name} {call.segments[-1]}"
        self.exactly.append(exact)
        reply = self.replies[exact if exact in self.replies else call.name]
        if isinstance(reply, StepError):
            raise reply
        return cast("T", reply)


def wanted(*, text: str = "new", version: str = "v9") -> Wanted:
    file = ManifestFile(name="a.yaml", text=text, source="a", documents=())
    return Wanted(
        project="web",
        space="web",
        files=(file,),
        version=version,
        template_set="",
        started_at=STARTED,
        ours=OURS,
    )


def row(number: int, *, name: str = "a.yaml", current: int = 1, at: int = YOUNG) -> TemplateFile:
    return TemplateFile(
        id=f"{number:024x}",
        name=f"web/{name}",
        real_name=name,
        version=f"v{current}",
        version_id=f"{current:024x}" if current else "",
        version_mode=0,
        update_at=at,
    )


def version(number: int, *, content: str = "old", at: int = YOUNG) -> TemplateVersion:
    return TemplateVersion(id=f"{number:024x}", version=f"v{number}", content=content, create_at=at)


def names(*numbers: int, at: int = STARTED - 3600) -> list[FileVersions]:
    found = [VersionName(version=f"v{n}", version_id=f"{n:024x}", create_at=at + n) for n in numbers]
    return [FileVersions(template_name="web/a.yaml", version_list=tuple(found))]


def test_of_spaces_only_the_one_of_exactly_that_name_is_taken_and_the_oldest_of_two() -> None:
    spaces = [
        TemplateSpace(id="1" * 24, name="web-admin"),
        TemplateSpace(id="9" * 24, name="web"),
        TemplateSpace(id="4" * 24, name="web"),
    ]
    found = find_space(FakeReader({"list spaces": spaces}), project="web", space="web")
    assert found == spaces[2]
    assert find_space(FakeReader({"list spaces": spaces[:1]}), project="web", space="web") is None


def test_of_two_files_of_one_name_the_oldest_is_taken_in_any_order() -> None:
    rows = [row(3), row(1), row(2), row(7, name="b.yaml")]
    for order in (rows, rows[::-1]):
        assert oldest_of_each_name(order) == {"a.yaml": row(1), "b.yaml": row(7, name="b.yaml")}


@pytest.mark.parametrize("answer", [version(2, content="{"), BcsFailed(bcs_code=1, message="m")])
def test_of_a_file_that_an_earlier_build_seems_to_have_made_anything_may_be_wrong(answer: Reply) -> None:
    there = row(2, name="x.yaml", current=2).replaced(resource_type=("ConfigMap",))
    replies = {"list files": [there], "list version names": [], f"get version {2:024x}": answer}
    found = read_existing(FakeReader(replies), wanted())
    assert all(other.readable for other in found.others)
    assert len(found.others) == isinstance(answer, TemplateVersion)


def test_a_version_of_our_name_is_read_by_its_id_where_the_names_are_known() -> None:
    reader = FakeReader(
        {
            "list files": [row(1)],
            "list version names": names(1, 9),
            f"get version {1:024x}": version(1),
            f"get version {9:024x}": version(9, content="theirs"),
        }
    )
    found = read_existing(reader, wanted()).files["a.yaml"]
    assert found.same_name == version(9, content="theirs")
    assert "find version" not in reader.asked


@pytest.mark.parametrize(
    "error", [NoSuchPath(url="u", message="m"), AppNotGranted(app_code="a", message="m")]
)
def test_a_version_of_our_name_is_looked_for_by_name_where_the_names_are_not_known(error: StepError) -> None:
    reader = FakeReader(
        {
            "list files": [row(1)],
            "list version names": error,
            "list versions": error,
            "get version": version(1),
            "find version": version(9),
            "ask dialect": error,
        }
    )
    found = read_existing(reader, wanted()).files["a.yaml"]
    assert (found.same_name, found.history) == (version(9), None)


def test_where_a_space_lists_no_versions_the_file_does_and_nothing_is_read_twice() -> None:
    listed = [version(1), version(9, content="theirs"), version(5).replaced(draft=True)]
    reader = FakeReader(
        {
            "list files": [row(1)],
            "list version names": BcsTooOld(problem="p", oldest="o", status=404),
            "list versions": listed,
            "get version": version(1),
        }
    )
    found = read_existing(reader, wanted()).files["a.yaml"]
    assert found.same_name == listed[1]
    assert [ref.name for ref in found.history or ()] == ["v9", "v1"]
    assert reader.asked.count("get version") == 1


OLD = {"list files": [row(1, at=YOUNG - 1)], "get version": version(1, at=YOUNG - 1)}
BY_OURS = version(1).replaced(description=OURS.line("old", bases=(f"{7:024x}",)))


def read(replies: Mapping[str, Reply], ask: Optional[Wanted] = None) -> tuple[ExistingFile, FakeReader]:
    reader = FakeReader(replies)
    existing = read_existing(reader, ask or wanted())
    return existing.files["a.yaml"], reader


def test_of_a_file_that_is_older_than_this_build_no_names_are_listed_and_none_is_looked_for() -> None:
    found, reader = read(OLD)
    assert (found.history, found.same_name) == (None, None)
    assert reader.asked == ["get project", "list spaces", "list files", "get version"]


@pytest.mark.parametrize(
    "replies",
    [
        {**OLD, "list files": [row(1).replaced(version_mode=1)], "find version": None},
        {**OLD, "get version": version(1)},
    ],
)
def test_of_a_file_whose_version_is_young_or_was_chosen_lately_names_are_listed(
    replies: Mapping[str, Reply],
) -> None:
    found, _ = read({**replies, "list version names": names(1)})
    assert [ref.name for ref in found.history or ()] == ["v1"]


def test_of_a_file_that_others_have_written_since_the_last_plan_names_are_listed_at_any_age() -> None:
    again = replace(wanted(), again=Again(frozenset({"a.yaml"}), Existing()))
    assert read({**OLD, "list version names": names(1)}, again)[0].history


@pytest.mark.parametrize(
    ("current", "listed"),
    [(BY_OURS.replaced(content="new"), 0), (BY_OURS, 1), (version(1, content="new"), 1)],
)
def test_of_a_young_file_names_are_listed_unless_this_run_has_written_it_as_it_wants_it(
    current: TemplateVersion, listed: int
) -> None:
    replies = {"list files": [row(1)], "get version": current, "list version names": names(1)}
    again = replace(wanted(), again=Again(frozenset(), Existing()))
    _, reader = read({**replies, f"get version {7:024x}": version(7)}, again)
    assert reader.asked.count("list version names") == listed


def test_what_an_earlier_try_of_this_build_has_written_may_hide_what_a_newer_one_has() -> None:
    current = BY_OURS.replaced(content="new")
    replies = {"list files": [row(1)], "get version": current, "list version names": names(7, 1, 8)}
    found, _ = read({**replies, f"get version {8:024x}": version(8), f"get version {7:024x}": version(7)})
    assert [later.id for later in found.later] == [f"{8:024x}"]


def test_a_deployment_changes_a_row_and_makes_no_version_young() -> None:
    assert "list version names" not in read({**OLD, "list files": [row(1)]})[1].asked


@pytest.mark.parametrize("base", [version(7), BcsFailed(bcs_code=1, message="record not found")])
def test_of_a_file_that_this_build_has_published_what_it_was_made_from_is_read_if_it_is_there(
    base: Reply,
) -> None:
    current = BY_OURS.replaced(content="new")
    again = replace(wanted(), again=Again(frozenset(), Existing()))
    found, _ = read({"list files": [row(1)], "get version": current, f"get version {7:024x}": base}, again)
    before = found.before(current.id)
    assert (before.name if before is not None else "") == ("v7" if base == version(7) else "")


@pytest.mark.parametrize(
    ("ask", "file"),
    [
        (replace(wanted(), version="fixed"), {}),
        (replace(wanted(), ours=replace(OURS, build=8)), {}),
        (replace(wanted(), may_exist=True), {}),
        (wanted(), {"version_mode": 1}),
        (wanted(), {"version_id": ""}),
    ],
)
def test_a_version_of_our_name_is_looked_for_where_it_may_be_there(
    ask: Wanted, file: Mapping[str, object]
) -> None:
    rows = [row(1, at=YOUNG - 1).replaced(**file)]
    found, _ = read({**OLD, "list files": rows, "find version": version(9)}, ask)
    assert found.same_name == version(9)
    none, _ = read({**OLD, "list files": rows, "find version": None}, ask)
    assert none.same_name is None


def test_a_current_version_of_our_name_is_the_one_that_is_looked_for() -> None:
    found, reader = read(OLD, replace(wanted(version="v1"), may_exist=True))
    assert found.same_name is None
    assert "find version" not in reader.asked


def test_of_a_version_of_our_name_by_this_build_it_is_known_what_it_was_made_from() -> None:
    same = version(9).replaced(description=OURS.line("old", bases=(id_of(7), id_of(8))))
    replies = {**OLD, "find version": same, f"get version {id_of(7)}": version(7)}
    found, _ = read(replies, replace(wanted(), may_exist=True))
    assert [ref.name for ref in found.history or ()] == ["v9", "v7"]


# --- a shared file that many have written at once -------------------------------------------------------


def id_of(number: int) -> str:
    return f"{number:024x}"


def upon(number: int) -> str:
    return f"+{id_of(number)}"


def by(build: int, *bases: int) -> TemplateVersion:
    """Return what a build of another branch has written, of the number of the build."""
    line = replace(OURS, branch="b", build=build).line("old", bases=tuple(map(id_of, bases)))
    return version(build).replaced(description=line)


def marked(number: int, eldest: int) -> str:
    return replace(OURS, branch="m").line("old", bases=(id_of(number), upon(eldest)))


SHARED = frozenset({"a.yaml"})


def crowd(
    *more: TemplateVersion,
    current: TemplateVersion,
    again: Optional[Again] = None,
    shared: frozenset[str] = SHARED,
) -> tuple[ExistingFile, FakeReader]:
    """Read it: 1 is long there, 4 was made from 3, and 5 and 6 are others' beside it, all from 1."""
    written = (by(3, 1), by(4, 3), by(5, 1), by(6, 1), current, *more)
    (listed,) = names(1, at=STARTED - 3600)
    young = tuple(VersionName(f"{v.id}", v.id, STARTED) for v in dict.fromkeys(written))
    replies: dict[str, Reply] = {f"get version {v.id}": v for v in (version(1), *written)}
    replies["list files"] = [row(1, current=int(current.id, 16))]
    replies["list version names"] = [listed.replaced(version_list=(*listed.version_list, *young))]
    return read(replies, replace(wanted(), shared=shared, again=again))


def test_what_others_have_hidden_is_left_to_somebodys_turn_and_a_new_version_says_since_when() -> None:
    found, reader = crowd(current=by(4, 3))
    assert found.crowd == {id_of(5), id_of(6)}
    assert reader.exactly.count(f"get version {id_of(4)}") == 1
    assert f"get version {id_of(1)}" not in reader.exactly, "it is older than all that may be hidden"
    assert found.bases == (id_of(4), upon(3))
    found, reader = crowd(current=by(4, 1))
    assert found.crowd == {id_of(3), id_of(5), id_of(6)}
    assert f"get version {id_of(1)}" not in reader.exactly, "it was made before all of them"
    again = Again(frozenset({"a.yaml"}), Existing())
    assert crowd(current=by(4, 3), again=again)[0].crowd == {id_of(5), id_of(6)}


def test_a_file_whose_young_versions_stand_upon_each_other_is_nobodys_turn() -> None:
    found, _ = crowd(current=by(7, 4, 5, 6))
    assert (found.crowd, found.bases) == (frozenset(), (id_of(7),))
    found, _ = crowd(by(8, 10), by(10, 5), current=by(9, 8))
    assert found.crowd == {id_of(3), id_of(4), id_of(6)}


def test_of_a_file_that_no_branches_share_nobody_asks_what_is_hidden() -> None:
    assert crowd(current=by(4, 3), shared=frozenset())[0].crowd == frozenset()


def test_when_it_is_our_turn_the_hidden_are_merged_and_what_was_read_with_them_is_named_too() -> None:
    again = Again(frozenset({"a.yaml"}), Existing(), merges=frozenset({"a.yaml"}))
    found, _ = crowd(current=by(4, 3, 1), again=again)
    assert [rival.version.id for rival in found.unmerged] == [id_of(6), id_of(5)]
    assert found.bases == (id_of(4), id_of(6), id_of(5), upon(3), upon(1))
    for bases in ((4, 5, 6), (4, 5, 6, 3)):
        merged, reader = crowd(current=by(7, *bases), again=again)
        assert (merged.unmerged, merged.bases) == ((), (id_of(7),))
    assert {f"get version {id_of(number)}" for number in (4, 5, 6)}.isdisjoint(reader.exactly)


def test_a_hidden_version_is_merged_by_what_it_was_made_from_if_that_is_there() -> None:
    again = Again(frozenset({"a.yaml"}), Existing(), merges=frozenset({"a.yaml"}))
    found, _ = crowd(by(8, 99), current=by(4, 3, 98), again=again)
    assert [(int(rival.version.id, 16), rival.base) for rival in found.unmerged] == [
        *((8, None), (6, version(1)), (5, version(1))),
    ]


def test_a_hidden_version_by_hand_is_merged_by_what_was_there_before_it() -> None:
    again = Again(frozenset({"a.yaml"}), Existing(), merges=frozenset({"a.yaml"}))
    found, _ = crowd(version(8), current=by(4, 3), again=again)
    assert {rival.version.id: rival.base for rival in found.unmerged}[id_of(8)] == by(6, 1)


def test_of_a_file_that_waits_for_its_turn_nobody_asks_what_is_hidden() -> None:
    waiting = Again(frozenset(), Existing(), waiting=frozenset({"a.yaml"}))
    assert crowd(current=by(4, 3), again=waiting)[0].crowd == frozenset()


def test_what_one_of_the_hidden_has_merged_is_part_of_it_and_is_not_read() -> None:
    merging = replace(OURS, branch="m").line("old", bases=(id_of(1), id_of(5), id_of(6), upon(2)))
    many = [by(number, 1) for number in range(11, 11 + MOST_AT_ONCE)]
    merged = version(20).replaced(description=merging)
    again = Again(frozenset({"a.yaml"}), Existing(), merges=frozenset({"a.yaml"}))
    found, reader = crowd(*many, merged, current=by(4, 3), again=again)
    assert {int(rival.version.id, 16) for rival in found.unmerged} == {20, *range(11, 19)}
    assert not {f"get version {id_of(number)}" for number in (5, 6)} & {*reader.exactly}
    assert {upon(5), upon(6)} < {*found.bases}


def test_what_a_hidden_version_was_planned_against_counts_whoever_has_merged_it() -> None:
    again = Again(frozenset({"a.yaml"}), Existing(), merges=frozenset({"a.yaml"}))
    found, _ = crowd(by(8, 4, 5), by(9, 5, 8), current=by(7, 1), again=again)
    assert [int(rival.version.id, 16) for rival in found.unmerged] == [9, 6, 5, 4, 3]


def test_what_the_eldest_base_has_merged_is_not_hidden_however_young_it_is() -> None:
    merging = by(8, 4, 5, 6, 3)
    found, _ = crowd(merging, by(9, 8), current=by(7, 9).replaced(description=marked(9, 8)))
    assert found.crowd == frozenset()


def test_of_a_shared_file_that_this_build_has_a_part_of_names_are_listed_so_that_the_next_is_free() -> None:
    shared = replace(wanted(), may_exist=True, shared=frozenset({"a.yaml"}))
    replies = {**OLD, "find version": BY_OURS, "list version names": names(1, 3)}
    found, _ = read({**replies, f"get version {7:024x}": version(7)}, shared)
    assert found.names == {"v1", "v3"}


def test_nothing_but_the_current_version_is_read_where_it_is_what_we_want() -> None:
    reader = FakeReader(
        {
            "list files": [row(1)],
            "list version names": names(1, 9, at=STARTED + 60),
            f"get version {1:024x}": version(1, content="new"),
        }
    )
    read_existing(reader, wanted())
    assert reader.asked.count("get version") == 1


def test_a_file_that_points_at_no_version_has_no_current_one() -> None:
    found, _ = read({"list files": [row(1, current=0)], "list version names": names()})
    assert (found.current, found.same_name, found.history) == (None, None, ())


def test_versions_written_since_the_build_started_are_read_newest_first_and_not_without_end() -> None:
    numbers = range(1, 20 + 20)
    replies: dict[str, Reply] = {f"get version {n:024x}": version(n) for n in numbers}
    reader = FakeReader(
        {"list files": [row(1)], "list version names": names(*numbers, at=STARTED), **replies}
    )
    existing = read_existing(reader, wanted())
    assert [later.id for later in existing.files["a.yaml"].later] == [
        f"{n:024x}" for n in list(numbers)[::-1][:20]
    ]
    reader.asked.clear()
    again = replace(wanted(), again=Again(frozenset({"a.yaml"}), existing))
    assert read_existing(reader, again).files == existing.files
    assert reader.asked == ["list files", "list version names"]


def test_older_versions_are_not_read() -> None:
    reader = FakeReader(
        {"list files": [row(1)], "list version names": names(1, 2, 3), "get version": version(1)}
    )
    assert read_existing(reader, wanted()).files["a.yaml"].later == ()
    assert reader.asked.count("get version") == 1
    reader.replies["list version names"] = names(1, 2, at=YOUNG - 2)
    found = read_existing(reader, wanted()).files["a.yaml"]
    assert len(found.later) == 1, "written as this build began, by the clock that is furthest behind"


@pytest.mark.parametrize(
    ("shared", "name", "later"),
    [(frozenset(), "v9", [3, 2]), (SHARED, "v9", [3]), (SHARED, "fixed", [3, 2])],
)
def test_of_a_shared_file_later_versions_are_those_of_this_runs_name_with_another_number(
    shared: frozenset[str], name: str, later: Sequence[int]
) -> None:
    (listed,) = names(1, 3, at=STARTED)
    listed = listed.replaced(version_list=(*listed.version_list, VersionName("b-2", id_of(2), STARTED + 2)))
    replies: dict[str, Reply] = {f"get version {id_of(n)}": version(n) for n in (1, 2, 3)}
    replies.update({"list files": [row(1)], "list version names": [listed]})
    found, _ = read(replies, replace(wanted(version=name), shared=shared))
    assert [int(version.id, 16) for version in found.later] == later


# --- who refuses ----------------------------------------------------------------------------------------


def refused(of_project: Reply, of_space: Reply) -> StepError:
    reader = FakeReader({"get project": of_project, "list spaces": of_space})
    with pytest.raises(StepError) as caught:
        read_existing(reader, wanted())
    return caught.value


def test_a_refused_list_takes_the_apply_link_from_the_projects_answer() -> None:
    of_project = NoPermission(user="lisi", message="no", context={"apply_url": "https://iam.example.com/1"})
    of_space = NoPermission(user="lisi", message="no")
    error = refused(of_project, of_space)
    assert error is of_space
    assert error.context["apply_url"] == "https://iam.example.com/1"
    alone = NoPermission(user="lisi", message="no")
    assert refused(PROJECT, alone) is alone


def test_that_nobody_arrived_weighs_more_than_the_app_having_no_permission() -> None:
    nobody = NobodyArrived(app_code="web_app", user="lisi")
    linked = NoPermission(user="lisi", message="no", context={"apply_url": "https://iam.example.com/1"})
    assert refused(linked, nobody) is nobody
    assert refused(ProjectNotVisible(project="web", user="lisi", message="m"), nobody) is nobody
    assert nobody.context == {}, "the link is that of the app, which is nobody's"


def test_that_the_project_is_unknown_explains_the_failing_list() -> None:
    unknown = ProjectNotVisible(project="web", user="lisi", message="m")
    assert refused(unknown, NoPermission(user="lisi", message="no")) is unknown


def test_a_project_that_nobody_answers_for_stops_a_space_that_is_there() -> None:
    silent = OutOfTime(seconds=60)
    assert refused(silent, [SPACE]) is silent


def test_a_project_that_may_not_be_looked_up_does_not_stop_a_space_that_may() -> None:
    reader = FakeReader(
        {
            "get project": NoPermission(user="lisi", message="no"),
            "list spaces": [],
            "ask dialect": AppNotGranted(app_code="a", message="m"),
        }
    )
    existing = read_existing(reader, wanted())
    assert (existing.project_id, existing.space) == ("", None)


def test_another_file_without_a_version_serves_nothing_and_is_not_read() -> None:
    routing = ManifestFile(
        name="a.yaml", text="new", source="a", documents=parse_documents("kind: Service\n", source="a")
    )
    reader = FakeReader(
        {
            "list files": [row(1), row(2, name="b.yaml", current=0)],
            "list version names": names(1),
            f"get version {1:024x}": version(1),
        }
    )
    found = read_existing(reader, replace(wanted(version="none"), files=(routing,)))
    assert found.others == ()


# --- what is looked at, and what is not -----------------------------------------------------------------


ROUTING = ManifestFile(
    name="a.yaml", text="new", source="a", documents=parse_documents("kind: Service\n", source="a")
)
TARGET = replace(wanted(), files=(ROUTING,), cluster_id="BCS-K8S-1", namespace="web")
LIVE = LiveIngresses((LiveIngress("old"),), "networking.k8s.io/v1")


def test_who_and_where_is_asked_once_and_not_where_a_run_plans_again() -> None:
    found = read_existing(FakeReader(OLD), wanted())
    assert (found.project_id, found.space, found.chart, found.chart_readable) == ("a" * 32, SPACE, None, True)
    again = replace(wanted(), again=Again(frozenset(), found))
    reader = FakeReader(OLD)
    once_more = read_existing(reader, again)
    assert (once_more.project_id, once_more.space, once_more.files) == ("a" * 32, SPACE, found.files)
    assert reader.asked == ["list files"]


@pytest.mark.parametrize("space", [[], [SPACE]])
def test_the_namespaces_ingresses_are_read_where_the_run_routes_anything_there(space: Reply) -> None:
    replies: dict[str, Reply] = {
        **OLD,
        "list spaces": space,
        "list Ingress": LIVE,
        "ask dialect": UNPUBLISHED,
    }
    found = read_existing(FakeReader(replies), TARGET)
    assert (found.live, found.ingresses_as) == (LIVE.ingresses, LIVE.served_as)
    assert (found.live_readable, found.project_id) == (True, "a" * 32)


@pytest.mark.parametrize("error", [NoPermission(user="lisi", message="no"), UNPUBLISHED])
def test_ingresses_that_may_not_be_looked_at_stop_no_plan_and_that_is_said(error: StepError) -> None:
    found = read_existing(FakeReader({**OLD, "list Ingress": error}), TARGET)
    assert (found.live, found.live_readable) == ((), False)
    assert found.files


@pytest.mark.parametrize(
    ("ask", "of_project"),
    [
        (replace(TARGET, cluster_id=""), PROJECT),
        (replace(TARGET, files=wanted().files), PROJECT),
        (TARGET, NoPermission(user="lisi", message="no")),
    ],
)
def test_no_ingresses_are_read_where_none_matter_or_nobody_knows_the_project(
    ask: Wanted, of_project: Reply
) -> None:
    reader = FakeReader({**OLD, "get project": of_project})
    assert read_existing(reader, ask).live_readable
    assert "list Ingress" not in reader.asked


def test_a_template_set_is_read_beside_the_files_if_the_run_makes_one() -> None:
    chart = ChartVersion(name="set", version="v9")
    replies = {**OLD, "get chart version": chart}
    found = read_existing(FakeReader(replies), replace(wanted(), template_set="set"))
    assert (found.chart, found.chart_readable, [*found.files]) == (chart, True, ["a.yaml"])
    refused = {**OLD, "get chart version": NoPermission(user="lisi", message="no")}
    unknown = read_existing(FakeReader(refused), replace(wanted(), template_set="set"))
    assert (unknown.chart, unknown.chart_readable) == (None, False)


def other(number: int, name: str, kind: str, *, current: str = "v8") -> TemplateFile:
    return row(number, name=name, current=number).replaced(resource_type=(kind,), version=current)


@pytest.mark.parametrize(
    ("files", "current", "others"),
    [
        ((ROUTING,), "v8", ["routes.yaml", "left.yaml"]),
        (wanted().files, "by hand", ["left.yaml"]),
    ],
)
def test_of_other_files_those_are_read_that_may_route_or_that_an_earlier_build_seems_to_have_made(
    files: tuple[ManifestFile, ...], current: str, others: Sequence[str]
) -> None:
    rows = [
        row(1, at=YOUNG - 1),
        other(2, "routes.yaml", "Service", current=current),
        other(3, "left.yaml", "ConfigMap"),
        other(4, "outside.yaml", "ConfigMap"),
    ]
    replies: dict[str, Reply] = {f"get version {id_of(n)}": version(n, at=YOUNG - 1) for n in range(1, 5)}
    replies["list files"] = rows
    reader = FakeReader(replies)
    ask = replace(wanted(), files=files, outside=frozenset({"outside.yaml"}))
    found = read_existing(reader, ask)
    assert [other.name for other in found.others] == others
    assert [*found.rows] == [row.real_name for row in rows]
    assert len(reader.exactly) == len({*reader.exactly})
    reader = FakeReader(replies)
    once_more = read_existing(reader, replace(ask, again=Again(frozenset(), found)))
    assert once_more.others == found.others
    assert {f"get version {id_of(n)}" for n in (1, 2)}.isdisjoint(reader.exactly)


def test_another_file_without_a_current_version_is_not_known_from_before() -> None:
    before = Existing(others=(OtherFile("a"), OtherFile("b", current=VersionRef("1", "v1"))))
    assert Again(frozenset(), before).others == {("b", "1"): before.others[1]}


def test_a_run_that_is_nobodys_has_no_number() -> None:
    assert (wanted().build, replace(wanted(), ours=None).build) == (9, 0)
    assert (wanted().cluster_id, wanted().namespace, wanted().may_exist) == ("", "", False)


# --- the dialect ----------------------------------------------------------------------------------------


def old_path(status: int) -> BcsTooOld:
    return BcsTooOld(problem="p", oldest="o", status=status)


def test_a_space_that_this_bcs_would_not_make_under_its_name_is_refused() -> None:
    reader = FakeReader({"list spaces": [], "ask dialect": old_path(405)})
    with pytest.raises(InputsInvalid) as caught:
        read_existing(reader, replace(wanted(), space="a:b"))
    assert caught.value.details == (say("bcs.space_special", name="a:b"),)
    existing = read_existing(FakeReader({"list spaces": [], "ask dialect": old_path(404)}), wanted())
    assert existing.space is None


@pytest.mark.parametrize(
    ("answer", "below"),
    [
        (old_path(404), True),
        (old_path(405), False),
        (NoSuchPath(url="u", message="m"), None),
        (AppNotGranted(app_code="a", message="m"), None),
    ],
)
def test_where_a_first_file_is_created_is_asked_of_a_path_that_is_not_there(
    answer: StepError, *, below: Optional[bool]
) -> None:
    reader = FakeReader({"list files": [], "ask dialect": answer})
    read_existing(reader, wanted())
    assert (reader.asked.count("ask dialect"), reader.site.creates_below_space) == (1, below)


@pytest.mark.parametrize(
    "answer", [None, BcsFailed(bcs_code=1, message="m"), NoPermission(user="u", message="m")]
)
def test_a_bcs_that_has_that_path_is_too_old(answer: Reply) -> None:
    with pytest.raises(BcsTooOld) as caught:
        read_existing(FakeReader({"list files": [], "ask dialect": answer}), wanted())
    assert caught.value.fields["problem"] == say("bcs.needs_files")
    assert caught.value.fields["oldest"] == OLDEST_RELEASE


def test_a_bcs_whose_folders_are_bare_is_too_old() -> None:
    reader = FakeReader({"list spaces": [SPACE, SPACE.replaced(bare=True)]})
    with pytest.raises(BcsTooOld) as caught:
        find_space(reader, project="web", space="web")
    assert caught.value.fields["problem"] == say("bcs.needs_folders")


@pytest.mark.parametrize(("status", "name"), [(404, "web/a.yaml"), (405, "a.yaml")])
def test_a_name_that_begins_with_its_folder_is_read_as_the_dialect_says(status: int, name: str) -> None:
    listed = row(1).replaced(real_name="", template_space="web")
    reader = FakeReader({"list files": [listed], "ask dialect": old_path(status)})
    (found,) = list_files(reader, "web", SPACE.id)
    assert found.real_name == name


@pytest.mark.parametrize(
    ("answered", "name"),
    [
        ({"name": "web/a.yaml"}, "web/a.yaml"),
        ({"name": "web/web/a.yaml"}, "web/a.yaml"),
        ({"name": "web/b.yaml"}, "b.yaml"),
        ({"name": "web/a.yaml", "real_name": "a.yaml"}, "a.yaml"),
    ],
)
def test_one_files_name_is_the_one_that_the_list_gave_it_if_it_can_be(
    answered: Mapping[str, object], name: str
) -> None:
    answer = row(1).replaced(**{"real_name": "", "template_space": "web", **answered})
    found = read_file(FakeReader({"get file": answer}), "web", answer.id, known_as="web/a.yaml")
    assert found.real_name == name


def test_which_bcs_answered_is_told_by_one_file_too() -> None:
    reader = FakeReader({"get file": row(1)})
    read_file(reader, "web", row(1).id, known_as="a.yaml")
    assert reader.site.possible == {Dialect.C}


@pytest.mark.parametrize(
    ("answer", "lists"),
    [(names(1), True), (old_path(404), False), (NoSuchPath(url="u", message="m"), None)],
)
def test_whether_a_space_lists_versions_is_remembered(answer: Reply, *, lists: Optional[bool]) -> None:
    reader = FakeReader({"list version names": answer})
    assert (space_histories(reader, "web", SPACE) is not None) is bool(lists)
    assert reader.site.lists_versions is lists


@pytest.mark.parametrize(("code", "readable"), [(6, True), (1, True), (11, False)])
def test_only_code_11_of_helm_manager_says_that_it_did_not_look(code: int, *, readable: bool) -> None:
    reader = FakeReader({"get chart version": BcsFailed(bcs_code=code, message="m")})
    assert read_chart(reader, "web", template_set="web", version="1.0.0") == (None, readable)


def test_of_a_space_without_files_nothing_more_is_asked_where_nothing_is_made() -> None:
    reader = FakeReader({"list files": []})
    assert list_files(reader, "web", SPACE.id) == ()
    assert reader.asked == ["list files"]
