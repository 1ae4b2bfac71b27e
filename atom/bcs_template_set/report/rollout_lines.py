"""A deployment as lines of the log. Pure: returns lines, prints none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bcs_template_set.messages import Language, Text, say
from bcs_template_set.messages.step_error import first_names
from bcs_template_set.messages.text import one_line, text_lines
from bcs_template_set.report.log_lines import LineKind, LogLine
from bcs_template_set.report.shown_limits import LOG_LIVE_DIFF_LINES, LOG_PENDING
from bcs_template_set.report.workload_rows import Link, no_link, workload_row
from bcs_template_set.rollout.deployment_plan import DeploymentPlan
from bcs_template_set.rollout.live_state import holding
from bcs_template_set.rollout.watched import Watched

QUIET_SECONDS = 3.0
"""A cluster takes a moment to take note of a new spec: within it, that it has not is no news."""

_NO_NEWS_YET = frozenset({"rollout.no_status", "rollout.observing"})


def deployment_lines(plan: DeploymentPlan, *, language: Language) -> list[LogLine]:
    """Return what is deployed and what is live already, and what that changes of the live objects."""
    if not plan.deploy:
        lines = [
            _line(
                "info", say("deploy.nothing_but_held" if plan.held else "deploy.nothing_to_deploy"), language
            )
        ]
        return [*lines, *(_line("warning", note, language) for note in (*plan.pods, *plan.notes))]
    counts = say("deploy.counts", deploy=len(plan.deploy), live=len(holding(plan.live_already)))
    lines = [_line("info", counts, language)]
    lines += [
        _line("plain", say("deploy.file", name=file.name, version=file.version), language)
        for file in plan.deploy
    ]
    if plan.differences:
        lines.append(_line("plain", say("deploy.difference", count=len(plan.differences)), language))
        lines.append(LogLine("foreign", _cut(plan.differences, language)))
    lines += kept_line(plan.kept, language=language)
    return [*lines, *(_line("warning", note, language) for note in (*plan.pods, *plan.notes))]


def kept_line(kept: Sequence[str], *, language: Language) -> list[LogLine]:
    """Return the line that names the workloads whose number of pods stays, none where there is none."""
    named = say("deploy.pods_kept", objects=first_names(kept, most=LOG_PENDING))
    return [_line("info", named, language)] if kept else []


def watched_lines(watched: Watched, *, language: Language, link: Link = no_link) -> list[LogLine]:
    """Return the line for a change of a workload, none where it tells nobody anything.

    Of one that is given up, or waits for a person, another says where the console shows it.
    """
    status = watched.status
    is_early = watched.end == "pending" and watched.cause is None and watched.seconds < QUIET_SECONDS
    if is_early and status is not None and status.sentence.key in _NO_NEWS_YET:
        return []
    row, lines = workload_row(watched, link=link), [watched_line(watched, language=language)]
    if row.state in ("failed", "paused") and row.url:
        look = say("log.look_at", object=row.title, url=row.pod_url or row.url)
        lines.append(_line("plain", look, language))
    return lines


def watched_line(watched: Watched, *, language: Language) -> LogLine:
    """Return the one line for a change of a workload: how long it took, where it stands, what troubles it."""
    row = workload_row(watched)
    key = "log.given_up" if row.state == "failed" else "deploy.progress"
    text: Text = say(key, seconds=round(row.seconds), object=row.title, sentence=row.sentence)
    for cause in row.causes:
        text = say("deploy.because", line=text, cause=cause)
    return _line("warning" if row.state in ("failed", "gone") else "plain", text, language)


def heartbeat_line(pending: Sequence[Watched], *, seconds: float, language: Language) -> LogLine:
    """Return the line that says, after so many seconds of waiting, for what the wait goes on."""
    names = first_names([_pending(watched) for watched in pending], most=LOG_PENDING)
    return _line(
        "plain", say("log.heartbeat", seconds=round(seconds), count=len(pending), names=names), language
    )


def _pending(watched: Watched) -> Text:
    status = watched.status
    if status is None:
        return say("log.pending_unseen", object=watched.workload.title)
    return say("log.pending", object=watched.workload.title, done=status.done, wanted=status.wanted)


def _line(kind: LineKind, text: Text, language: Language) -> LogLine:
    return LogLine(kind, one_line(text.render(language)))


def _cut(differences: Sequence[tuple[str, str]], language: Language) -> str:
    """Return so many lines, and what the others hold; the first two of a difference are its titles."""
    shown: list[str] = []
    count, gone = 0, Counter[str]()
    for title, difference in differences:
        room = LOG_LIVE_DIFF_LINES - len(shown)
        shown += text_lines(difference, most=room)
        lines = difference.splitlines()
        count += max(len(lines) - room, 0)
        gone[title] += sum(line.startswith("-") for line in lines[max(room, 2) :])
    if not count:
        return "\n".join(shown)
    more = say("deploy.more_lines", count=count)
    if sum(gone.values()):
        names = first_names([title for title, lines in gone.items() if lines])
        more = say("deploy.more_lines_gone", text=more, count=sum(gone.values()), objects=names)
    return "\n".join([*shown, more.render(language)])
