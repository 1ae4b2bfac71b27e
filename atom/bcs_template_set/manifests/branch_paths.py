"""The paths that branches share on a domain's Ingresses, and which branch claims which. Pure: no I/O.

The claims stand in the file itself, in an annotation of each Ingress, so that whoever reads the file knows
them; a path without a claim was put there by a person or an older step. Of what is served, a build changes
what its own branch claims and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Optional, Union

from bcs_template_set.manifests.fields import Fields, list_at, mapping_at, text_at
from bcs_template_set.manifests.naming import normal_path
from bcs_template_set.manifests.parse import Document
from bcs_template_set.manifests.pod_templates import objects_of
from bcs_template_set.manifests.routes import backend_port_of, host_of, service_of
from bcs_template_set.manifests.yaml_reading import YamlValue

BRANCHES = "bcs-template-set/branches"
"""The annotation of an Ingress that holds its claims, as a JSON list."""

# Behind "{{" BCS would see a variable of its own (facts/bcs.md, trap 2); "'" would end the YAML text.
_ESCAPED = str.maketrans({character: f"\\u{ord(character):04x}" for character in "{}'\x7f"})


class Claim(NamedTuple):
    """A branch's claim to a path of a host; the rest says which build added it, and who started that."""

    path: str
    branch: str
    pipeline: str = ""
    build: int = 0
    by: str = ""

    @property
    def place(self) -> PathKey:
        """Return what two claims can't both have."""
        return False, normal_path(self.path)


PathKey = tuple[bool, str]
"""Whether only the very path is meant (pathType Exact), and the path, its last slash aside if not."""


class ServedPath(NamedTuple):
    """One path of an Ingress as it is served. `path_type` is "" and `claim` None where there is none."""

    path: str
    path_type: str
    service: str
    port: Union[int, str]
    claim: Optional[Claim] = None

    @property
    def place(self) -> PathKey:
        """Return what no other path of the Ingress has."""
        return place_of(self.path, self.path_type)


def place_of(path: str, path_type: str) -> PathKey:
    """Return the place of a path of this type."""
    return (True, path) if path_type == "Exact" else (False, normal_path(path))


Served = Mapping[str, tuple[ServedPath, ...]]
"""What the Ingresses of a host serve, by their names, each sorted by path; none is empty."""


class PathTaken(Exception):
    """The path of a branch is claimed by others: `owners`."""

    def __init__(self, claim: Claim, owners: Sequence[Claim]) -> None:
        super().__init__(claim, owners)
        self.claim = claim
        self.owners = tuple(owners)


# --- reading --------------------------------------------------------------------------------------------


def read_served(documents: Sequence[Document], *, host: str) -> Served:
    """Return what the Ingresses among the documents serve of this host ("*": of rules that name none).

    A place counts once, where it is first. A path that leads to no port of a Service is left out. A claim
    to a path that is not served is none, and an annotation that can't be read holds none.
    """
    found: dict[str, tuple[ServedPath, ...]] = {}
    for document in _ingresses(documents):
        claims = _claims_by_place(document.body)
        paths = _paths_by_host(document.body).get(host)
        if paths:
            found[document.name] = _in_order(_claimed(path, claims) for path in paths)
    return found


def claims_of(documents: Sequence[Document]) -> tuple[tuple[str, Claim], ...]:
    """Return every claim to a path that is served, with its host; each once, sorted."""
    # An Ingress of a name that comes again is the one that is served; all hosts in one walk.
    last: dict[tuple[str, str], list[tuple[str, Claim]]] = {}
    found = [(document, _claims_by_place(document.body)) for document in _ingresses(documents)]
    for document, claims in found if any(claims for _, claims in found) else ():
        for host, paths in _paths_by_host(document.body).items():
            served = _in_order(_claimed(path, claims) for path in paths)
            owned = [(host, path.claim) for path in served if path.claim is not None]
            last[host, document.name] = owned
    return tuple(sorted({claimed for owned in last.values() for claimed in owned}))


