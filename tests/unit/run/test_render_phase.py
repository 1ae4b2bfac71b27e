"""What rendering is given and what its files are refused for, beside what they hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Optional

import pytest
import yaml
from tests.support.phases import Phases, run_of, sharing
from tests.support.pieces import app_principal
from tests.support.planned import desired
from tests.support.publishing import routes

from bcs_template_set.agent.build_info import BuildInfo
from bcs_template_set.bcs.space.provenance import Provenance
from bcs_template_set.config.bcs_variables import read_variables
from bcs_template_set.manifests.checks.telling import mistake, refusal_of, version_mistake
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import FilesMistaken, InputsInvalid, ValuesInvalid
from bcs_template_set.publish.plan import Desired
from bcs_template_set.report.log_lines import rendered_lines
from bcs_template_set.run.render_phase import (
    check_desired,
    prepare_rendering,
    provenance_of,
    render_desired,
    version_mistakes,
)

BUILD = BuildInfo(
    "record",
    starter="wangwu",
    pipeline_id="p-1",
    pipeline_name="release web",
    build_id="b-7",
    build_number=7,
    started_at=1_767_225_600_500,
    url="https://ci.example.com/b-7",
    branch="feature/x",
    commit="0123456789abcdef",
)


def test_a_build_is_named_in_what_its_versions_say() -> None:
    context = run_of(build=BUILD).run.context
    assert provenance_of(context, acting_as="lisi") == Provenance(
        pipeline="p-1",
        build=7,
        branch="feature/x",
        commit=BUILD.commit,
        started_by="wangwu",
        acting_as="lisi",
        link=BUILD.url,
        began_at=1_767_225_600.5,
    )
    retried = run_of(build=replace(BUILD, is_retried=True)).run.context
    assert provenance_of(retried, acting_as="lisi").began_at == 0.0, "nobody knows when it began"


def test_templates_see_the_build_and_the_place() -> None:
    context = run_of(build=BUILD, inputs={"templates": "none/*.yaml"}).run.context
    made = prepare_rendering(context)
    given = made.request.context
    assert (given.build.number, given.build.id, given.build.url) == (7, "b-7", BUILD.url)
    assert given.build.started_at == BUILD.started_at
    assert (given.pipeline.id, given.pipeline.name) == ("p-1", "release web")
    assert (given.branch.name, given.commit.sha) == ("feature/x", BUILD.commit)
    assert (given.project, given.region) == ("web", "gz")
    assert (given.cluster_id, given.namespace) == (context.settings.cluster_id, "prod")
    assert made.claim.by == "wangwu"
    assert made.mistakes, "no file is there, and that is told with all the other mistakes"


def test_branches_are_removed_only_where_it_is_known_which_domains_there_are(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("kind: X", encoding="utf-8")
    inputs = {"templates": "a.yaml", "remove_branches": "old"}
    context = run_of(build=BUILD, inputs=inputs).run.context
    there = replace(context, services=replace(context.services, workspace=tmp_path))
    with pytest.raises(InputsInvalid):
        prepare_rendering(there)
    assert prepare_rendering(context).mistakes, "the file is not there, and that is told first"


@pytest.mark.parametrize(
    ("version", "template_set", "problem"),
    [
        ("1.0.0", "web", None),
        ("any name", "", None),
        ("any name", "web", say("settings.version_not_semver")),
        ("1.0.0+7", "web", say("settings.version_with_plus")),
        ("1.0.0+7", "", None),
        ("", "web", say("checks.version_empty")),
    ],
)
def test_a_version_name_is_refused_for_one_reason(
    version: str, template_set: str, problem: Optional[Text]
) -> None:
    expected = [] if problem is None else [version_mistake(version, problem)]
    assert version_mistakes(version, template_set=template_set) == expected


QUIET = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: b}\n"
BROKEN = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: UPPER}\ndata: {a: b}\n"
ROLE = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: reader}\nrules: []\n"
WARNED = routes("www.example.com", "/").replace("example.com/www:1", "example.com/www:latest")
ELSEWHERE = routes("www.example.com", "/").replace("port: {number: 80}", "port: {number: 81}")


def checked(wanted: Desired, **inputs: str) -> tuple[list[str], list[str], list[str]]:
    """Return what is warned of, what is refused, and what the record keeps."""
    phases = run_of(wanted=wanted, inputs=inputs)
    try:
        warned = check_desired(wanted, phases.run.context, prepared=phases.run.prepared)
    except FilesMistaken as exc:
        return [], [str(detail) for detail in exc.details], [str(one) for one in phases.record.warnings]
    return [str(one) for one in warned], [], [str(one) for one in phases.record.warnings]


def test_nothing_is_said_of_what_is_well() -> None:
    assert checked(desired(("a.yaml", QUIET))) == ([], [], [])


def test_what_kubernetes_would_refuse_stops_the_run() -> None:
    warned, refused, kept = checked(desired(("a.yaml", BROKEN)))
    assert (warned, len(refused), kept) == ([], 1, [])


def test_a_warning_stops_nothing_unless_the_author_is_strict() -> None:
    warned, refused, kept = checked(desired(("a.yaml", WARNED)))
    assert (len(warned), refused, kept) == (1, [], [])
    assert checked(desired(("a.yaml", WARNED)), strict="true") == ([], warned, [])


def test_a_refusal_keeps_what_was_only_a_warning() -> None:
    warned = checked(desired(("a.yaml", WARNED)))[0]
    nothing, refused, kept = checked(desired(("a.yaml", WARNED), ("b.yaml", BROKEN)))
    assert (nothing, len(refused), kept) == ([], 1, warned)


def test_what_is_the_whole_clusters_is_allowed_by_a_comment_and_named() -> None:
    named = str(say("checks.cluster_wide", objects=["ClusterRole/reader"]))
    warned, refused, kept = checked(desired(("a.yaml", ROLE)))
    assert (warned, len(refused), kept) == ([], 1, [named])
    allowed = f"# bcs-template-set: allow cluster-scoped\n{ROLE}"
    assert checked(desired(("a.yaml", allowed))) == ([named], [], [])


def test_a_path_that_somebody_added_to_a_shared_file_may_lead_anywhere() -> None:
    wanted = desired(("a.yaml", ELSEWHERE))
    assert checked(wanted) != ([], [], [])
    assert checked(sharing(wanted, "a.yaml")) == ([], [], [])


def test_mistakes_that_were_found_before_are_told_with_the_others() -> None:
    phases = run_of(("a.yaml", BROKEN))
    found = version_mistakes("", template_set="")
    with pytest.raises(FilesMistaken) as raised:
        check_desired(phases.run.desired, phases.run.context, prepared=phases.run.prepared, mistakes=found)
    told = " ".join(map(str, raised.value.details))
    assert "UPPER" in told
    assert str(say("checks.version_empty")) in told


def test_a_service_that_selects_nothing_is_warned_of_where_all_files_are_there() -> None:
    alone = routes("www.example.com", "/").replace(
        "  selector: {app: www}\n  ports", "  selector: {app: w}\n  ports"
    )
    wanted = desired(("a.yaml", alone))
    phases = run_of(wanted=wanted)
    context, whole = phases.run.context, phases.run.prepared
    part = replace(whole, request=replace(whole.request, only=("a.yaml",)))
    (warning,) = check_desired(wanted, context, prepared=whole)
    assert "service-selector" in str(warning)
    assert check_desired(wanted, context, prepared=part) == []
    with pytest.raises(FilesMistaken):
        check_desired(wanted, context, prepared=whole, mistakes=version_mistakes("", template_set=""))
    assert phases.record.warnings == [], "a file that could not be rendered may have the pods"


# --- rendering ------------------------------------------------------------------------------------------

VALUES = """\
app: nginx
domains:
  - {host: a.example.com, image: "example.com/a:1"}
  - {host: b.example.com, image: "example.com/b:latest"}
