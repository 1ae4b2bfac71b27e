"""What is live of a file, by lists, dry runs and revisions: where they differ, or only one of them tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Optional

import pytest
from tests.support.objects import Object
from tests.support.small_namespace import SPACE, body, marked

from bcs_template_set.bcs.answers import TemplateFile
from bcs_template_set.bcs.marks import mark_of
from bcs_template_set.bcs.space.existing import VersionRef
from bcs_template_set.bcs.space.live_objects import LiveObjects, LiveRow
from bcs_template_set.manifests.fields import mapping_at
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kinds import CONFIG_MAP, DEPLOYMENT, REPLICA_SET
from bcs_template_set.messages import Text
from bcs_template_set.messages.errors import NoPermission
from bcs_template_set.rollout.domain_status import (
    DomainHere,
    FileHere,
    Seen,
    Standing,
    Undone,
    WorkloadHere,
    domains_here,
    is_rest_of,
    live_of,
    not_known_of,
    versions_left,
)
from bcs_template_set.rollout.drift import Drift, Signs
from bcs_template_set.rollout.live_state import LiveState
from bcs_template_set.rollout.revisions import REVISION, Revision, revisions_of

KINDS = {kind.name: kind for kind in (DEPLOYMENT, CONFIG_MAP, REPLICA_SET)}


def file(name: str = "a.yaml", *, version: str = "7") -> TemplateFile:
    return TemplateFile(
        id=name, name=name, real_name=name, version=version, version_id=f"{name}@{version}", version_mode=0
    )


FILE = file()
MAP = body("ConfigMap", "c", data={"a": "7"})
OLD_MAP = body("ConfigMap", "c", data={"a": "6"})


def at(item: Object, version: str = "7", *, name: str = "a.yaml", by: str = "lisi") -> Object:
    """Return an object as it is live at a version."""
    return marked(item, name, version, by=by)


def row(live: Object) -> LiveRow:
    """Return an object as a list has it."""
    kind: Kind = KINDS[str(live["kind"])]
    name = str(mapping_at(live, "metadata")["name"])
    return LiveRow(kind, name, "prod", f"uid-{name}", mark_of(live), item=live)


def state(
    item: Object, live: Optional[Object] = None, *, version: str = "7", name: str = "a.yaml"
) -> LiveState:
    """Return an object of a file's version, and how it is live."""
    own = str(mapping_at(item, "metadata")["name"])
    return LiveState(name, str(item["kind"]), own, desired=at(item, version, name=name), live=live)


Looks = Mapping[str, Sequence[LiveState]]


def seen_of(looks: Looks, *rows: LiveRow, **more: object) -> Seen:
    """Return what is seen where objects of versions of `a.yaml` were looked at, and these are listed."""
    found = {version: tuple(states) for version, states in looks.items()}
    return Seen(SPACE, LiveObjects(rows), looks={"a.yaml": found}, **more)  # type: ignore[arg-type]  # fields


def here(
    looks: Looks, *rows: LiveRow, ready: Optional[Mapping[str, WorkloadHere]] = None, **more: object
) -> FileHere:
    """Return what is live of `a.yaml`."""
    (domain,) = domains_here([FILE], seen_of(looks, *rows, **more), ready=ready or {})
    (found,) = domain.files
    return found


REF = {("a.yaml", version): VersionRef(version, version, int(version)) for version in ("5", "6", "7", "8")}
REFUSED = NoPermission(user="lisi", message="m")

# --- files ----------------------------------------------------------------------------------------------


def test_what_is_listed_and_shown_as_its_version_says_is_live_and_the_same() -> None:
    live = at(MAP)
    found = here({"7": [state(MAP, live)]}, row(live))
    assert found == FileHere(
        FILE,
        "live",
        versions=(("7", ("ConfigMap/c",)),),
        drift=(("ConfigMap/c", Drift()),),
        deployed_by=("lisi",),
    )
    assert (found.is_published, found.changed) == (True, ())


