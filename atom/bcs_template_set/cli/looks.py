"""The verbs that only look at a folder, by their names."""

from __future__ import annotations

import argparse
from functools import partial

from bcs_template_set.agent.log import Log
from bcs_template_set.cli.desk_reading import Look, look_at_desk
from bcs_template_set.cli.verb_diff import look_at_difference
from bcs_template_set.cli.verb_history import look_at_history
from bcs_template_set.cli.verb_status import look_at_status


def look(options: argparse.Namespace, *, errors: Log) -> int:
    """Print what a verb finds; return 0, also where versions differ."""
    as_json: bool = options.json
    verbs: dict[str, Look] = {
        "status": partial(look_at_status, as_json=as_json, language=errors.language),
        "history": partial(look_at_history, as_json=as_json, language=errors.language),
        "diff": partial(
            look_at_difference, versions=_versions_of(options), as_json=as_json, language=errors.language
        ),
    }
    return look_at_desk(options.settings, options.hosts, verbs[options.verb], errors=errors)


def _versions_of(options: argparse.Namespace) -> tuple[str, str]:
    return getattr(options, "A", ""), getattr(options, "B", "")
