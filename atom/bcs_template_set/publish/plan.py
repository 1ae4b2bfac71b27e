"""The plan of a run as a value: what would be written, file by file, and why it must not be. Pure.

`make_plan.py` makes it out of what is desired and what exists; here is what it is, and when it is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import field, replace
from typing import Literal, Optional

from bcs_template_set.bcs.space.existing import VersionRef
from bcs_template_set.bcs.space.provenance import Provenance
from bcs_template_set.bcs.space.route_map import OwnedRoute
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.routes import Route, RouteKey
from bcs_template_set.manifests.scope import Scope
from bcs_template_set.messages import Text
from bcs_template_set.messages.errors import (
    ActedAsAnother,
    NewerBuild,
    PlanChanged,
    RouteRemoval,
    RouteTaken,
    VersionConflict,
)
from bcs_template_set.messages.past_errors import PrunesEverything, PrunesTooMuch
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.publish.pruning import NO_PRUNING, Pruning
from bcs_template_set.records.late_dataclass import dataclass

DIGEST_CHARACTERS = 32
"""128 bits: an author may search for two plans with one digest, and there is no such search of so many."""

ChangeKind = Literal["create", "update", "unchanged", "conflict", "skip", "rollback"]
ChartAction = Literal["create", "unchanged", "conflict", "none"]


@dataclass(frozen=True)
class SpaceRef:
    """Where the files go."""

    region: str
    project: str
    space: str
    template_set: str = ""


@dataclass(frozen=True)
class Policy:
    """What the author allows: the inputs of the same names."""

    overwrite_version: bool = False
    allow_route_removal: bool = False
    remove_branches: frozenset[str] = frozenset()
    on_newer_build: Literal["fail", "skip", "replace"] = "fail"


@dataclass(frozen=True)
class Desired:
    """What the run wants: the rendered files, under one version name, out of one build.

    `shared` are the files that other branches write too, each its own part: what one of them has is merged
    and never dropped. `asked` are the places whose removal was asked for, here or by whoever took them out.
    `claimed` says which paths of this branch belong to another one, `notes` what merging has found.
    `empty` are templates that render to nothing. `inputs` are those that decide what is done, for the plan's
    digest. `scope` says of which files all this is; without any, of `files`.
    """

    target: SpaceRef
    version: str
    files: tuple[ManifestFile, ...]
    provenance: Provenance
    shared: frozenset[str] = frozenset()
    asked: frozenset[RouteKey] = frozenset()
    claimed: tuple[Text, ...] = ()
    notes: tuple[Text, ...] = ()
    empty: tuple[ManifestFile, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict, repr=False)
    scope: Scope = field(default_factory=Scope)


@dataclass(frozen=True)
class Change:
    """One template file's row of the plan.

    `version` is the name of the version the file has afterwards; `previous` the version it is planned
    against; `bases` are the ids of all that the content was made from, `known` of all that was there.
    `writes_version` is False where only the pin must move. `images` are (old, new) pairs that differ;
    `routes_changed` are (old, new) pairs of what is served otherwise, `routes_lost` what is served no more.
    `diff` has its Secret values masked; `only` says that comments, or blanks, or quotes are all that differs.
    `notes` are things a person should know although they stop nothing.
    """

    name: str
    action: ChangeKind
    content: str = field(repr=False)
    digest: str
    version: str = ""
    domain: str = ""
    template_id: str = ""
    previous: Optional[VersionRef] = None
    version_id: str = ""
    bases: tuple[str, ...] = ()
    known: frozenset[str] = frozenset()
    writes_version: bool = False
    overwrites: bool = False
    moves_pin: bool = False
    images: tuple[tuple[str, str], ...] = ()
    routes: tuple[Route, ...] = ()
    routes_added: tuple[RouteKey, ...] = ()
    routes_removed: tuple[RouteKey, ...] = ()
    routes_changed: tuple[tuple[Route, Route], ...] = ()
    routes_lost: tuple[Route, ...] = ()
    diff: str = ""
    only: Optional[Text] = None
    reason: Optional[Text] = None
    notes: tuple[Text, ...] = ()

    @property
    def row(self) -> str:
        """Return the name of the row that it belongs to: its domain, or its own where it has none."""
        return self.domain or self.name

    def types_of(self, key: RouteKey) -> frozenset[str]:
        """Return the types of a host and path that comes or goes, as far as they are known."""
        routes = (*self.routes, *self.routes_lost)
        return frozenset(route.shown_type for route in routes if (route.host, route.path) == key)

    @property
    def writes(self) -> bool:
        """Tell whether publishing this row sends anything."""
        return self.writes_version or self.moves_pin


@dataclass(frozen=True)
class Plan:
    """Everything a run would do, sorted by file name; a value to show, compare and approve.

    `dropped` are objects that the files hold no more, `rendered_no_more` files that an earlier build
    published: both stay where they were deployed, but for what `pruning` deletes. `parts` are what the digest
    is made of, each with its kind and name.
    """

    target: SpaceRef
    version: str
    changes: tuple[Change, ...]
    creates_space: bool
    chart: ChartAction
    digest: str
    parts: tuple[tuple[str, str, str], ...] = field(default=(), repr=False)
    chart_overwrites: bool = False
    acting_as: str = ""
    other_users: tuple[tuple[str, Text], ...] = ()
    newer_builds: tuple[Text, ...] = ()
    taken: tuple[Text, ...] = ()
    lost_routes: tuple[Text, ...] = ()
    conflicts: tuple[Text, ...] = ()
    notes: tuple[Text, ...] = ()
    dropped: tuple[str, ...] = ()
    rendered_no_more: tuple[str, ...] = ()
    route_map: tuple[OwnedRoute, ...] = ()
    pruning: Pruning = NO_PRUNING

    @property
    def writes(self) -> bool:
        """Tell whether carrying it out would send anything."""
        is_back = any(change.action == "rollback" for change in self.changes)
        return is_back or any(change.writes for change in self.changes) or self.chart == "create"

    def count(self, action: ChangeKind) -> int:
        """Return how many files have this action."""
        return sum(change.action == action for change in self.changes)

    @property
    def routes(self) -> tuple[RouteKey, ...]:
        """Return every host and path the run's files serve, sorted."""
        return tuple(sorted({(route.host, route.path) for c in self.changes for route in c.routes}))


