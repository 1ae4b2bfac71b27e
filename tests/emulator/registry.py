"""A container registry on 127.0.0.1, and the token address beside it, with the habits that real ones have.

The distribution specification (opencontainers/distribution-spec v1.1, spec.md, "Endpoints") and Docker's
tokens (distribution/distribution, docs/content/spec/auth/token.md).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Optional
from urllib.parse import urlencode

from tests.emulator.http_message import Answer, Request
from tests.emulator.server import DROP, SEND, Server

OCI_INDEX, OCI = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
)
DOCKER_LIST, DOCKER = (
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"
INDEXES = (OCI_INDEX, DOCKER_LIST)
LOGIN_PAGE = b"<html><title>Sign in</title><body>canary of a page</body></html>"
_MANIFEST = re.compile(r"/v2/(?P<repository>.+)/manifests/(?P<reference>[^/]+)")
_TAGS = re.compile(r"/v2/(?P<repository>.+)/tags/list")


@dataclass(frozen=True)
class Habits:
    """How a registry differs from the specification, or from one without accounts.

    `manifests` and `tags` are statuses that it answers with whatever is asked for (0: it looks); `head` is
    one for HEAD alone. `after` is from which manifest request on they hold. `login` asks for a token,
    `basic` for the password itself; `realm` names another token address. `redirect` is where each answer
    leads, `encoding` a `Content-Encoding`. `hides` says 404 of names to whom it does not know; `empty`
    answers lists without tags. `seconds` is how long an answer takes.
    """

    manifests: int = 0
    head: int = 0
    tags: int = 0
    after: int = 0
    login: bool = False
    basic: bool = False
    realm: str = ""
    redirect: str = ""
    encoding: str = ""
    page: bool = False
    strict: bool = False
    undigested: bool = False
    hides: bool = False
    empty: bool = False
    whole_list: bool = False
    seconds: float = 0.0
    never: bool = False


@dataclass
class Repository:
    """A repository's manifests by tag and digest: media type and bytes."""

    tags: dict[str, str] = field(default_factory=dict)
    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)


