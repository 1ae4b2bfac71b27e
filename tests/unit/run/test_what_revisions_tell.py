"""Of which versions a Deployment's revisions would tell that somebody went back from them."""

from __future__ import annotations

import pytest

from bcs_template_set.bcs.marks import Mark
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.rollout.live_state import LiveState
from bcs_template_set.rollout.revisions import Revision
from bcs_template_set.run.versions_to_deploy import tells

LIVE = Revision(1, Mark("front-ends/web.yaml", "1.0.57"), "", "")


def web(tag: str, *, kept: int = 10, **pod: YamlValue) -> dict[str, YamlValue]:
    spec: dict[str, YamlValue] = {"containers": [{"name": "main", "image": f"example.com/web:{tag}"}], **pod}
    return {"kind": "Deployment", "spec": {"revisionHistoryLimit": kept, "template": {"spec": spec}}}


@pytest.mark.parametrize(
    ("wanted", "live", "revisions", "told"),
    [
        (web("58"), web("57"), (LIVE,), True),
        (web("58"), web("57"), (), False),
        (web("57", kept=5), web("57"), (LIVE,), False),
        (web("58"), web("57", kept=0), (LIVE,), False),
        (web("57", securityContext={"runAsUser": 1}), web("57"), (LIVE,), False),
    ],
    ids=["other-pods", "no-revisions", "same-pods", "none-kept", "cut-by-the-preview"],
)
def test_revisions_tell_of_versions_with_other_pods(
    wanted: dict[str, YamlValue], live: dict[str, YamlValue], revisions: tuple[Revision, ...], *, told: bool
) -> None:
    assert tells(LiveState("web.yaml", "Deployment", "web", wanted, live), revisions) == told
