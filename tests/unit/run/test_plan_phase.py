"""What a plan refuses, says of the site, and asks the namespace; and what phases share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Optional

import pytest
from tests.support.building import prepared
from tests.support.phases import (
    CLUSTER,
    NAMESPACE,
    PLACE,
    Answer,
    Answers,
    Namespace,
    Phases,
    rows,
    run_of,
    sharing,
)
from tests.support.planned import OURS, SPACE, desired, existing, existing_file, ingress, version_of
from tests.support.scenes import change, plan_of

from bcs_template_set.agent.build_info import BuildInfo
from bcs_template_set.bcs.calls import JsonValue
from bcs_template_set.bcs.dialect import BELOW_SPACE, EVERY, WITH_SPACE, Dialect, Site, releases
from bcs_template_set.bcs.space.existing import VersionRef
from bcs_template_set.manifests.branch_paths import BRANCHES, Claim, ServedPath, claims_json
from bcs_template_set.manifests.kinds import DEPLOYMENT
from bcs_template_set.manifests.live_replicas import variable_of
from bcs_template_set.manifests.scope import Scope
from bcs_template_set.manifests.templating.render import render_routes
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import (
    FilesMistaken,
    ManifestsInvalid,
    NewerBuild,
    NoPermission,
    PlanChanged,
    ProjectNotVisible,
)
from bcs_template_set.messages.past_errors import NothingNamed
from bcs_template_set.messages.secret import Secret
from bcs_template_set.messages.server_errors import BcsTooOld
from bcs_template_set.publish.plan import Plan, Policy
from bcs_template_set.report.outcome import Identity
from bcs_template_set.run.context import Planned
from bcs_template_set.run.journal import Journal, Seal, leave_plan
from bcs_template_set.run.plan_phase import (
    check_ingresses_served,
    check_refusal,
    look_at_branches,
    name_site,
    plan_run,
    values_of_namespace,
)
from bcs_template_set.system.own_files import OwnFile

BUILD = BuildInfo("record", build_number=7, branch="main", pipeline_id="p-1", started_at=1_767_225_600_000)
ROUTES = ingress("www.example.com", "/")


@pytest.mark.parametrize(
    ("served", "names"),
    [
        ("", []),
        ("networking.k8s.io/v1", []),
        ("networking.k8s.io/v1beta1", ["a.yaml"]),
        ("extensions/v1beta1", ["a.yaml"]),
    ],
)
def test_ingresses_that_a_cluster_does_not_serve_so_are_refused(served: str, names: list[str]) -> None:
    old = ROUTES.replace("networking.k8s.io/v1", "networking.k8s.io/v1beta1")
    wanted = desired(("a.yaml", ROUTES), ("b.yaml", "apiVersion: v1\nkind: Service\n"), ("c.yaml", old))
    there = replace(existing(), ingresses_as=served)
    if not names:
        check_ingresses_served(wanted, there, cluster=CLUSTER)
        return
    with pytest.raises(ManifestsInvalid) as raised:
        check_ingresses_served(wanted, there, cluster=CLUSTER)
    assert [*raised.value.details] == [
        say("deploy.old_cluster", object="Ingress/web", file=name, cluster=CLUSTER, served=served)
        for name in names
    ]


def test_only_what_is_of_that_version_is_refused() -> None:
    old = desired(("a.yaml", ROUTES.replace("networking.k8s.io/v1", "extensions/v1beta1")))
    check_ingresses_served(old, replace(existing(), ingresses_as="extensions/v1beta1"), cluster=CLUSTER)


def test_which_releases_answer_is_said_once_as_soon_as_it_is_known() -> None:
    phases, site = run_of(), Site()
    services = phases.run.services
    name_site(services, site)
    assert (phases.log, phases.record.heading.bcs) == ("", None)
    site.learn(WITH_SPACE)
    name_site(services, site)
    assert phases.log == f"##[info]{say('bcs.is', releases=releases(WITH_SPACE))}\n"
    site.learn(frozenset({Dialect.C}))
    name_site(services, site)
    assert phases.log.count("\n") == 1
    assert phases.record.heading.bcs == releases(frozenset({Dialect.C}))
    assert site.possible != EVERY


def test_answers_of_two_releases_are_a_warning_once() -> None:
    phases, site = run_of(), Site()
    site.learn(WITH_SPACE)
    site.learn(BELOW_SPACE)
    for _ in range(2):
        name_site(phases.run.services, site)
    (warning,) = phases.record.warnings
    assert (warning.key, warning.fields) == (
        "bcs.two",
        {"first": releases(WITH_SPACE), "second": releases(BELOW_SPACE)},
    )


# --- branches -------------------------------------------------------------------------------------------


def served_by_main(plan: Plan, *, shared: bool = True) -> Planned:
    """Return a plan of a file in which the branch main has a path."""
    name = "www.example.com.routes.yaml"
    claims = claims_json([Claim("/", "main", "p-1", 6, "wangwu")])
    text = ROUTES.replace("{name: web}", f"{{name: web, annotations: {{{BRANCHES}: '{claims}'}}}}", 1)
    wanted = desired((name, text))
    file = existing_file(name, version_of(text))
    there = replace(existing(file), rows={name: file.metadata})
    return Planned(plan, there, sharing(wanted, name) if shared else wanted)


@pytest.mark.parametrize("shared", [True, False])
def test_only_a_run_that_shares_files_looks_which_branches_have_paths(*, shared: bool) -> None:
    phases = run_of()
    look_at_branches(phases.run, served_by_main(plan_of(), shared=shared))
    assert [(row.branch, row.path) for row in phases.record.branches] == [("main", "/")] * shared


# --- refusals -------------------------------------------------------------------------------------------


def refused(plan: Plan, tmp_path: Optional[Path] = None, **inputs: str) -> tuple[object, Phases]:
    """Return what a plan is refused for."""
    phases = run_of(inputs=inputs)
    if tmp_path is not None:
        seal = Seal(("web", "b-1"), "lisi", Secret("an-app-secret"))
        phases.record.journal = Journal(OwnFile(tmp_path, "run/restore.json"), seal, 1)
        leave_plan(phases.record.journal, replace(plan, parts=(("file", "a.yaml", "1"),), digest="0" * 32))
    try:
        check_refusal(phases.run, Planned(plan, existing(), phases.run.desired))
    except (NewerBuild, PlanChanged) as exc:
        return exc, phases
    return None, phases


def test_a_plan_that_must_not_be_published_stops_the_run() -> None:
    newer = replace(plan_of(), newer_builds=(say("prune.no_target"),))
    assert isinstance(refused(newer)[0], NewerBuild)
    assert refused(newer, on_newer_build="replace")[0] is None
    assert refused(plan_of())[0] is None


def test_another_plan_than_the_approved_one_says_which_part_differs(tmp_path: Path) -> None:
    plan = replace(plan_of(), parts=(("file", "a.yaml", "2"),))
    error, _ = refused(plan, tmp_path, expect_plan="0" * 32)
    assert isinstance(error, PlanChanged)
    assert [detail.key for detail in error.details if isinstance(detail, Text)] == ["plan.differs_file"]


# --- what the namespace gives ---------------------------------------------------------------------------

OF_PODS = variable_of(DEPLOYMENT.name, "web")


def values(
    *, previous: Optional[str] = "1" * 24, inputs: Optional[Mapping[str, str]] = None
) -> tuple[Mapping[str, str], Answers]:
    """Return what the namespace gives for the variables of a file."""
    (file,) = desired(("a.yaml", "kind: X")).files
    names = frozenset({"A", "B", "C", OF_PODS})
    wanted = replace(desired(), files=(replace(file, variables=names),))
    phases = run_of(wanted=wanted, inputs=inputs or {})
    ref = VersionRef(previous, "1") if previous is not None else None
    told: JsonValue = [{"key": key, "value": key.lower()} for key in ("A", "B", "D", OF_PODS)]
    answers = Answers({"list variables": {"vars": told}})
    plan = plan_of(change("a.yaml", previous=ref), change("b.yaml"))
    return values_of_namespace(phases.run, answers, plan, replace(existing(), project_id="a" * 32)), answers


def test_the_namespace_is_asked_for_the_variables_that_the_author_gives_no_value() -> None:
    found, answers = values(inputs={"variables": "B: mine"})
    assert dict(found) == {"A": "a"}
    assert answers.bodies == [{"templateVersions": ["1" * 24], "clusterID": CLUSTER, "namespace": NAMESPACE}]


@pytest.mark.parametrize(
    "more",
    [
        {"inputs": {"cluster_id": "", "namespace": "", "action": "publish"}},
        {"inputs": {"variables": "{A: a, B: b, C: c}"}},
        {"previous": None},
    ],
)
def test_it_is_not_asked_without_a_place_a_question_or_a_version(more: Mapping[str, object]) -> None:
    found, answers = values(**more)  # type: ignore[arg-type]  # each of its own parameter's type
    assert (found, answers.calls) == ({}, [])


# --- what phases share ----------------------------------------------------------------------------------


def test_what_a_run_has_shows_no_password_of_a_proxy() -> None:
    services = replace(run_of().run.services, environ={"https_proxy": "http://me:canary@proxy"})
    assert "canary" not in repr(services)


def test_a_warning_is_printed_and_kept() -> None:
    phases = run_of()
    phases.run.services.warn(say("prune.no_target"))
    assert phases.record.warnings == [say("prune.no_target")]
    assert phases.log == f"##[warning]{say('prune.no_target')}\n"


def test_without_the_projects_id_there_is_no_namespace() -> None:
    phases = run_of()
    assert phases.run.context.namespace("a" * 32) == PLACE
    for identity, user in ((None, ""), (Identity("lisi", "", "", say("rollout.ready"), ""), "lisi")):
        phases.record.identity = identity
        with pytest.raises(ProjectNotVisible) as raised:
            phases.run.context.namespace("")
        assert raised.value.fields == {
            "project": "web",
            "user": user,
            "message": say("deploy.project_id_unknown"),
            "is_unknown": False,
        }


def test_a_runs_policy_is_what_its_author_allows() -> None:
    inputs = {
        "overwrite_version": "true",
        "allow_route_removal": "true",
        "remove_branches": "old",
        "on_newer_build": "skip",
    }
    assert run_of(inputs=inputs).run.policy == Policy(
        overwrite_version=True,
        allow_route_removal=True,
        remove_branches=frozenset({"old"}),
        on_newer_build="skip",
    )
    assert run_of().run.policy == Policy()
    assert dict(run_of(inputs={"variables": "A: 1"}).run.context.variables) == {"A": "1"}


# --- the whole plan -------------------------------------------------------------------------------------


def told_version(version_id: str) -> dict[str, JsonValue]:
    """Return a version of the build of its own name."""
    text, build = Namespace.text_of(version_id), int(version_id.partition("@")[2])
    return {
        "id": version_id,
        "version": f"1.0.{build}-main",
        "content": text,
        "description": replace(OURS, build=build).line(text),
        "createAt": 1_767_000_000 + build,
    }


def site(*names: str, **answers: Answer) -> Namespace:
    """Return a folder with files of build 6."""
    namespace = Namespace([], {})
    spaces: JsonValue = [{"id": SPACE.id, "name": SPACE.name, "fav": False, "tags": []}]
    namespace.answers.update(
        {
            "get project": {"projectID": "a" * 32, "projectCode": "web"},
            "list spaces": spaces,
            "list files": [*rows(*((name, f"{name}@6") for name in names))],
            "get version": lambda call: told_version(call.segments[-1]),
            "list version names": [],
            "ask dialect": BcsTooOld(problem="p", oldest="o", status=404),
            **{name.replace("_", " "): answer for name, answer in answers.items()},
        }
    )
    return namespace


def planning(
    namespace: Namespace, *names: str, build: BuildInfo = BUILD, **inputs: str
) -> tuple[Phases, Planned]:
    """Plan to publish build 7's text of these files."""
    files = [(name, Namespace.text_of(f"{name}@7")) for name in names]
    phases = run_of(*files, build=build, inputs=inputs)
    return phases, plan_run(phases.run, namespace)


