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
    or_,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.orm import Session

from server.core.access import Viewer
from server.storage import search
from server.storage.models import FACETS, Problem
from server.storage.queries import problems
from server.storage.queries.paging import seen_grids
from server.storage.queries.problems import OPEN, ProblemFilter
from server.storage.tables import ProblemBody
from shared import ids, ledger

SIZE = 50
COUNTED_TO = 1000
LOOKED_AT = 10_000  # entries of each state that are looked at to count
LITTLE = 5_000
SEARCHED = 2_000
TABLE = Problem.__table__
# sorting -> its column, and whether the largest comes first
SORTS: dict[str, tuple[str, bool]] = {
    "due": ("due_key", False),
    "found": ("found_at", True),
    "oldest": ("found_at", False),
    "number": ("number_key", True),
}
_HINTS = {"partition_id": "partition_id_state", "body": "body_state_due_at"}


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
    if chosen.text:
        found = problems.sought(session, viewer, chosen)
        if found is None:
            return LedgerPage([], False, False, 0, False)
        newest = list(session.scalars(search.matches(session, found, SEARCHED + 1)))
        searched = len(newest) > SEARCHED
        query = _few(session, viewer, chosen, now).where(
            TABLE.c.id.in_(newest[:SEARCHED]) if newest else TABLE.c.id.is_(None)
        )
        total, more = _count(session, query)
    elif (little := _little(session, viewer, chosen)) is not None:
        query = _few(session, viewer, chosen, now)
        if little in _HINTS:
            query = query.with_hint(TABLE, f"INDEXED BY ix_problem_{_HINTS[little]}", "sqlite")
        total, more = _count(session, query)
    else:
        total, more = _count_walking(session, viewer, chosen, now)
        wanted = _walk(session, viewer, chosen, place, now, size + 1)
        keys = [row.id for row in session.execute(wanted)]
        return _page(session, keys, size, place, back, total, more, searched)
    _key, order, after = _sorting(TABLE.c, chosen.sort, place)
    query = query.where(after).order_by(*order).limit(size + 1)
    return _page(session, list(session.scalars(query)), size, place, back, total, more, searched)


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
    """The states that a filter shows."""
    if chosen.state == OPEN:
        return ledger.OPEN_STATES
    return (chosen.state,) if chosen.state else ledger.STATES


def _few(session: Session, viewer: Viewer, chosen: ProblemFilter, now: int) -> Select[Any]:
    return select(TABLE.c.id).where(
        TABLE.c.deleted_at.is_(None),
        TABLE.c.state.in_(states(chosen)),
        *_conditions(TABLE.c, viewer, chosen, now),
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
    parts = []
    for state in states(chosen):
        each = (
            select(TABLE.c.id, key.label("key"))
            .where(TABLE.c.state == state, TABLE.c.deleted_at.is_(None), after)
            .where(*_conditions(TABLE.c, viewer, chosen, now))
            .order_by(*order)
            .limit(limit)
            .with_hint(TABLE, f"INDEXED BY ix_problem_by_{SORTS[chosen.sort][0]}", "sqlite")
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
            found.append(or_(c.overdue_at.is_not(None), c.due_at < now))
            found.append(c.state.in_(problems.RUNNING))
        case "supervised" | "hard" | "recurring":
            found.append(c[chosen.flag].is_(True))
    return found


def _has_part(c: Any, body: str) -> ColumnElement[bool]:
    """Dispatched to a body, or with it as a co-body. A handler without a body sees nothing."""
    if not body:
        return c.id.is_(None)  # type: ignore[no-any-return]
    joined = select(ProblemBody.problem_id).where(ProblemBody.body == body)
    return or_(c.body == body, c.id.in_(joined))


def _little(session: Session, viewer: Viewer, chosen: ProblemFilter) -> str | None:
    """The column by which the filter leaves little, so little that it is sorted as a whole."""
    area = chosen.area or viewer.area_code
    asked: list[tuple[str, ColumnElement[bool]]] = []
    if area != ids.ROOT_AREA:
        asked.append(("partition_id", seen_grids(TABLE.c.partition_id, viewer, chosen.area)))
    if chosen.body:
        asked.append(("body", TABLE.c.body == chosen.body))
    if chosen.category:
        asked.append(("category", TABLE.c.category == chosen.category))
    if viewer.may("see_own_problems"):
        asked.append(("handler", TABLE.c.body == viewer.body))
    for name, condition in asked:
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
) -> tuple[int, bool]:
    """How many there are among the first entries of each state; whether that is not all."""
    parts = []
    for state in states(chosen):
        looked: Subquery = (
            select(*(TABLE.c[name] for name in ("state", *FACETS)))
            .where(TABLE.c.state == state, TABLE.c.deleted_at.is_(None))
            .limit(LOOKED_AT)
            .with_hint(TABLE, f"INDEXED BY ix_problem_by_{SORTS[chosen.sort][0]}", "sqlite")
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
    more = any(row.looked >= LOOKED_AT for row in rows)
    return min(total, COUNTED_TO), more or total > COUNTED_TO
