"""What leads from a domain to its images: which boxes there are, what becomes of them, what is left out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.support import rollout_scenes, scenes
from tests.support.rollout_scenes import INGRESS

from bcs_template_set.manifests.routes import Route
from bcs_template_set.publish.plan import Change
from bcs_template_set.report.topology import (
    FEW_DOMAINS,
    FEW_LANES,
    MOST_BOXES,
    MOST_TEXT,
    Lane,
    Node,
    Topology,
    topology_of,
)

HOST = "h.example.com"


def served(*paths: str, name: str = "r.yaml", **fields: Any) -> Change:  # noqa: ANN401 - as of `change`
    routes = tuple(scenes.route_of(HOST, path) for path in paths)
    return scenes.change(name, routes=routes, **fields)


def at(*paths: str) -> tuple[tuple[str, str], ...]:
    return tuple((HOST, path) for path in paths)


ROUTE = scenes.route_of(HOST, "/")
OTHERWISE = ((ROUTE, ROUTE._replace(path_type="Exact")),)


@pytest.mark.parametrize(
    ("changes", "sign"),
    [
        ([served(routes_removed=at("/"))], "-"),
        ([served("/")], "="),
        ([served("/", routes_added=at("/"))], "+"),
        ([served("/", "/new", routes_added=at("/", "/new"))], "+"),
        ([served("/", "/new", routes_added=at("/new"))], "~"),
        ([served("/", routes_removed=at("/old"))], "~"),
        ([served("/", routes_added=at("/"), routes_removed=at("/old"))], "~"),
        ([served("/"), served(name="s.yaml", routes_removed=at("/"))], "="),
        ([served("/", routes_added=at("/")), served(name="s.yaml", routes_removed=at("/"))], "+"),
        ([served("/", routes_changed=OTHERWISE)], "~"),
        ([served("/", routes_added=at("/"), routes_changed=OTHERWISE)], "+"),
    ],
)
def test_a_domain_is_new_where_all_its_paths_are_and_changed_where_one_comes_or_goes(
    changes: list[Change], sign: str
) -> None:
    (lane,) = topology_of(changes).lanes
    assert (lane.nodes[0].sign, lane.changes) == (sign, sign != "=")


def test_a_domains_box_tells_its_paths_each_once() -> None:
    (lane,) = topology_of([served("/b", "/a"), served("/a", name="s.yaml")]).lanes
    assert lane.nodes[0] == Node(0, HOST, "=", HOST, "/a, /b")


# --- objects --------------------------------------------------------------------------------------------


def workload(name: str, labels: str, image: str = "r/n/web:1") -> str:
    pod = f"{{metadata: {{labels: {labels}}}, spec: {{containers: [{{name: c, image: {image}}}]}}}}"
    return (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec: {{template: {pod}}}\n---\n"
    )


def service(selector: str) -> str:
    return (
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: service-{HOST}}}\n"
        f"spec: {{selector: {selector}}}\n---\n"
    )


def lane_of(content: str, **fields: Any) -> Lane:  # noqa: ANN401 - as of `change`
    (lane,) = topology_of([served("/", content=content, **fields)]).lanes
    return lane


def names(lane: Lane, column: int) -> list[str]:
    return [node.name for node in lane.nodes if node.column == column]


def test_a_service_leads_to_the_workloads_that_carry_all_its_labels() -> None:
    pods = workload("both", "{a: '1', b: '2'}") + workload("a", "{a: '1'}") + workload("b", "{b: '2'}")
    assert names(lane_of(service("{a: '1', b: '2'}") + pods), 4) == ["Deployment/both"]
    assert names(lane_of(service("{a: '1'}") + pods), 4) == ["Deployment/both", "Deployment/a"]
    assert names(lane_of(service("{}") + pods), 4) == []


def test_a_workload_that_is_called_like_its_service_is_no_service() -> None:
    content = service("{a: '1'}") + workload(f"service-{HOST}", "{a: '1'}")
    assert names(lane_of(content), 4) == [f"Deployment/service-{HOST}"]


@pytest.mark.parametrize("balancers", [0, 1])
def test_what_there_is_no_room_for_is_counted_and_may_change(balancers: int) -> None:
    ways = (MOST_BOXES - balancers) // 2
    routes = tuple(Route(HOST, f"/{n:03}", f"s-{n:03}", f"i-{n:03}") for n in range(ways + 1))
    balancer = INGRESS.format(host="x", number=0).replace("ingress-x-0", "i-000")
    change = scenes.change("r.yaml", routes=routes, content=balancer if balancers else "")
    (lane,) = topology_of([replace(change, action="unchanged")]).lanes
    assert (len(lane.nodes), lane.left_out, lane.changes) == (1 + balancers + 2 * ways, 1, True)


def test_what_becomes_of_an_object_is_what_its_file_says_unless_its_difference_tells_more() -> None:
    content = service("{a: '1'}") + workload("w", "{a: '1'}") + workload("v", "{a: '1'}")
    diff = "--- Deployment/w\n+++ Deployment/w\n@@ -1 +1 @@\n-a\n+b\n--- /dev/null\n+++ Deployment/v\n"
    diff += f"--- Service/service-{HOST}\n+++ /dev/null\n"
    signs = {node.name: node.sign for node in lane_of(content, diff=diff).nodes}
    assert signs["Deployment/w"] == "~"
    assert signs["Deployment/v"] == "+"
    assert signs[f"service-{HOST}"] == "-"
    created = {node.name: node.sign for node in lane_of(content, action="create").nodes}
    assert created["Deployment/w"] == created[f"service-{HOST}"] == "+"
    same = {node.name: node.sign for node in lane_of(content).nodes}
    assert same["Deployment/w"] == same[f"service-{HOST}"] == "="


@pytest.mark.parametrize(
    ("images", "node"),
    [
        ((), Node(5, "r/n/web:1", "=", "web", "1")),
        ((("", "r/n/web:1"),), Node(5, "r/n/web:1", "+", "web", "1")),
        ((("r/n/web:0", "r/n/web:1"),), Node(5, "r/n/web:0 → r/n/web:1", "~", "web", "1")),
        (
            (("r/n/a:0", "r/n/web:1"), ("r/n/b:0", "r/n/web:1")),
            Node(5, "r/n/a:0 → r/n/web:1", "~", "web", "1"),
        ),
    ],
)
def test_an_image_is_told_with_the_one_before(images: tuple[tuple[str, str], ...], node: Node) -> None:
    lane = lane_of(service("{a: '1'}") + workload("w", "{a: '1'}"), images=images)
    assert lane.nodes[-1] == node


def test_an_image_of_several_workloads_has_one_box_and_a_way_from_each() -> None:
    content = service("{a: '1'}") + workload("w", "{a: '1'}") + workload("v", "{a: '1'}")
    lane = lane_of(content)
    assert [node.column for node in lane.nodes] == [0, 2, 3, 4, 5, 4]
    assert lane.edges == ((0, 1), (1, 2), (2, 3), (3, 4), (2, 5), (5, 4))


def test_what_changes_is_read_first_and_of_the_rest_what_there_is_time_for() -> None:
    content = service("{a: '1'}") + workload("w", "{a: '1'}")
    fitting = content + "#" * (MOST_TEXT - len(content))
    assert names(lane_of(fitting), 4) == ["Deployment/w"]
    assert names(lane_of(fitting + "#"), 4) == []
    still = scenes.change("a.yaml", action="unchanged", content="#" * MOST_TEXT)
    (lane,) = topology_of([still, served("/", content=content)]).lanes
    assert names(lane, 4) == ["Deployment/w"]


# --- many domains ---------------------------------------------------------------------------------------


def fleet(count: int, **fields: object) -> list[Change]:
    hosts = [f"h{n:02}.example.com" for n in range(count)]
    changes = [c for host in hosts for c in rollout_scenes.with_content(scenes.updated(host))]
    return [replace(change, **fields) for change in changes]  # type: ignore[arg-type] # its fields


def test_up_to_six_equal_domains_are_drawn_each_and_more_as_one_with_their_names() -> None:
    assert len(topology_of(fleet(FEW_LANES)).lanes) == FEW_LANES
    seven = topology_of(fleet(FEW_LANES + 1))
    (lane,) = seven.lanes
    assert (lane.host, lane.count, seven.drawn, seven.domains, seven.changed) == (
        "h00.example.com",
        7,
        7,
        7,
        7,
    )
    assert lane.nodes[0].name == ", ".join(f"h{n:02}.example.com" for n in range(7))
    assert lane.nodes[0].more == "×7 /new"
    assert lane.nodes[1:] == topology_of(fleet(1)).lanes[0].nodes[1:]
    (twenty,) = topology_of(fleet(20)).lanes
    assert "…" not in twenty.nodes[0].name
    (more,) = topology_of(fleet(21)).lanes
    assert more.nodes[0].name.endswith("h19.example.com, …")


def test_domains_that_differ_in_more_than_their_name_are_drawn_each() -> None:
    changes = fleet(FEW_LANES + 1)
    other = [replace(c, content=c.content.replace("428", "429")) for c in changes[:2]]
    topology = topology_of([*other, *changes[2:]])
    assert sorted((lane.count, lane.nodes[0].more) for lane in topology.lanes) == [
        (1, "/new"),
        (6, "×6 /new"),
    ]
    pair = [replace(c, content=c.content.replace("428", "429")) for c in changes[:4]]
    two = topology_of([*pair, *changes[4:]])
    assert sorted((lane.count, lane.nodes[0].more) for lane in two.lanes) == [(2, "×2 /new"), (5, "×5 /new")]


def test_failed_domains_come_first_then_those_whose_routes_change_then_what_changes_else() -> None:
    changes = [
        *rollout_scenes.with_content(scenes.unchanged("a.example.com")),
        replace(rollout_scenes.with_content(scenes.updated("b.example.com"))[0], name="b.yaml"),
        replace(rollout_scenes.with_content(scenes.unchanged("b.example.com"))[1], name="b.routes"),
        *rollout_scenes.with_content(scenes.updated("c.example.com")),
        *rollout_scenes.with_content(scenes.updated("d.example.com")),
    ]
    topology = topology_of(changes, failed=["Deployment/deployment.nginx.d.example.com"])
    assert [lane.host[0] for lane in topology.lanes] == ["d", "c", "b", "a"]
    assert [lane.failed for lane in topology.lanes] == [True, False, False, False]
    assert (topology.changed, topology.only_changed, topology.left_out) == (3, False, 0)
    marked = {node.name: node.sign for node in topology.lanes[0].nodes}
    assert [name for name, sign in marked.items() if sign == "!"] == [
        "d.example.com",
        "Deployment/deployment.nginx.d.example.com",
    ]


def many(count: int, *, changed: int) -> Topology:
    hosts = [f"h{n:03}.example.com" for n in range(count)]
    makers = [scenes.updated if n < changed else scenes.unchanged for n in range(count)]
    changes = [c for host, make in zip(hosts, makers) for c in rollout_scenes.with_content(make(host))]
    return topology_of(changes)


def test_up_to_twenty_domains_are_all_drawn_and_of_more_only_those_that_change() -> None:
    assert sum(lane.count for lane in many(FEW_DOMAINS, changed=1).lanes) == FEW_DOMAINS
    topology = many(FEW_DOMAINS + 1, changed=3)
    assert (len(topology.lanes), topology.domains, topology.changed) == (3, FEW_DOMAINS + 1, 3)
