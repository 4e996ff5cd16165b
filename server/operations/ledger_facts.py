"""What the ledger's rules must know beside a problem: its category, the calendar, photos, people.

Asked once for a batch where it holds for all: the work calendar, a category.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.operations.batch import Batch
from server.storage.models import Photo, Reference
from server.storage.queries import nearby
from server.storage.tables import User
from shared import categories, duplicates, ids, ledger, timers, work_calendar
from shared.ledger import ON_BEHALF
from shared.reconcile import Record
from shared.work_calendar import Calendar

# The actions that begin or resume a clock.
_BEGINS = frozenset({"register", "unmerge", "dispatch", "return", "callback", "reopen"})
_RESUMES = frozenset({"resume", "redo"})


def of_report(batch: Batch, values: Mapping[str, Any]) -> ledger.Facts:
    """What a new problem needs: its first clock."""
    return _with_clocks(batch, values, ledger.Facts())


def of_action(batch: Batch, problem: Record, action: str, data: Mapping[str, Any]) -> ledger.Facts:
    """What the rules ask for one action on a problem."""
    values = problem.values
    facts = ledger.Facts(retention=retention())
    if action in _BEGINS:
        facts = _with_clocks(batch, values, facts)
    if action in _RESUMES:
        due = timers.resumed_due(values, batch.now, calendar(batch))
        facts = replace(facts, resumed_due_at=due)
    if action in ON_BEHALF and batch.sender.role == "supervisor":
        body = data.get("co_body") if action == "join" else values.get("body")
        facts = replace(facts, has_login=has_login(batch, str(body or ""), problem.partition))
    if action == "archive" and not batch.sender.trusted:
        kept = retention()
        closed = values.get("closed_at") or batch.now
        facts = replace(facts, retained=kept is None or batch.now - closed >= kept)
    if action in ("close", "request_closure"):
        facts = replace(facts, **_photos(batch, problem))
    if action == "request_closure" and not values.get("recurring"):
        others = recurrences(batch, problem.id, values)
        facts = replace(facts, recurring=duplicates.is_recurring(others))
    return facts


def of_page(
    session: Session,
    problem: Any,
    photos: Iterable[Any],
    data: Mapping[str, Any] | None,
    now: int,
) -> ledger.Facts:
    """What a page must know to say which actions are possible now, and why others are not."""
    before, after = categories.evidence(data)
    asked = ("after", "before") if before else ("after",)
    states = [(one.phase, one.state) for one in photos if one.deleted_at is None]
    kept = retention()
    return ledger.Facts(
        needs_after=after,
        after_photos=states.count(("after", "verified")),
        photos_pending=sum(
            phase in asked and state not in ("verified", "refused") for phase, state in states
        ),
        has_login=bool(problem.body) and not without_login(session, problem, [problem.body]),
        deadlines=categories.deadlines(data, now, read_calendar(session)),
        retained=kept is None or now - (problem.closed_at or now) >= kept,
    )


def without_login(session: Session, problem: Any, bodies: Sequence[str]) -> list[str]:
    """Those of the bodies that have nobody with an account who sees the problem's place."""
    if not bodies:
        return []
    query = select(User.body, User.area_code).where(
        User.role == "handler", User.body.in_(bodies), User.active
    )
    area = ids.area_of(problem.partition_id) or ""
    known = {row[0] for row in session.execute(query) if ids.is_within(area, row[1])}
    return [body for body in bodies if body not in known]


def retention() -> int | None:
    """How long a closed problem keeps its personal data, ms; None: for ever."""
    kept: int | None = current_app.config["GRIDLEDGER"].retention()
    return kept


def calendar(batch: Batch) -> Calendar:
    """The work calendar of the reference records."""
    key = ("calendar", "")
    if key not in batch.looked_up:
        batch.looked_up[key] = read_calendar(batch.session)
    found: Calendar = batch.looked_up[key]
    return found


def read_calendar(session: Session) -> Calendar:
    """The work calendar as it stands."""
    query = select(Reference.code, Reference.data).where(
        Reference.type == "calendar",
        Reference.deleted_at.is_(None),
        Reference.active.is_not(False),
    )
    return work_calendar.of_years((row[0], row[1]) for row in session.execute(query))


def category(batch: Batch, code: str) -> dict[str, Any]:
    """A category's data, {} where it is not known."""
    key = ("category", code)
    if key not in batch.looked_up:
        query = select(Reference.data).where(
            Reference.type == "category", Reference.code == code, Reference.deleted_at.is_(None)
        )
        batch.looked_up[key] = batch.session.scalar(query) or {}
    found: dict[str, Any] = batch.looked_up[key]
    return found


def has_login(batch: Batch, body: str, partition: str) -> bool:
    """Whether a body has people with an account who see this place."""
    key = ("handlers", body)
    if key not in batch.looked_up:
        query = select(User.id, User.area_code).where(
            User.role == "handler", User.body == body, User.active
        )
        rows = batch.session.execute(query) if body else ()
        batch.looked_up[key] = [(row[0], row[1]) for row in rows]
    area = ids.area_of(partition) or ""
    return any(ids.is_within(area, one[1]) for one in batch.looked_up[key])


def recurrences(batch: Batch, problem_id: str, values: Mapping[str, Any]) -> list[str]:
    """The problems of the same category at the same place in the 90 days before, this one out."""
    found = nearby.around(batch.session, values, duplicates.WINDOW, without=problem_id)
    unseen = {
        one.record.id: one.record.values
        for one in batch.held.values()
        if one and one.record.kind == "problem" and one.stored is None
        and one.record.id != problem_id
    }  # fmt: skip
    return duplicates.recurrences(values, [*found, *unseen.items()])


def _with_clocks(batch: Batch, values: Mapping[str, Any], facts: ledger.Facts) -> ledger.Facts:
    data = category(batch, str(values.get("category") or ""))
    ends = categories.deadlines(data, batch.now, calendar(batch))
    unit = categories.limit(data, "handle").unit
    return replace(facts, deadlines=ends, due_unit=unit, retention=retention())


def _photos(batch: Batch, problem: Record) -> dict[str, Any]:
    """What is asked for by the category, and how far the photos are."""
    before, after = categories.evidence(category(batch, problem.values["category"]))
    asked = ("after", "before") if before else ("after",)
    query = select(Photo.id, Photo.phase, Photo.state).where(
        Photo.owner_id == problem.id,
        Photo.deleted_at.is_(None),
        Photo.replaced_by.is_(None),
    )
    states = {row[0]: (row[1], row[2]) for row in batch.session.execute(query)}
    for one in batch.held.values():
        values = one.record.values if one and one.record.kind == "photo" else {}
        if one and values.get("owner_id") == problem.id:
            states[one.record.id] = (values["phase"], values["state"])
    return {
        "needs_after": after,
        "after_photos": sum(one == ("after", "verified") for one in states.values()),
        "photos_pending": sum(
            phase in asked and state not in ("verified", "refused")
            for phase, state in states.values()
        ),
    }
