"""What servers of the tests show over TLS, and whom one has to trust to believe it."""

from __future__ import annotations

import ssl
from pathlib import Path

import trustme


def server_side(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """Return the TLS of a server that shows this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def of_own_authority(directory: Path) -> tuple[ssl.SSLContext, str]:
    """Return the TLS of a server on 127.0.0.1, and the file with the authority that alone vouches for it."""
    authority = trustme.CA()
    bundle = str(directory / "ca.pem")
    authority.cert_pem.write_to_path(bundle)
    return server_side(authority.issue_cert("127.0.0.1")), bundle
