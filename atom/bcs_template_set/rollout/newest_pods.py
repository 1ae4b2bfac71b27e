"""Which pods of a workload are just deployed, which are worth reading, and whether all is well. Pure.

What a list of pods tells is little (facts/bcs.md, trap 12): names, labels, and beside it the state of each
by its uid. That is enough to choose, and to see that all is well; what is wrong with a chosen pod is read
from the whole pod.

An old pod's trouble is not blamed on the new version. But Kubernetes waits for some of them: a StatefulSet
goes through its pods in order and past none that is not ready, whichever revision it is of, however well the
template was mended since (kubernetes/kubernetes#67250; pkg/controller/statefulset/stateful_set_control.go);
below a partition, and with OnDelete, old pods are kept and count; and a StatefulSet, a DaemonSet and a
Deployment that recreates make no pod before the old one has ended. A DaemonSet replaces a broken old pod
whatever maxUnavailable says (daemon/update.go), and so does a rolling Deployment (deployment/rolling.go).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Optional

from bcs_template_set.bcs.marks import mark_of
from bcs_template_set.manifests.fields import Fields, list_at, mapping_at, text_at, texts_of
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.live_fields import annotation_of, count_at, is_going, is_observed, number_in
from bcs_template_set.messages import say
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.rollout.pods import ENDING, PodProblem, Role, ending_of, problems_of
from bcs_template_set.rollout.watched import RolloutStatus, Workload, status_of

_TEMPLATES = ("deployment.kubernetes.io/revision", "deprecated.daemonset.template.generation")
"""Annotations in which a controller counts the templates of pods."""

_REVISION_LABELS = ("pod-template-hash", "controller-revision-hash")


@dataclass(frozen=True)
class PodSummary:
    """A pod as a list tells of it. `state` is BCS's word, such as `Running` or `Init: 0/1`."""

    name: str
    uid: str
    labels: tuple[tuple[str, str], ...]
    created: str
    state: str
    images: tuple[str, ...]
    is_ready: bool
    is_going: bool

    @property
    def revision(self) -> str:
        """Return which revision of its workload it is of, "" where it does not say."""
        return self.label(*_REVISION_LABELS)

    def label(self, *names: str) -> str:
        """Return the first of these labels that the pod has, "" where it has none."""
        own = dict(self.labels)
        return next((own[name] for name in names if name in own), "")


def read_summaries(listed: Fields, notes: Fields) -> tuple[PodSummary, ...]:
    """Return the pods of a list: `data.manifest` and, by uid, `data.manifestExt`."""
    pods = [mapping_at(item) for item in list_at(listed, "items")]
    return tuple(_summary(pod, mapping_at(notes, text_at(pod, "metadata", "uid"))) for pod in pods)


def _summary(pod: Fields, note: Fields) -> PodSummary:
    ready, total = number_in(note.get("readyCnt")), number_in(note.get("totalCnt"))
    state = text_at(note, "status")
    return PodSummary(
        name=text_at(pod, "metadata", "name"),
        uid=text_at(pod, "metadata", "uid"),
        labels=tuple(sorted(texts_of(mapping_at(pod, "metadata", "labels")).items())),
        created=text_at(note, "createTime") or text_at(pod, "metadata", "creationTimestamp"),
        state=state,
        images=tuple(image for image in list_at(note, "images") if isinstance(image, str)),
        is_ready=state == "Running" and bool(total) and ready == total,
        is_going=state == "Terminating" or is_going(pod),
    )


def selector_of(live: Fields) -> Mapping[str, str]:
    """Return the labels that a workload selects its pods by."""
    return texts_of(mapping_at(live, "spec", "selector", "matchLabels"))


def selected_pods(pods: Sequence[PodSummary], live: Fields) -> list[PodSummary]:
    """Return the pods that a workload's selector selects; none where it names no labels."""
    wanted = selector_of(live)
    return [pod for pod in pods if wanted and wanted.items() <= dict(pod.labels).items()]


