"""Runs hostile texts in a process of their own that may have one GiB and few seconds.

As a program it reads one `Case` a line from stdin and writes one `End` a line: each case is run in a forked
child under `RLIMIT_AS` and `RLIMIT_CPU`, so that what is not stopped by us is stopped by the kernel, and
seen. It is started once for many cases, for starting Python takes longer than most of them.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

ROOT = Path(__file__).parents[2]
MOST_MEMORY = 2**30
MOST_SECONDS = 10


@dataclass(frozen=True)
class Case:
    """What to run: a text that is read as a manifest."""

    text: str


@dataclass(frozen=True)
class End:
    """How it ended: the name of the error, "" where there was none, or "killed"; and what it said."""

    error: str
    said: str
    seconds: float = 0.0
    mebibytes: int = 0


class Confined:
    """The running program, and how to ask it."""

    def __init__(self, program: subprocess.Popen[str]) -> None:
        self._program = program

    def yaml(self, text: str) -> End:
        """Read a text as a manifest."""
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.write(json.dumps(vars(Case(text))) + "\n")
        self._program.stdin.flush()
        return End(**json.loads(self._program.stdout.readline()))


@contextlib.contextmanager
def confinement() -> Iterator[Confined]:
    """Run the program while tests need it."""
    command = [sys.executable, "-m", "tests.hostile.confined"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as program:
        yield Confined(program)


# --- the program ----------------------------------------------------------------------------------------


def _read(case: Case) -> str:
    from bcs_template_set.manifests.yaml_reading import read_documents
    from bcs_template_set.manifests.yaml_words import MANIFESTS

    documents = list(read_documents(case.text, source="t.yaml", reading=MANIFESTS))
    return f"{len(documents)} documents: {str(documents)[:200]}"


def _end_of(case: Case) -> End:
    from bcs_template_set.manifests.parser_words import YamlUnreadable

    began = time.process_time()
    try:
        error, said = "", _read(case)
    except YamlUnreadable as exc:
        error, said = type(exc).__name__, str(exc)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return End(error, said[:2000], round(time.process_time() - began, 2), used)


def _run_forked(case: Case) -> End:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
            resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
            with os.fdopen(writing, "w", encoding="utf-8") as out:
                json.dump(vars(_end_of(case)), out)
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as answer:
        told = answer.read()
    _, status = os.waitpid(child, 0)
    return End(**json.loads(told)) if status == 0 else End("killed", f"wait status {status}")


def _serve(lines: Optional[Iterator[str]] = None) -> None:
    import bcs_template_set.manifests.yaml_reading  # noqa: F401 - imported once, here, and not in every child

    for line in lines or sys.stdin:
        print(json.dumps(vars(_run_forked(Case(**json.loads(line))))), flush=True)


if __name__ == "__main__":
    _serve()
