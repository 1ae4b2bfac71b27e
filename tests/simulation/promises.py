"""What has to hold in every world: the promises of docs/reliability.md, a small function each.

What a build has said (`Told`) is held against what the emulator holds and was asked. Reads, and writes
nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Callable, Optional

from bcs_template_set.bcs.space.provenance import Provenance, read_provenance
from bcs_template_set.manifests.naming import path_of_branch
from bcs_template_set.publish.file_outcome import FileOutcome
from tests.emulator.entities import TemplateVersion
from tests.model import histories
from tests.simulation.builds import AGENT_KEY, APP, APPS, SECRET, Told
from tests.simulation.holdings import is_live
from tests.simulation.line import Sent
from tests.simulation.site import SimulatedSite
from tests.simulation.wishes import missing, newest_wish
from tests.support.publishing import SPACE

AT_ONCE = 3
"""Seconds between the stamps of what was written within two: BCS has no parts of them."""

END_OF_LOG = 2500
"""Characters of a defect's log that are shown."""

GOOD_RESULTS = ("planned", "unchanged", "published", "deployed", "rolled-back", "skipped", "paused")
RESULTS = (*GOOD_RESULTS, "failed", "timed-out", "unseen", "restored")
UNSETTLED = "it does not know whether others wrote at the same moment"
DRAFT_NOTES = ("had left in the console is gone", "had left a draft in the console")
"""What a run says of a draft that it could not put back, or does not know to be there."""

LATE = ("late", "late-504", "kill-late", "term-late")
"""What has BCS handle a request long after its answer was given up."""

SAID_UNHANDLED = ("refused", "limited", "unsent-502")
"""After these the build knows that its request was not handled."""


@dataclass(frozen=True)
class Seen:
    """A world that has come to rest, and what its builds have told; the last try of each is in `last`.

    One more build may have run after that rest (`a_next_run_makes_it_good`); it is not in `last`.
    """

    site: SimulatedSite
    told: Sequence[Told]

    @property
    def last(self) -> list[Told]:
        """Return what the last try of every build of the world has told."""
        keys = {build.key for build in self.site.world.builds}
        told = [told for told in self.told if told.plan.key in keys and not told.is_post]
        return list({told.plan.key: told for told in told}.values())

    @property
    def versions(self) -> list[TemplateVersion]:
        """Return all versions of the space."""
        return self.site.emulator.state.find_versions(SPACE)

    def is_late(self, key: str) -> bool:
        """Tell whether a request of that build may have been handled long after."""
        return any(fault in LATE for told in self.told if told.plan.key == key for fault in told.faults)


Promise = Callable[[Seen], Iterator[str]]


def breaches(seen: Seen) -> list[tuple[str, str]]:
    """Return what does not hold: the promise's name, and how it is broken."""
    return [(promise.__name__, how) for promise in PROMISES for how in promise(seen)]


# --- it does not lie ------------------------------------------------------------------------------------


def green_means_done(seen: Seen) -> Iterator[str]:
    """A build is green only where its run ended, by itself, in a result that is good."""
    for told in seen.told:
        if told.status is None and told.output["status"] == "success":
            yield f"{name_of(told)} was killed, and is green"
        if told.status is None or told.is_post:
            continue
        if told.result not in RESULTS:
            yield f"{name_of(told)}: result {told.result!r}"
        good = told.result in GOOD_RESULTS
        if (told.status == 0, told.output["status"] == "success", told.code == 0) != (good, good, good):
            said = f"{told.output['status']}, {told.result}, {told.code}"
            yield f"{name_of(told)}: status {told.status}, {said}"


def what_is_reported_is_there(seen: Seen) -> Iterator[str]:
    """A version that is reported as written or found was there, under that file, with its content."""
    for told in seen.told:
        for file in written_or_found(told):
            known = seen.site.known.get(file.version_id)
            if known is None or known.file != file.change.name:
                yield f"{name_of(told)}: {file.change.name} {file.state}: no version {file.version_id}"
            elif not known.contents & contents_for(told, file):
                yield f"{name_of(told)}: {file.change.name} {file.state}, with other content"


