"""Names for ids and codes, looked up together for a whole page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.core import export_columns
from server.core.access import Viewer
from server.core.export_columns import Place
from server.storage.models import Area, Compound, Household, Reference
from server.storage.queries.paging import in_area
from server.storage.tables import User
from shared import ids


@dataclass(frozen=True)
class Target:
    """What a visit or a problem is about: a person's name or a thing's, and where it is."""

    name: str
    address: str
    door: str = ""
    phone: str = ""
    care_groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Person:
    """Who did something."""

    id: str
    name: str
    role: str


def people(session: Session, user_ids: Iterable[str | None]) -> dict[str, Person]:
    """id -> person, for those that have an account."""
    wanted = {one for one in user_ids if one}
    if not wanted:
        return {}
    query = select(User.id, User.name, User.role).where(User.id.in_(wanted))
    return {row.id: Person(row.id, row.name, row.role) for row in session.execute(query)}


def areas(session: Session, codes: Iterable[str | None]) -> dict[str, str]:
    """code -> name."""
    wanted = {code for code in codes if code}
    if not wanted:
        return {}
    query = select(Area.code, Area.name).where(Area.code.in_(wanted), Area.deleted_at.is_(None))
    return {code: name for code, name in session.execute(query)}


def places(session: Session, partitions: Iterable[str]) -> dict[str, str]:
    """partition -> the grid's name with its community's before it."""
    codes = {code for one in partitions if (code := ids.area_of(one))}
    known = areas(session, codes | {code[: ids.COMMUNITY_DIGITS] for code in codes})
    return {ids.area_partition(code): _place(code, known) for code in codes}


def _place(code: str, known: dict[str, str]) -> str:
    community = known.get(code[: ids.COMMUNITY_DIGITS], "")
    if len(code) <= ids.COMMUNITY_DIGITS:
        return community or code
    own = known.get(code, code)
    return own if own.startswith(community) else f"{community} {own}"


def grids(session: Session, viewer: Viewer) -> list[tuple[str, str]]:
    """(code, name with community) of every grid in the viewer's subtree, by code."""
    query = (
        select(Area.code, Area.name)
        .where(
            in_area(Area.code, viewer.area_code), Area.level.in_(("grid", "community")),
            Area.deleted_at.is_(None),
        )
        .order_by(Area.code)
    )  # fmt: skip
    known = {code: name for code, name in session.execute(query)}
    missing = {c[: ids.COMMUNITY_DIGITS] for c in known} - set(known)
    known |= areas(session, missing)
    return [(c, _place(c, known)) for c in sorted(known) if len(c) == ids.GRID_DIGITS]


def references(session: Session, type_: str) -> dict[str, Reference]:
    """code -> reference record of a type, in their order."""
    return references_of(session, type_)[type_]


def references_of(session: Session, *types: str) -> dict[str, dict[str, Reference]]:
    """type -> code -> reference record of several types, asked for together."""
    query = (
        select(Reference)
        .where(Reference.type.in_(types), Reference.deleted_at.is_(None))
        .order_by(Reference.position_no, Reference.code)
    )
    found: dict[str, dict[str, Reference]] = {one: {} for one in types}
    for record in session.scalars(query):
        found[record.type][record.code] = record
    return found


def targets(session: Session, pairs: Iterable[tuple[str, str | None]]) -> dict[str, Target]:
    """id -> what it is, for (kind, id) pairs of households and compounds."""
    wanted: dict[str, set[str]] = {"household": set(), "compound": set()}
    for kind, record_id in pairs:
        if record_id and kind in wanted:
            wanted[kind].add(record_id)
    homes = _by_id(session, Household, wanted["household"])
    near = {home.compound_id for home in homes.values() if home.compound_id}
    yards = _by_id(session, Compound, wanted["compound"] | near)
    found = {
        one.id: Target(one.name, one.address or "")
        for one in yards.values()
        if one.id in wanted["compound"]
    }
    for home in homes.values():
        found[home.id] = _household(home, yards.get(home.compound_id))
    return found


def _household(home: Household, yard: Compound | None) -> Target:
    compound = yard.name if yard is not None else ""
    place = Place(compound, home.address or "", home.building or "", home.unit or "")
    return Target(
        home.contact_name or "",
        export_columns.address(place, masked=False),
        home.door or "",
        home.contact_phone or "",
        tuple(home.care_groups or ()),
    )


def _by_id(session: Session, model: Any, wanted: set[str]) -> dict[str, Any]:
    if not wanted:
        return {}
    return {one.id: one for one in session.scalars(select(model).where(model.id.in_(wanted)))}
