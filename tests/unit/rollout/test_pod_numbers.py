"""Which numbers of pods a deployment keeps, changes and leaves, and what is said of each."""

from __future__ import annotations

from typing import Optional

import pytest

from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.messages import Text, say
from bcs_template_set.rollout.deployment_plan import PodNumbers, plan_deployment
from bcs_template_set.rollout.live_state import FileVersion, LiveState
from bcs_template_set.rollout.pod_numbers import (
    as_many_as,
    autoscalers_in,
    changed_number,
    lost_pods,
    pods_after,
    still_fewer,
    targets_of,
    with_pods,
)

WEB = "Deployment/web"
SCALED, KEPT = PodNumbers(scaled=frozenset({WEB})), PodNumbers(kept=frozenset({WEB}))
Number = Optional[YamlValue]


def state(live: Number, wanted: Number, *, kind: str = "Deployment", group: str = "apps/v1") -> LiveState:
    """Return a workload; `live` None = it is not there, `wanted` None = the text says no number."""

    def body(replicas: Number) -> dict[str, YamlValue]:
        spec: dict[str, YamlValue] = {} if replicas is None else {"replicas": replicas}
        return {"apiVersion": group, "kind": kind, "metadata": {"name": "web"}, "spec": spec}

    return LiveState("web.yaml", kind, "web", body(wanted), None if live is None else body(live))


@pytest.mark.parametrize(
    ("found", "after", "changes"),
    [
        (state(10, None), 1, True),
        (state(10, None, kind="StatefulSet"), 1, True),
        (state(1, None), 1, False),
        (state(0, None), 1, True),
        (state(None, None), 1, False),
        (state(3, 3), 3, False),
        (state(3, 5), 5, True),
        (state(3, "two"), None, False),
        (state(3, None, kind="Widget", group="example.com/v1"), None, False),
        (state(3, 2, kind="Widget", group="example.com/v1"), 2, True),
    ],
)
def test_how_many_pods_there_are_after_a_deployment(
    *, found: LiveState, after: Optional[int], changes: bool
) -> None:
    assert (pods_after(found), changed_number(found) is not None) == (after, changes)


@pytest.mark.parametrize(
    ("found", "numbers", "said"),
    [
        (state(10, None), PodNumbers(), "10 pods now, 1 after this, since its file says no number"),
        (state(10, None), SCALED, "10 pods now (an autoscaler's number), 1 after this, since its file"),
        (state(10, 1), PodNumbers(), "10 pods now, 1 after this, as its file says"),
        (state(10, 1), SCALED, "10 pods now (an autoscaler's number), 1 after this, as its file says"),
        (state(2, 5), SCALED, "2 pods now (an autoscaler's number), 5 after this"),
        (state(2, 5), PodNumbers(), None),
        (state(10, None), KEPT, None),
        (state(10, 10), SCALED, None),
        (state(None, 1), SCALED, None),
    ],
)
def test_a_number_that_goes_is_said(found: LiveState, numbers: PodNumbers, said: Optional[str]) -> None:
    warnings = [str(warning) for warning in lost_pods([found], numbers)]
    assert len(warnings) == (said is not None)
    assert all(warning.startswith(f"{WEB}: {said}") for warning in warnings)


def test_the_way_out_names_kind_and_workload() -> None:
    (said,) = lost_pods([state(10, None, kind="StatefulSet")], PodNumbers())
    assert 'replicas: {{ live_replicas("web", "StatefulSet") }}' in str(said)
    (said,) = lost_pods([state(10, 1)], PodNumbers())
    assert 'replicas: {{ live_replicas("web") }}' in str(said)
    assert "replicas: auto" in str(said)


def planned(found: LiveState, numbers: PodNumbers, *, redeploy: bool) -> tuple[list[str], tuple[str, ...]]:
    file = FileVersion("web.yaml", "id", "")
    plan = plan_deployment([file], [found], space="s", redeploy=redeploy, numbers=numbers)
    plan = with_pods(plan, numbers)
    assert not plan.is_blind
    return [warning.key for warning in plan.pods], plan.kept


