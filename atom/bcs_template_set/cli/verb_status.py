"""`bcs-template-set status`: what is live of the folder's domains in the namespace. Writes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Optional

from bcs_template_set.bcs.space.existing import VersionRef, ref_of
from bcs_template_set.bcs.space.versions import read_versions
from bcs_template_set.cli.desk_reading import Folder, build_pattern
from bcs_template_set.messages import Language, say
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.messages.text import json_text
from bcs_template_set.report.domain_rows import DomainRow, status_document, status_lines
from bcs_template_set.rollout.domain_status import DomainHere
from bcs_template_set.rollout.read_status import NameAndVersion, read_status

Refs = Mapping[NameAndVersion, VersionRef]


def look_at_status(folder: Folder, *, as_json: bool, language: Language) -> Iterable[str]:
    """Return the lines that say what is live of a folder's files."""
    deploying, place = folder.target, folder.target.place
    status = read_status(folder.reader, deploying, folder.files, concurrency=folder.concurrency)
    pattern = build_pattern(folder.settings.version)
    refs = _with_origins(folder, status.domains, status.refs, pattern=pattern)
    rows = [DomainRow(domain, refs, _builds(domain, refs, pattern)) for domain in status.domains]
    head = {"cluster_id": place.cluster_id, "namespace": place.namespace, "space": folder.space.name}
    if as_json:
        document = {**head, "domains": status_document(rows, language=language)}
        return [json_text(document)]
    return [say("status.head", **head).render(language), *status_lines(rows, language=language)]


# --- build and whom -------------------------------------------------------------------------------------


def _with_origins(
    folder: Folder, domains: Iterable[DomainHere], refs: Refs, *, pattern: Optional[re.Pattern[str]]
) -> Refs:
    """Return the versions with the builds that published them, read where neither name nor list tells.

    All of them are read at once; where that fails, they are shown without.
    """
    unknown = {
        pair: refs[pair].id
        for domain in domains
        for pair in _carried([domain])
        if pair in refs and _is_open(domain, refs[pair], pattern)
    }
    with suppress(StepError):
        read = read_versions(
            folder.reader, folder.settings.project_code, unknown.values(), concurrency=folder.concurrency
        )
        return {**refs, **{pair: ref_of(read[version_id]) for pair, version_id in unknown.items()}}
    return refs


def _is_open(domain: DomainHere, ref: VersionRef, pattern: Optional[re.Pattern[str]]) -> bool:
    """Tell whether a version has to be read: for its build, or for when it was published."""
    told = ref.origin is not None or (pattern is not None and pattern.fullmatch(ref.name) is not None)
    return not told or not (ref.created_at or any(file.since for file in domain.files))


def _carried(domains: Iterable[DomainHere]) -> Iterator[NameAndVersion]:
    return (
        (file.name, version) for domain in domains for file in domain.files for version, _ in file.versions
    )


def _builds(domain: DomainHere, refs: Refs, pattern: Optional[re.Pattern[str]]) -> tuple[str, ...]:
    """Return the builds of the versions that a domain's objects carry, each once."""
    found = []
    for pair in _carried([domain]):
        origin = refs[pair].origin if pair in refs else None
        named = pattern.fullmatch(pair[1]) if pattern is not None else None
        if origin is not None and origin.build:
            found.append(f"{origin.build} ({origin.branch})" if origin.branch else str(origin.build))
        elif named is not None:
            groups = named.groupdict()
            found.append(
                f"{groups['build']} ({groups['branch']})" if groups.get("branch") else groups["build"]
            )
    return tuple(dict.fromkeys(found))