def test_what_only_a_dry_run_shows_is_live_too() -> None:
    live = at(MAP)
    found = here({"7": [state(MAP, live)]})
    assert (found.standing, found.versions, found.deployed_by) == (
        "live",
        (("7", ("ConfigMap/c",)),),
        ("lisi",),
    )


@pytest.mark.parametrize(
    ("looks", "standing"), [({"7": [state(MAP)]}, "not-here"), ({"7": []}, "not-here"), ({}, "not-here")]
)
def test_of_what_neither_shows_nothing_is_here(looks: Looks, standing: Standing) -> None:
    found = here(looks)
    assert found == FileHere(FILE, standing)
    assert not found.is_published


def test_of_what_could_not_be_looked_at_nothing_is_known() -> None:
    why: Text = REFUSED.title()
    found = here({}, failed={("a.yaml", "7"): why})
    assert (found.standing, [text.fields for text in found.why]) == (
        "not-known",
        [{"version": "7", "problem": why}],
    )


def test_an_object_that_its_live_version_holds_and_nobody_has_is_missing() -> None:
    live, other = at(MAP), body("ConfigMap", "d")
    found = here({"7": [state(MAP, live), state(other)]}, row(live))
    assert (found.standing, found.missing, found.changed) == (
        "live",
        ("ConfigMap/d",),
        (("ConfigMap/d", ""),),
    )


def test_an_object_that_nobody_could_see_is_not_said_to_be_missing() -> None:
    live = at(MAP)
    hidden = state(body("Deployment", "web"))
    objects = LiveObjects((row(live),), {DEPLOYMENT: REFUSED})
    seen = Seen(SPACE, objects, looks={"a.yaml": {"7": (state(MAP, live), hidden)}})
    (domain,) = domains_here([FILE], seen, ready={})
    (found,) = domain.files
    assert (found.missing, [why.key for why in found.why]) == ((), ["status.no_list"])


def test_an_object_that_a_list_has_and_a_dry_run_does_not_show_is_live_and_its_drift_not_known() -> None:
    seen = seen_of({"7": [state(MAP)]}, row(at(MAP)))
    (domain,) = domains_here([FILE], seen, ready={})
    (found,) = domain.files
    assert (domain.standing, domain.drift, found.missing, found.drift) == ("live", "not-known", (), ())
    assert [str(why) for why in found.why] == ["BCS lists ConfigMap/c and does not show it"]


def test_an_object_marked_by_nobody_or_by_another_file_is_an_other_and_compared_all_the_same() -> None:
    for live in (OLD_MAP, at(OLD_MAP, name="b.yaml")):
        found = here({"7": [state(MAP, live)]})
        assert (found.standing, found.others, found.versions) == ("live", ("ConfigMap/c",), ())
        assert found.changed == (("ConfigMap/c", "data.a"),)
        assert not found.is_published
    both = here({"7": [state(MAP, OLD_MAP), state(body("ConfigMap", "d"), at(body("ConfigMap", "d")))]})
    assert (both.versions, both.others, both.is_published) == (
        (("7", ("ConfigMap/d",)),),
        ("ConfigMap/c",),
        False,
    )


def test_objects_at_several_versions_are_each_compared_with_their_own() -> None:
    second = body("ConfigMap", "d", data={"a": "7"})
    older = body("ConfigMap", "d", data={"a": "5"})
    old = at(older, "6")
    looks = {
        "6": [state(OLD_MAP, at(MAP), version="6"), state(older, old, version="6")],
        "7": [state(MAP, at(MAP)), state(second, old)],
    }
    found = here(looks, row(at(MAP)), row(old), refs=REF)
    assert found.versions == (("6", ("ConfigMap/d",)), ("7", ("ConfigMap/c",)))
    assert dict(found.drift) == {"ConfigMap/c": Drift(), "ConfigMap/d": Drift()}
    assert (found.is_published, found.others) == (False, ())
    gone = {**looks, "7": [state(MAP, at(MAP)), state(body("ConfigMap", "e"))]}
    assert here(gone, row(at(MAP)), row(old), refs=REF).missing == ("ConfigMap/e",), "the newest decides"
    assert here(gone, row(at(MAP)), row(old), refs={REF_6: REF[REF_6]}).missing == ()


