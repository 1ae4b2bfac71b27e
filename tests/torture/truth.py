"""Holds what a run says against what the site holds: every difference is a lie. Reads, and writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bcs_template_set.agent.output_file import MOST_STRING_UNITS, utf16_units
from bcs_template_set.messages.server_errors import DeployIncomplete, OutcomeUnknown
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.publish.file_outcome import FileOutcome
from bcs_template_set.report.output import OUTPUTS
from tests.emulator.entities import TemplateVersion
from tests.model.histories import breaches, recorded
from tests.support.living import Lived
from tests.support.publishing import SPACE, Site
from tests.torture.holdings import Holdings, content_of, marks, objects

GOOD_RESULTS = ("planned", "unchanged", "published", "deployed", "rolled-back", "skipped")
RESULTS = (*GOOD_RESULTS, "failed", "timed-out", "unseen", "restored")
DRAFT_NOTES = ("had left in the console is gone", "had left a draft in the console. BCS discards it")
"""What a run says of a draft that it could not put back, or does not know to be there."""

KEYS, ERROR_KEYS = {"status", "message", "type", "data"}, {"errorType", "errorCode"}


@dataclass(frozen=True)
class Struck:
    """A run that was struck, and what the site held before and after it.

    `may_be_lied_to`: a server said "failed" of what it did; the step can't know better.
    """

    site: Site
    lived: Lived
    before: Holdings
    after: Holdings
    may_be_lied_to: bool = False

    @property
    def wanted(self) -> Mapping[str, str]:
        """Return the files that the run is to bring; of a built-in template, or a way back, its plan's."""
        plan, goes_back = self.lived.outcome.plan, self.lived.outcome.heading.goes_back
        planned = {change.name: change.content for change in plan.changes} if plan is not None else {}
        return planned if goes_back else self.site.files or planned

    @property
    def held(self) -> Mapping[str, TemplateVersion]:
        """Return the versions that are there, by id."""
        return {version.id: version for version in self.site.emulator.state.versions}


def lies_of(struck: Struck) -> list[str]:
    """Return everything that a run said wrongly, or did not say."""
    checks = (_form, _boundary, _verdict, _versions, _files, _changed, _result, _drafts, _rollout, _history)
    return [f"{check.__name__[1:]}: {lie}" for check in checks for lie in check(struck)]


# --- output.json ----------------------------------------------------------------------------------------


def _form(struck: Struck) -> Iterator[str]:
    """Yield what in output.json is against facts/agent.md, "output.json"."""
    output = struck.lived.output
    if set(output) != (KEYS if output.get("status") == "success" else KEYS | ERROR_KEYS):
        yield f"keys {sorted(output)}"
        return
    if output["status"] not in ("success", "failure", "error") or output["type"] != "default":
        yield f"status {output['status']}, type {output['type']}"
    if not all(output["message"].split("\n")):
        yield f"message {output['message']!r}"
    data: Mapping[str, Any] = output["data"]
    for name, entry in data.items():
        yield from _field(name, entry, workspace=struck.lived.workspace)
    missing = {"result", "changed", "report"} - set(data)
    if missing:
        yield f"without {sorted(missing)}"


def _field(name: str, entry: Mapping[str, Any], *, workspace: Path) -> Iterator[str]:
    if name not in OUTPUTS:
        yield f"the output {name} is not declared"
    if entry["type"] == "string" and utf16_units(entry["value"]) > MOST_STRING_UNITS:
        yield f"the output {name} is too long"
    if entry["type"] == "artifact":
        yield from (
            f"the artifact {path} is not there" for path in entry["value"] if not Path(path).is_file()
        )
    if entry["type"] == "report" and not (workspace / entry["path"] / entry["target"]).is_file():
        yield "the report is not there"


def _boundary(struck: Struck) -> Iterator[str]:
    """Yield what nobody foresaw."""
    if 800900 < struck.lived.code < 801000:
        yield f"{struck.lived.code}: {struck.lived.output['message']}\n{struck.lived.log}"
    if "Traceback" in struck.lived.log:
        yield f"a traceback:\n{struck.lived.log}"


