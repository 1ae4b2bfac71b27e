"""What each check of `doctor` makes of what was seen, and which checks wait for which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional

import pytest
from tests.support.phases import CLUSTER, NAMESPACE, Answer, Answers, Phases, rows, run_of
from tests.support.pieces import URL, app_principal, token_principal

from bcs_template_set.bcs.calls import JsonValue
from bcs_template_set.bcs.dialect import Dialect
from bcs_template_set.config.principal import Principal
from bcs_template_set.config.regions import Endpoint
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import (
    AccessRefused,
    AppNotGranted,
    AuthenticationRefused,
    ClusterNotVisible,
    CredentialUnusable,
    NobodyArrived,
    NoCredentials,
    NoPermission,
    OwnerMismatch,
    PrivateSettingsInvalid,
    ProjectNotVisible,
    TokenRefused,
)
from bcs_template_set.messages.server_errors import (
    BcsFailed,
    BcsTooOld,
    CertificateExpired,
    GatewayFailed,
    NoSuchPath,
    OutOfTime,
    RateLimited,
    Unreachable,
)
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.report.examination import Finding, lines_of
from bcs_template_set.run.doctor import doctor_run, examine, without_settings
from bcs_template_set.run.doctor_exam import Exam, Probe, home_of
from bcs_template_set.system.http_values import HttpAnswer, NoAnswer
from bcs_template_set.system.parallel import Done, Raised

IP = "http://127.0.0.1:8080/prod"
NO = NoPermission(user="lisi", message="no")
DOWN = GatewayFailed(url="u", status=502, message="m")
AT = 1_767_225_600.0
DATE = {"date": "Thu, 01 Jan 2026 00:00:00 GMT"}

SITE: Mapping[str, Answer] = {
    "get project": {"projectID": "a" * 32, "projectCode": "web"},
    "list spaces": [{"id": "5" * 24, "name": "front-ends", "fav": False, "tags": []}],
    "list files": [*rows(("a.yaml", "1"))],
    "ask dialect": BcsTooOld(problem="p", oldest="v1.30"),
    "list clusters": [{"clusterID": CLUSTER}],
    "get release": {"version": "v1.30.4"},
    "list namespaces": {"manifest": {"items": [{"metadata": {"name": NAMESPACE}}]}},
    "list Deployment": {"manifest": {"items": []}},
    "may deploy": None,
    "get chart version": {"name": "web", "version": "1.0.0"},
}
"""A site where all is well."""


class Examined(Exam):
    """An examination whose addresses answer as they are told."""

    probes: Mapping[Endpoint, Optional[StepError]]

    def probe_at(self, endpoint: Endpoint) -> Probe:
        """Return what another address answers to nobody."""
        error = self.probes.get(endpoint, NoSuchPath(url="u", message="m"))
        return Probe(endpoint, NoAnswer("x"), error, AT)


def probe(
    error: Optional[StepError] = None, *, headers: Mapping[str, str] = DATE, ahead: float = 0.0, tls: str = ""
) -> Probe:
    """Return what the region's address answers to nobody."""
    return Probe(
        Endpoint(gateway=IP), HttpAnswer(401, headers, b"", tls=tls, valid_until=AT), error, AT + ahead
    )


def exam_of(
    site: Mapping[str, Answer] = SITE,
    *,
    seen: Optional[Probe] = None,
    others: Optional[Mapping[Endpoint, Optional[StepError]]] = None,
    who: Principal | StepError | None = None,
    endpoint: Optional[Endpoint] = None,
    owner: str = "",
    workspace: Path = Path("/tmp"),  # noqa: S108 - only looked at
    inputs: Optional[Mapping[str, str]] = None,
) -> Examined:
    """Return an examination of a site, by a user, at an address."""
    context = run_of(inputs={"action": "doctor", **(inputs or {})}).run.context
    region = replace(context.region, endpoint=endpoint or Endpoint(gateway=IP), owner=owner)
    services = replace(context.services, workspace=workspace)
    context = replace(context, region=region, services=services)
    exam = Examined(services)
    reader = Answers({**SITE, **site})
    exam.probes = others or {}
    found = who or app_principal()
    vars(exam).update(
        asked=Done((context.settings, region)),
        context=Done(context),
        principal=Raised(found) if isinstance(found, StepError) else Done(found),
        probe=seen or probe(),
        reader=reader,
    )
    return exam


