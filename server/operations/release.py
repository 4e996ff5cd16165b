"""What becomes of quarantine: released as it is or corrected, refused, or applied by itself.

A release is the supervisor's own decision; the content stays its author's and its device's. What
the same device changed later stays, and is shown beside it. `arrived` applies what only waited for
a record that has now come.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from marshmallow import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.core.access import Viewer
from server.core.scope import Sender
from server.errors import Trouble
from server.operations import transact
from server.operations.apply import Waits, apply
from server.operations.audit_log import record
from server.operations.batch import Batch, NeedLock
from server.operations.clock import now_ms
from server.operations.quarantine import WAITING_CODES
from server.storage import plain
from server.storage.database import any_of
from server.storage.models import Task
from server.storage.plain import Statement
from server.storage.settings import epoch
from server.storage.tables import Device, Quarantined, User
from shared import ids, schemas
from shared.operations import CREATE, SET, Transaction
from shared.reconcile import Refused, settle_many


def release(
    user_id: str, quarantine_id: str, corrections: Mapping[int, Mapping[str, Any]] | None = None
) -> str:
    """Apply a quarantined transaction for its author; returns its result.

    ``corrections``: operation number (from 0) -> field -> the right value, for create and set.
    Raises Refused with the reason if it cannot apply even so, Trouble not_found or stale.
    """
    now = now_ms()

    def once(session: Session, extra: frozenset[str]) -> str:
        kept, area = _open(session, user_id, quarantine_id)
        transaction = _corrected(kept, corrections or {})
        batch = Batch(session, _authors(session, kept, area), now, epoch(session), late=True)
        transact.prepare(batch, [transaction], extra)
        tasks = _prepare_tasks(batch, kept)
        batch.begin(transaction.id, transaction.author, transaction.made_at)
        result, _ = apply(batch, transaction)
        _close(batch, tasks)
        _decide(kept, "released", user_id, now)
        _release_waiting(batch, transaction)
        batch.flush()
        detail = {"corrected": bool(corrections), "result": result}
        record(session, user_id, "quarantine.release", kept.id, kept.area_code, detail)
        return result

    return transact.locking(once)


def refuse(user_id: str, quarantine_id: str, reason: str) -> None:
    """Decide that the content will not apply; it is kept, and its author is told why."""
    if not reason.strip():
        raise Refused("needs", "reason")
    now = now_ms()

    def once(session: Session, extra: frozenset[str]) -> None:
        kept, area = _open(session, user_id, quarantine_id)
        batch = Batch(session, _authors(session, kept, area), now, epoch(session))
        batch.prepare({}, extra)
        tasks = _prepare_tasks(batch, kept)
        batch.begin(ids.new_id(), user_id, now)
        for task_id in tasks:
            one = batch.get("task", task_id)
            if one and one.record.values["state"] == "open":
                told = {**(one.record.values["detail"] or {}), "refused": reason}
                batch.put(settle_many(one.record, {"detail": told}, batch.sender.device_id))
        _decide(kept, "refused", user_id, now)
        batch.flush()
        record(session, user_id, "quarantine.refuse", kept.id, kept.area_code, {"reason": reason})

    transact.locking(once)


def arrived(batch: Batch, made: set[str]) -> None:
    """Apply what waited in quarantine for these new records, and what waited for that in turn."""
    while made and _is_awaited(batch, made):
        query = (
            select(Quarantined)
            .where(
                any_of(batch.session, Quarantined.waits_for, made),
                Quarantined.state == "open",
                Quarantined.code.in_(sorted(WAITING_CODES)),
            )
            .order_by(Quarantined.device_id, Quarantined.dseq)
        )
        made = set()
        for kept in batch.session.scalars(query).all():
            made |= _try(batch, kept)


_AWAITED = Statement("SELECT 1 FROM quarantine WHERE waits_for {among} AND state = 'open' LIMIT 1")


def _is_awaited(batch: Batch, made: set[str]) -> bool:
    return bool(plain.rows(batch.session, _AWAITED, made))


def _try(batch: Batch, kept: Quarantined) -> set[str]:
    """Apply one that waited, as its own sender; it goes on waiting if it is refused still."""
    own = batch.sender, batch.tx_id, batch.author, batch.made_at
    device = batch.session.get(Device, kept.device_id)
    author = batch.session.get(User, kept.author)
    if device is None or author is None or kept.text is None:
        return set()
    try:
        transaction = _corrected(kept, {})
    except (Refused, ValidationError):
        return set()  # valid when it came, not any more: for a person to look at
    tasks = _prepare_tasks(batch, kept)
    batch.sender = transact.sender_of(batch.session, author, device.id)
    batch.begin(transaction.id, author.id, transaction.made_at)
    try:
        apply(batch, transaction)
    except Refused as refused:
        batch.undo()
        kept.code, kept.detail = refused.code, refused.detail or None
        if isinstance(refused, Waits):
            kept.waits_for = refused.record_id
        return set()
    finally:
        batch.sender, batch.tx_id, batch.author, batch.made_at = own
    _close(batch, tasks)
    _decide(kept, "released", None, batch.now)
    return {op.id for op in transaction.operations if op.op == CREATE}


def _release_waiting(batch: Batch, transaction: Transaction) -> None:
    batch.late = False
    arrived(batch, {op.id for op in transaction.operations if op.op == CREATE})


def _open(session: Session, user_id: str, quarantine_id: str) -> tuple[Quarantined, str]:
    """The open entry, locked, and the area of whoever decides on it."""
    user = session.get(User, user_id)
    kept = session.get(Quarantined, quarantine_id, with_for_update=True, populate_existing=True)
    if user is None or kept is None:
        raise Trouble("not_found")
    viewer = Viewer(user.id, user.role, user.area_code)
    if not viewer.may("quarantine") or not viewer.sees_area(kept.area_code or ids.ROOT_AREA):
        raise Trouble("not_found")
    if kept.state != "open":
        raise Trouble("stale", kept.state)
    return kept, viewer.area_code


def _authors(session: Session, kept: Quarantined, area_code: str) -> Sender:
    """The sender that a released transaction has: its author, let in where the releaser rules."""
    author = session.get(User, kept.author) if kept.author else None
    return Sender(
        kept.device_id,
        kept.author,
        author.role if author else "grid_worker",
        author.area_code if author else area_code,
        (author and author.body) or "",
        let_in=area_code,
    )


def _corrected(kept: Quarantined, corrections: Mapping[int, Mapping[str, Any]]) -> Transaction:
    """The transaction with what the supervisor put right; raises Refused, ValidationError."""
    try:
        raw = json.loads(kept.text or "")
    except (ValueError, RecursionError) as error:
        raise Refused("invalid", "text", str(error)) from None
    for number, values in corrections.items():
        operation = raw["operations"][number]
        if operation["op"] == CREATE:
            operation["values"] = {**operation["values"], **values}
        elif operation["op"] == SET:
            for name, value in values.items():
                was = operation["fields"].get(name, [None, None])[0]
                operation["fields"][name] = [was, value]
        else:
            raise Refused("invalid", "op", operation["op"])
    transaction = Transaction.from_json(schemas.load_transaction(raw))
    return replace(transaction, author=kept.author or transaction.author)


def _prepare_tasks(batch: Batch, kept: Quarantined) -> list[str]:
    """The tasks that told the author of it, locked and loaded."""
    if kept.tx_id is None:
        return []
    query = select(Task.id).where(Task.tx_id == kept.tx_id, Task.state == "open")
    tasks = list(batch.session.scalars(query))
    missing = {ids.person_partition(kept.author)} if kept.author else set()
    if tasks and not missing <= set(batch.heads):
        raise NeedLock(missing)
    for task_id in tasks:
        batch.get("task", task_id)
    return tasks


def _close(batch: Batch, tasks: list[str]) -> None:
    for task_id in tasks:
        one = batch.get("task", task_id)
        if one and one.record.values["state"] == "open":
            changes = {"state": "done", "done_at": batch.now}
            batch.put(settle_many(one.record, changes, batch.sender.device_id))


def _decide(kept: Quarantined, state: str, by: str | None, now: int) -> None:
    kept.state, kept.decided_by, kept.decided_at = state, by, now
