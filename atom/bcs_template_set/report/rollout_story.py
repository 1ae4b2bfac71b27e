"""What a deployment came to, and how to go back, as sentences. Pure: performs no I/O.

Log, output.json and HTML page tell it with these same ones.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Callable, Optional

from bcs_template_set.bcs.space.provenance import Provenance
from bcs_template_set.manifests.branch_paths import claims_of
from bcs_template_set.manifests.naming import normal_path
from bcs_template_set.manifests.parse import parse_foreign
from bcs_template_set.manifests.route_changes import changes_of
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.step_error import Detail, first_names
from bcs_template_set.publish.file_outcome import FileOutcome
from bcs_template_set.report.outcome import Heading, Outcome
from bcs_template_set.report.rows import rows_of_outcome, told_files, told_rows
from bcs_template_set.report.shown_limits import MOST_VERSIONS
from bcs_template_set.report.workload_rows import workload_rows
from bcs_template_set.rollout.live_state import FileVersion, holding
from bcs_template_set.rollout.result import RESTORED_AFTER, Restoration, Rollout
from bcs_template_set.rollout.watched import Watched

FAILED, UNSURE = "deploy.restore_failed", "deploy.restore_unsure"
"""The sentences that say why a restore did not work out, or why that is not known."""


def deployed_headline(rollout: Rollout, outcome: Outcome) -> Text:
    """Return the one sentence for a deployment that went well, with the versions it made live.

    They need not be the run's own: a file that it did not have to write is deployed at the version it has.
    """
    rows, version = rows_of_outcome(outcome), outcome.heading.version
    deployed = {file.name for file in rollout.deployed}
    of_rows = [{file.name for file in row.files} for row in rows]
    with_them = {name for names in of_rows if names & deployed for name in names}
    live = {file.name for file in holding(rollout.live_already)} - with_them
    place = {"cluster": rollout.cluster_id, "namespace": rollout.namespace, "live": told_files(live, rows)}
    done = "rolled_back" if outcome.heading.goes_back else "deployed"
    if not deployed and rollout.held:
        return say("report.verdict_only_held", held=told_files({*rollout.held}, rows), **place)
    if not deployed:
        return say(f"report.verdict_{done}_nothing", **place)
    versions = sorted(
        {file.version for file in rollout.deployed}, key=lambda other: (other != version, other)
    )
    shown = first_names(versions, most=MOST_VERSIONS)
    key = f"report.verdict_{done}_{'beside' if live else 'to'}"
    return say(key, versions=shown, what=told_files(deployed, rows), **place)


def paused_headline(rollout: Rollout, outcome: Outcome) -> Text:
    """Return the one sentence for a deployment that goes on when a person says so: what waits comes first."""
    paused = [item.workload.title for item in rollout.watched if item.end == "paused"]
    place = {"cluster": rollout.cluster_id, "namespace": rollout.namespace}
    deployed = (
        deployed_headline(rollout, outcome)
        if rollout.deployed
        else say("report.verdict_sent_nothing", **place)
    )
    return say("report.verdict_paused", count=len(paused), names=first_names(paused), deployed=deployed)


def paused_texts(rollout: Rollout) -> list[Text]:
    """Return where each workload stands that waits for a person, and how it goes on."""
    return [
        say("deploy.workload", object=item.workload.title, sentence=item.status.sentence)
        for item in rollout.watched
        if item.end == "paused" and item.status is not None
    ]


def live_texts(rollout: Rollout, outcome: Outcome) -> list[Text]:
    """Return what is live after a deployment that went well: the files at each version, deployed ones first.

    Each domain has the version of the build that last changed it, so of many a count tells. A file whose
    rollout is paused is not live as a whole.
    """
    deployed = {file.version for file in rollout.deployed}
    partly = {i.workload.file_name for i in rollout.watched if i.end == "paused"}
    files = sorted(
        (f for f in holding((*rollout.deployed, *rollout.live_already)) if f.told and f.name not in partly),
        key=lambda file: (file.told not in deployed, file.name),
    )
    versions = list(_by_version(files).items())
    shown = len(deployed) + MOST_VERSIONS
    among = {file.name for file in (*rollout.deployed, *rollout.live_already)}
    texts = [
        say("report.live_now", version=version, names=told_rows(names, outcome.files, among=among))
        for version, names in versions[:shown]
    ]
    rest = sum(len(names) for _, names in versions[shown:])
    if rest:
        texts.append(say("report.live_at_others", count=rest, versions=len(versions) - shown))
    others: list[Detail] = [file.name for file in rollout.live_already if not file.told]
    if others:
        texts.append(say("report.live_unmarked", names=first_names(others)))
    return texts


def waited_text(outcome: Outcome) -> Text | None:
    """Return how long the workloads took, or why nobody waited; None where the run did not come so far."""
    rollout = outcome.rollout
    if rollout is None or (outcome.error is not None and not rollout.watched):
        return None
    text = ready_text(rollout.watched) if rollout.waited else say("report.not_waited")
    left = [*rollout.unwatched, *(item.workload.title for item in rollout.watched if item.end == "nothing")]
    return say("report.and_unwatched", text=text, objects=first_names(left)) if left else text


def ready_text(watched: Sequence[Watched]) -> Text:
    """Return how many workloads are ready, and after how long the last of them was."""
    awaited = [item for item in watched if item.end != "nothing"]
    if not awaited:
        return say("report.no_workloads")
    ready = [item for item in awaited if item.end == "ready"]
    if len(ready) < len(awaited):
        return say("report.some_ready", count=len(ready), total=len(awaited))
    return say("report.all_ready", count=len(ready), seconds=round(max(item.seconds for item in ready)))


def pages_text(rollout: Rollout) -> Text | None:
    """Return how many pages were checked and how many of them serve what they should; None for no page."""
    if not rollout.arrivals:
        return None
    arrived = sum(arrival.ok for arrival in rollout.arrivals)
    return say("report.pages", count=len(rollout.arrivals), arrived=arrived)


def deployed_texts(outcome: Outcome) -> list[Text]:
    """Return what a failed run has made live all the same, and what of it only in part."""
    rollout = outcome.rollout
    if outcome.error is None or rollout is None:
        return []
    texts: list[Text] = []
    if rollout.watched and not (rollout.deployed or rollout.partly):
        texts.append(say("report.deployed_none", live=len(holding(rollout.live_already))))
    if rollout.deployed:
        all_stay = rollout.restoration is None and all(item.end != "gone" for item in rollout.watched)
        key = "report.deployed_stays" if all_stay else "report.deployed_first"
        place = {"cluster": rollout.cluster_id, "namespace": rollout.namespace}
        texts.append(say(key, count=len(rollout.deployed), **place))
    if rollout.partly:
        texts.append(say("report.deployed_partly", names=first_names([f.name for f in rollout.partly])))
    if rollout.not_attempted:
        texts.append(say("deploy.not_attempted", names=first_names(rollout.not_attempted)))
    return texts


# --- restoring ---------------------------------------------------------------------------------------


def restoration_texts(way: Restoration, files: Sequence[FileOutcome] = ()) -> list[Text]:
    """Return what a restore came to: what is back, how that ended, what is there instead, and what was left.

    The only place that says it, for log, page and error; by domains where the run's `files` are known.
    """
    return list(_restoration(way, files))


def _restoration(way: Restoration, files: Sequence[FileOutcome]) -> Iterable[Text]:
    owed = {*way.owed, *way.left, *way.same, *map(_name_of, way.overtaken)}
    told = partial(told_rows, files=files, among={*owed, *(file.name for file in way.files)})
    ready = [file for file in way.files if way.is_ready(file.name)]
    for key, back in (("back_at", ready), ("again_at", [file for file in way.files if file not in ready])):
        for version, names in _by_version(back).items():
            yield say(f"report.{key}", version=version, names=told(names))
    if way.problem is not None:
        yield say(UNSURE if way.is_unseen else FAILED, problem=way.problem)
    elif way.watched:
        yield ready_text(way.watched)
    elif way.unwatched:
        yield say("report.not_waited")
    for row in workload_rows(way.watched):
        if not row.is_settled:
            yield say("report.workload_line", object=row.title, reason=row.why)
    yield from _not_restored(way, told, back={file.name for file in ready})
    if way.added:
        yield say("deploy.restore_added", objects=first_names(way.added))
    if way == Restoration():
        yield say("deploy.restore_nothing")


def _name_of(told: Detail) -> str:
    return str(told.fields["name"]) if isinstance(told, Text) else told


def _not_restored(
    way: Restoration, told: Callable[[Sequence[Detail]], list[Detail]], *, back: Collection[str]
) -> Iterable[Text]:
    """Say of each file that is not as it was before why it is not, and what is there instead."""
    for key, names in (
        ("left", way.left),
        ("same", way.same),
        ("gone", way.gone),
        ("absent", way.absent),
        ("lost", way.lost),
        ("overtaken", way.overtaken),
        ("not_back", way.not_back),
        ("unready", [name for name in way.unready if name not in back]),
        ("unknown", [name for name in way.unknown if name not in back]),
    ):
        if names:
            yield say(f"deploy.restore_{key}", names=told(names))
    found: dict[str, list[Detail]] = {}
    for name, versions in way.runs:
        if versions or name not in way.absent:
            found.setdefault(versions, []).append(name)
    for versions, files in found.items():
        key = "deploy.restore_runs" if versions else "deploy.restore_none"
        yield say(key, version=versions, names=told(files))
    if way.unseen:
        yield say("deploy.restore_unseen", names=told(way.unseen))


# --- going back by hand ----------------------------------------------------------------------------------


def by_hand_texts(outcome: Outcome) -> list[Text]:
    """Return how to go back by hand, for a failed run that deployed and has not gone back itself."""
    rollout = outcome.rollout
    if outcome.error is None or rollout is None or _went_back(rollout) or rollout.fails_elsewhere:
        return []
    return list(_by_hand(rollout, outcome))


def _went_back(rollout: Rollout) -> bool:
    """Tell whether a restore did all it could."""
    return rollout.restoration is not None and rollout.restoration.is_whole


def _by_hand(rollout: Rollout, outcome: Outcome) -> Iterable[Text]:
    """Say what was live before, whether that was any good, and what running its build again would change."""
    before = {item.file: item for item in rollout.before}
    files = {file.name: file for file in (*rollout.earlier, *rollout.deployed, *rollout.partly)}
    back = {file.name for file in rollout.restoration.files} if rollout.restoration is not None else set()
    versions: dict[tuple[str, Optional[bool]], list[str]] = {}
    sent = {*files, *rollout.unread}  # what was sent, and not read back, may be live
    now = {name: file.version for name, file in files.items()}
    for name in sorted(sent):
        earlier = before.get(name)
        if earlier is not None and name not in back and earlier.version not in ("", now.get(name)):
            versions.setdefault((earlier.version, earlier.ready), []).append(name)
    for (version, ready), names in versions.items():
        yield say(_BY_HAND[ready], version=version, names=told_rows(names, outcome.files, among=sent))
        held = [title for name, title in rollout.moved if name in names]
        if held:
            yield say("report.by_hand_moved", version=version, objects=first_names(held))
        elif ready is not False:
            yield _by_build(outcome, version, names)
    if versions and rollout.pods:
        yield say("report.by_hand_pods", objects=first_names(rollout.pods))
    is_better = any(ready is not False for _, ready in versions)
    if is_better and not rollout.restores and isinstance(outcome.error, RESTORED_AFTER):
        yield say("report.by_hand_next_time")
    yield from _no_way_back(rollout, outcome, files.values(), sent=sent)


def _no_way_back(
    rollout: Rollout, outcome: Outcome, files: Collection[FileVersion], *, sent: Collection[str]
) -> Iterable[Text]:
    """Say what can't go back, since its content was rewritten, or nothing was there, or nobody knows what."""
    before = {item.file for item in rollout.before}
    rewritten = [file for file in files if file.rewritten and file.name in before]
    for version, gone in _by_version(rewritten).items():
        yield say(
            "report.by_hand_rewritten", version=version, names=told_rows(gone, outcome.files, among=sent)
        )
    first = sorted(file.name for file in files if file.name not in before)
    if first:
        yield say("report.by_hand_first", names=told_rows(first, outcome.files, among=sent))
    if rollout.lost:
        yield say("report.by_hand_lost", names=told_rows(rollout.lost, outcome.files, among=sent))


