"""The form of an image's name, and its parts, as a container runtime reads it. Pure: performs no I/O.

The grammar of distribution/reference (reference.go and normalize.go, v0.6): registry/repository:tag@digest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple, Optional

from bcs_template_set.messages import Text, say

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_REGISTRY = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]+)?")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128}|(?!sha)[a-z0-9+._-]+:[a-fA-F0-9]{32,}")
_ODD = re.compile(r"[^A-Za-z0-9._/:@+\[\]-]")
_LONGEST = 255
DOCKER_HUB = "docker.io"
_DOCKER_HUBS = (DOCKER_HUB, "index.docker.io")
_DOCKER_HUBS_HOST = "registry-1.docker.io"


class ImageName(NamedTuple):
    """An image's name in its parts; `registry` is `docker.io` where none is named, in lower case."""

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def host(self) -> str:
        """Return where the registry is asked, with the port if one is named."""
        return _DOCKER_HUBS_HOST if self.registry == DOCKER_HUB else self.registry

    @property
    def reference(self) -> str:
        """Return what the manifest is asked for by: with a digest that alone counts."""
        return self.digest or self.tag or "latest"


@lru_cache(maxsize=2048)  # as below
def read_image(image: str) -> Optional[ImageName]:
    """Return the parts of an image's name, None where its form is wrong."""
    if problem_of_image(image) is not None:
        return None
    name, _, digest = image.partition("@")
    path, tag = _without_tag(name)
    first, repository = _split(path)
    registry = registry_named(first or DOCKER_HUB)
    if registry == DOCKER_HUB and "/" not in repository:
        repository = f"library/{repository}"
    return ImageName(registry, repository, tag, digest)


def registry_named(name: str) -> str:
    """Return the one name of a registry that has several."""
    return DOCKER_HUB if name.lower() in _DOCKER_HUBS else name.lower()


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
    path, tag = _without_tag(name)
    if path != name and not tag:
        yield say("checks.image_tag_empty")
    elif tag and not _TAG.fullmatch(tag):
        yield say("checks.image_tag_form")
    yield from _problems_of_name(path)


def _without_tag(name: str) -> tuple[str, str]:
    """Return a name without its tag, and that; a colon before the last slash is a registry's port."""
    _, colon, tag = name.rpartition("/")[2].partition(":")
    return name[: len(name) - len(colon + tag)], tag


def _split(path: str) -> tuple[str, str]:
    """Return registry and repository; what looks like a host is the registry, "" where nothing does."""
    first, slash, rest = path.partition("/")
    is_registry = slash and ("." in first or ":" in first or first == "localhost" or first.lower() != first)
    return (first, rest) if is_registry else ("", path)


def _problems_of_name(name: str) -> Iterator[Text]:
    """Yield what is wrong with registry and repository."""
    registry, repository = _split(name)
    if registry and not _REGISTRY.fullmatch(registry):
        yield say("checks.image_registry")
    if ":" in repository:
        yield say("checks.image_tag_slash")
    if repository.lower() != repository:
        yield say("checks.image_capitals")
    if not _REPOSITORY.fullmatch(repository):
        yield say("checks.image_path")
    if len(name) > _LONGEST:
        yield say("checks.too_long", length=len(name), limit=_LONGEST)
