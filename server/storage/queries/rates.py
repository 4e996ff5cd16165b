"""The three rates over many problems at once: the rules of shared.rates as one SQL expression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from server.core.access import Viewer
from server.storage.database import is_sqlite
from server.storage.models import Problem
from server.storage.queries.paging import COUNTED_TO, PER_PAGE, Page, seen_grids, unindexed
from shared import ids
from shared.rates import RATES, Rate
from shared.work_calendar import DAY, SHIFT

# What the table is made by. An area is the grid itself; the others are those above it.
GROUPS = ("area", "community", "street", "body", "category", "month")
DIGITS = {
    "area": ids.GRID_DIGITS, "community": ids.COMMUNITY_DIGITS, "street": ids.STREET_DIGITS,
}  # fmt: skip
# How a settled problem's verdicts are written (server.storage.models.LEDGER_KEYS).
LETTERS = {
    "g": "good", "b": "bad", "r": "rejected", "m": "merged", "s": "on_the_spot",
    "n": "not_registered", "d": "not_dispatched", "l": "no_limit", "c": "not_called",
}  # fmt: skip
CODES = ("rrr", "mmm", "sss", "nnn", *(one + two for one in "dlgb" for two in ("gc", "gb", "gg")))
SETTLED_STATES = ("closed", "archived", "rejected", "merged")
BRIEF = 100 * DAY
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Group:
    """One row of the table: its key (a code, a month, "" for what has none), and each rate.

    ``left_out``: rate -> reason of shared.rates.LEFT_OUT -> how many.
    """

    key: str
    total: int
    rates: dict[str, Rate]
    left_out: dict[str, dict[str, int]]


@dataclass(frozen=True)
class Period:
    """What came in (reported_at) from ``start`` to before ``end``, Unix ms; and where and what."""

    start: int
    end: int
    area: str = ""
    body: str = ""
    category: str = ""


def judged(rate: str, now: int) -> ColumnElement[str]:
    """ "good", "bad", or why an entry is left out: shared.rates.judge in SQL."""
    p = Problem
    first = [
        (p.state.in_(("rejected", "merged")), p.state),
        (and_(p.solved_on_spot.is_(True), p.registered_at.is_(None)), literal("on_the_spot")),
        (p.registered_at.is_(None), literal("not_registered")),
    ]
    match rate:
        case "response":
            more = [
                (p.dispatched_at.is_(None), literal("not_dispatched")),
                (p.accept_due_at.is_(None), literal("no_limit")),
                (p.accepted_at <= p.accept_due_at, literal("good")),
                (or_(p.accepted_at.is_not(None), p.accept_due_at < now), literal("bad")),
            ]
            last = "running"
        case "resolution":
            more = [
                (p.state.in_(("closed", "archived")), literal("good")),
                (p.overdue_at.is_not(None), literal("bad")),
                (p.state.in_(("suspended", "closure_requested")), literal("paused")),
                (p.due_at.is_(None), literal("not_dispatched")),
                (p.due_at < now, literal("bad")),
            ]
            last = "running"
        case _:
            more = [
                (p.satisfaction == "unsatisfied", literal("bad")),
                (p.satisfaction.is_not(None), literal("good")),
                (p.state.in_(("closed", "archived")), literal("not_called")),
            ]
            last = "not_closed"
    whole: ColumnElement[str] = case(*first, *more, else_=literal(last))
    return whole


def grouped(session: Session, viewer: Viewer, period: Period, by: str, now: int) -> list[Group]:
    """The rates by one of GROUPS: what is settled is counted by its letters, the rest is judged."""
    key = _key(by)
    verdicts = [judged(rate, now).label(rate) for rate in RATES]
    counts: dict[str, dict[str, dict[str, int]]] = {}

    def add(group: str | None, told: Sequence[str], number: int) -> None:
        found = counts.setdefault(group or "", {rate: {} for rate in RATES})
        for rate, verdict in zip(RATES, told, strict=True):
            found[rate][verdict] = found[rate].get(verdict, 0) + number

    for group, letters, number in session.execute(_counting(session, viewer, period, by)):
        add(_named(by, group), [LETTERS[letter] for letter in letters], number)
    rest = select(key, *verdicts, func.count()).where(*_unsettled(session, viewer, period))
    for group, *told, number in session.execute(rest.group_by(key, *verdicts)):
        add(_named(by, group), told, number)
    return [_group(group, found) for group, found in sorted(counts.items())]


def _counting(session: Session, viewer: Viewer, period: Period, by: str) -> Select[Any]:
    """(group, letters, how many) of what is settled.

    Counted by place first, as its index has it: that is the order by which SQLite takes this index,
    and where a group is a place nothing needs to be sorted.
    """
    key, settled, where = _key(by), Problem.settled, _settled(session, viewer, period, by)
    if _is_brief(viewer, period, by) or not is_sqlite(session):
        return select(key, settled, func.count()).where(*where).group_by(key, settled)
    place = Problem.partition_id
    parts = (place, settled) if by in DIGITS else (place, settled, key)
    each = select(key.label("key"), settled.label("settled"), func.count().label("number"))
    some = each.where(*where).group_by(*parts).subquery()
    total = func.sum(some.c.number)
    return select(some.c.key, some.c.settled, total).group_by(some.c.key, some.c.settled)


def total(groups: list[Group]) -> Group:
    """All groups together."""
    rates, out = {}, {}
    for rate in RATES:
        judged_ = [one.rates[rate] for one in groups]
        rates[rate] = Rate(sum(r.good for r in judged_), sum(r.counted for r in judged_))
        reasons: dict[str, int] = {}
        for one in groups:
            for why, number in one.left_out[rate].items():
                reasons[why] = reasons.get(why, 0) + number
        out[rate] = dict(sorted(reasons.items()))
    return Group("", sum(one.total for one in groups), rates, out)


def left_out(
    session: Session, viewer: Viewer, period: Period, rate: str, why: str, now: int,
    number: int = 1, size: int = PER_PAGE,
) -> Page[Any]:  # fmt: skip
    """A page of the entries that a rate leaves out for one reason, the latest first."""
    upto = COUNTED_TO + 1
    order = (Problem.reported_at.desc(), Problem.id.desc())
    fitting = select(Problem.id, Problem.reported_at).order_by(*order).limit(upto)
    place = RATES.index(rate)
    codes = [code for code in CODES if LETTERS[code[place]] == why]
    # Settled ones state by state, each along the index of when they came in.
    parts = [
        fitting.where(
            Problem.state == state, Problem.settled.in_(codes), Problem.deleted_at.is_(None),
            *_asked(session, viewer, period),
        )
        for state in SETTLED_STATES
        if codes
    ]  # fmt: skip
    parts.append(fitting.where(*_unsettled(session, viewer, period), judged(rate, now) == why))
    every = union_all(*(select(part.subquery()) for part in parts)).subquery()
    some = select(every.c.id).limit(upto).subquery()
    found = session.scalar(select(func.count()).select_from(some)) or 0
    known = min(found, COUNTED_TO)
    number = min(max(1, number), max(1, -(-known // size)))
    latest = select(every.c.id).order_by(every.c.reported_at.desc(), every.c.id.desc())
    keys = list(session.scalars(latest.limit(size).offset((number - 1) * size)))
    rows = {one.id: one for one in session.scalars(select(Problem).where(Problem.id.in_(keys)))}
    return Page([rows[key] for key in keys], number, size, known, found > COUNTED_TO)


def _asked(
    session: Session, viewer: Viewer, period: Period, by_place: bool = False
) -> list[ColumnElement[bool]]:
    """The period, place, body and category; looked up by the place, else by the period."""
    table = Problem.__table__
    came = unindexed(session, table.c.reported_at) if by_place else table.c.reported_at
    where = table.c.partition_id if by_place else unindexed(session, table.c.partition_id)
    found = [came >= period.start, came < period.end, seen_grids(where, viewer, period.area)]
    if period.body:
        found.append(unindexed(session, table.c.body) == period.body)
    if period.category:
        found.append(unindexed(session, table.c.category) == period.category)
    return found


def _settled(
    session: Session, viewer: Viewer, period: Period, by: str
) -> list[ColumnElement[bool]]:
    """What is settled: a short period of a large area by when it came in, else by the place."""
    brief = _is_brief(viewer, period, by)
    found = [Problem.settled.is_not(None), Problem.deleted_at.is_(None)]
    if brief:  # its index begins with the state
        found.append(Problem.state.in_(SETTLED_STATES))
    return found + _asked(session, viewer, period, by_place=not brief)


def _is_brief(viewer: Viewer, period: Period, by: str) -> bool:
    """A large area of which the period is short, or what is asked for is no place."""
    large = len(period.area or viewer.area_code) < ids.STREET_DIGITS
    return large and (by not in DIGITS or period.end - period.start <= BRIEF)


def _unsettled(session: Session, viewer: Viewer, period: Period) -> list[ColumnElement[bool]]:
    """What now decides on, in an index of its own."""
    return [
        Problem.settled.is_(None), Problem.deleted_at.is_(None), *_asked(session, viewer, period),
    ]  # fmt: skip


def _key(by: str) -> ColumnElement[Any]:
    match by:
        case "body":
            return Problem.body  # type: ignore[no-any-return]
        case "category":
            return Problem.category  # type: ignore[no-any-return]
        case "month":
            day: ColumnElement[Any] = (Problem.reported_at + SHIFT) // DAY
            return day  # days are put together to months afterwards
    return func.substr(Problem.partition_id, len("grid:") + 1, DIGITS[by])


def _named(by: str, group: Any) -> str | None:
    """A group's key: of a month the days since 1970 were counted."""
    if by != "month":
        return group  # type: ignore[no-any-return]
    return f"{EPOCH + timedelta(days=int(group)):%Y-%m}"


def _group(key: str, found: dict[str, dict[str, int]]) -> Group:
    rates, out = {}, {}
    for rate, verdicts in found.items():
        good, bad = verdicts.get("good", 0), verdicts.get("bad", 0)
        rates[rate] = Rate(good, good + bad)
        out[rate] = {why: n for why, n in sorted(verdicts.items()) if why not in ("good", "bad")}
    total = sum(found["response"].values())
    return Group(key, total, rates, out)
