"""The parsers that torture feeds for minutes: each takes any bytes and asserts what must hold of them.

What a parser is allowed to raise it raises inside; whatever leaves a target is a bug that was found.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import chain
from pathlib import Path
from typing import Any, Optional

import yaml

from bcs_template_set.agent.agent_files import FileProblem, parse_identity, parse_input, parse_object
from bcs_template_set.bcs import answers, deploy_calls, protocol
from bcs_template_set.bcs.calls import Call, JsonValue, Unreadable
from bcs_template_set.bcs.decision import Asked, Success, decide
from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.bcs.marks import Mark
from bcs_template_set.bcs.space.existing import VersionRef
from bcs_template_set.bcs.space.lineage import suspects, unmerged
from bcs_template_set.bcs.space.live_objects import list_rows
from bcs_template_set.bcs.space.live_routes import list_live_ingresses
from bcs_template_set.bcs.space.provenance import content_digest, read_provenance, told
from bcs_template_set.config.bcs_variables import read_variables
from bcs_template_set.config.regions import read_regions, secrets_of
from bcs_template_set.manifests.branch_paths import (
    Claim,
    PathTaken,
    Served,
    claims_json,
    claims_of,
    clashes,
    merge_served,
    read_served,
    serve_branch,
)
from bcs_template_set.manifests.checks.check_manifests import check_manifests
from bcs_template_set.manifests.checks.telling import told_lines
from bcs_template_set.manifests.cut_paths import CannotRemove, without_paths
from bcs_template_set.manifests.document_diff import diff_documents
from bcs_template_set.manifests.kinds import DEPLOYMENT, POD, kind_of
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.masking import masked_pair, masked_text
from bcs_template_set.manifests.naming import normal_path
from bcs_template_set.manifests.parse import Document, parse_documents, parse_foreign
from bcs_template_set.manifests.parser_words import YamlUnreadable
from bcs_template_set.manifests.routes import images_of, node_ports_of, ports_by_service, routes_of
from bcs_template_set.manifests.templating.build_context import make_context
from bcs_template_set.manifests.templating.prepare import Prepared, RenderRequest, prepare
from bcs_template_set.manifests.templating.render import render_routes
from bcs_template_set.manifests.yaml_reading import YamlValue, dump_yaml, read_documents, read_yaml
from bcs_template_set.manifests.yaml_words import MANIFESTS, VALUES, Reading
from bcs_template_set.messages import LANGUAGES, Text
from bcs_template_set.messages.errors import PrivateSettingsInvalid
from bcs_template_set.messages.secret import MASK
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.rollout.pods import problems_of
from bcs_template_set.rollout.watched import status_of
from bcs_template_set.system.clock import SystemClock
from bcs_template_set.system.http_values import HttpAnswer
from tests.fuzz.living import check_named
from tests.fuzz.mutations import Json
from tests.fuzz.seeds import DESCRIPTIONS, LIST, MANIFEST, REGIONS, ROUTES, SMALL, VALUES_TEXT, YAML_TEXTS

CORPUS = Path(__file__).with_name("corpus")
_NAME = re.compile(r"[\w.@-]+")
_SECRET = re.compile(r"SECRET-[0-9]")
HOST = "news.example.com"
BETWEEN = b"\n=====\n"
"""Parts the texts of an input that holds several."""


@dataclass(frozen=True)
class Target:
    """A parser under attack: what to begin from, and what eats it."""

    name: str
    seeds: tuple[bytes, ...]
    eat: Callable[[bytes], None]

    def kept(self) -> list[bytes]:
        """Return the inputs that once broke it, from the corpus."""
        return [path.read_bytes() for path in sorted((CORPUS / self.name).glob("*"))]


def text_of(content: bytes) -> str:
    """Return bytes as the text that a JSON answer may hold."""
    return content.decode("utf-8", "surrogateescape" if content[-1:] == b"\0" else "replace")


def check_told(text: Text) -> None:
    for language in LANGUAGES:
        assert isinstance(text.render(language), str)


# --- YAML -----------------------------------------------------------------------------------------------


def eat_yaml(content: bytes) -> None:
    """Both of PyYAML's parsers say the same of a text; what was read is dumped so that it reads the same."""
    # A byte order mark between documents is space for libyaml, and text for PyYAML's own parser.
    text = text_of(content).replace("\ufeff", "")
    for reading in (VALUES, MANIFESTS):
        first = _documents(text, reading=reading, parser=yaml.CSafeLoader)
        second = _documents(text, reading=reading, parser=yaml.SafeLoader)
        assert first is None or second is None or first == second, (first, second)
        for value in first or ():
            assert read_yaml(dump_yaml(value), source="", reading=reading) == value


