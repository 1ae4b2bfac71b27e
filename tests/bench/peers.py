"""The same documents rendered by Helm and kustomize and held against their schemas by kubeconform.

And the same requests sent by bkapi-client-core.

Each in a process of its own. The documents are compared, so that all have done the same work.
"""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Optional

from bcs_template_set.manifests.yaml_reading import YamlValue, read_documents
from bcs_template_set.system.http_values import HttpRequest
from tests.bench import api, rendering
from tests.bench.peer_tools import KubernetesTools, Unavailable, bkapi_python, kubeconform, kubernetes_tools
from tests.bench.processes import Cost, best_of, cost_of

DOMAINS = 1000
ROUNDS = 5
LONGEST = 45
"""Seconds after which kustomize is stopped."""

RENDERING_HEADINGS = (
    "3,000 documents of 1,000 domains",
    "seconds",
    "of Helm's",
    "CPU seconds",
    "of Helm's",
    "peak MB",
    "aim",
)
REQUESTS_HEADINGS = ("60 files", "requests", "ours", "bkapi-client-core", "ratio")
_CHART = Path(__file__).with_name("helm_chart")
_BKAPI_LOOP = Path(__file__).with_name("bkapi_loop.py")


# --- rendering ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Tool:
    """A program that renders, what it has to reach beside the others, and why it is not here."""

    name: str
    cost: Optional[Cost] = None
    aim: str = ""
    missing: str = ""


def measure_rendering(step: Path) -> list[tuple[str, ...]]:
    """Return a row for each program: what it took; `step` is ours as it is installed."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "values.yaml").write_text(rendering.values(DOMAINS), encoding="utf-8")
        ours = _ours(step, folder)
        try:
            tools = kubernetes_tools()
        except Unavailable as exc:
            costs = best_of(ROUNDS, *ours)
            theirs = [_Tool(name, missing=str(exc)) for name in ("helm template", "kubectl kustomize")]
        else:
            pipe, missing = _pipe(tools, folder)
            *costs, helm, piped = best_of(ROUNDS, *ours, partial(_helm, tools, folder), pipe)
            theirs = [
                _Tool("helm template", helm),
                _Tool("helm template | kubeconform", None if missing else piped, missing=missing),
                _Tool("kubectl kustomize", _kustomize(tools, folder)),
            ]
            _check_same(folder, [theirs[0], theirs[-1]])
    rendered, checked, planned = costs
    shown = [
        _Tool("ours, rendered and parsed", rendered),
        _Tool("ours, with all checks too", checked, aim="less than helm | kubeconform, 60 MB"),
        _Tool("ours, with a plan too", planned, aim="the same"),
    ]
    return [_row(tool, theirs[0].cost) for tool in (*shown, *theirs)]


def _row(tool: _Tool, helm: Optional[Cost]) -> tuple[str, ...]:
    cost = tool.cost
    if cost is None:
        return tool.name, "", "", "", "", "", tool.missing
    if not cost.ended:
        return tool.name, f"> {LONGEST}", "", "", "", f"> {cost.megabytes:.0f}", tool.aim
    return (
        tool.name,
        f"{cost.seconds:.2f}",
        f"{cost.seconds / helm.seconds:.1f}x" if helm is not None else "",
        f"{cost.cpu:.2f}",
        f"{cost.cpu / helm.cpu:.1f}x" if helm is not None else "",
        f"{cost.megabytes:.0f}",
        tool.aim,
    )


def _ours(step: Path, folder: Path) -> list[Callable[[], Cost]]:
    values = ["--values", "values.yaml"]
    return [
        partial(cost_of, [str(step), "render", *values], cwd=folder, output=folder / "ours"),
        partial(cost_of, [str(step), "check", *values], cwd=folder),
        partial(cost_of, rendering.command(DOMAINS, python=str(step.with_name("python")))),
    ]


def _check_same(folder: Path, theirs: Sequence[_Tool]) -> None:
    ours = _objects(folder / "ours")
    assert _objects(folder / "helm") == ours
    if all(tool.cost is not None and tool.cost.ended for tool in theirs):
        assert _objects(folder / "kustomize") == ours


def _helm(tools: KubernetesTools, folder: Path) -> Cost:
    return cost_of(_helm_command(tools, folder), cwd=folder, output=folder / "helm")


def _helm_command(tools: KubernetesTools, folder: Path) -> list[str]:
    return [str(tools.helm), "template", "web", str(_CHART), "--values", str(folder / "values.yaml")]


def _pipe(tools: KubernetesTools, folder: Path) -> tuple[Callable[[], Cost], str]:
    """Return what gives Helm's documents to kubeconform, or why it is not here."""
    try:
        command = f"{shlex.join(_helm_command(tools, folder))} | {shlex.join(kubeconform())}"
    except Unavailable as exc:
        return partial(cost_of, ["true"]), str(exc)

    def run() -> Cost:
        cost = cost_of(["sh", "-c", command], cwd=folder, output=folder / "conform")
        assert f"Valid: {3 * DOMAINS}," in (folder / "conform").read_text(encoding="utf-8")
        return cost

    return run, ""