"""


def rendered(workspace: Path, **inputs: str) -> tuple[Optional[Desired], Optional[FilesMistaken], Phases]:
    """Return what a run renders of these values, or why it can't."""
    phases = run_of(build=BUILD, inputs={"values": VALUES, "version": "1.0.7", **inputs})
    context = phases.run.context
    context = replace(context, services=replace(context.services, workspace=workspace))
    try:
        made = render_desired(context, app_principal(), prepared=prepare_rendering(context))
    except FilesMistaken as exc:
        return None, exc, phases
    return made, None, phases


NO_SET = say("render.only_no_set", name="web")


def test_what_is_rendered_is_shown_and_kept_with_its_warnings(tmp_path: Path) -> None:
    made, _, phases = rendered(tmp_path, template_set="web")
    assert made is not None
    parts = ("deployment", "routes", "service")
    names = [f"{host}.example.com.{part}.yaml" for host in "ab" for part in parts]
    assert [file.name for file in made.files] == names
    assert (made.version, made.target.template_set) == ("1.0.7", "web")
    assert made.provenance.acting_as == app_principal().label
    assert (phases.record.rendered, phases.record.heading.version) == (made.files, "1.0.7")
    (warning,) = phases.record.warnings
    lines = phases.log.splitlines()
    shown = rendered_lines(made.files, scope=made.scope.text(), language="en_US")
    assert lines[: len(shown)] == [
        f"##[group]{shown[0].text}",
        *(one.text for one in shown[1:-1]),
        "##[endgroup]",
    ]
    assert lines[len(shown) :] == [f"##[warning]{warning}"]


