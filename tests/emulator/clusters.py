"""The projects' clusters, and the variables that BCS keeps for their namespaces. Performs no I/O."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Callable

from tests.emulator.accounts import Accounts
from tests.emulator.cluster import REFUSING, Cluster


class Clusters(Accounts):
    """What there is to deploy to. `now` is the time of the site, and of each cluster when it is added."""

    def __init__(self, *, now: Callable[[], float]) -> None:
        super().__init__()
        self.now = now
        self.clusters: dict[str, Cluster] = {}
        self.variables: dict[tuple[str, str], dict[str, str]] = {}

    def add_cluster(
        self,
        cluster_id: str = "BCS-K8S-40000",
        *,
        project: str = "",
        namespaces: Iterable[str] = ("default",),
        shared: bool = False,
        kubernetes: str = REFUSING,
        speed: float = 1.0,
    ) -> Cluster:
        """Add a cluster of a project with its namespaces; `speed` is how fast its time passes.

        `shared` opens it to all projects, each in its own namespaces (`Cluster.add_namespace`).
        `kubernetes` is its release: it serves and refuses what that one does (facts/bcs.md trap 11).
        """
        code = self.project_code(project)
        owner = self.find_project(code)
        cluster = Cluster(
            cluster_id,
            project_id=owner.id if owner else "",
            shared=shared,
            kubernetes=kubernetes,
            speed=speed,
            now=self.now,
        )
        for namespace in namespaces:
            cluster.add_namespace(namespace, project=code)
        self.clusters[cluster_id] = cluster
        return cluster

    def set_namespace_variable(
        self, key: str, value: str, *, cluster: str = "", namespace: str = "", project: str = ""
    ) -> None:
        """Define a variable of the project; without a cluster and namespace it is the same everywhere."""
        values = self.variables.setdefault((self.project_code(project), key), {})
        values[f"{cluster}/{namespace}" if cluster or namespace else ""] = value

    def render_variables(self, project: str, *, cluster: str, namespace: str) -> dict[str, str]:
        """Return every variable of the project with its value there (project manager, RenderVariables)."""
        return {
            key: values.get(f"{cluster}/{namespace}", values.get("", ""))
            for (code, key), values in self.variables.items()
            if code == project
        }
