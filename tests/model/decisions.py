"""What a build decides by what it has read: asked of the product's own functions. Performs no I/O.

`read_existing`, `with_branches`, `make_plan`, `refusal` and `settle` are called as the step calls them, with
a reader that answers out of what a build has seen of the shelf. Versions never change, so only the two lists
are read at some moment, and names only if they are asked for; the same view always gives the same decision,
and is decided once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, NamedTuple, Optional, TypeVar, Union, cast

from bcs_template_set.bcs.answers import (
    FileVersions,
    Project,
    TemplateFile,
    TemplateSpace,
    TemplateVersion,
    VersionName,
)
from bcs_template_set.bcs.calls import Call, Read
from bcs_template_set.bcs.calls import Write as WriteCall
from bcs_template_set.bcs.dialect import LISTS_VERSIONS, Site
from bcs_template_set.bcs.space.existing import Existing, ExistingFile
from bcs_template_set.bcs.space.provenance import Provenance, ids_in
from bcs_template_set.bcs.space.read_space import read_existing
from bcs_template_set.bcs.space.unmerged_versions import not_upon
from bcs_template_set.bcs.space.versions import read_versions
from bcs_template_set.bcs.space.wanted import Again, Wanted
from bcs_template_set.branches.merge_paths import routes_files, with_branches
from bcs_template_set.manifests.branch_paths import claims_of
from bcs_template_set.manifests.parse import parse_foreign
from bcs_template_set.manifests.templating.build_context import make_context
from bcs_template_set.manifests.templating.prepare import Prepared, RenderRequest, prepare
from bcs_template_set.manifests.templating.render import render_manifests
from bcs_template_set.publish.concurrent_writes import settle
from bcs_template_set.publish.file_outcome import FileOutcome
from bcs_template_set.publish.make_plan import make_plan
from bcs_template_set.publish.plan import Change, Desired, Plan, Policy, SpaceRef, refusal
from bcs_template_set.publish.write_files import Publishing
from bcs_template_set.system.clock import Deadline
from tests.model.shelf import BEGAN, Row, Version, Write
from tests.support.building import StandingClock, manifest

T = TypeVar("T")

HOST, SPACE, PIPELINE = "a.io", "s", "p-1"
ROUTES, PLAIN = f"{HOST}.routes.yaml", "plain.yaml"
_VALUES = "app: web\ndomains: [{host: a.io, image: 'i:1', load_balancers: [lb-1], branch_paths: true}]"
_CLOCK = StandingClock()


@dataclass(frozen=True)
class Who:
    """One build. `shares` says that its file is one that branches share, else it is a plain one."""

    branch: str
    number: int = 1
    shares: bool = True
    removes: frozenset[str] = frozenset()
    on_newer_build: str = "fail"
    began: int = BEGAN

    @property
    def version(self) -> str:
        """Return the build's version name."""
        return f"1.0.{self.number}-{self.branch}"

    @property
    def file(self) -> str:
        """Return the name of the file that it publishes."""
        return ROUTES if self.shares else PLAIN


class Nothing(NamedTuple):
    """The file is as the build wants it, or as it may leave it."""


class Refused(NamedTuple):
    """The build must not write: the error's class."""

    error: str


class NeedsNames(Exception):
    """The build lists the names of the versions before it decides."""


class Crowded(NamedTuple):
    """The file is as the build wants it, but others have written at once, and nobody has merged it yet."""


Decision = Union[Write, Nothing, Refused, Crowded, NeedsNames]


class Look(NamedTuple):
    """Whether a rival wrote too, so that the build plans again, and whether what it wrote may be hidden."""

    is_rivalled: bool
    hides: bool


class View(NamedTuple):
    """What a build has read: the rows at one moment, the versions at a later one, None where it has not.

    `held` are the contents that it may read by their ids.
    """

    rows: tuple[Row, ...]
    versions: Optional[tuple[Version, ...]]
    held: tuple[Version, ...]


Describe = Callable[[Version], str]


