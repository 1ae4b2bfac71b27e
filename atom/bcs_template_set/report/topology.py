"""What leads from a domain to its images, out of the plan's own documents. Pure: performs no I/O.

Domain -> load balancer -> Ingress -> Service -> workload -> image. What is drawn is what the run's files
say; objects of other files, and those deleted from a file, are not in it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from typing import Literal, Optional, TypeVar

from bcs_template_set.manifests.fields import mapping_at, texts_of
from bcs_template_set.manifests.live_fields import annotation_of
from bcs_template_set.manifests.parse import Document, parse_foreign
from bcs_template_set.manifests.pod_templates import objects_of, pod_of
from bcs_template_set.manifests.routes import LOAD_BALANCER as CLB
from bcs_template_set.manifests.routes import images_of
from bcs_template_set.messages.step_error import MOST_NAMES
from bcs_template_set.publish.plan import Change
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.report.rows import image_change

_T = TypeVar("_T")
Sign = Literal["+", "~", "-", "=", "!"]
"""New, changed, goes, stays; failed, which tells more than what was changed."""

DOMAIN, LOAD_BALANCER, INGRESS, SERVICE, WORKLOAD, IMAGE = range(6)
FEW_LANES = 6
"""Of more lanes, those that are equal but for the domain's name are drawn once, unless they failed."""

FEW_DOMAINS = 20
"""Of more domains only the changed ones are drawn."""

MOST_DOMAINS = 40
MOST_BOXES = 200
"""So many boxes one domain has; what would come after them is counted."""

MOST_TEXT = 400_000
"""Characters of manifests that are read for the picture, those that change first."""

_HEADERS = re.compile(r"^--- (.+)\n\+\+\+ (.+)$", re.MULTILINE)
_NONE = "/dev/null"


@dataclass(frozen=True)
class Node:
    """One box: `name` is the whole name; `label` stands in its first line, or both, `more` in the second."""

    column: int
    name: str
    sign: Sign
    label: str
    more: str = ""


@dataclass(frozen=True)
class Lane:
    """One domain with all that leads to its images. `edges` are pairs of indices of `nodes`.

    `left_out` = how many ways, workloads and images there was no room for, `count` how many domains it is.
    """

    host: str
    nodes: tuple[Node, ...]
    edges: tuple[tuple[int, int], ...]
    left_out: int
    count: int = 1

    @property
    def failed(self) -> bool:
        """Tell whether a workload of it is not ready."""
        return self.nodes[DOMAIN].sign == "!"

    @property
    def changes(self) -> bool:
        """Tell whether anything in it changes, or may."""
        return self.left_out > 0 or any(node.sign != "=" for node in self.nodes)


@dataclass(frozen=True)
class Topology:
    """The domains to draw, and how many there are, and change, of which only these or the first are drawn."""

    lanes: tuple[Lane, ...]
    domains: int
    changed: int
    only_changed: bool

    @property
    def drawn(self) -> int:
        """Return how many domains the lanes stand for."""
        return sum(lane.count for lane in self.lanes)

    @property
    def left_out(self) -> int:
        """Return how many boxes the lanes have no room for."""
        return sum(lane.left_out for lane in self.lanes)


def topology_of(changes: Sequence[Change], *, failed: Collection[str] = ()) -> Topology:
    """Return the lanes of a plan's changes: failed ones first, then those whose routes change."""
    objects = _read(changes)
    lanes = [_marked(_lane(host, found, objects), failed) for host, found in sorted(_hosts(changes).items())]
    changed = [lane for lane in lanes if lane.changes]
    only_changed = len(lanes) > FEW_DOMAINS
    shown = sorted(changed if only_changed else lanes, key=_need)
    drawn = _once_each(shown) if len(shown) > FEW_LANES else shown
    return Topology(tuple(drawn[:MOST_DOMAINS]), len(lanes), len(changed), only_changed=only_changed)


