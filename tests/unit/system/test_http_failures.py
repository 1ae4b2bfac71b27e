"""What an error of a library means: was anything sent, what was in the way, and which words are shown."""

from __future__ import annotations

import socket
import ssl
from typing import Optional, get_args

import pytest
from urllib3.exceptions import ProxyError  # noqa: TID251 - what the module translates

from bcs_template_set.system.http_connections import failure_of
from bcs_template_set.system.http_values import LASTING, NoAnswer, NotSent, Obstacle, Unusable

URL = "https://bkapi.example.com/x"


def certificate(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED]")
    error.verify_code, error.verify_message = code, "as OpenSSL says"
    return error


def handshake(reason: Optional[str]) -> ssl.SSLError:
    error = ssl.SSLError(1, "[SSL]")
    error.reason = reason  # type: ignore[assignment] # which is None where OpenSSL has none
    return error


def wrapped(error: Exception) -> Exception:
    """Return it as libraries wrap it: by argument, by context and by cause."""
    by_argument, by_context, by_cause = OSError("a", error), OSError("b"), OSError("c")
    by_context.__context__, by_cause.__cause__ = by_argument, by_context
    return by_cause


ERRORS = [
    (Unusable("ca_bundle", kind="ca_bundle", file="a.pem", problem="no PEM"), "ca_bundle", "a.pem"),
    (socket.gaierror(-2, "Name or service not known"), "name", "bkapi.example.com"),
    (ConnectionRefusedError(111, "Connection refused"), "refused", "refused"),
    (TimeoutError(), "timeout", "in time"),
    (certificate(9), "expired", "not valid yet"),
    (certificate(10), "expired", "expired"),
    (certificate(18), "certificate", "self-signed"),
    (certificate(19), "certificate", "authority"),
    (certificate(20), "certificate", "authority"),
    (certificate(21), "certificate", "authority"),
    (certificate(62), "wrong_host", "bkapi.example.com"),
    (certificate(64), "wrong_host", "bkapi.example.com"),
    (certificate(99), "certificate", "as OpenSSL says"),
    (handshake("UNSUPPORTED_PROTOCOL"), "old_tls", "1.2"),
    (handshake("TLSV1_ALERT_PROTOCOL_VERSION"), "old_tls", "1.2"),
    (handshake("WRONG_VERSION_NUMBER"), "tls", "speak TLS"),
    (handshake("RECORD_LAYER_FAILURE"), "tls", "speak TLS"),
    (handshake("HTTP_REQUEST"), "tls", "speak TLS"),
    (handshake("NO_SHARED_CIPHER"), "tls", "NO_SHARED_CIPHER"),
    (handshake(None), "tls", "SSLError"),
    (OSError(101, "Network is unreachable"), "other", "Network is unreachable"),
    (OSError("0x7f object at"), "other", "OSError"),
    (ProxyError("x", OSError("Tunnel connection failed: 407 Authenticate")), "proxy", "HTTP 407"),
    (ProxyError("x", ConnectionRefusedError(111, "Connection refused")), "proxy", "refused"),
]


@pytest.mark.parametrize(("error", "kind", "words"), ERRORS, ids=str)
def test_what_was_not_sent_is_told_with_what_was_in_the_way(error: Exception, kind: str, words: str) -> None:
    for one in (error, error if isinstance(error, Unusable) else wrapped(error)):
        failure = failure_of(one, sent=False, url=URL)
        assert isinstance(failure, NotSent)
        assert failure.kind == kind
        assert str(failure).startswith(f"not sent ({kind}): ")
        assert words in str(failure)


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (Unusable("too_large", limit=7), "other", "no answer: the answer is larger than 7 bytes"),
        (TimeoutError(), "timeout", "no answer: no whole answer in time"),
        (ConnectionResetError(104, "Connection reset"), "other", "(Connection reset)"),
        (ProxyError("x", OSError(32, "Broken pipe")), "other", "(Broken pipe)"),
        (handshake("BAD_RECORD_MAC"), "other", "(BAD_RECORD_MAC)"),
    ],
    ids=str,
)
def test_of_what_was_sent_no_answer_came_and_only_time_is_told_apart(
    error: Exception, kind: str, words: str
) -> None:
    for one in (error, error if isinstance(error, Unusable) else wrapped(error)):
        failure = failure_of(one, sent=True, url=URL)
        assert isinstance(failure, NoAnswer)
        assert failure.kind == kind
        assert words in str(failure)


def test_only_what_may_be_otherwise_in_a_moment_is_tried_again() -> None:
    assert {*get_args(Obstacle)} - LASTING == {"refused", "name", "timeout", "tls", "proxy", "other"}


def test_errors_that_hold_each_other_are_looked_at_once() -> None:
    one, other = OSError("one"), ConnectionRefusedError(111, "Connection refused")
    one.__context__, other.__cause__ = other, one
    assert failure_of(one, sent=False, url="").kind == "refused"
