"""Starts the installed step as a process of its own, without the half second of CPU that its imports take.

Two processes for each of pytest's workers (this file as a program) import what there is to import once, and
fork whenever a test wants it (`serve`). One forks steps: each with its own arguments, environment, directory,
pipes and exit status, through the console script's `entry_point`. The other, which has imported no more than
that takes, forks the children that render templates, for those steps and for runs in pytest's own process.

What the start itself decides is started cold all the same: variables that the interpreter or the loader reads
at its start, and whatever a test asks for (`tests/support/worker.py`, `cold_children`).
"""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import functools
import gc
import hashlib
import importlib
import json
import os
import pkgutil
import resource
import runpy
import selectors
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NoReturn, Optional, Protocol

STEP = Path(sys.executable).with_name("bcs-template-set")
MEASURED = "COVERAGE_PROCESS_CONFIG"
"""What a process needs in its environment for `make coverage` to count it; set under that command alone."""

SECRET_OF_MOST = "lisi-app-secret"
"""Of the app that acts in most tests."""

LOCALE, SEARCHED = "LANG", "PYTHONPATH"
_OF_THE_INTERPRETER = ("PYTHON", "LC_", "LD_", "DYLD_", "MALLOC_")
_NUMBER = struct.Struct("!i")
_FDS = 4
"""What a process is asked for with: a pipe that says which, two of its streams, and where its end is told."""

_POPEN = subprocess.Popen
ALSO = "BCS_WARM_ALSO"
"""Names a module for the processes that fork to import, for what `BEFORE_LIFE` names."""

BEFORE_LIFE: list[tuple[str, str]] = []
"""What forked steps and children do first: `prepare` of a file, with a text. For hunts."""

_is_a_step: list[bool] = []
"""Whether this process was forked as one."""

_shared: list[int] = []
"""The number of the process whose servers serve those that are forked from it, too."""


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
    """Tell whether nothing in an environment is for the interpreter or the loader.

    Where else to look for modules is no matter of the start: what is there is nothing that the step has
    imported.
    """
    return not any(name.startswith(_OF_THE_INTERPRETER) for name in environ if name != SEARCHED)