REF_6 = ("a.yaml", "6")


def test_what_carries_a_versions_mark_and_is_not_in_it_is_more() -> None:
    lives = [at(MAP), at(body("ConfigMap", "d")), at(body("ConfigMap", "e"), "6")]
    rows = [row(live) for live in lives]
    found = here({"7": [state(MAP, lives[0])]}, *rows, refs=REF)
    assert found.more == ("ConfigMap/d",), "version 6 was not looked at"
    assert here({"7": [state(MAP, lives[0])], "6": []}, *rows, refs=REF).more == (
        "ConfigMap/d",
        "ConfigMap/e",
    )


def test_why_an_older_version_is_not_known_is_said_beside_the_newest() -> None:
    lives = [at(MAP), at(body("ConfigMap", "e"), "6"), at(body("ConfigMap", "f"), "5")]
    failed = {("a.yaml", "6"): REFUSED.title()}
    found = here({"7": [state(MAP, lives[0])]}, *map(row, lives), refs=REF, failed=failed)
    assert [(why.key, why.fields["version"]) for why in found.why] == [("status.no_look", "6")]
    unnamed = here({}, row(at(MAP, "")), refs=REF, failed={("a.yaml", ""): REFUSED.title()})
    assert [(why.key, why.fields["version"]) for why in unnamed.why] == [("status.no_look", "?")]
    beside = here(
        {"7": [state(MAP, lives[0])]},
        row(lives[0]),
        row(at(body("ConfigMap", "e"), "")),
        refs=REF,
        failed={("a.yaml", ""): REFUSED.title()},
    )
    assert [(why.key, why.fields["version"]) for why in beside.why] == [("status.no_look", "?")]


def test_what_was_not_seen_whole_is_not_compared() -> None:
    live = at(MAP)
    found = here({"7": [state(MAP, live)]}, row(live), hidden={"ConfigMap/c": REFUSED.title()})
    assert (found.drift, [why.key for why in found.why]) == ((), ["status.no_list"])


def test_who_deployed_it_is_told_by_lists_else_by_the_dry_run() -> None:
    wang, nobody = at(MAP, by="wangwu"), at(MAP, by="")
    assert here({"7": [state(MAP, wang)]}, row(at(MAP))).deployed_by == ("lisi",)
    assert here({"7": [state(MAP, wang)]}).deployed_by == ("wangwu",)
    assert here({"7": [state(MAP, nobody), state(body("ConfigMap", "d"))]}).deployed_by == ()
    assert here({"7": []}, row(nobody)).deployed_by == ()
    two = row(at(body("ConfigMap", "d"), by="anna"))
    assert here({"7": []}, row(wang), two, row(nobody)).deployed_by == ("anna", "wangwu")


def test_its_workloads_are_told_once_in_the_order_in_which_they_are_listed() -> None:
    names = [f"w{number}" for number in range(9, 0, -1)]
    lives = [at(body("Deployment", name)) for name in names]
    ready = {f"Deployment/{name}": WorkloadHere(f"Deployment/{name}", "ready") for name in [*names, "x"]}
    looks = {"7": [state(body("Deployment", name), live) for name, live in zip([*names, "x"], lives)]}
    found = here(looks, *map(row, lives[:8]), row(at(MAP)), ready=ready)
    assert [workload.title for workload in found.workloads] == [f"Deployment/{name}" for name in names]


# --- domains --------------------------------------------------------------------------------------------


