"""Who vouches for a server: the system's authorities, or those of one file, and none of a pipeline's."""

from __future__ import annotations

import os
import pkgutil
import ssl
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import cast

from bcs_template_set.system.http_values import Unusable
from bcs_template_set.system.proxies import DECIDING


def trusting(ca_bundle: str, *, environ: Mapping[str, str]) -> ssl.SSLContext:
    """Return a context that verifies servers, by `ca_bundle` alone, or by the system's authorities.

    OpenSSL reads the process's own variables; those that `environ` has not are out of its sight.

    Where the system has none to offer (some relocatable Pythons), certifi's are used.

    Raises:
        Unusable: `ca_bundle` is no file of PEM certificates.
    """
    try:
        with _hidden(name for name in DECIDING if name not in environ):
            context = ssl.create_default_context(cafile=ca_bundle or None)
    except OSError as exc:
        reason = exc.reason if isinstance(exc, ssl.SSLError) else exc.strerror
        problem = reason or type(exc).__name__
        raise Unusable("ca_bundle", kind="ca_bundle", file=ca_bundle, problem=problem) from exc
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # Python's default from 3.10 on
    if not ca_bundle and not context.cert_store_stats()["x509_ca"]:
        pem = cast("bytes", pkgutil.get_data("certifi", "cacert.pem"))
        context.load_verify_locations(cadata=pem.decode("ascii"))
    return context


_ONE_AT_A_TIME = threading.Lock()
"""For what hides variables: nobody may put back what another one has to hide still."""


@contextmanager
def _hidden(names: Iterable[str]) -> Iterator[None]:
    """Take variables out of the process's environment, and put them back."""
    with _ONE_AT_A_TIME:
        taken = {name: os.environ.pop(name) for name in list(names) if name in os.environ}
        try:
            yield
        finally:
            os.environ.update(taken)
