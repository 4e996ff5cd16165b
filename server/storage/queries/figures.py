"""The numbers of the home page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from server.core.access import Viewer
from server.storage.models import Conflict, Problem, Visit
from server.storage.queries import offers, overdue, people, problems, quarantine
from server.storage.queries.paging import page_of, seen_grids
from server.storage.queries.people import Phone
from server.storage.queries.problems import OPEN, ProblemFilter
from shared import ledger

DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True)
class Figures:
    """What stands at the door today. Fields that the viewer may not see are 0 or empty."""

    visits_today: int = 0
    visits_week: int = 0
    to_review: int = 0
    oldest_to_review: int | None = None
    conflicts: int = 0
    quarantined: int = 0
    offered: int = 0
    open_problems: int = 0
    overdue: int = 0
    photos_overdue: int = 0
    to_accept: int = 0
    in_progress: int = 0
    to_verify: int = 0
    to_register: int = 0
    asking: int = 0
    phones: tuple[Phone, ...] = ()


def of(session: Session, viewer: Viewer, now: int, today: int, week: int) -> Figures:
    """The figures of a viewer; ``today`` and ``week`` are the ms at which they began."""
    by_state = _problems(session, viewer, now)
    shown: dict[str, Any] = {
        "open_problems": sum(by_state.get(state, 0) for state in ledger.OPEN_STATES),
        "overdue": problems.count(session, viewer, ProblemFilter(OPEN, flag="overdue"), now),
        "to_accept": by_state.get("dispatched", 0),
        "in_progress": by_state.get("in_progress", 0),
        "to_verify": by_state.get("closure_requested", 0),
        "to_register": by_state.get("reported", 0),
    }
    if not viewer.may("see_records"):
        return Figures(**shown)
    return Figures(
        **shown,
        asking=problems.count(session, viewer, ProblemFilter(OPEN, flag="asking"), now),
        **_visits(session, viewer, today, week),
        conflicts=session.scalar(
            select(func.count()).where(
                Conflict.state == "open", seen_grids(Conflict.partition_id, viewer)
            )
        )
        or 0,
        photos_overdue=overdue.count(
            session, viewer, overdue.OverdueFilter(now - overdue.DAYS * DAY_MS)
        ),
        offered=offers.count(session, viewer),
        quarantined=quarantine.listed(session, viewer, "open", 1).total,
        phones=tuple(
            p for p in people.phones(session, viewer) if p.waits and not p.device.revoked_at
        ),
    )


def _visits(session: Session, viewer: Viewer, today: int, week: int) -> dict[str, Any]:
    seen = seen_grids(Visit.partition_id, viewer), Visit.deleted_at.is_(None)
    since_monday = session.execute(
        select(
            func.count(), func.coalesce(func.sum(case((Visit.visited_at >= today, 1), else_=0)), 0)
        ).where(*seen, Visit.visited_at >= week)
    ).one()
    pending = select(Visit).where(*seen, Visit.review_state == "pending").order_by(Visit.id)
    oldest = session.scalar(
        select(Visit.visited_at)
        .where(*seen, Visit.review_state == "pending")
        .order_by(Visit.visited_at)
        .limit(1)
    )
    return {
        "visits_week": since_monday[0],
        "visits_today": since_monday[1],
        "to_review": page_of(session, pending, 1, size=1).total,
        "oldest_to_review": oldest,
    }


def _problems(session: Session, viewer: Viewer, now: int) -> dict[str, int]:
    query = problems.matching(session, viewer, ProblemFilter(), now)
    counted = query.with_only_columns(Problem.state, func.count()).group_by(Problem.state)
    return {state: number for state, number in session.execute(counted)}
