"""A database that was copied back behind our back: found by the chains that phones remember."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.errors import Trouble
from server.operations import audit_log
from server.operations.clock import now_ms
from server.storage.database import db, write
from server.storage.settings import change_epoch, epoch
from server.storage.tables import ChainLink, Device, Partition, User

log = structlog.get_logger()
DAY_MS = 24 * 3600 * 1000


def check(device_id: str, header: Mapping[str, Any]) -> None:
    """Open a new epoch, before anything applies, if the phone knows a past that we do not have.

    Raises Trouble epoch_changed then; the phone pulls, and sends again what is missing here.
    """
    heads: Mapping[str, tuple[int, str]] = header.get("heads") or {}
    if not heads or header["epoch"] != epoch(db.session()):
        return
    wrong = [p for p, (seq, chain) in heads.items() if not _is_ours(db.session(), p, seq, chain)]
    if not wrong:
        return
    with write() as session:
        if header["epoch"] != epoch(session):
            raise Trouble("epoch_changed")  # another phone was quicker
        device = session.get(Device, device_id)
        user = session.get(User, device.user_id) if device else None
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


def _is_ours(session: Session, partition: str, seq: int, chain: str) -> bool:
    """Whether our history once stood at this seq with this chain; true where it is pruned.

    Every commit leaves a link. Where older ones are kept, a seq without one was never an end.
    """
    if seq == 0:
        return True
    head = session.scalar(select(Partition.seq).where(Partition.id == partition))
    if head is None or head < seq:
        return False
    link = session.get(ChainLink, (partition, seq))
    if link is not None:
        return link.chain == chain
    older = select(ChainLink.seq).where(ChainLink.partition_id == partition, ChainLink.seq < seq)
    return session.scalar(older.limit(1)) is None
