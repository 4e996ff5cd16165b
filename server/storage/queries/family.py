"""What belongs to a problem: those merged into it, those near it, the visits behind them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.core.access import Viewer
from server.storage.models import Problem, Visit
from server.storage.queries import names, nearby, problems
from server.storage.queries.paging import seen_grids
from shared import duplicates
from shared import nearby as places
from shared.work_calendar import DAY

SHOWN = 5  # likely duplicates
OTHERS = 3  # of each other sort
YEAR = 365 * DAY
LOOKED_AT = 50  # of each index, of which a viewer may see some


@dataclass(frozen=True)
class Alike:
    """A likely duplicate: the other problem, how like it is (0 to 1), metres where known."""

    problem: Any
    score: float
    metres: float | None


@dataclass(frozen=True)
class Related:
    """Problems at the same door, in the same compound, and of the same sort at one place."""

    household: tuple[Any, ...] = ()
    compound: tuple[Any, ...] = ()
    chain: tuple[Any, ...] = ()


def merged(session: Session, problem: Problem) -> list[Problem]:
    """The problems merged into one, or into one of those; nearest first.

    Whoever sees the one may know of them: their photos and reporters are its own now.
    """
    if not problem.merged_count:  # as nearly all; a lookup in so empty an index may scan the table
        return []
    found = nearby.merged_into(session, problem.id)
    if not found:
        return []
    known = {one.id: one for one in session.scalars(select(Problem).where(Problem.id.in_(found)))}
    return [known[one] for one in found if one in known]


def alike(session: Session, viewer: Viewer, problem: Problem) -> list[Alike]:
    """The likely duplicates of a problem, the likeliest first, and not what is merged with it."""
    likely = nearby.likely(session, viewer, problem, SHOWN)
    query = select(Problem).where(Problem.id.in_([one.id for one in likely]))
    known = {one.id: one for one in session.scalars(query)}
    return [Alike(known[one.id], one.score, one.metres) for one in likely if one.id in known]


def related(
    session: Session, viewer: Viewer, problem: Problem, without: Iterable[str] = ()
) -> Related:
    """Others that the viewer may see, the newest first, each in the first list that it fits."""
    shown = {problem.id, *without}

    def seen(query: Any) -> tuple[Any, ...]:
        newest = query.order_by(Problem.found_at.desc()).limit(LOOKED_AT)
        rows = [
            one
            for one in session.scalars(newest)
            if one.id not in shown and problems.is_visible(viewer, one)
        ][:OTHERS]
        shown.update(one.id for one in rows)
        return tuple(rows)

    values = {name: getattr(problem, name) for name in nearby.FIELDS}
    around = nearby.around(session, values, duplicates.WINDOW, without=problem.id)
    same = [
        one_id
        for one_id, other in around
        if other["state"] not in duplicates.NOT_COUNTED and places.is_same_place(values, other)
    ]
    chain = seen(select(Problem).where(Problem.id.in_(same))) if same else ()
    household: tuple[Any, ...] = ()
    if problem.target_id and problem.target_kind == "household":
        household = seen(
            select(Problem).where(
                Problem.target_id == problem.target_id, Problem.deleted_at.is_(None)
            )
        )
    compound: tuple[Any, ...] = ()
    if problem.compound_id:  # by the index over category, compound and time
        compound = seen(
            select(Problem).where(
                Problem.category.in_(names.references(session, "category")),
                Problem.compound_id == problem.compound_id,
                Problem.found_at >= problem.found_at - YEAR,
                Problem.deleted_at.is_(None),
            )
        )
    return Related(household, compound, chain)


def is_recurring(session: Session, problem: Problem) -> bool:
    """Whether it is one of so many at its place that its closure asks for the root cause."""
    if problem.recurring:
        return True
    values = {name: getattr(problem, name) for name in nearby.FIELDS}
    around = nearby.around(session, values, duplicates.WINDOW, without=problem.id)
    return duplicates.is_recurring(duplicates.recurrences(values, around))


def visits_behind(session: Session, viewer: Viewer, family: Sequence[Any]) -> list[Visit]:
    """The visits in which a problem, or one merged into it, was reported."""
    wanted = {one.visit_id for one in family if one.visit_id}
    if not wanted or not viewer.may("see_records"):
        return []
    query = select(Visit).where(
        Visit.id.in_(wanted), Visit.deleted_at.is_(None), seen_grids(Visit.partition_id, viewer)
    )
    return list(session.scalars(query.order_by(Visit.visited_at.desc(), Visit.id)))


def main_of(session: Session, problem: Problem) -> Problem:
    """The problem in which a merged one goes on, at the end of the chain; itself otherwise."""
    seen = {problem.id}
    while problem.merged_into and problem.merged_into not in seen:
        following = session.get(Problem, problem.merged_into)
        if following is None or following.deleted_at is not None:
            break
        seen.add(following.id)
        problem = following
    return problem
