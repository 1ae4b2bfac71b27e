"""Which addresses are this machine's or a link's own, and which of a name's are connected to."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from bcs_template_set.system.address_kinds import is_link_local, is_this_machine
from bcs_template_set.system.allowed_addresses import address_of, addresses_of, allowed_addresses
from bcs_template_set.system.http_values import Unusable

LINK, HERE, ELSEWHERE = (True, False), (False, True), (False, False)


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("169.254.169.254", LINK),
        ("fe80::1%eth0", LINK),
        ("febf::1", LINK),
        ("fec0::1", ELSEWHERE),
        ("fd00::1", ELSEWHERE),
        ("127.9.9.9", HERE),
        ("0.0.0.0", HERE),  # noqa: S104 - an address to judge
        ("::1", HERE),
        ("::", HERE),
        ("10.0.0.1", ELSEWHERE),
        ("2001:db8::a9fe:a9fe", ELSEWHERE),
        ("www.example.com", ELSEWHERE),
        *(
            (f"{before}a9fe:a9fe", LINK)
            for before in ("::ffff:", "64:ff9b::", "64:ff9b:1::", "::", "::ffff:0:")
        ),
        *((f"{before}7f00:1", HERE) for before in ("::ffff:", "64:ff9b::", "64:ff9b:1::", "::", "::ffff:0:")),
        *((f"{before}a00:1", ELSEWHERE) for before in ("::ffff:", "64:ff9b::", "64:ff9b:1::", "::ffff:0:")),
        ("2002:a9fe:a9fe::1", LINK),
        ("2002:a00:1::1", ELSEWHERE),
        ("2001:0:a9fe:a9fe::", LINK),
        ("2001:0:808:808:0:0:5601:5601", LINK),
        ("2001:0:808:808:0:0:f5ff:fffe", ELSEWHERE),
    ],
)
def test_an_address_is_what_it_leads_to(address: str, kind: tuple[bool, bool]) -> None:
    """The last ones are 6to4, and Teredo's servers and clients."""
    assert (is_link_local(address), is_this_machine(address)) == kind


def resolving_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[tuple[Any, ...]]:
    """Let every name resolve to these addresses; return what is asked."""
    asked = []

    def resolve(host: str, port: int, **named: object) -> list[object]:
        asked.append((host, port, named))
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked


def test_those_of_a_names_addresses_are_connected_to_that_are_not_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = resolving_to(monkeypatch, "169.254.0.1", "10.0.0.1", "10.0.0.2")
    found = allowed_addresses("[::1]", 443, refuses=is_link_local)
    assert [*map(address_of, found)] == ["10.0.0.1", "10.0.0.2"]
    assert asked == [("::1", 443, {"type": socket.SOCK_STREAM})]


def test_a_name_that_has_no_others_is_refused_with_what_it_resolves_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolving_to(monkeypatch, "169.254.0.1", "169.254.0.2")
    with pytest.raises(Unusable) as caught:
        allowed_addresses("www.example.com", 80, refuses=is_link_local)
    said = caught.value.problem.render("en_US")
    assert caught.value.kind == "address"
    assert "www.example.com" in said
    assert "169.254.0.1" in said


def test_a_name_is_known_by_each_of_its_addresses_once(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving_to(monkeypatch, "169.254.0.1", "10.0.0.1", "169.254.0.1")
    assert addresses_of("www.example.com") == ("169.254.0.1", "10.0.0.1")


@pytest.mark.parametrize("error", [OSError(), UnicodeError()])
def test_what_is_no_name_has_no_address(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert addresses_of("a..b") == ()
