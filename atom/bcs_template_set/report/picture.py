"""Where the boxes and lines of the picture are, in pixels. Pure: performs no I/O."""

from __future__ import annotations

from itertools import groupby

from bcs_template_set.messages.text import shorten, width
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.report.topology import Lane, Node, Sign, Topology

COLUMNS = ("domain", "load_balancer", "ingress", "service", "workload", "image")
BOX, BOX_HEIGHT, GAP, ROW_GAP = 166, 42, 22, 8
WIDTH = len(COLUMNS) * BOX + (len(COLUMNS) - 1) * GAP
HEAD, PAD = 26, 10
LINE_COLUMNS = 19
"""Columns of text that a line of a box holds."""

_BREAKS = "./:-"
_LEAST_LINE = 8


@dataclass(frozen=True)
class Box:
    """One box with its two lines of text; `column` is the name of its column."""

    x: int
    y: int
    sign: Sign
    name: str
    lines: tuple[str, str]
    column: str

    @property
    def first_line(self) -> int:
        """Return where its first line is; a line alone is in the middle."""
        return self.y + (18 if self.lines[1] else 26)


@dataclass(frozen=True)
class Group:
    """The boxes of one column of a lane, for the picture in words."""

    column: str
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class DrawnLane:
    """One domain: where it begins and ends, its lines as SVG paths, its boxes."""

    y: int
    height: int
    paths: tuple[str, ...]
    boxes: tuple[Box, ...]

    @property
    def groups(self) -> tuple[Group, ...]:
        """Return the boxes column by column, from the domain to the images."""
        ordered = sorted(self.boxes, key=lambda box: (box.x, box.y))
        return tuple(
            Group(column, tuple(boxes)) for column, boxes in groupby(ordered, key=lambda box: box.column)
        )


@dataclass(frozen=True)
class Picture:
    """The whole picture: what it shows, its height, where its columns are, and its lanes."""

    shown: Topology
    height: int
    columns: tuple[tuple[int, str], ...]
    lanes: tuple[DrawnLane, ...]

    @property
    def failed(self) -> bool:
        """Tell whether anything in it failed."""
        return any(box.sign == "!" for lane in self.lanes for box in lane.boxes)

    @property
    def width(self) -> int:
        """Return its width, which is always the same."""
        return WIDTH


def picture_of(topology: Topology) -> Picture:
    """Return the picture of a topology."""
    lanes: list[DrawnLane] = []
    y = HEAD
    for lane in topology.lanes:
        lanes.append(_draw(lane, y=y))
        y += lanes[-1].height
    columns = tuple((_left(index), name) for index, name in enumerate(COLUMNS))
    return Picture(topology, height=y, columns=columns, lanes=tuple(lanes))


def _draw(lane: Lane, *, y: int) -> DrawnLane:
    """Place a lane's boxes: each column is centred, so that a chain is a straight line."""
    counts = [sum(node.column == column for node in lane.nodes) for column in range(len(COLUMNS))]
    height = 2 * PAD + max(counts) * (BOX_HEIGHT + ROW_GAP) - ROW_GAP
    seen = [0] * len(COLUMNS)
    boxes: list[Box] = []
    for node in lane.nodes:
        used = counts[node.column] * (BOX_HEIGHT + ROW_GAP) - ROW_GAP
        top = y + (height - used) // 2 + seen[node.column] * (BOX_HEIGHT + ROW_GAP)
        seen[node.column] += 1
        boxes.append(Box(_left(node.column), top, node.sign, node.name, _lines(node), COLUMNS[node.column]))
    paths = tuple(_path(boxes[start], boxes[end]) for start, end in lane.edges)
    return DrawnLane(y, height, paths, tuple(boxes))


def _left(column: int) -> int:
    return column * (BOX + GAP)


def _path(start: Box, end: Box) -> str:
    """Return a curve from box to box with an arrow at its end."""
    x, y, to_x, to_y = start.x + BOX, start.y + BOX_HEIGHT // 2, end.x - 1, end.y + BOX_HEIGHT // 2
    bend = GAP // 2
    line = f"M{x} {y}C{x + bend} {y} {to_x - bend} {to_y} {to_x} {to_y}"
    return f"{line}m-5 -4l5 4l-5 4"


def _lines(node: Node) -> tuple[str, str]:
    """Return the text of a box: a name may take both lines where nothing else is to be said."""
    if node.more:
        return shorten(node.label, LINE_COLUMNS), shorten(node.more, LINE_COLUMNS)
    return _halves(shorten(node.label, 2 * LINE_COLUMNS - 2))


def _halves(text: str) -> tuple[str, str]:
    """Return a text on two lines, broken where a name may be."""
    if width(text) <= LINE_COLUMNS:
        return text, ""
    cut = next(index for index in reversed(range(len(text))) if width(text[:index]) <= LINE_COLUMNS)
    better = max(map(text[:cut].rfind, _BREAKS)) + 1
    if better >= _LEAST_LINE and width(text[better:]) <= LINE_COLUMNS:
        cut = better
    return text[:cut], shorten(text[cut:], LINE_COLUMNS)