def _ingresses(documents: Sequence[Document]) -> Iterator[Document]:
    return (document for document in objects_of(documents) if document.kind == "Ingress")


def _paths_by_host(ingress: Fields) -> dict[str, list[ServedPath]]:
    """Return the paths of each host that lead to a port of a Service; no list is empty."""
    found: dict[str, list[ServedPath]] = {}
    for rule in list_at(ingress, "spec", "rules"):
        for path in map(mapping_at, list_at(mapping_at(rule), "http", "paths")):
            service, port = service_of(path), _port_of(path)
            if service and port:
                served = ServedPath(text_at(path, "path") or "/", text_at(path, "pathType"), service, port)
                found.setdefault(host_of(rule), []).append(served)
    return found


def _port_of(path: Fields) -> Union[int, str]:
    """Return the port of a backend, "" where there is none."""
    found = backend_port_of(path)
    return found if isinstance(found, (int, str)) and not isinstance(found, bool) else ""


def _claimed(path: ServedPath, claims: Mapping[PathKey, Claim]) -> ServedPath:
    claim = claims.get(path.place)
    return path if claim is None else path._replace(claim=claim._replace(path=path.path))


def _claims_by_place(ingress: Fields) -> dict[PathKey, Claim]:
    return {claim.place: claim for claim in reversed(_claims_in(ingress))}


def _claims_in(ingress: Fields) -> list[Claim]:
    try:
        entries = json.loads(text_at(ingress, "metadata", "annotations", BRANCHES))
    except (ValueError, RecursionError):
        return []
    found = map(_claim_of, entries if isinstance(entries, list) else ())
    return [claim for claim in found if claim is not None]


def _claim_of(entry: YamlValue) -> Optional[Claim]:
    fields = mapping_at(entry)
    path, branch, build = fields.get("path"), fields.get("branch"), fields.get("build")
    if not isinstance(path, str) or not isinstance(branch, str):
        return None
    number = build if isinstance(build, int) and not isinstance(build, bool) else 0
    return Claim(path, branch, text_at(fields, "pipeline"), number, text_at(fields, "by"))


# --- writing --------------------------------------------------------------------------------------------


def claims_json(claims: Iterable[Claim]) -> str:
    """Return the text of the annotation: one line of printable ASCII that BCS finds no variable in.

    It has no "'", so that it can stand between two of them in YAML.
    """
    return "[" + ",".join(_entry(claim) for claim in sorted(claims)) + "]"


def _entry(claim: Claim) -> str:
    pairs = (
        ("path", claim.path),
        ("branch", claim.branch),
        ("pipeline", claim.pipeline),
        ("build", claim.build),
        ("by", claim.by),
    )
    return "{" + ",".join(f'"{key}":{json.dumps(value).translate(_ESCAPED)}' for key, value in pairs) + "}"


# --- changing -------------------------------------------------------------------------------------------


def clashes(
    served: Served, claim: Claim, *, main_branches: Collection[str], remove: Collection[str]
) -> tuple[Claim, ...]:
    """Return the claims of other branches to the path of this one, sorted.

    Main branches share `/`: it goes from one to the other. Branches that are to be removed are none.
    """

    def is_other(owner: Claim) -> bool:
        handed_over = owner.branch in main_branches and claim.branch in main_branches
        return owner.branch != claim.branch and owner.branch not in remove and not handed_over

    owners = {path.claim for path in _all_paths(served) if path.claim and path.place == claim.place}
    return tuple(sorted(owner for owner in owners if is_other(owner)))


