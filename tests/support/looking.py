"""The verbs that only look, run in this process against a site: what they print, and what they sent."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.emulator.exchanges import Exchange
from tests.support.deploying import CLUSTER, NAMESPACE
from tests.support.desks import FILE, desk_agent
from tests.support.publishing import USER, Site

from bcs_template_set.agent.log import Log
from bcs_template_set.cli.desk_boundary import at_desk
from bcs_template_set.cli.looks import (
    Folder,
    lines_of_look,
    look_at_difference,
    look_at_history,
    look_at_status,
)
from bcs_template_set.cli.verb_plan import services_at_desk
from bcs_template_set.messages import Language


@dataclass(frozen=True)
class Looked:
    """What a verb printed, to stdout and to stderr, its exit status, and its requests."""

    status: int
    out: str
    err: str
    exchanges: tuple[Exchange, ...]

    @property
    def told(self) -> Any:  # noqa: ANN401 - JSON, which a test looks into
        """Return its JSON."""
        return json.loads(self.out)

    def domain(self, name: str) -> Any:  # noqa: ANN401 - as above
        """Return what `status --json` says of a domain."""
        (found,) = [domain for domain in self.told["domains"] if domain["name"] == name]
        return found


def looked(
    site: Site,
    look: Callable[[Folder], Iterable[str]],
    *hosts: str,
    user: str = USER,
    language: Language = "en_US",
    namespace: str = NAMESPACE,
    **inputs: str,
) -> Looked:
    """Let a verb look at the site's folder, on the site's clock."""
    place = {"cluster_id": CLUSTER, "namespace": namespace} if namespace else {}
    agent = desk_agent(site, user=user, **{**place, **inputs})
    err, out = io.StringIO(), io.StringIO()
    log = Log(err, language)
    before = len(site.emulator.exchanges)
    services = services_at_desk(agent, log=Log(io.StringIO(), language, masker=log.masker), clock=site.clock)

    def print_all() -> int:
        out.write("\n".join(lines_of_look(services, hosts, look)) + "\n")
        return 0

    status = at_desk(print_all, errors=lambda: log, settings_file=FILE)
    return Looked(status, out.getvalue(), err.getvalue(), tuple(site.emulator.exchanges[before:]))


def status(
    site: Site, *hosts: str, as_json: bool = True, language: Language = "en_US", **more: str
) -> Looked:
    """Run `status`."""
    look = partial(look_at_status, as_json=as_json, language=language)
    return looked(site, look, *hosts, language=language, **more)


def history(
    site: Site, *hosts: str, as_json: bool = True, language: Language = "en_US", **more: str
) -> Looked:
    """Run `history`."""
    look = partial(look_at_history, as_json=as_json, language=language)
    return looked(site, look, *hosts, language=language, **more)


def diff(
    site: Site,
    before: str,
    after: str,
    *hosts: str,
    as_json: bool = True,
    language: Language = "en_US",
    **more: str,
) -> Looked:
    """Run `diff`."""
    look = partial(look_at_difference, versions=(before, after), as_json=as_json, language=language)
    return looked(site, look, *hosts, language=language, **more)
