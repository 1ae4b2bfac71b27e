"""A server's words without the values of Kubernetes Secrets. Performs no I/O.

API servers quote what they can't read. What ends up in a Secret is secret by whichever way it gets there: by
a template, by the input `variables`, or by the namespace's own variables, which BCS tells while a run asks
it; and so is what versions hold that are read, and what previews tell of Secrets that are live. Our own words
are left alone: a Secret may hold a host's name.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Optional

from bcs_template_set.agent.masker import Masker
from bcs_template_set.bcs.calls import JsonValue
from bcs_template_set.manifests.fields import list_at, mapping_at, text_at
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.masking import may_hold_secret, secret_values
from bcs_template_set.manifests.parse import Document, bcs_variables_in, parse_foreign, with_variables
from bcs_template_set.messages.secret import Secret

LEAST_OF_A_VALUE = 8
"""Characters of a Kubernetes Secret's value; a server's words are not searched for "true" or "root"."""


class SecretWords:
    """Knows the values of Secrets, and learns more from answers. Safe to use from several threads."""

    def __init__(
        self, files: Sequence[ManifestFile] = (), *, variables: Optional[Mapping[str, str]] = None
    ) -> None:
        self._lock = threading.Lock()
        self._masker = Masker()
        self._seen: set[str] = set()
        self._texts: set[str] = set()
        self._variables = dict(variables or {})
        self._hold(_texts_of(found for file in files for found in file.documents))

    def mask(self, words: str) -> str:
        """Return the beginning of a server's words with `***` for every value."""
        return self._masker.mask_beginning(words)

    def learn(self, data: JsonValue) -> None:
        """Remember what an answer tells: values of variables that are in Secrets, and Secrets themselves."""
        with self._lock:
            for part in data if isinstance(data, list) else [data]:
                if isinstance(part, dict):
                    self._learn(part)

    def _learn(self, part: dict[str, JsonValue]) -> None:
        told = dict(_pairs(part.get("vars")))
        if told:
            # The author's value is the one that is sent; the namespace's own is a secret all the same.
            self._fill_in(self._texts, {**self._variables, **told})
            self._variables = {**told, **self._variables}
            self._fill_in(self._texts, self._variables)
        for text in _manifests([part, *list_at(part, "items")]):
            if text not in self._seen and may_hold_secret(text):
                self._seen.add(text)
                self._hold(_texts_of(parse_foreign(text) or ()))

    def _hold(self, texts: Iterable[str]) -> None:
        new = set(texts) - self._texts
        self._texts |= new
        self._add(new)
        self._fill_in(new, self._variables)

    def _fill_in(self, texts: Iterable[str], variables: Mapping[str, str]) -> None:
        for text in texts:
            known = {name: variables[name] for name in _names_in(text) if variables.get(name)}
            if known:
                self._add(known.values())
                made = with_variables(text, known)
                self._add(secret_values({"kind": "Secret", "data": made}))  # and what it encodes

    def _add(self, values: Iterable[str]) -> None:
        self._masker.add(*(Secret(value) for value in set(values) if len(value) >= LEAST_OF_A_VALUE))


def _texts_of(documents: Iterable[Document]) -> Iterator[str]:
    return (value for document in documents for value in secret_values(dict(document.body)))


def _names_in(text: str) -> Iterator[str]:
    return (variable.name for variable in bcs_variables_in(text))


def _pairs(items: JsonValue) -> Iterator[tuple[str, str]]:
    for item in map(mapping_at, list_at(items)):
        name, value = item.get("key"), item.get("value")
        if isinstance(name, str) and isinstance(value, str):
            yield name, value


def _manifests(items: Iterable[JsonValue]) -> Iterator[str]:
    for item in items:
        yield from (text_at(item, key) for key in ("content", "previousContent"))