_BY_HAND = {True: "report.by_hand", False: "report.by_hand_unready", None: "report.by_hand_unknown"}


def _by_build(outcome: Outcome, version: str, names: Sequence[str]) -> Text:
    """Say how to have these files at their version before: by a rollback, or by running its build again."""
    changes = {file.change.name: file for file in outcome.files}
    planned = [changes[name].change for name in names if name in changes]
    before = [c.previous for c in planned if c.previous is not None and c.previous.name == version]
    origin = next((previous.origin for previous in before if previous.origin is not None), None)
    ours = {change.row for change in planned}
    if origin is not None and len(before) == len(names) and _is_of_this_line(origin, outcome.heading):
        build = outcome.heading.build_number - 1
        text = say("report.by_hand_rollback", build=build, only=first_names(sorted(ours)))
    else:
        text = _by_running_again(outcome, version, origin, ours)
    routes = list(dict.fromkeys(route for file in outcome.files for route in _served_since(file)))
    return say("report.by_hand_routes", text=text, routes=first_names(routes)) if routes else text


def _is_of_this_line(origin: Provenance, heading: Heading) -> bool:
    """Tell whether a build of this pipeline and branch has published it: a rollback knows those alone."""
    ours = replace(origin, pipeline=heading.pipeline_id, branch=heading.branch)
    return origin.is_same_line_of_builds(ours) and origin.build < heading.build_number


