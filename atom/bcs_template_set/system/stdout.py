"""Printing to a stream that may be closed, full or too poor in characters: the work goes on without it."""

from __future__ import annotations

import os
from typing import Optional, TextIO


def encodable(text: str, stream: TextIO) -> str:
    """Return the text in characters that the stream can write, the others as escapes."""
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def put(stream: Optional[TextIO], text: str) -> bool:
    """Write a text; tell whether the stream still takes any. None, where there is no stream, does not."""
    if stream is None:
        return False
    try:
        stream.write(encodable(text, stream))
        stream.flush()
    except (OSError, ValueError):  # ValueError: I/O operation on a closed file
        discard_rest(stream)
        return False
    return True


def discard_rest(stream: TextIO) -> None:
    """Let what the stream still holds go nowhere.

    Otherwise the interpreter flushes it once more at exit, fails, and turns exit status 0 into 120.
    """
    try:
        descriptor = stream.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
    except (OSError, ValueError):
        return
    try:
        os.dup2(nowhere, descriptor)
    finally:
        os.close(nowhere)
