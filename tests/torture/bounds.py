"""How much longer the step's loops take when their input doubles, each with the worst input known for it.

A family is what the step does with text from outside. Twice the size must not take much more than twice the
time: a loop that compares everything with everything takes four times. Measured is the processor's time, the
best of several tries: others use the machine too.
"""

from __future__ import annotations

import gc
import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

from bcs_template_set.agent.masker import Masker
from bcs_template_set.bcs.seen import parse_json
from bcs_template_set.manifests.branch_paths import BRANCHES, claims_json, claims_of
from bcs_template_set.manifests.branch_paths import Claim as BranchClaim
from bcs_template_set.manifests.checks.check_manifests import check_manifests
from bcs_template_set.manifests.document_diff import unified
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.parse import parse_documents, parse_foreign
from bcs_template_set.manifests.parser_words import YamlUnreadable
from bcs_template_set.manifests.routes import Route, routes_of
from bcs_template_set.manifests.templating.bcs_places import Marks, stem_of
from bcs_template_set.manifests.templating.template_notes import Notes
from bcs_template_set.manifests.templating.templates import Templates
from bcs_template_set.manifests.templating.workspace_files import pattern_regex
from bcs_template_set.manifests.yaml_reading import YamlValue, read_yaml
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import LimitExceeded, RouteRemoval
from bcs_template_set.messages.secret import Secret
from bcs_template_set.messages.server_errors import OutOfTime
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.report.html import render_html
from bcs_template_set.report.output import output_of, texts_of
from bcs_template_set.report.page import routes_of as routes_on_page
from bcs_template_set.report.picture import picture_of
from bcs_template_set.report.topology import topology_of
from bcs_template_set.report.verdict import further_obstacles
from bcs_template_set.rollout.cause_rules import rule_for
from bcs_template_set.rollout.live_diff import live_difference
from bcs_template_set.rollout.pods import UNSCHEDULABLE
from tests.support import scenes
from tests.support.scene import site
from tests.support.worker import Worker, finish

MOST_GROWTH = 2.8
"""Between the 2 of what grows as its input does, with what a full cache costs it, and the 4 of its square."""

TRIES = 3
LONG_ENOUGH = 10.0
"""Seconds after which no more tries are made: over so much work, chances even out."""

LEAST_SECONDS = 0.5
"""What takes less at its limit harms nobody, however it grows; and how it grew, chance tells."""

Work = Callable[[], object]
Family = Callable[[int], Work]
"""Makes the worst input of a size; the call that comes back is what is measured."""


def shuffled_comments(size: int) -> Work:
    old = [f"# comment {number}\n" for number in range(size)]
    new = random.Random(size).sample(old, size)  # noqa: S311 - no secret
    before, after = "".join(old), "".join(new)
    return lambda: unified(before, after, title="ConfigMap/x")


def repeated_lines(size: int) -> Work:
    letters = random.Random(size).choices("abcdefghijklmnopqrstuvwxyz", k=2 * size)  # noqa: S311 - no secret
    before, after = "\n".join(letters[:size]), "\n".join(letters[size:])
    return lambda: unified(before, after, title="ConfigMap/x")


def live_objects(size: int) -> Work:
    def body(prefix: str) -> dict[str, YamlValue]:
        data: dict[str, YamlValue] = {f"{prefix}{number}": "x" for number in range(size)}
        entries: list[YamlValue] = [{"name": f"{prefix}{number}"} for number in range(size)]
        return {"kind": "ConfigMap", "metadata": {"name": "x"}, "data": data, "entries": entries}

    return lambda: live_difference(body("a"), body("b"))


def missing_names(size: int) -> Work:
    values = {f"value_number_{number}": 1 for number in range(8 * size)}
    return _mistaken("".join(f"{{{{ value_nomber_{number} }}}}\n" for number in range(size)), values)


def missing_parts(size: int) -> Work:
    values = {f"value_number_{number}": 1 for number in range(8 * size)}
    source = "".join(f"{{{{ values.value_nomber_{number} }}}}\n" for number in range(size))
    return _mistaken(source, {"values": values})


def _mistaken(source: str, context: Mapping[str, object]) -> Work:
    def render() -> object:
        notes = Notes(context)
        templates = Templates(context, notes=notes, marks=Marks(stem_of(context)), read_text=str)
        templates.render(source, name="a.j2")
        return notes.noted()

    return render


def _file(text: str) -> ManifestFile:
    return ManifestFile("a.yaml", text, "a.yaml.j2", parse_documents(text, source="a.yaml"))


def _checked(*files: ManifestFile) -> object:
    return check_manifests(files, template_space="web", template_set=True, namespace="", kube_version="")


