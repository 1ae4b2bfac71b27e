"""The seed of what is drawn: `BCS_SEED` where that is set, else today's, so that tests in parallel agree."""

from __future__ import annotations

import os
import time


def seed_of_this_run() -> int:
    """Return the seed; whoever draws by it names it where something goes wrong."""
    given = os.environ.get("BCS_SEED", "")
    return int(given) if given else int(time.time() // 86400)
