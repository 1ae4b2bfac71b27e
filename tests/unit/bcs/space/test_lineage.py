from __future__ import annotations

from collections.abc import Iterable, Mapping

from hypothesis import given
from hypothesis import strategies as st
from tests.support.planned import OURS

from bcs_template_set.bcs.answers import TemplateVersion
from bcs_template_set.bcs.space.existing import FROM_NOTHING, VersionRef
from bcs_template_set.bcs.space.lineage import suspects, unmerged
from bcs_template_set.bcs.space.provenance import UPON
from bcs_template_set.bcs.space.unmerged_versions import not_upon


def history(*versions: tuple[str, int]) -> tuple[VersionRef, ...]:
    """Return refs, newest first, from (id, second)."""
    return tuple(VersionRef(id=name, name=f"1.0.{name}", created_at=at) for name, at in versions)


def names(refs: tuple[VersionRef, ...]) -> list[str]:
    return [ref.id for ref in refs]


def test_nothing_is_suspect_where_each_version_was_made_from_the_one_before() -> None:
    assert suspects(history(("c", 30), ("b", 20), ("a", 10)), current="c", bases=("b",)) == ()


def test_a_version_written_between_base_and_current_is_suspect() -> None:
    found = suspects(history(("c", 30), ("b", 20), ("a", 10)), current="c", bases=("a",))
    assert names(found) == ["b"]


def test_a_version_written_after_the_current_one_is_suspect_too() -> None:
    """BCS inserts, then moves the pointer: the one that was inserted first may be current at the end."""
    found = suspects(history(("c", 30), ("b", 20), ("a", 10)), current="b", bases=("a",))
    assert names(found) == ["c"]


def test_versions_stamped_shortly_before_the_base_are_suspect_too() -> None:
    versions = history(("c", 30), ("a", 10), ("b", 10), ("s", 8), ("z", 7))
    assert names(suspects(versions, current="c", bases=("a",))) == ["b", "s"]


def test_what_was_merged_is_not_suspect() -> None:
    found = suspects(history(("c", 30), ("b", 20), ("a", 10)), current="c", bases=("a", "b"))
    assert found == ()


def test_beside_a_version_made_from_nothing_every_other_is_suspect() -> None:
    found = suspects(history(("b", 10), ("a", 10)), current="b", bases=(FROM_NOTHING,))
    assert names(found) == ["a"]
    undated = suspects(history(("b", 0), ("a", 0)), current="b", bases=(FROM_NOTHING,))
    assert names(undated) == ["a"]


def test_since_the_eldest_of_several_bases_there_may_be_suspects() -> None:
    versions = history(("d", 40), ("c", 30), ("b", 20), ("a", 10), ("z", 5))
    assert names(suspects(versions, current="d", bases=("c", "a"))) == ["b"]
    assert names(suspects(versions, current="d", bases=("c", "gone"))) == []
    assert names(suspects(versions, current="d", bases=("c", FROM_NOTHING))) == ["b", "a", "z"]


def test_nothing_can_be_said_without_a_base_or_where_it_is_gone() -> None:
    versions = history(("c", 30), ("b", 20))
    assert suspects(versions, current="c", bases=()) == ()
    assert suspects(versions, current="c", bases=("gone",)) == ()
    assert suspects(versions, current="gone", bases=("b",)) == ()


def test_only_the_youngest_suspects_are_looked_at() -> None:
    many = history(("c", 999), *((f"r{n}", 990 - n) for n in range(80)), ("a", 10))
    found = suspects(many, current="c", bases=("a",))
    assert names(found) == [f"r{n}" for n in range(63)]


def test_an_ancestor_of_the_current_version_is_merged() -> None:
    parents = {"c": ("b",), "b": ("a",), "r": ("a",)}
    assert unmerged(["r", "a", "b"], current="c", parents=parents) == ("r",)


def test_what_an_ancestor_has_merged_is_merged() -> None:
    parents = {"d": ("c",), "c": ("b", "r"), "b": ("a",), "r": ("a",)}
    assert unmerged(["r"], current="d", parents=parents) == ()


@given(st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdef"), max_size=3)))
def test_whatever_the_graph_it_ends_and_the_current_version_is_never_a_rival_of_itself(
    parents: dict[str, list[str]],
) -> None:
    found = unmerged(list("abcdef"), current="a", parents=parents)
    assert "a" not in found
    assert unmerged(found, current="a", parents=parents) == found


# --- whether one version has become part of another -----------------------------------------------------


def part(
    version_id: str, current: str, made_from: Mapping[str, tuple[str, ...]], *, by_hand: str = ""
) -> tuple[bool, list[str]]:
    """Tell it, and which versions were read for it; `a` is what all of this was planned against."""
    asked: list[str] = []

    def read(ids: Iterable[str]) -> dict[str, TemplateVersion]:
        asked.extend(ids)
        lines = {id_: OURS.line("x", bases=made_from.get(id_, ())) for id_ in asked if id_ != by_hand}
        return {id_: TemplateVersion(id_, id_, "x", description=lines.get(id_, "")) for id_ in asked}

    left = not_upon([version_id], current, read=read, goes_on=lambda found: found != "a")
    return not left, asked


def test_a_version_is_part_of_what_was_made_from_it_directly_or_over_others() -> None:
    assert part("b", "b", {}) == (True, [])
    assert part("b", "c", {"c": ("a", "b")}) == (True, ["c"])
    assert part("b", "d", {"d": ("c",), "c": ("a", "b")}) == (True, ["d", "c"])


def test_what_was_merged_is_not_looked_into() -> None:
    assert part("b", "d", {"d": ("a", "c"), "c": ("a", "b")}) == (False, ["d"])


def test_beyond_a_version_that_names_all_that_may_have_hidden_others_nothing_is_read() -> None:
    assert part("b", "d", {"d": ("c", f"{UPON}c"), "c": ("a", "b")}) == (False, ["d"])


def test_nothing_is_read_beyond_what_was_known_before() -> None:
    assert part("b", "c", {"c": ("a", FROM_NOTHING)}) == (False, ["c"])
    assert part("b", "c", {"c": (FROM_NOTHING,)}) == (False, ["c"])
    assert part("b", "d", {"d": ("c",)}, by_hand="c") == (False, ["d", "c"])
    assert part("b", "d", {"d": ("c",)}) == (False, ["d", "c"])


def test_so_many_are_read_and_no_more() -> None:
    endless = {f"v{n}": (f"v{n + 1}",) for n in range(32)}
    found, asked = part("b", "v0", endless)
    assert (found, len(asked)) == (False, 16)
