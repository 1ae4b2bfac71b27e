"""Values files and the input `values` -> one mapping for templates. Pure: performs no I/O.

Later texts win over earlier ones, mapping by mapping; a list is replaced as a whole, never joined.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Optional

from bcs_template_set.manifests.checks.finding import Finding
from bcs_template_set.manifests.checks.telling import mistake
from bcs_template_set.manifests.look_alikes import sign_before_value
from bcs_template_set.manifests.parser_words import YamlUnreadable
from bcs_template_set.manifests.step_comments import comments_in
from bcs_template_set.manifests.templating.build_context import CONTEXT_NAMES
from bcs_template_set.manifests.yaml_reading import YamlValue, read_yaml
from bcs_template_set.messages import say
from bcs_template_set.records.late_dataclass import dataclass

if TYPE_CHECKING:
    from bcs_template_set.manifests.yaml_lines import YamlLines

RESERVED = (*CONTEXT_NAMES, "bcs", "live_replicas", "include_raw")
Values = Mapping[str, YamlValue]


@dataclass(frozen=True)
class ValuesText:
    """A text that holds values, and what to call it in messages: a path, or the input's name."""

    source: str
    text: str

    @cached_property
    def lines(self) -> YamlLines:
        """Return where its keys stand, for what there is to say of them."""
        from bcs_template_set.manifests.yaml_lines import YamlLines  # noqa: PLC0415 - as YAML's own parser is

        return YamlLines(self.text)


def read_values(texts: Sequence[ValuesText], *, found: list[Finding]) -> Optional[dict[str, YamlValue]]:
    """Return the values of all texts, later over earlier; None where one of them can't be read.

    Every text that is no YAML mapping, every reserved name, and every comment for the step that allows
    nothing, is added to `found`.
    """
    merged: Optional[dict[str, YamlValue]] = {}
    for given in texts:
        read = _read(given, found=found)
        values = read or {}
        for name in [name for name in values if name in RESERVED]:
            message = say("render.values_reserved", name=name, reserved=RESERVED)
            line = given.lines.find(name).line
            found.append(mistake("values", given.source, message, line=line))
        for comment in comments_in(given.text):
            if comment.word != "allow" or not comment.rest:
                message = say("render.values_comment", word=comment.word)
                found.append(mistake("values", given.source, message, line=comment.line))
        merged = None if merged is None or read is None else merge_values(merged, values)
    return merged


def merge_values(base: Values, over: Values) -> dict[str, YamlValue]:
    """Return `base` with `over` laid on it: mappings merge, everything else is replaced."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = (
            merge_values(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
        )
    return merged


def _read(given: ValuesText, *, found: list[Finding]) -> Optional[Values]:
    """Return the values, those that would lose their spelling too; None where the text can't be read."""
    wrong: list[YamlUnreadable] = []
    value: YamlValue = None
    try:
        value = read_yaml(given.text, source=given.source, lost=wrong)
        if value is None:
            value = {}
    except YamlUnreadable as exc:
        wrong.append(exc)
    found += [mistake("values", given.source, exc.problem, line=exc.line, column=exc.column) for exc in wrong]
    if value is None or isinstance(value, dict):
        return value
    sign = sign_before_value(given.text.split("\n"))
    if sign is not None:
        place = {"line": sign.line + 1, "column": sign.column + 1}
        found.append(mistake("values", given.source, sign.problem, **place))
    else:
        kind = say("render.kind_list") if isinstance(value, list) else say("render.kind_scalar")
        found.append(mistake("values", given.source, say("render.values_not_mapping", kind=kind)))
    return None
