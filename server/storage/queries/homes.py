"""Households: the list, one of them, and what stands about it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from server.core.access import Viewer
from server.storage.models import Compound, Conflict, Household, Problem, Resident, Visit
from server.storage.queries.paging import Page, contains, page_of, seen_grids
from shared import ledger

LAST_VISITS = 10


@dataclass(frozen=True)
class HomeFilter:
    """What the list shows; "" means: all."""

    area: str = ""
    compound: str = ""
    state: str = ""
    risk: str = ""
    text: str = ""


def listed(session: Session, viewer: Viewer, chosen: HomeFilter, number: int) -> Page[Household]:
    """A page of households, door after door."""
    columns = (Household.building, Household.unit, Household.door)
    order = [one for column in columns for one in (func.length(column), column)]
    query = matching(viewer, chosen).order_by(
        Household.partition_id, Household.compound_id, *order, Household.id
    )
    return page_of(session, query, number)


def matching(viewer: Viewer, chosen: HomeFilter) -> Select[tuple[Household]]:
    """The households that a filter holds, as a query without an order."""
    query = select(Household).where(
        seen_grids(Household.partition_id, viewer, chosen.area), Household.deleted_at.is_(None)
    )
    if chosen.compound:
        query = query.where(Household.compound_id == chosen.compound)
    if chosen.state:
        query = query.where(Household.state == chosen.state)
    if chosen.risk:
        query = query.where(Household.risk_level == chosen.risk)
    for word in chosen.text.split():
        query = query.where(_mentions(viewer, contains(word)))
    return query


def _mentions(viewer: Viewer, like: str) -> ColumnElement[bool]:
    """A word of the search stands in a household's address, people or telephone numbers."""
    parts = [func.coalesce(c, "") for c in (Household.building, Household.unit, Household.door)]
    dashed = parts[0] + "-" + parts[1] + "-" + parts[2]
    spoken = parts[0] + "号楼" + parts[1] + "单元" + parts[2]
    yards = select(Compound.id).where(
        seen_grids(Compound.partition_id, viewer), Compound.name.ilike(like, escape="\\")
    )
    homes = select(Resident.household_id).where(
        seen_grids(Resident.partition_id, viewer),
        Resident.deleted_at.is_(None),
        or_(Resident.name.ilike(like, escape="\\"), Resident.phone.ilike(like, escape="\\")),
    )
    texts = (Household.contact_name, Household.contact_phone, Household.address, dashed, spoken)
    return or_(
        *(text.ilike(like, escape="\\") for text in texts),
        Household.compound_id.in_(yards),
        Household.id.in_(homes),
    )


def visible(session: Session, viewer: Viewer, home_id: str) -> Household | None:
    """The household, if the viewer may see it."""
    home = session.get(Household, home_id)
    if home is None or home.deleted_at is not None or not viewer.may("see_records"):
        return None
    return home if viewer.sees_partition(home.partition_id) else None


def compounds(session: Session, viewer: Viewer, area: str = "") -> list[tuple[str, str]]:
    """(id, name) of the compounds in the viewer's subtree, or in the area they chose."""
    query = (
        select(Compound.id, Compound.name)
        .where(seen_grids(Compound.partition_id, viewer, area), Compound.deleted_at.is_(None))
        .order_by(Compound.name, Compound.id)
        .limit(1000)
    )
    return [(one.id, one.name) for one in session.execute(query)]


def residents(session: Session, home_id: str) -> list[Resident]:
    """Who lives there."""
    query = (
        select(Resident)
        .where(Resident.household_id == home_id, Resident.deleted_at.is_(None))
        .order_by(Resident.created_at, Resident.id)
    )
    return list(session.scalars(query))


def last_visits(session: Session, home_id: str) -> Page[Visit]:
    """The last visits, newest first, with the number of all."""
    query = (
        select(Visit)
        .where(Visit.target_id == home_id, Visit.deleted_at.is_(None))
        .order_by(Visit.visited_at.desc(), Visit.id.desc())
    )
    return page_of(session, query, 1, size=LAST_VISITS)


def open_problems(session: Session, home_id: str) -> list[Problem]:
    """What was found there and is not solved yet."""
    query = (
        select(Problem)
        .where(
            Problem.target_id == home_id,
            Problem.state.in_(ledger.OPEN_STATES),
            Problem.deleted_at.is_(None),
        )
        .order_by(Problem.found_at.desc(), Problem.id)
    )
    return list(session.scalars(query))


def open_conflicts(session: Session, record_ids: list[str]) -> list[Conflict]:
    """The open conflicts about a household and the people in it."""
    query = (
        select(Conflict)
        .where(Conflict.about_id.in_(record_ids), Conflict.state == "open")
        .order_by(Conflict.proposed_at, Conflict.id)
    )
    return list(session.scalars(query))
