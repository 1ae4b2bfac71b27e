"""Why nothing may be deleted: what a pipeline author can put right. Performs no I/O."""

from __future__ import annotations

from bcs_template_set.messages.step_error import StepError


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
