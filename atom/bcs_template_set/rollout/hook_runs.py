"""What a hook said that ended badly: its run is an object beside the workload, and tells it there. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from bcs_template_set.manifests.fields import Fields, list_at, mapping_at, text_at
from bcs_template_set.messages import say
from bcs_template_set.messages.text import shorten
from bcs_template_set.rollout.status import RolloutStatus

MOST_MESSAGES, MOST_COLUMNS = 3, 300
_ENDED_BADLY = frozenset({"Failed", "Error", "Inconclusive"})


def with_words_of_runs(status: RolloutStatus, runs: Mapping[str, Fields], *, live: Fields) -> RolloutStatus:
    """Return the status of a live workload with what its failed runs say, as it is where they say nothing."""
    words = [word for run in runs.values() for word in _words(run, live)]
    if not words:
        return status
    messages = [shorten(word, MOST_COLUMNS) for word in list(dict.fromkeys(words))[:MOST_MESSAGES]]
    return replace(status, sentence=say("rollout.hook_said", sentence=status.sentence, messages=messages))


def _words(run: Fields, live: Fields) -> Iterator[str]:
    """Yield the messages of a run of this workload that ended badly."""
    owners = map(mapping_at, list_at(run, "metadata", "ownerReferences"))
    uid = text_at(live, "metadata", "uid")
    if text_at(run, "status", "phase") not in _ENDED_BADLY or uid not in [text_at(o, "uid") for o in owners]:
        return
    results = [mapping_at(result) for result in list_at(run, "status", "metricResults")]
    tries = [mapping_at(one) for result in results for one in list_at(result, "measurements")]
    for told in (mapping_at(run, "status"), *results, *tries):
        if text_at(told, "message"):
            yield text_at(told, "message")
