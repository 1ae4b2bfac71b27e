"""The verdict on workloads that are not ready: whose they are, who serves meanwhile, what to do. Pure.

Hosts and numbers come first, then whether pods still serve, then the one cure; pods and the cluster's own
words are evidence, and come last. A host stands for its workloads; a workload of no domain for itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from bcs_template_set.manifests.kind_rules import DONE, SETTLED, WorkloadState
from bcs_template_set.manifests.kinds import JOB
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import RolloutFailed
from bcs_template_set.messages.server_errors import (
    RolloutBlocked,
    RolloutTimedOut,
    RolloutUnseen,
    WorkloadsGone,
)
from bcs_template_set.messages.step_error import MOST_NAMES, Detail, StepError, Told, first_names
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.report.outcome import Outcome
from bcs_template_set.report.shown_limits import MOST_DETAILS, MOST_HOSTS
from bcs_template_set.report.workload_rows import WorkloadRow, workload_row
from bcs_template_set.rollout.watched import Watched


@dataclass(frozen=True)
class Trouble:
    """What is not ready of a domain, or of a file that belongs to none: its name, and its workloads."""

    name: str
    is_domain: bool
    watched: tuple[Watched, ...]

    def has(self, end: WorkloadState) -> bool:
        """Tell whether one of its workloads ended so."""
        return any(item.end == end for item in self.watched)

    @property
    def rows(self) -> tuple[WorkloadRow, ...]:
        """Return the workloads as a person reads of them."""
        return tuple(map(workload_row, self.watched))


_MEANT: Mapping[type, WorkloadState] = {
    RolloutFailed: "failed",
    RolloutBlocked: "failed",
    WorkloadsGone: "gone",
    RolloutTimedOut: "pending",
    RolloutUnseen: "unseen",
}
"""Which end of a workload an error is about: those are counted, whatever else is not ready beside them."""


def troubles_of(outcome: Outcome) -> tuple[Trouble, ...]:
    """Return what is not ready, what the error is about first; none where it is not about workloads."""
    rollout, meant = outcome.rollout, _MEANT.get(type(outcome.error))
    if rollout is None or meant is None:
        return ()
    found = _by_name(outcome, [item for item in rollout.watched if item.end not in SETTLED])
    return tuple(sorted(found, key=lambda trouble: not trouble.has(meant)))


def _by_name(outcome: Outcome, watched: Sequence[Watched]) -> tuple[Trouble, ...]:
    domains = {file.change.name: file.change.domain for file in outcome.files}
    found: dict[tuple[str, bool], list[Watched]] = {}
    for item in watched:
        domain = domains.get(item.workload.file_name, "")
        found.setdefault((domain or item.workload.title, bool(domain)), []).append(item)
    return tuple(Trouble(name, is_domain, tuple(found[name, is_domain])) for name, is_domain in sorted(found))


def trouble_title(outcome: Outcome) -> Text | None:
    """Return how many of how many are not ready, which, at which version and where; None for none.

    Of files that nobody could read back, no workload is known yet.
    """
    troubles, rollout, error = troubles_of(outcome), outcome.rollout, outcome.error
    if rollout is None or error is None:
        return None
    place = {"cluster": rollout.cluster_id, "namespace": rollout.namespace}
    if isinstance(error, RolloutUnseen) and rollout.unread:
        names = first_names(rollout.unread)
        return say("report.trouble_unread", count=len(rollout.unread), names=names, **place)
    if not troubles:
        return None
    meant = [trouble for trouble in troubles if trouble.has(_MEANT[type(error)])]
    everybody = _by_name(outcome, rollout.watched)
    versions = sorted({item.workload.version for trouble in meant for item in trouble.watched})
    put_off = isinstance(error, RolloutTimedOut) and error.put_off
    return say(
        "report.trouble_put_off" if put_off else f"report.trouble_{error.code}",
        subject=_unit(everybody, count=len(meant)),
        names=first_names([trouble.name for trouble in meant], most=MOST_HOSTS),
        versions=first_names(versions, most=MOST_HOSTS),
        seconds=error.fields.get("seconds"),
        **place,
    )


def trouble_lines(outcome: Outcome) -> list[Detail]:
    """Return a line for each that is not ready: why; and what to do, where that is not the same for all.

    A cause that was told already is "the same"; of more than a person reads, those of one cause share a line.
    """
    troubles = troubles_of(outcome)
    if len(troubles) > MOST_DETAILS:
        return grouped_lines(outcome)
    cured, told = _has_cures(troubles), set[str]()
    return [*(_line(trouble, with_cure=cured, told=told) for trouble in troubles), *_early_lines(outcome)]


def grouped_lines(outcome: Outcome) -> list[Detail]:
    """Return what is not ready in few lines, each name once: those alike in who serves them, and in why."""
    groups: dict[tuple[str, str], list[Trouble]] = {}
    for trouble, key, _ in _impacts(outcome):
        groups.setdefault((key, trouble.rows[0].reason), []).append(trouble)
    cured, told = _has_cures(troubles_of(outcome)), dict[str, str]()
    lines: list[Detail] = []
    for (key, reason), troubles in sorted(groups.items(), key=lambda group: _GROUPS.index(group[0][0])):
        first = troubles[0]
        why = _with_cure(first.rows[0].why, first, cured=cured)
        why = why if len(troubles) == 1 else say("report.shared_cause", why=why)
        why = say("report.cause_of", name=told[reason]) if reason in told else why
        told.setdefault(reason, first.name)
        for at in range(0, len(troubles), MOST_NAMES):
            names = [trouble.name for trouble in troubles[at : at + MOST_NAMES]]
            text = say(f"report.serve_{key}", names=names)
            if not at:
                text = say("report.two", first=text, second=why)
            lines.append(Told(text.key, text.fields, count=len(names)))
    return [*lines, *_early_lines(outcome)]


def others_ready_text(outcome: Outcome) -> Text | None:
    """Return how many are ready all the same, of a run that waited in vain; None for none."""
    rollout, troubles = outcome.rollout, troubles_of(outcome)
    if rollout is None or not troubles:
        return None
    everybody = _by_name(outcome, rollout.watched)
    count = len(everybody) - len(troubles)
    return say("report.others_ready", subject=_unit(everybody, count=count)) if count else None


def _unit(everybody: Sequence[Trouble], *, count: int) -> Text:
    """Return so many of them in their unit: domains, or workloads where some belong to no domain."""
    unit = "domains" if all(item.is_domain for item in everybody) else "workloads"
    return say(f"report.of_{unit}", count=count, total=len(everybody))


def _early_lines(outcome: Outcome) -> list[Detail]:
    told = outcome.error.details if outcome.error is not None else ()
    return list({str(line): line for line in told if _is_early(line)}.values())


def _has_cures(troubles: Sequence[Trouble]) -> bool:
    """Tell whether there is more than one cure: one for all is told once, below them."""
    return len(_cures(troubles)) > 1


def _is_early(line: Detail) -> bool:
    """Tell whether a line of an error names the field that ended a wait before the author's time was over."""
    return isinstance(line, Text) and line.key == "rollout.ended_before_timeout"