class Decisions:
    """The decisions of some builds.

    With `forgets_bases` no version tells what it was made from, with `lists_nothing` nobody is told the names
    of versions that are not current.
    """

    def __init__(
        self, builds: tuple[Who, ...], *, forgets_bases: bool = False, lists_nothing: bool = False
    ) -> None:
        self.builds = builds
        self.asked = 0
        self._forgets_bases, self._lists_nothing = forgets_bases, lists_nothing
        self._prepared = [_prepare(who) if who.shares else None for who in builds]
        self._rendered = [_render(who, prepared) for who, prepared in zip(builds, self._prepared)]
        self._plans: dict[tuple[int, View, bool, bool], Decision] = {}
        self._looks: dict[tuple[int, Write, str, View, bool], Union[Look, NeedsNames]] = {}
        self._changes: dict[tuple[int, Write], Change] = {}
        self._merged: dict[tuple[int, tuple[str, ...]], Desired] = {}
        self._branches: dict[str, frozenset[str]] = {}

    def plan(self, build: int, view: View, *, again: bool = False, merges: bool = False) -> Decision:
        """Return what the build would do about what it has read; it may be its turn to merge."""
        key = (build, view, again, merges)
        if key not in self._plans:
            self.asked += 1
            try:
                self._plans[key] = self._plan(build, view, again=again, merges=merges)
            except NeedsNames as exc:
                self._plans[key] = exc
        return self._plans[key]

    def look(
        self, build: int, write: Write, version_id: str, view: View, *, unsure: bool
    ) -> Union[Look, NeedsNames]:
        """Return what the build finds, looking back after its write."""
        key = (build, write, version_id, view, unsure)
        if key not in self._looks:
            self.asked += 1
            try:
                self._looks[key] = self._look(build, write, version_id, view, unsure=unsure)
            except NeedsNames as exc:
                self._looks[key] = exc
        return self._looks[key]

    def is_part(self, build: int, version: Version, view: View) -> bool:
        """Tell whether a build that waits for its turn finds its version to be part of the current one."""
        reader = self._reader(self.builds[build].file, view)
        current = view.rows[0].version

        def read(ids: Iterable[str]) -> dict[str, TemplateVersion]:
            return read_versions(reader, "web", ids)

        return not not_upon(
            [version.id], current, read=read, goes_on=lambda found: found not in ids_in(version.bases)
        )

    def branches(self, text: str) -> frozenset[str]:
        """Return the branches that a routes file serves."""
        if text not in self._branches:
            documents = parse_foreign(text) or ()
            self._branches[text] = frozenset(claim.branch for _, claim in claims_of(documents))
        return self._branches[text]

    # --- the product ------------------------------------------------------------------------------------

    def _plan(self, build: int, view: View, *, again: bool, merges: bool) -> Decision:
        who, rendered, prepared = self.builds[build], self._rendered[build], self._prepared[build]
        policy, ours = _policy(who), frozenset({who.file})
        wanted = Wanted(
            project="web",
            space=SPACE,
            files=rendered.files,
            version=rendered.version,
            template_set="",
            started_at=who.began,
            ours=rendered.provenance,
            shared=rendered.shared,
            again=Again(ours, Existing(), merges=ours if merges else frozenset()) if again else None,
        )
        existing = read_existing(self._reader(who.file, view), wanted)
        desired = rendered if prepared is None else self._merge(build, existing, prepared)
        owes = any(file.crowd for file in existing.files.values())
        return self._decision(build, make_plan(desired, existing, policy=policy), policy, owes=owes)

    def _merge(self, build: int, existing: Existing, prepared: Prepared) -> Desired:
        """Return what is desired beside the other branches; made of contents alone, so once for each."""
        found = existing.files.get(ROUTES)
        contents = _contents(found) if found is not None else ()
        if (build, contents) not in self._merged:
            self._merged[build, contents] = with_branches(
                self._rendered[build], existing, prepared=prepared, remove=self.builds[build].removes
            )
        return self._merged[build, contents]

    def _decision(self, build: int, plan: Plan, policy: Policy, *, owes: bool) -> Decision:
        refused = refusal(plan, policy=policy)
        if refused is not None:
            return Refused(type(refused).__name__)
        (change,) = plan.changes
        if not change.writes:
            return Crowded() if owes else Nothing()
        write = Write(
            row=change.template_id,
            against=change.previous.id if change.previous is not None else "",
            name=change.version,
            text=change.content,
            bases=change.bases,
            known=change.known,
            owes=owes,
        )
        self._changes[build, write] = change
        return write

    def _look(self, build: int, write: Write, version_id: str, view: View, *, unsure: bool) -> Look:
        who = self.builds[build]
        publishing = Publishing(
            writer=self._reader(who.file, view),
            desired=self._rendered[build],
            clock=_CLOCK,
            deadline=Deadline(_CLOCK, seconds=None),
            on_file=lambda _: None,
        )
        change = self._changes[build, write]
        applied = FileOutcome(change, "applied", version_id=version_id, version=write.name, unsure=unsure)
        settled = settle(publishing, [applied], space_id="space")
        return Look(who.file in settled.rivalled, who.file in settled.hiding)

    def _reader(self, file: str, view: View) -> _Shown:
        if self._lists_nothing and view.versions is not None:
            current = {row.version for row in view.rows}
            view = view._replace(versions=tuple(v for v in view.versions if v.id in current))
        return _Shown(file, view, self._description)

    def _description(self, version: Version) -> str:
        bases = () if self._forgets_bases else version.bases
        return self._rendered[version.by].provenance.line(version.text, bases=bases)


