"""What a registry's answers say of an image, what it asks for, and where a password may go. Pure: no I/O.

The distribution specification (opencontainers/distribution-spec v1.1, spec.md). Registries say 404 of what
one may not see, 401 and 403 of what is not there, and 404 of what is there if they are asked otherwise than
they like; so "missing" is proved, and everything else is "not seen" (facts/registries.md).

Docker's token protocol (distribution/distribution, docs/content/spec/auth/token.md): the registry's answer
names the address that gives tokens, and with it where a careless client sends the password.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Literal, Optional, Union
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from bcs_template_set.manifests.fields import Fields, list_at, mapping_at, text_at
from bcs_template_set.manifests.image_form import ImageName, registry_named
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.secret import Secret
from bcs_template_set.records.decoding import parse
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.system.http_values import HttpAnswer

Question = Literal["HEAD", "GET", "tags"]
"""The manifest, asked for by either method, or the first page of the repository's tags."""

_INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_SINGLE = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_SCHEMA_1 = (
    "application/vnd.docker.distribution.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
)
ACCEPTED = ", ".join((*_INDEXES, *_SINGLE))
MOST_TAGS = 100
"""Tags in the one page that is asked for."""

_OK, _UNKNOWN = 200, 404
_ASKED_ANOTHER_WAY = frozenset({_OK, 400, _UNKNOWN, 405, 406, 501})
"""What HEAD answers where a registry may know the manifest all the same."""

_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_WORD = re.compile(r"[A-Za-z0-9_.-]{1,32}")
_DIGEST = re.compile(r"sha(256|512):[0-9a-f]{64,128}")


@dataclass(frozen=True)
class Platform:
    """What an image is made for, or a node is; "" where it is not known."""

    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(filter(None, (self.os or "*", self.architecture or "*", self.variant)))

    def takes(self, entry: Platform) -> bool:
        """Tell whether a node of this platform runs an index's entry for that one, as far as it is known.

        A node runs what was made for an earlier variant of its architecture, such as arm/v6 on arm/v7.
        """
        is_like = self.os in ("", entry.os) and self.architecture in ("", entry.architecture)
        return is_like and (not self.variant or entry.variant <= self.variant)


@dataclass(frozen=True)
class Found:
    """A manifest is there; `platforms` are those of an index, None where it is none or was not read.

    `children` are the digests of their manifests, "" where one has none.
    """

    platforms: Optional[tuple[Platform, ...]] = None
    children: tuple[str, ...] = ()
    is_schema_1: bool = False


@dataclass(frozen=True)
class Missing:
    """The repository is seen, with these tags, and the manifest `reference` is not in it."""

    tags: tuple[str, ...]
    reference: str


@dataclass(frozen=True)
class Unseen:
    """It could not be looked at, and why; `of_all`: so it is with whatever the registry is asked now."""

    reason: Text
    of_all: bool = False


Verdict = Union[Found, Missing, Unseen]
Reply = Union[HttpAnswer, Unseen]


def judge(
    name: ImageName, replies: Mapping[Question, Reply], *, reads_index: bool
) -> Union[Verdict, Question]:
    """Return what the replies so far say of an image, or what has to be asked next.

    `reads_index`: the platforms of an index are wanted, which only its body tells.
    """
    head = replies.get("HEAD")
    if head is None or isinstance(head, Unseen):
        return head or "HEAD"
    kind = _media_type(head) if head.status == _OK and head.headers.get("docker-content-digest") else ""
    if kind in _SINGLE or (kind in _INDEXES and not reads_index):
        return Found()
    if head.status not in _ASKED_ANOTHER_WAY:
        return answered(name, head)
    return _by_body(name, head, replies)


def _by_body(
    name: ImageName, head: HttpAnswer, replies: Mapping[Question, Reply]
) -> Union[Verdict, Question]:
    """Return the same where HEAD has not decided."""
    got = replies.get("GET")
    if got is None or isinstance(got, Unseen):
        return got or "GET"
    if got.status == _OK:
        return manifest_in(got) or Unseen(say("images.no_manifest", host=name.host))
    if got.status != _UNKNOWN or head.status != _UNKNOWN or _says(got, "NAME_UNKNOWN"):
        return answered(name, got)
    return _by_tags(name, replies.get("tags"))


