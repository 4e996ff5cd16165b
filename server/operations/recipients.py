"""Who is told: the people of a body, the supervisor of a place, the worker who knows the door."""

from __future__ import annotations

from sqlalchemy import select

from server.operations.batch import Batch
from server.operations.ledger_facts import has_login
from server.storage.models import Task, Visit
from server.storage.tables import Assignment, User
from shared import ids
from shared.reconcile import Record, settle_many


def of_body(batch: Batch, body: str | None, partition: str) -> list[str]:
    """The people of a body; of one without accounts, the workers of the grid."""
    if body and has_login(batch, body, partition):
        area = ids.area_of(partition) or ""
        known = batch.looked_up["handlers", body]
        return [user_id for user_id, code in known if ids.is_within(area, code)]
    return workers(batch, partition)


def supervisors(batch: Batch, partition: str) -> list[str]:
    """The supervisors nearest above a grid."""
    area = ids.area_of(partition) or ""
    key = ("supervisors", area[: ids.COMMUNITY_DIGITS])
    if key not in batch.looked_up:
        above = [area, *ids.ancestors(area), ids.ROOT_AREA]
        query = select(User.id, User.area_code).where(
            User.role == "supervisor", User.area_code.in_(above), User.active
        )
        rows = [(row[0], row[1]) for row in batch.session.execute(query)]
        nearest = max((len(code) for _, code in rows), default=0)
        batch.looked_up[key] = sorted(one for one, code in rows if len(code) == nearest)
    found: list[str] = batch.looked_up[key]
    return found


def workers(batch: Batch, partition: str) -> list[str]:
    """Who walks the grid now."""
    area = ids.area_of(partition) or ""
    key = ("workers", area)
    if key not in batch.looked_up:
        query = select(Assignment.user_id).where(
            Assignment.grid_code == area, Assignment.to_at.is_(None)
        )
        batch.looked_up[key] = sorted(set(batch.session.scalars(query)))
    found: list[str] = batch.looked_up[key]
    return found


def who_knows(batch: Batch, problem: Record, reported_by: str | None) -> str | None:
    """The worker who knows the door: who reported it if they still walk the grid, else who was
    last there, else whoever walks it; None where nobody does."""
    walking = workers(batch, problem.partition)
    if reported_by in walking or not walking:
        return reported_by if reported_by in walking else None
    target = problem.values.get("target_id")
    if target:
        query = (
            select(Visit.created_by)
            .where(Visit.target_id == target, Visit.created_by.in_(walking))
            .order_by(Visit.visited_at.desc())
            .limit(1)
        )
        last = batch.session.scalar(query)
        if last is not None:
            return str(last)
    return walking[0]


def settle_tasks(batch: Batch, problem: Record, types: frozenset[str]) -> None:
    """Close the open tasks of these types about a problem: what they ask for is moot."""
    query = select(Task.id).where(
        Task.about_id == problem.id, Task.type.in_(types), Task.state == "open",
        Task.deleted_at.is_(None),
    )  # fmt: skip
    for task_id in list(batch.session.scalars(query)):
        one = batch.get("task", task_id)
        if one and one.record.values["state"] == "open":
            done = {"state": "done", "done_at": batch.now}
            changes = {name: (one.record.values.get(name), new) for name, new in done.items()}
            batch.put(settle_many(one.record, done, batch.sender.device_id), changes)