def written_or_found(told: Told) -> Iterator[FileOutcome]:
    """Yield the files of which a build says that a version is there."""
    files = told.outcome.files if told.outcome is not None and told.plan.action != "plan" else ()
    yield from (file for file in files if file.version_id and file.state in ("applied", "unchanged"))


def contents_for(told: Told, file: FileOutcome) -> set[str]:
    """Return what a build wants of a file; of one that it wrote, and found merged later, what it wrote."""
    sent = [sent.request.json() for sent in told.sent if sent.writes and sent.request.body]
    texts = {str(body.get("content")) for body in sent if isinstance(body, dict)}
    return {file.change.content} | (texts if file.state == "applied" else set())


def nothing_is_written_twice(seen: Seen) -> Iterator[str]:
    """A version's name is there once, but for a creation that BCS handled long after it was given up."""
    counted = Counter((version.file, version.version) for version in seen.versions)
    for (file, name), count in counted.items():
        origin = next(origin_of(v) for v in seen.versions if (v.file, v.version) == (file, name))
        if count > 1 and not (origin is not None and seen.is_late(key_of(origin))):
            yield f"{file} {name} is there {count} times"


def unchanged_means_that_nothing_was_sent(seen: Seen) -> Iterator[str]:
    """`changed` is false only where nothing was sent that could have changed anything."""
    for told in seen.told:
        if told.status is None or told.is_post or told.plan.action == "plan":
            continue
        writes = [sent for sent in told.sent if sent.writes and sent.fault not in SAID_UNHANDLED]
        handled = [sent for sent in writes if any(took(sent))]
        if told.text("changed") == "false" and handled:
            yield f"{name_of(told)} says that nothing changed, and sent {shown(handled[0])}"


def took(sent: Sent) -> Iterator[bool]:
    """Yield whether a request may have changed something."""
    for exchange in sent.exchanges:
        yield exchange.status == 200 and b'"code": 0' in exchange.answer_body[:40]


def errors_have_names(seen: Seen) -> Iterator[str]:
    """Nothing happens that nobody foresaw: no 8009xx, no traceback."""
    for told in seen.told:
        is_defect = told.status is not None and 800900 < told.code < 801000
        if is_defect or "Traceback" in told.log:
            yield f"{name_of(told)}: {told.code}\n{told.log[-END_OF_LOG:]}"


def the_emulator_saw_nothing_odd(seen: Seen) -> Iterator[str]:
    """Nothing is asked for that BCS does not have, and no secret stands where it must not."""
    yield from seen.site.emulator.problems()


def what_it_asks_is_a_behaviour_of_the_model(seen: Seen) -> Iterator[str]:
    """Nothing is created without a look right before, or again without reading back, or after the verdict."""
    for told in seen.told:
        knows = told.status is not None and told.code == 0 and UNSETTLED not in told.log
        files = told.outcome.files if told.outcome is not None and knows else ()
        reported = {f.change.name: f.version_id for f in files if f.state == "applied" and f.verified}
        for problem in histories.breaches([_as_asked(sent) for sent in told.sent], reported=reported):
            yield f"{name_of(told)}: {problem}"
        late = [sent for sent in told.sent if sent.writes and sent.at > told.ended]
        yield from (f"{name_of(told)} has spoken, and sends {shown(sent)}" for sent in late)


def _as_asked(sent: Sent) -> histories.Request:
    answer = sent.exchanges[0].answer_body if sent.exchanges else b""
    return histories.Request(
        sent.request.method,
        sent.request.path,
        histories.decoded(sent.request.body),
        sent.answered,
        answer,
        is_write=sent.writes,
        handled=bool(sent.exchanges) or sent.fault in LATE,
        faults=(sent.fault,),
    )


# --- it does not lose anything --------------------------------------------------------------------------


