"""The verdict of a run as sentences: what happened, and what to do. Pure: performs no I/O.

Log, output.json and HTML page all begin or end with these same sentences.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal, Optional

from bcs_template_set.messages import Text, known, say
from bcs_template_set.messages.errors import Interrupted
from bcs_template_set.messages.server_errors import OutcomeUnknown, OutOfTime
from bcs_template_set.messages.step_error import Detail, StepError, count_of, first_names, stays
from bcs_template_set.publish.plan import Plan
from bcs_template_set.publish.pruning import Pruning, ways_back
from bcs_template_set.publish.take_away import Taken
from bcs_template_set.report.examination import mistakes_of, summary_of
from bcs_template_set.report.outcome import Outcome
from bcs_template_set.report.rollout_story import deployed_headline, deployed_texts, paused_headline
from bcs_template_set.report.rollout_verdict import others_ready_text, trouble_lines, trouble_title
from bcs_template_set.report.rows import counted, rows_of_outcome, told_files, was_attempted
from bcs_template_set.report.shown_limits import MOST_DETAILS

_IDENTITY_MATTERS = ("8002", "8004", "8005", "8006")
_PLATFORM_FAULTS = ("8005", "8006")
_FAILURES = {"timed-out": "timed_out", "restored": "failed_restored", "unseen": "unseen"}
_IDS = ("request", "request_id", "gateway_request_id", "gateway_code")


def headline(outcome: Outcome) -> Text:
    """Return the sentence that says how the run ended, and what of that was not seen."""
    unseen = [file.change.name for file in outcome.files if not file.verified]
    ending = _headline(outcome)
    return say("report.with_unverified", ending=ending, names=first_names(unseen)) if unseen else ending


def _headline(outcome: Outcome) -> Text:
    summary = summary_of(outcome.findings)
    if outcome.error is not None:
        title = summary if outcome.findings else trouble_title(outcome) or outcome.error.title()
        key = _FAILURES.get(outcome.result, "failed")
        return say(f"report.verdict_{key}", code=outcome.error.code, title=title)
    if outcome.result in ("deployed", "rolled-back") and outcome.rollout is not None:
        return deployed_headline(outcome.rollout, outcome)
    if outcome.result == "paused" and outcome.rollout is not None:
        return paused_headline(outcome.rollout, outcome)
    rows = rows_of_outcome(outcome)
    return say(
        f"report.verdict_{_ending(outcome)}",
        version=outcome.heading.version,
        counts=counted(rows, is_planned=outcome.result == "planned"),
        files=told_files({file.name for row in rows for file in row.files}, rows),
        template_set=outcome.heading.template_set,
        summary=summary,
    )


def written_text(outcome: Outcome) -> Optional[Text]:
    """Return what a failed run has written all the same, or that it has written nothing."""
    if outcome.error is None:
        return None
    if not outcome.changed:
        return say("report.wrote_nothing")
    done = sum(file.state == "applied" for file in outcome.files)
    if not done:
        return say(f"report.wrote_{_wrote_without_a_file(outcome)}")
    total = sum(file.change.writes for file in outcome.files)
    return say("report.wrote_all" if done == total else "report.wrote_some", done=done, total=total)


def _wrote_without_a_file(outcome: Outcome) -> str:
    """Say what was changed, or may have been, where no file was written to its end."""
    if outcome.rollout is not None:
        return "no_version"
    if any(file.version_id for file in outcome.files if file.state == "failed"):
        return "half"
    if isinstance(outcome.error, (Interrupted, OutOfTime)) and outcome.chart != "created":
        return "unknown"  # a write was under way, or what came of it was not looked at yet
    errors = (outcome.error, *(file.error for file in outcome.files))
    return "unknown" if any(isinstance(error, OutcomeUnknown) for error in errors) else "no_file"


def details_of(outcome: Outcome) -> Sequence[Detail]:
    """Return what there is to say below the headline: a line for each host, or the error's own details."""
    if outcome.error is None:
        return ()
    return mistakes_of(outcome.findings, outcome.language) or trouble_lines(outcome) or outcome.error.details


