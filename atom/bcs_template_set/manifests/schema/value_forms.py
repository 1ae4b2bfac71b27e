"""The forms that the API server wants of single values: a table. Pure: performs no I/O.

Which fields have which form is in release/kubernetes_schema.py. Sources: Kubernetes 1.34,
pkg/apis/*/validation and apimachinery, pkg/util/validation; what only some releases refuse is taken.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from ipaddress import ip_address, ip_network
from typing import Optional

from bcs_template_set.manifests.fields import list_at, mapping_at, text_at
from bcs_template_set.manifests.naming import CONFIG_KEY, check_label, check_label_key, check_subdomain
from bcs_template_set.manifests.quantities import size_of
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.messages import Text, say

HIGHEST_PORT = 65_535
_PORT_NAME = re.compile(r"(?=.*[a-z])(?!.*--)[a-z0-9](?:[a-z0-9-]{0,13}[a-z0-9])?")
_IPV4 = re.compile(r"[0-9]+(?:\.[0-9]+){3}")
_CONFIG_KEY, _HEADER = re.compile(CONFIG_KEY), re.compile("[-A-Za-z0-9]+")
_ZONE = re.compile("(?![Ll]ocal$)[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)*")
_BREAKS = re.compile(r"[\r\n]")
_SHARE, _PART = re.compile("[0-9]+%"), re.compile("0*(?:[0-9]{1,2}|100)%")
_WHOLE, _BITS = re.compile("[+-]?[0-9]+"), re.compile("[0-9]{1,3}")
_ZEROS = re.compile(r"(?<![0-9a-fA-F:])0+(?=[0-9])")
"""Go read 010.0.0.1 as 10.0.0.1, and older servers do."""
_MOST_BITS = {4: 32, 6: 128}


def problem_of_form(form: str, value: YamlValue) -> Optional[Text]:
    """Return what is wrong with a value of a field that wants a form, such as `port` or `1..100`, or None."""
    return _forms(form)(value)


@cache
def _forms(form: str) -> Callable[[YamlValue], Optional[Text]]:
    least, dots, most = form.partition("..")
    return partial(_out_of, int(least), int(most) if most else None) if dots else _FORMS[form]


def _out_of(least: int, most: Optional[int], value: YamlValue) -> Optional[Text]:
    if not isinstance(value, int) or (value >= least and (most is None or value <= most)):
        return None
    if most is None:
        return say("checks.value_at_least", least=least)
    return say("checks.value_between", least=least, most=most)


def _port(value: YamlValue) -> Optional[Text]:
    """Say of a port, by number or name, that it is neither."""
    if isinstance(value, int):
        return None if 1 <= value <= HIGHEST_PORT else say("checks.value_port", given=value)
    name = str(value)
    if name.isdecimal():
        return say("checks.value_port_quoted")
    return None if _PORT_NAME.fullmatch(name) else say("checks.value_port_name", given=name)


def _named(check: Callable[[str], Optional[Text]], value: YamlValue) -> Optional[Text]:
    problem = check(str(value))
    return None if problem is None else say("checks.named_wrong", name=value, problem=problem)


def _said(is_right: Callable[[str], object], sentence: str) -> Callable[[YamlValue], Optional[Text]]:
    return lambda value: None if is_right(str(value)) else say(f"checks.{sentence}", given=value)


def _is_domain(name: str) -> bool:
    return check_subdomain(name.removeprefix("*.")) is None


def _amount(value: YamlValue) -> Optional[Text]:
    """Say of a quantity that it is none, or below 0."""
    size = size_of(value)
    if size is None:
        return say("checks.value_quantity")
    return say("checks.value_negative") if size < 0 else None


def _pods(share: re.Pattern[str], value: YamlValue) -> Optional[Text]:
    """Say of a number of pods, or of a share of them, that it is neither."""
    is_number = isinstance(value, int) and value >= 0
    return None if is_number or share.fullmatch(str(value)) else say("checks.value_pods")


def _is_below(path: str) -> bool:
    return not path.startswith("/") and ".." not in path.split("/")


def _version_of_ip(text: str) -> int:
    """Return 4 or 6, 0 for what is no address."""
    try:
        return 0 if "%" in text else ip_address(_ZEROS.sub("", text)).version
    except ValueError:
        return 0


def _is_cidr(text: str) -> bool:
    address, _, bits = text.strip().partition("/")
    version = _version_of_ip(address)
    return bool(version and _BITS.fullmatch(bits)) and int(bits) <= _MOST_BITS[version]


def is_part_of_block(inner: str, outer: str) -> bool:
    """Tell whether a block of addresses is a smaller part of another one, or one of the two is none."""
    try:
        part, whole = (ip_network(_ZEROS.sub("", block.strip()), strict=False) for block in (inner, outer))
    except ValueError:
        return True
    is_smaller = part.version == whole.version and part.prefixlen > whole.prefixlen
    return is_smaller and part.network_address in whole


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(_BREAKS.sub("", text).encode(), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _requirement(value: YamlValue) -> Optional[Text]:
    """Say of a selector's expression that it has too many values, or too few."""
    operator, values = text_at(mapping_at(value), "operator"), list_at(mapping_at(value), "values")
    if operator in ("Exists", "DoesNotExist") and values:
        return say("checks.value_goes_with", name="values", wanted="operator: In / NotIn")
    is_compared = operator in ("Gt", "Lt") and (len(values) != 1 or not _WHOLE.fullmatch(str(values[0])))
    if is_compared or (operator in ("In", "NotIn") and not values):
        return say("checks.value_needs", name=f"operator: {operator}", wanted="values")
    return None


