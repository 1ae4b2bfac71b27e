"""Whose a file is, what of it goes, what still is referred to, and how much may go at all."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Optional, Union

import pytest
from tests.support.planned import OURS, A, file_id, ingress, rendered, version_of

from bcs_template_set.bcs.answers import TemplateFile, TemplateVersion
from bcs_template_set.bcs.marks import TEMPLATE_NAME, TEMPLATE_VERSION, Mark
from bcs_template_set.bcs.space.live_objects import LiveRow
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kinds import (
    AUTOSCALER,
    CONFIG_MAP,
    CRON_JOB,
    DEPLOYMENT,
    INGRESS,
    SECRET,
    SERVICE,
)
from bcs_template_set.manifests.scope import Scope
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.messages import Text, say
from bcs_template_set.publish.orphans import (
    Folder,
    FolderFile,
    Seen,
    decide,
    open_names,
    undeploying,
    without_referred,
)
from bcs_template_set.publish.prune_rules import Proof
from bcs_template_set.publish.pruning import NO_PRUNING, Orphan, OrphanFile, Pruning, Share, limits, ways_back

WHOLE = Scope()


def config(name: str) -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n"


ROBOT = config("x") + "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: robot}\n"


def file(
    name: str, *builds: Optional[int], text: str = A, deployed: str = "1", branch: str = "main"
) -> FolderFile:
    """Return a file whose telling versions are of these builds, None for a person's."""
    row = TemplateFile(
        file_id(name), name, "1.0.6-main", "v", 0, real_name=name, latest_deploy_version=deployed
    )
    versions: list[TemplateVersion] = []
    for number, build in enumerate(builds):
        made = version_of(text, number=number + 1, origin=replace(OURS, build=build or 0, branch=branch))
        versions.append(made if build is not None else made.replaced(description="by hand"))
    return FolderFile(row, tuple(versions))


def live(name: str, of: str, kind: Kind = CONFIG_MAP) -> LiveRow:
    return LiveRow(kind, name, "prod", f"uid-{kind.name}-{name}", Mark(f"front-ends/{of}", "1.0.6-main"), {})


def folder(
    *files: FolderFile, rows: Sequence[LiveRow] = (), renders: Collection[str] = (), scope: Scope = WHOLE
) -> Folder:
    made = tuple(rendered(name, config(name)) for name in renders)
    return Folder("front-ends", OURS, made, {f.name: f for f in files}, tuple(rows), scope)


@pytest.mark.parametrize(
    ("found", "is_orphan"),
    [
        (file("old.yaml", 6), True),
        (file("old.yaml", 6, 5), True),
        (file("old.yaml", 7), False),
        (file("old.yaml", 8), False),
        (file("old.yaml", None), False),
        (file("old.yaml", 6, None), False),
        (file("old.yaml"), False),
        (file("old.yaml", 6, branch="login"), False),
    ],
)
def test_a_file_is_left_behind_by_a_lower_build_of_this_pipeline_and_branch(
    found: FolderFile, *, is_orphan: bool
) -> None:
    assert [f.name for f in folder(found).orphaned] == (["old.yaml"] if is_orphan else [])
    assert folder(found, renders=["old.yaml"]).orphaned == ()


def test_what_a_person_has_edited_under_our_description_is_a_persons() -> None:
    ours = file("old.yaml", 6)
    edited = FolderFile(ours.row, tuple(one.replaced(content="edited") for one in ours.versions))
    assert folder(edited).orphaned == ()


def test_a_file_of_a_later_build_says_that_this_run_is_not_the_newest() -> None:
    assert folder(file("a.yaml", 8), file("b.yaml", 6)).newer == ("a.yaml",)


def test_in_a_narrowed_run_only_what_is_named_is_left_behind() -> None:
    files = [file(name, 6) for name in ("a.yaml", "b.yaml", "c.yaml", "www.example.com.routes.yaml")]
    scope = Scope(("a.yaml", "www.example.com"), ["c.yaml"])
    narrowed = folder(*files, scope=scope, rows=[live("web", "a.yaml", DEPLOYMENT)])
    assert [f.name for f in narrowed.orphaned] == ["a.yaml", "www.example.com.routes.yaml"]
    # What a file outside of the scope holds was handed over to it.
    assert "front-ends/c.yaml" in [claim.file for claim in narrowed.claims(narrowed.candidates)]
    # What a rendered file holds no more may have moved to one that this run does not render.
    dropped = folder(file("a.yaml", 6), rows=[live("x", "a.yaml")], renders=["a.yaml"], scope=scope)
    assert dropped.candidates == ()


