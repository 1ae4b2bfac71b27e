"""What a first look at a workload tells of what was there before the wait."""

from __future__ import annotations

import pytest
from tests.support.objects import MARKS, NAME, VERSION, Object, condition, deployment, workload

from bcs_template_set.manifests.custom_kinds import ROLLOUT
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kinds import DEPLOYMENT
from bcs_template_set.rollout.wait_state import WaitState
from bcs_template_set.rollout.watched import Watched, Workload


@pytest.mark.parametrize(
    ("kind", "before", "now", "pods", "met"),
    [
        (DEPLOYMENT, 4, 5, 3, False),
        (DEPLOYMENT, 4, 6, 3, True),
        (DEPLOYMENT, 4, 6, 7, False),
        (DEPLOYMENT, 4, 4, 3, False),
        (DEPLOYMENT, 0, 6, 3, False),
        (ROLLOUT, 4, 6, 3, False),
    ],
)
def test_more_writes_than_ours_are_somebody_elses_but_for_an_autoscalers(
    kind: Kind, before: int, now: int, pods: int, *, met: bool
) -> None:
    read_back = deployment(annotations=MARKS)
    waited = Workload(kind, "web", NAME, VERSION, live=read_back, generation=before)
    state = WaitState(waited, Watched(waited), looked_at=0, seen_at=0)
    state.status(deployment(annotations=MARKS, generation=now, replicas=pods))
    assert state.met_others == met


def test_an_argo_rollout_that_was_given_up_before_is_on_its_way_until_it_is_once_more() -> None:
    waited = Workload(ROLLOUT, "web", NAME, VERSION)
    state = WaitState(waited, Watched(waited), looked_at=0, seen_at=0)

    def given_up(moment: str) -> Object:
        said: Object = condition("Progressing", "False", reason="ProgressDeadlineExceeded")
        status: Object = {
            "phase": "Degraded",
            "message": "ProgressDeadlineExceeded: m",
            "conditions": [{**said, "lastUpdateTime": moment}],
        }
        return workload("Rollout", annotations=MARKS, spec={"replicas": 3}, status=status)

    first, again, fresh = (state.status(given_up(moment)) for moment in ("10:00", "10:00", "11:00"))
    assert [first.state, again.state, fresh.state] == ["progressing", "progressing", "failed"]
    assert (
        str(first.sentence) == str(fresh.sentence) == "The rollout is degraded: ProgressDeadlineExceeded: m"
    )
