"""Counts the lines that a process runs of the step; in a forked step or child, from the file that it loads.

So it imports nothing of the tests: `prepare` is what such a process does first.
"""

from __future__ import annotations

import atexit
import marshal
import os
import tempfile

import coverage

PACKAGE = "bcs_template_set"


def counting_lines() -> coverage.Coverage:
    """Return what counts lines once it is started; it writes no file."""
    counts = coverage.Coverage(data_file=None, source_pkgs=[PACKAGE], config_file=False, messages=False)
    counts.set_option("run:disable_warnings", ["module-not-measured", "no-data-collected"])
    return counts


def prepare(given: str) -> None:
    """Let this process, a step or a child, tell at its end which lines it has run."""
    directory, _, test = given.partition("\t")
    own = counting_lines()
    own.start()

    def tell() -> None:
        own.stop()
        data = own.get_data()
        files = {file: data.lines(file) or [] for file in data.measured_files()}
        handle, at = tempfile.mkstemp(dir=directory)
        with os.fdopen(handle, "wb") as stream:
            stream.write(marshal.dumps((test, files)))
        os.rename(at, f"{at}.whole")  # noqa: PTH104 - it may be killed meanwhile

    atexit.register(tell)
