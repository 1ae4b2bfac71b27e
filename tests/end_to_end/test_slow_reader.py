"""Where the compiled parser of YAML is missing, the pure one serves, and the log says that it is slower."""

from __future__ import annotations

import pytest
import yaml
from tests.support.publishing import config, open_site

SENTENCE = "YAML is read by pure Python: large files take longer"


@pytest.mark.parametrize("missing", [True, False])
def test_a_run_without_the_compiled_parser_says_so(monkeypatch: pytest.MonkeyPatch, *, missing: bool) -> None:
    with open_site(a_yaml=config("a", "1")) as site, monkeypatch.context() as patch:
        if missing:
            patch.delattr(yaml, "CSafeLoader")
        ran = site.run()
        patch.undo()
    assert ran.outcome.result == "published"
    assert (SENTENCE in ran.log) == missing