def _contents(found: ExistingFile) -> tuple[str, ...]:
    current = found.current.content if found.current is not None else ""
    pairs = ((r.version.content, r.base.content if r.base is not None else "") for r in found.unmerged)
    return (current, *(text for pair in pairs for text in pair))


def _policy(who: Who) -> Policy:
    return Policy(remove_branches=who.removes, on_newer_build=who.on_newer_build)  # type: ignore[arg-type] # one of the three


def _prepare(who: Who) -> Prepared:
    given = {"branch.name": who.branch, "build.number": str(who.number), "pipeline.id": PIPELINE}
    request = RenderRequest(
        workspace=Path(),
        templates=("builtin:web",),
        values_text=_VALUES,
        values_files=(),
        context=make_context(given),
        clock=_CLOCK,
        by="wangwu",
    )
    return prepare(request)


def _render(who: Who, prepared: object) -> Desired:
    files = [manifest(f"kind: A\nby: {who.branch} {who.number}\n", name=PLAIN)]
    if isinstance(prepared, Prepared):
        files = [file for file in render_manifests(prepared).files if file.name == ROUTES]
    provenance = Provenance(PIPELINE, who.number, who.branch, "c", "wangwu", "lisi")
    shared = routes_files(prepared) if isinstance(prepared, Prepared) else frozenset[str]()
    return Desired(SpaceRef("gz", "web", SPACE), who.version, tuple(files), provenance, shared)


# --- what a build is shown ------------------------------------------------------------------------------


class _Shown:
    """A reader that answers out of a view; nothing is written through it."""

    most_at_once = 1

    def __init__(self, file: str, view: View, description: Describe) -> None:
        self._file, self._view, self._description = file, view, description
        self.site = Site()
        self.site.learn(LISTS_VERSIONS)
        self._held = {version.id: version for version in view.held}

    def read(self, call: Read[T]) -> T:
        """Return the answer to a read."""
        return cast("T", self._answers()[call.name](call))  # each call has the type of its own answer

    def write(self, call: WriteCall[T]) -> T:
        """Refuse: the model does the writing itself."""
        raise AssertionError(call.name)

    def _answers(self) -> Mapping[str, Callable[[Call[object]], object]]:
        return {
            "get project": lambda _: Project(project_id="0" * 32, project_code="web"),
            "list spaces": lambda _: [TemplateSpace(id="space", name=SPACE)],
            "list files": lambda _: [self._row(row) for row in self._view.rows],
            "list version names": lambda _: self._names(),
            "get version": lambda call: self._version(self._held[call.segments[-1]]),
        }

    def _row(self, row: Row) -> TemplateFile:
        return TemplateFile(
            id=row.id,
            name=f"{SPACE}/{self._file}",
            real_name=self._file,
            version=self._held[row.version].name,
            version_id=row.version,
            version_mode=0,
        )

    def _names(self) -> list[FileVersions]:
        """Return the list of names, which goes by the files: without a row there are none.

        Source: pkg/action/template, ListTemplateMetadataVersions (2026-07).
        """
        if self._view.versions is None:
            raise NeedsNames
        if not self._view.rows:
            return []
        names = tuple(VersionName(v.name, v.id, v.second) for v in self._view.versions)
        return [FileVersions(f"{SPACE}/{self._file}", version_list=names)]

    def _version(self, version: Version) -> TemplateVersion:
        return TemplateVersion(
            id=version.id,
            version=version.name,
            content=version.text,
            description=self._description(version),
            create_at=version.second,
        )
