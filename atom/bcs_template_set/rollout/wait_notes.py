"""What the run's manifests say of the wait, before anything is deployed. Pure: performs no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bcs_template_set.manifests.fields import mapping_at
from bcs_template_set.manifests.kinds import DEPLOYMENT, kind_of
from bcs_template_set.manifests.live_fields import number_in
from bcs_template_set.manifests.parse import Document
from bcs_template_set.manifests.pod_templates import containers_of, objects_of, pod_of
from bcs_template_set.messages import Text, say

DEFAULT_DEADLINE = 600
"""Seconds that the API server fills in for a Deployment's progressDeadlineSeconds."""

MOST_NAMED = 5


def wait_notes(documents: Sequence[Document], *, timeout: int) -> tuple[Text, ...]:
    """Return what ends the wait before `timeout`, and what it can't see: a sentence for each, if any."""
    objects = tuple(objects_of(documents))
    return (*_early_ends(objects, timeout=timeout), *_unprobed(objects))


def _early_ends(objects: Sequence[Document], *, timeout: int) -> Iterator[Text]:
    deadlines: dict[int, list[str]] = {}
    for document in objects:
        if kind_of(document.api_version, document.kind) is DEPLOYMENT:
            given = mapping_at(document.body, "spec").get("progressDeadlineSeconds")
            seconds = DEFAULT_DEADLINE if given is None else number_in(given)
            if seconds is not None and seconds < timeout:
                deadlines.setdefault(seconds, []).append(_title(document))
    for seconds, titles in sorted(deadlines.items()):
        yield say(
            "deploy.early_end",
            timeout=timeout,
            deadline=seconds,
            default=DEFAULT_DEADLINE,
            count=len(titles),
            names=titles[:MOST_NAMED],
        )


def _unprobed(objects: Sequence[Document]) -> Iterator[Text]:
    titles = [_title(document) for document in objects if _is_ready_at_once(document)]
    if titles:
        yield say("deploy.unprobed", count=len(titles), names=titles[:MOST_NAMED])


def _is_ready_at_once(document: Document) -> bool:
    """Tell whether a pod counts as ready as soon as its containers run."""
    kind, pod = kind_of(document.api_version, document.kind), pod_of(document)
    if kind is None or kind.rule is None or not kind.has_selector or pod is None:
        return False
    if mapping_at(document.body, "spec").get("minReadySeconds"):
        return False
    return not any(container.body.get("readinessProbe") for container in containers_of(pod))


def _title(document: Document) -> str:
    return f"{document.kind}/{document.name}"
