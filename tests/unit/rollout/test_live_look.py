"""What is seen of a namespace before a deployment, and what a dry run is asked for: over one in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import inf
from typing import Optional

import pytest
from tests.support.objects import Object
from tests.support.small_namespace import SPACE, SmallNamespace, body, marked

from bcs_template_set.manifests.fields import mapping_at
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import DryRunFailed, NoPermission
from bcs_template_set.messages.server_errors import AnswerUnreadable, GatewayFailed, OutOfTime, Unreachable
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.rollout.deployment_plan import DeploymentPlan, Holding
from bcs_template_set.rollout.live_look import (
    SHOWN,
    TOO_LONG,
    check_listed,
    in_order,
    is_there_after_all,
    live_files,
    look,
    not_marked,
    plan_live,
    seen_whole,
    unlike,
    unlisted,
)
from bcs_template_set.rollout.live_state import FileVersion, LiveState

REFUSED = NoPermission(user="lisi", message="m")


def keys(texts: tuple[Text, ...]) -> list[str]:
    return [text.key for text in texts]


# --- what is to be deployed -----------------------------------------------------------------------------


def three_files(bcs: SmallNamespace) -> tuple[FileVersion, FileVersion, FileVersion]:
    """Return three files, the second of which is live."""
    files = (
        bcs.holds("a.yaml", "2", body("ConfigMap", "a", data={"a": "2"})),
        bcs.holds("b.yaml", "2", body("ConfigMap", "b", data={"a": "2"})),
        bcs.holds("c.yaml", "2", body("Service", "c", clusterIP="10.0.0.1")),
    )
    bcs.has(files[1])
    return files


def planned(bcs: SmallNamespace, *files: FileVersion, redeploy: bool = False) -> DeploymentPlan:
    return plan_live(bcs, bcs.deploying(), files, redeploy=redeploy)


def test_what_is_not_live_is_planned_after_a_dry_run_of_that_alone() -> None:
    bcs = SmallNamespace()
    files = three_files(bcs)
    plan = planned(bcs, *files)
    assert ([f.name for f in plan.deploy], [f.name for f in plan.live_already]) == (
        ["a.yaml", "c.yaml"],
        ["b.yaml"],
    )
    assert (plan.held, plan.said, bcs.calls) == ((), (), ["preview", "preview"])
    assert planned(bcs, *files, redeploy=True).deploy == files
    assert bcs.count("preview") == 3, "all of them have been shown already"
    for file in files:
        bcs.has(file)
    bcs.calls.clear()
    assert planned(bcs, *files).deploy == ()
    assert bcs.calls == ["preview"]


def test_what_is_held_is_neither_planned_nor_in_the_dry_run() -> None:
    bcs = SmallNamespace()
    files = three_files(bcs)
    seen: list[tuple[str, ...]] = []

    def hold(plan: DeploymentPlan) -> Holding:
        seen.append(tuple(file.name for file in plan.deploy))
        return Holding(frozenset({"c.yaml", "a.yaml"}), (say("deploy.conflict"),))

    plan = plan_live(bcs, bcs.deploying(), files, redeploy=False, hold=hold)
    assert (plan.deploy, plan.held, keys(plan.said)) == ((), ("a.yaml", "c.yaml"), ["deploy.conflict"])
    assert seen == [("a.yaml", "c.yaml")]
    assert bcs.count("preview") == 1


def test_a_dry_run_that_fails_refuses_and_says_what_would_help() -> None:
    bcs = SmallNamespace()
    files = three_files(bcs)
    bcs.live["Service/c"] = marked(body("Service", "c", clusterIP="10.0.0.9"), "c.yaml", "1")
    bcs.refusal = f'spec.clusterIP: namespaces  "prod" not found {"x" * 600}'
    with pytest.raises(DryRunFailed) as raised:
        planned(bcs, *files)
    error = raised.value
    assert str(error.message).startswith('spec.clusterIP: namespaces "prod" not found xxx')
    assert len(str(error.message)) == SHOWN
    hints = [detail for detail in error.details if isinstance(detail, Text)]
    assert [(hint.key, hint.fields.get("cluster_ip")) for hint in hints] == [
        ("deploy.service_kept", "10.0.0.9"),
        ("deploy.no_namespace", None),
    ]
    assert hints[1].fields == {"namespace": "prod", "cluster": "BCS-K8S-40000"}
    bcs.refusal = "quota"
    with pytest.raises(DryRunFailed) as raised:
        planned(bcs, *files)
    assert raised.value.details == ()


def test_what_a_dry_run_says_of_files_that_stay_as_they_are_refuses_nothing() -> None:
    bcs = SmallNamespace()
    files = three_files(bcs)
    bcs.refusal = "b is broken"
    bcs.before["preview"] = lambda: setattr(bcs, "refusal", "" if len(bcs.calls) > 1 else bcs.refusal)
    assert [file.name for file in planned(bcs, *files).deploy] == ["a.yaml", "c.yaml"]
    for file in files:
        bcs.has(file)
    bcs.calls.clear()
    bcs.refusal = "b is broken"
    assert planned(bcs, *files).deploy == ()


def test_what_can_not_be_replaced_is_told_before_what_the_dry_run_says() -> None:
    bcs = SmallNamespace()
    file = bcs.holds("a.yaml", "2", body("Deployment", "a", selector={"matchLabels": {"app": "new"}}))
    live = body("Deployment", "a", selector={"matchLabels": {"app": "old"}})
    bcs.live["Deployment/a"] = marked(live, "a.yaml", "1")
    bcs.refusal = "field is immutable"
    assert planned(bcs, file).refused is not None


def test_a_number_of_pods_that_nobody_means_is_told() -> None:
    bcs = SmallNamespace()
    file = bcs.holds("a.yaml", "2", body("Deployment", "a", replicas=2, paused=True))
    bcs.live["Deployment/a"] = marked(body("Deployment", "a", replicas=5), "a.yaml", "1")
    assert planned(bcs, file).pods
    kept = plan_live(bcs, bcs.deploying({"live_replicas.Deployment.a": "5"}), [file], redeploy=False)
    assert (kept.pods, kept.kept) == ((), ("Deployment/a 5",))


# --- what a dry run does not show -----------------------------------------------------------------------


def state(
    file: str, name: str, *, kind: str = "ConfigMap", live: Optional[str] = None, space: str = SPACE
) -> LiveState:
    desired = marked(body(kind, name), file, "2")
    there = None if live is None else marked(body(kind, name), file, live, space=space)
    return LiveState(file, kind, name, desired, there)


A1, A2, B1 = state("a", "1", live="2"), state("a", "2", live="2"), state("b", "1", live="2")


def holding(name: str, *objects: str) -> FileVersion:
    return FileVersion(name, name, "2", objects=objects)


@pytest.mark.parametrize(
    ("objects", "states", "lacking"),
    [
        (["ConfigMap/1", "ConfigMap/2"], [A1, A2, B1], None),
        (["ConfigMap/1", "ConfigMap/2"], [A1, B1], ["ConfigMap/2"]),
        (["ConfigMap/1", "ConfigMap/2"], [B1], ["ConfigMap/1", "ConfigMap/2"]),
        (["ConfigMap/1", "ConfigMap/1"], [A1], ["ConfigMap/1"]),
        (["ConfigMap/{{ N }}", "ConfigMap/2"], [A1], ["ConfigMap/2"]),
        (["ConfigMap/{{ N }}", "ConfigMap/3"], [], ["ConfigMap/3", "ConfigMap/{{ N }}"]),
        (["ConfigMap/{{ N }}"], [A1], None),
        (["ConfigMap/1"], [A1, A2], None),
        ([], [B1], None),
    ],
)
def test_a_file_is_shown_whole_where_as_many_objects_are_shown_as_it_holds(
    objects: list[str], states: list[LiveState], lacking: Optional[list[str]]
) -> None:
    found = unlisted([holding("a", *objects)], states)
    assert found == ({} if lacking is None else {"a": lacking})


def test_a_dry_run_without_an_error_that_leaves_objects_out_is_unreadable() -> None:
    files = [holding("b", "ConfigMap/1"), holding("a", "ConfigMap/1", "ConfigMap/2")]
    with pytest.raises(AnswerUnreadable) as raised:
        check_listed(files, [])
    problem = raised.value.problem
    assert isinstance(problem, Text)
    assert (problem.key, raised.value.url) == ("deploy.unlisted", "template/preview")
    names = problem.fields["names"]
    assert isinstance(names, list)
    assert [(text.key, text.fields["name"], text.fields["objects"]) for text in names] == [
        ("deploy.lacks", "a", ["ConfigMap/1", "ConfigMap/2"]),
        ("deploy.lacks", "b", ["ConfigMap/1"]),
    ]
    check_listed(files, [], error="the dry run stopped there")
    check_listed(files, [A1, A2, B1])


def test_a_plan_is_made_of_nothing_that_a_dry_run_left_out() -> None:
    bcs = SmallNamespace()
    files = three_files(bcs)
    bcs.unlisted = ["ConfigMap/a"]
    with pytest.raises(AnswerUnreadable):
        planned(bcs, *files)
    bcs.refusal = "quota"
    with pytest.raises(DryRunFailed):
        planned(bcs, *files)


@pytest.mark.parametrize(
    ("states", "there"),
    [
        ([state("a", "web", kind="Deployment")], True),
        ([state("a", "other", kind="Deployment")], False),
        ([state("a", "1"), state("a", "web", kind="Deployment")], True),
        ([state("a", "web", kind="Deployment"), A1], False),
        ([state("a", "1")], False),
        ([], False),
    ],
)
def test_a_list_tells_whether_all_is_hidden_from_previews(states: list[LiveState], *, there: bool) -> None:
    bcs = SmallNamespace()
    bcs.live["Deployment/web"] = body("Deployment", "web")
    assert is_there_after_all(bcs, bcs.deploying().place, states) is there


# --- what a preview cuts --------------------------------------------------------------------------------

OWN = {"schedulerName": "own"}
"""What a preview cuts."""


def templated(name: str = "web", **fields: str) -> Object:
    """Return a StatefulSet with these fields of its pods' template."""
    return body("StatefulSet", name, template={"spec": {"nodeName": "n", **fields}})


