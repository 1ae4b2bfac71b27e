"""Every sentence a user reads, in zh_CN and en_US, from one catalogue. Reads only its own JSON files.

The catalogue is one file an area beside this module: `<area>.json`, an object of
`"<name>": {"en_US": "…", "zh_CN": "…"}`; the key of a sentence is `<area>.<name>`. Placeholders are
`{field}`, filled from a `Text`'s fields; `{count:file|files}` is the first word where the field is 1, else
the second, and no other place chooses a plural; `{field.}` is made to end as a sentence does. A field may
itself be a `Text`, or a list, joined in the language's manner. Field values are data: they are never read as
placeholders.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from functools import cache
from pkgutil import get_data
from typing import Literal, cast

from bcs_template_set.records.late_dataclass import dataclass

Language = Literal["zh_CN", "en_US"]
LANGUAGES: tuple[Language, ...] = ("zh_CN", "en_US")

_PLACEHOLDER = re.compile(r"\{(\w+)(?::([^{}|]+)\|([^{}|]+)|(\.))?\}")
_FULL_STOP: dict[Language, str] = {"zh_CN": "。", "en_US": "."}
_ENDS = (*".:!?", *"。：！？")
_LIST_SEPARATOR: dict[Language, str] = {"zh_CN": "、", "en_US": ", "}


@dataclass(frozen=True)
class Text:
    """A sentence not yet in a language: its key in the catalogue and the fields it speaks of."""

    key: str
    fields: Mapping[str, object] = field(default_factory=dict)

    def render(self, language: Language) -> str:
        """Return the sentence in a language.

        Raises:
            KeyError: the catalogue has no such sentence, or it names a field that was not given.
        """
        template = _catalogue(self.key.partition(".")[0])[self.key][language]
        return _PLACEHOLDER.sub(lambda match: _filled(match, self.fields, language), template)

    def __str__(self) -> str:
        return self.render("en_US")


def say(key: str, /, **fields: object) -> Text:
    """Return the sentence of the catalogue named `<area>.<name>`, to be rendered later."""
    return Text(key, fields)


def known(key: str) -> bool:
    """Tell whether the catalogue has this sentence."""
    return key in _catalogue(key.partition(".")[0])


def language_of(locale: str | None) -> Language:
    """Return the language for BK-CI's `BK_CI_LOCALE_LANGUAGE`; zh_CN, the platform's default, if in doubt."""
    return "en_US" if (locale or "").lower().startswith("en") else "zh_CN"


def _filled(match: re.Match[str], fields: Mapping[str, object], language: Language) -> str:
    shown = _show(fields[match[1]], language)
    if match[4] and shown and not shown.endswith(_ENDS):
        return shown + _FULL_STOP[language]
    if match[2] is None:
        return shown
    return match[2] if shown == "1" else match[3]


def _show(value: object, language: Language) -> str:
    if isinstance(value, Text):
        return value.render(language)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _LIST_SEPARATOR[language].join(_show(item, language) for item in value)
    return str(value)


@cache
def _catalogue(area: str) -> dict[str, dict[Language, str]]:
    source = get_data(__name__, f"{area}.json") or b""
    entries = cast("dict[str, dict[Language, str]]", json.loads(source))
    return {f"{area}.{name}": sentence for name, sentence in entries.items()}
