"""All that decides what may be deleted is read to its end, and what can't be read is no answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Optional, Union, cast

import pytest
from tests.support.planned import OURS, SPACE, A, file_id, rendered, version_of

from bcs_template_set.bcs.answers import (
    FileVersions,
    TemplateFile,
    TemplateSpace,
    TemplateVersion,
    VersionName,
)
from bcs_template_set.bcs.calls import JsonValue, Read, T, Unreadable
from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.bcs.dialect import Site
from bcs_template_set.bcs.marks import TEMPLATE_NAME, TEMPLATE_VERSION, Mark
from bcs_template_set.bcs.space.live_objects import LiveObjects, LiveRow
from bcs_template_set.manifests.custom_kinds import CUSTOM
from bcs_template_set.manifests.fields import Fields
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kinds import CONFIG_MAP, DEPLOYMENT, INGRESS, LISTED, POD, SERVICE
from bcs_template_set.messages.errors import NoPermission
from bcs_template_set.messages.server_errors import AnswerUnreadable, BcsFailed
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.publish.orphans import Folder, FolderFile, Seen
from bcs_template_set.publish.read_orphans import (
    OF_CONTROLLERS,
    Looking,
    all_of,
    is_not_found,
    read_folder,
    read_proofs,
    read_referring,
    read_whole,
)

PLACE = NamespaceRef("web", "a" * 32, "K-1", "prod")
DOWN = BcsFailed(bcs_code=1, message="mongo is away")
NO = NoPermission(user="lisi", message="no")
UNDEFINED = BcsFailed(bcs_code=1, message='customresourcedefinitions.apiextensions.k8s.io "x" not found')
DAEMON_SET = next(kind for kind in LISTED if kind.name == "DaemonSet")
ROLLOUT = next(kind for kind in CUSTOM if kind.name == "Rollout")


def body(kind: str, name: str, **more: JsonValue) -> dict[str, JsonValue]:
    marks: JsonValue = {TEMPLATE_NAME: "front-ends/f.yaml", TEMPLATE_VERSION: "1.0.6-main"}
    metadata: JsonValue = {"name": name, "namespace": "prod", "uid": f"u-{name}", "annotations": marks}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **more}


def live(kind: Kind, name: str, *, labels: Sequence[str] = (), of: str = "front-ends/f.yaml") -> LiveRow:
    item: Fields = {"metadata": {"labels": dict.fromkeys(labels, "x")}}
    return LiveRow(kind, name, "prod", f"u-{name}", Mark(of, "1.0.6-main"), item)


class World:
    """A project's folders and a namespace: what it lists, and each object by `Kind/name`."""

    most_at_once = 1

    def __init__(
        self,
        *,
        objects: Optional[Mapping[str, Union[StepError, JsonValue]]] = None,
        lists: Optional[Mapping[str, Union[StepError, Sequence[LiveRow]]]] = None,
        versions: Sequence[TemplateVersion] = (),
        folders: Optional[Mapping[str, Sequence[TemplateFile]]] = None,
        names: Sequence[FileVersions] = (),
    ) -> None:
        self.site = Site()
        self.asked: list[str] = []
        self._objects, self._lists, self._names = objects or {}, lists or {}, names
        self._versions = {version.id: version for version in versions}
        self._folders = folders or {"front-ends": ()}

    def read(self, call: Read[T]) -> T:
        self.asked.append(f"{call.name} {call.segments[-1]}")
        found = self._found(call)
        if isinstance(found, StepError):
            raise found
        is_whole = call.name.startswith("get ") and call.name != "get version"
        return call.parse({"manifest": cast("JsonValue", found)}) if is_whole else cast("T", found)

    def _found(self, call: Read[T]) -> object:
        word, _, what = call.name.partition(" ")
        if what == "spaces":
            return [TemplateSpace(id=name, name=name) for name in self._folders]
        if what == "files":
            return self._folders[call.segments[-2]]
        if what == "version names":
            return self._names
        if what == "version":
            wanted = (call.body or {}).get("version")
            named = [v for v in self._versions.values() if v.version == wanted]
            return self._versions[call.segments[-1]] if word == "get" else next(iter(named), None)
        if word == "list":
            found = self._lists.get(what, ())
            return found if isinstance(found, StepError) else tuple(found)
        missing = BcsFailed(bcs_code=1, message=f'x "{call.segments[-1]}" not found')
        return self._objects.get(f"{what}/{call.segments[-1]}", missing)


