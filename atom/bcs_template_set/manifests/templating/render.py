"""Templates, values and context -> the manifests of the run. Reads only the files it is given.

What can be known without BCS comes first: `prepare` reads every input and says what is wrong with them,
`render_manifests` makes all files, and `render_routes` makes those again that branches share, when it is
known what the others are served at.

The rendered text is what will be uploaded, comments included: it is parsed to be looked at, never dumped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Optional

from bcs_template_set.manifests.branch_paths import Claim, Served
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.naming import DomainNames, web_file
from bcs_template_set.manifests.parse import parse_documents
from bcs_template_set.manifests.step_comments import allowed_in
from bcs_template_set.manifests.templating.bcs_places import Marks, Settled
from bcs_template_set.manifests.templating.build_context import BuildContext, with_main_branches
from bcs_template_set.manifests.templating.limits import Limits
from bcs_template_set.manifests.templating.template_notes import Notes
from bcs_template_set.manifests.templating.templates import Templates
from bcs_template_set.manifests.templating.values import Values, ValuesText, read_values
from bcs_template_set.manifests.templating.web_ingresses import WebIngress, ingresses_of, own_paths
from bcs_template_set.manifests.templating.web_values import Domain, Web, read_main_branches, read_web_values
from bcs_template_set.manifests.templating.worker_process import TemplateProcess, TemplateRun
from bcs_template_set.manifests.templating.workspace_files import (
    MOST_FILES,
    FileUnusable,
    TemplateSource,
    Workspace,
    no_files,
    resolve_templates,
)
from bcs_template_set.manifests.yaml_reading import YamlUnreadable
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import (
    LimitExceeded,
    ManifestsInvalid,
    NamesMissing,
    TemplateFailed,
    TemplateSyntax,
    TemplateUnreadable,
)
from bcs_template_set.system.clock import Clock, Deadline

MOST_DOCUMENTS = 5000
MOST_TOTAL_TEXT = 64 * 2**20
BUILTINS = ("web",)
_WEB_FILES = ("deployment", "service", "routes")
_VALUES_INPUT = "values"
_ONLY_NAMES = re.compile(r"(?:[^{}]|\{\{ ?[a-z][a-z_]*(?:\.[a-z][a-z_]*)? ?\}\})*")
"""A version without a loop, a call, a filter or an operator, such as the default."""


@dataclass(frozen=True)
class RenderRequest:
    """What to render: the inputs of the same names, what the run is about, and the time; None: no end of it.

    `by` is who started the build. Templates that are not our own are rendered within `limits`, in a process
    with `environ`, whole.
    """

    workspace: Path
    templates: tuple[str, ...]
    values_text: str
    values_files: tuple[str, ...]
    context: BuildContext
    clock: Clock
    deadline: Optional[Deadline] = None
    by: str = ""
    limits: Limits = field(default_factory=Limits)
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Prepared:
    """What a run renders, read and found right. `claim` is its branch's to its path.

    `context` is the request's, with the path its branch has among these `main_branches`; `allowed` are the
    checks that comments in the values leave the files of built-in templates out of.
    """

    context: BuildContext
    main_branches: tuple[str, ...]
    claim: Claim
    clock: Clock
    deadline: Optional[Deadline]
    workspace: Workspace
    values: Values
    web: Optional[Web]
    sources: tuple[TemplateSource, ...]
    allowed: frozenset[str] = frozenset()
    limits: Limits = field(default_factory=Limits)
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def branch_domains(self) -> tuple[str, ...]:
        """Return the hosts whose paths belong to branches."""
        domains = self.web.domains if self.web is not None else ()
        return tuple(domain.host for domain in domains if domain.branch_paths)


@dataclass(frozen=True)
class _Work:
    """One manifest to make: a template's source, the names only it may use, and what to call the result."""

    name: str
    source: str
    text: str
    domain: str
    extra: Mapping[str, object]
    allowed: frozenset[str] = frozenset()


def prepare(request: RenderRequest) -> Prepared:
    """Return what the request comes to before anything is rendered.

    Raises:
        TemplateUnreadable: files are missing, outside the workspace, binary, …; a detail for each.
        ValuesInvalid: values are no YAML, have reserved names, or are not what a built-in template takes.
        LimitExceeded: there are more files than a run may have.
    """
    workspace = Workspace(request.workspace)
    builtins, sources, texts = _read_inputs(request, workspace)
    values = read_values(texts)
    web = read_web_values(values, shared=bool(sources)) if builtins else None
    main_branches = read_main_branches(values)
    _check_names(web, sources)
    context = with_main_branches(request.context, main_branches)
    return Prepared(
        context=context,
        main_branches=main_branches,
        claim=_claim_of(context, by=request.by),
        clock=request.clock,
        deadline=request.deadline,
        workspace=workspace,
        values=values,
        web=web,
        sources=tuple(sources),
        allowed=frozenset(name for given in texts for name in allowed_in(given.text)),
        limits=request.limits,
        environ=request.environ,
    )


