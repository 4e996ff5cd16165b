"""Accounts, who walks which grid, phones."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from server.core.access import Viewer
from server.storage.models import Area
from server.storage.queries.paging import in_area
from server.storage.tables import Assignment, Device, User

AT_RISK_MS = 24 * 3600 * 1000  # work waits on a phone that has not been heard of for so long


@dataclass(frozen=True)
class Phone:
    """A phone, its owner, and what it said at its last contact."""

    device: Device
    owner: User | None

    @property
    def transactions(self) -> int:
        """Transactions that wait on it."""
        return int((self.device.waiting or {}).get("transactions") or 0)

    @property
    def photos(self) -> int:
        """Photos that wait on it."""
        return int((self.device.waiting or {}).get("photos") or 0)

    @property
    def waits(self) -> bool:
        """Whether anything waits on it."""
        return self.transactions + self.photos > 0

    def at_risk(self, now: int) -> bool:
        """Whether what waits on it has not been heard of for more than a day."""
        last = self.device.last_contact_at or self.device.created_at
        return self.waits and now - last > AT_RISK_MS


def in_subtree(viewer: Viewer) -> ColumnElement[bool]:
    """A person belongs to the viewer's areas, by their account or by a grid they walk."""
    walks = select(Assignment.user_id).where(
        in_area(Assignment.grid_code, viewer.area_code), Assignment.to_at.is_(None)
    )
    return or_(in_area(User.area_code, viewer.area_code), User.id.in_(walks))


def accounts(session: Session, viewer: Viewer) -> list[User]:
    """Every account in the viewer's areas, by role and name."""
    query = select(User).where(in_subtree(viewer)).order_by(User.role, User.name, User.id)
    return list(session.scalars(query))


def account(session: Session, viewer: Viewer, user_id: str) -> User | None:
    """One account, if it belongs to the viewer's areas."""
    query = select(User).where(User.id == user_id, in_subtree(viewer))
    found: User | None = session.scalar(query)
    return found


def walked(session: Session, viewer: Viewer) -> dict[str, list[str]]:
    """user id -> the grids they walk now, by code."""
    query = (
        select(Assignment.user_id, Assignment.grid_code)
        .where(in_area(Assignment.grid_code, viewer.area_code), Assignment.to_at.is_(None))
        .order_by(Assignment.grid_code)
    )
    found: dict[str, list[str]] = {}
    for user_id, grid in session.execute(query):
        found.setdefault(user_id, []).append(grid)
    return found


def phones(session: Session, viewer: Viewer, user_id: str = "") -> list[Phone]:
    """Phones of people in the viewer's areas, or of one of them; those not heard of longest last.

    Revoked ones come after the rest.
    """
    query = (
        select(Device, User)
        .join(User, User.id == Device.user_id)
        .where(Device.kind == "phone", in_subtree(viewer))
        .order_by(
            Device.revoked_at.is_not(None), Device.last_contact_at.desc().nulls_last(), Device.id
        )
    )
    if user_id:
        query = query.where(Device.user_id == user_id)
    return [Phone(device, owner) for device, owner in session.execute(query)]


def phone(session: Session, viewer: Viewer, device_id: str) -> Phone | None:
    """One phone, if its owner belongs to the viewer's areas."""
    return next((p for p in phones(session, viewer) if p.device.id == device_id), None)


def choosable_areas(session: Session, viewer: Viewer) -> list[tuple[str, str, str]]:
    """(code, name, level) of the areas in the viewer's subtree, by code."""
    query = (
        select(Area.code, Area.name, Area.level)
        .where(in_area(Area.code, viewer.area_code), Area.deleted_at.is_(None))
        .order_by(Area.code)
    )
    return [(one.code, one.name, one.level) for one in session.execute(query)]
