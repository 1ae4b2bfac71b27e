"""What deploying came to, as values that log, output and report render. Performs no I/O."""

from __future__ import annotations

from dataclasses import dataclass

from bcs_template_set.messages import Text
from bcs_template_set.rollout.deployment_plan import FileVersion
from bcs_template_set.rollout.page_checks import Arrival
from bcs_template_set.rollout.watched import Watched


@dataclass(frozen=True)
class Restoration:
    """A way back that was gone: the files at their versions before, the ones left, how the workloads ended.

    `files` were deployed again, as their objects show. `left` were deployed for the first time; `same`,
    `gone`, `absent` and `overtaken` are those of `restore.Way`. `not_back` were to go back, and BCS did not
    do it. `added` are the objects that are still as the version that failed made them, `Kind/name`.
    `problem` is why it did not work out, None where it did.
    """

    files: tuple[FileVersion, ...] = ()
    left: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    overtaken: tuple[str, ...] = ()
    not_back: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    watched: tuple[Watched, ...] = ()
    problem: Text | None = None

    @property
    def owed(self) -> tuple[str, ...]:
        """Return the files that were to go back and did not; sorted."""
        return tuple(sorted({*self.gone, *self.absent, *self.not_back}))

    @property
    def is_whole(self) -> bool:
        """Tell whether all that was to go back is back, and ready."""
        return self.problem is None and not self.owed


@dataclass(frozen=True)
class Rollout:
    """A deployment: what was deployed, what was live already, what that changed, how the workloads ended.

    `deployed` are files all of whose objects were seen live at our version, however the call was answered;
    `partly` are those of which a failed call made only some live.
    `before` are (file, version) pairs as they were live before. `differences` are (Kind/name, unified diff)
    pairs between live and deployed. `waited` is False where nobody waited (timeout 0).
    """

    cluster_id: str
    namespace: str
    deployed: tuple[FileVersion, ...] = ()
    partly: tuple[FileVersion, ...] = ()
    live_already: tuple[FileVersion, ...] = ()
    before: tuple[tuple[str, str], ...] = ()
    differences: tuple[tuple[str, str], ...] = ()
    watched: tuple[Watched, ...] = ()
    waited: bool = True
    arrivals: tuple[Arrival, ...] = ()
    restoration: Restoration | None = None
