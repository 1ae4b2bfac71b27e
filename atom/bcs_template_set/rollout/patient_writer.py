"""Read back after a deployment: a read that fails is tried again for as long as the author's time lasts.

What the deployment did is done, and a look that is refused or not answered says nothing about it. But where
the deployment was refused, that verdict waits for nobody; and a look at many files that takes the gateway too
long goes into smaller ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Optional, TypeVar

from bcs_template_set.bcs.calls import Read, Write, Writer
from bcs_template_set.bcs.dialect import Site
from bcs_template_set.messages import say
from bcs_template_set.messages.server_errors import GatewayFailed, OutcomeUnknown, RolloutUnseen
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.messages.text import clock_time
from bcs_template_set.rollout.watched import Blind
from bcs_template_set.system.clock import Clock, Deadline

T = TypeVar("T")

LOOK_EVERY = 4.0
"""Seconds between two tries; the gateway's own are before each of them."""


class PatientWriter:
    """A writer whose reads are tried until a deadline. `on_sight` hears that they fail, and then that not."""

    def __init__(
        self, writer: Writer, *, clock: Clock, deadline: Deadline, on_sight: Callable[[Optional[Blind]], None]
    ) -> None:
        self._writer = writer
        self._clock = clock
        self._deadline = deadline
        self._on_sight = on_sight
        self._is_patient = True

    @property
    def site(self) -> Site:
        """Return what is known of BCS's dialect."""
        return self._writer.site

    def write(self, call: Write[T]) -> T:
        """Send a write and return its answer."""
        try:
            return self._writer.write(call)
        except (GatewayFailed, OutcomeUnknown):
            raise
        except StepError:
            self._is_patient = False
            raise

    def read(self, call: Read[T]) -> T:
        """Send a read until it is answered, and return its answer.

        Raises:
            RolloutUnseen: it was not, in all the time there was.
        """
        blind: Optional[Blind] = None
        while True:
            try:
                answer = self._writer.read(call)
            except StepError as exc:
                if not self._is_patient or (isinstance(exc, GatewayFailed) and _is_large(call)):
                    raise
                blind = self._missed(blind, exc)
                continue
            if blind is not None:
                self._on_sight(None)
            return answer

    def _missed(self, blind: Optional[Blind], error: StepError) -> Blind:
        """Wait for the next try, and say once that there is one; there is none when the time is over."""
        since = self._clock.now() if blind is None else blind.since
        now = Blind(since, error)
        if self._deadline.remaining() <= LOOK_EVERY:
            detail = say("rollout.unseen", since=clock_time(since), problem=error.title())
            raise RolloutUnseen(count=1, details=[detail], context=error.context) from error
        if blind is None:
            self._on_sight(now)
        before = self._clock.monotonic()
        self._clock.wait(LOOK_EVERY)
        if self._clock.monotonic() - before < LOOK_EVERY / 2:  # the run is being stopped
            raise error
        return now


def _is_large(call: Read[T]) -> bool:
    """Tell whether a call looks at several files at once."""
    asked = (call.body or {}).get("templateVersions")
    return isinstance(asked, list) and len(asked) > 1
