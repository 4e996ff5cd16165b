"""Looks at personal data: in bulk one audit row an hour, at what is hidden one row a look.

What was looked at on a phone, with or without a network, is told by its next sync: a row a day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select

from server.core.access import Viewer
from server.core.scope import refusal
from server.errors import Trouble
from server.operations import audit_log, transact
from server.operations.clock import now_ms
from server.storage.database import db, write
from server.storage.models import Household
from server.storage.tables import AuditEntry, Device, User
from shared import ids
from shared.work_calendar import day_number

HOUR_MS = 3600 * 1000
# Page kind -> the action that stands in the log.
LISTS = {"visits": "look.visits", "homes": "look.homes"}


def at_list(viewer: Viewer, page: str, address: str | None) -> None:
    """Note that somebody opened a list with personal data: once a viewer, page kind and hour.

    Call it before the page reads: it ends the reading so far.
    """
    key = f"look:{viewer.user_id}:{page}:{now_ms() // HOUR_MS}"
    if db.session().get(AuditEntry, audit_log.once_id(key)) is not None:
        return
    with write() as session:
        audit_log.record_once(
            session, key, viewer.user_id, LISTS[page], None, viewer.area_code, None, address
        )


def at_hidden(viewer: Viewer, household_id: str, page: str, address: str | None) -> None:
    """Note that somebody looked at a household's care groups and note, on a page kind.

    Raises Trouble not_found for a household that the viewer may not see.
    """
    with write() as session:
        home = session.get(Household, household_id)
        if home is None or home.deleted_at is not None or not viewer.may("see_records"):
            raise Trouble("not_found")
        if not viewer.sees_partition(home.partition_id):
            raise Trouble("not_found")
        area_code = ids.area_of(home.partition_id)
        audit_log.record(
            session, viewer.user_id, "home.reveal", home.id, area_code, {"page": page}, address
        )


def by_phone(device_id: str, looks: Iterable[Mapping[str, Any]], address: str | None) -> int:
    """Note looks at what is hidden, opened on a phone's page of a household.

    A person, household and day (by the phone's clock) has one row, however often it is told.
    Looks at households outside the person's scope are left aside; those of a hand-over not long
    ago count, as work does (server.core.scope). Returns how many stand in the log.
    """
    now, told = now_ms(), list(looks)
    with write() as session:
        device = session.get(Device, device_id)
        user = session.get(User, device.user_id) if device else None
        if user is None:
            raise Trouble("token_unknown")
        sender = transact.sender_of(session, user, device_id)
        wanted = select(Household.id, Household.partition_id).where(
            Household.id.in_({one["household_id"] for one in told})
        )
        homes = {
            home: ids.area_of(partition)
            for home, partition in session.execute(wanted)
            if not refusal(sender, partition, None, now)
        }
        noted = [(one["household_id"], one["at"]) for one in told if one["household_id"] in homes]
        for home, at in sorted(noted):  # in one order, so that two phones never wait in a ring
            key = f"look:{user.id}:{home}:{day_number(at)}"
            audit_log.record_once(
                session, key, user.id, "home.reveal", home, homes[home],
                {"page": "phone", "at": at}, address,
            )  # fmt: skip
        return len(noted)
