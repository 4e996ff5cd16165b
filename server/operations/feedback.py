"""Complaints and suggestions of the people who use the phones: taken once, read, answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select

from server.core.access import Viewer
from server.errors import Trouble
from server.operations import audit_log
from server.operations.clock import now_ms
from server.storage.database import db, write
from server.storage.tables import Device, Feedback, User
from shared import ids

COUNTY_DIGITS = 6


def take(device_id: str, items: Iterable[Mapping[str, Any]], ask: Iterable[str]) -> dict[str, Any]:
    """Keep what is new, and tell the answers to what is asked about: a FeedbackAnswer.

    An id that is known is taken already. Of an anonymous one neither person nor phone is kept,
    only the county, so that it reaches somebody who may read it.
    """
    now, given = now_ms(), list(items)
    asked = {*ask, *(one["id"] for one in given)}
    with write() as session:
        device = session.get(Device, device_id)
        user = session.get(User, device.user_id) if device else None
        if user is None:
            raise Trouble("token_unknown")
        for one in given:
            if session.get(Feedback, one["id"]) is None:
                hidden = one["anonymous"]
                area = user.area_code
                session.add(
                    Feedback(
                        id=one["id"], kind=one["kind"], text=one["text"], made_at=one["made_at"],
                        received_at=now, user_id=None if hidden else user.id,
                        area_code=area[:COUNTY_DIGITS] if hidden else area,
                    )
                )  # fmt: skip
        session.flush()
        known = session.scalars(select(Feedback).where(Feedback.id.in_(asked))).all()
        return {
            "taken": sorted(one.id for one in known),
            "answers": [
                {"id": one.id, "text": one.answer, "at": one.answered_at}
                for one in known
                if one.answer
            ],
        }


def answer(viewer: Viewer, feedback_id: str, text: str) -> None:
    """Answer one that the viewer may read; a later answer takes the place of an earlier one."""
    words = text.strip()
    if not words:
        raise Trouble("invalid", "请写答复 / Write an answer")
    with write() as session:
        found = session.get(Feedback, feedback_id)
        if found is None or not may_read(viewer, found):
            raise Trouble("not_found")
        found.answer, found.answered_by, found.answered_at = words, viewer.user_id, now_ms()
        audit_log.record(session, viewer.user_id, "feedback.answer", feedback_id, found.area_code)


def may_read(viewer: Viewer, one: Feedback) -> bool:
    """Whether it came from the viewer's subtree; an anonymous one only tells its county."""
    return viewer.may("people") and (
        ids.is_within(one.area_code, viewer.area_code)
        or (one.user_id is None and viewer.area_code.startswith(one.area_code))
    )


def waiting(viewer: Viewer) -> int:
    """How many that the viewer may read have no answer."""
    rows = db.session().scalars(select(Feedback).where(Feedback.answer.is_(None)))
    return sum(may_read(viewer, one) for one in rows)
