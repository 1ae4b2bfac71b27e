"""How large a quantity is, as the API server reads it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bcs_template_set.manifests.quantities import size_of
from bcs_template_set.manifests.yaml_reading import YamlValue


@pytest.mark.parametrize(
    ("value", "size"),
    [
        *[(0, "0"), (2, "2"), (0.5, "0.5"), ("500m", "0.5"), (" 1 ", "1"), ("+1", "1"), ("-1.5k", "-1500")],
        *[(".5", "0.5"), ("5.", "5"), ("1e3", "1000"), ("1E-3", "0.001"), ("2e+2", "200")],
        *[("7n", "7e-9"), ("7u", "7e-6"), ("7m", "7e-3"), ("7k", "7e3"), ("7M", "7e6"), ("7G", "7e9")],
        *[("7T", "7e12"), ("7P", "7e15"), ("7E", "7e18"), ("3Ki", "3072"), ("3Mi", "3145728")],
        *[("1Gi", str(2**30)), ("1Ti", str(2**40)), ("1Pi", str(2**50)), ("1Ei", str(2**60))],
        *[("1KB", None), ("1K", None), ("1mi", None), ("1e", None), ("1e3k", None), ("1 Gi", None)],
        *[("", None), (".", None), ("one", None), (True, None), (None, None), ([1], None)],
    ],
)
def test_a_quantity_is_as_large_as_kubernetes_takes_it(value: YamlValue, size: str | None) -> None:
    assert size_of(value) == (None if size is None else Decimal(size))
