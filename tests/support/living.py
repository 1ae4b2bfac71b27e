"""A run as BK-CI's agent has it, inside this process: the real step and ending, and output.json on a disk.

Only time is made up. What `agent_run` does with a process (signals, stdout) is left to `torture/killing.py`.
"""

from __future__ import annotations

import io
import json
import shutil
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.emulator.exchanges import Exchange
from tests.support.publishing import Site
from tests.support.stand_ins import SDK_JSON

from bcs_template_set.agent.log import Log
from bcs_template_set.agent.masker import Masker
from bcs_template_set.agent.open_agent import open_agent
from bcs_template_set.agent.output_file import pessimistic
from bcs_template_set.report.outcome import Outcome
from bcs_template_set.run.context import Services
from bcs_template_set.run.entry import FOLDER
from bcs_template_set.run.finish import RunFolder, end_run
from bcs_template_set.run.step import run_step

DELAY = 0.16
"""Seconds that a slow answer takes: more than anybody here waits for it (tests/torture/fault_table.py)."""

PAUSE = threading.Event()
"""Never set: waiting for it lets the emulator's threads go on."""

RUN_FOLDER = f"{FOLDER}/run"


@dataclass(frozen=True)
class Lived:
    """A run that has ended: what it knows, what it said, what it wrote for BK-CI, what it asked."""

    outcome: Outcome
    log: str
    output: Mapping[str, Any]
    exchanges: tuple[Exchange, ...]
    workspace: Path
    services: Services

    @property
    def result(self) -> str:
        """Return the output `result`."""
        return self.text("result")

    @property
    def changed(self) -> bool:
        """Tell whether the run says that it changed something, or may have."""
        return self.text("changed") == "true"

    @property
    def code(self) -> int:
        """Return the error's code, 0 where there is none."""
        return int(self.output.get("errorCode", 0))

    def text(self, name: str) -> str:
        """Return a string output, "" where it is not given."""
        entry = self.output["data"].get(name)
        return str(entry["value"]) if entry is not None else ""

    def versions(self) -> dict[str, dict[str, str]]:
        """Return the output `versions`, out of its file where it was too long."""
        told = json.loads(self.text("versions") or "{}")
        if set(told) == {"file", "count"}:
            told = json.loads((self.workspace / told["file"]).read_text(encoding="utf-8"))
        return {str(name): dict(entry) for name, entry in told.items()}


@dataclass(frozen=True)
class Others:
    """What else the agent's files hold: other regions, other private settings, the machine's own key."""

    regions: Mapping[str, object] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    agent_key: str = str(SDK_JSON["secretKey"])


def live(
    site: Site,
    *,
    inputs: Mapping[str, str],
    region: Mapping[str, object],
    others: Others = Others(),
) -> Lived:
    """Live a run from the agent's files to output.json; `region` goes over the region's settings.

    How it is prepared and what it does at the end is that of `agent_run`, without its process.
    """
    environ = site._prepare(inputs)
    amend(site.root, gateway=site.emulator.host, region=region, others=others)
    workspace, seen = site.root / "workspace", len(site.emulator.exchanges)
    shutil.rmtree(workspace / FOLDER, ignore_errors=True)
    masker, shown = Masker(), io.StringIO()
    log = Log(shown, "en_US", masker=masker)
    agent = open_agent(environ, clock=site.clock, masker=masker)
    agent.write_output(pessimistic("en_US"))
    assert agent.task().task_id, "its secret is known from here on, as it is to `agent_run`"
    services = site.services(agent, log)
    outcome = run_step(services)
    place = RunFolder(workspace, RUN_FOLDER)
    end_run(outcome, rendered=services.record.rendered, place=place, write_output=agent.write_output, log=log)
    output = json.loads((site.root / "output.json").read_text(encoding="utf-8"))
    return Lived(
        outcome, shown.getvalue(), output, tuple(site.emulator.exchanges[seen:]), workspace, services
    )


def come_to_rest(site: Site) -> None:
    """Return when nothing is under way any more: a slow request is handled after the step gave up on it."""
    end = time.monotonic() + 20 * DELAY + 5
    while any(exchange.ended == 0 for exchange in list(site.emulator.exchanges)):
        assert time.monotonic() < end, "requests are under way and do not end"
        PAUSE.wait(0.01)
    site.emulator.wait_for_late()


def amend(directory: Path, *, gateway: str, region: Mapping[str, object], others: Others) -> None:
    """Change the agent's files: the emulator is BK-CI too, and the region has these settings."""
    sdk_file = directory / ".sdk.json"
    identity = {**json.loads(sdk_file.read_text(encoding="utf-8")), "secretKey": others.agent_key}
    sdk_file.write_text(json.dumps({**identity, "gateway": gateway}), encoding="utf-8")
    path = directory / "input.json"
    given = json.loads(path.read_text(encoding="utf-8"))
    gz = json.loads(given["bkSensitiveConfInfo"]["regions"])["gz"]
    regions = {"gz": {**gz, **region}, **others.regions}
    given["bkSensitiveConfInfo"] = {**others.settings, "regions": json.dumps(regions)}
    path.write_text(json.dumps(given), encoding="utf-8")
