"""A database that was copied back behind our back: found by the chains that phones remember."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from server.core import scope
from server.errors import Trouble
from server.operations import audit_log, transact
from server.operations.clock import now_ms
from server.storage.database import db, write
from server.storage.rows import chunks
from server.storage.settings import EPOCH, change_epoch, epoch
from server.storage.tables import ChainLink, Device, Partition, Setting, User

log = structlog.get_logger()
DAY_MS = 24 * 3600 * 1000


def check(device_id: str, header: Mapping[str, Any]) -> None:
    """Open a new epoch, before anything applies, if the phone knows a past that we do not have.

    Raises Trouble epoch_changed then; the phone pulls, and sends again what is missing here.
    """
    heads: Mapping[str, tuple[int, str]] = header.get("heads") or {}
    if not heads or header["epoch"] != epoch(db.session()):
        return
    wrong = _wrong(db.session(), heads)
    if not wrong:
        return
    with write() as session:
        session.get(Setting, EPOCH, with_for_update=True, populate_existing=True)
        if header["epoch"] != epoch(session):
            raise Trouble("epoch_changed")  # another phone was quicker
        device = session.get(Device, device_id, populate_existing=True)
        user = session.get(User, device.user_id) if device else None
        wrong = _believed(session, device, user, wrong)
        if not wrong:
            return
        now = now_ms()
        change_epoch(session, now)
        audit_log.record(
            session,
            user.id if user else None,
            "epoch.rewind",
            wrong[0],
            None,
            {"device": device_id},
        )
        log.error("the database was rewound; a new epoch begins", partition=wrong[0])
    raise Trouble("epoch_changed")


def _believed(
    session: Session, device: Device | None, user: User | None, wrong: list[str]
) -> list[str]:
    """Of partitions said to have another past, those that this phone was ever given.

    A revoked phone, or one that speaks of what it never held, puts nobody to the trouble of a new
    epoch.
    """
    if device is None or user is None or device.revoked_at is not None or not user.active:
        return []
    sender = transact.sender_of(session, user, device.id)
    return [p for p in wrong if not scope.refusal(sender, p, None, now_ms())]


def _wrong(session: Session, heads: Mapping[str, tuple[int, str]]) -> list[str]:
    """The partitions whose history here never stood at this seq with this chain."""
    wrong = []
    for part in chunks([p for p, (seq, _) in heads.items() if seq]):
        reached = select(Partition.id, Partition.seq).where(Partition.id.in_(part))
        ours = {row[0]: row[1] for row in session.execute(reached)}
        pairs = [(p, heads[p][0]) for p in part]
        query = select(ChainLink.partition_id, ChainLink.chain).where(
            tuple_(ChainLink.partition_id, ChainLink.seq).in_(pairs)
        )
        links = {row[0]: row[1] for row in session.execute(query)}
        for partition in part:
            seq, chain = heads[partition]
            if ours.get(partition, 0) < seq:
                wrong.append(partition)
            elif partition in links:
                if links[partition] != chain:
                    wrong.append(partition)
            elif not _is_pruned(session, partition, seq):
                wrong.append(partition)
    return wrong


def _is_pruned(session: Session, partition: str, seq: int) -> bool:
    """Whether links as old as this are not kept: every commit leaves one.

    Where older ones are kept, a seq without one was never an end.
    """
    older = select(ChainLink.seq).where(ChainLink.partition_id == partition, ChainLink.seq < seq)
    return session.scalar(older.limit(1)) is None
