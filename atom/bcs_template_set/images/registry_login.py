"""Where a registry's password and its tokens may go, and what a registry asks for. Pure: performs no I/O.

Docker's token protocol (distribution/distribution, docs/content/spec/auth/token.md): the registry's answer
names the address that gives tokens, and with it where a careless client sends the password.
"""

from __future__ import annotations

import base64
import re
from dataclasses import field
from ipaddress import ip_address
from typing import Literal, Optional
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from bcs_template_set.manifests.image_form import ImageName, registry_named
from bcs_template_set.messages.secret import Secret
from bcs_template_set.records.late_dataclass import dataclass

_WORD = re.compile(r'(?<![a-zA-Z_])([a-zA-Z_]+)="([^"]*)"')  # of 64 Ki letters only one is a beginning
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
    password: Secret = field(repr=False)

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
    words = {name.lower(): value for name, value in reversed(_WORD.findall(bearer[1]))}
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