def test_another_file_of_the_folder_may_have_taken_an_object_over() -> None:
    """It finds the object live as it wants it, and so the mark stays the former owner's."""
    files = [
        file("old.yaml", 6),
        file("gone.yaml", 6, text=config("x")),
        file("theirs.yaml", 6, branch="login", text=config("x")),
        file("hand.yaml", None, text="a: ["),
        file("chart.yaml", None, text="a: [ {{ .Values.y }}"),
        file("open.yaml", None, text=config("'{{ NAME }}'")),
    ]
    found = folder(*files, rows=[live("x", "old.yaml")])
    claims = found.claims(found.candidates)
    # Of what can't be read the text tells.
    holding = [claim.file for claim in claims if claim.holds(("", "ConfigMap", "x"))]
    assert holding == ["front-ends/open.yaml", "front-ends/theirs.yaml"]
    assert [claim.file for claim in claims if claim.holds(("", "ConfigMap", "Values"))] == [
        "front-ends/chart.yaml",
        "front-ends/open.yaml",
    ]


@pytest.mark.parametrize(
    ("change", "runner", "text", "reason"),
    [
        ({}, False, A, ""),
        ({"is_draft": True}, False, A, "prune.draft"),
        ({}, True, A, "prune.elsewhere"),
        ({}, False, ROBOT, "prune.unlisted"),
        ({"latest_deploy_version": ""}, False, ROBOT, ""),
    ],
)
def test_a_file_stays_that_somebody_edits_another_namespace_runs_or_whose_objects_nobody_lists(
    change: dict[str, Union[bool, str]], text: str, reason: str, *, runner: bool
) -> None:
    left = file("old.yaml", 6, text=text)
    found = folder(
        FolderFile(left.row.replaced(**change), left.versions), file("a.yaml", 6), renders=["a.yaml"]
    )
    runners = {"old.yaml": say("prune.elsewhere", namespace="staging", cluster="c")} if runner else {}
    made = decide(found, Seen({}, runners=runners), also={"files"})
    assert bool(made.files) == (not reason)
    assert [text.key for text in made.stays] == (["prune.file_stays"] if reason else [])
    whys = [text.fields["why"] for text in made.stays]
    assert [why.key for why in whys if isinstance(why, Text)] == ([reason] if reason else [])


def test_an_object_that_a_file_of_the_run_renders_is_none_whichever_file_its_mark_names() -> None:
    rows = [
        live("new.yaml", "old.yaml"),
        live("old", "old.yaml"),
        live("x", "theirs.yaml"),
        live("y", "mine.yaml"),
        live("z", "late.yaml"),
    ]
    found = folder(
        file("old.yaml", 6),
        file("theirs.yaml", 6, branch="login"),
        file("mine.yaml", 7),
        file("late.yaml", 8),
        rows=rows,
        renders=["new.yaml", "mine.yaml"],
    )
    assert [row.name for row in found.candidates] == ["old", "y"]
    assert found.own == {"old.yaml", "mine.yaml", "late.yaml"}
    assert [row.name for row in found.own_rows] == ["new.yaml", "old", "y", "z"]


def test_what_only_bcs_can_name_is_told() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 'a-{{ NAME }}'}\n---\n" + config("b")
    assert open_names([rendered("a.yaml", text)]) == ["a.yaml: ConfigMap/a-{{ NAME }}"]


# --- who refers to what ---------------------------------------------------------------------------------


def test_what_is_referred_to_stays_and_what_refers_to_it_only_to_go_counts_for_nothing() -> None:
    mounted, workload, secret = live("conf", "f"), live("web", "f", DEPLOYMENT), live("s", "f", SECRET)
    night, scaler = live("night", "", CRON_JOB), live("hpa", "", AUTOSCALER)
    referring = {("ConfigMap", "conf"): [workload, night], ("Secret", "s"): [workload]}
    going, held = without_referred([mounted, workload, secret], referring, also=())
    assert going == [workload, secret]
    assert str(held[mounted.uid]) == "A live object still refers to it: CronJob/night"
    # What stays for that reason counts again.
    both = {**referring, ("Deployment", "web"): [scaler]}
    assert without_referred([mounted, workload, secret], both, also=())[0] == []
    assert without_referred([mounted, workload], referring, also=["ConfigMap"])[0] == [mounted, workload]


# --- all of it ------------------------------------------------------------------------------------------


def proof(row: LiveRow, text: str, *, owner: str = "") -> Proof:
    marks: YamlValue = {TEMPLATE_NAME: row.mark.file, TEMPLATE_VERSION: row.mark.version}
    owners: YamlValue = [{"name": owner}] if owner else []
    return Proof(
        {"metadata": {"uid": row.uid, "annotations": marks, "ownerReferences": owners}}, version_of(text)
    )


