"""Why a rollout fails, whose fault that is, whether it can heal, and the one thing to do. Pure: no I/O.

The judgement is a table, cause_rules.py. What servers and applications said is put into the sentences as
data; what fits no row is told as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Optional, Union

from bcs_template_set.manifests.fields import Fields, mapping_at, text_at
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kind_rules import DEADLINE_EXCEEDED
from bcs_template_set.manifests.kinds import DAEMON_SET, JOB, STATEFUL_SET
from bcs_template_set.manifests.live_fields import (
    condition_of,
    count_at,
    is_going,
    is_observed,
    is_true,
    number_in,
)
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.text import clock_time
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.rollout.cause_rules import (
    BELOW,
    BLOCKED_SECONDS,
    CHANGED,
    CRASHES,
    EARLIER,
    MOST_READ,
    NEVER,
    NO_PODS,
    PAUSED,
    REPLACED,
    STARTS,
    Fault,
    Rule,
    rule_for,
)
from bcs_template_set.rollout.pods import PodProblem, Termination, rank_of

CRASH_RESTARTS = 4
"""A container that crashed once more after so many restarts is given up: it had 70 s, with the back-offs."""

CRASH_BACK_OFF = 80
"""Seconds that the kubelet waits after so many (10, doubled each time); it forgets them once all is well."""

_BACK_OFF = re.compile(r"back-off (?:(\d+)m)?(\d+)s")

_FOR_EVER = float("inf")
_NOT_READY = "not_ready"
_NO_IMAGE = "image_not_found"
_NO_NAME = "image_name"
"""The one cause that nobody can mend but by a new build, so that no input makes the step wait for it."""


@dataclass(frozen=True)
class Terms:
    """What the wait may be given up for.

    `fail_fast`: images, configuration and crashes. `own_verdict`: the workload itself says when its pods
    have failed too often (a Job), so no crash decides.
    """

    fail_fast: bool = True
    own_verdict: bool = False


FAIL_FAST = Terms()


@dataclass(frozen=True)
class Cause:
    """Why something does not become ready. `patience` is how many seconds it may last and still heal.

    Patience 0 means it cannot heal; None means it may for ever, and only the time limit ends the wait.
    `grace` says what ends the wait for it before, None where nothing does. `urgency` is the patience it has
    at most, whatever the terms.
    """

    name: str
    fault: Fault
    patience: Optional[float]
    sentence: Text
    cure: Text
    grace: Optional[Text] = None
    urgency: float = _FOR_EVER

    @property
    def is_put_off(self) -> bool:
        """Tell whether only the terms keep the wait from being given up for it: by itself it hardly heals."""
        return self.patience is None and self.urgency < _FOR_EVER

    def is_hopeless(self, *, seconds: float) -> bool:
        """Tell whether waiting on is vain after so many seconds, on our own clock, of the same trouble."""
        return self.patience is not None and seconds >= self.patience


Diagnosis = tuple[PodProblem, Cause]
"""A pod's problem with its cause."""


# --- pods -----------------------------------------------------------------------------------------------


def cause_of(problem: PodProblem, *, terms: Terms = FAIL_FAST) -> Cause:
    """Return why a pod is in this trouble; a reason we have no row for is told as it is."""
    told: list[Union[PodProblem, Termination]] = [problem]
    if problem.last is not None and problem.reason in CRASHES:
        told.append(problem.last)
    reasons = frozenset(one.reason for one in told)
    said = "\n".join(one.message[:MOST_READ] for one in told)
    rule = rule_for(reasons, message=said, exit_code=problem.exit_code)
    allowed = _allowed(rule, problem, terms)
    most = _allowed(rule, problem, FAIL_FAST)[0]
    made = _cause(rule, patience=allowed[0], fields=_fields(problem))
    own = replace(made, grace=allowed[1], urgency=_FOR_EVER if most is None else most)
    if rule.name == _NOT_READY and not problem.probe:
        own = replace(own, cure=say("rollout.no_probe_cure", **_fields(problem)))
    if rule.name == _NO_IMAGE and not terms.fail_fast:
        own = replace(own, cure=say("rollout.late_image_cure"))
    return _of_a_blocker(problem, own) if problem.role in ("earlier", "below") else own


