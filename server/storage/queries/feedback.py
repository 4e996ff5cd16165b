"""Complaints and suggestions, to read."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from server.core.access import Viewer
from server.storage.queries.paging import Page, in_area, page_of
from server.storage.tables import Feedback
from shared import ids


def listed(session: Session, viewer: Viewer, state: str, kind: str, number: int) -> Page[Feedback]:
    """A page, newest first. ``state``: open, answered or all; ``kind``: "" for every kind."""
    query = select(Feedback)
    if viewer.area_code != ids.ROOT_AREA:
        above = [viewer.area_code[:n] for n in (2, 4, 6, 9, 12, 15)]
        anonymous = Feedback.user_id.is_(None) & Feedback.area_code.in_(above)
        query = query.where(or_(in_area(Feedback.area_code, viewer.area_code), anonymous))
    if state != "all":
        query = query.where(
            Feedback.answer.is_(None) if state == "open" else Feedback.answer.is_not(None)
        )
    if kind:
        query = query.where(Feedback.kind == kind)
    return page_of(session, query.order_by(Feedback.received_at.desc(), Feedback.id.desc()), number)