def runs_template(pod: PodSummary, live: Fields) -> bool:
    """Tell whether a pod runs the images of a workload's template, as far as can be seen."""
    return _may_run(pod, _template_images(live))


def newest_pods(pods: Sequence[PodSummary], *, kind: Kind, live: Fields) -> tuple[PodSummary, ...]:
    """Return the pods of the newest revision of a live workload, newest first.

    None are returned where the controller has not seen the new spec yet, or makes nothing of it since it is
    paused: whatever runs is old then.
    """
    if (kind.has_generation and not is_observed(live)) or mapping_at(live, "spec").get("paused") is True:
        return ()
    there = [pod for pod in pods if not pod.is_going]
    chosen = _of_revision(there, kind=kind, live=live)
    images = _template_images(live)
    return tuple(
        sorted((pod for pod in chosen if _may_run(pod, images)), key=lambda pod: pod.created, reverse=True)
    )


def _of_revision(pods: Sequence[PodSummary], *, kind: Kind, live: Fields) -> Iterable[PodSummary]:
    """Choose by the workload's own word for its newest revision, else by the pod made last."""
    revision = kind.revision
    if revision is not None and (wanted := revision.newest(live)):
        return [pod for pod in pods if pod.label(*revision.labels) in ("", wanted)]
    last = sorted(pods, key=lambda pod: pod.created, reverse=True)
    return [pod for pod in pods if pod.revision == last[0].revision]


def _template_images(live: Fields) -> frozenset[str]:
    containers = list_at(live, "spec", "template", "spec", "containers")
    return frozenset(_last_part(text_at(mapping_at(item), "image")) for item in containers) - {""}


def _may_run(pod: PodSummary, images: frozenset[str]) -> bool:
    """Tell whether a pod runs the template's images, as far as can be seen.

    After a roll back the condition names the set that failed until the next change of a count; its pods
    have another image. Only the last part is compared, since a cluster may send pulls to a mirror.
    """
    return not pod.images or images <= {_last_part(image) for image in pod.images}


def _last_part(image: str) -> str:
    return image.rpartition("/")[2]


def proven_ready(workload: Workload, item: Fields, pods: Sequence[PodSummary]) -> Optional[RolloutStatus]:
    """Return that a workload is ready, None where its entry in a list and all pods do not prove that.

    A list keeps counts of new and of well pods, and not how many there are (facts/bcs.md, trap 12): of a
    Deployment whose one new pod can't start beside its old one, all of them are as wanted. With the list of
    the pods that is seen: as many as are wanted, all of one revision, with the template's images, each ready.
    What lists don't prove is looked at whole.

    `pods` are those of the namespace. What was applied is known by the deployment plan: `workload.live`.
    """
    status = status_of(workload.kind, item, mark=workload.mark)
    if status.state == "ready":  # the list holds it whole, or what decides of it
        return status
    if mark_of(item) != workload.mark or not workload.kind.may_be_done(item):
        return None
    if any(annotation_of(item, name) != annotation_of(workload.live, name) for name in _TEMPLATES):
        return None
    own = selected_pods(pods, workload.live)
    are_well = all(pod.is_ready and not pod.is_going and runs_template(pod, workload.live) for pod in own)
    if not are_well or len(own) != status.wanted or len({pod.revision for pod in own}) > 1:
        return None
    sentence = say("rollout.ready" if own else "rollout.ready_none", wanted=status.wanted)
    return RolloutStatus("ready", sentence, done=status.wanted, wanted=status.wanted)


# --- which are worth reading --------------------------------------------------------------------------


PATIENCE = 15.0
"""Seconds after which a quiet pod is looked at, too."""

UNPLACED = "Pending"
UNPLACED_PATIENCE = 5.0
"""The same for a pod without any state of its containers: it may have no node."""

ENDING_SECONDS = 45.0
"""A pod is given 30 seconds to end, as a rule."""

OVER = frozenset({"Evicted", "NodeLost", "NodeShutdown", "Shutdown", "Terminated", "Preempted", "Preempting"})
"""States of pods that have ended for good: their controller makes others, and those decide."""

