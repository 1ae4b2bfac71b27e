"""A run as one self-contained HTML page. Pure, but for reading its own templates.

Every value goes through one door (`_shown`), which renders sentences and makes unseen characters visible;
Jinja2 escapes them. Nothing is fetched from anywhere, and the page's content security policy says so.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pkgutil import get_data

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from bcs_template_set.branches.branch_rows import age_text
from bcs_template_set.manifests.kind_rules import DONE
from bcs_template_set.messages import Language, Text, say
from bcs_template_set.messages.state_words import FileState
from bcs_template_set.messages.step_error import indent_of
from bcs_template_set.messages.text import exact_time, shown_time, visible
from bcs_template_set.publish.file_outcome import Word
from bcs_template_set.report.examination import MARKS, State, told_of
from bcs_template_set.report.file_states import STATES
from bcs_template_set.report.outcome import Outcome
from bcs_template_set.report.page import (
    bars_of,
    diffs_of,
    file_urls,
    only_web,
    request_groups,
    routes_of,
    shown_requests,
    workload_bars,
)
from bcs_template_set.report.picture import Picture, picture_of
from bcs_template_set.report.rollout_story import (
    by_hand_texts,
    deployed_texts,
    live_texts,
    pages_text,
    paused_texts,
    restoration_texts,
    waited_text,
)
from bcs_template_set.report.rollout_verdict import cure_of, impact_texts, others_ready_text
from bcs_template_set.report.row_table import took_text
from bcs_template_set.report.rows import (
    Row,
    count_words,
    counted,
    file_rows,
    has_acted,
    image_change,
    rows_of_outcome,
)
from bcs_template_set.report.shown_limits import (
    PAGE_IN_CELL,
    PAGE_OPEN_READY,
    PAGE_ROWS,
    PAGE_VALUE,
)
from bcs_template_set.report.topology import FEW_LANES, Sign, topology_of
from bcs_template_set.report.verdict import (
    context_of,
    details_of,
    failures_of,
    file_error,
    further_obstacles,
    headline,
    leaves_of,
    listed,
    unlisted,
    written_text,
)
from bcs_template_set.report.workload_rows import SYMBOLS, rows_of_restoration, rows_of_rollout
from bcs_template_set.rollout.result import Rollout

_SYMBOLS: dict[Word, str] = {
    "create": "+",
    "update": "~",
    "unchanged": "=",
    "conflict": "!",
    "skip": "»",
    "rollback": "↩",
    "failed": "✗",
}
_MOODS = {
    "planned": ("calm", "○"),
    "checked": ("good", "✓"),
    "unchanged": ("calm", "="),
    "skipped": ("calm", "»"),
    "published": ("good", "✓"),
    "deployed": ("good", "✓"),
    "rolled-back": ("good", "↩"),
    "paused": ("good", "‖"),
    "restored": ("bad", "↩"),
    "timed-out": ("bad", "…"),
    "unseen": ("bad", "?"),
    "failed": ("bad", "✗"),
}
_MOODS_OF_STATES: dict[FileState, tuple[str, str]] = {
    "failed": ("bad", "✗"),
    "partly-deployed": ("bad", "◐"),
    "unknown": ("bad", "?"),
    "live-not-ready": ("bad", "✗"),
    "rolling-out": ("warn", "…"),
    "not-deployed": ("warn", "»"),
    "not-attempted": ("warn", "»"),
    "restored": ("warn", "↩"),
    "paused": ("warn", "‖"),
    "held": ("warn", "↩"),
    "skipped": ("calm", "»"),
    "ready": ("good", "✓"),
    "deployed": ("good", "✓"),
    "published": ("good", "✓"),
    "planned": ("calm", "○"),
    "live": ("calm", "="),
    "unchanged": ("calm", "="),
}
_GROUPS = ("failed", "changed", "ready", "unchanged")
_MOODS_OF_FINDINGS: dict[State, str] = {"ok": "good", "failed": "bad", "skipped": "calm", "unknown": "warn"}
_SIGNS: dict[Sign, str] = {"+": "+", "~": "~", "-": "−", "=": "", "!": "✗"}
_SIGN_NAMES: dict[Sign, str] = {"+": "new", "~": "changed", "-": "goes", "=": "stays", "!": "failed"}
_LANG = {"zh_CN": "zh-CN", "en_US": "en"}


def render_html(outcome: Outcome) -> str:
    """Return the whole page."""
    return _environment(outcome.language).get_template("report.html.j2").render(_values(outcome))


def _template(name: str) -> str:
    return (get_data(__package__, name) or b"").decode()


@cache
def _environment(language: Language) -> Environment:
    environment = Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        finalize=lambda value: _shown(value, language),
    )
    environment.globals.update(
        t=_sentence,
        image_change=image_change,
        file_error=file_error,
        only_web=only_web,
        symbols=_SYMBOLS,
        states=SYMBOLS,
        done=DONE,
        moods=_MOODS_OF_STATES,
        took=took_text,
        age=age_text,
        listed=listed,
        most_rows=PAGE_ROWS,
        most_in_cell=PAGE_IN_CELL,
        signs=_SIGNS,
        few_lanes=FEW_LANES,
        sign_names=_SIGN_NAMES,
    )
    environment.filters.update(policy_hash=_policy_hash, moment=shown_time, time=_time)
    return environment


def _sentence(name: str, /, **fields: object) -> Text:
    return say(f"report.{name}", **fields)


def _shown(value: object, language: Language) -> object:
    if isinstance(value, Text):
        return visible(_cut(value.render(language)), keep_line_feeds=True)
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible(_cut(value), keep_line_feeds=True)
    return value


def _cut(text: str) -> str:
    """Return the text, or its beginning and end where it is longer than anybody reads."""
    half = PAGE_VALUE // 2
    return text if len(text) <= PAGE_VALUE else f"{text[:half]} … {text[-half:]}"


def _policy_hash(text: str) -> str:
    """Return the source expression with which a policy allows exactly this inline style or script."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return "'sha256-" + base64.b64encode(digest).decode("ascii") + "'"


