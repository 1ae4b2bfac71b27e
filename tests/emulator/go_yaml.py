"""YAML as Go's yaml.v2 (2.4.0, what cluster-resources has) reads it into an interface, and writes it.

Its resolve.go, decode.go, encode.go and sorter.go. Words of YAML 1.1 are booleans, `y` and `n` among them;
numbers are Go's (`0X1F`, `0o17`, `0_8`, `1e_3`); dates and numbers of base 60 stay text (seen live,
contract/recorded). Performs no I/O.
"""

from __future__ import annotations

import functools
import marshal
import math
import re
from contextlib import suppress
from decimal import Decimal
from typing import Optional, Union

import yaml

from tests.emulator.cluster.tree import Manifest

_TAG = "tag:yaml.org,2002:"
_RESOLVED_TAGS = {f"{_TAG}{name}" for name in ("bool", "int", "float", "null", "timestamp")}
_TRUE = {"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"}
_FALSE = {"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"}
_NULL = {"", "~", "null", "Null", "NULL"}
_INFINITE = {
    sign + word: -1 if sign == "-" else 1 for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")
}
_NAN = {".nan", ".NaN", ".NAN"}
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INTEGER = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|[1-9][0-9]*|0)")
_BASE_60 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_TIMESTAMP = re.compile(
    r"\d{4}-\d\d?-\d\d?(?:(?:[Tt]|[ \t]+)\d\d?:\d\d:\d\d(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d\d?(?::?\d\d)?))?)?"
)
_LARGEST, _SMALLEST = 2**64 - 1, -(2**63)


class Unreadable(Exception):
    """The text is not YAML, or its top is no mapping: the message as Go says it."""


def read_mapping(text: str) -> Manifest:
    """Return the first document, all keys as text; an empty one where there is none. Raises Unreadable."""
    node = _first_document(text)
    if node is None or (isinstance(node, yaml.ScalarNode) and _scalar(node) is None):
        return {}
    if not isinstance(node, yaml.MappingNode):
        what = f"!!str `{node.value}`" if isinstance(node, yaml.ScalarNode) else "!!seq"
        raise Unreadable(
            "yaml: unmarshal errors:\n"
            f"  line {node.start_mark.line + 1}: cannot unmarshal {what} into map[string]interface {{}}"
        )
    return _mapping(node, top=True)


@functools.lru_cache(maxsize=4096)
def _first_document(text: str) -> Optional[yaml.Node]:
    """Return the nodes of a text, which a run has read again and again; nobody changes them."""
    if "!" not in text:  # of a tag that is nothing else the quick one says nothing
        with suppress(yaml.YAMLError):  # which the slow one says as Go does, if it is one to Go
            return next(iter(yaml.compose_all(text, Loader=_QuickLoader)), None)
    try:
        return next(iter(yaml.compose_all(text, Loader=_Loader)), None)
    except yaml.MarkedYAMLError as exc:
        raise Unreadable(f"yaml: line {_line_of(exc)}: {exc.problem}") from exc
    except yaml.YAMLError as exc:
        raise Unreadable(f"yaml: {exc}") from exc


def _line_of(error: yaml.MarkedYAMLError) -> int:
    """Return the line that Go names: a scanner's counts from one, a parser's from nought (decode.go)."""
    mark = error.problem_mark or error.context_mark
    line = mark.line if mark is not None else 0
    return max(line + isinstance(error, yaml.scanner.ScannerError), 1)


def _mapping(node: yaml.MappingNode, *, top: bool = False) -> Manifest:
    """Return the mapping; of a key that comes twice the last counts, and what is merged in counts least."""
    merged: Manifest = {}
    own: Manifest = {}
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode) and key.value == "<<" and not key.style:
            for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                if not isinstance(source, yaml.MappingNode):
                    raise Unreadable("yaml: map merge requires map or sequence of maps as the value")
                merged = {**_mapping(source), **merged}
        else:
            own[_key(key, top=top)] = _value(value)
    return {**merged, **own}


def _key(node: yaml.Node, *, top: bool) -> str:
    """Return the key as text: at the top as it is written, below as Go prints its value (mapx.CleanUpMap)."""
    if not isinstance(node, yaml.ScalarNode):
        raise Unreadable("yaml: invalid map key")
    value = node.value if top else _scalar(node)
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    return format_float(value) if isinstance(value, float) else str(value)


def _value(node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return _mapping(node)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item) for item in node.value]
    assert isinstance(node, yaml.ScalarNode)
    return _scalar(node)


def _scalar(node: yaml.ScalarNode) -> Union[bool, int, float, str, None]:
    """Return what a scalar is: a plain one, or one whose tag says so, is resolved; all others are text."""
    resolved = not node.style if not node.tag else node.tag in _RESOLVED_TAGS
    return resolve(node.value) if resolved else str(node.value)


class _QuickLoader(yaml.CSafeLoader):
    """Is libyaml itself, and as quick. It resolves nothing."""

    def resolve(self, kind: object, value: object, implicit: object) -> str:  # noqa: ARG002 - as the base
        return ""