def _of_a_blocker(problem: PodProblem, own: Cause) -> Cause:
    """Return why a pod of an earlier revision is in the way: no fault of the new version's."""
    rule = BELOW if problem.role == "below" else EARLIER
    patience = own.patience if own.patience is None else max(own.patience, BLOCKED_SECONDS)
    made = _cause(rule, patience=patience, fields={**_fields(problem), "why": own.sentence})
    return replace(made, grace=own.grace if own.patience else None, urgency=own.urgency)


def diagnose(problems: Iterable[PodProblem], *, terms: Terms = FAIL_FAST) -> tuple[Diagnosis, ...]:
    """Return the problems with their causes: what cannot heal first, what may for ever last."""
    found = [(problem, cause_of(problem, terms=terms)) for problem in problems]
    return tuple(sorted(found, key=_urgency))


def evidence_of(problem: PodProblem) -> tuple[Text, ...]:
    """Return what the cluster itself says of the problem, a line each: place, words, last end, volumes."""
    fields = _fields(problem)
    place = "at_init" if problem.is_init else "at_container" if problem.container else "at_pod"
    lines = [say(f"rollout.evidence.{place}", **fields)]
    if problem.message:
        lines.append(say("rollout.evidence.message", **fields))
    if problem.last is not None:
        lines += _last_end(problem, problem.last)
    if problem.volumes:
        lines.append(say("rollout.evidence.volumes", volumes=list(problem.volumes)))
    return tuple(lines)


def _last_end(problem: PodProblem, last: Termination) -> list[Text]:
    code = "?" if last.exit_code is None else last.exit_code
    ended = say(
        "rollout.evidence.ended", exit_code=code, ended=last.reason or "-", at=last.finished_at or "-"
    )
    told = not last.message or last.message == problem.message
    return [ended] if told else [ended, say("rollout.evidence.last_words", words=last.message)]


def _urgency(diagnosis: Diagnosis) -> tuple[float, bool, int, str, str]:
    problem, cause = diagnosis
    is_new = problem.role == "new"
    return cause.urgency, is_new, rank_of(problem), problem.pod, problem.container


def _allowed(rule: Rule, problem: PodProblem, terms: Terms) -> tuple[Optional[float], Optional[Text]]:
    """Return the patience that is left, and what ends it.

    None is left for a container that keeps crashing; any for one that runs, or is over and made anew.
    """
    if rule.name == _NO_NAME:
        return rule.patience, None
    crashes = problem.reason in CRASHES | STARTS | {"OOMKilled"}
    if not terms.fail_fast or problem.is_over or (crashes and terms.own_verdict):
        return None, None
    grace = _grace(rule.patience, crashes=crashes)
    if problem.is_running:
        return None, grace
    return (NEVER if crashes and _keeps_crashing(problem) else rule.patience), grace


def _keeps_crashing(problem: PodProblem) -> bool:
    """Tell whether a container crashed too often: in the wait, or, as its back-off tells, just before it."""
    found = _BACK_OFF.search(problem.message) if problem.reason == "CrashLoopBackOff" else None
    back_off = 60 * int(found[1] or 0) + int(found[2]) if found else 0
    return back_off >= CRASH_BACK_OFF or problem.restarts - problem.restarts_before >= CRASH_RESTARTS


def _grace(patience: Optional[float], *, crashes: bool) -> Optional[Text]:
    if patience is None:
        return say("rollout.grace_restarts", restarts=CRASH_RESTARTS) if crashes else None
    return say("rollout.grace_seconds", seconds=round(patience)) if patience else say("rollout.grace_none")


def _fields(problem: PodProblem) -> dict[str, object]:
    return {
        "pod": problem.pod,
        "namespace": problem.namespace,
        "revision": problem.revision or "-",
        "container": problem.container,
        "image": problem.image,
        "reason": problem.reason,
        "message": problem.message or "-",
        "exit_code": "?" if problem.exit_code is None else problem.exit_code,
        "restarts": problem.restarts,
        "probe": problem.probe or say("rollout.no_probe"),
    }


# --- workloads and refusals -----------------------------------------------------------------------------


SILENT_AFTER = 5.0
"""Seconds without a pod on its way after which that is told: a controller takes a moment."""


