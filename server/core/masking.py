"""Pure: hide personal data in exports and lists: 张*, 138****1234, no door numbers.

Fields that hold a name, a telephone number or a door are masked whole. In free text only what can
be recognised is hidden: telephone and ID numbers, door numbers, and the names and doors that the
caller knows to belong to the record.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from shared.masking import HIDDEN as HIDDEN
from shared.masking import mask_name as mask_name
from shared.masking import mask_phone as mask_phone

# What people type with a Chinese input method.
_PLAIN = str.maketrans("０１２３４５６７８９＋Ｘｘ", "0123456789+Xx")
_DASH = r"[-－—–_ \t]"
_DATE = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_ID_NUMBER = re.compile(
    rf"(?<!\d)\d{{6}}(?:18|19|20)\d\d{_DATE}\d{{3}}[\dXx](?!\d)|(?<!\d)\d{{8}}{_DATE}\d{{3}}(?!\d)"
)
_MOBILE = re.compile(rf"(?<!\d)((?:\+?86{_DASH}?)?1[3-9]\d){_DASH}?\d{{4}}{_DASH}?(\d{{4}})(?!\d)")
_LANDLINE = re.compile(rf"(?<!\d)(0\d{{2,3}}){_DASH}?\d{{3,4}}(\d{{4}})(?!\d)")
_LOCAL = re.compile(r"(?<![\d-])(?!(?:19|20)\d\d(?:0[1-9]|1[0-2]))[2-9]\d{2,3}(\d{4})(?!\d)")

# What follows a door's number, unless it begins a word of its own: 501室温, 501户主, 501房东.
_ROOM = "室(?![温内外])"
_SIGN = f"(?:{_ROOM}|户(?![主籍型内外口])|房(?![东屋租子顶])|号)"
_NUMBER = r"(?:\d{1,5}|[〇零一二三四五六七八九十]{1,6})"
# No floor and no unit has three digits: 302楼上 is above door 302, 3楼上 is the third floor.
_LONG = r"(?:\d{3,5}|[〇零一二三四五六七八九]{3,4})"
_DOOR = re.compile(
    # 2单元501, 3号楼501室, 3-2-501, and 501室 or 东户 by itself
    rf"(?P<head>{_NUMBER}\s*(?:单元|号?楼|栋|幢|座|门)\s*(?:\d{{1,2}}\s*[层楼]\s*)?{_DASH}?\s*)"
    rf"(?:{_LONG}(?!\s*(?:号楼|栋|幢|座|\d))|{_NUMBER}(?!\s*(?:单元|号?楼|栋|幢|座|层|\d)))"
    rf"(?:\s*{_SIGN})?(?!院)"
    rf"|(?P<triple>(?<!\d)\d{{1,3}}{_DASH}\d{{1,2}}{_DASH})\d{{2,4}}(?!{_DASH}?\d)"
    rf"|(?<!\d)(?:\d{{2,5}}|[〇零一二三四五六七八九]{{3,4}})\s*(?:{_ROOM}|号房|房间|(?=室))"
    rf"|(?<![\d〇零一二三四五六七八九十]){_LONG}(?=\s*楼[上下])"
    rf"|(?<=[层楼元])[东西南北中]{{1,2}}户"
)
# A village's doors: 张庄村12号 at the very end, but not 12号院 or 12号楼.
_HOUSE = re.compile(r"(?<=[村庄组巷弄里胡同])\d{1,5}\s*号\s*$")


def mask_door(door: str | None) -> str:
    """A door number, hidden."""
    return HIDDEN if (door or "").strip() else ""


def mask_address(address: str | None, doors: Iterable[str | None] = ()) -> str:
    """An address down to the building and unit. ``doors`` are door numbers known to be in it."""
    text = _hide_numbers(address or "")
    text = _hide_doors(text)
    text = _HOUSE.sub(HIDDEN, text)
    for door in _known(doors):
        if door in text:
            text = _door_in_address(door).sub(HIDDEN, text)
    return text


def mask_text(
    text: str | None, names: Iterable[str | None] = (), doors: Iterable[str | None] = ()
) -> str:
    """Free text without telephone, ID and door numbers, and with the known names masked."""
    masked = _hide_doors(_hide_numbers(text or ""))
    for name in _longest_first(names):
        masked = masked.replace(name, mask_name(name))
    for door in _known(doors):
        if len(door) >= 2 and door in masked:
            masked = _door_in_text(door).sub(HIDDEN, masked)
    return masked


def mask_position(position: dict[str, float] | None) -> dict[str, float] | None:
    """A position to about 100 metres: the neighbourhood, not the door."""
    if not position:
        return None
    return {"lat": round(position["lat"], 3), "lng": round(position["lng"], 3)}


def _hide_numbers(text: str) -> str:
    text = _ID_NUMBER.sub("******", text.translate(_PLAIN))
    text = _MOBILE.sub(lambda m: f"{_last_three(m[1])}****{m[2]}", text)
    text = _LANDLINE.sub(r"\1****\2", text)
    return _LOCAL.sub(r"****\1", text)


def _last_three(head: str) -> str:
    return re.sub(r"\D", "", head)[-3:]


def _hide_doors(text: str) -> str:
    return _DOOR.sub(lambda m: (m["head"] or m["triple"] or "") + HIDDEN, text)


def _known(doors: Iterable[str | None]) -> list[str]:
    """Known doors as they stand in a text: 302室 also as 302."""
    plain = [(door or "").translate(_PLAIN).strip() for door in doors]
    return _longest_first([*plain, *(re.sub(r"(?<=\d)[室户号]$", "", door) for door in plain)])


def _door_in_address(door: str) -> re.Pattern[str]:
    if not door.isdigit():
        return _other_door(door) if len(door) > 1 else re.compile(rf"{re.escape(door)}\s*$")
    return re.compile(_whole_number(door))


def _door_in_text(door: str) -> re.Pattern[str]:
    """A short number is a door only where something says so: 12月 is none, 2单元12 is one."""
    if not door.isdigit():
        return _other_door(door)
    number = _whole_number(door)
    if len(door) > 2:
        return re.compile(number)
    return re.compile(rf"(?<=[元楼层栋幢座门-]){number}|{number}(?=室|户|房|号|$)")


def _other_door(door: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\d*]){re.escape(door)}(?!\d)")


def _whole_number(door: str) -> str:
    """The number by itself, but not in 101号院, 101号楼, 南路101号某院, nor as an amount."""
    short = len(door) < 3
    none = r"号?院|[栋幢座元年路]|块钱|平" + (r"|号?楼|单元|层" if short else r"|号楼(?![上下])")
    return (
        rf"(?<![\d*.])(?<!\d[:：]){door}(?!\d|\.\d|\s*(?:{none}))"
        rf"(?!(?<=[路街道]{door})号(?![门家户])\w)"
    )


def _longest_first(values: Iterable[str | None]) -> list[str]:
    """What is worth hiding: longest first, so that no part of a longer one is left over."""
    return sorted({value.strip() for value in values if value and value.strip()}, key=len)[::-1]
