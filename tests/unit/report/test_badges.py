"""The marks of a page: which colour and symbol each result, state, word, sign and finding has."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import get_args

from tests.support import rollout_scenes, scenes

from bcs_template_set.manifests.kind_rules import WorkloadState
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import InputsInvalid
from bcs_template_set.messages.state_words import Result
from bcs_template_set.publish.file_outcome import FileOutcome, WriteEnd
from bcs_template_set.publish.plan import ChangeKind
from bcs_template_set.report.examination import Finding, State
from bcs_template_set.report.file_states import STATES
from bcs_template_set.report.html import render_html
from bcs_template_set.report.outcome import Outcome
from bcs_template_set.report.rows import WORDS
from bcs_template_set.rollout.live_state import FileVersion
from bcs_template_set.rollout.result import Restoration, Rollout
from bcs_template_set.rollout.watched import Watched

_BADGE = re.compile(
    r'<span class="word ([\w-]+)"><span aria-hidden="true">([^<]*)</span> ([a-z][\w -]*)</span>'
)
_VERDICT = re.compile(r'<div class="verdict (\w+)">\n<div class="lead"><span class="mark"[^>]*>([^<]*)<')
_SIGN = re.compile(r'<g class="box (\w+)">.*?<text class="sign"[^>]*>([^<]*)</text>')
_LEGEND = re.compile(r'<span class="sign (\w+)"><b aria-hidden="true">([^<]*)</b>')
_FINDING = re.compile(r'<span class="word (\w+)">(.) ')


def published() -> Outcome:
    """A run of which each file ended otherwise, before anything was deployed."""
    ends: dict[str, tuple[ChangeKind, WriteEnd]] = {
        "created": ("create", "applied"),
        "updated": ("update", "applied"),
        "failed": ("update", "failed"),
        "left": ("update", "not-attempted"),
        "skipped": ("skip", "skipped"),
        "back": ("rollback", "not-attempted"),
        "in conflict": ("conflict", "not-attempted"),
        "unchanged": ("unchanged", "unchanged"),
    }
    files = [
        FileOutcome(scenes.change(name, action=action, writes_version=action in ("create", "update")), state)
        for name, (action, state) in ends.items()
    ]
    plan = scenes.plan_of(*(file.change for file in files))
    return replace(scenes.outcome_of(plan), files=tuple(files))


def deployed() -> Outcome:
    """A run of which each file ended otherwise in the cluster."""
    waits: dict[str, WorkloadState] = {
        "failed": "failed",
        "gone": "gone",
        "unseen": "unseen",
        "pending": "pending",
        "paused": "paused",
        "ready": "ready",
        "nothing": "nothing",
    }

    def wait(name: str, end: WorkloadState, *, was_live: bool = False) -> Watched:
        item = rollout_scenes.watched(name, end)
        return replace(item, workload=replace(item.workload, file=f"web/{name}", was_live=was_live))

    others = ("lost", "back", "half", "held", "left", "live", "unwatched", "not deployed")
    changes = [scenes.change(name, writes_version=True) for name in (*waits, *others)]
    live = {name: FileVersion(name, "v", scenes.VERSION) for name in (*waits, *others)}
    rollout = Rollout(
        rollout_scenes.CLUSTER,
        rollout_scenes.NAMESPACE,
        deployed=tuple(live[name] for name in (*waits, "back", "unwatched")),
        partly=(live["half"],),
        held=("held",),
        not_attempted=("left",),
        live_already=(live["live"], live["lost"]),
        watched=(*(wait(name, end) for name, end in waits.items()), wait("lost", "failed", was_live=True)),
        restoration=Restoration(files=(live["back"],)),
    )
    return replace(
        rollout_scenes.outcome_of(rollout),
        plan=scenes.plan_of(*changes),
        files=tuple(map(scenes.applied, changes)),
        result="failed",
        error=InputsInvalid(),
    )


def badges() -> Iterator[str]:
    """Each mark that these pages have, with the colour it stands in and what it is called."""
    for run in (published(), replace(published(), files=()), deployed()):
        for mood, symbol, name in _BADGE.findall(render_html(run)):
            yield f"{name}: {mood} {symbol}"


def test_every_state_and_word_has_its_colour_and_symbol(golden: Callable[[str, str], None]) -> None:
    found = sorted(set(badges()))
    golden("report/badges.txt", "\n".join([*found, ""]))
    named = {line.partition(":")[0] for line in found}
    assert {*STATES} - {"pruned", "planned"} <= named, "what is pruned is no row, and a plan shows words"
    assert {*WORDS} <= named


def test_every_result_has_its_colour_and_symbol() -> None:
    pages = {
        result: render_html(replace(scenes.no_permission(), result=result)) for result in get_args(Result)
    }
    assert {result: _VERDICT.findall(page) for result, page in pages.items()} == {
        "planned": [("calm", "○")],
        "checked": [("good", "✓")],
        "unchanged": [("calm", "=")],
        "published": [("good", "✓")],
        "deployed": [("good", "✓")],
        "rolled-back": [("good", "↩")],
        "paused": [("good", "‖")],
        "skipped": [("calm", "»")],
        "failed": [("bad", "✗")],
        "timed-out": [("bad", "…")],
        "unseen": [("bad", "?")],
        "restored": [("bad", "↩")],
    }
    for result, page in pages.items():
        assert f"<title>{_VERDICT.findall(page)[0][1]} " in page, result


def test_every_finding_has_its_colour_and_symbol() -> None:
    states: dict[State, tuple[str, str]] = {
        "ok": ("good", "✓"),
        "failed": ("bad", "✗"),
        "skipped": ("calm", "–"),
        "unknown": ("warn", "!"),
    }
    findings = tuple(Finding("user", state, say("doctor.named", name=state)) for state in states)
    page = render_html(replace(scenes.no_permission(), findings=findings))
    assert _FINDING.findall(page) == list(states.values())
    assert all(f'<td role="cell">{state}</td>' in page for state in states)


def test_every_sign_of_the_picture_is_named_in_its_legend() -> None:
    deployment, routes = rollout_scenes.with_content(scenes.updated("b.example.com"))
    goes = scenes.change("x.yaml", routes_removed=(("old.example.com", "/"),))
    new = rollout_scenes.with_content(scenes.created("a.example.com"))
    failed = rollout_scenes.image_not_found().outcome
    plan = scenes.plan_of(deployment, routes, *new, goes)
    page = render_html(replace(failed, plan=plan, files=tuple(map(scenes.ended, plan.changes))))
    signs = {"new": "+", "changed": "~", "goes": "−", "stays": "", "failed": "✗"}
    assert dict(_SIGN.findall(page)) == signs
    assert _LEGEND.findall(page) == [(name, sign) for name, sign in signs.items() if sign]
