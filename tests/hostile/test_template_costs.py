"""What a template can have done that leaves nothing behind: looking, comparing, handing over.

`test_templates.py` has the bombs that make large values. Here each turn of a loop takes milliseconds
and makes nothing, so that no limit on size or output ever notices: only the price of the work does.
"""

from __future__ import annotations

import os
import re

import pytest

from bcs_template_set.manifests.templating.budget import CALL, Budget
from bcs_template_set.messages.errors import LimitExceeded
from tests.hostile.confined import Confined
from tests.support.building import StandingClock
from tests.support.worker import MEASURED

SLOWEST = 10 if MEASURED in os.environ else 5
"""Seconds a template may take: `make coverage` counts every line of the work."""

SET = (
    "{% set text = 'a' * 2000000 %}{% set same = 'a' * 2000000 %}"
    "{% set digits = '1' * 2000000 %}{% set blanks = ' ' * 2000000 %}"
    "{% set ones = [1] * 100000 %}{% set more = [1] * 100000 %}{% set key = (1,) * 100000 %}"
)
MAPS = (
    "{% set map = dict(range(100000) | map('string') | batch(2)) %}"
    "{% set twin = dict(range(100000) | map('string') | batch(2)) %}"
)
ROWS = "{% set a = [1] * 1000 %}{% set b = [1] * 1000 %}{% set rows = [a, b] * 50 %}"

LOOKS = [
    # methods that read all of a text or list and answer with a word
    *(f"text.{name}()" for name in ("isalnum", "isalpha", "islower", "isidentifier", "istitle", "isupper")),
    *(f"digits.{name}()" for name in ("isdigit", "isdecimal", "isnumeric")),
    "blanks.isspace()",
    "ones.count(2)",
    "key.count(2)",
    "[ones].index(more)",
    "[ones].count(more)",
    "{'a': 1}.get(key)",
    # filters and tests
    "text | wordcount",
    *(f"ones | {name}" for name in ("min", "max", "sum", "sort", "unique | first")),
    *(f"range(100000) | {name}" for name in ("min", "max", "sum")),
    *(f"text is {name}" for name in ("lower", "upper")),
    *(
        f"ones is {name} more"
        for name in ("eq", "equalto", "ne", "le", "lt", "ge", "gt", "lessthan", "greaterthan")
    ),
    "2 is in ones",
    *(f"[ones] | select('{name}', more) | list" for name in ("==", "!=", "<", "<=", ">", ">=")),
    # operators
    *(f"text {operator} same" for operator in ("==", "!=", "<", "<=", ">", ">=")),
    *(f"ones {operator} more" for operator in ("==", "!=", "<", ">=")),
    "1 < 2 and 0 < 1 != ones == more",
    "2 in ones",
    "2 not in ones",
    "2.5 in range(100000)",
    "more in [ones]",
    "key in {'a': 1}",
    "key not in {'a': 1}",
    "loop.changed(ones if i % 2 else more)",
    # attributes of attributes, looked up for every element
    *(
        f"ones | {name}(attribute='x" + ".x" * 10_000 + "') | length"
        for name in ("map", "sort", "unique", "min", "max", "sum", "groupby")
    ),
    "ones | selectattr('x" + ".x" * 10_000 + "') | list",
    "ones | rejectattr('x" + ".x" * 10_000 + "') | list",
    "ones | sort(attribute='" + ",".join("x" * 10_000) + "') | list",
    # handing over
    "cycler(*range(100000)).current",
    "taking(*range(100000))",
    "'a'.format(*range(100000))",
]
CASES = [
    *(
        SET + "{% macro taking() %}{{ varargs | length }}{% endmacro %}"
        f"{{% for i in range(100000) %}}{{% if {look} %}}{{% endif %}}{{% endfor %}}"
        for look in LOOKS
    ),
    *(
        MAPS + f"{{% for i in range(100000) %}}{{% if {look} %}}{{% endif %}}{{% endfor %}}"
        for look in (
            "map == twin",
            "map != twin",
            "map is eq twin",
            "[map].index(twin)",
            "dict(**map)",
            "loop.changed(map, twin)",
        )
    ),
    *(
        ROWS + f"{{% for i in range(100000) %}}{{% if {look} %}}{{% endif %}}{{% endfor %}}"
        for look in (
            "rows | sort",
            "rows | max",
            "rows | groupby(0)",
            "rows | map('first') | max",
            "rows.count(0)",
        )
    ),
]


MANY_NAMES = "{% set names = range(100000) | map('string') | list %}"
FILES = [
    MANY_NAMES + "{% for i in range(100000) %}{% include names ignore missing %}{% endfor %}",
    MANY_NAMES
    + "{% for i in names %}{% for j in names %}{% include [i ~ j] ignore missing %}{% endfor %}{% endfor %}",
]


@pytest.mark.parametrize("source", FILES)
def test_files_that_are_looked_for_are_paid_for(confined: Confined, source: str) -> None:
    end = confined.template("a: 1\n" + source)
    assert end.error == "LimitExceeded", end
    assert "steps" in end.said
    assert "t.yaml.j2, line 2" in end.said
    assert end.seconds < 2 * SLOWEST


@pytest.mark.parametrize("source", CASES, ids=lambda source: source.rpartition("{% if ")[2][:60])
def test_what_is_done_again_and_again_is_stopped_by_its_price(confined: Confined, source: str) -> None:
    end = confined.template("a: 1\n" + source)
    assert end.error == "LimitExceeded", end
    assert "steps" in end.said
    assert re.search(r"\(t\.yaml\.j2, line 2\)", end.said)
    assert end.seconds < SLOWEST
    assert end.mebibytes < 400


def test_the_clock_is_looked_at_before_a_few_slow_calls_have_become_minutes() -> None:
    clock = StandingClock()
    budget = Budget(clock, seconds=30)

    def call_slowly() -> None:
        for _ in range(10):
            clock.wait(6)
            budget.spend(CALL)

    with pytest.raises(LimitExceeded, match="The time of rendering"):
        call_slowly()
