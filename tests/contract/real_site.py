"""Somebody's BCS: sends to it, remembers what was made there, tells which BCS it is, and takes all away.

Requests go below one project. It follows no redirect, and trusts what it was told to trust.
"""

from __future__ import annotations

import http.client
import re
import secrets
import ssl
from collections.abc import Callable, Mapping
from typing import Optional
from urllib.parse import quote

from tests.contract.own_space import PROJECTS, Place
from tests.contract.replay import body_of
from tests.contract.three_answers import Answer
from tests.emulator import Dialect
from tests.support.plain_client import PlainClient, Reply, authorization
from tests.support.recordings import Asked, Json

STRAIGHT = "/bcsapi"
PATIENCE = 70.0
"""Seconds: longer than a gateway's."""
LONGEST_WAIT, WAITS = 60.0, 5
_SPACES = "template/spaces/"
_ORDER = ("template/metadatas/", "template/versions/", _SPACES)
"""What is taken away first: a file takes its versions with it."""
UNPUBLISHED = "the gateway does not let through"
ID = re.compile(r"[0-9A-Za-z]{1,64}")


class CannotRun(Exception):
    """Why it could not run, or not to its end."""


class Site:
    """The real one: sends to it, remembers what was made there, takes it away."""

    def __init__(self, settings: Mapping[str, str], *, wait: Callable[[float], object]) -> None:
        self.place = Place(settings["PROJECT"], settings["SPACE"], settings["CLUSTER"], settings["NAMESPACE"])
        self.made: list[str] = []
        self.space_in_doubt = False
        self._wait, self._token = wait, settings["BCS_TOKEN"]
        self._multi_tenant = bool(settings["TENANT"])
        self._below = f"{PROJECTS}/{self.place.project}"
        self.base = settings["BCS"].rstrip("/") + settings["PREFIX"]
        bundle, is_https = settings["CA_BUNDLE"], self.base.startswith("https:")
        trusted = ssl.create_default_context(cafile=bundle or None) if bundle or is_https else None
        self._client = PlainClient(
            self.base,
            headers=_headers(settings),
            tls=trusted if is_https else None,
            timeout=PATIENCE,
        )

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def call(self, method: str, rest: str, body: Json = None) -> Answer:
        """Send a request below the project. Raises CannotRun where the gateway answers."""
        asked = Asked(0, method, f"{self._below}/{rest}", "", body, "", 0, None)
        answer = self.send(asked)
        if answer is None:
            raise CannotRun(f"{method} {asked.path}: {UNPUBLISHED} (wrong BCS, PREFIX, or no grant)")
        return answer

    def send(self, asked: Asked) -> Optional[Answer]:
        """Send a request and return what BCS answered, None where the gateway has no such path or grant.

        Raises CannotRun where the gateway says anything else: what became of the request is unknown then.
        """
        path = quote(asked.path, safe="/") + (f"?{asked.query}" if asked.query else "")
        makes_space = asked.method == "POST" and asked.path.endswith("/template/spaces")
        self.space_in_doubt = self.space_in_doubt or makes_space
        reply = self._send(asked.method, path, asked.body)
        code = reply.headers.get("X-Bkapi-Error-Code", "")
        if code and reply.status not in (403, 404):
            raise CannotRun(f"{asked.method} {asked.path}: the gateway answered HTTP {reply.status}, {code}")
        if makes_space and reply.status < http.HTTPStatus.INTERNAL_SERVER_ERROR:
            self.space_in_doubt = False
        if code:
            return None
        answer = reply.status, _without(self._token, _decoded(reply))
        if asked.method == "POST":
            self._remember(asked.path.removeprefix(f"{self._below}/template/"), answer)
        return answer

    def _send(self, method: str, path: str, body: Json) -> Reply:
        raw = body.encode() if isinstance(body, str) else None
        headers = {"X-Request-Id": secrets.token_hex(16)}
        for _ in range(WAITS):
            reply = self._client.send(method, path, None if raw else body, headers=headers, raw=raw)
            if reply.status != http.HTTPStatus.TOO_MANY_REQUESTS:
                break
            reset = reply.headers.get("X-Bkapi-RateLimit-Reset", "")
            self._wait(min(float(reset) if reset.isdigit() else 1.0, LONGEST_WAIT))
        return reply

    def _remember(self, rest: str, answer: Answer) -> None:
        kind, found = rest.rpartition("/")[2], item_of(answer)
        ids = {kind: found.get("id"), "versions": found.get("versionID") or found.get("id")}
        if kind in ("spaces", "metadatas", "versions") and _code(answer) == 0:
            named = ids if kind == "metadatas" else {kind: found.get("id")}
            self.made += [
                f"template/{name}/{value}"
                for name, value in named.items()
                if isinstance(value, str)
                and ID.fullmatch(value)
                and f"template/{name}/{value}" not in self.made
            ]

    # --- what it begins and ends with -------------------------------------------------------------------

    def version(self) -> Json:
        """Return what the site's build was stamped with: no evidence of anything."""
        answer = self.send(Asked(0, "GET", "/clusterresources/v1/version", "", None, "", 0, None))
        return answer[1].get("version") if answer is not None and isinstance(answer[1], dict) else None

    def spaces(self) -> list[dict[str, Json]]:
        """Return the spaces whose names hold ours. Raises CannotRun."""
        asked = Asked(
            0, "GET", f"{self._below}/template/spaces", f"name={self.place.space}", None, "", 0, None
        )
        answer = self.send(asked)
        if answer is None or _code(answer) != 0:
            raise CannotRun(f"the spaces can't be listed: {_shown(answer)}")
        return _rows(answer)

    def take_away(self) -> None:
        """Take away all that was made; what stays in `made` could not be, or not be seen to be gone."""
        self._find_unknown()
        for path in sorted(self.made, key=_when_taken):
            if not self._is_gone(path):
                self.call("DELETE", path)
                if not self._is_gone(path):
                    continue
            self.made.remove(path)

    def _find_unknown(self) -> None:
        """Look for what was made where no answer told its id: the space, and files inside it."""
        spaces = [path for path in self.made if path.startswith(_SPACES)]
        if self.space_in_doubt:
            spaces += [_SPACES + found for found in _ids(self.spaces(), name=self.place.space)]
            self.space_in_doubt = False
        files = [f"template/metadatas/{found}" for space in spaces for found in _ids(self._files(space))]
        self.made += [path for path in spaces + files if path not in self.made]

    def _files(self, space: str) -> list[dict[str, Json]]:
        return _rows(self.call("GET", f"template/{space.removeprefix(_SPACES)}/metadatas"))

    def _is_gone(self, path: str) -> bool:
        status, body = self.call("GET", path)
        gone = isinstance(body, dict) and body.get("message") == "record not found"
        return gone and status == http.HTTPStatus.OK

    def begin(self) -> Dialect:
        """Return which BCS it is, after making the space and taking it away once. Raises CannotRun."""
        if self.spaces():
            raise CannotRun(f"a space named {self.place.space} (or more) exists already: name another")
        dialect = self._find_dialect()
        space = self.call("POST", "template/spaces", {"name": self.place.space})
        if not self.made:
            raise CannotRun(f"the space can't be made: {_shown(space)}")
        if dialect is None:
            dialect = self._tell_by_row()
        self.take_away()
        if self.made:
            raise CannotRun("what is made here can't be taken away, so nothing more was made")
        return dialect

    def _find_dialect(self) -> Optional[Dialect]:
        """Return the dialect as far as reads alone tell it (facts/bcs.md, "Telling them apart")."""
        found = self.call("GET", "template/metadatas")
        if found[0] == http.HTTPStatus.NOT_FOUND:
            if self.call("GET", f"template/{'0' * 24}/metadatas")[0] != http.HTTPStatus.OK:
                raise CannotRun("this BCS has no template files by id: it is older than v1.30")
            return Dialect.A
        if found[0] != http.HTTPStatus.METHOD_NOT_ALLOWED:
            raise CannotRun(f"there is no recording of this BCS: {_shown(found)}")
        versions = self.call("GET", f"template/{'0' * 24}/metadata/versions")
        return Dialect.B if versions[0] == http.HTTPStatus.NOT_FOUND else None

    def _tell_by_row(self) -> Dialect:
        space = self.made[0].removeprefix(_SPACES)
        probe = {"name": f"{self.place.space}/probe.yaml", "templateSpaceID": space, "version": "1.0.0"}
        self.call("POST", "template/metadatas", {**probe, "content": "kind: A", "editFormat": "yaml"})
        rows = self._files(space)
        if not rows:
            raise CannotRun("a file that was made is not listed")
        if "realName" not in rows[0]:
            return Dialect.B2
        return Dialect.MULTI_TENANT if self._multi_tenant else Dialect.C


