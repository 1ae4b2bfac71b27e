"""Texts of people who want the reader's browser, eyes or worker, in every place a text can come from.

What the log must never hold is said in `agent/log_text.py`; here the installed step is run as the worker
runs it, its stdout is read as bytes, its page is opened in a browser, and BCS's store is looked into.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcs_template_set.agent.log import Log
from bcs_template_set.messages import LANGUAGES, Language
from bcs_template_set.report.html import render_html
from tests.emulator import Behaviour, Emulator
from tests.emulator.faults import Fault
from tests.support import hostile_texts
from tests.support.browser import CHROMIUM, dom
from tests.support.draws import WHOLE, examples, swept
from tests.support.pages import Page, structure, without_policy
from tests.support.publishing import CREATE_FILE, CREATE_VERSION, SPACE, USER, routes
from tests.support.warm_start import run_program
from tests.support.worker import Worker

CLUSTER, NAMESPACE = "BCS-K8S-40000", "prod"
IMAGE = "example.com/web:1"
MARKERS = ("##[group]", "##[info]", "##[debug]", "##[warning]", "##[error]", "##[command]")
TAKE = "document.documentElement.dataset.taken=1"
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
COMMANDS = (
    "::set-variable name=taken::1",
    '"::set-variable name=taken::1"',
    "\t ::set-output name=taken::1",
    "::set-remark taken",
    "::set-error taken",
    "::set-progress-rate 1",
    "\u3000::set-progress-rate 1",
    "\xa0\u2003\u202f::set-progress-rate 1",
    "##[error]taken",
    "##[endgroup]",
    "##[group]taken",
    "##[warning]taken",
    "##subTag##taken##subTag##",
    "oauth2:x@::set-variable name=taken::1 http://oauth2:",
    "[warning]taken",
    "::error file=taken::taken",
)
MARKUP = (
    f"</script><script>{TAKE}</script>",
    f"<!--><img src=x onerror={TAKE}>",
    f'"><svg onload={TAKE}>',
    f"'-({TAKE})-'",
    f"javascript:{TAKE}",
    f"</pre></style><iframe srcdoc='<script>parent.{TAKE}</script>'>",
    "&lt;b&gt;{{ 7*7 }}{% raw %}{0.__class__}%(a)s$(id)`id`",
)
UNSEEN_TEXTS = (
    "\x1b[2J\x1b[31mred\x1b]8;;http://x\x07link\x1b]8;;\x07",
    "\u202egnp.exe\u2066\u200b\u200d\ufeff",
    "a\x00b\x08",
)
ENDS = ("\n", "\r\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029")
ALL = (
    "x" + "".join(end + command for end in ENDS for command in COMMANDS) + "\n".join((*MARKUP, *UNSEEN_TEXTS))
)
LONG = "::set-variable name=taken::1 " * (40_000 if WHOLE else 700)
EVERYTHING = ALL + "\n" + LONG


def is_obeyed(line: str) -> bool:
    """Tell whether bk-ci's worker would take a line for a command or a marker, as we read its code.

    `CommandLineUtils.kt` and `OauthCredentialLineParser.kt` of TencentBlueKing/bk-ci: Kotlin's `trim` is
    Python's `strip`.
    """
    seen = re.sub(r"oauth2:\w+@", "", line, flags=re.ASCII)
    return any(re.match(r'\s*"*\s*(::|##)', text) for text in (line, seen))


# What YAML lets stand in a file as it is; the rest stands there escaped, in double quotes.
IN_YAML = "\n".join(
    re.sub("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\r\u2028\u2029]", "", text) for text in (*COMMANDS, *MARKUP)
)


def manifest() -> str:
    """Return a file whose comments, names and values are all hostile, and which passes every check."""
    comments = "".join(f"# {line}\n" for line in re.split("[\n]", IN_YAML.replace("{", "(")))
    data = json.dumps(ALL.replace("{", "("), ensure_ascii=True)
    return (
        f"{comments}# {LONG}\n"
        "apiVersion: v1\nkind: ConfigMap\n"
        f"metadata:\n  name: texts\n  annotations:\n    note: {data}\ndata:\n  key: {data}\n"
        "  block: |\n"
        "    ::set-variable name=taken::1\n    ##[error]taken\n    \u202eevil\u200b\n"
        f"---\n{routes('www.example.com', '/').replace('example.com/www:1', IMAGE)}"
    )


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    with Emulator() as emulator:
        emulator.state.add_project("web", viewers={USER})
        emulator.state.add_app("lisi_app", "lisi-app-secret", vouches_for={USER})
        emulator.state.add_cluster(CLUSTER, namespaces=(NAMESPACE,))
        app = {"app_code": "lisi_app", "app_secret": "lisi-app-secret", "owner": USER}
        worker = Worker(tmp_path, emulator, {"gz": {"gateway": emulator.url, **app}})
        worker.inputs = {"region": "gz", "template_space": SPACE, "templates": "manifests/*"}
        worker.variables = {
            "BK_CI_PIPELINE_NAME": EVERYTHING,
            "BK_CI_GIT_REF": "refs/heads/" + EVERYTHING,
            "BK_CI_GIT_SHA": EVERYTHING,
            "BK_CI_START_USER_NAME": EVERYTHING,
            "BK_CI_BUILD_URL": f"javascript:{TAKE}//{ALL}",
            "BK_CI_TASK_NAME": EVERYTHING,
        }
        (worker.workspace / "manifests").mkdir()
        yield worker


def add_files(worker: Worker, **files: str) -> dict[str, str]:
    named = {name.replace("_", "."): text for name, text in files.items()}
    for name, text in named.items():
        (worker.workspace / "manifests" / name).write_bytes(text.encode())
    return named


class Ran:
    """A run of the installed step: its stdout as bytes, the output and the page."""

    def __init__(self, worker: Worker, **inputs: str) -> None:
        directory, environ = worker.prepare(**inputs)
        run = run_program((), at=directory, environ=environ, timeout=110)
        assert run.stderr == b""
        self.status = run.returncode
        self.lines = run.stdout.decode("utf-8").split("\n")
        assert self.lines.pop() == ""
        self.output = json.loads((directory / "output.json").read_text(encoding="utf-8"))
        entry = self.output["data"]["report"]
        self.page = (worker.workspace / entry["path"] / entry["target"]).read_text(encoding="utf-8")
        self.log = "\n".join(self.lines)

    def assert_harmless(self) -> None:
        for line in self.lines:
            assert not UNSEEN.search(line), ascii(line[:200])
            assert len(line) <= 16 * 1024
            assert "##subTag##" not in line
            if line.startswith("::set-progress-rate "):
                assert 0 <= float(json.loads(line.partition(" ")[2])) <= 1
            elif line != "##[endgroup]":
                marker = next((known for known in MARKERS if line.startswith(known)), "")
                assert not is_obeyed(line[len(marker) :]), ascii(line[:200])
        assert self.lines.count("##[endgroup]") == sum(line.startswith("##[group]") for line in self.lines)
        assert not UNSEEN.search(self.page)
        assert len(self.page) < 2**20
        assert len(self.log) < 2**20
        page = Page(self.page)
        assert not [name for _, given in page.elements for name in given if name.startswith("on")]
        assert {"iframe", "img", "object", "embed", "base"}.isdisjoint(tag for tag, _ in page.elements)
        assert all((link["href"] or "").startswith(("#", "http://", "https://")) for link in page.all("a"))
        assert "javascript:" not in "".join(str(given) for _, given in page.elements)


def assert_nothing_runs(page: str, *, directory: Path) -> None:
    if not CHROMIUM.exists():
        return
    # Without the policy, too: the escaping alone has to hold.
    for html in (page, without_policy(page)):
        seen = dom(html, directory=directory, width=1280)
        assert "<html" in seen
        assert not re.search(r"<html[^>]*data-taken", seen)
        scripts = re.findall(r"<script", seen)
        assert len(scripts) == page.count("<script")


def test_a_deployment_of_nothing_but_hostile_texts(worker: Worker, tmp_path: Path) -> None:
    """Names of pipeline, branch, people and commit; comments and values; other people's versions; pods."""
    files = add_files(
        worker,
        texts_yaml=manifest(),
        new_yaml=manifest().replace("name: texts", "name: new").replace("www", "new"),
    )
    worker.emulator.state.add_file(
        SPACE,
        "texts.yaml",
        content=f"# {ALL}",
        creator=ALL,
        version="1.0.0",
        version_description=ALL,
        description=ALL,
        tags=[ALL],
    )
    worker.emulator.state.add_file(SPACE, "others.yaml", content=EVERYTHING, creator=ALL, draft=ALL)
    cluster = worker.emulator.cluster(CLUSTER)
    for image in (IMAGE, "example.com/new:1"):
        cluster.images[image] = Behaviour("not-found", message=f"{image}: not found\n{EVERYTHING}")
    variables = {"action": "deploy", "cluster_id": CLUSTER, "namespace": NAMESPACE, "timeout": "60"}
    ran = Ran(worker, **variables)
    assert ran.status == 1
    assert ran.output["errorCode"] == 800506, ran.log[:3000]
    assert "taken" in ran.log, "somebody else's words are shown, not dropped"
    ran.assert_harmless()
    assert_nothing_runs(ran.page, directory=tmp_path)
    for name, text in files.items():
        assert worker.emulator.state.current_content(SPACE, name) == text, "BCS gets what was meant"
    descriptions = [v.description for v in worker.emulator.state.find_versions(SPACE) if v.creator == USER]
    assert len(descriptions) == 2
    assert all(text.isascii() and text.isprintable() for text in descriptions)