def limit_files(most: int) -> None:
    """Let this process write no file of more bytes: what a full disk looks like to a program."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def start_warm(
    arguments: Sequence[str], *, at: Path, environ: Mapping[str, str], largest_file: Optional[int] = None
) -> WarmProcess:
    """Start the step with these arguments; it writes no file of more than so many bytes."""
    servers = _servers(environ.get(LOCALE), _client())
    return servers.start(arguments, at=at, environ=environ, largest_file=largest_file)


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


class _Forked:
    """A process that was forked, whose number and end are told by who forked it.

    One thread may wait for it while another kills it.
    """

    def __init__(self, told: int) -> None:
        self.returncode: Optional[int] = None
        self._told = told
        self._reading = threading.Lock()
        weakref.finalize(self, os.close, told)  # not before: another thread may be waiting for it
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

    def _wait(self, seconds: Optional[float]) -> Optional[int]:
        if self.returncode is None:
            with selectors.DefaultSelector() as waiting:
                waiting.register(self._told, selectors.EVENT_READ)
                if not waiting.select(seconds):
                    return None
            with self._reading:
                if self.returncode is None:
                    (self.returncode,) = _NUMBER.unpack(_read_all(self._told, _NUMBER.size))
        return self.returncode


class WarmProcess(_Forked):
    """A step that was forked: `subprocess.Popen`, as far as tests need one."""

    def __init__(self, *, stdout: int, stderr: int, told: int) -> None:
        super().__init__(told)
        self._streams = (stdout, stderr)

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


class WarmChild(_Forked):
    """A child that renders, and was forked: `subprocess.Popen`, as far as a step needs one."""

    def __init__(self, *, stdin: int, stdout: int, told: int) -> None:
        super().__init__(told)
        self.stdin: IO[bytes] = os.fdopen(stdin, "wb")
        self.stdout: IO[bytes] = os.fdopen(stdout, "rb")

    def wait(self) -> int:
        """Wait for its end; return `returncode`."""
        status = self._wait(None)
        assert status is not None
        return status


class _Servers:
    """The processes that have imported everything, as their client sees them. They end when that does."""

    def __init__(self, locale: Optional[str]) -> None:
        self._steps, steps = socket.socketpair()
        self.children, children = socket.socketpair()
        known = {name: os.environ[name] for name in ("PATH", "HOME", ALSO, MEASURED) if name in os.environ}
        given = (steps.fileno(), children.fileno(), self.children.fileno())
        with steps, children:
            _POPEN(
                [sys.executable, str(Path(__file__)), *map(str, given)],
                env={**known, **({} if locale is None else {LOCALE: locale})},
                stdin=subprocess.DEVNULL,
                pass_fds=given,
                start_new_session=True,  # Ctrl-C is for pytest
            ).returncode = 0  # nobody waits for it: it is not to be told as left behind

    def start(
        self, arguments: Sequence[str], *, at: Path, environ: Mapping[str, str], largest_file: Optional[int]
    ) -> WarmProcess:
        """Have a step forked."""
        out, err, told = os.pipe(), os.pipe(), os.pipe()
        request = {
            "arguments": [*arguments],
            "at": str(at),
            "environ": {**environ},
            "largest_file": largest_file,
        }
        _ask(self._steps, request, (out[1], err[1], told[1]))
        return WarmProcess(stdout=out[0], stderr=err[0], told=told[0])

    def close(self) -> None:
        """Let them end."""
        self._steps.close()
        self.children.close()


def share_servers() -> None:
    """Start the processes that fork, for this process and those that are forked from it."""
    _shared.append(os.getpid())
    _servers(os.environ.get(LOCALE), _client())


def _client() -> int:
    return _shared[0] if _shared else os.getpid()


@functools.lru_cache(maxsize=4)
def _servers(locale: Optional[str], client: int) -> _Servers:  # noqa: ARG001 - a fork of pytest has its own
    servers = _Servers(locale)
    atexit.register(servers.close)
    return servers


def _ask(server: socket.socket, request: Mapping[str, object], streams: Sequence[int]) -> None:
    """Have a process forked that reads the request; a byte and its descriptors arrive as one."""
    reading, writing = os.pipe()
    request = {**request, "first": BEFORE_LIFE}
    try:
        socket.send_fds(server, [b"."], [reading, *streams])
    finally:
        for descriptor in (reading, *streams):
            os.close(descriptor)
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(json.dumps(request).encode())


def _read_all(descriptor: int, size: int) -> bytes:
    read = b""
    while len(read) < size:
        piece = os.read(descriptor, size - len(read))
        if not piece:
            raise EOFError("the process that forks others has ended: see its stderr")
        read += piece
    return read


def as_text(data: bytes) -> str:
    """Return what a pipe held as `subprocess` gives it."""
    return data.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")


# --- children that render -------------------------------------------------------------------------------


def warm_children(server: Optional[socket.socket] = None) -> None:
    """Have this process's children that render forked, and not started, from now on.

    By the server, or by one that is started for the first of them.
    """

    class Popen(subprocess.Popen):  # type: ignore[type-arg] # at run time it takes none on Python 3.9
        """`subprocess.Popen`, but for that one program."""

        def __new__(cls, args: Any, **more: Any) -> Any:  # noqa: ANN401 - as `subprocess` has it
            if not _renders(args):
                return super().__new__(cls)
            forked = functools.partial(_forked_child, server, path=args[-1], environ=more["env"])
            return RememberedChild(forked) if _remembering and not BEFORE_LIFE else forked()

    subprocess.Popen = Popen  # type: ignore[misc, assignment] # that is the point


def _forked_child(server: Optional[socket.socket], *, path: str, environ: Mapping[str, str]) -> WarmChild:
    inside, outside, told = os.pipe(), os.pipe(), os.pipe()
    children = server or _servers(os.environ.get(LOCALE), _client()).children
    _ask(children, {"path": path, "environ": environ}, (inside[0], outside[1], told[1]))
    return WarmChild(stdin=inside[1], stdout=outside[0], told=told[0])


_remembering: list[bool] = []
_remembered: dict[tuple[str, bytes], bytes] = {}
"""What children have answered to a text that is no template, by their limits and the whole request."""

_BEGIN = (b"{{", b"{%", b"{#")
"""What begins whatever is not text in a template."""


@contextlib.contextmanager
def remembered_children() -> Iterator[None]:
    """Let this process's children render meanwhile a text that is no template once, whichever run asks.

    It comes to the same whatever the names of a run are.
    """
    _remembering.append(True)
    try:
        yield
    finally:
        _remembering.pop()


class RememberedChild:
    """A child that renders, forked at the first text that no other has rendered: `subprocess.Popen` too."""

    def __init__(self, fork: Callable[[], WarmChild]) -> None:
        self._fork = fork
        self._forked: Optional[WarmChild] = None
        self._limits, self._start = "", b""
        self._asked: Optional[tuple[str, bytes]] = None
        self.stdin = self.stdout = self

    def write(self, line: bytes) -> None:
        """Take the first line, or a request."""
        if not self._start:
            self._start, self._limits = line, json.dumps(json.loads(line)["limits"])
            return
        self._asked = None if any(begin in line for begin in _BEGIN) else (self._limits, line)
        if self._forked is None and self._asked not in _remembered:
            self._forked = self._fork()
            self._forked.stdin.write(self._start)
        if self._forked is not None:
            self._forked.stdin.write(line)

    def flush(self) -> None:
        """Send what was written."""
        if self._forked is not None:
            self._forked.stdin.flush()

    def readline(self, most: int) -> bytes:
        """Return the answer to the last request."""
        if self._forked is None:
            assert self._asked is not None
            return _remembered[self._asked]
        answer = self._forked.stdout.readline(most)
        if self._asked is not None and answer.endswith(b"\n") and json.loads(answer).get("variables") == []:
            _remembered[self._asked] = answer
        return answer

    def close(self) -> None:
        """Close both streams."""
        if self._forked is not None:
            self._forked.stdin.close()
            self._forked.stdout.close()

    def send_signal(self, sig: int) -> None:
        """Send it a signal."""
        if self._forked is not None:
            self._forked.send_signal(sig)

    def kill(self) -> None:
        """Send it SIGKILL."""
        if self._forked is not None:
            self._forked.kill()

    def wait(self) -> int:
        """Wait for its end; return its exit status."""
        return 0 if self._forked is None else self._forked.wait()


@contextlib.contextmanager
def cold_children() -> Iterator[None]:
    """Start the children that render meanwhile as a step does that nobody has helped."""
    warm, subprocess.Popen = subprocess.Popen, _POPEN  # type: ignore[misc] # as above
    try:
        yield
    finally:
        subprocess.Popen = warm  # type: ignore[misc] # as above


def _renders(command: object) -> bool:
    """Tell whether a command starts a child that renders, in an interpreter that is set up as this one."""
    from bcs_template_set.manifests.templating.worker_process import _PROGRAM

    return isinstance(command, list) and command[:-1] == [sys.executable, "-I", "-c", _PROGRAM]


def _prepare(first: Sequence[Sequence[str]]) -> None:
    for file, text in first:
        namespace = runpy.run_path(file)
        namespace["prepare"](text)


# --- the processes that fork ----------------------------------------------------------------------------


def serve(asked: socket.socket, become: Callable[[Mapping[str, Any], int, int], NoReturn]) -> None:
    """Fork a process for each request until nobody is there to ask. Returns; in a fork it does not."""
    running: dict[int, int] = {}
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker)
    with selectors.DefaultSelector() as waiting:
        waiting.register(asked, selectors.EVENT_READ)
        waiting.register(woken, selectors.EVENT_READ)
        while True:
            for key, _ in waiting.select():
                if key.fd == woken:
                    os.read(woken, 4096)
                    _tell_ends(running)
                    continue
                byte, descriptors, _, _ = socket.recv_fds(asked, 1, _FDS)
                if not byte:
                    return
                request, *streams, told = descriptors
                process = os.fork()
                if process == 0:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    for descriptor in (asked.detach(), woken, waker, told, *running.values()):
                        os.close(descriptor)
                    with os.fdopen(request, "rb") as pipe:
                        wanted = json.load(pipe)
                    become(wanted, *streams)
                os.write(told, _NUMBER.pack(process))
                running[process] = told
                for descriptor in (request, *streams):
                    os.close(descriptor)


def _tell_ends(running: dict[int, int]) -> None:
    """Tell each process's client, where it still listens, how the process has ended."""
    while running:
        process, status = os.waitpid(-1, os.WNOHANG)
        if process == 0:
            return
        told = running.pop(process)
        with contextlib.suppress(BrokenPipeError):
            os.write(told, _NUMBER.pack(os.waitstatus_to_exitcode(status)))
        os.close(told)