def leftover_variables(size: int) -> Work:
    secrets = "".join(f"---\nkind: ConfigMap\nmetadata: {{name: a{n}}}\n" for n in range(size // 20))
    file = _file(
        secrets + "---\nkind: ConfigMap\n" + "".join(f"a{n}: '{{{{ x {n} }}}}'\n" for n in range(size))
    )
    return lambda: _checked(file)


def services_of_one_label(size: int) -> Work:
    pods = "".join(
        f"---\nkind: Pod\nmetadata: {{name: p{n}, labels: {{app: a, one: p{n}}}}}\nspec: {{containers: []}}\n"
        f"---\nkind: Service\nmetadata: {{name: s{n}}}\nspec: {{selector: {{app: a, one: p{n}}}}}\n"
        for n in range(size)
    )
    file = _file(pods)
    return lambda: _checked(file)


def wide_ingress(size: int) -> Work:
    ports = "".join(f"  - {{name: n{n}, port: {n + 1}, targetPort: t{n}}}\n" for n in range(size))
    file = _file(
        "kind: Pod\nmetadata: {name: p, labels: {app: a}}\nspec: {containers: [{name: c}]}\n---\n"
        f"kind: Service\nmetadata: {{name: s}}\nspec:\n  selector: {{app: a}}\n  ports:\n{ports}"
        "---\nkind: Ingress\nmetadata: {name: i}\nspec:\n  tls:\n"
        + "".join(f"  - {{secretName: s, hosts: ['*.h{n}.example.com']}}\n" for n in range(size))
        + "  rules:\n"
        + "".join(
            f"  - {{host: g{n}.example.com, http: {{paths: [{{backend: {{service: {{name: s, "
            f"port: {{name: no{n}}}}}}}}}]}}}}\n"
            for n in range(size)
        )
    )
    return lambda: _checked(file)


def claimed_hosts(size: int) -> Work:
    claims = claims_json(BranchClaim(f"/{n}", f"feature/{n}") for n in range(size))
    rules = "".join(
        f"  - {{host: h{n}, http: {{paths: [{{path: /{n}, backend: "
        "{service: {name: s, port: {number: 1}}}}]}}\n"
        for n in range(size)
    )
    metadata = f"{{name: i, annotations: {{{BRANCHES}: '{claims}'}}}}"
    text = f"kind: Ingress\nmetadata: {metadata}\nspec:\n  rules:\n{rules}"
    documents = parse_foreign(text)
    assert documents
    return lambda: claims_of(documents)


def routes_in_the_report(size: int) -> Work:
    paths = "".join(f"      - {{path: /{n}}}\n" for n in range(size))
    text = f"kind: Ingress\nmetadata: {{name: i}}\nspec:\n  rules:\n  - http:\n      paths:\n{paths}"
    routes = routes_of(parse_documents(text, source=""))
    outcome = scenes.outcome_of(scenes.plan_of(scenes.change("a.yaml", routes=routes)))
    return lambda: routes_on_page(outcome)


def lost_routes(size: int) -> Work:
    lost = [say("plan.route_lost", how="Prefix", host="h", path=f"/{n}", name="a.yaml") for n in range(size)]
    again = tuple(
        say("plan.route_lost", how="Prefix", host="h", path=f"/{n}", name="a.yaml") for n in range(size)
    )
    outcome = replace(scenes.lost_route(), error=RouteRemoval(details=lost))
    assert outcome.plan is not None
    refused = replace(outcome, plan=replace(outcome.plan, lost_routes=again))
    return lambda: further_obstacles(refused)


def half_masked_words(size: int) -> Work:
    masker = Masker()
    masker.add(*(Secret(f"secret-{number}-of-many") for number in range(40)))
    text = "".join(f"secret-{number % 40}-of-man secret-1-of-many {number} " for number in range(size))
    return lambda: masker.mask(text)


def words_of_a_pod(size: int) -> Work:
    message = "persistentvolumeclaim " * size
    return lambda: rule_for(frozenset({UNSCHEDULABLE}), message=message, exit_code=None)


def body_in_punycode(size: int) -> Work:
    body = b"a" * size + b"-" + b"b" * size
    return lambda: parse_json(body, content_type="text/html; charset=punycode")


def page_of_files(size: int) -> Work:
    changes = (change for number in range(size // 2) for change in scenes.created(f"h{number}.example.com"))
    outcome = scenes.outcome_of(scenes.plan_of(*changes))
    return lambda: render_html(outcome)


def page_of_long_differences(size: int) -> Work:
    diff = scenes.CREATE_DIFF + "".join(f"+{number}: b\n" for number in range(230_000))
    changes = (scenes.change(f"{number}.yaml", diff=diff, writes_version=True) for number in range(size))
    outcome = scenes.outcome_of(scenes.plan_of(*changes))
    return lambda: render_html(outcome)


def picture_of_paths(size: int) -> Work:
    ways = tuple(Route(f"h{n % 10}", f"/{n}", f"s{n}", f"i{n}") for n in range(size))
    changes = [scenes.change("a.yaml", routes=ways)]
    return lambda: picture_of(topology_of(changes))


def lists_in_the_output(size: int) -> Work:
    routes = tuple(Route("h", f"/{n}", "s", "i") for n in range(size))
    outcome = scenes.outcome_of(scenes.plan_of(scenes.change("a.yaml", routes=routes)))
    return lambda: output_of(
        outcome, report="", rendered=(), spill=lambda name, _: name, texts=texts_of(outcome)
    )


def names_held_against_a_glob(size: int) -> Work:
    wanted = pattern_regex("**/*a*a*a*a*a*b")
    names = ["/".join(["a" * 250] * 4)] * size
    return lambda: sum(wanted.fullmatch(name) is None for name in names)


def mistake_at_the_end_of_yaml(size: int) -> Work:
    text = "".join(f"key{number}: [1, 'two']\n" for number in range(size)) + "key: [\n"

    def read() -> None:
        with suppress(YamlUnreadable):
            read_yaml(text, source="values.yaml")

    return read


FAMILIES: dict[Family, int] = {
    shuffled_comments: 60_000,
    repeated_lines: 500_000,
    live_objects: 20_000,
    missing_names: 6_500,
    missing_parts: 3_900,
    leftover_variables: 25_000,
    services_of_one_label: 1_250,
    wide_ingress: 5_000,
    claimed_hosts: 5_000,
    routes_in_the_report: 20_000,
    lost_routes: 20_000,
    half_masked_words: 100_000,
    words_of_a_pod: 200_000,
    body_in_punycode: 2_500_000,
    page_of_files: 2_500,
    page_of_long_differences: 30,
    picture_of_paths: 50_000,
    lists_in_the_output: 100_000,
    names_held_against_a_glob: 2_000,
    mistake_at_the_end_of_yaml: 40_000,
}
"""Every family with half of the size that the step's own limits, or those of its servers, let in."""


def seconds_of(work: Work, *, tries: int = TRIES) -> float:
    """Return the best of several tries."""
    best, began = float("inf"), time.process_time()
    gc.disable()  # when it comes, chance decides
    for _ in range(tries):
        before = time.process_time()
        work()
        best = min(best, time.process_time() - before)
        if time.process_time() - began > LONG_ENOUGH:
            break
    gc.enable()
    return best


def calls_of(work: Work) -> int:
    """Return how many functions are called, which is the same each time, whatever each does inside."""
    count = 0

    def note(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def measured(family: Family, size: int) -> tuple[float, float]:
    """Return how many seconds an input of that size takes, and one of twice the size."""
    return seconds_of(family(size)), seconds_of(family(2 * size))


def all_measured() -> Iterator[tuple[str, list[str]]]:
    """Yield every family, told with its seconds, with what is wrong with its growth."""
    for family, size in FAMILIES.items():
        once, twice = measured(family, size)
        name = f"{family.__name__:<22}{2 * size:>9,}  {twice:6.2f} s, {twice / once:4.1f} times its half"
        too_much = twice > LEAST_SECONDS and twice / once > MOST_GROWTH
        yield name, [f"{twice / once:.1f} times the time for twice the input"] if too_much else []


# --- the installed step ---------------------------------------------------------------------------------

MINUTE = 60.0
"""What the worker gives the shortest step."""


def late_verdicts() -> Iterator[str]:
    """Yield what was wrong with runs of the installed step that can't come to their end within a minute."""
    lines = "".join(f"a{n}: b\n" for n in range(180_000))
    manifest = "kind: A\nmetadata: {name: a}\n" + lines
    # The first is ended by the limit of rendering; the second asks no clock, and is stopped by the alarm.
    with TemporaryDirectory() as root, site(Path(root), cold=True) as worker:
        worker.variables["BK_CI_ATOM_TIMEOUT"] = "1"
        for number in range(30):
            (worker.workspace / f"f{number}.yaml").write_text(manifest, encoding="utf-8")
        yield from _late(worker, LimitExceeded, "30 manifests of 2 MiB", templates="*.yaml", values="")
    with TemporaryDirectory() as root, site(Path(root), cold=True) as worker:
        worker.variables["BK_CI_ATOM_TIMEOUT"] = "1"
        (worker.workspace / "values.yaml").write_text(lines, encoding="utf-8")
        yield from _late(worker, OutOfTime, "200 values files of 2 MiB", values_files="values.yaml\n" * 200)


def _late(worker: Worker, wanted: type[StepError], what: str, **inputs: str) -> Iterator[str]:
    """Run the step, print when and how it ended, and yield what was wrong with that."""
    began = time.monotonic()
    process, directory = worker.start(**inputs)
    finished = finish(process, directory, seconds=3 * MINUTE)
    seconds, code = time.monotonic() - began, finished.told["errorCode"]
    print(f"{what}, and one minute: {code} after {seconds:.1f} s", flush=True)
    if seconds > MINUTE or code not in (wanted.code, OutOfTime.code) or str(code) not in finished.log:
        yield f"no verdict in time: {finished.log[-2000:]}"
