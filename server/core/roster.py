"""Pure: a household roster as districts keep it, read into households (DOMAIN: Roster import).

Find the header among the first rows, match columns by name, read each row, fold the same door
given twice into one. What cannot be taken is told with its row number and the cause.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from server.core.roster_cells import (
    RISK_WORDS,
    STATE_WORDS,
    BadCell,
    Cells,
    care_groups,
    choice,
    count,
    optional,
    phone,
    place_key,
)
from server.core.roster_columns import Header, header_text
from shared import records

_FOOTER = re.compile(
    r"^(合计|总计|小计|共计|制表|填表|审核人|负责人|统计|说明[:：]|注[:：]|备注[:：])"
)
_NUM = r"(?:[A-Za-z]?\d{1,4}|[一二三四五六七八九十]{1,3})"
_PLACE = re.compile(
    rf"(?P<compound>.*?)\s*(?P<building>{_NUM}\s*(?:号楼|栋|幢|座|#楼?|楼))\s*[-—]?\s*"
    rf"(?:(?P<unit>{_NUM}\s*(?:单元|门))\s*[-—]?\s*)?(?:\d{{1,2}}层\s*)?"
    r"(?P<door>[A-Za-z]?\d{2,5}[A-Za-z]?|[东西南北中]{1,2}户?)\s*(?:室|号|户|房)?"
)
_TRIPLE = re.compile(
    rf"(?P<compound>.*?)\s*(?<![\d-])(?P<building>{_NUM})\s*[-—－]\s*"
    rf"(?:(?P<unit>\d{{1,2}})\s*[-—－]\s*)?(?P<door>\d{{2,5}})\s*(?:室|号|户|房)?"
)
BUILDING_WORDS, UNIT_WORDS, DOOR_WORDS = "号楼|楼栋|号|栋|幢|座|楼|#", "单元|门", "室|号房|号|户|房"
_LIMITED = {name: f.limit for name, f in records.FIELDS["household"].items()}
_LIMITED["compound"] = records.FIELDS["compound"]["name"].limit
_ZH = {name: f.zh for name, f in records.FIELDS["household"].items()} | {
    "compound": "楼院",
    "grid": "网格",
}


@dataclass(frozen=True)
class Issue:
    """What is wrong with a row. ``bad``: the row was not taken; else it was, with this remark."""

    sheet: str
    row: int
    zh: str
    en: str
    bad: bool = True


@dataclass(frozen=True)
class Household:
    """One row as a household: where it is, and its other fields (None or [] where not given)."""

    sheet: str
    row: int
    grid: str
    compound: str
    building: str
    unit: str
    door: str
    address: str
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, ...]:
        """What makes two rows of one grid the same door."""
        return door_key(self.compound, self.building, self.unit, self.door, self.address)


def door_key(compound: str, building: str, unit: str, door: str, address: str) -> tuple[str, ...]:
    """The identity of a door within its grid, however it is spelled; by address if no door."""
    if door:
        return (
            place_key(compound),
            place_key(building, BUILDING_WORDS),
            place_key(unit, UNIT_WORDS),
            place_key(door, DOOR_WORDS),
        )
    return ("address", place_key(address))


def read_row(
    header: Header, sheet: str, number: int, cells: Cells
) -> tuple[Household | None, list[Issue]]:
    """One row as a household, or why not; (None, []) for a row that says nothing."""
    if _says_nothing(header, cells):
        return None, []
    reader = _Row(header, cells)
    try:
        household, remarks = reader.household(sheet, number)
    except BadCell as bad:
        return None, [Issue(sheet, number, bad.zh, bad.en)]
    return household, [Issue(sheet, number, r.zh, r.en, bad=False) for r in remarks]


def _says_nothing(header: Header, cells: Cells) -> bool:
    texts = [str(cell).strip() for cell in cells if cell is not None and str(cell).strip()]
    if not texts:
        return True
    if len(texts) <= 4 and any(_FOOTER.match(text) for text in texts):
        return True
    ours = [i for indices in header.columns.values() for i in indices if i < len(cells)]
    if not any(cells[i] not in (None, "") for i in ours):
        return all(text.isdigit() for text in texts)  # a numbered line that nobody filled in
    # the header again, as printed on each page
    return all(header_text(cells[i]) == header.texts[i] for i in ours)


class _Row:
    """One row while it is read."""

    def __init__(self, header: Header, cells: Cells) -> None:
        self.header, self.cells = header, cells

    def raw(self, name: str) -> Any:
        """The first cell of the field's columns that holds something."""
        for index in self.header.columns.get(name, ()):
            if index < len(self.cells) and self.cells[index] not in (None, ""):
                return self.cells[index]
        return None

    def text(self, name: str) -> str:
        try:
            text = optional(self.raw(name))
        except BadCell as bad:
            raise BadCell(f"{_ZH.get(name, name)}：{bad.zh}", f"{name}: {bad.en}") from bad
        limit = _LIMITED.get(name, 200)
        if len(text) > limit:
            raise BadCell(
                f"{_ZH.get(name, name)}太长（{len(text)} 个字，最多 {limit}）",
                f"{name} is too long ({len(text)} characters, {limit} at most)",
            )
        return text

    def household(self, sheet: str, number: int) -> tuple[Household, list[BadCell]]:
        where = {n: self.text(n) for n in ("compound", "building", "unit", "door", "address")}
        where |= split_place(where)
        if not where["door"] and not where["address"]:
            raise BadCell("没有门牌号，也没有地址", "There is neither a door nor an address")
        if "compound" in self.header.columns and not where["compound"] and not where["address"]:
            raise BadCell("没有填小区（楼院）", "The compound is missing")
        groups, unknown = care_groups(self.raw("care_groups"))
        values = {
            "contact_name": self.text("contact_name") or None,
            "contact_phone": phone(self.raw("contact_phone")) or None,
            "residents_count": count(self.raw("residents_count")),
            "risk_level": choice(self.raw("risk_level"), RISK_WORDS, "关注等级", "The risk level"),
            "state": choice(self.raw("state"), STATE_WORDS, "居住状态", "The state"),
            "care_groups": groups,
            "note": self.text("note") or None,
        }
        if len(values["contact_phone"] or "") > _LIMITED["contact_phone"]:  # type: ignore[arg-type]
            raise BadCell("电话太多，最多两个", "Too many telephone numbers: two at most")
        remarks = [
            BadCell(
                f"重点人群“{word}”不认识，没有记", f"The care group “{word}” is not known, left out"
            )
            for word in unknown
        ]
        return Household(sheet, number, self.text("grid"), **where, values=values), remarks


