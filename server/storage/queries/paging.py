"""Lists in pages, and conditions that every list shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, and_, func, literal_column, select, true
from sqlalchemy.orm import Session

from server.core.access import Viewer, grid_range
from server.storage.database import is_sqlite
from shared import ids

PER_PAGE = 50
COUNTED_TO = 10_000  # counting further would read the whole table for a number nobody needs

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list. ``total`` is counted up to COUNTED_TO; ``more_than`` says it went on."""

    rows: list[T]
    number: int
    size: int
    total: int
    more_than: bool = False

    @property
    def last(self) -> int:
        """The number of the last page that can be asked for."""
        return max(1, -(-self.total // self.size))

    @property
    def first_row(self) -> int:
        """The place of this page's first row in the list, from 1."""
        return (self.number - 1) * self.size + 1


def page_of(session: Session, query: Select[Any], number: int, size: int = PER_PAGE) -> Page[Any]:
    """A page of an ordered query of one entity, with the count of all its rows."""
    bare = query.order_by(None).with_only_columns(true(), maintain_column_froms=True)
    counted = bare.limit(COUNTED_TO + 1).subquery()
    total = session.scalar(select(func.count()).select_from(counted)) or 0
    more_than = total > COUNTED_TO
    total = min(total, COUNTED_TO)
    number = min(max(1, number), max(1, -(-total // size)))
    rows = list(session.scalars(query.limit(size).offset((number - 1) * size)))
    return Page(rows, number, size, total, more_than)


def in_grids(column: Any, area_code: str) -> ColumnElement[bool]:
    """A partition id lies among the grids of a subtree: one range of an index."""
    low, high = grid_range(area_code)
    return and_(column >= low, column < high)


def in_area(column: Any, area_code: str) -> ColumnElement[bool]:
    """An area code lies in a subtree: one range of an index."""
    if area_code == ids.ROOT_AREA:
        return and_(column >= "0", column < ":")
    return and_(column >= area_code, column < area_code + ":")


def seen_grids(column: Any, viewer: Viewer, area_code: str = "") -> ColumnElement[bool]:
    """A partition lies in the viewer's subtree, and in the area they chose, if they did."""
    if area_code and viewer.sees_area(area_code):
        return in_grids(column, area_code)
    if area_code:
        return ~true()
    return in_grids(column, viewer.area_code)


def unindexed(session: Session, column: Any) -> Any:
    """A column by which SQLite looks nothing up: its planner would take the wrong index.

    Another database keeps the column as it is, for it knows what a value leaves.
    """
    if not is_sqlite(session):
        return column
    return literal_column(f"+{column.table.name}.{column.name}", column.type)


def contains(text: str) -> str:
    """A LIKE pattern for a text anywhere, with escape character backslash."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
