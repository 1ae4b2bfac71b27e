"""Templates, values and context -> the manifests of the run. Reads only the files it is given.

`render_files` makes all files, each as far as it goes, and says what is wrong with the others;
`render_routes` makes those again that branches share, when it is known what the others are served at.

The rendered text is what will be uploaded, comments included: it is parsed to be looked at, never dumped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, nullcontext
from pkgutil import get_data
from typing import NamedTuple, Optional

from bcs_template_set.manifests.branch_paths import Served
from bcs_template_set.manifests.checks.finding import Finding
from bcs_template_set.manifests.checks.telling import ALL_EMPTY, mistake, refusal_of
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.naming import WEB_FILES, DomainNames, web_file
from bcs_template_set.manifests.parse import Document, parse_documents
from bcs_template_set.manifests.parser_words import YamlUnreadable
from bcs_template_set.manifests.templating.bcs_places import Marks, Settled
from bcs_template_set.manifests.templating.build_context import known_names
from bcs_template_set.manifests.templating.environment import BuiltinEnvironment, OwnEnvironment
from bcs_template_set.manifests.templating.origins import mistakes_of, own_lines
from bcs_template_set.manifests.templating.prepare import Prepared
from bcs_template_set.manifests.templating.template_notes import OUT_OF_TIME, Notes
from bcs_template_set.manifests.templating.templates import Templates
from bcs_template_set.manifests.templating.web_ingresses import ingresses_of, own_paths
from bcs_template_set.manifests.templating.web_values import Domain, Web
from bcs_template_set.manifests.templating.worker_process import TemplateProcess, TemplateRun
from bcs_template_set.manifests.templating.workspace_files import FileUnusable, no_files
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import LimitExceeded

MOST_DOCUMENTS = 10_000
MOST_TOTAL_TEXT = 64 * 2**20
_ONLY_NAMES = re.compile(r"(?:[^{}]|\{\{ ?[a-z][a-z_]*(?:\.[a-z][a-z_]*)? ?\}\})*")
"""A version without a loop, a call, a filter or an operator, such as the default."""


class Rendered(NamedTuple):
    """The files of a run that could be rendered, sorted by name, and what is wrong with all others.

    `empty` are templates that render to nothing: no files of this run.
    """

    files: tuple[ManifestFile, ...]
    mistakes: tuple[Finding, ...] = ()
    empty: tuple[ManifestFile, ...] = ()


class _Work(NamedTuple):
    """One manifest to make: where its template is, the names only it may use, and what to call the result.

    The template of one that is not our own is read when it is rendered.
    """

    name: str
    source: str
    domain: str = ""
    text: str = ""
    extra: Mapping[str, object] = {}
    allowed: frozenset[str] = frozenset()


def template_process(prepared: Prepared) -> closing[TemplateProcess]:
    """Return what renders the templates that are not our own, in a child that is started at the first."""
    request = prepared.request
    run = TemplateRun(
        workspace=prepared.workspace.root,
        values=prepared.values,
        context=prepared.context,
        clock=request.clock,
        deadline=request.deadline,
        limits=request.limits,
        environ=request.environ,
    )
    return closing(TemplateProcess(run))


def render_files(prepared: Prepared, process: Optional[TemplateProcess] = None) -> Rendered:
    """Return the manifests of the run that can be rendered, and all mistakes of the others and of the inputs.

    Of branch paths they have this branch's only. `process` renders them, where the run has one already.
    """
    with nullcontext(process) if process is not None else template_process(prepared) as renders:
        work = (item for item in _all_work(prepared) if prepared.scope.has(item.name))
        rendered = _render_all(work, prepared, process=renders)
    mistakes = (*prepared.mistakes, *rendered.mistakes)
    if not rendered.files and not mistakes:
        problem = say("render.all_empty")
        mistakes = tuple(mistake(ALL_EMPTY, file.source, problem) for file in rendered.empty)
    return rendered._replace(mistakes=mistakes)


def render_manifests(prepared: Prepared) -> Rendered:
    """Return what `render_files` does.

    Raises:
        FilesMistaken: there are mistakes; a detail for each.
    """
    return _without_mistakes(render_files(prepared))


def _without_mistakes(rendered: Rendered) -> Rendered:
    refusal = refusal_of(rendered.mistakes)
    if refusal is not None:
        raise refusal
    return rendered


def render_routes(prepared: Prepared, served: Mapping[str, Served]) -> tuple[ManifestFile, ...]:
    """Return the routes files of these hosts, all of them `branch_domains`, with these paths.

    `served` has the paths of every Ingress of a host, as `serve_branch` returns them.

    Raises:
        LimitExceeded: sizes or time are over their limits.
    """
    with template_process(prepared) as process:
        rendered = _render_all(_routes_work(prepared, served), prepared, process=process)
    return _without_mistakes(rendered).files


def render_version(expression: str, process: TemplateProcess, *, found: list[Finding]) -> str:
    """Return the version name that the input `version` comes to, without space around it.

    It knows the names of the build only. One that does nothing but name them needs no child. What is wrong
    with it is added to `found`, as for a manifest, and "" returned.
    """
    names = known_names(process.run.context)
    notes = Notes(names)
    try:
        if _ONLY_NAMES.fullmatch(expression):
            own = _Own(names, process, notes=notes, kind=OwnEnvironment)
            rendered = own.render(expression, name="version")
        else:
            rendered = process.render(expression, name="version", notes=notes, is_version=True)
    except LimitExceeded as exc:
        found.append(mistake("limit", "version", exc.title()))
        return ""
    found += mistakes_of(notes)
    return rendered.text.strip() if rendered is not None else ""


class _Own:
    """Renders our own templates, in this process: what they cost follows from values that are bounded."""

    def __init__(
        self,
        names: Mapping[str, object],
        process: TemplateProcess,
        *,
        notes: Notes,
        kind: type[OwnEnvironment] = BuiltinEnvironment,
    ) -> None:
        self._marks = Marks(process.stem)
        self._templates = Templates(names, notes=notes, marks=self._marks, read_text=no_files, kind=kind)

    def render(
        self, source: str, *, name: str, extra: Optional[Mapping[str, object]] = None
    ) -> Optional[Settled]:
        text = self._templates.render(source, name=name, extra=extra, keep=True)
        return None if text is None else self._marks.settled(text)


def _all_work(prepared: Prepared) -> Iterator[_Work]:
    web = prepared.web
    if web is not None:
        texts = {part: builtin_source("web", part) for part in WEB_FILES}
        for domain in web.domains:
            names = _names_for(web, domain, served=own_paths(web, domain, claim=prepared.claim))
            for part, text in texts.items():
                yield _domain_work(prepared, domain, names, part=part, text=text)
    for source in prepared.sources:
        yield _Work(source.name, source.path)


def _routes_work(prepared: Prepared, served: Mapping[str, Served]) -> Iterator[_Work]:
    web = prepared.web
    if web is None:
        return
    text = builtin_source("web", "routes")
    for domain in web.domains:
        if domain.branch_paths and domain.host in served:
            names = _names_for(web, domain, served=served[domain.host])
            yield _domain_work(prepared, domain, names, part="routes", text=text)


def _names_for(web: Web, domain: Domain, *, served: Served) -> Mapping[str, object]:
    """Return the names that only the files of a domain may use, beside those of all templates."""
    return {
        "image_pull_secrets": web.image_pull_secrets,
        "ingress_class": web.ingress_class,
        "domain": domain,
        "names": DomainNames(app=web.app, host=domain.host),
        "ingresses": ingresses_of(web, domain, served=served),
    }


def _domain_work(
    prepared: Prepared, domain: Domain, names: Mapping[str, object], *, part: str, text: str
) -> _Work:
    source = f"builtin:web/{part}.yaml.j2"
    return _Work(web_file(domain.host, part), source, domain.host, text, names, prepared.allowed)


def builtin_source(name: str, part: str) -> str:
    """Return the source of one of a built-in template's files."""
    return (get_data("bcs_template_set.templates", f"{name}/{part}.yaml.j2") or b"").decode()