def examined(*args: Any, **more: Any) -> dict[str, Finding]:  # noqa: ANN401 - those of exam_of
    """Return what every check has found."""
    return {finding.id: finding for finding in examine(exam_of(*args, **more))}


def told(found: Mapping[str, Finding], check: str) -> Text:
    """Return what a check says that did not fail."""
    what = found[check].what
    assert isinstance(what, Text), f"{check}: {what}"
    return what


def error_of(found: Mapping[str, Finding], check: str) -> StepError:
    """Return why a check failed."""
    error = found[check].error
    assert error is not None, f"{check}: {found[check].what}"
    return error


def states(found: Mapping[str, Finding], *but: str) -> dict[str, str]:
    """Return how each check ended that is not in order."""
    return {name: each.state for name, each in found.items() if each.state != "ok" and name not in but}


VALUES = {"values": "skipped"}


def test_where_all_is_well_each_check_says_what_it_saw() -> None:
    found = examined()
    assert states(found) == VALUES
    assert told(found, "settings") == say("log.target", region="gz", project="web", space="front-ends")
    principal = app_principal()
    assert told(found, "user") == say("log.acting_user", name="lisi", reason=principal.reason)
    assert told(found, "app") == say("doctor.app", app="my_app", owner="")
    assert told(found, "machine") == say("doctor.machine")
    assert told(found, "name") == say("doctor.resolved", host="127.0.0.1", addresses=["127.0.0.1"])
    assert told(found, "connection") == say("doctor.plain", host="127.0.0.1:8080")
    assert told(found, "gateway") == say("doctor.gateway")
    assert told(found, "prefix") == say("doctor.prefix", prefix="/v4")
    assert told(found, "secret") == say("doctor.secret")
    services = [say(f"doctor.service_{name}") for name in ("projects", "templates", "workloads")]
    assert told(found, "grants") == say("doctor.granted", services=services)
    assert told(found, "passed") == say("doctor.passed", user="lisi")
    assert told(found, "project") == say("doctor.project", code="web", id="a" * 32)
    assert told(found, "folder") == say("doctor.folder", name="front-ends", files=1)
    assert told(found, "bcs").key == "doctor.release"
    assert told(found, "cluster") == say("doctor.cluster_own", cluster=CLUSTER, project="web")
    assert told(found, "namespace") == say("doctor.namespace", namespace=NAMESPACE)
    assert told(found, "view") == say("doctor.view", user="lisi")
    assert told(found, "deploy") == say("deploy.may_deploy", namespace=NAMESPACE, cluster=CLUSTER)
    assert "template_set" not in found


# --- what is asked for, and who asks --------------------------------------------------------------------


@pytest.mark.parametrize("inputs", [{}, {"values": "  \n"}])
def test_without_values_nothing_is_rendered(inputs: Mapping[str, str]) -> None:
    assert told(examined(inputs=inputs), "values") == say("doctor.no_values")


@pytest.mark.parametrize(
    "inputs", [{"values": "a: 1"}, {"values_files": "a.yaml"}, {"templates": "manifests/*.yaml"}]
)
def test_with_values_or_templates_who_acts_has_to_be_known(inputs: Mapping[str, str]) -> None:
    exam = exam_of(inputs=inputs)
    vars(exam)["context"] = Raised(NO)
    found = {finding.id: finding for finding in examine(exam)}
    assert (found["values"].state, told(found, "values")) == ("skipped", waits("user"))


def test_what_the_values_render_is_counted_with_its_warnings(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: b}\n")
    inputs = {
        "templates": "builtin:web\na.yaml",
        "values": "app: nginx\ndomains: [{host: a.example.com, image: 'example.com/a:latest'}]",
        "variables": "A: '1'",
    }
    found = examined(workspace=tmp_path, inputs=inputs)
    assert told(found, "values") == say("doctor.values", files=4, domains=1, given=1, warnings=1)


def waits(check: str) -> Text:
    return say("doctor.waits", name=say(f"doctor.name_{check}"))


def test_an_app_says_whose_it_is_and_a_token_stands_for_itself() -> None:
    assert told(examined(owner="zhangsan"), "app") == say("doctor.app_of", app="my_app", owner="zhangsan")
    found = examined(who=token_principal())
    assert told(found, "app") == say("doctor.token", credential="my_token")
    assert told(found, "passed") == say("doctor.passed_token", user="")


