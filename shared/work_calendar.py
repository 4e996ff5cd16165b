"""Pure: working time in China: weekends, public holidays and make-up working days.

Times are Unix milliseconds, UTC; days are those of Asia/Shanghai, which has no summer time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

HOUR = 3_600_000
DAY = 24 * HOUR
SHIFT = 8 * HOUR  # Asia/Shanghai against UTC
# Working hours of a working day: 8 in all (GB/T 30428 and DOMAIN).
HOURS = ((8 * HOUR, 12 * HOUR), (14 * HOUR, 18 * HOUR))
WORK_DAY = 8 * HOUR
LONGEST_DAYS = 3660  # nothing is due in more than ten years
_EPOCH = date(1970, 1, 1)
_FILE = Path(__file__).with_name("holidays.json")


@dataclass(frozen=True)
class Calendar:
    """``off``: public holidays; ``work``: weekend days that are worked; ``years``: those known."""

    off: frozenset[date] = frozenset()
    work: frozenset[date] = frozenset()
    years: frozenset[int] = frozenset()

    def is_working(self, day: date) -> bool:
        """Whether a day is worked; in a year that is not known, every Monday to Friday is."""
        if day in self.work:
            return True
        return day.weekday() < 5 and day not in self.off


def of_years(years: Iterable[tuple[str, Mapping[str, Any] | None]]) -> Calendar:
    """The calendar from reference records: (code "2026", {"off": [...], "work": [...]}).

    A year that has no record is as it was shipped. A year whose data says ``published: false``
    holds weekends alone, and counts as not known. Dates that are none are left out.
    """
    off: set[date] = set()
    work: set[date] = set()
    known: set[int] = set()
    for code, given in (shipped() | {code: data or {} for code, data in years}).items():
        off |= set(_dates(given.get("off")))
        work |= set(_dates(given.get("work")))
        if code.isdigit() and given.get("published", True):
            known.add(int(code))
    return Calendar(frozenset(off), frozenset(work), frozenset(known))


@cache
def shipped() -> dict[str, dict[str, Any]]:
    """Year -> {"published", "off", "work"} as the State Council's notices say (holidays.json)."""
    found: dict[str, dict[str, Any]] = json.loads(_FILE.read_text(encoding="utf-8"))["years"]
    return found


def add(calendar: Calendar, at: int, amount: float, unit: str) -> int:
    """The moment ``amount`` units after ``at``. Units: vocabulary.LIMIT_UNITS."""
    match unit:
        case "work_hour":
            return add_work(calendar, at, int(amount * HOUR))
        case "work_day":
            return add_work(calendar, at, int(amount * WORK_DAY))
        case "natural_day":
            return at + int(amount * DAY)
    return at + int(amount * HOUR)


def add_work(calendar: Calendar, at: int, work: int) -> int:
    """The moment by which ``work`` milliseconds of working time have passed since ``at``."""
    left = work
    for begin, end in _spans(calendar, at):
        if left <= end - begin:
            return begin + max(0, left)
        left -= end - begin
    return at + LONGEST_DAYS * DAY


def work_between(calendar: Calendar, start: int, end: int) -> int:
    """How many milliseconds of working time lie between two moments; 0 if the second is earlier."""
    total = 0
    for begin, stop in _spans(calendar, start):
        if begin >= end:
            break
        total += min(stop, end) - begin
    return total


def is_work_unit(unit: str | None) -> bool:
    """Whether a limit counts working time alone."""
    return unit in ("work_hour", "work_day")


def unknown_years(calendar: Calendar, start: int, end: int) -> list[int]:
    """The years between two moments whose public holidays are not known: worth a warning."""
    first, last = day_of(start).year, day_of(max(start, end)).year
    return [year for year in range(first, last + 1) if year not in calendar.years]


def day_of(ms: int) -> date:
    """The day in Asia/Shanghai."""
    return _EPOCH + timedelta(days=day_number(ms))


def day_number(ms: int) -> int:
    """The day in Asia/Shanghai as days since 1970: for a wild moment too, which has no date."""
    return (ms + SHIFT) // DAY


def _spans(calendar: Calendar, at: int) -> Iterator[tuple[int, int]]:
    """The working spans from ``at`` on, the first of them cut."""
    first = day_number(at)
    for number in range(first, first + LONGEST_DAYS):
        if not calendar.is_working(_EPOCH + timedelta(days=number)):
            continue
        midnight = number * DAY - SHIFT
        for begin, end in HOURS:
            if midnight + end > at:
                yield max(at, midnight + begin), midnight + end


def _dates(texts: object) -> Iterator[date]:
    for text in texts if isinstance(texts, list) else ():
        try:
            yield date.fromisoformat(text)
        except (TypeError, ValueError):
            continue
