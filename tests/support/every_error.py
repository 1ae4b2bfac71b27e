"""The list of all errors that the step may end with."""

from __future__ import annotations

from bcs_template_set.messages import errors, past_errors, server_errors
from bcs_template_set.messages.step_error import StepError

HOLDERS = (errors, past_errors, server_errors)
"""The modules whose import makes their errors known, beside that of `step_error`."""


def every_error() -> list[type[StepError]]:
    """Return every error that has a code, by code."""
    kinds: list[type[StepError]] = [StepError]
    for kind in kinds:  # its subclasses come behind it, and are looked at, too
        kinds += kind.__subclasses__()
    return sorted((kind for kind in kinds if kind.code), key=lambda kind: kind.code)
