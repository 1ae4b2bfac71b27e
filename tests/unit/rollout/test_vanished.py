"""What a workload's absence means, by its kind and what its spec says of its own end."""

from __future__ import annotations

import pytest
from tests.support.objects import NAME, VERSION, Object, deployment, workload

from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kinds import DEPLOYMENT, JOB
from bcs_template_set.rollout.causes import cause_of_vanishing
from bcs_template_set.rollout.watched import Workload

GOING = deployment()
GOING["metadata"] = {"deletionTimestamp": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("kind", "live", "words"),
    [
        (DEPLOYMENT, deployment(), "is gone: somebody, or something in the cluster, has deleted it."),
        (DEPLOYMENT, {}, "is gone: somebody, or something in the cluster, has deleted it."),
        (DEPLOYMENT, GOING, "and somebody, or something in the cluster, is deleting it."),
        (JOB, workload("Job"), "has deleted it. A Job that succeeded and one that failed look alike"),
        (JOB, workload("Job", spec={"ttlSecondsAfterFinished": 0}), "Its ttlSecondsAfterFinished is 0, so"),
    ],
)
def test_what_is_gone_is_told_with_when_it_was_there(kind: Kind, live: Object, words: str) -> None:
    item = Workload(kind, "web", NAME, VERSION)
    cause = cause_of_vanishing(item.kind, item.title, live=live, seen_at=1_767_225_790.0, patience=10)
    told = cause.sentence.render("en_US")
    assert (cause.name, cause.fault, cause.patience) == ("gone", 2, 10)
    assert told.startswith(f"{kind.name}/web was there at 00:03:10 UTC")
    assert words in told
    assert "redeploy" in cause.cure.render("en_US") or "ttlSecondsAfterFinished" in cause.cure.render("en_US")
