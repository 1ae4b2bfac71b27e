"""What is attacked: each scenario is a site with a past, the run to be struck, and what that comes to."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Callable

from tests.emulator import Behaviour
from tests.emulator.registry import Habits, Registry
from tests.support.deploying import (
    CLUSTER,
    NAMESPACE,
    age,
    cluster_of,
    cluster_site,
    image_of,
    service,
    workload,
)
from tests.support.publishing import SPACE, Site, config, open_site, routes

TARGET: Mapping[str, str] = {"cluster_id": CLUSTER, "namespace": NAMESPACE}
DEPLOY: Mapping[str, str] = {"action": "deploy", "timeout": "120", **TARGET}
BACK: Mapping[str, str] = {**DEPLOY, "action": "rollback", "rollback_to": "build 7"}


@dataclass(frozen=True, eq=False)
class Scenario:
    """A run to strike. `result` is what it comes to when nothing happens, `concurrency` how it is sent."""

    name: str
    open: Callable[[], AbstractContextManager[Site]]
    prepare: Callable[[Site], None]
    result: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    concurrency: int = 1


def _nothing(_: Site) -> None:
    """Leave the site as it is: this run is its first."""


def _empty() -> AbstractContextManager[Site]:
    return open_site(
        a_yaml=config("a", "1"), b_yaml=config("b", "1"), web_yaml=routes("www.example.com", "/")
    )


def _published(site: Site) -> None:
    """Publish build 7, pin one file and leave a draft in another; build 8 brings two others and one more."""
    site.run()
    site.emulator.state.pin(SPACE, "a.yaml", version="1.0.7-main")
    draft = site.emulator.state.find_file(SPACE, "web.yaml")
    draft.is_draft, draft.draft_content, draft.draft_version = True, "half: done\n", "1.0.7-main"
    site.next_build(a_yaml=config("a", "2"), web_yaml=routes("www.example.com", "/", "/new"))
    site.files["c.yaml"] = config("c", "1")


def _charted(site: Site) -> None:
    site.run(template_set="web", version="1.0.7")
    site.next_build(a_yaml=config("a", "2"))


def _with_cluster() -> AbstractContextManager[Site]:
    return cluster_site(web_yaml=workload(), entry_yaml=service(), settings_yaml=config("settings", "1"))


def _deployed(site: Site) -> None:
    site.run(**DEPLOY)
    site.next_build(web_yaml=workload(tag="2"), settings_yaml=config("settings", "2"))


def _left_behind(site: Site) -> None:
    """Deploy a domain that the next build renders no more."""
    site.files["old.yaml"] = f"{workload(name='old')}---\n{service('old')}"
    site.run(**DEPLOY)
    site.next_build(web_yaml=workload(tag="2"))
    del site.files["old.yaml"]


def _grown(site: Site) -> None:
    """Deploy a folder that has versions of days ago."""
    site.run(**DEPLOY)
    age(site, builds=3)
    site.next_build(web_yaml=workload(tag="2"), settings_yaml=config("settings", "2"))


def _about_to_fail(site: Site) -> None:
    _deployed(site)
    cluster_of(site).images[image_of("web", "2")] = Behaviour("not-found")


def _gone_forward(site: Site) -> None:
    """Deploy two builds, of which the second brings a file more; the next one goes back."""
    _deployed(site)
    site.files["late.yaml"] = config("late", "1")
    site.run(**DEPLOY)
    site.next_build()


def _branches(site: Site) -> None:
    """Let three branches publish files of their own and one that all of them write, in turns."""
    for build, branch in enumerate(("main", "dev", "feature/x"), start=7):
        site.build, site.branch = build, branch
        site.clock.time += 600
        site.files = {
            f"{branch.replace('/', '-')}.yaml": config("own", branch),
            "shared.yaml": config("s", branch),
        }
        site.run()
    site.build, site.branch = 10, "dev"
    site.clock.time += 600
    site.files = {"dev.yaml": config("own", "dev again"), "shared.yaml": config("s", "dev again")}


def _web(tag: int) -> dict[str, str]:
    """Return the inputs of a build of one domain that all branches share."""
    domain = {"host": "www.example.com", "image": f"example.com/web:{tag}", "load_balancers": ["lb-1"]}
    values = {"app": "nginx", "domains": [{**domain, "branch_paths": True}]}
    return {"templates": "builtin:web", "values": json.dumps(values)}


def _sharing_a_domain(site: Site) -> None:
    """Let two branches have their paths; a third one comes."""
    for build, branch in enumerate(("main", "feature/x", "fix/y"), start=7):
        site.build, site.branch = build, branch
        site.clock.time += 600
        if branch != "fix/y":
            site.run(**_web(build))


def _with_a_token(site: Site) -> None:
    state = site.emulator.state
    state.add_user_token("a-token-of-lisi", user="lisi")
    state.add_credential("my_token", {"access_token": "a-token-of-lisi"})
    site.run()
    site.next_build(a_yaml=config("a", "2"))


@functools.cache
def _registry() -> Registry:
    """Return the one registry of this process: its port is in images, and sites are compared by them."""
    made = Registry(Habits(login=True, hides=True), users={"robot": "a-password-of-robot"})
    for tag in ("1", "2"):
        made.push("team/web", tag)
    return made


def _of_the_registry(tag: str) -> str:
    return workload(tag=tag).replace(image_of("web", tag), f"{_registry().name}/team/web:{tag}")


def _with_a_registry() -> AbstractContextManager[Site]:
    return open_site(web_yaml=_of_the_registry("1"), a_yaml=config("a", "1"))


def _with_a_login(site: Site) -> None:
    login = {"username": "robot", "password": "a-password-of-robot"}
    site.emulator.state.add_credential("robot", login)
    site.run()
    site.next_build(web_yaml=_of_the_registry("2"), a_yaml=config("a", "2"))


_IMAGES: Mapping[str, str] = {"image_check": "require", "registry_credential": "robot"}

SCENARIOS: tuple[Scenario, ...] = (
    Scenario("plan", _with_cluster, _deployed, "planned", {"action": "plan", **TARGET}),
    Scenario("first-publish", _empty, _nothing, "published"),
    Scenario("update", _empty, _published, "published"),
    Scenario("update-together", _empty, _published, "published", concurrency=4),
    Scenario("template-set", _empty, _charted, "published", {"template_set": "web", "version": "1.0.8"}),
    Scenario("first-deploy", _with_cluster, _nothing, "deployed", DEPLOY),
    Scenario("deploy", _with_cluster, _deployed, "deployed", DEPLOY),
    Scenario("keep-versions", _with_cluster, _grown, "deployed", {**DEPLOY, "keep_versions": "1"}),
    Scenario("restore", _with_cluster, _about_to_fail, "restored", {**DEPLOY, "on_failure": "restore"}),
    Scenario("prune", _with_cluster, _left_behind, "deployed", {**DEPLOY, "prune": "delete"}),
    Scenario("rollback", _with_cluster, _gone_forward, "rolled-back", BACK),
    Scenario("branches", open_site, _branches, "published"),
    Scenario("branch-paths", open_site, _sharing_a_domain, "published", _web(9)),
    Scenario("images", _with_a_registry, _with_a_login, "published", _IMAGES),
    Scenario("token", _empty, _with_a_token, "published", {"credential": "my_token"}),
)

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
