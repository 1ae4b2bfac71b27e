"""A space whose domains have branch paths, and the values of a build that adds its path to some of them."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from bcs_template_set.bcs.space.provenance import Provenance
from bcs_template_set.manifests.branch_paths import Claim, Served, ServedPath, read_served
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.templating.build_context import make_context
from bcs_template_set.manifests.templating.prepare import RenderRequest, prepare
from bcs_template_set.manifests.templating.render import render_manifests, render_routes
from bcs_template_set.system.clock import SystemClock
from tests.emulator.state import State
from tests.support.older_versions import grow_older

SPACE = "front-ends"
CHANGED = 5
"""How many domains a build changes: those that do not have its branch's path yet."""

_AN_HOUR = 3600


def values(domains: int) -> str:
    """Return values with that many domains; every build of the bench has the same."""
    rows = [
        {
            "host": host_of(number),
            "image": f"example.com/web/d{number}:1704448623620-{number}",
            "load_balancers": ["lb-1"],
            "branch_paths": True,
        }
        for number in range(domains)
    ]
    return json.dumps({"app": "nginx", "domains": rows})


def host_of(number: int) -> str:
    """Return a domain's host."""
    return f"d{number:03}.example.com"


def branch_of(number: int) -> str:
    """Return a branch's name, which is its slug too."""
    return f"b{number:02}"


def lacks(branch: int, domain: int, *, same: bool) -> bool:
    """Tell whether the domain does not have this branch's path yet.

    Every branch lacks five domains: others than any other branch, or the `same`.
    """
    return domain // CHANGED == (0 if same else branch)


def fill(state: State, *, domains: int, branches: int, same: bool) -> None:
    """Publish all files of the space as earlier builds left them an hour ago."""
    with TemporaryDirectory() as folder:
        files = _rendered(Path(folder), domains=domains, branches=branches, same=same)
    origin = Provenance(
        pipeline="p-1", build=1, branch="main", commit="", started_by="wangwu", acting_as="lisi"
    )
    for file in files:
        state.add_file(
            SPACE,
            file.name,
            content=file.text,
            version="1.0.1-main",
            creator="lisi",
            version_description=origin.line(file.text),
        )
    grow_older(state, _AN_HOUR)


def _rendered(folder: Path, *, domains: int, branches: int, same: bool) -> list[ManifestFile]:
    request = RenderRequest(
        workspace=folder,
        templates=("builtin:web",),
        values_text=values(domains),
        values_files=(),
        context=make_context({"build.number": "1", "branch.name": "main", "pipeline.id": "p-1"}),
        clock=SystemClock(),
        by="wangwu",
    )
    prepared = prepare(request)
    files = {file.name: file for file in render_manifests(prepared).files}
    served = {
        host_of(number): _with_branches(
            read_served(files[f"{host_of(number)}.routes.yaml"].documents, host=host_of(number)),
            [branch_of(branch) for branch in range(branches) if not lacks(branch, number, same=same)],
        )
        for number in range(domains)
    }
    files.update({file.name: file for file in render_routes(prepared, served)})
    return list(files.values())


def _with_branches(served: Served, branches: list[str]) -> Served:
    """Return what is served with a path more for each branch."""
    return {
        name: tuple(sorted((*paths, *(_path(paths[0], branch) for branch in branches)), key=_by_path))
        for name, paths in served.items()
    }


def _path(like: ServedPath, branch: str) -> ServedPath:
    claim = Claim(f"/{branch}/", branch, "p-1", 1, "wangwu")
    return ServedPath(claim.path, like.path_type, like.service, like.port, claim)


def _by_path(path: ServedPath) -> str:
    return path.path