def _verdict(struck: Struck) -> Iterator[str]:
    """Yield what in status, code, result and log contradicts itself."""
    lived, output = struck.lived, struck.lived.output
    if lived.result not in RESULTS:
        yield f"result {lived.result!r}"
    ends_well = lived.result in GOOD_RESULTS
    if (output["status"] == "success") != ends_well or (lived.code == 0) != ends_well:
        yield f"status {output['status']}, code {lived.code}, result {lived.result}"
    if lived.code and output["errorType"] != _type_of(lived.code):
        yield f"errorType {output['errorType']}, code {lived.code}"
    if lived.code and f"({lived.code})" not in lived.log:
        yield f"the log does not say {lived.code}"
    if "Nothing was written" in lived.log and struck.before != struck.after and not struck.may_be_lied_to:
        yield f"'Nothing was written': {struck.before.differences(struck.after)}"


def _type_of(code: int) -> int:
    """Return the errorType of a code, as error.json's ranges have it: 1 the user's, 2 a third party's."""
    return next(kind.error_type for kind in error_kinds(StepError) if getattr(kind, "code", 0) == code)


def error_kinds(kind: type[StepError]) -> Iterator[type[StepError]]:
    """Yield an error's class and all below it."""
    yield kind
    for below in kind.__subclasses__():
        yield from error_kinds(below)


# --- files ----------------------------------------------------------------------------------------------


def _versions(struck: Struck) -> Iterator[str]:
    """Yield what the output `versions` says of versions that are not so."""
    files = {file.change.name: file for file in struck.lived.outcome.files}
    for name, entry in struck.lived.versions().items():
        if entry["id"]:
            yield from _version(struck, name, entry["id"], entry["version"])
        file = files.get(name)
        done = file is not None and file.state in ("applied", "unchanged")
        if file is not None and (done or file.state == "failed") and entry["id"] != file.version_id * done:
            yield f"{name}: {entry['id']!r}, and the run knows {file.state} {file.version_id!r}"
        if entry["previous_id"] and entry["previous_id"] not in struck.held:
            yield f"{name}: there was no {entry['previous_id']}"


def _version(struck: Struck, name: str, version_id: str, version: str) -> Iterator[str]:
    found = struck.held.get(version_id)
    if found is None or (found.space, found.file) != (SPACE, name):
        yield f"{name}: there is no version {version_id}"
    elif found.content != struck.wanted[name]:
        yield f"{name}: {version_id} has other content"
    elif version not in ("", found.version):
        yield f"{name}: {version_id} is {found.version}, not {version}"


def _files(struck: Struck) -> Iterator[str]:
    """Yield what was written and not told, and what was told and not written, file by file."""
    gained = Counter(struck.after.versions) - Counter(struck.before.versions)
    written = Counter(name for name, _, _ in gained.elements())
    files = {file.change.name: file for file in struck.lived.outcome.files}
    for name, count in written.items():
        file = files.get(name)
        if count > 1:
            yield f"{name} was written {count} times"
        if not struck.may_be_lied_to and (file is None or not _may_have_written(file)):
            yield f"{name} was written, and the run says {file.state if file else 'nothing'}"
    for name, file in files.items():
        if file.state == "applied" and not written[name] and file.version_id not in struck.held:
            yield f"{name} is said to be written"
        if file.state in ("applied", "unchanged"):
            yield from _version(struck, name, file.version_id, file.version)
        if file.state == "applied" and not file.notes:
            yield from _current(struck, file)
        if file.state == "failed" and file.error is None:
            yield f"{name} failed for no reason"


def _current(struck: Struck, file: FileOutcome) -> Iterator[str]:
    """Yield where a file that was written, without a word about it, points elsewhere."""
    name = file.change.name
    now = struck.site.emulator.state.find_file(SPACE, name).version
    if content_of(struck.site, name, now) != struck.wanted[name]:
        yield f"{name} is said to be written, and points at {now}"


def _may_have_written(file: FileOutcome) -> bool:
    """Tell whether a file's outcome says that it was written, or may have been."""
    is_unknown = file.state == "failed" and isinstance(file.error, OutcomeUnknown)
    return file.state == "applied" or bool(file.state == "failed" and file.version_id) or is_unknown


# --- the whole ------------------------------------------------------------------------------------------


def _changed(struck: Struck) -> Iterator[str]:
    """Yield where `changed` is not what happened."""
    differences = struck.before.differences(struck.after)
    if not struck.lived.changed and differences and not struck.may_be_lied_to:
        yield f"changed is false: {differences}"
    is_plan = struck.lived.result == "planned"  # there it says what publishing would do
    if struck.lived.changed and not is_plan and not differences and not _says_unknown(struck.lived):
        yield "changed is true, and nothing is"


