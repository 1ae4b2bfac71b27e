"""What a run takes away of what earlier builds left, as values, and when that is refused. Pure.

`orphans.py` says what that is; what is really deleted is decided again, object by object, right before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Literal, Optional

from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kinds import AUTOSCALER, INGRESS, SERVICE
from bcs_template_set.messages import Text, say
from bcs_template_set.records.late_dataclass import dataclass

PruneMode = Literal["off", "report", "delete"]
FILES = "files"
"""The word of `prune_also` that is no kind: the files of what was deployed."""

FEW = 3
"""So many may always go, unless that is all there is (d8 of the issue: a quarter of four is one)."""


@dataclass(frozen=True)
class Orphan:
    """A live object that no file renders any more, the file and version that made it, and its build.

    `is_newest`: that version is its file's newest. `versions` are the ids by which its file is known, one of
    which is the current one.
    """

    kind: Kind
    name: str
    file: str
    version: str
    build: int = 0
    uid: str = ""
    template_id: str = ""
    versions: frozenset[str] = frozenset()
    is_newest: bool = False

    @property
    def title(self) -> str:
        """Return `Kind/name`."""
        return f"{self.kind.name}/{self.name}"

    @property
    def made_by(self) -> tuple[str, str, str]:
        """Return what it is, and the file and version that made it: by that two looks know it."""
        return self.title, self.file, self.version

    @property
    def rank(self) -> int:
        """Return when it goes: routes, autoscalers, Services, workloads, and last what they mount."""
        first = (INGRESS, AUTOSCALER, SERVICE)
        if self.kind in first:
            return first.index(self.kind)
        return LAST - 1 if self.kind.pod_template is not None else LAST


LAST = 4
"""The rank of what workloads mount."""


@dataclass(frozen=True)
class OrphanFile:
    """A file that is rendered no more, at its current version, of `build`; `newest` is the one made last."""

    name: str
    template_id: str
    version_id: str
    build: int = 0
    newest: str = ""


@dataclass(frozen=True)
class Pruning:
    """What goes, what stays and why, or why nothing goes.

    `is_seen`: all of it was looked at; else nothing is known of what is live. `objects` are in the order in
    which they go; `files` go after them. `stays` are sentences, `absent` the files of which nothing is live
    here and that stay. With `blind` nothing goes: why. `everything` and `too_many` refuse the run; `lost` are
    routes that would go; `notes` are about the limit.
    """

    mode: PruneMode = "report"
    is_seen: bool = False
    objects: tuple[Orphan, ...] = ()
    files: tuple[OrphanFile, ...] = ()
    stays: tuple[Text, ...] = ()
    absent: tuple[str, ...] = ()
    blind: Optional[Text] = None
    everything: tuple[Text, ...] = ()
    too_many: tuple[Text, ...] = ()
    lost: tuple[Text, ...] = ()
    notes: tuple[Text, ...] = ()

    @property
    def deletes(self) -> bool:
        """Tell whether carrying it out would delete anything."""
        return self.mode == "delete" and self.blind is None and bool(self.objects or self.files)

    @property
    def parts(self) -> tuple[tuple[str, str, str], ...]:
        """Return what a person approves of it, each with its kind, name and value."""
        if not self.deletes:
            return ()
        objects = (("delete", one.title, f"{one.file} {one.version}") for one in self.objects)
        return (*objects, *(("delete", one.name, one.version_id) for one in self.files))


NO_PRUNING = Pruning()


@dataclass(frozen=True)
class Share:
    """What would go of what this pipeline and branch has there: `word` is files or objects.

    `orphaned` is what is rendered no more, kept or not, `going` what of it would go, `had` all.
    """

    word: Literal["files", "objects"]
    orphaned: int
    going: int
    had: int


def limits(
    shares: Sequence[Share], *, limit: Optional[int]
) -> tuple[tuple[Text, ...], tuple[Text, ...], tuple[Text, ...]]:
    """Return what refuses the run whatever its numbers are, what a higher limit allows, and notes.

    The share is of what this pipeline and branch has there: a shared folder makes a quarter of nothing.
    """
    going = [share for share in shares if share.going]
    everything = tuple(_told("all", share) for share in going if share.orphaned >= share.had)
    if everything or not going:
        return everything, (), tuple(_idle(shares, limit))
    too_many = [share for share in going if _is_too_many(share, limit)]
    line = (say("prune.limit_line", count=max(share.going for share in too_many)),) if too_many else ()
    return (), (*(_told("share", share) for share in too_many), *line), tuple(_idle(shares, limit))


def _is_too_many(share: Share, limit: Optional[int]) -> bool:
    if limit is not None:
        return share.going > limit
    return share.going > FEW and share.going * 4 > share.had


def _told(name: str, share: Share) -> Text:
    return say(f"prune.{name}_{share.word}", count=share.going, had=share.had)


def _idle(shares: Sequence[Share], limit: Optional[int]) -> Iterable[Text]:
    """Say of a limit that nothing comes near: it guards nothing, and the next accident fits into it."""
    most = max(share.going for share in shares)
    if limit is not None and limit > most:
        yield say("prune.limit_idle", limit=limit, count=most)


@dataclass(frozen=True)
class WayBack:
    """What a rollback is to be told to bring things back: the build whose state that is, and the files."""

    build: int
    files: tuple[str, ...]


def ways_back(gone: Collection[Orphan]) -> tuple[WayBack, ...]:
    """Return the rollbacks that bring deleted objects back, the newest build first.

    Each file's state at the build that made the object is the version that the object was made from; what was
    made from its file's newest version is in the state of any later build, too.
    """
    newest = max((one.build for one in gone if one.is_newest), default=0)
    builds: dict[int, set[str]] = {}
    for one in gone:
        builds.setdefault(newest if one.is_newest else one.build, set()).add(one.file)
    return tuple(WayBack(build, tuple(sorted(builds[build]))) for build in sorted(builds, reverse=True))