def _documents(text: str, *, reading: Reading, parser: Any) -> Optional[list[YamlValue]]:  # noqa: ANN401 - as PyYAML
    try:
        return [value for _, value in read_documents(text, source="t", reading=reading, parser=parser)]
    except YamlUnreadable as exc:
        _check_unreadable(exc)
        return None


def _check_unreadable(exc: YamlUnreadable) -> None:
    assert exc.line >= 1
    assert exc.column >= 1
    check_told(exc.as_text())
    check_told(exc.as_text())


def eat_manifest(content: bytes) -> None:
    """Whatever is YAML can be looked at: checked, masked, compared and searched for routes."""
    text = text_of(content)
    try:
        documents = parse_documents(text, source="t")
    except YamlUnreadable as exc:
        check_told(exc.as_text())
        documents = ()
    foreign = parse_foreign(text) or ()
    for found in (documents, foreign):
        _look_at(found)
    file = ManifestFile("a.yaml", text, "a.yaml.j2", documents)
    findings = check_manifests((file,), template_space="s", template_set=True, namespace="", kube_version="")
    for line in told_lines(findings):
        check_told(line)
    diff_documents(MANIFEST, text, old=parse_documents(MANIFEST, source="m"), new=documents)


def _look_at(documents: Sequence[Document]) -> None:
    routes_of(documents)
    node_ports_of(documents)
    ports_by_service(documents)
    images_of(documents)
    claims_of(documents)
    for document in documents:
        # What a change has moved into metadata, or into the name of a field, is shown by design.
        fields = {name: document.body.get(name) for name in ("metadata", "apiVersion", "type", "immutable")}
        if document.kind == "Secret" and "hunter2" not in str([*document.body, fields]):
            assert "hunter2" not in masked_text(document)
        masked_pair(document, None)
        kind = kind_of(document.api_version, document.kind)
        if kind is not None:
            status_of(kind, document.body, mark=Mark("n", "1"))
            kind.may_be_done(document.body)
        for problem in problems_of(document.body):
            str(problem)


def eat_values(content: bytes) -> None:
    """Variables are texts, or a mistake that is named."""
    try:
        given = read_variables(text_of(content))
    except StepError as exc:
        check_named(exc)
        return
    assert all(isinstance(item, str) for item in chain(given, given.values()))


# --- the agent ------------------------------------------------------------------------------------------


def eat_agent_file(content: bytes) -> None:
    """An agent's file is an object of the kind it should be, or a sentence says what it is."""
    for parse in (parse_input, parse_identity):
        problem = _file_problem(parse, content)
        if problem is not None:
            check_told(problem)


def _file_problem(parse: Callable[[Any], object], content: bytes) -> Optional[Text]:
    try:
        parse(parse_object(content))
    except FileProblem as exc:
        return exc.problem
    return None


def eat_regions(content: bytes) -> None:
    """Private settings are regions, or mistakes that show no secret."""
    text = text_of(content)
    try:
        secrets = secrets_of(read_regions(text).values())
        assert all(repr(secret) == MASK for secret in secrets)
    except PrivateSettingsInvalid as exc:
        check_named(exc)
        for language in LANGUAGES:
            shown = "\n".join(exc.explain(language))
            assert not _SECRET.search(_without_names(shown, text)), shown


def _without_names(shown: str, text: str) -> str:
    """Return what is shown without the names that the text gives regions and users: they are no secrets."""
    try:
        table = read_yaml(text, source="regions")
    except YamlUnreadable:
        return shown
    regions = table if isinstance(table, dict) else {}
    users = [entry.get("users") for entry in regions.values() if isinstance(entry, dict)]
    names = [*regions, *chain.from_iterable(user for user in users if isinstance(user, dict))]
    for name in sorted(filter(_NAME.fullmatch, names), key=len, reverse=True):
        shown = shown.replace(name, "")
    return shown


