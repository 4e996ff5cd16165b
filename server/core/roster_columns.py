"""Pure: the header of a roster: where it stands and what its columns mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from server.core.roster_cells import BadCell, Cells, clean

HEADER_ROWS = 20  # a header stands among so many first rows of a sheet

# Our column -> how rosters head it, in full-width or not, with or without notes in brackets.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "grid": ("网格", "所属网格", "网格名称", "网格编号", "网格编码", "网格代码", "grid"),
    "compound": (
        "小区", "楼院", "小区名称", "楼院名称", "小区楼院", "小区/楼院", "所属小区", "所在小区",
        "院落", "庭院", "compound",
    ),
    "building": (
        "楼栋", "楼号", "栋", "楼", "幢", "楼幢", "栋号", "幢号", "楼栋号", "号楼", "楼宇",
        "building",
    ),
    "unit": ("单元", "单元号", "unit"),
    "door": (
        "门牌", "门牌号", "房号", "室", "室号", "房间", "房间号", "户号", "门号", "门户号",
        "房屋号", "门牌号码", "房屋编号", "door",
    ),
    "address": (
        "地址", "住址", "家庭住址", "家庭地址", "详细地址", "居住地址", "现住址", "房屋地址",
        "标准地址", "常住地址", "address",
    ),
    "contact_name": (
        "姓名", "户主", "联系人", "户主姓名", "联系人姓名", "居民姓名", "业主", "业主姓名", "房主",
        "name", "contact",
    ),
    "contact_phone": (
        "电话", "手机", "手机号", "手机号码", "联系电话", "联系方式", "电话号码", "户主电话",
        "联系人电话", "联系手机", "phone",
    ),
    "residents_count": (
        "人口", "人口数", "人数", "居住人数", "家庭人口", "家庭人数", "常住人口", "居住人口",
        "residents",
    ),
    "care_groups": (
        "重点人群", "类别", "人群类别", "重点人员", "特殊人群", "人员类别", "关爱类别",
        "重点人群类别", "care",
    ),
    "risk_level": ("关注等级", "风险等级", "等级", "risk"),
    "state": ("居住状态", "居住情况", "房屋状态", "入住情况", "房屋性质", "状态", "state"),
    "note": ("备注", "说明", "其他", "note", "remark"),
}  # fmt: skip
_BY_WORD = {word: name for name, words in SYNONYMS.items() for word in words}
_NEVER = re.compile(r"身份证|证件号|公民身份|idnumber", re.IGNORECASE)


@dataclass(frozen=True)
class Header:
    """Where the header stands and what its columns mean: our name -> column indices from 0."""

    row: int
    columns: Mapping[str, tuple[int, ...]]
    texts: tuple[str, ...]
    unused: tuple[str, ...]
    forbidden: tuple[str, ...]


def find_header(rows: Iterable[tuple[int, Cells]]) -> Header | None:
    """The row that names most of our columns; None if none says who or where."""
    best: Header | None = None
    for number, cells in rows:
        found = _match(number, cells)
        says_where = {"door", "address"} & found.columns.keys()
        if says_where and (best is None or len(found.columns) > len(best.columns)):
            best = found
    return best if best is not None and len(best.columns) >= 2 else None


def _match(number: int, cells: Cells) -> Header:
    columns: dict[str, tuple[int, ...]] = {}
    texts, unused, forbidden = [], [], []
    for index, cell in enumerate(cells):
        text = header_text(cell)
        texts.append(text)
        name = _BY_WORD.get(text)
        if name:
            columns[name] = (*columns.get(name, ()), index)
        elif _NEVER.search(text):
            forbidden.append(text)
        elif text:
            unused.append(text)
    return Header(number, columns, tuple(texts), tuple(unused), tuple(forbidden))


def header_text(cell: Any) -> str:
    """A header cell to compare by: no blanks, stars, colons or notes in brackets."""
    try:
        text = clean(cell)
    except BadCell:
        return ""
    text = re.sub(r"[(（\[【].*?[)）\]】]", "", text)
    return re.sub(r"[\s*：:★※]+", "", text).lower()
