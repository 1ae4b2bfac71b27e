"""What servers, proxies and log libraries make of a text that they show, each as a function of its own.

Go's JSON is what BCS, BlueKing and Kubernetes write; the others stand between them and a log.
"""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import quote, quote_plus

Spelling = Callable[[str], str]


def json_of_go(text: str) -> str:
    """Return the text within Go's JSON, which takes `&`, `<` and `>` for dangerous."""
    for character in "&<>":
        text = text.replace(character, f"\x00{ord(character):04x}")
    return json.dumps(text, ensure_ascii=False)[1:-1].replace("\\u0000", "\\u")


def in_lower_case(text: str) -> str:
    """Return the text with every escape of a URL or of JSON in lower case."""
    return re.sub(r"%[0-9A-F]{2}|\\u[0-9A-F]{4}", lambda match: match[0].lower(), text)


def in_upper_case(text: str) -> str:
    """Return the text with the digits of JSON's escapes in upper case."""
    return re.sub(r"(?<=\\u)[0-9a-f]{4}", lambda match: match[0].upper(), text)


def quoted_whole(text: str) -> str:
    """Return the text within a URL."""
    return quote(text, safe="")


def percented(text: str) -> str:
    """Return the text within a URL by software that escapes letters too."""
    return "".join(f"%{byte:02x}" for byte in text.encode())


def entities(text: str) -> str:
    """Return the text as numbers of characters, as some write HTML."""
    return "".join(f"&#{ord(c)};" if number % 2 else f"&#x{ord(c):X};" for number, c in enumerate(text))


def wrapped(text: str) -> str:
    """Return the text in base64 over lines, as MIME and `base64` do."""
    return re.sub("(.{16})", r"\1\n", base64.b64encode(text.encode()).decode())


def backslashed(text: str) -> str:
    """Return the text as a shell's `printf %q` or a regular expression has it."""
    return re.sub(r"([^A-Za-z0-9\s])", r"\\\1", text)


def in_base64(text: str) -> str:
    """Return the text in base64."""
    return base64.b64encode(text.encode()).decode()


def in_base64_of_urls(text: str) -> str:
    """Return the text in the base64 of URLs, without what it is filled up with."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


SPELLINGS: Mapping[str, Spelling] = {
    "plain": str,
    "Go": json_of_go,
    "Go, upper case": lambda text: in_upper_case(json_of_go(text)),
    "Go in Go": lambda text: json_of_go(json_of_go(text)),
    "Go in Go in Go": lambda text: json_of_go(json_of_go(json_of_go(text))),
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)[1:-1])[1:-1],
    "JSON of PHP": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "URL": quote_plus,
    "URL, slashes kept": quote,
    "URL, nothing kept": quoted_whole,
    "URL, lower case": lambda text: in_lower_case(quoted_whole(text)),
    "URL, every byte": percented,
    "URL in a URL": lambda text: quoted_whole(quoted_whole(text)),
    "HTML": html.escape,
    "HTML by numbers": entities,
    "HTML of Go's JSON": lambda text: html.escape(json_of_go(text)),
    "Go's JSON in a URL": lambda text: quoted_whole(json_of_go(text)),
    "Python": lambda text: repr(text)[1:-1],
    "Python in JSON": lambda text: json.dumps(repr(text))[1:-1],
    "Python, ASCII": lambda text: ascii(text)[1:-1],
    "Python, bytes": lambda text: repr(text.encode())[2:-1],
    "JavaScript": lambda text: re.sub("[!-/:-@]", lambda match: f"\\x{ord(match[0]):02x}", text),
    "Rust": lambda text: re.sub("[^0-9A-Za-z]", lambda match: f"\\u{{{ord(match[0]):x}}}", text),
    "C": lambda text: "".join(
        chr(b) if chr(b).isalnum() and b < 128 else f"\\{b:03o}" for b in text.encode()
    ),
    "YAML": lambda text: text.replace("'", "''"),
    "shell": backslashed,
    "shell, quoted": shlex.quote,
    "base64": in_base64,
    "base64 of URLs": in_base64_of_urls,
    "base64 of Go's JSON": lambda text: in_base64(json_of_go(text)),
    "base64 of base64": lambda text: in_base64(in_base64(text)),
    "base64 in a URL": lambda text: quoted_whole(in_base64(text)),
    "base64 over lines": wrapped,
    "base64 over lines, in JSON": lambda text: json.dumps(wrapped(text))[1:-1],
    "base64 behind a": lambda text: in_base64(f"a{text}a"),
    "base64 behind ab": lambda text: in_base64(f"ab{text}ab"),
    "base64 behind abc": lambda text: in_base64(f"abc{text}abc"),
    "base64 of URLs behind x": lambda text: f"x{in_base64_of_urls(text)}",
    "hexadecimal": lambda text: text.encode().hex(),
    "hexadecimal, upper case": lambda text: text.encode().hex().upper(),
    "Perl": lambda text: re.sub("[^0-9A-Za-z]", lambda match: f"\\x{{{ord(match[0]):x}}}", text),
    "Go, bytes": lambda text: ", ".join(f"0x{byte:02x}" for byte in text.encode()),
    "Java, signed bytes": lambda text: ", ".join(
        str(byte - 256 if byte > 127 else byte) for byte in text.encode()
    ),
    "YAML, a list of bytes": lambda text: "\n- ".join(map(str, text.encode())),
    "hexadecimal, colons": lambda text: text.encode().hex(":"),
    "hexadecimal, dashes": lambda text: text.encode().hex("-").upper(),
    "over two lines": lambda text: f"{text[:5]}\n    {text[5:]}",
}


def spelt(text: str) -> Iterator[str]:
    """Yield the text in every spelling."""
    return (spelling(text) for spelling in SPELLINGS.values())
