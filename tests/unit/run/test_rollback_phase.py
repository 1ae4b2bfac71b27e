"""What a run goes back to: which files, whose versions, what of them is live, and which state is meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Optional, cast

import pytest
import yaml
from tests.support.phases import PLACE, Answer, Cluster, Namespace, rows, run_of
from tests.support.pieces import app_principal
from tests.support.planned import OURS
from tests.support.planned import SPACE as SPACE_ROW

from bcs_template_set.agent.build_info import BuildInfo
from bcs_template_set.bcs.answers import TemplateFile, TemplateVersion
from bcs_template_set.bcs.calls import Call, JsonValue
from bcs_template_set.bcs.gateway import Gateway
from bcs_template_set.bcs.marks import TEMPLATE_NAME, TEMPLATE_VERSION
from bcs_template_set.bcs.space.existing import PastFile, ref_of
from bcs_template_set.bcs.space.provenance import Provenance
from bcs_template_set.manifests.scope import Scope
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import (
    DryRunFailed,
    InputsInvalid,
    NewerBuild,
    NoPermission,
    NotReplaceable,
    RouteRemoval,
    ValuesInvalid,
)
from bcs_template_set.messages.past_errors import NoSuchState, NothingNamed, VersionGone
from bcs_template_set.messages.secret import Secret
from bcs_template_set.messages.server_errors import NoSuchPath
from bcs_template_set.messages.state_words import Result
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.publish.past_states import PastState, history_of_line
from bcs_template_set.run.journal import Journal, Seal
from bcs_template_set.run.look_ahead import deploying_of
from bcs_template_set.run.rollback_phase import (
    LiveVersions,
    Past,
    choose_state,
    line_of,
    read_live,
    roll_back,
    rows_in_scope,
)
from bcs_template_set.system.own_files import OwnFile

SPACE = "front-ends"
NO = NoPermission(user="lisi", message="no")


def version(
    build: int, *, file: str = "web", origin: Provenance = OURS, kind: str = "Service"
) -> TemplateVersion:
    """Return a file's version of a build."""
    text = yaml.safe_dump({"apiVersion": "v1", "kind": kind, "metadata": {"name": file, "build": build}})
    return TemplateVersion(
        id=f"{file}-{build}",
        version=f"1.0.{build}-main",
        content=text,
        description=replace(origin, build=build).line(text) if build else "by hand",
        create_at=1_767_000_000 + build,
    )


def past(name: str, *builds: int, origin: Provenance = OURS, current: Optional[int] = None) -> PastFile:
    """Return a file with the versions of these builds, at the last of them."""
    versions = tuple(version(build, file=name, origin=origin) for build in builds)
    at = version(builds[-1] if current is None else current, file=name)
    row = TemplateFile(
        id=name, name=f"{SPACE}/{name}", real_name=name, version=at.version, version_id=at.id, version_mode=0
    )
    return PastFile(row, versions)


# --- which files ----------------------------------------------------------------------------------------


def scope_of(*only: str, files: Sequence[str] = ()) -> Mapping[str, Optional[TemplateFile]]:
    run = run_of(inputs={"action": "rollback", "only": "\n".join(only)}).run
    rows = {name: past(name, 1).row for name in ("a.example.com.routes.yaml", "lone.yaml")}
    prepared = replace(run.prepared)
    vars(prepared)["scope"] = Scope((), files)
    return rows_in_scope(run.settings, rows, prepared=prepared)


def test_the_files_are_those_that_the_templates_name_also_where_the_folder_lacks_them() -> None:
    found = scope_of(files=["lone.yaml", "new.yaml"])
    assert {name: row is not None for name, row in found.items()} == {"lone.yaml": True, "new.yaml": False}


def test_or_those_of_the_folder_that_only_names() -> None:
    assert scope_of("a.example.com").keys() == {"a.example.com.routes.yaml"}
    assert scope_of("lone.yaml", files=["x.yaml"]).keys() == {"lone.yaml"}
    with pytest.raises(NothingNamed) as raised:
        scope_of("b.example.com")
    near = say("settings.only_unknown", name="b.example.com")
    assert [*raised.value.details] == [say("settings.did_you_mean", mistake=near, near="a.example.com")]


# --- whose versions -------------------------------------------------------------------------------------

AT_A_DESK = replace(OURS, pipeline="", build=0)


def test_the_versions_are_those_of_this_pipeline() -> None:
    assert line_of(OURS, {}) is OURS