# --- answers --------------------------------------------------------------------------------------------

PLACE = NamespaceRef("web", "0" * 32, "BCS-K8S-40000", "prod")
ASKED = Asked("GET", "/p", "https://x.example.com/p", writes=False, project="web", user="lisi")
_HEADERS = {"content-type": "application/json"}


@cache
def calls() -> tuple[Call[object], ...]:
    """Return one call of each kind that the step makes."""
    file = answers.TemplateFile("1", "s/a", "1", "2", 0)
    ids = ["5" * 24]
    return (
        protocol.get_project("web"),
        protocol.list_spaces("web", name="s"),
        protocol.create_space("web", name="s"),
        protocol.list_files("web", "1"),
        protocol.get_file("web", "1"),
        protocol.create_file(
            "web",
            space_id="1",
            space="s",
            name="a",
            version="1",
            content="",
            version_description="",
            below_space=False,
        ),
        protocol.update_file("web", file, version="1"),
        protocol.list_space_versions("web", "1"),
        protocol.list_versions("web", "1"),
        protocol.get_version("web", "1"),
        protocol.find_version("web", space="s", name="a", version="1"),
        protocol.create_version("web", template_id="1", version="1", content="", description="", force=False),
        protocol.create_template_set("web", name="s", version="1.0.0", description="", templates=[]),
        protocol.get_chart_version("web", name="s", version="1.0.0"),
        deploy_calls.list_variables(PLACE, version_ids=ids),
        deploy_calls.preview(PLACE, variables={}, version_ids=ids),
        deploy_calls.deploy(PLACE, variables={}, version_ids=ids),
        deploy_calls.get_live(PLACE, kind=DEPLOYMENT, name="web"),
        deploy_calls.list_live(PLACE, kind=POD),
        deploy_calls.list_pods_of(PLACE, kind=DEPLOYMENT, name="web", labels={}),
        list_live_ingresses(PLACE),
        list_rows(PLACE, kind=POD),
    )


def eat_answer(content: bytes) -> None:
    """Every answer to every call is data of its type, or an error that is named."""
    head, _, body = content.partition(BETWEEN)
    status, _, code = text_of(head).partition(" ")
    headers = {**_HEADERS, **({"x-bkapi-error-code": code} if code else {})}
    answer = HttpAnswer(int(status) if status.isascii() and status.isdigit() else 200, headers, body)
    for writes in (False, True):
        verdict = decide(Asked(**{**vars(ASKED), "writes": writes}), answer)
        if not isinstance(verdict, Success):
            check_named(verdict.error)
            continue
        assert all(_problem(call, verdict.data) != "" for call in calls())


def _problem(call: Call[object], data: JsonValue) -> Optional[str]:
    """Return what a call finds wrong with its data, None where nothing is."""
    try:
        call.parse(data)
    except Unreadable as exc:
        return exc.problem
    return None


def _answered(data: Json, *, head: str = "200 ", code: int = 0) -> bytes:
    whole = {"code": code, "message": "m", "requestID": "r", "data": data, "webAnnotations": {"perms": {}}}
    return head.encode() + BETWEEN + json.dumps(whole).encode()


_FILE: Json = {
    "id": "5" * 24,
    "name": "front-ends/a.yaml",
    "realName": "a.yaml",
    "version": "1",
    "versionID": "6" * 24,
    "versionMode": 0,
    "isDraft": False,
    "tags": ["t"],
    "updateAt": 1767225600,
    "resourceType": ["Service"],
}
_VERSION: Json = {
    "id": "6" * 24,
    "version": "1.0.7-main",
    "content": ROUTES,
    "description": DESCRIPTIONS[0],
    "creator": "lisi",
    "createAt": 1767225600,
    "latest": True,
    "templateName": "front-ends/a.yaml",
}
_OBJECT: Json = {
    "manifest": {
        "kind": "Deployment",
        "metadata": {"name": "web", "uid": "u", "generation": 2},
        "items": [{"metadata": {"name": "web", "uid": "u", "annotations": {"a": "b"}}}],
    },
    "manifestExt": {"u": {"rules": [{"host": "h", "path": "/", "serviceName": "s", "pathType": "Prefix"}]}},
}
_ANSWERS: tuple[bytes, ...] = (
    _answered([_FILE]),
    _answered(_FILE),
    _answered([_VERSION]),
    _answered({**_VERSION, "versionList": [{"version": "1", "versionID": "2"}]}),  # type: ignore[dict-item]  # a dict, by its form above
    _answered(_OBJECT),
    _answered({"vars": [{"key": "TAG", "value": "1"}], "items": [{"kind": "Service"}], "error": ""}),
    _answered(
        {"name": "s", "version": "1", "contents": {"s/templates/a.yaml": {"path": "p", "content": "c"}}}
    ),
    _answered({"projectID": "0" * 32, "projectCode": "web", "perms": {"apply_url": "u"}}, code=40300),
    _answered(None, head="400 1640001", code=1640001),
    b"502 1650200" + BETWEEN + b'{"code": 1650200, "message": "connection refused"}',
    b"500 "
    + BETWEEN
    + b'{"error": "e", "code": 2, "message": "ctx validate failed: Username", "details": []}',
)


