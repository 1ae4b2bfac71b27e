"""An emulated site that is another process (site.py): where it is, and what it has been asked so far."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Asked:
    """How many requests a site got, how many bytes its answers have, and the seconds of CPU that took."""

    requests: int
    answered: int
    cpu: float

    def since(self, earlier: Asked) -> Asked:
        """Return what it was asked since."""
        return Asked(
            self.requests - earlier.requests, self.answered - earlier.answered, self.cpu - earlier.cpu
        )


@dataclass(frozen=True)
class SiteApart:
    """The site's gateway, and its process."""

    url: str
    process: subprocess.Popen[str]

    def asked(self, *, wait: int = 0) -> Asked:
        """Return what the site was asked so far; so many seconds pass for what its folders hold."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{wait}\n")
        self.process.stdin.flush()
        requests, answered, cpu = self.process.stdout.readline().split()
        return Asked(int(requests), int(answered), float(cpu))


@contextmanager
def site_apart(*arguments: object) -> Iterator[SiteApart]:
    """Run the site with these arguments."""
    command = [sys.executable, "-m", "tests.bench.site", *map(str, arguments)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield SiteApart(process.stdout.readline().strip(), process)
    finally:
        process.stdin.close()
        process.wait(timeout=10)
        process.stdout.close()
