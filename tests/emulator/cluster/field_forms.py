"""What the API server says of values that are not of their field's form. Performs no I/O.

apimachinery pkg/util/validation, and Kubernetes 1.28 pkg/apis/core/validation. Each says "" of what it takes.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
import re
from collections.abc import Iterable, Iterator
from typing import Callable

from tests.emulator.cluster.tree import branch, find, text
from tests.emulator.cluster.validation import BAD_1123, BAD_SUBDOMAIN

Say = Callable[[object], str]


def values_at(tree: object, path: str, where: str) -> Iterator[tuple[str, object]]:
    """Yield the values at a path: `[]` stands for each of a list, `{}` for each of a map; null is none."""
    if not path:
        if tree is not None:
            yield where, tree
        return
    name, _, rest = path.partition(".")
    key = name.rstrip("[]{}")
    value = tree.get(key) if isinstance(tree, dict) else None
    here = f"{where}.{key}".strip(".")
    if name.endswith("[]"):
        for index, item in enumerate(value if isinstance(value, list) else ()):
            yield from values_at(item, rest, f"{here}[{index}]")
    elif name.endswith("{}"):
        for below, item in value.items() if isinstance(value, dict) else ():
            yield from values_at(item, rest, f"{here}[{below}]")
    else:
        yield from values_at(value, rest, here)


def _shown(value: object) -> str:
    return json.dumps(value)


def one_of(*known: str) -> Say:
    """Return what is said of a word that is none of these."""
    why = f"supported values: {', '.join(map(_shown, known))}"
    return lambda value: "" if value in ("", *known) else f"Unsupported value: {_shown(value)}: {why}"


def matching(is_right: Callable[[str], object], why: str) -> Say:
    """Return what is said of a text that is not of a form."""
    return lambda value: "" if value == "" or is_right(str(value)) else _invalid(value, why)


def filled(value: object) -> str:
    """Return what is said of a text that may not be empty."""
    return "Required value" if value == "" else ""


def between(least: int, most: float = float("inf")) -> Say:
    """Return what is said of a number that is too small or too big."""
    why = f"must be in the range {least}-{most}" if most < float("inf") else f"must be {least} or greater"
    return lambda value: _invalid(value, why) if isinstance(value, int) and not least <= value <= most else ""


def _invalid(value: object, why: str) -> str:
    return f"Invalid value: {_shown(value)}: {why}"


def where(condition: str, why: str) -> Say:
    """Return what is said of a mapping where all of these hold: `a`, `!a`, `a=1|2`, `a!=1|2`; none is ""."""
    terms = [term.partition("=") for term in condition.split()]

    def say(value: object) -> str:
        return why if all(_holds(value, *term) for term in terms) else ""

    return say


def _holds(value: object, path: str, equals: str, known: str) -> bool:
    found = find(value, *path.strip("!").split("."))
    shown = "" if found is None or found == [] else str(found)
    return (shown in known.split("|")) is (not path.endswith("!") if equals else path.startswith("!"))


def at_most_one(*names: str) -> Say:
    """Return what is said of a mapping with several of these."""
    return lambda value: "Forbidden: may not specify more than 1" if _count(value, names) > 1 else ""


def exactly_one(*names: str) -> Say:
    """Return what is said of a mapping that has not one of these."""
    why = f"Required value: must specify one of: {', '.join(names)}"
    return lambda value: "" if _count(value, names) == 1 else why


def _count(value: object, names: Iterable[str]) -> int:
    return sum(find(value, name) not in (None, "", []) for name in names)


def is_ip(value: str) -> bool:
    """Tell whether it is an address, in IPv4 with zeros before its numbers or not."""
    parts = [part.lstrip("0") or "0" for part in value.split(".")]
    try:
        ipaddress.ip_address(".".join(parts) if "." in value else value)
    except ValueError:
        return False
    return True


def _is_block(value: str) -> bool:
    address, slash, bits = value.strip().partition("/")
    return bool(slash) and is_ip(address) and bits.isdigit() and int(bits) <= (128 if ":" in address else 32)


def _is_base64(value: str) -> bool:
    try:
        base64.b64decode(re.sub(r"[\r\n]", "", value), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_is_name = re.compile(rf"{_LABEL}(\.{_LABEL})*").fullmatch
PORT, PORT_OR_NONE = between(1, 65535), between(0, 65535)
_is_port_name = re.compile(r"(?=.*[a-z])(?!.*--)[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?").fullmatch
PORT_NAME = matching(_is_port_name, "must be no more than 15 characters")
NAME = matching(_is_name, BAD_SUBDOMAIN)
DNS_LABEL = matching(re.compile(_LABEL).fullmatch, BAD_1123)
HOST = matching(lambda host: _is_name(re.sub(r"^\*\.|\.$", "", host)), BAD_SUBDOMAIN)
IP = matching(is_ip, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")
BLOCK = matching(_is_block, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")
BELOW = matching(
    lambda path: not path.startswith("/") and ".." not in path.split("/"), "must not contain '..'"
)
USER, MODE = between(0, 2**31 - 1), between(0, 0o777)
BASE64 = matching(_is_base64, "illegal base64 data at input byte 0")


_is_qualified = re.compile(
    rf"(?:{_LABEL}(?:\.{_LABEL})*/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{{0,61}}[A-Za-z0-9])?"
).fullmatch
QUALIFIED = matching(_is_qualified, "name part must consist of alphanumeric characters")


def either(value: object) -> str:
    """Return what is said of a port by number or name."""
    return PORT(value) if isinstance(value, int) else PORT_NAME(value)


def pods(most: float) -> Say:
    """Return what is said of a number of pods, or of a share of them up to this."""

    def say(value: object) -> str:
        if isinstance(value, int):
            return between(0)(value)
        is_share = re.fullmatch("[0-9]+%", str(value)) and int(str(value)[:-1]) <= most
        return "" if is_share else _invalid(value, "must be an integer or percentage (e.g '5%%')")

    return say


def requirement(value: object) -> str:
    """Return what is said of a selector's expression."""
    operator, values = text(value, "operator"), find(value, "values") or []
    assert isinstance(values, list)
    if operator in ("In", "NotIn") and not values:
        return "Required value: must be specified when `operator` is 'In' or 'NotIn'"
    if operator in ("Exists", "DoesNotExist") and values:
        return "Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
    if operator in ("Gt", "Lt") and not (len(values) == 1 and str(values[0]).isdigit()):
        return "Required value: must be specified single value when `operator` is 'Lt' or 'Gt'"
    is_known = operator in ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")
    return "" if is_known else _invalid(operator, "not a valid selector operator")


