from __future__ import annotations

import pytest
from tests.unit.bcs.space.test_read_space import OURS, FakeReader, id_of, row, version

from bcs_template_set.bcs.answers import TemplateFile
from bcs_template_set.bcs.space.existing import Existing, ExistingFile, PastFile, VersionRef, ref_of
from bcs_template_set.bcs.space.other_files import may_route, newest_named_earlier, read_other
from bcs_template_set.bcs.space.versions import list_past_files, read_past_files
from bcs_template_set.manifests.routes import Route

SERVES = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
spec:
  rules:
    - host: www.example.com
      http: {paths: [{path: /, backend: {service: {name: shop}}}]}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec:
  type: NodePort
  ports: [{port: 80, nodePort: 30080}]
"""


def test_of_another_file_routes_and_node_ports_are_known_and_who_made_it() -> None:
    there = version(1, content=SERVES).replaced(description=OURS.line(SERVES))
    found = read_other(FakeReader({"get version": there}), "web", row(1))
    assert (found.name, found.current, found.origin) == ("a.yaml", ref_of(there), ref_of(there).origin)
    assert found.routes == (Route("www.example.com", "/", "shop", "shop"),)
    assert (found.node_ports, found.claims, found.readable) == ((30080,), (), True)
    unreadable = read_other(FakeReader({"get version": there.replaced(content="{")}), "web", row(1))
    assert (unreadable.routes, unreadable.readable) == ((), False)
    assert (unreadable.current, unreadable.origin) == (found.current, found.origin)


@pytest.mark.parametrize(
    ("fields", "may"),
    [
        ({"resource_type": ("Deployment", "Service")}, True),
        ({"resource_type": ("Ingress",)}, True),
        ({"resource_type": ("Deployment",)}, False),
        ({"resource_type": ("Deployment",), "version_mode": 1}, True),
        ({"resource_type": ()}, True),
        ({"resource_type": ("Service",), "version_id": ""}, False),
    ],
)
def test_a_file_may_route_where_its_kinds_say_so_or_say_nothing_or_may_be_stale(
    fields: dict[str, object], *, may: bool
) -> None:
    assert may_route(row(1).replaced(**fields)) is may


def test_of_earlier_builds_the_last_file_of_each_is_looked_at() -> None:
    def named(number: int, name: str, *, at: int, current: int = 1) -> TemplateFile:
        return row(number, current=current, at=at).replaced(version=name)

    rows = [
        named(1, "v7", at=9),
        named(2, "v7", at=8),
        named(3, "v8", at=7),
        named(4, "v8", at=7),
        named(5, "v6", at=9, current=0),
        named(6, "by hand", at=9),
        *(named(10 + number, f"v{number}", at=number) for number in range(1, 5)),
    ]
    found = newest_named_earlier(rows, version="v9", build=9)
    assert [found.version for found in found] == ["v2", "v3", "v4", "v8", "v7"]
    assert [found.id for found in found[-2:]] == [id_of(4), id_of(1)]


# --- files with their past ------------------------------------------------------------------------------


def test_the_past_of_a_folders_files_is_read_without_drafts() -> None:
    rows = [row(1), row(2, name="b.yaml")]
    versions = [version(3).replaced(draft=True), version(2), version(1)]
    reader = FakeReader({"list files": rows, "list versions": versions})
    listed = list_past_files(reader, "web", space="web")
    assert listed == {"a.yaml": rows[0], "b.yaml": rows[1]}
    past = read_past_files(reader, "web", listed.values())
    assert past == {name: PastFile(row, tuple(versions[1:])) for name, row in listed.items()}
    assert past["a.yaml"].named("v1") == versions[2]
    assert past["a.yaml"].named("v3") is None
    assert list_past_files(FakeReader({"list spaces": []}), "web", space="web") == {}


def test_a_file_without_a_current_version_is_no_builds() -> None:
    assert ExistingFile(row(1)).origin is None
    assert ExistingFile(row(1)).bases == ("-",)


def test_a_version_is_told_by_id_name_and_time_and_not_by_who_made_it() -> None:
    ref = VersionRef("1", "v1", origin=OURS)
    assert {ref} == {VersionRef("1", "v1", 0)}
    assert repr(ref) == "VersionRef(id='1', name='v1', created_at=0)"


def test_of_what_nobody_has_looked_at_nothing_is_held_against_it() -> None:
    nothing = Existing()
    assert (nothing.project_id, nothing.ingresses_as) == ("", "")
    assert (nothing.live_readable, nothing.chart_readable) == (True, True)
