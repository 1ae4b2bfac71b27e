from __future__ import annotations

from typing import Optional

import pytest

from bcs_template_set.bcs.calls import JsonValue
from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.bcs.space.live_routes import list_live_ingresses
from bcs_template_set.bcs.space.route_map import LiveIngress
from bcs_template_set.manifests.routes import ANY_HOST, EntryPoint, Route

LISTED = list_live_ingresses(NamespaceRef("demo", "f" * 32, "BCS-K8S-1", "web"))
RULE: dict[str, JsonValue] = {
    "host": "www.example.com",
    "path": "/shop",
    "serviceName": "shop",
    "pathType": "Exact",
}


def item(name: str, uid: str, *, file: Optional[str] = None) -> JsonValue:
    mark: JsonValue = {} if file is None else {"io.tencent.paas.template_name": file}
    return {
        "metadata": {"name": name, "uid": uid, "annotations": mark},
        "spec": {"ingressClassName": "custom"},
    }


def read(items: JsonValue, notes: JsonValue = None) -> tuple[LiveIngress, ...]:
    manifest: JsonValue = {"apiVersion": "networking.k8s.io/v1", "items": items}
    found = LISTED.parse({"manifest": manifest, "manifestExt": notes})
    assert found.served_as == "networking.k8s.io/v1"
    return found.ingresses


def test_an_ingress_serves_what_bcs_notes_of_it_by_its_uid() -> None:
    notes: JsonValue = {"u-1": {"rules": [RULE, {}]}, "u-2": {"rules": None}}
    b, a = item("b", "u-1", file="web/a.yaml"), item("a", "u-2")
    first, second = read([b, a], notes)
    assert (first.name, first.file, first.routes) == ("a", "", ())
    assert (second.name, second.file) == ("b", "web/a.yaml")
    assert second.routes == (
        Route(ANY_HOST, "/", "", "b", entry=EntryPoint("custom", "b")),
        Route("www.example.com", "/shop", "shop", "b", "Exact", EntryPoint("custom")),
    )


@pytest.mark.parametrize("items", [None, [], {}])
def test_where_none_are_listed_nothing_is_served(items: JsonValue) -> None:
    assert read(items) == ()


def test_what_is_in_no_form_of_a_list_serves_nothing() -> None:
    assert LISTED.parse(None).served_as == ""
    (odd,) = read([{"metadata": None}], {"": {"rules": [None]}})
    assert (odd.name, odd.file) == ("", "")
