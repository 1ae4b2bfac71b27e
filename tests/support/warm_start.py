"""Starts the installed step as a process of its own, without the half second of CPU that its imports take.

One process for each of pytest's workers imports everything once (`serve`, this file as a program) and forks a
step whenever a test wants one: with its own arguments, environment, directory, pipes and exit status, through
the console script's `entry_point`. What the start itself decides is started cold all the same: variables that
the interpreter or the loader reads at its start, and whatever a test asks for (`tests/support/worker.py`).
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import json
import os
import pkgutil
import selectors
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Optional, Protocol

STEP = Path(sys.executable).with_name("bcs-template-set")
MEASURED = "COVERAGE_PROCESS_CONFIG"
"""What a process needs in its environment for `make coverage` to count it; set under that command alone."""

LOCALE = "LANG"
_OF_THE_INTERPRETER = ("PYTHON", "LC_", "LD_", "DYLD_", "MALLOC_")
_SIZE, _NUMBER = struct.Struct("!Q"), struct.Struct("!i")


class Started(Protocol):
    """What tests do with a process, be it one of these or of `subprocess`."""

    @property
    def returncode(self) -> Optional[int]:
        """Return the exit status, or a signal's negative number; None while it runs."""

    @property
    def pid(self) -> int:
        """Return the process's number."""

    def poll(self) -> Optional[int]:
        """Look whether it has ended; return `returncode`."""

    def send_signal(self, sig: int, /) -> None:
        """Send it a signal."""

    def kill(self) -> None:
        """Send it SIGKILL."""

    def communicate(self, *, timeout: float) -> tuple[str, str]:
        """Wait for its end; return what it wrote to stdout and stderr."""


def can_be_warm(environ: Mapping[str, str]) -> bool:
    """Tell whether nothing in an environment is for the interpreter, the loader or `make coverage`.

    Coverage counts the lines of an import only where it happens.
    """
    return not any(name.startswith((*_OF_THE_INTERPRETER, MEASURED)) for name in environ)


def start_warm(arguments: Sequence[str], *, at: Path, environ: Mapping[str, str]) -> WarmProcess:
    """Start the step with these arguments."""
    return _server(environ.get(LOCALE), os.getpid()).start(arguments, at=at, environ=environ)


def run_program(
    arguments: Sequence[str], *, at: Path, environ: Mapping[str, str], timeout: float = 60
) -> subprocess.CompletedProcess[bytes]:
    """Run the step, or one of its verbs, to its end; warm where that is the same."""
    if not can_be_warm(environ):
        command = [str(STEP), *arguments]
        return subprocess.run(
            command,
            cwd=at,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=timeout,
        )
    process = start_warm(arguments, at=at, environ=environ)
    stdout, stderr = process.communicate_bytes(timeout=timeout)
    assert process.returncode is not None
    return subprocess.CompletedProcess([str(STEP), *arguments], process.returncode, stdout, stderr)


class WarmProcess:
    """A step that was forked: `subprocess.Popen`, as far as tests need one."""

    def __init__(self, *, stdout: int, stderr: int, told: int) -> None:
        self.returncode: Optional[int] = None
        self._streams = (stdout, stderr)
        self._told = told
        (self.pid,) = _NUMBER.unpack(_read_all(told, _NUMBER.size))

    def poll(self) -> Optional[int]:
        """Look whether it has ended; return `returncode`."""
        return self._wait(0)

    def send_signal(self, sig: int, /) -> None:
        """Send it a signal, if it still runs."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, sig)

    def kill(self) -> None:
        """Send it SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def communicate(self, *, timeout: float) -> tuple[str, str]:
        """Wait for its end; return what it wrote to stdout and stderr. Raises TimeoutExpired."""
        stdout, stderr = self.communicate_bytes(timeout=timeout)
        return as_text(stdout), as_text(stderr)

    def communicate_bytes(self, *, timeout: float) -> tuple[bytes, bytes]:
        """Wait for its end; return what it wrote, as it wrote it. Raises TimeoutExpired."""
        until = time.monotonic() + timeout
        read: dict[int, bytearray] = {stream: bytearray() for stream in self._streams}
        with selectors.DefaultSelector() as waiting:
            for stream in self._streams:
                waiting.register(stream, selectors.EVENT_READ)
            while waiting.get_map():
                ready = waiting.select(max(0.0, until - time.monotonic()))
                if not ready:
                    self._give_up(timeout)
                for key, _ in ready:
                    piece = os.read(key.fd, 65536)
                    read[key.fd] += piece
                    if not piece:
                        waiting.unregister(key.fd)
                        os.close(key.fd)
        if self._wait(max(0.0, until - time.monotonic())) is None:
            self._give_up(timeout)
        stdout, stderr = (bytes(read[stream]) for stream in self._streams)
        return stdout, stderr

    def _give_up(self, seconds: float) -> None:
        self.kill()
        raise subprocess.TimeoutExpired(str(STEP), seconds)

    def _wait(self, seconds: float) -> Optional[int]:
        if self.returncode is None:
            with selectors.DefaultSelector() as waiting:
                waiting.register(self._told, selectors.EVENT_READ)
                if not waiting.select(seconds):
                    return None
            (self.returncode,) = _NUMBER.unpack(_read_all(self._told, _NUMBER.size))
            os.close(self._told)
        return self.returncode


