"""How a run ended, as the last lines of its log. Pure: returns lines, prints none."""

from __future__ import annotations

from bcs_template_set.messages import say
from bcs_template_set.report.log_lines import Lines, LogLine, target_text, warning_lines
from bcs_template_set.report.outcome import Outcome
from bcs_template_set.report.rollout_story import (
    by_hand_texts,
    live_texts,
    pages_text,
    paused_texts,
    restoration_texts,
    waited_text,
)
from bcs_template_set.report.rollout_verdict import cure_of, evidence_of_troubles, impact_texts
from bcs_template_set.report.row_table import ending_table
from bcs_template_set.report.rows import has_acted, rows_of_outcome
from bcs_template_set.report.shown_limits import LOG_LINKS
from bcs_template_set.report.verdict import (
    after_texts,
    context_of,
    details_of,
    failures_of,
    further_obstacles,
    headline,
    how_to_carry_out,
    left_texts,
)
from bcs_template_set.report.workload_rows import rows_of_rollout


def verdict_lines(outcome: Outcome, *, report_path: str = "", at_desk: bool = False) -> list[LogLine]:
    """Return the last lines, to be shown outside any group: how each row ended, the verdict, what to do.

    `report_path` is where the HTML report was written, "" where there is none. `at_desk` a plan approves none
    of a pipeline: that has another number, and so another version's name. Its warnings stand right above.
    """
    out = Lines(outcome.language)
    acted = has_acted(outcome)
    rows = ending_table(rows_of_outcome(outcome), language=outcome.language) if acted else []
    out.plain(rows)
    if acted or outcome.error is not None or not at_desk:
        out.lines += warning_lines(outcome.warnings, language=outcome.language)
    if outcome.error is not None:
        _add_failure(out, outcome)
    else:
        out.add("info", headline(outcome))
        if outcome.to_publish is not None and not at_desk:
            out.add("plain", how_to_carry_out(outcome.to_publish, outcome))
        _add_success(out, outcome, names_files=not rows)
        _add_links(out, outcome)
    if report_path:
        out.add("plain", say("log.report", path=report_path))
    return out.lines


def _add_success(out: Lines, outcome: Outcome, *, names_files: bool) -> None:
    heading, plan = outcome.heading, outcome.plan
    if outcome.result == "skipped" and plan is not None:
        out.listed("plain", plan.newer_builds)
    _add_what_is_live(out, outcome, names_files=names_files)
    if has_acted(outcome):  # else the plan, right above, has said so
        for text in left_texts(outcome):
            out.add("warning", text)
    if outcome.chart == "created":
        out.add("plain", say("log.chart_created", name=heading.template_set, version=heading.version))
    if outcome.identity is not None:
        user = outcome.identity.acting_user
        out.add("plain", say("log.by_whom", user=user, target=target_text(heading)))


def _add_what_is_live(out: Lines, outcome: Outcome, *, names_files: bool) -> None:
    """Tell what a deployment came to; the files only where no table above names their domains."""
    rollout = outcome.rollout
    if outcome.result not in ("deployed", "rolled-back", "paused") or rollout is None:
        return
    for text in (*paused_texts(rollout), *(live_texts(rollout, outcome) if names_files else ())):
        out.add("plain", text)
    is_told = rollout.deployed or rollout.watched or not rollout.waited
    waited = waited_text(outcome) if is_told else None
    for line in [line for line in (waited, pages_text(rollout)) if line is not None]:
        out.add("plain", line)


def _add_failure(out: Lines, outcome: Outcome) -> None:
    """Tell what happened, what to do, who serves meanwhile, and who acted; evidence comes last."""
    out.add("error", headline(outcome))
    out.listed("error", details_of(outcome))
    out.listed("error", failures_of(outcome))
    further = further_obstacles(outcome)
    if further:
        out.add("error", say("report.further"))
        out.listed("error", further)
    out.add("warning", say("context.cure", value=cure_of(outcome)))
    for text in impact_texts(outcome):
        out.add("warning", text)
    for text in after_texts(outcome):
        out.add("plain", text)
    _add_way_back(out, outcome)
    by_hand = by_hand_texts(outcome)
    if by_hand:
        out.add("plain", say("report.by_hand_title"))
        out.listed("plain", by_hand)
    for fact in context_of(outcome):
        out.add("plain", fact, indent=2)
    _add_links(out, outcome)
    evidence = evidence_of_troubles(outcome)
    if evidence:
        with out.group(say("log.group_evidence", count=len(evidence))):
            out.listed("plain", evidence)


def _add_links(out: Lines, outcome: Outcome) -> None:
    """Tell where the console shows the folder, and what is not ready: of a workload, the pod in its way."""
    troubled = [row for row in rows_of_rollout(outcome) if row.url and not row.is_settled]
    for row in troubled[:LOG_LINKS]:
        out.add("plain", say("log.look_at", object=row.title, url=row.pod_url or row.url))
    if outcome.heading.console.space_url:
        out.add("plain", say("log.look", url=outcome.heading.console.space_url))


def _add_way_back(out: Lines, outcome: Outcome) -> None:
    """Tell the second half of a run that restored: it does not belong into the list of what failed."""
    way = outcome.rollout.restoration if outcome.rollout is not None else None
    if way is None:
        return
    out.add("info" if way.is_whole else "warning", say("report.restore_title"))
    out.listed("plain", restoration_texts(way, outcome.files))
