"""Ask for the dry run of many versions so that one that can't be shown hides no other. Only reads.

BCS shows nothing at all where it can't render one of the versions, or can't read one of the live objects
(facts/bcs.md, traps 1 and 16). So the versions of a call that failed are asked again in halves, until the one
that fails is alone; then all the others are asked at once. That costs one request for each halving and two
more. An object that only the API server refuses hides none: all are shown beside its words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from functools import partial
from typing import Callable, Generic, Optional, TypeVar, Union

from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.deploy_calls import Preview
from bcs_template_set.messages.errors import DryRunFailed, NoPermission
from bcs_template_set.messages.server_errors import BcsFailed, OutOfTime
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.rollout.live_look import preview_of, words_of
from bcs_template_set.rollout.live_state import FileVersion, LiveState, read_states
from bcs_template_set.rollout.sized_calls import CallEnd, Deploying, Unit

T = TypeVar("T")
States = tuple[LiveState, ...]
Files = tuple[FileVersion, ...]

MOST_FILES = 250
"""So many files one call carries at most: eight halvings find one of them."""

MOST_MORE = 100
"""So many requests are made to find versions that can't be shown; the rest is not known then."""

OF_ONE = (BcsFailed, DryRunFailed, NoPermission)
"""What BCS says of one version among many: it can't render it, or refuses its kind."""


@dataclass(frozen=True)
class Asked(Generic[T]):
    """What was answered, and why some versions were not, by their ids."""

    answers: tuple[T, ...] = ()
    failed: dict[str, StepError] = field(default_factory=dict)


def ask_apart(
    files: Sequence[FileVersion], error: StepError, *, ask: Callable[[Files], T], most: int = MOST_MORE
) -> Asked[T]:
    """Return the answers for versions of which a request for all failed, and which fail alone.

    `ask` raises a StepError where it fails.
    """
    search = _Search(ask, most)
    waiting: Files = search.narrow(tuple(files), error)
    while waiting:
        problem = search.try_out(waiting)
        waiting = search.narrow(waiting, problem) if problem is not None else ()
    return Asked(tuple(search.answers), search.failed)


class _Search(Generic[T]):
    """The looking for versions that fail: what it has found so far, and how many requests it may make."""

    def __init__(self, ask: Callable[[Files], T], most: int) -> None:
        self._ask = ask
        self._left = most
        self.answers: list[T] = []
        self.failed: dict[str, StepError] = {}

    def try_out(self, files: Files) -> Optional[StepError]:
        """Ask for these versions: keep the answer, or return why there is none."""
        self._left -= 1
        try:
            self.answers.append(self._ask(files))
        except StepError as exc:
            return exc
        return None

    def narrow(self, files: Files, error: StepError) -> Files:
        """Find one that fails where a request for all of these has; return those that are still to ask."""
        waiting: Files = ()
        is_sure = True
        while len(files) > 1 and self._left > 0:
            half, rest = files[: len(files) // 2], files[len(files) // 2 :]
            problem = self.try_out(half)
            is_sure = problem is not None
            if problem is None:
                files = rest
            else:
                files, error, waiting = half, problem, (*rest, *waiting)
        if not is_sure and self._left > 0 and self.try_out(files) is None:
            return waiting  # what failed has passed by itself
        if self._left <= 0:
            files, waiting = (*files, *waiting), ()
        self.failed.update((file.version_id, error) for file in files)
        return waiting


def look_apart(reader: Reader, deploying: Deploying, files: Sequence[FileVersion]) -> Asked[States]:
    """Return the objects of versions as they would be and as they are live, and of which ones nobody knows.

    What ends all requests alike (an outage, no time left) is not asked again.
    """
    found = Asked[States]()
    for begin in range(0, len(files), MOST_FILES):
        part = files[begin : begin + MOST_FILES]
        seen = _look_at_part(reader, deploying, part)
        found = Asked((*found.answers, *seen.answers), {**found.failed, **seen.failed})
    return found


def _look_at_part(reader: Reader, deploying: Deploying, files: Sequence[FileVersion]) -> Asked[States]:
    calls = deploying.in_calls([Unit((file,)) for file in files], partial(_call, reader, deploying))
    answers = [value for value in calls.values if isinstance(value, tuple)]
    late = OutOfTime(seconds=deploying.deadline.whole_seconds)
    failed: dict[str, StepError] = {file.version_id: late for unit in calls.left for file in unit.files}
    for value in calls.values:
        if isinstance(value, _Failed) and isinstance(value.error, OF_ONE):
            again = ask_apart(value.files, value.error, ask=partial(_shown, reader, deploying))
            answers += again.answers
            failed.update(again.failed)
        elif isinstance(value, _Failed):
            failed.update((file.version_id, value.error) for file in value.files)
    return Asked(tuple(answers), failed)


@dataclass(frozen=True)
class _Failed:
    """The versions of a call that failed, and why."""

    files: Files
    error: StepError


def _call(reader: Reader, deploying: Deploying, units: tuple[Unit, ...]) -> CallEnd[Union[States, _Failed]]:
    began = deploying.clock.monotonic()
    try:
        end = preview_of(reader, deploying, units)
        return CallEnd(_states_in(end.value, deploying), end.seconds, end.left)
    except StepError as exc:
        files = tuple(file for unit in units for file in unit.files)
        return CallEnd(_Failed(files, exc), deploying.clock.monotonic() - began)


def _shown(reader: Reader, deploying: Deploying, files: Files) -> States:
    end = preview_of(reader, deploying, (Unit(files),))
    return _states_in(end.value, deploying)


def _states_in(answer: Preview, deploying: Deploying) -> States:
    if answer.error and not answer.items:
        raise DryRunFailed(message=words_of(answer), details=[])
    return read_states(answer, space=deploying.space)
