"""The BlueKing gateway's own errors, as a table. Performs no I/O.

Codes, names and sentences: blueking-apigateway-apisix, src/apisix/plugins/bk-core/errorx.lua (2026-06). Every
one is sent with `X-Bkapi-Error-Code` (facts/gateway.md, "The gateway's own errors").
"""

from __future__ import annotations

import uuid
from dataclasses import replace

from tests.emulator.http_message import Answer, json_answer

GATEWAY_ERRORS: dict[str, tuple[int, int, str]] = {
    "INVALID_ARGS": (400, 1640001, "Parameters error"),
    "APP_NO_PERMISSION": (403, 1640301, "App has no permission to the resource"),
    "IP_NOT_ALLOWED": (403, 1640302, "Request rejected by ip restriction"),
    "BK_USER_NOT_ALLOWED": (403, 1640303, "Request rejected by bk-user restriction"),
    "BK_TENANT_NOT_ALLOWED": (403, 1640304, "Request rejected by bk-tenant restriction"),
    "API_NOT_FOUND": (404, 1640401, "API not found"),
    "BODY_SIZE_LIMIT_EXCEED": (413, 1641301, "Request body size too large."),
    "URI_SIZE_LIMIT_EXCEED": (414, 1641401, "Request uri size too large."),
    "RATE_LIMIT_RESTRICTION": (429, 1642901, "API rate limit exceeded by stage global limit"),
    "CONCURRENCY_LIMIT_RESTRICTION": (429, 1642904, "Request concurrency exceeds"),
    "INTERNAL_SERVER_ERROR": (500, 1650001, "Internal Server Error"),
    "BAD_GATEWAY": (502, 1650200, "Bad Gateway"),
    "SERVICE_UNAVAILABLE": (503, 1650300, "Service Unavailable"),
    "REQUEST_BACKEND_TIMEOUT": (504, 1650401, "Request backend service timeout"),
}


def gateway_error(name: str, *, reason: str = "", reset: int | None = None) -> Answer:
    """Return that error's answer; `reason` is what the gateway puts in brackets behind its sentence.

    `reset` is the X-Bkapi-RateLimit-Reset of a rate limit, in seconds.
    """
    status, code, sentence = GATEWAY_ERRORS[name]
    message = f'{sentence} [reason="{reason}"]' if reason else sentence
    payload = {"code": code, "code_name": name, "message": message, "result": False, "data": None}
    headers = {
        "X-Bkapi-Error-Code": str(code),
        "X-Bkapi-Error-Message": message,
        "X-Bkapi-Request-Id": str(uuid.uuid4()),
    }
    if reset is not None:
        headers["X-Bkapi-RateLimit-Reset"] = str(reset)
    answer = json_answer(payload, status=status)
    return replace(answer, headers={**answer.headers, **headers})