def a_plan_writes_nothing(seen: Seen) -> Iterator[str]:
    """`action: plan` sends no write."""
    for told in seen.told:
        if told.plan.action == "plan":
            yield from (f"{name_of(told)} sent {shown(sent)}" for sent in told.sent if sent.writes)


def no_write_is_repeated_blindly(seen: Seen) -> Iterator[str]:
    """A write is sent again only where it was not handled, or after somebody has looked."""
    for told in seen.told:
        unsure: dict[tuple[str, str, bytes], Sent] = {}
        for sent in told.sent:
            what = (sent.request.method, sent.request.path, sent.request.body)
            if not sent.writes:
                unsure = {} if sent.answered == 200 else unsure
                continue
            if what in unsure:
                yield f"{name_of(told)} sent {shown(sent)} again, after {unsure[what].fault}"
            if sent.answered != 200 and sent.fault not in SAID_UNHANDLED:
                unsure[what] = sent


def an_older_build_does_not_win(seen: Seen) -> Iterator[str]:
    """What is current is no older build's where a newer one of its branch has published, or that one says so.

    Of a plain file that both write within two seconds nobody need know (docs/reliability.md), and who is
    shown lists of the past can't.
    """
    for name in sorted(seen.site.at_rest):
        version = seen.site.at_rest[name]
        origin = origin_of(version) if version is not None and not by_hand(seen, name) else None
        owner = told_of(seen, origin) if origin is not None else None
        titles = {title for told in seen.told if replaces(told) for title, _ in told.plan.files}
        replaced = name.partition(".")[0] in titles
        if origin is None or owner is None or replaced:
            continue
        for told in seen.last:
            newer = (told.plan.pipeline, told.plan.branch) == (origin.pipeline, origin.branch)
            newer = newer and told.plan.number > origin.build and name in applied(told)
            if not (newer and told.succeeded and owner.succeeded) or meets(seen, version, told):
                continue
            is_shown = "past" not in (*owner.faults, *told.faults)
            if is_shown and not (UNSETTLED in owner.log or knows(told, owner, name)):
                yield f"{name}: {key_of(origin)} is current, and {told.plan.key} has published"


def what_is_current_is_told(seen: Seen) -> Iterator[str]:
    """The current version is one of a build that says so, or that did not come to its end."""
    for name in sorted(seen.site.at_rest):
        version = seen.site.at_rest[name]
        if version is None:
            yield f"{name} points at nothing"
            continue
        origin = origin_of(version)
        owner = told_of(seen, origin) if origin is not None else None
        if owner is None or not owner.succeeded or seen.is_late(owner.plan.key):
            continue
        named = owner.versions().get(name, {}).get("version")
        if named != version.version and version.version not in owner.log:
            yield f"{name} is at {version.version}, of which {owner.plan.key} says nothing"


def what_is_there_twice_is_said(seen: Seen) -> Iterator[str]:
    """BCS lets two builds create a file at once; somebody has said so."""
    logs = "\n".join(told.log for told in seen.told)
    for name, count in Counter(f.name for f in seen.site.emulator.state.find_files(SPACE)).items():
        alone = [key for key in {told.plan.key for told in seen.told} if seen.is_late(key)]
        ended = all(told.status == 0 for told in seen.told)
        if count > 1 and ended and not alone and f"{name} exists twice" not in logs and UNSETTLED not in logs:
            yield f"{name} is there {count} times, and nobody says so"


def no_path_is_lost(seen: Seen) -> Iterator[str]:
    """Once everybody has run again in peace, every branch that succeeded is served on its domains."""
    if not any(told.plan.web for told in seen.told):
        return
    removed = {branch for told in seen.told for branch in removed_by(told)}
    for told in seen.last:
        if told.plan.branch in removed or not told.plan.web or told.plan.action in ("plan", "rollback"):
            continue
        if not told.succeeded or told.result == "skipped":
            continue
        for host, _ in told.plan.files:
            version = seen.site.at_rest.get(f"{host}.example.com.routes.yaml")
            path = path_of_branch(told.plan.branch, main_branches=("main",))
            if version is None or path not in _PATHS.findall(version.content):
                yield f"{told.plan.branch} is not served on {host}.example.com"


