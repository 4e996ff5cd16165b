"""Looks at personal data: in bulk one audit row an hour, at what is hidden one row a look."""

from __future__ import annotations

from server.core.access import Viewer
from server.errors import Trouble
from server.operations import audit_log
from server.operations.clock import now_ms
from server.storage.database import db, write
from server.storage.models import Household
from server.storage.tables import AuditEntry
from shared import ids

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