def _time(seconds: float) -> Markup:
    """Return a moment as an element, beside which the script writes the reader's own time."""
    return Markup('<time datetime="{}">{}</time>').format(exact_time(seconds), shown_time(seconds))


def _values(outcome: Outcome) -> dict[str, object]:
    mood, symbol = _MOODS[outcome.result]
    return {
        "lang": _LANG[outcome.language],
        "outcome": outcome,
        "heading": outcome.heading,
        "plan": outcome.plan,
        "leaves": leaves_of(outcome),
        "mood": mood,
        "symbol": symbol,
        "headline": headline(outcome),
        **_failure_values(outcome),
        **_identity_values(outcome),
        **_row_values(outcome),
        **_rollout_values(outcome),
        "findings": [
            (
                _MOODS_OF_FINDINGS[finding.state],
                MARKS[finding.state],
                finding.name,
                told_of(finding, outcome.language),
            )
            for finding in outcome.findings
        ],
        "file_urls": file_urls(outcome),
        "drawing": _drawing(outcome),
        "bars": bars_of(outcome.phases),
        "started_at": min((phase.started_at for phase in outcome.phases), default=None),
        "request_groups": request_groups(outcome.requests),
        "requests": shown_requests(outcome.requests),
    }


def _failure_values(outcome: Outcome) -> dict[str, object]:
    return {
        **_detail_values(outcome),
        "further": listed(further_obstacles(outcome)),
        "impact": impact_texts(outcome),
        "written": [text for text in (others_ready_text(outcome), written_text(outcome)) if text is not None],
        "cure": cure_of(outcome),
        "facts": context_of(outcome),
    }


def _detail_values(outcome: Outcome) -> dict[str, object]:
    """Return what an error tells of, as deep as each line stands; what is too much for a look is folded."""
    details = details_of(outcome)
    first, more = (*listed(details), *listed(failures_of(outcome))), unlisted(details)[:PAGE_ROWS]
    return {
        "details": [(len(indent_of(line)), line) for line in first],
        "more_details": [(len(indent_of(line)), line) for line in more],
    }


def _identity_values(outcome: Outcome) -> dict[str, object]:
    return {
        "identity": outcome.identity,
        "who": outcome.identity.acting_user if outcome.identity is not None else "",
        "creators": sorted({file.creator for file in outcome.files if file.creator}),
    }


def _row_values(outcome: Outcome) -> dict[str, object]:
    rows = rows_of_outcome(outcome)
    shows_endings = has_acted(outcome)
    return {
        "rows": rows,
        "shows_endings": shows_endings,
        "state_counts": _state_counts(rows),
        "row_words": count_words(row.word for row in rows),
        **_grouped(rows),
        "opens_ready": lambda ready: outcome.error is None and len(ready) <= PAGE_OPEN_READY,
        "diffs": dict(diffs_of((change.name, change.diff) for row in rows for change in row.differing)),
        "routes": routes_of(outcome),
    }


def _grouped(rows: Sequence[Row]) -> dict[str, object]:
    """Return the rows in the order they are read: what failed, what changes, and what may be folded."""
    groups = {f"{name}_rows": [row for row in rows if _group(row) == name] for name in _GROUPS}
    return {
        **groups,
        "ready_counts": _state_counts(groups["ready_rows"]),
        "unchanged_counts": counted(groups["unchanged_rows"]),
    }


def _group(row: Row) -> str:
    mood = _MOODS_OF_STATES[row.ending.state][0]
    if mood == "bad":
        return "failed"
    return "unchanged" if row.is_quiet else "ready" if mood == "good" else "changed"


def _state_counts(rows: Sequence[Row]) -> dict[FileState, int]:
    """Return how many rows ended in each state; those that need eyes come first."""
    by_state = Counter(row.ending.state for row in rows)
    return {state: by_state[state] for state in STATES if by_state[state]}


def _rollout_values(outcome: Outcome) -> dict[str, object]:
    """Return what the page tells of a deployment; all of it empty where there was none."""
    rollout = outcome.rollout or Rollout(cluster_id="", namespace="")
    way = rollout.restoration
    return {
        "rollout": outcome.rollout,
        "deployed_texts": deployed_texts(outcome),
        "live_texts": [*paused_texts(rollout), *live_texts(rollout, outcome)]
        if outcome.error is None
        else [],
        "waited": waited_text(outcome),
        "pages": pages_text(rollout),
        "workload_rows": rows_of_rollout(outcome),
        "workload_bars": workload_bars(rollout.watched),
        "restoration": way,
        "restoration_texts": restoration_texts(way, outcome.files) if way is not None else [],
        "restored_rows": rows_of_restoration(outcome),
        "by_hand": by_hand_texts(outcome),
        "versions_before": {item.file: item.version for item in rollout.before},
        "live_diffs": diffs_of(rollout.differences),
    }


def _drawing(outcome: Outcome) -> Picture | None:
    """Return the picture of what the run's files serve, None where they serve nothing."""
    failed = {row.title for row in rows_of_rollout(outcome) if not row.is_settled}
    topology = topology_of([file.change for file in file_rows(outcome)], failed=failed)
    return picture_of(topology) if topology.domains else None
