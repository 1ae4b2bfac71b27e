"""What is read of numbers of pods and autoscalers, over a scripted reader."""

from __future__ import annotations

from typing import TypeVar

from tests.support.pieces import FakeClock

from bcs_template_set.bcs.calls import JsonValue, Read
from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.bcs.dialect import Site
from bcs_template_set.messages.errors import ProjectNotVisible
from bcs_template_set.rollout.before_deploying import live_numbers, read_numbers
from bcs_template_set.rollout.deployment_plan import PodNumbers
from bcs_template_set.rollout.live_reads import LiveReads
from bcs_template_set.rollout.live_state import LiveState

T = TypeVar("T")
PLACE = NamespaceRef("web", "a" * 32, "BCS-K8S-40000", "prod")
WEB = "live_replicas.Deployment.web"


class Cluster:
    """A reader of lists, by the last part of their path; a list that is not there is refused."""

    most_at_once = 1

    def __init__(self, **lists: list[JsonValue]) -> None:
        self._lists = lists
        self.site = Site()
        self.asked: list[str] = []

    def read(self, call: Read[T]) -> T:
        self.asked.append(call.segments[-1])
        if call.segments[-1] not in self._lists:
            raise ProjectNotVisible(project="web", user="lisi", message="no")
        return call.parse({"manifest": {"items": list(self._lists[call.segments[-1]])}})


def item(name: str, **spec: JsonValue) -> JsonValue:
    return {"metadata": {"name": name}, "spec": {**spec}}


def test_one_list_a_kind_tells_all_numbers_and_other_variables_are_nobodys() -> None:
    cluster = Cluster(
        deployments=[item("web", replicas=10.0), item("api", replicas=0), item("odd")],
        statefulsets=[item("web", replicas=3)],
    )
    names = [WEB, "live_replicas.Deployment.api", "live_replicas.StatefulSet.web", "TAG", "live_replicas.x"]
    assert live_numbers(cluster, PLACE, names, least={}) == {names[0]: "10", names[1]: "0", names[2]: "3"}
    assert sorted(cluster.asked) == ["deployments", "statefulsets"]
    assert live_numbers(cluster, PLACE, ["TAG"], least={}) == {}


def test_a_workload_that_is_not_there_begins_with_the_fewest_its_autoscaler_lets_it_have() -> None:
    cluster = Cluster(deployments=[item("web", paused=True)])
    assert live_numbers(cluster, PLACE, [WEB], least={}) == {WEB: "1"}
    cluster = Cluster(deployments=[])
    assert live_numbers(cluster, PLACE, [WEB], least={}) == {WEB: "1"}
    assert live_numbers(cluster, PLACE, [WEB], least={("Deployment", "web"): 3}) == {WEB: "3"}


def test_of_a_kind_that_does_not_scale_nobody_knows_a_number() -> None:
    names = ["live_replicas.DaemonSet.web", "live_replicas.Widget.web"]
    assert live_numbers(Cluster(), PLACE, names, least={}) == {}


def state(live: int) -> LiveState:
    def body(replicas: int) -> dict[str, object]:
        return {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": replicas}}

    return LiveState("web.yaml", "Deployment", "web", body(1), body(live))  # type: ignore[arg-type] # YAML values


def test_autoscalers_are_asked_for_only_where_a_number_would_change() -> None:
    target: JsonValue = {"kind": "Deployment", "name": "web"}
    cluster = Cluster(hpa=[item("any", scaleTargetRef=target)])
    assert read_numbers(cluster, PLACE, [state(1)], kept=frozenset()) == PodNumbers()
    kept = frozenset({("Deployment", "web")})
    assert read_numbers(cluster, PLACE, [state(9)], kept=kept).kept == {"Deployment/web"}
    assert cluster.asked == []
    assert read_numbers(cluster, PLACE, [state(9)], kept=frozenset()).scaled == {"Deployment/web"}
    assert cluster.asked == ["hpa"]


def test_autoscalers_that_can_not_be_seen_are_no_error() -> None:
    found = read_numbers(Cluster(), PLACE, [state(9)], kept=frozenset())
    assert found.scaled == frozenset()
    assert found.unseen is not None


def test_pods_that_can_not_be_listed_are_not_none() -> None:
    there, away = (
        LiveReads(cluster, PLACE, clock=FakeClock()) for cluster in (Cluster(pods=[item("a")]), Cluster())
    )
    assert [pod.name for pod in there.all_pods() or ()] == ["a"]
    assert away.all_pods() is None
