"""The agent's files and the private settings, garbled in every way: a code, a name, a cure, nothing sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.scene import APP_SECRET, check_refused, run_changed, run_here, site
from tests.support.worker import Worker

from bcs_template_set.report.output import message_of

CANARY = "canary-in-a-garbled-file"
Change = Callable[[Path], object]


def rewrite(name: str, content: bytes) -> Change:
    return lambda directory: (directory / name).write_bytes(content)


def remove(name: str) -> Change:
    return lambda directory: (directory / name).unlink()


def set_input(**values: object) -> Change:
    def change(directory: Path) -> None:
        path = directory / "input.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **values}))

    return change


def make_directory(name: str) -> Change:
    def change(directory: Path) -> None:
        (directory / name).unlink()
        (directory / name).mkdir()

    return change


UNUSABLE = {
    "input.json": [
        (remove("input.json"), "does not exist"),
        (make_directory("input.json"), "irectory"),
        (rewrite("input.json", b""), "empty"),
        (rewrite("input.json", b'{"region": "gz", "x": "' + CANARY.encode()), "not JSON"),
        (rewrite("input.json", f'["{CANARY}"]'.encode()), "a list"),
        (rewrite("input.json", CANARY.encode("utf-16")), "UTF-8"),
        (rewrite("input.json", b"[" * 100_000), "nested"),
        (set_input(region=7), "region"),
        (set_input(region=["gz"]), "region"),
        (set_input(templates=None), "templates"),
        (set_input(bkSensitiveConfInfo=[CANARY]), "bkSensitiveConfInfo"),
        (set_input(bkSensitiveConfInfo={"regions": {"gz": CANARY}}), "regions"),
    ],
    ".sdk.json": [
        (remove(".sdk.json"), "does not exist"),
        (rewrite(".sdk.json", b""), "empty"),
        (rewrite(".sdk.json", b'{"secretKey": "' + CANARY.encode()), "not JSON"),
        (rewrite(".sdk.json", f'["{CANARY}"]'.encode()), "a list"),
        (rewrite(".sdk.json", f'{{"secretKey": "{CANARY}"}}'.encode()), "agentId"),
    ],
}
CODES = {"input.json": 800101, ".sdk.json": 800104}


@pytest.mark.parametrize(
    ("name", "change", "word"), [(name, *row) for name, rows in UNUSABLE.items() for row in rows]
)
def test_an_unusable_file_of_the_agent_is_named_and_not_shown(
    tmp_path: Path, name: str, change: Change, word: str
) -> None:
    with site(tmp_path) as worker:
        finished = run_changed(worker, change)
        check_refused(finished, CODES[name], name, word, "What to do: ")
        assert f"Failed ({CODES[name]}): " in finished.log
        assert CANARY not in finished.log + json.dumps(finished.told)
        assert worker.emulator.to_gateway() == []


@pytest.mark.parametrize(("name", "value"), [("BK_CI_BUILD_NUM", "seven"), ("BK_CI_ATOM_TIMEOUT", "soon")])
def test_a_number_of_the_build_that_is_none_is_named(tmp_path: Path, name: str, value: str) -> None:
    with site(tmp_path) as worker:
        worker.variables[name] = value
        check_refused(worker.run(), 800101, name, "What to do: ")
        assert worker.emulator.to_gateway() == []


def private(text: str) -> Change:
    return set_input(bkSensitiveConfInfo={"regions": text})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["regions"]),
        ("[]", ["table of region names"]),
        ("gz", ["table of region names"]),
        ("{}", ["table of region names"]),
        (f"gz: {{gateway: {CANARY}", ["line 1, column 5"]),
        (f"gz:\n\tapp_secret: {CANARY}", ["line 2"]),
        (f"gz: 1\ngz: {CANARY}", ["gz"]),
        ("gz:", ["regions.gz must be"]),
        ("gz: {app_code: a}", ["regions.gz.gateway is missing", "regions.gz.app_secret is missing"]),
        ("gz: {gatway: https://a.example.com}", ["regions.gz.gatway", 'Did you mean "gateway"?']),
        (
            f"gz: {{gateway: 'ftp://x', concurrency: 0, app_code: 7, app_secret: [{CANARY}], verbose: true}}",
            ["regions.gz.gateway", "regions.gz.concurrency", "app_code", "app_secret", "regions.gz.verbose"],
        ),
        ("gz: {gateway: 'https://a.example.com', users: {lisi: {app_code: x}}}", ["users.lisi.app_secret"]),
    ],
)
def test_mistaken_private_settings_are_all_named_by_region_and_key(
    tmp_path: Path, text: str, words: list[str]
) -> None:
    with site(tmp_path) as worker:
        worker.regions = {}
        finished = run_changed(worker, private(text))
        check_refused(finished, 800103, *words, "What to do: ")
        assert CANARY not in finished.log + json.dumps(finished.told)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"region": "gz_tets"}, ["region is gz_tets; ", "gz, gz_test", 'Did you mean "gz_test"?']),
        ({"region": "moon"}, ["region is moon; ", "gz, gz_test"]),
        ({"region": ""}, ["region is missing", "gz, gz_test"]),
        ({"action": "publsh"}, ["action is publsh; ", 'Did you mean "publish"?']),
    ],
)
def test_a_near_miss_is_answered_with_the_known_name(
    tmp_path: Path, given: dict[str, str], words: list[str]
) -> None:
    with site(tmp_path) as worker:
        worker.regions = {"gz": worker.regions["gz"], "gz_test": worker.regions["gz"]}
        lived = run_here(worker, **given)
        assert lived.code == 800102
        for word in words:
            assert word in lived.log


WRONG = {
    "action": "publsh",
    "region": "gx",
    "project_code": "no such project!",
    "template_space": "a" * 65,
    "run_as": "me",
    "timeout": "ten",
    "redeploy": "yes please",
    "expect_plan": "xyz",
    "verify_urls": "https://user:pass-canary@example.com",
    "namespace": "Web",
}


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en_US", ("The inputs have mistakes", "Did you mean", "What to do: ")),
        ("zh_CN", ("输入有误", "是否想填“publish”", "怎么办：")),
    ],
)
def test_all_mistakes_of_the_form_are_in_one_message(
    tmp_path: Path, language: str, words: tuple[str, ...]
) -> None:
    with site(tmp_path) as worker:
        worker.variables = {"BK_CI_LOCALE_LANGUAGE": language}
        finished = worker.run(**WRONG)
        check_refused(finished, 800102, *words, *WRONG)
        assert "pass-canary" not in finished.log + json.dumps(finished.told)
        assert worker.emulator.to_gateway() == []
        assert all(name in finished.told["message"] for name in ("action", "region"))


def test_an_early_failure_speaks_the_platforms_language_too(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        worker.variables = {"BK_CI_LOCALE_LANGUAGE": "zh_CN"}
        finished = run_changed(worker, rewrite("input.json", b"{"))
        check_refused(finished, 800101, "无法读取构建机写入的输入文件", "怎么办：")
        assert "不是 JSON" in finished.told["message"]


@pytest.mark.parametrize("version", ["{{ 1 +", "{{ nothing }}", " ", "a" * 65, "{{ '' }}", "a\nb"])
def test_a_version_name_that_can_not_be_is_refused_before_anything_is_sent(
    tmp_path: Path, version: str
) -> None:
    with site(tmp_path) as worker:
        lived = run_here(worker, version=version)
        if version == " ":
            assert lived.code == 0, "a blank input is not given, so the default holds"
            return
        assert 800303 <= lived.code <= 800308, lived.log
        assert "version" in lived.log.lower()
        assert worker.emulator.to_gateway() == []


def test_a_template_set_wants_semver_before_anything_is_sent(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        lived = run_here(worker, template_set="front", version="release-7")
        assert lived.code == 800308
        assert "SemVer" in lived.log
        assert worker.emulator.to_gateway() == []


def test_an_empty_input_is_not_given(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        blank = dict.fromkeys(("action", "run_as", "templates", "version", "timeout", "on_failure"), "")
        assert worker.run(**blank).value("result") == "published"
        assert APP_SECRET not in worker.emulator.to_gateway()[0].path


BOMB = b"a0: &a0 x\n" + b"".join(
    b"a%d: &a%d [%s]\n" % (n, n, b",".join([b"*a%d" % (n - 1)] * 10)) for n in range(1, 12)
)


def mistaken(worker: Worker, **inputs: str) -> str:
    lived = run_here(worker, **inputs)
    assert worker.emulator.to_gateway() == []
    return f"{lived.code}\n{lived.log}"


@pytest.mark.parametrize(
    ("content", "code", "word"),
    [
        (b"- a\n- b\n", 800302, "v.yaml"),
        (b"app: x\n\tdomains: []\n", 800302, ":2:1: "),
        (b"app: x\napp: y\n", 800302, "app"),
        ("app: caf\u00e9\n".encode("latin-1"), 800301, "v.yaml"),
        (b"\x00\x01\x02", 800301, "v.yaml"),
        (b"app: [", 800302, "v.yaml"),
        (BOMB, 800302, "alias"),
    ],
)
def test_a_values_file_that_can_not_be_read_is_named(
    tmp_path: Path, content: bytes, code: int, word: str
) -> None:
    with site(tmp_path) as worker:
        (worker.workspace / "v.yaml").write_bytes(content)
        said = mistaken(worker, values="", values_files="v.yaml")
        assert said.startswith(str(code)), said
        assert word in said
        assert "v.yaml" in said


def test_every_values_file_that_is_missing_is_named_at_once(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        said = mistaken(worker, values="", values_files="one.yaml\ntwo.yaml")
        assert said.startswith("800301"), said
        assert "one.yaml" in said
        assert "two.yaml" in said


def test_every_unusable_template_is_named_at_once(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        place = worker.workspace
        (place / "directory.yaml").mkdir()
        (place / "binary.yaml").write_bytes(b"\x00\xff\xfe")
        (place / "dangling.yaml").symlink_to("gone.yaml")
        (tmp_path / "outside.yaml").write_text("a: 1")
        (place / "leading_out.yaml").symlink_to(tmp_path / "outside.yaml")
        names = ("directory.yaml", "binary.yaml", "dangling.yaml", "../outside.yaml", "leading_out.yaml")
        said = mistaken(worker, templates="\n".join(names))
        assert said.startswith("800301"), said
        for name in names:
            assert name in said


def test_every_missing_name_is_reported_with_file_and_line(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        (worker.workspace / "a.yaml.j2").write_text("kind: {{ one }}\nname: {{ two.three }}\n")
        (worker.workspace / "b.yaml.j2").write_text("\n\nkind: {{ four }}\n")
        said = mistaken(worker, templates="*.yaml.j2", values="")
        assert said.startswith("800304"), said
        for word in ("one", "two", "four", "a.yaml.j2", "b.yaml.j2"):
            assert word in said


def test_one_run_tells_what_is_wrong_with_any_file_and_any_finding_of_the_others(tmp_path: Path) -> None:
    domains = "[{host: a.example.com, image: 'r:1', node_port: 8}, {host: b.example.com, image: R}]"
    with site(tmp_path) as worker:
        (worker.workspace / "v.yaml").write_text(f"app: nginx\ndomains: {domains}\n")
        (worker.workspace / "a.yaml.j2").write_text("kind: {{ one }}\n")
        (worker.workspace / "b.yaml.j2").write_text("kind: {{\n")
        inputs = {"values": "", "values_files": "v.yaml", "templates": "builtin:web\n*.yaml.j2"}
        lived = run_here(worker, **inputs, variables="A: [x]", version="{{ two }}")
        assert worker.emulator.to_gateway() == []
    assert lived.code == 800302
    for said in (lived.log, message_of(lived.outcome)):
        for word in (
            *("variables.A is a ", "v.yaml", "domains[0].node_port is "),
            *("domains[1].image (b.example.com): ", "[image-name]", '"one" has no value', "b.yaml.j2:1: "),
            *('version:1: "two" has no value', "2 missing-name, "),
        ):
            assert word in said, (word, said)
