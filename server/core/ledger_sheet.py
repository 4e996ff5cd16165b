"""Pure: a ledger in a sheet, our own export or a district's own, row by row into entries.

Columns are matched by name (DOMAIN: Exports). What cannot be taken is told with the column and
the cause. What an export has masked is known as such: it never takes the place of what it hides.
"""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from server.core.export_columns import SHANGHAI
from server.core.roster_cells import BadCell, Cells, clean, place_key
from server.core.roster_columns import header_text
from shared import records
from shared import vocabulary as v

HEADER_ROWS = 20
# Our field -> the heading of our own export, and how others head it.
HEADINGS: dict[str, tuple[str, ...]] = {
    "number": ("序号", "编号序号", "no"),
    "ledger_no": ("台账编号", "编号", "台账号", "问题编号", "案件编号", "工单编号", "工单号"),
    "source": ("问题来源", "来源", "来源渠道"),
    "found_at": ("发现时间", "发现日期", "上报时间", "上报日期", "受理时间", "登记时间", "时间",
                 "日期", "排查时间"),
    "grid": ("所属网格", "网格", "网格名称", "网格编号", "网格代码"),
    "place": ("地址", "具体地址", "地点", "位置", "详细地址", "问题地点", "具体位置", "发生地点"),
    "description": ("问题描述", "问题", "问题内容", "内容", "主要问题", "存在问题", "诉求内容",
                    "事项", "问题及诉求"),
    "category": ("问题类别", "类别", "问题类型", "类型", "问题分类", "分类"),
    "concern_tags": ("急难愁盼",),
    "body": ("责任单位", "承办单位", "牵头单位", "责任部门", "主办单位", "整改单位"),
    "owner": ("责任人", "负责人", "承办人", "整改责任人"),
    "co_bodies": ("协办单位", "配合单位", "协办部门"),
    "measure": ("整改措施", "措施", "处理措施", "解决措施"),
    "due_at": ("整改时限", "时限", "完成时限", "办理时限", "限办时间", "整改期限"),
    "progress": ("完成情况", "进展", "办理情况", "处理结果", "整改情况", "办理结果", "状态",
                 "进展情况", "是否完成", "办结情况"),
    "overdue": ("是否超期",),
    "supervised": ("是否督办", "挂牌督办"),
    "root_cause": ("问题根源", "根源", "原因分析"),
    "closed_by": ("销号人", "核查人"),
    "closed_at": ("销号时间", "完成时间", "办结时间", "销号日期", "办结日期", "完成日期"),
    "callback_note": ("回访结果", "回访情况"),
    "satisfaction": ("满意度", "是否满意", "群众满意度"),
    "remark": ("备注", "说明"),
}  # fmt: skip
_BY_WORD = {word: name for name, words in HEADINGS.items() for word in words}
NEEDED = ("description", "found_at")
_SOURCES = {c.zh: c.code for c in v.SOURCES} | {c.code: c.code for c in v.SOURCES} | {
    "网格员": "worker", "走访": "worker", "网格员上报": "worker", "入户走访": "worker",
    "巡查": "worker", "居民": "resident", "群众反映": "resident", "群众": "resident",
    "来访": "resident", "来电": "resident", "信访": "resident", "党员反映": "party_member",
    "12345": "hotline", "12345热线": "hotline", "市长热线": "hotline", "热线转办": "hotline",
    "志愿者反映": "volunteer",
}  # fmt: skip
_STATES = {c.zh: c.code for c in v.PROBLEM_STATES} | {
    "已完成": "closed", "完成": "closed", "已办结": "closed", "办结": "closed", "已解决": "closed",
    "解决": "closed", "已整改": "closed", "整改完成": "closed", "已销号": "closed",
    "已处理": "closed", "是": "closed", "已关闭": "closed",
    "正在办理": "in_progress", "办理中": "in_progress", "整改中": "in_progress",
    "处理中": "in_progress", "进行中": "in_progress", "推进中": "in_progress",
    "正在处理": "in_progress", "未完成": "in_progress", "未办结": "in_progress",
    "否": "in_progress", "挂账": "suspended", "待派遣": "registered", "未处理": "registered",
    "待签收": "dispatched", "待核查": "closure_requested",
}  # fmt: skip
_SATISFACTION = {c.zh: c.code for c in v.SATISFACTION} | {
    "非常满意": "satisfied", "是": "satisfied", "较满意": "fairly", "比较满意": "fairly",
    "一般": "fairly", "否": "unsatisfied", "不": "unsatisfied",
}  # fmt: skip
_CAUSES = {c.zh: c.code for c in v.ROOT_CAUSES} | {c.code: c.code for c in v.ROOT_CAUSES}
_CONCERNS = {c.zh: c.code for c in v.CONCERNS}
_YES = frozenset({"是", "有", "√", "y", "yes", "1"})
_NO = frozenset({"否", "无", "", "n", "no", "0"})
_FOOTER = re.compile(r"^(合计|总计|小计|共计|制表|填表|审核人|统计|说明[:：]|注[:：])")
_DATE = re.compile(
    r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?"
    r"(?:\s*[T ]?\s*(\d{1,2})\s*[:：时]\s*(\d{1,2})?(?:\s*[:：分]\s*(\d{1,2}))?\s*秒?)?"
)
_MASKED = re.compile(r"\*{2,}|[\u4e00-\u9fff]\*")
_REPORTER = re.compile(r"反映人：(?P<name>[^\d\s；]*)\s*(?P<phone>[\d*/ -]*)")
_REMARKS = (
    re.compile(r"现场办结"), re.compile(r"疑难"), re.compile(r"第(?P<round>\d+)轮"),
    re.compile(r"延期(?P<extensions>\d+)次"), re.compile(r"挂账至(?P<until>\d{4}-\d\d-\d\d)"),
    _REPORTER,
)  # fmt: skip


