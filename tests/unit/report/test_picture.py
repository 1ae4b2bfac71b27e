"""Where the boxes of a picture are, what stands in them, and which lines lead from one to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.support import rollout_scenes

from bcs_template_set.report.picture import Picture, picture_of
from bcs_template_set.report.topology import Lane, Node, Topology, topology_of


def told(picture: Picture) -> Iterator[str]:
    """A line for each thing in it."""
    yield f"{picture.width} x {picture.height}"
    yield " ".join(f"{x}:{name}" for x, name in picture.columns)
    for lane in picture.lanes:
        yield f"lane {lane.y} + {lane.height}"
        for box in lane.boxes:
            words = " | ".join(filter(None, box.lines))
            yield f"  {box.x},{box.y} text {box.first_line} [{box.sign}] {box.column} {box.name}: {words}"
        yield from (f"  {path}" for path in lane.paths)


def test_a_picture_is_drawn_as_reviewed(golden: Callable[[str, str], None]) -> None:
    picture = picture_of(topology_of(rollout_scenes.PLAN.changes))
    golden("report/picture.txt", "\n".join([*told(picture), ""]))
    assert not picture.failed


def test_a_picture_in_which_a_workload_failed_has_failed() -> None:
    failed = {"Deployment/deployment.nginx.b.example.com"}
    assert picture_of(topology_of(rollout_scenes.PLAN.changes, failed=failed)).failed


def test_the_picture_in_words_goes_column_by_column_from_the_domain_to_the_images() -> None:
    lane = picture_of(topology_of(rollout_scenes.PLAN.changes)).lanes[1]
    assert [(group.column, len(group.boxes)) for group in lane.groups] == [
        ("domain", 1),
        ("load_balancer", 2),
        ("ingress", 2),
        ("service", 1),
        ("workload", 1),
        ("image", 1),
    ]
    ways = lane.groups[1].boxes
    assert [box.name for box in ways] == ["lb-0", "lb-1"]
    assert ways[0].y < ways[1].y


@pytest.mark.parametrize(
    ("label", "more", "lines"),
    [
        ("short", "", ("short", "")),
        ("n" * 19, "", ("n" * 19, "")),
        ("www-777." + "n" * 11, "", ("www-777." + "n" * 11, "")),
        ("n" * 20, "", ("n" * 19, "n")),
        ("www.example-of.com.example.com", "", ("www.example-of.com.", "example.com")),
        ("www-7.nnnnnnnnnnnnnnnn", "", ("www-7.nnnnnnnnnnnnn", "nnn")),
        ("www-77.nnnnnnnnnnnnnnnn", "", ("www-77.nnnnnnnnnnnn", "nnnn")),
        ("www-777.nnnnnnnnnnnnnnnn", "", ("www-777.", "nnnnnnnnnnnnnnnn")),
        ("www-777.nnnnnnnnnnnnnnnnnnn", "", ("www-777.", "n" * 19)),
        ("www-777.nnnnnnnnnnnnnnnnnnnn", "", ("www-777.nnnnnnnnnnn", "nnnnnnnnn")),
        ("n" * 40, "", ("n" * 18 + "…", "n" * 17)),
        ("域" * 12, "", ("域" * 9, "域" * 3)),
        ("n" * 20, "1.0.7", (f"{'n' * 9}…{'n' * 9}", "1.0.7")),
        ("name", "m" * 20, ("name", f"{'m' * 9}…{'m' * 9}")),
    ],
)
def test_a_name_takes_both_lines_where_nothing_else_is_to_be_said_and_is_broken_where_it_may_be(
    label: str, more: str, lines: tuple[str, str]
) -> None:
    lane = Lane("h", (Node(0, "h", "=", label, more),), (), 0)
    (drawn,) = picture_of(Topology((lane,), 1, 0, only_changed=False)).lanes
    assert drawn.boxes[0].lines == lines