def test_the_files_of_a_host_are_one_domain_and_each_other_file_is_one() -> None:
    names = ["www.example.com.service.yaml", "z.yaml", "www.example.com.routes.yaml", "a.yaml"]
    domains = domains_here(map(file, names), Seen(SPACE, LiveObjects()), ready={})
    assert [(domain.name, [found.name for found in domain.files]) for domain in domains] == [
        ("a.yaml", ["a.yaml"]),
        ("www.example.com", ["www.example.com.routes.yaml", "www.example.com.service.yaml"]),
        ("z.yaml", ["z.yaml"]),
    ]


def live_file(*drift: Drift, why: tuple[Text, ...] = (), missing: tuple[str, ...] = ()) -> FileHere:
    drifts = tuple((f"ConfigMap/{number}", one) for number, one in enumerate(drift))
    return FileHere(FILE, "live", drift=drifts, why=why, missing=missing)


CHANGED, OPEN = Drift(changed=("data.a",)), Drift(open=(("data.a", "TAG"),))
NOT_HERE, NOT_KNOWN = FileHere(FILE, "not-here"), FileHere(FILE, "not-known", why=(REFUSED.title(),))


@pytest.mark.parametrize(
    ("files", "standing", "drift"),
    [
        ([NOT_HERE], "not-here", "not-known"),
        ([NOT_HERE, NOT_KNOWN], "not-known", "not-known"),
        ([live_file()], "live", "same"),
        ([NOT_HERE, live_file(Drift())], "live", "same"),
        ([live_file(), NOT_KNOWN], "live", "not-known"),
        ([live_file(CHANGED), NOT_KNOWN], "live", "changed"),
        ([live_file(Drift(), CHANGED)], "live", "changed"),
        ([live_file(missing=("ConfigMap/c",))], "live", "changed"),
        ([live_file(Drift(), OPEN)], "live", "not-known"),
        ([live_file(OPEN, CHANGED)], "live", "changed"),
        ([live_file(why=(REFUSED.title(),))], "live", "not-known"),
    ],
)
def test_a_domain_is_live_where_any_file_is_and_the_same_where_all_that_is_live_is(
    files: list[FileHere], standing: str, drift: str
) -> None:
    domain = DomainHere("www", tuple(files))
    assert (domain.standing, domain.drift) == (standing, drift)


def test_a_domain_has_the_versions_and_workloads_of_its_files() -> None:
    web, api = WorkloadHere("Deployment/web", "ready"), WorkloadHere("Deployment/api", "ready")
    files = (
        FileHere(FILE, "live", versions=(("7", ("a",)), ("6", ("b",))), workloads=(web,)),
        FileHere(FILE, "live", versions=(("6", ("c",)),), workloads=(api,)),
    )
    domain = DomainHere("www", files)
    assert (domain.versions, domain.workloads) == (("7", "6"), (web, api))


# --- what is not known ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "key"),
    [
        (state(MAP), None),
        (state(MAP, at(MAP)), None),
        (state(body("ConfigMap", "hidden"), at(MAP)), "status.no_list"),
        (state(body("ConfigMap", "bcsopen0x"), at(MAP)), "status.open_name"),
        (state(body("Deployment", "web")), "status.no_list"),
        (state(body("Deployment", "web"), at(body("Deployment", "web"))), None),
        (state(body("Ox", "web")), None),
        (state(body("ConfigMap", "listed")), "status.not_shown"),
        (state(body("ConfigMap", "listed"), at(MAP)), None),
    ],
)
def test_what_is_not_known_of_an_object_is_said(known: LiveState, key: Optional[str]) -> None:
    seen = Seen(
        SPACE,
        LiveObjects((row(at(body("ConfigMap", "listed"))),), {DEPLOYMENT: REFUSED}),
        hidden={"ConfigMap/hidden": REFUSED.title()},
        signs=Signs(("NAME",), {"NAME": "shop"}),
    )
    found = not_known_of(seen, "a.yaml", "7", [known])
    told = {title: (text.key, text.fields) for title, text in found.items()}
    title = known.title.replace("bcsopen0x", "shop")
    facts = {"object": title, "problem": REFUSED.title()}
    wanted = facts if key == "status.no_list" else {"object": title}
    assert told == ({known.title: (key, wanted)} if key else {})


