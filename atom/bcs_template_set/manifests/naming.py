"""Names and their limits: branch slugs and paths, versions, files in BCS, the objects of a domain. Pure.

The forms of a domain's objects and Kubernetes' limits are those of facts/manifests.md; BCS's limits are
those of facts/bcs.md and of cluster-resources, pkg/util/stringx/string.go (ParseTemplateName).
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Collection, Container
from functools import lru_cache
from typing import NamedTuple, Optional

from bcs_template_set.messages import Text, say

DEFAULT_MAIN_BRANCHES = ("main", "master", "release")
WEB_FILES = ("deployment", "service", "routes")
"""What `builtin:web` makes of a domain: a file a part, in the order in which they are applied."""

_WEB_FILE = re.compile(rf"(.+)\.({'|'.join(WEB_FILES)})\.yaml")

LONGEST_SLUG = 40
LONGEST_VERSION = 64
LONGEST_FILE_NAME = 64
LONGEST_LABEL = 63
LONGEST_SUBDOMAIN = 253
_HASH = 10
_LARGEST_INT64 = "9223372036854775807"

CONFIG_KEY = "[-._a-zA-Z0-9]{1,253}"
"""The form of a key of a ConfigMap or Secret."""
_LABEL = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
_QUALIFIED = r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?"
_FORMS = {
    "label": (_LABEL, LONGEST_LABEL),
    "service": (r"[a-z]([a-z0-9-]*[a-z0-9])?", LONGEST_LABEL),
    "subdomain": (rf"{_LABEL}(\.{_LABEL})*", LONGEST_SUBDOMAIN),
    "label_value": (rf"({_QUALIFIED})?", LONGEST_LABEL),
    "label_key": (_QUALIFIED, LONGEST_LABEL),
}
_HASHED = re.compile(rf".*-[0-9a-f]{{{_HASH}}}")
# SemVer 2.0.0, as Helm reads it; BCS's own reader (coreos/go-semver) also wants 64-bit numbers.
_NUMBER = r"(0|[1-9][0-9]*)"
_PRE_PART = r"(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_BUILD_PART = r"[0-9A-Za-z-]+"
_SEMVER = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(-{_PRE_PART}(\.{_PRE_PART})*)?(\+{_BUILD_PART}(\.{_BUILD_PART})*)?"
)
_FORBIDDEN_IN_FILES = '\\:*?"<>|'
_FORBIDDEN = frozenset(_FORBIDDEN_IN_FILES)


class DomainNames(NamedTuple):
    """The names of one domain's objects (facts/manifests.md, "Names")."""

    app: str
    host: str

    @property
    def deployment(self) -> str:
        """Return the Deployment's name, its `k8s-app` selector and its pods' label: the three are equal."""
        return f"deployment.{self.app}.{self.host}"

    @property
    def service(self) -> str:
        """Return the Service's name, which the Ingress backend uses too."""
        return f"service-{self.app}-{self.host.replace('.', '-')}"

    @property
    def tls_secret(self) -> str:
        """Return the name of the Secret that holds the host's certificate."""
        return f"{self.host}.cert"

    def ingress(self, index: int) -> str:
        """Return the name of the Ingress on the load balancer of that index."""
        return f"ingress-{self.host}-{index}"


def deployment_file(host: str) -> str:
    """Return the name of the file that holds a domain's Deployment."""
    return web_file(host, "deployment")


def routes_file(host: str) -> str:
    """Return the name of the file that holds a domain's Ingresses."""
    return web_file(host, "routes")


def web_file(host: str, part: str) -> str:
    """Return the name of the file that `builtin:web` makes of one of its parts for a domain."""
    return f"{host}.{part}.yaml"


def web_part(name: str) -> tuple[str, str]:
    """Return the host and the part of a file that `builtin:web` makes, both "" for any other file."""
    found = _WEB_FILE.fullmatch(name)
    return (found[1], found[2]) if found else ("", "")


def free_successor(version: str, *, taken: Container[str]) -> str:
    """Return the first version name after this one that is not taken."""
    names = (successor_of(version, number) for number in itertools.count(2))
    return next(name for name in names if name not in taken)


def slug_of(branch: str) -> str:
    """Return a branch's name as a DNS-1123 label of at most 40 characters, fit for a SemVer identifier.

    A name that is such a label already stays as it is. Any other is made one and ends in a hash of the
    branch's name; so does one that looks as if it ended in a hash. So two branches never share a slug.
    """
    if _is_slug(branch) and not _HASHED.fullmatch(branch):
        return branch
    digest = hashlib.sha256(branch.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH]
    kept = re.sub(r"[^a-z0-9]+", "-", branch.lower()).strip("-")
    kept = kept[: LONGEST_SLUG - _HASH - 1].rstrip("-")
    return f"{kept or 'branch'}-{digest}"


