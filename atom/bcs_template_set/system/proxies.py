"""Where requests go, as far as the environment decides it: proxies and certificates. Performs no I/O.

BK-CI exports every variable of a pipeline, so an earlier step could send credentials to a proxy of its own
and bring the certificate for it. Only variables that are the machine's own count: `of_the_machine`.

A proxy's variables are those of curl and of Python's urllib: `<scheme>_proxy`, `all_proxy`, `no_proxy`,
lower case before upper. Loopback addresses are never sent through a proxy: it would look on its own machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Optional, Union
from urllib.parse import urlsplit

from bcs_template_set.records.late_dataclass import dataclass

CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""What OpenSSL reads: the authorities to trust."""

DECIDING = (
    "http_proxy", "https_proxy", "all_proxy", "no_proxy", *CERTIFICATES, "SSLKEYLOGFILE",
    "LOCALDOMAIN", "RES_OPTIONS", "HOSTALIASES",  # glibc: which host a name is (resolv.conf(5))
    "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NETRC",  # requests, which the platform's SDK uses
)  # fmt: skip
"""The names, in either case, that decide where a secret goes, or who can read it on its way."""

_Address = Union[IPv4Address, IPv6Address]


@dataclass(frozen=True)
class Machine:
    """What of the environment decides where requests go, and the names in it that are not obeyed."""

    environ: Mapping[str, str] = field(repr=False)  # may hold a proxy's password
    ignored: tuple[str, ...]


def of_the_machine(
    environ: Mapping[str, str], *, pipelines: Iterable[str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the environment without what the pipeline has set, and the names that are not obeyed therefore.

    Names are compared without their case: on Windows they have none.
    """
    theirs, deciding = {name.upper() for name in pipelines}, {name.upper() for name in DECIDING}
    own = {name: value for name, value in environ.items() if name.upper() not in theirs}
    ignored = sorted(name for name in set(environ) - set(own) if name.upper() in deciding and environ[name])
    return own, tuple(ignored)


def proxy_of(url: str, environ: Mapping[str, str]) -> str:
    """Return the address of the proxy to use for a URL, "" for none.

    Raises:
        ValueError: the URL is none.
    """
    parts = urlsplit(url)
    host, port = (parts.hostname or "").rstrip("."), parts.port
    if _is_loopback(host) or _is_excepted(host, port, _variable("no_proxy", environ)):
        return ""
    proxy = _variable(f"{parts.scheme}_proxy", environ) or _variable("all_proxy", environ)
    return proxy if "://" in proxy or not proxy else f"http://{proxy}"


def without_credentials(proxy: str) -> str:
    """Return a proxy's address as people may see it."""
    scheme, separator, rest = proxy.rpartition("://")
    return scheme + separator + rest.rpartition("@")[2]


def _variable(name: str, environ: Mapping[str, str]) -> str:
    """Return a variable's value; a CGI's `HTTP_PROXY` is a header that a client chose."""
    value = environ.get(name)
    if value is None and not (name == "http_proxy" and "REQUEST_METHOD" in environ):
        value = environ.get(name.upper())
    return (value or "").strip()


def _is_loopback(host: str) -> bool:
    address = _address(host)
    if address is not None:
        return address.is_loopback
    return host == "localhost" or host.endswith(".localhost")


def _is_excepted(host: str, port: Optional[int], exceptions: str) -> bool:
    return any(_fits(item.strip().lower(), host, port) for item in exceptions.split(","))


def _fits(item: str, host: str, port: Optional[int]) -> bool:
    if item == "*":
        return True
    if "/" in item:
        return _is_in_network(host, item)
    name = item.lstrip("*").lstrip(".")
    return bool(name) and any(
        candidate == name or candidate.endswith("." + name) for candidate in (host, f"{host}:{port}")
    )


def _is_in_network(host: str, network: str) -> bool:
    address = _address(host)
    try:
        return address is not None and address in ip_network(network, strict=False)
    except ValueError:
        return False


def _address(host: str) -> Optional[_Address]:
    try:
        return ip_address(host)
    except ValueError:
        return None
