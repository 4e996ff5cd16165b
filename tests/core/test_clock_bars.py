"""How far a problem's clocks are: used, left, over, standing, in natural and in working time."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from server.core import clock_bars
from shared.work_calendar import DAY, HOUR, WORK_DAY, of_years

CALENDAR = of_years([])
MONDAY = 1_773_014_400_000  # 2026-03-09 08:00 in Shanghai
NATURAL = {"limits": {stage: [2, "natural_day"] for stage in clock_bars.STAGES}}
WORKING = {"limits": {stage: [2, "work_day"] for stage in clock_bars.STAGES}}


def entry(action: str, before: str | None, after: str, at: int, **more: Any) -> Any:
    values = {"action": action, "from_state": before, "to_state": after, "acted_at": at}
    return SimpleNamespace(**{"attempt": None, **values, **more})


def problem(state: str, unit: str | None = None, **due: int) -> Any:
    fields = {"dispatch_due_at": None, "accept_due_at": None, "due_at": None}
    return SimpleNamespace(state=state, due_unit=unit, **{**fields, **due})


def bars(values: Any, entries: list[Any], data: Any, now: int) -> dict[str, clock_bars.Bar]:
    return {one.stage: one for one in clock_bars.bars(values, entries, data, CALENDAR, now)}


REPORTED = [entry("report", None, "reported", MONDAY)]
DISPATCHED = [
    *REPORTED,
    entry("register", "reported", "registered", MONDAY + HOUR),
    entry("dispatch", "registered", "dispatched", MONDAY + 2 * HOUR),
]
ACCEPTED = [*DISPATCHED, entry("accept", "dispatched", "in_progress", MONDAY + 3 * HOUR)]


def test_a_clock_runs_then_is_over_and_later_ones_wait() -> None:
    values = problem("reported", dispatch_due_at=MONDAY + 2 * DAY)
    early = bars(values, REPORTED, NATURAL, MONDAY + DAY)
    assert (early["dispatch"].state, early["dispatch"].percent) == ("running", 50)
    assert early["dispatch"].left == DAY and early["accept"].state == "waiting"
    late = bars(values, REPORTED, NATURAL, MONDAY + 3 * DAY)["dispatch"]
    assert (late.state, late.left, late.percent) == ("over", -DAY, 100)


def test_working_time_is_told_in_working_time() -> None:
    friday = MONDAY + 4 * DAY
    begun = [entry("report", None, "reported", friday)]
    values = problem("reported", dispatch_due_at=friday + 3 * DAY + 10 * HOUR)  # Monday's end
    on_sunday = bars(values, begun, WORKING, friday + 2 * DAY)["dispatch"]
    assert on_sunday.total == 2 * WORK_DAY and on_sunday.left == WORK_DAY
    assert on_sunday.percent == 50


def test_what_ended_in_time_and_what_ended_late() -> None:
    values = problem(
        "in_progress", "natural_day", dispatch_due_at=MONDAY + HOUR,
        accept_due_at=MONDAY + 4 * HOUR, due_at=MONDAY + 2 * HOUR + 2 * DAY,
    )  # fmt: skip
    found = bars(values, ACCEPTED, NATURAL, MONDAY + 2 * HOUR + DAY)
    assert (found["dispatch"].state, found["dispatch"].left) == ("late", -HOUR)
    assert (found["accept"].state, found["accept"].used) == ("done", HOUR)
    assert found["handle"].percent == 50


def test_a_suspended_clock_stands_and_the_pause_is_not_used_afterwards() -> None:
    start, asleep = MONDAY + 2 * HOUR, MONDAY + 2 * HOUR + DAY
    slept = [*ACCEPTED, entry("approve_suspend", "in_progress", "suspended", asleep)]
    values = problem("suspended", "natural_day", due_at=start + 2 * DAY)
    standing = bars(values, slept, NATURAL, asleep + 30 * DAY)["handle"]
    assert (standing.state, standing.left, standing.percent) == ("paused", DAY, 50)
    awake = [*slept, entry("resume", "suspended", "in_progress", asleep + 10 * DAY)]
    values = problem("in_progress", "natural_day", due_at=start + 12 * DAY)  # as `resume` sets it
    running = bars(values, awake, NATURAL, asleep + 10 * DAY + 12 * HOUR)["handle"]
    assert (running.total, running.used, running.left) == (2 * DAY, 36 * HOUR, 12 * HOUR)


def test_a_closed_problem_used_what_it_had_used_when_closure_was_asked() -> None:
    start = MONDAY + 2 * HOUR
    road = [
        *ACCEPTED,
        entry("request_closure", "in_progress", "closure_requested", start + DAY),
        entry("close", "closure_requested", "closed", start + 9 * DAY),
    ]
    values = problem("closed", "natural_day", due_at=start + 2 * DAY)
    handle = bars(values, road, NATURAL, start + 20 * DAY)["handle"]
    assert (handle.state, handle.used) == ("done", DAY)


def test_a_return_begins_the_dispatch_anew_and_an_attempt_changes_nothing() -> None:
    again = MONDAY + 5 * HOUR
    road = [
        *DISPATCHED,
        entry("return", "dispatched", "registered", again),
        entry("accept", "registered", "registered", again + HOUR, attempt=True),
    ]
    values = problem("registered", dispatch_due_at=again + 2 * DAY)
    found = bars(values, road, NATURAL, again + DAY)
    assert found["dispatch"].used == DAY and found["handle"].state == "waiting"


def test_what_never_had_a_clock_has_no_bars() -> None:
    on_spot = [entry("resolve_on_spot", "", "closed", MONDAY)]
    assert bars(problem("closed"), on_spot, NATURAL, MONDAY) == {}