def taking_away(plan: Plan, pruning: Pruning, *, policy: Policy) -> Plan:
    """Return a plan that also deletes; what it deletes is part of its digest."""
    lost = pruning.lost if pruning.deletes and not policy.allow_route_removal else ()
    whole = replace(plan, pruning=pruning, lost_routes=(*plan.lost_routes, *lost))
    return _with_parts(whole, pruning.parts, approved=pruning.parts) if pruning.parts else whole


def holding(plan: Plan, facts: Mapping[str, str]) -> Plan:
    """Return a plan whose digest holds further facts, too, that decide what comes of it."""
    told = tuple(("variable", *fact) for fact in facts.items())
    return _with_parts(plan, told, approved=sorted(facts.items())) if facts else plan


def _with_parts(plan: Plan, parts: tuple[tuple[str, str, str], ...], *, approved: object) -> Plan:
    digest = digest_of([plan.digest, approved])
    return replace(plan, digest=digest, parts=(*plan.parts, *parts))


def digest_of(approved: object) -> str:
    """Return what stands for all that a person approves."""
    return hashlib.sha256(compact(approved).encode("utf-8")).hexdigest()[:DIGEST_CHARACTERS]


_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def compact(value: object) -> str:
    """Return a value as JSON without blanks."""
    return _COMPACT.encode(value)


def refusal(plan: Plan, *, policy: Policy, expect_plan: str = "") -> Optional[StepError]:
    """Return why this plan must not be published, or None."""
    if plan.other_users:
        was = plan.other_users[0][0]
        return ActedAsAnother(was=was, now=plan.acting_as, details=[text for _, text in plan.other_users])
    newer = plan.newer_builds if policy.on_newer_build == "fail" else ()
    pruning = plan.pruning if plan.pruning.deletes else NO_PRUNING
    rules = (
        (newer, NewerBuild),
        (plan.conflicts, VersionConflict),
        (plan.taken, RouteTaken),
        (plan.lost_routes, RouteRemoval),
        (pruning.everything, PrunesEverything),
        (pruning.too_many, PrunesTooMuch),
    )
    for details, error in rules:
        if details:
            return error(details=details)
    if expect_plan and expect_plan != plan.digest:
        return PlanChanged(expected=expect_plan, actual=plan.digest)
    return None
