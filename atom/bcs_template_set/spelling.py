"""The near miss: which known word somebody probably meant. Performs no I/O."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Optional


def nearest(word: str, known: Iterable[str]) -> Optional[str]:
    """Return the known word that is most like `word`, whatever its case, or None if none is like it."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it, and start-up is counted

    by_case = {candidate.lower(): candidate for candidate in known}
    found = get_close_matches(word.lower(), list(by_case), n=1, cutoff=0.6)
    return by_case[found[0]] if found else None
