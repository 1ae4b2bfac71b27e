"""What is asked of a folder and a namespace to tell what is live, and what each answer comes to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

import pytest
from tests.support.objects import Object
from tests.support.small_namespace import SPACE, SmallNamespace, body, id_of, marked

from bcs_template_set.bcs.answers import TemplateFile
from bcs_template_set.bcs.calls import JsonValue
from bcs_template_set.bcs.space.existing import VersionRef
from bcs_template_set.manifests.fields import mapping_at
from bcs_template_set.manifests.kinds import LISTED
from bcs_template_set.messages.errors import NoPermission
from bcs_template_set.messages.server_errors import BcsFailed, GatewayFailed
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.rollout.domain_status import FileHere, Undone, WorkloadHere
from bcs_template_set.rollout.drift import Drift
from bcs_template_set.rollout.read_status import MOST_WHOLE, Status, look_at_versions, read_status

REFUSED = NoPermission(user="lisi", message="m")
DOWN = GatewayFailed(url="u", status=504, message="m")
LISTS = [f"list {kind.name}" for kind in LISTED] + ["list ReplicaSet", "list Pod"]


def file(name: str = "a.yaml", version: str = "7") -> TemplateFile:
    """Return a file of the folder that points at a version."""
    return TemplateFile(
        id=name,
        name=name,
        real_name=name,
        version=version,
        version_id=id_of(name, version) if version else "",
        version_mode=0,
    )


def refuse(bcs: SmallNamespace, *names: str, error: StepError = REFUSED) -> None:
    """Have these calls fail."""

    def fail() -> None:
        raise error

    bcs.before.update(dict.fromkeys(names, fail))


def status(bcs: SmallNamespace, *files: TemplateFile, **variables: str) -> Status:
    return read_status(bcs, bcs.deploying(variables), files or [file()])


def here(bcs: SmallNamespace, **variables: str) -> FileHere:
    """Return what is live of `a.yaml`."""
    (domain,) = status(bcs, **variables).domains
    (found,) = domain.files
    return found


def asked(bcs: SmallNamespace) -> list[str]:
    """Return the calls beside the lists that each look begins with."""
    return [name for name in bcs.calls if name not in LISTS]


# --- versions -------------------------------------------------------------------------------------------

MAP, OLD_MAP = body("ConfigMap", "c", data={"a": "7"}), body("ConfigMap", "c", data={"a": "6"})


def two_versions() -> SmallNamespace:
    """Return a namespace that knows versions 6 and 7 of `a.yaml`, of which nothing is live."""
    bcs = SmallNamespace()
    bcs.holds("a.yaml", "6", OLD_MAP)
    bcs.holds("a.yaml", "7", MAP)
    return bcs


def test_what_is_live_as_published_takes_lists_and_one_dry_run() -> None:
    bcs = two_versions()
    bcs.live["ConfigMap/c"] = marked(MAP, "a.yaml", "7")
    bcs.live["ConfigMap/other"] = marked(body("ConfigMap", "other"), "b.yaml", "3")
    found = status(bcs)
    (domain,) = found.domains
    assert (domain.standing, domain.drift, domain.versions) == ("live", "same", ("7",))
    assert found.refs == {("a.yaml", "7"): VersionRef(id_of("a.yaml", "7"), "7", 0)}
    assert sorted(bcs.calls) == sorted([*LISTS, "list variables", "preview"])
    assert bcs.asked == [["a.yaml@7"]]


def test_the_version_that_is_live_is_looked_up_by_name_where_the_file_points_at_another() -> None:
    bcs = two_versions()
    bcs.live["ConfigMap/c"] = marked(OLD_MAP, "a.yaml", "6")
    found = here(bcs)
    assert (found.standing, found.versions, found.changed) == ("live", (("6", ("ConfigMap/c",)),), ())
    assert (asked(bcs), bcs.asked) == (["find version", "list variables", "preview"], [["a.yaml@6"]])


def test_of_what_is_not_live_the_current_version_is_looked_at_where_there_is_one() -> None:
    bcs = two_versions()
    assert (here(bcs).standing, bcs.asked) == ("not-here", [["a.yaml@7"]])
    bcs.calls.clear()
    (domain,) = status(bcs, file(version="")).domains
    assert (domain.standing, asked(bcs)) == ("not-here", [])


@pytest.mark.parametrize(
    ("version", "error", "keys", "asks"),
    [
        ("5", None, "status.version_gone", 1),
        ("5", REFUSED, REFUSED.title().key, 1),
        ("", None, "status.version_gone", 0),
    ],
)
def test_a_version_that_nobody_finds_is_not_known_and_why(
    version: str, error: Optional[StepError], keys: str, asks: int
) -> None:
    bcs = two_versions()
    bcs.live["ConfigMap/c"] = marked(OLD_MAP, "a.yaml", version)
    if error is not None:
        refuse(bcs, "find version", error=error)
    found = here(bcs)
    assert [getattr(why.fields["problem"], "key", None) for why in found.why] == [keys]
    assert (found.standing, found.drift, bcs.count("find version"), bcs.asked) == ("live", (), asks, [])


def test_versions_of_several_files_are_looked_at_together() -> None:
    bcs = SmallNamespace()
    for name in "abc":
        bcs.has(bcs.holds(f"{name}.yaml", "7", body("ConfigMap", name), body("Service", name)))
    found = status(bcs, *(file(f"{name}.yaml") for name in "cab"))
    assert [domain.name for domain in found.domains] == ["a.yaml", "b.yaml", "c.yaml"]
    assert {domain.drift for domain in found.domains} == {"same"}
    assert [len(domain.files[0].drift) for domain in found.domains] == [2, 2, 2]
    assert bcs.asked == [["c.yaml@7", "a.yaml@7", "b.yaml@7"]]


@pytest.mark.parametrize(
    ("problem", "known", "dry_runs"), [(BcsFailed(bcs_code=1, message="m"), True, True), (DOWN, False, False)]
)
def test_a_version_whose_variables_nobody_can_tell_costs_no_other_unless_nobody_answers(
    problem: StepError, *, known: bool, dry_runs: bool
) -> None:
    bcs = SmallNamespace()
    versions = [bcs.holds(f"{name}.yaml", "7", body("ConfigMap", name)) for name in "ab"]
    for version in versions:
        bcs.has(version)
    bcs.broken = {versions[0].version_id: problem}
    first, second = status(bcs, file("a.yaml"), file("b.yaml")).domains
    assert [why.fields["problem"] for why in first.files[0].why] == [problem.title()]
    assert (second.drift == "same") is known
    assert bcs.asked == ([["b.yaml@7"]] if dry_runs else [])


def test_a_version_that_can_not_be_rendered_costs_no_other() -> None:
    bcs = SmallNamespace()
    versions = [bcs.holds(f"{name}.yaml", "7", body("ConfigMap", name)) for name in "ab"]
    for version in versions:
        bcs.has(version)
    count = iter(range(99))

    def fail() -> None:
        if versions[0].version_id in bcs.broken and next(count) == 0:
            return
        bcs.broken = {versions[0].version_id: BcsFailed(bcs_code=1, message="panic")}

    bcs.before["preview"] = fail
    first, second = status(bcs, file("a.yaml"), file("b.yaml")).domains
    assert (first.drift, second.drift, len(first.files[0].why)) == ("not-known", "same", 1)
    assert first.files[0].more == ()


def variable_map(value: str) -> Object:
    return body("ConfigMap", "c", data={"a": value})


def test_what_a_variable_fills_in_is_open_where_it_is_not_what_would_be_given_today() -> None:
    bcs = SmallNamespace()
    version = bcs.holds("a.yaml", "7", variable_map("bcsopen0x"))
    bcs.variables = {"TAG": "own"}
    for live, given, drift in (
        ("own", {}, Drift()),
        ("given", {"TAG": "given"}, Drift()),
        ("else", {}, Drift(open=(("data.a", "TAG"),))),
    ):
        bcs.live["ConfigMap/c"] = marked(variable_map(live), "a.yaml", "7")
        assert here(bcs, **given).drift == (("ConfigMap/c", drift),)
    assert bcs.values == {"TAG": "bcsopen0x"}
    assert version.version_id == id_of("a.yaml", "7")


def test_variables_that_the_namespace_decides_alone_have_their_value() -> None:
    bcs = SmallNamespace()
    bcs.has(bcs.holds("a.yaml", "7", MAP))
    fixed = ("SYS_NAMESPACE", "SYS_CLUSTER_ID", "SYS_PROJECT_ID", "SYS_CC_APP_ID")
    bcs.variables = {**dict.fromkeys(fixed, "value"), "TAG": "own", "SYS_OTHER": "x"}
    here(bcs)
    assert bcs.values == {**dict.fromkeys(fixed, "value"), "TAG": "bcsopen0x", "SYS_OTHER": "bcsopen1x"}


# --- revisions ------------------------------------------------------------------------------------------


def web(tag: str, *, replicas: int = 2, **pods: str) -> Object:
    return body(
        "Deployment",
        "web",
        replicas=replicas,
        strategy={"type": "Recreate"},
        selector={"matchLabels": {"app": "web"}},
        template={"spec": {"nodeName": tag, **pods}},
    )


def with_metadata(item: Object, *, notes: Optional[Mapping[str, str]] = None, **more: object) -> Object:
    metadata = mapping_at(item, "metadata")
    annotations = {**mapping_at(metadata, "annotations"), **(notes or {})}
    return {**item, "metadata": {**metadata, "annotations": annotations, **more}}  # type: ignore[dict-item]  # JSON


def replica_set(number: int, item: Object, version: str) -> Object:
    template = mapping_at(item, "spec", "template")
    made = marked(
        {**body("ReplicaSet", f"web-{number}"), "spec": {"template": dict(template)}}, "a.yaml", version
    )
    return with_metadata(
        made,
        notes={"deployment.kubernetes.io/revision": str(number)},
        creationTimestamp=f"10:0{number}",
        ownerReferences=[{"kind": "Deployment", "uid": "uid-web", "name": "web"}],
    )


def at_revision(number: int, item: Object, version: str) -> Object:
    return with_metadata(
        marked(item, "a.yaml", version), notes={"deployment.kubernetes.io/revision": str(number)}
    )


def test_the_version_that_somebody_went_back_from_is_looked_at_too() -> None:
    bcs = SmallNamespace()
    six, seven = web("six"), web("seven", replicas=3)
    bcs.holds("a.yaml", "6", six)
    bcs.holds("a.yaml", "7", seven)
    bcs.live["Deployment/web"] = at_revision(1, web("six", replicas=3), "6")
    bcs.live["ReplicaSet/web-1"] = replica_set(1, six, "6")
    bcs.live["ReplicaSet/web-2"] = replica_set(2, seven, "7")
    found = here(bcs)
    assert found.undone == (Undone("Deployment/web", "6", "7", rest=True),)
    assert (bcs.asked, bcs.count("find version")) == ([["a.yaml@6"], ["a.yaml@7"]], 1)
    assert (found.since, found.standing) == ("10:01", "live")


@pytest.mark.parametrize("revision", [1, 0])
def test_what_a_preview_cuts_is_taken_from_the_revision_else_read(revision: int) -> None:
    bcs = SmallNamespace()
    item = web("six", schedulerName="own")
    bcs.holds("a.yaml", "7", item)
    bcs.live["Deployment/web"] = at_revision(1, item, "7")
    if revision:
        bcs.live["ReplicaSet/web-1"] = replica_set(revision, item, "7")
    found = here(bcs)
    assert found.drift == (("Deployment/web", Drift()),)
    assert bcs.count("get Deployment") == (0 if revision else 1)


def test_what_a_preview_cuts_and_nobody_may_read_is_not_known() -> None:
    bcs = SmallNamespace()
    item = web("six", schedulerName="own")
    bcs.holds("a.yaml", "7", item, MAP)
    bcs.live["Deployment/web"] = marked(item, "a.yaml", "7")
    bcs.live["ConfigMap/c"] = marked(MAP, "a.yaml", "7")
    refuse(bcs, "get Deployment")
    found = here(bcs)
    assert found.drift == (("ConfigMap/c", Drift()),)
    assert [(why.key, why.fields["object"]) for why in found.why] == [("status.no_list", "Deployment/web")]


def test_a_workload_that_an_autoscaler_scales_may_have_another_number_of_pods() -> None:
    bcs = SmallNamespace()
    bcs.holds("a.yaml", "7", web("six"))
    bcs.live["Deployment/web"] = marked(web("six", replicas=5), "a.yaml", "7")
    target: Object = {"kind": "Deployment", "name": "web"}
    bcs.live["Service/web"] = body("Service", scaleTargetRef=target)
    assert here(bcs).changed == (("Deployment/web", "spec.replicas"),)
    bcs.live["HorizontalPodAutoscaler/web"] = body("HorizontalPodAutoscaler", scaleTargetRef=target)
    assert here(bcs).changed == ()


# --- readiness ------------------------------------------------------------------------------------------


def rolled(*, updated: int = 2, available: int = 2, replicas: int = 2, wanted: int = 2) -> Object:
    status: Object = {
        "observedGeneration": 1,
        "replicas": replicas,
        "updatedReplicas": updated,
        "availableReplicas": available,
    }
    return {**with_metadata(marked(web("n", replicas=wanted), "a.yaml", "7"), generation=1), "status": status}


def pods(bcs: SmallNamespace, count: int) -> None:
    """Have so many pods in the namespace."""
    for number in range(count):
        bcs.live[f"Pod/web-{number}"] = with_metadata(body("Pod", f"web-{number}"), labels={"app": "web"})
    note: dict[str, JsonValue] = {"status": "Running", "readyCnt": 1.0, "totalCnt": 1.0}
    bcs.notes = {"manifestExt": {f"uid-web-{number}": {**note} for number in range(count)}}


def workload(bcs: SmallNamespace) -> WorkloadHere:
    (found,) = here(bcs).workloads
    return found


def ready_site(live: Object) -> SmallNamespace:
    bcs = SmallNamespace()
    bcs.holds("a.yaml", "7", web("n"))
    bcs.live["Deployment/web"] = live
    return bcs


def test_a_workload_is_ready_where_lists_prove_it_and_is_not_read() -> None:
    bcs = ready_site(rolled())
    pods(bcs, 2)
    bcs.live["Service/other"] = with_metadata(body("Service", "other"), labels={"app": "web"})
    assert workload(bcs) == WorkloadHere("Deployment/web", "ready", 2, 2)
    assert "get Deployment" not in bcs.calls


def test_a_workload_without_pods_is_read_whole_where_nobody_may_list_any() -> None:
    bcs = ready_site(rolled(updated=0, available=0, replicas=0, wanted=0))
    assert (workload(bcs).state, bcs.count("get Deployment")) == ("ready", 0)
    refuse(bcs, "list Pod")
    assert (workload(bcs).state, bcs.count("get Deployment")) == ("ready", 1)


@pytest.mark.parametrize(
    ("live", "done"),
    [
        (rolled(updated=2, available=1), 1),
        (rolled(updated=1, available=1), 0),
        (rolled(updated=1, available=2, replicas=3), 0),
    ],
)
def test_a_workload_whose_counts_are_not_reached_is_not_ready_and_is_not_read(
    live: Object, done: int
) -> None:
    bcs = ready_site(live)
    pods(bcs, 2)
    assert workload(bcs) == WorkloadHere("Deployment/web", "not-ready", done, 2)
    assert "get Deployment" not in bcs.calls


@pytest.mark.parametrize("case", ["fewer pods", "no pods to list", "not shown"])
def test_a_workload_that_lists_prove_nothing_of_is_read_whole(case: str) -> None:
    bcs = ready_site(rolled())
    pods(bcs, 1 if case == "fewer pods" else 2)
    if case == "no pods to list":
        refuse(bcs, "list Pod")
    if case == "not shown":
        bcs.hidden = ["Deployment/web"]
    assert workload(bcs) == WorkloadHere("Deployment/web", "ready", 2, 2)
    assert bcs.count("get Deployment") == 1


def test_what_is_read_whole_and_not_ready_says_why_and_what_can_not_be_read_too() -> None:
    bcs = ready_site({**rolled(), "spec": {**mapping_at(web("n"), "spec"), "paused": True}})
    bcs.live["Deployment/web"] = {
        **bcs.live["Deployment/web"],
        "metadata": {**mapping_at(bcs.live["Deployment/web"], "metadata"), "generation": 2},
    }
    found = workload(bcs)
    assert (found.state, found.done, found.wanted, found.why and found.why.key) == (
        "not-ready",
        2,
        2,
        "rollout.observing",
    )
    refuse(bcs, "get Deployment")
    assert workload(bcs) == WorkloadHere("Deployment/web", "not-known", why=REFUSED.title())


def test_twenty_workloads_are_read_alone_at_most() -> None:
    bcs = SmallNamespace()
    names = [f"w{number:02}" for number in range(MOST_WHOLE + 2)]
    items = [body("Deployment", name, replicas=1) for name in names]
    bcs.holds("a.yaml", "7", *items)
    done: Object = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
    for name, item in zip(names, items):
        live = with_metadata(marked(item, "a.yaml", "7"), generation=1)
        bcs.live[f"Deployment/{name}"] = {**live, "status": done}
    states = {found.title: found for found in here(bcs).workloads}
    assert bcs.count("get Deployment") == MOST_WHOLE
    assert [title for title, found in states.items() if found.state == "not-known"] == [
        "Deployment/w20",
        "Deployment/w21",
    ]
    assert {found.why.key for found in states.values() if found.why is not None} == {"status.not_asked"}
    assert [found.state for found in states.values()].count("ready") == MOST_WHOLE


def test_what_has_no_rollout_is_no_workload_and_a_kind_that_no_list_shows_is_read_alone() -> None:
    bcs = SmallNamespace()
    rollout = {**body("Rollout", "r", replicas=1), "apiVersion": "argoproj.io/v1alpha1"}
    bcs.has(bcs.holds("a.yaml", "7", rollout, MAP))
    (found,) = here(bcs).workloads
    assert (found.title, found.state, bcs.count("get Rollout")) == ("Rollout/r", "not-ready", 1)
    assert "get ConfigMap" not in bcs.calls
    del bcs.live["Rollout/r"]
    assert (here(bcs).workloads, bcs.count("get Rollout")) == ((), 1)


def test_a_cron_job_is_waited_for_by_nobody_which_lists_tell() -> None:
    bcs = SmallNamespace()
    job = body("CronJob", "night", schedule="0 3 * * *")
    bcs.has(bcs.holds("a.yaml", "7", {**job, "apiVersion": "batch/v1", "status": {}}))
    assert workload(bcs) == WorkloadHere("CronJob/night", "ready")
    assert "get CronJob" not in bcs.calls


def test_a_kind_that_can_not_be_listed_costs_what_is_not_there_of_it() -> None:
    bcs = two_versions()
    refuse(bcs, "list ConfigMap", "list ReplicaSet")
    found = here(bcs)
    assert (found.standing, [why.key for why in found.why]) == ("not-known", ["status.no_list"])
    bcs.holds("a.yaml", "7", {**body("ReplicaSet", "r"), "apiVersion": "apps/v1"})
    assert here(bcs).standing == "not-here", "a controller's own are not looked for in lists"


# --- chosen versions ------------------------------------------------------------------------------------


def test_chosen_versions_are_looked_at_by_their_ids_in_the_history() -> None:
    bcs = two_versions()
    bcs.live["ConfigMap/c"] = marked(OLD_MAP, "a.yaml", "6")
    history = (VersionRef(id_of("a.yaml", "7"), "7", 70), VersionRef(id_of("a.yaml", "6"), "6", 60))
    wanted = [("a.yaml", "6"), ("a.yaml", "7")]
    seen = look_at_versions(bcs, bcs.deploying(), [file()], {"a.yaml": history}, wanted=wanted)
    assert seen.refs == {("a.yaml", "6"): history[1], ("a.yaml", "7"): history[0]}
    assert {version: len(states) for version, states in seen.looks["a.yaml"].items()} == {"6": 1, "7": 1}
    assert (bcs.count("find version"), bcs.asked) == (0, [["a.yaml@6", "a.yaml@7"]])
    assert seen.space == SPACE
    assert [row.title for row in seen.objects.rows] == ["ConfigMap/c"]


def test_a_chosen_version_that_holds_nothing_was_looked_at() -> None:
    bcs = SmallNamespace()
    bcs.holds("a.yaml", "7")
    seen = look_at_versions(bcs, bcs.deploying(), [file()], {}, wanted=[("a.yaml", "7")])
    assert (seen.looks, seen.failed) == ({"a.yaml": {"7": ()}}, {})