def serve_branch(
    served: Served,
    claim: Claim,
    *,
    names: Sequence[str],
    main_branches: Collection[str],
    remove: Collection[str],
    service: str,
    port: int,
) -> Served:
    """Return what the Ingresses of these names are to serve: what they do, with this branch's path.

    An Ingress that is new gets what the others serve. The paths of branches in `remove` go, and so does a
    path that this branch claimed elsewhere. Where it has its path already, the claim stays as it is, so
    that a later build leaves the file unchanged; a path that nobody claims is taken over. What leads to
    `service` leads to its one port, for a backend with another would lead nowhere.

    Raises:
        PathTaken: another branch claims the path (see `clashes`).
    """
    owners = clashes(served, claim, main_branches=main_branches, remove=remove)
    if owners:
        raise PathTaken(claim, owners)
    everywhere = {path.place: path for name in sorted(served, reverse=True) for path in served[name]}
    found: dict[str, tuple[ServedPath, ...]] = {}
    for name in names:
        today = served.get(name) or everywhere.values()
        kept = {path.place: path for path in today if not _goes(path, claim, remove=remove)}
        kept[claim.place] = _owned(kept.get(claim.place), claim, service=service, port=port)
        found[name] = _in_order(_at_port(path, service=service, port=port) for path in kept.values())
    return found


def _goes(path: ServedPath, ours: Claim, *, remove: Collection[str]) -> bool:
    claim = path.claim
    if claim is None:
        return False
    return claim.branch in remove or (claim.branch == ours.branch and claim.place != ours.place)


def _owned(path: Optional[ServedPath], claim: Claim, *, service: str, port: int) -> ServedPath:
    """Return the path as this branch's, written as it is served today."""
    served = path or ServedPath(claim.path, "Prefix", service, port)
    is_ours = served.claim is not None and served.claim.branch == claim.branch
    own = served.claim if is_ours else claim._replace(path=served.path)
    return served._replace(service=service, port=port, claim=own)


def _at_port(path: ServedPath, *, service: str, port: int) -> ServedPath:
    numbered = path.service == service and isinstance(path.port, int)
    return path._replace(port=port) if numbered else path


# --- merging --------------------------------------------------------------------------------------------


def merge_served(current: Served, *, rivals: Sequence[tuple[Served, Served]]) -> Served:
    """Return what is served when what rivals changed is not lost.

    Each rival is what its version serves and what the version it was made from did. What it added,
    changed or removed against that is added, changed or removed, path by path, unless the current version
    or another rival has gone on from there. Where two changed one path, neither from the other, what is
    current stays; else the first in sorted order is taken, so that the order of rivals says nothing.
    """
    before = _flat(current)
    after = dict(before)
    changes = [(_flat(base), _flat(theirs)) for theirs, base in rivals]
    for key in {key for pair in changes for flat in pair for key in flat}:
        steps = [(base.get(key), theirs.get(key)) for base, theirs in changes]
        merged = _merged(before.get(key), steps)
        if merged is not None:
            after[key] = merged
        elif key in after:
            del after[key]
    named: dict[str, list[ServedPath]] = {}
    for (name, _), path in after.items():
        named.setdefault(name, []).append(path)
    return {name: _in_order(paths) for name, paths in sorted(named.items())}


_Step = tuple[Optional[ServedPath], Optional[ServedPath]]
"""A path before and after a rival's version."""


def _merged(current: Optional[ServedPath], steps: Sequence[_Step]) -> Optional[ServedPath]:
    changed = [(base, theirs) for base, theirs in steps if base != theirs]
    left = {base for base, _ in changed}
    if current is not None and current not in left:
        return current
    reached = {theirs for _, theirs in changed} - left
    added = [path for path in reached if path is not None]
    if added:
        return min(added, key=repr)
    return None if None in reached else current


def _flat(served: Served) -> dict[tuple[str, PathKey], ServedPath]:
    return {(name, path.place): path for name, paths in served.items() for path in paths}


def _all_paths(served: Served) -> Iterator[ServedPath]:
    return (path for paths in served.values() for path in paths)


def _in_order(paths: Iterable[ServedPath]) -> tuple[ServedPath, ...]:
    first: dict[PathKey, ServedPath] = {}
    for path in paths:
        first.setdefault(path.place, path)
    return tuple(sorted(first.values(), key=lambda path: (path.path, path.path_type)))
