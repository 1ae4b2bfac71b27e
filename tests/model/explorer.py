"""Every state that can be reached, breadth first, and the shortest way to each. Performs no I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Callable, Generic, Optional, TypeVar

S = TypeVar("S", bound=Hashable)
Moves = Callable[[S], Iterable[tuple[str, S]]]
"""What can happen next: what it is called, and the state after it."""

MOST_STATES = 700_000


@dataclass(frozen=True)
class Explored(Generic[S]):
    """All states from one start. `came` tells by which move from which state each was reached first."""

    start: S
    came: dict[S, Optional[tuple[str, S]]]
    ends: tuple[S, ...]
    moves: int

    def way_to(self, state: S) -> list[str]:
        """Return the moves of a shortest way from the start to a state."""
        names: list[str] = []
        while True:
            step = self.came[state]
            if step is None:
                return names[::-1]
            names.append(step[0])
            state = step[1]


def explore(start: S, moves: Moves[S]) -> Explored[S]:
    """Return every state that can be reached; `ends` are those in which nothing more can happen."""
    came: dict[S, Optional[tuple[str, S]]] = {start: None}
    waiting, ends, count = deque([start]), [], 0
    while waiting:
        state = waiting.popleft()
        is_end = True
        for name, after in moves(state):
            is_end, count = False, count + 1
            if after not in came:
                came[after] = (name, state)
                waiting.append(after)
        if is_end:
            ends.append(state)
        if len(came) > MOST_STATES:
            raise RuntimeError(f"more than {MOST_STATES} states: the model is too large to explore")
    return Explored(start, came, tuple(ends), count)
