"""What BK-CI's worker hands to a step: its files and its environment, and whose word is in which of them.

As `MarketAtomTask.kt` and `ShellUtil.kt` of bk-ci have it (2026-08; facts/agent.md, "What BK-CI does"):
the build's stored variables, the step's `env` over them, the worker's own facts over both; `input.json` has
the step's inputs on top of that, declared or not, then the private settings, then the post action's parent.
The environment has the same without the inputs, less the names and characters that a shell can't export.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

WORKER_FACTS = (
    "bkWorkspace", "BK_CI_ATOM_CODE", "BK_CI_ATOM_TIMEOUT", "BK_CI_LOCALE_LANGUAGE", "BK_CI_ATOM_VERSION",
    "BK_CI_TASK_NAME",
)  # fmt: skip
"""What the worker sets itself, whatever the pipeline calls so."""

_MOST_OF_A_VALUE = 30_000
"""Characters; with a longer one Linux starts no program. BK-CI's own variables have 4,000 at most."""
_CHINESE = re.compile("[\u4e00-\u9fa5]")


@dataclass(frozen=True)
class Task:
    """One task of a build, as the worker is about to start it.

    `variables` are the build's stored ones, `env` the step's; `facts` the worker's own; `private_settings`
    None where the platform keeps them out of the file.
    """

    identity: Mapping[str, object]
    variables: Mapping[str, str]
    facts: Mapping[str, str]
    inputs: Mapping[str, object]
    env: Mapping[str, str] = field(default_factory=dict)
    private_settings: Optional[Mapping[str, str]] = None
    parent: str = ""

    @property
    def seen(self) -> dict[str, str]:
        """Return all variables as the step sees them."""
        return {**self.variables, **self.env, **self.facts}

    def input_json(self) -> dict[str, object]:
        """Return what `input.json` holds."""
        settings = {} if self.private_settings is None else {"bkSensitiveConfInfo": self.private_settings}
        parent = {"parentTaskId": self.parent} if self.parent else {}
        return {**self.seen, **self.inputs, **settings, **parent}

    def hand_over(self, directory: Path) -> dict[str, str]:
        """Write the files into a directory; return the environment of the step, the machine's own aside."""
        (directory / "input.json").write_text(json.dumps(self.input_json()), encoding="utf-8")
        (directory / ".sdk.json").write_text(json.dumps(dict(self.identity)), encoding="utf-8")
        return {
            **exported(self.seen),
            "bk_data_dir": str(directory),
            "bk_data_input": "input.json",
            "bk_data_output": "output.json",
        }


def exported(variables: Mapping[str, str]) -> dict[str, str]:
    """Return what a shell exports of some variables."""
    return {
        name: value.replace("'", "").replace("\n", "").replace("\0", "")  # the last one is bash's doing
        for name, value in variables.items()
        if not set(name) & {".", "-"} and not _CHINESE.search(name) and len(value) < _MOST_OF_A_VALUE
    }
