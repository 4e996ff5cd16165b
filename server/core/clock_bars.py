"""Pure: how far each clock of a problem is: used, left or over, standing still, ended.

`shared.timers` says which clocks run and when they end; a page also shows those that have not
begun and those that have ended, and how much of the time given was used. Working time counts in
working time: what is left on a Friday evening is no more on Monday morning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from shared import categories, timers, work_calendar
from shared.work_calendar import Calendar

STAGES = categories.STAGES
WAITING, RUNNING, OVER, PAUSED, DONE, LATE, DROPPED = (
    "waiting", "running", "over", "paused", "done", "late", "dropped",
)  # fmt: skip


@dataclass(frozen=True)
class Span:
    """When a clock began and ended, and when it stood in between; None: it has not ended."""

    start: int
    end: int | None = None
    pauses: tuple[tuple[int, int | None], ...] = ()
    dropped: bool = False

    def pause(self, at: int) -> Span:
        """The same, standing from a moment on."""
        return replace(self, pauses=(*self.pauses, (at, None)))

    def go_on(self, at: int) -> Span:
        """The same, running again."""
        return replace(self, pauses=tuple((a, at if b is None else b) for a, b in self.pauses))

    def stop(self, at: int, dropped: bool = False) -> Span:
        """The same, ended; one that stood ended when it began to stand."""
        pauses = tuple(one for one in self.pauses if one[1] is not None)
        end = next((a for a, b in self.pauses if b is None), at)
        return Span(self.start, end, pauses, dropped)


@dataclass(frozen=True)
class Bar:
    """One clock: its stage, state, deadline and unit, and three lengths of the unit's own time.

    ``left`` is negative once it is over; ``used`` of ``total``. Milliseconds.
    """

    stage: str
    state: str
    due: int | None = None
    unit: str = ""
    total: int = 0
    used: int = 0
    left: int = 0

    @property
    def percent(self) -> int:
        """How much of the time given is used, 0 to 100."""
        if self.state == WAITING:
            return 0
        return 100 if self.total <= 0 else max(0, min(100, self.used * 100 // self.total))


def spans(entries: Iterable[Any]) -> dict[str, Span]:
    """Stage -> when its clock began and ended in this round, from the history, oldest first.

    Entries are those of a problem (records.PROGRESS) as objects; attempts change nothing.
    """
    found: dict[str, Span] = {}
    for one in entries:
        at = one.acted_at
        if one.attempt or at is None or (one.from_state == one.to_state):
            continue
        match one.to_state:
            case "reported" | "reopened":
                found = {"dispatch": Span(at)}
            case "registered" if one.action in ("return", "unmerge"):
                found = {"dispatch": Span(at)}
            case "dispatched":
                found = _ended(found, "dispatch", at) | {"accept": Span(at), "handle": Span(at)}
            case "in_progress":
                found = _ended(found, "accept", at)
                if "handle" in found:
                    found["handle"] = found["handle"].go_on(at)
            case "suspended" | "closure_requested":
                if "handle" in found:
                    found["handle"] = found["handle"].pause(at)
            case "closed":
                found = _ended(found, "handle", at)
            case "rejected" | "merged":
                found = _ended(found, "dispatch", at, dropped=True)
    return found


def bars(
    values: Any,
    entries: Iterable[Any],
    data: Mapping[str, Any] | None,
    calendar: Calendar,
    now: int,
) -> list[Bar]:
    """The clocks of a problem in their order; [] for one that never had any.

    ``values`` has the fields of records.PROBLEM as attributes, ``data`` is its category's.
    """
    known = spans(entries)
    found = [_bar(stage, values, known.get(stage), data, calendar, now) for stage in STAGES]
    return found if any(one.state != WAITING for one in found) else []


def unit_of(values: Any, stage: str, data: Mapping[str, Any] | None) -> str:
    """The unit in which a stage's time counts."""
    own = values.due_unit if stage == "handle" else None
    return own or categories.limit(data, stage).unit


def running(
    values: Any, data: Mapping[str, Any] | None, calendar: Calendar, now: int
) -> Bar | None:
    """The nearest clock that runs, without what was used of it; None while none does."""
    fields = ("state", *timers.DUE_FIELDS.values())
    clocks = timers.clocks({name: getattr(values, name) for name in fields})
    if not clocks:
        return None
    nearest = min(clocks, key=lambda clock: clock.due)
    unit = unit_of(values, nearest.stage, data)
    left = _left(calendar, unit, nearest.due, now)
    state = OVER if nearest.due < now else RUNNING
    return Bar(nearest.stage, state, nearest.due, unit, left=left)


def _bar(
    stage: str,
    values: Any,
    span: Span | None,
    data: Mapping[str, Any] | None,
    calendar: Calendar,
    now: int,
) -> Bar:
    due = getattr(values, timers.DUE_FIELDS[stage])
    if span is None or due is None:
        return Bar(stage, WAITING)
    unit = unit_of(values, stage, data)
    standing = [a for a, b in span.pauses if b is None]
    stop = standing[0] if standing else now if span.end is None else span.end
    pauses = [(a, stop if b is None else b) for a, b in span.pauses if a < stop]
    total = _between(calendar, unit, span.start, due) - sum(
        _between(calendar, unit, a, min(b, due)) for a, b in pauses if a < due
    )
    left = _left(calendar, unit, due, stop)
    if left < 0:
        left += sum(_between(calendar, unit, max(a, due), b) for a, b in pauses)
    over = stop > due
    if span.dropped:
        state = DROPPED
    elif span.end is not None:
        state = LATE if over else DONE
    elif standing:
        state = PAUSED
    else:
        state = OVER if over else RUNNING
    return Bar(stage, state, due, unit, max(0, total), max(0, total - left), left)


def _left(calendar: Calendar, unit: str, due: int, now: int) -> int:
    if now <= due:
        return _between(calendar, unit, now, due)
    return -_between(calendar, unit, due, now)


def _between(calendar: Calendar, unit: str, start: int, end: int) -> int:
    if work_calendar.is_work_unit(unit):
        return work_calendar.work_between(calendar, start, end)
    return max(0, end - start)


def _ended(found: dict[str, Span], stage: str, at: int, dropped: bool = False) -> dict[str, Span]:
    span = found.get(stage)
    if span is None or span.end is not None:
        return dict(found)
    return found | {stage: span.stop(at, dropped)}