class _Loader(yaml.SafeLoader):
    """Keeps of a scalar's tag only what is written. Takes tabs between words, and an anchor twice.

    So does libyaml, of which Go's reader was made; PyYAML's own scanner does not.
    """

    def scan_plain_spaces(self, indent: int, start_mark: yaml.Mark) -> list[str]:
        length = 0
        while self.peek(length) in " \t":
            length += 1
        between: str = self.prefix(length)
        if "\t" not in between or self.peek(length) in "#\0\r\n\x85\u2028\u2029":
            return list(super().scan_plain_spaces(indent, start_mark) or [])
        self.forward(length)
        return [between]

    def scan_to_next_token(self) -> None:
        super().scan_to_next_token()
        while self.peek() == "\t" and (self.flow_level or not self.allow_simple_key):
            self.forward()
            super().scan_to_next_token()

    def compose_node(self, parent: Optional[yaml.Node], index: int) -> Optional[yaml.Node]:
        if not self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]  # PyYAML's stubs leave it so
            self.anchors.pop(getattr(event, "anchor", None), None)
        return super().compose_node(parent, index)

    def compose_scalar_node(self, anchor: dict[str, yaml.Node]) -> yaml.ScalarNode:
        written = self.peek_event()  # type: ignore[no-untyped-call]  # PyYAML's stubs leave it so
        node = super().compose_scalar_node(anchor)
        node.tag = written.tag or ""
        return node


def resolve(text: str) -> Union[bool, int, float, str, None]:
    """Return what a plain scalar is."""
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if text in _NULL:
        return None
    if text in _INFINITE:
        return math.inf * _INFINITE[text]
    if text in _NAN:
        return math.nan
    number = _number(text)
    return text if number is None else number


def _number(text: str) -> Union[int, float, None]:
    if text[:1] == ".":
        return _float(text)
    if text[:1] not in set("+-0123456789") or _TIMESTAMP.fullmatch(text):
        return None
    plain = text.replace("_", "")
    if _INTEGER.fullmatch(plain):
        value = _integer(plain)
        if _SMALLEST <= value <= _LARGEST:
            return value
    return _float(plain)


def _float(plain: str) -> Optional[float]:
    """Return the number, None for what is none to strconv.ParseFloat: one beyond all floats is an error."""
    value = float(plain) if _FLOAT.fullmatch(plain) else math.inf
    return value if math.isfinite(value) else None


def _integer(plain: str) -> int:
    sign = -1 if plain.startswith("-") else 1
    digits = plain.lstrip("+-").lower()
    for prefix, base in (("0x", 16), ("0o", 8), ("0b", 2), ("0", 8)):
        if digits.startswith(prefix) and digits != "0":
            return sign * int(digits[len(prefix) :], base)
    return sign * int(digits)


# --- writing --------------------------------------------------------------------------------------------


def write(tree: object) -> str:
    """Return the text that `yaml.Marshal` writes."""
    return _written(marshal.dumps(tree, 2))  # type: ignore[arg-type] # trees of JSON can be


@functools.lru_cache(maxsize=4096)
def _written(tree: bytes) -> str:
    """Return the text of a tree, which a run has written again and again."""
    read: object = marshal.loads(tree)  # noqa: S302 - of this process
    quickly = write_quickly(read)
    return write_anything(read) if quickly is None else quickly


def write_anything(tree: object) -> str:
    """Return the text of any tree."""
    written = yaml.dump(tree, Dumper=_GoDumper, allow_unicode=True, default_flow_style=False, sort_keys=False)
    return str(written)


def write_quickly(tree: object) -> Optional[str]:
    """Return the text of a mapping of short plain words, as most are; None where something in it is not.

    It takes a twentieth of the time.
    """
    out: list[str] = []
    try:
        _write_mapping(tree, "", "", out)
    except _NoShortWord:
        return None
    return "".join(out)


class _NoShortWord(Exception):
    """Something is to be written that only the real writer knows how to."""


def _write_mapping(tree: object, indent: str, first: str, out: list[str]) -> None:
    if not isinstance(tree, dict) or not tree:
        raise _NoShortWord
    for key in _in_order(tuple(tree)):
        if not 0 < len(key) <= _WIDTH:
            raise _NoShortWord
        value, shown = tree[key], _short_word(key)
        if isinstance(value, dict) and value:
            out.append(f"{first}{shown}:\n")
            _write_mapping(value, f"{indent}  ", f"{indent}  ", out)
        elif isinstance(value, list) and value:
            out.append(f"{first}{shown}:\n")
            _write_sequence(value, indent, indent, out)
        else:
            out.append(f"{first}{shown}: {_leaf(value, before=len(indent) + len(shown))}\n")
        first = indent


def _write_sequence(tree: list[object], indent: str, first: str, out: list[str]) -> None:
    for item in tree:
        if isinstance(item, dict) and item:
            _write_mapping(item, f"{indent}  ", f"{first}- ", out)
        elif isinstance(item, list) and item:
            _write_sequence(item, f"{indent}  ", f"{first}- ", out)
        else:
            out.append(f"{first}- {_leaf(item, before=len(indent))}\n")
        first = indent


