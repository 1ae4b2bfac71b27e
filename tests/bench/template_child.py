"""Templates of the workspace, rendered in a child: what its start costs, and each template more."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from bcs_template_set.manifests.templating.build_context import make_context
from bcs_template_set.manifests.templating.prepare import RenderRequest, prepare
from bcs_template_set.manifests.templating.render import render_manifests
from bcs_template_set.system.clock import SystemClock

HEADINGS = ("templates", "ms", "ms a template")
COUNTS = (1, 10, 100)
ROUNDS = 5
SOURCE = "kind: ConfigMap\nmetadata: {name: a{{ n }}}\ndata: {build: '{{ build.number }}'}\n"


def measure() -> list[tuple[str, ...]]:
    """Return a row for each number of templates: the best of several rounds, each with a child of its own."""
    return [_row(count) for count in COUNTS]


def _row(count: int) -> tuple[str, ...]:
    best = min(_seconds(count) for _ in range(ROUNDS)) * 1000
    return str(count), f"{best:.0f}", f"{best / count:.1f}"


def _seconds(count: int) -> float:
    with TemporaryDirectory() as folder:
        for number in range(count):
            (Path(folder) / f"{number}.yaml.j2").write_text(SOURCE, encoding="utf-8")
        prepared = prepare(
            RenderRequest(
                workspace=Path(folder),
                templates=("*.yaml.j2",),
                values_text="n: 1",
                values_files=(),
                context=make_context({"build.number": "7", "branch.name": "main"}),
                clock=SystemClock(),
            )
        )
        began = time.perf_counter()
        files = render_manifests(prepared).files
        seconds = time.perf_counter() - began
    assert len(files) == count
    return seconds
