"""Rows that phones still hold and a restored server lacks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from server.core.access import Viewer
from server.storage.models import MODELS
from server.storage.queries.paging import Page, page_of, seen_grids
from server.storage.tables import Device, Offered, User
from shared import ids

MOST_AT_ONCE = 2000


def listed(session: Session, viewer: Viewer, state: str, number: int) -> Page[Offered]:
    """A page of offered rows of a state ("": of every one), kind by kind, newest first."""
    query = select(Offered).where(_seen(viewer))
    if state:
        query = query.where(Offered.state == state)
    order = (Offered.kind, Offered.created_at.desc(), Offered.record_id, Offered.rev.desc())
    return page_of(session, query.order_by(*order), number)


def count(session: Session, viewer: Viewer) -> int:
    """How many rows wait for a decision, for those who may take it."""
    if not viewer.may("quarantine"):
        return 0
    query = select(func.count()).where(Offered.state == "open", _seen(viewer))
    return session.scalar(query) or 0


def open_keys(session: Session, viewer: Viewer) -> list[tuple[str, int]]:
    """(record id, rev) of the rows that wait, MOST_AT_ONCE at most."""
    query = (
        select(Offered.record_id, Offered.rev)
        .where(Offered.state == "open", _seen(viewer))
        .order_by(Offered.record_id, Offered.rev)
        .limit(MOST_AT_ONCE)
    )
    return [(one.record_id, one.rev) for one in session.execute(query)]


def visible(session: Session, viewer: Viewer, record_id: str, rev: int) -> Offered | None:
    """The offered row, if it lies in the viewer's areas."""
    query = select(Offered).where(Offered.record_id == record_id, Offered.rev == rev, _seen(viewer))
    found: Offered | None = session.scalar(query)
    return found


def here(session: Session, offers: Iterable[Offered]) -> dict[str, Any]:
    """record id -> the record as the server has it, for those that it has."""
    wanted: dict[str, set[str]] = {}
    for one in offers:
        wanted.setdefault(one.kind, set()).add(one.record_id)
    found: dict[str, Any] = {}
    for kind, record_ids in wanted.items():
        model = MODELS[kind]
        found |= {r.id: r for r in session.scalars(select(model).where(model.id.in_(record_ids)))}
    return found


def holders(session: Session, offers: Iterable[Offered]) -> dict[str, tuple[str, str]]:
    """device id -> (its name, its owner's name)."""
    wanted = {one.device_id for one in offers}
    query = (
        select(Device.id, Device.name, User.name.label("owner"))
        .outerjoin(User, User.id == Device.user_id)
        .where(Device.id.in_(wanted))
    )
    return {row.id: (row.name, row.owner or "") for row in session.execute(query)}


def _seen(viewer: Viewer) -> ColumnElement[bool]:
    """A grid of the viewer's subtree, or the reference data of an area in it."""
    low = "area:" if viewer.area_code == ids.ROOT_AREA else f"area:{viewer.area_code}"
    high = "area;" if viewer.area_code == ids.ROOT_AREA else f"{low}:"
    area = Offered.partition_id
    return or_(seen_grids(area, viewer), and_(area >= low, area < high))
