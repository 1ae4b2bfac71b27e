"""The past that BCS keeps: older versions of every file, as builds of several branches have left them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tests.emulator.state import State

from bcs_template_set.bcs.space.provenance import Provenance

APART = 1_800
"""Seconds between two versions of a file: about fifty a day."""


def give_past(state: State, count: int, *, branches: Sequence[str] = ("main",)) -> None:
    """Give every file so many older versions, by builds of these branches in turn.

    The oldest version that a file had was made from the newest of them, as far as its description tells.
    """
    for file in list(state.files):
        first = state.find_versions(file.space, file.name, project=file.project)[0]
        descriptions = [_origin(branch).line(first.content) for branch in branches]
        older = [
            replace(
                first,
                id=state.new_id(),
                version=f"0.9.{number}-{branches[number % len(branches)]}",
                description=descriptions[number % len(branches)],
                create_at=first.create_at - (count - number) * APART,
            )
            for number in range(count)
        ]
        state.versions.extend(older)
        file.create_at = older[0].create_at if older else file.create_at
        first.description += f" base={older[-1].id if older else '-'}"


def grow_older(state: State, seconds: int) -> None:
    """Let all that the folders hold have been made so many seconds earlier."""
    for version in state.versions:
        version.create_at -= seconds
    for file in state.files:
        file.create_at -= seconds
        file.update_at -= seconds


def _origin(branch: str) -> Provenance:
    return Provenance(
        pipeline="p-1", build=1, branch=branch, commit="", started_by="wangwu", acting_as="lisi"
    )