def _render_all(work: Iterable[_Work], prepared: Prepared, *, process: TemplateProcess) -> Rendered:
    """Render and parse file by file, each as far as it goes."""
    names = process.run.names
    notes = Notes(names)
    own = _Own(names, process, notes=notes)
    files: list[ManifestFile] = []
    found: list[Finding] = []
    total = documents = 0
    for item in work:
        try:
            process.check_time(item.source)
            text = item.text or prepared.workspace.read_text(item.source)
            if item.domain:
                rendered = own.render(text, name=item.source, extra=item.extra)
            else:
                rendered = process.render(text, name=item.source, notes=notes)
        except FileUnusable as exc:
            found.append(mistake("file", item.source, exc.problem))
            continue
        except LimitExceeded as exc:
            found.append(mistake("limit", item.source, exc.title()))
            if exc.what.key == OUT_OF_TIME:
                break
            continue
        if rendered is None:
            continue
        file = _parse(item, rendered, text=text, found=found)
        if file is None:
            continue
        total += len(file.text)
        documents += len(file.documents)
        over = _over_all(total, documents)
        if over is not None:
            found.append(mistake("limit", item.source, over.title()))
            break
        files.append(file)
    files.sort(key=lambda file: file.name)
    kept, empty = (tuple(file for file in files if file.is_empty is wanted) for wanted in (False, True))
    return Rendered(kept, (*found, *mistakes_of(notes)), empty)


