"""Why a rollout fails, whose fault that is, whether it can heal, and the one thing to do. Pure: no I/O.

The judgement is a table, cause_rules.py. What servers and applications said is put into the sentences as
data; what fits no row is told as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Optional

from bcs_template_set.manifests.fields import Fields, text_at
from bcs_template_set.manifests.kind_rules import DEADLINE_EXCEEDED
from bcs_template_set.manifests.live_fields import condition_of, is_true
from bcs_template_set.messages import Text, say
from bcs_template_set.rollout.cause_rules import (
    CRASHES,
    MOST_READ,
    NEVER,
    REPLACED,
    STARTS,
    Fault,
    Rule,
    rule_for,
)
from bcs_template_set.rollout.pods import PodProblem, Termination

CRASH_RESTARTS = 3
"""A container that crashed once more after so many restarts will not heal."""


@dataclass(frozen=True)
class Cause:
    """Why something does not become ready. `patience` is how many seconds it may last and still heal.

    Patience 0 means it cannot heal; None means it may for ever, and only the time limit ends the wait.
    """

    name: str
    fault: Fault
    patience: Optional[float]
    sentence: Text
    cure: Text

    def is_hopeless(self, *, seconds: float) -> bool:
        """Tell whether waiting on is vain after so many seconds, on our own clock, of the same trouble."""
        return self.patience is not None and seconds >= self.patience


@dataclass(frozen=True)
class Diagnosis:
    """A pod's problem with its cause."""

    problem: PodProblem
    cause: Cause


# --- pods -----------------------------------------------------------------------------------------------


def cause_of(problem: PodProblem) -> Cause:
    """Return why a pod is in this trouble; a reason we have no row for is told as it is."""
    last = problem.last
    reasons = frozenset({problem.reason, last.reason if last else ""})
    said = [words[:MOST_READ] for words in (problem.message, last.message if last else "")]
    message = "\n".join(said).replace(problem.image, "") if problem.image else "\n".join(said)
    rule = rule_for(_telling(problem, reasons), message=message, exit_code=problem.exit_code)
    return _cause(rule, patience=_patience(rule, problem), fields=_fields(problem))


def diagnose(problems: Iterable[PodProblem]) -> tuple[Diagnosis, ...]:
    """Return the problems with their causes: what cannot heal first, what may for ever last."""
    found = [Diagnosis(problem, cause_of(problem)) for problem in problems]
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


def _urgency(diagnosis: Diagnosis) -> tuple[float, str, str]:
    patience = diagnosis.cause.patience
    return (
        (float("inf") if patience is None else patience),
        diagnosis.problem.pod,
        diagnosis.problem.container,
    )


def _telling(problem: PodProblem, reasons: frozenset[str]) -> frozenset[str]:
    """Return the reasons that speak of this trouble; a crash is known by how its container ended."""
    return reasons if problem.reason in CRASHES else frozenset({problem.reason})


def _patience(rule: Rule, problem: PodProblem) -> Optional[float]:
    """Return the rule's patience: none is left for a container that keeps crashing, any for one that runs."""
    if problem.is_running:
        return None
    loops = problem.reason in CRASHES | STARTS | {"OOMKilled"} and problem.restarts >= CRASH_RESTARTS
    return NEVER if loops else rule.patience


def _fields(problem: PodProblem) -> dict[str, object]:
    return {
        "pod": problem.pod,
        "container": problem.container,
        "image": problem.image,
        "reason": problem.reason,
        "message": problem.message or "-",
        "exit_code": "?" if problem.exit_code is None else problem.exit_code,
        "restarts": problem.restarts,
        "probe": problem.probe or say("rollout.no_probe"),
    }


# --- workloads and refusals -----------------------------------------------------------------------------


def cause_in_workload(live: Fields) -> Optional[Cause]:
    """Return why a workload fails by its own conditions; None where they tell of no failure.

    Of a pod that fails, the pod tells more: this is for workloads whose pods say nothing, or do not exist.
    """
    for name in ("ReplicaFailure", "Failed", "FailureTarget"):
        condition = condition_of(live, name)
        if is_true(condition):
            return _cause_of_words(text_at(condition, "reason"), text_at(condition, "message"))
    progressing = condition_of(live, "Progressing")
    if progressing.get("reason") in (DEADLINE_EXCEEDED, "FailedCreate", "ReplicaSetCreateError"):
        return _cause_of_words(text_at(progressing, "reason"), text_at(progressing, "message"))
    return None


def cause_of_replacement(found: str, *, version: str) -> Cause:
    """Return what to say of a workload that somebody else has deployed over ours."""
    return _cause(REPLACED, patience=REPLACED.patience, fields={"found": found, "version": version})


def _cause_of_words(reason: str, message: str) -> Cause:
    asked = "FailedCreate" if reason == "ReplicaSetCreateError" else reason
    rule = rule_for(frozenset({asked}), message=message, exit_code=None)
    return _cause(rule, patience=rule.patience, fields={"reason": reason, "message": message or "-"})


def _cause(rule: Rule, *, patience: Optional[float], fields: dict[str, object]) -> Cause:
    return Cause(
        name=rule.name,
        fault=rule.fault,
        patience=patience,
        sentence=say(f"rollout.{rule.name}.cause", **fields),
        cure=say(f"rollout.{rule.name}.cure", **fields),
    )
