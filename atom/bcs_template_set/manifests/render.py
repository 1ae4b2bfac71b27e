"""Templates, values and context -> the manifests of the run. Reads only the files it is given.

The rendered text is what will be uploaded, comments included: it is parsed to be looked at, never dumped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Optional

from bcs_template_set.clock import Clock
from bcs_template_set.errors import (
    LimitExceeded,
    ManifestsInvalid,
    NamesMissing,
    TemplateFailed,
    TemplateSyntax,
    TemplateUnreadable,
)
from bcs_template_set.manifests.budget import Budget
from bcs_template_set.manifests.naming import DomainNames
from bcs_template_set.manifests.parse import ManifestFile, parse_documents
from bcs_template_set.manifests.templates import Rendered, Templates
from bcs_template_set.manifests.values import ValuesText, read_values
from bcs_template_set.manifests.web_values import Domain, Web, read_web_values
from bcs_template_set.manifests.workspace_files import (
    MOST_FILES,
    FileUnusable,
    TemplateSource,
    Workspace,
    resolve_templates,
)
from bcs_template_set.manifests.yaml_reading import YamlUnreadable, YamlValue
from bcs_template_set.messages import Text, say
from bcs_template_set.run_context import CONTEXT_NAMES, RunContext

MOST_DOCUMENTS = 5000
MOST_TOTAL_TEXT = 64 * 2**20
BUILTINS = ("web",)
_WEB_FILES = ("deployment", "routes")
_VALUES_INPUT = "values"


@dataclass(frozen=True)
class RenderRequest:
    """What to render: the inputs of the same names, what the run is about, and the time."""

    workspace: Path
    templates: tuple[str, ...]
    values_text: str
    values_files: tuple[str, ...]
    context: RunContext
    clock: Clock


@dataclass(frozen=True)
class _Work:
    """One manifest to make: a template's source, the names only it may use, and what to call the result."""

    name: str
    source: str
    text: str
    domain: str
    extra: Mapping[str, object]


def render_manifests(request: RenderRequest) -> tuple[ManifestFile, ...]:
    """Return the manifests of the run, sorted by name.

    Raises:
        TemplateUnreadable: files are missing, outside the workspace, binary, …; a detail for each.
        ValuesInvalid: values are no YAML, have reserved names, or are not what a built-in template takes.
        TemplateSyntax: templates are no Jinja2.
        NamesMissing: templates use names that have no value.
        TemplateFailed: templates raised errors or asked for what the sandbox forbids.
        LimitExceeded: sizes, counts or time are over their limits.
        ManifestsInvalid: what came out is no YAML.
    """
    workspace = Workspace(request.workspace)
    builtins, sources, values = _read_inputs(request, workspace)
    web = read_web_values(values, shared=bool(sources)) if builtins else None
    _check_names(web, sources)
    names = {**values, **{name: getattr(request.context, name) for name in CONTEXT_NAMES}}
    templates = Templates(Budget(request.clock), read_text=workspace.read_text, context=names)
    files = _render_all(templates, _all_work(workspace, web, sources))
    return tuple(sorted(files, key=lambda file: file.name))


def render_version(expression: str, *, context: RunContext, clock: Clock) -> str:
    """Return the version name that the input `version` comes to, without space around it.

    Raises:
        TemplateSyntax, NamesMissing, TemplateFailed, LimitExceeded: as for a manifest.
    """
    names = {name: getattr(context, name) for name in CONTEXT_NAMES}
    templates = Templates(Budget(clock), read_text=_no_includes, context=names)
    rendered = templates.render(expression, name="version")
    _raise_mistakes(templates)
    return rendered.text.strip() if rendered is not None else ""


def _no_includes(path: str) -> str:
    raise FileUnusable(say("render.file_missing", path=path))


def _read_inputs(
    request: RenderRequest, workspace: Workspace
) -> tuple[list[str], list[TemplateSource], dict[str, YamlValue]]:
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
    return builtins, sources, read_values([*texts, ValuesText(_VALUES_INPUT, request.values_text)])


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
    made = {f"{domain.host}.{part}.yaml" for domain in domains for part in _WEB_FILES}
    problems = [
        say("render.name_twice", name=source.name, first="builtin:web", second=source.path)
        for source in sources
        if source.name in made
    ]
    if problems:
        raise TemplateUnreadable(details=problems)


def _all_work(workspace: Workspace, web: Optional[Web], sources: Sequence[TemplateSource]) -> Iterator[_Work]:
    if web is not None:
        texts = {part: builtin_source("web", part) for part in _WEB_FILES}
        for domain in web.domains:
            yield from _domain_work(web, domain, texts)
    for source in sources:
        try:
            text = workspace.read_text(source.path)
        except FileUnusable as exc:
            raise TemplateUnreadable(details=[exc.problem]) from exc
        yield _Work(name=source.name, source=source.path, text=text, domain="", extra={})


def _domain_work(web: Web, domain: Domain, texts: Mapping[str, str]) -> Iterator[_Work]:
    extra: dict[str, object] = {
        "app": web.app,
        "image_pull_secrets": web.image_pull_secrets,
        "ingress_class": web.ingress_class,
        "domain": domain,
        "names": DomainNames(app=web.app, host=domain.host),
    }
    for part in _WEB_FILES:
        yield _Work(
            name=f"{domain.host}.{part}.yaml",
            source=f"builtin:web/{part}.yaml.j2",
            text=texts[part],
            domain=domain.host,
            extra=extra,
        )


def builtin_source(name: str, part: str) -> str:
    """Return the source of one of a built-in template's files."""
    folder = resources.files("bcs_template_set.templates").joinpath(name)
    return folder.joinpath(f"{part}.yaml.j2").read_text(encoding="utf-8")


def _render_all(templates: Templates, work: Iterable[_Work]) -> list[ManifestFile]:
    """Render and parse file by file; all mistakes of one kind are raised together."""
    files: list[ManifestFile] = []
    unreadable: list[Text] = []
    total = documents = 0
    for item in work:
        rendered = templates.render(item.text, name=item.source, extra=item.extra, keep=bool(item.domain))
        if rendered is None:
            continue
        total += len(rendered.text)
        if total > MOST_TOTAL_TEXT:
            limit = say("render.mebibytes", number=MOST_TOTAL_TEXT // 2**20)
            raise LimitExceeded(what=say("render.limit_total"), limit=limit)
        try:
            file = _parse(item, rendered)
        except YamlUnreadable as exc:
            unreadable.append(say("render.manifest_unreadable", template=item.source, problem=exc.as_text()))
            continue
        documents += len(file.documents)
        if documents > MOST_DOCUMENTS:
            raise LimitExceeded(what=say("render.limit_documents", number=documents), limit=MOST_DOCUMENTS)
        files.append(file)
    _raise_mistakes(templates)
    if unreadable:
        raise ManifestsInvalid(details=unreadable)
    return files


def _parse(item: _Work, rendered: Rendered) -> ManifestFile:
    return ManifestFile(
        name=item.name,
        text=rendered.text,
        source=item.source,
        documents=parse_documents(rendered.text, source=item.name),
        variables=rendered.variables,
        domain=item.domain,
    )


def _raise_mistakes(templates: Templates) -> None:
    mistakes = templates.mistakes()
    if mistakes.syntax:
        raise TemplateSyntax(details=mistakes.syntax)
    if mistakes.missing:
        raise NamesMissing(details=mistakes.missing)
    if mistakes.failed:
        raise TemplateFailed(details=mistakes.failed)