def test_at_a_desk_they_are_those_of_the_only_pipeline_of_the_branch() -> None:
    other_branch = past("b", 1, origin=replace(OURS, pipeline="p-2", branch="other"))
    files = {"a": past("a", 0, 1, 2), "b": other_branch, "c": past("c", 3, origin=replace(OURS, pipeline=""))}
    assert line_of(AT_A_DESK, files) == replace(AT_A_DESK, pipeline="p-1")


def test_at_a_desk_several_pipelines_or_none_are_refused() -> None:
    files = {"a": past("a", 1), "b": past("b", 1, origin=replace(OURS, pipeline="p-0"))}
    with pytest.raises(InputsInvalid) as raised:
        line_of(AT_A_DESK, files)
    assert [*raised.value.details] == [say("rollback.pipelines", pipelines=["p-0", "p-1"])]
    with pytest.raises(InputsInvalid) as raised:
        line_of(AT_A_DESK, {"a": past("a", 0)})
    assert [*raised.value.details] == [say("rollback.no_pipeline", branch="main")]


# --- what is live ---------------------------------------------------------------------------------------


def marked(file: str, at: str, *, space: str = SPACE) -> dict[str, JsonValue]:
    annotations: JsonValue = {TEMPLATE_NAME: f"{space}/{file}", TEMPLATE_VERSION: at}
    return {"metadata": {"name": file, "uid": file, "namespace": "prod", "annotations": annotations}}


def shown(file: str, live: str = "", *, kind: str = "Service") -> JsonValue:
    """Return an object of a preview, live at a version where one is given."""
    wanted = yaml.safe_dump({"apiVersion": "v1", "kind": kind, **marked(file, "x")})
    return {
        "kind": kind,
        "name": file,
        "content": wanted,
        "previousContent": yaml.safe_dump({"kind": kind, **marked(file, live)}) if live else "",
    }


def live_of(
    files: Mapping[str, PastFile], answers: Mapping[str, Answer], *, target: str = "previous"
) -> tuple[Mapping[str, list[str]], Cluster]:
    """Return the names of the versions that each file is live at."""
    context = run_of(inputs={"action": "rollback"}).run.context
    cluster = Cluster(answers)
    found = read_live(cluster, deploying_of(context, PLACE, {}), files, target=target)
    return {name: [one.version for one in versions] for name, versions in found.items()}, cluster


def test_a_file_is_live_at_the_versions_that_its_objects_are_marked_with_newest_first() -> None:
    files = {"web": past("web", 5, 6, 7, 10)}
    preview: JsonValue = {"items": [shown("web", "1.0.6-main")]}
    rows: JsonValue = {
        "manifest": {
            "items": [marked("web", "1.0.10-main"), marked("other", "1.0.5-main"), marked("web", "gone")]
        }
    }
    found, _ = live_of(files, {"preview": preview, "list Service": rows})
    assert found == {"web": ["1.0.10-main", "1.0.6-main"]}


def test_what_another_folder_has_live_is_not_this_ones() -> None:
    rows: JsonValue = {"manifest": {"items": [marked("web", "1.0.7-main", space="other")]}}
    found, cluster = live_of({"web": past("web", 7)}, {"preview": {"items": []}, "list Service": rows})
    assert found == {"web": []}
    assert cluster.calls.count("preview preview") == 1, "nothing failed"


def test_files_that_a_failing_dry_run_does_not_show_are_asked_for_one_by_one() -> None:
    def preview(call: Call[object]) -> JsonValue:
        asked = (call.body or {})["templateVersions"]
        items: JsonValue = [shown("b", "1.0.3-main")] if asked == ["b-4"] else [shown("a", "1.0.1-main")]
        return {"items": items, "error": "" if asked == ["b-4"] else "Job is immutable"}

    files = {"a": past("a", 1, 2), "b": past("b", 3, 4)}
    found, cluster = live_of(files, {"preview": preview})
    assert found == {"a": ["1.0.1-main"], "b": ["1.0.3-main"]}
    asked = [body["templateVersions"] for body in cluster.bodies if "templateVersions" in body]
    assert asked == [["a-2", "b-4"], ["b-4"]]


