"""How a run grows from 30 files to as many as it may have: the installed step from its inputs to its verdict.

No latency is added, so that what is left is our own work and the emulated site's; both share this machine.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.processes import Cost, cost_of
from tests.bench.rendering import FILES_A_DOMAIN, values
from tests.bench.site_apart import SiteApart, site_apart
from tests.bench.tasks import task
from tests.support.worker import STEP

HEADINGS = ("files", "run", "seconds", "ms a file", "CPU ms a file", "requests a file", "peak MB")
FILES = (30, 300, 3000, 4998)


def measure() -> list[tuple[str, ...]]:
    """Return a row for each number of files and kind of run."""
    return [row for files in FILES for row in _rows(files)]


def _rows(files: int) -> list[tuple[str, ...]]:
    """Publish all files for the first time, then plan them unchanged."""
    with site_apart() as site, TemporaryDirectory() as folder:
        return [
            _row(files, "publish, all new", site, Path(folder), action="publish"),
            _row(files, "plan, all unchanged", site, Path(folder), action="plan"),
        ]


def _row(files: int, name: str, site: SiteApart, folder: Path, *, action: str) -> tuple[str, ...]:
    before = site.asked()
    cost = _run(site.url, folder / action, files=files, action=action)
    requests = site.asked().since(before).requests
    return (
        str(files),
        name,
        f"{cost.seconds:.2f}",
        f"{cost.seconds * 1000 / files:.1f}",
        f"{cost.cpu * 1000 / files:.1f}",
        f"{requests / files:.2f}",
        f"{cost.megabytes:.0f}",
    )


def _run(url: str, directory: Path, *, files: int, action: str) -> Cost:
    (directory / "workspace").mkdir(parents=True)
    inputs = {
        "action": action,
        "template_space": "front-ends",
        "values": values(files // FILES_A_DOMAIN),
    }
    build = 7 if action == "publish" else 8
    environ = task(url, directory, build=build, ref="refs/heads/main", inputs=inputs).hand_over(directory)
    cost = cost_of([str(STEP)], cwd=directory, environ={**os.environ, **environ}, output=directory / "log")
    told = json.loads((directory / "output.json").read_text(encoding="utf-8"))["data"]
    ended = {"publish": "published", "plan": "planned"}[action]
    assert told["result"]["value"] == ended, (directory / "log").read_text(encoding="utf-8")
    assert told["changed"]["value"] == str(action == "publish").lower()
    return cost
