"""Rendering, checking and planning of many domains: time a domain and peak memory."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from pathlib import Path

from bcs_template_set.bcs.space.existing import Existing
from bcs_template_set.bcs.space.provenance import Provenance
from bcs_template_set.cli.main import MANY_VALUES
from bcs_template_set.manifests.checks.check_manifests import check_manifests
from bcs_template_set.manifests.checks.telling import told_lines
from bcs_template_set.manifests.schema.field_types import field_types
from bcs_template_set.manifests.templating.build_context import make_context
from bcs_template_set.manifests.templating.prepare import RenderRequest, prepare
from bcs_template_set.manifests.templating.render import render_manifests
from bcs_template_set.publish.make_plan import make_plan
from bcs_template_set.publish.plan import Desired, Policy, SpaceRef
from bcs_template_set.system.clock import SystemClock

HEADINGS = ("domains", "files", "documents", "CPU seconds", "CPU ms a document", "peak MB")
FILES_A_DOMAIN = 3
PROVENANCE = Provenance(
    pipeline="p-1", build=1, branch="main", commit="", started_by="lisi", acting_as="lisi"
)
CASES = ((10, 1), (100, 1), (1000, 1), (1666, 4))
"""Domains, and load balancers of each; the last has as many files and documents as a run may have."""


def measure() -> list[tuple[str, ...]]:
    """Return a row for each number of domains."""
    return [row_of(*case) for case in CASES]


def schema_milliseconds() -> float:
    """Return what it takes to load Kubernetes' schema, which a run does that reads a manifest."""
    seconds = []
    for _ in range(5):
        field_types.cache_clear()
        began = time.perf_counter()
        field_types()
        seconds.append(time.perf_counter() - began)
    return min(seconds) * 1000


def row_of(domains: int, load_balancers: int) -> tuple[str, ...]:
    """Measure in a process of its own: its peak memory is then its own."""
    done = subprocess.run(command(domains, load_balancers), check=True, capture_output=True, text=True)
    seconds, megabytes = done.stdout.split()
    documents = domains * (FILES_A_DOMAIN - 1 + load_balancers)
    each = f"{float(seconds) * 1000 / documents:.2f}"
    return str(domains), str(domains * FILES_A_DOMAIN), str(documents), seconds, each, megabytes


_ITSELF = f"""\
import gc
gc.set_threshold({MANY_VALUES})
from bcs_template_set import take
take()
from tests.bench.rendering import main
main()
gc.freeze()
"""
"""It begins and ends as the step does (`entry_point` of cli/main.py)."""


def command(domains: int, load_balancers: int = 1, *, python: str = sys.executable) -> list[str]:
    """Return what renders, checks and plans that many domains, with the step that this Python has."""
    return [python, "-c", _ITSELF, str(domains), str(load_balancers)]


def values(domains: int, load_balancers: int = 1) -> str:
    """Return values with that many domains, each with a volume."""
    rows = "".join(
        f"  - host: d{number}.example.com\n    image: example.com/web/d{number}:1704448623620-{number}\n"
        f"    load_balancers: [{', '.join(f'lb-{number}-{nth}' for nth in range(load_balancers))}]\n"
        f"    volumes: [{{name: logs, host_path: /data/logs, mount_path: /data/logs}}]\n"
        for number in range(domains)
    )
    return f"app: nginx\ndomains:\n{rows}"


def main() -> None:
    domains, load_balancers = map(int, sys.argv[1:])
    request = RenderRequest(
        workspace=Path.cwd(),
        templates=("builtin:web",),
        values_text=values(domains, load_balancers),
        values_files=(),
        context=make_context({"build.number": "7", "branch.name": "main"}),
        clock=SystemClock(),
    )
    began = time.process_time()
    files = render_manifests(prepare(request)).files
    findings = check_manifests(files, template_space="web", template_set=False, namespace="", kube_version="")
    target = SpaceRef(region="gz", project="web", space="web")
    plan = make_plan(Desired(target, "1.0.7", files, PROVENANCE), Existing(), policy=Policy())
    seconds = time.process_time() - began
    assert not findings, told_lines([findings[0]])[0].render("en_US")
    assert plan.count("create") == FILES_A_DOMAIN * domains
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{seconds:.2f} {peak:.0f}")
