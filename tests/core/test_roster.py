"""Rosters as they come: what is read, what is made regular, what is refused and why."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import pytest

from server.core import roster, roster_cells
from server.core.roster import Household, Issue
from server.core.roster_cells import BadCell, Merge
from server.core.roster_columns import find_header

HEADER = ["序号", "姓名", "联系电话", "小区", "楼栋", "单元", "房号", "人口", "重点人群", "备注"]
TITLE = ["大学路街道第一网格住户花名册"]


def read(
    *rows: Sequence[Any], header: Sequence[Any] = HEADER
) -> tuple[list[Household], list[Issue]]:
    found = find_header([(1, TITLE), (2, header)])
    assert found is not None
    households, issues = [], []
    for number, cells in enumerate(rows, start=3):
        household, more = roster.read_row(found, "Sheet1", number, cells)
        issues += more
        if household:
            households.append(household)
    return households, issues


def row(**changed: Any) -> list[Any]:
    cells = {
        "no": 1, "name": "张三", "phone": 13812341234, "compound": "幸福小区", "building": "3号楼",
        "unit": "2单元", "door": 501, "people": 3, "care": None, "note": None,
    }  # fmt: skip
    return list({**cells, **changed}.values())


def test_the_header_is_found_below_a_title_and_blank_rows() -> None:
    rows = [(1, TITLE), (2, []), (3, [None, "填表日期：2024年5月"]), (5, HEADER), (6, row())]
    found = find_header(rows)
    assert found is not None and found.row == 5
    assert found.columns["door"] == (6,)
    assert found.unused == ("序号",)


def test_of_a_header_in_two_rows_the_one_with_the_parts_is_taken() -> None:
    rows = list(
        roster_cells.filled(
            [(1, ["姓名", "电话", "住址", None, None]), (2, [None, None, "楼栋", "单元", "房号"])],
            [Merge(1, 2, 1, 1), Merge(1, 2, 2, 2), Merge(1, 1, 3, 5)],
        )
    )
    found = find_header(rows)
    assert found is not None and found.row == 2
    assert set(found.columns) == {"contact_name", "contact_phone", "building", "unit", "door"}


@pytest.mark.parametrize("header", [["姓名", "电话"], ["甲", "乙"], [], ["地址"]])
def test_a_sheet_that_names_no_door_is_no_roster(header: list[str]) -> None:
    assert find_header([(1, header)]) is None


@pytest.mark.parametrize(
    "text", ["姓 名", "*姓名", "姓名：", "户主(必填)", "联系人【必填】", "户主姓名\n", "Name"]
)
def test_columns_are_matched_by_name_however_they_are_headed(text: str) -> None:
    found = find_header([(1, [text, "房号", "电话"])])
    assert found is not None and found.columns["contact_name"] == (0,)


def test_an_id_number_column_is_never_read() -> None:
    found = find_header([(1, ["姓名", "身份证号", "房号"])])
    assert found is not None
    assert found.forbidden == ("身份证号",)
    assert all(1 not in indices for indices in found.columns.values())


def test_a_tidy_row_becomes_a_household() -> None:
    households, issues = read(row())
    assert issues == []
    assert households == [
        Household(
            "Sheet1", 3, "", "幸福小区", "3号楼", "2单元", "501", "",
            {
                "contact_name": "张三", "contact_phone": "13812341234", "residents_count": 3,
                "risk_level": None, "state": None, "care_groups": [], "note": None,
            },
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        (13812341234, "13812341234"),
        (13812341234.0, "13812341234"),
        ("138 1234 1234", "13812341234"),
        ("138-1234-1234", "13812341234"),
        ("+86 13812341234", "13812341234"),
        ("１３８１２３４１２３４", "13812341234"),
        ("13812341234、13987654321", "13812341234/13987654321"),
        ("13812341234/13812341234", "13812341234"),
        ("0371-66123456", "0371-66123456"),
        ("（0371）66123456", "0371-66123456"),
        (37166123456, "0371-66123456"),
        ("010-12345678", "010-12345678"),
        ("66123456", "66123456"),
        ("无", ""),
        (None, ""),
        (" ", ""),
    ],
)
def test_phones_come_as_text_and_as_numbers(cell: Any, number: str) -> None:
    assert roster_cells.phone(cell) == number


@pytest.mark.parametrize("cell", ["1381234123", 138123412345, "1.38123E+10", "电话", "12345"])
def test_a_phone_of_the_wrong_length_is_told(cell: Any) -> None:
    with pytest.raises(BadCell):
        roster_cells.phone(cell)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (501, "501"),
        (501.0, "501"),
        ("５０１", "501"),
        (" 501 ", "501"),
        ("'501", "501"),
        ("A座\n1", "A座 1"),
    ],
)
def test_numbers_and_full_width_digits_are_the_same_text(cell: Any, text: str) -> None:
    assert roster_cells.clean(cell) == text


def test_a_cell_that_excel_turned_into_a_date_is_told_and_not_guessed() -> None:
    households, issues = read(row(door=datetime.datetime(2024, 3, 2)))
    assert households == []
    assert issues[0].row == 3 and issues[0].bad
    assert "日期" in issues[0].zh and "date" in issues[0].en


@pytest.mark.parametrize(
    ("changed", "zh"),
    [
        ({"door": None}, "没有门牌号"),
        ({"compound": None}, "没有填小区"),
        ({"phone": "1381234"[:6]}, "位数不对"),
        ({"people": "很多"}, "不是数"),
        ({"name": "张" * 61}, "太长"),
        ({"name": "#N/A"}, "公式出错"),
    ],
)
def test_a_bad_row_is_told_with_its_number_and_cause(changed: dict[str, Any], zh: str) -> None:
    households, issues = read(row(), row(**changed))
    assert len(households) == 1
    assert [(i.row, i.bad) for i in issues] == [(4, True)]
    assert zh in issues[0].zh


@pytest.mark.parametrize(
    "cells",
    [
        [],
        [None, None],
        ["", " "],
        ["合计：120户"],
        [None, "制表人：李四"],
        HEADER,
        [7],
        [8, "", None],
    ],
)
def test_rows_that_say_nothing_are_passed_over(cells: list[Any]) -> None:
    assert read(cells) == ([], [])


def test_a_row_with_something_in_no_column_of_ours_is_told() -> None:
    households, issues = read(["三号楼"])
    assert households == [] and [(i.row, i.bad) for i in issues] == [(3, True)]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("幸福小区3号楼2单元501室", ("幸福小区", "3号楼", "2单元", "501")),
        ("幸福小区3栋501", ("幸福小区", "3栋", "", "501")),
        ("大学路12号院5号楼1单元12层1204", ("大学路12号院", "5号楼", "1单元", "1204")),
        ("幸福小区 3-2-501", ("幸福小区", "3", "2", "501")),
        ("铁三街院2号楼3单元东户", ("铁三街院", "2号楼", "3单元", "东户")),
    ],
)
def test_an_address_in_one_cell_is_taken_apart(text: str, parts: tuple[str, ...]) -> None:
    households, issues = read(["张三", text], header=["姓名", "家庭住址"])
    assert issues == []
    one = households[0]
    assert (one.compound, one.building, one.unit, one.door) == parts
    assert one.address == text


def test_an_address_that_cannot_be_taken_apart_identifies_the_door_by_itself() -> None:
    households, _ = read(
        ["张三", "康复中街老院 东头"], ["李四", "康复中街老院东头"], header=["姓名", "住址"]
    )
    assert households[0].key == households[1].key == ("address", "康复中街老院东头")


def test_a_combined_door_is_taken_apart() -> None:
    households, _ = read(["张三", "幸福小区", "3-2-501"], header=["姓名", "小区", "门牌号"])
    one = households[0]
    assert (one.compound, one.building, one.unit, one.door) == ("幸福小区", "3", "2", "501")


@pytest.mark.parametrize(
    ("building", "unit", "door"),
    [
        ("3", "2", "501"),
        (3.0, 2, 501.0),
        ("３号楼", "二单元", "501室"),
        ("三栋", "第2单元", "501户"),
        ("03#", "2门", "501号"),
    ],
)
def test_one_door_has_one_key_however_it_is_spelled(building: Any, unit: Any, door: Any) -> None:
    households, _ = read(row(), row(building=building, unit=unit, door=door))
    assert households[0].key == households[1].key


def test_other_doors_have_other_keys() -> None:
    households, _ = read(
        row(), row(door=502), row(unit="1单元"), row(building="4号楼"), row(compound="和平小区")
    )
    assert len({one.key for one in households}) == 5


def test_care_groups_are_known_by_many_words_and_an_unknown_one_is_told() -> None:
    households, issues = read(
        row(care="独居老人、低保，残疾"), row(care="无"), row(care="低保户 宇航员")
    )
    assert [one.values["care_groups"] for one in households] == [
        ["disabled", "elder_alone", "low_income"], [], ["low_income"],
    ]  # fmt: skip
    assert [(i.row, i.bad) for i in issues] == [(5, False)]
    assert "宇航员" in issues[0].zh


def test_a_merged_block_speaks_for_each_of_its_rows_and_a_title_does_not() -> None:
    rows = [
        (1, ["标题", None]),
        (2, ["幸福小区", 1]),
        (3, [None, 2]),
        (4, [None, 3]),
        (5, [None, None]),
        (6, [5]),
    ]
    merges = [Merge(1, 1, 1, 2), Merge(2, 3, 1, 1), Merge(4, 6, 2, 2)]
    assert [list(cells) for _, cells in roster_cells.filled(rows, merges)] == [
        ["标题", None], ["幸福小区", 1], ["幸福小区", 2], [None, 3], [None, None], [5, 3],
    ]  # fmt: skip


def folded(*rows: list[Any]) -> tuple[list[Household], int, list[Issue]]:
    households, _ = read(*rows)
    return roster.fold(households, {(one.sheet, one.row): "g" for one in households})


def test_the_same_household_twice_is_one() -> None:
    households, repeated, issues = folded(row(), row(building=3, door="501室"))
    assert (len(households), repeated, issues) == (1, 1, [])


def test_a_repeated_row_adds_what_the_first_did_not_say() -> None:
    households, repeated, issues = folded(
        row(phone=None, care="独居"), row(care="低保", note="养狗"), row(people=None)
    )
    assert (len(households), repeated, issues) == (1, 2, [])
    values = households[0].values
    assert values["contact_phone"] == "13812341234" and values["note"] == "养狗"
    assert values["care_groups"] == ["elder_alone", "low_income"]


def test_a_repeated_row_that_contradicts_is_told_and_the_first_stands() -> None:
    households, repeated, issues = folded(row(), row(name="李四"))
    assert households[0].values["contact_name"] == "张三"
    assert repeated == 0
    assert [(i.row, i.bad) for i in issues] == [(4, True)]
    assert "第 3 行" in issues[0].zh and "联系人" in issues[0].zh