def decided(found: Folder, *, stays: Collection[str] = (), also: Collection[str] = ()) -> Pruning:
    texts = {
        row.uid: config(row.name) if row.kind is CONFIG_MAP else ingress("www.example.com", "/")
        for row in found.candidates
    }
    proofs = {
        row.uid: proof(row, texts[row.uid], owner="x" if row.name in stays else "")
        for row in found.candidates
    }
    return decide(found, Seen(proofs), also=frozenset(also))


@pytest.mark.parametrize(
    ("deployed", "rows", "stays", "also", "goes", "absent"),
    [
        ("", [], [], [], True, False),
        ("1", [], [], [], False, True),
        ("1", [], [], ["files"], True, False),
        ("1", ["x"], [], [], False, False),
        ("1", ["x"], [], ["files"], True, False),
        ("1", ["x"], ["x"], ["files"], False, False),
        ("", ["x"], [], [], False, False),
    ],
)
def test_a_file_goes_that_was_never_deployed_or_with_files_when_none_of_its_objects_stays(
    deployed: str, rows: list[str], stays: list[str], also: list[str], *, goes: bool, absent: bool
) -> None:
    held = [live(name, "old.yaml") for name in rows]
    found = decided(
        folder(file("old.yaml", 6, deployed=deployed), file("a.yaml", 6), renders=["a.yaml"], rows=held),
        stays=stays,
        also=also,
    )
    assert [one.name for one in found.files] == (["old.yaml"] if goes else [])
    assert list(found.absent) == (["old.yaml"] if absent else [])
    told = [text.fields["object"] for text in found.stays if text.key == "prune.stays"]
    assert told == [f"ConfigMap/{name}" for name in stays]


def test_a_file_that_was_renamed_stays_as_long_as_what_it_holds_is_live() -> None:
    """The objects bear the name that it had, and so are no candidates."""
    text = config("x") + "---\n" + config("y")
    rows = [live("x", "before.yaml"), live("z", "before.yaml")]
    renamed = file("after.yaml", 6, text=text)
    found = decided(folder(renamed, file("a.yaml", 6), renders=["a.yaml"], rows=rows), also=["files"])
    assert (found.files, [str(one.fields["why"]) for one in found.stays]) == (
        (),
        ["One of its objects stays."],
    )
    moved = folder(renamed, file("a.yaml", 6), renders=["x"], rows=rows)
    assert "after.yaml" in [one.name for one in decided(moved, also=["files"]).files]


def test_a_run_that_renders_nothing_is_refused_however_little_would_go() -> None:
    files = [file(name, 6) for name in ("a.yaml", "b.yaml", "c.yaml")]
    scope = Scope(("a.yaml",), ["b.yaml", "c.yaml"])
    narrowed = folder(*files, scope=scope, rows=[live("x", "a.yaml"), live("y", "b.yaml")])
    assert [text.key for text in decided(narrowed).everything] == ["prune.renders_nothing"]
    assert decided(folder(*files[1:], scope=scope)).everything == ()


def test_what_bcs_does_not_list_stays_and_is_named() -> None:
    found = decided(folder(file("old.yaml", 6, 5, text=ROBOT), rows=[live("x", "old.yaml")]))
    assert (found.mode, found.is_seen, NO_PRUNING.is_seen) == ("report", True, False)
    assert [(one.key, one.fields["object"], str(one.fields["why"])) for one in found.stays] == [
        ("prune.stays", "ServiceAccount/robot", "BCS lists no objects of its kind, so nobody can look at it.")
    ]


def test_a_host_and_path_that_nothing_else_serves_would_be_lost() -> None:
    gone = live("web", "old.yaml", INGRESS)
    found = decided(folder(file("old.yaml", 6), rows=[gone]))
    assert [str(text) for text in found.lost] == [
        "www.example.com/ would go with Ingress/web of old.yaml, and no file of this run serves it."
    ]
    assert [text.key for text in found.everything] == [
        *("prune.renders_nothing", "prune.all_files", "prune.all_objects")
    ]
    asked = frozenset({("www.example.com", "/")})
    whole = folder(file("old.yaml", 6), rows=[gone])
    proofs = {gone.uid: proof(gone, ingress("www.example.com", "/"))}
    assert decide(whole, Seen(proofs), asked=asked).lost == ()


def test_an_object_that_a_rendered_file_has_dropped_counts_for_no_file() -> None:
    rows = [live("x", "a.yaml"), live("a.yaml", "a.yaml")]
    found = folder(file("a.yaml", 6), file("b.yaml", 6), renders=["a.yaml", "b.yaml"], rows=rows)
    proofs = {row.uid: proof(row, config(row.name)) for row in found.candidates}
    made = decide(found, Seen(proofs), limit=0)
    assert [text.key for text in made.too_many] == ["prune.share_objects", "prune.limit_line"]


