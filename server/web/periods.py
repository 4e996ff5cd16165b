"""The period of time in an address: a month, a quarter, a year, or from a day to a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from flask_babel import gettext as _

from server.web import words

KINDS = ("month", "quarter", "year", "range")
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
LONGEST_DAYS = 5 * 366


@dataclass(frozen=True)
class Span:
    """From a day to a day, both included."""

    kind: str
    first: date
    last: date

    @property
    def start(self) -> int:
        """When it begins, Unix ms."""
        return words.start_of_day(self.first)

    @property
    def end(self) -> int:
        """When the day after it begins, Unix ms."""
        return words.start_of_day(self.last + timedelta(days=1))

    @property
    def text(self) -> str:
        """2026 年 3 月, 2026 年第 1 季度, 2026 年, or its days."""
        match self.kind:
            case "month":
                return _("%(year)s 年 %(month)s 月", year=self.first.year, month=self.first.month)
            case "quarter":
                quarter = (self.first.month + 2) // 3
                return _("%(year)s 年第 %(n)s 季度", year=self.first.year, n=quarter)
            case "year":
                return _("%(year)s 年", year=self.first.year)
        return _("%(first)s 至 %(last)s", first=self.first, last=self.last)

    def beside(self, steps: int) -> Span | None:
        """The period of the same kind before (-1) or after it; None for a chosen range."""
        if self.kind not in _MONTHS:
            return None
        return _whole(self.kind, _months_later(self.first, steps * _MONTHS[self.kind]))


def read(given: Mapping[str, str], now: int) -> Span:
    """The period that an address asks for; without any, this month."""
    today = words.local(now).date()
    kind = given.get("period", "")
    if kind == "range":
        first, last = _day(given.get("since", "")), _day(given.get("until", ""))
        last = last or today
        first = first or last.replace(day=1)
        first, last = min(first, last), max(first, last)
        return Span("range", max(first, last - timedelta(days=LONGEST_DAYS)), last)
    return _whole(kind if kind in _MONTHS else "month", _day(given.get("on", "")) or today)


def _whole(kind: str, day: date) -> Span:
    months = _MONTHS[kind]
    first = day.replace(month=(day.month - 1) // months * months + 1, day=1)
    return Span(kind, first, _months_later(first, months) - timedelta(days=1))


def _months_later(day: date, months: int) -> date:
    number = day.year * 12 + day.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1971 < found.year < 2199 else None
