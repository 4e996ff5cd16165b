"""The ledger's problems: the list, one of them, its history and what its actions must know."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, cast, func, or_, select, text, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from server.core.access import Viewer
from server.storage import search
from server.storage.database import is_sqlite
from server.storage.models import Problem, Progress
from server.storage.queries import names
from server.storage.queries.paging import seen_grids
from server.storage.search import Sought
from shared import bigrams, ids, ledger

SORTS: dict[str, tuple[Any, ...]] = {
    "due": (Problem.due_at.asc().nulls_last(), Problem.found_at.desc(), Problem.id),
    "found": (Problem.found_at.desc(), Problem.id.desc()),
    "oldest": (Problem.found_at.asc(), Problem.id),
    "number": (Problem.ledger_no.desc().nulls_last(), Problem.id),
    "received": (Problem.reported_at.desc(), Problem.id.desc()),
}
OPEN = "open"  # stands for every open state
ASKED_IN = ("dispatched", "in_progress")  # where a body may ask for something


@dataclass(frozen=True)
class ProblemFilter:
    """What the list shows; "" means: all. ``state`` may be OPEN; ``flag`` one of those below.

    ``since`` and ``until``: what came in (reported_at) from then to before then, Unix ms.
    """

    state: str = ""
    category: str = ""
    body: str = ""
    area: str = ""
    flag: str = ""
    text: str = ""
    sort: str = "due"
    since: int | None = None
    until: int | None = None


def is_visible(viewer: Viewer, problem: Problem) -> bool:
    """Whether the viewer may see a problem: its area, and for a handler its body."""
    if problem.deleted_at is not None or not viewer.sees_partition(problem.partition_id):
        return False
    if viewer.may("see_own_problems"):
        return bool(viewer.body) and viewer.body in (problem.body, *(problem.co_bodies or ()))
    return viewer.may("see_records")


def visible(session: Session, viewer: Viewer, problem_id: str) -> Problem | None:
    """The problem, if the viewer may see it."""
    problem = session.get(Problem, problem_id)
    return problem if problem is not None and is_visible(viewer, problem) else None


def overdue(now: int) -> ColumnElement[bool]:
    """A clock of any stage has run out: nobody dispatched, accepted or handled it in time.

    The time of one that is suspended, or waits to be verified, stands still (shared.timers).
    """
    return and_(Problem.state.in_(ledger.LATE_STATES), Problem.deadline_at < now)


def asking() -> ColumnElement[bool]:
    """Its body asks to be suspended, or for more time, and nobody has answered yet."""
    one = Problem.__table__.alias("asking")
    # In words, not as parameters, so that both databases see that the small index holds them.
    asks = text("(asking.suspend_requested OR asking.extension_requested)")
    return Problem.id.in_(select(one.c.id).where(asks, one.c.state.in_(ASKED_IN)))


def count(session: Session, viewer: Viewer, chosen: ProblemFilter, now: int) -> int:
    """How many problems a filter holds."""
    query = matching(session, viewer, chosen, now).with_only_columns(func.count())
    return session.scalar(query) or 0


def history(session: Session, problem_id: str) -> list[Progress]:
    """A problem's entries, oldest first."""
    query = (
        select(Progress)
        .where(Progress.problem_id == problem_id)
        .order_by(Progress.acted_at, Progress.step, Progress.id)
    )
    return list(session.scalars(query))


def called(problem: Any) -> str:
    """A problem in a sentence: its number, or how its description begins."""
    text = problem.description
    return problem.ledger_no or f"“{text[:20]}{'…' if len(text) > 20 else ''}”"


def numbers(session: Session, viewer: Viewer, problem_ids: Iterable[str | None]) -> dict[str, str]:
    """id -> what problems are called, of those that the viewer may see."""
    wanted = [one for one in problem_ids if one]
    if not wanted:
        return {}
    found = session.scalars(select(Problem).where(Problem.id.in_(wanted)))
    return {one.id: called(one) for one in found if is_visible(viewer, one)}


def others_to_merge(
    session: Session, viewer: Viewer, problem: Problem, limit: int = 50
) -> list[Problem]:
    """Open registered problems of the same community that this one may be merged into."""
    community = (ids.area_of(problem.partition_id) or "")[: ids.COMMUNITY_DIGITS]
    query = (
        select(Problem)
        .where(
            seen_grids(Problem.partition_id, viewer, community),
            Problem.state.in_(("registered", "dispatched", "in_progress", "suspended")),
            Problem.id != problem.id,
            Problem.deleted_at.is_(None),
        )
        .order_by(Problem.found_at.desc())
        .limit(limit)
    )
    return list(session.scalars(query))


def matching(
    session: Session, viewer: Viewer, chosen: ProblemFilter, now: int
) -> Select[tuple[Problem]]:
    query = select(Problem).where(
        seen_grids(Problem.partition_id, viewer, chosen.area), Problem.deleted_at.is_(None)
    )
    if viewer.may("see_own_problems"):
        query = query.where(_belongs_to(session, viewer.body))
    if chosen.state == OPEN:
        query = query.where(Problem.state.in_(ledger.OPEN_STATES))
    elif chosen.state:
        query = query.where(Problem.state == chosen.state)
    if chosen.category:
        query = query.where(Problem.category == chosen.category)
    if chosen.body:
        query = query.where(Problem.body == chosen.body)
    if chosen.flag == "overdue":
        query = query.where(overdue(now))
    elif chosen.flag == "supervised":
        query = query.where(Problem.supervised.is_(True))
    elif chosen.flag == "asking":
        query = query.where(asking())
    elif chosen.flag == "hard":
        query = query.where(Problem.hard.is_(True))
    elif chosen.flag == "recurring":
        query = query.where(Problem.recurring.is_(True))
    query = query.where(*received(Problem.reported_at, chosen))
    if chosen.text:
        found = sought(session, viewer, chosen)
        if found is None:
            return query.where(~true())
        query = query.where(Problem.id.in_(search.matches(session, found)))
    return query


def received(column: Any, chosen: ProblemFilter) -> list[ColumnElement[bool]]:
    """What a filter says of when a problem came in."""
    found = []
    if chosen.since is not None:
        found.append(column >= chosen.since)
    if chosen.until is not None:
        found.append(column < chosen.until)
    return found


def sought(session: Session, viewer: Viewer, chosen: ProblemFilter) -> Sought | None:
    """What to ask of the search index, within what the viewer sees; None: nothing can be found."""
    phrases = bigrams.query(chosen.text)
    text = bigrams.fold(chosen.text).strip()
    categories = tuple(
        one.code
        for one in names.references(session, "category").values()
        if text and any(text in bigrams.fold(name or "") for name in (one.name, one.name_en))
    )
    if not phrases and not categories:
        return None
    area = chosen.area or viewer.area_code
    return Sought(
        phrases,
        categories,
        area=area if len(area) in ids.AREA_DIGITS else ids.ROOT_AREA,
        body=viewer.body if viewer.may("see_own_problems") else "",
        is_open=chosen.state in (OPEN, *ledger.OPEN_STATES),
        reporters=viewer.may("see_records"),
    )


def _belongs_to(session: Session, body: str) -> ColumnElement[bool]:
    """Dispatched to a body, or with it as a co-body. A handler without a body sees nothing."""
    if not body:
        return Problem.id.is_(None)
    joined: ColumnElement[bool]
    if is_sqlite(session):
        each = func.json_each(Problem.co_bodies).table_valued("value")
        joined = select(1).select_from(each).where(each.c.value == body).exists()
    else:
        joined = cast(Problem.co_bodies, JSONB).contains([body])
    return or_(Problem.body == body, joined)