def _end(status: object) -> NoReturn:
    """End this process as Python does, without taking apart what was imported.

    A fork would have to copy each page of memory on which it takes something apart.
    """
    threading._shutdown()  # type: ignore[attr-defined] # what Python calls at its end
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status if isinstance(status, int) else 1)


def become_a_step(asked: Mapping[str, Any], stdout: int, stderr: int, *, children: socket.socket) -> NoReturn:
    """Live as the step until its end."""
    for given, standard in ((stdout, 1), (stderr, 2)):
        os.dup2(given, standard)
        os.close(given)
    os.environ.clear()
    os.environ.update(asked["environ"])
    os.chdir(asked["at"])
    sys.argv = [str(STEP), *asked["arguments"]]
    sys.path[1:1] = filter(None, asked["environ"].get(SEARCHED, "").split(os.pathsep))
    if asked["largest_file"] is not None:
        limit_files(asked["largest_file"])
    warm_children(children)
    BEFORE_LIFE[:] = asked["first"]
    _prepare(BEFORE_LIFE)
    if not BEFORE_LIFE:
        _is_a_step.append(True)
    from bcs_template_set.cli.main import entry_point

    try:
        entry_point()
    except SystemExit as ended:
        _end(ended.code)
    raise AssertionError("the console script has not ended the process")


