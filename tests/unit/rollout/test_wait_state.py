"""What a first look at a workload tells of what was there before the wait."""

from __future__ import annotations

import pytest
from tests.support.objects import MARKS, NAME, VERSION, deployment

from bcs_template_set.manifests.kinds import DEPLOYMENT
from bcs_template_set.rollout.wait_state import WaitState
from bcs_template_set.rollout.watched import Watched, Workload


@pytest.mark.parametrize(
    ("before", "now", "pods", "met"),
    [(4, 5, 3, False), (4, 6, 3, True), (4, 6, 7, False), (4, 4, 3, False), (0, 6, 3, False)],
)
def test_more_writes_than_ours_are_somebody_elses_but_for_an_autoscalers(
    before: int, now: int, pods: int, *, met: bool
) -> None:
    read_back = deployment(annotations=MARKS)
    workload = Workload(DEPLOYMENT, "web", NAME, VERSION, live=read_back, generation=before)
    state = WaitState(workload, Watched(workload), looked_at=0, seen_at=0)
    state.status(deployment(annotations=MARKS, generation=now, replicas=pods))
    assert state.met_others == met
