"""A page of the ledger's table: from where the last one ended, answered from an index.

A table of a million problems is read in one of three ways, none of which grows with it:

- what a search found, of which only the last that came in are looked at;
- all that an area, a body or a category has, where that is little;
- otherwise a walk along the index of the sorting, state by state. Those indices hold what the
  filters ask, so that no row is read that is not shown.

What there is in all is counted only so far.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    and_,
    case,
    func,
    literal_column,
    or_,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.orm import Session

from server.core.access import Viewer
from server.storage import search
from server.storage.database import any_of, is_sqlite
from server.storage.models import FACETS, Problem
from server.storage.queries import problems
from server.storage.queries.paging import seen_grids
from server.storage.queries.problems import OPEN, ProblemFilter
from server.storage.tables import ProblemBody
from shared import ids, ledger

SIZE = 50
COUNTED_TO = 1000
LOOKED_AT = 4_000  # entries of each state that are looked at to count
LITTLE = 5_000
SPARSE = 1  # as few as these among LOOKED_AT: a walk would go on for too long
SEARCHED = 2_000
TABLE = Problem.__table__
# sorting -> its column, and whether the largest comes first
SORTS: dict[str, tuple[str, bool]] = {
    "due": ("due_key", False),
    "found": ("found_at", True),
    "oldest": ("found_at", False),
    "number": ("number_key", True),
    "received": ("reported_at", True),
}
# By what a filter leaves little -> the columns by which it is looked up.
_LOOKED_UP = {
    "handler": ("id",), "body": ("body", "state"),
}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """Between which rows a page begins: behind the row of ``key`` and ``id``, or ``before`` it."""

    key: Any
    id: str
    before: bool = False


@dataclass(frozen=True)
class LedgerPage:
    """Rows in order; ``total`` as far as it was counted, ``more_than`` if that is not all.

    ``searched``: a search found more than it looked at.
    """

    rows: list[Any]
    has_previous: bool
    has_next: bool
    total: int
    more_than: bool
    searched: bool = False


def key_of(problem: Any, sort: str) -> Any:
    """Where a problem stands in a sorting."""
    return getattr(problem, SORTS[sort][0])


def listed(
    session: Session,
    viewer: Viewer,
    chosen: ProblemFilter,
    place: Place | None,
    now: int,
    size: int = SIZE,
) -> LedgerPage:
    """One page of what a filter shows to a viewer, in the chosen order."""
    back = place is not None and place.before
    searched = False
    query: Select[Any]
    if not states(chosen):
        return LedgerPage([], False, False, 0, False)
    if chosen.text:
        found = problems.sought(session, viewer, chosen)
        if found is None:
            return LedgerPage([], False, False, 0, False)
        newest, searched = search.newest(session, found, SEARCHED)
        query = _few(session, viewer, chosen, now, ("id",)).where(
            any_of(session, TABLE.c.id, newest)
        )
        total, more = _count(session, query)
    elif chosen.flag == "asking":
        query = _few(session, viewer, chosen, now, ("id",)).where(problems.asking())
        total, more = _count(session, query)
    elif (little := _little(session, viewer, chosen)) is not None:
        query = _few(session, viewer, chosen, now, _LOOKED_UP.get(little, (little,)))
        total, more = _count(session, query)
    else:
        total, more, sparse = _count_walking(session, viewer, chosen, now)
        by = next(iter(_asked(viewer, chosen)), "")
        if sparse and by:
            query = _few(session, viewer, chosen, now, _LOOKED_UP.get(by, (by,)))
            return _sorted(session, query, chosen, place, size, total, more)
        wanted = _walk(session, viewer, chosen, place, now, size + 1)
        keys = [row.id for row in session.execute(wanted)]
        return _page(session, keys, size, place, back, total, more, searched)
    return _sorted(session, query, chosen, place, size, total, more, searched)


def _sorted(
    session: Session,
    query: Select[Any],
    chosen: ProblemFilter,
    place: Place | None,
    size: int,
    total: int,
    more: bool,
    searched: bool = False,
) -> LedgerPage:
    """A page of a query that leaves so little that it can be sorted."""
    key, _order, after = _sorting(TABLE.c, chosen.sort, place)
    few: Any = query.where(after).with_only_columns(TABLE.c.id, key.label("key")).cte("few")
    # Else PostgreSQL would walk along the sorting until it meets enough of them.
    few = few.prefix_with("MATERIALIZED", dialect="postgresql")
    _, order, _ = _sorting(few.c, chosen.sort, place, few.c.key)
    keys = list(session.scalars(select(few.c.id).order_by(*order).limit(size + 1)))
    back = place is not None and place.before
    return _page(session, keys, size, place, back, total, more, searched)


def _page(
    session: Session,
    keys: Sequence[str],
    size: int,
    place: Place | None,
    back: bool,
    total: int,
    more: bool,
    searched: bool,
) -> LedgerPage:
    goes_on = len(keys) > size
    keys = keys[:size][::-1] if back else keys[:size]
    known = {one.id: one for one in session.scalars(select(Problem).where(TABLE.c.id.in_(keys)))}
    return LedgerPage(
        [known[key] for key in keys if key in known],
        has_previous=goes_on if back else place is not None,
        has_next=True if back else goes_on,
        total=total,
        more_than=more,
        searched=searched,
    )


def states(chosen: ProblemFilter) -> tuple[str, ...]:
    """The states that a filter shows; none where it asks for what cannot be."""
    found: tuple[str, ...] = (chosen.state,) if chosen.state else ledger.STATES
    if chosen.state == OPEN:
        found = ledger.OPEN_STATES
    if chosen.flag == "overdue":
        found = tuple(state for state in found if state in ledger.LATE_STATES)
    return found


class _Columns:
    """The table's columns, of which SQLite looks up rows by these alone.

    It knows little of what a value leaves, and would sort a tenth of the table to use an index
    that fits a filter. A plus before a column's name keeps it from that.
    """

    def __init__(self, session: Session, *looked_up: str) -> None:
        self.free = not is_sqlite(session)
        self.looked_up = looked_up

    def __getitem__(self, name: str) -> ColumnElement[Any]:
        column: ColumnElement[Any] = TABLE.c[name]
        if self.free or name in self.looked_up:
            return column
        return literal_column(f"+problem.{name}", column.type)

    def __getattr__(self, name: str) -> ColumnElement[Any]:
        return self[name]


def _few(
    session: Session, viewer: Viewer, chosen: ProblemFilter, now: int, looked_up: Sequence[str]
) -> Select[Any]:
    columns = _Columns(session, *looked_up)
    query = select(TABLE.c.id)
    if viewer.may("see_own_problems") and "id" in looked_up and not chosen.text:
        theirs = select(TABLE.c.id).where(
            TABLE.c.body == viewer.body, TABLE.c.state.in_(states(chosen))
        )
        joined = select(ProblemBody.problem_id).where(ProblemBody.body == viewer.body)
        query = query.where(TABLE.c.id.in_(union_all(theirs, joined)))
    return query.where(
        TABLE.c.deleted_at.is_(None),
        columns.state.in_(states(chosen)),
        *problems.received(columns.reported_at, chosen),
        *_conditions(columns, viewer, chosen, now),
    )


def _walk(
    session: Session,
    viewer: Viewer,
    chosen: ProblemFilter,
    place: Place | None,
    now: int,
    limit: int,
) -> Select[Any]:
    """The next ids in order: of each state its next ones, of these the first."""
    key, order, after = _sorting(TABLE.c, chosen.sort, place)
    columns = _Columns(session)
    parts = []
    for state in states(chosen):
        each = (
            select(TABLE.c.id, key.label("key"))
            .where(TABLE.c.state == state, TABLE.c.deleted_at.is_(None), after)
            .where(*_within(viewer, chosen, now), *_conditions(columns, viewer, chosen, now))
            .order_by(*order)
            .limit(limit)
        )
        parts.append(select(each.subquery()))
    merged: Any = union_all(*parts).subquery()
    _, order, _ = _sorting(merged.c, chosen.sort, place, merged.c.key)
    return select(merged.c.id).order_by(*order).limit(limit)


def _sorting(
    columns: Any, sort: str, place: Place | None, key: Any = None
) -> tuple[Any, list[Any], ColumnElement[bool]]:
    """The sorted column, the order, and what lies behind (or before) a place."""
    name, falling = SORTS[sort]
    key = columns[name] if key is None else key
    back = place is not None and place.before
    down = falling != back
    order = [key.desc(), columns.id.desc()] if down else [key.asc(), columns.id.asc()]
    if place is None:
        return key, order, true()
    here, there = tuple_(key, columns.id), tuple_(place.key, place.id)
    return key, order, here < there if down else here > there


def _within(viewer: Viewer, chosen: ProblemFilter, now: int) -> list[ColumnElement[bool]]:
    """What keeps a walk within one range of its index."""
    found = _within_street(viewer, chosen) + problems.received(TABLE.c.reported_at, chosen)
    if chosen.flag == "overdue" and chosen.sort == "due":
        found.append(TABLE.c.due_key < now)  # the nearest deadline where there is one
    return found


def _within_street(viewer: Viewer, chosen: ProblemFilter) -> list[ColumnElement[bool]]:
    """Numbers begin with the place: those of one street stand together, in an index of their own.

    What only lies in one street is walked there, not past all the numbers of the others.
    """
    area = chosen.area or viewer.area_code
    if chosen.sort != "number" or len(area) < ids.STREET_DIGITS:
        return []
    return [TABLE.c.street_key == area[: ids.STREET_DIGITS]]


def _conditions(
    c: Any, viewer: Viewer, chosen: ProblemFilter, now: int
) -> list[ColumnElement[bool]]:
    """What a filter asks beside the state, of columns that the indices of the sortings hold."""
    found = [seen_grids(c.partition_id, viewer, chosen.area)]
    if viewer.may("see_own_problems"):
        found.append(_has_part(c, viewer.body))
    if chosen.category:
        found.append(c.category == chosen.category)
    if chosen.body:
        found.append(c.body == chosen.body)
    match chosen.flag:
        case "overdue":
            found.append(c.deadline_at < now)
        case "supervised" | "hard" | "recurring":
            found.append(c[chosen.flag].is_(True))
    return found


def _has_part(c: Any, body: str) -> ColumnElement[bool]:
    """Dispatched to a body, or with it as a co-body. A handler without a body sees nothing."""
    if not body:
        return c.id.is_(None)  # type: ignore[no-any-return]
    joined = select(ProblemBody.problem_id).where(ProblemBody.body == body)
    return or_(c.body == body, c.id.in_(joined))


def _asked(viewer: Viewer, chosen: ProblemFilter) -> dict[str, ColumnElement[bool]]:
    """By which columns rows can be looked up, those first that leave less."""
    found: dict[str, ColumnElement[bool]] = {}
    if chosen.category:
        found["category"] = TABLE.c.category == chosen.category
    if chosen.body:
        found["body"] = TABLE.c.body == chosen.body
    if viewer.may("see_own_problems"):
        found["handler"] = TABLE.c.body == viewer.body
    if len(chosen.area or viewer.area_code) >= ids.STREET_DIGITS:
        found["partition_id"] = seen_grids(TABLE.c.partition_id, viewer, chosen.area)
    return found


def _little(session: Session, viewer: Viewer, chosen: ProblemFilter) -> str | None:
    """The column by which the filter leaves little, so little that it is sorted as a whole."""
    for name, condition in _asked(viewer, chosen).items():
        if name in _LOOKED_UP:  # its index goes on with the state
            condition = and_(condition, TABLE.c.state.in_(states(chosen)))
        first = select(true()).select_from(TABLE).where(condition).limit(LITTLE + 1).subquery()
        if (session.scalar(select(func.count()).select_from(first)) or 0) <= LITTLE:
            return name
    return None


def _count(session: Session, query: Select[Any]) -> tuple[int, bool]:
    counted = query.with_only_columns(true()).limit(COUNTED_TO + 1).subquery()
    total = session.scalar(select(func.count()).select_from(counted)) or 0
    return min(total, COUNTED_TO), total > COUNTED_TO


def _count_walking(
    session: Session, viewer: Viewer, chosen: ProblemFilter, now: int
) -> tuple[int, bool, bool]:
    """How many there are among the first entries of each state; whether that is not all.

    And whether they are so few that a walk would take long to find a page of them.
    """
    parts = []
    for state in states(chosen):
        looked: Subquery = (
            select(*(TABLE.c[name] for name in ("state", *FACETS)))
            .where(TABLE.c.state == state, TABLE.c.deleted_at.is_(None))
            .where(*_within(viewer, chosen, now))
            .order_by(*_sorting(TABLE.c, chosen.sort, None)[1])
            .limit(LOOKED_AT)
            .subquery()
        )
        fits = and_(*_conditions(looked.c, viewer, chosen, now))
        parts.append(
            select(
                func.count().label("looked"), func.count(case((fits, 1))).label("fits")
            ).select_from(looked)
        )
    rows = session.execute(union_all(*parts)).all()
    total = sum(row.fits for row in rows)
    goes_on = [row.fits for row in rows if row.looked >= LOOKED_AT]
    sparse = max(goes_on, default=LOOKED_AT) <= SPARSE
    return min(total, COUNTED_TO), bool(goes_on) or total > COUNTED_TO, sparse
