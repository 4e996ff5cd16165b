"""The audit log, to read."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.core.access import Viewer
from server.storage.queries.paging import Page, in_area, page_of
from server.storage.tables import AuditEntry
from shared import ids


def listed(
    session: Session,
    viewer: Viewer,
    number: int,
    action: str = "",
    actor: str = "",
    since: int | None = None,
    until: int | None = None,
) -> Page[AuditEntry]:
    """A page of entries, newest first. Only an auditor of everything sees entries of no area."""
    query = select(AuditEntry)
    if viewer.area_code != ids.ROOT_AREA:
        query = query.where(in_area(AuditEntry.area_code, viewer.area_code))
    if action:
        query = query.where(AuditEntry.action == action)
    if actor:
        query = query.where(AuditEntry.actor == actor)
    if since is not None:
        query = query.where(AuditEntry.at >= since)
    if until is not None:
        query = query.where(AuditEntry.at < until)
    return page_of(session, query.order_by(AuditEntry.at.desc(), AuditEntry.id.desc()), number)


def actions(session: Session) -> list[str]:
    """Every action that occurs."""
    return sorted(session.scalars(select(AuditEntry.action).distinct()))
