"""The child that renders templates: what goes over the line, and what is said of a child that fails."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType

import pytest
from tests.support.building import CONTEXT, StandingClock
from tests.support.warm_start import cold_children
from tests.support.worker import measured

from bcs_template_set.manifests.templating import limits as limits_module
from bcs_template_set.manifests.templating import worker, worker_process
from bcs_template_set.manifests.templating.limits import Limits, hurry
from bcs_template_set.manifests.templating.template_notes import OUT_OF_TIME, Key, Notes
from bcs_template_set.manifests.templating.worker_process import (
    TemplateProcess,
    TemplateRun,
    child_environment,
)
from bcs_template_set.messages import Text
from bcs_template_set.messages.errors import LimitExceeded
from bcs_template_set.messages.server_errors import OutOfTime
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.system.clock import Deadline

START = {
    "limits": {"seconds": 1, "cpu_seconds": 1000, "mebibytes": 2**20},
    "stem": "s",
    "workspace": ".",
    "values": {},
    "context": {},
}


@pytest.fixture(autouse=True)
def _as_a_step_starts_it() -> Iterator[None]:
    with cold_children():
        yield


def run_of(**more: object) -> TemplateRun:
    fields: dict[str, object] = {"clock": StandingClock(), "environ": measured(), **more}
    return TemplateRun(Path(), {"v": 1}, CONTEXT, **fields)  # type: ignore[arg-type] # the fields of each test


def rendered(run: TemplateRun, source: str = "{{ v }}") -> str:
    with contextlib.closing(TemplateProcess(run)) as process:
        settled = process.render(source, name="t", notes=Notes(run.names))
    assert settled is not None
    return settled.text


def noted(run: TemplateRun) -> list[tuple[Key, Text]]:
    notes = Notes(run.names)
    with contextlib.closing(TemplateProcess(run)) as process:
        assert process.render("{{ v }}", name="t", notes=notes) is None
    return notes.noted()


def refused(run: TemplateRun) -> StepError:
    with pytest.raises(StepError) as caught:
        rendered(run)
    return caught.value


# --- the parent


def test_of_an_environment_only_what_starts_python_is_handed_on() -> None:
    names = ("PATH", "LC_ALL", "SystemRoot", "LD_LIBRARY_PATH", "LANG", "TMPDIR", "TEMP")
    starts = dict.fromkeys(names, "x")
    environ = child_environment({**starts, "BK_CI_START_USER_NAME": "x", "TOKEN": "canary"})
    assert environ == starts
    assert "canary" not in repr(run_of(environ={"PATH": "canary"}))


def answering(expression: str) -> str:
    """Return the program of a child that answers with what a line of Python comes to."""
    return f"import json, sys; sys.stdin.readline(); print(json.dumps({{'text': {expression}}}), flush=True)"


@pytest.mark.parametrize("mode", [0, 1])
def test_the_childs_python_is_in_the_mode_of_the_parents(monkeypatch: pytest.MonkeyPatch, mode: int) -> None:
    class Flags:
        utf8_mode = mode

    monkeypatch.setattr(sys, "flags", Flags())
    monkeypatch.setattr(worker_process, "_PROGRAM", answering("str(sys.flags.utf8_mode)"))
    assert rendered(run_of(environ={**measured(), "LC_ALL": "C.UTF-8"})) == str(mode)


def test_a_child_finds_modules_where_the_parent_does_and_nowhere_it_happens_to_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "path", ["", "/one", "/two"])
    monkeypatch.setattr(worker_process, "_PROGRAM", answering("sys.argv[1] + str(sys.flags.isolated)"))
    assert rendered(run_of()) == '["/one", "/two"]1'


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "no JSON",
        "[]",
        '{"text": 1}',
        '{"unknown": 1}',
        '{"notes": [["syntax", "t", 1, "", {"key": "render.no_such", "fields": {}}]]}',
        '{"notes": [["syntax", "t", 1, "", {"key": "render.syntax", "fields": {}}]]}',
        '{"notes": [["else", "t", 1, "", {"key": "render.steps", "fields": {}}]]}',
    ],
)
def test_a_child_that_gives_no_answer_is_a_failure_of_that_template(
    monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    said = f"print({answer!r}, flush=True); sys.stderr.write('canary')"
    program = f"import sys; sys.stdin.readline(); {said}; sys.stdin.read()"
    monkeypatch.setattr(worker_process, "_PROGRAM", program)
    ((key, note),) = noted(run_of())
    assert key == ("failed", "t", 0, "ended")
    assert str(note).startswith("the process that renders templates ended before it was done")
    assert "canary" not in str(note)


def test_a_child_that_ends_at_once_is_a_failure_of_that_template(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_process, "_PROGRAM", "raise SystemExit(7)")
    assert "(status" in str(noted(run_of())[0][1])


def test_a_child_that_can_not_start_since_a_module_of_it_is_damaged_is_no_mistake_of_a_template(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker_process, "_PROGRAM", "raise SystemExit(7)")
    monkeypatch.setitem(sys.modules, worker.__name__, None)
    with pytest.raises(ImportError):
        noted(run_of())


def said_by(answer: Mapping[str, object], monkeypatch: pytest.MonkeyPatch) -> TemplateRun:
    """Return a run whose child answers this."""
    program = f"import sys; sys.stdin.readline(); print({json.dumps(answer)!r}, flush=True); sys.stdin.read()"
    monkeypatch.setattr(worker_process, "_PROGRAM", program)
    return run_of()


MISSING = {"key": "render.part_missing", "fields": {"name": "nmae", "owner": "m"}}
KNOWN = {"key": "render.part_known", "fields": {"mistake": MISSING, "keys": ["name", "tag"]}}


def test_what_a_child_notes_is_noted_as_it_says_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ((key, note),) = noted(said_by({"notes": [["missing", "t", 2, "nmae", KNOWN]]}, monkeypatch))
    assert (key, str(note)) == (("missing", "t", 2, "nmae"), 'm has no "nmae". It has name, tag.')


@pytest.mark.parametrize(
    ("most", "says"), [(5, "5"), ({"key": "render.seconds", "fields": {"number": 2}}, "2 s")], ids=str
)
def test_a_limit_that_a_child_meets_is_said_as_it_says_it(
    monkeypatch: pytest.MonkeyPatch, most: object, says: str
) -> None:
    what = {"key": "render.limit_files", "fields": {"number": 7}}
    run = said_by({"limit": [what, most]}, monkeypatch)
    assert f"The number of files, 7, is over the limit of {says}." in str(refused(run))


@pytest.mark.parametrize("first", ["no JSON", json.dumps({"limit": [MISSING, 5]})])
def test_a_child_that_has_failed_is_not_asked_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, first: str
) -> None:
    begun = str(tmp_path / "begun")
    said = f"[{first!r}, 'no JSON'] if not os.path.exists({begun!r}) else [json.dumps({{'text': 'next'}})]"
    say = "[print(line, flush=True) for line in said if sys.stdin.readline()]"
    program = f"import json, os, sys; sys.stdin.readline(); said = {said}; open({begun!r}, 'w'); {say}"
    monkeypatch.setattr(worker_process, "_PROGRAM", program)
    with contextlib.closing(TemplateProcess(run_of())) as process:
        with contextlib.suppress(LimitExceeded):
            assert process.render("", name="t", notes=Notes({})) is None
        settled = process.render("", name="u", notes=Notes({}))
    assert settled is not None
    assert settled.text == "next"


def test_a_text_may_have_two_mebibytes_of_any_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_process, "_PROGRAM", answering("'\\ud800' * 2 * 2**20"))
    assert rendered(run_of()) == "\ud800" * 2 * 2**20


def test_when_the_runs_time_is_used_up_no_template_is_to_blame() -> None:
    clock = StandingClock()
    process = TemplateProcess(
        run_of(clock=clock, deadline=Deadline(clock, seconds=5), limits=Limits(seconds=2))
    )
    process.check_time("t")
    clock.wait(6)
    with pytest.raises(OutOfTime):
        process.check_time("t")


def test_when_the_time_of_all_templates_is_used_up_the_next_is_named() -> None:
    clock = StandingClock()
    process = TemplateProcess(run_of(clock=clock, limits=Limits(seconds=2)))
    process.check_time("t")
    clock.wait(3)
    with pytest.raises(
        LimitExceeded, match=r"The time of rendering \(t\) is over the limit of 2 s"
    ) as caught:
        process.check_time("t")
    assert caught.value.what.key == OUT_OF_TIME


def test_braces_that_a_child_makes_up_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with contextlib.closing(TemplateProcess(run_of())) as process:
        said_by({"text": process.stem + "\U000f0002" + "{{ X }}"}, monkeypatch)
        settled = process.render("", name="t", notes=Notes({}))
    assert settled is not None
    assert settled.is_cut
    assert settled.foreign


def over_when(begun: Path, *, seconds: float) -> type[threading.Timer]:
    """Return a timer for which so many seconds are over when this file is there: a child hears of it."""

    class Timer(threading.Timer):
        def run(self) -> None:
            if self.interval == seconds:
                while not begun.exists() and not self.finished.wait(0.01):
                    pass
                self.interval = 0
            super().run()

    return Timer


@pytest.mark.parametrize("hears", [True, False])
def test_a_child_whose_time_is_over_may_say_where_it_was_and_is_killed_if_it_does_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, hears: bool
) -> None:
    begun, end = tmp_path / "begun", tmp_path / "end"
    said = json.dumps({"limit": [MISSING, 5]})
    hear = f"lambda *_: print({said!r}, flush=True) or os._exit(0)" if hears else "signal.SIG_IGN"
    program = (
        "import os, signal, time; "
        f"signal.signal(signal.SIGXCPU, {hear}); open({str(begun)!r}, 'w'); "
        f"time.sleep(10); open({str(end)!r}, 'w')"
    )
    monkeypatch.setattr(worker_process, "_PROGRAM", program)
    monkeypatch.setattr(worker_process, "Timer", over_when(begun, seconds=2))
    monkeypatch.setattr(worker_process, "GRACE", 60 if hears else 0.1)
    error = refused(run_of(limits=Limits(seconds=2)))
    assert isinstance(error, LimitExceeded)
    says = 'm has no "nmae"' if hears else "The time of rendering (t) is over the limit of 2 s"
    assert says in str(error)
    assert not end.exists()


def test_a_child_that_does_not_go_by_itself_is_killed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    end = tmp_path / "end"
    late = f"import time; time.sleep(10); open({str(end)!r}, 'w')"
    monkeypatch.setattr(worker_process, "_PROGRAM", f"{answering(repr('a'))}; {late}")
    monkeypatch.setattr(worker_process, "GRACE", 0.1)
    assert rendered(run_of()) == "a"
    assert not end.exists()


def timers() -> list[threading.Timer]:
    """Return those that have yet to do something."""
    found = [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
    return [timer for timer in found if not timer.finished.is_set()]


def test_a_child_that_is_done_ends_by_itself_and_nothing_waits_for_it_any_more(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    end = f"import time; sys.stdin.read(); time.sleep(0.2); open({str(tmp_path / 'end')!r}, 'w')"
    monkeypatch.setattr(worker_process, "_PROGRAM", f"{answering('str()')}; {end}")
    monkeypatch.setattr(worker_process, "GRACE", 60)
    run, before = run_of(), timers()
    with contextlib.closing(TemplateProcess(run)) as process:
        process.render("", name="t", notes=Notes({}))
        (own,) = (timer for timer in timers() if timer not in before)
        assert own.daemon
    assert (tmp_path / "end").exists()
    assert timers() == before


@pytest.mark.usefixtures("signals")
def test_a_child_that_is_left_while_it_renders_is_ended_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Stopped(Exception):
        """A run is stopped by a signal."""

    def stop(*_: object) -> None:
        raise Stopped

    end = f"open({str(tmp_path / 'end')!r}, 'w')"
    asked = f"sys.stdin.readline(); sys.stdin.readline(); os.kill({os.getpid()}, signal.SIGTERM)"
    begun = f"import os, signal, sys; {asked}; sys.stdin.read(); {end}"
    monkeypatch.setattr(worker_process, "_PROGRAM", begun)
    signal.signal(signal.SIGTERM, stop)
    with pytest.raises(Stopped):
        rendered(run_of())
    assert not (tmp_path / "end").exists()


def test_an_answer_after_the_end_of_the_runs_time_comes_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = StandingClock()
    run = run_of(clock=clock, deadline=Deadline(clock, seconds=5))
    clock.wait(10)
    monkeypatch.setattr(worker_process, "_PROGRAM", answering("''"))
    with pytest.raises(OutOfTime):
        rendered(run)


def test_a_template_is_rendered_by_an_interpreter_of_its_own() -> None:
    assert rendered(run_of()) == "1"


def test_where_a_child_hears_no_such_signal_it_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[object] = []
    hurry(called.append, kill=lambda: called.append("kill"))
    monkeypatch.setattr(limits_module, "_OVER", signal.SIGTERM)
    hurry(called.append, kill=lambda: called.append("kill"))
    assert called == [signal.SIGXCPU, "kill"]


# --- the child


@pytest.fixture
def signals() -> Iterator[None]:
    names = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGXCPU)
    before = [(name, signal.getsignal(name)) for name in names]
    yield
    for name, handler in before:
        signal.signal(name, handler)


@pytest.fixture
def unbounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep this process without bounds, as Windows has none."""
    monkeypatch.setattr(limits_module, "_HAS_BOUNDS", False)


