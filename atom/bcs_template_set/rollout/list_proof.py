"""Whether lists alone prove that a workload is ready which was live already. Pure: performs no I/O.

A list keeps counts of new and of well pods, and not how many there are (facts/bcs.md, trap 12): of a
Deployment whose one new pod can't start beside its old one, all of them are as wanted. With the list of the
pods that is seen: as many as are wanted, all of one revision, with the template's images, each ready.
What lists don't prove is looked at whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

from bcs_template_set.bcs.marks import mark_of
from bcs_template_set.manifests.fields import Fields
from bcs_template_set.manifests.live_fields import annotation_of
from bcs_template_set.messages import say
from bcs_template_set.rollout.newest_pods import PodSummary, runs_template, selected_pods
from bcs_template_set.rollout.status import RolloutStatus, status_of
from bcs_template_set.rollout.watched import Workload

_TEMPLATES = ("deployment.kubernetes.io/revision", "deprecated.daemonset.template.generation")
"""Annotations in which a controller counts the templates of pods."""


def proven_ready(workload: Workload, item: Fields, pods: Sequence[PodSummary]) -> Optional[RolloutStatus]:
    """Return that a workload is ready, None where its entry in a list and all pods do not prove that.

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
