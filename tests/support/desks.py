"""A person's own machine: the settings file that names a site, and the step's verbs started there."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from tests.support.publishing import SPACE, USER, Site
from tests.support.worker import measured, run_step

from bcs_template_set.cli.verb_plan import LocalAgent
from bcs_template_set.manifests.yaml_reading import YamlValue

FILE = "desk.yaml"


def settings_of(site: Site, *, user: str = USER, owner: str = USER, **inputs: str) -> dict[str, YamlValue]:
    """Return what a settings file says of the site."""
    region = {"gateway": site.emulator.url, "app_code": site.app, "app_secret": f"{site.app}-secret"}
    given = {"region": "gz", "project_code": "web", "template_space": SPACE, **inputs}
    return {"regions": {"gz": {**region, "owner": owner}}, "inputs": {**given}, "user": user}


def desk_agent(site: Site, *, user: str = USER, **inputs: str) -> LocalAgent:
    """Return the agent of a desk with these settings."""
    return LocalAgent(settings_of(site, user=user, **inputs))


def write_settings(directory: Path, settings: dict[str, YamlValue]) -> None:
    """Write a settings file."""
    (directory / FILE).write_text(json.dumps(settings), encoding="utf-8")


def environment() -> dict[str, str]:
    """Return the variables of a desk."""
    return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **measured()}


def run_verb(directory: Path, verb: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a verb beside the settings file to its end."""
    return run_step([verb, "--settings", FILE, *arguments], at=directory, environ=environment())
