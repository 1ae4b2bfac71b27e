"""Say before anything is written what a deployment makes of live numbers of pods. Only reads.

BCS dry-runs versions, and these are still to be written. So what is rendered is held to the numbers that are
live; the deployment looks again, and says what has changed since.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.manifests.fields import mapping_at, text_at
from bcs_template_set.manifests.kinds import kind_of
from bcs_template_set.manifests.live_replicas import Workload, number_taken_from, variable_of
from bcs_template_set.manifests.parse import Document
from bcs_template_set.messages import say
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.report.rollout_lines import kept_line
from bcs_template_set.rollout.live_diff import Object
from bcs_template_set.rollout.live_numbers import pods_in, read_numbers
from bcs_template_set.rollout.live_state import LiveState
from bcs_template_set.rollout.pod_numbers import kept_pods, lost_pods
from bcs_template_set.run.context import RenderedRun
from bcs_template_set.run.finish import show_lines


def tell_pods(run: RenderedRun, reader: Reader, place: NamespaceRef) -> None:
    """Say which workloads of the files to be written keep their number of pods, and which lose it.

    That nobody could look costs a sentence: the deployment looks again.
    """
    record, given = run.services.record, run.context.variables
    changes = record.plan.changes if record.plan is not None else ()
    written = {change.name for change in changes if change.writes_version}
    documents = [
        (file.name, doc) for file in record.rendered if file.name in written for doc in file.documents
    ]
    try:
        pods = _live_pods(reader, place, [document for _, document in documents])
        states = [_state(name, document, pods, given) for name, document in documents]
        taken = {number_taken_from(document.body) for _, document in documents}
        kept = frozenset(found for found in taken if found is not None and variable_of(*found) not in given)
        numbers = read_numbers(reader, place, states, kept=kept)
    except StepError as exc:
        warnings = [say("deploy.pods_unseen", problem=exc.title())]
    else:
        warnings = [*lost_pods(states, numbers)]
        if run.settings.action == "plan":
            show_lines(run.services.log, kept_line(kept_pods(states, numbers), language=record.language))
    for warning in warnings:
        run.services.warn(warning)


def _live_pods(reader: Reader, place: NamespaceRef, documents: list[Document]) -> dict[Workload, int]:
    kinds = {document.kind: kind_of(document.api_version, document.kind) for document in documents}
    pods: dict[Workload, int] = {}
    for kind in kinds.values():
        if kind is not None and kind.scales:
            pods.update(pods_in(reader, place, kind))
    return pods


def _state(
    file: str, document: Document, pods: Mapping[Workload, int], given: Mapping[str, str]
) -> LiveState:
    count = pods.get((document.kind, document.name))
    live: Optional[Object] = None if count is None else {"spec": {"replicas": count}}
    return LiveState(file, document.kind, document.name, _filled_in(document.body, given), live)


def _filled_in(body: Object, given: Mapping[str, str]) -> Object:
    """Return an object with the number of pods that the author's variables give it."""
    name = text_at(body, "spec", "replicas").strip("{} ")
    if not given.get(name, "").isdecimal():
        return body
    return {**body, "spec": {**mapping_at(body, "spec"), "replicas": int(given[name])}}
