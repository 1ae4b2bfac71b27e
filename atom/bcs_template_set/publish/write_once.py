"""Send a write whose answer may be lost, and never again before reading back. Performs no I/O of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Optional, TypeVar

from bcs_template_set.messages.errors import Overtaken, VersionConflict
from bcs_template_set.messages.server_errors import BcsFailed, OutcomeUnknown
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.system.clock import Clock

T = TypeVar("T")

NAME_EXISTS = 7
"""BCS's code for "the version or name exists" (facts/bcs.md, "Answers")."""

MOST_TRIES = 3
PAUSES_BEFORE_READING_BACK = (1.0, 4.0)
"""Seconds; a write that timed out may still be under way when we first look."""


def write_once(
    clock: Clock, send: Callable[[], T], *, read_back: Callable[[], Optional[T]]
) -> tuple[T, bool]:
    """Return what a write gave, such as an id, and whether BCS said that the name was there already.

    It is sent again only where reading back shows that it did not happen.

    Raises:
        OutcomeUnknown: it may have happened, and reading back did not tell.
        OutOfTime: it was not sent.
        StepError: it did not happen, or what was read back stands against it.
    """
    unknown: Optional[OutcomeUnknown] = None
    for _ in range(MOST_TRIES):
        try:
            return send(), False
        except OutcomeUnknown as exc:
            unknown = exc
        except StepError as exc:
            return _after_refusal(exc, unknown, read_back=read_back)
        found = _read_back_later(clock, unknown, read_back=read_back)
        if found is not None:
            return found, False
    raise unknown or AssertionError  # MOST_TRIES is more than 0


def _after_refusal(
    error: StepError, unknown: Optional[OutcomeUnknown], *, read_back: Callable[[], Optional[T]]
) -> tuple[T, bool]:
    """Return what is there under a name that BCS says exists; raise any other refusal.

    A refusal says nothing of an earlier try whose outcome is unknown.
    """
    if isinstance(error, BcsFailed) and error.bcs_code == NAME_EXISTS:
        found = _look(read_back, otherwise=unknown or error)
        if found is not None:
            return found, unknown is None
    if unknown is not None:
        raise unknown from error
    raise error


def _read_back_later(
    clock: Clock, unknown: OutcomeUnknown, *, read_back: Callable[[], Optional[T]]
) -> Optional[T]:
    for pause in PAUSES_BEFORE_READING_BACK:
        clock.wait(pause)
        found = _look(read_back, otherwise=unknown)
        if found is not None:
            return found
    return None


def _look(read_back: Callable[[], Optional[T]], *, otherwise: StepError) -> Optional[T]:
    """Return what was read back; where that can't be read, `otherwise` still stands, and is raised."""
    try:
        return read_back()
    except (VersionConflict, Overtaken):
        raise
    except StepError as exc:
        raise otherwise from exc