ANSWERS: Mapping[str, tuple[int, dict[str, str], object]] = {
    "bcs": (200, {}, {"code": 1, "message": EVERYTHING, "data": None, "requestID": ALL}),
    "permission": (
        200,
        {},
        {
            "code": 40300,
            "message": EVERYTHING,
            "data": {
                "perms": {
                    "apply_url": f"javascript:{TAKE}//{ALL}",
                    "action_list": [{"action_id": EVERYTHING}],
                }
            },
        },
    ),
    "grant": (
        403,
        {"X-Bkapi-Error-Code": "1640301"},
        {"code": 1640301, "code_name": ALL, "message": EVERYTHING},
    ),
    "refusal": (
        403,
        {"X-Bkapi-Error-Code": "1640302"},
        {"code": 1640302, "code_name": ALL, "message": EVERYTHING},
    ),
    "server error": (500, {}, {"error": EVERYTHING, "code": 2, "message": EVERYTHING}),
    "redirect": (302, {"Location": f"javascript:{TAKE}//{MARKUP[0]}{COMMANDS[0]}"}, {}),
    "content type": (200, {"Content-Type": f"text/html{MARKUP[1]}"}, "no JSON"),
}
DRAWN = swept(ANSWERS, sample=2)
IN_THE_BROWSER = DRAWN if WHOLE else []
"""Which answers a browser gets to see on the page; it sees that of a deployment always."""


