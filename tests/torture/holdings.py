"""What a site holds, as a value that two moments can be compared by: no ids, times or request counts."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from tests.emulator.cluster.tree import Manifest, branch, items, number, text
from tests.support.deploying import FILE_MARK, MARK
from tests.support.publishing import SPACE, Site

DEPLOYED_KINDS = ("Deployment", "StatefulSet", "Service", "Ingress", "ConfigMap", "Secret")


@dataclass(frozen=True)
class File:
    """A template file: what it points at, and how."""

    name: str
    version: str
    content: str
    is_pinned: bool
    description: str


@dataclass(frozen=True)
class Holdings:
    """Everything that a run may change. Sorted, so that order of writing does not count; twice counts.

    `ports` are the nodePorts, which the cluster chooses: two runs have others, and one Service keeps its own.
    """

    spaces: tuple[str, ...]
    files: tuple[File, ...]
    drafts: tuple[tuple[str, str], ...]
    versions: tuple[tuple[str, str, str], ...]
    charts: tuple[tuple[str, str, str], ...]
    live: tuple[tuple[str, str], ...]
    ports: tuple[tuple[str, tuple[int, ...]], ...] = field(compare=False)

    def differences(self, other: Holdings) -> list[str]:
        """Return what is in only one of two holdings."""
        found: list[str] = []
        for name in ("spaces", "files", "drafts", "versions", "charts", "live"):
            mine, theirs = list(getattr(self, name)), list(getattr(other, name))
            for thing in (*mine, *theirs):
                if mine.count(thing) != theirs.count(thing):
                    line = f"{name}: {thing} is there {mine.count(thing)}x, not {theirs.count(thing)}x"
                    found += [line] if line not in found else []
        return found


def holdings_of(site: Site) -> Holdings:
    """Return what the site holds now."""
    state = site.emulator.state
    return Holdings(
        spaces=tuple(sorted(space.name for space in state.spaces)),
        files=tuple(sorted(_files(site), key=repr)),
        drafts=tuple(sorted((file.name, file.draft_content) for file in state.files if file.is_draft)),
        versions=tuple(sorted((v.file, v.version, v.content) for v in state.versions)),
        charts=tuple(
            sorted((c.name, c.version, json.dumps(c.contents, sort_keys=True)) for c in state.charts)
        ),
        live=tuple(sorted(_live(site))),
        ports=tuple((title(found), node_ports(found)) for found in objects(site) if node_ports(found)),
    )


def _files(site: Site) -> list[File]:
    state = site.emulator.state
    return [
        File(
            name=f"{file.space}/{file.name}",
            version=file.version,
            content=content_of(site, file.name, file.version),
            is_pinned=bool(file.version_mode),
            description=file.description,
        )
        for file in state.files
    ]


def content_of(site: Site, file: str, version: str) -> str:
    """Return the content of a file's version, "(none)" where it points at nothing."""
    found = [v.content for v in site.emulator.state.find_versions(SPACE, file) if v.version == version]
    return found[0] if found else "(none)"


def objects(site: Site) -> list[Manifest]:
    """Return the live objects of the kinds that the scenarios deploy."""
    return [
        found
        for cluster in site.emulator.state.clusters.values()
        for namespace in cluster.namespaces
        for kind in DEPLOYED_KINDS
        for found in cluster.find_all(kind, namespace)
    ]


def title(manifest: Manifest) -> str:
    """Return `Kind/name`."""
    return f"{text(manifest, 'kind')}/{text(manifest, 'metadata', 'name')}"


def marks(manifest: Manifest) -> tuple[str, str]:
    """Return the file and the version that an object is marked with."""
    notes = branch(manifest, "metadata", "annotations")
    return text(notes, FILE_MARK), text(notes, MARK)


def node_ports(manifest: Manifest) -> tuple[int, ...]:
    """Return the nodePorts of a Service."""
    return tuple(number(port, "nodePort") for port in items(manifest, "spec", "ports") if "nodePort" in port)


CHOSEN = ("clusterIP", "clusterIPs", "nodePort")
"""What the cluster chooses of a Service."""


def _live(site: Site) -> list[tuple[str, str]]:
    return [
        (title(found), json.dumps([marks(found), _asked(found)], sort_keys=True)) for found in objects(site)
    ]


def _asked(manifest: Manifest) -> Manifest:
    """Return what somebody asked for, without what the cluster chose."""
    asked: Manifest = {name: manifest.get(name) for name in ("spec", "data", "stringData")}
    if text(manifest, "kind") == "Service":
        spec = {name: value for name, value in branch(manifest, "spec").items() if name not in CHOSEN}
        ports = [{n: v for n, v in port.items() if n not in CHOSEN} for port in items(spec, "ports")]
        asked["spec"] = {**spec, "ports": ports}
    return asked
