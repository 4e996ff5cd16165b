"""Which problems are likely the same, which keep coming back, and where things are."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared import duplicates, nearby
from shared.duplicates import DAY

HERE = {"lat": 34.7501, "lng": 113.6202}


def problem(**values: Any) -> dict[str, Any]:
    base = {"category": "sewage", "found_at": 200 * DAY, "state": "registered", "position": HERE,
            "description": "2号楼楼道下水道堵塞，污水外溢"}  # fmt: skip
    return base | values


def east(metres: float) -> dict[str, float]:
    return {"lat": HERE["lat"], "lng": HERE["lng"] + metres / 91_400}


positions = st.fixed_dictionaries({"lat": st.floats(18, 53), "lng": st.floats(74, 134)})


@given(positions, st.floats(-1, 1), st.floats(-1, 1))
def test_what_is_within_50_metres_is_in_a_cell_around(
    here: dict[str, float], north: float, side: float
) -> None:
    there = {"lat": here["lat"] + north * 0.0006, "lng": here["lng"] + side * 0.0009}
    metres = nearby.distance(here, there)
    assert metres is not None
    if metres <= nearby.NEAR_M:
        assert nearby.cell_of(there) in nearby.cells_around(here)


def test_the_same_thing_told_twice_is_likely_a_duplicate() -> None:
    told = problem(description="2号楼下水道又堵了，污水外溢到楼道", position=east(20))
    other_place = problem(position=east(400))
    found = duplicates.likely(
        problem(), [("far", other_place), ("same", told), ("gone", problem(state="merged"))]
    )
    assert [one.id for one in found] == ["same"] and found[0].metres is not None
    assert duplicates.score(problem(), problem(category="lamp")) == 0
    assert duplicates.score(problem(), problem(found_at=100 * DAY)) == 0


def test_one_compound_counts_as_one_place_without_any_position() -> None:
    one = problem(position=None, compound_id="c", target_id=None)
    same = problem(position=None, compound_id="c", description="下水道堵塞，污水外溢")
    assert duplicates.likely(one, [("a", same)])
    assert not duplicates.likely(one, [("a", problem(position=None, compound_id="d"))])


def test_three_in_ninety_days_at_one_place_are_a_recurrence() -> None:
    before = [("a", problem(found_at=150 * DAY, position=east(30), state="closed")),
              ("b", problem(found_at=111 * DAY)), ("c", problem(found_at=109 * DAY)),
              ("d", problem(position=east(60))), ("e", problem(state="rejected"))]  # fmt: skip
    found = duplicates.recurrences(problem(), before)
    assert found == ["a", "b"] and duplicates.is_recurring(found)
    assert not duplicates.is_recurring(["a"])


def test_the_same_place_in_words_counts_where_nothing_better_is_known() -> None:
    one = problem(position=None, target_id=None, place="东门路口")
    same = problem(
        position=None, target_id=None, place="东门路口", description="下水道又堵塞，污水外溢"
    )
    assert duplicates.likely(one, [("a", same)])
    assert not duplicates.likely(one, [("a", {**same, "place": "西门"})])
