"""Reading about a cluster: BCS words a cluster that is not the project's as a project that is not there."""

from __future__ import annotations

from typing import TypeVar

from bcs_template_set.bcs.calls import Read, Reader
from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.messages.errors import ClusterNotVisible, ProjectNotVisible

T = TypeVar("T")


def ask_cluster(reader: Reader, place: NamespaceRef, call: Read[T]) -> T:
    """Return the answer to a question about a cluster.

    Raises:
        ClusterNotVisible: the project is known by now, so what BCS can't establish is the cluster.
    """
    try:
        return reader.read(call)
    except ProjectNotVisible as exc:
        error = ClusterNotVisible(cluster=place.cluster_id, project=place.project, message=exc.message)
        raise error.with_context(**exc.context) from exc
