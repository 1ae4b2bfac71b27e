"""A value that no text may contain. Performs no I/O."""

from __future__ import annotations

import hashlib
import hmac
from typing import NoReturn, Optional

MASK = "***"

_ROUNDS = 100_000
"""Of PBKDF2, so that a short secret is not guessed from a mark that anybody may read. 0.05 s."""


class Secret:
    """Hold a secret whose `str`, `repr` and `format` are `***`; only `reveal()` gives it out.

    It cannot be pickled or JSON-encoded by accident, and compares in constant time.
    """

    __slots__ = ("__key", "__value")

    def __init__(self, value: str) -> None:
        self.__value = value
        self.__key: Optional[bytes] = None

    def reveal(self) -> str:
        """Return the secret itself: to authenticate a request, find it in a text, or read what it holds."""
        return self.__value

    def mark(self, words: bytes) -> str:
        """Return what only who holds the secret can make of these words: an HMAC-SHA256, in hex."""
        if self.__key is None:
            self.__key = hashlib.pbkdf2_hmac("sha256", self._bytes(), b"bcs-template-set", _ROUNDS)
        return hmac.new(self.__key, words, "sha256").hexdigest()

    def _bytes(self) -> bytes:
        """Return it as bytes, also where JSON has brought half a character."""
        return self.__value.encode("utf-8", "surrogatepass")

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._bytes(), other._bytes())

    def __hash__(self) -> int:
        return hash((Secret, self.__value))

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled")