@dataclass(frozen=True)
class Header:
    """Where the header stands: our field -> the column's index from 0, and its heading."""

    row: int
    columns: Mapping[str, int]
    texts: Mapping[str, str]
    unused: tuple[str, ...] = ()


@dataclass(frozen=True)
class Known:
    """What codes may be named by: text -> code of categories and bodies."""

    categories: Mapping[str, str]
    bodies: Mapping[str, str]


@dataclass(frozen=True)
class Entry:
    """One row as a problem. ``state`` is that of PROBLEM_STATES; ``masked`` the fields that hold
    something hidden; ``note`` what else the row says, for the history."""

    sheet: str
    row: int
    ledger_no: str
    grid: str
    state: str
    values: Mapping[str, Any]
    masked: frozenset[str] = frozenset()
    closed_by: str = ""
    note: str = ""

    @property
    def content(self) -> bytes:
        """What makes two rows without a number the same problem: 10 bytes of a hash."""
        parts = (
            self.grid, str(self.values["found_at"] // 60_000), self.values["category"],
            place_key(self.values["description"]), place_key(self.values["place"]),
        )  # fmt: skip
        return hashlib.sha256("\x1f".join(parts).encode()).digest()[:10]


@dataclass
class Wrong:
    """What is wrong with a row: which column, and the cause."""

    column: str
    zh: str
    en: str


@dataclass
class Read:
    """A row that was read: an entry, or what is wrong with it."""

    entry: Entry | None = None
    wrong: list[Wrong] = field(default_factory=list)


def find_header(rows: Iterable[tuple[int, Cells]]) -> Header | None:
    """The row that names most of our columns; None if none has what is needed."""
    best: Header | None = None
    for number, cells in rows:
        columns: dict[str, int] = {}
        texts, unused = {}, []
        for index, cell in enumerate(cells):
            text = header_text(cell)
            name = _BY_WORD.get(text)
            if name and name not in columns:
                columns[name], texts[name] = index, text
            elif text:
                unused.append(text)
        if set(NEEDED) <= set(columns) and (best is None or len(columns) > len(best.columns)):
            best = Header(number, columns, texts, tuple(unused))
    return best


def read_row(header: Header, sheet: str, number: int, cells: Cells, known: Known) -> Read | None:
    """One row as an entry or why not; None for a row that says nothing."""
    texts = [str(cell).strip() for cell in cells if cell is not None and str(cell).strip()]
    if not texts or (len(texts) <= 4 and any(_FOOTER.match(text) for text in texts)):
        return None
    row = _Row(header, cells)
    if not any(row.raw(name) not in (None, "") for name in header.columns if name != "number"):
        return None
    if all(header_text(row.raw(name)) == header.texts[name] for name in header.columns):
        return None  # the header again, as printed on each page
    return Read(row.entry(sheet, number, known), row.wrong)


def is_masked(text: str | None) -> bool:
    """Whether a text has something hidden in it, as our exports hide it."""
    return bool(_MASKED.search(text or ""))


class _Row:
    """One row while it is read; goes on after a wrong cell, so that all of them are told."""

    def __init__(self, header: Header, cells: Cells) -> None:
        self.header, self.cells = header, cells
        self.wrong: list[Wrong] = []

    def raw(self, name: str) -> Any:
        index = self.header.columns.get(name, -1)
        return self.cells[index] if 0 <= index < len(self.cells) else None

    def bad(self, name: str, zh: str, en: str) -> None:
        column = self.header.texts.get(name, HEADINGS[name][0])
        self.wrong.append(Wrong(column, zh, en))

    def text(self, name: str, limit: int | None = None) -> str:
        """A cell as text; line breaks of longer texts stay."""
        value = self.raw(name)
        if isinstance(value, str) and name in ("description", "measure", "progress", "remark"):
            found = "\n".join(clean(line) for line in value.splitlines()).strip()
        else:
            try:
                found = clean(value)
            except BadCell as bad:
                self.bad(name, bad.zh, bad.en)
                return ""
        if limit is not None and len(found) > limit:
            self.bad(name, f"太长（{len(found)} 个字，最多 {limit}）",
                     f"too long ({len(found)} characters, {limit} at most)")  # fmt: skip
            return ""
        return found

    def moment(self, name: str) -> int | None:
        """A date, with or without a time, in ms; a wrong one is told."""
        value = self.raw(name)
        if value is None or value == "":
            return None
        found = _moment(value)
        if found is None:
            self.bad(name, f"“{value}”不是日期，应如 2025-03-01 09:30",
                     f"“{value}” is no date; write it like 2025-03-01 09:30")  # fmt: skip
        return found

    def choice(self, name: str, words: Mapping[str, str]) -> str | None:
        text = self.text(name)
        if not text:
            return None
        if text in words:
            return words[text]
        some = "、".join(list(words)[:8])
        self.bad(name, f"“{text}”不认识，可以写：{some}", f"“{text}” is not known; such as: {some}")
        return None

    def entry(self, sheet: str, number: int, known: Known) -> Entry | None:
        fields = records.FIELDS["problem"]
        ledger_no = self.text("ledger_no", fields["ledger_no"].limit)
        description = self.text("description", fields["description"].limit)
        if not description:
            self.bad("description", "没有填", "is missing")
        found_at = self.moment("found_at")
        if found_at is None and not self.raw("found_at"):
            self.bad("found_at", "没有填", "is missing")
        place = self.text("place", fields["place"].limit or 200)
        values: dict[str, Any] = {
            "description": description,
            "found_at": found_at or 0,
            "place": place,
            "source": self.choice("source", _SOURCES) or "worker",
            "category": self._category(known),
            "concern_tags": self._concerns(),
            "body": self.choice("body", known.bodies),
            "owner": self.text("owner", fields["owner"].limit) or None,
            "co_bodies": self._bodies(known),
            "measure": self.text("measure", fields["measure"].limit) or None,
            "due_at": self.moment("due_at"),
            "supervised": self._yes("supervised"),
            "root_cause": self.choice("root_cause", _CAUSES),
            "closed_at": self.moment("closed_at"),
            "callback_note": self.text("callback_note", fields["callback_note"].limit) or None,
            "satisfaction": self.choice("satisfaction", _SATISFACTION),
        }
        overdue = self._yes("overdue")
        state, result = self._state(values)
        values["result"] = result or None
        more, note = self._remarks()
        values |= more
        if overdue and values["due_at"] is not None:
            values["overdue_at"] = values["due_at"]
        if not place:
            values["place"] = self.text("grid") or "—"
        if values["found_at"] and (values["closed_at"] or values["found_at"]) < values["found_at"]:
            self.bad("closed_at", "早于发现时间", "is before it was found")
        if self.wrong:
            return None
        texts = {name: x for name, x in values.items() if isinstance(x, str)}
        masked = frozenset(name for name, x in texts.items() if is_masked(x))
        closed_by = self.text("closed_by")
        return Entry(sheet, number, ledger_no, self.text("grid"), state, values, masked, closed_by,
                     note)  # fmt: skip

    def _category(self, known: Known) -> str:
        text = self.text("category")
        if text in known.categories:
            return known.categories[text]
        if text:
            zh = f"没有类别“{text}”，请先建立这个类别或改成已有的"
            self.bad("category", zh, f"There is no category “{text}”: make it, or use another")
        elif "category" in self.header.columns or "other" not in known.categories:
            self.bad("category", "没有填", "is missing")
        return known.categories.get("other", "")

    def _concerns(self) -> list[str]:
        parts = [p for p in re.split(r"[、,，;；/\s]+", self.text("concern_tags")) if p]
        letters = [c for part in parts for c in (part if part not in _CONCERNS else [part])]
        unknown = [c for c in letters if c not in _CONCERNS]
        if unknown:
            self.bad("concern_tags", f"“{'、'.join(unknown)}”不认识，应为 急、难、愁、盼",
                     f"“{'、'.join(unknown)}” is none of 急、难、愁、盼")  # fmt: skip
        return sorted({_CONCERNS[c] for c in letters if c in _CONCERNS})

    def _bodies(self, known: Known) -> list[str]:
        found = []
        for part in re.split(r"[、,，;；\n]+", self.text("co_bodies")):
            if part.strip() in known.bodies:
                found.append(known.bodies[part.strip()])
            elif part.strip():
                self.bad("co_bodies", f"没有责任单位“{part.strip()}”",
                         f"There is no unit “{part.strip()}”")  # fmt: skip
        return sorted(set(found))

    def _yes(self, name: str) -> bool:
        text = self.text(name).lower()
        if text not in _YES and text not in _NO:
            self.bad(name, f"“{text}”应为 是 或 否", f"“{text}” must be 是 or 否")
        return text in _YES

    def _state(self, values: Mapping[str, Any]) -> tuple[str, str]:
        """The state and the result that 完成情况 tells: 已销号：已修复, or other words."""
        text = self.text("progress", records.FIELDS["problem"]["result"].limit)
        head, colon, rest = text.partition("：")
        if head.strip() in _STATES:
            return _STATES[head.strip()], rest.strip() if colon else ""
        if values["closed_at"] is not None:
            return "closed", text
        return ("in_progress" if values["body"] else "registered"), text

    def _remarks(self) -> tuple[dict[str, Any], str]:
        """What our own 备注 says, and the rest of it."""
        found: dict[str, Any] = {}
        rest = []
        for part in filter(None, (p.strip() for p in self.text("remark").split("；"))):
            match = next((m for one in _REMARKS if (m := one.fullmatch(part))), None)
            if match is None:
                rest.append(part)
                continue
            given = match.groupdict()
            if part == "现场办结":
                found["solved_on_spot"] = True
            elif part == "疑难":
                found["hard"] = True
            elif "round" in given:
                found["round"] = int(given["round"])
            elif "extensions" in given:
                found["extensions"] = int(given["extensions"])
            elif "until" in given:
                found["suspended_until"] = _moment(given["until"])
            else:
                found["reporter_name"] = given["name"] or None
                found["reporter_phone"] = given["phone"].strip() or None
        return found, "；".join(rest)


def _moment(value: Any) -> int | None:
    if isinstance(value, datetime.datetime):
        return _ms(value)
    if isinstance(value, datetime.date):
        return _ms(datetime.datetime(value.year, value.month, value.day))
    if isinstance(value, int | float) and not isinstance(value, bool) and 20_000 < value < 80_000:
        return _ms(datetime.datetime(1899, 12, 30) + datetime.timedelta(days=float(value)))
    try:
        match = _DATE.fullmatch(clean(value))
        if match is None:
            return None
        numbers = [int(part or 0) for part in match.groups()]
        return _ms(datetime.datetime(*numbers))  # type: ignore[arg-type]
    except (BadCell, ValueError):
        return None


def _ms(local: datetime.datetime) -> int | None:
    if not 1971 < local.year < 2199:
        return None
    return round(local.replace(tzinfo=SHANGHAI, microsecond=0).timestamp() * 1000)
