"""How writing a planned change ended, as a value. Performs no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Optional

from bcs_template_set.messages import Text
from bcs_template_set.messages.errors import StepError
from bcs_template_set.publish.plan import Change

ChartState = Literal["none", "created", "unchanged", "failed", "planned"]
FileState = Literal["applied", "unchanged", "skipped", "failed", "not-attempted", "planned"]


@dataclass(frozen=True)
class FileOutcome:
    """How one planned change ended. `creator` is who BCS recorded for the version that was written.

    `seconds` is how long it took to publish. `verified` is False where BCS said that it is written, and it
    could not be read back. `template_id` is the id of a file that this run made, "" where only its version is
    known.
    """

    change: Change
    state: FileState
    version_id: str = ""
    version: str = ""
    creator: str = ""
    error: Optional[StepError] = None
    notes: tuple[Text, ...] = ()
    seconds: float = 0.0
    verified: bool = True
    template_id: str = ""