def is_silent(kind: Kind, live: Fields) -> bool:
    """Tell whether a workload wants more pods than there are, although all of them are well.

    A Deployment has a condition that its pods are refused, with the API server's whole sentence; of
    StatefulSets, DaemonSets and Jobs events alone tell it, which no call of BCS's shows (facts/bcs.md,
    "Calls"): of those only the silence is seen. Without `status` a workload says nothing of its pods.
    """
    if not isinstance(live.get("status"), Mapping):
        return False
    if kind == JOB:
        begun = [count_at(live, "status", name) for name in ("active", "succeeded", "failed")]
        suspended = mapping_at(live, "spec").get("suspend") is True
        return not any(begun) and not suspended and not mapping_at(live, "status").get("conditions")
    if kind not in (STATEFUL_SET, DAEMON_SET) or kind.rule is None or not is_observed(live):
        return False
    counts = kind.rule.counts(live)
    return counts.total < counts.wanted and counts.well == counts.total


def told_by(kind: Kind, live: Fields, *, silent_for: float) -> Optional[Cause]:
    """Return what keeps a workload from being ready by its own word, or by its silence; None for nothing."""
    said = cause_in_workload(live)
    if said is not None or silent_for < SILENT_AFTER:
        return said
    return _cause(NO_PODS, patience=NO_PODS.patience, fields={"kind": kind.name})


def cause_of_vanishing(kind: Kind, title: str, *, live: Fields, seen_at: float, patience: float) -> Cause:
    """Return what to say of a workload that was last seen like this, and is there no more.

    It has not failed: the pods may have been well, and of a Job nobody can know any more how it ended.
    `seen_at` is when it was seen, in seconds since the epoch. `live` is empty where it was never seen whole.
    """
    seconds = number_in(mapping_at(live, "spec").get("ttlSecondsAfterFinished"))
    if kind != JOB:
        name = "going" if is_going(live) else "gone"
    else:
        name = "gone_job" if seconds is None else "gone_ttl"
    fields = {"object": title, "time": clock_time(seen_at), "seconds": seconds}
    return replace(_cause(Rule(name, 2), patience=patience, fields=fields), name="gone")


def cause_in_workload(live: Fields) -> Optional[Cause]:
    """Return why a workload fails by its own conditions; None where they tell of no failure.

    Of a pod that fails, the pod tells more: this is for workloads whose pods say nothing, or do not exist.
    """
    for name in ("ReplicaFailure", "Failed", "FailureTarget"):
        condition = condition_of(live, name)
        if is_true(condition):
            return _cause_of_words(text_at(condition, "reason"), text_at(condition, "message"))
    if mapping_at(live, "spec").get("paused") is True:
        return _cause(PAUSED, patience=PAUSED.patience, fields={"name": text_at(live, "metadata", "name")})
    progressing = condition_of(live, "Progressing")
    if progressing.get("reason") in (DEADLINE_EXCEEDED, "FailedCreate", "ReplicaSetCreateError"):
        return _cause_of_words(text_at(progressing, "reason"), text_at(progressing, "message"))
    return None


def cause_of_replacement(found: Text, *, version: str) -> Cause:
    """Return what to say of a workload that somebody else has deployed over ours."""
    return _cause(REPLACED, patience=REPLACED.patience, fields={"found": found, "version": version})


def cause_of_change(status: Text) -> Cause:
    """Return what to say of a workload that somebody has changed, of which a status names the fields."""
    return _cause(CHANGED, patience=CHANGED.patience, fields=dict(status.fields))


def _cause_of_words(reason: str, message: str) -> Cause:
    asked = "FailedCreate" if reason == "ReplicaSetCreateError" else reason
    rule = rule_for(frozenset({asked}), message=message, exit_code=None)
    return _cause(rule, patience=rule.patience, fields={"reason": reason, "message": message or "-"})


def _cause(rule: Rule, *, patience: Optional[float], fields: Mapping[str, object]) -> Cause:
    return Cause(
        name=rule.name,
        fault=rule.fault,
        patience=patience,
        sentence=say(f"rollout.{rule.name}.cause", **fields),
        cure=say(f"rollout.{rule.name}.cure", **fields),
    )
