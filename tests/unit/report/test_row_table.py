"""The table of a run's rows, from one domain to hundreds: aligned, short, and what needs eyes first."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support import rollout_scenes, scenes

from bcs_template_set.manifests.routes import Route
from bcs_template_set.messages import LANGUAGES, Language
from bcs_template_set.messages.text import ROW_COLUMNS, width
from bcs_template_set.report.outcome import Outcome
from bcs_template_set.report.row_table import ending_table, plan_table, took_text
from bcs_template_set.report.rows import rows_of_outcome, rows_of_plan, version_change
from bcs_template_set.report.shown_limits import LOG_ROWS


def ended(outcome: Outcome, *, language: Language = "en_US") -> list[str]:
    return ending_table(rows_of_outcome(outcome), language=language)


def many(count: int, *, still: int = 0) -> Outcome:
    changes = [c for n in range(count) for c in scenes.updated(f"host-{n:03}.example.com")]
    changes += [c for n in range(still) for c in scenes.unchanged(f"still-{n:03}.example.com")]
    return scenes.outcome_of(scenes.plan_of(*changes))


def test_a_single_row_is_left_to_the_verdict() -> None:
    assert ended(many(1, still=199)) == []


def test_two_rows_are_a_table_with_state_versions_image_routes_and_time() -> None:
    head, first, second, still = ended(scenes.published())
    assert head.split() == ["state", "domain", "or", "file", "version", "image", "routes", "took"]
    assert first.startswith("published  b.example.com   1.0.427…, 1.0.401… -> 1.0.428-feature-login  ")
    assert first.endswith("-/old +/new  0.6 s")
    assert second.startswith("published  a.example.com   1.0.428-feature-login ")
    assert still == "unchanged  2 more domains"


def test_what_failed_is_the_first_row_and_says_why_in_a_word() -> None:
    assert ended(scenes.half_published())[1].startswith("failed (800606)  b.example.com ")
    rolled = ended(rollout_scenes.image_not_found().outcome)
    assert rolled[1].startswith("failed (ErrImagePull)  b.example.com ")
    assert rolled[-1] == "live  1 more domain, live already and left alone"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("changed", "still"), [(2, 1), (5, 195), (200, 0)])
def test_columns_begin_where_their_heads_do_and_no_line_is_too_wide(
    changed: int, still: int, language: Language
) -> None:
    lines = ended(many(changed, still=still), language=language)
    rows = lines[1 : 1 + min(changed, LOG_ROWS)]
    assert len(rows) == min(changed, LOG_ROWS)
    assert len(lines) <= LOG_ROWS + 3
    assert len({row.index("1.0.427") for row in rows}) == 1
    assert len({width(row) for row in rows}) == 1
    assert max(width(line) for line in lines) <= ROW_COLUMNS


def test_of_two_hundred_rows_sixty_are_shown_and_the_others_counted_by_their_state() -> None:
    outcome = many(200)
    files = [replace(file, state="failed", version_id="") for file in outcome.files[:20]]
    lines = ended(replace(outcome, files=(*files, *outcome.files[20:])))
    assert [line.split()[0] for line in lines[1:12]] == ["failed"] * 10 + ["published"]
    assert lines[-1] == "… and 140 more: 140 published. The HTML report shows every row."


def test_a_column_is_left_out_where_no_row_has_anything_in_it_and_a_time_where_it_took_none() -> None:
    done, left = (scenes.change(f"{name}.yaml", writes_version=True) for name in "ab")
    files = (scenes.applied(done), scenes.not_attempted(left))
    head, second, first = ended(replace(scenes.outcome_of(scenes.plan_of(done, left)), files=files))
    assert head.split("  ") == [part for part in head.split("  ") if "image" not in part]
    assert (head.split()[-2:], first.endswith("  0.4 s")) == (["version", "took"], True)
    assert second.endswith(scenes.VERSION)


def test_files_of_no_domain_that_stay_are_counted_as_files() -> None:
    still = scenes.change("still.yaml", action="unchanged")
    lines = plan_table(rows_of_plan(scenes.plan_of(still, *scenes.updated("b"))), language="en_US")
    assert lines[-1] == "unchanged  1 more file"


def test_a_row_has_all_its_images_and_three_routes_of_each_kind() -> None:
    def served(path: str, kind: str) -> Route:
        return scenes.route_of("a.example.com", path)._replace(path_type=kind)

    paths = tuple(("a.example.com", f"/{n}") for n in range(4))
    change = scenes.change(
        "a.yaml",
        domain="a.example.com",
        overwrites=True,
        writes_version=True,
        images=(("", "r/web:1"), ("", "r/job:2")),
        routes_added=paths[:3],
        routes_removed=paths,
        routes_changed=((served("/x", "Prefix"), served("/x", "Exact")),),
    )
    _, row = plan_table(rows_of_plan(scenes.plan_of(change)), language="en_US")
    assert row == (
        f"update  a.example.com   {scenes.VERSION} (content rewritten)  +web:1, +job:2  "
        "-/0 -/1 -/2 -…(1) ~/x Prefix -> Exact +/0 +/1 +/2"
    )


def test_a_long_plan_is_cut_the_same_and_shows_what_loses_a_route_first() -> None:
    changes = [c for n in range(100) for c in scenes.created(f"host-{n:03}.example.com")]
    deployment, routes = scenes.updated("zoo.example.com")
    gone = replace(routes, routes_added=())
    other, _ = scenes.updated("b.example.com")
    plan = scenes.plan_of(*changes, deployment, gone, other)
    lines = plan_table(rows_of_plan(plan), language="en_US")
    assert [line.split()[:2] for line in lines[1:4]] == [
        ["update", "zoo.example.com"],
        ["update", "b.example.com"],
        ["create", "host-000.example.com"],
    ]
    assert lines[-1] == "… and 42 more: 42 create"


def test_files_of_no_domain_are_rows_too() -> None:
    changes = [scenes.change(f"{name}.yaml", writes_version=True) for name in "ab"]
    lines = ended(scenes.outcome_of(scenes.plan_of(*changes)))
    assert [line.split()[:2] for line in lines[1:]] == [["published", "a.yaml"], ["published", "b.yaml"]]


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ((), ("1.0.8-main",), "1.0.8-main"),
        ((), ("1.0.8-" + "m" * 50,), "1.0.8-" + "m" * 50),
        (("1", "2"), ("1", "2"), "1, 2"),
        (("1.0.7-" + "m" * 12,), ("1.0.8-" + "m" * 12,), f"1.0.7-{'m' * 12} -> 1.0.8-{'m' * 12}"),
        (("1.0.7-" + "m" * 13,), ("1.0.8-" + "m" * 12,), f"1.0.7-{'m' * 13} -> 1.0.8-{'m' * 12}"),
        (("1.0.7-" + "m" * 13,), ("1.0.8-" + "m" * 13,), f"1.0.7… -> 1.0.8-{'m' * 13}"),
        (("17-" + "m" * 20, "27-" + "m" * 20), ("7", "8"), f"17-{'m' * 20}, 27-{'m' * 20} -> 7, 8"),
        (("1", "27-" + "m" * 20), ("7-" + "m" * 20,), f"1, 27-{'m' * 20} -> 7-{'m' * 20}"),
        (("17-" + "m" * 20, "27-" + "m" * 20), ("7-" + "m" * 20,), f"17…, 27… -> 7-{'m' * 20}"),
        (
            ("17-" + "m" * 20,),
            ("7-" + "m" * 20, "8-" + "m" * 20),
            f"17… -> 7-{'m' * 20}, 8-{'m' * 20}",
        ),
        (("1.0.7-main",), ("1.0.8-main",), "1.0.7-main -> 1.0.8-main"),
        (("1.0.7-main",), (), ""),
        (
            ("1.0.427-feature-login",),
            ("1.0.428-feature-login",),
            "1.0.427… -> 1.0.428-feature-login",
        ),
        (
            ("1.0.427-feature-login", "3"),
            ("1.0.428-feature-login",),
            "1.0.427-feature-login, 3 -> 1.0.428-feature-login",
        ),
        (
            ("1.0.427-feature-login",),
            ("1.0.428-feature-login", "1.0.428-feature-login.2"),
            "1.0.427-feature-login -> 1.0.428-feature-login, 1.0.428-feature-login.2",
        ),
    ],
)
def test_a_version_change_folds_the_branch_only_where_all_share_it(
    old: tuple[str, ...], new: tuple[str, ...], shown: str
) -> None:
    assert version_change(old, new) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.04, "0.1 s"), (9.94, "9.9 s"), (10.0, "10 s"), (12.4, "12 s"), (601, "601 s")]
)
def test_a_short_time_is_told_to_the_tenth(seconds: float, shown: str) -> None:
    assert took_text(seconds).render("en_US") == shown
