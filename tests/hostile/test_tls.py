"""Servers whose certificate or TLS is wrong, each in its way: nothing is sent, and each has its own words.

`tests/wire/test_http_client.py` has the plain cases: an authority that is trusted, and one that is not.
"""

from __future__ import annotations

import datetime as dt
import os
import socket
import ssl
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Optional

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bcs_template_set.messages import LANGUAGES
from bcs_template_set.system.authorities import trusting
from bcs_template_set.system.http_client import Transport
from bcs_template_set.system.http_values import LASTING, HttpRequest, NotSent
from tests.hostile.clients import (
    CLIENTS,
    SECRETS,
    Client,
    ask_build_api,
    ask_gateway,
    look_at_page,
    write_to_gateway,
)
from tests.support.certificates import server_side
from tests.support.draws import crossed
from tests.support.raw_server import http, saying, serving

DAY = dt.timedelta(days=1)
NOW = dt.datetime.now(dt.timezone.utc)
ADDRESS = "127.0.0.1"

Setup = Callable[[trustme.CA, Path], ssl.SSLContext]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def expired(authority: trustme.CA, _: Path) -> ssl.SSLContext:
    return server_side(authority.issue_cert(ADDRESS, not_before=NOW - 9 * DAY, not_after=NOW - DAY))


def not_yet_valid(authority: trustme.CA, _: Path) -> ssl.SSLContext:
    return server_side(authority.issue_cert(ADDRESS, not_before=NOW + DAY, not_after=NOW + 9 * DAY))


def for_another_address(authority: trustme.CA, _: Path) -> ssl.SSLContext:
    return server_side(authority.issue_cert("127.0.0.2"))


def for_another_name(authority: trustme.CA, _: Path) -> ssl.SSLContext:
    return server_side(authority.issue_cert("bkapi.example.com", "*.example.com"))


def for_a_name_like_an_address(authority: trustme.CA, _: Path) -> ssl.SSLContext:
    return server_side(authority.issue_cert("127.0.0.1.example.com"))


def of_an_unknown_authority(_: trustme.CA, __: Path) -> ssl.SSLContext:
    return server_side(trustme.CA().issue_cert(ADDRESS))


def with_its_unknown_authority(_: trustme.CA, directory: Path) -> ssl.SSLContext:
    """A chain that ends in a self-signed root nobody knows."""
    unknown = trustme.CA()
    certificate = unknown.issue_cert(ADDRESS)
    chain = directory / "chain.pem"
    parts = [certificate.private_key_pem, *certificate.cert_chain_pems, unknown.cert_pem]
    chain.write_bytes(b"".join(part.bytes() for part in parts))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(str(chain))
    return context


def self_signed(_: trustme.CA, directory: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, ADDRESS)])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(NOW - DAY).not_valid_after(NOW + DAY)
    pem = directory / "self.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(str(pem))
    return context


def up_to_tls_1_1(authority: trustme.CA, _: Path) -> ssl.SSLContext:
    context = server_side(authority.issue_cert(ADDRESS))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the very thing that is tested
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


Wrong = tuple[Setup, int, str]
"""A server's setup, the code of the gateway's error, and what is said."""

WRONG: tuple[Wrong, ...] = (
    (expired, 800613, "has expired"),
    (not_yet_valid, 800613, "not valid yet"),
    (for_another_address, 800614, "is not for 127.0.0.1"),
    (for_another_name, 800614, "is not for 127.0.0.1"),
    (for_a_name_like_an_address, 800614, "is not for 127.0.0.1"),
    (of_an_unknown_authority, 800602, "no authority that is trusted here"),
    (with_its_unknown_authority, 800602, "no authority that is trusted here"),
    (self_signed, 800602, "is self-signed"),
    (up_to_tls_1_1, 800601, "takes no TLS 1.2 or newer"),
)