def _claim_of(context: BuildContext, *, by: str) -> Claim:
    branch = context.branch
    return Claim(branch.path, branch.name, context.pipeline.id, context.build.number, by)


def template_process(prepared: Prepared) -> closing[TemplateProcess]:
    """Return what renders the templates that are not our own, in a child that is started at the first."""
    run = TemplateRun(
        workspace=prepared.workspace.root,
        values=prepared.values,
        context=prepared.context,
        clock=prepared.clock,
        deadline=prepared.deadline,
        limits=prepared.limits,
        environ=prepared.environ,
    )
    return closing(TemplateProcess(run))


def render_manifests(
    prepared: Prepared, process: Optional[TemplateProcess] = None
) -> tuple[ManifestFile, ...]:
    """Return the manifests of the run, sorted by name; of branch paths, with this branch's only.

    `process` renders them, where the run has one already.

    Raises:
        TemplateSyntax: templates are no Jinja2.
        NamesMissing: templates use names that have no value.
        TemplateFailed: templates raised errors or asked for what the sandbox forbids.
        LimitExceeded: sizes, counts, memory or time are over their limits.
        ManifestsInvalid: what came out is no YAML.
    """
    with nullcontext(process) if process is not None else template_process(prepared) as renders:
        return _render_all(_all_work(prepared), process=renders)


def render_routes(prepared: Prepared, served: Mapping[str, Served]) -> tuple[ManifestFile, ...]:
    """Return the routes files of these hosts, all of them `branch_domains`, with these paths.

    `served` has the paths of every Ingress of a host, as `serve_branch` returns them.

    Raises:
        LimitExceeded: sizes or time are over their limits.
    """
    with template_process(prepared) as process:
        return _render_all(_routes_work(prepared, served), process=process)


def render_version(expression: str, process: TemplateProcess) -> str:
    """Return the version name that the input `version` comes to, without space around it.

    It knows the names of the build only. One that does nothing but name them needs no child.

    Raises:
        TemplateSyntax, NamesMissing, TemplateFailed, LimitExceeded: as for a manifest.
    """
    names = process.run.context_names
    notes = Notes(names)
    if _ONLY_NAMES.fullmatch(expression):
        rendered = _Own(names, process, notes=notes).render(expression, name="version")
    else:
        rendered = process.render(expression, name="version", notes=notes, is_version=True)
    _raise_mistakes(notes)
    return rendered.text.strip() if rendered is not None else ""


class _Own:
    """Renders our own templates, in this process: what they cost follows from values that are bounded."""

    def __init__(self, names: Mapping[str, object], process: TemplateProcess, *, notes: Notes) -> None:
        self._marks = Marks(process.stem)
        self._templates = Templates(names, notes=notes, marks=self._marks, read_text=no_files)

    def render(
        self, source: str, *, name: str, extra: Optional[Mapping[str, object]] = None
    ) -> Optional[Settled]:
        text = self._templates.render(source, name=name, extra=extra, keep=True)
        return None if text is None else self._marks.settled(text)


def _read_inputs(
    request: RenderRequest, workspace: Workspace
) -> tuple[list[str], list[TemplateSource], list[ValuesText]]:
    """Resolve every file that the inputs name, so that all that are wrong are said together."""
    problems: list[Text] = []
    builtins, sources = resolve_templates(workspace, request.templates, builtins=BUILTINS, problems=problems)
    texts = [
        ValuesText(source=path, text=_read_or_note(workspace, path, problems=problems))
        for path in request.values_files
    ]
    for source in sources:
        # Read to see that it can be read; the text is not kept, for there may be thousands.
        _read_or_note(workspace, source.path, problems=problems)
    if problems:
        raise TemplateUnreadable(details=problems)
    return builtins, sources, [*texts, ValuesText(_VALUES_INPUT, request.values_text)]


def _read_or_note(workspace: Workspace, path: str, *, problems: list[Text]) -> str:
    try:
        return workspace.read_text(path)
    except FileUnusable as exc:
        problems.append(exc.problem)
        return ""


def _check_names(web: Optional[Web], sources: Sequence[TemplateSource]) -> None:
    """Refuse too many files, and a file of the workspace that would hide one of a domain."""
    domains = web.domains if web is not None else []
    number = len(domains) * len(_WEB_FILES) + len(sources)
    if number > MOST_FILES:
        raise LimitExceeded(what=say("render.limit_files", number=number), limit=MOST_FILES)
    made = {web_file(domain.host, part) for domain in domains for part in _WEB_FILES}
    problems = [
        say("render.name_twice", name=source.name, first="builtin:web", second=source.path)
        for source in sources
        if source.name in made
    ]
    if problems:
        raise TemplateUnreadable(details=problems)


