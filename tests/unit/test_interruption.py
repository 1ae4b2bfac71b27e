"""A stop signal is heard once, wherever it comes."""

from __future__ import annotations

import subprocess
import sys
import textwrap

SCRIPT = """
    import os, signal, time
    from bcs_template_set.clock import SystemClock
    from bcs_template_set.interruption import Stopped, stoppable

    class LastWords:
        def __del__(self):
            os.kill(os.getpid(), signal.SIGTERM)
            for _ in range(1000):  # the handler runs between two of these
                pass
            print("gone")

    clock = SystemClock()
    with stoppable(clock):
        try:
            thing = LastWords()
            del thing
            print("waiting", flush=True)
            time.sleep(20)
        except Stopped as stopped:
            print("heard", stopped.signal_name)
"""


def test_a_signal_in_a_finalizer_stops_the_run_once_that_is_left() -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout.split("\n"), done.stderr) == (["gone", "waiting", "heard SIGTERM", ""], "")
