from __future__ import annotations

import json
from dataclasses import replace
from typing import get_args

import pytest
from tests.support import hostile_texts, rollout_scenes, scenes
from tests.support.many_findings import many_findings

from bcs_template_set.agent.output_file import (
    MOST_MESSAGE_UNITS,
    MOST_STRING_UNITS,
    OutputDocument,
    utf16_units,
    valid_document,
)
from bcs_template_set.bcs.space.existing import VersionRef
from bcs_template_set.config.regions import RunAs
from bcs_template_set.manifests import kinds
from bcs_template_set.messages import LANGUAGES, Language, say
from bcs_template_set.messages.errors import InputsInvalid
from bcs_template_set.messages.server_errors import BcsFailed, GatewayFailed
from bcs_template_set.messages.state_words import OUR_WORDS, Result
from bcs_template_set.messages.step_error import Defect, Detail, Told
from bcs_template_set.publish.file_outcome import FileOutcome, WriteEnd
from bcs_template_set.publish.pruning import Orphan, Pruning
from bcs_template_set.publish.take_away import Taken
from bcs_template_set.report.file_states import STATES
from bcs_template_set.report.outcome import Outcome
from bcs_template_set.report.output import (
    OUTPUTS,
    holding_secrets,
    message_of,
    output_of,
    texts_of,
    versions_of,
)
from bcs_template_set.report.rows import counted
from bcs_template_set.report.verdict import context_of, headline, left_texts


