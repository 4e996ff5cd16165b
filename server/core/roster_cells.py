"""Pure: what people type into a roster's cells, made regular.

Each function takes a cell's value as a spreadsheet gives it (text, number, date, None) and raises
`BadCell` for what cannot be what the column says.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from shared import vocabulary as v

Cells = Sequence[Any]


class BadCell(ValueError):
    """Why a cell cannot be taken, for a person: in Chinese and in English."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")
        self.zh, self.en = zh, en


@dataclass(frozen=True)
class Merge:
    """A merged block of cells: rows and columns count from 1, both ends included."""

    first_row: int
    last_row: int
    first_column: int
    last_column: int


_NARROW = {code: code - 0xFEE0 for code in range(0xFF10, 0xFF5B) if chr(code - 0xFEE0).isalnum()}
_NARROW |= {0x3000: 0x20, 0xFF0D: 0x2D, 0xFF03: 0x23, 0xFF0B: 0x2B, 0xFF0F: 0x2F}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b-\u200f\u202a-\u202e\ufeff]")
_ERRORS = ("#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!")
_NOTHING = frozenset(
    {"无", "没有", "暂无", "不详", "未知", "空", "/", "-", "--", "—", "——", "\\", "n/a"}
)
_PHONE_BREAK = re.compile(r"[/、,，;；或\n|]+")
_AREA_CODE_3 = ("010", "02")
_DIGITS = "零一二三四五六七八九"
_NUMERAL = re.compile(r"[〇零一二两三四五六七八九十]+")


def clean(value: Any) -> str:
    """A cell as one line of text: full-width letters and digits narrowed, 501.0 as 501."""
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        raise BadCell(
            "单元格被 Excel 变成了日期，请改成文本格式后重填",
            "Excel turned the cell into a date: format it as text and type it again",
        )
    if isinstance(value, float):
        value = int(value) if value.is_integer() else value
    text = _CONTROL.sub("", str(value).translate(_NARROW))
    text = re.sub(r"\s+", " ", text).strip().removeprefix("'")
    if text.upper() in _ERRORS:
        raise BadCell(f"公式出错 {text}", f"The cell holds a formula error: {text}")
    return text


def optional(value: Any) -> str:
    """A cell's text, "" where it only says that there is nothing."""
    text = clean(value)
    return "" if text.lower() in _NOTHING else text


def phone(value: Any) -> str:
    """One or more telephone numbers in one spelling, joined by a slash."""
    text = optional(value)
    if not text:
        return ""
    if re.search(r"\d[eE]\+?\d", text):
        raise BadCell(
            f"电话变成了科学计数 {text}，后几位已丢失",
            f"The number has become {text}: its last digits are lost",
        )
    was_number = not isinstance(value, str)
    numbers = [_one_phone(part, was_number) for part in _PHONE_BREAK.split(text) if part.strip()]
    return "/".join(dict.fromkeys(numbers))


def _one_phone(text: str, was_number: bool) -> str:
    digits = re.sub(r"[^\d]", "", text)
    if re.fullmatch(r"(?:00)?861[3-9]\d{9}", digits):
        digits = digits[-11:]
    if re.fullmatch(r"1[3-9]\d{9}|[48]00\d{7}|[2-9]\d{6,7}", digits):
        return digits
    if was_number and re.fullmatch(r"[2-9]\d{8,10}|10\d{8}", digits):
        digits = f"0{digits}"  # a spreadsheet drops the zero of an area code
    if re.fullmatch(r"0\d{9,11}", digits):
        cut = 3 if digits.startswith(_AREA_CODE_3) else 4
        return f"{digits[:cut]}-{digits[cut:]}"
    raise BadCell(
        f"电话 {text} 的位数不对（{len(digits)} 位）",
        f"{text} is not a telephone number ({len(digits)} digits)",
    )


def count(value: Any) -> int | None:
    """A small number of people: 3, "3人", "三口"."""
    text = arabic(optional(value))
    if not text:
        return None
    found = re.fullmatch(r"(\d{1,3})\s*[人口名位个]*", text)
    if not found:
        raise BadCell(f"人口 {text} 不是数", f"{text} is not a number of people")
    return int(found[1])


def choice(value: Any, words: dict[str, str], zh: str, en: str) -> str | None:
    """The code of one of ``words`` (word -> code)."""
    text = optional(value)
    if not text:
        return None
    if text not in words:
        raise BadCell(f"{zh}“{text}”不认识", f"{en} “{text}” is not known")
    return words[text]