def become_a_child(asked: Mapping[str, Any], stdin: int, stdout: int) -> NoReturn:
    """Live as a child that renders until its end."""
    for given, standard in ((stdin, 0), (stdout, 1)):
        os.dup2(given, standard)
        os.close(given)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    os.environ.clear()
    os.environ.update(asked["environ"])
    sys.path[:] = json.loads(asked["path"])
    sys.argv = ["-c", asked["path"]]
    _prepare(asked["first"])
    from bcs_template_set.manifests.templating.worker import main

    main()
    _end(0)


def compile_once() -> None:
    """Have each of our own templates compiled by the first run in this process only, and the default version.

    They are the same in every run: they write no braces of their own, which would have marks of the run. What
    a run notes of them is the words of their code.
    """
    import jinja2

    from bcs_template_set.config.inputs import DEFAULT_VERSION

    compiled = jinja2.Environment.compile
    known: dict[tuple[type, str, str], tuple[object, set[str]]] = {}

    def compile_or_remember(
        self: Any,  # noqa: ANN401 - the environment, whose notes are nobody else's matter
        source: str,
        name: Optional[str] = None,
        *more: Any,  # noqa: ANN401 - as Jinja2's
        **named: Any,  # noqa: ANN401 - as above
    ) -> object:
        if name is None or not (name.startswith("builtin:") or source == DEFAULT_VERSION):
            return compiled(self, source, name, *more, **named)
        key = (type(self), source, name)
        if key not in known:
            assert not _is_a_step, (
                f"{name} was not compiled before the fork: import_everything compiles others"
            )
            of_the_run, self._notes.written = self._notes.written, set()
            code = compiled(self, source, name, *more, **named)
            known[key], self._notes.written = (code, self._notes.written), of_the_run
        code, words = known[key]
        self._notes.written |= words
        return code

    jinja2.Environment.compile = compile_or_remember  # type: ignore[method-assign, assignment] # its overloads