_is_amount = re.compile(r" *[+-]?[0-9]*\.?[0-9]*([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)? *").fullmatch
_STANDARD = re.compile("cpu|memory|ephemeral-storage|hugepages-.+|.+/.+").fullmatch


def amount(value: object) -> str:
    """Return what is said of a quantity."""
    if not _is_amount(str(value)):
        return "quantities must match the regular expression"
    return _invalid(value, "must be greater than or equal to 0") if str(value).startswith("-") else ""


_UNITS = {"m": 0.001, "": 1, "k": 10**3, "M": 10**6, "G": 10**9, "Mi": 1024**2, "Gi": 1024**3}


def _milli(value: object) -> float:
    digits, unit = re.sub("[kmMGi]+$", "", str(value)), re.sub("^[^a-zA-Z]*", "", str(value))
    return float(digits) * _UNITS[unit] * 1000 if unit in _UNITS else 0


def once(*names: str) -> Say:
    """Return what is said of a list of which two have the same in all of these."""

    def say(value: object) -> str:
        found = (
            [tuple(str(find(item, name)) for name in names) for item in value]
            if isinstance(value, list)
            else []
        )
        return "Duplicate value" if len(found) > len(set(found)) else ""

    return say


def named_once(value: object) -> str:
    """Return what is said of a list of which two have the same name."""
    names = [text(item, "name") for item in value] if isinstance(value, list) else []
    return "Duplicate value" if any(name and names.count(name) > 1 for name in names) else ""


def resources(value: object) -> str:
    """Return what is said of the resources of a container."""
    limits = branch(value, "limits")
    for name, size in [*limits.items(), *branch(value, "requests").items()]:
        if not _STANDARD(name):
            return _invalid(name, "must be a standard resource type or fully qualified")
        if "/" in name and _milli(size) % 1000:
            return _invalid(size, "must be an integer")
        if name in limits and _milli(size) > _milli(limits[name]):
            return _invalid(size, f"must be less than or equal to {name} limit of {limits[name]}")
        is_overcommitted = name.partition("-")[0] != "hugepages" and (
            "/" not in name or "kubernetes.io/" in name
        )
        if not is_overcommitted and name not in limits:
            return "Required value: Limit must be set for non overcommitable resources"
    return ""
