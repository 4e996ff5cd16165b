"""Working time, limits, clocks: the deadlines that stand in the ledger."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from shared import categories, timers, work_calendar
from shared.work_calendar import DAY, HOUR, Calendar, add, of_years, work_between

CHINA = timezone(timedelta(hours=8))
CALENDAR = of_years([])  # as it is shipped


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=CHINA).timestamp() * 1000)


@pytest.mark.parametrize(
    ("start", "amount", "unit", "end"),
    [
        ("2026-11-25 09:00", 2, "urgent_hour", "2026-11-25 11:00"),
        ("2026-11-27 23:00", 2, "urgent_hour", "2026-11-28 01:00"),  # runs on at night
        ("2026-11-25 09:00", 7, "natural_day", "2026-12-02 09:00"),
        ("2026-11-25 11:00", 2, "work_hour", "2026-11-25 15:00"),  # over the noon rest
        ("2026-11-25 20:00", 1, "work_hour", "2026-11-26 09:00"),
        ("2026-11-27 17:00", 2, "work_hour", "2026-11-30 09:00"),  # over a weekend
        ("2026-11-25 08:00", 1, "work_day", "2026-11-25 18:00"),
        ("2026-11-25 10:00", 1, "work_day", "2026-11-26 10:00"),
        ("2026-09-30 16:00", 1, "work_day", "2026-10-08 16:00"),  # over the National Day holiday
        ("2026-02-13 17:00", 1, "work_day", "2026-02-14 17:00"),  # a Saturday that is worked
        ("2026-02-14 17:00", 1, "work_day", "2026-02-24 17:00"),  # over the Spring Festival
        ("2025-01-26 09:00", 1, "work_day", "2025-01-27 09:00"),  # a Sunday that is worked
        ("2027-01-01 09:00", 1, "work_hour", "2027-01-01 10:00"),  # not known: no holiday
    ],
)
def test_limits_end_when_the_calendar_says(start: str, amount: float, unit: str, end: str) -> None:
    assert add(CALENDAR, ms(start), amount, unit) == ms(end)


def test_years_that_were_not_published_are_told() -> None:
    start, end = ms("2025-12-31 09:00"), ms("2027-01-02 09:00")
    assert work_calendar.unknown_years(CALENDAR, start, end) == [2027]
    edited = of_years([("2027", {"published": True, "off": ["2027-01-01"], "work": []})])
    assert work_calendar.unknown_years(edited, start, end) == []
    assert add(edited, ms("2027-01-01 09:00"), 1, "work_hour") == ms("2027-01-04 09:00")


def test_an_edited_year_stands_for_the_shipped_one_and_nonsense_is_left_out() -> None:
    edited = of_years([("2026", {"off": ["2026-11-25", "soon", 7], "work": None})])
    assert not edited.is_working(datetime(2026, 11, 25).date())
    assert edited.is_working(datetime(2026, 10, 1).date())


def test_working_time_adds_up() -> None:
    calendar = Calendar()
    start = ms("2026-11-25 10:30")
    for hours in (1, 7, 8, 40, 83):
        end = work_calendar.add_work(calendar, start, hours * HOUR)
        assert work_between(calendar, start, end) == hours * HOUR
    assert work_between(calendar, start, start - DAY) == 0


def test_a_category_says_its_limits_in_the_old_form_and_the_new() -> None:
    assert categories.limit({"hours": 168, "unit": "natural_day"}, "handle") == (7, "natural_day")
    assert categories.limit({"hours": 24}, "handle") == (1, "natural_day")
    assert categories.limit({"hours": 16, "unit": "work_day"}, "handle") == (2, "work_day")
    assert categories.limit({"hours": 2, "unit": "urgent_hour"}, "accept") == (0.5, "urgent_hour")
    new = {"limits": {"accept": [2, "work_hour"], "handle": ["x", "y"], "dispatch": None}}
    assert categories.limit(new, "accept") == (2, "work_hour")
    assert categories.limit(new, "handle") == categories.DEFAULTS["handle"]
    assert categories.limit(None, "dispatch") == (1, "work_day")


def problem(state: str, **values: Any) -> dict[str, Any]:
    return {"state": state, **values}


def test_each_state_has_its_clocks() -> None:
    both = problem("dispatched", accept_due_at=10, due_at=99)
    assert [clock.stage for clock in timers.clocks(both)] == ["accept", "handle"]
    assert timers.deadline(both) == 10
    assert timers.deadline(problem("reported", dispatch_due_at=7)) == 7
    assert timers.deadline(problem("suspended", due_at=9)) is None
    assert timers.deadline(problem("closure_requested", due_at=9)) is None
    assert timers.deadline(problem("closure_requested", due_at=9, overdue_at=9)) == 9
    assert timers.deadline(problem("closed", due_at=9)) is None


def test_somebody_is_reminded_the_day_before_at_and_the_day_after() -> None:
    due = 10 * DAY
    values = problem("in_progress", due_at=due)
    moments, at = [], 0
    while (following := timers.next_event(values, at)) is not None:
        moments.append(following)
        at = following
    assert moments == [due - DAY, due, due + DAY]


def test_what_ends_by_itself_is_foreseen() -> None:
    assert timers.next_event(problem("suspended", suspended_until=5), 1) == 5
    closed = problem("closed", closed_at=100)
    assert timers.next_event(closed, 100) is None
    assert timers.next_event(closed, 100, retention=50) == 150


def test_a_clock_that_stood_has_as_much_left_as_before() -> None:
    natural = {"due_at": 100, "paused_at": 40, "due_unit": "natural_day"}
    assert timers.resumed_due(natural, 90, CALENDAR) == 150
    work = {"due_at": ms("2026-11-26 12:00"), "paused_at": ms("2026-11-25 14:00"),
            "due_unit": "work_day"}  # fmt: skip
    resumed = timers.resumed_due(work, ms("2026-12-01 08:00"), CALENDAR)
    assert resumed == ms("2026-12-01 18:00")  # eight working hours
    late = {"due_at": 30, "paused_at": 40, "due_unit": "natural_day"}
    assert timers.resumed_due(late, 90, CALENDAR) == 30