def derive_once() -> None:
    """Have the key of each secret derived once in this process and in what it forks: that takes 0.05 s."""
    derive = functools.lru_cache(maxsize=256)(hashlib.pbkdf2_hmac)
    hashlib.pbkdf2_hmac = derive  # type: ignore[assignment] # whatever can be hashed, it says


def import_everything() -> None:
    """Import each module of the step, and so whatever it may import later; read and compile what it ships."""
    package = importlib.import_module("bcs_template_set")
    for module in pkgutil.walk_packages(package.__path__, "bcs_template_set."):
        importlib.import_module(module.name)
    from bcs_template_set.config.inputs import DEFAULT_VERSION
    from bcs_template_set.manifests.naming import WEB_FILES
    from bcs_template_set.manifests.schema.field_types import field_types
    from bcs_template_set.manifests.templating.bcs_places import Marks, stem_of
    from bcs_template_set.manifests.templating.environment import BuiltinEnvironment, OwnEnvironment
    from bcs_template_set.manifests.templating.render import builtin_source
    from bcs_template_set.manifests.templating.template_notes import Notes
    from bcs_template_set.manifests.templating.templates import Templates
    from bcs_template_set.messages import LANGUAGES, _catalogue
    from bcs_template_set.messages.secret import Secret
    from bcs_template_set.report.html import _environment
    from bcs_template_set.system.version import step_version

    make_inits()
    field_types()
    step_version()
    for area in (Path(package.__path__[0]) / "messages").glob("*.json"):
        _catalogue(area.stem)
    for language in LANGUAGES:
        for page in (Path(package.__path__[0]) / "report").glob("*.j2"):
            _environment(language).get_template(page.name)
    Secret(SECRET_OF_MOST).mark(b"")
    marks = Marks(stem_of({}))
    templates = Templates({}, notes=Notes({}), marks=marks, read_text=str, kind=BuiltinEnvironment)
    for part in WEB_FILES:
        name = f"builtin:web/{part}.yaml.j2"
        templates._environment.compile_source(builtin_source("web", part), name=name)
    own = Templates({}, notes=Notes({}), marks=marks, read_text=str, kind=OwnEnvironment)
    own._environment.compile_source(DEFAULT_VERSION, name="version")


def make_inits() -> None:
    """Have each class of values make now what it makes for its first value."""
    from bcs_template_set.records import late_dataclass

    for name, module in [*sys.modules.items()]:
        kinds = vars(module).values() if name.startswith("bcs_template_set.") else ()
        for kind in [kind for kind in kinds if isinstance(kind, type) and dataclasses.is_dataclass(kind)]:
            if kind.__init__.__name__ == "first_init":
                setattr(kind, "__init__", late_dataclass._init_of(kind, dataclasses.fields(kind)))  # noqa: B010 - mypy lets no __init__ be assigned


def render_something() -> None:
    """Render a template, so that what the first one of a process needs is found and compiled already."""
    from bcs_template_set.manifests.templating.bcs_places import Marks, stem_of
    from bcs_template_set.manifests.templating.template_notes import Notes
    from bcs_template_set.manifests.templating.templates import Templates

    names = {"name": "some"}
    templates = Templates(names, notes=Notes(names), marks=Marks(stem_of(names)), read_text=str)
    assert templates.render("name: {{ name }}\n", name="some.yaml.j2") == "name: some\n"


def main(steps: socket.socket, children: socket.socket, asking: socket.socket) -> None:
    """Fork the process that forks children, import everything, and fork steps."""
    importlib.import_module("bcs_template_set.manifests.templating.worker")
    importlib.import_module(os.environ.pop(ALSO, "json"))
    if os.fork() == 0:
        steps.close()
        asking.close()
        render_something()
        make_inits()
        gc.collect()
        gc.freeze()  # what is here is not looked at again by each fork
        serve(children, become_a_child)
        return
    children.close()
    compile_once()
    derive_once()
    import_everything()
    gc.freeze()
    serve(steps, functools.partial(become_a_step, children=asking))


if __name__ == "__main__":
    sys.path[0] = str(STEP.parent)  # as in the console script
    main(*(socket.socket(fileno=int(number)) for number in sys.argv[1:]))