def test_where_nobody_may_see_what_is_live_nothing_is_known_to_be_before_it() -> None:
    files = {"web": past("web", 6, 7)}
    deployment = yaml.safe_dump({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}})
    item: JsonValue = {"kind": "Deployment", "name": "web", "content": deployment, "previousContent": ""}
    listed: Answer = {"manifest": {"items": [marked("web", "1.0.7-main")]}}
    refused: Answer = NO
    for answer in (refused, listed):
        answers: dict[str, Answer] = {"preview": {"items": [item]}, "list Deployment": answer}
        with pytest.raises(NoSuchState) as raised:
            live_of(files, answers)
        assert raised.value.fields["problem"] == say("rollback.unseen", namespace="prod")
        assert live_of(files, answers, target="build 6")[0] == {"web": ["1.0.7-main"]}
    gone = {"x": past("x", 6, current=9)}
    assert live_of(gone, answers, target="build 6")[0] == {"x": []}


def test_without_a_current_version_nothing_is_previewed() -> None:
    file = past("web", 6)
    files = {"web": PastFile(file.row.replaced(version_id="", version=""), file.versions)}
    rows: JsonValue = {"manifest": {"items": [marked("web", "1.0.6-main")]}}
    assert live_of(files, {"list Service": rows})[0] == {"web": ["1.0.6-main"]}


# --- which state ----------------------------------------------------------------------------------------


def chosen(
    target: str,
    *files: PastFile,
    live: Optional[LiveVersions] = None,
    answers: Optional[Mapping[str, Answer]] = None,
) -> PastState:
    """Return the state that a target names."""
    by_name = {file.row.real_name: file for file in files}
    history = history_of_line({name: map(ref_of, file.versions) for name, file in by_name.items()}, OURS)
    found = Past(by_name, OURS, history, live or {})
    return choose_state(found, Cluster(answers or {}), PLACE, target=target, space=SPACE)


def names(state: PastState) -> dict[str, str]:
    return {name: ref.name for name, ref in state.versions.items()}


WEB, API = past("web", 3, 5, 7), past("api", 4)


def test_previous_is_the_state_before_the_newest_build_that_is_live() -> None:
    live = {"web": (version(7, file="web"),), "api": (version(4, file="api"),)}
    assert names(chosen("previous", WEB, API, live=live)) == {"web": "1.0.5-main", "api": "1.0.4-main"}
    with pytest.raises(NoSuchState) as raised:
        chosen("previous", WEB, live={"web": (version(3, file="web"),)})
    problem = say("rollback.nothing_before", names=["web"], namespace="prod")
    assert raised.value.fields == {"target": "previous", "problem": problem}


@pytest.mark.parametrize("target", ["build 4", "build #4", "build  4"])
def test_a_build_is_the_state_that_it_left(target: str) -> None:
    assert names(chosen(target, WEB, API)) == {"web": "1.0.3-main", "api": "1.0.4-main"}


def test_a_build_that_never_was_or_left_nothing_is_refused() -> None:
    assert names(chosen("build 7", WEB)) == {"web": "1.0.7-main"}
    with pytest.raises(NoSuchState) as raised:
        chosen("build 8", past("web", 3, 5))
    assert raised.value.fields["problem"] == say("rollback.never_built", newest=5, ours=7)
    with pytest.raises(NoSuchState) as raised:
        chosen("build 2", WEB)
    assert raised.value.fields["problem"] == say("rollback.nothing_then", names=["web"], namespace="prod")
    with pytest.raises(NoSuchState) as raised:
        chosen("build 9", past("web", 0))
    assert raised.value.fields["problem"] == say("rollback.never_built", newest=0, ours=7)
    assert names(chosen("build 9", past("web", 3, 9))) == {"web": "1.0.9-main"}


def test_a_version_is_the_state_after_it_was_made() -> None:
    assert names(chosen("1.0.4-main", WEB, API)) == {"web": "1.0.3-main", "api": "1.0.4-main"}
    with pytest.raises(VersionGone) as raised:
        chosen("1.0.8-main", WEB, API)
    assert (raised.value.fields["version"], raised.value.fields["files"]) == ("1.0.8-main", ["api", "web"])
    assert [detail.key for detail in raised.value.details if isinstance(detail, Text)] == ["rollback.near"]
    assert chosen("1.0.3-main", WEB).absent == ()


