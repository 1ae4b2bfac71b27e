from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcs_template_set.config.inputs import (
    INPUTS,
    KUBE_VERSION,
    NOT_APPROVED,
    Input,
    Settings,
    VerifyUrl,
    approved_inputs,
    read_settings,
    wants_doctor,
    wants_restore,
)
from bcs_template_set.manifests.schema.field_types import field_types
from bcs_template_set.messages import LANGUAGES
from bcs_template_set.messages.errors import InputsInvalid

GOOD = {"region": "gz", "project_code": "web", "template_space": "front-ends"}


def read(**inputs: str) -> Settings:
    return read_settings({**GOOD, **inputs}, regions=("gz", "shanghai"), pipeline_project="pipeline-project")


def complaint(**inputs: str) -> str:
    with pytest.raises(InputsInvalid) as caught:
        read(**inputs)
    return str(caught.value)


def test_what_is_not_given_takes_the_defaults_of_the_contract() -> None:
    settings = read()
    assert settings == Settings(
        action="publish",
        region="gz",
        project_code="web",
        template_space="front-ends",
        template_set="",
        version="1.0.{{ build.number }}-{{ branch.slug }}",
        templates=("builtin:web",),
        values="",
        values_files=(),
        variables="",
        cluster_id="",
        namespace="",
        kube_version="",
        strict=False,
        image_check="auto",
        run_as="authorizer",
        credential="",
        registry_credential="",
        only=(),
        rollback_to="",
        redeploy=False,
        timeout=600,
        fail_fast=True,
        on_failure="keep",
        restore_if_job_fails=False,
        on_newer_build="fail",
        allow_route_removal=False,
        remove_branches=(),
        prune="report",
        prune_limit="",
        prune_also=(),
        keep_versions="",
        overwrite_version=False,
        expect_plan="",
        verify_urls=(),
    )


def test_an_empty_string_is_not_given() -> None:
    assert read(**{known.name: "" for known in INPUTS if known.name not in GOOD}) == read()
    blanks = dict.fromkeys((known.name for known in INPUTS if known.name not in GOOD), " \n")
    assert read(**blanks) == read()


def test_the_project_is_the_pipelines_where_none_is_given() -> None:
    assert read(project_code="").project_code == "pipeline-project"


def test_all_mistakes_are_in_one_message_each_with_name_given_and_accepted() -> None:
    text = complaint(
        action="publsh", region="shanghi", project_code="a b", template_space="a\tb", run_as="me",
        timeout="-1", redeploy="yes", expect_plan="xyz", cluster_id="BCS-K8S-40000", template_set="Web_Set",
    )  # fmt: skip
    for name, wrong in (
        ("action", "publsh"), ("region", "shanghi"), ("project_code", "a b"), ("template_space", "a\tb"),
        ("run_as", "me"), ("timeout", "-1"), ("redeploy", "yes"), ("expect_plan", "xyz"),
        ("template_set", "Web_Set"),
    ):  # fmt: skip
        assert f"{name} is {wrong}; it takes " in text
    assert "namespace is missing" in text


@pytest.mark.parametrize(
    ("name", "given", "near"),
    [
        ("action", "publsh", "publish"),
        ("action", "Deploy", "deploy"),
        ("region", "shanghi", "shanghai"),
        ("run_as", "autorizer", "authorizer"),
        ("on_failure", "restor", "restore"),
        ("on_newer_build", "skipp", "skip"),
    ],
)
def test_a_near_miss_is_suggested(name: str, given: str, near: str) -> None:
    assert f'Did you mean "{near}"?' in complaint(**{name: given})


def test_a_kubernetes_that_the_schema_does_not_know_is_refused_with_those_that_it_knows() -> None:
    known = field_types().versions
    wide = range(known.first - 2, known.last + 3)
    taken = [minor for minor in wide if re.fullmatch(KUBE_VERSION, f"v1.{minor}.3-tke.1")]
    assert taken == [*range(known.first, known.last + 1)]
    between = f"from 1.{known.first} to 1.{known.last}"
    for other in ("abc", "1", "1.2", "1.99", "2.22"):
        assert f"kube_version is {other}; it takes a version of Kubernetes {between}" in complaint(
            kube_version=other
        )


