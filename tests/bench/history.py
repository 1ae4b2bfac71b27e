"""What the past costs: the same runs where every file has no older versions, and where it has thousands.

The installed step runs as BK-CI's worker starts it, against a site in a process of its own. Of 40 files, 13
domains and one more, a run changes the images of five domains, adds its branch's path to five, and shares the
routes files with other branches.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Optional

from tests.bench.many_space import CHANGED, SPACE, branch_of, values
from tests.bench.site_apart import Asked, SiteApart, site_apart
from tests.bench.tasks import task
from tests.emulator import Dialect
from tests.support.publishing import config
from tests.support.worker import STEP

DOMAINS, BRANCHES = 13, 3
OLDER = (0, 500, 5_000)
DIALECTS = (Dialect.A, Dialect.C)
FAILS = "fails"
BETWEEN = 3_600
"""Seconds between two builds."""
MOST = 1.05
"""How much of what a run costs without a past it may cost with one."""

HEADINGS = (
    "older versions a file",
    *(f"{kind}, {older:,}" for kind in ("requests", "kB received") for older in OLDER),
    "within 5 %",
)
TARGET = {"cluster_id": "BCS-K8S-40000", "namespace": "prod", "restore_if_job_fails": "true"}


@dataclass(frozen=True)
class Run:
    """A run of the step, or its post action, by the build that it belongs to; its result is `ended`."""

    name: str
    build: int
    action: str
    ended: str
    post: bool = False


RUNS = (
    Run("deploy, the first time", 101, "deploy", "deployed"),
    Run("plan", 102, "plan", "planned"),
    Run("publish", 103, "publish", "published"),
    Run("deploy", 104, "deploy", "deployed"),
    Run("post action", 104, "deploy", "restored", post=True),
)


def measure() -> list[tuple[str, ...]]:
    """Return a row for each run and release of BCS."""
    return [row for dialect in DIALECTS for row in _rows(dialect)]


def _rows(dialect: Dialect) -> list[tuple[str, ...]]:
    costs = [cost_of_runs(dialect, older=older) for older in OLDER]
    return [_row(f"{run.name}, {dialect.name}", [cost[run] for cost in costs]) for run in RUNS]


def _row(name: str, asked: Sequence[Optional[Asked]]) -> tuple[str, ...]:
    return (
        name,
        *(str(one.requests) if one else FAILS for one in asked),
        *(f"{one.answered / 1000:.0f}" if one else FAILS for one in asked),
        "yes" if all(is_within(one, asked[0]) for one in asked) else "no",
    )


def is_within(one: Optional[Asked], first: Optional[Asked]) -> bool:
    """Tell whether a run costs as much as the same one without a past."""
    if one is None or first is None:
        return False
    return one.requests <= first.requests * MOST and one.answered <= first.answered * MOST


def cost_of_runs(dialect: Dialect, *, older: int) -> dict[Run, Optional[Asked]]:
    """Return what each run asks of a site whose files have so many older versions, None where it fails."""
    space = ["--domains", DOMAINS, "--branches", BRANCHES, "--older", older, "--dialect", dialect.name]
    with site_apart(*space) as site, TemporaryDirectory() as folder:
        return {run: _cost(run, site, Path(folder)) for run in RUNS}


def _cost(run: Run, site: SiteApart, folder: Path) -> Optional[Asked]:
    """Carry a run out in the workspace of all of them; return what it asked, None where it failed."""
    workspace = folder / "workspace"
    workspace.mkdir(exist_ok=True)
    (workspace / "own.yaml").write_text(config("own", str(run.build)), encoding="utf-8")
    before = site.asked(wait=0 if run.post else BETWEEN)
    made = task(
        site.url,
        folder,
        build=run.build,
        ref=f"refs/heads/{branch_of(0)}",
        inputs={
            "action": run.action,
            "template_space": SPACE,
            "templates": "builtin:web\nown.yaml",
            "values": _values(run.build),
            "image_check": "off",
            **TARGET,
        },
    )
    identity = {**made.identity, "buildId": f"b-{run.build}", "taskId": "e-post" if run.post else "e-1"}
    made = replace(made, identity=identity, parent="e-1" if run.post else "")
    environ = {**os.environ, **made.hand_over(folder)}
    arguments = ["--post_action=restore"] if run.post else []
    subprocess.run([str(STEP), *arguments], cwd=folder, env=environ, capture_output=True, check=False)
    told = json.loads((folder / "output.json").read_text(encoding="utf-8"))["data"]
    has_ended = told.get("result", {}).get("value") == run.ended
    return site.asked().since(before) if has_ended else None


def _values(build: int) -> str:
    """Return the values of a build, whose images of five domains, the last ones, are its own."""
    found = json.loads(values(DOMAINS))
    for domain in found["domains"][-CHANGED:]:
        domain["image"] = f"{domain['image']}.{build}"
    return json.dumps(found)