def split_place(where: Mapping[str, str]) -> dict[str, str]:
    """Take 3-2-501 or 幸福小区3号楼2单元501室 apart where building and door are not given alone."""
    if where["building"] or (where["door"] and where["unit"]):
        return {}
    for name, patterns in (("door", (_PLACE, _TRIPLE)), ("address", (_PLACE, _TRIPLE))):
        if name == "address" and where["door"]:
            break
        for pattern in patterns:
            found = pattern.fullmatch(where[name]) if where[name] else None
            if found and not (name == "door" and found["compound"] and where["compound"]):
                parts = {k: (value or "").strip() for k, value in found.groupdict().items()}
                return parts | {"compound": where["compound"] or parts["compound"]}
    return {}


def fold(
    households: Sequence[Household], grid_of: Mapping[tuple[str, int], str]
) -> tuple[list[Household], int, list[Issue]]:
    """One household per door. Returns them, how many rows repeated one, and what contradicts.

    ``grid_of``: (sheet, row) -> grid code. A row that adds to the first is folded into it; one that
    names another contact for the same door is bad, for nobody knows which is right.
    """
    first: dict[tuple[str, ...], Household] = {}
    repeated, issues = 0, []
    for one in households:
        key = (grid_of[one.sheet, one.row], *one.key)
        known = first.get(key)
        if known is None:
            first[key] = one
            continue
        other = _contradicts(known, one)
        if other:
            zh = "、".join(_ZH[name] for name in other)
            issues.append(
                Issue(
                    one.sheet,
                    one.row,
                    f"与第 {known.row} 行是同一户，但{zh}不同，只收了第 {known.row} 行",
                    f"Same door as row {known.row} with another {', '.join(other)}; "
                    f"row {known.row} was taken",
                )
            )
            continue
        repeated += 1
        groups = sorted({*known.values["care_groups"], *one.values["care_groups"]})
        more = {
            n: value if value is not None else one.values[n] for n, value in known.values.items()
        }
        first[key] = Household(
            known.sheet, known.row, known.grid, known.compound, known.building, known.unit,
            known.door, known.address or one.address, more | {"care_groups": groups},
        )  # fmt: skip
    return list(first.values()), repeated, issues


def _contradicts(known: Household, other: Household) -> list[str]:
    """The fields of which both say something, and not the same."""
    return [
        name
        for name, value in other.values.items()
        if name != "care_groups" and value is not None and known.values[name] not in (None, value)
    ]
