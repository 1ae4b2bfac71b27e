"""Where a rollout is, how a workload has ended, and what a person wants to hear of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.objects import MARKS, NAME, VERSION, Object, condition, deployment, workload

from bcs_template_set.bcs.marks import Mark, mark_of
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kind_rules import WorkloadState
from bcs_template_set.manifests.kinds import DAEMON_SET, DEPLOYMENT, JOB, POD, SERVICE, STATEFUL_SET
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.messages import LANGUAGES, say
from bcs_template_set.rollout.causes import Cause
from bcs_template_set.rollout.pods import PodProblem
from bcs_template_set.rollout.watched import RolloutStatus, Watched, Workload, status_of

KINDS = (DEPLOYMENT, STATEFUL_SET, DAEMON_SET, JOB)
COMPLETE: Object = {"conditions": [condition("Complete")]}


def partitioned(*, total: int, updated: int) -> Object:
    """Return a StatefulSet of three pods, all of them well, the first of which a partition keeps."""
    spec: Object = {"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 1}}}
    status: Object = {"replicas": total, "updatedReplicas": updated, "readyReplicas": total}
    return workload("StatefulSet", spec=spec, status=status)


def told(status: RolloutStatus) -> tuple[str, str]:
    return status.state, status.sentence.key.partition(".")[2]


def test_a_status_counts_what_serves_and_what_is_old() -> None:
    going = status_of(DEPLOYMENT, deployment(replicas=3, total=4, updated=3, available=2))
    assert (going.state, going.wanted, going.serving, going.old) == ("progressing", 3, 2, 1)
    ready = status_of(DEPLOYMENT, deployment(replicas=3))
    assert (ready.state, ready.done, ready.wanted, ready.serving, ready.old) == ("ready", 3, 3, 3, 0)
    assert status_of(DEPLOYMENT, {**deployment(), "status": None}).serving is None
    assert status_of(JOB, workload("Job")).serving is None


@pytest.mark.parametrize(
    ("kind", "live", "done", "wanted"),
    [
        (JOB, workload("Job", spec={"completions": 5}, status={"succeeded": 2, **COMPLETE}), 5, 5),
        (JOB, workload("Job", spec={"completions": 5}, status={"succeeded": 2}), 2, 5),
        (STATEFUL_SET, partitioned(total=3, updated=2), 2, 3),
        (STATEFUL_SET, partitioned(total=3, updated=3), 3, 3),
        (DEPLOYMENT, deployment(replicas=0, total=0, updated=0, available=0), 0, 0),
        (DEPLOYMENT, deployment(replicas=2, total=3, updated=1, available=2), 0, 2),
    ],
)
def test_of_what_is_ready_all_that_is_wanted_is_done(
    kind: Kind, live: Object, done: int, wanted: int
) -> None:
    found = status_of(kind, live)
    assert (found.done, found.wanted) == (done, wanted)


def test_a_status_has_the_deadline_that_kubernetes_keeps() -> None:
    assert status_of(DEPLOYMENT, deployment(progressDeadlineSeconds=60)).deadline == 60
    assert status_of(DEPLOYMENT, deployment()).deadline is None


def watched(key: str, *, paused: bool = False, state: WorkloadState = "progressing") -> Watched:
    wanted: Object = {"spec": {"paused": paused}}
    status = RolloutStatus(state, say(f"rollout.{key}"))
    return Watched(Workload(DEPLOYMENT, "web", NAME, VERSION, wanted=wanted), status=status)


@pytest.mark.parametrize(
    ("found", "others", "as_meant"),
    [
        (watched("old"), True, False),
        (watched("old_file"), True, False),
        (watched("changed"), True, False),
        (watched("paused"), True, False),
        (watched("paused", paused=True), False, False),
        (watched("partitioned"), False, True),
        (watched("going"), False, False),
        (replace(watched("ready"), end="ready"), False, True),
        (replace(watched("ready"), status=None), False, False),
    ],
)
def test_what_others_did_and_what_is_meant_is_known_by_what_is_said(
    found: Watched, *, others: bool, as_meant: bool
) -> None:
    assert (found.is_of_others, found.is_as_meant) == (others, as_meant)


def test_the_same_trouble_of_another_pod_is_no_news_and_of_another_container_it_is() -> None:
    told = replace(watched("going"), problem=PodProblem("web-1", "Error", container="main"))
    assert not replace(told, problem=PodProblem("web-2", "Error", container="main")).says_more_than(told)
    assert replace(told, problem=PodProblem("web-1", "Error", container="side")).says_more_than(told)
    assert replace(told, problem=PodProblem("web-1", "OOMKilled", container="main")).says_more_than(told)


FAILS = Cause("image_missing", 1, 0.0, say("deploy.conflict"), say("deploy.conflict"))
LATE = replace(FAILS, name="progress_deadline")


@pytest.mark.parametrize(
    ("cause", "condition", "told"),
    [
        (None, None, ()),
        (FAILS, None, (FAILS,)),
        (None, LATE, (LATE,)),
        (FAILS, LATE, (FAILS,)),
        (FAILS, FAILS, (FAILS, FAILS)),
    ],
)
def test_that_it_made_no_progress_says_nothing_beside_what_its_pods_say(
    cause: Optional[Cause], condition: Optional[Cause], told: tuple[Cause, ...]
) -> None:
    assert replace(watched("going"), cause=cause, condition=condition).causes == told


def counted(done: int, wanted: int, *, key: str = "going", total: int = 0) -> Watched:
    status = RolloutStatus("progressing", say(f"rollout.{key}", total=total), done=done, wanted=wanted)
    return replace(watched(key), status=status)


@pytest.mark.parametrize(
    ("now", "is_news"),
    [
        (counted(1, 3), False),
        (counted(1, 3, total=9), False),
        (replace(counted(1, 3), seconds=9.0, cause=FAILS), False),
        (counted(2, 3), True),
        (counted(1, 2), True),
        (counted(1, 3, key="updating"), True),
        (replace(counted(1, 3), end="failed"), True),
        (replace(counted(1, 3), condition=LATE), True),
        (replace(counted(1, 3), status=None), True),
    ],
)
def test_news_are_another_end_other_counts_another_trouble_and_what_it_says_itself(
    now: Watched, *, is_news: bool
) -> None:
    assert now.says_more_than(counted(1, 3)) is is_news


def test_a_workload_must_be_marked_with_its_files_version_unless_it_was_live_otherwise() -> None:
    one = Workload(DEPLOYMENT, "web", "space/www.yaml", "7")
    assert (one.title, one.mark, one.file_name) == ("Deployment/web", Mark("space/www.yaml", "7"), "www.yaml")
    assert replace(one, marked=Mark("", "")).mark == Mark("", "")
    assert (one.was_live, one.generation, one.live, one.wanted) == (False, 0, {}, {})
    assert replace(one, live={"a": 1}, wanted={"a": 1}, generation=3) == one, (
        "how it was does not tell it apart"
    )


# --- what holds for every kind --------------------------------------------------------------------------


def test_a_kind_without_rollout_has_nothing_to_wait_for() -> None:
    found = status_of(SERVICE, {"kind": "Service"})
    assert told(found) == ("nothing", "no_rollout")
    assert (found.done, found.wanted, found.deadline, found.serving, found.old) == (0, 0, None, None, 0)


def test_what_was_not_looked_at_yet_is_pending() -> None:
    found = Watched(Workload(DEPLOYMENT, "web", NAME, VERSION))
    assert (found.end, found.status, found.seconds, found.met_others) == ("pending", None, 0.0, False)
    assert (found.problem, found.causes, found.blind) == (None, (), None)


@pytest.mark.parametrize("mark", [{}, {**MARKS, "io.tencent.paas.template_version": "1.0.1-main"}])
def test_ready_but_old_is_not_ready(mark: Object) -> None:
    status = status_of(DEPLOYMENT, deployment(annotations=mark), mark=Mark(NAME, VERSION))
    assert told(status) == ("progressing", "old")
    assert VERSION in status.sentence.render("en_US")


def test_a_version_of_that_name_of_another_file_is_old_too() -> None:
    live = deployment(annotations=MARKS)
    status = status_of(DEPLOYMENT, live, mark=Mark("web/other.yaml", VERSION))
    assert told(status) == ("progressing", "old_file")
    assert f"marked as of {NAME}, version 1.0.2-main" in status.sentence.render("en_US")
    assert mark_of(live) == Mark(NAME, VERSION)


def test_ready_and_marked_is_ready() -> None:
    live = deployment(annotations=MARKS)
    assert told(status_of(DEPLOYMENT, live, mark=Mark(NAME, VERSION))) == ("ready", "ready")


def test_an_old_failure_is_not_the_new_versions_failure() -> None:
    live = deployment(conditions=[condition("Progressing", "False", reason="ProgressDeadlineExceeded")])
    assert told(status_of(DEPLOYMENT, live, mark=Mark(NAME, VERSION))) == ("progressing", "old")


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_being_deleted_is_gone(kind: Kind) -> None:
    live = workload(kind.name)
    live["metadata"] = {"generation": 1, "deletionTimestamp": "2026-01-01T00:00:00Z"}
    assert told(status_of(kind, live)) == ("gone", "deleting")


@pytest.mark.parametrize(("name", "state"), [("Complete", "ready"), ("Failed", "failed")])
def test_a_job_that_is_done_keeps_its_verdict_while_it_is_cleaned_up(name: str, state: str) -> None:
    live = workload("Job", status={"conditions": [condition(name)]})
    live["metadata"] = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
    assert status_of(JOB, live).state == state


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", [None, "gone", []])
def test_an_answer_without_status_is_said_and_is_not_ready(kind: Kind, status: YamlValue) -> None:
    live = workload(kind.name)
    live["status"] = status
    assert told(status_of(kind, live)) == ("progressing", "no_status")


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_without_marks_and_status_is_of_no_version(kind: Kind) -> None:
    live = workload(kind.name)
    live["status"] = None
    assert told(status_of(kind, live, mark=Mark("shop/web.yaml", "1.0.8"))) == ("progressing", "no_status")


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (DEPLOYMENT, {"availableReplicas": 3, "readyReplicas": 3, "updatedReplicas": 3}),
        (STATEFUL_SET, {"readyReplicas": 3, "updatedReplicas": 3}),
        (DAEMON_SET, {"desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 3}),
    ],
)
def test_an_entry_of_a_list_is_cut_down_and_never_ready(kind: Kind, status: Object) -> None:
    pruned: Object = {"metadata": {"name": "web"}, "spec": {"replicas": 3}, "status": status}
    assert told(status_of(kind, pruned)) == ("progressing", "no_status")


def test_counts_that_went_through_a_protobuf_struct_are_the_same_counts() -> None:
    live = workload(
        "Deployment",
        spec={"replicas": 2.0},
        status={"replicas": 2.0, "updatedReplicas": 2.0, "availableReplicas": 1.0},
    )
    status = status_of(DEPLOYMENT, live)
    assert status.sentence.render("en_US") == "1 of 2 updated pods are available."
    assert status.sentence.render("zh_CN") == "2 个已更新的 Pod 中有 1 个可用。"


GARBAGE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "metadata",
                    "spec",
                    "status",
                    "generation",
                    "observedGeneration",
                    "replicas",
                    "conditions",
                    "type",
                    "reason",
                    "updateStrategy",
                    "rollingUpdate",
                    "partition",
                    "annotations",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(
    live=st.dictionaries(st.sampled_from(["metadata", "spec", "status"]), GARBAGE),
    kind=st.sampled_from([*KINDS, POD]),
    mark=st.sampled_from([None, Mark(NAME, VERSION)]),
)
def test_any_answer_at_all_gives_a_status_in_both_languages(
    live: Object, kind: Kind, mark: Optional[Mark]
) -> None:
    status = status_of(kind, live, mark=mark)
    assert 0 <= status.done <= max(status.wanted, 0)
    assert all(status.sentence.render(language) for language in LANGUAGES)
