"""Categories as rows of a sheet; the shipped set."""

from __future__ import annotations

import pytest

from server.core import category_sheet
from server.core.category_sheet import HEADINGS, Wrong, cells, parsed, shipped, shipped_bodies
from shared import categories

BODIES = {code: code for code, _, _ in shipped_bodies()}


def test_about_sixty_categories_are_shipped_each_whole() -> None:
    second = [one for one in shipped() if one.parent]
    first = {one.code for one in shipped() if not one.parent}
    assert 55 <= len(second) <= 70 and len({one.code for one in shipped()}) == len(shipped())
    for one in second:
        assert one.parent in first and one.data["body"] in BODIES and one.data["places"]
        assert set(one.data["limits"]) == set(categories.STAGES)
        assert all(place in categories.PLACES for place in one.data["places"])
    handling = {one.code: categories.limit(one.data, "handle") for one in second}
    assert handling["emergency_trapped"] == (2, "urgent_hour")
    assert handling["sewage"] == (24, "urgent_hour")
    assert handling["street_lamp"] == (7, "natural_day")
    assert handling["illegal_building"] == (15, "natural_day")


@pytest.mark.parametrize("one", shipped(), ids=lambda one: one.code)
def test_what_is_written_into_a_sheet_is_read_back(one: category_sheet.Category) -> None:
    row = dict(zip(HEADINGS, (str(cell) for cell in cells(one)), strict=True))
    assert parsed(row, BODIES) == one


def row(**more: str) -> dict[str, str]:
    return {"代码": "lamp", "名称": "路灯", "大类": "facilities", **more}


def test_limits_are_read_as_people_write_them() -> None:
    one = parsed(row(处置时限="3工作日", 签收时限="0.5 小时", 派遣时限="2 个工作小时"), BODIES)
    assert one.data["limits"] == {
        "handle": [3, "work_day"], "accept": [0.5, "urgent_hour"], "dispatch": [2, "work_hour"]
    }  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"代码": "Lamp!"}, "小写字母"), ({"代码": ""}, "没有写代码"),
        ({"名称": ""}, "名称"), ({"次序": "x"}, "次序"),
        ({"处置时限": "七天"}, "处置时限"), ({"处置时限": "0 天"}, "处置时限"),
        ({"处置时限": "3 周"}, "处置时限"), ({"责任单位": "某单位"}, "责任单位"),
        ({"适用地点": "天上"}, "适用地点"), ({"整改后照片": "也许"}, "整改后照片"),
    ],
)  # fmt: skip
def test_a_bad_cell_is_named(wrong: dict[str, str], said: str) -> None:
    with pytest.raises(Wrong, match=said):
        parsed(row(**wrong), BODIES)
