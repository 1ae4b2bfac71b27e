from __future__ import annotations

import pytest
from tests.packaging.tables import first_column, table_rows

README = """\
# Title

| not | this |
|---|---|
| one | two |

## Inputs
Some words.

| input | default |
|---|---|
| `action` | `publish` |
| `region` | a \\| b |

| another | table |
|---|---|
| x | y |

## Empty
"""


def test_the_first_table_under_the_heading_is_read() -> None:
    assert first_column(README, under="Inputs") == ["action", "region"]


def test_an_escaped_bar_does_not_end_a_cell() -> None:
    assert table_rows(README, under="Inputs")[1] == ["region", "a | b"]


@pytest.mark.parametrize("heading", ["Outputs", "Empty"])
def test_a_missing_heading_or_table_is_an_error_and_not_an_empty_list(heading: str) -> None:
    with pytest.raises(ValueError, match=heading):
        first_column(README, under=heading)
