"""A run as one self-contained HTML page. Pure, but for reading its own template.

Every value goes through one door (`_shown`), which renders sentences and makes unseen characters visible;
Jinja2 escapes them. Nothing is fetched from anywhere, and the page's content security policy says so.
"""

from __future__ import annotations

import base64
import hashlib
from importlib import resources

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from bcs_template_set.messages import Language, Text, say
from bcs_template_set.moments import shown_time
from bcs_template_set.outcome import Outcome
from bcs_template_set.report.page import (
    bars_of,
    diffs_of,
    haystack,
    only_web,
    request_groups,
    routes_of,
    shown_requests,
    was_refused,
)
from bcs_template_set.report.plain_text import visible
from bcs_template_set.report.rows import Word, image_change, rows_of_outcome
from bcs_template_set.report.verdict import (
    context_of,
    counts_of,
    details_of,
    failures_of,
    file_error,
    further_obstacles,
    headline,
    listed,
    name_of,
    written_text,
)

_SYMBOLS: dict[Word, str] = {
    "create": "+",
    "update": "~",
    "unchanged": "=",
    "conflict": "!",
    "skip": "»",
    "failed": "✗",
}
_MOODS = {
    "planned": ("calm", "○"),
    "unchanged": ("calm", "="),
    "skipped": ("calm", "»"),
    "published": ("good", "✓"),
    "deployed": ("good", "✓"),
    "restored": ("bad", "↩"),
    "timed-out": ("bad", "…"),
    "failed": ("bad", "✗"),
}
_LANG = {"zh_CN": "zh-CN", "en_US": "en"}
_OPEN_ROUTES = 30
"""So many routes are shown unfolded."""


def render_html(outcome: Outcome) -> str:
    """Return the whole page."""
    source = resources.files(__package__).joinpath("report.html.j2").read_text(encoding="utf-8")
    return _environment(outcome.language).from_string(source).render(_values(outcome))


def _environment(language: Language) -> Environment:
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: _shown(value, language),
    )
    environment.globals.update(
        t=_sentence,
        image_change=image_change,
        file_error=file_error,
        haystack=haystack,
        was_refused=was_refused,
        only_web=only_web,
        symbols=_SYMBOLS,
    )
    environment.filters.update(policy_hash=_policy_hash, moment=shown_time)
    return environment


def _sentence(name: str, /, **fields: object) -> Text:
    return say(f"report.{name}", **fields)


def _shown(value: object, language: Language) -> object:
    if isinstance(value, Text):
        return visible(value.render(language))
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible(value)
    return value


def _policy_hash(text: str) -> str:
    """Return the source expression with which a policy allows exactly this inline style or script."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return "'sha256-" + base64.b64encode(digest).decode("ascii") + "'"


def _values(outcome: Outcome) -> dict[str, object]:
    mood, symbol = _MOODS[outcome.result]
    return {
        "lang": _LANG[outcome.language],
        "outcome": outcome,
        "heading": outcome.heading,
        "plan": outcome.plan,
        "mood": mood,
        "symbol": symbol,
        "headline": headline(outcome),
        **_failure_values(outcome),
        **_identity_values(outcome),
        **_row_values(outcome),
        "bars": bars_of(outcome.phases),
        "request_groups": request_groups(outcome.requests),
        "requests": shown_requests(outcome.requests),
    }


def _failure_values(outcome: Outcome) -> dict[str, object]:
    error = outcome.error
    return {
        "error": error,
        "details": [*details_of(error), *listed(failures_of(outcome))] if error is not None else [],
        "further": listed(further_obstacles(outcome)),
        "written": written_text(outcome),
        "facts": context_of(outcome),
    }


def _identity_values(outcome: Outcome) -> dict[str, object]:
    return {
        "identity": outcome.identity,
        "who": name_of(outcome.identity) if outcome.identity is not None else "",
        "creators": sorted({file.creator for file in outcome.files if file.creator}),
    }


def _row_values(outcome: Outcome) -> dict[str, object]:
    rows = rows_of_outcome(outcome)
    routes = routes_of(outcome)
    return {
        "counts": counts_of(outcome),
        "changed_rows": [row for row in rows if row.word != "unchanged"],
        "unchanged_rows": [row for row in rows if row.word == "unchanged"],
        "diffs": diffs_of(rows),
        "routes": routes,
        "fold_routes": len(routes) > _OPEN_ROUTES,
    }
