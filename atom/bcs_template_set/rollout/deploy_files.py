"""Deploy versions in calls that fit the gateway's patience, and find out object by object what came of it.

BCS applies documents one by one, stops at the first error and keeps what it did; after the gateway's 60
seconds comes a 504, and BCS stops where it is (facts/bcs.md, trap 7). So success is code 0 *and* an empty
`data.error` *and* every object live with the mark of our file and version; whatever the answer was, the
live objects are read. What a call that was cut short did not do goes into smaller ones; what is live is not
sent again, and after a refusal no call begins.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import field
from math import inf
from typing import Optional, Union

from bcs_template_set.bcs.calls import Writer
from bcs_template_set.bcs.deploy_calls import deploy
from bcs_template_set.bcs.told_by_bcs import is_conflict
from bcs_template_set.manifests.live_replicas import Workload, variable_of
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import DeployRefused
from bcs_template_set.messages.server_errors import (
    BcsFailed,
    DeployIncomplete,
    GatewayFailed,
    OutcomeUnknown,
    OutOfTime,
    RolloutUnseen,
)
from bcs_template_set.messages.step_error import Detail, StepError, first_names
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.rollout.before_deploying import live_numbers
from bcs_template_set.rollout.live_diff import changes_anything, changes_beyond_pods, with_hidden
from bcs_template_set.rollout.live_look import (
    SHOWN,
    in_order,
    is_there_after_all,
    live_files,
    look,
    not_marked,
    unlisted,
)
from bcs_template_set.rollout.live_state import FileVersion, LiveState
from bcs_template_set.rollout.sized_calls import CallEnd, CallSize, Deploying, Unit, units_of

READ_BACK_PAUSES = (0.0, 1.0, 2.0, 4.0)
"""Seconds before each look at the live objects after an answer of success: they are there at once."""

AUTOSCALED_EVERY = 15.0
"""Seconds between two looks of an autoscaler (kube-controller-manager's own default)."""

STILL_FOR = 8.0
"""Seconds without any change after which a call that was cut short counts as over."""

LONGEST_STILL_FOR = 20.0
"""The same, where an object takes long."""

LOOK_EVERY = 4.0
LONGEST_CUT_CALL = 180.0
MOST_IN_VAIN = 2
"""How often a file may be in a call that was cut short and has made nothing live."""

MOST_LINES = 10
"""Objects of one call that have a line each in its error."""

_ENDS = ("not_applied", "not_shown", "applied")

Files = tuple[FileVersion, ...]
States = tuple[LiveState, ...]


class Observer:
    """Hears how far a deployment is, from whichever thread. This one makes nothing of it."""

    def begins(self, files: Files) -> None:
        """Hear that a call with these files is about to be sent."""

    def ended(self, files: Files, seen: Union[States, StepError], error: Optional[StepError]) -> None:
        """Hear what is live after a call, or why nobody can tell, and what it failed with."""


def deploy_files(
    writer: Writer,
    deploying: Deploying,
    files: Sequence[FileVersion],
    *,
    known: Sequence[LiveState] = (),
    observer: Observer = Observer(),  # noqa: B008 - has no state
) -> States:
    """Deploy versions and return the live objects, all of them marked with our versions.

    `known` are the objects as they were before: where an answer is lost, the mark of one that had it already
    tells nothing, and its content decides.

    Raises:
        DeployRefused: BCS or Kubernetes refused; details say which objects of that call were applied.
        DeployIncomplete: it was accepted, or its answer lost, and objects are not what was deployed.
        RolloutUnseen: it was accepted, and could not be read back, or BCS does not show some of the objects.
        OutOfTime: the step's own time is too short for what is left.
        StepError: nothing was sent, or nothing could be learnt.
    """
    sending = _Sending(writer, deploying, tuple(known), observer)
    calls = deploying.in_calls(units_of(files), sending.send)
    if calls.errors:
        raise _first_of(calls.errors)
    if calls.left:
        raise OutOfTime(seconds=deploying.deadline.whole_seconds)
    # What a later call has read of an object is newer.
    states = {(state.file, state.title): state for seen in calls.values for state in seen}
    return in_order(states.values(), files)


def _first_of(errors: Sequence[Exception]) -> Exception:
    """Return the first failure, with what others that came beside it say."""
    first = errors[0]
    if isinstance(first, StepError):
        more = errors[1:] if not isinstance(first, RolloutUnseen) else ()  # all files are named then
        others = [error.sentence() for error in more if isinstance(error, StepError)]
        first.details = (*first.details, *others)
    return first


@dataclass
class _Sending:
    """Sends the calls of one deployment, in several threads."""

    writer: Writer
    deploying: Deploying
    known: States
    observer: Observer
    _began: float = field(init=False)
    _in_vain: dict[str, int] = field(default_factory=dict)
    _missing: dict[str, frozenset[str]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._began = self.deploying.clock.monotonic()

    def send(self, units: tuple[Unit, ...]) -> CallEnd[States]:
        """Send one call, and return what is live after it."""
        files = tuple(file for unit in units for file in unit.files)
        self.observer.begins(files)
        try:
            end = self._sent(files)
        except StepError as exc:
            self.observer.ended(files, exc if isinstance(exc, RolloutUnseen) else self._seen(files), exc)
            raise
        self.observer.ended(files, end.value, None)
        lacking = {file.name for unit in end.left for file in unit.files}
        left = [Unit(tuple(f for f in unit.files if f.name in lacking), unit.in_line) for unit in units]
        return CallEnd(end.value, end.seconds, tuple(unit for unit in left if unit.files))

    def _seen(self, files: Files) -> Union[States, StepError]:
        try:
            return self._look(files)
        except StepError as exc:
            return exc

    def _look(self, files: Files) -> States:
        """Look at what one call could deploy: one preview, which is quicker, can show it."""
        return look(self.writer, self.deploying, files, size=CallSize(most=inf))[0]

    def _sent(self, files: Files) -> CallEnd[States]:
        clock, place = self.deploying.clock, self.deploying.place
        ids = [file.version_id for file in files]
        began = clock.monotonic()
        try:
            error = self.writer.write(deploy(place, version_ids=ids, variables=self._variables())).error
        except (OutcomeUnknown, GatewayFailed) as exc:
            return self._cut_short(files, because=exc, seconds=clock.monotonic() - began)
        except BcsFailed as exc:
            raise self._refused(files, message=exc.message, meaning=exc.details) from exc
        seconds = clock.monotonic() - began
        if error:
            raise self._refused(files, message=" ".join(error.split())[:SHOWN])
        return CallEnd(self._confirmed(files), seconds)

    def _variables(self) -> Mapping[str, str]:
        """Return the variables, with no number of pods that an autoscaler has raised since the first call."""
        deploying = self.deploying
        if not deploying.kept or deploying.clock.monotonic() - self._began < AUTOSCALED_EVERY:
            return deploying.variables
        names = [variable_of(*workload) for workload in deploying.kept]
        now = live_numbers(self.writer, deploying.place, names, least={})
        newest = {name: str(max(int(number), int(deploying.variables[name]))) for name, number in now.items()}
        return {**deploying.variables, **newest}

    # --- answered ---------------------------------------------------------------------------------------

    def _confirmed(self, files: Files) -> States:
        states, untouched = self._read_back(files, pauses=READ_BACK_PAUSES)
        if is_there_after_all(self.writer, self.deploying.place, states):
            states, untouched = self._read_back(files, pauses=(0.0,))
            if all(state.live is None for state in states):
                shown = first_names([state.title for state in states], most=MOST_LINES)
                raise RolloutUnseen(count=len(states), details=[say("deploy.not_shown", object=shown)])
        if untouched is None:
            return states
        details = self._objects(states, files, missing=untouched)
        hidden = [title for titles in unlisted(files, states).values() for title in titles]
        if hidden and not untouched and not not_marked(states, files, space=self.deploying.space):
            raise RolloutUnseen(count=len(hidden), details=details)  # nothing is known against them
        raise DeployIncomplete(details=details)

    def _read_back(self, files: Files, *, pauses: Sequence[float]) -> tuple[States, Optional[frozenset[str]]]:
        """Look after each pause until all is as it was deployed; say what is as before, None then."""
        for pause in pauses:
            self.deploying.clock.wait(pause)
            states = self._look(files)
            untouched = _untouched(states, files, known=self.known)
            if not untouched and self._all_there(states, files):
                return states, None
        return states, untouched

    def _refused(self, files: Files, *, message: Detail, meaning: Sequence[Detail] = ()) -> StepError:
        """Return the refusal with what became of every object; where that can't be seen, it is not known."""
        seen = self._seen(files)
        if isinstance(seen, StepError):
            unseen = say("deploy.refused_unseen", message=message)
            return DeployIncomplete(details=[unseen, *meaning]).with_context(**seen.context)
        details = [*meaning, *self._objects(seen, files)]
        return DeployRefused(message=message, details=details, in_conflict=is_conflict(str(message)))

    # --- not answered -----------------------------------------------------------------------------------

    def _cut_short(self, files: Files, *, because: StepError, seconds: float) -> CallEnd[States]:
        """Return how far the call came; what it did not do is to be sent again.

        Raises:
            DeployIncomplete: no time is left, or files were sent in vain for the second time.
        """
        states, missing = self._when_still(files, longest=2 * seconds / len(files))
        live = {file.name for file in live_files(states, files, space=self.deploying.space)}
        live -= {state.file for state in states if state.title in missing}
        lacking = tuple(file for file in files if file.name not in live)
        is_over = self.deploying.deadline.remaining() <= LOOK_EVERY
        if lacking and (is_over or self._is_in_vain(files, lacking, states, missing=missing)):
            lost = say("deploy.answer_lost", problem=because.fields.get("problem") or because.title())
            details = [lost, *self._objects(states, files, missing=missing)]
            raise DeployIncomplete(details=details).with_context(**because.context) from because
        return CallEnd(states, seconds, tuple(Unit((file,)) for file in lacking))

    def _when_still(self, files: Files, *, longest: float) -> tuple[States, frozenset[str]]:
        """Watch the live objects until all are ours, or nothing has moved for a while.

        Return them, and which are missing.
        """
        clock = self.deploying.clock
        still_for = min(LONGEST_STILL_FOR, max(STILL_FOR, longest))
        began = moved_at = clock.monotonic()
        before: Optional[frozenset[str]] = None
        while True:
            states = self._look(files)
            missing = self._not_ours(states, files)
            if not missing and self._all_there(states, files):
                return states, missing
            if missing != before:
                before, moved_at = missing, clock.monotonic()
            now = clock.monotonic()
            over = now - moved_at >= still_for or now - began >= LONGEST_CUT_CALL
            if over or self.deploying.deadline.remaining() <= LOOK_EVERY:
                return states, missing
            clock.wait(LOOK_EVERY)

    def _not_ours(self, states: States, files: Files) -> frozenset[str]:
        """Name the objects that are not as this call makes them."""
        space = self.deploying.space
        marked = _titles(self.known) - _titles(not_marked(self.known, files, space=space))
        kept = self.deploying.kept
        unlike = {state.title for state in states if state.title in marked and _differs(state, kept)}
        return frozenset(unlike | _titles(not_marked(states, files, space=space)))

    def _is_in_vain(self, files: Files, lacking: Files, states: States, *, missing: frozenset[str]) -> bool:
        """Tell whether a file has been in two calls that were cut short and made nothing live."""
        now = {
            file.name: frozenset(s.title for s in states if s.file == file.name and s.title in missing)
            for file in lacking
        }
        with self._lock:
            moved = len(lacking) < len(files) or any(
                titles < self._missing.get(name, frozenset(s.title for s in states if s.file == name))
                for name, titles in now.items()
            )
            self._missing.update(now)
            for name in now:
                self._in_vain[name] = 0 if moved else self._in_vain.get(name, 0) + 1
            return any(self._in_vain[name] >= MOST_IN_VAIN for name in now)

    # --- objects ----------------------------------------------------------------------------------------

    def _all_there(self, states: States, files: Files) -> bool:
        return len(live_files(states, files, space=self.deploying.space)) == len(files)

    def _objects(self, states: States, files: Files, *, missing: frozenset[str] = frozenset()) -> list[Text]:
        """Say of every object whether it is what was deployed; of many of a call, in a line each way."""
        missing |= _titles(not_marked(states, files, space=self.deploying.space))
        told = [("not_applied" if state.title in missing else "applied", state.title) for state in states]
        told += [("not_shown", title) for titles in unlisted(files, states).values() for title in titles]
        if len(told) <= MOST_LINES:
            return [say(f"deploy.{key}", object=title) for key, title in told]
        named = {key: [title for found, title in told if found == key] for key in _ENDS}
        return [
            say(f"deploy.{key}", object=first_names(titles, most=MOST_LINES))
            for key, titles in named.items()
            if titles
        ]


def _untouched(
    states: Sequence[LiveState], files: Sequence[FileVersion], *, known: Sequence[LiveState]
) -> frozenset[str]:
    """Name the objects that still hold the text that this run has rewritten: their mark was there before."""
    rewritten = {file.name for file in files if file.rewritten}
    before = {state.title: state.live or {} for state in known}
    return frozenset(
        state.title
        for state in states
        for seen in [before.get(state.title, {})]
        if state.file in rewritten and state.live is not None
        # `known` may have what previews cut.
        if with_hidden(state.live, seen) == seen and _differs(state)
    )


def _differs(state: LiveState, kept: frozenset[Workload] = frozenset()) -> bool:
    """Tell whether an object is not what was sent; `kept` may have got another number of pods since."""
    differs = changes_beyond_pods if (state.kind, state.name) in kept else changes_anything
    return state.live is None or differs(state.desired, state.live)


def _titles(states: Sequence[LiveState]) -> set[str]:
    return {state.title for state in states}
