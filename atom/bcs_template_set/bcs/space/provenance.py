"""Where a template version came from: the one line in its description. Performs no I/O.

BCS keeps the description beside the content and strips it of HTML (facts/bcs.md, "The things"), so values
are percent-encoded where they hold white space, `=`, `%`, `<` or `>`. Behind the seven words of design
section 6 come two more where they are known: `link`, the build's page, and `base`, the versions that the
content was made from (`lineage.py` tells what that is for).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Optional
from urllib.parse import unquote

from bcs_template_set.records.late_dataclass import dataclass

_MARK = "bk-ci"
_ENCODED = re.compile(r"[\s%=<>&\"'\x00-\x1f\x7f]")
_MOST_CHARACTERS = 120
_HASH = 10
UPON = "+"
"""In front of a base that the one it was planned against had been made from already."""

MOST_BASES = 64
"""Each base may be read; the step names the one it planned against, and those few that it merged."""

_MOST_AHEAD = 100
_SECONDS_A_BUILD = 60
_LONGEST_RETRY = 90 * 24 * 3600
"""How far a newer build can be ahead: so many, and one more for each minute since ours began. Of a build that
is retried nobody tells when it began: within so many seconds, then."""

_MOST_OF_A_LINK = 500
"""Half a link leads nowhere: a longer one is left out."""


@dataclass(frozen=True)
class Provenance:
    """Who published a version, out of which build. `build` is the build number, 0 outside BK-CI.

    `link` is the build's page, "" where unknown. `bases` are the ids of the versions that the content was
    made from: the one it was planned against comes first, then those that were merged into it, then some that
    the first was made `UPON`. `began_at` is when this build began, in seconds since the epoch; 0 where nobody
    knows, and never part of the line.
    """

    pipeline: str
    build: int
    branch: str
    commit: str
    started_by: str
    acting_as: str
    sha256: str = ""
    link: str = ""
    bases: tuple[str, ...] = ()
    began_at: float = 0.0

    def line(self, content: str, *, bases: tuple[str, ...] = ()) -> str:
        """Return the description of a version that holds this content and was made from these versions."""
        pairs = [
            ("pipeline", self.pipeline),
            ("build", str(self.build)),
            ("branch", self.branch),
            ("commit", self.commit),
            ("started-by", self.started_by),
            ("acting-as", self.acting_as),
            ("sha256", content_digest(content)),
        ]
        if 0 < len(self.link) <= _MOST_OF_A_LINK:
            pairs.append(("link", self.link))
        if bases:
            pairs.append(("base", ",".join(bases)))
        return " ".join([_MARK, *(f"{key}={_encoded(key, value)}" for key, value in pairs)])

    def is_same_line_of_builds(self, other: Provenance) -> bool:
        """Tell whether both are builds of one pipeline and branch, so that their numbers can be compared."""
        ours, theirs = ((told(p.pipeline), told(p.branch)) for p in (self, other))
        return bool(self.pipeline) and ours == theirs

    def is_newer_than(self, other: Provenance) -> bool:
        """Tell whether this is a later build of the same pipeline and branch; a retry is the same build."""
        return self.is_same_line_of_builds(other) and self.build > other.build

    def furthest(self, at: float) -> int:
        """Return the highest number that a build of this pipeline can have had at a time.

        Anybody who may view a project can write a description, and an absurd number would stop a branch for
        ever. Builds are numbered one by one, so what is further ahead was never built.
        """
        seconds = max(0.0, at - self.began_at) if self.began_at else _LONGEST_RETRY
        return self.build + _MOST_AHEAD + int(seconds / _SECONDS_A_BUILD)

    def is_same_build_as(self, other: Provenance) -> bool:
        """Tell whether both came from one build."""
        return self.is_same_line_of_builds(other) and self.build == other.build


NOBODY = Provenance(pipeline="", build=0, branch="", commit="", started_by="", acting_as="")
"""In the place of a build: somebody at a desk, who publishes nothing, or whoever wrote a version by hand."""


@lru_cache(maxsize=4096)  # a plan asks for each description up to nine times
def read_provenance(description: str) -> Optional[Provenance]:
    """Return the provenance a description holds, or None if a person or another tool wrote it."""
    words = description.split()
    if not words or words[0] != _MARK:
        return None
    found = dict(word.split("=", 1) for word in words[1:] if "=" in word)
    build = found.get("build", "")
    return Provenance(
        pipeline=unquote(found.get("pipeline", "")),
        build=int(build) if re.fullmatch(r"[0-9]{1,12}", build) else 0,
        branch=unquote(found.get("branch", "")),
        commit=unquote(found.get("commit", "")),
        started_by=unquote(found.get("started-by", "")),
        acting_as=unquote(found.get("acting-as", "")),
        sha256=found.get("sha256", ""),
        link=unquote(found.get("link", "")),
        bases=tuple(base for base in found.get("base", "").split(",", MOST_BASES)[:MOST_BASES] if base),
    )


def ids_in(bases: Iterable[str]) -> frozenset[str]:
    """Return the ids of the versions that a list of bases names."""
    return frozenset(base.removeprefix(UPON) for base in bases)


def published_as_it_is(description: str, content: str) -> Optional[Provenance]:
    """Return the build that published just this content, None where another one bears its description.

    A person who makes a version out of one of ours may leave the description in place.
    """
    origin = read_provenance(description)
    return origin if origin is not None and origin.sha256 in ("", content_digest(content)) else None


def is_earlier_name(name: str, *, version: str, build: int) -> bool:
    """Tell whether a version's name is `version` with an earlier build's number in the place of `build`."""
    number = number_in(name, version=version, build=build)
    return number is not None and number < build


def number_in(name: str, *, version: str, build: int) -> Optional[int]:
    """Return the lowest number that a name has where `version` has `build`, None for another name."""
    numbers = []
    for found in re.finditer(rf"(?<![0-9]){build}(?![0-9])", version):
        front, back = version[: found.start()], version[found.end() :]
        number = name[len(front) : len(name) - len(back)]
        if name == front + number + back and re.fullmatch("[0-9]+", number):
            numbers.append(int(number))
    return min(numbers, default=None)


def holds_number(name: str, build: int) -> bool:
    """Tell whether a version's name holds a build's number, so that no other build of its pipeline has it."""
    return bool(build) and number_in(name, version=name, build=build) is not None


def told(value: str) -> str:
    """Return a name as a description tells it: a long one is cut and ends in a hash, so that two stay two."""
    if len(value) <= _MOST_CHARACTERS:
        return value
    digest = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH]
    return f"{value[: _MOST_CHARACTERS - _HASH - 1]}-{digest}"


def content_digest(content: str) -> str:
    """Return the SHA-256 of a content, in hex."""
    return hashlib.sha256(content.encode("utf-8")).hexdigest()


def _encoded(key: str, value: str) -> str:
    shown = value if key in ("link", "base") else told(value)
    return _ENCODED.sub(lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode()), shown)