_PATHS = re.compile(r"^\s*-? ?path: \"?([^\"\n]+)\"?$", re.MULTILINE)


def a_draft_is_kept_or_spoken_of(seen: Seen) -> Iterator[str]:
    """What somebody has typed in the console before a build began is there at its end, or it says why not."""
    logs = "\n".join(told.log for told in seen.told)
    unable = any(told.status is None or seen.is_late(told.plan.key) for told in seen.told)
    told_of_it = any(note in logs for note in DRAFT_NOTES)
    for at, name, text in seen.site.drafts:
        files = seen.site.emulator.state.find_files(SPACE, name)
        is_seen = not any(told.began <= at <= told.ended for told in seen.told)
        is_gone = not any(file.draft_content == text for file in files)
        if is_seen and is_gone and not unable and not told_of_it:
            yield f"the draft of {name} is gone"


def a_next_run_makes_it_good(seen: Seen) -> Iterator[str]:
    """Where the newest wish was not all there, one more build in peace ends well, and it is."""
    calm, plan = seen.site.calm, newest_wish(seen.site.world)
    if calm is not None and (calm.told is None or not calm.told.succeeded):
        ended = (calm.told.result, calm.told.code) if calm.told is not None else "not at all"
        yield f"{calm.plan.key} ends as {ended}"
    elif plan is not None:
        yield from missing(seen.site, plan)


# --- the cluster ----------------------------------------------------------------------------------------


def deployed_means_live(seen: Seen) -> Iterator[str]:
    """What a build says is deployed, or live already, or back, was live at some moment of it."""
    for told in seen.told:
        rollout = told.outcome.rollout if told.outcome is not None and told.status is not None else None
        if rollout is None:
            continue
        back = rollout.restoration
        for file in back.files if back is not None else (*rollout.deployed, *rollout.live_already):
            known = seen.site.known.get(file.version_id)
            if known is None or not _was_live(seen, told, known.contents):
                yield f"{name_of(told)}: {file.name} {file.version} is said to be live, and never was"


def _was_live(seen: Seen, told: Told, contents: set[str]) -> bool:
    moments = seen.site.moments
    return any(
        is_live(moment.objects, text)
        for moment, following in zip(moments, [*moments[1:], None])
        if moment.at <= told.ended and (following is None or following.at >= told.began)
        for text in contents
    )


def deployed_means_ready(seen: Seen) -> Iterator[str]:
    """A build that waited, and ends well, has seen its workloads ready, unless somebody wrote meanwhile."""
    for told in seen.told:
        waited = dict(told.plan.inputs).get("timeout") != "0"
        rollout = told.outcome.rollout if told.outcome is not None else None
        if rollout is None or not waited or told.result not in ("deployed", "rolled-back"):
            continue
        mine = [moment.at for moment in seen.site.moments if moment.by == told.plan.key]
        last = max((at for at in mine if at <= told.ended), default=told.began)
        others = [m for m in seen.site.moments if last <= m.at <= told.ended and m.by != told.plan.key]
        for title, found in told.live.items() if not others else ():
            if found.file in {file.name for file in rollout.deployed} and not found.is_ready:
                yield f"{name_of(told)}: {told.result}, and {title} is not ready"


def only_what_may_go_goes(seen: Seen) -> Iterator[str]:
    """Nothing is deleted that docs/guide/taking-away.md keeps."""
    for deletion in seen.site.deletions:
        for problem in deletion.problems:
            yield f"{deletion.by} deletes {deletion.what}: {problem}"


# --- it does not leak, and it ends ----------------------------------------------------------------------


def one_user_acts(seen: Seen) -> Iterator[str]:
    """Every request of a build is of its user, with the app that is his, and its output names him."""
    for told in seen.told:
        user = told.plan.user
        users = {(e.user, e.app) for sent in told.sent for e in sent.exchanges if e.app and e.user}
        if users - {(user, APPS.get(user, APP))} or told.text("acting_user") not in ("", user):
            yield f"{name_of(told)} acted as {sorted(users)}, and says {told.text('acting_user')!r}"