@pytest.mark.parametrize(("template_set", "notes"), [("web", [NO_SET]), ("", [])])
def test_a_part_is_said_to_be_one_and_is_no_template_set(
    template_set: str, notes: list[Text], tmp_path: Path
) -> None:
    inputs = {"template_set": template_set, "version": "any name"}
    made, _, phases = rendered(tmp_path, only="a.example.com", **inputs)
    assert made is not None
    assert (len(made.files), made.target.template_set) == (3, "")
    said = [say("render.scope", scope=made.scope.text()), *notes]
    assert phases.log.splitlines()[: len(said) + 1] == [
        *(f"##[info]{text}" for text in said),
        f"##[group]{rendered_lines(made.files, scope=made.scope.text(), language='en_US')[0].text}",
    ]


def test_mistakes_of_all_inputs_are_told_together(tmp_path: Path) -> None:
    inputs = {"template_set": "web", "version": "any name", "variables": "[1]"}
    _, refusal, phases = rendered(tmp_path, **inputs)
    assert refusal is not None
    with pytest.raises(ValuesInvalid) as unread:
        read_variables(inputs["variables"])
    texts = [text for text in unread.value.details if isinstance(text, Text)]
    of_version = version_mistake("any name", say("settings.version_not_semver"))
    expected = refusal_of([of_version, *(mistake("variables", "variables", text) for text in texts)])
    assert expected is not None
    assert (refusal.code, refusal.details) == (expected.code, expected.details)
    assert len(phases.record.warnings) == 1


def test_a_version_that_could_not_be_rendered_is_not_said_to_be_empty_too(tmp_path: Path) -> None:
    _, refusal, _ = rendered(tmp_path, version="{{ nope }}")
    assert refusal is not None
    assert len(refusal.details) == 1
    assert "nope" in str(refusal.details[0])


def test_that_the_quick_parser_is_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(yaml, "CSafeLoader")
    _, _, phases = rendered(tmp_path)
    assert phases.log.splitlines()[0] == f"##[info]{say('render.reads_slowly')}"