def scheduler_of(found: Optional[Mapping[str, YamlValue]]) -> object:
    return mapping_at(found, "spec", "template", "spec").get("schedulerName")


@pytest.mark.parametrize(
    ("wanted", "live", "version", "space", "reads"),
    [
        (templated(), templated(), "2", SPACE, False),
        (templated(**OWN), templated(**OWN), "2", SPACE, True),
        (templated(**OWN), templated(**OWN), "1", SPACE, True),
        (templated(), templated(**OWN), "1", SPACE, True),
        (templated(), templated(**OWN), "2", "others", True),
        (templated("web", a="2"), templated("web", a="1"), "1", SPACE, False),
    ],
)
def test_a_workload_is_read_whole_where_what_a_preview_cuts_decides(
    wanted: Object, live: Object, version: str, space: str, *, reads: bool
) -> None:
    bcs = SmallNamespace()
    file = bcs.holds("a.yaml", "2", wanted)
    bcs.live["StatefulSet/web"] = marked(live, "a.yaml", version, space=space)
    ((found,), _) = look(bcs, bcs.deploying(), [file])
    assert bcs.count("get StatefulSet") == reads
    assert bool(found.whole) == reads
    assert scheduler_of(found.live) == (scheduler_of(live) if reads else None)


def test_neither_what_is_not_there_nor_what_nobody_waits_for_is_read_whole() -> None:
    bcs = SmallNamespace()
    files = [bcs.holds("a.yaml", "2", templated(**OWN)), bcs.holds("b.yaml", "2", body("ConfigMap", "b"))]
    bcs.has(files[1])
    look(bcs, bcs.deploying(), files)
    assert bcs.calls == ["preview"]