def _by_running_again(
    outcome: Outcome, version: str, origin: Optional[Provenance], ours: Collection[str]
) -> Text:
    """Say which build to run again, and what else that changes, domain by domain."""
    also = sorted({f.change.row for f in outcome.files if _is_newer(f, than=origin)}.difference(ours))
    text = (
        say("report.by_hand_build", version=version, build=origin.build)
        if origin is not None
        else (say("report.by_hand_some_build", version=version))
    )
    if also:
        return say("report.by_hand_also", text=text, count=len(also), names=first_names(also))
    return say("report.by_hand_only", text=text)


def _served_since(file: FileOutcome) -> Iterator[str]:
    """Yield what a file serves since this run, but for paths of branches: no build takes away another's."""
    change = file.change
    if file.state != "applied" or change.previous is None:
        return
    claims = claims_of(parse_foreign(change.content) or ())
    claimed = {(host, normal_path(claim.path)) for host, claim in claims}
    wider = [new for old, new in change.routes_changed if changes_of([new], [old]).lost]
    for host, path in dict.fromkeys([*change.routes_added, *((route.host, route.path) for route in wider)]):
        if (host, normal_path(path)) not in claimed:
            yield host + path


def _is_newer(file: FileOutcome, *, than: Optional[Provenance]) -> bool:
    """Tell whether a file may hold what that build did not have yet, so that running it again changes it."""
    previous = file.change.previous
    if previous is None or previous.id != file.version_id:
        return True
    origin = previous.origin
    if origin is None or than is None:
        return True
    return not origin.is_same_line_of_builds(than) or origin.build > than.build


def _by_version(files: Sequence[FileVersion]) -> dict[str, list[Detail]]:
    versions: dict[str, list[Detail]] = {}
    for file in files:
        versions.setdefault(file.told, []).append(file.name)
    return versions