def test_a_state_of_which_a_file_was_deleted_is_refused() -> None:
    text = "kind: Service\n"
    later = version(7, file="api").replaced(
        description=replace(OURS, build=7).line(text, bases=("d" * 24,)), content=text
    )
    deleted = PastFile(API.row, (later,))
    with pytest.raises(NoSuchState) as raised:
        chosen("build 5", WEB, deleted)
    assert raised.value.fields["problem"] == say("rollback.deleted", names=["api"])
    assert chosen("build 5", WEB, past("api", 7)).absent == ("api",)


def test_a_build_whose_deployment_never_was_live_is_passed_by() -> None:
    def deployment(build: int) -> TemplateVersion:
        pods = {"template": {"spec": {"containers": [{"name": "main", "image": f"web:{build}"}]}}}
        body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": pods}
        return version(build, file="web").replaced(content=yaml.safe_dump(body))

    file = PastFile(WEB.row, tuple(map(deployment, (3, 5, 7))))
    owners: JsonValue = [{"kind": "Deployment", "name": "web", "uid": "u"}]

    def revision(number: int, at: str) -> JsonValue:
        row = marked("web", at)
        metadata = row["metadata"]
        assert isinstance(metadata, dict)
        annotations = metadata["annotations"]
        assert isinstance(annotations, dict)
        annotations["deployment.kubernetes.io/revision"] = str(number)
        return {"metadata": {**metadata, "uid": at, "ownerReferences": owners}}

    revisions: JsonValue = {"manifest": {"items": [revision(2, "1.0.7-main"), revision(1, "1.0.3-main")]}}
    live = {"web": (version(7, file="web"),)}
    state = chosen("previous", file, live=live, answers={"list ReplicaSet": revisions})
    assert (names(state), state.passed) == ({"web": "1.0.3-main"}, (5,))
    assert names(chosen("previous", file, live=live)) == {"web": "1.0.5-main"}


# --- the whole way --------------------------------------------------------------------------------------


def told_version(version_id: str, text: Optional[str] = None) -> dict[str, JsonValue]:
    """Return a version of the build of its own name; it holds what the namespace says unless it is given."""
    build = version_id.partition("@")[2]
    text = text or Namespace.text_of(version_id)
    description = replace(OURS, build=int(build)).line(text)
    return {
        "id": version_id,
        "version": build,
        "content": text,
        "description": description,
        "createAt": 1_767_000_000 + 1000 * int(build),
    }


class GoingBack:
    """A run that goes back, where build 5 was and build 6 is live; it is build 9.

    `had` are the builds that published a file, where they are others; the last of them is live. `texts` are
    what versions hold that are no ConfigMaps, by their ids.
    """

    def __init__(
        self,
        *names: str,
        answers: Optional[Mapping[str, Answer]] = None,
        texts: Mapping[str, str] = MappingProxyType({}),
        had: Mapping[str, Sequence[int]] = MappingProxyType({}),
        **inputs: str,
    ) -> None:
        self.names = names or ("a.yaml",)
        builds = {**dict.fromkeys(self.names, (5, 6)), **had}
        live = {name: str(builds[name][-1]) for name in self.names}
        self.namespace = Namespace((f"{name}@{build}" for name in self.names for build in builds[name]), live)
        found = zip(rows(*((name, f"{name}@{build}") for name, build in live.items())), live.values())
        listed: list[JsonValue] = [{**row, "version": build} for row, build in found if isinstance(row, dict)]
        names_of = {f"{number:024x}": name for number, name in enumerate(self.names)}

        def history(call: Call[object]) -> JsonValue:
            name = names_of[call.segments[-2]]
            ids = [f"{name}@{build}" for build in reversed(builds[name])]
            return [told_version(id_, texts.get(id_)) for id_ in ids]

        spaces: JsonValue = [{"id": SPACE_ROW.id, "name": SPACE_ROW.name, "fav": False, "tags": []}]
        self.namespace.answers.update(
            {
                "list spaces": spaces,
                "list files": listed,
                "list versions": history,
                "get version": lambda call: told_version(call.segments[-1], texts.get(call.segments[-1])),
                "get project": {"projectID": "a" * 32, "projectCode": "web"},
                "list namespaces": {"manifest": {"items": [{"metadata": {"name": "prod"}}]}},
                "may deploy": None,
                "ask dialect": None,
                **(answers or {}),
            }
        )
        given = {"action": "rollback", "only": "\n".join(self.names), "image_check": "off", **inputs}
        self.phases = run_of(build=BUILD, inputs=given)
        self.result: Optional[Result] = None
        self.error: Optional[StepError] = None

    def run(self) -> GoingBack:
        """Go back."""
        gateway = cast("Gateway", self.namespace)
        try:
            self.result = roll_back(self.phases.run.context, gateway, app_principal())
        except StepError as exc:
            self.error = exc
        return self

    @property
    def phases_told(self) -> list[str]:
        """Return the phases that have gone well."""
        return self.phases.record.gone_well


