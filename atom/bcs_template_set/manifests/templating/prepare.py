"""Everything that the inputs name, read once, and what is wrong with it. Reads only the files it is given.

What can't be read hides nothing of the rest: `prepare` returns what can be rendered, and every mistake.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from functools import cached_property
from pathlib import Path
from typing import Optional

from bcs_template_set.manifests.branch_paths import Claim
from bcs_template_set.manifests.checks.finding import Finding
from bcs_template_set.manifests.checks.telling import mistake, subject_of
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.naming import DEFAULT_MAIN_BRANCHES, WEB_FILES, routes_file, web_file
from bcs_template_set.manifests.scope import Scope
from bcs_template_set.manifests.step_comments import allowed_in
from bcs_template_set.manifests.templating.build_context import BuildContext, with_main_branches
from bcs_template_set.manifests.templating.limits import Limits
from bcs_template_set.manifests.templating.origins import value_mistake, with_origins
from bcs_template_set.manifests.templating.values import Values, ValuesText, read_values
from bcs_template_set.manifests.templating.web_values import Web, read_main_branches, read_web_values
from bcs_template_set.manifests.templating.workspace_files import (
    MOST_FILES,
    FileUnusable,
    TemplateSource,
    Workspace,
    resolve_templates,
)
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import LimitExceeded
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.system.clock import Clock, Deadline

BUILTINS = ("web",)
_VALUES_INPUT = "values"
_PIPELINE_VARIABLE = re.compile(r"[^#]*\$\{\{[^{}]*\}\}")


@dataclass(frozen=True)
class RenderRequest:
    """What to render: the inputs of the same names, what the run is about, and the time; None: no end of it.

    `by` is who started the build, `only` what the run is about. Templates that are not our own are rendered
    within `limits`, in a process with `environ`, whole.
    """

    workspace: Path
    templates: tuple[str, ...]
    values_text: str
    values_files: tuple[str, ...]
    context: BuildContext
    clock: Clock
    deadline: Optional[Deadline] = None
    by: str = ""
    only: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Prepared:
    """What a run renders, as far as it could be read. `claim` is its branch's to its path.

    `context` is the request's, with the path its branch has among these `main_branches`; `allowed` are the
    checks that comments in the values leave the files of built-in templates out of. `mistakes` are what is
    wrong with the inputs and the files they name: the others are rendered all the same, to be looked at.
    """

    request: RenderRequest = field(repr=False)
    context: BuildContext
    main_branches: tuple[str, ...]
    claim: Claim
    workspace: Workspace
    values: Values
    web: Optional[Web]
    sources: tuple[TemplateSource, ...]
    allowed: frozenset[str] = frozenset()
    texts: tuple[ValuesText, ...] = field(default=(), repr=False)
    mistakes: tuple[Finding, ...] = ()

    @cached_property
    def scope(self) -> Scope:
        """Return which files of all that the inputs name the run is about."""
        domains = self.web.domains if self.web is not None else ()
        files = [web_file(domain.host, part) for domain in domains for part in WEB_FILES]
        return Scope(self.request.only, (*files, *(source.name for source in self.sources)))

    def with_origins(self, findings: Iterable[Finding], files: Iterable[ManifestFile]) -> list[Finding]:
        """Return findings of rendered files with where an author mends them."""
        read_text = self.workspace.read_text
        return with_origins(findings, files, texts=self.texts, values=self.values, read_text=read_text)

    @property
    def branch_domains(self) -> tuple[str, ...]:
        """Return the hosts whose paths belong to branches, and whose routes the run is about."""
        domains = self.web.domains if self.web is not None else ()
        hosts = (domain.host for domain in domains if domain.branch_paths)
        return tuple(host for host in hosts if self.scope.has(routes_file(host)))


def prepare(request: RenderRequest) -> Prepared:
    """Return what the request comes to before anything is rendered, and what is wrong with it.

    Files that are missing, outside the workspace, binary, … are mistakes, and so are values that are no YAML,
    have reserved names, lose their spelling, or are not what a built-in template takes. Without all values
    nothing is rendered: it would lack names that somebody gave.

    Raises:
        LimitExceeded: there are more files than a run may have.
    """
    workspace = Workspace(request.workspace)
    problems: list[Text] = []
    found: list[Finding] = []
    builtins, sources = resolve_templates(workspace, request.templates, builtins=BUILTINS, problems=problems)
    found += [mistake("file", subject_of(problem), problem) for problem in problems]
    # Read to see that it can be read; the text is not kept, for there may be thousands.
    sources = [source for source in sources if _read_or_note(workspace, source.path, found=found) is not None]
    texts = [*_read_values_files(workspace, request.values_files, found=found)]
    texts.append(ValuesText(_VALUES_INPUT, request.values_text))
    values = read_values(texts, found=found)
    web: Optional[Web] = None
    main_branches: tuple[str, ...] = DEFAULT_MAIN_BRANCHES
    if values is None or len(texts) <= len(request.values_files):
        values, sources = {}, []
    else:
        wrong: list[tuple[str, Text]] = []
        if builtins:
            web = read_web_values(values, found=wrong, shared=bool(sources))
        else:
            main_branches = read_main_branches(values, found=wrong)
        if web is not None:
            main_branches = tuple(web.main_branches)
        told = {(finding.found_in.file, finding.found_in.line) for finding in found}
        of_web = [value_mistake(texts, values, path, problem) for path, problem in wrong]
        found += [one for one in of_web if (one.found_in.file, one.found_in.line) not in told]
        sources = list(_without_clashes(web, sources, found=found))
    context = with_main_branches(request.context, main_branches)
    return Prepared(
        request=request,
        context=context,
        main_branches=main_branches,
        claim=_claim_of(context, by=request.by),
        workspace=workspace,
        values=values,
        web=web,
        sources=tuple(sources),
        allowed=frozenset(name for given in texts for name in allowed_in(given.text)),
        texts=tuple(texts),
        mistakes=tuple(found),
    )


def _claim_of(context: BuildContext, *, by: str) -> Claim:
    branch = context.branch
    return Claim(branch.path, branch.name, context.pipeline.id, context.build.number, by)


def _read_values_files(
    workspace: Workspace, paths: Iterable[str], *, found: list[Finding]
) -> Iterator[ValuesText]:
    for path in paths:
        text = _read_or_note(workspace, path, found=found)
        if text is not None:
            for number, line in enumerate(text.split("\n") if "${{" in text else (), 1):
                if _PIPELINE_VARIABLE.match(line):
                    found.append(mistake("values", path, say("render.values_variable"), line=number))
            yield ValuesText(path, text)


def _read_or_note(workspace: Workspace, path: str, *, found: list[Finding]) -> Optional[str]:
    try:
        return workspace.read_text(path)
    except FileUnusable as exc:
        found.append(mistake("file", path, exc.problem))
        return None


def _without_clashes(
    web: Optional[Web], sources: Sequence[TemplateSource], *, found: list[Finding]
) -> Iterator[TemplateSource]:
    """Yield the files of the workspace but those that would hide one of a domain; refuse too many."""
    domains = web.domains if web is not None else []
    number = len(domains) * len(WEB_FILES) + len(sources)
    if number > MOST_FILES:
        raise LimitExceeded(what=say("render.limit_files", number=number), limit=MOST_FILES)
    made = {web_file(domain.host, part) for domain in domains for part in WEB_FILES}
    for source in sources:
        if source.name in made:
            problem = say("render.name_twice", name=source.name, first="builtin:web", second=source.path)
            found.append(mistake("file", source.path, problem))
        else:
            yield source
