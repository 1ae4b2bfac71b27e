"""What a planned run leaves for the words of a refusal: which part differs, and no value of any."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.planned import OURS, POLICY, A, B, chart, desired, existing, existing_file, version_of

from bcs_template_set.messages.secret import Secret
from bcs_template_set.messages.step_error import MOST_NAMES
from bcs_template_set.publish.make_plan import make_plan
from bcs_template_set.publish.plan import Desired, Plan, holding
from bcs_template_set.run.journal import Journal, Seal, leave_plan, what_differs
from bcs_template_set.system.own_files import OwnFile

SEAL = Seal(("web", "b-1", "p-1", "e-1"), "lisi", Secret("an-app-secret"))
WANTED = replace(desired(("a.yaml", A), ("b.yaml", A)), inputs={"values": "x"})


def journal(workspace: Path, *, task: str = "b-1-e-1", seal: Seal = SEAL) -> Journal:
    return Journal(OwnFile(workspace, f".bcs-template-set/{task}/restore.json"), seal, 1)


def plan_of(wanted: Desired, *, facts: str = "blue") -> Plan:
    there = existing(existing_file("a.yaml", version_of(A)))
    return holding(make_plan(wanted, there, policy=POLICY), {"COLOUR": facts})


def differing(workspace: Path, plan: Plan, *, seal: Seal = SEAL) -> list[str]:
    approved = plan_of(WANTED)
    leave_plan(journal(workspace), approved)
    later = journal(workspace, task="b-1-e-2", seal=seal)
    return [str(text) for text in what_differs(later, plan, approved=approved.digest)]


def test_a_later_task_says_which_part_differs(tmp_path: Path) -> None:
    other = replace(WANTED, files=desired(("a.yaml", B), ("b.yaml", A), ("c.yaml", A)).files)
    other = replace(other, inputs={"values": "y", "redeploy": "True"})
    assert differing(tmp_path, plan_of(other)) == [
        "Files, or the versions that they replace: a.yaml, c.yaml",
        "Inputs: redeploy, values",
    ]
    assert differing(tmp_path, plan_of(WANTED, facts="red")) == [
        "Values that the namespace gives for variables: COLOUR"
    ]
    assert differing(tmp_path, plan_of(WANTED)) == []


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (replace(WANTED, version="2"), "The version's name is another one."),
        (
            replace(WANTED, target=replace(WANTED.target, space="x")),
            "Region, project or folder is another one.",
        ),
        (
            replace(WANTED, target=replace(WANTED.target, template_set="x")),
            "The template set, or what it overwrites, is another one.",
        ),
        (replace(WANTED, provenance=replace(OURS, acting_as="boss")), "The acting user is another one."),
    ],
)
def test_what_has_no_name_is_told_by_its_kind(tmp_path: Path, other: Desired, told: str) -> None:
    assert told in differing(tmp_path, plan_of(other))


def test_every_part_of_the_digest_is_told_of(tmp_path: Path) -> None:
    held = existing(existing_file("a.yaml", version_of(A)))
    with_set = replace(held, chart=chart(**{"a.yaml": B}))
    wanted = desired(("a.yaml", A), template_set="web")
    policy = replace(POLICY, overwrite_version=True)
    approved, other = (make_plan(wanted, there, policy=policy) for there in (held, with_set))
    leave_plan(journal(tmp_path), approved)
    assert approved.digest != other.digest
    assert what_differs(journal(tmp_path), other, approved=approved.digest)


def test_of_many_the_first_are_named_and_the_rest_counted(tmp_path: Path) -> None:
    many = tuple((f"f{number:02}.yaml", A) for number in range(MOST_NAMES + 3))
    (line,) = differing(tmp_path, plan_of(replace(WANTED, files=(*WANTED.files, *desired(*many).files))))
    assert line.endswith("f19.yaml, and 3 more")


def test_another_user_or_nobody_can_tell_nothing(tmp_path: Path) -> None:
    other = replace(SEAL, secret=Secret("another-secret"))
    assert differing(tmp_path, plan_of(desired(("a.yaml", B))), seal=other) == []
    assert what_differs(None, plan_of(WANTED), approved="0" * 32) == []
    assert what_differs(journal(tmp_path), plan_of(WANTED), approved="0" * 32) == []
    leave_plan(None, plan_of(WANTED))


def test_what_somebody_wrote_there_says_nothing(tmp_path: Path) -> None:
    approved = plan_of(WANTED)
    leave_plan(journal(tmp_path), approved)
    (file,) = tmp_path.rglob("plan-*.json")
    assert file == tmp_path / ".bcs-template-set" / f"plan-{approved.digest}.json"
    text = file.read_text(encoding="utf-8")
    other = plan_of(desired(("a.yaml", B)))
    for forged in (
        "",
        "{",
        text.replace("a.yaml", "z.yaml"),
        text.replace('"mark":"', '"mark":"é'),
        text.replace('"mark":"', '"mark":"\\ud800'),
    ):
        file.write_text(forged, encoding="utf-8")
        assert what_differs(journal(tmp_path), other, approved=approved.digest) == []


def test_what_is_too_large_for_a_plan_of_ours_says_nothing(tmp_path: Path) -> None:
    approved, other = plan_of(WANTED), plan_of(desired(("a.yaml", B)))
    leave_plan(journal(tmp_path), approved)
    (file,) = tmp_path.rglob("plan-*.json")
    file.write_text(file.read_text(encoding="utf-8").rjust(10_000_001), encoding="utf-8")
    assert what_differs(journal(tmp_path), other, approved=approved.digest) == []


def test_no_value_stands_there(tmp_path: Path) -> None:
    leave_plan(journal(tmp_path), plan_of(replace(WANTED, inputs={"variables": "PASSWORD: canary"})))
    (file,) = tmp_path.rglob("plan-*.json")
    assert "canary" not in file.read_text(encoding="utf-8")


def test_a_folder_that_can_not_be_written_costs_no_plan(tmp_path: Path) -> None:
    (tmp_path / ".bcs-template-set").write_text("in the way", encoding="utf-8")
    leave_plan(journal(tmp_path), plan_of(WANTED))
