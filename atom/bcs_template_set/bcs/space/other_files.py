"""The files of a space that a run does not render: which of them it has to see, and reading them.

Only reads leave this module: it is given the gateway as a `Reader`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Optional

from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.answers import TemplateFile
from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.space.existing import OtherFile, ref_of
from bcs_template_set.bcs.space.provenance import is_earlier_name
from bcs_template_set.manifests.branch_paths import claims_of
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.parse import parse_foreign
from bcs_template_set.manifests.routes import node_ports_of, routes_of
from bcs_template_set.messages.step_error import StepError

ROUTING_KINDS = frozenset({"Ingress", "Service"})


def read_other(reader: Reader, project: str, row: TemplateFile) -> OtherFile:
    """Return a file as its current version is."""
    version = reader.read(protocol.get_version(project, row.version_id))
    documents = parse_foreign(version.content)
    current = ref_of(version)
    if documents is None:
        return OtherFile(name=row.real_name, origin=current.origin, current=current, readable=False)
    return OtherFile(
        name=row.real_name,
        current=current,
        routes=routes_of(documents),
        node_ports=node_ports_of(documents),
        claims=claims_of(documents),
        origin=current.origin,
    )


def read_if_it_can_be(reader: Reader, project: str, row: TemplateFile) -> Optional[OtherFile]:
    """Return a file that routes nothing, None where it can't be read: only a sentence needs it."""
    try:
        return replace(read_other(reader, project, row), readable=True)
    except StepError:
        return None


def may_route(row: TemplateFile) -> bool:
    """Tell whether a file may hold an Ingress or a Service.

    BCS keeps the kinds of a file's newest content in `resourceType`, but only while versionMode is 0 (its
    CreateTemplateVersion, 2026-07): a pinned file's kinds may be stale.
    """
    if not row.version_id:
        return False
    return row.version_mode != 0 or not row.resource_type or bool(ROUTING_KINDS & set(row.resource_type))


def routes_anything(files: Iterable[ManifestFile]) -> bool:
    """Tell whether files hold an Ingress or a Service."""
    kinds: set[str] = {document.kind for file in files for document in file.documents}
    return bool(ROUTING_KINDS & kinds)


MOST_NAMES = 5
"""Of so many earlier builds, which have left files that this one does not render, a file is read."""


def newest_named_earlier(rows: Iterable[TemplateFile], *, version: str, build: int) -> list[TemplateFile]:
    """Return the file that each of the last earlier builds seems to have published last.

    That its version's name tells. Its description tells whether it was this pipeline's; of the others their
    versions' names do then.
    """
    named = [r for r in rows if r.version_id and is_earlier_name(r.version, version=version, build=build)]
    newest = {row.version: row for row in sorted(named, key=lambda row: (row.update_at, row.id))}
    return list(newest.values())[-MOST_NAMES:]
