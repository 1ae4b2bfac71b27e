"""YAML: text in, plain values out, or one error with file, line and column; and back again.

Pure: performs no I/O. What is plain is read line by line, and only the rest from a parser's events
(`yaml_events`): PyYAML is imported by the first text that needs it, for most runs have none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Optional, Union

from bcs_template_set.manifests.parser_words import YamlUnreadable
from bcs_template_set.manifests.plain_lines import read_plain
from bcs_template_set.manifests.yaml_words import VALUES, Reading, is_text
from bcs_template_set.messages import Text, say

if TYPE_CHECKING:
    import yaml

    from bcs_template_set.manifests.yaml_beginnings import ParserType
    from bcs_template_set.manifests.yaml_events import Events

YamlValue = Union[None, bool, int, float, str, "list[YamlValue]", "dict[str, YamlValue]"]

LARGEST_TEXT = 2 * 1024 * 1024
MOST_TAG_DIRECTIVES = 100
"""libyaml compares each with all before it, and their tags are refused anyway."""

# What YAML 1.1 allows unescaped; the rest (NUL, control characters, half surrogate pairs) is refused here
# so that both parsers refuse it alike.
_NOT_YAML = "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
"""Compiled by the first text that is not ASCII: that takes as long as to check 30 documents."""
_ASCII_OF_YAML = b"\t\n\r" + bytes(range(0x20, 0x7F))
"""Of ASCII, what it does not refuse: to take these out is ten times as fast as to look for any other."""
_TAG_DIRECTIVE = "\n%TAG"


def read_yaml(
    text: str,
    *,
    source: str,
    reading: Reading = VALUES,
    parser: Optional[ParserType] = None,
    lost: Optional[list[YamlUnreadable]] = None,
) -> YamlValue:
    """Return the value of a text that holds one YAML document; None for an empty one.

    Mistakes past which the rest can be read, such as words that would lose their spelling, are added to
    `lost`, where it is given.

    Raises:
        YamlUnreadable: the text is no YAML, or more than one document.
    """
    value: YamlValue = None
    documents = read_documents(text, source=source, reading=reading, parser=parser, lost=lost)
    for number, (line, document) in enumerate(documents):
        if number > 0:
            raise YamlUnreadable(say("render.yaml_one_document"), source=source, line=line, column=1)
        value = document
    return value


def read_documents(
    text: str,
    *,
    source: str,
    reading: Reading = VALUES,
    parser: Optional[ParserType] = None,
    lost: Optional[list[YamlUnreadable]] = None,
) -> Iterator[tuple[int, YamlValue]]:
    """Yield each document of a text with the line, from 1, where its first key is.

    Raises:
        YamlUnreadable: at the first place that can't be read.
    """
    text = text.removeprefix("\ufeff")
    _check_characters(text, source=source)
    plain = read_plain(text, reading) if parser is None else None
    if plain is not None:
        return iter(plain)
    return _events()(text, source=source, reading=reading, parser=parser, lost=lost).documents()


@cache
def _events() -> type[Events]:
    from bcs_template_set.manifests.yaml_events import Events  # noqa: PLC0415 - see the module's docstring

    return Events


def has_read_slowly() -> bool:
    """Tell whether a text has needed the parser, and the one that is built on libyaml is missing."""
    if not _events.cache_info().currsize:
        return False
    from bcs_template_set.manifests.yaml_events import reads_slowly  # noqa: PLC0415 - as above

    return reads_slowly()


def dump_yaml(value: YamlValue) -> str:
    """Return a value as YAML in block style, keys in their order, that both readings read back the same."""
    import yaml  # noqa: PLC0415 - see the module's docstring

    text: str = yaml.dump(
        value,
        Dumper=_dumper(),
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=LARGEST_TEXT,
    )
    return text


@cache
def _dumper() -> type[yaml.SafeDumper]:
    import yaml  # noqa: PLC0415 - as above

    base: type[yaml.SafeDumper] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    plain: type[yaml.SafeDumper] = type("_Plain", (base,), {"ignore_aliases": lambda *_: True})
    plain.add_representer(str, _represent_text)
    return plain


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if is_text(text) else "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _check_characters(text: str, *, source: str) -> None:
    if len(text) > LARGEST_TEXT:
        limit = say("render.mebibytes", number=LARGEST_TEXT // 2**20)
        raise YamlUnreadable(say("render.yaml_large", limit=limit), source=source, line=1, column=1)
    is_plain = text.isascii() and not text.encode().translate(None, _ASCII_OF_YAML)
    bad = None if is_plain else re.search(_NOT_YAML, text)
    if bad is not None:
        problem = say("render.yaml_character", code=f"U+{ord(bad[0]):04X}")
        raise _unreadable_behind(text[: bad.start()], problem, source=source)
    *parts, _ = f"\n{text}".split(_TAG_DIRECTIVE, MOST_TAG_DIRECTIVES + 1)
    if len(parts) > MOST_TAG_DIRECTIVES:
        before = text[: len(_TAG_DIRECTIVE.join(parts))]
        raise _unreadable_behind(before, say("render.yaml_tag"), source=source)


def _unreadable_behind(before: str, problem: Text, *, source: str) -> YamlUnreadable:
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return YamlUnreadable(problem, source=source, line=line, column=column)
