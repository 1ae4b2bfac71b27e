"""The plainest client there is, on one kept connection: the contract suite must not lean on our own.

It follows no redirect and retries nothing.
"""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Optional
from urllib.parse import quote, urlsplit

from tests.emulator import Emulator

V1 = "/clusterresources/v1/projects"
APP_AS_LISI = {"bk_app_code": "lisi_app", "bk_app_secret": "lisi-canary", "bk_username": "lisi"}


@dataclass(frozen=True)
class Reply:
    """One answer as it came over the wire."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, object]:
        """Return the body, which must be a JSON object."""
        payload = json.loads(self.body)
        assert isinstance(payload, dict)
        return payload

    @property
    def code(self) -> object:
        """Return the envelope's code."""
        return self.json()["code"]

    @property
    def message(self) -> str:
        """Return the envelope's message."""
        return str(self.json()["message"])

    @property
    def item(self) -> dict[str, object]:
        """Return the envelope's data, which must be an object."""
        data = self.json()["data"]
        assert isinstance(data, dict), self.body
        return data

    @property
    def items(self) -> list[dict[str, object]]:
        """Return the envelope's data, which must be a list."""
        data = self.json()["data"]
        assert isinstance(data, list), self.body
        return data


class PlainClient:
    """Sends requests below `base` with the headers it was given. Close it, or use it in `with`.

    An address of https needs `tls`: the context that says whom to trust.
    """

    def __init__(
        self,
        base: str,
        *,
        headers: Optional[Mapping[str, str]] = None,
        tls: Optional[ssl.SSLContext] = None,
        timeout: float = 10.0,
    ) -> None:
        parts = urlsplit(base)
        self._path = parts.path
        self._headers = {"User-Agent": "contract-suite", **(headers or {})}
        if tls is None:
            self._connection = http.client.HTTPConnection(parts.netloc, timeout=timeout)
        else:
            self._connection = http.client.HTTPSConnection(parts.netloc, timeout=timeout, context=tls)

    def __enter__(self) -> PlainClient:  # noqa: PYI034 - Self is not in the typing module of 3.9
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        self._connection.close()

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Optional[Mapping[str, str]] = None,
        raw: Optional[bytes] = None,
    ) -> Reply:
        """Send one request; `raw` replaces the encoded body."""
        data = json.dumps(body).encode() if body is not None else raw
        sent = {**self._headers, **(headers or {})}
        if data is not None:
            sent["Content-Type"] = "application/json"
        self._connection.request(method, self._path + path, body=data, headers=sent)
        answer = self._connection.getresponse()
        return Reply(status=answer.status, headers=dict(answer.getheaders()), body=answer.read())

    def get(self, path: str, *, headers: Optional[Mapping[str, str]] = None) -> Reply:
        """GET."""
        return self.send("GET", path, headers=headers)

    def post(self, path: str, body: object) -> Reply:
        """POST."""
        return self.send("POST", path, body)

    def put(self, path: str, body: object) -> Reply:
        """PUT."""
        return self.send("PUT", path, body)


def authorization(**fields: str) -> dict[str, str]:
    """Return the one header that the BlueKing gateway authenticates by."""
    return {"X-Bkapi-Authorization": json.dumps(fields)}


def through_gateway(emulator: Emulator, **fields: str) -> PlainClient:
    """Return a client of BCS behind the gateway; without fields it is lisi with lisi's app."""
    headers = authorization(**(fields or APP_AS_LISI))
    return PlainClient(emulator.url + emulator.rules.path_prefix, headers=headers)


def quoted(text: str) -> str:
    """Return the text as one value of a query."""
    return quote(text, safe="")