@pytest.mark.parametrize("answer", DRAWN)
def test_a_server_that_says_nothing_but_hostile_texts(worker: Worker, tmp_path: Path, answer: str) -> None:
    status, headers, body = ANSWERS[answer]
    add_files(
        worker,
        texts_yaml=manifest(),
        new_yaml=manifest().replace("name: texts", "name: new").replace("www", "new"),
    )
    worker.emulator.state.add_file(SPACE, "texts.yaml", content=f"# {ALL}", creator=ALL)
    text = json.dumps(body)
    for match in (CREATE_FILE, CREATE_VERSION):
        worker.emulator.faults.add(
            Fault("answer", match, times=99, status=status, headers=headers, body=text)
        )
    ran = Ran(worker)
    assert ran.status == 1
    assert ran.output["errorCode"] in (800206, 800207, 800208, 800209, 800210, *range(800600, 800700)), (
        ran.output
    )
    ran.assert_harmless()
    if answer in IN_THE_BROWSER:
        assert_nothing_runs(ran.page, directory=tmp_path)


NAMES = (
    "##[error]taken.yaml",
    "'-(document.documentElement.dataset.taken=1)-'.yaml",
    "&lt;img src=x onerror=taken&gt;.yaml",
    "<img src=x onerror=taken>.yaml",
    "::set-variable name=taken::1.yaml",
    "{{ 7*7 }}.yaml",
    "a\nb.yaml",
    "a\x1b[31m.yaml",
    "a\u202eb\u200b.yaml",
    "a\udcffb.yaml",
    "$(id)`id`;id.yaml",
    "-rf.yaml",
)


