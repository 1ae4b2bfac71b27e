from __future__ import annotations

import pytest

from bcs_template_set.bcs.calls import JsonValue
from bcs_template_set.bcs.told_by_bcs import (
    NOT_FOUND,
    failed_sentences,
    is_conflict,
    no_permission,
    panic_sentence,
    tenants_differ,
)
from bcs_template_set.messages import Text, say

NIL = "panic recovered: runtime error: invalid memory address or nil pointer dereference"
TYPE = "panic recovered: interface conversion: interface {} is int, not string"
SHARED = "40300: no namespace_view permission; no cluster_view permission; no project_view permission"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (NIL, "could not read the live object"),
        (TYPE, "put it in quotes"),
        ("panic recovered: index out of range", "a fault of BCS's own"),
    ],
)
def test_a_panic_is_told_as_what_it_means(message: str, words: str) -> None:
    (sentence,) = failed_sentences("/v4/clusterresources/v1/x", 1, message)
    assert words in str(sentence)
    assert "may be applied already" in str(sentence)


def test_other_failures_say_no_more_than_bcs() -> None:
    assert panic_sentence("record not found") is None
    assert failed_sentences("/p", 1, "record not found") == []
    assert failed_sentences("/p", 7, NIL) == []
    assert len(failed_sentences("/p", NOT_FOUND, NIL)) == 1, "the general code is that of any failure"
    assert failed_sentences("/v4/clusterresources/x", 11, "m") == []


def test_helm_managers_code_11_is_not_that_a_chart_is_missing() -> None:
    (sentence,) = failed_sentences("/v4/helmmanager/v1/projects/web/repos/web/charts/x/versions/1", 11, "m")
    assert "knows no such project, or received no user, or the access token has expired" in str(sentence)


def test_a_user_of_another_tenant_is_told_from_other_failures() -> None:
    found = tenants_differ("user[lisi] tenant[acme] not match resource tenant[]")
    assert found is not None
    assert "of tenant acme" in str(found)
    assert tenants_differ("tenant[acme] is unknown") is None


def test_permissions_are_named_by_the_list_or_else_by_bcs_own_words() -> None:
    listed: dict[str, JsonValue] = {
        "data": {"perms": {"action_list": [{"action_id": "x"}, {"no": 1}, 7], "apply_url": "https://a"}}
    }
    told = no_permission(listed, user="lisi", message="40300: no y permission")
    assert (told.context["permission"], told.context["apply_url"]) == (["x"], "https://a")
    told = no_permission({"data": None}, user="lisi", message=SHARED)
    names = say("context.permission", value=told.context["permission"])
    ids = ("namespace_view", "cluster_view", "project_view")
    assert names.render("zh_CN") == "权限：" + "、".join(
        f"{name}（{known}）" for name, known in zip(("命名空间查看", "集群查看", "项目查看"), ids)
    )
    assert told.context["apply_url"] == ""


def test_on_shared_clusters_the_permission_to_look_is_explained() -> None:
    assert "shared cluster" in str(no_permission({}, user="lisi", message=SHARED).details[0])
    assert no_permission({}, user="lisi", message="40300: no project_view permission").details == ()


@pytest.mark.parametrize("scope", ["project", "cluster", "cluster_scoped", "namespace", "namespace_scoped"])
def test_each_permission_that_bcs_asks_for_has_a_name(scope: str) -> None:
    for name in (f"{scope}_view", *(["namespace_scoped_create"] if scope == "namespace_scoped" else [])):
        told = no_permission({}, user="lisi", message=f"40300: no {name} permission").context["permission"]
        assert isinstance(told, list)
        assert [one.fields["id"] for one in told if isinstance(one, Text)] == [name]


def test_a_write_to_an_object_that_was_changed_meanwhile_is_known_by_kubernetes_words() -> None:
    words = "Operation cannot be fulfilled on deployments.apps: the object has been modified; please apply"
    assert (is_conflict(words), is_conflict("not found")) == (True, False)


def test_where_nothing_names_a_permission_none_is_told() -> None:
    assert no_permission({}, user="lisi", message="40300: no").context["permission"] == ""
