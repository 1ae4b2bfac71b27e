"""A workload as a person reads of it: where it stands, why in a word and in a sentence, and what to do."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

import pytest
from tests.support import rollout_scenes, scenes

from bcs_template_set.bcs.marks import Mark
from bcs_template_set.manifests import kinds
from bcs_template_set.manifests.kind_rules import WorkloadState
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import InputsInvalid, NoPermission
from bcs_template_set.messages.server_errors import GatewayFailed
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.report.workload_rows import (
    SYMBOLS,
    rows_of_restoration,
    rows_of_rollout,
    workload_row,
    workload_rows,
)
from bcs_template_set.rollout.causes import Cause
from bcs_template_set.rollout.result import Restoration
from bcs_template_set.rollout.watched import Blind, Watched

HOST = "b.example.com"
STANDS = say("rollout.not_available", well=0, updated=1, wanted=1)
CAUSE = Cause(
    "own", 1, 0, say("rollout.observing"), say("rollout.replaced.cure"), grace=say("rollout.no_status")
)


def item(end: WorkloadState, **fields: object) -> Watched:
    return replace(rollout_scenes.watched(HOST, end), **fields)  # type: ignore[arg-type] # its fields


def blind(error: StepError) -> Blind:
    return Blind(scenes.FINISHED, error)


FORBIDDEN = NoPermission(user="lisi", message="no")
DOWN = GatewayFailed(url="/x", status=504, message="")


@pytest.mark.parametrize(
    ("watched", "reason"),
    [
        (item("unseen", blind=blind(FORBIDDEN)), "no-permission, 800210"),
        (item("unseen", blind=blind(DOWN)), "server-error, 800606"),
        (item("unseen", blind=blind(InputsInvalid())), "could-not-look, 800102"),
        (item("unseen"), ""),
        (item("pending", blind=blind(DOWN)), ""),
        (item("failed", problem=rollout_scenes.NOT_FOUND, cause=CAUSE), "ErrImagePull"),
        (item("failed", cause=CAUSE), "own"),
        (item("failed"), ""),
    ],
)
def test_why_a_workload_is_not_ready_is_told_in_a_word(watched: Watched, reason: str) -> None:
    assert workload_row(watched).reason == reason


@pytest.mark.parametrize(
    ("watched", "sentence"),
    [
        (item("pending"), STANDS),
        (item("pending", status=None), say("deploy.never_seen")),
        (item("gone"), say("deploy.last_seen", sentence=STANDS)),
        (item("unseen"), say("deploy.last_seen", sentence=STANDS)),
    ],
)
def test_where_a_workload_stands_is_told_and_of_one_that_nobody_sees_where_it_stood(
    watched: Watched, sentence: Text
) -> None:
    assert workload_row(watched).sentence == sentence


@pytest.mark.parametrize(
    ("end", "marked", "version"),
    [
        ("pending", None, scenes.VERSION),
        ("pending", Mark("web/b.yaml", "1.0.7"), "1.0.7"),
        ("pending", Mark("web/b.yaml", ""), scenes.VERSION),
        ("ready", None, None),
    ],
)
def test_of_what_was_live_before_and_is_not_ready_its_version_is_told(
    end: WorkloadState, marked: Optional[Mark], version: Optional[str]
) -> None:
    watched = item(end)
    live = replace(watched, workload=replace(watched.workload, was_live=True, marked=marked))
    plain = workload_row(watched).sentence
    told = plain if version is None else say("deploy.live_before", sentence=plain, version=version)
    assert workload_row(live).sentence == told


def test_a_row_of_what_was_never_seen_counts_nothing() -> None:
    row = workload_row(item("pending", status=None))
    assert (row.done, row.wanted, row.old) == (0, 0, None)


@pytest.mark.parametrize(
    ("done", "old", "serving", "told"),
    [(0, 1, 1, 1), (1, 2, 3, 2), (2, 1, 2, 0), (2, 2, 1, 0), (0, 3, 1, 1), (0, 0, 0, 0), (0, 1, None, None)],
)
def test_no_more_old_pods_are_said_to_serve_than_can(
    done: int, old: int, serving: Optional[int], told: Optional[int]
) -> None:
    watched = item("pending")
    assert watched.status is not None
    status = replace(watched.status, serving=serving, old=old, done=done)
    assert workload_row(replace(watched, status=status)).old == told


def test_all_there_is_to_say_of_a_workload_is_where_it_stands_why_what_the_cluster_says_and_the_cure() -> (
    None
):
    watched = item("failed", problem=rollout_scenes.NOT_FOUND, cause=CAUSE, blind=blind(DOWN))
    row = workload_row(watched, link="{}/{}".format)
    assert CAUSE.grace is not None
    unseen = say("rollout.pods_unseen", since="00:00:00 UTC", problem=DOWN.title())
    assert row.stands == [
        say("deploy.workload", object=f"Deployment/deployment.nginx.{HOST}", sentence=STANDS),
        CAUSE.sentence,
        CAUSE.grace,
        unseen,
    ]
    assert row.evidence
    assert row.explanation == [*row.stands, *row.evidence, say("context.cure", value=CAUSE.cure)]
    assert row.why == CAUSE.sentence
    assert (row.url, row.pod_url) == (
        f"Deployment/deployment.nginx.{HOST}",
        f"Pod/{rollout_scenes.NOT_FOUND.pod}",
    )


def test_what_is_ready_or_has_no_cause_has_nothing_to_explain_but_where_it_stands() -> None:
    ready = workload_row(item("ready", problem=rollout_scenes.NOT_FOUND, cause=CAUSE), link="{}/{}".format)
    assert (ready.causes, ready.evidence, ready.cure, ready.pod_url) == ((), (), None, "")
    bare = workload_row(item("failed", cause=replace(CAUSE, grace=None)))
    assert bare.causes == (CAUSE.sentence,)
    assert (bare.url, bare.pod_url) == ("", "")
    plain = workload_row(item("failed"))
    assert (plain.explanation, plain.why) == (plain.stands, plain.sentence)


def test_since_when_a_workload_can_not_be_looked_at_is_told() -> None:
    (told,) = workload_row(item("unseen", blind=blind(DOWN))).causes
    assert told == say("rollout.unseen", since="00:00:00 UTC", problem=DOWN.title())


def test_workloads_that_need_eyes_come_first_and_of_one_state_they_are_sorted() -> None:
    order: list[WorkloadState] = ["failed", "gone", "unseen", "pending", "paused", "ready", "nothing"]
    assert [row.state for row in workload_rows([item(end) for end in reversed(order)])] == order
    assert [SYMBOLS[end] for end in order] == list("✗✗?…‖✓–")
    job, first = item("ready"), item("ready")
    job = replace(job, workload=replace(job.workload, kind=kinds.JOB, name="a"))
    first = replace(first, workload=replace(first.workload, name="a"))
    titles = [row.title for row in workload_rows([job, item("ready"), first])]
    assert titles == ["Deployment/a", f"Deployment/deployment.nginx.{HOST}", "Job/a"]


def test_workloads_of_a_rollout_and_of_what_was_restored_have_their_pages() -> None:
    restored = rollout_scenes.restored().outcome
    assert restored.rollout is not None
    page = "https://bcs.example.com/bcs/projects/demo/clusters/BCS-K8S-40000/workloads/deployments/"
    for rows in (rows_of_rollout(restored), rows_of_restoration(restored)):
        assert rows
        assert all(row.url.startswith(f"{page}namespaces/prod/deployment.nginx.") for row in rows)
    assert [row.state for row in rows_of_restoration(restored)] == ["ready"]
    kept = replace(restored, rollout=replace(restored.rollout, restoration=None))
    assert rows_of_restoration(kept) == rows_of_restoration(scenes.published()) == ()
    assert rows_of_rollout(scenes.published()) == ()
    assert (
        rows_of_restoration(replace(kept, rollout=replace(restored.rollout, restoration=Restoration()))) == ()
    )