@pytest.mark.parametrize("name", swept(NAMES, sample=2), ids=ascii)
def test_files_of_hostile_names_are_published_or_refused_and_shown_harmlessly(
    worker: Worker, name: str
) -> None:
    text = routes("www.example.com", "/")
    path = worker.workspace / "manifests" / name
    path.write_text(text, encoding="utf-8")
    ran = Ran(worker)
    assert (ran.status, ran.output["status"]) in ((0, "success"), (1, "failure")), ran.output
    ran.assert_harmless()
    published = {file.name for file in worker.emulator.state.find_files(SPACE)}
    if ran.status == 0:
        assert published == {name}
        assert worker.emulator.state.current_content(SPACE, name) == text
    else:
        assert published == set()
        assert 800300 < ran.output["errorCode"] < 800400


INPUTS = (
    *("region", "template_space", "template_set", "version", "project_code", "run_as", "values", "variables"),
    *("values_files", "templates", "cluster_id", "expect_plan", "verify_urls", "credential", "timeout"),
    *("on_failure", "action", "remove_branches"),
)


@pytest.mark.parametrize("name", swept(INPUTS, sample=3))
def test_inputs_that_are_hostile_are_refused_harmlessly(worker: Worker, name: str) -> None:
    add_files(worker, a_yaml=routes("www.example.com", "/"))
    ran = Ran(worker, **{name: EVERYTHING})
    assert ran.output["status"] == "failure"
    assert ran.output["errorType"] in (1, 2)
    assert len(json.dumps(ran.output)) < 200_000
    ran.assert_harmless()


# --- any text -------------------------------------------------------------------------------------------

_PIECES = st.sampled_from(
    [*COMMANDS, *MARKUP, *UNSEEN_TEXTS, *ENDS, "http://oauth2:", "oauth2:a@", '"', " ", "<", "&"]
)
_TEXTS = st.lists(st.one_of(_PIECES, st.text(max_size=4)), max_size=8).map("".join)


@cache
def structure_of_tame() -> object:
    return structure(Page(render_html(hostile_texts.run("tame"))))


@settings(max_examples=examples(60, sample=15), deadline=None)
@given(text=_TEXTS)
def test_any_text_anywhere_in_a_run_leaves_the_pages_structure_alone(text: str) -> None:
    html = render_html(hostile_texts.run("tame" + text))
    page = Page(html)
    assert structure(page) == structure_of_tame()
    assert not UNSEEN.search(html)
    assert not [
        name for _, given in page.elements for name in given if name.startswith("on") or name == "style"
    ]


@settings(max_examples=examples(150, sample=60), deadline=None)
@given(texts=st.lists(_TEXTS, min_size=1, max_size=4), data=st.data())
def test_any_sequence_of_log_calls_prints_lines_that_no_worker_obeys(
    texts: list[str], data: st.DataObject
) -> None:
    stream = io.StringIO()
    log = Log(stream, "en_US")
    for text in texts:
        kind = data.draw(st.sampled_from(["plain", "info", "warning", "error", "foreign", "group_start"]))
        getattr(log, kind)(text)
    log.group_end()
    for line in stream.getvalue().split("\n"):
        assert not UNSEEN.search(line)
        assert "##subTag##" not in line
        if line != "##[endgroup]":
            marker = next((known for known in MARKERS if line.startswith(known)), "")
            assert not is_obeyed(line[len(marker) :])


def test_the_process_has_the_locale_of_a_machine_that_knows_no_utf8(worker: Worker) -> None:
    """As on a build machine without a locale, where Python could write ASCII only."""
    add_files(worker, texts_yaml=manifest())
    worker.environ = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": ""}
    ran = Ran(worker)
    assert ran.status == 0
    ran.assert_harmless()
    assert worker.emulator.state.current_content(SPACE, "texts.yaml") == manifest()


@pytest.mark.parametrize("kind", ["plain", "error", "foreign", "group_start"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_line_is_cut_by_what_is_written_and_not_by_what_was_meant(kind: str, language: Language) -> None:
    """Where stdout knows ASCII only, a character becomes six, and the worker would begin a new line."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", newline="\n")
    getattr(Log(stream, language), kind)("中" * 5000 + "::set-variable name=taken::1" * 500)
    stream.seek(0)
    (line,) = stream.read().splitlines()
    assert len(line) <= 16 * 1024