def looking(world: World) -> Looking:
    return Looking(world, PLACE, SPACE)


# --- lists ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unread", "raised"),
    [
        ({ROLLOUT: UNDEFINED}, None),
        ({ROLLOUT: DOWN}, DOWN),
        ({DAEMON_SET: NO}, None),
        ({DAEMON_SET: DOWN}, DOWN),
        ({SERVICE: NO}, NO),
        ({DAEMON_SET: NO, SERVICE: NO}, NO),
        ({DAEMON_SET: NO, SERVICE: DOWN}, DOWN),
    ],
)
def test_only_what_can_not_be_there_need_not_be_listed(
    unread: Mapping[Kind, StepError], raised: Optional[StepError]
) -> None:
    found = LiveObjects((live(CONFIG_MAP, "x"),), unread)
    if raised is None:
        assert all_of(found) == found.rows
        return
    with pytest.raises(StepError) as caught:
        all_of(found)
    assert caught.value is raised


# --- one object -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "message", "is_gone"),
    [
        (1, 'services "x" not found', True),
        (1, 'services "x" not found. ', True),
        (2, 'services "x" not found', False),
        (1, 'services "y" not found', False),
        (1, 'services "x" not found in the cache', False),
        (1, 'services "x" is forbidden', False),
    ],
)
def test_an_object_is_gone_where_bcs_says_so_of_its_name(code: int, message: str, *, is_gone: bool) -> None:
    error = BcsFailed(bcs_code=code, message=message)
    assert is_not_found(error, "x") is is_gone
    asked = looking(World(objects={"ConfigMap/x": error}))
    if is_gone:
        assert read_whole(asked, CONFIG_MAP, "x") is None
        return
    with pytest.raises(BcsFailed):
        read_whole(asked, CONFIG_MAP, "x")


@pytest.mark.parametrize("metadata", [{"name": "y", "uid": "u"}, {"name": "x"}], ids=["another", "no uid"])
def test_an_answer_that_is_no_such_object_is_none(metadata: JsonValue) -> None:
    world = World(objects={"ConfigMap/x": {**body("ConfigMap", "x"), "metadata": metadata}})
    with pytest.raises(Unreadable, match="`uid`"):
        read_whole(looking(world), CONFIG_MAP, "x")
    assert read_whole(looking(World(objects={"ConfigMap/x": body("ConfigMap", "x")})), CONFIG_MAP, "x")


# --- a folder -------------------------------------------------------------------------------------------


def row(name: str, current: int, *, pinned: bool = False, kinds: Sequence[str] = ()) -> TemplateFile:
    return TemplateFile(
        id=file_id(name),
        name=f"front-ends/{name}",
        version=f"v{current}",
        version_id=f"{current:024x}" if current else "",
        version_mode=int(pinned),
        real_name=name,
        resource_type=tuple(kinds),
    )


def test_a_file_is_told_by_its_current_version_and_a_pinned_one_also_by_its_newest() -> None:
    versions = [version_of(A, number=number) for number in range(1, 6)]
    listed = [VersionName(f"v{n}", f"{n:024x}", n) for n in (5, 4)]
    rows = [row("a.yaml", 1), row("draft.yaml", 0), row("pinned.yaml", 2, pinned=True), row("odd.yaml", 3)]
    rows += [row("lost.yaml", 3, pinned=True), row("newest.yaml", 5, pinned=True)]
    names = [
        FileVersions(f"front-ends/{name}", version_list=tuple(listed))
        for name in ("pinned.yaml", "newest.yaml")
    ]
    world = World(versions=versions, names=names)
    found = read_folder(looking(world), {r.real_name: r for r in rows}, rendered=(), ours=OURS)
    assert {name: [int(v.id, 16) for v in file.versions] for name, file in found.files.items()} == {
        "a.yaml": [1],
        "draft.yaml": [],
        "pinned.yaml": [2, 5],
        "odd.yaml": [3],
        "lost.yaml": [],
        "newest.yaml": [5],
    }
    assert (found.space, found.ours, found.rendered) == ("front-ends", OURS, ())