@pytest.mark.parametrize("files", [True, False])
def test_a_domain_goes_whoever_published_it_in_the_order_of_kinds(*, files: bool) -> None:
    rows = [live("x", "a.yaml"), live("w", "a.yaml"), live("web", "a.yaml", INGRESS), live("z", "b.yaml")]
    domain = [
        file("a.yaml", 6, None, 4, text=config("x"), branch="login"),
        file("b.yaml", 5),
        file("c.yaml", None),
        file("d.yaml"),
    ]
    texts = {"web": ingress("www.example.com", "/")}
    proofs = {row.uid: proof(row, texts.get(row.name, config(row.name))) for row in rows}
    proofs[rows[0].uid] = replace(proofs[rows[0].uid], version=domain[0].versions[0])
    referring = {("ConfigMap", "z"): [live("night", "", CRON_JOB)]}
    made = undeploying(folder(*domain, rows=rows), rows, Seen(proofs, referring), also=(), files=files)
    assert (made.mode, made.is_seen, made.deletes) == ("delete", True, True)
    assert [(one.title, one.build, one.is_newest) for one in made.objects] == [
        *(("Ingress/web", 6, False), ("ConfigMap/w", 6, False), ("ConfigMap/x", 6, True))
    ]
    assert [(one.name, one.build, one.newest[-1:]) for one in made.files] == (
        [("a.yaml", 6, "3"), ("c.yaml", 0, "1"), ("d.yaml", 0, "")] if files else []
    )
    stays = [str(text.fields["why"]) for text in made.stays]
    assert stays[0] == "A live object still refers to it: CronJob/night"
    assert len(stays) == (2 if files else 1)


def test_a_person_approves_of_each_object_and_file_that_goes_and_of_nothing_else() -> None:
    one, gone = Orphan(CONFIG_MAP, "x", "a.yaml", "1.0.6"), OrphanFile("a.yaml", "t", "v")
    parts = (("delete", "ConfigMap/x", "a.yaml 1.0.6"), ("delete", "a.yaml", "v"))
    assert Pruning("delete", objects=(one,), files=(gone,)).parts == parts
    assert Pruning("delete", objects=(one,)).parts == parts[:1]
    assert Pruning("delete", files=(gone,)).parts == parts[1:]
    for nothing in (
        Pruning("report", objects=(one,)),
        Pruning("delete", objects=(one,), blind=say("prune.draft")),
        Pruning("delete"),
    ):
        assert (nothing.deletes, nothing.parts) == (False, ())


@pytest.mark.parametrize(
    ("share", "limit", "refused"),
    [
        # orphaned, going, had
        ((9, 9, 9), None, "all"),
        ((9, 9, 9), 100, "all"),
        ((9, 5, 9), None, "all"),
        ((30, 30, 40), None, "share"),
        ((30, 30, 40), 30, ""),
        ((30, 30, 40), 29, "share"),
        ((3, 3, 4), None, ""),
        ((4, 4, 16), None, ""),
        ((4, 4, 15), None, "share"),
        ((4, 4, 100), 3, "share"),
        ((4, 0, 4), None, ""),
    ],
)
def test_more_than_a_quarter_of_ones_own_needs_a_limit_and_all_of_it_none_allows(
    share: tuple[int, int, int], limit: Optional[int], refused: str
) -> None:
    other = Share("objects", 0, 0, 100)
    everything, too_many, _ = limits([Share("files", *share), other], limit=limit)
    assert [text.key for text in everything] == (["prune.all_files"] if refused == "all" else [])
    assert [text.key for text in too_many] == (
        ["prune.share_files", "prune.limit_line"] if refused == "share" else []
    )
    if too_many:
        assert str(too_many[-1]) == f"prune_limit: {share[1]}", "the line to set"


def test_a_limit_that_nothing_comes_near_says_so() -> None:
    *_, notes = limits([Share("files", 1, 1, 9)], limit=5)
    assert "prune_limit is 5, and 1 would go" in str(notes[0])
    assert limits([Share("files", 1, 1, 9)], limit=1) == ((), (), ())


def test_order_is_routes_autoscalers_services_workloads_and_what_they_mount() -> None:
    kinds = (CONFIG_MAP, DEPLOYMENT, SERVICE, AUTOSCALER, INGRESS)
    assert [Orphan(kind, "x", "f", "1").rank for kind in kinds] == [4, 3, 2, 1, 0]


def test_the_way_back_is_the_newest_build_of_what_was_newest_and_for_the_rest_its_own() -> None:
    gone = [
        Orphan(DEPLOYMENT, "a", "a.yaml", "1", build=5, is_newest=True),
        Orphan(SERVICE, "a", "b.yaml", "1", build=3, is_newest=True),
        Orphan(CONFIG_MAP, "c", "c.yaml", "1", build=6),
    ]
    assert [(way.build, way.files) for way in ways_back(gone)] == [
        (6, ("c.yaml",)),
        (5, ("a.yaml", "b.yaml")),
    ]