def after_texts(outcome: Outcome) -> list[Text]:
    """Return what a failed run leaves behind: what is ready, was written, deployed, and is there still."""
    first = [text for text in (others_ready_text(outcome), written_text(outcome)) if text is not None]
    return [*first, *deployed_texts(outcome), *left_texts(outcome)]


def left_texts(outcome: Outcome) -> list[Text]:
    """Return what the run leaves in the cluster, of what it planned; nothing where that was taken back."""
    stopped_early = outcome.error is not None and not outcome.changed
    if stopped_early or outcome.result in ("restored", "skipped"):
        return []
    return leaves_of(outcome)


def leaves_of(outcome: Outcome) -> list[Text]:
    """Return what was deleted or is to be, and what stays, of what a run planned."""
    if outcome.plan is None:
        return []
    if outcome.taken is not None:
        taken = outcome.taken
        return [*taken_texts(taken), *plan_leaves(outcome.plan, told=None), *back_texts(taken)]
    return plan_leaves(outcome.plan, told="deletes" if outcome.result == "planned" else "not_deleted")


def plan_leaves(plan: Plan, *, told: Told = "deletes") -> list[Text]:
    """Return what carrying out a plan leaves where it is, and deletes."""
    if plan.pruning.is_seen:
        return pruning_texts(plan.pruning, told=told)
    left = (("dropped", plan.dropped), ("rendered_no_more", plan.rendered_no_more))
    return [say(f"plan.{name}", names=first_names(names)) for name, names in left if names]


MOST_REASONS = 20
"""So many objects are told of one by one, with why they stay."""


Told = Optional[Literal["deletes", "not_deleted"]]
"""What is said of what was to go: that it will, that it stayed, or nothing: it is told elsewhere."""


def pruning_texts(pruning: Pruning, *, told: Told) -> list[Text]:
    """Return what is deleted, what stays and why, and what is about the limit."""
    names = [f"{one.title} ({one.file})" for one in pruning.objects]
    names += [file.name for file in pruning.files]
    key = told if pruning.mode == "delete" else "would_delete"
    first = [say(f"prune.{key}", names=first_names(names))] if names and key is not None else []
    absent = [say("prune.absent", names=first_names(pruning.absent))] if pruning.absent else []
    return [*first, *_few(pruning.stays), *absent, *pruning.notes]


def taken_texts(taken: Taken) -> list[Text]:
    """Return what was deleted, what is left and why, and what nobody tried."""
    done = [one.title for one in taken.done] + [*taken.files]
    texts = [say("prune.done", names=first_names(done))] if done else []
    texts += _few(tuple(say("prune.left", name=name, why=why) for name, why in taken.left))
    if taken.not_tried:
        texts.append(say("prune.not_tried", names=first_names(taken.not_tried)))
    return texts


def back_texts(taken: Taken) -> list[Text]:
    """Return what brings back all that was deleted, as far as its files are there."""
    gone = [one for one in taken.done if one.file not in taken.files]
    return [say("prune.back", build=way.build, files=way.files) for way in ways_back(gone)]


def _few(texts: tuple[Text, ...]) -> list[Text]:
    more = len(texts) - MOST_REASONS
    return [*texts[:MOST_REASONS], *([say("report.more_details", count=more)] if more > 0 else [])]


def how_to_carry_out(plan: Plan, outcome: Outcome) -> Text:
    """Return how the plan of a run that only planned is carried out, and no other."""
    how = "log.how_to_go_back" if outcome.heading.goes_back else "log.how_to_publish"
    return say(how, digest=plan.digest)


def listed(details: Sequence[Detail]) -> list[Detail]:
    """Return at most `MOST_DETAILS` of the details, how many more there are, and what stays all the same."""
    more = sum(map(count_of, unlisted(details)))
    cut = [say("report.more_details", count=more)] if more else []
    return [*_cuttable(details)[:MOST_DETAILS], *cut, *(detail for detail in details if stays(detail))]


