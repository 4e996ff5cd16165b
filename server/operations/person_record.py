"""The reference record that tells phones a person's name: it follows the account."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.orm import Session

from server.core.scope import Sender
from server.operations import transact
from server.operations.batch import Batch
from server.operations.clock import now_ms
from server.storage.database import db
from server.storage.models import Reference
from server.storage.settings import epoch
from server.storage.tables import User
from shared import ids
from shared.operations import CREATE, Operation
from shared.reconcile import settle_many


def publish(user: User, by: str | None = None) -> None:
    """Make the record, in the account's area; nothing to do if it stands."""
    if db.session.get(Reference, user.id) is not None:
        return
    values = {"type": "person", "code": user.id, "name": user.name,
              "data": {"role": user.role}, "active": True}  # fmt: skip
    create = Operation(
        CREATE, "reference", user.id, ids.area_partition(user.area_code), values=values
    )
    for _ in transact.submit_many([transact.Entry(by or user.id, [create])], kind="job"):
        pass


def follow(user: User, by: str | None = None) -> None:
    """Bring the record to the account's name and area, so that phones there know the person."""
    publish(user, by)
    now = now_ms()
    target = ids.area_partition(user.area_code)

    def once(session: Session, extra: frozenset[str]) -> None:
        device = transact.own_device(session, by, "job", now)
        sender = Sender(device.id, by, "", ids.ROOT_AREA, trusted=True)
        batch = Batch(session, sender, now, epoch(session))
        batch.prepare({"reference": [user.id]}, {target, *extra})
        batch.begin(ids.new_id(), by or user.id, now)
        one = batch.get("reference", user.id)
        if one is None:
            return
        wanted = {"name": user.name, "data": {"role": user.role}}
        differ = {n: value for n, value in wanted.items() if one.record.values[n] != value}
        if not differ and one.record.partition == target:
            return
        record = replace(settle_many(one.record, differ, device.id), partition=target)
        batch.put(record, {n: (one.record.values[n], value) for n, value in differ.items()})
        batch.flush()

    transact.locking(once)
