"""Takes the README's pictures: the report of the demo's deployment, in both languages, as Chromium shows it.

`python -m tests.report_picture` writes docs/report.png and docs/report.zh-CN.png. It needs Debian's packages
chromium and fonts-wqy-microhei; no test runs it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.emulator import Emulator
from tests.support.demo_site import (
    CLUSTER,
    GOOD,
    MISSING,
    NAMESPACE,
    VALUES,
    inputs,
    people_of,
    regions_of,
    report_of,
)
from tests.support.worker import Worker

CHROMIUM = "/usr/bin/chromium"
DOCS = Path(__file__).parents[1] / "docs"
PICTURES = {"en_US": DOCS / "report.png", "zh_CN": DOCS / "report.zh-CN.png"}
WIDTH, HEIGHT = 1100, 720


def main() -> int:
    """Write both pictures."""
    for language, picture in PICTURES.items():
        with tempfile.TemporaryDirectory() as scratch, Emulator() as emulator:
            take(report(Path(scratch), emulator, language), picture, profile=Path(scratch) / "profile")
    return 0


def report(root: Path, emulator: Emulator, language: str) -> Path:
    """Deploy twice, the second time one new image; return the second report."""
    people_of(emulator)
    emulator.state.add_cluster(CLUSTER, namespaces=(NAMESPACE,))
    target = {"action": "deploy", "cluster_id": CLUSTER, "namespace": NAMESPACE}
    variables = {"BK_CI_LOCALE_LANGUAGE": language}
    worker = Worker(root, emulator, regions_of(emulator), {**inputs(), **target}, variables)
    worker.run()
    worker.build_number += 1
    return report_of(worker.run(values=VALUES.replace(GOOD, MISSING)), worker)


def take(page: Path, picture: Path, *, profile: Path) -> None:
    """Write what a browser's window shows of a page."""
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--hide-scrollbars",
        "--virtual-time-budget=3000",
    ]
    window = [f"--window-size={WIDTH},{HEIGHT}", f"--user-data-dir={profile}"]
    command = [CHROMIUM, *flags, *window, f"--screenshot={picture}", page.as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=120)


if __name__ == "__main__":
    sys.exit(main())
