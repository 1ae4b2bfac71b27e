"""What a deployment left live, file by file: as far as its objects were read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bcs_template_set.rollout.live_state import FileVersion
from bcs_template_set.rollout.result import Before, Restoration, Rollout

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
                restoration=Restoration(not_back=("a.yaml",), runs=(("a.yaml", "1.0.8"),)),
            ),
            ("1.0.8",),
        ),
        (replace(BEGUN, deployed=(NEW,), restoration=Restoration(unread=("a.yaml",))), None),
    ],
)
def test_what_is_live_of_a_file_after_a_deployment(rollout: Rollout, live: tuple[str, ...] | None) -> None:
    assert rollout.live.get("a.yaml") == live