def no_secret_is_shown(seen: Seen) -> Iterator[str]:
    """Neither log nor output holds a secret as it is."""
    for told in seen.told:
        said = told.log + str(told.output)
        yield from (f"{name_of(told)} says {secret}" for secret in (SECRET, AGENT_KEY) if secret in said)


def it_ends_in_time(seen: Seen) -> Iterator[str]:
    """A build has spoken before its time is over."""
    for told in seen.told:
        if told.ended - told.began > told.plan.minutes * 60:
            yield f"{name_of(told)} took {told.ended - told.began:.1f} s of {told.plan.minutes} min"


PROMISES: Sequence[Promise] = (
    green_means_done,
    what_is_reported_is_there,
    nothing_is_written_twice,
    what_it_asks_is_a_behaviour_of_the_model,
    unchanged_means_that_nothing_was_sent,
    errors_have_names,
    the_emulator_saw_nothing_odd,
    a_plan_writes_nothing,
    no_write_is_repeated_blindly,
    an_older_build_does_not_win,
    what_is_current_is_told,
    what_is_there_twice_is_said,
    no_path_is_lost,
    a_draft_is_kept_or_spoken_of,
    a_next_run_makes_it_good,
    deployed_means_live,
    deployed_means_ready,
    only_what_may_go_goes,
    one_user_acts,
    no_secret_is_shown,
    it_ends_in_time,
)


# --- looking --------------------------------------------------------------------------------------------


def name_of(told: Told) -> str:
    """Return what a build is called, with its try where it is not the first."""
    return told.plan.key + (f" (try {told.attempt})" if told.attempt > 1 else "")


def shown(sent: Sent) -> str:
    """Return a request as people read it."""
    return f"{sent.request.method} …{sent.request.path[-40:]}"


def key_of(origin: Provenance) -> str:
    """Return the key of the build that a version is of."""
    return f"{origin.pipeline}#{origin.build}"


def origin_of(version: TemplateVersion) -> Optional[Provenance]:
    """Return which build a version is of, None where it is a person's."""
    return read_provenance(version.description)


def told_of(seen: Seen, origin: Provenance) -> Optional[Told]:
    """Return what the last try of a build has told."""
    return next((told for told in seen.last if told.plan.key == key_of(origin)), None)


def replaces(told: Told) -> bool:
    """Tell whether a build was told to replace newer ones: who comes after it meets no newer one."""
    return dict(told.plan.inputs).get("on_newer_build") == "replace"


def removed_by(told: Told) -> list[str]:
    """Return the branches that a build takes out."""
    return dict(told.plan.inputs).get("remove_branches", "").split()


def applied(told: Told) -> set[str]:
    """Return the files that a build says it has written."""
    files = told.outcome.files if told.outcome is not None else ()
    return {file.change.name for file in files if file.state == "applied"}


def knows(one: Told, other: Told, name: str) -> bool:
    """Tell whether a build warns that another has written the file too, or that it can't know."""
    version = str(other.versions().get(name, {}).get("version"))
    said = (UNSETTLED, version, f"Build {other.plan.number} of branch")
    warned = [line for line in one.log.splitlines() if line.startswith("##[warning]")]
    return any(words in line for words in said for line in warned)


def meets(seen: Seen, version: Optional[TemplateVersion], told: Told) -> bool:
    """Tell whether a build has written a plain file at the same time as this version of it was."""
    if version is None or version.file.endswith(".routes.yaml"):
        return False
    mine = told.versions().get(version.file, {}).get("version")
    written = [v.create_at for v in seen.versions if (v.file, v.version) == (version.file, mine)]
    return any(abs(at - version.create_at) <= AT_ONCE for at in written)


def by_hand(seen: Seen, file: str) -> bool:
    """Tell whether people were at a file."""
    return any(file == f"{person.name}.yaml" for person in seen.site.world.people)
