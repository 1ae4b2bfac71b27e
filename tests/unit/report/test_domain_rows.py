"""A domain's lines and its JSON say the same, and no value of an object."""

from __future__ import annotations

from bcs_template_set.bcs.answers import TemplateFile
from bcs_template_set.bcs.space.existing import VersionRef
from bcs_template_set.messages import say
from bcs_template_set.report.domain_rows import DomainRow, history_lines, status_document, status_lines
from bcs_template_set.rollout.domain_status import DomainHere, FileHere, Undone, WorkloadHere
from bcs_template_set.rollout.drift import Drift
from bcs_template_set.rollout.revisions import HistoryRow

HOST = "www.example.com"


def file(name: str, version: str = "1.0.8") -> TemplateFile:
    return TemplateFile(
        id="1",
        name=name,
        version=version,
        version_id="2",
        version_mode=0,
        real_name=name,
        latest_deploy_version="1.0.9",
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
