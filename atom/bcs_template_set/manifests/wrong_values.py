"""What a sentence says of a value that is not taken: what it is, and the right form. Pure: performs no I/O.

A value may be a secret that stands in the wrong place: text is shown only where it is a number or a word of
YAML, and nothing of what `is_secret`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Callable, Optional, Union

from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.spelling import with_nearest

Accepted = Union[Text, str]

_WORDS = {"true": True, "false": False}
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,9})(?:\.[0-9]{1,6})?")


def wrong_value(
    name: str,
    value: YamlValue,
    *,
    accepted: Accepted,
    takes: Callable[[YamlValue], bool],
    is_secret: bool = False,
) -> Text:
    """Return the sentence for a value of a file; `takes` tells whether another value would be right there."""
    given = kind_of(value) if is_secret else _shown(value)
    if value is None or value in ("", []):
        return say("settings.wrong_empty", name=name, accepted=accepted)
    if isinstance(value, list) and takes({"NAME": "value"}):
        return say("settings.write_mapping", name=name, given=given)
    if isinstance(value, (bool, int, float)) and takes(_written(value)):
        sentence, form = ("quoted", given) if is_secret else ("text", _written(value))
        return say(f"settings.write_{sentence}", name=name, given=given, form=form)
    if isinstance(value, str) and not is_secret and takes(_plain(value)):
        return say("settings.write_plain", name=name, given=given, form=value.strip())
    if isinstance(value, str) and takes([value]):
        return say("settings.write_list", name=name, given=given)
    return say("settings.wrong_type", name=name, given=given, accepted=accepted)


def wrong_text(name: str, given: Accepted, *, accepted: Accepted, choices: Sequence[str] = ()) -> Text:
    """Return the sentence for text that may be shown: what was given, what is accepted, what was meant."""
    mistake = say("settings.wrong", name=name, given=given, accepted=accepted)
    return with_nearest(mistake, given, choices) if isinstance(given, str) else mistake


def one_of(choices: Sequence[str]) -> Accepted:
    """Return what says which words are accepted: the word alone where there is one."""
    return choices[0] if len(choices) == 1 else say("settings.one_of", choices=choices)


def kind_of(value: YamlValue) -> Text:
    """Return what a message says of a given value: not what it is, for it may be a secret."""
    kinds = (("kind_mapping", dict), ("kind_list", list), ("kind_flag", bool), ("kind_text", str))
    name = next((name for name, kind in kinds if isinstance(value, kind)), "kind_number")
    return say(f"render.{name}")


def _shown(value: YamlValue) -> Accepted:
    """Return what a value is, and itself where it can be no secret."""
    if isinstance(value, str) and _plain(value) is not None:
        return say("settings.given_text", value=value)
    if isinstance(value, bool):
        return say("settings.given_flag", value=_written(value))
    if isinstance(value, (int, float)) and _NUMBER.fullmatch(_written(value)):
        return say("settings.given_number", value=_written(value))
    return kind_of(value)


def _plain(text: str) -> Optional[Union[bool, int, float]]:
    """Return what a text says without its quotes, None where that is the text."""
    if text in _WORDS:
        return _WORDS[text]
    if not _NUMBER.fullmatch(text):
        return None
    return float(text) if "." in text else int(text)


def _written(value: float) -> str:
    return str(value).lower()
