"""An HTTP answer taken apart, as far as the decision table looks at it. Performs no I/O."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping
from typing import Optional, cast

from bcs_template_set.bcs.calls import JsonValue
from bcs_template_set.records.decoding import parse
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.system.http_values import HttpAnswer

SHOWN = 500
"""Characters of a server's message."""

_ENCODINGS = frozenset(
    {*("utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")}
    | {*("cp1252", "gb2312", "gbk", "gb18030", "big5")}
)
"""Those a body may say it is in, by Python's names; any other is read as Latin-1.

Some, as punycode, would take the square of its length.
"""


def gateway_code_in(headers: Mapping[str, str]) -> Optional[int]:
    """Return the code of the gateway's own error, None where it is none of its own."""
    given = headers.get("x-bkapi-error-code")
    return None if given is None else _number(given.strip())


@dataclass(frozen=True)
class Seen:
    """An answer, taken apart. `payload` is None where the body is no JSON object.

    `code` is the envelope's or runtime error's; `gateway_code` is that of the gateway's own error, 0 where
    its header holds no number.
    """

    status: int
    headers: Mapping[str, str]
    payload: Optional[dict[str, JsonValue]]
    is_broken_json: bool
    gateway_code: Optional[int]
    body_is_empty: bool
    mask: Callable[[str], str]

    @staticmethod
    def of(answer: HttpAnswer, *, mask: Callable[[str], str] = str) -> Seen:
        """Take an answer apart; never raises, whatever its bytes are."""
        payload, parsed = parse_json(answer.body, content_type=_content_type(answer.headers))
        return Seen(
            status=answer.status,
            headers=answer.headers,
            payload=payload if isinstance(payload, dict) else None,
            is_broken_json=not parsed and _looks_like_json(answer),
            gateway_code=gateway_code_in(answer.headers),
            body_is_empty=not answer.body,
            mask=mask,
        )

    @property
    def code(self) -> Optional[int]:
        """Return the body's `code`, None where there is no such number."""
        code = (self.payload or {}).get("code")
        return code if isinstance(code, int) and not isinstance(code, bool) else None

    @property
    def is_plain_text(self) -> bool:
        """Tell whether it is text for people: grpc-gateway's way to say that BCS has no such path."""
        return _content_type(self.headers).partition(";")[0].strip() == "text/plain"

    @property
    def message(self) -> str:
        """Return what the server says, in one line."""
        payload = self.payload or {}
        spoken = [payload.get("message"), payload.get("error"), self.headers.get("x-bkapi-error-message")]
        texts = [text for text in spoken if isinstance(text, str) and text.strip()]
        return " ".join(self.mask(texts[0]).split())[:SHOWN] if texts else f"HTTP {self.status}"

    @property
    def is_runtime_error(self) -> bool:
        """Tell whether the body is grpc-gateway's own error."""
        return "error" in (self.payload or {})


def parse_json(body: bytes, *, content_type: str) -> tuple[JsonValue, bool]:
    """Return the JSON value of a body and whether there is one. Other encodings than UTF-8 are tried too."""
    try:
        return cast("JsonValue", parse(body)), True
    except (ValueError, RecursionError):
        pass
    declared = re.search(r"charset=\"?([\w.:-]+)", content_type)
    try:
        text = body.decode("utf-8-sig" if declared is None else _encoding_of(declared[1]))
    except (LookupError, ValueError):
        text = body.decode("latin-1")
    try:
        return cast("JsonValue", parse(text.lstrip("\ufeff"))), True
    except (ValueError, RecursionError):
        return None, False


def _encoding_of(name: str) -> str:
    """Return the encoding of that name; `LookupError` where it is none that a body is read in."""
    found = codecs.lookup(name).name
    if found not in _ENCODINGS:
        raise LookupError(name)
    return found


def _looks_like_json(answer: HttpAnswer) -> bool:
    return "json" in _content_type(answer.headers) or answer.body.lstrip()[:1] in (b"{", b"[")


def _content_type(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").lower()


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 0
