"""The private settings `regions`: YAML or JSON in, `Region` values out (design section 3). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Optional
from urllib.parse import urlsplit

from bcs_template_set.config.regions import ALL_RUN_AS, App, Endpoint, Region, RunAs
from bcs_template_set.manifests.yaml_reading import PLAIN_KEY, YamlUnreadable, YamlValue, read_yaml
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import PrivateSettingsInvalid
from bcs_template_set.messages.secret import MASK, OUR_WORDS, Secret
from bcs_template_set.messages.spelling import nearest

KEYS = (
    "gateway",
    "path_prefix",
    "console_url",
    "app_code",
    "app_secret",
    "owner",
    "users",
    "authorizer",
    "run_as",
    "people",
    "proxy",
    "ca_bundle",
    "tenant_id",
    "connect_timeout",
    "read_timeout",
    "concurrency",
    "progress_detail",
)
_APP_KEYS = ("app_code", "app_secret")
_SECRET_KEYS = ("app_secret",)
_PLAIN_NAME = re.compile(r"[\w.@-]{1,64}")
_PLAIN_TEXT = re.compile(r"[^\s'\"{}\[\],]*")
_NO_ADDRESS = re.compile(r"[?#].*|(?<=:)(?!//|[0-9]{1,5}(?:/|$)).*")
"""What follows an address, and what stands where its port should."""
_LEAST_SECRET = 8
"""Characters of a secret: `***` in place of shorter ones would hide half the log."""
_MOST_SECONDS = 600
_MOST_CONCURRENCY = 64

Table = Mapping[str, YamlValue]


def read_regions(text: str) -> dict[str, Region]:
    """Return the regions of the private settings, by name.

    Raises:
        PrivateSettingsInvalid: a detail for every mistake, naming region and key; never a secret's value.
    """
    if not text.strip():
        raise PrivateSettingsInvalid(details=[say("regions.not_given")])
    try:
        table = read_yaml(text, source="regions")
    except YamlUnreadable as exc:
        raise PrivateSettingsInvalid(details=[exc.for_secrets()]) from None
    if not isinstance(table, dict) or not table:
        raise PrivateSettingsInvalid(details=[say("regions.not_a_table")])
    mistakes: list[Text] = []
    regions = {name: _read_region(name, entry, mistakes=mistakes) for name, entry in table.items()}
    if mistakes:
        raise PrivateSettingsInvalid(details=mistakes)
    return regions


def _read_region(name: str, entry: YamlValue, *, mistakes: list[Text]) -> Region:
    reader = _RegionTable(f"regions.{_shown_name(name)}", entry, keys=KEYS, mistakes=mistakes)
    endpoint = Endpoint(
        gateway=reader.url("gateway", required=True),
        path_prefix=reader.path_prefix(),
        tenant_id=reader.text("tenant_id"),
        ca_bundle=reader.text("ca_bundle"),
        connect_timeout=reader.seconds("connect_timeout", default=5.0),
        read_timeout=reader.seconds("read_timeout", default=65.0),
        concurrency=reader.count("concurrency", default=8),
        proxy=reader.proxy(),
    )
    return Region(
        name=name,
        endpoint=endpoint,
        console_url=reader.url("console_url"),
        app=reader.app(),
        owner=reader.text("owner"),
        users=_read_users(reader.place, reader.table.get("users"), mistakes=mistakes),
        names_authorizer=reader.word("authorizer", ("platform",)) == "platform",
        run_as=reader.run_as(),
        recorded_people=reader.word("people", ("record", "environment")) != "environment",
        progress_detail=reader.flag("progress_detail"),
    )


def _read_users(place: str, entry: YamlValue, *, mistakes: list[Text]) -> dict[str, App]:
    if entry is None:
        return {}
    if not isinstance(entry, dict):
        mistakes.append(say("regions.wrong", place=f"{place}.users", accepted=say("regions.accepts_users")))
        return {}
    apps: dict[str, App] = {}
    for user, row in entry.items():
        reader = _RegionTable(f"{place}.users.{_shown_name(user)}", row, keys=_APP_KEYS, mistakes=mistakes)
        app = reader.app(required=True)
        if app is not None:
            apps[user] = app
    return apps


class _RegionTable:
    """Reads one mapping key by key and adds every mistake to one list."""

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

    def url(self, key: str, *, required: bool = False) -> str:
        value = self.text(key, required=required).rstrip("/")
        if value and not _is_plain_url(value):
            self._wrong(key, _without_userinfo(value), accepted=say("regions.accepts_url"))
        return value

    def proxy(self) -> str:
        """Return the proxy for this gateway; unlike other addresses it may hold a user and a password."""
        value = self.text("proxy").rstrip("/")
        credentials, at, _ = value.rpartition("//")[2].rpartition("@")
        bare = value.replace(credentials + at, "", 1) if at else value
        if value and not _is_plain_url(bare):
            self._wrong("proxy", _without_userinfo(value), accepted=say("regions.accepts_proxy"))
        return value

    def word(self, key: str, words: tuple[str, ...]) -> str:
        value = self.text(key)
        if value and value not in words:
            self._wrong(key, value, accepted=say("settings.one_of", choices=words))
        return value

    def run_as(self) -> tuple[RunAs, ...]:
        value = self.table.get("run_as")
        if value is None:
            return ALL_RUN_AS
        served = tuple(known for known in ALL_RUN_AS if isinstance(value, list) and known in value)
        if not isinstance(value, list) or not served or len(served) != len(value):
            self._wrong("run_as", value, accepted=say("regions.accepts_run_as", names=ALL_RUN_AS))
        return served

    def path_prefix(self) -> str:
        if self.table.get("path_prefix") is None:
            return Endpoint.path_prefix
        value = self.text("path_prefix").rstrip("/")
        if value and (not value.startswith("/") or "?" in value or "#" in value or " " in value):
            self._wrong("path_prefix", value, accepted=say("regions.accepts_path_prefix"))
        return value

    def seconds(self, key: str, *, default: float) -> float:
        value = self.table.get(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= _MOST_SECONDS:
            self._wrong(key, value, accepted=say("regions.accepts_seconds", most=_MOST_SECONDS))
            return default
        return float(value)

    def count(self, key: str, *, default: int) -> int:
        value = self.table.get(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST_CONCURRENCY:
            self._wrong(key, value, accepted=say("regions.accepts_count", most=_MOST_CONCURRENCY))
            return default
        return value

    def flag(self, key: str) -> bool:
        value = self.table.get(key)
        if value is None or isinstance(value, bool):
            return bool(value)
        self._wrong(key, value, accepted=say("regions.accepts_flag"))
        return False

    def app(self, *, required: bool = False) -> Optional[App]:
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

    def _wrong(self, key: str, value: YamlValue, *, accepted: Text) -> None:
        given = MASK if key in _SECRET_KEYS else as_written(value)
        place = f"{self.place}.{key}"
        self._mistakes.append(say("regions.wrong_value", place=place, given=given, accepted=accepted))

    def _unknown(self, key: str, keys: tuple[str, ...]) -> None:
        shown = key if PLAIN_KEY.fullmatch(key) else MASK
        mistake = say("regions.unknown_key", place=f"{self.place}.{shown}", keys=keys)
        near = nearest(key, keys)
        self._mistakes.append(say("settings.did_you_mean", mistake=mistake, near=near) if near else mistake)


def _shown_name(name: str) -> str:
    """Return a region's or user's name, masked where it is none: a secret got into it by a mistake."""
    return name if _PLAIN_NAME.fullmatch(name) else MASK


def as_written(value: YamlValue) -> str:
    """Return a wrong value, masked where it looks like more than one: the rest may be a secret."""
    if isinstance(value, (dict, list)):
        return type(value).__name__
    return str(value)[:80] if _PLAIN_TEXT.fullmatch(str(value)) else MASK


def _is_plain_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
        port_ok = parts.port is None or parts.port > 0
    except ValueError:
        return False
    plain = not parts.query and not parts.fragment and "@" not in parts.netloc and " " not in value
    return parts.scheme in ("http", "https") and bool(parts.hostname) and plain and port_ok


def _without_userinfo(url: str) -> str:
    """Return what was meant as an address without what may be a password, also where slashes or host miss."""
    head, at, tail = url.rpartition("@")
    scheme, slashes, _ = head.partition("//")
    start = scheme + slashes if slashes else ""
    return _NO_ADDRESS.sub(MASK, f"{start}{MASK}@{tail}" if at else url)