@pytest.mark.parametrize(("wrong", "client"), crossed(WRONG, CLIENTS))
def test_each_wrong_certificate_has_its_own_error_and_nothing_is_sent(
    client: Client, wrong: Wrong, authority: trustme.CA, bundle: str, tmp_path: Path
) -> None:
    setup, code, says = wrong
    transport = Transport(ca_bundle=bundle, connect_timeout=5, read_timeout=5, environ={})
    with serving(saying(http(b"{}")), tls=setup(authority, tmp_path)) as server:
        told = client(server.url, transport)
        assert server.requests == []
        if client in (ask_gateway, write_to_gateway):
            assert server.connections == 1, "trying again can't change it"
    transport.close()
    assert says in told.said
    codes: dict[Client, int] = {look_at_page: 0, ask_build_api: 800611}
    assert told.code == codes.get(client, code)
    assert not any(secret in told.said for secret in SECRETS)


@pytest.mark.parametrize("setup", [setup for setup, _, _ in WRONG])
def test_what_is_wrong_lasts_and_is_said_in_both_languages(
    setup: Setup, authority: trustme.CA, bundle: str, tmp_path: Path
) -> None:
    transport = Transport(ca_bundle=bundle, connect_timeout=5, read_timeout=5, environ={})
    tls = setup(authority, tmp_path)
    with serving(saying(http()), tls=tls) as server, pytest.raises(NotSent) as caught:
        transport.send(HttpRequest("GET", server.url, {}))
    transport.close()
    assert caught.value.kind in LASTING
    problem = caught.value.problem
    assert not isinstance(problem, str)
    assert len({problem.render(language) for language in LANGUAGES}) == len(LANGUAGES)


def test_the_right_name_and_authority_are_all_it_takes(authority: trustme.CA, bundle: str) -> None:
    transport = Transport(ca_bundle=bundle, connect_timeout=5, read_timeout=5, environ={})
    with serving(saying(http(b"page")), tls=server_side(authority.issue_cert(ADDRESS))) as server:
        assert look_at_page(server.url, transport).said == ""
    transport.close()


def test_a_bundle_takes_the_place_of_the_systems_authorities(bundle: str) -> None:
    assert trusting(bundle, environ=os.environ).cert_store_stats()["x509_ca"] == 1
    assert trusting("", environ=os.environ).cert_store_stats()["x509_ca"] > 1


