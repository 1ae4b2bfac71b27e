"""Whether what is live was ready when it was read whole; what nobody could read is unknown."""

from __future__ import annotations

from typing import Optional

from tests.support.objects import deployment, workload

from bcs_template_set.manifests.fields import Fields
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.rollout.live_state import LiveState
from bcs_template_set.rollout.restore import readiness_of

READY, BROKEN = deployment(), deployment(available=1)
UNREAD: Fields = {}


def state(whole: Optional[Fields], *, file: str = "web.yaml", kind: str = "Deployment") -> LiveState:
    """A workload as it was read whole; without that, one that is not live."""
    body: dict[str, YamlValue] = {"apiVersion": "apps/v1", "kind": kind}
    return LiveState(file, kind, "web", body, None if whole is None else body, whole or {})


def test_a_file_was_ready_where_all_its_workloads_were_and_not_where_one_was_not() -> None:
    assert readiness_of([state(READY), state(BROKEN)]) == {"web.yaml": False}
    assert readiness_of([state(READY, file="a"), state(BROKEN, file="b")]) == {"a": True, "b": False}
    assert readiness_of([state(READY), state(READY)]) == {"web.yaml": True}


def test_of_what_could_not_be_read_nobody_knows_unless_another_one_was_not_ready() -> None:
    assert readiness_of([state(READY), state(UNREAD)]) == {"web.yaml": None}
    assert readiness_of([state(UNREAD), state(BROKEN)]) == {"web.yaml": False}


def test_what_is_not_live_or_not_waited_for_is_left_out() -> None:
    assert readiness_of([state(None), state(READY, kind="ConfigMap")]) == {}


def test_where_there_is_nothing_to_wait_for_nobody_knows() -> None:
    by_hand = workload(
        "StatefulSet", spec={"updateStrategy": {"type": "OnDelete"}}, status={"readyReplicas": 1}
    )
    assert readiness_of([state(by_hand, kind="StatefulSet")]) == {"web.yaml": None}