def test_versions_at_hand_are_not_read_and_custom_kinds_only_where_they_may_be_there() -> None:
    text = "apiVersion: tkex.tencent.com/v1alpha1\nkind: GameDeployment\nmetadata: {name: g}\n"
    rows = {"a.yaml": row("a.yaml", 1, kinds=["Rollout"])}
    world = World(lists={"ConfigMap": [live(CONFIG_MAP, "x")]})
    known = {f"{1:024x}": version_of(A)}
    ours = (rendered("g.yaml", text),)
    found = read_folder(looking(world), rows, rendered=ours, ours=OURS, known=known)
    assert (found.rows, found.rendered) == ((live(CONFIG_MAP, "x"),), ours)
    lists = [asked.split()[1] for asked in world.asked if asked.startswith("list ")]
    assert sorted(lists) == sorted([kind.name for kind in LISTED] + ["GameDeployment", "Rollout"])
    assert "get version" not in " ".join(world.asked)


# --- proofs ---------------------------------------------------------------------------------------------

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"


def folder(*rows: LiveRow, files: Sequence[FolderFile] = ()) -> Folder:
    return Folder("front-ends", OURS, (), {file.name: file for file in files}, rows)


def proofs(world: World, *rows: LiveRow, files: Sequence[FolderFile] = (), desk: bool = False) -> Seen:
    ours = None if desk else OURS
    return read_proofs(looking(world), folder(*rows, files=files), rows, ours=ours, also=(), files=files)


def test_each_object_has_itself_its_version_and_who_else_claims_it() -> None:
    marked, other = version_of(CONFIG), version_of(CONFIG, number=8, name="v8")
    world = World(
        objects={"ConfigMap/x": body("ConfigMap", "x")},
        versions=[marked, other],
        folders={
            "front-ends": [row("f.yaml", 1)],
            "theirs": [row("f.yaml", 8), row("g.yaml", 8)],
            "empty": [row("f.yaml", 0)],
        },
    )
    seen = proofs(world, live(CONFIG_MAP, "x"))
    (proof,) = seen.proofs.values()
    assert proof.whole == body("ConfigMap", "x")
    assert proof.version == marked
    assert [claim.file for claim in proof.claims] == ["theirs/f.yaml"]
    assert (seen.referring, seen.lacking) == ({}, ())
    assert [asked for asked in world.asked if asked.startswith("find")] == ["find version detail"]


def test_at_a_desk_nobodys_claims_are_asked_for() -> None:
    theirs = version_of(CONFIG, number=9, name="v9", origin=replace(OURS, branch="login"))
    other = FolderFile(row("other.yaml", 9), (theirs,))
    world = World(objects={"ConfigMap/x": body("ConfigMap", "x")}, versions=[version_of(CONFIG)], folders={})
    (proof,) = proofs(world, live(CONFIG_MAP, "x"), files=[other], desk=True).proofs.values()
    assert proof.claims == ()
    assert "list spaces spaces" not in world.asked
    world = World(objects={"ConfigMap/x": body("ConfigMap", "x")}, versions=[version_of(CONFIG)])
    (proof,) = proofs(world, live(CONFIG_MAP, "x"), files=[other]).proofs.values()
    assert [claim.file for claim in proof.claims] == ["front-ends/other.yaml"]
    assert proofs(World(folders={})).proofs == {}


