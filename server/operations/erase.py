"""Erasure: the content goes everywhere, the tombstone stays, phones follow.

What was erased is also listed in a file beside the database (``erased.ndjson``), and replayed
after a restore: a backup must not bring it back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from server.core.access import Viewer
from server.core.scope import Sender
from server.errors import Trouble
from server.operations import transact
from server.operations.audit_log import record
from server.operations.batch import Batch
from server.operations.clock import now_ms
from server.operations.move import belongings
from server.storage import blobs
from server.storage.database import any_of
from server.storage.models import MODELS
from server.storage.rows import Held, chunks
from server.storage.settings import epoch
from server.storage.tables import Blob, Change, Offered, Quarantined, QuarantinedName, User
from shared import ids, records
from shared.reconcile import ERASED, Record


def erase(user_id: str | None, household_id: str, reason: str) -> int:
    """Erase a household and all that was written about it; returns how many records.

    Personal fields become empty in the records, their history, conflicts and quarantine; photos
    are deleted; later edits are refused as "erased". Without a user it is the server's own doing.
    Raises Trouble forbidden, not_found, invalid.
    """
    if not reason.strip():
        raise Trouble("invalid", "reason", {"reason": ["请写明依据 / a reason is needed"]})
    now = now_ms()

    def once(session: Session, extra: frozenset[str]) -> tuple[int, list[str]]:
        household = session.get(MODELS["household"], household_id)
        if household is None:
            raise Trouble("not_found")
        sender = _sender(session, user_id, household.partition_id, now)
        batch = Batch(session, sender, now, epoch(session))
        wanted = belongings(session, household_id)
        batch.prepare(wanted, extra)
        batch.begin(ids.new_id(), user_id, now)
        photos = [
            one.record.values["sha256"]
            for one in batch.held.values()
            if one and one.record.kind == "photo"
        ]
        scrub(batch)
        batch.flush()
        everything = [record_id for part in wanted.values() for record_id in part]
        _scrub_history(session, everything)
        _scrub_offers(session, household.partition_id, set(everything))
        hashes = _unshared(session, photos)
        detail = {"reason": reason, "records": len(everything)}
        area_code = ids.area_of(household.partition_id)
        record(session, user_id, "erase", household_id, area_code, detail)
        _list({"household": household_id, "by": user_id, "reason": reason, "at": now})
        return len(everything), hashes

    count, hashes = transact.locking(once)
    store = blobs.current()
    for sha256 in hashes:
        store.remove(sha256)
    return count


def _sender(session: Session, user_id: str | None, partition: str, now: int) -> Sender:
    """An admin who sees the place, or the server itself; raises Trouble forbidden."""
    if user_id is None:
        device = transact.own_device(session, None, "job", now)
        return Sender(device.id, None, "", ids.ROOT_AREA, trusted=True)
    user = session.get(User, user_id)
    if user is None or user.role != "admin":
        raise Trouble("forbidden")
    if not Viewer(user.id, user.role, user.area_code).sees_partition(partition):
        raise Trouble("forbidden")
    device = transact.own_device(session, user_id, "web", now)
    return transact.sender_of(session, user, device.id)


def scrub(batch: Batch) -> None:
    """Empty the personal fields of every record in the batch and leave tombstones."""
    for one in list(batch.held.values()):
        if one is not None and not one.record.field_revs.get(ERASED):
            batch.put(_scrubbed(one, batch.sender.device_id))


def replay() -> int:
    """Erase again, after a restore, what the list beside the database names; returns how many."""
    path = list_path()
    if not path.exists():
        return 0
    done = 0
    for line in path.read_text().splitlines():
        entry = json.loads(line)
        try:
            done += erase(None, entry["household"], entry["reason"])
        except Trouble:
            continue  # it is not in this backup
    return done


def list_path() -> Path:
    """The list of what was erased, outside the database."""
    data: Path = current_app.config["GRIDLEDGER"].data
    return data / "erased.ndjson"


def _scrubbed(one: Held, device: str) -> Record:
    kind = records.KINDS[one.record.kind]
    everything = kind.name in ("conflict", "progress", "task")
    values = dict(one.record.values)
    for field in kind.fields:
        open_text = field.type in (records.JSON, records.TEXT) and everything
        if field.personal or open_text:
            values[field.name] = None
    rev = one.record.rev + 1
    stamps = {"*": (rev, device, rev), ERASED: (rev, device, rev)}
    return replace(one.record, rev=rev, values=values, field_revs=stamps, deleted=True)


def _scrub_history(session: Session, record_ids: list[str]) -> None:
    for part in chunks(record_ids):
        session.execute(
            update(Change).where(Change.record_id.in_(part)).values(changes={ERASED: [None, None]})
        )
        named = select(QuarantinedName.quarantine_id).where(
            QuarantinedName.name.in_([*part, *(f"~{one}" for one in part)])
        )
        session.execute(
            update(Quarantined)
            .where(Quarantined.id.in_(named))
            .values(text=None, detail=None, state="refused")
        )


def _scrub_offers(session: Session, partition: str, erased: set[str]) -> None:
    """What phones offered back of these records, and of others that belong to them."""
    here = select(Offered).where(Offered.partition_id == partition)
    elsewhere = select(Offered).where(any_of(session, Offered.record_id, erased))
    for one in (*session.scalars(here), *session.scalars(elsewhere)):
        about = {str(value) for name, value in one.values.items() if name.endswith("_id")}
        if one.record_id in erased or about & erased:
            one.values = {}
            if one.state == "open":
                one.state = "left"


def _unshared(session: Session, hashes: list[str]) -> list[str]:
    """The photos that no living record shows any more; their rows go here, their bytes later."""
    photo: Any = MODELS["photo"]
    still = set(
        session.scalars(
            select(photo.sha256).where(photo.sha256.in_(hashes), photo.deleted_at.is_(None))
        )
    )
    gone = sorted(set(hashes) - still)
    session.execute(delete(Blob).where(Blob.sha256.in_(gone)))
    return gone


def _list(entry: Mapping[str, Any]) -> None:
    path = list_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    known = path.read_text() if path.exists() else ""
    if f'"{entry["household"]}"' not in known:
        with path.open("a") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")
