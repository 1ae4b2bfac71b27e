"""What happens in one world, as values: drawn from a seed, written and read as JSON, made smaller.

Everything that chance decides of a world is in its value or follows from its `seed`, build by build: so a
world without one of its builds, or faults, is the same for all others. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

MAIN, DEV, FEATURE = "main", "dev", "feature/x"
DEPLOYING = ("deploy", "rollback")
FIRST_USER, OTHER_USER, STRANGER = "lisi", "zhaoliu", "sunqi"
"""Two who may use the project, the second with an app of his own, and one who may not."""


@dataclass(frozen=True)
class BuildPlan:
    """One build. `files` are the names and the variants of what it publishes; `web` ones are domains.

    `at` is when it starts, in seconds. `inputs` are the step's, over what all builds have. `threads` is how
    many requests it may have under way. `job_fails`: another step of its job fails afterwards. `user` has
    modified its pipeline last, so acts.
    """

    number: int
    at: float = 0.0
    branch: str = MAIN
    pipeline: str = "p-1"
    action: str = "publish"
    files: tuple[tuple[str, str], ...] = (("a", "1"),)
    web: bool = False
    inputs: tuple[tuple[str, str], ...] = ()
    threads: int = 1
    minutes: int = 15
    job_fails: bool = False
    user: str = FIRST_USER

    @property
    def deploys(self) -> bool:
        """Tell whether the build looks at the cluster, or writes to it."""
        return self.action in DEPLOYING or "cluster_id" in dict(self.inputs)

    @property
    def key(self) -> str:
        """Return what no other build of its world is called."""
        return f"{self.pipeline}#{self.number}"


@dataclass(frozen=True)
class FaultPlan:
    """What strikes the n-th request, or the n-th write, of a build."""

    build: str
    kind: str
    nth: int = 1
    writes: bool = False
    seconds: float = 0.0


@dataclass(frozen=True)
class PersonPlan:
    """What somebody does by hand, and to what, in the console or with kubectl."""

    act: str
    at: float
    name: str = "a"


@dataclass(frozen=True)
class World:
    """All of it. `rough` is how long requests take at most, in seconds, where 0 is not at all.

    `servers` is how many servers BCS runs on; `each` is how long it takes to deploy an object; `bad_image`:
    one variant's is not there.
    """

    seed: int
    builds: tuple[BuildPlan, ...]
    faults: tuple[FaultPlan, ...] = ()
    people: tuple[PersonPlan, ...] = ()
    dialect: str = "C"
    rough: float = 1.0
    servers: int = 1
    each: float = 0.0
    bad_image: bool = False

    def __str__(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))


def read_world(text: str) -> World:
    """Return the world that a text names. Raises ValueError, TypeError, KeyError."""
    given = json.loads(text)
    builds = tuple(
        BuildPlan(**{**build, "files": _pairs(build["files"]), "inputs": _pairs(build["inputs"])})
        for build in given["builds"]
    )
    faults = tuple(FaultPlan(**fault) for fault in given["faults"])
    people = tuple(PersonPlan(**person) for person in given["people"])
    return World(**{**given, "builds": builds, "faults": faults, "people": people})


def _pairs(given: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((first, second) for first, second in given)