def _leaf(value: object, *, before: int) -> str:
    if isinstance(value, str):
        if " " in value and before + len(value) > _WIDTH:
            raise _NoShortWord
        return _short_word(value)
    if isinstance(value, (dict, list)):
        return "{}" if isinstance(value, dict) else "[]"
    return _shown_plain(value)


_WIDTH = 72
"""Columns in which a text with blanks is surely not folded."""
_SHORT_WORD = re.compile(r"[A-Za-z0-9/](?:[A-Za-z0-9_./@=+%-]|[: ](?=[A-Za-z0-9_./=+]))*|")


@functools.lru_cache(maxsize=1 << 16)
def _short_word(text: str) -> str:
    """Return how a text is written that has nothing but letters, digits and little between them."""
    if not _SHORT_WORD.fullmatch(text):
        raise _NoShortWord
    return f'"{text}"' if _is_quoted(text) else text


@functools.lru_cache(maxsize=1 << 12)
def _in_order(keys: tuple[str, ...]) -> list[str]:
    return sorted(keys, key=functools.cmp_to_key(_compare))


def format_float(value: float) -> str:
    """Return a number as Go's %v and `strconv.FormatFloat(f, 'g', -1, 64)` write it."""
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    sign, digits, power = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(power, int)
    exponent = len(digits) + power - 1
    if -4 <= exponent < 6 or not value:
        return f"{Decimal(repr(value)).normalize():f}"
    shown = "".join(map(str, digits))
    mantissa = shown[0] + ("." + shown[1:] if shown[1:] else "")
    return f"{'-' if sign else ''}{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


class _GoDumper(yaml.SafeDumper):
    """Writes plain what Go reads as text, and double-quotes what it would read as something else."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the name of the overridden
        return True

    def choose_scalar_style(self) -> str:
        """Choose as yaml_emitter_select_scalar_style does (emitterc.go)."""
        event = self.event
        assert isinstance(event, yaml.ScalarEvent)
        analysis = self.analysis = self.analysis or self.analyze_scalar(event.value)
        style = event.style or ""
        if self.simple_key_context and analysis.multiline:
            style = '"'
        if not style:
            allowed = analysis.allow_flow_plain if self.flow_level else analysis.allow_block_plain
            inside = self.flow_level or self.simple_key_context
            style = "" if allowed and (event.value or not inside) else "'"
        if style == "'" and not analysis.allow_single_quoted:
            style = '"'
        if style == "|" and (not analysis.allow_block or self.flow_level or self.simple_key_context):
            style = '"'
        return style


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style: Optional[str] = None
    if "\n" in text:
        style = "|"
    elif _is_quoted(text):
        style = '"'
    return dumper.represent_scalar(f"{_TAG}str", text, style=style)


def _is_quoted(text: str) -> bool:
    """Tell whether a text of one line would be read as something else."""
    return not isinstance(resolve(text), str) or bool(_TIMESTAMP.fullmatch(text) or _BASE_60.fullmatch(text))


def _represent_plain(dumper: yaml.SafeDumper, value: object) -> yaml.ScalarNode:
    return dumper.represent_scalar(f"{_TAG}str", _shown_plain(value))


def _shown_plain(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return format_float(value) if isinstance(value, float) else str(value)


def _represent_mapping(dumper: yaml.SafeDumper, tree: Manifest) -> yaml.MappingNode:
    return dumper.represent_mapping(f"{_TAG}map", [(key, tree[key]) for key in _in_order(tuple(tree))])


def _compare(left: str, right: str) -> int:
    """Compare keys as sorter.go does: numbers inside them by value, letters after all else."""
    for at, (mine, other) in enumerate(zip(left, right)):
        if mine == other:
            continue
        if mine.isalpha() and other.isalpha():
            return -1 if mine < other else 1
        if mine.isalpha() or other.isalpha():
            return -1 if other.isalpha() else 1
        begun = "1" if "0" in (mine, other) and _in_number(left[:at]) else ""
        pair = (_digits(left[at:]), _digits(right[at:]))
        values = [int(begun + digits or "0") for digits in pair]
        if values[0] != values[1]:
            return -1 if values[0] < values[1] else 1
        if len(pair[0]) != len(pair[1]):
            return -1 if len(pair[0]) < len(pair[1]) else 1
        return -1 if mine < other else 1
    return len(left) - len(right)


def _digits(text: str) -> str:
    found = re.match(r"\d*", text)
    return found.group() if found else ""


def _in_number(front: str) -> bool:
    """Tell whether the front ends in digits that are not all nought."""
    found = re.search(r"\d+$", front)
    return found is not None and found.group().strip("0") != ""


_GoDumper.yaml_implicit_resolvers = {}
_GoDumper.add_representer(str, _represent_text)
_GoDumper.add_representer(dict, _represent_mapping)
for _type in (type(None), bool, int, float):
    _GoDumper.add_representer(_type, _represent_plain)