def _marked(lane: Lane, failed: Collection[str]) -> Lane:
    """Return a lane with its failed workloads, and the domain they serve, marked as such."""
    if not any(node.column == WORKLOAD and node.name in failed for node in lane.nodes):
        return lane
    marks = (node.column == DOMAIN or node.name in failed for node in lane.nodes)
    nodes = [replace(node, sign="!") if marked else node for node, marked in zip(lane.nodes, marks)]
    return replace(lane, nodes=tuple(nodes))


def _need(lane: Lane) -> tuple[bool, bool, bool]:
    return not lane.failed, lane.nodes[DOMAIN].sign == "=", not lane.changes


def _once_each(lanes: Iterable[Lane]) -> list[Lane]:
    """Return the lanes, of equal ones the first with the names of all."""
    alike: dict[object, list[Lane]] = {}
    for lane in lanes:
        alike.setdefault(lane.host if lane.failed else _shape(lane), []).append(lane)
    return [_standing_for(same) if len(same) > 1 else same[0] for same in alike.values()]


def _shape(lane: Lane) -> object:
    """Return all of a lane but its domain's name."""
    nodes = [(node.column, node.sign, tuple(node.name.split(lane.host)), node.more) for node in lane.nodes]
    return lane.edges, lane.left_out, tuple(nodes)


def _standing_for(lanes: Sequence[Lane]) -> Lane:
    first, count = lanes[0], len(lanes)
    names = ", ".join(lane.host for lane in lanes[:MOST_NAMES]) + (", …" if count > MOST_NAMES else "")
    domain = replace(first.nodes[DOMAIN], name=names, more=f"×{count} {first.nodes[DOMAIN].more}")
    return replace(first, nodes=(domain, *first.nodes[1:]), count=count)


@dataclass
class _Host:
    """What a host's routes come to: the ways they take, the paths served, added and removed, others."""

    ways: set[tuple[str, str, str]] = field(default_factory=set)
    served: set[str] = field(default_factory=set)
    added: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    is_otherwise: bool = False


def _hosts(changes: Sequence[Change]) -> dict[str, _Host]:
    """Return every host in one walk: a look at all changes for each would take the square of their number."""
    hosts: defaultdict[str, _Host] = defaultdict(_Host)
    for change in changes:
        for route in change.routes:
            hosts[route.host].ways.add((route.ingress, route.service, route.path))
            hosts[route.host].served.add(route.path)
        for host, path in change.routes_added:
            hosts[host].added.add(path)
        for _, new in change.routes_changed:
            hosts[new.host].is_otherwise = True
        for host, path in change.routes_removed:
            hosts[host].removed.add(path)
    return hosts


# --- reading --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Object:
    """An object of a file, and what becomes of it."""

    document: Document
    sign: Sign
    old_images: Mapping[str, str]
    """By the new one."""


@dataclass
class _Objects:
    ingresses: dict[str, _Object] = field(default_factory=dict)
    services: dict[str, _Object] = field(default_factory=dict)
    by_label: dict[tuple[str, str], list[_Object]] = field(default_factory=dict)


def _read(changes: Sequence[Change]) -> _Objects:
    """Return the objects of the files there is time to read; of the others only their routes are known."""
    objects, left = _Objects(), MOST_TEXT
    for change in sorted(changes, key=lambda change: change.action == "unchanged"):
        left -= len(change.content)
        if left < 0:
            break
        signs, images = _signs(change), {new: old for old, new in reversed(change.images)}
        default: Sign = "+" if change.action == "create" else "="
        for document in objects_of(parse_foreign(change.content) or ()):
            _put(objects, _Object(document, signs.get(document.title, default), images))
    return objects


def _put(objects: _Objects, found: _Object) -> None:
    document = found.document
    if document.kind == "Ingress":
        objects.ingresses[document.name] = found
    elif document.kind == "Service":
        objects.services[document.name] = found
    pod = pod_of(document)
    for label in texts_of(pod.labels).items() if pod is not None else ():
        objects.by_label.setdefault(label, []).append(found)


