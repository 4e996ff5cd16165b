"""Photos that a record named and whose bytes have not all come, longest waiting first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.orm import Session

from server.core.access import Viewer
from server.storage.models import NOT_ARRIVED, Photo
from server.storage.queries.paging import seen_grids
from server.storage.tables import Device
from shared.reconcile import EVERY

DAYS = 3  # what has waited longer is on the home page
DAY_MS = 24 * 3600 * 1000
PER_PAGE = 50
COUNTED_TO = 1000
GROUPS_AT_MOST = 200
BY_PERSON, BY_GRID, BY_PHONE = "person", "grid", "phone"
# The phone whose transaction made the record: the device in the stamp of a new record.
DEVICE = Photo.field_revs[(EVERY, 1)].as_string()
_GROUPED = {BY_PERSON: Photo.created_by, BY_GRID: Photo.partition_id, BY_PHONE: DEVICE}


@dataclass(frozen=True)
class OverdueFilter:
    """What the list shows; "" means: all. ``before``: named before this moment (ms, the server's
    clock: a phone's own may say anything)."""

    before: int
    area: str = ""
    person: str = ""
    phone: str = ""


@dataclass(frozen=True)
class Part:
    """One page. ``after`` is where the next one begins, None on the last."""

    rows: list[Any]
    after: tuple[int, str] | None


@dataclass(frozen=True)
class Group:
    """Photos of one person, grid or phone: its id, how many, since when the oldest waits (ms)."""

    key: str
    count: int
    since: int


def listed(
    session: Session,
    viewer: Viewer,
    chosen: OverdueFilter,
    after: tuple[int, str] | None = None,
    size: int = PER_PAGE,
) -> Part:
    """A page of the list from after a place; what was added meanwhile moves nothing."""
    query = matching(viewer, chosen).order_by(Photo.updated_at, Photo.id)
    if after is not None:
        query = query.where(tuple_(Photo.updated_at, Photo.id) > after)
    rows = list(session.scalars(query.limit(size + 1)))
    more = len(rows) > size
    rows = rows[:size]
    return Part(rows, (rows[-1].updated_at, rows[-1].id) if more else None)


def count(session: Session, viewer: Viewer, chosen: OverdueFilter, most: int = COUNTED_TO) -> int:
    """How many there are, counted up to ``most`` and one more."""
    found = matching(viewer, chosen).with_only_columns(Photo.id).limit(most + 1).subquery()
    return session.scalar(select(func.count()).select_from(found)) or 0


def late(session: Session, viewer: Viewer, now: int, most: int) -> int:
    """How many have waited for more than DAYS, counted up to ``most`` and one more."""
    return count(session, viewer, OverdueFilter(now - DAYS * DAY_MS), most)


def grouped(session: Session, viewer: Viewer, chosen: OverdueFilter, by: str) -> list[Group]:
    """The list as sums by person, grid or phone, the most first."""
    key = _GROUPED[by].label("key")
    query = (
        matching(viewer, chosen)
        .with_only_columns(key, func.count(), func.min(Photo.updated_at))
        .group_by(key)
        .order_by(func.count().desc(), key)
        .limit(GROUPS_AT_MOST)
    )
    return [Group(name or "", number, since) for name, number, since in session.execute(query)]


def phones(session: Session, device_ids: list[str]) -> dict[str, Device]:
    """id -> the device, whatever sort it is of."""
    query = select(Device).where(Device.id.in_(device_ids))
    return {one.id: one for one in session.scalars(query)}


def matching(viewer: Viewer, chosen: OverdueFilter) -> Select[tuple[Any]]:
    """The photos that a filter holds, as a query without an order."""
    # Not the bare column: whole feeds would be read by its index, and these photos are few.
    partition = func.coalesce(Photo.partition_id, "")
    query = select(Photo).where(
        NOT_ARRIVED,
        Photo.updated_at < chosen.before,
        seen_grids(partition, viewer, chosen.area),
    )
    if chosen.person:
        query = query.where(Photo.created_by == chosen.person)
    if chosen.phone:
        query = query.where(chosen.phone == DEVICE)
    return query
