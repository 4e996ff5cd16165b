"""What a body has to do, by deadline: a few rows of each group, from the index over both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, true
from sqlalchemy.orm import Session

from server.core.access import Viewer
from server.storage.models import Problem
from server.storage.queries import problems
from server.storage.queries.paging import seen_grids
from server.storage.tables import ProblemBody
from shared import ledger

GROUPS = ("whistle", "overdue", "today", "week", "later", "verify", "suspended")
SHOWN = 20
ALL = 200
COUNTED_TO = 1000
JOINED = 2000  # of the problems that a body was whistled for, the last that are looked at
TO_DO = ("dispatched", "in_progress")


@dataclass(frozen=True)
class Group:
    """Rows of one group, the nearest deadline first; ``total`` counted up to COUNTED_TO."""

    code: str
    rows: list[Any]
    total: int

    @property
    def more_than(self) -> bool:
        """Whether there are more than were counted."""
        return self.total > COUNTED_TO


def groups(
    session: Session, viewer: Viewer, now: int, tomorrow: int, next_week: int, whole: str = ""
) -> list[Group]:
    """The groups of a handler's board in their order; of ``whole`` up to ALL rows.

    ``tomorrow`` and ``next_week``: when these begin, in ms. Without a body there is nothing.
    """
    if not viewer.body:
        return []
    ends: dict[str, ColumnElement[bool]] = {
        "overdue": Problem.deadline_at < now,
        "today": and_(Problem.deadline_at >= now, Problem.deadline_at < tomorrow),
        "week": and_(Problem.deadline_at >= max(now, tomorrow), Problem.deadline_at < next_week),
        "later": Problem.deadline_at >= max(tomorrow, next_week),
    }
    mine = and_(
        Problem.body == viewer.body,
        Problem.deleted_at.is_(None),
        seen_grids(Problem.partition_id, viewer),
    )
    found = [_whistled(session, viewer, whole == "whistle")]
    for code, when in ends.items():
        query = select(Problem).where(mine, when, Problem.state.in_(TO_DO))
        found.append(_group(session, code, query, Problem.deadline_at, whole))
    for code, state in (("verify", "closure_requested"), ("suspended", "suspended")):
        query = select(Problem).where(mine, Problem.state == state)
        found.append(_group(session, code, query, Problem.due_at, whole))
    return found


def _group(session: Session, code: str, query: Any, order: Any, whole: str) -> Group:
    counted = query.with_only_columns(true()).limit(COUNTED_TO + 1).subquery()
    total = session.scalar(select(func.count()).select_from(counted)) or 0
    size = ALL if whole == code else SHOWN
    rows = session.scalars(query.order_by(order, Problem.id).limit(size)) if total else ()
    return Group(code, list(rows), total)


def _whistled(session: Session, viewer: Viewer, whole: bool) -> Group:
    """Where others wait for this body to come, the oldest first."""
    newest = (
        select(ProblemBody.problem_id)
        .where(ProblemBody.body == viewer.body)
        .order_by(ProblemBody.problem_id.desc())
        .limit(JOINED)
        .subquery()
    )
    query = (
        select(Problem)
        .join(newest, newest.c.problem_id == Problem.id)
        .where(
            Problem.state.in_(ledger.OPEN_STATES),
            or_(Problem.body.is_(None), Problem.body != viewer.body),
        )
        .order_by(Problem.found_at, Problem.id)
    )
    rows = [
        one
        for one in session.scalars(query)
        if problems.is_visible(viewer, one)
        and viewer.body in ledger.unanswered({"co_bodies": one.co_bodies, "whistle": one.whistle})
    ]
    return Group("whistle", rows[: ALL if whole else SHOWN], len(rows))