def _signs(change: Change) -> Mapping[str, Sign]:
    """Return what becomes of each object of a file, as the headers of its difference tell it."""
    signs: dict[str, Sign] = {}
    for old, new in _HEADERS.findall(change.diff):
        signs[old if new == _NONE else new] = "+" if old == _NONE else "-" if new == _NONE else "~"
    return signs


def _selected(objects: _Objects, service: _Object) -> list[_Object]:
    """Return the workloads whose pods a Service selects."""
    wanted = texts_of(mapping_at(service.document.body, "spec", "selector"))
    found: list[list[_Object]] = [objects.by_label.get(label, []) for label in wanted.items()]
    if not found:
        return []
    others = [set(map(id, more)) for more in found[1:]]
    return [item for item in found[0] if all(id(item) in other for other in others)]


# --- one domain -----------------------------------------------------------------------------------------


class _LaneMaker:
    """Collects the nodes of a lane, each once, and their edges."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.edges: dict[tuple[int, int], None] = {}
        self.left_out = 0
        self._known: dict[tuple[int, str], int] = {}

    def node(self, node: Node, *, after: Optional[int] = None) -> int:
        key = (node.column, node.name)
        if key not in self._known:
            self._known[key] = len(self.nodes)
            self.nodes.append(node)
        index = self._known[key]
        if after is not None:
            self.edges[after, index] = None
        return index

    def fitting(self, items: Iterable[_T]) -> Iterator[_T]:
        """Yield the items as long as there is room for boxes, and count the others."""
        for item in items:
            if len(self.nodes) < MOST_BOXES:
                yield item
            else:
                self.left_out += 1


def _lane(host: str, found: _Host, objects: _Objects) -> Lane:
    routes = sorted(found.ways)
    paths = list(dict.fromkeys(path for _, _, path in routes))
    maker = _LaneMaker()
    first = maker.node(Node(DOMAIN, host, _sign_of_host(found), host, ", ".join(paths)))
    for ingress, service in maker.fitting(
        dict.fromkeys((ingress, service) for ingress, service, _ in routes)
    ):
        _add_way(maker, first, objects, ingress=ingress, service=service)
    return Lane(host, tuple(maker.nodes), tuple(maker.edges), maker.left_out)


def _add_way(maker: _LaneMaker, first: int, objects: _Objects, *, ingress: str, service: str) -> None:
    """Add what leads from a domain through one Ingress and one Service to the images."""
    found = objects.ingresses.get(ingress)
    balancer = annotation_of(found.document.body, CLB) if found is not None else ""
    before = maker.node(Node(LOAD_BALANCER, balancer, "=", balancer), after=first) if balancer else first
    before = maker.node(Node(INGRESS, ingress, found.sign if found else "=", ingress), after=before)
    target = objects.services.get(service)
    before = maker.node(Node(SERVICE, service, target.sign if target else "=", service), after=before)
    for workload in maker.fitting(_selected(objects, target) if target is not None else ()):
        _add_workload(maker, before, workload)


def _add_workload(maker: _LaneMaker, before: int, workload: _Object) -> None:
    document = workload.document
    place = maker.node(Node(WORKLOAD, document.title, workload.sign, document.name), after=before)
    for image in maker.fitting(images_of([document])):
        maker.node(_image_node(image, workload), after=place)


def _image_node(image: str, workload: _Object) -> Node:
    old = workload.old_images.get(image)
    name, _, tag = image_change("", image)[1:].partition(":")
    sign: Sign = "=" if old is None else "~" if old else "+"
    return Node(IMAGE, f"{old} → {image}" if old else image, sign, name, tag)


def _sign_of_host(found: _Host) -> Sign:
    if not found.served:
        return "-"
    is_partly_new = bool(found.added) and found.added != found.served
    if is_partly_new or not found.removed <= found.served:
        return "~"
    return "+" if found.added else "~" if found.is_otherwise else "="
