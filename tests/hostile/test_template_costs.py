"""Samples of what a template can have done that no count of ours sees: the system's bounds stop it.

`test_templates.py` has the bombs that make large values. Most of these make nothing: each turn of a loop
takes milliseconds. Whoever finds another one needs no case here, as nothing has to know of it.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from bcs_template_set.manifests.templating.limits import Limits
from bcs_template_set.messages.errors import LimitExceeded
from tests.support.building import refusal
from tests.support.draws import swept

LIMITS = Limits(seconds=1, cpu_seconds=1)
MEMORY = Limits(mebibytes=256)
"""A hundred are gone at the start, more under coverage: what a thread may need is counted from then on."""

SLOWEST = 30
"""Seconds until a template is stopped, at the latest; mostly less, but a machine may run other tests too."""

SET = (
    "{% set text = 'a' * 2000000 %}{% set same = 'a' * 2000000 %}"
    "{% set ones = [1] * 100000 %}{% set more = [1] * 100000 %}{% set key = (1,) * 100000 %}"
    "{% set map = dict(range(100000) | map('string') | batch(2)) %}"
    "{% set twin = dict(range(100000) | map('string') | batch(2)) %}"
    "{% macro taking() %}{{ varargs | length }}{% endmacro %}"
)
LOOKS = [
    "text.isalnum()",
    "[ones].index(more)",
    "{'a': 1}.get(key)",
    "text | wordcount",
    "ones | sort",
    "text == same",
    "map is eq twin",
    "ones | map(attribute='x" + ".x" * 10_000 + "') | list",
    "taking(*range(100000))",
]


@pytest.mark.parametrize("look", swept(LOOKS, sample=1), ids=lambda look: look[:60])
def test_what_is_done_again_and_again_is_stopped_with_its_line(tmp_path: Path, look: str) -> None:
    source = f"a: 1\n{SET}{{% for i in range(100000) %}}{{% if {look} %}}{{% endif %}}{{% endfor %}}"
    began = time.monotonic()
    said = refusal(tmp_path, source, LimitExceeded, limits=LIMITS)
    assert re.search(r"\((t\.yaml\.j2, line 2)\) is over the limit of (1 s|512 MiB)", said)
    assert time.monotonic() - began < SLOWEST


def test_the_kernel_counts_the_time_too(tmp_path: Path) -> None:
    source = "a: 1\n{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}"
    said = refusal(tmp_path, source, LimitExceeded, limits=Limits(seconds=30, cpu_seconds=1))
    assert "The time of rendering (t.yaml.j2, line 2)" in said


def test_one_endless_call_is_killed_and_its_template_named(tmp_path: Path) -> None:
    source = (
        "a: 1\n{% set x = (1,) %}" + "{% set x = (x, x) %}" * 60 + "{{ {x: 1} }}"
    )  # the hash of 2**60 parts
    said = refusal(tmp_path, source, LimitExceeded, limits=LIMITS)
    assert "The time of rendering (t.yaml.j2) is over the limit of 1 s" in said


def test_files_that_are_looked_for_take_time_too(tmp_path: Path) -> None:
    source = (
        "a: 1\n{% set names = range(100000) | map('string') | list %}"
        "{% for i in range(100000) %}{% include names ignore missing %}{% endfor %}"
    )
    assert "t.yaml.j2, line 2" in refusal(tmp_path, source, LimitExceeded, limits=LIMITS)


def test_one_large_piece_is_named_with_its_line(tmp_path: Path) -> None:
    said = refusal(tmp_path, "a: 1\n{{ 'a' * 10**10 }}", LimitExceeded, limits=MEMORY)
    assert "The memory of the template (t.yaml.j2, line 2) is over the limit of 256 MiB" in said


def test_little_pieces_take_memory_too(tmp_path: Path) -> None:
    source = (
        "a: 1\n{% set ns = namespace(x=[]) %}{% for i in range(100000) %}"
        "{% set ns.x = [ns.x, range(1000) | list] %}{% endfor %}"
    )
    said = refusal(tmp_path, source, LimitExceeded, limits=MEMORY)
    # Where no byte is left for the traceback either, Python can't know the line.
    where = r"The memory of the template \(t\.yaml\.j2(, line 2)?\) is over the limit of 256 MiB"
    assert re.search(where, said)
