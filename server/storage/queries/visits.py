"""Visits to review."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Select, select, tuple_
from sqlalchemy.orm import Session

from server.core.access import Viewer
from server.storage.models import Problem, Visit
from server.storage.queries.paging import Page, page_of, seen_grids
from server.storage.queries.people import in_subtree
from server.storage.tables import User


@dataclass(frozen=True)
class VisitFilter:
    """What the list shows; "" and None mean: all. Times in ms, ``until`` excluded."""

    state: str = ""
    area: str = ""
    worker: str = ""
    outcome: str = ""
    since: int | None = None
    until: int | None = None


def listed(session: Session, viewer: Viewer, chosen: VisitFilter, number: int) -> Page[Visit]:
    """A page of visits, newest first."""
    query = matching(viewer, chosen).order_by(Visit.visited_at.desc(), Visit.id.desc())
    return page_of(session, query, number)


def visible(session: Session, viewer: Viewer, visit_id: str) -> Visit | None:
    """The visit, if the viewer may see it."""
    visit = session.get(Visit, visit_id)
    if visit is None or visit.deleted_at is not None:
        return None
    return (
        visit if viewer.may("see_records") and viewer.sees_partition(visit.partition_id) else None
    )


def next_after(session: Session, viewer: Viewer, chosen: VisitFilter, visit: Visit) -> str | None:
    """The id of the next visit of the list that still waits, else of the first one that does.

    The viewer's own are passed over: nobody reviews what they wrote.
    """
    waiting = matching(viewer, chosen).where(
        Visit.review_state == "pending",
        Visit.id != visit.id,
        Visit.created_by.is_distinct_from(viewer.user_id),
    ).with_only_columns(Visit.id).order_by(Visit.visited_at.desc(), Visit.id.desc())  # fmt: skip
    older = waiting.where(tuple_(Visit.visited_at, Visit.id) < (visit.visited_at, visit.id))
    found: str | None = session.scalar(older.limit(1))
    return found or session.scalar(waiting.limit(1))


def waiting_count(session: Session, viewer: Viewer, chosen: VisitFilter) -> int:
    """How many visits of the list still wait for review, counted up to the paging limit."""
    query = matching(viewer, chosen).where(Visit.review_state == "pending")
    return page_of(session, query.order_by(Visit.id), 1, size=1).total


def workers(session: Session, viewer: Viewer) -> list[tuple[str, str]]:
    """(id, name) of the people who walk grids in the viewer's subtree."""
    query = (
        select(User.id, User.name)
        .where(User.role == "grid_worker", in_subtree(viewer))
        .order_by(User.name, User.id)
    )
    return [(one.id, one.name) for one in session.execute(query)]


def matching(viewer: Viewer, chosen: VisitFilter) -> Select[tuple[Visit]]:
    """The visits that a filter holds, as a query without an order."""
    query = select(Visit).where(
        seen_grids(Visit.partition_id, viewer, chosen.area), Visit.deleted_at.is_(None)
    )
    if chosen.state:
        query = query.where(Visit.review_state == chosen.state)
    if chosen.worker:
        query = query.where(Visit.created_by == chosen.worker)
    if chosen.outcome:
        query = query.where(Visit.outcome == chosen.outcome)
    if chosen.since is not None:
        query = query.where(Visit.visited_at >= chosen.since)
    if chosen.until is not None:
        query = query.where(Visit.visited_at < chosen.until)
    return query


def problems_of(session: Session, viewer: Viewer, visit_id: str) -> list[Problem]:
    """The problems that were reported with a visit."""
    query = (
        select(Problem)
        .where(
            Problem.visit_id == visit_id,
            Problem.deleted_at.is_(None),
            seen_grids(Problem.partition_id, viewer),
        )
        .order_by(Problem.found_at, Problem.id)
    )
    return list(session.scalars(query))