def test_an_unknown_region_names_the_known_ones() -> None:
    assert "one of gz, shanghai" in complaint(region="beijing")


def test_where_no_region_is_set_that_is_said() -> None:
    with pytest.raises(InputsInvalid, match="takes a region of the private settings, which hold none"):
        read_settings({**GOOD, "region": "gz"}, regions=())


def test_kinds_that_may_be_deleted_too_are_known_by_name() -> None:
    kinds = ("ConfigMap", "PersistentVolumeClaim", "Secret", "Service", "Job", "Deployment", "StatefulSet")
    known = ("files", *kinds, "DaemonSet", "CronJob", "Ingress", "HorizontalPodAutoscaler")
    assert read(prune_also="\n".join(known)).prune_also == known
    text = complaint(prune_also="Secrets\nfiles")
    assert "prune_also is Secrets; it takes one of files, ConfigMap" in text
    assert 'Did you mean "Secret"?' in text
    assert "files;" not in text


@pytest.mark.parametrize(
    ("action", "to", "goes_back", "deploys"),
    [
        ("rollback", "5", True, True),
        ("plan", "5", True, False),
        ("plan", "", False, False),
        ("deploy", "5", False, True),
        ("publish", "5", False, False),
    ],
)
def test_who_goes_back_renders_nothing_and_a_rollback_deploys(
    action: str, to: str, *, goes_back: bool, deploys: bool
) -> None:
    settings = read(action=action, rollback_to=to, cluster_id="BCS-K8S-40000", namespace="prod")
    assert (settings.goes_back, settings.deploys) == (goes_back, deploys)


def test_an_examination_is_known_without_reading_any_other_input() -> None:
    known = [wants_doctor({"action": action, "timeout": "x"}) for action in (" doctor\n", "deploy", "")]
    assert known == [True, False, False]


def test_numbers_may_be_as_large_as_is_said_and_what_is_given_is_shown_in_part() -> None:
    assert read(timeout="86400").timeout == 86_400
    assert "timeout is 86401" in complaint(timeout="86401")
    page = "https://a.example.com contains x"
    assert len(read(verify_urls="\n".join([page] * 20)).verify_urls) == 20
    assert "is 21; it takes at most 20 lines" in complaint(verify_urls="\n".join([page] * 21))
    assert "redeploy is yes; it takes one of true, false" in complaint(redeploy="yes")
    assert f"redeploy is {'y' * 80};" in complaint(redeploy="y" * 80)
    assert f"redeploy is {'y' * 80}…;" in complaint(redeploy="y" * 81)


@pytest.mark.parametrize("given", ["", "  "])
def test_an_empty_region_is_the_only_one_and_where_there_are_several_they_are_named(given: str) -> None:
    inputs = {**GOOD, "region": given}
    assert read_settings(inputs, regions=("gz",)).region == "gz"
    assert "region is missing; it takes one of gz, shanghai." in complaint(region=given)


def test_lists_come_as_lines_or_as_json_text() -> None:
    assert read(templates="a.yaml\n\n  b/*.yaml \n").templates == ("a.yaml", "b/*.yaml")
    assert read(templates='["a.yaml", "b.yaml"]').templates == ("a.yaml", "b.yaml")
    assert read(templates='["a.yaml", " "]').templates == ("a.yaml",)
    for text in ("[ab].yaml", "[1]", '{"a": "b"}', '"a"', "1"):
        assert read(templates=text).templates == (text,), "a glob is no JSON, and not all JSON is a list"


def test_verify_urls_are_a_url_and_perhaps_a_text() -> None:
    assert read(verify_urls="https://a.example.com/ contains build 7\nhttp://b.example.com").verify_urls == (
        VerifyUrl("https://a.example.com/", "build 7"),
        VerifyUrl("http://b.example.com", ""),
    )


