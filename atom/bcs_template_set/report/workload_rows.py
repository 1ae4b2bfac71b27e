"""A workload as a person reads of it: its state, where it stands, why, and the one thing to do. Pure.

The run's error, the log and the HTML page render this one value, so they say the same of a workload.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from bcs_template_set.manifests.kind_rules import DONE, SETTLED, WorkloadState
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import NoPermission
from bcs_template_set.messages.server_errors import GatewayFailed
from bcs_template_set.messages.text import clock_time
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.report.outcome import Outcome
from bcs_template_set.rollout.causes import evidence_of
from bcs_template_set.rollout.result import Rollout
from bcs_template_set.rollout.watched import Blind, RolloutStatus, Watched

Link = Callable[[str, str], str]
"""Takes kind and name of an object, and returns the address of its page in the console, "" for none."""

_ORDER: tuple[WorkloadState, ...] = ("failed", "gone", "unseen", "pending", "paused", "ready", "nothing")
SYMBOLS: Mapping[WorkloadState, str] = {
    "failed": "✗",
    "gone": "✗",
    "unseen": "?",
    "pending": "…",
    "paused": "‖",
    "ready": "✓",
    "nothing": "–",
}
_OBSTACLES: Mapping[int, str] = {NoPermission.code: "no-permission", GatewayFailed.code: "server-error"}
"""Why a workload can't be looked at, in a word that is the same in both languages."""


def no_link(_kind: str, _name: str) -> str:
    """Return no address."""
    return ""


@dataclass(frozen=True)
class WorkloadRow:
    """A workload: its state, where it stands, why, what the cluster says of it, and the one thing to do.

    `reason` is why in a word. `causes`, `evidence` and `cure` are those of a workload that is not ready.
    `old` are the pods of another version that still serve, None where that is not known. `url` and `pod_url`
    lead to the workload and to the pod that keeps it from being ready, in the console.
    """

    kind: str
    name: str
    state: WorkloadState
    done: int
    wanted: int
    seconds: float
    sentence: Text
    old: int | None
    reason: str
    causes: tuple[Text, ...]
    evidence: tuple[Text, ...]
    cure: Text | None
    url: str
    pod_url: str

    @property
    def title(self) -> str:
        """Return `Kind/name`."""
        return f"{self.kind}/{self.name}"

    @property
    def is_settled(self) -> bool:
        """Tell whether there is nothing to wait for, or to put right."""
        return self.state in SETTLED

    @property
    def stands(self) -> list[Text]:
        """Return where it stands, and why it is not ready."""
        return [say("deploy.workload", object=self.title, sentence=self.sentence), *self.causes]

    @property
    def explanation(self) -> list[Text]:
        """Return all there is to say of it, for the details of an error."""
        cure = [say("context.cure", value=self.cure)] if self.cure is not None else []
        return [*self.stands, *self.evidence, *cure]

    @property
    def why(self) -> Text:
        """Return the one thing that says best why it is not ready."""
        return (*self.causes, self.sentence)[0]


def workload_rows(watched: Sequence[Watched], *, link: Link = no_link) -> tuple[WorkloadRow, ...]:
    """Return the workloads, those that need eyes first."""
    rows = [workload_row(item, link=link) for item in watched]
    return tuple(sorted(rows, key=lambda row: (_ORDER.index(row.state), row.kind, row.name)))


def workload_row(item: Watched, *, link: Link = no_link) -> WorkloadRow:
    """Return a workload's row."""
    status, workload = item.status, item.workload
    troubled = item.end not in DONE
    causes, problem = (item.causes, item.problem) if troubled else ((), None)
    said = [sentence for cause in causes for sentence in (cause.sentence, cause.grace)]
    sentences = [sentence for sentence in said if sentence is not None]
    if item.blind is not None:
        sentences.append(_blind_text(item, item.blind))
    return WorkloadRow(
        kind=workload.kind.name,
        name=workload.name,
        state=item.end,
        done=status.done if status is not None else 0,
        wanted=status.wanted if status is not None else 0,
        seconds=item.seconds,
        sentence=_sentence(item),
        old=_old_that_serve(status),
        reason=_reason(item),
        causes=tuple(sentences),
        evidence=evidence_of(problem) if problem is not None else (),
        cure=causes[0].cure if causes else None,
        url=link(workload.kind.name, workload.name),
        pod_url=link("Pod", problem.pod) if problem is not None else "",
    )


def _old_that_serve(status: RolloutStatus | None) -> int | None:
    """Return how many pods of another version are well, at most; None where nobody tells."""
    if status is None or status.serving is None:
        return None
    return max(0, min(status.old, status.serving - status.done))


def _sentence(item: Watched) -> Text:
    """Return where a workload stands; of one that nobody sees any more, where it stood."""
    if item.status is None:
        return say("deploy.never_seen")
    sentence = item.status.sentence
    if item.end in ("gone", "unseen"):
        sentence = say("deploy.last_seen", sentence=sentence)
    if item.workload.was_live and item.end not in DONE:
        version = item.workload.mark.version or item.workload.version
        return say("deploy.live_before", sentence=sentence, version=version)
    return sentence


def _blind_text(item: Watched, blind: Blind) -> Text:
    """Return since when a workload, or its pods, can't be looked at, and why."""
    key = "unseen" if item.end == "unseen" else "pods_unseen"
    since = clock_time(blind.since)
    return say(f"rollout.{key}", since=since, problem=blind.error.title())


def _reason(item: Watched) -> str:
    """Return in a word why a workload is not ready."""
    if item.end == "unseen" and item.blind is not None:
        code = item.blind.error.code
        return f"{_OBSTACLES.get(code, 'could-not-look')}, {code}"
    if item.problem is not None:
        return item.problem.reason
    return item.causes[0].name if item.causes else ""


def rows_of_rollout(outcome: Outcome) -> tuple[WorkloadRow, ...]:
    """Return the workloads that the run waited for, with their pages in the console."""
    rollout = outcome.rollout
    return workload_rows(rollout.watched, link=_link(outcome, rollout)) if rollout is not None else ()


def rows_of_restoration(outcome: Outcome) -> tuple[WorkloadRow, ...]:
    """Return the workloads of what was restored, likewise."""
    rollout = outcome.rollout
    if rollout is None or rollout.restoration is None:
        return ()
    return workload_rows(rollout.restoration.watched, link=_link(outcome, rollout))


def _link(outcome: Outcome, rollout: Rollout) -> Link:
    """Return what finds an object of the run's namespace in the console."""
    return partial(outcome.heading.console.object_url, rollout.cluster_id, rollout.namespace)
