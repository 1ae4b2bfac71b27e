"""A domain's lines and its JSON say the same, and no value of an object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Optional

import pytest

from bcs_template_set.bcs.answers import TemplateFile
from bcs_template_set.bcs.space.existing import VersionRef
from bcs_template_set.bcs.space.provenance import Provenance
from bcs_template_set.messages import LANGUAGES, Language, say
from bcs_template_set.messages.text import json_text
from bcs_template_set.report.domain_rows import (
    DomainRow,
    history_document,
    history_lines,
    status_document,
    status_lines,
)
from bcs_template_set.rollout.domain_status import DomainHere, FileHere, Undone, WorkloadHere
from bcs_template_set.rollout.drift import Drift
from bcs_template_set.rollout.revisions import Deployed, HistoryRow

HOST = "www.example.com"


def file(name: str, version: str = "1.0.8", *, deployed: str = "1.0.9", by: str = "") -> TemplateFile:
    return TemplateFile(
        id="1",
        name=name,
        version=version,
        version_id="2",
        version_mode=0,
        real_name=name,
        latest_deploy_version=deployed,
        latest_deployer=by,
    )


DEPLOYMENT = FileHere(
    file(f"{HOST}.deployment.yaml"),
    "live",
    versions=(("1.0.7", ("Deployment/web",)),),
    drift=(
        (
            "Deployment/web",
            Drift(
                changed=("spec.paused",),
                theirs=(("autoscaler", "spec.replicas"), ("restart", "spec.template.metadata.annotations.x")),
                open=(("spec.minReadySeconds", "N"),),
            ),
        ),
    ),
    undone=(Undone("Deployment/web", "1.0.7", "1.0.8", rest=False),),
    workloads=(WorkloadHere("Deployment/web", "not-known", why=say("status.not_asked")),),
    deployed_by=("lisi",),
)
ROUTES = FileHere(file(f"{HOST}.routes.yaml"), "not-here")
ROW = DomainRow(DomainHere(HOST, (DEPLOYMENT, ROUTES)), {}, ("7 (main)",))


MIXED = "mixed.example.com"
PARTS = FileHere(
    file(f"{MIXED}.deployment.yaml", deployed="1.0.8"),
    "live",
    versions=(("1.0.8", ("Deployment/a", "Deployment/b")), ("", ("ConfigMap/c",))),
    missing=("ConfigMap/d",),
    more=("ConfigMap/e",),
    drift=(("Deployment/a", Drift()),),
    why=(say("status.not_shown", object="Secret/s"),),
    undone=(Undone("Deployment/a", "1.0.6", "1.0.8", rest=True),),
    workloads=(
        WorkloadHere("Deployment/a", "ready", 2, 2),
        WorkloadHere("Deployment/b", "not-ready", 1, 3, why=say("rollout.no_status")),
    ),
    since="2026-01-02T03:04:05Z",
    deployed_by=("lisi", "wangwu"),
)
WHOLE = FileHere(
    file(f"{MIXED}.routes.yaml", version="1.0.7", deployed="1.0.5", by="zhaoliu"),
    "live",
    versions=(("1.0.7", ("Ingress/a",)),),
    since="2026-01-01T00:00:00Z",
    deployed_by=("wangwu",),
)
QUIET = FileHere(
    file("quiet.yaml", deployed=""),
    "live",
    versions=(("1.0.8", ("Deployment/q",)),),
    workloads=(WorkloadHere("Deployment/q", "ready", 1, 1),),
)
REFS = {("quiet.yaml", "1.0.8"): VersionRef("2", "1.0.8", 120)}
EVERY = (
    ROW,
    DomainRow(DomainHere(MIXED, (PARTS, WHOLE)), {}, ("7 (main)", "8 (main)")),
    DomainRow(DomainHere("quiet.yaml", (QUIET,)), REFS),
    DomainRow(DomainHere("absent.yaml", (FileHere(file("absent.yaml", deployed=""), "not-here"),)), {}),
    DomainRow(DomainHere("routes.yaml", (replace(WHOLE, deployed_by=()),)), {}),
    DomainRow(DomainHere("draft.yaml", (FileHere(file("draft.yaml", ""), "not-here"),)), {}),
    DomainRow(
        DomainHere(
            "unknown.yaml",
            (FileHere(file("unknown.yaml"), "not-known", why=(say("status.version_gone"),)),),
        ),
        {},
    ),
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_status_reads_as_reviewed(language: Language, golden: Callable[[str, str], None]) -> None:
    golden(f"report/status.{language}.txt", "\n".join([*status_lines(EVERY, language=language), ""]))


def test_a_status_has_the_same_words_for_programs_in_every_language(
    golden: Callable[[str, str], None],
) -> None:
    golden("report/status.json", json_text(status_document(EVERY, language="en_US")) + "\n")


ORIGIN = Provenance("p-1", 7, "main", "0a1b2c3d4e5f", "wangwu", "lisi", link="https://ci/b-7")
NAMES = ("a.yaml", "b.yaml")
PAST = (
    HistoryRow(
        "1.0.8", NAMES, 120, "lisi", ORIGIN, NAMES, ("Deployment/a",), Deployed("x", "objects", at="t")
    ),
    HistoryRow(
        "1.0.7", NAMES[:1], 60, "lisi", replace(ORIGIN, started_by=""), (), (), Deployed("y", "record")
    ),
    HistoryRow("by hand", NAMES[1:], 0, "zhaoliu", None, (), None, Deployed("", "revision")),
    HistoryRow("1.0.6", NAMES[:1], 60, "", replace(ORIGIN, build=0), (), ("Pod/p",), None),
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_history_reads_as_reviewed(language: Language, golden: Callable[[str, str], None]) -> None:
    golden(f"report/history.{language}.txt", "\n".join([*history_lines(PAST, language=language), ""]))


def test_a_history_for_programs_reads_as_reviewed(golden: Callable[[str, str], None]) -> None:
    golden("report/history.json", json_text(history_document(PAST)) + "\n")


def test_all_that_is_known_of_a_domain_is_told_below_it() -> None:
    _, row, *below, counts = status_lines([ROW], language="en_US")
    cells = [cell.strip() for cell in row.split("  ") if cell.strip()]
    assert cells == [HOST, "1.0.7", "1.0.8", "not known", "changed", "7 (main)", "lisi"]
    assert [line.strip() for line in below] == [
        "Deployment/web: somebody went back from 1.0.8 to 1.0.7",
        "Deployment/web differs from its version in spec.paused",
        "Deployment/web: an autoscaler sets spec.replicas",
        "Deployment/web: a restart sets spec.template.metadata.annotations.x",
        "not known: Deployment/web: spec.minReadySeconds, filled in from N, and BCS keeps no values",
        f"BCS's record: {HOST}.deployment.yaml was last deployed anywhere as 1.0.9, by ?",
        f"{HOST}.routes.yaml is published as 1.0.8 and is not deployed here",
        f"BCS's record: {HOST}.routes.yaml was last deployed anywhere as 1.0.9, by ?",
        "Deployment/web: lists do not tell whether it is ready, and too many others were asked for alone",
    ]
    assert counts == "1 live (1 changed), 0 not here, 0 not known"


def test_the_same_stands_in_its_json() -> None:
    (told,) = status_document([ROW], language="en_US")
    assert (told["ready"], told["drift"], told["behind"], told["since"]) == (
        "not-known",
        "changed",
        "older",
        None,
    )


@pytest.mark.parametrize(
    ("published", "made", "behind"),
    [(1, 2, "newer"), (2, 2, "older"), (3, 2, "older"), (0, 2, "older"), (None, 2, "older")],
)
def test_what_is_live_is_newer_only_where_both_times_are_known(
    published: Optional[int], made: int, behind: str
) -> None:
    here = FileHere(file("a.yaml", version="1.0.6"), "live", versions=(("1.0.7", ("Ingress/web",)),))
    refs = {("a.yaml", "1.0.7"): VersionRef("7", "1.0.7", made)}
    if published is not None:
        refs["a.yaml", "1.0.6"] = VersionRef("6", "1.0.6", published)
    assert DomainRow(DomainHere(HOST, (here,)), refs).behind == behind
    other = replace(here, file=file("b.yaml", version="1.0.9"))
    both = DomainRow(DomainHere(HOST, (here, other)), refs)
    assert (both.behind, both.published) == ("older", ("1.0.6", "1.0.9"))
    assert " 1.0.6, 1.0.9 " in status_lines([both], language="en_US")[1]
    absent = DomainHere(HOST, tuple(replace(one, standing="not-here") for one in (here, other)))
    assert " 1.0.6, 1.0.9" in status_lines([DomainRow(absent, {})], language="en_US")[1]


def test_a_file_that_points_at_an_older_version_than_is_live_is_newer_here() -> None:
    name = ROUTES.name
    here = FileHere(file(name, version="1.0.6"), "live", versions=(("1.0.7", ("Ingress/web",)),))
    refs = {
        (name, version): VersionRef(version, version, at) for version, at in (("1.0.6", 60), ("1.0.7", 120))
    }
    row = DomainRow(DomainHere(HOST, (here,)), refs)
    assert (row.behind, row.since) == ("newer", ("1970-01-01T00:02:00Z", "published"))
    assert DomainRow(DomainHere(HOST, (here,)), {}).since == ("", "")


def test_what_is_live_without_any_mark_is_told_so() -> None:
    here = FileHere(file(ROUTES.name), "live", others=("Ingress/web",))
    _, row, below, _, _ = status_lines([DomainRow(DomainHere(HOST, (here,)), {})], language="en_US")
    assert "not by a template" in row
    assert below.strip() == "without a mark of this file: Ingress/web"


def test_a_version_is_told_with_whole_names_of_its_files() -> None:
    files = tuple(
        f"a-long-name-of-a-host.example.com.{part}.yaml" for part in ("deployment", "routes", "service")
    )
    row = HistoryRow("1.0.8", files, 1, "lisi", None, files, None, None)
    assert history_lines([row], language="en_US")[1].endswith(", ".join(files))
