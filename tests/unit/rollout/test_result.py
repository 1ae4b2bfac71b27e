"""What a deployment left live, file by file: as far as its objects were read."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

import pytest

from bcs_template_set.manifests.kind_rules import WorkloadState
from bcs_template_set.manifests.kinds import DEPLOYMENT
from bcs_template_set.messages.errors import RolloutFailed
from bcs_template_set.messages.server_errors import RolloutTimedOut, RolloutUnseen
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.rollout.live_state import FileVersion
from bcs_template_set.rollout.result import Before, Restoration, Rollout, rollout_result
from bcs_template_set.rollout.watched import Watched, Workload

NEW, OLD = FileVersion("a.yaml", "2", "1.0.8"), FileVersion("a.yaml", "1", "1.0.7")
BEGUN = Rollout("BCS-K8S-40000", "prod", before=(Before("a.yaml", "1.0.7"),))


@pytest.mark.parametrize(
    ("rollout", "live"),
    [
        (BEGUN, ("1.0.7",)),
        (replace(BEGUN, refused=("a.yaml",)), ("1.0.7",)),
        (replace(BEGUN, deployed=(NEW,)), ("1.0.8",)),
        (replace(BEGUN, partly=(NEW,)), ("1.0.7", "1.0.8")),
        (replace(BEGUN, unread=("a.yaml",)), None),
        (replace(BEGUN, lost=("a.yaml",)), None),
        (replace(BEGUN, before=(), live_already=(OLD,)), ("1.0.7",)),
        (replace(BEGUN, before=(), live_already=(replace(OLD, live_as="1.0.6"),)), ("1.0.6",)),
        (replace(BEGUN, before=(), live_already=(replace(OLD, live_as=""),)), None),
        (replace(BEGUN, deployed=(NEW,), restoration=Restoration(files=(OLD,))), ("1.0.7",)),
        (
            replace(
                BEGUN,
                deployed=(NEW,),
                restoration=Restoration(not_back=("a.yaml",), runs=(("a.yaml", "1.0.6, 1.0.8"),)),
            ),
            ("1.0.6, 1.0.8",),
        ),
        (replace(BEGUN, deployed=(NEW,), restoration=Restoration(unread=("a.yaml",))), None),
    ],
)
def test_what_is_live_of_a_file_after_a_deployment(rollout: Rollout, live: tuple[str, ...] | None) -> None:
    assert rollout.live.get("a.yaml") == live


# --- what it is called ----------------------------------------------------------------------------------

BACK = replace(BEGUN, restoration=Restoration(files=(OLD,)))
TIMED_OUT, UNSEEN, FAILED = (
    RolloutTimedOut(count=1, seconds=9),
    RolloutUnseen(count=1),
    RolloutFailed(count=1),
)


@pytest.mark.parametrize(
    ("error", "rollout", "result"),
    [
        (None, BEGUN, None),
        (None, BACK, None),
        (TIMED_OUT, None, None),
        (TIMED_OUT, BEGUN, "timed-out"),
        (UNSEEN, BEGUN, "unseen"),
        (FAILED, BEGUN, None),
        (FAILED, BACK, "restored"),
        (TIMED_OUT, replace(BEGUN, restoration=Restoration()), "timed-out"),
        (FAILED, replace(BEGUN, restoration=Restoration(files=(OLD,), not_back=("b.yaml",))), None),
    ],
)
def test_a_rollouts_end_has_a_result_of_its_own_where_it_is_not_simply_failed(
    error: Optional[StepError], rollout: Optional[Rollout], result: Optional[str]
) -> None:
    assert rollout_result(error, rollout) == result


def watched(end: WorkloadState, *, was_live: bool = False) -> Watched:
    return Watched(Workload(DEPLOYMENT, "web", "web/a.yaml", "1.0.8", was_live=was_live), end)


@pytest.mark.parametrize(
    ("items", "paused", "troubled", "elsewhere"),
    [
        ([], False, 0, False),
        ([watched("ready"), watched("nothing")], False, 0, False),
        ([watched("paused")], True, 0, False),
        ([watched("failed"), watched("pending", was_live=True)], False, 2, False),
        ([watched("failed", was_live=True), watched("ready")], False, 1, True),
    ],
)
def test_a_rollout_tells_who_waits_and_who_is_in_trouble(
    items: list[Watched], *, paused: bool, troubled: int, elsewhere: bool
) -> None:
    found = replace(BEGUN, watched=tuple(items))
    assert (found.is_paused, len(found.troubled), found.fails_elsewhere) == (paused, troubled, elsewhere)


def test_what_others_have_deployed_since_does_not_go_back() -> None:
    way = Restoration(overtaken=("x",), not_back=("a", "b"), unready=("a",), unknown=("b",))
    left = Restoration(overtaken=("x", "said"), not_back=("b",), unknown=("b",))
    assert way.leaving({"a": "said"}) == left


@pytest.mark.parametrize(
    ("way", "unseen"),
    [
        (Restoration(), False),
        (Restoration(watched=(watched("ready"),)), False),
        (Restoration(watched=(watched("unseen"), watched("ready"))), True),
        (Restoration(watched=(watched("unseen"), watched("failed"))), False),
        (Restoration(unread=("a",)), True),
        (Restoration(unread=("a",), not_back=("b",)), False),
    ],
)
def test_a_way_back_is_unseen_where_nothing_is_known_against_it(way: Restoration, *, unseen: bool) -> None:
    assert way.is_unseen is unseen