def test_what_is_wrong_with_the_app_is_told_there_and_the_user_is_named_all_the_same() -> None:
    mismatch = OwnerMismatch(app_code="a", owner="zhangsan", user="wangwu", run_as="starter", region="gz")
    found = examined(who=mismatch)
    assert told(found, "user") == say("doctor.named", name="wangwu")
    assert error_of(found, "app") is mismatch
    assert told(found, "secret") == waits("app")
    unusable = examined(who=CredentialUnusable(credential="c", problem="p"))
    assert (unusable["user"].state, told(unusable, "user")) == ("skipped", waits("app"))
    assert unusable["app"].state == "failed"
    nobody = OwnerMismatch(app_code="a", owner="zhangsan", user="", run_as="starter", region="gz")
    assert told(examined(who=nobody), "user") == waits("app")


@pytest.mark.parametrize(
    ("kind", "home"),
    [
        (OwnerMismatch, "app"),
        (NoCredentials, "app"),
        (CredentialUnusable, "app"),
        (AuthenticationRefused, "secret"),
        (TokenRefused, "secret"),
        (AppNotGranted, "grants"),
        (AccessRefused, "grants"),
        (NoSuchPath, "grants"),
        (NobodyArrived, "passed"),
        (NoPermission, "project"),
        (ProjectNotVisible, "project"),
        (BcsTooOld, "bcs"),
        (ClusterNotVisible, "cluster"),
        (GatewayFailed, None),
    ],
)
def test_an_error_is_told_by_the_check_that_it_belongs_to(kind: type[StepError], home: Optional[str]) -> None:
    error = kind.__new__(kind)
    assert home_of(error) == home


