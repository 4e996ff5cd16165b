"""What a category says: whether it is urgent, whom to call, which photo comes first."""

from __future__ import annotations

from typing import Any

import pytest

from mobile.core import drafts, photo_queue
from shared import categories

WITHIN_TWO_HOURS = {"limits": {"handle": [2, "urgent_hour"]}}
REPORTED = {
    "category": "road_damage", "description": "路面塌了", "place": "东门", "source": "worker",
    "found_at": 1,
}  # fmt: skip


@pytest.mark.parametrize(
    ("data", "urgent"),
    [
        (WITHIN_TWO_HOURS, True),
        ({"hours": 2, "unit": "urgent_hour"}, True),
        ({"hours": 24, "unit": "urgent_hour"}, False),
        ({"limits": {"handle": [4, "work_hour"]}}, False),
        ({}, False),
        (None, False),
    ],
)
def test_what_must_be_settled_within_hours_is_urgent(
    data: dict[str, Any] | None, urgent: bool
) -> None:
    assert categories.is_urgent(data) is urgent
    assert photo_queue.is_urgent({}, data or {}) is urgent


def test_an_urgent_one_names_its_number_else_its_bodys_else_the_general_one() -> None:
    body = {"phone": "0371-55512345"}
    assert categories.number_to_call({**WITHIN_TWO_HOURS, "call": "119"}, body) == "119"
    assert categories.number_to_call(WITHIN_TWO_HOURS, body) == "0371-55512345"
    assert categories.number_to_call(WITHIN_TWO_HOURS, None) == "110"
    assert categories.number_to_call({"call": "119"}, body) == ""


def test_a_report_lacks_the_photo_from_before_only_where_its_category_asks_for_it() -> None:
    asks = {"needs_before": True}
    assert "photos" in drafts.check_report(REPORTED, asks, ["scene"])
    assert drafts.check_report(REPORTED, asks, ["scene", "before"]) == {}
    assert drafts.check_report(REPORTED, {}, []) == {}