@pytest.mark.parametrize(("environ", "known"), [(os.environ, {1}), ({}, set(range(2, 1000)))])
def test_only_certificates_of_the_machine_are_trusted(
    bundle: str, environ: Mapping[str, str], known: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An earlier step that exports SSL_CERT_FILE would bring the authority for a gateway of its own."""
    monkeypatch.setenv("SSL_CERT_FILE", bundle)
    monkeypatch.setenv("SSL_CERT_DIR", "/nowhere")
    assert trusting("", environ=environ).cert_store_stats()["x509_ca"] in known
    assert os.environ["SSL_CERT_FILE"] == bundle, "the environment is as it was"


def test_a_pipeline_can_not_have_the_keys_of_a_connection_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    assert trusting("", environ={}).keylog_filename is None
    assert trusting("", environ=os.environ).keylog_filename == str(tmp_path / "keys")


def test_nothing_below_tls_1_2_is_offered_and_certificates_are_required(bundle: str) -> None:
    for given in ("", bundle):
        context = trusting(given, environ=os.environ)
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2
        assert context.verify_mode == ssl.CERT_REQUIRED


@contextmanager
def answering(data: bytes) -> Iterator[str]:
    """Answer whatever comes with these bytes, as a server that speaks another protocol, or an old one."""
    with socket.create_server((ADDRESS, 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    try:
                        connection.recv(65536)
                        connection.sendall(data)
                        connection.recv(65536)
                    except OSError:
                        pass

        threading.Thread(target=serve, daemon=True).start()
        yield f"https://{ADDRESS}:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


def server_hello(version: bytes) -> bytes:
    """A ServerHello that chooses this version and a cipher of its time (RFC 2246 and 5246, 7.4.1.3)."""
    body = version + bytes(32) + b"\0" + b"\x00\x2f" + b"\0"
    message = b"\x02" + len(body).to_bytes(3, "big") + body
    return b"\x16" + version + len(message).to_bytes(2, "big") + message


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        pytest.param(server_hello(b"\x03\x00"), "old_tls", id="SSL 3.0"),
        pytest.param(server_hello(b"\x03\x01"), "old_tls", id="TLS 1.0"),
        pytest.param(server_hello(b"\x03\x02"), "old_tls", id="TLS 1.1"),
        pytest.param(b"\x15\x03\x01\x00\x02\x02\x46", "old_tls", id="the alert protocol_version"),
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", "tls", id="HTTP"),
        pytest.param(b"SSH-2.0-OpenSSH_9\r\n", "tls", id="SSH"),
        pytest.param(b"\x15\x03\x01\x00\x02\x02\x28", "tls", id="the alert handshake_failure"),
        pytest.param(b"", None, id="nothing"),
    ],
)
def test_a_server_of_another_protocol_gets_no_request(data: bytes, kind: Optional[str]) -> None:
    transport = Transport(connect_timeout=2, read_timeout=2, environ={})
    with answering(data) as url, pytest.raises(NotSent) as caught:
        transport.send(HttpRequest("GET", url, {"Authorization": SECRETS[0]}))
    transport.close()
    assert kind is None or caught.value.kind == kind
    assert SECRETS[0] not in str(caught.value)


def _directory(path: Path) -> None:
    path.mkdir()


def _half_a_certificate(path: Path) -> None:
    path.write_bytes(b"-----BEGIN CERTIFICATE-----\nMIIB\n")


def _a_key(path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


BROKEN: tuple[Callable[[Path], object], ...] = (
    lambda path: path,
    _directory,
    _half_a_certificate,
    _a_key,
    lambda path: path.write_bytes(b""),
    lambda path: path.write_bytes(b"\0" * 1000),
    lambda path: path.write_bytes(
        b"-----BEGIN CERTIFICATE-----\n" + b"A" * 100_000 + b"\n-----END CERTIFICATE-----\n"
    ),
    lambda path: path.symlink_to(path),
)


@pytest.mark.parametrize("spoil", BROKEN)
def test_a_bundle_that_is_none_has_its_own_error_and_nothing_is_opened(
    spoil: Callable[[Path], object], tmp_path: Path
) -> None:
    path = tmp_path / "ca.pem"
    spoil(path)
    transport = Transport(ca_bundle=str(path), connect_timeout=2, read_timeout=2, environ={})
    with serving(saying(http()), tls=server_side(trustme.CA().issue_cert(ADDRESS))) as server:
        for client in (ask_gateway, write_to_gateway):
            told = client(server.url, transport)
            assert told.code == 800615
            assert str(path) in told.said
            assert "ca_bundle" in told.said
        assert server.connections == 0


def test_a_bundle_is_not_needed_where_nothing_is_secure(tmp_path: Path) -> None:
    transport = Transport(ca_bundle=str(tmp_path / "none"), environ={})
    with serving(saying(http(b"page"))) as server:
        assert look_at_page(server.url, transport).said == ""
    transport.close()


def test_no_variable_of_the_environment_adds_an_authority_to_a_bundle(
    bundle: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = trustme.CA()
    file = tmp_path / "other.pem"
    other.cert_pem.write_to_path(str(file))
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(file))
    monkeypatch.setenv("SSL_CERT_DIR", os.fspath(tmp_path))
    transport = Transport(ca_bundle=bundle, connect_timeout=5, environ={})
    with serving(saying(http()), tls=server_side(other.issue_cert(ADDRESS))) as server:
        assert ask_gateway(server.url, transport).code == 800602
    transport.close()
