"""Twice the input, twice the calls: what needs no clock to be seen of `make torture-bounds`."""

from __future__ import annotations

import pytest

from tests.support.draws import swept
from tests.torture.bounds import FAMILIES, Family, calls_of

A_PART, MOST = 50, 800
"""Of the sizes there, and no more; a loop over all pairs shows long before."""

MOST_GROWTH = 2.5


@pytest.mark.parametrize("family", swept(FAMILIES, sample=10), ids=lambda family: family.__name__)
def test_calls_grow_as_the_input_does(family: Family) -> None:
    size = max(2, min(FAMILIES[family] // A_PART, MOST))
    family(size)()  # what is made once and kept
    once, twice = calls_of(family(size)), calls_of(family(2 * size))
    assert twice < MOST_GROWTH * once + 100