def unlisted(details: Sequence[Detail]) -> Sequence[Detail]:
    """Return the details that `listed` leaves out."""
    return _cuttable(details)[MOST_DETAILS:]


def _cuttable(details: Sequence[Detail]) -> list[Detail]:
    return [detail for detail in details if not stays(detail)]


def context_of(outcome: Outcome) -> list[Text]:
    """Return the facts beneath an error: who acts, where, what is lacking and where to apply; ids last."""
    error = outcome.error
    if error is None:
        return []
    if outcome.findings:  # each has its own ids beside it
        return _shown(_known_facts(outcome))
    facts = _known_facts(outcome) if str(error.code).startswith(_IDENTITY_MATTERS) else {}
    facts.update({name: fact for name, fact in error.context.items() if fact not in (None, "")})
    if str(error.code).startswith(_PLATFORM_FAULTS) and "request_id" not in facts:
        facts.update(_telling_request(outcome))
    return _shown(facts)


def _shown(facts: Mapping[str, object]) -> list[Text]:
    return [
        say(f"context.{name}", value=fact)
        for name, fact in sorted(facts.items(), key=lambda fact: fact[0] in _IDS)
        if fact not in (None, "") and known(f"context.{name}")
    ]


def failures_of(outcome: Outcome) -> list[Text]:
    """Return why files failed, for each whose reason the run's own error does not tell already."""
    whole = outcome.error
    told = set(map(str, whole.details)) if whole is not None else set()
    return [
        say("report.failed_file", name=file.change.name, error=file_error(file.error))
        for file in outcome.files
        if file.error is not None and file.error is not whole and _adds(file.error, told)
    ]


def further_obstacles(outcome: Outcome) -> list[Text]:
    """Return what else stands against a refused plan: its error tells one kind, the next run meets these."""
    plan, error = outcome.plan, outcome.error
    if plan is None or error is None or was_attempted(outcome):
        return []
    told = set(map(str, error.details))
    return [text for text in (*plan.conflicts, *plan.taken, *plan.lost_routes) if str(text) not in told]


def file_error(error: StepError) -> Text:
    """Return a file's error in one sentence, with its first details."""
    details = listed(error.details)
    if not details:
        return say("report.file_error", code=error.code, title=error.title())
    return say("report.file_error_details", code=error.code, title=error.title(), details=details)


def _adds(error: StepError, told: Collection[str]) -> bool:
    """Tell whether an error says more than its details, which are told already."""
    return not error.details or any(str(detail) not in told for detail in error.details)


def _known_facts(outcome: Outcome) -> dict[str, object]:
    identity, heading = outcome.identity, outcome.heading
    return {
        "acting_user": identity.acting_user if identity is not None else "",
        "app": identity.app_code if identity is not None else "",
        "region": heading.region,
        "project": heading.project,
    }


def _telling_request(outcome: Outcome) -> dict[str, object]:
    """Return the call that deployed what is not ready; the last where nobody could look, or none is known."""
    known = [request for request in outcome.requests if request.request_id]
    deployments = [request for request in known if request.name == "deploy" and outcome.result != "unseen"]
    went_back = outcome.rollout is not None and outcome.rollout.restoration is not None
    first = deployments if went_back else reversed(deployments)
    for request in (*first, *reversed(known)):
        return {
            "request": f"{request.method} {request.path}",
            "request_id": request.request_id,
            "gateway_request_id": request.gateway_request_id,
        }
    return {}


def _ending(outcome: Outcome) -> str:
    if outcome.result == "planned":
        kind = "planned_back" if outcome.heading.goes_back else "planned"
        return kind if outcome.to_publish is not None else f"{kind}_nothing"
    if outcome.result == "published" and not any(file.state == "applied" for file in outcome.files):
        return "published_set"
    return outcome.result.replace("-", "_")
