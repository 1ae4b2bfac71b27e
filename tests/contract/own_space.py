"""Which recorded requests may be sent to somebody's site, and as what: those that can't leave one space.

Performs no I/O. A request is sent where its method, path and body show that it is about the space that was
made for it, about what was made in there, or reads an id that nobody has. All others have a reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from tests.contract.replay import OWN
from tests.emulator import Dialect
from tests.support.recordings import Asked, Done, Json

PROJECTS = "/clusterresources/v1/projects"
PROJECT, SPACE, NAMESPACE = "demo", "web", "apps"
"""What the recordings call theirs."""
OUTSIDE = "is not surely inside the space"
NO_CLUSTER = "asks about a cluster: CLUSTER and NAMESPACE name one"
FOLLOWS = "follows from a request that was not sent, or made nothing"
_SIGNED = "is signed otherwise than with the token of one user"
_HINDERED = {
    "deny": "needs somebody who is denied something",
    "api_server_refuses": "needs an API server that refuses",
}
_LIVE = "is about live objects, or deploys some"
_CHART = "makes a template set, which no call of BCS takes away again"
_NAME = re.compile(r"\$([A-Z0-9]+)\b")
_MADE = r"\$[A-Z0-9]+"
_READABLE = rf"(?:{_MADE}|0{{24}}|short)"


@dataclass(frozen=True)
class Place:
    """Where the requests go: what stands there for the recorded project, space, cluster and namespace."""

    project: str
    space: str
    cluster: str = ""
    namespace: str = ""


class Selection:
    """Tells of each recorded request, in their order, whether it may be sent."""

    def __init__(self, dialect: Dialect, *, with_cluster: bool) -> None:
        self._dialect, self._with_cluster = dialect, with_cluster
        self._hindered: dict[str, Json] = {}

    def note(self, done: Done) -> None:
        """Take note of what was done to the recorded world."""
        self._hindered.update({word: what for word, what in done.what.items() if word in _HINDERED})

    def refuse(self, asked: Asked) -> str:
        """Return why the request may not be sent, empty where it may."""
        if asked.user not in ("ann", "bob"):
            return _SIGNED
        for word, what in self._hindered.items():
            if what:
                return _HINDERED[word]
        rest = asked.path.partition(f"{PROJECTS}/{PROJECT}/")[2]
        if "/clusters/" in asked.path:
            return _LIVE
        if rest == "templatesets":
            return _CHART
        if rest in ("template/variables", "template/preview", "template/deploy"):
            return self._refuse_about_cluster(rest, asked.body)
        return "" if self._stays_inside(asked, rest) else OUTSIDE

    def _refuse_about_cluster(self, rest: str, body: Json) -> str:
        versions = body.get("templateVersions") if isinstance(body, dict) else None
        if rest == "template/deploy" and versions != []:
            return _LIVE
        if not self._with_cluster:
            return NO_CLUSTER
        if not isinstance(body, dict) or (body.get("clusterID"), body.get("namespace")) != (OWN, NAMESPACE):
            return OUTSIDE
        ours = isinstance(versions, list) and all(_NAME.fullmatch(str(version)) for version in versions)
        return "" if ours else OUTSIDE

    def _stays_inside(self, asked: Asked, rest: str) -> bool:
        return any(
            method == asked.method and re.fullmatch(path, rest) and is_inside(asked, self._dialect)
            for method, path, is_inside in _RULES
        )


def _by_path(_asked: Asked, _dialect: Dialect) -> bool:
    return True


def _makes_space(asked: Asked, _dialect: Dialect) -> bool:
    return isinstance(asked.body, dict) and asked.body.get("name") == SPACE


def _lists_space(asked: Asked, _dialect: Dialect) -> bool:
    return asked.query in (f"name={SPACE}", f"name=%5E{SPACE}%24")


def _makes_file(asked: Asked, dialect: Dialect) -> bool:
    by_id = isinstance(asked.body, dict) and asked.body.get("templateSpaceID") == "$S"
    return by_id and _names_file(asked, dialect)


def _names_file(asked: Asked, dialect: Dialect) -> bool:
    """Tell whether a file's name names no other space: where the id counts for nothing, it would decide."""
    name = asked.body.get("name") if isinstance(asked.body, dict) else None
    if not isinstance(name, str):
        return False
    folder, slash, _ = name.lstrip("/").partition("/")
    return folder == SPACE or not slash or not dialect.names_hold_space


def _asks_for_space(asked: Asked, _dialect: Dialect) -> bool:
    return isinstance(asked.body, dict) and asked.body.get("templateSpace") == SPACE


_RULES: tuple[tuple[str, str, Callable[[Asked, Dialect], bool]], ...] = (
    ("POST", "template/spaces", _makes_space),
    ("GET", "template/spaces", _lists_space),
    ("GET", rf"template/(?:spaces|metadatas|versions)/{_READABLE}", _by_path),
    ("GET", rf"template/{_READABLE}/(?:metadatas|versions|metadata/versions)", _by_path),
    ("DELETE", rf"template/(?:spaces|metadatas|versions)/{_MADE}", _by_path),
    ("POST", r"template/(?:\$S/)?metadatas", _makes_file),
    ("PUT", rf"template/metadatas/{_MADE}", _names_file),
    ("POST", rf"template/{_MADE}/versions", _by_path),
    ("POST", "template/detail", _asks_for_space),
)


def names_in(asked: Asked) -> set[str]:
    """Return the names of earlier answers' parts that the request is made of."""
    return {*_NAME.findall(asked.path), *_names_in(asked.body)}


def _names_in(body: Json) -> Iterator[str]:
    if isinstance(body, (dict, list)):
        for item in body.values() if isinstance(body, dict) else body:
            yield from _names_in(item)
    elif isinstance(body, str):
        yield from _NAME.findall(body) if _NAME.fullmatch(body) else ()


def rewritten(asked: Asked, place: Place, *, kept: Mapping[str, str]) -> Asked:
    """Return the request as it is sent to that place. Raises KeyError for a name that was not kept."""
    path = asked.path.replace(f"{PROJECTS}/{PROJECT}/", f"{PROJECTS}/{place.project}/", 1)
    return replace(
        asked,
        path=_NAME.sub(lambda match: kept[match.group(1)], path),
        query=asked.query.replace(SPACE, place.space),
        body=_rewritten(asked.body, place, kept=kept),
    )


def _rewritten(body: Json, place: Place, *, kept: Mapping[str, str], key: str = "") -> Json:
    if isinstance(body, dict):
        return {name: _rewritten(item, place, kept=kept, key=name) for name, item in body.items()}
    if isinstance(body, list):
        return [_rewritten(item, place, kept=kept) for item in body]
    if not isinstance(body, str):
        return body
    if _NAME.fullmatch(body):
        return kept[body[1:]]
    if key in ("name", "templateName", "templateSpace"):
        return re.sub(rf"^(/*){SPACE}(?=/|$)", rf"\g<1>{place.space}", body)
    return {"clusterID": place.cluster, "namespace": place.namespace}.get(key, body)