REQUEST = {"name": "t", "source": "a", "is_version": False}


def lines(*messages: Mapping[str, object]) -> bytes:
    return b"".join(json.dumps(message).encode() + b"\n" for message in messages)


@pytest.mark.usefixtures("signals", "unbounded")
@pytest.mark.parametrize("sent", [[], [START], [START, REQUEST]], ids=["nothing", "names", "a template"])
def test_a_child_says_nothing_to_a_parent_that_is_gone_before_it_has_begun(
    monkeypatch: pytest.MonkeyPatch, sent: list[Mapping[str, object]]
) -> None:
    """It has read all there is when it begins with the first line, as one does that took long to start."""

    class AtOnce(threading.Thread):
        def start(self) -> None:
            self.run()

    monkeypatch.setattr(worker, "Thread", AtOnce)
    out = io.BytesIO()
    worker.serve(io.BytesIO(lines(*sent)), out)
    assert out.getvalue() == b""


@pytest.mark.usefixtures("signals", "unbounded")
def test_a_child_ends_where_nobody_hears_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[bytes] = []

    class Closed(io.BytesIO):
        def flush(self) -> None:
            heard.append(self.getvalue())
            raise BrokenPipeError

    monkeypatch.setattr(worker, "end_this", lambda: None)  # this process goes on
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as stdin, os.fdopen(writing, "wb", buffering=0) as parent:
        parent.write(lines(START, REQUEST))
        worker.serve(stdin, Closed())
    assert b'"text": "a"' in b"".join(heard)


