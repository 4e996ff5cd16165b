"""Move a household to another grid, with everything that belongs to it, in one commit."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from server.core.access import Viewer
from server.errors import Trouble
from server.operations import transact
from server.operations.audit_log import record
from server.operations.batch import Batch
from server.operations.clock import now_ms
from server.storage.models import (
    Area,
    Conflict,
    Household,
    Photo,
    Problem,
    Progress,
    Resident,
    Visit,
)
from server.storage.settings import epoch
from server.storage.tables import User
from shared import ids
from shared.reconcile import settle_many


def move_household(user_id: str, household_id: str, grid_code: str) -> int:
    """Move a household and its residents, visits, problems and photos; returns how many records.

    Each leaves the one feed and enters the other with both heads locked; its rev goes on counting.
    Raises Trouble not_found (household), invalid (grid) or forbidden.
    """
    target = ids.grid_partition(grid_code)
    now = now_ms()

    def once(session: Session, extra: frozenset[str]) -> int:
        user = session.get(User, user_id)
        household = session.get(Household, household_id)
        if user is None or household is None or household.deleted_at is not None:
            raise Trouble("not_found")
        viewer = Viewer(user.id, user.role, user.area_code)
        if user.role not in ("supervisor", "admin") or not viewer.sees_area(grid_code):
            raise Trouble("forbidden")
        if not viewer.sees_partition(household.partition_id):
            raise Trouble("not_found")
        grid = select(Area.id).where(Area.code == grid_code, Area.level == "grid")
        if session.scalar(grid) is None:
            raise Trouble("invalid", grid_code, {"grid_code": ["没有这个网格 / no such grid"]})
        device = transact.own_device(session, user_id, "web", now)
        sender = transact.sender_of(session, user, device.id)
        batch = Batch(session, sender, now, epoch(session))
        batch.prepare(belongings(session, household_id), {target, *extra})
        batch.begin(ids.new_id(), user_id, now)
        moved = 0
        for one in list(batch.held.values()):
            if one is not None and one.record.partition != target:
                moved += 1
                batch.put(replace(settle_many(one.record, {}, device.id), partition=target))
        batch.flush()
        detail = {"from": household.partition_id, "to": target, "records": moved}
        record(session, user_id, "household.move", household_id, grid_code, detail)
        return moved

    return transact.locking(once)


def belongings(session: Session, household_id: str) -> dict[str, list[str]]:
    """A household and what belongs to it: kind -> ids, tombstones included."""
    found: dict[str, list[str]] = {"household": [household_id]}

    def find(kind: str, model: type, condition: object) -> list[str]:
        found[kind] = list(session.scalars(select(model.id).where(condition)))  # type: ignore
        return found[kind]

    find("resident", Resident, Resident.household_id == household_id)
    visits = find("visit", Visit, Visit.target_id == household_id)
    where = or_(Problem.target_id == household_id, Problem.visit_id.in_(visits))
    problems = find("problem", Problem, where)
    find("progress", Progress, Progress.problem_id.in_(problems))
    find("photo", Photo, Photo.owner_id.in_([household_id, *visits, *problems]))
    everything = [record_id for records in found.values() for record_id in records]
    find("conflict", Conflict, Conflict.about_id.in_(everything))
    return found