def _by_tags(name: ImageName, listed: Optional[Reply]) -> Union[Verdict, Question]:
    """Return whether the list of tags proves that a manifest of which 404 was said is not there."""
    if listed is None or isinstance(listed, Unseen):
        return listed or "tags"
    tags = tags_in(listed)
    if not tags:
        return Unseen(say("images.no_tags", host=name.host, status=listed.status))
    if not name.digest and name.reference in tags:
        return Unseen(say("images.tag_listed", host=name.host))
    return Missing(tags[:MOST_TAGS], name.reference)


def answered(name: ImageName, answer: HttpAnswer, *, of_all: bool = False) -> Unseen:
    """Return that a status is all that a registry says."""
    return Unseen(say("images.status", host=name.host, status=answer.status), of_all)


def manifest_in(answer: HttpAnswer) -> Optional[Found]:
    """Return the manifest that an answer holds, None where it holds something else, such as a page."""
    body = _body(answer)
    kind = _media_type(answer)
    if kind not in (*_INDEXES, *_SINGLE, *_SCHEMA_1):
        kind = text_at(body, "mediaType")
    if kind in _SCHEMA_1 or (body.get("schemaVersion") == 1 and "fsLayers" in body):
        return Found(is_schema_1=True)
    if kind in _INDEXES:
        children = _children_of(body)
        return Found(tuple(children), tuple(children.values()))
    return Found() if kind in _SINGLE and body else None


def _children_of(index: Fields) -> dict[Platform, str]:
    """Return an index's platforms, each with its digest; what is for `unknown/unknown` is an attestation."""
    found: dict[Platform, str] = {}
    for entry in list_at(index, "manifests"):
        words = mapping_at(mapping_at(entry), "platform")
        platform = Platform(*(text_at(words, key) for key in ("os", "architecture", "variant")))
        is_one = platform.os != "unknown" and "vnd.docker.reference.type" not in mapping_at(
            mapping_at(entry), "annotations"
        )
        if is_one and _WORD.fullmatch(platform.os) and _WORD.fullmatch(platform.architecture):
            variant = platform.variant if _WORD.fullmatch(platform.variant) else ""
            digest = text_at(mapping_at(entry), "digest")
            known = Platform(platform.os, platform.architecture, variant)
            found.setdefault(known, digest if _DIGEST.fullmatch(digest) else "")
    return found


def tags_in(answer: HttpAnswer) -> tuple[str, ...]:
    """Return the tags that an answer lists; none where it is no list."""
    listed = list_at(_body(answer), "tags") if answer.status == _OK else ()
    return tuple(tag for tag in listed if isinstance(tag, str) and _TAG.fullmatch(tag))


def token_in(answer: HttpAnswer) -> str:
    """Return the token that an answer of a token address gives, "" where it gives none fit for a header."""
    body = _body(answer) if answer.status == _OK else {}
    token = text_at(body, "token") or text_at(body, "access_token")
    return token if re.fullmatch(r"[\x21-\x7e]+", token) else ""


def _says(answer: HttpAnswer, code: str) -> bool:
    return any(text_at(mapping_at(error), "code") == code for error in list_at(_body(answer), "errors"))


def _media_type(answer: HttpAnswer) -> str:
    return answer.headers.get("content-type", "").partition(";")[0].strip().lower()


def _body(answer: HttpAnswer) -> Fields:
    """Return the JSON object of an answer, an empty one where it is none."""
    try:
        return mapping_at(parse(answer.body))  # type: ignore[arg-type]  # an object that was parsed
    except (ValueError, RecursionError):
        return {}


_PAIR = re.compile(r'(?<![a-zA-Z_])([a-zA-Z_]+)="([^"]*)"')  # of 64 Ki letters only one is a beginning
_IPV4 = re.compile(r"[0-9.]+")
_PLAIN = re.compile(r"[\x21-\x7e]*")

