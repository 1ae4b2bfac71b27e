"""The page on versions: the releases are named as the log names them, and old settings lead to inputs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.packaging.documents import DOCS, in_chinese, language_of, name_of, tables_of

from bcs_template_set.bcs.dialect import Dialect, releases
from bcs_template_set.config.inputs import INPUTS

ENGLISH = DOCS / "versions.md"
both = pytest.mark.parametrize("page", [ENGLISH, in_chinese(ENGLISH)], ids=name_of)


@both
def test_every_dialect_is_named_as_the_log_names_it(page: Path) -> None:
    named = " ".join(row[2] for row in tables_of(page)[0])
    for dialect in Dialect:
        assert f"`{releases(frozenset({dialect})).render(language_of(page))}`" in named


@both
def test_every_setting_of_the_old_plugin_leads_to_inputs_that_there_are(page: Path) -> None:
    known = {entry.name for entry in INPUTS} | {"replicas", "modifier", "authorizer", "starter", "owner"}
    for old, ours, _ in tables_of(page)[-1]:
        assert old
        named = [name.partition(":")[0] for name in re.findall(r"`([^`]+)`", ours)]
        assert set(named) <= known, old