def _over_all(total: int, documents: int) -> Optional[LimitExceeded]:
    """Return which limit of all files together, their characters and documents, is exceeded, if one is."""
    if total > MOST_TOTAL_TEXT:
        limit = say("render.mebibytes", number=MOST_TOTAL_TEXT // 2**20)
        return LimitExceeded(what=say("render.limit_total"), limit=limit)
    if documents > MOST_DOCUMENTS:
        return LimitExceeded(what=say("render.limit_documents", number=documents), limit=MOST_DOCUMENTS)
    return None


def _parse(item: _Work, rendered: Settled, *, text: str, found: list[Finding]) -> Optional[ManifestFile]:
    """Return the file, None where it can't be read, or BCS would replace what may be a secret."""
    if rendered.is_cut:
        found.append(mistake("yaml", item.source, say("render.bcs_cut")))
    elif rendered.foreign:
        line, number = rendered.foreign[0], len(rendered.foreign)
        found.append(mistake("yaml", item.source, say("render.braces_foreign", line=line, number=number)))
    wrong: list[YamlUnreadable] = []
    documents: Optional[tuple[Document, ...]] = None
    try:
        documents = parse_documents(rendered.text, source=item.name, lost=wrong)
    except YamlUnreadable as exc:
        wrong.append(exc)
    if wrong:
        found += _unreadable(item.source, wrong, rendered=rendered.text, text=text)
    if documents is None or rendered.is_cut or rendered.foreign:
        return None
    return ManifestFile(
        name=item.name,
        text=rendered.text,
        source=item.source,
        documents=documents,
        variables=frozenset(rendered.places.values()),
        places=frozenset(rendered.places),
        domain=item.domain,
        allowed=item.allowed,
        left_out=rendered.left_out,
    )


def _unreadable(
    source: str, wrong: Sequence[YamlUnreadable], *, rendered: str, text: str
) -> Iterator[Finding]:
    """Yield what is no YAML, at its place in the template, or in what that renders to."""
    lines = text.split("\n")
    own = own_lines(rendered.split("\n"), lines)
    for exc in wrong:
        if exc.line <= own:
            column = 0 if "{{" in lines[exc.line - 1] else exc.column
            yield mistake("yaml", source, exc.problem, line=exc.line, column=column)
        else:
            at = say("render.manifest_unreadable", line=exc.line, column=exc.column, problem=exc.problem)
            yield mistake("yaml", source, at)
