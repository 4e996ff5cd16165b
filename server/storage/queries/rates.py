"""The three rates over many problems at once: the rules of shared.rates as one SQL expression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal, or_, select, true
from sqlalchemy.orm import Session

from server.core.access import Viewer
from server.storage.database import is_sqlite
from server.storage.models import Problem
from server.storage.queries.paging import COUNTED_TO, PER_PAGE, Page, seen_grids, unindexed
from shared import ids, ledger
from shared.rates import RATES, Rate
from shared.work_calendar import SHIFT

# What the table is made by. An area is the grid itself; the others are those above it.
GROUPS = ("area", "community", "street", "body", "category", "month")
DIGITS = {
    "area": ids.GRID_DIGITS, "community": ids.COMMUNITY_DIGITS, "street": ids.STREET_DIGITS,
}  # fmt: skip


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
    """The rates by one of GROUPS: one pass over the period, in an index that holds all it asks."""
    key = _key(session, by)
    verdicts = [judged(rate, now).label(rate) for rate in RATES]
    query = (
        select(key.label("key"), *verdicts, func.count())
        .where(*_where(session, viewer, period))
        .group_by(key, *verdicts)
    )
    counts: dict[str, dict[str, dict[str, int]]] = {}
    for group, *told, number in session.execute(query):
        found = counts.setdefault(group or "", {rate: {} for rate in RATES})
        for rate, verdict in zip(RATES, told, strict=True):
            found[rate][verdict] = found[rate].get(verdict, 0) + number
    return [_group(group, found) for group, found in sorted(counts.items())]


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
    fitting = select(Problem.id).where(*_where(session, viewer, period), judged(rate, now) == why)
    counted = fitting.with_only_columns(true()).limit(COUNTED_TO + 1).subquery()
    found = session.scalar(select(func.count()).select_from(counted)) or 0
    known = min(found, COUNTED_TO)
    number = min(max(1, number), max(1, -(-known // size)))
    order = (Problem.reported_at.desc(), Problem.id.desc())
    keys = list(session.scalars(fitting.order_by(*order).limit(size).offset((number - 1) * size)))
    rows = {one.id: one for one in session.scalars(select(Problem).where(Problem.id.in_(keys)))}
    return Page([rows[key] for key in keys], number, size, known, found > COUNTED_TO)


def _where(session: Session, viewer: Viewer, period: Period) -> list[ColumnElement[bool]]:
    table = Problem.__table__
    found = [
        Problem.state.in_(ledger.STATES),  # the index begins with it
        Problem.reported_at >= period.start,
        Problem.reported_at < period.end,
        Problem.deleted_at.is_(None),
        seen_grids(unindexed(session, table.c.partition_id), viewer, period.area),
    ]
    if period.body:
        found.append(unindexed(session, table.c.body) == period.body)
    if period.category:
        found.append(unindexed(session, table.c.category) == period.category)
    return found


def _key(session: Session, by: str) -> ColumnElement[Any]:
    match by:
        case "body":
            return Problem.body  # type: ignore[no-any-return]
        case "category":
            return Problem.category  # type: ignore[no-any-return]
        case "month":
            return _month(session)
    return func.substr(Problem.partition_id, len("grid:") + 1, DIGITS[by])


def _month(session: Session) -> ColumnElement[Any]:
    seconds = (Problem.reported_at + SHIFT) / 1000
    if is_sqlite(session):
        return func.strftime("%Y-%m", seconds, "unixepoch")
    return func.to_char(func.timezone("UTC", func.to_timestamp(seconds)), "YYYY-MM")


def _group(key: str, found: dict[str, dict[str, int]]) -> Group:
    rates, out = {}, {}
    for rate, verdicts in found.items():
        good, bad = verdicts.get("good", 0), verdicts.get("bad", 0)
        rates[rate] = Rate(good, good + bad)
        out[rate] = {why: n for why, n in sorted(verdicts.items()) if why not in ("good", "bad")}
    total = sum(found["response"].values())
    return Group(key, total, rates, out)
