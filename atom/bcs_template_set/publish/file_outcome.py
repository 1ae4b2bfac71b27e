"""How writing a planned change ended, as a value. Performs no I/O."""

from __future__ import annotations

from typing import Literal, Optional

from bcs_template_set.messages import Text
from bcs_template_set.messages.errors import Overtaken, VersionConflict
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.publish.plan import Change
from bcs_template_set.records.late_dataclass import dataclass

ChartState = Literal["none", "created", "unchanged", "failed"]
WriteEnd = Literal["applied", "unchanged", "skipped", "failed", "not-attempted"]
"""How writing a file ended."""

Word = Literal["create", "update", "unchanged", "conflict", "skip", "rollback", "failed"]
"""The fixed words of design section 7: the same in both languages, so that a log can be searched."""


@dataclass(frozen=True)
class FileOutcome:
    """How one planned change ended. `creator` is who BCS recorded for the version that was written.

    `seconds` is how long it took to publish, `answered_at` when BCS said that it is written, on the monotonic
    scale. `unsure`: it took so long, or in such a way, that others may have written meanwhile unseen.
    `verified` is False where BCS said that it is written, and it could not be read back. `template_id` is the
    id of a file that this run made, "" where only its version is known.
    """

    change: Change
    state: WriteEnd
    version_id: str = ""
    version: str = ""
    creator: str = ""
    error: Optional[StepError] = None
    notes: tuple[Text, ...] = ()
    seconds: float = 0.0
    answered_at: float = 0.0
    unsure: bool = False
    verified: bool = True
    template_id: str = ""

    @property
    def word(self) -> Word:
        """Return the fixed word for what came of the file, or what is planned where nothing has yet."""
        if not self.change.writes or self.state == "applied":
            return self.change.action
        if self.state == "failed":
            return "conflict" if isinstance(self.error, (Overtaken, VersionConflict)) else "failed"
        return "unchanged" if self.state == "unchanged" else "skip"
