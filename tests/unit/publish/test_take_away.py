"""Deleting one by one: what stops it, and what is then done, left and not tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Optional, TypeVar, Union

import pytest
from tests.support.pieces import FakeClock

from bcs_template_set.bcs.answers import TemplateSpace
from bcs_template_set.bcs.calls import JsonValue, Read, Write
from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.bcs.dialect import Site
from bcs_template_set.bcs.marks import TEMPLATE_NAME, TEMPLATE_VERSION
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kinds import CONFIG_MAP, DEPLOYMENT, SERVICE
from bcs_template_set.messages import say
from bcs_template_set.messages.server_errors import BcsFailed, GatewayFailed, OutcomeUnknown
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.publish.pruning import Orphan, OrphanFile, Pruning
from bcs_template_set.publish.read_orphans import Looking
from bcs_template_set.publish.take_away import Taken, Taking, narrowed, take_away

T = TypeVar("T")
PLACE = NamespaceRef("web", "f" * 32, "BCS-K8S-40000", "prod")
GATEWAY_DOWN = GatewayFailed(url="x", status=503, message="down")
UNKNOWN = OutcomeUnknown(url="x", problem="no answer")


def gone(name: str) -> StepError:
    return BcsFailed(bcs_code=1, message=f'services "{name}" not found', details=())


def found(name: str, uid: str = "1", **metadata: JsonValue) -> JsonValue:
    marks: JsonValue = {TEMPLATE_NAME: "front-ends/f.yaml", TEMPLATE_VERSION: "1"}
    return {"manifest": {"metadata": {"name": name, "uid": uid, "annotations": marks, **metadata}}}


Said = Union[JsonValue, StepError]


@dataclass
class Gateway:
    """A gateway whose answers are given: of each object in turn, of its deletion, and of files."""

    most_at_once = 1

    objects: dict[str, list[Said]]
    deletions: Mapping[str, Said] = field(default_factory=dict)
    version: str = "v1"
    draft: bool = False
    newest: Optional[tuple[str, ...]] = None
    """The versions of a pinned file, newest first."""
    asked: list[str] = field(default_factory=list)
    site: Site = field(default_factory=Site)

    def __post_init__(self) -> None:
        self.objects = {name: [*answers] for name, answers in self.objects.items()}  # parameters run again

    def read(self, call: Read[T]) -> T:
        name = call.segments[-1]
        if call.name == "get file":
            said: JsonValue = self.version
            mode = int(self.newest is not None)
            row = {"id": name, "name": "x", "version": "1", "versionID": said, "versionMode": mode}
            row["isDraft"] = self.draft
            return self._answer(call, row)
        if call.name == "list versions":
            assert self.newest is not None, "of others the newest is the current one: it is not asked for"
            ids = enumerate(reversed(self.newest))
            return self._answer(
                call, [{"id": v, "version": v, "content": "", "createAt": at} for at, v in ids]
            )
        answers = self.objects[name]
        return self._answer(call, answers.pop(0) if len(answers) > 1 else answers[0])

    def write(self, call: Write[T]) -> T:
        self.asked.append(call.segments[-1])
        return self._answer(call, self.deletions.get(call.segments[-1]))

    def _answer(self, call: Union[Read[T], Write[T]], said: Said) -> T:
        if isinstance(said, StepError):
            raise said
        return call.parse(said)


def orphan(name: str, kind: Kind = SERVICE) -> Orphan:
    return Orphan(kind, name, "f.yaml", "1", uid="1", template_id="t", versions=frozenset({"v1"}))


def take(
    gateway: Gateway,
    *objects: Orphan,
    files: tuple[OrphanFile, ...] = (),
    clock: Optional[FakeClock] = None,
    heard: Optional[list[Taken]] = None,
) -> Taken:
    clock, heard = clock or FakeClock(), [] if heard is None else heard
    looking = Looking(gateway, PLACE, TemplateSpace("s", "front-ends"))
    taken = take_away(
        Taking(looking, gateway, clock, heard.append), Pruning("delete", objects=objects, files=files)
    )
    assert heard[-1] == taken
    return taken


def told(taken: Taken) -> list[str]:
    return [f"{name}: {why.key}" for name, why in taken.left]


@pytest.mark.parametrize(
    ("answers", "deletion", "done", "left"),
    [
        ([found("a"), gone("a")], None, True, []),
        ([gone("a")], None, True, []),
        ([found("a"), gone("a")], gone("a"), True, []),
        ([found("a"), found("a", uid="2")], None, True, []),
        ([found("a"), gone("a")], UNKNOWN, True, []),
        ([found("a", deletionTimestamp="x"), gone("a")], None, True, []),
        ([found("a", uid="2")], None, False, ["Service/a: prune.came_back"]),
        ([found("a", ownerReferences=[{"kind": "X"}])], None, False, ["Service/a: prune.came_back"]),
        ([GATEWAY_DOWN], None, False, ["Service/a: errors.title"]),
        ([found("a")], gone("b"), False, ["Service/a: errors.title"]),
        ([found("a")], None, False, ["Service/a: prune.still_there"]),
        ([found("a"), GATEWAY_DOWN], None, False, ["Service/a: prune.unseen"]),
        (
            [found("a"), found("a", deletionTimestamp="x", finalizers=["f"])],
            None,
            False,
            ["Service/a: prune.waits"],
        ),
    ],
)
def test_an_object_is_done_when_it_was_seen_gone_and_else_is_left_with_why(
    answers: list[Said], deletion: Said, *, done: bool, left: list[str]
) -> None:
    taken = take(Gateway({"a": answers}, {"a": deletion}), orphan("a"))
    assert [one.title for one in taken.done] == (["Service/a"] if done else [])
    shown = [
        line if "prune." in line else line.rpartition(": ")[0] + ": errors.title" for line in told(taken)
    ]
    assert shown == left
    assert (taken.is_whole, bool(taken.pruned)) == (done, done)


def test_what_stops_it_leaves_the_rest_untried_and_what_workloads_mount_waits_for_them() -> None:
    three = [orphan("a"), orphan("b", DEPLOYMENT), orphan("c", CONFIG_MAP)]
    gateway = Gateway({name: [found(name), gone(name)] for name in "abc"}, {"b": GATEWAY_DOWN})
    taken = take(gateway, *three)
    assert ([one.name for one in taken.done], gateway.asked) == (["a"], ["a", "b"])
    assert (taken.not_tried, taken.pruned) == (("ConfigMap/c",), ())
    held = Gateway({"a": [gone("a")], "b": [found("b")], "c": [found("c")]})
    assert take(held, *three).not_tried == ("ConfigMap/c",)
    assert held.asked == ["b"]


def test_it_is_heard_how_far_it_is_before_and_after_each_one_and_while_it_waits() -> None:
    gateway = Gateway({"a": [found("a"), found("a"), gone("a")], "b": [gone("b")]})
    heard: list[Taken] = []
    files = (OrphanFile("f.yaml", "t", "v1"),)
    take(gateway, orphan("a"), orphan("b"), files=files, clock=(clock := FakeClock()), heard=heard)
    assert [([one.name for one in t.done], told(t), list(t.not_tried), list(t.files)) for t in heard] == [
        ([], [], ["Service/a", "Service/b", "f.yaml"], []),
        ([], ["Service/a: prune.sent"], ["Service/b", "f.yaml"], []),
        (["b"], ["Service/a: prune.sent"], ["f.yaml"], []),
        (["b"], ["Service/a: prune.sent"], ["f.yaml"], []),
        (["b", "a"], [], [], ["f.yaml"]),
        (["b", "a"], [], [], ["f.yaml"]),
    ]
    assert clock.waits == [1.0]


def test_all_together_are_waited_for_no_longer_than_that() -> None:
    clock = FakeClock()
    gateway = Gateway({"a": [found("a"), found("a"), gone("a")], "b": [found("b")]})
    taken = take(gateway, orphan("a"), orphan("b"), clock=clock)
    assert (clock.waits, told(taken)) == ([1.0] * 30, ["Service/b: prune.still_there"])


def test_what_goes_already_is_not_deleted_again() -> None:
    gateway = Gateway({"a": [found("a", deletionTimestamp="x"), gone("a")]})
    assert take(gateway, orphan("a")).is_whole
    assert gateway.asked == []


@pytest.mark.parametrize("answer", [gone("b"), UNKNOWN, GATEWAY_DOWN])
def test_behind_one_that_may_not_have_been_deleted_none_is_tried(answer: StepError) -> None:
    gateway = Gateway({"a": [found("a"), gone("a")], "b": [found("b")]}, {"a": answer})
    assert take(gateway, orphan("a"), orphan("b")).not_tried == ("Service/b",)
    assert gateway.asked == ["a"]


@pytest.mark.parametrize(
    ("newest", "goes"),
    [(("v1", "v0"), True), (("v2", "v1"), False), ((), True)],
    ids=["same", "newer", "none"],
)
def test_a_pinned_file_is_where_it_was_where_nothing_newer_was_published(
    newest: tuple[str, ...], *, goes: bool
) -> None:
    taken = take(Gateway({"a": [found("a"), gone("a")]}, newest=newest), orphan("a"))
    assert told(taken) == ([] if goes else ["Service/a: prune.file_came_back"])


F, G = OrphanFile("f.yaml", "t", "v1"), OrphanFile("g.yaml", "u", "v1")


@pytest.mark.parametrize(
    ("gateway", "first", "gone_files", "left", "untried"),
    [
        (Gateway({"a": [gone("a")]}), F, ("f.yaml", "g.yaml"), (), ()),
        (Gateway({"a": [found("a", uid="2")]}), F, ("g.yaml",), ("Service/a", "f.yaml"), ()),
        (Gateway({"a": [gone("a")]}), replace(F, version_id="v9"), ("g.yaml",), ("f.yaml",), ()),
        (Gateway({"a": [gone("a")]}, {"t": GATEWAY_DOWN}), F, (), ("f.yaml",), ("g.yaml",)),
        (Gateway({"a": [gone("a")]}, draft=True), F, (), ("f.yaml", "g.yaml"), ()),
    ],
    ids=["both go", "an object stays", "published since", "not answered", "drafts"],
)
def test_a_file_that_stays_stops_the_next_one_only_where_nobody_knows(
    gateway: Gateway, first: OrphanFile, gone_files: object, left: object, untried: object
) -> None:
    taken = take(gateway, orphan("a"), files=(first, G))
    assert (taken.files, tuple(name for name, _ in taken.left), taken.not_tried) == (
        gone_files,
        left,
        untried,
    )


def test_what_goes_at_the_last_look_is_gone() -> None:
    gateway = Gateway({"a": [*[found("a")] * 31, gone("a")], "b": [found("b")]})
    taken = take(gateway, orphan("a"), orphan("b"))
    assert ([one.name for one in taken.done], told(taken)) == (["a"], ["Service/b: prune.still_there"])


def test_it_is_begun_with_the_first_that_may_be_gone() -> None:
    why = say("prune.came_back")
    begun = (Taken(done=(orphan("a"),)), Taken(files=("f.yaml",)), Taken(left=(("a", why),)))
    assert all(taken.is_begun for taken in begun)
    assert not Taken(not_tried=("a",)).is_begun


def test_a_draft_that_somebody_has_begun_keeps_the_file_and_not_its_object() -> None:
    taken = take(Gateway({"a": [found("a"), gone("a")]}, draft=True), orphan("a"))
    assert (told(taken), taken.is_whole) == ([], True)


def test_a_file_goes_though_an_object_of_another_one_stays() -> None:
    gateway = Gateway({"a": [found("a", uid="2")], "b": [gone("b")]})
    other = replace(orphan("a"), file="other.yaml")
    taken = take(gateway, other, orphan("b"), files=(OrphanFile("f.yaml", "t", "v1"),))
    assert (told(taken), taken.files) == (["Service/a: prune.came_back"], ("f.yaml",))


def test_a_file_that_was_published_meanwhile_keeps_its_objects_and_itself() -> None:
    taken = take(Gateway({"a": [found("a")]}, version="v2"), orphan("a"))
    assert told(taken) == ["Service/a: prune.file_came_back"]


@pytest.mark.parametrize(
    ("version", "deletion", "objects", "gone_files", "left"),
    [
        ("v1", None, [gone("a")], ("f.yaml",), []),
        ("v2", None, [gone("a")], (), ["f.yaml: prune.file_came_back"]),
        ("v1", GATEWAY_DOWN, [gone("a")], (), ["f.yaml"]),
        ("v1", None, [found("a", uid="2")], (), ["Service/a: prune.came_back", "f.yaml: prune.object_stays"]),
        ("v1", None, [found("a")], (), ["Service/a: prune.still_there"]),
    ],
)
def test_a_file_goes_after_all_its_objects_were_seen_gone(
    version: str, deletion: Said, objects: list[Said], gone_files: tuple[str, ...], left: list[str]
) -> None:
    files = (OrphanFile("f.yaml", "t", "v1"), OrphanFile("g.yaml", "u", "v1"))
    gateway = Gateway({"a": objects}, {"t": deletion}, version=version)
    taken = take(gateway, orphan("a"), files=files[:1])
    assert taken.files == gone_files
    assert [line if "prune." in line else line.partition(":")[0] for line in told(taken)] == left


def test_only_what_was_planned_goes_and_what_may_not_any_more_is_named() -> None:
    planned = Pruning("delete", objects=(orphan("a"), orphan("b")), files=(OrphanFile("f.yaml", "t", "v1"),))
    fresh = Pruning(objects=(orphan("b"), orphan("c")))
    going, kept = narrowed(fresh, planned)
    assert [one.name for one in going.objects] == ["b"]
    assert [(name, why.key) for name, why in kept] == [
        ("Service/a", "prune.came_back"),
        ("f.yaml", "prune.came_back"),
    ]
    # Made again since: the file stays as long as the object does.
    again = Pruning(objects=(replace(orphan("a"), uid="2"), orphan("b")), files=planned.files)
    going, kept = narrowed(again, planned)
    assert ([one.name for one in going.objects], going.files) == (["b"], ())
