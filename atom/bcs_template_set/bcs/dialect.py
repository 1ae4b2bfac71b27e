"""Which of its releases' dialects a BCS speaks, told from what it answers. Performs no I/O.

Source: facts/bcs.md, "Versions of BCS" and "Telling them apart". Every answer leaves some dialects possible;
what a site has answered so far narrows them down. The multi-tenant branch speaks `C` as far as the step
asks it anything.
"""

from __future__ import annotations

import enum
import re
import threading
from collections.abc import Iterable
from typing import Optional

from bcs_template_set.bcs.answers import TemplateFile
from bcs_template_set.messages import Text, say

OLDEST_RELEASE = "v1.30.0"
_LAST = "last"


class Dialect(enum.Enum):
    """A dialect, by the first and the last release that speak it."""

    A = ("v1.30.0", "v1.31.0-alpha.117")
    B = ("v1.31.0-alpha.118", "v1.31.0-alpha.120")
    B2 = ("v1.31.0-alpha.121", "v1.31.0-alpha.125")
    C = ("v1.31.0-alpha.126", _LAST)


Possible = frozenset[Dialect]
"""The dialects that an answer can have come from."""

EVERY: Possible = frozenset(Dialect)
BELOW_SPACE: Possible = frozenset({Dialect.A})
"""Where a file is created at `/template/{templateSpaceID}/metadatas`, by its own name alone."""
WITH_SPACE = EVERY - BELOW_SPACE
"""Where it is created at `/template/metadatas`, as `space/name`."""
LISTS_VERSIONS: Possible = frozenset({Dialect.B2, Dialect.C})
"""Where GET `/template/{templateSpaceID}/metadata/versions` is there."""


def said_by_rows(rows: Iterable[TemplateFile]) -> Possible:
    """Return who can have listed these files.

    The list is judged as a whole, since a file of `A` may be *called* `space/name`.
    """
    listed = list(rows)
    if not listed:
        return EVERY
    if any(row.real_name for row in listed):
        return frozenset({Dialect.C})
    if all(_begins_with_space(row) for row in listed):
        return EVERY - {Dialect.C}
    return BELOW_SPACE


def _begins_with_space(row: TemplateFile) -> bool:
    return bool(row.template_space) and row.name.startswith(f"{row.template_space}/")


def own_name(row: TemplateFile, possible: Possible) -> str:
    """Return a file's name without its space."""
    if row.real_name:
        return row.real_name
    if possible == BELOW_SPACE or not _begins_with_space(row):
        return row.name
    return row.name[len(row.template_space) + 1 :]


# --- what is known of a site ----------------------------------------------------------------------------


class Site:
    """What the answers of a run have told of the site's dialect; several threads may tell it.

    A site that is being upgraded answers now in one, now in another: then the latest answer counts, and
    `contradiction` holds the two.
    """

    def __init__(self) -> None:
        self._possible = EVERY
        self._contradiction: Optional[tuple[Possible, Possible]] = None
        self._lock = threading.Lock()

    @property
    def possible(self) -> Possible:
        """Return the dialects that are possible still."""
        return self._possible

    @property
    def contradiction(self) -> Optional[tuple[Possible, Possible]]:
        """Return two answers of which no one dialect is possible, None as long as there are none."""
        return self._contradiction

    def learn(self, said: Possible) -> Possible:
        """Take in who can have given an answer, and return who is possible now."""
        with self._lock:
            both = self._possible & said
            if not both:
                self._contradiction = (self._possible, said)
            self._possible = both or said
            return self._possible

    @property
    def creates_below_space(self) -> Optional[bool]:
        """Tell where a file is created, None where that is not known."""
        return _told(self._possible, BELOW_SPACE)

    @property
    def lists_versions(self) -> Optional[bool]:
        """Tell whether the versions of all files of a space can be listed at once, None if not known."""
        return _told(self._possible, LISTS_VERSIONS)


def _told(possible: Possible, those: Possible) -> Optional[bool]:
    if possible <= those:
        return True
    return None if possible & those else False


def releases(possible: Possible) -> Text:
    """Say which releases speak one of these dialects."""
    known = [dialect for dialect in Dialect if dialect in possible]
    first, last = known[0].value[0], known[-1].value[1]
    return say("bcs.since", first=first) if last == _LAST else say("bcs.range", first=first, last=last)


# --- names of spaces ------------------------------------------------------------------------------------

_PLAIN = re.compile(r"[a-zA-Z0-9_-]+")
_WITHOUT_SPECIAL = re.compile(r'[^\\/:*?"<>|]*[^\\/:*?"<>| .]')


def space_name_problem(name: str, possible: Possible) -> Optional[Text]:
    """Return why none of these dialects makes a space of that name as it is, None where one does.

    `A` takes any name. `B2` and `C` would cut blanks and dots off the end, and make another one.
    """
    if Dialect.A in possible:
        return None
    if possible <= {Dialect.B}:
        return None if _PLAIN.fullmatch(name) else say("bcs.space_plain", name=name)
    return None if _WITHOUT_SPECIAL.fullmatch(name) else say("bcs.space_special", name=name)
