"""When a run deletes what is left, why else it deletes nothing, and which old versions it takes away."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Optional

import pytest
from tests.support.phases import CLUSTER, NAMESPACE, PLACE, Answer, Answers, Cluster, Phases, run_of
from tests.support.pieces import FakeClock
from tests.support.planned import OURS, SPACE, desired, existing
from tests.support.rollout_scenes import watched
from tests.support.scenes import change, plan_of

from bcs_template_set.bcs.answers import TemplateFile
from bcs_template_set.bcs.calls import Call, JsonValue
from bcs_template_set.bcs.calls import one as answer_of
from bcs_template_set.bcs.deploy_calls import NOBODY
from bcs_template_set.bcs.marks import TEMPLATE_NAME, TEMPLATE_VERSION
from bcs_template_set.bcs.space.existing import Existing
from bcs_template_set.manifests.custom_kinds import CUSTOM
from bcs_template_set.manifests.kinds import SERVICE
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import AppNotGranted, NoPermission
from bcs_template_set.messages.past_errors import MayNotDelete
from bcs_template_set.messages.server_errors import (
    BcsFailed,
    GatewayFailed,
    NoSuchPath,
    OutOfTime,
)
from bcs_template_set.messages.state_words import Result
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.publish.file_outcome import FileOutcome
from bcs_template_set.publish.pruning import Orphan, Pruning
from bcs_template_set.rollout.live_state import FileVersion
from bcs_template_set.rollout.result import Before, Rollout
from bcs_template_set.run.context import Planned
from bcs_template_set.run.prune_phase import keep_newest, prune_run, refusal_to_delete, with_pruning
from bcs_template_set.system.signals import Stopped

NO = NoPermission(user="lisi", message="no")
DOWN = GatewayFailed(url="u", status=502, message="m")
HERE = replace(existing(), project_id="a" * 32)


# --- pruning --------------------------------------------------------------------------------------------


def planned_with(
    pruning: Pruning, *, dropped: tuple[str, ...] = (), holds: Existing = HERE, **inputs: str
) -> tuple[Phases, Planned]:
    phases = run_of(("a.yaml", "kind: X"), inputs={"prune": "delete", **inputs})
    plan = replace(plan_of(), pruning=pruning, dropped=dropped, rendered_no_more=("x.yaml",))
    phases.record.plan = plan
    return phases, Planned(plan, holds, phases.run.desired)


def pruned(
    pruning: Pruning,
    *,
    rollout: Optional[Rollout] = None,
    result: Result = "deployed",
    holds: Existing = HERE,
) -> Optional[Text]:
    """Return why a run has deleted nothing, None where it does not say."""
    phases, planned = planned_with(pruning, holds=holds)
    phases.record.rollout = rollout
    prune_run(phases.run, Answers({"list files": DOWN}), planned=planned, result=result)
    if not phases.record.warnings:
        return None
    (warning,) = phases.record.warnings
    assert warning.key == "prune.nothing_deleted"
    why = warning.fields["why"]
    assert isinstance(why, Text)
    return why


GOING = Pruning("delete", objects=(Orphan(SERVICE, "old", "x.yaml", "1"),))
READY = Rollout(CLUSTER, NAMESPACE, watched=(watched("a", "ready"), watched("b", "nothing")))


def test_nothing_is_said_where_nothing_was_to_go() -> None:
    assert pruned(Pruning("report", blind=say("prune.no_target"))) is None
    assert pruned(Pruning("delete")) is None
    phases, planned = planned_with(Pruning("delete"))
    phases.record.plan = None
    prune_run(phases.run, Answers({}), planned=planned, result="deployed")
    assert phases.warnings == []


def test_what_the_plan_was_blind_to_is_why_nothing_goes() -> None:
    assert pruned(Pruning("delete", blind=say("prune.no_target"))) == say("prune.no_target")


@pytest.mark.parametrize(
    ("rollout", "result", "why"),
    [
        (None, "deployed", say("prune.not_deployed")),
        (READY, "paused", say("prune.not_deployed")),
        (replace(READY, waited=False), "deployed", say("prune.not_deployed")),
        (
            replace(READY, held=("b.yaml", "a.yaml")),
            "deployed",
            say("prune.held", names=["b.yaml", "a.yaml"]),
        ),
        (
            replace(
                READY, watched=(watched("a", "ready"), watched("b", "paused")), unwatched=("Database/db",)
            ),
            "deployed",
            say("prune.not_ready", objects=["Deployment/deployment.nginx.b", "Database/db"]),
        ),
        (READY, "deployed", say("prune.look_failed", why=DOWN.title())),
    ],
)
def test_nothing_goes_before_all_of_the_run_was_seen_ready(
    rollout: Optional[Rollout], result: Result, why: Text
) -> None:
    assert pruned(GOING, rollout=rollout, result=result) == why
    assert pruned(GOING, rollout=READY, holds=replace(HERE, space=None)) is None


@pytest.mark.parametrize(
    ("inputs", "holds", "blind"),
    [
        ({"cluster_id": "", "namespace": "", "action": "plan"}, HERE, say("prune.no_target")),
        ({"action": "publish"}, HERE, say("prune.only_deploy")),
        ({"timeout": "0"}, HERE, say("prune.not_waited")),
        ({"timeout": "0", "prune": "report"}, replace(HERE, project_id=""), say("prune.no_project_id")),
        ({}, replace(HERE, project_id=""), say("prune.no_project_id")),
    ],
)
def test_a_plan_says_what_keeps_the_run_from_deleting(
    inputs: Mapping[str, str], holds: Existing, blind: Text
) -> None:
    phases, planned = planned_with(Pruning(), dropped=("Service/old",), holds=holds, **inputs)
    plan = with_pruning(phases.run, Answers({}), planned.plan, holds, planned.desired)
    assert plan.pruning == Pruning(phases.run.settings.prune, blind=blind)
    assert (plan.dropped, plan.rendered_no_more) == (("Service/old",), ("x.yaml",))


def test_a_plan_looks_for_nothing_where_nothing_is_asked_for_or_left() -> None:
    off, planned = planned_with(Pruning(), dropped=("Service/old",), prune="off")
    plan = with_pruning(off.run, Answers({}), planned.plan, HERE, planned.desired)
    assert (plan.dropped, plan.rendered_no_more) == ((), ())
    report, planned = planned_with(Pruning(), prune="report")
    nothing = replace(planned.plan, rendered_no_more=())
    assert with_pruning(report.run, Answers({}), nothing, HERE, planned.desired).pruning == Pruning("report")
    for left in (replace(nothing, dropped=("Service/old",)), planned.plan):
        looked = with_pruning(report.run, Cluster({"list Deployment": DOWN}), left, HERE, planned.desired)
        assert looked.pruning.blind is not None
    delete, planned = planned_with(Pruning())
    without = replace(HERE, space=None)
    plan = with_pruning(delete.run, Answers({}), planned.plan, without, planned.desired)
    assert plan.pruning == Pruning("delete")
    looked = with_pruning(delete.run, Cluster({"list Deployment": DOWN}), planned.plan, HERE, planned.desired)
    assert looked.pruning.blind is not None


def test_objects_whose_names_bcs_fills_in_keep_all_from_going() -> None:
    named = desired(("a.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: '{{ NAME }}'}\n"))
    phases = run_of(wanted=named, inputs={"prune": "delete"})
    plan = with_pruning(phases.run, Answers({}), replace(plan_of(), dropped=("x",)), HERE, named)
    assert plan.pruning.blind is not None
    assert plan.pruning.blind.key == "prune.open_names"


def test_who_may_not_delete_is_told_that_and_who_may_is_told_of_nothing() -> None:
    refused = NoPermission(user="lisi", message="no", details=["x"]).with_context(permission="p")
    found = refusal_to_delete(Answers({"may delete": refused}), PLACE)
    assert isinstance(found, MayNotDelete)
    assert found.fields == {"user": "lisi", "namespace": NAMESPACE, "cluster": CLUSTER}
    assert ([*found.details], found.context) == (["x"], {"permission": "p"})
    nobody = BcsFailed(bcs_code=1, message=f'configmaps "{NOBODY}" not found')
    assert refusal_to_delete(Answers({"may delete": nobody}), PLACE) is None
    assert refusal_to_delete(Answers({"may delete": None}), PLACE) is None
    for other in (BcsFailed(bcs_code=1, message="other"), NoSuchPath(url="u", message="m"), DOWN):
        assert refusal_to_delete(Answers({"may delete": other}), PLACE) is other


# --- old versions ---------------------------------------------------------------------------------------

DAY = 24 * 3600
BORN = 1_767_000_000
TEXT = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"


def stored(build: int, *, text: str = TEXT, age: int = 0) -> dict[str, JsonValue]:
    """Return a version of a build as BCS has it, made one day after the one before."""
    return {
        "id": f"{build:024x}",
        "version": f"1.0.{build}-main",
        "content": text,
        "description": replace(OURS, build=build).line(text),
        "createAt": BORN + build * DAY - age,
    }


def row(**more: JsonValue) -> dict[str, JsonValue]:
    current = stored(7)
    return {
        "id": "f" * 24,
        "name": "a.yaml",
        "realName": "a.yaml",
        "templateSpace": "front-ends",
        "version": current["version"],
        "versionID": current["id"],
        "versionMode": 0,
        **more,
    }


def live(kind: str, name: str, at: str = "", **status: JsonValue) -> JsonValue:
    annotations: JsonValue = {TEMPLATE_NAME: "front-ends/a.yaml", TEMPLATE_VERSION: at}
    metadata: JsonValue = {"name": name, "uid": name, "namespace": NAMESPACE, "annotations": annotations}
    return {"kind": kind, "metadata": metadata, "status": {**status}}


VERSIONS: JsonValue = [stored(build) for build in range(1, 8)]


def site(**answers: Answer) -> Cluster:
    """Return a folder with the versions of seven builds of a file, of which the newest is live."""

    def read(call: Call[object]) -> JsonValue:
        return stored(int(call.segments[-1], 16))

    known: dict[str, Answer] = {
        "list spaces": [{"id": SPACE.id, "name": SPACE.name, "fav": False, "tags": []}],
        "list files": [row()],
        "ask dialect": None,
        "list versions": VERSIONS,
        "list namespaces": {"manifest": {"items": [{"metadata": {"name": NAMESPACE}}]}},
        "list environments": [],
        "list Deployment": {"manifest": {"items": [live("Deployment", "web", "1.0.7-main")]}},
        "get version": read,
        "get file": row(),
        "delete version": None,
    }
    return Cluster({**known, **{name.replace("_", " "): answer for name, answer in answers.items()}})


def at(day: int) -> FakeClock:
    """Return a clock at so many days after the first version was made."""
    clock = FakeClock()
    clock.time = BORN + day * DAY
    return clock


def kept(
    cluster: Cluster,
    *,
    result: Result = "deployed",
    text: str = TEXT,
    seconds: Optional[float] = None,
    rollout: Optional[Rollout] = None,
    holds: Existing = HERE,
    clock: Optional[FakeClock] = None,
    version: str = "1.0.7-main",
    inputs: Mapping[str, str] = MappingProxyType({}),
) -> tuple[list[int], Phases]:
    """Return the builds whose versions are deleted, in order."""
    given = {"keep_versions": "2", **inputs}
    phases = run_of(("a.yaml", text), seconds=seconds, clock=clock or at(30), inputs=given)
    phases.record.note_file(FileOutcome(change("a.yaml"), "applied", version_id="7", version=version))
    deployed = Rollout(CLUSTER, NAMESPACE, deployed=(FileVersion("a.yaml", "7", "1.0.7-main"),))
    phases.record.rollout = rollout or deployed
    planned = Planned(plan_of(), holds, phases.run.desired)
    keep_newest(phases.run, cluster, planned=planned, result=result)
    gone = [call.partition(" version ")[2] for call in cluster.calls if call.startswith("delete version")]
    return [int(version_id, 16) for version_id in gone], phases


def test_the_newest_stay_and_the_others_go_oldest_first() -> None:
    gone, phases = kept(site())
    assert gone == [1, 2, 3, 4, 5]
    assert phases.log.splitlines()[-1] == "##[info]" + str(say("retention.deleted", count=5))
    assert [phase.name for phase in phases.record.phases] == ["retention"]
    assert kept(site(), result="paused")[0] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("result", "version", "inputs"),
    [
        ("deployed", "1.0.7-main", {"keep_versions": ""}),
        ("deployed", "1.0.7-main", {"only": "a.yaml"}),
        ("deployed", "1.0.6-main", {}),
        ("skipped", "1.0.7-main", {}),
    ],
    ids=["not-asked", "narrowed", "nothing-written", "not-deployed"],
)
def test_nothing_goes_unasked_or_where_the_run_wrote_nothing(
    result: Result, version: str, inputs: Mapping[str, str]
) -> None:
    gone, phases = kept(site(), result=result, version=version, inputs=inputs)
    assert (gone, phases.log, phases.record.phases) == ([], "", [])


def test_what_is_or_was_live_anywhere_stays() -> None:
    live_at_3: Answer = {"manifest": {"items": [live("Deployment", "web", "1.0.3-main")]}}
    assert kept(site(list_Deployment=live_at_3))[0] == [1, 2, 4, 5]
    before = replace(
        Rollout(CLUSTER, NAMESPACE, before=(Before("a.yaml", "1.0.2-main"), Before("b.yaml", "1.0.1-main"))),
        deployed=(FileVersion("a.yaml", "7", "1.0.7-main"),),
    )
    assert kept(site(), rollout=before)[0] == [1, 3, 4, 5]
    for replicas, gone in ((1, [2, 4, 5]), (0, [1, 2, 4, 5])):
        sets: JsonValue = [
            live("ReplicaSet", f"web-{n}", f"1.0.{n}-main", replicas=replicas if n == 1 else 0)
            for n in (1, 2, 3)
        ]
        assert kept(site(list_ReplicaSet={"manifest": {"items": sets}}))[0] == gone
    names = {"web": 7, **{f"web-{n}": n for n in range(1, 6)}}
    all_live: JsonValue = [live("Deployment", name, f"1.0.{n}-main") for name, n in names.items()]
    everywhere = site(list_Deployment={"manifest": {"items": all_live}})
    gone, phases = kept(everywhere)
    assert (gone, phases.log) == ([], "")


def test_what_was_last_deployed_before_this_run_stays() -> None:
    held = site(list_files=[row(latestDeployVersion="1.0.4-main")])
    assert kept(held)[0] == [1, 2, 3, 5]


def test_versions_are_old_by_the_clock_that_stamped_them() -> None:
    assert kept(site(), clock=at(300))[0] == [1, 2, 3, 4, 5]
    young: JsonValue = [stored(build, age=(build - 1) * DAY) for build in range(1, 8)]
    assert kept(site(list_versions=young), clock=at(300))[0] == []
    assert kept(site(), clock=at(4))[0] == [1, 2, 3]


@pytest.mark.parametrize("text", ["kind: X\n", "", "apiVersion: x/v1\nkind: Unknown\nmetadata: {name: a}\n"])
def test_of_what_no_mark_tells_whether_it_is_live_nothing_goes(text: str) -> None:
    versions: JsonValue = [stored(build, text=text) for build in range(1, 8)]
    gone, phases = kept(site(list_versions=versions))
    assert (gone, phases.log) == ([], "")


def test_versions_whose_marks_can_be_seen_go_beside_others_that_stay() -> None:
    unseen = "apiVersion: x/v1\nkind: Unknown\nmetadata: {name: a}\n"
    mixed: JsonValue = [stored(n, text=unseen if n in (1, 4) else TEXT) for n in range(1, 8)]
    assert kept(site(list_versions=mixed))[0] == [2, 3, 5]


def test_nothing_is_asked_of_the_cluster_where_nothing_is_old_and_no_more_than_is_needed() -> None:
    few: list[list[JsonValue]] = [[], [stored(7)], [stored(6), stored(7)]]
    for young in few:
        cluster = site(list_versions=young)
        assert kept(cluster)[0] == []
        assert not [call for call in cluster.calls if call.startswith("list namespaces")]
    assert kept(site(list_files=[]))[0] == []
    config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n"
    versions: JsonValue = [stored(build, text=config) for build in range(1, 8)]
    maps: Answer = {"manifest": {"items": [live("ConfigMap", "web", "1.0.7-main")]}}
    cluster = site(
        list_versions=versions,
        list_ConfigMap=maps,
        get_version=lambda call: stored(int(call.segments[-1], 16), text=config),
    )
    assert kept(cluster, text=config)[0] == [1, 2, 3, 4, 5]
    assert not [call for call in cluster.calls if call.startswith("list ReplicaSet")]


def test_where_not_all_that_is_live_can_be_seen_nothing_goes_and_that_is_a_warning() -> None:
    for cluster in (site(list_Deployment=DOWN), site(list_Deployment={"manifest": {"items": []}})):
        gone, phases = kept(cluster)
        assert (gone, phases.warnings) == ([], ["retention.nothing"])
    other = live("Deployment", "other", "1.0.7-main")
    gone, phases = kept(site(list_Deployment={"manifest": {"items": [other]}}))
    assert (gone, phases.warnings) == ([], ["retention.nothing"])


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: batch/v1\nkind: Job\nmetadata: {name: gone}\n",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: '{{ NAME }}'}\n",
        "apiVersion: v1\nkind: Service\nmetadata: {name: gone}\n",
    ],
)
def test_what_may_be_gone_by_itself_or_is_not_asked_for_need_not_be_listed(text: str) -> None:
    assert kept(site(), text=text)[0] == [1, 2, 3, 4, 5]
    elsewhere = Rollout(CLUSTER, NAMESPACE, deployed=(FileVersion("b.yaml", "7", "1.0.7-main"),))
    other: Answer = {"manifest": {"items": [live("Deployment", "other", "1.0.7-main")]}}
    assert kept(site(list_Deployment=other), rollout=elsewhere)[0] == [1, 2, 3, 4, 5]


def test_what_has_changed_or_is_in_use_since_stays() -> None:
    def changed(call: Call[object]) -> JsonValue:
        build = int(call.segments[-1], 16)
        return {
            **stored(build),
            **({"version": "x"} if build == 1 else {}),
            **({"description": "x"} if build == 2 else {}),
        }

    gone, phases = kept(site(get_version=changed))
    assert gone == [3, 4, 5]
    assert phases.log.splitlines()[-1] == "##[info]" + str(say("retention.deleted", count=3))
    for more in (
        {"versionID": stored(3)["id"]},
        {"version": "1.0.3-main"},
        {"latestDeployVersion": "1.0.3-main"},
    ):
        assert kept(site(get_file=row(**more)))[0] == [1, 2, 4, 5]


def failing(error: StepError, *builds: int) -> Callable[[Call[object]], JsonValue]:
    def answer(call: Call[object]) -> JsonValue:
        if int(call.segments[-1], 16) in builds:
            raise error
        return None

    return answer


def test_what_can_not_be_deleted_is_a_warning_with_the_first_reason() -> None:
    gone, phases = kept(site(delete_version=failing(DOWN, 2, 3)))
    assert gone == [1, 2, 3, 4, 5]
    (warning,) = phases.record.warnings
    assert (warning.key, warning.fields) == ("retention.failed", {"count": 3, "left": 2, "why": DOWN.title()})
    other = BcsFailed(bcs_code=1, message="other")
    assert kept(site(delete_version=failing(other, 2)))[1].warnings == ["retention.failed"]


def test_what_another_run_has_deleted_meanwhile_is_no_failure() -> None:
    deleted = BcsFailed(bcs_code=1, message="mongo: record not found")
    gone, phases = kept(site(delete_version=failing(deleted, 2)))
    assert (gone, phases.warnings) == ([1, 2, 3, 4, 5], [])
    assert phases.log.splitlines()[-1] == "##[info]" + str(say("retention.deleted", count=4))


@pytest.mark.parametrize(
    "error", [NO, AppNotGranted(app_code="a", message="m"), NoSuchPath(url="u", message="m")]
)
def test_what_is_refused_once_is_not_tried_again(error: StepError) -> None:
    gone, phases = kept(site(delete_version=failing(error, 1)))
    assert gone == [1]
    (warning,) = phases.record.warnings
    assert warning.fields == {"count": 0, "left": 1, "why": error.title()}


@pytest.mark.parametrize(("seconds", "most"), [(None, 60.0), (100.0, 50.0), (1000.0, 60.0)])
def test_deleting_takes_a_minute_at_most_and_half_of_the_time_that_is_left(
    seconds: Optional[float], most: float
) -> None:
    clock = at(30)

    def slow(_: Call[object]) -> JsonValue:
        clock.time += most if clock.time < BORN + 30 * DAY + 1 else 0.1
        return None

    gone, phases = kept(site(delete_version=slow), clock=clock, seconds=seconds)
    assert gone == [1, 2]
    assert phases.log.splitlines()[-1] == "##[info]" + str(say("retention.deleted", count=2))


def test_a_signal_ends_it_with_what_is_gone() -> None:
    def stop(call: Call[object]) -> JsonValue:
        if int(call.segments[-1], 16) == 3:
            raise Stopped(OutOfTime(seconds=60))
        return None

    phases = run_of(("a.yaml", TEXT), clock=at(30), inputs={"keep_versions": "2"})
    phases.record.note_file(FileOutcome(change("a.yaml"), "applied", version_id="7", version="1.0.7-main"))
    planned = Planned(plan_of(), HERE, phases.run.desired)
    with pytest.raises(Stopped):
        keep_newest(phases.run, site(delete_version=stop), planned=planned, result="deployed")
    assert phases.log.splitlines()[-1] == "##[warning]" + str(say("retention.deleted", count=2))


# --- deleting what is left ------------------------------------------------------------------------------


def service_text(name: str) -> str:
    return f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{ports: [{{port: 80}}]}}\n"


class Left:
    """A folder with a file that this run renders, and one that build 5 of it published; both are live."""

    def __init__(self, **answers: Answer) -> None:
        self.live = {"web": ("a.yaml", "1.0.7-main"), "old": ("old.yaml", "1.0.5-main")}
        self.old = 5
        self.cluster = Cluster(
            {
                "list spaces": [{"id": SPACE.id, "name": SPACE.name, "fav": False, "tags": []}],
                "list files": lambda _: [self.row("a.yaml", 7), self.row("old.yaml", self.old)],
                "ask dialect": None,
                "get version": lambda call: self.version(int(call.segments[-1], 16)),
                "get file": lambda _: self.row("old.yaml", self.old),
                "list Service": lambda _: {"manifest": {"items": [*map(self.service, self.live)]}},
                "get Service": self.get,
                "delete Service": self.delete,
                **{name.replace("_", " "): answer for name, answer in answers.items()},
            }
        )

    def service(self, name: str) -> JsonValue:
        file, at = self.live[name]
        marks: JsonValue = {TEMPLATE_NAME: f"front-ends/{file}", TEMPLATE_VERSION: at}
        metadata: JsonValue = {"name": name, "uid": name, "namespace": NAMESPACE, "annotations": marks}
        return {"apiVersion": "v1", "kind": "Service", "metadata": metadata}

    def get(self, call: Call[object]) -> JsonValue:
        name = call.segments[-1]
        if name not in self.live:
            raise BcsFailed(bcs_code=1, message=f'services "{name}" not found')
        return {"manifest": self.service(name)}

    def delete(self, call: Call[object]) -> JsonValue:
        del self.live[call.segments[-1]]
        return None

    @staticmethod
    def version(build: int) -> dict[str, JsonValue]:
        return stored(build, text=service_text("web" if build == 7 else "old"))

    def row(self, name: str, build: int) -> dict[str, JsonValue]:
        current = self.version(build)
        told = {"id": f"{build:023x}a", "name": name, "realName": name}
        of_version = {"version": current["version"], "versionID": current["id"]}
        return {**row(**told), **of_version, "resourceType": ["Service"]}

    def plan(self, *, seconds: Optional[float] = None, **inputs: str) -> tuple[Phases, Planned]:
        """Plan to delete what is left."""
        wanted = desired(("a.yaml", service_text("web")))
        phases = run_of(wanted=wanted, seconds=seconds, inputs={"prune": "delete", **inputs})
        rows = {
            name: answer_of(TemplateFile)(self.row(name, build))
            for name, build in (("a.yaml", 7), ("old.yaml", self.old))
        }
        holds = replace(HERE, rows=rows)
        plan = replace(plan_of(), rendered_no_more=("old.yaml",))
        plan = with_pruning(phases.run, self.cluster, plan, holds, phases.run.desired)
        phases.record.plan = plan
        phases.record.rollout = Rollout(
            CLUSTER, NAMESPACE, live_already=(FileVersion("a.yaml", "7", "1.0.7-main"),)
        )
        return phases, Planned(plan, holds, phases.run.desired)


def test_what_an_earlier_build_has_left_is_planned_and_deleted() -> None:
    left = Left()
    phases, planned = left.plan()
    pruning = planned.plan.pruning
    assert (pruning.blind, [one.title for one in pruning.objects]) == (None, ["Service/old"])
    prune_run(phases.run, left.cluster, planned=planned, result="deployed")
    assert (list(left.live), phases.warnings) == (["web"], [])
    taken = phases.record.taken
    assert taken is not None
    assert ([one.title for one in taken.done], taken.is_whole) == (["Service/old"], True)
    assert phases.record.gone_well == ["prune"]
    lines = phases.log.splitlines()
    assert lines[0] == f"##[group]{say('prune.group', count=1)}"
    assert lines[-1] == "##[endgroup]"
    assert any("Service/old" in line for line in lines)
    assert not any(line.startswith("##[warning]") for line in lines)


def test_a_file_that_goes_with_its_object_is_counted_and_a_limit_that_guards_nothing_is_told() -> None:
    left = Left(delete_file=None)
    phases, planned = left.plan(prune_also="files", prune_limit="9")
    assert [note.key for note in planned.plan.pruning.notes] == ["prune.limit_idle"]
    prune_run(phases.run, left.cluster, planned=planned, result="deployed")
    assert phases.log.startswith(f"##[group]{say('prune.group', count=2)}\n")
    taken = phases.record.taken
    assert taken is not None
    assert (taken.files, taken.is_whole) == (("old.yaml",), True)


@pytest.mark.parametrize(("seconds", "most"), [(None, 30), (20.0, 10)])
def test_what_does_not_go_is_waited_for_half_of_the_time_that_is_left(
    seconds: Optional[float], most: float
) -> None:
    left = Left(delete_Service=None)
    phases, planned = left.plan(seconds=seconds)
    prune_run(phases.run, left.cluster, planned=planned, result="deployed")
    assert sum(phases.clock.waits) == most


def why_nothing(left: Left, phases: Phases, planned: Planned) -> Optional[Text]:
    """Carry out a plan; return why nothing was deleted, None where something was."""
    before = dict(left.live)
    prune_run(phases.run, left.cluster, planned=planned, result="deployed")
    if not phases.record.warnings:
        assert left.live != before
        return None
    (warning,) = phases.record.warnings
    why = warning.fields["why"]
    assert isinstance(why, Text)
    assert left.live == before
    return why


def test_what_somebody_has_deployed_over_this_runs_version_may_need_what_would_go() -> None:
    left = Left()
    phases, planned = left.plan()
    left.live["web"] = ("a.yaml", "1.0.9-main")
    assert why_nothing(left, phases, planned) == say("prune.deployed_since", objects=["Service/web"])
    other = Left()
    phases, planned = other.plan()
    other.live["web"] = ("a.yaml", "1.0.9-main")
    as_it_was = FileVersion("a.yaml", "7", "1.0.7-main", live_as="1.0.9-main")
    phases.record.rollout = Rollout(CLUSTER, NAMESPACE, live_already=(as_it_was,))
    assert why_nothing(other, phases, planned) is None, "it was live at that when the run looked"


def test_a_list_that_lacks_what_the_run_has_seen_live_is_not_the_truth() -> None:
    left = Left()
    phases, planned = left.plan()
    phases.record.rollout = Rollout(CLUSTER, NAMESPACE, watched=(watched("a", "ready"),))
    assert why_nothing(left, phases, planned) == say(
        "prune.list_lacks", names=["Deployment/deployment.nginx.a"]
    )
    there = Left()
    phases, planned = there.plan()
    one = watched("a", "ready")
    service, custom = (
        replace(one, workload=replace(one.workload, kind=kind, name="web")) for kind in (SERVICE, CUSTOM[0])
    )
    phases.record.rollout = Rollout(CLUSTER, NAMESPACE, watched=(service, custom))
    assert why_nothing(there, phases, planned) is None, "BCS lists no custom objects"


def test_a_newer_build_or_a_look_that_fails_keeps_all() -> None:
    newer = Left()
    newer.old = 8
    assert newer.plan()[1].plan.pruning.blind == say("prune.newer_build", names=["old.yaml"])
    failing_look = Left()
    phases, planned = failing_look.plan()
    failing_look.cluster.answers["list Service"] = DOWN
    assert why_nothing(failing_look, phases, planned) == say("prune.look_failed", why=DOWN.title())
    assert phases.record.taken is None


def test_what_can_not_be_deleted_is_told_as_a_warning() -> None:
    left = Left(delete_Service=NO)
    phases, planned = left.plan()
    prune_run(phases.run, left.cluster, planned=planned, result="deployed")
    taken = phases.record.taken
    assert taken is not None
    assert not taken.is_whole
    assert any(line.startswith("##[warning]") for line in phases.log.splitlines())
    assert list(left.live) == ["web", "old"]
