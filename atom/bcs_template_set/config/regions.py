"""A region: where a BCS is, how to reach it, and the apps it may be called with; and how it is read. Pure.

What is read are the private settings `regions`, YAML or JSON (design section 3). A new key is a field here,
and a row of `_SETTINGS`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import field, fields
from typing import Callable, Literal, NoReturn, Optional, cast
from urllib.parse import urlsplit

from bcs_template_set.manifests.parser_words import PLAIN_KEY, YamlUnreadable
from bcs_template_set.manifests.wrong_values import Accepted, kind_of, one_of, wrong_text
from bcs_template_set.manifests.yaml_reading import YamlValue, read_yaml
from bcs_template_set.manifests.yaml_words import SETTINGS
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import PrivateSettingsInvalid
from bcs_template_set.messages.secret import MASK, Secret
from bcs_template_set.messages.spelling import not_known
from bcs_template_set.messages.state_words import OUR_WORDS
from bcs_template_set.records.late_dataclass import dataclass

RunAs = Literal["authorizer", "modifier", "starter", "owner"]
ALL_RUN_AS: tuple[RunAs, ...] = ("authorizer", "modifier", "starter", "owner")

STRAIGHT_AT_BCS = "/bcsapi/v4"
"""The path prefix behind BCS's own gateway (facts/gateway.md, "URLs")."""


_APP_KEYS = ("app_code", "app_secret")
_SECRET_KEYS = ("app_secret",)
_PLAIN_NAME = re.compile(r"[\w.@-]{1,64}")
_PLAIN_TEXT = re.compile(r"[^\s'\"{}\[\],]*")
_PORT = re.compile(r"[0-9]{1,5}(?:/|\Z)")
_LEAST_SECRET = 8
"""Characters of a secret: `***` in place of shorter ones would hide half the log."""
_MOST_SECONDS = 600
_MOST_CONCURRENCY = 64
"""Far below what the gateway lets an app have under way (facts/gateway.md, "Limits"): twenty builds fit."""

Table = Mapping[str, YamlValue]


@dataclass(frozen=True)
class App:
    """A BlueKing app: its code, and the secret that proves it."""

    app_code: str
    app_secret: Secret


@dataclass(frozen=True)
class Endpoint:
    """Where and how requests are sent. Holds nothing of who sends them. Timeouts are in seconds.

    `concurrency` is how many requests are under way at most; how many really are, `bcs/request_pace.py` says.
    `proxy` is not in its `repr`: it may hold a password.
    """

    gateway: str
    path_prefix: str = "/v4"
    tenant_id: str = ""
    ca_bundle: str = ""
    connect_timeout: float = 5.0
    read_timeout: float = 65.0
    concurrency: int = _MOST_CONCURRENCY
    proxy: str = field(default="", repr=False)

    @property
    def straight_at_bcs(self) -> bool:
        """Tell whether requests go to BCS's own gateway, which takes bearer tokens and no apps."""
        return self.path_prefix == STRAIGHT_AT_BCS


@dataclass(frozen=True)
class Region:
    """One entry of the private settings' `regions` (design section 3).

    `names_authorizer`: this BK-CI names an authorizer for every pipeline, so a stored one is believed.
    `run_as`: whom the region serves. `recorded_people`: BK-CI's build API says who a build's people are.
    """

    name: str
    endpoint: Endpoint
    console_url: str = ""
    app: Optional[App] = None
    owner: str = ""
    users: Mapping[str, App] = field(default_factory=dict)
    names_authorizer: bool = False
    run_as: tuple[RunAs, ...] = ALL_RUN_AS
    recorded_people: bool = True
    progress_detail: bool = False


def secrets_of(regions: Iterable[Region]) -> Iterator[Secret]:
    """Yield every secret of the regions: no log shows one, whether the run uses it or not."""
    for region in regions:
        for app in (region.app, *region.users.values()):
            if app is not None:
                yield app.app_secret
        password = urlsplit(region.endpoint.proxy).password
        if password:
            yield Secret(password)


# --- reading --------------------------------------------------------------------------------------------


def read_regions(text: str) -> dict[str, Region]:
    """Return the regions of the private settings, by name.

    Raises:
        PrivateSettingsInvalid: a detail for every mistake, naming region and key; never a secret's value.
    """
    if not text.strip():
        raise PrivateSettingsInvalid(details=[say("regions.not_given")])
    try:
        table = read_yaml(text, source="regions", reading=SETTINGS)
    except YamlUnreadable as exc:
        raise PrivateSettingsInvalid(details=[exc.as_text()]) from None
    if not isinstance(table, dict) or not table:
        raise PrivateSettingsInvalid(details=[say("regions.not_a_table")])
    mistakes: list[Text] = []
    regions = {name: _read_region(name, entry, mistakes=mistakes) for name, entry in table.items()}
    if mistakes:
        raise PrivateSettingsInvalid(details=mistakes)
    return regions


