"""What a site without faults would hold at the end, and what of it is not there. Reads alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Optional

from bcs_template_set.manifests.naming import path_of_branch
from tests.simulation.contents import BAD, SERVICE, essences_of, text_of
from tests.simulation.holdings import current_versions, live_objects
from tests.simulation.worlds import STRANGER, BuildPlan, World

if TYPE_CHECKING:
    from tests.simulation.site import SimulatedSite


def newest_wish(world: World) -> Optional[BuildPlan]:
    """Return a build, newer than all, that wishes what the newest that may wish anything has, None for none.

    Its files are named, so that what somebody went back from is deployed again. The cluster does not replace
    a Service (docs/dev/facts/bcs.md, trap 11), and one image is never ready: these are only published.
    """
    able = [build for build in world.builds if build.action in ("publish", "deploy")]
    able = [build for build in able if build.user != STRANGER]
    if not able:
        return None
    plan, number = max(able, key=lambda build: build.number), max(b.number for b in world.builds) + 1
    plan = replace(plan, number=number, inputs=(), minutes=15, threads=1, job_fails=False)
    files = [file for file in plan.files if file[0] != SERVICE]
    if plan.action == "publish" or not files or (world.bad_image and ("app", BAD) in files):
        return replace(plan, action="publish")
    named = [f"{name}.example.com" if plan.web else f"{name}.yaml" for name, _ in files]
    return replace(plan, files=tuple(files), inputs=(("only", "\n".join(named)),))


def missing(site: SimulatedSite, plan: BuildPlan) -> Iterator[str]:
    """Yield what of a build's wish is not there: in its folder and, where it deploys, in the cluster."""
    current = current_versions(site)
    live = live_objects(site) if plan.action == "deploy" else None
    for file, wanted in _wished(site, plan):
        version = current.get(file)
        held = essences_of(version.content) if version is not None else {}
        if not _holds(held, wanted):
            yield f"{file} holds {held} instead of {wanted}"
        if live is not None:
            ready = {title: found.essence for title, found in live.items() if found.is_ready}
            if not _holds(ready, wanted):
                yield f"{file}: {sorted(wanted.items())} is not live, but {sorted(live.items())}"


def _wished(site: SimulatedSite, plan: BuildPlan) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield each file's name, and the essence of the objects that it holds at least."""
    for name, variant in plan.files:
        if plan.web:
            host = f"{name}.example.com"
            image, paths = f"example.com/{name}:{variant}", " ".join(_paths(site, plan, name))
            yield f"{host}.deployment.yaml", {f"Deployment/deployment.nginx.{host}": image}
            yield f"{host}.routes.yaml", {f"Ingress/ingress-{host}-0": paths}
        else:
            yield f"{name}.yaml", essences_of(text_of(name, variant))


def _paths(site: SimulatedSite, plan: BuildPlan, name: str) -> Iterable[str]:
    """Return the paths of a domain: of the build's own branch, and of all that have published it for good."""
    last = {told.plan.key: told for told in site.told if not told.is_post}.values()
    removed = {
        branch for told in last for branch in dict(told.plan.inputs).get("remove_branches", "").split()
    }
    there = {
        told.plan.branch
        for told in last
        if told.succeeded and told.result not in ("planned", "skipped", "rolled-back")
        if name in dict(told.plan.files)
    }
    branches = {plan.branch} | (there - removed)
    return sorted(path_of_branch(branch, main_branches=("main",)) for branch in branches)


def _holds(found: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return all(
        set(essence.split()) <= set(found[title].split()) if title in found else False
        for title, essence in wanted.items()
    )