def _when_taken(path: str) -> int:
    return next(place for place, kind in enumerate(_ORDER) if path.startswith(kind))


def _ids(rows: list[dict[str, Json]], *, name: Json = None) -> list[str]:
    ids = [row.get("id") for row in rows if name in (None, row.get("name"))]
    return [found for found in ids if isinstance(found, str) and ID.fullmatch(found)]


def _headers(settings: Mapping[str, str]) -> dict[str, str]:
    token = settings["BCS_TOKEN"]
    if settings["PREFIX"].startswith(STRAIGHT):
        signed = {"Authorization": f"Bearer {token}"}
    else:
        signed = authorization(access_token=token)
    return {**signed, "X-Bk-Tenant-Id": settings["TENANT"]} if settings["TENANT"] else signed


def _decoded(reply: Reply) -> Json:
    try:
        return body_of(reply)
    except ValueError:
        return reply.body.decode(errors="replace")


def _without(token: str, value: Json) -> Json:
    """Return what was answered with the token masked, should a site say it back."""
    if isinstance(value, dict):
        return {name.replace(token, "***"): _without(token, item) for name, item in value.items()}
    if isinstance(value, list):
        return [_without(token, item) for item in value]
    return value.replace(token, "***") if isinstance(value, str) else value


def _code(answer: Answer) -> Json:
    return answer[1].get("code") if answer[0] == http.HTTPStatus.OK and isinstance(answer[1], dict) else None


def _data(answer: Answer) -> Json:
    return answer[1].get("data") if isinstance(answer[1], dict) else None


def item_of(answer: Answer) -> dict[str, Json]:
    """Return the answer's data where it is an object, else nothing."""
    data = _data(answer)
    return data if isinstance(data, dict) else {}


def _rows(answer: Answer) -> list[dict[str, Json]]:
    data = _data(answer)
    return [row for row in data if isinstance(row, dict)] if isinstance(data, list) else []


def _shown(answer: Optional[Answer]) -> str:
    return (
        "the gateway has no such path, or no grant" if answer is None else f"HTTP {answer[0]} {answer[1]!r}"
    )