_TOKEN_HOSTS = (
    (re.compile(r"registry-1\.docker\.io"), "auth.docker.io"),
    (re.compile(r"registry\.([a-z0-9-]+)\.aliyuncs\.com"), r"dockerauth.\1.aliyuncs.com"),
    (re.compile(r"[a-z0-9-]+\.([a-z0-9-]+)\.cr\.aliyuncs\.com"), r"dockerauth.\1.aliyuncs.com"),
)
"""Registries whose token address is neither their own host nor its parent domain."""


@dataclass(frozen=True)
class Login:
    """A user name and password, and the one registry that they are for."""

    registry: str
    user: str
    password: Secret

    def header(self) -> Secret:
        """Return what a request shows."""
        pair = f"{self.user}:{self.password.reveal()}".encode("utf-8", "surrogatepass")
        return Secret(f"Basic {base64.b64encode(pair).decode('ascii')}")


@dataclass(frozen=True)
class Challenge:
    """What a registry asks for: the password itself, or a token that `realm` gives."""

    scheme: Literal["basic", "bearer"]
    realm: str = ""
    service: str = ""


def challenge_in(header: str) -> Optional[Challenge]:
    """Return what a `WWW-Authenticate` header asks for, None where nobody can follow it.

    A realm with a blank or a line break in it is none.
    """
    bearer = re.search(r"(?is)(?:^|,)\s*bearer\s+(.*)", header)
    if bearer is None:
        return Challenge("basic") if re.match(r"(?i)\s*basic\b", header) else None
    words = {name.lower(): value for name, value in reversed(_PAIR.findall(bearer[1]))}
    realm, service = words.get("realm", ""), words.get("service", "")
    is_plain = _PLAIN.fullmatch(realm) and _PLAIN.fullmatch(service.replace(" ", ""))
    return Challenge("bearer", realm, service) if is_plain and _parts(realm) is not None else None


def token_url(challenge: Challenge, name: ImageName) -> str:
    """Return where to ask for a token that may pull from an image's repository, and do nothing else."""
    parts = urlsplit(challenge.realm)
    given = [(key, value) for key, value in parse_qsl(parts.query) if key not in ("service", "scope")]
    asked = [("service", challenge.service)] if challenge.service else []
    query = [*given, *asked, ("scope", f"repository:{name.repository}:pull")]
    return parts._replace(query=urlencode(query), fragment="").geturl()


def may_give_tokens(host: str, realm: str) -> bool:
    """Tell whether a registry's tokens may come from an address: by HTTPS, but from loopback to loopback."""
    parts = _parts(realm)
    if parts is None:
        return False
    return parts.scheme == "https" or (is_here(parts.netloc) and is_here(host))


def is_here(host: str) -> bool:
    """Tell whether a host, with or without a port, is this machine, as far as its name tells."""
    name = _host(host)
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def may_see_password(host: str, realm: str) -> bool:
    """Tell whether a password may go to a token address: the registry's host, its parent, or a known one."""
    parts = _parts(realm)
    if parts is None or not may_give_tokens(host, realm):
        return False
    own, asking = _host(host), parts.hostname
    parent = "" if _IPV4.fullmatch(own) else own.partition(".")[2]
    known = [pattern.sub(other, own) for pattern, other in _TOKEN_HOSTS if pattern.fullmatch(own)]
    return asking in (own, *known) or ("." in parent and asking == parent)


def login_for(login: Optional[Login], name: ImageName) -> Optional[Login]:
    """Return the login where it is for the image's registry."""
    return login if login is not None and registry_named(login.registry) == name.registry else None


def _parts(url: str) -> Optional[SplitResult]:
    """Return the parts of an address that a token may be asked from, None where it is none."""
    try:
        parts = urlsplit(url)
        named = parts.hostname if parts.port != 0 else None
    except ValueError:
        return None
    return parts if named and parts.scheme in ("http", "https") and "@" not in parts.netloc else None


def _host(host: str) -> str:
    """Return a host without its port, "" where it is none."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""
