"""Makes the recording's, a site's and the emulator's answers comparable, and compares. Performs no I/O.

What a site calls its own (space, project, cluster, namespace, the one user) gets the recording's names; what
depends on what else is in a namespace is left out, and with it the values that somebody stored there.
"""

from __future__ import annotations

import re

from tests.contract.own_space import NAMESPACE, PROJECT, SPACE, Place
from tests.contract.replay import OWN
from tests.contract.shapes import Names, differences
from tests.support.recordings import Json

Answer = tuple[int, Json]
"""HTTP status and body."""
RECORDED_USERS = ("ann", "bob")
_USER = "<user>"
_USERS = ("creator", "updator", "latestDeployer")
_ANNOTATED = re.compile(r"(io\.tencent\.paas\.(?:creator|updator): ).*")
_OF_LIVE = re.compile(r"^  resourceVersion: .*\n", re.MULTILINE)
_TIMES = ("createAt", "updateAt")
_ID = re.compile(r"\b(?!0{24})[0-9a-f]{24}\b")


class Translator:
    """Gives one speaker's answers the recording's words. Without a user the first one that is named is it."""

    def __init__(self, place: Place, *, users: tuple[str, ...] = ()) -> None:
        self._place = place
        self._users = users
        self._words = [
            (re.compile(pattern), word)
            for named, pattern, word in (
                (place.namespace, rf"(?<=namespace: ){re.escape(place.namespace)}(?=\n|$)", NAMESPACE),
                (place.namespace, rf'(?<=namespaces "){re.escape(place.namespace)}(?=")', NAMESPACE),
                (place.cluster, re.escape(place.cluster), OWN),
                (place.space, re.escape(place.space), SPACE),
            )
            if named
        ]

    def __call__(self, answer: Answer) -> Answer:
        """Return the answer in the recording's words."""
        return answer[0], self._translate(answer[1])

    def _translate(self, value: Json, key: str = "") -> Json:
        if isinstance(value, dict):
            if set(value) == {"key", "readonly", "value"}:
                value = {**value, "value": "<value>"}  # of the project's variable, not of BCS
            return {name: self._translate(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [self._translate(item) for item in value]
        return self._translate_text(value, key) if isinstance(value, str) else value

    def _translate_text(self, text: str, key: str) -> str:
        if key in _USERS:
            return self._translate_user(text)
        if key == "projectCode":
            return PROJECT if text == self._place.project else text
        if key == "requestID":
            return "rid-1" if text else ""
        if key == "previousContent":
            return "<live>" if text else ""
        text = _OF_LIVE.sub("", _ANNOTATED.sub(rf"\g<1>{_USER}", text))
        for pattern, word in self._words:
            text = pattern.sub(word, text)
        return text

    def _translate_user(self, name: str) -> str:
        self._users = self._users or ((name,) if name else ())
        return _USER if name in self._users else name


class Judge:
    """Holds one speaker's answers against another's: ids stand for each other from then on."""

    def __init__(self) -> None:
        self._names = Names()

    def differences(self, expected: Answer, found: Answer) -> list[str]:
        """Return what differs; an answer that differs binds no ids."""
        if expected[0] != found[0]:
            return [f"HTTP {found[0]} {found[1]!r}, expected {expected[0]} {expected[1]!r}"]
        names = self._names.copy()
        what = list(differences(expected[1], found[1], names=names))
        self._names = self._names if what else names
        return what


class Shaper:
    """Puts shapes in place of an emulator's own ids and times, as in a recording."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}

    def __call__(self, answer: Answer) -> Answer:
        """Return the answer with shapes."""
        return answer[0], self._shaped(answer[1])

    def _shaped(self, value: Json, key: str = "") -> Json:
        if isinstance(value, dict):
            return {name: self._shaped(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [self._shaped(item) for item in value]
        if key in _TIMES and isinstance(value, (str, int)):
            return "<time>"
        return _ID.sub(self._named, value) if isinstance(value, str) else value

    def _named(self, match: re.Match[str]) -> str:
        return self._ids.setdefault(match.group(), f"<id{len(self._ids) + 1}>")