def _says_unknown(lived: Lived) -> bool:
    if lived.outcome.rollout is not None and lived.outcome.rollout.unread:
        return True  # a call was sent, and nobody could look since
    errors: list[StepError | None] = [lived.outcome.error, *(file.error for file in lived.outcome.files)]
    return any(isinstance(error, (OutcomeUnknown, DeployIncomplete)) for error in errors)


def _result(struck: Struck) -> Iterator[str]:
    """Yield where the result promises what is not there."""
    lived, site = struck.lived, struck.site
    if lived.result in ("published", "unchanged", "deployed"):
        for name, wanted in struck.wanted.items():
            if name not in lived.versions() or not lived.versions()[name]["id"]:
                yield f"{lived.result}, without a version of {name}"
            file = site.emulator.state.find_file(SPACE, name)
            if content_of(site, name, file.version) != wanted and not _has_note(lived, name):
                yield f"{lived.result}, and {name} points elsewhere"
    if lived.result in ("planned", "unchanged", "skipped") and struck.before != struck.after:
        yield f"{lived.result}, and changed: {struck.before.differences(struck.after)}"
    template_set = lived.outcome.heading.template_set
    if lived.result == "published" and template_set:
        chart = site.emulator.state.find_chart(template_set, lived.text("version"))
        if chart is None or not all(
            any(t in c for c in chart.contents.values()) for t in struck.wanted.values()
        ):
            yield f"published, and the template set {template_set} is not there whole"


def _drafts(struck: Struck) -> Iterator[str]:
    """Yield where somebody's draft is gone without a word, or is there and said to be gone."""
    is_gone = struck.before.drafts != struck.after.drafts
    if is_gone and not struck.may_be_lied_to and not any(said in struck.lived.log for said in DRAFT_NOTES):
        yield f"gone without a word: {struck.before.drafts}"
    if not is_gone and DRAFT_NOTES[0] in struck.lived.log and not struck.may_be_lied_to:
        yield "said to be gone, and is there"


def _has_note(lived: Lived, name: str) -> bool:
    return any(file.notes for file in lived.outcome.files if file.change.name == name)


def _rollout(struck: Struck) -> Iterator[str]:
    """Yield where the live objects are not what the run says of them."""
    lived, rollout = struck.lived, struck.lived.outcome.rollout
    back = rollout.restoration if rollout is not None else None
    if lived.result in ("deployed", "rolled-back"):
        entries = lived.versions().items()
        told = [(name, entry["version"]) for name, entry in entries if entry["state"] != "pruned"]
        gone = {f"{SPACE}/{name}" for name, entry in entries if entry["state"] == "pruned"}
        yield from (f"pruned: {one}" for one in {marks(o)[0] for o in objects(struck.site)} & gone)
        yield from _not_live(struck, told, said="deployed")
    if lived.result == "restored" and back is not None:
        yield from _not_live(struck, [(file.name, file.version) for file in back.files], said="restored")
    if rollout is not None and back is None:
        files = (*rollout.deployed, *rollout.live_already)
        yield from _not_live(struck, [(file.name, file.version) for file in files], said="said to be live")


def _not_live(struck: Struck, told: Sequence[tuple[str, str]], *, said: str) -> Iterator[str]:
    """Yield the files of which an object is not live at the version that was told, or none is."""
    live = [marks(found) for found in objects(struck.site)]
    for name, version in told:
        found = {mark for file, mark in live if file == f"{SPACE}/{name}"}
        if found != {version}:
            yield f"{said}, and {name} is live at {sorted(found)}, not {version}"


def _history(struck: Struck) -> Iterator[str]:
    """Yield what in the run's requests is no behaviour of the publish model."""
    lived = struck.lived
    ends_well = lived.outcome.error is None and "publish.unsettled" not in _keys(lived)
    files = lived.outcome.files if ends_well else ()
    reported = {
        file.change.name: file.version_id for file in files if file.state == "applied" and file.verified
    }
    yield from breaches(recorded(lived.exchanges), reported=reported)


def _keys(lived: Lived) -> set[str]:
    return {warning.key for warning in lived.outcome.warnings}