def _line(trouble: Trouble, *, with_cure: bool, told: set[str]) -> Text:
    """Return why one is not ready; `told` are the causes that were told before, whatever their image."""
    row = trouble.rows[0]
    image = row.why.fields.get("image")
    cause = str(Text(row.why.key, {**row.why.fields, "image": None}))
    if cause in told:
        same = say("report.the_same_of", image=image) if image else say("report.the_same")
        return say("report.workload_line", object=trouble.name, reason=same)
    told.add(cause)
    is_named = row.why.fields.get("object") == trouble.name
    line = row.why if is_named else say("report.workload_line", object=trouble.name, reason=row.why)
    return _with_cure(line, trouble, cured=with_cure)


def _with_cure(line: Text, trouble: Trouble, *, cured: bool) -> Text:
    cure = trouble.rows[0].cure
    if cure is None or not cured:
        return line
    return say("report.two", first=line, second=say("context.cure", value=cure))


def _cures(troubles: Iterable[Trouble]) -> list[Text]:
    """Return the cures of all causes, each once."""
    cures = [row.cure for trouble in troubles for row in trouble.rows if row.cure is not None]
    return list({str(cure): cure for cure in cures}.values())


def cure_of(outcome: Outcome) -> Text | None:
    """Return the one thing to do about a failed run, and that a Job which is over does not run again."""
    error, troubles = outcome.error, troubles_of(outcome)
    if error is None:
        return None
    cure = say("doctor.cure") if outcome.findings else _shared_cure(error, troubles)
    watched = [item for trouble in troubles for item in trouble.watched]
    jobs = [i.workload.title for i in watched if i.workload.kind == JOB and i.end == "failed"]
    if not jobs:
        return cure
    return say("report.two", first=cure, second=say("report.jobs_first", objects=first_names(jobs)))


