"""What deploying came to, as values that log, output and report render. Performs no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Optional

from bcs_template_set.manifests.kind_rules import DONE
from bcs_template_set.messages import Text
from bcs_template_set.messages.errors import DeployRefused, NotArrived, RolloutFailed
from bcs_template_set.messages.server_errors import (
    DeployIncomplete,
    RolloutBlocked,
    RolloutTimedOut,
    RolloutUnseen,
)
from bcs_template_set.messages.state_words import Result
from bcs_template_set.messages.step_error import Detail, StepError
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.rollout.live_state import FileVersion
from bcs_template_set.rollout.page_checks import Arrival
from bcs_template_set.rollout.watched import Watched

RESTORED_AFTER: tuple[type[StepError], ...] = (
    *(DeployRefused, DeployIncomplete),
    *(RolloutFailed, RolloutBlocked, RolloutTimedOut, NotArrived),
)
"""The ends of a rollout that a restore follows: the cluster said so. That nobody could look is none."""


@dataclass(frozen=True)
class Before:
    """The version that a file was live at, in this namespace, before this build deployed it.

    `ready`: whether its workloads were, when they were last seen before that; None where nobody knows.
    """

    file: str
    version: str
    ready: Optional[bool] = None


@dataclass(frozen=True)
class Restoration:
    """A way back that was gone: the files at their versions before, the ones left, how the workloads ended.

    `files` were deployed again, as their objects show; `unwatched` are those of them whose workloads nobody
    has seen to their end. `left` were deployed for the first time, `same` were at this very version, of
    `gone` the version before is no longer in BCS, or holds something else now, of `absent` nothing is live
    any more, and `overtaken` somebody else has deployed since; who, as far as that is known, is said with the
    name. `not_back` were to go back, and are not there; `unread` were sent, and nobody
    could look since; of `lost` nobody knows what was there. `unready` and `unknown` are those whose version
    before was itself not ready, or nobody knows. `added` are the objects that are still as the version that
    failed made them, `Kind/name`. `runs` are (file, versions) pairs: what the objects of the files that are
    not back were marked with at the end; of a file that is missing, nobody could look.
    `problem` is why it did not work out, None where it did.
    """

    files: tuple[FileVersion, ...] = ()
    left: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    overtaken: tuple[Detail, ...] = ()
    lost: tuple[str, ...] = ()
    not_back: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    unwatched: tuple[str, ...] = ()
    unready: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    runs: tuple[tuple[str, str], ...] = ()
    watched: tuple[Watched, ...] = ()
    problem: Text | None = None

    @property
    def owed(self) -> tuple[str, ...]:
        """Return the files that were to go back and did not; sorted."""
        return tuple(sorted({*self.gone, *self.absent, *self.lost, *self.not_back, *self.unread}))

    def leaving(self, others: Mapping[str, Detail]) -> Restoration:
        """Return it without files that others have deployed, which each says; they do not go back."""
        names = self.not_back, self.unready, self.unknown
        kept = (tuple(name for name in every if name not in others) for every in names)
        not_back, unready, unknown = kept
        overtaken = (*self.overtaken, *others.values())
        return replace(self, overtaken=overtaken, not_back=not_back, unready=unready, unknown=unknown)

    @property
    def is_whole(self) -> bool:
        """Tell whether all that was to go back is back, and ready."""
        return self.problem is None and not self.owed and not self.unwatched

    @property
    def is_unseen(self) -> bool:
        """Tell whether all was deployed again, and nothing is known against it: nobody could look then."""
        ends = {item.end for item in self.watched} - DONE
        blind = bool(self.unread) or "unseen" in ends
        return blind and ends <= {"unseen"} and set(self.owed) == set(self.unread)

    @property
    def unseen(self) -> tuple[str, ...]:
        """Return the files that were to go back, are not seen to be, and of which nobody knows what runs."""
        seen = dict(self.runs)
        return tuple(name for name in (*self.not_back, *self.unread) if name not in seen)

    def is_ready(self, name: str) -> bool:
        """Tell whether a file that was deployed again was seen ready, as far as there is anything to see."""
        own = [item for item in self.watched if item.workload.file_name == name]
        return name not in self.unwatched and all(item.is_as_meant for item in own)


@dataclass(frozen=True)
class Rollout:
    """A deployment: what was deployed, what was live already, what that changed, how the workloads ended.

    `deployed` are files all of whose objects were seen live at our version, however the call was answered;
    `partly` are those of which a failed call made only some live. Names of files: `refused` are those at
    which BCS stopped, `unread` those of a call after which nobody could look, `not_attempted` those of calls
    that did not begin.
    `before` is what was live before, `earlier` are the files that an earlier try of this step has deployed,
    `lost` those of them of which nobody knows what was live before. `differences` are (Kind/name, unified
    diff) pairs between live and deployed. `pods` are the workloads of which not the text decides how many
    pods there are, with that number. `waited` is False where nobody waited (timeout 0), `restores` True where
    what fails is to go back; `unwatched` are the
    objects that make pods and that nobody has waited for, `Kind/name`. `moved` are (file, object) pairs of
    what the version before of a file holds, and a cluster may refuse to replace: another file has it now.
    `held` are files that somebody went back from, and that this run left as they are.
    """

    cluster_id: str
    namespace: str
    deployed: tuple[FileVersion, ...] = ()
    partly: tuple[FileVersion, ...] = ()
    refused: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    not_attempted: tuple[str, ...] = ()
    live_already: tuple[FileVersion, ...] = ()
    earlier: tuple[FileVersion, ...] = ()
    lost: tuple[str, ...] = ()
    before: tuple[Before, ...] = ()
    differences: tuple[tuple[str, str], ...] = ()
    pods: tuple[str, ...] = ()
    watched: tuple[Watched, ...] = ()
    waited: bool = True
    restores: bool = False
    unwatched: tuple[str, ...] = ()
    moved: tuple[tuple[str, str], ...] = ()
    held: tuple[str, ...] = ()
    arrivals: tuple[Arrival, ...] = ()
    restoration: Restoration | None = None

    @property
    def live(self) -> dict[str, tuple[str, ...]]:
        """Return the versions that the objects of each file carry now, as far as they were read."""
        way = self.restoration or Restoration()
        found = {item.file: (item.version,) for item in self.before}
        found.update((file.name, (file.told,)) for file in self.live_already if file.told)
        found.update((file.name, (file.version,)) for file in (*self.deployed, *way.files))
        found.update((file.name, (*found.get(file.name, ()), file.version)) for file in self.partly)
        found.update((name, (versions,)) for name, versions in way.runs)
        unseen = {*self.unread, *self.lost, *way.unseen} - {file.name for file in way.files}
        return {
            name: tuple(dict.fromkeys(versions)) for name, versions in found.items() if name not in unseen
        }

    @property
    def is_paused(self) -> bool:
        """Tell whether a workload waits for a person."""
        return any(item.end == "paused" for item in self.watched)

    @property
    def troubled(self) -> tuple[Watched, ...]:
        """Return the workloads that failed, or did not arrive in time."""
        return tuple(item for item in self.watched if item.end in ("failed", "pending"))

    @property
    def fails_elsewhere(self) -> bool:
        """Tell whether workloads failed, or did not arrive in time, and this build has deployed none of them.

        What was live before and is not ready does not become so by taking back what this build deployed.
        """
        return bool(self.troubled) and all(item.workload.was_live for item in self.troubled)


def rollout_result(error: StepError | None, rollout: Rollout | None) -> Result | None:
    """Return the result that a rollout's end is called, None where it is simply failed."""
    if rollout is None or error is None:
        return None
    way = rollout.restoration
    if way is not None and way.files and way.is_whole:
        return "restored"
    if isinstance(error, RolloutUnseen):
        return "unseen"
    return "timed-out" if isinstance(error, RolloutTimedOut) else None
