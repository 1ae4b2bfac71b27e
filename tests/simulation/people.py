"""What people do by hand, in the console or with kubectl, while builds are at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from tests.emulator.cluster.refusals import ApiRefusal
from tests.simulation.contents import text_of, title_of
from tests.simulation.worlds import PersonPlan
from tests.support.deploying import CLUSTER, NAMESPACE
from tests.support.publishing import SPACE

if TYPE_CHECKING:
    from tests.simulation.site import SimulatedSite

OF_FILES = ("edit", "pin", "draft")
OF_CLUSTERS = ("apply", "delete")
BY_HAND = "9"
"""The variant that people make."""


def act(site: SimulatedSite, person: PersonPlan) -> None:
    """Let a person do something, where there is something to do it to."""
    file = f"{person.name}.yaml"
    if person.act in OF_FILES and site.emulator.state.find_files(SPACE, file):
        _at_a_file(site, person, file)
    elif person.act in OF_CLUSTERS and site.emulator.state.clusters:
        _in_the_cluster(site, person, file)
    else:
        return
    site.lines.append(f"{site.baton.now - site.began:10.3f}  somebody: {person.act} {person.name}")
    site.remember("somebody")


def _at_a_file(site: SimulatedSite, person: PersonPlan, file: str) -> None:
    state, text = site.emulator.state, text_of(person.name, BY_HAND)
    if person.act == "edit":
        state.add_version(SPACE, file, version=f"by-hand-{int(person.at * 1000)}", content=text)
    elif person.act == "pin":
        state.pin(SPACE, file, version=state.find_versions(SPACE, file)[0].version)
    else:
        found = state.find_file(SPACE, file)
        found.is_draft, found.draft_content, found.draft_version = True, text, found.version
        found.draft_edit_format = "yaml"
        site.drafts.append((site.baton.now, file, text))


def _in_the_cluster(site: SimulatedSite, person: PersonPlan, file: str) -> None:
    cluster = site.emulator.cluster(CLUSTER)
    kind, _, name = title_of(file).partition("/")
    try:
        if person.act == "delete":
            cluster.delete(kind, NAMESPACE, name)
        else:
            manifest = yaml.safe_load(text_of(person.name, BY_HAND))
            manifest["metadata"]["namespace"] = NAMESPACE
            cluster.put(manifest)
    except ApiRefusal:
        return
