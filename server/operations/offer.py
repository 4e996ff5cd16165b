"""After a restore: rows that phones still hold and the server lost are kept, and offered back.

Most of what a restored server lacks comes again from the journals. What is older than these, or
was made by a phone that is gone, may still stand as an agreed row on some phone: before it sweeps
in a new epoch, the phone sends it here. Nothing applies by itself; a supervisor takes it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.core.access import Viewer
from server.core.scope import refusal
from server.errors import Trouble
from server.operations import transact
from server.operations.clock import now_ms
from server.storage import rows
from server.storage.database import write
from server.storage.models import MODELS
from server.storage.tables import Device, Offered, User
from shared import records
from shared.operations import CREATE, SET, Operation


def take(device_id: str, offered: Iterable[Mapping[str, Any]]) -> int:
    """Keep the rows that this database lacks or has at a lower rev; returns how many.

    Rows outside the person's scope, and of kinds that only the server writes, are left aside.
    """
    now = now_ms()
    with write() as session:
        device = session.get(Device, device_id)
        user = session.get(User, device.user_id) if device else None
        if device is None or user is None:
            raise Trouble("token_unknown")
        sender = transact.sender_of(session, user, device.id)
        kept = 0
        for row in offered:
            if not records.KINDS[row["kind"]].creators:
                continue
            if refusal(sender, row["p"], None, now) or _is_here(session, row):
                continue
            key = (row["id"], row["rev"])
            if session.get(Offered, key) is None:
                kept += 1
                session.add(
                    Offered(
                        record_id=row["id"], rev=row["rev"], kind=row["kind"],
                        partition_id=row["p"], values=row["v"], created_by=row.get("by"),
                        created_at=row.get("at") or now, device_id=device.id, received_at=now,
                        state="open",
                    )
                )  # fmt: skip
        return kept


def take_back(user_id: str, record_id: str, rev: int) -> str:
    """Make an offered row a record again, or set the fields in which it differs.

    Raises Trouble not_found or stale, and Refused. Returns the result of the transaction.
    """
    with write() as session:
        offer = _open(session, user_id, record_id, rev)
        operations = _operations(session, offer)
        author = offer.created_by or user_id
        made_at = offer.created_at
    result = "applied"
    if operations:
        entry = transact.Entry(author, operations, made_at)
        result = next(iter(transact.submit_many([entry], kind="import", sender=user_id))).result
    _decide(user_id, record_id, rev, "taken")
    return result


def leave(user_id: str, record_id: str, rev: int) -> None:
    """Decide that an offered row is not wanted."""
    _decide(user_id, record_id, rev, "left")


def _decide(user_id: str, record_id: str, rev: int, state: str) -> None:
    with write() as session:
        offer = _open(session, user_id, record_id, rev)
        offer.state, offer.decided_by, offer.decided_at = state, user_id, now_ms()


def _open(session: Session, user_id: str, record_id: str, rev: int) -> Offered:
    user = session.get(User, user_id)
    offer = session.get(Offered, (record_id, rev), populate_existing=True)
    if user is None or offer is None:
        raise Trouble("not_found")
    viewer = Viewer(user.id, user.role, user.area_code)
    if not viewer.may("quarantine") or not viewer.sees_partition(offer.partition_id):
        raise Trouble("not_found")
    if offer.state != "open":
        raise Trouble("stale", offer.state)
    return offer


def _is_here(session: Session, row: Mapping[str, Any]) -> bool:
    table = MODELS[row["kind"]].__table__
    rev = session.scalar(select(table.c.rev).where(table.c.id == row["id"]))
    return rev is not None and rev >= row["rev"]


def _operations(session: Session, offer: Offered) -> list[Operation]:
    """The create, or the sets, that bring the record to the offered values."""
    fields = records.FIELDS[offer.kind]
    wanted = {
        name: value
        for name, value in offer.values.items()
        if name in fields and fields[name].rule != records.SERVER and value is not None
    }
    here = rows.load(session, offer.kind, [offer.record_id]).get(offer.record_id)
    if here is None:
        return [Operation(CREATE, offer.kind, offer.record_id, offer.partition_id, values=wanted)]
    changes = {
        name: (here.record.values[name], value)
        for name, value in wanted.items()
        if fields[name].rule in (records.REVIEW, records.LATEST)
        and here.record.values[name] != value
    }
    if not changes:
        return []
    return [
        Operation(
            SET, offer.kind, offer.record_id, here.record.partition, rev=here.record.rev,
            fields=changes,
        )
    ]  # fmt: skip
