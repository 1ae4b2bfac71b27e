"""The near miss: which known word somebody probably meant. Performs no I/O."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Optional

LONGEST = 80
"""Characters of a name that somebody may have misspelt; comparing costs the product of two lengths."""

MOST_KNOWN = 500
"""Among more names none is looked for: all that share their letters would be compared one by one."""


def nearest(word: str, known: Iterable[str]) -> Optional[str]:
    """Return the known word that is most like `word`, whatever its case, or None if none is like it.

    None, too, where the word is too long or the words are too many to be compared.
    """
    few = list(islice(known, MOST_KNOWN + 1))
    if len(few) > MOST_KNOWN or len(word) > LONGEST:
        return None
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it, and start-up is counted

    by_case = {candidate.lower(): candidate for candidate in few if len(candidate) <= LONGEST}
    found = get_close_matches(word.lower(), list(by_case), n=1, cutoff=0.6)
    return by_case[found[0]] if found else None