def test_of_a_version_that_could_not_be_looked_at_all_is_unknown() -> None:
    seen = seen_of({}, failed={("a.yaml", "7"): REFUSED.title()})
    assert [*not_known_of(seen, "a.yaml", "7", [state(MAP)])] == [""]


# --- revisions ------------------------------------------------------------------------------------------


def pods(tag: str) -> Object:
    return {"spec": {"nodeName": tag}}


def deployment(tag: str, *, replicas: int) -> Object:
    strategy: Object = {"type": "Recreate"}
    return body("Deployment", "web", replicas=replicas, template=pods(tag), strategy=strategy)


def web(tag: str, version: str, *, number: str = "", replicas: int = 1) -> Object:
    """Return a live Deployment at a version, at a revision."""
    live = at(deployment(tag, replicas=replicas), version)
    metadata = mapping_at(live, "metadata")
    notes = {**mapping_at(metadata, "annotations"), **({REVISION: number} if number else {})}
    return {**live, "metadata": {**metadata, "annotations": notes}}


def replica_set(number: int, version: str, *, created: str, name: str = "a.yaml", tag: str = "n") -> LiveRow:
    item = at(body("ReplicaSet", f"web-{number}", template=pods(tag)), version, name=name)
    metadata = mapping_at(item, "metadata")
    notes = {**mapping_at(metadata, "annotations"), REVISION: str(number)}
    owner: Object = {"kind": "Deployment", "uid": "uid-web", "name": "web"}
    more: Object = {"annotations": notes, "creationTimestamp": created, "ownerReferences": [owner]}
    return row({**item, "metadata": {**metadata, **more}})


SETS = (
    replica_set(1, "6", created="10:01", tag="six"),
    replica_set(2, "7", created="10:02", tag="seven"),
)


def revisions(*sets: LiveRow) -> Mapping[str, tuple[Revision, ...]]:
    return revisions_of(sets)


def test_since_when_its_pods_are_of_this_kind_is_told_by_the_revision_it_is_at() -> None:
    known = revisions(*SETS)
    for number, since in (("2", "10:02"), ("1", "10:01"), ("9", ""), ("", "")):
        assert here({}, row(web("n", "7", number=number)), revisions=known).since == since
    assert here({}, row(at(MAP)), row(web("n", "7", number="1")), revisions=known).since == "10:01"
    other = {"uid-c": known["uid-web"]}
    assert here({}, row(web("n", "7", number="1")), row(at(MAP)), revisions=other).since == ""


def test_what_a_preview_cuts_of_a_deployment_is_taken_from_its_revision() -> None:
    own: Object = {"spec": {"schedulerName": "own"}}
    item = replica_set(1, "7", created="10:01")
    known = revisions(
        LiveRow(REPLICA_SET, "r", "prod", "r", item.mark, item={**item.item, "spec": {"template": own}})
    )
    live = web("n", "7", number="1")
    seen = seen_of({}, row(live), revisions=known)
    shown = live_of(state(body("Deployment", "web"), live), seen)
    assert mapping_at(shown, "spec", "template", "spec") == {"nodeName": "n", "schedulerName": "own"}
    without = live_of(state(body("Deployment", "web"), live), seen_of({}, row(live)))
    assert without == live
    assert live_of(state(MAP), seen) == {}