def test_a_plan_tells_what_the_folder_holds_and_what_would_change() -> None:
    phases, planned = planning(site("a.yaml", "b.yaml"), "a.yaml", "new.yaml")
    record = phases.record
    assert {one.name: one.action for one in planned.plan.changes} == {
        "a.yaml": "update",
        "new.yaml": "create",
    }
    assert (record.plan, [file.name for file in record.rendered]) == (planned.plan, ["a.yaml", "new.yaml"])
    assert (record.heading.console.space_id, record.heading.bcs) == (
        SPACE.id,
        releases(frozenset({Dialect.C})),
    )
    assert (planned.read_at, planned.existing.project_id) == (1000.0, "a" * 32)
    assert any("a.yaml" in line and "update" in line for line in phases.log.splitlines())


def test_a_folder_that_is_not_there_is_no_space_of_the_record() -> None:
    phases, planned = planning(site(list_spaces=[]), "a.yaml")
    assert (planned.plan.creates_space, phases.record.heading.console.space_id) == (True, "")


def test_what_the_namespace_gives_is_held_fast_by_the_plan_and_may_be_unknown() -> None:
    variables: Answer = {"vars": [{"key": "A", "value": "1"}]}

    def planned(answer: Answer) -> Planned:
        wanted = desired(("a.yaml", Namespace.text_of("a.yaml@7")))
        wanted = replace(
            wanted, files=tuple(replace(one, variables=frozenset({"A"})) for one in wanted.files)
        )
        phases = run_of(wanted=wanted, build=BUILD)
        return plan_run(phases.run, site("a.yaml", list_variables=answer))

    known, unknown = planned(variables), planned(NoPermission(user="lisi", message="no"))
    assert (known.variables, unknown.variables) == ({"A": "1"}, None)
    assert known.plan.digest != unknown.plan.digest
    assert planned({"vars": []}).plan.digest == unknown.plan.digest


