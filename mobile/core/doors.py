"""Doors as a worker walks past them: natural order, one-line addresses, what a search matches."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

_DIGITS = re.compile(r"\d+")
_NUMERALS = re.compile(r"[一二三四五六七八九十]+")
_ONES = {numeral: value for value, numeral in enumerate("一二三四五六七八九", start=1)}
_BREAK = "\x1f"
_ASCII_WORD = re.compile(r"[0-9A-Za-z-]+")


def plain(text: str) -> str:
    """Text as it is compared: full-width characters narrowed, lower case, no outer blanks."""
    return unicodedata.normalize("NFKC", text).strip().lower()


def _numeral(match: re.Match[str]) -> str:
    tens, found, ones = match[0].rpartition("十")
    if len(tens) > 1 or len(ones) > 1:
        return match[0]  # not a number below a hundred
    value = _ONES.get(ones, 0)
    if found:
        value += 10 * _ONES.get(tens, 1)
    return str(value)


def natural_key(text: str | None) -> str:
    """A key that sorts 2 before 10 and 三单元 before 十单元."""
    narrowed = _NUMERALS.sub(_numeral, plain(text or ""))
    return _DIGITS.sub(lambda match: match[0].lstrip("0").rjust(9, "0"), narrowed)


def stair_key(values: Mapping[str, Any]) -> str:
    """Where a door stands in its compound: building, unit, door."""
    parts = (values.get("building"), values.get("unit"), values.get("door"))
    return _BREAK.join(natural_key(part) for part in parts)


def with_word(part: str | None, word: str) -> str:
    """``3`` becomes ``3号楼``; what already says what it is stays."""
    text = (part or "").strip()
    return f"{text}{word}" if _ASCII_WORD.fullmatch(text) else text


def address_line(values: Mapping[str, Any], compound_name: str = "") -> str:
    """One line: 幸福里 3号楼2单元501. The standard address where no door is known."""
    stair = with_word(values.get("building"), "号楼") + with_word(values.get("unit"), "单元")
    stair += (values.get("door") or "").strip()
    if not stair:
        return (values.get("address") or compound_name or "").strip()
    return f"{compound_name} {stair}".strip()


# kind -> the fields that a search on the phone looks at.
_SEARCHED: dict[str, tuple[str, ...]] = {
    "household": ("contact_name", "address", "building", "unit", "door", "contact_phone"),
    "compound": ("name", "address", "steward"),
    "problem": ("ledger_no", "description", "place"),
    "resident": ("name", "phone"),
}


def search_text(kind: str, values: Mapping[str, Any]) -> str:
    """The text that a search is matched against; "" for a kind that is not searched."""
    found = [values.get(name) for name in _SEARCHED.get(kind, ())]
    parts = [plain(part) for part in found if isinstance(part, str) and part]
    if kind == "household":
        parts.append(plain(address_line(values)).replace(" ", ""))
    return _BREAK.join(parts)


def sort_key(kind: str, values: Mapping[str, Any]) -> str:
    """The key a kind's list is ordered by; "" where time orders it."""
    if kind == "household":
        return stair_key(values)
    name = values.get("name") if kind != "resident" else None  # not kept where it can be read
    return natural_key(name) if isinstance(name, str) else ""