QUIET = frozenset({"Running", "Pending", "ContainerCreating", "PodInitializing", "Completed", "Terminating"})
"""States of pods that are no trouble by themselves."""


@dataclass(frozen=True)
class Suspect:
    """A pod to read whole, and what it is in the rollout."""

    pod: PodSummary
    role: Role = "new"


def is_suspect(pod: PodSummary) -> bool:
    """Tell whether a pod's state in a list is one of trouble."""
    return not pod.is_ready and pod.state not in QUIET and not pod.state.startswith("Init:")


def suspects_of(
    pods: Sequence[PodSummary], *, kind: Kind, live: Fields, quiet_for: float, failed: bool
) -> tuple[Suspect, ...]:
    """Return the pods to read, those first that the others wait for.

    Those in trouble, or, after so many seconds in which none was read, all that are not ready. Of a workload
    that has failed all are read, those that are over included: they tell why.
    """
    newest = [Suspect(pod) for pod in newest_pods(pods, kind=kind, live=live) if not pod.is_ready]
    waiting = [*_blocking(pods, kind=kind, live=live), *newest, *_ending(pods, live)]
    living = [suspect for suspect in waiting if suspect.pod.state not in OVER]
    troubled = [suspect for suspect in living if is_suspect(suspect.pod)]
    if troubled and not failed:
        return tuple(troubled)
    unplaced = any(suspect.pod.state == UNPLACED for suspect in living)
    if failed or quiet_for >= (UNPLACED_PATIENCE if unplaced else PATIENCE):
        return tuple(sorted(waiting, key=_last_to_read))
    return ()


def problems_of_suspect(suspect: Suspect, pod: Fields) -> tuple[PodProblem, ...]:
    """Return what is wrong with a pod, as it was read whole, and what it is in the rollout."""
    if suspect.role == "ending":
        return (ending_of(pod),) if is_going(pod) else ()
    revision = suspect.pod.revision
    return tuple(replace(found, role=suspect.role, revision=revision) for found in problems_of(pod))


def lasts(problem: PodProblem, seconds: float) -> bool:
    """Tell whether a problem that is so many seconds old is one: a pod that ends takes its time."""
    return problem.reason != ENDING or seconds >= ENDING_SECONDS


def _last_to_read(suspect: Suspect) -> tuple[bool, bool]:
    return suspect.pod.state in OVER, not is_suspect(suspect.pod)


def _blocking(pods: Sequence[PodSummary], *, kind: Kind, live: Fields) -> list[Suspect]:
    """Return the pods of earlier revisions that the workload waits for, and does not replace, in order."""
    revision = kind.revision
    if revision is None or not (wanted := revision.newest(live)) or not is_observed(live):
        return []
    partition = count_at(live, "spec", "updateStrategy", "rollingUpdate", "partition")
    in_turn = kind.in_turn and text_at(live, "spec", "podManagementPolicy") != "Parallel"
    by_hand = text_at(live, "spec", "updateStrategy", "type") == "OnDelete"
    found = []
    for pod in sorted(pods, key=lambda pod: _ordinal(pod.name)):
        is_old = pod.label(*revision.labels) not in ("", wanted)
        below = _ordinal(pod.name) < partition
        if is_old and not pod.is_ready and not pod.is_going and (below or in_turn or by_hand):
            found.append(Suspect(pod, "below" if below else "earlier"))
    return found


def _ending(pods: Sequence[PodSummary], live: Fields) -> list[Suspect]:
    """Return the pods that have to end before others take their place."""
    strategy = text_at(live, "spec", "strategy", "type")
    replaces = text_at(live, "spec", "updateStrategy", "type") or strategy == "Recreate"
    return [Suspect(pod, "ending") for pod in pods if pod.is_going] if replaces else []


def _ordinal(name: str) -> int:
    last = name.rpartition("-")[2]
    return int(last) if last.isdecimal() else 0
