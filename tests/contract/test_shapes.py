"""The comparison with recordings finds what is altered, and takes what only looks different."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest

from tests.contract.replay import replay, summarise
from tests.contract.sentences import agree
from tests.contract.shapes import Names, differences
from tests.emulator import Dialect, template_rules
from tests.support.recordings import Asked, Json, read

ID = "0" * 23
UID = "01234567-89ab-cdef-0123-456789abcdef"


def differ(recorded: Json, ours: Json) -> list[str]:
    return list(differences(recorded, ours, names=Names()))


def altered(tree: Json) -> Iterator[Json]:
    """Yield the tree with one leaf altered, for every leaf that is neither replaced nor a stand-in's."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            if key in ("apply_url", "<uid>"):
                continue
            yield {name: item for name, item in tree.items() if name != key}
            yield from ({**tree, key: other} for other in altered(value))
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from ([*tree[:index], other, *tree[index + 1 :]] for other in altered(value))
    elif isinstance(tree, str) and "<" not in tree:
        yield "~" + tree
    elif isinstance(tree, (bool, int)):
        yield 7777 if tree != 7777 else 0


def test_whatever_is_altered_in_a_recorded_answer_is_found() -> None:
    seen = 0
    for asked in read(Dialect.C):
        if not isinstance(asked, Asked) or "<" in str(asked.answer) or not isinstance(asked.answer, dict):
            continue
        if len(str(asked.answer)) > 1500 or differ(asked.answer, copy.deepcopy(asked.answer)):
            continue
        for other in altered(asked.answer):
            assert differ(asked.answer, other), (str(asked), other)
            seen += 1
    assert seen > 1000


def test_a_wrong_emulator_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_rules, "RECORD_NOT_FOUND", "not found")
    found = list(replay(Dialect.C))
    assert "1 of GET /clusterresources/v1/projects/demo/template/…/metadatas" in summarise(found)
    assert {what.asked.answer["message"] for what in found if isinstance(what.asked.answer, dict)} == {
        "record not found"
    }


def test_the_same_id_has_the_same_number() -> None:
    recorded: Json = [{"id": "<id1>"}, {"id": "<id2>"}, {"id": "<id1>"}]
    assert differ(recorded, [{"id": f"{ID}a"}, {"id": f"{ID}b"}, {"id": f"{ID}a"}]) == []
    assert differ(recorded, [{"id": f"{ID}a"}, {"id": f"{ID}b"}, {"id": f"{ID}c"}]) != []
    assert differ(recorded, [{"id": f"{ID}a"}, {"id": f"{ID}a"}, {"id": f"{ID}a"}]) != []


@pytest.mark.parametrize(
    ("recorded", "ours", "same"),
    [
        ("<uid>", UID, True),
        ("<uid>", "web", False),
        ("<time>", 1_700_000_000, True),
        ("<time>", "2026-11-28T01:02:03Z", True),
        ("<time>", "3m5s", True),
        ("<time>", "--", False),
        ("<nodePort>", 31001, True),
        ("<nodePort>", 80, False),
        ("80:<nodePort>/TCP", "80:31001/TCP", True),
        ("80:<nodePort>/TCP", "80/TCP", False),
        ("a\nresourceVersion: <n>\n", 'a\nresourceVersion: "17"\n', True),
        ("a\nresourceVersion: <n>\n", "a\n", False),
        ("web-<pod>", "web-7645c7b975-xv2lz", True),
        ("web-7645c7b975", "web-5ccfb5d8d7", True),
        ("web-7645c7b975", "web", False),
        ("first <x>", "first <y>", False),
        (True, 1, False),
        (0, False, False),
    ],
)
def test_a_shape_is_what_the_readme_says(recorded: Json, ours: Json, *, same: bool) -> None:
    assert (differ(recorded, ours) == []) is same


def test_a_hash_stands_for_the_same_hash() -> None:
    recorded: Json = ["web-7645c7b975", "web-5ccfb5d8d7"]
    assert differ(recorded, ["web-bbbbbbbb2", "web-bbbbbbbb4"]) == []
    assert differ(recorded, ["web-bbbbbbbb2", "web-bbbbbbbb2"]) != []


def test_pods_stand_in_no_order_and_other_objects_do() -> None:
    def shown(kind: str, *names: str) -> Json:
        return {"kind": kind, "items": [{"name": name} for name in names]}

    assert differ(shown("PodList", "a", "b"), shown("PodList", "b", "a")) == []
    assert differ(shown("PodList", "a", "b"), shown("PodList", "b", "b")) != []
    assert differ(shown("JobList", "a", "b"), shown("JobList", "b", "a")) != []


def test_of_summaries_by_uid_the_recorded_one_is_among_ours() -> None:
    assert differ({"<uid>": {"a": 1}}, {UID: {"a": 2}, "other": {"a": 1}}) == []
    assert differ({"<uid>": {"a": 1}}, {UID: {"a": 2}}) != []
    assert differ({"<uid>": {"a": 1}}, {}) != []


INVALID = 'ConfigMap "B" is invalid: metadata.name: Invalid value: "B": a lowercase RFC 1123 subdomain'
DECODED = (
    'ConfigMap in version "v1" cannot be handled as a ConfigMap: v1.ConfigMap.Data: ReadString: expects "'
)


@pytest.mark.parametrize(
    ("recorded", "ours", "same"),
    [
        ("版本已存在", "版本已存在", True),
        ("版本已存在", "版本存在", False),
        ("40300: no a permission; no b permission", "40300: no b permission; no a permission", True),
        ("40300: no a permission; no b permission", "40300: no b permission", False),
        (INVALID, 'ConfigMap "B" is invalid: metadata.name: whatever', True),
        (INVALID, 'ConfigMap "C" is invalid: metadata.name: whatever', False),
        (INVALID, 'ConfigMap "B" is invalid: metadata.labels: whatever', False),
        (INVALID, "whatever", False),
        (DECODED, DECODED[:-9] + "found t", True),
        (DECODED, DECODED.replace("Data: Read", "Labels: Read"), False),
        ("yaml: line 1: did not find expected node content", "yaml: line 1: whatever", True),
        ("yaml: line 1: did not find expected node content", "yaml: line 2: whatever", False),
        ("json: unsupported value: +Inf", "json: unsupported value: inf", True),
        ("x: code: 1, requestID: <requestID>", "x: code: 1, requestID: abc", True),
        ("x: code: 1, requestID: <requestID>", "x: code: 2, requestID: abc", False),
    ],
)
def test_bcss_own_sentences_are_compared_letter_by_letter(recorded: str, ours: str, *, same: bool) -> None:
    assert agree(recorded, ours) is same