def test_a_list_of_folders_that_lacks_our_own_is_not_the_truth() -> None:
    world = World(objects={"ConfigMap/x": body("ConfigMap", "x")}, folders={"theirs": ()})
    with pytest.raises(AnswerUnreadable) as caught:
        proofs(world, live(CONFIG_MAP, "x"))
    assert str(caught.value.problem) == "The lists lack front-ends, which is there."
    assert caught.value.url == "spaces"


def test_what_its_version_holds_and_no_list_shows_is_looked_for() -> None:
    held = [
        *("{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}", "{kind: Nothing, metadata: {name: n}}"),
        *("{apiVersion: v1, kind: Secret, metadata: {name: hidden}}",),
        *("{apiVersion: v1, kind: Secret, metadata: {name: gone}}",),
        *("{apiVersion: v1, kind: Secret, metadata: {name: '{{ NAME }}'}}",),
        "{apiVersion: v1, kind: Namespace, metadata: {name: n}}",
        "{apiVersion: v1, kind: Pod, metadata: {name: p}}",
    ]
    marked = version_of("\n---\n".join(held))
    of_a_file = version_of("apiVersion: v1\nkind: Service\nmetadata: {name: s}\n", number=2)
    file = FolderFile(row("g.yaml", 2), (of_a_file,))
    objects = {
        "ConfigMap/x": body("ConfigMap", "x"),
        "Secret/hidden": body("Secret", "hidden"),
        "Service/s": body("Service", "s"),
    }
    world = World(objects=objects, versions=[marked])
    seen = proofs(world, live(CONFIG_MAP, "x"), files=[file])
    assert seen.lacking == ("Secret/hidden", "Service/s")
    looked = {asked.partition(" ")[2] for asked in world.asked if asked.startswith("get ")}
    assert looked == {"ConfigMap x", "Secret hidden", "Secret gone", "Service s"}


@pytest.mark.parametrize(("branch", "looks"), [("main", True), ("login", False)])
def test_only_for_what_may_go_it_is_looked_who_refers_to_it(branch: str, *, looks: bool) -> None:
    objects = {
        "ConfigMap/x": body("ConfigMap", "x"),
        "Deployment/web": mounts("Deployment", "web", config="x"),
    }
    made = version_of(CONFIG, origin=replace(OURS, build=6, branch=branch))
    world, rows = World(objects=objects, versions=[made]), (live(CONFIG_MAP, "x"), live(DEPLOYMENT, "web"))
    seen = read_proofs(looking(world), folder(*rows), rows[:1], ours=OURS, also=())
    assert [*seen.referring] == ([("ConfigMap", "x")] if looks else [])
    assert ("get Deployment web" in world.asked) is looks


def test_a_version_that_is_not_there_or_can_not_be_read_proves_nothing() -> None:
    world = World(objects={"ConfigMap/x": body("ConfigMap", "x")})
    (proof,) = proofs(world, live(CONFIG_MAP, "x")).proofs.values()
    assert proof.version is None
    world = World(objects={"ConfigMap/x": body("ConfigMap", "x")}, versions=[version_of("a: [")])
    assert proofs(world, live(CONFIG_MAP, "x")).lacking == ()


def test_a_marks_version_of_the_folders_own_files_is_at_hand() -> None:
    file = FolderFile(row("f.yaml", 1), (version_of(CONFIG),))
    world = World(objects={"ConfigMap/x": body("ConfigMap", "x")})
    seen = read_proofs(looking(world), folder(files=[file]), [live(CONFIG_MAP, "x")], ours=OURS, also=())
    assert [proof.version for proof in seen.proofs.values()] == [version_of(CONFIG)]
    assert not [asked for asked in world.asked if asked.startswith("find")]


# --- who refers to it -----------------------------------------------------------------------------------


