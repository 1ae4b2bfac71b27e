"""The addresses of the BCS console's pages (docs/dev/facts/console.md). Pure: performs no I/O.

An address whose ids are not all known is "", as are all of them where the region has no `console_url`.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from bcs_template_set.records.late_dataclass import dataclass

USUAL_PATH = "/bcs"
"""Where the console lies on its host unless `console_url` says so."""

_CATEGORIES: Mapping[str, str] = {
    "Deployment": "deployments",
    "StatefulSet": "statefulsets",
    "DaemonSet": "daemonsets",
    "Job": "jobs",
    "CronJob": "cronjobs",
    "Pod": "pods",
    "GameDeployment": "custom_objects",
    "GameStatefulSet": "custom_objects",
    "Rollout": "custom_objects",
}
_CRDS: Mapping[str, Mapping[str, str]] = {
    "GameDeployment": {"crd": "gamedeployments.tkex.tencent.com"},
    "GameStatefulSet": {"crd": "gamestatefulsets.tkex.tencent.com"},
    "Rollout": {"crd": "rollouts.argoproj.io", "version": "v1alpha1", "isCommonCrd": "true"},
}
"""What the console's page of a custom object needs beside its kind: of one without pages of its own, more."""


@dataclass(frozen=True)
class Console:
    """The console's pages of one project.

    `url` is the region's `console_url`, `project` the project's code, `space_id` the folder's id.
    """

    url: str = ""
    project: str = ""
    space_id: str = ""

    @property
    def space_url(self) -> str:
        """Return the address of the template folder."""
        return self._page("template", "file", self.space_id)

    def file_url(self, template_id: str, version_id: str = "") -> str:
        """Return the address of a template file, shown at a version where one is given."""
        query = {"versionID": version_id} if version_id else {}
        return self._page("template", "file", self.space_id, template_id, **query)

    def object_url(self, cluster_id: str, namespace: str, kind: str, name: str) -> str:
        """Return the address of a workload or pod; "" for a kind whose page needs more than its name."""
        query = {"kind": kind, **_CRDS.get(kind, {})}
        place = ("workloads", _CATEGORIES.get(kind, ""), "namespaces", namespace, name)
        return self._page("clusters", cluster_id, *place, **query)

    def _page(self, *segments: str, **query: str) -> str:
        if not self.url or not all((self.project, *segments)):
            return ""
        root = self.url if "/" in self.url.partition("://")[2] else self.url + USUAL_PATH
        path = "/".join(
            quote(segment, safe="", errors="replace") for segment in ("projects", self.project, *segments)
        )
        tail = urlencode(query, errors="replace")
        return f"{root}/{path}?{tail}" if tail else f"{root}/{path}"


NO_CONSOLE = Console()
"""That of a region without `console_url`: it has no address of anything."""
