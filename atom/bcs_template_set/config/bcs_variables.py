"""The input `variables`: values for the `{{ NAME }}` that BCS replaces at deploy time. Performs no I/O.

BCS takes texts only (facts/bcs.md, "Answers"), so a word or a number arrives as it is written.
"""

from __future__ import annotations

import re

from bcs_template_set.manifests.parser_words import YamlUnreadable
from bcs_template_set.manifests.wrong_values import wrong_value
from bcs_template_set.manifests.yaml_reading import YamlValue, read_yaml
from bcs_template_set.manifests.yaml_words import TEXTS
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import ValuesInvalid
from bcs_template_set.messages.secret import MASK

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,127}")


def read_variables(text: str) -> dict[str, str]:
    """Return the variables of the input, by name; none where it is empty.

    Raises:
        ValuesInvalid: it is no mapping of names to texts; a detail for each mistake.
    """
    try:
        given = read_yaml(text, source="variables", reading=TEXTS)
    except YamlUnreadable as exc:
        raise ValuesInvalid(details=[exc.as_text()]) from None
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise ValuesInvalid(details=[_wrong("variables", given, kind=dict)])
    mistakes = [
        mistake
        for nth, (name, value) in enumerate(given.items(), start=1)
        for mistake in _mistakes(name, value, nth=nth)
    ]
    if mistakes:
        raise ValuesInvalid(details=mistakes)
    return {name: value for name, value in given.items() if isinstance(value, str)}


def _mistakes(name: str, value: YamlValue, *, nth: int) -> list[Text]:
    found = []
    shown = name if _NAME.fullmatch(name) else MASK  # where a colon is missing, the value is part of it
    if not _NAME.fullmatch(name):
        found.append(say("settings.variable_name", nth=nth))
    if not isinstance(value, str):
        found.append(_wrong(f"variables.{shown}", value, kind=str))
    return found


def _wrong(name: str, value: YamlValue, *, kind: type) -> Text:
    accepted = say("render.accepts_any_mapping" if kind is dict else "render.accepts_str")
    return wrong_value(
        name, value, accepted=accepted, takes=lambda other: isinstance(other, kind), is_secret=True
    )
