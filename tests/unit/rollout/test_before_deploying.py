"""Variables and the first question about a cluster, over a scripted reader."""

from __future__ import annotations

from typing import Optional, TypeVar, Union, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcs_template_set.bcs.calls import JsonValue, Read
from bcs_template_set.bcs.deploy_calls import NamespaceRef, deploy, preview
from bcs_template_set.bcs.dialect import Site
from bcs_template_set.messages.errors import (
    ClusterNotVisible,
    NamespaceMissing,
    NoPermission,
    ProjectNotVisible,
    VariablesMissing,
)
from bcs_template_set.messages.server_errors import GatewayFailed
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.rollout.before_deploying import refusal_to_deploy, resolve_variables
from bcs_template_set.rollout.live_state import FileVersion

T = TypeVar("T")
PLACE = NamespaceRef("web", "a" * 32, "BCS-K8S-40000", "prod")
FILES = (FileVersion("web.yaml", "id-1", "1"),)


class Namespace:
    """A reader that knows a namespace's variables."""

    most_at_once = 1

    def __init__(self, values: dict[str, str], *, error: Optional[StepError] = None) -> None:
        self._values, self._error = values, error
        self.site = Site()

    def read(self, call: Read[T]) -> T:
        if self._error is not None:
            raise self._error
        rows: list[JsonValue] = [{"key": key, "value": value} for key, value in self._values.items()]
        return call.parse({"vars": rows})


NAMES = st.sampled_from(["A", "B", "C", "D"])


@given(st.dictionaries(NAMES, st.sampled_from(["", "theirs"])), st.dictionaries(NAMES, st.just("mine")))
def test_every_variable_has_a_value_or_all_that_lack_one_are_named(
    known: dict[str, str], mine: dict[str, str]
) -> None:
    lacking = sorted(name for name, value in known.items() if not value and name not in mine)
    if lacking:
        with pytest.raises(VariablesMissing) as caught:
            resolve_variables(Namespace(known), PLACE, FILES, given=mine)
        assert len(caught.value.details) == len(lacking)
        return
    values = resolve_variables(Namespace(known), PLACE, FILES, given=mine)
    assert values == {**known, **mine}


def test_an_author_may_mean_the_empty_text() -> None:
    assert resolve_variables(Namespace({"A": ""}), PLACE, FILES, given={"A": ""}) == {"A": ""}


def test_where_no_file_is_to_be_deployed_nobody_is_asked_for_variables() -> None:
    unreachable = Namespace({}, error=ProjectNotVisible(project="web", user="lisi", message="no"))
    assert resolve_variables(unreachable, PLACE, (), given={"A": "1"}) == {"A": "1"}


def test_what_bcs_cannot_establish_here_is_the_cluster_since_the_project_is_known() -> None:
    error = ProjectNotVisible(project="web", user="lisi", message="no such cluster")
    with pytest.raises(ClusterNotVisible, match="'s clusters: no such cluster"):
        resolve_variables(Namespace({}, error=error), PLACE, FILES, given={})


def test_the_error_beside_code_0_reaches_those_who_can_say_more_of_it() -> None:
    for call in (
        preview(PLACE, version_ids=["1"], variables={}),
        deploy(PLACE, version_ids=["1"], variables={}),
    ):
        assert call.reads_error
        assert call.parse({"error": "no such field"}).error == "no such field"


class Cluster:
    """Answers who may deploy, and which namespaces there are."""

    most_at_once = 1

    def __init__(self, right: Optional[StepError], namespaces: Union[StepError, tuple[str, ...]]) -> None:
        self.site = Site()
        self._right, self._namespaces = right, namespaces

    def read(self, call: Read[T]) -> T:
        found = self._namespaces if call.name == "list namespaces" else self._right
        if isinstance(found, StepError):
            raise found
        return cast("T", found)


NO = NoPermission(user="lisi", message="no")
DOWN = GatewayFailed(url="x", status=503, message="down")


@pytest.mark.parametrize(
    "namespaces", [("prod", "test"), (), DOWN], ids=["there", "none known", "unreadable"]
)
@pytest.mark.parametrize("right", [None, NO], ids=["may", "may not"])
def test_who_may_deploy_is_told_where_the_namespace_may_be_there(
    right: Optional[StepError], namespaces: Union[StepError, tuple[str, ...]]
) -> None:
    assert refusal_to_deploy(Cluster(right, namespaces), PLACE) is right


@pytest.mark.parametrize("right", [None, NO], ids=["may", "may not"])
@pytest.mark.parametrize(("known", "near"), [("prd", ["prd"]), ("elsewhere", [])])
def test_a_namespace_that_is_not_there_is_missing_whoever_asks(
    right: Optional[StepError], known: str, near: list[str]
) -> None:
    with pytest.raises(NamespaceMissing) as caught:
        refusal_to_deploy(Cluster(right, (known,)), PLACE)
    assert (caught.value.namespace, caught.value.cluster) == ("prod", "BCS-K8S-40000")
    assert [known in str(detail) for detail in caught.value.details] == [True for _ in near]


def test_a_cluster_that_is_not_there_is_no_refusal() -> None:
    error = ProjectNotVisible(project="web", user="lisi", message="no such cluster")
    with pytest.raises(ClusterNotVisible):
        refusal_to_deploy(Cluster(error, ()), PLACE)


@pytest.mark.parametrize("is_of_namespaces", [False, True])
def test_a_defect_while_asking_is_no_answer(*, is_of_namespaces: bool) -> None:
    class Broken(Cluster):
        def read(self, call: Read[T]) -> T:
            if (call.name == "list namespaces") is is_of_namespaces:
                raise ZeroDivisionError
            return super().read(call)

    with pytest.raises(ZeroDivisionError):
        refusal_to_deploy(Broken(None, ()), PLACE)


LIVE = "live_replicas.Deployment.web"


class Workloads(Namespace):
    """Knows a namespace's variables, and that a Deployment has five pods."""

    asked = 0

    def read(self, call: Read[T]) -> T:
        if call.name != "list Deployment":
            return super().read(call)
        self.asked += 1
        return call.parse({"manifest": {"items": [{"metadata": {"name": "web"}, "spec": {"replicas": 5}}]}})


@pytest.mark.parametrize(
    ("known", "mine", "value", "asked"),
    [("", None, "5", 1), ("7", None, "7", 0), ("", "3", "3", 0), ("", "", "", 0)],
    ids=["nobody says", "the namespace says", "the author says", "the author says nothing"],
)
def test_a_number_of_pods_is_read_only_where_nobody_says_it(
    known: str, mine: Optional[str], value: str, asked: int
) -> None:
    cluster = Workloads({LIVE: known})
    given = {} if mine is None else {LIVE: mine}
    assert resolve_variables(cluster, PLACE, FILES, given=given) == {LIVE: value}
    assert cluster.asked == asked


def test_a_variable_without_a_value_is_named() -> None:
    with pytest.raises(VariablesMissing) as caught:
        resolve_variables(Namespace({"TAG": ""}), PLACE, FILES, given={})
    assert ["TAG" in str(detail) for detail in caught.value.details] == [True]
