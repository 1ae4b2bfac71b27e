"""Runs the collected tests in several processes, each forked from the one that has collected them.

So 11,000 tests are collected once and not by each process, and what that has imported is there. A process
takes one group after the other (tests/support/groups.py) and hands back what pytest reports of its tests.

Each stays on one core, unless its tests measure seconds or fill all. A test's threads, the step's and the
site's, talk to each other, and one at a time holds the interpreter: handed from core to core, they take an
eighth more CPU.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import struct
import sys
import traceback
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any, NoReturn, Optional

import pytest
from _pytest.capture import CaptureManager
from _pytest.reports import TestReport
from tests.support.groups import ALONE, group_of, in_groups

_NUMBER = struct.Struct("!i")
_LARGEST_PIPE = 65536
"""Bytes that Linux takes before somebody reads; a group is one number."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--processes", default="0", help="how many processes run the tests; auto: two for each core and one"
    )


def processes(config: pytest.Config) -> int:
    """Return how many processes run the tests; 0 where the one that has collected them does."""
    asked: str = config.getoption("processes")
    return 2 * (os.cpu_count() or 1) + 1 if asked == "auto" else int(asked)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> Optional[bool]:
    count = processes(session.config)
    if not count or session.testsfailed or session.config.option.collectonly:
        return None  # pytest's own loop
    run_in_processes(session, count)
    return True


def run_in_processes(session: pytest.Session, count: int) -> None:
    """Run the session's tests in that many processes, and report them here."""
    groups = in_groups([item.nodeid for item in session.items])
    assert len(groups) * _NUMBER.size <= _LARGEST_PIPE
    taking, giving = os.pipe()
    for number in range(len(groups)):
        os.write(giving, _NUMBER.pack(number))
    os.close(giving)
    session.config.get_terminal_writer().flush()
    running: dict[Connection, int] = {}
    cores = _cores()
    try:
        for number in range(count):
            here, there = Pipe(duplex=False)
            process = os.fork()
            if process == 0:
                here.close()
                stay = _Staying(cores, number)
                _live(session, groups, taking=taking, told=there, name=f"process-{number}", stay=stay)
            there.close()
            running[here] = process
        os.close(taking)
        _report(session, running)
    finally:
        for channel, process in running.items():
            channel.close()
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)


def _report(session: pytest.Session, running: dict[Connection, int]) -> None:
    """Hand pytest what the processes report, until all have ended or no more is wanted."""
    hook = session.config.hook
    begun: dict[Connection, pytest.Item] = {}
    while running:
        for channel in wait(list(running)):
            assert isinstance(channel, Connection)
            try:
                told = channel.recv()
            except EOFError:
                _, status = os.waitpid(running.pop(channel), 0)
                channel.close()
                if status:
                    hook.pytest_runtest_logreport(report=_lost(begun.get(channel, session.items[0]), status))
                continue
            if isinstance(told, int):
                begun[channel] = session.items[told]
            for data in told if isinstance(told, list) else ():
                report = hook.pytest_report_from_serializable(config=session.config, data=data)
                hook.pytest_runtest_logreport(report=report)
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
        if session.shouldstop:
            raise session.Interrupted(session.shouldstop)


def _lost(item: pytest.Item, status: int) -> TestReport:
    ended = os.waitstatus_to_exitcode(status)
    said = f"the process that ran it ended with {ended}, and its further tests with it"
    return TestReport(item.nodeid, item.location, {}, "failed", said, "call")


class _Reports:
    """What pytest reports of a test; of what went well the call alone, unless all durations are asked for.

    It stands for the reporter at a terminal, whose writer pytest 8 asks for when it says what is not equal.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._tw = config.get_terminal_writer()
        self._all = config.getoption("durations") is not None
        self.told: list[object] = []

    def pytest_runtest_logreport(self, report: TestReport) -> None:
        if self._all or report.when == "call" or not report.passed:
            hook = self._config.hook
            self.told.append(hook.pytest_report_to_serializable(config=self._config, report=report))


def _cores() -> Sequence[int]:
    """Return the cores that this process may use; none where the system does not tell (macOS)."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else ()


class _Staying:
    """Where one of several processes runs: each test on the process's own core, or on any."""

    def __init__(self, cores: Sequence[int], number: int) -> None:
        self._all = frozenset(cores)
        self._own = frozenset([cores[number % len(cores)]]) if cores else self._all
        self._now = self._all

    def for_test(self, nodeid: str) -> None:
        """Have this thread, and those that it will start, run where the test is to."""
        wanted = self._all if group_of(nodeid) == ALONE else self._own
        if wanted != self._now:
            os.sched_setaffinity(0, wanted)
            self._now = wanted


def _live(
    session: pytest.Session,
    groups: Sequence[Sequence[int]],
    *,
    taking: int,
    told: Connection,
    name: str,
    stay: _Staying,
) -> NoReturn:
    """Run groups of tests until none is left, and end."""
    status = 1
    try:
        atexit._clear()  # what is registered is for the end of the process that has collected
        reports = _be_a_process_of_its_own(session.config, name)
        numbers = (number for group in _taken(taking) for number in groups[group])
        number = next(numbers, None)
        while number is not None:
            following = next(numbers, None)
            told.send(number)
            item, after = session.items[number], None if following is None else session.items[following]
            stay.for_test(item.nodeid)
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
            told.send(reports.told)
            reports.told = []
            number = following
        status = 0
    except BrokenPipeError:
        pass  # nobody wants more
    except BaseException:  # noqa: BLE001 - Ctrl-C among them: whoever forked it is told by its end
        traceback.print_exc(file=sys.__stderr__)
    with contextlib.suppress(BaseException):
        atexit._run_exitfuncs()
    os._exit(status)


def _taken(taking: int) -> Iterator[int]:
    """Yield the numbers of groups that nobody else has taken: a read of a few bytes is never divided."""
    while read := os.read(taking, _NUMBER.size):
        yield _NUMBER.unpack(read)[0]


def _be_a_process_of_its_own(config: pytest.Config, name: str) -> _Reports:
    """Have folders and captured output of its own, and reports that nobody prints here."""
    plugins = config.pluginmanager
    reports = _Reports(config)
    plugins.unregister(name="terminalreporter")
    plugins.register(reports, name="terminalreporter")
    capturing: CaptureManager = plugins.getplugin("capturemanager")
    capturing.stop_global_capturing()
    capturing.start_global_capturing()
    capturing.suspend_global_capture(in_=True)
    factory: Any = config._tmp_path_factory  # type: ignore[attr-defined] # set by pytest's own plugin
    factory._basetemp = factory.getbasetemp() / name
    factory._basetemp.mkdir(mode=0o700)
    return reports
