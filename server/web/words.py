"""How values read on a page: moments, deadlines, codes, names of fields. Asia/Shanghai."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from server import errors
from server.core import export_columns
from shared import ledger, protocol, records, vocabulary

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY_MS = 24 * 3600 * 1000
FIRST_MS, LAST_MS = export_columns.FIRST_MS, export_columns.LAST_MS
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def english() -> bool:
    """Whether this page is read in English."""
    return errors.language() == "en"


def local(ms: int) -> datetime:
    """The wall clock in Shanghai at a moment; the nearest that can be written for a wild one.

    A phone's clock may say anything, and no page may fail for it.
    """
    return datetime.fromtimestamp(min(max(ms, FIRST_MS), LAST_MS) / 1000, UTC).astimezone(SHANGHAI)


def start_of_day(day: date) -> int:
    """Midnight in Shanghai, in ms."""
    return int(datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).timestamp() * 1000)


def today(now: int) -> int:
    """When today began, in ms."""
    return start_of_day(local(now).date())


def this_week(now: int) -> int:
    """When Monday began, in ms."""
    day = local(now).date()
    return start_of_day(day - timedelta(days=day.weekday()))


def day(ms: int | None, now: int) -> str:
    """今天, 昨天, 11月23日, 2025年3月1日."""
    if ms is None:
        return ""
    moment, present = local(ms), local(now)
    apart = (present.date() - moment.date()).days
    near = {0: _("今天"), 1: _("昨天"), -1: _("明天")}
    if apart in near:
        return near[apart]
    same_year = moment.year == present.year
    if english():
        text = f"{moment.day} {_MONTHS[moment.month - 1]}"
        return text if same_year else f"{text} {moment.year}"
    text = f"{moment.month}月{moment.day}日"
    return text if same_year else f"{moment.year}年{text}"


def when(ms: int | None, now: int) -> str:
    """The day and, within this year, the time: 今天 14:05."""
    if ms is None:
        return ""
    if local(ms).year != local(now).year:
        return day(ms, now)
    return f"{day(ms, now)} {local(ms):%H:%M}"


def full(ms: int | None) -> str:
    """A moment to the second, for the tool tip."""
    return f"{local(ms):%Y-%m-%d %H:%M:%S}" if ms is not None else ""


def stamp(ms: int | None) -> str:
    """A moment as it stands on paper, which is read on any day."""
    return f"{local(ms):%Y-%m-%d %H:%M}" if ms is not None else ""


def ago(ms: int | None, now: int) -> str:
    """How long a moment lies back, roughly: 3 小时前."""
    if ms is None:
        return _("从未")
    return _("刚刚") if now - ms < 60_000 else _("%(span)s前", span=span(now - ms))


def span(ms: int) -> str:
    """A length of time, roughly: 25 分钟, 3 小时, 12 天."""
    minutes = abs(ms) // 60_000
    if minutes < 60:
        return _("%(n)s 分钟", n=max(1, minutes))
    if minutes < 48 * 60:
        return _("%(n)s 小时", n=minutes // 60)
    return _("%(n)s 天", n=minutes // (24 * 60))


@dataclass(frozen=True)
class Deadline:
    """A deadline in words, with the tone and icon it is shown in; whose clock, and its end (ms)."""

    text: str
    tone: str
    icon: str
    stage: str = ""
    due: int | None = None


def word(kind: str, field: str, code: str | None) -> str:
    """A coded field's value as a person reads it."""
    declared = records.FIELDS[kind][field]
    return vocabulary.word(declared.choices, code, errors.language())


def codes(kind: str, field: str) -> list[tuple[str, str]]:
    """The choices of a coded field, as a form or filter offers them."""
    return [
        (one.code, one.en if english() else one.zh) for one in records.FIELDS[kind][field].choices
    ]


def choice(name: str, code: str | None) -> str:
    """A code of one of the vocabulary's lists: choice("ROLES", "admin")."""
    return vocabulary.word(getattr(vocabulary, name), code, errors.language())


def words(kind: str, field: str, codes: list[str] | None) -> str:
    """The elements of a set field as one text."""
    return vocabulary.words(records.FIELDS[kind][field].choices, codes, errors.language())


def field_name(kind: str, field: str) -> str:
    """What a field is called."""
    if field == records.DELETED:
        return _("是否删除")
    declared = records.FIELDS.get(kind, {}).get(field)
    if declared is None:
        return field
    return declared.en if english() else declared.zh


def kind_name(kind: str) -> str:
    """What a kind of record is called."""
    found = records.KINDS.get(kind)
    return (found.en if english() else found.zh) if found else kind


def action_name(action: str) -> str:
    """What an action of the ledger is called."""
    more = {"report": _("上报"), "resolve_on_spot": _("现场办结")}
    if action in more:
        return more[action]
    zh, en = ledger.entry_words(action)
    return en if english() else zh


def code_title(code: str) -> str:
    """What an error code means."""
    return protocol.title(code, errors.language())


_TWICE = re.compile(r" / |(?<=[）。”])/ ")


def in_language(text: str) -> str:
    """The reader's half of a message that says it twice: "中文 / English", "中文）/ English"."""
    halves = _TWICE.split(text, maxsplit=1)
    return halves[-1 if english() else 0]


def reference_name(record: Any, code: str | None) -> str:
    """A reference record's name; the code where there is none."""
    if record is None:
        return code or ""
    return (english() and record.name_en) or record.name


def value_text(kind: str, field: str, value: Any, names: Mapping[str, str] | None = None) -> str:
    """Any field's value as one text; ``names`` gives names for ids. "" for nothing."""
    if field == records.DELETED:
        return _("删除") if value else _("保留")
    if value is None or value == "" or value == []:
        return ""
    declared = records.FIELDS.get(kind, {}).get(field)
    if declared is None:
        return str(value)
    match declared.type:
        case records.BOOL:
            return _("是") if value else _("否")
        case records.MS:
            return f"{local(value):%Y-%m-%d %H:%M}"
        case records.CODE:
            return (names or {}).get(value) or vocabulary.word(
                declared.choices, value, errors.language()
            )
        case records.SET:
            labels = [(names or {}).get(one, one) for one in value]
            return vocabulary.words(declared.choices, labels, errors.language())
        case records.REF:
            return (names or {}).get(value, _("另一条记录"))
        case records.POSITION:
            return f"{value['lat']:.5f}, {value['lng']:.5f}"
        case records.JSON:
            return _json_text(value)
    return str(value)


def _json_text(value: Any) -> str:
    if isinstance(value, dict):
        return _("；").join(f"{k}{_('：')}{_json_text(v)}" for k, v in value.items())
    if isinstance(value, list):
        return _("、").join(_json_text(one) for one in value)
    return str(value)


def size(number: int | None) -> str:
    """Bytes for a person."""
    kilobytes = (number or 0) / 1024
    return f"{kilobytes / 1024:.1f} MB" if kilobytes >= 1000 else f"{max(1, round(kilobytes))} KB"
