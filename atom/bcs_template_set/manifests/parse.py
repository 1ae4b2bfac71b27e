"""Rendered text -> documents with their lines, to look at and never to dump. Pure: performs no I/O.

`{{ NAME }}`, which BCS replaces at deploy time, may stand where it is no YAML. For parsing, a word takes
its place; in the parsed values the `{{ NAME }}` is back, so that checks can see what is not known yet.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from functools import cached_property
from typing import NamedTuple, Optional

from bcs_template_set.manifests.fields import text_at
from bcs_template_set.manifests.look_alikes import sign_before_value
from bcs_template_set.manifests.parser_words import YamlUnreadable
from bcs_template_set.manifests.yaml_reading import YamlValue, read_documents
from bcs_template_set.manifests.yaml_words import MANIFESTS, WRITTEN
from bcs_template_set.messages import say
from bcs_template_set.records.late_dataclass import dataclass

_ONLY_VARIABLES = re.compile(r"(?m)^[ \t]*(?:\{\{[^}\n]*\}\}[ \t]*)+$")
_BREAKS_OF_YAML = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


@dataclass(frozen=True)
class Document:
    """One Kubernetes object of a file. "" where a field is missing or is no text; `line` counts from 1."""

    kind: str
    api_version: str
    name: str
    namespace: str
    line: int
    body: Mapping[str, YamlValue] = field(repr=False)

    @cached_property
    def group(self) -> str:
        """Return the group of its API version, "" for Kubernetes' core."""
        return self.api_version.rpartition("/")[0]

    @property
    def title(self) -> str:
        """Return `Kind/name`, as messages call it."""
        return f"{self.kind or '?'}/{self.name or '?'}"


def parse_documents(
    text: str, *, source: str, lost: Optional[list[YamlUnreadable]] = None
) -> tuple[Document, ...]:
    """Return the documents of a rendered text; empty ones are left out. `lost` is that of `read_documents`.

    Raises:
        YamlUnreadable: the text is no YAML, or a document is no mapping.
    """
    variables = _Placeholders(text)
    documents: list[Document] = []
    for line, value in read_documents(variables.hidden, source=source, reading=WRITTEN, lost=lost):
        if value is None:
            continue
        if not isinstance(value, dict):
            sign = sign_before_value(text.split("\n")[line - 1 : line])
            problem, column = (sign.problem, sign.column + 1) if sign else (say("render.no_object"), 1)
            raise YamlUnreadable(problem, source=source, line=line, column=column)
        documents.append(document_of(variables.shown_in(value), line=line))
    return tuple(documents)


def yaml_of(text: str) -> str:
    """Return a rendered text as it is parsed: line by line the same, with a word for every `{{ … }}`."""
    return _Placeholders(text).hidden


def parse_foreign(text: str) -> Optional[tuple[Document, ...]]:
    """Return the documents of a file somebody else wrote, or None where it can't be read.

    `{{ … }}` may stand anywhere; lines that hold nothing else, such as Helm's `{{- if … }}`, are skipped.
    """
    bare = _ONLY_VARIABLES.sub(lambda match: _as_many_lines(match[0]), text)
    variables = _Placeholders(bare)
    try:
        found = list(read_documents(variables.hidden, source="", reading=MANIFESTS))
    except YamlUnreadable:
        return None
    return tuple(
        document_of(variables.shown_in(value), line=line) for line, value in found if isinstance(value, dict)
    )


def document_of(body: Mapping[str, YamlValue], *, line: int = 1) -> Document:
    """Return an object's body with the fields every message speaks of."""
    return Document(
        kind=text_at(body, "kind"),
        api_version=text_at(body, "apiVersion"),
        name=text_at(body, "metadata", "name"),
        namespace=text_at(body, "metadata", "namespace"),
        line=line,
        body=body,
    )


class BcsVariable(NamedTuple):
    """A `{{ … }}` of a text: what is between the braces, and where it begins and ends."""

    inner: str
    start: int
    end: int

    @property
    def name(self) -> str:
        """Return the name of the variable that BCS puts there."""
        return self.inner.strip()


def bcs_variables_in(text: str) -> Iterator[BcsVariable]:
    """Yield every `{{ … }}` that BCS would replace, in order.

    The same as BCS's pattern, braces around anything but `}` (cluster-resources,
    pkg/action/template/helper.go), but in one walk: on a text of braces a pattern would take hours.
    """
    if "{{" not in text:
        return
    begin, close = 0, text.find("}")
    while close >= 0:
        start = text.find("{{", begin, close)
        begin = close + 1
        if start >= 0 and text.startswith("}}", close):
            begin = close + 2
            yield BcsVariable(inner=text[start + 2 : close], start=start, end=begin)
        close = text.find("}", begin)


def with_variables(text: str, values: Mapping[str, str]) -> str:
    """Return a text as BCS makes it with these values of variables, "" of those it has none of."""
    pieces: list[str] = []
    end = 0
    for variable in bcs_variables_in(text):
        pieces += (text[end : variable.start], values.get(variable.name, ""))
        end = variable.end
    return "".join(pieces) + text[end:]


def _as_many_lines(text: str) -> str:
    """Return as many line breaks as a text has that is taken out, so that line numbers stay true."""
    return "\n" * len(_BREAKS_OF_YAML.findall(text))


class _Placeholders:
    """Puts words in the place of `{{ … }}`, and `{{ … }}` back into parsed values."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._variables = list(bcs_variables_in(text))

    @cached_property
    def _stem(self) -> str:
        """Return how a word begins that no text can hold by chance, or on purpose: it is made of the text."""
        digest = hashlib.sha256(self._text.encode("utf-8", "surrogatepass"))
        return f"bcs{digest.hexdigest()[:12]}v"

    @property
    def hidden(self) -> str:
        """Return the text with a word in the place of each `{{ … }}`, as many lines long."""
        text = self._text
        pieces: list[str] = []
        end = 0
        for number, variable in enumerate(self._variables):
            word = f"{self._stem}{number}z{_as_many_lines(variable.inner)}"
            pieces += (text[end : variable.start], word)
            end = variable.end
        return "".join(pieces) + text[end:]

    def shown_in(self, value: dict[str, YamlValue]) -> dict[str, YamlValue]:
        if not self._variables:
            return value
        return {self._show(key): self._shown(item) for key, item in value.items()}

    def _show(self, text: str) -> str:
        word = rf"{self._stem}([0-9]+)z"
        return re.sub(word, lambda match: "{{" + self._variables[int(match[1])].inner + "}}", text)

    def _shown(self, value: YamlValue) -> YamlValue:
        if isinstance(value, str):
            return self._show(value)
        if isinstance(value, list):
            return [self._shown(item) for item in value]
        if isinstance(value, dict):
            return self.shown_in(value)
        return value