_CRON_WORD = re.compile(r"@(?:yearly|annually|monthly|weekly|daily|midnight|hourly|every\s.+)")
_CRON_ZONE = re.compile(r"(?:CRON_)?TZ=\S+\s+")
_CRON_PART = re.compile(r"(?:[*?]|([0-9a-z]+)(?:-([0-9a-z]+))?)(?:/([0-9]+))?")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_CRON_FIELDS: Sequence[tuple[range, tuple[str, ...]]] = (
    (range(60), ()),
    (range(24), ()),
    (range(1, 32), ()),
    (range(1, 13), _MONTHS),
    (range(7), _DAYS),
)
"""What minute, hour, day, month and day of the week take (robfig/cron, `ParseStandard`)."""


def _is_schedule(schedule: str) -> bool:
    """Tell whether the API server takes a text as a CronJob's schedule."""
    bare = _CRON_ZONE.sub("", schedule.strip(), count=1)
    fields = bare.lower().split()
    return bool(_CRON_WORD.fullmatch(bare)) or (
        len(fields) == len(_CRON_FIELDS) and all(map(_is_cron_field, fields, _CRON_FIELDS))
    )


def _is_cron_field(field: str, takes: tuple[range, tuple[str, ...]]) -> bool:
    numbers, names = takes
    for part in field.split(","):
        found = _CRON_PART.fullmatch(part)
        if found is None or found[3] == "0":
            return False
        ends = [names.index(end) + numbers[0] if end in names else end for end in found.groups()[:2] if end]
        if any(not str(end).isdecimal() or int(end) not in numbers for end in ends):
            return False
        if ends and int(ends[0]) > int(ends[-1]):
            return False
    return True


_FORMS: Mapping[str, Callable[[YamlValue], Optional[Text]]] = {
    "port": _port,
    "portornone": lambda value: None if value == 0 else _port(value),
    "portname": _said(_PORT_NAME.fullmatch, "value_port_name"),
    "label": partial(_named, check_label),
    "labelkey": partial(_named, check_label_key),
    "configkey": _said(_CONFIG_KEY.fullmatch, "value_key"),
    "header": _said(_HEADER.fullmatch, "value_header"),
    "zone": _said(_ZONE.fullmatch, "value_zone"),
    "subdomain": partial(_named, check_subdomain),
    "host": _said(lambda host: _is_domain(host) and not _IPV4.fullmatch(host), "value_host"),
    "domain": _said(lambda domain: _is_domain(domain.removesuffix(".")), "value_host"),
    "path": _said(lambda path: path.startswith("/"), "value_path"),
    "below": _said(_is_below, "value_below"),
    "nowhereup": _said(lambda path: ".." not in path.split("/"), "value_up"),
    "ip": _said(_version_of_ip, "value_ip"),
    "clusterip": _said(lambda text: text == "None" or _version_of_ip(text), "value_cluster_ip"),
    "cidr": _said(_is_cidr, "value_cidr"),
    "pods": partial(_pods, _SHARE),
    "partofpods": partial(_pods, _PART),
    "quantity": lambda value: say("checks.value_quantity") if size_of(value) is None else None,
    "amount": _amount,
    "schedule": _said(_is_schedule, "value_schedule"),
    "base64": _said(_is_base64, "value_base64"),
    "requirement": _requirement,
}
