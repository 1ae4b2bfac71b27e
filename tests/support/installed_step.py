"""Starts the step that is installed in an environment, on templates for which it needs a child, too."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Optional

from tests.support.warm_start import Started
from tests.support.worker import Worker, launch

TEMPLATES = "settings.yaml.j2\nbuiltin:web"
TEMPLATE = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {app: "{{ app | upper }}"}
"""


def start_installed(
    worker: Worker,
    programs: Path,
    *,
    environ: Mapping[str, str],
    largest_file: Optional[int] = None,
    **inputs: str,
) -> tuple[Started, Path]:
    """Start the step of these programs; return the process and its directory."""
    template = worker.workspace / "settings.yaml.j2"
    if not template.exists():  # else a run that was started before may be reading it
        template.write_text(TEMPLATE, encoding="utf-8")
    directory, given = worker.prepare(**{"templates": TEMPLATES, **inputs})
    command = [str(programs / "bcs-template-set")]
    return launch(directory, {**given, **environ}, command=command, largest_file=largest_file), directory
