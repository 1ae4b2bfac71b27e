"""What a namespace's lists tell of its objects, and what an answer that is no list tells: nothing."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Optional, TypeVar, Union

import pytest
from tests.emulator import Dialect
from tests.support.recordings import Asked, read

from bcs_template_set.bcs.calls import JsonValue, Read, Unreadable
from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.bcs.dialect import Site
from bcs_template_set.bcs.marks import UNMARKED, Mark
from bcs_template_set.bcs.space.live_objects import LiveRow, list_rows, read_live_objects
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kinds import (
    AUTOSCALER,
    CONFIG_MAP,
    DEPLOYMENT,
    INGRESS,
    LISTED,
    SECRET,
    SERVICE,
)
from bcs_template_set.messages.server_errors import BcsFailed
from bcs_template_set.messages.step_error import StepError

T = TypeVar("T")
PLACE = NamespaceRef("web", "f" * 32, "BCS-K8S-40000", "apps")


@cache
def exchanges() -> tuple[Asked, ...]:
    return tuple(line for line in read(Dialect.C) if isinstance(line, Asked))


def recorded(kind: Kind) -> JsonValue:
    """Return the `data` of the first recorded list of a kind."""
    ending = f"/namespaces/apps/{kind.route}"
    (answer, *_) = [asked.answer for asked in exchanges() if asked.path.endswith(ending)]
    assert isinstance(answer, dict)
    return answer["data"]


class Lists:
    """A reader whose answers are given by kind: `data`, or the error that it comes to."""

    most_at_once = 1

    site = Site()

    def __init__(self, answers: Mapping[str, Union[JsonValue, StepError]]) -> None:
        self._answers = answers

    def read(self, call: Read[T]) -> T:
        answer = self._answers[call.name]
        if isinstance(answer, StepError):
            raise answer
        return call.parse(answer)


@pytest.mark.parametrize(
    ("kind", "title", "mark"),
    [
        (DEPLOYMENT, "Deployment/web", Mark("web/dep", "1.0.0")),
        (SERVICE, "Service/svc", Mark("web/svc", "1.0.0")),
        (INGRESS, "Ingress/ing", Mark("web/ing", "1.0.0")),
        (CONFIG_MAP, "ConfigMap/kube-root-ca.crt", UNMARKED),
        (SECRET, "Secret/s1", Mark("web/secret", "1.0.0")),
        (AUTOSCALER, "HorizontalPodAutoscaler/web", Mark("web/hpa", "1.0.0")),
    ],
)
def test_a_recorded_list_says_who_its_objects_are_and_what_they_are_marked_with(
    kind: Kind, title: str, mark: Mark
) -> None:
    rows = {row.title: row for row in list_rows(PLACE, kind=kind).parse(recorded(kind))}
    row = rows[title]
    assert (row.mark, row.namespace, row.uid) == (mark, "apps", "<uid>")
    assert row.deployed_by == ("ann" if mark != UNMARKED else "")
    assert row.note["createTime"] == "<time>"


def test_objects_are_found_by_the_file_of_this_folder_that_they_are_marked_with() -> None:
    answers = {f"list {kind.name}": recorded(kind) for kind in (DEPLOYMENT, SERVICE)}
    found = read_live_objects(Lists(answers), PLACE, kinds=(DEPLOYMENT, SERVICE))
    assert {name: [row.title for row in rows] for name, rows in found.by_file("web").items()} == {
        "dep": ["Deployment/web"],
        "svc": ["Service/svc"],
        "svc2": ["Service/svc2"],
    }
    assert found.by_file("we") == {}
    assert found.unread == {}


def test_an_object_is_told_by_who_it_is_and_not_by_all_that_a_list_shows() -> None:
    one, other = (
        LiveRow(DEPLOYMENT, "web", "apps", "u", UNMARKED, item={"a": text}, note={"b": text})
        for text in ("1", "2")
    )
    assert one == other
    assert "item" not in repr(one)
    assert "note" not in repr(one)


def test_a_kind_that_cannot_be_listed_is_not_known_and_costs_no_other() -> None:
    refused = BcsFailed(bcs_code=1, message="refused for a test")
    nothing: JsonValue = {"manifest": {"items": []}}
    answers: dict[str, Union[JsonValue, StepError]] = {f"list {kind.name}": nothing for kind in LISTED}
    answers["list Secret"] = refused
    answers["list Deployment"] = recorded(DEPLOYMENT)
    found = read_live_objects(Lists(answers), PLACE)
    assert found.unread == {SECRET: refused}
    assert [row.title for row in found.rows] == ["Deployment/web"]


def listed(*items: JsonValue, more: Optional[str] = None) -> JsonValue:
    return {"manifest": {"items": list(items), "metadata": {"continue": more}}}


NAMED: JsonValue = {"metadata": {"name": "web", "uid": "u-1"}}


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (None, "`items`"),
        ({}, "`items`"),
        ({"manifest": None}, "`items`"),
        ({"manifest": {"items": None}}, "`items`"),
        ({"manifest": {"items": {}}}, "`items`"),
        (listed(NAMED, more="eyJ2"), "goes on"),
        (listed(NAMED, {"metadata": {"name": "api"}}), "`uid` - at `data.manifest.items[1]`"),
        (listed({"metadata": {"uid": "u-2"}}), "`name`"),
        (listed("web"), "`name`"),
    ],
)
def test_an_answer_that_is_no_whole_list_is_never_an_empty_one(data: JsonValue, problem: str) -> None:
    with pytest.raises(Unreadable) as caught:
        list_rows(PLACE, kind=DEPLOYMENT).parse(data)
    assert problem in caught.value.problem


def test_an_empty_list_is_one() -> None:
    assert list_rows(PLACE, kind=DEPLOYMENT).parse(listed()) == ()