def module_without(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the module of limits as it is where Python lacks another one."""
    monkeypatch.setitem(sys.modules, name, None)
    spec = importlib.util.spec_from_file_location("limits_elsewhere", limits_module.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "limits_elsewhere", module)
    spec.loader.exec_module(module)
    return module


def test_where_the_system_bounds_nothing_a_child_runs_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = module_without("resource", monkeypatch)
    elsewhere.confine(elsewhere.Limits())
    elsewhere.leave_room_to_speak()


@pytest.mark.usefixtures("signals")
def test_a_signal_that_a_system_lacks_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits_module, "_IGNORED", ("SIGNO",))
    heard: list[object] = []
    limits_module.when_over(heard.append)
    limits_module.end_this()
    assert len(heard) == 1


@pytest.mark.usefixtures("signals")
def test_the_end_of_the_time_is_heard_once_though_the_kernel_and_the_parent_say_it() -> None:
    heard: list[object] = []
    limits_module.when_over(heard.append)
    for _ in range(2):
        limits_module.end_this()
    assert len(heard) == 1


def test_a_limit_is_never_above_the_one_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    asked: list[object] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (5, 5))
    monkeypatch.setattr(resource, "setrlimit", lambda what, limit: asked.append((what, limit)))
    limits_module.confine(Limits())
    assert asked == [
        (resource.RLIMIT_CORE, (0, 0)),
        (resource.RLIMIT_CPU, (5, 5)),
        (resource.RLIMIT_AS, (5, 5)),
    ]
