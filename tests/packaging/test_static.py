"""What is asked of the tools that read the code: every exception to a rule has its reason beside it."""

from __future__ import annotations

import functools
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.packaging.store_files import PROJECT

FOLDERS = ("atom", "release", "templates", "tests")
EXCEPTION = re.compile(
    r"#\s*(noqa|type:\s*ignore|pragma)"
    r"(?P<codes>:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*|\[[a-z, -]+\]|:\s*no (cover|branch))?"
)
REASON = re.compile(r"\s*(-|#)\s*\w+")


@functools.lru_cache(maxsize=1)
def exceptions() -> list[tuple[Path, int, str]]:
    """Return every comment that is an exception to a rule: file, line, text."""
    return [
        (path.relative_to(PROJECT), token.start[0], token.string)
        for path in sorted(path for folder in FOLDERS for path in (PROJECT / folder).rglob("*.py"))
        for token in tokens_of(path)
        if token.type == tokenize.COMMENT and EXCEPTION.match(token.string)
    ]


def tokens_of(path: Path) -> Iterator[tokenize.TokenInfo]:
    """Yield the tokens of a file that may have an exception."""
    text = path.read_text(encoding="utf-8")
    if EXCEPTION.search(text):
        yield from tokenize.generate_tokens(io.StringIO(text).readline)


def without_reason(text: str) -> bool:
    found = EXCEPTION.match(text)
    return found is not None and (found["codes"] is None or REASON.match(text, found.end()) is None)


def test_every_exception_to_a_rule_names_the_rule_and_a_reason() -> None:
    assert exceptions()
    bare = [f"{path}:{line}: {text}" for path, line, text in exceptions() if without_reason(text)]
    assert bare == []


@pytest.mark.parametrize(
    "text",
    [
        "# noqa",
        "# noqa: S101",
        "# type: ignore",
        "# type: ignore[misc] ",
        "# pragma: no cover",
        "# pragma: no branch",
    ],
)
def test_an_exception_without_a_reason_would_be_seen(text: str) -> None:
    assert without_reason(text)


def test_rules_about_security_have_these_exceptions() -> None:
    """A child in the step's own interpreter renders; in `autoescape` blocks it escapes as Jinja2 does.

    And classes of values are completed by a function that is compiled of their fields' names.
    """
    found = {
        (path.name, rule)
        for path, _, text in exceptions()
        if path.parts[0] == "atom"
        for rule in re.findall(r"\bS\d{3}\b", text)
    }
    assert found == {
        ("worker_process.py", "S603"),
        ("filter_wrapping.py", "S704"),
        ("late_dataclass.py", "S102"),
    }


def test_ruff_has_all_rules_on_and_a_reason_beside_each_that_is_off() -> None:
    text = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    assert 'select = ["ALL"]' in text
    block = text.partition("\nignore = [\n")[2].partition("\n]\n")[0]
    assert block
    assert [line for line in block.splitlines() if not re.search(r",\s+#\s\w", line)] == []


def test_no_rule_is_off_for_a_part_of_the_step() -> None:
    text = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    block = text.partition("[tool.ruff.lint.per-file-ignores]\n")[2].partition("\n[")[0]
    heads = re.findall(r'^"([^"]+)" = ', block, flags=re.MULTILINE)
    assert heads == ["tests/**", "release/**", "setup.py"]
    rules = [line for line in block.splitlines() if re.match(r'\s+"', line) or line.startswith('"')]
    assert [line for line in rules if "#" not in line and not line.endswith("= [")] == []


def test_no_module_of_the_step_is_too_long_to_be_read_at_once() -> None:
    paths = sorted((PROJECT / "atom").rglob("*.py"))
    lengths = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in paths}
    assert lengths
    assert {name: lines for name, lines in lengths.items() if lines > 400} == {}