def care_groups(value: Any) -> tuple[list[str], list[str]]:
    """The care groups that a cell names, and the words that name none."""
    codes, unknown = set(), []
    for part in re.split(r"[、,，;；/\s]+", optional(value)):
        if not part or part in _NOT_IN_CARE:
            continue
        code = next((c for word, c in CARE_WORDS if word in part), None)
        if code is None:
            unknown.append(part)
        else:
            codes.add(code)
    return sorted(codes), unknown


_NOT_IN_CARE = frozenset({"无", "否", "不是", "一般", "普通", "正常", "非重点", "一般户"})
# The first that a cell contains counts, so the narrower word stands before the wider one.
CARE_WORDS: tuple[tuple[str, str], ...] = (
    *((c.zh, c.code) for c in v.CARE_GROUPS),
    ("独居", "elder_alone"),
    ("空巢", "elder_alone"),
    ("孤寡", "elder_alone"),
    ("高龄", "elder"),
    ("老年", "elder"),
    ("老人", "elder"),
    ("残疾", "disabled"),
    ("残障", "disabled"),
    ("低保", "low_income"),
    ("困难", "low_income"),
    ("特困", "low_income"),
    ("留守儿童", "left_behind_child"),
    ("儿童", "left_behind_child"),
    ("孤儿", "left_behind_child"),
    ("大病", "serious_illness"),
    ("重病", "serious_illness"),
    ("重疾", "serious_illness"),
    ("退役", "veteran"),
    ("退伍", "veteran"),
    ("优抚", "veteran"),
    ("失独", "special_family"),
    ("计生", "special_family"),
)
RISK_WORDS = {c.zh: c.code for c in v.RISK} | {
    "低": "normal", "正常": "normal", "绿": "normal", "中": "attention", "黄": "attention",
    "高": "high", "红": "high", "重点关注": "high",
}  # fmt: skip
STATE_WORDS = {c.zh: c.code for c in v.HOUSEHOLD_STATE} | {
    "自住": "lived_in", "入住": "lived_in", "在住": "lived_in", "有人": "lived_in",
    "空": "empty", "空房": "empty", "空户": "empty", "无人": "empty", "未入住": "empty",
    "租": "let", "租住": "let", "租户": "let", "租赁": "let", "出租户": "let",
}  # fmt: skip


def arabic(text: str) -> str:
    """Chinese numerals up to 99 as digits: 十二 as 12, 三〇二 as 302."""

    def number(match: re.Match[str]) -> str:
        word = match[0].replace("〇", "零").replace("两", "二")
        if "十" not in word:
            return "".join(str(_DIGITS.index(c)) for c in word)
        tens, _, ones = word.partition("十")
        if len(tens) > 1 or len(ones) > 1:
            return match[0]
        return str((_DIGITS.index(tens) if tens else 1) * 10 + (_DIGITS.index(ones) if ones else 0))

    return _NUMERAL.sub(number, text)


def place_key(text: str, words: str = "") -> str:
    """One spelling of a part of an address, to compare by; ``words`` is a pattern of endings."""
    key = unicodedata.normalize("NFKC", text)
    key = re.sub(r"\s+", "", key).upper()
    if words:
        key = re.sub(rf"(?<=.)(?:{words})+$", "", arabic(key))
        key = re.sub(r"^第(?=\d)", "", key)
        key = re.sub(r"^0+(?=\d)", "", key)
    return key


def filled(
    rows: Iterable[tuple[int, Cells]], merges: Sequence[Merge]
) -> Iterator[tuple[int, Cells]]:
    """Rows (number, cells) with the value of a vertically merged block in each of its rows.

    Only a block's first column is filled: a title across the sheet stays one cell. A row that holds
    nothing of its own stays blank.
    """
    tall = sorted((m for m in merges if m.last_row > m.first_row), key=lambda m: m.first_row)
    at = 0
    active: list[tuple[Merge, Any]] = []
    for number, cells in rows:
        active = [pair for pair in active if pair[0].last_row >= number]
        while at < len(tall) and tall[at].first_row <= number:
            merge = tall[at]
            at += 1
            if merge.first_row == number and merge.first_column <= len(cells):
                active.append((merge, cells[merge.first_column - 1]))
        if active and any(cell not in (None, "") for cell in cells):
            full = list(cells)
            for merge, value in active:
                column = merge.first_column - 1
                full.extend([None] * (column + 1 - len(full)))
                if number > merge.first_row:
                    full[column] = value
            cells = full
        yield number, cells
