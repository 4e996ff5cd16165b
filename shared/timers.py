"""Pure: the clocks of a problem: which run, when they end, when somebody is reminded.

Three clocks: dispatch (from the report, or a return, until it is dispatched), accept and handle
(both from the dispatch). The handling clock stands while a problem is suspended and while its
closure waits to be verified. What fell overdue is stored with the moment it fell.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from shared import work_calendar
from shared.work_calendar import DAY, Calendar

SOON, NOW, AFTER = "soon", "now", "after"
WARNING = DAY  # a reminder this long before a deadline, and again this long after it


class Clock(NamedTuple):
    """A running clock: its stage, its end, and the field that says since when it is overdue."""

    stage: str
    due: int
    overdue_field: str


class Event(NamedTuple):
    """Something that happens by itself: at which moment, to which clock or what, how near."""

    at: int
    what: str  # dispatch | accept | handle | resume | archive
    level: str = NOW


DUE_FIELDS = {"dispatch": "dispatch_due_at", "accept": "accept_due_at", "handle": "due_at"}
OVERDUE_FIELDS = {
    "dispatch": "dispatch_overdue_at", "accept": "accept_overdue_at", "handle": "overdue_at",
}  # fmt: skip
_RUNNING = {
    "reported": ("dispatch",),
    "registered": ("dispatch",),
    "reopened": ("dispatch",),
    "dispatched": ("accept", "handle"),
    "in_progress": ("handle",),
}


def clocks(values: Mapping[str, Any]) -> list[Clock]:
    """The clocks that run in the problem's state."""
    found = []
    for stage in _RUNNING.get(values.get("state") or "", ()):
        due = values.get(DUE_FIELDS[stage])
        if due is not None:
            found.append(Clock(stage, due, OVERDUE_FIELDS[stage]))
    return found


def deadline(values: Mapping[str, Any]) -> int | None:
    """The nearest deadline that runs; None while none does."""
    running = [clock.due for clock in clocks(values)]
    if running:
        return min(running)
    if values.get("state") == "closure_requested" and values.get("overdue_at") is not None:
        return values.get("due_at")
    return None


def events(values: Mapping[str, Any], retention: int | None = None) -> list[Event]:
    """All that will happen by itself if nobody acts, in order. ``retention`` in milliseconds."""
    found = []
    for clock in clocks(values):
        for at, level in ((-WARNING, SOON), (0, NOW), (WARNING, AFTER)):
            found.append(Event(clock.due + at, clock.stage, level))
    state = values.get("state")
    if state == "suspended" and values.get("suspended_until") is not None:
        found.append(Event(values["suspended_until"], "resume"))
    if state == "closed" and retention is not None and values.get("closed_at") is not None:
        found.append(Event(values["closed_at"] + retention, "archive"))
    return sorted(found)


def next_event(values: Mapping[str, Any], after: int, retention: int | None = None) -> int | None:
    """The moment of the first event later than ``after``."""
    return next((one.at for one in events(values, retention) if one.at > after), None)


def lapsed(values: Mapping[str, Any], now: int) -> dict[str, int]:
    """The overdue fields to be set by now: field -> the moment it fell."""
    return {
        clock.overdue_field: clock.due
        for clock in clocks(values)
        if clock.due < now and values.get(clock.overdue_field) is None
    }


def resumed_due(values: Mapping[str, Any], at: int, calendar: Calendar) -> int | None:
    """The handling deadline when a clock that stood runs again: as much is left as there was."""
    due, paused = values.get("due_at"), values.get("paused_at")
    if due is None or paused is None or due <= paused:
        return due
    if work_calendar.is_work_unit(values.get("due_unit")):
        left = work_calendar.work_between(calendar, paused, due)
        return work_calendar.add_work(calendar, at, left)
    return int(due + at - paused)


def left(values: Mapping[str, Any], now: int) -> int | None:
    """How long the nearest clock has left, negative when it is overdue; None while none runs."""
    due = deadline(values)
    return None if due is None else due - now
