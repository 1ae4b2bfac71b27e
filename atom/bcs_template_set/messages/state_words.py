"""The words that results are told in, the same in every language. Performs no I/O."""

from __future__ import annotations

from typing import Literal, get_args

Result = Literal[
    "planned",
    "checked",
    "unchanged",
    "published",
    "deployed",
    "rolled-back",
    "paused",
    "skipped",
    "failed",
    "timed-out",
    "unseen",
    "restored",
]
"""How a run ended: the output `result`."""

FileState = Literal[
    "failed",
    "partly-deployed",
    "unknown",
    "live-not-ready",
    "rolling-out",
    "not-deployed",
    "not-attempted",
    "paused",
    "restored",
    "pruned",
    "held",
    "skipped",
    "ready",
    "deployed",
    "published",
    "planned",
    "live",
    "unchanged",
]
"""How a file of a run ended, in the order a person needs to see them."""

OUR_WORDS = frozenset(
    {
        *(*get_args(Result), *get_args(FileState), "applied"),
        *("authorizer", "modifier", "starter", "owner", "plan", "publish", "deploy", "true", "false"),
    }
)
"""None of these is masked where it is a whole output: whoever reads that decides by it; and a secret that is
one of them is a mistake of the settings."""
