"""Kubernetes' quantities, such as `500m` and `1Gi`, to compare by size. Pure: performs no I/O."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Optional

from bcs_template_set.manifests.yaml_reading import YamlValue

_QUANTITY = re.compile(
    r"([+-]?(?:[0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20}))(?:([eE][+-]?[0-9]{1,3})|([A-Za-z]{0,2}))"
)
_SUFFIXES = {
    "": Decimal(1),
    **{suffix: Decimal(10) ** power for suffix, power in zip("numkMGTPE", (-9, -6, -3, 3, 6, 9, 12, 15, 18))},
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", start=1)},
}
"""apimachinery, pkg/api/resource/quantity.go: the suffixes that there are."""


def size_of(value: YamlValue) -> Optional[Decimal]:
    """Return a quantity's size, None for what is none; blanks around it mean nothing to the API server."""
    match = _QUANTITY.fullmatch(str(value).strip())
    if match is None or (match[3] or "") not in _SUFFIXES:
        return None
    return Decimal(match[1] + (match[2] or "")) * _SUFFIXES[match[3] or ""]
