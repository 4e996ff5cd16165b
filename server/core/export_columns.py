"""Pure: the columns of the ledger and visit exports, and how a record fills them (DOMAIN)."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from server.core import masking
from shared import campaigns, ledger
from shared import vocabulary as v
from shared.campaigns import Campaign

# China has one time zone and no summer time since 1991.
SHANGHAI = datetime.timezone(datetime.timedelta(hours=8), "Asia/Shanghai")

# 1901 to 2199: what every spreadsheet program can show.
FIRST_MS, LAST_MS = -2_177_452_800_000, 7_258_003_200_000

TEXT, TIME, NUMBER = "text", "time", "number"
Cell = str | int | datetime.datetime | None


@dataclass(frozen=True)
class Column:
    """One column of an export: its heading, the type of its cells, its width in a sheet."""

    heading: str
    type: str = TEXT
    width: int = 10


# In digits, as a sheet counts. All of a table's together go on one A4 page across.
_WIDTHS = {
    5: "序号 是否超期 是否督办",
    6: "满意度",
    7: "责任人 销号人 走访人 审核人 审核状态",
    8: "问题来源 问题类别 问题根源 急难愁盼 走访事由 走访结果 现场办结",
    12: "走访对象",
    13: "台账编号",
    14: "回访结果 备注 完成情况",
    16: "发现时间 整改时限 销号时间 走访时间 地址 整改措施 苗头 审核意见 专项问答",
    22: "诉求与建议",
    26: "问题描述 走访情况",
}
_WIDTH_OF = {heading: width for width, text in _WIDTHS.items() for heading in text.split()}


def _columns(headings: str) -> tuple[Column, ...]:
    types = {"序号": NUMBER} | dict.fromkeys(("发现时间", "整改时限", "销号时间", "走访时间"), TIME)
    return tuple(
        Column(heading, types.get(heading, TEXT), _WIDTH_OF.get(heading, 10))
        for heading in headings.split()
    )


LEDGER = _columns(
    "序号 台账编号 问题来源 发现时间 所属网格 地址 问题描述 问题类别 急难愁盼 责任单位 责任人 "
    "协办单位 整改措施 整改时限 完成情况 是否超期 是否督办 问题根源 销号人 "
    "销号时间 回访结果 满意度 备注"
)
VISITS = _columns(
    "走访时间 所属网格 走访对象 地址 走访事由 走访结果 走访情况 诉求与建议 急难愁盼 苗头 现场办结 "
    "走访人 审核状态 审核人 审核意见 专项问答"
)


@dataclass(frozen=True)
class Names:
    """What codes and ids are called: partition -> grid, code -> category and body, id -> person.

    ``campaigns`` by their codes, to word the answers of visits.
    """

    grids: Mapping[str, str] = field(default_factory=dict)
    categories: Mapping[str, str] = field(default_factory=dict)
    bodies: Mapping[str, str] = field(default_factory=dict)
    people: Mapping[str, str] = field(default_factory=dict)
    campaigns: Mapping[str, Campaign] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """The household or compound that a record is about, as far as it is known."""

    compound: str = ""
    address: str = ""
    building: str = ""
    unit: str = ""
    door: str = ""
    contact: str = ""
    position: Mapping[str, float] | None = None


def ledger_row(
    number: int, problem: Mapping[str, Any], place: Place, names: Names, masked: bool, now: int
) -> list[Cell]:
    """One problem in the order of LEDGER. ``now`` (Unix ms) decides what is overdue."""
    secret = (problem["reporter_name"], place.contact) if masked else ()
    text = _text_of(masked, secret, (place.door,))
    return [
        number,
        problem["ledger_no"] or "",
        v.word(v.SOURCES, problem["source"]),
        moment(problem["found_at"]),
        names.grids.get(problem["partition_id"], ""),
        masking.mask_address(problem["place"], (place.door,)) if masked else problem["place"] or "",
        text(problem["description"]),
        names.categories.get(problem["category"], problem["category"] or ""),
        v.words(v.CONCERNS, problem["concern_tags"]),
        names.bodies.get(problem["body"] or "", problem["body"] or ""),
        problem["owner"] or "",
        "、".join(names.bodies.get(code, code) for code in problem["co_bodies"] or ()),
        text(problem["measure"]),
        moment(problem["due_at"]),
        _progress(problem, text),
        _yes(is_overdue(problem, now)),
        _yes(problem["supervised"]),
        v.word(v.ROOT_CAUSES, problem["root_cause"]),
        names.people.get(problem["closed_by"] or "", ""),
        moment(problem["closed_at"]),
        text(problem["callback_note"]),
        v.word(v.SATISFACTION, problem["satisfaction"]),
        _remark(problem, masked),
    ]


def visit_row(visit: Mapping[str, Any], place: Place, names: Names, masked: bool) -> list[Cell]:
    """One visit in the order of VISITS."""
    home = visit["target_kind"] == "household"
    person = (visit["target_name"] or place.contact) if home else ""
    text = _text_of(masked, (person, place.contact), (place.door,))
    who = visit["target_name"] or (place.contact if home else place.compound)
    kind = v.word(v.TARGETS, visit["target_kind"])
    if masked:
        who = masking.mask_name(who) if home else text(who)
    return [
        moment(visit["visited_at"]),
        names.grids.get(visit["partition_id"], ""),
        f"{kind} {who}".strip(),
        address(place, masked),
        v.word(v.VISIT_REASONS, visit["reason"]),
        v.word(v.OUTCOMES, visit["outcome"]),
        text(visit["note"]),
        text(visit["appeal"]),
        v.words(v.CONCERNS, visit["concern_tags"]),
        text(visit["early_sign"]),
        _yes(visit["resolved_on_spot"]),
        names.people.get(visit["created_by"] or "", ""),
        v.word(v.REVIEW_STATES, visit["review_state"]),
        names.people.get(visit["reviewed_by"] or "", ""),
        text(visit["review_note"]),
        text(campaigns.as_text(names.campaigns, visit["answers"])),
    ]


def address(place: Place, masked: bool) -> str:
    """Compound, building, unit and door in one line, the door hidden; else the address as given."""
    building = _with_word(place.building, "号楼")
    unit = _with_word(place.unit, "单元")
    door = masking.mask_door(place.door) if masked else place.door
    if building or unit or door:
        gap = " " if place.compound[-1:].isdigit() else ""
        return f"{place.compound}{gap}{building}{unit}{door}"
    whole = place.address or place.compound
    return masking.mask_address(whole, (place.door,)) if masked else whole


def position(record: Mapping[str, Any], place: Place, masked: bool) -> Mapping[str, float] | None:
    """Where it is: the record's own position, else its place's; masked to about 100 metres."""
    exact = record["position"] or place.position
    return masking.mask_position(dict(exact)) if masked and exact else exact


def is_overdue(problem: Mapping[str, Any], now: int) -> bool:
    """Whether it is late, as the ledger's filter says: the clock of any stage has run out.

    One that is done is late if it was done after its deadline.
    """
    if problem["state"] in ledger.LATE_STATES:
        deadline = problem["deadline_at"]
        return deadline is not None and bool(deadline < now)
    if problem["state"] not in ledger.CLOSED_STATES:
        return False  # suspended: its time stands still
    if problem["overdue_at"] is not None:
        return True
    due, closed = problem["due_at"], problem["closed_at"]
    return due is not None and closed is not None and bool(closed > due)


def moment(ms: int | None) -> datetime.datetime | None:
    """Unix ms as a time of the wall clock in China, to the second; the nearest that a sheet holds.

    A phone's clock may say anything, and no export may fail for it.
    """
    if ms is None:
        return None
    return datetime.datetime.fromtimestamp(min(max(ms, FIRST_MS), LAST_MS) // 1000, SHANGHAI)


_FORMULA = frozenset("=+-@\t\r＝＋－＠")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


def plain_text(text: str) -> str:
    """Text without the control characters that no sheet can hold."""
    return _CONTROL.sub("", text)


def guarded(text: str) -> str:
    """Text that a spreadsheet program does not take for a formula when it opens a CSV."""
    start = text.lstrip(" \n")[:1]
    return f"'{text}" if start in _FORMULA and start else text


def _text_of(masked: bool, names: Sequence[str | None], doors: Sequence[str | None]) -> Any:
    def shown(text: str | None) -> str:
        return masking.mask_text(text, names, doors) if masked else text or ""

    return shown


def _yes(flag: Any) -> str:
    return "是" if flag else "否"


def _with_word(part: str, word: str) -> str:
    return f"{part}{word}" if re.fullmatch(r"[A-Za-z0-9]+", part) else part


def _progress(problem: Mapping[str, Any], text: Any) -> str:
    state = v.word(v.PROBLEM_STATES, problem["state"])
    result = text(problem["result"])
    return f"{state}：{result}" if result else state


def _remark(problem: Mapping[str, Any], masked: bool) -> str:
    """What no other column says."""
    parts = []
    if problem["solved_on_spot"]:
        parts.append("现场办结")
    if problem["hard"]:
        parts.append("疑难")
    if (problem["round"] or 1) > 1:
        parts.append(f"第{problem['round']}轮")
    if problem["extensions"]:
        parts.append(f"延期{problem['extensions']}次")
    until = moment(problem["suspended_until"])
    if problem["state"] == "suspended" and until:
        parts.append(f"挂账至{until:%Y-%m-%d}")
    name, phone = problem["reporter_name"] or "", problem["reporter_phone"] or ""
    if name or phone:
        if masked:
            name, phone = masking.mask_name(name), masking.mask_phone(phone)
        parts.append(f"反映人：{f'{name} {phone}'.strip()}")
    return "；".join(parts)