def _is_slug(text: str) -> bool:
    # SemVer takes no number with a leading zero, and the slug ends the default version.
    return (
        len(text) <= LONGEST_SLUG
        and re.fullmatch(_LABEL, text) is not None
        and re.fullmatch(r"0[0-9]+", text) is None
    )


def path_of_branch(name: str, *, main_branches: Collection[str]) -> str:
    """Return the path a branch is served at: `/<slug>/`, or `/` where it is one of the main branches."""
    return "/" if name in main_branches else f"/{slug_of(name)}/"


def normal_path(path: str) -> str:
    """Return the place of a path: the path without a slash at its end, since Prefix takes both for one."""
    return path.rstrip("/") or "/"


def is_semver(name: str) -> bool:
    """Tell whether a version name is SemVer 2 with numbers of 64 bits, as a template set needs."""
    match = _SEMVER.fullmatch(name)
    return match is not None and all(_fits_64_bits(match[group]) for group in (1, 2, 3))


def _fits_64_bits(digits: str) -> bool:
    return (len(digits), digits) <= (len(_LARGEST_INT64), _LARGEST_INT64)


def successor_of(version: str, number: int) -> str:
    """Return the name under which a build writes a file for the second, third, … time.

    It sorts right behind the version and belongs to this version and number only: `1.0.7-a.2` for
    `1.0.7-a`, `1.0.7+2` for `1.0.7`. Where that is longer than BCS takes, the middle gives way to a hash.
    A SemVer version's is SemVer too.
    """
    plain = is_semver(version) and not re.search("[-+]", version)
    whole = f"{version}{'+' if plain else '.'}{number}"
    return whole if len(whole) <= LONGEST_VERSION else _shortened(version, number)


def _shortened(version: str, number: int) -> str:
    """Keep a SemVer version's three numbers, and of the rest what there is room for beside a hash."""
    digest = hashlib.sha256(f"{version} {number}".encode("utf-8", "surrogatepass")).hexdigest()
    tail = f"-{digest[:_HASH]}.{number}"
    room = LONGEST_VERSION - len(tail)
    core = re.match("[0-9.]*[-+]", version) if is_semver(version) else None
    if core is not None and core.end() > room:
        # Numbers of 19 digits: a letter first, for SemVer takes no number that begins with 0.
        return f"{core[0]}h{digest}"[:LONGEST_VERSION]
    return version[:room] + tail


def check_version_name(name: str) -> Optional[Text]:
    """Return what is wrong with a version name for BCS, or None."""
    if not name:
        return say("checks.version_empty")
    if len(name) > LONGEST_VERSION:
        return say("checks.version_long", length=len(name), limit=LONGEST_VERSION)
    if name != name.strip() or not name.isprintable():
        return say("checks.version_characters")
    return None


def check_file_name(space: str, name: str) -> Optional[Text]:
    """Return what is wrong with a file's name in its template space for BCS, or None."""
    whole = f"{space}/{name}" if space else name
    if len(whole) > LONGEST_FILE_NAME:
        return say("checks.file_long", length=len(whole), limit=LONGEST_FILE_NAME, name=whole)
    if not _FORBIDDEN.isdisjoint(name) or not name.isprintable():
        return say("checks.file_characters", forbidden=" ".join(_FORBIDDEN_IN_FILES))
    parts = name.split("/")
    if not all(parts):
        return say("checks.file_slashes")
    if any(part != part.rstrip(" .") for part in parts):
        return say("checks.file_trimmed")
    return None


def check_subdomain(name: str) -> Optional[Text]:
    """Return what is wrong with a DNS-1123 subdomain, the form of most objects' names, or None."""
    return _check(name, "subdomain")


def check_label(name: str) -> Optional[Text]:
    """Return what is wrong with a DNS-1123 label, the form of containers' names, or None."""
    return _check(name, "label")


def check_service_name(name: str) -> Optional[Text]:
    """Return what is wrong with a DNS-1035 label, the form of a Service's name, or None."""
    return _check(name, "service")


def check_label_value(value: str) -> Optional[Text]:
    """Return what is wrong with the value of a label, or None."""
    return _check(value, "label_value")


@lru_cache(maxsize=1024)  # the same keys stand in many objects
def check_label_key(key: str) -> Optional[Text]:
    """Return what is wrong with the key of a label or annotation, or None."""
    prefix, slash, name = key.rpartition("/")
    if slash and (problem := check_subdomain(prefix)) is not None:
        return problem
    return _check(name, "label_key")


@lru_cache(maxsize=2048)  # the names of a run stand in many fields
def _check(text: str, form: str) -> Optional[Text]:
    pattern, limit = _FORMS[form]
    if len(text) > limit:
        return say("checks.too_long", length=len(text), limit=limit)
    return None if re.fullmatch(pattern, text) else say(f"checks.form_{form}")
