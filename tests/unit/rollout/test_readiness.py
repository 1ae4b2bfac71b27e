"""Whether what is live is ready: few are read whole, many listed; what nobody could see is unknown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional, TypeVar

from tests.support.objects import deployment, workload
from tests.support.pieces import FakeClock

from bcs_template_set.bcs.calls import JsonValue, Read
from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.bcs.dialect import Site
from bcs_template_set.messages.errors import NoPermission
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
        self.pods: list[JsonValue] = []

    def read(self, call: Read[T]) -> T:
        self.calls.append(call.name)
        name = call.segments[-1]
        if self.failing is not None and (call.name.startswith("list") or name not in self.live):
            raise self.failing
        if call.name.startswith("list"):
            items: list[JsonValue] = [
                {**dict(body), "metadata": {"name": name}} for name, body in self.live.items()
            ]
            pods = call.name == "list Pod"
            return call.parse({"manifest": {"items": self.pods if pods else items}, "manifestExt": NOTES})
        return call.parse({"manifest": dict(self.live[name])})


def state(name: str, *, file: str = "", kind: str = "Deployment", live: bool = True) -> LiveState:
    group = "batch/v1" if kind == "Job" else "apps/v1"
    selector: JsonValue = {"selector": {"matchLabels": {"app": name}}}
    body: dict[str, JsonValue] = {"apiVersion": group, "kind": kind, "spec": selector}
    return LiveState(file or f"{name}.yaml", kind, name, body, body if live else None)


def found(namespace: Namespace, *states: LiveState) -> Mapping[str, Readiness]:
    return readiness_of(namespace, PLACE, states, clock=FakeClock())


NOTES: JsonValue = {"well": {"status": "Running", "readyCnt": 1, "totalCnt": 1}}


def pods_of(name: str, *uids: str) -> list[JsonValue]:
    """The pods of a workload as a list tells of them, each with the note of its uid."""
    return [
        {"metadata": {"name": f"{name}-{n}", "uid": uid, "labels": {"app": name}}}
        for n, uid in enumerate(uids)
    ]


READY, BROKEN = deployment(), deployment(available=1)
LISTED: Mapping[str, JsonValue] = {
    "spec": {"replicas": 3},
    "status": {"updatedReplicas": 3, "availableReplicas": 3},
}
LISTED_BROKEN: Mapping[str, JsonValue] = {**LISTED, "status": {"updatedReplicas": 3, "availableReplicas": 2}}


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


def test_of_many_a_list_and_their_pods_tell() -> None:
    names = [f"w{number}" for number in range(FEW + 1)]
    namespace = Namespace({**dict.fromkeys(names[1:], LISTED), names[1]: LISTED_BROKEN})
    namespace.pods = [
        *pods_of("w2", *["well"] * 3),
        *pods_of("w3", "well", "well"),
        *pods_of("w4", "well", "ill"),
    ]
    told = found(namespace, *map(state, names))
    assert namespace.calls == ["list Deployment", "list Pod"]
    assert [told[f"{name}.yaml"] for name in names] == [None, False, True, None, None]


def test_of_many_that_can_not_be_listed_nothing_is_known() -> None:
    names = [f"w{number}" for number in range(FEW + 1)]
    told = found(Namespace(dict.fromkeys(names, READY), REFUSED), *map(state, names))
    assert set(told.values()) == {None}


def test_of_jobs_their_list_tells_how_they_ended() -> None:
    names = [f"j{number}" for number in range(FEW + 1)]

    def ended(kind: str) -> Mapping[str, JsonValue]:
        return {"status": {"conditions": [{"type": kind, "status": "True"}]}}

    namespace = Namespace({**dict.fromkeys(names, ended("Failed")), "j0": ended("Complete")})
    told = found(namespace, *(state(name, kind="Job") for name in names))
    assert [told[f"{name}.yaml"] for name in names] == [True, False, False, False, False]


def test_where_there_is_nothing_to_wait_for_nobody_knows() -> None:
    by_hand = workload(
        "StatefulSet", spec={"updateStrategy": {"type": "OnDelete"}}, status={"readyReplicas": 1}
    )
    assert found(Namespace({"s": by_hand}), state("s", kind="StatefulSet")) == {"s.yaml": None}
