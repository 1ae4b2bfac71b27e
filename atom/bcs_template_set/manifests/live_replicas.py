"""The variables of BCS that stand for a workload's live number of pods. Pure: performs no I/O.

BCS replaces a workload whole, and without `replicas` it has one pod, whatever an autoscaler or a person had
set (facts/bcs.md, traps 2 and 11). So `live_replicas()` leaves a variable in the template that names kind and
workload, and a deployment gives it the number that is live.
"""

from __future__ import annotations

from typing import Optional

from bcs_template_set.manifests.fields import Fields, text_at

_PREFIX = "live_replicas."

Workload = tuple[str, str]
"""A workload of the namespace: its kind's name, and its own."""


def variable_of(kind: str, name: str) -> str:
    """Return the name of the variable that stands for a workload's live number of pods."""
    return f"{_PREFIX}{kind}.{name}"


def workload_of(variable: str) -> Optional[Workload]:
    """Return the workload whose number a variable stands for, None where it is another variable."""
    if not variable.startswith(_PREFIX):
        return None
    kind, dot, name = variable[len(_PREFIX) :].partition(".")
    return (kind, name) if dot and name else None


def number_taken_from(body: Fields) -> Optional[Workload]:
    """Return the workload whose live number an object's text takes, None where it takes none."""
    return workload_of(text_at(body, "spec", "replicas").strip("{} "))
