"""What a desk prints of itself: the schema of the values, and a script that completes words."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from importlib import resources
from typing import Any

import jsonschema
import pytest

from bcs_template_set.cli.completion import completion_script
from bcs_template_set.cli.main import build_parser, main
from bcs_template_set.cli.verb_schema import schema_of
from bcs_template_set.system.version import step_version

WEB = "builtin:web"
PROGRAM = "bcs-template-set"


def described(node: object, place: str = "") -> Iterator[str]:
    """Yield where a schema describes something."""
    if isinstance(node, dict):
        if isinstance(node.get("description"), str):
            yield place or "/"
        for name, inner in node.items():
            yield from described(inner, f"{place}/{name}")


def texts() -> dict[str, dict[str, str]]:
    folder = resources.files("bcs_template_set.templates")
    found: dict[str, dict[str, str]] = json.loads(folder.joinpath("web/values.zh-CN.json").read_text("utf-8"))
    return found


def without_words(node: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(node, dict):
        return {
            name: without_words(inner) for name, inner in node.items() if name not in ("title", "description")
        }
    return [without_words(inner) for inner in node] if isinstance(node, list) else node


def test_every_description_of_the_schema_has_a_chinese_one_and_none_is_surplus() -> None:
    assert set(described(schema_of(WEB, "en_US"))) == set(texts())
    assert all(set(words) == {"title", "description"} for words in texts().values())
    assert list(described(schema_of(WEB, "zh_CN"))) == list(described(schema_of(WEB, "en_US")))


def test_a_schema_has_its_own_id_and_says_the_same_in_both_languages() -> None:
    english, chinese = schema_of(WEB, "en_US"), schema_of(WEB, "zh_CN")
    assert english["$id"] == chinese["$id"] == "urn:bcs-template-set:values:web:1"
    assert without_words(english) == without_words(chinese)
    assert (english["title"], chinese["title"]) == ("Values of builtin:web", "builtin:web 的 values")
    jsonschema.Draft202012Validator.check_schema(chinese)


def test_the_verb_prints_the_schema_in_the_desks_language(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BK_CI_LOCALE_LANGUAGE", "zh_CN")
    assert main(["schema"]) == 0
    printed = capsys.readouterr().out
    assert json.loads(printed) == schema_of(WEB, "zh_CN")
    assert printed.startswith('{\n  "$')
    assert '"builtin:web 的 values"' in printed
    assert printed.endswith("}\n")


def completed(*words: str) -> set[str]:
    """Return what bash offers for the last word."""
    options = {verb: parser.long_options() for verb, parser in build_parser().verbs.items()}
    script = completion_script(PROGRAM, options)
    line = " ".join(f"'{word}'" for word in (PROGRAM, *words))
    typed = f"COMP_WORDS=({line}); COMP_CWORD={len(words)}; _bcs_template_set"
    ask = f"{script}\n{typed}; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    done = subprocess.run(["bash", "-c", ask], check=True, capture_output=True, text=True, cwd="/")
    return set(done.stdout.split())


def test_bash_completes_verbs_and_their_options() -> None:
    assert completed("ch") == {"check"}
    assert completed("check", "--kube") == {"--kube-version"}
    assert completed("plan", "--kube") == set()
    assert "--settings" in completed("doctor", "--")


def test_the_verb_prints_the_script(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion"]) == 0
    assert f"complete -o filenames -F _bcs_template_set {PROGRAM}" in capsys.readouterr().out


def test_the_verb_less_option_prints_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"{PROGRAM} {step_version()}\n"