def test_what_only_names_has_to_be_there() -> None:
    scope = Scope(("b.yaml",), ["a.yaml"])
    wanted = replace(desired(("a.yaml", Namespace.text_of("a.yaml@7"))), scope=scope)
    run = run_of(wanted=wanted, build=BUILD).run
    with pytest.raises(NothingNamed) as raised:
        plan_run(run, site("a.yaml"))
    assert len(raised.value.details) == 1


def test_ingresses_that_the_cluster_does_not_serve_so_stop_the_plan() -> None:
    run = run_of(("a.yaml", ROUTES), build=BUILD).run
    old: JsonValue = {"apiVersion": "extensions/v1beta1", "items": []}
    with pytest.raises(ManifestsInvalid):
        plan_run(run, site("a.yaml", list_Ingress={"manifest": old}))


HOST = "a.example.com"
DOMAIN = f"{{host: {HOST}, image: 'r/shop:1', port: 8080, load_balancers: [lb-1], branch_paths: true}}"


def test_what_other_branches_serve_has_to_go_with_what_the_run_renders() -> None:
    """The path of a branch that is served already is one that another file of this run brings along."""
    ours = prepared(Path(), "builtin:web", values=f"{{app: shop, domains: [{DOMAIN}]}}", branch="dev")
    own, theirs = ours.claim, Claim("/x/", "x", "p-9", 3, "zhaoliu")

    def shared_by(*claims: Claim) -> str:
        paths = (
            ServedPath(claim.path, "Prefix", "service-shop-a-example-com", 8080, claim) for claim in claims
        )
        (file,) = render_routes(ours, {HOST: {f"ingress-{HOST}-0": tuple(paths)}})
        return file.text

    def planned(path: str) -> None:
        other = shared_by(theirs._replace(path=path)).replace("service-shop-", "other-").replace("-0", "-1")
        wanted = desired((name, shared_by(own)), ("other.yaml", other))
        plan_run(replace(run_of(wanted=wanted, build=BUILD).run, prepared=ours), namespace)

    name = f"{HOST}.routes.yaml"
    held: Answer = {**told_version("r.yaml@6"), "content": shared_by(theirs)}
    namespace = site(name, get_version=held, list_versions=[])
    planned("/y/")
    with pytest.raises(FilesMistaken) as raised:
        planned("/x/")
    assert f"{HOST}/x/" in str(raised.value.details[0])


@pytest.mark.parametrize(
    ("build", "inputs", "may_exist"),
    [
        (BUILD, {}, False),
        (replace(BUILD, is_retried=True), {}, True),
        (replace(BUILD, started_at=0), {}, True),
        (BUILD, {"overwrite_version": "true"}, True),
    ],
)
def test_whether_this_builds_version_can_be_there_is_asked_where_it_can(
    build: BuildInfo, inputs: Mapping[str, str], *, may_exist: bool
) -> None:
    namespace = site("a.yaml")
    planning(namespace, "a.yaml", build=build, **inputs)
    assert any(call.startswith(("find version", "list version")) for call in namespace.calls) == may_exist