def _kustomize(tools: KubernetesTools, folder: Path) -> Cost:
    """Give it what it can't make itself: a file for each document, which it reads, checks and orders."""
    base = folder / "base"
    base.mkdir()
    texts = (folder / "ours").read_text(encoding="utf-8").split("---\n")
    names = [f"{number}.yaml" for number, text in enumerate(texts) if "kind:" in text]
    for name in names:
        (base / name).write_text(texts[int(name.partition(".")[0])], encoding="utf-8")
    (base / "kustomization.yaml").write_text(json.dumps({"resources": names}), encoding="utf-8")
    command = [str(tools.kubectl), "kustomize", str(base)]
    return cost_of(command, cwd=folder, output=folder / "kustomize", limit=LONGEST)


def _objects(path: Path) -> dict[str, YamlValue]:
    """Return the objects of a rendered output by kind and name; no annotations are none, as for kustomize."""
    found: dict[str, YamlValue] = {}
    for document in _documents(path.read_text(encoding="utf-8").split("---\n")):
        assert isinstance(document, dict)
        metadata = document["metadata"]
        assert isinstance(metadata, dict)
        if not metadata.get("annotations"):
            metadata.pop("annotations", None)
        found[f"{document['kind']}/{metadata['name']}"] = document
    assert len(found) == 3 * DOMAINS
    return found


def _documents(texts: Iterable[str]) -> Iterable[YamlValue]:
    return (value for text in texts for _, value in read_documents(text, source="") if value is not None)


# --- requests -------------------------------------------------------------------------------------------


def measure_requests() -> list[tuple[str, ...]]:
    """Return a row for a run that changes nothing and one that changes all 60 files."""
    try:
        python = bkapi_python()
    except Unavailable as exc:
        return [("bkapi-client-core", "", "", str(exc), "")]
    with api.site(api.LATENCY) as url:
        api.run(url, tags=[1] * api.FILES, version="1.0.1")
        return [
            _requests_row("unchanged", url, python, tag=1, version="1.0.2"),
            _requests_row("all changed", url, python, tag=2, version="1.0.3"),
        ]


def _requests_row(name: str, url: str, python: Path, *, tag: int, version: str) -> tuple[str, ...]:
    began = perf_counter()
    recording, _ = api.run(url, tags=[tag] * api.FILES, version=version)
    ours = perf_counter() - began
    theirs = _send_by_bkapi(python, recording.sent)
    return name, str(len(recording.sent)), f"{ours:.2f}", f"{theirs:.2f}", f"{theirs / ours:.1f}x"


def _send_by_bkapi(python: Path, sent: Sequence[HttpRequest]) -> float:
    """Let bkapi-client-core send the same requests in a loop to a fresh site; return the seconds."""
    with api.site(api.LATENCY) as url:
        requests = [
            [request.method, api.moved(request.url, url), dict(request.headers), _json_of(request)]
            for request in sent
        ]
        done = subprocess.run(
            [str(python), str(_BKAPI_LOOP)],
            input=json.dumps(requests),
            capture_output=True,
            text=True,
            check=True,
        )
    return float(done.stdout)


def _json_of(request: HttpRequest) -> object:
    return json.loads(request.body) if request.body else None
