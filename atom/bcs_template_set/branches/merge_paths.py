"""Rendered files x what BCS holds -> the files as they are wanted: every branch's paths beside this one's.

Rendering knows this branch only; what the others are served at is in the current version of the routes
file, and in versions that a race has hidden (lineage.py). Both are merged, and only this branch's part is
changed. Performs no I/O but reading the built-in templates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Optional

from bcs_template_set.bcs.answers import TemplateVersion
from bcs_template_set.bcs.space.existing import Existing, ExistingFile
from bcs_template_set.manifests.branch_paths import (
    Claim,
    Served,
    ServedPath,
    clashes,
    merge_served,
    read_served,
    serve_branch,
)
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.naming import normal_path, routes_file
from bcs_template_set.manifests.parse import parse_foreign
from bcs_template_set.manifests.routes import RouteKey
from bcs_template_set.manifests.templating.prepare import Prepared
from bcs_template_set.manifests.templating.render import render_routes
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import InputsInvalid
from bcs_template_set.publish.plan import Desired
from bcs_template_set.records.late_dataclass import dataclass


def routes_files(prepared: Prepared) -> frozenset[str]:
    """Return the names of the files that branches share."""
    return frozenset(routes_file(host) for host in prepared.branch_domains)


def with_branches(
    desired: Desired, existing: Existing, *, prepared: Prepared, remove: frozenset[str]
) -> Desired:
    """Return what is desired with the paths of the other branches, as BCS holds them now.

    `remove` are the branches that were asked to go. Nothing is changed where no domain has branch paths.
    """
    files = {file.name: file for file in desired.files}
    domains = [
        _merge(host, files[routes_file(host)], existing.files.get(routes_file(host)), prepared, remove=remove)
        for host in prepared.branch_domains
    ]
    whole = {domain.host: domain.served for domain in domains if domain.differs}
    rendered = render_routes(prepared, whole) if whole else ()
    files.update({file.name: file for file in rendered})
    return replace(
        desired,
        files=tuple(file for _, file in sorted(files.items())),
        shared=frozenset(routes_file(domain.host) for domain in domains),
        asked=frozenset(key for domain in domains for key in domain.asked),
        claimed=tuple(text for domain in domains for text in domain.claimed),
        notes=(*(note for domain in domains for note in domain.notes), *_not_found(domains, remove)),
    )


def check_removals(remove: Sequence[str], prepared: Prepared) -> None:
    """Refuse branches that must not be taken out.

    Raises:
        InputsInvalid: a main branch, the branch that is being built, or no domain has branch paths.
    """
    mistakes = []
    for branch in remove:
        if branch in prepared.main_branches:
            mistakes.append(say("settings.remove_main", branch=branch, main=prepared.main_branches))
        elif branch == prepared.claim.branch:
            mistakes.append(say("settings.remove_own", branch=branch))
    if remove and not prepared.branch_domains:
        mistakes.append(say("settings.remove_without_paths"))
    if mistakes:
        raise InputsInvalid(details=mistakes)


@dataclass(frozen=True)
class _Domain:
    """What a domain's Ingresses shall serve, and what became of what they do."""

    host: str
    served: Served
    differs: bool = False
    asked: tuple[RouteKey, ...] = ()
    claimed: tuple[Text, ...] = ()
    notes: tuple[Text, ...] = ()
    removed: frozenset[str] = frozenset()


def _merge(
    host: str,
    file: ManifestFile,
    found: Optional[ExistingFile],
    prepared: Prepared,
    *,
    remove: frozenset[str],
) -> _Domain:
    ours = read_served(file.documents, host=host)
    if found is None or found.current is None:
        return _Domain(host, ours)
    if found.documents is None:
        return _Domain(host, ours, claimed=(say("plan.branches_unreadable", name=file.name),))
    today = read_served(found.documents, host=host)
    merged = merge_served(
        today,
        rivals=[(_served_by(r.version, host=host), _served_by(r.base, host=host)) for r in found.unmerged],
    )
    owners = clashes(merged, prepared.claim, main_branches=prepared.main_branches, remove=remove)
    if owners:
        return _Domain(host, ours, claimed=tuple(_claimed(host, prepared, owner) for owner in owners))
    own = next(path for paths in ours.values() for path in paths)  # a branch renders the one that it claims
    served = serve_branch(
        merged,
        prepared.claim,
        names=[document.name for document in file.documents],
        main_branches=prepared.main_branches,
        remove=remove,
        service=own.service,
        port=int(own.port),
    )
    gone = _claims(today) - _claims(served)
    return _Domain(
        host,
        served,
        differs=served != ours,
        asked=tuple(
            sorted(
                {(host, normal_path(claim.path)) for claim in gone if claim.branch != prepared.claim.branch}
            )
        ),
        notes=tuple(_notes(host, found, today=today, merged=merged, claim=prepared.claim, remove=remove)),
        removed=frozenset(claim.branch for claim in gone),
    )


def _served_by(version: Optional[TemplateVersion], *, host: str) -> Served:
    documents = parse_foreign(version.content) if version is not None else None
    return read_served(documents or (), host=host)


def _claims(served: Mapping[str, Sequence[ServedPath]]) -> set[Claim]:
    return {path.claim for paths in served.values() for path in paths if path.claim is not None}


def _claimed(host: str, prepared: Prepared, owner: Claim) -> Text:
    return say(
        "plan.branch_claimed",
        host=host,
        path=owner.path,
        ours=prepared.claim.branch,
        theirs=owner.branch,
        build=owner.build,
        pipeline=owner.pipeline or "?",
        by=owner.by or "?",
    )


def _notes(
    host: str, found: ExistingFile, *, today: Served, merged: Served, claim: Claim, remove: frozenset[str]
) -> list[Text]:
    """Say what was found hidden and is brought back, and from whom a main path is taken over."""
    notes = []
    back = sorted(_claims(merged) - _claims(today), key=lambda c: c.path)
    if back:
        names = [f"{host}{c.path} ({c.branch})" for c in back]
        hidden = [rival.version.version for rival in found.unmerged]
        notes.append(say("plan.branches_merged", name=found.metadata.real_name, paths=names, versions=hidden))
    others = sorted({c.branch for c in clashes(merged, claim, main_branches=(), remove=remove)})
    facts = {"host": host, "path": claim.path, "ours": claim.branch}
    return [*notes, *(say("plan.main_handed_over", **facts, theirs=branch) for branch in others)]


def _not_found(domains: Sequence[_Domain], remove: frozenset[str]) -> list[Text]:
    """Name the branches that were asked to go and are nowhere: a retried step has taken them out already."""
    gone = {branch for domain in domains for branch in domain.removed}
    return [say("plan.branch_not_served", branch=branch) for branch in sorted(remove - gone)]
