"""The form of an image's name, as a container runtime reads it. Pure: performs no I/O.

The grammar of distribution/reference (reference.go, v0.6): registry/repository:tag@digest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Optional

from bcs_template_set.messages import Text, say

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_REGISTRY = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]+)?")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128}|(?!sha)[a-z0-9+._-]+:[a-fA-F0-9]{32,}")
_ODD = re.compile(r"[^A-Za-z0-9._/:@+\[\]-]")
_LONGEST = 255


@lru_cache(maxsize=2048)  # two checks look at each, and many pods have one
def problem_of_image(image: str) -> Optional[Text]:
    """Return what is wrong with an image's form, None where nothing is."""
    return next(_problems(image), None)


def _problems(image: str) -> Iterator[Text]:
    if "${" in image:
        yield say("checks.image_variable")
    if "://" in image:
        yield say("checks.image_scheme")
    odd = _ODD.search(image)
    if odd is not None:
        yield say("checks.image_character", code=f"U+{ord(odd[0]):04X}", column=odd.start() + 1)
    name, at, digest = image.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        yield say("checks.image_digest")
    _, colon, tag = name.rpartition("/")[2].partition(":")
    if colon and not tag:
        yield say("checks.image_tag_empty")
    elif colon and not _TAG.fullmatch(tag):
        yield say("checks.image_tag_form")
    yield from _problems_of_name(name[: len(name) - len(colon + tag)])


def _problems_of_name(name: str) -> Iterator[Text]:
    """Yield what is wrong with registry and repository; what looks like a host is the registry."""
    first, slash, rest = name.partition("/")
    is_registry = slash and ("." in first or ":" in first or first == "localhost" or first.lower() != first)
    if is_registry and not _REGISTRY.fullmatch(first):
        yield say("checks.image_registry")
    repository = rest if is_registry else name
    if ":" in repository:
        yield say("checks.image_tag_slash")
    if repository.lower() != repository:
        yield say("checks.image_capitals")
    if not _REPOSITORY.fullmatch(repository):
        yield say("checks.image_path")
    if len(name) > _LONGEST:
        yield say("checks.too_long", length=len(name), limit=_LONGEST)
