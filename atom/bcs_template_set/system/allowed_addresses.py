"""Connecting to addresses that were looked at: what a name resolves to is checked, and that connected to.

A name's next answer may be another address, so a check and a connection must not each resolve it.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Callable, Optional, Union

from bcs_template_set.system.http_values import Unusable

Address = tuple[
    socket.AddressFamily,
    socket.SocketKind,
    int,
    str,
    Union[tuple[str, int], tuple[str, int, int, int], tuple[int, bytes]],
]
"""One of `getaddrinfo`'s answers, whose last part is what a socket connects to."""


def allowed_addresses(host: str, port: Optional[int], *, refuses: Callable[[str], bool]) -> Sequence[Address]:
    """Return the addresses of a host that a request may go to; every spelling of an address is resolved too.

    Raises:
        Unusable: it has none but those that are refused.
        OSError: it has none.
    """
    found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    allowed = [address for address in found if not refuses(address_of(address))]
    if not allowed:
        raise Unusable("address_refused", kind="address", host=host, address=address_of(found[0]))
    return allowed


def addresses_of(host: str) -> tuple[str, ...]:
    """Return the addresses that a host's name resolves to, each once; none where it resolves to none."""
    try:
        found = allowed_addresses(host, None, refuses=lambda _: False)
    except (OSError, UnicodeError):  # the latter for what can be no name: `a..b`
        return ()
    return tuple(dict.fromkeys(map(address_of, found)))


def connected(addresses: Sequence[Address], *, seconds: float) -> tuple[socket.socket, str]:
    """Return a socket that is connected to the first of these addresses that answers, and that address.

    Raises:
        OSError: none of them does; the last one's.
    """
    failure = OSError()
    for family, kind, protocol, _, address in addresses:
        made = socket.socket(family, kind, protocol)
        try:
            made.settimeout(seconds)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
            made.connect(address)
        except OSError as exc:
            made.close()
            failure = exc
        else:
            return made, str(address[0])
    raise failure


def address_of(found: Address) -> str:
    """Return the numeric address of one of `getaddrinfo`'s answers."""
    return str(found[4][0])