def test_what_is_replaced_is_shown_with_what_its_preview_cuts() -> None:
    bcs = SmallNamespace()
    file = bcs.holds("a.yaml", "2", templated("a", image="2"), body("ConfigMap", "c", data={"a": "2"}))
    other = bcs.holds("b.yaml", "2", templated("b", **OWN))
    bcs.has(other)
    bcs.live["StatefulSet/a"] = marked(templated("a", **OWN), "a.yaml", "1")
    bcs.live["ConfigMap/c"] = marked(body("ConfigMap", "c", data={"a": "1"}), "a.yaml", "1")
    plan = planned(bcs, file, other)
    bcs.calls.clear()
    whole = seen_whole(bcs, bcs.deploying(), plan)
    assert bcs.calls == ["get StatefulSet"]
    assert [title for title, _ in whole.differences] == ["StatefulSet/a", "ConfigMap/c"]
    assert "-      schedulerName: own" in dict(whole.differences)["StatefulSet/a"]
    assert scheduler_of(whole.states[0].live) == "own"
    assert (whole.states[1:], whole.notes, whole.is_blind) == (plan.states[1:], plan.notes, False)


def test_what_can_not_be_read_whole_costs_a_sentence() -> None:
    bcs = SmallNamespace()
    files = [bcs.holds(f"{name}.yaml", "2", templated(name, image="2")) for name in "ab"]
    for name in "ab":
        bcs.live[f"StatefulSet/{name}"] = marked(templated(name), f"{name}.yaml", "1")
    plan = replace(planned(bcs, *files), notes=(say("deploy.conflict"),))

    def refuse() -> None:
        raise REFUSED

    bcs.before["get StatefulSet"] = refuse
    whole = seen_whole(bcs, bcs.deploying(), plan)
    assert keys(whole.notes) == ["deploy.conflict", "deploy.cut"]
    assert whole.notes[1].fields == {
        "objects": ["StatefulSet/a", "StatefulSet/b"],
        "problem": REFUSED.title(),
    }
    assert [title for title, _ in whole.differences] == ["StatefulSet/a", "StatefulSet/b"]


