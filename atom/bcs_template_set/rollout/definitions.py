"""Find under which name BCS serves the objects of custom kinds that only a comment declares. Only reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.deploy_calls import NamespaceRef, get_live
from bcs_template_set.manifests.declared_kinds import NO_DEFINITION, definition_names
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.messages.server_errors import BcsFailed
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.rollout.watched import Workload


def with_definitions(
    reader: Reader, place: NamespaceRef, workloads: Sequence[Workload]
) -> tuple[Workload, ...]:
    """Return the workloads, those of guessed kinds by the definition that is there.

    Where none is, or nobody may look, they stay as they are: the wait tells why it can't look.
    """
    routes: dict[tuple[str, str], str] = {}
    for workload in workloads:
        kind = workload.kind
        if kind.is_guessed and (kind.group, kind.name) not in routes:
            routes[kind.group, kind.name] = _route_of(reader, place, kind, workload.name)
    return tuple(
        replace(workload, kind=workload.kind._replace(route=routes[workload.kind.group, workload.kind.name]))
        if workload.kind.is_guessed
        else workload
        for workload in workloads
    )


def _route_of(reader: Reader, place: NamespaceRef, kind: Kind, name: str) -> str:
    for definition in definition_names(kind.group, kind.name):
        guess = kind._replace(route=f"crds/{definition}")
        try:
            reader.read(get_live(place, kind=guess, name=name))
        except BcsFailed as exc:
            if NO_DEFINITION in str(exc.message):
                continue
        except StepError:
            return kind.route
        return guess.route
    return kind.route
