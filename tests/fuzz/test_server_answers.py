"""Whatever gateway and BCS answer, to whichever request: the run ends, and says why."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.answers import HOWS, Bent
from tests.fuzz.bounded import within
from tests.fuzz.living import MemorySite
from tests.fuzz.profile import fuzzed
from tests.fuzz.seeds import SMALL
from tests.support.deploying import CLUSTER, NAMESPACE

SECONDS = 30.0
TARGET = {"cluster_id": CLUSTER, "namespace": NAMESPACE}
OWN = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: own}\ndata: {a: '{{ bcs(\"TAG\") }}'}\n"
PLAIN = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain}\ndata: {a: b}\n"
BASE = {"templates": "builtin:web\nown.yaml", "values": json.dumps(SMALL), "variables": "TAG: '1'"}
RUNS: Mapping[str, Mapping[str, str]] = {
    "plan": {**BASE, "action": "plan", **TARGET},
    "publish": {**BASE, "action": "publish"},
    "template set": {"templates": "plain.yaml", "template_set": "web", "version": "1.0.8"},
    "deploy": {**BASE, "action": "deploy", "timeout": "60", "on_failure": "restore", **TARGET},
}


@contextmanager
def site(name: str) -> Iterator[MemorySite]:
    """Yield a site that holds build 7 of branch main, about to see build 8 of branch dev."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as directory:
        started = MemorySite(Path(directory))
        started.write("own.yaml", OWN)
        started.write("plain.yaml", PLAIN)
        started.run(RUNS["publish" if name == "publish" else "deploy"])
        started.emulator.forget()
        started.build, started.branch = 8, "dev"
        started.write("own.yaml", OWN.replace("own", "other"))
        yield started


def requests_of(name: str) -> int:
    with within(SECONDS), site(name) as started:
        lived = started.run(RUNS[name])
        assert lived.code == 0, lived.log
        return len(started.emulator.to_gateway())


@pytest.mark.parametrize("name", RUNS)
def test_fuzzing_begins_from_runs_that_go_well(name: str) -> None:
    assert requests_of(name) <= MOST_REQUESTS[name] < 2 * requests_of(name)


MOST_REQUESTS = {"plan": 23, "publish": 17, "template set": 12, "deploy": 40}
"""Which answers are bent; a run may ask more than that only where it waits."""


@given(name=st.sampled_from(sorted(RUNS)), data=st.data())
@fuzzed(60)
def test_whatever_is_answered_the_run_ends_and_says_why(name: str, data: st.DataObject) -> None:
    bent = data.draw(
        st.builds(
            Bent,
            at=st.integers(0, MOST_REQUESTS[name] - 1),
            how=st.sampled_from(HOWS),
            seed=st.integers(0, 2**32),
            lasting=st.booleans(),
        )
    )
    with within(SECONDS), site(name) as started:
        started.run(RUNS[name], bend=bent.bend())
