"""What an address is, as a socket has it: link-local, or this machine's own. Performs no I/O."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Union

_ENDING_IN_IPV4 = tuple(map(ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "::/96", "::ffff:0:0:0/96")))
"""NAT64 of everybody and of a site, IPv4-compatible and IPv4-translated (RFC 6052, 8215, 4291, 2765)."""


def is_link_local(address: str) -> bool:
    """Tell whether an address, as a socket has it, is link-local, or an IPv6 wrapping of one that is."""
    return any(found.is_link_local for found in _addresses(address))


def is_this_machine(address: str) -> bool:
    """Tell the same of loopback, and of the address that stands for any of the machine's own."""
    return any(found.is_loopback or found.is_unspecified for found in _addresses(address))


def _addresses(address: str) -> list[Union[IPv4Address, IPv6Address]]:
    """Return an address, and the IPv4 address that an IPv6 one leads to."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return []
    if isinstance(found, IPv4Address):
        return [found]
    inside = [found.ipv4_mapped, found.sixtofour, *(found.teredo or ())]
    if any(found in network for network in _ENDING_IN_IPV4):
        inside.append(IPv4Address(int(found) & 0xFFFFFFFF))
    return [found, *(known for known in inside if known is not None)]
