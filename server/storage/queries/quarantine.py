"""Transactions that were held or rejected."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from server.core.access import Viewer
from server.storage.queries.paging import Page, in_area, page_of
from server.storage.tables import Device, Quarantined, QuarantinedName, User
from shared import ids

DECIDED = "decided"  # stands for released and refused


def listed(session: Session, viewer: Viewer, state: str, number: int) -> Page[Quarantined]:
    """A page of quarantined transactions of a state (or DECIDED), newest first."""
    query = select(Quarantined).where(_seen(viewer))
    if state == DECIDED:
        query = query.where(Quarantined.state != "open")
    elif state:
        query = query.where(Quarantined.state == state)
    return page_of(
        session, query.order_by(Quarantined.received_at.desc(), Quarantined.id.desc()), number
    )


def visible(session: Session, viewer: Viewer, entry_id: str) -> Quarantined | None:
    """The entry, if it lies in the viewer's areas or its author does."""
    query = select(Quarantined).where(Quarantined.id == entry_id, _seen(viewer))
    found: Quarantined | None = session.scalar(query)
    return found


def _seen(viewer: Viewer):  # type: ignore[no-untyped-def]
    """In the viewer's subtree; what names no area goes to those who see its author."""
    if viewer.area_code == ids.ROOT_AREA:
        return Quarantined.id.is_not(None)
    authors = select(User.id).where(in_area(User.area_code, viewer.area_code))
    return or_(
        in_area(Quarantined.area_code, viewer.area_code),
        Quarantined.area_code.is_(None) & Quarantined.author.in_(authors),
    )


def maker_of(session: Session, viewer: Viewer, record_id: str) -> Quarantined | None:
    """The open entry that would make a record which another waits for, if the viewer sees it."""
    query = (
        select(Quarantined)
        .join(QuarantinedName, QuarantinedName.quarantine_id == Quarantined.id)
        .where(QuarantinedName.name == record_id, Quarantined.state == "open", _seen(viewer))
        .limit(1)
    )
    found: Quarantined | None = session.scalar(query)
    return found


def device_of(session: Session, entry: Quarantined) -> Device | None:
    """The device that sent it."""
    return session.get(Device, entry.device_id)