# --- branches, lineage, provenance ----------------------------------------------------------------------


@cache
def prepared() -> Prepared:
    """Return a run of branch `feature/x` that renders one domain with branch paths."""
    given = {"branch.name": "feature/x", "pipeline.id": "p-1", "build.number": "12"}
    return prepare(
        RenderRequest(
            workspace=Path(),
            templates=("builtin:web",),
            values_text=json.dumps(SMALL),
            values_files=(),
            context=make_context(given),
            clock=SystemClock(),
            by="wangwu",
        )
    )


def eat_routes(content: bytes) -> None:
    """Merge three routes files and serve a branch: no other branch's path is lost, and twice is once."""
    base, ours, theirs = (_served(part) for part in (*content.split(BETWEEN), b"", b"")[:3])
    merged = merge_served(ours, rivals=[(theirs, base)])
    assert merge_served(merged, rivals=[(theirs, base)]) == merged
    assert merge_served(base, rivals=[(theirs, base)]) == theirs
    added = {key for key in _places(theirs) if key not in _places(base)}
    assert _places(ours) - _places(base) | added <= _places(merged)
    _serve(merged)


def _serve(merged: Served) -> None:
    claim = prepared().claim
    serve = partial(
        serve_branch,
        claim=claim,
        names=sorted(merged) or ["i"],
        main_branches=("main",),
        remove=frozenset[str](),
        service="service-nginx-news-example-com",
        port=80,
    )
    owners = clashes(merged, claim, main_branches=("main",), remove=frozenset())
    try:
        served = serve(merged)
    except PathTaken as exc:
        if owners and exc.owners == owners:
            return
        raise
    assert not owners
    assert serve(served) == served
    assert all(
        any(path.claim and path.claim.branch == "feature/x" for path in paths) for paths in served.values()
    )
    others = _claims(merged, but=claim.branch)
    assert others == _claims(served, but=claim.branch), "no other branch's path is lost"


def _served(part: bytes) -> Served:
    return read_served(parse_foreign(text_of(part)) or (), host=HOST)


def _places(served: Served) -> set[tuple[str, object]]:
    return {(name, path.place) for name, paths in served.items() for path in paths}


def _claims(served: Served, *, but: str) -> set[tuple[str, Claim]]:
    return {
        (name, path.claim)
        for name, paths in served.items()
        for path in paths
        if path.claim is not None and path.claim.branch != but
    }


def eat_rendering(content: bytes) -> None:
    """What a routes file serves is what it is read to serve again, once our template has written it."""
    found = _served(content)
    paths = tuple(path for paths in found.values() for path in paths)
    name = f"ingress-{HOST}-0"
    wanted = merge_served({}, rivals=[({name: paths}, {})]) if paths else {}
    if not wanted:
        return
    try:
        (file,) = render_routes(prepared(), {HOST: wanted})
    except StepError as exc:
        check_named(exc)
        return
    again = read_served(parse_documents(file.text, source="r"), host=HOST)
    known = ("Exact", "Prefix")
    assert [(p.path, p.service, p.port, p.claim) for p in again[name]] == [
        (p.path, p.service, p.port, p.claim) for p in wanted[name]
    ]
    assert all(p.path_type == q.path_type for p, q in zip(again[name], wanted[name]) if q.path_type in known)


