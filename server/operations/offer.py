"""After a restore: rows that phones still hold and the server lost are kept, and offered back.

Most of what a restored server lacks comes again from the journals. What is older than these, or
was made by a phone that is gone, may still stand as an agreed row on some phone: before it sweeps
in a new epoch, the phone sends it here. Nothing applies by itself; a supervisor takes it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from marshmallow import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.core.access import Viewer
from server.core.scope import may_create, refusal
from server.errors import Trouble
from server.operations import audit_log, transact
from server.operations.clock import now_ms
from server.storage import rows
from server.storage.database import write
from server.storage.models import MODELS
from server.storage.tables import Device, Offered, User
from shared import ids, records, schemas
from shared.operations import CREATE, SET, Operation
from shared.reconcile import Refused

AT_ONCE = 100  # records of one commit


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
            if not may_create(sender, records.KINDS[row["kind"]]):
                continue
            if refusal(sender, row["p"], None, now) or _is_here(session, row):
                continue
            if row["kind"] == "photo" and row["v"].get("redacts"):
                continue  # the server's own work, done again after the restore
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

    Rows are checked here as a phone's own work is: what does not fit is refused as invalid.
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


def take_all(user_id: str, wanted: Iterable[tuple[str, int]]) -> tuple[int, int]:
    """Take back every row of a list, parents first, of each record the highest rev.

    Lower revs of a record that was taken are left aside. Returns how many records were taken, and
    how many could not be and stay open. Rows that somebody decided meanwhile are passed over.
    """
    with write() as session:
        offers = [one for key in wanted if (one := _if_open(session, user_id, *key)) is not None]
    newest: dict[str, Offered] = {}
    for one in sorted(offers, key=lambda offer: offer.rev):
        newest[one.record_id] = one
    order = {kind: place for place, kind in enumerate(records.KINDS)}
    ordered = sorted(newest.values(), key=lambda o: (order[o.kind], o.created_at, o.record_id))
    taken: set[str] = set()
    for part in rows.chunks(ordered, AT_ONCE):
        try:
            taken |= _apply(user_id, part)
        except Refused:
            for one in part:
                with suppress(Refused):
                    taken |= _apply(user_id, [one])
    now = now_ms()
    with write() as session:
        for one in offers:
            here = session.get(Offered, (one.record_id, one.rev), populate_existing=True)
            if here is not None and here.state == "open" and one.record_id in taken:
                here.state = "taken" if newest[one.record_id].rev == one.rev else "left"
                here.decided_by, here.decided_at = user_id, now
        user = session.get(User, user_id)
        area_code = user.area_code if user else None
        detail = {"records": len(taken), "stay": len(newest) - len(taken)}
        audit_log.record(session, user_id, "offer.take_all", None, area_code, detail)
    return len(taken), len(newest) - len(taken)


def _apply(user_id: str, offers: list[Offered]) -> set[str]:
    """Make these rows records again in one commit; returns their ids. Raises Refused."""
    entries = []
    with write() as session:
        for one in offers:
            operations = _operations(session, one)
            if operations:
                entries.append(
                    transact.Entry(one.created_by or user_id, operations, one.created_at)
                )
    list(transact.submit_many(entries, kind="import", sender=user_id))
    return {one.record_id for one in offers}


def _if_open(session: Session, user_id: str, record_id: str, rev: int) -> Offered | None:
    try:
        return _open(session, user_id, record_id, rev)
    except Trouble:
        return None


def leave(user_id: str, record_id: str, rev: int) -> None:
    """Decide that an offered row is not wanted."""
    _decide(user_id, record_id, rev, "left")


def _decide(user_id: str, record_id: str, rev: int, state: str) -> None:
    with write() as session:
        offer = _open(session, user_id, record_id, rev)
        offer.state, offer.decided_by, offer.decided_at = state, user_id, now_ms()
        action = "offer.take" if state == "taken" else "offer.leave"
        area_code = ids.area_of(offer.partition_id)
        audit_log.record(session, user_id, action, record_id, area_code, {"kind": offer.kind})


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
        if schemas.VALUES[offer.kind].validate(wanted):
            raise Refused("invalid", "values")
        return [Operation(CREATE, offer.kind, offer.record_id, offer.partition_id, values=wanted)]
    changes = {
        name: (here.record.values[name], value)
        for name, value in wanted.items()
        if fields[name].rule in (records.REVIEW, records.LATEST)
        and here.record.values[name] != value
    }
    if not changes:
        return []
    for name, (_was, value) in changes.items():
        try:
            schemas.check_value(offer.kind, name, value)
        except ValidationError:
            raise Refused("invalid", name) from None
    return [
        Operation(
            SET, offer.kind, offer.record_id, here.record.partition, rev=here.record.rev,
            fields=changes,
        )
    ]  # fmt: skip
