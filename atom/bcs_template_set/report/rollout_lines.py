"""A deployment as lines of the log. Pure: returns lines, prints none."""

from __future__ import annotations

from bcs_template_set.messages import Language, Text, say
from bcs_template_set.report.log_lines import Kind, LogLine
from bcs_template_set.report.plain_text import one_line, text_lines
from bcs_template_set.rollout.deployment_plan import DeploymentPlan
from bcs_template_set.rollout.watched import Watched

DIFF_LINES = 400


def deployment_lines(plan: DeploymentPlan, *, language: Language) -> list[LogLine]:
    """Return what is deployed and what is live already, and what that changes of the live objects."""
    counts = say("deploy.counts", deploy=len(plan.deploy), live=len(plan.live_already))
    lines = [_line("info", counts, language)]
    lines += [
        _line("plain", say("deploy.file", name=file.name, version=file.version), language)
        for file in plan.deploy
    ]
    if plan.differences:
        lines.append(_line("plain", say("deploy.difference", count=len(plan.differences)), language))
        lines.append(LogLine("foreign", _cut([d for _, d in plan.differences], language)))
    return [*lines, *(_line("warning", note, language) for note in plan.notes)]


def watched_line(watched: Watched, *, language: Language) -> LogLine:
    """Return the one line for a change of a workload: how long it took, where it stands, what troubles it."""
    sentence = watched.status.sentence if watched.status is not None else say("deploy.never_seen")
    text: Text = say(
        "deploy.progress", seconds=round(watched.seconds), object=watched.workload.title, sentence=sentence
    )
    if watched.cause is not None and watched.end in ("failed", "pending"):
        text = say("deploy.because", line=text, cause=watched.cause.sentence)
    return _line("warning" if watched.end == "failed" else "plain", text, language)


def _line(kind: Kind, text: Text, language: Language) -> LogLine:
    return LogLine(kind, one_line(text.render(language)))


def _cut(differences: list[str], language: Language) -> str:
    lines = [line for difference in differences for line in text_lines(difference)]
    if len(lines) <= DIFF_LINES:
        return "\n".join(lines)
    more = say("deploy.more_lines", count=len(lines) - DIFF_LINES).render(language)
    return "\n".join([*lines[:DIFF_LINES], more])