def _read_region(name: str, entry: YamlValue, *, mistakes: list[Text]) -> Region:
    table = _RegionTable(f"regions.{_shown_name(name)}", entry, keys=KEYS, mistakes=mistakes)
    rows = [(key, *row) for key, row in _SETTINGS.items() if row is not None]
    read = {field: read_key(table, key) for key, field, read_key in rows}
    given = {field: value for field, value in read.items() if value is not None}
    of_endpoint = given.keys() & {field.name for field in fields(Endpoint)}
    # The checker can't see that each is of its field's type.
    values = cast("dict[str, NoReturn]", given)
    endpoint = Endpoint(**{field: values.pop(field) for field in of_endpoint})
    return Region(name=name, endpoint=endpoint, **values)


class _RegionTable:
    """Reads one mapping key by key and adds every mistake to one list. None means that a default applies."""

    def __init__(self, place: str, entry: YamlValue, *, keys: tuple[str, ...], mistakes: list[Text]) -> None:
        self.place = place
        self._mistakes = mistakes
        self.table: Table = entry if isinstance(entry, dict) else {}
        if not isinstance(entry, dict):
            mistakes.append(
                say("regions.wrong", place=place, accepted=say("regions.accepts_keys", keys=keys))
            )
        for key in self.table:
            if key not in keys:
                self._unknown(key, keys)

    def text(self, key: str, *, required: bool = False) -> str:
        value = self.table.get(key)
        if value is None or value == "":
            if required:
                self._mistakes.append(say("regions.missing", place=f"{self.place}.{key}"))
            return ""
        if not isinstance(value, str):
            self._wrong(key, value, accepted=say("regions.accepts_text"))
            return ""
        return value.strip()

    def url(self, key: str) -> str:
        value = self.text(key, required=key == "gateway").rstrip("/")
        if value and not _is_plain_url(value):
            self._wrong(key, _shown_address(value), accepted=say("regions.accepts_url"))
        return value

    def proxy(self, key: str) -> str:
        """Return the proxy for this gateway; unlike other addresses it may hold a user and a password."""
        value = self.text(key).rstrip("/")
        credentials, at, _ = value.rpartition("//")[2].rpartition("@")
        if value and not _is_plain_url(value.replace(credentials + at, "")):
            self._wrong(key, _shown_address(value), accepted=say("regions.accepts_proxy"))
        return value

    def word(self, key: str, words: tuple[str, ...]) -> str:
        value = self.text(key)
        if value and value not in words:
            self._wrong(key, value, accepted=one_of(words))
        return value

    def run_as(self, key: str) -> Optional[tuple[RunAs, ...]]:
        value = self.table.get(key)
        if value is None:
            return None
        served = tuple(known for known in ALL_RUN_AS if isinstance(value, list) and known in value)
        if not isinstance(value, list) or not served or len(served) != len(value):
            self._wrong(key, value, accepted=say("regions.accepts_run_as", names=ALL_RUN_AS))
        return served

    def path_prefix(self, key: str) -> Optional[str]:
        if self.table.get(key) is None:
            return None
        value = self.text(key).rstrip("/")
        if value and (not value.startswith("/") or "?" in value or "#" in value or " " in value):
            self._wrong(key, value, accepted=say("regions.accepts_path_prefix"))
        return value

    def seconds(self, key: str) -> Optional[float]:
        value = self.table.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= _MOST_SECONDS:
            self._wrong(key, value, accepted=say("regions.accepts_seconds", most=_MOST_SECONDS))
            return None
        return float(value)

    def count(self, key: str) -> Optional[int]:
        value = self.table.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST_CONCURRENCY:
            self._wrong(key, value, accepted=say("regions.accepts_count", most=_MOST_CONCURRENCY))
            return None
        return value

    def flag(self, key: str) -> Optional[bool]:
        value = self.table.get(key)
        if value is None or isinstance(value, bool):
            return value
        self._wrong(key, value, accepted=say("regions.accepts_flag"))
        return None

    def users(self, key: str) -> Optional[dict[str, App]]:
        rows = self.table.get(key)
        if rows is None:
            return None
        place = f"{self.place}.{key}"
        if not isinstance(rows, dict):
            self._mistakes.append(say("regions.wrong", place=place, accepted=say("regions.accepts_users")))
            return None
        apps: dict[str, App] = {}
        for user, row in rows.items():
            table = _RegionTable(f"{place}.{_shown_name(user)}", row, keys=_APP_KEYS, mistakes=self._mistakes)
            app = table.app(required=True)
            if app is not None:
                apps[user] = app
        return apps

    def app(self, _: str = "", *, required: bool = False) -> Optional[App]:
        """Return the app of this mapping; code and secret are both given, or neither."""
        some = required or any(self.table.get(key) not in (None, "") for key in _APP_KEYS)
        code = self.text("app_code", required=some)
        secret = self.text("app_secret", required=some)
        if secret:
            self._check_secret(secret, words={*OUR_WORDS, *self.place.split("."), code})
        return App(code, Secret(secret)) if code and secret else None

    def _check_secret(self, secret: str, *, words: AbstractSet[str]) -> None:
        """Refuse a secret that could not be hidden without hiding what we have to say."""
        place = f"{self.place}.app_secret"
        if len(secret) < _LEAST_SECRET:
            self._mistakes.append(say("regions.secret_short", place=place, least=_LEAST_SECRET))
        elif secret in words:
            self._mistakes.append(say("regions.secret_is_word", place=place))

    def _wrong(self, key: str, value: YamlValue, *, accepted: Accepted) -> None:
        given = MASK if key in _SECRET_KEYS else as_written(value)
        self._mistakes.append(wrong_text(f"{self.place}.{key}", given, accepted=accepted))

    def _unknown(self, key: str, keys: tuple[str, ...]) -> None:
        shown = key if PLAIN_KEY.fullmatch(key) else MASK
        place = f"{self.place}.{shown}"
        mistake = say("regions.unknown_key", place=place, keys=keys)
        self._mistakes.append(not_known(mistake, key, keys, path=place))


