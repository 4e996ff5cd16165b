"""Rosters as districts send them, made by code: XLSX files with all that is wrong with them."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook

TITLE = "大学路街道航苑社区第一网格住户花名册"
HEADER = (
    "序号",
    "户主",
    "联系电话",
    "身份证号",
    "小区",
    "楼栋",
    "单元",
    "房号",
    "人口",
    "重点人群",
    "备注",
)


def write(path: Path, rows: Sequence[Sequence[Any]], *merges: str, sheet: str = "花名册") -> Path:
    """A workbook of one sheet with these rows from A1 on, and these blocks merged."""
    workbook = Workbook()
    page = workbook.active
    page.title = sheet
    for cells in rows:
        page.append(list(cells))
    for block in merges:
        page.merge_cells(block)
    workbook.save(path)
    return path


def messy(path: Path) -> Path:
    """Seven doors in two compounds, and every kind of mess around them; rows 12 and 13 are bad."""
    id_number = "410103195001011234"
    return write(
        path,
        [
            [TITLE],  # 1
            ["填表单位：航苑社区", None, None, None, None, None, "2024年5月"],  # 2
            HEADER,  # 3
            [
                1,
                "张三",
                13812341234,
                id_number,
                "幸福小区",
                "3号楼",
                "1单元",
                101,
                3,
                "独居老人",
                None,
            ],
            [2, "李四", "138 1234 1235", None, None, None, "１单元", "１０２", "2人", None, "养狗"],
            [],  # 6
            [
                3,
                "王五",
                "0371-66123456",
                None,
                None,
                None,
                "2单元",
                "201室",
                None,
                "低保、残疾",
                None,
            ],
            [4, "赵六", None, None, None, None, "2单元", 202.0, 1, "无", None],
            [
                5,
                "张三",
                13812341234.0,
                None,
                "幸福小区",
                "３",
                "一单元",
                "101室",
                3,
                None,
                None,
            ],  # 9
            [
                6,
                "孙七",
                "+86 138-1234-1236",
                None,
                "和平院",
                1,
                None,
                "A101",
                4,
                "宇航员",
                None,
            ],  # 10
            [7, "+八", "13812341237", None, "和平院", 1, None, "A102", 2, None, "@说明"],  # 11
            [8, "周八", "1381234123", None, "和平院", 1, None, "A103", 2, None, None],  # 12
            [9, "吴九", "13812341239", None, "和平院", 1, None, None, 2, None, None],  # 13
            [10, None, None, None, "和平院", 1, None, "A104", None, None, "空置"],  # 14
            ["合计：8 户"],  # 15
        ],
        "A1:K1",
        "E4:E8",
        "F4:F8",
    )


def zip_of(path: Path, parts: dict[str, bytes]) -> Path:
    """A zip with these parts, packed."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return path
