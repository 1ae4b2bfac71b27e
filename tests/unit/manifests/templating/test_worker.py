"""What the child says, line by line, in this process: nothing bounds it here, and no signal is kept."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, Optional

import pytest

from bcs_template_set.manifests.templating import limits as limits_module
from bcs_template_set.manifests.templating import worker
from bcs_template_set.manifests.templating.bcs_places import Marks
from bcs_template_set.manifests.templating.limits import Limits
from bcs_template_set.manifests.templating.workspace_files import Workspace

START: dict[str, worker.Json] = {
    "limits": {"seconds": 1, "cpu_seconds": 1000, "mebibytes": 2**20},
    "stem": "s",
    "workspace": ".",
    "values": {"v": "x", "build": "hidden"},
    "context": {"build": {"number": 7}},
}


@pytest.fixture(autouse=True)
def _unbounded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(limits_module, "_HAS_BOUNDS", False)
    names = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGXCPU)
    before = [(name, signal.getsignal(name)) for name in names]
    yield
    for name, handler in before:
        signal.signal(name, handler)


def started(workspace: Path) -> worker.Worker:
    return worker.Worker({**START, "workspace": str(workspace)})


def asked(child: worker.Worker, source: str, *, is_version: bool = False) -> dict[str, Any]:
    return child.answer({"name": "t", "source": source, "is_version": is_version})


def in_line(line: int) -> dict[str, object]:
    return {"key": "render.place", "fields": {"template": "t", "line": line}}


def test_a_child_answers_with_the_text_its_names_and_its_comments(tmp_path: Path) -> None:
    (tmp_path / "part").write_text("{# c #}p", encoding="utf-8")
    child = started(tmp_path)
    mark = Marks("s").of_name("A")
    source = "{{ v }}{{ build.number }}{{ bcs('A') }}{% include 'part' %}"
    wanted = {"text": f"x7{mark}p", "variables": ["A"], "notes": []}
    assert asked(child, source) == {**wanted, "left_out": [["part", 1, 1]]}
    assert asked(child, source) == {**wanted, "left_out": []}


def test_a_version_knows_no_values_and_includes_nothing(tmp_path: Path) -> None:
    (tmp_path / "part").write_text("p", encoding="utf-8")
    child = started(tmp_path)
    assert asked(child, "{{ build.number }}", is_version=True)["text"] == "7"
    missing = asked(child, "\n{{ v }}", is_version=True)
    note = {"key": "render.name_missing", "fields": {"name": "v"}}
    assert (missing["text"], missing["notes"]) == (None, [["missing", "t", 2, "v", note]])
    included = asked(child, "{% include 'part' %}", is_version=True)
    note = {"key": "render.include_missing", "fields": {"name": "part"}}
    assert included["notes"] == [["failed", "t", 1, "TemplateNotFound", note]]
    assert asked(child, "{{ v }}")["notes"] == []


def test_a_note_may_hold_sentences_and_lists(tmp_path: Path) -> None:
    (note,) = asked(started(tmp_path), "{{ build.nmber }}")["notes"]
    missing = {"key": "render.part_missing", "fields": {"name": "nmber", "owner": "build"}}
    known = {"key": "render.part_known", "fields": {"mistake": missing, "keys": ["number"]}}
    told = {"key": "settings.did_you_mean", "fields": {"mistake": known, "near": "number"}}
    assert note == ["missing", "t", 1, "nmber", told]


def test_a_limit_is_said_with_its_place(tmp_path: Path) -> None:
    child = started(tmp_path)
    of_range, of_memory = (asked(child, f"\n{{{{ {code} }}}}") for code in ("range(10**9)", "'x' * 10**15"))
    what, most = of_range["limit"]
    assert (what, most) == ({"key": "render.limit_range", "fields": {"place": in_line(2)}}, 100_000)
    what, most = of_memory["limit"]
    assert what == {"key": "render.limit_memory", "fields": {"place": in_line(2)}}
    assert most == {"key": "render.mebibytes", "fields": {"number": 2**20}}


def test_a_child_is_bounded_before_it_reads_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    bounds: list[Limits] = []
    monkeypatch.setattr(worker, "confine", bounds.append)
    worker.Worker(START)
    assert bounds == [Limits(seconds=1, cpu_seconds=1000, mebibytes=2**20)]


def test_a_child_that_has_no_memory_left_gets_what_it_takes_to_say_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said: list[str] = []
    monkeypatch.setattr(worker, "leave_room_to_speak", lambda: said.append("room"))
    asked(started(tmp_path), "{{ 'x' * 10**15 }}")
    assert said == ["room"]


def served(*requests: Mapping[str, object], start: Mapping[str, object] = START) -> list[dict[str, object]]:
    """Return what a child says whose parent sends a request when it has heard of the one before."""
    reading, writing = os.pipe()
    waiting = iter([*requests, None])

    def send(message: Optional[Mapping[str, object]]) -> None:
        if message is None:
            os.close(writing)
        else:
            line = json.dumps(message, ensure_ascii=False)
            os.write(writing, line.encode("utf-8", "surrogatepass") + b"\n")

    class Heard(BytesIO):
        def flush(self) -> None:
            others.extend(thread for thread in threading.enumerate() if thread is not threading.main_thread())
            send(next(waiting))

    others: list[threading.Thread] = []
    out = Heard()
    with os.fdopen(reading, "rb") as stdin:
        send(start)
        send(next(waiting))
        worker.serve(stdin, out)
    assert [thread for thread in others if not thread.daemon] == []  # a child that fails ends all the same
    lines = out.getvalue().split(b"\n")
    return [json.loads(line) for line in lines if line]


def test_a_child_answers_line_by_line_whatever_the_characters() -> None:
    request = {"name": "t", "source": "{{ v }}\u4f60", "is_version": False}
    start = {**START, "values": {"v": "\ud800"}}
    answers = served(request, {**request, "source": "end"}, start=start)
    assert [answer["text"] for answer in answers] == ["\ud800\u4f60", "end"]


def test_a_child_whose_parent_goes_says_where_it_was_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    gone: list[str] = []
    reading, writing = os.pipe()

    def read_text(_workspace: object, path: str) -> str:
        gone.append(path)
        os.close(writing)
        return ""

    monkeypatch.setattr(Workspace, "read_text", read_text)
    loop = "\n{% include 'x' %}{% for a in range(90000) %}{% for b in range(90000) %}{% endfor %}{% endfor %}"
    request = {"name": "t", "source": loop, "is_version": False}
    os.write(writing, b"".join(json.dumps(line).encode() + b"\n" for line in (START, request)))
    out = BytesIO()
    with os.fdopen(reading, "rb") as stdin:
        worker.serve(stdin, out)
    what, most = json.loads(out.getvalue())["limit"]
    assert (gone, what["key"], most) == (
        ["x"],
        "render.limit_time",
        {"key": "render.seconds", "fields": {"number": 1}},
    )
    assert what["fields"] == {"place": in_line(2)}
