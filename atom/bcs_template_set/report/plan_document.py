"""A run's plan as the JSON of the output `plan`; docs/reference/plan.schema.json says what it holds. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Optional

from bcs_template_set.agent.agent_files import JsonValue
from bcs_template_set.manifests.route_changes import told_change
from bcs_template_set.messages import Language, Text
from bcs_template_set.messages.text import one_line
from bcs_template_set.publish.plan import Change, Plan
from bcs_template_set.report.outcome import Outcome
from bcs_template_set.report.rows import rows_of_plan

SCHEMA_ID = "urn:bcs-template-set:plan:1"
"""The `$id` of its schema; another number where what is in it changes its meaning."""


def plan_document(outcome: Outcome) -> Optional[dict[str, JsonValue]]:
    """Return the plan as far as a program may want it, None where there is none; secrets are in it still."""
    plan, language = outcome.plan, outcome.language
    if plan is None:
        return None
    obstacles = {
        "conflicts": plan.conflicts,
        "routes_taken": plan.taken,
        "routes_lost": plan.lost_routes,
        "newer_builds": plan.newer_builds,
    }
    return {
        "$schema": SCHEMA_ID,
        "digest": plan.digest,
        "version": plan.version,
        "writes": plan.writes,
        "acting_user": outcome.identity.acting_user if outcome.identity is not None else "",
        "target": {
            "region": plan.target.region,
            "project": plan.target.project,
            "template_space": plan.target.space,
            "template_set": plan.target.template_set,
        },
        "creates_space": plan.creates_space,
        "template_set": plan.chart,
        "domains": _domains(plan),
        "files": [_file(change, language) for change in plan.changes],
        "routes": [host + path for host, path in plan.routes],
        "findings": _lines(outcome.warnings, language),
        "notes": _lines(plan.notes, language),
        "left_behind": {"objects": list(plan.dropped), "files": list(plan.rendered_no_more)},
        "deletes": {
            "objects": [one.title for one in plan.pruning.objects] if plan.pruning.deletes else [],
            "files": [file.name for file in plan.pruning.files] if plan.pruning.deletes else [],
            "stays": _lines(plan.pruning.stays, language),
        },
        "obstacles": {name: _lines(texts, language) for name, texts in obstacles.items()},
    }


def _domains(plan: Plan) -> list[JsonValue]:
    return [
        {"host": row.name, "action": row.word, "files": [file.name for file in row.files]}
        for row in sorted(rows_of_plan(plan), key=lambda row: row.name)
        if row.is_domain
    ]


def _file(change: Change, language: Language) -> dict[str, JsonValue]:
    return {
        "name": change.name,
        "domain": change.domain,
        "action": change.action,
        "writes": change.writes,
        "version": change.version,
        "previous_version": change.previous.name if change.previous is not None else "",
        "images": [{"old": old, "new": new} for old, new in change.images],
        "routes_added": [host + path for host, path in change.routes_added],
        "routes_removed": [host + path for host, path in change.routes_removed],
        "routes_changed": [told_change(old, new) for old, new in change.routes_changed],
        "diff": change.diff,
        "only": one_line(change.only.render(language)) if change.only is not None else "",
        "notes": _lines(change.notes, language),
    }


def _lines(texts: Iterable[Text], language: Language) -> list[JsonValue]:
    return [one_line(text.render(language)) for text in texts]
