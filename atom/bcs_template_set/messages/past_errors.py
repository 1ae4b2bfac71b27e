"""What a pipeline author can put right of a run about versions and files that exist. Performs no I/O.

All other errors, and the list of all, are in `errors.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from bcs_template_set.messages.step_error import Detail, StepError


class PastMistake(StepError):
    """Something that a pipeline author can put right, about what exists."""

    error_type = 1


class NothingNamed(PastMistake, code=800111):
    """`only` names what is neither a host nor a file."""


class VersionGone(PastMistake, code=800407):
    """The version to go back to is not there, or not of this pipeline and branch."""

    version: str
    files: Sequence[Detail]


class NoSuchState(PastMistake, code=800408):
    """There is nothing that one could go back to."""

    target: str
    problem: Detail