def _shared_cure(error: StepError, troubles: Sequence[Trouble]) -> Text:
    """Return the cure that the causes share, and the error's own where that one does not say all."""
    cures = _cures(troubles)
    if len(cures) != 1:
        return error.cure()
    if cures[0].key == "rollout.replaced.cure" or isinstance(error, WorkloadsGone):
        return cures[0]
    is_over = isinstance(error, (RolloutFailed, RolloutBlocked))
    return say("report.two", first=cures[0], second=say("report.then_again") if is_over else error.cure())


# --- who serves -----------------------------------------------------------------------------------------


def impact_texts(outcome: Outcome) -> list[Text]:
    """Return whether what is not ready is served meanwhile, by old pods or new ones, and how many.

    Nothing where `trouble_lines` has told it, with the names.
    """
    groups: dict[str, list[Detail]] = {}
    found = list(_impacts(outcome))
    for _, key, text in found if len(found) <= MOST_DETAILS else ():
        groups.setdefault(key, []).append(text)
    return [say(f"report.serve_{key}", names=groups[key]) for key in _GROUPS[:-1] if key in groups]


def _impacts(outcome: Outcome) -> Iterator[tuple[Trouble, str, Detail]]:
    """Yield what is not ready with the group it belongs to by who serves it, and its name with numbers."""
    rollout = outcome.rollout
    if rollout is None:
        return
    way = rollout.restoration
    latest = {item.workload.title: item for item in (way.watched if way is not None else ())}
    vanished = {name for name, versions in (way.runs if way is not None else ()) if not versions}
    before = {item.file: item.version for item in rollout.before if item.ready}  # else it may serve nobody
    for trouble in troubles_of(outcome):
        now = [latest.get(item.workload.title, item) for item in trouble.watched]
        is_back = any(item.workload.title in latest for item in trouble.watched)
        if any(item.workload.file_name in vanished for item in now):
            yield trouble, "unknown", trouble.name
        else:
            yield (trouble, *_served(trouble, now, before=before, is_back=is_back))


_GROUPS = ("none_web", "none", "unknown", "old", "some", "again", "nobody")
"""In the order in which somebody has to hear of them; a Job serves nobody, so there is no impact."""


def _served(
    trouble: Trouble, now: Sequence[Watched], *, before: Mapping[str, str], is_back: bool
) -> tuple[str, Detail]:
    """Return in which group a name belongs by who serves it, and the name with its numbers."""
    known = [item.status for item in now if item.status is not None and item.end != "unseen"]
    # The pods of one that is gone go with it, unless somebody has told the cluster otherwise.
    gone = (item.status for item in now if item.end == "gone")
    if len(known) < len(now) or any(status and status.serving is not None for status in gone):
        return "unknown", trouble.name
    counted = [status for status in known if status.serving is not None]
    serving, wanted = sum(status.serving or 0 for status in counted), sum(status.wanted for status in counted)
    if not counted:
        return "nobody", trouble.name
    if not serving:
        return "none_web" if trouble.is_domain else "none", trouble.name
    if all(item.end in DONE for item in now):
        return "again", trouble.name
    numbers = say("report.serves", name=trouble.name, count=serving, wanted=wanted)
    is_anothers = any(item.is_of_others for item in now)
    if is_back or is_anothers or not all(status.old and not status.done for status in counted):
        return "some", numbers
    named = {before.get(item.workload.file_name, item.workload.version) for item in now}
    versions = named - {item.workload.version for item in now}  # that of a rewritten one names both
    return "old", say("report.serves_at", text=numbers, versions=sorted(versions)) if versions else numbers


# --- evidence -------------------------------------------------------------------------------------------


def evidence_of_troubles(outcome: Outcome) -> list[Text]:
    """Return what the cluster says of what is not ready: where each workload stands, its pods, its words."""
    return [line for t in troubles_of(outcome) for row in t.rows for line in (*row.stands, *row.evidence)]