def _all_work(prepared: Prepared) -> Iterator[_Work]:
    web = prepared.web
    if web is not None:
        texts = {part: builtin_source("web", part) for part in _WEB_FILES}
        for domain in web.domains:
            ingresses = ingresses_of(web, domain, served=own_paths(web, domain, claim=prepared.claim))
            for part, text in texts.items():
                yield _domain_work(prepared, web, domain, ingresses=ingresses, part=part, text=text)
    for source in prepared.sources:
        try:
            text = prepared.workspace.read_text(source.path)
        except FileUnusable as exc:
            raise TemplateUnreadable(details=[exc.problem]) from exc
        yield _Work(name=source.name, source=source.path, text=text, domain="", extra={})


def _routes_work(prepared: Prepared, served: Mapping[str, Served]) -> Iterator[_Work]:
    web = prepared.web
    if web is None:
        return
    text = builtin_source("web", "routes")
    for domain in web.domains:
        if domain.branch_paths and domain.host in served:
            ingresses = ingresses_of(web, domain, served=served[domain.host])
            yield _domain_work(prepared, web, domain, ingresses=ingresses, part="routes", text=text)


def _domain_work(
    prepared: Prepared, web: Web, domain: Domain, *, ingresses: Sequence[WebIngress], part: str, text: str
) -> _Work:
    extra: dict[str, object] = {
        "app": web.app,
        "image_pull_secrets": web.image_pull_secrets,
        "ingress_class": web.ingress_class,
        "domain": domain,
        "names": DomainNames(app=web.app, host=domain.host),
        "ingresses": ingresses,
    }
    source = f"builtin:web/{part}.yaml.j2"
    return _Work(web_file(domain.host, part), source, text, domain.host, extra, prepared.allowed)


def builtin_source(name: str, part: str) -> str:
    """Return the source of one of a built-in template's files."""
    folder = resources.files("bcs_template_set.templates").joinpath(name)
    return folder.joinpath(f"{part}.yaml.j2").read_text(encoding="utf-8")


def _render_all(work: Iterable[_Work], *, process: TemplateProcess) -> tuple[ManifestFile, ...]:
    """Render and parse file by file; all mistakes of one kind are raised together."""
    names = process.run.names
    notes = Notes(names)
    own = _Own(names, process, notes=notes)
    files: list[ManifestFile] = []
    wrong: list[Text] = []
    total = documents = 0
    for item in work:
        process.check_time(item.source)
        if item.domain:
            rendered = own.render(item.text, name=item.source, extra=item.extra)
        else:
            rendered = process.render(item.text, name=item.source, notes=notes)
        if rendered is None:
            continue
        total += len(rendered.text)
        if total > MOST_TOTAL_TEXT:
            limit = say("render.mebibytes", number=MOST_TOTAL_TEXT // 2**20)
            raise LimitExceeded(what=say("render.limit_total"), limit=limit)
        wrong += _wrong_braces(item, rendered)
        try:
            file = _parse(item, rendered)
        except YamlUnreadable as exc:
            wrong.append(say("render.manifest_unreadable", template=item.source, problem=exc.as_text()))
            continue
        documents += len(file.documents)
        if documents > MOST_DOCUMENTS:
            raise LimitExceeded(what=say("render.limit_documents", number=documents), limit=MOST_DOCUMENTS)
        files.append(file)
    _raise_mistakes(notes)
    if wrong:
        raise ManifestsInvalid(details=wrong)
    return tuple(sorted(files, key=lambda file: file.name))


def _wrong_braces(item: _Work, rendered: Settled) -> Iterator[Text]:
    """Yield what BCS would replace although no template said so. What it is may be a secret."""
    if rendered.is_cut:
        yield say("render.bcs_cut", template=item.source)
    elif rendered.foreign:
        line, number = rendered.foreign[0], len(rendered.foreign)
        yield say("render.braces_foreign", template=item.source, line=line, number=number)


def _parse(item: _Work, rendered: Settled) -> ManifestFile:
    return ManifestFile(
        name=item.name,
        text=rendered.text,
        source=item.source,
        documents=parse_documents(rendered.text, source=item.name),
        variables=frozenset(rendered.places.values()),
        places=frozenset(rendered.places),
        domain=item.domain,
        allowed=item.allowed,
        left_out=rendered.left_out,
    )


def _raise_mistakes(notes: Notes) -> None:
    mistakes = notes.mistakes()
    if mistakes.syntax:
        raise TemplateSyntax(details=mistakes.syntax)
    if mistakes.missing:
        raise NamesMissing(details=mistakes.missing)
    if mistakes.failed:
        raise TemplateFailed(details=mistakes.failed)
