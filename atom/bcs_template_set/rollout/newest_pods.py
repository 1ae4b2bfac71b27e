"""Which pods of a workload are the ones just deployed, so that no old pod's trouble is blamed. Pure.

What a list of pods tells is little (facts/bcs.md, trap 12): names, labels, and beside it the state of each
by its uid. That is enough to choose, and to see that all is well; what is wrong with a chosen pod is read
from the whole pod.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Optional

from bcs_template_set.bcs.marks import mark_of
from bcs_template_set.manifests.fields import Fields, list_at, mapping_at, text_at, texts_of
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.live_fields import annotation_of, is_going, is_observed, number_in
from bcs_template_set.messages import say
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.rollout.status import RolloutStatus, status_of
from bcs_template_set.rollout.watched import Workload

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
    wanted = revision.newest(live) if revision is not None else ""
    if revision is not None and wanted:
        return [pod for pod in pods if pod.label(*revision.labels) in ("", wanted)]
    last = max(pods, key=lambda pod: pod.created, default=None)
    if last is None:
        return pods
    return [pod for pod in pods if pod.revision == last.revision]


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
