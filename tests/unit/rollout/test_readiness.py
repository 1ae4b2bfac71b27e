"""Whether what is live is ready: few are read whole, many listed; what nobody could see is unknown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional, TypeVar

import pytest
from tests.support.objects import deployment, workload

from bcs_template_set.bcs.calls import JsonValue, Read
from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.bcs.dialect import Site
from bcs_template_set.messages.errors import NoPermission
from bcs_template_set.messages.server_errors import OutOfTime
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.rollout.deployment_plan import LiveState
from bcs_template_set.rollout.readiness import FEW, Readiness, readiness_of

T = TypeVar("T")
PLACE = NamespaceRef("web", "a" * 32, "BCS-K8S-40000", "prod")
REFUSED = NoPermission(user="lisi", message="m")


class Namespace:
    """Answers for live objects by name, lists them, or fails at one of them or at all."""

    def __init__(
        self, live: Mapping[str, Mapping[str, JsonValue]], failing: Optional[StepError] = None
    ) -> None:
        self.live, self.failing = live, failing
        self.site = Site()
        self.calls: list[str] = []

    def read(self, call: Read[T]) -> T:
        self.calls.append(call.name)
        name = call.segments[-1]
        if self.failing is not None and (call.name.startswith("list") or name not in self.live):
            raise self.failing
        if call.name.startswith("list"):
            items: list[JsonValue] = [
                {**dict(body), "metadata": {"name": name}} for name, body in self.live.items()
            ]
            return call.parse({"manifest": {"items": items}})
        return call.parse({"manifest": dict(self.live[name])})


def state(name: str, *, file: str = "", kind: str = "Deployment", live: bool = True) -> LiveState:
    group = "batch/v1" if kind == "Job" else "apps/v1"
    body = {"apiVersion": group, "kind": kind}
    return LiveState(file or f"{name}.yaml", kind, name, body, body if live else None)


def found(namespace: Namespace, *states: LiveState) -> Mapping[str, Readiness]:
    return readiness_of(namespace, PLACE, states)


READY, BROKEN = deployment(), deployment(available=1)


def test_a_file_is_ready_where_all_its_workloads_are_and_not_where_one_is_not() -> None:
    namespace = Namespace({"a": READY, "b": BROKEN}, REFUSED)
    one_file = [state(name, file="web.yaml") for name in "ab"]
    assert found(namespace, *one_file) == {"web.yaml": False}
    assert found(namespace, state("a"), state("b")) == {"a.yaml": True, "b.yaml": False}
    assert found(namespace, state("a", file="x"), state("unseen", file="x")) == {"x": None}
    assert found(namespace, state("b", file="x"), state("unseen", file="x")) == {"x": False}
    assert found(namespace, state("a", file="x"), state("a", file="x")) == {"x": True}


def test_what_is_not_live_or_not_waited_for_is_not_asked_for() -> None:
    namespace = Namespace({})
    assert found(namespace, state("new", live=False), state("settings", kind="ConfigMap")) == {}
    assert namespace.calls == []


def test_of_many_one_list_tells() -> None:
    names = [f"w{number}" for number in range(FEW + 1)]
    namespace = Namespace({**dict.fromkeys(names[1:], READY), names[1]: BROKEN})
    told = found(namespace, *map(state, names))
    assert namespace.calls == ["list Deployment"]
    assert [told[f"{name}.yaml"] for name in names] == [None, False, True, True, True]


def test_of_many_that_can_not_be_listed_nothing_is_known() -> None:
    names = [f"w{number}" for number in range(FEW + 1)]
    told = found(Namespace(dict.fromkeys(names, READY), REFUSED), *map(state, names))
    assert set(told.values()) == {None}


def test_jobs_are_read_whole_since_a_list_does_not_tell_how_they_ended() -> None:
    names = [f"j{number}" for number in range(FEW + 1)]
    failed: Mapping[str, JsonValue] = {"status": {"conditions": [{"type": "Failed", "status": "True"}]}}
    told = found(Namespace(dict.fromkeys(names, failed)), *(state(name, kind="Job") for name in names))
    assert set(told.values()) == {False}


def test_where_there_is_nothing_to_wait_for_nobody_knows() -> None:
    by_hand = workload(
        "StatefulSet", spec={"updateStrategy": {"type": "OnDelete"}}, status={"readyReplicas": 1}
    )
    assert found(Namespace({"s": by_hand}), state("s", kind="StatefulSet")) == {"s.yaml": None}


@pytest.mark.parametrize("count", [1, FEW + 1])
def test_the_steps_own_time_is_nobody_elses_fault(count: int) -> None:
    with pytest.raises(OutOfTime):
        found(Namespace({}, OutOfTime(seconds=60)), *(state(f"w{number}") for number in range(count)))
