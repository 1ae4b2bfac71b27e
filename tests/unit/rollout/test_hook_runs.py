"""What failed hooks say, and where it stays unsaid."""

from __future__ import annotations

from typing import cast

import pytest
from tests.support.objects import Object

from bcs_template_set.messages import say
from bcs_template_set.rollout.watched import RolloutStatus, with_words_of_runs

LIVE: Object = {"metadata": {"name": "web", "uid": "u1"}}
FAILED = RolloutStatus("failed", say("rollout.hook_failed", hook="preDelete", pod="web-1", phase="Failed"))
PLAIN = "The preDelete hook of pod web-1 ended with Failed, so the rollout does not go on."


def run(phase: str = "Failed", *, owner: str = "u1", **status: object) -> Object:
    metadata: Object = {"ownerReferences": [{"uid": owner}]}
    return cast("Object", {"metadata": metadata, "status": {"phase": phase, **status}})


def told(*runs: Object) -> str:
    found = with_words_of_runs(FAILED, {str(n): one for n, one in enumerate(runs)}, live=LIVE)
    return found.sentence.render("en_US")


RESULT: Object = {"message": "12 players", "measurements": [{"message": "HTTP 503"}, {}]}


@pytest.mark.parametrize(
    ("runs", "sentence"),
    [
        ([run(message="not drained")], f"{PLAIN} The hook says: not drained"),
        ([run("Error", metricResults=[RESULT])], f"{PLAIN} The hook says: 12 players, HTTP 503"),
        ([run(message="same"), run(message="same")], f"{PLAIN} The hook says: same"),
        ([run(owner="u2", message="another's")], PLAIN),
        ([run("Successful", message="fine")], PLAIN),
        ([run("Inconclusive", message="unclear")], f"{PLAIN} The hook says: unclear"),
        ([run()], PLAIN),
        ([], PLAIN),
    ],
)
def test_the_runs_of_the_workload_that_ended_badly_are_quoted(runs: list[Object], sentence: str) -> None:
    assert told(*runs) == sentence


def test_of_many_messages_the_first_are_quoted() -> None:
    many = [run(message=f"<{number}>") for number in range(9)]
    assert told(*many).count("<") == 3


def test_a_long_message_is_cut_in_its_middle() -> None:
    said = told(run(message="x" * 301)).removeprefix(f"{PLAIN} The hook says: ")
    assert (len(said), "…" in said) == (300, True)
    assert told(run(message="x" * 300)).endswith(f": {'x' * 300}")