def _shown_name(name: str) -> str:
    """Return a region's or user's name, masked where it is none: a secret got into it by a mistake."""
    return name if _PLAIN_NAME.fullmatch(name) else MASK


def as_written(value: YamlValue) -> Accepted:
    """Return a wrong value, masked where it looks like more than one: the rest may be a secret."""
    if isinstance(value, (dict, list)):
        return kind_of(value)
    return str(value)[:80] if _PLAIN_TEXT.fullmatch(str(value)) else MASK


def _is_plain_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
        port_ok = parts.port is None or parts.port > 0
    except ValueError:
        return False
    plain = not parts.query and not parts.fragment and "@" not in parts.netloc and " " not in value
    return parts.scheme in ("http", "https") and bool(parts.hostname) and plain and port_ok


def _shown_address(value: str) -> str:
    """Return what was meant as an address without what may be a password, also where slashes or host miss."""
    userinfo, at, rest = value.rpartition("@")
    scheme, slashes, _ = userinfo.partition("//")
    start = scheme + slashes if slashes else ""
    address = f"{start}{MASK}@{rest}" if at else value
    end = _end_of_address(address)
    return address if end == len(address) else address[:end] + MASK


def _end_of_address(text: str) -> int:
    """Return where a text stops being an address: at its query or fragment, or where a port should be."""
    for at, mark in enumerate(text, start=1):
        if mark in "?#":
            return at - 1
        if mark == ":" and not text.startswith("//", at) and not _PORT.match(text, at):
            return at
    return len(text)


_SETTINGS: Mapping[str, Optional[tuple[str, Callable[[_RegionTable, str], object]]]] = {
    "gateway": ("gateway", _RegionTable.url),
    "path_prefix": ("path_prefix", _RegionTable.path_prefix),
    "console_url": ("console_url", _RegionTable.url),
    "app_code": ("app", _RegionTable.app),
    "app_secret": None,  # read with its code
    "owner": ("owner", _RegionTable.text),
    "users": ("users", _RegionTable.users),
    "authorizer": ("names_authorizer", lambda table, key: table.word(key, ("platform",)) == "platform"),
    "run_as": ("run_as", _RegionTable.run_as),
    "people": (
        "recorded_people",
        lambda table, key: table.word(key, ("record", "environment")) != "environment",
    ),
    "proxy": ("proxy", _RegionTable.proxy),
    "ca_bundle": ("ca_bundle", _RegionTable.text),
    "tenant_id": ("tenant_id", _RegionTable.text),
    "connect_timeout": ("connect_timeout", _RegionTable.seconds),
    "read_timeout": ("read_timeout", _RegionTable.seconds),
    "concurrency": ("concurrency", _RegionTable.count),
    "progress_detail": ("progress_detail", _RegionTable.flag),
}
"""Every key with the field of `Region` or `Endpoint` that it fills, and what reads it, in the order of the
reference; the defaults are those of the fields."""

KEYS = tuple(_SETTINGS)