def test_what_is_wrong_with_the_user_is_told_there_and_the_app_waits() -> None:
    found = examined(who=NO)
    assert error_of(found, "user") is NO
    assert (found["app"].state, told(found, "app")) == ("skipped", waits("user"))
    defect = exam_of()
    vars(defect)["principal"] = Raised(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        examine(defect)


def test_a_workspace_that_can_not_be_written_to_fails(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = examined(workspace=tmp_path / "file")
    error = error_of(found, "machine")
    assert error.fields == {"file": str(tmp_path / "file"), "problem": say("doctor.not_writable")}


@pytest.mark.parametrize(
    ("ahead", "problem"),
    [
        (60.0, None),
        (-60.0, None),
        (60.5, say("doctor.ahead", seconds=60)),
        (-60.5, say("doctor.behind", seconds=60)),
    ],
)
def test_a_clock_may_differ_by_a_minute(ahead: float, problem: Optional[Text]) -> None:
    found = examined(seen=probe(ahead=ahead))
    if problem is None:
        assert told(found, "machine") == say("doctor.machine")
    else:
        assert error_of(found, "machine").fields["problem"] == problem


@pytest.mark.parametrize(
    "seen",
    [
        probe(headers={}),
        probe(headers={"date": "soon"}),
        Probe(Endpoint(gateway=IP), NoAnswer("x"), DOWN, AT),
    ],
)
def test_without_a_date_nothing_is_known_of_the_clock(seen: Probe) -> None:
    found = examined(seen=seen)
    assert (found["machine"].state, told(found, "machine")) == ("unknown", say("doctor.no_date"))


# --- the way to the gateway -----------------------------------------------------------------------------


def test_a_gateway_behind_a_proxy_is_not_resolved_here() -> None:
    endpoint = Endpoint(gateway=URL, proxy="http://me:canary@proxy.example.com:3128")
    told_name = told(examined(endpoint=endpoint), "name")
    assert told_name == say("doctor.by_proxy", proxy="http://proxy.example.com:3128")


def test_a_name_that_leads_nowhere_is_why_nothing_answers() -> None:
    nowhere = Endpoint(gateway="http://a..b/prod")
    gone = Unreachable(url="u", problem="p")
    silent = Probe(nowhere, NoAnswer("x"), gone, AT)
    found = examined(endpoint=nowhere, seen=silent)
    assert error_of(found, "name") is gone
    behind = {name: told(found, name) for name in ("connection", "gateway", "prefix", "secret", "deploy")}
    assert behind == dict.fromkeys(behind, waits("name"))
    there = examined(endpoint=nowhere, seen=replace(probe(), endpoint=nowhere))
    assert told(there, "name") == say("doctor.resolved", host="a..b", addresses=[])


def test_how_the_gateway_is_reached_is_told_with_its_certificate() -> None:
    seen = probe(tls="TLSv1.3")
    assert told(examined(seen=seen), "connection") == say(
        "doctor.tls", host="127.0.0.1:8080", tls="TLSv1.3", until="2026-01-01 00:00 UTC"
    )


SILENT = Unreachable(url="u", problem="p")


@pytest.mark.parametrize(
    ("there", "is_told"),
    [
        (None, True),
        (NO, True),
        (CertificateExpired(url="u", problem="p"), True),
        (SILENT, False),
        (DOWN, False),
    ],
)
def test_the_other_scheme_is_named_where_it_leads_to_a_gateway(
    there: Optional[StepError], *, is_told: bool
) -> None:
    for given, found_at in (("http", "https"), ("https", "http")):
        error = Unreachable(url="u", problem="p")
        endpoint = Endpoint(gateway=f"{given}://127.0.0.1:8080/prod")
        other = Endpoint(gateway=f"{found_at}://127.0.0.1:8080/prod")
        silent = Probe(endpoint, NoAnswer("x"), error, AT)
        found = examined(endpoint=endpoint, seen=silent, others={other: there})
        expected = [say("doctor.other_scheme", given=given, found=found_at, region="gz")]
        assert error_of(found, "connection") is error
        assert [*error.details] == (expected if is_told else [])


def test_a_certificate_that_is_refused_is_no_reason_to_do_without() -> None:
    error = CertificateExpired(url="u", problem="p")
    endpoint = Endpoint(gateway="https://127.0.0.1:8080/prod")
    silent = Probe(endpoint, NoAnswer("x"), error, AT)
    found = examined(endpoint=endpoint, seen=silent, others={Endpoint(gateway=IP): None})
    assert [*error_of(found, "connection").details] == []


def test_what_answers_and_is_no_gateway_fails_with_the_scheme_that_leads_to_one() -> None:
    error = GatewayFailed(url="u", status=400, message="m")
    other = Endpoint(gateway=IP.replace("http", "https"))
    found = examined(seen=probe(error), others={other: None})
    assert (found["connection"].state, error_of(found, "gateway")) == ("ok", error)
    assert len(error.details) == 1
    straight = Endpoint(gateway=IP, path_prefix="/bcsapi/v4")
    assert told(examined(endpoint=straight), "gateway") == say("doctor.straight")


@pytest.mark.parametrize("others", ["", "/bcsapi/v4"])
def test_a_prefix_that_leads_nowhere_names_the_one_that_leads_to_bcs(others: str) -> None:
    error = NoSuchPath(url="u", message="m")
    found = examined(
        seen=probe(error),
        others={Endpoint(gateway=IP, path_prefix=others): AuthenticationRefused(message="m")},
    )
    assert found["gateway"].state == "ok"
    assert error_of(found, "prefix") is error
    assert [*error.details] == [say("doctor.other_prefix", given="/v4", found=others, region="gz")]


def test_a_prefix_that_leads_nowhere_names_none_where_none_does() -> None:
    error = NoSuchPath(url="u", message="m")
    found = examined(seen=probe(error), others={})
    assert [*error_of(found, "prefix").details] == []
    itself = examined(seen=probe(error), others={Endpoint(gateway=IP): None})
    assert [*error_of(itself, "prefix").details] == []


@pytest.mark.parametrize("error", [NO, RateLimited(message="m"), BcsFailed(bcs_code=1, message="m")])
def test_who_asks_who_is_there_is_bcs(error: StepError) -> None:
    found = examined(seen=probe(error))
    assert {found[name].state for name in ("connection", "gateway", "prefix")} == {"ok"}


# --- what bcs says --------------------------------------------------------------------------------------

EVERYTHING = ("get project", "list spaces", "list files", "ask dialect", "list namespaces", "list Deployment")


def all_say(error: Answer) -> dict[str, Answer]:
    """Return a site that answers all that a run asks with an error."""
    return dict.fromkeys((*EVERYTHING, "may deploy"), error)


def test_a_secret_that_is_refused_is_told_once_and_all_behind_it_waits() -> None:
    refused = AuthenticationRefused(message="m")
    found = examined(all_say(refused))
    assert error_of(found, "secret") is refused
    behind = [name for name in found if found[name].state == "skipped" and name != "values"]
    assert behind == [
        "grants",
        "passed",
        "project",
        "folder",
        "bcs",
        "cluster",
        "namespace",
        "view",
        "deploy",
    ]
    assert {str(told(found, name)) for name in behind} == {str(waits("secret"))}


def test_a_secret_that_one_service_refuses_says_nothing_sure_of_the_releases() -> None:
    found = examined({"get project": AuthenticationRefused(message="m")})
    assert told(found, "bcs") == waits("secret")


def test_where_nobody_says_anything_of_the_secret_bcs_is_what_failed() -> None:
    found = examined(all_say(DOWN))
    assert told(found, "secret") == waits("bcs")
    assert error_of(found, "bcs") is DOWN
    assert told(found, "grants") == waits("bcs")


def test_an_app_without_a_grant_is_accepted_and_named_with_the_service() -> None:
    refused = AppNotGranted(app_code="my_app", message="m")
    found = examined({"list namespaces": refused, "list Deployment": refused})
    assert found["secret"].state == "ok"
    error = error_of(found, "grants")
    services = [say("doctor.service_workloads")]
    assert [*error.details] == [say("doctor.not_granted", services=services)]
    assert told(found, "namespace") == told(found, "view") == waits("grants")
    alone = examined(all_say(AppNotGranted(app_code="my_app", message="m")))
    assert (alone["secret"].state, alone["grants"].state) == ("ok", "failed")


def test_a_grant_that_nobody_asked_for_tells_nothing() -> None:
    found = examined({"list namespaces": DOWN, "list Deployment": DOWN})
    services = [say(f"doctor.service_{name}") for name in ("projects", "templates")]
    assert told(found, "grants") == say("doctor.granted", services=services)


def test_that_nobody_arrives_is_told_once() -> None:
    nobody = NobodyArrived(app_code="my_app", user="lisi")
    found = examined({"list spaces": nobody})
    assert error_of(found, "passed") is nobody
    assert told(found, "project") == told(found, "folder") == waits("passed")


def test_where_templates_can_not_be_asked_that_is_why_it_is_not_known_who_arrives() -> None:
    found = examined({"list spaces": DOWN})
    assert error_of(found, "passed") is DOWN
    assert told(found, "folder") == waits("passed")


def test_a_project_that_is_not_seen_is_told_there_and_what_needs_its_id_waits() -> None:
    unseen = ProjectNotVisible(project="web", user="lisi", message="m")
    found = examined({"get project": unseen})
    assert error_of(found, "project") is unseen
    assert told(found, "namespace") == told(found, "view") == waits("project")
    assert found["folder"].state == "ok"
    assert {"list namespaces", "list Deployment", "list clusters"}.isdisjoint(asked({"get project": unseen}))


def asked(site: Mapping[str, Answer], **inputs: str) -> set[str]:
    """Return the names of what an examination of a site asks."""
    exam = exam_of(site, inputs=inputs)
    examine(exam)
    reader = exam.reader
    assert isinstance(reader, Answers)
    return {call.rpartition(" ")[0] for call in reader.calls}


def test_only_what_there_is_something_to_know_of_is_asked_for() -> None:
    whole = asked({})
    assert whole == {name for name in SITE if name not in ("ask dialect", "get chart version")}
    assert asked({"list spaces": []}) == (whole | {"ask dialect"}) - {"list files"}
    assert asked({"list spaces": DOWN}) == whole - {"list files", "get release"}
    nowhere = {"list namespaces", "list Deployment", "may deploy"}
    assert asked({}, cluster_id="", namespace="") == whole - nowhere
    assert asked({}, template_set="web", version="1.0.0") == whole | {"get chart version"}


def test_a_folder_that_is_not_there_will_be_made_if_its_name_can_be() -> None:
    found = examined({"list spaces": []})
    assert told(found, "folder") == say("log.creates_space", space="front-ends")
    exam = exam_of({"list spaces": []}, inputs={"template_space": "a:b"})
    exam.reader.site.learn(frozenset({Dialect.B}))
    named = {finding.id: finding for finding in examine(exam)}
    assert named["folder"].state == "failed"
    assert len(error_of(named, "folder").details) == 1


def test_a_folder_whose_files_can_not_be_listed_fails() -> None:
    found = examined({"list files": DOWN})
    assert error_of(found, "folder") is DOWN
    told_already = examined({"get project": NO, "list files": NO})
    assert error_of(told_already, "project") is NO
    assert told(told_already, "folder") == waits("project")


def test_which_releases_answer_is_told_as_far_as_they_say() -> None:
    unstamped = examined({"get release": {"version": ""}})
    assert told(unstamped, "bcs").key in ("bcs.since", "bcs.range")
    unasked = examined({"get release": DOWN})
    assert told(unasked, "bcs").key in ("bcs.since", "bcs.range")
    silent: JsonValue = []
    nothing = examined({"list files": silent, "ask dialect": NoSuchPath(url="u", message="m")})
    assert (nothing["bcs"].state, told(nothing, "bcs")) == ("unknown", say("doctor.no_release"))


def test_a_bcs_that_is_too_old_is_told_there_whoever_met_it() -> None:
    old = BcsTooOld(problem="p", oldest="v1.30")
    for site in ({"list spaces": old}, {"list files": old}):
        found = examined(site)
        assert error_of(found, "bcs") is old


def test_where_folders_can_not_be_asked_for_the_releases_wait_for_that() -> None:
    assert told(examined({"list spaces": NO}), "bcs") == waits("folder")


CLUSTERS: Sequence[tuple[JsonValue, str]] = [
    ([{"clusterID": CLUSTER}], "doctor.cluster_own"),
    ([{"clusterID": "x"}, {"clusterID": CLUSTER, "is_shared": True}], "doctor.cluster_shared"),
    ([{"clusterID": "x"}], "doctor.cluster"),
    ([], "doctor.cluster"),
]


@pytest.mark.parametrize(("clusters", "key"), CLUSTERS)
def test_a_cluster_is_shared_or_the_projects_own_as_far_as_that_is_known(
    clusters: JsonValue, key: str
) -> None:
    assert told(examined({"list clusters": clusters}), "cluster").key == key


def test_whose_a_cluster_is_nobody_says_where_the_list_is_refused() -> None:
    assert told(examined({"list clusters": NO}), "cluster").key == "doctor.cluster"


def test_without_a_cluster_those_are_named_that_there_are() -> None:
    both: JsonValue = [{"clusterID": CLUSTER}, {"clusterID": "BCS-K8S-1", "is_shared": True}]
    nowhere = {"cluster_id": "", "namespace": ""}
    found = examined({"list clusters": both}, inputs=nowhere)
    names = [CLUSTER, say("doctor.shared", cluster="BCS-K8S-1")]
    clusters = [say("doctor.clusters", names=names)]
    assert (found["cluster"].state, told(found, "cluster")) == (
        "skipped",
        say("doctor.no_target", known=clusters),
    )
    assert told(found, "namespace") == told(found, "deploy") == waits("cluster")
    unknown = examined({"list clusters": DOWN}, inputs=nowhere)
    assert told(unknown, "cluster") == say("doctor.no_target", known=[])


def test_a_cluster_that_is_not_the_projects_is_told_with_those_that_are() -> None:
    other = ProjectNotVisible(project="web", user="lisi", message="m")
    found = examined({"list namespaces": other, "list Deployment": other, "may deploy": other})
    error = error_of(found, "cluster")
    assert error.fields["cluster"] == CLUSTER
    assert [*error.details] == [say("doctor.clusters", names=[CLUSTER])]


def test_that_a_user_may_not_look_shows_that_the_cluster_is_there() -> None:
    found = examined({"list namespaces": NO, "list Deployment": NO, "may deploy": NO})
    assert found["cluster"].state == "ok"
    assert found["namespace"].state == "unknown"
    assert told(found, "namespace") == say("doctor.unread", why=NO.title())


def test_where_nothing_answers_for_a_cluster_that_is_why_it_is_not_known() -> None:
    found = examined({"list namespaces": DOWN, "list Deployment": DOWN, "may deploy": DOWN})
    assert error_of(found, "cluster") is DOWN
    idless = examined({"get project": NO, "may deploy": DOWN})
    assert error_of(idless, "cluster") is DOWN


def test_without_project_and_folder_the_cluster_waits() -> None:
    found = examined({"get project": DOWN, "list files": DOWN, "may deploy": NO})
    assert (found["project"].state, found["folder"].state) == ("failed", "failed")
    assert told(found, "cluster") == waits("project")
    assert examined({"get project": DOWN, "may deploy": NO})["cluster"].state == "ok"
    assert examined({"list files": DOWN, "may deploy": NO})["cluster"].state == "ok"


def test_a_namespace_that_is_not_there_is_told_with_the_nearest() -> None:
    others: JsonValue = {"manifest": {"items": [{"metadata": {"name": "prod2"}}]}}
    found = examined({"list namespaces": others})
    error = error_of(found, "namespace")
    assert (error.fields["namespace"], error.fields["cluster"]) == (NAMESPACE, CLUSTER)
    assert told(found, "view") == told(found, "deploy") == waits("namespace")
    empty = examined({"list namespaces": {"manifest": {"items": []}}})
    assert (empty["namespace"].state, told(empty, "namespace")) == ("unknown", say("doctor.no_namespaces"))
    missing = BcsTooOld(problem="p", oldest="v1.30")
    assert told(examined({"list namespaces": missing}), "namespace") == say(
        "doctor.unread", why=missing.title()
    )
    ungranted = NoSuchPath(url="u", message="m")
    assert told(examined({"list namespaces": ungranted}), "namespace") == waits("grants")


def test_who_may_not_look_or_deploy_is_told_that() -> None:
    found = examined({"list Deployment": DOWN})
    assert error_of(found, "view") is DOWN
    found = examined({"may deploy": DOWN})
    assert error_of(found, "deploy") is DOWN


def test_the_chart_repository_is_asked_for_whoever_wants_a_template_set() -> None:
    wanted = {"template_set": "web", "version": "1.0.0"}
    found = examined(inputs=wanted)
    assert told(found, "template_set") == say("doctor.chart", name="web")
    failed = BcsFailed(bcs_code=1, message="no")
    unknown = examined({"get chart version": failed}, inputs=wanted)
    assert unknown["template_set"].state == "unknown"
    refused = AppNotGranted(app_code="my_app", message="m")
    grants = error_of(examined({"get chart version": refused}, inputs=wanted), "grants")
    assert [*grants.details] == [say("doctor.not_granted", services=[say("doctor.service_charts")])]
    assert told(unknown, "template_set") == say("doctor.no_chart", why=failed.title())


# --- who waits for whom ---------------------------------------------------------------------------------


def test_what_there_was_no_time_for_is_not_known() -> None:
    found = examined({"may deploy": OutOfTime(seconds=9)})
    assert (found["deploy"].state, told(found, "deploy")) == ("unknown", say("doctor.no_time", seconds=9))


def test_where_the_settings_can_not_be_read_all_else_waits_for_them() -> None:
    error = PrivateSettingsInvalid(details=[])
    exam = exam_of()
    vars(exam)["asked"] = Raised(error)
    found = {finding.id: finding for finding in examine(exam)}
    assert error_of(found, "settings") is error
    waiting = {name for name, each in found.items() if each.state == "skipped"}
    assert waiting == found.keys() - {"settings", "machine"}
    assert found["machine"].state == "unknown"
    known = {finding.id: finding for finding in without_settings(error)}
    assert list(known) == list(found)
    assert (known["settings"].state, error_of(known, "settings")) == ("failed", error)
    assert {str(told(known, name)) for name in known if name != "settings"} == {str(waits("settings"))}


# --- as a step ------------------------------------------------------------------------------------------


def ran(exam: Examined) -> tuple[Optional[StepError], Phases]:
    """Examine as a step; return its error, and what it has told."""
    phases = run_of(inputs={"action": "doctor"})
    vars(exam)["services"] = replace(phases.run.services, workspace=Path("/tmp"))  # noqa: S108 - only looked at
    if isinstance(exam.context, Done):
        vars(exam)["context"] = Done(replace(exam.context.value, services=exam.services))
    try:
        assert doctor_run(phases.run.services, exam_of=lambda _: exam) == "checked"
    except StepError as exc:
        return exc, phases
    return None, phases


def test_a_step_tells_each_check_and_ends_with_the_first_failure() -> None:
    error, phases = ran(exam_of())
    record, lines = phases.record, phases.log.splitlines()
    assert (error, record.gone_well, record.heading.action) == (None, ["doctor"], "doctor")
    assert [finding.id for finding in record.findings] == list(examined())
    assert len(lines) > len(record.findings) + 1, "who acts, and for what, is said first"
    assert lines[-len(record.findings) - 1 :] == lines_of(record.findings, "en_US")
    failed, phases = ran(exam_of({"may deploy": DOWN}))
    assert failed is DOWN
    assert len(phases.record.findings) == len(record.findings)


def test_a_step_without_a_user_examines_all_the_same() -> None:
    error, phases = ran(exam_of(who=NO))
    assert error is NO
    assert phases.log.splitlines() == lines_of(phases.record.findings, "en_US")
