"""Problems near another one, from the indices over category, compound and map cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from server.storage.models import Problem
from shared import nearby

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
