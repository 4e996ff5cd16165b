"""Pure: categories of problems as rows of a sheet, and back; and the set that is shipped."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from shared import categories as rules
from shared import vocabulary as v
from shared.categories import Limit

HEADINGS = (
    "代码", "大类", "名称", "英文名", "适用地点", "责任单位", "派遣时限", "签收时限", "处置时限",
    "整改前照片", "整改后照片", "同时拨打", "启用", "次序",
)  # fmt: skip
NEEDED = ("代码", "名称")
_SAID = ("places", "body", "limits", "needs_before", "needs_after", "call")
_FILE = Path(__file__).with_name("categories.json")
_CODE = re.compile(r"[a-z][a-z0-9_]{0,59}")
_NUMBER = re.compile(r"[0-9][0-9 -]{1,18}[0-9]")
_LIMIT = re.compile(r"(\d+(?:\.\d+)?)\s*(\S+)")
# What people write; a sheet that is exported has the vocabulary's own words.
_UNITS = {c.zh: c.code for c in v.LIMIT_UNITS} | {c.code: c.code for c in v.LIMIT_UNITS} | {
    "自然日": "natural_day", "日": "natural_day", "个工作日": "work_day", "小时": "urgent_hour",
    "个小时": "urgent_hour", "工作小时": "work_hour", "个工作小时": "work_hour",
}  # fmt: skip
_YES, _NO = ("是", "要", "1", "yes", "y", "true"), ("否", "不", "0", "no", "n", "false")
_STAGES = {"dispatch": "派遣时限", "accept": "签收时限", "handle": "处置时限"}
MOST_AMOUNT = 3660


@dataclass(frozen=True)
class Category:
    """One category. ``parent`` "" for one of the first level; ``data`` as shared.categories."""

    code: str
    name: str
    name_en: str
    active: bool
    position_no: int
    data: Mapping[str, Any]

    @property
    def parent(self) -> str:
        """The first level's code, "" where it is one itself."""
        return str(self.data.get("parent") or "")


