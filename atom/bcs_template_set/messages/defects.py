"""An exception nobody foresaw -> the step's own error for it. Performs no I/O."""

from __future__ import annotations

import traceback
from pathlib import Path

from bcs_template_set.messages.errors import Defect


def defect_of(exc: BaseException) -> Defect:
    """Return the error for an exception nobody foresaw: its kind and the innermost place in this step."""
    ours = [f for f in traceback.extract_tb(exc.__traceback__) if "bcs_template_set" in f.filename]
    place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "?"
    return Defect(kind=type(exc).__name__, place=place)


def traceback_of(exc: BaseException) -> str:
    """Return the traceback, for the log: whoever mends the step needs it."""
    return "".join(traceback.format_exception(type(exc), exc, exc.__traceback__))
