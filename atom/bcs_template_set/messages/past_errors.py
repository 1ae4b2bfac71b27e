"""What a pipeline author can put right about files and versions that exist. Performs no I/O.

All others are in `errors.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from bcs_template_set.messages.step_error import Detail, UserMistake


class NothingNamed(UserMistake, code=800111):
    """`only` names what is neither a host nor a file."""


class VersionGone(UserMistake, code=800407):
    """The version to go back to is not there, or not of this pipeline and branch."""

    version: str
    files: Sequence[Detail]


class NoSuchState(UserMistake, code=800408):
    """There is nothing that one could go back to."""

    target: str
    problem: Detail


class MayNotDelete(UserMistake, code=800221):
    """The user may not delete in the namespace, and `prune` would."""

    user: str
    namespace: str
    cluster: str


class PrunesEverything(UserMistake, code=800430):
    """`prune: delete` would take all that the pipeline and branch has there; a detail for files, objects."""


class PrunesTooMuch(UserMistake, code=800431):
    """`prune: delete` would take more than a quarter, or than `prune_limit`; a detail for each."""


class NothingToUndeploy(UserMistake, code=800432):
    """Nothing of a host that may be deleted is live where it was looked for; a detail for what stays."""

    host: str
    space: str
    namespace: str
    cluster: str