def eat_removal(content: bytes) -> None:
    """Taking a branch out changes what it served and nothing else, or is refused with a reason."""
    text = text_of(content)
    before = _served(content) if text == text_of(content) else {}
    try:
        after = without_paths(text, host=HOST, branches=frozenset(["dev"]))
    except CannotRemove as exc:
        check_told(exc.reason)
        return
    left = {
        name: tuple(path for path in paths if path.claim is None or path.claim.branch != "dev")
        for name, paths in before.items()
    }
    assert read_served(parse_foreign(after) or (), host=HOST) == {
        n: paths for n, paths in left.items() if paths
    }


def eat_claims(content: bytes) -> None:
    """The annotation of any claims is one line that BCS sees no variable in, and reads back."""
    words = text_of(content).split("\n")
    claims = [
        Claim(f"/{a}", a, b, number, c) for number, (a, b, c) in enumerate(zip(words, words[1:], words[2:]))
    ]
    text = claims_json(claims)
    assert text.isascii()
    assert text.isprintable()
    assert "{{" not in text
    assert "'" not in text
    assert [Claim(**entry) for entry in json.loads(text)] == sorted(claims)
    assert all(normal_path(normal_path(claim.path)) == normal_path(claim.path) for claim in claims)


def eat_description(content: bytes) -> None:
    """A description is one of ours or nobody's; what is read can be written, and reads the same."""
    found = read_provenance(text_of(content))
    if found is None:
        return
    names = (found.pipeline, found.branch, found.commit, found.started_by, found.acting_as, found.link)
    if any("\ud800" <= character <= "\udfff" for name in (*names, *found.bases) for character in name):
        return
    line = found.line("content", bases=found.bases)
    assert line.isprintable() or not all(name.isprintable() for name in (*names, *found.bases))
    assert "<" not in line
    again = read_provenance(line)
    assert again is not None
    assert (again.build, again.sha256) == (found.build, content_digest("content"))
    assert (again.pipeline, again.branch) == (told(found.pipeline), told(found.branch))
    assert again.is_same_build_as(found) == bool(found.pipeline)


def eat_lineage(content: bytes) -> None:
    """Of any history no version is suspect that is current or a base of it, and none is made up."""
    ids = [f"{byte % 16:x}" for byte in content]
    history = [VersionRef(f"v{byte}", f"{byte % 16:x}", byte) for byte in content]
    current, bases = (ids or [""])[0], ids[1:3]
    found = suspects(history, current=current, bases=bases)
    assert not {ref.id for ref in found} & {current, *bases}
    assert set(found) <= set(history)
    parents = {one: ids[at + 1 : at + 3] for at, one in enumerate(ids)}
    left = unmerged([ref.id for ref in found], current=current, parents=parents)
    assert current not in left
    assert set(left) <= {ref.id for ref in found}


_MANY = BETWEEN.join(
    (
        ROUTES.encode(),
        ROUTES.replace("/dev/", "/login/").replace('"dev"', '"login"').encode(),
        ROUTES.replace("Exact", "Prefix").encode(),
    )
)
_TEXTS = tuple(text.encode() for text in (*YAML_TEXTS, MANIFEST, LIST, ROUTES))

TARGETS: tuple[Target, ...] = (
    Target("yaml", _TEXTS, eat_yaml),
    Target("manifest", _TEXTS, eat_manifest),
    Target("variables", (b"A: b\nC: '1'\n", VALUES_TEXT.encode()), eat_values),
    Target("agent-file", (VALUES_TEXT.encode(), b'{"bkSensitiveConfInfo": "{}", "a": "b"}'), eat_agent_file),
    Target("regions", (REGIONS.encode(),), eat_regions),
    Target("answer", _ANSWERS, eat_answer),
    Target("routes", (_MANY, ROUTES.encode()), eat_routes),
    Target("rendering", (ROUTES.encode(),), eat_rendering),
    Target("removal", (ROUTES.encode(), MANIFEST.encode()), eat_removal),
    Target("claims", (b"dev\nfeature/x\np-1\nlisi\n{{ x }}", b"'\n\\\n}}"), eat_claims),
    Target("description", tuple(text.encode() for text in DESCRIPTIONS), eat_description),
    Target("lineage", (bytes(range(20)), b"\x00" * 8, bytes([1, 2, 3, 1, 2, 3])), eat_lineage),
)