@pytest.mark.parametrize(
    ("number", "version", "current", "sets", "left"),
    [
        ("1", "6", "7", SETS, ["7"]),
        ("2", "7", "7", SETS, []),
        ("1", "6", "6", SETS, []),
        ("1", "7", "8", SETS, []),
        ("", "6", "7", SETS, []),
        ("1", "6", "7", (SETS[0], replica_set(2, "7", created="10:02", name="b.yaml")), []),
    ],
)
def test_a_version_was_left_where_its_deployment_is_at_an_earlier_revision(
    number: str, version: str, current: str, sets: Sequence[LiveRow], left: list[str]
) -> None:
    there = row(web("n", version, number=number))
    seen = seen_of({}, there, revisions=revisions(*sets))
    assert [*versions_left(file(version=current), [there], seen)] == left


SIX, SEVEN = deployment("six", replicas=1), deployment("seven", replicas=2)


@pytest.mark.parametrize(
    ("live", "current", "refs", "undone"),
    [
        (web("six", "6", number="1", replicas=2), "7", {}, [True]),
        (web("six", "6", number="1", replicas=1), "7", {}, [False]),
        (web("six", "6", number="1", replicas=2), "8", {}, []),
        (web("six", "6", number="1", replicas=2), "8", {REF_6: VersionRef("6", "6", 0)}, []),
        (web("six", "6", number="1", replicas=2), "8", REF, [True]),
        (web("seven", "7", number="2", replicas=2), "7", REF, []),
    ],
)
def test_who_took_pods_back_left_the_rest_as_it_was_or_took_it_back_too(
    live: Object, current: str, refs: Mapping[tuple[str, str], VersionRef], undone: list[bool]
) -> None:
    other = state(MAP, at(MAP))
    looks = {"a.yaml": {"6": (other, state(SIX, live, version="6")), "7": (other, state(SEVEN, live))}}
    seen = Seen(SPACE, LiveObjects((row(live),)), revisions=revisions(*SETS), looks=looks, refs=refs)
    (domain,) = domains_here([file(version=current)], seen, ready={})
    assert domain.files[0].undone == tuple(Undone("Deployment/web", "6", "7", rest=rest) for rest in undone)


def test_what_a_dry_run_does_not_show_tells_no_rest() -> None:
    live = web("six", "6", number="1", replicas=2)
    looks = {"6": [state(SIX, None, version="6")], "7": [state(SEVEN, live)]}
    found = here(looks, row(live), revisions=revisions(*SETS))
    assert found.undone == (Undone("Deployment/web", "6", "7", rest=False),)


def test_who_took_back_what_nobody_looked_at_took_all_of_it() -> None:
    live = web("six", "6", number="1", replicas=2)
    for looks in ({}, {"6": [state(SIX, live, version="6")]}, {"7": [state(SEVEN, live)]}):
        found = here(looks, row(live), revisions=revisions(*SETS))
        assert found.undone == (Undone("Deployment/web", "6", "7", rest=False),)


OF_PODS = "spec.template.spec.nodeName"


@pytest.mark.parametrize(
    ("now", "left", "rest"),
    [
        (["spec.replicas"], [OF_PODS], True),
        (["spec.replicas"], ["spec.template"], True),
        (["spec.replicas", OF_PODS], [OF_PODS], False),
        (["spec.replicas"], [OF_PODS, "spec.replicas"], False),
        (["spec.templates"], [OF_PODS], True),
        (["spec.replicas"], ["spec.templates"], False),
        ([], [OF_PODS], False),
        (["spec.replicas"], [], False),
    ],
)
def test_a_deployment_is_the_rest_of_a_version_where_only_its_pods_are_not(
    now: list[str], left: list[str], *, rest: bool
) -> None:
    assert is_rest_of(now, left) is rest


def test_an_autoscaled_number_of_pods_is_no_change() -> None:
    item = body("Deployment", "web", replicas=2)
    live = at(body("Deployment", "web", replicas=5))
    for scaled, changed in ((frozenset[tuple[str, str]](), 1), (frozenset({("Deployment", "web")}), 0)):
        found = here({"7": [state(item, live)]}, row(live), scaled=scaled)
        assert [path for _, path in found.changed].count("spec.replicas") == changed
