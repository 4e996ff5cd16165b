"""Problems near another one, from the indices over category, compound and map cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, case, func, literal, or_, select
from sqlalchemy.orm import Session

from server.core.access import Viewer
from server.storage.models import Problem
from server.storage.queries.paging import seen_grids, unindexed
from shared import duplicates, nearby
from shared.duplicates import Likeness

# What the pure rules of shared.duplicates ask of a problem.
FIELDS = ("category", "state", "found_at", "position", "compound_id", "target_id", "description")
MOST = 200  # of each index; more of one category at one place in 90 days help nobody


def around(
    session: Session, values: Mapping[str, Any], window: int, without: str = ""
) -> list[tuple[str, dict[str, Any]]]:
    """(id, values of FIELDS) of the problems of the same category in the same compound or in the
    cells around, found within ``window`` ms of this one; the latest first."""
    at = values.get("found_at") or 0
    same = and_(
        Problem.category == values.get("category"),
        Problem.found_at >= at - window,
        Problem.found_at <= at + window,
        Problem.deleted_at.is_(None),
    )
    places = []
    if values.get("compound_id"):
        places.append(Problem.compound_id == values["compound_id"])
    cells = nearby.cells_around(values.get("position"))
    if cells:
        places.append(Problem.cell.in_(cells))
    columns = [getattr(Problem, name) for name in FIELDS]
    found: dict[str, dict[str, Any]] = {}
    for place in places:
        query = select(Problem.id, *columns).where(same, place)
        for row in session.execute(query.order_by(Problem.found_at.desc()).limit(MOST)):
            if row[0] != without:
                found[row[0]] = dict(zip(FIELDS, row[1:], strict=True))
    return list(found.items())


def merged_into(session: Session, problem_id: str) -> list[str]:
    """The ids of the problems merged into one, or into one of those; nearest first."""
    found: list[str] = []
    level = [problem_id]
    while level:
        query = select(Problem.id).where(
            Problem.merged_into.in_(level), Problem.deleted_at.is_(None)
        )
        level = sorted(set(session.scalars(query)) - set(found))
        found += level
    return found


@dataclass(frozen=True)
class Cluster:
    """Problems of one category that keep coming back at one place: how many, the last of them.

    ``compound_id`` "" where it is no compound; ``cell`` then says where (shared.nearby), or is the
    id of what they are about, where no position is known.
    ``uncaused``: how many of those that are flagged have no root cause yet.
    """

    category: str
    compound_id: str
    cell: str
    count: int
    last_found_at: int
    uncaused: int = 0


def clusters(session: Session, viewer: Viewer, now: int, area: str = "") -> list[Cluster]:
    """What came back often enough in the last 90 days, the most frequent first."""
    fitting = and_(
        Problem.found_at >= now - duplicates.WINDOW,
        Problem.found_at <= now,
        Problem.deleted_at.is_(None),
        Problem.state.not_in(duplicates.NOT_COUNTED),
        seen_grids(unindexed(session, Problem.__table__.c.partition_id), viewer, area),
    )
    count, last = func.count(), func.max(Problem.found_at)
    open_question = and_(Problem.recurring.is_(True), Problem.root_cause.is_(None))
    uncaused = func.count(case((open_question, 1)))
    spot = func.coalesce(Problem.cell, Problem.target_id)
    in_compounds = (
        select(Problem.category, Problem.compound_id, literal(""), count, last, uncaused)
        .where(fitting, Problem.compound_id.is_not(None))
        .group_by(Problem.category, Problem.compound_id)
        .having(count >= duplicates.RECURRENCES)
    )
    elsewhere = (
        select(Problem.category, literal(""), spot, count, last, uncaused)
        .where(fitting, Problem.compound_id.is_(None), Problem.recurring.is_(True))
        .where(spot.is_not(None))
        .group_by(Problem.category, spot)
    )
    found = [
        Cluster(row[0], row[1], row[2] or "", row[3], row[4], row[5])
        for query in (in_compounds, elsewhere)
        for row in session.execute(query)
    ]
    return sorted(found, key=lambda one: (-one.count, -one.last_found_at))


def members(
    session: Session, viewer: Viewer, found: Sequence[Cluster], now: int, most: int = 12
) -> list[list[Any]]:
    """The problems of each cluster in the last 90 days, the latest first, at most so many of each.

    Read within the viewer's area, by the indices of category with compound or cell.
    """
    chains = []
    for one in found:
        place = Problem.compound_id == one.compound_id
        if not one.compound_id:
            beside = and_(Problem.cell.is_(None), Problem.target_id == one.cell)
            place = and_(Problem.compound_id.is_(None), or_(Problem.cell == one.cell, beside))
        query = (
            select(Problem)
            .where(
                Problem.category == one.category,
                place,
                Problem.found_at >= now - duplicates.WINDOW,
                Problem.found_at <= now,
                Problem.deleted_at.is_(None),
                Problem.state.not_in(duplicates.NOT_COUNTED),
                seen_grids(Problem.partition_id, viewer),
            )
            .order_by(Problem.found_at.desc(), Problem.id)
            .limit(most)
        )
        chains.append(list(session.scalars(query)))
    return chains


def likely(session: Session, viewer: Viewer, problem: Any, limit: int = 5) -> list[Likeness]:
    """The likely duplicates of a problem among those that the viewer may see."""
    values = {name: getattr(problem, name) for name in FIELDS}
    found = around(session, values, duplicates.WINDOW, without=problem.id)
    how = duplicates.likely(values, found, limit * 4)
    query = select(Problem.id, Problem.partition_id).where(Problem.id.in_([one.id for one in how]))
    seen = {row[0] for row in session.execute(query) if viewer.sees_partition(row[1])}
    return [one for one in how if one.id in seen][:limit]