@pytest.mark.parametrize(
    "line",
    ["ftp://a", "a.example.com", "https://", "https://a contain x", "https://a contains", "https://[a"],
)
def test_a_bad_verify_url_is_a_mistake(line: str) -> None:
    assert "verify_urls" in complaint(verify_urls=line)


def test_a_password_in_a_verify_url_is_masked() -> None:
    text = complaint(verify_urls="https://me:canary@a.example.com/")
    assert "canary" not in text
    assert "***@a.example.com" in text


def test_deploy_needs_cluster_and_namespace() -> None:
    text = complaint(action="deploy")
    assert "cluster_id is missing" in text
    assert "namespace is missing" in text


def test_every_mistake_has_both_languages() -> None:
    checked = [known.name for known in INPUTS if known.kind not in ("yaml", "lines")]
    everything_wrong = dict.fromkeys(checked, "\x00?" * 50)
    with pytest.raises(InputsInvalid) as caught:
        read(**everything_wrong)
    for language in LANGUAGES:
        lines = caught.value.explain(language)
        assert len(lines) >= len(everything_wrong)
    chinese = "\n".join(caught.value.explain("zh_CN"))
    assert re.search(r"action 当前值为", chinese)


@given(st.dictionaries(st.sampled_from([known.name for known in INPUTS]), st.text(max_size=40)))
def test_any_text_is_settings_or_one_error(inputs: dict[str, str]) -> None:
    wrong = not all(inputs.get(name, "").strip() for name in GOOD if name != "region")
    try:
        settings = read_settings(inputs, regions=("gz",))
    except InputsInvalid:
        return
    assert not wrong
    assert settings.region == "gz"


def test_a_page_is_searched_for_a_text_of_bounded_length() -> None:
    line = "https://a.example.com contains " + "x" * 1000
    assert len(read(verify_urls=line).verify_urls[0].contains) == 1000
    assert "verify_urls" in complaint(verify_urls=line + "x")


OTHER: dict[str, object] = {
    "action": "deploy", "run_as": "owner", "on_failure": "restore", "on_newer_build": "skip", "timeout": 1,
    "verify_urls": (VerifyUrl("http://a", ""),),
    **dict.fromkeys(("redeploy", "restore_if_job_fails", "allow_route_removal"), True),
    **dict.fromkeys(("overwrite_version", "strict"), True),
}  # fmt: skip


def _changed(settings: Settings, name: str, value: object) -> Settings:
    changed = replace(settings)
    object.__setattr__(changed, name, value)
    return changed


@pytest.mark.parametrize("known", INPUTS, ids=lambda known: known.name)
def test_every_input_is_approved_with_the_plan_or_said_not_to_decide(known: Input) -> None:
    settings = read()
    old = getattr(settings, known.name)
    new = OTHER.get(known.name, ("x",) if isinstance(old, tuple) else "x")
    assert new != old
    differs = approved_inputs(_changed(settings, known.name, new)) != approved_inputs(settings)
    assert differs is (known.name not in NOT_APPROVED)


def test_an_input_at_its_default_is_no_part_of_an_approval_so_that_a_new_one_changes_none() -> None:
    assert approved_inputs(read()).keys() == GOOD.keys()
    said = {known.name: known.default for known in INPUTS if known.default}
    assert approved_inputs(read(**said)) == approved_inputs(read())


def test_what_an_approval_does_not_hold_fast_are_inputs_with_a_reason() -> None:
    of_checks = {"kube_version", "strict", "image_check", "registry_credential", "keep_versions"}
    assert set(NOT_APPROVED) == {"action", "timeout", "fail_fast", "expect_plan", *of_checks}
    assert set(NOT_APPROVED) <= {known.name for known in INPUTS}
    assert all(NOT_APPROVED.values())


@pytest.mark.parametrize(
    ("given", "wanted"), [("true", True), (" TRUE\n", True), ("false", False), ("", False), ("yes", False)]
)
def test_a_restore_after_a_failed_job_is_read_without_the_other_inputs(given: str, *, wanted: bool) -> None:
    assert wants_restore({"restore_if_job_fails": given, "action": "publsh"}) is wanted
    assert wants_restore({}) is False
