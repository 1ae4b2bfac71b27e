"""Rendering, checking and planning of many domains: time a domain and peak memory."""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from bcs_template_set.bcs.space.existing import Existing
from bcs_template_set.manifests.checks.check_manifests import check_manifests
from bcs_template_set.manifests.checks.telling import told_lines
from bcs_template_set.manifests.templating.build_context import make_context
from bcs_template_set.manifests.templating.prepare import RenderRequest, prepare
from bcs_template_set.manifests.templating.render import render_manifests
from bcs_template_set.publish.make_plan import make_plan
from bcs_template_set.publish.plan import Desired, Policy, SpaceRef
from bcs_template_set.system.clock import SystemClock
from tests.bench.api import PROVENANCE

HEADINGS = ("domains", "seconds", "ms a domain", "peak MB")
COUNTS = (10, 100, 1000)


def measure() -> list[tuple[str, ...]]:
    """Return a row for each number of domains."""
    return [row_of(count) for count in COUNTS]


def row_of(count: int) -> tuple[str, ...]:
    """Measure in a process of its own: its peak memory is then its own."""
    done = subprocess.run(command(count), check=True, capture_output=True, text=True)
    seconds, megabytes = done.stdout.split()
    return str(count), seconds, f"{float(seconds) * 1000 / count:.2f}", megabytes


def command(count: int) -> list[str]:
    """Return what renders, checks and plans that many domains in a process of its own."""
    return [sys.executable, "-m", "tests.bench.rendering", str(count)]


def values(count: int) -> str:
    """Return values with that many domains, each with a volume and a load balancer."""
    rows = "".join(
        f"  - host: d{number}.example.com\n    image: example.com/web/d{number}:1704448623620-{number}\n"
        f"    load_balancers: [lb-{number}]\n"
        f"    volumes: [{{name: logs, host_path: /data/logs, mount_path: /data/logs}}]\n"
        for number in range(count)
    )
    return f"app: nginx\ndomains:\n{rows}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("domains", type=int)
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        request = RenderRequest(
            workspace=Path(folder),
            templates=("builtin:web",),
            values_text=values(options.domains),
            values_files=(),
            context=make_context({"build.number": "7", "branch.name": "main"}),
            clock=SystemClock(),
        )
        began = time.perf_counter()
        files = render_manifests(prepare(request))
        findings = check_manifests(files, template_space="web", template_set=False)
        target = SpaceRef(region="gz", project="web", space="web")
        plan = make_plan(Desired(target, "1.0.7", files, PROVENANCE), Existing(), policy=Policy())
        seconds = time.perf_counter() - began
    assert not findings, told_lines([findings[0]])[0].render("en_US")
    assert plan.count("create") == 3 * options.domains
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{seconds:.2f} {peak:.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