BUILD = BuildInfo(
    "record", build_number=9, branch="main", pipeline_id="p-1", started_at=1_767_009_000_000, starter="wangwu"
)


def test_a_run_goes_back_to_the_build_before_the_one_that_is_live() -> None:
    back = GoingBack("a.yaml", "b.yaml").run()
    assert (back.error, back.result) == (None, "rolled-back")
    assert back.namespace.deployed == [["a.yaml@5", "b.yaml@5"]]
    assert back.phases_told == ["plan", "deploy"]
    record = back.phases.record
    assert record.plan is not None
    assert [(one.name, one.action, one.version) for one in record.plan.changes] == [
        ("a.yaml", "rollback", "5"),
        ("b.yaml", "rollback", "5"),
    ]
    assert [(one.state, one.version_id, one.version) for one in record.files()] == [
        ("unchanged", "a.yaml@5", "5"),
        ("unchanged", "b.yaml@5", "5"),
    ]
    assert (record.heading.version, [file.name for file in record.rendered]) == ("5", ["a.yaml", "b.yaml"])
    assert record.heading.bcs is not None, "which releases answer is known"
    lines = back.phases.log.splitlines()
    assert any("previous" in line for line in lines)
    assert any("a.yaml" in line and "rollback" in line for line in lines)


def test_a_plan_of_it_writes_nothing_and_tells_what_would_be_sent() -> None:
    back = GoingBack(action="plan", rollback_to="build 5").run()
    assert (back.error, back.result, back.namespace.deployed) == (None, "planned", [])
    assert back.phases_told == ["plan"]
    assert str(say("deploy.dry_run_ok")) in back.phases.log


def test_a_plan_of_it_is_left_for_who_compares_it_with_another(tmp_path: Path) -> None:
    back = GoingBack(action="plan")
    file = OwnFile(tmp_path, "run/restore.json")
    back.phases.record.journal = Journal(file, Seal(("web", "b-1"), "lisi", Secret("an-app-secret")), 1)
    back.run()
    assert [path.name[:5] for path in (tmp_path / "run").iterdir()] == ["plan-"]


def test_pods_that_a_person_has_to_renew_leave_it_paused() -> None:
    assert GoingBack("a.daemonset.yaml").run().result == "paused"


def test_the_images_that_it_brings_back_are_looked_for() -> None:
    pods = yaml.safe_load(Namespace.text_of(f"{DEPLOYED}@5"))
    pods["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] = "Never"
    back = GoingBack(DEPLOYED, texts={f"{DEPLOYED}@5": yaml.safe_dump(pods)}, image_check="auto").run()
    assert str(say("images.never_pulled", images=["example.com/a:5"])) in back.phases.log


DEPLOYED = "a.deployment.yaml"


def test_of_files_that_the_values_name_those_that_the_folder_has_go_back() -> None:
    host = "a.example.com"
    values = f"app: web\ndomains: [{{host: {host}, image: 'example.com/a:7'}}]\n"
    back = GoingBack(f"{host}.deployment.yaml", only="", values=values).run()
    assert (back.error, back.namespace.deployed) == (None, [[f"{host}.deployment.yaml@5"]])
    assert isinstance(GoingBack(only="", values="app: {").run().error, ValuesInvalid)
    assert GoingBack(values="app: {").run().result == "rolled-back", "with `only` nobody needs them"


def test_what_a_newer_build_has_published_since_counts_also_under_what_a_person_has_written() -> None:
    def known(version_id: str) -> dict[str, JsonValue]:
        found = told_version(version_id)
        is_by_hand = version_id.endswith("11")
        return {**found, "description": "by hand"} if is_by_hand else found

    listed: JsonValue = [known(f"a.yaml@{build}") for build in (11, 10, 6, 5)]
    answers: Mapping[str, Answer] = {
        "list versions": listed,
        "list version names": NoSuchPath(url="u", message="m"),
        "get version": lambda call: known(call.segments[-1]),
    }
    back = GoingBack(had={"a.yaml": (5, 6, 10, 11)}, answers=answers)
    back.namespace.live["a.yaml"] = "6"
    assert isinstance(back.run().error, NewerBuild)


def ingress(path: str) -> str:
    service = {"name": "web", "port": {"number": 80}}
    paths = [{"path": path, "pathType": "Prefix", "backend": {"service": service}}]
    rule = {"host": "a.example.com", "http": {"paths": paths}}
    body = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "routes"}}
    return yaml.safe_dump({**body, "spec": {"rules": [rule]}})


