"""The audit log: one row for who looked at or changed what, in the transaction of what they did."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from server.operations.clock import now_ms
from server.storage.heads import insert_ignoring
from server.storage.tables import AuditEntry
from shared import ids


def record(
    session: Session,
    actor: str | None,
    action: str,
    target: str | None = None,
    area_code: str | None = None,
    detail: dict[str, Any] | None = None,
    address: str | None = None,
) -> AuditEntry:
    """Add a row to the session; it stands or falls with the caller's transaction.

    ``actor`` is an account's id, None for the command line; ``action`` a short code
    ("user_add"); ``target`` what it was done to; ``address`` the network address it came from.
    """
    entry = AuditEntry(
        id=ids.new_id(),
        at=now_ms(),
        actor=actor,
        action=action,
        target=target,
        area_code=area_code,
        detail=detail,
        address=address,
        chain=None,
    )
    session.add(entry)
    return entry


def record_once(
    session: Session,
    key: str,
    actor: str | None,
    action: str,
    target: str | None = None,
    area_code: str | None = None,
    detail: dict[str, Any] | None = None,
    address: str | None = None,
) -> None:
    """Add a row unless one with this key stands, whichever process wrote it: see `once_id`."""
    statement = insert_ignoring(session, AuditEntry.__table__).values(
        id=once_id(key), at=now_ms(), actor=actor, action=action, target=target,
        area_code=area_code, detail=detail, address=address,
    )  # fmt: skip
    session.execute(statement)


def once_id(key: str) -> str:
    """The id of the row that `record_once` writes for a key."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:gridledger:audit:{key}"))
