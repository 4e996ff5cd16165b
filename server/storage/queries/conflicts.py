"""Open conflicts, and the history of the records they are about."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.core.access import Viewer
from server.storage.models import MODELS, Conflict
from server.storage.queries.paging import Page, page_of, seen_grids
from server.storage.tables import Change, Device


def listed(session: Session, viewer: Viewer, state: str, area: str, number: int) -> Page[Conflict]:
    """A page of conflicts of a state ("": of every one), the longest waiting first."""
    query = select(Conflict).where(seen_grids(Conflict.partition_id, viewer, area))
    if state:
        query = query.where(Conflict.state == state)
    return page_of(session, query.order_by(Conflict.proposed_at, Conflict.id), number)


def visible(session: Session, viewer: Viewer, conflict_id: str) -> Conflict | None:
    """The conflict, if the viewer may see its record."""
    conflict = session.get(Conflict, conflict_id)
    if conflict is None or not viewer.may("see_records"):
        return None
    return conflict if viewer.sees_partition(conflict.partition_id) else None


def next_open(session: Session, viewer: Viewer, besides: str) -> str | None:
    """The id of the open conflict that waits longest, other than one."""
    query = (
        select(Conflict.id)
        .where(
            Conflict.state == "open",
            seen_grids(Conflict.partition_id, viewer),
            Conflict.id != besides,
        )
        .order_by(Conflict.proposed_at, Conflict.id)
        .limit(1)
    )
    found: str | None = session.scalar(query)
    return found


def open_about(session: Session, record_id: str) -> list[Conflict]:
    """The open conflicts of one record."""
    query = select(Conflict).where(Conflict.about_id == record_id, Conflict.state == "open")
    return list(session.scalars(query))


def changes(session: Session, record_id: str) -> list[Change]:
    """What each rev of a record changed, newest first."""
    query = select(Change).where(Change.record_id == record_id).order_by(Change.rev.desc())
    return list(session.scalars(query))


def record(session: Session, kind: str, record_id: str) -> object | None:
    """The record that a conflict is about."""
    model = MODELS.get(kind)
    return session.get(model, record_id) if model is not None else None


def records_of(session: Session, kind: str, record_ids: list[str]) -> dict[str, Any]:
    """id -> record, of one kind."""
    model = MODELS.get(kind)
    if model is None or not record_ids:
        return {}
    return {one.id: one for one in session.scalars(select(model).where(model.id.in_(record_ids)))}


def device_names(session: Session, conflict: Conflict, past: list[Change]) -> dict[str, str]:
    """side of the conflict -> the name of the phone it was written on, where that is known."""
    made = [c.device_id for c in past if c.rev == conflict.accepted_rev]
    wanted = {"accepted": made[0] if made else None, "proposed": conflict.proposed_device}
    query = select(Device.id, Device.name).where(
        Device.id.in_([one for one in wanted.values() if one]), Device.kind == "phone"
    )
    known = {device_id: name for device_id, name in session.execute(query)}
    return {side: known[one] for side, one in wanted.items() if one in known}
