"""Where an author mends a finding: the line of a template, or the value that `builtin:web` made it of.

Lines are looked for where there is a finding, and nowhere else. Performs no I/O but by what it is given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Optional

from bcs_template_set.manifests.checks.finding import Finding, Origin
from bcs_template_set.manifests.checks.telling import mistake
from bcs_template_set.manifests.fields import list_at, mapping_at, text_at
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.parse import yaml_of
from bcs_template_set.manifests.templating.template_notes import Notes
from bcs_template_set.manifests.templating.values import Values, ValuesText
from bcs_template_set.manifests.templating.web_values import domain_of
from bcs_template_set.manifests.templating.workspace_files import FileUnusable
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.messages import Text

if TYPE_CHECKING:
    from bcs_template_set.manifests.yaml_lines import Position, YamlLines

_IDS = {"file": "file", "syntax": "template-syntax", "missing": "missing-name", "failed": "template-failed"}

_CONTAINER = r"spec\.template\.spec\.containers\[0\]"
_OF_DOMAIN = (
    (rf"{_CONTAINER}\.image.*", "image"),
    (rf"{_CONTAINER}\.resources(.*)", r"resources\1"),
    (rf"{_CONTAINER}\.(liveness|readiness)Probe.*", r"\1"),
    (rf"{_CONTAINER}\.volumeMounts(\[\d+\]).*", r"volumes\1"),
    (rf"{_CONTAINER}\.ports.*", "port"),
    (rf"{_CONTAINER}\.env\[(\d+)\].*", r"env\1"),
    (rf"{_CONTAINER}\.name", "/app"),
    (r"spec\.template\.spec\.volumes(\[\d+\]).*", r"volumes\1"),
    (r"spec\.template\.spec\.imagePullSecrets(\[\d+\])?.*", r"/image_pull_secrets\1"),
    (r"spec\.replicas", "replicas"),
    (r"spec\.minReadySeconds", "min_ready_seconds"),
    (r"spec\.progressDeadlineSeconds", "progress_deadline"),
    (r"spec\.m(in|ax)Replicas", r"autoscale.m\1"),
    (r"spec\.targetCPUUtilizationPercentage", "autoscale.cpu"),
    (r"spec\.ports\[0\]\.nodePort", "node_port"),
    (r"spec\.ports\[0\]\.port", "port"),
    (r"spec\.rules\[0\]\.http\.paths(\[\d+\]).*", r"paths\1"),
    (r"spec\.tls.*", "tls"),
    (r"metadata\.annotations\[kubernetes\.io/ingress\.class\]", "/ingress_class"),
    (r"metadata\.annotations\[kubernetes\.io/ingress\.existLbId\]", "load_balancers"),
    (r"(?:metadata\.(?:name|labels)|spec\.(?:selector|scaleTargetRef|rules\[0\]\.host)).*|", "host"),
)
"""Which value a field of `builtin:web` is made of; with a slash, one beside the domains."""


_LIKE_A_HOST = re.compile(r"[a-z0-9.-]+")


def mistakes_of(notes: Notes) -> list[Finding]:
    """Return what was noted of templates as findings."""
    return [mistake(_IDS[kind], file, note, line=line) for (kind, file, line, _), note in notes.noted()]


def value_mistake(texts: Sequence[ValuesText], values: Values, path: str, problem: Text) -> Finding:
    """Return what is wrong with a value as a finding, where its key, or what should hold it, stands."""
    index = domain_of(path)
    host = _host(values, index) if index is not None else ""
    host = host if _LIKE_A_HOST.fullmatch(host) else ""  # else it may be anything, and is not shown
    file, at = _position(texts, path)
    found = mistake("values", file, problem)
    return replace(found, origin=Origin(file, at.line, host=host))


def with_origins(
    findings: Iterable[Finding],
    files: Iterable[ManifestFile],
    *,
    texts: Sequence[ValuesText],
    values: Values,
    read_text: Callable[[str], str],
) -> list[Finding]:
    """Return findings of rendered files with where an author mends them. `read_text` reads a template."""
    by_name = {file.name: file for file in files}
    lines = cache(lambda name: ValuesText(name, yaml_of(by_name[name].text)).lines)
    hosts = {host: nth for nth in range(len(_domains(values))) if (host := _host(values, nth))}

    @cache
    def own(name: str) -> int:
        file = by_name[name]
        return own_lines(file.text.split("\n"), _lines_of(read_text, file.source))

    def origin(finding: Finding) -> Origin:
        file = by_name[finding.file]
        if file.domain:
            return _value_of(finding, texts, values, host=file.domain, index=hosts[file.domain])
        line = _line_in(finding, lines(file.name))
        return Origin(file.source, line if line <= own(file.name) else 0)

    return [replace(finding, origin=origin(finding)) for finding in findings]


def _lines_of(read_text: Callable[[str], str], path: str) -> Sequence[str]:
    try:
        return read_text(path).split("\n")
    except FileUnusable:  # it was there when it was rendered
        return ()


def _value_of(
    finding: Finding, texts: Sequence[ValuesText], values: Values, *, host: str, index: int
) -> Origin:
    """Return the value that a field of a domain's file is made of; the domain, where it is given by none."""
    entry = f"domains[{index}]"
    for pattern, value in _OF_DOMAIN:
        found = re.fullmatch(pattern, finding.field)
        if found is not None:
            made_of = found.expand(value)
            if made_of.startswith("env"):
                made_of = f"env.{_env_names(values, index)[int(found[1])]}"
            path = made_of[1:] if made_of.startswith("/") else f"{entry}.{made_of}"
            file, at = _position(texts, path)
            if at.is_all:
                return Origin(file, at.line, value=path, host=host)
    file, at = _position(texts, entry)
    return Origin(file, at.line, value=entry, host=host, is_whole=True)


def _position(texts: Sequence[ValuesText], path: str) -> tuple[str, Position]:
    """Return the last text that gives a value, or what should hold it, and where it stands there.

    Where all are blank that is a file before the input, which nobody may have filled in.
    """
    best: Optional[tuple[str, Position]] = None
    for given in reversed(texts):
        at = given.lines.find(path)
        if at.is_final:
            return given.source, at
        if at.line and (best is None or len(at.path) > len(best[1].path)):
            best = given.source, at
    return best or (texts[0].source, at)


def _host(values: Values, index: int) -> str:
    return text_at(mapping_at(_domains(values)[index]), "host")


def _env_names(values: Values, index: int) -> Sequence[str]:
    """Return the names of a domain's variables, in the order in which its container has them."""
    return list(mapping_at(mapping_at(_domains(values)[index]).get("env")))


def _domains(values: Values) -> Sequence[YamlValue]:
    return list_at(values, "domains")


def _line_in(finding: Finding, lines: YamlLines) -> int:
    """Return the line of what was rendered that a finding is about; 0 where only its file is known."""
    said = finding.message.fields.get("line")
    if not finding.document:
        return said if isinstance(said, int) else 0
    return lines.find(finding.field, document_at=finding.line).line or finding.line


def own_lines(rendered: Sequence[str], source: Sequence[str]) -> int:
    """Return how many lines of what was rendered are those of its template; a later one may be another.

    They are the same as long as every line is the template's own, but for what `{{ }}` came to.
    """
    for line, (written, made) in enumerate(zip(source, rendered)):
        begin, braces, _ = written.rstrip("\r").partition("{{")
        if not (made.startswith(begin) if braces else made == begin):
            return line
    return len(source)