class Wrong(ValueError):
    """Why a row cannot be taken, in Chinese and English."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")
        self.zh, self.en = zh, en


@cache
def shipped() -> tuple[Category, ...]:
    """The set that comes with the product: the first level, each before its second."""
    found = []
    for number, (code, zh, en, members) in enumerate(_read()["groups"]):
        found.append(Category(code, zh, en, True, number * 100, {"parent": None}))
        for place, one in enumerate(members, 1):
            data = {name: one[name] for name in _SAID if name in one}
            found.append(
                Category(one["code"], one["zh"], one["en"], True, number * 100 + place,
                         {"parent": code, **data})
            )  # fmt: skip
    return tuple(found)


def shipped_bodies() -> list[tuple[str, str, str]]:
    """(code, Chinese, English) of the bodies that the shipped categories name."""
    return [(code, zh, en) for code, zh, en in _read()["bodies"]]


@cache
def _read() -> Any:
    return json.loads(_FILE.read_text(encoding="utf-8"))


def cells(one: Category) -> list[str | int]:
    """A category as a row under HEADINGS."""
    data, group = one.data, not one.parent
    before, after = rules.evidence(data)
    return [
        one.code,
        one.parent,
        one.name,
        one.name_en,
        "" if group else "、".join(v.word(v.PLACES_OF_USE, p) for p in data.get("places") or ()),
        "" if group else str(data.get("body") or ""),
        *("" if group else limit_text(rules.limit(data, stage)) for stage in _STAGES),
        "" if group else _said(before),
        "" if group else _said(after),
        "" if group else str(data.get("call") or ""),
        _said(one.active),
        one.position_no,
    ]


def limit_text(limit: Limit) -> str:
    """A limit as it stands in a sheet: "7 天"."""
    return f"{limit.amount:g} {v.word(v.LIMIT_UNITS, limit.unit)}"


def header(row: Sequence[Any]) -> dict[str, int] | None:
    """Heading -> column, if this row is a header; None if it is not."""
    found = {str(cell or "").strip(): n for n, cell in enumerate(row)}
    return {h: found[h] for h in HEADINGS if h in found} if set(NEEDED) <= set(found) else None


def parsed(row: Mapping[str, str], bodies: Mapping[str, str]) -> Category:
    """A category from the texts under HEADINGS; raises Wrong.

    ``bodies``: code and name -> code of the bodies there are.
    """
    code = row.get("代码", "").strip()
    if not code:
        raise Wrong("没有写代码", "The code is missing")
    if not _CODE.fullmatch(code):
        raise Wrong(
            f"代码“{code}”应为小写字母开头，只用字母、数字和下划线",
            f"Code “{code}” must be letters, digits and underscores, and begin with a letter",
        )
    name = row.get("名称", "").strip()
    if not name or len(name) > 80:
        raise Wrong("名称应为 1 至 80 个字", "The name must have 1 to 80 characters")
    parent = row.get("大类", "").strip()
    number = row.get("次序", "").strip() or "0"
    if not number.isdigit():
        raise Wrong(f"次序“{number}”应为数字", f"The order “{number}” must be a number")
    data: dict[str, Any] = {"parent": parent or None}
    if parent:
        data |= {
            "places": list(_places(row.get("适用地点", ""))),
            "body": _body(row.get("责任单位", ""), bodies),
            "limits": _limits(row),
            "needs_before": _flag(row, "整改前照片", False),
            "needs_after": _flag(row, "整改后照片", False),
        } | _call(row.get("同时拨打", ""))
    english = row.get("英文名", "").strip()[:120]
    return Category(code, name, english, _flag(row, "启用", True), int(number), data)


def is_number(text: str) -> bool:
    """Whether a text is a telephone number that a phone can call."""
    return _NUMBER.fullmatch(text) is not None


def _call(text: str) -> dict[str, str]:
    number = text.strip()
    if number and not is_number(number):
        raise Wrong(
            f"同时拨打“{number}”应为电话号码", f"同时拨打 “{number}” must be a telephone number"
        )
    return {"call": number} if number else {}


def _limits(row: Mapping[str, str]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for stage, heading in _STAGES.items():
        text = row.get(heading, "").strip()
        if not text:
            continue
        match = _LIMIT.fullmatch(text)
        unit = _UNITS.get(match[2]) if match else None
        if match is None or unit is None or not 0 < float(match[1]) <= MOST_AMOUNT:
            raise Wrong(
                f"{heading}“{text}”应如：2 小时、4 工作小时、3 工作日、7 天",
                f"{heading} “{text}” must be like: 2 小时, 4 工作小时, 3 工作日, 7 天",
            )
        amount = float(match[1])
        found[stage] = [int(amount) if amount.is_integer() else amount, unit]
    return found


def _places(text: str) -> Iterator[str]:
    known = {c.zh: c.code for c in v.PLACES_OF_USE} | {c.code: c.code for c in v.PLACES_OF_USE}
    seen = set()
    for piece in re.split(r"[、,，;；\s]+", text.strip()):
        if not piece:
            continue
        if piece not in known:
            words = "、".join(c.zh for c in v.PLACES_OF_USE)
            raise Wrong(f"适用地点“{piece}”应为 {words}", f"Place “{piece}” must be one of {words}")
        if known[piece] not in seen:
            seen.add(known[piece])
            yield known[piece]


def _body(text: str, bodies: Mapping[str, str]) -> str:
    body = text.strip()
    if body and body not in bodies:
        raise Wrong(f"没有责任单位“{body}”", f"There is no responsible unit “{body}”")
    return bodies.get(body, "")


def _flag(row: Mapping[str, str], heading: str, blank: bool) -> bool:
    text = row.get(heading, "").strip().lower()
    if text in _YES:
        return True
    if text in _NO:
        return False
    if text:
        raise Wrong(f"{heading}“{text}”应为 是 或 否", f"{heading} “{text}” must be 是 or 否")
    return blank


def _said(flag: bool) -> str:
    return "是" if flag else "否"
