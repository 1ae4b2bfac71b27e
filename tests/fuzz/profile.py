"""How hard Hypothesis looks: a sample in `make test`, for as long as asked in `python -m tests.fuzz`."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

EFFORT = float(os.environ.get("FUZZ_EFFORT", "0.06"))
"""How many times the examples that a test names; `make test` takes as many as fit into some seconds."""

_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
_PHASES = [Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink]  # explaining takes longer than finding


def fuzzed(examples: int) -> settings:
    """Return the settings of a test that looks at so many examples, or a share of them."""
    return settings(
        max_examples=max(1, int(examples * EFFORT)),
        deadline=None,  # each case has an alarm of its own, which also ends one that hangs
        suppress_health_check=_SLOW,
        phases=_PHASES,
    )
