"""What is asked and said before anything is written, or deployed, of what that would meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Optional

import pytest
import yaml
from tests.support.phases import (
    CLUSTER,
    NAMESPACE,
    PLACE,
    Answer,
    Answers,
    Cluster,
    Namespace,
    Phases,
    run_of,
)
from tests.support.planned import existing, existing_file, version_of
from tests.support.scenes import change, plan_of

from bcs_template_set.bcs.calls import JsonValue
from bcs_template_set.bcs.marks import TEMPLATE_NAME, TEMPLATE_VERSION
from bcs_template_set.bcs.space.existing import Existing
from bcs_template_set.manifests.kinds import DEPLOYMENT
from bcs_template_set.manifests.live_replicas import variable_of
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import (
    AppNotGranted,
    NamespaceMissing,
    NoPermission,
    NotReplaceable,
    SelectorChanged,
    VariablesMissing,
)
from bcs_template_set.messages.past_errors import MayNotDelete
from bcs_template_set.messages.server_errors import BcsFailed, GatewayFailed, NoSuchPath
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.publish.plan import Change
from bcs_template_set.publish.pruning import Orphan, Pruning
from bcs_template_set.rollout.live_state import FileVersion
from bcs_template_set.rollout.sized_calls import AT_ONCE
from bcs_template_set.run.context import Planned
from bcs_template_set.run.look_ahead import (
    as_it_counts,
    check_place,
    check_variables,
    deploying_of,
    dry_run,
    look_ahead,
    look_before,
    tell_pods,
)

NO = NoPermission(user="lisi", message="no")
DOWN = GatewayFailed(url="u", status=502, message="m")
HERE = replace(existing(), project_id="a" * 32)
NAMESPACES: Answer = {"manifest": {"items": [{"metadata": {"name": NAMESPACE}}]}}


def planned_of(
    phases: Phases, *changes: Change, holds: Existing = HERE, **more: Mapping[str, str]
) -> Planned:
    phases.record.plan = plan_of(*changes)
    phases.record.rendered = phases.run.desired.files
    return Planned(phases.record.plan, holds, phases.run.desired, variables=more.get("variables", {}))


# --- the right to do it ---------------------------------------------------------------------------------


def asked(
    answers: Mapping[str, Answer], *, action: str = "deploy", deletes: bool = False
) -> tuple[Optional[StepError], Phases, Answers]:
    """Ask whether a run may do what it plans."""
    phases = run_of(inputs={"action": action})
    planned = planned_of(phases)
    if deletes:
        pruning = Pruning("delete", objects=(Orphan(DEPLOYMENT, "old", "x.yaml", "1"),))
        planned = replace(planned, plan=replace(planned.plan, pruning=pruning))
    reader = Answers({"may deploy": None, "list namespaces": NAMESPACES, **answers})
    try:
        check_place(phases.run, reader, planned)
    except StepError as exc:
        return exc, phases, reader
    return None, phases, reader


WHERE = {"namespace": NAMESPACE, "cluster": CLUSTER}


def test_a_deployment_that_is_not_allowed_ends_before_anything_is_written() -> None:
    refused = NoPermission(user="lisi", message="no", details=["x"])
    error, phases, _ = asked({"may deploy": refused})
    assert error is refused
    assert [*refused.details] == ["x", say("deploy.asked_first", **WHERE)]
    allowed, phases, reader = asked({})
    assert (allowed, phases.log) == (None, "")
    assert not [call for call in reader.calls if call.startswith("may delete")]


def test_a_run_that_deletes_asks_for_that_too() -> None:
    error, _, _ = asked({"may delete": NO}, deletes=True)
    assert isinstance(error, MayNotDelete)
    assert asked({"may delete": None}, deletes=True)[0] is None


def test_a_plan_says_whether_the_right_is_there() -> None:
    error, phases, _ = asked({}, action="plan")
    assert (error, phases.log) == (None, f"##[info]{say('deploy.may_deploy', **WHERE)}\n")
    refused = NoPermission(user="lisi", message="no").with_context(
        app="my_app", permission="namespace_scoped", apply_url="https://iam"
    )
    error, phases, _ = asked({"may deploy": refused}, action="plan")
    (warning,) = phases.record.warnings
    why = [
        refused.title(),
        say("context.app", value="my_app"),
        say("context.permission", value="namespace_scoped"),
        say("context.apply_url", value="https://iam"),
    ]
    assert (error, warning) == (None, say("deploy.may_not_deploy", why=why, **WHERE))
    _, phases, _ = asked({"may deploy": DOWN}, action="plan")
    assert phases.record.warnings == [say("deploy.unknown_deploy", why=[DOWN.title()], **WHERE)]
    _, phases, _ = asked({"may delete": NO}, action="plan", deletes=True)
    assert phases.warnings == ["deploy.may_not_delete"]


def test_a_namespace_that_is_not_there_ends_a_plan_too() -> None:
    other: Answer = {"manifest": {"items": [{"metadata": {"name": "other"}}]}}
    assert isinstance(asked({"list namespaces": other}, action="plan")[0], NamespaceMissing)


# --- variables ------------------------------------------------------------------------------------------


def test_a_variable_without_a_value_refuses_the_plan() -> None:
    phases = run_of()
    check_variables(phases.run, Answers({}), planned_of(phases, variables={"A": "1"}))
    with pytest.raises(VariablesMissing) as raised:
        check_variables(phases.run, Answers({}), planned_of(phases, variables={"A": "1", "B": "", "C": ""}))
    assert [*raised.value.details] == [say("deploy.variable_missing", name=name) for name in "BC"]


def test_what_nobody_has_asked_is_asked_then() -> None:
    phases = run_of()
    planned = replace(planned_of(phases), variables=None)
    check_variables(phases.run, Answers({}), planned)


# --- what the numbers of pods mean ----------------------------------------------------------------------


def web(replicas: YamlValue = None, *, kind: str = "Deployment", tag: str = "1", **spec: YamlValue) -> str:
    pods: YamlValue = {"spec": {"containers": [{"name": "main", "image": f"example.com/web:{tag}"}]}}
    body: dict[str, YamlValue] = {"template": pods, **spec}
    if replicas is not None:
        body["replicas"] = replicas
    version = "batch/v1" if kind == "Job" else "apps/v1"
    return yaml.safe_dump({"apiVersion": version, "kind": kind, "metadata": {"name": "web"}, "spec": body})


OF_PODS = variable_of("Deployment", "web")


@pytest.mark.parametrize(
    ("replicas", "variables", "sets_pods"),
    [
        (None, "", False),
        (3, "", False),
        ("{{ PODS }}", "", True),
        (f"{{{{ {OF_PODS} }}}}", "", False),
        (f"{{{{ {OF_PODS} }}}}", f"{OF_PODS}: '3'", True),
    ],
)
def test_a_number_of_pods_is_this_runs_word_where_a_variable_or_the_author_gives_it(
    replicas: YamlValue, variables: str, *, sets_pods: bool
) -> None:
    run = run_of(("a.yaml", web(replicas)), inputs={"variables": variables}).run
    found = as_it_counts(run, FileVersion("a.yaml", "1", "2"))
    assert (found.sets_pods, found.reused, found.objects) == (sets_pods, False, ("Deployment/web",))
    other = as_it_counts(run, FileVersion("b.yaml", "1", "2"))
    assert (other.sets_pods, other.objects) == (False, ())


def test_where_versions_are_overwritten_a_mark_tells_no_number() -> None:
    run = run_of(("a.yaml", web()), inputs={"overwrite_version": "true"}).run
    assert as_it_counts(run, FileVersion("a.yaml", "1", "2")).reused


def pods_told(
    text: str,
    live: JsonValue = None,
    *,
    action: str = "plan",
    writes: bool = True,
    answers: Optional[Mapping[str, Answer]] = None,
    **inputs: str,
) -> Phases:
    """Tell the pods of a file that is to be written."""
    phases = run_of(("a.yaml", text), inputs={"action": action, **inputs})
    planned = planned_of(phases, change("a.yaml", writes_version=writes))
    items: JsonValue = [live] if live is not None else []
    known: dict[str, Answer] = {"list Deployment": {"manifest": {"items": items}}}
    tell_pods(phases.run, Cluster({**known, **(answers or {})}), planned)
    return phases


def live_web(pods: int) -> JsonValue:
    metadata: JsonValue = {"name": "web", "uid": "u", "namespace": NAMESPACE}
    return {"kind": "Deployment", "metadata": metadata, "spec": {"replicas": pods}}


def test_a_workload_that_loses_pods_is_a_warning_and_one_that_keeps_them_a_note() -> None:
    fewer = pods_told(web(2), live_web(5))
    assert fewer.warnings == ["deploy.pods_said"]
    assert pods_told(web(2), live_web(5), writes=False).warnings == []
    assert pods_told(web(5), live_web(5)).warnings == []
    assert pods_told(web(2)).warnings == [], "it is not there yet"
    kept = pods_told(web(f"{{{{ {OF_PODS} }}}}"), live_web(5))
    assert (kept.warnings, "Deployment/web 5" in kept.log) == ([], True)
    deploying = pods_told(web(f"{{{{ {OF_PODS} }}}}"), live_web(5), action="deploy")
    assert (deploying.warnings, deploying.log) == ([], "")
    given = pods_told(web(f"{{{{ {OF_PODS} }}}}"), live_web(5), variables=f"{OF_PODS}: '2'")
    assert given.warnings == ["deploy.pods_said"]
    by_variable = pods_told(web("{{ PODS }}"), live_web(5), variables="PODS: '2'")
    assert by_variable.warnings == ["deploy.pods_said"]
    assert pods_told(web("{{ PODS }}"), live_web(5), variables="PODS: 'x'").warnings == []


def test_that_nobody_could_look_costs_a_sentence() -> None:
    (warning,) = pods_told(web(2), answers={"list Deployment": NO}).record.warnings
    assert warning == say("deploy.pods_unseen", problem=NO.title())
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
    assert pods_told(service, answers={"list Deployment": NO}).warnings == []
    assert pods_told(web(kind="DaemonSet"), answers={"list DaemonSet": NO}).warnings == []


# --- all of it ------------------------------------------------------------------------------------------


def test_what_stands_in_the_way_stops_the_run_before_anything_is_written() -> None:
    assert looked(web(), answers={"may deploy": NO})[0] is NO
    for action in ("deploy", "publish"):
        error, _, _ = looked(web(), action=action, variables={"A": ""})
        assert isinstance(error, VariablesMissing)
    fewer: Answer = {"manifest": {"items": [live_web(5)]}}
    assert looked(web(2), answers={"list Deployment": fewer})[1].warnings == ["deploy.pods_said"]


def looked(
    text: str,
    *,
    answers: Optional[Mapping[str, Answer]] = None,
    writes: bool = True,
    holds: Existing = HERE,
    variables: Mapping[str, str] = MappingProxyType({}),
    **inputs: str,
) -> tuple[Optional[StepError], Phases, Answers]:
    """Look ahead of a run of one file."""
    phases = run_of(("a.yaml", text), inputs=inputs)
    row = change("a.yaml", writes_version=writes, version_id="" if writes else "1" * 24)
    reader = Cluster({"may deploy": None, "list namespaces": NAMESPACES, **(answers or {})})
    try:
        look_ahead(phases.run, reader, planned_of(phases, row, holds=holds, variables=variables))
    except StepError as exc:
        return exc, phases, reader
    return None, phases, reader


def test_kinds_that_a_shared_cluster_may_refuse_are_a_warning_in_the_log() -> None:
    _, phases, _ = looked("apiVersion: example.com/v1\nkind: Database\nmetadata: {name: a}\n")
    sentence = say("deploy.shared_kinds", kinds=["Database"], cluster=CLUSTER)
    assert f"##[warning]{sentence}" in phases.log.splitlines()
    assert "##[warning]" not in looked(web(), timeout="0")[1].log


def test_what_ends_a_wait_early_is_said_where_there_is_one() -> None:
    text = web(progressDeadlineSeconds=60)
    assert "60" in looked(text)[1].log
    assert looked(text, timeout="0")[1].log == ""
    assert looked(text, action="publish")[1].log == ""


def test_a_publication_asks_nothing_of_a_cluster() -> None:
    assert looked(web(), action="publish")[2].calls == []
    idless = looked(web(2), holds=replace(HERE, project_id=""))
    assert (idless[0], [call for call in idless[2].calls if call.startswith("list Deployment")]) == (None, [])


def test_a_dry_run_is_made_of_a_plan_whose_versions_all_exist() -> None:
    phases = run_of(("a.yaml", web()), inputs={"action": "plan"})
    answers = Cluster({"preview": {"items": []}, "list variables": {"vars": []}})
    for changes in ([change("a.yaml", writes_version=True, version_id="1" * 24)], [change("a.yaml")]):
        planned_of(phases, *changes)
        assert dry_run(phases.run, answers, HERE) == frozenset()
    phases.record.plan = None
    assert dry_run(phases.run, answers, HERE) == frozenset()
    assert answers.calls == []


def test_a_dry_run_tells_what_would_be_deployed() -> None:
    phases = run_of(("a.yaml", Namespace.text_of("a.yaml@2")), inputs={"action": "plan"})
    namespace = Namespace(["a.yaml@1", "a.yaml@2"], {"a.yaml": "1"}, may_deploy=None)
    namespace.answers["list namespaces"] = NAMESPACES
    planned = planned_of(phases, change("a.yaml", version_id="a.yaml@2", version="2"))
    assert dry_run(phases.run, namespace, HERE) == {"a.yaml"}
    assert phases.log.splitlines()[-1] == f"##[info]{say('deploy.dry_run_ok')}"
    assert any("ConfigMap/a" in line for line in phases.log.splitlines())
    look_ahead(phases.run, namespace, planned)
    assert phases.log.count(str(say("deploy.dry_run_ok"))) == 2
    deploys = run_of(("a.yaml", Namespace.text_of("a.yaml@2")))
    look_ahead(deploys.run, namespace, planned_of(deploys, *planned.plan.changes))
    assert str(say("deploy.dry_run_ok")) not in deploys.log


# --- Jobs -----------------------------------------------------------------------------------------------


def job_refusal(
    live: Optional[JsonValue],
    *,
    text: str = "",
    before: Optional[str] = None,
    writes: bool = True,
    listed: Answer = None,
    action: str = "deploy",
    redeploy: str = "false",
) -> tuple[Optional[StepError], Answers]:
    """Return what a run is refused for that brings a file with a Job."""
    items: JsonValue = [{"metadata": {"name": "web"}}] if live is not None else []
    answers: dict[str, Answer] = {
        "list Job": listed or {"manifest": {"items": items}},
        "get Job": {"manifest": live or {}},
    }
    file = existing_file("a.yaml", version_of(before)) if before is not None else None
    holds = replace(existing(*([file] if file is not None else [])), project_id="a" * 32)
    error, _, reader = looked(
        text or web(kind="Job"),
        answers=answers,
        writes=writes,
        holds=holds,
        action=action,
        redeploy=redeploy,
    )
    return error, reader


def live_job(tag: str = "1") -> JsonValue:
    labels: YamlValue = {"controller-uid": "u"}
    body = yaml.safe_load(web(kind="Job", tag=tag, selector={"matchLabels": labels}))
    return {**body}


BESIDE = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: 'x'}\n"


def test_a_live_job_that_would_have_to_be_replaced_refuses_its_file() -> None:
    error, _ = job_refusal(live_job("0"))
    assert isinstance(error, NotReplaceable)
    assert error.details == (say("deploy.kept_otherwise", object="Job/web", file="a.yaml"),)
    assert error.fields["only_again"] is False
    assert job_refusal(None)[0] is None


def test_one_that_is_as_wanted_is_in_the_way_only_of_what_is_beside_it_or_of_again() -> None:
    assert job_refusal(live_job(), before=web(kind="Job"))[0] is None
    assert job_refusal(live_job())[0] is None
    beside = job_refusal(live_job(), text=web(kind="Job") + BESIDE, before=web(kind="Job"))[0]
    assert isinstance(beside, NotReplaceable)
    assert (beside.details, beside.fields["only_again"]) == (
        (say("deploy.kept_as_it_is", object="Job/web", file="a.yaml"),),
        False,
    )
    again = job_refusal(live_job(), before=web(kind="Job"), redeploy="true")[0]
    assert isinstance(again, NotReplaceable)
    assert again.fields["only_again"] is True
    same = web(kind="Job") + BESIDE
    assert job_refusal(live_job(), text=same, before=same)[0] is None


def test_files_that_are_not_sent_or_hold_variables_or_a_selector_are_left_out() -> None:
    named: YamlValue = {"matchLabels": {"a": "b"}}
    for text in (web(kind="Job", selector=named), web()):
        error, reader = job_refusal(live_job("0"), text=text)
        assert (error, [call for call in reader.calls if "Job" in call]) == (None, [])
    assert job_refusal(live_job("0"), writes=False)[0] is None
    phases = run_of(("a.yaml", web(kind="Job")))
    (file,) = phases.run.desired.files
    open_file = replace(file, variables=frozenset({"A"}))
    planned = planned_of(phases, change("a.yaml", writes_version=True))
    planned = replace(planned, desired=replace(planned.desired, files=(open_file,)))
    reader = Cluster({"may deploy": None, "list namespaces": NAMESPACES})
    look_ahead(phases.run, reader, planned)
    assert not [call for call in reader.calls if "Job" in call]
    error, reader = job_refusal(live_job("0"), action="publish")
    assert (error, reader.calls) == (None, [])


@pytest.mark.parametrize(
    "refused",
    [
        NO,
        AppNotGranted(app_code="a", message="m"),
        NoSuchPath(url="u", message="m"),
        BcsFailed(bcs_code=1, message="m"),
    ],
)
def test_where_nobody_may_look_it_is_left_to_the_deployment(refused: StepError) -> None:
    assert job_refusal(live_job("0"), listed=refused)[0] is None
    assert job_refusal(live_job("0"), listed=DOWN)[0] is DOWN


# --- right before a deployment --------------------------------------------------------------------------


def at(text: str, *, file: str = "front-ends/a.yaml", version: str = "2") -> str:
    """Return an object as it is marked with a version of a file."""
    body = yaml.safe_load(text)
    body["metadata"]["annotations"] = {TEMPLATE_NAME: file, TEMPLATE_VERSION: version}
    return yaml.safe_dump(body)


def of_map(name: str) -> str:
    return yaml.safe_dump(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "1"}}
    )


def looking_before(
    *objects: tuple[str, str],
    holds: Existing = HERE,
    before: str = "",
    phases: Optional[Phases] = None,
    **answers: Answer,
) -> Phases:
    """Look at what deploying a file changes, of which each object is wanted as, and is live as, a text."""
    ran = phases or run_of(("a.yaml", "---\n".join(wanted for wanted, _ in objects)))
    planned_of(ran, change("a.yaml", version_id="2" * 24, version="2"))
    items: list[JsonValue] = []
    for wanted, live in objects:
        body = yaml.safe_load(wanted)
        shown = {"content": at(wanted), "previousContent": live}
        items.append({"kind": body["kind"], "name": body["metadata"]["name"], **shown})
    known: dict[str, Answer] = {"preview": {"items": items}, "list variables": {"vars": []}}
    reader = Cluster({**known, **{name.replace("_", " "): answer for name, answer in answers.items()}})
    file = as_it_counts(ran.run, FileVersion("a.yaml", "2" * 24, "2", before=before))
    look_before(ran.run, reader, [file], holds)
    return ran


def holding(version: str, *texts: str) -> Existing:
    """Return a folder whose file has these objects in its current version."""
    file = existing_file("a.yaml", version_of("---\n".join(texts), name=version))
    return replace(existing(file), project_id="a" * 32)


A, B = of_map("a"), of_map("b")


def test_what_pods_a_deployment_costs_is_said_and_kept_once() -> None:
    scene = (web(2), at(web(5), version="1"))
    live: Answer = {"manifest": yaml.safe_load(scene[1])}
    phases = looking_before(scene, holds=holding("1", web(5)), get_Deployment=live)
    (warning,) = phases.record.warnings
    assert (warning.key, phases.log.count(str(warning))) == ("deploy.pods_said", 1)
    looking_before(scene, holds=holding("1", web(5)), get_Deployment=live, phases=phases)
    assert (phases.record.warnings, phases.log.count(str(warning))) == ([warning], 1)


def test_a_deployment_that_must_not_be_is_shown_and_stops_the_run() -> None:
    phases = run_of(("a.yaml", web(selector={"matchLabels": {"a": "b"}})))
    wanted, live = (web(selector={"matchLabels": {"a": value}}) for value in "bc")
    with pytest.raises(SelectorChanged):
        looking_before((wanted, at(live)), get_Deployment={"manifest": yaml.safe_load(live)}, phases=phases)
    assert str(say("deploy.counts", deploy=1, live=0)) in phases.log


def test_an_object_that_is_missing_is_told_where_the_version_that_is_live_held_it() -> None:
    scene = ((A, at(A, version="1")), (B, ""))
    missing = str(say("deploy.missing", objects=["ConfigMap/b"], version="1"))
    assert missing in looking_before(*scene, holds=holding("1", A, B)).log
    asked: Answer = {"id": "1" * 24, "version": "1", "content": f"{A}---\n{B}"}
    for holds in (
        HERE,
        holding("3", A),
        replace(existing(existing_file("a.yaml", None)), project_id="a" * 32),
    ):
        assert missing in looking_before(*scene, holds=holds, find_version=asked).log
    assert missing not in looking_before(*scene, holds=holding("1", A)).log
    assert missing not in looking_before(*scene, find_version=DOWN).log


def test_a_version_that_is_live_and_no_more_in_bcs_is_named() -> None:
    phases = looking_before((A, at(A, version="1")), (B, ""), find_version={})
    gone = say("deploy.mark_gone", objects=["ConfigMap/a"], name="a.yaml", version="1")
    assert f"##[info]{gone}" in phases.log.splitlines()


def test_what_is_live_as_wanted_and_marked_as_another_folders_is_named() -> None:
    phases = looking_before((A, at(A, file="other/a.yaml")))
    elsewhere = say("deploy.marked_elsewhere", files=["other/a.yaml"], objects=["ConfigMap/a"])
    assert f"##[info]{elsewhere}" in phases.log.splitlines()


def test_nothing_is_said_to_be_missing_where_nobody_may_look() -> None:
    holds = holding("1", web())
    here = str(say("deploy.missing_here", objects=["Deployment/web"], version="1"))
    assert here in looking_before((web(), ""), holds=holds, before="1").log
    blind = looking_before((web(), ""), holds=holds, before="1", list_Deployment=NO)
    assert (here in blind.log, str(NO.title()) in blind.log) == (False, True)


def test_what_it_takes_to_deploy_is_the_runs() -> None:
    run = run_of(inputs={"variables": "A: '1'"})
    deploying = deploying_of(run.run.context, PLACE, {"A": "1", "B": "2"})
    assert (deploying.place, deploying.space, dict(deploying.variables)) == (
        PLACE,
        "front-ends",
        {"A": "1", "B": "2"},
    )
    assert (set(deploying.given), deploying.at_once) == ({"A"}, AT_ONCE)
    deploying.on_quiet(3)
    assert run.log == f"##[info]{say('deploy.under_way', count=3)}\n"
    run.record.stopped = True
    deploying.on_quiet(3)
    assert run.log.count("\n") == 1