class Registry:
    """A registry that listens from construction; `requests` are what it was asked, tokens included."""

    def __init__(
        self,
        habits: Optional[Habits] = None,
        *,
        users: Optional[Mapping[str, str]] = None,
        tls: Optional[ssl.SSLContext] = None,
        host: str = "127.0.0.1",
    ) -> None:
        self.habits = habits or Habits()
        self.requests: list[Request] = []
        self.repositories: dict[str, Repository] = {}
        self.before: Callable[[Request], object] = lambda _: None
        self.token_body = b""
        self._users = dict(users or {})
        self._scheme, self._host = ("https" if tls else "http"), host
        self._tokens: set[tuple[str, str]] = set()
        self._gone = threading.Event()
        self._server = Server(self._respond, tls=tls)

    @property
    def name(self) -> str:
        """Return host and port, as images name it."""
        return f"{self._host}:{self._server.port}"

    @property
    def url(self) -> str:
        """Return the address."""
        return f"{self._scheme}://{self.name}"

    def stop(self) -> None:
        """Stop, whoever waits for an answer."""
        self._gone.set()
        self._server.stop()

    def push(self, repository: str, tag: str, *, kind: str = OCI, platforms: tuple[str, ...] = ()) -> str:
        """Store a manifest, or an index of `os/architecture[/variant]` entries; return its digest."""
        entries = [_entry(each, self._child(repository, tag, each)) for each in platforms]
        listed: dict[str, object] = {"manifests": entries} if kind in INDEXES else {"config": {}}
        version = 1 if kind == SCHEMA_1 else 2
        body = json.dumps({"schemaVersion": version, "mediaType": kind, "of": tag, **listed}).encode()
        digest = "sha256:" + hashlib.sha256(body).hexdigest()
        held = self.repositories.setdefault(repository, Repository())
        held.manifests[digest] = (kind, body)
        held.tags[tag] = digest
        return digest

    def _child(self, repository: str, tag: str, platform: str) -> str:
        """Store the manifest of one platform, and return its digest."""
        name = f"{tag} for {platform}"
        digest = self.push(repository, name)
        del self.repositories[repository].tags[name]
        return digest

    def asked(self, method: str, end: str = "") -> list[Request]:
        """Return the requests by that method whose path ends so."""
        return [each for each in self.requests if each.method == method and each.path.endswith(end)]

    # --- answering ----------------------------------------------------------------------------------

    def _respond(self, request: Request) -> tuple[Answer, str]:
        self.requests.append(request)
        self.before(request)
        if self.habits.never or self.habits.seconds:
            self._gone.wait(None if self.habits.never else self.habits.seconds)
            if self._gone.is_set():
                return Answer(), DROP
        return self._answer(request), SEND

    def _answer(self, request: Request) -> Answer:
        habits = self.habits
        if request.path == "/token":
            return self._give_token(request)
        if habits.encoding:
            return Answer(200, {"Content-Type": OCI, "Content-Encoding": habits.encoding}, b"{}")
        if habits.redirect or habits.page:
            headers = {"Location": habits.redirect} if habits.redirect else {"Content-Type": "text/html"}
            return Answer(307 if habits.redirect else 200, headers, LOGIN_PAGE)
        return self._look(request)

    def _look(self, request: Request) -> Answer:
        manifest, tags = _MANIFEST.fullmatch(request.path), _TAGS.fullmatch(request.path)
        found = manifest or tags
        if found is None:
            return _error(404, "UNSUPPORTED")
        if self._is_stranger(request, found["repository"]):
            return self._challenge(found["repository"])
        if manifest is None:
            return self._list(request, found["repository"])
        return self._manifest(request, found["repository"], manifest["reference"])

    def _manifest(self, request: Request, repository: str, reference: str) -> Answer:
        habits, held = self.habits, self.repositories.get(repository)
        asked = sum("/manifests/" in each.path for each in self.requests)
        forced = (habits.head if request.method == "HEAD" else 0) or habits.manifests
        if forced and asked > habits.after:
            return _error(forced, "UNKNOWN")
        if held is None:
            return _error(404, "NAME_UNKNOWN")
        digest = held.tags.get(reference, reference)
        if digest not in held.manifests:
            return _error(404, "MANIFEST_UNKNOWN")
        kind, body = held.manifests[digest]
        accepted = [entry.partition(";")[0].strip() for entry in request.header("accept").split(",")]
        if habits.strict and kind not in accepted:
            return _error(404, "MANIFEST_UNKNOWN")
        headers = {"Content-Type": kind, "Docker-Content-Digest": digest}
        return Answer(200, {"Content-Type": kind} if habits.undigested else headers, body)

    def _list(self, request: Request, repository: str) -> Answer:
        held, most = self.repositories.get(repository), dict(request.query).get("n", "")
        if self.habits.tags:
            return _error(self.habits.tags, "UNKNOWN")
        if held is None and not self.habits.empty:
            return _error(404, "NAME_UNKNOWN")
        tags = [] if held is None or self.habits.empty else sorted(held.tags)
        if most and not self.habits.whole_list:
            tags = tags[: int(most)]
        body = json.dumps({"name": repository, "tags": tags or None}).encode()
        return Answer(200, {"Content-Type": "application/json"}, body)

    # --- who asks -----------------------------------------------------------------------------------

    def _is_stranger(self, request: Request, repository: str) -> bool:
        kind, _, secret = request.header("authorization").partition(" ")
        if self.habits.basic:
            return kind != "Basic" or not self._knows(secret)
        return self.habits.login and (kind != "Bearer" or (secret, repository) not in self._tokens)

    def _knows(self, basic: str) -> bool:
        user, _, password = base64.b64decode(basic).decode().partition(":")
        return bool(user) and self._users.get(user) == password

    def _challenge(self, repository: str) -> Answer:
        if self.habits.basic:
            return _error(401, "UNAUTHORIZED", {"WWW-Authenticate": f'Basic realm="{self.name}"'})
        realm = self.habits.realm or f"{self.url}/token"
        asked = f'Bearer realm="{realm}",service="{self.name}",scope="repository:{repository}:pull,push"'
        return _error(401, "UNAUTHORIZED", {"WWW-Authenticate": asked})

    def _give_token(self, request: Request) -> Answer:
        kind, _, basic = request.header("authorization").partition(" ")
        if kind and not self._knows(basic):
            return _error(401, "UNAUTHORIZED")
        if self.habits.hides and not kind:
            return _error(401, "UNAUTHORIZED")
        query = dict(request.query)
        word, _, rest = query.get("scope", "").partition(":")
        repository, _, rights = rest.rpartition(":")
        if (word, rights) != ("repository", "pull") or query.get("service") != self.name:
            return _error(400, "UNSUPPORTED")
        token = base64.b64encode(f"{urlencode(query)} {len(self.requests)}".encode()).decode()
        self._tokens.add((token, repository))
        body = self.token_body or json.dumps({"token": token, "expires_in": 300}).encode()
        return Answer(200, {"Content-Type": "application/json"}, body)


def _error(status: int, code: str, headers: Optional[Mapping[str, str]] = None) -> Answer:
    body = json.dumps({"errors": [{"code": code, "message": "canary of an error"}]}).encode()
    return Answer(status, {"Content-Type": "application/json", **(headers or {})}, body)


def _entry(platform: str, digest: str) -> dict[str, object]:
    """Return an index's entry as buildkit writes it: what is for no platform is an attestation."""
    words = dict(zip(("os", "architecture", "variant"), platform.split("/")))
    is_attestation = platform == "unknown/unknown"
    notes = {"annotations": {"vnd.docker.reference.type": "attestation-manifest"}} if is_attestation else {}
    return {"digest": digest, "platform": words, **notes}
