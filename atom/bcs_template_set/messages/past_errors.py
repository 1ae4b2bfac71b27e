"""What a pipeline author can put right about files and versions that exist. Performs no I/O.

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


class PruneRefusal(StepError):
    """Something that speaks against deleting, and that a pipeline author can put right."""

    error_type = 1


class MayNotDelete(PruneRefusal, code=800221):
    """The user may not delete in the namespace, and `prune` would."""

    user: str
    namespace: str
    cluster: str


class PrunesEverything(PruneRefusal, code=800430):
    """`prune: delete` would take all that the pipeline and branch has there; a detail for files, objects."""


class PrunesTooMuch(PruneRefusal, code=800431):
    """`prune: delete` would take more than a quarter, or than `prune_limit`; a detail for each."""


class NothingToUndeploy(PruneRefusal, code=800432):
    """Nothing of a host that may be deleted is live where it was looked for; a detail for what stays."""

    host: str
    space: str
    namespace: str
    cluster: str
