"""A deployment as lines of the log. Pure: returns lines, prints none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bcs_template_set.messages import Language, Text, say
from bcs_template_set.messages.step_error import first_names
from bcs_template_set.messages.text import text_lines
from bcs_template_set.report.log_lines import Lines, LogLine
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
    out = Lines(language)
    if plan.deploy:
        live = len(holding(plan.live_already))
        out.add("info", say("deploy.counts", deploy=len(plan.deploy), live=live))
        for file in plan.deploy:
            out.add("plain", say("deploy.file", name=file.name, version=file.version))
        if plan.differences:
            out.add("plain", say("deploy.difference", count=len(plan.differences)))
            out.foreign([_cut(plan.differences, language)])
        out.lines += kept_line(plan.kept, language=language)
    else:
        out.add("info", say("deploy.nothing_but_held" if plan.held else "deploy.nothing_to_deploy"))
    for note in (*plan.pods, *plan.notes):
        out.add("warning", note)
    return out.lines


def kept_line(kept: Sequence[str], *, language: Language) -> list[LogLine]:
    """Return the line that names the workloads whose number of pods stays, none where there is none."""
    out = Lines(language)
    if kept:
        out.add("info", say("deploy.pods_kept", objects=first_names(kept, most=LOG_PENDING)))
    return out.lines


def watched_lines(watched: Watched, *, language: Language, link: Link = no_link) -> list[LogLine]:
    """Return the line for a change of a workload, none where it tells nobody anything.

    It says how long it took, where the workload stands, and what troubles it. Of one that is given up, or
    waits for a person, another says where the console shows it.
    """
    status, out = watched.status, Lines(language)
    is_early = watched.end == "pending" and watched.cause is None and watched.seconds < QUIET_SECONDS
    if is_early and status is not None and status.sentence.key in _NO_NEWS_YET:
        return []
    row = workload_row(watched, link=link)
    key = "log.given_up" if row.state == "failed" else "deploy.progress"
    text: Text = say(key, seconds=round(row.seconds), object=row.title, sentence=row.sentence)
    for cause in row.causes:
        text = say("deploy.because", line=text, cause=cause)
    out.add("warning" if row.state in ("failed", "gone") else "plain", text)
    if row.state in ("failed", "paused") and row.url:
        out.add("plain", say("log.look_at", object=row.title, url=row.pod_url or row.url))
    return out.lines


def heartbeat_line(pending: Sequence[Watched], *, seconds: float, language: Language) -> LogLine:
    """Return the line that says, after so many seconds of waiting, for what the wait goes on."""
    names, out = first_names([_pending(watched) for watched in pending], most=LOG_PENDING), Lines(language)
    out.add("plain", say("log.heartbeat", seconds=round(seconds), count=len(pending), names=names))
    return out.lines[0]


def _pending(watched: Watched) -> Text:
    status = watched.status
    if status is None:
        return say("log.pending_unseen", object=watched.workload.title)
    return say("log.pending", object=watched.workload.title, done=status.done, wanted=status.wanted)


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