class Spilt:
    """Keeps what was too long for an output."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def __call__(self, name: str, text: str) -> str:
        self.texts[name] = text
        return f".bcs-template-set/b-428/{name}.json"


def written(outcome: Outcome, *, spill: Spilt | None = None) -> OutputDocument:
    return output_of(
        outcome,
        report=".bcs-template-set/b-428/report",
        rendered=("/ws/a.yaml",),
        plan=("/ws/plan.json",),
        spill=spill or Spilt(),
        texts=texts_of(outcome),
    )


def text_of(output: OutputDocument, name: str) -> str:
    field = output["data"][name]
    assert field["type"] == "string"
    return field["value"]


def many(count: int) -> Outcome:
    return scenes.outcome_of(
        scenes.plan_of(*(c for n in range(count) for c in scenes.created(f"h{n}.example.com")))
    )


def test_a_published_run_is_a_success_with_every_output() -> None:
    output = written(scenes.published())
    assert (output["status"], output["type"], "errorCode" in output) == ("success", "default", False)
    assert tuple(output["data"]) == OUTPUTS
    assert output["data"]["report"] == {
        "type": "report",
        "reportType": "INTERNAL",
        "label": "BCS template set",
        "path": ".bcs-template-set/b-428/report",
        "target": "index.html",
    }
    assert text_of(output, "result") == "published"
    assert text_of(output, "changed") == "true"
    assert text_of(written(scenes.nothing_to_do()), "changed") == "false"
    assert text_of(output, "version") == scenes.VERSION
    assert text_of(output, "acting_user") == "lisi"
    assert text_of(output, "plan_digest") == "9f86d081884c7d659a2feaa0c55ad015"


def test_routes_are_a_list_of_host_and_path_as_short_as_json_can_be() -> None:
    routes = text_of(written(scenes.published()), "routes")
    assert routes == '["a.example.com/","b.example.com/new","c.example.com/","d.example.com/"]'


def test_versions_name_what_was_written_and_what_was_there_before() -> None:
    versions = json.loads(text_of(written(scenes.published()), "versions"))
    assert versions["b.example.com.deployment.yaml"] == {
        "id": "71" * 12,
        "version": scenes.VERSION,
        "previous_id": "5e" * 12,
        "previous_version": "1.0.427-feature-login",
        "domain": "b.example.com",
        "state": "published",
        "images": [[scenes.OLD, scenes.NEW]],
        "seconds": 0.6,
    }
    assert versions["a.example.com.routes.yaml"]["previous_id"] == ""
    assert versions["c.example.com.routes.yaml"]["version"] == "1.0.390-feature-login"


def test_versions_tell_of_each_file_its_routes_and_how_it_ended_and_nothing_empty() -> None:
    versions = json.loads(text_of(written(scenes.published()), "versions"))
    routes = versions["b.example.com.routes.yaml"]
    assert (routes["routes_added"], routes["routes_removed"]) == (
        ["b.example.com/new"],
        ["b.example.com/old"],
    )
    assert "images" not in routes
    assert versions["c.example.com.routes.yaml"] == {
        "id": "3c" * 12,
        "version": "1.0.390-feature-login",
        "previous_id": "3c" * 12,
        "previous_version": "1.0.390-feature-login",
        "domain": "c.example.com",
        "state": "unchanged",
    }


def test_after_a_deployment_versions_tell_what_became_of_each_file_in_the_cluster() -> None:
    scene = rollout_scenes.image_not_found()
    versions = json.loads(text_of(written(scene.outcome), "versions"))
    assert {name: entry["state"] for name, entry in versions.items()} == {
        "a.example.com.deployment.yaml": "ready",
        "a.example.com.routes.yaml": "deployed",
        "b.example.com.deployment.yaml": "failed",
        "b.example.com.routes.yaml": "deployed",
        "c.example.com.deployment.yaml": "live",
        "c.example.com.routes.yaml": "live",
    }
    assert versions["b.example.com.deployment.yaml"]["seconds"] == 3.7


def test_a_file_of_no_domain_has_no_domain_and_its_time_has_two_digits() -> None:
    file = replace(scenes.applied(scenes.change("a.yaml", writes_version=True)), seconds=0.126)
    run = replace(scenes.published(), files=(file,))
    assert versions_of(run)["a.yaml"] == {
        "id": "71" * 12,
        "version": scenes.VERSION,
        "previous_id": "",
        "previous_version": "",
        "state": "published",
        "seconds": 0.13,
    }


def test_what_was_deleted_to_the_end_is_among_the_versions() -> None:
    gone = Orphan(kinds.DEPLOYMENT, "old", "old.yaml", "1.0.7-main")
    run = replace(scenes.nothing_to_do(), taken=Taken(done=(gone,), planned=(gone,)))
    assert versions_of(run)["old.yaml"] == {
        "id": "",
        "version": "",
        "previous_id": "",
        "previous_version": "1.0.7-main",
        "state": "pruned",
    }
    assert len(versions_of(run)) == 5


@pytest.mark.parametrize(
    ("state", "version_id", "held", "told"),
    [
        ("unchanged", "v2", "", ("v2", "2")),
        ("failed", "v2", "", ("", "")),
        ("not-attempted", "", "v1", ("v1", "1")),
        ("not-attempted", "", "v9", ("v9", "")),
    ],
    ids=["written by an earlier try", "written in half", "as planned", "not what it is planned against"],
)
def test_a_version_is_told_of_what_is_surely_there(
    state: WriteEnd, version_id: str, held: str, told: tuple[str, str]
) -> None:
    change = scenes.change("a.yaml", previous=VersionRef(id="v1", name="1"), version_id=held)
    change = replace(change, action="unchanged" if held else "update")
    file = FileOutcome(change, state, version_id=version_id, version="2")
    entry = versions_of(replace(scenes.published(), files=(file,)))["a.yaml"]
    assert (entry["id"], entry["version"], entry["previous_version"]) == (*told, "1")


def test_a_file_that_was_not_written_has_no_version_but_what_is_there() -> None:
    versions = json.loads(text_of(written(scenes.half_published()), "versions"))
    assert versions["a.example.com.routes.yaml"]["version"] == scenes.VERSION
    assert versions["b.example.com.deployment.yaml"]["id"] == ""
    assert versions["b.example.com.deployment.yaml"]["previous_version"] == "1.0.427-feature-login"


def test_a_plan_says_what_is_unchanged_and_no_version_that_does_not_exist() -> None:
    versions = json.loads(text_of(written(scenes.planned()), "versions"))
    assert versions["a.example.com.routes.yaml"]["version"] == ""
    assert versions["c.example.com.routes.yaml"]["id"] == "3c" * 12


def test_what_is_over_4000_units_goes_into_a_file_whole() -> None:
    spill = Spilt()
    output = written(many(240), spill=spill)
    for name in ("versions", "routes"):
        whole = json.loads(spill.texts[name])
        value = json.loads(text_of(output, name))
        assert value == {"file": f".bcs-template-set/b-428/{name}.json", "count": len(whole)}


def test_what_fits_is_not_spilt() -> None:
    spill = Spilt()
    written(scenes.published(), spill=spill)
    assert spill.texts == {}


@pytest.mark.parametrize(("character", "fits"), [("n", 3995), ("名", 3995), ("🎉", 1997)])
def test_the_limit_counts_utf_16_units(character: str, fits: int) -> None:
    for count, spilt in ((fits, set[str]()), (fits + 1, {"routes"})):
        spill = Spilt()
        change = replace(scenes.change("a.yaml"), routes=(scenes.route_of(character * count, "/"),))
        written(scenes.outcome_of(scenes.plan_of(change)), spill=spill)
        assert set(spill.texts) == spilt


def test_a_mistake_is_a_failure_with_its_code_type_and_cure() -> None:
    output = written(scenes.no_permission())
    assert (output["status"], output["errorType"], output["errorCode"]) == ("failure", 1, 800210)
    assert output["message"].startswith("Failed (800210): BCS says that lisi has no permission")
    assert "\nWhat to do: Have lisi apply" in output["message"]
    assert "\nNothing was written to BCS.\n" in output["message"]
    assert text_of(output, "result") == "failed"
    assert text_of(output, "acting_user") == "lisi"


def test_a_failure_before_there_is_a_plan_leaves_out_what_is_not_known() -> None:
    for identity, known in ((scenes.IDENTITY, {"acting_user"}), (None, set[str]())):
        run = replace(scenes.no_permission(), identity=identity)
        output = output_of(run, report="", rendered=(), spill=Spilt(), texts=texts_of(run))
        assert set(output["data"]) == {"result", "changed", "version", "summary", *known}


def test_a_server_fault_is_a_third_partys_and_a_defect_is_ours() -> None:
    assert written(scenes.half_published())["errorType"] == 2
    output = written(
        replace(scenes.no_permission(), error=Defect(kind="KeyError", place="publish/plan.py:1"))
    )
    assert (output["status"], output["errorType"], output["errorCode"]) == ("error", 3, 800901)


def test_a_failure_after_writing_says_so() -> None:
    output = written(scenes.half_published())
    assert text_of(output, "changed") == "true"
    assert "2 of 4 files are published and stay" in output["message"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_long_message_is_shortened_but_its_cure_is_whole(language: Language) -> None:
    error = InputsInvalid(details=[f"mistake {n} " + "x" * 200 for n in range(80)])
    message = message_of(replace(scenes.no_permission(), language=language, error=error))
    assert utf16_units(message) <= MOST_MESSAGE_UNITS
    assert f"{error.cure().render(language)}\n" in message
    assert f"\n- mistake 2 {'x' * 200}\n" in message
    assert "x…" not in message
    more = next(n for n in range(80) if f"mistake {n} " not in message)
    assert str(80 - more) in message


def test_the_message_of_many_findings_has_whole_ones_with_their_files_and_counts_the_others() -> None:
    message = message_of(replace(scenes.no_permission(), error=many_findings(300)))
    assert utf16_units(message) <= MOST_MESSAGE_UNITS
    assert (
        "mistakes.\n- a0.yaml:\n  - line 1, Pod/a0 spec: the image i0 has no tag. [image-tag]\n  - line 2, "
        in message
    )
    shown = message.count("has no tag. [image-tag]")
    assert f"\n… and {300 - shown} more.\n" in message
    assert message.count("\nFound: 300 image-tag") == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_message_of_a_refusal_is_whole_without_the_log(language: Language) -> None:
    message = message_of(replace(scenes.no_permission(), language=language))
    for fact in (
        "lisi_app",
        "project_view",
        "https://iam.example.com/apply-custom-perm?id=1",
        "0b54a7f8c3de4d4a9f0c",
    ):
        assert fact in message
    assert "above" not in message
    assert "上面" not in message


def test_as_many_details_are_told_as_there_is_room_for_and_the_others_counted() -> None:
    def told(*details: Detail) -> str:
        return message_of(replace(scenes.no_permission(), error=InputsInvalid(details=details)))

    first, heading = "a" * 1000, Told("report.further", count=0)
    room = MOST_MESSAGE_UNITS - utf16_units(told(first) + "\n") - len("- \n")
    more = len("… and 1 more.\n")
    assert utf16_units(told(first, "b" * room) + "\n") == MOST_MESSAGE_UNITS
    assert "b\nWhat to do" in told(first, "b" * room)
    assert "a\n… and 1 more.\nWhat to do" in told(first, "b" * (room + 1))
    assert "b\n… and 1 more.\nWhat to do" in told(first, "b" * (room - more), "c" * 99)
    assert "a\n… and 2 more.\nWhat to do" in told(first, "b" * (room - more + 1), "c" * 99)
    assert "b\nWhat to do" in told(first, "b" * (room - more), heading), "a heading is no detail"


def test_a_run_that_went_well_has_its_headline_and_what_it_leaves_as_its_message() -> None:
    run = scenes.published()
    assert message_of(run) == str(headline(run))
    plan = replace(scenes.USUAL, dropped=("Deployment/old",), rendered_no_more=("old.yaml",))
    leaves = replace(run, plan=plan)
    assert message_of(leaves).split("\n") == [str(headline(run)), *map(str, left_texts(leaves))]
    stays = tuple(say("report.workload_line", object=n, reason="x" * 95) for n in range(10, 22))
    many = replace(run, plan=replace(plan, pruning=Pruning(is_seen=True, stays=stays)))
    assert message_of(many).split("\n")[1:] == [*map(str, stays[:9]), "… and 3 more."]


def test_secrets_are_masked_before_a_message_is_shortened_and_no_half_of_a_mask_stays() -> None:
    def mask(text: str) -> str:
        return text.replace("canary", "***")

    for before in range(40):
        error = BcsFailed(bcs_code=1, message="x" * before + "canary " * 1200)
        message = message_of(replace(scenes.no_permission(), error=error), mask=mask)
        assert "cana" not in message
        assert "…" in message
        assert "*…" not in message
        assert "…*" not in message


def test_outputs_that_hold_a_secret_are_named_and_given_without_it() -> None:
    def mask(text: str) -> str:
        return text.replace("lisi", "***").replace("published", "***")

    run = scenes.published()
    output = output_of(run, report="", rendered=(), spill=Spilt(), texts=texts_of(run), mask=mask)
    assert text_of(output, "acting_user") == "***"
    assert text_of(output, "result") == "published"
    assert json.loads(text_of(output, "versions"))["a.example.com.routes.yaml"]["state"] == "***"
    told = [text.render("en_US") for text in holding_secrets(texts_of(run), lambda text: mask(text) != text)]
    assert [line.split(" ")[2] for line in told] == ["result", "versions", "acting_user"]
    assert "BK-CI may drop it" in told[0]
    assert "with *** in its place" in told[2]


def test_the_words_that_are_never_masked_are_those_that_results_are_told_in() -> None:
    words = {*get_args(Result), *get_args(WriteEnd), *STATES, *get_args(RunAs), "true", "false"}
    assert {*words, "plan", "publish", "deploy"} == OUR_WORDS


@pytest.mark.parametrize("text", hostile_texts.TEXTS)
def test_hostile_text_leaves_valid_json_and_the_limits_and_begins_no_line_of_the_message(text: str) -> None:
    output = written(hostile_texts.run(text * 40))
    json.dumps(output, ensure_ascii=False).encode("utf-8")
    lines = output["message"].split("\n")
    assert lines == output["message"].splitlines()
    assert not any(line.startswith(text[:2]) for line in lines)
    for field in valid_document(output)["data"].values():
        if field["type"] == "string":
            assert utf16_units(field["value"]) <= MOST_STRING_UNITS


def test_a_gateway_message_with_line_breaks_stays_one_line() -> None:
    error = BcsFailed(bcs_code=1, message="a\nb")
    assert "a ⏎ b" in message_of(replace(scenes.no_permission(), error=error))


def test_the_last_request_that_has_an_id_is_named_where_later_ones_have_none() -> None:
    run = replace(scenes.half_published(), error=GatewayFailed(url="u", status=502, message="m"))
    without = replace(run.requests[-1], request_id="", gateway_request_id="")
    told = context_of(replace(run, requests=(*run.requests, without)))
    assert told == context_of(run)
    assert run.requests[-1].request_id in str(told)


def test_a_failed_rollout_is_found_by_the_call_that_deployed_it_and_not_by_its_own_restore() -> None:
    failed = rollout_scenes.image_not_found().outcome
    again = replace(scenes.DEPLOYMENT, request_id="r-6")
    twice = replace(failed, requests=(*failed.requests, again))
    assert "r-5" in str(context_of(failed))
    assert "r-6" in str(context_of(twice)), "of several calls the last"
    restored = rollout_scenes.restored().outcome
    assert "r-5" in str(context_of(replace(restored, requests=(*restored.requests, again))))


def test_a_run_without_files_says_so_in_place_of_counts() -> None:
    assert counted([]).render("en_US") == "no files"