@pytest.mark.parametrize(
    ("error", "notes"),
    [(None, []), (REFUSED, ["deploy.nothing_seen"]), (GatewayFailed(url="u", status=504, message="m"), [])],
)
def test_a_namespace_in_which_nobody_may_look_is_said_since_all_of_it_looks_new(
    error: Optional[StepError], notes: list[str]
) -> None:
    bcs = SmallNamespace()
    file = bcs.holds("a.yaml", "2", body("Deployment", "a"))
    plan = planned(bcs, file)

    def refuse() -> None:
        if error is not None:
            raise error

    bcs.before["list Deployment"] = refuse
    found = seen_whole(bcs, bcs.deploying(), plan)
    assert (keys(found.notes), found.is_blind) == (notes, bool(notes))
    assert all(note.fields == {"problem": REFUSED.title()} for note in found.notes)


# --- calls ----------------------------------------------------------------------------------------------


def many(bcs: SmallNamespace, count: int) -> list[FileVersion]:
    return [bcs.holds(f"{n:02}.yaml", "2", body("ConfigMap", f"c{n:02}")) for n in range(count)]


def test_states_come_in_the_order_of_their_files_and_the_first_words_of_a_dry_run_count() -> None:
    bcs = SmallNamespace()
    files = many(bcs, 50)[::-1]
    said = iter(["", "first words", "second"])
    bcs.before["preview"] = lambda: setattr(bcs, "refusal", next(said))
    states, error = look(bcs, bcs.deploying(), files)
    assert [state.file for state in states] == [file.name for file in files]
    assert error == "first words"
    assert in_order([B1, state("x", "1"), A1], [holding("a"), holding("b")]) == (A1, B1, state("x", "1"))


@pytest.mark.parametrize(
    "error", [GatewayFailed(url="u", status=504, message="m"), Unreachable(url="u", problem="p")]
)
def test_a_dry_run_that_takes_too_long_goes_into_smaller_ones(error: StepError) -> None:
    bcs = SmallNamespace()
    files = many(bcs, 4)

    def slow() -> None:
        if len(bcs.calls) == 1:
            bcs.clock.time += TOO_LONG
            raise error

    bcs.before["preview"] = slow
    states, _ = look(bcs, bcs.deploying(), files)
    assert [state.file for state in states] == [file.name for file in files]
    assert bcs.count("preview") > 2


@pytest.mark.parametrize(("count", "longest"), [(1, inf), (2, 30.0)])
def test_a_dry_run_that_can_be_smaller_is_not_tried_again_after_it_took_too_long(
    count: int, longest: float
) -> None:
    bcs = SmallNamespace()
    look(bcs, bcs.deploying(), many(bcs, count))
    assert bcs.longest == [longest]


@pytest.mark.parametrize(("count", "took"), [(2, TOO_LONG - 1), (1, TOO_LONG)])
def test_a_dry_run_that_fails_soon_or_can_not_be_smaller_is_a_failure(count: int, took: float) -> None:
    bcs = SmallNamespace()
    files = many(bcs, count)
    error = GatewayFailed(url="u", status=504, message="m")

    def fail() -> None:
        bcs.clock.time += took
        raise error

    bcs.before["preview"] = fail
    with pytest.raises(GatewayFailed):
        look(bcs, bcs.deploying(), files)
    assert bcs.count("preview") == 1


def test_a_look_at_more_than_there_is_time_for_is_none() -> None:
    bcs = SmallNamespace()
    files = many(bcs, 30)
    bcs.before["preview"] = lambda: setattr(bcs.clock, "time", bcs.clock.time + 10)
    with pytest.raises(OutOfTime) as raised:
        look(bcs, bcs.deploying(seconds=10), files)
    assert raised.value.seconds == 10


# --- what is there --------------------------------------------------------------------------------------


def test_a_file_is_live_where_all_its_objects_are_and_carry_its_version() -> None:
    files = [holding("a", "ConfigMap/1", "ConfigMap/2"), holding("b", "ConfigMap/1")]
    assert live_files([A1, A2, B1], files, space=SPACE) == tuple(files)
    assert live_files([A1, A2], files, space=SPACE) == (files[0],), "of which nothing is shown"
    assert live_files([A1, B1], files, space=SPACE) == (files[1],), "not all is shown"
    for other in (state("a", "2", live="1"), state("a", "2", live="2", space="x"), state("a", "2")):
        assert live_files([A1, other, B1], files, space=SPACE) == (files[1],)
        assert not_marked([A1, other, B1], files, space=SPACE) == [other]
    assert not_marked([A1], [], space=SPACE) == [A1]


def test_what_something_has_changed_since_it_was_applied_is_named() -> None:
    def sent(live: Optional[Object]) -> LiveState:
        return LiveState("a", "Deployment", "web", body("Deployment", "web", paused=False, replicas=2), live)

    lives = (
        body("Deployment", "web", paused=True, replicas=2),
        body("Deployment", "web", paused=False, replicas=5),
        None,
    )
    assert [unlike([sent(live)]) for live in lives] == [("Deployment/web",), (), ()]