@pytest.mark.parametrize(
    ("numbers", "redeploy", "keys", "kept"),
    [
        (PodNumbers(), True, ["deploy.pods_said"], ()),
        (
            PodNumbers(unseen=say("deploy.never_seen")),
            True,
            ["deploy.pods_said", "deploy.autoscalers_unseen"],
            (),
        ),
        (KEPT, True, [], (f"{WEB} 5",)),
    ],
)
def test_a_plan_says_what_becomes_of_the_pods_that_it_touches(
    *, numbers: PodNumbers, redeploy: bool, keys: list[str], kept: tuple[str, ...]
) -> None:
    assert planned(state(5, 2), numbers, redeploy=redeploy) == (keys, kept)
    assert planned(state(0, 2), KEPT, redeploy=redeploy) == ([], (f"{WEB} 0",))


def test_a_plan_names_the_numbers_that_its_text_does_not_decide() -> None:
    def several(found: LiveState, numbers: PodNumbers) -> tuple[str, ...]:
        file = FileVersion("web.yaml", "id", "")
        plan = plan_deployment([file], [found], space="s", redeploy=True, numbers=numbers)
        return with_pods(plan, numbers).open

    assert several(state(5, 2), KEPT) == several(state(5, 2), SCALED) == (f"{WEB} 5",)
    assert several(state(2, 2), KEPT) == (f"{WEB} 2",)
    assert several(state(5, 2), PodNumbers()) == several(state(1, 1), KEPT) == ()
    assert several(state(None, 1), KEPT) == ()


def left(numbers: PodNumbers, found: LiveState) -> list[Text]:
    plan = plan_deployment([], [found], space="s", redeploy=False, numbers=numbers)
    return list(with_pods(plan, numbers).pods)


def test_a_number_that_is_left_is_said_unless_an_autoscaler_has_set_it() -> None:
    assert left(PodNumbers(), state(5, 2)) == [say("deploy.pods_left", object=WEB, live=5, wanted=2)]
    assert left(SCALED, state(5, 2)) == left(KEPT, state(5, 2)) == []
    assert left(PodNumbers(), state(5, None)) == left(PodNumbers(), state(2, 2)) == []
    assert left(PodNumbers(unseen=say("deploy.never_seen")), state(2, 2)) == []


def test_what_a_restore_did_not_bring_back_is_said() -> None:
    web = state(10, None)
    assert [str(t) for t in still_fewer([web], [state(1, None)], [state(1, None)])] == [
        f"{WEB}: 10 pods before this run, 1 now. Set the number again if it is needed."
    ]
    assert list(still_fewer([web], [web], [state(1, None)])) == [], "that was said before the call"
    assert list(still_fewer([web], [state(1, None)], [web])) == []
    assert list(still_fewer([state(None, None)], [web], [web])) == list(still_fewer([web], [], [])) == []


def test_a_restore_takes_no_number_that_the_failed_version_made_smaller() -> None:
    kept = frozenset({("Deployment", "web")})
    values = {"live_replicas.Deployment.web": "1", "TAG": "2"}
    back = {"live_replicas.Deployment.web": "10", "TAG": "2"}
    assert as_many_as([state(10, None)], values, kept=kept) == back
    assert as_many_as([state(10, None)], {**values, "live_replicas.Deployment.web": "12"}, kept=kept) == {
        **values,
        "live_replicas.Deployment.web": "12",
    }
    assert as_many_as([state(None, None)], values, kept=kept) == values
    assert as_many_as([state(10, None)], values, kept=frozenset()) == values, "the author gives it"
    none = {"live_replicas.Deployment.web": "0"}
    assert as_many_as([state(None, None)], none, kept=kept) == none


def test_an_autoscaler_names_its_target_and_the_fewest_pods_whatever_its_version() -> None:
    def body(spec: dict[str, YamlValue]) -> dict[str, YamlValue]:
        return {"kind": "HorizontalPodAutoscaler", "spec": spec}

    web: dict[str, YamlValue] = {"kind": "Deployment", "name": "web"}
    db: dict[str, YamlValue] = {"kind": "StatefulSet", "name": "db"}
    found = [body({"scaleTargetRef": web, "minReplicas": 3.0}), body({"scaleTargetRef": db, "metrics": []})]
    assert targets_of(autoscalers_in([*found, {"kind": "Service"}])) == {
        ("Deployment", "web"): 3,
        ("StatefulSet", "db"): 1,
    }