def test_where_routes_that_are_live_can_not_be_seen_those_of_the_current_version_are_not_lost() -> None:
    """Going back takes `/new`, which nothing shows to be live."""
    texts = {"b.routes.yaml@5": ingress("/"), "b.routes.yaml@6": ingress("/new")}
    nothing: Answer = {"manifest": {"items": []}}
    refused: Answer = NO
    for answer, error in ((nothing, type(None)), (refused, RouteRemoval)):
        answers = {"list Ingress": answer}
        back = GoingBack("a.yaml", "b.routes.yaml", texts=texts, answers=answers, rollback_to="build 5")
        del back.namespace.live["b.routes.yaml"]
        back.run()
        assert type(back.error) is error


def test_what_stands_in_the_way_of_a_deployment_stands_in_its_way_too() -> None:
    refused = GoingBack(answers={"may deploy": NO}).run()
    assert (refused.error, refused.namespace.deployed) == (NO, [])
    other = GoingBack(rollback_to="build 99").run()
    assert isinstance(other.error, NoSuchState)


def test_a_job_beside_other_objects_is_not_brought_back() -> None:
    job = "---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: once}\n"
    text = Namespace.text_of("a.yaml@5")
    back = GoingBack(texts={"a.yaml@5": f"{text}{job}"}).run()
    assert isinstance(back.error, NotReplaceable)
    assert [*back.error.details] == [say("rollback.job_beside", object="Job/once", name="a.yaml")]


def refusing(
    *builds: str, had: Sequence[int] = (4, 5, 6), unseen: str = ""
) -> tuple[Optional[Text], StepError]:
    """Go back where the dry run refuses these builds, and is refused for one.

    Return what is said of others, and the error.
    """
    back = GoingBack(had={"a.yaml": had})
    shown = back.namespace.answers["preview"]
    assert callable(shown)

    def preview(call: Call[object]) -> JsonValue:
        asked = (call.body or {})["templateVersions"]
        if asked == [f"a.yaml@{unseen}"]:
            raise NO
        found = shown(call)
        assert isinstance(found, dict)
        return {**found, "error": "no"} if asked in [[f"a.yaml@{build}"] for build in builds] else found

    back.namespace.answers["preview"] = preview
    back.run()
    assert isinstance(back.error, DryRunFailed), back.error
    last = back.error.details[-1]
    return last if isinstance(last, Text) else None, back.error


def test_where_the_state_can_not_be_the_nearest_one_that_can_is_named() -> None:
    assert refusing("5")[0] == say("rollback.possible", version="4")
    assert refusing("5", had=(3, 4, 5, 6))[0] == say("rollback.possible", version="4")
    assert refusing("5", "4", had=(3, 4, 5, 6))[0] == say("rollback.possible", version="3")
    assert refusing("5", "4")[0] == say("rollback.none_possible", count=1)
    assert refusing("5", had=(5, 6))[0] == say("rollback.oldest")
    assert refusing("5", unseen="4")[0] == say("rollback.none_possible", count=1)
    few = refusing(*"765432", had=range(1, 9))[0]
    assert few == say("rollback.none_possible", count=5), "of many builds the nearest are looked at"


def test_what_is_live_as_an_older_state_has_it_does_not_make_that_impossible() -> None:
    """Kubernetes would take neither build 5's first file nor the other, which is live already."""
    back = GoingBack("a.yaml", "b.yaml", had={"a.yaml": (4, 5, 6), "b.yaml": (4,)})
    shown = back.namespace.answers["preview"]
    assert callable(shown)

    def preview(call: Call[object]) -> JsonValue:
        asked = (call.body or {})["templateVersions"]
        found = shown(call)
        assert isinstance(found, dict)
        return found if asked == ["a.yaml@4"] else {**found, "error": "no"}

    back.namespace.answers["preview"] = preview
    back.run()
    assert isinstance(back.error, DryRunFailed)
    assert back.error.details[-1] == say("rollback.possible", version="4")
