"""Delete what a plan says, in its order, one by one: look, delete, and look until it is gone.

BCS deletes in the background, and its DELETE knows no precondition. So right before each one the object and
its file are read again, and "accepted" is not "gone". Whatever stops it, there are three lists: done, left,
not tried.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field, replace
from operator import itemgetter
from typing import Optional

from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.calls import Writer
from bcs_template_set.bcs.deploy_calls import delete_live
from bcs_template_set.bcs.marks import Mark, mark_of
from bcs_template_set.bcs.protocol import PINNED
from bcs_template_set.bcs.space.template_spaces import read_file
from bcs_template_set.manifests.fields import Fields, list_at, text_at
from bcs_template_set.manifests.live_fields import is_going
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.server_errors import BcsFailed, OutcomeUnknown
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.publish.prune_rules import going_text
from bcs_template_set.publish.pruning import LAST, Orphan, OrphanFile, Pruning
from bcs_template_set.publish.read_orphans import Looking, is_not_found, read_names_of, read_whole
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.system.clock import Clock

UNTIL_GONE = 30.0
"""Seconds for all objects together to be gone, once they are deleted."""

LOOK_EVERY = 1.0


@dataclass(frozen=True)
class Taken:
    """What became of a pruning: what is gone, what is left and why, and what nobody tried to delete."""

    done: tuple[Orphan, ...] = ()
    files: tuple[str, ...] = ()
    left: tuple[tuple[str, Text], ...] = ()
    not_tried: tuple[str, ...] = ()
    planned: tuple[Orphan, ...] = ()

    @property
    def pruned(self) -> tuple[tuple[str, str], ...]:
        """Return the files of which something was deleted and nothing is left to do, with their versions."""
        open_names = {*self.not_tried, *(name for name, _ in self.left)}
        versions = {one.file: one.version for one in self.done}
        kept = {one.file for one in self.planned if one.title in open_names}
        return tuple((name, versions[name]) for name in sorted(versions.keys() - kept))

    @property
    def is_begun(self) -> bool:
        """Tell whether anything was deleted, or may have been."""
        return bool(self.done or self.files or self.left)

    @property
    def is_whole(self) -> bool:
        """Tell whether all that was to go is gone."""
        return not (self.left or self.not_tried)


@dataclass(frozen=True)
class Taking:
    """What it takes: who looks and writes, for how long, and who hears how far it is."""

    looking: Looking
    writer: Writer
    clock: Clock
    on_end: Callable[[Taken], None]
    seconds: float = UNTIL_GONE


def take_away(taking: Taking, pruning: Pruning, *, kept: Sequence[tuple[str, Text]] = ()) -> Taken:
    """Delete the objects and files of a pruning; return what became of each.

    `kept` are those that were to go, and may not any more, each with why.
    """
    left = [*kept]
    made_of = {
        file.name: frozenset(one.title for one in pruning.objects if one.file == file.name)
        for file in pruning.files
    }
    objects = pruning.objects
    way = _Way(taking, [*objects], [*pruning.files], left=left, made_of=made_of, planned=objects)
    way.tell()
    way.go()
    way.tell()
    return way.taken()


@dataclass
class _Way:
    """How far it is: `objects` and `files` are still to be tried, `sent` are deleted and not seen gone yet.

    `waited` are the seconds waited for all of them, `made_of` the objects of each file that is to go.
    """

    taking: Taking
    objects: list[Orphan]
    files: list[OrphanFile]
    sent: list[Orphan] = field(default_factory=list)
    done: list[Orphan] = field(default_factory=list)
    gone_files: list[str] = field(default_factory=list)
    left: list[tuple[str, Text]] = field(default_factory=list)
    waited: float = 0.0
    made_of: dict[str, frozenset[str]] = field(default_factory=dict)
    planned: tuple[Orphan, ...] = ()

    def taken(self) -> Taken:
        """Return what became of everything so far; what was sent may still go."""
        sent = [(one.title, say("prune.sent")) for one in self.sent]
        untried = (*(one.title for one in self.objects), *(file.name for file in self.files))
        return Taken(tuple(self.done), tuple(self.gone_files), (*self.left, *sent), untried, self.planned)

    def tell(self) -> None:
        """Let it be heard how far it is."""
        self.taking.on_end(self.taken())

    def go(self) -> None:
        """Delete in order, until something stands in the way."""
        goes_on = True
        while self.objects and goes_on:
            if self.objects[0].rank == LAST and self.sent and not self._wait():
                break  # what they mount stays as long as they do
            goes_on = self._delete(self.objects.pop(0))
            self.tell()
        is_gone = self._wait()
        while self.files and goes_on and is_gone:
            goes_on = self._delete_file(self.files.pop(0))
            self.tell()

    def _delete(self, one: Orphan) -> bool:
        """Delete an object that is still the one that was looked at; return whether the next may be tried."""
        try:
            whole = read_whole(self.taking.looking, one.kind, one.name)
            if whole is None:
                self.done.append(one)
                return True
            reason = self._came_back(one, whole)
            if reason is not None:
                self.left.append((one.title, reason))
                return True
            if not is_going(whole):
                self.taking.writer.write(delete_live(self.taking.looking.place, kind=one.kind, name=one.name))
        except BcsFailed as exc:
            if not is_not_found(exc, one.name):
                self.left.append((one.title, exc.title()))
                return False
        except OutcomeUnknown:
            self.sent.append(one)
            return False
        except StepError as exc:
            self.left.append((one.title, exc.title()))
            return False
        self.sent.append(one)
        return True

    def _came_back(self, one: Orphan, whole: Fields) -> Optional[Text]:
        """Return why an object is not what was looked at any more, or its file not at that version."""
        mark = Mark(f"{self.taking.looking.space.name}/{one.file}", one.version)
        is_same = text_at(whole, "metadata", "uid") == one.uid and mark_of(whole) == mark
        if not is_same or list_at(whole, "metadata", "ownerReferences"):
            return say("prune.came_back")
        if self._is_at(one.file, one.template_id, one.versions):
            return None
        return say("prune.file_came_back", name=one.file)

    def _is_at(self, name: str, template_id: str, versions: frozenset[str], *, is_file: bool = False) -> bool:
        """Tell whether a file is where it was; with `is_file` a draft that somebody has begun counts, too.

        Of a pinned one a new version is not the current one (facts/bcs.md, trap 4).
        """
        looking = self.taking.looking
        row = read_file(looking.reader, looking.project, template_id, known_as=name)
        names = read_names_of(looking, [row]) if row.version_mode == PINNED else {}
        newest = [ref.id for ref in (names.get(row.real_name) or ())[:1]]
        return versions.issuperset([row.version_id, *newest]) and not (row.is_draft and is_file)

    # --- until it is gone -------------------------------------------------------------------------------

    def _wait(self) -> bool:
        """Look until all that was deleted is gone; return whether it is, and else leave it as left."""
        while True:
            seen = [(one, self._look(one)) for one in self.sent]
            self.done += [one for one, why in seen if why is None]
            self.sent = [one for one, why in seen if why is not None]
            if not self.sent:
                return True
            if self.waited >= self.taking.seconds:
                break
            self.tell()
            self.taking.clock.wait(LOOK_EVERY)
            self.waited += LOOK_EVERY
        self.left += [(one.title, why) for one, why in seen if why is not None]
        self.sent = []
        return False

    def _look(self, one: Orphan) -> Optional[Text]:
        """Return why an object is not gone, None where it is; what is there under its name may be another."""
        try:
            whole = read_whole(self.taking.looking, one.kind, one.name)
        except StepError as exc:
            return say("prune.unseen", why=exc.title())
        if whole is None or text_at(whole, "metadata", "uid") != one.uid:
            return None
        return going_text(whole) if is_going(whole) else say("prune.still_there")

    # --- files ------------------------------------------------------------------------------------------

    def _delete_file(self, file: OrphanFile) -> bool:
        """Delete a file that nobody has published since; return whether the next may be tried."""
        looking, kept = self.taking.looking, {name for name, _ in self.left}
        try:
            if kept & self.made_of.get(file.name, frozenset()):
                self.left.append((file.name, say("prune.object_stays")))
                return True
            versions = frozenset({file.version_id, file.newest})
            if not self._is_at(file.name, file.template_id, versions, is_file=True):
                self.left.append((file.name, say("prune.file_came_back", name=file.name)))
                return True
            self.taking.writer.write(protocol.delete_file(looking.project, file.template_id))
        except StepError as exc:
            self.left.append((file.name, exc.title()))
            return False
        self.gone_files.append(file.name)
        return True


def narrowed(fresh: Pruning, planned: Pruning) -> tuple[Pruning, tuple[tuple[str, Text], ...]]:
    """Return what was planned and may still go, and what may not any more, each with why."""
    wanted = {one.made_by: one for one in planned.objects}
    objects = [one for one in fresh.objects if one.made_by in wanted and one.uid == wanted[one.made_by].uid]
    found = {one.made_by for one in objects}
    names, stuck = {file.name for file in planned.files}, {made_by[1] for made_by in wanted.keys() - found}
    files = tuple(file for file in fresh.files if file.name in names - stuck)
    kept = dict.fromkeys(names - {file.name for file in files}, say("prune.came_back"))
    kept.update(
        (one.title, say("prune.came_back")) for made_by, one in wanted.items() if made_by not in found
    )
    return replace(fresh, mode=planned.mode, objects=tuple(objects), files=files), tuple(
        sorted(kept.items(), key=itemgetter(0))
    )