class _Server:
    """The process that has imported everything, as its client sees it. It ends when its client does."""

    def __init__(self, locale: Optional[str]) -> None:
        self._channel, theirs = socket.socketpair()
        self._lock = threading.Lock()
        known = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        with theirs:
            subprocess.Popen(
                [sys.executable, str(Path(__file__)), str(theirs.fileno())],
                env={**known, **({} if locale is None else {LOCALE: locale})},
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # Ctrl-C is for pytest
            ).returncode = 0  # nobody waits for it: it is not to be told as left behind

    def start(self, arguments: Sequence[str], *, at: Path, environ: Mapping[str, str]) -> WarmProcess:
        """Have a step forked."""
        ours, theirs = zip(os.pipe(), os.pipe(), os.pipe())
        asked = json.dumps({"arguments": [*arguments], "at": str(at), "environ": {**environ}}).encode()
        try:
            with self._lock:
                socket.send_fds(self._channel, [_SIZE.pack(len(asked))], theirs)
                self._channel.sendall(asked)
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        stdout, stderr, told = ours
        return WarmProcess(stdout=stdout, stderr=stderr, told=told)


@functools.lru_cache(maxsize=4)
def _server(locale: Optional[str], client: int) -> _Server:  # noqa: ARG001 - a fork of pytest has its own
    return _Server(locale)


def _read_all(descriptor: int, size: int) -> bytes:
    read = b""
    while len(read) < size:
        piece = os.read(descriptor, size - len(read))
        if not piece:
            raise EOFError("the process that starts steps has ended: see its stderr")
        read += piece
    return read


def as_text(data: bytes) -> str:
    """Return what a pipe held as `subprocess` gives it."""
    return data.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")


# --- the process that forks -----------------------------------------------------------------------------


def serve(channel: socket.socket) -> None:
    """Fork a step for each request until the client ends. Returns; in a step it raises SystemExit."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # whoever waits for the steps needs no waiting for
    while True:
        size, descriptors, _, _ = socket.recv_fds(channel, _SIZE.size, 3)
        if not size:
            return
        while len(size) < _SIZE.size:
            size += channel.recv(_SIZE.size - len(size))
        asked = json.loads(_read_all(channel.fileno(), *_SIZE.unpack(size)))
        if os.fork() == 0:
            channel.close()
            _watch(asked, *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _watch(asked: Mapping[str, object], stdout: int, stderr: int, told: int) -> None:
    """Fork the step, tell its number, wait for it, and tell how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid == 0:
        os.close(told)
        _become_the_step(asked, stdout, stderr)
    os.close(stdout)
    os.close(stderr)
    os.write(told, _NUMBER.pack(pid))
    os.write(told, _NUMBER.pack(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])))
    os._exit(0)


def _become_the_step(asked: Mapping[str, object], stdout: int, stderr: int) -> None:
    environ, arguments = asked["environ"], asked["arguments"]
    assert isinstance(environ, dict)
    assert isinstance(arguments, list)
    for given, standard in ((stdout, 1), (stderr, 2)):
        os.dup2(given, standard)
        os.close(given)
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(str(asked["at"]))
    sys.argv = [str(STEP), *arguments]
    from bcs_template_set.cli.main import entry_point

    entry_point()


def import_everything() -> None:
    """Import each module of the step, and so whatever it may import later; compile the report's template."""
    package = importlib.import_module("bcs_template_set")
    for module in pkgutil.walk_packages(package.__path__, "bcs_template_set."):
        importlib.import_module(module.name)
    from bcs_template_set.messages import LANGUAGES
    from bcs_template_set.report.html import _environment

    for language in LANGUAGES:
        _environment(language).get_template("report.html.j2")


if __name__ == "__main__":
    sys.path[0] = str(STEP.parent)  # as in the console script
    import_everything()
    gc.freeze()  # what is here is not looked at again by each step
    serve(socket.socket(fileno=int(sys.argv[1])))