def mounts(kind: str, name: str, *, config: str) -> JsonValue:
    spec: JsonValue = {"volumes": [{"name": "v", "configMap": {"name": config}}], "containers": []}
    groups = {"Pod": "v1", "Deployment": "apps/v1", "Rollout": f"{ROLLOUT.group}/v1alpha1"}
    made = body(kind, name, spec=spec if kind == "Pod" else {"template": {"spec": spec}})
    return {**made, "apiVersion": groups[kind]}


def test_workloads_and_what_no_workload_made_may_name_what_is_to_go() -> None:
    web, bare = live(DEPLOYMENT, "web"), live(POD, "bare")
    made = live(POD, "web-1", labels=["pod-template-hash"])
    alike, rollout = live(POD, "web-2"), live(ROLLOUT, "r")
    of_rollout = live(POD, "r-1", labels=["controller-revision-hash"])
    of_bare = live(POD, "bare-1", labels=["pod-template-hash"])
    objects = {
        "Deployment/web": mounts("Deployment", "web", config="x"),
        "Pod/bare": mounts("Pod", "bare", config="x"),
        "Pod/web-1": mounts("Pod", "web-1", config="x"),
        "Pod/web-2": mounts("Pod", "web-2", config="other"),
        "Rollout/r": mounts("Rollout", "r", config="x"),
    }
    world = World(
        objects=objects, lists={"Pod": [bare, made, alike, of_rollout, of_bare], "Rollout": [rollout]}
    )
    rows = [web, live(SERVICE, "s"), live(CONFIG_MAP, "x")]
    found = read_referring(looking(world), rows, [live(CONFIG_MAP, "x"), live(CONFIG_MAP, "y")])
    assert {key: [one.name for one in by] for key, by in found.items()} == {
        ("ConfigMap", "x"): ["web", "bare", "r"]
    }
    looked = {asked.partition(" ")[2] for asked in world.asked if asked.startswith("get ")}
    assert looked == {"Deployment web", "Pod bare", "Pod web-2", "Rollout r", "Pod bare-1"}


@pytest.mark.parametrize("label", OF_CONTROLLERS)
def test_the_pods_of_a_workload_are_known_by_any_of_their_controllers_labels(label: str) -> None:
    web, made = live(DEPLOYMENT, "web"), live(POD, "web-1", labels=[label])
    world = World(lists={"Pod": [made]})
    read_referring(looking(world), [web], [live(CONFIG_MAP, "x")])
    assert "get Pod web-1" not in world.asked


@pytest.mark.parametrize("name", ["ConfigMap", "Secret", "PersistentVolumeClaim", "Service"])
def test_pods_are_listed_for_what_they_mount(name: str) -> None:
    (kind,) = [kind for kind in LISTED if kind.name == name]
    world = World()
    read_referring(looking(world), [], [live(kind, "x")])
    assert ("list Pod pods" in world.asked) is (name != "Service")


def test_the_labels_of_controllers_are_those_of_kubernetes() -> None:
    assert {*OF_CONTROLLERS} == {
        *("pod-template-hash", "controller-revision-hash", "statefulset.kubernetes.io/pod-name"),
        *("job-name", "batch.kubernetes.io/job-name"),
    }


def test_what_nobody_mounts_is_named_by_routes_autoscalers_and_workloads_alone() -> None:
    backend: JsonValue = {"service": {"name": "s", "port": {"number": 80}}}
    spec: JsonValue = {"rules": [{"http": {"paths": [{"path": "/", "backend": backend}]}}]}
    ingress = body("Ingress", "i", spec=spec)
    world = World(objects={"Ingress/i": {**ingress, "apiVersion": "networking.k8s.io/v1"}})
    rows = [live(INGRESS, "i"), live(SERVICE, "s"), live(DEPLOYMENT, "gone")]
    found = read_referring(looking(world), rows, [live(SERVICE, "s")])
    assert {key: [one.name for one in by] for key, by in found.items()} == {("Service", "s"): ["i"]}
    assert "list Pod pods" not in world.asked
    nothing = World()
    assert read_referring(looking(nothing), rows, []) == {}
    assert nothing.asked == []
